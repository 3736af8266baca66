//! What the rules put into pages is planned, done, and then no longer planned; or it waits.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::nothing::comes_to_rest;
use crate::domain::{
    diff::tests::{
        laws::{cases, tree},
        world::World,
    },
    model::{Agreed, Field, Kind, PageId, Relation, Value},
    rules::{OnConflict, OnDrift, Strangers},
    text::Raw,
};

/// Some of four people, of whom the first two have accounts.
fn people(number: u8) -> Value {
    let names = ["ada", "ben", "kai", "eve"].iter().enumerate().filter(|(at, _)| number >> at & 1 == 1);
    let people: BTreeSet<Raw> = names.map(|(_, name)| format!("{name}@agency.example").into()).collect();
    if people.is_empty() { Value::Empty } else { Value::People(people) }
}

/// Does to each task that is named: whom it is for on both sides and before, and what it is an item of.
fn put(world: &mut World, edits: &[(u8, u8, u8, u8, u8)], choice: u8) {
    world.limits.accounts = Some(["ada@agency.example".into(), "ben@agency.example".into()].into());
    world.rules.mapping.tasks.strangers = match choice % 4 {
        0 => Strangers::Hold,
        1 => Strangers::Leave,
        2 => Strangers::StandIn("ben@agency.example".into()),
        _ => Strangers::StandIn("eve@agency.example".into()),
    };
    for kind in [Kind::Project, Kind::Task] {
        let rule = &mut world.rules.precedence[kind].all;
        rule.on_drift = [OnDrift::Review, OnDrift::Restore, OnDrift::Accept][usize::from(choice / 4 % 3)];
        rule.on_conflict = [OnConflict::Review, OnConflict::Notion, OnConflict::Clockify][usize::from(choice / 12 % 3)];
    }
    let wanted = Value::Flag((choice / 36).is_multiple_of(2));
    world.rules.mapping.projects.fixed.insert(Field::Public, wanted.clone());
    let of_kind = |kind| world.pages.iter().filter(move |(_, page)| page.kind == kind).map(|(path, _)| path.clone());
    let (projects, tasks): (Vec<String>, Vec<String>) =
        (of_kind(Kind::Project).collect(), of_kind(Kind::Task).collect());
    for project in projects {
        world.page_mut(&project).values.set(Field::Public, wanted.clone());
        world
            .object_mut(&project)
            .values
            .set(Field::Public, Value::Flag(project.starts_with('A') == choice.is_multiple_of(2)));
    }
    for &(at, notion, clockify, before, above) in edits {
        let path = &tasks[usize::from(at) % tasks.len()];
        world.page_mut(path).values.set(Field::Assignees, people(notion));
        world.object_mut(path).values.set(Field::Assignees, people(clockify % 4));
        if before % 3 > 0 {
            world.set_base(path, Field::Assignees, Agreed::on(people(before), people(before / 3 % 4)));
        }
        let other = |number: u8| world.page_id(&tasks[usize::from(number) % tasks.len()]);
        let item_of = match above % 5 {
            0 => Relation::None,
            1 => Relation::One(PageId::from_number(4711)),
            2 => Relation::from(vec![other(above), other(notion)]),
            _ => Relation::One(other(above / 5)),
        };
        let page = world.page_mut(path);
        (page.parent, page.item_of) = (Relation::None, item_of);
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn what_the_rules_put_into_pages_is_done_or_waits(
        first in vec(any::<(u8, u8, u8, u8, u8)>(), 1..6), then in vec(any::<(u8, u8, u8, u8, u8)>(), 0..6), choice in any::<(u8, u8)>()
    ) {
        let mut world = tree();
        put(&mut world, &first, choice.0);
        let mut world = comes_to_rest(&world)?;
        put(&mut world, &then, choice.1);
        comes_to_rest(&world)?;
    }
}
