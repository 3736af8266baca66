//! An outage is paid for once, and not row by row: whatever a service does for ever, a run ends soon, after few requests.

use std::{
    fs,
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use punchlist::sandbox::{Failure, Fault, Service, World};
use serde_json::{Value, json};

use crate::support::{Ran, Rig, done};

const ROWS: usize = 40;
/// Requests that a run may make beyond what reading both sides takes.
const CALLS_MAX: usize = 20;
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// Lines that a report may have for it.
const LINES_MAX: usize = 6;
/// Runs at once; they wait most of the time.
const AT_ONCE: usize = 24;

/// What breaks: the service, method and path of the requests that fail for ever, and whether what was read is too old to build on.
#[derive(Clone, Copy)]
struct Target {
    name: &'static str,
    service: Service,
    method: &'static str,
    path: &'static str,
    renamed: bool,
    aged: bool,
    /// The first request that fails.
    nth: u32,
}

const fn target(name: &'static str, service: Service, method: &'static str, path: &'static str) -> Target {
    Target { name, service, method, path, renamed: false, aged: false, nth: 1 }
}

const TARGETS: [Target; 8] = [
    target("Notion's listings", Service::Notion, "POST", "/query"),
    target("all of Notion", Service::Notion, "", ""),
    target("all of Clockify", Service::Clockify, "", ""),
    target("creates", Service::Clockify, "POST", "/clients"),
    target("write-backs", Service::Notion, "PATCH", "/v1/pages/"),
    Target { renamed: true, ..target("updates", Service::Clockify, "PUT", "/clients/") },
    Target { renamed: true, aged: true, nth: 2, ..target("readings before updates", Service::Clockify, "GET", "/clients") },
    Target { renamed: true, aged: true, ..target("all of Clockify but its listings", Service::Clockify, "", "/clients/") },
];

/// All the ways in which a service can fail.
fn failures(service: Service) -> Vec<(String, Failure)> {
    let refused = match service {
        Service::Notion => {
            json!({"object": "error", "status": 403, "code": "restricted_resource", "message": "Insufficient permissions"})
        }
        Service::Clockify | Service::Reports => json!({"message": "Access Denied", "code": 403}),
    };
    let statuses = [400, 401, 404, 407, 409, 429, 500, 502, 503, 529];
    let mut failures: Vec<(String, Failure)> =
        statuses.into_iter().map(|status| (status.to_string(), Failure::Status(status, String::new()))).collect();
    failures.extend([
        ("403".to_owned(), Failure::Status(403, refused.to_string())),
        ("wait a second".to_owned(), Failure::RetryAfter("1".to_owned())),
        ("reset".to_owned(), Failure::Reset),
        ("stall".to_owned(), Failure::Stall),
        ("truncated".to_owned(), Failure::TruncatedBody),
        ("HTML".to_owned(), Failure::HtmlBody),
        ("redirect".to_owned(), Failure::Redirect("https://example.com/".to_owned())),
        ("huge".to_owned(), Failure::HugeBody(100 << 20)),
    ]);
    failures
}

/// Forty clients, or forty renamed ones.
struct Start {
    world: World,
    state: Option<tempfile::TempDir>,
}

impl Start {
    fn new(renamed: bool) -> Self {
        let mut world = World::empty();
        let pages: Vec<_> = (0..ROWS).map(|number| world.add_client_page(&format!("Client {number:02}"))).collect();
        if !renamed {
            return Self { world, state: None };
        }
        let rig = Rig::new(world);
        rig.settle();
        let mut world = rig.sandbox.world().clone();
        for (number, page) in pages.into_iter().enumerate() {
            world.set_title(page, &format!("Customer {number:02}"));
        }
        let state = tempfile::TempDir::new().expect("a directory");
        copy(&rig.home.path().join("state"), state.path());
        Self { world, state: Some(state) }
    }

    fn rig(&self) -> Rig {
        let rig = Rig::new(self.world.clone());
        rig.configure("[brakes]\nrename = { count = 100, percent = 100 }\n");
        if let Some(state) = &self.state {
            let to = rig.home.path().join("state");
            fs::create_dir(&to).expect("a directory");
            copy(state.path(), &to);
        }
        rig
    }
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

/// What a run with a fault for ever came to, where that is not as promised.
fn broken(start: &Start, target: Target, failure: &Failure) -> Option<String> {
    let rig = start.rig();
    rig.run(&["plan", "--json"]);
    let listing = rig.sandbox.calls().len();
    rig.sandbox.clear_calls();
    let mut fault = Fault::new(failure.clone()).service(target.service).nth(target.nth).times(u32::MAX);
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
    let most = listing + CALLS_MAX;
    let ends_well = matches!(ran.code, 1 | 4 | 7 | 8 | 75);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
    let lines: usize = ["failures", "not_started", "begun"].iter().map(|what| report[what].as_array().map_or(0, Vec::len)).sum();
    (took > ENDS_WITHIN || calls > most || !ends_well || lines > LINES_MAX)
        .then(|| format!("exit {}, {calls} calls (at most {most}), {took:?}: {}{}", ran.code, ran.stderr, shorten(&ran.stdout)))
}

fn shorten(text: &str) -> &str {
    text.get(..1500).unwrap_or(text)
}

#[test]
fn an_outage_of_any_kind_is_bounded() {
    let starts = [Start::new(false), Start::new(true)];
    let mut cases: Vec<(Target, String, Failure)> = Vec::new();
    for target in TARGETS {
        cases.extend(failures(target.service).into_iter().map(|(name, failure)| (target, name, failure)));
    }
    // Those that take longest first.
    cases.sort_by_key(|(_, name, _)| name == "stall");
    let (cases, complaints) = (Mutex::new(cases), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((target, name, failure)) = cases.lock().expect("no panic").pop() else { return };
                    if let Some(complaint) = broken(&starts[usize::from(target.renamed)], target, &failure) {
                        complaints.lock().expect("no panic").push(format!("{}, {name}: {complaint}", target.name));
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no panic");
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n\n"));
}

/// `--auto-approve --json` on forty clients with a fault for ever.
fn with_fault(fault: Fault) -> (Rig, i32, Value) {
    let rig = Start::new(false).rig();
    rig.sandbox.knobs().faults.push(fault.times(u32::MAX));
    let (code, report) = rig.auto_approve();
    (rig, code, report)
}

#[test]
fn what_is_refused_for_the_connection_stops_at_once_and_is_one_line() {
    let body = json!({"object": "error", "status": 403, "code": "restricted_resource", "message": "Insufficient permissions"});
    let refused = Fault::new(Failure::Status(403, body.to_string())).service(Service::Notion).on("PATCH", "/v1/pages/");

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
    let denied = Failure::Status(403, json!({"message": "Access Denied", "code": 403}).to_string());
    rig.sandbox.knobs().faults.push(Fault::new(denied).service(Service::Clockify).on("POST", "/projects").times(u32::MAX));

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
    let rig = Start::new(false).rig();
    let bad = Failure::Status(400, json!({"message": "Something about this row", "code": 501}).to_string());
    rig.sandbox.knobs().faults.push(Fault::new(bad).service(Service::Clockify).on("POST", "/clients").times(5));

    let (code, report) = rig.auto_approve();

    assert_eq!(code, 1, "{report:#}");
    assert_eq!((&report["applied"], &report["failed"], &report["skipped"]), (&json!(35), &json!(5), &json!(0)), "{report:#}");
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_pause_names_who_asked_until_when_and_now_tries_again() {
    let rig = Start::new(false).rig();
    let wait = Fault::new(Failure::RetryAfter("1000000".to_owned())).service(Service::Clockify).on("POST", "/clients");
    rig.sandbox.knobs().faults.push(wait.times(u32::MAX));
    let berlin =
        |arguments: &[&str]| Ran::of(rig.command().args(arguments).env("TZ", "Europe/Berlin").output().expect("it runs"));

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
    let rig = Start::new(false).rig();
    rig.run(&["plan"]);
    let mut store =
        done(punchlist::edge::store::Store::open(&rig.home.path().join("state"), jiff::Timestamp::now())).expect("opens");
    let over = json!({"notion": jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1)});
    done(store.remember("not_before", &over)).expect("remembers");
    drop(store);
    rig.sandbox.clear_calls();
    let wait = Fault::new(Failure::RetryAfter("600".to_owned())).service(Service::Notion).times(u32::MAX);
    rig.sandbox.knobs().faults.push(wait);

    let ran = rig.run(&["plan"]);

    assert_eq!(ran.code, 75, "{}", ran.stderr);
    assert_eq!(rig.call_counts().0, 1, "one of four requests: {}", ran.stderr);
}

#[test]
fn a_budget_is_called_a_budget() {
    let rig = Start::new(false).rig();
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
    let rig = Start::new(false).rig();
    let text = rig.reach();
    let far: String = text
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("notion.base_url", _)) => "notion.base_url = \"https://api.notion.com\"\n".to_owned(),
            Some(("clockify.base_url", _)) => "clockify.base_url = \"https://api.clockify.me/api\"\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    rig.write_configuration(&far);
    for variable in ["HTTPS_PROXY", "all_proxy"] {
        let (address, asked) = proxy();
        let mut command = rig.command();
        command.arg("--auto-approve").env(variable, format!("http://{address}"));
        let ran = Ran::of(command.output().expect("it runs"));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(variable) && ran.stderr.contains("407"), "{}", ran.stderr);
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
    let text = |reads: std::thread::JoinHandle<std::io::Result<String>>| reads.join().expect("no panic").expect("UTF-8");
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
        ("the same rows", Failure::Endless(None)),
        ("new rows", Failure::Endless(Some(0))),
        ("long names", Failure::Endless(Some(20_000))),
        ("names of 200 KB", Failure::Endless(Some(200_000))),
        ("names of a megabyte", Failure::Endless(Some(1_000_000))),
        ("a huge answer", Failure::HugeBody(4 << 30)),
    ];
    for (service, path) in [(Service::Notion, "/query"), (Service::Clockify, "/clients")] {
        for (name, failure) in cases.clone() {
            let rig = Rig::new(world.clone());
            let fault = Fault { path_contains: path.to_owned(), ..Fault::new(failure).service(service).times(u32::MAX) };
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
