//! The real binary is killed at every boundary of an apply: at each request, before and after the service carries it
//! out, and at each commit of the journal, before and after it is on disk. Started again until it ends, it must come to
//! the same end as if nothing had happened. Power loss and a full disk come to the same end too.
//!
//! The end is compared as a picture of both services without their ids: the objects with their parents, states and
//! every field that nobody mapped, and for each page the object that it claims. So nothing may be there twice, lack, or
//! have been touched besides.
//!
//! `PUNCHLIST_CRASH_PAIRS=1` also kills the run that recovers, at each of its own requests.

#[cfg(all(unix, feature = "postgres"))]
mod server;

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use punchlist::{
    domain::{audit::Finding, journal::What},
    edge::{checkpoints::Checkpoints, store::Store},
    sandbox::{Client, Fault, FaultKind, Knobs, NotionId, Project, Task, World},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Rig, answered, sandbox};

/// No waiting between two looks, tasks move by policy, and projects tell what waits.
const RULES: &str = "rules.settle_seconds = 0\nrules.unsettled_minutes = 0\nrules.thresholds.move = 80\nmapping.projects.sync_status = \"Sync status\"\n";
/// Runs until all is done after a crash; the last one finds nothing to do.
const RUNS_MAX: usize = 5;
/// How long a boundary may take to come.
const DEADLINE: Duration = Duration::from_mins(1);

/// Where the story begins: both services and the state, in sync but for what people have done since.
struct Scene {
    world: World,
    state: TempDir,
    /// Where the state is on a server: makes one that is as it was then, and returns its address.
    again: Option<Box<dyn Fn() -> String>>,
    knobs: Knobs,
}

impl Scene {
    /// Everything that an apply can do: creates, updates, closes, moves and write-backs, in several levels, and what
    /// pages tell.
    fn new(knobs: Knobs) -> Self {
        Self::with_state(knobs, None, None)
    }

    /// The same with the state on a server.
    fn with_state(knobs: Knobs, server: Option<String>, again: Option<Box<dyn Fn() -> String>>) -> Self {
        let mut world = World::empty();
        let globex = world.add_client_page("Globex");
        let initech = world.add_client_page("Initech");
        let website = world.add_project_page("Website", globex);
        let support = world.add_project_page("Support", globex);
        let [design, build] = ["Design", "Build"].map(|name| world.add_task_page(name, website));
        let draft = world.add_task_page("Draft", support);
        let unmanaged = world.add_client("Somebody's own");
        world.edit_client(unmanaged, |client| client.note = Some("by hand".to_owned()));
        let rig = Rig::with_state(world, server);
        rig.add_column("Projects", "Sync status", json!({"rich_text": {}}));
        rig.configure(RULES);
        assert_eq!(rig.auto_approve().0, 0);
        {
            let mut world = rig.sandbox.world();
            for project in world.projects() {
                world.edit_project(project.id, |project| {
                    (project.billable, project.public) = (true, true);
                    "#ff5722".clone_into(&mut project.color);
                });
            }
            let acme = world.add_client_page("Acme");
            let relaunch = world.add_project_page("Relaunch", acme);
            for name in ["Kickoff", "Wrap-up"] {
                world.add_task_page(name, relaunch);
            }
            world.set_title(build, "Build it");
            world.set_relation(website, "Clients", &[initech]);
            world.set_relation(design, "Projects", &[support]);
            world.set(draft, "Status", "Done");
            world.set_claim_text(globex, "");
            // What waited does not any more.
            world.set_text(support, "Sync status", "Held");
        }
        let state = TempDir::new().expect("a directory");
        if again.is_none() {
            copy(&rig.home.path().join("state"), state.path());
        }
        let world = rig.sandbox.world().clone();
        Self { world, state, again, knobs }
    }

    fn rig(&self) -> Rig {
        self.rig_on(self.world.clone(), self.state.path())
    }

    fn rig_on(&self, world: World, state: &Path) -> Rig {
        let server = self.again.as_ref().map(|again| again());
        let rig = Rig { sandbox: sandbox(world), home: TempDir::new().expect("a directory"), server };
        rig.configure(RULES);
        *rig.sandbox.knobs() = self.knobs.clone();
        if self.again.is_none() {
            copy(state, &rig.home.path().join("state"));
        }
        rig
    }

    /// What becomes of it when nothing goes wrong.
    fn end(&self) -> Value {
        let rig = self.rig();
        let (code, report) = rig.auto_approve();
        assert_eq!((code, &report["failed"], &report["pending"]), (0, &json!(0), &json!(0)), "{report:#}");
        finish(&rig, "untouched")
    }

    /// Requests of an untouched run, of one on an old plan, and commits.
    fn boundaries(&self) -> (usize, usize, usize) {
        let [calls, old] = [None, Some(OLD)].map(|failpoint| {
            let rig = self.rig();
            let mut command = rig.command();
            command.arg("--auto-approve").envs(failpoint.map(|failpoint| ("PUNCHLIST_FAILPOINT", failpoint)));
            assert_eq!(command.output().expect("runs").status.code(), Some(0));
            rig.sandbox.calls().len()
        });
        let survives = |commit: usize| {
            let rig = self.rig();
            rig.run_at(&format!("commit:{commit}:abort"), &["--auto-approve"]).code == 0
        };
        // The number of commits is found by halving: beyond the last one nothing is hit.
        let (mut hit, mut beyond) = (1, 512);
        while beyond - hit > 1 {
            let middle = usize::midpoint(hit, beyond);
            if survives(middle) { beyond = middle } else { hit = middle }
        }
        (calls, old, hit)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copies");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("ours");
    }
}

/// Runs until there is nothing left to do, checks what must always hold, and returns the picture of the end.
#[track_caller]
fn finish(rig: &Rig, crash: &str) -> Value {
    rig.unlock();
    for run in 0.. {
        let (code, report) = rig.auto_approve();
        let lags = rig.sandbox.knobs().clockify_lag > 0;
        // What a lagging listing shows is doubtful for a while, and is left to a person.
        let fine =
            matches!(code, 0 | 4) || (code == 2 && lags) || (code == 1 && !rig.sandbox.knobs().faults.is_empty());
        assert!(fine, "{crash}: exit {code}: {report:#}\n{}", rig.run(&["plan"]).stdout);
        if code == 0 && report["outcome"] == "in_sync" {
            // What a page was told last may not be seen yet: the next run mends it.
            if lags {
                assert_eq!(rig.auto_approve().1["outcome"], "in_sync", "{crash}");
            }
            break;
        }
        assert!(run < RUNS_MAX, "{crash}: it does not come to rest: {report:#}");
    }
    let state = rig.home.path().join("state");
    let store = answered(Store::open_read_only(&rig.state())).expect("readable");
    let kept = Checkpoints::of(&state, Some(Checkpoints::beside(&state)), None).read(None).expect("readable");
    let verdict = answered(store.verify(&kept.checkpoints)).expect("readable");
    // Beside a state on a server nothing is kept of its log.
    let expected = if rig.server.is_some() { vec![Finding::NoCheckpoint] } else { vec![] };
    assert_eq!((kept.findings, verdict.findings), (vec![], expected), "{crash}: the journal's chain is whole");
    assert_eq!(answered(store.open_writes()).expect("readable"), [], "{crash}");
    let runs = answered(store.runs(100)).expect("readable");
    let events = runs.iter().flat_map(|run| answered(store.events(&run.id)).expect("readable"));
    let intents = events.filter(|event| matches!(event.what, What::Intent { .. })).count();
    let executed = rig.mutations().iter().filter(|call| call.executed).count();
    assert!(executed <= intents, "{crash}: {executed} writes and {intents} intents");
    assert!(rig.mutations().iter().all(|call| call.method != "DELETE"), "{crash}");
    picture(&rig.sandbox.world())
}

/// Both services without ids and times.
fn picture(world: &World) -> Value {
    let client_name = |id| world.client(id).map(|client| client.name.clone());
    let project_path =
        |id| world.project(id).map(|project| (project.client.and_then(client_name), project.name.clone()));
    let clients = world.clients().into_iter().map(|client| {
        let Client { name, note, archived, email, address, .. } = client;
        json!([name, note, archived, email, address])
    });
    let projects = world.projects().into_iter().map(|project| {
        let Project { name, client, note, archived, billable, public, color, .. } = project;
        json!([client.and_then(client_name), name, note, archived, billable, public, color])
    });
    let tasks = world.tasks().into_iter().map(|task| {
        let Task { name, project, done, billable, .. } = task;
        json!([project_path(project), name, done, billable])
    });
    let mut objects: Vec<Value> = clients.chain(projects).chain(tasks).collect();
    objects.sort_by_key(ToString::to_string);
    let claimed = |page: NotionId| {
        let claim = world.claim(page)?;
        let client =
            world.clients().into_iter().find(|client| client.id.to_string() == claim).map(|client| client.name);
        let project = world.projects().into_iter().find(|project| project.id.to_string() == claim);
        let task = world.tasks().into_iter().find(|task| task.id.to_string() == claim);
        client
            .or(project.map(|project| project.name))
            .or(task.map(|task| format!("{} of {:?}", task.name, project_path(task.project))))
    };
    let pages = ["Clients", "Projects", "Tasks"].into_iter().flat_map(|source| world.pages(source));
    let mut pages: Vec<Value> =
        pages.map(|page| json!([page.title, claimed(page.id), page.properties.get("Sync status")])).collect();
    pages.sort_by_key(ToString::to_string);
    json!({"objects": objects, "pages": pages})
}

/// Starts a run whose nth request from now is never answered, and kills it there. False when it ended before.
fn kill_at_request(rig: &Rig, number: usize, executed: bool, failpoint: Option<&str>) -> bool {
    let before = rig.sandbox.calls().len();
    let fault = Fault::new(FaultKind::Stall).nth(u32::try_from(number).expect("few"));
    rig.sandbox.knobs().faults = vec![if executed { fault.after_execution() } else { fault }];
    let mut command = rig.command();
    command.arg("--auto-approve").envs(failpoint.map(|failpoint| ("PUNCHLIST_FAILPOINT", failpoint)));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let reached = wait_for(&mut child, || rig.sandbox.calls().len() >= before + number);
    child.kill().expect("it is ours");
    child.wait().expect("it ends");
    rig.sandbox.knobs().faults.clear();
    reached
}

/// Waits until something is so; false when the process ended first.
fn wait_for(child: &mut Child, is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if child.try_wait().expect("it is ours").is_some() {
            return is_so();
        }
        assert!(begun.elapsed() < DEADLINE, "nothing happens");
        thread::park_timeout(Duration::from_micros(500));
    }
}

fn without_unique_names() -> Knobs {
    Knobs { unique_names: false, ..Knobs::default() }
}

/// The requests of the scene: 4 and 4 to read, 1 for the timers that may run on what is closed, 14 to write, 1 to list
/// what went along with a project, and 1 to look for what somebody else has created in the same moment.
const REQUESTS: usize = 25;

/// Those of the scene when what it rests on has become old: everything that is written to is read again.
const REQUESTS_OF_AN_OLD_PLAN: usize = 31;
/// What was fetched counts as old.
const OLD: &str = "fetched:1:old";

/// Its commits: the journal's, the registry's and the memory's.
const COMMITS: usize = 34;

fn killed_at_every_request(executed: bool, knobs: Knobs, requests: usize, failpoint: Option<&str>) {
    let scene = Scene::new(knobs);
    let end = scene.end();
    for number in 1..=requests {
        let rig = scene.rig();
        let crash = format!("killed at request {number}, executed: {executed}");
        assert!(kill_at_request(&rig, number, executed, failpoint), "{crash}: there is such a request");
        assert_eq!(finish(&rig, &crash), end, "{crash}");
    }
}

#[test]
fn killed_before_any_request_is_carried_out_the_end_is_the_same() {
    killed_at_every_request(false, without_unique_names(), REQUESTS, None);
}

#[test]
fn killed_after_any_request_is_carried_out_the_end_is_the_same() {
    killed_at_every_request(true, without_unique_names(), REQUESTS, None);
}

#[test]
fn killed_at_any_request_on_an_old_plan_the_end_is_the_same() {
    killed_at_every_request(true, without_unique_names(), REQUESTS_OF_AN_OLD_PLAN, Some(OLD));
}

#[test]
fn killed_while_listings_lag_the_end_is_the_same() {
    let knobs = Knobs { clockify_lag: 2, notion_lag: 1, ..without_unique_names() };
    killed_at_every_request(true, knobs, REQUESTS, None);
}

/// Kills the process at these commits.
fn killed_at_commits(scene: &Scene, point: &str, numbers: impl Iterator<Item = usize>) {
    let end = scene.end();
    for number in numbers {
        let rig = scene.rig();
        let crash = format!("killed at {point} {number}");
        let ran = rig.run_at(&format!("{point}:{number}:abort"), &["--auto-approve"]);
        assert_eq!(ran.code, -1, "{crash}: there is such a commit\n{}", ran.stderr);
        assert_eq!(finish(&rig, &crash), end, "{crash}");
    }
}

#[test]
fn killed_before_any_commit_the_end_is_the_same() {
    killed_at_commits(&Scene::new(without_unique_names()), "commit", 1..=COMMITS);
}

#[test]
fn killed_after_any_commit_the_end_is_the_same() {
    killed_at_commits(&Scene::new(without_unique_names()), "committed", 1..=COMMITS);
}

#[test]
fn a_panic_in_the_middle_is_told_and_the_end_is_the_same() {
    let scene = Scene::new(without_unique_names());
    let end = scene.end();
    for (point, number) in [("commit", COMMITS / 2), ("committed", COMMITS / 2), ("committed", COMMITS - 1)] {
        let rig = scene.rig();
        let crash = format!("a panic at {point} {number}");
        let ran = rig.run_at(&format!("{point}:{number}:panic"), &["--auto-approve"]);
        assert_eq!(ran.code, 101, "{crash}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("the fail point {point} was reached")), "{crash}: {}", ran.stderr);
        assert_eq!(finish(&rig, &crash), end, "{crash}");
    }
}

#[test]
fn killed_again_while_recovering_the_end_is_the_same() {
    let every = std::env::var("PUNCHLIST_CRASH_PAIRS").is_ok();
    let scene = Scene::new(without_unique_names());
    let end = scene.end();
    // The first create, the first of a second level, and the move of a task; all of them when asked.
    let firsts: Vec<usize> = if every { (1..=REQUESTS).collect() } else { vec![10, 14] };
    for first in firsts {
        for second in 1.. {
            let rig = scene.rig();
            assert!(kill_at_request(&rig, first, true, None), "there is a request {first}");
            let crash = format!("killed after request {first}, and while recovering after request {second}");
            let reached = kill_at_request(&rig, second, true, None);
            assert_eq!(finish(&rig, &crash), end, "{crash}");
            if !reached {
                break;
            }
        }
    }
}

/// The ends of the frames of a write-ahead log: where a commit ends, and just before it.
fn log_cuts(log: &[u8]) -> Vec<usize> {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let frames = (log.len() - HEADER) / FRAME;
    assert!(frames > 0 && log[8..12] == 4096_u32.to_be_bytes(), "a log of such pages");
    let commits = |frame: usize| log[HEADER + frame * FRAME + 4..][..4] != [0; 4];
    let cuts = (0..frames).filter(|frame| commits(*frame) || commits((frame + 1).min(frames - 1)));
    [HEADER].into_iter().chain(cuts.map(|frame| HEADER + (frame + 1) * FRAME)).collect()
}

/// Runs until there is nothing left to do, where the journal has forgotten some of what was done, and returns the picture
/// of the end.
#[track_caller]
fn finish_forgetful(rig: &Rig, crash: &str) -> Value {
    for run in 0.. {
        let (code, report) = rig.auto_approve();
        let left = rig.plan();
        let changes = left["changes"].as_array().expect("changes");
        // That a task has moved is known from the journal alone: whoever forgot it asks which of the two is meant.
        let asks = code == 2 && changes.iter().all(|change| change["name"] == "Design");
        assert!(code == 0 || asks, "{crash}: {report:#}\n{left:#}");
        if changes.is_empty() || (asks && report["applied"] == 0) {
            break;
        }
        assert!(run < RUNS_MAX, "{crash}: {report:#}");
    }
    picture(&rig.sandbox.world())
}

#[test]
fn after_a_power_loss_that_took_any_of_the_last_commits_the_end_is_the_same() {
    let scene = Scene::new(without_unique_names());
    let end = scene.end();
    let rig = scene.rig();
    // Killed at its last commit, it leaves the whole log behind.
    assert_eq!(rig.run_at(&format!("committed:{COMMITS}:abort"), &["--auto-approve"]).code, -1);
    let (world, state) = (rig.sandbox.world().clone(), rig.home.path().join("state"));
    let log = state.join("punchlist.sqlite3-wal");
    let whole = fs::read(&log).expect("a log");
    let cuts = log_cuts(&whole);
    assert!(cuts.len() > COMMITS, "{} cuts", cuts.len());
    for cut in cuts {
        fs::write(&log, &whole[..cut]).expect("writes");
        let rig = scene.rig_on(world.clone(), &state);
        let crash = format!("the log ends at byte {cut} of {}", whole.len());
        assert_eq!(finish_forgetful(&rig, &crash), end, "{crash}");
    }
}

#[test]
fn on_a_disk_that_fills_up_nothing_leaves_without_its_intent_and_the_next_run_goes_on() {
    let scene = Scene::new(without_unique_names());
    let end = scene.end();
    for number in 1..=COMMITS {
        let rig = scene.rig();
        let crash = format!("full from commit {number} on");
        let ran = rig.run_at(&format!("commit:{number}:stays-full"), &["--auto-approve"]);
        assert_eq!(ran.code, 6, "{crash}: {}", ran.stderr);
        assert!(ran.stderr.contains("the disk is full"), "{crash}: {}", ran.stderr);
        assert_eq!(finish(&rig, &crash), end, "{crash}");

        let rig = scene.rig();
        let crash = format!("full at commit {number}");
        let ran = rig.run_at(&format!("commit:{number}:full"), &["--auto-approve"]);
        let kept = !rig.home.path().join("state/reserve").exists();
        assert_eq!(
            ran.code,
            if kept { 0 } else { 6 },
            "{crash}: only the reserve helps, and only an answer: {}",
            ran.stderr
        );
        assert_eq!(finish(&rig, &crash), end, "{crash}");
    }
}

#[test]
fn no_boundary_escapes() {
    let boundaries = Scene::new(without_unique_names()).boundaries();
    let killed_at = (REQUESTS, REQUESTS_OF_AN_OLD_PLAN, COMMITS);
    assert_eq!(boundaries, killed_at, "a new request or commit must be killed at, too");
}
