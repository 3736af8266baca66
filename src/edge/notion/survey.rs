//! What the connection sees at all, and what it may do: for a check-up. A run asks for nothing of this.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{
    Error, Notion, Source, failed,
    schema::{is_in_trash, read_source},
};
use crate::{
    domain::model::{Kind, PageId},
    edge::http::{Answer, Failure, Repeat, Request},
};

/// A property that no data source has: a write of it is refused whatever the connection may do, so that it never takes
/// effect.
const NO_PROPERTY: &str = "punchlist asks whether it may write, and writes nothing";

/// A data source as the search shows it.
#[derive(Clone, Debug)]
pub struct FoundSource {
    pub source: Source,
    /// The database that it belongs to.
    pub database: Option<PageId>,
    /// The page that the database stands on.
    pub page: Option<PageId>,
    pub created: Option<Timestamp>,
}

impl FoundSource {
    fn of(row: &Json) -> Option<Self> {
        let id = |id: &Json| id.as_str().and_then(|id| id.parse().ok());
        Some(Self {
            source: read_source(id(&row["id"])?, "", row),
            database: id(&row["parent"]["database_id"]),
            page: id(&row["database_parent"]["page_id"]),
            created: row["created_time"].as_str().and_then(|time| time.parse().ok()),
        })
    }
}

impl Notion {
    /// The data sources that the token sees, those edited last first, and none that is in the trash: a hundred, and
    /// where the next hundred begins. The search promises no completeness, and may not show what was shared a moment
    /// ago (Notion docs, search): what it does not show may be there. One call.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn find_sources(&self, after: Option<&str>) -> Result<(Vec<FoundSource>, Option<String>), Error> {
        let found = self.search("data_source", after).await?;
        let is_source = |row: &&Json| row["object"] == "data_source" && !is_in_trash(row);
        Ok((found.results.iter().filter(is_source).filter_map(FoundSource::of).collect(), found.next_cursor))
    }

    /// The data source that a reference means, with its schema as it is now: as the search has shown it where that
    /// fits, which costs nothing, and otherwise as a run would read it that remembers this one.
    ///
    /// # Errors
    /// As of [`Notion::resolve`].
    pub async fn current_source(
        &self,
        kind: Kind,
        reference: &str,
        remembered: Option<&Source>,
        found: &[FoundSource],
    ) -> Result<Source, Error> {
        let id: Option<PageId> = reference.parse().ok();
        let is_meant = |candidate: &&FoundSource| id.is_some_and(|id| candidate.source.data_source == id);
        // Of a database with several data sources nobody knows which is meant.
        let mut of_database = found.iter().filter(|candidate| id.is_some() && candidate.database == id);
        let of_database = of_database.next().filter(|_| of_database.next().is_none());
        let shown = found.iter().find(is_meant).or(of_database);
        let remembered = remembered.filter(|source| source.reference == reference);
        let fits = |candidate: &&FoundSource| {
            let before = remembered.filter(|source| source.data_source == candidate.source.data_source);
            self.bind(kind, &candidate.source, before).is_ok()
        };
        if let Some(candidate) = shown.filter(fits) {
            return Ok(Source { reference: reference.to_owned(), ..candidate.source.clone() });
        }
        match remembered {
            Some(source) => self.reread(kind, source).await,
            None => self.resolve(kind, reference).await,
        }
    }

    /// Whether the connection may change pages: asked with a change to this page that Notion refuses anyway. Its words
    /// for a missing capability are about the endpoint, so that is taken to be looked at first; no source says so.
    /// Nothing where the answer says neither. One call.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn may_update(&self, page: PageId) -> Result<Option<bool>, Error> {
        let body = json!({"properties": {NO_PROPERTY: {"checkbox": false}}});
        let request = Request::new(Method::PATCH, &["v1", "pages", &page.to_string()], Some(body), Repeat::Idempotent);
        let answer: Result<Answer<Json>, Failure> = self.http().send(&request).await;
        match answer {
            // Notion was seen to ignore what it does not know (live probe, third party).
            Ok(_) | Err(Failure::Rejected { status: 400, .. }) => Ok(Some(true)),
            Err(Failure::Rejected { status: 403, .. }) => Ok(Some(false)),
            Err(Failure::Rejected { status: 404, .. }) => Ok(None),
            Err(failure) => Err(failed("what the connection may do".to_owned(), failure)),
        }
    }
}
