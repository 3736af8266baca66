//! What of a plan needs a second person.

use std::collections::BTreeSet;

use super::{Action, Change, ChangeId, Plan, closes};
use crate::domain::{four_eyes::Deed, model::Kind, rules::Rules};

impl Plan {
    /// True for a change that one person alone does not decide.
    pub fn needs_second(&self, change: &ChangeId) -> bool {
        self.second.contains(change)
    }

    /// The changes that need a second person, by the rules.
    pub(super) fn of_four_eyes(&self, rules: &Rules) -> BTreeSet<ChangeId> {
        if rules.four_eyes.is_off() {
            return BTreeSet::new();
        }
        let needs = |change: &&Change| self.four_eyes_on(change, rules).is_some();
        self.changes.iter().filter(needs).map(|change| change.id).collect()
    }

    /// The rule by which a change needs a second person: its key, and what that is set to.
    pub fn four_eyes_on(&self, change: &Change, rules: &Rules) -> Option<(&'static str, String)> {
        rules.four_eyes.rule_on(change.deed(self.released.contains(&change.id)))
    }
}

impl Change {
    /// What it comes to in any of the ways that can be chosen.
    fn deed(&self, is_released: bool) -> Deed {
        let ways = || std::iter::once(&self.proposal).chain(&self.alternatives).map(|way| way.action);
        Deed {
            closes: ways().any(|action| closes(action, self.kind)),
            tracked_seconds: self.tracked_seconds,
            undoes: self.is_undo(),
            is_released,
            refiles: ways().any(|action| action == Action::Refile || action == Action::Move && self.kind == Kind::Task),
        }
    }
}
