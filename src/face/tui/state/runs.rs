//! The runs that the console lists.

use crate::{domain::journal::RunId, edge::store::RunRecord, engine::served::Seen, face::text::outcome_words};

/// What starts runs that never write.
const READING: [&str; 5] = ["plan", "explain", "hours", "month verify", "rebuild"];
/// How a run ends that could have written, and did not. One that ended otherwise may have written before it was cut off.
const LOOKED: [&str; 3] = ["reviewed", "planned", "told"];

/// The runs that are listed: those that wrote, latest first, and then those that did not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Runs {
    pub(crate) all: Vec<RunRecord>,
    pub(crate) at: usize,
    /// The daemon of the state, where there is one.
    pub(crate) daemon: Option<Box<Seen>>,
    /// The run of this console.
    pub(crate) own: Option<RunId>,
    /// Whether runs are listed that only looked.
    pub(crate) also_looking: bool,
    every: Vec<RunRecord>,
}

impl Runs {
    /// The run under the cursor.
    pub(crate) fn current(&self) -> Option<&RunRecord> {
        self.all.get(self.at)
    }

    /// Takes all runs in, the latest first, and goes to the latest that wrote.
    pub(crate) fn take(&mut self, every: Vec<RunRecord>) {
        self.every = every;
        self.list();
    }

    /// Lists runs that only looked, too, or leaves them out.
    pub(crate) fn toggle_looking(&mut self) {
        self.also_looking = !self.also_looking;
        self.list();
    }

    /// How many runs are left out.
    pub(crate) fn left_out(&self) -> usize {
        self.every.len() - self.all.len()
    }

    fn list(&mut self) {
        // What has no end may have written, but for what this console is at.
        let is_own = |run: &RunRecord| self.own == Some(run.id) && run.end.is_none();
        let listed = |run: &&RunRecord| self.also_looking || !(only_looked(run) || is_own(run));
        self.all = self.every.iter().filter(listed).cloned().collect();
        self.all.sort_by_key(|run| !wrote(run));
        self.at = 0;
    }
}

/// True where a run has ended and is known to have written nothing, since it was not there for that.
fn only_looked(run: &RunRecord) -> bool {
    let Some(end) = &run.end else { return false };
    let has_looked = || LOOKED.contains(&outcome_words(&end.outcome).as_str());
    !wrote(run) && (READING.contains(&run.trigger.as_str()) || has_looked())
}

/// True where a run is known to have written nothing.
pub(crate) fn wrote_nothing(run: &RunRecord) -> bool {
    let has_report = run.end.as_ref().is_some_and(|end| end.report.is_some());
    only_looked(run) || has_report && !wrote(run)
}

/// True where a run is known to have written, or to have tried.
fn wrote(run: &RunRecord) -> bool {
    let report = run.end.as_ref().and_then(|end| end.report.as_ref());
    report.is_some_and(|report| report.applied + report.failed + report.begun.len() + report.statuses > 0)
}
