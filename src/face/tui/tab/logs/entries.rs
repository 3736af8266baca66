//! The log: what is selected, what was changed of it, its entries, and everything of the one under the cursor.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph, Wrap},
};

use crate::{
    domain::{audit::Level, text::Shown},
    face::{
        text::everything,
        tui::{
            hits::{Hits, Target},
            keymap::Keymap,
            pieces::choice,
            state::{State, window::Logs},
        },
    },
};

/// Lines about what was changed.
const CHANGED_MAX: usize = 6;

pub(crate) fn draw(state: &State, _: &Keymap, frame: &mut Frame<'_>, area: Rect, hits: &mut Hits) {
    let logs = &state.logs;
    let changed = u16::try_from(logs.changed.len().min(CHANGED_MAX)).unwrap_or_default();
    let open = if logs.open.is_some() { area.height.saturating_sub(2 + changed) / 2 } else { 0 };
    let rows = [Constraint::Length(1), Constraint::Length(changed), Constraint::Min(1), Constraint::Length(open)];
    let [head, history, list, everything] = Layout::vertical(rows).areas(area);
    frame.render_widget(heading(state), head);
    let told = logs.changed.iter().skip(logs.changed.len().saturating_sub(CHANGED_MAX));
    frame.render_widget(Paragraph::new(told.map(|line| Line::raw(format!("  {line}"))).collect::<Vec<_>>()), history);
    frame.render_widget(entries(state, list, hits), list);
    if let (Some(scroll), true) = (logs.open, open > 0) {
        expanded(state, frame, everything, scroll);
    }
}

fn heading(state: &State) -> Line<'static> {
    let Logs { filter, about, lines, entries, follow, waiting, wrong, .. } = &state.logs;
    let theme = state.theme;
    let mut spans = vec![Span::styled(format!("  {entries} entries"), theme.dim())];
    if !about.is_empty() {
        spans.push(Span::styled(format!("   {about}"), theme.accent()));
    }
    if !filter.is_empty() {
        spans.push(Span::styled(format!("   filter: {}", Shown::of(filter).clipped(60)), theme.accent()));
    }
    if !filter.contains("level:") {
        spans.push(Span::styled("   info and above", theme.dim()));
    }
    if *follow {
        spans.push(Span::styled("   following", theme.good()));
    }
    if !wrong.is_empty() {
        spans.push(Span::styled(format!("   {wrong}"), theme.alert()));
    } else if lines.is_empty() {
        spans.push(Span::styled(if *waiting { "   looking…" } else { "   none is like that" }, theme.dim()));
    }
    Line::from(spans)
}

fn entries(state: &State, area: Rect, hits: &mut Hits) -> Paragraph<'static> {
    let logs = &state.logs;
    let room = usize::from(area.height).max(1);
    let from = logs.at.saturating_sub(room / 2).min(logs.lines.len().saturating_sub(room));
    let wide = area.width >= 100;
    let mut drawn = Vec::new();
    for (y, (at, line)) in (area.y..).zip(logs.lines.iter().enumerate().skip(from).take(room)) {
        hits.add(Rect { y, height: 1, ..area }, Target::Row(at));
        let local = line.at.to_zoned(state.zone.clone());
        let when = local.strftime(if wide { "%Y-%m-%d %H:%M:%S %Z" } else { "%m-%d %H:%M %Z" });
        let before = format!("  {when}  {:<5}  ", line.level.word());
        let text = format!("{before}{}", line.text.clipped(usize::from(area.width).saturating_sub(before.len() + 1)));
        let mut row = choice(text, at == logs.at);
        if at != logs.at {
            row.style = match line.level {
                Level::Debug => state.theme.dim(),
                Level::Info => row.style,
                Level::Warn | Level::Error => state.theme.alert(),
            };
        }
        drawn.push(row);
    }
    Paragraph::new(drawn)
}

fn expanded(state: &State, frame: &mut Frame<'_>, area: Rect, scroll: u16) {
    let Some(line) = state.logs.current() else { return };
    let pairs = everything(&line.body);
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default().min(28);
    let told = pairs.into_iter().map(|(name, value)| Line::raw(format!(" {name:<width$}  {value}")));
    // First what the row above had to cut.
    let told = [Line::raw(format!(" {}", line.text)), Line::default()].into_iter().chain(told);
    let block = Block::new().borders(Borders::TOP).title(format!(" entry {} ", line.n));
    frame.render_widget(
        Paragraph::new(told.collect::<Vec<_>>()).wrap(Wrap { trim: false }).scroll((scroll, 0)).block(block),
        area,
    );
}
