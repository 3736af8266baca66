//! The mouse, the clipboard, the browser, the shell, and runs.

use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use snapbox::{assert_data_eq, str};

use super::{Scene, THEME, film, film_of, keys, noon, plan, planned};
use crate::{
    domain::report::tests::report_with,
    edge::{
        config::{OutputPlace, OwnCommand, ThemeName},
        store::{RunEnd, RunRecord},
    },
    face::tui::{
        command::Tab,
        effect::Order,
        keymap::Keymap,
        news::News,
        state::{Phase, State, ran::Ran},
        theme::Theme,
    },
};

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Event {
    Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

fn click(column: u16, row: u16) -> Event {
    mouse(MouseEventKind::Down(MouseButton::Left), column, row)
}

#[test]
fn a_click_goes_to_a_row_folds_at_the_arrow_and_takes_hints_and_tabs() {
    let row = film((100, 24), planned(plan()), vec![click(30, 4)]);
    assert_eq!(row.state.reviewing.cursor, 2, "{}", row.frame);

    let folded = film((100, 24), planned(plan()), vec![click(1, 2)]);
    assert!(!folded.frame.contains("Relaunch"), "{}", folded.frame);

    let tab = film((100, 24), planned(plan()), vec![click(14, 1)]);
    assert_eq!(tab.state.tab, Tab::Apply, "{}", tab.frame);

    let hint = film((100, 24), planned(plan()), [keys("jj"), vec![click(2, 22)]].concat());
    assert_eq!(hint.state.reviewing.tally.approved, 2, "the first hint approves: {}", hint.frame);

    let way = film((100, 30), planned(plan()), keys(")c"));
    let y = way.frame.lines().position(|line| line.contains("2 Clockify wins")).expect("the second way");
    let way =
        film((100, 30), planned(plan()), [keys(")c"), vec![click(40, u16::try_from(y).expect("on screen"))]].concat());
    assert!(way.frame.contains("resolved"), "{}", way.frame);
}

#[test]
fn the_wheel_moves_what_is_under_it_and_a_double_click_opens() {
    let tree = film((120, 24), planned(plan()), vec![mouse(MouseEventKind::ScrollDown, 5, 5)]);
    assert_eq!(tree.state.reviewing.cursor, 3);
    let detail = film((120, 24), planned(plan()), vec![mouse(MouseEventKind::ScrollDown, 100, 5)]);
    assert_eq!((detail.state.reviewing.cursor, detail.state.reviewing.detail.scroll), (0, 3));
    let opened = film((120, 24), planned(plan()), vec![click(10, 2), click(10, 2)]);
    assert!(!opened.frame.contains("Relaunch"), "{}", opened.frame);
}

#[test]
fn a_click_beside_what_lies_over_the_tab_decides_nothing() {
    let film = film((100, 24), planned(plan()), [keys("AP"), vec![click(2, 22), click(30, 4)]].concat());
    assert!(film.state.overlay.is_some());
    assert!(film.orders.iter().all(|order| matches!(order, super::Order::Keep(..))));
}

#[test]
fn names_ids_and_addresses_are_copied_and_opened() {
    let copied = film((100, 24), planned(plan()), keys("G(y1Y"));
    assert_eq!(copied.notes.copied, ["Initech", "https://app.notion.com/p/00000000000000000000000000000008"]);
    assert!(copied.frame.contains("copied the Notion address to the clipboard"), "{}", copied.frame);

    let opened = film((100, 24), planned(plan()), keys("G(oO"));

    assert_eq!(
        opened.notes.opened,
        ["https://app.notion.com/p/00000000000000000000000000000008", "https://app.clockify.me/clients"]
    );
    let new = film((100, 24), planned(plan()), keys("O"));
    assert!(new.notes.opened.is_empty() && new.frame.contains("it is not in Clockify yet"), "{}", new.frame);
}

#[test]
fn the_mouse_can_be_left_to_the_terminal_and_the_console_suspended() {
    let film = film((100, 24), planned(plan()), keys(":mouse<enter><ctrl-z>"));
    assert_eq!((film.notes.mouse, film.notes.suspended), (vec![true], 1));
}

#[test]
fn without_unicode_everything_is_ascii() {
    let theme = Theme { name: ThemeName::Mono, unicode: false };
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(keys("A").into_iter().map(Scene::Input));
    let film = film_of((100, 24), theme, scenes.collect());
    let symbols: Vec<char> = film.frame.chars().filter(|c| !c.is_ascii() && !"“”─│".contains(*c)).collect();
    assert!(symbols.is_empty(), "{symbols:?}\n{}", film.frame);
}

#[test]
fn runs_are_listed_with_who_what_and_how() {
    let run = |id: &str, trigger: &str, end| RunRecord {
        id: id.parse().expect("a run"),
        trigger: trigger.into(),
        by: "anna".into(),
        version: "0.1.0".into(),
        rules_hash: String::new(),
        plan_hash: None,
        started: noon(),
        end,
    };
    let counts = serde_json::json!({"failed": 1, "pending": 4, "calls": {"notion": 30, "clockify": 28}});
    let report = Some(report_with(33, &counts));
    let end = |outcome: &str, report| Some(RunEnd { at: noon(), outcome: outcome.into(), report });
    let runs = vec![
        run("c", "review", None),
        run("b", "auto-approve", end("failed", report)),
        run("a", "plan", end("planned", None)),
    ];
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(keys("4").into_iter().map(Scene::Input));
    let scenes = scenes.chain([Scene::News(News::Runs(runs, None))]).chain(keys("Hj").into_iter().map(Scene::Input));
    let film = film_of((130, 10), THEME, scenes.collect());
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
  1 Review   2 Apply   3 Logs  [4 Runs]  5 Hours                                              +3 ~1 -1  3 ready, 1 review, 1 held
  started              what          who   changes                          calls    outcome
  2026-11-23 12:00:00  auto-approve  anna  33 applied, 1 failed, 4 pending  30 + 28  some changes failed
  2026-11-23 12:00:00  review        anna                                            under way, or left by a crash
  2026-11-23 12:00:00  plan          anna                                            planned


 U undo the run  H also runs that only looked  enter open  1 review  2 apply  3 log  4 runs  ? help


"#]]
    );
}

#[test]
fn in_a_window_that_is_too_small_only_leaving_is_possible_and_what_was_begun_is_forgotten() {
    let small = Event::Resize(30, 8);
    let large = Event::Resize(100, 24);
    let with = |before: &str, unseen: &str, after: &str| {
        let events = [keys(before), vec![small.clone()], keys(unseen), vec![large.clone()], keys(after)].concat();
        film((100, 24), planned(plan()), events)
    };
    let unseen = with("", "<space>asA:jP<enter>", "");
    assert!(unseen.orders.is_empty(), "{:?}", unseen.orders);
    assert_eq!((unseen.state.reviewing.cursor, unseen.state.tab), (0, Tab::Review));

    let dialog = with("jj<space>P", "<enter>", "<enter>");
    assert!(dialog.orders.iter().all(|order| !matches!(order, Order::Apply(_))), "{:?}", dialog.orders);
    assert!(dialog.state.overlay.is_none());
    let chord = with("Gz", "", "M");
    assert_eq!(chord.state.reviewing.tree.visible.len(), 9, "half a chord is forgotten");
    let typed = with("AP", "1", "<enter>");
    assert!(typed.state.prompt.is_none() && typed.state.phase == Phase::Ready);

    let left =
        film((100, 24), planned(plan()), [keys("f"), vec![small.clone()], keys("qj"), vec![large.clone()]].concat());
    assert_eq!(left.state.size, (30, 8), "it has left");
}

#[test]
fn a_console_that_only_looks_says_so_and_takes_no_decision() {
    for size in [(120, 36), (80, 24)] {
        for pressed in [
            " ",
            "a",
            "A",
            "s",
            "!",
            "i",
            "<backspace>",
            "u",
            "P",
            "r",
            ")c",
            "jj<tab><enter>",
            ":approve_shown<enter>",
        ] {
            let film = super::film_reading_only(size, planned(plan()), keys(pressed));
            assert!(film.frame.contains("READ ONLY"), "{}", film.frame);
            assert!(film.frame.contains("this console only looks"), "{pressed}: {}", film.frame);
            assert!(film.orders.is_empty() && film.state.reviewing.tally.decided() == 0, "{pressed}: {}", film.frame);
            assert!(!film.frame.contains("space approve"), "{}", film.frame);
        }
        let found = super::film_reading_only(size, planned(plan()), keys("faction:create<enter>y"));
        assert!(found.frame.contains("Copy: a number"), "{}", found.frame);
    }
}

fn own_command(output: OutputPlace, args: &[&str]) -> OwnCommand {
    let args = args.iter().map(|argument| (*argument).to_owned()).collect();
    OwnCommand { name: "history".into(), key: "g h".into(), program: "git".into(), args, output }
}

/// A console with a program of the user's, after some keys and what came of it.
fn with_own(size: (u16, u16), own: OwnCommand, pressed: &str, ran: Vec<Ran>, then: &str) -> super::Film {
    let keymap = Keymap::default().with_own(std::slice::from_ref(&own)).expect("free");
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(keys(pressed).into_iter().map(Scene::Input));
    let scenes = scenes.chain(ran.into_iter().map(|ran| Scene::News(News::Ran(ran))));
    let scenes = scenes.chain(keys(then).into_iter().map(Scene::Input)).collect();
    let state = State { own: vec![own], ..State::new(size, THEME, noon()) };
    super::film_from(state, &keymap, scenes, None)
}

#[test]
fn a_program_of_the_users_gets_what_the_row_has() {
    for size in [(120, 36), (80, 24)] {
        let own = own_command(OutputPlace::Pager, &["log", "{page}", "{kind}: {name}", "{page_url}", "{json}"]);
        let film = with_own(size, own.clone(), "gh", vec![], "");
        let [job] = &film.notes.started[..] else { panic!("{}", film.frame) };
        assert_eq!(job.arguments[..2], ["log", "00000000-0000-0000-0000-000000000009"]);
        assert_eq!(job.arguments[2], "client: Acme");
        assert!(job.arguments[3].starts_with("https://app.notion.com/p/"), "{job:?}");
        assert!(serde_json::from_str::<serde_json::Value>(&job.arguments[4]).is_ok(), "{job:?}");
        // What the row does not have is said, and nothing is run.
        let none = with_own(size, own_command(OutputPlace::Pager, &["{object_url}"]), "gh", vec![], "");
        assert!(none.notes.started.is_empty() && none.frame.contains("this row has no object url"), "{}", none.frame);
        let elsewhere = with_own(size, own.clone(), "4gh", vec![], "");
        assert!(elsewhere.notes.started.is_empty() && elsewhere.frame.contains("about a row of the review"));
        assert!(with_own(size, own.clone(), "g", vec![], "").frame.contains("h      history"));
        assert!(with_own(size, own, "?hist", vec![], "").frame.contains("YOUR OWN"));
    }
}

#[test]
fn what_a_program_says_is_shown_over_the_tab_or_at_the_bottom() {
    let ran = |output, lines: usize, failed: Option<&str>| Ran {
        name: "history".into(),
        output,
        lines: (0..lines).map(|line| format!("line {line}").into()).collect(),
        failed: failed.map(Into::into),
    };
    for size in [(120, 36), (80, 24)] {
        let own = || own_command(OutputPlace::Pager, &[]);
        let pager = with_own(size, own(), "gh", vec![ran(OutputPlace::Pager, 2000, None)], "");
        assert!(pager.frame.contains("line 3") && pager.frame.contains("more below"), "{}", pager.frame);
        let end = with_own(size, own(), "gh", vec![ran(OutputPlace::Pager, 2000, None)], "G");
        assert!(end.frame.contains("line 1999"), "{}", end.frame);
        let closed = with_own(size, own(), "gh", vec![ran(OutputPlace::Pager, 3, None)], "q");
        assert!(closed.state.overlay.is_none(), "{}", closed.frame);
        let toast = with_own(size, own(), "gh", vec![ran(OutputPlace::Toast, 3, Some("it ended with 1"))], "");
        assert!(toast.state.overlay.is_none());
        assert!(toast.frame.contains("history: line 0 (it ended with 1)"), "{}", toast.frame);
        // What somebody types meanwhile is not covered.
        let typing = with_own(size, own(), "ghf", vec![ran(OutputPlace::Pager, 3, None)], "");
        assert!(typing.state.prompt.is_some() && typing.state.overlay.is_none(), "{}", typing.frame);
    }
}

#[test]
fn a_key_of_a_program_that_is_taken_or_none_is_refused() {
    for (key, said) in
        [("j", "collides with “j” of `down`"), ("g", "collides with “gg” of `top`"), ("pgdn", "which is none")]
    {
        let own = OwnCommand { key: key.into(), ..own_command(OutputPlace::Pager, &[]) };
        let problems = Keymap::default().with_own(std::slice::from_ref(&own)).expect_err("refused").join("\n");
        assert!(problems.contains(said) && problems.contains("console.commands.history"), "{problems}");
    }
    let twice = [own_command(OutputPlace::Pager, &[]), own_command(OutputPlace::Pager, &[])];
    assert!(Keymap::default().with_own(&twice).is_err());
}
