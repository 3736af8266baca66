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
    keymap::Meaning,
    overlay::prompt,
    state::{Phase, Popup, Purpose, Reading, State},
    stroke::Stroke,
    tab::{
        Tab,
        apply::applying::Applying,
        logs::{self, window::Question},
        review::{
            decide,
            matching::Query,
            moves,
            outside::{self, Copied},
        },
    },
};
use crate::domain::{
    journal::RunId,
    review::{Approved, Said},
    rules::Allowance,
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

/// What the loop has to do outside.
#[derive(Debug)]
pub(crate) enum Effect {
    Quit,
    Read,
    /// Read, and plan the undo of a run.
    Undo(RunId),
    /// Stop reading, or stop applying between writes.
    Stop,
    /// Leave at once, in the middle of an apply.
    Abort,
    Apply(Approved),
    Keep(Vec<Said>),
    /// Plan again with a brake released.
    Release(Allowance),
    Match(Query),
    Runs,
    /// Look into the log.
    Log(Question),
    /// Save what a filter selects of the log.
    Export(String),
    Copy(Copied),
    Open(String),
    Mouse(bool),
    Redraw,
    Suspend,
}

/// Takes a message in.
pub(crate) fn update(state: &mut State, msg: Msg) -> Option<Effect> {
    let effect = match msg {
        Msg::Key(key) => on_key(state, key),
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
    effect.or_else(|| if state.tab == Tab::Logs { state.logs.wants().map(Effect::Log) } else { None })
}

fn on_key(state: &mut State, key: KeyEvent) -> Option<Effect> {
    if state.prompt.is_some() {
        return prompt::on_key(state, key);
    }
    if let (Some(popup), Some(number)) = (state.popup.clone(), digit(key)) {
        return choose_line(state, &popup, number);
    }
    state.strokes.push(Stroke::of(key));
    match state.keymap.meaning(&state.strokes) {
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
    if let Some(popup) = state.popup.clone() {
        return in_popup(state, &popup, command);
    }
    if let Some(reason) = command::row_of(command).and_then(|row| (row.off)(state)) {
        state.toast = reason.to_owned();
        return None;
    }
    state.toast.clear();
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
            words.clone_into(&mut state.toast);
            return Some(Effect::Mouse(state.mouse));
        }
        Command::Palette => prompt::ask(state, Purpose::Palette, ""),
        Command::Help => state.popup = Some(Popup::Help { scroll: 0 }),
        Command::Redraw => return Some(Effect::Redraw),
        Command::Suspend => return Some(Effect::Suspend),
        Command::Back | Command::Leave if state.phase == Phase::Applying => {
            "changes are being applied; ^c stops after those in flight".clone_into(&mut state.toast);
        }
        Command::Back | Command::Leave => state.tab = Tab::Review,
        Command::Interrupt => return Some(interrupt(state)),
        _ => {}
    }
    None
}

fn in_popup(state: &mut State, popup: &Popup, command: Command) -> Option<Effect> {
    let down = command == Command::Down;
    match (popup, command) {
        (_, Command::Interrupt) => return Some(interrupt(state)),
        (_, Command::Suspend) => return Some(Effect::Suspend),
        (_, Command::Back | Command::Leave | Command::Help) => state.popup = None,
        (Popup::Help { scroll }, Command::Down | Command::Up) => {
            let scroll = if down { scroll.saturating_add(1) } else { scroll.saturating_sub(1) };
            state.popup = Some(Popup::Help { scroll });
        }
        (Popup::Help { scroll }, Command::PageDown | Command::HalfPageDown) => {
            state.popup = Some(Popup::Help { scroll: scroll.saturating_add(10) });
        }
        (Popup::Help { scroll }, Command::PageUp | Command::HalfPageUp) => {
            state.popup = Some(Popup::Help { scroll: scroll.saturating_sub(10) });
        }
        (Popup::Resolve { change, line }, Command::Down | Command::Up) => {
            let last = state.reviewing.plan().map_or(0, |plan| plan.changes[*change].alternatives.len());
            let line = match line {
                Some(line) if down => (line + 1).min(last),
                Some(line) => line.saturating_sub(1),
                None if down => 0,
                None => last,
            };
            state.popup = Some(Popup::Resolve { change: *change, line: Some(line) });
        }
        (Popup::Resolve { line: None, .. }, Command::Toggle | Command::Approve | Command::Alike) => {
            "a conflict has no default: choose a way by its number, or with j and k".clone_into(&mut state.toast);
        }
        (Popup::Resolve { change, line: Some(line) }, Command::Toggle | Command::Approve) => {
            return decide::resolve(state, &[*change], *line);
        }
        (Popup::Resolve { change, line: Some(line) }, Command::Alike) => {
            let alike = state.reviewing.review.as_ref()?.alike(*change);
            return decide::resolve_alike(state, alike, *line);
        }
        (
            Popup::Resolve { .. },
            Command::NextConflict | Command::PreviousConflict | Command::NextUndecided | Command::PreviousUndecided,
        ) => {
            state.popup = None;
            let forward = matches!(command, Command::NextConflict | Command::NextUndecided);
            moves::moved(state, if forward { Command::NextConflict } else { Command::PreviousConflict });
            decide::open_ways(state);
        }
        (Popup::Resolve { .. }, Command::Skip | Command::Flag | Command::Edit | Command::Clear | Command::Undo) => {
            state.popup = None;
            return act(state, command);
        }
        (Popup::Copy { line }, Command::Down | Command::Up) => {
            let last = outside::copies(state).len().saturating_sub(1);
            let line = if down { (line + 1).min(last) } else { line.saturating_sub(1) };
            state.popup = Some(Popup::Copy { line });
        }
        (Popup::Copy { line }, Command::Toggle | Command::Approve) => return choose_line(state, popup, line + 1),
        (Popup::Confirm, Command::Toggle) => return apply(state),
        _ => {}
    }
    None
}

/// Takes the line with this number, from 1, of what lies over the tab.
fn choose_line(state: &mut State, popup: &Popup, number: usize) -> Option<Effect> {
    match popup {
        Popup::Resolve { change, .. } => {
            let ways = state.reviewing.plan()?.changes[*change].alternatives.len() + 1;
            if number <= ways { decide::resolve(state, &[*change], number - 1) } else { None }
        }
        Popup::Copy { .. } => {
            let copied = outside::copies(state).into_iter().nth(number - 1)?;
            state.popup = None;
            Some(Effect::Copy(copied))
        }
        Popup::Help { .. } | Popup::Confirm => None,
    }
}

pub(crate) fn ask_to_apply(state: &mut State) {
    state.popup = Some(Popup::Confirm);
    if state.reviewing.tally.closes > 0 {
        prompt::ask(state, Purpose::Confirm, "");
    }
}

pub(crate) fn apply(state: &mut State) -> Option<Effect> {
    state.popup = None;
    let approved = state.reviewing.review.as_ref()?.approved();
    state.applying = Applying::new(&approved, state.now);
    state.phase = Phase::Applying;
    state.tab = Tab::Apply;
    state.applying.report = None;
    state.reading = Reading::default();
    Some(Effect::Apply(approved))
}

/// Forgets the plan, but not where the person was, and reads both sides: to compare them, or to undo a run.
pub(crate) fn read_again(state: &mut State, undoes: Option<RunId>) -> Effect {
    state.phase = Phase::Reading;
    state.tab = Tab::Review;
    state.reading = Reading::default();
    state.applying.report = None;
    state.reviewing.leave_plan();
    state.toast.clear();
    state.reviewing.undoes.clone_from(&undoes);
    undoes.map_or(Effect::Read, Effect::Undo)
}

fn interrupt(state: &mut State) -> Effect {
    state.popup = None;
    match state.phase {
        Phase::Applying if state.applying.stopping => Effect::Abort,
        Phase::Applying => {
            state.applying.stopping = true;
            "stopping after what is in flight; ^c again leaves at once".clone_into(&mut state.toast);
            Effect::Stop
        }
        Phase::Reading => Effect::Stop,
        Phase::Ready | Phase::Failed { .. } => Effect::Quit,
    }
}
