//! What became of a request: the one table that says whether to try again, and how a failure is called.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::{
    domain::{model::Service, text::Shown},
    edge::scrub::scrub,
};

/// Columns of a service's message that are kept.
const MESSAGE_COLUMNS_MAX: usize = 400;
/// Characters of it that are looked at.
const MESSAGE_CHARS_MAX: usize = 4 * MESSAGE_COLUMNS_MAX;
/// Characters that are scrubbed before: what is cut there is cut off again.
const SCRUBBED_CHARS_MAX: usize = 20 * MESSAGE_CHARS_MAX;
/// Nobody waits longer than this before trying once more, whatever is asked for: a wrong number must not lock us out.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// Columns of a request's id that are kept.
const REQUEST_ID_COLUMNS_MAX: usize = 80;
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Why a request has no answer. No text holds tokens or query values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing left this machine: no route, no name, no TLS, or a reason found before sending.
    #[error("{error}")]
    NotSent {
        /// Why.
        error: Shown,
    },
    /// Nothing left this machine, since whoever answers does not prove to be the service.
    #[error("{error}")]
    Untrusted {
        /// Why.
        error: Shown,
    },
    /// Thrown back unread, or not sent because the request budget is spent.
    #[error("{error}")]
    Throttled {
        /// How long until it is worth trying again.
        wait: Duration,
        /// Who asked, and until when.
        error: Shown,
        /// True where a request budget is spent, and the service did not ask for it.
        budget: bool,
    },
    /// A definitive no; nothing changed.
    #[error("{service} refused it: {message} ({})", coded(*status, code.as_deref()))]
    Rejected {
        /// Who refused.
        service: Service,
        /// The HTTP status; 0 when the request was found impossible before it was sent.
        status: u16,
        /// The service's own code: a word from Notion, a number from Clockify.
        code: Option<Shown>,
        /// The service's own message.
        message: Shown,
    },
    /// Not sent, because its turn came when what it was made from had become too old: read that again, and make it
    /// anew.
    #[error("its turn came so late that what it was made from had become too old")]
    Outdated,
    /// The answer to a reading is larger than anything that is kept in memory.
    #[error("{error}")]
    TooLarge {
        /// How large.
        error: Shown,
    },
    /// Nobody knows: a write that may have happened, or a read that was never answered properly.
    #[error("{error}")]
    Unknown {
        /// What went wrong.
        error: Shown,
    },
}

impl Failure {
    /// A request that is found impossible before it is sent.
    pub(in crate::edge) fn impossible(service: Service, message: impl Into<Shown>) -> Self {
        Self::Rejected { service, status: 0, code: None, message: message.into() }
    }

    /// True when the service did not accept who asks (401).
    pub fn is_unknown_caller(&self) -> bool {
        matches!(self, Self::Rejected { status: 401, .. })
    }

    /// True when the service did not accept who asks (401), or what they may do (403).
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Rejected { status: 401 | 403, .. })
    }

    /// True where something else seems to answer than the service's API: no such address there (Clockify's 3000), or a
    /// 404 that lacks the code that each of its own answers has.
    pub fn is_elsewhere(&self) -> bool {
        let Self::Rejected { status: 404 | 405, code, .. } = self else { return false };
        code.as_deref().is_none_or(|code| code == "3000")
    }

    /// True for a rejection with this status.
    pub fn has_status(&self, wanted: u16) -> bool {
        matches!(self, Self::Rejected { status, .. } if *status == wanted)
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "check the network, the proxy and the base_url of the service, then run again",
            Self::Untrusted { .. } => {
                "check the base_url of the service and this machine's clock; where a proxy on the way signs by itself, let this \
                 machine trust its certificate"
            }
            Self::Outdated => "run again: it is read and planned anew",
            Self::Throttled { budget: true, .. } => "run again then; what was done stays done",
            Self::Throttled { .. } => "run again then, or with --now to try at once; what was done stays done",
            Self::Rejected { status: 401, service: Service::Notion, .. } => {
                "make a new token for the connection in Notion and put it where the configuration says that it is"
            }
            Self::Rejected { status: 401, service: Service::Clockify, .. } => {
                "make a new API key in Clockify's profile settings and put it where the configuration says that it is"
            }
            Self::Rejected { status: 403, service: Service::Notion, .. } => {
                "give the connection the capabilities to read and update content, and share the page with it"
            }
            Self::Rejected { status: 403, service: Service::Clockify, .. } => {
                "use the key of an owner or admin, and check that the workspace's plan has this feature"
            }
            Self::Rejected { .. } => "mend what the message names, then run again",
            Self::TooLarge { .. } => "look at what the service holds there: so much in one place is hardly meant",
            Self::Unknown { .. } => "run again: it is looked up before anything is repeated",
        }
    }
}

fn coded(status: u16, code: Option<&str>) -> String {
    match (status, code) {
        (0, _) => "not sent".to_owned(),
        (status, None) => status.to_string(),
        (status, Some(code)) => format!("{status} {code}"),
    }
}

/// Makes text of a service or a library fit for an error message: scrubbed first, since what is cut no longer looks
/// like a secret, then shortened. A service may repeat what it was sent, and refuse it by name.
pub(in crate::edge) fn shown(text: &str) -> Shown {
    // A parser's complaint may quote a whole answer, and looking at millions of characters takes seconds.
    let text = scrub(begin(text.trim(), SCRUBBED_CHARS_MAX)).into_owned();
    Shown::of(begin(&text, MESSAGE_CHARS_MAX)).clipped(MESSAGE_COLUMNS_MAX)
}

/// The first characters of a text.
fn begin(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(at, _)| &text[..at])
}

/// Whether a request may be sent again when nobody knows whether it was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge) enum Repeat {
    /// It only reads.
    Read,
    /// It sets values, so that the second time changes nothing: Notion's PATCH of properties.
    Idempotent,
    /// It must be looked up instead.
    Never,
}

/// What happened to one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// No connection came about.
    NotSent,
    /// The other side could not prove who it is, or speaks no TLS.
    Untrusted,
    /// A proxy on the way lets nobody through without a password.
    NoWay,
    /// The connection ended, or time ran out, before there was a whole answer.
    Silence,
    /// An answer with a status other than 2xx.
    Status(u16),
    /// A 2xx that is not what was asked for: HTML, cut short.
    Unreadable,
    /// A 2xx that is larger than anything that is kept in memory.
    TooLarge,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Again after a backoff while attempts last, then this failure.
    Retry(Kind),
    /// All requests to the service pause; then again while attempts last.
    Pause,
    /// This failure, now.
    Fail(Kind),
}

/// The failures, without their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NotSent,
    Untrusted,
    Rejected,
    TooLarge,
    Unknown,
}

/// The table. Notion docs, status codes: 429 and 529 may be repeated by all methods, 5xx only where repeating is
/// harmless; a 503 may even say that the change was saved. A 409 is a collision in Notion's storage, seen on 1 to 2 %
/// of writes under load (live probe, third party).
pub(super) fn classify(repeat: Repeat, happened: Happened) -> Treatment {
    use Happened::{NoWay, NotSent, Silence, Status, TooLarge, Unreadable, Untrusted};
    match (happened, repeat) {
        (NotSent, _) => Treatment::Retry(Kind::NotSent),
        (Untrusted, _) => Treatment::Fail(Kind::Untrusted),
        (NoWay, _) => Treatment::Fail(Kind::NotSent),
        (Status(429 | 529), _) => Treatment::Pause,
        (TooLarge, Repeat::Read) => Treatment::Fail(Kind::TooLarge),
        (Status(409), Repeat::Read | Repeat::Idempotent) => Treatment::Retry(Kind::Rejected),
        (Status(408 | 500..) | Silence | Unreadable, Repeat::Read | Repeat::Idempotent) => {
            Treatment::Retry(Kind::Unknown)
        }
        (Status(408 | 500..) | Silence | Unreadable, Repeat::Never) | (TooLarge, _) => Treatment::Fail(Kind::Unknown),
        (Status(_), _) => Treatment::Fail(Kind::Rejected),
    }
}

/// How long a service asks to be left alone: `Retry-After` in whole seconds or as an HTTP date. Nonsense is nothing.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds are simply a very long time.
        Duration::from_secs(text.parse().unwrap_or(if text.is_empty() { 0 } else { u64::MAX }))
    } else {
        // By the server's own clock where it tells it, so that a wrong clock here does no harm.
        let now = date(headers).unwrap_or_else(Timestamp::now);
        Duration::try_from(http_date(text)?.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// What the service calls the request: Notion and Clockify's front say so in different headers.
pub(super) fn request_id(headers: &HeaderMap) -> Option<Shown> {
    let id = ["x-notion-request-id", "x-request-id", "cf-ray"].into_iter().find_map(|name| headers.get(name))?;
    Some(Shown::of(&scrub(id.to_str().ok()?)).clipped(REQUEST_ID_COLUMNS_MAX))
}

/// The service's own time.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// The wait before the next attempt: it doubles each time, and is spread by half to either side so that many clients do
/// not come back at once. `salt` takes the place of a random number.
pub(super) fn backoff(base: Duration, attempt: u32, salt: u64) -> Duration {
    let doubled = base.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(BACKOFF_MAX);
    // SplitMix64: one counter becomes well-spread bits.
    let mut bits = salt.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let percent = u32::try_from((bits >> 32) % 100).unwrap_or_default();
    doubled / 100 * (50 + percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_before_a_text_is_cut() {
        let secret = "wh3re-a-cut-g0es-through";
        crate::edge::scrub::learn(&secret.into());
        let near = |length: usize| length - 30..length;
        for before in near(MESSAGE_COLUMNS_MAX).chain(near(MESSAGE_CHARS_MAX)) {
            let said = shown(&format!("{}{secret}{}", "y".repeat(before), "z".repeat(MESSAGE_CHARS_MAX)));
            assert!(!said.contains("wh"), "{before}: {said}");
        }
    }

    #[test]
    fn the_table() {
        use Happened::{NoWay, NotSent, Silence, Status, TooLarge, Unreadable, Untrusted};
        use Repeat::{Idempotent, Never, Read};
        let retry = Treatment::Retry;
        let fail = Treatment::Fail;
        let rejected = fail(Kind::Rejected);
        let unknown = fail(Kind::Unknown);
        for (happened, read, idempotent, never) in [
            (NotSent, retry(Kind::NotSent), retry(Kind::NotSent), retry(Kind::NotSent)),
            (Untrusted, fail(Kind::Untrusted), fail(Kind::Untrusted), fail(Kind::Untrusted)),
            (NoWay, fail(Kind::NotSent), fail(Kind::NotSent), fail(Kind::NotSent)),
            (Silence, retry(Kind::Unknown), retry(Kind::Unknown), unknown),
            (Unreadable, retry(Kind::Unknown), retry(Kind::Unknown), unknown),
            (TooLarge, fail(Kind::TooLarge), unknown, unknown),
            (Status(302), rejected, rejected, rejected),
            (Status(400), rejected, rejected, rejected),
            (Status(401), rejected, rejected, rejected),
            (Status(403), rejected, rejected, rejected),
            (Status(404), rejected, rejected, rejected),
            (Status(408), retry(Kind::Unknown), retry(Kind::Unknown), unknown),
            (Status(409), retry(Kind::Rejected), retry(Kind::Rejected), rejected),
            (Status(429), Treatment::Pause, Treatment::Pause, Treatment::Pause),
            (Status(500), retry(Kind::Unknown), retry(Kind::Unknown), unknown),
            (Status(502), retry(Kind::Unknown), retry(Kind::Unknown), unknown),
            (Status(503), retry(Kind::Unknown), retry(Kind::Unknown), unknown),
            (Status(504), retry(Kind::Unknown), retry(Kind::Unknown), unknown),
            (Status(529), Treatment::Pause, Treatment::Pause, Treatment::Pause),
        ] {
            assert_eq!(classify(Read, happened), read, "reading: {happened:?}");
            assert_eq!(classify(Idempotent, happened), idempotent, "setting: {happened:?}");
            assert_eq!(classify(Never, happened), never, "creating: {happened:?}");
        }
    }

    #[test]
    fn retry_after_is_read_in_every_form_and_capped() {
        let date = "Mon, 23 Nov 2026 10:00:00 GMT";
        for (text, expected) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("-3", None),
            ("soon", None),
            ("1.5", None),
            ("3600", Some(3600)),
            ("1000000000", Some(3600)),
            ("99999999999999999999999", Some(3600)),
            ("Mon, 23 Nov 2026 10:01:30 GMT", Some(90)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
        ] {
            let headers = [(DATE, date), (RETRY_AFTER, text)]
                .into_iter()
                .map(|(name, value)| (name, value.parse().expect("a header")))
                .collect();
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn backoff_doubles_within_its_spread() {
        let base = Duration::from_secs(1);
        for salt in 0..500 {
            for (attempt, middle) in [(1, 1), (2, 2), (3, 4), (20, 30)] {
                let wait = backoff(base, attempt, salt).as_secs_f64() / f64::from(middle);
                assert!((0.5..1.5).contains(&wait), "attempt {attempt}: {wait}");
            }
        }
        assert_ne!(backoff(base, 1, 1), backoff(base, 1, 2));
    }

    #[test]
    fn failures_read_as_fragments() {
        let failure = Failure::Rejected {
            service: Service::Clockify,
            status: 400,
            code: Some("501".into()),
            message: "Client with name 'Acme' already exists".into(),
        };
        assert_eq!(failure.to_string(), "Clockify refused it: Client with name 'Acme' already exists (400 501)");
        assert!(
            Failure::Rejected { service: Service::Notion, status: 401, code: None, message: String::new().into() }
                .is_refusal()
        );
    }
}
