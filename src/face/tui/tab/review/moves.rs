//! Moving, folding and arranging.

use crate::face::tui::{
    command::Command,
    state::{Selection, State, Tab},
    update::arrange,
};

/// Moves, folds or arranges as a command asks for; false where it asks for something else.
pub(crate) fn moved(state: &mut State, command: Command) -> bool {
    match command {
        Command::Down => go(state, 1),
        Command::Up => go(state, -1),
        Command::Top => go(state, isize::MIN),
        Command::Bottom => go(state, isize::MAX),
        Command::HalfPageDown => go(state, page(state) / 2),
        Command::HalfPageUp => go(state, -(page(state) / 2)),
        Command::PageDown => go(state, page(state)),
        Command::PageUp => go(state, -page(state)),
        Command::ExtendDown | Command::ExtendUp => {
            if !matches!(state.selection, Selection::Range(_)) {
                state.selection = Selection::Range(state.cursor);
            }
            go(state, if command == Command::ExtendDown { 1 } else { -1 });
        }
        Command::NextClient | Command::PreviousClient => {
            seek(state, command == Command::NextClient, |state, node| state.tree.nodes[node as usize].depth == 0);
        }
        Command::NextUndecided | Command::PreviousUndecided => seek(state, command == Command::NextUndecided, is_undecided),
        Command::NextConflict | Command::PreviousConflict => seek(state, command == Command::NextConflict, is_contested),
        Command::NextMatch | Command::PreviousMatch => {
            seek(state, command == Command::NextMatch, is_match);
            say_which_match(state);
        }
        Command::Unfold => unfold(state),
        Command::Fold => fold(state),
        Command::UnfoldAll => fold_to(state, u8::MAX),
        Command::FoldAll | Command::FoldToClients => fold_to(state, 0),
        Command::FoldToProjects => fold_to(state, 1),
        Command::Flat => {
            state.arrangement.flat = !state.arrangement.flat;
            arrange(state);
        }
        Command::Sort { by, reverse } => {
            (state.arrangement.by, state.arrangement.reverse) = (by, reverse);
            arrange(state);
            state.toast = format!("sorted by {}{}", by.word(), if reverse { ", reversed" } else { "" });
        }
        _ => return false,
    }
    true
}

fn page(state: &State) -> isize {
    isize::try_from(state.tree_height()).unwrap_or(1).max(1)
}

/// Moves by so many rows, in whatever is shown.
pub(crate) fn go(state: &mut State, by: isize) {
    let moved = |from: usize, length: usize| from.saturating_add_signed(by).min(length.saturating_sub(1));
    match state.tab {
        Tab::Review => {
            let at = moved(state.tree.position(state.cursor), state.tree.visible.len());
            if let Some(&node) = state.tree.visible.get(at) {
                go_to(state, node);
            }
        }
        Tab::Apply => {
            // A report stands above the story, and its long lines take several rows.
            let report = state.report.as_ref().map_or(0, |report| 8 + 2 * (report.failures.len() + report.not_started.len()));
            let lines = state.applying.shown().count() + report;
            state.applying.scroll = moved(state.applying.scroll, lines);
            state.applying.follows = state.applying.scroll + 1 >= lines;
        }
        Tab::Logs => state.logs.go(by),
        Tab::Runs => state.runs.at = moved(state.runs.at, state.runs.all.len()),
    }
}

/// Puts the cursor on a row, unfolding what stands above it.
pub(crate) fn go_to(state: &mut State, node: u32) {
    if state.cursor != node {
        (state.field, state.detail_scroll) = (0, 0);
    }
    state.cursor = node;
    state.tree.reveal(node);
}

/// Goes to the next row that passes the filter and a test, round and round, whether it is folded away or not.
fn seek(state: &mut State, forward: bool, test: fn(&State, u32) -> bool) {
    let length = u32::try_from(state.tree.nodes.len()).unwrap_or(u32::MAX);
    let at = state.cursor;
    let nth = |step: u32| if forward { (at + step) % length } else { (at + length - step % length) % length };
    let found = (1..=length).map(nth).find(|&node| state.tree.passes(node) && test(state, node));
    match found {
        Some(node) => go_to(state, node),
        None => "there is none".clone_into(&mut state.toast),
    }
}

fn is_undecided(state: &State, node: u32) -> bool {
    let undecided = |at| state.review.as_ref().is_some_and(|review| review.verdict(at).decision.is_none());
    state.tree.change(node).is_some_and(undecided)
}

fn is_contested(state: &State, node: u32) -> bool {
    state.tree.change(node).is_some_and(|at| state.plan().is_some_and(|plan| plan.changes[at].is_contested()))
}

/// True for rows that the search found.
pub(crate) fn is_match(state: &State, node: u32) -> bool {
    state.search.found.as_ref().is_some_and(|found| found.contains(state.tree.nodes[node as usize].subject))
}

/// Goes to the first match at or behind a row, and says which one of all it is.
pub(crate) fn go_to_match(state: &mut State, from: u32) {
    if state.tree.nodes.is_empty() {
        return;
    }
    go_to(state, from);
    if !is_match(state, state.cursor) {
        seek(state, true, is_match);
    }
    say_which_match(state);
}

fn say_which_match(state: &mut State) {
    let rows = 0..u32::try_from(state.tree.nodes.len()).unwrap_or(u32::MAX);
    let matches: Vec<u32> = rows.filter(|&node| state.tree.passes(node) && is_match(state, node)).collect();
    if let Ok(at) = matches.binary_search(&state.cursor) {
        state.toast = format!("match {} of {}", at + 1, matches.len());
    }
}

fn unfold(state: &mut State) {
    let Some(row) = state.tree.nodes.get(state.cursor as usize) else { return };
    if !row.open {
        set_open(state, true);
    } else if state.tree.is_branch(state.cursor) {
        go(state, 1);
    }
}

fn fold(state: &mut State) {
    let Some(row) = state.tree.nodes.get(state.cursor as usize) else { return };
    if row.open && state.tree.is_branch(state.cursor) {
        set_open(state, false);
    } else if let Some(parent) = row.parent {
        go_to(state, parent);
    }
}

fn set_open(state: &mut State, open: bool) {
    state.tree.nodes[state.cursor as usize].open = open;
    state.tree.refresh();
}

/// Folds the row under the cursor, or unfolds it.
pub(crate) fn toggle_fold(state: &mut State) {
    if let Some(row) = state.tree.nodes.get(state.cursor as usize) {
        let open = !row.open;
        set_open(state, open);
    }
}

fn fold_to(state: &mut State, depth: u8) {
    state.tree.fold(|node| Some(node.depth < depth));
    stay_visible(state);
}

/// Puts the cursor on a row that is shown: its own, or the nearest one above.
pub(crate) fn stay_visible(state: &mut State) {
    let at = state.tree.position(state.cursor);
    state.cursor = state.tree.visible.get(at).or_else(|| state.tree.visible.last()).copied().unwrap_or_default();
}

/// Chooses another field of the change in detail.
pub(crate) fn choose_field(state: &mut State, down: bool) {
    let last = state.fields().len().saturating_sub(1);
    if last == 0 {
        let scroll = state.detail_scroll;
        state.detail_scroll = if down { scroll.saturating_add(1) } else { scroll.saturating_sub(1) };
    }
    state.field = if down { (state.field + 1).min(last) } else { state.field.saturating_sub(1) };
}

/// Scrolls so that the cursor is drawn.
pub(crate) fn keep_in_window(state: &mut State) {
    let height = state.tree_height().max(1);
    let at = state.tree.position(state.cursor);
    let last = state.tree.visible.len().saturating_sub(height);
    state.offset = state.offset.clamp(at.saturating_sub(height - 1), at).min(last);
}
