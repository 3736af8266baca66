//! Webhooks of the workspace, and the log of their calls.

use serde_json::{Value, json};

use super::{Answer, Call, Outcome, Refusal};
use crate::sandbox::world::Webhook;

/// Entries of a log where nothing is asked for (Clockify docs).
const LOG_SIZE_DEFAULT: usize = 50;

impl Call<'_> {
    /// All of them at once, with their tokens. Who may see them is not documented: those who may make them.
    pub(super) fn list_webhooks(&self) -> Outcome {
        if !self.administers() {
            return Err(Refusal::denied());
        }
        let workspace = self.world.workspace_id();
        let rows: Vec<Value> = self
            .world
            .clockify
            .webhooks
            .iter()
            .map(|webhook| {
                json!({
                    "id": webhook.id, "name": "punchlist", "url": webhook.url, "authToken": webhook.token,
                    "webhookEvent": webhook.event, "triggerSource": [], "triggerSourceType": "WORKSPACE_ID",
                    "enabled": webhook.enabled, "deliveryEnabled": true, "planEnabled": true,
                    "userId": self.user, "workspaceId": workspace,
                })
            })
            .collect();
        Ok(Answer::ok(json!({ "workspaceWebhookCount": rows.len(), "webhooks": rows })))
    }

    /// The log of one: the oldest first unless asked otherwise (Clockify docs).
    pub(super) fn webhook_log(&self, id: &str) -> Outcome {
        let webhook = self.world.clockify.webhooks.iter().find(|webhook| webhook.id.to_string() == id);
        let webhook = webhook.ok_or_else(|| Refusal::not_in_workspace("Webhook"))?;
        let body = self.body()?;
        let is_asked_for = |succeeded: bool| match body["status"].as_str() {
            Some("SUCCEEDED") => succeeded,
            Some("FAILED") => !succeeded,
            _ => true,
        };
        let mut rows = log(webhook, is_asked_for);
        if body["sortByNewest"] == true {
            rows.reverse();
        }
        let number = |name: &str, default: usize| match self.request.parameter(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Refusal::parameter(name, text)),
        };
        let (page, size) = (number("page", 0)?, number("size", LOG_SIZE_DEFAULT)?);
        Ok(Answer::ok(rows.into_iter().skip(page.saturating_mul(size)).take(size).collect::<Value>()))
    }
}

fn log(webhook: &Webhook, is_asked_for: impl Fn(bool) -> bool) -> Vec<Value> {
    let delivered = webhook.log.iter().filter(|(_, status)| is_asked_for((200..300).contains(status)));
    let row = |(at, status): &(jiff::Timestamp, u16)| {
        json!({
            "id": format!("{}-{at}", webhook.id), "webhookId": webhook.id, "webhookEventStatusId": webhook.id,
            "statusCode": status, "respondedAt": at.strftime("%Y-%m-%dT%H:%M:%S.000+00:00").to_string(),
            "requestBody": "{\"id\":\"64a9e1000000000000000001\"}", "responseBody": "{\"ok\":true}",
        })
    };
    delivered.map(row).collect()
}
