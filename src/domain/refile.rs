//! Time entries on what they cannot have been meant for, and where they evidently belong. Time is never made, deleted or
//! changed in length: only where it is filed.
//!
//! | entries are on | they belong to | |
//! |---|---|---|
//! | a copy, whose note names another one's page | the object of that page | 90 % |
//! | a task that is done, and that a page has moved away from | the page's task, where it has the same name | 95 % |
//! | an object that no page links to | the linked one of its name, under parents of the same names | 80 % |
//! | such an object without one | the only linked one of its name at all | 60 % |
//! | a project without a task, where every entry needs one | its only open task | 90 % |
//!
//! Where several could be meant nothing is proposed; it stays a finding of `punchlist hours`. Nor is anything proposed
//! while a listing may lack rows: what is not shown could be what is meant.

mod routes;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    diff::brake,
    hours::{Booking, Period},
    model::{Kind, ObjectId, PageId, PerKind, Refiled, Refiling, Registry, Service, Snapshots, Spot, duration_words},
    plan::{Action, Cause, Change, Hold, HoldCode, Place, Plan, Proposal, State, refile_id},
    rules::Rules,
    text::Raw,
};

pub use routes::{Route, routes};
pub use undo::{taken_back, written};

/// Entries of one change at the most: as many as go into one request.
const ENTRIES_MAX: usize = 500;
/// Columns of a name in a sentence; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 60;

/// Both sides, for changes that are about entries.
#[derive(Clone, Copy)]
pub struct Terrain<'a> {
    pub snapshots: &'a Snapshots,
    pub registry: &'a Registry,
    pub rules: &'a Rules,
}

/// The entries that are on what they cannot have been meant for.
pub struct Misfiled<'a> {
    /// Where entries do not belong, and where they do.
    pub routes: &'a BTreeMap<Spot, Route>,
    pub bookings: &'a [Booking],
    /// Those that are marked as invoiced.
    pub invoiced: &'a BTreeSet<ObjectId>,
    /// Months that are sealed.
    pub sealed: &'a [Period],
}

/// What holds entries where they are.
fn fixed(code: HoldCode) -> Hold {
    let text = match code {
        HoldCode::TimeApproved => "they are approved, or wait for that: withdraw the approval in Clockify first",
        HoldCode::TimeInvoiced => "they are invoiced: what an invoice says is not changed behind it",
        HoldCode::MonthSealed => "their month is sealed: `punchlist month reopen` opens it",
        HoldCode::TimeLocked => "they are locked in Clockify",
        _ => "they are not as the run left them any more: moved, changed or deleted since",
    };
    Hold { code, text: text.to_owned().into() }
}

impl Misfiled<'_> {
    /// Why an entry stays where it is, if it does. What is approved is locked, too: the narrower reason is said.
    fn hold(&self, booking: &Booking) -> Option<HoldCode> {
        let day = booking.begins.date();
        let reasons = [
            (self.sealed.iter().any(|month| month.holds(day)), HoldCode::MonthSealed),
            (booking.id.is_some_and(|id| self.invoiced.contains(&id)), HoldCode::TimeInvoiced),
            (booking.is_approved, HoldCode::TimeApproved),
            (booking.is_locked, HoldCode::TimeLocked),
        ];
        reasons.into_iter().find_map(|(holds, code)| holds.then_some(code))
    }
}

/// Adds to a plan that entries go where they belong: a change for each person, and from where to where. Those that must
/// stay where they are are changes of their own, so that the others can go.
#[must_use]
pub fn refiled(plan: Plan, terrain: Terrain<'_>, misfiled: &Misfiled<'_>) -> Plan {
    type Key = (Spot, ObjectId, Option<HoldCode>);
    let mut groups: BTreeMap<Key, (&Raw, BTreeMap<ObjectId, Refiled>)> = BTreeMap::new();
    for booking in misfiled.bookings {
        let [_, project, task] = booking.place;
        let from = Spot { project, task };
        let (Some(route), Some(id), Some(user)) = (misfiled.routes.get(&from), booking.id, booking.user) else {
            continue;
        };
        let (_, entries) =
            groups.entry((from, user, misfiled.hold(booking))).or_insert_with(|| (&booking.who, BTreeMap::new()));
        entries.insert(id, Refiled { from, to: route.to, seconds: booking.seconds });
    }
    let mut changes = Vec::new();
    for ((from, user, hold), (who, entries)) in groups {
        let route = &misfiled.routes[&from];
        for entries in parts(entries) {
            let refiling = Refiling { user, entries };
            let who = Some(who.shown().clipped(NAME_COLUMNS)).filter(|who| !who.is_empty());
            let who = who.map_or_else(|| "somebody".to_owned(), |who| who.to_string());
            let reason = format!(
                "{} of {who} ({}) from {} to {}: {}",
                duration_words(refiling.seconds()),
                refiling.count(),
                terrain.named(from),
                terrain.named(route.to),
                route.because,
            );
            changes.extend(terrain.change(Cause::Misfiled, refiling, route.to, route.confidence, reason, hold));
        }
    }
    terrain.add(plan, changes)
}

fn parts(mut entries: BTreeMap<ObjectId, Refiled>) -> Vec<BTreeMap<ObjectId, Refiled>> {
    let mut parts = Vec::new();
    while let Some(next) = entries.keys().nth(ENTRIES_MAX).copied() {
        let rest = entries.split_off(&next);
        parts.push(std::mem::replace(&mut entries, rest));
    }
    parts.push(entries);
    parts
}

impl Terrain<'_> {
    /// The kind and name of the object at a spot.
    fn object(&self, spot: Spot) -> Option<(Kind, &super::model::Object)> {
        let kind = if spot.task.is_some() { Kind::Task } else { Kind::Project };
        Some((kind, self.snapshots.objects[kind].get(spot.object()?)?))
    }

    /// A spot in a sentence: `“Website › Draw”`.
    fn named(&self, spot: Spot) -> String {
        let named = |kind: Kind, id: Option<ObjectId>| {
            let object = id.and_then(|id| self.snapshots.objects[kind].get(id));
            object.map(|object| object.name.shown().clipped(NAME_COLUMNS).to_string())
        };
        match (named(Kind::Project, spot.project), named(Kind::Task, spot.task)) {
            (Some(project), Some(task)) => format!("“{project} › {task}”"),
            (Some(project), None) => format!("“{project}”"),
            (None, task) => format!("“{}”", task.unwrap_or_else(|| "something that is gone".to_owned())),
        }
    }

    /// A change that files entries at a spot; nothing where what is there is gone.
    fn change(
        &self,
        cause: Cause,
        refiling: Refiling,
        to: Spot,
        confidence: u8,
        reason: String,
        hold: Option<HoldCode>,
    ) -> Option<Change> {
        let (kind, object) = self.object(to)?;
        let linked = self.registry.of_object(object.id).map(|link| link.page);
        let page = linked.or_else(|| PageId::stand_in(object.id))?;
        let seen = self.snapshots.pages[kind].get(page);
        let proposal = Proposal {
            action: Action::Refile,
            side: Service::Clockify,
            object: Some(object.id),
            fields: Vec::new(),
            confidence,
            reason: reason.into(),
        };
        Some(Change {
            id: refile_id(kind, page, cause, &refiling),
            kind,
            page,
            name: seen.map_or_else(|| object.name.clone(), |page| page.title.clone()),
            parent: self.above(kind, page, object.id),
            claimed: seen.and_then(|page| page.claim.id()),
            cause,
            proposal,
            alternatives: Vec::new(),
            hold: hold.map(fixed),
            state: State::Review,
            requires: Vec::new(),
            tracked_seconds: None,
            refiling: Some(Box::new(refiling)),
        })
    }

    /// The page above: as the page says, else as the object stands.
    fn above(&self, kind: Kind, page: PageId, object: ObjectId) -> Option<PageId> {
        if let Some(seen) = self.snapshots.pages[kind].get(page) {
            return seen.parent.one();
        }
        let above = self.snapshots.objects[kind].get(object)?.parent?;
        self.registry.of_object(above).map(|link| link.page).or_else(|| PageId::stand_in(above))
    }

    /// Adds changes to a plan, with what stands above them, and seals it anew.
    fn add(&self, mut plan: Plan, mut changes: Vec<Change>) -> Plan {
        if changes.is_empty() {
            return plan;
        }
        let links = |kind| self.registry.iter().filter(|link| link.kind == kind).count();
        let released = brake(&mut changes, self.rules, &PerKind::from_fn(links), plan.scope.undoes.as_ref());
        plan.released.extend(released);
        for change in &changes {
            let mut at = change.proposal.object.map(|object| (change.kind, change.page, object));
            while let Some((kind, page, object)) = at {
                let above = self.above(kind, page, object);
                plan.places.entry(page).or_insert_with(|| self.place(kind, page, object, above));
                let stands_under = self.snapshots.objects[kind].get(object).and_then(|object| object.parent);
                let linked = above.and_then(|above| self.registry.of_page(above)).map(|link| link.object);
                at = kind.parent().zip(above).zip(linked.or(stands_under)).map(|((kind, page), id)| (kind, page, id));
            }
        }
        plan.changes.extend(changes);
        plan.seal(self.rules)
    }

    fn place(&self, kind: Kind, page: PageId, object: ObjectId, parent: Option<PageId>) -> Place {
        let seen = self.snapshots.pages[kind].get(page);
        let named = || self.snapshots.objects[kind].get(object).map(|object| object.name.clone()).unwrap_or_default();
        let name = seen.map_or_else(named, |page| page.title.clone());
        Place { kind, name, parent, edited: seen.map_or(Timestamp::UNIX_EPOCH, |page| page.edited) }
    }
}

#[cfg(test)]
mod tests;
