//! What the console is told by those that it asked.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::state::{
    matching::{Matches, SearchMode},
    ran::Ran,
    timesheet::TimeNews,
    window::Answer,
};
use crate::{
    domain::{
        model::PageId,
        plan::{ChangeId, Estimate, Plan},
        report::Report,
        reservation::Reservation,
        review::{Overtaken, Remembered},
        text::Shown,
    },
    edge::store::RunRecord,
    engine::{served::Seen, session::Progress},
};

/// What the worker tells, and what is found of the past.
pub(crate) enum News {
    Progress(Progress),
    /// Since when changes wait that runs have left for a person.
    Waiting(HashMap<ChangeId, Timestamp>),
    Planned {
        plan: Arc<Plan>,
        /// What was said earlier, of this plan's changes and of others.
        remembered: Vec<Remembered>,
        at: Timestamp,
    },
    /// Decisions were kept that were handed over at a time, and at those before.
    Kept {
        number: u64,
        /// But for these.
        overtaken: Vec<Overtaken>,
    },
    /// What people say by now about the plan's changes and others, and who is on which client.
    Others {
        remembered: Vec<Remembered>,
        reserved: Vec<Reservation>,
        /// The clients that this console is on.
        own: BTreeSet<PageId>,
    },
    /// Reading failed: why, line by line.
    Failed {
        text: Vec<Shown>,
        code: u8,
    },
    /// Another run holds the lock, so that nothing was done.
    Refused(Shown),
    Applied(Box<Report>),
    /// What applying what was approved would cost, and the how manieth time that was asked.
    Estimated {
        number: u64,
        estimate: Estimate,
    },
    Matched {
        mode: SearchMode,
        number: u64,
        matches: Matches,
    },
    /// The runs, and the daemon where there is one.
    Runs(Vec<RunRecord>, Option<Box<Seen>>),
    /// What came of what was asked about tracked time.
    Time(Box<TimeNews>),
    /// What the log answers.
    Log(Box<Answer>),
    /// The log has no answer.
    NoLog {
        number: u64,
        because: Shown,
    },
    /// A program of the user's has ended.
    Ran(Ran),
    /// What came of something outside, for the line at the bottom.
    Said(Shown),
}
