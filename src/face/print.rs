//! Standard output: what a command answers with.

use std::{
    io::{self, BufWriter, IsTerminal, Write},
    process::{Command, Stdio},
};

use crossterm::terminal;

use super::{
    failure::{Code, RunError},
    setup::Global,
};
use crate::{domain::text::write_json, edge::environment::Environment};

/// What shows long texts where the environment names nothing.
const PAGER: &str = "less";
/// How less is to behave unless its reader has said so: it ends by itself where all fits, shows colours, and leaves what
/// it has shown.
const LESS: &str = "FRX";

/// Prints a text. A reader that went away, as `head` does, is no error.
pub(super) fn say(text: &str) -> Result<(), RunError> {
    let mut stdout = io::stdout().lock();
    printed(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Prints a text, through the pager of the environment where a terminal has fewer lines. A pager that cannot be started
/// is none, and one that is left early is no error.
pub(super) fn page(text: &str, global: &Global) -> Result<(), RunError> {
    let lines = text.lines().count();
    let fits = terminal::size().is_ok_and(|(_, rows)| lines < usize::from(rows));
    if global.no_pager || fits || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return say(text);
    }
    let environment = Environment::of_process();
    let words = environment.get("PAGER").unwrap_or(PAGER);
    let mut words = words.split_whitespace();
    let Some(program) = words.next().filter(|word| *word != "cat").and_then(|word| environment.program(word)) else {
        return say(text);
    };
    let mut command = Command::new(program);
    // What its reader has set for less has the last word.
    command.args(words).env_clear().env("LESS", LESS).envs(environment.for_helpers()).stdin(Stdio::piped());
    command.envs(["LESS", "LESSCHARSET"].into_iter().filter_map(|name| Some((name, environment.get(name)?))));
    let Ok(mut pager) = command.spawn() else { return say(text) };
    if let Some(mut input) = pager.stdin.take() {
        drop(input.write_all(text.as_bytes()));
    }
    drop(pager.wait());
    Ok(())
}

/// Prints what was done, in lines for people, or as a document that holds these.
pub(super) fn tell_done(lines: &str, as_json: bool) -> Result<(), RunError> {
    if !as_json {
        return say(lines);
    }
    let said: Vec<&str> = lines.lines().collect();
    say_json(&serde_json::json!({ "format": "punchlist/said/1", "said": said }))
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
