//! The palette: every command by a word of it, some with what they ask for: `filter is:held`.

use ratatui::text::Line;
use tui_input::Input;

use super::{Sheet, act};
use crate::face::tui::{
    command::Command,
    effect::Effect,
    keymap::Keymap,
    pieces::choice,
    row::Row,
    state::{State, prompt::Prompt, window::Seeker},
    tab::TABLE,
};

/// Lines that are shown.
const LINES: usize = 10;

/// The rows of the key table that fit what is typed, in the table's order: those that have every word in their label,
/// name or keys; where none does, those that come near.
pub(super) fn fitting(typed: &str, keymap: &Keymap) -> Vec<&'static Row> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let said = |row: &Row| format!("{} {}", row.label, row.name);
    let fits = |row: &&Row| {
        let (keys, said) = (keymap.all(row.command), said(row));
        words.iter().all(|word| said.contains(word.as_str()) || keys.contains(word))
    };
    let found: Vec<_> = TABLE.iter().filter(fits).collect();
    if !found.is_empty() {
        return found;
    }
    let mut seeker = Seeker::new(typed);
    TABLE.iter().filter(|row| seeker.fits(&said(row))).collect()
}

/// What an action asks for, where it can be typed right behind its name.
fn argument(command: Command) -> Option<&'static str> {
    Some(match command {
        Command::Filter => "WORDS",
        Command::Search | Command::SaveFilter | Command::ToClient => "NAME",
        Command::Flag => "NOTE",
        Command::Edit => "VALUE",
        Command::Period => "MONTH",
        _ => return None,
    })
}

/// An action that is called by its name, and what is typed behind it.
fn called(typed: &str) -> Option<(&'static Row, &str)> {
    let (name, rest) = typed.trim_start().split_once(' ')?;
    let row = TABLE.iter().find(|row| row.name == name)?;
    argument(row.command).map(|_| (row, rest.trim()))
}

/// True where an action is called with what it asks for.
pub(super) fn is_answered(typed: &str) -> bool {
    called(typed).is_some_and(|(_, rest)| !rest.is_empty())
}

/// Does the chosen command, if need be with what is typed behind its name, or goes to a line: `12`.
pub(super) fn chosen(state: &mut State, keymap: &Keymap, typed: &str, line: usize) -> Option<Effect> {
    if let Ok(number) = typed.parse::<usize>() {
        let at = number.saturating_sub(1).min(state.reviewing.tree.visible.len().saturating_sub(1));
        if let Some(&node) = state.reviewing.tree.visible.get(at) {
            state.reviewing.go_to(node);
        }
        return None;
    }
    // What it asks for is typed already; whoever takes answers finds it there.
    if let Some((row, rest)) = called(typed) {
        let effect = act(state, row.command);
        if let Some(prompt) = state.prompt.as_mut().filter(|_| !rest.is_empty()) {
            prompt.input = Input::new(rest.to_owned());
        }
        return effect;
    }
    let found = fitting(typed, keymap);
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
    let typed = prompt.input.value();
    let found = called(typed).map_or_else(|| fitting(typed, keymap), |(row, _)| vec![row]);
    let line = prompt.line.min(found.len().saturating_sub(1));
    let shown = found.iter().enumerate().skip((line + 1).saturating_sub(LINES)).take(LINES);
    let mut lines: Vec<Line<'static>> = shown
        .map(|(at, row)| {
            let off = (row.off)(state).map(|reason| format!("  ({})", reason.spelled(keymap))).unwrap_or_default();
            let asks = argument(row.command).map(|what| format!("  {} {what}", row.name)).unwrap_or_default();
            choice(format!(" {:<32} {}{asks}{off} ", row.label, keymap.all(row.command).join(" ")), at == line)
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::styled(" nothing fits ", state.theme.dim()));
    }
    lines
}
