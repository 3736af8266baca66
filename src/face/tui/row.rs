//! A row of the key table: what is asked for, with which keys, and when it cannot be had.

use super::{
    command::Command,
    message::Message,
    state::{Phase, State},
};

/// Which part of the help a command is listed in.
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
    pub(crate) const ALL: [Self; 5] = [Self::Decide, Self::Act, Self::Find, Self::Move, Self::View];

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

/// Why a command is off now, if it is.
pub(crate) type Off = fn(&State) -> Option<Message>;

/// One row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// What the configuration calls the command.
    pub(crate) name: &'static str,
    /// Its keys, unless the configuration gives it others: each a sequence of strokes separated by spaces.
    pub(crate) keys: &'static [&'static str],
    pub(crate) command: Command,
    pub(crate) section: Section,
    pub(crate) label: &'static str,
    pub(crate) off: Off,
}

/// A row of the table.
pub(crate) const fn row(
    name: &'static str,
    keys: &'static [&'static str],
    command: Command,
    section: Section,
    label: &'static str,
    off: Off,
) -> Row {
    Row { name, keys, command, section, label, off }
}

/// Never off.
pub(crate) fn on(_: &State) -> Option<Message> {
    None
}

/// Off where the system suspends no programs.
pub(crate) fn suspendable(_: &State) -> Option<Message> {
    cfg!(windows).then(|| "Windows suspends no programs".into())
}

/// Off while something goes on.
pub(crate) fn idle(state: &State) -> Option<Message> {
    match state.phase {
        Phase::Applying => Some("changes are being applied".into()),
        Phase::Reading => Some("both sides are being read".into()),
        Phase::Ready | Phase::Failed { .. } => None,
    }
}
