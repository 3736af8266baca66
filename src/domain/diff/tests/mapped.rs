//! Rules of the mapping that people looked for.

use super::world::{Case, World};
use crate::domain::{
    model::{Agreed, Field, Kind, Page, PageId, Reading, Relation, Service, Standing, Value},
    plan::{Action, HoldCode},
    rules::{OnConflict, OnDrift, Strangers},
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
        assert_eq!(
            (proposal.side, proposal.confidence, proposal.reason.as_str()),
            (Service::Clockify, confidence, reason)
        );
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

fn people(names: &[&str]) -> Value {
    Value::People(names.iter().map(|name| format!("{name}@agency.example").into()).collect())
}

/// A new task for these people, where Ada and Ben have accounts.
fn assigned(names: &[&str], strangers: Strangers) -> World {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    world.page("Acme/Website/Design").values.set(Field::Assignees, people(names));
    world.limits.accounts = Some(["ada@agency.example".into(), "ben@agency.example".into()].into());
    world.rules.mapping.tasks.strangers = strangers;
    world
}

fn created(world: &World) -> Option<Value> {
    let plan = world.plan();
    let [create] = plan.changes.as_slice() else { panic!("{}", world.changes()) };
    create.proposal.fields.iter().find(|field| field.field == Field::Assignees).map(|field| field.to.clone())
}

#[test]
fn people_without_an_account_are_left_out_or_replaced_and_that_is_said() {
    let ben = || Strangers::StandIn("ben@agency.example".into());
    for (names, strangers, expected) in [
        (&["ada"][..], Strangers::Leave, Some(people(&["ada"]))),
        (&["ada", "kai"], Strangers::Leave, Some(people(&["ada"]))),
        (&["kai"], Strangers::Leave, None),
        (&["ada", "kai", "eve"], ben(), Some(people(&["ada", "ben"]))),
        (&["kai"], ben(), Some(people(&["ben"]))),
    ] {
        let world = assigned(names, strangers);
        assert_eq!(created(&world), expected, "{names:?}");
        let strangers = names.iter().filter(|name| ["kai", "eve"].contains(*name)).count();
        assert_eq!(world.notices().matches("NoAccount").count(), strangers, "{}", world.notices());
    }
    let held = assigned(&["ada", "kai"], Strangers::Hold);
    assert!(held.changes().contains("NotTaken"), "{}", held.changes());
    assert!(!held.notices().contains("NoAccount"));
    let nobody = assigned(&["kai"], Strangers::StandIn("eve@agency.example".into()));
    assert!(nobody.holds().contains("eve@agency.example has no account"), "{}", nobody.holds());
    let mut many = assigned(&["kai"], Strangers::Leave);
    for task in ["Build", "Test"] {
        many.page(&format!("Acme/Website/{task}")).values.set(Field::Assignees, people(&["kai"]));
    }
    assert_eq!(
        many.notices(),
        "NoAccount task \"\": 3 of them (“Design”, “Build”, “Test”): kai@agency.example has no account in the Clockify workspace, and is \
         left out: invite them, or change it in Notion\n"
    );
}

#[test]
fn nobody_is_left_out_while_it_cannot_be_told_who_has_an_account() {
    let mut world = assigned(&["ada", "kai"], Strangers::Leave);
    world.limits.accounts = None;
    assert_eq!(created(&world), None);
    assert!(world.notices().contains("its assignees cannot be told"), "{}", world.notices());
    // People whose address is hidden are not known, and so nobody of them is dropped.
    let mut world = assigned(&[], Strangers::Leave);
    world.page_mut("Acme/Website/Design").values.put(Field::Assignees, Reading::Unknown("hidden".into()));
    assert_eq!(created(&world), None);
    assert!(world.notices().contains("its assignees cannot be told"), "{}", world.notices());
}

#[test]
fn who_gets_an_account_is_assigned() {
    let mut world = assigned(&["ada", "kai"], Strangers::Leave);
    world.pages.remove("Acme/Website/Design");
    world
        .link("Acme/Website/Design")
        .page_mut("Acme/Website/Design")
        .values
        .set(Field::Assignees, people(&["ada", "kai"]));
    world.object_mut("Acme/Website/Design").values.set(Field::Assignees, people(&["ada"]));
    world.set_base("Acme/Website/Design", Field::Assignees, Agreed::Same(people(&["ada"])));
    assert_eq!(world.changes(), "");
    world.limits.accounts = Some(["ada@agency.example".into(), "kai@agency.example".into()].into());
    assert!(world.changes().contains("assignees"), "{}", world.changes());
    assert!(!world.notices().contains("NoAccount"));
}

/// A project with a task, and a new task that names none and is an item of that one.
fn item() -> World {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Shop"]);
    let above = world.page_id("Acme/Website/Design");
    let page = world.page("Acme/Website/Draft");
    (page.parent, page.item_of) = (Relation::None, Relation::One(above));
    world
}

fn draft(world: &mut World) -> &mut Page {
    world.page_mut("Acme/Website/Draft")
}

#[test]
fn an_item_has_the_project_of_the_nearest_item_above_that_names_one() {
    let mut world = item();
    let created = "task \"Draft\" create name: \"\" → \"Draft\" [new 95 ready]\n";
    assert_eq!(world.changes(), created);
    assert_eq!(world.plan().changes[0].parent, Some(world.page_id("Acme/Website")));

    // Two items up.
    let above = world.page_id("Acme/Website/Draft");
    let page = world.page("Acme/Website/Sketch");
    (page.parent, page.item_of) = (Relation::None, Relation::One(above));
    assert_eq!(world.plan().changes.iter().filter(|change| change.hold.is_none()).count(), 2, "{}", world.changes());

    // Its own word counts for more.
    world.page_mut("Acme/Website/Sketch").parent = Relation::One(world.page_id("Acme/Shop"));
    let plan = world.plan();
    let sketch = plan.changes.iter().find(|change| change.name.exact() == "Sketch").expect("a create");
    assert_eq!(sketch.parent, Some(world.page_id("Acme/Shop")));
}

#[test]
fn an_item_takes_part_in_everything_by_the_project_that_it_inherits() {
    // Namesakes under the same project.
    let mut world = item();
    draft(&mut world).title = "Design".into();
    assert!(world.holds().contains("NameTaken"), "{}", world.holds());
    // A page that is closed above.
    let mut world = item();
    world.close_page("Acme/Website");
    assert!(world.holds().contains("its project is closed in Notion"), "{}", world.holds());
    // An object of that name, there.
    let mut world = item();
    world.object("Acme/Website/Draft");
    assert!(world.changes().contains("task \"Draft\" link"), "{}", world.changes());
    // The item above moves, and what stands below it moves along.
    let mut world = item();
    world.pages.remove("Acme/Website/Draft");
    world.link("Acme/Website/Draft");
    let above = world.page_id("Acme/Website/Design");
    (draft(&mut world).parent, draft(&mut world).item_of) = (Relation::None, Relation::One(above));
    assert_eq!(world.changes(), "");
    world.move_page("Acme/Website/Design", "Acme/Shop");
    let plan = world.plan();
    assert!(plan.changes.iter().all(|change| change.proposal.action == Action::Move));
    assert_eq!(plan.changes.len(), 2, "{}", world.changes());
    // Nobody names one any more.
    world.page_mut("Acme/Website/Design").parent = Relation::None;
    assert_eq!(world.holds().matches("RelationRemoved").count(), 2, "{}", world.holds());
    // What is closed along with a project includes its items.
    let mut world = item();
    world.rules.close_children = true;
    world.close_page("Acme/Website");
    let mut snapshots = world.snapshots();
    snapshots.close_children(&world.registry);
    assert!(snapshots.along.contains_key(&world.page_id("Acme/Website/Draft")));
}

#[test]
fn an_item_whose_project_cannot_be_told_waits() {
    let stranger = PageId::from_number(4711);
    let cases: [Case<'_>; 8] = [
        ("it names 2 parent items", &|world| {
            let other = world.page_id("Acme/Shop");
            let above = world.page_id("Acme/Website/Design");
            draft(world).item_of = Relation::from(vec![above, other]);
        }),
        ("it names a parent item that punchlist does not see", &|world| draft(world).item_of = Relation::One(stranger)),
        ("Notion does not give it", &|world| {
            draft(world).item_of = Relation::Unknown("Notion does not give it".into());
        }),
        ("its parent item “Design” names a parent item that punchlist does not see", &|world| {
            let page = world.page_mut("Acme/Website/Design");
            (page.parent, page.item_of) = (Relation::None, Relation::One(stranger));
        }),
        ("its parent item “Design” names 2 projects", &|world| {
            let (one, other) = (world.page_id("Acme/Website"), world.page_id("Acme/Shop"));
            world.page_mut("Acme/Website/Design").parent = Relation::from(vec![one, other]);
        }),
        ("its parent item “Design”: it is not shared", &|world| {
            world.page_mut("Acme/Website/Design").parent = Relation::Unknown("it is not shared".into());
        }),
        ("the parent items above it go round in a circle", &|world| {
            let below = world.page_id("Acme/Website/Draft");
            let page = world.page_mut("Acme/Website/Design");
            (page.parent, page.item_of) = (Relation::None, Relation::One(below));
        }),
        ("the parent items above it go round in a circle", &|world| {
            draft(world).item_of = Relation::One(draft(world).id);
        }),
    ];
    for (why, happens) in cases {
        let mut world = item();
        happens(&mut world);
        let plan = world.plan();
        let of_draft: Vec<_> = plan.changes.iter().filter(|change| change.name.exact() == "Draft").collect();
        let [create] = of_draft.as_slice() else { panic!("{why}: {}", world.changes()) };
        let hold = create.hold.as_ref().unwrap_or_else(|| panic!("{why} is not held"));
        assert!(hold.text.contains(why), "{why}: {}", hold.text);
        assert_eq!(hold.code, HoldCode::ParentUnknown);
    }
    // With nobody to name one, that is said.
    let mut world = item();
    world.page_mut("Acme/Website/Design").parent = Relation::None;
    assert!(world.holds().contains("neither it nor a parent item of it names a project"), "{}", world.holds());
    // More items above than anybody means.
    let mut world = item();
    let mut above = world.page_id("Acme/Website/Draft");
    for number in 0..120 {
        let page = world.page(&format!("Acme/Website/{number}"));
        (page.parent, page.item_of) = (Relation::None, Relation::One(above));
        above = page.id;
    }
    assert!(world.holds().contains("there are more than 100 parent items above it"));
    let plan = world.plan();
    assert!(plan.changes.iter().filter(|change| change.kind == Kind::Task).any(|change| change.hold.is_none()));
    // What is linked stays where it is while its project cannot be told.
    let mut world = item();
    world.pages.remove("Acme/Website/Draft");
    world.link("Acme/Website/Draft");
    (draft(&mut world).parent, draft(&mut world).item_of) = (Relation::None, Relation::One(stranger));
    assert_eq!(world.changes(), "");
    assert!(world.notices().contains("punchlist does not see"), "{}", world.notices());
    draft(&mut world).standing = Standing::Closed { because: "Status is Done".into() };
    assert!(world.changes().contains("close"), "{}", world.changes());
}
