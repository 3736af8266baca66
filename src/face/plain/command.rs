//! What a typed line asks for. Prompt, help and dispatch are made from one table, so they cannot disagree. Pure.

use crate::domain::text::Shown;

/// Columns of a line that is quoted back.
const QUOTED_COLUMNS: usize = 40;

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Approve,
    Skip,
    Ignore,
    /// With a note; without one it is asked for.
    Flag(Option<String>),
    Clear,
    /// 0 is the proposal, then come the other ways.
    Way(usize),
    /// A field is left alone, or taken in again.
    Field(String),
    /// Another value for a field.
    Edit(String, String),
    Undo,
    Back,
    Next,
    /// The changes, beginning with this one.
    List(usize),
    Go(usize),
    Notices,
    ApproveReady,
    Apply,
    Quit,
    Help,
}

impl Command {
    /// True for those that decide or apply something.
    pub(super) fn writes(&self) -> bool {
        match self {
            Self::Back | Self::Next | Self::List(_) | Self::Go(_) | Self::Notices | Self::Quit | Self::Help => false,
            Self::Approve
            | Self::Skip
            | Self::Ignore
            | Self::Flag(_)
            | Self::Clear
            | Self::Way(_)
            | Self::Field(_)
            | Self::Edit(..)
            | Self::Undo
            | Self::ApproveReady
            | Self::Apply => true,
        }
    }
}

/// What can be done where the review stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offer {
    /// A change is at hand, not only the end of the list.
    pub(super) change: bool,
    pub(super) held: bool,
    pub(super) decided: bool,
    /// The change can be mended in other ways.
    pub(super) ways: bool,
    /// It has fields that can be left alone or typed.
    pub(super) fields: bool,
    pub(super) notices: bool,
}

struct PromptCommand {
    /// What is typed, the short form first. Case tells `a` from `A`.
    words: [&'static str; 2],
    prompt: &'static str,
    help: &'static str,
    offered: fn(Offer) -> bool,
    /// Makes the command of what follows the word.
    make: fn(&str) -> Result<Command, String>,
}

const TABLE: [PromptCommand; 18] = [
    PromptCommand {
        words: ["a", "approve"],
        prompt: "(a)pprove",
        help: "approve this change, along with what it needs",
        offered: |offer| offer.change && !offer.held,
        make: |rest| alone(rest, Command::Approve),
    },
    PromptCommand {
        words: ["s", "skip"],
        prompt: "(s)kip",
        help: "leave it alone in this run",
        offered: |offer| offer.change,
        make: |rest| alone(rest, Command::Skip),
    },
    PromptCommand {
        words: ["i", "ignore"],
        prompt: "(i)gnore for good",
        help: "leave it alone as long as it proposes the same",
        offered: |offer| offer.change,
        make: |rest| alone(rest, Command::Ignore),
    },
    PromptCommand {
        words: ["f", "flag"],
        prompt: "(f)lag",
        help: "leave it for somebody to look at; a note may follow",
        offered: |offer| offer.change,
        make: |rest| Ok(Command::Flag((!rest.is_empty()).then(|| rest.to_owned()))),
    },
    PromptCommand {
        words: ["c", "clear"],
        prompt: "(c)lear",
        help: "take the decision about this change back",
        offered: |offer| offer.decided,
        make: |rest| alone(rest, Command::Clear),
    },
    PromptCommand {
        words: ["w", "way"],
        prompt: "(w)ay N",
        help: "choose another way to mend it, by its number; 0 is the proposal",
        offered: |offer| offer.ways,
        make: |rest| Ok(Command::Way(number(rest)?)),
    },
    PromptCommand {
        words: ["e", "edit"],
        prompt: "(e)dit FIELD VALUE",
        help: "write another value for a field of this change",
        offered: |offer| offer.fields,
        make: |rest| match rest.split_once(char::is_whitespace) {
            Some((field, value)) => Ok(Command::Edit(field.to_owned(), value.trim().to_owned())),
            None => Err("takes a field and its value after it, e.g. e name Web shop; nothing was done".to_owned()),
        },
    },
    PromptCommand {
        words: ["t", "take"],
        prompt: "(t)ake or leave FIELD",
        help: "leave a field of this change alone, or take it in again",
        offered: |offer| offer.fields,
        make: |rest| {
            let missing = || "takes a field after it, e.g. t billable; nothing was done".to_owned();
            Some(rest).filter(|rest| !rest.is_empty()).map(|rest| Command::Field(rest.to_owned())).ok_or_else(missing)
        },
    },
    PromptCommand {
        words: ["u", "undo"],
        prompt: "(u)ndo",
        help: "take the last decision or choice of this session back",
        offered: |_| true,
        make: |rest| alone(rest, Command::Undo),
    },
    PromptCommand {
        words: ["b", "back"],
        prompt: "(b)ack",
        help: "go to the change before this one",
        offered: |_| true,
        make: |rest| alone(rest, Command::Back),
    },
    PromptCommand {
        words: ["n", "next"],
        prompt: "(n)ext",
        help: "leave it as it is and go to the next undecided change; an empty line does the same",
        offered: |_| true,
        make: |rest| alone(rest, Command::Next),
    },
    PromptCommand {
        words: ["l", "list"],
        prompt: "(l)ist",
        help: "list all changes with what is decided; a number says from which one on",
        offered: |_| true,
        make: |rest| Ok(Command::List(if rest.is_empty() { 1 } else { number(rest)? })),
    },
    PromptCommand {
        words: ["g", "go"],
        prompt: "(g)o N",
        help: "go to a change by its number",
        offered: |_| true,
        make: |rest| Ok(Command::Go(number(rest)?)),
    },
    PromptCommand {
        words: ["N", "notices"],
        prompt: "(N)otices",
        help: "list what there is to know that changes nothing",
        offered: |offer| offer.notices,
        make: |rest| alone(rest, Command::Notices),
    },
    PromptCommand {
        words: ["A", "approve-all"],
        prompt: "(A)pprove all ready left",
        help: "approve every undecided change that is ready",
        offered: |_| true,
        make: |rest| alone(rest, Command::ApproveReady),
    },
    PromptCommand {
        words: ["P", "apply"],
        prompt: "(P)apply",
        help: "apply what is approved, after one more question",
        offered: |_| true,
        make: |rest| alone(rest, Command::Apply),
    },
    PromptCommand {
        words: ["q", "quit"],
        prompt: "(q)uit",
        help: "leave; what was decided is kept, and nothing is applied",
        offered: |_| true,
        make: |rest| alone(rest, Command::Quit),
    },
    PromptCommand {
        words: ["?", "help"],
        prompt: "(?)help",
        help: "this",
        offered: |_| true,
        make: |rest| alone(rest, Command::Help),
    },
];

/// What a line asks for; otherwise why it asks for nothing, in one line.
pub(super) fn parse(line: &str) -> Result<Command, Shown> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Command::Next);
    }
    // `w2` is as good as `w 2`.
    let end = line.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let Some(row) = TABLE.iter().find(|row| row.words.contains(&word)) else {
        return Err(format!("“{}” is no command; ? lists them", Shown::of(line).clipped(QUOTED_COLUMNS)).into());
    };
    (row.make)(rest.trim()).map_err(|because| format!("{word} {because}").into())
}

fn alone(rest: &str, command: Command) -> Result<Command, String> {
    if rest.is_empty() { Ok(command) } else { Err("takes nothing after it; nothing was done".to_owned()) }
}

fn number(rest: &str) -> Result<usize, String> {
    rest.parse().map_err(|_| "takes one number after it; nothing was done".to_owned())
}

/// The prompt where the review stands.
pub(super) fn prompt(offer: Offer) -> String {
    let offered: Vec<&str> = TABLE.iter().filter(|row| (row.offered)(offer)).map(|row| row.prompt).collect();
    format!("{} > ", offered.join(" "))
}

/// Every command, a line each.
pub(super) fn help() -> String {
    let rows =
        TABLE.iter().map(|PromptCommand { words: [short, long], help, .. }| format!("{short} or {long}: {help}"));
    rows.collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_typed() {
        for (line, command) in [
            ("a", Command::Approve),
            (" approve ", Command::Approve),
            ("A", Command::ApproveReady),
            ("", Command::Next),
            ("w 2", Command::Way(2)),
            ("w2", Command::Way(2)),
            ("g12", Command::Go(12)),
            ("l", Command::List(1)),
            ("l 101", Command::List(101)),
            ("f", Command::Flag(None)),
            ("f ask Anna, 2 rates", Command::Flag(Some("ask Anna, 2 rates".to_owned()))),
            ("?", Command::Help),
        ] {
            assert_eq!(parse(line), Ok(command), "{line:?}");
        }
    }

    #[test]
    fn what_is_not_quite_a_command_does_nothing() {
        for line in [
            "approve all",
            "a\u{1b}[A",
            "S",
            "p",
            "w",
            "w two",
            "w -1",
            "g 99999999999999999999999",
            "q!",
            "yes",
            "\u{1b}[A",
        ] {
            let answer = parse(line).expect_err(line);
            assert!(!answer.contains(['\u{1b}', '\n']), "{answer:?}");
        }
    }

    #[test]
    fn a_held_change_is_not_offered_for_approval() {
        let offer = Offer { change: true, ..Offer::default() };
        assert!(prompt(offer).starts_with("(a)pprove (s)kip"));
        assert!(prompt(Offer { held: true, ..offer }).starts_with("(s)kip"));
        assert!(prompt(Offer::default()).starts_with("(u)ndo"));
    }
}
