//! `punchlist doctor`: whether everything is as a run needs it, and what mends it where it is not.

use anstyle::AnsiColor;
use serde::Serialize;

use super::{
    failure::RunError,
    print::{say, say_json},
    progress::ProgressLine,
    setup::{Global, Setup},
    stop,
    text::{Styling, put},
};
use crate::domain::{
    checkup::{Check, Checkup, FORMAT, Verdict},
    text::Shown,
};

/// Columns of a line.
const COLUMNS: usize = 80;
/// Columns before what was found.
const INDENT: usize = 21;
/// Exit code where something is broken.
const BROKEN: u8 = 1;

/// `punchlist/doctor/1`. Fields are only ever added.
#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    verdict: Verdict,
    checks: &'a [Check],
    /// What was mended before anything was looked at.
    mended: &'a [Shown],
}

/// Looks at everything; with `fix` it mends first what is safe to mend on this machine.
pub(super) async fn doctor(global: &Global, fix: bool) -> Result<u8, RunError> {
    let (setup, config) = Setup::load_leniently(global).await?;
    let installation = &setup.installation;
    let mended = if fix { installation.mend().await } else { Vec::new() };
    // A look makes no state where there is none.
    if installation.directory.exists() {
        installation.diagnose(global.verbose);
    }
    let progress = ProgressLine::new(global.quiet, global.verbose > 0);
    progress.beat();
    let checkup = installation.check_up(&config, stop::listening()?, progress.watch()).await;
    progress.clear();
    let checkup = checkup?;
    if global.json {
        say_json(&Document { format: FORMAT, verdict: checkup.verdict(), checks: &checkup.checks, mended: &mended })?;
    } else {
        say(&text(&checkup, &mended, global.styling()))?;
    }
    Ok(if checkup.verdict() == Verdict::Fail { BROKEN } else { 0 })
}

fn text(checkup: &Checkup, mended: &[Shown], styling: Styling) -> String {
    let mut text = String::new();
    for what in mended {
        put(&mut text, format_args!("{}\n", hanging("mended: ", what.as_str(), 8)));
    }
    for check in &checkup.checks {
        put(&mut text, format_args!("{}", told(check, styling)));
    }
    let counts = [
        (Verdict::Fail, "failed"),
        (Verdict::Warn, "to know of"),
        (Verdict::Ok, "ok"),
        (Verdict::Skip, "not looked at"),
    ];
    let counts = counts.map(|(verdict, words)| (checkup.count(verdict), words));
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}"));
    let headline = match checkup.verdict() {
        Verdict::Fail => "Something is broken:",
        Verdict::Warn => "Runs work:",
        Verdict::Ok | Verdict::Skip => "All is well:",
    };
    put(&mut text, format_args!("\n{} {}.\n", styling.bold(headline), counts.collect::<Vec<_>>().join(", ")));
    text
}

/// One line for what is well; what is not is told in full, with what mends it.
fn told(check: &Check, styling: Styling) -> String {
    let (symbol, ascii, colour) = match check.verdict {
        Verdict::Ok => ("✓", "+", AnsiColor::Green),
        Verdict::Warn => ("!", "!", AnsiColor::Yellow),
        Verdict::Fail => ("✗", "x", AnsiColor::Red),
        Verdict::Skip => ("·", "-", AnsiColor::BrightBlack),
    };
    let symbol = styling.paint(colour.on_default(), if styling.unicode { symbol } else { ascii });
    let name = check.code.word().replace('_', " ");
    let begin = format!("{symbol} {name}{}", " ".repeat((INDENT - 2).saturating_sub(name.len())));
    if matches!(check.verdict, Verdict::Ok | Verdict::Skip) {
        return format!("{begin}{}\n", check.text.clipped(COLUMNS - INDENT));
    }
    let mut text = format!("{}\n", hanging(&begin, check.text.as_str(), INDENT));
    let indent = " ".repeat(INDENT);
    if let Some(mend) = &check.mend {
        let begin = format!("{indent}{} ", styling.arrow());
        put(&mut text, format_args!("{}\n", hanging(&begin, mend.as_str(), INDENT + 2)));
    }
    if let Some(place) = &check.place {
        put(&mut text, format_args!("{}\n", hanging(&format!("{indent}at "), place.as_str(), INDENT + 3)));
    }
    text
}

/// A text after its beginning, in lines that fit, the later ones as far in as the first one begins.
fn hanging(begin: &str, text: &str, indent: usize) -> String {
    let (mut lines, mut line) = (String::from(begin), 0);
    for word in text.split(' ') {
        let width = Shown::of(word).width();
        if line > 0 && indent + line + 1 + width > COLUMNS {
            put(&mut lines, format_args!("\n{}", " ".repeat(indent)));
            line = 0;
        }
        if line > 0 {
            lines.push(' ');
            line += 1;
        }
        lines.push_str(word);
        line += width;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::CheckCode;

    #[test]
    fn what_is_well_takes_a_line_and_the_rest_fits() {
        let styling = Styling { colour: false, unicode: true };
        let long = "a word and another ".repeat(12);
        let well = told(&Check::ok(CheckCode::NotionIdentity, long.as_str()), styling);
        assert_eq!(well.lines().count(), 1);
        let ill =
            told(&Check::fail(CheckCode::NotionIdentity, long.trim(), long.trim()).at(Some("config.toml:3")), styling);
        for line in well.lines().chain(ill.lines()) {
            assert!(Shown::of(line).width() <= COLUMNS, "{line}");
        }
        let words: Vec<&str> = ill.split_whitespace().collect();
        assert_eq!(words.iter().filter(|word| **word == "another").count(), 24);
        assert!(ill.contains("\n                     → a word") && ill.ends_with("at config.toml:3\n"), "{ill}");
    }
}
