//! How far a review has come, in numbers and in words.

use std::ops::Deref;

use super::{Decision, Review};
use crate::domain::plan::{Plan, State, closes};

/// How far a review has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All changes of the plan.
    pub changes: usize,
    /// Approved, and so is all that they need.
    pub approved: usize,
    /// Approved by one person, and waiting for a second one.
    pub second: usize,
    /// Approved, and waiting for something that is not.
    pub waiting: usize,
    /// How many of those that are approved close something.
    pub closes: usize,
    /// Left alone in this run.
    pub skipped: usize,
    /// Left alone for good.
    pub ignored: usize,
    /// Left for somebody to look at.
    pub flagged: usize,
    /// Nothing was decided about them.
    pub undecided: usize,
    /// How many of those that are undecided are held.
    pub held: usize,
}

impl Tally {
    /// Counts what was decided.
    pub fn of(review: &Review<impl Deref<Target = Plan>>) -> Self {
        let changes = &review.plan().changes;
        let mut tally = Self { changes: changes.len(), ..Self::default() };
        for (at, change) in changes.iter().enumerate() {
            match review.verdict(at).decision {
                Some(Decision::Approve) if review.is_approved(at) => {
                    tally.approved += 1;
                    tally.closes += usize::from(closes(review.action(at), change.kind));
                }
                Some(Decision::Approve) if review.lacks_second(at) => tally.second += 1,
                Some(Decision::Approve) => tally.waiting += 1,
                Some(Decision::Skip) => tally.skipped += 1,
                Some(Decision::Ignore) => tally.ignored += 1,
                Some(Decision::Flag { .. }) => tally.flagged += 1,
                None => {
                    tally.undecided += 1;
                    tally.held += usize::from(change.state == State::Held);
                }
            }
        }
        tally
    }

    /// How many were decided about, one way or another.
    pub fn decided(self) -> usize {
        self.changes - self.undecided
    }

    /// `3 approved, 1 skipped, 58 undecided (7 of them held)`.
    pub fn words(self) -> String {
        let approved = (self.approved > 0).then(|| format!("{} approved", self.approved));
        approved.into_iter().chain([self.left_alone()]).filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// The same without what will be applied.
    pub fn left_alone(self) -> String {
        let Self { changes: _, approved: _, second, waiting, closes: _, skipped, ignored, flagged, undecided, held } =
            self;
        let counts = [
            (second, "approved by one person but needing a second"),
            (waiting, "approved but waiting for something that is not"),
            (skipped, "skipped"),
            (ignored, "ignored for good"),
            (flagged, "flagged"),
            (undecided, "undecided"),
        ];
        let words = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        let words = words.collect::<Vec<_>>().join(", ");
        if held > 0 { format!("{words} ({held} of them held)") } else { words }
    }
}
