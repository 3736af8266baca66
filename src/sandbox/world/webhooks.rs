//! Webhooks that somebody has made in Clockify, and what became of their calls.

use jiff::Timestamp;

use super::World;
use crate::sandbox::ids::ClockifyId;

/// A webhook of a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) id: ClockifyId,
    pub(crate) url: String,
    pub(crate) event: String,
    pub(crate) token: String,
    pub(crate) enabled: bool,
    /// When each call was answered, and with which status; 0 where nobody answered.
    pub(crate) log: Vec<(Timestamp, u16)>,
}

impl World {
    /// An administrator makes a webhook for one kind of event, of which this is the token.
    pub fn add_webhook(&mut self, url: &str, event: &str, token: &str) -> ClockifyId {
        let id = self.new_clockify_id();
        let (url, event, token) = (url.to_owned(), event.to_owned(), token.to_owned());
        self.clockify.webhooks.push(Webhook { id, url, event, token, enabled: true, log: Vec::new() });
        id
    }

    /// Clockify has called for a webhook, and notes the status of the answer, if one came.
    pub fn note_delivery(&mut self, webhook: ClockifyId, at: Timestamp, status: Option<u16>) {
        self.change_webhook(webhook, |webhook| webhook.log.push((at, status.unwrap_or(0))));
    }

    /// Somebody switches a webhook off.
    pub fn disable_webhook(&mut self, webhook: ClockifyId) {
        self.change_webhook(webhook, |webhook| webhook.enabled = false);
    }

    fn change_webhook(&mut self, id: ClockifyId, change: impl FnOnce(&mut Webhook)) {
        if let Some(webhook) = self.clockify.webhooks.iter_mut().find(|webhook| webhook.id == id) {
            change(webhook);
        }
    }
}
