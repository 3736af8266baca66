//! The tabs. Each has its state, its rows of the key table, what its commands do and its view in a module of its own; another one is a
//! variant here beside that, and its state in the console's.

pub(crate) mod apply;
pub(crate) mod logs;
pub(crate) mod review;
pub(crate) mod runs;

use ratatui::{Frame, layout::Rect};

use super::{
    command::{Command, Row},
    keymap::Keymap,
    state::State,
    update::Effect,
    view::Hits,
};

/// The tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tab {
    Review,
    Apply,
    Logs,
    Runs,
}

/// What a tab consists of.
pub(crate) struct Parts {
    pub(crate) title: fn(&State) -> String,
    /// Its rows of the key table.
    pub(crate) rows: &'static [Row],
    /// What is to be done when somebody comes to it.
    pub(crate) open: fn(&mut State) -> Option<Effect>,
    /// Does what a command asks for there; what means the same in every tab is left to `anywhere`.
    pub(crate) act: fn(&mut State, Command) -> Option<Effect>,
    /// Moves by so many rows.
    pub(crate) go: fn(&mut State, isize),
    /// Puts the cursor on a row that was clicked.
    pub(crate) put: fn(&mut State, usize),
    pub(crate) draw: fn(&State, &Keymap, &mut Frame<'_>, Rect, &mut Hits),
}

impl Tab {
    /// In the order of the screen.
    pub(crate) const ALL: [Self; 4] = [Self::Review, Self::Apply, Self::Logs, Self::Runs];

    /// What it consists of.
    pub(crate) fn parts(self) -> &'static Parts {
        match self {
            Self::Review => &review::TAB,
            Self::Apply => &apply::TAB,
            Self::Logs => &logs::TAB,
            Self::Runs => &runs::TAB,
        }
    }
}

/// A place in a list, so many further on.
pub(crate) fn stepped(from: usize, by: isize, length: usize) -> usize {
    from.saturating_add_signed(by).min(length.saturating_sub(1))
}
