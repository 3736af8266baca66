//! Clockify: what time is tracked on, read in two calls and written one object at a time.
//!
//! Localized here: that a PUT resets what it omits (so its body is built from the object as last read), that errors are
//! told apart by status and code and never by text, and that everything can be listed in few calls. Deleting is absent
//! on purpose.

mod duration;
mod entries;
mod kept;
mod listing;
mod marker;
mod paging;
mod reports;
mod row;
mod webhooks;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use tokio::time::Instant;
use url::Url;

use crate::{
    domain::{
        hours::Demands,
        model::{Fetched, Field, Kind, Object, ObjectId, PageId, PerKind, Service, Value},
        plan::READING_CALLS,
        rules::Mapping,
        text::{Raw, Shown},
    },
    edge::http::{Answer, FRESH, Failure, Http, Repeat, Request, YOUNG, shown},
};
use entries::KeptEntry;
use kept::Kept;
pub use reports::{DAYS_MAX, ENTRIES_MAX};
use row::ObjectRow;
pub use webhooks::{Delivery, Webhook};
use wire::{UserRow, Users, WorkspaceRow};

/// Objects that are read each by itself before they are written, at once; more are listed where that costs less.
const READ_AT_ONCE: usize = 6;

/// Who the key belongs to, and the workspace that is kept true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user's id.
    pub user_id: String,
    /// The user's name.
    pub user_name: Raw,
    /// The workspace's id.
    pub workspace_id: String,
    /// The workspace's name.
    pub workspace_name: Raw,
    /// The plan, e.g. `FREE`; an open set.
    pub plan: String,
    /// True where every member may create clients, projects and tasks.
    pub everyone_creates: bool,
    /// What it wants of every time entry.
    pub demands: Demands,
}

impl Identity {
    /// The identity of a user in a workspace.
    pub fn of(user: User, workspace: Workspace) -> Self {
        let Workspace { id, name, plan, everyone_creates, demands } = workspace;
        Self {
            user_id: user.id,
            user_name: user.name,
            workspace_id: id,
            workspace_name: name,
            plan,
            everyone_creates,
            demands,
        }
    }
}

/// Who a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub name: Raw,
}

/// A workspace that a key sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub id: String,
    pub name: Raw,
    /// The plan, e.g. `FREE`; an open set.
    pub plan: String,
    /// True where every member may create clients, projects and tasks.
    pub everyone_creates: bool,
    /// What it wants of every time entry.
    pub demands: Demands,
}

/// Which fields are read of each kind, besides name, parent and state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedFields(pub PerKind<BTreeSet<Field>>);

impl MappedFields {
    /// The mapped fields.
    pub fn of(mapping: &PerKind<Mapping>) -> Self {
        Self(PerKind::from_fn(|kind| mapping[kind].fields.keys().chain(mapping[kind].fixed.keys()).copied().collect()))
    }

    fn users(&self) -> bool {
        self.0.tasks.contains(&Field::Assignees)
    }
}

/// Why Clockify could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key is not accepted.
    #[error("clockify.token is not accepted by {host}: {failure}")]
    Refused {
        /// Who was asked.
        host: String,
        /// The answer.
        failure: Failure,
    },
    /// The key is accepted, but not for this.
    #[error("clockify.token may not read {what} in clockify.workspace: {failure}")]
    Forbidden {
        /// What.
        what: &'static str,
        /// The answer.
        failure: Failure,
    },
    /// What answers is not Clockify's API.
    #[error("clockify.base_url does not lead to Clockify's API: {failure}")]
    Elsewhere {
        /// The answer.
        failure: Failure,
    },
    /// The configured workspace is not among those that the key sees.
    #[error("clockify.workspace is {wanted}, but the key sees only {seen}")]
    NoWorkspace {
        /// What was configured.
        wanted: Shown,
        /// Names and ids.
        seen: String,
    },
    /// Several workspaces fit.
    #[error("clockify.workspace must say which workspace is meant: {seen}")]
    WhichWorkspace {
        /// Names and ids.
        seen: String,
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
    /// Anything else.
    #[error("could not read {what} from Clockify: {failure}")]
    Failed {
        /// What.
        what: &'static str,
        /// Why.
        failure: Failure,
    },
}

impl Error {
    /// True when credentials or the identity were refused.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Forbidden { .. } | Self::NoWorkspace { .. } => true,
            Self::WhichWorkspace { .. } | Self::Budget { .. } | Self::Elsewhere { .. } | Self::Failed { .. } => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused { host, failure } if host == "api.clockify.me" => format!(
                "{}; the key of a regional or sub-domain workspace does not work on {host}: set clockify.base_url to its own host, \
                 e.g. https://euc1.clockify.me/api",
                failure.hint()
            ),
            Self::Refused { failure, .. } | Self::Forbidden { failure, .. } | Self::Failed { failure, .. } => {
                failure.hint().to_owned()
            }
            Self::NoWorkspace { .. } => {
                "set clockify.workspace to one of these ids, or use the key of a member of the workspace; a \
                                         regional or sub-domain workspace needs its own clockify.base_url and key"
                    .to_owned()
            }
            Self::Elsewhere { .. } => {
                "set clockify.base_url to https://api.clockify.me/api, or that of the workspace's region, e.g. \
                 https://euc1.clockify.me/api"
                    .to_owned()
            }
            Self::WhichWorkspace { .. } => "set clockify.workspace to one of these ids".to_owned(),
            Self::Budget { budget: false, .. } => "run again then, or with --now to try at once".to_owned(),
            Self::Budget { .. } => {
                "run again then; new workspaces on the Free plan allow 30 requests an hour".to_owned()
            }
        }
    }
}

/// How a kind was last listed.
#[derive(Clone, Copy, Debug, Default)]
struct Listed {
    /// When it was asked for; nothing where that is too long ago to build on.
    began: Option<Instant>,
    /// How many requests it took.
    calls: usize,
    /// How long that took.
    took: Duration,
}

/// A client of Clockify.
#[derive(Debug)]
pub struct Clockify {
    http: Http,
    /// Where reports are asked for.
    reports: String,
    wanted: MappedFields,
    /// Objects as last read, for the bodies of PUTs.
    rows: Mutex<HashMap<ObjectId, Kept>>,
    /// How each kind was last listed.
    listed: Mutex<PerKind<Listed>>,
    users: Mutex<Option<Arc<Users>>>,
    /// Time entries as last read, for the bodies of bulk edits.
    entries: Mutex<HashMap<ObjectId, KeptEntry>>,
    refuses_estimates: AtomicBool,
    /// The fields of tasks with an estimate that went along with their project, until a listing shows what became of
    /// them; by project and name.
    sent_along: Mutex<HashMap<(ObjectId, String), BTreeMap<Field, Value>>>,
}

impl Clockify {
    /// A client that reads the wanted fields.
    pub fn new(http: Http, wanted: MappedFields) -> Self {
        Self {
            http,
            reports: String::new(),
            wanted,
            rows: Mutex::default(),
            listed: Mutex::default(),
            users: Mutex::default(),
            entries: Mutex::default(),
            refuses_estimates: AtomicBool::default(),
            sent_along: Mutex::default(),
        }
    }

    /// The same with its reports at this address, which the key is sent to as well.
    #[must_use]
    pub fn with_reports(self, reports: &Url) -> Self {
        let base = reports.as_str().trim_end_matches('/');
        Self { reports: base.strip_suffix("/v1").unwrap_or(base).to_owned(), ..self }
    }

    /// The connection, for its counters.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The e-mail addresses of everybody in the workspace, as last read; none where assignees are not mapped, or
    /// somebody may be missing.
    pub fn accounts(&self) -> Option<BTreeSet<Raw>> {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner).clone();
        users.and_then(|users| users.addresses())
    }

    /// True when Clockify has refused an estimate, or not kept one, since this client was made: the plan may have none.
    pub fn refuses_estimates(&self) -> bool {
        self.refuses_estimates.load(Ordering::Relaxed)
    }

    /// Finds out who the key belongs to, and the workspace by its id or exact name; without either, the only one. Two
    /// calls.
    ///
    /// # Errors
    /// [`Error`]; the workspaces that the key sees are named where none or several fit.
    pub async fn identity(&self, workspace: Option<&str>) -> Result<Identity, Error> {
        let (user, workspaces) = (Request::get(&["v1", "user"]), Request::get(&["v1", "workspaces"]));
        let (user, workspaces): (Answer<UserRow>, Answer<Vec<WorkspaceRow>>) =
            tokio::try_join!(self.http.send(&user), self.http.send(&workspaces))
                .map_err(|failure| self.error("the user and workspaces", failure))?;
        let workspaces = workspaces.body.into_iter().map(Workspace::from).collect();
        Ok(Identity::of(user.body.into(), choose(workspaces, workspace)?))
    }

    /// Who the key belongs to; it is the cheapest question that tells whether a key is accepted. One call.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn user(&self) -> Result<User, Error> {
        let answer: Result<Answer<UserRow>, Failure> = self.http.send(&Request::get(&["v1", "user"])).await;
        answer.map(|answer| answer.body.into()).map_err(|failure| self.error("the user", failure))
    }

    /// The workspaces that the key sees. One call.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, Error> {
        let answer: Result<Answer<Vec<WorkspaceRow>>, Failure> =
            self.http.send(&Request::get(&["v1", "workspaces"])).await;
        let rows = answer.map_err(|failure| self.error("the workspaces", failure))?.body;
        Ok(rows.into_iter().map(Workspace::from).collect())
    }

    /// True when the key is that of an owner or admin of the workspace, who sees all projects. One call, and a second
    /// where it is not; a service that refuses the question is taken at its listings' word.
    ///
    /// # Errors
    /// [`Failure`]; nothing can be concluded from it.
    pub async fn is_admin(&self, workspace: &str) -> Result<bool, Failure> {
        // An owner is not counted as an admin, and any of several roles counts (OpenAPI document). The second question
        // is for a service that heeds only one of them.
        for roles in [&["OWNER", "WORKSPACE_ADMIN"][..], &["WORKSPACE_ADMIN"]] {
            let request =
                roles.iter().fold(Request::get(&["v1", "workspaces"]), |request, role| request.query("roles", role));
            let listed: Result<Answer<Vec<WorkspaceRow>>, Failure> = self.http.send(&request).await;
            match listed {
                Ok(answer) if answer.body.iter().any(|row| row.id == workspace) => return Ok(true),
                Ok(_) => {}
                Err(Failure::Rejected { .. }) => return Ok(true),
                Err(failure) => return Err(failure),
            }
        }
        Ok(false)
    }

    /// Creates an object; its note ends with a link to the page that it is marked with. One call, and one more for the
    /// first that has assignees.
    ///
    /// # Errors
    /// [`Failure`]. After [`Failure::Unknown`] it may exist: look it up with [`Clockify::find`], never create it again
    /// blind, since Clockify ignores idempotency keys (live probe, third party).
    pub async fn create(
        &self,
        workspace: &str,
        kind: Kind,
        parent: Option<ObjectId>,
        name: &Raw,
        marker: Option<PageId>,
        fields: &BTreeMap<Field, Value>,
    ) -> Result<Object, Failure> {
        let users = self.users_for(workspace, kind).await?;
        let row = ObjectRow::new(kind, parent, name).with(set(fields), &users)?.marked(marker);
        let created = self.post(workspace, kind, parent, &row, &users, None).await;
        self.heed(fields, &created);
        created
    }

    /// Creates a project with its tasks, each by its name and fields: all of it or nothing. What became of the tasks, and
    /// which ids they have, only a listing shows ([`Clockify::list_under`]). One call, and one more for the first that
    /// has assignees.
    ///
    /// # Errors
    /// As of [`Clockify::create`]. A refusal may be about any of the tasks.
    pub async fn create_with(
        &self,
        workspace: &str,
        client: Option<ObjectId>,
        name: &Raw,
        marker: Option<PageId>,
        fields: &BTreeMap<Field, Value>,
        tasks: &[(&Raw, &BTreeMap<Field, Value>)],
    ) -> Result<Object, Failure> {
        let users = self.users_for(workspace, Kind::Task).await?;
        let row = ObjectRow::new(Kind::Project, client, name).with(set(fields), &users)?.marked(marker);
        let task = |(name, fields): &(&Raw, &BTreeMap<Field, Value>)| {
            Ok(ObjectRow::new(Kind::Task, None, name).with(set(fields), &users)?.create_body())
        };
        let mut body = row.create_body();
        body["tasks"] = tasks.iter().map(task).collect::<Result<serde_json::Value, Failure>>()?;
        let path = collection(workspace, Kind::Project, client)?;
        let request = Request::new(Method::POST, &segments(&path), Some(body), Repeat::Never);
        let created = self.write(&request, Kind::Project, client, &users).await;
        self.heed(fields, &created);
        if let Ok(project) = &created {
            let estimated = tasks.iter().filter(|(_, fields)| fields.contains_key(&Field::Estimate));
            let estimated = estimated.map(|(name, fields)| ((project.id, name.exact().to_owned()), (*fields).clone()));
            self.sent_along.lock().unwrap_or_else(PoisonError::into_inner).extend(estimated);
        }
        created
    }

    /// Creates a task that takes the place of another, which Clockify cannot move: what the fields do not say is as it
    /// is there, the rates included, as last read: within five seconds of that it leaves, or not at all. One call, one
    /// more for each rate, and those of [`Clockify::create`].
    ///
    /// # Errors
    /// As of [`Clockify::create`]; where a rate cannot be set, the task exists without it. After [`Failure::Outdated`],
    /// [`Clockify::observe`] the other task and try again.
    pub async fn create_like(
        &self,
        workspace: &str,
        like: ObjectId,
        project: Option<ObjectId>,
        name: &Raw,
        fields: &BTreeMap<Field, Value>,
    ) -> Result<Object, Failure> {
        let kind = Kind::Task;
        let users = self.users_for(workspace, kind).await?;
        let (other, read) = self.kept(like)?;
        let row = ObjectRow::new(kind, project, name).like(&other).with(fields, &users)?;
        let created = self.post(workspace, kind, project, &row, &users, Some(read + FRESH)).await;
        self.heed(fields, &created);
        let mut object = created?;
        let has = self.rows().get(&object.id).and_then(Kept::row).map(|row| row.rates()).unwrap_or_default();
        let mut path = collection(workspace, kind, project)?;
        path.push(object.id.to_string());
        for (rate, amount) in row.rates().into_iter().filter(|rate| !has.contains(rate)) {
            let path = [segments(&path), vec![rate]].concat();
            let request = Request::new(Method::PUT, &path, Some(json!({"amount": amount})), Repeat::Never);
            object = self.write(&request, kind, project, &users).await.map_err(|failure| Failure::Unknown {
                error: format!(
                    "created as {}, but its {} could not be set: {failure}",
                    object.id,
                    rate.replace('-', " ")
                )
                .into(),
            })?;
        }
        Ok(object)
    }

    async fn post(
        &self,
        workspace: &str,
        kind: Kind,
        parent: Option<ObjectId>,
        row: &ObjectRow,
        users: &Users,
        not_after: Option<Instant>,
    ) -> Result<Object, Failure> {
        let path = collection(workspace, kind, parent)?;
        let mut request = Request::new(Method::POST, &segments(&path), Some(row.create_body()), Repeat::Never);
        if let Some(limit) = not_after {
            request = request.not_after(limit);
        }
        self.write(&request, kind, parent, users).await
    }

    /// Changes fields of an object, and nothing else: the body is the object as last read with these fields set, and it
    /// leaves within five seconds of that reading or not at all. One call; two for a project whose estimate changes
    /// together with other fields, since the estimate has a request of its own.
    ///
    /// The answer is the object as it is now: compare it with what was wanted.
    ///
    /// # Errors
    /// [`Failure`]. After [`Failure::Outdated`], [`Clockify::observe`] the object and try again; after
    /// [`Failure::Unknown`], read it. When the second of two calls fails, the first has happened; doing both again
    /// changes nothing.
    pub async fn update(
        &self,
        workspace: &str,
        kind: Kind,
        object: ObjectId,
        fields: &BTreeMap<Field, Value>,
    ) -> Result<Object, Failure> {
        let users = self.users_for(workspace, kind).await?;
        let (before, read) = self.kept(object)?;
        let parent = before.project().and_then(|project| project.parse().ok());
        let mut path = collection(workspace, kind, parent)?;
        path.push(object.to_string());
        let is_estimate = |field: Field| kind == Kind::Project && field == Field::Estimate;

        let mut now = None;
        if fields.keys().any(|&field| !is_estimate(field)) {
            let others = fields.iter().filter(|(field, _)| !is_estimate(**field));
            let body = before.clone().with(others, &users)?.body(&before);
            let request =
                Request::new(Method::PUT, &segments(&path), Some(body), Repeat::Never).not_after(read + FRESH);
            let answer = self.write(&request, kind, parent, &users).await;
            if kind == Kind::Task {
                self.heed(fields, &answer);
            }
            now = Some(answer?);
        }
        if let Some((field, value)) = fields.iter().find(|(field, _)| is_estimate(**field)) {
            let (row, read) = self.kept(object)?;
            let body = row.with([(field, value)], &users)?.estimate_body();
            path.push("estimate".to_owned());
            let request =
                Request::new(Method::PATCH, &segments(&path), Some(body), Repeat::Never).not_after(read + FRESH);
            let answer = self.write(&request, kind, parent, &users).await;
            self.heed(fields, &answer);
            now = Some(answer.map_err(|failure| match (failure, &now) {
                (Failure::Outdated, Some(_)) => Failure::Unknown {
                    error:
                        "its other fields were written, and then its estimate had to wait too long".to_owned().into(),
                },
                (failure, _) => failure,
            })?);
        }
        now.ok_or_else(|| impossible("there is nothing to change"))
    }

    /// Looks for objects by name under a parent, active and closed ones. One call.
    ///
    /// # Errors
    /// [`Failure`]; nothing can be concluded from it.
    pub async fn find(
        &self,
        workspace: &str,
        kind: Kind,
        parent: Option<ObjectId>,
        name: &Raw,
    ) -> Result<Vec<Object>, Failure> {
        let users = self.users_for(workspace, kind).await?;
        let path = collection(workspace, kind, parent)?;
        let mut request = Request::get(&segments(&path)).query("name", name.exact()).query("page-size", "5000");
        if kind != Kind::Client {
            // Clients have no such parameter (OpenAPI document): the name is a part to look for there.
            request = request.query("strict-name-search", "true");
        }
        let rows: Answer<Vec<Box<RawValue>>> = self.http.send(&request).await?;
        let mut found = Vec::new();
        for json in rows.body {
            let object = self.keep(kind, parent, &json, &users, None)?;
            if object.name.canonical() == name.canonical() && object.parent == parent {
                found.push(object);
            }
        }
        Ok(found)
    }

    /// Reads one object; nothing when Clockify does not show it. That proves little: an id of another workspace, a
    /// deleted one and a wrong one are answered alike, with 400 and code 501 (live probe, third party).
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn read(
        &self,
        workspace: &str,
        kind: Kind,
        object: ObjectId,
        parent: Option<ObjectId>,
    ) -> Result<Option<Object>, Failure> {
        let users = self.users_for(workspace, kind).await?;
        let parent = parent.or_else(|| self.rows().get(&object)?.row()?.project()?.parse().ok());
        let mut path = collection(workspace, kind, parent)?;
        path.push(object.to_string());
        let began = Instant::now();
        let answer: Result<Answer<Box<RawValue>>, Failure> = self.http.send(&Request::get(&segments(&path))).await;
        match answer {
            Ok(answer) => self.keep(kind, parent, &answer.body, &users, Some(began)).map(Some),
            Err(Failure::Rejected { status: 400, code: Some(code), .. }) if code == "501".into() => Ok(None),
            Err(failure) if failure.has_status(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// True while an object was read so lately that a write can be built on it.
    pub fn is_fresh(&self, object: ObjectId) -> bool {
        self.rows().get(&object).and_then(|kept| kept.read).is_some_and(|read| read.elapsed() < YOUNG)
    }

    /// Lets all that was read count as too old to build on, for tests.
    pub(crate) fn grow_old(&self) {
        self.rows().values_mut().for_each(|kept| kept.read = None);
        self.kept_entries().values_mut().for_each(KeptEntry::grow_old);
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in Kind::ALL {
            listed[kind].began = None;
        }
    }

    /// True when all objects of a kind were listed so lately that a create can rest on it.
    pub fn was_just_listed(&self, kind: Kind) -> bool {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)[kind]
            .began
            .is_some_and(|began| began.elapsed() < YOUNG)
    }

    /// Lists one kind again, of tasks those of some projects where that costs less.
    ///
    /// # Errors
    /// [`Failure`]; nothing can be concluded from it.
    pub async fn list_under(
        &self,
        workspace: &str,
        kind: Kind,
        parents: &[Option<ObjectId>],
    ) -> Result<Fetched<Object>, Failure> {
        let projects: BTreeSet<ObjectId> = parents.iter().copied().flatten().collect();
        let calls = self.listed.lock().unwrap_or_else(PoisonError::into_inner)[kind].calls;
        let by_project = kind == Kind::Task && projects.len() <= calls;
        let projects: Vec<ObjectId> = projects.into_iter().filter(|_| by_project).collect();
        self.list_again(workspace, kind, &projects).await
    }

    /// Reads objects of one kind again before they are written, by the cheapest way: few each by itself, many by a
    /// listing. Of those that are read each by itself only the first are; the rest is to be asked for again when these
    /// were written. Nothing stands for an object that Clockify does not show any more.
    pub async fn observe(
        &self,
        workspace: &str,
        kind: Kind,
        objects: &[ObjectId],
    ) -> Vec<(ObjectId, Result<Option<Object>, Failure>)> {
        if let Some(projects) = self.pays_to_list(kind, objects) {
            return match self.list_again(workspace, kind, &projects).await {
                Ok(listed) => {
                    let found = |object: &ObjectId| listed.get(*object).cloned();
                    // What a listing does not show is not known to be gone: it is asked for by its id.
                    let shown = objects.iter().filter_map(|object| Some((*object, Ok(Some(found(object)?)))));
                    let shown: Vec<_> = shown.collect();
                    if shown.is_empty() { self.read_each(workspace, kind, objects).await } else { shown }
                }
                Err(failure) => objects.iter().map(|object| (*object, Err(failure.clone()))).collect(),
            };
        }
        self.read_each(workspace, kind, objects).await
    }

    async fn read_each(
        &self,
        workspace: &str,
        kind: Kind,
        objects: &[ObjectId],
    ) -> Vec<(ObjectId, Result<Option<Object>, Failure>)> {
        let reads = objects.iter().take(READ_AT_ONCE);
        join_all(reads.map(|&object| async move { (object, self.read(workspace, kind, object, None).await) })).await
    }

    /// The projects whose tasks are to be listed, or none for a listing of all, where listing costs less than reading
    /// each by itself.
    fn pays_to_list(&self, kind: Kind, objects: &[ObjectId]) -> Option<Vec<ObjectId>> {
        let few = if self.http.is_hourly() { 1 } else { READ_AT_ONCE };
        if objects.len() <= few {
            return None;
        }
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner)[kind];
        let mut projects = BTreeSet::new();
        if kind == Kind::Task {
            let rows = self.rows();
            let project = |object: &ObjectId| rows.get(object)?.row()?.project()?.parse::<ObjectId>().ok();
            projects.extend(objects.iter().filter_map(project));
        }
        // A listing that takes as long as what it shows stays fresh is of no use.
        let by_project = kind == Kind::Task && (projects.len() <= listed.calls || listed.took > YOUNG / 2);
        let calls = if by_project { projects.len() } else { listed.calls };
        let pays = calls > 0 && calls < objects.len() && (by_project || listed.took <= YOUNG / 2);
        pays.then(|| if by_project { projects.into_iter().collect() } else { Vec::new() })
    }

    /// The object as it was last read, and when: what is built on it must leave before that is [`FRESH`] ago.
    fn kept(&self, object: ObjectId) -> Result<(ObjectRow, Instant), Failure> {
        let kept = self.rows().get(&object).cloned();
        kept.and_then(|kept| Some((kept.row()?, kept.read?))).ok_or(Failure::Outdated)
    }

    async fn write(
        &self,
        request: &Request,
        kind: Kind,
        parent: Option<ObjectId>,
        users: &Users,
    ) -> Result<Object, Failure> {
        let began = Instant::now();
        let answer: Answer<Box<RawValue>> = self.http.send(request).await?;
        self.keep(kind, parent, &answer.body, users, Some(began))
    }

    /// Notes where an estimate that was sent is refused or not kept.
    fn heed(&self, fields: &BTreeMap<Field, Value>, answer: &Result<Object, Failure>) {
        let is_gone = match answer {
            Ok(object) => object.values.get(Field::Estimate) == Some(&Value::Empty),
            Err(failure) => failure.has_status(403),
        };
        if is_gone && matches!(fields.get(&Field::Estimate), Some(Value::Seconds(_))) {
            self.refuses_estimates.store(true, Ordering::Relaxed);
        }
    }

    /// Notes what became of a task that went along with its project, where that is seen for the first time.
    fn heed_listed(&self, task: &Object) {
        let mut sent = self.sent_along.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(project) = task.parent.filter(|_| !sent.is_empty()) else { return };
        if let Some(fields) = sent.remove(&(project, task.name.exact().to_owned())) {
            self.heed(&fields, &Ok(task.clone()));
        }
    }

    /// Keeps a row that was read at some time, and makes an object of it. Without a time it is no better than what is
    /// kept already.
    fn keep(
        &self,
        kind: Kind,
        parent: Option<ObjectId>,
        json: &RawValue,
        users: &Users,
        read: Option<Instant>,
    ) -> Result<Object, Failure> {
        let unreadable = |error: String| Failure::Unknown {
            error: format!("Clockify answered with a {kind} that cannot be read: {}", shown(&error)).into(),
        };
        let row =
            row::row(kind, json.get().as_bytes()).map_err(|error| unreadable(error.to_string()))?.into_kept(parent);
        let object = row.object(&self.wanted.0[kind], users).map_err(|error| unreadable(error.to_string()))?;
        let kept = Kept::new(&row, read);
        match read {
            Some(_) => drop(self.rows().insert(object.id, kept)),
            None => drop(self.rows().entry(object.id).or_insert(kept)),
        }
        Ok(object)
    }

    /// The people, if this kind's mapped fields need them; asked for once.
    async fn users_for(&self, workspace: &str, kind: Kind) -> Result<Arc<Users>, Failure> {
        if kind != Kind::Task || !self.wanted.users() {
            return Ok(Arc::default());
        }
        let known = self.users.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(users) => Ok(users),
            None => self.read_users(workspace).await,
        }
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<ObjectId, Kept>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_entries(&self) -> MutexGuard<'_, HashMap<ObjectId, KeptEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a run that the budget of the hour has no room for.
    ///
    /// # Errors
    /// [`Error::Budget`]
    pub fn room_to_read(&self) -> Result<(), Error> {
        self.http.room_for(READING_CALLS as usize).map_err(|failure| self.error("both sides", failure))
    }

    /// Why something of this could not be read.
    pub(crate) fn error(&self, what: &'static str, failure: Failure) -> Error {
        match failure {
            Failure::Throttled { wait, error, budget } => Error::Budget { wait, error, budget },
            failure if failure.has_status(401) => Error::Refused { host: self.http.host().to_owned(), failure },
            failure if failure.has_status(403) => Error::Forbidden { what, failure },
            failure if failure.is_elsewhere() => Error::Elsewhere { failure },
            failure => Error::Failed { what, failure },
        }
    }
}

/// The path of a kind's objects.
fn collection(workspace: &str, kind: Kind, parent: Option<ObjectId>) -> Result<Vec<String>, Failure> {
    let mut path: Vec<String> = ["v1", "workspaces", workspace].map(str::to_owned).into();
    match (kind, parent) {
        (Kind::Client | Kind::Project, _) => path.push(kind.plural().to_owned()),
        (Kind::Task, Some(project)) => path.extend(["projects".to_owned(), project.to_string(), "tasks".to_owned()]),
        (Kind::Task, None) => {
            return Err(impossible("a task is reached through its project, which is not known"));
        }
    }
    Ok(path)
}

/// What a new object is given besides its name and its parent: what is unset is no instruction.
fn set(fields: &BTreeMap<Field, Value>) -> impl Iterator<Item = (&Field, &Value)> {
    fields.iter().filter(|(field, value)| !matches!(field, Field::Name | Field::Parent) && **value != Value::Empty)
}

/// A request that is found impossible before it is sent.
fn impossible(message: impl Into<Shown>) -> Failure {
    Failure::impossible(Service::Clockify, message)
}

fn segments(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self { id: row.id, name: row.name.into() }
    }
}

impl From<WorkspaceRow> for Workspace {
    fn from(row: WorkspaceRow) -> Self {
        let (everyone_creates, demands) = (row.lets_everyone_create(), row.demands());
        let WorkspaceRow { id, name, feature_subscription_type: plan, workspace_settings: _ } = row;
        Self { id, name: name.into(), plan, everyone_creates, demands }
    }
}

/// The workspace of an id or exact name; without either, the only one.
///
/// # Errors
/// [`Error`], which names those that there are.
pub fn choose(workspaces: Vec<Workspace>, wanted: Option<&str>) -> Result<Workspace, Error> {
    let named = |workspaces: &[Workspace]| -> String {
        let names: Vec<String> =
            workspaces.iter().map(|row| format!("{} ({})", row.name.shown(), Shown::of(&row.id))).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    let wanted = wanted.map(str::trim).filter(|wanted| !wanted.is_empty());
    let seen = named(&workspaces);
    let mut fitting: Vec<Workspace> = match wanted {
        None => workspaces,
        Some(wanted) => {
            let (by_id, others): (Vec<_>, Vec<_>) = workspaces.into_iter().partition(|row| row.id == wanted);
            if by_id.is_empty() { others.into_iter().filter(|row| row.name.exact() == wanted).collect() } else { by_id }
        }
    };
    match (fitting.pop(), wanted) {
        (Some(only), _) if fitting.is_empty() => Ok(only),
        (Some(last), _) => {
            fitting.push(last);
            Err(Error::WhichWorkspace { seen: named(&fitting) })
        }
        (None, wanted) => Err(Error::NoWorkspace { wanted: Shown::of(wanted.unwrap_or("not set")), seen }),
    }
}

#[cfg(test)]
mod tests;
