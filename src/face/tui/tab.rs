//! The tabs. Each has its rows of the key table, what its commands do and its view in a module of its own; another one
//! is a variant of [`Tab`] with its parts here, and its state in the console's.
//!
//! The key table is the one source of dispatch, footer, help, palette, the configuration's keymap and the page's
//! table, so that they cannot disagree. What means the same in every tab is here.

pub(crate) mod apply;
pub(crate) mod hours;
pub(crate) mod logs;
pub(crate) mod review;
pub(crate) mod runs;

use std::sync::LazyLock;

use ratatui::{Frame, layout::Rect};

use self::review::planned;
use super::{
    command::{Command, Tab},
    effect::{Effect, Order},
    hits::Hits,
    keymap::Keymap,
    message::Message,
    own,
    row::{Row, Section, idle, on, row, suspendable},
    state::{
        Phase, Reading, State,
        overlay::show_help,
        prompt::{self, Purpose},
        reviewing::Search,
    },
};
use crate::domain::journal::RunId;

/// What a tab consists of.
pub(crate) struct Parts {
    pub(crate) title: fn(&State) -> String,
    /// Its rows of the key table.
    pub(crate) rows: &'static [Row],
    /// What is to be done when somebody comes to it.
    pub(crate) open: fn(&mut State) -> Option<Effect>,
    /// Does what a command asks for there; what means the same in every tab is left to `anywhere`.
    pub(crate) act: fn(&mut State, Command) -> Option<Effect>,
    /// Moves by so many rows.
    pub(crate) go: fn(&mut State, isize),
    /// Puts the cursor on a row that was clicked.
    pub(crate) put: fn(&mut State, usize),
    pub(crate) draw: fn(&State, &Keymap, &mut Frame<'_>, Rect, &mut Hits),
}

impl Tab {
    /// What it consists of.
    pub(crate) fn parts(self) -> &'static Parts {
        match self {
            Self::Review => &review::TAB,
            Self::Apply => &apply::TAB,
            Self::Logs => &logs::TAB,
            Self::Runs => &runs::TAB,
            Self::Hours => &hours::TAB,
        }
    }
}

/// What means the same in every tab.
#[rustfmt::skip]
const ANYWHERE: &[Row] = &[
    row("down", &["j", "down"], Command::Down, Section::Move, "down", on),
    row("up", &["k", "up"], Command::Up, Section::Move, "up", on),
    row("top", &["g g", "home"], Command::Top, Section::Move, "to the top", on),
    row("bottom", &["G", "end"], Command::Bottom, Section::Move, "to the bottom", on),
    row("half_page_down", &["ctrl-d"], Command::HalfPageDown, Section::Move, "half a page down", on),
    row("half_page_up", &["ctrl-u"], Command::HalfPageUp, Section::Move, "half a page up", on),
    row("page_down", &["ctrl-f", "pagedown"], Command::PageDown, Section::Move, "a page down", on),
    row("page_up", &["ctrl-b", "pageup"], Command::PageUp, Section::Move, "a page up", on),
    row("toggle", &["enter", "z a"], Command::Toggle, Section::View, "open, fold or unfold", on),
    row("redraw", &["ctrl-l"], Command::Redraw, Section::View, "draw again", on),
    row("refetch", &["R"], Command::Refetch, Section::Act, "read both sides again", idle),
    row("mouse", &[], Command::Mouse, Section::Act, "mouse on or off", on),
    row("palette", &[":"], Command::Palette, Section::Act, "all actions", on),
    row("help", &["?", "f1"], Command::Help, Section::Act, "help", on),
    row("suspend", &["ctrl-z"], Command::Suspend, Section::Act, "suspend", suspendable),
    row("back", &["esc"], Command::Back, Section::Act, "back", on),
    row("leave", &["q"], Command::Leave, Section::Act, "back, leave", on),
    row("interrupt", &["ctrl-c"], Command::Interrupt, Section::Act, "stop", on),
];

/// The table.
pub(crate) static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let of_tabs = Tab::ALL.into_iter().flat_map(|tab| tab.parts().rows);
    let mut rows: Vec<Row> = ANYWHERE.iter().chain(of_tabs).copied().collect();
    rows.sort_by_key(|row| row.command);
    rows
});

/// The row of a command.
pub(crate) fn row_of(command: Command) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.command == command)
}

impl Default for Keymap {
    fn default() -> Self {
        Self::of(TABLE.iter().map(|row| (row.command, row.name, row.keys)))
    }
}

/// Does what a command asks for in the tab, or says why it is off.
pub(crate) fn act(state: &mut State, command: Command) -> Option<Effect> {
    if state.read_only && (command.writes() || command == Command::Toggle && review::in_fields(state)) {
        state.toast = "this console only looks (--read-only)".into();
        return None;
    }
    if let Some(reason) = row_of(command).and_then(|row| (row.off)(state)) {
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
        Command::Retry => return planned::retry(state),
        Command::Refetch => return Some(read_again(state, None)),
        Command::Mouse => {
            state.mouse = !state.mouse;
            let words = if state.mouse {
                "the mouse is on; shift and drag selects text"
            } else {
                "the mouse is the terminal's"
            };
            state.toast = words.into();
            return Some(Effect::Mouse(state.mouse));
        }
        Command::Palette => prompt::ask(state, Purpose::Palette, ""),
        Command::Help => show_help(state),
        Command::Own(at) => match own::job(state, state.own.get(at)?) {
            Ok(job) => {
                state.toast = format!("{} is running", job.name).into();
                return Some(Effect::Start(job));
            }
            Err(because) => state.toast = because.into(),
        },
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

/// Forgets the plan, but not where the person was, and what came of the last apply, and reads both sides: to compare
/// them, or to undo a run.
pub(crate) fn read_again(state: &mut State, undoes: Option<RunId>) -> Effect {
    state.tab = Tab::Review;
    state.applying.report = None;
    read_sides(state, undoes, false)
}

/// The same without leaving what is on the screen; `of_rest` where an apply has ended and nobody asked for it.
pub(crate) fn read_sides(state: &mut State, undoes: Option<RunId>, of_rest: bool) -> Effect {
    state.phase = Phase::Reading;
    state.reading = Reading { of_rest, ..Reading::default() };
    state.reviewing.leave_plan();
    // What was looked for in one plan would hide what is new in another.
    state.reviewing.filter = Search::default();
    state.toast = Message::default();
    state.reviewing.undoes.clone_from(&undoes);
    Effect::Order(undoes.map_or(Order::Read, Order::Undo))
}

/// Stops what goes on, or leaves.
pub(crate) fn interrupt(state: &mut State) -> Effect {
    state.overlay = None;
    match state.phase {
        Phase::Ready | Phase::Failed { .. } if state.tab == Tab::Hours && state.hours.asked.is_some() => Effect::Stop,
        Phase::Applying if state.applying.stopping => Effect::Quit,
        Phase::Applying => {
            state.applying.stopping = true;
            let stopping = Message::from("stopping after what is in flight; ");
            state.toast = stopping.key(Command::Interrupt, " again leaves at once");
            Effect::Stop
        }
        Phase::Reading if !state.reading.of_rest => Effect::Stop,
        Phase::Ready | Phase::Reading | Phase::Failed { .. } => Effect::Quit,
    }
}
