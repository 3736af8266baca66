//! Ready means possible: what is known to be impossible is left out or held for that alone, is told everywhere, and
//! waits until it is possible; everything else goes on.

use punchlist::sandbox::{ClockifyId, NotionId, World};
use serde_json::{Value, json};

use crate::support::Rig;

const ASSIGNEES: &str = "mapping.tasks.fields = { assignees = \"Assignee\", estimate = \"Estimate (h)\" }\n";

/// A task of a project of a client, all of which are new.
fn new_task() -> (World, NotionId) {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Shop", client);
    let task = world.add_task_page("Design", project);
    (world, task)
}

fn waiting(rig: &Rig) -> Vec<(String, String, String)> {
    let pending = rig.run(&["pending", "--json"]).json();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = pending["changes"].as_array().expect("changes").iter();
    changes.map(|change| (word(&change["name"]), word(&change["waits"]), word(&change["because"]))).collect()
}

fn task(rig: &Rig, name: &str) -> punchlist::sandbox::Task {
    let tasks = rig.sandbox.world().tasks();
    tasks.into_iter().find(|task| task.name == name).expect("a task of this name")
}

#[test]
fn a_task_for_somebody_without_an_account_is_created_and_the_assignment_waits() {
    let (mut world, page) = new_task();
    let kai = world.person("Kai Freelance");
    world.set(page, "Assignee", json!([kai]));
    world.set(page, "Estimate (h)", 2);
    let rig = Rig::new(world);
    rig.configure(ASSIGNEES);

    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("kai@elsewhere.example has no account in the Clockify workspace"), "{plan}");
    let lines = rig.plan_lines();
    assert!(lines.contains(&"create task Design [ready]".to_owned()), "{lines:?}");
    assert!(lines.contains(&"update task Design [held: not_taken]".to_owned()), "{lines:?}");
    let console = rig.plain("next\nnext\nnext\nnext\nquit\n");
    assert!(console.contains("kai@elsewhere.example has no account"), "{console}");

    for _ in 0..2 {
        let (code, report) = rig.auto_approve();
        assert_eq!((code, &report["failed"], &report["held"]), (2, &json!(0), &json!(1)), "{report:#}");
        let waiting = waiting(&rig);
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        assert_eq!((waiting[0].0.as_str(), waiting[0].1.as_str()), ("Design", "held"));
        assert!(waiting[0].2.contains("kai@elsewhere.example has no account"), "{waiting:?}");
        assert_eq!((task(&rig, "Design").estimate, task(&rig, "Design").assignee_ids), ("PT2H".to_owned(), vec![]));
    }

    rig.sandbox.world().invite("Kai Freelance", "kai@elsewhere.example");
    assert_eq!(
        rig.plan_lines(),
        ["update task Design [review]"],
        "possible now, and still for a person as every first sight"
    );
    rig.configure(&format!("{ASSIGNEES}rules.thresholds.update = 90\n"));
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(task(&rig, "Design").assignee_ids.len(), 1);
}

#[test]
fn an_address_in_clockify_that_is_another_one_is_mapped() {
    let (mut world, page) = new_task();
    world.invite("Kai", "kai@harbour.example");
    let kai = world.person("Kai Freelance");
    world.set(page, "Assignee", json!([kai]));
    let rig = Rig::new(world);
    rig.configure(
        "[mapping.tasks.fields.assignees]\nproperty = \"Assignee\"\nvalues = { \"kai@elsewhere.example\" = \"kai@harbour.example\" }\n",
    );

    assert_eq!(rig.auto_approve().0, 0);

    let member = rig.sandbox.world().member("Kai").expect("a member").to_string();
    assert_eq!(task(&rig, "Design").assignee_ids, [member]);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn an_address_that_is_too_long_waits_and_the_client_does_not() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    world.set_text(client, "Address", &"x".repeat(3001));
    world.set_text(client, "Notes", "net 30");
    let rig = Rig::new(world);
    rig.configure("mapping.clients.fields = { address = \"Address\", note = \"Notes\" }\n");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"], &report["failed"]), (2, &json!(1), &json!(0)), "{report:#}");
    assert!(waiting(&rig)[0].2.contains("3001 characters, and at most 3000 are taken"), "{:?}", waiting(&rig));
    let made = rig.sandbox.world().clients()[0].clone();
    assert!(made.address.is_none() && made.note.expect("a note").starts_with("net 30"));

    assert_eq!(rig.auto_approve().0, 2);
    assert_eq!(rig.plan_lines(), ["update client Globex [held: not_taken]"], "and nobody proposes to empty the page");
    rig.sandbox.world().set_text(client, "Address", "Main Street 1");
    rig.configure(
        "mapping.clients.fields = { address = \"Address\", note = \"Notes\" }\nrules.thresholds.update = 90\n",
    );
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.sandbox.world().clients()[0].address.as_deref(), Some("Main Street 1"));
}

#[test]
fn what_clockify_says_waits_where_the_page_cannot_take_it() {
    let mut world = World::empty();
    world.add_client_page("Globex");
    let rig = Rig::new(world);
    rig.configure(
        "mapping.clients.fields.address = \"Color\"\nrules.clients.fields.address.direction = \"to_notion\"\nrules.thresholds.write_back = 90\n",
    );
    assert_eq!(rig.auto_approve().0, 0);
    let object = rig.sandbox.world().clients()[0].id;
    let live = |place: &str| rig.sandbox.world().edit_client(object, |client| client.address = Some(place.to_owned()));

    live("Ring 1, Vienna");
    rig.sandbox.clear_calls();
    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["failed"], &report["held"]), (2, &json!(0), &json!(1)), "{report:#}");
    assert!(rig.mutations().is_empty());
    assert!(waiting(&rig)[0].2.contains("“Ring 1, Vienna” has a comma"), "{:?}", waiting(&rig));
    live("Vienna");
    let lines = rig.plan_lines();
    assert!(lines.len() == 1 && !lines[0].contains("held"), "{lines:?}");
}

#[test]
fn an_estimate_that_the_plan_does_not_have_fails_once_and_then_waits_without_holding_the_task() {
    let (mut world, page) = new_task();
    world.set(page, "Estimate (h)", 2);
    let rig = Rig::new(world);
    rig.configure(ASSIGNEES);
    rig.sandbox.knobs().estimates_refused = true;
    assert_eq!(rig.auto_approve().1["failed"], json!(1), "nobody could know");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["failed"]), (2, &json!(0)), "{report:#}");
    assert_eq!(task(&rig, "Design").estimate, "PT0S");
    assert!(waiting(&rig)[0].2.contains("the plan of the workspace, FREE, may have none"), "{:?}", waiting(&rig));

    // Another plan is another question.
    rig.sandbox.knobs().estimates_refused = false;
    rig.sandbox.world().set_plan("PRO");
    rig.configure(&format!("{ASSIGNEES}rules.thresholds.update = 90\n"));
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(task(&rig, "Design").estimate, "PT2H");
}

#[test]
fn an_estimate_that_is_the_sum_of_the_tasks_stays_that() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let page = world.add_project_page("Shop", client);
    world.set(page, "Estimate (h)", 10);
    let rig = Rig::new(world);
    let mapping = "mapping.projects.fields = { estimate = \"Estimate (h)\", note = \"Notes\" }\n";
    rig.configure(mapping);
    assert_eq!(rig.auto_approve().0, 0);
    let estimate =
        json!({"estimate": "PT12H", "type": "AUTO", "resetOption": null, "active": true, "includeNonBillable": true});
    {
        let mut world = rig.sandbox.world();
        let project = world.projects()[0].id;
        world.edit_project(project, |project| project.time_estimate = estimate.clone());
        world.set(page, "Estimate (h)", 20);
        world.set_text(page, "Notes", "new");
    }
    rig.configure(&format!("{mapping}rules.projects.on_conflict = \"notion\"\nrules.thresholds.update = 90\n"));

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["failed"]), (2, &json!(0)), "{report:#}");
    let project = rig.sandbox.world().projects()[0].clone();
    assert_eq!(project.time_estimate, estimate);
    assert!(project.note.starts_with("new"));
    assert!(waiting(&rig)[0].2.contains("the sum of its tasks' estimates"), "{:?}", waiting(&rig));
}

#[test]
fn a_template_is_left_alone() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let rig = Rig::new(world);
    assert_eq!(rig.auto_approve().0, 0);
    {
        let mut world = rig.sandbox.world();
        let globex = world.find_client("Globex").expect("a client");
        for name in ["Shop", "Starter kit"] {
            let template = world.add_project(name, globex);
            world.edit_project(template, |project| project.template = true);
            world.add_task("Kick-off", template);
        }
        world.add_project_page("Shop", client);
    }
    let before = rig.sandbox.world().clockify_snapshot();
    rig.configure("rules.unmanaged = \"close\"\n");

    let plan = rig.plan();
    let (code, _) = rig.auto_approve();

    assert_eq!(plan["changes"].as_array().map(Vec::len), Some(1), "{plan:#}");
    assert!(plan["notices"].as_array().expect("notices").is_empty(), "{plan:#}");
    let hold = plan["changes"][0]["hold"]["text"].as_str().unwrap_or_default();
    assert!(hold.contains("a template for projects has this name"), "{hold}");
    assert_eq!(code, 2);
    assert_eq!(rig.sandbox.world().clockify_snapshot(), before);
}

/// A project with a task under a client, and another project, all linked.
fn two_projects() -> (Rig, [NotionId; 3], ClockifyId) {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let (shop, app) = (world.add_project_page("Shop", client), world.add_project_page("App", client));
    let page = world.add_task_page("Design", shop);
    let rig = Rig::new(world);
    rig.configure(ASSIGNEES);
    assert_eq!(rig.auto_approve().0, 0);
    let task = rig.sandbox.world().tasks()[0].id;
    (rig, [page, shop, app], task)
}

#[test]
fn a_task_that_moves_takes_everything_along_but_its_tracked_time() {
    let (rig, [page, _, app], old) = two_projects();
    let group = "64d000000000000000000001".to_owned();
    let jonas = {
        let mut world = rig.sandbox.world();
        let jonas = world.member("Jonas Weber").expect("a member").to_string();
        world.edit_task(old, |task| {
            task.assignee_ids = vec![jonas.clone()];
            task.user_group_ids = vec![group.clone()];
            task.estimate = "PT8H".to_owned();
            task.budget_estimate = json!(90_000);
            task.billable = true;
            task.hourly_rate = json!({"amount": 12_000, "currency": "EUR"});
            task.cost_rate = json!({"amount": 6000, "currency": "EUR"});
        });
        world.set_relation(page, "Projects", &[app]);
        jonas
    };
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("its tracked time stays here"), "{plan}");
    rig.configure(&format!("{ASSIGNEES}rules.thresholds.move = 80\n"));

    let (_, report) = rig.auto_approve();

    assert_eq!(report["failed"], json!(0), "{report:#}");
    let world = rig.sandbox.world();
    let project = world.projects().into_iter().find(|project| project.name == "App").expect("a project").id;
    let (old, new) = (world.task(old).expect("the old one"), world.find_task("Design", project).expect("the new one"));
    let new = world.task(new).expect("the new one");
    assert!(old.done && !new.done);
    let mut expected = old.clone();
    (expected.id, expected.project, expected.done) = (new.id, new.project, false);
    assert_eq!(*new, expected, "but for where it is");
    assert_eq!((&new.assignee_ids, &new.user_group_ids), (&vec![jonas], &vec![group]));
}

#[test]
fn a_rename_waits_with_the_move_without_which_its_name_is_taken() {
    let (rig, [page, ..], _) = two_projects();
    {
        let mut world = rig.sandbox.world();
        let project = world.find_page("Projects", "Shop").expect("a page");
        world.add_task_page("Build", project);
    }
    assert_eq!(rig.auto_approve().0, 0);
    {
        let mut world = rig.sandbox.world();
        let app = world.find_page("Projects", "App").expect("a page");
        world.set_relation(page, "Projects", &[app]);
        world.set_title(page, "Build");
    }

    assert_eq!(rig.plan_lines(), ["move task Build [review]", "update task Build [review]"]);
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["failed"], &report["applied"]), (2, &json!(0), &json!(0)), "{report:#}");
    rig.run(&["pending", "approve", "--all"]);
    assert_eq!(rig.run(&["apply", "--pending"]).code, 0);
    let names: Vec<String> = rig.sandbox.world().tasks().into_iter().map(|task| task.name).collect();
    assert_eq!(names, ["Design", "Build", "Build"], "the old one keeps its name, closed");
}
