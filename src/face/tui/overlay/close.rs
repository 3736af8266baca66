//! Close the month? What is found in it is let stand with a note; without errors, Enter is enough.

use ratatui::text::Line;

use super::Sheet;
use crate::{
    domain::{
        hours::{Severity, document::FindingDocument, month::Accepting},
        text::Shown,
    },
    face::tui::{
        effect::{Effect, Order},
        pieces::count,
        state::{State, timesheet::TimeOrder},
        theme::Theme,
    },
};

/// Columns of what a finding says.
const TEXT_COLUMNS: usize = 90;

/// Has the month sealed, and what is shown of its findings let stand where there is a note.
///
/// # Errors
/// Why it is not, safe to show.
pub(super) fn close(state: &mut State, note: String) -> Result<Option<Effect>, String> {
    let errors = state.hours.found(Severity::Error).count();
    if errors > 0 && note.is_empty() {
        return Err(format!("{}: say why, or esc", count(errors, "error stands", "errors stand")));
    }
    let shown = state.hours.found(Severity::Error).chain(state.hours.found(Severity::Warning));
    let findings = shown.filter(|_| !note.is_empty()).map(|finding| finding.id.clone()).collect();
    let Some(reckoned) = &state.hours.reckoned else { return Ok(None) };
    let order = TimeOrder::Close { month: reckoned.period, accepting: Accepting { findings, note } };
    state.overlay = None;
    Ok(Some(Effect::Order(Order::Time(state.hours.ask(order)))))
}

pub(super) fn sheet(state: &State) -> Sheet {
    let month = state.hours.reckoned.as_ref().map(|reckoned| reckoned.period.to_string()).unwrap_or_default();
    let scroll = state.prompt.as_ref().map_or(0, |prompt| u16::try_from(prompt.line).unwrap_or(u16::MAX));
    Sheet { title: format!("Close {month}?"), lines: lines(state), scroll, ..Sheet::default() }
}

fn lines(state: &State) -> Vec<Line<'static>> {
    let theme = state.theme;
    let [errors, warnings] = [Severity::Error, Severity::Warning].map(|severity| state.hours.found(severity).count());
    let mut lines = Vec::new();
    let found = [count(errors, "error", "errors"), count(warnings, "warning", "warnings")].join(" and ");
    lines.push(Line::styled(format!(" {found}. "), if errors > 0 { theme.bad() } else { Theme::bold() }));
    let what = match (errors, warnings) {
        (0, 0) => " Enter seals the figures into the log. Esc goes back. ",
        (0, _) => " Enter seals the figures into the log; a note is kept with the warnings. Esc goes back. ",
        _ => " An error keeps it open until it is mended, or a note says why it may stand. Esc goes back. ",
    };
    lines.push(Line::raw(what));
    lines.push(Line::styled(" Both sides and the reports are read once more first. ", theme.dim()));
    lines.push(Line::default());
    for (severity, style) in [(Severity::Error, theme.bad()), (Severity::Warning, theme.alert())] {
        lines.extend(state.hours.found(severity).map(|found| finding_line(found, style)));
    }
    lines
}

fn finding_line(found: &FindingDocument, style: ratatui::style::Style) -> Line<'static> {
    let FindingDocument { id, severity, text, .. } = found;
    Line::styled(format!("  {severity:<8} {}  {} ", text.clipped(TEXT_COLUMNS), Shown::of(id).clipped(12)), style)
}
