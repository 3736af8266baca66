//! Several people decide about the same changes. Who decides does so upon what they saw; where somebody else has decided
//! otherwise since, that is told, and stands unless it is decided again upon that.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use super::{Decision, Remembered, Resolution, Review, Said};
use crate::domain::{
    plan::{ChangeId, Plan, State},
    text::Shown,
};

/// What a person says about a change, and what they had seen that was said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidUpon {
    pub said: Said,
    /// Nothing said where they had seen nothing.
    pub seen: Resolution,
}

/// What becomes of what is said when it comes to what is said by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// It takes the place of what its maker saw.
    Stands,
    /// Somebody else has said the same.
    Same,
    /// Somebody else has said something else.
    Overtaken,
}

impl Resolution {
    /// True where both say the same, whoever says it.
    pub fn agrees(&self, other: &Self) -> bool {
        let Self { decision, way, rejected, edited, approvals: _ } = self;
        (decision, way, rejected, edited) == (&other.decision, &other.way, &other.rejected, &other.edited)
    }
}

impl SaidUpon {
    /// What becomes of it where this stands by now.
    pub fn meets(&self, standing: &Resolution) -> Meeting {
        match standing {
            standing if standing.agrees(&self.seen) => Meeting::Stands,
            standing if standing.agrees(&self.said.verdict) => Meeting::Same,
            _ => Meeting::Overtaken,
        }
    }
}

/// What somebody said that is not kept, since somebody else had said something else after they looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overtaken {
    pub said: Said,
    /// What stands instead; nothing where that was taken back, carried out, or is over.
    pub stands: Option<Remembered>,
}

impl Overtaken {
    /// `ben has skipped it meanwhile`.
    pub fn words(&self) -> Shown {
        self.stands.as_ref().map_or_else(|| "it was taken back or carried out meanwhile".into(), Remembered::meanwhile)
    }
}

impl Remembered {
    /// `ben has skipped it meanwhile`.
    fn meanwhile(&self) -> Shown {
        let did = self.said.verdict.decision.as_ref().map_or("begun to decide about", |decision| match decision {
            Decision::Ignore => "ignored for good",
            other => other.word(),
        });
        format!("{} has {did} it meanwhile", self.by).into()
    }
}

/// A change about which somebody else decided, as it is news to who reviews.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The place of the change.
    pub at: usize,
    /// What the reviewer had decided otherwise.
    pub mine: Option<Resolution>,
}

impl<P: Deref<Target = Plan>> Review<P> {
    /// Takes over what stands by now about the changes of the plan, except where what was said here `is_on_its_way`.
    /// Returns what is news. It cannot be undone, and what was decided before about those changes cannot be brought back
    /// by undoing.
    pub fn hear(&mut self, standing: &[Remembered], is_on_its_way: impl Fn(&ChangeId) -> bool) -> Vec<Heard> {
        let standing: BTreeMap<ChangeId, &Remembered> =
            standing.iter().map(|known| (known.said.change, known)).collect();
        let known = standing.keys().filter_map(|change| self.place(change)).chain(self.seen.keys().copied());
        let places: BTreeSet<usize> = known.filter(|&at| !is_on_its_way(&self.plan.changes[at].id)).collect();
        let stands = |review: &Self, at: usize| standing.get(&review.plan.changes[at].id).copied();
        places.into_iter().filter_map(|at| self.take_over(at, stands(self, at))).collect()
    }

    /// Takes over what stands by now about one change. Nothing where that is no news.
    pub fn take_over(&mut self, at: usize, stands: Option<&Remembered>) -> Option<Heard> {
        let needs_second = self.needs_second(at);
        let recalled = |known: &Remembered| known.said.verdict.clone().recalled_of(&known.by, needs_second);
        let verdict = stands.map(recalled).unwrap_or_default();
        let mine = self.verdicts[at].clone();
        let seen = self.seen.insert(at, verdict.clone()).unwrap_or_default();
        if mine.agrees(&verdict) {
            // What was decided here stays so, whoever has said the same: should they think better of it, that is news.
            if let Some(known) = stands.filter(|_| self.by(at) != self.by) {
                self.earlier.insert(at, known.by.clone());
            }
            // That somebody approves, too, is what a change may wait for.
            let is_news = mine.approvals != verdict.approvals;
            self.verdicts[at].approvals = verdict.approvals;
            return is_news.then_some(Heard { at, mine: None });
        }
        let was_mine = mine != Resolution::default() && self.by(at) == self.by;
        // A skip is for the run of who said it, and any other run that ends forgets it.
        if seen.agrees(&verdict) || was_mine && stands.is_none() && mine.decision == Some(Decision::Skip) {
            return None;
        }
        let is_somebody_elses = stands.is_none_or(|known| known.by != self.by);
        self.verdicts[at] = if self.may_take(at, &verdict) { verdict } else { Resolution::default() };
        match stands {
            Some(known) => drop(self.earlier.insert(at, known.by.clone())),
            None => drop(self.earlier.remove(&at)),
        }
        for steps in [&mut self.done, &mut self.undone] {
            for step in steps.iter_mut() {
                step.retain(|(place, _)| *place != at);
            }
            steps.retain(|step| !step.is_empty());
        }
        Some(Heard { at, mine: Some(mine).filter(|_| was_mine && is_somebody_elses) })
    }

    /// True for what can be taken up: nothing approves what is held, or names a way that there is none of.
    pub(super) fn may_take(&self, at: usize, verdict: &Resolution) -> bool {
        let change = &self.plan.changes[at];
        let approves_held = change.state == State::Held && verdict.decision == Some(Decision::Approve);
        !approves_held && verdict.way <= change.alternatives.len()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeSet, HashMap};

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{diff::tests::world::World, plan::Change};

    /// A plan of three changes that have nothing to do with each other.
    pub(crate) fn plan() -> Plan {
        let mut world = World::linked(&[]);
        for name in ["Acme", "Globex", "Initech"] {
            world.page(name);
        }
        world.plan()
    }

    pub(crate) fn decision(which: u8) -> Option<Decision> {
        match which {
            0 => Some(Decision::Approve),
            1 => Some(Decision::Skip),
            2 => Some(Decision::Flag { note: "why?".into() }),
            _ => None,
        }
    }

    fn remembered(upon: &SaidUpon, by: &str) -> Remembered {
        Remembered { said: upon.said.clone(), by: by.to_owned(), at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn who_decides_upon_something_else_than_stands_is_overtaken_unless_it_is_the_same() {
        let resolution = |which| Resolution { decision: decision(which), ..Resolution::default() };
        let plan = plan();
        let said = |verdict| Said::of(&plan.changes[0], verdict);
        let meets = |standing, seen, said_now| {
            SaidUpon { said: said(resolution(said_now)), seen: resolution(seen) }.meets(&resolution(standing))
        };
        assert_eq!(meets(9, 9, 0), Meeting::Stands);
        assert_eq!(meets(1, 1, 0), Meeting::Stands, "who has seen it may overrule it");
        assert_eq!(meets(0, 9, 0), Meeting::Same);
        assert_eq!(meets(1, 9, 0), Meeting::Overtaken);
        assert_eq!(meets(9, 1, 0), Meeting::Overtaken, "it was taken back");
    }

    #[test]
    fn who_said_the_same_is_told_when_the_other_thinks_better_of_it() {
        let plan = plan();
        let mut review = Review::new(&plan, "ben");
        review.decide(&[0], Some(&Decision::Skip));
        let said = review.unworded(&[0]).said().remove(0);
        assert_eq!(review.take_over(0, Some(&remembered(&said, "ana"))), None);

        let mut otherwise = said.clone();
        otherwise.said.verdict.decision = Some(Decision::Approve);
        let heard = review.take_over(0, Some(&remembered(&otherwise, "ana")));

        assert_eq!(heard, Some(Heard { at: 0, mine: Some(said.said.verdict) }));
        assert_eq!((review.by(0), review.verdict(0)), ("ana", &otherwise.said.verdict));
    }

    /// A reviewer at a console: what is handed over arrives later, and so does what others say.
    pub(crate) struct Reviewer<'p> {
        pub(crate) by: &'static str,
        review: Review<&'p Plan>,
        on_its_way: Vec<Vec<SaidUpon>>,
        /// The last that was decided about each change.
        decided: HashMap<ChangeId, Resolution>,
        /// What was told since.
        told: BTreeSet<ChangeId>,
    }

    impl<'p> Reviewer<'p> {
        pub(crate) fn new(plan: &'p Plan, by: &'static str) -> Self {
            let review = Review::new(plan, by);
            Self { by, review, on_its_way: Vec::new(), decided: HashMap::new(), told: BTreeSet::new() }
        }

        pub(crate) fn step(&mut self, step: impl FnOnce(&mut Review<&'p Plan>) -> Vec<usize>) {
            let changed = step(&mut self.review);
            let said = self.review.unworded(&changed).said();
            for upon in &said {
                self.decided.insert(upon.said.change, upon.said.verdict.clone());
                self.told.remove(&upon.said.change);
            }
            self.on_its_way.push(said);
        }

        /// What was handed over first, which arrives now.
        pub(crate) fn arriving(&mut self) -> Option<Vec<SaidUpon>> {
            if self.on_its_way.is_empty() { None } else { Some(self.on_its_way.remove(0)) }
        }

        /// Is told that something else stands about a change than was handed over.
        pub(crate) fn is_overtaken(&mut self, change: ChangeId, stands: Option<&Remembered>) {
            if !self.is_on_its_way(&change) {
                let at = self.review.place(&change).expect("a change of the plan");
                self.review.take_over(at, stands);
                self.told.insert(change);
            }
        }

        /// What was handed over first arrives.
        fn arrive(&mut self, state: &mut HashMap<ChangeId, Remembered>) {
            for upon in self.arriving().unwrap_or_default() {
                let change = upon.said.change;
                let nothing = Resolution::default();
                let stands = state.get(&change).cloned();
                match upon.meets(stands.as_ref().map_or(&nothing, |known| &known.said.verdict)) {
                    Meeting::Stands if upon.said.verdict == nothing => drop(state.remove(&change)),
                    Meeting::Stands => drop(state.insert(change, remembered(&upon, self.by))),
                    Meeting::Same => {}
                    Meeting::Overtaken => self.is_overtaken(change, stands.as_ref()),
                }
            }
        }

        fn is_on_its_way(&self, change: &ChangeId) -> bool {
            self.on_its_way.iter().flatten().any(|upon| upon.said.change == *change)
        }

        pub(crate) fn hear(&mut self, standing: &[Remembered]) {
            let on_its_way: BTreeSet<ChangeId> =
                self.on_its_way.iter().flatten().map(|upon| upon.said.change).collect();
            let heard = self.review.hear(standing, |change| on_its_way.contains(change));
            let of_mine = heard.into_iter().filter(|heard| heard.mine.is_some());
            self.told.extend(of_mine.map(|heard| self.review.plan().changes[heard.at].id));
        }

        /// Once all has arrived and was heard: the first change whose last decision is not what stands, while nobody told
        /// so.
        pub(crate) fn lost(&self, standing: &[Remembered]) -> Option<ChangeId> {
            let lost = |(at, change): &(usize, &Change)| {
                let stands = standing.iter().find(|known| known.said.change == change.id);
                let stands = stands.map(|known| known.said.verdict.clone()).unwrap_or_default();
                let decided = self.decided.get(&change.id).filter(|said| **said != Resolution::default());
                let is_kept = decided.is_none_or(|said| *said == stands);
                // A skip is for the run of who said it.
                let is_skip_gone = stands == Resolution::default()
                    && decided.is_some_and(|said| said.decision == Some(Decision::Skip));
                let is_told = is_kept || self.told.contains(&change.id) || is_skip_gone;
                !is_told || *self.review.verdict(*at) != stands && !is_skip_gone
            };
            let changes = self.review.plan().changes.iter().enumerate();
            changes.into_iter().find(lost).map(|(_, change)| change.id)
        }
    }

    proptest! {
        #[test]
        fn no_decision_is_lost_without_being_told(
            steps in prop::collection::vec((any::<bool>(), 0_u8..6, 0_usize..3, 0_u8..4), 1..40)
        ) {
            let plan = plan();
            let mut both = [Reviewer::new(&plan, "ana"), Reviewer::new(&plan, "ben")];
            let mut state = HashMap::new();
            for (is_second, what, at, which) in steps {
                let reviewer = &mut both[usize::from(is_second)];
                match what {
                    0 | 1 => reviewer.step(|review| review.decide(&[at], decision(which).as_ref())),
                    2 => reviewer.step(Review::undo),
                    3 => reviewer.step(Review::redo),
                    4 => reviewer.arrive(&mut state),
                    _ => reviewer.hear(&state.values().cloned().collect::<Vec<_>>()),
                }
            }
            for reviewer in &mut both {
                while !reviewer.on_its_way.is_empty() {
                    reviewer.arrive(&mut state);
                }
            }
            let standing: Vec<Remembered> = state.into_values().collect();
            for reviewer in &mut both {
                reviewer.hear(&standing);
                prop_assert_eq!(reviewer.lost(&standing), None);
            }
        }
    }
}
