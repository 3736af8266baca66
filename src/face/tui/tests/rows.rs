//! What a row says: the whole name as long as there is room, the change, and how it ended; nothing touches a border.

use super::{Film, film, keys, planned};
use crate::{
    domain::{
        diff::tests::world::World,
        model::{Field, Value},
        plan::Plan,
        text::Shown,
    },
    edge::store::{RunEnd, RunRecord},
    face::tui::news::News,
};

const LONG: &str = "Website relaunch with a name that goes on for a while and on";

/// A name of 60 columns that is created, one that is renamed, and one with three fields that change.
fn various() -> Plan {
    let mut world = World::linked(&["Acme", "Acme/Shop", "Acme/Intranet"]);
    world.page(&format!("Acme/{LONG}"));
    world.page_mut("Acme/Shop").title = "Store".into();
    for (field, old, new) in [
        (Field::Note, Value::text("old"), Value::text("new")),
        (Field::Billable, Value::Flag(false), Value::Flag(true)),
        (Field::Estimate, Value::Seconds(3600), Value::Seconds(7200)),
    ] {
        world.agree("Acme/Intranet", field, &old);
        world.page_mut("Acme/Intranet").values.set(field, new);
    }
    world.plan()
}

/// The row with a text, in the columns of the list.
fn row(film: &Film, part: &str) -> String {
    let width = usize::from(film.state.reviewing.detail.areas(film.state.size).0.width);
    let line = film.frame.lines().skip(2).find(|line| line.contains(part)).unwrap_or_else(|| panic!("{}", film.frame));
    line.chars().take(width).collect()
}

#[test]
fn a_row_says_its_change_and_cuts_no_name_that_has_room() {
    for size in [(120, 36), (80, 24)] {
        let film = film(size, planned(various()), Vec::new());
        assert!(row(&film, "Store").contains("Store  “Shop” → “Store”  "), "{}", film.frame);
        let many = row(&film, "Intranet");
        assert!(many.contains("Intranet  note: “old” → “new” +2  "), "{}", film.frame);
        // At 80 columns the whole name has room, and in two thirds of 120 it has not.
        assert_eq!(film.frame.contains(LONG), size.0 == 80, "{}", film.frame);
    }
    let zoomed = film((120, 36), planned(various()), keys("p"));
    assert!(zoomed.frame.contains(LONG), "{}", zoomed.frame);
}

#[test]
fn no_text_touches_the_border_at_any_width() {
    for width in 40..130 {
        let film = film((width, 24), planned(various()), keys("A"));
        let (tree, _) = film.state.reviewing.detail.areas(film.state.size);
        for line in film.frame.lines().skip(2).take(4) {
            let shown = Shown::of(line);
            let last = line.chars().nth(usize::from(tree.width) - 1);
            assert!(last.is_none_or(|last| last == ' '), "{width}: {shown}\n{}", film.frame);
            assert!(width < 50 || line.contains("approved") || line.contains('/'), "{width}: {shown}");
        }
    }
}

#[test]
fn an_outcome_is_not_cut_beside_blank_columns_and_is_unfolded_where_it_must_be() {
    let outcome = "Notion could not be reached: the connection was closed before an answer had come, and again";
    let run = |outcome: &str| RunRecord {
        id: "a".parse().expect("a run"),
        trigger: "review".into(),
        by: "anna".into(),
        version: "0.1.0".into(),
        rules_hash: String::new(),
        plan_hash: None,
        started: super::noon(),
        end: Some(RunEnd { at: super::noon(), outcome: outcome.into(), report: None }),
    };
    let shown = |size| film(size, vec![News::Runs(vec![run(outcome)], None)], keys("4")).frame;
    let wide = shown((140, 24));
    assert_eq!(wide.matches(outcome).count(), 1, "{wide}");
    for size in [(120, 36), (80, 24)] {
        let frame = shown(size);
        let row = frame.lines().nth(3).expect("a row");
        assert!(row.contains("…") && Shown::of(row).width() >= usize::from(size.0) - 2, "{frame}");
        let text = frame.lines().skip(4).map(str::trim).collect::<Vec<_>>().join(" ");
        assert!(text.contains(outcome), "{frame}");
    }
}

#[test]
fn the_reason_for_a_hold_comes_before_the_names() {
    let film = film((80, 24), planned(super::plan()), keys("j"));
    let at = |text: &str| film.frame.find(text).unwrap_or_else(|| panic!("{text}: {}", film.frame));
    assert!(at("held: Clockify refuses") < at("Acme › <b>"), "{}", film.frame);
}
