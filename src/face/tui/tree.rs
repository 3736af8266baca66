//! The rows of the review: clients with their projects with their tasks, each with its changes; then the notices.
//!
//! Built once for a plan, in depth-first order, so that a subtree is a range. What is shown of it is a list of places in that order,
//! made anew when something is folded or filtered; drawing looks at the window alone.

use std::collections::HashMap;

use crate::domain::{model::PageId, plan::Plan, text::Raw};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A page without a change of its own, or with several.
    Page(PageId),
    /// A change, by its place in the plan; also the row of its page, where it is the page's only one.
    Change(u32),
    /// The heading of the notices.
    Notices,
    /// A notice, by its place in the plan.
    Notice(u32),
}

/// A row that can be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) subject: Subject,
    pub(crate) depth: u8,
    /// The row above, in the tree's sense.
    pub(crate) parent: Option<u32>,
    /// The first row after this one's subtree.
    pub(crate) end: u32,
    pub(crate) open: bool,
}

/// All rows of a plan, and which of them are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Places of the rows that are shown, in their order.
    pub(crate) visible: Vec<u32>,
    /// Rows that pass the filter, if there is one.
    passing: Option<Vec<bool>>,
}

impl Tree {
    /// The rows of a plan, all unfolded.
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut changes: HashMap<PageId, Vec<u32>> = HashMap::new();
        let mut order: Vec<PageId> = Vec::new();
        for (at, change) in (0..).zip(&plan.changes) {
            changes.entry(change.page).or_insert_with(|| {
                order.push(change.page);
                Vec::new()
            });
            changes.entry(change.page).and_modify(|of_page| of_page.push(at));
        }
        // Pages without changes are only ancestors; they come in front of the first page below them.
        let mut children: HashMap<Option<PageId>, Vec<PageId>> = HashMap::new();
        let mut placed: std::collections::HashSet<PageId> = std::collections::HashSet::new();
        for page in order {
            let mut at = page;
            while placed.insert(at) {
                let parent =
                    plan.places.get(&at).and_then(|place| place.parent).filter(|parent| plan.places.contains_key(parent));
                children.entry(parent).or_default().push(at);
                match parent {
                    Some(parent) => at = parent,
                    None => break,
                }
            }
        }
        let mut tree = Self::default();
        for page in children.get(&None).cloned().unwrap_or_default() {
            tree.add_page(page, None, 0, &children, &changes);
        }
        if !plan.notices.is_empty() {
            let heading = tree.push(Subject::Notices, None, 0);
            for at in (0..).take(plan.notices.len()) {
                let notice = tree.push(Subject::Notice(at), Some(heading), 1);
                tree.close(notice);
            }
            tree.close(heading);
        }
        tree.refresh();
        tree
    }

    fn add_page(
        &mut self,
        page: PageId,
        parent: Option<u32>,
        depth: u8,
        children: &HashMap<Option<PageId>, Vec<PageId>>,
        changes: &HashMap<PageId, Vec<u32>>,
    ) {
        let own = changes.get(&page).map_or(&[][..], Vec::as_slice);
        let subject = match own {
            [only] => Subject::Change(*only),
            _ => Subject::Page(page),
        };
        let node = self.push(subject, parent, depth);
        for &change in own.iter().filter(|_| own.len() > 1) {
            let change = self.push(Subject::Change(change), Some(node), depth + 1);
            self.close(change);
        }
        for &child in children.get(&Some(page)).into_iter().flatten() {
            self.add_page(child, Some(node), depth + 1, children, changes);
        }
        self.close(node);
    }

    fn push(&mut self, subject: Subject, parent: Option<u32>, depth: u8) -> u32 {
        self.nodes.push(Node { subject, depth, parent, end: 0, open: true });
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    fn close(&mut self, node: u32) {
        self.nodes[node as usize].end = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
    }

    /// Works out again which rows are shown.
    pub(crate) fn refresh(&mut self) {
        self.visible.clear();
        let mut at = 0;
        while at < self.nodes.len() {
            let node = self.nodes[at];
            let shown = self.passing.as_ref().is_none_or(|passing| passing[at]);
            if shown {
                self.visible.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
            at = if shown && node.open { at + 1 } else { node.end as usize };
        }
    }

    /// Shows only rows that match, and what stands above them; everything when there is no filter.
    pub(crate) fn filter(&mut self, matching: Option<&[bool]>) {
        self.passing = matching.map(|matching| {
            let mut passing = matching.to_vec();
            for at in (0..self.nodes.len()).rev() {
                if let (true, Some(parent)) = (passing[at], self.nodes[at].parent) {
                    passing[parent as usize] = true;
                }
            }
            passing
        });
        self.refresh();
    }

    /// True when a row has rows below it.
    pub(crate) fn is_branch(&self, node: u32) -> bool {
        self.nodes[node as usize].end > node + 1
    }

    /// The changes of a row and of everything below it that passes the filter, and how many do not pass.
    pub(crate) fn changes_below(&self, node: u32) -> (Vec<usize>, usize) {
        let mut hidden = 0;
        let range = node as usize..self.nodes[node as usize].end as usize;
        let changes = range.filter_map(|at| match self.nodes[at].subject {
            Subject::Change(change) if self.passing.as_ref().is_none_or(|passing| passing[at]) => Some(change as usize),
            Subject::Change(_) => {
                hidden += 1;
                None
            }
            _ => None,
        });
        (changes.collect(), hidden)
    }

    /// Opens or folds rows that a test picks.
    pub(crate) fn fold(&mut self, open: impl Fn(u32, &Node) -> Option<bool>) {
        for at in 0..self.nodes.len() {
            let node = u32::try_from(at).unwrap_or(u32::MAX);
            if let Some(open) = open(node, &self.nodes[at]) {
                self.nodes[at].open = open;
            }
        }
        self.refresh();
    }

    /// Where a row stands among those that are shown; if it is not shown, where the nearest row above it does.
    pub(crate) fn position(&self, node: u32) -> usize {
        match self.visible.binary_search(&node) {
            Ok(at) => at,
            Err(at) => at.saturating_sub(1),
        }
    }
}

/// The name of a row.
pub(crate) fn name(plan: &Plan, subject: Subject) -> Raw {
    match subject {
        Subject::Page(page) => plan.places.get(&page).map(|place| place.name.clone()).unwrap_or_default(),
        Subject::Change(at) => plan.changes[at as usize].name.clone(),
        Subject::Notices => "Notices".into(),
        Subject::Notice(at) => plan.notices[at as usize].name.clone(),
    }
}
