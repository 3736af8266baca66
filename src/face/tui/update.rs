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
    state::{Phase, Popup, Purpose, Reading, State, Tab},
    stroke::Stroke,
    tab::{
        apply::applying::Applying,
        logs::{self, window::Question},
        review::{
            decide,
            matching::{Query, Wanted},
            moves,
            outside::{self, Copied},
            reviewing::{Looked, Selection},
        },
    },
};
use crate::domain::{
    journal::RunId,
    review::{Approved, Decision, Review, Said},
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
    effect.or_else(|| logs::wants(state).map(Effect::Log))
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
    if command::in_fields(state) {
        match command {
            Command::Down | Command::Up => {
                state.reviewing.choose_field(command == Command::Down);
                return None;
            }
            Command::Approve => return decide::toggle_field(state),
            Command::Toggle if state.reviewing.fields().len() > 1 => return decide::toggle_field(state),
            Command::Toggle | Command::Back | Command::Leave => {
                state.reviewing.detail.leave();
                return None;
            }
            _ => {}
        }
    }
    act_anywhere(state, command)
}

fn act_anywhere(state: &mut State, command: Command) -> Option<Effect> {
    if moves::moved(state, command) {
        return None;
    }
    match command {
        Command::Toggle => return toggle(state),
        Command::Approve => return decide::approve(state),
        Command::ApproveBelow => return decide::approve_below(state),
        Command::ApproveShown => return decide::approve_shown(state),
        Command::Skip => return decide::and_move(state, Some(&Decision::Skip), "skipped"),
        Command::Ignore => return decide::and_move(state, Some(&Decision::Ignore), "ignored for good"),
        Command::Clear => return decide::and_move(state, None, "cleared"),
        Command::Alike => return decide::alike(state),
        Command::Undo => return decide::step(state, Review::undo, "undone"),
        Command::Redo => return decide::step(state, Review::redo, "done again"),
        Command::Flag => prompt::ask(state, Purpose::Flag, ""),
        Command::Edit => decide::edit(state),
        Command::Resolve => decide::open_ways(state),
        Command::Release => {
            if let Some(allowance) = state.reviewing.current_change().and_then(|at| state.reviewing.plan()?.release(at)) {
                prompt::ask(state, Purpose::Release(allowance), "");
            }
        }
        Command::Range => {
            state.reviewing.selection = match state.reviewing.selection {
                Selection::Range(_) => Selection::None,
                Selection::None | Selection::Marked(_) => Selection::Range(state.reviewing.cursor),
            }
        }
        Command::Mark => decide::mark(state),
        Command::Search | Command::Filter if state.tab == Tab::Logs => logs::ask(state),
        Command::Search => prompt::ask(state, Purpose::Search, ""),
        Command::Filter => {
            let filter = state.reviewing.filter.text.clone();
            prompt::ask(state, Purpose::Filter, &filter);
        }
        Command::Apply => ask_to_apply(state),
        Command::Retry => {
            state.reviewing.retrying = Some(state.applying.pages.clone());
            return Some(read_again(state, state.reviewing.undoes.clone()));
        }
        Command::Refetch => return Some(read_again(state, None)),
        Command::UndoRun => {
            let run = state.runs.current()?.id.clone();
            return Some(read_again(state, Some(run)));
        }
        Command::OnlyFailures => state.applying.only_failures = !state.applying.only_failures,
        Command::ReviewTab => state.tab = Tab::Review,
        Command::ApplyTab => state.tab = Tab::Apply,
        Command::RunsTab => {
            state.tab = Tab::Runs;
            return Some(Effect::Runs);
        }
        Command::LogsTab => {
            let filter = state.logs.filter.clone();
            logs::open(state, filter);
        }
        Command::Timeline | Command::Level | Command::OfRun | Command::Follow | Command::ToChange | Command::Export => {
            return logs::acted(state, command);
        }
        Command::Focus => {
            state.reviewing.detail.focused = !state.reviewing.detail.focused;
        }
        Command::Zoom => state.reviewing.detail.zoomed = !state.reviewing.detail.zoomed,
        Command::Detail => {
            state.reviewing.detail.shown = !state.reviewing.detail.shown;
            state.reviewing.detail.leave();
        }
        Command::DetailDown => state.reviewing.detail.scroll(3),
        Command::DetailUp => state.reviewing.detail.scroll(-3),
        Command::Copy => state.popup = Some(Popup::Copy { line: 0 }),
        Command::CopyUrl => return outside::copies(state).into_iter().find(Copied::is_url).map(Effect::Copy),
        Command::OpenPage => return outside::page_url(state).map(Effect::Open),
        Command::OpenObject => return outside::object_url(state).map(Effect::Open),
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
        Command::Back => match back(state) {
            Some(Effect::Quit) => state.toast = format!("{} leaves", state.keymap.first(Command::Leave)),
            effect => return effect,
        },
        Command::Leave => return back(state),
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

fn ask_to_apply(state: &mut State) {
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
fn read_again(state: &mut State, undoes: Option<RunId>) -> Effect {
    state.phase = Phase::Reading;
    state.tab = Tab::Review;
    state.reading = Reading::default();
    state.applying.report = None;
    state.reviewing.leave_plan();
    state.toast.clear();
    state.reviewing.undoes.clone_from(&undoes);
    undoes.map_or(Effect::Read, Effect::Undo)
}

fn toggle(state: &mut State) -> Option<Effect> {
    match state.tab {
        Tab::Review if state.reviewing.tree.nodes.is_empty() => None,
        Tab::Review if state.reviewing.tree.is_branch(state.reviewing.cursor) => {
            state.reviewing.toggle_fold();
            None
        }
        Tab::Review => {
            (state.reviewing.detail.shown, state.reviewing.detail.focused) = (true, true);
            None
        }
        Tab::Runs => {
            let run = state.runs.current().map(|run| run.id.clone())?;
            logs::open(state, format!("run:{run}"));
            None
        }
        Tab::Logs => {
            logs::toggle(state);
            None
        }
        Tab::Apply => None,
    }
}

/// Leaves what is on top: a selection, a pane, a filter, a tab, and in the end the console.
fn back(state: &mut State) -> Option<Effect> {
    if std::mem::take(&mut state.reviewing.selection) != Selection::None {
        return None;
    }
    if state.tab == Tab::Logs && state.logs.open.take().is_some() {
        return None;
    }
    if state.tab == Tab::Logs && !state.logs.filter.is_empty() {
        state.logs.look(String::new());
        return None;
    }
    match state.phase {
        Phase::Applying => {
            "changes are being applied; ^c stops after those in flight".clone_into(&mut state.toast);
            None
        }
        _ if state.tab != Tab::Review => {
            state.tab = Tab::Review;
            None
        }
        _ if state.reviewing.detail.zoomed => {
            state.reviewing.detail.zoomed = false;
            None
        }
        _ if !state.reviewing.filter.text.is_empty() => {
            state.reviewing.filter.text.clear();
            Some(look_for(state, Wanted::Filter))
        }
        _ if !state.reviewing.search.text.is_empty() => {
            state.reviewing.search = Looked::default();
            None
        }
        _ => Some(Effect::Quit),
    }
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

/// Asks the plan what matches.
pub(crate) fn look_for(state: &mut State, wanted: Wanted) -> Effect {
    Effect::Match(state.reviewing.query(wanted))
}
