//! What lies over the tab, and how it gets there.

use super::{
    State,
    prompt::{self, Purpose},
    reviewing::Selection,
};
use crate::{domain::review::Decision, face::tui::command::Command};

/// What lies over the tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlay {
    Help,
    /// The ways to mend a change, with the chosen line.
    Conflict {
        change: usize,
        /// Nothing where it is a conflict that nobody has resolved: it has no default.
        line: Option<usize>,
    },
    /// What can be copied, with the chosen line.
    Copy {
        line: usize,
    },
    /// Do something below a client although somebody else is on it?
    GoOn {
        command: Command,
    },
    /// Let through what brakes withhold?
    Brakes,
    /// What a program has said.
    Output {
        scroll: u16,
    },
    /// Close the month?
    CloseMonth,
    /// Apply what is approved? Without closes, Enter is enough.
    Confirm,
}

/// Shows the help, which narrows to what is typed.
pub(crate) fn show_help(state: &mut State) {
    state.overlay = Some(Overlay::Help);
    prompt::ask(state, Purpose::Help, "");
}

/// Asks whether all that brakes withhold is to be let through.
pub(crate) fn ask_to_release(state: &mut State) {
    state.overlay = Some(Overlay::Brakes);
    prompt::ask(state, Purpose::ReleaseAll, "");
}

/// Asks whether what is approved is to be applied. What that would cost is not known yet.
pub(crate) fn ask_to_apply(state: &mut State) {
    state.overlay = Some(Overlay::Confirm);
    state.reviewing.estimate = None;
    if state.reviewing.tally.closes > 0 {
        prompt::ask(state, Purpose::Confirm, "");
    }
}

/// Asks whether the month is to be closed, and for a note.
pub(crate) fn ask_to_close(state: &mut State) {
    state.overlay = Some(Overlay::CloseMonth);
    prompt::ask(state, Purpose::CloseMonth, "");
}

/// Puts the ways to mend the change under the cursor before the person. What is decided then is decided about it alone.
pub(crate) fn show_ways(state: &mut State) {
    state.reviewing.selection = Selection::None;
    let Some(change) = state.reviewing.current_change() else { return };
    let Some(review) = &state.reviewing.review else { return };
    let open =
        review.plan().changes[change].is_contested() && review.verdict(change).decision != Some(Decision::Approve);
    let line = (!open).then(|| review.verdict(change).way);
    state.overlay = Some(Overlay::Conflict { change, line });
}
