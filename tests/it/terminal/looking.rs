//! A console that somebody looks at is in nobody's way, and knows what others did meanwhile.

use punchlist::sandbox::World;

use super::{Terminal, WIDE, key};
use crate::{beside::Hanging, support::Rig};

#[test]
fn an_idle_console_lets_others_run_and_applies_only_what_still_holds() {
    let mut world = World::empty();
    let pages = ["Acme", "Globex"].map(|name| world.add_client_page(name));
    let rig = Rig::new(world);
    rig.settle();
    for (client, name) in [("Acme", "Acme GmbH"), ("Globex", "Globex GmbH")] {
        let object = rig.sandbox.world().find_client(client).expect("there");
        rig.sandbox.world().rename_object(object, name);
    }
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Globex", "conflict"]);
    rig.sandbox.world().add_client_page("Initech");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"], &report["pending"]), (2, &1.into(), &2.into()), "{report:#}");
    assert_eq!(rig.run(&["plan"]).code, 0);
    // Somebody approves both, one of which has moved since the console has read it.
    rig.sandbox.world().set_title(pages[0], "Acme Corp");
    for (place, name) in [("gg", "Acme"), ("G", "Globex")] {
        terminal.keys(place);
        terminal.keys(" ");
        terminal.shows("Notion wins");
        terminal.keys("1");
        terminal.shows_row(&[name, "approved"]);
    }
    terminal.keys("P");
    terminal.shows("Apply to Notion");
    terminal.keys(key::ENTER);
    terminal.shows("1 applied");
    terminal.shows("planned for “Acme” was to update");
    let names: Vec<String> = rig.sandbox.world().clients().into_iter().map(|client| client.name).collect();
    assert_eq!(names, ["Acme GmbH", "Globex", "Initech"]);
    terminal.keys(key::CTRL_C);
    assert_eq!(terminal.end().code, 4, "not everything could be done");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
}

#[test]
fn an_apply_beside_another_run_is_refused_and_nothing_of_the_review_is_lost() {
    let mut world = World::empty();
    let page = world.add_client_page("Acme");
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().set_title(page, "Acme AG");
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Acme AG", "update"]);
    let run = Hanging::start(&rig);

    terminal.keys(" ");
    terminal.shows_row(&["Acme", "approved"]);
    terminal.keys("P");
    terminal.shows("Apply to Notion");
    terminal.keys(key::ENTER);
    terminal.shows("another run holds the lock");
    drop(run);
    terminal.keys("P");
    terminal.shows("Apply to Notion");
    terminal.keys(key::ENTER);

    terminal.shows("1 applied");
    assert!(rig.sandbox.world().find_client("Acme AG").is_some());
    terminal.keys(key::CTRL_C);
    assert_eq!(terminal.end().code, 0);
}
