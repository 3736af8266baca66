//! How an apply goes on, put together from the journal's events.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::stepped;
use crate::domain::{
    journal::{Event, What, WriteId},
    model::{Kind, PageId, Service},
    plan::{Action, ChangeId, Hourly},
    report::Report,
    review::Approved,
    text::Shown,
};

/// Lines that are kept.
const LINES_MAX: usize = 500;
/// Changes that must have ended before a rate is worth telling.
const SAMPLES_MIN: usize = 5;
/// Columns of a name in a line.
const NAME_COLUMNS: usize = 48;

/// What has become of one sort of change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) all: usize,
    pub(crate) applied: usize,
    pub(crate) failed: usize,
    pub(crate) not_started: usize,
}

impl Stage {
    /// How many have ended.
    pub(crate) fn done(self) -> usize {
        self.applied + self.failed
    }
}

/// How one line of the story ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Applied,
    Failed,
    Begun,
    NotStarted,
}

/// One line of the story.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    pub(crate) mark: Mark,
    pub(crate) text: Shown,
}

/// For how long a request waits for its turn, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) service: Service,
    pub(crate) until: Timestamp,
    /// So many in some time; nothing where the service asked for the wait.
    pub(crate) limit: Option<(usize, &'static str)>,
}

/// How an apply goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Applying {
    /// What an hourly budget was going to make of it.
    pub(crate) hourly: Option<Hourly>,
    what: BTreeMap<ChangeId, (Action, Kind, Shown)>,
    /// The pages of all that was approved.
    pub(crate) pages: HashSet<PageId>,
    /// In the order in which they are done.
    pub(crate) stages: BTreeMap<(bool, Kind, Action), Stage>,
    pub(crate) total: Stage,
    /// Writes that left and were not answered yet.
    pub(crate) in_flight: BTreeSet<WriteId>,
    /// Requests that wait for their turn: for whom, until when, and for which limit.
    pub(crate) queued: Vec<Wait>,
    pub(crate) stopping: bool,
    pub(crate) only_failures: bool,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// How often a service asked to wait, and for how many seconds in all.
    pub(crate) throttled: (usize, u64),
    pub(crate) lines: Vec<Line>,
    pub(crate) scroll: usize,
    /// True while the newest line is followed.
    pub(crate) follows: bool,
    /// What came of it.
    pub(crate) report: Option<Report>,
}

impl Applying {
    /// What was approved, of which nothing is done yet.
    pub(crate) fn new(approved: &Approved, now: Timestamp) -> Self {
        let mut applying = Self { started: Some(now), follows: true, ..Self::default() };
        for change in approved.changes() {
            let action = change.proposal.action;
            applying.stages.entry(stage(action, change.kind)).or_default().all += 1;
            applying.total.all += 1;
            let name = Shown::of(change.name.canonical().as_str()).clipped(NAME_COLUMNS);
            applying.pages.insert(change.page);
            applying.what.insert(change.id, (action, change.kind, name));
        }
        applying
    }

    /// Takes an event in.
    pub(crate) fn happened(&mut self, event: &Event) {
        let (change, mark, rest) = match &event.what {
            // What goes along with another write is no request of its own.
            What::Intent { write, trace, .. } => {
                self.in_flight.extend(trace.with.is_none().then_some(*write));
                return;
            }
            What::Outcome { write, .. } => {
                self.in_flight.remove(write);
                return;
            }
            What::Applied { change } => (change, Mark::Applied, String::new()),
            What::Failed { change, error, hint } => (change, Mark::Failed, format!(": {error}; {hint}")),
            What::Begun { change, because } => (change, Mark::Begun, format!(": {because}")),
            What::NotStarted { change, because } => (change, Mark::NotStarted, format!(": {because}")),
            _ => return,
        };
        let text = match self.what.get(change) {
            Some((action, kind, name)) => {
                let of_stage = self.stages.entry(stage(*action, *kind)).or_default();
                for counted in [of_stage, &mut self.total] {
                    counted.applied += usize::from(mark == Mark::Applied);
                    counted.failed += usize::from(mark == Mark::Failed);
                    counted.not_started += usize::from(matches!(mark, Mark::Begun | Mark::NotStarted));
                }
                format!("{action} {kind} “{name}”{rest}")
            }
            None => format!("{change}{rest}"),
        };
        self.lines.push(Line { at: event.at, mark, text: text.into() });
        let over = self.lines.len().saturating_sub(LINES_MAX);
        self.lines.drain(..over);
        if self.follows {
            self.scroll = self.lines.len().saturating_sub(1);
        }
    }

    /// A request has to wait.
    pub(crate) fn wait(&mut self, turn: Wait, now: Timestamp) {
        self.queued.retain(|turn| turn.until > now);
        self.queued.push(turn);
    }

    /// Of each service, what is waited for next.
    pub(crate) fn waits(&self, now: Timestamp) -> Vec<Wait> {
        let next = |service| {
            let of_service = self.queued.iter().filter(|wait| wait.service == service && wait.until > now);
            of_service.min_by_key(|wait| wait.until).copied()
        };
        [Service::Notion, Service::Clockify].into_iter().filter_map(next).collect()
    }

    /// Writes that are on their way; one that waits for its turn has not left yet.
    pub(crate) fn on_their_way(&self, now: Timestamp) -> usize {
        self.in_flight.len().saturating_sub(self.queued.iter().filter(|turn| turn.until > now).count())
    }

    /// Lines that are wanted on screen.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !self.only_failures || line.mark != Mark::Applied)
    }

    /// Scrolls by so many lines.
    pub(crate) fn go(&mut self, by: isize) {
        // A report stands above the story, and its long lines take several rows.
        let report =
            self.report.as_ref().map_or(0, |report| 8 + 2 * (report.failures.len() + report.not_started.len()));
        let lines = self.shown().count() + report;
        self.scroll = stepped(self.scroll, by, lines);
        self.follows = self.scroll + 1 >= lines;
    }

    /// Seconds since it began, until now or its end.
    pub(crate) fn seconds(&self, now: Timestamp) -> u64 {
        let end = self.ended.unwrap_or(now);
        self.started.map_or(0, |started| u64::try_from(end.duration_since(started).as_secs()).unwrap_or_default())
    }

    /// Changes that end in a second, and the seconds that the rest takes at that rate; nothing until there is enough to
    /// go by.
    pub(crate) fn rate(&self, now: Timestamp) -> Option<(f64, u64)> {
        let (done, seconds) = (self.total.done(), self.seconds(now));
        if done < SAMPLES_MIN || seconds == 0 {
            return None;
        }
        let left = self.total.all.saturating_sub(done) as u64;
        Some((done as f64 / seconds as f64, (left * seconds).div_ceil(done as u64)))
    }
}

/// Closes come last; otherwise parents come first.
fn stage(action: Action, kind: Kind) -> (bool, Kind, Action) {
    (action == Action::Close, kind, action)
}
