//! The hours in a real terminal: figures, a finding and a seal.

use jiff::SignedDuration;
use punchlist::sandbox::{Service, World};

use super::{Terminal, WIDE, key};
use crate::support::Rig;

#[test]
fn hours_are_read_when_they_are_opened_and_a_month_is_closed_with_a_note() {
    let mut world = World::empty();
    world.set_plan("PREMIUM");
    let client = world.add_client("Acme");
    let project = world.add_project("Website \u{202E}etis", client);
    let task = world.add_task("Design", project);
    let client_page = world.add_client_page("Acme");
    world.set_claim(client_page, client);
    world.edit_task(task, |task| task.estimate = "PT1H".to_owned());
    let begins = "2026-10-05T08:00:00Z".parse().expect("a time");
    let entry = world.track(task, begins, SignedDuration::from_hours(2));
    world.edit_entry(entry, |entry| entry.description = "wireframes".to_owned());
    let rig = Rig::new(world);
    rig.configure("hours.timezone = \"Europe/Berlin\"\n");
    let reports = || rig.sandbox.calls().iter().filter(|call| call.service == Service::Reports).count();
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Website", "unmanaged"]);
    let calls = rig.sandbox.calls().len();
    assert_eq!(reports(), 0, "nothing is read before it is asked for");

    terminal.keys("5");
    terminal.shows_row(&["not sealed", "took 6 calls"]);
    terminal.shows("2026-11, Europe/Berlin");
    assert_eq!((reports(), rig.sandbox.calls().len() - calls), (4, 6), "both sides are those of the review");
    terminal.keys("<");
    terminal.shows_row(&["2026-10, Europe/Berlin", "tracked 2:00"]);
    terminal.shows_row(&["error", "Design", "2 h tracked in all, 1 h planned"]);
    terminal.shows_row(&["Website ⟨U+202E⟩etis", "2:00"]);
    terminal.shows("not sealed");
    terminal.keys("D");
    terminal.shows_row(&["by week", "10-05 2:00"]);
    terminal.keys("Gd");
    terminal.shows_row(&["2026-10-05 10:00", "2:00", "wireframes"]);
    terminal.keys("q");
    terminal.keys("W");
    terminal.shows("save as csv");
    terminal.keys(key::ENTER);
    terminal.shows("saved as");

    terminal.keys("C");
    terminal.shows("Close 2026-10?");
    terminal.keys(key::ENTER);
    terminal.shows("say why");
    terminal.keys("agreed with Acme");
    terminal.keys(key::ENTER);
    terminal.shows("sealed 2026-");

    terminal.keys("q");
    terminal.shows_row(&["Website", "unmanaged"]);
    terminal.keys("q");
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    ended.is_restored();
    let sealed = rig.run(&["month", "show", "2026-10", "--json"]).json();
    assert_eq!(sealed["accepted"][0]["note"], "agreed with Acme");
    assert_eq!(sealed["totals"]["tracked_s"], 7200);
    let saved = std::fs::read_dir(rig.home.path()).expect("a directory").filter_map(Result::ok);
    let saved = saved.map(|file| file.path()).find(|path| path.extension().is_some_and(|ending| ending == "csv"));
    let saved = std::fs::read_to_string(saved.expect("a file")).expect("a text");
    assert!(saved.contains("\"Design\"") && !saved.contains('\u{202E}'), "{saved}");
    assert!(rig.mutations().is_empty(), "nothing was written to either service");
}

#[test]
fn a_month_can_be_looked_at_after_an_apply_and_what_is_refused_is_said() {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    let rig = Rig::new(world);
    rig.configure("hours.timezone = \"Europe/Berlin\"\n");
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Acme Corp", "create"]);
    terminal.keys("AP");
    terminal.shows("Apply?");
    terminal.keys(key::ENTER);
    terminal.shows("1 applied");

    terminal.keys("5");
    terminal.shows_row(&["2026-11, Europe/Berlin", "tracked 0:00"]);
    terminal.shows("not available: approvals");
    terminal.keys(">");
    terminal.shows("2026-12 has not begun");
    terminal.keys("1R");
    terminal.shows("In sync");
    terminal.keys("q");
    assert_eq!(terminal.end().code, 0);
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
}
