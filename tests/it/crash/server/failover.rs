//! A server is lost in the middle of an apply, and another one takes its address, which had not heard of the last commits.
//! The journal has forgotten writes that were made; nothing is made twice all the same.
//!
//! `PUNCHLIST_CRASH_SERVER=1` loses it after every number of writes; otherwise after a few.

use std::collections::BTreeMap;

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Lets a run make so many writes that the other server knows, and so many that it does not.
fn fails_over(server: &'static Server, scene: &Scene, end: &Value, (writes, lost): (usize, usize)) {
    let rig = scene.rig();
    rig.sandbox.knobs().latency = Duration::from_millis(30);
    let database = database_of(&rig);
    let mut running = begin(&rig);
    let crash = format!("{lost} writes after {writes} are lost");
    assert!(wait_for(&mut running, || rig.mutations().len() >= writes), "{crash}: it makes as many writes");
    let (pid, stopped) = (Pid::from_child(&running), Instant::now());
    kill_process(pid, Signal::STOP).expect("it lives");
    let copy = server.back_up();
    let known = intents_of_last_run(server, &database);
    // For the services, too, time goes by.
    rig.sandbox.world().advance(stopped.elapsed().try_into().expect("short"));
    kill_process(pid, Signal::CONT).expect("it lives");
    // Where the copy took long, it may come to its end before.
    let is_amid = wait_for(&mut running, || rig.mutations().len() >= writes + lost);
    server.fail_over(&copy);
    let sent = rig.mutations().len();

    let ended = Ran::of(running.wait_with_output().expect("it ends"));

    let crash = format!("{crash}: {}", ended.stderr);
    if is_amid {
        assert_eq!(ended.code, 6, "{crash}");
        assert!(ended.stderr.contains("what was under way is taken up"), "{crash}");
    }
    assert_eq!(intents_of_last_run(server, &database), known, "{crash}: what came later is forgotten");
    assert_eq!(rig.mutations().len(), sent, "{crash}: what cannot be journaled does not leave");
    rig.sandbox.knobs().latency = Duration::ZERO;
    rig.unlock();
    let now = finish_forgetful(&rig, &crash);
    // A task whose move was half done when it was forgotten is left to a person.
    let asked = rig.plan_lines();
    assert!(asked.iter().all(|line| line.contains("Design") && !line.contains("[ready]")), "{crash}: {asked:?}");
    let as_far = |picture: &Value| if asked.is_empty() { picture.clone() } else { but_for_design(picture) };
    assert_eq!(as_far(&now), as_far(end), "{crash}");
    assert_eq!(objects(&now), objects(end), "{crash}: nothing is there twice");
    let store = answered(Store::open_read_only(&rig.state())).expect("readable");
    let verdict = answered(store.verify(&[])).expect("readable");
    assert_eq!(verdict.findings, [Finding::NoCheckpoint], "{crash}: the journal's chain is whole");
    assert_eq!(answered(store.open_writes()).expect("readable"), [], "{crash}");
    drop(store);
    server.sql(&format!("DROP DATABASE {database} WITH (FORCE)"));
}

/// How many objects there are of each name.
fn objects(picture: &Value) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for row in picture["objects"].as_array().expect("objects") {
        let names = row.as_array().expect("a row").iter().filter_map(Value::as_str);
        *count.entry(names.collect::<Vec<_>>().join(" ")).or_default() += 1;
    }
    count
}

/// A picture without what it shows of the task that moves.
fn but_for_design(picture: &Value) -> Value {
    let rows = |of: &str| {
        let rows = picture[of].as_array().expect("rows").iter();
        rows.filter(|row| !row.to_string().contains("Design")).cloned().collect::<Vec<_>>()
    };
    json!({"objects": rows("objects"), "pages": rows("pages")})
}

#[test]
fn a_run_whose_server_is_replaced_by_one_that_lost_the_last_commits_is_taken_up_by_the_next() {
    let Some(server) = own_server() else { return };
    server.let_be_copied();
    server.restart();
    let scene = scene_on(server);
    let end = scene.end();
    let every: Vec<(usize, usize)> = if std::env::var("PUNCHLIST_CRASH_SERVER").is_ok() {
        (0..13_usize)
            .flat_map(|writes| [(writes, 1), (writes, (13 - writes).div_ceil(2)), (writes, 13 - writes)])
            .collect()
    } else {
        vec![(1, 1), (1, 9), (4, 3), (9, 2)]
    };
    for case in every {
        fails_over(server, &scene, &end, case);
    }
}
