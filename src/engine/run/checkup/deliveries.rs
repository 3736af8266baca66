//! Whether Clockify's calls arrive: by its own log of them, which is looked at and not added to.

use std::path::Path;

use secrecy::ExposeSecret;

use super::{Gathered, Installation, sides::Found};
use crate::{
    domain::checkup::{Check, CheckCode, Delivered},
    edge::{
        clockify::{Clockify, Webhook},
        config::CallerKind,
        secrets::Readings,
    },
    engine::{callers::Callers, connect::Clients},
};

/// Webhooks of a caller whose logs are looked at: each costs a call.
const LOGS_MAX: usize = 3;

impl Installation {
    /// Looks at what Clockify has noted of its calls of each caller of its kind.
    pub(super) async fn check_deliveries(
        &self,
        clients: &Clients,
        sides: &Found,
        readings: &Readings,
        found: &mut Gathered,
    ) {
        let code = CheckCode::Deliveries;
        let mut known = self.settings.webhook.callers.clone();
        known.retain(|_, caller| caller.kind == CallerKind::Clockify);
        if known.is_empty() {
            return found.add(Check::ok(code, "no caller is a webhook of Clockify"));
        }
        let (Some(clockify), Some(workspace)) = (&clients.clockify, sides.workspace()) else { return };
        let webhooks = match clockify.webhooks(workspace).await {
            Ok(webhooks) => webhooks,
            Err(failure) => {
                let text = format!("Clockify does not show the webhooks to clockify.token: {failure}");
                return found.add(Check::skip(code, text));
            }
        };
        // Whoever looks may not be who serves, and have other secrets at hand.
        let callers = Callers::resolve(&known, &self.environment, Path::new(""), readings).await.ok();
        for name in known.keys() {
            let theirs: Vec<&Webhook> = webhooks.iter().filter(|webhook| leads_to(webhook, name)).collect();
            found.add(delivered(clockify, workspace, name, &theirs, callers.as_ref()).await);
        }
    }
}

/// True where a webhook calls a caller's address, on whatever host that is.
fn leads_to(webhook: &Webhook, caller: &str) -> bool {
    let path = webhook.url.as_ref().map(|url| url.path().trim_end_matches('/'));
    path.is_some_and(|path| path.ends_with(&format!("/hooks/clockify/{caller}")))
}

async fn delivered(
    clockify: &Clockify,
    workspace: &str,
    caller: &str,
    webhooks: &[&Webhook],
    callers: Option<&Callers>,
) -> Check {
    let is_strange = |webhook: &&&Webhook| {
        let Some((callers, token)) = callers.zip(webhook.token.as_ref()) else { return false };
        callers.with_secret(CallerKind::Clockify, caller, token.expose_secret().as_bytes()).is_none()
    };
    let mut told = Delivered {
        caller,
        webhooks: webhooks.len(),
        off: webhooks.iter().filter(|webhook| !webhook.is_on).count(),
        strange: webhooks.iter().filter(is_strange).count(),
        last: None,
    };
    for webhook in webhooks.iter().take(LOGS_MAX) {
        match clockify.last_delivery(workspace, &webhook.id).await {
            Ok(last) => told.last = told.last.max(last.map(|last| (last.at, last.status))),
            // What is wrong with the webhook itself is worth more.
            Err(_) if told.strange + told.off > 0 => {}
            Err(failure) => {
                let text =
                    format!("{caller}: Clockify does not show its log of the webhook to clockify.token: {failure}");
                return Check::skip(CheckCode::Deliveries, text);
            }
        }
    }
    told.told()
}
