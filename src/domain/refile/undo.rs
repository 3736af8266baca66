//! Taking back what a run has filed elsewhere: each entry goes back to where it was, if it is still where the run left it.

use std::collections::BTreeMap;

use super::{Terrain, parts};
use crate::domain::{
    hours::{Period, Zone},
    journal::{Event, Outcome, What, Write, WriteId},
    model::{Entry, ObjectId, Refiled, Refiling, Spot, duration_words},
    plan::{Cause, HoldCode, Plan},
};

/// What is as the run left it can be put back.
const SURE: u8 = 100;

/// What a run has filed elsewhere, by person, as its events tell.
pub fn written(events: &[Event]) -> Vec<Refiling> {
    let mut sent: BTreeMap<WriteId, &Refiling> = BTreeMap::new();
    let mut written: BTreeMap<ObjectId, BTreeMap<ObjectId, Refiled>> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Intent { write, request: Write::Refile { refiling, .. }, .. } => drop(sent.insert(*write, refiling)),
            What::Outcome { write, outcome: Outcome::Done { .. } } => {
                if let Some(refiling) = sent.get(write) {
                    written.entry(refiling.user).or_default().extend(&refiling.entries);
                }
            }
            _ => {}
        }
    }
    written.into_iter().map(|(user, entries)| Refiling { user, entries }).collect()
}

/// Adds to the undo of a run that entries go back to where they were. `now` is what Clockify shows of them.
#[must_use]
pub fn taken_back(
    plan: Plan,
    terrain: Terrain<'_>,
    written: &[Refiling],
    now: &[Entry],
    sealed: &[Period],
    zone: &Zone,
) -> Plan {
    type Key = (Spot, Spot, Option<HoldCode>);
    let now: BTreeMap<ObjectId, &Entry> = now.iter().map(|entry| (entry.id, entry)).collect();
    let mut changes = Vec::new();
    for refiling in written {
        let mut groups: BTreeMap<Key, BTreeMap<ObjectId, Refiled>> = BTreeMap::new();
        for (id, &back) in &refiling.inverse().entries {
            let hold = match now.get(id) {
                Some(entry) if entry.at == back.to => continue,
                Some(entry) if entry.at != back.from || entry.seconds != Some(back.seconds) => {
                    Some(HoldCode::MovedSince)
                }
                Some(entry) if sealed.iter().any(|month| month.holds(zone.day(entry.begins))) => {
                    Some(HoldCode::MonthSealed)
                }
                Some(entry) => entry.is_locked.then_some(HoldCode::TimeLocked),
                None => Some(HoldCode::MovedSince),
            };
            groups.entry((back.from, back.to, hold)).or_default().insert(*id, back);
        }
        for ((from, to, hold), entries) in groups {
            for entries in parts(entries) {
                let refiling = Refiling { user: refiling.user, entries };
                let reason = format!(
                    "{} ({}) from {} back to {}: the run filed it elsewhere",
                    duration_words(refiling.seconds()),
                    refiling.count(),
                    terrain.named(from),
                    terrain.named(to),
                );
                changes.extend(terrain.change(Cause::Undone, refiling, to, SURE, reason, hold));
            }
        }
    }
    terrain.add(plan, changes)
}
