//! What the Notion side answers.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{rig, titles};
use crate::sandbox::{Knobs, NOTION_TOKEN, NotionId, World};

#[tokio::test]
async fn notion_checks_identity_and_version_before_anything_else() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let me = format!("{}/v1/users/me", rig.sandbox.notion_url());

    let bare = rig.http.get(&me).send().await.unwrap();
    let wrong = rig.http.get(&me).bearer_auth("ntn_other").send().await.unwrap();
    let unversioned = rig.http.get(&me).bearer_auth(NOTION_TOKEN).send().await.unwrap();
    let (_, known) = rig.notion(Method::GET, "/v1/users/me", Value::Null).await;

    assert_eq!((bare.status(), wrong.status()), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert_eq!(wrong.json::<Value>().await.unwrap()["message"], "API token is invalid.");
    assert_eq!(unversioned.json::<Value>().await.unwrap()["code"], "missing_version");
    assert_eq!(known["bot"]["workspace_name"], "Harbour Studio");
}

#[tokio::test]
async fn a_page_is_read_written_trashed_and_lost() {
    let rig = rig(World::empty(), Knobs::default()).await;
    let (acme, web) = {
        let mut world = rig.world();
        let acme = world.add_client_page("Acme");
        (acme, world.add_project_page("Website", acme))
    };
    let path = format!("/v1/pages/{web}");

    let properties =
        json!({"Clockify Project ID": {"rich_text": [{"text": {"content": "abc"}}]}, "Billable": {"checkbox": true}});
    let (_, page) = rig.notion(Method::PATCH, &path, json!({"properties": properties})).await;
    assert_eq!(page["properties"]["Clients"]["relation"], json!([{"id": acme}]));
    assert_eq!(page["properties"]["Status"]["status"]["name"], "Not started");
    assert!(page["last_edited_time"].as_str().unwrap().ends_with(":00.000Z"));
    assert_eq!(rig.world().claim(web).as_deref(), Some("abc"));
    assert!(rig.world().page(web).unwrap().edited_by_bot);

    for (body, message) in [
        (json!({"properties": {"Nope": {"checkbox": true}}}), "Nope is not a property that exists."),
        (json!({"properties": {"Billable": {"number": 1}}}), "Billable is expected to be checkbox."),
        (json!({"properties": {"Label": {"formula": {}}}}), "body failed validation. Fix one:"),
        (json!({"properties": {"Status": {"status": {"name": "Odd"}}}}), "Invalid status option."),
        (json!({"archived": true}), "body failed validation: body.archived should be not present"),
    ] {
        let (status, refusal) = rig.notion(Method::PATCH, &path, body).await;
        assert_eq!((status.as_u16(), &refusal["code"]), (400, &json!("validation_error")));
        assert!(refusal["message"].as_str().unwrap().starts_with(message), "{refusal}");
    }

    let (_, trashed) = rig.notion(Method::PATCH, &path, json!({"in_trash": true})).await;
    assert_eq!(trashed["in_trash"], true);
    assert!(titles(&rig.query("Projects", json!({})).await).is_empty());
    let (status, refusal) = rig.notion(Method::PATCH, &path, json!({"properties": {}})).await;
    assert_eq!(status, 400);
    assert!(refusal["message"].as_str().unwrap().contains("unarchive"));
    let (status, _) = rig.notion(Method::PATCH, &path, json!({"in_trash": false})).await;
    assert_eq!(status, 200);

    rig.world().hide(web);
    let (status, refusal) = rig.notion(Method::GET, &path, Value::Null).await;
    assert_eq!((status.as_u16(), &refusal["code"]), (404, &json!("object_not_found")));
    let (status, refusal) = rig.notion(Method::GET, "/v1/pages/AAA", Value::Null).await;
    assert_eq!(status, 400);
    assert_eq!(
        refusal["message"],
        "path failed validation: path.page_id should be a valid uuid, instead was `\"AAA\"`."
    );
    let upper = acme.to_string().to_uppercase();
    let undashed = acme.to_string().replace('-', "");
    assert_eq!(rig.notion(Method::GET, &format!("/v1/pages/{upper}"), Value::Null).await.0, 404);
    assert_eq!(rig.notion(Method::GET, &format!("/v1/pages/{undashed}"), Value::Null).await.0, 200);
}

#[tokio::test]
async fn a_query_pages_filters_sorts_and_refuses() {
    let rig = rig(World::sized(2, 3, 25), Knobs::default()).await;
    let sorts = json!([{"property": "Name", "direction": "descending"}]);

    let first = rig.query("Tasks", json!({"page_size": 10, "sorts": sorts})).await;
    let next = json!({"page_size": 10, "sorts": sorts, "start_cursor": first["next_cursor"]});
    let second = rig.query("Tasks", next).await;
    assert_eq!((titles(&first)[0].as_str(), titles(&second)[0].as_str()), ("Task 00025", "Task 00015"));

    let filter = json!({"and": [
        {"property": "Status", "status": {"equals": "In progress"}},
        {"or": [{"property": "Name", "title": {"ends_with": "07"}}, {"property": "Name", "title": {"ends_with": "09"}}]},
        {"timestamp": "created_time", "created_time": {"on_or_after": "2026-11-23T09:00:00Z"}},
    ]});
    let found = rig.query("Tasks", json!({"filter": filter, "sorts": sorts})).await;
    assert_eq!(titles(&found), ["Task 00009", "Task 00007"]);

    let (source, database) = {
        let world = rig.world();
        (world.data_source("Tasks").unwrap(), world.database("Tasks").unwrap())
    };
    let path = format!("/v1/data_sources/{source}/query");
    for body in [
        json!({"in_trash": true}),
        json!({"page_size": 101}),
        json!({"start_cursor": first["next_cursor"]}),
        json!({"filter": {"property": "Nope", "title": {"equals": "x"}}}),
        json!({"filter": {"property": "Status", "select": {"equals": "x"}}}),
    ] {
        let (status, refusal) = rig.notion(Method::POST, &path, body.clone()).await;
        assert_eq!((status.as_u16(), &refusal["code"]), (400, &json!("validation_error")), "{body}");
    }
    let (status, refusal) = rig.notion(Method::POST, &format!("/v1/data_sources/{database}/query"), json!({})).await;
    assert_eq!(status, 404);
    assert!(refusal["message"].as_str().unwrap().starts_with("Could not find database with ID:"));

    let (_, slim) = rig
        .notion(Method::POST, &format!("{path}?filter_properties[]=title&filter_properties[]=Status"), json!({}))
        .await;
    assert_eq!(slim["results"][0]["properties"].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn a_capped_query_says_so_and_an_expired_cursor_is_refused() {
    let knobs = Knobs { row_cap: 20, page_size_cap: 8, ..Knobs::default() };
    let rig = rig(World::sized(1, 1, 25), knobs).await;

    let mut seen = 0;
    let mut body = json!({});
    let last = loop {
        let page = rig.query("Tasks", body).await;
        seen += titles(&page).len();
        if page["has_more"] == false {
            break page;
        }
        body = json!({"start_cursor": page["next_cursor"]});
    };
    assert_eq!(seen, 20);
    assert_eq!(last["request_status"]["incomplete_reason"], "query_result_limit_reached");

    let page = rig.query("Tasks", json!({})).await;
    rig.world().expire_cursors();
    let path = format!("/v1/data_sources/{}/query", rig.world().data_source("Tasks").unwrap());
    let (status, refusal) = rig.notion(Method::POST, &path, json!({"start_cursor": page["next_cursor"]})).await;
    assert_eq!((status.as_u16(), &refusal["message"]), (400, &json!("The start_cursor provided is invalid")));
}

#[tokio::test]
async fn a_long_relation_is_cut_and_can_be_read_whole() {
    let mut world = World::empty();
    let project = world.add_project_page("Hub", None);
    let clients: Vec<NotionId> = (0..30).map(|number| world.add_client_page(&format!("C{number}"))).collect();
    world.set_relation(project, "Clients", &clients);
    let rig = rig(world, Knobs::default()).await;

    let (_, page) = rig.notion(Method::GET, &format!("/v1/pages/{project}"), Value::Null).await;
    let relation = &page["properties"]["Clients"];
    let id = relation["id"].as_str().unwrap();
    let path = format!("/v1/pages/{project}/properties/{id}?page_size=20");
    let (_, first) = rig.notion(Method::GET, &path, Value::Null).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, rest) = rig.notion(Method::GET, &format!("{path}&start_cursor={cursor}"), Value::Null).await;

    assert_eq!((relation["relation"].as_array().unwrap().len(), &relation["has_more"]), (25, &json!(true)));
    assert_eq!((first["results"].as_array().unwrap().len(), rest["results"].as_array().unwrap().len()), (20, 10));
    assert_eq!(rest["results"][9]["relation"]["id"], json!(clients[29]));

    rig.sandbox.knobs().unshared.insert("Clients".to_owned());
    let (_, page) = rig.notion(Method::GET, &format!("/v1/pages/{project}"), Value::Null).await;
    assert_eq!(page["properties"]["Clients"]["relation"], json!([]));
    assert_eq!(rig.notion(Method::GET, &format!("/v1/pages/{}", clients[0]), Value::Null).await.0, 404);
}

#[tokio::test]
async fn databases_can_be_created_and_found() {
    let rig = rig(World::bare(), Knobs::default()).await;
    let root = rig.world().root_page().unwrap();
    let create = async |title: &str, properties: Value| {
        let body = json!({
            "parent": {"type": "page_id", "page_id": root}, "title": [{"text": {"content": title}}],
            "initial_data_source": {"properties": properties},
        });
        let (status, database) = rig.notion(Method::POST, "/v1/databases", body).await;
        assert_eq!(status, 200, "{database}");
        database["data_sources"][0]["id"].as_str().unwrap().to_owned()
    };

    let clients = create("Clients", json!({"Name": {"title": {}}})).await;
    let relation = json!({"data_source_id": clients, "type": "dual_property", "dual_property": {"synced_property_name": "Projects"}});
    let projects =
        create("Projects", json!({"Name": {"title": {}}, "Status": {"status": {}}, "Client": {"relation": relation}}))
            .await;
    let row = |source: &str, extra: Value| {
        let mut properties = json!({"Name": {"title": [{"text": {"content": "Row"}}]}});
        properties.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"parent": {"type": "data_source_id", "data_source_id": source}, "properties": properties})
    };
    let (_, client) = rig.notion(Method::POST, "/v1/pages", row(&clients, json!({}))).await;
    let link = json!({"Client": {"relation": [{"id": client["id"]}]}});
    let (_, project) = rig.notion(Method::POST, "/v1/pages", row(&projects, link)).await;

    let (_, client) =
        rig.notion(Method::GET, &format!("/v1/pages/{}", client["id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(client["properties"]["Projects"]["relation"], json!([{"id": project["id"]}]));
    let (_, schema) = rig.notion(Method::GET, &format!("/v1/data_sources/{projects}"), Value::Null).await;
    let options = schema["properties"]["Status"]["status"]["options"].as_array().unwrap();
    assert_eq!(
        options.iter().map(|option| option["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Not started", "In progress", "Done"]
    );
    let filter = json!({"filter": {"property": "object", "value": "data_source"}, "query": "proj"});
    let (_, found) = rig.notion(Method::POST, "/v1/search", filter).await;
    assert_eq!(found["results"][0]["id"], projects.as_str());
}

#[tokio::test]
async fn a_schema_is_added_to_renamed_and_changed() {
    let mut world = World::empty();
    let web = world.add_project_page("Website", None);
    world.set_status(web, "Status", "Done");
    let rig = rig(world, Knobs::default()).await;
    let path = format!("/v1/data_sources/{}", rig.world().data_source("Projects").unwrap());
    let patch = async |properties: Value| rig.notion(Method::PATCH, &path, json!({"properties": properties})).await;

    let (status, schema) = patch(json!({
        "Sync": {"checkbox": {}}, "Clockify Client ID": {"rich_text": {}}, "Notes": {"name": "Remarks"},
        "Billable": {"checkbox": {}},
        "Stage": {"status": {"options": [{"name": "Idea"}, {"name": "Over", "group": "Complete", "color": "red"}]}},
    }))
    .await;
    assert_eq!(status, 200, "{schema}");
    let columns = &schema["properties"];
    assert_eq!((&columns["Sync"]["type"], &columns["Remarks"]["type"]), (&json!("checkbox"), &json!("rich_text")));
    assert!(columns.get("Notes").is_none());
    let groups = columns["Stage"]["status"]["groups"].as_array().unwrap();
    let sizes: Vec<usize> = groups.iter().map(|group| group["option_ids"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [1, 0, 1]);
    let (_, page) = rig.notion(Method::GET, &format!("/v1/pages/{web}"), Value::Null).await;
    assert_eq!(page["properties"]["Stage"]["status"]["name"], "Idea");
    assert_eq!(
        (&page["properties"]["Sync"]["checkbox"], &page["properties"]["Billable"]["checkbox"]),
        (&json!(false), &json!(false))
    );

    // Options are a replacement: what is left out is gone, and what stays keeps its colour and its group.
    let options = json!([{"name": "Done", "color": "pink"}, {"name": "Paused", "group": "In progress"}]);
    let (_, schema) = patch(json!({"Status": {"status": {"options": options}}})).await;
    let options = schema["properties"]["Status"]["status"]["options"].as_array().unwrap();
    let options: Vec<(&Value, &Value)> = options.iter().map(|option| (&option["name"], &option["color"])).collect();
    assert_eq!(options, [(&json!("Done"), &json!("green")), (&json!("Paused"), &json!("default"))]);
    assert_eq!(rig.world().page(web).unwrap().properties["Status"], "Done");

    let (_, schema) = patch(json!({"Status": {"select": {"options": [{"name": "Open"}]}}})).await;
    assert_eq!(schema["properties"]["Status"]["type"], "select");
    assert_eq!(rig.world().page(web).unwrap().properties["Status"], Value::Null);
    let before = rig.world().notion_snapshot();
    for odd in [
        json!({"Name": {"rich_text": {}}}),
        json!({"Sync": {"title": {}}}),
        json!({"Second": {"title": {}}}),
        json!({"Name": null}),
        json!({"Odd": {"telepathy": {}}}),
        json!({"Sync": {"name": "Renamed"}, "Far": {"relation": {"data_source_id": web}}}),
    ] {
        assert!(patch(odd.clone()).await.0.is_client_error(), "{odd}");
    }
    assert_eq!(rig.world().notion_snapshot(), before);
}

#[tokio::test]
async fn a_search_takes_what_is_documented() {
    let rig = rig(World::empty(), Knobs::default()).await;
    for (body, message) in [
        (json!({"filter": {"property": "object", "value": "database"}}), "body.filter.value should be `\"page\"` or"),
        (json!({"filter": {"value": "page"}}), "body.filter.property should be `\"object\"`"),
        (
            json!({"filter": {"property": "object", "value": "page", "archived": true}}),
            "body.filter.archived should be",
        ),
        (json!({"in_trash": true}), "body.in_trash should be not present"),
        (json!({"sort": {"timestamp": "created_time", "direction": "ascending"}}), "body.sort.timestamp should be"),
        (json!({"page_size": 101}), "body.page_size should be ≤ `100`"),
    ] {
        let (status, refusal) = rig.notion(Method::POST, "/v1/search", body).await;
        assert_eq!((status.as_u16(), &refusal["code"]), (400, &json!("validation_error")));
        let said = refusal["message"].as_str().unwrap();
        assert!(said.contains(message), "{said}");
    }
    let fine = json!({"filter": {"in_trash": false}, "sort": {"property": "relevance"}});
    let (status, found) = rig.notion(Method::POST, "/v1/search", fine).await;
    assert_eq!((status.as_u16(), found["results"].as_array().unwrap().len()), (200, 4));
}
