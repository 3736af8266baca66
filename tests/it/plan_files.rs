//! A saved plan lets through only what our own planner calls ready, or a person has approved, whatever the file says.

use std::{fs, os::unix::fs::PermissionsExt};

use punchlist::{domain::plan::sha256, edge::checkpoints::Checkpoints, sandbox::World};
use serde_json::{Value, json};

use crate::support::Rig;

/// A client that is ready to be created, and one that waits for a person.
fn rig() -> Rig {
    let mut world = World::empty();
    world.add_client_page("Acme");
    let rig = Rig::new(world);
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        let object = world.find_client("Acme").expect("there");
        world.rename_object(object, "Acme GmbH");
        world.add_client_page("Initech");
    }
    rig.sandbox.clear_calls();
    rig
}

/// Seals a plan as its planner does.
fn seal(plan: &mut Value) {
    let mut rest = plan.clone();
    let fields = rest.as_object_mut().expect("an object");
    fields.remove("seal");
    fields.remove("signature");
    plan["seal"] = json!(sha256(&rest));
}

#[test]
fn a_plan_that_somebody_sealed_anew_is_refused() {
    let rig = rig();
    let file = rig.home.path().join("plan.json");
    assert_eq!(rig.run(&["plan", "--out", "plan.json"]).code, 0);
    let saved: Value = serde_json::from_str(&fs::read_to_string(&file).expect("saved")).expect("JSON");
    let mut same = saved.clone();
    seal(&mut same);
    assert_eq!(same, saved, "the test seals as the planner does");
    let mut forged = saved.clone();
    for change in forged["changes"].as_array_mut().expect("changes") {
        change["state"] = json!("ready");
    }
    seal(&mut forged);
    let mut unsigned = forged.clone();
    unsigned.as_object_mut().expect("an object").remove("signature");
    let mut signed_by_another = forged.clone();
    signed_by_another["signature"]["key"] = json!("ab".repeat(32));
    for (plan, because) in [
        (&forged, "its signature does not hold"),
        (&unsigned, "it is not signed"),
        (&signed_by_another, "signed with another key than this state's"),
    ] {
        fs::write(&file, plan.to_string()).expect("writes");
        let ran = rig.run(&["apply", "plan.json"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(because) && ran.stderr.contains("punchlist plan --out FILE"), "{}", ran.stderr);
    }
    fs::write(&file, saved.to_string()).expect("writes");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("sets");
    let ran = rig.run(&["apply", "plan.json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("others may write it"), "{}", ran.stderr);
    std::os::unix::fs::symlink(&file, rig.home.path().join("link.json")).expect("links");
    assert!(rig.run(&["apply", "link.json"]).stderr.contains("symbolic link"));
    assert!(rig.mutations().is_empty());

    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("sets");
    let other = rig.home.path().join("other").display().to_string();
    let mut command = crate::support::punchlist(rig.home.path());
    command.arg("--config").arg(rig.configuration()).args(["--state-dir", &other, "apply", "plan.json"]);
    let ran = crate::support::Ran::of(command.output().expect("runs"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("another key than this state's"), "{}", ran.stderr);
    assert_eq!(rig.run(&["apply", "plan.json"]).code, 2, "what waits goes on waiting");
    assert!(rig.sandbox.world().find_client("Initech").is_some());
}

#[test]
fn each_cause_that_a_file_cannot_be_read_is_told_with_what_to_do() {
    let rig = rig();
    let home = rig.home.path();
    assert_eq!(rig.run(&["plan", "--out", "plan.json"]).code, 0);
    let saved = fs::read_to_string(home.join("plan.json")).expect("saved");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(home.join(name), bytes).expect("writes");
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o600)).expect("sets");
    };
    write("empty", b"\n");
    write("cut", &saved.as_bytes()[..saved.len() / 2]);
    write("binary", &[0xFF, 0xFE]);
    write("page", b"<html></html>");
    write("report", b"{\"format\":\"punchlist/report/1\"}");
    write("other", b"[1, 2]");
    write("newer", saved.replace("punchlist/plan/1", "punchlist/plan/2").as_bytes());
    write("changed", saved.replacen("Acme", "Akme", 1).as_bytes());
    for (file, because, hint) in [
        ("none", "there is no such file", "check the path"),
        ("state", "it is a directory", "name the file"),
        ("/dev/null", "it is not a regular file", "name the file"),
        ("empty", "it is empty", "copy it again"),
        ("cut", "it breaks off in line ", "copy it again"),
        ("binary", "it is not UTF-8 text", "name the file"),
        ("page", "it is not JSON: ", "name the file"),
        ("other", "it is JSON, but no punchlist plan: ", "name the file"),
        ("report", "it is JSON, but no punchlist plan: its format is \"punchlist/report/1\"", "name the file"),
        ("newer", "its format is \"punchlist/plan/2\"", "the version that has made it"),
        ("changed", "its content does not match its seal", "decide in the review"),
    ] {
        let ran = rig.run(&["apply", file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{file}: {}", ran.stderr);
        let lines: Vec<&str> = ran.stderr.lines().collect();
        let [error, next] = lines.as_slice() else { panic!("{}", ran.stderr) };
        assert!(error.starts_with(&format!("error: the plan {file} cannot be used: {because}")), "{error}");
        assert!(next.starts_with(" hint: ") && next.contains(hint), "{file}: {next}");
    }
    assert!(rig.mutations().is_empty());
}

#[test]
fn what_our_own_planner_leaves_to_a_person_stays_so_whatever_the_file_says() {
    let rig = rig();
    let file = rig.home.path().join("plan.json");
    assert_eq!(rig.run(&["plan", "--out", "plan.json"]).code, 0);
    let mut forged: Value = serde_json::from_str(&fs::read_to_string(&file).expect("saved")).expect("JSON");
    for change in forged["changes"].as_array_mut().expect("changes") {
        change["state"] = json!("ready");
    }
    seal(&mut forged);
    // Even who has the key cannot make the planner change its mind.
    let text = format!("punchlist/plan/1\n{}\n", forged["seal"].as_str().expect("a seal"));
    let (key, value) = Checkpoints::of(&rig.home.path().join("state"), None, None).sign(&text).expect("signs");
    forged["signature"] = json!({"key": key, "value": value});
    fs::write(&file, forged.to_string()).expect("writes");

    let ran = rig.run(&["apply", "plan.json", "--json"]);

    let report = ran.json();
    assert_eq!((ran.code, &report["applied"], &report["skipped"]), (4, &json!(1), &json!(1)), "{report:#}");
    let because = report["not_started"][0]["because"].as_str().expect("a reason");
    assert!(because.starts_with("it is for a person to decide ("), "{because}");
    let clients = rig.sandbox.world().clients().into_iter().map(|client| client.name);
    assert_eq!(clients.collect::<Vec<_>>(), ["Acme GmbH", "Initech"]);
}

#[test]
fn what_a_person_approved_is_applied_from_a_file_and_nothing_that_is_not_in_it() {
    let rig = rig();
    assert_eq!(rig.run(&["plan", "--out", "plan.json"]).code, 0);
    rig.sandbox.world().add_client_page("Globex");
    assert!(rig.plain("a\nq\n").contains("approved"), "the first change, which is for review");

    let report = rig.run(&["apply", "plan.json", "--json"]).json();

    assert_eq!((&report["applied"], &report["ready"]), (&json!(2), &json!(1)), "{report:#}");
    let mut clients: Vec<String> = rig.sandbox.world().clients().into_iter().map(|client| client.name).collect();
    clients.sort();
    assert_eq!(clients, ["Acme", "Initech"]);
}
