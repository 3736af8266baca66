//! The differences that are in the log and still open, so that only what changes is logged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Difference, Event, What};
use crate::domain::{
    model::PageId,
    plan::{ChangeId, Plan, sha256},
};

/// Hexadecimal digits of a digest: of two that differ, none are alike by chance.
const DIGEST_LENGTH: usize = 16;

/// Differences that are in the log and still open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpenDifferences(BTreeMap<ChangeId, Logged>);

/// What was logged of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Logged {
    page: PageId,
    /// Of all that was said.
    digest: String,
}

/// What a plan has that the log does not.
#[derive(Debug, Default)]
pub struct Unlogged {
    /// The differences that are new, or not what they were.
    pub news: Vec<Difference>,
    /// The differences that are logged just as they are.
    pub known: Vec<Difference>,
    /// The changes of those that are over, with their pages.
    pub over: Vec<(ChangeId, PageId)>,
}

impl OpenDifferences {
    /// Takes in a plan. Only one of everything that was seen, and of everybody, says that a difference is over.
    pub fn take(&mut self, plan: &Plan) -> Unlogged {
        let mut unlogged = Unlogged::default();
        let is_of_all = plan.complete && plan.within.is_none();
        let mut before = if is_of_all { std::mem::take(&mut self.0) } else { self.0.clone() };
        for change in &plan.changes {
            let difference = Difference::of(plan, change);
            let mut digest = sha256(&difference);
            digest.truncate(DIGEST_LENGTH);
            let logged = Logged { page: change.page, digest };
            let is_known = before.remove(&change.id).as_ref() == Some(&logged);
            if is_known { &mut unlogged.known } else { &mut unlogged.news }.push(difference);
            self.0.insert(change.id, logged);
        }
        if is_of_all {
            unlogged.over = before.into_iter().map(|(change, logged)| (change, logged.page)).collect();
        }
        unlogged
    }

    /// Takes in what happened: what is mended is over, and is logged as that.
    pub fn close(&mut self, events: &[Event]) {
        for event in events {
            if let What::Applied { change } = &event.what {
                self.0.remove(change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        journal::RunId,
        model::{Kind, Service},
        plan::{Action, Cause, Change, Plan, Proposal, State},
    };

    fn change(number: u32, reason: &str) -> Change {
        Change {
            id: ChangeId::from_number(number.into()),
            kind: Kind::Client,
            page: PageId::from_number(number.into()),
            name: "Acme".into(),
            parent: None,
            claimed: None,
            cause: Cause::New,
            proposal: Proposal {
                action: Action::Create,
                side: Service::Clockify,
                object: None,
                fields: vec![],
                confidence: 90,
                reason: reason.to_owned().into(),
            },
            alternatives: vec![],
            hold: None,
            state: State::Review,
            requires: vec![],
            tracked_seconds: None,
            refiling: None,
        }
    }

    fn plan(complete: bool, changes: Vec<Change>) -> Plan {
        Plan { changes, complete, ..Plan::default() }
    }

    /// How many of a plan are news, known and over.
    fn taken(open: &mut OpenDifferences, plan: &Plan) -> [usize; 3] {
        let Unlogged { news, known, over } = open.take(plan);
        [news.len(), known.len(), over.len()]
    }

    #[test]
    fn only_what_is_new_otherwise_or_over_is_told() {
        let mut open = OpenDifferences::default();
        let two = plan(true, vec![change(1, "new"), change(2, "new")]);
        assert_eq!(taken(&mut open, &two), [2, 0, 0]);
        assert_eq!(taken(&mut open, &two), [0, 2, 0]);
        assert_eq!(taken(&mut open, &plan(true, vec![change(1, "held"), change(2, "new")])), [1, 1, 0]);
        assert_eq!(taken(&mut open, &plan(true, vec![change(2, "new")])), [0, 1, 1]);
        assert_eq!(taken(&mut open, &plan(true, vec![])), [0, 0, 1]);
        assert_eq!(taken(&mut open, &two), [2, 0, 0], "what comes again is new");
    }

    #[test]
    fn what_was_not_seen_is_not_over() {
        let mut open = OpenDifferences::default();
        open.take(&plan(true, vec![change(1, "new"), change(2, "new")]));
        assert_eq!(taken(&mut open, &plan(false, vec![change(1, "new")])), [0, 1, 0]);
        assert_eq!(taken(&mut open, &plan(true, vec![change(1, "new")])), [0, 1, 1]);
    }

    #[test]
    fn what_was_mended_does_not_end_once_more() {
        let mut open = OpenDifferences::default();
        open.take(&plan(true, vec![change(1, "new")]));
        let what = What::Applied { change: ChangeId::from_number(1) };
        let run: RunId = "r".parse().expect("a run");
        open.close(&[Event { run, at: jiff::Timestamp::UNIX_EPOCH, what }]);
        assert_eq!(taken(&mut open, &plan(true, vec![])), [0, 0, 0]);
    }
}
