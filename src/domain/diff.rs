//! What differs, and what to do about it: (both sides, registry with base, rules) → plan. The same in gives the same
//! out.
//!
//! Fields are compared three ways. N is what the page wants, C what the object holds, and each half of the base what
//! that side held when both were last verified:
//!
//! | | | |
//! |---|---|---|
//! | N = C | agreement, and the base moves | nothing to do |
//! | only N moved | Notion changed | update, 100 % |
//! | only C moved | drift: edited in Clockify | `on_drift`, 50 % |
//! | both moved | conflict | `on_conflict`, 50 % |
//! | no base | first sight | Notion's value, 90 %; an empty one asks for nothing, and agrees to nothing |
//! | neither moved, N was sent and not kept | open | asked about, 50 % |
//!
//! A new page is created at 95 %, beside a near-twin name at 85 %; a project moves at 100 %, a task (which is created
//! again and closed where it was) at 80 %. No change is surer than the evidence for its pair.

mod fields;
mod holds;
mod linked;
mod notices;
mod twins;
mod unmanaged;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) use self::holds::{brake, hold_closes_above, hold_running};
use super::{
    model::{
        Claim, Field, Kind, Link, Nature, Object, ObjectId, Page, PageId, PerKind, Registry, Service, Sight, Snapshots,
        Standing, Unsettled, Value,
    },
    pair::{Candidate, Evidence, Match, Namesakes, Pairs, Vanished, namesakes, pair},
    plan::{
        Action, Cause, Change, ChangeId, FieldChange, Hold, HoldCode, Notice, Place, Plan, Proposal, Scope, State,
        change_id, sha256,
    },
    rules::{IdStrategy, Rules},
    text::Raw,
};

pub(super) use self::fields::{Comparison, comparison};

/// Confidence, in percent, of creating an object for a new page that nothing looks like.
const CREATE: u8 = 95;
/// Confidence, in percent, of creating an object beside one whose name is similar, or differs by case, spaces or look
/// alone.
const CREATE_NEAR_TWIN: u8 = 85;
/// Confidence, in percent, of creating an object again that is gone from Clockify, or that an earlier run may have
/// created.
const RECREATE: u8 = 60;
/// Confidence, in percent, of Notion's value where both sides were never seen to agree.
const FIRST_SIGHT: u8 = 90;

/// What comparing both sides yields.
#[derive(Debug)]
pub struct Diff {
    /// The plan, sealed.
    pub plan: Plan,
    /// Links to store as they are now: adopted claims, and bases that moved since both sides agree. Not changes:
    /// nothing is written to either service for them.
    pub verified: Vec<Link>,
}

/// Compares both sides and makes the plan.
pub fn diff(snapshots: &Snapshots, registry: &Registry, rules: &Rules, scope: Scope) -> Diff {
    let pairs = pair(snapshots, registry);
    let namesakes = namesakes(&pairs);
    let mut linked = PerKind::default();
    for link in registry.iter().filter(|link| link.sight == Sight::Expected) {
        linked[link.kind] += 1;
    }
    let mut differ = Differ {
        snapshots,
        registry,
        rules,
        pairs: &pairs,
        namesakes: &namesakes,
        namesakes_of: namesakes.iter().flat_map(|group| group.pages.iter().map(move |page| (page.id, group))).collect(),
        changes: Vec::new(),
        verified: Vec::new(),
        of_page: HashMap::new(),
        claims_on_names: Vec::new(),
        name_seekers: BTreeMap::new(),
        lost_links: Vec::new(),
        linked,
    };
    for kind in Kind::ALL {
        for (page, found) in &pairs.matches[kind] {
            differ.page(page, found);
        }
        differ.settle_names(kind);
    }
    differ.finish(Scope { rules: sha256(rules), ..scope })
}

/// What a page's changes mean to the changes that rest on it.
#[derive(Clone, Debug, Default)]
struct Footing {
    /// The change that gives the page its object: create or link.
    root: Option<usize>,
    /// The change that makes the object active.
    reopen: Option<usize>,
    /// The change that gives the object another name or parent, and so frees its name.
    frees_name: Option<usize>,
    /// A change opens or closes the object.
    opens_or_closes: bool,
    /// A task that moves leaves its object behind, closed and with its name.
    leaves_name: bool,
}

/// A change that needs a name which another object has.
struct NameClaim {
    change: usize,
    holder: ObjectId,
}

struct Differ<'a> {
    snapshots: &'a Snapshots,
    registry: &'a Registry,
    rules: &'a Rules,
    pairs: &'a Pairs<'a>,
    namesakes: &'a [Namesakes<'a>],
    /// The group of each page that is in one.
    namesakes_of: HashMap<PageId, &'a Namesakes<'a>>,
    changes: Vec<Change>,
    verified: Vec<Link>,
    of_page: HashMap<PageId, Footing>,
    claims_on_names: Vec<NameClaim>,
    /// Changes that bring a name under a parent, of the kind at hand.
    name_seekers: BTreeMap<(Option<ObjectId>, Raw), Vec<usize>>,
    /// Creates of a name whose object is linked to a page that is out of sight.
    lost_links: Vec<(usize, ObjectId)>,
    /// How many objects of each kind are linked to pages that are looked for.
    linked: PerKind<usize>,
}

impl<'a> Differ<'a> {
    fn page(&mut self, page: &'a Page, found: &Match<'a>) {
        match found {
            Match::Idle => self.retire(page),
            Match::Unseen { .. } => {}
            Match::Free { similar } => self.create(page, Cause::New, similar),
            Match::Vanished(vanished) => self.vanished(page, vanished),
            Match::Copied { owner, object } => self.copied(page, *owner, *object),
            Match::Linked { best, others } => self.linked(page, *best, others),
        }
    }

    /// True when Clockify shows nothing of a kind of which several objects are linked.
    fn shrank_to_nothing(&self, kind: Kind) -> bool {
        self.linked[kind] > 1 && self.snapshots.objects[kind].rows().is_empty()
    }

    /// A closed page whose object is gone, and not only not listed yet: nothing is left to ask about it.
    fn retire(&mut self, page: &Page) {
        let shrank = self.shrank_to_nothing(page.kind);
        let link =
            self.registry.of_page(page.id).filter(|link| !shrank && self.snapshots.is_gone(link.kind, link.object));
        if let Some(link) = link.filter(|link| link.sight != Sight::Retired) {
            self.verified.push(Link { sight: Sight::Retired, ..link.clone() });
        }
    }

    /// Proposes a new object for a page.
    fn create(&mut self, page: &'a Page, cause: Cause, similar: &[Candidate<'a>]) {
        let has_twin = self.namesakes_of.get(&page.id).is_some_and(|group| !group.other_names(page).is_empty());
        let doubtful = self.doubtful(page);
        let (confidence, reason) = match (cause, similar.is_empty() && !has_twin) {
            _ if !doubtful.is_empty() => {
                (RECREATE, "an earlier run may have created it under another name: is it one of these?".to_owned())
            }
            (Cause::CopiedId, _) => (CREATE, "a copy of another page: it needs an object of its own".to_owned()),
            (_, true) if self.snapshots.stated_titles.contains_key(&page.id) => {
                (CREATE, "new in Notion, and called by its day, since another task has its name".to_owned())
            }
            (_, true) => (CREATE, format!("new in Notion, and no {} in Clockify looks like it", page.kind)),
            (_, false) => (CREATE_NEAR_TWIN, "new in Notion, but there is a very similar name beside it".to_owned()),
        };
        let proposal = Proposal { confidence, reason: reason.into(), ..self.creation(page) };
        let alternatives = doubtful.iter().chain(similar).map(|candidate| linking(page, candidate)).collect();
        let at = self.push(page, cause, proposal, alternatives);
        self.of_page.entry(page.id).or_default().root = Some(at);
        self.hold_name(at, page);
        self.hold_parent(at, page);
        self.hold_unseen(at, page);
        self.check_name_is_free(at, page, None);
        self.hold_left_out(at, page);
    }

    /// A proposal to create the page's object, with every field that the page states and Clockify takes.
    fn creation(&self, page: &Page) -> Proposal {
        let mut fields = vec![FieldChange::new(Field::Name, Value::Empty, Value::name(&page.title))];
        for (field, value) in page.values.iter().filter(|(_, value)| **value != Value::Empty) {
            if self.refused_by_clockify(page.kind, field, value, Nature::default()).is_none() {
                fields.push(FieldChange::new(field, Value::Empty, value.clone()));
            }
        }
        Proposal {
            action: Action::Create,
            side: Service::Clockify,
            object: None,
            fields,
            confidence: 0,
            reason: String::new().into(),
        }
    }

    /// What a create leaves out, since Clockify would refuse it, waits as changes of their own.
    fn hold_left_out(&mut self, create: usize, page: &Page) {
        let (create, cause) = (id_at(&self.changes, create), self.changes[create].cause);
        let stated = page.values.iter().filter(|(field, value)| **value != Value::Empty && !field.is_tracked());
        for (field, value) in stated {
            let Some(refused) = self.refused_by_clockify(page.kind, field, value, Nature::default()) else { continue };
            let proposal = Proposal {
                action: Action::Update,
                side: Service::Clockify,
                object: None,
                fields: vec![FieldChange::new(field, Value::Empty, value.clone())],
                confidence: FIRST_SIGHT,
                reason: format!("the {} is created without it", page.kind).into(),
            };
            let at = self.push(page, cause, proposal, Vec::new());
            self.changes[at].requires.push(create);
            self.hold(at, HoldCode::NotTaken, refused);
        }
    }

    /// Objects without a page that an earlier run may have created for this one.
    fn doubtful(&self, page: &Page) -> Vec<Candidate<'a>> {
        let ids = match self.snapshots.unsettled.get(&page.id) {
            Some(Unsettled::OneOf(objects)) => objects.as_slice(),
            Some(Unsettled::Unseen | Unsettled::Until(_)) | None => &[],
        };
        // Another page that would like to have one of them does not settle whose it is.
        let free = ids.iter().filter(|id| self.registry.of_object(**id).is_none());
        let seen = free.filter_map(|id| self.snapshots.objects[page.kind].get(*id));
        seen.map(|object| Candidate { object, evidence: Evidence::Doubtful }).collect()
    }

    /// The object is gone, as a complete listing shows: recreate, link another, or unlink.
    fn vanished(&mut self, page: &'a Page, vanished: &Vanished<'a>) {
        let Vanished { object, others, because } = vanished;
        let recreate = Proposal {
            confidence: RECREATE,
            reason: format!("{because}; create it again").into(),
            ..self.creation(page)
        };
        let mut ways = vec![recreate];
        ways.extend(others.iter().map(|candidate| linking(page, candidate)));
        ways.sort_by_key(|way| std::cmp::Reverse(way.confidence));
        if !matches!(page.claim, Claim::None | Claim::Unknown(_)) {
            let reason = format!("{because}; empty the property and leave it at that");
            ways.push(Proposal { confidence: RECREATE, reason: reason.into(), ..clearing(page, *object) });
        }
        let proposal = ways.remove(0);
        let best = others.iter().find(|_| proposal.action == Action::Link);
        let at = self.push(page, Cause::Vanished, proposal, ways);
        if let Some(best) = best {
            return self.link_first(at, page, *best);
        }
        self.of_page.entry(page.id).or_default().root = Some(at);
        self.hold_unseen(at, page);
        self.hold_name(at, page);
        self.hold_parent(at, page);
        self.check_name_is_free(at, page, None);
        self.hold_left_out(at, page);
    }

    /// The page has another page's ID: clear it, and give an open page an object of its own.
    fn copied(&mut self, page: &'a Page, owner: PageId, object: ObjectId) {
        if matches!(page.standing, Standing::Trashed | Standing::Unknown { .. }) {
            return;
        }
        let owner_name = self.pairs.of(owner).map(|(owner, _)| owner.title.shown().clipped(60).to_string());
        let reason = format!(
            "a copied ID: {object} belongs to the page {}",
            owner_name.map_or_else(|| owner.to_string(), |name| format!("“{name}”"))
        );
        let proposal = Proposal { confidence: CREATE, reason: reason.into(), ..clearing(page, Some(object)) };
        let cleared = self.push(page, Cause::CopiedId, proposal, Vec::new());
        if !self.snapshots.closes(page) {
            self.create(page, Cause::CopiedId, &[]);
            let clears = self.changes[cleared].id;
            // What the create leaves out rests on it.
            if let Some(create) = self.changes.get_mut(cleared + 1) {
                create.requires.push(clears);
            }
        }
    }

    /// With local IDs Notion is only read.
    fn may_write_notion(&self) -> bool {
        self.rules.id_strategy == IdStrategy::Property
    }

    fn push(&mut self, page: &Page, cause: Cause, proposal: Proposal, alternatives: Vec<Proposal>) -> usize {
        let parent = page.parent.one();
        self.changes.push(Change {
            id: change_id(page.kind, page.id, parent, cause, &proposal, &alternatives),
            kind: page.kind,
            page: page.id,
            name: page.title.clone(),
            parent,
            claimed: page.claim.id(),
            cause,
            proposal,
            alternatives,
            hold: None,
            state: State::Review,
            requires: Vec::new(),
            tracked_seconds: None,
            refiling: None,
        });
        self.changes.len() - 1
    }

    /// The names above what a notice is about, outermost first.
    fn above(&self, notice: &Notice) -> Vec<Raw> {
        let mut above: Vec<Raw> = Vec::new();
        let mut kind = notice.kind.parent();
        if let Some(page) = notice.page {
            let of = |kind: Kind, page: PageId| self.snapshots.pages[kind].get(page);
            let mut at = of(notice.kind, page).and_then(|page| page.parent.one());
            while let Some((page, up)) = at.zip(kind).and_then(|(page, kind)| Some((of(kind, page)?, kind.parent()))) {
                above.push(page.title.clone());
                (at, kind) = (page.parent.one(), up);
            }
        } else if let Some(object) = notice.object {
            let of = |kind: Kind, object: ObjectId| self.snapshots.objects[kind].get(object);
            let mut at = of(notice.kind, object).and_then(|object| object.parent);
            while let Some((object, up)) = at.zip(kind).and_then(|(id, kind)| Some((of(kind, id)?, kind.parent()))) {
                above.push(object.name.clone());
                (at, kind) = (object.parent, up);
            }
        }
        above.reverse();
        above
    }

    fn finish(mut self, scope: Scope) -> Diff {
        let mut places = BTreeMap::new();
        let unmanaged = self.unmanaged(&mut places);
        hold_running(&mut self.changes, self.snapshots);
        let released = self.brake();
        hold_closes_above(&mut self.changes, self.snapshots);
        for change in &self.changes {
            // An object without a page has a place of its own.
            let mut at = change.page.in_notion().or(change.parent);
            while let Some((page, _)) = at.and_then(|page| self.pairs.of(page)) {
                let parent = page.parent.one();
                let place = Place { kind: page.kind, name: page.title.clone(), parent, edited: page.edited };
                if places.insert(page.id, place).is_some() {
                    break;
                }
                at = parent;
            }
        }
        let complete = Kind::ALL.into_iter().all(|kind| {
            self.snapshots.pages[kind].complete().is_some() && self.snapshots.objects[kind].complete().is_some()
        });
        let mut notices = notices::notices(self.snapshots, self.registry, self.pairs, self.namesakes);
        let mut unclear = BTreeSet::new();
        notices.extend(self.unknown(&mut unclear));
        notices.extend(self.open_below_closed());
        notices.extend(notices::strangers(self.snapshots, self.rules));
        notices.extend(unmanaged);
        let above = notices.iter().map(|notice| (notice.about(), self.above(notice)));
        let above_notices = above.filter(|(_, above)| !above.is_empty()).collect();
        let limits = self.snapshots.limits.clone();
        let plan = Plan {
            changes: self.changes,
            notices,
            unclear,
            released,
            places,
            complete,
            scope,
            limits,
            above_notices,
            ..Plan::default()
        };
        Diff { plan: plan.seal(self.rules), verified: self.verified }
    }
}

/// A proposal to take an object for the page's.
fn linking(page: &Page, candidate: &Candidate<'_>) -> Proposal {
    let Object { id, name, .. } = candidate.object;
    let named = if name.canonical() == page.title.canonical() {
        String::new()
    } else {
        format!(": “{}”", name.shown().clipped(60))
    };
    Proposal {
        action: Action::Link,
        side: Service::Notion,
        object: Some(*id),
        fields: Vec::new(),
        confidence: candidate.evidence.confidence(),
        reason: format!("{}{named}", candidate.evidence.words()).into(),
    }
}

/// A proposal to empty the page's ID property.
fn clearing(page: &Page, object: Option<ObjectId>) -> Proposal {
    debug_assert_ne!(page.claim, Claim::None, "there must be something to clear");
    Proposal {
        action: Action::ClearClaim,
        side: Service::Notion,
        object,
        fields: Vec::new(),
        confidence: 0,
        reason: String::new().into(),
    }
}

/// A hold with its reason.
fn hold(code: HoldCode, text: impl Into<String>) -> Hold {
    Hold { code, text: text.into().into() }
}

/// The id of the change at an index.
fn id_at(changes: &[Change], at: usize) -> ChangeId {
    changes[at].id
}

#[cfg(test)]
pub(crate) mod tests;
