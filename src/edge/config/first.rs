//! The first configuration: made where there is none yet, whole or not at all, and by one process at a time.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::edge::files;

/// The right to make a configuration. It is a lock of the kernel's on the directory that there is already, so that
/// nothing is left behind. Windows has none on directories: whoever comes second is refused there by [`Place::make`].
#[derive(Debug)]
pub struct Place {
    file: PathBuf,
    /// Held as long as this lives; nothing where there is no such lock.
    _lock: Option<File>,
}

/// Why no configuration can be made.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// There is one.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// Something else is there.
    #[error("{} is a directory and not a file", .0.display())]
    Directory(PathBuf),
    /// Another process is at it.
    #[error("another `punchlist init` is at work in {}", .0.display())]
    Taken(PathBuf),
    /// It cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Unfit {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists(_) => "it is kept as it is",
            Self::Directory(_) => "name a file, e.g. one in that directory",
            Self::Taken(_) => "go on there, or end it",
            Self::Unwritable { .. } => "name a file in a directory that you may write, with --config FILE",
        }
    }
}

impl Place {
    /// Takes the right to make a file. Nothing is written yet.
    ///
    /// # Errors
    /// [`Unfit`] where there is one, or it could not be written.
    pub fn take(file: &Path) -> Result<Self, Unfit> {
        let unwritable = |source| Unfit::Unwritable { path: file.to_owned(), source };
        let file = std::path::absolute(file).map_err(unwritable)?;
        match fs::metadata(&file) {
            Ok(metadata) if metadata.is_dir() => return Err(Unfit::Directory(file)),
            Ok(_) => return Err(Unfit::Exists(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(unwritable(source)),
        }
        let directory = file.ancestors().skip(1).find(|directory| directory.exists()).unwrap_or(Path::new("."));
        if !directory.is_dir() {
            return Err(unwritable(io::ErrorKind::NotADirectory.into()));
        }
        #[cfg(unix)]
        writable(directory).map_err(unwritable)?;
        let lock = match File::open(directory).map(|directory| (directory.try_lock(), directory)) {
            Ok((Ok(()), lock)) => Some(lock),
            Ok((Err(TryLockError::WouldBlock), _)) => return Err(Unfit::Taken(directory.to_owned())),
            Ok((Err(TryLockError::Error(_)), _)) | Err(_) => None,
        };
        Ok(Self { file, _lock: lock })
    }

    /// Where it will be.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Makes the file, for its owner alone. Directories that are missing are made.
    ///
    /// # Errors
    /// [`Unfit`]; nothing is there then that was not before.
    pub fn make(&self, text: &str) -> Result<(), Unfit> {
        let unwritable = |source: io::Error| Unfit::Unwritable { path: self.file.clone(), source };
        let directory = self.file.parent().unwrap_or(Path::new("."));
        let missing: Vec<&Path> = directory.ancestors().take_while(|directory| !directory.exists()).collect();
        if !missing.is_empty() {
            files::create_private_directory(directory).map_err(unwritable)?;
        }
        self.write(directory, text).inspect_err(|_| {
            // What holds something by now stays.
            for directory in missing {
                drop(fs::remove_dir(directory));
            }
        })
    }

    fn write(&self, directory: &Path, text: &str) -> Result<(), Unfit> {
        let unwritable = |source: io::Error| Unfit::Unwritable { path: self.file.clone(), source };
        let mut file = NamedTempFile::new_in(directory).map_err(unwritable)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
        match file.persist_noclobber(&self.file) {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Unfit::Exists(self.file.clone()));
            }
            Err(error) => return Err(unwritable(error.error)),
        }
        // It is there already; not every file system can be asked to make that last.
        drop(files::sync_directory(directory));
        Ok(())
    }
}

#[cfg(unix)]
fn writable(directory: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_whole_by_one_and_never_replaced() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("a/b/config.toml");
        let place = Place::take(&file).expect("free");
        #[cfg(unix)]
        assert!(matches!(Place::take(&file), Err(Unfit::Taken(_))));
        assert!(!home.path().join("a").exists(), "nothing is left behind");
        place.make("x = 1\n").expect("made");
        assert_eq!(fs::read_to_string(&file).expect("there"), "x = 1\n");
        assert!(matches!(place.make("x = 2\n"), Err(Unfit::Exists(_))));
        drop(place);
        assert!(matches!(Place::take(&file), Err(Unfit::Exists(_))));
        assert_eq!(fs::read_dir(home.path().join("a/b")).expect("there").count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        let home = tempfile::tempdir().expect("a directory");
        assert!(matches!(Place::take(home.path()), Err(Unfit::Directory(_))));
        let file = home.path().join("file");
        fs::write(&file, "").expect("writes");
        assert!(matches!(Place::take(&file.join("config.toml")), Err(Unfit::Unwritable { .. })));
    }
}
