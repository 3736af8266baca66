//! Everything that the console shows, and nothing that it does. `update` changes it, `view` reads it.

pub(crate) mod applying;
pub(crate) mod cursor;
pub(crate) mod filter;
pub(crate) mod matching;
pub(crate) mod overlay;
pub(crate) mod pane;
pub(crate) mod prompt;
pub(crate) mod ran;
pub(crate) mod reviewing;
pub(crate) mod runs;
pub(crate) mod subject;
pub(crate) mod timesheet;
pub(crate) mod together;
pub(crate) mod tree;
pub(crate) mod window;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};

use self::{
    applying::Applying, overlay::Overlay, prompt::Prompt, ran::Ran, reviewing::Reviewing, runs::Runs,
    timesheet::Timesheet, window::Logs,
};
use super::{command::Tab, message::Message, stroke::Stroke, theme::Theme};
use crate::{
    domain::{
        model::{Kind, RunId, Service},
        report::Ending,
        text::Shown,
    },
    edge::config::OwnCommand,
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
        /// Why, line by line.
        text: Vec<Shown>,
        /// What the program ends with when nothing else happens.
        code: u8,
    },
}

/// How far both sides have been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) rows: BTreeMap<(Service, Kind), usize>,
    pub(crate) read: BTreeSet<Service>,
    /// Requests so far.
    pub(crate) calls: BTreeMap<Service, usize>,
    /// How much of Clockify's budget of an hour is spent, and how much that is, where there is one.
    pub(crate) of_hour: Option<(usize, usize)>,
    /// True where nobody asked for it: an apply has ended, and the review comes back with what that has left.
    pub(crate) of_rest: bool,
}

impl Reading {
    /// `12 Notion and 5 Clockify calls`, with what is spent of an hour's budget.
    pub(crate) fn cost(&self) -> String {
        let calls = |service| self.calls.get(&service).copied().unwrap_or_default();
        let spent = self.of_hour.map(|(spent, of)| format!(" ({spent} of {of} this hour)")).unwrap_or_default();
        format!("{} Notion and {} Clockify calls{spent}", calls(Service::Notion), calls(Service::Clockify))
    }
}

/// The console.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) size: (u16, u16),
    pub(crate) theme: Theme,
    pub(crate) mouse: bool,
    /// Nothing can be decided or applied.
    pub(crate) read_only: bool,
    pub(crate) now: Timestamp,
    /// The person's, for times on the screen.
    pub(crate) zone: TimeZone,
    pub(crate) ticks: usize,
    pub(crate) phase: Phase,
    pub(crate) reading: Reading,
    pub(crate) tab: Tab,
    pub(crate) reviewing: Reviewing,
    pub(crate) applying: Applying,
    /// The last run that has applied something here, and what came of it.
    pub(crate) applied: Option<(RunId, Ending)>,
    pub(crate) logs: Logs,
    pub(crate) runs: Runs,
    pub(crate) hours: Timesheet,
    /// Programs of the user's.
    pub(crate) own: Vec<OwnCommand>,
    /// What the last of them has said.
    pub(crate) ran: Option<Ran>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) overlay: Option<Overlay>,
    /// One line about what just happened.
    pub(crate) toast: Message,
    pub(crate) strokes: Vec<Stroke>,
}

impl State {
    /// An empty console that waits for both sides.
    pub(crate) fn new(size: (u16, u16), theme: Theme, now: Timestamp) -> Self {
        Self {
            size,
            theme,
            mouse: false,
            read_only: false,
            now,
            zone: TimeZone::UTC,
            ticks: 0,
            phase: Phase::Reading,
            reading: Reading::default(),
            tab: Tab::Review,
            reviewing: Reviewing { who: "person".to_owned(), ..Reviewing::default() },
            applying: Applying::default(),
            applied: None,
            logs: Logs::default(),
            runs: Runs::default(),
            hours: Timesheet::default(),
            own: Vec::new(),
            ran: None,
            prompt: None,
            overlay: None,
            toast: Message::default(),
            strokes: Vec::new(),
        }
    }
}

impl State {
    /// True while something goes on that moves on the screen.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Reading | Phase::Applying) || self.hours.asked.is_some()
    }
}

/// A place in a list, so many further on.
pub(crate) fn stepped(from: usize, by: isize, length: usize) -> usize {
    from.saturating_add_signed(by).min(length.saturating_sub(1))
}
