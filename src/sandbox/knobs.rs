//! What a test or a demonstration can turn: budgets, quirks that no source settles, and a script of faults.
//!
//! The default is a well-behaved service without limits. A knob exists wherever the public sources disagree or are
//! silent, because punchlist has to be right in both positions.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

/// One of the emulated services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// `api.notion.com`.
    Notion,
    /// `api.clockify.me`.
    Clockify,
    /// `reports.api.clockify.me`.
    Reports,
}

/// How the emulated services behave. `Default` is well-behaved and unlimited; every field can change while the sandbox
/// runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// The script of faults; the first that matches a call is used.
    pub faults: Vec<Fault>,
    /// Waits this long before every answer.
    #[serde(rename = "latency_ms", with = "milliseconds")]
    pub latency: Duration,
    /// Notion: seconds by which its `Date` is ahead of the world's clock; behind, if negative.
    pub notion_date_ahead_s: i64,
    /// Clockify and its reports: seconds by which their `Date` is ahead of the world's clock; behind, if negative.
    pub clockify_date_ahead_s: i64,

    /// Notion: requests in a 60-second window; more are answered 429 (Notion docs, request limits: 180 or 600).
    pub notion_per_minute: Option<u32>,
    /// Clockify: requests in a second (Clockify docs: 50 on paid plans).
    pub clockify_per_second: Option<u32>,
    /// Clockify: requests in an hour (Clockify docs: 30 on new Free workspaces).
    pub clockify_per_hour: Option<u32>,
    /// What Notion says in `Retry-After`; `None` is the true number of seconds until the window ends.
    pub notion_retry_after: Option<String>,
    /// What Clockify says in `Retry-After`; `None` is a bare 429, as no source shows the header being received.
    pub clockify_retry_after: Option<String>,

    /// Notion: that many queries of a data source still show a page as it was before its last write through the API.
    pub notion_lag: u32,
    /// Clockify: that many lists still show an object as it was before its last write through the API.
    pub clockify_lag: u32,

    /// Notion: results that one query yields before it ends with `request_status: incomplete` (Notion docs: 10,000).
    pub row_cap: usize,
    /// Notion: related pages shown inline before `has_more` (Notion docs: 25).
    pub relation_inline_cap: usize,
    /// Notion: the largest page of a listing, below the documented 100 ("response may hold fewer").
    pub page_size_cap: usize,
    /// Notion: a listing dies after that many continuations, as a session-scoped cursor does.
    pub cursor_continuations: Option<u32>,
    /// Notion: data sources, by ID or name, that are not shared with the connection.
    pub unshared: BTreeSet<String>,
    /// Notion: relations to an unshared data source read as empty, with 200 (Notion docs). Off: they keep their IDs.
    pub relation_empty_when_unshared: bool,
    /// Notion: moving a page to the trash also sets `is_archived`, and archived queries show it. Sources conflict; off
    /// = two independent flags.
    pub archived_follows_trash: bool,
    /// Notion: people come without `person.email`, as for a connection without that capability.
    pub people_without_email: bool,
    /// Notion: formulas and rollups are `unsupported`, as those are that it does not compute for the API (Notion
    /// changelog, August 2026).
    pub computed_unsupported: bool,
    /// Notion: what `GET /v1/users/me` shows a personal access token; unproved.
    pub personal_me: PersonalMe,
    /// Notion: that answer has no `bot.workspace_id`. Unproved.
    pub personal_without_workspace: bool,
    /// Notion: a missing capability is found only after the path and the body, so that an odd body is 400 and not 403.
    /// Not documented.
    pub capabilities_last: bool,
    /// Notion: the workspace has all the blocks of its plan; creating anything is 403 (Notion docs, block limits).
    pub block_limit_reached: bool,
    /// Notion: an ID of the wrong kind is refused with 400 that says what it is. Off: it is not found. Not documented.
    pub wrong_kind_named: bool,
    /// Notion: a data source says `in_trash` when its database was put there. Not documented.
    pub trash_reaches_sources: bool,
    /// Notion: `GET /v1/users` is refused with 403.
    pub users_refused: bool,
    /// Notion: a query shows all rows of its data source, whatever its filter asks for.
    pub filters_ignored: bool,
    /// Notion: a query shows rows in an order of its own, whatever its sorts ask for. Without them there is none that is
    /// promised (Notion docs).
    pub sorts_ignored: bool,
    /// Notion: the `Date` of its answers is empty.
    pub notion_without_date: bool,
    /// Notion: search finds nothing at all; the documentation promises no completeness.
    pub search_blind: bool,

    /// Clockify: names are unique in their namespace (seen live). Correctness must not depend on it.
    pub unique_names: bool,
    /// Clockify: uniqueness ignores case. Unproved; the official extension compares exactly.
    pub names_ignore_case: bool,
    /// Clockify: the server trims names and collapses white space before storing them.
    pub names_trimmed: bool,
    /// Clockify: the server stores names in NFC.
    pub names_nfc: bool,
    /// Clockify: hydrated project rows carry their `tasks`. Inferred from code; off = the rows have no such key.
    pub hydrated_tasks: bool,
    /// Clockify: hydrated rows show the client as an object only, without `clientId` and `clientName`.
    pub hydrated_client_only: bool,
    /// Clockify: lists answer everything on every page and send no `Last-Page`.
    pub ignores_paging: bool,
    /// Clockify: unset texts are left out of answers instead of being `null`.
    pub unset_absent: bool,
    /// Clockify: every key sees what a plain member's does, so no private projects of others (reports of users). What
    /// it may write is its user's role.
    pub member_key: bool,
    /// Clockify: the list of members shows a plain member's key nobody but itself. Inferred from code.
    pub members_see_themselves: bool,
    /// Clockify: estimates are refused with 403, as a plan below PRO may do.
    pub estimates_refused: bool,
    /// Clockify: estimates are accepted and not kept, as a plan without them may do. Unproved.
    pub estimates_dropped: bool,
}

/// The user that a personal access token learns itself to be. All have the form that the `OpenAPI` document allows; which
/// one is sent is unproved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalMe {
    /// A bot whose owner is the person, in full.
    #[default]
    BotOfPerson,
    /// A bot whose owner is the person, by ID alone.
    BotOfPersonId,
    /// A bot whose owner is the workspace, as an internal connection's is.
    BotOfWorkspace,
    /// The person.
    Person,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            latency: Duration::ZERO,
            notion_date_ahead_s: 0,
            clockify_date_ahead_s: 0,
            notion_per_minute: None,
            clockify_per_second: None,
            clockify_per_hour: None,
            notion_retry_after: None,
            clockify_retry_after: None,
            notion_lag: 0,
            clockify_lag: 0,
            row_cap: 10_000,
            relation_inline_cap: 25,
            page_size_cap: 100,
            cursor_continuations: None,
            unshared: BTreeSet::new(),
            relation_empty_when_unshared: true,
            archived_follows_trash: false,
            people_without_email: false,
            computed_unsupported: false,
            personal_me: PersonalMe::default(),
            personal_without_workspace: false,
            capabilities_last: false,
            block_limit_reached: false,
            wrong_kind_named: false,
            trash_reaches_sources: true,
            users_refused: false,
            filters_ignored: false,
            sorts_ignored: false,
            notion_without_date: false,
            search_blind: false,
            unique_names: true,
            names_ignore_case: false,
            names_trimmed: false,
            names_nfc: false,
            hydrated_tasks: true,
            hydrated_client_only: false,
            ignores_paging: false,
            unset_absent: false,
            member_key: false,
            members_see_themselves: false,
            estimates_refused: false,
            estimates_dropped: false,
        }
    }
}

impl Knobs {
    /// Adds a fault to the script.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The fault that hits this call, if any. Every fault that matches counts the call, hit or not.
    pub(crate) fn strike(&mut self, service: Service, method: &str, path: &str) -> Option<(When, FaultKind)> {
        let mut struck = None;
        for fault in &mut self.faults {
            if fault.matches(service, method, path) && fault.count() && struck.is_none() {
                struck = Some((fault.when, fault.what.clone()));
            }
        }
        struck
    }
}

/// One line of the fault script: which calls go wrong, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only calls to this service; `None` matches each.
    #[serde(default)]
    pub service: Option<Service>,
    /// Only this method; `None` matches each.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that contain this text, e.g. `/v1/pages/`; empty matches each.
    #[serde(default)]
    pub path_contains: String,
    /// The first matching call that is hit, counted from 1.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many calls in a row are hit from there on; `u32::MAX` is for ever.
    #[serde(default = "one")]
    pub times: u32,
    /// Whether the call is carried out.
    #[serde(default)]
    pub when: When,
    /// What the caller gets instead of the answer.
    pub what: FaultKind,
    /// Matching calls so far.
    #[serde(default)]
    pub seen: u32,
}

fn one() -> u32 {
    1
}

impl Fault {
    /// A fault that hits the first call, before it is carried out.
    pub fn new(what: FaultKind) -> Self {
        Self {
            service: None,
            method: None,
            path_contains: String::new(),
            nth: 1,
            times: 1,
            when: When::BeforeExecution,
            what,
            seen: 0,
        }
    }

    /// The lost reply: the call is carried out, and the connection is reset instead of answering.
    pub fn lost_reply() -> Self {
        Self::new(FaultKind::Reset).after_execution()
    }

    /// Only calls to this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Only calls of this method to a path that contains this text.
    #[must_use]
    pub fn on(mut self, method: &str, path_contains: &str) -> Self {
        self.method = Some(method.to_owned());
        path_contains.clone_into(&mut self.path_contains);
        self
    }

    /// Lets calls through until the `nth` matching one.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }

    /// Hits that many calls in a row.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Carries the call out, and only then breaks the answer.
    #[must_use]
    pub fn after_execution(mut self) -> Self {
        self.when = When::AfterExecution;
        self
    }

    fn matches(&self, service: Service, method: &str, path: &str) -> bool {
        self.service.is_none_or(|wanted| wanted == service)
            && self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path.contains(&self.path_contains)
    }

    fn count(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        self.seen >= self.nth && self.seen - self.nth < self.times
    }
}

/// Whether a faulty call is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Nothing happened.
    #[default]
    BeforeExecution,
    /// It happened, and the caller does not learn it.
    AfterExecution,
}

/// What the caller gets instead of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// This status with this text as its JSON body (may be empty).
    Status(u16, String),
    /// This answer, word for word, with these headers.
    Answer {
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        body: String,
    },
    /// The TCP connection is reset without an answer.
    Reset,
    /// No answer, ever.
    Stall,
    /// The right answer, cut in the middle; the connection then breaks.
    TruncatedBody,
    /// 200 with a page of HTML, as a captive portal or an edge server sends.
    HtmlBody,
    /// 302 to this URL.
    Redirect(String),
    /// 429 in the service's own words with this `Retry-After` (any text, also nonsense).
    RetryAfter(String),
    /// 200 with that many bytes of JSON.
    HugeBody(u64),
    /// Pages of a listing that never ends, made of its first page: of the same rows again and again; or of new rows,
    /// whose names have that many more characters.
    Endless(Option<usize>),
    /// The right answer; but somebody does something in the same moment: an edit, or several, as `POST /sandbox/edit`
    /// takes them. Before the call is carried out, or after it, as the fault says.
    Meanwhile(serde_json::Value),
}

/// `latency_ms` in the scripts' JSON.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
