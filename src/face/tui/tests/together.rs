//! What others decide in the same state meanwhile.

use snapbox::{assert_data_eq, str};

use super::{Film, Scene, THEME, film_of, keys, noon, plan, planned};
use crate::{
    domain::{
        plan::Change,
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

/// Keys, and news in between.
fn shown(scenes: Vec<Result<&str, News>>) -> Film {
    let mut all: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    for scene in scenes {
        match scene {
            Ok(typed) => all.extend(keys(typed).into_iter().map(Scene::Input)),
            Err(news) => all.push(Scene::News(news)),
        }
    }
    film_of((120, 20), THEME, all)
}

fn decision<'f>(film: &'f Film, name: &str) -> Option<&'f Decision> {
    let at = film.state.reviewing.place(&change(name).id).expect("there");
    film.state.reviewing.review.as_ref().expect("a review").verdict(at).decision.as_ref()
}

fn kept(number: u64) -> Result<&'static str, News> {
    Err(News::Kept { number, overtaken: Vec::new() })
}

#[test]
fn what_somebody_else_decides_appears_with_their_name() {
    let film = shown(vec![Err(News::Others(vec![ben("Acme", Decision::Approve), ben("Design", Decision::Skip)]))]);
    assert_data_eq!(film.frame.clone(), str![[r#"
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


"#]]);
    assert_eq!(film.state.reviewing.tally.decided(), 2);
    assert!(film.orders.is_empty(), "what others keep is not kept again");
}

#[test]
fn who_decided_otherwise_is_told_and_decides_again_upon_that() {
    let others = || Err(News::Others(vec![ben("Acme", Decision::Skip)]));
    let told = shown(vec![Ok("<space>"), kept(1), others()]);
    assert!(told.frame.contains("“Acme”: ben has skipped it, here you have approved it"), "{}", told.frame);
    let film = shown(vec![Ok("<space>"), kept(1), others(), Ok("gg")]);
    assert_data_eq!(film.frame.clone(), str![[r#"
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


"#]]);
    assert_eq!(decision(&film, "Acme"), Some(&Decision::Skip), "what ben decided upon it stands");

    let again = shown(vec![Ok("<space>"), kept(1), others(), Ok("gg<space>")]);
    assert_eq!(decision(&again, "Acme"), Some(&Decision::Approve));
    assert!(again.state.reviewing.together.dissents.is_empty());
    let Some(Order::Keep(said, 2)) = again.orders.last() else { panic!("{:?}", again.orders) };
    assert_eq!(said.said()[0].seen.decision, Some(Decision::Skip), "upon what ben decided");

    let undone = shown(vec![Ok("<space>"), kept(1), others(), Ok("u")]);
    assert_eq!(decision(&undone, "Acme"), Some(&Decision::Skip), "undoing does not overrule ben");
}

#[test]
fn what_is_on_its_way_to_the_state_is_not_taken_back_by_what_was_there_before() {
    let film = shown(vec![Ok("<space>"), Err(News::Others(vec![ben("Design", Decision::Skip)]))]);
    assert_eq!(decision(&film, "Acme"), Some(&Decision::Approve));
    assert_eq!(decision(&film, "Design"), Some(&Decision::Skip));
}

#[test]
fn a_decision_that_was_overtaken_gives_way_to_what_stands() {
    let stands = ben("Acme", Decision::Flag { note: "wait".into() });
    let verdict = Resolution { decision: Some(Decision::Approve), ..Resolution::default() };
    let said = Said { verdict, ..stands.said.clone() };
    let overtaken = || vec![Overtaken { said: said.clone(), stands: Some(stands.clone()) }];
    let film = shown(vec![Ok("<space>"), Err(News::Kept { number: 1, overtaken: overtaken() })]);
    assert!(film.frame.contains("“Acme”: ben has flagged it, here you have approved it"), "{}", film.frame);
    assert!(matches!(decision(&film, "Acme"), Some(Decision::Flag { .. })));

    // What was said since is upon the one before, and is told when it arrives.
    let twice = shown(vec![Ok("<space>ggs"), Err(News::Kept { number: 1, overtaken: overtaken() })]);
    assert_eq!(decision(&twice, "Acme"), Some(&Decision::Skip));
}
