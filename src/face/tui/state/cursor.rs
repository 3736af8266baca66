//! Where the person is in the review: moving and folding.

use super::{reviewing::Reviewing, stepped};
use crate::domain::plan::State;

impl Reviewing {
    /// Moves by so many of the rows that are shown.
    pub(crate) fn go(&mut self, by: isize) {
        let at = stepped(self.tree.position(self.cursor), by, self.tree.visible.len());
        if let Some(&node) = self.tree.visible.get(at) {
            self.go_to(node);
        }
    }

    /// Goes on to the next row that can be decided about: past those that are held, as long as there are others.
    pub(crate) fn go_on(&mut self) {
        let at = self.tree.position(self.cursor);
        let behind = self.tree.visible.iter().skip(at + 1);
        match behind.copied().find(|&node| !self.is_held(node)) {
            Some(node) => self.go_to(node),
            None => self.go(1),
        }
    }

    fn is_held(&self, node: u32) -> bool {
        let is_held = |at: usize| self.plan().is_some_and(|plan| plan.changes[at].state == State::Held);
        self.tree.change(node).is_some_and(is_held)
    }

    /// Puts the cursor on a row, unfolding what stands above it.
    pub(crate) fn go_to(&mut self, node: u32) {
        if self.cursor != node {
            (self.detail.field, self.detail.scroll) = (0, 0);
        }
        self.cursor = node;
        self.tree.reveal(node);
    }

    /// True for rows that wait for a decision; nothing can be approved of what is held.
    pub(crate) fn is_undecided(&self, node: u32) -> bool {
        let undecided = |at| self.review.as_ref().is_some_and(|review| review.is_open(at));
        self.tree.change(node).is_some_and(undecided) && !self.is_held(node)
    }

    pub(crate) fn is_contested(&self, node: u32) -> bool {
        self.tree.change(node).is_some_and(|at| self.plan().is_some_and(|plan| plan.changes[at].is_contested()))
    }

    /// True for rows that the search found.
    pub(crate) fn is_match(&self, node: u32) -> bool {
        self.search.found.as_ref().is_some_and(|found| found.contains(self.tree.nodes[node as usize].subject))
    }

    pub(crate) fn unfold(&mut self) {
        let Some(row) = self.tree.nodes.get(self.cursor as usize) else { return };
        if !row.open {
            self.set_open(true);
        } else if self.tree.is_branch(self.cursor) {
            self.go(1);
        }
    }

    pub(crate) fn fold(&mut self) {
        let Some(row) = self.tree.nodes.get(self.cursor as usize) else { return };
        if row.open && self.tree.is_branch(self.cursor) {
            self.set_open(false);
        } else if let Some(parent) = row.parent {
            self.go_to(parent);
        }
    }

    fn set_open(&mut self, open: bool) {
        self.tree.nodes[self.cursor as usize].open = open;
        self.tree.refresh();
    }

    /// Folds the row under the cursor, or unfolds it.
    pub(crate) fn toggle_fold(&mut self) {
        if let Some(row) = self.tree.nodes.get(self.cursor as usize) {
            self.set_open(!row.open);
        }
    }

    pub(crate) fn fold_to(&mut self, depth: u8) {
        self.tree.fold(|node| Some(node.depth < depth));
        self.stay_visible();
    }

    /// Puts the cursor on a row that is shown: its own, or the nearest one above.
    pub(crate) fn stay_visible(&mut self) {
        let at = self.tree.position(self.cursor);
        self.cursor = self.tree.visible.get(at).or_else(|| self.tree.visible.last()).copied().unwrap_or_default();
    }

    /// Chooses another field of the change in detail; where there is but one, scrolls.
    pub(crate) fn choose_field(&mut self, down: bool) {
        let last = self.fields().len().saturating_sub(1);
        let by = if down { 1 } else { -1 };
        if last == 0 {
            self.detail.scroll(by);
        }
        self.detail.field = stepped(self.detail.field, by.into(), last + 1);
    }

    /// Scrolls so that the cursor is drawn.
    pub(crate) fn keep_in_window(&mut self, size: (u16, u16)) {
        let height = self.tree_height(size).max(1);
        let at = self.tree.position(self.cursor);
        let last = self.tree.visible.len().saturating_sub(height);
        self.offset = self.offset.clamp(at.saturating_sub(height - 1), at).min(last);
    }
}
