//! One machine: its state on disk, and a run of the program on it, which may end at any append.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use jiff::{SignedDuration, Timestamp};
use punchlist::{
    domain::{
        diff::diff,
        journal::{Event, Outcome, RunId, Trace, What, Write, creates, open_writes},
        model::{
            Away, Fetched, Field, Identified, Kind, Link, Object, ObjectId, Page, PageId, PerKind, Registry, Service,
            Sight, Snapshots, Standing, Value, Walk,
        },
        plan::{Plan, Scope},
        report::Stopped,
        review::{Approved, Review},
        rules::Rules,
        steps,
    },
    engine::apply::{
        Found, Journal, Observed, Readings, Settling, Subject, Target, Work, WriteFailure, Written, apply, settle,
    },
};

use super::world::{World, refused};

/// Seconds for which a reading may be built on, and after which it is read again.
const FRESH: i64 = 5;
const YOUNG: i64 = 3;
/// Requests of one run; more would be a loop.
const REQUESTS_MAX: usize = 400;

/// What a machine has on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) events: Vec<Event>,
    pub(super) registry: Registry,
}

/// One machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) number: usize,
    /// How wrong its clock is, in seconds.
    pub(super) skew: i64,
    pub(super) disk: RefCell<Disk>,
    pub(super) backups: Vec<Disk>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crash;

/// Both sides as a machine has seen them, and what it means to do.
pub(super) struct Intent {
    pub(super) run: RunId,
    snapshots: Snapshots,
    registry: Registry,
    pub(super) plan: Plan,
    /// When both sides were read, in seconds.
    read: i64,
}

impl Machine {
    pub(super) fn new(number: usize, skew: i64) -> Self {
        Self { number, skew, disk: RefCell::default(), backups: Vec::new() }
    }

    fn time(&self, world: &RefCell<World>) -> Timestamp {
        world.borrow().time() + SignedDuration::from_secs(self.skew)
    }

    /// Reads both sides, settles what is open, and plans.
    pub(super) async fn look(
        &self,
        world: &RefCell<World>,
        rules: &Rules,
        crash: &Fuse,
    ) -> Result<Option<Intent>, Crash> {
        let run = format!("m{}-{}", self.number, world.borrow_mut().count()).parse().expect("a run");
        let mut registry = self.disk.borrow().registry.clone();
        let read = world.borrow().now;
        let Some(mut snapshots) = Self::read(world, &registry) else { return Ok(None) };
        if snapshots.are_forgotten(&registry) {
            for _ in rules.settles() {
                snapshots.objects = read_objects(world);
            }
        }
        let mut notebook = Notebook { disk: &self.disk, crash };
        let lost: Vec<Link> = (registry.iter())
            .filter(|link| snapshots.away.contains_key(&link.page) && !matches!(link.sight, Sight::Away(..)))
            .map(|link| Link { sight: Sight::Away(Away::Lost, self.time(world)), ..link.clone() })
            .collect();
        notebook.save(&mut registry, &lost).await?;
        let open = open_writes(&self.disk.borrow().events).expect("a journal that this program wrote");
        let target = Line::new(world, &self.disk, Rows::default());
        let clock = || self.time(world);
        let settling = Settling { snapshots: &mut snapshots, registry: &mut registry, rules, clock: &clock };
        settle(open, settling, &target, &mut notebook).await?;
        let difference = diff(&snapshots, &registry, rules, Scope::default());
        notebook.save(&mut registry, &difference.verified).await?;
        Ok(Some(Intent { run, snapshots, registry, plan: difference.plan, read }))
    }

    /// Applies what was approved.
    pub(super) async fn apply(
        &self,
        world: &RefCell<World>,
        rules: &Rules,
        mut intent: Intent,
        approved: &Approved,
        how: How,
        crash: &Fuse,
    ) -> Result<Stopped, Crash> {
        let earlier = self.unlinked_creates();
        let target = Line::new(world, &self.disk, Rows::of(&intent.snapshots, intent.read));
        let polls_left = Cell::new(how.stops_after);
        let mut notebook = Notebook { disk: &self.disk, crash };
        let work = Work {
            run: intent.run,
            approved,
            snapshots: &intent.snapshots,
            registry: &mut intent.registry,
            earlier: &earlier,
            writes_before: 0,
            unattended: how.unattended,
            rules,
            clock: &|| self.time(world),
            stop: &|| {
                polls_left.set(polls_left.get().saturating_sub(1));
                polls_left.get() == 0
            },
            sink: &mut |_| {},
        };
        let ended = apply(work, &target, &mut notebook).await;
        self.check_brakes(world, rules, &target.closes.borrow());
        ended
    }

    /// O4: no more closes of a kind in one run than the brake lets through.
    fn check_brakes(&self, world: &RefCell<World>, rules: &Rules, closes: &PerKind<usize>) {
        let population = self.disk.borrow().registry.len();
        for kind in Kind::ALL {
            let (count, limit) = (closes[kind], rules.brakes.close.limit(population));
            if count > limit {
                world.borrow_mut().broken.push(format!("O4: {count} closes of {} at once", kind.plural()));
            }
        }
    }

    /// As the store finds them: creates looked for in vain, of pages that have no object.
    fn unlinked_creates(&self) -> BTreeMap<PageId, Trace> {
        let disk = self.disk.borrow();
        let absent: Vec<_> = disk
            .events
            .iter()
            .filter_map(|event| match &event.what {
                What::Outcome { write, outcome: Outcome::Absent } => Some((&event.run, *write)),
                _ => None,
            })
            .collect();
        let pages: Vec<PageId> = disk
            .events
            .iter()
            .filter_map(|event| match &event.what {
                What::Intent { write, request, .. } if absent.contains(&(&event.run, *write)) => Some(request.page()),
                _ => None,
            })
            .filter(|page| disk.registry.of_page(*page).is_none())
            .collect();
        let intents = disk.events.iter().filter(|event| match &event.what {
            What::Intent { request, .. } => pages.contains(&request.page()),
            _ => false,
        });
        creates(intents)
    }

    /// Everything that both sides show; nothing where a listing fails whole.
    fn read(world: &RefCell<World>, registry: &Registry) -> Option<Snapshots> {
        if world.borrow_mut().strike(3) {
            return None;
        }
        let pages = PerKind::from_fn(|kind| {
            let rows = world.borrow_mut().list_pages(kind);
            walk(world, rows)
        });
        let as_of = Some(world.borrow().time());
        let mut snapshots = Snapshots { pages, objects: read_objects(world), as_of, ..Snapshots::default() };
        // What is asked for by its ID answers at once, however far the listings lag behind.
        let links = registry.iter().map(|link| link.object);
        let claims =
            Kind::ALL.into_iter().flat_map(|kind| snapshots.pages[kind].rows()).filter_map(|page| page.claim.id());
        snapshots.denied = links.chain(claims).filter(|object| !world.borrow().objects.contains_key(object)).collect();
        for link in registry.iter() {
            if snapshots.pages[link.kind].complete().is_none_or(|listing| !listing.lacks(link.page)) {
                continue;
            }
            match (link.sight, world.borrow().page(link.page)) {
                (Sight::Retired, _) => {}
                (_, None) => {
                    snapshots.away.insert(link.page, Away::Lost);
                }
                (_, Some(page)) => {
                    let shown = std::mem::take(&mut snapshots.pages[link.kind]);
                    snapshots.pages[link.kind] = shown.with([page.clone()]);
                }
            }
        }
        Some(snapshots)
    }
}

fn read_objects(world: &RefCell<World>) -> PerKind<Fetched<Object>> {
    PerKind::from_fn(|kind| {
        let rows = world.borrow_mut().list_objects(|object| object.kind == kind);
        walk(world, rows)
    })
}

/// A walk through a listing, which may be cut short.
fn walk<T: Identified>(world: &RefCell<World>, mut rows: Vec<T>) -> Fetched<T> {
    let mut walk = Walk::default();
    if world.borrow_mut().strike(4) {
        let cut = world.borrow_mut().dice.below(rows.len() + 1);
        rows.truncate(cut);
        walk.spoil("the cursor died");
    }
    walk.add(rows);
    walk.finish()
}

/// How a run is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Nobody watches.
    pub(super) unattended: bool,
    /// Somebody asks for a stop when the run has asked that often whether anybody does.
    pub(super) stops_after: usize,
}

/// What was last read of everything, and when, in seconds: a PUT replaces a row by what was read of it.
#[derive(Default)]
struct Rows {
    all: i64,
    objects: BTreeMap<ObjectId, Object>,
    pages: BTreeMap<PageId, Page>,
    read: BTreeMap<Subject, i64>,
}

impl Rows {
    fn of(snapshots: &Snapshots, read: i64) -> Self {
        let objects = Kind::ALL.into_iter().flat_map(|kind| snapshots.objects[kind].rows());
        let pages = Kind::ALL.into_iter().flat_map(|kind| snapshots.pages[kind].rows());
        Self {
            all: read,
            objects: objects.map(|object| (object.id, object.clone())).collect(),
            pages: pages.map(|page| (page.id, page.clone())).collect(),
            read: BTreeMap::new(),
        }
    }

    /// When a subject was last read.
    fn read(&self, subject: &Subject) -> i64 {
        self.read.get(subject).copied().unwrap_or(self.all)
    }
}

/// What ends the process at an append, before or after it is on disk.
#[derive(Debug, Default)]
pub(super) struct Fuse {
    left: Cell<Option<usize>>,
    kept: bool,
    /// True once it has burnt down: the process is no more.
    burnt: Cell<bool>,
}

impl Fuse {
    pub(super) fn after(appends: usize, kept: bool) -> Self {
        Self { left: Cell::new(Some(appends)), kept, burnt: Cell::new(false) }
    }
}

/// The disk as a journal.
struct Notebook<'a> {
    disk: &'a RefCell<Disk>,
    crash: &'a Fuse,
}

impl Notebook<'_> {
    async fn save(&mut self, registry: &mut Registry, links: &[Link]) -> Result<(), Crash> {
        if !links.is_empty() {
            self.append(Timestamp::UNIX_EPOCH, &[], links).await?;
        }
        for link in links {
            registry.insert(link.clone());
        }
        Ok(())
    }
}

impl Journal for Notebook<'_> {
    type Error = Crash;

    async fn append(&mut self, _at: Timestamp, events: &[Event], links: &[Link]) -> Result<(), Crash> {
        let ends = match self.crash.left.get() {
            None => false,
            Some(left) => {
                self.crash.left.set(left.checked_sub(1).or(Some(0)));
                left == 0
            }
        };
        if self.crash.burnt.replace(ends) || ends && !self.crash.kept {
            return Err(Crash);
        }
        let mut disk = self.disk.borrow_mut();
        disk.events.extend_from_slice(events);
        for link in links {
            disk.registry.insert(link.clone());
        }
        if ends { Err(Crash) } else { Ok(()) }
    }
}

/// Both services behind a line on which things get lost.
struct Line<'a> {
    world: &'a RefCell<World>,
    disk: &'a RefCell<Disk>,
    requests: Cell<usize>,
    /// Closes that were sent, but for what pages left behind.
    closes: RefCell<PerKind<usize>>,
    rows: RefCell<Rows>,
}

impl World {
    /// True when something goes wrong: so many times as often as with a write.
    pub(super) fn strike(&mut self, divisor: usize) -> bool {
        let trouble = self.knobs.trouble / divisor;
        self.dice.percent(trouble)
    }
}

impl<'a> Line<'a> {
    fn new(world: &'a RefCell<World>, disk: &'a RefCell<Disk>, rows: Rows) -> Self {
        Self { world, disk, requests: Cell::new(0), closes: RefCell::default(), rows: RefCell::new(rows) }
    }

    async fn wait(&self) {
        self.requests.set(self.requests.get() + 1);
        if self.requests.get() > REQUESTS_MAX {
            self.world.borrow_mut().broken.push("O8: requests without end".to_owned());
        }
        let turns = self.world.borrow_mut().dice.below(3);
        for _ in 0..turns {
            self.world.borrow_mut().people_go_on();
            tokio::task::yield_now().await;
        }
    }

    /// O9: what a write replaces was read a moment ago, and holds what was planned on.
    fn check_ground(&self, write: &Write, rests_on: Option<Subject>) {
        let Some(subject) = rests_on else { return };
        let (rows, mut world, disk) = (self.rows.borrow(), self.world.borrow_mut(), self.disk.borrow());
        let age = world.now - rows.read(&subject);
        if age > FRESH {
            world.broken.push(format!("O9: built on what was read {age} s ago: {write:?}"));
        }
        let before = disk.events.iter().rev().find_map(|event| match &event.what {
            What::Intent { request, was, .. } if request == write => Some(was.before.clone()),
            _ => None,
        });
        let (now, wanted): (BTreeMap<Field, Option<Value>>, &BTreeMap<Field, Value>) = match write {
            Write::Update { object, fields, .. } => {
                let row = rows.objects.get(object);
                (fields.keys().map(|&field| (field, row.and_then(|row| steps::current(row, field)))).collect(), fields)
            }
            Write::WriteBack { page, fields, .. } => {
                let row = rows.pages.get(page);
                (fields.keys().map(|&field| (field, row.and_then(|row| steps::wanted(row, field)))).collect(), fields)
            }
            Write::Create { .. } | Write::Refile { .. } => return,
        };
        for (field, planned) in before.iter().flatten() {
            let moved =
                now.get(field).is_some_and(|now| now.as_ref() != Some(planned) && now.as_ref() != wanted.get(field));
            if moved {
                world.broken.push(format!("O9: {field} was {planned:?} when it was planned: {write:?}"));
            }
        }
    }

    /// O3, O4, O7: what may be sent at all.
    fn check(&self, write: &Write) {
        let (disk, mut world) = (self.disk.borrow(), self.world.borrow_mut());
        let open = open_writes(&disk.events).expect("legal");
        if !open.iter().any(|open| open.request == *write) {
            world.broken.push(format!("O7: sent without an intent on disk: {write:?}"));
        }
        let link = disk.registry.of_page(write.page());
        match write {
            Write::Create { .. } | Write::Refile { .. } => {}
            Write::Update { page, object, fields, .. } => {
                let made_twice = PageId::stand_in(*object) == Some(*page)
                    && disk.registry.of_object(*object).is_none()
                    && world.made.iter().any(|made| made.object == *object);
                let left = made_twice || link.is_some_and(|link| link.left.contains(object));
                if !left && link.is_none_or(|link| link.object != *object) {
                    world.broken.push(format!("O3: not linked: {write:?}"));
                }
                let closes = fields.get(&Field::State) == Some(&Value::Closed(true));
                // What this machine has read is evidence, though somebody may have changed it since.
                let is_closed = |page: &Page| page.standing.closed() == Some(true);
                let evident = self.rows.borrow().pages.get(page).is_some_and(is_closed)
                    || world.pages.get(page).is_some_and(is_closed);
                if closes && !left {
                    self.closes.borrow_mut()[write.kind()] += 1;
                }
                if closes && !left && !evident {
                    world.broken.push(format!("O4: closed without evidence: {write:?}"));
                }
            }
            Write::WriteBack { claim, .. } => {
                if claim.flatten().is_some_and(|claim| link.is_none_or(|link| link.object != claim)) {
                    world.broken.push(format!("O2: an ID that is not the page's: {write:?}"));
                }
            }
        }
    }
}

/// A request that its sender does not live to see answered may be carried out all the same.
struct OnItsWay<'a> {
    world: &'a RefCell<World>,
    write: &'a Write,
    along: &'a [Write],
    built_on: Option<Object>,
    arrived: Cell<bool>,
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        let mut world = self.world.borrow_mut();
        if !self.arrived.get() && world.dice.percent(50) {
            let done = world.execute_all(self.write, self.along, self.built_on.as_ref()).is_ok();
            world.log.push(format!("arrives late: {} {done}", name(self.write)));
        }
    }
}

fn name(write: &Write) -> String {
    match write {
        Write::Create { page, name, parent, .. } => format!("create {page} {:?} under {parent:?}", name.exact()),
        Write::Update { page, object, fields, .. } => format!("update {page} {object} {fields:?}"),
        Write::WriteBack { page, claim, fields, .. } => format!("write back {page} {claim:?} {fields:?}"),
        Write::Refile { page, refiling, .. } => format!("refile {} for {page}", refiling.count()),
    }
}

impl Target for Line<'_> {
    fn is_fresh(&self, subject: &Subject) -> bool {
        self.world.borrow().now - self.rows.borrow().read(subject) <= YOUNG
    }

    async fn read(&self, subjects: &[Subject]) -> Readings {
        let began = self.world.borrow().now;
        self.wait().await;
        let mut readings = Vec::new();
        // A service that is asked for much answers in parts.
        let count = 1 + self.world.borrow_mut().dice.below(subjects.len());
        for subject in &subjects[..count] {
            let mut world = self.world.borrow_mut();
            let mut rows = self.rows.borrow_mut();
            let observed = if world.strike(4) {
                Err(WriteFailure::Unknown { error: "the line went dead".into() })
            } else {
                Ok(match subject {
                    Subject::Object(_, object) => match world.objects.get(object) {
                        Some(row) => {
                            rows.objects.insert(*object, row.clone());
                            Observed::Object(Box::new(row.clone()))
                        }
                        None => Observed::Gone,
                    },
                    Subject::Page(_, page) => match world.page(*page) {
                        Some(row) => {
                            rows.pages.insert(*page, row.clone());
                            Observed::Page(Box::new(row.clone()))
                        }
                        None => Observed::Gone,
                    },
                    Subject::Names(kind, parent) => {
                        Observed::Names(world.list_objects(|object| object.kind == *kind && object.parent == *parent))
                    }
                    Subject::Entries(_) => unreachable!("nobody tracks time here"),
                })
            };
            if observed.is_ok() {
                rows.read.insert(subject.clone(), began);
            }
            world.log.push(format!("read {subject:?} {}", observed.is_ok()));
            readings.push((subject.clone(), observed));
        }
        readings
    }

    async fn write(&self, write: &Write, along: &[Write], rests_on: Option<Subject>) -> Result<Written, WriteFailure> {
        if rests_on.as_ref().is_some_and(|subject| self.world.borrow().now - self.rows.borrow().read(subject) > FRESH) {
            return Err(WriteFailure::Outdated);
        }
        for write in std::iter::once(write).chain(along) {
            self.check(write);
        }
        self.check_ground(write, rests_on);
        let built_on = match write {
            Write::Update { object, .. } => self.rows.borrow().objects.get(object).cloned(),
            _ => None,
        };
        let on_its_way =
            OnItsWay { world: self.world, write, along, built_on: built_on.clone(), arrived: Cell::new(false) };
        self.wait().await;
        let unknown = || WriteFailure::Unknown { error: "the line went dead".into() };
        let fault = {
            let mut world = self.world.borrow_mut();
            if world.strike(1) { world.dice.below(9) } else { usize::MAX }
        };
        on_its_way.arrived.set(true);
        let answer = match fault {
            0 => Err(refused("access denied")),
            1 => Err(WriteFailure::Credentials { error: "who are you".into() }),
            2 => Err(WriteFailure::NotSent { error: "no route".into() }),
            3 => Err(WriteFailure::OutOfBudget { error: "come back in an hour".into() }),
            4 | 5 => Err(unknown()),
            _ => {
                let done = self.world.borrow_mut().execute_all(write, along, built_on.as_ref());
                if matches!(fault, 6..=8) { done.and(Err(unknown())) } else { done }
            }
        };
        let with: String = along.iter().flat_map(|task| [" with ".to_owned(), task.page().to_string()]).collect();
        let line = format!("{}{with} [{fault}] {}", name(write), if answer.is_ok() { "ok" } else { "fails" });
        self.world.borrow_mut().log.push(line);
        if let Ok(Written { object: Some(object), .. }) = &answer {
            let now = self.world.borrow().now;
            let mut rows = self.rows.borrow_mut();
            rows.read.insert(Subject::Object(object.kind, object.id), now);
            rows.objects.insert(object.id, object.clone());
        }
        self.wait().await;
        answer
    }

    async fn look_up(&self, write: &Write, trace: &Trace) -> Result<Found, WriteFailure> {
        self.wait().await;
        let mut world = self.world.borrow_mut();
        world.tick();
        if world.strike(2) {
            return Err(WriteFailure::Unknown { error: "still dead".into() });
        }
        let happened = |written| Ok(Found::Happened(Box::new(written)));
        match write {
            Write::Refile { .. } => unreachable!("nobody tracks time here"),
            Write::Create { .. } => Ok(Found::of(world.find(write, trace))),
            Write::Update { object, fields, .. } => match world.objects.get(object) {
                Some(now)
                    if fields.iter().all(|(field, value)| steps::current(now, *field).as_ref() == Some(value)) =>
                {
                    happened(Written { object: Some(now.clone()), page: None })
                }
                _ => Ok(Found::Nothing),
            },
            Write::WriteBack { page, claim, .. } => match world.page(*page) {
                Some(now) if claim.is_none_or(|claim| now.claim.id() == claim) && now.standing != Standing::Trashed => {
                    happened(Written { object: None, page: Some(now.clone()) })
                }
                _ => Ok(Found::Nothing),
            },
        }
    }

    fn flights_max(&self, _service: Service) -> usize {
        6
    }

    fn now(&self) -> Option<Timestamp> {
        Some(self.world.borrow().time())
    }
}

/// What policy approves.
pub(super) fn by_policy(plan: &Plan) -> Approved {
    Review::by_policy(plan).approved()
}

/// The object that a machine has linked to a page.
pub(super) fn linked(machine: &Machine, page: PageId) -> Option<ObjectId> {
    machine.disk.borrow().registry.of_page(page).map(|link| link.object)
}

/// The page that a machine has linked to an object.
pub(super) fn page_of(machine: &Machine, object: ObjectId) -> Option<PageId> {
    machine.disk.borrow().registry.of_object(object).map(|link| link.page)
}
