//! Standard output: what a command answers with.

use std::io::{self, BufWriter, Write};

use super::failure::{Code, RunError};
use crate::domain::text::write_json;

/// Prints a text. A reader that went away, as `head` does, is no error.
pub(super) fn say(text: &str) -> Result<(), RunError> {
    let mut stdout = io::stdout().lock();
    printed(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Prints a document, however large it is.
pub(super) fn say_json(document: &impl serde::Serialize) -> Result<(), RunError> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    let written = write_json(&mut stdout, document).map_err(io::Error::from);
    printed(written.and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()))
}

fn printed(result: io::Result<()>) -> Result<(), RunError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(RunError::new(Code::Error, format!("could not write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
