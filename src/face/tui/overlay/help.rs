//! The help: every command with its keys, and what the symbols mean.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::Sheet;
use crate::{
    domain::action::Action,
    face::tui::{
        command::Command,
        keymap::Keymap,
        row::Section,
        state::{State, overlay::Overlay},
        tab::TABLE,
        theme::Theme,
    },
};

/// Lines of a page.
const PAGE: i16 = 10;

pub(super) fn act(state: &mut State, scroll: u16, command: Command) {
    let by = match command {
        Command::Down => 1,
        Command::Up => -1,
        Command::PageDown | Command::HalfPageDown => PAGE,
        Command::PageUp | Command::HalfPageUp => -PAGE,
        _ => return,
    };
    state.overlay = Some(Overlay::Help { scroll: scroll.saturating_add_signed(by) });
}

pub(super) fn sheet(state: &State, keymap: &Keymap, scroll: u16, width: u16) -> Sheet {
    let key = |command| keymap.first(command);
    let title = format!("Help: {} {} scroll, {} closes", key(Command::Down), key(Command::Up), key(Command::Back));
    Sheet { title, lines: lines(state, keymap, width), scroll, ..Sheet::default() }
}

/// Every command with its keys, in as many columns as there is room for.
fn lines(state: &State, keymap: &Keymap, width: u16) -> Vec<Line<'static>> {
    let theme = state.theme;
    let mut lines = Vec::new();
    let columns = if width >= 100 { 2 } else { 1 };
    for section in Section::ALL {
        lines.push(Line::styled(format!(" {}", section.word()), theme.accent()));
        let rows: Vec<Vec<Span<'static>>> = TABLE
            .iter()
            .filter(|row| row.section == section)
            .map(|row| {
                let keys = format!("  {:<14} ", keymap.all(row.command).join(" "));
                let off = (row.off)(state).map(|reason| format!(" ({})", reason.spelled(keymap)));
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
    lines.push(Line::styled(" The configuration can give every action other keys: [console] keys.", theme.dim()));
    lines
}
