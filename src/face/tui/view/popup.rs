//! What lies over the tab: help, the ways to mend a change, the confirmation; and the line at the bottom.

use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph, Wrap},
};

use crate::{
    domain::text::Display,
    face::tui::{
        keys::{Section, TABLE, all_shown, palette},
        state::{Popup, Prompt, Purpose, State},
        theme::Theme,
    },
};

/// Lines of the palette.
const PALETTE_LINES: usize = 10;

pub(super) fn draw(state: &State, frame: &mut Frame<'_>, body: Rect, bottom: Rect) {
    match &state.popup {
        Some(Popup::Help { scroll }) => over(frame, body, "Help: j k scroll, Esc closes", help(state), *scroll),
        Some(Popup::Ways { change, line }) => {
            over(frame, body, "Ways: Enter chooses, Esc closes", ways(state, *change, *line), 0);
        }
        Some(Popup::Confirm) => over(frame, body, "Apply?", confirm(state), 0),
        None => {}
    }
    let Some(prompt) = &state.prompt else {
        frame.render_widget(Line::raw(format!(" {}", state.toast)), bottom);
        return;
    };
    if prompt.purpose == Purpose::Palette {
        over(frame, body, "Actions: type to narrow, Enter does it", actions(state, prompt), 0);
    }
    let label = match prompt.purpose {
        Purpose::Search => " search: ",
        Purpose::Filter => " filter: ",
        Purpose::Flag => " note: ",
        Purpose::Palette => " : ",
        Purpose::Confirm => " number of closes: ",
    };
    let typed = Display::of(prompt.input.value());
    let end = state.theme.pick("▏", "_");
    frame.render_widget(Line::from(vec![Span::styled(label, Theme::bold()), Span::raw(format!("{typed}{end}"))]), bottom);
}

/// Draws a box in the middle, no larger than it needs to be.
fn over(frame: &mut Frame<'_>, body: Rect, title: &str, lines: Vec<Line<'static>>, scroll: u16) {
    let width = lines.iter().map(Line::width).max().unwrap_or(0).max(title.len() + 2) + 2;
    let width = u16::try_from(width).unwrap_or(u16::MAX).min(body.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(body.height);
    let scroll = scroll.min(u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(height.saturating_sub(2)));
    let [area] = Layout::horizontal([Constraint::Length(width)]).flex(Flex::Center).areas(body);
    let [area] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll, 0));
    frame.render_widget(text.block(Block::bordered().title(format!(" {title} "))), area);
}

fn help(state: &State) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for section in Section::ALL {
        lines.push(Line::styled(format!(" {}", section.word()), Theme::bold()));
        for row in TABLE.iter().filter(|row| row.section == section) {
            let off = (row.off)(state).map(|reason| format!("  ({reason})")).unwrap_or_default();
            let style = if off.is_empty() { Style::new() } else { Theme::dim() };
            lines.push(Line::styled(format!("  {:<14} {}{off} ", all_shown(row), row.label), style));
        }
    }
    lines
}

fn ways(state: &State, change: usize, chosen: usize) -> Vec<Line<'static>> {
    let Some(plan) = state.plan() else { return Vec::new() };
    let change = &plan.changes[change];
    let ways = std::iter::once(&change.proposal).chain(&change.alternatives).enumerate();
    ways.map(|(at, way)| {
        let text = format!(" {} {} %: {} ", way.action, way.confidence, way.reason);
        Line::styled(text, if at == chosen { Theme::cursor() } else { Style::new() })
    })
    .collect()
}

fn confirm(state: &State) -> Vec<Line<'static>> {
    let tally = state.tally;
    let mut lines = vec![
        Line::styled(format!(" {} approved changes are written to Clockify and Notion. ", tally.approved), Theme::bold()),
        Line::raw(format!(" {} skipped or ignored, {} flagged, {} held: left alone. ", tally.skipped, tally.flagged, tally.held)),
        Line::default(),
    ];
    if tally.closes > 0 {
        let text = format!(" {} of them close something: type that number, then Enter. ", tally.closes);
        lines.push(Line::styled(text, state.theme.alert()));
        lines.push(Line::raw(" Esc goes back."));
    } else {
        lines.push(Line::raw(" Enter applies, Esc goes back."));
    }
    lines
}

fn actions(state: &State, prompt: &Prompt) -> Vec<Line<'static>> {
    let found = palette(prompt.input.value());
    let line = prompt.line.min(found.len().saturating_sub(1));
    let shown = found.iter().enumerate().skip((line + 1).saturating_sub(PALETTE_LINES)).take(PALETTE_LINES);
    shown
        .map(|(at, row)| {
            let off = (row.off)(state).map(|reason| format!("  ({reason})")).unwrap_or_default();
            let style = if at == line { Theme::cursor() } else { Style::new() };
            Line::styled(format!(" {:<28} {}{off} ", row.label, all_shown(row)), style)
        })
        .collect()
}
