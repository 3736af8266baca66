//! Clockify's clients, projects, tasks and tracked time, and what people do to them in the user interface.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::access::{CreationPermissions, Role};
use super::{ClockifyId, Table, World, time::Tracking};

/// Everything in the Clockify workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClockifyWorld {
    pub(crate) workspace_id: Option<ClockifyId>,
    pub(crate) workspace_name: String,
    /// `featureSubscriptionType`: `FREE`, `PREMIUM`, …
    pub(crate) plan: String,
    pub(crate) currency_id: Option<ClockifyId>,
    pub(crate) projects_public: bool,
    pub(crate) projects_billable: bool,
    pub(crate) creation: CreationPermissions,
    pub(crate) members: Vec<Member>,
    /// Those who have left.
    pub(crate) former: Vec<Member>,
    pub(crate) clients: Table<ClockifyId, Client>,
    pub(crate) projects: Table<ClockifyId, Project>,
    pub(crate) tasks: Table<ClockifyId, Task>,
    pub(crate) entries: Table<ClockifyId, TimeEntry>,
    pub(crate) webhooks: Vec<super::Webhook>,
    /// What is set about tracking time.
    pub(crate) tracking: Tracking,
}

impl ClockifyWorld {
    /// Who has tracked something, also if they have left since.
    pub(crate) fn tracker(&self, id: ClockifyId) -> Option<&Member> {
        self.members.iter().chain(&self.former).find(|member| member.id == id)
    }
}

/// A member of the workspace; at home the first is its owner and the user of the world's first key.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: ClockifyId,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Role,
}

/// A Clockify client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    pub id: ClockifyId,
    /// Its name, unique in the workspace.
    pub name: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its postal address.
    pub address: Option<String>,
    /// A note of up to 3000 characters.
    pub note: Option<String>,
    pub archived: bool,
    /// Who gets copies of invoices.
    pub cc_emails: Option<Vec<String>>,
}

/// A Clockify project.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Project {
    pub id: ClockifyId,
    /// Its name, unique under its client.
    pub name: String,
    /// Its client; projects without one share a namespace of their own.
    pub client: Option<ClockifyId>,
    /// Whether its time is billable by default.
    pub billable: bool,
    /// Whether every member sees it. Read as `public`, written as `isPublic`.
    pub public: bool,
    /// `#RRGGBB`.
    pub color: String,
    /// A note of up to 16384 characters; unset is `""`.
    pub note: String,
    pub archived: bool,
    /// `{amount, currency}` or null.
    pub hourly_rate: Value,
    /// `{amount, currency}` or null.
    pub cost_rate: Value,
    /// The `timeEstimate` object or null.
    pub time_estimate: Value,
    /// The `budgetEstimate` object or null.
    pub budget_estimate: Value,
    /// Who works on it.
    pub memberships: Vec<Value>,
    pub template: bool,
}

/// A Clockify task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    pub id: ClockifyId,
    /// Its name, unique in its project.
    pub name: String,
    /// Its project, for ever: there is no move.
    pub project: ClockifyId,
    /// `DONE` instead of `ACTIVE`.
    pub done: bool,
    /// Users.
    pub assignee_ids: Vec<String>,
    pub user_group_ids: Vec<String>,
    /// An ISO 8601 duration, `PT0S` if unset.
    pub estimate: String,
    /// In minor units.
    pub budget_estimate: Value,
    /// Whether its time is billable.
    pub billable: bool,
    /// `{amount, currency}` or null.
    pub hourly_rate: Value,
    /// `{amount, currency}` or null.
    pub cost_rate: Value,
}

/// Tracked time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeEntry {
    pub id: ClockifyId,
    /// Who worked.
    pub user: ClockifyId,
    pub project: Option<ClockifyId>,
    pub task: Option<ClockifyId>,
    /// In a few words.
    pub description: String,
    /// Since when.
    pub start: Timestamp,
    /// Until when; a running timer has no end.
    pub end: Option<Timestamp>,
    pub billable: bool,
    /// Approved by a manager, and locked from then on.
    pub approved: bool,
    /// Marked as invoiced.
    pub invoiced: bool,
    /// Tags by their IDs.
    pub tags: Vec<String>,
    /// `{customFieldId, value, sourceType}` each.
    pub custom_fields: Vec<Value>,
    /// `REGULAR`, `BREAK`, `HOLIDAY` or `TIME_OFF`.
    pub kind: String,
}

/// What an entry is unless somebody says otherwise.
pub(crate) const REGULAR: &str = "REGULAR";

impl TimeEntry {
    /// Whole seconds; none while the timer runs.
    pub fn seconds(&self) -> i64 {
        self.end.map_or(0, |end| end.duration_since(self.start).as_secs())
    }
}

/// The colours of the user interface's palette.
const COLORS: [&str; 6] = ["#03A9F4", "#8BC34A", "#F44336", "#9C27B0", "#FF9800", "#607D8B"];

/// Adding objects.
impl World {
    /// A new client.
    pub fn add_client(&mut self, name: &str) -> ClockifyId {
        self.tick();
        let id = self.new_clockify_id();
        let client = Client {
            id,
            name: name.to_owned(),
            email: None,
            address: None,
            note: None,
            archived: false,
            cc_emails: None,
        };
        self.clockify.clients.insert(id, client);
        id
    }

    /// A new project, with or without a client.
    pub fn add_project(&mut self, name: &str, client: impl Into<Option<ClockifyId>>) -> ClockifyId {
        self.tick();
        let id = self.new_clockify_id();
        let project = Project {
            id,
            name: name.to_owned(),
            client: client.into(),
            billable: self.clockify.projects_billable,
            public: self.clockify.projects_public,
            color: COLORS[self.clockify.projects.len() % COLORS.len()].to_owned(),
            note: String::new(),
            archived: false,
            hourly_rate: Value::Null,
            cost_rate: Value::Null,
            time_estimate: Value::Null,
            budget_estimate: Value::Null,
            memberships: self.clockify.members.first().map(|owner| membership(owner.id, id)).into_iter().collect(),
            template: false,
        };
        self.clockify.projects.insert(id, project);
        id
    }

    /// A new task.
    pub fn add_task(&mut self, name: &str, project: ClockifyId) -> ClockifyId {
        self.tick();
        let id = self.new_clockify_id();
        let billable = self.clockify.projects.get(project).is_some_and(|project| project.billable);
        let task = Task {
            id,
            name: name.to_owned(),
            project,
            done: false,
            assignee_ids: Vec::new(),
            user_group_ids: Vec::new(),
            estimate: "PT0S".to_owned(),
            budget_estimate: json!(0),
            billable,
            hourly_rate: Value::Null,
            cost_rate: Value::Null,
        };
        self.clockify.tasks.insert(id, task);
        id
    }

    /// Time that the owner tracked on a project or a task.
    ///
    /// # Panics
    /// If there is no such object.
    pub fn track(&mut self, on: ClockifyId, start: Timestamp, duration: SignedDuration) -> ClockifyId {
        let end = start.saturating_add(duration).unwrap_or(start);
        self.add_entry(on, start, Some(end))
    }

    /// A timer that the owner starts now on a project or a task.
    pub fn start_timer(&mut self, on: ClockifyId) -> ClockifyId {
        let now = self.tick();
        self.add_entry(on, now, None)
    }

    fn add_entry(&mut self, on: ClockifyId, start: Timestamp, end: Option<Timestamp>) -> ClockifyId {
        let id = self.new_clockify_id();
        let task = self.clockify.tasks.get(on).map(|task| (task.project, task.id));
        let project = task.map_or(on, |(project, _)| project);
        let billable = self.clockify.projects.get(project).expect("the world has this object").billable;
        let entry = TimeEntry {
            id,
            user: self.clockify.members.first().expect("the workspace has an owner").id,
            project: Some(project),
            task: task.map(|(_, task)| task),
            description: String::new(),
            start,
            end,
            billable,
            approved: false,
            invoiced: false,
            tags: Vec::new(),
            custom_fields: Vec::new(),
            kind: REGULAR.to_owned(),
        };
        self.clockify.entries.insert(id, entry);
        id
    }
}

/// Someone's place in a project.
pub(crate) fn membership(user: ClockifyId, project: ClockifyId) -> Value {
    json!({
        "userId": user, "hourlyRate": null, "costRate": null, "targetId": project,
        "membershipType": "PROJECT", "membershipStatus": "ACTIVE",
    })
}

/// Editing objects. All of these panic when the object does not exist: a test that asks for it is wrong.
impl World {
    /// Renames a client, project or task.
    pub fn rename_object(&mut self, id: ClockifyId, name: &str) {
        self.tick();
        let slot = if let Some(client) = self.clockify.clients.get_mut(id) {
            &mut client.name
        } else if let Some(project) = self.clockify.projects.get_mut(id) {
            &mut project.name
        } else {
            &mut self.clockify.tasks.get_mut(id).expect("the world has this object").name
        };
        name.clone_into(slot);
    }

    /// Archives a client or project, or sets a task DONE; nothing cascades.
    pub fn close_object(&mut self, id: ClockifyId) {
        self.set_closed(id, true);
    }

    /// Takes a client or project out of the archive, or sets a task ACTIVE.
    pub fn reopen_object(&mut self, id: ClockifyId) {
        self.set_closed(id, false);
    }

    fn set_closed(&mut self, id: ClockifyId, closed: bool) {
        self.tick();
        let slot = if let Some(client) = self.clockify.clients.get_mut(id) {
            &mut client.archived
        } else if let Some(project) = self.clockify.projects.get_mut(id) {
            &mut project.archived
        } else {
            &mut self.clockify.tasks.get_mut(id).expect("the world has this object").done
        };
        *slot = closed;
    }

    /// Deletes a client, project or task, with what the service then does: projects lose their client, tasks go with
    /// their project, time stays (Clockify help centre).
    pub fn delete_object(&mut self, id: ClockifyId) {
        self.tick();
        if self.clockify.clients.remove(id).is_some() {
            for project in self.clockify.projects.values_mut() {
                project.client = project.client.filter(|client| *client != id);
            }
        } else if self.clockify.projects.remove(id).is_some() {
            let tasks = self.clockify.tasks.values().filter(|task| task.project == id);
            let tasks: Vec<ClockifyId> = tasks.map(|task| task.id).collect();
            for task in tasks {
                self.clockify.tasks.remove(task);
            }
            for entry in self.clockify.entries.values_mut().filter(|entry| entry.project == Some(id)) {
                entry.project = None;
                entry.task = None;
            }
        } else {
            self.clockify.tasks.remove(id).expect("the world has this object");
            for entry in self.clockify.entries.values_mut() {
                entry.task = entry.task.filter(|task| *task != id);
            }
        }
    }

    /// Gives a project another client, or none.
    pub fn move_project(&mut self, project: ClockifyId, client: impl Into<Option<ClockifyId>>) {
        self.tick();
        self.project_mut(project).client = client.into();
    }

    /// Edits a client's other fields.
    pub fn edit_client(&mut self, id: ClockifyId, edit: impl FnOnce(&mut Client)) {
        self.tick();
        edit(self.clockify.clients.get_mut(id).expect("the world has this client"));
    }

    /// Edits a project's other fields.
    pub fn edit_project(&mut self, id: ClockifyId, edit: impl FnOnce(&mut Project)) {
        self.tick();
        edit(self.project_mut(id));
    }

    /// Edits a task's other fields.
    pub fn edit_task(&mut self, id: ClockifyId, edit: impl FnOnce(&mut Task)) {
        self.tick();
        edit(self.clockify.tasks.get_mut(id).expect("the world has this task"));
    }

    fn project_mut(&mut self, id: ClockifyId) -> &mut Project {
        self.clockify.projects.get_mut(id).expect("the world has this project")
    }

    /// The plan of the workspace, e.g. `FREE` or `PREMIUM`; it limits reports.
    pub fn set_plan(&mut self, plan: &str) {
        plan.clone_into(&mut self.clockify.plan);
    }

    /// What new projects are unless the request says so.
    pub fn set_project_defaults(&mut self, public: bool, billable: bool) {
        self.clockify.projects_public = public;
        self.clockify.projects_billable = billable;
    }
}

/// Looking at objects.
impl World {
    /// The workspace's ID.
    pub fn workspace_id(&self) -> ClockifyId {
        self.clockify.workspace_id.expect("every world has a workspace")
    }

    /// The client with this ID.
    pub fn client(&self, id: ClockifyId) -> Option<&Client> {
        self.clockify.clients.get(id)
    }

    /// The project with this ID.
    pub fn project(&self, id: ClockifyId) -> Option<&Project> {
        self.clockify.projects.get(id)
    }

    /// The task with this ID.
    pub fn task(&self, id: ClockifyId) -> Option<&Task> {
        self.clockify.tasks.get(id)
    }

    /// All clients, in the order of their IDs.
    pub fn clients(&self) -> Vec<Client> {
        self.clockify.clients.values().cloned().collect()
    }

    /// All projects, in the order of their IDs.
    pub fn projects(&self) -> Vec<Project> {
        self.clockify.projects.values().cloned().collect()
    }

    /// All tasks, in the order of their IDs.
    pub fn tasks(&self) -> Vec<Task> {
        self.clockify.tasks.values().cloned().collect()
    }

    /// All tracked time, in the order of the IDs.
    pub fn entries(&self) -> Vec<TimeEntry> {
        self.clockify.entries.values().cloned().collect()
    }

    /// The oldest client of this name.
    pub fn find_client(&self, name: &str) -> Option<ClockifyId> {
        self.clockify.clients.values().find(|client| client.name == name).map(|client| client.id)
    }

    /// The oldest project of this name under this client, or without one.
    pub fn find_project(&self, name: &str, client: impl Into<Option<ClockifyId>>) -> Option<ClockifyId> {
        let client = client.into();
        let mut projects = self.clockify.projects.values();
        projects.find(|project| project.name == name && project.client == client).map(|project| project.id)
    }

    /// The oldest task of this name in this project.
    pub fn find_task(&self, name: &str, project: ClockifyId) -> Option<ClockifyId> {
        let mut tasks = self.clockify.tasks.values();
        tasks.find(|task| task.name == name && task.project == project).map(|task| task.id)
    }

    /// Seconds tracked on a project or a task.
    pub fn tracked_seconds(&self, on: ClockifyId) -> i64 {
        let entries = self.clockify.entries.values();
        let entries = entries.filter(|entry| entry.project == Some(on) || entry.task == Some(on));
        entries.map(TimeEntry::seconds).sum()
    }

    /// The whole Clockify side, by ID.
    pub fn clockify_snapshot(&self) -> Value {
        fn by_id<'a, T: Serialize + 'a>(rows: impl Iterator<Item = &'a T>) -> Value {
            let rows = rows.map(|row| {
                let row = json!(row);
                (row["id"].as_str().unwrap_or_default().to_owned(), row)
            });
            Value::Object(rows.collect::<Map<_, _>>())
        }
        json!({
            "clients": by_id(self.clockify.clients.values()),
            "projects": by_id(self.clockify.projects.values()),
            "tasks": by_id(self.clockify.tasks.values()),
            "time_entries": by_id(self.clockify.entries.values()),
        })
    }
}
