//! What holds of every apply.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::fake::Bench;
use crate::domain::{
    diff::tests::{
        laws::{cases, edited, edits, rule, tree},
        world::{World, at},
    },
    journal::{What, Write},
    model::{Kind, PageId, Relation},
    plan::Action,
    report::Stopped,
    rules::SameName,
    text::canonical,
};

/// The pages that had something held, for themselves or above them.
fn held_pages(world: &World) -> BTreeSet<PageId> {
    world.plan().changes.iter().filter(|change| change.hold.is_some()).map(|change| change.page).collect()
}

fn converges(world: &World, stores: fn(&str) -> String) -> Result<(), TestCaseError> {
    let held = held_pages(world);
    let before = world.diff();
    let mut had_a_page: BTreeSet<_> = world.registry.iter().chain(&before.verified).map(|link| link.object).collect();
    let links = before.plan.changes.iter().filter(|change| change.proposal.action == Action::Link);
    had_a_page.extend(links.filter_map(|change| change.proposal.object));

    let run = Bench { stores, ..Bench::new(world) }.run();

    prop_assert_eq!(run.ended, Ok(Stopped::No));
    prop_assert!(!run.ends().contains("failed"), "{}\n{}", world.changes(), run.log(true));
    for event in &run.notebook.events {
        if let What::Intent { request: Write::Update { object, page, .. }, .. } = &event.what {
            let owner = run.world.registry.of_object(*object).map(|link| link.page);
            // The old object of a task that moved has no page any more, but had one.
            let is_apart = PageId::stand_in(*object) == Some(*page) && owner.is_none();
            prop_assert!(owner == Some(*page) || had_a_page.contains(object) || is_apart, "{} was not linked", object);
        }
    }
    let mut after = run.world;
    let second = Bench { stores, ..Bench::new(&after) }.run();
    let again = after.diff();
    after.save(again.verified);
    let left: Vec<_> =
        again.plan.changes.iter().filter(|change| change.hold.is_none() && !held.contains(&change.page)).collect();
    prop_assert!(
        left.is_empty(),
        "before:\n{}\nlog:\n{}\nafter:\n{}",
        world.changes(),
        run.fake.log.borrow().join("\n"),
        after.changes()
    );
    prop_assert!(!held.is_empty() || second.fake.written.get() == 0, "a second run writes nothing");
    Ok(())
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_second_run_has_nothing_left_to_do(edits in edits(), choice in any::<u8>()) {
        let mut world = edited(&edits);
        rule(&mut world, choice);
        converges(&world, str::to_owned)?;
    }

    #[test]
    fn tasks_that_are_called_by_their_day_are_so_once(edits in edits(), choice in any::<u8>(), days in any::<[u8; 4]>()) {
        let mut world = edited(&edits);
        rule(&mut world, choice);
        world.rules.same_name = SameName::AddDate;
        let project = tree().page_id("A/P1");
        for (number, day) in days.into_iter().enumerate() {
            let page = world.page(&format!("A/P1/again {number}"));
            page.title = ["T1", "Aa"][usize::from(day) % 2].into();
            page.parent = Relation::One(project);
            page.created = at(u32::from(day) / 32 * 86_400 + u32::from(day));
        }
        converges(&world, str::to_owned)?;
    }

    #[test]
    fn names_converge_whatever_clockify_makes_of_them(name in "\\PC{0,40}|[ \u{301}\u{200b}\u{200d}\u{a0}a-cÉé\u{1f468}\u{1f469}<\n]{0,12}", how in 0..5_usize, kind in 0..3_usize) {
        let stores: fn(&str) -> String = [
            |name: &str| name.to_owned(),
            |name: &str| name.trim().to_owned(),
            |name: &str| unicode_normalization::UnicodeNormalization::nfd(name).collect(),
            |name: &str| canonical(name).as_str().to_owned(),
            |name: &str| name.replace('a', "α"),
        ][how];
        let mut world = tree();
        let kind = Kind::ALL[kind];
        let parent = kind.parent().and_then(|above| world.pages.values().find(|page| page.kind == above)).map(|page| page.id);
        let page = world.page(&format!("new{}", "/x".repeat(kind as usize)));
        page.title = name.as_str().into();
        page.parent = parent.map_or(Relation::None, Relation::One);
        let id = page.id;
        let plan = world.plan();
        let held = plan.changes.iter().any(|change| change.page == id && change.hold.is_some());

        let run = Bench { stores, ..Bench::new(&world) }.run();

        prop_assert_eq!(run.fake.written.get() == 0, held);
        let again = run.world.plan();
        prop_assert!(held || again.changes.iter().all(|change| change.page != id), "{}", run.world.changes());
        prop_assert!(again.changes.iter().all(|change| change.proposal.action != Action::Update));
    }
}
