//! Why a run ended without a report.

use crate::{
    domain::{model::Service, reach::NoClient},
    edge::{clockify, notion, store::StoreError},
};

/// Why a run ended without a report.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Notion could not be read.
    #[error(transparent)]
    Notion(notion::Error),
    /// Clockify could not be read.
    #[error(transparent)]
    Clockify(#[from] clockify::Error),
    /// The state could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody asked for a stop.
    #[error("{0}")]
    Stopped(&'static str),
    /// Several things are wrong before anything could be read; each is said.
    #[error("{} things are wrong", .0.len())]
    Several(Vec<SessionError>),
    /// A run is for a client that is not there.
    #[error(transparent)]
    NoClient(NoClient),
    /// The credentials are those of another workspace than before.
    #[error("{service} shows the workspace {now}, but this state belongs to {before}")]
    OtherIdentity {
        /// Where.
        service: Service,
        /// The workspace that the state belongs to.
        before: String,
        /// The workspace that is seen now.
        now: String,
    },
}

impl From<notion::Error> for SessionError {
    fn from(error: notion::Error) -> Self {
        use notion::Error::{Mapping, SchemaChanged};
        let each = |misfits: Vec<_>, wrap: fn(Vec<notion::Misfit>) -> notion::Error| {
            Self::several(misfits.into_iter().map(|misfit| Self::Notion(wrap(vec![misfit]))))
        };
        match error {
            Mapping(misfits) => each(misfits, Mapping),
            SchemaChanged(misfits) => each(misfits, SchemaChanged),
            error => Self::Notion(error),
        }
    }
}

impl SessionError {
    /// All that is wrong, in its order, each cause once.
    pub(super) fn several(errors: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = Vec::new();
        let each = errors.into_iter().flat_map(|error| match error {
            Self::Several(errors) => errors,
            error => vec![error],
        });
        for error in each {
            if !all.iter().any(|known| known.has_cause_of(&error)) {
                all.push(error);
            }
        }
        if all.len() == 1 { all.remove(0) } else { Self::Several(all) }
    }

    /// True where the other one says no more than this: every request is refused that is made with a token that is.
    pub(super) fn has_cause_of(&self, other: &Self) -> bool {
        use notion::Error::{Budget, Elsewhere, Failed, Refused};
        let (Self::Notion(one), Self::Notion(other)) = (self, other) else { return false };
        match (one, other) {
            (Refused { failure: one, .. }, Refused { failure: other, .. }) => one == other,
            (Elsewhere { .. }, Elsewhere { .. }) | (Budget { .. }, Budget { .. }) | (Failed { .. }, Failed { .. }) => {
                true
            }
            _ => one == other,
        }
    }
}
