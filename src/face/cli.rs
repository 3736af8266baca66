//! The command line: what was asked for, done, and said with an exit code.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use jiff::Timestamp;

use super::{
    demo, explain,
    failure::{Code, Failure, tell_panics},
    logs::{self, Logs},
    notify, pending, plain,
    progress::Progress,
    stop,
    text::{self, Dress},
    tui, unlink,
    workplace::{Beside, Global, Setup, Workplace, look, who},
};
use crate::domain::{
    explain::{Subject, explain},
    journal::{RunId, What},
    plan::{
        ChangeId, HoldCode, Plan, Scope, State,
        document::{ChangeDocument, Document, Signature},
        sha256,
    },
    report::Report,
    review::Review,
    rules::Allowance,
    steps::estimate,
    text::{Display, json},
};
use crate::{
    edge::{
        checkpoints::{Checkpoints, is_signed},
        saved,
    },
    engine::session::Sides,
};

/// What starts an unattended run.
const AUTO_APPROVE: &str = "auto-approve";
/// Bytes of a saved plan that are read.
const PLAN_BYTES_MAX: u64 = 512 << 20;
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
    /// Wait up to so many seconds, by chance, before anything is read: for machines that are started at the same moment
    #[arg(long, value_name = "SECONDS", requires = "auto_approve", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    jitter: Option<u32>,
    #[command(subcommand)]
    command: Option<Command>,
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
    /// Apply a saved plan: of its ready changes, those that still hold; or what has been approved of what waits
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
    /// What the run changed gets its former values, what it closed is reopened, and what it created is closed: nothing is ever deleted.
    /// What has moved since is held. From then on both sides differ on purpose, so the next run does not do it again.
    Undo {
        /// The run, or the beginning of its name [default: the last one that wrote something]
        run: Option<String>,
        /// Save the plan, for `punchlist apply FILE`, instead of reviewing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Say why the plan says what it says about a page, an object or a change
    Explain {
        /// The ID of a page, an object or a change
        id: String,
    },
    /// List what waits for a person, or decide about it
    Pending {
        #[command(subcommand)]
        act: Option<pending::Act>,
    },
    /// List what was ignored for good, or ask about it again
    Ignored {
        #[command(subcommand)]
        act: Option<pending::Ignored>,
    },
    /// End the link of a page, e.g. of one that Notion no longer shows; nothing is written to either side
    Unlink {
        /// The page: its ID or address
        page: String,
    },
    /// Show, copy and verify the log of what was done
    Logs(Box<Logs>),
    /// Mend what is broken
    Doctor {
        #[command(subcommand)]
        what: Cure,
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

#[derive(Subcommand)]
enum Cure {
    /// Set the state aside and find all links again, by the IDs in Notion, the markers in Clockify and the names; nothing is written there
    Rebuild,
}

/// Does what the arguments ask for.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    tell_panics();
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
    let Cli { global, auto_approve, jitter, command } = cli;
    if auto_approve && command.is_some() {
        return Err(Failure::new(Code::Usage, "--auto-approve goes without a command").hint("run `punchlist --auto-approve`"));
    }
    let reviews = matches!(command, None | Some(Command::Undo { out: None, .. }));
    if global.plain && (auto_approve || global.json || !reviews) {
        return Err(Failure::new(
            Code::Usage,
            "--plain is for the review: it goes without a command but undo, --auto-approve and --json",
        )
        .hint("run `punchlist --plain`, or leave it out: all other output is plain lines already"));
    }
    match command {
        None if auto_approve => {
            wait_by_chance(jitter.unwrap_or_default()).await?;
            Job::begin(global, AUTO_APPROVE, Beside::Refused).await?.auto_approve().await
        }
        None => {
            let setup = Setup::load(&global).await?;
            review(global, setup, None).await
        }
        Some(Command::Undo { run, out }) => {
            let setup = Setup::load(&global).await?;
            let undoes = Some(setup.run_to_undo(run.as_deref())?);
            match out {
                Some(out) => Job::on(global, setup, "plan", Beside::Copied).await?.plan(undoes, Some(&out), false).await,
                None => review(global, setup, undoes).await,
            }
        }
        Some(Command::Plan { out, detailed_exitcode }) => {
            Job::begin(global, "plan", Beside::Copied).await?.plan(None, out.as_deref(), detailed_exitcode).await
        }
        Some(Command::Apply { file: Some(file), allow, pending: _ }) => {
            let setup = Setup::load(&global).await?;
            let saved = read_plan(&file, &setup.checkpoints()?)?;
            Job::on(global, setup, "apply", Beside::Refused).await?.apply(&saved, allow).await
        }
        Some(Command::Apply { file: None, .. }) => {
            Job::begin(global, "apply pending", Beside::Refused).await?.apply_pending().await
        }
        Some(Command::Explain { id }) => Job::begin(global, "explain", Beside::Copied).await?.explain(&id).await,
        Some(Command::Pending { act: None }) => {
            let setup = Setup::load(&global).await?;
            pending::list(&setup, global.json).map(|()| 0)
        }
        Some(Command::Pending { act: Some(act) }) => pending::act(&Setup::load(&global).await?, &act).map(|()| 0),
        Some(Command::Ignored { act }) => {
            let setup = Setup::load(&global).await?;
            pending::ignored(&setup, act.as_ref(), global.json).map(|()| 0)
        }
        Some(Command::Unlink { page }) => unlink::unlink(&Setup::load(&global).await?, &page).map(|()| 0),
        Some(Command::Doctor { what: Cure::Rebuild }) => {
            let setup = Setup::load(&global).await?;
            let aside = setup.set_state_aside()?;
            Job::on(global, setup, "rebuild", Beside::Refused).await?.rebuilt(aside.as_deref()).await
        }
        Some(Command::Logs(what)) => logs::logs(&global, *what).await,
        Some(Command::Sandbox { listen, empty }) => sandbox(listen, empty).await,
    }
}

/// Waits for a part of some seconds that nobody can foresee.
async fn wait_by_chance(seconds: u32) -> Result<(), Failure> {
    if seconds == 0 {
        return Ok(());
    }
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::new(Code::Error, "this machine gives no random numbers"))?;
    let share = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
    let stop = stop::listening()?;
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs_f64(f64::from(seconds) * share)) => Ok(()),
        () = stop.wait() => Err(Failure::new(Code::Interrupted, "stopped before anything was read")),
    }
}

/// Reviews both sides, or the undo of a run, where somebody is there to do so; otherwise prints the plan.
async fn review(global: Global, setup: Setup, undoes: Option<RunId>) -> Result<u8, Failure> {
    let asks = !global.json && !global.no_input;
    setup.diagnose(global.verbose)?;
    if asks && plain::is_wanted(&global, &setup) {
        plain::review(global, setup, undoes).await
    } else if asks && tui::can_show() {
        tui::open(&global, setup, undoes).await
    } else {
        Job::on(global, setup, "plan", Beside::Copied).await?.plan(undoes, None, false).await
    }
}

async fn sandbox(listen: SocketAddr, empty: bool) -> Result<u8, Failure> {
    let stop = stop::listening()?;
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

/// A command that works on both sides, and how it says what it did.
struct Job {
    global: Global,
    dress: Dress,
    progress: Progress,
    workplace: Workplace,
    started: Instant,
    /// Dropped last: with `--demo` it takes the services and the state along.
    setup: Setup,
}

impl Job {
    async fn begin(global: Global, trigger: &'static str, beside: Beside) -> Result<Self, Failure> {
        let setup = Setup::load(&global).await?;
        Self::on(global, setup, trigger, beside).await
    }

    async fn on(global: Global, setup: Setup, trigger: &'static str, beside: Beside) -> Result<Self, Failure> {
        let started = Instant::now();
        setup.diagnose(global.verbose)?;
        let progress = Progress::new(global.quiet, global.verbose > 0);
        progress.beat();
        let opened = Workplace::open(&setup, stop::listening()?, progress.watch(), trigger, global.lock_patience(), beside).await;
        if trigger == AUTO_APPROVE {
            notify::tell_of_lock(&setup, opened.as_ref().err()).await;
        }
        let workplace = opened?;
        Ok(Self { dress: global.dress(), global, progress, workplace, started, setup })
    }

    async fn plan(mut self, undoes: Option<RunId>, out: Option<&Path>, detailed: bool) -> Result<u8, Failure> {
        let planned = self
            .workplace
            .in_session("plan", async |session, stop, connection| {
                session.undoes = undoes;
                let (sides, plan) = look(session, stop).await?;
                let estimate = estimate(&plan, &sides.snapshots, &connection.rules, &connection.pace);
                let document = Document::of(&plan, Timestamp::now(), session.calls(), estimate);
                session.close("planned")?;
                Ok((plan, document, estimate))
            })
            .await;
        self.progress.clear();
        let (plan, mut document, estimate) = planned?;
        let signed = self.setup.checkpoints()?.sign(&document.signed_text());
        document.signature = match signed {
            Ok((key, value)) => Some(Signature { key, value }),
            // A plan that is only looked at needs nobody who vouches for it.
            Err(_) if out.is_none() => None,
            Err(error) => return Err(error.into()),
        };
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
        let ended = self
            .workplace
            .in_session(AUTO_APPROVE, async |session, stop, _| {
                session.unattended = true;
                let (sides, plan) = look(session, stop).await?;
                let mut review = session.decided(&plan)?;
                review.approve_undecided(|change| change.state == State::Ready);
                let approved = review.approved();
                let (plan, stopped) = session.apply(sides, plan, approved).await?;
                let report = session.finish(&plan, stopped, started.elapsed().as_secs_f64())?;
                Ok((report, plan.scope))
            })
            .await;
        self.progress.clear();
        notify::tell(&self.setup, &mut self.workplace, &ended).await;
        self.report(&ended?.0)
    }

    async fn explain(mut self, id: &str) -> Result<u8, Failure> {
        let explained = self
            .workplace
            .in_session("explain", async |session, stop, connection| {
                let (sides, plan) = look(session, stop).await?;
                let Sides { snapshots, registry, .. } = &sides;
                let subject = Subject::find(id, &plan, registry, snapshots).ok_or_else(|| {
                    Failure::new(Code::Error, format!("no page, object or change with the ID {} is seen", Display::of(id)))
                        .hint("`punchlist plan --json` names the IDs of all changes and notices")
                })?;
                session.close("explained")?;
                Ok(explain(subject, &plan, snapshots, registry, &connection.rules))
            })
            .await;
        self.progress.clear();
        explain::print(&explained?, self.workplace.places(), self.global.json)?;
        Ok(0)
    }

    /// Applies what people have approved, and what that needs.
    async fn apply_pending(mut self) -> Result<u8, Failure> {
        let started = self.started;
        let report = self
            .workplace
            .in_session("apply pending", async |session, stop, _| {
                let (sides, plan) = look(session, stop).await?;
                let mut review = session.decided(&plan)?;
                review.approve_recalled();
                let approved = review.approved();
                let (plan, stopped) = session.apply(sides, plan, approved).await?;
                Ok(session.finish(&plan, stopped, started.elapsed().as_secs_f64())?)
            })
            .await;
        self.report(&report?)
    }

    /// Applies, of a saved plan's ready changes, those that a fresh plan proposes unchanged. The rest is refused as stale.
    async fn apply(mut self, saved: &Document, allow: Vec<Allowance>) -> Result<u8, Failure> {
        let started = self.started;
        let report = self
            .workplace
            .in_session("apply", async |session, stop, connection| {
                let rules = sha256(&connection.rules);
                if saved.scope().rules != rules {
                    return Err(Failure::new(Code::Error, "the plan was made with other rules than those of the configuration")
                        .hint("make a new plan with `punchlist plan --out FILE`"));
                }
                session.undoes.clone_from(&saved.scope().undoes);
                let (mut sides, mut plan) = look(session, stop).await?;
                let scope = |scope: &Scope| (scope.notion_workspace.clone(), scope.clockify_workspace.clone());
                if scope(saved.scope()) != scope(&plan.scope) {
                    return Err(Failure::new(Code::Refused, "the plan was made for other workspaces")
                        .hint("use the configuration that it was made with"));
                }
                let mut ready: BTreeSet<&str> = ready_of(saved).map(|change| change.id.as_str()).collect();
                if !allow.is_empty() {
                    if plan.hash != saved.plan_hash {
                        return Err(Failure::new(
                            Code::Error,
                            "something has changed since the plan was saved, and --allow holds for that plan alone",
                        )
                        .hint("make a new plan with `punchlist plan --out FILE`, and look at what it holds"));
                    }
                    session.release(&who(), allow)?;
                    plan = session.plan(&mut sides)?;
                    let let_through = plan.changes.iter().filter(|change| change.state == State::Ready);
                    let let_through: BTreeSet<&str> = let_through.map(|change| change.id.0.as_str()).collect();
                    let held = saved.changes().iter().filter(|change| change.hold.is_some());
                    ready.extend(held.map(|change| change.id.as_str()).filter(|id| let_through.contains(id)));
                }
                // What the file calls ready is ready where the plan of this moment says so, or where a person has approved it.
                let mut review = session.decided(&plan)?;
                let asked: BTreeSet<&str> = saved.changes().iter().map(|change| change.id.as_str()).collect();
                let others = (0..plan.changes.len()).filter(|&at| !asked.contains(plan.changes[at].id.0.as_str()));
                review.decide(&others.collect::<Vec<_>>(), None);
                review.approve_undecided(|change| change.state == State::Ready && ready.contains(change.id.0.as_str()));
                session.refuse_stale(stale(saved, &review))?;
                let approved = review.approved();
                let (plan, stopped) = session.apply(sides, plan, approved).await?;
                Ok(session.finish(&plan, stopped, started.elapsed().as_secs_f64())?)
            })
            .await;
        self.report(&report?)
    }

    /// Finds all links again on a state that is new, and says what is left to decide.
    async fn rebuilt(mut self, aside: Option<&Path>) -> Result<u8, Failure> {
        let planned = self
            .workplace
            .in_session("rebuild", async |session, stop, connection| {
                let (sides, plan) = look(session, stop).await?;
                let estimate = estimate(&plan, &sides.snapshots, &connection.rules, &connection.pace);
                let document = Document::of(&plan, Timestamp::now(), session.calls(), estimate);
                session.close("rebuilt")?;
                Ok((plan, document, estimate, sides.registry.len()))
            })
            .await;
        self.progress.clear();
        let (plan, document, estimate, links) = planned?;
        if self.global.json {
            say(&format!("{}\n", to_json(&document)?))?;
            return Ok(0);
        }
        if let Some(aside) = aside {
            say(&format!("The old state is kept as {}.\n", aside.display()))?;
        }
        say(&format!("{links} links were found again. What is left:\n\n"))?;
        say(&text::plan(&plan, document.calls, estimate, self.dress))?;
        Ok(0)
    }

    fn report(&self, report: &Report) -> Result<u8, Failure> {
        self.progress.clear();
        if self.global.json {
            say(&format!("{}\n", to_json(report)?))?;
        } else {
            say(&text::report(report, self.dress))?;
        }
        Ok(report.outcome.exit_code())
    }
}

fn ready_of(saved: &Document) -> impl Iterator<Item = &ChangeDocument> {
    saved.changes().iter().filter(|change| change.state == State::Ready)
}

/// The saved plan's ready changes that a fresh plan would make otherwise, or leaves to a person. Where it has nothing to do, what was
/// planned is so already.
fn stale(saved: &Document, review: &Review<&Plan>) -> Vec<What> {
    let fresh = review.plan();
    let why = |change: &ChangeDocument| {
        let Some(at) = review.place(&ChangeId(change.id.clone())) else { return change.stale(fresh) };
        let now = &fresh.changes[at];
        let waits = now.state == State::Review && review.verdict(at).decision.is_none();
        waits.then(|| format!("it is for a person to decide ({} %): {}", now.proposal.confidence, now.proposal.reason))
    };
    let stale = ready_of(saved).filter_map(|change| Some((ChangeId(change.id.clone()), why(change)?)));
    stale.map(|(change, because)| What::NotStarted { change, because }).collect()
}

/// Reads a saved plan that our own planner has made, and nobody has changed since.
fn read_plan(file: &Path, checkpoints: &Checkpoints) -> Result<Document, Failure> {
    let refused = |because: &dyn std::fmt::Display| {
        Failure::new(Code::Error, format!("the plan {} cannot be used: {because}", file.display()))
            .hint("make a new plan with `punchlist plan --out FILE`")
    };
    let text = saved::read(file, PLAN_BYTES_MAX).map_err(|error| refused(&error))?;
    let document = Document::read(&text).map_err(|error| refused(&error))?;
    let Some(Signature { key, value }) = &document.signature else {
        return Err(refused(&"it is not signed: an older version has made it, or somebody else"));
    };
    if checkpoints.public_key()?.as_ref() != Some(key) {
        return Err(refused(
            &"it is signed with another key than this state's: it was made with another state, or by somebody else",
        ));
    }
    if !is_signed(&document.signed_text(), key, value) {
        return Err(refused(&"its signature does not hold: somebody else has sealed it"));
    }
    Ok(document)
}

/// Saves a plan whole or not at all, readable by its owner only: it names clients and projects.
fn save_plan(out: &Path, document: &Document) -> Result<(), Failure> {
    let text = format!("{}\n", to_json(document)?);
    let failed = |error| Failure::new(Code::Error, format!("could not save the plan to {}: {error}", out.display()));
    saved::save(out, &text).map_err(failed)
}

fn to_json(value: &impl serde::Serialize) -> Result<String, Failure> {
    json(value).map_err(|error| Failure::new(Code::Error, error))
}

/// Prints on standard output. A reader that went away, as `head` does, is no error.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Error, format!("could not write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
