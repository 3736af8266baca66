//! The door: one run from opening the state to the checkpoint of its log. Whoever wants a run comes in here.
//!
//! ```text
//! Installation ─ open ─▸ Runner ─ run ─▸ Session: look, apply, finish ─▸ the log cut and vouched for
//!      └ read_state, open_state ─▸ State: what waits, what was decided, the log
//! ```

mod checkup;
mod notify;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    ages,
    connect::{Clients, Connection, Earlier},
    failure::{Code, RunError},
    session::{
        NOT_BEFORE, NotBefore, Session, SessionError, Turn, Watch, decided, exchange_events, learned, with_standing,
    },
    state::State,
    stop::Stop,
};
use crate::{
    domain::{
        audit::Finding,
        ending::End,
        journal::{Event, RunId, What},
        model::{Link, Service},
        plan::{self, Calls, sha256},
        reach::Reach,
        report::{Report, Stopped},
        review::Said,
        text::Shown,
    },
    edge::{
        checkpoints::Checkpoints,
        config::{DiagnosticLevel, LogSettings, Profile, Settings},
        diagnostics,
        environment::Environment,
        machine,
        origin::Origin,
        secrets::Readings,
        store::{self, Holder, Meant, Place, RunEnd, RunRecord, Store, StoreError},
    },
};

/// The window in which earlier requests count towards a budget.
const BUDGET_WINDOW: Duration = Duration::from_hours(1);
/// The longest pause that is kept from one run to the next; then one request shows whether the service answers again.
const PAUSE_MAX: Duration = Duration::from_hours(1);
/// Earlier runs that are searched for them.
const BUDGET_RUNS_MAX: usize = 50;
/// Memory key: what was configured in the last run.
const CONFIGURATION: &str = "configuration";

/// What is configured, where the state is, and who works there.
#[derive(Clone)]
pub struct Installation {
    /// Everything that is configured.
    pub settings: Settings,
    /// The environment that secrets and commands are looked up in.
    pub environment: Environment,
    /// The directory of what belongs to this machine: of the state, too, unless it is on a server.
    pub directory: PathBuf,
    /// The server that the state is on, where it is on one.
    #[cfg(feature = "postgres")]
    pub server: Option<store::Address>,
    /// Who works there, for the audit trail.
    pub by: String,
    /// The time.
    pub clock: fn() -> Timestamp,
    /// True where no wait is kept that a service has asked an earlier run for.
    pub now: bool,
    /// True where all pages are read, however few were edited.
    pub full: bool,
    /// Whose changes are planned, and no others.
    pub reach: Reach,
}

impl Installation {
    /// An installation as it is configured. Nothing is opened yet. `by` is who the system says works there.
    ///
    /// # Errors
    /// [`Code::StateUnusable`] where there is no place for the state, or its address cannot be had.
    pub async fn new(
        settings: Settings,
        environment: Environment,
        by: String,
        clock: fn() -> Timestamp,
    ) -> Result<Self, RunError> {
        let directory =
            settings.state_dir.clone().or_else(|| state_of(settings.profile.as_ref())).ok_or_else(|| {
                RunError::new(Code::StateUnusable, "there is no home directory to keep the state in")
                    .hint("name one with --state-dir DIR")
            })?;
        let by = settings.person.clone().unwrap_or(by);
        #[cfg(feature = "postgres")]
        let server = super::connect::server(&settings, &environment).await?;
        // On a server somebody is who the server has let in, whatever else is said.
        #[cfg(feature = "postgres")]
        let by = server.as_ref().and_then(store::Address::role).map_or(by, str::to_owned);
        Ok(Self {
            #[cfg(feature = "postgres")]
            server,
            settings,
            environment,
            directory,
            by,
            clock,
            now: false,
            full: false,
            reach: Reach::Everybody,
        })
    }

    /// Starts the diagnostic log; `verbose` above 0 says more there too. Nothing is written before there is something
    /// to say.
    pub fn diagnose(&self, verbose: u8) {
        let mut settings = self.settings.logs.diagnostics;
        settings.level = settings.level.max(match verbose {
            0 => DiagnosticLevel::Off,
            1 => DiagnosticLevel::Info,
            2 => DiagnosticLevel::Debug,
            _ => DiagnosticLevel::Trace,
        });
        diagnostics::start(&self.directory, settings);
    }

    /// Where the checkpoints of the log are kept.
    pub fn checkpoints(&self) -> Checkpoints {
        let LogSettings { checkpoints, key, .. } = &self.settings.logs;
        // What is on a server leaves nothing beside it, unless that is asked for.
        let beside = Some(&self.directory).filter(|_| matches!(self.place(), Place::Directory(_)));
        Checkpoints::of(
            &self.directory,
            checkpoints.clone().or(beside.map(|directory| Checkpoints::beside(directory))),
            key.clone(),
        )
    }

    /// The state, to look at; an empty one where there is none yet.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub async fn read_state(&self) -> Result<State, RunError> {
        State::read_only(&self.place()).await
    }

    /// The state, to look at and to keep in it what a person says; not to run.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub async fn open_state(&self) -> Result<State, RunError> {
        Ok(State(Store::open(&self.place(), (self.clock)()).await?))
    }

    /// Moves the state away, so that the next run begins with an empty one. Nothing when there is none.
    ///
    /// # Errors
    /// [`Code::Locked`] while a run is under way.
    pub async fn set_state_aside(&self) -> Result<Option<PathBuf>, RunError> {
        if !matches!(self.place(), Place::Directory(_)) {
            let failure = RunError::new(Code::Configuration, "a state on a server is not set aside");
            return Err(failure.hint("name another schema in what state.url refers to; the next run makes it"));
        }
        let now = (self.clock)();
        let aside = Store::set_aside(&self.directory, Holder::here(&self.by, "doctor rebuild", now)).await?;
        if aside.is_some() {
            self.checkpoints().set_aside(now)?;
        }
        Ok(aside)
    }

    /// Keeps what somebody said about changes outside any run, and logs it.
    ///
    /// # Errors
    /// Where it cannot be kept.
    pub async fn keep(&self, state: &mut State, trigger: &str, said: &[Said]) -> Result<(), RunError> {
        let at = (self.clock)();
        let said = with_standing(&state.0, &self.by, at, said).await?;
        state.0.save_verdicts(&self.by, at, None, &said).await?;
        self.log_by_itself(&mut state.0, trigger, decided(&self.by, &said), "decided", &[]).await
    }

    /// Logs what was read of secrets outside any run.
    pub(super) async fn log_readings(
        &self,
        store: &mut Store,
        trigger: &str,
        readings: &Readings,
    ) -> Result<(), RunError> {
        let read = readings.take();
        if read.is_empty() { Ok(()) } else { self.log_by_itself(store, trigger, read, "told", &[]).await }
    }

    /// Keeps that a page and its object belong together no more, and logs it.
    ///
    /// # Errors
    /// Where it cannot be kept.
    pub async fn unlink(&self, state: &mut State, link: &Link) -> Result<(), RunError> {
        let Link { page, kind, object, .. } = *link;
        let parted = What::Linked { page, kind, object: None, former: Some(object) };
        self.log_by_itself(&mut state.0, "unlink", [parted], "unlinked", std::slice::from_ref(link)).await
    }

    /// The run of that name, or the last one that wrote something.
    ///
    /// # Errors
    /// Where there is none, or several begin so.
    pub async fn run_to_undo(&self, name: Option<&str>) -> Result<RunId, RunError> {
        let state = self.read_state().await?;
        let hint = "`punchlist logs list` lists all runs";
        let Some(name) = name else {
            let nothing = || RunError::new(Code::Error, "no run has written anything yet: there is nothing to undo");
            return state.last_run_that_wrote().await?.ok_or_else(nothing);
        };
        let shown = Shown::of(name).clipped(60).to_string();
        match state.run_named(name).await? {
            Meant::One(run) => Ok(run),
            Meant::Nothing => Err(RunError::new(Code::Error, format!("there is no run “{shown}”")).hint(hint)),
            Meant::Several => Err(RunError::new(Code::Error, format!("several runs begin with “{shown}”")).hint(hint)),
        }
    }

    /// Opens the state, takes the lock and makes the clients. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Code::Locked`] where another run holds the lock for longer than `patience`, unless this one only looks.
    pub async fn open(
        &self,
        trigger: &'static str,
        beside: Beside,
        patience: Duration,
        stop: Stop,
        watch: Watch,
    ) -> Result<Runner, RunError> {
        let turn = Turn { trigger, by: self.by.clone(), patience, clock: self.clock, stop, watch };
        let readings = Readings::default();
        let mut store = match Store::open(&self.place(), (self.clock)()).await {
            Ok(store) => store,
            Err(error) => return Err(self.unusable(error.into(), &turn.watch, &readings).await),
        };
        let mut original = None;
        if let Err(error) = turn.take(&mut store).await {
            if !matches!(error, SessionError::Store(StoreError::Locked { .. })) || beside == Beside::Refused {
                return Err(error.into());
            }
            turn.warn(format!("{error}: what it is at may change this, and nothing of this is stored"));
            let copy = store.copy().await?;
            original = Some(std::mem::replace(&mut store, copy));
        }
        let earlier = self.earlier(&store).await?;
        let clients =
            Clients::new(&self.settings, &self.environment, self.clock, &earlier, &turn.watch, &readings).await;
        if original.is_none() {
            ages::notice(&mut store, &readings, (self.clock)()).await?;
            for reminder in ages::reminders(&store, &self.settings, (self.clock)()).await? {
                turn.warn(reminder);
            }
        }
        let mut before = readings.take();
        let connection = match Connection::of(&self.settings, clients) {
            Ok(connection) => connection,
            Err(without) => {
                let (clients, missing) = *without;
                let failure = self.everything_wrong(&clients, missing, Some(&store)).await;
                let asked = exchange_events(&RunId::default(), clients.exchanges.take());
                before.extend(asked.into_iter().map(|event| event.what));
                if !before.is_empty() {
                    // As a run that ended before it began.
                    let store = original.as_mut().unwrap_or(&mut store);
                    self.log_by_itself(store, "connect", before, &failure.text(), &[]).await?;
                }
                store.release().await?;
                return Err(failure);
            }
        };
        let installation = self.clone();
        Ok(Runner {
            installation,
            turn,
            store,
            connection,
            original,
            doubt: None,
            before,
            name: None,
            spent: Calls::default(),
        })
    }

    /// What earlier runs have left for the clients of this one.
    async fn earlier(&self, store: &Store) -> Result<Earlier, RunError> {
        let now = (self.clock)();
        let pauses = if self.now { BTreeMap::new() } else { pauses(store, now).await? };
        let learned = learned(store, now).await?;
        Ok(Earlier { requests: earlier_requests(store, now).await?, pauses, learned })
    }

    /// The failure of a run whose state cannot be used, with what is wrong with the secrets. No service is asked: what
    /// is left of its budget is in the state.
    async fn unusable(&self, failure: RunError, watch: &Watch, readings: &Readings) -> RunError {
        let (settings, environment) = (&self.settings, &self.environment);
        let clients = Clients::new(settings, environment, self.clock, &Earlier::default(), watch, readings).await;
        RunError::several(std::iter::once(failure).chain(clients.faults.into_iter().map(|(_, error)| error)))
    }

    /// Plans, applies what policy approves of those for whom it may, and leaves the rest for a person; then tells
    /// whoever is to be told. Nobody watches. `began` is when it was asked for.
    ///
    /// # Errors
    /// Why it ended without a report.
    pub async fn run_unattended(
        &self,
        Unattended { face, trigger, run, applied, before }: Unattended,
        patience: Duration,
        stop: Stop,
        watch: Watch,
        began: Instant,
    ) -> Result<Report, RunError> {
        let opened = self.open(face, Beside::Refused, patience, stop, Arc::clone(&watch)).await;
        notify::tell_of_start(self, &watch, opened.as_ref().err()).await;
        let mut runner = opened?;
        runner.name = run;
        runner.before.extend(before);
        let unattended = async |session: &mut Session<'_>| {
            (session.unattended, session.only_edits) = (true, true);
            session.only_plans = !applied.covers(&session.reach);
            let (sides, plan) = session.fetch_and_plan().await?;
            if applied == Reach::Nobody {
                return Ok(session.finish(&plan, Stopped::No, began.elapsed().as_secs_f64()).await?);
            }
            let mut review = session.decided(&plan, "policy").await?;
            if session.only_plans {
                let theirs = session.part_of(&applied, &plan, &sides)?;
                let others = (0..plan.changes.len()).filter(|at| !theirs.contains(&plan.changes[*at].id));
                review.decide(&others.collect::<Vec<_>>(), None);
                review.approve_undecided(|change| change.state == plan::State::Ready && theirs.contains(&change.id));
            } else {
                review.approve_undecided(|change| change.state == plan::State::Ready);
            }
            let approved = review.approved();
            let (plan, stopped) = session.apply(sides, plan, approved).await?;
            Ok(session.finish(&plan, stopped, began.elapsed().as_secs_f64()).await?)
        };
        let ended = runner.run(&trigger, unattended).await;
        notify::tell(&mut runner, &ended).await;
        for failure in self.pass_on_log(&mut runner.store).await? {
            runner.turn.warn(failure);
        }
        ended
    }

    /// What is kept of a run that begins: its line in the list of runs, and its first event.
    fn beginning(&self, run: &RunId, trigger: &str, rules: String, at: Timestamp) -> (RunRecord, What) {
        let (version, by) = (env!("CARGO_PKG_VERSION").to_owned(), self.by.clone());
        let record = RunRecord {
            id: *run,
            trigger: trigger.to_owned(),
            by: by.clone(),
            version: version.clone(),
            rules_hash: rules.clone(),
            plan_hash: None,
            started: at,
            end: None,
        };
        let (trigger, config) = (trigger.to_owned(), sha256(&self.settings.given));
        let (account, host) = (machine::account(), machine::host());
        (record, What::RunStarted { trigger, by, account, host, version, rules, config })
    }

    /// Logs something that happened outside any run, as a run of its own, along with what it does to links.
    pub(in crate::engine) async fn log_by_itself(
        &self,
        store: &mut Store,
        trigger: &str,
        what: impl IntoIterator<Item = What>,
        outcome: &str,
        links: &[Link],
    ) -> Result<(), RunError> {
        let now = (self.clock)();
        let run = RunId::beginning(now);
        let (record, begins) = self.beginning(&run, trigger, String::new(), now);
        let outcome = End::Without(outcome.into());
        let end = RunEnd { at: now, outcome: outcome.clone(), report: None };
        store.begin_run(&RunRecord { end: Some(end), ..record }).await?;
        let ends = What::RunEnded { outcome, totals: None };
        let all = std::iter::once(begins).chain(what).chain([ends]);
        Ok(store.record(now, &all.map(|what| Event { run, at: now, what }).collect::<Vec<_>>(), links).await?)
    }
}

/// A run that nobody watches.
pub struct Unattended {
    /// What asks for the lock, to whoever meets it there.
    pub face: &'static str,
    /// What started it, for the log.
    pub trigger: String,
    /// The name that it was promised under, if it was.
    pub run: Option<RunId>,
    /// For whom it may make what policy approves.
    pub applied: Reach,
    /// What happened before it, for its log.
    pub before: Vec<What>,
}

/// What a run does while another one holds the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// It is refused: it is going to write.
    Refused,
    /// It only looks, and works on a copy of the state.
    Copied,
}

/// State and services, ready for runs.
pub struct Runner {
    installation: Installation,
    turn: Turn,
    store: Store,
    connection: Connection,
    /// The state itself, where `store` is a copy of it since another run is under way.
    original: Option<Store>,
    /// In what the log did not agree with its last checkpoint when the last run began.
    doubt: Option<Finding>,
    /// What happened before the first run, for its log.
    before: Vec<What>,
    /// What the first run is called, where somebody knows it by that name already.
    name: Option<RunId>,
    /// What the runs so far have cost.
    spent: Calls,
}

impl Runner {
    /// Does something in a run of its own, which holds the lock as long as the work does not let it go. A run that
    /// fails is ended with the reason. When it has ended, a checkpoint of the log is kept.
    ///
    /// # Errors
    /// What the work failed with, or why the run could not begin or end.
    pub async fn run<T>(
        &mut self,
        trigger: &str,
        work: impl AsyncFnOnce(&mut Session<'_>) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        if self.original.is_none() {
            self.turn.take(&mut self.store).await?;
        }
        self.hold_log_against_checkpoint().await?;
        let now = (self.installation.clock)();
        let run = self.name.take().unwrap_or_else(|| RunId::beginning(now));
        let Self { installation, turn, store, connection, before, spent, .. } = self;
        let given = &installation.settings.given;
        let changed = configured_otherwise(store, given).await?;
        let (record, begins) = installation.beginning(&run, trigger, sha256(&connection.rules), now);
        let asked_by = ages::asked_by(store, given).await?;
        let mut session = Self::session(connection, store, turn, run, &installation.settings);
        session.asked_by = asked_by;
        session.reach.clone_from(&installation.reach);
        session.full = installation.full;
        session.calls_before = *spent;
        session.store.begin_run(&record).await?;
        session.tell([begins].into_iter().chain(std::mem::take(before)).chain(changed).collect()).await?;
        // After that, so that a crash in between tells it twice rather than never.
        remember_configuration(session.store, given).await?;
        let done = work(&mut session).await;
        match &done {
            Ok(_) => tracing::info!(run = %run, trigger, "ended"),
            Err(failure) => tracing::error!(run = %run, trigger, error = failure.text(), "failed"),
        }
        if let Err(failure) = &done {
            session.close(&failure.text()).await?;
        }
        let Calls { notion, clockify } = session.calls();
        *spent = Calls { notion: spent.notion + notion, clockify: spent.clockify + clockify };
        let done = done.map_err(|failure| located(failure, &installation.settings.places));
        if let Some(original) = &mut self.original {
            if let Err(error) = keep_requests(original, &self.store, &run).await {
                self.turn.warn(format!("the log does not say that this ran: {error}"));
            }
        } else if let Err(failure) = self.keep_checkpoint(&run).await {
            // What was done is done, and the next checkpoint vouches for it as well.
            self.turn.warn(format!("no checkpoint of the log was kept: {}", failure.text()));
        }
        self.store.release().await?;
        done
    }

    /// A session on a state.
    fn session<'a>(
        connection: &'a Connection,
        store: &'a mut Store,
        turn: &'a Turn,
        run: RunId,
        settings: &Settings,
    ) -> Session<'a> {
        for http in [connection.notion.http(), connection.clockify.http()] {
            http.write_while(store.holding());
        }
        Session {
            notion: &connection.notion,
            clockify: &connection.clockify,
            store,
            rules: &connection.rules,
            pace: connection.pace,
            allow: Vec::new(),
            unattended: false,
            only_plans: false,
            undoes: None,
            only_edits: false,
            full: false,
            full_every: settings.notion.full_pass_every,
            asked_by: None,
            established: None,
            zone: settings.billing_zone(),
            policy: settings.hours.policy,
            configuration: connection.configuration.as_ref(),
            reach: Reach::Everybody,
            references: &connection.references,
            workspace: connection.workspace.as_deref(),
            run,
            turn,
            exchanges: connection.exchanges.clone(),
            calls_before: Calls::default(),
            unlogged: BTreeMap::new(),
        }
    }

    /// Says where the end of the log is not what the last checkpoint has seen. Whether all the rest is, `logs verify`
    /// finds out.
    async fn hold_log_against_checkpoint(&mut self) -> Result<(), RunError> {
        let checkpoints = self.installation.checkpoints();
        self.doubt = match checkpoints.last() {
            Ok(None) => None,
            Ok(Some(Ok(checkpoint))) => self.store.hold_against(&checkpoint).await?,
            Ok(Some(Err(finding))) => Some(finding),
            Err(error) => {
                self.turn.warn(format!("the log was not held against its last checkpoint: {error}"));
                return Ok(());
            }
        };
        if let Some(doubt) = &self.doubt {
            let file = checkpoints.file().map_or_else(String::new, |file| file.display().to_string());
            self.turn.warn(format!(
                "the log is not what its last checkpoint has seen: {doubt}; `punchlist logs verify` says more. No checkpoint is kept \
                 until that is settled: where you have put an older copy of the state in place yourself, move {file} away"
            ));
        }
        Ok(())
    }

    /// Cuts off what is not to be kept any longer, and keeps a checkpoint of the rest: unless that would vouch for a
    /// log that is in doubt.
    async fn keep_checkpoint(&mut self, run: &RunId) -> Result<(), RunError> {
        let now = (self.installation.clock)();
        let days = i64::from(self.installation.settings.logs.keep_days);
        if let Ok(before) = now.checked_sub(jiff::SignedDuration::from_hours(24 * days)) {
            self.store.cut_log(before, run, now).await?;
        }
        // A key that was changed on purpose goes on with the next checkpoint.
        if !matches!(self.doubt, None | Some(Finding::OtherKey { .. })) {
            return Ok(());
        }
        let (n, head) = self.store.log_head().await?;
        self.installation.checkpoints().keep(n, head, now)?;
        Ok(())
    }
}

/// Keeps of a run that worked on a copy what it asked the services for, which counts towards their budgets, and that
/// there was such a run.
async fn keep_requests(original: &mut Store, copy: &Store, run: &RunId) -> Result<(), StoreError> {
    let is_kept = |event: &Event| {
        matches!(
            event.what,
            What::RunStarted { .. }
                | What::SecretRead { .. }
                | What::Exchange { .. }
                | What::Exchanges { .. }
                | What::RunEnded { .. }
        )
    };
    let events: Vec<Event> = copy.events(run).await?.into_iter().filter(is_kept).collect();
    for record in copy.runs(1).await?.iter().filter(|record| record.id == *run) {
        original.begin_run(record).await?;
    }
    original.append_all(&events).await
}

/// Keeps what is configured, for the next run to compare with.
async fn remember_configuration(store: &mut Store, given: &BTreeMap<String, String>) -> Result<(), RunError> {
    let known: Option<BTreeMap<String, String>> = store.recall(CONFIGURATION).await?;
    if known.as_ref() != Some(given) {
        store.remember(CONFIGURATION, given).await?;
    }
    Ok(())
}

/// The keys that have another value than in the last run.
async fn configured_otherwise(store: &Store, given: &BTreeMap<String, String>) -> Result<Vec<What>, RunError> {
    let before: Option<BTreeMap<String, String>> = store.recall(CONFIGURATION).await?;
    let Some(before) = before else { return Ok(Vec::new()) };
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(given.keys()).collect();
    let changed = keys.into_iter().filter(|key| before.get(*key) != given.get(*key)).map(|key| {
        What::ConfigurationChanged { key: key.clone(), from: before.get(key).cloned(), to: given.get(key).cloned() }
    });
    Ok(changed.collect())
}

/// Says where the keys were set that a failure names.
fn located(failure: RunError, places: &BTreeMap<String, Origin>) -> RunError {
    let text = failure.text();
    let named = places.iter().filter(|(key, _)| text.contains(key.as_str()));
    named.fold(failure, |failure, (key, place)| failure.hint(format!("{key} is set in {place}")).at(place.exact()))
}

/// The ages of requests that earlier runs made lately, so that a budget of so many an hour holds across runs.
async fn earlier_requests(store: &Store, now: Timestamp) -> Result<BTreeMap<Service, Vec<Duration>>, RunError> {
    let mut earlier: BTreeMap<Service, Vec<Duration>> = BTreeMap::new();
    for run in store.runs(BUDGET_RUNS_MAX).await? {
        let ended = run.end.as_ref().map_or(now, |end| end.at);
        if Duration::try_from(now.duration_since(ended)).unwrap_or_default() > BUDGET_WINDOW {
            break;
        }
        for event in store.events(&run.id).await? {
            let age = Duration::try_from(now.duration_since(event.at)).unwrap_or_default();
            let (service, calls) = match event.what {
                What::Exchange { service, .. } => (service, 1),
                What::Exchanges { service, calls, .. } => (service, usize::try_from(calls).unwrap_or(usize::MAX)),
                _ => continue,
            };
            if age < BUDGET_WINDOW {
                earlier.entry(service).or_default().extend(std::iter::repeat_n(age, calls));
            }
        }
    }
    Ok(earlier)
}

/// How long the services had asked earlier runs to wait, as far as that is not over yet; nothing of a wait that is.
async fn pauses(store: &Store, now: Timestamp) -> Result<BTreeMap<Service, Duration>, RunError> {
    let not_before: NotBefore = store.recall(NOT_BEFORE).await?.unwrap_or_default();
    // Neither an absurd wish nor a clock that was set back locks us out for longer.
    let left = |until: Timestamp| Duration::try_from(until.duration_since(now)).unwrap_or_default().min(PAUSE_MAX);
    Ok(not_before.into_iter().map(|(service, until)| (service, left(until))).collect())
}

/// Where the state is that nobody has named: a profile has its own.
fn state_of(profile: Option<&Profile>) -> Option<PathBuf> {
    let directory = store::default_dir()?;
    Some(profile.map_or(directory.clone(), |profile| profile.below(&directory)))
}
