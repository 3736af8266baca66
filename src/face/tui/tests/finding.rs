//! Finding: filters, searches, chords, the help and the palette.

use snapbox::{assert_data_eq, str};

use super::{film, keys, plan, planned};
use crate::face::tui::effect::Order;

/// What a console on the plan shows after some keys, large and small.
fn after(pressed: &str) -> [super::Film; 2] {
    [(120, 36), (80, 24)].map(|size| film(size, planned(plan()), keys(pressed)))
}

#[test]
fn a_word_that_means_nothing_is_refused_and_approves_nothing() {
    for film in after("fis:aproved<enter>") {
        assert!(film.state.prompt.is_some(), "{}", film.frame);
        assert!(film.frame.contains("is: knows undecided appr"), "{}", film.frame);
        assert_eq!(film.state.reviewing.filter.text, "is:ap", "{}", film.frame);
    }
    for film in after("fkin:task<enter>") {
        assert!(film.frame.contains("there is no kin: but is: kind: action:"), "{}", film.frame);
    }
    // Letters that are strewn over a name are no match, so that approving what is shown approves nothing.
    for film in after("fRlnch<enter>A") {
        assert_eq!(film.state.reviewing.tally.approved, 0, "{}", film.frame);
    }
    for film in after("frELAUNCH<enter>A") {
        assert_eq!(film.state.reviewing.tally.approved, 2, "with the client that it needs: {}", film.frame);
    }
}

#[test]
fn a_search_comes_near_and_says_so_and_selects_nothing_then() {
    for film in after("/Rlnch<enter>*") {
        assert_eq!(
            film.state.reviewing.current_change().map(|at| plan().changes[at].name.exact().to_owned()),
            Some("Relaunch".to_owned())
        );
        assert!(film.frame.contains("what comes near is not selected"), "{}", film.frame);
    }
    let near = &after("/Rlnch<enter>")[0];
    assert!(near.frame.contains("no name has that in it; near it: match 1 of 1"), "{}", near.frame);
}

#[test]
fn a_filter_says_what_it_knows() {
    assert_data_eq!(
        film((80, 24), planned(plan()), keys("fis:x")).frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   0/5 ░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    filter: is   0/0
  nothing passes the filter; esc shows everything
     ┌ Filter ────────────────────────────────────────────────────────────┐
     │ a part of a name, or "two words"; !word turns a word round         │
     │ is:     undecided approved skipped flagged ignored conflict ready  │
     │         review held notice                                         │
     │ kind:   client project task                                        │
     │ action: create link update close reopen move write-back refile     │
     │         clear-claim                                                │
     │ hold:   brake child_held copied_id foreign_run incomplete          │
     │         invalid_name lost_sight month_sealed moved_out moved_since │
     │         name_taken near_twin new_option no_account no_parent       │
     │         not_meant not_taken not_writable open_below_closed         │
─────│         parent_closed parent_held parent_unknown relation_removed  │─────
     │         several_parents template time_approved time_invoiced       │
     │         time_locked timer_runs unknown unmanaged unreadable        │
     │         unrecorded unsettled                                       │
     │ state:  ready review held notice                                   │
     │ client: a part of the client's name                                │
     └────────────────────────────────────────────────────────────────────┘

 u undo  / search  f filter  M save the filter under a name  ? help
 filter: is:x   is: knows undecided approved skipped flagged ignored conflic…

"#]]
    );
}

#[test]
fn the_keys_of_a_chord_show_what_can_follow() {
    for film in after(",") {
        for label in ["n      sort by name", "D      sort by date, oldest first"] {
            assert!(film.frame.contains(label), "{}", film.frame);
        }
    }
    for film in after("z") {
        assert!(film.frame.contains("1      clients only"), "{}", film.frame);
    }
    for film in after("g") {
        assert!(film.frame.contains("g      to the top"), "{}", film.frame);
    }
    for film in after(",<esc>j") {
        assert!(!film.frame.contains("sort by date"), "{}", film.frame);
        assert_eq!(film.state.reviewing.cursor, 1);
    }
}

#[test]
fn the_help_narrows_to_what_is_typed() {
    for film in after("?conflict") {
        for label in ["next conflict", "previous conflict"] {
            assert!(film.frame.contains(label), "{}", film.frame);
        }
        assert!(!film.frame.contains("half a page"), "{}", film.frame);
    }
    for pressed in ["?q", "??", "?<esc>", "?undo<enter>", "?undo<esc>"] {
        for film in after(pressed) {
            assert!(film.state.overlay.is_none() && film.state.prompt.is_none(), "{pressed}: {}", film.frame);
        }
    }
    let lower = film((80, 24), planned(plan()), keys("?<pagedown><down>"));
    assert!(!lower.frame.contains("DECIDE"), "{}", lower.frame);
}

#[test]
fn the_palette_runs_actions_with_their_arguments() {
    for film in after(":filter action:create<enter>") {
        assert_eq!(film.state.reviewing.filter.text, "action:create");
        assert!(!film.frame.contains("Design"), "{}", film.frame);
    }
    for film in after(":filter is:nothing<enter>") {
        assert!(film.frame.contains("is: knows"), "{}", film.frame);
    }
    for film in after(":search design<enter>") {
        assert!(film.frame.contains("match 1 of 1"), "{}", film.frame);
    }
    for film in after(":client glob<enter>") {
        let page = film.state.reviewing.page().map(|(_, page)| page).expect("a page");
        assert_eq!(plan().places[&page].name.exact(), "Globex");
    }
    for film in after("jj:flag ask Mara<enter>") {
        assert!(film.frame.contains("flagged: “Relaunch”"), "{}", film.frame);
    }
    assert!(after(":client nobody<enter>")[0].frame.contains("no client has that in its name"));
    assert!(after(":aprove redy")[0].frame.contains("approve all that is ready"), "letters may be missing");
    // What is confirmed by its number is asked for where it is shown.
    for film in after("A:apply 1<enter>") {
        assert!(film.orders.iter().all(|order| matches!(order, Order::Keep(..))), "{}", film.frame);
    }
}

#[test]
fn a_filter_is_saved_under_a_name_and_recalled_by_it() {
    for film in after("faction:create client:acme<enter>Mnew one<enter>") {
        assert!(film.frame.contains("letters, digits, - and _"), "{}", film.frame);
    }
    for film in after("faction:create client:acme<enter>Mnew<enter><esc>f@new !relaunch<enter>Mrest<enter>") {
        let saved = ["new = action:create client:acme", "rest = action:create client:acme !relaunch"];
        assert_eq!(film.notes.saved, saved);
        assert!(film.frame.contains("saved as @rest here"), "{}", film.frame);
        assert!(film.frame.contains("<b>") && !film.frame.contains("Relaunch"), "{}", film.frame);
    }
    assert!(after("f@old<enter>")[0].frame.contains("no filter is saved as @old"));
    assert!(after("M")[0].frame.contains("nothing is filtered (f)"));
}
