//! The hours in a real terminal: figures, a finding and a seal.

use jiff::SignedDuration;
use punchlist::sandbox::{Fault, FaultKind, Service, World};

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
    for _ in 0..1000 {
        world.track(project, begins, SignedDuration::ZERO);
    }
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
    terminal.keys("qkd");
    terminal.shows("there are more: these are the latest");
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
    assert_eq!(rig.run(&["--auto-approve"]).code, 0, "it holds nothing while somebody looks");

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
    terminal.shows("Apply to Notion");
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

#[test]
fn reading_hours_can_be_stopped_and_a_quit_meanwhile_loses_no_decision() {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    let rig = Rig::new(world);
    let stall = || Fault::new(FaultKind::Stall).service(Service::Reports).times(u32::MAX);
    rig.sandbox.knobs().faults.push(stall());
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Acme Corp", "create"]);
    terminal.keys("5");
    terminal.shows("reading the hours of this month");
    terminal.keys(key::CTRL_C);
    terminal.shows("stopped while reading");
    rig.sandbox.knobs().faults.clear();
    terminal.keys("R");
    terminal.shows("not sealed");

    rig.sandbox.knobs().faults.push(stall());
    terminal.keys("R");
    terminal.shows("reading the hours of 2026-11");
    terminal.keys("1s");
    terminal.shows_row(&["Acme Corp", "skipped"]);
    terminal.keys("q");

    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    ended.is_restored();
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Acme Corp", "skipped"]);
    terminal.keys("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn a_month_is_not_closed_while_another_run_holds_the_lock() {
    let rig = Rig::new(World::empty());
    let mut first = Terminal::punchlist(&rig, &[], WIDE);
    first.shows("In sync");
    first.keys("5");
    first.shows("not sealed");
    let stall = Fault::new(FaultKind::Stall).service(Service::Notion).times(u32::MAX);
    rig.sandbox.knobs().faults.push(stall);
    let mut second = Terminal::punchlist(&rig, &[], WIDE);
    second.shows("reading Notion");

    first.keys("<");
    first.shows_row(&["2026-10,", "tracked 0:00"]);
    first.keys("C");
    first.shows("Close 2026-10?");
    first.keys(key::ENTER);

    first.shows("another run");
    first.shows_row(&["not sealed"]);
    first.keys("qq");
    assert_eq!(first.end().code, 0);
    second.keys(key::CTRL_C);
    second.shows("stopped");
    second.keys("q");
    second.end();
    assert_eq!(rig.run(&["month", "show", "2026-10"]).code, 1);
}
