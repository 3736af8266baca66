//! The line at the bottom in which something is typed.

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::{Input, backend::crossterm::EventHandler};

use crate::{
    domain::{review::Decision, text::Display},
    face::tui::{
        command::Command,
        keymap::{Meaning, palette},
        state::{Prompt, Purpose, State},
        stroke::Stroke,
        tab::review::{decide, look_for, matching::Wanted, reviewing::Looked},
        update::{Effect, act, apply},
    },
};

/// Characters that are taken; more is a paste that went astray. Clockify's longest name has 1000.
const LENGTH_MAX: usize = 1000;

/// Asks for a line.
pub(crate) fn ask(state: &mut State, purpose: Purpose, text: &str) {
    let input = Input::new(text.to_owned());
    state.prompt = Some(Prompt { purpose, input, line: 0, from: state.reviewing.cursor, refused: String::new() });
}

/// Takes pasted text in as one line: no line break in it counts as Enter, and nothing in it acts.
pub(crate) fn paste(state: &mut State, text: &str) -> Option<Effect> {
    let prompt = state.prompt.as_mut()?;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A value is taken as it is, and refused with its hidden characters; it is made safe where it is drawn.
    let line = if matches!(prompt.purpose, Purpose::Edit { .. }) { line } else { Display::of(&line).to_string() };
    let (value, at) = (prompt.input.value(), prompt.input.cursor());
    let before: String = value.chars().take(at).collect();
    let behind: String = value.chars().skip(at).collect();
    let value: String = format!("{before}{line}{behind}").chars().take(LENGTH_MAX).collect();
    let cursor = (at + line.chars().count()).min(value.chars().count());
    prompt.input = Input::new(value).with_cursor(cursor);
    typed(state)
}

pub(crate) fn on_key(state: &mut State, key: KeyEvent) -> Option<Effect> {
    let prompt = state.prompt.as_mut()?;
    match key.code {
        KeyCode::Esc => return left(state),
        KeyCode::Char('c') if Stroke::of(key) == Stroke::control('c') => return left(state),
        KeyCode::Enter => return entered(state),
        _ if state.keymap.meaning(&[Stroke::of(key)]) == Meaning::Command(Command::Suspend) => return Some(Effect::Suspend),
        // Where a number is asked for, nothing else is taken.
        KeyCode::Char(c) if matches!(prompt.purpose, Purpose::Confirm | Purpose::Release(_)) && !c.is_ascii_digit() => {}
        KeyCode::Down => prompt.line += 1,
        KeyCode::Up => prompt.line = prompt.line.saturating_sub(1),
        _ if prompt.input.value().chars().count() < LENGTH_MAX || !matches!(key.code, KeyCode::Char(_)) => {
            prompt.input.handle_event(&Event::Key(key));
            prompt.line = 0;
            prompt.refused.clear();
            return typed(state);
        }
        _ => {}
    }
    None
}

/// Gives up: a filter or a search that was being typed goes, too.
fn left(state: &mut State) -> Option<Effect> {
    let Prompt { purpose, from, .. } = state.prompt.take()?;
    state.popup = None;
    match purpose {
        Purpose::Filter => {
            state.reviewing.filter.text.clear();
            Some(look_for(state, Wanted::Filter))
        }
        Purpose::Search => {
            state.reviewing.search = Looked::default();
            state.reviewing.go_to(from);
            None
        }
        Purpose::LogFilter | Purpose::Flag | Purpose::Palette | Purpose::Confirm | Purpose::Release(_) | Purpose::Edit { .. } => {
            None
        }
    }
}

/// Follows what is typed.
fn typed(state: &mut State) -> Option<Effect> {
    let prompt = state.prompt.as_ref()?;
    let value = prompt.input.value().to_owned();
    match prompt.purpose {
        Purpose::Filter => {
            state.reviewing.filter.text = value;
            Some(look_for(state, Wanted::Filter))
        }
        Purpose::Search => {
            state.reviewing.search.text = value;
            Some(look_for(state, Wanted::Search))
        }
        Purpose::LogFilter | Purpose::Flag | Purpose::Palette | Purpose::Confirm | Purpose::Release(_) | Purpose::Edit { .. } => {
            None
        }
    }
}

fn entered(state: &mut State) -> Option<Effect> {
    let prompt = state.prompt.take()?;
    let value = prompt.input.value().trim().to_owned();
    match prompt.purpose {
        Purpose::Search | Purpose::Filter => None,
        Purpose::LogFilter => {
            state.logs.look(value);
            None
        }
        Purpose::Flag => decide::and_move(state, Some(&Decision::Flag { note: value }), "flagged"),
        Purpose::Palette => command(state, &value, prompt.line),
        Purpose::Confirm if value == state.reviewing.tally.closes.to_string() => apply(state),
        Purpose::Confirm => {
            let refused = format!("type {} to close, or esc", state.reviewing.tally.closes);
            state.prompt = Some(Prompt { input: Input::default(), refused, ..prompt });
            None
        }
        Purpose::Release(allowance) if value == allowance.count.to_string() => Some(Effect::Release(allowance)),
        Purpose::Release(allowance) => {
            let refused = format!("type {} to let them through, or esc", allowance.count);
            state.prompt = Some(Prompt { input: Input::default(), refused, ..prompt });
            None
        }
        Purpose::Edit { change, field } => match decide::edited(state, change, field, &value) {
            Ok(effect) => effect,
            Err(refused) => {
                state.prompt = Some(Prompt { refused, ..prompt });
                None
            }
        },
    }
}

/// Does the chosen command, or goes to a line: `12`.
fn command(state: &mut State, typed: &str, line: usize) -> Option<Effect> {
    if let Ok(number) = typed.parse::<usize>() {
        let at = number.saturating_sub(1).min(state.reviewing.tree.visible.len().saturating_sub(1));
        if let Some(&node) = state.reviewing.tree.visible.get(at) {
            state.reviewing.go_to(node);
        }
        return None;
    }
    let found = palette(typed);
    let Some(row) = found.get(line.min(found.len().saturating_sub(1))) else {
        "there is no such action".clone_into(&mut state.toast);
        return None;
    };
    act(state, row.command)
}
