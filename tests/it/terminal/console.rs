//! The console in a real terminal: that it comes up, does what keys say, and leaves the terminal as it was.

use punchlist::sandbox::World;

use super::{SMALL, Size, Terminal, WIDE, key, rows};
use crate::support::Rig;

/// What the last rows have as long as the console is drawn for the size that the terminal has.
const FOOTER: &str = "? help";

/// Acme Corp, in Notion only.
fn acme() -> Rig {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    Rig::new(world)
}

/// Opens the console and waits for its tree.
#[track_caller]
fn console(rig: &Rig, size: Size) -> Terminal {
    let mut terminal = Terminal::punchlist(rig, &[], size);
    terminal.shows_row(&["Acme Corp"]);
    terminal
}

/// Waits until the console is drawn for the size of its terminal, and for no other.
#[track_caller]
fn fills(terminal: &mut Terminal, (columns, lines): Size) {
    terminal.wait_for(&format!("a console of {columns} × {lines}"), |screen| {
        let rows = rows(screen);
        let footers: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].contains(FOOTER)).collect();
        rows.len() == usize::from(lines) && matches!(footers[..], [footer] if footer + 2 >= rows.len())
    });
}

#[test]
fn it_starts_with_the_tree_and_q_gives_the_terminal_back() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    let project = world.add_project_page("Website", client);
    world.add_task_page("Design", project);
    let rig = Rig::new(world);
    for size in [WIDE, SMALL] {
        let mut terminal = console(&rig, size);
        terminal.shows_row(&["Website", "create"]);
        terminal.shows_row(&["Design", "create"]);
        fills(&mut terminal, size);
        assert!(terminal.screen().alternate_screen() && !terminal.is_cooked());

        terminal.keys("q");

        let ended = terminal.end();
        assert_eq!((ended.code, ended.signal.as_deref()), (0, None));
        ended.is_restored();
        let text = String::from_utf8_lossy(&ended.bytes);
        assert_eq!(
            text.matches("\x1b[?1049h").count(),
            text.matches("\x1b[?1049l").count(),
            "entered as often as left"
        );
    }
    assert!(rig.mutations().is_empty());
}

#[test]
fn what_is_approved_is_applied() {
    let rig = acme();
    let mut terminal = console(&rig, WIDE);

    terminal.keys(" ");
    terminal.shows_row(&["Acme Corp", "approved"]);
    terminal.keys("P");
    terminal.shows("Apply to Notion");
    terminal.keys(key::ENTER);
    terminal.shows("1 applied");

    assert!(rig.sandbox.world().find_client("Acme Corp").is_some());
    terminal.keys(key::CTRL_C);
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    ended.is_restored();
}

#[test]
fn a_close_is_applied_for_its_typed_count_only() {
    let rig = acme();
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        let client = world.find_page("Clients", "Acme Corp").expect("a page");
        world.set_checkbox(client, "Archive", true);
    }
    let mut terminal = console(&rig, WIDE);

    terminal.keys(" ");
    terminal.shows_row(&["Acme Corp", "approved"]);
    terminal.keys("P");
    terminal.shows("type that number");
    terminal.keys("7");
    terminal.keys(key::ENTER);
    terminal.shows("type 1 to close");
    assert!(rig.mutations().is_empty());
    terminal.keys("1");
    terminal.keys(key::ENTER);
    terminal.shows("1 applied");

    assert!(rig.sandbox.world().clients()[0].archived);
    terminal.keys(key::CTRL_C);
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn it_is_drawn_anew_for_every_size() {
    let rig = acme();
    let mut terminal = console(&rig, WIDE);
    fills(&mut terminal, WIDE);
    for size in [SMALL, WIDE, (200, 60), (40, 10), SMALL] {
        terminal.resize(size);
        fills(&mut terminal, size);
        terminal.shows_row(&["Acme Corp"]);
    }
    terminal.keys("q");
    terminal.end().is_restored();
}

#[test]
fn decisions_survive_a_quit() {
    let rig = acme();
    let mut terminal = console(&rig, SMALL);
    terminal.keys("s");
    terminal.shows_row(&["Acme Corp", "skipped"]);
    terminal.keys("q");
    terminal.end();

    let mut terminal = console(&rig, SMALL);

    terminal.shows_row(&["Acme Corp", "skipped"]);
    terminal.keys("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn a_shell_has_its_terminal_back_afterwards() {
    let rig = acme();
    let mut shell = Terminal::shell(&rig, SMALL);
    shell.keys("$punchlist");
    shell.keys(key::ENTER);
    shell.wait_for("the console", |screen| screen.alternate_screen() && screen.contents().contains("Acme Corp"));

    shell.keys("q");
    shell.wait_for_shell();
    shell.keys("echo left with $?");
    shell.keys(key::ENTER);

    shell.shows("left with 0");
    shell.wait_for_shell();
    shell.keys(key::CTRL_D);
    shell.end().is_restored();
}

#[test]
fn a_released_brake_lets_its_closes_be_approved_and_they_still_need_their_number() {
    let mut world = World::empty();
    let pages: Vec<_> = (0..4).map(|number| world.add_client_page(&format!("Client {number}"))).collect();
    let rig = Rig::new(world);
    rig.settle();
    for page in pages {
        rig.sandbox.world().set_checkbox(page, "Archive", true);
    }
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Client 3", "close, held"]);
    terminal.keys("B4");
    terminal.keys(key::ENTER);
    terminal.wait_for("closes that are not held", |screen| !screen.contents().contains("held"));
    terminal.keys("A");
    terminal.shows("4 approved");
    terminal.keys("P");
    terminal.shows("type that number");
    terminal.keys("4");
    terminal.keys(key::ENTER);
    terminal.shows("4 applied");
    assert!(rig.sandbox.world().clients().iter().all(|client| client.archived));
    terminal.keys("qq");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn a_run_is_undone_from_the_tab_of_the_runs_and_then_both_sides_are_compared_again() {
    let rig = acme();
    rig.settle();
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows("In sync");
    terminal.keys("4");
    terminal.shows_row(&["auto-approve", "1 applied"]);
    terminal.keys("U");
    terminal.shows("1 Undo of run 2");
    terminal.shows_row(&["state", "close"]);
    terminal.keys("AP");
    terminal.shows("Apply the undo of run 2");
    terminal.keys("1");
    terminal.keys(key::ENTER);
    terminal.shows("2 applied");
    assert!(rig.sandbox.world().clients().iter().all(|client| client.archived));
    terminal.keys("R");
    terminal.shows("1 Review");
    terminal.shows("In sync");
    terminal.keys("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn a_program_of_the_users_is_run_without_our_secrets_and_the_tab_is_told_of_progress() {
    let rig = acme();
    rig.configure(
        "console.commands.show.key = \"g h\"\nconsole.commands.show.program = \"/bin/sh\"\n\
         console.commands.show.args = [\"-c\", \"echo \\\"for $1\\\"; env | grep -c TOKEN\", \"sh\", \"{name}; id\"]\n",
    );
    let mut terminal = console(&rig, WIDE);
    terminal.keys("gh");
    terminal.shows("for Acme Corp; id");
    terminal.shows_row(&["│ 0 "]);
    terminal.keys("qq");
    let ended = terminal.end();
    ended.is_restored();
    let text = String::from_utf8_lossy(&ended.bytes);
    let last = text.rfind("\x1b]9;4;").expect("progress while both sides are read");
    assert!(text.contains("\x1b]9;4;3;0\x07") && text[last..].starts_with("\x1b]9;4;0;0\x07"), "cleared at the end");

    rig.configure("console.progress = false\n");
    let mut terminal = console(&rig, WIDE);
    terminal.keys("q");
    assert!(!String::from_utf8_lossy(&terminal.end().bytes).contains("\x1b]9;"));
}

#[test]
fn a_filter_that_is_saved_stands_in_the_configuration_and_is_there_the_next_time() {
    let rig = acme();
    let mut terminal = console(&rig, WIDE);
    terminal.keys("f");
    terminal.shows(" filter: ");
    terminal.keys("acme");
    terminal.keys(key::ENTER);
    terminal.keys("M");
    terminal.shows(" save the filter as: ");
    terminal.keys("mine");
    terminal.keys(key::ENTER);
    terminal.shows("saved as @mine");
    terminal.keys(key::CTRL_C);
    assert_eq!(terminal.end().code, 0);

    let text = std::fs::read_to_string(rig.configuration()).expect("the configuration");
    assert!(text.contains("mine = \"acme\""), "{text}");
    let mut terminal = console(&rig, WIDE);
    terminal.keys("f");
    terminal.shows("@mine");
    terminal.keys(key::CTRL_C);
    terminal.keys(key::CTRL_C);
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn before_an_apply_under_an_hourly_budget_it_says_when_it_is_done() {
    let mut world = World::empty();
    for number in 0..40 {
        world.add_client_page(&format!("Client {number:02}"));
    }
    let rig = Rig::new(world);
    rig.configure("clockify.requests_per_hour = 30\n");
    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows_row(&["Client 00"]);
    terminal.keys("AP");
    terminal.shows_row(&["40 Clockify calls: done ", " at 30 an hour"]);
}
