//! The rows of the review: clients with their projects with their tasks, each with its changes; or all changes as a
//! flat list; then the notices.
//!
//! Built for a plan and an order, depth first, so that a subtree is a range. What is shown of it is a list of places in
//! that order, made anew when something is folded or filtered; drawing looks at the window alone.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use super::{matching::Matches, subject::Subject};
use crate::{
    domain::{
        model::PageId,
        plan::{Action, Change, Plan},
    },
    face::tui::command::By,
};

/// So many notices of one kind stand under a heading of their own.
const ALIKE_FROM: usize = 4;

/// A row that can be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) subject: Subject,
    pub(crate) depth: u8,
    /// The row above, in the tree's sense.
    pub(crate) parent: Option<u32>,
    /// The first row after this one's subtree.
    pub(crate) end: u32,
    pub(crate) open: bool,
}

/// How the rows are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrangement {
    pub(crate) by: By,
    pub(crate) reverse: bool,
    /// Changes alone, without the tree above them.
    pub(crate) flat: bool,
}

/// All rows of a plan, and which of them are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Places of the rows that are shown, in their order.
    pub(crate) visible: Vec<u32>,
    /// Rows that match the filter, if there is one.
    matching: Option<Vec<bool>>,
    /// Those, and what stands above them.
    passing: Option<Vec<bool>>,
}

impl Tree {
    /// The rows of a plan, all unfolded. In the plan's own order, what waits for a person since an earlier run comes
    /// first.
    pub(crate) fn new(plan: &Plan, arrangement: Arrangement, waits: impl Fn(&Change) -> bool) -> Self {
        let mut tree = Self::default();
        let pages = Pages::of(plan, waits);
        if arrangement.flat {
            for change in pages.flat(arrangement) {
                let node = tree.push(Subject::Change(change), None, 0);
                tree.close(node);
            }
        } else {
            let pages = pages.sorted(arrangement);
            for &page in pages.children.get(&None).into_iter().flatten() {
                tree.add_page(page, None, 0, &pages);
            }
        }
        if !plan.notices.is_empty() {
            tree.add_notices(plan);
        }
        tree.refresh();
        tree
    }

    fn add_page(&mut self, page: PageId, parent: Option<u32>, depth: u8, pages: &Pages<'_>) {
        let own = pages.own(page);
        let subject = match own {
            [only] => Subject::Change(*only),
            _ => Subject::Page(page),
        };
        let node = self.push(subject, parent, depth);
        for &change in own.iter().filter(|_| own.len() > 1) {
            let change = self.push(Subject::Change(change), Some(node), depth + 1);
            self.close(change);
        }
        for &child in pages.children.get(&Some(page)).into_iter().flatten() {
            self.add_page(child, Some(node), depth + 1, pages);
        }
        self.close(node);
    }

    /// The notices under their heading; many of one kind under a heading of their own, folded.
    fn add_notices(&mut self, plan: &Plan) {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let all = self.push(Subject::Notices { from: 0, count: number(plan.notices.len()) }, None, 0);
        for (from, alike) in plan.notices_alike() {
            let (from, count) = (number(from), number(alike.len()));
            let is_group = (ALIKE_FROM..plan.notices.len()).contains(&alike.len());
            let group = is_group.then(|| self.push(Subject::Notices { from, count }, Some(all), 1));
            for at in from..from + count {
                let notice = self.push(Subject::Notice(at), group.or(Some(all)), if is_group { 2 } else { 1 });
                self.close(notice);
            }
            if let Some(group) = group {
                self.close(group);
                self.nodes[group as usize].open = false;
            }
        }
        self.close(all);
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
    pub(crate) fn filter(&mut self, matches: Option<&Matches>) {
        self.matching = matches.map(|matches| self.nodes.iter().map(|node| matches.contains(node.subject)).collect());
        self.passing = self.matching.clone().map(|mut passing| {
            for at in (0..self.nodes.len()).rev() {
                if let (true, Some(parent)) = (passing[at], self.nodes[at].parent) {
                    passing[parent as usize] = true;
                }
            }
            passing
        });
        self.refresh();
    }

    /// True when a row passes the filter, whether it is folded away or not.
    pub(crate) fn passes(&self, node: u32) -> bool {
        self.passing.as_ref().is_none_or(|passing| passing[node as usize])
    }

    /// True when a row matches the filter by itself, and does not only stand above one that does.
    pub(crate) fn matches(&self, node: u32) -> bool {
        self.matching.as_ref().is_none_or(|matching| matching[node as usize])
    }

    /// True when a row has rows below it.
    pub(crate) fn is_branch(&self, node: u32) -> bool {
        self.nodes[node as usize].end > node + 1
    }

    /// The changes of a row and of everything below it that match the filter, and how many do not.
    pub(crate) fn changes_below(&self, node: u32) -> (Vec<usize>, usize) {
        let range = node..self.nodes[node as usize].end;
        let all = range.filter_map(|at| self.change(at).map(|change| (change, self.matches(at))));
        let (matching, hidden): (Vec<_>, Vec<_>) = all.partition(|(_, matches)| *matches);
        (matching.into_iter().map(|(change, _)| change).collect(), hidden.len())
    }

    /// The change of a row, by its place in the plan.
    pub(crate) fn change(&self, node: u32) -> Option<usize> {
        match self.nodes[node as usize].subject {
            Subject::Change(at) => Some(at as usize),
            Subject::Page(_) | Subject::Notices { .. } | Subject::Notice(_) => None,
        }
    }

    /// The page of a row.
    pub(crate) fn page(&self, node: u32, plan: Option<&Plan>) -> Option<PageId> {
        match self.nodes[node as usize].subject {
            Subject::Page(page) => Some(page),
            Subject::Change(at) => plan?.changes.get(at as usize).map(|change| change.page),
            Subject::Notice(at) => plan?.notices.get(at as usize).and_then(|notice| notice.page),
            Subject::Notices { .. } => None,
        }
    }

    /// Opens or folds rows that a test picks.
    pub(crate) fn fold(&mut self, open: impl Fn(&Node) -> Option<bool>) {
        for node in &mut self.nodes {
            node.open = open(node).unwrap_or(node.open);
        }
        self.refresh();
    }

    /// Unfolds what stands above a row, so that it is shown.
    pub(crate) fn reveal(&mut self, node: u32) {
        let (mut above, mut changed) = (self.nodes[node as usize].parent, false);
        while let Some(at) = above {
            let row = &mut self.nodes[at as usize];
            changed |= !std::mem::replace(&mut row.open, true);
            above = row.parent;
        }
        if changed {
            self.refresh();
        }
    }

    /// Where a row stands among those that are shown; if it is not shown, where the nearest row above it does.
    pub(crate) fn position(&self, node: u32) -> usize {
        match self.visible.binary_search(&node) {
            Ok(at) => at,
            Err(at) => at.saturating_sub(1),
        }
    }

    /// The row about something.
    pub(crate) fn find(&self, subject: Subject) -> Option<u32> {
        let at = self.nodes.iter().position(|node| node.subject == subject)?;
        u32::try_from(at).ok()
    }
}

/// The pages of a plan with their own changes, and who stands under whom.
struct Pages<'a> {
    plan: &'a Plan,
    own: HashMap<PageId, Vec<u32>>,
    children: HashMap<Option<PageId>, Vec<PageId>>,
    /// Pages with something that waits, at them or below.
    waiting: HashSet<PageId>,
}

impl<'a> Pages<'a> {
    fn of(plan: &'a Plan, waits: impl Fn(&Change) -> bool) -> Self {
        let mut own: HashMap<PageId, Vec<u32>> = HashMap::with_capacity(plan.places.len());
        let mut order: Vec<PageId> = Vec::with_capacity(plan.places.len());
        for (at, change) in (0..).zip(&plan.changes) {
            let of_page = own.entry(change.page).or_insert_with(|| {
                order.push(change.page);
                Vec::new()
            });
            of_page.push(at);
        }
        // Pages without changes are only ancestors; they come in front of the first page below them.
        let mut children: HashMap<Option<PageId>, Vec<PageId>> = HashMap::new();
        let mut placed: HashSet<PageId> = HashSet::with_capacity(plan.places.len());
        for page in order {
            let mut at = page;
            while placed.insert(at) {
                let parent = plan
                    .places
                    .get(&at)
                    .and_then(|place| place.parent)
                    .filter(|parent| plan.places.contains_key(parent));
                children.entry(parent).or_default().push(at);
                match parent {
                    Some(parent) => at = parent,
                    None => break,
                }
            }
        }
        let mut waiting = HashSet::new();
        for change in plan.changes.iter().filter(|change| waits(change)) {
            let mut at = Some(change.page);
            while let Some(page) = at.filter(|page| waiting.insert(*page)) {
                at = plan.places.get(&page).and_then(|place| place.parent);
            }
        }
        Self { plan, own, children, waiting }
    }

    fn own(&self, page: PageId) -> &[u32] {
        self.own.get(&page).map_or(&[], Vec::as_slice)
    }

    /// The first of a page's actions; pages without one come last.
    fn action(&self, page: PageId) -> (bool, Option<Action>) {
        let first = self.own(page).first().map(|&at| self.plan.changes[at as usize].proposal.action);
        (first.is_none(), first)
    }

    fn count(&self, page: PageId) -> usize {
        let below = self.children.get(&Some(page)).into_iter().flatten();
        self.own(page).len() + below.map(|&child| self.count(child)).sum::<usize>()
    }

    fn sorted(mut self, Arrangement { by, reverse, .. }: Arrangement) -> Self {
        let mut children = std::mem::take(&mut self.children);
        // Counting looks below, so that it needs the children in place.
        self.children.clone_from(&children);
        for siblings in children.values_mut() {
            match by {
                By::Name => siblings.sort_by_key(|page| !self.waiting.contains(page)),
                By::Action => siblings.sort_by_key(|&page| self.action(page)),
                By::Count => siblings.sort_by_cached_key(|&page| Reverse(self.count(page))),
                By::Edited => {
                    siblings.sort_by_key(|page| Reverse(self.plan.places.get(page).map(|place| place.edited)));
                }
            }
            if reverse {
                siblings.reverse();
            }
        }
        Self { children, ..self }
    }

    /// All changes in the order of an arrangement.
    fn flat(&self, Arrangement { by, reverse, .. }: Arrangement) -> Vec<u32> {
        let changes = &self.plan.changes;
        let mut all: Vec<u32> = (0..).take(changes.len()).collect();
        match by {
            // The plan's order is that of the paths.
            By::Name => all.sort_by_key(|&at| !self.waiting.contains(&changes[at as usize].page)),
            By::Action => all.sort_by_key(|&at| changes[at as usize].proposal.action),
            By::Count => all.sort_by_key(|&at| Reverse(self.own(changes[at as usize].page).len())),
            By::Edited => {
                let edited = |at: u32| self.plan.places.get(&changes[at as usize].page).map(|place| place.edited);
                all.sort_by_key(|&at| Reverse(edited(at)));
            }
        }
        if reverse {
            all.reverse();
        }
        all
    }
}
