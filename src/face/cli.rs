//! The command line: what was asked for, done, and said with an exit code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, IsTerminal, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{
    connect::Connection,
    demo::{self, Demo},
    failure::{Code, Failure},
    progress::Progress,
    stop::Stop,
    text::{self, Dress},
};
use crate::{
    domain::{
        journal::{RunId, What},
        model::{Service, Snapshots},
        plan::{
            ChangeId, Estimate, HoldCode, Plan, State,
            document::{ChangeDocument, Document},
        },
        report::Report,
        review::Review,
        steps::{Act, steps},
        text::json,
    },
    edge::{
        config::{Loader, Override, Settings},
        environment::Environment,
        store::{self, Store},
    },
    engine::session::{Session, Sides},
};

/// Bytes of a saved plan that are read.
const PLAN_BYTES_MAX: u64 = 512 << 20;
/// The window in which earlier requests count towards a budget.
const BUDGET_WINDOW: Duration = Duration::from_hours(1);
/// Earlier runs that are searched for them.
const BUDGET_RUNS_MAX: usize = 50;

/// Keeps Clockify true to Notion.
///
/// Without a command, the plan is printed: what differs, and what would be done about it. Nothing is written until you say so.
#[derive(Parser)]
#[command(name = "punchlist", version, about, long_about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    /// Plan, apply what policy approves, and leave the rest for a person
    #[arg(long)]
    auto_approve: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Clone)]
struct Global {
    /// Work on an embedded sandbox: a sample agency and a throw-away state
    #[arg(long, global = true, conflicts_with_all = ["config", "state_dir"])]
    demo: bool,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The directory of the state
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Never ask anything
    #[arg(long, global = true)]
    no_input: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
    /// Say more: every request, on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say less: no progress
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Print what differs and what would be done about it
    Plan {
        /// Save the plan, for `punchlist apply FILE`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Exit with 2 if there are changes, with 3 if a brake holds some
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Apply a saved plan: of its ready changes, those that still hold
    Apply {
        /// The plan that `punchlist plan --out FILE` saved
        file: PathBuf,
    },
    /// Serve both services, emulated, on loopback: for trying things out and for scripts
    Sandbox {
        /// Where to listen; port 0 takes a free one
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4040")]
        listen: SocketAddr,
        /// Start with an agency that has no rows, instead of the sample
        #[arg(long)]
        empty: bool,
    },
}

/// Does what the arguments ask for.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Code::Usage as u8 } else { 0 };
            // Where the help cannot be printed there is nobody to tell.
            drop(error.print());
            return code.into();
        }
    };
    // One thread is enough: the work is waiting. The sandbox has its own.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return told(&Failure::from(error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code.into(),
        Err(failure) => told(&failure),
    }
}

fn told(failure: &Failure) -> ExitCode {
    drop(writeln!(io::stderr(), "{failure}"));
    (failure.code as u8).into()
}

async fn run(cli: Cli) -> Result<u8, Failure> {
    let Cli { global, auto_approve, command } = cli;
    if auto_approve && command.is_some() {
        return Err(Failure::new(Code::Usage, "--auto-approve goes without a command").hint("run `punchlist --auto-approve`"));
    }
    match command {
        None if auto_approve => Workplace::open(&global).await?.auto_approve().await,
        None => Workplace::open(&global).await?.plan(None, false).await,
        Some(Command::Plan { out, detailed_exitcode }) => {
            Workplace::open(&global).await?.plan(out.as_deref(), detailed_exitcode).await
        }
        Some(Command::Apply { file }) => {
            let saved = read_plan(&file)?;
            Workplace::open(&global).await?.apply(&saved).await
        }
        Some(Command::Sandbox { listen, empty }) => sandbox(listen, empty).await,
    }
}

async fn sandbox(listen: SocketAddr, empty: bool) -> Result<u8, Failure> {
    let stop = Stop::listening()?;
    let sandbox = demo::serve(listen, empty).await?;
    say(&format!(
        "# Both services, emulated, at http://{} until Ctrl-C. Save this as sandbox.toml, then in another terminal:\n\
         #   punchlist --config sandbox.toml --state-dir sandbox-state plan\n\n{}",
        sandbox.address(),
        demo::configuration(&sandbox)
    ))?;
    stop.wait().await;
    Ok(0)
}

/// Everything that a command works with.
struct Workplace {
    global: Global,
    dress: Dress,
    progress: Progress,
    stop: Stop,
    store: Store,
    connection: Connection,
    started: Instant,
    /// Kept while the work goes on; dropped, it takes its services and its state along.
    _demo: Option<Demo>,
}

impl Workplace {
    async fn open(global: &Global) -> Result<Self, Failure> {
        let started = Instant::now();
        let stop = Stop::listening()?;
        let progress = Progress::new(global.quiet, global.verbose > 0);
        progress.beat();
        let demo = if global.demo { Some(Demo::start(Timestamp::now()).await?) } else { None };
        let loader = demo.as_ref().map_or_else(|| loader(global), Demo::loader);
        let settings = loader.load()?;
        // Before the state is touched, what is missing is said.
        settings.require_endpoints()?;
        let directory = match &demo {
            Some(demo) => demo.state.path().to_owned(),
            None => state_directory(&settings)?,
        };
        let store = Store::open(&directory, Timestamp::now())?;
        let earlier = earlier_requests(&store, Timestamp::now())?;
        let connection = Connection::new(&settings, &loader.environment, &earlier, &progress.watch()).await?;
        let dress = dress(global, &loader.environment);
        Ok(Self { global: global.clone(), dress, progress, stop, store, connection, started, _demo: demo })
    }

    async fn plan(mut self, out: Option<&Path>, detailed: bool) -> Result<u8, Failure> {
        let (plan, document, estimate) = self
            .in_session("plan", async |session, stop, connection| {
                let (sides, plan) = look(session, stop).await?;
                let estimate = estimate(&plan, &sides.snapshots, connection);
                let document = Document::of(&plan, Timestamp::now(), session.calls(), estimate);
                session.close("planned")?;
                Ok((plan, document, estimate))
            })
            .await?;
        if let Some(out) = out {
            save_plan(out, &document)?;
        }
        if self.global.json {
            say(&format!("{}\n", to_json(&document)?))?;
        } else {
            say(&text::plan(&plan, document.calls, estimate, self.dress))?;
        }
        let braked = plan.changes.iter().any(|change| change.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::Brake));
        Ok(match (detailed, braked, plan.changes.is_empty()) {
            (false, _, _) | (true, _, true) => 0,
            (true, true, false) => 3,
            (true, false, false) => 2,
        })
    }

    async fn auto_approve(mut self) -> Result<u8, Failure> {
        let started = self.started;
        let report = self
            .in_session("auto-approve", async |session, stop, _| {
                let (sides, plan) = look(session, stop).await?;
                let approved = Review::by_policy(&plan).approved();
                let (plan, stopped) = session.apply(sides, plan, approved).await?;
                Ok(session.finish(&plan, stopped, started.elapsed().as_secs_f64())?)
            })
            .await?;
        self.report(&report)
    }

    /// Applies, of a saved plan's ready changes, those that a fresh plan proposes unchanged. The rest is refused as stale.
    async fn apply(mut self, saved: &Document) -> Result<u8, Failure> {
        let started = self.started;
        let report = self
            .in_session("apply", async |session, stop, connection| {
                let rules = crate::domain::plan::sha256(&connection.rules);
                if saved.scope().rules != rules {
                    return Err(Failure::new(Code::Error, "the plan was made with other rules than those of the configuration")
                        .hint("make a new plan with `punchlist plan --out FILE`"));
                }
                let (sides, plan) = look(session, stop).await?;
                let scope =
                    |scope: &crate::domain::plan::Scope| (scope.notion_workspace.clone(), scope.clockify_workspace.clone());
                if scope(saved.scope()) != scope(&plan.scope) {
                    return Err(Failure::new(Code::Refused, "the plan was made for other workspaces")
                        .hint("use the configuration that it was made with"));
                }
                let ready: BTreeSet<&str> = ready_of(saved).map(|change| change.id.as_str()).collect();
                session.refuse_stale(stale(saved, &plan))?;
                let mut review = Review::new(&plan, "saved plan");
                review.approve_all(|change| ready.contains(change.id.0.as_str()));
                let approved = review.approved();
                let (plan, stopped) = session.apply(sides, plan, approved).await?;
                Ok(session.finish(&plan, stopped, started.elapsed().as_secs_f64())?)
            })
            .await?;
        self.report(&report)
    }

    fn report(&self, report: &Report) -> Result<u8, Failure> {
        if self.global.json {
            say(&format!("{}\n", to_json(report)?))?;
        } else {
            say(&text::report(report, self.dress))?;
        }
        Ok(report.outcome.exit_code())
    }

    /// Does something in a run of its own. A run that fails is ended with the reason.
    async fn in_session<T>(
        &mut self,
        trigger: &str,
        work: impl AsyncFnOnce(&mut Session<'_>, &Stop, &Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Self { progress, stop, store, connection, .. } = self;
        let now = Timestamp::now();
        let mut session = Session {
            notion: &connection.notion,
            clockify: &connection.clockify,
            store,
            rules: &connection.rules,
            references: &connection.references,
            workspace: connection.workspace.as_deref(),
            run: RunId(format!("{}-{:04x}", now.strftime("%Y%m%dT%H%M%SZ"), now.subsec_nanosecond() / 20_000)),
            clock: &Timestamp::now,
            stop: &|| stop.asked(),
            watch: progress.watch(),
            exchanges: connection.exchanges.clone(),
        };
        session.begin(trigger, &who())?;
        let done = work(&mut session, stop, connection).await;
        progress.clear();
        if let Err(failure) = &done {
            session.close(&failure.error)?;
        }
        done
    }
}

/// Fetches both sides and makes the plan, unless somebody asks to stop.
async fn look(session: &mut Session<'_>, stop: &Stop) -> Result<(Sides, Plan), Failure> {
    let mut sides = tokio::select! {
        sides = session.fetch() => sides?,
        () = stop.wait() => return Err(Failure::new(Code::Interrupted, "stopped while reading; nothing was written")),
    };
    let plan = session.plan(&mut sides)?;
    Ok((sides, plan))
}

/// What applying the ready changes would cost.
fn estimate(plan: &Plan, snapshots: &Snapshots, connection: &Connection) -> Estimate {
    let approved = Review::by_policy(plan).approved();
    let steps = steps(&approved, snapshots, &connection.rules);
    let count = |service| steps.iter().filter(|step| step.act.service() == Some(service)).count();
    let estimates = steps.iter().filter(|step| matches!(&step.act, Act::Update { fields, .. } if costs_two(step.kind, fields)));
    Estimate::of(count(Service::Notion), count(Service::Clockify) + estimates.count(), &connection.pace)
}

/// A project's estimate has a request of its own.
fn costs_two<V>(kind: crate::domain::model::Kind, fields: &BTreeMap<crate::domain::model::Field, V>) -> bool {
    use crate::domain::model::{Field, Kind};
    kind == Kind::Project && fields.contains_key(&Field::Estimate) && fields.len() > 1
}

fn ready_of(saved: &Document) -> impl Iterator<Item = &ChangeDocument> {
    saved.changes().iter().filter(|change| change.state == State::Ready)
}

/// The saved plan's ready changes that a fresh plan does not propose any more, with what it proposes instead.
fn stale(saved: &Document, fresh: &Plan) -> Vec<What> {
    let now = fresh.by_id();
    ready_of(saved)
        .filter(|change| !now.contains_key(&ChangeId(change.id.clone())))
        .map(|change| {
            let instead = fresh.changes.iter().find(|now| now.page.to_string() == change.page_id);
            let instead = instead.map_or_else(
                || "now there is nothing to do".to_owned(),
                |now| format!("now it is to {}: {}", now.proposal.action, now.proposal.reason),
            );
            let because = format!("planned was to {}: {}; {instead}", change.action, change.reason);
            What::NotStarted { change: ChangeId(change.id.clone()), because }
        })
        .collect()
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

fn state_directory(settings: &Settings) -> Result<PathBuf, Failure> {
    settings.state_dir.clone().or_else(store::default_dir).ok_or_else(|| {
        Failure::new(Code::StateUnusable, "there is no home directory to keep the state in").hint("name one with --state-dir DIR")
    })
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

fn read_plan(file: &Path) -> Result<Document, Failure> {
    let refused = |because: &dyn std::fmt::Display| {
        Failure::new(Code::Error, format!("the plan {} cannot be used: {because}", file.display()))
            .hint("make a new plan with `punchlist plan --out FILE`")
    };
    let mut text = String::new();
    let opened = fs::File::open(file).map_err(|error| refused(&error))?;
    opened.take(PLAN_BYTES_MAX).read_to_string(&mut text).map_err(|error| refused(&error))?;
    Document::read(&text).map_err(|error| refused(&error))
}

/// Saves a plan whole or not at all, readable by its owner only: it names clients and projects.
fn save_plan(out: &Path, document: &Document) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(Code::Error, format!("could not save the plan to {}: {error}", out.display()));
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(to_json(document)?.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(out).map_err(|error| failed(error.error))?;
    Ok(())
}

fn to_json(value: &impl serde::Serialize) -> Result<String, Failure> {
    json(value).map_err(|error| Failure::new(Code::Error, error))
}

/// Prints on standard output. A reader that went away, as `head` does, is no error.
fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Error, format!("could not write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Flag before `NO_COLOR`, `NO_COLOR` before what the terminal can do; symbols as the locale says.
fn dress(global: &Global, environment: &Environment) -> Dress {
    let capable = io::stdout().is_terminal() && environment.get("TERM").is_some_and(|term| term != "dumb");
    let colour = match global.color {
        When::Always => true,
        When::Never => false,
        When::Auto => capable && environment.get("NO_COLOR").is_none(),
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
    let unicode = !locale.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    }) && environment.get("TERM") != Some("linux");
    Dress { colour, unicode }
}

/// Who runs this, for the audit trail.
fn who() -> String {
    let environment = Environment::of_process();
    let name = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| environment.get(name).map(str::to_owned));
    name.map_or_else(|| "unknown".to_owned(), |name| crate::domain::text::Display::of(&name).to_string())
}
