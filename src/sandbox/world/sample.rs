//! Reads a world from JSON: `assets/agency.json` and whatever scripts write in its form.
//!
//! Rows have short aliases instead of IDs. A page's `claim` is the alias of an object, also of one under `deleted`;
//! `claim_text` is any text at all. `days_ago` counts from the moment the world starts at.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClockifyId, Known, NotionId, World};

/// The sample that the demonstration starts with.
const AGENCY: &str = include_str!("../../../assets/agency.json");

/// A link as it was last verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    pub page: NotionId,
    /// The object; it may be gone.
    pub object: ClockifyId,
    /// `client`, `project` or `task`.
    pub kind: String,
    /// The fields both sides agreed on: `name`, `closed`, `parent` (the ID of a Clockify client or project, or null).
    pub base: Map<String, Value>,
}

/// Why a world could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The text is not JSON of the expected form.
    #[error("the world is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Something refers to an alias that nothing has.
    #[error("the world has no {what} called `{alias}`")]
    UnknownAlias {
        /// What was looked for.
        what: &'static str,
        alias: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    #[serde(default, rename = "story")]
    _story: Value,
    clockify: ClockifySample,
    notion: NotionSample,
    #[serde(default)]
    remembered: Vec<RememberedSample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockifySample {
    clients: Vec<ClientSample>,
    projects: Vec<ProjectSample>,
    tasks: Vec<TaskSample>,
    /// Objects that existed once.
    #[serde(default)]
    deleted: Vec<String>,
    #[serde(default)]
    time: Vec<TimeSample>,
    /// `FREE` if absent.
    plan: Option<String>,
    /// Time from before is locked.
    locked_days_ago: Option<i64>,
    /// What the workspace wants of every entry: `project`, `task`.
    #[serde(default)]
    wanted_of_entries: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientSample {
    alias: String,
    name: String,
    #[serde(default)]
    archived: bool,
    email: Option<String>,
    address: Option<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectSample {
    alias: String,
    name: String,
    client: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    billable: bool,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    note: String,
    color: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskSample {
    alias: String,
    name: String,
    project: String,
    #[serde(default)]
    done: bool,
    /// An ISO 8601 duration.
    estimate: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeSample {
    /// A project or task; null is time without either.
    on: Option<String>,
    days_ago: i64,
    hours: f64,
    #[serde(default)]
    description: String,
    /// The member's name; the owner if absent.
    by: Option<String>,
    /// A timer that still runs; `hours` is then how long ago it was started.
    #[serde(default)]
    running: bool,
    #[serde(default)]
    approved: bool,
    #[serde(default)]
    invoiced: bool,
    /// As its project is, if absent.
    billable: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotionSample {
    clients: Vec<RowSample>,
    projects: Vec<RowSample>,
    tasks: Vec<RowSample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowSample {
    alias: String,
    /// A string, or runs: `[{"text": "…", "bold": true}]`.
    name: Value,
    claim: Option<String>,
    claim_text: Option<String>,
    /// Clients: the check box Archive.
    #[serde(default)]
    archive: bool,
    /// Projects and tasks: the status.
    status: Option<String>,
    /// Aliases of the client rows (projects) or project rows (tasks).
    #[serde(default)]
    of: Vec<String>,
    /// Names of people.
    #[serde(default)]
    assignees: Vec<String>,
    /// Other properties in plain form.
    #[serde(default)]
    set: Map<String, Value>,
    /// Projects: the date Due, counted from the moment the world starts at.
    due_in_days: Option<i64>,
    #[serde(default)]
    trashed: bool,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    deleted_forever: bool,
    #[serde(default)]
    moved_out: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RememberedSample {
    page: String,
    object: String,
    kind: String,
    base: Map<String, Value>,
}

/// How long before the world's start its rows were made; rows come a minute apart.
const MADE_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 60);

impl World {
    /// The sample agency, at the deterministic start.
    ///
    /// # Panics
    /// Never, as long as the tests pass: they load it.
    pub fn agency() -> Self {
        Self::from_json(AGENCY).expect("a test proves that the sample is readable")
    }

    /// The sample agency as of `now`: its tracked time lies in the weeks before, and its clock goes on from there.
    ///
    /// # Panics
    /// Never, as long as the tests pass: they load it.
    pub fn agency_at(now: Timestamp) -> Self {
        Self::from_json_at(AGENCY, now).expect("a test proves that the sample is readable")
    }

    /// Reads a world in the form of `assets/agency.json`.
    ///
    /// # Errors
    /// If the text has another form or an alias leads nowhere.
    pub fn from_json(text: &str) -> Result<Self, SampleError> {
        Self::from_json_at(text, super::start())
    }

    fn from_json_at(text: &str, now: Timestamp) -> Result<Self, SampleError> {
        let sample: Sample = serde_json::from_str(text)?;
        let mut world = Self::empty_at(now.saturating_sub(MADE_BEFORE).unwrap_or(now));
        world.load_objects(&sample.clockify)?;
        world.load_pages(&sample.notion)?;
        world.advance(now.duration_since(world.now()));
        for row in &sample.notion.projects {
            if let Some(days) = row.due_in_days {
                let due = (now + SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%d").to_string();
                let page = world.known_page(&row.alias)?;
                world.set(page, "Due", json!({"start": due}));
            }
        }
        world.load_time(&sample.clockify.time)?;
        let wants = |what: &str| sample.clockify.wanted_of_entries.iter().any(|wanted| wanted == what);
        world.force(wants("project"), wants("task"));
        if let Some(plan) = &sample.clockify.plan {
            world.set_plan(plan);
        }
        if let Some(days) = sample.clockify.locked_days_ago {
            world.lock_time_before(world.now() - SignedDuration::from_hours(24 * days));
        }
        for link in sample.remembered {
            let remembered = world.load_remembered(link)?;
            world.remembered.push(remembered);
        }
        Ok(world)
    }

    fn load_objects(&mut self, sample: &ClockifySample) -> Result<(), SampleError> {
        for client in &sample.clients {
            let id = self.add_client(&client.name);
            self.edit_client(id, |kept| {
                kept.archived = client.archived;
                kept.email.clone_from(&client.email);
                kept.address.clone_from(&client.address);
                kept.note.clone_from(&client.note);
            });
            self.know_object(&client.alias, id);
        }
        for project in &sample.projects {
            let client = project.client.as_deref().map(|alias| self.object(alias)).transpose()?;
            let id = self.add_project(&project.name, client);
            self.edit_project(id, |kept| {
                kept.archived = project.archived;
                kept.billable = project.billable;
                kept.public = project.public;
                kept.note.clone_from(&project.note);
                kept.color.clone_from(project.color.as_ref().unwrap_or(&kept.color.clone()));
            });
            self.know_object(&project.alias, id);
        }
        for task in &sample.tasks {
            let project = self.object(&task.project)?;
            let id = self.add_task(&task.name, project);
            self.edit_task(id, |kept| {
                kept.done = task.done;
                kept.estimate.clone_from(task.estimate.as_ref().unwrap_or(&kept.estimate.clone()));
            });
            self.know_object(&task.alias, id);
        }
        for alias in &sample.deleted {
            let id = self.unused_clockify_id();
            self.know_object(alias, id);
        }
        Ok(())
    }

    fn load_pages(&mut self, sample: &NotionSample) -> Result<(), SampleError> {
        for row in &sample.clients {
            let page = self.load_row("Clients", row)?;
            self.set_checkbox(page, "Archive", row.archive);
        }
        for (source, parent, rows) in [("Projects", "Clients", &sample.projects), ("Tasks", "Projects", &sample.tasks)]
        {
            for row in rows {
                let page = self.load_row(source, row)?;
                let parents = row.of.iter().map(|alias| self.known_page(alias));
                let parents = parents.collect::<Result<Vec<_>, _>>()?;
                self.set_relation(page, parent, &parents);
                if let Some(status) = &row.status {
                    self.set_status(page, "Status", status);
                }
            }
        }
        // Only now: a page in the trash is related to like any other, and a deleted one leaves its ID behind.
        for row in sample.clients.iter().chain(&sample.projects).chain(&sample.tasks) {
            let page = self.known_page(&row.alias)?;
            if row.trashed {
                self.trash(page);
            }
            if row.hidden {
                self.hide(page);
            }
            if row.moved_out {
                self.move_out(page);
            }
            if row.deleted_forever {
                self.delete_forever(page);
            }
        }
        Ok(())
    }

    fn load_row(&mut self, source: &str, row: &RowSample) -> Result<NotionId, SampleError> {
        self.advance(SignedDuration::from_mins(1));
        let page = self.add_row(source, "");
        match &row.name {
            Value::Array(_) => self.set_title_runs(page, &row.name),
            name => self.set_title(page, name.as_str().unwrap_or_default()),
        }
        if let Some(alias) = &row.claim {
            let object = self.object(alias)?;
            self.set_claim(page, object);
        }
        if let Some(text) = &row.claim_text {
            self.set_claim_text(page, text);
        }
        if !row.assignees.is_empty() {
            let people: Vec<Option<NotionId>> = row.assignees.iter().map(|name| self.person(name)).collect();
            self.set(page, "Assignee", json!(people));
        }
        for (property, value) in &row.set {
            self.set(page, property, value.clone());
        }
        self.aliases.insert(format!("page:{}", row.alias), Known::Page(page));
        Ok(page)
    }

    fn load_time(&mut self, sample: &[TimeSample]) -> Result<(), SampleError> {
        for time in sample {
            // Time without a project is tracked somewhere first, and then nowhere.
            let somewhere = || self.clockify.projects.values().next().map(|project| project.id);
            let nowhere = || SampleError::UnknownAlias { what: "project", alias: String::new() };
            let on = time.on.as_deref().map_or_else(|| somewhere().ok_or_else(nowhere), |alias| self.object(alias))?;
            #[expect(clippy::cast_possible_truncation, reason = "hours of work are small numbers")]
            let duration = SignedDuration::from_secs((time.hours * 3600.0) as i64);
            let back = SignedDuration::from_hours(24 * time.days_ago);
            let start = self.now().saturating_sub(back).unwrap_or_default();
            let id = if time.running {
                let start = self.now().saturating_sub(duration).unwrap_or_default();
                self.start_timer_at(on, start)
            } else {
                self.track(on, start, duration)
            };
            let user = time.by.as_deref().and_then(|name| self.member(name));
            if let Some(entry) = self.clockify.entries.get_mut(id) {
                entry.description.clone_from(&time.description);
                entry.user = user.unwrap_or(entry.user);
                entry.project = entry.project.filter(|_| time.on.is_some());
                entry.billable = time.billable.unwrap_or(entry.billable);
                (entry.approved, entry.invoiced) = (time.approved, time.invoiced);
            }
        }
        Ok(())
    }

    fn start_timer_at(&mut self, on: ClockifyId, start: Timestamp) -> ClockifyId {
        let id = self.start_timer(on);
        if let Some(entry) = self.clockify.entries.get_mut(id) {
            entry.start = start;
        }
        id
    }

    fn load_remembered(&self, link: RememberedSample) -> Result<Remembered, SampleError> {
        let mut base = link.base;
        if let Some(parent) = base.get_mut("parent")
            && let Some(alias) = parent.as_str()
        {
            *parent = json!(self.object(alias)?);
        }
        Ok(Remembered { page: self.known_page(&link.page)?, object: self.object(&link.object)?, kind: link.kind, base })
    }

    fn know_object(&mut self, alias: &str, id: ClockifyId) {
        self.aliases.insert(format!("object:{alias}"), Known::Object(id));
    }

    fn object(&self, alias: &str) -> Result<ClockifyId, SampleError> {
        let unknown = || SampleError::UnknownAlias { what: "object", alias: alias.to_owned() };
        self.object_alias(alias).ok_or_else(unknown)
    }

    fn known_page(&self, alias: &str) -> Result<NotionId, SampleError> {
        let unknown = || SampleError::UnknownAlias { what: "page", alias: alias.to_owned() };
        self.page_alias(alias).ok_or_else(unknown)
    }
}
