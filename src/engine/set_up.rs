//! Setting up: from two tokens to a configuration. A face asks in between; nothing is written before it says so.
//!
//! ```text
//! begin ─ notion, clockify ─ tables ─ Discovery ─┬─ complete (what is missing) ─┬─ text ─ make the file
//!                                                └─ from_template ──────────────┘
//! ```

mod text;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};
use url::Url;

use super::{
    failure::{Code, RunError},
    session::{Established, Progress, SessionError, Watch},
};
use crate::{
    domain::{
        discovery::{Column, Discovery, Fit, Table, fit},
        model::{Kind, PageId, PerKind, Service},
        rules::{IdStrategy, Mapping},
        text::{Raw, Shown},
    },
    edge::{
        clockify::{self, Clockify, MappedFields, User, Workspace},
        config::{
            Loader, Settings,
            first::{Place, Unfit},
        },
        environment::Environment,
        http::{Auth, Http, Options, Proxy, is_loopback},
        notion::{self, FoundSource, Notion, Source},
        secrets::{self, Readings, SecretReference},
    },
};

pub use text::Answers;

/// The variables that people keep a Notion token in: that of Notion's own command line first.
pub const NOTION_VARIABLES: [&str; 2] = ["NOTION_API_TOKEN", "NOTION_TOKEN"];
/// The variables that people keep a Clockify key in.
pub const CLOCKIFY_VARIABLES: [&str; 1] = ["CLOCKIFY_API_KEY"];
/// Searches for data sources, of a hundred each: in a larger workspace it is said which are meant.
const SEARCHES_MAX: usize = 3;
/// Requests an hour that Clockify allows on its free plan.
const FREE_REQUESTS_PER_HOUR: u32 = 30;
/// The databases that can be made.
const TEMPLATE: &str = include_str!("../../assets/notion-template.json");
/// What stands there for the data source of the parents.
const PARENT: &str = "PARENT";
/// Other places than Clockify's to ask for a key: on this machine alone, for trying things out.
const REGIONS_VARIABLE: &str = "PUNCHLIST_REGIONS";

/// Where Clockify keeps workspaces (Clockify docs): the API of each region.
const REGIONS: [&str; 5] = [
    "https://api.clockify.me/api",
    "https://euc1.clockify.me/api",
    "https://use2.clockify.me/api",
    "https://euw2.clockify.me/api",
    "https://apse2.clockify.me/api",
];

/// A set-up under way.
pub struct SetUp {
    place: Place,
    /// What the environment and the flags say.
    pub settings: Settings,
    environment: Environment,
    watch: Watch,
    /// Data sources as they were last read.
    sources: Mutex<BTreeMap<PageId, Source>>,
}

/// Clockify as it was found.
pub struct Home {
    pub clockify: Clockify,
    pub base_url: Url,
    /// Where the reports of that region are; nothing for what the defaults or the settings say.
    pub reports_url: Option<Url>,
    /// Who the key belongs to.
    pub user: User,
}

impl SetUp {
    /// Begins, unless there is a configuration already or somebody else makes one. Nothing is written.
    ///
    /// # Errors
    /// Where no configuration can be made, or the environment or a flag says something wrong; [`Unfit::Exists`] comes
    /// as it is.
    pub fn begin(loader: &Loader, watch: Watch) -> Result<Result<Self, Unfit>, RunError> {
        let file = loader.place().ok_or_else(|| {
            RunError::new(Code::Configuration, "there is no home directory to keep the configuration in")
                .hint("name a file with --config FILE")
        })?;
        let place = match Place::take(&file) {
            Ok(place) => place,
            Err(exists @ Unfit::Exists(_)) => return Ok(Err(exists)),
            Err(unfit) => return Err(unfit.into()),
        };
        let settings = loader.load_without_file()?;
        Ok(Ok(Self { place, settings, environment: loader.environment.clone(), watch, sources: Mutex::default() }))
    }

    /// Where the configuration will be.
    pub fn file(&self) -> &Path {
        self.place.file()
    }

    /// The first of some variables that is set.
    pub fn variable(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.environment.get(name).is_some())
    }

    /// The secret of a reference.
    ///
    /// # Errors
    /// [`Code::Refused`] where it cannot be had.
    pub async fn secret(&self, reference: &SecretReference) -> Result<SecretString, RunError> {
        Ok(secrets::resolve(reference, &self.environment, &Readings::default()).await?)
    }

    /// Keeps a secret where a reference says.
    ///
    /// # Errors
    /// [`Code::Refused`] where it cannot be kept there.
    pub async fn keep(&self, reference: &SecretReference, secret: &SecretString) -> Result<secrets::Lasting, RunError> {
        Ok(secrets::keep(reference, secret, &self.environment).await?)
    }

    /// A client of Notion, and whose the token is. One call.
    ///
    /// # Errors
    /// [`Code::Refused`] where the token is not accepted.
    pub async fn notion(&self, token: &SecretString) -> Result<(Notion, notion::Identity), RunError> {
        let settings = &self.settings.notion;
        let mut options = self.options(Service::Notion, &settings.base_url, Auth::bearer(token));
        options.headers = vec![("Notion-Version", settings.api_version.clone())];
        let notion = Notion::new(Http::new(options)?, Mapping::n8n(), IdStrategy::Property);
        let identity = notion.identity().await.map_err(of_notion)?;
        Ok((notion, identity))
    }

    /// Clockify where it accepts the key: where it is configured, else the first of its regions that does. One call,
    /// or one for each region.
    ///
    /// # Errors
    /// [`Code::Refused`] where none accepts it.
    pub async fn clockify(&self, key: &SecretString) -> Result<Home, RunError> {
        let configured = &self.settings.clockify.base_url;
        if self.settings.given.contains_key("clockify.base_url") {
            return self.home(key, configured, None).await?.map_err(of_clockify);
        }
        let mut unreached = None;
        for base_url in self.regions() {
            let reports_url = (base_url != *configured).then(|| reports_of(&base_url)).flatten();
            match self.home(key, &base_url, reports_url).await? {
                Ok(home) => return Ok(home),
                // A key is known in its own region alone.
                Err(clockify::Error::Refused { .. } | clockify::Error::Forbidden { .. }) => {}
                Err(error) => unreached = unreached.or(Some(error)),
            }
        }
        Err(match unreached {
            Some(error) => of_clockify(error),
            None => RunError::new(Code::Refused, "no region of Clockify accepts the key").hint(
                "make a new API key in Clockify's profile settings; a workspace with a sub-domain of its own takes only a key \
                 made there, and PUNCHLIST__CLOCKIFY__BASE_URL=https://NAME.clockify.me/api",
            ),
        })
    }

    async fn home(
        &self,
        key: &SecretString,
        base_url: &Url,
        reports_url: Option<Url>,
    ) -> Result<Result<Home, clockify::Error>, RunError> {
        let options = self.options(Service::Clockify, base_url, Auth::api_key(key));
        let clockify = Clockify::new(Http::new(options)?, MappedFields::default());
        let user = clockify.user().await;
        Ok(user.map(|user| Home { clockify, base_url: base_url.clone(), reports_url, user }))
    }

    /// Where to ask for a key. Addresses of other machines than this one are left out of what the environment says.
    fn regions(&self) -> Vec<Url> {
        let parsed = |url: &str| Url::parse(url.trim()).ok();
        match self.environment.get(REGIONS_VARIABLE) {
            Some(urls) => urls.split(',').filter_map(parsed).filter(is_loopback).collect(),
            None => REGIONS.into_iter().filter_map(parsed).collect(),
        }
    }

    fn options(&self, service: Service, base_url: &Url, auth: Auth) -> Options {
        let watch = Arc::clone(&self.watch);
        let sink = Arc::new(move |exchange| watch(Progress::Exchanged(exchange)));
        let mut options = Options::new(service, base_url.clone(), auth, sink);
        options.proxy = Proxy::of_environment(|name| self.environment.get(name).map(str::to_owned));
        options
    }

    /// The workspaces that the key sees. One call.
    ///
    /// # Errors
    /// What Clockify says.
    pub async fn workspaces(&self, home: &Home) -> Result<Vec<Workspace>, RunError> {
        home.clockify.workspaces().await.map_err(of_clockify)
    }

    /// The workspace of an id or exact name; without either, the only one.
    ///
    /// # Errors
    /// [`Code::Refused`] where there is none, [`Code::Error`] where there are several; both are named.
    pub fn choose(workspaces: Vec<Workspace>, wanted: Option<&str>) -> Result<Workspace, RunError> {
        clockify::choose(workspaces, wanted).map_err(of_clockify)
    }

    /// How many requests an hour a plan allows; nothing where it does not say.
    pub fn requests_per_hour(&self, workspace: &Workspace) -> Option<u32> {
        let configured = self.settings.clockify.requests_per_hour.map(std::num::NonZeroU32::get);
        configured.or((workspace.plan == "FREE").then_some(FREE_REQUESTS_PER_HOUR))
    }

    /// What the token sees in Notion: with it what the settings name, though a search does not show it yet. One call
    /// for a hundred data sources.
    ///
    /// # Errors
    /// What Notion says; of what the settings name, too.
    pub async fn tables(&self, notion: &Notion) -> Result<Vec<Table>, RunError> {
        let mut tables: Vec<Table> = Vec::new();
        let mut after = None;
        for _ in 0..SEARCHES_MAX {
            let (found, next) = self.search(notion, after.as_deref()).await?;
            tables.extend(
                found.into_iter().filter(|new| !tables.iter().any(|known| known.id == new.id)).collect::<Vec<_>>(),
            );
            after = next;
            if after.is_none() || self.discover(&tables).is_clear() {
                break;
            }
        }
        let chosen = &self.settings.notion.data_sources;
        for kind in Kind::ALL {
            let is_known = |id: PageId| tables.iter().any(|table| table.id == id || table.database == Some(id));
            if let Some(id) = chosen[kind].filter(|id| !is_known(*id)) {
                tables.push(self.table(notion, kind, &id.to_string()).await.map_err(of_notion)?);
            }
        }
        Ok(tables)
    }

    async fn search(&self, notion: &Notion, after: Option<&str>) -> Result<(Vec<Table>, Option<String>), RunError> {
        let (found, next) = notion.find_sources(after).await.map_err(of_notion)?;
        let table = |FoundSource { source, database, page, created: _ }| Table { database, page, ..self.read(source) };
        Ok((found.into_iter().map(table).collect(), next))
    }

    /// The table that a reference means, whatever its columns are. Up to three calls.
    ///
    /// # Errors
    /// What Notion says.
    pub async fn table(&self, notion: &Notion, kind: Kind, reference: &str) -> Result<Table, notion::Error> {
        Ok(self.read(notion.find_source(kind, reference).await?))
    }

    /// A data source as a table; it need not be read again for the first plan.
    fn read(&self, source: Source) -> Table {
        let column = |property: &notion::Property| Column {
            name: property.name.clone(),
            kind: property.kind.clone(),
            options: property.options.clone(),
            groups: property.groups.clone(),
            target: property.relation_target,
        };
        let columns = source.properties.iter().map(column).collect();
        let table = Table { id: source.data_source, database: None, page: None, title: source.title.clone(), columns };
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).insert(table.id, source);
        table
    }

    /// What the tables look like, given what the settings name.
    pub fn discover(&self, tables: &[Table]) -> Discovery {
        Discovery::of(tables, &self.settings.notion.data_sources)
    }

    /// Adds columns to a table. One call.
    ///
    /// # Errors
    /// What Notion says.
    pub async fn add(&self, notion: &Notion, table: &Table, columns: &Map<String, Json>) -> Result<Table, RunError> {
        let changed = self.read(notion.add_columns(table, columns).await.map_err(of_notion)?);
        Ok(Table { page: table.page, database: table.database, ..changed })
    }

    /// Makes the three databases on a page, with a few rows; those that are on it already are taken as they are. One
    /// call for each thing.
    ///
    /// # Errors
    /// What Notion says; what was made by then is found again by the next.
    pub async fn from_template(
        &self,
        notion: &Notion,
        page: PageId,
        say: &mut dyn FnMut(&str) -> Result<(), RunError>,
    ) -> Result<PerKind<Table>, RunError> {
        let template: Json = serde_json::from_str(TEMPLATE)
            .map_err(|error| RunError::new(Code::Error, format!("the template cannot be read: {error}")))?;
        let (seen, _) = self.search(notion, None).await?;
        let mut made: PerKind<Option<Table>> = PerKind::default();
        let mut last_row = None;
        for kind in Kind::ALL {
            let Json::Object(wanted) = &template[kind.plural()] else { continue };
            let title = wanted["title"].as_str().unwrap_or_default();
            let parent = kind.parent().and_then(|parent| made[parent].as_ref()).map(|table| table.id);
            let is_there = |table: &&Table| {
                table.page == Some(page)
                    && table.title.exact() == title
                    && fit(kind, table, parent.and_then(|id| seen.iter().find(|table| table.id == id)))
                        .is_of_template(kind)
            };
            if let Some(table) = seen.iter().find(is_there) {
                say(&format!("{title} is there already\n"))?;
                made[kind] = Some(table.clone());
                last_row = None;
                continue;
            }
            let columns = with_parent(&wanted["columns"], parent);
            let id = notion.create_database(page, title, &columns).await.map_err(of_notion)?;
            say(&format!("{title} made\n"))?;
            // Below rows that are not ours, examples would be in the way.
            let above = last_row.take();
            for row in wanted["rows"].as_array().into_iter().flatten().filter_map(Json::as_str) {
                if kind.parent().is_some() && above.is_none() {
                    continue;
                }
                let row = notion.create_row(id, &example(kind, row, above)).await.map_err(of_notion)?;
                last_row = Some(row);
            }
            let table = Table { id, database: None, page: Some(page), title: title.into(), columns: Vec::new() };
            made[kind] = Some(table);
        }
        let PerKind { clients: Some(clients), projects: Some(projects), tasks: Some(tasks) } = made else {
            return Err(RunError::new(Code::Error, "the template lacks a kind"));
        };
        Ok(PerKind { clients, projects, tasks })
    }

    /// How a table of the template plays its part.
    pub fn template_fit(kind: Kind) -> Fit {
        let Mapping { id, parent, closed, .. } = Mapping::n8n()[kind].clone();
        Fit { id: Some(id.into()), parent: parent.map(Raw::from), closed, fields: std::collections::BTreeMap::new() }
    }

    /// Writes the configuration. What the first plan need not ask for again; nothing where a table was made just now,
    /// and not read yet.
    ///
    /// # Errors
    /// Where it cannot be written; there is none then.
    pub fn make(
        &self,
        answers: &Answers,
        notion: notion::Identity,
        user: User,
    ) -> Result<Option<Established>, RunError> {
        self.place.make(&text::text(answers, &self.settings, &Loader::default().load_without_file()?))?;
        let mut read = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut source = |kind: Kind| {
            let id = answers.tables[kind].id;
            read.remove(&id).map(|source| Source { reference: id.to_string(), ..source })
        };
        let sources = (source(Kind::Client), source(Kind::Project), source(Kind::Task));
        let (Some(clients), Some(projects), Some(tasks)) = sources else { return Ok(None) };
        Ok(Some(Established {
            notion_workspace: notion.workspace_id,
            notion_name: notion.workspace_name,
            sources: PerKind { clients, projects, tasks },
            identity: clockify::Identity::of(user, answers.workspace.clone()),
        }))
    }
}

/// The columns that a kind lacks, as they can be added: the ID, the relation to the parents, and what closes a row. A
/// name that the table has is left out: adding it again would change what is there.
pub fn missing(kind: Kind, table: &Table, fit: &Fit, parents: Option<PageId>) -> Map<String, Json> {
    let template: Json = serde_json::from_str(TEMPLATE).unwrap_or_default();
    let columns = with_parent(&template[kind.plural()]["columns"], parents);
    let Mapping { id, parent, closed, .. } = Mapping::n8n()[kind].clone();
    let wanted = [
        (fit.id.is_none(), Some(id)),
        (fit.parent.is_none() && parents.is_some(), parent),
        (fit.closed.is_none(), closed.map(|closed| closed.property)),
    ];
    let has = |name: &str| table.columns.iter().any(|column| column.name.canonical().as_str() == name);
    let lacking = wanted.into_iter().filter_map(|(lacks, name)| name.filter(|name| lacks && !has(name)));
    lacking.map(|name| (name.clone(), columns[&name].clone())).collect()
}

/// Columns that relate to the data source of the parents.
fn with_parent(columns: &Json, parent: Option<PageId>) -> Json {
    let mut columns = columns.clone();
    for column in columns.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(target) = column.pointer_mut("/relation/data_source_id").filter(|target| **target == PARENT) {
            *target = json!(parent.map(|id| id.to_string()));
        }
    }
    columns
}

/// A row of the template.
fn example(kind: Kind, name: &str, above: Option<PageId>) -> Json {
    let mut row = json!({"Name": {"title": [{"text": {"content": name}}]}});
    if let (Some(parent), Some(above)) = (&Mapping::n8n()[kind].parent, above) {
        row[parent] = json!({"relation": [{"id": above.to_string()}]});
    }
    row
}

/// The reports of a region (Clockify docs): beside its API.
fn reports_of(base_url: &Url) -> Option<Url> {
    Url::parse(&format!("{}report", base_url.as_str().strip_suffix("api")?)).ok()
}

fn of_notion(error: notion::Error) -> RunError {
    SessionError::from(error).into()
}

fn of_clockify(error: clockify::Error) -> RunError {
    SessionError::from(error).into()
}

impl From<Unfit> for RunError {
    fn from(unfit: Unfit) -> Self {
        Self::new(Code::Configuration, Shown::of(&unfit.to_string()).as_str()).hint(unfit.hint())
    }
}
