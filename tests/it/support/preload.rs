//! A library that lies to a program about the machine that it runs on.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::postgres::ran;

/// Names what is put before the system's library.
pub(crate) const PRELOAD: &str = "LD_PRELOAD";

/// Makes the library of `preload.c`, which says what it lies about, in a directory. Where Rust links, there is a compiler
/// of C.
pub(crate) fn preload(directory: &Path) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/preload.c");
    let library = directory.join("preload.so");
    ran(Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source));
    library
}
