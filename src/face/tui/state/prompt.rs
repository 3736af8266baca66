//! The line that is being typed, and what for.

use tui_input::Input;

use super::State;
use crate::domain::{model::Field, rules::Allowance, text::Shown};

/// What text is being typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Search,
    Filter,
    /// What is looked for in the log.
    LogFilter,
    /// The days whose hours are asked for.
    Period,
    /// What kind of file hours are saved as.
    HoursFile,
    /// Why what is found in a month may stand.
    CloseMonth,
    Flag,
    /// What the help is narrowed to.
    Help,
    Palette,
    /// The name that the filter is saved under.
    SaveFilter,
    /// The client that is gone to.
    Client,
    /// The number of closes that is to be confirmed.
    Confirm,
    /// The number of changes that a brake withholds, to let them through.
    Release(Allowance),
    /// The number of changes that all brakes withhold in the undo of a run.
    ReleaseAll,
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
    /// The chosen line of the palette, or how far what lies over the tab is scrolled.
    pub(crate) line: usize,
    /// The row that the cursor was on.
    pub(crate) from: u32,
    /// Why what was typed is not taken.
    pub(crate) refused: Shown,
}

impl PartialEq for Prompt {
    fn eq(&self, other: &Self) -> bool {
        let typed = |Self { purpose, input, line, from, refused }: &Self| {
            (*purpose, input.value().to_owned(), input.cursor(), *line, *from, refused.clone())
        };
        typed(self) == typed(other)
    }
}

/// Asks for a line.
pub(crate) fn ask(state: &mut State, purpose: Purpose, text: &str) {
    let input = Input::new(text.to_owned());
    state.prompt = Some(Prompt { purpose, input, line: 0, from: state.reviewing.cursor, refused: Shown::default() });
}
