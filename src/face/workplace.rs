//! Everything that a command works with: settings, state, services; and a run on them.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::PathBuf,
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
        journal::{RunId, What},
        model::Service,
        plan::Plan,
        text::Display,
    },
    edge::{
        config::{Loader, Override, Settings},
        environment::Environment,
        store::{self, Meant, Store},
    },
    engine::session::{NOT_BEFORE, NotBefore, Session, Sides, Watch},
};

/// The window in which earlier requests count towards a budget.
const BUDGET_WINDOW: Duration = Duration::from_hours(1);
/// The longest pause that is kept from one run to the next.
const PAUSE_MAX: Duration = Duration::from_hours(24);
/// Earlier runs that are searched for them.
const BUDGET_RUNS_MAX: usize = 50;

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
}

impl Setup {
    /// Reads the settings. Nothing is opened yet.
    pub(super) async fn load(global: &Global) -> Result<Self, Failure> {
        if global.demo {
            return Self::on(Demo::start(Timestamp::now()).await?);
        }
        Self::from(&loader(global), None)
    }

    /// The settings of a sandbox.
    pub(super) fn on(demo: Demo) -> Result<Self, Failure> {
        Self::from(&demo.loader(), Some(demo))
    }

    fn from(loader: &Loader, demo: Option<Demo>) -> Result<Self, Failure> {
        let settings = loader.load()?;
        // Before the state is touched, what is missing is said.
        if let Err(missing) = settings.require_endpoints() {
            return Err(Failure::from(missing).hint("to look around first, without any account: punchlist --demo"));
        }
        Ok(Self { settings, environment: loader.environment.clone(), demo })
    }

    /// Moves the state away, so that the next run begins with an empty one. Nothing when there is none.
    pub(super) fn set_state_aside(&self) -> Result<Option<PathBuf>, Failure> {
        if self.demo.is_some() {
            return Err(Failure::new(Code::Usage, "a demonstration has no state to rebuild"));
        }
        Ok(Store::set_aside(&self.state_directory()?, Timestamp::now())?)
    }

    /// The run of that name, or the last one that wrote something.
    pub(super) fn run_to_undo(&self, name: Option<&str>) -> Result<RunId, Failure> {
        let store = Store::open_read_only(&self.state_directory()?)?;
        let hint = "the console lists all runs in its tab Runs";
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

/// Settings, state and services, ready for a run.
pub(super) struct Workplace {
    pub(super) stop: Stop,
    pub(super) store: Store,
    pub(super) connection: Connection,
    watch: Watch,
    /// Where keys of the configuration were set.
    places: BTreeMap<String, String>,
}

impl Workplace {
    /// Opens the state and makes the clients. Nothing is sent yet.
    pub(super) async fn open(setup: &Setup, stop: Stop, watch: Watch) -> Result<Self, Failure> {
        let store = Store::open(&setup.state_directory()?, Timestamp::now())?;
        let earlier = earlier_requests(&store, Timestamp::now())?;
        let pauses = pauses(&store, Timestamp::now())?;
        let Setup { settings, environment, demo: _ } = setup;
        let connection = Connection::new(settings, environment, &earlier, &pauses, &watch).await?;
        Ok(Self { stop, store, connection, watch, places: settings.places.clone() })
    }

    /// Does something in a run of its own. A run that fails is ended with the reason.
    pub(super) async fn in_session<T>(
        &mut self,
        trigger: &str,
        work: impl AsyncFnOnce(&mut Session<'_>, &Stop, &Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Self { stop, store, connection, watch, places, .. } = self;
        let now = Timestamp::now();
        let mut session = Session {
            notion: &connection.notion,
            clockify: &connection.clockify,
            store,
            rules: &connection.rules,
            allow: Vec::new(),
            undoes: None,
            references: &connection.references,
            workspace: connection.workspace.as_deref(),
            run: RunId(format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%SZ"), now.subsec_nanosecond() / 20_000)),
            clock: &Timestamp::now,
            stop: &|| stop.asked(),
            watch: watch.clone(),
            exchanges: connection.exchanges.clone(),
        };
        session.begin(trigger, &who())?;
        let done = work(&mut session, stop, connection).await;
        if let Err(failure) = &done {
            session.close(&failure.error)?;
        }
        done.map_err(|failure| located(failure, places))
    }
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

/// How long the services had asked earlier runs to wait, as far as that is not over yet.
fn pauses(store: &Store, now: Timestamp) -> Result<BTreeMap<Service, Duration>, Failure> {
    let not_before: NotBefore = store.recall(NOT_BEFORE)?.unwrap_or_default();
    let left = not_before
        .into_iter()
        .filter_map(|(service, until)| Some((service, Duration::try_from(until.duration_since(now)).ok()?)));
    // Nobody asks for more than a day; a clock that was set back must not lock us out for longer.
    Ok(left.map(|(service, pause)| (service, pause.min(PAUSE_MAX))).collect())
}

/// Who runs this, for the audit trail.
pub(super) fn who() -> String {
    let environment = Environment::of_process();
    let name = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| environment.get(name).map(str::to_owned));
    name.map_or_else(|| "unknown".to_owned(), |name| Display::of(&name).to_string())
}
