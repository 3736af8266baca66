//! What setting up needs of Notion: looking around, and making what is missing.
//!
//! A create is never repeated: one whose answer is lost is found again by looking around.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{Error, Notion, Source, cell::text_of, failed, schema::read_source};
use crate::{
    domain::{discovery::Table, model::PageId, text::Raw},
    edge::http::{Answer, Failure, Repeat, Request},
};

/// Rows of an answer to a search: the most that Notion gives.
const FOUND_AT_ONCE: usize = 100;

/// What a search found, one answer of perhaps several.
#[derive(Deserialize)]
pub(super) struct Found {
    #[serde(default)]
    pub(super) results: Vec<Json>,
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
}

impl Notion {
    /// Pages outside of databases that the token sees, with their titles, those edited last first. One call.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn places(&self) -> Result<Vec<(PageId, Raw)>, Error> {
        let found = self.search("page", None).await?;
        let place = |row: &Json| {
            let is_row = row["parent"]["data_source_id"].is_string() || row["parent"]["database_id"].is_string();
            let is_place = row["object"] == "page" && row["in_trash"] != true && !is_row;
            let title = row["properties"].as_object()?.values().find(|property| property["type"] == "title")?;
            let id = row["id"].as_str().filter(|_| is_place)?.parse().ok()?;
            Some((id, text_of(&title["title"]).into()))
        };
        Ok(found.results.iter().filter_map(place).collect())
    }

    pub(super) async fn search(&self, object: &str, after: Option<&str>) -> Result<Found, Error> {
        let mut body = json!({
            "filter": {"property": "object", "value": object}, "page_size": FOUND_AT_ONCE,
            "sort": {"timestamp": "last_edited_time", "direction": "descending"},
        });
        if let Some(after) = after {
            body["start_cursor"] = json!(after);
        }
        let request = Request::new(Method::POST, &["v1", "search"], Some(body), Repeat::Read).listing();
        let answer: Result<Answer<Found>, _> = self.http.send(&request).await;
        answer.map(|answer| answer.body).map_err(|failure| failed("what the token sees".to_owned(), failure))
    }

    /// Adds columns to a data source, and shows it as it is then. One call.
    ///
    /// # Errors
    /// [`Error`]; doing it again changes nothing.
    pub async fn add_columns(&self, table: &Table, columns: &Map<String, Json>) -> Result<Source, Error> {
        let path = ["v1", "data_sources", &table.id.to_string()];
        let request = Request::new(Method::PATCH, &path, Some(json!({"properties": columns})), Repeat::Idempotent);
        let what = || format!("columns of {}", table.title.shown());
        let answer: Answer<Json> = self.http.send(&request).await.map_err(|failure| unmade(what(), failure))?;
        let changed = read_source(table.id, "", &answer.body);
        // An unknown property may be ignored in silence.
        match columns.keys().find(|name| changed.property(name).is_none()) {
            None => Ok(changed),
            Some(missing) => Err(Error::NotMade { what: what(), because: format!("it still has no “{missing}”") }),
        }
    }

    /// Makes a database on a page; its data source. One call.
    ///
    /// # Errors
    /// [`Error`]; where the answer is lost, it may be there.
    pub async fn create_database(&self, page: PageId, title: &str, columns: &Json) -> Result<PageId, Error> {
        let body = json!({
            "parent": {"type": "page_id", "page_id": page.to_string()},
            "title": [{"type": "text", "text": {"content": title}}],
            "initial_data_source": {"properties": columns},
        });
        let request = Request::new(Method::POST, &["v1", "databases"], Some(body), Repeat::Never);
        let what = || format!("the database {title}");
        let answer: Answer<Json> = self.http.send(&request).await.map_err(|failure| unmade(what(), failure))?;
        named(&answer.body["data_sources"][0]["id"], what)
    }

    /// Makes a row. One call.
    ///
    /// # Errors
    /// [`Error`]; where the answer is lost, it may be there.
    pub async fn create_row(&self, table: PageId, properties: &Json) -> Result<PageId, Error> {
        let parent = json!({"type": "data_source_id", "data_source_id": table.to_string()});
        let body = json!({"parent": parent, "properties": properties});
        let request = Request::new(Method::POST, &["v1", "pages"], Some(body), Repeat::Never);
        let what = || "a row".to_owned();
        let answer: Answer<Json> = self.http.send(&request).await.map_err(|failure| unmade(what(), failure))?;
        named(&answer.body["id"], what)
    }
}

/// The id of what was made.
fn named(id: &Json, what: impl FnOnce() -> String) -> Result<PageId, Error> {
    let id = id.as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Error::NotMade { what: what(), because: "Notion's answer does not say which it is".to_owned() })
}

fn unmade(what: String, failure: Failure) -> Error {
    match failed(what, failure) {
        Error::Refused { what, failure } if failure.has_status(403) => Error::MayNotMake { what, failure },
        Error::Failed { what, failure } => Error::NotMade { what, because: failure.to_string() },
        error => error,
    }
}
