//! No change that its write turns into nothing: what is planned is done, and then it is no longer planned.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::fake::Bench;
use crate::domain::{
    diff::tests::{
        laws::{cases, tree},
        world::World,
    },
    journal::{What, Write},
    model::{Agreed, Field, Kind, Standing, Value},
    report::Stopped,
    rules::{Direction, OnConflict, OnDrift},
};

/// A field with what both sides hold and what each held before, as numbers; and its rule.
type Fields = Vec<(u8, u8, u8, u8, u8, u8)>;

fn value(field: Field, number: u8) -> Value {
    match (field, number % 3) {
        (_, 0) => Value::Empty,
        (Field::Billable | Field::Public, number) => Value::Flag(number == 1),
        (Field::Estimate, number) => Value::Seconds(u64::from(number) * 3600),
        (Field::Assignees, 1) => Value::People(["ada@example.com".into()].into()),
        (Field::Assignees, _) => Value::People(["ben@example.com".into()].into()),
        (Field::Color, number) => Value::text(if number == 1 { "#ff0000" } else { "#00ff00" }),
        (Field::Email, number) => Value::text(if number == 1 { "one@example.com" } else { "two@example.com" }),
        (_, number) => Value::text(if number == 1 { "one" } else { "two" }),
    }
}

/// A flag or a colour is never nothing in Clockify.
fn held(field: Field, number: u8) -> Value {
    if field.is_instruction_when_empty() { value(field, number) } else { value(field, 1 + number % 2) }
}

fn put(world: &mut World, fields: &Fields, along: bool) {
    let paths: Vec<String> = world.pages.keys().cloned().collect();
    world.rules.close_children = along;
    for &(at, which, notion, clockify, before, choice) in fields {
        let path = &paths[usize::from(at) % paths.len()];
        let kind = world.pages[path].kind;
        let mappable = Field::mappable(kind);
        let field = mappable[usize::from(which) % mappable.len()];
        world.page_mut(path).values.set(field, value(field, notion));
        world.object_mut(path).values.set(field, held(field, clockify));
        if before % 4 > 0 {
            world.set_base(path, field, Agreed::on(value(field, before), held(field, before / 3)));
        }
        let rule = world.rules.precedence[kind].fields.entry(field).or_default();
        rule.on_drift = [OnDrift::Review, OnDrift::Restore, OnDrift::Accept][usize::from(choice % 3)];
        rule.on_conflict = [OnConflict::Review, OnConflict::Notion, OnConflict::Clockify][usize::from(choice / 3 % 3)];
        rule.direction =
            if choice % 5 == 0 && field.is_writable_in_notion() { Direction::ToNotion } else { Direction::ToClockify };
        if choice % 7 == 0 {
            world.never_empty[kind].insert(field);
        }
        match choice % 11 {
            0 => world.page_mut(path).standing = Standing::Closed { because: "done".into() },
            1 => world.page_mut(path).standing = Standing::Open,
            2 => world.object_mut(path).closed = true,
            3 => world.object_mut(path).closed = false,
            _ => {}
        }
    }
}

/// Applies everything that may be approved; then nothing is left but what waits for what is held.
pub(super) fn comes_to_rest(world: &World) -> Result<World, TestCaseError> {
    let planned = world.changes();
    let held: BTreeSet<_> =
        world.plan().changes.iter().filter(|change| change.hold.is_some()).map(|change| change.page).collect();
    let run = Bench::new(world).run();
    prop_assert_eq!(&run.ended, &Ok(Stopped::No));
    prop_assert!(!run.ends().contains("failed"), "{}\n{}", planned, run.log(true));
    for event in &run.notebook.events {
        if let What::Intent { request: Write::WriteBack { kind, fields, .. }, .. } = &event.what {
            let goes_to_notion = |field: &Field| {
                let rule = run.world.rules.precedence[*kind].of(*field);
                rule.direction == Direction::ToNotion || rule.on_conflict == OnConflict::Clockify
            };
            prop_assert!(fields.keys().all(goes_to_notion), "{}", run.log(true));
        }
    }
    let log = run.log(true);
    let mut after = run.world;
    let again = after.diff();
    after.save(again.verified);
    let left: Vec<_> =
        again.plan.changes.iter().filter(|change| change.hold.is_none() && !held.contains(&change.page)).collect();
    prop_assert!(left.is_empty(), "before:\n{}\nlog:\n{}\nafter:\n{}", planned, log, after.changes());
    prop_assert_eq!(after.diff().verified.len(), 0, "and what is known does not go to and fro");
    Ok(after)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_is_planned_for_any_field_rule_and_value_is_done_or_waits(
        first in vec(any::<(u8, u8, u8, u8, u8, u8)>(), 1..8), then in vec(any::<(u8, u8, u8, u8, u8, u8)>(), 0..8), along in any::<bool>()
    ) {
        let mut world = tree();
        world.rules.brakes.reopen = world.rules.brakes.close;
        put(&mut world, &first, along);
        let mut world = comes_to_rest(&world)?;
        put(&mut world, &then, along);
        comes_to_rest(&world)?;
    }
}

#[test]
fn what_cannot_be_emptied_is_no_instruction() {
    for field in [Field::Billable, Field::Public, Field::Color] {
        let mut world = tree();
        world.agree("A/P1", field, &value(field, 1));
        world.page_mut("A/P1").values.set(field, Value::Empty);
        assert_eq!(world.changes(), "", "{field}");
        world.page_mut("A/P1").values.set(field, value(field, 2));
        assert_eq!(world.plan().changes.len(), 1, "{field} says something again");
    }
    let mut world = tree();
    world.agree("A", Field::Email, &Value::text("a@example.com"));
    world.page_mut("A").values.set(Field::Email, Value::Empty);
    assert_eq!(world.plan().changes.len(), 1, "an address can be taken away");
    // A status in Notion falls back to its default option.
    world.agree("A", Field::Email, &Value::text("a@example.com"));
    world.object_mut("A").values.set(Field::Email, Value::Empty);
    world.rules.precedence[Kind::Client].all.direction = Direction::ToNotion;
    assert_eq!(world.plan().changes.len(), 1);
    world.never_empty[Kind::Client].insert(Field::Email);
    assert_eq!(world.changes(), "");
}
