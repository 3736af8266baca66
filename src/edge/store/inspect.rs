//! What a state is like before anybody opens it: who may read it, what its disk gives, who holds its lock. Looking
//! changes nothing; mending takes permissions from others, and takes away what ended runs have left.

use std::{
    fs::{self, TryLockError},
    io::Read,
    path::{Path, PathBuf},
};

use super::{
    StoreError,
    backups::backups,
    failed,
    lock::{HOLDER_BYTES, Holder, LOCK, NOTE, unlockable},
    open::{FILE, inspect_beside, inspect_directory, prepare_directory, with_suffix},
};
use crate::edge::files;

/// A state from outside.
#[derive(Debug)]
pub struct Inspection {
    /// Where it really is.
    pub directory: PathBuf,
    /// True where there is a database.
    pub exists: bool,
    /// What others may read or write, with its permission bits.
    pub exposed: Vec<(PathBuf, u32)>,
    /// The sort of network file system that it lies on, where it does.
    pub network: Option<&'static str>,
    /// Bytes that are free on its disk, where the platform says so.
    pub free_bytes: Option<u64>,
    /// Bytes of the database with its write-ahead log.
    pub bytes: u64,
    /// How many copies are kept, and their bytes.
    pub copies: (usize, u64),
    pub lock: Held,
}

/// Whether somebody holds the lock.
#[derive(Debug)]
pub enum Held {
    No,
    /// Nobody, but the run that held it last has left its name.
    Left(Box<Holder>),
    /// Somebody, who has perhaps said who it is.
    By(Option<Box<Holder>>),
    /// The disk gives no locks.
    Never(StoreError),
}

/// Looks at a state, or at the place where it will be.
///
/// # Errors
/// [`StoreError::Unusable`] where it is not ours, or leads elsewhere.
pub fn inspect(directory: &Path) -> Result<Inspection, StoreError> {
    let directory = inspect_directory(directory)?;
    inspect_beside(&directory)?;
    let on_disk = directory.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/")).to_owned();
    Ok(Inspection {
        exists: directory.join(FILE).exists(),
        exposed: exposed(&directory)?,
        network: network(&on_disk),
        free_bytes: free_bytes(&on_disk),
        bytes: ["", "-wal"].iter().map(|suffix| size(&with_suffix(&directory.join(FILE), suffix))).sum(),
        copies: {
            let copies = backups(&directory.join(FILE));
            (copies.len(), copies.iter().map(|copy| size(copy)).sum())
        },
        lock: held(&directory)?,
        directory,
    })
}

/// Bytes of a file; none where there is none.
fn size(file: &Path) -> u64 {
    file.symlink_metadata().map_or(0, |metadata| metadata.len())
}

/// Mends what is safe to mend: makes the directory where it is missing, takes permissions on it and on what is in it
/// from others, and takes the note out of a lock that nobody holds. Says what it did.
///
/// # Errors
/// [`StoreError::Unusable`] where it is not ours, or cannot be mended.
pub fn mend(directory: &Path) -> Result<Vec<String>, StoreError> {
    let (is_new, before) = (!directory.exists(), exposed(directory)?);
    let directory = prepare_directory(directory)?;
    inspect_beside(&directory)?;
    let mut mended = Vec::new();
    if is_new {
        mended.push(format!("made the directory {}", directory.display()));
    }
    for (path, mode) in before {
        let metadata = path.symlink_metadata().map_err(failed(&path))?;
        files::make_private(&path, &metadata).map_err(failed(&path))?;
        mended.push(format!("took the permissions on {} from others (they were {mode:04o})", path.display()));
    }
    if let Held::Left(holder) = held(&directory)? {
        let path = directory.join(LOCK);
        let lock = files::private_options().write(true).open(&path).map_err(failed(&path))?;
        // Somebody may have come meanwhile, and the note is theirs then.
        if lock.try_lock().is_ok() {
            let note = directory.join(NOTE);
            let emptied = files::private_options().write(true).truncate(true).open(&note);
            emptied.map_err(failed(&note))?;
            mended.push(format!("took the note of a run that has ended out of {} ({holder})", path.display()));
        }
    }
    Ok(mended)
}

/// The directory and what is in it, as far as others may read or write it.
fn exposed(directory: &Path) -> Result<Vec<(PathBuf, u32)>, StoreError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(failed(directory)(error)),
    };
    let within = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = within.collect();
    paths.sort_unstable();
    paths.insert(0, directory.to_owned());
    for path in paths {
        let metadata = path.symlink_metadata().map_err(failed(&path))?;
        if !metadata.is_symlink() && files::is_ours(&metadata) && files::is_open_to_others(&metadata) {
            found.push((path, files::mode(&metadata)));
        }
    }
    Ok(found)
}

fn held(directory: &Path) -> Result<Held, StoreError> {
    let path = directory.join(LOCK);
    let file = match files::private_options().read(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Held::No),
        Err(error) => return Err(failed(&path)(error)),
    };
    let is_free = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Ok(Held::Never(unlockable(&path, &error))),
    };
    let note = note(directory);
    Ok(match (is_free, note) {
        (true, None) => Held::No,
        (true, Some(holder)) => Held::Left(holder),
        (false, holder) => Held::By(holder),
    })
}

/// Who the note of a lock says that it is.
fn note(directory: &Path) -> Option<Box<Holder>> {
    let file = files::private_options().read(true).open(directory.join(NOTE)).ok()?;
    let mut text = String::new();
    file.take(HOLDER_BYTES as u64).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok().map(Box::new)
}

#[cfg(unix)]
fn free_bytes(place: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(place).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// The network file systems that are known to lose locks or to break a shared write-ahead log (`SQLite`, "How To
/// Corrupt"), by their numbers in Linux.
#[cfg(target_os = "linux")]
fn network(place: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(place).ok()?.f_type;
    match u32::try_from(kind & 0xFFFF_FFFF).unwrap_or_default() {
        0x6969 => Some("NFS"),
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => Some("SMB"),
        0x0102_1997 => Some("9p"),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn network(_: &Path) -> Option<&'static str> {
    None
}
