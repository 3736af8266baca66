//! The clocks of hosts that share a state are hours apart: a lease ends by the clock of the server, and by how much time
//! has gone by.

use std::process::Command;

use punchlist::sandbox::{Fault, FaultKind};
use rustix::process::{Signal, kill_process};

use super::{
    asked,
    stale::{Stale, each},
    until,
};
use crate::support::{
    Ran, Rig,
    preload::{PRELOAD, preload},
};

/// Seconds that one clock is ahead, and another one is behind.
const APART: i64 = 3600;

/// As on a host whose clock is so many seconds ahead.
fn skew(rig: &Rig, command: &mut Command, seconds: i64) {
    command.env(PRELOAD, preload(rig.home.path())).env("SKEW", seconds.to_string());
}

#[test]
fn a_lease_is_neither_lost_nor_taken_too_early_where_clocks_are_an_hour_apart() {
    each(&[APART, -APART], |ahead| {
        let begun = Stale::begin(2, |rig, command| skew(rig, command, ahead));
        let Some(mut stale) = begun else { return };
        let (rig, pid) = (&stale.rig, stale.pid());
        let other = || {
            let mut command = rig.command();
            skew(rig, &mut command, -ahead);
            Ran::of(command.arg("--auto-approve").output().expect("the binary runs"))
        };
        rig.sandbox.knobs().faults.push(Fault::new(FaultKind::Stall));
        let away = "SELECT min(at_ms) / 1000 - extract(epoch FROM clock_timestamp())::bigint FROM event";
        let away: i64 = asked(rig, away).parse().expect("a number");
        assert!((away - ahead).abs() < 60, "its clock is {away} s ahead");

        // Twice as long as a lease that is not renewed.
        let ends = || asked(rig, "SELECT expires_at FROM lease WHERE name = 'run'").parse::<i64>().expect("a number");
        let first = ends();
        until("it is renewed", || ends() > first + 3000);
        let refused = other();
        assert_eq!(refused.code, 5, "it holds the lock: {}", refused.stderr);

        kill_process(pid, Signal::STOP).expect("it lives");
        stale.lose_right();
        stale.rig.sandbox.knobs().faults.clear();
        let mut command = stale.rig.command();
        skew(&stale.rig, &mut command, -ahead);
        let taken = Ran::of(command.arg("--auto-approve").output().expect("the binary runs"));
        assert_eq!(taken.code, 0, "{}", taken.stderr);
        let now = stale.is_taken_up();
        kill_process(pid, Signal::CONT).expect("it lives");
        stale.ends(Some(now));
    });
}
