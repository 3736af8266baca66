//! Finding: filters, searches, chords, the help and the palette.

use super::{film, keys, plan, planned};

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
    assert!(near.frame.contains("no name has that in it; 1 come near"), "{}", near.frame);
}
