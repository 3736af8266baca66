//! Notion: where work is planned, read by query and written one page at a time.
//!
//! Localized here: what a reference in the configuration means, how a row of any mapping becomes a [`Page`], and when a listing may be
//! called complete. Creating and trashing pages is absent on purpose.

mod cell;
mod listing;
mod row;
mod schema;
mod write;

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::{
    domain::{
        model::{self, Away, Field, Kind, ObjectId, Page, PageId, PerKind, Service, Standing, Value},
        rules::{IdStrategy, Mapping},
        text::{Display, Raw},
    },
    edge::http::{Answer, Failure, Http, Repeat, Request},
};
pub use listing::Listed;
use listing::Rows;
use row::{Row, is_in, read};
use schema::Bound;
pub use schema::{Property, Source};
use write::{changes, unwritten};

/// The newest version of the API, and the one that this client is written for.
pub const API_VERSION: &str = "2026-03-11";
/// Pages of one property's values: 10,000 references.
const VALUE_PAGES_MAX: usize = 100;
/// People and references beyond this number may be missing from a row (Notion docs, page object).
const VALUES_IN_ROW: usize = 25;

/// Which connection the token is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The workspace's id.
    pub workspace_id: String,
    /// The workspace's name.
    pub workspace_name: Raw,
    /// The id of the connection's bot user.
    pub bot_id: String,
}

/// `GET /v1/users/me`.
#[derive(Deserialize)]
struct Me {
    id: String,
    #[serde(default)]
    bot: Json,
}

/// What fetching a page by its id showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The page, where it belongs; perhaps in the trash.
    Page(Box<Page>),
    /// It is somewhere else. A 404 can mean that it was deleted for good, or that it is hidden from us; the two cannot be told apart
    /// (Notion docs, errors).
    Away(Away),
}

/// Where mapping and schema do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The configuration key.
    pub key: String,
    /// What does not fit.
    pub text: String,
    /// What to do about it.
    pub hint: String,
}

/// Why Notion could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token, or what it may do, is not enough.
    #[error("notion.token may not read {what}: {failure}")]
    Refused {
        /// What.
        what: String,
        /// The answer.
        failure: Failure,
    },
    /// The request budget is spent.
    #[error("{error}")]
    Budget {
        /// How long until it is worth trying again.
        wait: Duration,
        /// What was said.
        error: String,
    },
    /// The configuration holds no id.
    #[error("notion.{}.data_source is \"{text}\", which holds no Notion id", kind.plural())]
    BadReference {
        /// The kind.
        kind: Kind,
        /// What was configured.
        text: Display,
    },
    /// There is nothing of that id, or it is not shared.
    #[error("notion.{}.data_source: Notion shows neither a data source nor a database {id}", kind.plural())]
    NotFound {
        /// The kind.
        kind: Kind,
        /// The id.
        id: PageId,
    },
    /// A linked view, or a database whose data sources are not shared.
    #[error("notion.{}.data_source: the database {id} has no data source that the connection can see", kind.plural())]
    NoSource {
        /// The kind.
        kind: Kind,
        /// The database.
        id: PageId,
    },
    /// A database with several data sources.
    #[error("notion.{}.data_source: the database has several data sources: {sources}", kind.plural())]
    SeveralSources {
        /// The kind.
        kind: Kind,
        /// Names and ids.
        sources: String,
    },
    /// The mapping names what is not there.
    #[error("{}: {}", .0.key, .0.text)]
    Mapping(Misfit),
    /// The data source is no longer what it was.
    #[error("{}: {}", .0.key, .0.text)]
    SchemaChanged(Misfit),
    /// Anything else.
    #[error("could not read {what} from Notion: {failure}")]
    Failed {
        /// What.
        what: String,
        /// Why.
        failure: Failure,
    },
}

impl Error {
    /// True when credentials or the identity were refused.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        const SHARE: &str = "share the database with the connection: open it in Notion, ••• → Connections → add the connection";
        match self {
            Self::Refused { failure, .. } | Self::Failed { failure, .. } => failure.hint().to_owned(),
            Self::Budget { .. } => {
                "run again later; Notion allows 180 requests a minute, 600 on the Business and Enterprise plans".to_owned()
            }
            Self::BadReference { kind, .. } => {
                format!("open the database in Notion, copy its link, and set notion.{}.data_source to it", kind.plural())
            }
            Self::NotFound { .. } => format!("{SHARE}; or correct the id"),
            Self::NoSource { .. } => format!("{SHARE}; if this is a linked view, use the link of the original database"),
            Self::SeveralSources { kind, .. } => {
                format!("set notion.{}.data_source to the id of the one that is meant", kind.plural())
            }
            Self::Mapping(misfit) | Self::SchemaChanged(misfit) => misfit.hint.clone(),
        }
    }
}

/// A client of Notion.
#[derive(Debug)]
pub struct Notion {
    http: Http,
    mapping: PerKind<Mapping>,
    id_strategy: IdStrategy,
}

impl Notion {
    /// A client that reads pages by a mapping.
    pub fn new(http: Http, mapping: PerKind<Mapping>, id_strategy: IdStrategy) -> Self {
        Self { http, mapping, id_strategy }
    }

    /// The connection, for its counters.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// What can be written into the mapped properties of a data source.
    pub fn takes(&self, kind: Kind, source: &Source) -> BTreeMap<Field, model::Property> {
        self.bind(kind, source, None).map(|bound| bound.takes()).unwrap_or_default()
    }

    /// Finds out which connection the token is of. One call.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn identity(&self) -> Result<Identity, Error> {
        let answer: Answer<Me> = self
            .http
            .send(&Request::get(&["v1", "users", "me"]))
            .await
            .map_err(|failure| failed("the connection's own user".to_owned(), failure))?;
        let Me { id, bot } = answer.body;
        Ok(Identity {
            workspace_id: bot["workspace_id"].as_str().unwrap_or_default().to_owned(),
            workspace_name: bot["workspace_name"].as_str().unwrap_or_default().into(),
            bot_id: id,
        })
    }

    /// Fetches one page by its id: the one way to see a page in the trash. One call.
    ///
    /// # Errors
    /// [`Error`]; a 404 is none.
    pub async fn page(&self, kind: Kind, source: &Source, id: PageId) -> Result<Seen, Error> {
        let wrong = |failure| failed(format!("the {kind} page {id}"), failure);
        let mut row: Row = match self.http.send(&Request::get(&["v1", "pages", &id.to_string()])).await {
            Ok(Answer { body, .. }) => body,
            Err(failure) if failure.has_status(404) => return Ok(Seen::Away(Away::Lost)),
            Err(failure) => return Err(wrong(failure)),
        };
        if !is_in(&row.parent, source.data_source) {
            return Ok(Seen::Away(Away::MovedOut));
        }
        let bound = self.bind(kind, source, None)?;
        self.complete(&bound, &mut row).await.map_err(wrong)?;
        let reading = read(&bound, &row);
        match reading.outdated.or(reading.unclear) {
            // What a page in the trash says of itself does not matter.
            Some(text) if !matches!(reading.page.standing, Standing::Trashed) => Err(Error::SchemaChanged(outdated(kind, text))),
            _ if !reading.meant => Ok(Seen::Away(Away::NotMeant)),
            _ => Ok(Seen::Page(Box::new(reading.page))),
        }
    }

    /// Writes a page's claim and mapped fields, in one request, and verifies that the answer holds them: an unknown property may be
    /// ignored in silence (live probe, third party).
    ///
    /// # Errors
    /// [`Failure`]. Writing the same values again is harmless.
    pub async fn write_back(
        &self,
        kind: Kind,
        source: &Source,
        page: PageId,
        claim: Option<Option<ObjectId>>,
        fields: &BTreeMap<Field, Value>,
    ) -> Result<Page, Failure> {
        let impossible = |message: String| Failure::impossible(Service::Notion, message);
        let bound = self.bind(kind, source, None).map_err(|error| impossible(error.to_string()))?;
        let properties = changes(&bound, claim, fields).map_err(impossible)?;
        if properties.is_empty() {
            return Err(impossible("there is nothing to write".to_owned()));
        }
        let path = ["v1", "pages", &page.to_string()];
        let request = Request::new(Method::PATCH, &path, Some(json!({"properties": properties})), Repeat::Idempotent);
        let mut row: Row = self.http.send(&request).await?.body;
        self.complete(&bound, &mut row).await.map_err(|failure| Failure::Unknown { error: failure.to_string() })?;
        let page = read(&bound, &row).page;
        match unwritten(&page, claim, fields) {
            None => Ok(page),
            Some(what) => Err(Failure::Rejected {
                service: Service::Notion,
                status: 200,
                code: None,
                message: format!("the answer does not hold the {what} that was written"),
            }),
        }
    }

    /// Fetches the references and people that a row leaves out.
    async fn complete(&self, bound: &Bound, row: &mut Row) -> Result<(), Failure> {
        for property in bound.mapped() {
            let Some(value) = row.properties.as_mut().and_then(|properties| properties.get_mut(property.name.exact())) else {
                continue;
            };
            let count = value[&property.kind].as_array().map_or(0, Vec::len);
            let cut = match property.kind.as_str() {
                "relation" => value["has_more"] == json!(true),
                "people" => count >= VALUES_IN_ROW,
                _ => false,
            };
            if cut {
                value[&property.kind] = Json::Array(self.values(row.id, &property.id, &property.kind).await?);
            }
        }
        Ok(())
    }

    /// All values of one property of a page; 100 a call.
    async fn values(&self, page: PageId, property: &str, kind: &str) -> Result<Vec<Json>, Failure> {
        let mut values = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..VALUE_PAGES_MAX {
            let path = ["v1", "pages", &page.to_string(), "properties"];
            let mut request = Request::get(&path).encoded_segment(property).query("page_size", "100");
            if let Some(cursor) = &cursor {
                request = request.query("start_cursor", cursor);
            }
            let Answer { body: rows, .. }: Answer<Rows> = self.http.send(&request).await?;
            values.extend(rows.results.into_iter().map(|mut item| item[kind].take()));
            let next = rows.next_cursor;
            if !rows.has_more {
                return Ok(values);
            }
            if next.is_none() || next == cursor {
                break;
            }
            cursor = next;
        }
        Err(Failure::Unknown { error: format!("the values of a property of page {page} do not come to an end") })
    }
}

fn failed(what: String, failure: Failure) -> Error {
    match failure {
        Failure::Throttled { wait, error } => Error::Budget { wait, error },
        failure if failure.is_refusal() => Error::Refused { what, failure },
        failure => Error::Failed { what, failure },
    }
}

fn outdated(kind: Kind, text: String) -> Misfit {
    Misfit {
        key: format!("notion.{}.data_source", kind.plural()),
        text,
        hint: "run again; if it stays, compare the mapping with the database in Notion".to_owned(),
    }
}

#[cfg(test)]
mod tests;
