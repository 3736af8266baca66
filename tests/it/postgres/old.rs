//! A server that is too old is refused, and the oldest that is not is taken. The server is a real one, which says of
//! itself over the network that it is another.

use punchlist::sandbox::World;

use super::refused::check;
use crate::support::{
    Rig,
    network::{Change, Network},
    postgres::{Server, server},
};

/// What the server says of its version, and what it says instead.
fn version(server: &Server, instead: i64) -> Vec<Change> {
    let number: i64 = server.sql("SHOW server_version_num").parse().expect("a number");
    let said = |version: i64| format!("server_version\0{}.", version / 10_000).into_bytes();
    vec![(number.to_be_bytes().to_vec(), instead.to_be_bytes().to_vec()), (said(number), said(instead))]
}

#[test]
fn a_server_that_is_too_old_is_refused_with_its_version_and_the_oldest_that_is_not_is_taken() {
    let Some(server) = server() else { return };
    let rig = Rig::with_state(World::empty(), Some(server.address()));
    let own = rig.server.clone().expect("on a server");
    for (number, name) in [(129_999, "PostgreSQL 12"), (120_022, "PostgreSQL 12"), (100_023, "PostgreSQL 10")] {
        let network = Network::changing(server, version(server, number));
        let address = network.through(&own);
        for words in
            [vec!["plan"], vec!["--auto-approve"], vec!["pending"], vec!["logs", "list"], vec!["state", "lock"]]
        {
            check(&rig, &address, &words, 6, &format!("the server is {name}"));
            check(&rig, &address, &words, 6, "use PostgreSQL 13 or later");
        }
    }
    let schema = own.split_once("schema=").expect("it names one").1;
    assert_eq!(server.sql(&format!("SELECT count(*) FROM pg_namespace WHERE nspname = '{schema}'")), "0");
    assert!(rig.sandbox.calls().is_empty(), "nobody is asked in vain");

    let network = Network::changing(server, version(server, 130_000));
    check(&rig, &network.through(&own), &["--auto-approve"], 0, "");
}
