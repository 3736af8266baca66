//! Clockify's behaviour: routes, identity, refusals, lists.
//!
//! ```text
//! clockify.rs           routes, headers, refusals, paging
//! ├ clockify/clients    ├ clockify/projects    ├ clockify/tasks
//! ├ clockify/time       time entries           ├ clockify/reports  summary and detailed
//! ├ clockify/workspaces  who is in which, and may do what  ├ clockify/webhooks
//! └ clockify/window     when both are of
//! ```
//!
//! Facts follow the official `OpenAPI` document, the help centre, and third parties' written probes of the live API.
//! Where nobody knows, the harsher reading is taken or there is a knob.

mod clients;
mod projects;
mod reports;
mod tasks;
mod time;
mod webhooks;
mod window;
mod workspaces;

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use super::ids::ClockifyId;
use super::knobs::{Knobs, Service};
use super::wire::{Answer, Body, Request};
use super::world::World;

/// Rows of a list if nothing is asked for (Clockify docs).
const PAGE_SIZE_DEFAULT: usize = 50;
/// The most rows of a list page (Clockify help centre).
const PAGE_SIZE_MAX: usize = 5000;

/// Why a call is not carried out.
#[derive(Debug)]
struct Refusal {
    status: u16,
    code: u32,
    message: String,
}

type Outcome = Result<Answer, Refusal>;

impl Refusal {
    fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// Any business rule: 400 with code 501 (live probe, third party).
    fn rule(message: impl Into<String>) -> Self {
        Self::new(400, 501, message)
    }

    /// Entities never give 404; unknown, foreign and deleted ones look the same (live probe, third party).
    fn not_in_workspace(what: &str) -> Self {
        Self::rule(format!("{what} doesn't belong to Workspace"))
    }

    fn unparsable(what: &str) -> Self {
        Self::new(400, 3002, format!("JSON parse error: Cannot deserialize {what}"))
    }

    fn parameter(name: &str, value: &str) -> Self {
        Self::new(400, 3000, format!("Failed to convert value '{value}' of parameter '{name}'"))
    }

    fn denied() -> Self {
        Self::new(403, 501, "Access Denied")
    }

    fn no_route(path: &str) -> Self {
        Self::new(404, 3000, format!("No static resource {}.", path.trim_start_matches('/')))
    }

    fn into_answer(self) -> Answer {
        Answer::new(self.status, json!({"message": self.message, "code": self.code}))
    }
}

/// One call being answered.
struct Call<'a> {
    world: &'a mut World,
    knobs: &'a Knobs,
    request: &'a Request,
    /// Whose key came.
    user: ClockifyId,
}

/// Answers a call to `api.clockify.me` or `reports.api.clockify.me`.
pub(crate) fn answer(world: &mut World, knobs: &Knobs, service: Service, request: &Request) -> Answer {
    finish(knobs, carry_out(world, knobs, service, request))
}

/// Lets a known user call the workspace that the path names.
fn carry_out(world: &mut World, knobs: &Knobs, service: Service, request: &Request) -> Outcome {
    let user = authorize(world, request)?;
    let workspace = request.segments.get(2).map(String::as_str);
    world.at_clockify_named(workspace, |world| {
        let mut call = Call { world, knobs, request, user };
        if service == Service::Reports { call.route_report() } else { call.route() }
    })
}

fn finish(knobs: &Knobs, outcome: Outcome) -> Answer {
    let mut answer = outcome.unwrap_or_else(Refusal::into_answer);
    if let (true, Some(body)) = (knobs.unset_absent, &mut answer.body) {
        drop_nulls(body);
    }
    answer
}

/// The 429 of a spent budget. Its body is not documented, and no header is (issues of clients).
pub(crate) fn throttled(retry_after: Option<&str>) -> Answer {
    let answer = Answer::new(429, json!({"message": "Too many requests", "code": 429}));
    match retry_after {
        Some(seconds) => answer.header("retry-after", seconds),
        None => answer,
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.retain(|_, value| !value.is_null());
            entries.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Exactly one of the two headers; Bearer is not supported (Clockify docs; live probe, third party).
fn authorize(world: &World, request: &Request) -> Result<ClockifyId, Refusal> {
    match (request.header("x-api-key"), request.header("x-addon-token")) {
        (Some(key), None) => world.user_of_key(key).ok_or_else(|| Refusal::new(401, 4003, "Api key does not exist")),
        _ => Err(Refusal::new(401, 1000, "Full authentication is required to access this resource")),
    }
}

impl Call<'_> {
    fn route(&mut self) -> Outcome {
        let request = self.request;
        let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        match segments.as_slice() {
            ["v1", "user"] => match method {
                "GET" => self.current_user(),
                _ => Err(self.wrong_method()),
            },
            ["v1", "workspaces"] => match method {
                "GET" => Ok(Answer::ok(self.workspaces())),
                _ => Err(self.wrong_method()),
            },
            ["v1", "workspaces", workspace, rest @ ..] => {
                self.refuse_foreign(workspace)?;
                self.permit(method, rest)?;
                self.route_workspace(method, rest)
            }
            _ => Err(Refusal::no_route(&request.path)),
        }
    }

    fn route_workspace(&mut self, method: &str, rest: &[&str]) -> Outcome {
        match (method, rest) {
            ("GET", []) => Ok(Answer::ok(self.workspace())),
            ("GET", ["users"]) => self.list_members(),
            ("GET", ["clients"]) => self.list_clients(),
            ("POST", ["clients"]) => self.create_client(),
            ("GET", ["clients", id]) => self.get_client(id),
            ("PUT", ["clients", id]) => self.update_client(id),
            ("DELETE", ["clients", id]) => self.delete_client(id),
            ("GET", ["projects"]) => self.list_projects(),
            ("POST", ["projects"]) => self.create_project(),
            ("GET", ["projects", id]) => self.get_project(id),
            ("PUT", ["projects", id]) => self.update_project(id),
            ("DELETE", ["projects", id]) => self.delete_project(id),
            ("PATCH", ["projects", id, "estimate"]) => self.update_estimate(id),
            ("GET", ["projects", project, "tasks"]) => self.list_tasks(project),
            ("POST", ["projects", project, "tasks"]) => self.create_task(project),
            ("GET", ["projects", project, "tasks", id]) => self.get_task(project, id),
            ("PUT", ["projects", project, "tasks", id]) => self.update_task(project, id),
            ("DELETE", ["projects", project, "tasks", id]) => self.delete_task(project, id),
            ("PUT", ["projects", project, "tasks", id, rate @ ("hourly-rate" | "cost-rate")]) => {
                self.set_task_rate(project, id, rate)
            }
            ("GET", ["user", user, "time-entries"]) => self.list_entries(user),
            ("PUT", ["user", user, "time-entries"]) => self.update_entries(user),
            ("POST", ["user", user, "time-entries"]) => self.create_entry(Some(user)),
            ("POST", ["time-entries"]) => self.create_entry(None),
            ("GET", ["time-entries", "status", "in-progress"]) => self.running_entries(),
            ("GET", ["webhooks"]) => self.list_webhooks(),
            ("POST", ["webhooks", id, "logs"]) => self.webhook_log(id),
            ("GET", ["time-entries", id]) => self.get_entry(id),
            ("PUT", ["time-entries", id]) => self.update_entry(id),
            ("DELETE", ["time-entries", id]) => self.delete_entry(id),
            // Known routes that take other methods: 405 with code 3000 (live probe, third party).
            (
                _,
                []
                | ["users" | "clients" | "projects" | "time-entries"]
                | ["clients" | "projects" | "time-entries", _]
                | ["projects", _, "estimate" | "tasks"]
                | ["projects", _, "tasks", _]
                | ["projects", _, "tasks", _, "hourly-rate" | "cost-rate"]
                | ["user", _, "time-entries"]
                | ["time-entries", "status", "in-progress"],
            ) => Err(self.wrong_method()),
            _ => Err(Refusal::no_route(&self.request.path)),
        }
    }

    fn wrong_method(&self) -> Refusal {
        Refusal::new(405, 3000, format!("Request method '{}' is not supported", self.request.method))
    }

    fn body(&self) -> Result<&Value, Refusal> {
        match &self.request.body {
            Body::Json(body) if body.is_object() => Ok(body),
            Body::Empty => Err(Refusal::unparsable("an empty body")),
            Body::Json(_) => Err(Refusal::unparsable("the body into an object")),
            Body::Malformed(complaint) => Err(Refusal::unparsable(complaint)),
        }
    }

    /// A `true` or `false` of the query string; anything else is a type error.
    fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.request.parameter(name) {
            None | Some("") => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Refusal::parameter(name, other)),
        }
    }

    /// Whether a name passes the `name` filter: contains, or equals where `strict-name-search` exists and is set.
    fn name_filter(&self, strict_exists: bool) -> Result<impl Fn(&str) -> bool + use<>, Refusal> {
        let wanted = self.request.parameter("name").filter(|name| !name.is_empty()).map(str::to_owned);
        let strict = strict_exists && self.flag("strict-name-search")?.unwrap_or(false);
        Ok(move |name: &str| match &wanted {
            None => true,
            Some(wanted) if strict => name == wanted,
            Some(wanted) => name.to_lowercase().contains(&wanted.to_lowercase()),
        })
    }

    fn descending(&self) -> Result<bool, Refusal> {
        match self.request.parameter("sort-order") {
            None | Some("ASCENDING") => Ok(false),
            Some("DESCENDING") => Ok(true),
            Some(other) => Err(Refusal::parameter("sort-order", other)),
        }
    }

    /// One page of rows that are already in order.
    fn page(&self, rows: Vec<Value>) -> Outcome {
        self.page_of(rows, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
    }

    fn page_of(&self, rows: Vec<Value>, default: usize, max: usize) -> Outcome {
        let (rows, last) = self.cut(rows, default, max)?;
        Ok(answer_page(rows, last))
    }

    /// The rows of the page that is asked for, and whether it is the last, where paging is heeded.
    fn cut<T>(&self, mut rows: Vec<T>, default: usize, max: usize) -> Result<(Vec<T>, Option<bool>), Refusal> {
        if self.knobs.ignores_paging {
            return Ok((rows, None));
        }
        let number = |name: &str| match self.request.parameter(name) {
            None | Some("") => Ok(None),
            Some(text) => text.parse::<i64>().map(Some).map_err(|_| Refusal::parameter(name, text)),
        };
        // Pages below 1 are silently page 1 (live probe, third party).
        let page = usize::try_from(number("page")?.unwrap_or(1).max(1)).unwrap_or(usize::MAX);
        let size = match number("page-size")? {
            None => default,
            Some(size) if size < 1 => default,
            Some(size) => usize::try_from(size).unwrap_or(usize::MAX),
        };
        if size > max {
            let thousands = max / 1000;
            return Err(Refusal::rule(format!("Page size cannot be larger than {thousands},000.")));
        }
        let skipped = (page - 1).saturating_mul(size).min(rows.len());
        rows.drain(..skipped);
        let last = rows.len() <= size;
        rows.truncate(size);
        Ok((rows, Some(last)))
    }

    /// The name as the server stores it, or why it is refused.
    fn stored_name(&self, name: &Value, rule: &NameRule) -> Result<String, Refusal> {
        let Some(name) = name.as_str() else {
            return Err(Refusal::rule(rule.missing));
        };
        let name = self.normalized(name);
        let length = name.chars().count();
        if name.trim().is_empty() && rule.min == 1 {
            return Err(Refusal::rule(rule.missing));
        }
        if !(rule.min..=rule.max).contains(&length) {
            return Err(Refusal::rule(format!(
                "{} name has to be between {} and {} characters long",
                rule.what, rule.min, rule.max
            )));
        }
        refuse_angles(&name)?;
        Ok(name)
    }

    fn normalized(&self, name: &str) -> String {
        let mut name = name.to_owned();
        if self.knobs.names_trimmed {
            name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if self.knobs.names_nfc {
            name = name.nfc().collect();
        }
        name
    }

    /// Whether two stored names count as the same.
    fn same_name(&self, one: &str, two: &str) -> bool {
        if self.knobs.names_ignore_case { one.to_lowercase() == two.to_lowercase() } else { one == two }
    }
}

fn answer_page(rows: Vec<Value>, last: Option<bool>) -> Answer {
    let answer = Answer::ok(Value::Array(rows));
    match last {
        None => answer,
        Some(last) => answer.header("last-page", if last { "true" } else { "false" }),
    }
}

/// Lengths and messages of one kind's names.
struct NameRule {
    what: &'static str,
    min: usize,
    max: usize,
    missing: &'static str,
}

/// `You entered wrong value…`: proved for descriptions; the official extension expects it of names too.
fn refuse_angles(text: &str) -> Result<(), Refusal> {
    if text.contains(['<', '>']) {
        return Err(Refusal::rule("You entered wrong value. Don't use \"<\" and \">\" characters"));
    }
    Ok(())
}

/// An optional text of a body: absent and null are `None`.
fn optional_text(body: &Value, key: &str, max: usize) -> Result<Option<String>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() > max => {
            Err(Refusal::rule(format!("You entered invalid value for field: [{key}]")))
        }
        Some(Value::String(text)) => {
            refuse_angles(text)?;
            Ok(Some(text.clone()))
        }
        Some(_) => Err(Refusal::unparsable(&format!("`{key}` into a string"))),
    }
}

/// An optional flag of a body.
fn optional_flag(body: &Value, key: &str) -> Result<Option<bool>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Refusal::unparsable(&format!("`{key}` into a boolean"))),
    }
}

/// A duration as the service writes it: hours are the largest unit.
fn duration_text(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let part = |amount: i64, unit: char| {
        if amount == 0 { String::new() } else { format!("{amount}{unit}") }
    };
    let text = format!("PT{}{}{}", part(hours, 'H'), part(minutes, 'M'), part(seconds, 'S'));
    if text == "PT" { "PT0S".to_owned() } else { text }
}

/// A duration that a request sends, checked but kept as it is.
fn duration_of(body: &Value, key: &str) -> Result<Option<String>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.parse::<jiff::Span>().is_ok() => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::unparsable(&format!("`{key}` into a duration"))),
    }
}
