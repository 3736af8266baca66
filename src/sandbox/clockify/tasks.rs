//! Tasks.

use serde_json::{Value, json};

use super::{Answer, Call, NameRule, Outcome, Refusal, duration_of, duration_text, optional_flag, projects::rate};
use crate::sandbox::ids::ClockifyId;
use crate::sandbox::world::{Task, TimeEntry};

const NAME: NameRule =
    NameRule { what: "Task", min: 1, max: 1000, missing: "Task name has to be between 1 and 1000 characters long" };

/// A task of a request, before it has a project.
pub(super) struct Asked {
    pub(super) name: String,
    done: bool,
    assignee_ids: Vec<String>,
    user_group_ids: Vec<String>,
    estimate: String,
    budget_estimate: Value,
    billable: Option<bool>,
}

impl Call<'_> {
    pub(super) fn list_tasks(&mut self, project: &str) -> Outcome {
        let project = self.seen_project(project)?.id;
        let active = self.flag("is-active")?;
        let named = self.name_filter(true)?;
        let descending = self.descending()?;
        let column = self.request.parameter("sort-column").unwrap_or("NAME").to_owned();
        if !["ID", "NAME"].contains(&column.as_str()) {
            return Err(Refusal::parameter("sort-column", &column));
        }
        let mut tasks = self.world.clockify.tasks.listing(|task| task.project == project);
        tasks.retain(|task| active.is_none_or(|active| active != task.done) && named(&task.name));
        tasks.sort_by_key(|task| {
            let name = if column == "ID" { String::new() } else { task.name.to_lowercase() };
            (name, task.id)
        });
        if descending {
            tasks.reverse();
        }
        self.page(tasks.iter().map(|task| self.render_task(task)).collect())
    }

    pub(super) fn render_task(&self, task: &Task) -> Value {
        let tracked = self.world.clockify.entries.values().filter(|entry| entry.task == Some(task.id));
        json!({
            "id": task.id, "name": task.name, "projectId": task.project,
            "assigneeIds": task.assignee_ids,
            "assigneeId": task.assignee_ids.first().cloned().unwrap_or_default(),
            "userGroupIds": task.user_group_ids, "estimate": task.estimate,
            "status": if task.done { "DONE" } else { "ACTIVE" },
            "budgetEstimate": task.budget_estimate, "billable": task.billable,
            "hourlyRate": task.hourly_rate, "costRate": task.cost_rate,
            "duration": duration_text(tracked.map(TimeEntry::seconds).sum()),
        })
    }

    fn seen_task(&self, project: &str, id: &str) -> Result<&Task, Refusal> {
        let project = self.seen_project(project)?.id;
        let task = ClockifyId::parse(id).and_then(|id| self.world.clockify.tasks.get(id));
        let task = task.ok_or_else(|| Refusal::not_in_workspace("Task"))?;
        if task.project != project {
            return Err(Refusal::rule("Task doesn't belong to Project"));
        }
        Ok(task)
    }

    pub(super) fn get_task(&self, project: &str, id: &str) -> Outcome {
        self.seen_task(project, id).map(|task| Answer::ok(self.render_task(task)))
    }

    /// Reads a task of a body; what is omitted takes its default, except the status, which `before` keeps.
    pub(super) fn read_task(&self, body: &Value, before: Option<&Task>) -> Result<Asked, Refusal> {
        let name = self.stored_name(&body["name"], &NAME)?;
        let done = match body.get("status") {
            None | Some(Value::Null) => before.is_some_and(|task| task.done),
            Some(Value::String(status)) if status == "ACTIVE" || status == "ALL" => false,
            Some(Value::String(status)) if status == "DONE" => true,
            Some(status) => return Err(Refusal::unparsable(&format!("`status` from {status}"))),
        };
        let assignee_ids = texts(body, "assigneeIds")?;
        let known = |id: &String| self.world.clockify.members.iter().any(|member| member.id.to_string() == *id);
        if !assignee_ids.iter().all(known) {
            return Err(Refusal::not_in_workspace("User"));
        }
        let estimate = duration_of(body, "estimate")?.unwrap_or_else(|| "PT0S".to_owned());
        if self.knobs.estimates_refused && estimate != "PT0S" {
            return Err(Refusal::denied());
        }
        Ok(Asked {
            name,
            done,
            assignee_ids,
            user_group_ids: texts(body, "userGroupIds")?,
            estimate: if self.knobs.estimates_dropped { "PT0S".to_owned() } else { estimate },
            budget_estimate: body.get("budgetEstimate").cloned().unwrap_or(json!(0)),
            billable: optional_flag(body, "billable")?,
        })
    }

    /// DONE tasks are taken to hold their names, as archived clients and projects do.
    fn refuse_taken_task(&self, name: &str, project: ClockifyId, besides: Option<ClockifyId>) -> Result<(), Refusal> {
        let siblings = self.world.clockify.tasks.values();
        let mut siblings = siblings.filter(|task| task.project == project && Some(task.id) != besides);
        if self.knobs.unique_names && siblings.any(|task| self.same_name(&task.name, name)) {
            return Err(Refusal::rule(format!("Task with name '{name}' already exists")));
        }
        Ok(())
    }

    pub(super) fn create_task(&mut self, project: &str) -> Outcome {
        let project = self.seen_project(project)?.id;
        let asked = self.read_task(self.body()?, None)?;
        self.refuse_taken_task(&asked.name, project, None)?;
        let id = self.insert_task(project, asked);
        let task = self.world.clockify.tasks.get(id);
        let task = task.ok_or_else(|| Refusal::not_in_workspace("Task"))?;
        Ok(Answer::new(201, self.render_task(task)))
    }

    /// `billable` counts although the documented request lacks it (live probe, third party).
    pub(super) fn insert_task(&mut self, project: ClockifyId, asked: Asked) -> ClockifyId {
        let id = self.world.add_task(&asked.name, project);
        if let Some(task) = self.world.clockify.tasks.remove(id) {
            self.world.clockify.tasks.lag(id, self.knobs.clockify_lag);
            let billable = asked.billable.unwrap_or(task.billable);
            self.world.clockify.tasks.insert(id, asked.into_task(&task, billable));
        }
        id
    }

    /// What omission does is unknown; here it resets assignees, estimate and billable, the harsher reading. There is no
    /// move: a `projectId` in the body is ignored.
    pub(super) fn update_task(&mut self, project: &str, id: &str) -> Outcome {
        let task = self.seen_task(project, id)?.clone();
        let asked = self.read_task(self.body()?, Some(&task))?;
        self.refuse_taken_task(&asked.name, task.project, Some(task.id))?;
        self.world.clockify.tasks.lag(task.id, self.knobs.clockify_lag);
        let billable = asked.billable.unwrap_or(false);
        let changed = asked.into_task(&task, billable);
        let answer = Answer::ok(self.render_task(&changed));
        self.world.edit_task(task.id, |task| *task = changed);
        Ok(answer)
    }

    /// `which` is the last segment of the path: `hourly-rate` or `cost-rate`.
    pub(super) fn set_task_rate(&mut self, project: &str, id: &str, which: &str) -> Outcome {
        let id = self.seen_task(project, id)?.id;
        let body = self.body()?.clone();
        let rate = rate(&json!({"rate": body}), "rate")?.unwrap_or_default();
        self.world.clockify.tasks.lag(id, self.knobs.clockify_lag);
        self.world.edit_task(id, |task| {
            *if which == "hourly-rate" { &mut task.hourly_rate } else { &mut task.cost_rate } = rate;
        });
        self.get_task(project, &id.to_string())
    }

    pub(super) fn delete_task(&mut self, project: &str, id: &str) -> Outcome {
        let task = self.seen_task(project, id)?.clone();
        if !task.done {
            return Err(Refusal::rule("Cannot delete an active task"));
        }
        let answer = Answer::ok(self.render_task(&task));
        self.world.delete_object(task.id);
        Ok(answer)
    }
}

impl Asked {
    /// The task with what was asked for; its rates have requests of their own.
    fn into_task(self, task: &Task, billable: bool) -> Task {
        Task {
            name: self.name,
            done: self.done,
            assignee_ids: self.assignee_ids,
            user_group_ids: self.user_group_ids,
            estimate: self.estimate,
            budget_estimate: self.budget_estimate,
            billable,
            ..task.clone()
        }
    }
}

fn texts(body: &Value, key: &str) -> Result<Vec<String>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(list) => serde_json::from_value(list.clone())
            .map_err(|_| Refusal::unparsable(&format!("`{key}` into a list of strings"))),
    }
}
