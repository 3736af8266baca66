//! Names that the undo gives back: one that is taken is waited for where its holder gives it up, and otherwise its
//! change is held.

use std::collections::BTreeMap;

use super::Undoing;
use crate::domain::{
    model::{Field, Kind, ObjectId, Service, Value},
    plan::{Action, HoldCode},
};

/// The changes that give an object another name and another parent, unless they are held.
#[derive(Clone, Copy, Default)]
struct Seeker {
    rename: Option<usize>,
    moves: Option<usize>,
}

impl Seeker {
    fn changes(self) -> impl Iterator<Item = usize> {
        self.rename.into_iter().chain(self.moves)
    }
}

impl Undoing<'_> {
    /// Holds what cannot have its former name back, and lets wait what can have it later.
    pub(super) fn settle_names(&mut self) {
        let seekers = self.seekers();
        let mut wanted: BTreeMap<(Kind, Option<ObjectId>, Value), Vec<ObjectId>> = BTreeMap::new();
        for (&object, &seeker) in &seekers {
            if let Some(place) = self.wanted_place(object, seeker) {
                wanted.entry(place).or_default().push(object);
            }
        }
        // Whom each waits for.
        let mut waits: BTreeMap<ObjectId, ObjectId> = BTreeMap::new();
        for ((kind, parent, name), objects) in &wanted {
            if objects.len() > 1 {
                self.hold_names(&seekers, objects, "several would get this name back under the same parent");
                continue;
            }
            let rows = self.snapshots.objects[*kind].rows().iter();
            let has_it = |other: ObjectId| !objects.contains(&other);
            let mut holders =
                rows.filter(|row| row.parent == *parent && Value::name(&row.name) == *name && has_it(row.id));
            let Some(holder) = holders.next().map(|row| row.id) else { continue };
            if seekers.contains_key(&holder) && holders.next().is_none() {
                waits.insert(objects[0], holder);
            } else {
                self.hold_names(&seekers, objects, &format!("another {kind} has the name that it had ({holder})"));
            }
        }
        for (&object, &holder) in &waits {
            let mut behind =
                std::iter::successors(Some(holder), |waiting| waits.get(waiting).copied()).take(waits.len() + 1);
            if behind.any(|waiting| waiting == object) {
                let text = "these names go round in a circle; rename one of them to something else first";
                self.hold_names(&seekers, &[object], text);
                continue;
            }
            let frees: Vec<usize> = seekers[&holder].changes().collect();
            for at in seekers[&object].changes() {
                for &frees in &frees {
                    self.require(at, Some(frees));
                }
            }
        }
    }

    /// The objects that get another name or parent.
    fn seekers(&self) -> BTreeMap<ObjectId, Seeker> {
        let mut seekers: BTreeMap<ObjectId, Seeker> = BTreeMap::new();
        for (at, change) in self.changes.iter().enumerate().filter(|(_, change)| change.hold.is_none()) {
            let Some(object) = change.proposal.object.filter(|_| change.proposal.side == Service::Clockify) else {
                continue;
            };
            match change.proposal.action {
                Action::Update if change.is_rename() => seekers.entry(object).or_default().rename = Some(at),
                Action::Move => seekers.entry(object).or_default().moves = Some(at),
                _ => {}
            }
        }
        seekers
    }

    /// The name that an object gets, and where.
    fn wanted_place(&self, object: ObjectId, seeker: Seeker) -> Option<(Kind, Option<ObjectId>, Value)> {
        let kind = self.changes[seeker.changes().next()?].kind;
        let row = self.snapshots.objects[kind].get(object)?;
        let renamed = seeker
            .rename
            .and_then(|at| self.changes[at].proposal.fields.iter().find(|field| field.field == Field::Name));
        let name = renamed.map_or_else(|| Value::name(&row.name), |field| field.to.clone());
        let parent = match seeker.moves {
            Some(at) => self.changes[at].parent.and_then(|page| self.registry.of_page(page)).map(|link| link.object),
            None => row.parent,
        };
        Some((kind, parent, name))
    }

    fn hold_names(&mut self, seekers: &BTreeMap<ObjectId, Seeker>, objects: &[ObjectId], text: &str) {
        for at in objects.iter().filter_map(|object| seekers.get(object)).flat_map(|seeker| seeker.changes()) {
            self.hold(at, HoldCode::NameTaken, text);
        }
    }
}
