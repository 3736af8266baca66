//! Lists everything in a workspace: two calls, as long as hydrated projects carry their tasks and there are no more
//! than 500 of them.

use std::{
    collections::HashSet,
    future::ready,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::{
    Clockify, Error,
    kept::Kept,
    paging::{Paging, SIZE_CARRYING, SIZE_MAX},
    row::ObjectRow,
    wire::{ClientRow, HasId, ProjectRow, TaskRow, UserRow, Users},
};
use crate::{
    domain::{
        model::{Fetched, Kind, Object, ObjectId, Problem, Snapshot, Walk, Weight},
        text::Shown,
    },
    edge::http::{Answer, Failure, Request, shown},
};

/// Pages read of one listing, those that turned out too large included: a million rows in pages of some megabytes.
const PAGES_MAX: usize = 250;
/// Projects in a row whose tasks cannot be listed before the others are not tried.
const TASK_LISTINGS_FAILED_MAX: usize = 3;
/// Task listings under way at once, where projects do not carry their tasks.
const TASK_LISTINGS_AT_ONCE: usize = 4;

/// Told how many rows of a kind were read.
type OnRows<'a> = &'a (dyn Fn(Kind, usize) + Sync);

/// What one walk through the pages of a listing gave.
pub(super) struct Walked<T> {
    rows: Vec<T>,
    spoiled: Option<String>,
    /// When the first of them were asked for.
    began: Instant,
    /// Requests that it took.
    calls: usize,
}

impl Clockify {
    /// Reads all clients, projects and tasks, active and closed ones: omitting `archived` means both (live probe, third
    /// party). Two calls; one more if assignees are mapped; and one for each project whose row has no tasks.
    ///
    /// # Errors
    /// [`Error`] where clients, projects or users cannot be listed. A project whose tasks cannot be listed spoils the
    /// tasks alone, unless the reason concerns them all.
    pub async fn fetch(
        &self,
        workspace: &str,
        progress: OnRows<'_>,
    ) -> Result<(Snapshot<Object>, Vec<Problem>), Error> {
        let clients =
            async { self.read_clients(workspace, progress).await.map_err(|failure| self.error("clients", failure)) };
        let projects = async {
            self.read_projects(workspace, progress).await.map_err(|failure| self.error("projects and tasks", failure))
        };
        let users = async {
            if !self.wanted.users() {
                return Ok(Arc::default());
            }
            let users = self.read_users(workspace).await;
            users.map_err(|failure| self.error("users", failure))
        };
        let (clients, (projects, tasks), users) = tokio::try_join!(clients, projects, users)?;

        let mut problems = Vec::new();
        let snapshot = Snapshot {
            clients: self.walk(Kind::Client, clients, ObjectRow::Client, &users, &mut problems),
            projects: self.walk(Kind::Project, projects, ObjectRow::Project, &users, &mut problems),
            tasks: self.walk(Kind::Task, tasks, ObjectRow::Task, &users, &mut problems),
        };
        Ok((snapshot, problems))
    }

    /// Lists one kind again; of tasks those of some projects, or all where none are named.
    ///
    /// # Errors
    /// [`Failure`]; nothing can be concluded from it.
    pub async fn list_again(
        &self,
        workspace: &str,
        kind: Kind,
        projects: &[ObjectId],
    ) -> Result<Fetched<Object>, Failure> {
        let (silent, users) = (&|_, _| {}, self.users_for(workspace, kind).await?);
        let mut problems = Vec::new();
        Ok(match kind {
            Kind::Client => {
                let rows = self.read_clients(workspace, silent).await?;
                self.walk(kind, rows, ObjectRow::Client, &users, &mut problems)
            }
            Kind::Project => {
                let rows = self.list::<ProjectRow>(&by_id(all_projects(workspace)), None, &|_| {}).await?;
                self.walk(kind, rows, ObjectRow::Project, &users, &mut problems)
            }
            Kind::Task if projects.is_empty() => {
                let (_, tasks) = self.read_projects(workspace, silent).await?;
                self.walk(kind, tasks, ObjectRow::Task, &users, &mut problems)
            }
            Kind::Task => {
                let mut tasks = Walked::new();
                for project in projects {
                    let project = project.to_string();
                    let listed = self.read_tasks(workspace, &project).await?;
                    tasks.rows.extend(listed.rows.into_iter().map(|task| of_project(task, &project)));
                    tasks.spoiled = tasks.spoiled.or(listed.spoiled);
                }
                self.walk(kind, tasks, ObjectRow::Task, &users, &mut problems)
            }
        })
    }

    async fn read_clients(&self, workspace: &str, progress: OnRows<'_>) -> Result<Walked<ClientRow>, Failure> {
        let request = Request::get(&["v1", "workspaces", workspace, "clients"]);
        let rows = self.list::<ClientRow>(&request, None, &|count| progress(Kind::Client, count)).await?;
        self.note_listing(Kind::Client, &rows);
        Ok(rows)
    }

    /// Notes what a listing has cost, so that the cheaper way of reading again is known.
    fn note_listing<T>(&self, kind: Kind, rows: &Walked<T>) {
        let listed = super::Listed { began: Some(rows.began), calls: rows.calls, took: rows.began.elapsed() };
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)[kind] = listed;
    }

    /// Lists projects with their tasks.
    pub(super) async fn read_projects(
        &self,
        workspace: &str,
        progress: OnRows<'_>,
    ) -> Result<(Walked<ProjectRow>, Walked<TaskRow>), Failure> {
        let (bare, request) =
            (by_id(all_projects(workspace)), by_id(all_projects(workspace).query("hydrated", "true")));
        let mut projects =
            self.list::<ProjectRow>(&request, Some(&bare), &|count| progress(Kind::Project, count)).await?;

        self.note_listing(Kind::Project, &projects);
        let Walked { began, calls, .. } = projects;
        let mut tasks = Walked { rows: Vec::new(), spoiled: projects.spoiled.clone(), began, calls };
        let mut without = Vec::new();
        for project in &mut projects.rows {
            match project.tasks.take() {
                Some(inline) => tasks.rows.extend(inline.into_iter().map(|task| of_project(task, project.id()))),
                None => without.push(project.id().to_owned()),
            }
        }
        let stopped = AtomicBool::new(false);
        let (mut reason, mut failed) = (None, 0);
        let mut listings = stream::iter(without)
            .take_while(|_| ready(!stopped.load(Ordering::Relaxed)))
            .map(|project| async move { (self.read_tasks(workspace, &project).await, project) })
            .buffer_unordered(TASK_LISTINGS_AT_ONCE);
        while let Some((listed, project)) = listings.next().await {
            match listed {
                Ok(listed) => {
                    failed = 0;
                    tasks.calls += listed.calls;
                    tasks.rows.extend(listed.rows.into_iter().map(|task| of_project(task, &project)));
                    tasks.spoiled = tasks.spoiled.or(listed.spoiled);
                }
                // Both are about all listings: whoever asked on would only be turned away once more for each project.
                // What is under way may end, so that it is counted.
                Err(failure) if failure.is_refusal() || matches!(failure, Failure::Throttled { .. }) => {
                    stopped.store(true, Ordering::Relaxed);
                    reason.get_or_insert(failure);
                }
                Err(failure) => {
                    failed += 1;
                    stopped.store(failed >= TASK_LISTINGS_FAILED_MAX, Ordering::Relaxed);
                    let because =
                        format!("the tasks of project {} could not be listed: {failure}", Shown::of(&project));
                    tasks.spoiled.get_or_insert(because);
                }
            }
            progress(Kind::Task, tasks.rows.len());
        }
        if let Some(failure) = reason {
            return Err(failure);
        }
        progress(Kind::Task, tasks.rows.len());
        self.note_listing(Kind::Task, &tasks);
        Ok((projects, tasks))
    }

    async fn read_tasks(&self, workspace: &str, project: &str) -> Result<Walked<TaskRow>, Failure> {
        let request = by_id(Request::get(&["v1", "workspaces", workspace, "projects", project, "tasks"]));
        self.list(&request, None, &|_| {}).await
    }

    /// Lists the people of the workspace, and keeps them.
    pub(super) async fn read_users(&self, workspace: &str) -> Result<Arc<Users>, Failure> {
        let request = Request::get(&["v1", "workspaces", workspace, "users"]).query("memberships", "NONE");
        let listed = self.list::<UserRow>(&request, None, &|_| {}).await?;
        let users: Arc<Users> = Arc::new(Users::of(listed.rows, listed.spoiled.is_none()));
        *self.users.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&users));
        Ok(users)
    }

    /// Walks through the pages of one listing until the service says that it was the last. A service that shows the
    /// same rows again ends the walk too, and leaves doubt unless it had shown more than was asked for.
    ///
    /// What is too large for one answer is asked for in smaller pages, from where the listing has come to; where a
    /// single row is too large by what it carries along, as `bare` asks for it, without that.
    async fn list<T: HasId + DeserializeOwned>(
        &self,
        request: &Request,
        bare: Option<&Request>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Walked<T>, Failure> {
        let mut listed = Walked::new();
        let mut seen = HashSet::new();
        let mut weight = Weight::default();
        let mut paging = Paging::new(if bare.is_some() { SIZE_CARRYING } else { SIZE_MAX }, self.http.body_max());
        let mut instead = None;
        for call in 1..=PAGES_MAX {
            let (page, size, began) = (paging.number(), paging.size(), Instant::now());
            let paged = instead.unwrap_or(request).clone().listing();
            let paged = paged.query("page", &page.to_string()).query("page-size", &size.to_string());
            let answer: Answer<Vec<T>> = match self.http.send(&paged).await {
                Err(Failure::TooLarge { .. }) if paging.shrink() => continue,
                Err(Failure::TooLarge { .. }) if size == 1 && bare.is_some() && instead.is_none() => {
                    instead = bare;
                    continue;
                }
                answer => answer?,
            };
            instead = None;
            listed.calls = call;
            let weighed = answer.body.iter().try_for_each(|row| row.weigh(&mut weight));
            weighed.map_err(|error| Failure::TooLarge { error: error.into() })?;
            let count = answer.body.len();
            let before = listed.rows.len();
            listed.rows.extend(answer.body.into_iter().filter(|row| seen.insert(row.id().to_owned())));
            progress(listed.rows.len());

            let says_last =
                answer.headers.get("Last-Page").and_then(|last| last.to_str().ok()?.trim().parse::<bool>().ok());
            if count == 0 || says_last.unwrap_or(count < size) || count > size {
                return Ok(listed);
            }
            if listed.rows.len() == before {
                listed.spoiled = Some(format!("page {page} of the listing only repeated rows"));
                return Ok(listed);
            }
            if !paging.advance(count, answer.bytes, began.elapsed()) {
                listed.spoiled = Some(format!("page {page} of the listing has fewer rows than were asked for"));
                return Ok(listed);
            }
        }
        listed.spoiled = Some(format!("the listing has more than {PAGES_MAX} pages"));
        Ok(listed)
    }

    pub(super) fn walk<T>(
        &self,
        kind: Kind,
        listed: Walked<T>,
        row: impl Fn(T) -> ObjectRow,
        users: &Users,
        problems: &mut Vec<Problem>,
    ) -> Fetched<Object> {
        let mut walk = Walk::default();
        let mut kept = self.rows();
        for row in listed.rows.into_iter().map(|listed| row(listed).into_kept(None)) {
            match row.object(&self.wanted.0[kind], users) {
                Ok(object) => {
                    self.heed_listed(&object);
                    kept.insert(object.id, Kept::new(&row, Some(listed.began)));
                    walk.add([object]);
                }
                Err(error) => {
                    let text = format!("Clockify shows a {kind} that cannot be used: {}", shown(&error.to_string()));
                    walk.spoil(text.clone());
                    problems.push(Problem { kind, page: None, text: text.into() });
                }
            }
        }
        if let Some(because) = listed.spoiled {
            walk.spoil(because);
        }
        walk.finish()
    }
}

impl<T> Walked<T> {
    /// Nothing yet, asked for from now on.
    fn new() -> Self {
        Self { rows: Vec::new(), spoiled: None, began: Instant::now(), calls: 0 }
    }
}

fn all_projects(workspace: &str) -> Request {
    Request::get(&["v1", "workspaces", workspace, "projects"])
}

/// A listing by ids: the one order in which new rows come last.
fn by_id(listing: Request) -> Request {
    listing.query("sort-column", "ID").query("sort-order", "ASCENDING")
}

fn of_project(mut task: TaskRow, project: &str) -> TaskRow {
    if task.project_id.is_empty() {
        project.clone_into(&mut task.project_id);
    }
    task
}
