//! Decide below a client although somebody else is on it? It is advice, and no lock.

use ratatui::text::Line;

use super::Sheet;
use crate::face::{
    text,
    tui::{command::Command, effect::Effect, keymap::Keymap, state::State, tab, tab::review::together},
};

/// Does what was asked for all the same; below these clients nobody is asked again.
pub(super) fn go_on(state: &mut State, command: Command) -> Option<Effect> {
    state.overlay = None;
    let clients: Vec<_> = together::in_the_hands_of_others(state, command).into_iter().map(|on| on.client).collect();
    state.reviewing.together.gone_on.extend(clients);
    tab::act(state, command)
}

pub(super) fn sheet(state: &State, keymap: &Keymap, command: Command) -> Sheet {
    let (on, back) = (keymap.first(Command::Toggle), keymap.first(Command::Back));
    let mut lines = vec![Line::raw(format!(" {on} decides all the same, {back} goes back. ")), Line::default()];
    lines.extend(
        together::in_the_hands_of_others(state, command)
            .into_iter()
            .map(|on| Line::styled(format!(" {}, until {} ", on.words(), text::when(on.until)), state.theme.alert())),
    );
    Sheet { title: "Somebody is on it".to_owned(), lines, ..Sheet::default() }
}
