//! What others decide in the same state meanwhile.

use std::collections::BTreeSet;

use snapbox::{assert_data_eq, str};

use super::{Film, Scene, THEME, film_of, keys, noon, plan, planned};
use crate::{
    domain::{
        plan::Change,
        reservation::Reservation,
        review::{Decision, Overtaken, Remembered, Resolution, Said},
    },
    face::tui::{effect::Order, news::News},
};

fn change(name: &str) -> Change {
    plan().changes.into_iter().find(|change| change.name.exact() == name).expect("a change")
}

/// What Ben has said about a change, by its name.
fn ben(name: &str, decision: Decision) -> Remembered {
    let change = change(name);
    let verdict = Resolution { decision: Some(decision), ..Resolution::default() };
    let said = Said { change: change.id, page: change.page, what: change.words(), verdict };
    Remembered { said, by: "ben".to_owned(), at: noon() }
}

fn typed(text: &str) -> Vec<Scene> {
    keys(text).into_iter().map(Scene::Input).collect()
}

fn told(news: News) -> Vec<Scene> {
    vec![Scene::News(news)]
}

/// A console with the plan, and what happens there.
fn shown(scenes: Vec<Vec<Scene>>) -> Film {
    let planned = planned(plan()).into_iter().map(Scene::News);
    film_of((120, 20), THEME, planned.chain(scenes.into_iter().flatten()).collect())
}

fn decision<'f>(film: &'f Film, name: &str) -> Option<&'f Decision> {
    let at = film.state.reviewing.place(&change(name).id).expect("there");
    film.state.reviewing.review.as_ref().expect("a review").verdict(at).decision.as_ref()
}

fn kept(number: u64) -> Vec<Scene> {
    told(News::Kept { number, overtaken: Vec::new() })
}

fn others(remembered: Vec<Remembered>) -> News {
    News::Others { remembered, reserved: Vec::new(), own: BTreeSet::default() }
}

/// Ana is on a client for so many minutes.
fn ana_is_on(name: &str, minutes: i64) -> News {
    let client = change(name).page;
    let until = noon() + jiff::SignedDuration::from_mins(minutes);
    let reserved = vec![Reservation {
        client,
        name: name.into(),
        by: "ana".to_owned(),
        host: "kite".to_owned(),
        process: 7,
        until,
    }];
    News::Others { remembered: Vec::new(), reserved, own: BTreeSet::default() }
}

#[test]
fn what_somebody_else_decides_appears_with_their_name() {
    let film = shown(vec![told(others(vec![ben("Acme", Decision::Approve), ben("Design", Decision::Skip)]))]);
    assert_data_eq!(
        film.frame.clone(),
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 2/5 ████░░░░░░  1 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    1/9                             +3 ~1 -1  3 ready, 1 review, 1 held
▌▾ ✓ + Acme                     +3    1/3  create, approved by ben │create client   95 %   ✓ approved by ben
     ■ + <b>                                          create, held │Acme
     · + Relaunch                                           create │
 ▾ ·   Globex                        -1    1/1                     │name: “Acme”
   ▾ ·   Website                     -1    1/1                     │new in Notion, and no client in Clockify looks like
       » - Design                            close, skipped by ben │it
   ⚠ ~ Initech  “Initech Ltd” → “Initech”         update, conflict │
 ▾ Notices                                                       1 │Effects
     i Unmanaged                                         unmanaged │  1 request creates it in Clockify, and its ID goes
                                                                   │into the page
                                                                   │  2 changes have to wait for it
                                                                   │
                                                                   │Earlier
                                                                   │  2026-11-23 approved by ben
                                                                   │
                                                                   │Why
 space approve  s skip  ! flag  u undo  P apply  / search  f filter  ? help


"#]]
    );
    assert_eq!(film.state.reviewing.tally.decided(), 2);
    assert!(film.orders.is_empty(), "what others keep is not kept again");
}

#[test]
fn who_decided_otherwise_is_told_and_decides_again_upon_that() {
    let others = || told(others(vec![ben("Acme", Decision::Skip)]));
    let toast = shown(vec![typed("<space>"), kept(1), others()]);
    assert!(toast.frame.contains("“Acme”: ben has skipped it, here you have approved it"), "{}", toast.frame);
    let film = shown(vec![typed("<space>"), kept(1), others(), typed("gg")]);
    assert_data_eq!(
        film.frame.clone(),
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 1/5 ██░░░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    1/9                             +3 ~1 -1  3 ready, 1 review, 1 held
▌▾ » + Acme                      +3    1/3  create, skipped by ben │create client   95 %   » skipped by ben
     ■ + <b>                                          create, held │2026-11-23 12:00:00: ben has skipped it, here you
     · + Relaunch                                           create │have approved it: decide again if that is to hold
 ▾ ·   Globex                        -1    0/1                     │Acme
   ▾ ·   Website                     -1    0/1                     │
       · - Design                                            close │name: “Acme”
   ⚠ ~ Initech  “Initech Ltd” → “Initech”         update, conflict │new in Notion, and no client in Clockify looks like
 ▾ Notices                                                       1 │it
     i Unmanaged                                         unmanaged │
                                                                   │Effects
                                                                   │  1 request creates it in Clockify, and its ID goes
                                                                   │into the page
                                                                   │  2 changes have to wait for it
                                                                   │
                                                                   │Earlier
                                                                   │  2026-11-23 skipped by ben
 space approve  s skip  ! flag  u undo  / search  f filter  T all about this page  ? help


"#]]
    );
    assert_eq!(decision(&film, "Acme"), Some(&Decision::Skip), "what ben decided upon it stands");

    let again = shown(vec![typed("<space>"), kept(1), others(), typed("gg<space>")]);
    assert_eq!(decision(&again, "Acme"), Some(&Decision::Approve));
    assert!(again.state.reviewing.together.dissents.is_empty());
    let Some(Order::Keep(said, 2)) = again.orders.last() else { panic!("{:?}", again.orders) };
    assert_eq!(said.said()[0].seen.decision, Some(Decision::Skip), "upon what ben decided");

    let undone = shown(vec![typed("<space>"), kept(1), others(), typed("u")]);
    assert_eq!(decision(&undone, "Acme"), Some(&Decision::Skip), "undoing does not overrule ben");
}

#[test]
fn what_is_on_its_way_to_the_state_is_not_taken_back_by_what_was_there_before() {
    let film = shown(vec![typed("<space>"), told(others(vec![ben("Design", Decision::Skip)]))]);
    assert_eq!(decision(&film, "Acme"), Some(&Decision::Approve));
    assert_eq!(decision(&film, "Design"), Some(&Decision::Skip));
}

#[test]
fn a_decision_that_was_overtaken_gives_way_to_what_stands() {
    let stands = ben("Acme", Decision::Flag { note: "wait".into() });
    let verdict = Resolution { decision: Some(Decision::Approve), ..Resolution::default() };
    let said = Said { verdict, ..stands.said.clone() };
    let overtaken = || vec![Overtaken { said: said.clone(), stands: Some(stands.clone()) }];
    let film = shown(vec![typed("<space>"), told(News::Kept { number: 1, overtaken: overtaken() })]);
    assert!(film.frame.contains("“Acme”: ben has flagged it, here you have approved it"), "{}", film.frame);
    assert!(matches!(decision(&film, "Acme"), Some(Decision::Flag { .. })));

    // Both sides are read again by the time that it is known.
    let away = shown(vec![typed("<space>R"), told(News::Kept { number: 1, overtaken: overtaken() })]);
    assert!(away.frame.contains("ben has flagged it, here you have approved it"), "{}", away.frame);

    // What was said since is upon the one before, and is told when it arrives.
    let twice = shown(vec![typed("<space>ggs"), told(News::Kept { number: 1, overtaken: overtaken() })]);
    assert_eq!(decision(&twice, "Acme"), Some(&Decision::Skip));
}

#[test]
fn who_is_on_a_client_is_said_in_its_row_and_in_the_detail_of_all_below() {
    let film = shown(vec![told(ana_is_on("Acme", 10)), typed("jj")]);
    assert_data_eq!(
        film.frame.clone(),
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    3/9                             +3 ~1 -1  3 ready, 1 review, 1 held
 ▾ · + Acme, ana is on it            +3    0/3              create │ana is on it
     ■ + <b>                                          create, held │create project   95 %   · undecided
▌    · + Relaunch                                           create │Acme › Relaunch
 ▾ ·   Globex                        -1    0/1                     │
   ▾ ·   Website                     -1    0/1                     │name: “Relaunch”
       · - Design                                            close │new in Notion, and no project in Clockify looks like
   ⚠ ~ Initech  “Initech Ltd” → “Initech”         update, conflict │it
 ▾ Notices                                                       1 │
     i Unmanaged                                         unmanaged │Effects
                                                                   │  1 request creates it in Clockify, and its ID goes
                                                                   │into the page
                                                                   │  takes along: create client “Acme”
                                                                   │
                                                                   │Why
                                                                   │  the page has no object, and no ID of one
                                                                   │
 space approve  s skip  ! flag  u undo  / search  f filter  T all about this page  ? help


"#]]
    );

    let over = shown(vec![told(ana_is_on("Acme", 0))]);
    assert!(!over.frame.contains("ana is on it"), "{}", over.frame);
}

#[test]
fn who_decides_below_a_client_that_another_is_on_is_asked_once() {
    let asked = shown(vec![told(ana_is_on("Acme", 10)), typed("jj<space>")]);
    assert_data_eq!(
        asked.frame.clone(),
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    3/9                             +3 ~1 -1  3 ready, 1 review, 1 held
 ▾ · + Acme, ana is on it            +3    0/3              create │ana is on it
     ■ + <b>                                          create, held │create project   95 %   · undecided
▌    · + Relaunch                                           create │Acme › Relaunch
 ▾ ·   Globex                        -1    0/1                     │
   ▾ ·   Website                     -1    0/1                     │name: “Relaunch”
       · - Design                                            close │new in Notion, and no project in Clockify looks like
   ⚠ ~ Initech  “Initech Ltd” → “Init┌ Somebody is on it ──────────────────────────┐
 ▾ Notices                           │ enter decides all the same, esc goes back.  │
     i Unmanaged                     │                                             │
                                     │ ana is on “Acme”, until 2026-11-23 12:10:00 │tes it in Clockify, and its ID goes
                                     └─────────────────────────────────────────────┘
                                                                   │  takes along: create client “Acme”
                                                                   │
                                                                   │Why
                                                                   │  the page has no object, and no ID of one
                                                                   │
 space approve  s skip  ! flag  u undo  / search  f filter  T all about this page  ? help


"#]]
    );
    assert!(asked.orders.is_empty());

    for decides in ["a", "A", "s", "!", "i", "e"] {
        let asked = shown(vec![told(ana_is_on("Acme", 10)), typed(decides)]);
        assert!(asked.frame.contains("Somebody is on it"), "{decides}: {}", asked.frame);
    }

    let back = shown(vec![told(ana_is_on("Acme", 10)), typed("jj<space><esc>")]);
    assert!(back.orders.is_empty() && back.state.overlay.is_none());

    let gone_on = shown(vec![told(ana_is_on("Acme", 10)), typed("jj<space><enter>ggs")]);
    assert_eq!(decision(&gone_on, "Relaunch"), Some(&Decision::Approve));
    assert_eq!(decision(&gone_on, "Acme"), Some(&Decision::Skip), "it is not asked again below the same client");

    let elsewhere = shown(vec![told(ana_is_on("Acme", 10)), typed("/Design<enter><space>")]);
    assert_eq!(decision(&elsewhere, "Design"), Some(&Decision::Approve), "ana is not on it: {}", elsewhere.frame);
}

#[test]
fn a_key_tells_others_who_is_on_it_and_takes_that_back() {
    let film = shown(vec![typed("jjb")]);
    let (client, acme) = match film.orders.as_slice() {
        [Order::Reserve(client, true)] => (*client, change("Acme").page),
        orders => panic!("{orders:?}"),
    };
    assert_eq!(client, acme);
    assert!(film.frame.contains("others see that you are on “Acme”"), "{}", film.frame);
    let back = shown(vec![typed("jjbb")]);
    assert!(matches!(back.orders.as_slice(), [_, Order::Reserve(_, false)]), "{:?}", back.orders);
}
