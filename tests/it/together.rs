//! New projects take their new tasks along: what a first run costs, and what one bad task costs the others.

use punchlist::sandbox::{NotionId, World};
use serde_json::json;

use crate::support::Rig;

/// No budget of a service is in the way.
const AT_ONCE: &str = "notion.requests_per_minute = 60000\nclockify.requests_per_second = 1000\n";

/// An agency that is all new: clients, their projects, and the tasks of these.
fn new_agency(clients: usize, projects: usize, tasks: usize) -> Rig {
    let mut world = World::empty();
    let clients: Vec<NotionId> =
        (0..clients).map(|number| world.add_client_page(&format!("Client {number}"))).collect();
    let projects: Vec<NotionId> = (0..projects)
        .map(|number| world.add_project_page(&format!("Project {number}"), clients[number % clients.len()]))
        .collect();
    for number in 0..tasks {
        world.add_task_page(&format!("Task {number}"), projects[number % projects.len()]);
    }
    let rig = Rig::new(world);
    rig.configure(AT_ONCE);
    rig
}

#[test]
fn a_first_run_of_756_new_rows_takes_at_most_900_calls_as_its_plan_says() {
    let rig = new_agency(19, 83, 654);
    let estimate = rig.plan()["estimate"].clone();
    rig.sandbox.clear_calls();

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"], &report["failed"]), (0, &json!(756), &json!(0)), "{report:#}");
    let (notion, clockify) = rig.call_counts();
    assert!(notion + clockify <= 900, "{notion} and {clockify} calls");
    let creates = rig.mutations().iter().filter(|call| call.method == "POST").count();
    assert_eq!(creates, 19 + 83);
    assert_eq!(estimate["notion_calls"], json!(756), "{estimate}");
    let said = estimate["clockify_calls"].as_u64().expect("a number");
    assert!((102..=115).contains(&said), "{estimate}");
    {
        let world = rig.sandbox.world();
        assert_eq!((world.clients().len(), world.projects().len(), world.tasks().len()), (19, 83, 654));
        for page in world.pages("Tasks") {
            let task = world.tasks().into_iter().find(|task| Some(task.id.to_string()) == world.claim(page.id));
            assert_eq!(task.map(|task| task.name), Some(page.title.clone()));
        }
    }
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn where_projects_do_not_show_their_tasks_each_new_one_is_listed() {
    let rig = new_agency(1, 4, 12);
    rig.sandbox.knobs().hydrated_tasks = false;

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(17)), "{report:#}");
    let tasks_listed = |call: &&punchlist::sandbox::Call| call.method == "GET" && call.path.ends_with("/tasks");
    assert_eq!(rig.sandbox.calls().iter().filter(tasks_listed).count(), 4);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}
