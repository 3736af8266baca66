//! Clients.

use serde_json::{Value, json};

use super::{Answer, Call, NameRule, Outcome, Refusal, optional_flag, optional_text};
use crate::sandbox::ids::ClockifyId;
use crate::sandbox::world::Client;

const NAME: NameRule = NameRule { what: "Client", min: 1, max: 100, missing: "Client name is required" };
/// Characters of a client's note and address (Clockify docs).
const TEXT_MAX: usize = 3000;
/// Addresses that get copies (live probe, third party).
const CC_MAX: usize = 3;

impl Call<'_> {
    pub(super) fn list_clients(&mut self) -> Outcome {
        let archived = self.flag("archived")?;
        let named = self.name_filter(false)?;
        let descending = self.descending()?;
        if let Some(column) = self.request.parameter("sort-column").filter(|column| *column != "NAME") {
            return Err(Refusal::parameter("sort-column", column));
        }
        let mut clients = self.world.clockify.clients.listing(|_| true);
        clients.retain(|client| archived.is_none_or(|archived| archived == client.archived) && named(&client.name));
        clients.sort_unstable_by_key(|client| (client.name.to_lowercase(), client.id));
        if descending {
            clients.reverse();
        }
        self.page(clients.iter().map(|client| self.render_client(client)).collect())
    }

    pub(super) fn render_client(&self, client: &Client) -> Value {
        json!({
            "id": client.id, "name": client.name, "email": client.email,
            "workspaceId": self.world.clockify.workspace_id, "archived": client.archived,
            "address": client.address, "note": client.note,
            "currencyId": self.world.clockify.currency_id, "currencyCode": "EUR",
            "ccEmails": client.cc_emails,
        })
    }

    pub(super) fn seen_client(&self, id: &str) -> Result<&Client, Refusal> {
        let client = ClockifyId::parse(id).and_then(|id| self.world.clockify.clients.get(id));
        client.ok_or_else(|| Refusal::not_in_workspace("Client"))
    }

    pub(super) fn get_client(&self, id: &str) -> Outcome {
        self.seen_client(id).map(|client| Answer::ok(self.render_client(client)))
    }

    /// Archived clients hold their names too (live probe, third party).
    fn refuse_taken_client(&self, name: &str, besides: Option<ClockifyId>) -> Result<(), Refusal> {
        let mut others = self.world.clockify.clients.values().filter(|client| Some(client.id) != besides);
        if self.knobs.unique_names && others.any(|client| self.same_name(&client.name, name)) {
            return Err(Refusal::rule(format!("Client with name '{name}' already exists")));
        }
        Ok(())
    }

    /// `ccEmails` and the currency are dropped on creation (live probe, third party).
    pub(super) fn create_client(&mut self) -> Outcome {
        let body = self.body()?;
        let name = self.stored_name(&body["name"], &NAME)?;
        let email = email(body)?;
        let address = optional_text(body, "address", TEXT_MAX)?;
        let note = optional_text(body, "note", TEXT_MAX)?;
        self.refuse_taken_client(&name, None)?;
        let id = self.world.add_client(&name);
        // Absent until so many lists have passed: what was before is "nothing".
        if let Some(client) = self.world.clockify.clients.remove(id) {
            self.world.clockify.clients.lag(id, self.knobs.clockify_lag);
            self.world.clockify.clients.insert(id, Client { email, address, note, ..client });
        }
        let client = self.seen_client(&id.to_string())?;
        Ok(Answer::new(201, self.render_client(client)))
    }

    /// A replacing PUT: what is omitted is cleared. Proved for `ccEmails`; assumed for the other texts and, as tags do,
    /// for `archived`. The answer has no `currencyCode`.
    pub(super) fn update_client(&mut self, id: &str) -> Outcome {
        let client = self.seen_client(id)?.clone();
        let body = self.body()?;
        let name = self.stored_name(&body["name"], &NAME)?;
        let email = email(body)?;
        let address = optional_text(body, "address", TEXT_MAX)?;
        let note = optional_text(body, "note", TEXT_MAX)?;
        let archived = optional_flag(body, "archived")?.unwrap_or(false);
        let cc_emails: Option<Vec<String>> = match body.get("ccEmails") {
            None | Some(Value::Null) => None,
            Some(emails) => Some(
                serde_json::from_value(emails.clone())
                    .map_err(|_| Refusal::unparsable("`ccEmails` into a list of strings"))?,
            ),
        };
        if cc_emails.as_ref().is_some_and(|emails| emails.len() > CC_MAX) {
            return Err(Refusal::rule("You entered invalid value for field: [ccEmails]"));
        }
        self.refuse_taken_client(&name, Some(client.id))?;
        let archive_projects = self.flag("archive-projects")?.unwrap_or(false);
        let tasks_done = self.flag("mark-tasks-as-done")?.unwrap_or(false);

        let id = client.id;
        self.world.clockify.clients.lag(id, self.knobs.clockify_lag);
        self.world.edit_client(id, |kept| {
            *kept = Client { id, name, email, address, note, archived, cc_emails };
        });
        if archived {
            self.cascade(id, archive_projects, tasks_done);
        }
        let mut body = self.render_client(self.seen_client(&id.to_string())?);
        if let Some(body) = body.as_object_mut() {
            body.remove("currencyCode");
        }
        Ok(Answer::ok(body))
    }

    /// Projects of an archived client stay active unless the flags say otherwise (Clockify docs).
    fn cascade(&mut self, client: ClockifyId, archive_projects: bool, tasks_done: bool) {
        let projects = self.world.clockify.projects.values().filter(|project| project.client == Some(client));
        let projects: Vec<ClockifyId> = projects.map(|project| project.id).collect();
        for project in projects {
            if archive_projects {
                self.world.edit_project(project, |project| project.archived = true);
            }
            for task in self.world.clockify.tasks.values_mut() {
                task.done |= tasks_done && task.project == project;
            }
        }
    }

    pub(super) fn delete_client(&mut self, id: &str) -> Outcome {
        let client = self.seen_client(id)?.clone();
        if !client.archived {
            return Err(Refusal::rule("Cannot delete an active client"));
        }
        self.world.delete_object(client.id);
        Ok(Answer::ok(self.render_client(&client)))
    }
}

/// An address of a body; the document says that it has the form of one.
fn email(body: &Value) -> Result<Option<String>, Refusal> {
    match optional_text(body, "email", TEXT_MAX)? {
        Some(email) if !email.contains('@') => Err(Refusal::rule("You entered invalid value for field: [email]")),
        email => Ok(email),
    }
}
