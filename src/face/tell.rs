//! How a failure is told: to people in lines, to programs as a document.

use std::{
    io::{Write, stderr},
    process::ExitCode,
};

use serde::Serialize;

use super::{
    failure::{Code, RunError},
    print::say_json,
};
use crate::domain::text::Shown;

/// `punchlist/error/1`: what a command with `--json` prints instead of its document. Fields are only ever added.
#[derive(Serialize)]
struct ErrorDocument<'a> {
    format: &'static str,
    /// The exit code.
    code: u8,
    /// What went wrong: a line, and one more for each of several things.
    error: String,
    /// What to do about it.
    hints: &'a [Shown],
    /// `FILE:LINE`, or the name of an environment variable.
    place: Option<&'a Shown>,
}

/// Tells a failure, and returns what the program ends with: to people on standard error, and with `--json` to programs
/// on standard output, too, where they look for a document.
pub(super) fn tell(failure: &RunError, as_json: bool) -> ExitCode {
    drop(writeln!(stderr(), "{failure}"));
    document(failure, as_json)
}

/// Tells that arguments make no sense, in the words of who parses them; or prints the help that they ask for.
pub(super) fn tell_usage(error: &clap::Error, as_json: bool) -> ExitCode {
    // Where it cannot be printed there is nobody to tell.
    drop(error.print());
    if error.use_stderr() { document(&usage(error), as_json) } else { u8::from(Code::Done).into() }
}

fn document(failure: &RunError, as_json: bool) -> ExitCode {
    let RunError { code, hints, place, .. } = failure;
    let code = u8::from(*code);
    if as_json {
        let (format, error) = ("punchlist/error/1", failure.text());
        // Where it cannot be printed, the code still tells.
        drop(say_json(&ErrorDocument { format, code, error, hints, place: place.as_ref() }));
    }
    code.into()
}

/// What the parser says in paragraphs: what is wrong, then how it would be right.
fn usage(error: &clap::Error) -> RunError {
    let told = error.render().to_string();
    let mut paragraphs = told.split("\n\n").map(in_a_line);
    let wrong = paragraphs.next().unwrap_or_default();
    let wrong = wrong.strip_prefix("error: ").unwrap_or(&wrong);
    paragraphs.fold(RunError::new(Code::Usage, wrong), RunError::hint)
}

fn in_a_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}
