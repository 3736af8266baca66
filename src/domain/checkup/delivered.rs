//! Whether a service's calls arrive, by what it has noted of them itself.

use jiff::Timestamp;

use super::{Check, CheckCode};

/// What Clockify knows of its calls of one caller. It has a webhook for each kind of event.
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    /// The caller's name.
    pub caller: &'a str,
    /// Webhooks that lead to it.
    pub webhooks: usize,
    /// Those of them that are switched off.
    pub off: usize,
    /// Those of them whose token is not the caller's secret.
    pub strange: usize,
    /// The last call of all of them: when, and the status of the answer, where one came.
    pub last: Option<(Timestamp, Option<u16>)>,
}

impl Delivered<'_> {
    /// What it comes to.
    pub fn told(&self) -> Check {
        let Self { caller, webhooks, off, strange, last } = *self;
        let code = CheckCode::Deliveries;
        let secret = format!(
            "put the signing secret of the webhook (Clockify → Manage webhooks) where webhook.callers.{caller}.secret says that it is; \
             each webhook has its own, so each needs a caller of its own"
        );
        if webhooks == 0 {
            let text = format!("{caller}: no webhook of the workspace that clockify.token sees leads here");
            let mend = format!(
                "make one in Clockify, Manage webhooks, whose address ends in /hooks/clockify/{caller}, or look as an administrator"
            );
            return Check::warn(code, text, mend);
        }
        if strange > 0 {
            let text = format!("{caller}: {}, so its calls are refused", of(strange, webhooks, "has another secret"));
            return Check::warn(code, text, secret);
        }
        if off > 0 {
            let text = format!("{caller}: {}", of(off, webhooks, "is switched off"));
            let mend = "switch it on in Clockify, Manage webhooks; Clockify does that itself after too many failures";
            return Check::warn(code, text, mend);
        }
        match last {
            None => {
                let text = format!("{caller}: Clockify has made no call yet that it tells of");
                let mend = "change what the webhook is for, e.g. a project's name, and look again";
                Check::warn(code, text, mend)
            }
            Some((at, Some(status @ 200..300))) => {
                Check::ok(code, format!("{caller}: Clockify last called at {at:.0}, and was answered with {status}"))
            }
            Some((at, Some(401))) => {
                let text = format!("{caller}: Clockify last called at {at:.0}, and was refused (401)");
                Check::warn(code, text, secret)
            }
            Some((at, answer)) => {
                let answer =
                    answer.map_or_else(|| "nobody answered".to_owned(), |status| format!("was answered with {status}"));
                let text = format!("{caller}: Clockify last called at {at:.0}, and {answer}");
                let mend =
                    "look whether the daemon runs (`punchlist serve`), and what the proxy in front of it lets through";
                Check::warn(code, text, mend)
            }
        }
    }
}

/// How many of some are so: `its webhook is switched off`, `2 of its 3 webhooks: is switched off`.
fn of(count: usize, all: usize, is_so: &str) -> String {
    if all == 1 { format!("its webhook {is_so}") } else { format!("of its {all} webhooks, {count} {is_so}") }
}
