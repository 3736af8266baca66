//! Copies of the state, one from before each run that wrote.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{Fault, Store, StoreError, failed};
use crate::edge::files;

/// The directory of the copies.
pub(super) const BACKUPS: &str = "backups";
/// Copies that are kept.
const BACKUPS_MAX: usize = 10;

impl Store {
    /// Keeps a copy of the state as it is, before a run writes; the oldest copies beyond ten go. Returns the copy.
    ///
    /// # Errors
    /// [`StoreError`] where there is no room for a copy: nothing should be written then.
    pub async fn back_up(&mut self, now: Timestamp) -> Result<PathBuf, StoreError> {
        let directory = self.file.with_file_name(BACKUPS);
        files::create_private_directory(&directory).map_err(failed(&directory))?;
        let name = format!("punchlist-{}.sqlite3", now.strftime("%Y%m%dT%H%M%S%.3fZ"));
        let copy = directory.join(name);
        // Under another name first, so that a copy that was cut short is never taken for one.
        let partial = copy.with_extension("partial");
        drop(fs::remove_file(&partial));
        let fill = |connection: &rusqlite::Connection| -> Result<(), Fault> {
            connection.execute("VACUUM INTO ?1", [partial.to_string_lossy()])?;
            Ok(())
        };
        self.read(fill).inspect_err(|_| drop(fs::remove_file(&partial)))?;
        let keep = || {
            files::make_private(&partial, &fs::metadata(&partial)?)?;
            fs::File::open(&partial)?.sync_all()?;
            fs::rename(&partial, &copy)
        };
        keep().map_err(failed(&copy))?;
        for old in backups(&self.file).iter().skip(BACKUPS_MAX) {
            fs::remove_file(old).map_err(failed(old))?;
        }
        Ok(copy)
    }
}

/// The copies of a state, the latest first.
pub(super) fn backups(file: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(file.with_file_name(BACKUPS)).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "sqlite3")).collect();
    copies.sort_unstable_by(|left, right| right.cmp(left));
    copies
}
