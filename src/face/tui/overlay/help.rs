//! The help: every command with its keys, and what the symbols mean.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{Sheet, palette::fitting};
use crate::{
    domain::{action::Action, text::Shown},
    face::tui::{command::Command, keymap::Keymap, row::Section, state::State, theme::Theme},
};

/// Lines of a page.
pub(super) const PAGE: usize = 10;

pub(super) fn sheet(state: &State, keymap: &Keymap, width: u16) -> Sheet {
    let (typed, line) = state.prompt.as_ref().map_or(("", 0), |prompt| (prompt.input.value(), prompt.line));
    let title = "Help: type to narrow, ↓ ↑ scroll, esc closes".to_owned();
    let scroll = u16::try_from(line).unwrap_or(u16::MAX);
    Sheet { title, lines: lines(state, keymap, typed, width), scroll, ..Sheet::default() }
}

/// Every command with its keys, in as many columns as there is room for.
fn lines(state: &State, keymap: &Keymap, typed: &str, width: u16) -> Vec<Line<'static>> {
    let theme = state.theme;
    let fitting = fitting(typed, keymap);
    let mut lines = Vec::new();
    let columns = if width >= 100 { 2 } else { 1 };
    for section in Section::ALL {
        let of_section: Vec<_> = fitting.iter().filter(|row| row.section == section).collect();
        if of_section.is_empty() {
            continue;
        }
        lines.push(Line::styled(format!(" {}", section.word()), theme.accent()));
        let rows: Vec<Vec<Span<'static>>> = of_section
            .into_iter()
            .map(|row| {
                let reason = (row.off)(state);
                let keys = keymap.all(row.command).join(" ");
                let keys = if reason.is_some() { format!("({keys})") } else { format!(" {keys}") };
                let keys = format!(" {keys:<15} ");
                let off = reason.map(|reason| format!(" ({})", reason.spelled(keymap)));
                let style = if off.is_none() { Style::new() } else { theme.dim() };
                // The reason is a courtesy: it goes where there is no room for it.
                let room = (usize::from(width) / columns).saturating_sub(keys.len() + row.label.len() + 3);
                let off = off.filter(|off| off.len() <= room).unwrap_or_default();
                vec![Span::styled(keys, style.patch(Theme::bold())), Span::styled(format!("{}{off}", row.label), style)]
            })
            .collect();
        for pair in rows.chunks(columns) {
            let mut spans = Vec::new();
            for cell in pair {
                let used: usize = cell.iter().map(Span::width).sum();
                spans.extend(cell.clone());
                spans.push(Span::raw(" ".repeat((usize::from(width) / columns).saturating_sub(used + 2))));
            }
            lines.push(Line::from(spans));
        }
    }
    let own = state.own.iter().enumerate().filter(|(_, own)| own.name.contains(typed.trim())).map(|(at, own)| {
        let keys = format!("  {:<14} ", keymap.all(Command::Own(at)).join(" "));
        Line::from(vec![Span::styled(keys, Theme::bold()), Span::raw(Shown::of(&own.name).clipped(40).to_string())])
    });
    let own: Vec<_> = own.collect();
    if !own.is_empty() {
        lines.push(Line::styled(" YOUR OWN", theme.accent()));
        lines.extend(own);
    }
    if !typed.trim().is_empty() {
        if lines.is_empty() {
            lines.push(Line::styled(" nothing fits ", theme.dim()));
        }
        return lines;
    }
    lines.push(Line::styled(" SYMBOLS", theme.accent()));
    let pick = |unicode, ascii| theme.pick(unicode, ascii);
    let named = |action: Action| format!("  {} {action}", theme.symbol(action));
    let plain: String = Action::proposed().filter(|action| action.label().is_none()).map(named).collect();
    let labelled = Action::proposed().filter_map(|action| Some(format!("{}: {}", named(action), action.label()?)));
    let actions = [plain].into_iter().chain(labelled).collect::<Vec<_>>().join("\n") + "  i notice";
    let others = [
        format!(
            "  {} approved  {} some of it  {} waits  {} skipped",
            pick("✓", "y"),
            pick("◐", "*"),
            pick("✗", "n"),
            pick("»", "s")
        ),
        format!(
            "  {} ignored  ! flagged  {} conflict  ? for review  {} held",
            pick("∅", "i"),
            pick("⚠", "?"),
            pick("■", "#")
        ),
    ];
    lines.extend(actions.lines().map(str::to_owned).chain(others).map(Line::raw));
    lines.push(Line::raw("  (keys) in brackets: not now"));
    lines.push(Line::styled(" The configuration can give every action other keys: [console] keys.", theme.dim()));
    lines
}
