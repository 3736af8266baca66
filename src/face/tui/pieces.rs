//! Pieces that several views draw.

use ratatui::{style::Style, text::Line};

use super::{
    command::{Command, Tab},
    keymap::Keymap,
    state::State,
    theme::Theme,
};
use crate::{
    domain::{
        model::{Kind, Service},
        report::Report,
    },
    face::text::{self, Styling},
};

/// A number of things.
pub(crate) fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A line in the style of the one that is chosen, or of the others.
pub(crate) fn choice(text: String, chosen: bool) -> Line<'static> {
    Line::styled(text, if chosen { Theme::cursor() } else { Style::new() })
}

/// A line in the one style of the cursor: what its parts would be dressed in does not show in it.
pub(crate) fn under_cursor(line: &Line<'_>) -> Line<'static> {
    Line::styled(line.spans.iter().map(|span| span.content.as_ref()).collect::<String>(), Theme::cursor())
}

/// How much is done, in so many cells.
pub(crate) fn bar(state: &State, done: usize, all: usize, cells: usize) -> String {
    let filled = done.saturating_mul(cells).checked_div(all).unwrap_or(cells).min(cells);
    format!("{}{}", state.theme.pick("█", "#").repeat(filled), state.theme.pick("░", ".").repeat(cells - filled))
}

/// Turns while something goes on.
pub(crate) fn spinner(state: &State) -> &'static str {
    let unicode = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"];
    let ascii = ["|", "/", "-", "\\"];
    if state.theme.unicode { unicode[state.ticks % unicode.len()] } else { ascii[state.ticks % ascii.len()] }
}

/// How far each side has been read.
pub(crate) fn reading(state: &State) -> Vec<Line<'static>> {
    let line = |service: Service| {
        let rows = |kind| state.reading.rows.get(&(service, kind)).map(|rows| format!("{rows} {}", Kind::plural(kind)));
        let counts: Vec<String> = Kind::ALL.into_iter().filter_map(rows).collect();
        let counts = if counts.is_empty() { "…".to_owned() } else { counts.join(", ") };
        let mark = if state.reading.read.contains(&service) { state.theme.pick("✓", "ok") } else { spinner(state) };
        Line::raw(format!("  {mark} reading {service}: {counts}"))
    };
    let mut lines = vec![line(Service::Notion), line(Service::Clockify)];
    if state.reading.of_rest {
        lines.insert(0, Line::raw(format!("  reading what is left, {} so far:", state.reading.cost())));
    }
    lines
}

/// What a run did, and the key that goes on with what is left.
pub(crate) fn report_lines(state: &State, keymap: &Keymap, report: &Report) -> Vec<Line<'static>> {
    let styling = Styling { colour: false, unicode: state.theme.unicode };
    let on = format!("{} has them", keymap.first(Command::Tab(Tab::Review)));
    text::report_and(report, &on, styling).lines().map(|line| Line::raw(format!("  {line}"))).collect()
}
