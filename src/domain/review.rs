//! Decisions: what may be written. [`Review::approved`] is the only door to a write.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::plan::{Change, ChangeId, Plan, State};

/// What was decided about a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
pub enum Decision {
    /// Make it.
    Approve,
    /// Not in this run.
    Skip,
    /// Somebody should look at it.
    Flag {
        /// Why.
        note: String,
    },
}

/// A plan with what has been decided about it.
#[derive(Clone, Debug)]
pub struct Review<'plan> {
    plan: &'plan Plan,
    by: String,
    decisions: BTreeMap<ChangeId, Decision>,
}

impl<'plan> Review<'plan> {
    /// A review in which nothing is decided yet.
    pub fn new(plan: &'plan Plan, by: impl Into<String>) -> Self {
        Self { plan, by: by.into(), decisions: BTreeMap::new() }
    }

    /// A review that approves what policy approves: every change that is ready.
    pub fn by_policy(plan: &'plan Plan) -> Self {
        let mut review = Self::new(plan, "policy");
        review.approve_all(|change| change.state == State::Ready);
        review
    }

    /// Decides about one change. A held change cannot be approved.
    ///
    /// Returns false where there is nothing to decide: no such change, or a held one.
    pub fn decide(&mut self, id: &ChangeId, decision: Decision) -> bool {
        let open = self
            .plan
            .changes
            .iter()
            .any(|change| change.id == *id && (change.state != State::Held || decision != Decision::Approve));
        if open {
            self.decisions.insert(id.clone(), decision);
        }
        open
    }

    /// Approves every change that is meant, unless it is held.
    pub fn approve_all(&mut self, meant: impl Fn(&Change) -> bool) {
        for change in self.plan.changes.iter().filter(|change| change.state != State::Held && meant(change)) {
            self.decisions.insert(change.id.clone(), Decision::Approve);
        }
    }

    /// What was decided about a change.
    pub fn decision(&self, id: &ChangeId) -> Option<&Decision> {
        self.decisions.get(id)
    }

    /// What may be written: approved changes whose requirements are approved too, or no longer needed.
    pub fn approved(&self) -> Approved {
        let by_id = self.plan.by_id();
        let mut approved: BTreeSet<&ChangeId> = self
            .decisions
            .iter()
            .filter(|(_, decision)| **decision == Decision::Approve)
            .filter_map(|(id, _)| by_id.get(id).filter(|change| change.state != State::Held).map(|change| &change.id))
            .collect();
        loop {
            let orphaned: Vec<&ChangeId> = approved
                .iter()
                .copied()
                .filter(|id| by_id[*id].requires.iter().any(|needed| by_id.contains_key(needed) && !approved.contains(needed)))
                .collect();
            if orphaned.is_empty() {
                break;
            }
            for id in orphaned {
                approved.remove(id);
            }
        }
        Approved {
            changes: self.plan.changes.iter().filter(|change| approved.contains(&change.id)).cloned().collect(),
            by: self.by.clone(),
        }
    }
}

/// Changes that were approved. Only a [`Review`] can make one, and only what is in one is ever written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Approved {
    changes: Vec<Change>,
    by: String,
}

impl Approved {
    /// The changes, in the plan's order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Who approved them.
    pub fn by(&self) -> &str {
        &self.by
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        model::{Kind, PageId, Service},
        plan::{Action, Cause, Proposal},
        rules::Rules,
        text::Raw,
    };

    fn change(name: &str, confidence: u8, requires: &[&str]) -> Change {
        Change {
            id: ChangeId(name.into()),
            kind: Kind::Client,
            page: PageId::from_number(1),
            name: Raw::from(name),
            parent: None,
            claimed: None,
            cause: Cause::New,
            proposal: Proposal {
                action: Action::Create,
                side: Service::Clockify,
                object: None,
                fields: vec![],
                confidence,
                reason: String::new(),
            },
            alternatives: vec![],
            hold: None,
            state: State::Review,
            requires: requires.iter().map(|id| ChangeId((*id).into())).collect(),
            tracked_seconds: None,
        }
    }

    fn plan(changes: Vec<Change>) -> Plan {
        Plan { changes, ..Plan::default() }.seal(&Rules::default())
    }

    fn approved(review: &Review<'_>) -> Vec<String> {
        review.approved().changes().iter().map(|change| change.id.0.clone()).collect()
    }

    #[test]
    fn what_rests_on_a_change_for_review_is_for_review_too() {
        let plan = plan(vec![change("parent", 85, &[]), change("child", 95, &["parent"]), change("other", 95, &[])]);

        let review = Review::by_policy(&plan);

        assert_eq!(approved(&review), ["other"]);
    }

    #[test]
    fn skipping_a_parent_takes_its_children_along() {
        let plan = plan(vec![change("a", 95, &[]), change("b", 95, &["a"]), change("c", 95, &["b"])]);
        let mut review = Review::by_policy(&plan);
        assert_eq!(approved(&review).len(), 3);

        review.decide(&ChangeId("a".into()), Decision::Skip);

        assert!(approved(&review).is_empty());
    }
}
