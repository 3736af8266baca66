//! What holds a change back: its name, its parent, what could not be seen, and the brakes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Differ, NameClaim, hold, id_at};
use crate::domain::{
    model::{
        Field, Kind, Nature, Object, ObjectId, Page, PageId, PerKind, Relation, RunId, Sight, Snapshots, Standing,
        Timers, Unsettled, Value,
    },
    pair::{Contest, Match},
    plan::{Action, Change, ChangeId, Hold, HoldCode, KEEP_PLAN, State},
    possible::{in_clockify, in_notion},
    rules::{Class, Rules, SameName, WithoutClient, invalid_name},
    text::{Raw, Shown},
};

/// Where something stands: under this object, or at the top.
#[derive(Clone, Copy)]
struct Under(Option<ObjectId>);

impl<'a> Differ<'a> {
    pub(super) fn hold(&mut self, at: usize, code: HoldCode, text: impl Into<String>) {
        let change = &mut self.changes[at];
        // The first reason is the nearest one; later ones would only hide it.
        change.hold.get_or_insert_with(|| hold(code, text));
    }

    /// Holds a change that sends a name which Clockify would refuse, or which several pages want.
    pub(super) fn hold_name(&mut self, at: usize, page: &Page) {
        if let Some(text) = invalid_name(page.kind, &page.title) {
            self.hold(at, HoldCode::InvalidName, text);
        }
        self.hold_contested(at, page);
    }

    /// Holds a change of a page whose name another open page under the same parent has too.
    pub(super) fn hold_contested(&mut self, at: usize, page: &Page) {
        let text = match self.namesakes_of.get(&page.id).map(|group| group.contest(page)) {
            None | Some(Contest::None) => return,
            Some(Contest::Lost(keeper)) => format!(
                "another page of this name under the same parent is linked already, {keeper}, which is not closed: close it or rename \
                 one of them in Notion{}; or ask no more: `punchlist pending ignore {}`",
                self.or_by_day(page.kind),
                id_at(&self.changes, at)
            ),
            Some(Contest::Open) => format!(
                "several pages under the same parent have this name, and Clockify takes only one: rename all but one in Notion{}",
                self.or_by_day(page.kind)
            ),
        };
        self.hold(at, HoldCode::NameTaken, text);
    }

    /// Holds a change whose page cannot stand where it says; otherwise makes it require what its parent still needs.
    pub(super) fn hold_parent(&mut self, at: usize, page: &Page) {
        let Some(kind) = page.kind.parent() else { return };
        let parent = match &page.parent {
            Relation::One(parent) => *parent,
            Relation::Several(parents) => {
                return self.hold(
                    at,
                    HoldCode::SeveralParents,
                    format!("it names {} {}; Clockify takes one", parents.len(), kind.plural()),
                );
            }
            Relation::None if kind == Kind::Client && self.rules.without_client == WithoutClient::Mirror => return,
            Relation::None if self.changes[at].proposal.action == Action::Move => {
                let text = format!("its {kind} was removed in Notion; it is never closed or moved for that");
                return self.hold(at, HoldCode::RelationRemoved, text);
            }
            Relation::None if page.item_of == Relation::None => {
                return self.hold(at, HoldCode::NoParent, format!("it names no {kind}"));
            }
            Relation::None => {
                return self.hold(at, HoldCode::NoParent, format!("neither it nor a parent item of it names a {kind}"));
            }
            Relation::Unknown(because) => {
                return self.hold(at, HoldCode::ParentUnknown, format!("its {kind} cannot be told: {because}"));
            }
        };
        let Some((_, found)) = self.pairs.of(parent).filter(|(parent, _)| parent.kind == kind) else {
            return self.hold(at, HoldCode::ParentUnknown, format!("it names a {kind} that punchlist does not see"));
        };
        if let Some((code, text)) = self.shut_above(page) {
            return self.hold(at, code, text);
        }
        let footing = self.of_page.get(&parent).cloned().unwrap_or_default();
        if let Some(root) = footing.root {
            let root = id_at(&self.changes, root);
            self.changes[at].requires.push(root);
            return;
        }
        let certain = found.certain();
        let unseen = if let Match::Unseen { because } = found { Some(because.clone()) } else { None };
        match (certain, footing.reopen) {
            (Some(object), Some(reopen)) if object.is_closed() => {
                let reopen = id_at(&self.changes, reopen);
                self.changes[at].requires.push(reopen);
            }
            (Some(object), None) if object.is_closed() => {
                self.hold(at, HoldCode::ParentClosed, format!("its {kind} is closed in Clockify"));
            }
            (Some(object), _) if !object.is_open() => {
                let text = format!("Clockify does not say whether its {kind} is open");
                self.hold(at, HoldCode::ParentUnknown, text);
            }
            (Some(object), _) if object.nature.template => {
                self.hold(
                    at,
                    HoldCode::Template,
                    format!("its {kind} is a template in Clockify by now, and templates are left alone"),
                );
            }
            (Some(_), _) => {}
            (None, _) => match unseen {
                Some(because) => {
                    self.hold(at, HoldCode::ParentUnknown, format!("the object of its {kind} is not seen: {because}"));
                }
                None => self.hold(at, HoldCode::ParentHeld, format!("its {kind} has no object in Clockify yet")),
            },
        }
    }

    /// Holds a change of the page itself that Notion does not take, or that we do not send.
    pub(super) fn hold_unwritable(&mut self, at: usize, page: &Page, writable: bool) {
        let text = if !writable {
            "by the rule Clockify wins, but this is for Notion's users to set: change it in Notion"
        } else if !self.may_write_notion() {
            "by the rule Clockify wins, but with local IDs Notion is never written"
        } else if page.standing == Standing::Trashed {
            "by the rule Clockify wins, but a page in the trash cannot be written"
        } else {
            return;
        };
        self.hold(at, HoldCode::NotWritable, text);
    }

    /// Why Clockify would refuse a value, where that is known. Of a name `hold_name` says it.
    pub(super) fn refused_by_clockify(&self, kind: Kind, field: Field, value: &Value, nature: Nature) -> Option<Shown> {
        let is_mapped = !matches!(field, Field::Name | Field::Parent | Field::State);
        if is_mapped { in_clockify(kind, field, value, nature, &self.snapshots.limits) } else { None }
    }

    /// Why the page would refuse a value, where that is known.
    pub(super) fn refused_by_notion(&self, kind: Kind, field: Field, value: &Value) -> Option<Shown> {
        if self.rules.mapping[kind].fixed.contains_key(&field) {
            return Some(
                format!("no page says it: `mapping.{}.fields.{field}` does, for every page", kind.plural()).into(),
            );
        }
        let property = self.snapshots.limits.properties[kind].get(&field)?;
        in_notion(field, value, &property.takes, &property.words)
    }

    /// Holds a change of a task in an archived project, which Clockify may refuse, or makes it require that the project
    /// is reopened.
    pub(super) fn rest_on_open_project(&mut self, at: usize, object: &Object) {
        let project = object.parent.and_then(|project| self.snapshots.objects[Kind::Project].get(project));
        let Some(project) = project.filter(|project| object.kind == Kind::Task && project.closed) else { return };
        let owner = self.pairs.owner(project.id);
        match owner.and_then(|page| self.of_page.get(&page)).and_then(|footing| footing.reopen) {
            Some(reopen) => {
                let reopen = id_at(&self.changes, reopen);
                if !self.changes[at].requires.contains(&reopen) {
                    self.changes[at].requires.push(reopen);
                }
            }
            None => self.hold(at, HoldCode::ParentClosed, "its project is closed in Clockify"),
        }
    }

    /// Makes a reopening require that its parent is reopened first.
    pub(super) fn wait_for_reopened_parent(&mut self, at: usize, page: &Page) {
        let Relation::One(parent) = &page.parent else { return };
        if let Some(reopen) = self.of_page.get(parent).and_then(|footing| footing.reopen) {
            let reopen = id_at(&self.changes, reopen);
            if !self.changes[at].requires.contains(&reopen) {
                self.changes[at].requires.push(reopen);
            }
        }
    }

    /// Makes a change require the change that gives its parent an object, if there is one.
    pub(super) fn wait_for_parent(&mut self, at: usize, page: &Page) {
        let Relation::One(parent) = &page.parent else { return };
        if let Some(root) = self.of_page.get(parent).and_then(|footing| footing.root) {
            let root = id_at(&self.changes, root);
            self.changes[at].requires.push(root);
        }
    }

    /// Holds a change of an open page under a closed one.
    pub(super) fn hold_closed_parent(&mut self, at: usize, page: &Page) {
        if let Some((code, text)) = self.shut_above(page) {
            self.hold(at, code, text);
        }
    }

    /// Why nothing can be opened below the pages above, the nearest first: its client, or for a task its project or
    /// that one's client.
    pub(super) fn shut_above(&self, page: &Page) -> Option<(HoldCode, String)> {
        let (parent, kind) = page.parent.one().zip(page.kind.parent())?;
        let closed = || Some((HoldCode::ParentClosed, format!("its {kind} is closed in Notion")));
        let Some((parent, _)) = self.pairs.of(parent).filter(|(parent, _)| parent.kind == kind) else {
            // A page in the trash whose object is closed is not asked for any more.
            let retired = self.registry.of_page(parent).is_some_and(|link| link.sight == Sight::Retired);
            return if retired { closed() } else { None };
        };
        match &parent.standing {
            Standing::Open => self.shut_above(parent),
            Standing::Closed { .. } | Standing::Trashed => closed(),
            Standing::Unknown { because } => {
                Some((HoldCode::ParentUnknown, format!("whether its {kind} is open cannot be told: {because}")))
            }
        }
    }

    /// True for a project that may do without a client, by the rule, and has lost the one that it had.
    pub(super) fn may_lose_client(&self, page: &Page) -> bool {
        page.kind == Kind::Project
            && page.parent == Relation::None
            && self.rules.without_client == WithoutClient::Mirror
    }

    /// Holds a create where the object may exist unseen.
    pub(super) fn hold_unseen(&mut self, at: usize, page: &Page) {
        let kind = page.kind;
        match self.snapshots.unsettled.get(&page.id) {
            Some(Unsettled::Unseen) => {
                let text = "an earlier run may have created it, and looking it up failed: run again";
                self.hold(at, HoldCode::Unsettled, text);
            }
            Some(Unsettled::Until(until)) => {
                let until = until.strftime("%Y-%m-%d %H:%M:%S UTC");
                let text = format!(
                    "an earlier run may have created it, and nothing shows it yet: run again; before {until} it is not created again"
                );
                self.hold(at, HoldCode::Unsettled, text);
            }
            Some(Unsettled::OneOf(_)) | None => {}
        }
        if let Some(because) = self.snapshots.objects[kind].incomplete_because() {
            let text = format!(
                "Clockify's {} could not be listed completely ({because}), so it may exist already",
                kind.plural()
            );
            self.hold(at, HoldCode::Incomplete, text);
        }
        if self.shrank_to_nothing(kind) {
            let linked = self.linked[kind];
            let text = format!(
                "Clockify shows no {} at all any more, and {linked} were linked; that is surely not meant",
                kind.plural()
            );
            self.hold(at, HoldCode::Incomplete, text);
        }
    }

    /// Holds a close where its source is not whole, or shrank to nothing.
    pub(super) fn hold_close(&mut self, at: usize, kind: Kind) {
        let pages = &self.snapshots.pages[kind];
        if let Some(because) = pages.incomplete_because() {
            self.hold(
                at,
                HoldCode::Incomplete,
                format!("Notion's {} could not be listed completely ({because})", kind.plural()),
            );
        } else if pages.rows().iter().all(|page| page.standing == Standing::Trashed) && pages.rows().len() > 1 {
            self.hold(
                at,
                HoldCode::Incomplete,
                format!("Notion shows no {} at all any more; closing them all is surely not meant", kind.plural()),
            );
        }
    }

    /// Notes which objects have the name that a change wants; `settle_names` sorts it out when all pages of the kind
    /// are known.
    pub(super) fn check_name_is_free(&mut self, at: usize, page: &'a Page, own: Option<&Object>) {
        let of_page = self.changes.iter().enumerate().rev().take_while(|(_, change)| change.page == page.id);
        let mut moves = of_page.filter(|(_, change)| change.proposal.action == Action::Move && change.hold.is_none());
        let move_ = moves.next().map(|(at, _)| at);
        let moves = move_.is_some();
        let parent = match (own, &page.parent, page.kind.parent()) {
            (_, _, None) | (None, Relation::None, Some(Kind::Client)) => Some(Under(None)),
            // An object that stays has its own neighbours, whatever its page says.
            (Some(own), _, Some(_)) if !moves => Some(Under(own.parent)),
            // Under a parent that is still to be created no name is taken.
            (_, Relation::One(parent), Some(_)) => {
                self.pairs.of(*parent).and_then(|(_, found)| found.proposed()).map(|object| Under(Some(object.id)))
            }
            _ => return,
        };
        if let (Some(own), Some(move_)) = (own, move_.filter(|&move_| move_ != at)) {
            self.tie_rename_to_move(at, move_, page, own, parent);
        }
        let Some(Under(parent)) = parent else { return };
        self.name_seekers.entry((parent, page.title.canonical().into_raw())).or_default().push(at);
        for holder in self.pairs.holders(page.kind, parent, page.title.canonical()) {
            if own.is_none_or(|own| own.id != holder.id) {
                self.claims_on_names.push(NameClaim { change: at, holder: holder.id });
            }
        }
    }

    /// A rename and a move of one object are decided apart, so each may be made without the other: where the new name
    /// is taken before the move, or the old one after it, the one waits for the other.
    fn tie_rename_to_move(&mut self, rename: usize, move_: usize, page: &'a Page, own: &Object, to: Option<Under>) {
        let is_taken = |parent, name: &'a Raw| {
            let mut holders = self.pairs.holders(page.kind, parent, name.canonical());
            holders.any(|holder| holder.id != own.id)
        };
        let Some(own) = self.snapshots.objects[page.kind].get(own.id) else { return };
        let before = is_taken(own.parent, &page.title);
        // A task is not moved, but created under its new name.
        let after = page.kind != Kind::Task && to.is_some_and(|Under(to)| is_taken(to, &own.name));
        match (before, after) {
            (false, false) => {}
            (true, false) => {
                let move_ = id_at(&self.changes, move_);
                self.changes[rename].requires.push(move_);
            }
            (false, true) => {
                let rename = id_at(&self.changes, rename);
                self.changes[move_].requires.push(rename);
            }
            (true, true) => {
                let text = "where it stands the new name is taken, and where it goes the old one; rename it to something else first";
                self.hold(rename, HoldCode::NameTaken, text);
                self.hold(move_, HoldCode::NameTaken, text);
            }
        }
    }

    /// A name that is taken is waited for where its holder gives it up in this plan; otherwise its seeker is held.
    pub(super) fn settle_names(&mut self, kind: Kind) {
        let mut waits_for: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut seekers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for NameClaim { change, holder } in std::mem::take(&mut self.claims_on_names) {
            let owner = self.pairs.owner(holder);
            let frees = owner.and_then(|owner| self.of_page.get(&owner)).and_then(|footing| footing.frees_name);
            let seen = owner.is_some_and(|owner| self.pairs.of(owner).is_some());
            match (owner, frees) {
                (_, Some(frees)) if frees != change => {
                    waits_for.entry(change).or_default().insert(frees);
                    seekers.entry(frees).or_default().push(change);
                    let frees = id_at(&self.changes, frees);
                    self.changes[change].requires.push(frees);
                }
                (Some(owner), _) if seen => {
                    let text = self.taken_by_page(change, kind, holder, owner);
                    self.hold(change, HoldCode::NameTaken, text);
                }
                (Some(_), _) if self.changes[change].proposal.action == Action::Create => {
                    self.lost_links.push((change, holder));
                }
                (Some(owner), _) => {
                    let text = format!(
                        "a {kind} whose page is out of sight has this name ({holder}); `punchlist unlink {owner}` ends that link"
                    );
                    self.hold(change, HoldCode::NameTaken, text);
                }
                (None, _) if self.snapshots.objects[kind].get(holder).is_some_and(|holder| holder.nature.template) => {
                    let text = format!("a template for projects has this name ({holder}), and may keep others from it");
                    self.hold(change, HoldCode::NameTaken, text);
                }
                (None, _) => {
                    self.hold(
                        change,
                        HoldCode::NameTaken,
                        format!("a {kind} that no page links to has this name ({holder})"),
                    );
                }
            }
        }
        // Pages that say they stand apart may have objects that stand together.
        for mut seekers in std::mem::take(&mut self.name_seekers).into_values() {
            seekers.retain(|&at| self.changes[at].hold.is_none());
            let pages: BTreeSet<PageId> = seekers.iter().map(|&at| self.changes[at].page).collect();
            if pages.len() > 1 {
                for at in seekers {
                    self.hold(
                        at,
                        HoldCode::NameTaken,
                        "several changes would give this name to objects under the same parent",
                    );
                }
            }
        }
        // Names are passed on from those that wait for nothing; who still waits in the end is in a circle, or behind
        // one.
        let mut passed: Vec<usize> = seekers.keys().copied().filter(|change| !waits_for.contains_key(change)).collect();
        while let Some(frees) = passed.pop() {
            for seeker in seekers.remove(&frees).unwrap_or_default() {
                let Some(waits) = waits_for.get_mut(&seeker) else { continue };
                waits.remove(&frees);
                if waits.is_empty() {
                    waits_for.remove(&seeker);
                    passed.push(seeker);
                }
            }
        }
        for change in waits_for.into_keys() {
            let text = "these names go round in a circle; rename one of them to something else first";
            self.hold(change, HoldCode::NameTaken, text);
            self.changes[change].requires.clear();
        }
    }

    /// Whose a name is that another page wants too, whether that page is closed, and the ways out.
    fn taken_by_page(&self, change: usize, kind: Kind, holder: ObjectId, owner: PageId) -> String {
        let page = self.pairs.of(owner).map(|(page, _)| *page);
        let state = match page.map(|page| &page.standing) {
            Some(Standing::Open) | None => "is open",
            Some(Standing::Closed { .. }) => "is closed",
            Some(Standing::Trashed) => "is in the trash",
            Some(Standing::Unknown { .. }) => "may be open or closed",
        };
        let take_over = if page.is_some_and(|page| self.snapshots.closes(page)) {
            format!("; let this page take the {kind} over: `punchlist unlink {owner}`")
        } else {
            String::new()
        };
        format!(
            "another {kind} has this name ({holder}), that of the page {owner}, which {state}: rename one of them in Notion{take_over}{}; \
             or ask no more: `punchlist pending ignore {}`",
            self.or_by_day(kind),
            id_at(&self.changes, change)
        )
    }

    /// The way out for all recurring tasks at once, as part of a sentence; nothing where the rule is set, and for other
    /// kinds.
    fn or_by_day(&self, kind: Kind) -> &'static str {
        match (kind, self.rules.same_name) {
            (Kind::Task, SameName::Hold) => {
                ", or have tasks called by their day too: `rules.tasks.same_name = \"add_date\"`"
            }
            _ => "",
        }
    }

    /// Withholds every class of change that is larger than its brake lets through. Returns what would be withheld, had
    /// nobody released that.
    pub(super) fn brake(&mut self) -> BTreeSet<ChangeId> {
        let population = PerKind::from_fn(|kind| {
            self.pairs.matches[kind].iter().filter(|(_, found)| found.certain().is_some()).count()
        });
        let mut released = brake(&mut self.changes, self.rules, &population, None);
        for kind in Kind::ALL {
            let lost: Vec<(usize, ObjectId)> = self
                .lost_links
                .iter()
                .copied()
                .filter(|&(at, _)| self.changes[at].kind == kind && self.changes[at].hold.is_none())
                .collect();
            let creates: BTreeSet<usize> = lost.iter().map(|(at, _)| *at).collect();
            let [set, limit] = self.rules.limits(Class::LostLink, population[kind]);
            if creates.len() <= limit {
                released.extend(creates.iter().filter(|_| creates.len() > set).map(|&at| self.changes[at].id));
            } else {
                for (at, holder) in lost {
                    let text = format!(
                        "it looks like a lost link: {holder} has this name and is linked to a page that is out of sight; {}",
                        match self.registry.of_object(holder) {
                            Some(link) => format!("`punchlist unlink {}` ends that link", link.page),
                            None => release(Class::LostLink, creates.len(), None),
                        }
                    );
                    self.hold(at, HoldCode::Brake, text);
                }
            }
        }
        released
    }
}

/// How a person lets so many changes of a class through, in a plan of its own or in that of an undo.
fn release(class: Class, count: usize, undoes: Option<&RunId>) -> String {
    let keep = undoes.map_or_else(|| KEEP_PLAN.to_owned(), |run| format!("punchlist undo {run} --out FILE"));
    format!("the console releases it, or `{keep}` and `punchlist apply FILE --allow {}={count}`", class.word())
}

/// Withholds every class of change of which there are more than its brake lets through, where so many objects of each
/// kind are linked. Returns what would be withheld, had nobody released that.
pub(in crate::domain) fn brake(
    changes: &mut [Change],
    rules: &Rules,
    population: &PerKind<usize>,
    undoes: Option<&RunId>,
) -> BTreeSet<ChangeId> {
    let mut released = BTreeSet::new();
    for (kind, population) in population.iter() {
        for class in [Class::Close, Class::Reopen, Class::Rename, Class::Move, Class::Refile] {
            let caught =
                |change: &Change| change.kind == kind && change.hold.is_none() && change.brake_class() == Some(class);
            let count = changes.iter().filter(|change| caught(change)).count();
            let [set, limit] = rules.limits(class, *population);
            if count <= limit {
                let let_through = changes.iter().filter(|change| count > set && caught(change));
                released.extend(let_through.map(|change| change.id));
                continue;
            }
            let text = format!(
                "{count} {} of {} at once, and the brake is at {limit}; {}",
                if count == 1 { class.word() } else { class.plural() },
                kind.plural(),
                release(class, count, undoes)
            );
            for change in changes.iter_mut().filter(|change| caught(change)) {
                change.hold = Some(Hold { code: HoldCode::Brake, text: text.clone().into() });
                change.state = State::Held;
            }
        }
    }
    released
}

/// Holds what would close something that a timer runs on, or below which one does.
pub(in crate::domain) fn hold_running(changes: &mut [Change], snapshots: &Snapshots) {
    let Some(timers) = &snapshots.timers else { return };
    for change in changes.iter_mut().filter(|change| change.closes_object()) {
        let object = change.proposal.object.and_then(|object| snapshots.objects[change.kind].get(object));
        let text = match (timers, object.and_then(|object| snapshots.runs_since(object))) {
            (Timers::Unknown(because), _) => format!("whether a timer runs on it cannot be told: {because}"),
            (Timers::Running(_), None) => continue,
            (Timers::Running(_), Some(since)) => {
                let below = if change.kind == Kind::Task { "" } else { " or below it" };
                let since = since.strftime("%Y-%m-%d %H:%M UTC");
                format!("a timer runs on it{below}, since {since}: it can be closed when that is stopped")
            }
        };
        change.hold.get_or_insert_with(|| hold(HoldCode::TimerRuns, text));
    }
}

/// Holds the closes of what stands above something whose close is held: children are closed first.
pub(in crate::domain) fn hold_closes_above(changes: &mut [Change], snapshots: &Snapshots) {
    let closes: BTreeMap<ObjectId, usize> = changes
        .iter()
        .enumerate()
        .filter(|(_, change)| change.proposal.action == Action::Close)
        .filter_map(|(at, change)| Some((change.proposal.object?, at)))
        .collect();
    let held: Vec<(Kind, ObjectId)> = closes
        .iter()
        .filter(|&(_, &at)| changes[at].hold.is_some())
        .map(|(&object, &at)| (changes[at].kind, object))
        .collect();
    for (mut kind, mut object) in held {
        let child = kind;
        while let (Some(above), Some(parent)) =
            (kind.parent(), snapshots.objects[kind].get(object).and_then(|object| object.parent))
        {
            if let Some(&at) = closes.get(&parent) {
                let text = format!("a {child} below it cannot be closed now, and children are closed first");
                changes[at].hold.get_or_insert_with(|| hold(HoldCode::ChildHeld, text));
            }
            (kind, object) = (above, parent);
        }
    }
}
