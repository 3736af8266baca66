//! `punchlist` where nothing is set up yet: what can be done about it.

use std::io::{self, IsTerminal};

use crate::{
    domain::text::Shown,
    edge::config::{Loader, first::Place},
    face::{failure::RunError, manual::CONFIGURATION, print::say, setup::Global},
};

/// What somebody wants who has nothing set up.
pub(in crate::face) enum Wish {
    /// To look at the sample agency.
    Demo,
    /// To be asked.
    SetUp,
    /// A file was written, or nothing is wanted.
    Nothing,
}

/// Asks what somebody wants who starts for the first time; nothing where something is set up, or nobody can be asked.
pub(in crate::face) fn welcome(global: &Global, loader: &Loader) -> Result<Option<Wish>, RunError> {
    let can_ask = io::stdin().is_terminal() && io::stdout().is_terminal() && !global.no_input && !global.json;
    let is_new = loader.place().is_some_and(|file| !file.exists())
        && loader.load_without_file().is_ok_and(|settings| settings.notion.token.is_none());
    if global.demo || !can_ask || !is_new {
        return Ok(None);
    }
    let file = loader.place().unwrap_or_default();
    say(&format!(
        "punchlist is not set up yet.\n   1  look around in a sample agency; it needs no account (punchlist --demo)\n   2  set up, by \
         a few questions (punchlist init)\n   3  write a file to fill in by hand: {}\n",
        Shown::of(&file.display().to_string())
    ))?;
    loop {
        say("What shall it be? [2] > ")?;
        // Read here and now: what comes next has the input to itself.
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            say("\n")?;
            return Ok(Some(Wish::Nothing));
        }
        match line.trim() {
            "1" => return Ok(Some(Wish::Demo)),
            "" | "2" => return Ok(Some(Wish::SetUp)),
            "3" => {
                Place::take(&file).and_then(|place| place.make(CONFIGURATION))?;
                say("It is written, and says what each key means; then run `punchlist plan`.\n")?;
                return Ok(Some(Wish::Nothing));
            }
            _ => say("a number from 1 to 3, please\n")?,
        }
    }
}
