//! What the services call by themselves: a button or automation of Notion, an event subscription of a connection, a
//! webhook of Clockify. Shapes and manners are those of the services' documentation and of what others have measured.

use std::time::Duration;

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::ids::NotionId;

/// How long a service waits for an answer (measured: between 21 and 37 s).
const PATIENCE: Duration = Duration::from_secs(21);

/// A button or an automation of a database with the action “Send webhook”.
#[derive(Clone, Debug)]
pub struct Button {
    url: String,
    headers: Vec<(String, String)>,
    /// Notion pauses an automation at the first error, until somebody resumes it by hand.
    pub paused: bool,
    presses: u64,
}

impl Button {
    /// A button that calls an address, with the headers that somebody has typed in.
    pub fn new(url: &str, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { url: url.to_owned(), headers, paused: false, presses: 0 }
    }

    /// Somebody presses it on a page. Returns the status that came back; nothing where it is paused or none came.
    pub async fn press(&mut self, page: NotionId) -> Option<u16> {
        if self.paused {
            return None;
        }
        self.presses += 1;
        let event = format!("{:08x}-0000-4000-8000-00000000e7e7", self.presses);
        let body = json!({
            "source": { "type": "automation", "automation_id": "a0", "action_id": "b0", "event_id": event, "attempt": 1 },
            "data": {
                "object": "page", "id": page.to_string(), "in_trash": false, "properties": {},
                "parent": { "type": "data_source_id" }, "url": format!("https://www.notion.so/{page}"), "public_url": null,
                "request_id": event,
            },
        });
        let status = send(&self.url, &self.headers, body.to_string()).await;
        self.paused = !status.is_some_and(|status| (200..300).contains(&status));
        status
    }
}

/// The event subscription of a connection.
#[derive(Clone, Debug)]
pub struct Subscription {
    url: String,
    token: String,
    /// Events are sent once somebody has typed the token in.
    pub verified: bool,
    events: u64,
}

impl Subscription {
    /// A subscription that somebody creates in the portal, with the token that Notion has chosen for it.
    pub fn new(url: &str, token: &str) -> Self {
        Self { url: url.to_owned(), token: token.to_owned(), verified: false, events: 0 }
    }

    /// The one call that carries the token.
    pub async fn shake_hands(&self) -> Option<u16> {
        send(&self.url, &[], json!({ "verification_token": self.token }).to_string()).await
    }

    /// Somebody types a token in under “Verify”.
    pub fn verify(&mut self, typed: &str) {
        self.verified = typed == self.token;
    }

    /// Something happened to a page. Returns the status that came back; nothing before it is verified.
    pub async fn happen(&mut self, what: &str, page: NotionId) -> Option<u16> {
        self.events += 1;
        let body = self.body(what, page);
        if self.verified { self.send(&body).await } else { None }
    }

    /// The body of the last event, and of each that is sent again.
    pub fn body(&self, what: &str, page: NotionId) -> String {
        let id = format!("{:08x}-0000-4000-8000-00000000e8e8", self.events);
        json!({
            "id": id, "timestamp": "2026-11-23T12:00:00.000Z", "workspace_id": "w0", "workspace_name": "Agency",
            "subscription_id": "s0", "integration_id": "i0", "type": what, "attempt_number": 1, "api_version": "2026-03-11",
            "authors": [{ "id": "p0", "type": "person" }],
            "entity": { "id": page.to_string(), "type": "page" },
            "data": { "parent": { "id": "d0", "type": "database" }, "updated_properties": ["XGe%40"] },
        })
        .to_string()
    }

    /// What a body is signed with.
    pub fn signature(&self, body: &str) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.token.as_bytes()), body.as_bytes());
        let digits: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256={}", digits.concat())
    }

    /// Sends a body, signed.
    pub async fn send(&self, body: &str) -> Option<u16> {
        let headers = [("X-Notion-Signature".to_owned(), self.signature(body))];
        send(&self.url, &headers, body.to_owned()).await
    }
}

/// A webhook of Clockify.
#[derive(Clone, Debug)]
pub struct ClockifyWebhook {
    url: String,
    token: String,
}

impl ClockifyWebhook {
    /// A webhook with the token that Clockify has chosen for it.
    pub fn new(url: &str, token: &str) -> Self {
        Self { url: url.to_owned(), token: token.to_owned() }
    }

    /// Something happened to an entity, which is sent as it is.
    pub async fn happen(&self, event: &str, entity: &Value) -> Option<u16> {
        let headers = [("Clockify-Signature", self.token.as_str()), ("Clockify-Webhook-Event-Type", event)];
        send(&self.url, &headers.map(|(name, value)| (name.to_owned(), value.to_owned())), entity.to_string()).await
    }
}

async fn send(url: &str, headers: &[(String, String)], body: String) -> Option<u16> {
    // Nothing far away is reached: neither a proxy nor certificates are needed.
    let certificates: Vec<reqwest::Certificate> = Vec::new();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only(certificates).timeout(PATIENCE).build().ok()?;
    let request = client.post(url).header("Content-Type", "application/json").body(body);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    Some(request.send().await.ok()?.status().as_u16())
}
