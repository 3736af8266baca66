//! The one key table: dispatch, footer, help, palette, the configuration's keymap and the README's table are made from it, so they cannot
//! disagree. Each tab has its rows beside what they do; those that mean the same everywhere are here.

use std::sync::LazyLock;

use super::{
    message::Message,
    state::{Phase, State},
    tab::{Tab, review::tree::By},
};

/// Everything that a key or the palette can ask for, in the order of the table: earlier ones come first in the footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Command {
    Approve,
    Skip,
    Flag,
    Resolve,
    Undo,
    Apply,
    Retry,
    UndoRun,
    Search,
    Filter,
    Timeline,
    Level,
    OfRun,
    Follow,
    ToChange,
    Export,
    ApproveBelow,
    ApproveShown,
    Edit,
    Alike,
    Release,
    Ignore,
    Clear,
    Range,
    ExtendDown,
    ExtendUp,
    Mark,
    Redo,
    Down,
    Up,
    Top,
    Bottom,
    HalfPageDown,
    HalfPageUp,
    PageDown,
    PageUp,
    NextClient,
    PreviousClient,
    NextUndecided,
    PreviousUndecided,
    NextConflict,
    PreviousConflict,
    NextMatch,
    PreviousMatch,
    Unfold,
    Fold,
    Toggle,
    UnfoldAll,
    FoldAll,
    FoldToClients,
    FoldToProjects,
    Flat,
    Sort { by: By, reverse: bool },
    Detail,
    Focus,
    Zoom,
    DetailDown,
    DetailUp,
    Tab(Tab),
    OnlyFailures,
    Redraw,
    Refetch,
    Copy,
    CopyUrl,
    OpenPage,
    OpenObject,
    Mouse,
    Palette,
    Help,
    Suspend,
    Back,
    Leave,
    Interrupt,
}

/// Which part of the help a command is listed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Move,
    Decide,
    Find,
    View,
    Act,
}

impl Section {
    /// In the order of the help.
    pub(crate) const ALL: [Self; 5] = [Self::Decide, Self::Act, Self::Find, Self::Move, Self::View];

    /// The heading.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Move => "MOVE",
            Self::Decide => "DECIDE",
            Self::Find => "FIND",
            Self::View => "VIEW",
            Self::Act => "ACT",
        }
    }
}

/// Why a command is off now, if it is.
pub(crate) type Off = fn(&State) -> Option<Message>;

/// One row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// What the configuration calls the command.
    pub(crate) name: &'static str,
    /// Its keys, unless the configuration gives it others: each a sequence of strokes separated by spaces.
    pub(crate) keys: &'static [&'static str],
    pub(crate) command: Command,
    pub(crate) section: Section,
    pub(crate) label: &'static str,
    pub(crate) off: Off,
}

/// A row of the table.
pub(crate) const fn row(
    name: &'static str,
    keys: &'static [&'static str],
    command: Command,
    section: Section,
    label: &'static str,
    off: Off,
) -> Row {
    Row { name, keys, command, section, label, off }
}

/// Never off.
pub(crate) fn on(_: &State) -> Option<Message> {
    None
}

/// Off while something goes on.
pub(crate) fn idle(state: &State) -> Option<Message> {
    match state.phase {
        Phase::Applying => Some("changes are being applied".into()),
        Phase::Reading => Some("both sides are being read".into()),
        Phase::Ready | Phase::Failed { .. } => None,
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
    row("suspend", &["ctrl-z"], Command::Suspend, Section::Act, "suspend", on),
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
