//! How the state is opened: a directory of our own, the lock, a database that is whole and of a version that we know.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};

use super::{
    Fault, Holder, StoreError, failed, hint_damaged,
    lock::{LOCK, Lock, NOTE},
    presence::PRESENCE,
    reserve, unusable, words,
};
use crate::edge::{checkpoints, diagnostics, files};

/// The directory of the copies.
pub(super) const BACKUPS: &str = "backups";
/// The database.
pub(super) const FILE: &str = "punchlist.sqlite3";
/// What says that a database is ours: `PNCH`.
const APPLICATION_ID: i32 = 0x504E_4348;
/// Each entry takes the schema from the version that is its index to the next. Entries are only ever added.
pub(super) const MIGRATIONS: [&str; 4] = [
    include_str!("../../../assets/schema.sql"),
    // JSON: how far the rule that closes children along with their parents has got with the object; and what the page's
    // ID property held when it got its object, until the ID is there. Pages of before are taken to have had theirs.
    "ALTER TABLE link ADD COLUMN along TEXT NOT NULL DEFAULT '\"no\"';
     ALTER TABLE link ADD COLUMN unwritten TEXT NOT NULL DEFAULT 'null';
     -- The run whose undo it is said about.
     ALTER TABLE verdict ADD COLUMN undoes TEXT;",
    // Pages as they were last read, so that only what was edited since is read again. JSON.
    "CREATE TABLE page (
       kind    TEXT NOT NULL CHECK (kind IN ('client', 'project', 'task')),
       page_id BLOB NOT NULL,
       body    TEXT NOT NULL,
       PRIMARY KEY (kind, page_id)
     ) STRICT, WITHOUT ROWID;",
    words::SCHEMA,
];
/// The first `SQLite` without the bug that could reset a write-ahead log in use by several connections (3.7.0 to
/// 3.51.2).
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How long to wait for another connection, e.g. a view that checkpoints.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Databases up to this size are checked whole at each start, which takes about a tenth of a second.
const CHECKED_WHOLE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What else is in the directory: none of it may lead out of it.
const BESIDE: [&str; 8] = [
    LOCK,
    NOTE,
    PRESENCE,
    reserve::RESERVE,
    BACKUPS,
    checkpoints::CHECKPOINTS,
    checkpoints::KEY,
    diagnostics::DIRECTORY,
];

/// Where the state is kept when nothing else is configured.
pub fn default_dir() -> Option<PathBuf> {
    let directories = directories::ProjectDirs::from("", "", "punchlist")?;
    Some(directories.state_dir().unwrap_or_else(|| directories.data_local_dir()).to_owned())
}

/// Refuses a linked `SQLite` that is known to lose data.
pub(super) fn check_version() -> Result<(), StoreError> {
    if rusqlite::version_number() >= SQLITE_VERSION_MIN {
        return Ok(());
    }
    let because = format!("SQLite {} has a bug that can lose data", rusqlite::version());
    Err(unusable(Path::new(FILE), because, "use a build with SQLite 3.51.3 or later"))
}

/// Makes the directory ours alone, creating it where it is missing, and returns its real path.
pub(super) fn prepare_directory(directory: &Path) -> Result<PathBuf, StoreError> {
    if !directory.is_symlink() {
        files::create_private_directory(directory).map_err(failed(directory))?;
    }
    let directory = inspect_directory(directory)?;
    let metadata = fs::metadata(&directory).map_err(failed(&directory))?;
    if !files::is_open_to_others(&metadata) {
        return Ok(directory);
    }
    // An empty directory can only be meant for us, and one with our database is ours already, unless others could have
    // put it there. Anything else, such as somebody's home, is not ours to close.
    let is_empty = fs::read_dir(&directory).map_err(failed(&directory))?.next().is_none();
    let is_our_home = directory.join(FILE).exists() && !files::is_writable_by_others(&metadata);
    if !is_empty && !is_our_home {
        let hint = format!("choose a directory of its own, or close it: chmod 700 '{}'", directory.display());
        return Err(unusable(&directory, "others may look into this directory or change it", hint));
    }
    files::make_private(&directory, &metadata).map_err(failed(&directory))?;
    Ok(directory)
}

/// The database of a directory that is ours, for looking at it: nothing is made.
pub(super) fn file_to_look_at(directory: &Path) -> Result<PathBuf, StoreError> {
    check_version()?;
    let directory = inspect_directory(directory)?;
    inspect_beside(&directory)?;
    Ok(directory.join(FILE))
}

/// Refuses what is not a directory of ours, and returns its real path. One that does not exist is as it is named.
pub(super) fn inspect_directory(directory: &Path) -> Result<PathBuf, StoreError> {
    let metadata = match fs::symlink_metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(directory.to_owned()),
        Err(error) => return Err(failed(directory)(error)),
    };
    if metadata.is_symlink() {
        return Err(unusable(directory, "it is a symbolic link", "name the directory that it points to"));
    }
    if !metadata.is_dir() {
        return Err(unusable(directory, "it is not a directory", "choose a directory for the state"));
    }
    if !files::is_ours(&metadata) {
        return Err(unusable(directory, "it belongs to another user", "choose a directory of your own"));
    }
    files::real_path(directory).map_err(failed(directory))
}

/// Refuses what lies beside the database where it leads elsewhere or belongs to somebody else: what is kept there would
/// be written, and old copies taken away, where nobody expects it.
pub(super) fn inspect_beside(directory: &Path) -> Result<(), StoreError> {
    for path in BESIDE.map(|name| directory.join(name)) {
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(&path)(error)),
        };
        if metadata.is_symlink() {
            let because = "it is a symbolic link, and may lead out of the state";
            return Err(unusable(&path, because, "move it away, and find out who put it there; it is made anew"));
        }
        if !files::is_ours(&metadata) {
            return Err(unusable(&path, "it belongs to another user", "choose a state directory of your own"));
        }
    }
    Ok(())
}

/// Opens the database for writing, after it has been found whole and of a version that we know. One of an older version
/// is brought up to date under the lock, since the run that holds it may be of that version.
pub(super) fn connect(file: &Path, now: Timestamp) -> Result<Connection, StoreError> {
    if file.symlink_metadata().is_err() {
        create(file)?;
    }
    inspect_file(file, Exposed::Closed)?;
    let refused = |refusal: Refusal| refusal.explained(file);
    let (mut connection, mut version) = connect_checked(file).map_err(refused)?;
    if version < MIGRATIONS.len() {
        let _lock = Lock::take(file.parent().unwrap_or(Path::new(".")), Holder::here("", "upgrade", now))?;
        version = version_of(&connection).map_err(refused)?;
        migrate(&mut connection, version).map_err(|fault| refused(fault.into()))?;
    }
    Ok(connection)
}

/// A connection for writing, and the version of what it leads to.
fn connect_checked(file: &Path) -> Result<(Connection, usize), Refusal> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | flags())?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A database that is refused must stay as it is: without this, closing it would move its log into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let version = check_whole(&connection, file)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Refusal::NoLog);
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
    )?;
    Ok((connection, version))
}

/// An empty database in memory.
pub(super) fn empty() -> Result<Connection, Fault> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection, 0)?;
    Ok(connection)
}

/// Opens the database for reading alone; one that does not exist reads as empty.
pub(super) fn connect_read_only(file: &Path) -> Result<Connection, StoreError> {
    let open_file = || -> Result<Connection, Refusal> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | flags())?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Whoever only looks finds out about the damage in what it reads; the next run checks all of it.
        match check(&connection)? {
            version if version < MIGRATIONS.len() => Err(Refusal::Older { version }),
            _ => Ok(connection),
        }
    };
    let connection = if file.symlink_metadata().is_ok() {
        inspect_file(file, Exposed::Left)?;
        open_file()
    } else {
        empty().map_err(Refusal::from)
    };
    let read_only = connection.and_then(|connection| {
        connection.execute_batch("PRAGMA query_only = ON")?;
        Ok(connection)
    });
    read_only.map_err(|refusal| refusal.explained(file))
}

/// A copy in memory of the database as it is, brought up to date there, and the version that the file has; one that does
/// not exist reads as empty.
pub(super) fn copy(file: &Path) -> Result<(Connection, Option<usize>), StoreError> {
    let refused = |refusal: Refusal| refusal.explained(file);
    let mut copy = Connection::open_in_memory().map_err(|error| refused(error.into()))?;
    let mut version = None;
    if file.symlink_metadata().is_ok() {
        inspect_file(file, Exposed::Left)?;
        let fill = |copy: &mut Connection| -> Result<usize, Refusal> {
            let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | flags())?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            let version = check_whole(&connection, file)?;
            rusqlite::backup::Backup::new(&connection, copy)?.step(-1)?;
            Ok(version)
        };
        version = Some(fill(&mut copy).map_err(refused)?);
    }
    migrate(&mut copy, version.unwrap_or_default()).map_err(|fault| refused(fault.into()))?;
    Ok((copy, version))
}

/// The version that databases have from now on.
pub(super) const VERSION: usize = MIGRATIONS.len();

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW
}

/// Creates the database under another name first: it appears whole or not at all, so that one that is cut short is
/// never taken for new.
fn create(file: &Path) -> Result<(), StoreError> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let log = with_suffix(file, "-wal");
    if log.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        let hint = format!("put the database back beside it, or move {} away to start afresh", log.display());
        return Err(unusable(file, "its write-ahead log is there, and it is not", hint));
    }
    let fresh = tempfile::Builder::new().prefix(FILE).suffix(".new").tempfile_in(directory).map_err(failed(file))?;
    let fill = || -> Result<(), Refusal> {
        let mut connection = Connection::open(fresh.path())?;
        migrate(&mut connection, 0)?;
        connection.close().map_err(|(_, error)| error.into())
    };
    fill().map_err(|refusal| refusal.explained(file))?;
    fresh.as_file().sync_all().map_err(failed(file))?;
    match fresh.persist_noclobber(file) {
        // Another process was as quick.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        created => created.map_err(|error| failed(file)(error.error))?,
    };
    // So that the name outlives a power failure too.
    files::sync_directory(directory).map_err(failed(directory))
}

/// What becomes of a file that is open to others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exposed {
    /// It is closed to them.
    Closed,
    /// It is left as it is: whoever only looks changes nothing.
    Left,
}

/// Refuses a file that is not ours.
fn inspect_file(file: &Path, exposed: Exposed) -> Result<(), StoreError> {
    for path in [file.to_owned(), with_suffix(file, "-wal"), with_suffix(file, "-shm")] {
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(&path)(error)),
        };
        if !metadata.is_file() {
            return Err(unusable(&path, "it is not a regular file", "move it away, and find out who put it there"));
        }
        if !files::is_ours(&metadata) {
            return Err(unusable(&path, "it belongs to another user", "choose a state directory of your own"));
        }
        if exposed == Exposed::Closed && files::is_open_to_others(&metadata) {
            files::make_private(&path, &metadata).map_err(failed(&path))?;
        }
    }
    Ok(())
}

pub(super) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    PathBuf::from(path)
}

/// Checks that the database is ours and not newer than we are; returns its version.
fn check(connection: &Connection) -> Result<usize, Refusal> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(Refusal::NotOurs);
    }
    version_of(connection)
}

/// Checks that the database is ours, not newer than we are, and whole; returns its version.
fn check_whole(connection: &Connection, file: &Path) -> Result<usize, Refusal> {
    let version = check(connection)?;
    if file.metadata().is_ok_and(|metadata| metadata.len() <= CHECKED_WHOLE_BYTES_MAX) {
        // What writes follow from is also held against its indexes: there a changed ID shows.
        for sql in ["PRAGMA quick_check(1)", "PRAGMA integrity_check(link)", "PRAGMA integrity_check(write)"] {
            let verdict: String = connection.query_row(sql, [], |row| row.get(0))?;
            if verdict != "ok" {
                return Err(Refusal::Damaged(verdict));
            }
        }
    }
    Ok(version)
}

fn version_of(connection: &Connection) -> Result<usize, Refusal> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = usize::try_from(version).map_err(|_| Refusal::NotOurs)?;
    if version > MIGRATIONS.len() { Err(Refusal::Newer { version }) } else { Ok(version) }
}

/// Lays out an empty database of the newest version in a file that nobody uses yet.
pub(super) fn lay_out(file: &Path) -> Result<(), rusqlite::Error> {
    let connection = Connection::open(file)?;
    for (to, sql) in (1_u32..).zip(MIGRATIONS) {
        connection.execute_batch(sql)?;
        connection.pragma_update(None, "user_version", to)?;
    }
    connection.close().map_err(|(_, error)| error)
}

fn migrate(connection: &mut Connection, from: usize) -> Result<(), Fault> {
    for (to, sql) in (1_u32..).zip(MIGRATIONS).skip(from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", to)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Why a database is not opened.
enum Refusal {
    NotOurs,
    Newer { version: usize },
    Older { version: usize },
    Damaged(String),
    NoLog,
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl Refusal {
    fn explained(self, file: &Path) -> StoreError {
        let known = MIGRATIONS.len();
        match self {
            Self::NotOurs => unusable(file, "it is empty or of another program", hint_damaged(file)),
            Self::Newer { version } => unusable(
                file,
                format!("its schema is version {version}, and this program knows versions up to {known}"),
                "use the newer punchlist that wrote it; where there is none, it is damaged: `punchlist doctor rebuild`",
            ),
            Self::Older { version } => unusable(
                file,
                format!("its schema is version {version}, and this program reads version {known}"),
                "run `punchlist plan` once, which brings it up to date",
            ),
            Self::Damaged(verdict) => {
                let verdict = verdict.lines().next().unwrap_or_default().to_owned();
                unusable(file, format!("it is damaged ({verdict})"), hint_damaged(file))
            }
            Self::NoLog => {
                unusable(file, "its file system cannot share a write-ahead log", "keep the state on a local disk")
            }
            Self::Fault(fault) => fault.explained(&file.into()),
        }
    }
}
