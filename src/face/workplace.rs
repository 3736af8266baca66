//! Everything that a command works with: settings, state, services; and a run on them.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{
    connect::Connection,
    demo::Demo,
    failure::{Code, Failure},
    stop::Stop,
    text::Dress,
};
use crate::{
    domain::{
        audit::Finding,
        journal::{Event, RunId, What},
        model::{Link, Service},
        plan::{Plan, sha256},
        review::Said,
        text::Display,
    },
    edge::{
        checkpoints::Checkpoints,
        config::{DiagnosticLevel, Loader, LogSettings, Override, Settings},
        diagnostics,
        environment::Environment,
        machine,
        store::{self, Holder, Meant, RunEnd, RunRecord, Store, StoreError},
    },
    engine::session::{NOT_BEFORE, NotBefore, Progress, Session, Sides, Started, Watch},
};

/// The window in which earlier requests count towards a budget.
const BUDGET_WINDOW: Duration = Duration::from_hours(1);
/// The longest pause that is kept from one run to the next; then one request shows whether the service answers again.
const PAUSE_MAX: Duration = Duration::from_hours(1);
/// Earlier runs that are searched for them.
const BUDGET_RUNS_MAX: usize = 50;
/// How often it is looked whether another run has ended.
const LOCK_POLL: Duration = Duration::from_millis(100);
/// Under what name it is kept what was configured in the last run.
const CONFIGURATION: &str = "configuration";

/// What can be said with every command.
#[derive(Args, Clone)]
pub(super) struct Global {
    /// Work on an embedded sandbox: a sample agency and a throw-away state
    #[arg(long, global = true, conflicts_with_all = ["config", "state_dir"])]
    pub(super) demo: bool,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The directory of the state
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
    /// While another run holds the lock, wait up to so many seconds for it
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(super) lock_timeout: u32,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Never ask anything
    #[arg(long, global = true)]
    pub(super) no_input: bool,
    /// Do not listen to the mouse
    #[arg(long, global = true)]
    pub(super) no_mouse: bool,
    /// Review as line prompts, without redrawing: for screen readers
    #[arg(long, global = true)]
    pub(super) plain: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
    /// Say more: every request, on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Try at once, whatever wait a service has asked an earlier run for
    #[arg(long, global = true)]
    pub(super) now: bool,
    /// Say less: no progress
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

impl Global {
    /// How long another run is waited for.
    pub(super) fn lock_patience(&self) -> Duration {
        Duration::from_secs(self.lock_timeout.into())
    }

    /// Flag before `NO_COLOR`, `NO_COLOR` before what the terminal can do; symbols as the locale says.
    pub(super) fn dress(&self) -> Dress {
        let environment = Environment::of_process();
        let capable = io::stdout().is_terminal() && environment.get("TERM").is_some_and(|term| term != "dumb");
        let colour = match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => capable && environment.get("NO_COLOR").is_none_or(str::is_empty),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
        let unicode = !locale.is_some_and(|locale| {
            let locale = locale.to_lowercase();
            !locale.contains("utf-8") && !locale.contains("utf8")
        }) && environment.get("TERM") != Some("linux");
        Dress { colour, unicode }
    }
}

/// The settings, and where they come from. With `--demo` also the sandbox, which goes when this is dropped.
pub(super) struct Setup {
    pub(super) settings: Settings,
    environment: Environment,
    demo: Option<Demo>,
    /// True where no wait is kept that a service has asked an earlier run for.
    now: bool,
}

impl Setup {
    /// Reads the settings. Nothing is opened yet.
    pub(super) async fn load(global: &Global) -> Result<Self, Failure> {
        if global.demo {
            return Self::on(Demo::start(Timestamp::now()).await?);
        }
        Ok(Self { now: global.now, ..Self::from(&loader(global), None)? })
    }

    /// The settings of a sandbox.
    pub(super) fn on(demo: Demo) -> Result<Self, Failure> {
        Self::from(&demo.loader(), Some(demo))
    }

    /// Reads the settings for what only looks at the state: nothing that reaches the services is asked for.
    pub(super) async fn to_look_back(global: &Global) -> Result<Self, Failure> {
        if global.demo {
            return Self::load(global).await;
        }
        let loader = loader(global);
        Ok(Self { settings: loader.load()?, environment: loader.environment, demo: None, now: false })
    }

    fn from(loader: &Loader, demo: Option<Demo>) -> Result<Self, Failure> {
        let settings = loader.load()?;
        // Before the state is touched, what is missing is said.
        if let Err(missing) = settings.require_endpoints() {
            return Err(Failure::from(missing).hint("to look around first, without any account: punchlist --demo"));
        }
        Ok(Self { settings, environment: loader.environment.clone(), demo, now: false })
    }

    /// Moves the state away, so that the next run begins with an empty one. Nothing when there is none.
    pub(super) fn set_state_aside(&self) -> Result<Option<PathBuf>, Failure> {
        if self.demo.is_some() {
            return Err(Failure::new(Code::Usage, "a demonstration has no state to rebuild"));
        }
        let (directory, now) = (self.state_directory()?, Timestamp::now());
        let aside = Store::set_aside(&directory, Holder::here(&who(), "doctor rebuild", now))?;
        if aside.is_some() {
            self.checkpoints()?.set_aside(now)?;
        }
        Ok(aside)
    }

    /// The environment that secrets and commands are looked up in.
    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Starts the diagnostic log; `-v` says more there too. Nothing is written before there is something to say.
    pub(super) fn diagnose(&self, verbose: u8) -> Result<(), Failure> {
        let mut settings = self.settings.logs.diagnostics;
        settings.level = settings.level.max(match verbose {
            0 => DiagnosticLevel::Off,
            1 => DiagnosticLevel::Info,
            2 => DiagnosticLevel::Debug,
            _ => DiagnosticLevel::Trace,
        });
        diagnostics::start(&self.state_directory()?, settings);
        Ok(())
    }

    /// Where the checkpoints of the log are kept.
    pub(super) fn checkpoints(&self) -> Result<Checkpoints, Failure> {
        let LogSettings { checkpoints, key, .. } = &self.settings.logs;
        Ok(Checkpoints::of(&self.state_directory()?, checkpoints.clone(), key.clone()))
    }

    /// The state, to look at; nothing where there is none yet.
    pub(super) fn look_at_state(&self) -> Result<Option<Store>, Failure> {
        let directory = self.state_directory()?;
        if !Store::exists(&directory) {
            return Ok(None);
        }
        Ok(Some(Store::open_read_only(&directory)?))
    }

    /// Keeps what somebody said about changes outside any run, and logs it.
    pub(super) fn keep(&self, store: &mut Store, trigger: &str, said: &[Said]) -> Result<(), Failure> {
        let by = who();
        store.save_verdicts(&by, Timestamp::now(), None, said)?;
        let decided = said.iter().map(|said| {
            let Said { change, page, what: _, verdict } = said.clone();
            What::Decided { change, page, by: by.clone(), verdict }
        });
        log_by_itself(store, &self.settings.given, trigger, decided, "decided", &[])
    }

    /// Keeps that a page and its object belong together no more, and logs it.
    pub(super) fn part(&self, store: &mut Store, link: &Link) -> Result<(), Failure> {
        let Link { page, kind, object, .. } = *link;
        let parted = What::Linked { page, kind, object: None, former: Some(object) };
        log_by_itself(store, &self.settings.given, "unlink", [parted], "unlinked", std::slice::from_ref(link))
    }

    /// The state, to look at and to keep in it what a person says; not to run.
    pub(super) fn open_state(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.state_directory()?, Timestamp::now())?)
    }

    /// The run of that name, or the last one that wrote something.
    pub(super) fn run_to_undo(&self, name: Option<&str>) -> Result<RunId, Failure> {
        let store = Store::open_read_only(&self.state_directory()?)?;
        let hint = "`punchlist logs list` lists all runs";
        let Some(name) = name else {
            let nothing = || Failure::new(Code::Error, "no run has written anything yet: there is nothing to undo");
            return store.last_run_that_wrote()?.ok_or_else(nothing);
        };
        let shown = Display::of(name).clipped(60).to_string();
        match store.run_named(name)? {
            Meant::One(run) => Ok(run),
            Meant::Nothing => Err(Failure::new(Code::Error, format!("there is no run “{shown}”")).hint(hint)),
            Meant::Several => Err(Failure::new(Code::Error, format!("several runs begin with “{shown}”")).hint(hint)),
        }
    }

    /// Where the state is.
    pub(super) fn state_directory(&self) -> Result<PathBuf, Failure> {
        match &self.demo {
            Some(demo) => Ok(demo.state.path().to_owned()),
            None => self.settings.state_dir.clone().or_else(store::default_dir).ok_or_else(|| {
                Failure::new(Code::StateUnusable, "there is no home directory to keep the state in")
                    .hint("name one with --state-dir DIR")
            }),
        }
    }
}

/// The lock of a run: who takes it, and how long that is waited for.
#[derive(Clone)]
pub(super) struct Turn {
    trigger: &'static str,
    patience: Duration,
    stop: Stop,
    watch: Watch,
}

impl Turn {
    /// Takes the lock, and waits for it as long as asked to.
    pub(super) async fn take(&self, store: &mut Store) -> Result<(), Failure> {
        let deadline = tokio::time::Instant::now() + self.patience;
        let mut is_said = false;
        loop {
            let locked = match store.lock(Holder::here(&who(), self.trigger, Timestamp::now())) {
                Err(locked @ StoreError::Locked { .. }) if tokio::time::Instant::now() < deadline => locked,
                taken => return Ok(taken?),
            };
            if !std::mem::replace(&mut is_said, true) {
                (self.watch)(Progress::Warned(format!("{locked}; waiting up to {} s for it", self.patience.as_secs())));
            }
            tokio::select! {
                () = tokio::time::sleep(LOCK_POLL) => {}
                () = self.stop.wait() => return Err(Failure::new(Code::Interrupted, "stopped while waiting for another run")),
            }
        }
    }
}

/// What a run does while another one holds the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// It is refused: it is going to write.
    Refused,
    /// It only looks, and works on a copy of the state.
    Copied,
}

/// Settings, state and services, ready for a run.
pub(super) struct Workplace {
    pub(super) stop: Stop,
    pub(super) store: Store,
    pub(super) connection: Connection,
    /// The state itself, where `store` is a copy of it since another run is under way.
    original: Option<Store>,
    turn: Turn,
    watch: Watch,
    /// Where keys of the configuration were set.
    places: BTreeMap<String, String>,
    /// Everything that was configured.
    given: BTreeMap<String, String>,
    checkpoints: Checkpoints,
    keep_days: Option<u32>,
    /// In what the log did not agree with its last checkpoint when the last run began.
    pub(super) doubt: Option<Finding>,
    /// What happened before the first run, for its log.
    before: Vec<What>,
}

impl Workplace {
    /// Opens the state, takes the lock and makes the clients. Nothing is sent yet.
    pub(super) async fn open(
        setup: &Setup,
        stop: Stop,
        watch: Watch,
        trigger: &'static str,
        patience: Duration,
        beside: Beside,
    ) -> Result<Self, Failure> {
        let checkpoints = setup.checkpoints()?;
        let mut store = Store::open(&setup.state_directory()?, Timestamp::now())?;
        let turn = Turn { trigger, patience, stop: stop.clone(), watch: Arc::clone(&watch) };
        let mut original = None;
        if let Err(failure) = turn.take(&mut store).await {
            if failure.code != Code::Locked || beside == Beside::Refused {
                return Err(failure);
            }
            watch(Progress::Warned(format!("{}: what it is at may change this, and nothing of this is stored", failure.error)));
            let copy = store.copy()?;
            original = Some(std::mem::replace(&mut store, copy));
        }
        let earlier = earlier_requests(&store, Timestamp::now())?;
        let pauses = if setup.now { BTreeMap::new() } else { pauses(&store, Timestamp::now())? };
        let Setup { settings, environment, .. } = setup;
        let connection = Connection::new(settings, environment, &earlier, &pauses, &watch).await;
        let connection = match connection {
            Ok(connection) => connection,
            Err(failure) => {
                if failure.code == Code::Refused {
                    log_refusal(original.as_mut().unwrap_or(&mut store), &settings.given, &failure)?;
                }
                return Err(failure);
            }
        };
        let secrets = [("notion.token", &settings.notion.token), ("clockify.token", &settings.clockify.token)];
        let read = secrets.into_iter().filter_map(|(key, reference)| {
            Some(What::SecretRead { key: key.to_owned(), reference: reference.as_ref()?.to_string() })
        });
        let before = read.collect();
        let (places, given, keep_days) = (settings.places.clone(), settings.given.clone(), settings.logs.keep_days);
        Ok(Self { stop, store, connection, original, turn, watch, places, given, checkpoints, keep_days, doubt: None, before })
    }

    /// The lock of the runs here, to take it again after it was let go.
    pub(super) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    /// Where keys of the configuration were set.
    pub(super) fn places(&self) -> &BTreeMap<String, String> {
        &self.places
    }

    /// Does something in a run of its own, which holds the lock as long as the work does not let it go. A run that fails is ended with the
    /// reason. When it has ended, a checkpoint of the log is kept.
    pub(super) async fn in_session<T>(
        &mut self,
        trigger: &str,
        work: impl AsyncFnOnce(&mut Session<'_>, &Stop, &Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.original.is_none() {
            self.turn.take(&mut self.store).await?;
        }
        self.hold_log_against_checkpoint()?;
        let run = run_id(Timestamp::now());
        let changed = configured_otherwise(&self.store, &self.given)?;
        let before: Vec<What> = std::mem::take(&mut self.before).into_iter().chain(changed).collect();
        let Self { stop, store, connection, watch, places, given, .. } = self;
        let mut session = Session {
            notion: &connection.notion,
            clockify: &connection.clockify,
            store,
            rules: &connection.rules,
            allow: Vec::new(),
            unattended: false,
            undoes: None,
            references: &connection.references,
            workspace: connection.workspace.as_deref(),
            run: run.clone(),
            clock: &Timestamp::now,
            stop: &|| stop.asked(),
            watch: watch.clone(),
            exchanges: connection.exchanges.clone(),
        };
        session.begin(started(trigger, given), before)?;
        // After that, so that a crash in between tells it twice rather than never.
        remember_configuration(session.store, given)?;
        let done = work(&mut session, stop, connection).await;
        match &done {
            Ok(_) => tracing::info!(run = %run, trigger, "ended"),
            Err(failure) => tracing::error!(run = %run, trigger, error = failure.error, "failed"),
        }
        if let Err(failure) = &done {
            session.close(&failure.error)?;
        }
        let done = done.map_err(|failure| located(failure, places));
        if let Some(original) = &mut self.original {
            if let Err(error) = keep_requests(original, &self.store, &run) {
                (self.watch)(Progress::Warned(format!("the log does not say that this ran: {error}")));
            }
        } else if let Err(failure) = self.keep_checkpoint(&run) {
            // What was done is done, and the next checkpoint vouches for it as well.
            (self.watch)(Progress::Warned(format!("no checkpoint of the log was kept: {}", failure.error)));
        }
        done
    }

    /// Says where the end of the log is not what the last checkpoint has seen. Whether all the rest is, `logs verify` finds out.
    fn hold_log_against_checkpoint(&mut self) -> Result<(), Failure> {
        self.doubt = match self.checkpoints.last() {
            Ok(None) => None,
            Ok(Some(Ok(checkpoint))) => self.store.hold_against(&checkpoint)?,
            Ok(Some(Err(finding))) => Some(finding),
            Err(error) => {
                (self.watch)(Progress::Warned(format!("the log was not held against its last checkpoint: {error}")));
                return Ok(());
            }
        };
        if let Some(doubt) = &self.doubt {
            let file = self.checkpoints.file().display();
            (self.watch)(Progress::Warned(format!(
                "the log is not what its last checkpoint has seen: {doubt}; `punchlist logs verify` says more. No checkpoint is kept \
                 until that is settled: where you have put an older copy of the state in place yourself, move {file} away"
            )));
        }
        Ok(())
    }

    /// Cuts off what is not to be kept any longer, and keeps a checkpoint of the rest: unless that would vouch for a log that is in doubt.
    fn keep_checkpoint(&mut self, run: &RunId) -> Result<(), Failure> {
        let now = Timestamp::now();
        if let Some(days) = self.keep_days
            && let Ok(before) = now.checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(days)))
        {
            self.store.cut_log(before, run, now)?;
        }
        // A key that was changed on purpose goes on with the next checkpoint.
        if !matches!(self.doubt, None | Some(Finding::OtherKey { .. })) {
            return Ok(());
        }
        let (n, head) = self.store.log_head()?;
        self.checkpoints.keep(n, head, now)?;
        Ok(())
    }
}

/// Keeps of a run that worked on a copy what it asked the services for, which counts towards their budgets, and that there was such a run.
fn keep_requests(original: &mut Store, copy: &Store, run: &RunId) -> Result<(), StoreError> {
    let is_kept = |event: &Event| {
        matches!(event.what, What::RunStarted { .. } | What::SecretRead { .. } | What::Exchange { .. } | What::RunEnded { .. })
    };
    let events: Vec<Event> = copy.events(run)?.into_iter().filter(is_kept).collect();
    for record in copy.runs(1)?.iter().filter(|record| record.id == *run) {
        original.begin_run(record)?;
    }
    original.append_all(&events)
}

/// The name of a run that begins now.
fn run_id(now: Timestamp) -> RunId {
    RunId(format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%SZ"), now.subsec_nanosecond() / 20_000))
}

fn started(trigger: &str, given: &BTreeMap<String, String>) -> Started {
    let (account, host) = (machine::account(), machine::host());
    Started { trigger: trigger.to_owned(), by: who(), account, host, config: sha256(given) }
}

/// Keeps what is configured, for the next run to compare with.
fn remember_configuration(store: &mut Store, given: &BTreeMap<String, String>) -> Result<(), Failure> {
    let known: Option<BTreeMap<String, String>> = store.recall(CONFIGURATION)?;
    if known.as_ref() != Some(given) {
        store.remember(CONFIGURATION, given)?;
    }
    Ok(())
}

/// The keys that have another value than in the last run.
fn configured_otherwise(store: &Store, given: &BTreeMap<String, String>) -> Result<Vec<What>, Failure> {
    let before: Option<BTreeMap<String, String>> = store.recall(CONFIGURATION)?;
    let Some(before) = before else { return Ok(Vec::new()) };
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(given.keys()).collect();
    let changed = keys.into_iter().filter(|key| before.get(*key) != given.get(*key)).map(|key| What::ConfigurationChanged {
        key: key.clone(),
        from: before.get(key).cloned(),
        to: given.get(key).cloned(),
    });
    Ok(changed.collect())
}

/// Logs that a secret could not be had, as a run that ended before it began.
fn log_refusal(store: &mut Store, given: &BTreeMap<String, String>, failure: &Failure) -> Result<(), Failure> {
    log_by_itself(store, given, "connect", [What::SecretRefused { error: failure.error.clone() }], &failure.error, &[])
}

/// Logs something that happened outside any run, as a run of its own, along with what it does to links.
fn log_by_itself(
    store: &mut Store,
    given: &BTreeMap<String, String>,
    trigger: &str,
    what: impl IntoIterator<Item = What>,
    outcome: &str,
    links: &[Link],
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let (run, version) = (run_id(now), env!("CARGO_PKG_VERSION").to_owned());
    let Started { trigger, by, account, host, config } = started(trigger, given);
    let rules_hash = String::new();
    let end = Some(RunEnd { at: now, outcome: outcome.to_owned(), report: serde_json::Value::Null });
    let (id, plan_hash) = (run.clone(), None);
    store.begin_run(&RunRecord {
        id,
        trigger: trigger.clone(),
        by: by.clone(),
        version: version.clone(),
        rules_hash,
        plan_hash,
        started: now,
        end,
    })?;
    let begins = What::RunStarted { trigger, by, account, host, version, rules: String::new(), config };
    let ends = What::RunEnded { outcome: outcome.to_owned(), totals: None };
    let all = std::iter::once(begins).chain(what).chain([ends]);
    Ok(store.record(now, &all.map(|what| Event { run: run.clone(), at: now, what }).collect::<Vec<_>>(), links)?)
}

/// Says where the keys were set that a failure names.
fn located(failure: Failure, places: &BTreeMap<String, String>) -> Failure {
    let named: Vec<String> = places
        .iter()
        .filter(|(key, _)| failure.error.contains(key.as_str()))
        .map(|(key, place)| format!("{key} is set in {place}"))
        .collect();
    named.into_iter().fold(failure, Failure::hint)
}

/// Fetches both sides and makes the plan, unless somebody asks to stop.
pub(super) async fn look(session: &mut Session<'_>, stop: &Stop) -> Result<(Sides, Plan), Failure> {
    let mut sides = tokio::select! {
        sides = session.fetch() => sides?,
        () = stop.wait() => return Err(Failure::new(Code::Interrupted, "stopped while reading; nothing was written")),
    };
    let plan = session.plan(&mut sides)?;
    Ok((sides, plan))
}

fn loader(global: &Global) -> Loader {
    let directory = global.state_dir.as_ref().map(|directory| Override {
        key: "state.dir".to_owned(),
        value: std::path::absolute(directory).unwrap_or_else(|_| directory.clone()).to_string_lossy().into_owned(),
        place: "--state-dir".to_owned(),
    });
    Loader {
        environment: Environment::of_process(),
        config_path: global.config.clone(),
        overrides: directory.into_iter().collect(),
    }
}

/// The ages of requests that earlier runs made lately, so that a budget of so many an hour holds across runs.
fn earlier_requests(store: &Store, now: Timestamp) -> Result<BTreeMap<Service, Vec<Duration>>, Failure> {
    let mut earlier: BTreeMap<Service, Vec<Duration>> = BTreeMap::new();
    for run in store.runs(BUDGET_RUNS_MAX)? {
        let ended = run.end.as_ref().map_or(now, |end| end.at);
        if Duration::try_from(now.duration_since(ended)).unwrap_or_default() > BUDGET_WINDOW {
            break;
        }
        for event in store.events(&run.id)? {
            let age = Duration::try_from(now.duration_since(event.at)).unwrap_or_default();
            if let (What::Exchange { service, .. }, true) = (event.what, age < BUDGET_WINDOW) {
                earlier.entry(service).or_default().push(age);
            }
        }
    }
    Ok(earlier)
}

/// How long the services had asked earlier runs to wait, as far as that is not over yet; nothing of a wait that is.
fn pauses(store: &Store, now: Timestamp) -> Result<BTreeMap<Service, Duration>, Failure> {
    let not_before: NotBefore = store.recall(NOT_BEFORE)?.unwrap_or_default();
    // Neither an absurd wish nor a clock that was set back locks us out for longer.
    let left = |until: Timestamp| Duration::try_from(until.duration_since(now)).unwrap_or_default().min(PAUSE_MAX);
    Ok(not_before.into_iter().map(|(service, until)| (service, left(until))).collect())
}

/// Who runs this, for the audit trail.
pub(super) fn who() -> String {
    machine::person(&Environment::of_process())
}
