//! Order, failures, unknown outcomes: one thing goes wrong, and the log shows what that meant.

use snapbox::{assert_data_eq, str};

use super::fake::{Bench, Fault, Run};
use crate::domain::{
    diff::tests::world::{World, approve, approve_all, choose},
    model::{Agreed, Claim, Field, Relation, Value},
    plan::Action,
    report::Stopped,
    review::Review,
    rules::IdStrategy,
};

fn run(world: &World) -> Run {
    Bench::new(world).run()
}

fn with_fault(world: &World, at: &'static str, fault: Fault) -> Run {
    Bench { faults: vec![(at, fault)], ..Bench::new(world) }.run()
}

/// A new tree, and a client beside it.
fn new_tree() -> World {
    let mut world = World::default();
    for path in ["Acme", "Acme/Website", "Acme/Website/Design", "Beta"] {
        world.page(path);
    }
    world
}

#[test]
fn parents_are_created_first_and_ids_are_written_back_meanwhile() {
    let run = run(&new_tree());
    assert_data_eq!(
        run.log(true),
        str![[r#"
  journal: intent 1, intent 2
send create client "Acme"
send create client "Beta"
done create client "Beta"
  journal: 2 done, intent 3 +1 link
done create client "Acme"
  journal: 1 done, intent 4, intent 5, intent 6 +1 link
send page client "Beta" claim=<created 5>
send page client "Acme" claim=<created 7>
send create project "Website" under <created 7> with "Design"
done create project "Website" under <created 7> with "Design"
  journal: 5 done, intent 7 +1 link
done page client "Acme" claim=<created 7>
  journal: 4 done, applied +1 link
done page client "Beta" claim=<created 5>
  journal: 3 done, applied +1 link
send page project "Acme/Website" claim=<created 9/x>
read names of tasks under <created 9/x>
  journal: 6 done, intent 8 +1 link
done page project "Acme/Website" claim=<created 9/x>
  journal: 7 done, applied +1 link
send page task "Acme/Website/Design" claim=<created 11/x/x>
done page task "Acme/Website/Design" claim=<created 11/x/x>
  journal: 8 done, applied +1 link

"#]]
    );
    assert_eq!(run.world.changes(), "");
}

#[test]
fn children_are_closed_first() {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Website/Build"]);
    for path in ["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Website/Build"] {
        world.close_page(path);
    }
    // Three of each kind are let through.
    assert_data_eq!(
        run(&world).log(false),
        str![[r#"
send update task <Acme/Website/Build> state="closed"
send update task <Acme/Website/Design> state="closed"
done update task <Acme/Website/Design> state="closed"
done update task <Acme/Website/Build> state="closed"
send update project <Acme/Website> state="closed"
done update project <Acme/Website> state="closed"
send update client <Acme> state="closed"
done update client <Acme> state="closed"

"#]]
    );
}

#[test]
fn a_parent_is_closed_even_if_a_child_refuses() {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    world.close_page("Acme").close_page("Acme/Website");
    let run = with_fault(&world, "update project", Fault::Refused);
    assert_data_eq!(
        run.log(false),
        str![[r#"
send update project <Acme/Website> state="closed"
fail update project <Acme/Website> state="closed"
send update client <Acme> state="closed"
done update client <Acme> state="closed"

"#]]
    );
}

#[test]
fn parents_are_reopened_first() {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    for path in ["Acme", "Acme/Website"] {
        world.object_mut(path).closed = true;
        world.set_base(path, Field::State, Agreed::Same(Value::Closed(true)));
    }
    world.page("Acme/New");
    assert_data_eq!(
        run(&world).log(false),
        str![[r#"
send update client <Acme> state="open"
done update client <Acme> state="open"
send create project "New" under <Acme>
send update project <Acme/Website> state="open"
done update project <Acme/Website> state="open"
done create project "New" under <Acme>
send page project "Acme/New" claim=<created 6/x>
done page project "Acme/New" claim=<created 6/x>

"#]]
    );
}

#[test]
fn a_failing_step_holds_its_dependants_and_nothing_else() {
    let run = with_fault(&new_tree(), "create client \"Acme\"", Fault::Refused);
    assert_data_eq!(
        run.log(false),
        str![[r#"
send create client "Acme"
send create client "Beta"
done create client "Beta"
fail create client "Acme"
send page client "Beta" claim=<created 5>
done page client "Beta" claim=<created 5>

"#]]
    );
    assert_data_eq!(
        run.ends(),
        str![[r#"
failed: no
not started: something that it needs failed
not started: something that it needs failed
applied

"#]]
    );
}

#[test]
fn an_unknown_outcome_is_looked_up() {
    let mut world = World::default();
    world.page("Acme");
    for (fault, log, left) in [
        (
            Fault::AnswerLost,
            str![[r#"
  journal: intent 1
send create client "Acme"
fail create client "Acme"
look up create client "Acme"
  journal: 1 unknown, 1 done, intent 2 +1 link
send page client "Acme" claim=<created 2>
done page client "Acme" claim=<created 2>
  journal: 2 done, applied +1 link
applied

"#]],
            str![[r#"
open: 0

"#]],
        ),
        (
            Fault::RequestLost,
            str![[r#"
  journal: intent 1
send create client "Acme"
fail create client "Acme"
look up create client "Acme"
look up create client "Acme"
look up create client "Acme"
  journal: 1 unknown, failed
failed: the line went dead; nothing shows yet whether it happened

"#]],
            str![[r#"
open: 1
client "Acme" create name: "" → "Acme" [new 95 ready]

"#]],
        ),
        (
            Fault::Doubled,
            str![[r#"
  journal: intent 1
send create client "Acme"
fail create client "Acme"
look up create client "Acme"
  journal: 1 unknown, failed
failed: the line went dead; nobody knows whether it happened

"#]],
            str![[r#"
open: 1
client "Acme" link <created 2> [match 70 review]

"#]],
        ),
        (
            Fault::Dark,
            str![[r#"
  journal: intent 1
send create client "Acme"
fail create client "Acme"
look up create client "Acme"
  journal: 1 unknown, failed
failed: the line went dead; looking it up failed too: still dead

"#]],
            str![[r#"
open: 1
client "Acme" write-back <created 2> [claim 95 ready]

"#]],
        ),
    ] {
        let run = with_fault(&world, "create client", fault);
        assert_data_eq!(run.log(true) + &run.ends(), log);
        let open = crate::domain::journal::open_writes(&run.notebook.events).expect("legal");
        assert_data_eq!(format!("open: {}\n{}", open.len(), run.world.changes()), left);
    }
}

#[test]
fn an_update_with_an_unknown_outcome_is_looked_up_once() {
    let mut world = World::linked(&["Acme"]);
    world.rename_page("Acme", "Acme Inc");
    for (fault, log) in [
        (
            Fault::AnswerLost,
            str![[r#"
  journal: intent 1
send update client <Acme> name="Acme Inc"
fail update client <Acme> name="Acme Inc"
look up update client <Acme> name="Acme Inc"
  journal: 1 unknown, 1 done, applied +1 link

"#]],
        ),
        (
            Fault::RequestLost,
            str![[r#"
  journal: intent 1
send update client <Acme> name="Acme Inc"
fail update client <Acme> name="Acme Inc"
look up update client <Acme> name="Acme Inc"
  journal: 1 unknown, 1 absent, failed

"#]],
        ),
    ] {
        let run = with_fault(&world, "update client", fault);
        assert_data_eq!(run.log(true), log);
    }
}

#[test]
fn refused_credentials_and_a_spent_budget_start_nothing_more() {
    for (fault, ended) in [(Fault::Credentials, Stopped::Refused), (Fault::OutOfBudget, Stopped::OutOfBudget)] {
        let mut world = World::default();
        for number in 0..20 {
            world.page(&format!("C{number:02}"));
        }

        let run = with_fault(&world, "create", fault);

        assert_eq!(run.ended, Ok(ended));
        let sent = run.log(false).lines().filter(|line| line.starts_with("send")).count();
        assert!(sent <= 6, "only what was in flight: {sent}");
        assert_eq!(run.ends().lines().count(), 20, "every change is accounted for");
    }
}

#[test]
fn what_did_not_leave_is_no_unknown_outcome() {
    let mut world = World::default();
    world.page("Acme");
    let run = with_fault(&world, "create", Fault::NotSent);
    assert_data_eq!(
        run.log(true),
        str![[r#"
  journal: intent 1
send create client "Acme"
fail create client "Acme"
  journal: 1 not sent, failed

"#]]
    );
}

#[test]
fn asked_to_stop_it_stops_between_writes() {
    let mut pictures = String::new();
    for stops_after in 0..3 {
        let run = Bench { stops_after, ..Bench::new(&new_tree()) }.run();
        assert_eq!(run.ended, Ok(Stopped::Interrupted));
        pictures += &format!("after {stops_after}:\n{}{}", run.log(false), run.ends());
    }
    assert_data_eq!(
        pictures,
        str![[r#"
after 0:
not started: the run stopped before
not started: the run stopped before
not started: the run stopped before
not started: the run stopped before
after 1:
send create client "Acme"
send create client "Beta"
done create client "Beta"
done create client "Acme"
send page client "Beta" claim=<created 5>
send page client "Acme" claim=<created 7>
done page client "Acme" claim=<created 7>
done page client "Beta" claim=<created 5>
applied
applied
not started: the run stopped before
not started: the run stopped before
after 2:
send create client "Acme"
send create client "Beta"
done create client "Beta"
done create client "Acme"
send page client "Beta" claim=<created 5>
send page client "Acme" claim=<created 7>
done page client "Acme" claim=<created 7>
done page client "Beta" claim=<created 5>
applied
applied
not started: the run stopped before
not started: the run stopped before

"#]]
    );
}

#[test]
fn stopped_at_any_point_the_next_run_goes_on() {
    for stops_after in 0..8 {
        let run = Bench { stops_after, ..Bench::new(&new_tree()) }.run();
        let again = Bench::new(&run.world).run();
        assert_eq!(again.world.changes(), "", "stopped after {stops_after}");
        assert_eq!(again.world.objects.len(), 4, "nothing is created twice");
    }
}

#[test]
fn a_journal_that_fails_stops_everything_at_once() {
    let whole = run(&new_tree());
    for fails_from in 0..whole.notebook.appends {
        let run = Bench { fails_from, ..Bench::new(&new_tree()) }.run();
        assert_eq!(run.ended, Err("the disk is full"));
        let log = run.fake.log.borrow();
        let sent = log.iter().filter(|line| line.starts_with("send")).count();
        let intents: usize = log.iter().map(|line| line.matches("intent").count()).sum();
        assert!(sent <= intents, "nothing leaves without its intent on disk:\n{}", log.join("\n"));
    }
}

#[test]
fn every_intent_is_on_disk_before_its_write_leaves() {
    let run = run(&new_tree());
    let log = run.fake.log.borrow();
    let (mut intents, mut sent) = (0, 0);
    for line in log.iter() {
        intents += line.matches("intent").count();
        sent += usize::from(line.starts_with("send"));
        assert!(sent <= intents, "{}", log.join("\n"));
    }
    assert_eq!((intents, sent), (8, 7), "one goes along with another");
}

#[test]
fn several_changes_of_one_object_are_one_request() {
    let mut world = World::linked(&["Acme", "Beta", "Acme/Website"]);
    world.agree("Acme/Website", Field::Note, &Value::text("old"));
    world.object_mut("Acme/Website").closed = true;
    world.set_base("Acme/Website", Field::State, Agreed::Same(Value::Closed(true)));
    world.rename_page("Acme/Website", "Shop").move_page("Acme/Website", "Beta");
    world.page_mut("Acme/Website").values.set(Field::Note, Value::text("new"));
    world.page_mut("Acme/Website").claim = Claim::None;

    let run = run(&world);

    assert_data_eq!(
        run.log(false),
        str![[r#"
send update project <Acme/Website> name="Shop" parent="Beta" state="open" note="new"
send page project "Acme/Website" claim=<Acme/Website>
done page project "Acme/Website" claim=<Acme/Website>
done update project <Acme/Website> name="Shop" parent="Beta" state="open" note="new"

"#]]
    );
    assert_data_eq!(
        run.ends(),
        str![[r#"
applied
applied
applied
applied
applied

"#]]
    );
    assert_eq!(run.world.changes(), "");
}

#[test]
fn a_task_that_moves_is_created_written_back_and_closed_where_it_was() {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Shop", "Acme/Website/Design"]);
    world.move_page("Acme/Website/Design", "Acme/Shop");

    let moved = run(&world);

    assert_data_eq!(
        moved.log(false),
        str![[r#"
send create task "Design" under <Acme/Shop>
done create task "Design" under <Acme/Shop>
send page task "Acme/Website/Design" claim=<created 9/x/x>
send update task <Acme/Website/Design> state="closed"
done update task <Acme/Website/Design> state="closed"
done page task "Acme/Website/Design" claim=<created 9/x/x>

"#]]
    );
    assert_eq!(moved.world.changes(), "");
    let failed = with_fault(&world, "create task", Fault::Refused);
    assert_data_eq!(
        failed.log(false),
        str![[r#"
send create task "Design" under <Acme/Shop>
fail create task "Design" under <Acme/Shop>

"#]]
    );
}

#[test]
fn a_task_that_moves_takes_its_other_changes_along() {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Shop", "Acme/Website/Design"]);
    world.object_mut("Acme/Website/Design").closed = true;
    world.set_base("Acme/Website/Design", Field::State, Agreed::Same(Value::Closed(true)));
    world.move_page("Acme/Website/Design", "Acme/Shop").rename_page("Acme/Website/Design", "Layout");

    let run = run(&world);

    assert_data_eq!(
        run.log(false),
        str![[r#"
send create task "Layout" under <Acme/Shop>
done create task "Layout" under <Acme/Shop>
send page task "Acme/Website/Design" claim=<created 9/x/x>
send update task <Acme/Website/Design> state="closed"
done update task <Acme/Website/Design> state="closed"
done page task "Acme/Website/Design" claim=<created 9/x/x>

"#]]
    );
    assert_data_eq!(
        run.ends(),
        str![[r#"
applied
applied
applied

"#]]
    );
    assert!(run.world.objects["Acme/Website/Design"].closed);
    assert_eq!(run.world.changes(), "");
}

#[test]
fn a_task_that_moves_is_created_as_its_page_becomes() {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Shop", "Acme/Website/Design"]);
    world.rules.precedence.tasks.all.on_conflict = crate::domain::rules::OnConflict::Clockify;
    world.rename_page("Acme/Website/Design", "Notion's").rename_object("Acme/Website/Design", "Clockify's");
    world.move_page("Acme/Website/Design", "Acme/Shop");

    let run = run(&world);

    assert_data_eq!(
        run.log(false),
        str![[r#"
send create task "Clockify's" under <Acme/Shop>
done create task "Clockify's" under <Acme/Shop>
send page task "Acme/Website/Design" claim=<created 9/x/x> name="Clockify's"
send update task <Acme/Website/Design> state="closed"
done update task <Acme/Website/Design> state="closed"
done page task "Acme/Website/Design" claim=<created 9/x/x> name="Clockify's"

"#]]
    );
    assert_eq!(run.world.changes(), "");
}

#[test]
fn a_copied_id_is_cleared_and_replaced_in_one_request() {
    let mut world = World::linked(&["Acme"]);
    world.page("Copy");
    world.page_mut("Copy").claim = Claim::Id(world.object_id("Acme"));
    assert_data_eq!(
        run(&world).log(false),
        str![[r#"
send create client "Copy"
done create client "Copy"
send page client "Copy" claim=<created 4>
done page client "Copy" claim=<created 4>

"#]]
    );

    let plan = world.plan();
    let approved = approve(&plan, |change| change.proposal.action == Action::ClearClaim);
    let cleared = Bench { approved: Some(approved), ..Bench::new(&world) }.run();
    assert_data_eq!(
        cleared.log(false),
        str![[r#"
send page client "Copy" claim=
done page client "Copy" claim=

"#]]
    );
}

#[test]
fn a_link_sends_nothing_but_the_id() {
    let mut world = World::default();
    world.object("Acme");
    world.page("Acme");
    let linked = run(&world);
    assert_data_eq!(
        linked.log(true),
        str![[r#"
  journal: intent 1 +1 link
send page client "Acme" claim=<Acme>
done page client "Acme" claim=<Acme>
  journal: 1 done, applied +1 link

"#]]
    );
    assert_eq!(linked.world.base("Acme", Field::Name), Some(Agreed::Same(Value::text("Acme"))));

    world.rules.id_strategy = IdStrategy::Local;
    let local = run(&world);
    assert_eq!(local.log(false), "");
    assert_eq!(local.ends(), "applied\n");
    assert_eq!(local.world.changes(), "");
}

#[test]
fn a_second_link_to_one_object_is_refused() {
    let mut world = World::default();
    world.object("ACME");
    world.page("Acme");
    world.page("acme");
    let plan = choose(&world.plan(), Action::Link, &world.rules);
    let run = Bench { approved: Some(approve_all(&plan)), ..Bench::new(&world) }.run();
    assert_data_eq!(
        run.ends(),
        str![[r#"
failed: 000000000000000000000001 is linked to another page by now
applied
applied

"#]]
    );
}

#[test]
fn a_link_under_another_parent_does_not_say_that_the_parent_was_agreed() {
    let mut world = World::linked(&["Acme", "Beta", "Acme/Website"]);
    let page = world.page_id("Acme/Website");
    world.registry.remove(page);
    world.move_page("Acme/Website", "Beta");
    let plan = world.plan();
    let approved = approve(&plan, |change| change.proposal.action == Action::Link);

    let run = Bench { approved: Some(approved), ..Bench::new(&world) }.run();

    assert_data_eq!(
        run.world.changes(),
        str![[r#"
project "Website" move <Acme/Website> parent: "Acme" → "Beta" [first_sight 90 review]

"#]]
    );
}

#[test]
fn what_was_accepted_stays_accepted() {
    for field in [Field::Name, Field::State, Field::Parent, Field::Note] {
        let mut world = World::linked(&["Acme", "Beta", "Acme/Website"]);
        let path = "Acme/Website";
        world.agree(path, Field::Note, &Value::text("old"));
        match field {
            Field::Name => world.object_mut(path).name = "Shop".into(),
            Field::State => world.object_mut(path).closed = true,
            Field::Parent => world.object_mut(path).parent = Some(world.object_id("Beta")),
            _ => world.object_mut(path).values.set(field, Value::text("new")),
        }
        let plan = choose(&world.plan(), Action::Accept, &world.rules);

        let run = Bench { approved: Some(approve_all(&plan)), ..Bench::new(&world) }.run();

        assert_eq!(run.log(false), "", "{field}");
        assert_eq!(run.ends(), "applied\n", "{field}");
        assert_eq!(run.world.changes(), "", "{field}");
    }
}

#[test]
fn clockifys_value_is_written_into_the_page() {
    let mut world = World::linked(&["Acme"]);
    world.rename_page("Acme", "Notion's").rename_object("Acme", "Clockify's");
    world.rules.precedence.clients.all.on_conflict = crate::domain::rules::OnConflict::Clockify;
    let run = run(&world);
    assert_data_eq!(
        run.log(false),
        str![[r#"
send page client "Acme" name="Clockify's"
done page client "Acme" name="Clockify's"

"#]]
    );
    assert_eq!(run.world.changes(), "");
}

#[test]
fn an_answer_that_shows_the_old_value_is_a_failure() {
    let mut world = World::linked(&["Acme"]);
    world.rename_page("Acme", "Acme Inc");
    let run = with_fault(&world, "update client", Fault::Ignored);
    assert_data_eq!(
        run.ends(),
        str![[r#"
failed: Clockify accepted the request, but did not change: name

"#]]
    );
    assert_data_eq!(
        run.world.changes(),
        str![[r#"
client "Acme Inc" update <Acme> name: "Acme" → "Acme Inc" [not_kept 50 review]

"#]]
    );
}

#[test]
fn what_a_create_did_not_keep_is_told_and_an_open_difference() {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    world.page("Acme/Website/Design").values.set(Field::Estimate, Value::Seconds(7200));

    let run = with_fault(&world, "create task", Fault::Ignored);

    assert_eq!(run.ends(), "failed: created, but Clockify did not keep: estimate\n");
    assert!(run.log(false).contains("done page task"), "its ID is written all the same:\n{}", run.log(false));
    let seen = Agreed::seen(Value::Seconds(7200), Value::Empty);
    assert_eq!(run.world.base("Acme/Website/Design", Field::Estimate), Some(seen));
    assert_eq!(
        run.world.changes(),
        "task \"Design\" update <created 6/x/x> estimate: \"\" → \"2 h\" [not_kept 50 review]\n"
    );
    // Somebody has it tried again, in vain: it waits on.
    let again = with_fault(&run.world, "update task", Fault::Ignored);
    assert_eq!(again.ends(), "failed: Clockify accepted the request, but did not change: estimate\n");
    assert_eq!(again.world.changes(), run.world.changes());
}

#[test]
fn closed_pages_in_a_circle_come_to_an_end() {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Website/One", "Acme/Website/Two"]);
    let (one, two) = (world.page_id("Acme/Website/One"), world.page_id("Acme/Website/Two"));
    world.close_page("Acme/Website/One").page_mut("Acme/Website/One").parent = Relation::One(two);
    world.close_page("Acme/Website/Two").page_mut("Acme/Website/Two").parent = Relation::One(one);
    assert_data_eq!(
        run(&world).log(false),
        str![[r#"
send update task <Acme/Website/Two> state="closed"
send update task <Acme/Website/One> state="closed"
done update task <Acme/Website/One> state="closed"
done update task <Acme/Website/Two> state="closed"

"#]]
    );
}

#[test]
fn rename_chains_are_carried_out_from_their_end() {
    let mut world = World::linked(&["A", "B", "C"]);
    world.rename_page("A", "B").rename_page("B", "C").rename_page("C", "D");
    let run = run(&world);
    assert_data_eq!(
        run.log(false),
        str![[r#"
send update client <C> name="D"
done update client <C> name="D"
send update client <B> name="C"
done update client <B> name="C"
send update client <A> name="B"
done update client <A> name="B"

"#]]
    );
    assert_eq!(run.world.changes(), "");
}

#[test]
fn a_name_that_clockify_stores_otherwise_is_not_written_again() {
    let mut world = World::linked(&["Beta"]);
    world.page("Acme!");
    world.rename_page("Beta", "Gamma!");
    let stores = |name: &str| name.replace('!', "");

    let run = Bench { stores, ..Bench::new(&world) }.run();

    let apart = |name: &str| {
        let notion = Value::Text(format!("{name}!").into());
        Some(Agreed::apart(notion, Value::text(name)))
    };
    assert_eq!(run.world.base("Acme!", Field::Name), apart("Acme"));
    assert_eq!(run.world.base("Beta", Field::Name), apart("Gamma"));
    assert_eq!(run.world.changes(), "");
}

#[test]
fn a_value_that_was_typed_instead_is_written_and_the_difference_is_remembered() {
    let mut world = World::linked(&["Acme", "Acme/Shop"]);
    world.agree("Acme/Shop", Field::Note, &Value::text("old"));
    world.page_mut("Acme/Shop").values.set(Field::Note, Value::text("new"));
    world.page("Acme/Blog").values.set(Field::Note, Value::text("new"));
    let plan = world.plan();
    let mut review = Review::new(&plan, "tester");
    review.approve_all(|_| true);
    for at in 0..plan.changes.len() {
        review.edit_field(at, Field::Note, &Value::text("typed"), false);
    }

    let run = Bench { approved: Some(review.approved()), ..Bench::new(&world) }.run();

    assert_data_eq!(
        run.log(false),
        str![[r#"
send create project "Blog" under <Acme> note="typed"
send update project <Acme/Shop> note="typed"
done update project <Acme/Shop> note="typed"
done create project "Blog" under <Acme> note="typed"
send page project "Acme/Blog" claim=<created 6/x>
done page project "Acme/Blog" claim=<created 6/x>

"#]]
    );
    assert_eq!(run.world.changes(), "", "neither is proposed again");
    let mut later = run.world.clone();
    later.page_mut("Acme/Shop").values.set(Field::Note, Value::text("newer"));
    assert!(later.changes().contains(r#"note: "typed" → "newer""#), "a later edit is: {}", later.changes());
}

#[test]
fn closes_come_last() {
    let mut world = World::linked(&["Acme", "Beta", "Beta/Old"]);
    world.close_page("Beta/Old").rename_page("Acme", "Acme Group").page("Carol");
    let run = run(&world);
    assert_data_eq!(
        run.log(false),
        str![[r#"
send update client <Acme> name="Acme Group"
send create client "Carol"
done create client "Carol"
done update client <Acme> name="Acme Group"
send page client "Carol" claim=<created 8>
send update project <Beta/Old> state="closed"
done update project <Beta/Old> state="closed"
done page client "Carol" claim=<created 8>

"#]]
    );
    let refused = with_fault(&world, "create client", Fault::Refused);
    assert!(
        refused.log(false).contains("done update project"),
        "a create that fails does not keep them: {}",
        refused.log(false)
    );
}
