//! The runs that the console lists.

use crate::{domain::journal::RunId, edge::store::RunRecord, engine::served::Seen};

/// What starts a run that only looks, as long as nothing is applied in it.
const LOOKING: [&str; 6] = ["review", "plan", "explain", "hours", "undo", "rebuild"];

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
        let listed = |run: &&RunRecord| self.also_looking || !self.only_looked(run);
        self.all = self.every.iter().filter(listed).cloned().collect();
        self.all.sort_by_key(|run| !wrote(run));
        self.at = 0;
    }

    /// What has no end, and is not of this console, may have written.
    fn only_looked(&self, run: &RunRecord) -> bool {
        let ended = run.end.is_some() || self.own == Some(run.id);
        ended && !wrote(run) && LOOKING.contains(&run.trigger.as_str())
    }
}

/// True where a run is known to have written, or to have tried.
pub(crate) fn wrote(run: &RunRecord) -> bool {
    let report = run.end.as_ref().and_then(|end| end.report.as_ref());
    report.is_some_and(|report| report.applied + report.failed + report.begun.len() + report.statuses > 0)
}
