//! Lists everything in a workspace: two calls, as long as hydrated projects carry their tasks.

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

use super::{
    Clockify, Error,
    row::Row,
    wire::{ClientRow, HasId, ProjectRow, TaskRow, UserRow, Users},
};
use crate::{
    domain::{
        model::{Fetched, Kind, Object, Problem, Snapshot, Walk},
        text::Display,
    },
    edge::http::{Answer, Failure, Request, shown},
};

/// Rows asked for at once; the most that Clockify gives (Clockify help, "How to retrieve more than 50 results via API").
const PAGE_SIZE: usize = 5000;
/// Pages read of one listing: half a million rows.
const PAGES_MAX: usize = 100;
/// Task listings under way at once, where projects do not carry their tasks.
const TASK_LISTINGS_AT_ONCE: usize = 4;

/// Told how many rows of a kind were read.
type Progress<'a> = &'a (dyn Fn(Kind, usize) + Sync);

/// What one walk through the pages of a listing gave.
pub(super) struct Rows<T> {
    rows: Vec<T>,
    spoiled: Option<String>,
}

impl Clockify {
    /// Reads all clients, projects and tasks, active and closed ones: omitting `archived` means both (live probe, third party). Two
    /// calls; one more if assignees are mapped; and one for each project whose row has no tasks.
    ///
    /// # Errors
    /// [`Error`] where clients, projects or users cannot be listed. A project whose tasks cannot be listed spoils the tasks alone,
    /// unless the reason concerns them all.
    pub async fn fetch(&self, workspace: &str, progress: Progress<'_>) -> Result<(Snapshot<Object>, Vec<Problem>), Error> {
        let clients = async {
            let request = || Request::get(&["v1", "workspaces", workspace, "clients"]);
            let rows = self.list::<ClientRow>(request, &|count| progress(Kind::Client, count)).await;
            rows.map_err(|failure| self.error("clients", failure))
        };
        let projects =
            async { self.read_projects(workspace, progress).await.map_err(|failure| self.error("projects and tasks", failure)) };
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
            clients: self.walk(Kind::Client, clients, Row::Client, &users, &mut problems),
            projects: self.walk(Kind::Project, projects, Row::Project, &users, &mut problems),
            tasks: self.walk(Kind::Task, tasks, Row::Task, &users, &mut problems),
        };
        Ok((snapshot, problems))
    }

    /// Lists projects with their tasks.
    pub(super) async fn read_projects(
        &self,
        workspace: &str,
        progress: Progress<'_>,
    ) -> Result<(Rows<ProjectRow>, Rows<TaskRow>), Failure> {
        let request = || {
            // The id is the one order in which new rows come last.
            let ordered = Request::get(&["v1", "workspaces", workspace, "projects"]).query("hydrated", "true");
            ordered.query("sort-column", "ID").query("sort-order", "ASCENDING")
        };
        let mut projects = self.list::<ProjectRow>(request, &|count| progress(Kind::Project, count)).await?;

        let mut tasks = Rows { rows: Vec::new(), spoiled: projects.spoiled.clone() };
        let mut without = Vec::new();
        for project in &mut projects.rows {
            match project.tasks.take() {
                Some(inline) => tasks.rows.extend(inline.into_iter().map(|task| of_project(task, project.id()))),
                None => without.push(project.id().to_owned()),
            }
        }
        let stopped = AtomicBool::new(false);
        let mut reason = None;
        let mut listings = stream::iter(without)
            .take_while(|_| ready(!stopped.load(Ordering::Relaxed)))
            .map(|project| async move { (self.read_tasks(workspace, &project).await, project) })
            .buffer_unordered(TASK_LISTINGS_AT_ONCE);
        while let Some((listed, project)) = listings.next().await {
            match listed {
                Ok(listed) => {
                    tasks.rows.extend(listed.rows.into_iter().map(|task| of_project(task, &project)));
                    tasks.spoiled = tasks.spoiled.or(listed.spoiled);
                }
                // Both are about all listings: whoever asked on would only be turned away once more for each project. What is
                // under way may end, so that it is counted.
                Err(failure) if failure.is_refusal() || matches!(failure, Failure::Throttled { .. }) => {
                    stopped.store(true, Ordering::Relaxed);
                    reason.get_or_insert(failure);
                }
                Err(failure) => {
                    let because = format!("the tasks of project {} could not be listed: {failure}", Display::of(&project));
                    tasks.spoiled.get_or_insert(because);
                }
            }
            progress(Kind::Task, tasks.rows.len());
        }
        if let Some(failure) = reason {
            return Err(failure);
        }
        progress(Kind::Task, tasks.rows.len());
        Ok((projects, tasks))
    }

    async fn read_tasks(&self, workspace: &str, project: &str) -> Result<Rows<TaskRow>, Failure> {
        let request = || {
            let tasks = Request::get(&["v1", "workspaces", workspace, "projects", project, "tasks"]);
            tasks.query("sort-column", "ID").query("sort-order", "ASCENDING")
        };
        self.list(request, &|_| {}).await
    }

    /// Lists the people of the workspace, and keeps them.
    pub(super) async fn read_users(&self, workspace: &str) -> Result<Arc<Users>, Failure> {
        let request = || Request::get(&["v1", "workspaces", workspace, "users"]).query("memberships", "NONE");
        let listed = self.list::<UserRow>(request, &|_| {}).await?;
        let users: Arc<Users> = Arc::new(Users::of(listed.rows, listed.spoiled.is_none()));
        *self.users.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&users));
        Ok(users)
    }

    /// Walks through the pages of one listing until the service says that it was the last. A service that shows the same rows again
    /// ends the walk too, and leaves doubt unless it had shown more than was asked for.
    async fn list<T: HasId + DeserializeOwned>(
        &self,
        request: impl Fn() -> Request,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Rows<T>, Failure> {
        let mut listed = Rows { rows: Vec::new(), spoiled: None };
        let mut seen = HashSet::new();
        for page in 1..=PAGES_MAX {
            let request = request().query("page", &page.to_string()).query("page-size", &PAGE_SIZE.to_string());
            let answer: Answer<Vec<T>> = self.http.send(&request).await?;
            let count = answer.body.len();
            let before = listed.rows.len();
            listed.rows.extend(answer.body.into_iter().filter(|row| seen.insert(row.id().to_owned())));
            progress(listed.rows.len());

            let says_last = answer.headers.get("Last-Page").and_then(|last| last.to_str().ok()?.trim().parse::<bool>().ok());
            if count == 0 || says_last.unwrap_or(count < PAGE_SIZE) || count > PAGE_SIZE {
                return Ok(listed);
            }
            if listed.rows.len() == before {
                listed.spoiled = Some(format!("page {page} of the listing only repeated rows"));
                return Ok(listed);
            }
        }
        listed.spoiled = Some(format!("the listing has more than {PAGES_MAX} pages"));
        Ok(listed)
    }

    pub(super) fn walk<T>(
        &self,
        kind: Kind,
        listed: Rows<T>,
        row: impl Fn(T) -> Row,
        users: &Users,
        problems: &mut Vec<Problem>,
    ) -> Fetched<Object> {
        let mut walk = Walk::default();
        let mut kept = self.rows();
        for row in listed.rows.into_iter().map(|listed| row(listed).into_kept(None)) {
            match row.object(&self.wanted.0[kind], users) {
                Ok(object) => {
                    kept.insert(object.id, row);
                    walk.add([object]);
                }
                Err(error) => {
                    let text = format!("Clockify shows a {kind} that cannot be used: {}", shown(&error.to_string()));
                    walk.spoil(text.clone());
                    problems.push(Problem { kind, page: None, text });
                }
            }
        }
        if let Some(because) = listed.spoiled {
            walk.spoil(because);
        }
        walk.finish()
    }
}

fn of_project(mut task: TaskRow, project: &str) -> TaskRow {
    if task.project_id.is_empty() {
        project.clone_into(&mut task.project_id);
    }
    task
}
