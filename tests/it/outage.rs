//! An outage is paid for once, and not row by row: whatever a service does for ever, a run ends soon, after few
//! requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use punchlist::{
    domain::model::Kind,
    sandbox::{ClockifyId, Fault, FaultKind, NotionId, Service, World},
};
use serde_json::{Value, json};

use crate::support::{Ran, Rig, done};

const ROWS: usize = 40;
/// Requests that a run may make beyond what reading both sides takes.
const CALLS_MAX: usize = 20;
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// Lines that a report may have for it.
const LINES_MAX: usize = 6;
/// Runs at once; they wait most of the time.
const AT_ONCE: usize = 36;

/// What there is to do, forty times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    /// New pages.
    New(Kind),
    /// Titles that were changed.
    Renamed(Kind),
    /// Pages that were closed.
    Closed(Kind),
    /// Names that were changed on both sides, of which Clockify's count.
    Disputed(Kind),
    /// Tasks that have another project.
    Moved,
    /// New tasks, each in a project of its own, where each project has a listing of its own.
    NewFarApart,
}

use Work::{Closed, Disputed, Moved, New, NewFarApart, Renamed};

/// What breaks: the service, method and path of the requests that fail for ever, and whether what was read is too old
/// to build on.
#[derive(Clone, Copy)]
struct Target {
    name: &'static str,
    work: Work,
    service: Service,
    method: &'static str,
    path: &'static str,
    aged: bool,
    /// The first request that fails.
    nth: u32,
    /// Requests for what is done all the same, and not in vain.
    done: usize,
}

const fn target(name: &'static str, work: Work, service: Service, method: &'static str, path: &'static str) -> Target {
    Target { name, work, service, method, path, aged: false, nth: 1, done: 0 }
}

impl Target {
    const fn aged(self, nth: u32) -> Self {
        Self { aged: true, nth, ..self }
    }

    const fn besides(self, done: usize) -> Self {
        Self { done, ..self }
    }
}

const NEW: Work = New(Kind::Client);
const RENAMED: Work = Renamed(Kind::Client);

/// What fails in each of the ways in which a service can fail.
const TARGETS: [Target; 8] = [
    target("Notion's listings", NEW, Service::Notion, "POST", "/query"),
    target("all of Notion", NEW, Service::Notion, "", ""),
    target("all of Clockify", NEW, Service::Clockify, "", ""),
    target("creates", NEW, Service::Clockify, "POST", "/clients"),
    target("write-backs", NEW, Service::Notion, "PATCH", "/v1/pages/"),
    target("updates", RENAMED, Service::Clockify, "PUT", "/clients/"),
    target("readings before updates", RENAMED, Service::Clockify, "GET", "/clients").aged(2),
    target("all of Clockify but its listings", RENAMED, Service::Clockify, "", "/clients/").aged(1),
];

/// What fails in each of the ways that differ in kind: every other write of every kind of row, and what it rests on.
const FURTHER: [Target; 24] = [
    target("creates of projects", New(Kind::Project), Service::Clockify, "POST", "/projects"),
    target("write-backs of projects", New(Kind::Project), Service::Notion, "PATCH", "/v1/pages/"),
    target("updates of projects", Renamed(Kind::Project), Service::Clockify, "PUT", "/projects/"),
    target("readings of projects", Renamed(Kind::Project), Service::Clockify, "GET", "/projects").aged(2),
    target("creates of tasks", New(Kind::Task), Service::Clockify, "POST", "/tasks"),
    target("looks before creates of tasks", New(Kind::Task), Service::Clockify, "GET", "/projects").aged(2),
    target("write-backs of tasks", New(Kind::Task), Service::Notion, "PATCH", "/v1/pages/"),
    target("updates of tasks", Renamed(Kind::Task), Service::Clockify, "PUT", "/tasks/"),
    target("readings of tasks", Renamed(Kind::Task), Service::Clockify, "GET", "/projects").aged(2),
    target("all about single tasks", Renamed(Kind::Task), Service::Clockify, "", "/tasks/").aged(1),
    target("closes of clients", Closed(Kind::Client), Service::Clockify, "PUT", "/clients/"),
    target("closes of projects", Closed(Kind::Project), Service::Clockify, "PUT", "/projects/"),
    target("closes of tasks", Closed(Kind::Task), Service::Clockify, "PUT", "/tasks/"),
    target("values in pages of clients", Disputed(Kind::Client), Service::Notion, "PATCH", "/v1/pages/"),
    target("values in pages of projects", Disputed(Kind::Project), Service::Notion, "PATCH", "/v1/pages/"),
    target("values in pages of tasks", Disputed(Kind::Task), Service::Notion, "PATCH", "/v1/pages/"),
    target("readings of pages", Disputed(Kind::Task), Service::Notion, "", "/v1/pages/").aged(1),
    target("new tasks of moves", Moved, Service::Clockify, "POST", "/tasks"),
    // Each move creates a task and writes its ID, and on a slow machine what it rests on has to be read again.
    target("old tasks of moves", Moved, Service::Clockify, "PUT", "/tasks/").besides(3 * ROWS),
    // The old tasks of those that are there by then are closed.
    target("write-backs of moves", Moved, Service::Notion, "PATCH", "/v1/pages/").besides(10),
    // Each project is looked at for itself before something is created in it, and on a slow machine once more.
    target("listings of tasks", NewFarApart, Service::Clockify, "GET", "/tasks"),
    // The first forty list them.
    target("looks before creates in many projects", NewFarApart, Service::Clockify, "GET", "/tasks").aged(41),
    target("creates in many projects", NewFarApart, Service::Clockify, "POST", "/tasks").besides(ROWS),
    target("write-backs of tasks of many projects", NewFarApart, Service::Notion, "PATCH", "/v1/pages/").besides(ROWS),
];

/// The ways to fail that take different paths: about the row, about who asks, about the request, throttled, unknown,
/// nothing at all.
const DIFFERENT: [&str; 8] = ["400", "401", "403", "429", "500", "reset", "stall", "wait a second"];

/// All the ways in which a service can fail.
fn failures(service: Service) -> Vec<(String, FaultKind)> {
    let refused = match service {
        Service::Notion => {
            json!({"object": "error", "status": 403, "code": "restricted_resource", "message": "Insufficient permissions"})
        }
        Service::Clockify | Service::Reports => json!({"message": "Access Denied", "code": 403}),
    };
    let statuses = [400, 401, 404, 407, 409, 429, 500, 502, 503, 529];
    let mut failures: Vec<(String, FaultKind)> =
        statuses.into_iter().map(|status| (status.to_string(), FaultKind::Status(status, String::new()))).collect();
    failures.extend([
        ("403".to_owned(), FaultKind::Status(403, refused.to_string())),
        ("wait a second".to_owned(), FaultKind::RetryAfter("1".to_owned())),
        ("reset".to_owned(), FaultKind::Reset),
        ("stall".to_owned(), FaultKind::Stall),
        ("truncated".to_owned(), FaultKind::TruncatedBody),
        ("HTML".to_owned(), FaultKind::HtmlBody),
        ("redirect".to_owned(), FaultKind::Redirect("https://example.com/".to_owned())),
        ("huge".to_owned(), FaultKind::HugeBody(100 << 20)),
    ]);
    failures
}

/// A world in which there is something to do, and the state of a punchlist that knows what was there before.
struct Start {
    world: World,
    state: tempfile::TempDir,
}

/// All of it is approved unasked.
const RULES: &str = r#"
rules.thresholds.move = 50
rules.on_conflict = "clockify"
[brakes]
close = { count = 100, percent = 100 }
rename = { count = 100, percent = 100 }
move = { count = 100, percent = 100 }
"#;

impl Start {
    fn new(work: Work) -> Self {
        let mut world = World::empty();
        let client = world.add_client_page("Client");
        let count = if work == NewFarApart { ROWS } else { 2 };
        let projects: Vec<_> =
            (0..count).map(|number| world.add_project_page(&format!("Project {number}"), client)).collect();
        let add = |world: &mut World, kind: Kind| -> Vec<NotionId> {
            let add = |number: usize| match kind {
                Kind::Client => world.add_client_page(&format!("Client {number:02}")),
                Kind::Project => world.add_project_page(&format!("Project {number:02}"), client),
                Kind::Task => world.add_task_page(&format!("Task {number:02}"), projects[number % projects.len()]),
            };
            (0..ROWS).map(add).collect()
        };
        let (kind, is_there) = match work {
            New(kind) => (kind, false),
            NewFarApart => (Kind::Task, false),
            Renamed(kind) | Closed(kind) | Disputed(kind) => (kind, true),
            Moved => (Kind::Task, true),
        };
        let mut pages = if is_there { add(&mut world, kind) } else { Vec::new() };
        let rig = Rig::new(world);
        let (code, report) = rig.auto_approve();
        assert_eq!(code, 0, "{report:#}");
        let mut world = rig.sandbox.world().clone();
        if !is_there {
            pages = add(&mut world, kind);
        }
        for (number, page) in pages.into_iter().enumerate() {
            match work {
                New(_) | NewFarApart => {}
                Renamed(_) => world.set_title(page, &format!("Other {number:02}")),
                Closed(Kind::Client) => world.set_checkbox(page, "Archive", true),
                Closed(_) => world.set_status(page, "Status", "Done"),
                Disputed(_) => {
                    let object = world.claim(page).and_then(|claim| ClockifyId::parse(&claim)).expect("an ID");
                    world.set_title(page, &format!("Other {number:02}"));
                    world.rename_object(object, &format!("Another {number:02}"));
                }
                Moved => world.set_relation(page, "Projects", &[projects[(number + 1) % 2]]),
            }
        }
        let state = tempfile::TempDir::new().expect("a directory");
        copy(&rig.home.path().join("state"), state.path());
        Self { world, state }
    }

    fn rig(&self) -> Rig {
        let rig = Rig::new(self.world.clone());
        rig.configure(RULES);
        let to = rig.home.path().join("state");
        fs::create_dir(&to).expect("a directory");
        copy(self.state.path(), &to);
        rig
    }
}

/// Forty new clients that nobody has seen before.
fn forty() -> Rig {
    let mut world = World::empty();
    for number in 0..ROWS {
        world.add_client_page(&format!("Client {number:02}"));
    }
    Rig::new(world)
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        if entry.file_type().expect("a type").is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("set");
    }
}

/// A run in which a target fails for ever, and what it came to where that is not as promised.
fn fails(start: &Start, target: Target, fault: Fault) -> (Rig, Option<String>) {
    let rig = start.rig();
    {
        let mut knobs = rig.sandbox.knobs();
        knobs.hydrated_tasks = target.work != NewFarApart;
        // Nothing but punchlist itself keeps a second object of a name from being made, and what was made is not listed
        // at once.
        knobs.unique_names = false;
        knobs.clockify_lag = u32::from(target.method == "POST");
    }
    rig.run(&["plan", "--json"]);
    let listing = rig.sandbox.calls().len();
    rig.sandbox.clear_calls();
    let mut fault = fault.service(target.service).nth(target.nth).times(u32::MAX);
    if target.method.is_empty() {
        target.path.clone_into(&mut fault.path_contains);
    } else {
        fault = fault.on(target.method, target.path);
    }
    rig.sandbox.knobs().faults.push(fault);
    let mut command = rig.command();
    command.args(["--auto-approve", "--json"]);
    if target.aged {
        command.env("PUNCHLIST_FAILPOINT", "fetched:1:old");
    }
    let began = Instant::now();
    let ran = Ran::of(command.output().expect("it runs"));
    let (took, calls) = (began.elapsed(), rig.sandbox.calls().len());
    let most = listing + target.done + CALLS_MAX;
    let ends_well = matches!(ran.code, 1 | 4 | 7 | 8 | 75);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    let lines: usize =
        ["failures", "not_started", "begun"].iter().map(|what| report[what].as_array().map_or(0, Vec::len)).sum();
    let is_broken = took > ENDS_WITHIN || calls > most || !ends_well || lines > LINES_MAX;
    let complaint = is_broken.then(|| {
        let Ran { code, stderr, stdout } = ran;
        let kinds = kinds_of_calls(&rig);
        format!("exit {code}, {calls} calls (at most {most}): {kinds}, {took:?}: {stderr}{}", shorten(&stdout))
    });
    (rig, complaint)
}

/// How many requests of each kind there were, by method and path without IDs.
fn kinds_of_calls(rig: &Rig) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for call in rig.sandbox.calls() {
        let path =
            call.path.split(['/', '?']).filter(|part| !part.chars().any(|c| c.is_ascii_digit()) && !part.is_empty());
        *kinds.entry(format!("{} {}", call.method, path.collect::<Vec<_>>().join("/"))).or_default() += 1;
    }
    kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

fn shorten(text: &str) -> &str {
    text.get(..1500).unwrap_or(text)
}

/// Tries cases, many at once, of which none may complain.
fn none_complains(
    mut cases: Vec<(Target, String, Fault)>,
    complains: impl Fn(&Start, Target, Fault) -> Option<String> + Sync,
) {
    let works: BTreeSet<Work> = cases.iter().map(|(target, ..)| target.work).collect();
    let starts: BTreeMap<Work, Start> = std::thread::scope(|scope| {
        let starts: Vec<_> = works.into_iter().map(|work| (work, scope.spawn(move || Start::new(work)))).collect();
        starts.into_iter().map(|(work, start)| (work, start.join().expect("no panic"))).collect()
    });
    // Those that take longest first.
    cases.sort_by_key(|(.., fault)| fault.what == FaultKind::Stall);
    let (cases, complaints) = (Mutex::new(cases), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((target, name, fault)) = cases.lock().expect("no panic").pop() else { return };
                    if let Some(complaint) = complains(&starts[&target.work], target, fault) {
                        complaints.lock().expect("no panic").push(format!("{}, {name}: {complaint}", target.name));
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no panic");
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n\n"));
}

#[test]
fn an_outage_of_any_kind_is_bounded() {
    let with = |target: Target, tried: fn(&str) -> bool| {
        let failures = failures(target.service).into_iter().filter(move |(name, _)| tried(name));
        failures.map(move |(name, failure)| (target, name, Fault::new(failure)))
    };
    let all = TARGETS.into_iter().flat_map(|target| with(target, |_| true));
    let further = FURTHER.into_iter().flat_map(|target| with(target, |name| DIFFERENT.contains(&name)));
    none_complains(all.chain(further).collect(), |start, target, fault| fails(start, target, fault).1);
}

/// How the answer to what was carried out can be lost.
const LOST: [(&str, FaultKind); 3] =
    [("reset", FaultKind::Reset), ("500", FaultKind::Status(500, String::new())), ("stall", FaultKind::Stall)];

#[test]
fn what_is_carried_out_and_never_answered_is_neither_lost_nor_doubled() {
    let writes = TARGETS.into_iter().chain(FURTHER).filter(|target| ["POST", "PUT", "PATCH"].contains(&target.method));
    let writes = writes.filter(|target| !target.path.ends_with("/query"));
    let cases = writes.flat_map(|target| {
        LOST.into_iter().map(move |(name, failure)| (target, name.to_owned(), Fault::new(failure).after_execution()))
    });
    none_complains(cases.collect(), |start, target, fault| {
        let (rig, complaint) = fails(start, target, fault);
        if complaint.is_some() {
            return complaint;
        }
        {
            let mut knobs = rig.sandbox.knobs();
            (knobs.faults, knobs.clockify_lag) = (Vec::new(), 0);
        }
        let ran = rig.run(&["--auto-approve", "--json"]);
        let (left, twins) = (rig.plan_lines(), twins(&rig.sandbox.world()));
        (ran.code != 0 || !left.is_empty() || !twins.is_empty()).then(|| {
            format!("afterwards exit {}, left {left:?}, twins {twins:?}: {}{}", ran.code, ran.stderr, ran.stdout)
        })
    });
}

/// The open objects of one name in one place, which could not tell themselves apart.
fn twins(world: &World) -> Vec<String> {
    let clients = world.clients().into_iter().filter(|client| !client.archived).map(|client| (None, client.name));
    let projects = world.projects().into_iter().filter(|project| !project.archived);
    let projects = projects.map(|project| (project.client, project.name));
    let tasks = world.tasks().into_iter().filter(|task| !task.done).map(|task| (Some(task.project), task.name));
    let mut seen = BTreeSet::new();
    clients.chain(projects).chain(tasks).filter(|object| !seen.insert(object.clone())).map(|(_, name)| name).collect()
}

/// `--auto-approve --json` on forty clients with a fault for ever.
fn with_fault(fault: Fault) -> (Rig, i32, Value) {
    let rig = forty();
    rig.sandbox.knobs().faults.push(fault.times(u32::MAX));
    let (code, report) = rig.auto_approve();
    (rig, code, report)
}

#[test]
fn what_is_refused_for_the_connection_stops_at_once_and_is_one_line() {
    let body =
        json!({"object": "error", "status": 403, "code": "restricted_resource", "message": "Insufficient permissions"});
    let refused =
        Fault::new(FaultKind::Status(403, body.to_string())).service(Service::Notion).on("PATCH", "/v1/pages/");

    let (rig, code, report) = with_fault(refused);

    assert_eq!(code, 4, "{report:#}");
    let created = rig.sandbox.world().clients().len();
    assert!((1..=3).contains(&created), "nothing is created whose ID cannot be written: {created}");
    assert_eq!(report["not_started"].as_array().map(Vec::len), Some(1), "one line: {report:#}");
    let left = &report["not_started"][0];
    assert!(left["because"].as_str().is_some_and(|because| because.contains("Insufficient permissions")), "{left:#}");
    assert_eq!(left["count"], ROWS - created);
    assert_eq!(left["change_ids"].as_array().map(Vec::len), Some(ROWS - created));
    assert_eq!(left["examples"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(1), "{report:#}");

    // As text too.
    let text = rig.run(&["--auto-approve"]).stdout;
    assert!(text.lines().count() <= 8 && text.contains("more"), "{text}");

    // When it is over, the next run finishes.
    rig.sandbox.knobs().faults.clear();
    let (code, report) = rig.auto_approve();
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(rig.sandbox.world().clients().len(), ROWS);
}

#[test]
fn a_kind_of_write_that_is_denied_three_times_stops_and_the_others_go_on() {
    let mut world = World::empty();
    for number in 0..10 {
        let client = world.add_client_page(&format!("Client {number}"));
        world.add_project_page(&format!("Project {number}"), client);
    }
    let rig = Rig::new(world);
    let denied = FaultKind::Status(403, json!({"message": "Access Denied", "code": 403}).to_string());
    rig.sandbox
        .knobs()
        .faults
        .push(Fault::new(denied).service(Service::Clockify).on("POST", "/projects").times(u32::MAX));

    let (code, report) = rig.auto_approve();

    assert_eq!(code, 4, "{report:#}");
    assert_eq!(report["applied"], 10, "all clients: {report:#}");
    assert_eq!((&report["failed"], &report["skipped"]), (&json!(3), &json!(7)));
    assert_eq!((&report["failures"][0]["count"], &report["not_started"][0]["count"]), (&json!(3), &json!(7)));
    let log = rig.run(&["logs", "show", report["run_id"].as_str().expect("a run")]).stdout;
    assert!(log.contains("stopped creating projects in Clockify, which leaves 7 undone"), "{log}");
}

#[test]
fn a_few_bad_rows_stop_nothing() {
    let rig = forty();
    let bad = FaultKind::Status(400, json!({"message": "Something about this row", "code": 501}).to_string());
    rig.sandbox.knobs().faults.push(Fault::new(bad).service(Service::Clockify).on("POST", "/clients").times(5));

    let (code, report) = rig.auto_approve();

    assert_eq!(code, 1, "{report:#}");
    assert_eq!(
        (&report["applied"], &report["failed"], &report["skipped"]),
        (&json!(35), &json!(5), &json!(0)),
        "{report:#}"
    );
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_pause_names_who_asked_until_when_and_now_tries_again() {
    let rig = forty();
    let wait =
        Fault::new(FaultKind::RetryAfter("1000000".to_owned())).service(Service::Clockify).on("POST", "/clients");
    rig.sandbox.knobs().faults.push(wait.times(u32::MAX));
    let berlin = |arguments: &[&str]| {
        Ran::of(rig.command().args(arguments).env("TZ", "Europe/Berlin").output().expect("it runs"))
    };

    let ran = berlin(&["--auto-approve", "--json"]);
    assert_eq!(ran.code, 75, "{}", ran.stderr);
    let (report, now) = (ran.json(), jiff::Timestamp::now());
    let not_before: jiff::Timestamp = report["not_before"].as_str().expect("a time").parse().expect("a time");
    assert!(not_before.duration_since(now).as_secs() <= 3600, "an hour at most: {not_before}");

    // Kept from one run to the next: nothing is sent, and it is said why.
    rig.sandbox.clear_calls();
    let ran = berlin(&["--auto-approve"]);
    assert_eq!((ran.code, rig.call_counts().1), (75, 0), "{}", ran.stderr);
    let until = not_before.to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone"));
    let until = until.checked_add(jiff::SignedDuration::from_secs(30)).expect("soon");
    let said = ran.stderr.lines().find(|line| line.contains("error")).unwrap_or_default().to_owned();
    assert!(said.contains("Clockify asked to wait until "), "{said}");
    assert!(said.contains(&until.strftime("%Z (UTC%:z)").to_string()), "{said}");
    assert!(!ran.stderr.contains("budget") && ran.stderr.contains("--now"), "{}", ran.stderr);

    // `--now` asks again, once, and the service may still say no.
    let ran = berlin(&["--auto-approve", "--now"]);
    assert_eq!(ran.code, 75, "{}", ran.stderr);
    assert!(rig.call_counts().1 > 0);
    rig.sandbox.knobs().faults.clear();
    assert_eq!(berlin(&["--auto-approve", "--now"]).code, 0);
    assert_eq!(rig.sandbox.world().clients().len(), ROWS);
}

#[test]
fn after_a_pause_one_request_probes() {
    let rig = forty();
    rig.run(&["plan"]);
    let mut store = done(punchlist::edge::store::Store::open(&rig.state(), jiff::Timestamp::now())).expect("opens");
    let over = json!({"notion": jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1)});
    done(store.remember("not_before", &over)).expect("remembers");
    drop(store);
    rig.sandbox.clear_calls();
    let wait = Fault::new(FaultKind::RetryAfter("600".to_owned())).service(Service::Notion).times(u32::MAX);
    rig.sandbox.knobs().faults.push(wait);

    let ran = rig.run(&["plan"]);

    assert_eq!(ran.code, 75, "{}", ran.stderr);
    assert_eq!(rig.call_counts().0, 1, "one of four requests: {}", ran.stderr);
}

#[test]
fn a_budget_is_called_a_budget() {
    let rig = forty();
    rig.write_configuration(&rig.reach().replace("clockify.token", "clockify.requests_per_hour = 6\nclockify.token"));
    let (code, report) = rig.auto_approve();
    assert_eq!(code, 75, "{report:#}");
    let because = report["not_started"].to_string();
    assert!(because.contains("the request budget of Clockify is spent; there is room again at"), "{because}");
    let ran = rig.run(&["plan", "--now"]);
    assert!(ran.code == 75 && ran.stderr.contains("request budget"), "--now makes no budget larger: {}", ran.stderr);
}

/// A proxy that wants a password: counts how often it is asked.
fn proxy() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::{
        io::{Read as _, Write as _},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            drop(stream.read(&mut request));
            drop(stream.write_all(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
            ));
        }
    });
    (address, asked)
}

#[test]
fn a_proxy_that_wants_a_password_is_asked_once() {
    let rig = forty();
    let text = rig.reach();
    let far: String = text
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("notion.base_url", _)) => "notion.base_url = \"https://api.notion.com\"\n".to_owned(),
            Some(("clockify.base_url", _)) => "clockify.base_url = \"https://api.clockify.me/api\"\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    rig.write_configuration(&format!("{far}notify.webhook = \"env:SLACK_WEBHOOK\"\n"));
    // Windows takes any case for the same.
    let names = if cfg!(windows) { ["HTTPS_PROXY", "ALL_PROXY"] } else { ["HTTPS_PROXY", "all_proxy"] };
    for variable in names {
        let (address, asked) = proxy();
        let mut command = rig.command();
        command.arg("--auto-approve").env(variable, format!("http://{address}"));
        command.env("SLACK_WEBHOOK", "https://hooks.slack.com/services/T000/B000/s3cret");
        let ran = Ran::of(command.output().expect("it runs"));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(variable) && ran.stderr.contains("407"), "{}", ran.stderr);
        let untold =
            ran.stderr.lines().find(|line| line.contains("nobody was told by notify.webhook")).unwrap_or_default();
        assert!(untold.contains(variable) && untold.contains("407"), "it goes the same way: {}", ran.stderr);
    }
}

/// The most memory that a process had at any time, in MiB, asked while it runs.
#[cfg(target_os = "linux")]
fn peak(mut command: std::process::Command) -> (u64, Ran) {
    use std::process::Stdio;
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let status = format!("/proc/{}/status", child.id());
    let (mut out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let reads = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut out, &mut text).map(|_| text)
    });
    let reads_errors = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut err, &mut text).map(|_| text)
    });
    let mut most = 0;
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        most = most.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024);
        if let Some(ended) = child.try_wait().expect("waits") {
            break ended.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text =
        |reads: std::thread::JoinHandle<std::io::Result<String>>| reads.join().expect("no panic").expect("UTF-8");
    (most, Ran { code, stdout: text(reads), stderr: text(reads_errors) })
}

#[cfg(target_os = "linux")]
#[test]
fn whatever_is_listed_ends_and_stays_small() {
    let mut world = World::empty();
    for number in 0..100 {
        let client = world.add_client_page(&format!("Client {number}"));
        world.add_client(&format!("Other {number}"));
        world.add_project_page(&format!("Project {number}"), client);
    }
    let cases = [
        ("the same rows", FaultKind::Endless(None)),
        ("new rows", FaultKind::Endless(Some(0))),
        ("long names", FaultKind::Endless(Some(20_000))),
        ("names of 200 KB", FaultKind::Endless(Some(200_000))),
        ("names of a megabyte", FaultKind::Endless(Some(1_000_000))),
        ("a huge answer", FaultKind::HugeBody(4 << 30)),
    ];
    for (service, path) in [(Service::Notion, "/query"), (Service::Clockify, "/clients")] {
        for (name, failure) in cases.clone() {
            let rig = Rig::new(world.clone());
            let fault =
                Fault { path_contains: path.to_owned(), ..Fault::new(failure).service(service).times(u32::MAX) };
            rig.sandbox.knobs().faults.push(fault);
            let mut command = rig.command();
            command.args(["plan", "--json"]).env("PUNCHLIST__NOTION__REQUESTS_PER_MINUTE", "100000");
            let (memory, ran) = peak(command);
            let calls = rig.sandbox.calls().len();
            let said = if ran.code == 0 { ran.json()["notices"].to_string() } else { ran.stderr.clone() };
            assert!((1..300).contains(&memory), "{service:?}, {name}: {memory} MiB");
            let most = if name == "the same rows" { 30 } else { 300 };
            assert!(calls < most, "{service:?}, {name}: {calls} calls");
            let complete = ran.code == 0 && ran.json()["complete"] == true;
            assert!(!complete, "{service:?}, {name} is not complete: {said}");
        }
    }
}
