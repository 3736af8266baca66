//! What each message does to the console. Pure: it changes the state, and names at most one effect for the loop to
//! carry out.

mod news;
mod pointer;

use crossterm::event::KeyEvent;
use jiff::Timestamp;

pub(crate) use self::pointer::Pointing;
use super::{
    command::{Command, Tab},
    effect::{Effect, Page},
    hits::Target,
    keymap::{Keymap, Meaning},
    layout::is_too_small,
    news::News,
    overlay::{self, prompt},
    state::{Phase, State},
    stroke::Stroke,
    tab::interrupt,
};

/// What happens to the console.
pub(crate) enum Msg {
    Key(KeyEvent),
    Paste(String),
    Pointer(Pointing, Target),
    Resized(u16, u16),
    News(News),
    Tick(Timestamp),
}

/// Takes a message in.
pub(crate) fn update(state: &mut State, keymap: &Keymap, msg: Msg) -> Option<Effect> {
    let effect = match msg {
        Msg::Key(key) if is_too_small(state.size) => on_key_unseen(state, keymap, key),
        Msg::Paste(_) | Msg::Pointer(..) if is_too_small(state.size) => None,
        Msg::Key(key) => on_key(state, keymap, key),
        Msg::Paste(text) => prompt::paste(state, &text),
        Msg::Pointer(pointing, target) => pointer::point(state, pointing, target),
        Msg::Resized(width, height) => {
            state.size = (width, height);
            // What was begun and cannot be seen any more comes to nothing.
            if is_too_small(state.size) { prompt::give_up(state) } else { None }
        }
        Msg::News(news) => news::on_news(state, news),
        Msg::Tick(now) => {
            state.ticks = state.ticks.wrapping_add(1);
            state.now = now;
            // What the daemon does, it does without us.
            let is_watched = state.tab == Tab::Runs && !state.is_busy();
            is_watched.then_some(Effect::Look(Page::Runs))
        }
    };
    state.reviewing.keep_in_window(state.size);
    if effect.is_none() && state.tab == Tab::Logs {
        return state.logs.wants().map(|question| Effect::Look(Page::Log(question)));
    }
    effect
}

/// Where nothing is seen, nothing is done but to leave, or to stop.
fn on_key_unseen(state: &mut State, keymap: &Keymap, key: KeyEvent) -> Option<Effect> {
    match keymap.meaning(&[Stroke::of(key)]) {
        Meaning::Command(Command::Leave) if state.phase != Phase::Applying => Some(Effect::Quit),
        Meaning::Command(Command::Interrupt) => Some(interrupt(state)),
        _ => None,
    }
}

fn on_key(state: &mut State, keymap: &Keymap, key: KeyEvent) -> Option<Effect> {
    if state.prompt.is_some() {
        return prompt::on_key(state, keymap, key);
    }
    if let (Some(overlay), Some(number)) = (state.overlay, digit(key)) {
        return overlay::choose(state, overlay, number);
    }
    state.strokes.push(Stroke::of(key));
    match keymap.meaning(&state.strokes) {
        Meaning::Begun => None,
        Meaning::Nothing => {
            state.strokes.clear();
            None
        }
        Meaning::Command(command) => {
            state.strokes.clear();
            overlay::act(state, command)
        }
    }
}

fn digit(key: KeyEvent) -> Option<usize> {
    (1..=9).find(|number| Stroke::parse(&number.to_string()) == Some(Stroke::of(key)))
}
