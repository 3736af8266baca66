//! Everything that the console shows, and nothing that it does. `update` changes it, `view` reads it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use tui_input::Input;

use super::{
    applying::Applying,
    keymap::Keymap,
    layout::{Panes, is_single, layout},
    logs::Logs,
    matching::{Matches, Query, Wanted},
    stroke::Stroke,
    theme::Theme,
    tree::{Arrangement, Subject, Tree},
};
use crate::{
    domain::{
        journal::RunId,
        model::{Field, Kind, ObjectId, PageId, Service},
        plan::{Action, ChangeId, FieldChange, Plan},
        report::Report,
        review::{Decision, Remembered, Review, Tally},
        rules::Allowance,
    },
    edge::store::RunRecord,
};

/// What is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Both sides are being read.
    Reading,
    /// There is a plan, or a report.
    Ready,
    /// Approved changes are being applied.
    Applying,
    /// Reading failed, or was stopped.
    Failed {
        /// Why, safe to show.
        text: String,
        /// What the program ends with when nothing else happens.
        code: u8,
    },
}

/// The tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    Review,
    Apply,
    Logs,
    Runs,
}

impl Tab {
    /// In the order of the screen.
    pub(crate) const ALL: [Self; 4] = [Self::Review, Self::Apply, Self::Logs, Self::Runs];
}

/// Where keys of the review go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    Tree,
    Detail,
}

/// What text is being typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Search,
    Filter,
    /// What is looked for in the log.
    LogFilter,
    Flag,
    Palette,
    /// The number of closes that is to be confirmed.
    Confirm,
    /// The number of changes that a brake withholds, to let them through.
    Release(Allowance),
    /// The value of a field of a change.
    Edit {
        change: usize,
        field: Field,
    },
}

/// A line that is being typed.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    pub(crate) purpose: Purpose,
    pub(crate) input: Input,
    /// The chosen line of the palette.
    pub(crate) line: usize,
    /// The row that the cursor was on.
    pub(crate) from: u32,
    /// Why what was typed is not taken, safe to show.
    pub(crate) refused: String,
}

/// What lies over the tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Popup {
    Help {
        scroll: u16,
    },
    /// The ways to mend a change, with the chosen line.
    Resolve {
        change: usize,
        /// Nothing where it is a conflict that nobody has resolved: it has no default.
        line: Option<usize>,
    },
    /// What can be copied, with the chosen line.
    Copy {
        line: usize,
    },
    /// Apply what is approved? Without closes, Enter is enough.
    Confirm,
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked {
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

/// The runs that are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    pub(crate) all: Vec<RunRecord>,
    pub(crate) at: usize,
    /// The run of this console.
    pub(crate) own: Option<RunId>,
}

/// The console.
pub(crate) struct State {
    pub(crate) size: (u16, u16),
    pub(crate) theme: Theme,
    pub(crate) keymap: Arc<Keymap>,
    /// Who decides.
    pub(crate) who: String,
    pub(crate) mouse: bool,
    pub(crate) phase: Phase,
    pub(crate) tab: Tab,
    pub(crate) focus: Focus,
    pub(crate) review: Option<Review<Arc<Plan>>>,
    pub(crate) arrangement: Arrangement,
    pub(crate) tree: Tree,
    /// Of each row.
    pub(crate) counts: Vec<Counts>,
    pub(crate) tally: Tally,
    /// How many changes rest on each change, where any do.
    pub(crate) needed_by: HashMap<usize, usize>,
    /// What was said earlier of the changes of each page.
    pub(crate) earlier: HashMap<PageId, Vec<Remembered>>,
    /// Since when changes wait that runs have left for a person. They are shown first.
    pub(crate) waiting: HashMap<ChangeId, Timestamp>,
    /// The row under the cursor, by its place in the tree.
    pub(crate) cursor: u32,
    /// The first row that is drawn, by its place among those shown.
    pub(crate) offset: usize,
    pub(crate) selection: Selection,
    pub(crate) search: Looked,
    pub(crate) filter: Looked,
    /// Questions asked so far.
    pub(crate) asked: u64,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) popup: Option<Popup>,
    /// One line about what just happened.
    pub(crate) toast: String,
    pub(crate) strokes: Vec<Stroke>,
    pub(crate) detail: bool,
    pub(crate) zoom: bool,
    /// The chosen field of the change in detail.
    pub(crate) field: usize,
    pub(crate) detail_scroll: u16,
    pub(crate) rows: BTreeMap<(Service, Kind), usize>,
    pub(crate) read: BTreeSet<Service>,
    /// The page under the cursor when the last plan was left.
    pub(crate) left_at: Option<PageId>,
    /// When the plan was made.
    pub(crate) planned_at: Option<Timestamp>,
    pub(crate) now: Timestamp,
    pub(crate) applying: Applying,
    /// Pages of what was approved and not finished: after the next plan it is put before the person again.
    pub(crate) retrying: Option<HashSet<PageId>>,
    pub(crate) report: Option<Report>,
    /// The run whose undo is planned, reviewed or applied, instead of a comparison of both sides.
    pub(crate) undoes: Option<RunId>,
    pub(crate) runs: Runs,
    pub(crate) logs: Logs,
    pub(crate) ticks: usize,
}

impl State {
    /// An empty console that waits for both sides.
    pub(crate) fn new(size: (u16, u16), theme: Theme, now: Timestamp) -> Self {
        Self {
            size,
            theme,
            keymap: Arc::default(),
            who: "person".to_owned(),
            mouse: false,
            phase: Phase::Reading,
            tab: Tab::Review,
            focus: Focus::Tree,
            review: None,
            arrangement: Arrangement::default(),
            tree: Tree::default(),
            counts: Vec::new(),
            tally: Tally::default(),
            needed_by: HashMap::new(),
            earlier: HashMap::new(),
            waiting: HashMap::new(),
            cursor: 0,
            offset: 0,
            selection: Selection::None,
            search: Looked::default(),
            filter: Looked::default(),
            asked: 0,
            prompt: None,
            popup: None,
            toast: String::new(),
            strokes: Vec::new(),
            detail: true,
            zoom: false,
            field: 0,
            detail_scroll: 0,
            rows: BTreeMap::new(),
            read: BTreeSet::new(),
            left_at: None,
            planned_at: None,
            now,
            applying: Applying::default(),
            retrying: None,
            report: None,
            undoes: None,
            runs: Runs::default(),
            logs: Logs::default(),
            ticks: 0,
        }
    }

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
                self.subject().is_some() && self.counts.get(self.cursor as usize).is_some_and(|counts| counts.changes > 0)
            }
        }
    }

    /// The changes that a decision is about, and how many more the filter hides: the selection, or the row; on a page without a change of
    /// its own, all below it.
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

    /// Which panes there are.
    pub(crate) fn panes(&self) -> Panes {
        let alone = self.zoom || is_single(self.size);
        let detail = self.focus == Focus::Detail;
        if alone {
            return if detail { Panes::Detail } else { Panes::Tree };
        }
        if self.detail || detail { Panes::Both } else { Panes::Tree }
    }

    /// True when there is a detail to go to.
    pub(crate) fn has_detail(&self) -> bool {
        self.detail || self.focus == Focus::Detail
    }

    /// Rows that the tree has room for.
    pub(crate) fn tree_height(&self) -> usize {
        usize::from(layout(self.size, self.panes()).tree.height)
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
                one(&mut of_node.approved, decision == Some(&Decision::Approve));
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
    pub(crate) fn query(&mut self, wanted: Wanted) -> Query {
        self.asked += 1;
        let text = match wanted {
            Wanted::Search => &self.search.text,
            Wanted::Filter => &self.filter.text,
        };
        let decisions = if wanted == Wanted::Filter { self.decision_words() } else { Vec::new() };
        Query { wanted, text: text.trim().to_owned(), number: self.asked, decisions }
    }

    /// The place of a change in the plan.
    pub(crate) fn place(&self, id: &ChangeId) -> Option<usize> {
        self.review.as_ref()?.place(id)
    }
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
