//! What a run did: totals, failures and the outcome, counted from the run's events and its plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::{ending::Ending, journal::Stopped};
use super::{
    journal::{Difference, Event, Outcome, RunId, Totals, What, WriteId},
    model::Kind,
    plan::{Action, Calls, Change, ChangeId, Hold, HoldCode, Hourly, Plan, Workspaces},
    sync_status::is_sync_status,
    text::{Raw, Shown},
};

/// Names that are told of changes that ended alike.
const EXAMPLES_MAX: usize = 3;
/// Characters of an ID of either service.
const ID_LENGTH_MIN: usize = 24;

/// The format's name and version.
pub const FORMAT: &str = "punchlist/report/1";

/// `punchlist/report/1`. Fields are only ever added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub format: String,
    pub run_id: RunId,
    /// The plan that was applied.
    pub plan_hash: String,
    /// Between which workspaces it was.
    #[serde(default, skip_serializing_if = "Workspaces::is_unknown")]
    pub workspaces: Workspaces,
    /// How it ended.
    pub outcome: Ending,
    /// True when every listing was complete.
    #[serde(default = "yes")]
    pub complete: bool,
    /// What the clients are called that it was about, where that is not everybody: of all others it says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<Shown>,
    /// Changes that were carried out whole.
    pub applied: usize,
    /// Changes that were refused, failed on the way, or whose outcome is unknown.
    pub failed: usize,
    /// Approved changes that were not started, since what they need failed or has moved, or the run was stopped.
    pub skipped: usize,
    /// Changes that wait for a person.
    pub pending: usize,
    /// Of these, those that one person has approved, and that need a second one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub second_person: usize,
    /// Changes that are held.
    pub held: usize,
    /// Changes that need no person, and that the run was not asked for.
    #[serde(default)]
    pub ready: usize,
    /// Requests made.
    pub calls: Calls,
    /// Pages that were told what waits for a person, or that nothing does any more.
    #[serde(default)]
    #[serde(rename = "told")]
    pub statuses: usize,
    /// How long the run took.
    pub seconds: f64,
    /// What was carried out whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied_changes: Vec<AppliedChange>,
    /// What failed, and what to do about it; what failed alike together.
    pub failures: Vec<FailureReport>,
    /// What was not started, and why; what was not for the same reason together.
    pub not_started: Vec<NotStartedReport>,
    /// What was carried out in part, and why not whole: the next run goes on with it.
    #[serde(default)]
    pub begun: Vec<NotStartedReport>,
    /// What its reader must know besides: another punchlist writes to the same workspace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Shown>,
    /// Brakes that withheld something, with the number of changes each.
    pub brakes: BTreeMap<String, usize>,
    /// When it is worth running again, where a service asked to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// What Clockify takes in an hour, where that is limited, and what is left for it of what was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hourly: Option<Hourly>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn yes() -> bool {
    true
}

impl Report {
    /// How many changes ended how, in the words of the format, as far as there are any.
    pub fn counts(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let Self { applied, failed, skipped, pending, held, .. } = *self;
        let counts =
            [(applied, "applied"), (failed, "failed"), (skipped, "skipped"), (pending, "pending"), (held, "held")];
        counts.into_iter().filter(|(count, _)| *count > 0)
    }

    /// True where one that was kept says the same, whatever the order of what was applied: the log has first what was
    /// new of a plan. Earlier versions kept no list of that.
    pub fn agrees_with(&self, kept: &Self) -> bool {
        let with = |report: &Self, applied_changes| Self { applied_changes, ..report.clone() };
        let in_order = |report: &Self| {
            let mut applied = report.applied_changes.clone();
            applied.sort_unstable_by_key(|change| change.change_id);
            with(report, applied)
        };
        in_order(self) == in_order(kept) || kept.applied_changes.is_empty() && with(self, Vec::new()) == *kept
    }

    /// The same without anything that was said of one change, for who is not to read of every client.
    #[must_use]
    pub fn without_names(self) -> Self {
        let (failures, not_started, begun) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            applied_changes: Vec::new(),
            failures,
            not_started,
            begun,
            clients: Vec::new(),
            warnings: Vec::new(),
            brakes: BTreeMap::new(),
            ..self
        }
    }

    /// True where a change failed or was not started.
    pub fn names(&self, change: ChangeId) -> bool {
        let mut failed = self.failures.iter().flat_map(|failure| &failure.alike.change_ids);
        let mut not_started = self.not_started.iter().flat_map(|left| &left.alike.change_ids);
        failed.any(|id| *id == change) || not_started.any(|id| *id == change)
    }
}

/// Changes that ended alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alike {
    /// How many.
    pub count: usize,
    /// All of them.
    pub change_ids: Vec<ChangeId>,
    /// What the first few are called, each with the names above it: `Acme › Website`.
    pub examples: Vec<Shown>,
}

impl Alike {
    fn add(&mut self, change: &ChangeId, name: Shown) {
        self.count += 1;
        self.change_ids.push(*change);
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(name);
        }
    }

    /// Their names as they stand in a sentence: `“a”, “b” and 38 more`; nothing where no name is known.
    pub fn names(&self) -> String {
        let named: Vec<String> =
            self.examples.iter().filter(|name| !name.is_empty()).map(|name| format!("“{name}”")).collect();
        match self.count.saturating_sub(named.len()) {
            _ if named.is_empty() => String::new(),
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

/// A change that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedChange {
    pub change_id: ChangeId,
    /// What was done, in the way that was chosen; nothing where an earlier version has not kept that.
    pub action: Option<Action>,
    pub kind: Kind,
    pub name: Shown,
    /// The names above it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Shown>,
}

/// Changes that failed of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// The first of them.
    pub change_id: ChangeId,
    /// What that is called.
    pub name: Shown,
    /// Why that failed.
    pub error: Shown,
    /// What to do about it.
    pub hint: Shown,
    /// All of them.
    #[serde(flatten)]
    pub alike: Alike,
}

/// Approved changes that were not started, or not finished, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotStartedReport {
    /// The first of them.
    pub change_id: ChangeId,
    /// What that is called.
    pub name: Shown,
    /// Why.
    pub because: Shown,
    /// All of them.
    #[serde(flatten)]
    pub alike: Alike,
}

/// What an error says without what belongs to one row of many: its name, and IDs. Equal causes are one failure of many
/// rows.
pub fn cause(error: &str, name: &str) -> String {
    let unnamed = if name.is_empty() { error.to_owned() } else { error.replace(name, "…") };
    let is_id = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        bare.len() >= ID_LENGTH_MIN && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
    };
    unnamed.split_whitespace().map(|word| if is_id(word) { "…" } else { word }).collect::<Vec<_>>().join(" ")
}

/// What a report has to know of a change.
struct Proposed<'a> {
    id: &'a ChangeId,
    kind: Kind,
    name: &'a Raw,
    /// The names above it, outermost first.
    path: Vec<&'a Raw>,
}

/// The plan, as far as a report counts it.
struct Counted<'a> {
    hash: &'a str,
    workspaces: Workspaces,
    complete: bool,
    clients: &'a [Shown],
    changes: Vec<Proposed<'a>>,
    /// What brakes withhold: why, and how many changes.
    brakes: BTreeMap<String, usize>,
}

impl Counted<'_> {
    /// Counts what a brake withholds.
    fn brake(&mut self, hold: Option<&Hold>) {
        if let Some(Hold { code: HoldCode::Brake, text }) = hold {
            *self.brakes.entry(text.to_string()).or_default() += 1;
        }
    }
}

/// Counts a run from its events and the plan that was worked on.
pub fn report(run: RunId, plan: &Plan, events: &[Event], totals: Totals) -> Report {
    let changes = plan.changes.iter().map(|Change { id, kind, page, name, .. }| Proposed {
        id,
        kind: *kind,
        name,
        path: plan.path(*page),
    });
    let (hash, workspaces, complete) = (plan.hash.as_str(), plan.workspaces.clone(), plan.complete);
    let clients = plan.within.as_ref().map_or(&[][..], |within| &within.clients);
    let (changes, brakes) = (changes.collect(), BTreeMap::new());
    let mut counted = Counted { hash, workspaces, complete, clients, changes, brakes };
    plan.changes.iter().for_each(|change| counted.brake(change.hold.as_ref()));
    count(run, &counted, events, totals)
}

/// Counts a run that has ended from its events alone: what was printed then. Nothing where it ended without a report.
pub fn replay(events: &[Event]) -> Option<Report> {
    let ended = events.iter().find_map(|event| match &event.what {
        What::RunEnded { totals: Some(totals), .. } => Some((event.run, *totals)),
        _ => None,
    });
    let (run, totals) = ended?;
    let (hash, workspaces, changes) = ("", Workspaces::default(), Vec::new());
    let mut plan = Counted { hash, workspaces, complete: true, clients: &[], changes, brakes: BTreeMap::new() };
    let mut is_whole = true;
    for event in events {
        match &event.what {
            // The last plan is the one that was worked on.
            What::Planned { plan_hash, complete, workspaces, clients, known, .. } => {
                let (workspaces, changes, brakes) = (workspaces.as_ref().clone(), Vec::new(), BTreeMap::new());
                plan = Counted { hash: plan_hash, workspaces, complete: *complete, clients, changes, brakes };
                is_whole = *known == 0;
            }
            What::Difference(difference) if !is_sync_status(difference) => {
                let Difference { change: id, kind, name, path, hold, .. } = difference.as_ref();
                plan.changes.push(Proposed { id, kind: *kind, name, path: path.iter().collect() });
                if is_whole {
                    plan.brake(hold.as_ref());
                }
            }
            // Where some differences were logged before, the brakes tell what they withhold of all of them.
            What::Braked { changes, because, .. } if !is_whole => {
                *plan.brakes.entry(because.to_string()).or_default() += changes;
            }
            _ => {}
        }
    }
    Some(count(run, &plan, events, totals))
}

/// The changes that only tell pages what waits, with the names of the pages.
fn telling(events: &[Event]) -> impl Iterator<Item = (&ChangeId, &Raw)> {
    events.iter().filter_map(|event| match &event.what {
        What::Difference(difference) if is_sync_status(difference) => Some((&difference.change, &difference.name)),
        _ => None,
    })
}

fn count(run: RunId, plan: &Counted<'_>, events: &[Event], totals: Totals) -> Report {
    let Totals { stopped, unsettled, calls, seconds, not_before, pending, second_person, held, ready, hourly } = totals;
    let names: BTreeMap<&ChangeId, &Raw> = plan.changes.iter().map(|change| (change.id, change.name)).collect();
    let names: BTreeMap<&ChangeId, &Raw> = names.into_iter().chain(telling(events)).collect();
    let paths: BTreeMap<&ChangeId, &[&Raw]> =
        plan.changes.iter().map(|change| (change.id, change.path.as_slice())).collect();
    let name = |id: &ChangeId| names.get(id).map(|name| name.shown()).unwrap_or_default();
    let whole = |id: &ChangeId| {
        let above = paths.get(id).into_iter().flat_map(|path| path.iter().map(|name| name.shown()));
        let names: Vec<String> = above.chain([name(id)]).map(|name| name.to_string()).collect();
        names.join(" › ").into()
    };
    let telling: BTreeMap<&ChangeId, &Raw> = telling(events).collect();
    let mut statuses = 0;
    let mut applied: BTreeSet<&ChangeId> = BTreeSet::new();
    let mut actions: BTreeMap<&ChangeId, Action> = BTreeMap::new();
    let mut failures: BTreeMap<&ChangeId, (&Shown, &Shown)> = BTreeMap::new();
    let mut not_started: BTreeMap<&ChangeId, &Shown> = BTreeMap::new();
    let mut begun: BTreeMap<&ChangeId, &Shown> = BTreeMap::new();
    let mut refusals: BTreeSet<String> = BTreeSet::new();
    let mut halted: BTreeSet<&str> = BTreeSet::new();
    let mut written: BTreeMap<WriteId, String> = BTreeMap::new();
    let mut warnings = Vec::new();
    for event in events {
        match &event.what {
            What::Approved { change, by: _, action: Some(action), also: _ } => drop(actions.insert(change, *action)),
            What::Applied { change } if telling.contains_key(change) => statuses += 1,
            What::Applied { change } => {
                applied.insert(change);
            }
            What::Failed { change, error, hint } => drop(failures.insert(change, (error, hint))),
            What::NotStarted { change, because } => drop(not_started.insert(change, because)),
            What::Begun { change, because } => drop(begun.insert(change, because)),
            What::Intent { write, was, .. } => drop(written.insert(*write, was.name.shown().to_string())),
            What::Outcome { write, outcome: Outcome::Refused { error, .. } } => {
                refusals.insert(cause(error, written.get(write).map_or("", String::as_str)));
            }
            What::Halted { because, .. } => drop(halted.insert(because.as_str())),
            What::ForeignRun { text, .. } => warnings.push(text.clone()),
            What::Fetched { kind, full_because: Some(why), .. } if why.is_odd() => {
                warnings.push(format!("all {} were read, and not only what was edited: {why}", kind.plural()).into());
            }
            _ => {}
        }
    }
    let unfinished = !failures.is_empty() || !begun.is_empty() || !not_started.is_empty();
    let causes = [
        (stopped == Stopped::Refused, Ending::Refused),
        // What an outage refuses is not about the change.
        (refusals.iter().any(|refusal| !halted.contains(refusal.as_str())), Ending::Failed),
        (!plan.complete, Ending::Incomplete),
        (unsettled > 0, Ending::Unknown),
        (matches!(stopped, Stopped::Interrupted | Stopped::Halted), Ending::Interrupted),
        // What is not done for want of requests is that, and no more.
        (stopped == Stopped::OutOfBudget, Ending::OutOfBudget),
        (stopped == Stopped::No && unfinished, Ending::Interrupted),
        (!plan.brakes.is_empty(), Ending::Braked),
        (pending + held + ready > 0, Ending::Pending),
        (!applied.is_empty(), Ending::Applied),
    ];
    let causes = causes.into_iter().filter_map(|(holds, ending)| holds.then_some(ending));
    let outcome = causes.min_by_key(|ending| ending.code().rank()).unwrap_or(Ending::InSync);
    let applied_changes = plan.changes.iter().filter(|change| applied.contains(change.id));
    let applied_changes = applied_changes.map(|Proposed { id, kind, name, path }| AppliedChange {
        change_id: **id,
        action: actions.get(id).copied(),
        kind: *kind,
        name: name.shown(),
        path: path.iter().map(|name| name.shown()).collect(),
    });
    Report {
        format: FORMAT.to_owned(),
        run_id: run,
        plan_hash: plan.hash.to_owned(),
        workspaces: plan.workspaces.clone(),
        outcome,
        complete: plan.complete,
        clients: plan.clients.to_vec(),
        applied: applied.len(),
        failed: failures.len(),
        skipped: not_started.len(),
        pending,
        second_person,
        held,
        ready,
        calls,
        statuses,
        seconds,
        applied_changes: applied_changes.collect(),
        failures: failed_alike(&failures, name, whole),
        not_started: left_alike(&not_started, name, whole),
        begun: left_alike(&begun, name, whole),
        warnings,
        brakes: plan.brakes.clone(),
        not_before,
        hourly,
    }
}

/// Failures with those of one cause together, in the order of their first changes.
fn failed_alike(
    failures: &BTreeMap<&ChangeId, (&Shown, &Shown)>,
    name: impl Fn(&ChangeId) -> Shown,
    whole: impl Fn(&ChangeId) -> Shown,
) -> Vec<FailureReport> {
    let mut reports: Vec<FailureReport> = Vec::new();
    let mut known: BTreeMap<(String, &Shown), usize> = BTreeMap::new();
    for (change, (error, hint)) in failures {
        let name = name(change);
        let at = *known.entry((cause(error, &name), *hint)).or_insert_with(|| {
            let (error, hint) = ((*error).clone(), (*hint).clone());
            let (change_id, name) = (**change, name.clone());
            reports.push(FailureReport { change_id, name, error, hint, alike: Alike::default() });
            reports.len() - 1
        });
        reports[at].alike.add(change, whole(change));
    }
    reports
}

/// What was left, with what was left for one reason together.
fn left_alike(
    left: &BTreeMap<&ChangeId, &Shown>,
    name: impl Fn(&ChangeId) -> Shown,
    whole: impl Fn(&ChangeId) -> Shown,
) -> Vec<NotStartedReport> {
    let mut reports: Vec<NotStartedReport> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (change, because) in left {
        let name = name(change);
        let at = *known.entry(cause(because, &name)).or_insert_with(|| {
            let (change_id, name) = (**change, name.clone());
            reports.push(NotStartedReport { change_id, name, because: (*because).clone(), alike: Alike::default() });
            reports.len() - 1
        });
        reports[at].alike.add(change, whole(change));
    }
    reports
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The report of a run that applied so many changes, as the first version wrote it, with more fields.
    pub(crate) fn report_with(applied: usize, more: &serde_json::Value) -> Report {
        let mut report = serde_json::json!({
            "format": FORMAT, "run_id": "20261123T120000Z-0a1b", "plan_hash": "f1e0", "outcome": "failed",
            "applied": applied, "failed": 0, "skipped": 0, "pending": 0, "held": 0,
            "calls": { "notion": 1, "clockify": 1 }, "seconds": 1.5,
            "failures": [{ "change_id": "0123456789abcdef", "name": "Acme", "error": "no\u{1b}[31m", "hint": "ask" }],
            "not_started": [{ "change_id": "0123456789abcdf0", "name": "Website", "because": "it rests on that" }],
            "brakes": {},
        });
        let fields = report.as_object_mut().expect("an object");
        fields.extend(more.as_object().cloned().unwrap_or_default());
        serde_json::from_value(report).expect("a report")
    }

    #[test]
    fn a_report_of_the_first_version_is_read() {
        let report = report_with(3, &serde_json::Value::Null);
        assert_eq!((report.applied, report.outcome, report.complete), (3, Ending::Failed, true));
        let failure = &report.failures[0];
        assert_eq!((failure.name.as_str(), failure.error.as_str()), ("Acme", "no⟨U+001B⟩[31m"));
        assert_eq!(report.counts().collect::<Vec<_>>(), [(3, "applied")]);
    }
}
