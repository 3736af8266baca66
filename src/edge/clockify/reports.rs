//! Tracked time: summaries of the reports host, and timers that run.
//!
//! Edges of a window are wall clocks that are read in the zone that is sent along, so they are built from civil days,
//! and no instant and no offset is ever sent (live probe, third party; `OpenAPI` document).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use reqwest::Method;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Value as Json, json};

use super::{Clockify, duration::parse_duration, row::ObjectRow, wire::EstimateRow};
use crate::{
    domain::{
        hours::{Booking, Facts, LastDays, Period, Slice, Tracked, Zone},
        model::{Kind, ObjectId, Running},
        text::Raw,
    },
    edge::http::{Answer, Failure, Repeat, Request},
};

/// Civil days of one summary: the Free plan allows no more (Clockify docs).
pub const DAYS_MAX: u32 = 31;
/// Entries of one detailed report: the most that Clockify gives (`OpenAPI` document).
pub const ENTRIES_MAX: usize = 1000;
/// Pages of entries on some projects that are read.
const ENTRIES_PAGES_MAX: usize = 20;
/// Timers that are asked for at once; the most that Clockify gives (`OpenAPI` document).
const TIMERS_PAGE: usize = 1000;
/// Pages of timers that are read.
const TIMERS_PAGES_MAX: usize = 20;

/// Anything, where only one form is of use: another one is as good as none.
pub(super) fn perhaps<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Perhaps<T> {
        Good(T),
        Other(IgnoredAny),
    }
    Ok(match Perhaps::deserialize(deserializer)? {
        Perhaps::Good(value) => Some(value),
        Perhaps::Other(_) => None,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    #[serde(default, deserialize_with = "perhaps")]
    totals: Option<Vec<TotalRow>>,
    #[serde(default, deserialize_with = "perhaps")]
    group_one: Option<Vec<GroupRow>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TotalRow {
    #[serde(default, deserialize_with = "perhaps")]
    total_time: Option<u64>,
}

#[derive(Deserialize)]
struct GroupRow {
    #[serde(rename = "_id", default, deserialize_with = "perhaps")]
    id: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    name: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    duration: Option<u64>,
    #[serde(default, deserialize_with = "perhaps")]
    children: Option<Vec<GroupRow>>,
}

impl GroupRow {
    /// The day of a group of a day. Which of the two has it, and whether a time follows it, is not documented.
    fn day(&self) -> Option<Date> {
        [&self.id, &self.name].into_iter().flatten().find_map(|text| text.get(..10)?.parse().ok())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimerRow {
    id: String,
    #[serde(default, deserialize_with = "perhaps")]
    project_id: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    task_id: Option<String>,
    time_interval: IntervalRow,
}

#[derive(Deserialize)]
struct Detailed {
    #[serde(default)]
    timeentries: Option<Vec<EntryRow>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryRow {
    time_interval: EndedRow,
    #[serde(default, deserialize_with = "perhaps")]
    billable: Option<bool>,
    #[serde(default, deserialize_with = "perhaps")]
    user_name: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    description: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    client_id: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    project_id: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    task_id: Option<String>,
    #[serde(rename = "_id", default, deserialize_with = "perhaps")]
    id: Option<String>,
    #[serde(default, deserialize_with = "perhaps")]
    user_id: Option<String>,
    // The first as documented, the second as entries by themselves have it.
    #[serde(default, deserialize_with = "perhaps")]
    locked: Option<bool>,
    #[serde(default, deserialize_with = "perhaps")]
    is_locked: Option<bool>,
    #[serde(default, deserialize_with = "perhaps")]
    approval_request_id: Option<String>,
}

/// When an entry began, and the seconds that it took.
#[derive(Deserialize)]
struct EndedRow {
    start: Timestamp,
    duration: u64,
}

#[derive(Deserialize)]
struct IntervalRow {
    start: Timestamp,
}

impl Clockify {
    /// What was tracked in some civil days of a zone, on each client, project and task. One call.
    ///
    /// # Errors
    /// [`Failure`]; also where the rows do not add up to what the report says of itself.
    pub async fn summary(
        &self,
        workspace: &str,
        days: Period,
        zone: &str,
        slice: Slice,
    ) -> Result<Vec<Tracked>, Failure> {
        let mut body = asked(days, zone);
        body["summaryFilter"] = json!({"groups": ["CLIENT", "PROJECT", "TASK"], "sortColumn": "GROUP"});
        match slice {
            Slice::All => {}
            Slice::Billable => body["billable"] = json!(true),
            Slice::Unapproved => body["approvalState"] = json!("UNAPPROVED"),
            Slice::Uninvoiced => body["invoicingState"] = json!("UNINVOICED"),
            Slice::Rounded => body["rounding"] = json!(true),
            Slice::RoundedBillable => {
                body["rounding"] = json!(true);
                body["billable"] = json!(true);
            }
        }
        let Summary { totals, group_one } = self.report(workspace, "summary", body).await?;
        let Some(groups) = group_one else { return Err(odd("it has no groups")) };
        let mut rows = Vec::new();
        let sum = leaves(&groups, &mut Vec::new(), &mut rows)?;
        adds_up(totals, sum)?;
        Ok(rows)
    }

    /// What was tracked on each of some civil days of a zone; days without any are left out. One call.
    ///
    /// # Errors
    /// [`Failure`]; also where the days do not add up to what the report says of itself.
    pub async fn by_day(&self, workspace: &str, days: Period, zone: &str) -> Result<BTreeMap<Date, u64>, Failure> {
        let mut body = asked(days, zone);
        body["summaryFilter"] = json!({"groups": ["DATE"], "sortColumn": "GROUP"});
        let Summary { totals, group_one } = self.report(workspace, "summary", body).await?;
        let Some(groups) = group_one else { return Err(odd("it has no groups")) };
        let mut by_day: BTreeMap<Date, u64> = BTreeMap::new();
        for row in groups {
            let (Some(day), Some(seconds)) = (row.day(), row.duration) else {
                return Err(odd("a row of it has no day"));
            };
            *by_day.entry(day).or_default() += seconds;
        }
        adds_up(totals, by_day.values().sum())?;
        Ok(by_day)
    }

    /// The last of some civil days of a zone on which time was tracked on each client, project and task. One call.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn last_days(&self, workspace: &str, days: Period, zone: &str) -> Result<LastDays, Failure> {
        let mut body = asked(days, zone);
        body["summaryFilter"] = json!({"groups": ["PROJECT", "TASK", "DATE"], "sortColumn": "GROUP"});
        let Summary { group_one, .. } = self.report(workspace, "summary", body).await?;
        let Some(projects) = group_one else { return Err(odd("it has no groups")) };
        let clients = self.clients_of_projects();
        let mut last = LastDays::new();
        let id = |row: &GroupRow| row.id.as_deref().and_then(|id| id.parse::<ObjectId>().ok());
        for project in &projects {
            let client = id(project).and_then(|project| clients.get(&project).copied());
            for task in project.children.iter().flatten() {
                for row in task.children.iter().flatten() {
                    let Some(day) = row.day() else { return Err(odd("a row of it has no day")) };
                    for object in [client, id(project), id(task)].into_iter().flatten() {
                        let known = last.entry(object).or_insert(day);
                        *known = day.max(*known);
                    }
                }
            }
        }
        Ok(last)
    }

    /// The entries of some civil days of a zone that have ended, the latest first, [`ENTRIES_MAX`] at the most: those
    /// on a client, a project or a task, or all. One call.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn entries(
        &self,
        workspace: &str,
        days: Period,
        zone: &Zone,
        on: Option<(Kind, ObjectId)>,
    ) -> Result<Vec<Booking>, Failure> {
        let mut body = asked(days, &zone.name);
        body["detailedFilter"] = json!({"page": 1, "pageSize": ENTRIES_MAX, "sortColumn": "DATE"});
        if let Some((kind, object)) = on {
            body[kind.plural()] = json!({"ids": [object.to_string()], "contains": "CONTAINS", "status": "ALL"});
        }
        self.bookings(workspace, body, zone).await
    }

    /// All entries of some civil days of a zone that have ended and are on some projects; only those that are marked as
    /// invoiced, where that is asked for. One call for each [`ENTRIES_MAX`].
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn entries_on(
        &self,
        workspace: &str,
        days: Period,
        zone: &Zone,
        projects: &BTreeSet<ObjectId>,
        only_invoiced: bool,
    ) -> Result<Vec<Booking>, Failure> {
        let mut all = Vec::new();
        for page in 1..=ENTRIES_PAGES_MAX {
            let mut body = asked(days, &zone.name);
            body["detailedFilter"] = json!({"page": page, "pageSize": ENTRIES_MAX, "sortColumn": "DATE"});
            let ids: Vec<&str> = projects.iter().map(ObjectId::as_str).collect();
            body["projects"] = json!({"ids": ids, "contains": "CONTAINS", "status": "ALL"});
            if only_invoiced {
                body["invoicingState"] = json!("INVOICED");
            }
            let bookings = self.bookings(workspace, body, zone).await?;
            let count = bookings.len();
            all.extend(bookings);
            if count < ENTRIES_MAX {
                return Ok(all);
            }
        }
        Err(Failure::TooLarge { error: format!("more than {} time entries", ENTRIES_PAGES_MAX * ENTRIES_MAX).into() })
    }

    async fn bookings(&self, workspace: &str, body: Json, zone: &Zone) -> Result<Vec<Booking>, Failure> {
        let Detailed { timeentries } = self.report(workspace, "detailed", body).await?;
        let Some(entries) = timeentries else { return Err(odd("it has no entries")) };
        let object = |id: Option<String>| id.and_then(|id| id.parse().ok());
        let booking = |row: EntryRow| Booking {
            begins: row.time_interval.start.to_zoned(zone.rules.clone()).datetime(),
            seconds: row.time_interval.duration,
            is_billable: row.billable.unwrap_or_default(),
            who: row.user_name.unwrap_or_default().into(),
            what: row.description.unwrap_or_default().into(),
            place: [object(row.client_id), object(row.project_id), object(row.task_id)],
            id: object(row.id),
            user: object(row.user_id),
            is_locked: row.locked.or(row.is_locked).unwrap_or_default(),
            is_approved: row.approval_request_id.is_some_and(|id| !id.is_empty()),
        };
        Ok(entries.into_iter().map(booking).collect())
    }

    async fn report<T: DeserializeOwned + Send>(
        &self,
        workspace: &str,
        report: &str,
        body: Json,
    ) -> Result<T, Failure> {
        let path = ["v1", "workspaces", workspace, "reports", report];
        let request = Request::new(Method::POST, &path, Some(body), Repeat::Read).listing().at(&self.reports);
        let answer: Answer<T> = self.http.send(&request).await?;
        Ok(answer.body)
    }

    /// The timers that run, of everybody. One call for each thousand.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn running(&self, workspace: &str) -> Result<Vec<Running>, Failure> {
        let mut running: BTreeMap<String, Running> = BTreeMap::new();
        for page in 1..=TIMERS_PAGES_MAX {
            let request = Request::get(&["v1", "workspaces", workspace, "time-entries", "status", "in-progress"]);
            let request = request.query("page", &page.to_string()).query("page-size", &TIMERS_PAGE.to_string());
            let answer: Answer<Vec<TimerRow>> = self.http.send(&request).await?;
            let (count, before) = (answer.body.len(), running.len());
            for TimerRow { id, project_id, task_id, time_interval } in answer.body {
                let object = |id: Option<String>| id.and_then(|id| id.parse().ok());
                let timer = Running {
                    entry: id.clone(),
                    project: object(project_id),
                    task: object(task_id),
                    start: time_interval.start,
                };
                running.insert(id, timer);
            }
            // A service that pages by less than what is asked for is asked on, until it shows nothing new.
            let says_last =
                answer.headers.get("Last-Page").and_then(|last| last.to_str().ok()?.trim().parse::<bool>().ok());
            if says_last.unwrap_or(count < TIMERS_PAGE) || running.len() == before {
                return Ok(running.into_values().collect());
            }
        }
        Err(Failure::TooLarge { error: format!("more than {} timers run", TIMERS_PAGES_MAX * TIMERS_PAGE).into() })
    }

    fn clients_of_projects(&self) -> BTreeMap<ObjectId, ObjectId> {
        let rows = self.rows();
        let clients = rows.iter().filter_map(|(object, kept)| match kept.row()? {
            ObjectRow::Project(row) => Some((*object, row.client_id.as_deref()?.parse().ok()?)),
            ObjectRow::Client(_) | ObjectRow::Task(_) => None,
        });
        clients.collect()
    }

    /// What each project and task says of itself, as last read. No call.
    pub fn facts(&self) -> BTreeMap<ObjectId, Facts> {
        let rows = self.rows();
        let facts = rows.iter().filter_map(|(object, kept)| {
            let facts = match kept.row()? {
                ObjectRow::Client(_) => Facts::default(),
                ObjectRow::Project(row) => {
                    let estimate = row.time_estimate.as_ref().or(row.estimate.as_ref()).and_then(estimated);
                    Facts { estimate, billable: row.billable }
                }
                ObjectRow::Task(row) => Facts {
                    estimate: row.estimate.as_deref().and_then(parse_duration).filter(|seconds| *seconds > 0),
                    billable: row.billable,
                },
            };
            Some((*object, facts))
        });
        facts.collect()
    }
}

/// What every report is asked for.
fn asked(days: Period, zone: &str) -> Json {
    json!({
        "dateRangeStart": format!("{}T00:00:00.000", days.from()),
        "dateRangeEnd": format!("{}T23:59:59.999", days.to()),
        "timeZone": zone,
        // Whoever may not see amounts would be refused (Clockify help).
        "amountShown": "HIDE_AMOUNT",
        "exportType": "JSON",
        "rounding": false,
    })
}

/// Holds what rows come to against what a report says of itself, if it does.
fn adds_up(totals: Option<Vec<TotalRow>>, sum: u64) -> Result<(), Failure> {
    let said: Option<u64> = totals.map(|totals| totals.iter().filter_map(|total| total.total_time).sum());
    match said {
        Some(said) if said != sum => Err(odd(&format!("its rows come to {sum} s, and it says {said} s"))),
        _ => Ok(()),
    }
}

/// Hours that somebody has set; not the sum of the tasks', which is theirs.
fn estimated(row: &EstimateRow) -> Option<u64> {
    let is_own = row.active != Some(false) && row.kind.as_deref() != Some("AUTO");
    row.estimate.as_deref().filter(|_| is_own).and_then(parse_duration).filter(|seconds| *seconds > 0)
}

/// The rows that nothing stands below, and what all of them come to. What a row has beyond those below it is time
/// without one: what it was tracked on may be gone.
fn leaves(
    groups: &[GroupRow],
    above: &mut Vec<(Option<ObjectId>, Raw)>,
    rows: &mut Vec<Tracked>,
) -> Result<u64, Failure> {
    let mut sum = 0;
    for GroupRow { id, name, duration, children } in groups {
        let Some(seconds) = *duration else { return Err(odd("a row of it has no duration")) };
        let object = id.as_deref().and_then(|id| id.parse().ok());
        above.push((object, name.as_deref().unwrap_or_default().into()));
        let children = children.as_deref().filter(|_| above.len() < 3).unwrap_or_default();
        let below = leaves(children, above, rows)?;
        let Some(rest) = seconds.checked_sub(below) else {
            return Err(odd(&format!("the rows below one come to {below} s, and it says {seconds} s")));
        };
        if rest > 0 || children.is_empty() {
            let mut place = above.iter().cloned();
            let place = std::array::from_fn(|_| place.next().unwrap_or_default());
            rows.push(Tracked { place, seconds: rest });
        }
        above.pop();
        sum += seconds;
    }
    Ok(sum)
}

fn odd(what: &str) -> Failure {
    Failure::Unknown { error: format!("Clockify answered with a report that cannot be used: {what}").into() }
}
