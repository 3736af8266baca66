//! Fields, three ways.

use std::collections::BTreeMap;

use snapbox::{assert_data_eq, str};

use super::world::{World, choose};
use crate::domain::{
    model::{Agreed, Base, Claim, Field, Kind, Relation, Sight, Standing, Value},
    plan::Action,
    rules::{FieldRule, IdStrategy, OnConflict, OnDrift, Threshold, Unmanaged},
};

const PATH: &str = "Acme/Website";

/// Two clients, and a project that both sides agree on.
fn agreed() -> World {
    let mut world = World::linked(&["Acme", "Beta", "Gamma", "Acme/Website"]);
    world.agree(PATH, Field::Note, &Value::text("old"));
    world
}

fn edit_in_notion(world: &mut World, field: Field) {
    let to = world.page_id("Beta");
    let page = world.page_mut(PATH);
    match field {
        Field::Name => page.title = "Notion's".into(),
        Field::State => page.standing = Standing::Closed { because: "Status is Done".into() },
        Field::Parent => page.parent = Relation::One(to),
        _ => page.values.set(field, Value::text("Notion's")),
    }
}

fn edit_in_clockify(world: &mut World, field: Field) {
    let to = world.object_id("Gamma");
    let object = world.object_mut(PATH);
    match field {
        Field::Name => object.name = "Clockify's".into(),
        Field::State => object.closed = true,
        Field::Parent => object.parent = Some(to),
        _ => object.values.set(field, Value::text("Clockify's")),
    }
}

const FIELDS: [Field; 4] = [Field::Name, Field::State, Field::Parent, Field::Note];

/// One picture for each field.
fn table(happens: impl Fn(&mut World, Field)) -> String {
    let rows = FIELDS.map(|field| {
        let mut world = agreed();
        happens(&mut world, field);
        let changes = world.changes();
        format!("{field}:\n{}", if changes.is_empty() { "nothing\n" } else { &changes })
    });
    rows.concat()
}

fn with_rules(on_drift: OnDrift, on_conflict: OnConflict) -> impl Fn(&mut World) {
    move |world| {
        world.rules.precedence.projects.all.on_drift = on_drift;
        world.rules.precedence.projects.all.on_conflict = on_conflict;
    }
}

#[test]
fn nothing_changed() {
    assert_data_eq!(
        table(|_, _| {}),
        str![[r#"
name:
nothing
state:
nothing
parent:
nothing
note:
nothing

"#]]
    );
}

#[test]
fn only_notion_changed() {
    assert_data_eq!(
        table(edit_in_notion),
        str![[r#"
name:
project "Notion's" update <Acme/Website> name: "Website" → "Notion's" [notion_changed 100 ready]
state:
project "Website" close <Acme/Website> state: "open" → "closed" [notion_changed 100 ready]
parent:
project "Website" move <Acme/Website> parent: "Acme" → "Beta" [notion_changed 100 ready]
note:
project "Website" update <Acme/Website> note: "old" → "Notion's" [notion_changed 100 ready]

"#]]
    );
}

#[test]
fn only_clockify_changed_and_the_rule_is_to_ask() {
    assert_data_eq!(
        table(edit_in_clockify),
        str![[r#"
name:
project "Website" update <Acme/Website> name: "Clockify's" → "Website" [drift 50 review]
state:
project "Website" reopen <Acme/Website> state: "closed" → "open" [drift 50 review]
parent:
project "Website" move <Acme/Website> parent: "Gamma" → "Acme" [drift 50 review]
note:
project "Website" update <Acme/Website> note: "Clockify's" → "old" [drift 50 review]

"#]]
    );
}

#[test]
fn only_clockify_changed_and_the_rule_is_to_restore() {
    let rules = with_rules(OnDrift::Restore, OnConflict::Review);
    let picture = table(|world, field| {
        rules(world);
        edit_in_clockify(world, field);
    });
    assert_data_eq!(
        picture,
        str![[r#"
name:
project "Website" update <Acme/Website> name: "Clockify's" → "Website" [drift 100 ready]
state:
project "Website" reopen <Acme/Website> state: "closed" → "open" [drift 100 ready]
parent:
project "Website" move <Acme/Website> parent: "Gamma" → "Acme" [drift 100 ready]
note:
project "Website" update <Acme/Website> note: "Clockify's" → "old" [drift 100 ready]

"#]]
    );
}

#[test]
fn only_clockify_changed_and_the_rule_is_to_accept() {
    let rules = with_rules(OnDrift::Accept, OnConflict::Review);
    let picture = table(|world, field| {
        rules(world);
        edit_in_clockify(world, field);
    });
    assert_data_eq!(
        picture,
        str![[r#"
name:
nothing
state:
nothing
parent:
nothing
note:
nothing

"#]]
    );
}

fn edit_both(world: &mut World, field: Field) {
    edit_in_notion(world, field);
    edit_in_clockify(world, field);
}

#[test]
fn both_changed_and_the_rule_is_to_ask() {
    // Two states cannot conflict: both changed is both changed to the same.
    assert_data_eq!(
        table(edit_both),
        str![[r#"
name:
project "Notion's" update <Acme/Website> name: "Clockify's" → "Notion's" [conflict 50 review]
state:
nothing
parent:
project "Website" move <Acme/Website> parent: "Gamma" → "Beta" [conflict 50 review]
note:
project "Website" update <Acme/Website> note: "Clockify's" → "Notion's" [conflict 50 review]

"#]]
    );
}

#[test]
fn both_changed_and_the_rule_is_notion() {
    let rules = with_rules(OnDrift::Review, OnConflict::Notion);
    let picture = table(|world, field| {
        rules(world);
        edit_both(world, field);
    });
    assert_data_eq!(
        picture,
        str![[r#"
name:
project "Notion's" update <Acme/Website> name: "Clockify's" → "Notion's" [conflict 95 ready]
state:
nothing
parent:
project "Website" move <Acme/Website> parent: "Gamma" → "Beta" [conflict 95 review]
note:
project "Website" update <Acme/Website> note: "Clockify's" → "Notion's" [conflict 95 ready]

"#]]
    );
}

#[test]
fn both_changed_and_the_rule_is_clockify() {
    let rules = with_rules(OnDrift::Review, OnConflict::Clockify);
    let picture = table(|world, field| {
        rules(world);
        edit_both(world, field);
    });
    assert_data_eq!(
        picture,
        str![[r#"
name:
project "Notion's" update in Notion <Acme/Website> name: "Notion's" → "Clockify's" [conflict 95 ready]
state:
nothing
parent:
project "Website" update in Notion <Acme/Website> parent: "Beta" → "Gamma" [conflict 95 held NotWritable]
note:
project "Website" update in Notion <Acme/Website> note: "Notion's" → "Clockify's" [conflict 95 ready]

"#]]
    );
}

#[test]
fn both_changed_to_the_same() {
    let picture = table(|world, field| match field {
        Field::Name => {
            world.rename_page(PATH, "New").rename_object(PATH, " New ");
        }
        Field::State => {
            world.close_page(PATH);
            world.object_mut(PATH).closed = true;
        }
        Field::Parent => {
            world.move_page(PATH, "Beta").move_object(PATH, "Beta");
        }
        _ => {
            world.page_mut(PATH).values.set(field, Value::text("new"));
            world.object_mut(PATH).values.set(field, Value::text("new"));
        }
    });
    assert_data_eq!(
        picture,
        str![[r#"
name:
nothing
state:
nothing
parent:
nothing
note:
nothing

"#]]
    );
}

#[test]
fn an_agreement_moves_the_base_and_stays() {
    let mut world = agreed();
    world.rename_page(PATH, "New").rename_object(PATH, "New");

    let verified = world.diff().verified;

    assert_eq!(verified.len(), 1);
    world.save(verified);
    assert_eq!(world.base(PATH, Field::Name), Some(Agreed::Same(Value::text("New"))));
    assert!(world.diff().verified.is_empty(), "nothing is left to store");
}

#[test]
fn both_differ_and_were_never_seen_to_agree() {
    let picture = table(|world, field| {
        edit_in_notion(world, field);
        world.forget();
    });
    assert_data_eq!(
        picture,
        str![[r#"
name:
project "Notion's" update <Acme/Website> name: "Website" → "Notion's" [first_sight 90 review]
state:
project "Website" close <Acme/Website> state: "open" → "closed" [first_sight 90 review]
parent:
project "Website" link <Acme/Website> [match 70 review]
project "Website" move <Acme/Website> parent: "Acme" → "Beta" [first_sight 70 review] after link "Website"
note:
project "Website" update <Acme/Website> note: "old" → "Notion's" [first_sight 90 review]

"#]]
    );
}

#[test]
fn an_empty_property_at_first_sight_wipes_nothing() {
    let mut world = agreed();
    world.forget().page_mut(PATH).values.set(Field::Note, Value::Empty);

    assert_eq!(world.changes(), "");

    let verified = world.diff().verified;
    world.save(verified);
    let seen = |clockify| Some(Agreed::seen(Value::Empty, Value::text(clockify)));
    assert_eq!(world.base(PATH, Field::Note), seen("old"), "it is no agreement");
    assert_eq!(world.changes(), "");
    assert_eq!(world.diff().verified, [], "and it is noted once");
    // Whatever Clockify does meanwhile: nothing is asked for.
    world.object_mut(PATH).values.set(Field::Note, Value::text("newer"));
    assert_eq!(world.changes(), "");
    let verified = world.diff().verified;
    world.save(verified);
    assert_eq!(world.base(PATH, Field::Note), seen("newer"));
    world.object_mut(PATH).values.set(Field::Note, Value::text("old"));
    let verified = world.diff().verified;
    world.save(verified);
    world.page_mut(PATH).values.set(Field::Note, Value::text("now I say something"));
    assert_data_eq!(
        world.changes(),
        str![[r#"
project "Website" update <Acme/Website> note: "old" → "now I say something" [notion_changed 100 ready]

"#]]
    );
}

#[test]
fn an_emptied_property_empties_the_field() {
    let mut world = agreed();
    world.page_mut(PATH).values.set(Field::Note, Value::Empty);
    assert_data_eq!(
        world.changes(),
        str![[r#"
project "Website" update <Acme/Website> note: "old" → "" [notion_changed 100 ready]

"#]]
    );
}

#[test]
fn a_field_that_could_not_be_read_is_no_change() {
    for unread_in_notion in [true, false] {
        let mut world = agreed();
        let values =
            if unread_in_notion { &mut world.page_mut(PATH).values } else { &mut world.object_mut(PATH).values };
        *values = [].into_iter().collect();
        assert_eq!(world.changes(), "", "unread in Notion: {unread_in_notion}");
    }
}

#[test]
fn a_rule_for_one_field_leaves_the_others() {
    let mut world = agreed();
    world.rules.precedence.projects.fields =
        BTreeMap::from([(Field::Note, FieldRule { on_drift: OnDrift::Restore, ..FieldRule::default() })]);
    edit_in_clockify(&mut world, Field::Note);
    edit_in_clockify(&mut world, Field::Name);
    assert_data_eq!(
        world.changes(),
        str![[r#"
project "Website" update <Acme/Website> name: "Clockify's" → "Website" [drift 50 review]
project "Website" update <Acme/Website> note: "Clockify's" → "old" [drift 100 ready]

"#]]
    );
}

#[test]
fn an_accepted_drift_stays_silent_and_is_not_overwritten() {
    for field in FIELDS {
        let mut world = agreed();
        world.rules.precedence.projects.all.on_drift = OnDrift::Accept;
        edit_in_clockify(&mut world, field);
        let verified = world.diff().verified;
        world.save(verified);
        assert!(matches!(world.base(PATH, field), Some(Agreed::Apart(_))), "{field}");

        world.rules.precedence.projects.all.on_drift = OnDrift::Review;

        assert_eq!(world.changes(), "", "{field}");
        assert!(world.diff().verified.is_empty(), "{field}");
    }
}

#[test]
fn after_an_accepted_drift_either_side_can_change_again() {
    let accepted = || {
        let mut world = agreed();
        let apart = Agreed::apart(Value::text("Website"), Value::text("Shop"));
        world.rename_object(PATH, "Shop").set_base(PATH, Field::Name, apart);
        world
    };
    let mut pictures = String::new();
    for (case, notion, clockify) in [
        ("neither", "Website", "Shop"),
        ("Notion", "Store", "Shop"),
        ("Clockify", "Website", "Store"),
        ("both", "Site", "Store"),
        ("Clockify, back to Notion's", "Website", "Website"),
        ("Notion, to Clockify's", "Shop", "Shop"),
    ] {
        let mut world = accepted();
        world.rename_page(PATH, notion).rename_object(PATH, clockify);
        pictures += &format!("{case}:\n{}", world.changes());
    }
    assert_data_eq!(
        pictures,
        str![[r#"
neither:
Notion:
project "Store" update <Acme/Website> name: "Shop" → "Store" [notion_changed 100 ready]
Clockify:
project "Website" update <Acme/Website> name: "Store" → "Website" [drift 50 review]
both:
project "Site" update <Acme/Website> name: "Store" → "Site" [conflict 50 review]
Clockify, back to Notion's:
Notion, to Clockify's:

"#]]
    );
}

#[test]
fn drift_conflict_and_first_sight_offer_other_ways() {
    let mut pictures = String::new();
    for (case, happens) in [
        ("drift of a note", &(|world: &mut World| edit_in_clockify(world, Field::Note)) as &dyn Fn(&mut World)),
        ("conflict of names", &|world| edit_both(world, Field::Name)),
        ("first sight of a parent", &|world| {
            edit_in_notion(world, Field::Parent);
            world.forget();
        }),
    ] {
        let mut world = agreed();
        happens(&mut world);
        pictures += &format!("{case}:\n{}", world.ways());
    }
    assert_data_eq!(
        pictures,
        str![[r#"
drift of a note:
project "Website" update <Acme/Website> note: "Clockify's" → "old" [drift 50 review]
  or update in Notion <Acme/Website> note: "old" → "Clockify's" 50
  or accept <Acme/Website> note: "Clockify's" → "old" 50
conflict of names:
project "Notion's" update <Acme/Website> name: "Clockify's" → "Notion's" [conflict 50 review]
  or update in Notion <Acme/Website> name: "Notion's" → "Clockify's" 50
  or accept <Acme/Website> name: "Clockify's" → "Notion's" 50
first sight of a parent:
project "Website" link <Acme/Website> [match 70 review]
  or create name: "" → "Website" note: "" → "old" 60
project "Website" move <Acme/Website> parent: "Acme" → "Beta" [first_sight 70 review] after link "Website"
  or accept <Acme/Website> parent: "Acme" → "Beta" 50

"#]]
    );
}

#[test]
fn thresholds_decide_what_is_ready() {
    let mut world = agreed();
    world.page("New");
    edit_in_notion(&mut world, Field::Parent);
    world.rules.thresholds.of[Action::Move] = Threshold::Never;
    world.rules.thresholds.of[Action::Create] = Threshold::At(96);
    assert_data_eq!(
        world.changes(),
        str![[r#"
project "Website" move <Acme/Website> parent: "Acme" → "Beta" [notion_changed 100 review]
client "New" create name: "" → "New" [new 95 review]

"#]]
    );

    world.rules.thresholds.of[Action::Create] = Threshold::At(95);
    assert_data_eq!(
        world.changes(),
        str![[r#"
project "Website" move <Acme/Website> parent: "Acme" → "Beta" [notion_changed 100 review]
client "New" create name: "" → "New" [new 95 ready]

"#]]
    );
}

#[test]
fn a_page_in_the_trash_closes_its_object() {
    let mut world = World::linked(&["Acme"]);
    world.trash_page("Acme");
    assert_data_eq!(
        world.changes(),
        str![[r#"
client "Acme" close <Acme> state: "open" → "closed" [notion_changed 100 ready]

"#]]
    );

    world.object_mut("Acme").closed = true;
    assert_eq!(world.changes(), "");
    let verified = world.diff().verified;
    assert!(matches!(verified.as_slice(), [link] if link.sight == Sight::Retired), "nobody asks for it again");
}

#[test]
fn a_restored_page_reopens_its_object() {
    let mut world = World::linked(&["Acme"]);
    world.trash_page("Acme").object_mut("Acme").closed = true;
    let verified = world.diff().verified;
    world.save(verified);

    world.page_mut("Acme").standing = Standing::Open;

    assert_data_eq!(
        world.changes(),
        str![[r#"
client "Acme" reopen <Acme> state: "closed" → "open" [notion_changed 100 ready]

"#]]
    );
}

#[test]
fn a_closed_page_that_was_never_linked_is_nothing() {
    let mut world = World::default();
    world.page("Acme");
    world.close_page("Acme").page("Beta");
    world.trash_page("Beta").page("Gamma").claim = Claim::read("no ID");
    world.close_page("Gamma").object("Acme");
    world.rules.unmanaged = Unmanaged::Ignore;

    let difference = world.diff();

    assert_eq!((difference.plan.changes.len(), difference.plan.notices.len(), difference.verified.len()), (0, 0, 0));
}

#[test]
fn nothing_but_its_state_is_compared_of_a_closed_page() {
    let mut world = agreed();
    world.close_page(PATH).rename_page(PATH, "<bad>").move_page(PATH, "Beta").object_mut(PATH).closed = true;
    assert_eq!(world.changes(), "");
}

#[test]
fn the_id_is_written_back_where_the_page_has_lost_it() {
    let mut pictures = String::new();
    for (case, claim) in
        [("lost", ""), ("garbled", "see wiki page"), ("of nothing", "64a9e1000000000000000001"), ("of another", "2")]
    {
        let mut world = World::linked(&["Acme", "Beta"]);
        let claim = if claim == "2" { world.object("Free").id.to_string() } else { claim.to_owned() };
        world.page_mut("Acme").claim = Claim::read(&claim);
        pictures += &format!("{case}:\n{}", world.ways());
    }
    assert_data_eq!(
        pictures,
        str![[r#"
lost:
client "Acme" write-back <Acme> [claim 100 ready]
garbled:
client "Acme" write-back <Acme> [claim 95 ready]
of nothing:
client "Acme" write-back <Acme> [claim 95 ready]
of another:
client "Acme" write-back <Acme> [claim 70 review]
  or link <Free> 70

"#]]
    );
}

#[test]
fn an_id_that_an_incomplete_listing_does_not_show_may_exist() {
    let mut world = World::linked(&["Acme"]);
    world.page_mut("Acme").claim = Claim::read("64a9e1000000000000000001");
    world.partial_objects.insert(Kind::Client);
    assert_data_eq!(
        world.changes(),
        str![[r#"
client "Acme" write-back <Acme> [claim 70 review]

"#]]
    );
}

#[test]
fn with_local_ids_notion_is_never_written() {
    let mut world = World::linked(&["Acme"]);
    world.rules.id_strategy = IdStrategy::Local;
    world.page_mut("Acme").claim = Claim::None;
    assert_eq!(world.changes(), "");
}

#[test]
fn accepting_is_an_alternative_that_can_be_chosen() {
    let mut world = agreed();
    edit_in_clockify(&mut world, Field::Note);
    let plan = choose(&world.plan(), Action::Accept, &world.rules);
    assert_eq!(plan.changes[0].proposal.action, Action::Accept);
    assert_ne!(plan.hash, world.plan().hash);
}

#[test]
fn a_base_for_one_field_says_nothing_of_others() {
    let mut world = agreed();
    let mut link = world.registry.of_page(world.page_id(PATH)).expect("a link").clone();
    link.base = Base::default();
    link.base.set(Field::Name, Agreed::Same(Value::text("Website")));
    world.registry.insert(link);
    edit_in_notion(&mut world, Field::Note);
    edit_in_notion(&mut world, Field::Name);
    assert_data_eq!(
        world.changes(),
        str![[r#"
project "Notion's" update <Acme/Website> name: "Website" → "Notion's" [notion_changed 100 ready]
project "Notion's" update <Acme/Website> note: "old" → "Notion's" [first_sight 90 review]

"#]]
    );
}

#[test]
fn contested_fields_are_decided_one_by_one_and_others_together() {
    let mut world = World::linked(&["Acme", "Acme/Shop"]);
    let fields = [(Field::Note, "a"), (Field::Address, "b"), (Field::Public, "c")];
    for (field, value) in fields {
        world.agree("Acme/Shop", field, &Value::text(value));
    }
    for (field, value) in fields {
        world.page_mut("Acme/Shop").values.set(field, Value::text(&format!("{value} in Notion")));
        world.object_mut("Acme/Shop").values.set(field, Value::text(&format!("{value} in Clockify")));
    }
    let of_fields = |world: &World| {
        let plan = world.plan();
        let count = |change: &crate::domain::plan::Change| change.proposal.fields.len();
        plan.changes.iter().map(count).collect::<Vec<_>>()
    };
    assert_eq!(of_fields(&world), [1, 1, 1], "each conflict by itself");
    let conflict = &world.plan().changes[0].proposal.fields[0];
    assert!(conflict.base.is_some(), "and with what both held when they agreed");
    for (field, value) in fields {
        world.object_mut("Acme/Shop").values.set(field, Value::text(value));
    }
    assert_eq!(of_fields(&world), [3], "what only Notion changed is one update");
}

#[test]
fn an_empty_title_at_first_sight_is_no_agreement() {
    let mut world = agreed();
    world.forget().rename_page(PATH, " ");
    assert_eq!(
        world.changes(),
        "project \" \" update <Acme/Website> name: \"Website\" → \"\" [first_sight 90 held InvalidName]\n"
    );
    let verified = world.diff().verified;
    world.save(verified);
    assert_eq!(world.base(PATH, Field::Name), None);
}

#[test]
fn what_clockify_did_not_keep_waits_for_a_person_until_either_side_moves() {
    let mut world = agreed();
    world.rules.thresholds.of[Action::Update] = crate::domain::rules::Threshold::At(0);
    world.page_mut(PATH).values.set(Field::Note, Value::text("sent"));
    let seen = Agreed::seen(Value::text("sent"), Value::text("old"));
    world.set_base(PATH, Field::Note, seen.clone());
    assert_data_eq!(
        world.ways(),
        str![[r#"
project "Website" update <Acme/Website> note: "old" → "sent" [not_kept 50 review]
  or update in Notion <Acme/Website> note: "sent" → "old" 50
  or accept <Acme/Website> note: "old" → "sent" 50

"#]]
    );

    let mut edited = world.clone();
    edited.page_mut(PATH).values.set(Field::Note, Value::text("other"));
    assert_eq!(
        edited.changes(),
        "project \"Website\" update <Acme/Website> note: \"old\" → \"other\" [notion_changed 100 ready]\n"
    );
    let mut mended = world.clone();
    mended.object_mut(PATH).values.set(Field::Note, Value::text("sent"));
    assert_eq!(mended.changes(), "");
    world.page_mut(PATH).values.set(Field::Note, Value::text("old"));
    assert_eq!(world.changes(), "", "given up in Notion");
}
