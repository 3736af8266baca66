//! The workspace's webhooks, and what Clockify has noted of the calls that it made for them.

use jiff::Timestamp;
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use url::Url;

use super::{Clockify, reports::perhaps};
use crate::edge::http::{Answer, Failure, Repeat, Request};

/// A webhook that the key sees.
pub struct Webhook {
    pub id: String,
    /// Where it calls, as far as that can be read.
    pub url: Option<Url>,
    /// What it proves itself with, where Clockify shows that.
    pub token: Option<SecretString>,
    /// False where somebody has switched it off, or Clockify has: after too many failures, or for want of a plan.
    pub is_on: bool,
}

/// A call that Clockify has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// When it was answered, or given up.
    pub at: Timestamp,
    /// The status of the answer, where one came.
    pub status: Option<u16>,
}

/// A secret, null or nothing.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text: Option<String> = perhaps(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(SecretString::from))
}

#[derive(Deserialize)]
struct WebhooksRow {
    webhooks: Vec<WebhookRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookRow {
    id: String,
    #[serde(default, deserialize_with = "perhaps")]
    url: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    auth_token: Option<SecretString>,
    #[serde(default, deserialize_with = "perhaps")]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "perhaps")]
    delivery_enabled: Option<bool>,
    #[serde(default, deserialize_with = "perhaps")]
    plan_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryRow {
    #[serde(default, deserialize_with = "perhaps")]
    responded_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "perhaps")]
    status_code: Option<u16>,
}

impl Clockify {
    /// The webhooks that people have made in a workspace. One call.
    ///
    /// # Errors
    /// [`Failure`]: a refusal where the key may not see them.
    pub async fn webhooks(&self, workspace: &str) -> Result<Vec<Webhook>, Failure> {
        let request = Request::get(&["v1", "workspaces", workspace, "webhooks"]).query("type", "USER_CREATED");
        let answer: Answer<WebhooksRow> = self.http.send(&request).await?;
        let webhook = |row: WebhookRow| Webhook {
            url: row.url.and_then(|url| url.parse().ok()),
            is_on: [row.enabled, row.delivery_enabled, row.plan_enabled].into_iter().all(|is_on| is_on != Some(false)),
            id: row.id,
            token: row.auth_token,
        };
        Ok(answer.body.webhooks.into_iter().map(webhook).collect())
    }

    /// The last call that Clockify has made for a webhook, if any. One call, which reads although it is a POST.
    ///
    /// # Errors
    /// [`Failure`]: a refusal where the key may not see them.
    pub async fn last_delivery(&self, workspace: &str, webhook: &str) -> Result<Option<Delivery>, Failure> {
        let path = ["v1", "workspaces", workspace, "webhooks", webhook, "logs"];
        let request =
            Request::new(Method::POST, &path, Some(json!({ "status": "ALL", "sortByNewest": true })), Repeat::Read);
        let answer: Answer<Vec<DeliveryRow>> = self.http.send(&request).await?;
        let delivery = |row: DeliveryRow| {
            Some(Delivery { at: row.responded_at?, status: row.status_code.filter(|status| *status > 0) })
        };
        // Whether the order is heeded is not known.
        Ok(answer.body.into_iter().filter_map(delivery).max())
    }
}
