//! The state: the registry, the journal, and what waits for a person, in one `SQLite` database.
//!
//! What is localized here: every statement of SQL, the lock, and what to say when the disk or the file fails. One
//! connection, one transaction for each transition. A method that fails has changed nothing; when an append to the
//! journal fails, nothing may be sent. What asks it awaits the answer, as that of a database elsewhere would be;
//! `SQLite` answers at once, so nothing is left half way.

#![expect(clippy::unused_async, reason = "who calls must not have to know which database it is")]

mod backups;
mod inspect;
mod journal;
mod lock;
mod log;
mod month;
mod open;
mod pages;
mod pending;
mod presence;
mod registry;
mod reserve;
mod stir;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, ToSql, Transaction, TransactionBehavior, types::ToSqlOutput};
use serde::{Serialize, de::DeserializeOwned};

use self::lock::Lock;
use super::{
    failpoint::{self, Point},
    files,
};
use crate::domain::{
    journal::{Illegal, RunId},
    plan::ChangeId,
};

pub use inspect::{Held, Inspection, inspect, mend};
pub use journal::{Meant, RunEnd, RunRecord};
pub use lock::{Doing, Holder};
pub use log::{Entity, Entry, LISTED, OPEN_DIFFERENCES, Selection, Toward};
pub use open::default_dir;
pub use pages::{Others, PagesRead};
pub use pending::PendingRow;
pub use presence::{Presence, is_served};
pub use stir::Stir;

/// The state of one installation. Anybody may look, and keep what a person has said, each in a transaction of its own;
/// what is read to be planned upon and what is written to the services is for the one process that holds the lock.
pub struct Store {
    // Declared before the lock, so that the connection is closed before the lock is let go.
    connection: Connection,
    file: PathBuf,
    /// Which file that was when it was opened; nothing where it is none.
    identity: Option<(u64, u64)>,
    /// Room that is given up when the disk runs full.
    reserve: Option<PathBuf>,
    lock: Option<Lock>,
}

/// How far a state had come at some time; only good for being compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(i64);

impl Store {
    /// True where there is a state.
    pub fn exists(directory: &Path) -> bool {
        directory.join(open::FILE).exists()
    }

    /// Opens the state in a directory for reading and writing, and creates what is missing. `now` is shown to whoever
    /// meets it at that.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] where the directory or the database is damaged, of a newer version, or not ours alone;
    /// nothing is touched then. [`StoreError::Locked`] where it has to be brought up to date while another process
    /// holds the lock.
    pub async fn open(directory: &Path, now: Timestamp) -> Result<Self, StoreError> {
        open::check_version()?;
        let directory = open::prepare_directory(directory)?;
        open::inspect_beside(&directory)?;
        let file = directory.join(open::FILE);
        let connection = open::connect(&file, now)?;
        let identity = file.metadata().ok().map(|metadata| files::identity(&metadata));
        Ok(Self { connection, file, identity, reserve: None, lock: None })
    }

    /// Moves the database away, whatever state it is in, while no run is under way. Returns where it is now, if there
    /// was one.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process holds the lock.
    pub async fn set_aside(directory: &Path, holder: Holder) -> Result<Option<PathBuf>, StoreError> {
        let now = holder.since;
        let directory = open::prepare_directory(directory)?;
        open::inspect_beside(&directory)?;
        let _lock = Lock::take(&directory, holder)?;
        let aside = directory.join(format!("{}.before-{}", open::FILE, now.strftime("%Y%m%dT%H%M%SZ")));
        for suffix in ["-wal", "-shm", ""] {
            let (from, to) =
                (open::with_suffix(&directory.join(open::FILE), suffix), open::with_suffix(&aside, suffix));
            match fs::rename(&from, to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && suffix.is_empty() => return Ok(None),
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&from)(error)),
                _ => {}
            }
        }
        Ok(Some(aside))
    }

    /// Takes the lock, until it is released or this is dropped. Where it is held already, nothing changes.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process holds the lock; [`StoreError::Unusable`] where the database was put
    /// in another place since it was opened.
    pub async fn lock(&mut self, holder: Holder) -> Result<(), StoreError> {
        if self.lock.is_some() {
            return Ok(());
        }
        let directory = self.file.parent().unwrap_or(Path::new("."));
        let lock = Lock::take(directory, holder)?;
        self.stay_in_place()?;
        self.reserve = Some(reserve::lay_reserve(directory)?);
        self.lock = Some(lock);
        Ok(())
    }

    /// Lets the lock go, for others to run meanwhile.
    pub fn release(&mut self) {
        self.lock = None;
    }

    /// True while this process holds the lock.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Says what the run that holds the lock is at, to whoever meets it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tell_doing(&mut self, doing: Doing) -> Result<(), StoreError> {
        self.lock.as_mut().map_or(Ok(()), |lock| lock.tell(doing))
    }

    /// How far the state has come by what others have written: the same mark as long as nobody else writes.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn mark(&self) -> Result<Mark, StoreError> {
        self.read(|connection| Ok(Mark(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)))
    }

    /// A copy in memory, to plan on while another process holds the lock: what is written to it goes nowhere.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn copy(&self) -> Result<Self, StoreError> {
        let connection = self.read(|connection| {
            let mut copy = Connection::open_in_memory()?;
            rusqlite::backup::Backup::new(connection, &mut copy)?.step(-1)?;
            Ok(copy)
        })?;
        Ok(Self { connection, file: self.file.clone(), identity: None, reserve: None, lock: None })
    }

    /// Refuses a database that was put in another place, e.g. set aside, since it was opened: what is written to it
    /// would be lost.
    fn stay_in_place(&self) -> Result<(), StoreError> {
        let now = self.file.metadata().ok().map(|metadata| files::identity(&metadata));
        if self.identity.is_none() || self.identity == now {
            return Ok(());
        }
        Err(StoreError::Unusable {
            path: self.file.clone(),
            because: "it was moved or replaced while it was open".to_owned(),
            hint: "start again: what is there now is read then".to_owned(),
        })
    }

    /// Opens the state for reading alone: it takes no lock, so views work while another process runs. A directory
    /// without state reads as empty.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] as for [`Store::open`].
    pub async fn open_read_only(directory: &Path) -> Result<Self, StoreError> {
        open::check_version()?;
        let directory = open::inspect_directory(directory)?;
        open::inspect_beside(&directory)?;
        let file = directory.join(open::FILE);
        let connection = open::connect_read_only(&file)?;
        Ok(Self { connection, file, identity: None, reserve: None, lock: None })
    }

    /// A copy in memory of the state as it is, to try things on: what is written to it goes nowhere. A directory without
    /// state reads as empty. True where the state itself is of an older version, which the next run brings up to date.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] as for [`Store::open`].
    pub async fn open_copy(directory: &Path) -> Result<(Self, bool), StoreError> {
        open::check_version()?;
        let directory = open::inspect_directory(directory)?;
        open::inspect_beside(&directory)?;
        let file = directory.join(open::FILE);
        let (connection, version) = open::copy(&file)?;
        let is_older = version.is_some_and(|version| version < open::VERSION);
        Ok((Self { connection, file, identity: None, reserve: None, lock: None }, is_older))
    }

    /// The database's file, for people.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Recalls what was remembered under a key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn recall<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
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
    pub async fn remember<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), StoreError> {
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
    pub async fn forget(&mut self, key: &str) -> Result<(), StoreError> {
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
        if self.lock.is_none() {
            self.stay_in_place()?;
        }
        transact(&mut self.connection, work).map_err(|fault| fault.explained(&self.file))
    }
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    if failpoint::reach("commit") == Point::DiskFull {
        return Err(Fault::full());
    }
    transaction.commit()?;
    failpoint::reach("committed");
    Ok(result)
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
        holder: Option<Box<Holder>>,
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
            Self::Locked { .. } => "run again when it has ended, or wait for that: --lock-timeout SECONDS",
            Self::Unusable { hint, .. } => hint,
            Self::Bug { .. } => "nothing was written; please report it with the log",
        }
    }
}

fn unusable(path: &Path, because: impl Into<String>, hint: impl Into<String>) -> StoreError {
    StoreError::Unusable { path: path.to_owned(), because: because.into(), hint: hint.into() }
}

/// For `map_err`: what the file system said.
fn failed(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |error| unusable(path, error.to_string(), "check the path, its permissions and the space on its disk")
}

/// What can go wrong inside, before it is told which file it went wrong with.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Stored(String),
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error("{0}")]
    Bug(String),
}

/// What to do about a damaged state.
fn hint_damaged(file: &Path) -> String {
    let again = "`punchlist doctor rebuild` sets it aside and finds all links again, by the IDs in Notion and the markers in Clockify";
    match backups::backups(file).first() {
        Some(copy) => format!("{again}; or put its latest copy in its place: {}", copy.display()),
        None => again.to_owned(),
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
        let unusable =
            |because: String, hint: &str| StoreError::Unusable { path: path.clone(), because, hint: hint.into() };
        let damaged = |because: String| unusable(because, &hint_damaged(&path));
        let error = match self {
            Self::Sqlite(error) => error,
            Self::Stored(because) => return damaged(format!("it holds what punchlist does not write ({because})")),
            Self::Illegal(illegal) => return damaged(format!("it holds what punchlist does not write ({illegal})")),
            Self::Bug(because) => return StoreError::Bug { path, because },
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => damaged(format!("it is damaged ({error})")),
            // Statements that have worked a thousand times do not fit what is there: what is there has changed.
            Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
                damaged(format!("it holds what punchlist does not write ({error})"))
            }
            None if is_of_content(&error) => damaged(format!("it holds what punchlist does not write ({error})")),
            Some(ErrorCode::DiskFull) => {
                unusable("the disk is full".into(), "free some space and run again; what was under way is taken up")
            }
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
            _ => StoreError::Bug { path, because: error.to_string() },
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

fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Bug(format!("a value cannot be stored: {error}")))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Stored(error.to_string()))
}

/// The word that a value without content is stored as, the same as in JSON but without quotes.
impl ToSql for RunId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl ToSql for ChangeId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

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
