//! `punchlist month`: a month is closed, shown, held against what it was, or opened again.

use clap::Subcommand;
use serde::Serialize;

use super::{
    failure::{Code, RunError},
    hours::{clock, finding_lines, put, text},
    print::{say, say_json},
    setup::Global,
};
use crate::{
    domain::{
        hours::{
            Period,
            document::FindingDocument,
            month::{Change, Close, Sealed},
        },
        text::Shown,
    },
    engine::hours::Reckoned,
};

/// What is done with a month.
#[derive(Subcommand)]
pub(super) enum Act {
    /// Seal a month's figures into the log, unless findings would make an invoice wrong that nobody has accepted
    Close {
        #[arg(value_name = "YYYY-MM", value_parser = Period::month)]
        month: Period,
        /// Let findings stand: their IDs, or `all`
        #[arg(long, value_name = "FINDING", num_args = 1.., value_delimiter = ',')]
        accept: Vec<String>,
        /// Why they may stand
        #[arg(long, value_name = "TEXT", requires = "accept", default_value = "", hide_default_value = true)]
        note: String,
    },
    /// Show a month as it was sealed
    Show {
        #[arg(value_name = "YYYY-MM", value_parser = Period::month)]
        month: Period,
    },
    /// Say what of a sealed month is other by now; exits with 2 if anything is
    Verify {
        #[arg(value_name = "YYYY-MM", value_parser = Period::month)]
        month: Period,
    },
    /// Open a sealed month, to be sealed anew; the log keeps what it was
    Reopen {
        #[arg(value_name = "YYYY-MM", value_parser = Period::month)]
        month: Period,
    },
}

/// A sealed month, and what of it is other by now.
#[derive(Serialize)]
struct Verified<'a> {
    #[serde(flatten)]
    sealed: &'a Sealed,
    unchanged: bool,
    changes: &'a [Change],
}

/// A month that is not sealed, since these are open.
#[derive(Serialize)]
struct Unsealed<'a> {
    format: &'static str,
    month: String,
    sealed_at: Option<()>,
    open: &'a [FindingDocument],
    findings: &'a [FindingDocument],
}

/// Tells how a close ended, and its exit code.
pub(super) fn tell_close(global: &Global, month: Period, reckoned: &Reckoned, close: &Close) -> Result<Code, RunError> {
    let styling = global.styling();
    match close {
        Close::Sealed(sealed) if global.json => say_json(sealed).map(|()| Code::Done),
        Close::Sealed(sealed) => {
            say(&text(&reckoned.document, &reckoned.missing, styling))?;
            let accepted = match sealed.accepted.len() {
                0 => String::new(),
                1 => ", 1 finding accepted".to_owned(),
                several => format!(", {several} findings accepted"),
            };
            say(&format!("\nSealed {month} as {}{accepted}.\n", Shown::of(&sealed.hash).clipped(16)))?;
            say(unrounded(sealed))?;
            Ok(Code::Done)
        }
        Close::Open(open) if global.json => {
            let findings = &reckoned.document.findings;
            say_json(&Unsealed { format: Sealed::FORMAT, month: month.to_string(), sealed_at: None, open, findings })?;
            Ok(Code::Waiting)
        }
        Close::Open(open) => {
            say(&text(&reckoned.document, &reckoned.missing, styling))?;
            say(&format!("\n{month} is not sealed: {} to mend or to accept first.\n\n", open.len()))?;
            say(&finding_lines(open, styling))?;
            say(&format!("\nAccept them with: punchlist month close {month} --accept ID… --note TEXT\n"))?;
            Ok(Code::Waiting)
        }
    }
}

/// Tells a month as it was sealed.
pub(super) fn tell_sealed(global: &Global, sealed: &Sealed) -> Result<(), RunError> {
    if global.json {
        return say_json(sealed);
    }
    say(&lines(sealed))
}

/// Tells what of a sealed month is other by now, and the exit code.
pub(super) fn tell_changes(global: &Global, sealed: &Sealed, changes: &[Change]) -> Result<Code, RunError> {
    let code = if changes.is_empty() { Code::Done } else { Code::Waiting };
    if global.json {
        say_json(&Verified { sealed, unchanged: changes.is_empty(), changes })?;
        return Ok(code);
    }
    if changes.is_empty() {
        say(&format!("{} is as it was sealed on {}.\n", Shown::of(&sealed.month), since(sealed)))?;
        return Ok(code);
    }
    let mut text = format!("{} is not what was sealed on {}:\n", Shown::of(&sealed.month), since(sealed));
    for change in changes {
        let ids = [&change.clockify_id, &change.page_id].map(|id| id.clone().unwrap_or_else(|| "none".to_owned()));
        put(&mut text, format_args!("  {} (Clockify {}, Notion {})\n", Shown::of(&change.words()), ids[0], ids[1]));
    }
    say(&text)?;
    Ok(code)
}

/// When a month was sealed, to the minute.
fn since(sealed: &Sealed) -> impl std::fmt::Display {
    sealed.sealed_at.strftime("%Y-%m-%d %H:%M UTC")
}

/// What is sealed where the workspace rounds in reports.
fn unrounded(sealed: &Sealed) -> &'static str {
    match sealed.rounded {
        Some(false) => "The figures are sealed as tracked, to the second, without the rounding of the workspace.\n",
        _ => "",
    }
}

fn lines(sealed: &Sealed) -> String {
    let Sealed { month, timezone, by, totals, clients, accepted, hash, .. } = sealed;
    let time = |seconds: Option<u64>| seconds.map_or_else(|| "?".to_owned(), clock);
    let mut text = format!(
        "{} in {}, sealed on {} by {}\n\n",
        Shown::of(month),
        Shown::of(timezone),
        since(sealed),
        Shown::of(by)
    );
    for client in clients {
        put(&mut text, format_args!("{:>10}  {}\n", time(client.figures.tracked_s), client.name));
        for project in client.children() {
            put(&mut text, format_args!("{:>10}    {}\n", time(project.figures.tracked_s), project.name));
        }
    }
    put(
        &mut text,
        format_args!("{:>10}  in all, {} of it billable\n", time(totals.tracked_s), time(totals.billable_s)),
    );
    for known in accepted {
        let note = if known.note.is_blank() { String::new() } else { format!(" — {}", known.note.shown()) };
        put(&mut text, format_args!("accepted by {}: {}{note}\n", Shown::of(&known.by), known.text));
    }
    text.push_str(unrounded(sealed));
    put(&mut text, format_args!("hash {}\n", Shown::of(hash)));
    text
}
