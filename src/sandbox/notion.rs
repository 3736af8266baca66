//! Notion's behaviour: routes, identity, refusals in the documented words.
//!
//! ```text
//! notion.rs          routes, headers, refusals, listings by cursor
//! ├ notion/pages     GET, PATCH, POST of pages; values of one property
//! ├ notion/query     querying a data source     ├ notion/filter  what a filter accepts and matches
//! ├ notion/render    a page as JSON             ├ notion/write   a request's properties as values
//! ├ notion/containers  databases, data sources, schemas
//! └ notion/directory  search, users
//! ```
//!
//! Facts follow the public API reference (versions 2025-09-03 and 2026-03-11) and recorded answers; where those are
//! silent the harsher reading is taken or there is a knob.

mod containers;
mod directory;
mod filter;
mod pages;
mod query;
mod render;
mod write;

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::ids::NotionId;
use super::knobs::Knobs;
use super::wire::{Answer, Body, Request};
use super::world::access::{Access, Actor};
use super::world::schema::{Cursor, DataSource};
use super::world::sort::SortKey;
use super::world::{Page, Parent, World};

/// The most rows of one page of a listing (Notion docs, pagination).
const PAGE_SIZE_MAX: usize = 100;

/// Why a call is not carried out.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    additional: Option<Value>,
}

type Outcome = Result<Value, Refusal>;

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), additional: None }
    }

    fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "validation_error", message)
    }

    /// Deleted, never there, and not shared look the same (Notion docs, `object_not_found`).
    fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        let message = format!(
            "Could not find {what} with ID: {id}. Make sure the relevant pages and databases are shared with your \
             integration."
        );
        Self::new(404, "object_not_found", message)
    }

    /// A capability is missing (Notion docs, capabilities).
    fn restricted() -> Self {
        Self::new(403, "restricted_resource", "Insufficient permissions for this endpoint.")
    }

    /// What is in the trash takes no other edit than out of it (recorded wording).
    fn in_trash() -> Self {
        Self::validation("Can't edit block that is archived. You must unarchive the block before editing.")
    }

    fn into_answer(self, request_id: NotionId) -> Answer {
        let mut body = json!({
            "object": "error", "status": self.status, "code": self.code, "message": self.message,
            "request_id": request_id,
        });
        if let Some(additional) = self.additional {
            body["additional_data"] = additional;
        }
        Answer::new(self.status, body)
    }
}

/// The API version that a call asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Still shows and takes `archived`.
    V2025_09_03,
    /// Knows `in_trash` only.
    V2026_03_11,
}

/// One call being answered.
struct Call<'a> {
    world: &'a mut World,
    knobs: &'a Knobs,
    request: &'a Request,
    /// Whose token came.
    access: Access,
    version: Version,
}

/// Answers a call to `api.notion.com`.
pub(crate) fn answer(world: &mut World, knobs: &Knobs, request: &Request) -> Answer {
    let request_id = world.new_notion_id();
    let outcome = world.in_notion_workspace(token(request).unwrap_or_default(), |world| {
        let access = authorize(world, request)?;
        let version = version(request)?;
        Call { world, knobs, request, access, version }.answer()
    });
    match outcome {
        Ok(mut body) => {
            body["request_id"] = json!(request_id);
            Answer::ok(body)
        }
        Err(refusal) => refusal.into_answer(request_id),
    }
}

/// The 429 of a spent budget (Notion docs, request limits).
pub(crate) fn throttled(world: &mut World, retry_after: &str) -> Answer {
    let mut refusal =
        Refusal::new(429, "rate_limited", "You have been rate limited. Please try again in a few minutes.");
    refusal.additional = Some(json!({
        "retry_after": retry_after,
        "rate_limit_reason": "public_api_request_rate_limit",
    }));
    refusal.into_answer(world.new_notion_id()).header("retry-after", retry_after)
}

/// A token that has ended is answered like one that never was (Notion changelog, July 2026: 401).
fn authorize(world: &World, request: &Request) -> Result<Access, Refusal> {
    let refusal = |message: &str| Refusal::new(401, "unauthorized", message);
    let token =
        token(request).ok_or_else(|| refusal("Authorization header must use the format \"Bearer <token>\"."))?;
    let access = world.access(token).filter(|access| !access.expired);
    access.cloned().ok_or_else(|| refusal("API token is invalid."))
}

fn token(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

fn version(request: &Request) -> Result<Version, Refusal> {
    match request.header("notion-version") {
        Some("2026-03-11") => Ok(Version::V2026_03_11),
        Some("2025-09-03") => Ok(Version::V2025_09_03),
        Some(other) => Err(Refusal::validation(format!(
            "Notion-Version header failed validation: Notion-Version header should be `\"2025-09-03\"` or \
             `\"2026-03-11\"`, instead was `\"{other}\"`."
        ))),
        None => Err(Refusal::new(
            400,
            "missing_version",
            "Notion-Version header failed validation: Notion-Version header should be defined, instead was \
             `undefined`.",
        )),
    }
}

impl Call<'_> {
    /// Carries the call out if the token may do such a thing. Whether a capability is checked before the body or after
    /// it is not documented; a knob decides.
    fn answer(&mut self) -> Outcome {
        if self.allowed() {
            return self.route();
        }
        if self.knobs.capabilities_last {
            let before = self.world.notion.clone();
            let outcome = self.route();
            self.world.notion = before;
            outcome?;
        }
        Err(Refusal::restricted())
    }

    /// Whether the token's capabilities suffice; what is told of users has a capability of its own.
    fn allowed(&self) -> bool {
        let can = self.access.can;
        let segments: Vec<&str> = self.request.segments.iter().map(String::as_str).collect();
        match (self.request.method.as_str(), segments.as_slice()) {
            (_, ["v1", "users", ..]) => true,
            ("POST", ["v1", "pages" | "databases" | "data_sources"]) => can.insert,
            ("PATCH", _) => can.update,
            _ => can.read,
        }
    }

    fn route(&mut self) -> Outcome {
        let request = self.request;
        let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["v1", "users", "me"]) => Ok(self.me()),
            ("GET", ["v1", "users"]) => self.list_users(),
            ("GET", ["v1", "users", id]) => self.get_user(id),
            ("POST", ["v1", "search"]) => self.search(),
            ("POST", ["v1", "databases"]) => self.create_database(),
            ("GET", ["v1", "databases", id]) => self.get_database(id),
            ("PATCH", ["v1", "databases", id]) => self.update_database(id),
            ("POST", ["v1", "data_sources"]) => self.create_data_source(),
            ("GET", ["v1", "data_sources", id]) => self.get_data_source(id),
            ("PATCH", ["v1", "data_sources", id]) => self.update_data_source(id),
            ("POST", ["v1", "data_sources", id, "query"]) => self.query(id),
            ("POST", ["v1", "pages"]) => self.create_page(),
            ("GET", ["v1", "pages", id]) => self.get_page(id),
            ("PATCH", ["v1", "pages", id]) => self.update_page(id),
            ("GET", ["v1", "pages", id, "properties", property]) => self.get_property(id, property),
            _ => Err(Refusal::new(400, "invalid_request_url", "Invalid request URL.")),
        }
    }

    /// The body of a call that needs one; an absent body counts as `{}`.
    fn body(&self) -> Result<Value, Refusal> {
        match &self.request.body {
            Body::Empty => Ok(json!({})),
            Body::Json(body) if body.is_object() => Ok(body.clone()),
            Body::Json(_) => Err(Refusal::validation("body failed validation: body should be an object.")),
            Body::Malformed(_) => Err(Refusal::new(400, "invalid_json", "Error parsing JSON body.")),
        }
    }

    /// Whether the token sees a data source.
    fn shared(&self, source: &DataSource) -> bool {
        let withheld = self.knobs.unshared.iter().any(|key| *key == source.name || *key == source.id.to_string());
        !(withheld && self.is_connection()) && self.world.notion.shows(&self.access, source.database)
    }

    /// Whether the token sees a page: neither hidden itself nor in a data source that is not shared.
    fn visible(&self, page: &Page) -> bool {
        let source_shared = match page.parent {
            Parent::DataSource(_) => self.world.notion.source_of(page).is_some_and(|source| self.shared(source)),
            Parent::Page(_) | Parent::Workspace => true,
        };
        !(page.hidden && self.is_connection()) && source_shared && self.world.notion.shows(&self.access, page.id)
    }

    /// A person sees what was never shared with a connection.
    fn is_connection(&self) -> bool {
        matches!(self.access.actor, Actor::Connection(_))
    }

    /// The documented answer of a workspace of several people on the Free plan that has its 1,000 blocks.
    fn refuse_more_blocks(&self) -> Result<(), Refusal> {
        if !self.knobs.block_limit_reached {
            return Ok(());
        }
        let mut refusal = Refusal::restricted();
        refusal.additional = Some(json!({"block_limit": "block_creation"}));
        Err(refusal)
    }

    /// The page with this ID, if the connection sees it; also when it is in the trash.
    fn seen_page(&self, id: NotionId) -> Result<&Page, Refusal> {
        let page = self.world.notion.pages.get(id).filter(|page| self.visible(page));
        page.ok_or_else(|| self.no_such("page", id))
    }

    /// Not found; or, with the knob, found to be a page where a database is wanted, and the other way round.
    fn no_such(&self, wanted: &str, id: NotionId) -> Refusal {
        let notion = &self.world.notion;
        let kind = if notion.databases.contains_key(&id) {
            "database"
        } else if notion.pages.get(id).is_some() {
            "page"
        } else {
            wanted
        };
        if self.knobs.wrong_kind_named && kind != wanted && notion.shows(&self.access, id) {
            return Refusal::validation(format!("Provided ID {id} is a {kind}, not a {wanted}."));
        }
        Refusal::not_found(wanted, id)
    }

    /// `archived` was renamed to `in_trash` in 2026-03-11 and is refused there.
    fn refuse_archived(&self, body: &Value) -> Result<(), Refusal> {
        match (self.version, body.get("archived")) {
            (Version::V2026_03_11, Some(archived)) => Err(Refusal::validation(format!(
                "body failed validation: body.archived should be not present, instead was `{archived}`."
            ))),
            _ => Ok(()),
        }
    }
}

/// One page of a listing.
struct Portion<T> {
    rows: Vec<T>,
    next_cursor: Option<String>,
    /// The listing ends here because it reached the cap, not because there is nothing left.
    capped: bool,
}

impl Call<'_> {
    /// Cuts the next page out of a listing. The cursor holds the place of the last row in the order, so rows that come
    /// or go elsewhere shift nothing, and rows whose place changes can be missed or seen twice.
    fn portion<T>(
        &mut self,
        mut rows: Vec<(Vec<SortKey>, T)>,
        start_cursor: Option<&str>,
        page_size: Option<usize>,
        bound_to: String,
        cap: usize,
    ) -> Result<Portion<T>, Refusal> {
        let cursor = match start_cursor {
            None => None,
            Some(text) => Some(self.resume(text, &bound_to)?),
        };
        rows.sort_by(|one, two| compare(&one.0, &two.0));
        if let Some(cursor) = &cursor {
            rows.retain(|(key, _)| compare(key, &cursor.after) == Ordering::Greater);
        }
        let yielded = cursor.as_ref().map_or(0, |cursor| cursor.yielded);
        let page_size = page_size.unwrap_or(PAGE_SIZE_MAX).min(self.knobs.page_size_cap.max(1));
        let room = cap.saturating_sub(yielded).min(page_size);
        let more = rows.len() > room;
        rows.truncate(room);
        let capped = more && yielded + rows.len() >= cap;
        let next_cursor = match rows.last() {
            Some((key, _)) if more && !capped => Some(self.hand_out(Cursor {
                bound_to,
                after: key.clone(),
                yielded: yielded + rows.len(),
                continuations: cursor.map_or(0, |cursor| cursor.continuations) + 1,
            })),
            _ => None,
        };
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Ok(Portion { rows, next_cursor, capped })
    }

    fn resume(&self, text: &str, bound_to: &str) -> Result<Cursor, Refusal> {
        let cursor = self.world.notion.cursors.get(text);
        let limit = self.knobs.cursor_continuations.unwrap_or(u32::MAX);
        let cursor = cursor.filter(|cursor| cursor.bound_to == bound_to && cursor.continuations <= limit);
        cursor.cloned().ok_or_else(|| Refusal::validation("The start_cursor provided is invalid"))
    }

    fn hand_out(&mut self, cursor: Cursor) -> String {
        let text = format!("cur_{}", self.world.new_notion_id().to_string().replace('-', ""));
        self.world.notion.cursors.insert(text.clone(), cursor);
        text
    }

    /// `page_size` and `start_cursor` of a GET.
    fn paging_of_query(&self) -> Result<(Option<String>, Option<usize>), Refusal> {
        let size = match self.request.parameter("page_size") {
            None => None,
            Some(text) => Some(page_size(&text.parse::<i64>().map_or(json!(text), |size| json!(size)))?),
        };
        Ok((self.request.parameter("start_cursor").map(str::to_owned), size))
    }
}

/// Reads an ID of the path. Upper case is answered like an unknown ID (live probe, third party).
fn path_id(name: &str, what: &str, text: &str) -> Result<NotionId, Refusal> {
    if let Some(id) = NotionId::parse(text) {
        return Ok(id);
    }
    if NotionId::parse(&text.to_lowercase()).is_some() {
        return Err(Refusal::not_found(what, text));
    }
    Err(Refusal::validation(format!(
        "path failed validation: path.{name} should be a valid uuid, instead was `\"{text}\"`."
    )))
}

/// Reads `page_size`: 1 to 100 (Notion docs, pagination).
fn page_size(value: &Value) -> Result<usize, Refusal> {
    let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
    match size {
        Some(size) if (1..=PAGE_SIZE_MAX).contains(&size) => Ok(size),
        Some(size) if size > PAGE_SIZE_MAX => Err(Refusal::validation(format!(
            "body failed validation: body.page_size should be ≤ `100`, instead was `{size}`."
        ))),
        _ => Err(Refusal::validation(format!(
            "body failed validation: body.page_size should be a number between 1 and 100, instead was `{value}`."
        ))),
    }
}

fn compare(one: &[SortKey], two: &[SortKey]) -> Ordering {
    let parts = one.iter().zip(two).map(|(one, two)| one.compare(two));
    parts.fold(Ordering::Equal, Ordering::then)
}

/// A list object (Notion docs, pagination).
fn list(portion: &Portion<Value>, kind: &str) -> Value {
    let mut list = json!({
        "object": "list", "results": portion.rows, "next_cursor": portion.next_cursor,
        "has_more": portion.next_cursor.is_some(), "type": kind, kind: {},
    });
    if portion.capped {
        list["request_status"] = json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"});
    }
    list
}
