//! Time entries.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, Refusal, duration_text, optional_flag, optional_text, window::read_in};
use crate::sandbox::ids::ClockifyId;
use crate::sandbox::wire::Body;
use crate::sandbox::world::{REGULAR, TimeEntry};

/// Characters of a description (Clockify docs).
const DESCRIPTION_MAX: usize = 3000;

impl Call<'_> {
    /// One user's entries, the latest first. There is no list for the whole workspace.
    pub(super) fn list_entries(&self, user: &str) -> Outcome {
        let user = self.seen_user(user)?;
        let (start, end) = (self.edge("start")?, self.edge("end")?);
        let running = self.flag("in-progress")?.unwrap_or(false);
        let named = |key: &str| self.request.parameter(key).filter(|text| !text.is_empty());
        let wanted = |key: &str, id: Option<ClockifyId>| {
            named(key).is_none_or(|wanted| id.is_some_and(|id| id.to_string() == wanted))
        };
        let description = named("description").unwrap_or_default().to_lowercase();
        let mut entries: Vec<&TimeEntry> = self.world.clockify.entries.values().collect();
        entries.retain(|entry| {
            entry.user == user
                && start.is_none_or(|start| entry.start >= start)
                && end.is_none_or(|end| entry.start <= end)
                && (!running || entry.end.is_none())
                && wanted("project", entry.project)
                && wanted("task", entry.task)
                && entry.description.to_lowercase().contains(&description)
        });
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse((entry.start, entry.id)));
        self.page(entries.into_iter().map(|entry| self.render_entry(entry)).collect())
    }

    pub(super) fn running_entries(&self) -> Outcome {
        let running = self.world.clockify.entries.values().filter(|entry| entry.end.is_none());
        self.page_of(running.map(|entry| self.render_entry(entry)).collect(), 10, 1000)
    }

    /// An edge of the list's window: always read in the account's zone.
    fn edge(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let text = self.request.parameter(name).filter(|text| !text.is_empty());
        let zone = self.world.clockify.tracking.zone();
        text.map(|text| read_in(&zone, text).ok_or_else(|| Refusal::parameter(name, text))).transpose()
    }

    fn seen_user(&self, id: &str) -> Result<ClockifyId, Refusal> {
        let member = self.world.clockify.members.iter().find(|member| member.id.to_string() == id);
        member.map(|member| member.id).ok_or_else(|| Refusal::not_in_workspace("User"))
    }

    fn render_entry(&self, entry: &TimeEntry) -> Value {
        json!({
            "id": entry.id, "description": entry.description, "tagIds": entry.tags, "userId": entry.user,
            "billable": entry.billable, "taskId": entry.task, "projectId": entry.project,
            "workspaceId": self.world.clockify.workspace_id,
            "timeInterval": {
                "start": entry.start.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "end": entry.end.map(|end| end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
                "duration": entry.end.map(|_| duration_text(entry.seconds())),
            },
            "customFieldValues": entry.custom_fields.iter().map(|field| json!({
                "customFieldId": field["customFieldId"], "timeEntryId": entry.id, "name": "", "value": field["value"],
                "type": field["sourceType"],
            })).collect::<Vec<_>>(),
            "type": entry.kind, "kioskId": null,
            "isLocked": self.world.clockify.tracking.locks(entry),
        })
    }

    fn seen_entry(&self, id: &str) -> Result<&TimeEntry, Refusal> {
        let entry = ClockifyId::parse(id).and_then(|id| self.world.clockify.entries.get(id));
        entry.ok_or_else(|| Refusal::not_in_workspace("Time entry"))
    }

    pub(super) fn get_entry(&self, id: &str) -> Outcome {
        self.seen_entry(id).map(|entry| Answer::ok(self.render_entry(entry)))
    }

    /// Time can be booked on an archived project (live probe, third party); for others, by administrators.
    pub(super) fn create_entry(&mut self, user: Option<&str>) -> Outcome {
        let user = user.map_or(Ok(self.user), |user| self.seen_user(user))?;
        if user != self.user && !self.administers() {
            return Err(Refusal::denied());
        }
        self.world.tick();
        let id = self.world.new_clockify_id();
        let entry = self.read_entry(id, user, self.body()?)?;
        let answer = Answer::new(201, self.render_entry(&entry));
        self.world.clockify.entries.insert(id, entry);
        Ok(answer)
    }

    /// A full replacement.
    pub(super) fn update_entry(&mut self, id: &str) -> Outcome {
        let entry = self.replaced(self.seen_entry(id)?, self.body()?)?;
        let answer = Answer::ok(self.render_entry(&entry));
        self.world.clockify.entries.insert(entry.id, entry);
        Ok(answer)
    }

    /// Full replacements of several entries of one user: all of them, or none.
    pub(super) fn update_entries(&mut self, user: &str) -> Outcome {
        let user = self.seen_user(user)?;
        if user != self.user && !self.administers() {
            return Err(Refusal::denied());
        }
        let Body::Json(Value::Array(bodies)) = &self.request.body else {
            return Err(Refusal::unparsable("the body into a list"));
        };
        let replaced = bodies.iter().map(|body| {
            let entry = self.seen_entry(body["id"].as_str().unwrap_or_default())?;
            if entry.user == user { self.replaced(entry, body) } else { Err(Refusal::not_in_workspace("Time entry")) }
        });
        let replaced: Vec<TimeEntry> = replaced.collect::<Result<_, _>>()?;
        let rows: Vec<Value> = replaced.iter().map(|entry| self.render_entry(entry)).collect();
        for entry in replaced {
            self.world.clockify.entries.insert(entry.id, entry);
        }
        Ok(Answer::ok(Value::Array(rows)))
    }

    /// An entry with what a body says in place of what it was; approvals and invoices are not the body's to say.
    fn replaced(&self, before: &TimeEntry, body: &Value) -> Result<TimeEntry, Refusal> {
        self.refuse_locked(before)?;
        let TimeEntry { id, user, approved, invoiced, .. } = *before;
        Ok(TimeEntry { approved, invoiced, ..self.read_entry(id, user, body)? })
    }

    /// Locked entries are nobody's to change (live probe, third party).
    fn refuse_locked(&self, entry: &TimeEntry) -> Result<(), Refusal> {
        if self.world.clockify.tracking.locks(entry) {
            return Err(Refusal::new(403, 1003, "Time entry is locked"));
        }
        Ok(())
    }

    fn read_entry(&self, id: ClockifyId, user: ClockifyId, body: &Value) -> Result<TimeEntry, Refusal> {
        let instant = |key: &str| match body.get(key).and_then(Value::as_str) {
            None => Ok(None),
            Some(text) => text
                .parse::<Timestamp>()
                .map(Some)
                .map_err(|_| Refusal::unparsable(&format!("`{key}` into an instant"))),
        };
        let named = |key: &str| body.get(key).and_then(Value::as_str).filter(|id| !id.is_empty());
        let list = |key: &str| body.get(key).and_then(Value::as_array).into_iter().flatten();
        let kind = named("type").unwrap_or(REGULAR);
        if !["REGULAR", "BREAK"].contains(&kind) {
            return Err(Refusal::unparsable(&format!("`type` from {kind}")));
        }
        let project = named("projectId").map(|id| self.seen_project(id)).transpose()?;
        let task = match named("taskId") {
            None => None,
            Some(id) => {
                let task = ClockifyId::parse(id).and_then(|id| self.world.clockify.tasks.get(id));
                let task = task.filter(|task| project.is_some_and(|project| project.id == task.project));
                Some(task.ok_or_else(|| Refusal::rule("Task doesn't belong to Project"))?.id)
            }
        };
        Ok(TimeEntry {
            id,
            user,
            project: project.map(|project| project.id),
            task,
            description: optional_text(body, "description", DESCRIPTION_MAX)?.unwrap_or_default(),
            start: instant("start")?.unwrap_or_else(|| self.world.now()),
            end: instant("end")?,
            billable: optional_flag(body, "billable")?.unwrap_or(false),
            approved: false,
            invoiced: false,
            // What a body does not say is reset.
            tags: list("tagIds").filter_map(|tag| tag.as_str().map(str::to_owned)).collect(),
            custom_fields: list("customFields").cloned().collect(),
            kind: kind.to_owned(),
        })
    }

    pub(super) fn delete_entry(&mut self, id: &str) -> Outcome {
        let entry = self.seen_entry(id)?;
        self.refuse_locked(entry)?;
        let id = entry.id;
        self.world.clockify.entries.remove(id);
        Ok(Answer { status: 204, headers: Vec::new(), body: None })
    }
}
