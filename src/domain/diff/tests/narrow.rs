//! A plan of one client: a part of the plan of everything, which touches nothing of another client.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::World;
use crate::domain::{
    model::{Field, Kind, ObjectId, Service, Value},
    plan::{HoldCode, Plan, State},
    reach::{NoClient, client_named},
    rules::{Allowance, Class},
};

fn narrowed(world: &World, client: &str) -> Plan {
    let clients = BTreeSet::from([world.page_id(client)]);
    world.plan().narrowed(&clients, &world.snapshots(), &world.registry, &world.rules)
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &crate::domain::plan::Change| format!("{} {}", change.proposal.action, change.name.exact());
    plan.changes.iter().map(line).collect()
}

#[test]
fn what_belongs_to_the_client_is_in_it_and_nothing_else() {
    let mut world = World::linked(&["Acme", "Acme/Web", "Acme/Web/Old", "Globex", "Globex/App"]);
    world
        .rename_page("Acme", "Acme Inc")
        .rename_page("Globex", "Globex Ltd")
        .close_page("Globex/App")
        .close_page("Acme/Web/Old");
    for path in ["Acme/Web/New", "Globex/Api", "Initech"] {
        world.page(path);
    }
    world.object("Acme/Lost");
    world.object("Globex/Lost");

    let plan = narrowed(&world, "Acme");

    assert_eq!(lines(&plan), ["update Acme Inc", "create New", "close Old"]);
    assert_eq!(plan.notices.len(), 1, "{:?}", plan.notices);
    assert_eq!(plan.notices[0].object, Some(world.object_id("Acme/Lost")));
    assert_ne!(plan.hash, world.plan().hash);
    assert!(plan.is_silent_about(world.page_id("Globex/App")) && plan.is_silent_about(world.page_id("Initech")));
    assert!(!plan.is_silent_about(world.page_id("Acme/Web/Old")));
    assert_eq!(plan.of_whom().as_deref(), Some("“Acme Inc”"));
}

#[test]
fn what_moves_between_two_clients_belongs_to_neither_alone() {
    let mut world = World::linked(&["Acme", "Acme/Web", "Acme/Web/Design", "Globex"]);
    world.page("Acme/Web/New");
    world.move_page("Acme/Web", "Globex").rename_page("Acme/Web/Design", "Drafts");
    assert!(!world.plan().changes.is_empty());
    for client in ["Acme", "Globex"] {
        assert_eq!(lines(&narrowed(&world, client)), Vec::<String>::new(), "{client}");
    }
}

#[test]
fn what_needs_a_change_of_another_client_is_held() {
    let mut world = World::linked(&["Acme", "Globex"]);
    // The name that Globex leaves is the one that Acme takes.
    world.rename_page("Globex", "Initech").rename_page("Acme", "Globex");
    assert!(world.plan().changes.iter().all(|change| change.hold.is_none()), "{}", world.holds());

    let plan = narrowed(&world, "Acme");

    assert_eq!(lines(&plan), ["update Globex"]);
    assert_eq!(plan.changes[0].state, State::Held);
    assert_eq!(plan.changes[0].hold.as_ref().map(|hold| hold.code), Some(HoldCode::ParentHeld));
}

#[test]
fn a_brake_counts_everything_says_so_and_is_released_by_that_number() {
    let mut world = World::linked(&["Acme", "Acme/A", "Globex", "Globex/A", "Globex/B", "Globex/C"]);
    for path in ["Acme/A", "Globex/A", "Globex/B", "Globex/C"] {
        world.close_page(path);
    }
    // Each part alone would pass: three are let through at once.
    let alone = narrowed(&world, "Acme");

    let hold = alone.changes[0].hold.clone().expect("held");
    let acme = world.page_id("Acme");
    assert_eq!((lines(&alone), hold.code), (vec!["close A".to_owned()], HoldCode::Brake));
    for said in [
        "4 closes of projects at once, and the brake is at 3; ".to_owned(),
        format!("`punchlist plan --client {acme} --out FILE` and `punchlist apply FILE --allow close=4`"),
        "; it counts all clients: 1 of these 4 belongs to “Acme”".to_owned(),
    ] {
        assert!(hold.text.as_str().contains(&said), "{said}: {}", hold.text);
    }
    assert_eq!(alone.withheld(), [((Class::Close, Kind::Project), 4)].into());
    let allowance = alone.release(0).expect("a brake");
    assert_eq!(allowance, Allowance { class: Class::Close, count: 4 });
    // What it names is what lets it through, and only that part.
    for (count, is_held) in [(3, true), (4, false)] {
        let mut allowed = world.clone();
        allowed.rules.let_through = vec![Allowance { count, ..allowance }];
        let plan = narrowed(&allowed, "Acme");
        assert_eq!((lines(&plan), plan.changes[0].hold.is_some()), (vec!["close A".to_owned()], is_held), "{count}");
    }

    // What is all of it is not told apart.
    let mut world = World::linked(&["Acme", "Acme/A", "Acme/B", "Acme/C", "Acme/D", "Globex"]);
    for path in ["Acme/A", "Acme/B", "Acme/C", "Acme/D"] {
        world.close_page(path);
    }
    let plan = narrowed(&world, "Acme");
    let texts: Vec<&str> = plan.changes.iter().filter_map(|change| Some(change.hold.as_ref()?.text.as_str())).collect();
    assert_eq!(texts.len(), 4);
    assert!(texts.iter().all(|text| !text.contains("counts all clients") && text.contains("--client")), "{texts:?}");
}

#[test]
fn a_client_is_meant_by_its_page_its_object_or_its_name_if_no_other_has_that() {
    let world = World::linked(&["Acme", "Globex"]);
    let (page, object) = (world.page_id("Acme"), world.object_id("Acme"));
    for word in [
        "Acme",
        " acme ",
        &format!("https://www.notion.so/x/Acme-{}", page.to_string().replace('-', "")),
        &page.to_string(),
        &page.to_string().replace('-', ""),
        &object.to_string(),
    ] {
        assert_eq!(client_named(word, &world.snapshots(), &world.registry), Ok(page), "{word}");
    }
    let mut twins = world.clone();
    twins.rename_page("Globex", "Acme");
    assert_eq!(client_named("Acme", &twins.snapshots(), &twins.registry), Err(NoClient::Several("Acme".into(), 2)));
    for word in ["Acm", "", "Globex/App", &world.object_id("Globex").to_string().replace('0', "1")] {
        assert!(client_named(word, &world.snapshots(), &world.registry).is_err(), "{word}");
    }
}

/// The client that an object stands under.
fn client_of(world: &World, object: ObjectId) -> Option<ObjectId> {
    let row = world.objects.values().find(|row| row.id == object)?;
    row.parent.map_or(Some(object), |parent| client_of(world, parent))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_of_another_client_is_written(
        closes in prop::collection::vec(any::<bool>(), 6),
        renames in prop::collection::vec(any::<bool>(), 6),
        moves in prop::collection::vec(any::<bool>(), 2),
        drifts in prop::collection::vec(any::<bool>(), 6),
        of in prop::sample::select(vec![("Acme", "Globex"), ("Globex", "Acme")]),
    ) {
        let paths = ["Acme", "Acme/Web", "Acme/Web/Design", "Globex", "Globex/App", "Globex/App/Build"];
        let mut world = World::linked(&paths);
        for (at, path) in paths.iter().enumerate() {
            if renames[at] { world.rename_page(path, &format!("{path} two")); }
            if closes[at] { world.close_page(path); }
            if drifts[at] { world.rename_object(path, &format!("{path} drift")); }
        }
        if moves[0] { world.move_page("Acme/Web", "Globex"); }
        if moves[1] { world.move_object("Globex/App", "Acme"); }
        let whole = world.plan();

        let (of, other) = of;
        let plan = narrowed(&world, of);

        let client = world.object_id(of);
        for change in &plan.changes {
            prop_assert!(whole.by_id().contains_key(&change.id), "a change of its own");
            let is_written = change.proposal.side == Service::Clockify;
            let object = change.proposal.object.filter(|_| is_written);
            prop_assert!(
                object.is_none_or(|object| client_of(&world, object) == Some(client)),
                "{}", change.words()
            );
            let to = change.proposal.fields.iter().find(|field| field.field == Field::Parent).map(|field| &field.to);
            prop_assert!(to.is_none_or(|to| *to != Value::text(other)), "{}", change.words());
        }
    }
}
