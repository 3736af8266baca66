//! Two holders of the right to run: one stands still for longer than its lease lasts, another takes over, and the first
//! goes on as if nothing had happened.

use std::process::Stdio;

use rustix::process::{Signal, kill_process};

use super::{stale::Stale, until};
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
