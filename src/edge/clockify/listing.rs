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
    wire::{HasId, ProjectRow, TaskRow, UserRow, Users},
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

/// What is known of a listing besides its rows.
pub(super) struct Walked {
    spoiled: Option<String>,
    /// When the first of them were asked for.
    began: Instant,
    /// Requests that it took.
    calls: usize,
}

/// Objects of one kind, made of their rows as these come: rows take several times the room.
struct Shelf<'a> {
    clockify: &'a Clockify,
    kind: Kind,
    users: &'a Users,
    /// Before the first of them were asked for.
    began: Instant,
    walk: Walk<Object>,
    problems: Vec<Problem>,
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
        let clients = async {
            let (mut problems, users) = (Vec::new(), Users::default());
            let listed = self.read_clients(workspace, &users, &mut problems, progress).await;
            listed.map(|listed| (listed, problems)).map_err(|failure| self.error("clients", failure))
        };
        let projects = async {
            let users = if self.wanted.users() {
                self.read_users(workspace).await.map_err(|failure| self.error("users", failure))?
            } else {
                Arc::default()
            };
            let mut problems = Vec::new();
            let listed = self.read_projects(workspace, &users, &mut problems, progress).await;
            listed.map(|listed| (listed, problems)).map_err(|failure| self.error("projects and tasks", failure))
        };
        let ((clients, mut problems), ((projects, tasks), below)) = tokio::try_join!(clients, projects)?;
        problems.extend(below);
        Ok((Snapshot { clients, projects, tasks }, problems))
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
        match kind {
            Kind::Client => self.read_clients(workspace, &users, &mut problems, silent).await,
            Kind::Project => {
                let mut shelf = Shelf::new(self, kind, &users);
                let request = by_id(all_projects(workspace));
                let listed = self.list(&request, None, &|_| {}, |row| shelf.add(ObjectRow::Project(row))).await?;
                Ok(shelf.finish(listed.spoiled, &mut problems))
            }
            Kind::Task if projects.is_empty() => {
                self.read_projects(workspace, &users, &mut problems, silent).await.map(|(_, tasks)| tasks)
            }
            Kind::Task => {
                let (mut shelf, mut spoiled) = (Shelf::new(self, kind, &users), None);
                for project in projects {
                    let project = project.to_string();
                    let (rows, listed) = self.read_tasks(workspace, &project).await?;
                    for task in rows {
                        shelf.add_task(task, &project);
                    }
                    spoiled = spoiled.or(listed.spoiled);
                }
                Ok(shelf.finish(spoiled, &mut problems))
            }
        }
    }

    async fn read_clients(
        &self,
        workspace: &str,
        users: &Users,
        problems: &mut Vec<Problem>,
        progress: OnRows<'_>,
    ) -> Result<Fetched<Object>, Failure> {
        let request = Request::get(&["v1", "workspaces", workspace, "clients"]);
        let mut shelf = Shelf::new(self, Kind::Client, users);
        let progress = |count| progress(Kind::Client, count);
        let listed = self.list(&request, None, &progress, |row| shelf.add(ObjectRow::Client(row))).await?;
        self.note_listing(Kind::Client, &listed);
        Ok(shelf.finish(listed.spoiled, problems))
    }

    /// Notes what a listing has cost, so that the cheaper way of reading again is known.
    fn note_listing(&self, kind: Kind, walked: &Walked) {
        let listed = super::Listed { began: Some(walked.began), calls: walked.calls, took: walked.began.elapsed() };
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)[kind] = listed;
    }

    /// Lists projects with their tasks.
    async fn read_projects(
        &self,
        workspace: &str,
        users: &Users,
        problems: &mut Vec<Problem>,
        progress: OnRows<'_>,
    ) -> Result<(Fetched<Object>, Fetched<Object>), Failure> {
        let (bare, request) =
            (by_id(all_projects(workspace)), by_id(all_projects(workspace).query("hydrated", "true")));
        let mut shelf = Shelf::new(self, Kind::Project, users);
        let mut tasks = Shelf::new(self, Kind::Task, users);
        let mut without = Vec::new();
        let shelve = |mut project: ProjectRow| {
            match project.tasks.take() {
                Some(inline) => inline.into_iter().for_each(|task| tasks.add_task(task, project.id())),
                None => without.push(project.id().to_owned()),
            }
            shelf.add(ObjectRow::Project(project));
        };
        let listed = self.list(&request, Some(&bare), &|count| progress(Kind::Project, count), shelve).await?;
        self.note_listing(Kind::Project, &listed);
        let Walked { spoiled, began, mut calls } = listed;
        let projects = shelf.finish(spoiled.clone(), problems);
        let mut spoiled = spoiled;
        let stopped = AtomicBool::new(false);
        let (mut reason, mut failed) = (None, 0);
        let mut listings = stream::iter(without)
            .take_while(|_| ready(!stopped.load(Ordering::Relaxed)))
            .map(|project| async move { (self.read_tasks(workspace, &project).await, project) })
            .buffer_unordered(TASK_LISTINGS_AT_ONCE);
        while let Some((listed, project)) = listings.next().await {
            match listed {
                Ok((rows, listed)) => {
                    failed = 0;
                    calls += listed.calls;
                    for task in rows {
                        tasks.add_task(task, &project);
                    }
                    spoiled = spoiled.or(listed.spoiled);
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
                    spoiled.get_or_insert(because);
                }
            }
            progress(Kind::Task, tasks.walk.len());
        }
        if let Some(failure) = reason {
            return Err(failure);
        }
        progress(Kind::Task, tasks.walk.len());
        self.note_listing(Kind::Task, &Walked { spoiled: None, began, calls });
        Ok((projects, tasks.finish(spoiled, problems)))
    }

    async fn read_tasks(&self, workspace: &str, project: &str) -> Result<(Vec<TaskRow>, Walked), Failure> {
        let request = by_id(Request::get(&["v1", "workspaces", workspace, "projects", project, "tasks"]));
        let mut rows = Vec::new();
        let listed = self.list(&request, None, &|_| {}, |row| rows.push(row)).await?;
        Ok((rows, listed))
    }

    /// Lists the people of the workspace, and keeps them.
    pub(super) async fn read_users(&self, workspace: &str) -> Result<Arc<Users>, Failure> {
        let request = Request::get(&["v1", "workspaces", workspace, "users"]).query("memberships", "NONE");
        let mut rows: Vec<UserRow> = Vec::new();
        let listed = self.list(&request, None, &|_| {}, |row| rows.push(row)).await?;
        let users: Arc<Users> = Arc::new(Users::of(rows, listed.spoiled.is_none()));
        *self.users.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&users));
        Ok(users)
    }

    /// Walks through the pages of one listing, giving away each row, until the service says that it was the last. A
    /// service that shows the same rows again ends the walk too, and leaves doubt unless it had shown more than was asked for.
    ///
    /// What is too large for one answer is asked for in smaller pages, from where the listing has come to; where a
    /// single row is too large by what it carries along, as `bare` asks for it, without that.
    async fn list<T: HasId + DeserializeOwned + Send>(
        &self,
        request: &Request,
        bare: Option<&Request>,
        progress: &(dyn Fn(usize) + Sync),
        mut give: impl FnMut(T) + Send,
    ) -> Result<Walked, Failure> {
        let mut listed = Walked { spoiled: None, began: Instant::now(), calls: 0 };
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
            let (count, before) = (answer.body.len(), seen.len());
            answer.body.into_iter().filter(|row| seen.insert(row.id().to_owned())).for_each(&mut give);
            progress(seen.len());

            let says_last =
                answer.headers.get("Last-Page").and_then(|last| last.to_str().ok()?.trim().parse::<bool>().ok());
            if count == 0 || says_last.unwrap_or(count < size) || count > size {
                return Ok(listed);
            }
            if seen.len() == before {
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
}

impl<'a> Shelf<'a> {
    /// One for rows that are asked for from now on.
    fn new(clockify: &'a Clockify, kind: Kind, users: &'a Users) -> Self {
        Self { clockify, kind, users, began: Instant::now(), walk: Walk::default(), problems: Vec::new() }
    }

    fn add(&mut self, row: ObjectRow) {
        let (kind, row) = (self.kind, row.into_kept(None));
        match row.object(&self.clockify.wanted.0[kind], self.users) {
            Ok(object) => {
                self.clockify.heed_listed(&object);
                self.clockify.rows().insert(object.id, Kept::new(&row, Some(self.began)));
                self.walk.add([object]);
            }
            Err(error) => {
                let text = format!("Clockify shows a {kind} that cannot be used: {}", shown(&error.to_string()));
                self.walk.spoil(text.clone());
                self.problems.push(Problem { kind, page: None, text: text.into() });
            }
        }
    }

    fn add_task(&mut self, mut task: TaskRow, project: &str) {
        if task.project_id.is_empty() {
            project.clone_into(&mut task.project_id);
        }
        self.add(ObjectRow::Task(task));
    }

    fn finish(mut self, spoiled: Option<String>, problems: &mut Vec<Problem>) -> Fetched<Object> {
        if let Some(because) = spoiled {
            self.walk.spoil(because);
        }
        problems.append(&mut self.problems);
        self.walk.finish()
    }
}

fn all_projects(workspace: &str) -> Request {
    Request::get(&["v1", "workspaces", workspace, "projects"])
}

/// A listing by ids: the one order in which new rows come last.
fn by_id(listing: Request) -> Request {
    listing.query("sort-column", "ID").query("sort-order", "ASCENDING")
}
