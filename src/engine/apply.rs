//! Carries out what was approved: journal, write, journal. Stops between writes, never within one.
//!
//! Both services are busy at once, and a step waits for nothing but the steps that it needs. A write whose outcome is unknown is
//! looked up, never repeated blind. One failing step holds what needs it and nothing else.
//!
//! ```text
//! apply.rs       the loop, and what is journaled
//! ├ flight.rs    one write on its way: sent, looked up, and after a second try looked at for a twin
//! ├ landing.rs    what its answer means, journaled
//! ├ progress.rs  which step can start, and what its end means for others
//! └ settle.rs    what an earlier run left open, before anything is planned on top of it
//! ```

mod flight;
mod landing;
mod progress;
mod settle;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, stream::FuturesUnordered};
use jiff::Timestamp;

use self::{
    flight::{Flight, fly},
    landing::Landed,
    progress::{Progress, Room, StepState},
};
use crate::domain::{
    journal::{Born, Event, RunId, Trace, Was, What, Write, WriteId},
    model::{Agreed, Claim, Field, Kind, Link, Object, ObjectId, Page, PageId, Registry, Relation, Sight, Snapshots, Value},
    plan::{Change, ChangeId},
    report::Stopped,
    review::Approved,
    rules::Rules,
    steps::{self, Act, ClaimWrite, Step, steps},
};

pub use settle::{Settling, settle};

/// Writes in flight per service. The pacing in front of each service decides how fast they leave; this bounds how many wait for
/// an answer when something goes wrong.
const IN_FLIGHT_MAX: usize = 6;

/// What a write ended with, when it ended well: what the service holds now.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The object, as the answer shows it.
    pub object: Option<Object>,
    /// The page, as the answer shows it.
    pub page: Option<Page>,
}

/// Why a write did not end well. Texts are safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The service refused it; nothing changed.
    #[error("{error}")]
    Refused {
        /// What it said.
        error: String,
        /// What to do about it.
        hint: String,
    },
    /// The service refused the credentials: nothing else will work either.
    #[error("{error}")]
    Credentials {
        /// What it said.
        error: String,
    },
    /// It did not leave this machine.
    #[error("{error}")]
    NotSent {
        /// Why.
        error: String,
    },
    /// The budget is used up for longer than we are willing to wait.
    #[error("{error}")]
    OutOfBudget {
        /// How long, and why.
        error: String,
    },
    /// Nobody knows whether it happened.
    #[error("{error}")]
    Unknown {
        /// What went wrong.
        error: String,
    },
}

/// What looking up a write with an unknown outcome shows.
#[derive(Clone, Debug)]
pub enum Found {
    /// It happened.
    Happened(Box<Written>),
    /// There is no sign of it.
    Nothing,
    /// Several objects could be it.
    Several(Vec<ObjectId>),
}

impl Found {
    /// What some objects, any of which could be what a create made, mean.
    pub fn of(mut objects: Vec<Object>) -> Self {
        match objects.len() {
            0 => Self::Nothing,
            1 => Self::Happened(Box::new(Written { object: objects.pop(), page: None })),
            _ => Self::Several(objects.into_iter().map(|object| object.id).collect()),
        }
    }
}

/// Both services, as apply needs them. The simulation is the second implementation.
pub trait Target {
    /// Sends one write.
    fn write(&self, write: &Write) -> impl Future<Output = Result<Written, Failure>>;
    /// Looks for what a write would have left behind; the trace tells the object of a create from those of others.
    fn look_up(&self, write: &Write, trace: &Trace) -> impl Future<Output = Result<Found, Failure>>;
    /// The time by Clockify's own clock, which its ids are born by, if it has told it.
    fn now(&self) -> Option<Timestamp>;
}

/// Where events and links are kept. The simulation is the second implementation.
pub trait Journal {
    /// Why nothing can be kept.
    type Error;
    /// Keeps events and links as of a time, all or nothing, on disk before it returns.
    ///
    /// # Errors
    /// Nothing was kept; no write may leave.
    fn append(&mut self, at: Timestamp, events: &[Event], links: &[Link]) -> Result<(), Self::Error>;
}

/// Everything an apply works on besides its target and its journal.
pub struct Work<'a> {
    /// The run.
    pub run: RunId,
    /// What was approved.
    pub approved: &'a Approved,
    /// Both sides as last seen.
    pub snapshots: &'a Snapshots,
    /// The links, kept up to date.
    pub registry: &'a mut Registry,
    /// Creates of earlier runs for pages that have no object yet: looked for in vain, so that another try is a second one.
    pub earlier: &'a BTreeMap<PageId, Trace>,
    /// The writes that the run has journaled before.
    pub writes_before: u32,
    /// The policy.
    pub rules: &'a Rules,
    /// The time, for events.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// True when no new write may start.
    pub stop: &'a dyn Fn() -> bool,
    /// Is told each event, after it was kept.
    pub sink: &'a mut dyn FnMut(&Event),
}

/// Applies everything that was approved.
///
/// # Errors
/// The journal's error, as soon as something cannot be kept. What was in flight is then as good as unknown, and the next run looks
/// it up.
pub async fn apply<T: Target, J: Journal>(work: Work<'_>, target: &T, journal: &mut J) -> Result<Stopped, J::Error> {
    let steps = steps(work.approved, work.snapshots, work.rules);
    let mut progress = Progress::new(&steps);
    let mut applying = Applying::new(work, journal, &steps);
    applying.record_approvals()?;
    let mut flights = FuturesUnordered::new();
    let mut room = Room::default();
    let mut stopped = Stopped::No;
    loop {
        if stopped == Stopped::No && (applying.work.stop)() {
            stopped = Stopped::Interrupted;
        }
        if stopped == Stopped::No {
            while let Some(at) = progress.next(|service| room.is_left(service)) {
                match applying.start(at, target.now())? {
                    Start::Done => applying.succeeded(&mut progress, at)?,
                    Start::Send(flight) => {
                        room.take(flight.write.service());
                        flights.push(fly(target, *flight, applying.work.rules.settles()));
                    }
                    Start::Impossible(error) => {
                        applying.failed(&mut progress, at, &error, "run again to plan it anew")?;
                    }
                }
            }
        }
        let Some((flight, arrival)) = flights.next().await else { break };
        room.give_back(flight.write.service());
        match applying.landed(&flight, arrival)? {
            Landed::Done => applying.succeeded(&mut progress, flight.step)?,
            // Thrown back unread: it was not begun, and neither is what needs it.
            Landed::Failed { error, stop: Stopped::OutOfBudget, .. } => {
                room.close(flight.write.service());
                let skipped = progress.ended(flight.step, false);
                applying.skip(&[&[flight.step][..], &skipped].concat(), &error)?;
            }
            Landed::Failed { error, hint, stop } => {
                applying.failed(&mut progress, flight.step, &error, &hint)?;
                match stop {
                    Stopped::No | Stopped::OutOfBudget => {}
                    Stopped::Interrupted | Stopped::Refused => stopped = stop,
                }
            }
        }
    }
    if stopped == Stopped::No && room.is_any_closed() {
        stopped = Stopped::OutOfBudget;
    }
    applying.skip(&progress.left(), "the run stopped before")?;
    Ok(stopped)
}

enum Start {
    Done,
    Send(Box<Flight>),
    Impossible(String),
}

struct Applying<'a, 'work, J> {
    work: Work<'work>,
    journal: &'a mut J,
    steps: &'a [Step],
    /// The steps of each change.
    steps_of: HashMap<&'a ChangeId, Vec<usize>>,
    /// Changes that failed or were not started, so that each is reported once.
    reported: BTreeSet<ChangeId>,
    next_write: u32,
}

impl<'a, 'work, J: Journal> Applying<'a, 'work, J> {
    fn new(work: Work<'work>, journal: &'a mut J, steps: &'a [Step]) -> Self {
        let mut steps_of: HashMap<&ChangeId, Vec<usize>> = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            for change in &step.changes {
                steps_of.entry(change).or_default().push(at);
            }
        }
        let next_write = work.writes_before + 1;
        Self { work, journal, steps, steps_of, reported: BTreeSet::new(), next_write }
    }

    fn append(&mut self, what: Vec<What>, links: &[Link]) -> Result<(), J::Error> {
        let at = (self.work.clock)();
        let events: Vec<Event> = what.into_iter().map(|what| Event { run: self.work.run.clone(), at, what }).collect();
        self.journal.append(at, &events, links)?;
        for link in links {
            self.work.registry.insert(link.clone());
        }
        for event in &events {
            (self.work.sink)(event);
        }
        Ok(())
    }

    fn record_approvals(&mut self) -> Result<(), J::Error> {
        let approvals = self.work.approved.verdicts().iter();
        let approvals: Vec<What> =
            approvals.map(|(said, by)| What::Approved { change: said.change.clone(), by: by.clone() }).collect();
        if approvals.is_empty() { Ok(()) } else { self.append(approvals, &[]) }
    }

    /// Carries out a local step, or journals the intent of a write and hands it over.
    fn start(&mut self, at: usize, now: Option<Timestamp>) -> Result<Start, J::Error> {
        let step = &self.steps[at];
        let page = step.page;
        match &step.act {
            Act::Adopt(object) | Act::Restore(object) => {
                let Some(seen) = self.object(step.kind, *object) else {
                    return Ok(Start::Impossible(format!("{object} is not there any more")));
                };
                // An alternative may name an object that another page was given meanwhile.
                if self.work.registry.of_object(*object).is_some_and(|link| link.page != page) {
                    return Ok(Start::Impossible(format!("{object} is linked to another page by now")));
                }
                let link =
                    if matches!(step.act, Act::Restore(_)) { self.restored(page, &seen) } else { self.first_link(page, &seen) };
                let former = self.work.registry.of_page(page).map(|before| before.object);
                let linked = What::Linked { page, kind: step.kind, object: Some(*object), former };
                self.append(vec![linked], &[link])?;
                Ok(Start::Done)
            }
            Act::Part(object) => {
                let Some(link) = self.work.registry.of_page(page).filter(|link| link.object == *object).cloned() else {
                    return Ok(Start::Impossible(format!("{object} is not linked to the page any more")));
                };
                let parted = What::Linked { page, kind: step.kind, object: None, former: Some(*object) };
                self.append(vec![parted], &[Link { sight: Sight::Parted, ..link }])?;
                Ok(Start::Done)
            }
            Act::Accept => {
                let links = self.accepted(step);
                self.append(Vec::new(), &links)?;
                Ok(Start::Done)
            }
            Act::Create { .. } | Act::Update { .. } | Act::WriteBack { .. } => {
                let write = match self.write(step) {
                    Ok(write) => write,
                    Err(error) => return Ok(Start::Impossible(error)),
                };
                let trace = self.trace(step, &write, now);
                let second_try = matches!(write, Write::Create { .. }) && self.work.earlier.contains_key(&page);
                let number = WriteId(self.next_write);
                self.next_write += 1;
                let (changes, request) = (step.changes.clone(), write.clone());
                let intent = self.intent(number, changes, request, &trace);
                self.append(vec![intent], &[])?;
                Ok(Start::Send(Box::new(Flight { step: at, number, write, trace, second_try })))
            }
        }
    }

    /// The request of a step, with the ids that exist by now.
    fn write(&self, step: &Step) -> Result<Write, String> {
        let (page, kind) = (step.page, step.kind);
        let object_of = |page: Option<PageId>| match page {
            None => Ok(None),
            Some(page) => match self.work.registry.of_page(page) {
                Some(link) => Ok(Some(link.object)),
                None => Err("its parent has no object in Clockify".to_owned()),
            },
        };
        Ok(match &step.act {
            Act::Create { parent, name, fields } => {
                let parent = object_of(*parent)?;
                let marked = self.work.rules.marks(kind, fields.get(&Field::Note));
                Write::Create { page, kind, parent, name: name.clone(), marked, fields: fields.clone() }
            }
            Act::Update { object, parent, fields } => {
                // Another object may have been chosen for the page in the same review.
                let link = self.work.registry.of_page(page);
                let stands_apart = PageId::stand_in(*object) == Some(page) && self.work.registry.of_object(*object).is_none();
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
            Act::Adopt(_) | Act::Restore(_) | Act::Part(_) | Act::Accept => return Err("nothing is sent for it".to_owned()),
        })
    }

    /// What is journaled before a write leaves: the request, and what it changes as it is now.
    fn intent(&self, write: WriteId, changes: Vec<ChangeId>, request: Write, trace: &Trace) -> What {
        let name = self.page(request.kind(), request.page()).map(|page| page.title.clone()).unwrap_or_default();
        let was = Box::new(Was { before: self.before(&request), name });
        What::Intent { write, changes, request, was, trace: Box::new(trace.clone()) }
    }

    /// What is known before a write leaves. What will tell the object of a create from those of others: those that were there before, and
    /// the time; of any other write, where both sides are to differ on purpose.
    fn trace(&self, step: &Step, write: &Write, now: Option<Timestamp>) -> Trace {
        let apart = self.apart(step, write);
        let Write::Create { page, kind, parent, name, .. } = write else {
            return Trace { apart, ..Trace::default() };
        };
        let rows = self.work.snapshots.objects[*kind].rows().iter();
        // Only those of the same name can be mistaken for the new one.
        let same = rows.filter(|object| object.parent == *parent && object.name.canonical() == name.canonical());
        let leaves = self.work.registry.of_page(*page).map(|link| link.object);
        let mut trace = Trace { siblings: same.map(|object| object.id).collect(), born: now.map(Born::of), leaves, apart };
        if let Some(earlier) = self.work.earlier.get(page) {
            trace.siblings.retain(|known| earlier.siblings.contains(known));
            trace.born = trace.born.zip(earlier.born).map(|(now, earlier)| now.since(earlier));
        }
        trace
    }

    /// What the fields hold that a write changes, as last seen.
    fn before(&self, write: &Write) -> BTreeMap<Field, Value> {
        match write {
            Write::Create { .. } => BTreeMap::new(),
            Write::Update { kind, object, fields, .. } => {
                let Some(seen) = self.work.snapshots.objects[*kind].get(*object) else { return BTreeMap::new() };
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

    /// What the other side holds, where that is not what a write brings about. Of an undo it is what the run had brought, so that what is
    /// newer by now is mirrored.
    fn apart(&self, step: &Step, write: &Write) -> BTreeMap<Field, Value> {
        let (mut other, fields) = match write {
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
        let undone = all.iter().filter(|change| change.is_undo() && step.changes.contains(&change.id));
        for field in undone.flat_map(|change| &change.proposal.fields).filter(|field| fields.contains_key(&field.field)) {
            other.extend(field.half.clone().map(|half| (field.field, half)));
        }
        other.retain(|field, value| fields.get(field) != Some(value));
        // What an undo closes before its ID was in the page keeps out of it.
        if let (Write::Update { page, object, .. }, true, Some(true)) =
            (write, step.act.closes(), all.first().map(Change::is_undo))
        {
            let link = self.work.registry.of_page(*page).filter(|link| link.object == *object);
            other.extend(link.and_then(|link| link.unwritten.clone()).map(|claim| (Field::Claim, claim)));
        }
        other
    }

    fn object(&self, kind: Kind, object: ObjectId) -> Option<Object> {
        self.work.snapshots.objects[kind].get(object).cloned()
    }

    /// What the ID property of a page holds; of one that is out of sight nobody knows.
    fn claim(&self, kind: Kind, page: PageId) -> Claim {
        self.page(kind, page).map(|page| page.claim.clone()).unwrap_or_default()
    }

    fn page(&self, kind: Kind, page: PageId) -> Option<&Page> {
        self.work.snapshots.pages[kind].get(page)
    }

    /// What a page holds of a field; of its parent, the object that is linked to it.
    fn wanted(&self, page: &Page, field: Field) -> Option<Value> {
        match (field, &page.parent) {
            (Field::Parent, Relation::One(parent)) => self.work.registry.of_page(*parent).map(|link| Value::Object(link.object)),
            _ => steps::wanted(page, field),
        }
    }

    /// What the page holds of fields that were written: the same as was sent, unless a person typed another value or a run is undone. Both
    /// sides then differ on purpose, and the base says so. Of a page that is out of sight it is what was last agreed on.
    fn as_wanted(&self, kind: Kind, page: PageId, mut sent: BTreeMap<Field, Value>) -> BTreeMap<Field, Value> {
        let (seen, link) = (self.page(kind, page), self.work.registry.of_page(page));
        for (&field, value) in &mut sent {
            let wanted = match seen {
                Some(page) => self.wanted(page, field),
                None => link.and_then(|link| link.base.get(field)).map(|agreed| agreed.notion().clone()),
            };
            if let Some(wanted) = wanted {
                *value = wanted;
            }
        }
        sent
    }

    /// The link to an object that the page had before. What an undo parted has its base again; otherwise whatever differs is meant to,
    /// but for being closed: that an undo mends next.
    fn restored(&self, page: PageId, object: &Object) -> Link {
        let before = self.work.registry.of_page(page);
        let mut left = before.map_or_else(Vec::new, |before| steps::leaving(before, self.work.snapshots));
        left.retain(|left| *left != object.id);
        if let Some(parted) = self.work.registry.parted(page).filter(|parted| parted.object == object.id) {
            return Link { sight: Sight::Expected, left, ..parted.clone() };
        }
        let mut link = Link { left, ..self.first_link(page, object) };
        // Notion's half is what was agreed on last: what the page says by now may be newer, and is mirrored then.
        let halves = before.map(|before| before.base.clone()).unwrap_or_default();
        for &field in [Field::Name, Field::Parent].iter().chain(Field::mappable(object.kind)) {
            if let (Some(agreed), Some(current)) = (halves.get(field), steps::current(object, field)) {
                link.base.set(field, Agreed::on(agreed.notion().clone(), current));
            }
        }
        if let Some(seen) = self.page(object.kind, page) {
            link.base.set(Field::State, Agreed::Same(Value::Closed(seen.standing.is_closed())));
        }
        link
    }

    /// A link to an object that exists: both agree on what they agree on, and nothing else has a base yet.
    fn first_link(&self, page: PageId, object: &Object) -> Link {
        let left = self.work.registry.of_page(page).map_or_else(Vec::new, |before| before.left.clone());
        let link = Link { left, ..steps::fresh(page, object, &self.claim(object.kind, page)) };
        let mut agreed = BTreeMap::new();
        if let Some(seen) = self.page(object.kind, page) {
            let fixed = [Field::Name, Field::Parent, Field::State];
            for field in fixed.into_iter().chain(seen.values.iter().map(|(field, _)| field)) {
                if let Some(wanted) =
                    self.wanted(seen, field).filter(|wanted| steps::current(object, field).as_ref() == Some(wanted))
                {
                    agreed.insert(field, wanted);
                }
            }
        }
        steps::verified(link, object, &agreed)
    }

    /// The links after an accepted difference: both halves of the base as they are.
    fn accepted(&self, step: &Step) -> Vec<Link> {
        let Some(link) = self.work.registry.of_page(step.page).cloned() else { return Vec::new() };
        let Some(object) = self.object(step.kind, link.object) else { return Vec::new() };
        let changes = self.work.approved.changes().iter().filter(|change| step.changes.contains(&change.id));
        let mut fields = BTreeMap::new();
        for field in changes.flat_map(|change| &change.proposal.fields) {
            let wanted = self.page(step.kind, step.page).and_then(|page| self.wanted(page, field.field));
            fields.insert(field.field, wanted.unwrap_or(Value::Empty));
        }
        vec![steps::verified(link, &object, &fields)]
    }

    /// Notes that a step succeeded, and journals the changes whose steps have all succeeded.
    fn succeeded(&mut self, progress: &mut Progress, at: usize) -> Result<(), J::Error> {
        let skipped = progress.ended(at, true);
        debug_assert!(skipped.is_empty(), "a step that succeeds skips nothing");
        let succeeded = |at: &usize| progress.state[*at] == StepState::Succeeded;
        let applied: Vec<What> = self.steps[at]
            .changes
            .iter()
            .filter(|id| self.steps_of[id].iter().all(succeeded) && !self.reported.contains(*id))
            .map(|change| What::Applied { change: change.clone() })
            .collect();
        if applied.is_empty() { Ok(()) } else { self.append(applied, &[]) }
    }

    /// Notes that a step failed, and journals its changes and those that can therefore not be started.
    fn failed(&mut self, progress: &mut Progress, at: usize, error: &str, hint: &str) -> Result<(), J::Error> {
        let skipped = progress.ended(at, false);
        self.report(&[at], |change| What::Failed { change, error: error.to_owned(), hint: hint.to_owned() })?;
        self.skip(&skipped, "something that it needs failed")
    }

    fn skip(&mut self, skipped: &[usize], because: &str) -> Result<(), J::Error> {
        self.report(skipped, |change| What::NotStarted { change, because: because.to_owned() })
    }

    /// Journals how the changes of some steps ended, each once.
    fn report(&mut self, steps: &[usize], what: impl Fn(ChangeId) -> What) -> Result<(), J::Error> {
        let changes: BTreeSet<&ChangeId> = steps.iter().flat_map(|&at| &self.steps[at].changes).collect();
        let unreported = changes.into_iter().filter(|change| self.reported.insert((*change).clone()));
        let events: Vec<What> = unreported.cloned().map(what).collect();
        if events.is_empty() { Ok(()) } else { self.append(events, &[]) }
    }
}

#[cfg(test)]
mod tests;
