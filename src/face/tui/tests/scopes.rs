//! What a decision is about: the row's own change, or what is below it; and what is never overruled along the way.

use snapbox::{assert_data_eq, str};

use super::{Film, film, keys, plan, planned};
use crate::{
    domain::{diff::tests::world::World, plan::State, review::Decision},
    face::tui::effect::Order,
};

/// The name of the change under the cursor.
fn here(film: &Film) -> &str {
    let at = film.state.reviewing.current_change().expect("a change");
    film.state.reviewing.plan().expect("a plan").changes[at].name.exact()
}

fn decision<'a>(film: &'a Film, name: &str) -> Option<&'a Decision> {
    let review = film.state.reviewing.review.as_ref().expect("a plan");
    let at = review.plan().changes.iter().position(|change| change.name.exact() == name).expect(name);
    review.verdict(at).decision.as_ref()
}

#[test]
fn a_decision_is_about_the_rows_own_change_and_moves_on_past_what_is_held() {
    let flag = Decision::Flag { note: "why".to_owned() };
    let decisions = [
        ("<space>", Some(Decision::Approve)),
        ("s", Some(Decision::Skip)),
        ("i", Some(Decision::Ignore)),
        ("!why<enter>", Some(flag)),
        ("sk<backspace>", None),
    ];
    for (typed, decided) in decisions {
        let typed = typed.replace("sk", "skk");
        let film = film((100, 24), planned(plan()), keys(&typed));
        assert_eq!(decision(&film, "Acme"), decided.as_ref(), "{typed}");
        assert_eq!((decision(&film, "<b>"), decision(&film, "Relaunch")), (None, None), "{typed}");
        assert_eq!(here(&film), "Relaunch", "{typed}: past what is held");
    }
}

#[test]
fn the_next_undecided_is_none_that_is_held() {
    let film = film((100, 24), planned(plan()), keys("]"));
    assert_eq!(here(&film), "Relaunch");
    let back = super::film((100, 24), planned(plan()), keys("]["));
    assert_eq!(here(&back), "Acme");
}

#[test]
fn a_row_that_groups_others_says_what_a_key_would_do() {
    for size in [(120, 36), (80, 24)] {
        let open = film(size, planned(plan()), keys("}"));
        assert!(open.frame.contains(" space approve 1 below  s skip 1 below  ! flag 1 below "), "{}", open.frame);
        let approved = film(size, planned(plan()), keys("}<space>"));
        assert!(approved.frame.contains(" space take back 1 below "), "{}", approved.frame);
        let own = film(size, planned(plan()), Vec::new());
        assert!(own.frame.contains(" space approve  s skip  ! flag "), "{}", own.frame);
    }
}

#[test]
fn approving_below_what_was_skipped_overrules_nobody_and_says_the_key_that_does() {
    for (decide, word) in [("s", "skipped"), ("!<enter>", "flagged"), ("i", "ignored for good")] {
        for below in ["<space>", "kka"] {
            let film = film((100, 24), planned(plan()), keys(&format!("{decide}{below}")));
            let said = format!("“Relaunch” waits for “Acme”, which was {word}; & approves it too");
            assert!(film.frame.contains(&said), "{below}: {}", film.frame);
            assert_eq!(decision(&film, "Acme").map(Decision::word), Some(word), "{below}");
            let tally = film.state.reviewing.tally;
            assert_eq!((tally.approved, tally.waiting), (0, 1), "{below}");

            let film = super::film((100, 24), planned(plan()), keys(&format!("{decide}{below}&")));
            let tally = film.state.reviewing.tally;
            assert_eq!((tally.approved, tally.waiting), (2, 0), "{below}: {}", film.frame);
            assert!(film.frame.contains("approved: “Acme”; u takes it back"), "{}", film.frame);
        }
    }
}

#[test]
fn a_change_that_waits_says_for_what_and_how_that_is_approved() {
    let waits = film((80, 24), planned(plan()), keys("s<space>k"));
    assert_data_eq!(
        waits.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   2/5 ██░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    3/9           3 ready 1? 1!
 ▾ » + Acme                                       +3    2/3     create, skipped
     ■ + <b>                                                       create, held
▌    ✗ + Relaunch                                                 create, waits
 ▾ ·   Globex                                     -1    0/1
   ▾ ·   Website                                  -1    0/1
       · - Design                                                         close
   ⚠ ~ Initech  “Initech Ltd” → “Initech”                      update, conflict
 ▾ Notices                                                                    1
     i Unmanaged                                                      unmanaged



────────────────────────────────────────────────────────────────────────────────
create project   95 %   ✗ waits
Acme › Relaunch

name: “Relaunch”
new in Notion, and no project in Clockify looks like it
waits for “Acme”, which was skipped (& approves it too)

 space approve  s skip  ! flag  & approve what it waits for  u undo  ? help


"#]]
    );
    let none = film((80, 24), planned(plan()), keys("<space>&"));
    assert!(none.frame.contains("nothing that is approved waits for another decision"), "{}", none.frame);
    assert_eq!(none.orders.len(), 1);
}

/// A client that is like one in Clockify, which is for review, and one that is new.
fn for_review() -> crate::domain::plan::Plan {
    let mut world = World::linked(&[]);
    world.page("Acme");
    world.page("Globex");
    world.object("Acme");
    let mut plan = world.plan();
    for change in plan.changes.iter_mut().filter(|change| change.name.exact() == "Acme") {
        change.state = State::Review;
    }
    plan
}

#[test]
fn all_that_is_ready_is_approved_and_what_is_for_review_is_named() {
    let film = film((100, 24), planned(for_review()), keys("A"));
    assert_eq!(decision(&film, "Globex"), Some(&Decision::Approve));
    assert_eq!(decision(&film, "Acme"), None);
    assert!(film.frame.contains("; 1 for review: ] goes there"), "{}", film.frame);
    let [Order::Keep(kept, _)] = film.orders.as_slice() else { panic!("{:?}", film.orders) };
    let kept = kept.said();
    assert_eq!(kept.len(), 1);
    let there = super::film((100, 24), planned(for_review()), keys("A]"));
    assert_eq!(here(&there), "Acme");
}
