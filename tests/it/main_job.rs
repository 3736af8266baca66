//! The main job: what people plan in Notion is so in Clockify afterwards, at the least cost, and nothing else is
//! touched.

use punchlist::sandbox::{Fault, NotionId, Service, World};
use serde_json::{Value, json};

use crate::support::Rig;

/// A world with one client, one project and one task, in sync and known to the state.
struct Synced {
    rig: Rig,
    client: NotionId,
    project: NotionId,
    task: NotionId,
}

fn synced() -> Synced {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let task = world.add_task_page("Design", project);
    let rig = Rig::new(world);
    rig.settle();
    Synced { rig, client, project, task }
}

#[test]
fn acme_corp_appears_in_notion_and_then_in_clockify() {
    let mut world = World::empty();
    let acme = world.add_client_page("Acme Corp");
    let website = world.add_project_page("Website relaunch", acme);
    let tasks = ["Design", "Build", "Launch"].map(|name| world.add_task_page(name, website));
    let rig = Rig::new(world);

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"], &report["failed"]), (0, &json!(5), &json!(0)));
    {
        let world = rig.sandbox.world();
        let client = world.find_client("Acme Corp").expect("a client");
        let project = world.find_project("Website relaunch", Some(client)).expect("a project of the client");
        assert_eq!(world.claim(acme), Some(client.to_string()));
        assert_eq!(world.claim(website), Some(project.to_string()));
        for (page, name) in tasks.into_iter().zip(["Design", "Build", "Launch"]) {
            let task = world.find_task(name, project).expect("a task of the project");
            assert_eq!(world.claim(page), Some(task.to_string()));
        }
    }
    assert_eq!(rig.mutations().len(), 7, "a client, a project with its tasks, and five write-backs");

    rig.sandbox.clear_calls();
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["outcome"], &report["applied"]), (0, &json!("in_sync"), &json!(0)));
    assert!(rig.mutations().is_empty());
    assert!(rig.run(&["--auto-approve"]).stdout.contains("In sync"));
}

#[test]
fn reading_all_of_a_steady_workspace_costs_twelve_and_two_calls() {
    let rig = Rig::new(World::sized(20, 100, 1000));
    let first = rig.run(&["--auto-approve", "--json"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    rig.sandbox.clear_calls();

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["outcome"]), (0, &json!("in_sync")));
    assert_eq!(rig.call_counts(), (12, 2));
    assert_eq!(report["calls"], json!({"notion": 12, "clockify": 2}));
    assert!(rig.mutations().is_empty());
}

#[test]
fn a_database_is_resolved_once_and_remembered() {
    let rig = Rig::new(World::sized(1, 1, 1));
    let database = rig.sandbox.world().database("Clients").expect("a database").to_string();
    rig.configure("");
    let text = rig.reach();
    let line = text.lines().find(|line| line.starts_with("notion.clients")).expect("a line").to_owned();
    let url =
        format!("notion.clients.data_source = \"https://www.notion.so/agency/{}?v=0123\"", database.replace('-', ""));
    rig.write_configuration(&text.replace(&line, &url));
    rig.settle();

    rig.auto_approve();

    assert_eq!(rig.call_counts(), (3, 2), "the database is not asked for again");
}

#[test]
fn closed_in_notion_is_archived_or_done_in_clockify() {
    let Synced { rig, client, project, task } = synced();
    {
        let mut world = rig.sandbox.world();
        world.set(task, "Status", "Done");
        world.set(project, "Status", "Obsolete");
        world.set_checkbox(client, "Archive", true);
    }

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(3)), "{report}");
    let mutations = rig.mutations();
    let paths: Vec<bool> = mutations.iter().map(|call| call.path.contains("/tasks/")).collect();
    assert_eq!(paths, [true, false, false], "the task is closed first");
    assert!(mutations[2].path.contains("/clients/"), "the client last");
    let world = rig.sandbox.world();
    assert!(world.clients()[0].archived && world.projects()[0].archived);
    assert!(world.tasks()[0].done);
}

#[test]
fn a_page_in_the_trash_closes_its_object_and_is_then_left_alone() {
    let Synced { rig, task, .. } = synced();
    rig.sandbox.world().trash(task);

    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["applied"]), (0, &json!(1)));

    rig.sandbox.clear_calls();
    rig.auto_approve();
    assert_eq!(rig.call_counts(), (3, 2), "nobody asks for it again");

    rig.sandbox.world().restore(task);
    assert_eq!(rig.plan_lines(), ["reopen task Design [ready]"]);
}

#[test]
fn a_page_that_answers_404_is_a_notice_and_never_a_close() {
    let Synced { rig, project, task, .. } = synced();
    rig.sandbox.world().delete_forever(task);
    rig.sandbox.world().hide(project);

    let plan = rig.plan();

    assert_eq!(plan["changes"], json!([]));
    let codes: Vec<&Value> =
        plan["notices"].as_array().expect("notices").iter().map(|notice| &notice["code"]).collect();
    assert_eq!(codes, ["lost_sight", "lost_sight"]);
    rig.sandbox.clear_calls();
    rig.plan();
    assert_eq!(rig.call_counts(), (3, 2), "asking again soon would only cost calls");
}

#[test]
fn a_relation_that_was_removed_is_held() {
    let Synced { rig, task, .. } = synced();
    rig.sandbox.world().set_relation(task, "Projects", &[]);

    assert_eq!(rig.plan_lines(), ["move task Design [held: relation_removed]"]);
    let (code, _) = rig.auto_approve();

    assert_eq!(code, 2);
    assert!(rig.mutations().is_empty());
}

#[test]
fn the_original_of_a_duplicated_page_keeps_the_link() {
    let Synced { rig, client, .. } = synced();
    let copy = rig.sandbox.world().duplicate(client);
    rig.sandbox.world().set_title(copy, "Globex Asia");
    let id = rig.sandbox.world().claim(client);

    assert_eq!(rig.plan_lines(), ["clear_claim client Globex Asia [review]", "create client Globex Asia [review]"]);
    rig.auto_approve();

    assert!(rig.mutations().is_empty());
    assert_eq!(rig.sandbox.world().claim(client), id);
}

#[test]
fn a_title_of_several_runs_is_sent_whole() {
    let mut world = World::empty();
    let page = world.add_client_page("?");
    world.set_title_runs(page, &json!([{"text": "Stark "}, {"text": "Interiors", "bold": true}, {"text": " & Söhne"}]));
    let rig = Rig::new(world);

    rig.auto_approve();

    assert!(rig.sandbox.world().find_client("Stark Interiors & Söhne").is_some());
}

#[test]
fn what_is_in_clockify_under_the_same_name_is_linked_and_not_created() {
    let mut world = World::empty();
    let (client_page, name) = (world.add_client_page("Umbrella"), "Umbrella");
    let project_page = world.add_project_page("App", client_page);
    let task_page = world.add_task_page("Login", project_page);
    let client = world.add_client(name);
    let project = world.add_project("App", Some(client));
    let task = world.add_task("Login", project);
    let rig = Rig::new(world);

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(3)));
    assert!(rig.mutations().iter().all(|call| call.service == Service::Notion), "only the IDs are written");
    let world = rig.sandbox.world();
    assert_eq!(world.claim(client_page), Some(client.to_string()));
    assert_eq!(world.claim(project_page), Some(project.to_string()));
    assert_eq!(world.claim(task_page), Some(task.to_string()));
}

#[test]
fn the_id_of_a_vanished_object_is_for_review_and_everything_else_still_syncs() {
    let Synced { rig, project, client, .. } = synced();
    {
        let mut world = rig.sandbox.world();
        let found = world.find_client("Globex").expect("a client");
        let gone = world.find_project("Website", Some(found)).expect("a project");
        world.delete_object(gone);
        world.add_project_page("Intranet", client);
    }

    let lines = rig.plan_lines();
    assert_eq!(
        lines,
        ["create project Intranet [ready]", "create project Website [review]", "create task Design [review]"]
    );
    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"], &report["pending"]), (2, &json!(1), &json!(2)));
    assert!(rig.sandbox.world().claim(project).is_some(), "its claim is left as it is");
}

#[test]
fn names_are_sent_right_or_held_with_the_reason() {
    let mut world = World::empty();
    let client = world.add_client_page("The \"Quoted\" Client");
    for name in ["X", "A <b> test", &"long ".repeat(60), "顧客 制作", "👩\u{200D}👧 Family", "Hidden\u{200B}"] {
        world.add_project_page(name, client);
    }
    let rig = Rig::new(world);

    let mut lines = rig.plan_lines();
    for line in &mut lines {
        *line = line.replace(&"long ".repeat(60), "long…");
    }
    assert_eq!(
        lines,
        [
            "create client The \"Quoted\" Client [ready]",
            "create project A <b> test [held: invalid_name]",
            "create project Hidden\u{200B} [held: invalid_name]",
            "create project long… [held: invalid_name]",
            "create project X [held: invalid_name]",
            "create project 顧客 制作 [ready]",
            "create project 👩\u{200D}👧 Family [ready]",
        ]
    );
    rig.auto_approve();

    let world = rig.sandbox.world();
    let client = world.find_client("The \"Quoted\" Client").expect("a client");
    assert!(world.find_project("👩\u{200D}👧 Family", Some(client)).is_some());
}

#[test]
fn a_move_keeps_everything_that_is_not_planned() {
    let Synced { rig, project, .. } = synced();
    let id = {
        let mut world = rig.sandbox.world();
        let other = world.add_client_page("Initech");
        let client = world.find_client("Globex").expect("a client");
        let id = world.find_project("Website", Some(client)).expect("a project");
        world.edit_project(id, |project| {
            project.billable = true;
            project.public = true;
            project.color = "#ff5722".to_owned();
            project.note = "by hand".to_owned();
        });
        world.set_relation(project, "Clients", &[other]);
        world.set_title(project, "Website 2027");
        id
    };

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(3)), "{report}");
    let puts = rig.mutations().iter().filter(|call| call.method == "PUT").count();
    assert_eq!(puts, 1, "move and rename are one request");
    let world = rig.sandbox.world();
    let initech = world.find_client("Initech").expect("created");
    let moved = world.find_project("Website 2027", Some(initech)).expect("moved");
    assert_eq!(moved, id);
    let moved = world.project(moved).expect("there");
    assert!(moved.billable && moved.public);
    assert_eq!((moved.color.as_str(), moved.note.as_str()), ("#ff5722", "by hand"));
}

#[test]
fn nothing_is_deleted_and_what_no_page_links_to_is_not_touched() {
    let rig = Rig::new(World::agency());
    let unmanaged = {
        let world = rig.sandbox.world();
        let id = world.find_client("Harbour Studio (internal)").expect("a client that no page links to");
        world.client(id).cloned().expect("there")
    };

    rig.auto_approve();

    assert!(rig.mutations().iter().all(|call| call.method != "DELETE"));
    let calls = rig.mutations();
    assert!(calls.iter().all(|call| !call.path.contains(&unmanaged.id.to_string())));
    assert_eq!(rig.sandbox.world().client(unmanaged.id), Some(&unmanaged));
}

#[test]
fn one_failing_object_never_stops_the_rest() {
    let mut world = World::empty();
    let bad = world.add_client_page("Bad");
    world.add_project_page("Under bad", bad);
    let good = world.add_client_page("Good");
    world.add_project_page("Under good", good);
    let rig = Rig::new(world);
    let refusal = Fault::new(punchlist::sandbox::FaultKind::Status(
        403,
        json!({"message": "Access Denied", "code": 501}).to_string(),
    ));
    rig.sandbox.knobs().faults.push(refusal.service(Service::Clockify).on("POST", "/clients").nth(1));

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"], &report["failed"], &report["skipped"]), (1, &json!(2), &json!(1), &json!(1)));
    assert_eq!(report["failures"][0]["name"], "Bad");
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["applied"]), (0, &json!(2)), "the next run mends it");
}

#[test]
fn a_lost_reply_makes_no_duplicate() {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    let rig = Rig::new(world);
    rig.sandbox.knobs().unique_names = false;
    rig.sandbox.knobs().faults.push(Fault::lost_reply().service(Service::Clockify).on("POST", "/clients"));

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(1)), "{report}");
    let posts = rig.mutations().iter().filter(|call| call.method == "POST").count();
    assert_eq!(posts, 1, "it is looked up, not sent again");
}

#[test]
fn an_edit_in_clockify_is_not_overwritten_in_silence() {
    let Synced { rig, .. } = synced();
    {
        let mut world = rig.sandbox.world();
        let client = world.find_client("Globex").expect("a client");
        world.rename_object(client, "Globex Corporation");
    }

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["pending"]), (2, &json!(1)));
    assert!(rig.sandbox.world().find_client("Globex Corporation").is_some());
}

#[test]
fn a_budget_of_thirty_an_hour_is_kept_over_runs() {
    let mut world = World::empty();
    for number in 0..20 {
        world.add_client_page(&format!("Client {number}"));
    }
    let rig = Rig::new(world);
    rig.configure("clockify.requests_per_hour = 12\n");
    rig.sandbox.knobs().clockify_per_hour = Some(12);

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["outcome"]), (75, &json!("out_of_budget")), "{report}");
    assert_eq!(report["applied"], json!(8), "four calls to read, eight to write");
    rig.sandbox.clear_calls();
    let ran = rig.run(&["--auto-approve", "--json"]);
    assert_eq!(ran.code, 75, "{}", ran.stderr);
    assert_eq!(rig.call_counts().1, 0, "the budget is known to be spent");
}

#[test]
fn a_plan_under_an_hourly_budget_says_when_it_is_done_and_the_report_when_to_go_on() {
    let mut world = World::empty();
    for number in 0..40 {
        world.add_client_page(&format!("Client {number}"));
    }
    let rig = Rig::new(world);
    rig.configure("clockify.requests_per_hour = 30\n");
    rig.sandbox.knobs().clockify_per_hour = Some(30);

    let hourly = rig.plan()["estimate"]["hourly"].clone();

    assert_eq!((&hourly["per_hour"], &hourly["spent"], &hourly["left"]), (&json!(30), &json!(4), &json!(40)));
    let text = rig.run(&["plan"]).stdout;
    assert!(text.contains("40 Clockify calls: done ") && text.contains(" at 30 an hour"), "{text}");
    assert!(text.contains("Clockify takes 30 calls an hour, and 6 were made within the last one."), "{text}");
    let done: jiff::Timestamp = hourly["done_at"].as_str().expect("a time").parse().expect("a time");
    let hours = done.duration_since(jiff::Timestamp::now()).as_mins();
    assert!((50..=60).contains(&hours), "the rest of this hour and the next are enough: {hours}");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (75, &json!(22)), "{report}");
    assert_eq!((&report["hourly"]["spent"], &report["hourly"]["left"]), (&json!(30), &json!(18)), "{report}");
    assert!(report["not_before"].is_string() && report["hourly"]["done_at"].is_string(), "{report}");
    let verified = rig.run(&["logs", "verify"]);
    assert_eq!(verified.code, 0, "the report follows from the log: {}", verified.stdout);
}

#[test]
fn a_smaller_budget_than_configured_is_learned_and_kept_to_by_the_next_run() {
    let mut world = World::empty();
    for number in 0..40 {
        world.add_client_page(&format!("Client {number}"));
    }
    let rig = Rig::new(world);
    rig.configure("clockify.requests_per_hour = 100\n");
    rig.sandbox.knobs().clockify_per_hour = Some(30);
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["applied"]), (75, &json!(26)), "{report}");
    let learned = report["hourly"]["per_hour"].as_u64().expect("a number");
    assert!((25..=36).contains(&learned), "{report}");
    rig.sandbox.clear_calls();

    let ran = rig.run(&["plan", "--now", "--json"]);

    assert_eq!(ran.code, 75, "{}", ran.stderr);
    assert_eq!(rig.call_counts().1, 0, "no request is spent on finding it out again");
}

/// Every field that can be mapped, on properties that the sandbox's agency has.
const EVERY_FIELD: &str = "mapping.clients.fields = { email = \"Email\", address = \"Address\", note = \"Notes\" }\n\
     mapping.projects.fields = { billable = \"Billable\", note = \"Notes\", estimate = \"Estimate (h)\" }\n\
     mapping.tasks.fields = { billable = \"Billable\", estimate = \"Estimate (h)\", assignees = \"Assignee\" }\n";

#[test]
fn every_mapped_field_reaches_clockify_and_stays_put_afterwards() {
    let Synced { rig, client, project, task } = synced();
    rig.sandbox.world().set_plan("ENTERPRISE_YEAR");
    rig.configure(EVERY_FIELD);
    {
        let mut world = rig.sandbox.world();
        world.set(client, "Email", "billing@globex.example");
        world.set_text(client, "Address", "Main Street 1");
        world.set_text(client, "Notes", "pays \"net 30\"");
        world.set_checkbox(project, "Billable", true);
        world.set(project, "Estimate (h)", 40.5);
        world.set_checkbox(task, "Billable", true);
        world.set(task, "Estimate (h)", 1.5);
        let person = world.person("Jonas Weber");
        world.set(task, "Assignee", json!([person]));
    }

    let plan = rig.plan();
    let changes = plan["changes"].as_array().expect("changes");
    assert!(changes.iter().all(|change| change["cause"] == "first_sight"), "{plan:#}");
    rig.configure(&format!("{EVERY_FIELD}rules.thresholds.update = 90\n"));
    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["failed"]), (0, &json!(0)), "{report:#}");
    {
        let world = rig.sandbox.world();
        let (client, project, task) = (&world.clients()[0], &world.projects()[0], &world.tasks()[0]);
        assert_eq!(client.email.as_deref(), Some("billing@globex.example"));
        let note = client.note.as_deref().unwrap_or_default();
        assert_eq!(note.lines().next(), Some("pays \"net 30\""), "the link back to the page follows it");
        assert!(project.billable && task.billable);
        assert_eq!(task.estimate, "PT1H30M");
        assert_eq!(project.time_estimate["estimate"], "PT40H30M");
        assert_eq!(task.assignee_ids.len(), 1);
    }
    rig.sandbox.clear_calls();
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["outcome"]), (0, &json!("in_sync")));
    assert!(rig.mutations().is_empty());
}

#[test]
fn with_local_ids_notion_is_never_written() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    world.add_project_page("Website", client);
    let rig = Rig::new(world);
    rig.configure("mapping.id_strategy = \"local\"\n");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(2)));
    assert!(rig.mutations().iter().all(|call| call.service == Service::Clockify));
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["outcome"]), (0, &json!("in_sync")));
}

#[test]
fn a_lost_state_is_found_again_by_the_ids_in_notion() {
    let Synced { rig, task, .. } = synced();
    std::fs::remove_dir_all(rig.home.path().join("state")).expect("removable");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["outcome"]), (0, &json!("in_sync")));
    assert!(rig.mutations().is_empty());
    rig.sandbox.world().set(task, "Status", "Done");
    assert_eq!(rig.plan_lines(), ["close task Design [ready]"], "and from then on it is remembered");
}

#[test]
fn a_task_that_moves_is_for_review() {
    let Synced { rig, client, task, .. } = synced();
    let other = rig.sandbox.world().add_project_page("Support", client);
    rig.sandbox.world().set_relation(task, "Projects", &[other]);

    assert_eq!(rig.plan_lines(), ["create project Support [ready]", "move task Design [review]"]);
}

#[test]
fn names_that_change_places_wait_for_each_other() {
    let Synced { rig, project, client, .. } = synced();
    {
        let mut world = rig.sandbox.world();
        world.set_title(project, "Website (old)");
        world.add_project_page("Website", client);
    }

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(2)), "{report:#}");
    let methods: Vec<String> = rig.mutations().iter().map(|call| call.method.clone()).collect();
    assert_eq!(methods, ["PUT", "POST", "PATCH"], "the name is free before it is taken");
}

#[cfg(unix)]
#[test]
fn a_stop_ends_between_writes_and_the_next_run_goes_on() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
        time::Duration,
    };
    let mut world = World::empty();
    for number in 0..40 {
        world.add_client_page(&format!("Client {number}"));
    }
    let rig = Rig::new(world);
    rig.sandbox.knobs().latency = Duration::from_millis(20);
    let mut command = rig.command();
    command.args(["--auto-approve", "--json", "-v"]).stdout(Stdio::piped()).stderr(Stdio::piped());

    let mut child = command.spawn().expect("starts");
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut lines = stderr.lines();
    let mut created =
        lines.by_ref().map(|line| line.expect("UTF-8")).filter(|line| line.contains("POST") && line.contains("201"));
    assert!(created.next().is_some(), "something was created");
    let stopped = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(stopped.success());
    for line in lines {
        line.expect("UTF-8");
    }
    let output = child.wait_with_output().expect("ends");

    let report: Value = serde_json::from_slice(&output.stdout).expect("a report all the same");
    assert_eq!(
        (output.status.code(), &report["outcome"], &report["failed"]),
        (Some(4), &json!("interrupted"), &json!(0))
    );
    assert!(report["skipped"].as_u64() > Some(0), "{report}");
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.sandbox.world().clients().len(), 40, "all of them, once");
}

#[test]
fn observations_that_are_too_old_are_read_again_before_anything_is_written() {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    let rig = Rig::new(world);
    rig.configure("rules.stale_after_seconds = 0\n");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(1)), "what still holds is applied");
    let calls = rig.sandbox.calls();
    let listings = |before: usize| calls[..before].iter().filter(|call| call.path.ends_with("/query")).count();
    let first_write = calls.iter().position(|call| call.mutation).expect("a write");
    assert_eq!(listings(first_write), 6, "three sources, twice");
}

#[test]
fn a_source_that_could_not_be_read_whole_is_never_in_sync() {
    let Synced { rig, client, .. } = synced();
    {
        let mut world = rig.sandbox.world();
        let project = world.add_project_page("Support", client);
        for number in 0..3 {
            world.add_task_page(&format!("Task {number}"), project);
        }
    }
    rig.settle();
    // More rows in one minute than a query shows: no window gets past them.
    rig.sandbox.knobs().row_cap = 2;

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["outcome"], &report["complete"]), (1, &json!("incomplete"), &json!(false)), "{report}");
    assert!(rig.mutations().is_empty());
}
