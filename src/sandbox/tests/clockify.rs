//! What the Clockify side answers.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::rig;
use crate::sandbox::{CLOCKIFY_KEY, Knobs, World};

#[tokio::test]
async fn clockify_checks_identity_routes_and_workspace() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let url = format!("{}/v1/user", rig.sandbox.clockify_url());
    let code = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap()["code"].as_i64())
    };

    assert_eq!(code(rig.http.get(&url)).await, (401, Some(1000)));
    assert_eq!(code(rig.http.get(&url).header("X-Api-Key", "no")).await, (401, Some(4003)));
    let foreign = format!("{}/v1/workspaces/000000000000000000000000/clients", rig.sandbox.clockify_url());
    assert_eq!(code(rig.http.get(foreign).header("X-Api-Key", CLOCKIFY_KEY)).await, (403, Some(501)));
    assert_eq!(code(rig.clockify_request(Method::GET, "/nothing", Value::Null)).await, (404, Some(3000)));
    assert_eq!(code(rig.clockify_request(Method::PATCH, "/clients", Value::Null)).await, (405, Some(3000)));
    assert_eq!(
        code(rig.clockify_request(Method::GET, "/projects/000000000000000000000000", Value::Null)).await,
        (400, Some(501))
    );
    assert_eq!(code(rig.clockify_request(Method::GET, "/clients?page-size=abc", Value::Null)).await, (400, Some(3000)));
    assert_eq!(
        code(rig.clockify_request(Method::GET, "/clients?page-size=10000", Value::Null)).await,
        (400, Some(501))
    );
}

#[tokio::test]
async fn clients_are_created_replaced_archived_and_deleted() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let body = json!({"name": "Acme", "note": "n", "email": "a@b.example"});
    let (status, client) = rig.clockify(Method::POST, "/clients", body).await;
    assert_eq!((status.as_u16(), &client["address"], &client["archived"]), (201, &Value::Null, &json!(false)));
    let path = format!("/clients/{}", client["id"].as_str().unwrap());
    let project = {
        let mut world = rig.world();
        let acme = world.find_client("Acme").unwrap();
        world.add_project("Website", acme)
    };

    let (_, refusal) = rig.clockify(Method::POST, "/clients", json!({"name": "Acme"})).await;
    assert_eq!(refusal, json!({"message": "Client with name 'Acme' already exists", "code": 501}));
    for name in [json!(""), json!("a<b"), json!("x".repeat(101)), Value::Null] {
        assert_eq!(rig.clockify(Method::POST, "/clients", json!({"name": name})).await.0, 400);
    }
    assert_eq!(rig.clockify(Method::DELETE, &path, Value::Null).await.1["message"], "Cannot delete an active client");

    let (status, archived) = rig.clockify(Method::PUT, &path, json!({"name": "Acme", "archived": true})).await;
    assert_eq!((status.as_u16(), &archived["note"], &archived["archived"]), (200, &Value::Null, &json!(true)));
    assert!(archived.get("currencyCode").is_none());
    assert!(!rig.world().project(project).unwrap().archived);
    let cascading = format!("{path}?archive-projects=true");
    rig.clockify(Method::PUT, &cascading, json!({"name": "Acme", "archived": true})).await;
    assert!(rig.world().project(project).unwrap().archived);

    assert_eq!(rig.clockify(Method::DELETE, &path, Value::Null).await.0, 200);
    assert_eq!(rig.world().project(project).unwrap().client, None);
    assert_eq!(rig.clockify(Method::GET, &path, Value::Null).await.1["message"], "Client doesn't belong to Workspace");
    assert_eq!(rig.clockify(Method::POST, "/clients", json!({"name": "Acme"})).await.0, 201);
}

#[tokio::test]
async fn projects_and_tasks_follow_their_rules() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let acme = rig.world().add_client("Acme");
    let body = json!({"name": "Website", "clientId": acme, "isPublic": true, "billable": true, "tasks": [{"name": "Design"}, {"name": "Build", "status": "DONE"}]});
    let (status, project) = rig.clockify(Method::POST, "/projects", body).await;
    assert_eq!((status.as_u16(), &project["public"], &project["clientName"]), (201, &json!(true), &json!("Acme")));
    assert!(project.get("tasks").is_none());
    let path = format!("/projects/{}", project["id"].as_str().unwrap());

    let (_, refusal) = rig.clockify(Method::POST, "/projects", json!({"name": "Website", "clientId": acme})).await;
    assert_eq!(refusal["message"], "Website project for client Acme already exists.");
    assert_eq!(rig.clockify(Method::POST, "/projects", json!({"name": "Website"})).await.0, 201);
    let (_, refusal) = rig.clockify(Method::POST, "/projects", json!({"name": "W"})).await;
    assert_eq!(refusal["message"], "Project name has to be between 2 and 250 characters long");
    let (_, renamed) = rig.clockify(Method::PUT, &path, json!({"name": "Site"})).await;
    assert_eq!(
        (&renamed["public"], &renamed["billable"], &renamed["clientId"]),
        (&json!(false), &json!(false), &json!(acme))
    );

    let (_, hydrated) =
        rig.clockify(Method::GET, "/projects?hydrated=true&archived=false&name=Sit&page-size=5000", Value::Null).await;
    let row = &hydrated.as_array().unwrap().iter().find(|row| row["name"] == "Site").unwrap();
    assert_eq!(row["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(row["client"]["name"], "Acme");
    let task = row["tasks"][0].clone();
    let task_path = format!("{path}/tasks/{}", task["id"].as_str().unwrap());
    let (_, refusal) = rig.clockify(Method::POST, &format!("{path}/tasks"), json!({"name": "Design"})).await;
    assert_eq!(refusal["message"], "Task with name 'Design' already exists");
    assert_eq!(
        rig.clockify(Method::DELETE, &task_path, Value::Null).await.1["message"],
        "Cannot delete an active task"
    );
    let (_, done) = rig.clockify(Method::PUT, &task_path, json!({"name": "Design", "status": "DONE"})).await;
    assert_eq!((&done["status"], &done["billable"]), (&json!("DONE"), &json!(false)));
    assert_eq!(rig.clockify(Method::PUT, &task_path, json!({"name": "Design", "status": "ODD"})).await.1["code"], 3002);

    rig.sandbox.knobs().hydrated_tasks = false;
    let (_, hydrated) = rig.clockify(Method::GET, "/projects?hydrated=true", Value::Null).await;
    assert!(hydrated[0].get("tasks").is_none());
}

#[tokio::test]
async fn lists_page_and_tell_the_last_page() {
    let rig = rig(World::sized(60, 0, 0), Knobs::default()).await;
    let list = async |query: &str| {
        let response =
            rig.clockify_request(Method::GET, &format!("/clients{query}"), Value::Null).send().await.unwrap();
        let last = response.headers().get("last-page").map(|value| value.to_str().unwrap().to_owned());
        (response.json::<Vec<Value>>().await.unwrap().len(), last)
    };

    assert_eq!(list("").await, (50, Some("false".to_owned())));
    assert_eq!(list("?page=2").await, (10, Some("true".to_owned())));
    assert_eq!(list("?page=-1&page-size=5000").await, (60, Some("true".to_owned())));
    rig.sandbox.knobs().ignores_paging = true;
    assert_eq!(list("?page=7").await, (60, None));
}

#[tokio::test]
async fn time_adds_up_in_lists_and_reports() {
    let mut world = World::empty();
    let acme = world.add_client("Acme");
    let web = world.add_project("Website", acme);
    let design = world.add_task("Design", web);
    let start = world.now() - SignedDuration::from_hours(48);
    world.track(design, start, SignedDuration::from_mins(90));
    world.track(web, start, SignedDuration::from_mins(30));
    world.start_timer(design);
    let rig = rig(world, Knobs::default()).await;

    let (_, projects) = rig.clockify(Method::GET, "/projects?hydrated=true", Value::Null).await;
    assert_eq!((&projects[0]["duration"], &projects[0]["tasks"][0]["duration"]), (&json!("PT2H"), &json!("PT1H30M")));

    let workspace = rig.world().workspace_id();
    let report = async |from: &str| {
        let url = format!("{}/v1/workspaces/{workspace}/reports/summary", rig.sandbox.reports_url());
        let body = json!({
            "dateRangeStart": from, "dateRangeEnd": "2026-11-23T23:59:59.000Z",
            "summaryFilter": {"groups": ["CLIENT", "PROJECT", "TASK"]},
        });
        rig.http.post(url).header("X-Api-Key", CLOCKIFY_KEY).json(&body).send().await.unwrap()
    };
    let summary: Value = report("2026-11-01T00:00:00.000Z").await.json().await.unwrap();
    let client = &summary["groupOne"][0];
    assert_eq!((&client["name"], &client["duration"]), (&json!("Acme"), &json!(7200)));
    assert_eq!(client["children"][0]["children"].as_array().unwrap().len(), 2);
    assert_eq!(report("2026-10-01T00:00:00.000Z").await.status(), 400);
}
