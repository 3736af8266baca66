//! `punchlist init` as somebody at a terminal meets it: from nothing to the first plan, left and begun again at every
//! question.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use punchlist::sandbox::World;

use super::{Ended, SMALL, Terminal, key, rows};
use crate::{
    canary,
    init::{init, made, rig, small},
    support::{Rig, punchlist},
};

const NOTION: &str = "ntn_c4nary0123456789abcdefghij";
const CLOCKIFY: &str = "c4naryY2xvY2tpZnktY2FuYXJ5MDEyMzQ1Njc4OQ";

/// What somebody answers, by a part of the question.
const ANSWERS: [(&str, &str); 9] = [
    ("Notion token >", NOTION),
    ("Clockify API key >", CLOCKIFY),
    ("There is a token", ""),
    ("Where is it to be kept?", "2"),
    ("Are these the ones?", "y"),
    ("Keep these true as well", ""),
    ("Which workspace?", "1"),
    ("Write it?", "yes"),
    ("What shall it be?", "2"),
];

fn with_canaries(mut world: World) -> Rig {
    (world.notion_token, world.clockify_key) = (NOTION.into(), CLOCKIFY.into());
    rig(world)
}

/// `init` with nothing in the environment but where to go.
fn bare(rig: &Rig) -> Command {
    let mut command = init(rig, &[]);
    command.env_remove("NOTION_TOKEN").env_remove("CLOCKIFY_API_KEY");
    command
}

/// True after the first plan.
fn is_over(screen: &str) -> bool {
    screen.contains("Next:") || screen.contains("In sync: nothing to do.")
}

/// Waits for the next question, which is not the last one; or for the end of all.
fn question(terminal: &mut Terminal, last: &str) -> String {
    terminal.wait_for("a question", |screen| {
        let at = usize::from(screen.cursor_position().0);
        let contents = screen.contents();
        let is_asked = rows(screen)[at].trim_end().ends_with('>') && contents.trim_end() != last;
        is_asked || is_over(&contents)
    });
    terminal.screen().contents().trim_end().to_owned()
}

/// Answers question after question, but instead of the answer of that number types something else. True where it came
/// to that.
fn walk(terminal: &mut Terminal, answers: &[(&str, &str)], instead: Option<(usize, &str)>) -> bool {
    let mut screen = String::new();
    for number in 0..20 {
        screen = question(terminal, &screen);
        if is_over(&screen) {
            return false;
        }
        let flat = screen.replace('\n', "");
        let tail: String = flat.chars().skip(flat.chars().count().saturating_sub(240)).collect();
        let known = answers.iter().filter_map(|(part, answer)| Some((tail.rfind(part)?, answer)));
        let (_, answer) = known.max().unwrap_or_else(|| panic!("no answer to: {screen}"));
        match instead {
            Some((at, keys)) if at == number => {
                terminal.keys(keys);
                return true;
            }
            _ => terminal.keys(&format!("{answer}{}", key::ENTER)),
        }
    }
    panic!("it asks without an end: {screen}");
}

#[track_caller]
fn said_no_secret(ended: &Ended) {
    let said = String::from_utf8_lossy(&ended.bytes);
    assert!(!said.contains("c4nary"), "{said}");
    assert!(ended.is_cooked, "what is typed is shown again");
}

#[test]
fn somebody_comes_from_nothing_to_the_first_plan() {
    let rig = with_canaries(small());
    let mut terminal = Terminal::start(&bare(&rig), SMALL);
    assert!(!walk(&mut terminal, &ANSWERS, None));
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    said_no_secret(&ended);
    assert!(String::from_utf8_lossy(&ended.bytes).contains("Acme Corp"));
    let kept = made(&rig).with_file_name("notion.token");
    assert_eq!(fs::read_to_string(&kept).expect("kept"), NOTION);
    assert_eq!(fs::metadata(&kept).expect("kept").permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(made(&rig)).expect("made");
    assert!(text.contains("token = \"file:"), "{text}");
    // No piece of a secret is anywhere but in its own file.
    let pieces = canary::pieces_of(&[NOTION, CLOCKIFY]);
    canary::check(&pieces, "the screen", &ended.bytes);
    let mut files = Vec::new();
    canary::walk(rig.home.path(), &mut files);
    let is_kept = |file: &&PathBuf| file.extension().is_some_and(|extension| extension == "token");
    assert_eq!(files.iter().filter(is_kept).count(), 2, "{files:?}");
    assert!(files.len() > 5, "{files:?}");
    for file in files.iter().filter(|file| !is_kept(file)) {
        canary::check(&pieces, &file.display().to_string(), &fs::read(file).expect("reads"));
    }
}

#[test]
fn while_somebody_is_asked_nobody_else_sets_up() {
    let rig = with_canaries(small());
    let mut terminal = Terminal::start(&bare(&rig), SMALL);
    let screen = question(&mut terminal, "");
    let other = init(&rig, &["--yes"]).output().expect("runs");
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert_eq!(other.status.code(), Some(78), "{said}");
    assert!(said.contains("another `punchlist init` is at work"), "{said}");
    assert_eq!(question(&mut terminal, ""), screen, "the first is where it was");
    assert!(!walk(&mut terminal, &ANSWERS, None));
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn hostile_titles_are_spelled_out_in_questions_and_in_the_configuration() {
    const HOSTILE: &str = "\u{1b}[2J\u{202e}\u{200b}\n[notion]";
    let mut world = World::bare();
    let [clients, projects, tasks] = ["Clients", "Projects", "Tasks"].map(|name| format!("{name} {HOSTILE}"));
    let ticked = format!("Archived {HOSTILE}");
    world.add_table(&clients, &[("Name", "title"), (&ticked, "checkbox")]);
    world.add_table(&projects, &[("Name", "title"), ("Client", &format!("relation:{clients}"))]);
    world.add_table(&tasks, &[("Name", "title"), ("Project", &format!("relation:{projects}"))]);
    let rig = with_canaries(world);
    let mut terminal = Terminal::start(&bare(&rig), SMALL);
    let more = [("How to go on?", "1"), ("Which holds the", ""), ("lacks", "y")];
    assert!(!walk(&mut terminal, &[ANSWERS.as_slice(), &more].concat(), None));
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    let said = String::from_utf8_lossy(&ended.bytes).into_owned();
    let text = fs::read_to_string(made(&rig)).expect("made");
    for shown in [&said, &text] {
        assert!(shown.contains("⟨U+001B⟩[2J⟨U+202E⟩"), "{shown}");
        assert!(!shown.contains(['\u{202e}', '\u{200b}']) && !shown.contains("\u{1b}[2J"), "{shown}");
    }
    assert_eq!(text.matches("\n[notion]").count(), 1, "{text}");
}

#[test]
fn it_can_be_left_at_every_question_and_goes_on() {
    let rig = with_canaries(small());
    let mut left = 0;
    for number in 0.. {
        let keys = if number % 2 == 0 { key::CTRL_C } else { key::CTRL_D };
        let mut terminal = Terminal::start(&bare(&rig), SMALL);
        let was_left = walk(&mut terminal, &ANSWERS, Some((number, keys)));
        let ended = terminal.end();
        said_no_secret(&ended);
        if !was_left {
            assert_eq!(ended.code, 0);
            break;
        }
        assert_eq!(ended.code, 4);
        assert!(!made(&rig).exists());
        left += 1;
    }
    assert!(left >= 5, "it was left {left} times");
    assert!(made(&rig).exists());
}

#[test]
fn a_refused_token_can_be_followed_by_another_and_a_person_s_is_told() {
    let mut world = small();
    world.add_personal_token("Mara Lindqvist", NOTION);
    world.clockify_key = CLOCKIFY.into();
    let rig = rig(world);
    let mut terminal = Terminal::start(&bare(&rig), SMALL);
    let screen = question(&mut terminal, "");
    assert!(screen.contains("Notion token"), "{screen}");
    terminal.keys("ntn_c4nary_wrong_0123456789\r");
    terminal.shows("Try another one.");
    let screen = question(&mut terminal, &screen);
    assert!(screen.ends_with("Notion token >"), "{screen}");
    assert!(!walk(&mut terminal, &ANSWERS, None));
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    said_no_secret(&ended);
    assert!(String::from_utf8_lossy(&ended.bytes).contains("which acts as Mara Lindqvist"));
}

#[test]
fn somebody_without_databases_gets_them_from_the_template() {
    let rig = with_canaries(World::bare());
    let mut terminal = Terminal::start(&bare(&rig), SMALL);
    let answers = [ANSWERS.as_slice(), &[("How to go on?", "2"), ("On which page?", "1")]].concat();
    assert!(!walk(&mut terminal, &answers, None));
    assert_eq!(terminal.end().code, 0);
    assert_eq!(rig.sandbox.world().pages("Tasks").len(), 2);
}

#[test]
fn who_is_asked_chooses_among_those_that_are_alike() {
    let mut world = small();
    world.copy_template(" Berlin");
    let rig = with_canaries(world);
    let mut terminal = Terminal::start(&bare(&rig), SMALL);
    let more = [("How to go on?", "1"), ("Which holds the clients?", "2"), ("Which holds the", "")];
    let answers = [ANSWERS.as_slice(), &more].concat();
    assert!(!walk(&mut terminal, &answers, None));
    assert_eq!(terminal.end().code, 0);
    let text = fs::read_to_string(made(&rig)).expect("made");
    assert!(text.contains("# The tasks: Tasks Berlin.") && text.contains("# The clients: Clients Berlin."), "{text}");
}

#[test]
fn a_first_start_offers_what_can_be_done() {
    let rig = with_canaries(small());
    let mut command = punchlist(rig.home.path());
    command
        .env_remove("NOTION_TOKEN")
        .env_remove("CLOCKIFY_API_KEY")
        .env("PUNCHLIST__NOTION__BASE_URL", rig.sandbox.notion_url())
        .env("PUNCHLIST_REGIONS", rig.sandbox.clockify_url());
    let mut terminal = Terminal::start(&command, SMALL);
    assert!(!walk(&mut terminal, &ANSWERS, None));
    assert_eq!(terminal.end().code, 0);
    assert!(made(&rig).exists());

    // A file to fill in, and then what it lacks is told.
    let by_hand = self::rig(World::bare());
    let mut terminal = Terminal::start(&punchlist(by_hand.home.path()), SMALL);
    terminal.shows("What shall it be?");
    terminal.keys("3\r");
    assert_eq!(terminal.end().code, 0);
    assert!(fs::read_to_string(made(&by_hand)).expect("made").contains("REQUIRED"));

    let nobody = punchlist(rig.home.path()).env("HOME", by_hand.sandbox.address().to_string()).output().expect("runs");
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert_eq!(nobody.status.code(), Some(78), "{said}");
    assert!(said.contains("punchlist init") && said.contains("punchlist --demo"), "{said}");
}
