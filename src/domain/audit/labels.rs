//! What an entry is filed under, so that it is found without reading every body.

use jiff::Timestamp;

use super::Level;
use crate::domain::{
    journal::{Difference, Event, Outcome, RunId, What, Write, WriteId},
    model::{ObjectId, PageId},
    plan::ChangeId,
};

/// What an entry is filed under. It follows from the events alone, so that a label that was changed is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    pub run: RunId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The word for what happened.
    pub kind: &'static str,
    /// How much it matters.
    pub level: Level,
    /// The page that it is about.
    pub page: Option<PageId>,
    /// The object that it is about.
    pub object: Option<ObjectId>,
    /// The change that it is about, where it is one.
    pub change: Option<ChangeId>,
}

impl Labels {
    /// The labels of an event; `about` is what [`refers`] refers to.
    pub fn of(event: &Event, about: About) -> Self {
        let About { page, object } = about;
        let change = match &event.what {
            What::Difference(difference) => Some(&difference.change),
            What::Intent { changes, .. } if changes.len() == 1 => changes.first(),
            what => change_of(what),
        };
        let level = Level::of(&event.what);
        let at_ms = Timestamp::as_millisecond(event.at);
        Self { run: event.run, at_ms, kind: event.what.word(), level, page, object, change: change.copied() }
    }
}

/// The change that an event tells of, which a difference has told before.
pub fn change_of(what: &What) -> Option<&ChangeId> {
    match what {
        What::Decided { change, .. }
        | What::DecisionOvertaken { change, .. }
        | What::DecisionEnded { change, .. }
        | What::DifferenceEnded { change, .. }
        | What::Approved { change, .. }
        | What::Applied { change }
        | What::Failed { change, .. }
        | What::Begun { change, .. }
        | What::NotStarted { change, .. } => Some(change),
        _ => None,
    }
}

/// The page and the object that an event is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub page: Option<PageId>,
    pub object: Option<ObjectId>,
}

/// Where it says what an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refers<'a> {
    /// In the event itself, if it is about something.
    Itself(About),
    /// In the intent of this write of the same run; the answer may name the object.
    Write(WriteId, Option<ObjectId>),
    /// In the difference of this change, found in the same run.
    Change(&'a ChangeId),
}

/// Where it says what an event is about.
pub fn refers(what: &What) -> Refers<'_> {
    let itself = |page, object| Refers::Itself(About { page, object });
    match what {
        What::Difference(difference) => {
            let Difference { page, object, .. } = difference.as_ref();
            itself(Some(*page), *object)
        }
        What::Decided { page, .. }
        | What::DecisionOvertaken { page, .. }
        | What::DecisionEnded { page, .. }
        | What::DifferenceEnded { page, .. } => itself(Some(*page), None),
        What::Approved { change, .. }
        | What::Applied { change }
        | What::Failed { change, .. }
        | What::Begun { change, .. }
        | What::NotStarted { change, .. } => Refers::Change(change),
        What::Intent { request, .. } => {
            let object = match request {
                Write::Update { object, .. } => Some(*object),
                Write::Create { .. } | Write::WriteBack { .. } | Write::Refile { .. } => None,
            };
            itself(Some(request.page()), object)
        }
        What::Called { page, .. } => itself(*page, None),
        What::ForeignRun { page, object, .. } => itself(Some(*page), Some(*object)),
        What::Linked { page, object, former, .. } => itself(Some(*page), object.or(*former)),
        What::Outcome { write, outcome } => {
            let object = if let Outcome::Done { object } = outcome { *object } else { None };
            Refers::Write(*write, object)
        }
        What::RunStarted { .. }
        | What::ConfigurationChanged { .. }
        | What::SecretRead { .. }
        | What::LockBroken { .. }
        | What::StateMoved { .. }
        | What::SecretRefused { .. }
        | What::SecretReplaced { .. }
        | What::Fetched { .. }
        | What::Planned { .. }
        | What::Braked { .. }
        | What::Released { .. }
        | What::Halted { .. }
        | What::Exchange { .. }
        | What::Exchanges { .. }
        | What::Cut { .. }
        | What::MonthSealed { .. }
        | What::MonthReopened { .. }
        | What::RunEnded { .. } => itself(None, None),
    }
}
