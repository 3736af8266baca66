//! Room for the last answers when the disk runs full.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::{Right, Store, StoreError, failed};
use crate::edge::files;

/// A file that is nothing but room: it is given up when an answer that has come cannot be kept for want of space.
pub(super) const RESERVE: &str = "reserve";
/// Room for the answers that can be on their way, each with the pages of the database that it touches.
const RESERVE_BYTES: u64 = 1 << 20;

/// Lays the reserve aside, anew if it was given up.
pub(super) fn lay_reserve(directory: &Path) -> Result<PathBuf, StoreError> {
    let path = directory.join(RESERVE);
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() >= RESERVE_BYTES) {
        return Ok(path);
    }
    let lay = || {
        let mut file = files::private_options().write(true).create(true).truncate(true).open(&path)?;
        // Written, not only promised: a hole in a file takes no room.
        let zeros = vec![0; 1 << 16];
        for _ in 0..RESERVE_BYTES >> 16 {
            file.write_all(&zeros)?;
        }
        file.sync_all()
    };
    lay().map_err(|error| {
        // Half a reserve would only take room from what matters.
        drop(fs::remove_file(&path));
        failed(&path)(error)
    })?;
    Ok(path)
}

impl Store {
    /// Gives the reserve up; false when there is none.
    pub(super) fn give_up_reserve(&self) -> bool {
        matches!(&self.right, Right::Lock { reserve: Some(reserve), .. } if fs::remove_file(reserve).is_ok())
    }
}
