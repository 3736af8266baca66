//! The command line: what was asked for, done, and said with an exit code.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::{
    demo::{self, Serving},
    doctor, explain,
    failure::{Code, RunError, tell_panics},
    help,
    hours::{self, Hours},
    init::{self, Flags, Made, Wish},
    logs::{self, Logs},
    manual, month, pending, plain,
    print::{page, say, say_json},
    progress::ProgressLine,
    secrets, serve,
    setup::{self, Global, Setup},
    state, stop,
    tell::{tell, tell_usage},
    text::{self, Styling, Typed},
    tui, unlink,
};
use crate::{
    domain::{
        explain::{Explained, Subject, explain},
        hours::{
            Period,
            month::{Accepting, Close},
        },
        journal::RunId,
        plan::{
            HoldCode,
            document::{Document, Saved},
        },
        reach::Reach,
        reference::NotFound,
        report::Report,
        rules::Allowance,
        text::Shown,
    },
    engine::{
        hours::seal_of,
        run::{Beside, Unattended},
        saved,
        session::{Established, Session, Sides},
    },
};

/// What starts an unattended run.
const AUTO_APPROVE: &str = "auto-approve";

/// What this is, with the commit and its day where whoever built it has said them: `0.1.0 (0123abcd 2026-11-29)`.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = option_env!("PUNCHLIST_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    format!("{}{commit}", env!("CARGO_PKG_VERSION"))
});

/// Keeps Clockify true to Notion.
///
/// Without a command, what differs is reviewed in the terminal, and what you approve is applied; where standard output is
/// no terminal, the plan is printed instead. Nothing is written until you say so.
#[derive(Parser)]
#[command(name = "punchlist", version = VERSION.as_str(), about, long_about, max_term_width = 100)]
struct Cli {
    /// Plan, apply what policy approves, and leave the rest for a person
    #[arg(long)]
    auto_approve: bool,
    /// Wait up to so many seconds, by chance, before anything is read: for machines that are started at the same moment
    #[arg(long, value_name = "SECONDS", requires = "auto_approve", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    jitter: Option<u32>,
    /// Only what belongs to this client, by its name or ID; also for several
    #[arg(long, value_name = "NAME|ID")]
    client: Vec<String>,
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// The command line with what stands below its help.
    fn with_help(at_length: String) -> clap::Command {
        Self::command().after_help(help::SHORT).after_long_help(at_length)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Print what differs and what would be done about it
    #[command(display_order = 1)]
    Plan {
        /// Save the plan, for `punchlist apply FILE`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Exit with 2 if there are changes, with 3 if a brake holds some
        #[arg(long)]
        detailed_exitcode: bool,
        /// Only what belongs to this client, by its name or ID; also for several
        #[arg(long, value_name = "NAME|ID")]
        client: Vec<String>,
    },
    /// Apply a saved plan: of its ready changes, those that still hold; or what has been approved of what waits
    #[command(display_order = 2)]
    Apply {
        /// The plan that `punchlist plan --out FILE` saved
        #[arg(required_unless_present = "pending")]
        file: Option<PathBuf>,
        /// Apply what was approved of the changes that wait for a person, and what that needs
        #[arg(long, conflicts_with_all = ["file", "allow"])]
        pending: bool,
        /// Let so many changes of a class through that a brake holds in this very plan, e.g. close=12
        #[arg(long, value_name = "CLASS=N")]
        allow: Vec<Allowance>,
    },
    /// Take back what a run wrote, as a plan that is reviewed like any other
    ///
    /// What the run changed gets its former values, what it closed is reopened, and what it created is closed: nothing
    /// is ever deleted. What has moved since is held. From then on both sides differ on purpose, so the next run does
    /// not do it again.
    #[command(display_order = 6)]
    Undo {
        /// The run, or the beginning of its name [default: the last one that wrote something]
        run: Option<String>,
        /// Save the plan, for `punchlist apply FILE`, instead of reviewing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Say why the plan says what it says about a page, an object or a change
    #[command(display_order = 5)]
    Explain {
        /// The name, ID or address of a page or an object, or the ID of a change
        #[arg(value_name = "WHAT")]
        id: String,
    },
    /// List what waits for a person, or decide about it
    #[command(display_order = 3)]
    Pending {
        #[command(subcommand)]
        act: Option<pending::Act>,
    },
    /// List what was ignored for good, or ask about it again
    #[command(display_order = 4)]
    Ignored {
        #[command(subcommand)]
        act: Option<pending::Ignored>,
    },
    /// Say who has the right to run, take it from a process that is known to be dead, or move the state
    #[command(display_order = 15)]
    State {
        #[command(subcommand)]
        act: state::Act,
    },
    /// End the link of a page, e.g. of one that Notion no longer shows; nothing is written to either side
    #[command(display_order = 14)]
    Unlink {
        /// The page: its ID or address
        page: String,
    },
    /// Show what was tracked in a period, against what is planned
    #[command(display_order = 7)]
    Hours(Hours),
    /// Seal a month, show it, and say what of it has changed since
    #[command(display_order = 8)]
    Month {
        #[command(subcommand)]
        act: month::Act,
    },
    /// Show, copy and verify the log of what was done
    #[command(display_order = 9)]
    Logs(Box<Logs>),
    /// Set secrets, exchange them for new ones, and say how old they are
    #[command(display_order = 13)]
    Secrets {
        #[command(subcommand)]
        act: secrets::Act,
    },
    /// Say whether everything is as a run needs it, and what mends it where it is not
    ///
    /// Nothing is written to either side, and nothing to the state but what was asked. Exits with 1 where something is
    /// broken.
    #[command(display_order = 11)]
    Doctor {
        #[command(subcommand)]
        what: Option<Cure>,
        /// Mend first what is safe to mend on this machine: permissions, missing directories, what ended runs have left
        #[arg(long)]
        fix: bool,
    },
    /// Set up: asks for both tokens, finds the databases, and shows the first plan
    #[command(display_order = 10)]
    Init(Box<Flags>),
    /// Keep the schedule and take calls, until it is stopped
    ///
    /// Runs by itself as `--auto-approve` does: at the times of schedule.cron, and when somebody calls who may,
    /// e.g. a button in Notion. The configuration says when and who.
    #[command(display_order = 12)]
    Serve {
        /// Prove that it could, say when it would run, and end
        #[arg(long, conflicts_with = "arm")]
        check: bool,
        /// Have the daemon accept the token with which Notion begins an event subscription, for a few minutes; afterwards,
        /// show it once
        #[arg(long, value_name = "NAME")]
        arm: Option<String>,
    },
    /// Serve both services, emulated, on loopback: for trying things out and for scripts
    #[command(display_order = 16)]
    Sandbox(Serving),
    /// Print what completes commands and flags in a shell
    ///
    /// For bash, say, save it as ~/.local/share/bash-completion/completions/punchlist.
    #[command(display_order = 17)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the page for man, e.g. for `punchlist man | man -l -`
    #[command(display_order = 18)]
    Man {
        /// Write it into a directory, along with a page for each command
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Print instead a configuration that says what each key means
        #[arg(long, conflicts_with = "out")]
        keys: bool,
    },
}

impl Command {
    /// True for those that write to a service, to the state or to the configuration, besides what every run notes.
    fn writes(&self) -> bool {
        match self {
            Self::Apply { .. } | Self::Unlink { .. } | Self::Secrets { .. } | Self::Init(_) => true,
            Self::Pending { act } => act.is_some(),
            Self::Ignored { act } => act.is_some(),
            Self::State { act } => !matches!(act, state::Act::Lock),
            Self::Month { act } => matches!(act, month::Act::Close { .. } | month::Act::Reopen { .. }),
            Self::Doctor { what, fix } => what.is_some() || *fix,
            Self::Serve { check, .. } => !check,
            Self::Plan { .. }
            | Self::Undo { .. }
            | Self::Explain { .. }
            | Self::Hours(_)
            | Self::Logs(_)
            | Self::Sandbox(_)
            | Self::Completions { .. }
            | Self::Man { .. } => false,
        }
    }
}

#[derive(Subcommand)]
enum Cure {
    /// Set the state aside and find all links again, by the IDs in Notion, the markers in Clockify and the names;
    /// nothing is written there
    Rebuild,
}

/// Does what the arguments of this process ask for.
pub fn main() -> ExitCode {
    // It takes nothing that could make it generic: it would be compiled where it is called from, and the whole program
    // with it, a second time.
    tell_panics();
    #[cfg(not(windows))]
    return work();
    // The first thread has too little room there. Elsewhere it has enough, and is the one that a signal stops.
    #[cfg(windows)]
    match std::thread::Builder::new()
        .stack_size(crate::edge::machine::STACK_BYTES)
        .spawn(work)
        .map(std::thread::JoinHandle::join)
    {
        Ok(Ok(code)) => code,
        // As the hook ends it before.
        Ok(Err(_)) => ExitCode::from(101),
        Err(error) => tell(&RunError::from(error), false),
    }
}

fn work() -> ExitCode {
    // A console of Windows takes sequences once it was asked whether it does.
    #[cfg(windows)]
    crossterm::ansi_support::supports_ansi();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = Cli::with_help(help::here()).try_get_matches_from(&arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // Nobody knows what else was meant, but that is clear.
        Err(error) => return tell_usage(&error, arguments.iter().any(|argument| argument == "--json")),
    };
    let as_json = cli.global.json;
    // One thread is enough: the work is waiting. The sandbox has its own.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell(&RunError::from(error), as_json),
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code.into(),
        Err(failure) => tell(&failure, as_json),
    }
}

async fn run(cli: Cli) -> Result<u8, RunError> {
    let Cli { mut global, auto_approve, jitter, client, command } = cli;
    if auto_approve && command.is_some() {
        return Err(
            RunError::new(Code::Usage, "--auto-approve goes without a command").hint("run `punchlist --auto-approve`")
        );
    }
    if global.read_only && (auto_approve || command.as_ref().is_some_and(Command::writes)) {
        return Err(RunError::new(Code::Usage, "--read-only goes with what only looks, and this writes")
            .hint("leave it out, or run `punchlist plan`"));
    }
    let reviews = matches!(command, None | Some(Command::Undo { out: None, .. }));
    if global.plain && (auto_approve || global.json || !reviews) {
        return Err(RunError::new(
            Code::Usage,
            "--plain is for the review: it goes without a command but undo, --auto-approve and --json",
        )
        .hint("run `punchlist --plain`, or leave it out: all other output is plain lines already"));
    }
    match command {
        None if auto_approve => {
            wait_by_chance(jitter.unwrap_or_default()).await?;
            let setup = Setup::load(&global).await?.only(client);
            Job::on(global, setup).auto_approve().await
        }
        None => {
            match init::welcome(&global, &setup::loader(&global))? {
                Some(Wish::Nothing) => return Ok(0),
                Some(Wish::SetUp) => return set_up(global, &Flags::default()).await,
                Some(Wish::Demo) => global.demo = true,
                None => {}
            }
            let setup = Setup::load(&global).await?.only(client);
            review(global, setup, None).await
        }
        Some(Command::Undo { run, out }) => {
            let setup = Setup::load(&global).await?;
            let undoes = Some(setup.installation.run_to_undo(run.as_deref()).await?);
            match out {
                Some(out) => Job::on(global, setup).plan(undoes, Some(&out), false).await,
                None => review(global, setup, undoes).await,
            }
        }
        Some(Command::Plan { out, detailed_exitcode, client }) => {
            let setup = Setup::load(&global).await?.only(client);
            Job::on(global, setup).plan(None, out.as_deref(), detailed_exitcode).await
        }
        Some(Command::Apply { file: Some(file), allow, pending: _ }) => {
            let setup = Setup::load(&global).await?;
            let saved = saved::read(&file, &setup.installation.checkpoints())?;
            Job::on(global, setup).apply(&saved, allow).await
        }
        Some(Command::Apply { file: None, .. }) => Job::begin(global).await?.apply_pending().await,
        Some(Command::Explain { id }) => Job::begin(global).await?.explain(&id).await,
        Some(Command::Pending { act: None }) => {
            let setup = Setup::load(&global).await?;
            pending::list(&setup.installation, &global).await.map(|()| Code::Done.into())
        }
        Some(Command::Pending { act: Some(act) }) => {
            pending::act(&Setup::load(&global).await?.installation, act, global.json).await.map(|()| Code::Done.into())
        }
        Some(Command::Ignored { act }) => {
            let setup = Setup::load(&global).await?;
            pending::ignored(&setup.installation, act, global.json).await.map(|()| Code::Done.into())
        }
        Some(Command::State { act }) => {
            let setup = Setup::to_look_back(&global).await?;
            state::state(&setup.installation, &act, global.json).await.map(|()| Code::Done.into())
        }
        Some(Command::Unlink { page }) => unlink::unlink(&Setup::load(&global).await?.installation, &page, global.json)
            .await
            .map(|()| Code::Done.into()),
        Some(Command::Doctor { what: None, fix }) => doctor::doctor(&global, fix).await,
        Some(Command::Doctor { what: Some(Cure::Rebuild), .. }) => {
            let setup = Setup::load(&global).await?;
            if global.demo {
                return Err(RunError::new(Code::Usage, "a demonstration has no state to rebuild"));
            }
            let aside = setup.installation.set_state_aside().await?;
            Job::on(global, setup).rebuilt(aside.as_deref()).await
        }
        Some(Command::Hours(hours)) => Job::begin(global).await?.hours(&hours).await,
        Some(Command::Month { act }) => month(global, act).await,
        Some(Command::Secrets { act }) => {
            let setup = Setup::to_look_back(&global).await?;
            secrets::act(&global, &setup.installation, act).await
        }
        Some(Command::Logs(what)) => logs::logs(&global, *what).await,
        Some(Command::Init(flags)) => set_up(global, &flags).await,
        Some(Command::Serve { check: false, arm: None }) => {
            let setup = Setup::load(&global).await?;
            setup.installation.diagnose(global.verbose);
            let put_off = by_chance(setup.installation.settings.schedule.jitter)?;
            serve::serve(setup.installation.clone(), put_off).await
        }
        Some(Command::Serve { arm: Some(name), .. }) => {
            serve::arm(&Setup::to_look_back(&global).await?.installation, &name).await
        }
        Some(Command::Serve { check: true, .. }) => {
            serve::check(&Setup::load(&global).await?.installation, global.json).await
        }
        Some(Command::Sandbox(serving)) => sandbox(&serving).await,
        Some(Command::Completions { shell }) => manual::completions(shell, Cli::command()).map(|()| 0),
        Some(Command::Man { keys: true, .. }) => say(manual::CONFIGURATION).map(|()| 0),
        Some(Command::Man { out, .. }) => manual::man(out.as_deref(), Cli::with_help(help::anywhere())).map(|()| 0),
    }
}

/// A part of a time that nobody can foresee.
fn by_chance(whole: Duration) -> Result<Duration, RunError> {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| RunError::new(Code::Error, "this machine gives no random numbers"))?;
    Ok(whole.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)))
}

/// Does something with a month; for what is sealed already no service is asked.
async fn month(global: Global, act: month::Act) -> Result<u8, RunError> {
    match act {
        month::Act::Close { month, accept, note } => {
            Job::begin(global).await?.close_month(month, Accepting { findings: accept, note }).await
        }
        month::Act::Verify { month } => Job::begin(global).await?.verify_month(month).await,
        month::Act::Show { month } => {
            let setup = Setup::to_look_back(&global).await?;
            let sealed = seal_of(&*setup.installation.read_state().await?, month).await?;
            month::tell_sealed(&global, &sealed).map(|()| Code::Done.into())
        }
        month::Act::Reopen { month } => {
            let setup = Setup::to_look_back(&global).await?;
            let mut state = setup.installation.open_state().await?;
            let sealed = setup.installation.reopen_month(&mut state, month).await?;
            if global.json {
                month::tell_sealed(&global, &sealed)?;
            } else {
                say(&format!("{month} is open again; the log keeps what it was sealed as.\n"))?;
            }
            Ok(Code::Done.into())
        }
    }
}

/// Waits for a part of some seconds that nobody can foresee.
async fn wait_by_chance(seconds: u32) -> Result<(), RunError> {
    if seconds == 0 {
        return Ok(());
    }
    let wait = by_chance(Duration::from_secs(seconds.into()))?;
    let stop = stop::listening()?;
    tokio::select! {
        () = tokio::time::sleep(wait) => Ok(()),
        () = stop.wait() => Err(RunError::new(Code::Interrupted, "stopped before anything was read")),
    }
}

/// Sets up, and shows the first plan.
async fn set_up(global: Global, flags: &Flags) -> Result<u8, RunError> {
    let Some(Made { established }) = init::init(&global, flags).await? else { return Ok(0) };
    let job = Job { established, ..Job::begin(global).await? };
    job.plan(None, None, false).await
}

/// Reviews both sides, or the undo of a run, where somebody is there to do so; otherwise prints the plan.
async fn review(global: Global, setup: Setup, undoes: Option<RunId>) -> Result<u8, RunError> {
    let asks = !global.json && !global.no_input;
    setup.installation.diagnose(global.verbose);
    if asks && plain::is_wanted(&global, &setup) {
        plain::review(global, setup, undoes).await
    } else if asks && tui::can_show() {
        tui::open(&global, setup, undoes).await
    } else {
        Job::on(global, setup).plan(undoes, None, false).await
    }
}

async fn sandbox(serving: &Serving) -> Result<u8, RunError> {
    let stop = stop::listening()?;
    let sandbox = demo::serve(serving).await?;
    say(&format!(
        "# Both services, emulated, at http://{} until Ctrl-C. {}\n\n{}",
        sandbox.address(),
        serving.next_step(),
        demo::configuration(&sandbox, serving)
    ))?;
    stop.wait().await;
    Ok(Code::Done.into())
}

/// A command that works on both sides, and how it says what it did.
struct Job {
    global: Global,
    styling: Styling,
    progress: ProgressLine,
    started: Instant,
    /// What a set-up has found out just now.
    established: Option<Established>,
    /// Dropped last: with `--demo` it takes the services and the state along.
    setup: Setup,
}

impl Job {
    async fn begin(global: Global) -> Result<Self, RunError> {
        let setup = Setup::load(&global).await?;
        Ok(Self::on(global, setup))
    }

    fn on(global: Global, setup: Setup) -> Self {
        let started = Instant::now();
        setup.installation.diagnose(global.verbose);
        let progress = ProgressLine::new(global.quiet, global.verbose > 0);
        progress.beat();
        Self { styling: global.styling(), global, progress, started, established: None, setup }
    }

    /// Does something in a run.
    async fn run<T>(
        &self,
        trigger: &'static str,
        beside: Beside,
        work: impl AsyncFnOnce(&mut Session<'_>) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let (patience, stop) = (self.global.lock_patience(), stop::listening()?);
        let mut runner = self.setup.installation.open(trigger, beside, patience, stop, self.progress.watch()).await?;
        let done = runner.run(trigger, work).await;
        self.progress.clear();
        done
    }

    /// How this was asked for, for what to type next.
    fn typed<'a>(&self, out: Option<&'a Path>) -> Typed<'a> {
        let clients = match &self.setup.installation.reach {
            Reach::Clients(clients) => {
                clients.iter().flat_map(|client| [" --client ".to_owned(), text::for_shell(client)]).collect()
            }
            Reach::Nobody | Reach::Everybody => String::new(),
        };
        Typed { command: self.global.command(), clients, out }
    }

    async fn plan(self, undoes: Option<RunId>, out: Option<&Path>, detailed: bool) -> Result<u8, RunError> {
        let planning = async |session: &mut Session<'_>| {
            session.undoes = undoes;
            session.established.clone_from(&self.established);
            let (sides, plan) = session.fetch_and_plan().await?;
            let cost = session.cost(&plan, &sides);
            if !self.global.read_only {
                session.leave_waiting(&plan).await?;
            }
            let review = session.decided(Arc::new(plan), "policy").await?;
            session.close("planned").await?;
            Ok((review, cost))
        };
        let (review, cost) = self.run("plan", Beside::Copied, planning).await?;
        let (plan, decided) = (review.plan(), review.decided());
        let mut document = Document::of(plan, &decided, cost);
        let signed = saved::sign(&mut document, &self.setup.installation.checkpoints());
        // A plan that is only looked at needs nobody who vouches for it.
        if let Some(out) = out {
            signed?;
            saved::save(out, &document)?;
        }
        if self.global.json {
            say_json(&document)?;
        } else {
            page(&text::plan(&review, cost, &self.typed(out), self.styling), &self.global)?;
        }
        let braked =
            plan.changes.iter().any(|change| change.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::Brake));
        Ok(match (detailed, braked, plan.changes.is_empty()) {
            (false, _, _) | (true, _, true) => Code::Done,
            (true, true, false) => Code::Braked,
            (true, false, false) => Code::Waiting,
        }
        .into())
    }

    async fn auto_approve(self) -> Result<u8, RunError> {
        let (patience, stop) = (self.global.lock_patience(), stop::listening()?);
        let installation = &self.setup.installation;
        let job = Unattended {
            face: AUTO_APPROVE,
            trigger: AUTO_APPROVE.to_owned(),
            run: None,
            applied: installation.reach.clone(),
            before: Vec::new(),
        };
        let ended = installation.run_unattended(job, patience, stop, self.progress.watch(), self.started).await;
        self.progress.clear();
        self.report(&ended?)
    }

    async fn explain(self, id: &str) -> Result<u8, RunError> {
        let explaining = async |session: &mut Session<'_>| {
            let (sides, plan) = session.fetch_and_plan().await?;
            let Sides { snapshots, registry, .. } = &sides;
            let subject = Subject::find(id, &plan, registry, snapshots).map_err(|unclear| match unclear {
                NotFound::Unknown => {
                    RunError::new(Code::Error, format!("no page, object or change is {}", Shown::of(id)))
                        .hint("give its name, its ID or its address; `punchlist plan` shows the IDs of changes")
                }
                NotFound::Several(told, count) => RunError::ambiguous(id, &told, count),
            })?;
            let decided = session.decided(&plan, "policy").await?.decided();
            session.close("explained").await?;
            let mut explained = explain(subject, &plan, snapshots, registry, &self.setup.installation.settings.rules);
            for Explained { change, .. } in &mut explained.changes {
                change.decided = decided.get(&change.id).cloned();
            }
            Ok(explained)
        };
        let explained = self.run("explain", Beside::Copied, explaining).await?;
        explain::print(&explained, &self.setup.installation.settings.places, &self.global)?;
        Ok(Code::Done.into())
    }

    async fn hours(self, hours: &Hours) -> Result<u8, RunError> {
        let wanted = hours.wanted(&self.global, &self.setup)?;
        let reckoning = async |session: &mut Session<'_>| {
            let reckoned = session.hours(&wanted).await?;
            session.close("reckoned").await?;
            Ok(reckoned)
        };
        let reckoned = self.run("hours", Beside::Copied, reckoning).await?;
        hours.tell(&self.global, &reckoned).map(|()| Code::Done.into())
    }

    async fn close_month(self, month: Period, accepting: Accepting) -> Result<u8, RunError> {
        let wanted = hours::wanted(&self.setup, Some(month));
        let closing = async |session: &mut Session<'_>| {
            let closed = session.close_month(&wanted, month, &accepting).await?;
            session.close(if matches!(closed.1, Close::Sealed(_)) { "sealed" } else { "not sealed" }).await?;
            Ok(closed)
        };
        let (reckoned, close) = self.run("month close", Beside::Refused, closing).await?;
        Ok(month::tell_close(&self.global, month, &reckoned, &close)?.into())
    }

    async fn verify_month(self, month: Period) -> Result<u8, RunError> {
        let wanted = hours::wanted(&self.setup, Some(month));
        let verifying = async |session: &mut Session<'_>| {
            let verified = session.verify_month(&wanted, month).await?;
            session.close("verified").await?;
            Ok(verified)
        };
        let (sealed, changes) = self.run("month verify", Beside::Copied, verifying).await?;
        Ok(month::tell_changes(&self.global, &sealed, &changes)?.into())
    }

    /// Applies what people have approved, and what that needs.
    async fn apply_pending(self) -> Result<u8, RunError> {
        let applying = async |session: &mut Session<'_>| {
            let (sides, plan) = session.fetch_and_plan().await?;
            let mut review = session.decided(&plan, "policy").await?;
            review.approve_recalled();
            let approved = review.approved();
            let (plan, stopped) = session.apply(sides, plan, approved).await?;
            Ok(session.finish(&plan, stopped, self.started.elapsed().as_secs_f64()).await?)
        };
        self.report(&self.run("apply pending", Beside::Refused, applying).await?)
    }

    async fn apply(self, saved: &Saved, allow: Vec<Allowance>) -> Result<u8, RunError> {
        let applying = async |session: &mut Session<'_>| {
            let (plan, stopped) = session.apply_saved(saved, allow).await?;
            Ok(session.finish(&plan, stopped, self.started.elapsed().as_secs_f64()).await?)
        };
        self.report(&self.run("apply", Beside::Refused, applying).await?)
    }

    /// Finds all links again on a state that is new, and says what is left to decide.
    async fn rebuilt(self, aside: Option<&Path>) -> Result<u8, RunError> {
        let rebuilding = async |session: &mut Session<'_>| {
            let (sides, plan) = session.fetch_and_plan().await?;
            let cost = session.cost(&plan, &sides);
            let review = session.decided(Arc::new(plan), "policy").await?;
            session.close("rebuilt").await?;
            Ok((review, cost, sides.registry.len()))
        };
        let (review, cost, links) = self.run("rebuild", Beside::Refused, rebuilding).await?;
        if self.global.json {
            say_json(&Document::of(review.plan(), &review.decided(), cost))?;
            return Ok(Code::Done.into());
        }
        if let Some(aside) = aside {
            say(&format!("The old state is kept as {}.\n", aside.display()))?;
        }
        say(&format!("{links} links were found again. What is left:\n\n"))?;
        say(&text::plan(&review, cost, &self.typed(None), self.styling))?;
        Ok(Code::Done.into())
    }

    fn report(&self, report: &Report) -> Result<u8, RunError> {
        if self.global.json {
            say_json(report)?;
        } else {
            say(&(text::applied(report, self.styling) + &text::report(report, self.styling)))?;
        }
        Ok(report.outcome.code().into())
    }
}
