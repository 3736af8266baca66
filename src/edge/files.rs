//! Whose a file is, and who else may read or write it: the rules of Unix permissions in one place.
//!
//! Elsewhere these checks pass: access lists there follow the profile directory, which other users cannot reach.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Permission bits of group and others.
#[cfg(unix)]
const OTHERS: u32 = 0o077;
/// Permission bits that let group and others write.
#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o022;
/// Permission bit of a directory in which only owners remove and rename.
#[cfg(unix)]
const STICKY: u32 = 0o1000;

/// True when the file belongs to the user that runs this process, or to root, who can do anything anyway.
#[cfg(unix)]
pub(super) fn is_ours(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == 0 || metadata.uid() == rustix::process::geteuid().as_raw()
}

/// True when group or others may read, write or run the file.
#[cfg(unix)]
pub(super) fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & OTHERS != 0
}

/// True when group or others may write the file.
#[cfg(unix)]
pub(super) fn is_writable_by_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & OTHERS_WRITE != 0
}

/// True for a directory in which group or others can put a file in the place of one that is not theirs.
#[cfg(unix)]
pub(super) fn can_be_exchanged_in(directory: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // In a sticky directory, such as /tmp, only the owner of a file can take it away.
    is_writable_by_others(directory) && directory.permissions().mode() & STICKY == 0
}

/// Options for files that only we may read and write, and that are never reached through a symbolic link.
#[cfg(unix)]
pub(super) fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    options.mode(0o600).custom_flags(no_follow);
    options
}

/// Which file it is, whatever it is called: device and number.
#[cfg(unix)]
pub(super) fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Its permission bits.
#[cfg(unix)]
pub(super) fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

/// Takes every permission from group and others.
#[cfg(unix)]
pub(super) fn make_private(path: &Path, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(metadata.permissions().mode() & 0o7700))
}

/// Creates a directory, with its parents, that only we may enter.
#[cfg(unix)]
pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes it last that a file of this directory was made, renamed or removed.
#[cfg(unix)]
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
pub(super) use elsewhere::{
    can_be_exchanged_in, create_private_directory, identity, is_open_to_others, is_ours, is_writable_by_others,
    make_private, mode, private_options, sync_directory,
};

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "these fail on Unix alone")]
mod elsewhere {
    use super::{Metadata, OpenOptions, Path, io};

    pub(in super::super) fn is_ours(_: &Metadata) -> bool {
        true
    }
    pub(in super::super) fn is_open_to_others(_: &Metadata) -> bool {
        false
    }
    pub(in super::super) fn is_writable_by_others(_: &Metadata) -> bool {
        false
    }
    pub(in super::super) fn can_be_exchanged_in(_: &Metadata) -> bool {
        false
    }
    pub(in super::super) fn private_options() -> OpenOptions {
        OpenOptions::new()
    }
    pub(in super::super) fn identity(_: &Metadata) -> (u64, u64) {
        (0, 0)
    }
    pub(in super::super) fn mode(_: &Metadata) -> u32 {
        0
    }
    pub(in super::super) fn make_private(_: &Path, _: &Metadata) -> io::Result<()> {
        Ok(())
    }
    pub(in super::super) fn create_private_directory(path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }
    pub(in super::super) fn sync_directory(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Where a path really leads. On Windows, where a link takes rights that few have, it is only made absolute: a real path
/// begins with `\\?\` there, which people and other programs do not expect.
pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    if cfg!(windows) { std::path::absolute(path) } else { path.canonicalize() }
}

/// Reads at most `bytes_max` bytes; one more is read where there are more, so that the caller can tell.
pub(super) fn read_up_to(file: &File, bytes_max: u64, into: &mut Vec<u8>) -> io::Result<()> {
    file.take(bytes_max + 1).read_to_end(into).map(|_| ())
}
