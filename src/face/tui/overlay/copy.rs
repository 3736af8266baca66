//! What of the row under the cursor can be copied.

use super::Sheet;
use crate::{
    domain::text::Shown,
    face::tui::{
        command::Command,
        effect::Effect,
        keymap::Keymap,
        outside,
        pieces::choice,
        state::{State, overlay::Overlay, stepped},
    },
};

pub(super) fn act(state: &mut State, line: usize, command: Command) -> Option<Effect> {
    let by = match command {
        Command::Down => 1,
        Command::Up => -1,
        Command::Toggle | Command::Approve => return choose(state, line + 1),
        _ => return None,
    };
    state.overlay = Some(Overlay::Copy { line: stepped(line, by, outside::copies(state).len()) });
    None
}

pub(super) fn choose(state: &mut State, number: usize) -> Option<Effect> {
    let copied = outside::copies(state).into_iter().nth(number - 1)?;
    state.overlay = None;
    Some(Effect::Copy(copied))
}

pub(super) fn sheet(state: &State, keymap: &Keymap, line: usize) -> Sheet {
    let copies = outside::copies(state).into_iter().enumerate();
    let lines = copies.map(|(at, copied)| {
        let text = Shown::of(&copied.text).clipped(50);
        choice(format!(" {} {:<16} {text} ", at + 1, copied.label), at == line)
    });
    let title = format!("Copy: a number, or {}", keymap.first(Command::Toggle));
    Sheet { title, lines: lines.collect(), choices_from: Some(0), focus: line, ..Sheet::default() }
}
