//! Faults, budgets, lag, the clock, and the routes for scripts.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{rig, titles};
use crate::sandbox::{Fault, FaultKind, Knobs, START_SECOND, Service, World};

#[tokio::test]
async fn a_lost_reply_is_carried_out_and_resets_the_connection() {
    let knobs = Knobs::default().with_fault(Fault::lost_reply().service(Service::Clockify).on("POST", "/clients"));
    let rig = rig(World::empty(), knobs).await;

    let lost = rig.clockify_request(Method::POST, "/clients", json!({"name": "Acme"})).send().await;

    assert!(lost.is_err());
    assert!(rig.world().find_client("Acme").is_some());
    let call = &rig.sandbox.calls()[0];
    assert_eq!((call.status, call.mutation, call.executed), (0, true, true));
    assert_eq!(rig.clockify(Method::POST, "/clients", json!({"name": "Acme"})).await.0, 400);
}

#[tokio::test]
async fn faults_break_answers_in_many_ways() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let send = async |what: FaultKind| {
        rig.sandbox.knobs().faults = vec![Fault::new(what)];
        rig.clockify_request(Method::GET, "/clients", Value::Null).send().await
    };

    assert!(send(FaultKind::Reset).await.is_err());
    assert_eq!(send(FaultKind::Status(503, String::new())).await.unwrap().status(), 503);
    assert!(send(FaultKind::TruncatedBody).await.unwrap().bytes().await.is_err());
    assert!(send(FaultKind::HtmlBody).await.unwrap().text().await.unwrap().starts_with("<!DOCTYPE"));
    assert_eq!(send(FaultKind::Redirect("http://localhost:1/".to_owned())).await.unwrap().status(), 302);
    assert_eq!(send(FaultKind::RetryAfter("-1".to_owned())).await.unwrap().headers()["retry-after"], "-1");
    assert_eq!(send(FaultKind::HugeBody(1_000_000)).await.unwrap().bytes().await.unwrap().len(), 1_000_001);
    rig.sandbox.knobs().faults = vec![Fault::new(FaultKind::Reset).nth(2).times(1)];
    for expected in [true, false, true] {
        let sent = rig.clockify_request(Method::GET, "/clients", Value::Null).send().await;
        assert_eq!(sent.is_ok(), expected);
    }
    assert!(rig.sandbox.calls().iter().all(|call| !call.mutation));
}

#[tokio::test]
async fn budgets_end_and_come_back_with_the_window() {
    let knobs = Knobs { notion_per_minute: Some(2), clockify_per_hour: Some(1), ..Knobs::default() };
    let rig = rig(World::empty(), knobs).await;

    for _ in 0..2 {
        assert_eq!(rig.notion(Method::GET, "/v1/users/me", Value::Null).await.0, 200);
    }
    let (status, body) = rig.notion(Method::GET, "/v1/users/me", Value::Null).await;
    assert_eq!((status.as_u16(), &body["additional_data"]["retry_after"]), (429, &json!("60")));
    assert_eq!(rig.clockify(Method::GET, "/clients", Value::Null).await.0, 200);
    let bare = rig.clockify_request(Method::GET, "/clients", Value::Null).send().await.unwrap();
    assert!(bare.status() == 429 && bare.headers().get("retry-after").is_none());

    rig.world().advance(SignedDuration::from_hours(1));
    assert_eq!(rig.notion(Method::GET, "/v1/users/me", Value::Null).await.0, 200);
    assert_eq!(rig.clockify(Method::GET, "/clients", Value::Null).await.0, 200);
}

#[tokio::test]
async fn lists_lag_behind_writes_when_asked() {
    let rig = rig(World::empty(), Knobs { clockify_lag: 1, notion_lag: 1, ..Knobs::default() }).await;
    let page = rig.world().add_client_page("Before");

    rig.clockify(Method::POST, "/clients", json!({"name": "Acme"})).await;
    let properties = json!({"Name": {"title": [{"text": {"content": "After"}}]}});
    rig.notion(Method::PATCH, &format!("/v1/pages/{page}"), json!({"properties": properties})).await;

    assert_eq!(rig.clockify(Method::GET, "/clients", Value::Null).await.1, json!([]));
    assert_eq!(rig.clockify(Method::GET, "/clients", Value::Null).await.1[0]["name"], "Acme");
    assert_eq!(titles(&rig.query("Clients", json!({})).await), ["Before"]);
    assert_eq!(titles(&rig.query("Clients", json!({})).await), ["After"]);
}

#[tokio::test]
async fn the_date_header_and_the_birth_in_an_id_are_one_clock() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let response = rig.clockify_request(Method::POST, "/clients", json!({"name": "Acme"})).send().await.unwrap();
    assert_eq!(response.headers()["date"], "Mon, 23 Nov 2026 09:00:00 GMT");
    let client: Value = response.json().await.unwrap();
    let born = i64::from_str_radix(&client["id"].as_str().unwrap()[..8], 16).unwrap();
    assert_eq!(born, START_SECOND);
}

#[tokio::test]
async fn scripts_edit_the_world_and_read_the_log() {
    let rig = rig(World::agency(), Knobs::default()).await;
    let url = |path: &str| format!("http://{}/sandbox/{path}", rig.sandbox.address());
    let edits = json!([
        {"verb": "add_client_page", "name": "Fresh"},
        {"verb": "set_property", "page": "Fresh", "property": "Archive", "value": true},
    ]);

    let edited = rig.http.post(url("edit")).json(&edits).send().await.unwrap();
    assert_eq!(edited.status(), 200);
    let odd = rig.http.post(url("edit")).json(&json!({"verb": "trash", "page": "nobody"})).send().await.unwrap();
    assert_eq!(odd.status(), 400);
    let knobs = rig
        .http
        .put(url("knobs"))
        .json(&json!({"latency_ms": 0, "faults": [{"what": "reset", "path_contains": "/x"}]}))
        .send()
        .await
        .unwrap();
    assert_eq!(knobs.status(), 200);
    rig.notion(Method::GET, "/v1/users/me", Value::Null).await;
    let calls: Value = rig.http.get(url("calls")).send().await.unwrap().json().await.unwrap();
    let world: Value = rig.http.get(url("world")).send().await.unwrap().json().await.unwrap();

    let page = rig.world().find_page("Clients", "Fresh").unwrap();
    assert_eq!(rig.world().page(page).unwrap().properties["Archive"], true);
    assert_eq!((calls.as_array().unwrap().len(), &calls[0]["path"]), (1, &json!("/v1/users/me")));
    assert!(world["sources"]["Tasks"]["data_source"].is_string());
}

/// The peer of a cut connection sees the reset itself, not a polite end; a stalled one hears nothing and does not keep
/// the sandbox from stopping.
#[tokio::test]
async fn a_cut_connection_is_reset_and_a_stalled_one_is_silent() {
    use std::io::{ErrorKind, Read, Write};
    let knobs =
        Knobs::default().with_fault(Fault::new(FaultKind::Reset)).with_fault(Fault::new(FaultKind::Stall).nth(2));
    let rig = rig(World::empty(), knobs).await;
    let send = |wait: u64| {
        let mut stream = std::net::TcpStream::connect(rig.sandbox.address()).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_millis(wait))).unwrap();
        stream.write_all(b"GET /notion/v1/users/me HTTP/1.1\r\nHost: sandbox\r\n\r\n").unwrap();
        stream.read(&mut [0; 16]).unwrap_err().kind()
    };

    assert_eq!(send(5_000), ErrorKind::ConnectionReset);
    assert!(matches!(send(20), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    assert_eq!(rig.sandbox.calls().iter().map(|call| call.status).collect::<Vec<_>>(), [0, 0]);
}

#[tokio::test]
async fn scripts_hand_out_tokens_and_keys() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let edit = async |edits: Value| {
        let url = format!("http://{}/sandbox/edit", rig.sandbox.address());
        rig.http.post(url).json(&edits).send().await.unwrap().status()
    };

    let edits = json!([
        {"verb": "add_connection", "name": "Reports", "token": "ntn_reports"},
        {"verb": "share", "token": "ntn_reports", "what": "Clients"},
        {"verb": "limit", "token": "ntn_reports", "read": true, "update": false, "insert": false},
        {"verb": "add_personal_token", "person": "Aiko Tanaka", "token": "ntn_aiko"},
        {"verb": "add_clockify_key", "key": "k", "member": "Aiko Tanaka"},
        {"verb": "set_role", "member": "Aiko Tanaka", "role": "admin"},
        {"verb": "copy_template", "suffix": " 2025"},
        {"verb": "set_plan", "plan": "PREMIUM"},
        {"verb": "unshare", "token": "ntn_sandbox", "what": "Tasks 2025"},
        {"verb": "expire_token", "token": "ntn_aiko"},
    ]);
    assert_eq!(edit(edits).await, 200);
    for odd in [
        json!({"verb": "share", "token": "ntn_nobodys", "what": "Clients"}),
        json!({"verb": "add_personal_token", "person": "Nobody", "token": "x"}),
        json!({"verb": "set_role", "member": "Aiko Tanaka", "role": "emperor"}),
    ] {
        assert_eq!(edit(odd.clone()).await, 400, "{odd}");
    }

    let status = async |token: &str, method: Method, path: &str| {
        let url = format!("{}{path}", rig.sandbox.notion_url());
        let request = rig.http.request(method, url).bearer_auth(token).header("Notion-Version", "2026-03-11");
        request.send().await.unwrap().status().as_u16()
    };
    let at = |name: &str| format!("/v1/databases/{}", rig.world().database(name).unwrap());
    assert_eq!(status("ntn_reports", Method::GET, &at("Clients")).await, 200);
    assert_eq!(status("ntn_reports", Method::PATCH, &at("Clients")).await, 403);
    assert_eq!(status("ntn_reports", Method::GET, &at("Projects")).await, 404);
    assert_eq!(status("ntn_aiko", Method::GET, "/v1/users/me").await, 401);
    assert_eq!(status("ntn_sandbox", Method::GET, &at("Tasks 2025")).await, 404);
    let url = format!("{}/v1/workspaces?roles=WORKSPACE_ADMIN", rig.sandbox.clockify_url());
    let listed: Value = rig.http.get(url).header("X-Api-Key", "k").send().await.unwrap().json().await.unwrap();
    assert_eq!(listed[0]["featureSubscriptionType"], "PREMIUM");
}
