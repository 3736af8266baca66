//! Files that a person keeps for the program to read again, such as a saved plan: written whole or not at all, readable
//! by their owner only, and read again only where nobody else could have changed them.

use std::{
    fs::{Metadata, Permissions},
    io::{self, Write},
    path::Path,
};

use super::files;

/// Writes a file, in place of a file that was there.
///
/// # Errors
/// What the file system said, and where a link, a device or a pipe is there; what was there is as it was then.
pub fn save(path: &Path, text: &str) -> io::Result<()> {
    save_with(path, text, None)
}

/// The same with other permissions than those for its owner alone.
///
/// # Errors
/// As for [`save`].
pub(super) fn save_with(path: &Path, text: &str, permissions: Option<Permissions>) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "what is there is no regular file, and is not replaced",
        ));
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // It is there already; not every file system can be asked to make that last.
    drop(files::sync_directory(directory));
    Ok(())
}

/// Writes files into a directory for everybody to read, each with its name, in place of those that were there.
///
/// # Errors
/// What the file system said.
pub fn publish(directory: &Path, files: &[(String, String)]) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    files.iter().try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    #[error("it is a directory")]
    Directory,
    /// It is a device, a pipe or a socket.
    #[error("it is not a regular file")]
    Special,
    /// It leads somewhere else.
    #[error("it is a symbolic link")]
    Link,
    /// Its permissions keep us out.
    #[error("you may not read it")]
    Denied,
    /// It belongs to somebody else.
    #[error("it belongs to another user, who could have changed it")]
    Foreign,
    /// Others could have changed it.
    #[error("others may write it, and could have changed it")]
    Exposed,
    /// It is larger than what is read.
    #[error("it is larger than {0} MiB")]
    TooLarge(u64),
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// Anything else.
    #[error("it cannot be read: {0}")]
    Failed(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Failed(error),
        }
    }
}

impl Unread {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing | Self::Failed(_) => "check the path; `punchlist plan --out FILE` saves a plan",
            Self::Directory | Self::Special => "name the file that `punchlist plan --out FILE` has saved",
            Self::Link => "name the file that it leads to",
            Self::Denied => "check who owns it and its permissions; who has made a plan applies it",
            Self::Foreign => "make a plan of your own with `punchlist plan --out FILE`",
            Self::Exposed => {
                "make a new plan with `punchlist plan --out FILE`, where only you may write; if you trust this one: chmod go-w"
            }
            Self::TooLarge(_) | Self::NotText => {
                "it is no plan: name the file that `punchlist plan --out FILE` has saved"
            }
        }
    }
}

/// Reads a file of at most `bytes_max` bytes that others cannot have written.
///
/// # Errors
/// [`Unread`]
pub fn read(path: &Path, bytes_max: u64) -> Result<String, Unread> {
    // Asked before opening, since opening a pipe would wait for somebody to write into it.
    check_kind(&path.symlink_metadata()?)?;
    let file = files::private_options().read(true).open(path)?;
    let metadata = file.metadata()?;
    check_kind(&metadata)?;
    if !files::is_ours(&metadata) {
        return Err(Unread::Foreign);
    }
    if files::is_writable_by_others(&metadata) {
        return Err(Unread::Exposed);
    }
    let mut bytes = Vec::new();
    files::read_up_to(&file, bytes_max, &mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Unread::TooLarge(bytes_max >> 20));
    }
    String::from_utf8(bytes).map_err(|_| Unread::NotText)
}

fn check_kind(metadata: &Metadata) -> Result<(), Unread> {
    let kind = metadata.file_type();
    match () {
        () if kind.is_symlink() => Err(Unread::Link),
        () if kind.is_dir() => Err(Unread::Directory),
        () if !kind.is_file() => Err(Unread::Special),
        () => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn what_others_may_write_is_not_read() {
        let home = tempfile::TempDir::new().expect("a directory");
        let path = home.path().join("plan.json");
        save(&path, "{}").expect("saves");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path, 100).expect("reads"), "{}");
        for (mode, ours) in [(0o644, true), (0o664, false), (0o602, false), (0o666, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("sets");
            assert_eq!(read(&path, 100).is_ok(), ours, "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("sets");
        let link = home.path().join("link.json");
        symlink(&path, &link).expect("links");
        let error = read(&link, 100).expect_err("refused");
        assert!(error.to_string().contains("symbolic link"), "{error}");
        assert!(matches!(read(home.path(), 100), Err(Unread::Directory)));
    }

    #[test]
    fn each_cause_is_told_as_itself() {
        let home = tempfile::TempDir::new().expect("a directory");
        let at = |name: &str| home.path().join(name);
        assert!(matches!(read(&at("none"), 3), Err(Unread::Missing)));
        assert!(matches!(Unread::from(io::Error::from(io::ErrorKind::PermissionDenied)), Unread::Denied));
        save(&at("long"), "four").expect("saves");
        assert!(matches!(read(&at("long"), 3), Err(Unread::TooLarge(_))));
        assert_eq!(read(&at("long"), 4).expect("reads"), "four");
        save(&at("binary"), "").expect("saves");
        fs::write(at("binary"), [0xFF]).expect("writes");
        assert!(matches!(read(&at("binary"), 3), Err(Unread::NotText)));
        // Nobody writes into this pipe, so opening it would never end.
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().expect("runs");
        assert!(made.success());
        assert!(matches!(read(&at("pipe"), 3), Err(Unread::Special)));
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link, place) =
            (directory.path().join("file"), directory.path().join("link"), directory.path().join("place"));
        std::fs::write(&file, "old").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        std::fs::create_dir(&place).expect("a directory");
        let listener = directory.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&listener).expect("a socket");

        for special in [&link, &place, &listener] {
            let error = save(special, "new").expect_err("kept");
            assert!(error.to_string().contains("no regular file"), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&file).expect("there"), "old");
        save(&file, "new").expect("replaced");
        assert_eq!(std::fs::read_to_string(&file).expect("there"), "new");
    }
}
