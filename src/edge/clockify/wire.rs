//! Clockify's rows on the wire, with everything that a PUT could reset. Unknown fields are ignored; null, `""` and
//! absence are the same, since the `OpenAPI` document does not pin which is sent.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::impossible;
use crate::{
    domain::{
        hours::{Demands, Rounding, RoundingWay},
        model::Weight,
        possible::NAMELESS,
        text::Raw,
    },
    edge::http::{Failure, shown},
};

/// null as the default.
fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// `GET /v1/user`.
#[derive(Deserialize)]
pub(super) struct UserRow {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) email: String,
}

/// `GET /v1/workspaces`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkspaceRow {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) feature_subscription_type: String,
    #[serde(default)]
    pub(super) workspace_settings: Json,
}

impl WorkspaceRow {
    /// True where everybody may create clients, projects and tasks; otherwise that is for admins, and perhaps for
    /// project managers.
    pub(super) fn lets_everyone_create(&self) -> bool {
        let permissions = &self.workspace_settings["entityCreationPermissions"];
        ["whoCanCreateProjectsAndClients", "whoCanCreateTasks"].into_iter().all(|key| permissions[key] == "EVERYONE")
    }

    /// What every time entry has to have.
    pub(super) fn demands(&self) -> Demands {
        let forced = |key: &str| self.workspace_settings[key] == true;
        let rounding = forced("timeRoundingInReports").then(|| self.rounding());
        Demands { project: forced("forceProjects"), task: forced("forceTasks"), rounding }
    }

    /// The step as a number or its digits, the way in words (`OpenAPI` document: `15`, `Round to nearest`).
    fn rounding(&self) -> Rounding {
        let round = &self.workspace_settings["round"];
        let minutes = round["minutes"].as_u64().and_then(|minutes| u32::try_from(minutes).ok());
        let words = round["round"].as_str().unwrap_or_default().to_lowercase();
        let ways = [("up", RoundingWay::Up), ("down", RoundingWay::Down), ("near", RoundingWay::Nearest)];
        Rounding {
            minutes: minutes.or_else(|| round["minutes"].as_str()?.trim().parse().ok()),
            way: ways.into_iter().find(|(word, _)| words.contains(word)).map(|(_, way)| way),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientRow {
    #[serde(default, deserialize_with = "lenient", skip_serializing)]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) archived: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency_id: Option<String>,
    /// Cleared by a PUT that omits them (live probe, third party).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cc_emails: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectRow {
    #[serde(default, deserialize_with = "lenient", skip_serializing)]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    /// In hydrated rows perhaps instead of `clientId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// Read as `public`, written as `isPublic`; false when a PUT omits it (live probe, third party).
    #[serde(rename = "public")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_public: Option<bool>,
    /// False when a PUT omits it (live probe, third party).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) billable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) archived: Option<bool>,
    #[serde(skip_serializing)]
    pub(super) duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) estimate: Option<EstimateRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_estimate: Option<EstimateRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget_estimate: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) estimate_reset: Option<Json>,
    /// A pattern for new projects.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) template: bool,
    /// In hydrated rows only.
    #[serde(skip_serializing)]
    pub(super) tasks: Option<Vec<TaskRow>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Reference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EstimateRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) estimate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) include_non_billable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reset_option: Option<String>,
    /// `MANUAL`, or `AUTO` for the sum of the tasks' estimates.
    #[serde(rename = "type")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskRow {
    #[serde(default, deserialize_with = "lenient", skip_serializing)]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) project_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) assignee_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_group_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) billable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) estimate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget_estimate: Option<Json>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) status: String,
    #[serde(skip_serializing)]
    pub(super) duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hourly_rate: Option<RateRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_rate: Option<RateRow>,
}

/// What an hour costs, in minor units; in the project's or workspace's currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RateRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<i64>,
}

/// Rows that a listing can tell apart.
pub(super) trait HasId {
    fn id(&self) -> &str;
    /// Adds it, and each row that it carries along.
    ///
    /// # Errors
    /// Why no more rows are read.
    fn weigh(&self, weight: &mut Weight) -> Result<(), String>;
}

fn length(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

impl HasId for UserRow {
    fn id(&self) -> &str {
        &self.id
    }
    fn weigh(&self, weight: &mut Weight) -> Result<(), String> {
        weight.add(self.name.len() + self.email.len())
    }
}
impl HasId for ClientRow {
    fn id(&self) -> &str {
        &self.id
    }
    fn weigh(&self, weight: &mut Weight) -> Result<(), String> {
        let texts = [&self.email, &self.address, &self.note].into_iter().map(|text| length(text.as_ref()));
        weight.add(self.name.len() + texts.sum::<usize>())
    }
}
impl HasId for ProjectRow {
    fn id(&self) -> &str {
        &self.id
    }
    fn weigh(&self, weight: &mut Weight) -> Result<(), String> {
        weight.add(self.name.len() + length(self.note.as_ref()))?;
        self.tasks.iter().flatten().try_for_each(|task| task.weigh(weight))
    }
}
impl HasId for TaskRow {
    fn id(&self) -> &str {
        &self.id
    }
    fn weigh(&self, weight: &mut Weight) -> Result<(), String> {
        weight.add(self.name.len())
    }
}

/// The people of a workspace.
#[derive(Debug, Default)]
pub(super) struct Users {
    emails: HashMap<String, String>,
    ids: HashMap<String, String>,
    /// True where nobody can be missing.
    complete: bool,
}

impl Users {
    pub(super) fn of(rows: Vec<UserRow>, complete: bool) -> Self {
        let mut users = Self { complete, ..Self::default() };
        for UserRow { id, name: _, email } in rows {
            let email = email.trim().to_lowercase();
            if !email.is_empty() {
                users.ids.insert(email.clone(), id.clone());
                users.emails.insert(id, email);
            }
        }
        users
    }

    /// The addresses of everybody; nothing where somebody may be missing.
    pub(super) fn addresses(&self) -> Option<BTreeSet<Raw>> {
        self.complete.then(|| self.ids.keys().map(|address| Raw::from(address.as_str())).collect())
    }

    pub(super) fn email(&self, id: &str) -> Option<Raw> {
        self.emails.get(id).map(|email| email.as_str().into())
    }

    pub(super) fn id(&self, email: &str) -> Result<String, Failure> {
        if let Some(id) = email.strip_prefix(NAMELESS) {
            return Ok(id.to_owned());
        }
        self.ids.get(&email.to_lowercase()).cloned().ok_or_else(|| {
            impossible(format!(
                "nobody in the Clockify workspace has the e-mail address {}; invite them first",
                shown(email)
            ))
        })
    }
}
