//! What a step becomes as a request, and what the journal keeps along with it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Applying, Journal, Subject, flight::Flight};
use crate::domain::{
    journal::{Born, Trace, Was, What, Write},
    model::{Field, Kind, ObjectId, Page, PageId, Relation, Value},
    plan::{Change, ChangeId},
    steps::{self, Act, ClaimWrite, Step},
};

impl<J: Journal> Applying<'_, '_, J> {
    /// The request of a step, with the ids that exist by now.
    pub(super) fn write(&self, step: &Step) -> Result<Write, String> {
        let (page, kind) = (step.page, step.kind);
        let object_of = |page: Option<PageId>| match page {
            None => Ok(None),
            Some(page) => match self.work.registry.of_page(page) {
                Some(link) => Ok(Some(link.object)),
                None => Err("its parent has no object in Clockify".to_owned()),
            },
        };
        Ok(match &step.act {
            Act::Create { parent, name, like, fields } => {
                let parent = object_of(*parent)?;
                let marked = self.work.rules.marks(kind, fields.get(&Field::Note));
                Write::Create { page, kind, parent, name: name.clone(), marked, like: *like, fields: fields.clone() }
            }
            Act::Update { object, parent, fields } => {
                // Another object may have been chosen for the page in the same review.
                let link = self.work.registry.of_page(page);
                let stands_apart =
                    PageId::stand_in(*object) == Some(page) && self.work.registry.of_object(*object).is_none();
                if !stands_apart && !link.is_some_and(|link| link.object == *object || link.left.contains(object)) {
                    return Err(format!("{object} is not linked to the page any more"));
                }
                let mut fields = fields.clone();
                if let Some(parent) = object_of(*parent)? {
                    fields.insert(Field::Parent, Value::Object(parent));
                }
                Write::Update { page, kind, object: *object, fields }
            }
            Act::WriteBack { claim, fields } => {
                let claim = match claim {
                    ClaimWrite::Keep => None,
                    ClaimWrite::Clear => Some(None),
                    ClaimWrite::Former(former) => Some(*former),
                    ClaimWrite::Own => match self.work.registry.of_page(page) {
                        Some(link) => Some(Some(link.object)),
                        None => return Err("the page is linked to no object".to_owned()),
                    },
                };
                Write::WriteBack { page, kind, claim, fields: fields.clone() }
            }
            Act::Refile(refiling) => Write::Refile { page, kind, refiling: refiling.clone() },
            Act::Adopt(_) | Act::Restore(_) | Act::Unlink(_) | Act::Accept => {
                return Err("nothing is sent for it".to_owned());
            }
        })
    }

    /// What is journaled before a write leaves: the request, and what it changes as it is now.
    pub(super) fn intent(&self, flight: &Flight, changes: Vec<ChangeId>) -> What {
        let Flight { number: write, write: request, trace, .. } = flight.clone();
        let name = self.page(request.kind(), request.page()).map(|page| page.title.clone()).unwrap_or_default();
        let was = Box::new(Was { before: self.before(&request), name });
        What::Intent { write, changes, request, was, trace: Box::new(trace) }
    }

    /// What is known before a write leaves. What will tell the object of a create from those of others: those that were
    /// there before, and the time; of any other write, where both sides are to differ on purpose.
    pub(super) fn trace(&self, step: &Step, write: &Write, now: Option<Timestamp>) -> Trace {
        let apart = self.apart(step, write);
        let Write::Create { page, kind, parent, name, .. } = write else {
            return Trace { apart, ..Trace::default() };
        };
        // Only those of the same name can be mistaken for the new one.
        let siblings = self.siblings.of(self.work.snapshots, *kind, *parent, name).to_vec();
        let leaves = self.work.registry.of_page(*page).map(|link| link.object);
        let mut trace = Trace { siblings, born: now.map(Born::of), leaves, apart, with: None };
        for earlier in self.work.earlier.get(page).into_iter().chain(self.refused_along.get(page)) {
            trace.siblings.retain(|known| earlier.siblings.contains(known));
            trace.born = trace.born.zip(earlier.born).map(|(now, earlier)| now.since(earlier));
        }
        trace
    }

    /// What the fields hold that a write changes, as last seen.
    pub(super) fn before(&self, write: &Write) -> BTreeMap<Field, Value> {
        match write {
            // Where each entry was is in the request itself.
            Write::Create { .. } | Write::Refile { .. } => BTreeMap::new(),
            Write::Update { kind, object, fields, .. } => {
                let Some(seen) = self.object_left(*kind, *object) else { return BTreeMap::new() };
                fields.keys().filter_map(|&field| Some((field, steps::current(seen, field)?))).collect()
            }
            Write::WriteBack { page, kind, claim, fields } => {
                let Some(seen) = self.page(*kind, *page) else { return BTreeMap::new() };
                let claim = claim.map(|_| Field::Claim);
                let fields = fields.keys().copied().chain(claim);
                fields.filter_map(|field| Some((field, steps::wanted(seen, field)?))).collect()
            }
        }
    }

    /// What the other side holds, where that is not what a write brings about. Of an undo it is what the run had
    /// brought, so that what is newer by now is mirrored.
    pub(super) fn apart(&self, step: &Step, write: &Write) -> BTreeMap<Field, Value> {
        let (mut other, fields) = match write {
            Write::Refile { .. } => return BTreeMap::new(),
            Write::Create { page, kind, .. } => {
                let sent = steps::sent_at_birth(write);
                let mut held = sent.clone();
                // An object is born open, below what its page names.
                held.retain(|field, _| !matches!(field, Field::Parent | Field::State));
                (self.as_wanted(*kind, *page, held), sent)
            }
            Write::Update { page, kind, fields, .. } => (self.as_wanted(*kind, *page, fields.clone()), fields.clone()),
            Write::WriteBack { page, kind, fields, .. } => {
                let link = self.work.registry.of_page(*page);
                let object = link.and_then(|link| self.work.snapshots.objects[*kind].get(link.object));
                let current = |&field: &Field| Some((field, steps::current(object?, field)?));
                (fields.keys().filter_map(current).collect(), fields.clone())
            }
        };
        let all = self.work.approved.changes();
        let undone = self.changes_of(step).filter(|change| change.is_undo());
        for field in undone.flat_map(|change| &change.proposal.fields).filter(|field| fields.contains_key(&field.field))
        {
            other.extend(field.half.clone().map(|half| (field.field, half)));
        }
        other.retain(|field, value| fields.get(field) != Some(value));
        // What an undo closes before its ID was in the page keeps out of it.
        if let (Write::Update { page, object, .. }, true, Some(true)) =
            (write, step.act.closes(), all.first().map(Change::is_undo))
        {
            let link = self.work.registry.of_page(*page).filter(|link| link.object == *object);
            other.extend(link.and_then(|link| link.unwritten.as_deref()).map(|claim| (Field::Claim, claim.clone())));
        }
        other
    }

    /// What a write rests on.
    pub(super) fn subject(&self, write: &Write) -> Option<Subject> {
        let Write::Create { kind, parent, .. } = write else {
            return Subject::of(write, self.page_left(write.kind(), write.page()));
        };
        if let Write::Create { like: Some(like), .. } = write {
            return Some(Subject::Object(*kind, *like));
        }
        // Under what this run has created itself there is nothing of anybody else's.
        let was_there = |parent: ObjectId| {
            kind.parent().is_some_and(|above| self.work.snapshots.objects[above].get(parent).is_some())
        };
        (self.work.unattended && parent.is_none_or(was_there)).then_some(Subject::Names(*kind, *parent))
    }

    /// What a page holds of a field; of its parent, the object that is linked to it.
    pub(super) fn wanted(&self, page: &Page, field: Field) -> Option<Value> {
        match (field, &page.parent) {
            (Field::Parent, Relation::One(parent)) => {
                self.work.registry.of_page(*parent).map(|link| Value::Object(link.object))
            }
            _ => steps::wanted(page, field),
        }
    }

    /// What the page holds of fields that were written: the same as was sent, unless a person typed another value or a
    /// run is undone. Both sides then differ on purpose, and the base says so. Of a page that is out of sight, or does
    /// not say it, it is what was last agreed on.
    pub(super) fn as_wanted(
        &self,
        kind: Kind,
        page: PageId,
        mut sent: BTreeMap<Field, Value>,
    ) -> BTreeMap<Field, Value> {
        let (seen, link) = (self.page(kind, page), self.work.registry.of_page(page));
        for (&field, value) in &mut sent {
            let wanted = match seen.filter(|page| page.values.unknown_because(field).is_none()) {
                Some(page) => self.wanted(page, field),
                None => link.and_then(|link| link.base.get(field)).map(|agreed| agreed.notion().clone()),
            };
            if let Some(wanted) = wanted {
                *value = wanted;
            }
        }
        sent
    }
}
