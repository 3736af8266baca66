//! The right to run: one process at a time reads and plans what it stores, or applies. It is a lock of the kernel's on
//! a file of the state, which is let go when that is closed, even by a kill.

use std::{
    fmt,
    fs::{File, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StoreError, failed, unusable};
use crate::{
    domain::text::Shown,
    edge::{files, machine},
};

/// The file whose lock it is.
pub(super) const LOCK: &str = "lock";
/// The file that says who holds it: the same where a locked file can be read, which Windows lets nobody do.
pub(super) const NOTE: &str = if cfg!(windows) { "lock-holder" } else { LOCK };
/// Bytes of what the holder says about itself: always as many, so that saying something else is one write, and nobody
/// reads half of it.
pub(super) const HOLDER_BYTES: usize = 1024;
/// Columns of a word that the holder says.
const WORD_COLUMNS: usize = 60;

/// Who has the right to run, as that process described itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The person.
    #[serde(default)]
    pub by: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// What started the run, e.g. `review` or `auto-approve`.
    #[serde(default)]
    pub trigger: String,
    /// What it is at.
    #[serde(default)]
    pub doing: Doing,
    /// When it took the lock.
    pub since: Timestamp,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Doing {
    /// Both sides are read, and planned.
    #[default]
    Reading,
    /// What was approved is written.
    Applying,
}

impl Holder {
    /// This process.
    pub fn here(by: &str, trigger: &str, since: Timestamp) -> Self {
        let word = |text: &str| Shown::of(text).clipped(WORD_COLUMNS).to_string();
        let (by, host, trigger) = (word(by), word(&machine::host()), word(trigger));
        Self { by, host, pid: std::process::id(), trigger, doing: Doing::default(), since }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, host, pid, trigger, doing, since } = self;
        let word = |text: &str| Shown::of(text).clipped(WORD_COLUMNS).to_string();
        if !trigger.is_empty() {
            write!(formatter, "“{}” ", word(trigger))?;
        }
        if !by.is_empty() {
            write!(formatter, "by {}, ", word(by))?;
        }
        write!(formatter, "process {pid} on {}, {doing}, since {since:.0}", word(host))
    }
}

/// Why there is no lock: a disk on the network often gives none.
pub(super) fn unlockable(path: &Path, error: &std::io::Error) -> StoreError {
    let because = format!("this disk gives no locks, as many on a network do not ({error})");
    unusable(
        path,
        because,
        "keep the state on a disk of this machine: --state-dir DIR, or state.dir in the configuration",
    )
}

/// The lock, for as long as this lives.
pub(super) struct Lock {
    _file: File,
    note: File,
    path: PathBuf,
    holder: Holder,
}

impl Lock {
    /// Takes the lock of a state's directory.
    pub(super) fn take(directory: &Path, holder: Holder) -> Result<Self, StoreError> {
        let path = directory.join(LOCK);
        let open =
            |path: &Path| files::private_options().read(true).write(true).create(true).truncate(false).open(path);
        let file = open(&path).map_err(failed(&path))?;
        let note = if NOTE == LOCK { file.try_clone() } else { open(&directory.join(NOTE)) };
        let note = note.map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who holds the lock is a courtesy: that it is held is what matters.
                let said = note.take(HOLDER_BYTES as u64).read_to_string(&mut text);
                let holder = said.ok().and_then(|_| serde_json::from_str(&text).ok());
                return Err(StoreError::Locked { lock: path.display().to_string(), holder: holder.map(Box::new) });
            }
            Err(TryLockError::Error(error)) => return Err(unlockable(&path, &error)),
        }
        let mut lock = Self { _file: file, note, path, holder };
        lock.say()?;
        Ok(lock)
    }

    /// Says what the run is at.
    pub(super) fn tell(&mut self, doing: Doing) -> Result<(), StoreError> {
        if self.holder.doing == doing {
            return Ok(());
        }
        self.holder.doing = doing;
        self.say()
    }

    fn say(&mut self) -> Result<(), StoreError> {
        let text = serde_json::to_string(&self.holder).map_err(std::io::Error::from).map_err(failed(&self.path))?;
        let padded = format!("{text:<HOLDER_BYTES$}");
        let said = self.note.seek(SeekFrom::Start(0)).and_then(|_| self.note.write_all(padded.as_bytes()));
        said.and_then(|()| self.note.set_len(padded.len() as u64)).map_err(failed(&self.path))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_locks_says_so_and_where_to_put_the_state() {
        let error = std::io::Error::from_raw_os_error(rustix::io::Errno::NOLCK.raw_os_error());
        let error = unlockable(Path::new("/net/state/lock"), &error);
        assert!(error.to_string().contains("this disk gives no locks"), "{error}");
        assert!(
            error.to_string().contains("/net/state/lock") && error.hint().contains("--state-dir"),
            "{error} {}",
            error.hint()
        );
    }
}
