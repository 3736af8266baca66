//! The state: the registry, the journal, and what waits for a person, in one `SQLite` database.
//!
//! What is localized here: every statement of SQL, the lock, and what to say when the disk or the file fails. One
//! connection, one transaction for each transition. A method that fails has changed nothing; when an append to the
//! journal fails, nothing may be sent. What asks it awaits the answer, as that of a database elsewhere would be;
//! `SQLite` answers at once, so nothing is left half way.

#![expect(clippy::unused_async, reason = "who calls must not have to know which database it is")]

mod backups;
mod context;
mod database;
mod error;
mod inspect;
mod journal;
mod lock;
mod log;
mod month;
mod open;
mod pages;
mod pending;
#[cfg(feature = "postgres")]
mod postgres;
mod presence;
mod registry;
mod reservations;
mod reserve;
mod stir;
#[cfg(test)]
mod tests;
mod transfer;
mod value;
mod words;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{
    Serialize,
    de::{DeserializeOwned, IntoDeserializer},
};

#[cfg(feature = "postgres")]
use self::postgres::{lease::Lease, open::Purpose};
use self::{
    database::Database,
    error::{Fault, failed, hint_damaged, unusable},
    lock::Lock,
    value::values,
};
use super::{files, holding::Holding};
use crate::domain::journal::Illegal;

pub use error::StoreError;
pub use inspect::{Held, Inspection, inspect, mend};
pub use journal::{Meant, RunEnd, RunRecord};
pub use lock::{Doing, Holder};
pub use log::{Entity, Entry, LISTED, OPEN_DIFFERENCES, Selection, Toward};
pub use open::default_dir;
pub use pages::{Others, PagesRead};
pub use pending::PendingRow;
#[cfg(feature = "postgres")]
pub use postgres::{
    address::{Address, NoAddress},
    lease::Leased,
};
pub use presence::{Presence, is_served};
pub use stir::Stir;
pub use transfer::Transferred;

/// Where a state is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a directory of this machine, which is ours alone.
    Directory(PathBuf),
    /// On a server that several machines share.
    #[cfg(feature = "postgres")]
    Server(Address),
}

impl<T: AsRef<Path> + ?Sized> From<&T> for Place {
    fn from(directory: &T) -> Self {
        Self::Directory(directory.as_ref().to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(formatter),
            #[cfg(feature = "postgres")]
            Self::Server(address) => address.fmt(formatter),
        }
    }
}

/// The state of one installation. Anybody may look, and keep what a person has said, each in a transaction of its own;
/// what is read to be planned upon and what is written to the services is for the one process that has the right to run.
pub struct Store {
    // Declared before the right to run, so that the connection is closed before that is let go.
    database: Database,
    /// Where it is: of a directory, the database in it.
    place: Place,
    right: Right,
}

/// The right to run, if this process has it, and what goes with it.
enum Right {
    /// Nobody else can come here: it is a copy, or only looked at.
    Alone,
    /// By a lock of the kernel's.
    Lock {
        /// Which file the database was when it was opened.
        identity: Option<(u64, u64)>,
        /// Room that is given up when the disk runs full.
        reserve: Option<PathBuf>,
        lock: Option<Lock>,
    },
    /// By a lease of the server's, and how often this took one.
    #[cfg(feature = "postgres")]
    Lease { lease: Option<(Lease, Holder)>, taken: i64, holding: Holding },
}

/// How far a state had come at some time; only good for being compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(i64);

impl Store {
    /// True where there is a state, as far as that is known without asking a server.
    pub fn exists(place: &Place) -> bool {
        match place {
            Place::Directory(directory) => directory.join(open::FILE).exists(),
            #[cfg(feature = "postgres")]
            Place::Server(_) => true,
        }
    }

    /// Opens a state for reading and writing, and creates what is missing. `now` is shown to whoever meets it at that.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] where the directory or the database is damaged, of a newer version, or not ours alone;
    /// nothing is touched then. [`StoreError::Locked`] where it has to be brought up to date while another process
    /// has the right to run.
    pub async fn open(place: &Place, now: Timestamp) -> Result<Self, StoreError> {
        let opened = match place {
            Place::Directory(directory) => {
                open::check_version()?;
                let directory = open::prepare_directory(directory)?;
                open::inspect_beside(&directory)?;
                let file = directory.join(open::FILE);
                let connection = open::connect(&file, now)?;
                let identity = file.metadata().ok().map(|metadata| files::identity(&metadata));
                let right = Right::Lock { identity, reserve: None, lock: None };
                Self { database: Database::Sqlite(connection), place: Place::Directory(file), right }
            }
            #[cfg(feature = "postgres")]
            Place::Server(address) => {
                let database = Box::pin(postgres::open::open(address, Purpose::Write)).await?;
                let missing = || StoreError::bug(place, "it was made and is not there");
                let database = Database::Postgres(Box::new(database.ok_or_else(missing)?));
                Self {
                    database,
                    place: place.clone(),
                    right: Right::Lease { lease: None, taken: 0, holding: Holding::default() },
                }
            }
        };
        opened.refuse_moved().await
    }

    /// Moves the database away, whatever state it is in, while no run is under way. Returns where it is now, if there
    /// was one.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process has the right to run.
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

    /// Takes the right to run, until it is released or this is dropped. Where it is held already, nothing changes.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process holds it; [`StoreError::Unusable`] where the database was put in
    /// another place since it was opened.
    pub async fn lock(&mut self, holder: Holder) -> Result<(), StoreError> {
        // A right that was lost is taken anew.
        if self.is_locked() && self.holding().is_none_or(|holding| holding.is_held()) {
            return Ok(());
        }
        match (&mut self.right, &self.place, &self.database) {
            (Right::Lock { identity, reserve, lock }, Place::Directory(file), _) => {
                let directory = file.parent().unwrap_or(Path::new("."));
                let taken = Lock::take(directory, holder)?;
                stay_in_place(file, *identity)?;
                *reserve = Some(reserve::lay_reserve(directory)?);
                *lock = Some(taken);
            }
            #[cfg(feature = "postgres")]
            (Right::Lease { lease, taken, holding }, Place::Server(address), Database::Postgres(database)) => {
                let took = Box::pin(Lease::take(database, address, postgres::lease::RUN, &holder, holding)).await;
                match took.map_err(|fault| fault.explained(&self.place))? {
                    Ok(new) => (*lease, *taken) = (Some((new, holder)), *taken + 1),
                    Err(held) => return Err(held.refused(&self.place)),
                }
            }
            _ => return Err(StoreError::bug(&self.place, "nobody can have the right to run here")),
        }
        Ok(())
    }

    /// Lets the right to run go, for others to have it meanwhile.
    ///
    /// # Errors
    /// [`StoreError`]: others have to wait for it to run out.
    pub async fn release(&mut self) -> Result<(), StoreError> {
        match (&mut self.right, &self.database) {
            (Right::Lock { lock, .. }, _) => *lock = None,
            #[cfg(feature = "postgres")]
            (Right::Lease { lease, .. }, Database::Postgres(database)) => {
                if let Some((lease, _)) = lease.take() {
                    Box::pin(lease.release(database)).await.map_err(|fault| fault.explained(&self.place))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// True while this process has the right to run.
    pub fn is_locked(&self) -> bool {
        match &self.right {
            Right::Alone => false,
            Right::Lock { lock, .. } => lock.is_some(),
            #[cfg(feature = "postgres")]
            Right::Lease { lease, .. } => lease.is_some(),
        }
    }

    /// Until when the right to run is held, whenever it is; nothing where it lasts as long as this process.
    pub fn holding(&self) -> Option<Holding> {
        match &self.right {
            Right::Alone | Right::Lock { .. } => None,
            #[cfg(feature = "postgres")]
            Right::Lease { holding, .. } => Some(holding.clone()),
        }
    }

    /// Who has the right to run, if anybody has; nothing where that lasts as long as a process, which
    /// [`inspect`](inspect()) finds.
    ///
    /// # Errors
    /// [`StoreError`]
    #[cfg(feature = "postgres")]
    pub async fn leased(&self) -> Result<Option<Leased>, StoreError> {
        self.read(async |database| match database {
            Database::Sqlite(_) => Ok(None),
            Database::Postgres(database) => postgres::lease::held(database, postgres::lease::RUN).await,
        })
        .await
    }

    /// Takes the right to run from whoever has it at an epoch; false where nobody has it at that one.
    ///
    /// # Errors
    /// [`StoreError`]
    #[cfg(feature = "postgres")]
    pub async fn break_off(&mut self, epoch: i64) -> Result<bool, StoreError> {
        self.read(async |database| match database {
            Database::Sqlite(_) => Ok(false),
            Database::Postgres(database) => postgres::lease::break_off(database, postgres::lease::RUN, epoch).await,
        })
        .await
    }

    /// Says what the run that has the right to run is at, to whoever meets it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tell_doing(&mut self, doing: Doing) -> Result<(), StoreError> {
        match (&mut self.right, &self.database) {
            (Right::Lock { lock: Some(lock), .. }, _) => lock.tell(doing),
            #[cfg(feature = "postgres")]
            (Right::Lease { lease: Some((lease, holder)), .. }, Database::Postgres(database)) => {
                if std::mem::replace(&mut holder.doing, doing) == doing {
                    return Ok(());
                }
                Box::pin(lease.tell(database, holder)).await.map_err(|fault| fault.explained(&self.place))
            }
            _ => Ok(()),
        }
    }

    /// How far the state has come by what others have run: the same mark as long as nobody else does.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn mark(&self) -> Result<Mark, StoreError> {
        self.read(async |database| match database {
            Database::Sqlite(_) => database.one("PRAGMA data_version", &[], |row| Ok(Mark(row.number(0)?))).await,
            #[cfg(feature = "postgres")]
            Database::Postgres(database) => {
                let Right::Lease { taken, .. } = self.right else { return Ok(Mark(0)) };
                Ok(Mark(Box::pin(postgres::lease::epoch(database, postgres::lease::RUN)).await? - taken))
            }
        })
        .await
    }

    /// A copy in memory, to plan on while another process has the right to run: what is written to it goes nowhere.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn copy(&self) -> Result<Self, StoreError> {
        let copy = self
            .read(async |database| match database {
                Database::Sqlite(connection) => {
                    let mut copy = Connection::open_in_memory()?;
                    rusqlite::backup::Backup::new(connection, &mut copy)?.step(-1)?;
                    Ok(Database::Sqlite(copy))
                }
                #[cfg(feature = "postgres")]
                Database::Postgres(_) => {
                    let copy = Database::Sqlite(open::empty()?);
                    Box::pin(database.snapshot(async |database| transfer::all(database, &copy).await)).await?;
                    Ok(copy)
                }
            })
            .await?;
        Ok(Self { database: copy, place: self.place.clone(), right: Right::Alone })
    }

    /// Refuses a database that was put in another place since it was opened, unless the right to run keeps it there.
    fn stay_in_place(&self) -> Result<(), StoreError> {
        match (&self.right, &self.place) {
            (Right::Lock { identity, lock: None, .. }, Place::Directory(file)) => stay_in_place(file, *identity),
            _ => Ok(()),
        }
    }

    /// Opens the state for reading alone: it takes no lock, so views work while another process runs. A place without
    /// state reads as empty.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] as for [`Store::open`].
    pub async fn open_read_only(place: &Place) -> Result<Self, StoreError> {
        Self::look_at(place).await?.refuse_moved().await
    }

    /// The same, also where it was moved.
    async fn look_at(place: &Place) -> Result<Self, StoreError> {
        match place {
            Place::Directory(directory) => {
                let file = open::file_to_look_at(directory)?;
                let database = Database::Sqlite(open::connect_read_only(&file)?);
                Ok(Self { database, place: Place::Directory(file), right: Right::Alone })
            }
            #[cfg(feature = "postgres")]
            Place::Server(address) => {
                let database = match Box::pin(postgres::open::open(address, Purpose::Read)).await? {
                    Some(database) => Database::Postgres(Box::new(database)),
                    None => Database::Sqlite(open::empty().map_err(|fault| fault.explained(place))?),
                };
                Ok(Self { database, place: place.clone(), right: Right::Alone })
            }
        }
    }

    /// A copy in memory of the state as it is, to try things on: what is written to it goes nowhere. A place without
    /// state reads as empty. True where the state itself is of an older version, which the next run brings up to date.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] as for [`Store::open`].
    pub async fn open_copy(place: &Place) -> Result<(Self, bool), StoreError> {
        match place {
            Place::Directory(directory) => {
                let file = open::file_to_look_at(directory)?;
                let (connection, version) = open::copy(&file)?;
                let is_older = version.is_some_and(|version| version < open::VERSION);
                let (database, place) = (Database::Sqlite(connection), Place::Directory(file));
                Ok((Self { database, place, right: Right::Alone }, is_older))
            }
            #[cfg(feature = "postgres")]
            Place::Server(_) => Ok((Self::open_read_only(place).await?.copy().await?, false)),
        }
    }

    /// True where there is a state by now, and not an empty one in its stead.
    pub fn is_there(&self) -> bool {
        match (&self.place, &self.database) {
            (Place::Directory(file), _) => file.exists(),
            #[cfg(feature = "postgres")]
            (Place::Server(_), database) => matches!(database, Database::Postgres(_)),
        }
    }

    /// Where it is: of a directory, the database in it.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Recalls what was remembered under a key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn recall<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let sql = "SELECT value FROM memory WHERE key = ?1";
        self.read(async |database| database.first(sql, &values![key], |row| from_json(row.text(0)?)).await).await
    }

    /// Remembers a value under a key, in place of what was there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn remember<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), StoreError> {
        self.write(async |database| remember(database, key, value).await).await
    }

    /// Forgets what was remembered under a key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn forget(&mut self, key: &str) -> Result<(), StoreError> {
        self.write(async |database| forget(database, key).await).await
    }

    /// What is wrong with a state whose journal this program cannot have written.
    pub fn damaged(&self, illegal: &Illegal) -> StoreError {
        Fault::Stored(illegal.to_string()).explained(&self.place)
    }

    async fn read<T>(&self, work: impl AsyncFnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        work(&self.database).await.map_err(|fault| fault.explained(&self.place))
    }

    /// Does all of the work, or nothing: nothing, too, where this process had the right to run and has lost it.
    async fn write<T>(&mut self, work: impl AsyncFnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.stay_in_place()?;
        self.transact(work).await.map_err(|fault| fault.explained(&self.place))
    }

    async fn transact<T>(&self, work: impl AsyncFnOnce(&Database) -> Result<T, Fault>) -> Result<T, Fault> {
        let guarded = async |database: &Database| {
            #[cfg(feature = "postgres")]
            if let (Right::Lease { lease: Some((lease, _)), .. }, Database::Postgres(database)) =
                (&self.right, database)
            {
                Box::pin(lease.guard(database)).await?;
            }
            work(database).await
        };
        self.database.transact(guarded).await
    }
}

async fn remember<T: Serialize>(database: &Database, key: &str, value: &T) -> Result<(), Fault> {
    let sql = "INSERT INTO memory (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    database.execute(sql, &values![key, to_json(value)?]).await?;
    Ok(())
}

async fn forget(database: &Database, key: &str) -> Result<(), Fault> {
    database.execute("DELETE FROM memory WHERE key = ?1", &values![key]).await?;
    Ok(())
}

/// Refuses a database that was put in another place, e.g. set aside, since it was opened: what is written to it would be
/// lost.
fn stay_in_place(file: &Path, identity: Option<(u64, u64)>) -> Result<(), StoreError> {
    let now = file.metadata().ok().map(|metadata| files::identity(&metadata));
    if identity.is_none() || identity == now {
        return Ok(());
    }
    let because = "it was moved or replaced while it was open";
    Err(unusable(file, because, "start again: what is there now is read then"))
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

fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, Fault> {
    let word: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = word.into_deserializer();
    T::deserialize(word).map_err(|error| Fault::Stored(error.to_string()))
}
