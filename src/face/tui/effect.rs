//! What the console asks for outside of itself.

use std::sync::Arc;

use super::{
    outside::Copied,
    own::Job,
    state::{matching::Query, timesheet::TimeOrder, window::Question},
};
use crate::{
    domain::{
        hours::document::Document,
        journal::RunId,
        model::PageId,
        plan::Plan,
        review::{Approved, Unworded},
        rules::Allowance,
    },
    face::hours::FileType,
};

/// What the loop has to do outside.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Leave at once, even in the middle of an apply.
    Quit,
    /// Stop reading, or stop applying between writes.
    Stop,
    /// Give the worker an order.
    Order(Order),
    /// Look at the past.
    Look(Page),
    /// Keep a filter under a name in the configuration.
    SaveFilter {
        name: String,
        text: String,
    },
    /// Run a program of the user's.
    Start(Job),
    Copy(Copied),
    Open(String),
    Mouse(bool),
    Redraw,
    Suspend,
}

/// What the worker is asked for.
#[derive(Debug)]
pub(crate) enum Order {
    /// Read both sides again.
    Read,
    /// Read both sides again, and plan the undo of a run.
    Undo(RunId),
    Apply(Approved),
    /// Say what applying this would cost, and when it would be done; the how manieth time that is asked.
    Estimate(Approved, u64),
    /// Keep decisions in the state; which time it is that some are handed over.
    Keep(Unworded<Arc<Plan>>, u64),
    /// Say that this console is on a client, or is not any more.
    Reserve(PageId, bool),
    /// Plan again with brakes released, on what was read.
    Release(Vec<Allowance>),
    /// Look through the plan.
    Match(Query),
    /// Read what was tracked, or close a month.
    Time(TimeOrder),
}

impl Order {
    /// True for those that decide, apply or seal something.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Apply(_)
            | Self::Keep(..)
            | Self::Reserve(..)
            | Self::Release(_)
            | Self::Time(TimeOrder::Close { .. }) => true,
            Self::Read | Self::Undo(_) | Self::Estimate(..) | Self::Match(_) | Self::Time(_) => false,
        }
    }
}

/// What of the past is looked at.
#[derive(Debug)]
pub(crate) enum Page {
    Runs,
    /// The daemon is asked for a run, in somebody's name.
    RunNow(String),
    Log(Question),
    Export(String),
    /// Save hours as a file of some kind.
    SaveHours(Box<Document>, FileType),
}
