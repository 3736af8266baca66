//! The undo of a run, from the tab of the runs.

use snapbox::{assert_data_eq, str};

use super::{Scene, THEME, apply::totals, film_of, keys, noon, plan, planned};
use crate::{
    domain::{
        diff::tests::world::World,
        journal::{Event, Outcome, Was, What, Write, WriteId},
        model::{Field, Kind, Value},
        plan::{Calls, Hold, HoldCode, Plan, Scope, State as ChangeState},
        report::{Stopped, report, tests::report_with},
        rules::Class,
        undo::undo,
    },
    edge::store::{RunEnd, RunRecord},
    face::tui::{effect::Order, news::News, state::Phase},
};

fn run(id: &str, applied: usize) -> RunRecord {
    let report = Some(report_with(applied, &serde_json::Value::Null));
    RunRecord {
        id: id.parse().expect("a run"),
        trigger: "auto-approve".into(),
        by: "anna".into(),
        version: "0.1.0".into(),
        rules_hash: String::new(),
        plan_hash: None,
        started: noon(),
        end: Some(RunEnd { at: noon(), outcome: "applied".into(), report }),
    }
}

/// The undo of a run that renamed Acme and closed its project.
fn inverse() -> Plan {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    world.rename_page("Acme", "Acme Ltd").rename_object("Acme", "Acme Ltd").close_page("Acme/Website");
    world.object_mut("Acme/Website").closed = true;
    let mut events = Vec::new();
    let written = [
        ("Acme", Field::Name, Value::text("Acme"), Value::text("Acme Ltd")),
        ("Acme/Website", Field::State, Value::Closed(false), Value::Closed(true)),
    ];
    for (number, (path, field, before, after)) in (1..).zip(written) {
        let kind = if path == "Acme" { Kind::Client } else { Kind::Project };
        let (page, object) = (world.page_id(path), world.object_id(path));
        let request = Write::Update { page, kind, object, fields: [(field, after)].into() };
        let was = Box::new(Was { before: [(field, before)].into(), name: path.into() });
        for what in [
            What::Intent { write: WriteId(number), changes: vec![], request, was, trace: Box::default() },
            What::Outcome { write: WriteId(number), outcome: Outcome::Done { object: Some(object) } },
        ] {
            events.push(Event { run: "20261122T180000Z-0a1b".parse().expect("a run"), at: noon(), what });
        }
    }
    let scope = Scope { undoes: Some("20261122T180000Z-0a1b".parse().expect("a run")), ..Scope::default() };
    undo(&events, &world.snapshots(), &world.registry, &world.rules, scope).expect("a journal of ours")
}

/// The console on its runs, and then some keys.
fn on_runs(runs: Vec<RunRecord>, then: &str) -> Vec<Scene> {
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(keys("4").into_iter().map(Scene::Input));
    scenes.chain([Scene::News(News::Runs(runs, None))]).chain(keys(then).into_iter().map(Scene::Input)).collect()
}

#[test]
fn the_run_under_the_cursor_is_undone_in_the_review_which_says_so() {
    let mut scenes = on_runs(vec![run("20261123T120000Z-ffff", 2), run("20261122T180000Z-0a1b", 2)], "jU");
    scenes.push(Scene::News(News::Planned { plan: std::sync::Arc::new(inverse()), remembered: vec![], at: noon() }));

    let film = film_of((100, 18), THEME, scenes);

    assert!(
        matches!(film.orders.as_slice(), [Order::Undo(run)] if run.as_str() == "20261122T180000Z-0a1b"),
        "{:?}",
        film.orders
    );
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan 9038faf6, just now   0/2 ░░░░░░  0 approved
 [1 Undo of run 20261122T180000Z-0a1b]  2 Apply   3 Logs   4 Runs   5 Hours    1/2   ~1 ↺1  2 ready
▌▾ · ~ Acme Ltd  “Acme Ltd” → “Acme”                               +1 ~1    0/2              update
     · ↺ Website                                                                             reopen






────────────────────────────────────────────────────────────────────────────────────────────────────
update client   100 %   · undecided
Acme Ltd

name: “Acme Ltd” → “Acme”
the run renamed it
 space approve  s skip  ! flag  R back to the review  u undo  / search  f filter  ? help


"#]]
    );
}

#[test]
fn while_it_is_read_the_review_is_that_of_the_undo_already() {
    let film = film_of((80, 10), THEME, on_runs(vec![run("20261122T180000Z-0a1b", 2)], "U"));
    assert!(film.frame.contains("[1 Undo of run 20261122T180000Z-0a1b]"), "{}", film.frame);
    assert_eq!(film.state.phase, Phase::Reading);
}

#[test]
fn a_run_that_wrote_nothing_is_not_undone_and_elsewhere_the_key_says_where() {
    let film = film_of((80, 10), THEME, on_runs(vec![run("a", 0)], "U"));
    assert!(film.frame.contains("that run wrote nothing") && film.orders.is_empty(), "{}", film.frame);
    let film = super::film((80, 24), planned(plan()), keys("U"));
    assert!(film.frame.contains("only on one of the runs") && film.orders.is_empty(), "{}", film.frame);
}

#[test]
fn it_is_confirmed_as_an_undo_retried_as_one_and_then_r_is_an_ordinary_plan() {
    let plan = inverse();
    let mut scenes: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("AP").into_iter().map(Scene::Input));
    let film = film_of((100, 18), THEME, scenes);
    assert!(film.frame.contains("Apply the undo of run 20261122T180000Z-0a1b?"), "{}", film.frame);

    let change = plan.changes[0].id;
    let failed = What::Failed { change, error: "no".into(), hint: "ask".into() };
    let failed = [Event { run: "b".parse().expect("a run"), at: noon(), what: failed }];
    let ended =
        report("b".parse().expect("a run"), &plan, &failed, totals(Stopped::No, Calls { notion: 1, clockify: 1 }, 1.0));
    let mut scenes: Vec<Scene> = planned(plan).into_iter().map(Scene::News).collect();
    scenes.extend(keys("AP<enter>").into_iter().map(Scene::Input));
    scenes.push(Scene::News(News::Applied(Box::new(ended))));
    scenes.extend(keys("r").into_iter().map(Scene::Input));
    scenes.push(Scene::News(News::Failed { text: vec!["no network".into()], code: 1 }));
    scenes.extend(keys("R").into_iter().map(Scene::Input));
    let film = film_of((100, 18), THEME, scenes);
    let orders: Vec<&Order> = film.orders.iter().filter(|order| !matches!(order, Order::Keep(..))).collect();
    assert!(matches!(orders.as_slice(), [Order::Apply(_), Order::Undo(_), Order::Read]), "{orders:?}");
    assert!(film.frame.contains("[1 Review]"), "{}", film.frame);
}

#[test]
fn runs_that_wrote_come_first_and_those_that_only_looked_are_left_out() {
    let looked = |id: &str, trigger: &str, outcome: &str| RunRecord {
        trigger: trigger.into(),
        end: Some(RunEnd { at: noon(), outcome: outcome.into(), report: None }),
        ..run(id, 0)
    };
    let runs = || {
        let own = RunRecord { end: None, ..looked("e", "review", "") };
        vec![own, looked("d", "plan", "planned"), run("c", 0), run("b", 2), run("a", 1)]
    };
    let film = film_of((120, 12), THEME, on_runs(runs(), ""));
    let listed: Vec<&str> = film.state.runs.all.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(listed, ["b", "a", "e", "c"]);
    assert_eq!(film.state.runs.at, 0);
    assert!(film.frame.contains("1 run that only looked is left out (H)"), "{}", film.frame);
    // As the page says.
    let undone = film_of((120, 12), THEME, on_runs(runs(), "U"));
    assert!(matches!(undone.orders.as_slice(), [Order::Undo(run)] if run.as_str() == "b"), "{:?}", undone.orders);
    for (pressed, because) in [("jjjU", "that run wrote nothing"), ("HjjjU", "that run wrote nothing")] {
        let film = film_of((120, 12), THEME, on_runs(runs(), pressed));
        assert!(film.orders.is_empty() && film.frame.contains(because), "{pressed}: {}", film.frame);
    }
    let page = include_str!("../../../../assets/docs/console.md");
    assert!(page.contains("is undone from the runs (`4`, then `U`)"), "the page says so");
}

#[test]
fn an_undo_begins_with_a_clean_filter_and_names_the_way_back() {
    let mut scenes: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("fRelaunch<enter>4").into_iter().map(Scene::Input));
    scenes.push(Scene::News(News::Runs(vec![run("20261122T180000Z-0a1b", 2)], None)));
    scenes.extend(keys("U").into_iter().map(Scene::Input));
    scenes.push(Scene::News(News::Planned { plan: std::sync::Arc::new(inverse()), remembered: vec![], at: noon() }));
    for size in [(120, 36), (80, 24)] {
        let again = scenes.iter().map(|scene| match scene {
            Scene::Input(event) => Scene::Input(event.clone()),
            Scene::News(News::Planned { plan, .. }) => {
                Scene::News(News::Planned { plan: std::sync::Arc::clone(plan), remembered: vec![], at: noon() })
            }
            Scene::News(News::Runs(runs, _)) => Scene::News(News::Runs(runs.clone(), None)),
            _ => Scene::Gone,
        });
        let film = film_of(size, THEME, again.collect());
        assert!(film.state.reviewing.filter.text.is_empty() && film.frame.contains("reopen"), "{}", film.frame);
        assert!(film.frame.contains("R back to the review"), "{}", film.frame);
    }
}

#[test]
fn the_brakes_of_an_undo_are_released_in_one_dialog() {
    let mut plan = inverse();
    for change in &mut plan.changes {
        change.hold = Some(Hold { code: HoldCode::Brake, text: "too many at once".into() });
        change.state = ChangeState::Held;
    }
    for size in [(120, 36), (80, 24)] {
        let asked = super::film(size, planned(plan.clone()), keys("B"));
        for text in ["2 changes are withheld", "1 reopens of projects", "1 renames of clients"] {
            assert!(asked.frame.contains(text), "{text}: {}", asked.frame);
        }
        let wrong = super::film(size, planned(plan.clone()), keys("B1<enter>"));
        assert!(wrong.orders.is_empty() && wrong.frame.contains("type 2 to let them through"), "{}", wrong.frame);
        let right = super::film(size, planned(plan.clone()), keys("B2<enter>"));
        let [Order::Release(allowances)] = &right.orders[..] else { panic!("{:?}", right.orders) };
        let released: Vec<_> = allowances.iter().map(|allowance| (allowance.class, allowance.count)).collect();
        assert_eq!(released, [(Class::Reopen, 1), (Class::Rename, 1)]);
    }
}
