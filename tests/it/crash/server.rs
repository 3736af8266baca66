//! The same with the state on a server. What was killed leaves its lease behind, which a person breaks who knows that.
//!
//! `PUNCHLIST_CRASH_SERVER=1` kills at every boundary; otherwise at a few.

mod failover;
#[cfg(target_os = "linux")]
mod full;

use super::*;
use crate::support::{
    Ran,
    postgres::{Server, server},
};

/// Its commits: those of a state in a directory, and that of the lease.
const COMMITS_THERE: usize = 35;

/// Which of so many boundaries are tried.
fn some(boundaries: usize) -> impl Iterator<Item = usize> {
    let step = if std::env::var("PUNCHLIST_CRASH_SERVER").is_ok() { 1 } else { 6 };
    // The first writes are in the middle.
    (1..=boundaries).filter(move |number| number % step == 4 % step)
}

fn scene_on(server: &'static Server) -> Scene {
    let database = server.copy("template1");
    let address = |database: &str| server.address_of("postgres", database, "");
    let again = Box::new({
        let database = database.clone();
        move || address(&server.copy(&database))
    });
    Scene::with_state(without_unique_names(), Some(address(&database)), Some(again))
}

#[test]
fn killed_at_requests_the_end_is_the_same_on_a_server() {
    let Some(scene) = server().map(scene_on) else { return };
    let end = scene.end();
    assert_eq!(end, Scene::new(without_unique_names()).end(), "wherever the state is");
    for executed in [false, true] {
        for number in some(REQUESTS) {
            let rig = scene.rig();
            let crash = format!("killed at request {number}, executed: {executed}");
            assert!(kill_at_request(&rig, number, executed, None), "{crash}: there is such a request");
            assert_eq!(finish(&rig, &crash), end, "{crash}");
        }
    }
}

#[test]
fn killed_at_commits_the_end_is_the_same_on_a_server() {
    let Some(scene) = server().map(scene_on) else { return };
    for point in ["commit", "committed"] {
        killed_at_commits(&scene, point, some(COMMITS_THERE));
    }
}

#[test]
fn no_boundary_escapes_on_a_server() {
    let Some(scene) = server().map(scene_on) else { return };
    let boundaries = scene.boundaries();
    assert_eq!(boundaries, (REQUESTS, REQUESTS_OF_AN_OLD_PLAN, COMMITS_THERE), "each must be killed at, too");
}

/// The database that the state of a rig is in.
fn database_of(rig: &Rig) -> String {
    let address = rig.server.as_deref().expect("on a server");
    address.rsplit('/').next().and_then(|rest| rest.strip_suffix('?')).expect("it names one").to_owned()
}

/// Starts a run.
fn begin(rig: &Rig) -> Child {
    let mut command = rig.command();
    command.arg("--auto-approve").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts")
}

fn intents_of_last_run(server: &Server, database: &str) -> usize {
    let run = "(SELECT run_id FROM run ORDER BY started_at DESC LIMIT 1)";
    let intents = format!("SELECT count(*) FROM event WHERE kind = 'intent' AND run_id = {run}");
    server.sql_in(database, &format!("SET search_path TO punchlist; {intents}")).parse().expect("a number")
}

/// A server that no other test has to do with.
fn own_server() -> Option<&'static Server> {
    Some(Box::leak(Box::new(Server::start()?)))
}

/// What happens to a run in the middle of its apply, after so many writes.
fn cut_off(server: &'static Server, scene: &Scene, writes: usize, cut: impl Fn(&str)) {
    let end = scene.end();
    let rig = scene.rig();
    rig.sandbox.knobs().latency = Duration::from_millis(40);
    let database = database_of(&rig);
    let mut running = begin(&rig);
    assert!(wait_for(&mut running, || rig.mutations().len() >= writes), "it makes as many writes");
    cut(&database);
    let ended = Ran::of(running.wait_with_output().expect("it ends"));
    let crash = format!("cut off after {writes} writes: {}", ended.stderr);
    assert_eq!(ended.code, 6, "{crash}");
    assert!(ended.stderr.contains("what was under way is taken up"), "{crash}");
    let (sent, intents) = (rig.mutations().len(), intents_of_last_run(server, &database));
    assert!(sent <= intents, "{crash}: {sent} writes left and {intents} were in the journal");
    rig.sandbox.knobs().latency = Duration::ZERO;
    assert_eq!(finish(&rig, &crash), end, "{crash}");
}

#[test]
fn a_run_whose_connection_is_cut_is_taken_up_by_the_next() {
    let Some(server) = server() else { return };
    let scene = scene_on(server);
    for writes in [1, 4, 9] {
        cut_off(server, &scene, writes, |database| {
            server.sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"));
        });
    }
}

#[test]
fn a_run_whose_server_is_started_anew_is_taken_up_by_the_next() {
    let Some(server) = own_server() else { return };
    let scene = scene_on(server);
    for writes in [2, 6] {
        cut_off(server, &scene, writes, |_| server.restart());
    }
}
