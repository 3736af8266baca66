//! Secrets in files: read where nobody else can read or exchange them, and replaced whole or not at all.

use std::{fs, io, path::Path};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{Fetched, SECRET_BYTES_MAX, SecretProblem, buffer};
use crate::edge::{files, saved};

/// Whether the permissions of a file are ours to judge.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposure {
    Refused,
    /// systemd mounts credentials read-only for the unit's user alone, with modes of its own choosing.
    LeftToSystemd,
}

/// Reads a secret from a file.
pub(super) fn read(path: &Path, exposure: Exposure) -> Result<Fetched, SecretProblem> {
    let unreadable = |source| SecretProblem::Unreadable { path: path.to_owned(), source };
    // Asked before opening, since opening a pipe would wait for somebody to write into it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SecretProblem::NotAFile(path.to_owned()));
    }
    let file = fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if exposure == Exposure::Refused {
        if !files::is_ours(&metadata) || !files::is_ours(&path.symlink_metadata().map_err(unreadable)?) {
            return Err(SecretProblem::Foreign(path.to_owned()));
        }
        if files::is_open_to_others(&metadata) {
            return Err(SecretProblem::Exposed(path.to_owned()));
        }
        check_directory(directory_of(path)).map_err(unreadable)??;
    }
    let mut bytes = buffer();
    files::read_up_to(&file, SECRET_BYTES_MAX, &mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Writes a secret into a file of its owner's alone, in place of what it holds. Directories that are missing are made.
pub(super) fn write(path: &Path, secret: &SecretString) -> Result<(), SecretProblem> {
    let unwritable = |source| SecretProblem::Unwritable { path: path.to_owned(), source };
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => return Err(SecretProblem::Link(path.to_owned())),
        Ok(metadata) if !metadata.is_file() => return Err(SecretProblem::NotAFile(path.to_owned())),
        Ok(metadata) if !files::is_ours(&metadata) => return Err(SecretProblem::Foreign(path.to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            files::create_private_directory(directory_of(path)).map_err(unwritable)?;
        }
        Err(error) => return Err(unwritable(error)),
    }
    check_directory(directory_of(path)).map_err(unwritable)??;
    saved::save(path, secret.expose_secret()).map_err(unwritable)
}

/// When a file was last written.
pub(super) fn written(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// Takes the permissions on a file of ours from others, and says so.
pub(super) fn close(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    if !files::is_ours(&metadata) || !files::is_open_to_others(&metadata) {
        return None;
    }
    files::make_private(path, &metadata).ok()?;
    let mode = files::mode(&metadata);
    Some(format!("took the permissions on {} from others (they were {mode:04o})", path.display()))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses a directory in which others can put another file in the place of ours.
fn check_directory(directory: &Path) -> io::Result<Result<(), SecretProblem>> {
    let metadata = fs::metadata(directory)?;
    Ok(if !files::is_ours(&metadata) {
        Err(SecretProblem::Foreign(directory.to_owned()))
    } else if files::can_be_exchanged_in(&metadata) {
        Err(SecretProblem::Replaceable(directory.to_owned()))
    } else {
        Ok(())
    })
}
