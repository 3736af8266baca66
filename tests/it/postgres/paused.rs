//! Two holders of the right to run: one stands still for longer than its lease lasts, another takes over, and the first
//! goes on as if nothing had happened.

use std::process::Stdio;

use punchlist::sandbox::World;
use rustix::process::{Pid, Signal, kill_process};

use super::{
    Ended, asked, rig,
    stale::{SHORT, Stale},
    until,
};
use crate::support::Ran;

/// Lets a run come to so many writes, stand still until its lease has run out, and go on when `meanwhile` says so, which
/// may return how many writes and entries there must be in the end. Then everything must be as if there had been one run.
fn stands_still(writes: usize, meanwhile: impl FnOnce(&Stale, &dyn Fn()) -> Option<(usize, String)>) {
    let Some(mut stale) = Stale::begin(writes, |_, _| {}) else { return };
    let pid = stale.pid();
    kill_process(pid, Signal::STOP).expect("it lives");
    stale.lose_right();
    let now = meanwhile(&stale, &|| kill_process(pid, Signal::CONT).expect("it lives"));
    stale.ends(now);
}

#[test]
fn who_stood_still_for_too_long_sends_and_journals_nothing_after_another_run() {
    for writes in [1, 4, 8] {
        stands_still(writes, |stale, goes_on| {
            let now = stale.is_taken_up();
            goes_on();
            Some(now)
        });
    }
}

#[test]
fn a_daemon_that_stood_still_for_too_long_is_seen_again() {
    let Some(rig) = rig(World::empty()) else { return };
    assert_eq!(rig.auto_approve().0, 0, "a state is made");
    let mut command = rig.command();
    command.arg("serve").envs([SHORT]).stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = Ended(command.spawn().expect("starts"));
    let pid = Pid::from_child(&daemon.0);
    let is_seen = || {
        let now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        asked(&rig, &format!("SELECT count(*) FROM lease WHERE name = 'serve' AND expires_at > {now}")) == "1"
    };
    until("it serves", is_seen);
    kill_process(pid, Signal::STOP).expect("it lives");
    until("its lease has run out", || !is_seen());

    kill_process(pid, Signal::CONT).expect("it lives");

    until("it is seen again", is_seen);
}

#[test]
fn who_stood_still_for_too_long_sends_and_journals_nothing_while_another_run_applies() {
    for writes in [2, 6] {
        stands_still(writes, |stale, goes_on| {
            let before = stale.rig.mutations().len();
            let mut command = stale.rig.command();
            let other = command.arg("--auto-approve").stdout(Stdio::null()).stderr(Stdio::piped());
            let other = other.spawn().expect("starts");
            until("the other one writes", || stale.rig.mutations().len() > before);
            goes_on();
            let ended = Ran::of(other.wait_with_output().expect("it ends"));
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            None
        });
    }
}
