//! What stands in the way of approved changes: a decision about something that they need is never overruled along the
//! way. Said in the same words by every face.

use std::{collections::BTreeSet, ops::Deref};

use super::{Decision, Review, with_needed};
use crate::domain::{
    plan::{Plan, State},
    text::Shown,
};

/// Columns of a name in a sentence.
const NAME_COLUMNS: usize = 40;

impl Decision {
    /// `skipped`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Skip => "skipped",
            Self::Ignore => "ignored for good",
            Self::Flag { .. } => "flagged",
        }
    }

    /// True for what says that a change is not to be made now.
    pub fn is_otherwise(&self) -> bool {
        *self != Self::Approve
    }
}

impl<P: Deref<Target = Plan>> Review<P> {
    /// True for what is approved where all that is ready is: nothing was decided about it yet.
    pub fn is_ready(&self, at: usize) -> bool {
        self.plan.changes[at].state == State::Ready && self.verdicts[at].decision.is_none()
    }

    /// Those of some changes that are approved, and wait for something all the same.
    pub fn waiting(&self, changes: &[usize]) -> Vec<usize> {
        let approved = |at: usize| self.verdicts[at].decision == Some(Decision::Approve);
        changes.iter().copied().filter(|&at| approved(at) && !self.is_approved(at)).collect()
    }

    /// What changes need, and what that needs, as far as it was decided otherwise.
    pub fn otherwise(&self, changes: &[usize]) -> Vec<usize> {
        let needed = |at: usize| self.plan.changes[at].requires.iter().filter_map(|id| self.index.get(id).copied());
        let all = with_needed(changes.iter().copied().collect::<BTreeSet<usize>>(), needed);
        let is_otherwise = |at: &usize| self.verdicts[*at].decision.as_ref().is_some_and(Decision::is_otherwise);
        all.into_iter().filter(is_otherwise).collect()
    }

    /// What some changes wait for since it was decided otherwise, in words; nothing where they wait for nothing.
    pub fn waits_words(&self, waiting: &[usize]) -> Option<String> {
        let name = |at: usize| self.plan.changes[at].name.shown();
        let otherwise = self.otherwise(waiting);
        let decision = self.verdicts[*otherwise.first()?].decision.as_ref()?;
        Some(waits_words(waiting.len(), &name(*waiting.first()?), &name(otherwise[0]), decision, otherwise.len() - 1))
    }
}

/// `“Design” waits for “Acme”, which was skipped`, or `3 wait for “Acme”, which was skipped, and 1 more`.
pub fn waits_words(waiting: usize, first: &Shown, needed: &Shown, decision: &Decision, more: usize) -> String {
    let quoted = |name: &Shown| format!("“{}”", name.clipped(NAME_COLUMNS));
    let who = if waiting == 1 { format!("{} waits", quoted(first)) } else { format!("{waiting} wait") };
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{who} for {}, which was {}{more}", quoted(needed), decision.word())
}
