//! What the mapping can say beside the names of properties, through the binary and the sandbox.

use punchlist::sandbox::{NotionId, Service, World};
use serde_json::json;

use crate::support::Rig;

/// Where a key stands in the configuration of a rig.
fn place(rig: &Rig, key: &str) -> String {
    let text = std::fs::read_to_string(rig.configuration()).expect("reads");
    let line = text.lines().position(|line| line.starts_with(key)).expect("there") + 1;
    format!("{}:{line}", rig.configuration().display())
}

/// A client with a project, both new.
fn project() -> (World, NotionId) {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Shop", client);
    (world, project)
}

fn is_archived(rig: &Rig) -> bool {
    rig.sandbox.world().projects()[0].archived
}

fn status(rig: &Rig, page: NotionId) -> String {
    rig.sandbox.world().page(page).expect("a page").properties["Status"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_option_of_a_group_closes_new_ones_and_moved_ones_too() {
    let (world, page) = project();
    let rig = Rig::new(world);
    rig.configure("mapping.projects.closed = { property = \"Status\", groups = [\"Complete\"] }\n");
    rig.settle();
    assert!(!is_archived(&rig));

    {
        let mut world = rig.sandbox.world();
        world.group_option("Projects", "Status", "Invoiced", "Complete");
        world.set_status(page, "Status", "Invoiced");
    }
    assert_eq!(rig.auto_approve().0, 0);
    assert!(is_archived(&rig), "an option that nobody named");
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");

    // Nothing of the row shows that its option has moved.
    rig.sandbox.world().group_option("Projects", "Status", "Invoiced", "In progress");
    assert_eq!(rig.plan_lines(), ["reopen project Shop [ready]"]);
    rig.sandbox.world().group_option("Projects", "Status", "Invoiced", "Of nobody's");
    assert_eq!(rig.plan_lines(), [""; 0]);
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("Notion does not say in which group the option \"Invoiced\" is"), "{plan}");

    rig.sandbox.clear_calls();
    rig.plan();
    let schemas =
        rig.sandbox.calls().into_iter().filter(|call| call.service == Service::Notion && call.method == "GET");
    assert_eq!(schemas.filter(|call| call.path.contains("data_sources")).count(), 1, "of the projects alone");
}

#[test]
fn a_closed_state_is_written_as_an_option_of_the_group() {
    let (world, page) = project();
    let rig = Rig::new(world);
    rig.configure(
        "mapping.projects.closed = { property = \"Status\", groups = [\"Complete\"] }\nrules.thresholds.write_back = 50\n\
         rules.projects.fields.state.direction = \"to_notion\"\n",
    );
    rig.settle();
    let object = rig.sandbox.world().projects()[0].id;

    rig.sandbox.world().close_object(object);
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(status(&rig, page), "Done", "the first one of the group");
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn a_group_that_does_not_exist_is_named_with_those_that_do() {
    let rig = Rig::new(project().0);
    rig.configure("mapping.projects.closed = { property = \"Status\", groups = [\"Completed\"] }\n");

    let ran = rig.run(&["plan"]);

    assert_ne!(ran.code, 0, "{}", ran.stderr);
    let said = ran.stderr.replace('\n', " ");
    assert!(said.contains("mapping.projects.closed.groups"), "{said}");
    assert!(
        said.contains("no group \"Completed\" in \"Status\"; its groups are \"To-do\", \"In progress\", \"Complete\""),
        "{said}"
    );
    assert_eq!(rig.mutations().len(), 0);
}

#[test]
fn only_pages_in_a_group_are_mirrored() {
    let (mut world, page) = project();
    let client = world.find_page("Clients", "Globex").expect("a page");
    let idea = world.add_project_page("Idea", client);
    world.set_status(page, "Status", "In progress");
    let rig = Rig::new(world);
    rig.configure("mapping.projects.only = { property = \"Status\", groups = [\"In progress\", \"Complete\"] }\n");
    rig.settle();
    let names = |rig: &Rig| rig.sandbox.world().projects().into_iter().map(|project| project.name).collect::<Vec<_>>();
    assert_eq!(names(&rig), ["Shop"]);

    let mut world = rig.sandbox.world();
    world.group_option("Projects", "Status", "Started", "In progress");
    world.set_status(idea, "Status", "Started");
    drop(world);
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(names(&rig), ["Shop", "Idea"]);
}

#[test]
fn a_name_that_only_looks_like_another_one_waits_for_a_person() {
    let mut world = World::empty();
    world.add_client_page("Office ❤");
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().add_client_page("Oﬃce\u{A0}❤\u{FE0F}");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (2, &json!(0)), "{report:#}");
    assert_eq!(rig.plan_lines(), ["create client Oﬃce\u{A0}❤\u{FE0F} [review]"]);
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("the names differ only by case, spaces or what looks the same"), "{plan}");
    rig.plain("approve\napply\nyes\nquit\n");
    let names: Vec<String> = rig.sandbox.world().clients().into_iter().map(|client| client.name).collect();
    assert_eq!(names, ["Office ❤", "Oﬃce ❤\u{FE0F}"], "and it is sent as it is written");
}

#[test]
fn what_the_configuration_says_for_every_page_is_made_and_kept_and_written_nowhere_else() {
    let (world, page) = project();
    let rig = Rig::new(world);
    let before = rig.sandbox.world().page(page).expect("a page").properties;
    rig.configure(
        "mapping.projects.fields = { public = true, billable = false }\nrules.projects.on_drift = \"restore\"\n\
         rules.projects.on_conflict = \"clockify\"\n",
    );
    assert_eq!(rig.auto_approve().0, 0);
    let made = rig.sandbox.world().projects()[0].clone();
    assert_eq!((made.public, made.billable), (true, false));
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");

    rig.sandbox.world().edit_project(made.id, |project| project.public = false);
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("the rule is to restore what the configuration says for every page"), "{plan}");
    assert_eq!(rig.auto_approve().0, 0);
    assert!(rig.sandbox.world().projects()[0].public);

    rig.configure("mapping.projects.fields = { public = false, billable = false }\n");
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("the configuration says something else for every page now"), "{plan}");
    assert_eq!(rig.auto_approve().0, 0);
    assert!(!rig.sandbox.world().projects()[0].public);
    let mut after = rig.sandbox.world().page(page).expect("a page").properties;
    after.insert("Clockify Project ID".to_owned(), before["Clockify Project ID"].clone());
    assert_eq!(after, before, "the page has its ID, and nothing else");
}

/// A new task of a new project for somebody with an account and somebody without one.
fn task() -> (World, NotionId) {
    let (mut world, project) = project();
    let task = world.add_task_page("Design", project);
    let people: Vec<_> = ["Mara Lindqvist", "Kai Freelance"].map(|name| world.person(name).expect("a person")).into();
    world.set(task, "Assignee", json!(people));
    (world, task)
}

fn assignees(rig: &Rig) -> Vec<String> {
    let world = rig.sandbox.world();
    world.tasks().into_iter().flat_map(|task| task.assignee_ids).collect()
}

#[test]
fn people_without_an_account_are_left_out_and_that_is_said() {
    let (world, _) = task();
    let rig = Rig::new(world);
    rig.configure(
        "mapping.tasks.fields.assignees = { property = \"Assignee\", unknown = \"leave\" }\nrules.thresholds.update = 90\n",
    );
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("kai@elsewhere.example has no account in the Clockify workspace, and is left out"), "{plan}");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["held"]), (0, &json!(0)), "{report:#}");
    let member = |rig: &Rig, name: &str| rig.sandbox.world().member(name).expect("a member").to_string();
    assert_eq!(assignees(&rig), [member(&rig, "Mara Lindqvist")]);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");

    rig.sandbox.world().invite("Kai Freelance", "kai@elsewhere.example");
    assert_eq!(rig.auto_approve().0, 0);
    let mut all = [member(&rig, "Mara Lindqvist"), member(&rig, "Kai Freelance")];
    let mut now = assignees(&rig);
    all.sort();
    now.sort();
    assert_eq!(now, all);
}

#[test]
fn somebody_stands_in_for_people_without_an_account() {
    let (mut world, _) = task();
    world.invite("Ben", "ben@agency.example");
    let rig = Rig::new(world);
    rig.configure("mapping.tasks.fields.assignees = { property = \"Assignee\", unknown = \"Ben@agency.example\" }\n");

    assert_eq!(rig.auto_approve().0, 0);

    let member = |name: &str| rig.sandbox.world().member(name).expect("a member").to_string();
    let (mut both, mut now) = (vec![member("Mara Lindqvist"), member("Ben")], assignees(&rig));
    both.sort();
    now.sort();
    assert_eq!(now, both);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn people_whose_address_is_hidden_are_not_dropped() {
    let rig = Rig::new(task().0);
    rig.sandbox.knobs().people_without_email = true;
    rig.configure("mapping.tasks.fields.assignees = { property = \"Assignee\", unknown = \"leave\" }\n");

    assert_eq!(rig.auto_approve().0, 0);

    assert_eq!(assignees(&rig), [""; 0], "of whom nobody knows who they are");
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("its assignees cannot be told"), "{plan}");
}

#[test]
fn an_item_below_another_one_has_its_project() {
    let (mut world, shop) = project();
    let top = world.add_task_page("Design", shop);
    let [draft, sketch] = ["Draft", "Sketch"].map(|name| world.add_task_page(name, None));
    let rig = Rig::new(world);
    let tasks = rig.sandbox.world().data_source("Tasks").expect("a data source").to_string();
    rig.add_column("Tasks", "Parent item", json!({"relation": {"data_source_id": tasks, "single_property": {}}}));
    {
        let mut world = rig.sandbox.world();
        world.set_relation(draft, "Parent item", &[top]);
        world.set_relation(sketch, "Parent item", &[draft]);
    }
    rig.configure("mapping.tasks.project_from = \"Parent item\"\n");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["held"]), (0, &json!(0)), "{report:#}");
    assert_eq!(names(&rig), ["Design", "Draft", "Sketch"]);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
    let relation = rig.sandbox.world().page(sketch).expect("a page").properties["Projects"].clone();
    assert_eq!(relation, json!([]), "Notion is not written");

    // A circle, and an item of several, wait; what is linked stays where it is.
    let new = rig.sandbox.world().add_task_page("New", None);
    {
        let mut world = rig.sandbox.world();
        world.set_relation(top, "Projects", &[]);
        world.set_relation(top, "Parent item", &[sketch]);
        world.set_relation(new, "Parent item", &[draft, sketch]);
    }
    assert_eq!(rig.plan_lines(), ["create task New [held: parent_unknown]"]);
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("it names 2 parent items"), "{plan}");
    assert!(plan.contains("the parent items above it go round in a circle"), "{plan}");

    // Another project above: all that stand below move along, for a person to decide.
    {
        let mut world = rig.sandbox.world();
        let client = world.find_page("Clients", "Globex").expect("a page");
        let relaunch = world.add_project_page("Relaunch", client);
        world.set_relation(top, "Parent item", &[]);
        world.set_relation(top, "Projects", &[relaunch]);
        world.set_relation(new, "Parent item", &[draft]);
    }
    let lines = rig.plan_lines();
    assert_eq!(lines.iter().filter(|line| line.starts_with("move task")).count(), 3, "{lines:?}");
    assert!(lines.contains(&"create task New [ready]".to_owned()), "{lines:?}");
}

#[test]
fn a_relation_to_other_databases_is_no_parent_item() {
    let rig = Rig::new(project().0);
    rig.configure("mapping.tasks.project_from = \"Projects\"\n");

    let ran = rig.run(&["plan"]);

    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("mapping.tasks.project_from: Tasks has \"Projects\" as a relation to another data source"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_recurring_task_is_called_by_its_day_and_its_page_stays_as_it_is() {
    let (mut world, project) = project();
    world.add_task_page("Report", project);
    let rig = Rig::new(world);
    rig.settle();
    let again = rig.sandbox.world().add_task_page("Report", project);
    let text = rig.sandbox.world().add_task_page("Text", project);
    assert_eq!(rig.plan_lines(), ["create task Report [held: name_taken]", "create task Text [ready]"]);
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("`rules.tasks.same_name = \"add_date\"`"), "{plan}");

    rig.configure(
        "rules.tasks = { same_name = \"add_date\", on_conflict = \"clockify\" }\nrules.thresholds.write_back = 50\n",
    );
    assert_eq!(rig.auto_approve().0, 0);
    let day = rig.sandbox.world().page(again).expect("a page").created.strftime("%Y-%m-%d").to_string();
    assert_eq!(names(&rig), ["Report".to_owned(), format!("Report ({day})"), "Text".to_owned()]);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
    let explained = rig.run(&["explain", &again.to_string()]).stdout;
    assert!(explained.contains(&format!("Report ({day})")), "{explained}");

    // Renamed on both sides: what is written into the page rests on what the page says, not on what it is called by the
    // rule.
    {
        let mut world = rig.sandbox.world();
        world.set_title(again, "Text");
        let object = world.tasks().into_iter().find(|task| task.name.contains(&day)).expect("a task").id;
        world.rename_object(object, "Summary");
    }
    let ran = rig.run_at("fetched:1:old", &["--auto-approve", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(rig.sandbox.world().page(again).expect("a page").title, "Summary");
    assert_eq!(rig.sandbox.world().page(text).expect("a page").title, "Text");
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

fn names(rig: &Rig) -> Vec<String> {
    let mut names: Vec<String> = rig.sandbox.world().tasks().into_iter().map(|task| task.name).collect();
    names.sort();
    names
}

#[test]
fn a_value_for_every_page_is_explained_by_the_key_that_says_it() {
    let (world, page) = project();
    let rig = Rig::new(world);
    rig.settle();
    rig.configure("\nmapping.projects.fields.public = true\n");

    let explained = rig.run(&["explain", &page.to_string()]).stdout;

    let key = "mapping.projects.fields.public";
    assert!(explained.contains("it says what every page is to have"), "{explained}");
    let ruling = explained.lines().find(|line| line.contains(key)).expect("the key that says it");
    assert!(ruling.contains("yes") || ruling.contains("true"), "{ruling}");
    assert!(explained.contains(&place(&rig, key)), "{explained}");
}
