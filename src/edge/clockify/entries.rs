//! Time entries: those of some projects in a period, some by themselves, and the bulk edit that files them elsewhere.
//!
//! The bulk edit replaces an entry whole, so each is sent back as it was last read with nothing changed but where it is
//! filed. There is no other write of an entry here, on purpose.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;

use super::{Clockify, READ_AT_ONCE};
use crate::{
    domain::model::{Entry, ObjectId, Refiling, Spot},
    edge::http::{Answer, FRESH, Failure, Repeat, Request, YOUNG},
};

/// Entries of one person that are listed at once; the most that Clockify gives (Clockify help).
const LISTED_MAX: usize = 5000;
/// Pages of one person's entries on one project that are read.
const LIST_PAGES_MAX: usize = 4;
/// Kinds of entry that are work; time off is none, and the bulk edit knows no other (`OpenAPI` document).
const WORK: [&str; 2] = ["REGULAR", "BREAK"];
/// Where the value of a custom field comes from; what else stands there is the type of the field.
const SOURCES: [&str; 3] = ["WORKSPACE", "PROJECT", "TIMEENTRY"];

/// An entry as it was last read, and when.
#[derive(Debug)]
pub(super) struct KeptEntry {
    row: Map<String, Json>,
    read: Option<Instant>,
}

impl KeptEntry {
    /// Lets it count as too old to build on.
    pub(super) fn grow_old(&mut self) {
        self.read = None;
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryRow {
    id: ObjectId,
    user_id: ObjectId,
    #[serde(default)]
    project_id: Option<String>,
    #[serde(default)]
    task_id: Option<String>,
    time_interval: IntervalRow,
    #[serde(default)]
    is_locked: Option<bool>,
    #[serde(default)]
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct IntervalRow {
    start: Timestamp,
    #[serde(default)]
    end: Option<Timestamp>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        let object = |id: Option<String>| id.and_then(|id| id.parse().ok());
        let IntervalRow { start, end } = row.time_interval;
        let is_work = row.r#type.is_none_or(|kind| WORK.contains(&kind.as_str()));
        Self {
            id: row.id,
            user: row.user_id,
            at: Spot { project: object(row.project_id), task: object(row.task_id) },
            begins: start,
            seconds: end.and_then(|end| u64::try_from(end.duration_since(start).as_secs()).ok()),
            is_locked: row.is_locked.unwrap_or_default() || !is_work,
        }
    }
}

impl Clockify {
    /// The entries that are to go elsewhere, as they are now: a few by their IDs, many by a listing of their person's
    /// entries on each project that they are on, and where that does not show them all, on each that they go to. One
    /// that Clockify does not show is left out.
    ///
    /// # Errors
    /// [`Failure`]; nothing can be concluded from it.
    pub async fn observe_entries(&self, workspace: &str, refiling: &Refiling) -> Result<Vec<Entry>, Failure> {
        let few = if self.http.is_hourly() { 1 } else { READ_AT_ONCE };
        let mut found: BTreeMap<ObjectId, Entry> = BTreeMap::new();
        if refiling.entries.len() <= few {
            for entry in join_all(refiling.entries.keys().map(|id| self.read_entry(workspace, *id))).await {
                found.extend(entry?.map(|entry| (entry.id, entry)));
            }
            return Ok(found.into_values().collect());
        }
        let mut listed = BTreeSet::new();
        for is_destination in [false, true] {
            let missing = refiling.entries.iter().filter(|(id, _)| !found.contains_key(id));
            let projects = missing.filter_map(|(_, entry)| if is_destination { entry.to } else { entry.from }.project);
            let projects: BTreeSet<ObjectId> = projects.filter(|project| !listed.contains(project)).collect();
            for &project in &projects {
                self.list_entries(workspace, refiling, project, &mut found).await?;
            }
            listed.extend(projects);
        }
        Ok(found.into_values().collect())
    }

    async fn read_entry(&self, workspace: &str, id: ObjectId) -> Result<Option<Entry>, Failure> {
        let began = Instant::now();
        let path = ["v1", "workspaces", workspace, "time-entries", id.as_str()];
        let answer: Result<Answer<Json>, Failure> = self.http.send(&Request::get(&path)).await;
        match answer {
            Ok(answer) => self.keep_entry(answer.body, began).map(Some),
            // As of objects, this is said of what is deleted, too.
            Err(Failure::Rejected { status: 400, code: Some(code), .. }) if code == "501".into() => Ok(None),
            Err(failure) if failure.has_status(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Adds those that are on a project. Neither edge of a window is sent: a list that has one lags behind (live probe,
    /// third party).
    async fn list_entries(
        &self,
        workspace: &str,
        refiling: &Refiling,
        project: ObjectId,
        found: &mut BTreeMap<ObjectId, Entry>,
    ) -> Result<(), Failure> {
        let path = ["v1", "workspaces", workspace, "user", refiling.user.as_str(), "time-entries"];
        for page in 1..=LIST_PAGES_MAX {
            let request = Request::get(&path).query("project", project.as_str()).query("page", &page.to_string());
            let request = request.query("page-size", &LISTED_MAX.to_string()).listing();
            let began = Instant::now();
            let answer: Answer<Vec<Json>> = self.http.send(&request).await?;
            let count = answer.body.len();
            let is_meant = |row: &Json| {
                row["id"].as_str().and_then(|id| id.parse().ok()).is_some_and(|id| refiling.entries.contains_key(&id))
            };
            for row in answer.body.into_iter().filter(is_meant) {
                let entry = self.keep_entry(row, began)?;
                found.insert(entry.id, entry);
            }
            if count < LISTED_MAX || refiling.entries.keys().all(|id| found.contains_key(id)) {
                break;
            }
        }
        Ok(())
    }

    /// True while all the entries were read so lately that a write can be built on them.
    pub fn are_entries_fresh(&self, refiling: &Refiling) -> bool {
        let kept = self.kept_entries();
        let is_fresh = |id| kept.get(id).and_then(|kept| kept.read).is_some_and(|read| read.elapsed() < YOUNG);
        refiling.entries.keys().all(is_fresh)
    }

    /// Files entries of one person elsewhere, each as it was last read but for that; it leaves within five seconds of
    /// that reading or not at all. One call. Returns what the answer shows of them.
    ///
    /// # Errors
    /// [`Failure`]. After [`Failure::Outdated`], [`Clockify::observe_entries`] and try again; after
    /// [`Failure::Unknown`], observe them.
    pub async fn refile(&self, workspace: &str, refiling: &Refiling) -> Result<Vec<Entry>, Failure> {
        let (bodies, read) = self.bodies(refiling).ok_or(Failure::Outdated)?;
        let path = ["v1", "workspaces", workspace, "user", refiling.user.as_str(), "time-entries"];
        let request = Request::new(Method::PUT, &path, Some(Json::Array(bodies)), Repeat::Never);
        let began = Instant::now();
        let answer: Answer<Vec<Json>> = self.http.send(&request.not_after(read + FRESH)).await?;
        answer.body.into_iter().map(|row| self.keep_entry(row, began)).collect()
    }

    /// What is sent of each entry, and when the first of them was read; nothing where one is not known.
    fn bodies(&self, refiling: &Refiling) -> Option<(Vec<Json>, Instant)> {
        let kept = self.kept_entries();
        let mut oldest = Instant::now();
        let mut bodies = Vec::new();
        for (id, planned) in &refiling.entries {
            let KeptEntry { row, read } = kept.get(id)?;
            oldest = oldest.min((*read)?);
            bodies.push(body(row, planned.to));
        }
        Some((bodies, oldest))
    }

    fn keep_entry(&self, row: Json, read: Instant) -> Result<Entry, Failure> {
        let unreadable =
            || Failure::Unknown { error: "Clockify answered with a time entry that cannot be read".to_owned().into() };
        let entry: Entry = EntryRow::deserialize(&row).map_err(|_| unreadable())?.into();
        let Json::Object(row) = row else { return Err(unreadable()) };
        self.kept_entries().insert(entry.id, KeptEntry { row, read: Some(read) });
        Ok(entry)
    }
}

/// An entry as the bulk edit takes it: as it is, but for where it is filed.
fn body(row: &Map<String, Json>, to: Spot) -> Json {
    let mut body = Map::new();
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            body.insert(key.to_owned(), value);
        }
    };
    let interval = |key: &str| row.get("timeInterval").and_then(|interval| interval.get(key)).cloned();
    for key in ["id", "description", "billable", "tagIds", "type"] {
        put(key, row.get(key).cloned());
    }
    put("start", interval("start"));
    put("end", interval("end"));
    put("projectId", to.project.map(|id| json!(id.as_str())));
    put("taskId", to.task.map(|id| json!(id.as_str())));
    let values = row.get("customFieldValues").and_then(Json::as_array);
    put("customFields", values.map(|values| values.iter().map(custom_field).collect()));
    Json::Object(body)
}

fn custom_field(value: &Json) -> Json {
    let mut sent = json!({"customFieldId": value["customFieldId"], "value": value["value"]});
    let source = ["sourceType", "type"].into_iter().filter_map(|key| value[key].as_str());
    if let Some(source) = source.into_iter().find(|source| SOURCES.contains(source)) {
        sent["sourceType"] = json!(source);
    }
    sent
}
