//! What asks for runs, and what becomes of it: any number of calls are one run under way and one that waits.
//!
//! A call only marks work as due. What it says beside that decides nothing: the run that follows reads both sides.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{journal::RunId, reach::Extent, report::Ending, text::Shown};

/// Columns of a person's name in a run's trigger.
const NAME_COLUMNS: usize = 40;
/// Callers that a run's trigger names.
const CAUSES_NAMED: usize = 3;
/// The first wait after a run that failed; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_mins(1);
/// The longest such wait.
const RETRY_MAX: Duration = Duration::from_hours(1);

/// How far a run goes by itself.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    /// It writes nothing: every change waits for a person.
    Plan,
    /// It makes what policy approves.
    #[default]
    Apply,
}

impl From<Mode> for Extent {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Plan => Self::PLAN,
            Mode::Apply => Self::EVERYTHING,
        }
    }
}

/// What asks for a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An earlier run was cut off.
    Resume,
    /// An earlier run failed of something that may be over.
    Retry,
    /// It is time.
    Schedule,
    /// Somebody at this machine wants it now.
    Person(String),
    /// Somebody called, by this name in the configuration.
    Caller(String),
}

impl Cause {
    fn words(&self) -> String {
        match self {
            Self::Resume => "resume".to_owned(),
            Self::Retry => "retry".to_owned(),
            Self::Schedule => "schedule".to_owned(),
            Self::Person(by) => format!("asked by {}", Shown::of(by).clipped(NAME_COLUMNS)),
            Self::Caller(name) => format!("webhook {name}"),
        }
    }
}

/// A run that was asked for, under the name that it will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub run: RunId,
    /// As far as those who asked may have it go, each for their own.
    pub extent: Extent,
    pub causes: BTreeSet<Cause>,
}

impl Ticket {
    /// What starts it, in words.
    pub fn trigger(&self) -> String {
        let named: Vec<String> = self.causes.iter().take(CAUSES_NAMED).map(Cause::words).collect();
        match self.causes.len().saturating_sub(CAUSES_NAMED) {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

/// At most one run under way, and at most one that waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    running: Option<RunId>,
    waiting: Option<Ticket>,
}

impl Queue {
    /// Asks for a run, and says which one will do: one that has not begun yet, since whatever begins later sees what
    /// the call was about.
    pub fn ask(&mut self, cause: Cause, extent: &Extent, name: impl FnOnce() -> RunId) -> RunId {
        let nothing = || Ticket { run: name(), extent: Extent::default(), causes: BTreeSet::new() };
        let waiting = self.waiting.get_or_insert_with(nothing);
        waiting.extent = std::mem::take(&mut waiting.extent).join(extent);
        waiting.causes.insert(cause);
        waiting.run
    }

    /// The run that is to begin now, unless another one is under way.
    pub fn begin(&mut self) -> Option<Ticket> {
        if self.running.is_some() {
            return None;
        }
        let ticket = self.waiting.take()?;
        self.running = Some(ticket.run);
        Some(ticket)
    }

    /// The run under way has ended.
    pub fn end(&mut self) {
        self.running = None;
    }

    /// The run under way.
    pub fn running(&self) -> Option<RunId> {
        self.running
    }

    /// The run that waits.
    pub fn waiting(&self) -> Option<&Ticket> {
        self.waiting.as_ref()
    }
}

/// True where running again may end better than this, without anybody doing something about it.
pub fn is_passing(ending: Ending) -> bool {
    match ending {
        Ending::OutOfBudget | Ending::Interrupted | Ending::Incomplete => true,
        Ending::InSync
        | Ending::Applied
        | Ending::Pending
        | Ending::Braked
        | Ending::Unknown
        | Ending::Failed
        | Ending::Refused => false,
    }
}

/// How long to wait after so many failures in a row, from 1.
pub fn retry_after(failures: u32) -> Duration {
    RETRY_FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(n: u32) -> RunId {
        format!("run-{n}").parse().expect("a name")
    }

    fn caller(name: &str) -> Cause {
        Cause::Caller(name.to_owned())
    }

    #[test]
    fn a_thousand_calls_are_one_run_under_way_and_one_that_waits() {
        let mut queue = Queue::default();
        let mut names = (1..).map(run);
        let mut name = || names.next().expect("endless");
        assert_eq!(queue.ask(caller("a"), &Extent::EVERYTHING, &mut name), run(1));
        assert_eq!(queue.begin().map(|ticket| ticket.run), Some(run(1)));

        for n in 0..1000 {
            assert_eq!(queue.ask(caller(&format!("c{}", n % 7)), &Extent::EVERYTHING, &mut name), run(2));
            assert_eq!(queue.begin(), None, "one is under way");
        }

        queue.end();
        let second = queue.begin().expect("it waits");
        assert_eq!(second.trigger(), "webhook c0, webhook c1, webhook c2 and 4 more");
        queue.end();
        assert_eq!(queue.begin(), None);
        assert_eq!(queue, Queue::default());
    }

    #[test]
    fn who_may_only_plan_holds_back_nobody_and_widens_nothing() {
        let mut queue = Queue::default();
        queue.ask(caller("looks"), &Extent::PLAN, || run(1));
        assert_eq!(queue.waiting().map(|ticket| &ticket.extent), Some(&Extent::PLAN));
        queue.ask(Cause::Schedule, &Extent::EVERYTHING, || run(2));
        queue.ask(caller("looks"), &Extent::PLAN, || run(3));

        let ticket = queue.begin().expect("it waits");

        assert_eq!(
            (ticket.run, &ticket.extent, ticket.trigger()),
            (run(1), &Extent::EVERYTHING, "schedule, webhook looks".to_owned())
        );
        queue.ask(caller("looks"), &Extent::PLAN, || run(4));
        queue.end();
        assert_eq!(queue.begin().map(|ticket| ticket.extent), Some(Extent::PLAN));
    }

    #[test]
    fn failures_are_waited_out_longer_and_longer_but_never_for_ever() {
        let minutes: Vec<u64> =
            [1, 2, 3, 6, 7, 8, u32::MAX].map(|failures| retry_after(failures).as_secs() / 60).into();
        assert_eq!(minutes, [1, 2, 4, 32, 60, 60, 60]);
    }
}
