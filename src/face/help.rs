//! What stands below the help of the program: examples, files, variables of the environment and exit codes.

use std::path::PathBuf;

use crate::edge::{config::default_file, store::default_dir};

/// Below the short help.
pub(super) const SHORT: &str = "`punchlist --help` has examples, files, variables and exit codes; `punchlist COMMAND --help` says more \
                                of a command.";

const EXAMPLES: &str = "\
Examples:
  punchlist --demo                    look around without any account
  punchlist init                      set up, by a few questions
  punchlist                           review what differs, and apply what you approve
  punchlist --auto-approve            apply what policy approves, as in a nightly run
  punchlist plan --client Acme        what would be done for one client
  punchlist pending                   what waits for you
  punchlist explain \"Old intranet\"    why the plan says what it says about it
  punchlist undo                      take back the last run, after a review
  punchlist hours --month 2026-10     what was tracked, against what is planned
";

const VARIABLES: &str = "\
Environment:
  PUNCHLIST_CONFIG            the configuration file
  PUNCHLIST__SECTION__KEY     sets a key of it, e.g. PUNCHLIST__NOTION__TOKEN=env:NOTION_TOKEN
  NO_COLOR, TERM=dumb         no colour, unless --color says otherwise
  ACCESSIBLE                  as --plain, unless it is 0
  PAGER, LESS                 how long texts are shown; PAGER=cat shows them at once
  HTTPS_PROXY, ALL_PROXY      the way to both services
";

/// The exit codes, each with what it says.
const CODES: &str = "\
Exit codes:
   0  in sync, or everything was applied; of what only looks, that it has
   1  an error: a service refused a change, or not everything could be read
   2  changes wait; with plan --detailed-exitcode, there are changes
   3  a brake held something
   4  interrupted or partly applied: run again to go on
   5  another run holds the lock
   6  the state cannot be used
   7  credentials or identity were refused
   8  a write has an unknown outcome that needs a person
  64  wrong usage
  75  a service takes no more requests for now: try later
  78  the configuration cannot be used
  Of several, the first of 78, 7, 6, 5, 1, 8, 4, 75, 3, 2, 0 is returned.
";

/// Below the help at length, with the places of this machine.
pub(super) fn here() -> String {
    let shown = |path: Option<PathBuf>| {
        path.map_or_else(|| "nowhere: HOME is not set".to_owned(), |path| path.display().to_string())
    };
    at_length(&shown(default_file()), &shown(default_dir()))
}

/// The same for every machine.
pub(super) fn anywhere() -> String {
    at_length(
        "punchlist/config.toml in the configuration directory of the platform, on Linux ~/.config",
        "punchlist in the state directory of the platform, on Linux ~/.local/state",
    )
}

fn at_length(configuration: &str, state: &str) -> String {
    let files = format!(
        "Files:\n  configuration  {configuration}\n  state          {state}\n  `punchlist man --keys` prints a configuration \
         with every key.\n"
    );
    [EXAMPLES, &files, VARIABLES, CODES].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;

    #[test]
    fn every_exit_code_is_listed() {
        let rows = CODES.lines().filter_map(|line| line.strip_prefix("  ")?.trim_start().split_once("  "));
        let listed: Vec<String> = rows.map(|(number, _)| number.to_owned()).collect();
        let mut codes = Code::RANKED.to_vec();
        codes.push(Code::Usage);
        codes.sort_unstable();
        assert_eq!(listed, codes.into_iter().map(|code| u8::from(code).to_string()).collect::<Vec<_>>());
        let ranks: Vec<String> = Code::RANKED.iter().map(|code| u8::from(*code).to_string()).collect();
        assert!(CODES.contains(&ranks.join(", ")));
    }
}
