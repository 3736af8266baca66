//! Callers whose runs are about one client, and the same from the command line.

use std::time::Duration;

use punchlist::sandbox::World;
use serde_json::Value;

use super::{Daemon, secret};
use crate::support::Rig;

const ACME: &str = "schedule.cron = \"0 0 29 2 *\"\nwebhook.callers.acme = { kind = \"bearer\", secret = \"env:ACME\", scope = \"client:Acme\" }\n";
const ACME_SECRET: &str = "acme-s3cret-0123456789abcdef";

/// Two clients, each with a project that has a task, in Notion alone.
fn two_clients() -> Rig {
    let mut world = World::empty();
    for (client, project) in [("Acme", "Website"), ("Globex", "App")] {
        let client = world.add_client_page(client);
        let project = world.add_project_page(project, client);
        world.add_task_page("Design", project);
    }
    Rig::new(world)
}

fn start(rig: &Rig, more: &str) -> Daemon {
    Daemon::start_with(rig, &format!("{ACME}{more}"), &[("ACME", ACME_SECRET)])
}

/// What the clients in Clockify are called, and how many projects and tasks there are.
fn there(rig: &Rig) -> (Vec<String>, usize, usize) {
    let world = rig.sandbox.world();
    let names = world.clients().iter().map(|client| client.name.clone()).collect();
    (names, world.projects().len(), world.tasks().len())
}

/// What waits: what is to be done, and the name.
fn pending(rig: &Rig) -> Vec<(String, String)> {
    let rows = rig.run(&["pending", "--json"]).json()["changes"].as_array().expect("rows").clone();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let mut rows: Vec<_> = rows.iter().map(|row| (text(row, "action"), text(row, "name"))).collect();
    rows.sort();
    rows
}

#[test]
fn a_caller_of_one_client_has_its_changes_made_and_no_other() {
    let rig = two_clients();
    let daemon = start(&rig, "");
    // All of it waits for a person.
    assert_eq!(daemon.run(secret("LOOKS"))["report"]["pending"], 6);

    let run = daemon.run(ACME_SECRET);

    assert_eq!(run["report"]["outcome"], "applied", "{run:#}");
    assert_eq!(run["report"]["applied"], 3);
    assert_eq!(there(&rig), (vec!["Acme".to_owned()], 1, 1));
    let left = ["App", "Design", "Globex"].map(|name| ("create".to_owned(), name.to_owned()));
    assert_eq!(pending(&rig), left, "what others wait for still waits");
    let again = daemon.run(ACME_SECRET);
    assert_eq!((&again["report"]["outcome"], &again["report"]["pending"]), (&"in_sync".into(), &0.into()));
    assert_eq!(pending(&rig), left);

    // The log says that it was about one client alone.
    let shown = rig.run(&["logs", "show", again["run_id"].as_str().expect("a run")]).stdout;
    assert!(shown.contains("of “Acme” alone") && !shown.contains("In sync: nothing to do."), "{shown}");

    assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "applied");
    assert_eq!(there(&rig), (vec!["Acme".to_owned(), "Globex".to_owned()], 2, 2));
}

#[test]
fn calls_for_one_client_and_for_a_plan_of_everything_are_one_run_and_each_gets_no_more_than_its_own() {
    let rig = two_clients();
    let daemon = start(&rig, "");
    rig.sandbox.knobs().latency = Duration::from_millis(200);
    assert_eq!(daemon.post("/runs", secret("LOOKS"), "").0, 202);
    daemon.until("it runs", |daemon| (daemon.number("punchlist_running") == 1).then_some(()));
    let asked: Vec<String> =
        [ACME_SECRET, secret("LOOKS")].iter().map(|secret| daemon.post("/runs", secret, "").1).collect();
    assert_eq!(asked[0], asked[1], "one run waits for both");
    rig.sandbox.knobs().latency = Duration::ZERO;

    let run: Value = serde_json::from_str(&asked[0]).expect("JSON");
    let run = daemon.ended(run["run_id"].as_str().expect("a run"));

    assert_eq!((&run["report"]["applied"], &run["report"]["pending"]), (&3.into(), &3.into()), "{run:#}");
    assert_eq!(there(&rig), (vec!["Acme".to_owned()], 1, 1));
}

/// What was on its way when a run was killed, and nothing shows, did not happen.
const AT_ONCE: &str = "rules.unsettled_minutes = 0\n";

#[test]
fn killed_in_a_run_for_one_client_the_next_start_goes_no_further_than_it_was_to_go() {
    for writes in 0..2 {
        let rig = two_clients();
        let daemon = start(&rig, AT_ONCE);
        rig.sandbox.knobs().latency = Duration::from_millis(100);
        assert_eq!(daemon.post("/runs", ACME_SECRET, "").0, 202);
        daemon.until("it is in the middle", |_| {
            (!rig.sandbox.calls().is_empty() && rig.mutations().len() >= writes).then_some(())
        });
        daemon.end_by(rustix::process::Signal::KILL);
        assert_ne!(there(&rig), (vec!["Acme".to_owned()], 1, 1), "not all of it was done");
        rig.sandbox.knobs().latency = Duration::ZERO;

        let daemon = start(&rig, AT_ONCE);

        daemon.until("it is taken up", |_| (there(&rig) == (vec!["Acme".to_owned()], 1, 1)).then_some(()));
        daemon.until("it ended", |daemon| (daemon.number("punchlist_running") == 0).then_some(()));
        assert_eq!(there(&rig), (vec!["Acme".to_owned()], 1, 1), "{writes}");
    }
}

#[test]
fn a_client_that_nobody_knows_is_said_and_keeps_nobody_else_from_running() {
    let rig = two_clients();
    let daemon = start(
        &rig,
        "webhook.callers.gone = { kind = \"bearer\", secret = \"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\", scope = \"client:Initech\" }\n",
    );

    let (status, body) = daemon.post("/runs", "foo", "");

    assert_eq!(status, 202, "{body}");
    let run: Value = serde_json::from_str(&body).expect("JSON");
    let run = daemon.ended(run["run_id"].as_str().expect("a run"));
    assert!(run["error"].as_str().is_some_and(|error| error.contains("no client is called “Initech”")), "{run:#}");
    assert_eq!(there(&rig).0.len() + rig.mutations().len(), 0);
    assert_eq!(daemon.get("/readyz", "").0, 200);
    assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "applied");
}

#[test]
fn no_brake_is_passed_client_by_client_and_what_is_held_says_what_lets_it_through() {
    let mut world = World::empty();
    let clients = ["Acme", "Globex"].map(|name| world.add_client_page(name));
    for n in 0..4 {
        world.add_project_page(&format!("Project {n}"), clients[n % 2]);
    }
    let rig = Rig::new(world);
    rig.settle();
    let pages: Vec<_> = rig.sandbox.world().pages("Projects").iter().map(|page| page.id).collect();
    for page in &pages {
        rig.sandbox.world().set_status(*page, "Status", "Done");
    }
    let open = || rig.sandbox.world().projects().iter().filter(|project| !project.archived).count();

    for client in ["Acme", "Globex"] {
        let ran = rig.run(&["--auto-approve", "--client", client]);
        assert_eq!((ran.code, open()), (3, 4), "{}", ran.stdout);
        let said = format!("it counts all clients: 2 of these 4 belong to “{client}”");
        assert!(
            ran.stdout.replace('\n', " ").split_whitespace().collect::<Vec<_>>().join(" ").contains(&said),
            "{}",
            ran.stdout
        );
    }

    let file = rig.home.path().join("acme.json");
    let file = file.to_str().expect("UTF-8");
    assert_eq!(rig.run(&["plan", "--client", "Acme", "--out", file]).code, 0);
    let few = rig.run(&["apply", file, "--allow", "close=2"]);
    assert_eq!((few.code, open()), (3, 4), "{}{}", few.stdout, few.stderr);
    let all = rig.run(&["apply", file, "--allow", "close=4"]);
    assert_eq!((all.code, open()), (0, 2), "{}{}", all.stdout, all.stderr);
}

#[test]
fn from_the_command_line_a_plan_and_a_run_are_of_one_client_too() {
    let rig = two_clients();
    let planned = rig.run(&["plan", "--client", "Acme"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    assert!(planned.stdout.contains("Plan of “Acme” alone: 3 create"), "{}", planned.stdout);
    assert!(!planned.stdout.contains("Globex"), "{}", planned.stdout);
    let file = rig.home.path().join("acme.json");
    let saved = rig.run(&["plan", "--client", "Acme", "--out", file.to_str().expect("UTF-8")]);
    assert_eq!(saved.code, 0, "{}", saved.stderr);

    assert_eq!(rig.run(&["apply", file.to_str().expect("UTF-8")]).code, 0);
    assert_eq!(there(&rig), (vec!["Acme".to_owned()], 1, 1));
    let ran = rig.run(&["--auto-approve", "--client", "Acme"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("Nothing to do for “Acme”; this says nothing of other clients."), "{}", ran.stdout);
    let unknown = rig.run(&["plan", "--client", "Initech"]);
    assert_eq!(
        (unknown.code, unknown.stderr.contains("no client is called “Initech”")),
        (64, true),
        "{}",
        unknown.stderr
    );
    let both = rig.run(&["--auto-approve", "--client", "Acme", "--client", "Globex"]);
    assert_eq!((both.code, there(&rig).1), (0, 2), "{}", both.stderr);
}
