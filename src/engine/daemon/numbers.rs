//! What is counted while the daemon runs. Nothing in it names a page, an object or a person.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        journal::{Answered, Event, What},
        model::Service,
        plan::{Action, ChangeId, HoldCode},
    },
    edge::store::PendingRow,
    engine::session::Progress,
};

/// Requests that are remembered for the budget of an hour.
const REQUESTS_MAX: usize = 100_000;

/// Everything that is counted.
#[derive(Default)]
pub struct Numbers {
    /// Calls of the daemon, by how and what became of them.
    pub called: BTreeMap<(&'static str, &'static str), u64>,
    /// Runs, by how they ended.
    pub runs: BTreeMap<String, u64>,
    /// Changes, by what they do and what became of them.
    pub changes: BTreeMap<(String, &'static str), u64>,
    /// Requests, by service.
    pub requests: BTreeMap<Service, u64>,
    /// Requests that a service asked to wait after.
    pub throttled: BTreeMap<Service, u64>,
    /// When each change that waits was first seen.
    pub pending: Vec<Timestamp>,
    /// Changes that are held, by why.
    pub held: BTreeMap<&'static str, u64>,
    /// When a run last ended well.
    pub last_success: Option<Timestamp>,
    /// How long after its time the last scheduled run was asked for.
    pub lag: Option<SignedDuration>,
    /// Requests that Clockify takes in an hour, where that is limited.
    pub clockify_per_hour: Option<u32>,
    /// When the last of them were made.
    clockify: VecDeque<Timestamp>,
    /// What the changes of this run do.
    actions: HashMap<ChangeId, String>,
    /// Those of them that somebody has asked for by changing a page, and that had not waited before the run.
    fresh: HashSet<ChangeId>,
    /// True where one of these was made.
    pub(super) has_found: bool,
    /// Changes that waited when it began.
    waited: HashSet<ChangeId>,
    /// Since when each secret is the same, by its key.
    pub secrets: BTreeMap<String, Timestamp>,
}

impl Numbers {
    pub(super) fn called(&mut self, way: &'static str, answer: Answered) {
        *self.called.entry((way, answer.word())).or_default() += 1;
    }

    /// Counts what a run tells.
    pub(super) fn hear(&mut self, told: &Progress, now: Timestamp) {
        match told {
            Progress::Exchanged(exchange) => {
                *self.requests.entry(exchange.service).or_default() += 1;
                if exchange.pause.is_some() {
                    *self.throttled.entry(exchange.service).or_default() += 1;
                }
                if exchange.service == Service::Clockify && self.clockify_per_hour.is_some() {
                    self.clockify.push_back(now);
                    self.clockify.drain(..self.clockify.len().saturating_sub(REQUESTS_MAX));
                }
            }
            Progress::Happened(Event { what, .. }) => self.happened(what),
            Progress::Reading(..)
            | Progress::Read(_)
            | Progress::Queued(_)
            | Progress::Applying(_)
            | Progress::Warned(_)
            | Progress::Awaits(_) => {}
        }
    }

    fn happened(&mut self, what: &What) {
        let (change, outcome) = match what {
            What::RunStarted { .. } => {
                self.has_found = false;
                self.fresh.clear();
                return self.actions.clear();
            }
            What::Difference(difference) => {
                self.actions.insert(difference.change, difference.action.to_string());
                // A new page, or one that has changed alone, which is certain.
                let is_of_a_page = difference.side == Service::Clockify
                    && (difference.action == Action::Create || difference.confidence == 100);
                if is_of_a_page && !self.waited.contains(&difference.change) {
                    self.fresh.insert(difference.change);
                }
                return;
            }
            What::Applied { change } => {
                self.has_found |= self.fresh.contains(change);
                (change, "applied")
            }
            What::Failed { change, .. } => (change, "failed"),
            What::Begun { change, .. } => (change, "begun"),
            What::NotStarted { change, .. } => (change, "not_started"),
            _ => return,
        };
        let action = self.actions.get(change).cloned().unwrap_or_else(|| "unknown".to_owned());
        *self.changes.entry((action, outcome)).or_default() += 1;
    }

    /// Counts what waits.
    pub(super) fn waits(&mut self, rows: &[PendingRow]) {
        self.waited = rows.iter().map(|row| row.change.id).collect();
        self.pending = rows.iter().map(|row| row.first_seen).collect();
        self.held.clear();
        for hold in rows.iter().filter_map(|row| row.change.hold.as_ref()) {
            *self.held.entry(HoldCode::word(hold.code)).or_default() += 1;
        }
    }

    /// How many requests Clockify takes within the hour, where that is limited.
    pub fn clockify_left(&self, now: Timestamp) -> Option<u32> {
        let is_recent = |at: &&Timestamp| now.duration_since(**at) < SignedDuration::from_hours(1);
        let used = u32::try_from(self.clockify.iter().rev().take_while(is_recent).count()).unwrap_or(u32::MAX);
        Some(self.clockify_per_hour?.saturating_sub(used))
    }
}
