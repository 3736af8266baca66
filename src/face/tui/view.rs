//! The state as a frame. Reads, and changes nothing; draws only what is in the window.

mod detail;
mod popup;
mod rows;

use ratatui::{
    Frame,
    style::Style,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{
    keys::{self, TABLE},
    layout::{WIDE, layout},
    state::{Phase, State, Tab},
    theme::Theme,
};
use crate::{
    domain::{
        model::{Kind, Service},
        report::Report,
        text::Display,
    },
    face::text::{self, Dress},
};

/// Below this the console says that it has no room.
const SMALLEST: (u16, u16) = (40, 10);
/// Hints in the footer at the most.
const HINTS_MAX: usize = 7;

/// Draws the state.
pub(crate) fn view(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    // The terminal may have another size than the state knows of: the message about that is on its way.
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 || (area.width, area.height) != state.size {
        frame.render_widget(Paragraph::new("too small; q leaves"), area);
        return;
    }
    let places = layout(state.size, state.detail);
    frame.render_widget(header(state), places.header);
    frame.render_widget(tabs(state), places.tabs);
    let body = places.body;
    match state.tab {
        Tab::Review if state.review.is_some() => {
            rows::draw(state, frame, places.tree);
            if places.detail.height > 0 {
                detail::draw(state, frame, places.detail);
            }
        }
        Tab::Review => frame.render_widget(waiting(state), body),
        Tab::Apply => frame.render_widget(apply(state, body.height), body),
        Tab::Runs => frame.render_widget(runs(state, body.height), body),
    }
    frame.render_widget(footer(state, places.footer.width), places.footer);
    popup::draw(state, frame, body, places.toast);
}

fn header(state: &State) -> Line<'static> {
    let theme = state.theme;
    let mut spans = vec![Span::styled(" punchlist ", Theme::bold())];
    for service in [Service::Notion, Service::Clockify] {
        let mark = match (&state.phase, state.read.contains(&service)) {
            (_, true) => theme.pick("✓", "ok"),
            (Phase::Reading, false) => spinner(state),
            (_, false) => "-",
        };
        spans.push(Span::raw(format!("  {service} {mark}")));
    }
    if let Some(plan) = state.plan() {
        let tally = state.tally;
        if state.size.0 >= WIDE {
            spans.push(Span::raw(format!("   plan {}", &plan.hash[..plan.hash.len().min(8)])));
        }
        let bar = bar(state, tally.decided, tally.changes, 10);
        spans.push(Span::raw(format!("   decided {}/{} {bar}  {} approved", tally.decided, tally.changes, tally.approved)));
    }
    Line::from(spans)
}

fn bar(state: &State, done: usize, all: usize, cells: usize) -> String {
    let filled = done.saturating_mul(cells).checked_div(all).unwrap_or(cells).min(cells);
    format!("{}{}", state.theme.pick("█", "#").repeat(filled), state.theme.pick("░", ".").repeat(cells - filled))
}

fn spinner(state: &State) -> &'static str {
    let unicode = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"];
    let ascii = ["|", "/", "-", "\\"];
    if state.theme.unicode { unicode[state.ticks % unicode.len()] } else { ascii[state.ticks % ascii.len()] }
}

fn tabs(state: &State) -> Line<'static> {
    let mut spans = Vec::new();
    for (tab, word) in [(Tab::Review, "1 Review"), (Tab::Apply, "2 Apply"), (Tab::Runs, "3 Runs")] {
        let text = if tab == state.tab { format!(" [{word}]") } else { format!("  {word} ") };
        spans.push(Span::styled(text, if tab == state.tab { Theme::bold() } else { Theme::dim() }));
    }
    if !state.filter.is_empty() {
        spans.push(Span::raw(format!("   filter: {}", Display::of(&state.filter))));
    }
    if state.anchor.is_some() {
        spans.push(Span::styled("   selecting a range", state.theme.alert()));
    }
    Line::from(spans)
}

/// What is shown of the review while there is none.
fn waiting(state: &State) -> Paragraph<'static> {
    let mut lines = vec![Line::default()];
    let dim = |text: &'static str| Line::styled(text, Theme::dim());
    match &state.phase {
        Phase::Failed(text) => {
            lines.extend(text.lines().map(|line| Line::raw(format!("  {line}"))));
            lines.extend([Line::default(), dim("  R reads both sides again, q leaves")]);
        }
        Phase::Reading => {
            for service in [Service::Notion, Service::Clockify] {
                let rows = |kind| state.rows.get(&(service, kind)).map(|rows| format!("{rows} {}", Kind::plural(kind)));
                let counts: Vec<String> = Kind::ALL.into_iter().filter_map(rows).collect();
                let counts = if counts.is_empty() { "…".to_owned() } else { counts.join(", ") };
                let mark = if state.read.contains(&service) { state.theme.pick("✓", "ok") } else { spinner(state) };
                lines.push(Line::raw(format!("  {mark} reading {service}: {counts}")));
            }
            lines.extend([Line::default(), dim("  ^c stops reading")]);
        }
        Phase::Ready | Phase::Applying => {
            lines.extend(state.report.iter().flat_map(|report| report_lines(state, report)));
            lines.push(dim("  R reads both sides again, q leaves"));
        }
    }
    Paragraph::new(lines).wrap(Wrap { trim: false })
}

fn report_lines(state: &State, report: &Report) -> Vec<Line<'static>> {
    let dress = Dress { colour: false, unicode: state.theme.unicode };
    text::report(report, dress).lines().map(|line| Line::raw(format!("  {line}"))).collect()
}

fn apply(state: &State, height: u16) -> Paragraph<'static> {
    let applying = &state.applying;
    let mut lines = vec![Line::default()];
    if applying.approved == 0 && state.report.is_none() {
        lines.push(Line::styled("  nothing was applied yet: approve changes (1), then P", Theme::dim()));
        return Paragraph::new(lines);
    }
    let done = applying.applied + applying.failed;
    let word = match (&state.phase, applying.stopping) {
        (Phase::Applying, true) => "stopping",
        (Phase::Applying, false) => "applying",
        _ => "ended",
    };
    let bar = bar(state, done, applying.approved, 30);
    lines.push(Line::raw(format!("  {word} {bar} {done}/{}   {} failed", applying.approved, applying.failed)));
    lines.push(Line::default());
    let report: Vec<Line<'static>> = state.report.iter().flat_map(|report| report_lines(state, report)).collect();
    let room = usize::from(height).saturating_sub(lines.len() + report.len() + 1);
    let end = (state.scroll + 1).max(room).min(applying.lines.len());
    lines.extend(applying.lines[end.saturating_sub(room)..end].iter().map(|line| Line::raw(format!("  {line}"))));
    lines.push(Line::default());
    lines.extend(report);
    Paragraph::new(lines)
}

fn runs(state: &State, height: u16) -> Paragraph<'static> {
    let room = usize::from(height).saturating_sub(2).max(1);
    let mut lines = vec![Line::default()];
    if let Some(events) = &state.events {
        let from = state.scroll.min(events.len().saturating_sub(room));
        lines.extend(events.iter().skip(from).take(room).map(|line| Line::raw(format!("  {line}"))));
        return Paragraph::new(lines);
    }
    let from = state.run.saturating_sub(room - 1);
    for (at, run) in state.runs.iter().enumerate().skip(from).take(room) {
        let outcome = run.end.as_ref().map_or("under way, or left by a crash", |end| end.outcome.as_str());
        let outcome = Display::of(outcome).clipped(40);
        let calls = run.end.as_ref().map(|end| &end.report["calls"]).filter(|calls| calls.is_object());
        let calls = calls.map(|calls| format!("{} + {} calls", calls["notion"], calls["clockify"])).unwrap_or_default();
        let started = run.started.strftime("%Y-%m-%d %H:%M:%S");
        let text = format!("  {started}  {:<13} {:<10} {outcome:<40} {calls}", run.trigger, run.by);
        lines.push(Line::styled(text, if at == state.run { Theme::cursor() } else { Style::new() }));
    }
    if state.runs.is_empty() {
        lines.push(Line::styled("  no runs yet", Theme::dim()));
    }
    Paragraph::new(lines)
}

/// Hints for what can be done now, as many as fit; help is always the last.
fn footer(state: &State, width: u16) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 8;
    for row in TABLE.iter().filter(|row| (row.off)(state).is_none()).take(HINTS_MAX) {
        let key = format!(" {}", keys::shown(row));
        let label = format!(" {} ", row.label);
        used += key.chars().count() + label.chars().count();
        if used > usize::from(width) {
            break;
        }
        spans.extend([Span::styled(key, Theme::bold()), Span::raw(label)]);
    }
    spans.extend([Span::styled(" ?", Theme::bold()), Span::raw(" help")]);
    Line::from(spans)
}
