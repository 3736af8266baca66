//! Two consoles on one state: what one decides appears in the other.

use punchlist::sandbox::World;

use super::{Terminal, WIDE};
use crate::support::Rig;

/// Acme Corp and Globex, in Notion only.
fn agency() -> World {
    let mut world = World::empty();
    for name in ["Acme Corp", "Globex"] {
        world.add_client_page(name);
    }
    world
}

/// Opens a console in somebody's name: on a server, that of their role.
fn console(rig: &Rig, name: &str) -> Terminal {
    let mut command = rig.command();
    if let Some(address) = &rig.server {
        command.env("STATE_URL", address.replacen("postgres@", &format!("{name}@"), 1));
    }
    let mut terminal = Terminal::start(command.env("USER", name), WIDE);
    terminal.shows_row(&["Acme Corp"]);
    terminal
}

#[test]
fn what_one_decides_appears_in_the_other_and_what_both_decide_is_told() {
    review_together(&Rig::new(agency()));
}

#[cfg(feature = "postgres")]
#[test]
fn it_is_the_same_on_a_server() {
    let Some(server) = crate::support::postgres::server() else { return };
    server.sql("CREATE ROLE ana LOGIN SUPERUSER; CREATE ROLE ben LOGIN SUPERUSER");
    review_together(&Rig::with_state(agency(), Some(server.address())));
}

fn review_together(rig: &Rig) {
    let [mut ana, mut ben] = ["ana", "ben"].map(|name| console(rig, name));

    ana.keys(" ");
    ben.shows_row(&["Acme Corp", "approved by ana"]);
    ben.shows_row(&["Acme Corp", "ana is on it"]);

    // Ben is asked whether he goes on below what ana is on, and does.
    ben.keys("s");
    ben.shows("ana is on “Acme Corp”");
    ben.keys("\r");
    ben.shows_row(&["Acme Corp", "skipped"]);
    ana.shows_row(&["Acme Corp", "skipped by ben"]);
    ana.shows("ben has skipped it, here you have approved it");

    let pending = rig.run(&["pending"]).stdout;
    assert!(pending.contains("skipped by ben") && pending.contains("ana is on “Acme Corp”"), "{pending}");
    ana.keys("q");
    assert_eq!(ana.end().code, 0);
    ben.wait_for("ana's leaving", |screen| !screen.contents().contains("ana is on it"));
    ben.keys("q");
    assert_eq!(ben.end().code, 0);
    let logged = rig.run(&["logs", "list", "--kind", "decided"]).stdout;
    assert!(logged.contains("by ana") && logged.contains("by ben"), "both are in the log: {logged}");
    assert!(!rig.run(&["pending"]).stdout.contains("is on “"), "who has left is on nothing");
}
