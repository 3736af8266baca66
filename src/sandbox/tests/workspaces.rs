//! Several workspaces, several keys, several regions; what a role may see and do; clocks that go wrong.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Rig, rig};
use crate::sandbox::{CLOCKIFY_KEY, Knobs, NOTION_TOKEN, Role, World};

const MEMBER: &str = "key-of-jonas";

impl Rig {
    /// A call anywhere below `/v1`, with any key.
    async fn clockify_as(&self, key: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/v1{path}", self.sandbox.clockify_url());
        let request = self.http.request(method, url).header("X-Api-Key", key);
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// Regions do not share keys, and nothing but the answer tells which one a key is of.
#[tokio::test]
async fn a_key_opens_one_region_only() {
    let mut european = World::empty();
    european.clockify_key = "key-of-euc1".to_owned();
    let regions = [rig(World::empty(), Knobs::default()).await, rig(european, Knobs::default()).await];

    for (key, expected) in [(CLOCKIFY_KEY, [200, 401]), ("key-of-euc1", [401, 200]), ("nobody's", [401, 401])] {
        for (region, expected) in regions.iter().zip(expected) {
            let (status, answer) = region.clockify_as(key, Method::GET, "/user", Value::Null).await;
            assert_eq!(status, expected, "{key}: {answer}");
            assert_eq!(answer["code"].as_i64(), (expected == 401).then_some(4003));
        }
    }
    for region in &regions {
        let statuses: Vec<u16> = region.sandbox.calls().iter().map(|call| call.status).collect();
        assert_eq!(statuses.len(), 3, "each keeps a log of its own: {statuses:?}");
    }
}

#[tokio::test]
async fn a_key_may_be_in_several_workspaces_with_several_roles() {
    let mut world = World::empty();
    let mara = world.member("Mara Lindqvist").unwrap();
    let side = world.add_clockify_workspace("Side Business", mara, Role::Owner);
    let guest = world.add_clockify_workspace("Customer", mara, Role::Member);
    world.add_client("At home");
    world.in_clockify_workspace(side, |world| {
        world.set_plan("PRO_YEAR_2024");
        world.add_client("Beside")
    });
    let rig = rig(world, Knobs::default()).await;
    let get = async |path: &str| rig.clockify_as(CLOCKIFY_KEY, Method::GET, path, Value::Null).await;

    let (_, all) = get("/workspaces").await;
    assert_eq!(names(&all), ["Harbour Studio", "Side Business", "Customer"]);
    assert_eq!(
        (&all[0]["featureSubscriptionType"], &all[1]["featureSubscriptionType"]),
        (&json!("FREE"), &json!("PRO_YEAR_2024"))
    );
    assert_eq!(names(&get("/workspaces?roles=OWNER").await.1), ["Harbour Studio", "Side Business"]);
    assert_eq!(get("/workspaces?roles=WORKSPACE_ADMIN").await.1, json!([]));
    assert_eq!(names(&get(&format!("/workspaces/{side}/clients")).await.1), ["Beside"]);
    let new = json!({"name": "Fresh"});
    let into = async |workspace: &str| {
        let path = format!("/workspaces/{workspace}/clients");
        rig.clockify_as(CLOCKIFY_KEY, Method::POST, &path, new.clone()).await.0
    };
    assert_eq!((into(&side.to_string()).await, into(&guest.to_string()).await), (201, 403));

    assert_eq!(get("/user").await.1["memberships"], json!([]));
    let (_, user) = get("/user?include-memberships=true").await;
    let targets: Vec<&Value> = user["memberships"].as_array().unwrap().iter().map(|one| &one["targetId"]).collect();
    let home = rig.world().workspace_id();
    assert_eq!(targets, [&json!(home), &json!(side), &json!(guest)]);
    assert_eq!(user["defaultWorkspace"], json!(home));
    let mut world = rig.world();
    assert_eq!(world.clients().len(), 1);
    assert_eq!(world.in_clockify_workspace(side, |world| world.clients().len()), 2);
}

#[tokio::test]
async fn a_role_decides_what_a_key_sees_and_does() {
    let mut world = World::empty();
    let jonas = world.member("Jonas Weber").unwrap();
    world.add_clockify_key(MEMBER, jonas);
    let acme = world.add_client("Acme");
    let web = world.add_project("Website", acme);
    world.edit_project(web, |project| project.public = true);
    world.add_project("Secret", acme);
    let rig = rig(world, Knobs::default()).await;
    let home = format!("/workspaces/{}", rig.world().workspace_id());
    let call = async |method: Method, path: &str, body: Value| {
        let (status, answer) = rig.clockify_as(MEMBER, method, &format!("{home}{path}"), body).await;
        (status, answer["code"].as_i64().unwrap_or_default())
    };
    let archive = json!({"name": "Acme", "archived": true});
    let web_path = format!("/projects/{web}");
    let acme_path = format!("/clients/{acme}");
    let denied = (403, 501);
    let role = |role| rig.world().set_role(jonas, role);
    let projects = async || {
        let (_, list) = rig.clockify_as(MEMBER, Method::GET, &format!("{home}/projects"), Value::Null).await;
        names(&list).len()
    };

    assert_eq!(projects().await, 1);
    assert_eq!(call(Method::POST, "/clients", json!({"name": "New"})).await, denied);
    assert_eq!(call(Method::PUT, &acme_path, archive.clone()).await, denied);
    assert_eq!(call(Method::PUT, &web_path, json!({"name": "Renamed"})).await, denied);
    assert_eq!(call(Method::DELETE, &web_path, Value::Null).await, denied);
    assert_eq!(call(Method::POST, &format!("{web_path}/tasks"), json!({"name": "T"})).await, denied);
    rig.world().set_creation_permissions("EVERYONE", "EVERYONE");
    assert_eq!(call(Method::POST, "/clients", json!({"name": "New"})).await.0, 201);
    assert_eq!(call(Method::POST, "/projects", json!({"name": "Own"})).await.0, 201);
    assert_eq!(call(Method::POST, &format!("{web_path}/tasks"), json!({"name": "T"})).await.0, 201);
    assert_eq!(call(Method::PUT, &acme_path, archive.clone()).await, denied);
    assert_eq!(projects().await, 2, "its own private one is seen");

    rig.world().set_creation_permissions("ADMINS_AND_PROJECT_MANAGERS", "ADMINS");
    assert_eq!(call(Method::POST, "/clients", json!({"name": "More"})).await, denied);
    role(Role::ProjectManager);
    assert_eq!(call(Method::POST, "/clients", json!({"name": "More"})).await.0, 201);
    assert_eq!(call(Method::PUT, &web_path, json!({"name": "Renamed"})).await, denied);
    let own = rig.world().find_project("Own", None).unwrap();
    assert_eq!(call(Method::PUT, &format!("/projects/{own}"), json!({"name": "Mine"})).await.0, 200);
    assert_eq!(call(Method::PUT, &format!("/projects/{own}"), json!({"archived": true})).await, denied);
    role(Role::Admin);
    assert_eq!(call(Method::PUT, &acme_path, archive).await.0, 200);
    assert_eq!(projects().await, 3);
    let (_, admin) = rig.clockify_as(MEMBER, Method::GET, "/workspaces?roles=WORKSPACE_ADMIN", Value::Null).await;
    assert_eq!(names(&admin), ["Harbour Studio"]);

    role(Role::Member);
    let members = format!("{home}/users");
    let (_, all) = rig.clockify_as(MEMBER, Method::GET, &members, Value::Null).await;
    rig.sandbox.knobs().members_see_themselves = true;
    let (_, alone) = rig.clockify_as(MEMBER, Method::GET, &members, Value::Null).await;
    assert_eq!((names(&all).len(), names(&alone)), (4, vec!["Jonas Weber"]));
    let (_, user) = rig.clockify_as(MEMBER, Method::GET, "/user", Value::Null).await;
    assert_eq!(user["email"], "jonas@harbour.example");
}

#[tokio::test]
async fn a_token_of_another_workspace_sees_other_data() {
    let mut world = World::empty();
    let acme = world.add_client_page("Acme");
    world.add_notion_workspace("Elsewhere", "ntn_elsewhere");
    world.in_notion_workspace("ntn_elsewhere", |world| world.add_table("Clients", &[("Name", "title")]));
    let rig = rig(world, Knobs::default()).await;
    let at = async |token: &str, method: Method, path: &str| {
        let url = format!("{}{path}", rig.sandbox.notion_url());
        let request = rig.http.request(method, url).bearer_auth(token).header("Notion-Version", "2026-03-11");
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };

    let (there, here) =
        (at("ntn_elsewhere", Method::GET, "/v1/users/me").await, at(NOTION_TOKEN, Method::GET, "/v1/users/me").await);
    assert_eq!(there["bot"]["workspace_name"], "Elsewhere");
    assert_eq!(here["bot"]["workspace_name"], "Harbour Studio");
    assert_ne!(there["bot"]["workspace_id"], here["bot"]["workspace_id"]);
    let page = format!("/v1/pages/{acme}");
    assert_eq!(at("ntn_elsewhere", Method::GET, &page).await["code"], "object_not_found");
    assert_eq!(at(NOTION_TOKEN, Method::GET, &page).await["id"], json!(acme));
    let found = at("ntn_elsewhere", Method::POST, "/v1/search").await;
    assert_eq!(found["results"].as_array().unwrap().len(), 2, "the page and the data source there: {found}");
}

#[tokio::test]
async fn each_service_may_have_a_clock_that_is_wrong() {
    let knobs = Knobs { notion_date_ahead_s: 600, clockify_date_ahead_s: -3600, ..Knobs::default() };
    let rig = rig(World::empty(), knobs).await;
    let date =
        async |url: String| rig.http.get(url).send().await.unwrap().headers()["date"].to_str().unwrap().to_owned();

    let notion = date(format!("{}/v1/users/me", rig.sandbox.notion_url())).await;
    let clockify = date(format!("{}/v1/user", rig.sandbox.clockify_url())).await;
    let reports = date(format!("{}/v1/x", rig.sandbox.reports_url())).await;

    assert_eq!(notion, "Mon, 23 Nov 2026 09:10:00 GMT");
    assert_eq!(
        (clockify.as_str(), reports.as_str()),
        ("Mon, 23 Nov 2026 08:00:00 GMT", "Mon, 23 Nov 2026 08:00:00 GMT")
    );
}
