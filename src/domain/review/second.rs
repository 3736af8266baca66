//! Approvals by two persons, where the rules ask for that: each is kept with the verdict, and anything else that is said
//! takes them back.

use std::{collections::BTreeMap, ops::Deref};

use jiff::Timestamp;

use super::{Decision, Remembered, Resolution, Review, Said};
use crate::domain::{
    four_eyes::{self, Approval},
    plan::{ChangeId, Plan},
    text::Shown,
};

impl Resolution {
    /// The same with the approvals that stand once somebody has said it who found another verdict. Whoever approves adds
    /// theirs; another way, other fields or other values are something else, which nobody has approved before.
    #[must_use]
    pub fn said_by(mut self, by: &str, before: &Self) -> Self {
        let stand = if before.approves_as(&self) { before.approvals.as_slice() } else { &[] };
        let is_approved = self.decision == Some(Decision::Approve);
        self.approvals = if is_approved { four_eyes::joined(stand, by) } else { Vec::new() };
        self.without_void_approval()
    }

    /// True where both approve the same, whoever has.
    pub fn approves_as(&self, other: &Self) -> bool {
        self.decision == Some(Decision::Approve) && self.agrees(other)
    }

    /// The same where only some of its approvals stand any longer.
    #[must_use]
    pub fn with_approvals(mut self, stands: impl Fn(&Approval) -> bool) -> Self {
        self.approvals.retain(stands);
        self.without_void_approval()
    }

    /// The same for a plan in which it takes two to approve it, or in which it does not.
    pub(super) fn recalled_of(mut self, by: &str, needs_second: bool) -> Self {
        if !needs_second {
            self.approvals.clear();
            return self;
        }
        if self.decision == Some(Decision::Approve) && self.approvals.is_empty() {
            self.approvals = four_eyes::joined(&[], by);
        }
        self.without_void_approval()
    }

    /// What nobody has approved is not approved.
    fn without_void_approval(mut self) -> Self {
        if self.decision == Some(Decision::Approve) && self.approvals.is_empty() {
            self.decision = None;
        }
        self
    }
}

impl Remembered {
    /// The same with the approval of whoever has decided, where none was noted: it took no second person then.
    #[must_use]
    pub fn vouched(mut self) -> Self {
        let verdict = &mut self.said.verdict;
        if verdict.decision == Some(Decision::Approve) && verdict.approvals.is_empty() {
            verdict.approvals.push(Approval { by: self.by.clone(), at: Some(self.at) });
        }
        self
    }

    /// What was said, and by whom.
    pub fn recalled(self) -> (Said, String) {
        let Self { said, by, .. } = self.vouched();
        (said, by)
    }
}

impl Said {
    /// What is kept of it when somebody says it: their own approval with its time, and those of others as they stand by
    /// then, however old the view is that it was said on.
    #[must_use]
    pub fn kept_by(mut self, by: &str, at: Timestamp, known: &BTreeMap<ChangeId, Remembered>) -> Self {
        if self.verdict.approvals.is_empty() {
            return self;
        }
        let known = known.get(&self.change).map(|known| known.clone().vouched().said.verdict);
        let stand = known.filter(|known| known.approves_as(&self.verdict)).map(|known| known.approvals);
        let others = stand.unwrap_or_default().into_iter().filter(|approval| approval.by != by);
        let own = self.verdict.approvals.iter().filter(|approval| approval.by == by);
        let own = own.map(|own| Approval { at: own.at.or(Some(at)), ..own.clone() });
        self.verdict.approvals = others.chain(own).collect();
        self.verdict = self.verdict.without_void_approval();
        self
    }
}

impl<P: Deref<Target = Plan>> Review<P> {
    /// True for what one person alone does not decide.
    pub fn needs_second(&self, at: usize) -> bool {
        self.plan.needs_second(&self.plan.changes[at].id)
    }

    /// True for what is approved, but not by enough persons.
    pub fn lacks_second(&self, at: usize) -> bool {
        let verdict = &self.verdicts[at];
        verdict.decision == Some(Decision::Approve)
            && self.needs_second(at)
            && !four_eyes::is_enough(four_eyes::names(&verdict.approvals))
    }

    /// How far the approvals of a change have come that needs two; nothing where it needs no second, or where something
    /// else was decided.
    pub fn second_words(&self, at: usize) -> Option<Shown> {
        let verdict = &self.verdicts[at];
        let is_open = matches!(verdict.decision, None | Some(Decision::Approve));
        (is_open && self.needs_second(at)).then(|| four_eyes::words(four_eyes::names(&verdict.approvals)))
    }

    /// True where somebody else has approved, and the person of this review can be the second one.
    pub fn wants_second(&self, at: usize) -> bool {
        self.lacks_second(at) && !self.has_own_approval(at)
    }

    /// True for what the person of this review has still to decide about.
    pub fn is_open(&self, at: usize) -> bool {
        self.verdicts[at].decision.is_none() || self.wants_second(at)
    }

    /// True where the person of this review has approved a change that needs another one.
    pub fn has_own_approval(&self, at: usize) -> bool {
        self.lacks_second(at) && four_eyes::has(&self.verdicts[at].approvals, &self.by)
    }
}

#[cfg(test)]
mod tests;
