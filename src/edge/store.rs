//! The state: the registry, the journal, and what waits for a person, in one `SQLite` database.
//!
//! What is localized here: every statement of SQL, the lock, and what to say when the disk or the file fails. One connection, one
//! transaction for each transition. A method that fails has changed nothing; when an append to the journal fails, nothing may be sent.

mod journal;
mod log;
mod open;
mod pending;
mod registry;
mod spare;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::failpoint::{self, Point};
use crate::domain::journal::Illegal;

pub use journal::{RunEnd, RunRecord};
pub use log::{Entity, Entry, Selection, Toward};
pub use open::default_dir;
pub use pending::PendingRow;

/// The state of one installation.
pub struct Store {
    // Declared before the lock, so that the connection is closed before the lock is let go.
    connection: Connection,
    file: PathBuf,
    /// Room that is given up when the disk runs full.
    reserve: Option<PathBuf>,
    _lock: Option<File>,
}

impl Store {
    /// True where there is a state.
    pub fn exists(directory: &Path) -> bool {
        directory.join(open::FILE).exists()
    }

    /// Opens the state in a directory for reading and writing, creates what is missing, and holds the lock until dropped.
    /// `now` is shown to whoever finds the lock taken.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process holds the lock; [`StoreError::Unusable`] where the directory or the database
    /// is damaged, of a newer version, or not ours alone. Nothing is touched then.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, StoreError> {
        open::check_version()?;
        let directory = open::prepare_directory(directory)?;
        let lock = open::take_lock(&directory, now)?;
        let file = directory.join(open::FILE);
        let connection = open::connect(&file)?;
        let reserve = Some(spare::lay_reserve(&directory)?);
        Ok(Self { connection, file, reserve, _lock: Some(lock) })
    }

    /// Opens the state for reading alone: it takes no lock, so views work while another process runs. A directory without state
    /// reads as empty.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] as for [`Store::open`].
    pub fn open_read_only(directory: &Path) -> Result<Self, StoreError> {
        open::check_version()?;
        let file = open::inspect_directory(directory)?.join(open::FILE);
        let connection = open::connect_read_only(&file)?;
        Ok(Self { connection, file, reserve: None, _lock: None })
    }

    /// The database's file, for people.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Recalls what was remembered under a key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn recall<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT value FROM memory WHERE key = ?1")?;
            let value: Option<String> = statement.query_row([key], |row| row.get(0)).optional()?;
            value.map(|value| from_json(&value)).transpose()
        })
    }

    /// Remembers a value under a key, in place of what was there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn remember<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), StoreError> {
        self.write(|transaction| {
            let sql = "INSERT INTO memory (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            transaction.prepare_cached(sql)?.execute((key, to_json(value)?))?;
            Ok(())
        })
    }

    /// Forgets what was remembered under a key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn forget(&mut self, key: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM memory WHERE key = ?1", [key])?;
            Ok(())
        })
    }

    /// What is wrong with a state whose journal this program cannot have written.
    pub fn damaged(&self, illegal: &Illegal) -> StoreError {
        Fault::Stored(illegal.to_string()).explained(&self.file)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        work(&self.connection).map_err(|fault| fault.explained(&self.file))
    }

    /// Does all of the work, or nothing.
    fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        transact(&mut self.connection, work).map_err(|fault| fault.explained(&self.file))
    }
}

fn transact<T>(connection: &mut Connection, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    if failpoint::reach("commit") == Point::DiskFull {
        return Err(Fault::full());
    }
    transaction.commit()?;
    failpoint::reach("committed");
    Ok(result)
}

/// The process that holds the lock, as it described itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// When it took the lock.
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, since } = self;
        write!(formatter, "process {pid} on {host}, since {since:.0}")
    }
}

/// The state could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another run is under way.
    #[error(
        "another run holds the lock {} ({})",
        lock.display(),
        holder.as_ref().map_or_else(|| "it did not say who it is".to_owned(), ToString::to_string)
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// Who holds it, if it has said so.
        holder: Option<Holder>,
    },
    /// The state is damaged, newer than this program, full, or not ours to write.
    #[error("the state {} cannot be used: {because}", path.display())]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        because: String,
        /// What to do about it.
        hint: String,
    },
    /// A mistake in this program.
    #[error("failed to use the state {}: {because}; this is a bug in punchlist", path.display())]
    Bug {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        because: String,
    },
}

impl StoreError {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Locked { .. } => "wait for it to end, or end it, then run again",
            Self::Unusable { hint, .. } => hint,
            Self::Bug { .. } => "nothing was written; please report it with the log",
        }
    }
}

/// What can go wrong inside, before it is told which file it went wrong with.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("an entry cannot be read ({0})")]
    Stored(String),
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error("{0}")]
    Bug(String),
}

/// What to do about a damaged state: the latest copy is named.
fn hint_damaged(file: &Path) -> String {
    match spare::backups(file).first() {
        Some(copy) => format!("move it away and put its latest copy in its place: {}", copy.display()),
        None => "move it away: links are found again by the IDs in Notion and the markers in Clockify".to_owned(),
    }
}

impl Fault {
    /// What `SQLite` says when there is no room.
    fn full() -> Self {
        Self::Sqlite(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None))
    }

    fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }

    fn explained(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        let unusable = |because: String, hint: &str| StoreError::Unusable { path: path.clone(), because, hint: hint.into() };
        let Self::Sqlite(error) = self else {
            return match self {
                Self::Stored(_) => unusable(self.to_string(), &hint_damaged(&path)),
                fault => StoreError::Bug { path, because: fault.to_string() },
            };
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                unusable(format!("it is damaged ({error})"), &hint_damaged(&path))
            }
            Some(ErrorCode::DiskFull) => {
                unusable("the disk is full".into(), "free some space and run again; what was under way is taken up")
            }
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::AuthorizationForStatementDenied,
            ) => unusable(format!("it may not be read or written ({error})"), "check who owns the directory and its permissions"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => unusable(
                format!("another program keeps it busy ({error})"),
                "close what else has the file open, e.g. a backup or sqlite3",
            ),
            Some(ErrorCode::SystemIoFailure) => {
                unusable(format!("the disk failed ({error})"), "check the disk; keep the state on a local one")
            }
            _ => StoreError::Bug { path, because: error.to_string() },
        }
    }
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Bug(format!("a value cannot be stored: {error}")))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Stored(error.to_string()))
}

/// The word that a value without content is stored as, the same as in JSON but without quotes.
fn to_word<T: Serialize>(value: &T) -> Result<String, Fault> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Fault::Bug("a value that is no word cannot be stored as one".into())),
    }
}

fn from_word<T: DeserializeOwned>(word: String) -> Result<T, Fault> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| Fault::Stored(error.to_string()))
}

fn to_time(milliseconds: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(milliseconds).map_err(|error| Fault::Stored(error.to_string()))
}
