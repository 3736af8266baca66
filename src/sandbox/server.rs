//! The HTTP server: which service a call is for, budgets, the script of faults, the call log.

mod connection;
mod control;
mod endless;

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimePrinter};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::knobs::{FaultKind, Knobs, Service, When};
use super::wire::{Answer, Body, Request};
use super::world::World;
use super::{Shared, clockify, lock, notion};
use connection::{Line, Listener};

/// Bytes that a request body may have; Notion's own limit is 500 KB.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// One call as it came and as it was answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// The service it was for.
    pub service: Service,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path below the service's base, e.g. `/v1/pages/…`.
    pub path: String,
    /// The query parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The body; null if there was none or it was no JSON.
    pub body: Value,
    /// The status that was sent; 0 if nothing was.
    pub status: u16,
    /// Whether such a call changes something, so it is no reading.
    pub mutation: bool,
    /// Whether it was carried out: accepted by the service, whatever became of the answer.
    pub executed: bool,
}

/// Requests used in the windows that run now.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    notion_minute: Window,
    clockify_second: Window,
    clockify_hour: Window,
}

/// A fixed window of the world's time.
#[derive(Debug, Default)]
struct Window {
    ends: Option<Timestamp>,
    used: u32,
}

impl Window {
    /// Takes one request out of the budget, or tells how many seconds there are until the next window.
    fn take(&mut self, limit: Option<u32>, length: SignedDuration, now: Timestamp) -> Result<(), i64> {
        let Some(limit) = limit else {
            return Ok(());
        };
        let ends = self.ends.filter(|ends| *ends > now).unwrap_or_else(|| {
            self.used = 0;
            now.saturating_add(length).unwrap_or(now)
        });
        self.ends = Some(ends);
        if self.used >= limit {
            let left = ends.duration_since(now).as_millis();
            return Err(i64::try_from((left + 999) / 1000).unwrap_or(i64::MAX));
        }
        self.used += 1;
        Ok(())
    }
}

/// Serves until told to stop.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = Listener::new(listener) else {
        return;
    };
    let app = Router::new().fallback(answer).with_state(shared).into_make_service_with_connect_info::<Line>();
    tokio::select! {
        _ = async { axum::serve(listener, app).await } => {}
        _ = stopped => {}
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: HttpRequest,
) -> Response<HttpBody> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers = headers.collect();
    let bytes = axum::body::to_bytes(body, BODY_MAX).await.unwrap_or_default();
    let body = if bytes.is_empty() {
        Body::Empty
    } else {
        match serde_json::from_slice(&bytes) {
            Ok(value) => Body::Json(value),
            Err(complaint) => Body::Malformed(complaint.to_string()),
        }
    };
    let bases =
        [("/notion/", Service::Notion), ("/clockify/api/", Service::Clockify), ("/clockify/report/", Service::Reports)];
    let service =
        bases.iter().find_map(|(base, service)| path.strip_prefix(base).map(|rest| (*service, format!("/{rest}"))));
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path = service.as_ref().map_or_else(|| path.clone(), |(_, rest)| rest.clone());
    let request = Request {
        method: parts.method.as_str().to_owned(),
        segments: path.trim_matches('/').split('/').map(decode).collect(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        path,
        headers,
        body,
    };
    if let Some((service, _)) = service {
        return answer_service(&shared, &line, service, request).await;
    }
    let now = lock(&shared.world).now();
    let answer = if line.is_local() {
        control::answer(&shared, &request)
    } else {
        Answer { status: 403, headers: Vec::new(), body: None }
    };
    respond(answer, now)
}

async fn answer_service(shared: &Shared, line: &Line, service: Service, mut request: Request) -> Response<HttpBody> {
    let (knobs, strike) = {
        let mut knobs = lock(&shared.knobs);
        let strike = knobs.strike(service, &request.method, &request.path);
        (knobs.clone(), strike)
    };
    let (meanwhile, mut strike) = match strike {
        Some((when, FaultKind::Meanwhile(edits))) => (Some((when, Body::Json(edits))), None),
        strike => (None, strike),
    };
    if let Some((When::BeforeExecution, edits)) = &meanwhile {
        control::edit(shared, edits);
    }
    if !knobs.latency.is_zero() {
        tokio::time::sleep(knobs.latency).await;
    }
    if let Some((when, FaultKind::Endless(_))) = &mut strike {
        *when = When::AfterExecution;
        endless::first_page(&mut request);
    }
    let (answer, executed, now) = carry_out(shared, &knobs, service, &request, strike.as_ref());
    if let Some((When::AfterExecution, edits)) = &meanwhile {
        control::edit(shared, edits);
    }
    let sent = match &strike {
        // A budget comes before anything that happens behind it.
        Some((_, failure)) if answer.as_ref().is_none_or(|answer| answer.status != 429) => {
            status_of(failure, answer.as_ref())
        }
        _ => answer.as_ref().map_or(0, |answer| answer.status),
    };
    let throttled = answer.as_ref().is_some_and(|answer| answer.status == 429);
    let ahead = match service {
        Service::Notion => knobs.notion_date_ahead_s,
        Service::Clockify | Service::Reports => knobs.clockify_date_ahead_s,
    };
    let date = now.saturating_add(SignedDuration::from_secs(ahead)).unwrap_or(now);
    lock(&shared.calls).push(Call {
        service,
        mutation: is_mutation(service, &request),
        method: request.method,
        path: request.path,
        query: request.query,
        body: match request.body {
            Body::Json(body) => body,
            Body::Empty | Body::Malformed(_) => Value::Null,
        },
        status: sent,
        executed,
    });
    let mut response = match (strike, answer) {
        (Some((_, failure)), answer) if !throttled => fail(failure, answer, service, shared, line, date).await,
        (_, Some(answer)) => respond(answer, date),
        (_, None) => respond(Answer { status: 500, headers: Vec::new(), body: None }, date),
    };
    if knobs.notion_without_date && service == Service::Notion {
        // Without the header, the server would put the machine's own time in its place.
        response.headers_mut().insert(header::DATE, HeaderValue::from_static(""));
    }
    response
}

/// Lets the service answer, unless a budget is spent or a fault comes first. Tells whether the call was carried out.
fn carry_out(
    shared: &Shared,
    knobs: &Knobs,
    service: Service,
    request: &Request,
    strike: Option<&(When, FaultKind)>,
) -> (Option<Answer>, bool, Timestamp) {
    let mut world = lock(&shared.world);
    let now = world.tick();
    if let Err(wait) = spend(&mut lock(&shared.budgets), knobs, service, now) {
        return (Some(throttled(&mut world, knobs, service, wait)), false, now);
    }
    if let Some((When::BeforeExecution, _)) = strike {
        return (None, false, now);
    }
    let answer = match service {
        Service::Notion => notion::answer(&mut world, knobs, request),
        Service::Clockify | Service::Reports => clockify::answer(&mut world, knobs, service, request),
    };
    let executed = answer.status < 300;
    (Some(answer), executed, now)
}

fn spend(budgets: &mut Budgets, knobs: &Knobs, service: Service, now: Timestamp) -> Result<(), i64> {
    let (second, minute, hour) =
        (SignedDuration::from_secs(1), SignedDuration::from_mins(1), SignedDuration::from_hours(1));
    match service {
        Service::Notion => budgets.notion_minute.take(knobs.notion_per_minute, minute, now),
        Service::Clockify | Service::Reports => {
            budgets.clockify_hour.take(knobs.clockify_per_hour, hour, now)?;
            budgets.clockify_second.take(knobs.clockify_per_second, second, now)
        }
    }
}

fn throttled(world: &mut World, knobs: &Knobs, service: Service, wait: i64) -> Answer {
    match service {
        Service::Notion => {
            let retry_after = knobs.notion_retry_after.clone().unwrap_or_else(|| wait.to_string());
            notion::throttled(world, &retry_after)
        }
        Service::Clockify | Service::Reports => clockify::throttled(knobs.clockify_retry_after.as_deref()),
    }
}

/// Queries, searches and reports are readings in spite of their method.
fn is_mutation(service: Service, request: &Request) -> bool {
    match service {
        Service::Reports => false,
        _ if request.method == "GET" => false,
        Service::Notion => !request.path.ends_with("/query") && !request.path.ends_with("/search"),
        Service::Clockify => !(request.path.contains("/webhooks/") && request.path.ends_with("/logs")),
    }
}

fn status_of(failure: &FaultKind, answer: Option<&Answer>) -> u16 {
    match failure {
        FaultKind::Status(status, _) | FaultKind::Answer { status, .. } => *status,
        FaultKind::Reset | FaultKind::Stall => 0,
        FaultKind::TruncatedBody => answer.map_or(200, |answer| answer.status),
        FaultKind::HtmlBody | FaultKind::HugeBody(_) => 200,
        FaultKind::Redirect(_) => 302,
        FaultKind::RetryAfter(_) => 429,
        FaultKind::Meanwhile(_) | FaultKind::Endless(_) => answer.map_or(0, |answer| answer.status),
    }
}

/// What a fault sends instead of the answer.
async fn fail(
    failure: FaultKind,
    answer: Option<Answer>,
    service: Service,
    shared: &Shared,
    line: &Line,
    now: Timestamp,
) -> Response<HttpBody> {
    match failure {
        FaultKind::Status(status, body) => raw(status, "application/json", HttpBody::from(body), now),
        FaultKind::Answer { status, headers, body } => {
            let mut response = raw(status, "application/json", HttpBody::from(body), now);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        FaultKind::Reset => {
            line.cut();
            raw(500, "text/plain", HttpBody::empty(), now)
        }
        FaultKind::Stall => std::future::pending().await,
        // Seen to before: the answer is the right one.
        FaultKind::Meanwhile(_) => {
            respond(answer.unwrap_or(Answer { status: 500, headers: Vec::new(), body: None }), now)
        }
        FaultKind::TruncatedBody => {
            let answer = answer.unwrap_or_else(|| Answer::ok(serde_json::json!({"object": "list", "results": []})));
            let text = answer.body.unwrap_or_default().to_string().into_bytes();
            let mut response = raw(answer.status, "application/json", connection::half(&text), now);
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
            response
        }
        FaultKind::HtmlBody => {
            let page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>";
            raw(200, "text/html; charset=UTF-8", HttpBody::from(page), now)
        }
        FaultKind::Redirect(url) => {
            let mut response = raw(302, "text/plain", HttpBody::empty(), now);
            if let Ok(url) = HeaderValue::from_str(&url) {
                response.headers_mut().insert(header::LOCATION, url);
            }
            response
        }
        FaultKind::RetryAfter(text) => respond(
            match service {
                Service::Notion => notion::throttled(&mut lock(&shared.world), &text),
                Service::Clockify | Service::Reports => clockify::throttled(Some(&text)),
            },
            now,
        ),
        FaultKind::Endless(longer) => {
            respond(answer.map_or_else(|| Answer::ok(Value::Null), |answer| endless::page(answer, longer)), now)
        }
        FaultKind::HugeBody(bytes) => raw(200, "application/json", connection::endless(bytes), now),
    }
}

fn respond(answer: Answer, now: Timestamp) -> Response<HttpBody> {
    let body = answer.body.map_or_else(HttpBody::empty, |body| HttpBody::from(body.to_string()));
    let mut response = raw(answer.status, "application/json;charset=utf-8", body, now);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A response with the world's time as its `Date`: IDs are born by the same clock.
fn raw(status: u16, content_type: &'static str, body: HttpBody, now: Timestamp) -> Response<HttpBody> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok();
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
