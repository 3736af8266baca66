//! The daemon on the tab of the runs.

use jiff::SignedDuration;
use snapbox::{assert_data_eq, str};

use super::{Film, Scene, THEME, film_of, keys, noon, plan, planned};
use crate::{
    domain::{ending::End, report::Ending},
    engine::served::{Seen, Served, ServedRun},
    face::tui::news::News,
};

fn run(trigger: &str, outcome: End) -> ServedRun {
    let at = noon() - SignedDuration::from_hours(8);
    ServedRun { run: "20261123T040000Z-0a1b".into(), trigger: trigger.into(), at, outcome }
}

fn on_runs(daemon: Seen, then: &str) -> Film {
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(keys("4").into_iter().map(Scene::Input));
    let scenes = scenes.chain([Scene::News(News::Runs(Vec::new(), Some(Box::new(daemon))))]);
    film_of((100, 12), THEME, scenes.chain(keys(then).into_iter().map(Scene::Input)).collect())
}

#[test]
fn it_says_when_it_runs_next_what_waits_and_how_it_went() {
    let served = Served {
        next: Some(noon() + SignedDuration::from_hours(16)),
        running: Some("webhook billing".into()),
        waiting: Some("schedule".into()),
        runs: vec![run("schedule", End::Reported(Ending::Applied)), run("schedule", "an older one".into())],
        ..Served::default()
    };
    let film = on_runs(Seen { is_alive: true, served, pending: 3 }, "");
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   0/5 ░░░░░░  0 approved
  1 Review   2 Apply   3 Logs  [4 Runs]  5 Hours                +3 ~1 -1  3 ready, 1 review, 1 held
  the daemon runs: webhook billing · then: schedule
  next run 2026-11-24 04:00:00, in 16 h · 3 changes wait for a person
  its last run: 2026-11-23 04:00:00, schedule: applied

  started  what  who  changes  calls  outcome
  no runs yet


 H also runs that only looked  S have the daemon run now  enter open  1 review  2 apply  ? help


"#]]
    );
}

#[test]
fn it_says_why_something_did_not_run_and_that_nobody_is_there_to_ask() {
    let served = Served {
        next: Some(noon() - SignedDuration::from_hours(1)),
        runs: vec![run("webhook \u{1b}[31mbilling", "the token of Clockify was refused".into())],
        ..Served::default()
    };
    let film = on_runs(Seen { is_alive: false, served, pending: 0 }, "S");
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   0/5 ░░░░░░  0 approved
  1 Review   2 Apply   3 Logs  [4 Runs]  5 Hours                +3 ~1 -1  3 ready, 1 review, 1 held
  the daemon is not running
  it has missed its run of 2026-11-23 11:00:00, and makes up for it when it starts
  it did not run: 2026-11-23 04:00:00, webhook ⟨U+001B⟩[31mbilling:…he token of Clockify was refused

  started  what  who  changes  calls  outcome
  no runs yet


 H also runs that only looked  enter open  1 review  2 apply  3 log  4 runs  5 hours  ? help
 no daemon is running on this state: `punchlist serve` is one

"#]]
    );
}
