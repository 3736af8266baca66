//! Line prompts in a real terminal: nothing is drawn there, and the terminal's own line editing and keys go on working.

use punchlist::sandbox::World;
use rustix::process::Signal;

use super::{Ended, SMALL, Terminal, key};
use crate::support::Rig;

const PROMPT: &str = "(?)help > ";

fn acme() -> Rig {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    Rig::new(world)
}

/// Waits for the end, and that nothing but lines was ever written.
#[track_caller]
fn said_plainly(terminal: Terminal) -> Ended {
    let ended = terminal.end();
    assert!(!ended.bytes.contains(&0x1b), "{}", String::from_utf8_lossy(&ended.bytes));
    ended.is_restored();
    ended
}

#[test]
fn accessible_asks_line_by_line_instead_of_drawing() {
    let rig = acme();
    let mut command = rig.command();
    let mut terminal = Terminal::start(command.env("ACCESSIBLE", "1"), SMALL);

    terminal.shows(PROMPT);
    assert!(terminal.is_cooked());
    // What is typed wrongly can be taken back on the line, as in every other program.
    terminal.keys("s\u{7f}a");
    terminal.keys(key::ENTER);
    terminal.shows("That was the last change: 1 approved.");
    terminal.keys("P\ryes\r");
    terminal.shows("1 applied");

    assert_eq!(said_plainly(terminal).code, 0);
    assert!(rig.sandbox.world().find_client("Acme Corp").is_some());
}

#[test]
fn the_configuration_can_ask_for_prompts_too() {
    let rig = acme();
    rig.configure("console.plain = true\n");
    let mut terminal = Terminal::punchlist(&rig, &[], SMALL);
    terminal.shows(PROMPT);
    terminal.keys("q\r");
    assert_eq!(said_plainly(terminal).code, 0);
}

#[test]
fn accessible_of_zero_draws() {
    let rig = acme();
    let mut command = rig.command();
    let mut terminal = Terminal::start(command.env("ACCESSIBLE", "0"), SMALL);
    terminal.wait_for("the console", |screen| screen.alternate_screen() && screen.contents().contains("Acme Corp"));
    terminal.keys("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn keys_and_signals_that_end_a_program_leave_at_the_prompt() {
    let rig = acme();
    let open = || {
        let mut terminal = Terminal::punchlist(&rig, &["--plain"], SMALL);
        terminal.shows(PROMPT);
        terminal
    };

    let mut terminal = open();
    terminal.keys(key::CTRL_C);
    assert_eq!(said_plainly(terminal).code, 4);

    let terminal = open();
    terminal.signal(Signal::TERM);
    assert_eq!(said_plainly(terminal).code, 4);

    let mut terminal = open();
    terminal.keys(key::CTRL_D);
    let ended = said_plainly(terminal);
    assert_eq!(ended.code, 0);
    assert!(ended.screen.contents().contains("Nothing was applied."), "{}", ended.screen.contents());
    assert!(rig.mutations().is_empty());
}

#[test]
fn a_conversation_can_be_suspended_and_goes_on() {
    let rig = acme();
    let mut shell = Terminal::shell(&rig, SMALL);
    shell.keys("$punchlist --plain\r");
    shell.shows(PROMPT);

    shell.keys(key::CTRL_Z);
    shell.wait_for_shell();
    shell.keys("fg\rs\r");
    shell.shows("skipped: create client “Acme Corp”");
    shell.keys("q\r");

    shell.wait_for_shell();
    shell.shows("Nothing was applied.");
    shell.keys("exit\r");
    assert_eq!(said_plainly(shell).code, 0);
}

/// A world whose plan is longer than a terminal.
fn long() -> Rig {
    let mut world = World::empty();
    for number in 0..60 {
        world.add_client_page(&format!("Client {number:02}"));
    }
    Rig::new(world)
}

#[test]
fn a_plan_that_is_longer_than_the_terminal_goes_through_the_pager() {
    let rig = long();
    let pager = rig.home.path().join("pager");
    let script = "#!/bin/sh\nhead -n 3; echo \"and the rest for $NOTION_TOKEN$CLOCKIFY_API_KEY nobody\"; read answer </dev/tty\n";
    std::fs::write(&pager, script).expect("writes");
    std::fs::set_permissions(&pager, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("may run");
    let plan = |pager: &str, arguments: &[&str]| {
        let mut command = rig.command();
        command.env("PAGER", pager).arg("plan").args(arguments);
        Terminal::start(&command, SMALL)
    };
    // It is left before it has read all, and has none of our tokens.
    let mut shown = plan(pager.to_str().expect("UTF-8"), &[]);
    shown.shows("and the rest for  nobody");
    shown.keys("q\r");
    assert_eq!(shown.end().code, 0);
    // Without it, and with one that is not there, all is printed.
    for (pager, arguments) in [("/nowhere/pager", &[][..]), (pager.to_str().expect("UTF-8"), &["--no-pager"])] {
        let mut printed = plan(pager, arguments);
        printed.shows("review these changes");
        let ended = printed.end();
        let said = String::from_utf8_lossy(&ended.bytes).into_owned();
        assert!(ended.code == 0 && said.contains("Client 00") && said.contains("Client 59"), "{said}");
    }
}
