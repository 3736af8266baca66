//! What stands in the way of approved changes: a decision about something that they need is never overruled along the
//! way. Said in the same words by every face.

use std::{collections::BTreeSet, ops::Deref};

use super::{Decision, Resolution, Review, with_needed};
use crate::domain::{
    plan::{
        Change, Plan, State,
        document::{DecidedText, DecidedTexts},
    },
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

    /// As it is kept: `skip`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Skip => "skip",
            Self::Ignore => "ignore",
            Self::Flag { .. } => "flag",
        }
    }

    /// `flagged by Ana: is it right?`; what is approved is not made yet.
    pub fn words(&self, by: &str) -> Shown {
        match self {
            Self::Approve => format!("approved by {by}, for the next run"),
            Self::Flag { note } if !note.is_empty() => format!("flagged by {by}: {note}"),
            Self::Skip | Self::Ignore | Self::Flag { .. } => format!("{} by {by}", self.word()),
        }
        .into()
    }

    /// True for what says that a change is not to be made now.
    pub fn is_otherwise(&self) -> bool {
        *self != Self::Approve
    }
}

impl<P: Deref<Target = Plan>> Review<P> {
    /// What was decided, as the document of the plan has it.
    pub fn decided(&self) -> DecidedTexts {
        let text = |(change, verdict): (&Change, &Resolution)| {
            let made = verdict.decision.as_ref()?;
            let note = match made {
                Decision::Flag { note } if !note.is_empty() => Some(note.as_str().into()),
                _ => None,
            };
            let by = self.by(self.place(&change.id)?).into();
            let approvals = verdict.approvals.iter().map(|approval| approval.by.as_str().into()).collect();
            Some((change.id, DecidedText { decision: made.key().to_owned(), note, decided_by: by, approvals }))
        };
        self.plan.changes.iter().zip(&self.verdicts).filter_map(text).collect()
    }

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
