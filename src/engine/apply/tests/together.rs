//! New tasks go along with their new project: one request, and one listing that shows what has become of them.

use std::time::Duration;

use snapbox::{assert_data_eq, str};

use super::fake::{Bench, Fault, Run};
use crate::domain::{
    diff::tests::world::World,
    journal::{Outcome, What, open_writes},
    report::Stopped,
};

/// Two new projects of a client that is there, with two new tasks each.
fn new_projects() -> World {
    let mut world = World::linked(&["Acme"]);
    for path in ["Acme/App", "Acme/App/Draw", "Acme/App/Code", "Acme/Web", "Acme/Web/Text", "Acme/Web/Host"] {
        world.page(path);
    }
    world
}

fn with_fault(world: &World, at: &'static str, fault: Fault) -> Run {
    Bench { faults: vec![(at, fault)], ..Bench::new(world) }.run()
}

/// How often something was sent.
fn sent(run: &Run, what: &str) -> usize {
    run.log(false).lines().filter(|line| line.strip_prefix("send ").is_some_and(|line| line.starts_with(what))).count()
}

/// Open writes that the journal holds.
fn left_open(run: &Run) -> Vec<String> {
    let open = open_writes(&run.notebook.events).expect("legal");
    open.iter().map(|open| run.fake.line(&open.request)).collect()
}

#[test]
fn tasks_go_along_with_their_project_and_one_listing_shows_them_all() {
    let run = Bench::new(&new_projects()).run();
    assert_data_eq!(
        run.log(true),
        str![[r#"
  journal: intent 1, intent 2, intent 3, intent 4, intent 5, intent 6
send create project "App" under <Acme> with "Code" with "Draw"
send create project "Web" under <Acme> with "Host" with "Text"
done create project "Web" under <Acme> with "Host" with "Text"
  journal: 4 done, intent 7 +1 link
done create project "App" under <Acme> with "Code" with "Draw"
  journal: 1 done, intent 8 +1 link
send page project "Acme/Web" claim=<created 9/x>
send page project "Acme/App" claim=<created 15/x>
read names of tasks under <created 9/x>
read names of tasks under <created 15/x>
  journal: 5 done, 6 done, 2 done, 3 done, intent 9 +4 link
done page project "Acme/App" claim=<created 15/x>
  journal: 8 done, applied, intent 10, intent 11 +1 link
done page project "Acme/Web" claim=<created 9/x>
  journal: 7 done, applied +1 link
send page task "Acme/App/Code" claim=<created 17/x/x>
send page task "Acme/App/Draw" claim=<created 19/x/x>
send page task "Acme/Web/Host" claim=<created 11/x/x>
done page task "Acme/Web/Host" claim=<created 11/x/x>
  journal: 11 done, applied, intent 12 +1 link
done page task "Acme/App/Draw" claim=<created 19/x/x>
  journal: 10 done, applied +1 link
done page task "Acme/App/Code" claim=<created 17/x/x>
  journal: 9 done, applied +1 link
send page task "Acme/Web/Text" claim=<created 13/x/x>
done page task "Acme/Web/Text" claim=<created 13/x/x>
  journal: 12 done, applied +1 link

"#]]
    );
    assert_eq!((run.world.changes().as_str(), run.ends().matches("applied").count()), ("", 6));
    assert_eq!(sent(&run, "create"), 2);
}

#[test]
fn every_intent_is_on_disk_before_the_request_that_carries_it() {
    let world = new_projects();
    let run = Bench { fails_from: 0, ..Bench::new(&world) }.run();
    assert_eq!((run.ended, run.log(false).as_str()), (Err("the disk is full"), ""));
}

#[test]
fn one_bad_task_holds_neither_its_project_nor_its_siblings() {
    let run = with_fault(&new_projects(), "\"Draw\"", Fault::Refused);
    assert_data_eq!(
        run.log(false),
        str![[r#"
send create project "App" under <Acme> with "Code" with "Draw"
send create project "Web" under <Acme> with "Host" with "Text"
done create project "Web" under <Acme> with "Host" with "Text"
fail create project "App" under <Acme> with "Code" with "Draw"
look up create project "App" under <Acme>
send page project "Acme/Web" claim=<created 9/x>
send create project "App" under <Acme>
read names of tasks under <created 9/x>
done create project "App" under <Acme>
done page project "Acme/Web" claim=<created 9/x>
send page task "Acme/Web/Host" claim=<created 11/x/x>
send page task "Acme/Web/Text" claim=<created 13/x/x>
send create task "Code" under <created 15/x>
send page project "Acme/App" claim=<created 15/x>
done page project "Acme/App" claim=<created 15/x>
done create task "Code" under <created 15/x>
done page task "Acme/Web/Text" claim=<created 13/x/x>
done page task "Acme/Web/Host" claim=<created 11/x/x>
send page task "Acme/App/Code" claim=<created 17/x/x>
send create task "Draw" under <created 15/x>
fail create task "Draw" under <created 15/x>
done page task "Acme/App/Code" claim=<created 17/x/x>

"#]]
    );
    assert_data_eq!(
        run.ends(),
        str![[r#"
applied
applied
applied
applied
failed: no
applied

"#]]
    );
    assert_eq!(left_open(&run), Vec::<String>::new());
}

#[test]
fn a_lost_answer_is_looked_up_and_nothing_is_sent_twice() {
    let run = with_fault(&new_projects(), "create project \"App\"", Fault::AnswerLost);
    assert_eq!((run.world.changes().as_str(), sent(&run, "create")), ("", 2), "{}", run.log(true));
    assert_eq!(run.ends().matches("applied").count(), 6, "{}", run.ends());
}

#[test]
fn of_a_lost_request_nobody_knows_and_the_tasks_are_as_open_as_their_project() {
    let run = with_fault(&new_projects(), "create project \"App\"", Fault::RequestLost);
    assert_data_eq!(
        run.ends(),
        str![[r#"
applied
failed: the line went dead; nothing shows yet whether it happened
failed: the line went dead; nothing shows yet whether it happened
failed: the line went dead; nothing shows yet whether it happened
applied
applied

"#]]
    );
    assert_eq!(left_open(&run).len(), 3, "the project and its two tasks");
    assert_eq!(sent(&run, "create project \"App\""), 1, "{}", run.log(false));
}

#[test]
fn what_did_not_happen_took_nothing_along() {
    let mut world = new_projects();
    world.rules.unsettled = Duration::ZERO;
    let run = with_fault(&world, "create project \"App\"", Fault::RequestLost);
    let absent = run.notebook.events.iter();
    let absent = absent.filter(|event| matches!(event.what, What::Outcome { outcome: Outcome::Absent, .. })).count();
    assert_eq!((absent, left_open(&run).len()), (3, 0));
}

#[test]
fn a_service_that_takes_nothing_along_is_noticed_and_the_rest_goes_one_by_one() {
    let mut world = new_projects();
    for number in 0..30 {
        world.page(&format!("Acme/App/Part {number}"));
    }
    let run = with_fault(&world, "create project", Fault::Lonely);
    let (along, alone) = (sent(&run, "create project \"App\" under <Acme> with"), sent(&run, "create task"));
    assert_eq!(
        (along, alone),
        (1, 2),
        "the second project waited until the first tasks were known: {}",
        run.log(false)
    );
    assert_eq!(left_open(&run).len(), 32);
    assert_eq!(run.world.changes().lines().count(), 32, "{}", run.world.changes());
}

#[test]
fn a_stop_lists_what_went_along_and_writes_its_ids_back() {
    let world = new_projects();
    let run = Bench { stops_after: 1, ..Bench::new(&world) }.run();
    assert_eq!(run.ended, Ok(Stopped::Interrupted));
    assert_eq!(left_open(&run), Vec::<String>::new());
    let (created, written) = (sent(&run, "create project"), sent(&run, "page task"));
    assert_eq!(written, 2 * created, "{}", run.log(false));
}

#[test]
fn without_an_answer_to_the_listing_the_next_run_looks_them_up() {
    let run = with_fault(&new_projects(), "read names of tasks", Fault::Refused);
    assert_eq!(left_open(&run).len(), 4, "{}", run.log(true));
    assert!(
        left_open(&run).iter().all(|task| task.contains(" under <")),
        "their project is known: {:?}",
        left_open(&run)
    );
    assert_eq!(run.ends().matches("applied").count(), 2, "{}", run.ends());
}

#[test]
fn what_the_hour_has_no_listing_left_for_has_begun_and_not_failed() {
    let run = with_fault(&new_projects(), "read names of tasks", Fault::OutOfBudget);
    assert_eq!(run.ended, Ok(Stopped::OutOfBudget));
    assert_eq!(left_open(&run).len(), 4, "{}", run.log(true));
    let ends = run.ends();
    assert_eq!(["applied", "begun", "failed"].map(|end| ends.matches(end).count()), [2, 4, 0], "{ends}");
}

#[test]
fn what_is_never_answered_is_as_open_with_all_that_went_along() {
    let world = new_projects();
    let faults = vec![("create project", Fault::Hangs)];
    let run = Bench { faults, stops_after: 1, ..Bench::new(&world) }.run();
    assert_eq!(left_open(&run).len(), 3 * sent(&run, "create project"));
    assert_eq!(run.ends().matches("failed").count(), left_open(&run).len(), "{}", run.ends());
}

#[test]
fn of_very_many_tasks_those_beyond_what_one_request_takes_follow_one_by_one() {
    let mut world = World::linked(&["Acme"]);
    world.page("Acme/App");
    for number in 0..205 {
        world.page(&format!("Acme/App/Part {number}"));
    }
    let run = Bench::new(&world).run();
    assert_eq!((sent(&run, "create project"), sent(&run, "create task")), (1, 5));
    assert_eq!((run.world.changes().as_str(), run.ends().matches("applied").count()), ("", 206));
}

#[test]
fn projects_wait_while_many_tasks_have_no_id_in_their_page() {
    let mut world = World::linked(&["Acme"]);
    for project in 0..40 {
        world.page(&format!("Acme/P{project}"));
        for task in 0..10 {
            world.page(&format!("Acme/P{project}/{task}"));
        }
    }
    let run = Bench::new(&world).run();
    let (mut unwritten, mut most) = (0_usize, 0);
    let log = run.log(false);
    for line in log.lines() {
        unwritten += if line.starts_with("done create project") { 10 } else { 0 };
        unwritten -= usize::from(line.starts_with("done page task"));
        most = most.max(unwritten);
    }
    assert!((100..=150).contains(&most), "{most} tasks without an ID");
    assert_eq!((run.world.changes().as_str(), run.ends().matches("applied").count()), ("", 440));
}
