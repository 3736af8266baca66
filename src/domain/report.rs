//! What a run did: totals, failures and the outcome, counted from the run's events and its plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    journal::{Difference, Event, Outcome, RunId, Totals, What},
    plan::{Calls, ChangeId, Hold, HoldCode, Plan},
    text::Raw,
    told::is_telling,
};

/// The format's name and version.
pub const FORMAT: &str = "punchlist/report/1";

/// `punchlist/report/1`. Fields are only ever added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// The run.
    pub run_id: RunId,
    /// The plan that was applied.
    pub plan_hash: String,
    /// How it ended.
    pub outcome: Ending,
    /// True when every listing was complete.
    pub complete: bool,
    /// Changes that were carried out whole.
    pub applied: usize,
    /// Changes that were refused, failed on the way, or whose outcome is unknown.
    pub failed: usize,
    /// Approved changes that were not started, since what they need failed or has moved, or the run was stopped.
    pub skipped: usize,
    /// Changes that wait for a person.
    pub pending: usize,
    /// Changes that are held.
    pub held: usize,
    /// Changes that need no person, and that the run was not asked for.
    #[serde(default)]
    pub ready: usize,
    /// Requests made.
    pub calls: Calls,
    /// Pages that were told what waits for a person, or that nothing does any more.
    #[serde(default)]
    pub told: usize,
    /// How long the run took.
    pub seconds: f64,
    /// What failed, and what to do about it.
    pub failures: Vec<FailureReport>,
    /// What was not started, and why.
    pub not_started: Vec<NotStartedReport>,
    /// What was carried out in part, and why not whole: the next run goes on with it.
    #[serde(default)]
    pub begun: Vec<NotStartedReport>,
    /// What its reader must know besides: another punchlist writes to the same workspace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Brakes that withheld something, with the number of changes each.
    pub brakes: BTreeMap<String, usize>,
    /// When it is worth running again, where a service asked to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

impl Report {
    /// True where a change failed or was not started.
    pub fn names(&self, change: &str) -> bool {
        let mut failed = self.failures.iter().map(|failure| &failure.change_id);
        let mut not_started = self.not_started.iter().map(|left| &left.change_id);
        failed.any(|id| id.0 == change) || not_started.any(|id| id.0 == change)
    }
}

/// One change that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct FailureReport {
    pub change_id: ChangeId,
    pub name: String,
    pub error: String,
    pub hint: String,
}

/// One approved change that was not started, or not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct NotStartedReport {
    pub change_id: ChangeId,
    pub name: String,
    pub because: String,
}

/// How a run ended. The worst cause names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// There was nothing to do.
    InSync,
    /// Everything was applied.
    Applied,
    /// Something waits, for a person or for a run that is asked for it.
    Pending,
    /// A brake held something.
    Braked,
    /// The request budget is used up; the next run goes on.
    OutOfBudget,
    /// Stopped, or partly applied; the next run goes on.
    Interrupted,
    /// A write has an unknown outcome that nothing could settle.
    Unknown,
    /// A source could not be read completely, so that nobody can say that both sides agree.
    Incomplete,
    /// A service refused a change; running again would end the same.
    Failed,
    /// The credentials were refused.
    Refused,
}

impl Ending {
    /// The exit code: 0 in sync or fully applied, 1 error or an incomplete source, 2 changes wait, 3 a brake, 4 interrupted, 7 credentials, 8 unknown
    /// outcome, 75 out of budget.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::InSync | Self::Applied => 0,
            Self::Failed | Self::Incomplete => 1,
            Self::Pending => 2,
            Self::Braked => 3,
            Self::Interrupted => 4,
            Self::Refused => 7,
            Self::Unknown => 8,
            Self::OutOfBudget => 75,
        }
    }

    /// The outcome in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Applied => "applied",
            Self::Pending => "changes wait",
            Self::Braked => "a brake held changes",
            Self::OutOfBudget => "out of request budget; run again later",
            Self::Interrupted => "stopped before everything was applied; run again to go on",
            Self::Unknown => "the outcome of a write is unknown and needs a person",
            Self::Incomplete => "not everything could be read",
            Self::Failed => "some changes failed",
            Self::Refused => "the credentials were refused",
        }
    }
}

/// Why an apply ended before its last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// It did not.
    No,
    /// Somebody asked it to stop.
    Interrupted,
    /// A service refused the credentials.
    Refused,
    /// The request budget is used up.
    OutOfBudget,
}

/// What a report has to know of a change.
struct Proposed<'a> {
    id: &'a ChangeId,
    name: &'a Raw,
    hold: Option<&'a Hold>,
}

/// The plan, as far as a report counts it.
struct Counted<'a> {
    hash: &'a str,
    complete: bool,
    changes: Vec<Proposed<'a>>,
}

/// Counts a run from its events and the plan that was worked on.
pub fn report(run: RunId, plan: &Plan, events: &[Event], totals: Totals) -> Report {
    let changes = plan.changes.iter().map(|change| Proposed { id: &change.id, name: &change.name, hold: change.hold.as_ref() });
    count(run, &Counted { hash: &plan.hash, complete: plan.complete, changes: changes.collect() }, events, totals)
}

/// Counts a run that has ended from its events alone: what was printed then. Nothing where it ended without a report.
pub fn replay(events: &[Event]) -> Option<Report> {
    let ended = events.iter().find_map(|event| match &event.what {
        What::RunEnded { totals: Some(totals), .. } => Some((event.run.clone(), *totals)),
        _ => None,
    });
    let (run, totals) = ended?;
    let mut plan = Counted { hash: "", complete: true, changes: Vec::new() };
    for event in events {
        match &event.what {
            // The last plan is the one that was worked on.
            What::Planned { plan_hash, complete, .. } => {
                plan = Counted { hash: plan_hash, complete: *complete, changes: Vec::new() };
            }
            What::Difference(difference) if !is_telling(difference) => {
                let Difference { change, name, hold, .. } = difference.as_ref();
                plan.changes.push(Proposed { id: change, name, hold: hold.as_ref() });
            }
            _ => {}
        }
    }
    Some(count(run, &plan, events, totals))
}

/// The changes that only tell pages what waits, with the names of the pages.
fn telling(events: &[Event]) -> impl Iterator<Item = (&ChangeId, &Raw)> {
    events.iter().filter_map(|event| match &event.what {
        What::Difference(difference) if is_telling(difference) => Some((&difference.change, &difference.name)),
        _ => None,
    })
}

fn count(run: RunId, plan: &Counted<'_>, events: &[Event], totals: Totals) -> Report {
    let Totals { stopped, unsettled, calls, seconds, not_before, pending, held, ready } = totals;
    let names: BTreeMap<&ChangeId, &Raw> = plan.changes.iter().map(|change| (change.id, change.name)).collect();
    let names: BTreeMap<&ChangeId, &Raw> = names.into_iter().chain(telling(events)).collect();
    let name = |id: &ChangeId| names.get(id).map(|name| name.display().to_string()).unwrap_or_default();
    let telling: BTreeMap<&ChangeId, &Raw> = telling(events).collect();
    let mut told = 0;
    let mut applied: BTreeSet<&ChangeId> = BTreeSet::new();
    let mut failures: BTreeMap<&ChangeId, FailureReport> = BTreeMap::new();
    let mut not_started: BTreeMap<&ChangeId, NotStartedReport> = BTreeMap::new();
    let mut begun: BTreeMap<&ChangeId, NotStartedReport> = BTreeMap::new();
    let mut refused = false;
    let mut warnings = Vec::new();
    for event in events {
        match &event.what {
            What::Applied { change } if telling.contains_key(change) => told += 1,
            What::Applied { change } => {
                applied.insert(change);
            }
            What::Failed { change, error, hint } => {
                let failure =
                    FailureReport { change_id: change.clone(), name: name(change), error: error.clone(), hint: hint.clone() };
                failures.insert(change, failure);
            }
            What::NotStarted { change, because } => {
                let report = NotStartedReport { change_id: change.clone(), name: name(change), because: because.clone() };
                not_started.insert(change, report);
            }
            What::ForeignRun { text, .. } => warnings.push(text.clone()),
            What::Begun { change, because } => {
                let report = NotStartedReport { change_id: change.clone(), name: name(change), because: because.clone() };
                begun.insert(change, report);
            }
            What::Outcome { outcome: Outcome::Refused { .. }, .. } => refused = true,
            _ => {}
        }
    }
    let mut brakes: BTreeMap<String, usize> = BTreeMap::new();
    for change in &plan.changes {
        if let Some(Hold { code: HoldCode::Brake, text }) = change.hold {
            *brakes.entry(text.clone()).or_default() += 1;
        }
    }
    let outcome = [
        (stopped == Stopped::Refused, Ending::Refused),
        (refused, Ending::Failed),
        (!plan.complete, Ending::Incomplete),
        (unsettled > 0, Ending::Unknown),
        (stopped == Stopped::Interrupted, Ending::Interrupted),
        (stopped == Stopped::OutOfBudget, Ending::OutOfBudget),
        (!failures.is_empty() || !begun.is_empty() || !not_started.is_empty(), Ending::Interrupted),
        (!brakes.is_empty(), Ending::Braked),
        (pending + held + ready > 0, Ending::Pending),
        (!applied.is_empty(), Ending::Applied),
    ]
    .into_iter()
    .find_map(|(holds, ending)| holds.then_some(ending))
    .unwrap_or(Ending::InSync);
    Report {
        format: FORMAT.to_owned(),
        run_id: run,
        plan_hash: plan.hash.to_owned(),
        outcome,
        complete: plan.complete,
        applied: applied.len(),
        failed: failures.len(),
        skipped: not_started.len(),
        pending,
        held,
        ready,
        calls,
        told,
        seconds,
        failures: failures.into_values().collect(),
        not_started: not_started.into_values().collect(),
        begun: begun.into_values().collect(),
        warnings,
        brakes,
        not_before,
    }
}
