//! What each message does to the console. Pure: it changes the state, and names at most one effect for the loop to carry out.

mod news;
mod pointer;

use crossterm::event::KeyEvent;
use jiff::Timestamp;

pub(crate) use self::{
    news::News,
    pointer::{Pointing, Target},
};
use super::{
    command::{self, Command},
    history::Page,
    keymap::{Keymap, Meaning},
    message::Message,
    overlay::{
        self, Overlay,
        prompt::{self, Purpose},
    },
    state::{Phase, Reading, State},
    stroke::Stroke,
    tab::{Tab, logs, review::outside::Copied},
    worker::Order,
};
use crate::domain::journal::RunId;

/// What happens to the console.
pub(crate) enum Msg {
    Key(KeyEvent),
    Paste(String),
    Pointer(Pointing, Target),
    Resized(u16, u16),
    News(News),
    Tick(Timestamp),
}

/// What the loop has to do outside.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Leave at once, even in the middle of an apply.
    Quit,
    /// Stop reading, or stop applying between writes.
    Stop,
    /// Give the worker an order.
    Order(Order),
    /// Look at the past.
    Look(Page),
    Copy(Copied),
    Open(String),
    Mouse(bool),
    Redraw,
    Suspend,
}

/// Takes a message in.
pub(crate) fn update(state: &mut State, keymap: &Keymap, msg: Msg) -> Option<Effect> {
    let effect = match msg {
        Msg::Key(key) => on_key(state, keymap, key),
        Msg::Paste(text) => prompt::paste(state, &text),
        Msg::Pointer(pointing, target) => pointer::point(state, pointing, target),
        Msg::Resized(width, height) => {
            state.size = (width, height);
            None
        }
        Msg::News(news) => news::on_news(state, news),
        Msg::Tick(now) => {
            state.ticks = state.ticks.wrapping_add(1);
            state.now = now;
            None
        }
    };
    state.reviewing.keep_in_window(state.size);
    if effect.is_none() && state.tab == Tab::Logs {
        return state.logs.wants().map(|question| Effect::Look(Page::Log(question)));
    }
    effect
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
            act(state, command)
        }
    }
}

fn digit(key: KeyEvent) -> Option<usize> {
    (1..=9).find(|number| Stroke::parse(&number.to_string()) == Some(Stroke::of(key)))
}

/// Does what a command asks for, or says why it is off.
pub(crate) fn act(state: &mut State, command: Command) -> Option<Effect> {
    if let Some(overlay) = state.overlay {
        return overlay::act(state, overlay, command);
    }
    if let Some(reason) = command::row_of(command).and_then(|row| (row.off)(state)) {
        state.toast = reason;
        return None;
    }
    state.toast = Message::default();
    (state.tab.parts().act)(state, command)
}

/// Does what means the same in every tab.
pub(crate) fn anywhere(state: &mut State, command: Command) -> Option<Effect> {
    let page = isize::try_from(state.reviewing.tree_height(state.size)).unwrap_or(1).max(1);
    let go = |state: &mut State, by| (state.tab.parts().go)(state, by);
    match command {
        Command::Down => go(state, 1),
        Command::Up => go(state, -1),
        Command::Top => go(state, isize::MIN),
        Command::Bottom => go(state, isize::MAX),
        Command::HalfPageDown => go(state, page / 2),
        Command::HalfPageUp => go(state, -(page / 2)),
        Command::PageDown => go(state, page),
        Command::PageUp => go(state, -page),
        Command::Tab(tab) => {
            state.tab = tab;
            return (tab.parts().open)(state);
        }
        Command::Timeline => logs::open_timeline(state),
        Command::Retry => {
            state.reviewing.retrying = Some(state.applying.pages.clone());
            return Some(read_again(state, state.reviewing.undoes.clone()));
        }
        Command::Refetch => return Some(read_again(state, None)),
        Command::Mouse => {
            state.mouse = !state.mouse;
            let words = if state.mouse { "the mouse is on; shift and drag selects text" } else { "the mouse is the terminal's" };
            state.toast = words.into();
            return Some(Effect::Mouse(state.mouse));
        }
        Command::Palette => prompt::ask(state, Purpose::Palette, ""),
        Command::Help => state.overlay = Some(Overlay::Help { scroll: 0 }),
        Command::Redraw => return Some(Effect::Redraw),
        Command::Suspend => return Some(Effect::Suspend),
        Command::Back | Command::Leave if state.phase == Phase::Applying => {
            let applied = Message::from("changes are being applied; ");
            state.toast = applied.key(Command::Interrupt, " stops after those in flight");
        }
        Command::Back | Command::Leave => state.tab = Tab::Review,
        Command::Interrupt => return Some(interrupt(state)),
        _ => {}
    }
    None
}

/// Forgets the plan, but not where the person was, and reads both sides: to compare them, or to undo a run.
pub(crate) fn read_again(state: &mut State, undoes: Option<RunId>) -> Effect {
    state.phase = Phase::Reading;
    state.tab = Tab::Review;
    state.reading = Reading::default();
    state.applying.report = None;
    state.reviewing.leave_plan();
    state.toast = Message::default();
    state.reviewing.undoes.clone_from(&undoes);
    Effect::Order(undoes.map_or(Order::Read, Order::Undo))
}

/// Stops what goes on, or leaves.
pub(crate) fn interrupt(state: &mut State) -> Effect {
    state.overlay = None;
    match state.phase {
        Phase::Applying if state.applying.stopping => Effect::Quit,
        Phase::Applying => {
            state.applying.stopping = true;
            let stopping = Message::from("stopping after what is in flight; ");
            state.toast = stopping.key(Command::Interrupt, " again leaves at once");
            Effect::Stop
        }
        Phase::Reading => Effect::Stop,
        Phase::Ready | Phase::Failed { .. } => Effect::Quit,
    }
}
