//! Copies of the state, one from before each run that wrote.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use rusqlite::Connection;

use super::{
    Fault, Place, Store, StoreError,
    database::Database,
    failed, journal,
    log::{Beginning, LISTED, OPEN_DIFFERENCES},
    open::{self, BACKUPS},
    pages::WATERMARKS,
    value::values,
};
use crate::{domain::journal::RunId, edge::files};

/// Copies that are kept.
const BACKUPS_MAX: usize = 10;
/// Bytes that they may take together; the latest is kept whatever it takes.
const BACKUPS_BYTES_MAX: u64 = 256 << 20;
/// Entries of the log that a copy takes along, for taking back what the last runs wrote.
const ENTRIES_MAX: i64 = 5_000;

impl Store {
    /// Keeps a copy of what cannot be read anew, before a run writes: all but the pages as they were last read and what
    /// the log is found by, and of the log its end. The oldest copies go that are beyond ten, or take too much room.
    /// Returns the copy; nothing where copies are the server's.
    ///
    /// # Errors
    /// [`StoreError`] where there is no room for a copy: nothing should be written then.
    pub async fn back_up(&mut self, run: &RunId, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
        let Place::Directory(database) = &self.place else { return Ok(None) };
        let directory = database.with_file_name(BACKUPS);
        files::create_private_directory(&directory).map_err(failed(&directory))?;
        let name = format!("punchlist-{}.sqlite3", now.strftime("%Y%m%dT%H%M%S%.3fZ"));
        let copy = directory.join(name);
        // Under another name first, so that a copy that was cut short is never taken for one.
        let partial = copy.with_extension("partial");
        drop(fs::remove_file(&partial));
        let filled = self.read(async |database| fill(database, &partial, run, now).await).await;
        filled.inspect_err(|_| drop(fs::remove_file(&partial)))?;
        let keep = || {
            files::make_private(&partial, &fs::metadata(&partial)?)?;
            // Windows makes only last what could be written to.
            fs::OpenOptions::new().write(true).open(&partial)?.sync_all()?;
            fs::rename(&partial, &copy)
        };
        keep().map_err(failed(&copy))?;
        let mut bytes = 0;
        for (at, old) in backups(database).iter().enumerate() {
            bytes += fs::metadata(old).map_or(0, |metadata| metadata.len());
            if at >= BACKUPS_MAX || at > 0 && bytes > BACKUPS_BYTES_MAX {
                fs::remove_file(old).map_err(failed(old))?;
            }
        }
        Ok(Some(copy))
    }
}

/// Fills a copy in a file that is not there yet.
async fn fill(database: &Database, file: &Path, run: &RunId, now: Timestamp) -> Result<(), Fault> {
    open::lay_out(file)?;
    database.execute("ATTACH ?1 AS copy", &values![file.to_string_lossy().into_owned()]).await?;
    let filled = database.transact(fill_attached).await;
    database.execute("DETACH copy", &[]).await?;
    if let Some(beginning) = filled? {
        let copy = Database::Sqlite(Connection::open(file)?);
        copy.transact(async |copy| journal::append(copy, &[beginning.told(run, now)]).await).await?;
    }
    Ok(())
}

/// Fills the copy that is attached; returns where its log begins, if not where ours does.
async fn fill_attached(database: &Database) -> Result<Option<Beginning>, Fault> {
    let (last, _) = journal::head(database).await?;
    let beginning = Beginning::at(database, Some(last - ENTRIES_MAX), i64::MAX).await?;
    let through = beginning.as_ref().map_or(0, |beginning| beginning.through);
    let memory = format!("key NOT IN ('{WATERMARKS}', '{OPEN_DIFFERENCES}', '{LISTED}')");
    let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables = database.all(sql, &[], |row| Ok(row.text(0)?.to_owned())).await?;
    for table in tables {
        let which = match table.as_str() {
            "page" | "words" => continue,
            "memory" => memory.clone(),
            "event" => format!("n > {through}"),
            "write" => format!("intent_n > {through}"),
            "run" => format!("ended_at IS NULL OR run_id IN (SELECT run_id FROM main.event WHERE n > {through})"),
            // The beginning of all is there.
            "log_start" => "n > 0".to_owned(),
            _ => "true".to_owned(),
        };
        let sql = format!("INSERT INTO copy.\"{table}\" SELECT * FROM main.\"{table}\" WHERE {which}");
        database.execute(&sql, &[]).await?;
    }
    if let Some(Beginning { through, hash, .. }) = &beginning {
        let sql = "INSERT INTO copy.log_start (n, hash) VALUES (?1, ?2)";
        database.execute(sql, &values![*through, &hash.0]).await?;
    }
    Ok(beginning)
}

/// The copies of a state, the latest first.
pub(super) fn backups(file: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(file.with_file_name(BACKUPS)).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "sqlite3")).collect();
    copies.sort_unstable_by(|left, right| right.cmp(left));
    copies
}
