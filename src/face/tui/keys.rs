//! The one key table: dispatch, footer, help and palette are made from it, so they cannot disagree.

use super::{
    state::{Phase, State, Tab},
    stroke::Stroke,
};

/// Everything that a key or the palette can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Down,
    Up,
    Top,
    Bottom,
    HalfPageDown,
    HalfPageUp,
    PageDown,
    PageUp,
    Unfold,
    Fold,
    Toggle,
    UnfoldAll,
    FoldAll,
    FoldToClients,
    FoldToProjects,
    NextClient,
    PreviousClient,
    NextUndecided,
    PreviousUndecided,
    NextConflict,
    PreviousConflict,
    Approve,
    ApproveBelow,
    ApproveShown,
    Skip,
    Ignore,
    Flag,
    Clear,
    Ways,
    Range,
    Undo,
    Redo,
    Search,
    NextMatch,
    PreviousMatch,
    Filter,
    Apply,
    Refetch,
    ReviewTab,
    ApplyTab,
    RunsTab,
    Detail,
    Palette,
    Help,
    Redraw,
    Back,
    Interrupt,
}

/// Which part of the help an action is listed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Move,
    Decide,
    Find,
    View,
    Act,
}

impl Section {
    /// In the order of the help.
    pub(crate) const ALL: [Self; 5] = [Self::Move, Self::Decide, Self::Find, Self::View, Self::Act];

    /// The heading.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Move => "MOVE",
            Self::Decide => "DECIDE",
            Self::Find => "FIND",
            Self::View => "VIEW",
            Self::Act => "ACT",
        }
    }
}

/// One row of the table.
pub(crate) struct Row {
    /// Keys, each a sequence of strokes separated by blanks.
    pub(crate) keys: &'static [&'static str],
    pub(crate) action: Action,
    pub(crate) section: Section,
    pub(crate) label: &'static str,
    /// Why the action is off now, if it is.
    pub(crate) off: fn(&State) -> Option<&'static str>,
}

fn on(_: &State) -> Option<&'static str> {
    None
}

fn in_review(state: &State) -> Option<&'static str> {
    match (&state.phase, state.tab) {
        (Phase::Applying, _) => Some("changes are being applied"),
        (_, Tab::Apply | Tab::Runs) => Some("only in the review (1)"),
        _ if state.review.is_none() => Some("there is no plan yet"),
        _ => None,
    }
}

fn on_a_change(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| state.selected_changes().is_empty().then_some("this row has no changes"))
}

fn with_ways(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| match state.current_change() {
        None => Some("this row is no single change"),
        Some(at) if state.plan().is_some_and(|plan| plan.changes[at].alternatives.is_empty()) => {
            Some("this change has no alternatives")
        }
        Some(_) => None,
    })
}

fn to_apply(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| (state.tally.approved == 0).then_some("nothing is approved"))
}

fn idle(state: &State) -> Option<&'static str> {
    match state.phase {
        Phase::Applying => Some("changes are being applied"),
        Phase::Reading => Some("both sides are being read"),
        Phase::Ready | Phase::Failed(_) => None,
    }
}

const fn row(
    keys: &'static [&'static str],
    action: Action,
    section: Section,
    label: &'static str,
    off: fn(&State) -> Option<&'static str>,
) -> Row {
    Row { keys, action, section, label, off }
}

/// The table. Earlier rows come first in the footer.
pub(crate) const TABLE: &[Row] = &[
    row(&["space"], Action::Approve, Section::Decide, "approve, move on", on_a_change),
    row(&["s"], Action::Skip, Section::Decide, "skip for now", on_a_change),
    row(&["!"], Action::Flag, Section::Decide, "flag with a note", on_a_change),
    row(&["w", "c"], Action::Ways, Section::Decide, "choose another way", with_ways),
    row(&["u"], Action::Undo, Section::Decide, "undo", in_review),
    row(&["P"], Action::Apply, Section::Act, "apply", to_apply),
    row(&["/"], Action::Search, Section::Find, "search", in_review),
    row(&["f"], Action::Filter, Section::Find, "filter", in_review),
    row(&["a"], Action::ApproveBelow, Section::Decide, "approve all below", on_a_change),
    row(&["A"], Action::ApproveShown, Section::Decide, "approve all shown", in_review),
    row(&["i"], Action::Ignore, Section::Decide, "ignore for good", on_a_change),
    row(&["backspace"], Action::Clear, Section::Decide, "clear the decision", on_a_change),
    row(&["v"], Action::Range, Section::Decide, "select a range", in_review),
    row(&["ctrl-r"], Action::Redo, Section::Decide, "redo", in_review),
    row(&["j", "down"], Action::Down, Section::Move, "down", on),
    row(&["k", "up"], Action::Up, Section::Move, "up", on),
    row(&["g g", "home"], Action::Top, Section::Move, "to the top", on),
    row(&["G", "end"], Action::Bottom, Section::Move, "to the bottom", on),
    row(&["ctrl-d"], Action::HalfPageDown, Section::Move, "half a page down", on),
    row(&["ctrl-u"], Action::HalfPageUp, Section::Move, "half a page up", on),
    row(&["ctrl-f", "pagedown"], Action::PageDown, Section::Move, "a page down", on),
    row(&["ctrl-b", "pageup"], Action::PageUp, Section::Move, "a page up", on),
    row(&["}"], Action::NextClient, Section::Move, "next client", in_review),
    row(&["{"], Action::PreviousClient, Section::Move, "previous client", in_review),
    row(&["]"], Action::NextUndecided, Section::Move, "next undecided", in_review),
    row(&["["], Action::PreviousUndecided, Section::Move, "previous undecided", in_review),
    row(&[")"], Action::NextConflict, Section::Move, "next conflict or drift", in_review),
    row(&["("], Action::PreviousConflict, Section::Move, "previous conflict or drift", in_review),
    row(&["n"], Action::NextMatch, Section::Find, "next match", in_review),
    row(&["N"], Action::PreviousMatch, Section::Find, "previous match", in_review),
    row(&["l", "right"], Action::Unfold, Section::View, "unfold, go in", in_review),
    row(&["h", "left"], Action::Fold, Section::View, "fold, go out", in_review),
    row(&["enter", "z a"], Action::Toggle, Section::View, "fold or unfold", on),
    row(&["=", "z R"], Action::UnfoldAll, Section::View, "unfold all", in_review),
    row(&["-", "z M"], Action::FoldAll, Section::View, "fold all", in_review),
    row(&["z 1"], Action::FoldToClients, Section::View, "clients only", in_review),
    row(&["z 2"], Action::FoldToProjects, Section::View, "down to projects", in_review),
    row(&["p"], Action::Detail, Section::View, "detail pane", in_review),
    row(&["1"], Action::ReviewTab, Section::View, "review", on),
    row(&["2"], Action::ApplyTab, Section::View, "apply", on),
    row(&["3"], Action::RunsTab, Section::View, "runs", on),
    row(&["ctrl-l"], Action::Redraw, Section::View, "draw again", on),
    row(&["R"], Action::Refetch, Section::Act, "read both sides again", idle),
    row(&[":"], Action::Palette, Section::Act, "all actions", on),
    row(&["?", "f1"], Action::Help, Section::Act, "help", on),
    row(&["q", "esc"], Action::Back, Section::Act, "back, leave", on),
    row(&["ctrl-c"], Action::Interrupt, Section::Act, "stop", on),
];

/// The row of an action.
pub(crate) fn row_of(action: Action) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.action == action)
}

fn sequence(keys: &str) -> impl Iterator<Item = Option<Stroke>> + '_ {
    keys.split(' ').map(Stroke::parse)
}

/// A row's first key as it is shown.
pub(crate) fn shown(row: &Row) -> String {
    row.keys.first().map(|keys| sequence(keys).flatten().map(|stroke| stroke.to_string()).collect()).unwrap_or_default()
}

/// All of a row's keys as they are shown.
pub(crate) fn all_shown(row: &Row) -> String {
    let keys: Vec<String> =
        row.keys.iter().map(|keys| sequence(keys).flatten().map(|stroke| stroke.to_string()).collect()).collect();
    keys.join(" ")
}

/// The rows of the key table that fit what is typed, in the table's order.
pub(crate) fn palette(typed: &str) -> Vec<&'static Row> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    TABLE
        .iter()
        .filter(|row| row.action != Action::Palette && words.iter().all(|word| row.label.contains(word.as_str())))
        .collect()
}

/// What strokes so far mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Action(Action),
    /// A sequence has begun.
    Begun,
    Nothing,
}

/// Looks strokes up.
pub(crate) fn meaning(strokes: &[Stroke]) -> Meaning {
    let mut begun = false;
    for row in TABLE {
        for keys in row.keys {
            let mut wanted = sequence(keys);
            if strokes.iter().all(|stroke| wanted.next().flatten() == Some(*stroke)) {
                match wanted.next() {
                    None => return Meaning::Action(row.action),
                    Some(_) => begun = true,
                }
            }
        }
    }
    if begun { Meaning::Begun } else { Meaning::Nothing }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_is_readable_and_bound_once() {
        let mut bound = BTreeSet::new();
        for row in TABLE {
            for keys in row.keys {
                assert!(sequence(keys).all(|stroke| stroke.is_some()), "{keys}");
                assert!(bound.insert(*keys), "{keys} is bound twice");
                let strokes: Vec<Stroke> = sequence(keys).flatten().collect();
                assert_eq!(meaning(&strokes), Meaning::Action(row.action), "{keys}");
            }
        }
    }

    #[test]
    fn a_sequence_is_waited_for() {
        let stroke = |text| Stroke::parse(text).expect("a stroke");
        assert_eq!(meaning(&[stroke("g")]), Meaning::Begun);
        assert_eq!(meaning(&[stroke("g"), stroke("g")]), Meaning::Action(Action::Top));
        assert_eq!(meaning(&[stroke("g"), stroke("x")]), Meaning::Nothing);
    }
}
