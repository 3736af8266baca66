//! What needs two persons: in the row, in the detail, in the footer, and what each of them can do about it.

use std::{collections::BTreeSet, sync::Arc};

use jiff::SignedDuration;
use snapbox::{assert_data_eq, str};

use super::{film, keys, noon};
use crate::{
    domain::{
        diff::tests::world::World,
        four_eyes::{Approval, FourEyes},
        plan::{Action, Plan, Workspaces},
        reservation::Reservation,
        review::{Decision, Remembered, Resolution, Said},
        text::Shown,
    },
    face::tui::{effect::Order, news::News},
};

/// A task to be closed, on which more is tracked than one person closes alone.
fn plan() -> Plan {
    let mut world = World::linked(&["Globex", "Globex/Website", "Globex/Website/Design"]);
    world.close_page("Globex/Website/Design");
    world.object_mut("Globex/Website/Design").tracked_seconds = Some(9 * 3600);
    world.rules.four_eyes = FourEyes { close_hours: Some(8), ..FourEyes::default() };
    world.plan()
}

/// The plan, with its close approved by these persons.
fn approved_by(names: &[&str]) -> Vec<News> {
    let plan = plan();
    let close = plan.changes.iter().find(|change| change.proposal.action == Action::Close).expect("a close");
    let approvals = names.iter().map(|by| Approval { by: (*by).to_owned(), at: Some(noon()) }).collect();
    let verdict = Resolution { decision: Some(Decision::Approve), approvals, ..Resolution::default() };
    let said = Said { change: close.id, page: close.page, what: Shown::default(), verdict };
    let remembered = names.last().map(|by| Remembered { said, by: (*by).to_owned(), at: noon() });
    vec![News::Planned { plan: Arc::new(plan), remembered: remembered.into_iter().collect(), at: noon() }]
}

#[test]
fn the_header_says_how_many_wait_for_a_second_person_at_any_width() {
    for width in 80..=130 {
        let mut news = approved_by(&["ana"]);
        if let [News::Planned { plan, .. }] = news.as_mut_slice() {
            let configuration = Some("/home/ana/agencies/berlin.toml".into());
            let (notion, clockify) = ("Harbour Studio".into(), "Harbour Studio".into());
            Arc::make_mut(plan).workspaces = Workspaces { notion, clockify, configuration };
        }
        let film = film((width, 18), news, Vec::new());
        let header = film.frame.lines().next().expect("a line").trim_end().to_owned();
        let is_said = ["1 for a second person", "1 for a second", "1 ◐"].iter().any(|words| header.ends_with(words));
        assert!(is_said && header.contains("0 approved"), "{width}: {header}");
    }
}

#[test]
fn who_approves_as_the_second_is_not_asked_whether_the_first_is_in_the_way() {
    let shown = |typed: &str| {
        let mut news = approved_by(&["ana"]);
        let [News::Planned { plan, remembered, .. }] = news.as_slice() else { panic!("a plan") };
        let reservation = Reservation {
            client: plan.client_of(plan.changes[0].page).expect("below a client"),
            name: "Globex".into(),
            by: "ana".to_owned(),
            host: "kite".to_owned(),
            process: 7,
            until: noon() + SignedDuration::from_mins(10),
        };
        let (remembered, own) = (remembered.clone(), BTreeSet::default());
        news.push(News::Others { remembered, reserved: vec![reservation], own });
        film((100, 18), news, keys(typed))
    };
    let approved = shown("G ");
    assert!(!approved.frame.contains("Somebody is on it"), "{}", approved.frame);
    assert!(matches!(approved.orders.as_slice(), [Order::Keep(..)]), "{:?}", approved.orders);
    let skipped = shown("Gs");
    assert!(skipped.frame.contains("Somebody is on it"), "{}", skipped.frame);
}

#[test]
fn the_row_the_detail_and_the_header_say_who_has_approved_and_that_it_takes_two() {
    let film = film((100, 18), approved_by(&["ana"]), keys("G"));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   1/1 ██████  0 approved  1 for a second person
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    3/3                                -1  1 review
 ▾ ·   Globex                                                         -1    1/1
   ▾ ·   Website                                                      -1    1/1
▌      ◐ - Design                                                     close, by ana, needs a second





────────────────────────────────────────────────────────────────────────────────────────────────────
close task   100 %   ◐ by ana, needs a second
approved by ana; needs a second person
Globex › Website › Design

state: open → closed
 space approve, as the second  s skip  ! flag  u undo  / search  f filter  ? help


"#]]
    );
}

#[test]
fn the_second_person_approves_with_the_same_key_and_it_can_be_applied() {
    let film = film((100, 12), approved_by(&["ana"]), keys("G<space>"));

    let [Order::Keep(said, _)] = film.orders.as_slice() else { panic!("{:?}", film.orders) };
    let said = &said.said()[0];
    let names: Vec<&str> = said.said.verdict.approvals.iter().map(|approval| approval.by.as_str()).collect();
    assert_eq!(names, ["ana", "person"]);
    assert!(film.frame.contains("1 approved") && !film.frame.contains("second"), "{}", film.frame);
    assert!(film.state.reviewing.review.as_ref().expect("a review").approved().changes().len() == 1);
}

#[test]
fn the_first_person_approving_again_changes_nothing_and_is_told_why() {
    let film = film((120, 12), approved_by(&["person"]), keys("G<space>"));

    assert!(film.orders.is_empty(), "{:?}", film.orders);
    assert!(
        film.frame.contains("has your approval already; it needs a second person, who cannot be you"),
        "{}",
        film.frame
    );
    assert_eq!(film.state.reviewing.tally.approved, 0);
}

#[test]
fn one_person_approves_and_nothing_can_be_applied() {
    let film = film((120, 12), approved_by(&[]), keys("G<space>P"));

    assert_eq!(film.orders.len(), 1, "{:?}", film.orders);
    assert!(film.frame.contains("1 for a second person"), "{}", film.frame);
    assert!(film.state.reviewing.review.as_ref().expect("a review").approved().changes().is_empty());
}
