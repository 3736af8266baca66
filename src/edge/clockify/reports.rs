//! Tracked time: summaries of the reports host, and timers that run.
//!
//! Edges of a window are wall clocks that are read in the zone that is sent along, so they are built from civil days,
//! and no instant and no offset is ever sent (live probe, third party; `OpenAPI` document).

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::json;

use super::{Clockify, duration::parse_duration, row::ObjectRow, wire::EstimateRow};
use crate::{
    domain::{
        hours::{Facts, Period, Running, Slice, Tracked},
        model::ObjectId,
        text::Raw,
    },
    edge::http::{Answer, Failure, Repeat, Request},
};

/// Civil days of one summary: the Free plan allows no more (Clockify docs).
pub const DAYS_MAX: u32 = 31;
/// Timers that are asked for at once; the most that Clockify gives (`OpenAPI` document).
const TIMERS_PAGE: usize = 1000;
/// Pages of timers that are read.
const TIMERS_PAGES_MAX: usize = 20;

/// Anything, where only one form is of use: another one is as good as none.
fn perhaps<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
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
        let mut body = json!({
            "dateRangeStart": format!("{}T00:00:00.000", days.from()),
            "dateRangeEnd": format!("{}T23:59:59.999", days.to()),
            "timeZone": zone,
            "summaryFilter": {"groups": ["CLIENT", "PROJECT", "TASK"], "sortColumn": "GROUP"},
            // Whoever may not see amounts would be refused (Clockify help).
            "amountShown": "HIDE_AMOUNT",
            "exportType": "JSON",
            "rounding": false,
        });
        match slice {
            Slice::All => {}
            Slice::Billable => body["billable"] = json!(true),
            Slice::Unapproved => body["approvalState"] = json!("UNAPPROVED"),
            Slice::Uninvoiced => body["invoicingState"] = json!("UNINVOICED"),
        }
        let path = ["v1", "workspaces", workspace, "reports", "summary"];
        let request = Request::new(Method::POST, &path, Some(body), Repeat::Read).listing().at(&self.reports);
        let answer: Answer<Summary> = self.http.send(&request).await?;
        let Summary { totals, group_one } = answer.body;
        let Some(groups) = group_one else { return Err(odd("it has no groups")) };
        let mut rows = Vec::new();
        leaves(&groups, &mut Vec::new(), &mut rows)?;
        let sum: u64 = rows.iter().map(|row| row.seconds).sum();
        let said: Option<u64> = totals.map(|totals| totals.iter().filter_map(|total| total.total_time).sum());
        if said.is_some_and(|said| said != sum) {
            return Err(odd(&format!("its rows come to {sum} s, and it says {} s", said.unwrap_or_default())));
        }
        Ok(rows)
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

    /// What each project and task says of itself, as last read. No call.
    pub fn facts(&self) -> BTreeMap<ObjectId, Facts> {
        let rows = self.rows();
        let facts = rows.iter().map(|(object, kept)| {
            let facts = match &kept.row {
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
            (*object, facts)
        });
        facts.collect()
    }
}

/// Hours that somebody has set; not the sum of the tasks', which is theirs.
fn estimated(row: &EstimateRow) -> Option<u64> {
    let is_own = row.active != Some(false) && row.kind.as_deref() != Some("AUTO");
    row.estimate.as_deref().filter(|_| is_own).and_then(parse_duration).filter(|seconds| *seconds > 0)
}

/// The rows that nothing stands below. What a row has beyond those is time without one.
fn leaves(
    groups: &[GroupRow],
    above: &mut Vec<(Option<ObjectId>, Raw)>,
    rows: &mut Vec<Tracked>,
) -> Result<(), Failure> {
    for GroupRow { id, name, duration, children } in groups {
        let Some(seconds) = *duration else { return Err(odd("a row of it has no duration")) };
        let object = id.as_deref().and_then(|id| id.parse().ok());
        above.push((object, name.as_deref().unwrap_or_default().into()));
        if let Some(children) = children.as_deref().filter(|children| !children.is_empty() && above.len() < 3) {
            leaves(children, above, rows)?;
        } else {
            let mut place = above.iter().cloned();
            let place = std::array::from_fn(|_| place.next().unwrap_or_default());
            rows.push(Tracked { place, seconds });
        }
        above.pop();
    }
    Ok(())
}

fn odd(what: &str) -> Failure {
    Failure::Unknown { error: format!("Clockify answered with a report that cannot be used: {what}").into() }
}
