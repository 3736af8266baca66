//! What waits: what no run makes without a person, what somebody has left alone for now, and what failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{
    journal::{Event, What},
    plan::{Change, ChangeId, Plan, State},
    review::{Decision, Resolution, Review},
    text::Shown,
};

/// How a change waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Waits {
    /// Policy leaves it to a person.
    Review,
    /// Something holds it.
    Held,
    /// Somebody wants it to be looked at.
    Flagged,
    /// Somebody has left it alone for now.
    Skipped,
    /// A run failed to make it, or could not start it; the next one tries again unless a person has to decide.
    Failed,
}

impl Waits {
    /// The word for it.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting<'a> {
    pub change: &'a Change,
    /// How.
    pub waits: Waits,
    /// Why.
    pub reason: Shown,
}

/// How changes ended, in this run and, where it has not tried them again, in earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Ends<'a> {
    applied: BTreeSet<&'a ChangeId>,
    failed: BTreeMap<&'a ChangeId, Shown>,
    earlier: BTreeMap<ChangeId, Shown>,
}

impl<'a> Ends<'a> {
    /// Reads the events of a run; `earlier` is what failed before that, and why.
    pub fn of(events: &'a [Event], earlier: impl IntoIterator<Item = (ChangeId, Shown)>) -> Self {
        let mut ends = Self { earlier: earlier.into_iter().collect(), ..Self::default() };
        for event in events {
            match &event.what {
                What::Applied { change } => {
                    ends.applied.insert(change);
                }
                What::Failed { change, error, .. } => {
                    ends.failed.insert(change, error.clone());
                }
                What::NotStarted { change, because } => {
                    ends.failed.entry(change).or_insert_with(|| format!("not started: {because}").into());
                }
                _ => {}
            }
        }
        ends
    }

    /// True where this run has made the change, failed to, or could not start it.
    pub fn has(&self, change: &ChangeId) -> bool {
        self.applied.contains(change) || self.failed.contains_key(change)
    }
}

/// What of a review waits after a run that ended some of it so. What policy approves and nothing has kept back waits
/// for the next run alone, and what was ignored for good waits for nobody.
pub fn waiting<'a>(review: &'a Review<impl Deref<Target = Plan>>, ends: &Ends<'_>) -> Vec<Waiting<'a>> {
    let changes = review.plan().changes.iter().enumerate().filter(|(_, change)| !ends.applied.contains(&change.id));
    let waiting = changes.filter_map(|(at, change)| {
        if let Some(error) = ends.failed.get(&change.id) {
            return Some(Waiting { change, waits: Waits::Failed, reason: error.as_str().into() });
        }
        let earlier = ends.earlier.get(&change.id);
        let (waits, reason) = match (&change.hold, &review.verdict(at).decision) {
            (_, Some(Decision::Ignore)) => return None,
            (Some(hold), _) => (Waits::Held, hold.text.clone()),
            (None, Some(Decision::Flag { note })) if note.is_empty() => {
                (Waits::Flagged, format!("flagged by {}", review.by(at)).into())
            }
            (None, Some(Decision::Flag { note })) => {
                (Waits::Flagged, format!("flagged by {}: {}", review.by(at), Shown::of(note)).into())
            }
            (None, Some(Decision::Skip)) => (Waits::Skipped, format!("skipped by {}", review.by(at)).into()),
            (None, Some(Decision::Approve)) if review.lacks_second(at) => {
                (Waits::Review, review.second_words(at).unwrap_or_default())
            }
            (None, _) if earlier.is_some() => (Waits::Failed, earlier.cloned().unwrap_or_default()),
            (None, Some(Decision::Approve)) => match review.blocked(at) {
                None => return None,
                Some(other) => (
                    Waits::Review,
                    format!("it was approved, and waits for “{}”", other.name.shown().clipped(60)).into(),
                ),
            },
            (None, None) if change.state == State::Ready && *review.verdict(at) == Resolution::default() => {
                return None;
            }
            (None, None) if change.state == State::Ready => {
                (Waits::Review, format!("{} has begun to decide about it", review.by(at)).into())
            }
            (None, None) => (Waits::Review, change.proposal.reason.clone()),
        };
        Some(Waiting { change, waits, reason })
    });
    waiting.collect()
}

/// What policy would approve and a run was not to make: after one that only plans, it waits for a person.
pub fn unapproved<'a>(review: &'a Review<impl Deref<Target = Plan>>, ends: &Ends<'_>) -> Vec<Waiting<'a>> {
    let changes = review.plan().changes.iter().enumerate().filter(|(at, change)| {
        let is_left = change.state == State::Ready && *review.verdict(*at) == Resolution::default();
        is_left && !ends.has(&change.id) && !ends.earlier.contains_key(&change.id)
    });
    changes
        .map(|(_, change)| Waiting { change, waits: Waits::Review, reason: change.proposal.reason.clone() })
        .collect()
}

/// How many changes a run has not ended in any way, but for those that were ignored for good.
pub fn unasked(review: &Review<impl Deref<Target = Plan>>, ends: &Ends<'_>) -> usize {
    let changes = review.plan().changes.iter().enumerate();
    let is_left = |at: usize| review.verdict(at).decision != Some(Decision::Ignore);
    changes.filter(|(at, change)| is_left(*at) && !ends.has(&change.id)).count()
}
