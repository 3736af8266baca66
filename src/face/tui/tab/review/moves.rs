//! Moving, folding and arranging.

use crate::face::tui::{
    command::Command,
    state::{
        State,
        filter::folded,
        reviewing::{Reviewing, Selection},
        subject::{Subject, name},
    },
};

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
            seek(state, command == Command::NextClient, |reviewing, node| {
                reviewing.tree.nodes[node as usize].depth == 0
            });
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
        let near = if reviewing.search.found.as_ref().is_some_and(|found| found.only_near) {
            "no name has that in it; near it: "
        } else {
            ""
        };
        state.toast = format!("{near}match {} of {}", at + 1, matches.len()).into();
    }
}

/// Goes to the first client that has a text in its name; false where there is none.
pub(crate) fn to_client(state: &mut State, text: &str) -> bool {
    let reviewing = &mut state.reviewing;
    let Some(plan) = reviewing.plan() else { return false };
    let wanted = folded(text);
    let is_it = |node: &&u32| {
        let node = &reviewing.tree.nodes[**node as usize];
        node.depth == 0
            && !matches!(node.subject, Subject::Notices { .. })
            && folded(name(plan, node.subject).canonical().as_str()).contains(&wanted)
    };
    let found = reviewing.tree.visible.iter().find(is_it).copied();
    found.map(|node| reviewing.go_to(node)).is_some()
}
