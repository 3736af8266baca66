//! A write changes what the plan shows, and no more: the whole Clockify side before and after each kind of write, field
//! by field.

use std::collections::BTreeSet;

use punchlist::sandbox::{NotionId, World};
use serde_json::{Value, json};

use crate::support::Rig;

const MAPPING: &str = "mapping.clients.fields = { email = \"Email\", address = \"Address\", note = \"Notes\" }\n\
     mapping.projects.fields = { billable = \"Billable\", note = \"Notes\", estimate = \"Estimate (h)\" }\n\
     mapping.tasks.fields = { billable = \"Billable\", estimate = \"Estimate (h)\", assignees = \"Assignee\" }\n\
     rules.thresholds = { move = 80, update = 90 }\n";

/// Two clients, a project and a task, which have everything that an object can have.
fn rich() -> (Rig, [NotionId; 4]) {
    let mut world = World::empty();
    let (client, other) = (world.add_client_page("Globex"), world.add_client_page("Initech"));
    let project = world.add_project_page("Shop", client);
    let task = world.add_task_page("Design", project);
    world.set(client, "Email", "billing@globex.example");
    world.set_text(client, "Address", "Main Street 1");
    world.set(project, "Estimate (h)", 40);
    world.set_checkbox(project, "Billable", true);
    world.set_checkbox(task, "Billable", true);
    world.set(task, "Estimate (h)", 4);
    let jonas = world.person("Jonas Weber");
    world.set(task, "Assignee", json!([jonas]));
    let rig = Rig::new(world);
    rig.configure(MAPPING);
    assert_eq!(rig.auto_approve().0, 0);
    {
        let mut world = rig.sandbox.world();
        let (client, project, task) =
            (world.find_client("Globex").expect("there"), world.projects()[0].id, world.tasks()[0].id);
        let rate = |amount: i64| json!({"amount": amount, "currency": "EUR"});
        world.edit_client(client, |client| client.cc_emails = Some(vec!["cc@globex.example".into()]));
        world.edit_project(project, |project| {
            project.public = true;
            "#123456".clone_into(&mut project.color);
            (project.hourly_rate, project.cost_rate) = (rate(9000), rate(4000));
            project.budget_estimate =
                json!({"estimate": 500_000, "type": "MANUAL", "active": false, "resetOption": "MONTHLY"});
            project.time_estimate["includeNonBillable"] = json!(false);
            project.time_estimate["resetOption"] = json!("MONTHLY");
        });
        world.edit_task(task, |task| {
            task.user_group_ids = vec!["64d000000000000000000001".to_owned()];
            task.budget_estimate = json!(70_000);
            (task.hourly_rate, task.cost_rate) = (rate(8000), rate(3000));
        });
    }
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
    (rig, [client, other, project, task])
}

/// The paths of all values that differ, without the ids of the objects: `projects.color`.
fn changed(before: &Value, after: &Value) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    for kind in ["clients", "projects", "tasks", "time_entries"] {
        let (before, after) = (before[kind].as_object().expect("rows"), after[kind].as_object().expect("rows"));
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "none comes or goes");
        for (id, row) in before {
            for (field, value) in row.as_object().expect("fields") {
                match (value.as_object(), after[id][field].as_object()) {
                    (Some(parts), Some(_)) => changed.extend(
                        parts
                            .iter()
                            .filter(|(part, was)| after[id][field][part.as_str()] != **was)
                            .map(|(part, _)| format!("{kind}.{field}.{part}")),
                    ),
                    _ if after[id][field] != *value => {
                        changed.insert(format!("{kind}.{field}"));
                    }
                    _ => {}
                }
            }
        }
    }
    changed
}

/// What somebody does in Notion, and what that may change in Clockify.
type Case = (&'static str, fn(&mut World, [NotionId; 4]), &'static [&'static str]);

const CASES: &[Case] = &[
    ("a client is renamed", |world, [client, ..]| world.set_title(client, "Globex AG"), &["clients.name"]),
    ("its address changes", |world, [client, ..]| world.set_text(client, "Address", "Street 2"), &["clients.address"]),
    ("its e-mail goes", |world, [client, ..]| world.set(client, "Email", Value::Null), &["clients.email"]),
    ("it gets a note", |world, [client, ..]| world.set_text(client, "Notes", "new"), &["clients.note"]),
    ("a project is renamed", |world, [_, _, project, _]| world.set_title(project, "Store"), &["projects.name"]),
    (
        "it is moved",
        |world, [_, other, project, _]| world.set_relation(project, "Clients", &[other]),
        &["projects.client"],
    ),
    ("a client is closed", |world, [client, ..]| world.set_checkbox(client, "Archive", true), &["clients.archived"]),
    (
        "it is not billable",
        |world, [_, _, project, _]| world.set_checkbox(project, "Billable", false),
        &["projects.billable"],
    ),
    ("it gets a note", |world, [_, _, project, _]| world.set_text(project, "Notes", "new"), &["projects.note"]),
    (
        "its hours change",
        |world, [_, _, project, _]| world.set(project, "Estimate (h)", 50),
        &["projects.time_estimate.estimate"],
    ),
    ("a task is renamed", |world, [.., task]| world.set_title(task, "Draw"), &["tasks.name"]),
    ("it is not billable", |world, [.., task]| world.set_checkbox(task, "Billable", false), &["tasks.billable"]),
    ("its hours change", |world, [.., task]| world.set(task, "Estimate (h)", 5), &["tasks.estimate"]),
    ("nobody does it", |world, [.., task]| world.set(task, "Assignee", json!([])), &["tasks.assignee_ids"]),
    ("a task is done", |world, [.., task]| world.set_status(task, "Status", "Done"), &["tasks.done"]),
    ("it is not", |world, [.., task]| world.set_status(task, "Status", "In progress"), &["tasks.done"]),
    (
        "task and project are done",
        |world, [_, _, project, task]| {
            world.set_status(task, "Status", "Done");
            world.set_status(project, "Status", "Done");
        },
        &["projects.archived", "tasks.done"],
    ),
    (
        "the project is not",
        |world, [_, _, project, _]| world.set_status(project, "Status", "In progress"),
        &["projects.archived"],
    ),
];

#[test]
fn nothing_changes_but_what_was_changed() {
    let (rig, pages) = rich();
    for (case, happens, expected) in CASES {
        let before = rig.sandbox.world().clockify_snapshot();
        happens(&mut rig.sandbox.world(), pages);

        let (code, report) = rig.auto_approve();

        assert_eq!((code, &report["failed"]), (0, &json!(0)), "{case}: {report:#}");
        let after = rig.sandbox.world().clockify_snapshot();
        let expected: BTreeSet<String> = expected.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(changed(&before, &after), expected, "{case}");
    }
}
