//! The state on a server: the real binary against a real `PostgreSQL`.

mod old;
mod paused;
mod refused;
mod shared;
#[cfg(target_os = "linux")]
mod skewed;
mod stale;
mod vanished;

use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use punchlist::sandbox::{Fault, FaultKind, Service, World};
use serde_json::json;

use crate::support::{Rig, postgres::server};

/// How long anything may take that a test waits for.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A rig with its state on the server; nothing where there is none.
pub(crate) fn rig(world: World) -> Option<Rig> {
    Some(Rig::with_state(world, Some(server()?.address())))
}

/// Answers of the server to a question about the state of a rig.
fn asked(rig: &Rig, sql: &str) -> String {
    let address = rig.server.as_deref().expect("on a server");
    let schema = address.split_once("schema=").expect("it names one").1;
    server().expect("it runs").sql(&format!("SET search_path TO {schema}; {sql}"))
}

/// Ends a process when it is dropped.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn a_state_on_a_server_is_all_that_one_in_a_directory_is() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    let project = world.add_project_page("Website", client);
    let Some(rig) = rig(world) else { return };

    let checkpoints = rig.home.path().join("checkpoints");
    rig.configure(&format!("logs.checkpoints = \"{}\"\n", checkpoints.display()));
    assert_eq!(rig.plan_lines(), ["create client Acme Corp [ready]", "create project Website [ready]"]);
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["applied"]), (0, &json!(2)), "{report:#}");
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
    rig.sandbox.world().set_title(project, "Relaunch");
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["applied"]), (0, &json!(1)), "{report:#}");

    let file = rig.home.path().join("undo.json");
    let file = file.to_str().expect("UTF-8");
    let undo = rig.run(&["undo", "--out", file]);
    assert_eq!(undo.code, 0, "{}", undo.stderr);
    assert_eq!(rig.run(&["apply", file]).code, 0);
    assert!(rig.sandbox.world().projects().iter().any(|project| project.name == "Website"));

    {
        let mut world = rig.sandbox.world();
        let object = world.find_client("Acme Corp").expect("there");
        world.rename_object(object, "Acme GmbH");
    }
    assert_eq!(rig.auto_approve().0, 2, "a person is asked");
    assert!(rig.run(&["pending"]).stdout.contains("Acme"), "{}", rig.run(&["pending"]).stdout);
    assert_eq!(rig.run(&["pending", "approve", "--all"]).code, 0);
    assert_eq!(rig.run(&["apply", "--pending"]).code, 0);
    assert!(rig.sandbox.world().find_client("Acme GmbH").is_none(), "it is as its page says again");

    // Where no checkpoints are asked for, none is missed: the chain is followed.
    rig.configure("");
    let copy = rig.home.path().join("log.jsonl");
    let copy = copy.to_str().expect("UTF-8");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
    assert_eq!(rig.run(&["logs", "export", "--out", copy]).code, 0);
    assert_eq!(rig.run(&["logs", "verify", copy]).code, 0);
    let looked = rig.run(&["doctor", "--json"]).json();
    let of_log = looked["checks"].as_array().expect("checks").iter().find(|check| check["code"] == "log").cloned();
    assert_eq!(of_log.expect("it looks at the log")["verdict"], "ok");

    let logged = rig.run(&["logs", "list", "--json"]);
    assert!(logged.json()["runs"].as_array().expect("runs").len() >= 7, "{}", logged.stdout);
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
    assert_eq!(rig.run(&["state", "lock"]).stdout, "Nobody holds the lock.\n", "every run has let it go");
    assert_eq!(rig.run(&["state", "lock", "--json"]).json(), json!({ "format": "punchlist/lock/1", "held": null }));
    let kept = rig.home.path().join("state");
    assert!(!kept.exists(), "nothing of it is on this machine");
}

#[test]
fn a_second_run_is_refused_and_told_who_holds_the_lock_which_a_person_can_break() {
    let mut world = World::empty();
    let page = world.add_client_page("Globex");
    let Some(rig) = rig(world) else { return };
    rig.settle();
    rig.sandbox.world().set_title(page, "Globex AG");
    rig.sandbox.knobs().faults.push(Fault::new(FaultKind::Stall).service(Service::Clockify).on("PUT", "/clients"));
    let mut command = rig.command();
    let hanging = command.arg("--auto-approve").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let hanging = Ended(hanging);
    until("it applies", || rig.mutations().iter().any(|call| call.method == "PUT"));
    rig.sandbox.knobs().faults.clear();

    let (epoch, said) = rig.lock_holder().expect("somebody holds it");
    let holder =
        format!("“auto-approve” by {}", asked(&rig, "SELECT holder::json->>'by' FROM lease WHERE name = 'run'"));
    assert!(said.contains(&holder) && said.contains("applying, since"), "{said}");
    let held = rig.run(&["state", "lock", "--json"]).json();
    assert_eq!((&held["held"]["epoch"], &held["held"]["holder"]["trigger"]), (&json!(epoch), &json!("auto-approve")));
    let second = rig.run(&["--auto-approve"]);
    assert_eq!(second.code, 5, "{}", second.stderr);
    for words in [holder.as_str(), &format!("at epoch {epoch}"), "--lock-timeout"] {
        assert!(second.stderr.contains(words), "{words}: {}", second.stderr);
    }
    // What looks and decides works beside it.
    for words in [vec!["plan"], vec!["pending"], vec!["logs", "list"]] {
        let ran = rig.run(&words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    }

    drop(hanging);
    assert_eq!(rig.run(&["--auto-approve"]).code, 5, "the lease outlives it");
    assert_eq!(rig.run(&["state", "unlock", "--epoch", &(epoch + 1).to_string()]).code, 1);
    assert_eq!(rig.run(&["state", "unlock", "--epoch", &epoch.to_string()]).code, 0);
    assert_eq!(rig.run(&["state", "unlock", "--epoch", &epoch.to_string()]).code, 1, "nobody holds it any more");
    let (code, report) = rig.auto_approve();
    assert_eq!(code, 0, "{report:#}");
    assert!(rig.sandbox.world().find_client("Globex AG").is_some());
    let told = rig.run(&["logs", "list", "--json"]).stdout;
    assert!(told.contains("state unlock"), "{told}");
}
