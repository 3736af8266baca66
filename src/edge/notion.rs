//! Notion: where work is planned, read by query and written one page at a time.
//!
//! Localized here: what a reference in the configuration means, how a row of any mapping becomes a [`Page`], and when a
//! listing may be called complete. Trashing pages is absent on purpose, and nothing is
//! created but what setting up is asked to make.

mod cell;
mod filter;
mod listing;
mod making;
mod node;
mod property;
mod row;
mod schema;
mod survey;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Method;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::{
    domain::{
        model::{self, Away, Field, Kind, ObjectId, Page, PageId, PerKind, Service, Value},
        rules::{IdStrategy, Mapped, Mapping},
        text::{Raw, Shown},
    },
    edge::http::{Answer, FRESH, Failure, Http, Repeat, Request, YOUNG},
};
use listing::Rows;
pub use listing::{Listed, calls_for};
use node::Node;
pub use property::Property;
use row::{PageRow, is_in, read};
use schema::Bound;
pub use schema::Source;
pub use survey::FoundSource;
use write::{changes, unwritten};

/// The newest version of the API, and the one that this client is written for.
pub const API_VERSION: &str = "2026-03-11";
/// Pages that are read each by itself before they are written, at once; more are listed where that costs less.
const READ_AT_ONCE: usize = 6;
/// Pages of one property's values: 10,000 references.
const VALUE_PAGES_MAX: usize = 100;
/// People and references beyond this number may be missing from a row (Notion docs, page object).
const VALUES_IN_ROW: usize = 25;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The workspace's id, where it is told: of a personal access token it may not be.
    pub workspace_id: Option<String>,
    /// The workspace's name, as far as it is told.
    pub workspace_name: Raw,
    /// The name of who acts with the token, and is named as the author of what is written.
    pub name: Raw,
    /// True where that is a person, by a personal access token.
    pub is_person: bool,
}

/// `GET /v1/users/me`.
#[derive(Deserialize)]
struct Me {
    /// What has none is no user.
    #[serde(rename = "id")]
    _id: IgnoredAny,
    #[serde(default)]
    name: Json,
    #[serde(default, rename = "type")]
    kind: Json,
    #[serde(default)]
    bot: Json,
}

impl Me {
    /// A personal access token is answered with the person, or with a bot that a person owns; which, no source says.
    fn identity(&self) -> Identity {
        let owner = &self.bot["owner"];
        let named = |name: &Json| name.as_str().filter(|name| !name.trim().is_empty()).map(Raw::from);
        let own = named(&self.name).unwrap_or_default();
        let is_person = self.kind == "person" || owner["type"] == "user";
        let workspace_id = self.bot["workspace_id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        let workspace_name = named(&self.bot["workspace_name"]).unwrap_or_default();
        Identity { workspace_id, workspace_name, name: named(&owner["user"]["name"]).unwrap_or(own), is_person }
    }
}

/// What fetching a page by its id showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The page, where it belongs; perhaps in the trash.
    Page(Box<Page>),
    /// It is somewhere else. A 404 can mean that it was deleted for good, or that it is hidden from us; the two cannot
    /// be told apart (Notion docs, errors).
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

/// Whether the token is none, or may do too little.
fn refusal(what: &str, failure: &Failure) -> String {
    if failure.is_unknown_caller() { "is not accepted by Notion".to_owned() } else { format!("may not read {what}") }
}

/// Why Notion could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token, or what it may do, is not enough.
    #[error("notion.token {}: {failure}", refusal(what, failure))]
    Refused {
        /// What.
        what: String,
        /// The answer.
        failure: Failure,
    },
    /// It asked to wait, or the request budget is spent.
    #[error("{error}")]
    Budget {
        /// How long until it is worth trying again.
        wait: Duration,
        /// Who asked, and until when.
        error: Shown,
        /// True where it is the budget.
        budget: bool,
    },
    /// The configuration holds no id.
    #[error("notion.{}.data_source is \"{text}\", which holds no Notion id", kind.plural())]
    BadReference {
        kind: Kind,
        /// What was configured.
        text: Shown,
    },
    /// There is nothing of that id, or it is not shared.
    #[error("notion.{}.data_source: Notion shows neither a data source nor a database {id}", kind.plural())]
    NotFound { kind: Kind, id: PageId },
    /// The id is that of a page.
    #[error("notion.{}.data_source: {id} is a page and not a database", kind.plural())]
    IsPage {
        kind: Kind,
        id: PageId,
        /// The data source or database that the page stands in.
        within: Option<PageId>,
    },
    /// Somebody has put it in the trash.
    #[error("notion.{}.data_source is “{title}”, which is in the trash", kind.plural())]
    Trashed { kind: Kind, title: Shown },
    /// The data source fits another kind.
    #[error(
        "notion.{}.data_source is “{title}”, which fits the {} and not the {}: they look swapped",
        kind.plural(), other.plural(), kind.plural()
    )]
    Swapped {
        /// The kind that it was configured for.
        kind: Kind,
        /// The kind that it fits.
        other: Kind,
        title: Shown,
    },
    /// What answers is not Notion's API.
    #[error("notion.base_url does not lead to Notion's API: {failure}")]
    Elsewhere {
        /// The answer.
        failure: Failure,
    },
    /// A linked view, or a database whose data sources are not shared.
    #[error("notion.{}.data_source: the database {id} has no data source that the connection can see", kind.plural())]
    NoSource {
        kind: Kind,
        /// The database.
        id: PageId,
    },
    /// A database with several data sources.
    #[error("notion.{}.data_source: the database has several data sources: {sources}", kind.plural())]
    SeveralSources {
        kind: Kind,
        /// Names and ids.
        sources: String,
    },
    /// The mapping names what is not there; never empty.
    #[error("{}", all(.0, |misfit| format!("{}: {}", misfit.key, misfit.text)))]
    Mapping(Vec<Misfit>),
    /// The data source is no longer what it was; never empty.
    #[error("{}", all(.0, |misfit| format!("{}: {}", misfit.key, misfit.text)))]
    SchemaChanged(Vec<Misfit>),
    /// Rows and schema contradict each other, though the schema was just read.
    #[error("notion.{}.data_source: {because}", kind.plural())]
    Inconsistent {
        kind: Kind,
        /// In what.
        because: String,
    },
    /// The token may not make it.
    #[error("notion.token may not make {what}: {failure}")]
    MayNotMake {
        /// What.
        what: String,
        /// The answer.
        failure: Failure,
    },
    /// What was to be made was not, or nobody knows.
    #[error("could not make {what} in Notion: {because}")]
    NotMade {
        /// What.
        what: String,
        /// Why.
        because: String,
    },
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
        matches!(self, Self::Refused { .. } | Self::MayNotMake { .. })
    }

    /// True when the configuration names what is there, but cannot be meant; or names properties that are not there.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::BadReference { .. }
            | Self::IsPage { .. }
            | Self::Swapped { .. }
            | Self::SeveralSources { .. }
            | Self::Mapping(_)
            | Self::SchemaChanged(_) => true,
            // What is not shared, or answered by somebody else on the line, is not for the configuration to mend.
            Self::Refused { .. }
            | Self::MayNotMake { .. }
            | Self::Budget { .. }
            | Self::NotFound { .. }
            | Self::Trashed { .. }
            | Self::Elsewhere { .. }
            | Self::NoSource { .. }
            | Self::Inconsistent { .. }
            | Self::NotMade { .. }
            | Self::Failed { .. } => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        const SHARE: &str =
            "share the database with the connection: open it in Notion, ••• → Connections → add the connection";
        match self {
            Self::Refused { failure, .. } | Self::Failed { failure, .. } => failure.hint().to_owned(),
            Self::Budget { budget: false, .. } => "run again then, or with --now to try at once".to_owned(),
            Self::Budget { .. } => {
                "run again then; Notion allows 180 requests a minute, 600 on the Business and Enterprise plans"
                    .to_owned()
            }
            Self::BadReference { kind, .. } => {
                format!(
                    "open the database in Notion, copy its link, and set notion.{}.data_source to it",
                    kind.plural()
                )
            }
            Self::NotFound { .. } => format!("{SHARE}; or correct the id"),
            Self::IsPage { kind, within: Some(within), .. } => {
                format!(
                    "open the database itself in Notion and copy its link; this page stands in {within}: set notion.{}.data_source to that, if it is meant",
                    kind.plural()
                )
            }
            Self::Trashed { kind, .. } => format!(
                "restore it in Notion: Trash in the sidebar → ⟲ beside its name; or set notion.{}.data_source to the one that took its place",
                kind.plural()
            ),
            Self::IsPage { .. } => "open the database itself in Notion, not a page, and copy its link".to_owned(),
            Self::Swapped { kind, other, .. } => {
                format!("exchange notion.{}.data_source and notion.{}.data_source", kind.plural(), other.plural())
            }
            Self::Elsewhere { .. } => "set notion.base_url to https://api.notion.com, or leave it out".to_owned(),
            Self::NoSource { .. } => {
                format!("{SHARE}; if this is a linked view, use the link of the original database")
            }
            Self::SeveralSources { kind, .. } => {
                format!("set notion.{}.data_source to the id of the one that is meant", kind.plural())
            }
            Self::Mapping(misfits) | Self::SchemaChanged(misfits) => all(misfits, |misfit| misfit.hint.clone()),
            Self::MayNotMake { .. } => {
                "give the connection the capabilities to update and insert content, or use a token of somebody who may"
                    .to_owned()
            }
            Self::NotMade { .. } => "run it again: what is there already is found, and not made twice".to_owned(),
            Self::Inconsistent { .. } => {
                "run again; if it stays, compare the mapping with the database in Notion".to_owned()
            }
        }
    }
}

/// What is said of each misfit.
fn all(misfits: &[Misfit], say: impl Fn(&Misfit) -> String) -> String {
    misfits.iter().map(say).collect::<Vec<_>>().join("; ")
}

/// How a kind was last listed.
#[derive(Clone, Copy, Debug, Default)]
struct Walked {
    /// When it was asked for; nothing where that is too long ago to build on.
    began: Option<Instant>,
    /// How many requests it took; nothing before the first.
    calls: Option<usize>,
}

/// A client of Notion.
#[derive(Debug)]
pub struct Notion {
    http: Http,
    mapping: PerKind<Mapping>,
    id_strategy: IdStrategy,
    /// When pages were last read, each by itself.
    read: Mutex<HashMap<PageId, Instant>>,
    /// How each kind was last listed.
    listed: Mutex<PerKind<Walked>>,
}

impl Notion {
    /// A client that reads pages by a mapping.
    pub fn new(http: Http, mapping: PerKind<Mapping>, id_strategy: IdStrategy) -> Self {
        Self { http, mapping, id_strategy, read: Mutex::default(), listed: Mutex::default() }
    }

    /// The connection, for its counters.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// What can be written into the mapped properties of a data source.
    pub fn takes(&self, kind: Kind, source: &Source) -> BTreeMap<Field, model::Property> {
        self.bind(kind, source, None).map(|bound| bound.takes()).unwrap_or_default()
    }

    /// Finds out whose the token is. One call.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn identity(&self) -> Result<Identity, Error> {
        let answer: Result<Answer<Me>, Failure> = self.http.send(&Request::get(&["v1", "users", "me"])).await;
        match answer {
            Ok(answer) => Ok(answer.body.identity()),
            Err(failure) => Err(failed("the token's own user".to_owned(), failure)),
        }
    }

    /// Lets all that was read count as too old to build on, for tests.
    pub(crate) fn grow_old(&self) {
        lock(&self.read).clear();
        let mut listed = lock(&self.listed);
        for kind in Kind::ALL {
            listed[kind].began = None;
        }
    }

    /// True while a page was read so lately that a write can be built on it.
    pub fn is_fresh(&self, kind: Kind, page: PageId) -> bool {
        self.read_at(kind, page).is_some_and(|read| read.elapsed() < YOUNG)
    }

    /// When a page was last asked for, by itself or among all.
    fn read_at(&self, kind: Kind, page: PageId) -> Option<Instant> {
        lock(&self.read).get(&page).copied().max(lock(&self.listed)[kind].began)
    }

    /// Reads pages of one kind again before their fields are written, by the cheapest way: few each by itself, many by
    /// a listing. Of those that are read each by itself only the first are; the rest is to be asked for again when
    /// these were written.
    pub async fn observe(&self, kind: Kind, source: &Source, pages: &[PageId]) -> Vec<(PageId, Result<Seen, Error>)> {
        let calls = lock(&self.listed)[kind].calls;
        if pages.len() > READ_AT_ONCE && calls.is_some_and(|calls| calls < pages.len()) {
            return match self.fetch(kind, source, &[], &|_| {}).await {
                Ok(listed) => {
                    let found = |page: &PageId| listed.pages.get(*page).map(|page| Seen::Page(Box::new(page.clone())));
                    let shown: Vec<_> = pages.iter().filter_map(|page| Some((*page, Ok(found(page)?)))).collect();
                    if shown.is_empty() { self.read_each(kind, source, pages).await } else { shown }
                }
                Err(error) => pages.iter().map(|page| (*page, Err(error.clone()))).collect(),
            };
        }
        self.read_each(kind, source, pages).await
    }

    async fn read_each(&self, kind: Kind, source: &Source, pages: &[PageId]) -> Vec<(PageId, Result<Seen, Error>)> {
        let reads = pages.iter().take(READ_AT_ONCE);
        join_all(reads.map(|&page| async move { (page, self.page(kind, source, page).await) })).await
    }

    /// Fetches one page by its id: the one way to see a page in the trash. One call.
    ///
    /// # Errors
    /// [`Error`]; a 404 is none.
    pub async fn page(&self, kind: Kind, source: &Source, id: PageId) -> Result<Seen, Error> {
        let wrong = |failure| failed(format!("the {kind} page {id}"), failure);
        let began = Instant::now();
        let mut row: PageRow<'static> = match self.http.send(&Request::get(&["v1", "pages", &id.to_string()])).await {
            Ok(Answer { body, .. }) => body,
            Err(failure) if failure.has_status(404) => return Ok(Seen::Away(Away::Lost)),
            Err(failure) => return Err(wrong(failure)),
        };
        lock(&self.read).insert(id, began);
        if !is_in(&row.parent, source.data_source) {
            return Ok(Seen::Away(Away::MovedOut));
        }
        let bound = self.bind(kind, source, None)?;
        self.complete(&bound, &mut row).await.map_err(wrong)?;
        let reading = read(&bound, &row);
        Ok(if reading.meant { Seen::Page(Box::new(reading.page)) } else { Seen::Away(Away::NotMeant) })
    }

    /// The fields whose property cannot be emptied: a status falls back to its default option (Notion docs, page
    /// properties).
    pub fn never_empty(&self, kind: Kind, source: &Source) -> BTreeSet<Field> {
        let fields = self.mapping[kind].fields.iter();
        let is_status =
            |mapped: &Mapped| source.property(&mapped.property).is_some_and(|property| property.kind == "status");
        fields.filter(|(_, mapped)| is_status(mapped)).map(|(field, _)| *field).collect()
    }

    /// Why an empty relation to the parent proves nothing: it points elsewhere than the parents that are
    /// read, and Notion shows a relation to what is not shared as empty (Notion docs).
    pub fn unshared_parents(&self, kind: Kind, sources: &PerKind<Source>) -> Option<Shown> {
        let (parent, name) = kind.parent().zip(self.mapping[kind].parent.as_deref())?;
        let target = sources[kind].property(name)?.relation_target?;
        (target != sources[parent].data_source).then(|| {
            let (child, parent) = (kind.plural(), parent.plural());
            format!(
                "\"{}\" points to another data source ({target}) than notion.{parent}.data_source, and Notion shows it as empty where that \
                 is not shared; where one is a copy, last year's say, set notion.{parent}.data_source or notion.{child}.data_source to \
                 the one that is meant",
                Shown::of(name)
            )
            .into()
        })
    }

    /// Writes a page's claim and mapped fields, in one request, and verifies that the answer holds them: an unknown
    /// property may be ignored in silence (live probe, third party). What `rests_on_page` leaves within five seconds of
    /// the page's last reading, or not at all.
    ///
    /// # Errors
    /// [`Failure`]. After [`Failure::Outdated`], [`Notion::observe`] the page and try again. Writing the same values
    /// again is harmless.
    pub async fn write_back(
        &self,
        kind: Kind,
        source: &Source,
        page: PageId,
        claim: Option<Option<ObjectId>>,
        fields: &BTreeMap<Field, Value>,
        rests_on_page: bool,
    ) -> Result<Page, Failure> {
        let impossible = |message: String| Failure::impossible(Service::Notion, message);
        let bound = self.bind(kind, source, None).map_err(|error| impossible(error.to_string()))?;
        let properties = changes(&bound, claim, fields).map_err(impossible)?;
        if properties.is_empty() {
            return Err(impossible("there is nothing to write".to_owned()));
        }
        let path = ["v1", "pages", &page.to_string()];
        let mut request =
            Request::new(Method::PATCH, &path, Some(json!({"properties": properties})), Repeat::Idempotent);
        if rests_on_page {
            request = request.not_after(self.read_at(kind, page).ok_or(Failure::Outdated)? + FRESH);
        }
        let began = Instant::now();
        let mut row: PageRow<'static> = self.http.send(&request).await?.body;
        lock(&self.read).insert(page, began);
        self.complete(&bound, &mut row)
            .await
            .map_err(|failure| Failure::Unknown { error: failure.to_string().into() })?;
        let page = read(&bound, &row).page;
        match unwritten(&page, claim, fields) {
            None => Ok(page),
            Some(what) => Err(Failure::Rejected {
                service: Service::Notion,
                status: 200,
                code: None,
                message: format!("the answer does not hold the {what} that was written").into(),
            }),
        }
    }

    /// Fetches the references and people that a row leaves out.
    async fn complete(&self, bound: &Bound, row: &mut PageRow<'_>) -> Result<(), Failure> {
        for property in bound.mapped() {
            let Some(value) = row.properties.as_mut().and_then(|properties| properties.get_mut(property.name.exact()))
            else {
                continue;
            };
            let count = value[&property.kind].as_list().map_or(0, <[_]>::len);
            let cut = match property.kind.as_str() {
                "relation" => value["has_more"].as_bool() == Some(true),
                "people" => count >= VALUES_IN_ROW,
                _ => false,
            };
            if cut {
                value.set(&property.kind, Node::List(self.values(row.id, &property.id, &property.kind).await?));
                value.set("has_more", Node::Bool(false));
            }
        }
        Ok(())
    }

    /// All values of one property of a page; 100 a call.
    async fn values(&self, page: PageId, property: &str, kind: &str) -> Result<Vec<Node<'static>>, Failure> {
        let mut values = Vec::new();
        let mut cursor: Option<String> = None;
        let mut cursors: BTreeSet<String> = BTreeSet::new();
        let mut known: BTreeSet<String> = BTreeSet::new();
        for _ in 0..VALUE_PAGES_MAX {
            let path = ["v1", "pages", &page.to_string(), "properties"];
            let mut request = Request::get(&path).encoded_segment(property).query("page_size", "100");
            if let Some(cursor) = &cursor {
                request = request.query("start_cursor", cursor);
            }
            let Answer { body: rows, .. }: Answer<Rows> = self.http.send(&request).await?;
            let before = known.len();
            for raw in rows.results {
                let item: Node<'_> = serde_json::from_str(raw.get()).map_err(|error| Failure::Unknown {
                    error: format!("Notion sent a value that cannot be read: {error}").into(),
                })?;
                known.insert(format!("{:?}", item[kind]["id"]));
                values.push(item[kind].clone().into_owned());
            }
            let next = rows.next_cursor;
            if !rows.has_more {
                return Ok(values);
            }
            // A page without a new value, or a cursor that was there before, comes to no end.
            if known.len() == before || next.as_ref().is_none_or(|next| !cursors.insert(next.clone())) {
                break;
            }
            cursor = next;
        }
        Err(Failure::Unknown { error: format!("the values of a property of page {page} do not come to an end").into() })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(what: String, failure: Failure) -> Error {
    match failure {
        Failure::Throttled { wait, error, budget } => Error::Budget { wait, error, budget },
        failure if failure.is_refusal() => Error::Refused { what, failure },
        failure if failure.is_elsewhere() => Error::Elsewhere { failure },
        failure => Error::Failed { what, failure },
    }
}

#[cfg(test)]
mod tests;
