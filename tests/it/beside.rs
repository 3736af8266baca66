//! Looking does not lock: what runs beside another run, who is met, and who is told when nobody can run.

use std::{
    fs,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use punchlist::sandbox::{Fault, FaultKind, Service, World};
use serde_json::json;

use crate::support::{Ran, Rig};

/// A run that hangs in the middle of its apply, until this is dropped.
pub(crate) struct Hanging(Child);

impl Hanging {
    /// Starts it; what it does is to update a client.
    pub(crate) fn start(rig: &Rig) -> Self {
        rig.sandbox.knobs().faults.push(Fault::new(FaultKind::Stall).service(Service::Clockify).on("PUT", "/clients"));
        let mut command = rig.command();
        let child = command.arg("--auto-approve").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let database = rusqlite::Connection::open(rig.home.path().join("state/punchlist.sqlite3")).expect("opens");
        let begun = "SELECT EXISTS (SELECT 1 FROM write WHERE status = 'intended')";
        let deadline = Instant::now() + Duration::from_secs(20);
        while !database.query_row(begun, [], |row| row.get::<_, bool>(0)).unwrap_or_default() {
            assert!(Instant::now() < deadline, "it never came to its apply");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// One client that is renamed by its page, and one that waits for a person.
fn rig() -> Rig {
    let mut world = World::empty();
    let [_, renamed] = ["Acme", "Globex"].map(|name| world.add_client_page(name));
    let rig = Rig::new(world);
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        let object = world.find_client("Acme").expect("there");
        world.rename_object(object, "Acme GmbH");
    }
    assert_eq!(rig.auto_approve().0, 2, "a person is asked");
    rig.sandbox.world().set_title(renamed, "Globex AG");
    rig
}

#[test]
fn what_looks_and_decides_works_beside_a_run_that_hangs_in_its_apply() {
    let rig = rig();
    let run = Hanging::start(&rig);
    let stored = || {
        let file = rusqlite::Connection::open(rig.home.path().join("state/punchlist.sqlite3")).expect("opens");
        let count = |rows: &str| {
            let sql = format!("SELECT count(*) FROM {rows}");
            file.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("counts")
        };
        ["write", "link", "pending", "memory", "event WHERE kind IN ('fetched', 'planned', 'difference')"].map(count)
    };
    let before = stored();

    let plan = rig.run(&["plan", "--json"]);

    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let names: Vec<String> =
        plan.json()["changes"].as_array().expect("changes").iter().map(|c| c["name"].to_string()).collect();
    assert!(names.iter().any(|name| name.contains("Acme")), "{names:?}");
    for words in ["another run holds the lock", "“auto-approve” by", "applying, since", "nothing of this is stored"]
    {
        assert!(plan.stderr.contains(words), "{words}: {}", plan.stderr);
    }
    assert!(rig.run(&["logs", "list"]).stdout.contains("planned"), "its requests count towards the budgets");
    assert_eq!(stored(), before, "nothing else of it is kept");
    let change = plan.json()["changes"][0]["id"].as_str().expect("an ID").to_owned();
    let explained = rig.run(&["explain", &change]);
    assert_eq!(explained.code, 0, "{}", explained.stderr);
    for (words, code) in [
        (vec!["pending"], 0),
        (vec!["pending", "approve", "--all"], 0),
        (vec!["pending", "clear", "--all"], 0),
        (vec!["pending", "approve", "--all"], 0),
        (vec!["ignored"], 0),
        (vec!["logs", "list"], 0),
        (vec!["logs", "verify"], 0),
        (vec!["apply", "--pending"], 5),
        (vec!["--auto-approve"], 5),
        (vec!["doctor", "rebuild"], 5),
    ] {
        let ran = rig.run(&words);
        assert_eq!(ran.code, code, "{words:?}: {}", ran.stderr);
        assert!(
            code == 0 || ran.stderr.contains("process ") && ran.stderr.contains("--lock-timeout"),
            "{}",
            ran.stderr
        );
    }
    drop(run);

    // What was approved beside the run holds, what the run had under way is looked up, and the log is whole.
    assert_eq!(rig.auto_approve().0, 0);
    let mut clients: Vec<String> = rig.sandbox.world().clients().into_iter().map(|client| client.name).collect();
    clients.sort();
    assert_eq!(clients, ["Acme", "Globex AG"]);
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn a_lock_is_waited_for_as_long_as_asked() {
    let rig = rig();
    let run = Hanging::start(&rig);
    let started = Instant::now();
    let ran = rig.run(&["--auto-approve", "--lock-timeout", "1"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(ran.stderr.contains("waiting up to 1 s"), "{}", ran.stderr);
    assert_eq!(rig.run(&["--auto-approve", "--lock-timeout", "soon"]).code, 64);

    let mut command = rig.command();
    command.args(["--auto-approve", "--lock-timeout", "60"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = command.spawn().expect("starts");
    std::thread::sleep(Duration::from_millis(300));
    drop(run);

    let ran = Ran::of(waiting.wait_with_output().expect("ends"));
    assert!(ran.code == 0 || ran.code == 2, "{}: {}", ran.code, ran.stderr);
    assert!(rig.sandbox.world().find_client("Globex AG").is_some());
}

#[test]
fn a_run_that_meets_a_plan_waits_for_it_instead_of_failing() {
    use std::io::{BufRead as _, BufReader, Read as _};
    let rig = rig();
    rig.sandbox.clear_calls();
    // The plan holds the lock as long as it reads.
    rig.sandbox.knobs().faults = vec![Fault::new(FaultKind::Stall).service(Service::Clockify).times(99)];
    let mut command = rig.command();
    let plan = Hanging(command.arg("plan").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while rig.sandbox.calls().iter().all(|call| call.service != Service::Clockify) {
        assert!(Instant::now() < deadline, "it never came to read");
        std::thread::sleep(Duration::from_millis(20));
    }
    rig.sandbox.knobs().faults.clear();

    let mut command = rig.command();
    let mut run = command.arg("--auto-approve").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut said = BufReader::new(run.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("waiting up to 120 s") {
        line.clear();
        assert!(said.read_line(&mut line).expect("UTF-8") > 0, "it did not wait");
    }
    assert!(line.contains("“plan” by"), "{line}");
    // Who only looks waits for nobody.
    assert_eq!(rig.run(&["explain", "nobody"]).code, 1);
    drop(plan);

    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("UTF-8");
    assert_eq!(run.wait().expect("ends").code(), Some(2), "a person is still asked about the other one: {rest}");
    assert!(rig.sandbox.world().find_client("Globex AG").is_some());
}

#[test]
fn runs_that_are_refused_twice_in_a_row_are_told_of_once() {
    let rig = rig();
    let told = rig.home.path().join("told");
    rig.configure(&format!("notify.command = [\"/bin/sh\", \"-c\", \"cat >> {}; echo >> {0}\"]\n", told.display()));
    let titles = || {
        let text = fs::read_to_string(&told).unwrap_or_default();
        let told = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a document"));
        told.map(|told| told["text"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let run = Hanging::start(&rig);
    assert_eq!(rig.run(&["--auto-approve"]).code, 5);
    assert!(titles().is_empty(), "one may meet a person who is just applying");

    assert_eq!(rig.run(&["--auto-approve"]).code, 5);
    assert_eq!(rig.run(&["--auto-approve"]).code, 5);

    let told = titles();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("2 runs in a row could not begin") && told[0].contains("“auto-approve” by"), "{told:?}");
    drop(run);
    rig.run(&["pending", "approve", "--all"]);
    assert_eq!(rig.auto_approve().0, 0);
    assert!(titles()[1].contains("in sync again"), "{:?}", titles());
    assert_eq!(json!(rig.auto_approve().0), json!(0));
    assert_eq!(titles().len(), 2);
}

#[test]
fn line_prompts_let_others_run_and_keep_the_review_where_one_is_under_way() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let rig = rig();
    let mut command = rig.command();
    command.arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut keyboard = child.stdin.take().expect("piped");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut hears = |words: &str| loop {
        let line = lines.next().unwrap_or_else(|| panic!("{words} was never said")).expect("UTF-8");
        if line.contains(words) {
            return line;
        }
    };
    let mut types = |text: &str| keyboard.write_all(text.as_bytes()).expect("typed");
    types("g 2\na\n");
    hears("approved:");
    let run = Hanging::start(&rig);

    types("P\nyes\n");
    let said = hears("another run holds the lock");
    assert!(said.contains("nothing was applied; P tries again"), "{said}");
    drop(run);
    rig.sandbox.knobs().faults.clear();
    types("P\nyes\n");

    hears("1 applied");
    assert_eq!(child.wait().expect("ends").code(), Some(2), "the other one waits");
    assert!(rig.sandbox.world().find_client("Globex AG").is_some());
}

#[test]
fn what_another_run_has_done_already_is_said_and_leaves_nothing_unfinished() {
    use std::io::{Read as _, Write as _};
    let rig = rig();
    let mut command = rig.command();
    command.arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut keyboard = child.stdin.take().expect("piped");
    let mut out = child.stdout.take().expect("piped");
    keyboard.write_all(b"g 2\na\n").expect("typed");
    let mut said = String::new();
    while !said.contains("approved:") {
        let mut bytes = [0; 4096];
        let read = out.read(&mut bytes).expect("readable");
        assert!(read > 0, "{said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }

    assert_eq!(rig.auto_approve().0, 2, "the other one waits");
    keyboard.write_all(b"P\nyes\n").expect("typed");
    drop(keyboard);
    let ran = crate::support::Ran::of(child.wait_with_output().expect("ends"));
    out.read_to_string(&mut said).expect("UTF-8");

    assert!(ran.stderr.contains("“Globex AG”: done meanwhile, by another run or by hand"), "{}{said}", ran.stderr);
    assert_eq!(ran.code, 2, "{said}");
    assert!(!said.contains("not everything was applied"), "{said}");
}
