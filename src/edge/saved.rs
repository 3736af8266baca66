//! Files that a person keeps for the program to read again, such as a saved plan: written whole or not at all, readable by their owner only,
//! and read again only where nobody else could have changed them.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use super::files;

/// Writes a file, in place of what was there.
///
/// # Errors
/// What the file system said; what was there is as it was then.
pub fn save(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Reads the first `bytes_max` bytes of a file that others cannot have written.
///
/// # Errors
/// What the file system said, or why the file is not trusted.
pub fn read(path: &Path, bytes_max: u64) -> io::Result<String> {
    let refused = |because: &str| Err(io::Error::other(because));
    if path.symlink_metadata()?.is_symlink() {
        return refused("it is a symbolic link: name the file that it leads to");
    }
    let file = files::private_options().read(true).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return refused("it is not a regular file");
    }
    if !files::is_ours(&metadata) {
        return refused("it belongs to another user, who could have changed it");
    }
    if files::is_writable_by_others(&metadata) {
        return refused("others may write it, and could have changed it: save plans where only you may write, or chmod go-w");
    }
    let mut text = String::new();
    file.take(bytes_max).read_to_string(&mut text)?;
    Ok(text)
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
        assert!(read(home.path(), 100).expect_err("refused").to_string().contains("not a regular file"));
    }
}
