//! The server driven over HTTP, as the clients drive it.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::needless_pass_by_value, reason = "bodies are written in place")]

mod clockify;
mod notion;
mod serving;
mod time;
mod tokens;
mod workspaces;
mod worlds;

use std::net::SocketAddr;

use reqwest::{Client as Http, Method, StatusCode};
use serde_json::Value;

use super::{CLOCKIFY_KEY, Knobs, NOTION_TOKEN, Sandbox, World};

struct Rig {
    sandbox: Sandbox,
    http: Http,
}

/// A sandbox on a free port, and a client that knows the tokens.
async fn rig(world: World, knobs: Knobs) -> Rig {
    let free_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let sandbox = Sandbox::start(world, knobs, free_port).await.unwrap();
    let http = Http::builder()
        .no_proxy()
        .tls_certs_only(Vec::<reqwest::Certificate>::new())
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Rig { sandbox, http }
}

impl Rig {
    async fn notion(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.sandbox.notion_url());
        let mut request =
            self.http.request(method, url).bearer_auth(NOTION_TOKEN).header("Notion-Version", "2026-03-11");
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn query(&self, source: &str, body: Value) -> Value {
        let id = self.sandbox.world().data_source(source).unwrap();
        let path = format!("/v1/data_sources/{id}/query");
        let (status, body) = self.notion(Method::POST, &path, body).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// A call below the workspace.
    async fn clockify(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let response = self.clockify_request(method, path, body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    fn clockify_request(&self, method: Method, path: &str, body: Value) -> reqwest::RequestBuilder {
        let workspace = self.sandbox.world().workspace_id();
        let url = format!("{}/v1/workspaces/{workspace}{path}", self.sandbox.clockify_url());
        let request = self.http.request(method, url).header("X-Api-Key", CLOCKIFY_KEY);
        if body.is_null() { request } else { request.json(&body) }
    }

    /// A report of the workspace.
    async fn report(&self, report: &str, body: Value) -> (StatusCode, Value) {
        let workspace = self.sandbox.world().workspace_id();
        let url = format!("{}/v1/workspaces/{workspace}/reports/{report}", self.sandbox.reports_url());
        let request = self.http.post(url).header("X-Api-Key", CLOCKIFY_KEY).json(&body);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.sandbox.world()
    }
}

fn titles(list: &Value) -> Vec<String> {
    let rows = list["results"].as_array().unwrap().iter();
    rows.map(|row| row["properties"]["Name"]["title"][0]["plain_text"].as_str().unwrap_or_default().to_owned())
        .collect()
}
