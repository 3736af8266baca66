//! Rules of the mapping that people looked for.

use super::world::World;
use crate::domain::{
    model::{Agreed, Field, Service, Value},
    rules::{OnConflict, OnDrift},
};

/// A project that the configuration wants to be public; Clockify holds the second, and both sides agreed on the third.
fn public(wanted: bool, current: bool, base: Option<bool>) -> World {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    world.rules.mapping.projects.fixed.insert(Field::Public, Value::Flag(wanted));
    world.page_mut("Acme/Website").values.set(Field::Public, Value::Flag(wanted));
    world.object_mut("Acme/Website").values.set(Field::Public, Value::Flag(current));
    if let Some(base) = base {
        world.set_base("Acme/Website", Field::Public, Agreed::Same(Value::Flag(base)));
    }
    world
}

#[test]
fn what_the_configuration_says_for_every_page_is_kept_like_any_value_and_goes_to_no_page() {
    let mut world = public(true, true, None);
    assert_eq!(world.changes(), "");
    let verified = world.diff().verified;
    world.save(verified);
    assert_eq!(world.base("Acme/Website", Field::Public), Some(Agreed::Same(Value::Flag(true))));

    for (wanted, current, base, confidence, reason) in [
        (true, false, None, 90, "it differs from what the configuration says for every page"),
        (true, false, Some(true), 50, "edited in Clockify since both agreed"),
        (false, true, Some(true), 100, "the configuration says something else for every page now"),
    ] {
        let world = public(wanted, current, base);
        let plan = world.plan();
        let [change] = plan.changes.as_slice() else { panic!("{}", world.changes()) };
        let proposal = &change.proposal;
        assert_eq!((proposal.side, proposal.confidence, proposal.reason.as_str()), (Service::Clockify, confidence, reason));
        assert!(change.alternatives.iter().all(|way| way.side == Service::Clockify), "{}", world.ways());
    }

    let mut restored = public(true, false, Some(true));
    restored.rules.precedence.projects.all.on_drift = OnDrift::Restore;
    let plan = restored.plan();
    assert_eq!(plan.changes[0].proposal.confidence, 100);
    assert!(plan.changes[0].proposal.reason.contains("what the configuration says"), "{}", restored.changes());
}

#[test]
fn a_rule_by_which_clockify_wins_writes_no_page_what_the_configuration_says() {
    // Both halves moved: a base that neither holds, as an undo can leave it.
    let mut world = public(true, false, None);
    let base = Agreed::on(Value::Flag(false), Value::Flag(true));
    world.set_base("Acme/Website", Field::Public, base);
    world.rules.precedence.projects.all.on_conflict = OnConflict::Clockify;

    let plan = world.plan();

    let [change] = plan.changes.as_slice() else { panic!("{}", world.changes()) };
    assert!(change.hold.is_some() || change.proposal.side == Service::Clockify, "{}", world.changes());
}

#[test]
fn a_name_that_only_looks_like_another_one_is_not_created_unasked() {
    for name in ["Ac\u{AD}me", "Acme\u{FE0F}", "\u{FEFF}Acme", "Ａｃｍｅ", "Ac\u{2800}me", "AC\u{A0}ME"] {
        let mut world = World::linked(&["Acme"]);
        world.page(name);
        let plan = world.plan();
        let [create] = plan.changes.as_slice() else { panic!("{}", world.changes()) };
        assert_eq!(create.proposal.confidence, 85, "{}", world.changes());
        assert_eq!(world.notices().matches("NearTwin").count(), 2, "{}", world.notices());
    }
}
