//! What the connection sees at all, and what it may do: for a check-up. A run asks for nothing of this.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Error, Notion, Source, failed, making::is_source, schema::read_source};
use crate::{
    domain::model::{Kind, PageId},
    edge::http::{Answer, Failure, Repeat, Request},
};

/// A property that no data source has: a write of it is refused whatever the connection may do, so that it never takes
/// effect.
const NO_PROPERTY: &str = "punchlist asks whether it may write, and writes nothing";

/// A data source as the search shows it.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub source: Source,
    /// The database that it belongs to.
    pub database: Option<PageId>,
    pub created: Option<Timestamp>,
}

impl Notion {
    /// The data sources that the connection sees, at most a hundred, and none that is in the trash. The search promises
    /// no completeness (Notion docs, search): what it does not show may be there. One call.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn find_sources(&self) -> Result<Vec<Candidate>, Error> {
        let found = self.search("data_source", None).await?;
        let candidate = |row: &Json| {
            let id: PageId = row["id"].as_str()?.parse().ok()?;
            Some(Candidate {
                source: read_source(id, "", row),
                database: row["parent"]["database_id"].as_str().and_then(|id| id.parse().ok()),
                created: row["created_time"].as_str().and_then(|time| time.parse().ok()),
            })
        };
        Ok(found.results.iter().filter(|row| is_source(row)).filter_map(candidate).collect())
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
        found: &[Candidate],
    ) -> Result<Source, Error> {
        let id: Option<PageId> = reference.parse().ok();
        let is_meant = |candidate: &&Candidate| id.is_some_and(|id| candidate.source.data_source == id);
        // Of a database with several data sources nobody knows which is meant.
        let mut of_database = found.iter().filter(|candidate| id.is_some() && candidate.database == id);
        let of_database = of_database.next().filter(|_| of_database.next().is_none());
        let shown = found.iter().find(is_meant).or(of_database);
        let remembered = remembered.filter(|source| source.reference == reference);
        let fits = |candidate: &&Candidate| {
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
