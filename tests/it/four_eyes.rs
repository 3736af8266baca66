//! What one person alone does not decide, through the real binary: it waits for a second one, whichever way the first one
//! tries.

use std::{io::Write as _, process::Stdio};

use jiff::{SignedDuration, Timestamp};
use punchlist::sandbox::{ClockifyId, World};
use serde_json::{Value, json};

use crate::{
    refile::with_one_astray,
    support::{Ran, Rig},
};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// Runs the binary as somebody.
fn as_person(rig: &Rig, who: &str, arguments: &[&str]) -> Ran {
    Ran::of(rig.command().env("USER", who).args(arguments).output().expect("the binary runs"))
}

/// Reviews by line prompts as somebody; returns what was said.
fn talk(rig: &Rig, who: &str, arguments: &[&str], typed: &str) -> String {
    let mut command = rig.command();
    command.env("USER", who).args(arguments).arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    child.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("typed");
    String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("UTF-8")
}

/// The only change that waits.
fn waiting(rig: &Rig) -> Value {
    let document = rig.run(&["pending", "--json"]).json();
    let changes = document["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 1, "{document:#}");
    changes[0].clone()
}

/// A linked task with nine hours on it, whose page says that it is done.
fn long_task() -> (Rig, ClockifyId) {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    let project = world.add_project_page("Website", client);
    let page = world.add_task_page("Design", project);
    let rig = Rig::new(world);
    rig.settle();
    let task = {
        let mut world = rig.sandbox.world();
        let task = world.tasks()[0].id;
        world.track(task, at("2026-10-05T08:00:00Z"), SignedDuration::from_hours(9));
        world.set_status(page, "Status", "Done");
        task
    };
    (rig, task)
}

fn is_done(rig: &Rig, task: ClockifyId) -> bool {
    rig.sandbox.world().tasks().iter().any(|row| row.id == task && row.done)
}

#[test]
fn without_the_rule_or_below_its_hours_one_person_is_enough() {
    for rule in ["", "rules.four_eyes.close_hours = 9\n"] {
        let (rig, task) = long_task();
        rig.configure(rule);
        assert_eq!(rig.plan()["changes"][0].get("needs_second"), None, "nothing is said of it");
        rig.auto_approve();
        assert!(is_done(&rig, task), "{rule}");
    }
}

#[test]
fn what_one_person_has_approved_waits_for_a_second_one_whichever_way_the_first_one_tries() {
    let (rig, task) = long_task();
    rig.configure("rules.four_eyes.close_hours = 8\n");

    assert_eq!(rig.auto_approve().0, 2, "policy is nobody");
    let change = waiting(&rig);
    let id = change["id"].as_str().expect("an ID").to_owned();
    assert_eq!((&change["needs_second"], &change["waits"]), (&json!(true), &json!("review")));
    let text = rig.run(&["pending"]).stdout;
    assert!(text.contains("needs two persons"), "{text}");

    let approved = as_person(&rig, "ana", &["pending", "approve", &id]).stdout;
    assert!(approved.contains("approved by you, and needs a second person: close task “Design”"), "{approved}");
    let change = waiting(&rig);
    assert_eq!((&change["approvals"], &change["approved"]), (&json!(["ana"]), &json!(false)));
    let words = "approved by ana; needs a second person";
    for (what, text) in [
        ("pending", rig.run(&["pending"]).stdout),
        ("plan", rig.run(&["plan"]).stdout),
        ("explain", rig.run(&["explain", &id]).stdout),
        ("plain", talk(&rig, "ben", &[], "q\n")),
    ] {
        assert!(text.contains(words), "{what}: {text}");
    }

    assert_eq!(as_person(&rig, "ana", &["plan", "--out", "plan.json"]).code, 0);
    for again in [
        &["pending", "approve", &id][..],
        &["apply", "--pending"],
        &["apply", "plan.json"],
        &["--auto-approve"],
        &["pending", "approve", "--all"],
        &["apply", "--pending"],
    ] {
        let ran = as_person(&rig, "ana", again);
        assert!(!is_done(&rig, task), "{again:?}: {}", ran.stdout);
        if again.contains(&"approve") {
            assert!(ran.stdout.contains("it needs a second person, who cannot be you"), "{}", ran.stdout);
        }
    }
    let report = as_person(&rig, "ana", &["apply", "--pending", "--json"]).json();
    assert_eq!((&report["pending"], &report["second_person"]), (&json!(1), &json!(1)), "{report:#}");
    let typed = talk(&rig, "ana", &[], "g 1\na\nP\nyes\n1\nq\n");
    assert!(typed.contains("who cannot be you") && !is_done(&rig, task), "{typed}");

    let approved = as_person(&rig, "ben", &["pending", "approve", &id]).stdout;
    assert!(approved.contains("approved: close task “Design”"), "{approved}");
    let change = waiting(&rig);
    assert_eq!((&change["approvals"], &change["approved"]), (&json!(["ana", "ben"]), &json!(true)));
    assert!(rig.run(&["pending"]).stdout.contains("approved by ana and ben, for the next run"));
    let report = as_person(&rig, "ben", &["apply", "--pending", "--json"]).json();

    assert!(is_done(&rig, task));
    assert_eq!((&report["applied"], report.get("second_person")), (&json!(1), None), "{report:#}");
    let log = rig.run(&["logs", "show", "last"]).stdout;
    assert!(log.contains("approved by ana and ben"), "{log}");
    let decided = rig.run(&["logs", "list", "--kind", "decided"]).stdout;
    assert!(decided.contains("by ana") && decided.contains("by ben"), "{decided}");
}

#[test]
fn the_second_person_approves_in_the_review_and_applies_there() {
    let (rig, task) = long_task();
    rig.configure("rules.four_eyes.close_hours = 8\n");
    let first = talk(&rig, "ana", &[], "a\nP\n1\nq\n");
    assert!(first.contains("it needs a second person") && !is_done(&rig, task), "{first}");

    let second = talk(&rig, "ben", &[], "a\nP\n1\n");

    assert!(is_done(&rig, task), "{second}");
}

#[test]
fn anything_else_that_somebody_says_takes_the_approvals_back() {
    let (rig, task) = long_task();
    rig.configure("rules.four_eyes.close_hours = 8\n");
    rig.auto_approve();
    let id = waiting(&rig)["id"].as_str().expect("an ID").to_owned();
    as_person(&rig, "ana", &["pending", "approve", &id]);
    talk(&rig, "ben", &[], "g 1\nf is it right?\nq\n");

    assert_eq!(waiting(&rig).get("approvals"), None);
    as_person(&rig, "ben", &["pending", "approve", &id]);
    as_person(&rig, "ben", &["apply", "--pending"]);
    assert!(!is_done(&rig, task), "ana's approval went with the flag");
    as_person(&rig, "ana", &["pending", "approve", &id]);
    as_person(&rig, "ana", &["apply", "--pending"]);
    assert!(is_done(&rig, task));
}

#[test]
fn an_undo_takes_two_persons_and_no_saved_plan_gets_around_it() {
    let mut world = World::empty();
    let page = world.add_client_page("Globex");
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().set_title(page, "Globex Inc");
    let (_, report) = rig.auto_approve();
    let run = report["run_id"].as_str().expect("a run").to_owned();
    rig.configure("rules.four_eyes.undo = true\n");
    let is_undone = || rig.sandbox.world().find_client("Globex").is_some();

    let planned = as_person(&rig, "ana", &["undo", &run, "--out", "undo.json", "--json"]).json();
    assert_eq!(planned["changes"][0]["needs_second"], json!(true), "{planned:#}");
    as_person(&rig, "ana", &["apply", "undo.json"]);
    let typed = talk(&rig, "ana", &["undo", &run], "a\nP\nyes\nq\n");
    assert!(typed.contains("it needs a second person"), "{typed}");
    as_person(&rig, "ana", &["apply", "undo.json"]);
    assert!(!is_undone());

    let typed = talk(&rig, "ben", &["undo", &run], "a\nP\nyes\n");

    assert!(typed.contains("approved by ana; needs a second person"), "{typed}");
    assert!(is_undone(), "{typed}");
}

#[test]
fn time_is_filed_elsewhere_by_two_persons() {
    let (mut world, [task, astray]) = with_one_astray();
    world.track(astray, at("2026-11-03T08:00:00Z"), SignedDuration::from_mins(50));
    let rig = Rig::new(world);
    rig.configure(
        "hours.timezone = \"Europe/Berlin\"\nrules.hours.refile = \"review\"\nrules.thresholds.refile = 60\n\
         rules.four_eyes.refile = true\n",
    );
    let on_task = || rig.sandbox.world().entries().iter().filter(|entry| entry.task == Some(task)).count();
    rig.auto_approve();
    rig.auto_approve();
    let id = waiting(&rig)["id"].as_str().expect("an ID").to_owned();

    for who in ["ana", "ana"] {
        as_person(&rig, who, &["pending", "approve", &id]);
        as_person(&rig, who, &["apply", "--pending"]);
        assert_eq!(on_task(), 0);
    }
    as_person(&rig, "ben", &["pending", "approve", &id]);
    as_person(&rig, "ben", &["apply", "--pending"]);

    assert_eq!(on_task(), 1);
}

#[test]
fn what_a_brake_had_held_takes_two_persons_once_it_is_released() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let tasks: Vec<_> = (0..5).map(|number| world.add_task_page(&format!("Task {number}"), project)).collect();
    let rig = Rig::new(world);
    rig.settle();
    for task in tasks {
        rig.sandbox.world().set_status(task, "Status", "Done");
    }
    rig.configure("rules.four_eyes.release = true\n");
    as_person(&rig, "ana", &["plan", "--out", "plan.json"]);
    let apply = |who| as_person(&rig, who, &["apply", "plan.json", "--allow", "close=5", "--json"]).json();

    let report = apply("ana");
    assert_eq!((&report["applied"], &report["pending"]), (&json!(0), &json!(5)), "{report:#}");
    as_person(&rig, "ana", &["pending", "approve", "--all"]);
    assert_eq!(apply("ana")["applied"], json!(0));
    assert_eq!(as_person(&rig, "ben", &["pending", "approve", "--all"]).code, 0);

    assert_eq!(apply("ben")["applied"], json!(5));
}
