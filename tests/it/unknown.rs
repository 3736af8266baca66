//! What a service does not say is not empty, and what it does not show is not gone; and what nobody would notice is
//! told.

use punchlist::sandbox::{ClockifyId, Fault, FaultKind, NotionId, Service, World};
use serde_json::{Value, json};

use crate::support::Rig;

/// A client with a project and a task that both sides agree on.
struct Agreed {
    rig: Rig,
    client: NotionId,
    project: NotionId,
    task: NotionId,
}

fn agreed(configuration: &str) -> Agreed {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let task = world.add_task_page("Design", project);
    let rig = Rig::new(world);
    rig.configure(configuration);
    rig.settle();
    Agreed { rig, client, project, task }
}

fn object(rig: &Rig, page: NotionId) -> ClockifyId {
    let world = rig.sandbox.world();
    let claim = world.claim(page).expect("an ID");
    let clients = world.clients().into_iter().map(|row| row.id);
    let all = clients
        .chain(world.projects().into_iter().map(|row| row.id))
        .chain(world.tasks().into_iter().map(|row| row.id));
    all.into_iter().find(|id| id.to_string() == claim).expect("an object")
}

/// `unknown Website: its client cannot be told…` for each notice of a code.
fn notices(rig: &Rig, code: &str) -> Vec<String> {
    let plan = rig.plan();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_code = plan["notices"].as_array().expect("notices").iter().filter(|notice| notice["code"] == code);
    of_code.map(|notice| format!("{}: {}", word(&notice["name"]), word(&notice["text"]))).collect()
}

/// A run changes nothing and leaves nothing for a person.
fn nothing_happens(rig: &Rig) {
    rig.sandbox.clear_calls();
    assert_eq!(rig.plan_lines(), [""; 0]);
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["applied"]), (0, &json!(0)), "{report}");
    assert_eq!(rig.mutations().len(), 0);
}

#[test]
fn a_formula_that_notion_does_not_compute_opens_nothing_and_wipes_nothing() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    world.set_status(project, "Status", "In progress");
    let rig = Rig::new(world);
    rig.add_column("Projects", "Over", json!({"formula": {"expression": "prop(\"Status\")"}}));
    rig.add_column("Projects", "About", json!({"formula": {"expression": "prop(\"Name\")"}}));
    rig.configure(
        "mapping.projects.closed = { property = \"Over\", values = [\"Done\"] }\nmapping.projects.fields.note = \"About\"\n",
    );
    rig.settle();
    rig.sandbox.world().set_status(project, "Status", "Done");
    rig.settle();
    let before = rig.sandbox.world().projects();
    assert!(before[0].archived && before[0].note.starts_with("Website"), "{before:?}");

    rig.sandbox.knobs().computed_unsupported = true;
    rig.sandbox.world().add_project_page("Shop", client);

    nothing_happens(&rig);
    let said = notices(&rig, "unknown");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|said| said.contains("whether it is open cannot be told")), "{said:?}");
    assert_eq!(rig.sandbox.world().projects(), before);

    rig.sandbox.knobs().computed_unsupported = false;
    assert_eq!(rig.plan_lines(), ["create project Shop [ready]"]);
}

#[test]
fn a_client_whose_database_is_not_shared_is_not_no_client() {
    let Agreed { rig, client, project, .. } = agreed("");
    // The projects name their clients in another database.
    let target = rig.sandbox.world().data_source("Tasks").expect("a data source").to_string();
    rig.add_column("Projects", "Customer", json!({"relation": {"data_source_id": target, "single_property": {}}}));
    rig.configure("mapping.projects.client = \"Customer\"\nrules.projects.without_client = \"mirror\"\n");
    let before = rig.sandbox.world().projects();

    nothing_happens(&rig);

    let said = notices(&rig, "unknown");
    assert!(said.len() == 1 && said[0].starts_with("Website: its client cannot be told"), "{said:?}");
    // Nobody has agreed to anything meanwhile: with the old relation all is as it was.
    rig.configure("");
    let own = object(&rig, project);
    rig.sandbox.world().move_project(own, None);
    assert_eq!(rig.plan_lines(), ["move project Website [review]"]);
    assert_eq!(before[0].client, Some(object(&rig, client)));
}

#[test]
fn hidden_people_take_nobody_from_a_task() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let task = world.add_task_page("Design", project);
    let mara = world.person("Mara Lindqvist").expect("known");
    world.set(task, "Assignee", json!([mara]));
    let rig = Rig::new(world);
    rig.configure("mapping.tasks.fields.assignees = \"Assignee\"\n");
    rig.settle();
    let before = rig.sandbox.world().tasks();
    assert_eq!(before[0].assignee_ids.len(), 1);

    rig.sandbox.knobs().people_without_email = true;
    nothing_happens(&rig);
    assert_eq!(rig.sandbox.world().tasks(), before);
    let page = rig.sandbox.world().add_task_page("Build", project);
    rig.sandbox.world().set(page, "Assignee", json!([mara]));
    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(1)), "it is created all the same: {report}");
    assert_eq!(notices(&rig, "unknown").len(), 2);
    rig.sandbox.knobs().people_without_email = false;
    assert_eq!(rig.plan_lines(), ["update task Build [review]"]);
}

#[test]
fn a_private_project_that_a_members_key_does_not_see_is_not_gone() {
    let Agreed { rig, project, client, .. } = agreed("");
    let own = object(&rig, project);
    rig.sandbox.world().edit_project(own, |project| {
        project.public = false;
        project.memberships.clear();
    });
    rig.sandbox.knobs().member_key = true;

    nothing_happens(&rig);
    let said = notices(&rig, "unknown");
    assert!(
        said.iter().any(|said| said.contains("key of a plain member") && said.contains("nothing is taken for gone")),
        "{said:?}"
    );
    assert!(said.iter().any(|said| said.starts_with("Website: its object is not seen")), "{said:?}");

    // What the key does see is kept true.
    rig.sandbox.world().set_title(client, "Globex Ltd");
    assert_eq!(rig.auto_approve().1["applied"], json!(1));

    // The key of an owner proves it.
    rig.sandbox.knobs().member_key = false;
    nothing_happens(&rig);
    rig.sandbox.world().delete_object(own);
    assert_eq!(rig.plan_lines(), ["create project Website [review]", "create task Design [review]"]);
}

#[test]
fn what_was_created_a_moment_ago_and_is_not_listed_yet_is_not_gone() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    world.add_project_page("Website", client);
    let rig = Rig::new(world);
    rig.sandbox.knobs().clockify_lag = 6;
    rig.auto_approve();

    assert_eq!(rig.plan_lines(), [""; 0], "it answers to its ID");
    assert_eq!(rig.sandbox.world().clients().len(), 1);

    rig.sandbox.world().add_client_page("Initech");
    rig.sandbox.knobs().faults.push(
        Fault::new(FaultKind::Status(500, String::new())).service(Service::Clockify).on("GET", "/clients/").times(1000),
    );
    let lines = rig.plan_lines();
    assert!(lines.iter().all(|line| !line.contains("Globex")), "{lines:?}");
}

#[test]
fn clockify_that_shows_nothing_any_more_is_not_taken_at_its_word() {
    let mut world = World::empty();
    for name in ["Globex", "Initech", "Hooli"] {
        world.add_client_page(name);
    }
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().add_client_page("Acme Corp");
    let empty = Fault::new(FaultKind::Status(200, "[]".to_owned()))
        .service(Service::Clockify)
        .on("GET", "/clients")
        .times(1000);
    rig.sandbox.knobs().faults.push(empty);

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (2, &json!(0)));
    assert!(
        rig.plan_lines().iter().all(|line| line.ends_with("[held: incomplete]") || line.starts_with("create")),
        "{:?}",
        rig.plan_lines()
    );
    assert_eq!(rig.mutations().len(), 0);
}

#[test]
fn an_object_that_is_opened_for_a_page_in_the_trash_is_asked_about() {
    let Agreed { rig, task, .. } = agreed("");
    let own = object(&rig, task);
    rig.sandbox.world().trash(task);
    rig.settle();
    assert!(rig.sandbox.world().tasks()[0].done);
    nothing_happens(&rig);

    rig.sandbox.world().reopen_object(own);

    assert_eq!(rig.plan_lines(), ["close task Design [review]"]);
    rig.sandbox.world().close_object(own);
    nothing_happens(&rig);
}

#[test]
fn a_task_that_is_open_in_a_closed_project_is_told() {
    let Agreed { rig, project, .. } = agreed("");
    rig.sandbox.world().set_status(project, "Status", "Done");
    rig.settle();

    let said = notices(&rig, "open_below_closed");

    assert_eq!(said, ["Website: it is closed, and 1 task below it is open on both sides: “Design”"]);
    let own = object(&rig, project);
    assert!(rig.sandbox.world().project(own).expect("there").archived);
}

#[test]
fn what_is_opened_after_the_undo_of_its_creation_gets_its_id_back_if_a_person_says_so() {
    let Agreed { rig, client, .. } = agreed("");
    let page = rig.sandbox.world().add_project_page("Shop", client);
    rig.auto_approve();
    let own = object(&rig, page);
    let file = rig.home.path().join("undo.json");
    let file = file.to_str().expect("UTF-8");
    rig.run(&["undo", "--out", file]);
    let ran = rig.run(&["apply", file]);
    assert_eq!(rig.sandbox.world().claim(page), None, "{}{}", ran.stdout, ran.stderr);
    assert!(rig.sandbox.world().project(own).expect("there").archived);
    nothing_happens(&rig);

    rig.sandbox.world().reopen_object(own);

    for _ in 0..2 {
        assert_eq!(rig.plan_lines(), ["write_back project Shop [review]"]);
        assert_eq!(rig.auto_approve().0, 2);
    }
    assert_eq!(rig.run(&["pending", "approve", "--all"]).code, 0);
    rig.auto_approve();
    assert_eq!(rig.sandbox.world().claim(page), Some(own.to_string()));
    nothing_happens(&rig);
}

#[test]
fn an_emptied_select_changes_no_flag_and_fails_no_run() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let rig = Rig::new(world);
    rig.add_column("Projects", "Paid", json!({"select": {"options": [{"name": "Yes"}, {"name": "No"}]}}));
    rig.configure("mapping.projects.fields.billable = \"Paid\"\n");
    rig.sandbox.world().set(project, "Paid", json!("Yes"));
    rig.settle();
    assert!(rig.sandbox.world().projects()[0].billable);

    rig.sandbox.world().set(project, "Paid", json!(null));
    nothing_happens(&rig);

    rig.sandbox.world().set(project, "Paid", json!("No"));
    assert_eq!(rig.auto_approve().1["applied"], json!(1));
    assert!(!rig.sandbox.world().projects()[0].billable);
}

#[test]
fn what_is_closed_along_is_no_word_of_the_page_and_opened_along() {
    let Agreed { rig, project, task, .. } = agreed("rules.close_children = true\n");
    rig.sandbox.world().set_status(project, "Status", "Done");
    rig.settle();
    let own = object(&rig, task);
    assert!(rig.sandbox.world().task(own).expect("there").done);
    let status = |rig: &Rig| rig.sandbox.world().page(task).expect("a page").properties["Status"].clone();
    assert_ne!(status(&rig), "Done");
    nothing_happens(&rig);

    // Somebody opens it all the same: that stays, and is told.
    rig.sandbox.world().reopen_object(own);
    nothing_happens(&rig);
    nothing_happens(&rig);
    assert_eq!(notices(&rig, "open_below_closed").len(), 1);
    rig.sandbox.world().close_object(own);

    rig.sandbox.world().set_status(project, "Status", "In progress");
    rig.settle();
    assert!(!rig.sandbox.world().task(own).expect("there").done, "the rule has closed it, and opens it");
    nothing_happens(&rig);
}

#[test]
fn what_waits_about_a_page_stays_while_nobody_can_tell_whether_it_is_true() {
    let mut world = World::empty();
    let page = world.add_client_page("Globex");
    let rig = Rig::new(world);
    rig.add_column("Clients", "Over", json!({"formula": {"expression": "prop(\"Archive\")"}}));
    rig.configure("mapping.clients.closed = { property = \"Over\", checked = true }\n");
    rig.settle();
    let own = object(&rig, page);
    rig.sandbox.world().rename_object(own, "Globex Inc");
    assert_eq!(rig.auto_approve().0, 2);
    assert_eq!(rig.run(&["pending", "approve", "--all"]).code, 0);
    let waiting = |rig: &Rig| rig.run(&["pending", "--json"]).json()["changes"].as_array().expect("changes").clone();
    let before = waiting(&rig);

    rig.sandbox.knobs().computed_unsupported = true;
    rig.auto_approve();
    rig.plan();
    assert_eq!(waiting(&rig), before);

    rig.sandbox.knobs().computed_unsupported = false;
    assert_eq!(rig.auto_approve().1["applied"], json!(1), "it is still approved");
    assert_eq!(waiting(&rig), [json!(null); 0]);
}
