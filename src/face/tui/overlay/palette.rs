//! The palette: every command by a word of it.

use ratatui::text::Line;

use super::{Sheet, act};
use crate::face::tui::{
    command::Command,
    effect::Effect,
    keymap::Keymap,
    pieces::choice,
    row::Row,
    state::{State, prompt::Prompt},
    tab::TABLE,
};

/// Lines that are shown.
const LINES: usize = 10;

/// The rows of the key table that fit what is typed, in the table's order.
fn fitting(typed: &str) -> Vec<&'static Row> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let fits = |row: &&Row| {
        row.command != Command::Palette
            && words.iter().all(|word| row.label.contains(word.as_str()) || row.name.contains(word.as_str()))
    };
    TABLE.iter().filter(fits).collect()
}

/// Does the chosen command, or goes to a line: `12`.
pub(super) fn chosen(state: &mut State, typed: &str, line: usize) -> Option<Effect> {
    if let Ok(number) = typed.parse::<usize>() {
        let at = number.saturating_sub(1).min(state.reviewing.tree.visible.len().saturating_sub(1));
        if let Some(&node) = state.reviewing.tree.visible.get(at) {
            state.reviewing.go_to(node);
        }
        return None;
    }
    let found = fitting(typed);
    let Some(row) = found.get(line.min(found.len().saturating_sub(1))) else {
        state.toast = "there is no such action".into();
        return None;
    };
    act(state, row.command)
}

pub(super) fn sheet(state: &State, keymap: &Keymap, prompt: &Prompt) -> Sheet {
    let title = "Actions: type to narrow, enter does it".to_owned();
    Sheet { title, lines: lines(state, keymap, prompt), ..Sheet::default() }
}

fn lines(state: &State, keymap: &Keymap, prompt: &Prompt) -> Vec<Line<'static>> {
    let found = fitting(prompt.input.value());
    let line = prompt.line.min(found.len().saturating_sub(1));
    let shown = found.iter().enumerate().skip((line + 1).saturating_sub(LINES)).take(LINES);
    let mut lines: Vec<Line<'static>> = shown
        .map(|(at, row)| {
            let off = (row.off)(state).map(|reason| format!("  ({})", reason.spelled(keymap))).unwrap_or_default();
            choice(format!(" {:<32} {}{off} ", row.label, keymap.all(row.command).join(" ")), at == line)
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::styled(" nothing fits ", state.theme.dim()));
    }
    lines
}
