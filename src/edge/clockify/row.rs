//! A client, project or task as last read, what it looks like to us, and the bodies that change it.
//!
//! The wanted row is the row as last read with the planned fields set, and a body is as much of it as keeps a PUT from
//! resetting anything.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{
    duration::{iso_duration, parse_duration},
    impossible, marker,
    wire::{ClientRow, EstimateRow, ProjectRow, TaskRow, Users},
};
use crate::{
    domain::{
        model::{Estimating, Field, InvalidId, Kind, Nature, Object, ObjectId, PageId, Reading, Value, Values},
        rules::has_room_for_marker,
        text::{Raw, Shown},
    },
    edge::http::{Failure, shown},
};

/// Why a value is not known that a row should have.
const NOT_SAID: &str = "Clockify does not say it";

/// A client, project or task as last read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ObjectRow {
    Client(ClientRow),
    Project(ProjectRow),
    Task(TaskRow),
}

/// Reads the row of a known kind.
pub(super) fn row(kind: Kind, json: &[u8]) -> Result<ObjectRow, serde_json::Error> {
    Ok(match kind {
        Kind::Client => ObjectRow::Client(serde_json::from_slice(json)?),
        Kind::Project => ObjectRow::Project(serde_json::from_slice(json)?),
        Kind::Task => ObjectRow::Task(serde_json::from_slice(json)?),
    })
}

fn mismatch(field: Field, value: &Value) -> Failure {
    impossible(format!("the field {field} cannot hold {}", value.to_raw().shown()))
}

/// Text, with `""` for nothing: a null may count as an omission, and omitted text is kept (live probe, third party).
fn text(field: Field, value: &Value) -> Result<Option<String>, Failure> {
    match value {
        Value::Text(text) => Ok(Some(text.exact().to_owned())),
        Value::Empty => Ok(Some(String::new())),
        _ => Err(mismatch(field, value)),
    }
}

/// A note with new text; a marker that it has stays where there is room.
fn note(kind: Kind, value: &Value, before: Option<&str>) -> Result<Option<String>, Failure> {
    let text = text(Field::Note, value)?;
    Ok(match before.and_then(marker::of).filter(|_| has_room_for_marker(kind, Some(value))) {
        Some(page) => Some(marker::join(&text.unwrap_or_default(), page)),
        None => text,
    })
}

/// An unset flag is no instruction: the flag stays as it is.
fn flag(field: Field, value: &Value, before: Option<bool>) -> Result<Option<bool>, Failure> {
    match value {
        Value::Flag(flag) => Ok(Some(*flag)),
        Value::Empty => Ok(before),
        _ => Err(mismatch(field, value)),
    }
}

fn name(field: Field, value: &Value) -> Result<String, Failure> {
    match value {
        Value::Text(text) => Ok(text.exact().to_owned()),
        _ => Err(mismatch(field, value)),
    }
}

fn closed(field: Field, value: &Value) -> Result<bool, Failure> {
    match value {
        Value::Closed(closed) => Ok(*closed),
        _ => Err(mismatch(field, value)),
    }
}

fn seconds(field: Field, value: &Value) -> Result<u64, Failure> {
    match value {
        Value::Seconds(seconds) => Ok(*seconds),
        Value::Empty => Ok(0),
        _ => Err(mismatch(field, value)),
    }
}

impl ObjectRow {
    /// A row of this kind with a name and nothing else: where a create starts from.
    pub(super) fn new(kind: Kind, parent: Option<ObjectId>, name: &Raw) -> Self {
        let name = name.exact().to_owned();
        let parent = parent.map(|id| id.to_string());
        match kind {
            Kind::Client => Self::Client(ClientRow { name, ..ClientRow::default() }),
            Kind::Project => Self::Project(ProjectRow { name, client_id: parent, ..ProjectRow::default() }),
            Kind::Task => Self::Task(TaskRow { name, project_id: parent.unwrap_or_default(), ..TaskRow::default() }),
        }
    }

    /// The row of a task with what another one has that a new one can be given, so that a task which moves loses
    /// nothing.
    pub(super) fn like(mut self, other: &Self) -> Self {
        if let (Self::Task(row), Self::Task(other)) = (&mut self, other) {
            let TaskRow {
                assignee_ids,
                user_group_ids,
                billable,
                estimate,
                budget_estimate,
                hourly_rate,
                cost_rate,
                ..
            } = other.clone();
            *row = TaskRow {
                assignee_ids,
                user_group_ids,
                billable,
                estimate,
                budget_estimate,
                hourly_rate,
                cost_rate,
                ..std::mem::take(row)
            };
        }
        self
    }

    /// The rates of a task, each by the end of the path that sets it, with its amount in minor units.
    pub(super) fn rates(&self) -> Vec<(&'static str, i64)> {
        let Self::Task(row) = self else { return Vec::new() };
        let rates = [("hourly-rate", &row.hourly_rate), ("cost-rate", &row.cost_rate)];
        rates.into_iter().filter_map(|(path, rate)| Some((path, rate.as_ref()?.amount?))).collect()
    }

    /// The row in the form that is kept, in which nothing is simply absent, so that no body says more than was read.
    pub(super) fn into_kept(mut self, parent: Option<ObjectId>) -> Self {
        match &mut self {
            Self::Client(row) => {
                // What may stand for "none" in an answer need not pass for an address in a request.
                row.email = row.email.take().filter(|email| !email.is_empty());
            }
            Self::Project(row) => {
                row.client_id = row.client_id.take().filter(|client| !client.is_empty());
            }
            Self::Task(row) => {
                // Plans without estimates might refuse even a zero (undocumented), and a zero needs no protection from
                // a reset.
                row.estimate =
                    row.estimate.take().filter(|estimate| parse_duration(estimate) != Some(0) && !estimate.is_empty());
                row.budget_estimate =
                    row.budget_estimate.take().filter(|budget| budget.as_f64().is_some_and(|budget| budget != 0.0));
                if let (true, Some(parent)) = (row.project_id.is_empty(), parent) {
                    row.project_id = parent.to_string();
                }
            }
        }
        self
    }

    pub(super) fn id(&self) -> Result<ObjectId, InvalidId> {
        match self {
            Self::Client(row) => row.id.parse(),
            Self::Project(row) => row.id.parse(),
            Self::Task(row) => row.id.parse(),
        }
    }

    /// The project of a task.
    pub(super) fn project(&self) -> Option<&str> {
        match self {
            Self::Task(row) => present(Some(&row.project_id)),
            Self::Client(_) | Self::Project(_) => None,
        }
    }

    /// The row as it should become.
    pub(super) fn with<'a>(
        mut self,
        fields: impl IntoIterator<Item = (&'a Field, &'a Value)>,
        users: &Users,
    ) -> Result<Self, Failure> {
        for (&field, value) in fields {
            match &mut self {
                Self::Client(row) => row.set(field, value)?,
                Self::Project(row) => row.set(field, value)?,
                Self::Task(row) => row.set(field, value, users)?,
            }
        }
        Ok(self)
    }

    /// The row with a link back to its page in its note, where it has one.
    pub(super) fn marked(mut self, page: Option<PageId>) -> Self {
        if let (Some(page), Self::Client(ClientRow { note, .. }) | Self::Project(ProjectRow { note, .. })) =
            (page, &mut self)
        {
            *note = Some(marker::join(note.as_deref().unwrap_or_default(), page));
        }
        self
    }

    /// The page that the note names as the one that is mirrored.
    fn marker(&self) -> Option<PageId> {
        match self {
            Self::Client(ClientRow { note, .. }) | Self::Project(ProjectRow { note, .. }) => {
                marker::of(note.as_deref()?)
            }
            Self::Task(_) => None,
        }
    }

    /// The body of a PUT that makes the row of what was read: what changes, and what would be reset by leaving it out.
    /// A client is replaced, and of a task nobody knows; a project keeps what is omitted but for two flags (live probe,
    /// third party).
    pub(super) fn body(&self, before: &Self) -> Json {
        let mut body = self.full_body();
        if let (Self::Project(_), Some(fields), before) = (self, body.as_object_mut(), before.full_body()) {
            fields.retain(|name, value| matches!(name.as_str(), "isPublic" | "billable") || before[name] != *value);
        }
        body
    }

    /// All that a PUT can say. What is unset stays omitted.
    fn full_body(&self) -> Json {
        let mut body = Body::default();
        match self {
            Self::Client(row) => {
                let ClientRow { id: _, name, email, address, note, archived, currency_id, cc_emails } = row;
                body.put("name", Some(name));
                body.put("email", email.as_ref());
                body.put("address", address.as_ref());
                body.put("note", note.as_ref());
                body.put("archived", archived.as_ref());
                body.put("currencyId", currency_id.as_ref());
                body.put("ccEmails", cc_emails.as_ref());
            }
            Self::Project(row) => {
                body.put("name", Some(&row.name));
                body.put("clientId", row.client_id.as_deref().or_else(|| row.client()));
                body.put("color", present(row.color.as_deref()));
                body.put("note", row.note.as_ref());
                body.put("isPublic", row.is_public());
                body.put("billable", row.billable);
                body.put("archived", row.archived);
            }
            Self::Task(row) => {
                let TaskRow { id: _, name, project_id: _, status, duration: _, .. } = row;
                body.put("name", Some(name));
                body.put("assigneeIds", row.assignee_ids.as_ref());
                body.put("userGroupIds", row.user_group_ids.as_ref());
                body.put("billable", row.billable);
                body.put("estimate", row.estimate.as_ref());
                body.put("budgetEstimate", row.budget_estimate.as_ref());
                body.put("status", present(Some(status)));
            }
        }
        Json::Object(body.0)
    }

    /// The body of a POST: no state of a client or project, since they begin active; a project's estimate, which a PUT
    /// does not take.
    pub(super) fn create_body(&self) -> Json {
        let mut body = self.full_body();
        if let (Some(body), Self::Client(_) | Self::Project(_)) = (body.as_object_mut(), self) {
            body.remove("archived");
            if let Self::Project(ProjectRow {
                time_estimate: Some(EstimateRow { estimate: Some(estimate), .. }), ..
            }) = self
            {
                body.insert("estimate".into(), json!({"estimate": estimate, "type": "MANUAL"}));
            }
        }
        body
    }

    /// The body of a PATCH of a project's estimate, with the other estimates as they are: what omission does is not
    /// documented.
    pub(super) fn estimate_body(&self) -> Json {
        let Self::Project(ProjectRow { time_estimate, budget_estimate, estimate_reset, .. }) = self else {
            return Json::Null;
        };
        let time_estimate = time_estimate.clone().unwrap_or_default();
        let EstimateRow { estimate, active: _, include_non_billable, reset_option, kind: _ } = time_estimate;
        let mut body = Body::default();
        body.put("active", Some(estimate.as_deref().and_then(parse_duration).is_some_and(|seconds| seconds > 0)));
        body.put("estimate", Some(estimate.unwrap_or_else(|| iso_duration(0))));
        body.put("type", Some("MANUAL"));
        body.put("includeNonBillable", Some(include_non_billable.unwrap_or(true)));
        body.put("resetOption", reset_option);
        let mut estimates = Body::default();
        estimates.put("timeEstimate", Some(body.0));
        estimates.put("budgetEstimate", budget_estimate.as_ref());
        estimates.put("estimateReset", estimate_reset.as_ref());
        Json::Object(estimates.0)
    }

    /// The object, with the values of the wanted fields.
    pub(super) fn object(&self, wanted: &BTreeSet<Field>, users: &Users) -> Result<Object, InvalidId> {
        let mut values = Values::default();
        for &field in wanted {
            if let Some(reading) = self.reading(field, users) {
                values.put(field, reading);
            }
        }
        let state = self.state();
        if let Err(because) = &state {
            values.put(Field::State, Reading::Unknown(because.clone()));
        }
        let (id, closed) = (self.id()?, state.unwrap_or_default());
        Ok(match self {
            Self::Client(row) => Object {
                id,
                kind: Kind::Client,
                name: row.name.as_str().into(),
                parent: None,
                closed,
                marker: self.marker(),
                values,
                tracked_seconds: None,
                nature: Nature::default(),
            },
            Self::Project(row) => Object {
                id,
                kind: Kind::Project,
                name: row.name.as_str().into(),
                parent: row.client().map(str::parse).transpose()?,
                closed,
                marker: self.marker(),
                values,
                tracked_seconds: row.duration.as_deref().and_then(parse_duration),
                nature: Nature { template: row.template, estimate: row.estimating() },
            },
            Self::Task(row) => Object {
                id,
                kind: Kind::Task,
                name: row.name.as_str().into(),
                parent: Some(row.project_id.parse()?),
                closed,
                marker: None,
                values,
                tracked_seconds: row.duration.as_deref().and_then(parse_duration),
                nature: Nature::default(),
            },
        })
    }

    /// Closed (true) or open (false), or why that is not known.
    fn state(&self) -> Result<bool, Shown> {
        match self {
            Self::Client(ClientRow { archived, .. }) | Self::Project(ProjectRow { archived, .. }) => {
                archived.ok_or_else(|| NOT_SAID.into())
            }
            Self::Task(TaskRow { status, .. }) => match status.as_str() {
                "ACTIVE" => Ok(false),
                "DONE" => Ok(true),
                "" => Err(NOT_SAID.into()),
                other => {
                    let status = shown(other);
                    Err(format!("Clockify says that its status is {status}, which means nothing to punchlist").into())
                }
            },
        }
    }

    /// What is read of a field, where the kind has it.
    fn reading(&self, field: Field, users: &Users) -> Option<Reading> {
        let flag = |flag: Option<bool>| flag.map(Value::Flag).ok_or_else(|| Shown::from(NOT_SAID));
        let estimate = |estimate: Option<&str>| {
            estimate_value(estimate)
                .ok_or_else(|| format!("{} is no duration", shown(estimate.unwrap_or_default())).into())
        };
        let value: Result<Value, Shown> = match (self, field) {
            (Self::Client(row), Field::Email) => Ok(text_value(row.email.as_deref())),
            (Self::Client(row), Field::Address) => Ok(text_value(row.address.as_deref())),
            (Self::Client(ClientRow { note, .. }) | Self::Project(ProjectRow { note, .. }), Field::Note) => {
                Ok(note.as_deref().map_or(Value::Empty, |note| Value::text(&marker::around(note))))
            }
            (Self::Project(row), Field::Color) => {
                Ok(text_value(row.color.as_deref().map(str::to_lowercase).as_deref()))
            }
            (Self::Project(row), Field::Billable) => flag(row.billable),
            (Self::Project(row), Field::Public) => flag(row.is_public()),
            (Self::Project(row), Field::Estimate) => estimate(row.estimate()),
            (Self::Task(row), Field::Estimate) => estimate(row.estimate.as_deref()),
            (Self::Task(row), Field::Billable) => flag(row.billable),
            (Self::Task(row), Field::Assignees) => {
                let people: Option<BTreeSet<Raw>> =
                    row.assignee_ids.iter().flatten().map(|id| users.email(id)).collect();
                let people = people.ok_or_else(|| "the address of one of its assignees is not shown to the key".into());
                people.map(|people| if people.is_empty() { Value::Empty } else { Value::People(people) })
            }
            _ => return None,
        };
        Some(value.map_or_else(Reading::Unknown, Reading::Known))
    }
}

impl ClientRow {
    fn set(&mut self, field: Field, value: &Value) -> Result<(), Failure> {
        match field {
            Field::Name => self.name = name(field, value)?,
            Field::State => self.archived = Some(closed(field, value)?),
            // An omitted e-mail is cleared by a replacing PUT, while `""` may not pass for an address.
            Field::Email => self.email = text(field, value)?.filter(|text| !text.is_empty()),
            Field::Address => self.address = text(field, value)?,
            Field::Note => self.note = note(Kind::Client, value, self.note.as_deref())?,
            _ => return Err(impossible(format!("a client has no {field} in Clockify"))),
        }
        Ok(())
    }
}

impl ProjectRow {
    fn client(&self) -> Option<&str> {
        present(self.client_id.as_deref()).or_else(|| present(self.client.as_ref()?.id.as_deref()))
    }

    fn is_public(&self) -> Option<bool> {
        self.is_public.or(self.public)
    }

    /// What the estimate is made of. A project without any shows an automatic one of nothing, which hours may replace.
    fn estimating(&self) -> Estimating {
        let is_automatic = |estimate: &EstimateRow| estimate.kind.as_deref() == Some("AUTO");
        let counts =
            |estimate: &EstimateRow| estimate.estimate.as_deref().and_then(parse_duration).is_none_or(|time| time > 0);
        match (&self.time_estimate, &self.estimate) {
            (Some(time), _) if time.active != Some(false) => {
                if is_automatic(time) {
                    Estimating::ByTasks
                } else {
                    Estimating::ByHours
                }
            }
            _ if self.budget_estimate.as_ref().is_some_and(|budget| budget["active"] == json!(true)) => {
                Estimating::ByBudget
            }
            (None, Some(estimate)) if is_automatic(estimate) && counts(estimate) => Estimating::ByTasks,
            _ => Estimating::ByHours,
        }
    }

    fn estimate(&self) -> Option<&str> {
        match &self.time_estimate {
            Some(EstimateRow { active: Some(false), .. }) => None,
            Some(EstimateRow { estimate: Some(estimate), .. }) => Some(estimate),
            _ => self.estimate.as_ref()?.estimate.as_deref(),
        }
    }

    fn set(&mut self, field: Field, value: &Value) -> Result<(), Failure> {
        match (field, value) {
            (Field::Name, _) => self.name = name(field, value)?,
            (Field::State, _) => self.archived = Some(closed(field, value)?),
            (Field::Parent, Value::Object(client)) => self.client_id = Some(client.to_string()),
            (Field::Parent, Value::Empty) => self.client_id = Some(String::new()),
            (Field::Note, _) => self.note = note(Kind::Project, value, self.note.as_deref())?,
            // There is no project without a colour; an unset one is no instruction.
            (Field::Color, _) => {
                self.color = text(field, value)?.filter(|color| !color.is_empty()).or(self.color.take());
            }
            (Field::Billable, _) => self.billable = flag(field, value, self.billable)?,
            (Field::Public, _) => self.is_public = flag(field, value, self.is_public())?,
            (Field::Estimate, _) => {
                if self.estimating() != Estimating::ByHours {
                    return Err(impossible("the project's estimate in Clockify is not one of hours by now"));
                }
                let estimate = iso_duration(seconds(field, value)?);
                self.time_estimate =
                    Some(EstimateRow { estimate: Some(estimate), ..self.time_estimate.take().unwrap_or_default() });
            }
            (Field::Parent, _) => return Err(mismatch(field, value)),
            _ => return Err(impossible(format!("a project has no {field} in Clockify"))),
        }
        Ok(())
    }
}

impl TaskRow {
    fn set(&mut self, field: Field, value: &Value, users: &Users) -> Result<(), Failure> {
        match field {
            Field::Name => self.name = name(field, value)?,
            Field::State => {
                let status = if closed(field, value)? { "DONE" } else { "ACTIVE" };
                status.clone_into(&mut self.status);
            }
            Field::Billable => self.billable = flag(field, value, self.billable)?,
            Field::Estimate => self.estimate = Some(iso_duration(seconds(field, value)?)),
            Field::Assignees => {
                let people = match value {
                    Value::People(people) => {
                        people.iter().map(|person| users.id(person.exact())).collect::<Result<_, _>>()?
                    }
                    Value::Empty => Vec::new(),
                    _ => return Err(mismatch(field, value)),
                };
                self.assignee_ids = Some(people);
            }
            Field::Parent => {
                return Err(impossible("Clockify cannot move a task to another project"));
            }
            _ => return Err(impossible(format!("a task has no {field} in Clockify"))),
        }
        Ok(())
    }
}

/// A JSON object without its absent members.
#[derive(Default)]
struct Body(Map<String, Json>);

impl Body {
    fn put<T: serde::Serialize>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), json!(value));
        }
    }
}

fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn text_value(text: Option<&str>) -> Value {
    text.map_or(Value::Empty, Value::text)
}

/// No estimate and one of nothing are the same; one that cannot be read is not known.
fn estimate_value(estimate: Option<&str>) -> Option<Value> {
    match parse_duration(present(estimate).unwrap_or("PT0S"))? {
        0 => Some(Value::Empty),
        seconds => Some(Value::Seconds(seconds)),
    }
}
