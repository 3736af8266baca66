//! What waits for a person: what no run makes without one, and what somebody has left alone for now.

use std::{collections::BTreeSet, ops::Deref};

use serde::{Deserialize, Serialize};

use super::{
    plan::{Change, ChangeId, Plan, State},
    review::{Decision, Review, Verdict},
    text::Display,
};

/// How a change waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// Policy leaves it to a person.
    Review,
    /// Something holds it.
    Held,
    /// Somebody wants it to be looked at.
    Flagged,
    /// Somebody has left it alone for now.
    Skipped,
}

impl Waits {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Held => "held",
            Self::Flagged => "flagged",
            Self::Skipped => "skipped",
        }
    }
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting<'a> {
    /// The change.
    pub change: &'a Change,
    /// How.
    pub waits: Waits,
    /// Why, safe to show.
    pub reason: String,
}

/// What of a review waits for a person after a run that is `done` with some of it. What policy approves waits for the next run alone, and
/// what was ignored for good waits for nobody.
pub fn waiting<'a>(review: &'a Review<impl Deref<Target = Plan>>, done: &BTreeSet<&ChangeId>) -> Vec<Waiting<'a>> {
    let changes = review.plan().changes.iter().enumerate().filter(|(_, change)| !done.contains(&change.id));
    let waiting = changes.filter_map(|(at, change)| {
        let (waits, reason) = match (&change.hold, &review.verdict(at).decision) {
            (_, Some(Decision::Ignore)) => return None,
            (Some(hold), _) => (Waits::Held, hold.text.clone()),
            (None, Some(Decision::Flag { note })) if note.is_empty() => (Waits::Flagged, format!("flagged by {}", review.by(at))),
            (None, Some(Decision::Flag { note })) => {
                (Waits::Flagged, format!("flagged by {}: {}", review.by(at), Display::of(note)))
            }
            (None, Some(Decision::Skip)) => (Waits::Skipped, format!("skipped by {}", review.by(at))),
            (None, Some(Decision::Approve)) => match review.blocked(at) {
                None => return None,
                Some(other) => (Waits::Review, format!("it was approved, and waits for “{}”", other.name.display().clipped(60))),
            },
            (None, None) if change.state == State::Ready && *review.verdict(at) == Verdict::default() => return None,
            (None, None) if change.state == State::Ready => {
                (Waits::Review, format!("{} has begun to decide about it", review.by(at)))
            }
            (None, None) => (Waits::Review, change.proposal.reason.clone()),
        };
        Some(Waiting { change, waits, reason })
    });
    waiting.collect()
}
