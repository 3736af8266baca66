//! What a program of the user's has said.

use ratatui::text::Line;

use super::{Sheet, help::PAGE};
use crate::{
    edge::config::OutputPlace,
    face::tui::{
        command::Command,
        keymap::Keymap,
        state::{State, overlay::Overlay, ran::Ran},
    },
};

/// Takes in what a program has said: over the tab, or its first line at the bottom.
pub(crate) fn ended(state: &mut State, ran: Ran) {
    let first = ran.lines.iter().find(|line| !line.trim().is_empty());
    let failed = ran.failed.as_ref().map(|failed| format!(" ({failed})")).unwrap_or_default();
    let said = first.map_or("done", |line| line.as_str());
    state.toast = match (&ran.failed, first) {
        (Some(failed), None) => format!("{}: {failed}", ran.name).into(),
        _ => format!("{}: {said}{failed}", ran.name).into(),
    };
    // Nothing that somebody types into, or is about to confirm, is covered.
    let free = state.overlay.is_none() && state.prompt.is_none();
    if ran.output == OutputPlace::Pager && !ran.lines.is_empty() && free {
        state.overlay = Some(Overlay::Output { scroll: 0 });
        state.ran = Some(ran);
    }
}

pub(super) fn act(state: &mut State, scroll: u16, command: Command) {
    let page = i16::try_from(PAGE).unwrap_or(1);
    let by = match command {
        Command::Down => 1,
        Command::Up => -1,
        Command::PageDown | Command::HalfPageDown => page,
        Command::PageUp | Command::HalfPageUp => -page,
        Command::Top => i16::MIN,
        Command::Bottom => i16::MAX,
        _ => return,
    };
    let last = state.ran.as_ref().map_or(0, |ran| u16::try_from(ran.lines.len()).unwrap_or(u16::MAX));
    state.overlay = Some(Overlay::Output { scroll: scroll.saturating_add_signed(by).min(last) });
}

pub(super) fn sheet(state: &State, keymap: &Keymap, scroll: u16) -> Sheet {
    let Some(ran) = &state.ran else { return Sheet::default() };
    let key = |command| keymap.first(command);
    let [down, up, back] = [Command::Down, Command::Up, Command::Back].map(key);
    let title = format!("{}: {down} {up} scroll, {back} closes", ran.name);
    let failed = ran.failed.iter().map(|failed| Line::styled(format!(" {failed} "), state.theme.alert()));
    let lines = failed.chain(ran.lines.iter().map(|line| Line::raw(format!(" {line} ")))).collect();
    Sheet { title, lines, scroll, ..Sheet::default() }
}
