//! When it is done under a budget of so many calls an hour: before an apply, meanwhile, and after it.

use jiff::SignedDuration;
use snapbox::{assert_data_eq, str};

use super::{Film, Scene, THEME, apply::totals, film_of, keys, noon, plan, planned, rest::exchanged};
use crate::{
    domain::{
        journal::Totals,
        model::Service,
        plan::{Calls, Estimate, Hourly},
        report::{Stopped, report},
    },
    face::tui::{effect::Order, news::News},
};

const SIZES: [(u16, u16); 2] = [(120, 36), (80, 24)];

fn hourly(left: u32) -> Hourly {
    Hourly { per_hour: 30, spent: 5, left, done_at: None }.dated(noon())
}

/// Keys before the answer of what it would cost, and after it.
fn asked(size: (u16, u16), calls: u32, typed: &str, more: Vec<Scene>) -> Film {
    let mut scenes = vec![exchanged(Service::Clockify, Some((5, 30)))];
    scenes.extend(planned(plan()).into_iter().map(Scene::News));
    scenes.extend(keys("jj<space>P").into_iter().map(Scene::Input));
    let clockify_calls = usize::try_from(calls).expect("few");
    let cost = Estimate { notion_calls: 9, clockify_calls, seconds: 0, hourly: Some(hourly(calls)) };
    scenes.push(Scene::News(News::Estimated { number: 1, estimate: cost }));
    scenes.extend(keys(typed).into_iter().map(Scene::Input));
    scenes.extend(more);
    film_of(size, THEME, scenes)
}

#[test]
fn the_confirmation_says_when_it_is_done() {
    let [wide, narrow] = SIZES.map(|size| asked(size, 412, "", Vec::new()));
    let asked_for = wide.orders.iter().find_map(|order| match order {
        Order::Estimate(approved, _) => Some(approved.changes().len()),
        _ => None,
    });
    assert_eq!(asked_for, Some(wide.state.reviewing.tally.approved));
    assert_data_eq!(
        wide.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 2/5 ████░░░░░░  2 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    4/9                             +3 ~1 -1  3 ready, 1 review, 1 held
 ▾ ✓ + Acme                          +3    2/3    create, approved │client Globex
     ■ + <b>                                          create, held │
     ✓ + Relaunch                                 create, approved │1 change below, 0 decided, 0 approved; a decision
▌▾ ·   Globex                        -1    0/1                     │here is about all that the filter shows
   ▾ ·   Website                     -1    0/1                     │
       · - Design                                            close │Notion   00000000-0000-0000-0000-000000000002 (o),
   ⚠ ~ Initech  “Initech Ltd” → “Initech”         update, conflict │edited 1970-01-01 00:00
 ▾ Notices                                                       1 │
     i Unmanaged                                         unmanaged │
                                                                   │
                                                                   │
                                                                   │
         ┌ Apply? ─────────────────────────────────────────────────────────────────────────────────────────────┐
         │ 2 approved changes are written:                                                                     │
         │ enter applies, esc goes back.                                                                       │
         │                                                                                                     │
         │  + create           2   1 client, 1 project                                                         │
         │ 412 Clockify calls: done Tuesday 02:00 at 30 an hour, what people wait for and track time on first. │
         │ Clockify takes 30 calls an hour, and 5 were made within the last one.                               │
         │ Left alone: 3 undecided (1 of them held).                                                           │
         └─────────────────────────────────────────────────────────────────────────────────────────────────────┘
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
 space approve 1 below  s skip 1 below  ! flag 1 below  u undo  P apply  / search  f filter  ? help


"#]]
    );
    assert_data_eq!(
        narrow.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   2/5 ██░░░░  2 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    4/9           3 ready 1? 1!
 ▾ ✓ + Acme                                       +3    2/3    create, approved
     ■ + <b>                                                       create, held
     ✓ + Relaunch                                              create, approved
▌▾ ·   Globex                                     -1    0/1
   ▾ ·   Website                                  -1    0/1
┌ Apply? ──────────────────────────────────────────────────────────────────────┐
│ 2 approved changes are written:                                              │
│ enter applies, esc goes back.                                                │
│                                                                              │
│  + create           2   1 client, 1 project                                  │
│ 412 Clockify calls: done Tuesday 02:00 at 30 an hour, what people wait for   │
│and track time on first.                                                      │
│ Clockify takes 30 calls an hour, and 5 were made within the last one.        │
│ Left alone: 3 undecided (1 of them held).                                    │
└──────────────────────────────────────────────────────────────────────────────┘
1 change below, 0 decided, 0 approved; a decision here is about all that the
filter shows

Notion   00000000-0000-0000-0000-000000000002 (o), edited 1970-01-01 00:00

 space approve 1 below  s skip 1 below  ! flag 1 below  u undo  P apply  ? help


"#]]
    );
    let soon = asked(SIZES[0], 25, "", Vec::new()).frame;
    assert!(!soon.contains("done ") && soon.contains("5 were made within the last one"), "this hour is enough: {soon}");
}

#[test]
fn what_it_would_cost_is_not_asked_without_such_a_budget_and_not_remembered_for_the_next_time() {
    let mut scenes: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("jj<space>P").into_iter().map(Scene::Input));
    assert!(!film_of(SIZES[0], THEME, scenes).orders.iter().any(|order| matches!(order, Order::Estimate(..))));
    let again = asked(SIZES[0], 412, "<esc>P", Vec::new());
    assert_eq!(again.orders.iter().filter(|order| matches!(order, Order::Estimate(..))).count(), 2);
    assert!(!again.frame.contains("412 Clockify calls"), "{}", again.frame);
}

#[test]
fn whenever_the_answer_comes_it_is_for_what_was_asked_last() {
    let answer = |number| {
        let estimate = Estimate { notion_calls: 9, clockify_calls: 300, seconds: 0, hourly: Some(hourly(300)) };
        Scene::News(News::Estimated { number, estimate })
    };
    let early = asked(SIZES[0], 412, "<esc>P", vec![answer(1)]);
    assert!(!early.frame.contains("300 Clockify calls"), "it is of what was approved before: {}", early.frame);
    let last = asked(SIZES[0], 412, "<esc>P", vec![answer(2)]);
    assert!(last.frame.contains("300 Clockify calls: done Monday 22:00 at 30 an hour"), "{}", last.frame);
    let late = asked(SIZES[0], 412, "<esc>P<enter>", vec![answer(2)]);
    assert!(late.frame.contains("elapsed 0:00, done Monday 22:00 at 30 an hour"), "{}", late.frame);
}

#[test]
fn after_a_refused_apply_it_is_asked_again() {
    let mut scenes = vec![Scene::News(News::Refused("another run holds the lock".into()))];
    scenes.extend(keys("P").into_iter().map(Scene::Input));
    let again = asked(SIZES[0], 412, "<enter>", scenes);
    assert_eq!(again.orders.iter().filter(|order| matches!(order, Order::Estimate(..))).count(), 2);
    assert!(again.frame.contains("Clockify takes 30 calls an hour, and 5 were made"), "{}", again.frame);
}

#[test]
fn meanwhile_it_is_among_the_facts_and_afterwards_with_what_is_left() {
    for size in SIZES {
        let film = asked(size, 412, "<enter>", Vec::new());
        assert!(film.frame.contains("elapsed 0:00, done Tuesday 02:00 at 30 an hour"), "{}", film.frame);

        let not_before = noon().checked_add(SignedDuration::from_hours(1)).ok();
        let calls = Calls { notion: 1, clockify: 30 };
        let totals = Totals { not_before, hourly: Some(hourly(400)), ..totals(Stopped::OutOfBudget, calls, 8.0) };
        let ended = report("1".parse().expect("a run"), &plan(), &[], totals);
        let film = asked(size, 412, "<enter>", vec![Scene::News(News::Applied(Box::new(ended)))]);
        let said = film.frame.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("400 changes are left for that: run again ") && said.contains(" at 30 an hour."),
            "{said}"
        );
        assert!(!said.contains("elapsed 0:00, done"), "{said}");
    }
}
