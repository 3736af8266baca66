//! What is known to be impossible is left out, or waits, and holds nothing else.

use std::collections::BTreeMap;

use snapbox::{assert_data_eq, str};

use super::world::{World, approve, pictures};
use crate::domain::{
    model::{Estimating, Field, Limits, Nature, PerKind, Property, Standing, Takes, Value},
    plan::State,
    review::{Decision, Review},
    rules::{OnDrift, Unmanaged},
    steps::{Act, steps},
};

fn people(addresses: &[&str]) -> Value {
    Value::People(addresses.iter().map(|address| (*address).into()).collect())
}

/// Ada has an account.
fn limits() -> Limits {
    Limits { accounts: Some(["ada@example.com".into()].into()), ..Limits::default() }
}

fn picture(world: &World) -> String {
    format!("{}{}", world.changes(), world.holds())
}

#[test]
fn a_create_leaves_out_what_would_be_refused_and_that_alone_waits() {
    let mut world = World::linked(&["Acme", "Acme/Shop"]);
    world.limits = limits();
    let page = world.page("Acme/Shop/Design");
    page.values.set(Field::Assignees, people(&["ada@example.com", "eve@example.com"]));
    page.values.set(Field::Estimate, Value::Seconds(3600));

    assert_data_eq!(
        picture(&world),
        str![[r#"
task "Design" create name: "" → "Design" estimate: "" → "1 h" [new 95 ready]
task "Design" update assignees: "" → "ada@example.com, eve@example.com" [new 90 held NotTaken] after create "Design"
update task "Design": NotTaken: eve@example.com has no account in the Clockify workspace that this key sees: invite them, or change it in Notion

"#]]
    );
}

#[test]
fn an_update_is_held_for_the_refused_field_alone() {
    let mut world = World::linked(&["Acme"]);
    for (field, value) in [(Field::Address, "Street 1"), (Field::Note, "old"), (Field::Email, "a@acme.com")] {
        world.agree("Acme", field, &Value::text(value));
    }
    let page = world.page_mut("Acme");
    page.values.set(Field::Address, Value::text(&"x".repeat(3001)));
    page.values.set(Field::Email, Value::text("call Ada"));
    page.values.set(Field::Note, Value::text("new"));

    let plan = world.plan();
    let states: Vec<(Field, State)> =
        plan.changes.iter().map(|change| (change.proposal.fields[0].field, change.state)).collect();
    assert_eq!(states, [(Field::Email, State::Held), (Field::Address, State::Held), (Field::Note, State::Ready)]);
    assert!(world.holds().contains("“call Ada” is no e-mail address"), "{}", world.holds());
    assert!(world.holds().contains("the address has 3001 characters, and at most 3000 are taken"), "{}", world.holds());
}

#[test]
fn of_two_ways_of_which_one_is_closed_the_other_is_proposed() {
    let long = "x".repeat(3001);
    let way = |in_notion: &str, in_clockify: &str, takes: Takes| {
        let mut world = World::linked(&["Acme"]);
        world.agree("Acme", Field::Address, &Value::text(in_notion));
        world.object_mut("Acme").values.set(Field::Address, Value::text(in_clockify));
        let clients = [(Field::Address, Property { takes, words: BTreeMap::new() })].into();
        world.limits.properties = PerKind { clients, ..PerKind::default() };
        let plan = world.plan();
        let change = &plan.changes[0];
        let ways = std::iter::once(&change.proposal).chain(&change.alternatives);
        let ways: Vec<String> = ways.map(|way| format!("{} {}", way.action, way.side)).collect();
        (ways.join(", "), change.state, change.proposal.reason.clone())
    };

    let (ways, state, reason) = way(&long, "Street 1", Takes::Text);
    assert_eq!((ways.as_str(), state), ("update Notion, accept Notion", State::Review));
    assert!(reason.contains("3001 characters") && reason.contains("take Clockify's value"), "{reason}");
    let (ways, state, _) = way("Street 1", "Street 1, Vienna", Takes::Select);
    assert_eq!((ways.as_str(), state), ("update Clockify, accept Clockify", State::Review), "an option has no comma");
    let (ways, state, _) = way(&long, "Street 1, Vienna", Takes::Select);
    assert_eq!((ways.as_str(), state), ("update Clockify, accept Clockify", State::Held), "neither is possible");
    let (_, state, reason) = way(&long, "", Takes::Text);
    assert_eq!(state, State::Held, "nobody has emptied the page: {reason}");
    let (ways, ..) = way("Street 1", "Street 2", Takes::Text);
    assert_eq!(ways, "update Clockify, update Notion, accept Clockify");
}

#[test]
fn what_clockify_says_is_held_where_the_page_cannot_take_it() {
    let mut world = World::linked(&["Acme"]);
    world.agree("Acme", Field::Note, &Value::text("Gold"));
    world.rules.precedence.clients.all.direction = crate::domain::rules::Direction::ToNotion;
    let takes = Takes::Status(["Gold".into(), "Silver".into()].into());
    let clients = [(Field::Note, Property { takes, words: BTreeMap::new() })].into();
    world.limits.properties = PerKind { clients, ..PerKind::default() };
    world.object_mut("Acme").values.set(Field::Note, Value::text("Silver"));
    assert_eq!(world.plan().changes[0].state, State::Ready);

    world.object_mut("Acme").values.set(Field::Note, Value::text("Bronze"));

    assert_data_eq!(
        world.holds(),
        str![[r#"
update client "Acme": NotTaken: the status in Notion has no option “Bronze”: add one there

"#]]
    );
}

#[test]
fn an_estimate_that_is_made_of_something_else_is_left_as_it_is() {
    let mut world = World::linked(&["Acme", "Acme/Shop"]);
    world.agree("Acme/Shop", Field::Estimate, &Value::Seconds(3600));
    world.agree("Acme/Shop", Field::Note, &Value::text("old"));
    let page = world.page_mut("Acme/Shop");
    page.values.set(Field::Estimate, Value::Seconds(7200));
    page.values.set(Field::Note, Value::text("new"));
    for (estimate, says) in
        [(Estimating::ByTasks, "the sum of its tasks' estimates"), (Estimating::ByBudget, "a budget in money")]
    {
        world.object_mut("Acme/Shop").nature = Nature { estimate, ..Nature::default() };
        let states: Vec<State> = world.plan().changes.iter().map(|change| change.state).collect();
        assert_eq!(states, [State::Ready, State::Held], "{}", world.changes());
        assert!(world.holds().contains(says), "{}", world.holds());
    }
    world.object_mut("Acme/Shop").nature = Nature::default();
    assert_eq!(world.holds(), "");
}

#[test]
fn a_template_is_nobodys_project() {
    let template = |world: &mut World, path: &str| {
        world.object_mut(path).nature.template = true;
    };
    let picture = pictures(
        &[
            ("of the page's name", &|world| {
                world.link("Acme").object("Acme/Shop");
                template(world, "Acme/Shop");
                world.page("Acme/Shop");
            }),
            ("of another name, with a task", &|world| {
                world.link("Acme").object("Acme/Starter");
                template(world, "Acme/Starter");
                world.object("Acme/Starter/Kick-off");
                world.rules.unmanaged = Unmanaged::Close;
            }),
            ("with the mark of a page", &|world| {
                world.link("Acme").object("Acme/Starter");
                template(world, "Acme/Starter");
                let page = world.page("Acme/Shop").id;
                world.object_mut("Acme/Starter").marker = Some(page);
            }),
            ("made of a linked project", &|world| {
                *world = World::linked(&["Acme", "Acme/Shop"]);
                template(world, "Acme/Shop");
                world.agree("Acme/Shop", Field::Note, &Value::text("old"));
                world.page_mut("Acme/Shop").values.set(Field::Note, Value::text("new"));
                world.page_mut("Acme/Shop").standing = Standing::Open;
            }),
            ("made of a linked project that is closed now", &|world| {
                *world = World::linked(&["Acme", "Acme/Shop"]);
                template(world, "Acme/Shop");
                world.close_page("Acme/Shop");
            }),
        ],
        |world| format!("{}{}{}", world.changes(), world.holds(), world.notices()),
    );
    assert_data_eq!(
        picture,
        str![[r#"
of the page's name:
project "Shop" create name: "" → "Shop" [new 95 held NameTaken]
create project "Shop": NameTaken: a template for projects has this name (000000000000000000000003), and may keep others from it
of another name, with a task:
nothing
with the mark of a page:
project "Shop" create name: "" → "Shop" [new 95 ready]
made of a linked project:
project "Shop" update <Acme/Shop> note: "old" → "new" [notion_changed 100 held Template]
update project "Shop": Template: in Clockify it is a template for projects by now, or a task of one, and templates are left alone
made of a linked project that is closed now:
project "Shop" close <Acme/Shop> state: "open" → "closed" [notion_changed 100 held Template]
close project "Shop": Template: in Clockify it is a template for projects by now, or a task of one, and templates are left alone

"#]]
    );
}

#[test]
fn a_task_in_an_archived_project_waits_until_that_is_reopened() {
    let archived = |world: &mut World| {
        *world = World::linked(&["Acme", "Acme/Shop", "Acme/Shop/Design"]);
        world.agree("Acme/Shop/Design", Field::Estimate, &Value::Seconds(3600));
        world.object_mut("Acme/Shop").closed = true;
        world.page_mut("Acme/Shop/Design").values.set(Field::Estimate, Value::Seconds(7200));
        world.page("Acme/Shop/Build");
    };
    let picture = pictures(
        &[
            ("reopened by this plan", &|world| {
                archived(world);
                world.rules.precedence.projects.all.on_drift = OnDrift::Restore;
            }),
            ("left as it is", &|world| {
                archived(world);
                world.rules.precedence.projects.all.on_drift = OnDrift::Accept;
            }),
        ],
        picture,
    );
    assert_data_eq!(
        picture,
        str![[r#"
reopened by this plan:
project "Shop" reopen <Acme/Shop> state: "closed" → "open" [drift 100 ready]
task "Build" create name: "" → "Build" [new 95 ready] after reopen "Shop"
task "Design" update <Acme/Shop/Design> estimate: "1 h" → "2 h" [notion_changed 100 ready] after reopen "Shop"
left as it is:
task "Build" create name: "" → "Build" [new 95 held ParentClosed]
task "Design" update <Acme/Shop/Design> estimate: "1 h" → "2 h" [notion_changed 100 held ParentClosed]
create task "Build": ParentClosed: its project is closed in Clockify
update task "Design": ParentClosed: its project is closed in Clockify

"#]]
    );
}

#[test]
fn a_rename_waits_for_the_move_without_which_its_name_is_taken_and_the_other_way_round() {
    let moves = |world: &mut World| {
        *world = World::linked(&["Acme", "Beta", "Acme/Shop", "Acme/App", "Beta/Site"]);
        world.move_page("Acme/Shop", "Beta");
    };
    let picture = pictures(
        &[
            ("the new name is taken where it stands", &|world| {
                moves(world);
                world.rename_page("Acme/Shop", "App");
            }),
            ("the old name is taken where it goes", &|world| {
                moves(world);
                world.rename_object("Beta/Site", "Shop").rename_page("Beta/Site", "Shop");
                world.rename_page("Acme/Shop", "Store");
            }),
            ("both are taken", &|world| {
                moves(world);
                world.rename_object("Beta/Site", "Shop").rename_page("Beta/Site", "Shop");
                world.rename_page("Acme/Shop", "App");
            }),
            ("both are free", &|world| {
                moves(world);
                world.rename_page("Acme/Shop", "Store");
            }),
            ("a task", &|world| {
                *world = World::linked(&["Acme", "Acme/Shop", "Acme/App", "Acme/Shop/Design", "Acme/Shop/Build"]);
                world.move_page("Acme/Shop/Design", "Acme/App").rename_page("Acme/Shop/Design", "Build");
            }),
            ("a task, to where nothing is yet", &|world| {
                *world = World::linked(&["Acme", "Acme/Shop", "Acme/Shop/Design", "Acme/Shop/Build"]);
                world.page("Acme/New");
                world.move_page("Acme/Shop/Design", "Acme/New").rename_page("Acme/Shop/Design", "Build");
            }),
        ],
        picture,
    );
    assert_data_eq!(
        picture,
        str![[r#"
the new name is taken where it stands:
project "App" move <Acme/Shop> parent: "Acme" → "Beta" [notion_changed 100 ready]
project "App" update <Acme/Shop> name: "Shop" → "App" [notion_changed 100 ready] after move "App"
the old name is taken where it goes:
project "Store" move <Acme/Shop> parent: "Acme" → "Beta" [notion_changed 100 ready] after update "Store"
project "Store" update <Acme/Shop> name: "Shop" → "Store" [notion_changed 100 ready]
both are taken:
project "App" move <Acme/Shop> parent: "Acme" → "Beta" [notion_changed 100 held NameTaken]
project "App" update <Acme/Shop> name: "Shop" → "App" [notion_changed 100 held NameTaken]
move project "App": NameTaken: where it stands the new name is taken, and where it goes the old one; rename it to something else first
update project "App": NameTaken: where it stands the new name is taken, and where it goes the old one; rename it to something else first
both are free:
project "Store" move <Acme/Shop> parent: "Acme" → "Beta" [notion_changed 100 ready]
project "Store" update <Acme/Shop> name: "Shop" → "Store" [notion_changed 100 ready]
a task:
task "Build" move <Acme/Shop/Design> parent: "Shop" → "App" [notion_changed 80 review]
task "Build" update <Acme/Shop/Design> name: "Design" → "Build" [notion_changed 100 review] after move "Build"
a task, to where nothing is yet:
project "New" create name: "" → "New" [new 95 ready]
task "Build" move <Acme/Shop/Design> parent: "Shop" → "New" [notion_changed 80 review] after create "New"
task "Build" update <Acme/Shop/Design> name: "Design" → "Build" [notion_changed 100 review] after move "Build"

"#]]
    );
}

#[test]
fn a_skipped_move_keeps_the_rename_back_that_rests_on_it() {
    let mut world = World::linked(&["Acme", "Beta", "Acme/Shop", "Acme/App"]);
    world.move_page("Acme/Shop", "Beta").rename_page("Acme/Shop", "App");
    let plan = world.plan();
    let mut review = Review::by_policy(&plan);
    assert_eq!(review.approved().changes().len(), 2);
    let move_ = plan.changes.iter().position(|change| change.requires.is_empty()).expect("the move");

    review.decide(&[move_], Some(&Decision::Skip));

    assert!(review.approved().changes().is_empty());
}

#[test]
fn a_task_that_moves_is_made_like_the_old_one_and_takes_on_only_what_was_approved() {
    let mut world = World::linked(&["Acme", "Acme/Shop", "Acme/App", "Acme/Shop/Design"]);
    world.agree("Acme/Shop/Design", Field::Billable, &Value::Flag(true));
    world.agree("Acme/Shop/Design", Field::Estimate, &Value::Seconds(3600));
    world.agree("Acme/Shop/Design", Field::Assignees, &people(&["ada@example.com"]));
    world.move_page("Acme/Shop/Design", "Acme/App");
    world.object_mut("Acme/Shop/Design").values.set(Field::Estimate, Value::Seconds(7200));
    world.page_mut("Acme/Shop/Design").values.set(Field::Assignees, Value::Empty);
    let (plan, old) = (world.plan(), world.object_id("Acme/Shop/Design"));
    let is_drift = |change: &crate::domain::plan::Change| change.is_contested();
    assert_eq!(plan.changes.iter().filter(|change| is_drift(change)).count(), 1, "{}", world.changes());

    let steps = steps(&approve(&plan, |change| !is_drift(change)), &world.snapshots(), &world.rules);

    let create = steps.iter().find_map(|step| match &step.act {
        Act::Create { like, fields, .. } => Some((*like, fields.clone())),
        _ => None,
    });
    let (like, fields) = create.expect("a create");
    assert_eq!(like, Some(old));
    let expected = [(Field::Billable, Value::Flag(true)), (Field::Assignees, Value::Empty)];
    assert_eq!(fields, expected.into(), "what drifted stays as it is, and what is cleared is not carried over");
}
