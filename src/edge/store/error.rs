//! Why a state cannot be used, and what to do about it.

use std::path::Path;

use rusqlite::ErrorCode;

#[cfg(feature = "postgres")]
use super::postgres;
use super::{Holder, Place, backups::backups};
use crate::domain::journal::Illegal;

/// The state could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another run is under way.
    #[error(
        "another run holds the lock {lock} ({})",
        holder.as_ref().map_or_else(|| "it did not say who it is".to_owned(), ToString::to_string)
    )]
    Locked {
        /// The lock file, or the server.
        lock: String,
        /// Who holds it, if it has said so.
        holder: Option<Box<Holder>>,
    },
    /// The state is damaged, newer than this program, full, not there, or not ours to write.
    #[error("the state {place} cannot be used: {because}")]
    Unusable {
        /// The file, directory or server.
        place: String,
        /// Why.
        because: String,
        /// What to do about it.
        hint: String,
    },
    /// The server does not let us in, or not as far as is needed.
    #[error("the state {place} cannot be used: {because}")]
    Refused {
        /// The server.
        place: String,
        /// Why.
        because: String,
        /// What to do about it.
        hint: String,
    },
    /// A mistake in this program.
    #[error("failed to use the state {place}: {because}; this is a bug in punchlist")]
    Bug {
        /// The file or server.
        place: String,
        /// What went wrong.
        because: String,
    },
}

impl StoreError {
    pub(super) fn bug(place: &Place, because: impl Into<String>) -> Self {
        Self::Bug { place: place.to_string(), because: because.into() }
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Locked { .. } => "run again when it has ended, or wait for that: --lock-timeout SECONDS",
            Self::Unusable { hint, .. } | Self::Refused { hint, .. } => hint,
            Self::Bug { .. } => "nothing was written; please report it with the log",
        }
    }
}

pub(super) fn unusable(place: impl Into<Place>, because: impl Into<String>, hint: impl Into<String>) -> StoreError {
    StoreError::Unusable { place: place.into().to_string(), because: because.into(), hint: hint.into() }
}

/// For `map_err`: what the file system said.
pub(super) fn failed(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |error| unusable(path, error.to_string(), "check the path, its permissions and the space on its disk")
}

/// What can go wrong inside, before it is told which file it went wrong with.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    /// There is no room.
    #[error("the disk is full")]
    Full,
    /// The server has not answered for too long.
    #[cfg(feature = "postgres")]
    #[error("the server does not answer")]
    Silent,
    /// The right to run has run out.
    #[cfg(feature = "postgres")]
    #[error("the right to run has run out")]
    Lost,
    #[error("{0}")]
    Stored(String),
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error("{0}")]
    Bug(String),
}

/// What to do about a damaged state.
pub(super) fn hint_damaged(file: &Path) -> String {
    let again = "`punchlist doctor rebuild` sets it aside and finds all links again, by the IDs in Notion and the markers in Clockify";
    match backups(file).first() {
        Some(copy) => format!("{again}; or put its latest copy in its place: {}", copy.display()),
        None => again.to_owned(),
    }
}

impl Fault {
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(ErrorCode::DiskFull),
            fault => matches!(fault, Self::Full),
        }
    }

    pub(super) fn explained(self, place: &Place) -> StoreError {
        let unusable = |because: String, hint: &str| unusable(place.clone(), because, hint);
        let damaged = |because: String| match place {
            Place::Directory(file) => unusable(because, &hint_damaged(file)),
            #[cfg(feature = "postgres")]
            Place::Server(_) => unusable(because, postgres::HINT_DAMAGED),
        };
        let full =
            || unusable("the disk is full".into(), "free some space and run again; what was under way is taken up");
        let error = match self {
            Self::Sqlite(error) => error,
            #[cfg(feature = "postgres")]
            Self::Postgres(error) => return postgres::explained(&error, place),
            Self::Full => return full(),
            #[cfg(feature = "postgres")]
            Self::Silent => return unusable("the server does not answer".into(), postgres::HINT_AWAY),
            #[cfg(feature = "postgres")]
            Self::Lost => {
                let because =
                    "this process was away for longer than its right to run lasts, and another may run by now";
                return unusable(because.into(), "run again: what was under way is taken up");
            }
            Self::Stored(because) => return damaged(format!("it holds what punchlist does not write ({because})")),
            Self::Illegal(illegal) => return damaged(format!("it holds what punchlist does not write ({illegal})")),
            Self::Bug(because) => return StoreError::bug(place, because),
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => damaged(format!("it is damaged ({error})")),
            // Statements that have worked a thousand times do not fit what is there: what is there has changed.
            Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
                damaged(format!("it holds what punchlist does not write ({error})"))
            }
            None if is_of_content(&error) => damaged(format!("it holds what punchlist does not write ({error})")),
            Some(ErrorCode::DiskFull) => full(),
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::AuthorizationForStatementDenied,
            ) => unusable(
                format!("it may not be read or written ({error})"),
                "check who owns the directory and its permissions; where those are right, it is damaged: `punchlist doctor rebuild`",
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                unusable(
                    format!("another program keeps it busy ({error})"),
                    "close what else has the file open, e.g. a backup or sqlite3",
                )
            }
            Some(ErrorCode::SystemIoFailure) => unusable(
                format!("the disk failed ({error})"),
                "check the disk; keep the state on a local one; where that is well, it is damaged: `punchlist doctor rebuild`",
            ),
            _ => StoreError::bug(place, error.to_string()),
        }
    }
}

/// True for what only a value that is stored otherwise than it should be can bring about.
fn is_of_content(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
            | Error::QueryReturnedNoRows
            | Error::SqlInputError { .. }
    )
}
