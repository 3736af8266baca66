//! Reading the workspace.

use std::collections::BTreeSet;

use punchlist::{
    domain::model::{Field, Kind, Object, Snapshot, Value},
    edge::{clockify::Error, http::Failure},
    sandbox::{Call, Fault, FaultKind, Knobs, World},
};

use super::{Agency, POSITIONS, agency, assert_safe, closed, fetch, is_complete, people, with, workspace};
use crate::support::{Wire, object_id};

#[tokio::test]
async fn the_same_world_looks_the_same_in_every_position_of_the_knobs() {
    let Agency { mut world, client, project, bare_project, task, bare_task, .. } = agency();
    world.close_object(client);
    world.close_object(bare_project);
    world.close_object(bare_task);
    let mut first: Option<Snapshot<Object>> = None;

    for (position, turn) in POSITIONS {
        let mut knobs = Knobs::default();
        turn(&mut knobs);
        let calls = if knobs.hydrated_tasks { 3 } else { 5 };
        let wire = Wire::new(world.clone(), knobs).await;
        let clockify = wire.clockify();
        let workspace = workspace(&wire, &clockify).await;
        let snapshot = fetch(&clockify, &workspace).await;

        assert!(is_complete(&snapshot), "{position}");
        assert_eq!(wire.sandbox.calls().len(), calls, "clients, projects and users: {position}");
        assert_eq!(first.get_or_insert_with(|| snapshot.clone()), &snapshot, "{position}");
    }

    let seen = first.expect("seen");
    let project = seen.projects.get(object_id(project)).expect("there").clone();
    assert_eq!((project.parent, project.closed, project.tracked_seconds), (Some(object_id(client)), false, Some(5400)));
    assert_eq!(project.values.get(Field::Estimate), Some(&Value::Seconds(360_000)));
    assert_eq!(project.values.get(Field::Color), Some(&Value::text("#8bc34a")));
    assert_eq!(project.values.get(Field::Public), Some(&Value::Flag(true)));
    let task = seen.tasks.get(object_id(task)).expect("there");
    assert_eq!(task.values.get(Field::Assignees), Some(&people(&["aiko@harbour.example", "mara@harbour.example"])));
    assert_eq!((task.values.get(Field::Estimate), task.tracked_seconds), (Some(&Value::Seconds(5400)), Some(5400)));
    let bare = seen.projects.get(object_id(bare_project)).expect("archived ones are shown too");
    assert_eq!((bare.parent, bare.closed, bare.values.get(Field::Estimate)), (None, true, Some(&Value::Empty)));
    assert!(seen.tasks.get(object_id(bare_task)).expect("there").closed);
    assert!(seen.clients.get(object_id(client)).expect("there").closed);
}

#[tokio::test]
async fn only_documented_parameters_are_sent() {
    let Agency { world, client, project, task, .. } = agency();
    let wire = Wire::new(world, Knobs { hydrated_tasks: false, ..Knobs::default() }).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;

    fetch(&clockify, &workspace).await;
    for (kind, parent) in [(Kind::Client, None), (Kind::Project, Some(client)), (Kind::Task, Some(project))] {
        clockify.find(&workspace, kind, parent.map(object_id), &"x y".into()).await.expect("an answer");
    }
    clockify.read(&workspace, Kind::Task, object_id(task), None).await.expect("an answer");
    clockify.update(&workspace, Kind::Client, object_id(client), &closed(true)).await.expect("closed");

    for call in wire.sandbox.calls() {
        let allowed: &[&str] = match call.path.rsplit('/').next().unwrap_or_default() {
            "clients" => &["name", "page", "page-size"],
            "projects" => &["name", "strict-name-search", "hydrated", "sort-column", "sort-order", "page", "page-size"],
            "tasks" => &["name", "strict-name-search", "sort-column", "sort-order", "page", "page-size"],
            "users" => &["memberships", "page", "page-size"],
            // No flag of a PUT, which might cascade.
            _ => &[],
        };
        assert!(call.query.iter().all(|(name, _)| allowed.contains(&name.as_str())), "{call:?}");
        let carries = call.query.iter().any(|(name, _)| name == "hydrated");
        let size = if carries { "500" } else { "5000" };
        assert!(call.query.iter().all(|(name, value)| name != "page-size" || value == size), "{call:?}");
        assert_eq!(call.status, 200);
    }
}

#[tokio::test]
async fn more_rows_than_a_page_holds_are_read_to_the_last_page() {
    let mut world = World::bare();
    for number in 0..5003 {
        world.add_client(&format!("Client {number:04}"));
    }
    let all: BTreeSet<String> = world.clients().iter().map(|client| client.id.to_string()).collect();
    for (ignores_paging, calls) in [(false, 4), (true, 3)] {
        let wire = Wire::new(world.clone(), Knobs { ignores_paging, ..Knobs::default() }).await;
        let clockify = wire.clockify();
        let workspace = workspace(&wire, &clockify).await;

        let snapshot = fetch(&clockify, &workspace).await;

        let rows: BTreeSet<String> = snapshot.clients.rows().iter().map(|client| client.id.to_string()).collect();
        assert_eq!((is_complete(&snapshot), rows), (true, all.clone()));
        assert_eq!(wire.sandbox.calls().len(), calls, "clients twice, projects and users once");
    }
}

/// A workspace of so many clients, projects and tasks.
fn workspace_of(clients: usize, projects: usize, tasks: usize) -> World {
    let mut world = World::bare();
    let clients: Vec<_> = (0..clients).map(|number| world.add_client(&format!("Client {number}"))).collect();
    let add = |number: usize| world.add_project(&format!("Project {number}"), clients[number % clients.len()]);
    let projects: Vec<_> = (0..projects).map(add).collect();
    for number in 0..tasks {
        world.add_task(&format!("Task {number}"), projects[number % projects.len()]);
    }
    world
}

/// What was listed, and by which requests.
async fn listed(world: World, body_max: usize) -> (Snapshot<Object>, Vec<String>) {
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = with(&wire, |options| options.body_max = body_max);
    let workspace = workspace(&wire, &clockify).await;
    let snapshot = fetch(&clockify, &workspace).await;
    let page = |call: &Call| {
        let value = |wanted: &str| call.query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let what = call.path.rsplit('/').next().unwrap_or_default();
        let what = if value("hydrated").is_some() { "hydrated" } else { what };
        format!("{what} {}×{}", value("page").unwrap_or_default(), value("page-size").unwrap_or_default())
    };
    let pages = wire.sandbox.calls().iter().map(page).collect();
    (snapshot, pages)
}

#[tokio::test]
async fn a_workspace_of_usual_size_is_read_in_two_calls_and_a_large_one_in_three() {
    for (clients, projects, tasks, calls) in
        [(20, 100, 1_000, 2), (50, 500, 5_000, 2), (50, 501, 5_000, 3), (100, 1_000, 20_000, 3)]
    {
        let (snapshot, pages) = listed(workspace_of(clients, projects, tasks), 24 << 20).await;
        assert!(is_complete(&snapshot));
        assert_eq!((snapshot.projects.rows().len(), snapshot.tasks.rows().len()), (projects, tasks));
        assert_eq!(pages.len(), calls, "{projects} projects: {pages:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_too_large_is_read_in_smaller_ones_from_where_it_began() {
    let (snapshot, pages) = listed(workspace_of(1, 700, 8_400), 1 << 20).await;
    assert!(is_complete(&snapshot));
    assert_eq!((snapshot.projects.rows().len(), snapshot.tasks.rows().len()), (700, 8_400));
    let hydrated: Vec<&str> = pages.iter().filter_map(|page| page.strip_prefix("hydrated ")).collect();
    assert_eq!(hydrated, ["1×500", "1×125", "2×125", "3×125", "4×125", "5×125", "6×125"]);
}

#[tokio::test]
async fn a_project_with_more_tasks_than_one_answer_holds_has_them_listed_by_themselves() {
    let mut world = workspace_of(1, 3, 3);
    let large = world.add_project("Large", None);
    for number in 0..4_000 {
        world.add_task(&format!("Task {number}"), large);
    }
    let (snapshot, pages) = listed(world, 1 << 19).await;
    assert!(is_complete(&snapshot));
    assert_eq!((snapshot.projects.rows().len(), snapshot.tasks.rows().len()), (4, 4_003));
    let at_last: Vec<&str> = pages.iter().map(String::as_str).skip_while(|page| *page != "hydrated 4×1").collect();
    assert_eq!(
        at_last,
        [
            "hydrated 4×1",
            "projects 4×1",
            "tasks 1×5000",
            "tasks 1×1000",
            "tasks 2×1000",
            "tasks 3×1000",
            "tasks 4×1000"
        ]
    );
}

#[tokio::test]
async fn a_listing_that_only_repeats_itself_ends_and_leaves_doubt() {
    let mut world = World::bare();
    for number in 0..5000 {
        world.add_client(&format!("Client {number:04}"));
    }
    let wire = Wire::new(world, Knobs { ignores_paging: true, ..Knobs::default() }).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;

    let snapshot = fetch(&clockify, &workspace).await;

    assert_eq!(snapshot.clients.rows().len(), 5000);
    assert!(snapshot.clients.incomplete_because().expect("a reason").contains("repeated"));
    assert!(snapshot.projects.complete().is_some() && snapshot.tasks.complete().is_some());
    assert_eq!(wire.sandbox.calls().len(), 4);
}

#[tokio::test]
async fn a_project_whose_tasks_cannot_be_listed_spoils_the_tasks_alone() {
    let Agency { world, project, bare_task, .. } = agency();
    let knobs = Knobs { hydrated_tasks: false, ..Knobs::default() };
    let fault =
        Fault::new(FaultKind::Status(500, String::new())).on("GET", &format!("{project}/tasks")).times(u32::MAX);
    let wire = Wire::new(world, knobs.with_fault(fault)).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;

    let snapshot = fetch(&clockify, &workspace).await;

    assert!(snapshot.clients.complete().is_some() && snapshot.projects.complete().is_some());
    let because = snapshot.tasks.incomplete_because().expect("a reason");
    assert!(because.contains(&project.to_string()), "{because}");
    assert!(snapshot.tasks.get(object_id(bare_task)).is_some(), "the others' tasks are usable");
}

#[tokio::test]
async fn task_listings_that_fail_one_after_the_other_are_not_all_tried() {
    let mut world = World::bare();
    let client = world.add_client("Acme");
    for number in 0..40 {
        world.add_project(&format!("Project {number}"), client);
    }
    let fault = Fault::new(FaultKind::Status(400, String::new())).on("GET", "/tasks").times(u32::MAX);
    let wire = Wire::new(world, Knobs { hydrated_tasks: false, ..Knobs::default() }.with_fault(fault)).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;

    let snapshot = fetch(&clockify, &workspace).await;

    assert!(snapshot.projects.complete().is_some() && snapshot.tasks.complete().is_none());
    let tried = wire.sandbox.calls().iter().filter(|call| call.path.ends_with("/tasks")).count();
    assert!((3..=7).contains(&tried), "three, and what was on its way: {tried}");
}

#[tokio::test]
async fn a_key_that_may_not_list_tasks_is_refused_at_once() {
    let Agency { world, .. } = agency();
    let denied =
        Fault::new(FaultKind::Status(403, r#"{"message":"Access Denied","code":501}"#.to_owned())).on("GET", "/tasks");
    let wire =
        Wire::new(world, Knobs { hydrated_tasks: false, ..Knobs::default() }.with_fault(denied.times(u32::MAX))).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;

    let error = clockify.fetch(&workspace, &|_, _| {}).await.expect_err("refused");

    assert!(error.is_refusal() && error.to_string().contains("Access Denied"), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_shape_is_no_empty_workspace() {
    let Agency { world, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;

    for body in ["{}", "null", "", r#"{"message":"hello"}"#, "\"[]\"", "[null]", "[1]"] {
        wire.sandbox.knobs().faults = vec![Fault::new(FaultKind::Status(200, body.to_owned())).times(u32::MAX)];
        clockify.http().begin();
        let error = clockify.fetch(&workspace, &|_, _| {}).await.expect_err(body);
        assert!(matches!(&error, Error::Failed { failure: Failure::Unknown { .. }, .. }), "{body}: {error}");
        let identity = clockify.identity(None).await.expect_err(body);
        assert!(matches!(&identity, Error::Failed { .. }), "{body}: {identity}");
    }
    clockify.http().begin();
    let nameless = r#"[{"name":"no id"},{"id":"\u001b[31m\u3164","name":"x"}]"#;
    wire.sandbox.knobs().faults =
        vec![Fault::new(FaultKind::Status(200, nameless.to_owned())).on("GET", "/clients").times(u32::MAX)];
    let (snapshot, problems) = clockify.fetch(&workspace, &|_, _| {}).await.expect("readable");
    assert!(snapshot.clients.complete().is_none() && snapshot.projects.complete().is_some());
    assert_safe(&format!("{}{}", problems[0].text, problems[1].text));
}

#[tokio::test]
async fn the_workspace_is_found_or_the_seen_ones_are_named() {
    let wire = Wire::new(World::bare(), Knobs::default()).await;
    let clockify = wire.clockify();
    let id = wire.sandbox.world().workspace_id().to_string();

    for wanted in [None, Some(""), Some("Harbour Studio"), Some(id.as_str())] {
        assert_eq!(clockify.identity(wanted).await.expect("found").workspace_id, id);
    }
    let error = clockify.identity(Some("Harbor\u{1b}Studio")).await.expect_err("not found");
    assert!(error.is_refusal() && error.to_string().contains(&id), "{error}");
    assert_safe(&error.to_string());

    let unknown = wire.sandbox.world().unused_clockify_id().to_string();
    let error = clockify.fetch(&unknown, &|_, _| {}).await.expect_err("not found");
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
}

#[tokio::test]
async fn a_base_url_may_have_a_path_a_slash_or_a_version() {
    let Agency { world, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    for ending in ["", "/", "/v1", "/v1/"] {
        let clockify = with(&wire, |options| {
            options.base_url = format!("{}{ending}", wire.sandbox.clockify_url()).parse().expect("a URL");
        });

        let workspace = workspace(&wire, &clockify).await;

        assert!(is_complete(&fetch(&clockify, &workspace).await));
        assert_eq!(wire.statuses(), ["GET 200", "GET 200"], "no users where nobody wants to know them: {ending}");
    }
}
