//! Both services in memory, and a journal beside them: everything that happens goes into one log, in order.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    rc::Rc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::super::{About, Found, Journal, Observed, Readings, Subject, Target, Work, WriteFailure, Written, apply};
use super::pace::Road;
use crate::domain::{
    diff::tests::world::{World, approve_all},
    journal::{Event, Outcome, Trace, What, Write},
    model::{Claim, Field, Link, Object, ObjectId, PageId, Service, Standing, Value},
    report::Stopped,
    review::Approved,
    steps::current,
    text::{Shown, canonical},
};

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refused,
    Credentials,
    NotSent,
    OutOfBudget,
    /// It happens, and the answer is lost.
    AnswerLost,
    /// It does not happen, and nobody says so.
    RequestLost,
    /// It happens twice, and the answer is lost.
    Doubled,
    /// It happens, and what an earlier try had made comes to light.
    BesideATwin,
    /// The answer is lost, and looking it up fails too.
    Dark,
    /// It is answered as if it had happened; of a create, only what must be there is kept.
    Ignored,
    /// It is never answered.
    Hangs,
    /// It is answered as if it had happened, and nothing of what goes along with it has.
    Lonely,
    /// Another machine has just made it, so that it is refused.
    Taken,
    /// Its name was given to what another page has and no listing shows yet, so that it is refused.
    TakenByAnothers,
}

pub(super) type Log = Rc<RefCell<Vec<String>>>;

/// Both services.
pub(super) struct Fake {
    pub(super) world: RefCell<World>,
    pub(super) log: Log,
    /// Faults of writes whose line contains the text, each time.
    pub(super) faults: Vec<(&'static str, Fault)>,
    /// What Clockify makes of a name.
    pub(super) stores: fn(&str) -> String,
    /// Writes that were carried out.
    pub(super) written: Cell<usize>,
    /// Clockify's own time.
    pub(super) now: Option<Timestamp>,
    /// What was read again; everything else is as old as the plan.
    pub(super) read: RefCell<BTreeSet<Subject>>,
    /// True where what the plan was made of is too old to build on.
    pub(super) aged: bool,
    /// What people do right before a subject is read again.
    pub(super) meanwhile: RefCell<Vec<fn(&mut World)>>,
    /// The ways to Clockify and to Notion, where time counts.
    pub(super) roads: Option<[Road; 2]>,
}

impl Fake {
    pub(super) fn new(world: &World) -> Self {
        let world = RefCell::new(world.clone());
        Self {
            world,
            log: Log::default(),
            faults: Vec::new(),
            stores: str::to_owned,
            written: Cell::new(0),
            now: None,
            read: RefCell::default(),
            aged: false,
            meanwhile: RefCell::default(),
            roads: None,
        }
    }

    /// The write in one line.
    pub(super) fn line(&self, write: &Write) -> String {
        let world = self.world.borrow();
        let path = |object: ObjectId| {
            let found = world.objects.iter().find(|(_, row)| row.id == object);
            found.map_or_else(|| object.to_string().trim_start_matches('0').to_owned(), |(path, _)| path.clone())
        };
        let mut line = String::new();
        let fields = match write {
            Write::Create { kind, parent, name, fields, .. } => {
                write!(line, "create {kind} {:?}", name.exact()).expect("memory");
                if let Some(parent) = parent {
                    write!(line, " under <{}>", path(*parent)).expect("memory");
                }
                fields
            }
            Write::Update { kind, object, fields, .. } => {
                write!(line, "update {kind} <{}>", path(*object)).expect("memory");
                fields
            }
            Write::Refile { kind, refiling, .. } => {
                write!(line, "refile {} on a {kind}", refiling.count()).expect("memory");
                return line;
            }
            Write::WriteBack { page, kind, claim, fields } => {
                let found = world.pages.iter().find(|(_, row)| row.id == *page);
                write!(line, "page {kind} {:?}", found.map_or("?", |(path, _)| path)).expect("memory");
                match claim {
                    Some(Some(object)) => write!(line, " claim=<{}>", path(*object)).expect("memory"),
                    Some(None) => line.push_str(" claim="),
                    None => {}
                }
                fields
            }
        };
        for (field, value) in fields {
            let value =
                if let Value::Object(object) = value { path(*object) } else { value.to_raw().exact().to_owned() };
            write!(line, " {field}={value:?}").expect("memory");
        }
        line
    }

    fn observe(&self, subject: &Subject) -> Result<Observed, WriteFailure> {
        let world = self.world.borrow();
        let line = match subject {
            Subject::Object(kind, object) => {
                let found = world.objects.iter().find(|(_, row)| row.id == *object);
                format!("read {kind} <{}>", found.map_or("?", |(path, _)| path))
            }
            Subject::Page(kind, page) => {
                let found = world.pages.iter().find(|(_, row)| row.id == *page);
                format!("read page {kind} {:?}", found.map_or("?", |(path, _)| path))
            }
            Subject::Names(kind, parent) => {
                let found = world.objects.iter().find(|(_, row)| Some(row.id) == *parent);
                format!(
                    "read names of {}{}",
                    kind.plural(),
                    found.map_or(String::new(), |(path, _)| format!(" under <{path}>"))
                )
            }
            Subject::Entries(refiling) => format!("read {}", refiling.count()),
        };
        let fault = self.faults.iter().find(|(text, _)| line.contains(text)).map(|(_, fault)| *fault);
        self.log.borrow_mut().push(line);
        match fault {
            Some(Fault::OutOfBudget) => {
                return Err(WriteFailure::OutOfBudget { error: "come back in an hour".into() });
            }
            Some(Fault::Credentials) => return Err(WriteFailure::Credentials { error: "who are you".into() }),
            Some(_) => return Err(WriteFailure::Unknown { error: "the line went dead".into() }),
            None => {}
        }
        Ok(match subject {
            Subject::Object(_, object) => match world.objects.values().find(|row| row.id == *object) {
                Some(row) => Observed::Object(Box::new(row.clone())),
                None => Observed::Gone,
            },
            Subject::Page(_, page) => match world.pages.values().find(|row| row.id == *page) {
                Some(row) => Observed::Page(Box::new(row.clone())),
                None => Observed::Gone,
            },
            Subject::Entries(_) => unreachable!("time is filed elsewhere over HTTP alone"),
            Subject::Names(kind, parent) => Observed::Names(
                world.objects.values().filter(|row| row.kind == *kind && row.parent == *parent).cloned().collect(),
            ),
        })
    }

    fn carry_out(&self, write: &Write) -> Result<Written, WriteFailure> {
        let refused =
            |error: &str| WriteFailure::Refused { error: error.into(), hint: Shown::default(), about: About::Row };
        let taken_name =
            || WriteFailure::PerhapsTaken { error: "a name that exists already".into(), hint: Shown::default() };
        let mut world = self.world.borrow_mut();
        let taken = |world: &World, own: Option<ObjectId>, kind, parent, name: &str| {
            let mut rows =
                world.objects.values().filter(|row| row.kind == kind && row.parent == parent && Some(row.id) != own);
            rows.any(|row| row.name.canonical() == canonical(name))
        };
        self.written.set(self.written.get() + 1);
        Ok(match write {
            Write::Create { page, kind, parent, name, marked, fields, .. } => {
                let name = (self.stores)(name.exact());
                if taken(&world, None, *kind, *parent, &name) {
                    return Err(taken_name());
                }
                let path = format!("created {}{}", world.next(), "/x".repeat(*kind as usize));
                let parent = *parent;
                let object = world.object(&path);
                object.name = name.as_str().into();
                object.parent = parent;
                object.marker = marked.then_some(*page);
                object.values = fields.clone().into_iter().collect();
                Written { object: Some(object.clone()), page: None }
            }
            Write::Update { object, fields, .. } => {
                let Some((path, before)) = world.objects.iter().find(|(_, row)| row.id == *object) else {
                    return Err(refused("there is no such object"));
                };
                let (path, mut after) = (path.clone(), before.clone());
                for (&field, value) in fields {
                    set(&mut after, field, value, self.stores);
                }
                let moves = after.parent != before.parent || after.name != before.name;
                if moves && taken(&world, Some(after.id), after.kind, after.parent, after.name.exact()) {
                    return Err(refused("a name that exists already"));
                }
                world.objects.insert(path, after.clone());
                Written { object: Some(after), page: None }
            }
            Write::Refile { .. } => unreachable!("time is filed elsewhere over HTTP alone"),
            Write::WriteBack { page, claim, fields, .. } => {
                let never_empty = world.never_empty.clone();
                let Some(row) = world.pages.values_mut().find(|row| row.id == *page) else {
                    return Err(refused("there is no such page"));
                };
                if let Some(claim) = claim {
                    row.claim = claim.map_or(Claim::None, Claim::Id);
                }
                for (&field, value) in fields {
                    match (field, value) {
                        (Field::Name, Value::Text(name)) => row.title = name.clone(),
                        (Field::State, Value::Closed(true)) => {
                            row.standing = Standing::Closed { because: "written".into() }
                        }
                        (Field::State, _) => row.standing = Standing::Open,
                        (Field::Name | Field::Parent, _) => return Err(refused("not that")),
                        // A status falls back to its default option.
                        (_, Value::Empty) if never_empty[row.kind].contains(&field) => {
                            row.values.set(field, Value::text("default"));
                        }
                        _ => row.values.set(field, value.clone()),
                    }
                }
                Written { object: None, page: Some(row.clone()) }
            }
        })
    }
}

fn set(object: &mut Object, field: Field, value: &Value, stores: fn(&str) -> String) {
    match (field, value) {
        (Field::Name, Value::Text(name)) => object.name = stores(name.exact()).into(),
        (Field::Parent, Value::Object(parent)) => object.parent = Some(*parent),
        (Field::State, Value::Closed(closed)) => object.closed = *closed,
        (Field::Name | Field::Parent | Field::State, _) => unreachable!("{field} is never {value:?}"),
        // Clockify keeps what it has where nothing is no value.
        (_, Value::Empty) if !field.is_instruction_when_empty() => {}
        _ => object.values.set(field, value.clone()),
    }
}

impl Target for Fake {
    fn is_fresh(&self, subject: &Subject) -> bool {
        !self.aged || self.read.borrow().contains(subject)
    }

    async fn read(&self, subjects: &[Subject]) -> Readings {
        tokio::task::yield_now().await;
        for edit in self.meanwhile.take() {
            edit(&mut self.world.borrow_mut());
        }
        // A service that is asked for much answers in parts.
        let asked = subjects.iter().take(2);
        let readings: Readings = asked.map(|subject| (subject.clone(), self.observe(subject))).collect();
        self.read.borrow_mut().extend(readings.iter().map(|(subject, _)| subject.clone()));
        readings
    }

    async fn write(&self, write: &Write, along: &[Write], _rests_on: Option<Subject>) -> Result<Written, WriteFailure> {
        let mut line = self.line(write);
        for task in along {
            let Write::Create { name, .. } = task else { unreachable!("only creates go along") };
            write!(line, " with {:?}", name.exact()).expect("memory");
        }
        let error = || Shown::from("the line went dead");
        self.log.borrow_mut().push(format!("send {line}"));
        match &self.roads {
            Some(roads) => roads[usize::from(write.service() == Service::Notion)].travel().await,
            None => tokio::task::yield_now().await,
        }
        let fault = self.faults.iter().find(|(text, _)| line.contains(text)).map(|(_, fault)| *fault);
        let all = |write: &Write| {
            let made = self.carry_out(write)?;
            for task in along {
                let mut task = task.clone();
                task.stands_under(made.object.as_ref().expect("a project").id);
                self.carry_out(&task).expect("nothing is in a new project");
            }
            Ok(made)
        };
        let answer = match fault {
            None => all(write),
            Some(Fault::Lonely) => self.carry_out(write),
            Some(Fault::Refused) => {
                Err(WriteFailure::Refused { error: "no".into(), hint: "ask nicely".into(), about: About::Row })
            }
            Some(Fault::Credentials) => Err(WriteFailure::Credentials { error: "who are you".into() }),
            Some(Fault::NotSent) => Err(WriteFailure::NotSent { error: error() }),
            Some(Fault::OutOfBudget) => Err(WriteFailure::OutOfBudget { error: "come back in an hour".into() }),
            Some(Fault::Taken) => {
                all(write).expect("it works");
                all(write)
            }
            Some(Fault::TakenByAnothers) => {
                let made = all(write).expect("it works").object.expect("a create");
                let mut world = self.world.borrow_mut();
                let unlisted =
                    |link: &&Link| link.kind == made.kind && world.objects.values().all(|row| row.id != link.object);
                let id = world.registry.iter().find(unlisted).expect("an object that is not listed").object;
                world.objects.values_mut().find(|row| row.id == made.id).expect("just made").id = id;
                drop(world);
                all(write)
            }
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::RequestLost) => Err(WriteFailure::Unknown { error: error() }),
            Some(Fault::AnswerLost | Fault::Dark) => {
                all(write).expect("it works");
                Err(WriteFailure::Unknown { error: error() })
            }
            Some(fault @ (Fault::Doubled | Fault::BesideATwin)) => {
                let written = all(write).expect("it works");
                let twin = written.object.clone().expect("a create");
                let number = self.world.borrow_mut().next();
                let second = self.now.map_or(0, Timestamp::as_second);
                let id = format!("{second:08x}{number:016x}").parse().expect("an id");
                self.world.borrow_mut().objects.insert(format!("twin {number}"), Object { id, ..twin });
                if fault == Fault::BesideATwin { Ok(written) } else { Err(WriteFailure::Unknown { error: error() }) }
            }
            Some(Fault::Ignored) if matches!(write, Write::Create { .. }) => {
                let mut bare = write.clone();
                if let Write::Create { fields, .. } = &mut bare {
                    for value in fields.values_mut() {
                        *value = Value::Empty;
                    }
                }
                all(&bare)
            }
            Some(Fault::Ignored) => {
                let Write::Update { object, .. } = write else { unreachable!("only updates are ignored") };
                let object = self.world.borrow().objects.values().find(|row| row.id == *object).cloned();
                Ok(Written { object, page: None })
            }
        };
        self.log.borrow_mut().push(format!("{} {line}", if answer.is_ok() { "done" } else { "fail" }));
        answer
    }

    fn flights_max(&self, service: Service) -> usize {
        self.roads.as_ref().map_or(6, |roads| roads[usize::from(service == Service::Notion)].most())
    }

    fn now(&self) -> Option<Timestamp> {
        self.now
    }

    async fn look_up(&self, write: &Write, trace: &Trace) -> Result<Found, WriteFailure> {
        let line = self.line(write);
        self.log.borrow_mut().push(format!("look up {line}"));
        if self.faults.iter().any(|(text, fault)| line.contains(text) && *fault == Fault::Dark) {
            return Err(WriteFailure::Unknown { error: "still dead".into() });
        }
        let world = self.world.borrow();
        let happened = |object: Option<Object>| Ok(Found::Happened(Box::new(Written { object, page: None })));
        match write {
            Write::Create { .. } => {
                Ok(Found::of(world.objects.values().filter(|row| trace.fits(write, row)).cloned().collect()))
            }
            Write::Update { object, fields, .. } => {
                let object = world.objects.values().find(|row| row.id == *object);
                match object
                    .filter(|now| fields.iter().all(|(field, value)| current(now, *field).as_ref() == Some(value)))
                {
                    Some(now) => happened(Some(now.clone())),
                    None => Ok(Found::Nothing),
                }
            }
            Write::Refile { .. } => unreachable!("time is filed elsewhere over HTTP alone"),
            Write::WriteBack { page, claim, .. } => {
                let row = world.pages.values().find(|row| row.id == *page).expect("a page");
                if claim.is_none_or(|claim| row.claim.id() == claim) { happened(None) } else { Ok(Found::Nothing) }
            }
        }
    }
}

/// A journal in memory.
pub(super) struct Notebook {
    pub(super) events: Vec<Event>,
    pub(super) log: Log,
    /// The append that fails, counted from 0, and all after it.
    pub(super) fails_from: usize,
    pub(super) appends: usize,
}

impl Notebook {
    pub(super) fn new(log: &Log) -> Self {
        Self { events: Vec::new(), log: Rc::clone(log), fails_from: usize::MAX, appends: 0 }
    }
}

impl Journal for Notebook {
    type Error = &'static str;

    async fn append(&mut self, _at: Timestamp, events: &[Event], links: &[Link]) -> Result<(), &'static str> {
        self.appends += 1;
        if self.appends > self.fails_from {
            return Err("the disk is full");
        }
        let words: Vec<String> = events.iter().filter_map(|event| note(&event.what)).collect();
        if !words.is_empty() || !links.is_empty() {
            let links = if links.is_empty() { String::new() } else { format!(" +{} link", links.len()) };
            self.log.borrow_mut().push(format!("  journal: {}{links}", words.join(", ")));
        }
        self.events.extend_from_slice(events);
        Ok(())
    }
}

fn note(what: &What) -> Option<String> {
    Some(match what {
        What::Intent { write, .. } => format!("intent {}", write.0),
        What::Outcome { write, outcome } => {
            let word = match outcome {
                Outcome::Done { .. } => "done",
                Outcome::Refused { .. } => "refused",
                Outcome::NotSent { .. } => "not sent",
                Outcome::Unknown { .. } => "unknown",
                Outcome::Absent => "absent",
            };
            format!("{} {word}", write.0)
        }
        What::Applied { .. } => "applied".to_owned(),
        What::Failed { .. } => "failed".to_owned(),
        What::Begun { .. } => "begun".to_owned(),
        What::NotStarted { .. } => "not started".to_owned(),
        _ => return None,
    })
}

/// One apply of what was approved, and all that came of it.
pub(super) struct Run {
    pub(super) fake: Fake,
    pub(super) notebook: Notebook,
    pub(super) ended: Result<Stopped, &'static str>,
    /// The world afterwards, with its registry.
    pub(super) world: World,
    pub(super) took: Duration,
}

impl Run {
    /// The log, without what the journal kept unless asked for.
    pub(super) fn log(&self, with_journal: bool) -> String {
        let log = self.fake.log.borrow();
        log.iter().filter(|line| with_journal || !line.starts_with(' ')).map(|line| format!("{line}\n")).collect()
    }

    /// What became of the changes.
    pub(super) fn ends(&self) -> String {
        let mut text = String::new();
        for event in &self.notebook.events {
            match &event.what {
                What::Applied { .. } => text.push_str("applied\n"),
                What::Failed { error, .. } => writeln!(text, "failed: {error}").expect("memory"),
                What::Begun { because, .. } => writeln!(text, "begun: {because}").expect("memory"),
                What::NotStarted { because, .. } => writeln!(text, "not started: {because}").expect("memory"),
                _ => {}
            }
        }
        text
    }
}

/// Compares, approves what a caller picks, and applies it.
pub(super) struct Bench<'a> {
    pub(super) world: &'a World,
    pub(super) faults: Vec<(&'static str, Fault)>,
    pub(super) stores: fn(&str) -> String,
    pub(super) fails_from: usize,
    /// So many writes may start.
    pub(super) stops_after: usize,
    pub(super) approved: Option<Approved>,
    /// Creates that an earlier run has looked for in vain.
    pub(super) earlier: BTreeMap<PageId, Trace>,
    pub(super) now: Option<Timestamp>,
    /// True where what the plan was made of is too old to build on.
    pub(super) aged: bool,
    /// What people do right before something is read again.
    pub(super) meanwhile: Vec<fn(&mut World)>,
    pub(super) unattended: bool,
    /// The ways to Clockify and to Notion, where time counts.
    pub(super) roads: Option<[Road; 2]>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let (faults, fails_from, stops_after) = (Vec::new(), usize::MAX, usize::MAX);
        Self {
            world,
            faults,
            stores: str::to_owned,
            fails_from,
            stops_after,
            approved: None,
            earlier: BTreeMap::new(),
            now: None,
            aged: false,
            meanwhile: Vec::new(),
            unattended: false,
            roads: None,
        }
    }

    pub(super) fn run(self) -> Run {
        let mut world = self.world.clone();
        let difference = world.diff();
        world.save(difference.verified);
        let approved = self.approved.unwrap_or_else(|| approve_all(&difference.plan));
        let mut fake = Fake::new(&world);
        fake.faults = self.faults;
        fake.stores = self.stores;
        fake.now = self.now;
        fake.aged = self.aged;
        fake.roads = self.roads;
        fake.meanwhile = RefCell::new(self.meanwhile);
        let mut notebook = Notebook::new(&fake.log);
        notebook.fails_from = self.fails_from;
        let snapshots = world.snapshots();
        let mut registry = world.registry.clone();
        let log = Rc::clone(&fake.log);
        let sent = move || log.borrow().iter().filter(|line| line.starts_with("send")).count();
        let stops_after = self.stops_after;
        let work = Work {
            run: "run".parse().expect("a run"),
            approved: &approved,
            snapshots: &snapshots,
            registry: &mut registry,
            earlier: &self.earlier,
            writes_before: 0,
            unattended: self.unattended,
            rules: &world.rules,
            clock: &|| Timestamp::UNIX_EPOCH,
            stop: &|| sent() >= stops_after,
            sink: &mut |_| {},
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let (ended, took) = runtime.block_on(async {
            let began = Instant::now();
            (apply(work, &fake, &mut notebook).await, began.elapsed())
        });
        let mut after = fake.world.borrow().clone();
        after.registry = registry;
        Run { fake, notebook, ended, world: after, took }
    }
}
