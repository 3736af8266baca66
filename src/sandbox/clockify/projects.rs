//! Projects.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    Answer, Call, NameRule, Outcome, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, Refusal, answer_page, duration_of,
    duration_text, optional_flag, optional_text,
};
use crate::sandbox::ids::ClockifyId;
use crate::sandbox::world::objects::membership;
use crate::sandbox::world::{Project, TimeEntry};

const NAME: NameRule =
    NameRule { what: "Project", min: 2, max: 250, missing: "Project name has to be between 2 and 250 characters long" };
/// Characters of a project's note (Clockify docs).
const NOTE_MAX: usize = 16_384;

/// A client of a request: nothing said, none wanted, or one.
enum ClientField {
    Unsaid,
    Nobody,
    Client(ClockifyId),
}

impl Call<'_> {
    pub(super) fn list_projects(&mut self) -> Outcome {
        let archived = self.flag("archived")?;
        let billable = self.flag("billable")?;
        let contains_client = self.flag("contains-client")?.unwrap_or(true);
        let hydrated = self.flag("hydrated")?.unwrap_or(false);
        let named = self.name_filter(true)?;
        let descending = self.descending()?;
        let column = self.request.parameter("sort-column").unwrap_or("NAME").to_owned();
        if !["ID", "NAME", "CLIENT_NAME", "DURATION", "BUDGET", "PROGRESS"].contains(&column.as_str()) {
            return Err(Refusal::parameter("sort-column", &column));
        }
        let clients = self.request.parameters("clients").flat_map(|value| value.split(','));
        let clients: Vec<String> = clients.filter(|id| !id.is_empty()).map(str::to_owned).collect();

        let mut projects = self.world.clockify.projects.listing(|_| true);
        projects.retain(|project| self.sees(project));
        projects.retain(|project| {
            let client = project.client.map(|id| id.to_string()).unwrap_or_default();
            archived.is_none_or(|archived| archived == project.archived)
                && billable.is_none_or(|billable| billable == project.billable)
                && (clients.is_empty() || clients.contains(&client) == contains_client)
                && named(&project.name)
        });
        projects.sort_by_key(|project| {
            let name = project.name.to_lowercase();
            match column.as_str() {
                "ID" => (String::new(), 0, project.id),
                "CLIENT_NAME" => (self.client_name(project).to_lowercase(), 0, project.id),
                "DURATION" => (String::new(), self.world.tracked_seconds(project.id), project.id),
                _ => (name, 0, project.id),
            }
        });
        if descending {
            projects.reverse();
        }
        let (projects, last) = self.cut(projects, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)?;
        let mut tasks: HashMap<ClockifyId, Vec<Value>> = HashMap::new();
        if hydrated {
            let shown: HashSet<ClockifyId> = projects.iter().map(|project| project.id).collect();
            // The task of a project that is not shown yet grows older all the same.
            self.world.clockify.tasks.pass(|task| !shown.contains(&task.project));
            for task in self.world.clockify.tasks.listing(|task| shown.contains(&task.project)) {
                tasks.entry(task.project).or_default().push(self.render_task(&task));
            }
        }
        let mut rows = Vec::new();
        for project in &projects {
            let mut row = self.render_project(project);
            if hydrated {
                self.hydrate(&mut row, project, tasks.remove(&project.id).unwrap_or_default());
            }
            rows.push(row);
        }
        Ok(answer_page(rows, last))
    }

    /// What `hydrated=true` adds; inferred from several independent clients, hence the knobs.
    fn hydrate(&self, row: &mut Value, project: &Project, tasks: Vec<Value>) {
        let client = project.client.and_then(|id| self.world.clockify.clients.get(id));
        row["client"] = client.map_or(Value::Null, |client| self.render_client(client));
        row["customFields"] = json!([]);
        if self.knobs.hydrated_tasks {
            row["tasks"] = Value::Array(tasks);
        }
        if let (true, Some(row)) = (self.knobs.hydrated_client_only, row.as_object_mut()) {
            row.remove("clientId");
            row.remove("clientName");
        }
    }

    fn client_name(&self, project: &Project) -> String {
        let client = project.client.and_then(|id| self.world.clockify.clients.get(id));
        client.map(|client| client.name.clone()).unwrap_or_default()
    }

    /// The key set of a recorded answer, which has more than the documented one.
    fn render_project(&self, project: &Project) -> Value {
        let tracked = self.world.clockify.entries.values().filter(|entry| entry.project == Some(project.id));
        let duration = duration_text(tracked.map(TimeEntry::seconds).sum());
        let estimate = match project.time_estimate["estimate"].as_str() {
            Some(estimate) => json!({"estimate": estimate, "type": project.time_estimate["type"]}),
            None => json!({"estimate": "PT0S", "type": "AUTO"}),
        };
        json!({
            "id": project.id, "name": project.name, "hourlyRate": project.hourly_rate,
            "clientId": project.client.map(|id| id.to_string()).unwrap_or_default(),
            "workspaceId": self.world.clockify.workspace_id, "billable": project.billable,
            "memberships": project.memberships, "color": project.color, "estimate": estimate,
            "archived": project.archived, "duration": duration, "clientName": self.client_name(project),
            "note": project.note, "costRate": project.cost_rate, "timeEstimate": project.time_estimate,
            "budgetEstimate": project.budget_estimate, "estimateReset": null,
            "public": project.public, "template": project.template,
        })
    }

    pub(super) fn seen_project(&self, id: &str) -> Result<&Project, Refusal> {
        let project = ClockifyId::parse(id).and_then(|id| self.world.clockify.projects.get(id));
        project.filter(|project| self.sees(project)).ok_or_else(|| Refusal::not_in_workspace("Project"))
    }

    pub(super) fn get_project(&self, id: &str) -> Outcome {
        let project = self.seen_project(id)?;
        let mut row = self.render_project(project);
        if self.flag("hydrated")?.unwrap_or(false) {
            let tasks = self.world.clockify.tasks.values().filter(|task| task.project == project.id);
            let tasks = tasks.map(|task| self.render_task(task)).collect();
            self.hydrate(&mut row, project, tasks);
        }
        Ok(Answer::ok(row))
    }

    /// Unique per client; archived ones count; no client is a namespace of its own. The message has two spaces then
    /// (official extension).
    fn refuse_taken_project(
        &self,
        name: &str,
        client: Option<ClockifyId>,
        besides: Option<ClockifyId>,
    ) -> Result<(), Refusal> {
        let siblings = self.world.clockify.projects.values();
        let mut siblings = siblings.filter(|project| project.client == client && Some(project.id) != besides);
        if self.knobs.unique_names && siblings.any(|project| self.same_name(&project.name, name)) {
            let client = client.and_then(|id| self.world.clockify.clients.get(id));
            let client = client.map(|client| client.name.as_str()).unwrap_or_default();
            return Err(Refusal::rule(format!("{name} project for client {client} already exists.")));
        }
        Ok(())
    }

    fn wanted_client(&self, body: &Value) -> Result<ClientField, Refusal> {
        match body.get("clientId") {
            None => Ok(ClientField::Unsaid),
            Some(Value::Null) => Ok(ClientField::Nobody),
            Some(Value::String(id)) if id.is_empty() => Ok(ClientField::Nobody),
            Some(Value::String(id)) => self.seen_client(id).map(|client| ClientField::Client(client.id)),
            Some(_) => Err(Refusal::unparsable("`clientId` into a string")),
        }
    }

    /// Creates a project and, with `tasks`, everything in it: all or nothing.
    pub(super) fn create_project(&mut self) -> Outcome {
        let body = self.body()?.clone();
        let name = self.stored_name(&body["name"], &NAME)?;
        let client = match self.wanted_client(&body)? {
            ClientField::Client(id) => Some(id),
            ClientField::Unsaid | ClientField::Nobody => None,
        };
        let color = color(&body)?;
        let note = optional_text(&body, "note", NOTE_MAX)?;
        let public = optional_flag(&body, "isPublic")?;
        let billable = optional_flag(&body, "billable")?;
        let (hourly_rate, cost_rate) = (rate(&body, "hourlyRate")?, rate(&body, "costRate")?);
        let estimate = body.get("estimate").filter(|estimate| !estimate.is_null());
        let estimate = estimate.map(|estimate| self.read_estimate(estimate)).transpose()?;
        self.refuse_unknown_members(&body["memberships"])?;
        self.refuse_taken_project(&name, client, None)?;
        let tasks = body["tasks"].as_array().into_iter().flatten();
        let tasks = tasks.map(|task| self.read_task(task, None)).collect::<Result<Vec<_>, _>>()?;
        for (index, task) in tasks.iter().enumerate() {
            if self.knobs.unique_names && tasks[..index].iter().any(|other| self.same_name(&other.name, &task.name)) {
                return Err(Refusal::rule(format!("Task with name '{}' already exists", task.name)));
            }
        }

        let id = self.world.add_project(&name, client);
        if let Some(project) = self.world.clockify.projects.remove(id) {
            self.world.clockify.projects.lag(id, self.knobs.clockify_lag);
            let project = Project {
                public: public.unwrap_or(project.public),
                billable: billable.unwrap_or(project.billable),
                color: color.unwrap_or(project.color),
                note: note.unwrap_or_default(),
                hourly_rate: hourly_rate.unwrap_or_default(),
                cost_rate: cost_rate.unwrap_or_default(),
                time_estimate: estimate.unwrap_or_default(),
                memberships: vec![membership(self.user, id)],
                ..project
            };
            self.world.clockify.projects.insert(id, project);
        }
        for task in tasks {
            self.insert_task(id, task);
        }
        let project = self.seen_project(&id.to_string())?;
        Ok(Answer::new(201, self.render_project(project)))
    }

    /// Private projects with unknown members are refused (issue of a client).
    fn refuse_unknown_members(&self, memberships: &Value) -> Result<(), Refusal> {
        let members = &self.world.clockify.members;
        let mut users = memberships.as_array().into_iter().flatten().map(|member| &member["userId"]);
        let known = |user: &Value| members.iter().any(|member| Some(member.id.to_string().as_str()) == user.as_str());
        if users.any(|user| !known(user)) {
            return Err(Refusal::not_in_workspace("User"));
        }
        Ok(())
    }

    /// `isPublic` and `billable` fall back to false when they are omitted; everything else is kept (live probe, third
    /// party). The client is cleared by `""` or null, which nobody has documented.
    pub(super) fn update_project(&mut self, id: &str) -> Outcome {
        let project = self.seen_project(id)?.clone();
        let body = self.body()?.clone();
        let name = match body.get("name") {
            None => project.name.clone(),
            Some(name) => self.stored_name(name, &NAME)?,
        };
        let client = match self.wanted_client(&body)? {
            ClientField::Unsaid => project.client,
            ClientField::Nobody => None,
            ClientField::Client(id) => Some(id),
        };
        let changed = Project {
            public: optional_flag(&body, "isPublic")?.unwrap_or(false),
            billable: optional_flag(&body, "billable")?.unwrap_or(false),
            archived: optional_flag(&body, "archived")?.unwrap_or(project.archived),
            color: color(&body)?.unwrap_or(project.color),
            note: optional_text(&body, "note", NOTE_MAX)?.unwrap_or(project.note),
            hourly_rate: rate(&body, "hourlyRate")?.unwrap_or(project.hourly_rate),
            cost_rate: rate(&body, "costRate")?.unwrap_or(project.cost_rate),
            name,
            client,
            ..project
        };
        self.refuse_taken_project(&changed.name, changed.client, Some(changed.id))?;
        self.world.clockify.projects.lag(changed.id, self.knobs.clockify_lag);
        let answer = Answer::ok(self.render_project(&changed));
        self.world.edit_project(changed.id, |project| *project = changed);
        Ok(answer)
    }

    /// What omission does is unknown; here an estimate that is not said is gone, the harsher reading.
    pub(super) fn update_estimate(&mut self, id: &str) -> Outcome {
        let project = self.seen_project(id)?.id;
        let body = self.body()?.clone();
        let estimate = match body.get("timeEstimate") {
            None | Some(Value::Null) => Value::Null,
            Some(estimate) => self.read_estimate(estimate)?,
        };
        if self.knobs.estimates_refused {
            return Err(Refusal::denied());
        }
        self.world.clockify.projects.lag(project, self.knobs.clockify_lag);
        self.world.edit_project(project, |project| {
            project.time_estimate = estimate;
            project.budget_estimate = body.get("budgetEstimate").cloned().unwrap_or_default();
        });
        self.get_project(id)
    }

    fn read_estimate(&self, estimate: &Value) -> Result<Value, Refusal> {
        let duration = duration_of(estimate, "estimate")?.unwrap_or_else(|| "PT0S".to_owned());
        if self.knobs.estimates_refused && duration != "PT0S" {
            return Err(Refusal::denied());
        }
        let duration = if self.knobs.estimates_dropped { "PT0S".to_owned() } else { duration };
        let kind = estimate["type"].as_str().unwrap_or("AUTO");
        if !["AUTO", "MANUAL"].contains(&kind) {
            return Err(Refusal::unparsable("`type` of the estimate"));
        }
        Ok(json!({
            "estimate": duration, "type": kind, "resetOption": estimate.get("resetOption"),
            "active": estimate["active"].as_bool().unwrap_or(true),
            "includeNonBillable": estimate["includeNonBillable"].as_bool().unwrap_or(true),
        }))
    }

    pub(super) fn delete_project(&mut self, id: &str) -> Outcome {
        let project = self.seen_project(id)?.clone();
        if !project.archived {
            return Err(Refusal::rule("Cannot delete an active project"));
        }
        let answer = Answer::ok(self.render_project(&project));
        self.world.delete_object(project.id);
        Ok(answer)
    }
}

/// `#RRGGBB` (Clockify docs).
fn color(body: &Value) -> Result<Option<String>, Refusal> {
    let Some(color) = optional_text(body, "color", 7)? else {
        return Ok(None);
    };
    let digits = color.strip_prefix('#').filter(|digits| digits.len() == 6);
    match digits {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(Some(color)),
        _ => Err(Refusal::rule("You entered invalid value for field: [color]")),
    }
}

/// A rate in minor units, never negative (recorded message).
pub(super) fn rate(body: &Value, key: &str) -> Result<Option<Value>, Refusal> {
    let Some(rate) = body.get(key).filter(|rate| !rate.is_null()) else {
        return Ok(None);
    };
    match rate["amount"].as_i64() {
        Some(amount) if amount >= 0 => Ok(Some(json!({"amount": amount, "currency": "EUR"}))),
        Some(_) => Err(Refusal::rule("Amount has to be a positive value.")),
        None => Err(Refusal::unparsable(&format!("`{key}` into a rate"))),
    }
}
