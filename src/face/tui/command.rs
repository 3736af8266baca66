//! What a key or the palette can ask for.

/// Everything that a key or the palette can ask for, in the order of the table: earlier ones come first in the footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Command {
    Approve,
    Skip,
    Flag,
    ApproveNeeded,
    Resolve,
    Undo,
    Apply,
    Retry,
    UndoRun,
    AllRuns,
    Entries,
    CloseMonth,
    Period,
    PreviousMonth,
    NextMonth,
    Days,
    /// A program of the user's, by its place in the configuration.
    Own(usize),
    Search,
    Filter,
    SaveFilter,
    Timeline,
    Level,
    OfRun,
    Follow,
    ToChange,
    Export,
    RunNow,
    ApproveBelow,
    ApproveShown,
    Edit,
    Alike,
    Release,
    Ignore,
    Clear,
    Reserve,
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
    ToClient,
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
    Sort {
        by: By,
        reverse: bool,
    },
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

impl Command {
    /// True for those that decide, apply or seal something.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Self::Approve
                | Self::ApproveBelow
                | Self::ApproveShown
                | Self::Skip
                | Self::Flag
                | Self::Ignore
                | Self::Clear
                | Self::Reserve
                | Self::Resolve
                | Self::Alike
                | Self::Edit
                | Self::Undo
                | Self::Redo
                | Self::Release
                | Self::Apply
                | Self::Retry
                | Self::CloseMonth
        )
    }
}

/// The tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tab {
    Review,
    Apply,
    Logs,
    Runs,
    Hours,
}

impl Tab {
    /// In the order of the screen.
    pub(crate) const ALL: [Self; 5] = [Self::Review, Self::Apply, Self::Logs, Self::Runs, Self::Hours];
}

/// What rows that stand beside each other are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// The plan's own order.
    #[default]
    Name,
    /// What is done, in the order in which actions are listed.
    Action,
    /// How many changes there are at and below it, most first.
    Count,
    /// When the page was last edited in Notion, latest first.
    Edited,
}

impl By {
    /// What the order is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Action => "action",
            Self::Count => "count",
            Self::Edited => "date",
        }
    }
}
