//! The daemon and the console of the same machine, on one state.

use rustix::process::Signal;

use super::{Daemon, SECRETS, triggers};
use crate::{
    support::Rig,
    terminal::{Terminal, WIDE},
};

#[test]
fn the_console_shows_the_daemon_and_has_it_run_now() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "schedule.cron = \"0 0 29 2 *\"\nschedule.timezone = \"Etc/UTC\"\n");
    let mut console = Terminal::punchlist(&rig, &[], WIDE);
    console.shows_row(&["Acme Corp", "create"]);
    console.keys("4");
    console.shows("the daemon waits");
    console.shows("next run 20");
    console.shows("-02-29 00:00:00");

    console.keys("S");

    console.shows("its last run: ");
    console.shows_row(&["asked by", "applied"]);
    assert_eq!(rig.sandbox.world().projects().len(), 1);
    assert!(triggers(&rig).iter().any(|trigger| trigger.starts_with("asked by ")), "{:?}", triggers(&rig));

    // It says so when nobody is there any more, and why a key does nothing.
    daemon.end_by(Signal::KILL);
    console.shows("the daemon is not running");
    console.shows("it was to run next at ");
    console.keys("S");
    console.shows("no daemon is running on this state");
    console.keys("qq");
    assert_eq!(console.end().code, 0);
}

#[test]
fn two_daemons_do_not_serve_one_state() {
    let rig = Rig::of_one_project();
    let _daemon = Daemon::start(&rig, "");
    let second = rig.command().arg("serve").envs(SECRETS).output().expect("the binary runs");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(6), "{said}");
    assert!(said.contains("another daemon serves it"), "{said}");
}
