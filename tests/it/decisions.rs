//! A decision ends with the difference that it was about, and stays until what was approved is whole; what fails waits
//! with its age.

use punchlist::sandbox::{Fault, FaultKind, NotionId, Service, World};
use serde_json::{Value, json};

use crate::support::Rig;

/// A client that both sides agree on, and its page.
fn agreed(name: &str) -> (Rig, NotionId) {
    let mut world = World::empty();
    let page = world.add_client_page(name);
    let rig = Rig::new(world);
    assert_eq!(rig.auto_approve().0, 0);
    (rig, page)
}

/// Somebody renames a client in Clockify, which is for review by default.
fn rename(rig: &Rig, from: &str, to: &str) {
    let mut world = rig.sandbox.world();
    let client = world.find_client(from).expect("a client");
    world.rename_object(client, to);
}

fn pending(rig: &Rig) -> Value {
    let ran = rig.run(&["pending", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.json()
}

/// `update Globex review` for each change that waits.
fn waiting(rig: &Rig) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = pending(rig)["changes"].as_array().expect("changes").clone();
    all.iter()
        .map(|change| format!("{} {} {}", word(&change["action"]), word(&change["name"]), word(&change["waits"])))
        .collect()
}

fn approve_all(rig: &Rig) {
    let ran = rig.run(&["pending", "approve", "--all"]);
    assert!(ran.code == 0 && ran.stdout.contains("approved: "), "{}{}", ran.stdout, ran.stderr);
}

fn has_client(rig: &Rig, name: &str) -> bool {
    rig.sandbox.world().find_client(name).is_some()
}

/// The entries of the log of a kind.
fn logged(rig: &Rig, kind: &str) -> String {
    rig.run(&["logs", "list", "--kind", kind]).stdout
}

/// Globex is renamed in Clockify, and somebody approves to put the name back.
fn approved_to_restore() -> Rig {
    let (rig, _) = agreed("Globex");
    rename(&rig, "Globex", "Globex Inc");
    assert_eq!(rig.auto_approve().0, 2);
    approve_all(&rig);
    rig
}

/// The same rename again, this time on purpose.
fn is_asked_again(rig: &Rig, case: &str) {
    rename(rig, "Globex", "Globex Inc");
    assert_eq!(rig.auto_approve().0, 2, "{case}");
    assert!(has_client(rig, "Globex Inc"), "{case}: what was approved then is not carried out now");
    assert_eq!(waiting(rig), ["update Globex review"], "{case}");
}

#[test]
fn what_was_approved_is_over_when_somebody_mends_it_by_hand() {
    for looks in [&["plan"][..], &["--auto-approve"]] {
        let rig = approved_to_restore();
        rename(&rig, "Globex Inc", "Globex");
        assert_eq!(rig.run(looks).code, 0);

        let ended = logged(&rig, "decision_ended");
        assert!(ended.contains("had decided is over: update client “Globex”"), "{ended}");
        assert!(ended.contains("there is no such difference any more"), "{ended}");
        assert_eq!(pending(&rig)["decisions"], json!([]));
        is_asked_again(&rig, looks[0]);
        assert!(rig.run(&["logs", "verify"]).code == 0, "the log is whole");
    }
}

#[test]
fn what_was_approved_is_over_when_the_run_was_killed_behind_the_write() {
    let mut killed = 0;
    for commit in 1..60 {
        let rig = approved_to_restore();
        let ran = rig.run_at(&format!("committed:{commit}:abort"), &["--auto-approve"]);
        if ran.code == 0 {
            break;
        }
        if !has_client(&rig, "Globex") {
            continue;
        }
        killed += 1;
        let case = format!("killed at commit {commit}");
        assert_eq!(rig.auto_approve().0, 0, "{case}");
        is_asked_again(&rig, &case);
    }
    assert!(killed > 2, "{killed} kills");
}

#[test]
fn what_a_write_has_carried_out_is_spent_though_nobody_has_looked_since() {
    // Killed as soon as it is on disk that the write happened: the same difference comes again before the next run.
    let mut killed = 0;
    for commit in 1..60 {
        let rig = approved_to_restore();
        let ran = rig.run_at(&format!("committed:{commit}:abort"), &["--auto-approve"]);
        if ran.code == 0 {
            break;
        }
        // A create and its ID in the run before, and then this.
        if logged(&rig, "outcome").matches("done").count() < 3 {
            continue;
        }
        killed += 1;
        is_asked_again(&rig, &format!("killed at commit {commit}"));
    }
    assert!(killed > 1, "{killed} kills");
}

#[test]
fn flags_end_too_and_what_is_ignored_for_good_stays_so() {
    let (rig, _) = agreed("Globex");
    rename(&rig, "Globex", "Globex Inc");
    rig.plain("f ask Ana\nq\n");
    let waits = pending(&rig)["changes"][0].clone();
    assert_eq!(
        (&waits["waits"], &waits["decision"], &waits["approved"]),
        (&json!("flagged"), &json!("flag"), &json!(false)),
        "nothing was applied yet, and somebody said something"
    );
    assert!(waits["because"].as_str().is_some_and(|because| because.ends_with(": ask Ana")), "{waits}");
    rename(&rig, "Globex Inc", "Globex");
    rig.plan();
    assert_eq!(pending(&rig)["changes"], json!([]));

    rename(&rig, "Globex", "Globex Inc");
    rig.plain("i\nq\n");
    rename(&rig, "Globex Inc", "Globex");
    rig.plan();
    rename(&rig, "Globex", "Globex Inc");
    assert_eq!(rig.auto_approve().0, 0, "nobody is asked again");
    assert_eq!(logged(&rig, "decision_ended").matches("is over").count(), 1);
}

#[test]
fn from_what_cannot_be_read_whole_no_decision_ends() {
    let rig = approved_to_restore();
    rename(&rig, "Globex Inc", "Globex");
    let cut = |rows| rig.sandbox.knobs().row_cap = rows;
    for name in ["Initech", "Hooli"] {
        rig.sandbox.world().add_client_page(name);
    }
    cut(1);
    rig.plan();
    assert!(!logged(&rig, "decision_ended").contains("is over"), "{}", logged(&rig, "decision_ended"));
    cut(10_000);
    rig.plan();
    assert!(logged(&rig, "decision_ended").contains("is over"));
}

#[test]
fn an_approval_that_no_run_has_left_is_listed_and_can_be_taken_back() {
    let (rig, _) = agreed("Globex");
    rename(&rig, "Globex", "Globex Inc");
    rig.plain("a\nq\n");

    let listed = rig.run(&["pending"]).stdout;
    assert!(listed.contains("update client Globex") && listed.contains("for the next run"), "{listed}");
    assert!(listed.contains("1 approved: `punchlist apply --pending` applies them now"), "{listed}");
    let id = pending(&rig)["changes"][0]["id"].as_str().expect("an id").to_owned();
    let cleared = rig.run(&["pending", "clear", &id[..6]]).stdout;
    assert!(cleared.starts_with("not decided any more: update client “Globex”"), "{cleared}");

    assert_eq!(rig.auto_approve().0, 2, "nothing is approved any more");
    assert!(has_client(&rig, "Globex Inc"));
    rig.plain("a\nq\n");
    assert!(rig.run(&["pending", "clear", "--all"]).stdout.contains("not decided any more"));
    assert_eq!(rig.run(&["pending", "clear", "--all"]).stdout, "Nothing was decided about what this names.\n");
    assert_eq!(rig.auto_approve().0, 2);
}

#[test]
fn a_change_that_was_created_keeps_its_approval_until_its_id_is_in_the_page() {
    let mut world = World::empty();
    let page = world.add_client_page("Globex");
    let rig = Rig::new(world);
    rig.configure("rules.thresholds.create = \"never\"\nrules.thresholds.write_back = \"never\"\n");
    assert_eq!(rig.auto_approve().0, 2);
    approve_all(&rig);
    let refused =
        Fault::new(FaultKind::Status(409, "{\"code\":\"conflict_error\",\"message\":\"try later\"}".to_owned()));
    rig.sandbox.knobs().faults.push(refused.service(Service::Notion).on("PATCH", "/pages").times(u32::MAX));
    assert_ne!(rig.auto_approve().0, 0);
    let created = rig.sandbox.world().clients().len();
    assert_eq!((created, rig.sandbox.world().claim(page)), (1, None));

    assert_eq!(rig.plan_lines(), ["write_back client Globex [ready]"], "it completes what was approved");
    assert_eq!(rig.plan()["changes"][0]["reason"], json!("created or linked, its ID not yet in the page"));

    rig.sandbox.knobs().faults.clear();
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.sandbox.world().clients().len(), 1);
    assert!(rig.sandbox.world().claim(page).is_some());
    // Now that it was there, it can be lost, and what puts it back is for a person as the configuration says.
    rig.sandbox.world().set_claim_text(page, "");
    assert_eq!(rig.plan()["changes"][0]["reason"], json!("the page has lost its Clockify ID"));
    assert_eq!(rig.auto_approve().0, 2);
}

#[test]
fn an_approval_outlives_refusals_and_what_fails_waits_with_its_age_until_it_is_made() {
    let rig = approved_to_restore();
    let first = pending(&rig)["changes"][0]["first_seen"].clone();
    let refused = Fault::new(FaultKind::Status(400, "{\"message\":\"not today\",\"code\":501}".to_owned()));
    rig.sandbox.knobs().faults.push(refused.service(Service::Clockify).on("PUT", "/clients").times(u32::MAX));

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["failed"], &report["pending"]), (1, &json!(1), &json!(0)), "{report:#}");
    let row = pending(&rig)["changes"][0].clone();
    assert_eq!(
        (&row["waits"], &row["first_seen"], &row["approved"]),
        (&json!("failed"), &first, &json!(true)),
        "{row:#}"
    );
    assert!(row["because"].as_str().is_some_and(|because| because.contains("not today")), "{row:#}");
    let listed = rig.run(&["pending"]).stdout;
    assert!(listed.contains("failed, and approved by"), "{listed}");

    rig.sandbox.knobs().faults.clear();
    assert_eq!(rig.auto_approve().0, 0);
    assert!(has_client(&rig, "Globex"), "it is carried out as approved");
    assert_eq!(waiting(&rig), [""; 0]);
}

#[test]
fn what_policy_approves_waits_as_failed_too_and_a_run_that_does_not_try_it_leaves_it_so() {
    let (rig, page) = agreed("Globex");
    rig.sandbox.world().set_title(page, "Globex Holding");
    let refused = Fault::new(FaultKind::Status(400, "{\"message\":\"not today\",\"code\":501}".to_owned()));
    rig.sandbox.knobs().faults.push(refused.service(Service::Clockify).on("PUT", "/clients").times(u32::MAX));
    assert_eq!(rig.auto_approve().0, 1);
    let before = pending(&rig)["changes"].clone();
    assert_eq!(waiting(&rig), ["update Globex Holding failed"]);

    assert_eq!(rig.run(&["apply", "--pending"]).code, 2, "it still waits");
    assert_eq!(pending(&rig)["changes"], before, "with its reason and its age");
    rig.plan();
    assert_eq!(pending(&rig)["changes"], before);
    assert_eq!(rig.auto_approve().0, 1);
    assert_eq!(pending(&rig)["changes"], before);

    rig.sandbox.world().set_title(page, "Globex");
    rig.plan();
    assert_eq!(waiting(&rig), [""; 0], "it is over with its difference");
}

#[test]
fn what_was_not_started_waits_with_its_reason() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    world.add_project_page("Website", client);
    let rig = Rig::new(world);
    let refused = Fault::new(FaultKind::Status(400, "{\"message\":\"not today\",\"code\":501}".to_owned()));
    rig.sandbox.knobs().faults.push(refused.service(Service::Clockify).on("POST", "/clients"));

    assert_eq!(rig.auto_approve().0, 1);

    assert_eq!(waiting(&rig), ["create Globex failed", "create Website failed"]);
    assert_eq!(pending(&rig)["changes"][1]["because"], json!("not started: something that it needs failed"));
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(waiting(&rig), [""; 0]);
}

#[test]
fn an_ending_speaks_of_the_whole_plan_whatever_the_run_was_asked_for() {
    let (rig, page) = agreed("Globex");
    rig.sandbox.world().set_title(page, "Globex Holding");
    assert_eq!(rig.run(&["plan", "--out", "plan.json"]).code, 0);
    let other = rig.sandbox.world().add_client_page("Initech");

    for asked in [&["apply", "plan.json"][..], &["apply", "--pending"]] {
        let mut command = asked.to_vec();
        command.push("--json");
        let ran = rig.run(&command);
        let report = ran.json();
        assert_eq!(
            (ran.code, &report["outcome"], &report["ready"]),
            (2, &json!("pending"), &json!(1)),
            "{asked:?}: {report:#}"
        );
        let said = rig.run(asked).stdout;
        assert!(said.contains("1 more is ready") && !said.contains("In sync"), "{said}");
    }
    assert!(has_client(&rig, "Globex Holding"), "what it was asked for is done");
    assert_eq!(waiting(&rig), [""; 0], "nobody has to decide about the other");
    assert_eq!(rig.auto_approve().0, 0);
    assert!(rig.sandbox.world().claim(other).is_some());
    assert_eq!(rig.run(&["apply", "--pending"]).code, 0);
}

#[test]
fn what_clockify_takes_and_does_not_keep_is_told_and_waits_and_is_not_sent_again() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let task = world.add_task_page("Design", project);
    let rig = Rig::new(world);
    for (source, page) in [("Projects", project), ("Tasks", task)] {
        rig.add_column(source, "Planned", json!({"number": {}}));
        rig.sandbox.world().set(page, "Planned", 8);
    }
    rig.configure("mapping.projects.fields.estimate = \"Planned\"\nmapping.tasks.fields.estimate = \"Planned\"\n");
    rig.sandbox.knobs().estimates_dropped = true;

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["failed"]), (4, &json!(2)), "{report:#}");
    assert_eq!(report["failures"][0]["error"], json!("created, but Clockify did not keep: estimate"));
    assert!(rig.sandbox.world().claim(task).is_some(), "the rest went on");
    rig.sandbox.clear_calls();
    assert_eq!(rig.auto_approve().0, 2, "it is not in sync");
    assert_eq!(waiting(&rig), ["update Website review", "update Design review"]);
    assert!(
        pending(&rig)["changes"][0]["because"]
            .as_str()
            .is_some_and(|why| why.starts_with("Clockify took it and did not keep it"))
    );
    assert!(rig.mutations().is_empty(), "and nothing is sent again unasked");

    // Somebody has it sent again, in vain: it waits on, and is not sent once more.
    approve_all(&rig);
    assert_eq!(rig.auto_approve().0, 4);
    assert_eq!(waiting(&rig), ["update Website failed", "update Design failed"]);
    rig.sandbox.clear_calls();
    assert_eq!(rig.auto_approve().0, 2);
    assert_eq!(waiting(&rig), ["update Website failed", "update Design failed"]);
    assert!(rig.mutations().is_empty());

    // The plan allows it by now.
    rig.sandbox.knobs().estimates_dropped = false;
    approve_all(&rig);
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.auto_approve().1["outcome"], json!("in_sync"));
}

#[test]
fn what_somebody_types_while_a_run_is_undone_is_mirrored() {
    let (rig, page) = agreed("Globex");
    rig.sandbox.world().set_title(page, "Globex Holding");
    assert_eq!(rig.auto_approve().0, 0);
    rig.sandbox.world().set_title(page, "Globex SE");

    assert_eq!(rig.run(&["undo", "--out", "undo.json"]).code, 0);
    assert_eq!(rig.run(&["apply", "undo.json"]).code, 0);
    assert!(has_client(&rig, "Globex"), "the run is taken back");

    assert_eq!(rig.auto_approve().0, 0);
    assert!(has_client(&rig, "Globex SE"), "and what is newer than the run is mirrored");
}
