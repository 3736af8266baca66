//! Who a Notion token is, and what it may see and do.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Rig, rig};
use crate::sandbox::{Capabilities, Knobs, NOTION_TOKEN, NotionId, PersonalMe, World};

const OTHER: &str = "ntn_other_connection";
const PERSONAL: &str = "ntn_of_mara";

impl Rig {
    /// A call with another token than the world's first.
    async fn notion_as(&self, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.sandbox.notion_url());
        let request = self.http.request(method, url).bearer_auth(token).header("Notion-Version", "2026-03-11");
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// What a search for data sources lists.
    async fn sources_seen(&self, token: &str) -> Vec<String> {
        let filter = json!({"filter": {"property": "object", "value": "data_source"}});
        let (status, found) = self.notion_as(token, Method::POST, "/v1/search", filter).await;
        assert_eq!(status, 200, "{found}");
        let rows = found["results"].as_array().unwrap().iter();
        let mut titles: Vec<String> =
            rows.map(|row| row["title"][0]["plain_text"].as_str().unwrap().to_owned()).collect();
        titles.sort();
        titles
    }
}

fn new_database(parent: Value) -> Value {
    json!({"parent": parent, "title": [{"text": {"content": "New"}}],
        "initial_data_source": {"properties": {"Name": {"title": {}}}}})
}

#[tokio::test]
async fn a_connection_sees_what_is_shared_with_it_and_below() {
    let mut world = World::empty();
    let acme = world.add_client_page("Acme");
    world.add_connection("Reports", OTHER);
    let rig = rig(world, Knobs::default()).await;
    let (root, clients) = {
        let world = rig.world();
        (world.root_page().unwrap(), world.database("Clients").unwrap())
    };
    let page = format!("/v1/pages/{acme}");
    let database = format!("/v1/databases/{clients}");
    let statuses = async || {
        let mut seen = Vec::new();
        for path in [&page, &database] {
            seen.push(rig.notion_as(OTHER, Method::GET, path, Value::Null).await.0);
        }
        seen
    };

    assert_eq!((statuses().await, rig.sources_seen(OTHER).await), (vec![404, 404], vec![]));
    rig.world().share(OTHER, clients);
    assert_eq!((statuses().await, rig.sources_seen(OTHER).await), (vec![200, 200], vec!["Clients".to_owned()]));
    let beside = json!({"page_id": root});
    assert_eq!(rig.notion_as(OTHER, Method::POST, "/v1/databases", new_database(beside)).await.0, 404);
    rig.world().share(OTHER, root);
    rig.world().unshare(OTHER, clients);
    assert_eq!((statuses().await, rig.sources_seen(OTHER).await.len()), (vec![404, 404], 2));

    rig.world().unshare(NOTION_TOKEN, clients);
    assert_eq!(rig.sources_seen(NOTION_TOKEN).await, ["Projects", "Tasks"]);
    rig.world().expire_token(OTHER);
    let (status, refusal) = rig.notion_as(OTHER, Method::GET, "/v1/users/me", Value::Null).await;
    assert_eq!((status, &refusal["code"]), (401, &json!("unauthorized")));
}

#[tokio::test]
async fn a_personal_token_acts_as_the_person() {
    let mut world = World::empty();
    let mara = world.person("Mara Lindqvist").unwrap();
    let acme = world.add_client_page("Acme");
    world.hide(acme);
    world.add_personal_token("Mara Lindqvist", PERSONAL);
    world.unshare(NOTION_TOKEN, world.root_page().unwrap());
    let rig = rig(world, Knobs { unshared: ["Tasks".to_owned()].into(), ..Knobs::default() }).await;

    assert_eq!(rig.sources_seen(PERSONAL).await, ["Clients", "Projects", "Tasks"]);
    assert!(rig.sources_seen(NOTION_TOKEN).await.is_empty());
    let checked = json!({"properties": {"Archive": {"checkbox": true}}});
    let (_, page) = rig.notion_as(PERSONAL, Method::PATCH, &format!("/v1/pages/{acme}"), checked).await;
    assert_eq!(page["last_edited_by"]["id"], json!(mara));
    assert!(!rig.world().page(acme).unwrap().edited_by_bot);

    let private = json!({"type": "workspace", "workspace": true});
    let (status, _) = rig.notion_as(NOTION_TOKEN, Method::POST, "/v1/databases", new_database(private.clone())).await;
    assert_eq!(status, 400);
    let (status, made) = rig.notion_as(PERSONAL, Method::POST, "/v1/databases", new_database(private.clone())).await;
    assert_eq!((status, &made["parent"]), (200, &private));
    let path = format!("/v1/databases/{}", made["id"].as_str().unwrap());
    assert_eq!(rig.notion_as(NOTION_TOKEN, Method::GET, &path, Value::Null).await.0, 404);
    let page = json!({"parent": private, "properties": {}});
    assert_eq!(rig.notion_as(NOTION_TOKEN, Method::POST, "/v1/pages", page.clone()).await.0, 400);
    let (_, made) = rig.notion_as(PERSONAL, Method::POST, "/v1/pages", page).await;
    let path = format!("/v1/pages/{}", made["id"].as_str().unwrap());
    assert_eq!(rig.notion_as(PERSONAL, Method::GET, &path, Value::Null).await.0, 200);
    assert_eq!(rig.notion_as(NOTION_TOKEN, Method::GET, &path, Value::Null).await.0, 404);
}

/// Which of these Notion sends is unproved; each is of the form that its document allows.
#[tokio::test]
async fn a_personal_token_is_told_who_it_is_in_many_ways() {
    let mut world = World::empty();
    let mara = json!(world.person("Mara Lindqvist").unwrap());
    world.add_personal_token("Mara Lindqvist", PERSONAL);
    let rig = rig(world, Knobs::default()).await;
    let me = async |knob: PersonalMe| {
        rig.sandbox.knobs().personal_me = knob;
        rig.notion_as(PERSONAL, Method::GET, "/v1/users/me", Value::Null).await.1
    };

    let full = me(PersonalMe::BotOfPerson).await;
    assert_eq!((&full["type"], &full["bot"]["owner"]["type"]), (&json!("bot"), &json!("user")));
    assert_eq!(full["bot"]["owner"]["user"]["id"], mara);
    assert_eq!(full["bot"]["owner"]["user"]["person"]["email"], "mara@harbour.example");
    assert_eq!(full["bot"]["workspace_name"], "Harbour Studio");
    let slim = me(PersonalMe::BotOfPersonId).await;
    assert_eq!(slim["bot"]["owner"], json!({"type": "user", "user": {"object": "user", "id": mara}}));
    let disguised = me(PersonalMe::BotOfWorkspace).await;
    assert_eq!(disguised["bot"]["owner"], json!({"type": "workspace", "workspace": true}));
    let person = me(PersonalMe::Person).await;
    assert_eq!((&person["id"], &person["type"]), (&mara, &json!("person")));
    assert!(person.get("bot").is_none());

    rig.sandbox.knobs().personal_without_workspace = true;
    assert!(me(PersonalMe::BotOfPerson).await["bot"].get("workspace_id").is_none());
    let (_, bot) = rig.notion(Method::GET, "/v1/users/me", Value::Null).await;
    assert_eq!((&bot["bot"]["owner"]["type"], bot["bot"]["workspace_id"].is_string()), (&json!("workspace"), true));
}

#[tokio::test]
async fn what_a_connection_may_not_do_is_refused() {
    let mut world = World::empty();
    let acme = world.add_client_page("Acme");
    let rig = rig(world, Knobs::default()).await;
    let root = rig.world().root_page().unwrap();
    let clients = rig.world().data_source("Clients").unwrap();
    let page = format!("/v1/pages/{acme}");
    let edit = json!({"properties": {"Archive": {"checkbox": true}}});
    let odd = json!({"properties": {"Nope": {"checkbox": true}}});
    let row = json!({"parent": {"data_source_id": clients}, "properties": {}});
    let only = |read, update, insert| rig.world().limit(NOTION_TOKEN, Capabilities { read, update, insert });
    let code = async |method: Method, path: &str, body: &Value| {
        let (status, answer) = rig.notion(method, path, body.clone()).await;
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = (StatusCode::FORBIDDEN, "restricted_resource".to_owned());

    only(true, false, false);
    let before = rig.world().notion_snapshot();
    assert_eq!(code(Method::GET, &page, &Value::Null).await.0, 200);
    assert_eq!(code(Method::PATCH, &page, &edit).await, refused);
    assert_eq!(code(Method::POST, "/v1/pages", &row).await, refused);
    assert_eq!(code(Method::POST, "/v1/databases", &new_database(json!({"page_id": root}))).await, refused);
    assert_eq!(code(Method::PATCH, &page, &odd).await, refused);
    rig.sandbox.knobs().capabilities_last = true;
    assert_eq!(code(Method::PATCH, &page, &odd).await.0, 400);
    assert_eq!(code(Method::PATCH, &page, &edit).await, refused);
    assert_eq!(code(Method::POST, "/v1/pages", &row).await, refused);
    assert_eq!(rig.world().notion_snapshot(), before);

    only(false, false, true);
    assert_eq!(code(Method::GET, &page, &Value::Null).await, refused);
    assert_eq!(code(Method::POST, "/v1/search", &json!({})).await, refused);
    assert_eq!(code(Method::GET, "/v1/users/me", &Value::Null).await.0, 200);
    let (_, made) = rig.notion(Method::POST, "/v1/pages", row.clone()).await;
    let mut keys: Vec<&String> = made.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["id", "object", "request_id"]);

    only(true, true, true);
    rig.sandbox.knobs().block_limit_reached = true;
    let (status, refusal) = rig.notion(Method::POST, "/v1/pages", row).await;
    assert_eq!((status.as_u16(), &refusal["additional_data"]["block_limit"]), (403, &json!("block_creation")));
    assert_eq!(code(Method::PATCH, &page, &edit).await.0, 200);
}

#[tokio::test]
async fn what_is_no_database_to_work_on_is_told_apart() {
    let mut world = World::empty();
    world.copy_template(" 2025");
    let root = world.root_page().unwrap();
    let (clients, old) = (world.database("Clients").unwrap(), world.database("Clients 2025").unwrap());
    let linked = world.add_linked_database("Board");
    world.add_data_source(clients, "Leads");
    world.trash_database(old, true);
    let rig = rig(world, Knobs::default()).await;
    let get = async |id: NotionId| rig.notion(Method::GET, &format!("/v1/databases/{id}"), Value::Null).await;

    let (_, several) = get(clients).await;
    let names = several["data_sources"].as_array().unwrap().iter().map(|source| &source["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["Clients", "Leads"]);
    assert!(get(linked).await.1["message"].as_str().unwrap().contains("does not contain any data sources accessible"));
    assert_eq!(get(root).await.0, 404);
    rig.sandbox.knobs().wrong_kind_named = true;
    let (status, refusal) = get(root).await;
    assert_eq!((status.as_u16(), &refusal["code"]), (400, &json!("validation_error")));

    let (status, trashed) = get(old).await;
    assert_eq!((status.as_u16(), &trashed["in_trash"]), (200, &json!(true)));
    assert!(!rig.sources_seen(NOTION_TOKEN).await.contains(&"Clients 2025".to_owned()));
    let filter = json!({"filter": {"property": "object", "value": "data_source", "in_trash": true}});
    let (_, found) = rig.notion(Method::POST, "/v1/search", filter).await;
    assert_eq!((found["results"].as_array().unwrap().len(), &found["results"][0]["in_trash"]), (1, &json!(true)));
    let source = rig.world().data_source("Clients 2025").unwrap();
    let path = format!("/v1/data_sources/{source}");
    let column = json!({"properties": {"X": {"rich_text": {}}}});
    assert_eq!(rig.notion(Method::PATCH, &path, column).await.0, 400);
    let row = json!({"parent": {"data_source_id": source}, "properties": {}});
    assert_eq!(rig.notion(Method::POST, "/v1/pages", row).await.0, 400);
    rig.sandbox.knobs().trash_reaches_sources = false;
    assert_eq!(rig.notion(Method::GET, &path, Value::Null).await.1["in_trash"], false);

    let projects = rig.world().data_source("Projects 2025").unwrap();
    let (_, copy) = rig.notion(Method::GET, &format!("/v1/data_sources/{projects}"), Value::Null).await;
    assert_eq!(copy["properties"]["Clients"]["relation"]["data_source_id"], json!(source));
}

#[tokio::test]
async fn a_crowded_workspace_is_searched_by_the_page() {
    let mut world = World::empty();
    world.crowd(120, 130);
    let kunden = world.add_table("Kunden", &[("Name", "title"), ("Nr", "unique_id")]);
    world.add_table("Projekte", &[("Titel", "title"), ("Kunde", "relation:Kunden"), ("Stand", "status")]);
    let rig = rig(world, Knobs::default()).await;
    let count = async |kind: &str| {
        let (mut seen, mut calls, mut cursor) = (0, 0, Value::Null);
        loop {
            let mut body = json!({"filter": {"property": "object", "value": kind}, "page_size": 100});
            if cursor.is_string() {
                body["start_cursor"] = cursor;
            }
            let (_, found) = rig.notion(Method::POST, "/v1/search", body).await;
            seen += found["results"].as_array().unwrap().len();
            calls += 1;
            cursor = found["next_cursor"].clone();
            if cursor.is_null() {
                return (seen, calls);
            }
        }
    };

    assert_eq!(count("data_source").await, (125, 2));
    assert_eq!(count("page").await, (131, 2));
    let body = json!({"query": "Projekte", "filter": {"property": "object", "value": "data_source"}});
    let (_, found) = rig.notion(Method::POST, "/v1/search", body).await;
    assert_eq!(found["results"][0]["properties"]["Kunde"]["relation"]["data_source_id"], json!(kunden));
}
