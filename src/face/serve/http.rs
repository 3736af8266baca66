//! What the daemon answers: who proves who they are gets 200 or 202, whatever they say and however often, since Notion
//! pauses an automation at the first error; everybody else gets 401, whatever name they use.
//!
//! A handler only marks work as due and counts: it waits for nothing but the rest of the call itself.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::StreamExt;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::metrics;
use crate::{
    domain::{
        journal::{Answered, RunId},
        model::{Kind, ObjectId, PageId},
        reach::Reach,
        report::Report,
        text::Shown,
    },
    edge::{config::CallerKind, failpoint},
    engine::{
        callers::Caller,
        daemon::{Hub, RunStage},
        run::Installation,
    },
};

/// Bytes of a body that are read; a page of Notion with all its properties has fewer.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Bytes of an event that are read before it is known who sends it: an event holds IDs and no values.
const EVENT_BYTES_MAX: usize = 64 << 10;
/// Bytes that are let pass unread of somebody who has proved who they are.
const PASSED_BYTES_MAX: usize = 64 << 20;
/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a token that a handshake brings.
const TOKEN_BYTES_MAX: usize = 512;
/// Bytes of an event's id that are remembered.
const EVENT_ID_BYTES_MAX: usize = 128;
/// Where the caller's secret may stand, besides `Authorization: Bearer`.
const SECRET: &str = "x-punchlist-secret";
/// Where Clockify puts its token (reference: webhooks, delivery headers).
const CLOCKIFY_SIGNATURE: &str = "clockify-signature";
/// Where Notion puts its signature.
const NOTION_SIGNATURE: &str = "x-notion-signature";
/// Events about pages and about what holds them; there are others, such as comments (Notion docs, webhook events).
const ABOUT_PAGES: &str = "page.";
const ABOUT_HOLDERS: [&str; 2] = ["database.", "data_source."];
/// What our own writes to pages are told as.
const OF_PROPERTIES: &str = "page.properties_updated";
/// Columns of a header's name or value that are told.
const SHOWN_COLUMNS: usize = 80;

/// What handlers share.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) hub: Arc<Hub>,
    pub(super) installation: Arc<Installation>,
}

/// All that can be called.
pub(super) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/hooks/notion/button/{name}", post(button))
        .route("/hooks/notion/events/{name}", post(events))
        .route("/hooks/clockify/{name}", post(clockify))
        .route("/runs", post(ask))
        .route("/runs/{id}", get(show_run))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(numbers))
        .with_state(desk)
}

async fn ready(State(Desk { hub, .. }): State<Desk>) -> Response {
    if hub.is_ready() {
        let silent =
            hub.silent().map(|since| format!(", but no event for {} h although pages changed", since.as_hours()));
        format!("ready{}\n", silent.unwrap_or_default()).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

async fn numbers(State(Desk { hub, .. }): State<Desk>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::text(&hub)).into_response()
}

async fn button(State(desk): State<Desk>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let presented = presented(request.headers()).to_vec();
    desk.hear_secret(CallerKind::NotionButton, &name, &presented, request).await
}

async fn clockify(State(desk): State<Desk>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let presented = header_of(request.headers(), CLOCKIFY_SIGNATURE).to_vec();
    desk.hear_secret(CallerKind::Clockify, &name, &presented, request).await
}

async fn events(State(desk): State<Desk>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let way = CallerKind::NotionEvents.word();
    let read = read(body, announced(&parts.headers)).await;
    let bytes = match &read {
        Read::Whole(bytes) => bytes.as_slice(),
        Read::TooLarge | Read::Broken => &[],
    };
    let caller = desk.hub.callers.with_signature(&name, header_of(&parts.headers, NOTION_SIGNATURE), bytes);
    let Some(caller) = caller.filter(|_| matches!(read, Read::Whole(_))) else {
        if matches!(read, Read::Whole(_)) && desk.shakes_hands(&name, bytes).await {
            return done();
        }
        return desk.refuse(CallerKind::NotionEvents, &name, &parts.headers, matches!(read, Read::TooLarge));
    };
    let payload: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let page = page_of(&payload["entity"]["id"]);
    let id = payload["id"].as_str().filter(|id| !id.is_empty() && id.len() <= EVENT_ID_BYTES_MAX);
    let answer = if caller.test {
        Desk::tell_headers(caller, &parts.headers, true);
        Answered::Tested
    } else if !desk.is_ours(&payload) || id.is_some_and(|id| desk.hub.has_seen(id)) {
        Answered::Unneeded
    } else {
        Answered::Accepted
    };
    desk.hub.note(Some(caller), way, answer, page);
    if answer == Answered::Accepted {
        let row = page.filter(|_| payload["type"] == OF_PROPERTIES).map(|page| page.to_string());
        desk.hub.hear_of(caller, row.as_slice());
        desk.promise(caller).await;
    }
    done()
}

async fn ask(State(desk): State<Desk>, request: Request<Body>) -> Response {
    let way = CallerKind::Bearer.word();
    let Some(caller) = desk.hub.callers.with_bearer(presented(request.headers())) else {
        return desk.refuse(CallerKind::Bearer, "", request.headers(), announced(request.headers()) > BODY_BYTES_MAX);
    };
    if caller.test {
        Desk::tell_headers(caller, request.headers(), true);
        desk.hub.note(Some(caller), way, Answered::Tested, None);
        return done();
    }
    desk.hub.note(Some(caller), way, Answered::Accepted, None);
    let run = desk.hub.ask_for(caller);
    pass(request.into_body()).await;
    desk.promise(caller).await;
    (StatusCode::ACCEPTED, Json(json!({ "run_id": run }))).into_response()
}

async fn show_run(State(desk): State<Desk>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Some(caller) = desk.hub.callers.with_bearer(presented(&headers)) else {
        return desk.refuse(CallerKind::Bearer, "", &headers, false);
    };
    desk.hub.note(Some(caller), CallerKind::Bearer.word(), Answered::Unneeded, None);
    let none = || (StatusCode::NOT_FOUND, Json(json!({ "error": "there is no such run" }))).into_response();
    let Ok(run) = id.parse::<RunId>() else { return none() };
    let progress = match desk.hub.progress(run) {
        Some(progress) => Some(progress),
        None => desk.earlier(run).await,
    };
    let (state, report, error) = match progress {
        None => return none(),
        Some(RunStage::Waiting) => ("waiting", None, None),
        Some(RunStage::Running) => ("running", None, None),
        Some(RunStage::Ended(ended)) => ("ended", ended.report, ended.error),
    };
    // Who asks for one client is not told what others are called.
    let is_for_all = caller.extent.planned == Reach::Everybody;
    let report = if is_for_all { report } else { report.map(Report::without_names) };
    let error = error.filter(|_| is_for_all);
    let mut answer = json!({ "run_id": run, "state": state, "report": report });
    if let (Some(error), Some(answer)) = (error, answer.as_object_mut()) {
        answer.insert("error".to_owned(), error.to_string().into());
    }
    Json(answer).into_response()
}

impl Desk {
    /// A call whose secret stands in its head.
    async fn hear_secret(&self, kind: CallerKind, name: &str, presented: &[u8], request: Request<Body>) -> Response {
        let Some(caller) = self.hub.callers.with_secret(kind, name, presented) else {
            let is_too_large = announced(request.headers()) > BODY_BYTES_MAX;
            return self.refuse(kind, name, request.headers(), is_too_large);
        };
        if caller.test {
            Self::tell_headers(caller, request.headers(), true);
        }
        let mut call = Heard { hub: &self.hub, caller, page: None, rows: Vec::new() };
        let payload = pass(request.into_body()).await;
        let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
        call.page = page_of(&payload["data"]["id"]);
        call.rows = objects_of(&payload);
        drop(call);
        if !caller.test {
            self.promise(caller).await;
        }
        done()
    }

    /// True for an event that may be about what is mirrored: about any page, since one that has left our databases
    /// matters too, and about a database or data source where it is one of ours.
    fn is_ours(&self, payload: &Value) -> bool {
        let Some(kind) = payload["type"].as_str() else { return false };
        let parent = &payload["data"]["parent"];
        let about = [&payload["entity"]["id"], &parent["id"], &parent["data_source_id"]];
        let sources = &self.installation.settings.notion.data_sources;
        let is_configured = |id: PageId| Kind::ALL.iter().any(|kind| sources[*kind] == Some(id));
        kind.starts_with(ABOUT_PAGES)
            || ABOUT_HOLDERS.iter().any(|holder| kind.starts_with(holder))
                && about.into_iter().filter_map(page_of).any(is_configured)
    }

    /// Keeps what a caller is about to be promised. Where that is not possible, they are answered all the same: Notion
    /// pauses an automation at the first error, and what was asked for is only lost with this process.
    async fn promise(&self, caller: &Caller) {
        if let Err(failure) = self.hub.promise(&caller.extent, &self.installation).await {
            super::tell(&format!("what {} asked for is not kept: {}", caller.name, failure.error));
        }
        failpoint::reach("answering");
    }

    /// Refuses somebody who has not proved who they are. The name that they used makes no difference, unless whoever
    /// has that name is being tried out.
    fn refuse(&self, kind: CallerKind, name: &str, headers: &HeaderMap, is_too_large: bool) -> Response {
        let caller = self.hub.callers.named(kind, name);
        if let Some(caller) = caller.filter(|caller| caller.test) {
            Self::tell_headers(caller, headers, false);
            self.hub.note(Some(caller), kind.word(), Answered::Tested, None);
            return done();
        }
        let (status, answer) = if is_too_large {
            (StatusCode::PAYLOAD_TOO_LARGE, Answered::TooLarge)
        } else {
            (StatusCode::UNAUTHORIZED, Answered::Refused)
        };
        self.hub.note(caller, kind.word(), answer, None);
        // What is left of the call is not waited for.
        (status, [(header::CONNECTION, "close")], Json(json!({ "error": "this is not known here" }))).into_response()
    }

    /// Takes the token that a handshake brings, where somebody has armed the daemon for it.
    async fn shakes_hands(&self, name: &str, body: &[u8]) -> bool {
        if !self.hub.is_armed(name) {
            return false;
        }
        let payload: Value = serde_json::from_slice(body).unwrap_or_default();
        let is_token = |token: &&str| {
            (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let Some(token) = payload["verification_token"].as_str().filter(is_token) else { return false };
        let token = SecretString::from(token);
        let (installation, of_name, kept) = (Arc::clone(&self.installation), name.to_owned(), token.clone());
        let runtime = tokio::runtime::Handle::current();
        let keeping = tokio::task::spawn_blocking(move || runtime.block_on(installation.keep_token(&of_name, &kept)));
        match keeping.await {
            Ok(Ok(())) => {
                self.hub.shake_hands(name, &token);
                let caller = self.hub.callers.named(CallerKind::NotionEvents, name);
                self.hub.note(caller, CallerKind::NotionEvents.word(), Answered::Handshake, None);
                true
            }
            Ok(Err(failure)) => {
                super::tell(&format!("the token of {name} was not kept: {}", failure.error));
                false
            }
            Err(_) => false,
        }
    }

    /// A run of before, as the state knows it.
    async fn earlier(&self, run: RunId) -> Option<RunStage> {
        let (installation, runtime) = (Arc::clone(&self.installation), tokio::runtime::Handle::current());
        // Opening it takes as long as it is large: other calls are answered meanwhile.
        let looking = tokio::task::spawn_blocking(move || {
            runtime.block_on(async {
                let state = installation.read_state().await.ok()?;
                installation.progress_of(&state, run).await.ok().flatten()
            })
        });
        looking.await.ok().flatten()
    }

    /// Tells how somebody calls who is being tried out; what may be secret is left out.
    fn tell_headers(caller: &Caller, headers: &HeaderMap, is_them: bool) {
        let told = headers.iter().map(|(name, value)| {
            let value = if is_told(name.as_str()) {
                Shown::of(&String::from_utf8_lossy(value.as_bytes())).clipped(SHOWN_COLUMNS).to_string()
            } else {
                format!("({} characters)", value.len())
            };
            format!("\n  {}: {value}", Shown::of(name.as_str()).clipped(SHOWN_COLUMNS))
        });
        let proof = if is_them { "its secret is right" } else { "its secret is missing or wrong" };
        let told: String = told.collect();
        super::tell(&format!("{} called, which is being tried out: {proof}{told}", caller.name));
    }
}

/// A call of somebody who has proved who they are. It counts, and asks for a run, as soon as all of it has come or they
/// have hung up: the run that follows tells of it.
struct Heard<'a> {
    hub: &'a Hub,
    caller: &'a Caller,
    page: Option<PageId>,
    /// Rows of Clockify that it is about; a button is pressed by somebody.
    rows: Vec<String>,
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        let Self { hub, caller, page, ref rows } = *self;
        let answer = if caller.test { Answered::Tested } else { Answered::Accepted };
        hub.note(Some(caller), caller.kind.word(), answer, page);
        match (caller.test, caller.kind) {
            (true, _) => {}
            (false, CallerKind::Clockify) => hub.hear_of(caller, rows),
            (false, _) => drop(hub.ask_for(caller)),
        }
    }
}

/// True for headers that hold nothing secret; of any other only the length is told.
fn is_told(name: &str) -> bool {
    let harmless = [
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "clockify-webhook-event-type",
    ];
    harmless.contains(&name)
}

fn done() -> Response {
    Json(json!({ "ok": true })).into_response()
}

fn header_of<'h>(headers: &'h HeaderMap, name: &str) -> &'h [u8] {
    headers.get(name).map_or(&[], |value| value.as_bytes())
}

/// The secret that a call presents in its head.
fn presented(headers: &HeaderMap) -> &[u8] {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
        let (scheme, secret) = value.as_bytes().split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(secret.trim_ascii())
    });
    bearer.unwrap_or_else(|| header_of(headers, SECRET))
}

/// How large a body is said to be.
fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    length.unwrap_or(0)
}

fn page_of(id: &Value) -> Option<PageId> {
    id.as_str()?.parse().ok()
}

/// The object that a call of Clockify is about, whether or not the call wraps it.
fn objects_of(payload: &Value) -> Vec<String> {
    let ids = [&payload["id"], &payload["payload"]["id"]].into_iter().filter_map(Value::as_str);
    ids.filter(|id| id.parse::<ObjectId>().is_ok()).map(str::to_owned).collect()
}

enum Read {
    Whole(Vec<u8>),
    TooLarge,
    Broken,
}

/// Reads an event of somebody who may be anybody.
async fn read(body: Body, announced: usize) -> Read {
    if announced > EVENT_BYTES_MAX {
        return Read::TooLarge;
    }
    let reading = async {
        let (mut stream, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(part) = stream.next().await {
            let Ok(part) = part else { return Read::Broken };
            if bytes.len() + part.len() > EVENT_BYTES_MAX {
                return Read::TooLarge;
            }
            bytes.extend_from_slice(&part);
        }
        Read::Whole(bytes)
    };
    tokio::time::timeout(BODY_WITHIN, reading).await.unwrap_or(Read::Broken)
}

/// Lets the body of somebody pass who has proved who they are, so that they get to the answer. What it begins with is
/// returned.
async fn pass(body: Body) -> Vec<u8> {
    let (mut stream, mut bytes, mut passed) = (body.into_data_stream(), Vec::new(), 0);
    let passing = async {
        while let Some(Ok(part)) = stream.next().await {
            passed += part.len();
            if bytes.len() + part.len() <= BODY_BYTES_MAX {
                bytes.extend_from_slice(&part);
            }
            if passed > PASSED_BYTES_MAX {
                break;
            }
        }
    };
    // Who is too slow has said enough.
    drop(tokio::time::timeout(BODY_WITHIN, passing).await);
    bytes
}
