//! What the rule `close_children` closes: kept apart from what the page says, and opened again by the rule alone.

use super::fake::{Bench, Fault, Run};
use crate::{
    domain::journal::{What, Write},
    domain::{
        diff::tests::world::World,
        model::{Agreed, Along, Field, Standing, Value},
        plan::State,
    },
};

fn tree() -> World {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Website/Build"]);
    world.rules.close_children = true;
    world
}

/// Compares, and applies what policy approves; nothing is ever written into a page.
fn run(world: &World) -> World {
    check(&Bench::new(world).run())
}

fn check(run: &Run) -> World {
    assert!(!run.ends().contains("failed"), "{}", run.log(true));
    let writes = run.notebook.events.iter().filter(|event| {
        matches!(&event.what, What::Intent { request: Write::WriteBack { fields, .. }, .. } if fields.contains_key(&Field::State))
    });
    assert_eq!(writes.count(), 0, "{}", run.log(true));
    run.world.clone()
}

fn along(world: &World, path: &str) -> Along {
    world.registry.of_page(world.page_id(path)).expect("a link").along
}

fn is_closed(world: &World, path: &str) -> bool {
    world.objects[path].closed
}

fn open_page(world: &mut World, path: &str) {
    world.page_mut(path).standing = Standing::Open;
}

#[test]
fn what_the_rule_closes_is_no_word_of_the_page() {
    let mut world = tree();
    world.close_page("Acme/Website");

    let mut world = run(&world);

    assert!(is_closed(&world, "Acme/Website/Design"));
    let apart = Agreed::apart(Value::Closed(false), Value::Closed(true));
    assert_eq!(world.base("Acme/Website/Design", Field::State), Some(apart), "the page is open");
    assert_eq!((world.changes(), along(&world, "Acme/Website/Design")), (String::new(), Along::Closed));

    open_page(&mut world, "Acme/Website");
    snapbox::assert_data_eq!(
        world.changes(),
        snapbox::str![[r#"
project "Website" reopen <Acme/Website> state: "closed" → "open" [notion_changed 100 ready]
task "Build" reopen <Acme/Website/Build> state: "closed" → "open" [notion_changed 100 ready] after reopen "Website"
task "Design" reopen <Acme/Website/Design> state: "closed" → "open" [notion_changed 100 ready] after reopen "Website"

"#]]
    );
    let mut world = run(&world);
    assert!(!is_closed(&world, "Acme/Website/Design"));
    let difference = world.diff();
    assert_eq!(difference.plan.changes.len(), 0);
    world.save(difference.verified);
    assert_eq!(along(&world, "Acme/Website/Design"), Along::No);
}

#[test]
fn what_a_person_closed_is_not_opened_along() {
    let mut world = tree();
    world.object_mut("Acme/Website/Design").closed = true;
    world.close_page("Acme/Website");
    let mut world = run(&world);
    assert_eq!(
        (world.changes().as_str(), along(&world, "Acme/Website/Design")),
        ("", Along::No),
        "below a closed one nobody is asked"
    );

    open_page(&mut world, "Acme/Website");

    let plan = world.plan();
    let design: Vec<_> = plan.changes.iter().filter(|change| change.name.exact() == "Design").collect();
    assert_eq!((design.len(), design[0].state), (1, State::Review), "the drift that it was: {}", world.changes());
    assert_eq!(plan.changes.iter().filter(|change| change.state == State::Ready).count(), 2, "{}", world.changes());
}

#[test]
fn what_a_person_opens_below_a_closed_one_stays_open_and_is_told() {
    let mut world = tree();
    world.close_page("Acme/Website");
    let mut world = run(&world);
    world.object_mut("Acme/Website/Design").closed = false;
    for _ in 0..2 {
        let difference = world.diff();
        assert_eq!(difference.plan.changes.len(), 0, "{}", world.changes());
        world.save(difference.verified);
    }
    assert!(
        world.notices().contains(
            "OpenBelowClosed project \"Website\": it is closed, and 1 task below it is open on both sides: “Design”"
        ),
        "{}",
        world.notices()
    );

    open_page(&mut world, "Acme/Website");
    let mut world = run(&world);
    let difference = world.diff();
    world.save(difference.verified);
    assert_eq!((world.changes().as_str(), world.notices().as_str()), ("", ""));
    assert!(!is_closed(&world, "Acme/Website/Design"));
}

#[test]
fn a_lost_answer_and_a_page_that_closes_itself_change_nothing_of_that() {
    let mut world = tree();
    world.close_page("Acme/Website");
    let mut world = check(&Bench { faults: vec![("Design", Fault::AnswerLost)], ..Bench::new(&world) }.run());
    assert_eq!(along(&world, "Acme/Website/Design"), Along::Closed);

    world.close_page("Acme/Website/Design");
    let mut world = run(&world);
    assert_eq!(along(&world, "Acme/Website/Design"), Along::No, "it says so itself by now");
    open_page(&mut world, "Acme/Website");
    let world = run(&world);
    assert!(is_closed(&world, "Acme/Website/Design") && !is_closed(&world, "Acme/Website/Build"));
}

#[test]
fn nothing_is_opened_while_the_page_above_is_not_seen_or_the_rule_is_off() {
    let mut world = tree();
    world.close_page("Acme/Website");
    let world = run(&world);
    let mut hidden = world.clone();
    hidden.pages.remove("Acme/Website");
    assert_eq!(hidden.changes(), "");
    let mut unclear = world.clone();
    unclear.page_mut("Acme/Website").standing = Standing::Unknown { because: "nobody says it".into() };
    assert_eq!(unclear.changes(), "");
    let mut off = world;
    off.rules.close_children = false;
    assert_eq!(off.changes(), "");
}
