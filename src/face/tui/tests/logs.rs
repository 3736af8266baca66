//! The log: opened on a real state through the real loop, filtered, opened, followed, and gone to from a change and
//! back.

use std::ops::ControlFlow;

use futures_util::FutureExt;
use snapbox::{assert_data_eq, str};
use tempfile::TempDir;

use super::{Film, Scene, THEME, film_with, keys, noon, plan, planned};
use crate::{
    domain::{
        journal::{Difference, Event, Outcome, Was, What, Write, WriteId},
        model::{Field, Kind, ObjectId, Value},
        plan::Plan,
    },
    edge::{
        checkpoints::Checkpoints,
        store::{Holder, RunRecord, Selection, Store, Toward},
    },
    face::tui::{
        command::Tab,
        history::{History, answer},
        state::window::{Ask, FETCHED, Question},
    },
};

/// What a state on this disk answers, which it does at once.
fn done<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("at once")
}

/// The state in a directory, as the run that holds the lock has it.
fn opened(home: &std::path::Path) -> Store {
    let mut store = done(Store::open(&home.into(), noon())).expect("opens");
    done(store.lock(Holder::here("ana", "review", noon()))).expect("free");
    store
}

/// What two runs did to a plan's pages: one of them renamed Initech.
fn events(plan: &Plan) -> Vec<Event> {
    let event = |run: &str, second: i64, what| Event {
        run: run.parse().expect("a run"),
        at: noon() + jiff::SignedDuration::from_secs(second),
        what,
    };
    let started = || What::RunStarted {
        trigger: "auto-approve".into(),
        by: "mara".into(),
        account: "mara".into(),
        host: "desk".into(),
        version: "0.1.0".into(),
        rules: String::new(),
        config: String::new(),
    };
    let change = plan.changes.iter().find(|change| change.name.exact() == "Initech").expect("a change");
    let object: ObjectId = "64a9e1000000000000000007".parse().expect("an id");
    let request = Write::Update {
        page: change.page,
        kind: Kind::Client,
        object,
        fields: [(Field::Name, Value::Text("Initech".into()))].into(),
    };
    let was = Was { before: [(Field::Name, Value::Text("Initrode".into()))].into(), name: "Initech".into() };
    let mut events = vec![event("one", 0, started())];
    events.extend(
        plan.changes.iter().map(|change| event("one", 1, What::Difference(Box::new(Difference::of(plan, change))))),
    );
    events.push(event("one", 2, What::Approved { change: change.id, by: "mara".into(), action: None, also: vec![] }));
    let (write, changes, was) = (WriteId(1), vec![change.id], Box::new(was));
    events.push(event("one", 3, What::Intent { write, changes, request, was, trace: Box::default() }));
    events.push(event("one", 4, What::Outcome { write, outcome: Outcome::Done { object: Some(object) } }));
    events.push(event("one", 5, What::RunEnded { outcome: "applied".into(), totals: None }));
    events.push(event("two", 60, started()));
    events.push(event("two", 61, What::SecretRefused { error: "NOTION_TOKEN is not set".into() }));
    events
}

fn state(events: &[Event]) -> (TempDir, History) {
    let home = TempDir::new().expect("a directory");
    let mut store = opened(home.path());
    for (id, second) in [("one", 0), ("two", 60)] {
        let run = RunRecord {
            id: id.parse().expect("a run"),
            trigger: "auto-approve".into(),
            by: "mara".into(),
            version: "0.1.0".into(),
            rules_hash: String::new(),
            plan_hash: None,
            started: noon() + jiff::SignedDuration::from_secs(second),
            end: None,
        };
        done(store.begin_run(&run)).expect("begins");
    }
    done(store.append_all(events)).expect("appends");
    drop(store);
    let history = History::of(home.path().into(), Checkpoints::of(home.path(), None, None), noon);
    (home, history)
}

/// Presses keys in a console whose state has a past.
fn pressed_in_logs(size: (u16, u16), pressed: &str) -> Film {
    let plan = plan();
    let (_home, history) = state(&events(&plan));
    let scenes = planned(plan).into_iter().map(Scene::News).chain(keys(pressed).into_iter().map(Scene::Input));
    film_with(size, THEME, scenes.collect(), Some(history))
}

#[test]
fn the_log_opens_at_its_end() {
    assert_data_eq!(
        pressed_in_logs((110, 18), "3").frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
  1 Review   2 Apply  [3 Logs]  4 Runs   5 Hours                          +3 ~1 -1  3 ready, 1 review, 1 held
  12 entries   info and above
  2026-11-23 12:00:00 UTC  info   run started by mara on desk: auto-approve, version 0.1.0
  2026-11-23 12:00:01 UTC  info   found create client “Acme”, name nothing → “Acme”:…n Clockify looks like it
  2026-11-23 12:00:01 UTC  info   found create project “<b>”, name nothing → “<b>”: …ify refuses '<' in names
  2026-11-23 12:00:01 UTC  info   found create project “Relaunch”, name nothing → “R…n Clockify looks like it
  2026-11-23 12:00:01 UTC  info   found close task “Design”, state open → closed: Status is Done
  2026-11-23 12:00:01 UTC  info   found update client “Initech”, name “Initech Ltd” …ockify since both agreed
  2026-11-23 12:00:02 UTC  info   approved by mara: update client “Initech”, name “Initech Ltd” → “Initech”
  2026-11-23 12:00:03 UTC  info   write 1: update client “Initech”, name “Initrode” → “Initech”
  2026-11-23 12:00:04 UTC  info   write 1 done (64a9e1000000000000000007): update cl…e “Initrode” → “Initech”
  2026-11-23 12:00:05 UTC  info   run ended: applied
  2026-11-23 12:01:00 UTC  info   run started by mara on desk: auto-approve, version 0.1.0
  2026-11-23 12:01:01 UTC  error  secret refused: NOTION_TOKEN is not set

 / search  f filter  L level  @ this run alone  F follow what is added  X to the change  ? help


"#]]
    );
}

#[test]
fn who_changed_a_page_when_why_and_from_what_to_what_is_two_keys_away() {
    assert_data_eq!(
        pressed_in_logs((110, 18), "GkkT").frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
  1 Review   2 Apply  [3 Logs]  4 Runs   5 Hours                          +3 ~1 -1  3 ready, 1 review, 1 held
  12 entries   client “Initech”   filter: about:00000000-0000-0000-0000-000000000008   info and above
  2026-11-23 12:00:03  name “Initrode” → “Initech”  approved by mara, in auto-approve: edited in Clockify sinc
  2026-11-23 12:00:01 UTC  info   found update client “Initech”, name “Initech Ltd” …ockify since both agreed
  2026-11-23 12:00:02 UTC  info   approved by mara: update client “Initech”, name “Initech Ltd” → “Initech”
  2026-11-23 12:00:03 UTC  info   write 1: update client “Initech”, name “Initrode” → “Initech”
  2026-11-23 12:00:04 UTC  info   write 1 done (64a9e1000000000000000007): update cl…e “Initrode” → “Initech”








 / search  f filter  T all about this page  L level  @ this run alone  F follow what is added  ? help


"#]]
    );
}

#[test]
fn an_entry_is_opened_with_all_that_there_is_to_know() {
    assert_data_eq!(
        pressed_in_logs((110, 18), "3fintent<enter><enter>").frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
  1 Review   2 Apply  [3 Logs]  4 Runs   5 Hours                          +3 ~1 -1  3 ready, 1 review, 1 held
  12 entries   filter: intent   info and above
  2026-11-23 12:00:03 UTC  info   write 1: update client “Initech”, name “Initrode” → “Initech”






 entry 8 ─────────────────────────────────────────────────────────────────────────────────────────────────────
 write 1: update client “Initech”, name “Initrode” → “Initech”

 at                        2026-11-23T12:00:03Z
 before.name.text          Initrode
 changes                   ["992b2986b1f649aa"]
 / search  f filter  T all about this page  L level  @ this run alone  F follow what is added  ? help


"#]]
    );
}

#[test]
fn words_levels_kinds_and_runs_narrow_it() {
    let found = |pressed: &str| {
        pressed_in_logs((110, 30), pressed).state.logs.lines.iter().map(|line| line.n).collect::<Vec<_>>()
    };
    let all = found("3");
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
    assert_eq!(found("3fkind:run_started<enter>").len(), 2);
    assert_eq!(found("3finitrde<enter>"), [8, 9], "letters may be missing, and an outcome is found by its write");
    assert_eq!(found("3LL").len(), 1, "errors alone");
    assert_eq!(found("3k@").len(), 2, "this run alone");
    assert_eq!(found("3k@<esc>"), all, "and all again");
    let wrong = pressed_in_logs((110, 18), "3fkind:gossip<enter>");
    assert!(wrong.frame.contains("there is no kind of entry"), "{}", wrong.frame);
}

#[test]
fn from_an_entry_to_the_change_in_the_review() {
    let film = pressed_in_logs((110, 18), "3fkind:difference initech<enter>X");
    assert_eq!(film.state.tab, Tab::Review);
    let plan = film.state.reviewing.plan().expect("a plan");
    let at = film.state.reviewing.current_change().expect("a change");
    assert_eq!(plan.changes[at].name.exact(), "Initech");
}

#[test]
fn a_run_leads_to_its_entries_and_a_state_that_is_gone_is_empty() {
    let film = pressed_in_logs((110, 18), "4j<enter>");
    assert_eq!(
        (film.state.tab, film.state.logs.filter.as_str(), film.state.logs.lines.len()),
        (Tab::Logs, "run:one", 10)
    );
    let (home, history) = state(&events(&plan()));
    drop(home);
    let film = film_with((110, 18), THEME, keys("3").into_iter().map(Scene::Input).collect(), Some(history));
    assert!(film.frame.contains("none is like that"), "{}", film.frame);
}

#[test]
fn what_is_added_is_followed() {
    let plan = plan();
    let events = events(&plan);
    let (home, history) = state(&events);
    let mut scenes: Vec<Scene> = keys("3F").into_iter().map(Scene::Input).collect();
    let more = Event { what: What::RunEnded { outcome: "planned".into(), totals: None }, ..events[0].clone() };
    done(opened(home.path()).append(&more)).expect("appends");
    let told = crate::engine::session::Progress::Happened(more);
    scenes.push(Scene::News(crate::face::tui::news::News::Progress(told)));
    let film = film_with((110, 18), THEME, scenes, Some(history));
    assert_eq!(film.state.logs.current().expect("an entry").text, "run ended: planned".into());
    assert!(film.frame.contains("following"), "{}", film.frame);
}

#[test]
fn a_long_log_is_never_read_whole() {
    let home = TempDir::new().expect("a directory");
    let mut store = opened(home.path());
    let event = |rows| Event {
        run: "r".parse().expect("a run"),
        at: noon(),
        what: What::Fetched {
            service: crate::domain::model::Service::Notion,
            kind: Kind::Client,
            rows,
            incomplete: None,
            edited: None,
            full_because: None,
        },
    };
    done(store.append_all(&(0..10_000).map(event).collect::<Vec<_>>())).expect("appends");
    let state = done(crate::engine::state::State::read_only(&home.path().into())).expect("opens");
    let question = |ask| Question { number: 1, filter: String::new(), ask };
    let numbers = |ask| {
        let answer = done(answer(&state, question(ask), noon())).expect("answers");
        (answer.lines.first().map(|line| line.n), answer.lines.last().map(|line| line.n), answer.more)
    };
    let fetched = FETCHED as u64;
    assert_eq!(numbers(Ask::Last), (Some(10_001 - fetched), Some(10_000), true));
    assert_eq!(numbers(Ask::First), (Some(1), Some(fetched), true));
    assert_eq!(numbers(Ask::Older(50)), (Some(1), Some(49), false));
    assert_eq!(numbers(Ask::Newer(9_990)), (Some(9_991), Some(10_000), false));
    let mut seen = 0;
    let visit = async |_| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    done(store.visit_log(&Selection::default(), Toward::End(0), visit)).expect("reads");
    assert_eq!(seen, 5);
}

#[test]
fn words_that_are_there_as_they_are_are_found_at_once_and_others_where_none_are() {
    let home = TempDir::new().expect("a directory");
    let told = ["website", "web sites", "acme", "webbsite", "globex"];
    let event = |text: &str| Event {
        run: "r".parse().expect("a run"),
        at: noon(),
        what: What::SecretRefused { error: text.into() },
    };
    done(opened(home.path()).append_all(&told.map(event))).expect("appends");
    let state = done(crate::engine::state::State::read_only(&home.path().into())).expect("opens");
    let found = |filter: &str| {
        let question = Question { number: 1, filter: filter.to_owned(), ask: Ask::Last };
        let answer = done(answer(&state, question, noon())).expect("answers");
        (answer.lines.iter().map(|line| line.n).collect::<Vec<_>>(), answer.reached)
    };
    assert_eq!(found("Website"), (vec![1], Some(1)), "nothing else is looked at");
    assert_eq!(found("website secret_refused"), (vec![1], Some(1)), "also by the word for what happened");
    assert_eq!(found("wbsite"), (vec![1, 2, 4], Some(1)), "mistyped");
}

#[test]
fn scrolling_goes_through_a_long_log_and_keeps_a_window_of_it() {
    let home = TempDir::new().expect("a directory");
    let event = |rows| Event {
        run: "r".parse().expect("a run"),
        at: noon(),
        what: What::Fetched {
            service: crate::domain::model::Service::Notion,
            kind: Kind::Client,
            rows,
            incomplete: None,
            edited: None,
            full_because: None,
        },
    };
    let events: Vec<Event> = (0..5000).map(event).collect();
    done(opened(home.path()).append_all(&events)).expect("appends");
    let history = History::of(home.path().into(), Checkpoints::of(home.path(), None, None), noon);
    let see = |pressed: &str| {
        let scenes = keys(pressed).into_iter().map(Scene::Input).collect();
        let film = film_with((100, 40), THEME, scenes, Some(history.clone()));
        let logs = film.state.logs;
        assert!(logs.lines.len() <= 3000);
        let numbers: Vec<u64> = logs.lines.iter().map(|line| line.n).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "nothing is left out or shown twice");
        logs.current().expect("an entry").n
    };
    assert_eq!(see("3"), 5000);
    assert_eq!(see("3gg"), 1);
    assert_eq!(see("3ggG"), 5000);
    let down = "<pagedown>".repeat(130);
    let page = see("3gg<pagedown>") - 1;
    assert_eq!(see(&format!("3gg{down}")), 1 + 130 * page, "through more than is kept");
}
