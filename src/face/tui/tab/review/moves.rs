//! Moving, folding and arranging.

use super::reviewing::{Reviewing, Selection};
use crate::face::tui::{command::Command, state::State, tab::stepped};

/// Moves, folds or arranges as a command asks for; false where it asks for something else.
pub(crate) fn moved(state: &mut State, command: Command) -> bool {
    let reviewing = &mut state.reviewing;
    match command {
        Command::ExtendDown | Command::ExtendUp => {
            if !matches!(reviewing.selection, Selection::Range(_)) {
                reviewing.selection = Selection::Range(reviewing.cursor);
            }
            reviewing.go(if command == Command::ExtendDown { 1 } else { -1 });
        }
        Command::NextClient | Command::PreviousClient => {
            seek(state, command == Command::NextClient, |reviewing, node| reviewing.tree.nodes[node as usize].depth == 0);
        }
        Command::NextUndecided | Command::PreviousUndecided => {
            seek(state, command == Command::NextUndecided, Reviewing::is_undecided);
        }
        Command::NextConflict | Command::PreviousConflict => {
            seek(state, command == Command::NextConflict, Reviewing::is_contested);
        }
        Command::NextMatch | Command::PreviousMatch => {
            seek(state, command == Command::NextMatch, Reviewing::is_match);
            say_which_match(state);
        }
        Command::Unfold => reviewing.unfold(),
        Command::Fold => reviewing.fold(),
        Command::UnfoldAll => reviewing.fold_to(u8::MAX),
        Command::FoldAll | Command::FoldToClients => reviewing.fold_to(0),
        Command::FoldToProjects => reviewing.fold_to(1),
        Command::Flat => {
            reviewing.arrangement.flat = !reviewing.arrangement.flat;
            reviewing.arrange();
        }
        Command::Sort { by, reverse } => {
            (reviewing.arrangement.by, reviewing.arrangement.reverse) = (by, reverse);
            reviewing.arrange();
            state.toast = format!("sorted by {}{}", by.word(), if reverse { ", reversed" } else { "" }).into();
        }
        _ => return false,
    }
    true
}

/// Goes to the next row that passes the filter and a test, round and round, whether it is folded away or not.
fn seek(state: &mut State, forward: bool, test: fn(&Reviewing, u32) -> bool) {
    let reviewing = &mut state.reviewing;
    let length = u32::try_from(reviewing.tree.nodes.len()).unwrap_or(u32::MAX);
    let at = reviewing.cursor;
    let nth = |step: u32| if forward { (at + step) % length } else { (at + length - step % length) % length };
    let found = (1..=length).map(nth).find(|&node| reviewing.tree.passes(node) && test(reviewing, node));
    match found {
        Some(node) => reviewing.go_to(node),
        None => state.toast = "there is none".into(),
    }
}

/// Goes to the first match at or behind a row, and says which one of all it is.
pub(crate) fn go_to_match(state: &mut State, from: u32) {
    if state.reviewing.tree.nodes.is_empty() {
        return;
    }
    state.reviewing.go_to(from);
    if !state.reviewing.is_match(from) {
        seek(state, true, Reviewing::is_match);
    }
    say_which_match(state);
}

fn say_which_match(state: &mut State) {
    let reviewing = &state.reviewing;
    let rows = 0..u32::try_from(reviewing.tree.nodes.len()).unwrap_or(u32::MAX);
    let matches: Vec<u32> = rows.filter(|&node| reviewing.tree.passes(node) && reviewing.is_match(node)).collect();
    if let Ok(at) = matches.binary_search(&reviewing.cursor) {
        state.toast = format!("match {} of {}", at + 1, matches.len()).into();
    }
}

impl Reviewing {
    /// Moves by so many of the rows that are shown.
    pub(crate) fn go(&mut self, by: isize) {
        let at = stepped(self.tree.position(self.cursor), by, self.tree.visible.len());
        if let Some(&node) = self.tree.visible.get(at) {
            self.go_to(node);
        }
    }

    /// Puts the cursor on a row, unfolding what stands above it.
    pub(crate) fn go_to(&mut self, node: u32) {
        if self.cursor != node {
            (self.detail.field, self.detail.scroll) = (0, 0);
        }
        self.cursor = node;
        self.tree.reveal(node);
    }

    fn is_undecided(&self, node: u32) -> bool {
        let undecided = |at| self.review.as_ref().is_some_and(|review| review.verdict(at).decision.is_none());
        self.tree.change(node).is_some_and(undecided)
    }

    fn is_contested(&self, node: u32) -> bool {
        self.tree.change(node).is_some_and(|at| self.plan().is_some_and(|plan| plan.changes[at].is_contested()))
    }

    /// True for rows that the search found.
    fn is_match(&self, node: u32) -> bool {
        self.search.found.as_ref().is_some_and(|found| found.contains(self.tree.nodes[node as usize].subject))
    }

    fn unfold(&mut self) {
        let Some(row) = self.tree.nodes.get(self.cursor as usize) else { return };
        if !row.open {
            self.set_open(true);
        } else if self.tree.is_branch(self.cursor) {
            self.go(1);
        }
    }

    fn fold(&mut self) {
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

    fn fold_to(&mut self, depth: u8) {
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
