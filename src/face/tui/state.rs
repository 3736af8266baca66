//! Everything that the console shows, and nothing that it does. `update` changes it, `view` reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use tui_input::Input;

use super::{
    keymap::Keymap,
    stroke::Stroke,
    tab::{Tab, apply::applying::Applying, logs::window::Logs, review::reviewing::Reviewing, runs::Runs},
    theme::Theme,
};
use crate::domain::{
    model::{Field, Kind, Service},
    rules::Allowance,
};

/// What is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Both sides are being read.
    Reading,
    /// There is a plan, or a report.
    Ready,
    /// Approved changes are being applied.
    Applying,
    /// Reading failed, or was stopped.
    Failed {
        /// Why, safe to show.
        text: String,
        /// What the program ends with when nothing else happens.
        code: u8,
    },
}

/// What text is being typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Search,
    Filter,
    /// What is looked for in the log.
    LogFilter,
    Flag,
    Palette,
    /// The number of closes that is to be confirmed.
    Confirm,
    /// The number of changes that a brake withholds, to let them through.
    Release(Allowance),
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
    /// The chosen line of the palette.
    pub(crate) line: usize,
    /// The row that the cursor was on.
    pub(crate) from: u32,
    /// Why what was typed is not taken, safe to show.
    pub(crate) refused: String,
}

/// What lies over the tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Popup {
    Help {
        scroll: u16,
    },
    /// The ways to mend a change, with the chosen line.
    Resolve {
        change: usize,
        /// Nothing where it is a conflict that nobody has resolved: it has no default.
        line: Option<usize>,
    },
    /// What can be copied, with the chosen line.
    Copy {
        line: usize,
    },
    /// Apply what is approved? Without closes, Enter is enough.
    Confirm,
}

/// How far both sides have been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) rows: BTreeMap<(Service, Kind), usize>,
    pub(crate) read: BTreeSet<Service>,
}

/// The console.
pub(crate) struct State {
    pub(crate) size: (u16, u16),
    pub(crate) theme: Theme,
    pub(crate) keymap: Arc<Keymap>,
    pub(crate) mouse: bool,
    pub(crate) now: Timestamp,
    pub(crate) ticks: usize,
    pub(crate) phase: Phase,
    pub(crate) reading: Reading,
    pub(crate) tab: Tab,
    pub(crate) reviewing: Reviewing,
    pub(crate) applying: Applying,
    pub(crate) logs: Logs,
    pub(crate) runs: Runs,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) popup: Option<Popup>,
    /// One line about what just happened.
    pub(crate) toast: String,
    pub(crate) strokes: Vec<Stroke>,
}

impl State {
    /// An empty console that waits for both sides.
    pub(crate) fn new(size: (u16, u16), theme: Theme, now: Timestamp) -> Self {
        Self {
            size,
            theme,
            keymap: Arc::default(),
            mouse: false,
            now,
            ticks: 0,
            phase: Phase::Reading,
            reading: Reading::default(),
            tab: Tab::Review,
            reviewing: Reviewing { who: "person".to_owned(), ..Reviewing::default() },
            applying: Applying::default(),
            logs: Logs::default(),
            runs: Runs::default(),
            prompt: None,
            popup: None,
            toast: String::new(),
            strokes: Vec::new(),
        }
    }
}
