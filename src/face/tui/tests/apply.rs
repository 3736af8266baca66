//! The confirmation, the apply with what goes wrong in it, and what is left to do afterwards.

use snapbox::{assert_data_eq, str};

use super::{Scene, THEME, film, film_of, keys, noon, plan, planned};
use crate::{
    domain::{
        journal::{Event as Happening, Totals, Was, What, WriteId},
        model::{Kind, Service},
        plan::{Calls, ChangeId, Plan},
        report::{Stopped, report},
        review::Decision,
    },
    engine::session::Progress,
    face::tui::{command::Tab, effect::Order, news::News, state::Phase, surroundings::Gauge, term::last_words},
};

fn id(plan: &Plan, name: &str) -> ChangeId {
    plan.changes.iter().find(|change| change.name.exact() == name).expect("a change").id
}

/// Events of an apply, two seconds apart.
fn events(what: Vec<What>) -> Vec<Happening> {
    let at = |number: i64| noon() + jiff::SignedDuration::from_secs(2 * number);
    (1..).zip(what).map(|(number, what)| Happening { run: "r".parse().expect("a run"), at: at(number), what }).collect()
}

pub(super) fn totals(stopped: Stopped, calls: Calls, seconds: f64) -> Totals {
    Totals {
        stopped,
        unsettled: 0,
        calls,
        seconds,
        not_before: None,
        pending: 0,
        second_person: 0,
        held: 0,
        ready: 0,
        hourly: None,
    }
}

fn told(events: &[Happening]) -> impl Iterator<Item = Scene> + '_ {
    events.iter().map(|event| Scene::News(News::Progress(Progress::Happened(event.clone()))))
}

/// What happens when the close is refused, and the project's client failed.
fn unlucky(plan: &Plan) -> Vec<Happening> {
    let failed = |name, error: &str| What::Failed {
        change: id(plan, name),
        error: error.into(),
        hint: "look at it there".into(),
    };
    events(vec![
        What::Intent {
            write: WriteId(1),
            changes: vec![],
            request: crate::domain::journal::Write::WriteBack {
                page: crate::domain::model::PageId::from_number(1),
                kind: Kind::Client,
                claim: None,
                fields: std::collections::BTreeMap::new(),
            },
            was: Box::new(Was { name: "Initech".into(), ..Was::default() }),
            trace: Box::default(),
        },
        What::Applied { change: id(plan, "Initech") },
        failed("Acme", "Clockify refused it (400): name already used"),
        What::NotStarted { change: id(plan, "Relaunch"), because: "something that it needs failed".into() },
    ])
}

#[test]
fn the_confirmation_counts_and_names_what_is_closed() {
    let film = film((100, 24), planned(plan()), keys("AP"));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   3/5 ███░░░  3 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    1/9         +3 ~1 -1  3 ready, 1 review, 1 held
▌▾ ✓ + Acme                                                           +3    2/3    create, approved
     ■ + <b>                                                                           create, held
     ✓ + Relaunch                                                                  create, approved
 ▾ ✓   Globex                                                         -1    1/1
   ▾ ✓   Website                                                      -1    1/1
       ✓ - Design                                                                   close, approved
   ⚠ ~ Inite┌ Apply? ──────────────────────────────────────────────────────────────────┐e, conflict
 ▾ Notices  │ 3 approved changes are written:                                          │          1
     i Unman│ 1 of them closes something: type that number, then enter. Esc goes back. │  unmanaged
            │                                                                          │
            │  + create           2   1 client, 1 project                              │
            │  - close            1   1 task                                           │
────────────│ Left alone: 2 undecided (1 of them held).                                │────────────
create clien│  closes task “Globex › Website › Design”                                 │
Acme        └──────────────────────────────────────────────────────────────────────────┘

name: “Acme”
new in Notion, and no client in Clockify looks like it

Effects
 space approve  s skip  ! flag  u undo  P apply  / search  f filter  ? help
 type the number of closes, 1:    ↓ ↑ scroll

"#]]
    );
}

#[test]
fn while_it_applies_progress_and_failures_are_shown() {
    let plan = plan();
    let scenes = planned(plan.clone()).into_iter().map(Scene::News);
    let scenes = scenes.chain(keys("AP1<enter>").into_iter().map(Scene::Input));
    let events = unlucky(&plan);
    let film = film_of((100, 24), THEME, scenes.chain(told(&events)).collect());

    assert_eq!(film.state.phase, Phase::Applying);
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   3/5 ███░░░  3 approved
  1 Review  [2 Apply]  3 Logs   4 Runs   5 Hours                +3 ~1 -1  3 ready, 1 review, 1 held

  applying ██████████░░░░░░░░░░░░░░░░░░░░ 1/3  33 %   1 failed   1 not started
  elapsed 0:08, 1 in flight

  clients   + create ██████████ 1/1 1 failed
  projects  + create ░░░░░░░░░░ 0/1
  closes    - close tasks ░░░░░░░░░░ 0/1

  ✓ 12:00:04  992b2986b1f649aa
  ✗ 12:00:06  failed: create client “Acme”: Clockify refused it (400): name already used; look at it
  · 12:00:08  not started: create project “Relaunch”: something that it needs failed









 ^c stop  enter open  1 review  2 apply  3 log  4 runs  5 hours  E failures only  ? help


"#]]
    );
}

#[test]
fn what_failed_can_be_retried_and_what_was_skipped_is_asked_again() {
    let plan = plan();
    let mut happened = unlucky(&plan);
    happened.extend(events(vec![What::NotStarted {
        change: id(&plan, "Design"),
        because: "planned for “Design” was to close (Status is Done); now it is to update, name: “Design” → “Sketch” (changed in Notion)"
            .into(),
    }]));
    let calls = Calls { notion: 3, clockify: 4 };
    let ended = report("20261123".parse().expect("a run"), &plan, &happened, totals(Stopped::No, calls, 8.0));
    let mut scenes: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("AGkkks").into_iter().map(Scene::Input));
    scenes.extend(keys("P1<enter>").into_iter().map(Scene::Input));
    scenes.extend(told(&happened));
    scenes.push(Scene::News(News::Applied(Box::new(ended))));

    let film = film_of((110, 26), THEME, scenes);
    assert_eq!(film.state.tab, Tab::Apply);
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ⠋  Clockify ⠋
  1 Review  [2 Apply]  3 Logs   4 Runs   5 Hours

  ended ███████████████░░░░░░░░░░░░░░░ 1/2  50 %   1 failed   1 not started
  elapsed 0:00

  reading what is left, 0 Notion and 0 Clockify calls so far

  clients   + create ██████████ 1/1 1 failed
  projects  + create ░░░░░░░░░░ 0/1

  failed “Acme”: Clockify refused it (400): name already used
     hint: look at it there
  not started “Acme › Relaunch”: something that it needs failed
  not started “Globex › Website › Design”: planned for “Design” was to close (Status is Done); now it is to
update, name: “Design” → “Sketch” (changed in Notion)
  1 applied, 1 failed, 2 not started.
  Run 20261123: not everything was applied; run again to go on, 8.0 s, 3 Notion and 4 Clockify calls.

  ✓ 12:00:04  992b2986b1f649aa
  ✗ 12:00:06  failed: create client “Acme”: Clockify refused it (400): name already used; look at it there
  · 12:00:08  not started: create project “Relaunch”: something that it needs failed
  · 12:00:02  not started: 36d832d960208508: planned for “Design” was to close (Status is Done); now it is to
update, name: “Design” → “Sketch” (changed in Notion)
 r retry what failed  enter open  1 review  2 apply  3 log  4 runs  5 hours  ? help


"#]]
    );
    // Retrying reads both sides, and asks about what is still approved.
    let mut again: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
    again.extend(keys("AP1<enter>").into_iter().map(Scene::Input));
    again.extend(told(&unlucky(&plan)));
    let ended = report("20261123".parse().expect("a run"), &plan, &unlucky(&plan), totals(Stopped::No, calls, 8.0));
    again.push(Scene::News(News::Applied(Box::new(ended))));
    again.extend(keys("r").into_iter().map(Scene::Input));
    let said = crate::domain::review::Said {
        change: id(&plan, "Acme"),
        what: "".into(),
        page: plan.changes[0].page,
        verdict: crate::domain::review::Resolution { decision: Some(Decision::Approve), ..Default::default() },
    };
    let remembered = vec![crate::domain::review::Remembered { said, by: "ben".into(), at: noon() }];
    again.push(Scene::News(News::Planned { plan: std::sync::Arc::new(plan), remembered, at: noon() }));
    let film = film_of((100, 24), THEME, again);
    assert!(film.orders.iter().any(|order| matches!(order, Order::Read)));
    assert!(film.frame.contains("1 approved change is written"), "{}", film.frame);
}

#[test]
fn a_plan_that_is_no_longer_fresh_is_read_again_before_anything_is_written() {
    let mut scenes: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("jj<space>P<enter>").into_iter().map(Scene::Input));
    scenes.push(Scene::News(News::Progress(Progress::Reading(Service::Notion, Kind::Client, 20))));
    let film = film_of((100, 16), THEME, scenes);
    assert!(film.frame.contains("reading both sides again before anything is written"), "{}", film.frame);
    assert!(film.frame.contains("reading Notion: 20 clients"), "{}", film.frame);
}

#[test]
fn interrupting_twice_leaves_and_once_finishes_what_is_in_flight() {
    let once = film((100, 16), planned(plan()), keys("AP1<enter><ctrl-c>"));
    assert!(once.state.applying.stopping && once.frame.contains("stopping after what is in flight"), "{}", once.frame);
    let leaving = film((100, 16), planned(plan()), keys("AP1<enter>q"));
    assert!(leaving.frame.contains("changes are being applied"), "{}", leaving.frame);
}

#[test]
fn a_terminal_that_goes_away_stops_after_what_is_in_flight_and_waits_for_it() {
    let plan = plan();
    let mut scenes: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("jj<space>P<enter>").into_iter().map(Scene::Input));
    scenes.push(Scene::Gone);
    let happened = events(vec![What::Applied { change: id(&plan, "Acme") }]);
    scenes.extend(told(&happened));
    let calls = Calls { notion: 1, clockify: 1 };
    let ended = report("20261123".parse().expect("a run"), &plan, &happened, totals(Stopped::Interrupted, calls, 8.0));
    scenes.push(Scene::News(News::Applied(Box::new(ended))));

    let film = film_of((100, 16), THEME, scenes);

    assert!(film.stopped, "no new write starts");
    assert_eq!(film.state.applying.report.map(|report| report.applied), Some(1), "and what was in flight is taken in");
}

#[test]
fn in_a_small_terminal_the_number_to_type_is_seen_and_the_rest_scrolls() {
    let film = film((45, 14), planned(plan()), keys("AP"));
    assert!(film.frame.contains("closes something: type that"), "{}", film.frame);
    assert!(film.frame.contains("more below"), "{}", film.frame);
    let scrolled = super::film((45, 14), planned(plan()), keys("AP<down><down><down><down><down><down>"));
    assert!(scrolled.frame.contains("Design”"), "{}", scrolled.frame);
}

#[test]
fn a_retry_also_finishes_what_the_stopped_run_left_of_a_change() {
    let mut world = crate::domain::diff::tests::world::World::linked(&["Globex"]);
    let before = {
        let mut world = world.clone();
        world.page("Acme");
        world.plan()
    };
    // The client was created, but its ID did not get into the page any more.
    world.link("Acme").page_mut("Acme").claim = crate::domain::model::Claim::None;
    let mut after = world.plan();
    for change in &mut after.changes {
        change.page = before.changes[0].page;
    }
    let mut scenes: Vec<Scene> = planned(before).into_iter().map(Scene::News).collect();
    scenes.extend(keys("AP<enter>").into_iter().map(Scene::Input));
    let happened =
        events(vec![What::NotStarted { change: ChangeId::default(), because: "the run stopped before".into() }]);
    let ended = report(
        "1".parse().expect("a run"),
        &after,
        &happened,
        totals(Stopped::Interrupted, Calls { notion: 1, clockify: 1 }, 1.0),
    );
    scenes.push(Scene::News(News::Applied(Box::new(ended))));
    scenes.extend(keys("r").into_iter().map(Scene::Input));
    scenes.push(Scene::News(News::Planned { plan: std::sync::Arc::new(after), remembered: vec![], at: noon() }));
    let film = film_of((100, 24), THEME, scenes);
    assert!(film.frame.contains("write-back"), "{}", film.frame);
    assert!(film.frame.contains("1 approved change is written"), "{}", film.frame);
}

#[test]
fn the_last_words_name_the_run_whatever_was_decided_since() {
    let plan = plan();
    let words = |again: bool| {
        let calls = Calls { notion: 3, clockify: 4 };
        let ended = report("20261123".parse().expect("a run"), &plan, &unlucky(&plan), totals(Stopped::No, calls, 8.0));
        let run = format!("run 20261123: {}", ended.outcome.words());
        let mut scenes: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
        scenes.extend(keys("AP1<enter>").into_iter().map(Scene::Input));
        scenes.push(Scene::News(News::Applied(Box::new(ended))));
        if again {
            scenes.extend(planned(plan.clone()).into_iter().map(Scene::News));
            scenes.extend(keys("q<space>").into_iter().map(Scene::Input));
        }
        (run, last_words(&film_of((110, 26), THEME, scenes).state, false))
    };
    let (run, said) = words(false);
    assert_eq!(said, run);
    let (run, said) = words(true);
    assert_eq!(said, format!("{run}\n1 of 5 changes decided and kept; nothing of them was applied"));
}

#[test]
fn what_is_waited_for_is_said_and_does_not_count_as_in_flight() {
    let plan = plan();
    let scenes = || {
        let mut scenes: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
        scenes.extend(keys("jj<space>P<enter>").into_iter().map(Scene::Input));
        scenes.extend(told(&unlucky(&plan)[..1]));
        for (service, seconds, limit) in [
            (Service::Notion, 58, Some((180, "minute"))),
            (Service::Notion, 28, Some((180, "minute"))),
            (Service::Clockify, 90, None),
        ] {
            let wait = std::time::Duration::from_secs(seconds);
            let queued = Progress::Queued(crate::edge::http::Queued { service, wait, limit });
            scenes.push(Scene::News(News::Progress(queued)));
        }
        scenes
    };
    for size in [(120, 36), (80, 24)] {
        let film = film_of(size, THEME, scenes());
        assert!(film.frame.contains("waiting for Notion's 180 a minute, 0:28"), "{}", film.frame);
        assert!(!film.frame.contains("in flight"), "{}", film.frame);
        assert!(film.frame.contains("^c stop "), "{}", film.frame);
    }
    assert!(film_of((120, 36), THEME, scenes()).frame.contains("Clockify asked us to wait, 1:30"));
}

#[test]
fn the_terminal_is_told_how_far_the_work_is() {
    let plan = plan();
    let mut scenes: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("jj<space>P<enter>").into_iter().map(Scene::Input));
    scenes.extend(told(&events(vec![What::Applied { change: id(&plan, "Acme") }])));
    let calls = Calls { notion: 1, clockify: 1 };
    let ended = report("1".parse().expect("a run"), &plan, &[], totals(Stopped::No, calls, 8.0));
    scenes.push(Scene::News(News::Applied(Box::new(ended))));
    // What is left is read again, and then nothing goes on.
    scenes.extend(planned(plan).into_iter().map(Scene::News));
    let film = film_of((100, 24), THEME, scenes);
    let told = [Gauge::Busy, Gauge::Nothing, Gauge::Done(0), Gauge::Done(50), Gauge::Busy, Gauge::Nothing];
    assert_eq!(film.notes.gauges, told);
}
