//! Carries out what was approved: journal, write, journal. Stops between writes, never within one.
//!
//! Both services are busy at once, and a step waits for nothing but the steps that it needs. A write whose outcome is
//! unknown is looked up, never repeated blind. One failing step holds what needs it and nothing else.
//!
//! ```text
//! apply.rs       the loop
//! ├ target.rs    what the services and the journal must be able to do
//! ├ draft.rs     what a step becomes as a request, and what is kept along with it
//! ├ breaker.rs   what an outage stops
//! ├ reading.rs   what a write rests on, read again before it leaves
//! ├ along.rs     the tasks that go along with their project
//! ├ flight.rs    one write on its way: sent, looked up, and after a second try looked at for a twin
//! ├ landing.rs   what its answer means, journaled
//! ├ endings.rs   how changes end, journaled
//! ├ progress.rs  which step can start, and what its end means for others
//! └ settle.rs    what an earlier run left open, before anything is planned on top of it
//! ```

mod along;
mod breaker;
mod draft;
mod endings;
mod flight;
mod landing;
mod progress;
mod reading;
mod settle;
mod siblings;
mod target;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use jiff::Timestamp;
use tokio::time::Instant;

use self::{
    along::Unlisted,
    breaker::{Room, Sort},
    flight::{Arrival, Flight, find, fly},
    landing::Landed,
    progress::{Agenda, StepState},
    reading::Ground,
    siblings::Siblings,
};
use crate::domain::{
    journal::{Event, RunId, Trace, What, Write, WriteId},
    model::{
        Agreed, Claim, Field, Kind, Link, Object, ObjectId, Page, PageId, Registry, Service, Sight, Snapshots, Value,
    },
    plan::{Change, ChangeId},
    report::Stopped,
    review::Approved,
    rules::Rules,
    steps::{self, Act, ClaimWrite, Step, steps},
    text::{Raw, Shown},
};

pub use reading::{Observed, Readings, Subject};
pub use settle::{Settling, settle};
pub use target::{About, Found, Journal, Target, WriteFailure, Written};

/// How long a run that is asked to stop waits for what is on its way, and for the IDs of what it has created to get
/// into their pages.
const STOPS_WITHIN: Duration = Duration::from_secs(20);
/// How often somebody who asks for a stop is listened to while nothing happens.
const LISTENS_EVERY: Duration = Duration::from_millis(250);
/// How often a write may come too late for what it was built on, before it is given up in this run.
const OUTDATED_MAX: u32 = 3;
/// Notes for the journal that are kept together at the most, so that no commit gets long.
const UNKEPT_MAX: usize = 500;

/// Everything an apply works on besides its target and its journal.
pub struct Work<'a> {
    pub run: RunId,
    /// What was approved.
    pub approved: &'a Approved,
    /// Both sides as last seen.
    pub snapshots: &'a Snapshots,
    /// The links, kept up to date.
    pub registry: &'a mut Registry,
    /// Creates of earlier runs for pages that have no object yet: looked for in vain, so that another try is a second
    /// one.
    pub earlier: &'a BTreeMap<PageId, Trace>,
    /// The writes that the run has journaled before.
    pub writes_before: u32,
    /// True where nobody watches: then it is looked right before and after creates whether somebody else has created
    /// the same.
    pub unattended: bool,
    /// The policy.
    pub rules: &'a Rules,
    /// The time, for events.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// True when no new write may start.
    pub stop: &'a dyn Fn() -> bool,
    /// Is told each event, after it was kept.
    pub sink: &'a mut dyn FnMut(&Event),
}

/// Applies everything that was approved. Asked to stop, it starts nothing new but the write-backs of what it has
/// created, and waits for what is on its way for twenty seconds; what is not answered by then is looked up by the next
/// run.
///
/// # Errors
/// The journal's error, as soon as something cannot be kept. What was in flight is then as good as unknown, and the
/// next run looks it up.
pub async fn apply<T: Target, J: Journal>(work: Work<'_>, target: &T, journal: &mut J) -> Result<Stopped, J::Error> {
    let steps = steps(work.approved, work.snapshots, work.rules);
    let mut progress = Agenda::new(&steps);
    let mut applying = Applying::new(work, journal, &steps);
    applying.record_approvals().await?;
    let mut flights: FuturesUnordered<LocalBoxFuture<'_, Back>> = FuturesUnordered::new();
    let mut room = Room::default();
    let mut stopped = Stopped::No;
    let mut patience: Option<Instant> = None;
    loop {
        if stopped == Stopped::No && (applying.work.stop)() {
            stopped = Stopped::Interrupted;
            patience = Some(Instant::now() + STOPS_WITHIN);
        }
        for service in [Service::Notion, Service::Clockify] {
            room.widen(service, target.flights_max(service));
        }
        applying.start_all(target, &mut progress, &mut room, stopped, &mut flights).await?;
        // Nothing has left yet: that is when the first of them is waited for.
        applying.keep().await?;
        let back = tokio::select! {
            biased;
            back = flights.next() => back,
            () = tokio::time::sleep(LISTENS_EVERY) => {
                if patience.is_some_and(|until| Instant::now() >= until) {
                    break;
                }
                continue;
            }
        };
        let Some(back) = back else { break };
        let stop = applying.take_up(target, &mut progress, &mut room, back, &mut flights).await?;
        stopped = if stopped == Stopped::No { stop } else { stopped };
    }
    applying.abandon(&mut progress).await?;
    applying.give_up_halted(&mut progress).await?;
    if stopped == Stopped::No && room.is_any_halted() {
        stopped = Stopped::Halted;
    }
    if stopped == Stopped::No && room.is_any_closed() {
        stopped = Stopped::OutOfBudget;
    }
    applying.skip(&progress, &progress.left(), "the run stopped before").await?;
    applying.keep().await?;
    if stopped == Stopped::No {
        applying.find_twins(target).await?;
        applying.keep().await?;
    }
    Ok(stopped)
}

/// What comes back.
enum Back {
    /// What some steps rest on.
    Read { steps: Vec<usize>, service: Service, readings: Readings },
    /// A write.
    Written(Box<Flight>, Arrival),
    /// The tasks of some projects that they went along with.
    Listed(Readings),
}

enum Start {
    Done,
    Send(Box<Flight>),
    /// What the step rests on has to be read first.
    Read(Subject),
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
    /// The writes that are on their way, each with its step, by the step of the one that leads; what goes along with it
    /// comes after it.
    aloft: BTreeMap<usize, Vec<(usize, WriteId)>>,
    /// The tasks that can go along with their project, by the step that creates that.
    along: BTreeMap<usize, Vec<usize>>,
    /// Projects that were refused together with their tasks.
    alone: BTreeSet<usize>,
    /// What is known of creates that were refused together with their project.
    refused_along: BTreeMap<PageId, Trace>,
    /// True where what goes along with a project does not come into being.
    one_by_one: bool,
    unlisted: Unlisted,
    /// What is noted for the journal, and not on disk yet.
    unkept: Vec<(Vec<Event>, Vec<Link>)>,
    /// The steps that write the ID of what a step creates, by that step.
    writes_id_of: HashMap<usize, usize>,
    /// Creates whose ID is not in its page yet.
    unwritten: BTreeSet<usize>,
    /// Kinds of write that were stopped, and why.
    halted: BTreeMap<Sort, Shown>,
    /// True when something was stopped that does not answer: nothing is looked for any longer.
    given_up: Rc<Cell<bool>>,
    /// Where what somebody else may have created meanwhile was searched for.
    twins_sought: BTreeSet<Subject>,
    /// What this run has created beside what was there, by where that is.
    created: BTreeMap<Subject, Vec<(usize, ObjectId)>>,
    /// How often the write of a step came too late.
    outdated: BTreeMap<usize, u32>,
    /// Objects and pages as this run's own writes left them: what else they hold by then was not planned on.
    own_objects: HashMap<ObjectId, Object>,
    own_pages: HashMap<PageId, Page>,
    /// Who has which name in Clockify.
    siblings: Siblings<'work>,
    /// What was approved.
    changes: HashMap<ChangeId, &'work Change>,
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
        let mut writes_id_of = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            if matches!(step.act, Act::WriteBack { claim: ClaimWrite::Own, .. }) {
                let creates = step.needs.iter().filter(|&&need| matches!(steps[need].act, Act::Create { .. }));
                writes_id_of.extend(creates.map(|&create| (create, at)));
            }
        }
        let next_write = work.writes_before + 1;
        let changes = work.approved.changes().iter().map(|change| (change.id, change)).collect();
        Self {
            work,
            journal,
            steps,
            steps_of,
            reported: BTreeSet::new(),
            aloft: BTreeMap::new(),
            along: steps::along(steps),
            alone: BTreeSet::new(),
            refused_along: BTreeMap::new(),
            one_by_one: false,
            unlisted: Unlisted::default(),
            unkept: Vec::new(),
            writes_id_of,
            unwritten: BTreeSet::new(),
            halted: BTreeMap::new(),
            given_up: Rc::default(),
            twins_sought: BTreeSet::new(),
            created: BTreeMap::new(),
            outdated: BTreeMap::new(),
            own_objects: HashMap::new(),
            own_pages: HashMap::new(),
            siblings: Siblings::default(),
            changes,
            next_write,
        }
    }

    /// Notes events, and the links that follow from them, for the journal: they are kept before anything leaves.
    async fn append(&mut self, what: Vec<What>, links: &[Link]) -> Result<(), J::Error> {
        let at = (self.work.clock)();
        let events: Vec<Event> = what.into_iter().map(|what| Event { run: self.work.run, at, what }).collect();
        for link in links {
            self.work.registry.insert(link.clone());
        }
        self.unkept.push((events, links.to_vec()));
        if self.unkept.len() < UNKEPT_MAX { Ok(()) } else { self.keep().await }
    }

    /// Keeps all that was noted, in one commit.
    ///
    /// # Errors
    /// The journal's error. Where only what is yet to leave was too much, what was answered is kept all the same.
    async fn keep(&mut self) -> Result<(), J::Error> {
        let unkept = std::mem::take(&mut self.unkept);
        let Err(error) = self.keep_all(&unkept).await else { return Ok(()) };
        let leaves = |event: &Event| matches!(event.what, What::Intent { .. });
        let answered = unkept.iter().take_while(|(events, _)| !events.iter().any(leaves)).count();
        if (1..unkept.len()).contains(&answered) {
            self.keep_all(&unkept[..answered]).await?;
        }
        Err(error)
    }

    async fn keep_all(&mut self, unkept: &[(Vec<Event>, Vec<Link>)]) -> Result<(), J::Error> {
        let events: Vec<Event> = unkept.iter().flat_map(|(events, _)| events).cloned().collect();
        let links: Vec<Link> = unkept.iter().flat_map(|(_, links)| links).cloned().collect();
        if !unkept.is_empty() {
            self.journal.append((self.work.clock)(), &events, &links).await?;
        }
        for event in &events {
            (self.work.sink)(event);
        }
        Ok(())
    }

    async fn record_approvals(&mut self) -> Result<(), J::Error> {
        let approved = self.work.approved.changes().iter().zip(self.work.approved.verdicts());
        let approvals: Vec<What> = approved
            .map(|(change, (said, by))| {
                let action = Some(change.proposal.action);
                let others = said.verdict.approvals.iter().map(|approval| &approval.by).filter(|other| *other != by);
                What::Approved { change: said.change, by: by.clone(), action, also: others.cloned().collect() }
            })
            .collect();
        if approvals.is_empty() { Ok(()) } else { self.append(approvals, &[]).await }
    }

    /// Starts whatever can start now: local steps, writes for which there is room, and readings of what others rest on.
    async fn start_all<'f, T: Target>(
        &mut self,
        target: &'f T,
        progress: &mut Agenda,
        room: &mut Room,
        stopped: Stopped,
        flights: &mut FuturesUnordered<LocalBoxFuture<'f, Back>>,
    ) -> Result<(), J::Error> {
        let mut unread: BTreeMap<Service, Vec<(usize, Subject)>> = BTreeMap::new();
        // How many tasks may be without their ID in the page, and are.
        let mut tasks;
        loop {
            let completes: BTreeSet<usize> = match stopped {
                Stopped::No => BTreeSet::new(),
                Stopped::Interrupted | Stopped::Refused => {
                    progress.ready().filter(|&at| self.completes(progress, at)).collect()
                }
                Stopped::OutOfBudget | Stopped::Halted => return Ok(()),
            };
            let writes_id_of = &self.writes_id_of;
            self.unwritten.retain(|at| match progress.state[*at] {
                StepState::Started => true,
                StepState::Succeeded => {
                    let write_back = writes_id_of[at];
                    progress.state[write_back] == StepState::Started || progress.waits_for_room(write_back)
                }
                StepState::Waiting | StepState::Failed | StepState::Skipped => false,
            });
            let mut unwritten: BTreeMap<Kind, usize> = BTreeMap::new();
            for &at in &self.unwritten {
                *unwritten.entry(self.steps[at].kind).or_default() += 1;
            }
            let on_their_way = self.aloft.values().flat_map(|writes| writes.iter().skip(1));
            let on_their_way = on_their_way.filter(|(task, _)| self.writes_id_of.contains_key(task)).count();
            tasks = (room.along_max(), unwritten.get(&Kind::Task).copied().unwrap_or_default() + on_their_way);
            let crowded = self.crowded(progress, tasks);
            let far = self.farthest(progress, room);
            let may = |at: usize| {
                let (kind, sort) = (self.steps[at].kind, Sort::of(&self.steps[at]));
                let has_room =
                    sort.is_none_or(|sort| room.is_left_for(sort) && far.get(&sort).is_none_or(|far| *far == at));
                let waits_for_ids = self.writes_id_of.contains_key(&at)
                    && unwritten.get(&kind).copied().unwrap_or_default() >= room.unwritten_max(kind);
                let waits = waits_for_ids || crowded.contains(&at);
                has_room && !waits && (stopped == Stopped::No || completes.contains(&at))
            };
            let Some(at) = progress.next(|service| room.is_left(service), may) else { break };
            match self.start(at, target, progress).await? {
                Start::Done => self.succeeded(progress, at).await?,
                Start::Send(flight) => {
                    room.take(flight.write.service(), Some(Sort::of_write(&flight.write)));
                    let writes = std::iter::once(&*flight).chain(&flight.along);
                    self.aloft.insert(at, writes.map(|flight| (flight.step, flight.number)).collect());
                    if self.writes_id_of.contains_key(&at) {
                        self.unwritten.insert(at);
                    }
                    let rests_on = self.subject(&flight.write);
                    let back = fly(target, *flight, rests_on)
                        .map(|(flight, arrival)| Back::Written(Box::new(flight), arrival));
                    flights.push(back.boxed_local());
                }
                Start::Read(subject) => unread.entry(subject.service()).or_default().push((at, subject)),
                Start::Impossible(error) => self.failed(progress, at, &error, "run again to plan it anew").await?,
            }
        }
        for (service, wanted) in unread {
            let (steps, mut subjects): (Vec<usize>, Vec<Subject>) = wanted.into_iter().unzip();
            subjects.dedup();
            room.take(service, None);
            let back = async move { Back::Read { steps, service, readings: target.read(&subjects).await } };
            flights.push(back.boxed_local());
        }
        let lists = self.lists_now(progress, stopped == Stopped::No, flights.is_empty(), tasks);
        if let Some((subjects, pause)) = lists.filter(|_| room.is_left(Service::Clockify)) {
            self.unlisted.begin();
            room.take(Service::Clockify, None);
            let back = async move {
                tokio::time::sleep(pause).await;
                Back::Listed(target.read(&subjects).await)
            };
            flights.push(back.boxed_local());
        }
        Ok(())
    }

    /// Takes up what has come back.
    async fn take_up<'f, T: Target>(
        &mut self,
        target: &'f T,
        progress: &mut Agenda,
        room: &mut Room,
        back: Back,
        flights: &mut FuturesUnordered<LocalBoxFuture<'f, Back>>,
    ) -> Result<Stopped, J::Error> {
        let (flight, arrival) = match back {
            Back::Read { steps, service, readings } => {
                room.give_back(service, None);
                return self.read(target, progress, room, &steps, readings).await;
            }
            Back::Listed(readings) => {
                room.give_back(Service::Clockify, None);
                return self.listed(progress, room, readings).await;
            }
            Back::Written(flight, arrival) => (flight, arrival),
        };
        let sort = Sort::of_write(&flight.write);
        let arrival = match arrival {
            Arrival::Open { error } if !room.is_halted(sort) => {
                let name = self.name(&flight.write);
                let halts = room.failed(sort, About::Request, &error, &name);
                if halts.is_empty() {
                    // Not known to be an outage yet.
                    let (settles, given_up) = (self.work.rules.settles(), Rc::clone(&self.given_up));
                    let found = find(target, *flight, error, settles, given_up);
                    flights.push(found.map(|(flight, arrival)| Back::Written(Box::new(flight), arrival)).boxed_local());
                    return Ok(Stopped::No);
                }
                self.halt(progress, halts).await?;
                Arrival::Open { error }
            }
            arrival => arrival,
        };
        room.give_back(sort.service(), Some(sort));
        self.aloft.remove(&flight.step);
        self.ended(progress, room, &flight, arrival).await
    }

    /// Takes up what was read for some steps: those that it speaks for can start now, unless what they rest on has
    /// moved; the others ask again.
    async fn read(
        &mut self,
        target: &impl Target,
        progress: &mut Agenda,
        room: &mut Room,
        steps: &[usize],
        readings: Readings,
    ) -> Result<Stopped, J::Error> {
        let readings: HashMap<Subject, Result<Observed, WriteFailure>> = readings.into_iter().collect();
        let mut stop = Stopped::No;
        for &at in steps {
            let write = self.write(&self.steps[at]).ok();
            let read = write.and_then(|write| Some((self.subject(&write)?, write)));
            let Some((subject, write, reading)) =
                read.and_then(|(subject, write)| readings.get(&subject).map(|reading| (subject, write, reading)))
            else {
                progress.again(at);
                continue;
            };
            let failure = match reading {
                Ok(observed) => {
                    match self.ground(&write, observed) {
                        Ground::Moved(because) => self.give_up(progress, at, &because).await?,
                        Ground::Firm if matches!(subject, Subject::Names(..)) => {
                            self.twins_sought.insert(subject);
                            progress.again(at);
                        }
                        Ground::Firm if target.is_fresh(&subject) => progress.again(at),
                        Ground::Firm => self.came_too_late(progress, at).await?,
                    }
                    continue;
                }
                Err(failure) => failure.clone(),
            };
            match failure {
                WriteFailure::OutOfBudget { error } => {
                    room.close(subject.service());
                    self.give_up(progress, at, &error).await?;
                }
                WriteFailure::Credentials { error } => {
                    stop = Stopped::Refused;
                    room.close(subject.service());
                    self.failed(progress, at, &error, "check the token and its rights").await?;
                }
                // What it rests on was stopped for, with another one's reading.
                _ if progress.state[at] != StepState::Started => {}
                failure => {
                    if let Some(sort) = Sort::of(&self.steps[at]) {
                        let halts = room.failed(sort, failure.about(), &failure.to_string(), &self.name(&write));
                        self.halt(progress, halts).await?;
                    }
                    let error = format!("it could not be read before it was written, so nothing was sent: {failure}");
                    self.failed(progress, at, &error, "run again").await?;
                }
            }
        }
        Ok(stop)
    }

    /// Takes up how a write ended.
    async fn ended(
        &mut self,
        progress: &mut Agenda,
        room: &mut Room,
        flight: &Flight,
        arrival: Arrival,
    ) -> Result<Stopped, J::Error> {
        let sort = Sort::of_write(&flight.write);
        if let Arrival::Answered(answer) = &arrival
            && let Err(failure) = &**answer
            && !room.is_halted(sort)
        {
            let halts = room.failed(sort, failure.about(), &failure.to_string(), &self.name(&flight.write));
            self.halt(progress, halts).await?;
        }
        // What only a look-up has shown does not prove that the service answers.
        if matches!(&arrival, Arrival::Answered(answer) if answer.is_ok()) || matches!(arrival, Arrival::Twins { .. }) {
            room.succeeded(sort);
        }
        // What was refused along with it was not made, though it was: by an earlier try.
        let comes_along = !matches!(arrival, Arrival::Taken { .. });
        match self.landed(flight, arrival).await? {
            Landed::Done => {
                if comes_along {
                    self.await_listing(progress, flight);
                }
                self.succeeded(progress, flight.step).await?;
            }
            Landed::Alone => progress.again(flight.step),
            // Its turn came too late: what it rests on is read once more.
            Landed::Outdated => self.came_too_late(progress, flight.step).await?,
            // Thrown back unread: it was not begun, and neither is what needs it.
            Landed::Failed { error, stop: Stopped::OutOfBudget, .. } => {
                room.close(flight.write.service());
                self.give_up(progress, flight.step, &error).await?;
            }
            Landed::Failed { error, hint, stop } => {
                self.failed(progress, flight.step, &error, &hint).await?;
                return Ok(stop);
            }
        }
        Ok(Stopped::No)
    }

    /// Of kinds of which several rows in a row were refused alike, the last step that waits: if it is refused too, all
    /// may be.
    fn farthest(&self, progress: &Agenda, room: &Room) -> BTreeMap<Sort, usize> {
        let suspicious: BTreeSet<Sort> = room.suspicious().collect();
        if suspicious.is_empty() {
            return BTreeMap::new();
        }
        let ready = progress.ready().filter_map(|at| Some((Sort::of(&self.steps[at])?, at)));
        let mut far: BTreeMap<Sort, usize> = BTreeMap::new();
        for (sort, at) in ready.filter(|(sort, _)| suspicious.contains(sort)) {
            far.entry(sort).and_modify(|last| *last = at.max(*last)).or_insert(at);
        }
        far
    }

    /// What the page of a write is called.
    fn name(&self, write: &Write) -> String {
        self.page(write.kind(), write.page()).map(|page| page.title.shown().to_string()).unwrap_or_default()
    }

    /// True for a step that completes what was created in this run: it writes the ID into the page.
    fn completes(&self, progress: &Agenda, at: usize) -> bool {
        let creates = |&at: &usize| {
            matches!(self.steps[at].act, Act::Create { .. }) && progress.state[at] == StepState::Succeeded
        };
        matches!(self.steps[at].act, Act::WriteBack { claim: ClaimWrite::Own, .. })
            && self.steps[at].needs.iter().any(creates)
    }

    /// Carries out a local step, or journals the intent of a write and hands it over.
    async fn start(&mut self, at: usize, target: &impl Target, progress: &Agenda) -> Result<Start, J::Error> {
        let step = &self.steps[at];
        let page = step.page;
        match &step.act {
            Act::Adopt(object) | Act::Restore(object) => {
                let Some(seen) = self.object(step.kind, *object).cloned() else {
                    return Ok(Start::Impossible(format!("{object} is not there any more")));
                };
                // An alternative may name an object that another page was given meanwhile.
                if self.work.registry.of_object(*object).is_some_and(|link| link.page != page) {
                    return Ok(Start::Impossible(format!("{object} is linked to another page by now")));
                }
                let link = if matches!(step.act, Act::Restore(_)) {
                    self.restored(page, &seen)
                } else {
                    self.first_link(page, &seen)
                };
                let former = self.work.registry.of_page(page).map(|before| before.object);
                let linked = What::Linked { page, kind: step.kind, object: Some(*object), former };
                self.append(vec![linked], &[link]).await?;
                Ok(Start::Done)
            }
            Act::Unlink(object) => {
                let Some(link) = self.work.registry.of_page(page).filter(|link| link.object == *object).cloned() else {
                    return Ok(Start::Impossible(format!("{object} is not linked to the page any more")));
                };
                let parted = What::Linked { page, kind: step.kind, object: None, former: Some(*object) };
                self.append(vec![parted], &[Link { sight: Sight::Parted, ..link }]).await?;
                Ok(Start::Done)
            }
            Act::Accept => {
                let links = self.accepted(step);
                self.append(Vec::new(), &links).await?;
                Ok(Start::Done)
            }
            Act::Create { .. } | Act::Update { .. } | Act::WriteBack { .. } | Act::Refile(_) => {
                let write = match self.write(step) {
                    Ok(write) => write,
                    Err(error) => return Ok(Start::Impossible(error)),
                };
                let unread = |subject: &Subject| !self.twins_sought.contains(subject) && !target.is_fresh(subject);
                if let Some(subject) = self.subject(&write).filter(unread) {
                    return Ok(Start::Read(subject));
                }
                let trace = self.trace(step, &write, target.now());
                let second_try = matches!(write, Write::Create { .. }) && self.work.earlier.contains_key(&page);
                let number = self.next_number();
                let tasks: Vec<usize> = self.goes_along(at, progress).collect();
                let along = self.take_along(&tasks, number, target);
                let flight = Flight { step: at, number, write, trace, second_try, along };
                let writes = std::iter::once(&flight).chain(&flight.along);
                let intents = writes.map(|flight| self.intent(flight, self.steps[flight.step].changes.clone()));
                self.append(intents.collect(), &[]).await?;
                Ok(Start::Send(Box::new(flight)))
            }
        }
    }

    /// What a step carries out.
    fn changes_of(&self, step: &Step) -> impl Iterator<Item = &'work Change> {
        step.changes.iter().filter_map(|id| self.changes.get(id).copied())
    }

    fn next_number(&mut self) -> WriteId {
        let number = WriteId(self.next_write);
        self.next_write += 1;
        number
    }

    /// An object as it was planned on.
    fn object(&self, kind: Kind, object: ObjectId) -> Option<&Object> {
        self.work.snapshots.objects[kind].get(object)
    }

    /// What the ID property of a page holds; of one that is out of sight nobody knows.
    fn claim(&self, kind: Kind, page: PageId) -> Claim {
        self.page(kind, page).map(|page| page.claim.clone()).unwrap_or_default()
    }

    /// A page as it was planned on.
    fn page(&self, kind: Kind, page: PageId) -> Option<&Page> {
        self.work.snapshots.pages[kind].get(page)
    }

    /// An object as this run's own writes have left it; as it was planned on, where there were none.
    fn object_left(&self, kind: Kind, object: ObjectId) -> Option<&Object> {
        self.own_objects.get(&object).or_else(|| self.object(kind, object))
    }

    /// A page as this run's own writes have left it; as it was planned on, where there were none.
    fn page_left(&self, kind: Kind, page: PageId) -> Option<&Page> {
        self.own_pages.get(&page).or_else(|| self.page(kind, page))
    }

    /// What a page that this run has not written says it is called, where a rule has it called otherwise.
    fn stated_title(&self, page: PageId) -> Option<&Raw> {
        self.work.snapshots.stated_titles.get(&page).filter(|_| !self.own_pages.contains_key(&page))
    }

    /// The link to an object that the page had before. What an undo parted has its base again; otherwise whatever
    /// differs is meant to, but for being closed: that an undo mends next.
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
        if let Some(closed) = self.page(object.kind, page).and_then(|seen| seen.standing.closed()) {
            link.base.set(Field::State, Agreed::Same(Value::Closed(closed)));
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
        let Some(object) = self.object(step.kind, link.object).cloned() else { return Vec::new() };
        let mut fields = BTreeMap::new();
        for field in self.changes_of(step).flat_map(|change| &change.proposal.fields) {
            let page = self.page(step.kind, step.page);
            // Nobody agrees to what is not known.
            if page.is_some_and(|page| page.values.unknown_because(field.field).is_some()) {
                continue;
            }
            let wanted = page.and_then(|page| self.wanted(page, field.field));
            fields.insert(field.field, wanted.unwrap_or(Value::Empty));
        }
        vec![steps::verified(link, &object, &fields)]
    }
}

#[cfg(test)]
mod tests;
