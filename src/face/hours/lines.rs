//! Hours as lines: findings first, then the tree with bars of what is used up of what is planned.

use std::fmt::Write as _;

use anstyle::AnsiColor;

use crate::{
    domain::{
        hours::{
            Period,
            document::{Document, FindingDocument, NodeDocument, Totals},
        },
        model::Kind,
        text::Shown,
    },
    face::text::Styling,
};

/// Columns of a name with its indent.
const NAME_COLUMNS: usize = 40;
/// Columns of a bar.
const BAR_COLUMNS: usize = 10;

/// Hours and minutes, and seconds where there are some: `12:30`, `0:00:07`.
pub(in crate::face) fn clock(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest == 0 { format!("{hours}:{minutes:02}") } else { format!("{hours}:{minutes:02}:{rest:02}") }
}

/// The period of a document in words.
pub(in crate::face) fn period_of(document: &Document) -> String {
    Period::new(document.from, document.to)
        .map_or_else(|_| format!("{} to {}", document.from, document.to), |period| period.to_string())
}

fn cell(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "?".to_owned(), clock)
}

/// A document for people.
pub(in crate::face) fn text(document: &Document, missing: &[&str], styling: Styling) -> String {
    let mut text = String::new();
    let heading = format!("Hours of {}, {}", period_of(document), Shown::of(&document.timezone));
    put(&mut text, format_args!("{}\n\n", styling.bold(heading)));
    if !document.findings.is_empty() {
        text.push_str(&findings(&document.findings, styling));
        text.push('\n');
    }
    let with_rounded = differs_rounded(document);
    let head = if with_rounded { format!(" {:>10} {:>10}", "rounded", "billable") } else { String::new() };
    let head = format!("{:NAME_COLUMNS$} {:>10} {:>10}{head}  planned", "", "tracked", "billable");
    put(&mut text, format_args!("{head}\n"));
    for client in &document.clients {
        node(&mut text, client, 0, with_rounded, styling);
    }
    let Totals { unapproved_s, uninvoiced_s, .. } = document.totals;
    let total = format!("{:NAME_COLUMNS$}{}", "Total", times(document.totals, with_rounded));
    put(&mut text, format_args!("{}\n", styling.bold(total)));
    for (what, seconds) in [("not approved", unapproved_s), ("not marked as invoiced", uninvoiced_s)] {
        if let Some(seconds) = seconds {
            put(&mut text, format_args!("{what:NAME_COLUMNS$} {:>10}\n", clock(seconds)));
        }
    }
    if let Some(rounding) = document.rounding.filter(|_| with_rounded) {
        put(&mut text, format_args!("\nRounded: in reports the workspace rounds each entry {rounding}.\n"));
    }
    if !document.complete || !missing.is_empty() {
        text.push('\n');
    }
    if !document.complete {
        text.push_str("Not everything was seen: these figures may lack time, or names.\n");
    }
    for what in missing {
        put(&mut text, format_args!("Not available: {what}.\n"));
    }
    text
}

/// True where rounding makes anything of a period another time.
pub(super) fn differs_rounded(document: &Document) -> bool {
    fn differs(node: &NodeDocument) -> bool {
        node.figures.rounded().is_some() || node.children().iter().any(differs)
    }
    document.totals.rounded().is_some() || document.clients.iter().any(differs)
}

/// What was tracked and what of it is billable, then both rounded.
fn times(figures: Totals, with_rounded: bool) -> String {
    let mut text = format!(" {:>10} {:>10}", cell(figures.tracked_s), cell(figures.billable_s));
    if with_rounded {
        put(&mut text, format_args!(" {:>10} {:>10}", cell(figures.rounded_s), cell(figures.rounded_billable_s)));
    }
    text
}

/// Findings, a line each with its ID.
pub(in crate::face) fn findings(found: &[FindingDocument], styling: Styling) -> String {
    let mut text = String::new();
    for FindingDocument { id, severity, code, text: said, .. } in found {
        let colour = match severity.as_str() {
            "error" => AnsiColor::Red,
            "warning" => AnsiColor::Yellow,
            _ => AnsiColor::Cyan,
        };
        let word = styling.paint(colour.on_default(), format_args!("{severity:7}"));
        let said = Shown::of(said);
        put(&mut text, format_args!("{word} {} {said} [{code}]\n", Shown::of(id)));
    }
    text
}

fn node(text: &mut String, of: &NodeDocument, level: usize, with_rounded: bool, styling: Styling) {
    let name = of.name.clipped(NAME_COLUMNS - 2 * level);
    let pad = NAME_COLUMNS - 2 * level - name.width();
    let name = if of.kind() == Kind::Client { styling.bold(&name) } else { name.to_string() };
    put(text, format_args!("{:indent$}{name}{:pad$}", "", "", indent = 2 * level));
    text.push_str(&times(of.figures, with_rounded));
    if let Some(planned) = of.planned_s.filter(|_| of.planned_is_sum) {
        put(text, format_args!("  {} planned below", clock(planned)));
    } else if let (Some(planned), Some(total)) = (of.planned_s, of.total_s) {
        put(text, format_args!("  {} {} of {} in all", bar(total, planned, styling), clock(total), clock(planned)));
    } else if let Some(planned) = of.planned_s {
        put(text, format_args!("  {}", clock(planned)));
    }
    text.push('\n');
    // One line that only says again that a project's time has no task says nothing.
    let below = of.children();
    if below.iter().any(|child| child.clockify_id.is_some()) || level == 0 {
        for child in below {
            node(text, child, level + 1, with_rounded, styling);
        }
    }
}

/// How much is used up: `█████░░░░░  50 %`.
fn bar(total: u64, planned: u64, styling: Styling) -> String {
    let percent = total.saturating_mul(100) / planned.max(1);
    let full =
        usize::try_from(percent).unwrap_or(usize::MAX).saturating_mul(BAR_COLUMNS).div_ceil(100).min(BAR_COLUMNS);
    let (used, left) = if styling.unicode { ("█", "░") } else { ("#", ".") };
    let drawn = format!("{}{}", used.repeat(full), left.repeat(BAR_COLUMNS - full));
    let colour = match percent {
        101.. => AnsiColor::Red,
        80.. => AnsiColor::Yellow,
        _ => AnsiColor::Green,
    };
    format!("{} {percent:>3} %", styling.paint(colour.on_default(), drawn))
}

/// Writing to a string cannot fail.
pub(in crate::face) fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).unwrap_or_default();
}
