//! Two holders of the right to run: one stands still for longer than its lease lasts, another takes over, and the first
//! goes on as if nothing had happened.

use std::{process::Stdio, time::Duration};

use punchlist::sandbox::World;
use rustix::process::{Pid, Signal, kill_process};

use super::{Ended, asked, rig, until};
use crate::support::{Ran, Rig};

/// A lease of a second and a half, instead of half a minute.
const SHORT: (&str, &str) = ("PUNCHLIST_LEASE_SHORTENED", "20");
const CLIENTS: [&str; 5] = ["Acme", "Globex", "Initech", "Hooli", "Umbrella"];

/// Lets a run come to so many writes, stand still until its lease has run out, and go on when `meanwhile` says so, which
/// may return how many writes and entries there must be in the end. Then everything must be as if there had been one run.
fn stands_still(writes: usize, meanwhile: impl FnOnce(&Rig, &dyn Fn()) -> Option<(usize, String)>) {
    let mut world = World::empty();
    for name in CLIENTS {
        let client = world.add_client_page(name);
        world.add_project_page("Website", client);
    }
    let Some(rig) = rig(world) else { return };
    rig.configure("rules.settle_seconds = 0\nrules.unsettled_minutes = 0\n");
    rig.sandbox.knobs().latency = Duration::from_millis(30);
    let mut command = rig.command();
    command.arg("--auto-approve").envs([SHORT]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut stale = Ended(command.spawn().expect("starts"));
    let said = stale.0.stderr.take().expect("piped");
    let pid = Pid::from_child(&stale.0);
    until("it writes", || rig.mutations().len() >= writes);
    kill_process(pid, Signal::STOP).expect("it lives");
    until("its lease has run out", || rig.lock_holder().is_none());
    let run = asked(&rig, "SELECT run_id FROM run WHERE ended_at IS NULL");
    // Whoever takes its writes up says how they ended, in its name.
    let intents = || asked(&rig, &format!("SELECT count(*) FROM event WHERE run_id = '{run}' AND kind = 'intent'"));
    let before = intents();

    let now = meanwhile(&rig, &|| kill_process(pid, Signal::CONT).expect("it lives"));

    let status = stale.0.wait().expect("it ends");
    let said = std::io::read_to_string(said).expect("UTF-8");
    if let Some((sent, journaled)) = now {
        assert_eq!(rig.mutations().len(), sent, "it sent something: {said}");
        assert_eq!(entries(&rig), journaled, "it wrote to the journal: {said}");
    }
    let case = format!("stopped after {writes} writes: {said}");
    assert_eq!(status.code(), Some(6), "{case}");
    // The server ends who stood still in the middle of a transaction.
    let told = ["longer than its right to run lasts", "connection closed"];
    assert!(told.iter().any(|words| said.contains(words)), "{case}");
    assert_eq!(intents(), before, "{case}: it wrote to the journal");
    assert_eq!(asked(&rig, &format!("SELECT count(*) FROM run WHERE run_id = '{run}' AND ended_at IS NULL")), "1");
    rig.sandbox.knobs().latency = Duration::ZERO;
    let (code, report) = rig.auto_approve();
    assert_eq!((code, report["outcome"].as_str()), (0, Some("in_sync")), "{case}{report:#}");
    let sent = rig.mutations().len();
    let intents: usize = asked(&rig, "SELECT count(*) FROM event WHERE kind = 'intent'").parse().expect("a number");
    assert!(sent <= intents, "{case}: {sent} writes and {intents} intents");
    let world = rig.sandbox.world();
    let mut clients: Vec<String> = world.clients().into_iter().map(|client| client.name).collect();
    clients.sort();
    let mut expected = CLIENTS;
    expected.sort_unstable();
    assert_eq!((clients, world.projects().len()), (expected.map(String::from).to_vec(), CLIENTS.len()), "{case}");
}

fn entries(rig: &Rig) -> String {
    asked(rig, "SELECT count(*), max(n) FROM event")
}

#[test]
fn who_stood_still_for_too_long_sends_and_journals_nothing_after_another_run() {
    for writes in [1, 4, 8] {
        stands_still(writes, |rig, goes_on| {
            rig.sandbox.knobs().latency = Duration::ZERO;
            let (code, report) = rig.auto_approve();
            assert_eq!(code, 0, "{report:#}");
            let now = (rig.mutations().len(), entries(rig));
            goes_on();
            Some(now)
        });
    }
}

#[test]
fn who_stood_still_for_too_long_sends_and_journals_nothing_while_another_run_applies() {
    for writes in [2, 6] {
        stands_still(writes, |rig, goes_on| {
            let before = rig.mutations().len();
            let mut command = rig.command();
            let other = command.arg("--auto-approve").stdout(Stdio::null()).stderr(Stdio::piped());
            let other = other.spawn().expect("starts");
            until("the other one writes", || rig.mutations().len() > before);
            goes_on();
            let ended = Ran::of(other.wait_with_output().expect("it ends"));
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            None
        });
    }
}
