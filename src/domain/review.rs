//! Decisions: what may be written. [`Review::approved`] is the only door to a write.

mod second;
mod standing;
mod tally;
mod together;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Deref,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    four_eyes::{self, Approval, POLICY},
    model::{Field, PageId, Service, Value},
    plan::{Action, Cause, Change, ChangeId, Plan, Proposal, State},
    text::Shown,
};

#[cfg(all(test, unix, feature = "postgres"))]
pub(crate) use self::together::tests as reviewing;
pub use self::{
    standing::waits_words,
    tally::Tally,
    together::{Heard, Meeting, Overtaken, SaidUpon},
};

/// What was decided about a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "decision")]
pub enum Decision {
    /// Make it.
    Approve,
    /// Not in this run.
    Skip,
    /// Never, as long as it proposes the same.
    Ignore,
    /// Somebody should look at it.
    Flag {
        /// Why.
        note: String,
    },
}

/// All that a person has said about one change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resolution {
    /// What was decided, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Which way to mend it: 0 is the proposal, then the alternatives.
    pub way: usize,
    /// Fields of an update that are left alone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rejected: BTreeSet<Field>,
    /// Values to write instead of the proposed ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub edited: BTreeMap<Field, Value>,
    /// Who has approved it, where that takes two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

/// What a person said about a change, as it is kept: by the change's content, and by its page, so that what was said of
/// an earlier variant can still be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub change: ChangeId,
    pub page: PageId,
    /// The change in words.
    pub what: Shown,
    /// What was said.
    pub verdict: Resolution,
}

impl Said {
    fn of(change: &Change, verdict: Resolution) -> Self {
        Self { change: change.id, page: change.page, what: change.words(), verdict }
    }
}

/// What was said about changes of a plan, before it is put in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Unworded<P> {
    plan: P,
    /// Each change's place, what was said, and what was seen of it before.
    verdicts: Vec<(usize, Resolution, Resolution)>,
}

impl<P: Deref<Target = Plan>> Unworded<P> {
    /// The client that all of it is about, where it is about one.
    pub fn client(&self) -> Option<PageId> {
        let mut clients = self.verdicts.iter().map(|(at, ..)| self.plan.client_of(self.plan.changes[*at].page));
        let first = clients.next()??;
        clients.all(|client| client == Some(first)).then_some(first)
    }

    /// The same in words.
    pub fn said(&self) -> Vec<SaidUpon> {
        let upon = |(at, verdict, seen): &(usize, Resolution, Resolution)| SaidUpon {
            said: Said::of(&self.plan.changes[*at], verdict.clone()),
            seen: seen.clone(),
        };
        self.verdicts.iter().map(upon).collect()
    }
}

/// What was said in an earlier session, or earlier in this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// What was said, and of what.
    pub said: Said,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Things with all that they need, and what that needs in turn; each is named by its place.
pub fn with_needed<N: Iterator<Item = usize>>(
    mut targets: BTreeSet<usize>,
    needs: impl Fn(usize) -> N,
) -> BTreeSet<usize> {
    let mut open: Vec<usize> = targets.iter().copied().collect();
    while let Some(at) = open.pop() {
        open.extend(needs(at).filter(|needed| targets.insert(*needed)));
    }
    targets
}

/// A plan with what has been decided about it. Changes are named by their place in the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Review<P> {
    plan: P,
    by: String,
    verdicts: Vec<Resolution>,
    /// Who decided earlier, by the place of the change; what is decided now is decided by `by`.
    earlier: HashMap<usize, String>,
    /// What is known to be kept of what anybody said, by the place of the change.
    seen: HashMap<usize, Resolution>,
    index: HashMap<ChangeId, usize>,
    /// The changes that may give a page another object than the linked one.
    relinks: HashMap<PageId, usize>,
    done: Vec<Vec<(usize, Resolution)>>,
    undone: Vec<Vec<(usize, Resolution)>>,
}

impl<P: Deref<Target = Plan>> Review<P> {
    /// A review in which nothing is decided yet.
    pub fn new(plan: P, by: impl Into<String>) -> Self {
        let verdicts = vec![Resolution::default(); plan.changes.len()];
        let index = plan.changes.iter().enumerate().map(|(at, change)| (change.id, at)).collect();
        let may_relink = |change: &Change| {
            change.proposal.action == Action::WriteBack
                && change.alternatives.iter().any(|way| way.action == Action::Link)
        };
        let relinks = plan.changes.iter().enumerate().filter(|(_, change)| may_relink(change));
        let relinks = relinks.map(|(at, change)| (change.page, at)).collect();
        Self {
            plan,
            by: by.into(),
            verdicts,
            earlier: HashMap::new(),
            seen: HashMap::new(),
            index,
            relinks,
            done: Vec::new(),
            undone: Vec::new(),
        }
    }

    /// A review that approves what policy approves: every change that is ready.
    pub fn by_policy(plan: P) -> Self {
        let mut review = Self::new(plan, POLICY);
        review.approve_all(|change| change.state == State::Ready);
        review
    }

    /// Approves every change that is meant, unless it is held or needs two persons. It cannot be undone.
    pub fn approve_all(&mut self, meant: impl Fn(&Change) -> bool) {
        for (change, verdict) in self.plan.changes.iter().zip(&mut self.verdicts) {
            if change.state != State::Held && !self.plan.needs_second(&change.id) && meant(change) {
                verdict.decision = Some(Decision::Approve);
            }
        }
    }

    /// Approves every change that is meant and that nobody has said anything about, unless it is held or needs
    /// two persons. It cannot be undone.
    pub fn approve_undecided(&mut self, meant: impl Fn(&Change) -> bool) {
        for (change, verdict) in self.plan.changes.iter().zip(&mut self.verdicts) {
            let is_open = change.state != State::Held && !self.plan.needs_second(&change.id);
            if is_open && *verdict == Resolution::default() && meant(change) {
                verdict.decision = Some(Decision::Approve);
            }
        }
    }

    /// Takes up what somebody decided earlier about the same changes. It cannot be undone.
    pub fn recall(&mut self, earlier: impl IntoIterator<Item = (Said, String)>) {
        for (Said { change, verdict, .. }, by) in earlier {
            let Some(&at) = self.index.get(&change) else { continue };
            self.seen.insert(at, verdict.clone());
            if self.may_take(at, &verdict) {
                self.verdicts[at] = verdict.recalled_of(&by, self.needs_second(at));
                self.earlier.insert(at, by);
            }
        }
    }

    /// Approves what was approved earlier together with all that it requires, for a run that makes nothing else.
    pub fn approve_recalled(&mut self) {
        let is_approved = |at: &usize| self.verdicts[*at].decision == Some(Decision::Approve);
        let approved: Vec<usize> = self.earlier.keys().copied().filter(is_approved).collect();
        self.decide(&approved, Some(&Decision::Approve));
    }

    /// Who decided about a change.
    pub fn by(&self, at: usize) -> &str {
        self.earlier.get(&at).unwrap_or(&self.by)
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan as it was handed in.
    pub fn shared(&self) -> &P {
        &self.plan
    }

    /// What was said about a change.
    pub fn verdict(&self, at: usize) -> &Resolution {
        &self.verdicts[at]
    }

    /// Decides about changes, or takes decisions back, as one step that can be undone.
    ///
    /// Held changes are not approved. What an approved change requires is approved along with it. Returns the places of
    /// the changes whose verdicts changed.
    pub fn decide(&mut self, changes: &[usize], decision: Option<&Decision>) -> Vec<usize> {
        let approves = decision == Some(&Decision::Approve);
        let may = |at: &usize| !approves || self.plan.changes[*at].state != State::Held;
        let targets: BTreeSet<usize> = changes.iter().copied().filter(may).collect();
        let targets = if approves { self.with_needed(targets) } else { targets };
        self.change(targets, |_, verdict| verdict.decision = decision.cloned())
    }

    /// Chooses how a change is mended; what was said about its fields no longer means anything.
    pub fn choose(&mut self, at: usize, way: usize) -> Vec<usize> {
        if way > self.plan.changes[at].alternatives.len() {
            return Vec::new();
        }
        self.change([at], |_, verdict| {
            *verdict = Resolution { decision: verdict.decision.clone(), way, ..Resolution::default() };
        })
    }

    /// Changes that ask the same question as one: the same cause, the same field of the same kind, the same ways to
    /// mend it; but for those about which something was decided.
    pub fn alike(&self, at: usize) -> Vec<usize> {
        fn ways(change: &Change) -> impl Iterator<Item = (Action, Service, Vec<Field>)> {
            let ways = std::iter::once(&change.proposal).chain(&change.alternatives);
            ways.map(|way| (way.action, way.side, way.fields.iter().map(|field| field.field).collect()))
        }
        let asked = &self.plan.changes[at];
        let alike =
            |other: &Change| other.kind == asked.kind && other.cause == asked.cause && ways(other).eq(ways(asked));
        let is_open = |other: usize| other == at || self.verdicts[other].decision.is_none();
        (0..self.plan.changes.len()).filter(|&other| is_open(other) && alike(&self.plan.changes[other])).collect()
    }

    /// Chooses the same way for several changes and approves them, as one step that can be undone. Held ones are left
    /// alone.
    pub fn resolve(&mut self, changes: &[usize], way: usize) -> Vec<usize> {
        let may =
            |&at: &usize| self.plan.changes[at].state != State::Held && way <= self.plan.changes[at].alternatives.len();
        let targets: BTreeSet<usize> = changes.iter().copied().filter(may).collect();
        self.change(self.with_needed(targets.clone()), |at, verdict| {
            verdict.decision = Some(Decision::Approve);
            if targets.contains(&at) && verdict.way != way {
                *verdict = Resolution { decision: verdict.decision.take(), way, ..Resolution::default() };
            }
        })
    }

    /// Changes with all that they require, except for what somebody decided otherwise: that stays so, and they wait for
    /// it. What is ready or for review requires nothing that is held; `Plan::seal` sees to that.
    fn with_needed(&self, targets: BTreeSet<usize>) -> BTreeSet<usize> {
        let is_free = |needed: &usize| matches!(self.verdicts[*needed].decision, None | Some(Decision::Approve));
        let needed = |at: usize| self.plan.changes[at].requires.iter().filter_map(|id| self.index.get(id).copied());
        with_needed(targets, |at| needed(at).filter(is_free))
    }

    /// What is to be kept of what was said about changes, upon what was seen of them. From now on it is what was seen.
    /// The words are made by whoever keeps it.
    pub fn unworded(&mut self, changes: &[usize]) -> Unworded<P>
    where
        P: Clone,
    {
        let upon = |&at: &usize| {
            let said = self.verdicts[at].clone();
            let seen = self.seen.insert(at, said.clone());
            (at, said, seen.unwrap_or_default())
        };
        Unworded { verdicts: changes.iter().map(upon).collect(), plan: self.plan.clone() }
    }

    /// Leaves a field of an update or a create alone, or takes it in again.
    ///
    /// # Errors
    /// Why it cannot be left alone: something must be left to do, and what is created needs a name.
    pub fn toggle_field(&mut self, at: usize, field: Field) -> Result<Vec<usize>, &'static str> {
        let rejects = !self.verdicts[at].rejected.contains(&field);
        match self.action(at) {
            _ if !rejects => {}
            Action::Create if field == Field::Name => return Err("what is created needs a name"),
            Action::Create => {}
            Action::Update if self.chosen(at).fields.len() > 1 => {}
            _ => return Err("nothing else would be left to do: skip the change instead"),
        }
        Ok(self.change([at], |_, verdict| {
            if !verdict.rejected.remove(&field) {
                verdict.rejected.insert(field);
            }
        }))
    }

    /// Writes another value than the proposed one, and approves that where asked to.
    pub fn edit_field(&mut self, at: usize, field: Field, value: &Value, approves: bool) -> Vec<usize> {
        let targets = if approves { self.with_needed(BTreeSet::from([at])) } else { BTreeSet::from([at]) };
        let leaves_both = self.action(at) == Action::Accept;
        self.change(targets, |target, verdict| {
            if target == at {
                // Who types a value does not want to leave both sides as they are.
                if leaves_both {
                    *verdict = Resolution { decision: verdict.decision.take(), ..Resolution::default() };
                }
                verdict.edited.insert(field, value.clone());
            }
            if approves {
                verdict.decision = Some(Decision::Approve);
            }
        })
    }

    /// Takes the last step back. Returns the places of the changes concerned; none when there is nothing to undo.
    pub fn undo(&mut self) -> Vec<usize> {
        let Some(step) = self.done.pop() else { return Vec::new() };
        let (undone, places) = self.swap(step);
        self.undone.push(undone);
        places
    }

    /// Does the last undone step again.
    pub fn redo(&mut self) -> Vec<usize> {
        let Some(step) = self.undone.pop() else { return Vec::new() };
        let (done, places) = self.swap(step);
        self.done.push(done);
        places
    }

    fn swap(&mut self, step: Vec<(usize, Resolution)>) -> (Vec<(usize, Resolution)>, Vec<usize>) {
        let places = step.iter().map(|(at, _)| *at).collect();
        let mut swapped = Vec::with_capacity(step.len());
        for (at, verdict) in step {
            // What others had approved and somebody has taken back, only they approve again.
            let verdict = if self.needs_second(at) {
                let stand = &self.verdicts[at].approvals;
                verdict.with_approvals(|approval| approval.by == self.by || four_eyes::has(stand, &approval.by))
            } else {
                verdict
            };
            swapped.push((at, std::mem::replace(&mut self.verdicts[at], verdict)));
        }
        (swapped, places)
    }

    fn change(
        &mut self,
        targets: impl IntoIterator<Item = usize>,
        edit: impl Fn(usize, &mut Resolution),
    ) -> Vec<usize> {
        let mut step = Vec::new();
        for at in targets {
            let before = self.verdicts[at].clone();
            edit(at, &mut self.verdicts[at]);
            if self.needs_second(at) {
                self.verdicts[at] = std::mem::take(&mut self.verdicts[at]).said_by(&self.by, &before);
            }
            if self.verdicts[at] != before {
                self.earlier.remove(&at);
                step.push((at, before));
            }
        }
        let places = step.iter().map(|(at, _)| *at).collect();
        if !step.is_empty() {
            self.done.push(step);
            self.undone.clear();
        }
        places
    }

    fn way(&self, at: usize) -> &Proposal {
        let (change, way) = (&self.plan.changes[at], self.verdicts[at].way);
        way.checked_sub(1).and_then(|way| change.alternatives.get(way)).unwrap_or(&change.proposal)
    }

    /// What the chosen way to mend a change does.
    pub fn action(&self, at: usize) -> Action {
        self.way(at).action
    }

    /// The way that was chosen to mend a change, with its fields as they were decided.
    pub fn chosen(&self, at: usize) -> Proposal {
        let mut proposal = self.chosen_with_rejected(at);
        proposal.fields.retain(|field| !self.verdicts[at].rejected.contains(&field.field));
        proposal
    }

    /// The same with the fields that are left alone, for people who may want to take them in again.
    pub fn chosen_with_rejected(&self, at: usize) -> Proposal {
        let verdict = &self.verdicts[at];
        let mut proposal = self.way(at).clone();
        for field in &mut proposal.fields {
            if let Some(edited) = verdict.edited.get(&field.field) {
                field.to = edited.clone();
            }
        }
        proposal
    }

    /// Why an approved change will not be made all the same: something that it requires is not approved, or is decided
    /// otherwise; or its page gets another object.
    pub fn blocked(&self, at: usize) -> Option<&Change> {
        let change = &self.plan.changes[at];
        let relinks =
            self.relinks.get(&change.page).copied().filter(|&other| other != at && change.cause != Cause::Moved);
        if let Some(other) = relinks.filter(|&other| {
            self.verdicts[other].decision == Some(Decision::Approve) && self.chosen(other).action == Action::Link
        }) {
            return Some(&self.plan.changes[other]);
        }
        let needed = change.requires.iter().filter_map(|id| self.index.get(id).copied());
        needed
            .into_iter()
            .find(|&needed| !self.provides(needed, change) || self.blocked(needed).is_some())
            .map(|needed| &self.plan.changes[needed])
    }

    /// True when a change is approved and still gives another what that rests on.
    fn provides(&self, at: usize, to: &Change) -> bool {
        let verdict = &self.verdicts[at];
        let approved = verdict.decision == Some(Decision::Approve) && !self.lacks_second(at);
        if verdict.way == 0 {
            return approved;
        }
        // Another object takes the planned one's place: a create finds it by its page, but what was paired below the
        // planned one hangs in the air.
        let gives_object = matches!(self.action(at), Action::Create | Action::Link);
        approved && gives_object && to.proposal.action == Action::Create
    }

    /// The change with this id.
    pub fn find(&self, id: &ChangeId) -> Option<&Change> {
        self.place(id).map(|at| &self.plan.changes[at])
    }

    /// The place in the plan of the change with this id.
    pub fn place(&self, id: &ChangeId) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// True when a change is approved, by as many persons as it takes, and so is all that it requires.
    pub fn is_approved(&self, at: usize) -> bool {
        self.verdicts[at].decision == Some(Decision::Approve)
            && !self.lacks_second(at)
            && self.plan.changes[at].state != State::Held
            && self.blocked(at).is_none()
    }

    /// What may be written: approved changes whose requirements are approved too.
    pub fn approved(&self) -> Approved {
        let (mut changes, mut verdicts) = (Vec::new(), Vec::new());
        for at in (0..self.plan.changes.len()).filter(|&at| self.is_approved(at)) {
            let (change, proposal) = (&self.plan.changes[at], self.chosen(at));
            // An update without fields has nothing left to do, and neither has what puts an ID back and is left alone.
            let left_alone = change.is_undo() && !self.way(at).fields.is_empty();
            if (proposal.action == Action::Update || left_alone) && proposal.fields.is_empty() {
                continue;
            }
            let said =
                Said { change: change.id, page: change.page, what: change.words(), verdict: self.verdicts[at].clone() };
            verdicts.push((said, self.by(at).to_owned()));
            changes.push(Change { proposal, alternatives: Vec::new(), ..change.clone() });
        }
        Approved { changes, verdicts }
    }
}

/// Changes that were approved. Only a [`Review`] can make one, and only what is in one is ever written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Approved {
    changes: Vec<Change>,
    /// One for each.
    verdicts: Vec<(Said, String)>,
}

impl Approved {
    /// The changes, in the plan's order unless they were put in another.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The same in the order of their worth, where not all may be made today: first what people wait for to track time
    /// on, then what time is tracked on, and last what only tidies up. What needs others still waits for them.
    pub fn by_worth(self) -> Self {
        let worth = |change: &Change| match change.proposal.action {
            Action::Create | Action::Reopen | Action::Link | Action::Move => 0,
            Action::Close => 3,
            _ if change.tracked_seconds.is_some_and(|seconds| seconds > 0) => 1,
            _ => 2,
        };
        let mut both: Vec<_> = self.changes.into_iter().zip(self.verdicts).collect();
        both.sort_by_key(|(change, _)| worth(change));
        let (changes, verdicts) = both.into_iter().unzip();
        Self { changes, verdicts }
    }

    /// What was said about them, and by whom, for [`Review::recall`]: the same changes of a fresh plan are approved in
    /// the same way.
    pub fn verdicts(&self) -> &[(Said, String)] {
        &self.verdicts
    }

    /// True where what stands by now says otherwise about some of it.
    pub fn is_overruled(&self, standing: &[Remembered]) -> bool {
        let approved: HashMap<_, _> = self.verdicts.iter().map(|(said, _)| (said.change, &said.verdict)).collect();
        standing
            .iter()
            .any(|known| approved.get(&known.said.change).is_some_and(|verdict| !verdict.agrees(&known.said.verdict)))
    }
}

#[cfg(test)]
mod tests;
