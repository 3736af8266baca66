//! Every way out of the console, and back in: the shell, signals, a panic, a terminal that cannot show it; and what it
//! must not do on the way.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use punchlist::{
    edge::store::{Doing, Holder, Store},
    sandbox::World,
};
use rustix::process::Signal;

use super::{DEADLINE, SMALL, Terminal, WIDE, key, rows};
use crate::support::{Rig, done};

/// So many clients, in Notion only.
fn clients(count: usize) -> Rig {
    let mut world = World::empty();
    for number in 0..count {
        world.add_client_page(&format!("Client {number:02}"));
    }
    Rig::new(world)
}

fn console(rig: &Rig) -> Terminal {
    let mut terminal = Terminal::punchlist(rig, &[], WIDE);
    terminal.shows_row(&["Client 00"]);
    terminal
}

#[test]
fn it_can_be_suspended_and_comes_back_as_it_was() {
    let rig = clients(3);
    let mut shell = Terminal::shell(&rig, SMALL);
    shell.keys("$punchlist\r");
    shell.wait_for("the console", |screen| screen.alternate_screen() && screen.contents().contains("Client 02"));
    shell.keys("js");
    shell.shows_row(&["Client 01", "skipped"]);

    shell.keys(key::CTRL_Z);
    shell.wait_for_shell();
    assert!(!shell.screen().alternate_screen());
    shell.keys("echo in between\r");
    shell.shows("in between");
    shell.wait_for_shell();
    shell.keys("fg\r");

    shell.wait_for("the console again", |screen| screen.alternate_screen() && screen.contents().contains("skipped"));
    shell.keys(" ");
    shell.shows_row(&["Client 02", "approved"]);
    shell.keys("q");
    shell.wait_for_shell();
    shell.keys(key::CTRL_D);
    shell.end().is_restored();
}

#[test]
fn a_signal_gives_the_terminal_back_and_is_what_the_shell_is_told() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let rig = clients(1);
        let mut terminal = console(&rig);
        terminal.keys("s");
        terminal.shows_row(&["Client 00", "skipped"]);
        terminal.signal(signal);
        let ended = terminal.end();
        assert_eq!(ended.code, code);
        ended.is_restored();
        assert!(ended.screen.contents().contains("1 of 1 changes decided and kept"), "{}", ended.screen.contents());
    }
}

#[test]
fn a_signal_while_applying_finishes_what_is_in_flight_and_the_next_run_goes_on() {
    let rig = clients(40);
    rig.sandbox.knobs().latency = Duration::from_millis(30);
    let mut terminal = console(&rig);
    terminal.keys("AP");
    terminal.shows("40 approved changes are written");
    terminal.keys(key::ENTER);
    terminal.shows("create client “Client 00”");
    terminal.signal(Signal::TERM);

    let ended = terminal.end();

    assert_eq!(ended.code, 143);
    ended.is_restored();
    let created = rig.sandbox.world().clients().len();
    assert!((1..40).contains(&created), "{created} were created");
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.sandbox.world().clients().len(), 40, "all of them, once");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let rig = clients(1);
    let mut command = rig.command();
    let mut terminal = Terminal::start(command.env("PUNCHLIST_FAILPOINT", "console:1:panic"), WIDE);
    terminal.shows_row(&["Client 00"]);
    terminal.keys("s");
    terminal.shows_row(&["Client 00", "skipped"]);
    // It is shown at once, and kept a moment later.
    let begun = Instant::now();
    while !rig.run(&["pending"]).stdout.contains("skipped") {
        assert!(begun.elapsed() < DEADLINE, "what was decided is not kept");
    }

    terminal.keys("\u{c}");

    let ended = terminal.end();
    assert_eq!(ended.code, 101);
    ended.is_restored();
    assert!(ended.screen.contents().contains("the fail point console was reached"), "{}", ended.screen.contents());
    let mut again = console(&rig);
    again.shows_row(&["Client 00", "skipped"]);
    again.keys("q");
    assert_eq!(again.end().code, 0);
}

#[test]
fn a_terminal_that_can_show_nothing_gets_the_plan_as_text() {
    let rig = clients(1);
    let mut command = rig.command();
    let ended = Terminal::start(command.env("TERM", "dumb"), WIDE).end();
    assert_eq!(ended.code, 0);
    assert!(ended.screen.contents().contains("+ Client 00"), "{}", ended.screen.contents());
}

#[test]
fn without_colour_the_cursor_still_shows() {
    let rig = clients(2);
    let mut command = rig.command();
    let mut terminal = Terminal::start(command.env("NO_COLOR", "1"), WIDE);
    terminal.shows_row(&["Client 01"]);
    let reversed = terminal.screen().cell(2, 4).is_some_and(vt100::Cell::inverse);
    assert!(reversed, "the row under the cursor is reversed");
    terminal.keys("q");
    let text = String::from_utf8_lossy(&terminal.end().bytes).into_owned();
    // Select Graphic Rendition: numbers up to an m; 3 and a digit but 9, or 38, is a colour.
    let renditions = text.split("\u{1b}[").filter_map(|part| part.split_once('m')).map(|(codes, _)| codes);
    let colours: Vec<&str> = renditions
        .filter(|codes| codes.chars().all(|c| c.is_ascii_digit() || c == ';'))
        .filter(|codes| codes.starts_with('3') && codes.len() > 1 && *codes != "39")
        .collect();
    assert!(colours.is_empty(), "{colours:?}");
}

#[test]
fn the_mouse_goes_where_it_points_and_can_be_refused() {
    let rig = clients(3);
    let mut terminal = console(&rig);
    // A press of the left button at column 10, row 5, in the encoding of SGR (1006).
    terminal.keys("\u{1b}[<0;10;5M\u{1b}[<0;10;5m");
    terminal.wait_for("the cursor on the third row", |screen| rows(screen)[4].starts_with('▌'));
    terminal.keys("q");
    assert!(terminal.end().bytes.windows(8).any(|bytes| bytes == b"\x1b[?1006h"));

    let mut terminal = Terminal::punchlist(&rig, &["--no-mouse"], WIDE);
    terminal.shows_row(&["Client 00"]);
    terminal.keys("q");
    assert!(!terminal.end().bytes.windows(8).any(|bytes| bytes == b"\x1b[?1006h"));
}

#[test]
fn a_paste_is_text_and_no_keys() {
    let rig = clients(1);
    let mut terminal = console(&rig);
    terminal.keys("!");
    terminal.shows("note:");
    terminal.keys("\u{1b}[200~ask Mara\r\u{1b}[31mtoday\u{1b}[201~");
    terminal.shows("ask Mara ⟨U+001B⟩[31mtoday");
    terminal.keys(key::ENTER);
    terminal.shows("flagged: ask Mara");
    terminal.keys("\u{1b}[200~q\u{1b}[201~");
    terminal.keys("q");
    assert_eq!(terminal.end().code, 0);
    assert!(rig.mutations().is_empty());
}

#[test]
fn what_is_copied_goes_through_the_terminal_or_to_the_configured_program() {
    let rig = clients(1);
    let mut terminal = console(&rig);
    terminal.keys("y1");
    terminal.shows("copied the name through the terminal");
    terminal.keys("q");
    let bytes = terminal.end().bytes;
    assert!(String::from_utf8_lossy(&bytes).contains("\u{1b}]52;c;Q2xpZW50IDAw\u{7}"), "“Client 00” in base64");

    let copied = rig.home.path().join("copied");
    rig.configure(&format!("console.copy_command = [\"tee\", \"{}\"]\n", copied.display()));
    let mut terminal = console(&rig);
    terminal.keys("y1");
    terminal.shows("copied the name with the configured command");
    terminal.keys("q");
    terminal.end();
    assert_eq!(std::fs::read_to_string(copied).expect("written"), "Client 00");
}

#[test]
fn a_keymap_that_makes_no_sense_is_refused_before_anything_is_drawn() {
    let rig = clients(1);
    rig.configure("[console.keys]\nskip = \"j\"\naprove = [\"x\"]\n");
    let ended = Terminal::punchlist(&rig, &[], WIDE).end();
    assert_eq!(ended.code, 78);
    assert!(!String::from_utf8_lossy(&ended.bytes).contains("\u{1b}[?1049h"));
    for said in ["has no action `aprove`; the nearest is `approve`", "“j” of `skip` collides with “j” of `down`"]
    {
        assert!(ended.screen.contents().contains(said), "{}", ended.screen.contents());
    }
}

#[test]
fn names_that_would_act_on_the_screen_are_spelled_out() {
    let mut world = World::empty();
    world.add_client_page("Client 00 \u{202e}evil\u{202c}\u{1b}[2J\u{200b}");
    let rig = Rig::new(world);
    let mut terminal = console(&rig);
    terminal.shows("⟨U+202E⟩evil");
    terminal.keys("q");
    let text = String::from_utf8_lossy(&terminal.end().bytes).into_owned();
    assert!(!text.contains(['\u{202e}', '\u{202c}', '\u{200b}']));
}

#[test]
fn while_another_run_holds_the_lock_it_says_so_and_reads_once_it_may() {
    let rig = clients(1);
    let locked = || {
        let mut store = done(Store::open(&rig.state(), Timestamp::UNIX_EPOCH)).expect("opens");
        done(store.lock(Holder::here("ana", "auto-approve", Timestamp::UNIX_EPOCH))).expect("free");
        store
    };
    // A console that is only looked at is in nobody's way.
    let mut first = console(&rig);
    let run = locked();
    let mut second = Terminal::punchlist(&rig, &[], WIDE);
    second.shows("another run holds the lock");
    second.shows("“auto-approve” by ana");
    second.keys("3");
    second.shows("review");
    second.keys("1");
    second.shows("another run holds the lock");
    // To read again, the idle one needs it too.
    first.keys("R");
    first.shows("another run holds the lock");
    drop(run);

    // One after the other: who reads holds the lock until it is done.
    for mut terminal in [first, second] {
        terminal.keys("R");
        terminal.shows_row(&["Client 00"]);
        terminal.keys("q");
        assert_eq!(terminal.end().code, 0);
    }

    let _run = locked();
    let mut third = Terminal::punchlist(&rig, &[], WIDE);
    third.shows("another run holds the lock");
    third.keys("q");
    assert_eq!(third.end().code, 5);
}

#[test]
fn a_review_waits_for_one_that_only_reads_and_not_for_one_that_applies() {
    let rig = clients(1);
    let mut store = done(Store::open(&rig.state(), Timestamp::UNIX_EPOCH)).expect("opens");
    done(store.lock(Holder::here("ana", "review", Timestamp::UNIX_EPOCH))).expect("free");
    let mut waits = Terminal::punchlist(&rig, &[], WIDE);
    waits.shows("waiting up to 120 s");
    done(store.release()).expect("lets it go");
    waits.shows_row(&["Client 00"]);
    waits.keys("q");
    assert_eq!(waits.end().code, 0);

    done(store.lock(Holder::here("ana", "review", Timestamp::UNIX_EPOCH))).expect("free");
    done(store.tell_doing(Doing::Applying)).expect("tells");
    let mut refused = Terminal::punchlist(&rig, &[], WIDE);
    refused.shows("R reads both sides again");
    refused.keys("q");
    assert_eq!(refused.end().code, 5);
}

#[test]
fn a_run_that_waits_for_another_says_so_and_not_that_it_reads() {
    let rig = clients(1);
    let mut store = done(Store::open(&rig.state(), Timestamp::UNIX_EPOCH)).expect("opens");
    done(store.lock(Holder::here("ana", "auto-approve", Timestamp::UNIX_EPOCH))).expect("free");
    let mut waits = Terminal::punchlist(&rig, &["--auto-approve", "--lock-timeout", "60"], WIDE);
    waits.shows("waiting for another run");
    assert!(!waits.screen().contents().contains("reading Notion"), "{}", waits.screen().contents());
    done(store.release()).expect("lets it go");
    waits.shows("1 applied");
    assert_eq!(waits.end().code, 0);
}
