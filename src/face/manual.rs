//! Completions for shells and pages for `man`, both from the command line itself.

use std::path::Path;

use clap::Command;
use clap_complete::Shell;

use super::{
    failure::{Code, RunError},
    print::say,
};
use crate::edge::saved;

/// A configuration that documents every key, to fill in by hand.
pub(super) const CONFIGURATION: &str = include_str!("../../config.example.toml");

/// Where the pages belong, in words.
const MANUAL: &str = "punchlist manual";

/// What the pages describe.
const SOURCE: &str = concat!("punchlist ", env!("CARGO_PKG_VERSION"));

/// Prints the completions for a shell.
pub(super) fn completions(shell: Shell, mut command: Command) -> Result<(), RunError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "punchlist", &mut script);
    say(&String::from_utf8_lossy(&script))
}

/// Prints the page of the program, or writes it and one for each verb into a directory.
pub(super) fn man(out: Option<&Path>, command: Command) -> Result<(), RunError> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let pages = pages(&command)?;
    let Some(out) = out else {
        return say(pages.first().map_or("", |(_, page)| page));
    };
    saved::publish(out, &pages)
        .map_err(|error| RunError::new(Code::Error, format!("could not write to {}: {error}", out.display())))?;
    say(&format!("{} pages were written to {}.\n", pages.len(), out.display()))
}

/// The page of a command, and those of what is below it, each with the name of its file.
fn pages(command: &Command) -> Result<Vec<(String, String)>, RunError> {
    // An argument that is empty would be left out, and the next one taken for the date.
    let page = clap_mangen::Man::new(command.clone()).manual(MANUAL).source(SOURCE).date(" ");
    let (name, mut text) = (page.get_filename(), Vec::new());
    page.render(&mut text)?;
    let mut pages = vec![(name, tidy(&String::from_utf8_lossy(&text)))];
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages.extend(self::pages(below)?);
    }
    Ok(pages)
}

/// A page without what makes formatters complain: line breaks around an empty line, and blanks at the end of lines.
fn tidy(page: &str) -> String {
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    lines.join("\n").replace("\n.br\n\n.br\n", "\n.sp\n") + "\n"
}
