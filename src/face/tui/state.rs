//! Everything that the console shows, and nothing that it does. `update` changes it, `view` reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tui_input::Input;

use super::{
    layout::layout,
    stroke::Stroke,
    theme::Theme,
    tree::{Subject, Tree},
};
use crate::{
    domain::{
        model::{Kind, Service},
        plan::{Action, Cause, ChangeId, Plan, State as ChangeState},
        report::Report,
        review::{Decision, Review, Verdict},
    },
    edge::store::RunRecord,
};

/// What is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Both sides are being read.
    Reading,
    /// There is a plan.
    Ready,
    /// Approved changes are being applied.
    Applying,
    /// Reading failed; the text is safe to show.
    Failed(String),
}

/// The tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Review,
    Apply,
    Runs,
}

/// What text is being typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Search,
    Filter,
    Flag,
    Palette,
    /// The number of closes that is to be confirmed.
    Confirm,
}

/// A line that is being typed.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    pub(crate) purpose: Purpose,
    pub(crate) input: Input,
    /// The chosen line of the palette.
    pub(crate) line: usize,
}

/// What lies over the tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Popup {
    Help {
        scroll: u16,
    },
    /// The ways to mend a change, with the chosen line.
    Ways {
        change: usize,
        line: usize,
    },
    /// Apply what is approved? Without closes, Enter is enough.
    Confirm,
}

/// Counts over all changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) approved: usize,
    pub(crate) closes: usize,
    pub(crate) skipped: usize,
    pub(crate) flagged: usize,
    pub(crate) decided: usize,
    pub(crate) held: usize,
    pub(crate) changes: usize,
}

/// How an apply goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applying {
    pub(crate) approved: usize,
    pub(crate) applied: usize,
    pub(crate) failed: usize,
    pub(crate) stopping: bool,
    /// The latest things that happened, safe to show.
    pub(crate) lines: Vec<String>,
}

/// The console.
pub(crate) struct State {
    pub(crate) size: (u16, u16),
    pub(crate) theme: Theme,
    pub(crate) phase: Phase,
    pub(crate) tab: Tab,
    pub(crate) review: Option<Review<Arc<Plan>>>,
    pub(crate) tree: Tree,
    /// The row under the cursor, by its place in the tree.
    pub(crate) cursor: u32,
    /// The first row that is drawn, by its place among those shown.
    pub(crate) offset: usize,
    /// The other end of a range that is being selected.
    pub(crate) anchor: Option<u32>,
    pub(crate) search: String,
    pub(crate) filter: String,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) popup: Option<Popup>,
    /// One line about what just happened.
    pub(crate) toast: String,
    pub(crate) strokes: Vec<Stroke>,
    pub(crate) detail: bool,
    pub(crate) rows: BTreeMap<(Service, Kind), usize>,
    pub(crate) read: BTreeSet<Service>,
    pub(crate) tally: Tally,
    pub(crate) applying: Applying,
    pub(crate) report: Option<Report>,
    pub(crate) runs: Vec<RunRecord>,
    pub(crate) run: usize,
    /// Events of the run that is looked into, safe to show.
    pub(crate) events: Option<Vec<String>>,
    pub(crate) scroll: usize,
    pub(crate) ticks: usize,
}

impl State {
    /// An empty console that waits for both sides.
    pub(crate) fn new(size: (u16, u16), theme: Theme) -> Self {
        Self {
            size,
            theme,
            phase: Phase::Reading,
            tab: Tab::Review,
            review: None,
            tree: Tree::default(),
            cursor: 0,
            offset: 0,
            anchor: None,
            search: String::new(),
            filter: String::new(),
            prompt: None,
            popup: None,
            toast: String::new(),
            strokes: Vec::new(),
            detail: true,
            rows: BTreeMap::new(),
            read: BTreeSet::new(),
            tally: Tally::default(),
            applying: Applying::default(),
            report: None,
            runs: Vec::new(),
            run: 0,
            events: None,
            scroll: 0,
            ticks: 0,
        }
    }

    /// The plan, if there is one.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.review.as_ref().map(Review::plan)
    }

    /// What the row under the cursor is about.
    pub(crate) fn subject(&self) -> Option<Subject> {
        self.tree.nodes.get(self.cursor as usize).map(|node| node.subject)
    }

    /// The change under the cursor, by its place in the plan.
    pub(crate) fn current_change(&self) -> Option<usize> {
        match self.subject()? {
            Subject::Change(at) => Some(at as usize),
            Subject::Page(_) | Subject::Notices | Subject::Notice(_) => None,
        }
    }

    /// The changes that a decision is about: the range, or the row; on a page without a change of its own, all below it.
    pub(crate) fn selected_changes(&self) -> Vec<usize> {
        if let Some(anchor) = self.anchor {
            let (from, to) = (self.tree.position(anchor), self.tree.position(self.cursor));
            let rows = &self.tree.visible[from.min(to)..=from.max(to).min(self.tree.visible.len().saturating_sub(1))];
            return rows
                .iter()
                .filter_map(|&node| match self.tree.nodes[node as usize].subject {
                    Subject::Change(at) => Some(at as usize),
                    _ => None,
                })
                .collect();
        }
        match self.subject() {
            Some(Subject::Change(at)) => vec![at as usize],
            Some(Subject::Page(_)) => self.tree.changes_below(self.cursor).0,
            Some(Subject::Notices | Subject::Notice(_)) | None => Vec::new(),
        }
    }

    /// Rows that the tree has room for.
    pub(crate) fn tree_height(&self) -> usize {
        usize::from(layout(self.size, self.detail).tree.height)
    }

    /// Counts again what was decided.
    pub(crate) fn count(&mut self) {
        let Some(review) = &self.review else { return };
        let mut tally = Tally { changes: review.plan().changes.len(), ..Tally::default() };
        for (at, change) in review.plan().changes.iter().enumerate() {
            tally.held += usize::from(change.state == ChangeState::Held);
            let decision = review.verdict(at).decision.as_ref();
            tally.decided += usize::from(decision.is_some());
            match decision {
                Some(Decision::Skip | Decision::Ignore) => tally.skipped += 1,
                Some(Decision::Flag { .. }) => tally.flagged += 1,
                Some(Decision::Approve) if review.is_approved(at) => {
                    tally.approved += 1;
                    tally.closes += usize::from(review.chosen(at).action == Action::Close);
                }
                Some(Decision::Approve) | None => {}
            }
        }
        self.tally = tally;
    }

    /// What was said about changes, for the state on disk.
    pub(crate) fn verdicts(&self, changes: &[usize]) -> Vec<(ChangeId, Verdict)> {
        let Some(review) = &self.review else { return Vec::new() };
        changes.iter().map(|&at| (review.plan().changes[at].id.clone(), review.verdict(at).clone())).collect()
    }

    /// True for changes that both sides, or Clockify alone, brought about.
    pub(crate) fn is_conflict(&self, at: usize) -> bool {
        self.plan().is_some_and(|plan| matches!(plan.changes[at].cause, Cause::Conflict | Cause::Drift))
    }
}
