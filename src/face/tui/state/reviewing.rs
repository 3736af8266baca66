//! What the review holds: the plan with what is decided about it, its rows, and where the person is.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    filter,
    matching::{Matches, Query, SearchMode},
    pane::Pane,
    subject::Subject,
    together::Together,
    tree::{Arrangement, Tree},
};
use crate::domain::{
    journal::RunId,
    model::{Kind, ObjectId, PageId},
    plan::{Action, ChangeId, Estimate, FieldChange, Plan, Summary},
    review::{Decision, Remembered, Review, Tally},
};

/// The review.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reviewing {
    /// Who decides.
    pub(crate) who: String,
    pub(crate) review: Option<Review<Arc<Plan>>>,
    /// The run whose undo is planned, reviewed or applied, instead of a comparison of both sides.
    pub(crate) undoes: Option<RunId>,
    /// What the plan comes to.
    pub(crate) summary: Summary,
    /// When the plan was made.
    pub(crate) planned_at: Option<Timestamp>,
    /// How many changes rest on each change, where any do.
    pub(crate) needed_by: HashMap<usize, usize>,
    /// What others do in the same state meanwhile.
    pub(crate) together: Together,
    /// What was said earlier of the changes of each page.
    pub(crate) earlier: HashMap<PageId, Vec<Remembered>>,
    /// Since when changes wait that runs have left for a person. They are shown first.
    pub(crate) waiting: HashMap<ChangeId, Timestamp>,
    pub(crate) arrangement: Arrangement,
    pub(crate) tree: Tree,
    /// Of each row.
    pub(crate) counts: Vec<Counts>,
    pub(crate) tally: Tally,
    /// What applying what is approved would cost, once that was asked for.
    pub(crate) estimate: Option<Estimate>,
    /// How often that was asked for.
    pub(crate) estimates: u64,
    /// The row under the cursor, by its place in the tree.
    pub(crate) cursor: u32,
    /// The first row that is drawn, by its place among those shown.
    pub(crate) offset: usize,
    pub(crate) detail: Pane,
    pub(crate) selection: Selection,
    /// What the last approval waits for since it was decided otherwise, by its place in the plan.
    pub(crate) in_the_way: Vec<usize>,
    pub(crate) search: Search,
    pub(crate) filter: Search,
    /// Filters that were saved, by the names that `@` recalls them by.
    pub(crate) saved: BTreeMap<String, String>,
    /// Questions asked so far.
    pub(crate) asked: u64,
    /// The page under the cursor when the last plan was left.
    pub(crate) left_at: Option<PageId>,
    /// Pages of what was approved and not finished: after the next plan it is put before the person again.
    pub(crate) retrying: Option<HashSet<PageId>>,
}

impl Reviewing {
    /// The plan, if there is one.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.review.as_ref().map(Review::plan)
    }

    /// What the row under the cursor is about.
    pub(crate) fn subject(&self) -> Option<Subject> {
        // What the filter hides is not decided about by accident.
        if self.tree.visible.is_empty() {
            return None;
        }
        self.tree.nodes.get(self.cursor as usize).map(|node| node.subject)
    }

    /// The change under the cursor, by its place in the plan.
    pub(crate) fn current_change(&self) -> Option<usize> {
        match self.subject()? {
            Subject::Change(at) => Some(at as usize),
            Subject::Page(_) | Subject::Notices { .. } | Subject::Notice(_) => None,
        }
    }

    /// The page under the cursor.
    pub(crate) fn page(&self) -> Option<(Kind, PageId)> {
        let plan = self.plan()?;
        match self.subject()? {
            Subject::Page(page) => plan.places.get(&page).map(|place| (place.kind, page)),
            Subject::Change(at) => plan.changes.get(at as usize).map(|change| (change.kind, change.page)),
            Subject::Notice(at) => plan.notices.get(at as usize).and_then(|notice| Some((notice.kind, notice.page?))),
            Subject::Notices { .. } => None,
        }
    }

    /// The object of the row under the cursor, where a change or a notice names it.
    pub(crate) fn object(&self) -> Option<(Kind, ObjectId)> {
        let plan = self.plan()?;
        match self.subject()? {
            Subject::Change(at) => {
                let object = self.review.as_ref()?.chosen(at as usize).object?;
                Some((plan.changes[at as usize].kind, object))
            }
            Subject::Notice(at) => plan.notices.get(at as usize).and_then(|notice| Some((notice.kind, notice.object?))),
            Subject::Page(_) | Subject::Notices { .. } => None,
        }
    }

    /// The fields of the change under the cursor, in the way that was chosen, the rejected ones included.
    pub(crate) fn fields(&self) -> Vec<FieldChange> {
        let (Some(review), Some(at)) = (&self.review, self.current_change()) else { return Vec::new() };
        review.chosen_with_rejected(at).fields
    }

    /// True when a decision would be about something.
    pub(crate) fn has_changes(&self) -> bool {
        match &self.selection {
            Selection::Marked(marked) => !marked.is_empty(),
            Selection::Range(_) => true,
            Selection::None => {
                self.subject().is_some()
                    && self.counts.get(self.cursor as usize).is_some_and(|counts| counts.changes > 0)
            }
        }
    }

    /// The changes that a decision is about, and how many more the filter hides: the selection, or the row; on a page
    /// without a change of its own, all below it.
    pub(crate) fn selected_changes(&self) -> (Vec<usize>, usize) {
        match &self.selection {
            Selection::Marked(marked) => (marked.clone(), 0),
            Selection::Range(anchor) => {
                let (from, to) = (self.tree.position(*anchor), self.tree.position(self.cursor));
                let last = self.tree.visible.len().saturating_sub(1);
                let rows = self.tree.visible.get(from.min(to)..=from.max(to).min(last)).unwrap_or_default();
                (rows.iter().filter_map(|&node| self.tree.change(node)).collect(), 0)
            }
            Selection::None => match self.subject() {
                Some(Subject::Change(at)) => (vec![at as usize], 0),
                Some(Subject::Page(_)) => self.tree.changes_below(self.cursor),
                Some(Subject::Notices { .. } | Subject::Notice(_)) | None => (Vec::new(), 0),
            },
        }
    }

    /// What was decided otherwise and is waited for: by the change under the cursor, or else by the last approval.
    pub(crate) fn waited_for(&self) -> Vec<usize> {
        let Some(review) = &self.review else { return Vec::new() };
        let own: Vec<usize> = self.current_change().into_iter().collect();
        let own = review.otherwise(&review.waiting(&own));
        let is_otherwise = |at: &&usize| review.verdict(**at).decision.as_ref().is_some_and(Decision::is_otherwise);
        if own.is_empty() { self.in_the_way.iter().filter(is_otherwise).copied().collect() } else { own }
    }

    /// Rows that the tree has room for.
    pub(crate) fn tree_height(&self, size: (u16, u16)) -> usize {
        usize::from(self.detail.areas(size).0.height)
    }

    /// Sorts what was said earlier by the pages that it is about.
    pub(crate) fn remember(&mut self, remembered: Vec<Remembered>) {
        self.earlier.clear();
        for known in remembered {
            self.earlier.entry(known.said.page).or_default().push(known);
        }
    }

    /// Lets go of the plan, and remembers where the person was.
    pub(crate) fn leave_plan(&mut self) -> Option<Review<Arc<Plan>>> {
        self.left_at = self.page().map(|(_, page)| page);
        self.tree = Tree::default();
        self.cursor = 0;
        self.detail.leave();
        self.in_the_way.clear();
        self.review.take()
    }

    /// Arranges the rows of the plan anew; the cursor stays on what it was on.
    pub(crate) fn arrange(&mut self) {
        let Some(review) = &self.review else { return };
        let plan = Arc::clone(review.shared());
        let subject = self.subject();
        let folded: HashSet<_> = self.tree.nodes.iter().filter(|node| !node.open).map(|node| node.subject).collect();
        self.tree = Tree::new(&plan, self.arrangement, |change| self.waiting.contains_key(&change.id));
        if !folded.is_empty() {
            self.tree.fold(|node| folded.contains(&node.subject).then_some(false));
        }
        self.tree.filter(if self.filter.text.is_empty() { None } else { self.filter.found.as_ref() });
        self.selection = Selection::None;
        self.cursor = subject.and_then(|subject| self.tree.find(subject)).unwrap_or_default();
        self.stay_visible();
        self.count();
    }

    /// Counts again what was decided.
    pub(crate) fn count(&mut self) {
        let Some(review) = &self.review else { return };
        let plan = review.plan();
        let mut counts = vec![Counts::default(); self.tree.nodes.len()];
        let one = |counted: &mut u32, holds: bool| *counted += u32::from(holds);
        for node in (0..self.tree.nodes.len()).rev() {
            if let Subject::Change(at) = self.tree.nodes[node].subject {
                let at = at as usize;
                let (change, decision) = (&plan.changes[at], review.verdict(at).decision.as_ref());
                let action = review.action(at);
                let of_node = &mut counts[node];
                one(&mut of_node.changes, true);
                one(&mut of_node.decided, decision.is_some());
                one(&mut of_node.approved, decision == Some(&Decision::Approve) && !review.lacks_second(at));
                one(&mut of_node.contested, change.is_contested() && decision.is_none());
                match action {
                    Action::Create | Action::Link | Action::Reopen => one(&mut of_node.creates, true),
                    Action::Close => one(&mut of_node.closes, true),
                    _ => one(&mut of_node.updates, true),
                }
            }
            if let Some(parent) = self.tree.nodes[node].parent {
                let below = counts[node];
                counts[parent as usize].add(below);
            }
        }
        (self.tally, self.counts) = (Tally::of(review), counts);
    }

    /// What was decided about each change, as a word to filter by.
    pub(crate) fn decision_words(&self) -> Vec<&'static str> {
        let Some(review) = &self.review else { return Vec::new() };
        let word = |at| match review.verdict(at).decision {
            Some(Decision::Approve) => "approved",
            Some(Decision::Skip) => "skipped",
            Some(Decision::Ignore) => "ignored",
            Some(Decision::Flag { .. }) => "flagged",
            None => "undecided",
        };
        (0..review.plan().changes.len()).map(word).collect()
    }

    /// The next question to the plan.
    pub(crate) fn query(&mut self, mode: SearchMode) -> Query {
        self.asked += 1;
        let text = match mode {
            SearchMode::Search => &self.search.text,
            SearchMode::Filter => &self.filter.text,
        };
        let decisions = if mode == SearchMode::Filter { self.decision_words() } else { Vec::new() };
        // What does not parse was refused when it was typed.
        let terms = filter::parsed(&self.filter.text, &self.saved).unwrap_or_default();
        Query { mode, text: text.trim().to_owned(), terms, number: self.asked, decisions }
    }

    /// The place of a change in the plan.
    pub(crate) fn place(&self, id: &ChangeId) -> Option<usize> {
        self.review.as_ref()?.place(id)
    }
}

/// What decisions are about, besides the row under the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Selection {
    #[default]
    None,
    /// From this row to the cursor.
    Range(u32),
    /// These changes, by their place in the plan, in order.
    Marked(Vec<usize>),
}

/// Something that is looked for, and what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Search {
    pub(crate) text: String,
    pub(crate) found: Option<Matches>,
}

/// Counts over the changes at and below a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) creates: u32,
    pub(crate) updates: u32,
    pub(crate) closes: u32,
    pub(crate) contested: u32,
    pub(crate) changes: u32,
    pub(crate) decided: u32,
    pub(crate) approved: u32,
}

impl Counts {
    fn add(&mut self, below: Self) {
        let Self { creates, updates, closes, contested, changes, decided, approved } = below;
        self.creates += creates;
        self.updates += updates;
        self.closes += closes;
        self.contested += contested;
        self.changes += changes;
        self.decided += decided;
        self.approved += approved;
    }
}
