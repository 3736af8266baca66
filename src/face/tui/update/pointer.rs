//! The mouse: what was drawn somewhere is what a click there means.

use super::{Effect, act, choose_line};
use crate::face::tui::{
    command::Command,
    state::{Popup, State, Tab},
    tab::review::moves,
};

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointing {
    Click,
    DoubleClick,
    WheelUp,
    WheelDown,
}

/// What was drawn there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A row of the tree.
    Row(u32),
    /// The arrow of a row that folds.
    Fold(u32),
    /// The detail pane.
    Detail,
    Tab(Tab),
    /// A hint of the footer.
    Hint(Command),
    /// A line of what lies over the tab, from 0.
    Line(usize),
    /// A run, from 0.
    Run(usize),
    /// An entry of the log, from 0.
    Entry(usize),
    Nothing,
}

/// Rows that the wheel moves.
const WHEEL: isize = 3;

pub(super) fn point(state: &mut State, pointing: Pointing, target: Target) -> Option<Effect> {
    match pointing {
        Pointing::WheelUp => wheel(state, target, -WHEEL),
        Pointing::WheelDown => wheel(state, target, WHEEL),
        Pointing::Click | Pointing::DoubleClick => return click(state, pointing == Pointing::DoubleClick, target),
    }
    None
}

fn wheel(state: &mut State, target: Target, by: isize) {
    // What is being typed is about the row under the cursor.
    if state.prompt.is_some() {
        return;
    }
    match (&mut state.popup, target) {
        (Some(Popup::Help { scroll }), _) => *scroll = scroll.saturating_add_signed(i16::try_from(by).unwrap_or_default()),
        (Some(_), _) => {}
        (None, Target::Detail) => {
            state.reviewing.detail.scroll(i16::try_from(by).unwrap_or_default());
        }
        (None, _) => moves::go(state, by),
    }
}

fn click(state: &mut State, double: bool, target: Target) -> Option<Effect> {
    if let (Some(popup), Target::Line(line)) = (state.popup.clone(), target) {
        return choose_line(state, &popup, line + 1);
    }
    // What is typed or lies over the tab comes first: a click beside it closes nothing and decides nothing.
    if state.popup.is_some() || state.prompt.is_some() {
        return None;
    }
    match target {
        Target::Row(node) => {
            state.reviewing.go_to(node);
            state.reviewing.detail.focused = false;
            if double { act(state, Command::Toggle) } else { None }
        }
        Target::Fold(node) => {
            state.reviewing.go_to(node);
            state.reviewing.toggle_fold();
            None
        }
        Target::Detail => {
            state.reviewing.detail.focused = true;
            None
        }
        Target::Entry(at) => {
            (state.logs.at, state.logs.follow) = (at, false);
            if double { act(state, Command::Toggle) } else { None }
        }
        Target::Tab(tab) => act(
            state,
            match tab {
                Tab::Review => Command::ReviewTab,
                Tab::Apply => Command::ApplyTab,
                Tab::Logs => Command::LogsTab,
                Tab::Runs => Command::RunsTab,
            },
        ),
        Target::Hint(command) => act(state, command),
        Target::Run(at) => {
            state.runs.at = at;
            if double { act(state, Command::Toggle) } else { None }
        }
        Target::Line(_) | Target::Nothing => None,
    }
}
