//! What carrying out needs of both services and of the journal. The simulation is the second implementation of each.

use jiff::Timestamp;

use super::{Readings, Subject};
use crate::domain::{
    journal::{Event, Trace, Write},
    model::{Link, Object, ObjectId, Page, Service},
    text::Shown,
};

/// What a write ended with, when it ended well: what the service holds now.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The object, as the answer shows it.
    pub object: Option<Object>,
    /// The page, as the answer shows it.
    pub page: Option<Page>,
}

/// What a failure is about, and so what else will fail like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Nothing that was sent.
    Nothing,
    /// This row alone, as far as anybody can tell.
    Row,
    /// The service, or requests like this.
    Request,
    /// Who asks, whatever they ask.
    Connection,
}

/// Why a write did not end well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteFailure {
    /// The service refused it; nothing changed.
    #[error("{error}")]
    Refused {
        /// What it said.
        error: Shown,
        /// What to do about it.
        hint: Shown,
        /// What the refusal is about.
        about: About,
    },
    /// The service refused a create, perhaps since the name is taken: by what an earlier try or another machine has
    /// made, too.
    #[error("{error}")]
    PerhapsTaken {
        /// What it said.
        error: Shown,
        /// What to do about it.
        hint: Shown,
    },
    /// The service refused the credentials: nothing else will work either.
    #[error("{error}")]
    Credentials {
        /// What it said.
        error: Shown,
    },
    /// It did not leave this machine.
    #[error("{error}")]
    NotSent {
        /// Why.
        error: Shown,
    },
    /// The budget is used up for longer than we are willing to wait.
    #[error("{error}")]
    OutOfBudget {
        /// How long, and why.
        error: Shown,
    },
    /// Not sent: what it rests on was read too long ago by the time it could leave.
    #[error("what it builds on could not be read shortly enough before")]
    Outdated,
    /// Nobody knows whether it happened.
    #[error("{error}")]
    Unknown {
        /// What went wrong.
        error: Shown,
    },
}

impl WriteFailure {
    /// What it is about; nothing for what is no failure of anybody.
    pub(super) fn about(&self) -> About {
        match self {
            Self::Refused { about, .. } => *about,
            Self::PerhapsTaken { .. } => About::Row,
            Self::Credentials { .. } => About::Connection,
            Self::NotSent { .. } | Self::Unknown { .. } => About::Request,
            Self::OutOfBudget { .. } | Self::Outdated => About::Nothing,
        }
    }
}

/// What looking up a write with an unknown outcome shows.
#[derive(Clone, Debug)]
pub enum Found {
    Happened(Box<Written>),
    /// There is no sign of it.
    Nothing,
    /// Several objects could be it.
    Several(Vec<ObjectId>),
}

impl Found {
    /// What some objects, any of which could be what a create made, mean.
    pub fn of(mut objects: Vec<Object>) -> Self {
        match objects.len() {
            0 => Self::Nothing,
            1 => Self::Happened(Box::new(Written { object: objects.pop(), page: None })),
            _ => Self::Several(objects.into_iter().map(|object| object.id).collect()),
        }
    }
}

/// Both services, as apply needs them. The simulation is the second implementation.
pub trait Target {
    /// True while what was last read of a subject is young enough to build a write on it.
    fn is_fresh(&self, subject: &Subject) -> bool;
    /// Reads subjects of one service again: as many as it pays to read at once, the first ones first. The others are
    /// asked for again.
    fn read(&self, subjects: &[Subject]) -> impl Future<Output = Readings>;
    /// Sends one write, built on the last reading of what it rests on. The creates of new tasks go `along` with that of
    /// their project, in one request: all of it happens, or nothing; the answer shows the project alone.
    fn write(
        &self,
        write: &Write,
        along: &[Write],
        rests_on: Option<Subject>,
    ) -> impl Future<Output = Result<Written, WriteFailure>>;
    /// Looks for what a write would have left behind; the trace tells the object of a create from those of others.
    fn look_up(&self, write: &Write, trace: &Trace) -> impl Future<Output = Result<Found, WriteFailure>>;
    /// How many writes may be on their way to a service at once. Its pace decides how fast they leave; this bounds how
    /// many wait for an answer when something goes wrong.
    fn flights_max(&self, service: Service) -> usize;
    /// The time by Clockify's own clock, which its ids are born by, if it has told it.
    fn now(&self) -> Option<Timestamp>;
}

/// Where events and links are kept. The simulation is the second implementation.
pub trait Journal {
    /// Why nothing can be kept.
    type Error;
    /// Keeps events and links as of a time, all or nothing, on disk before it returns.
    ///
    /// # Errors
    /// Nothing was kept; no write may leave.
    fn append(
        &mut self,
        at: Timestamp,
        events: &[Event],
        links: &[Link],
    ) -> impl Future<Output = Result<(), Self::Error>>;
}
