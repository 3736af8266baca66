//! The plan: every difference as a change with its reason, what holds it back, and a seal over all of it.

pub mod document;
mod estimate;
mod narrow;
mod notice;
mod second;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, io,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use strum::{IntoStaticStr, VariantArray};

use super::{
    action::PerAction,
    model::{Field, Kind, Limits, ObjectId, PageId, Refiling, RunId, Service, Value},
    rules::{Allowance, Class, Rules, Threshold, Thresholds},
    text::{Raw, Shown},
};

pub use super::{action::Action, model::ChangeId};
pub use document::field_word;
pub use estimate::{Calls, Estimate, Hourly, Pace, READING_CALLS};
pub(super) use narrow::KEEP_PLAN;
pub use narrow::{Within, client_names};
pub use notice::{Notice, NoticeCode};

/// Why there is a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The page is new.
    New,
    /// Only Notion changed since both agreed.
    NotionChanged,
    /// Only Clockify changed since both agreed.
    Drift,
    /// Both changed since they agreed.
    Conflict,
    /// They differ, and were never seen to agree.
    FirstSight,
    /// Notion's value was sent, and Clockify did not keep it.
    NotKept,
    /// They differ, and by the rule the field goes to Notion.
    ToNotion,
    /// An object that looks like the page's.
    Match,
    /// The object is gone from Clockify.
    Vanished,
    /// The page's ID property does not hold its object's ID.
    Claim,
    /// The page got its object, and its ID property still holds what it held then: what was approved is half done.
    Unfinished,
    /// The page has a copy of another page's ID.
    CopiedId,
    /// The page has moved, and what it left behind is still open.
    Moved,
    /// No page links to the object, and by the rule it is closed.
    Unmanaged,
    /// Its note names a page that is linked to another object: it was made twice.
    Twin,
    /// A run wrote it, and the run is undone.
    Undone,
    /// A run linked the two, and the run is undone.
    Unlinked,
    /// Time entries are on what they cannot have been meant for.
    Misfiled,
    /// The page does not tell what waits for a person.
    #[serde(alias = "told")]
    SyncStatus,
}

impl Cause {
    /// What it rests on, in words.
    pub fn evidence(self) -> &'static str {
        match self {
            Self::New => "the page has no object, and no ID of one",
            Self::NotionChanged => "linked; only Notion moved since both were last verified to agree",
            Self::Drift => "linked; only Clockify moved since both were last verified to agree",
            Self::Conflict => "linked; both moved since they were last verified to agree",
            Self::FirstSight => "linked, but never seen to agree on this",
            Self::NotKept => "linked; what was sent is not what the answer showed, and neither side has moved since",
            Self::ToNotion => "linked, and by the rule Clockify's value goes to Notion",
            Self::Match => "found by its name under the same parent",
            Self::Vanished => "a complete listing shows that the object it was linked to is gone",
            Self::Claim => "linked; the ID in the page says otherwise",
            Self::Unfinished => "linked; the ID was never in the page, which is as it was when it was linked",
            Self::Moved => "the page has moved on, and this is what it was linked to before",
            Self::Twin => {
                "its note names the page, as only punchlist writes it, and the page is linked to another object"
            }
            Self::Unmanaged => "no page links to it, and every page was seen",
            Self::Undone => "the journal of the run says what was there before; it is still as the run left it",
            Self::Unlinked => "the journal of the run says that it linked the two",
            Self::Misfiled => "time entries are on something else, and only this can be meant",
            Self::SyncStatus => "the configuration wants pages to tell what waits for a person",
            Self::CopiedId => "the ID in the page belongs to another page",
        }
    }
}

/// One field from → to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    pub field: Field,
    /// What the side that is written holds now.
    pub from: Value,
    /// What it will hold. For [`Field::Parent`] the parent's name; the change's `parent` says which page it is.
    pub to: Value,
    /// What Notion held when both sides were last verified, if they ever were. For people; no part of the change.
    #[serde(skip)]
    pub base: Option<Value>,
    /// Of an undo, what the side that is not written held after the run: its half of the base from then on, so that
    /// what it holds by now is mirrored if it is newer. No part of the change.
    #[serde(skip)]
    pub half: Option<Value>,
}

impl FieldChange {
    /// A field that both sides were never seen to agree on.
    pub fn new(field: Field, from: Value, to: Value) -> Self {
        Self { field, from, to, base: None, half: None }
    }
}

/// One way to mend a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What is done.
    pub action: Action,
    /// Which side is written.
    pub side: Service,
    /// The object that it is done to or linked with.
    pub object: Option<ObjectId>,
    /// The fields that are written.
    pub fields: Vec<FieldChange>,
    /// How sure we are, in whole percent.
    pub confidence: u8,
    /// Why.
    pub reason: Shown,
}

/// Why a change cannot be approved now.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HoldCode {
    /// Clockify would refuse the name.
    InvalidName,
    /// Another object or page has the name under the same parent.
    NameTaken,
    /// The page names no client or project.
    NoParent,
    /// The page named a client or project before, and does not any more.
    RelationRemoved,
    /// The page names several.
    SeveralParents,
    /// The page names one that no listing shows.
    ParentUnknown,
    /// The page's client or project is closed.
    ParentClosed,
    /// The page's client or project is itself held.
    ParentHeld,
    /// The close of something below is held.
    ChildHeld,
    /// A listing that the change rests on may lack rows.
    Incomplete,
    /// More changes of this class than the brake lets through.
    Brake,
    /// A timer runs on what would be closed, or below it.
    TimerRuns,
    /// An earlier create of it has an unknown outcome.
    Unsettled,
    /// The value cannot be written to that side.
    NotWritable,
    /// The side that is written would refuse the value: it is known to before it is tried.
    NotTaken,
    /// The object is a project template by now, and those are left alone.
    Template,
    /// It is not as the run left it that is undone.
    MovedSince,
    /// The journal does not say what was there before.
    Unrecorded,
    /// The time entries are locked.
    TimeLocked,
    /// The time entries are approved, or wait for that.
    TimeApproved,
    /// The time entries are invoiced.
    TimeInvoiced,
    /// The month of the time entries is sealed.
    MonthSealed,
}

impl HoldCode {
    /// The word for it, as scripts know it: `name_taken`.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// What holds a change back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What kind of hold.
    pub code: HoldCode,
    /// For people.
    pub text: Shown,
}

/// Whether a change may go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// Policy approves it.
    Ready,
    /// A person must decide.
    Review,
    /// Nobody can approve it now.
    Held,
}

/// One difference, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id, made of its content.
    pub id: ChangeId,
    /// What it concerns.
    pub kind: Kind,
    /// The page, or what stands for it where an object has none.
    pub page: PageId,
    /// The page's title.
    pub name: Raw,
    /// The page of the client or project that the page names.
    pub parent: Option<PageId>,
    /// The Clockify ID that the page has now, if it has one.
    pub claimed: Option<ObjectId>,
    /// Why there is a difference.
    pub cause: Cause,
    /// The proposed way to mend it: the one with the highest confidence.
    pub proposal: Proposal,
    /// Other ways, best first.
    pub alternatives: Vec<Proposal>,
    /// What holds it back.
    pub hold: Option<Hold>,
    /// Whether it may go ahead.
    pub state: State,
    /// Changes without which this one cannot be made.
    pub requires: Vec<ChangeId>,
    /// Time tracked on the object, in seconds, where that matters to the decision.
    pub tracked_seconds: Option<u64>,
    /// The time entries that go to the object.
    pub refiling: Option<Box<Refiling>>,
}

impl Plan {
    /// True where an object would be closed, as far as nothing holds that yet.
    pub fn closes_something(&self) -> bool {
        self.changes.iter().any(|change| change.hold.is_none() && change.closes_object())
    }
}

impl Change {
    /// What it does and why, in one line.
    pub fn words(&self) -> Shown {
        let Proposal { action, reason, .. } = &self.proposal;
        format!("{action} {} “{}”: {reason}", self.kind, self.name.shown()).into()
    }

    /// True when it closes an object: also a task that moves, since Clockify cannot move one, and the old one is set done.
    pub fn closes_object(&self) -> bool {
        closes(self.proposal.action, self.kind)
    }

    /// True when the change gives the object another name.
    pub fn is_rename(&self) -> bool {
        self.proposal.action == Action::Update
            && self.proposal.side == Service::Clockify
            && self.proposal.fields.iter().any(|field| field.field == Field::Name)
    }

    /// Whether an update closes the page, or opens it again; nothing where it does neither.
    fn sets_state(&self) -> Option<bool> {
        let state = self.proposal.fields.iter().find(|field| field.field == Field::State)?;
        Some(state.to == Value::Closed(true))
    }

    /// The brake that may withhold it.
    pub fn brake_class(&self) -> Option<Class> {
        match self.proposal.action {
            Action::Close => Some(Class::Close),
            Action::Reopen => Some(Class::Reopen),
            Action::Move => Some(Class::Move),
            Action::Create => Some(Class::LostLink),
            Action::Refile => Some(Class::Refile),
            Action::Update if self.is_rename() => Some(Class::Rename),
            // Clockify's state goes to Notion: many at once are as alarming as on the other side.
            Action::Update => self.sets_state().map(|closes| if closes { Class::Close } else { Class::Reopen }),
            Action::Link | Action::WriteBack | Action::ClearClaim | Action::Accept => None,
        }
    }

    /// True when it takes back what a run wrote.
    pub fn is_undo(&self) -> bool {
        matches!(self.cause, Cause::Undone | Cause::Unlinked)
    }

    /// True when Clockify was edited, alone or along with Notion, so that somebody must say who is right.
    pub fn is_contested(&self) -> bool {
        matches!(self.cause, Cause::Drift | Cause::Conflict)
    }

    /// The threshold that the policy has for it.
    pub fn threshold(&self, thresholds: &Thresholds) -> Threshold {
        match self.policy(thresholds) {
            // Somebody has asked for just this, or approved the whole of it; what is not sure in it is for a person.
            _ if self.is_undo() || matches!(self.cause, Cause::SyncStatus | Cause::Unfinished) => Threshold::At(100),
            Some((_, threshold)) => threshold,
            None => Threshold::Never,
        }
    }

    /// The threshold with the name that the configuration has for it; nothing where no policy approves it, whatever is
    /// configured.
    pub fn policy(&self, thresholds: &Thresholds) -> Option<(&'static str, Threshold)> {
        let action = match self.proposal.action {
            // It would be sent again and again.
            _ if self.cause == Cause::NotKept => return None,
            Action::Create if self.cause == Cause::Vanished => return Some(("recreate", thresholds.recreate)),
            Action::Create if self.cause == Cause::CopiedId => Action::ClearClaim,
            // It may be somebody else's.
            Action::Close if matches!(self.cause, Cause::Unmanaged | Cause::Twin) => return None,
            Action::Accept => return None,
            action => action,
        };
        Some((action.key(), thresholds.of[action]))
    }
}

/// True where something is closed: also by a task that moves, since Clockify cannot move one, and the old one is set
/// done.
pub fn closes(action: Action, kind: Kind) -> bool {
    action == Action::Close || action == Action::Move && kind == Kind::Task
}

/// Where a page stands in the tree: enough to show the ancestors of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub kind: Kind,
    /// Its title.
    pub name: Raw,
    /// The page that it stands under.
    pub parent: Option<PageId>,
    /// When the page was last edited; Notion floors it to the minute. For people; no part of the plan's hash.
    pub edited: Timestamp,
}

/// The sealed tree of changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The changes: each client with its projects with their tasks, by name.
    pub changes: Vec<Change>,
    pub notices: Vec<Notice>,
    /// The pages of which something cannot be told: what waited about them before may still be true. No part of the
    /// plan's hash.
    pub unclear: BTreeSet<PageId>,
    /// What it is about, where that is not everything; no part of the plan's hash but by its scope.
    pub within: Option<Within>,
    /// The pages that have changes, and their ancestors.
    pub places: BTreeMap<PageId, Place>,
    /// What a brake would withhold, had nobody released that; no part of the plan's hash.
    pub released: BTreeSet<ChangeId>,
    /// The changes that need a second person; worked out as the plan is sealed.
    pub second: BTreeSet<ChangeId>,
    /// True when every listing was complete.
    pub complete: bool,
    /// What the plan was made of: rules and identities.
    pub scope: Scope,
    /// Between which workspaces it is; no part of the plan's hash, since they can be renamed.
    pub workspaces: Workspaces,
    /// The names above what notices are about, outermost first, by their places; no part of the plan's hash.
    pub above_notices: BTreeMap<PageId, Vec<Raw>>,
    /// What both sides take, for values that a person types; no part of the plan's hash.
    pub limits: Limits,
    /// SHA-256 over all of the above, in hexadecimal.
    pub hash: String,
}

/// What a plan is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The Notion workspace's id; empty where it is not told.
    pub notion_workspace: String,
    /// The Clockify workspace's id.
    pub clockify_workspace: String,
    /// SHA-256 of the rules.
    pub rules: String,
    /// The run that it takes back, where it is the undo of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RunId>,
    /// The pages of the clients that it is about, where that is not everybody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub clients: BTreeSet<PageId>,
}

/// Between which workspaces a plan is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Workspaces {
    /// The name of Notion's; empty where it is not told.
    pub notion: Shown,
    /// The name of Clockify's; empty where nothing was read yet.
    pub clockify: Shown,
    /// The configuration, where it is not the default one: its profile or file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Shown>,
}

impl Workspaces {
    /// True where nothing was read yet.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// `Notion “Acme”, Clockify “Acme Ltd”, profile berlin`; names are cut to so many columns.
    pub fn words(&self, columns: usize) -> String {
        let named = |service: Service, name: &Shown| match name.clipped(columns) {
            name if name.is_empty() => service.to_string(),
            name => format!("{service} “{name}”"),
        };
        let configuration = self.configuration.as_ref().map(|name| format!(", {}", name.clipped(columns)));
        let [notion, clockify] = [named(Service::Notion, &self.notion), named(Service::Clockify, &self.clockify)];
        format!("{notion}, {clockify}{}", configuration.unwrap_or_default())
    }
}

/// How many changes of each sort there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    #[serde(flatten, serialize_with = "counted")]
    pub of: PerAction<usize>,
    /// Of all these, how many wait for a person.
    pub review: usize,
    /// Of all these, how many are held.
    pub held: usize,
    pub notices: usize,
}

/// What came later is said where there is any, so that the hash of a plan without it is what it always was.
fn counted<S: Serializer>(of: &PerAction<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    let said = Action::proposed().filter(|action| *action != Action::Refile || of[*action] > 0);
    serializer.collect_map(said.map(|action| (action.key(), of[action])))
}

impl Plan {
    /// What would let through the changes that the same brake withholds as this one, of the same kind: their class and
    /// number, which is that of everything where the plan is about a part.
    pub fn release(&self, at: usize) -> Option<Allowance> {
        let braked = |change: &&Change| change.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::Brake);
        let change = self.changes.get(at).filter(braked)?;
        let class = change.brake_class()?;
        Some(Allowance { class, count: *self.withheld().get(&(class, change.kind))? })
    }

    /// What brakes withhold of each class and kind that the plan has, and of everything where it is about a part.
    pub fn withheld(&self) -> BTreeMap<(Class, Kind), usize> {
        let mut withheld = BTreeMap::new();
        for change in &self.changes {
            let braked = change.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::Brake);
            if let Some(class) = change.brake_class().filter(|_| braked) {
                *withheld.entry((class, change.kind)).or_default() += 1;
            }
        }
        if let Some(within) = &self.within {
            for (class, count) in &mut withheld {
                *count = within.withheld.get(class).copied().unwrap_or(*count);
            }
        }
        withheld
    }

    /// Sorts the changes into the tree, decides what is ready, and seals the plan.
    ///
    /// Each change's `state` is worked out here: held if it has a hold or needs something held, ready if policy
    /// approves it and all that it needs, otherwise for review. Policy approves nothing that needs a second person.
    #[must_use]
    pub fn seal(mut self, rules: &Rules) -> Self {
        self.second = self.of_four_eyes(rules);
        self.settle(&rules.thresholds);
        let position = self.positions();
        self.changes.sort_by_cached_key(|change| {
            let field = change.proposal.fields.first().map(|field| field.field);
            (position.get(&change.page).copied(), change.proposal.action, field, change.id)
        });
        self.notices.sort_unstable();
        self.hash = sha256(&document::Sealed::of(&self));
        self
    }

    /// Leaves out the notices of which somebody has said that they know, and seals the plan without them.
    #[must_use]
    pub fn without(mut self, known: &BTreeSet<ChangeId>) -> Self {
        let before = self.notices.len();
        self.notices.retain(|notice| !known.contains(&notice.id()));
        if self.notices.len() < before {
            self.hash = sha256(&document::Sealed::of(&self));
        }
        self
    }

    /// True when what waited about a page before may still be true, although the plan does not say so.
    pub fn leaves_open(&self, waited: &document::ChangeDocument) -> bool {
        let page = waited.page_id.as_ref().and_then(|page| page.parse().ok());
        let stand_in = || PageId::stand_in(waited.clockify_id.as_ref()?.parse().ok()?);
        page.or_else(stand_in).is_some_and(|page| self.is_silent_about(page))
    }

    /// The changes by id.
    pub fn by_id(&self) -> BTreeMap<&ChangeId, &Change> {
        self.changes.iter().map(|change| (&change.id, change)).collect()
    }

    /// The first change of each page.
    pub fn by_page(&self) -> HashMap<PageId, &Change> {
        self.changes.iter().rev().map(|change| (change.page, change)).collect()
    }

    /// Counts the changes.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { notices: self.notices.len(), ..Summary::default() };
        for change in &self.changes {
            summary.of[change.proposal.action] += 1;
            match change.state {
                State::Ready => {}
                State::Review => summary.review += 1,
                State::Held => summary.held += 1,
            }
        }
        summary
    }

    /// What holds changes back, and how many, most first.
    pub fn held_by(&self) -> Vec<(HoldCode, usize)> {
        let mut counts: BTreeMap<HoldCode, usize> = BTreeMap::new();
        for hold in self.changes.iter().filter_map(|change| change.hold.as_ref()) {
            *counts.entry(hold.code).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| Reverse(*count));
        counts
    }

    /// What a notice says and about what, with the names above that.
    pub fn notice_words(&self, notice: &Notice) -> Shown {
        notice.words_below(self.above_notices.get(&notice.about()).map_or(&[], Vec::as_slice))
    }

    /// The notices, those of one kind about one kind of row together: where each group begins, and how many are in it.
    pub fn notices_alike(&self) -> impl Iterator<Item = (usize, &[Notice])> {
        let groups = self.notices.chunk_by(|one, other| (one.code, one.kind) == (other.code, other.kind));
        groups.scan(0, |next, group| {
            let from = *next;
            *next += group.len();
            Some((from, group))
        })
    }

    /// The client that a page stands under, or is.
    pub fn client_of(&self, page: PageId) -> Option<PageId> {
        let mut at = page;
        // Three kinds make two steps at the most.
        for _ in 0..3 {
            let place = self.places.get(&at)?;
            match place.parent {
                _ if place.kind == Kind::Client => return Some(at),
                Some(parent) => at = parent,
                None => return None,
            }
        }
        None
    }

    /// The names of the ancestors of a page, outermost first.
    pub fn path(&self, page: PageId) -> Vec<&Raw> {
        let mut path = Vec::new();
        let mut at = self.places.get(&page).and_then(|place| place.parent);
        // Three kinds make two ancestors at the most.
        while let Some(place) = at.and_then(|page| self.places.get(&page)).filter(|_| path.len() < 2) {
            path.push(&place.name);
            at = place.parent;
        }
        path.reverse();
        path
    }

    /// Works out each change's state, following what it requires. Requirements are acyclic: `diff` holds cycles.
    fn settle(&mut self, thresholds: &Thresholds) {
        let own: Vec<State> = self
            .changes
            .iter()
            .map(|change| match &change.hold {
                Some(_) => State::Held,
                None if self.second.contains(&change.id) => State::Review,
                None if change.threshold(thresholds).admits(change.proposal.confidence) => State::Ready,
                None => State::Review,
            })
            .collect();
        let index: BTreeMap<ChangeId, usize> =
            self.changes.iter().enumerate().map(|(at, change)| (change.id, at)).collect();
        let required: Vec<Vec<usize>> = self
            .changes
            .iter()
            .map(|change| change.requires.iter().filter_map(|id| index.get(id).copied()).collect())
            .collect();
        let mut settled: Vec<Option<State>> = vec![None; own.len()];
        for at in 0..own.len() {
            worst(at, &own, &required, &mut settled);
        }
        for (change, state) in self.changes.iter_mut().zip(settled) {
            change.state = state.unwrap_or(State::Review);
            if change.state == State::Held && change.hold.is_none() {
                let text = "something that it needs is held".to_owned();
                change.hold = Some(Hold { code: HoldCode::ParentHeld, text: text.into() });
            }
        }
    }

    /// The place of each page in the depth-first order of the tree, siblings by name and then id.
    fn positions(&self) -> BTreeMap<PageId, usize> {
        let mut children: BTreeMap<Option<PageId>, Vec<(String, PageId)>> = BTreeMap::new();
        for (page, place) in &self.places {
            let parent = place.parent.filter(|parent| self.places.contains_key(parent));
            children.entry(parent).or_default().push((place.name.canonical().loose(), *page));
        }
        for siblings in children.values_mut() {
            siblings.sort_unstable();
        }
        let mut positions = BTreeMap::new();
        let mut stack: Vec<PageId> = Vec::new();
        let push = |stack: &mut Vec<PageId>, parent| {
            stack.extend(children.get(&parent).into_iter().flatten().rev().map(|(_, page)| *page));
        };
        push(&mut stack, None);
        while let Some(page) = stack.pop() {
            positions.insert(page, positions.len());
            push(&mut stack, Some(page));
        }
        positions
    }
}

/// The worse of a change's own state and the states of all that it requires.
fn worst(at: usize, own: &[State], required: &[Vec<usize>], settled: &mut Vec<Option<State>>) -> State {
    if let Some(state) = settled[at] {
        return state;
    }
    settled[at] = Some(own[at]);
    let state = required[at].iter().fold(own[at], |state, &other| state.max(worst(other, own, required, settled)));
    settled[at] = Some(state);
    state
}

/// The id of a change, from everything that it would do and to what, and from the other ways that it offers: a decision
/// names one of them by its place, and must not slip onto another.
pub(super) fn change_id(
    kind: Kind,
    page: PageId,
    parent: Option<PageId>,
    cause: Cause,
    proposal: &Proposal,
    alternatives: &[Proposal],
) -> ChangeId {
    fn content(proposal: &Proposal) -> impl Serialize + '_ {
        let Proposal { action, side, object, fields, confidence: _, reason: _ } = proposal;
        (action, side, object, fields)
    }
    let ways: Vec<_> = std::iter::once(proposal).chain(alternatives).map(content).collect();
    ChangeId::from_number(number(&(kind, page, parent, cause, ways)))
}

/// The id of a change that re-files time entries: these, and where each goes, are what it would do.
pub(super) fn refile_id(kind: Kind, page: PageId, cause: Cause, refiling: &Refiling) -> ChangeId {
    ChangeId::from_number(number(&(kind, page, cause, refiling)))
}

/// SHA-256 of a value's compact JSON, in hexadecimal. Our structs serialise their fields in a fixed order, and our maps
/// are sorted.
pub fn sha256(value: &impl Serialize) -> String {
    digest(value).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use fmt::Write;
        write!(hex, "{byte:02x}").unwrap_or_default();
        hex
    })
}

/// The first 64 bits of it.
fn number(value: &impl Serialize) -> u64 {
    digest(value).first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn digest(value: &impl Serialize) -> [u8; 32] {
    /// Takes what is written without keeping it.
    struct Hash(Sha256);

    impl io::Write for Hash {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut hash = Hash(Sha256::new());
    // Serialising our own values has no way to fail, nor has hashing.
    serde_json::to_writer(&mut hash, value).unwrap_or_default();
    hash.0.finalize().into()
}

#[cfg(test)]
mod tests;
