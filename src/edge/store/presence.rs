//! Whether a daemon serves a state: it holds a lock of the kernel's, which is let go when it ends, even by a kill.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

use super::{StoreError, failed, lock::unlockable, unusable};
use crate::edge::files;

/// The file whose lock it is.
pub(super) const PRESENCE: &str = "serving";
/// Who only looks whether a daemon is there holds the lock for a moment: so often is it tried again, and how soon.
const TRIES: usize = 50;
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// That a daemon serves a state, for as long as this lives.
pub struct Presence {
    _file: File,
}

impl Presence {
    /// Begins to serve the state in a directory that there is.
    ///
    /// # Errors
    /// Where another daemon does, or the disk gives no locks.
    pub fn begin(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(PRESENCE);
        let opened = files::private_options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(failed(&path))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_AGAIN),
                Err(TryLockError::Error(error)) => return Err(unlockable(&path, &error)),
            }
        }
        Err(unusable(&path, "another daemon serves it", "end that one first, or give this one another --state-dir"))
    }
}

/// True while a daemon serves the state in a directory.
pub fn is_served(directory: &Path) -> bool {
    let file = File::open(directory.join(PRESENCE));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_serves_a_state_and_others_see_that_until_it_ends() {
        let directory = tempfile::TempDir::new().expect("a directory");
        assert!(!is_served(directory.path()));
        let serving = Presence::begin(directory.path()).expect("nobody else does");
        assert!(is_served(directory.path()) && is_served(directory.path()));
        assert!(Presence::begin(directory.path()).is_err_and(|error| error.to_string().contains("another daemon")));
        drop(serving);
        assert!(!is_served(directory.path()));
        assert!(Presence::begin(directory.path()).is_ok());
    }
}
