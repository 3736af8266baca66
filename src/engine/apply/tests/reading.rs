//! What a write rests on is read again shortly before it leaves: other people's edits are carried over, or the change
//! waits.

use snapbox::{assert_data_eq, str};

use super::fake::{Bench, Fault, Run};
use crate::domain::{
    diff::tests::world::World,
    model::{Claim, Field, Value},
    report::Stopped,
};

/// Runs on a plan that has become old while somebody thought about it.
fn aged(world: &World, meanwhile: fn(&mut World)) -> Run {
    Bench { aged: true, meanwhile: vec![meanwhile], ..Bench::new(world) }.run()
}

/// A client whose note and address the page has changed.
fn edited() -> World {
    let mut world = World::linked(&["Acme"]);
    world.agree("Acme", Field::Note, &Value::text("old"));
    world.page_mut("Acme").values.set(Field::Note, Value::text("new"));
    world
}

#[test]
fn what_was_just_read_is_not_read_again() {
    let run = Bench::new(&edited()).run();
    assert!(!run.log(false).contains("read"), "{}", run.log(false));
}

#[test]
fn an_old_plan_is_read_again_before_it_is_written_and_others_edits_stay() {
    let run = aged(&edited(), |world| {
        world.object_mut("Acme").values.set(Field::Email, Value::text("colleague@example.com"));
    });
    assert_data_eq!(
        run.log(false),
        str![[r#"
read client <Acme>
send update client <Acme> note="new"
done update client <Acme> note="new"

"#]]
    );
    assert_eq!(run.world.objects["Acme"].values.get(Field::Email), Some(&Value::text("colleague@example.com")));
}

#[test]
fn another_value_in_a_field_that_is_written_stops_the_change_and_says_so() {
    let run = aged(&edited(), |world| world.object_mut("Acme").values.set(Field::Note, Value::text("theirs")));
    assert_data_eq!(
        run.ends(),
        str![[r#"
not started: it has moved: note was “old” when it was planned, and is “theirs” now

"#]]
    );
    assert_eq!(run.world.objects["Acme"].values.get(Field::Note), Some(&Value::text("theirs")));
    assert!(!run.log(false).contains("send"), "{}", run.log(false));
}

#[test]
fn whatever_is_written_to_what_somebody_has_closed_waits() {
    for meanwhile in [(|world: &mut World| world.object_mut("Acme").closed = true) as fn(&mut World), |world| {
        world.objects.remove("Acme");
    }] {
        let run = aged(&edited(), meanwhile);
        assert!(run.ends().starts_with("not started: it "), "{}", run.ends());
        assert!(!run.log(false).contains("send"), "{}", run.log(false));
    }
}

/// What is planned, what somebody does meanwhile, and how the change ends.
type Case = (&'static str, fn(&mut World), fn(&mut World), &'static str);

#[test]
fn closes_reopens_moves_and_renames_rest_on_what_is_there_now() {
    let cases: [Case; 4] = [
        (
            "a close",
            |world| {
                world.close_page("Acme/Site/Task");
            },
            |world| world.object_mut("Acme/Site/Task").closed = true,
            // It is done already, and doing it again changes nothing.
            "applied\n",
        ),
        (
            "a rename",
            |world| world.page_mut("Acme/Site").title = "Shop".into(),
            |world| world.object_mut("Acme/Site").name = "Store".into(),
            "not started: it has moved: name was “Site” when it was planned, and is “Store” now\n",
        ),
        (
            "a reopen",
            |world| {
                world.object_mut("Acme/Site").closed = true;
                world.agree("Acme/Site", Field::State, &Value::Closed(true));
            },
            |world| world.object_mut("Acme/Site").name = "Store".into(),
            // Its name is nobody's business here, and stays as it is.
            "applied\n",
        ),
        (
            "a move",
            |world| {
                let beta = world.pages["Beta"].id;
                world.page_mut("Acme/Site").parent = crate::domain::model::Relation::One(beta);
            },
            |world| world.object_mut("Acme/Site").parent = None,
            "not started: it has moved: client was “Acme” when it was planned, and is empty now\n",
        ),
    ];
    for (what, planned, meanwhile, ends) in cases {
        let mut world = World::linked(&["Acme", "Acme/Site", "Acme/Site/Task", "Beta"]);
        planned(&mut world);
        assert_eq!(aged(&world, meanwhile).ends(), ends, "{what}");
    }
}

#[test]
fn the_fields_of_a_page_are_read_again_and_an_id_goes_into_an_empty_property_unread() {
    let mut world = World::linked(&["Acme"]);
    world.page_mut("Acme").claim = Claim::None;
    world.page("Beta");
    let run = aged(&world, |_| {});
    assert!(!run.log(false).contains("read"), "{}", run.log(false));

    let mut world = World::linked(&["Acme"]);
    world.agree("Acme", Field::Note, &Value::text("old"));
    world.object_mut("Acme").values.set(Field::Note, Value::text("new"));
    world.rules.precedence.clients.all.direction = crate::domain::rules::Direction::ToNotion;
    let run = aged(&world, |world| world.page_mut("Acme").values.set(Field::Note, Value::text("theirs")));
    assert_data_eq!(
        run.log(false),
        str![[r#"
read page client "Acme"

"#]]
    );
    assert_eq!(run.ends(), "not started: it has moved: note was “old” when it was planned, and is “theirs” now\n");
}

#[test]
fn many_are_read_as_they_come_and_none_is_forgotten() {
    let paths: Vec<String> = (0..9).map(|number| format!("Client {number}")).collect();
    let mut world = World::linked(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    for path in &paths {
        world.agree(path, Field::Note, &Value::text("old"));
        world.page_mut(path).values.set(Field::Note, Value::text("new"));
    }

    let run = aged(&world, |_| {});

    let count = |word: &str| run.log(false).lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("read"), count("done")), (9, 9), "{}", run.log(false));
}

#[test]
fn what_cannot_be_read_is_not_written() {
    for (fault, ends, stopped) in [
        (
            Fault::Dark,
            "failed: it could not be read before it was written, so nothing was sent: the line went dead\n",
            Stopped::No,
        ),
        (Fault::Credentials, "failed: who are you\n", Stopped::Refused),
        (Fault::OutOfBudget, "not started: come back in an hour\n", Stopped::OutOfBudget),
    ] {
        let run = Bench { aged: true, faults: vec![("read client", fault)], ..Bench::new(&edited()) }.run();
        assert_eq!((run.ends().as_str(), run.ended), (ends, Ok(stopped)));
        assert!(!run.log(false).contains("send"), "{}", run.log(false));
    }
}

#[test]
fn a_run_without_anybody_looks_right_before_it_creates_and_right_after() {
    let mut world = World::linked(&["Acme"]);
    world.page("Acme/Site");
    let unattended = |meanwhile: fn(&mut World), faults| {
        Bench { aged: true, unattended: true, meanwhile: vec![meanwhile], faults, ..Bench::new(&world) }.run()
    };

    let before = unattended(|world| world.object("Acme/Site").closed = false, Vec::new());
    assert_data_eq!(
        before.log(false),
        str![[r#"
read names of projects under <Acme>

"#]]
    );
    assert!(before.ends().contains("somebody else has created it meanwhile"), "{}", before.ends());

    let beside = unattended(|_| {}, vec![("create project", Fault::BesideATwin)]);
    assert!(beside.log(false).ends_with("read names of projects under <Acme>\n"), "{}", beside.log(false));
    let told = beside.notebook.events.iter().any(|event| {
        let text = crate::domain::text::json(event).expect("serialises");
        text.contains("it is there twice")
    });
    assert!(told, "{}", beside.ends());
}

#[test]
fn a_name_that_is_taken_by_then_is_looked_up_at_once() {
    let mut world = World::linked(&["Acme"]);
    world.page("Acme/Site");
    let run = Bench { faults: vec![("create project", Fault::Taken)], ..Bench::new(&world) }.run();
    assert!(run.log(false).contains("look up create project"), "{}", run.log(false));
    assert_eq!(run.ends(), "applied\n");
}

#[test]
fn what_another_page_has_is_never_taken_for_what_a_create_has_made() {
    let mut world = World::linked(&["Acme", "Acme/Site", "Acme/Site/Draft"]);
    world.close_page("Acme/Site/Draft").objects.remove("Acme/Site/Draft");
    world.page("Acme/Site/Design");
    let run = Bench { faults: vec![("create task", Fault::TakenByAnothers)], ..Bench::new(&world) }.run();
    assert!(run.log(false).contains("look up create task"), "{}", run.log(false));
    assert_eq!(run.ends(), "failed: a name that exists already\n");
}

#[test]
fn a_stop_waits_a_while_for_what_hangs_and_then_says_that_nobody_knows() {
    let mut world = World::default();
    world.page("Acme");
    world.page("Beta");
    let run =
        Bench { faults: vec![("create client \"Acme\"", Fault::Hangs)], stops_after: 2, ..Bench::new(&world) }.run();
    assert_data_eq!(
        run.log(true),
        str![[r#"
  journal: intent 1, intent 2
send create client "Acme"
send create client "Beta"
done create client "Beta"
  journal: 2 done, intent 3 +1 link
send page client "Beta" claim=<created 3>
done page client "Beta" claim=<created 3>
  journal: 3 done, applied +1 link
  journal: 1 unknown, failed

"#]]
    );
    assert_eq!(run.ended, Ok(Stopped::Interrupted));
}

#[test]
fn what_was_created_and_could_not_be_completed_is_said_as_begun() {
    let mut world = World::default();
    world.page("Acme");
    let run = Bench { faults: vec![("page client", Fault::OutOfBudget)], ..Bench::new(&world) }.run();
    assert_data_eq!(
        run.ends(),
        str![[r#"
begun: created, and the rest is still to be done (its ID in the page, what it replaces): come back in an hour

"#]]
    );
}
