//! The network between a run and its server vanishes without a word: no connection is cut, and nothing arrives.

use std::process::Stdio;

use punchlist::sandbox::World;

use super::{
    Ended,
    stale::{SHORT, Stale, each, ended},
    until,
};
use crate::support::{Rig, network::Network, postgres::server};

/// Lets a run come to so many writes before its network vanishes.
fn cut_off(writes: usize) -> Option<(Network, Stale)> {
    let network = Network::to(server()?);
    let stale = Stale::begin(writes, |rig, command| {
        let address = rig.server.as_deref().expect("on a server");
        command.env("STATE_URL", network.through(address));
    })?;
    network.vanish();
    Some((network, stale))
}

#[test]
fn whoever_asks_a_server_that_says_nothing_is_told_so_and_ends() {
    let Some(server) = server() else { return };
    let rig = Rig::with_state(World::empty(), Some(server.address()));
    let network = Network::to(server);
    network.vanish();
    let address = network.through(rig.server.as_deref().expect("on a server"));
    let every: [&[&str]; 5] = [&["plan"], &["--auto-approve"], &["pending"], &["logs", "list"], &["state", "lock"]];
    each(&every, |words| {
        let mut command = rig.command();
        command.args(words).env("STATE_URL", &address).envs([SHORT]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Ended(command.spawn().expect("starts"));
        let mut said = child.0.stderr.take().expect("piped");
        let (code, said) = ended(&mut child, &mut said);
        assert_eq!(code, Some(6), "{words:?}: {said}");
        assert!(said.contains("the server does not answer"), "{words:?}: {said}");
    });
    assert!(rig.sandbox.calls().is_empty(), "nobody is asked in vain");
}

#[test]
fn a_holder_whose_network_vanishes_sends_nothing_once_its_lease_has_run_out_and_ends() {
    each(&[1, 5], |writes| {
        let Some((_network, mut stale)) = cut_off(writes) else { return };
        stale.lose_right();
        let now = stale.so_far();
        stale.ends(Some(now));
    });
}

#[test]
fn a_holder_whose_network_vanishes_sends_nothing_after_another_run_and_ends() {
    each(&[3, 8], |writes| {
        let Some((_network, mut stale)) = cut_off(writes) else { return };
        stale.lose_right();
        let now = stale.is_taken_up();
        stale.ends(Some(now));
    });
}

#[test]
fn a_holder_whose_network_comes_back_too_late_sends_and_journals_nothing() {
    each(&[2, 6], |writes| {
        let Some((network, mut stale)) = cut_off(writes) else { return };
        stale.lose_right();
        let now = stale.is_taken_up();
        network.come_back();
        stale.ends(Some(now));
    });
}

#[test]
fn a_network_that_comes_back_within_the_lease_loses_and_doubles_nothing() {
    each(&[2, 7], |writes| {
        let Some((network, stale)) = cut_off(writes) else { return };
        // What it journals, and what renews its lease.
        until("all that it says waits", || network.waiting() >= 2);
        network.come_back();
        stale.ends_either_way();
    });
}
