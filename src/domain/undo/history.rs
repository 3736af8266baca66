//! What a run did, page by page, as its journal tells.

use std::collections::BTreeMap;

use crate::domain::{
    journal::{Event, Illegal, Outcome, Status, Trace, Was, What, Write, WriteId},
    model::{Field, Kind, ObjectId, PageId, Value},
};

/// One value that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrote {
    /// What was there before; nothing where the journal does not say.
    pub(super) before: Option<Value>,
    /// What the run left.
    pub(super) after: Value,
    /// What the other side held then: the same, unless both were to differ on purpose.
    pub(super) half: Value,
}

/// What a run did to a page and its objects.
#[derive(Clone, Debug)]
pub(super) struct PageHistory {
    pub(super) kind: Kind,
    /// The objects that it created for the page.
    pub(super) created: Vec<ObjectId>,
    /// The object that the page was linked to before and after, where the run changed that.
    pub(super) relinked: Option<(Option<ObjectId>, Option<ObjectId>)>,
    /// What it wrote into objects.
    pub(super) objects: BTreeMap<ObjectId, BTreeMap<Field, Wrote>>,
    /// What it wrote into the page, its claim among it.
    pub(super) page: BTreeMap<Field, Wrote>,
    /// True where a write has an outcome that nobody knows.
    pub(super) unsettled: bool,
}

/// Replays a run's events.
///
/// # Errors
/// [`Illegal`] where the journal cannot be what this program wrote.
pub(super) fn histories(events: &[Event]) -> Result<BTreeMap<PageId, PageHistory>, Illegal> {
    let mut histories = BTreeMap::new();
    let mut writes: BTreeMap<WriteId, (Status, &Write, &Trace, &Was)> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Intent { write, request, trace, was, .. } => {
                writes.insert(*write, (Status::Intended, request, trace, was));
            }
            What::Outcome { write, outcome } => {
                let Some((status, request, trace, was)) = writes.get_mut(write) else { continue };
                *status = status.next(outcome)?;
                if let Outcome::Done { object } = outcome {
                    history_of(&mut histories, request.page(), request.kind()).wrote(request, trace, was, *object);
                }
            }
            What::Linked { page, kind, object, former } => {
                history_of(&mut histories, *page, *kind).relinks(*former, *object);
            }
            _ => {}
        }
    }
    for (_, request, ..) in writes.into_values().filter(|(status, ..)| status.is_open()) {
        history_of(&mut histories, request.page(), request.kind()).unsettled = true;
    }
    Ok(histories)
}

fn history_of(histories: &mut BTreeMap<PageId, PageHistory>, page: PageId, kind: Kind) -> &mut PageHistory {
    histories.entry(page).or_insert_with(|| PageHistory {
        kind,
        created: Vec::new(),
        relinked: None,
        objects: BTreeMap::new(),
        page: BTreeMap::new(),
        unsettled: false,
    })
}

impl PageHistory {
    fn wrote(&mut self, request: &Write, trace: &Trace, was: &Was, object: Option<ObjectId>) {
        match request {
            Write::Create { .. } => {
                self.created.extend(object);
                self.relinks(trace.leaves, object);
            }
            Write::Update { object, fields, .. } => {
                let written = self.objects.entry(*object).or_default();
                for (&field, after) in fields {
                    note(written, was, trace, field, after.clone());
                }
            }
            // By itself: where entries go is no word of one page.
            Write::Refile { .. } => {}
            Write::WriteBack { claim, fields, .. } => {
                // What a page tells of what waits is told anew by every run.
                for (&field, after) in fields.iter().filter(|(field, _)| !field.is_sync_status()) {
                    note(&mut self.page, was, trace, field, after.clone());
                }
                if let Some(claim) = claim {
                    note(&mut self.page, was, trace, Field::Claim, claim.map_or(Value::Empty, Value::Object));
                }
            }
        }
    }

    fn relinks(&mut self, before: Option<ObjectId>, after: Option<ObjectId>) {
        // A task that was linked and moved in one run goes back to what it was linked to.
        let first = self.relinked.and_then(|(first, _)| first).or(before);
        self.relinked = Some((first, after));
    }
}

/// What was there before the first write is there before them all.
fn note(written: &mut BTreeMap<Field, Wrote>, was: &Was, trace: &Trace, field: Field, after: Value) {
    let before = || was.before.get(&field).cloned();
    let wrote =
        written.entry(field).or_insert_with(|| Wrote { before: before(), after: Value::Empty, half: Value::Empty });
    wrote.half = trace.apart.get(&field).unwrap_or(&after).clone();
    wrote.after = after;
}
