//! The one key table: dispatch, footer, help, palette, the configuration's keymap and the README's table are made from it, so they cannot
//! disagree.

use super::{
    state::{Phase, State, Tab},
    tab::review::tree::By,
};
use crate::domain::{entry, plan::State as ChangeState, review::Decision};

/// Everything that a key or the palette can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
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
    Approve,
    ApproveBelow,
    ApproveShown,
    Skip,
    Ignore,
    Flag,
    Clear,
    Resolve,
    Alike,
    Edit,
    Release,
    Range,
    ExtendDown,
    ExtendUp,
    Mark,
    Undo,
    Redo,
    Search,
    NextMatch,
    PreviousMatch,
    Filter,
    Sort { by: By, reverse: bool },
    Flat,
    Unfold,
    Fold,
    Toggle,
    UnfoldAll,
    FoldAll,
    FoldToClients,
    FoldToProjects,
    Detail,
    Focus,
    Zoom,
    DetailDown,
    DetailUp,
    ReviewTab,
    ApplyTab,
    LogsTab,
    RunsTab,
    Timeline,
    Level,
    OfRun,
    Follow,
    ToChange,
    Export,
    Apply,
    Retry,
    UndoRun,
    OnlyFailures,
    Refetch,
    Copy,
    CopyUrl,
    OpenPage,
    OpenObject,
    Mouse,
    Palette,
    Help,
    Redraw,
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
type Off = fn(&State) -> Option<&'static str>;

/// One row of the table.
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

fn on(_: &State) -> Option<&'static str> {
    None
}

fn in_review(state: &State) -> Option<&'static str> {
    match (&state.phase, state.tab) {
        (Phase::Applying, _) => Some("changes are being applied"),
        (_, Tab::Apply | Tab::Logs | Tab::Runs) => Some("only in the review (1)"),
        _ if state.applying.report.is_some() && state.reviewing.review.is_none() => Some("read both sides again first (R)"),
        _ if state.reviewing.review.is_none() => Some("there is no plan yet"),
        _ => None,
    }
}

fn on_changes(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| (!state.reviewing.has_changes()).then_some("this row has no changes"))
}

fn on_a_change(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| state.reviewing.current_change().is_none().then_some("this row is no single change"))
}

fn with_ways(state: &State) -> Option<&'static str> {
    on_a_change(state).or_else(|| {
        let at = state.reviewing.current_change()?;
        let alone = state.reviewing.plan()?.changes[at].alternatives.is_empty();
        alone.then_some("this change has no alternatives")
    })
}

fn resolved(state: &State) -> Option<&'static str> {
    with_ways(state).or_else(|| {
        let at = state.reviewing.current_change()?;
        let approved = state.reviewing.review.as_ref()?.verdict(at).decision == Some(Decision::Approve);
        (!approved).then_some("resolve it first: then the same is done for all of its kind")
    })
}

fn braked(state: &State) -> Option<&'static str> {
    on_a_change(state).or_else(|| {
        let released = state.reviewing.current_change().and_then(|at| state.reviewing.plan()?.release(at));
        released.is_none().then_some("no brake withholds this change")
    })
}

fn on_an_open_change(state: &State) -> Option<&'static str> {
    on_a_change(state).or_else(|| {
        let at = state.reviewing.current_change()?;
        (state.reviewing.plan()?.changes[at].state == ChangeState::Held).then_some("this change is held")
    })
}

fn on_a_field(state: &State) -> Option<&'static str> {
    on_an_open_change(state).or_else(|| {
        let fields = state.reviewing.fields();
        let typable = fields.iter().any(|field| entry::is_typable(field.field));
        (!typable).then_some("nothing in this change can be typed")
    })
}

fn with_object(state: &State) -> Option<&'static str> {
    on_subject(state).or_else(|| state.reviewing.object().is_none().then_some("it is not in Clockify yet"))
}

fn on_subject(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| state.reviewing.page().is_none().then_some("this row is no page"))
}

fn with_search(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| state.reviewing.search.text.is_empty().then_some("nothing is searched for (/)"))
}

fn with_detail(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| (!state.reviewing.detail.is_there()).then_some("the detail is hidden (p)"))
}

fn to_apply(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| (state.reviewing.tally.approved == 0).then_some("nothing is approved"))
}

fn to_retry(state: &State) -> Option<&'static str> {
    match &state.applying.report {
        _ if state.phase == Phase::Applying => Some("changes are being applied"),
        Some(report) if report.failed + report.skipped > 0 => None,
        Some(_) | None => Some("nothing has failed"),
    }
}

fn on_a_run(state: &State) -> Option<&'static str> {
    let Some(run) = state.runs.current().filter(|_| state.tab == Tab::Runs) else {
        return Some("only on one of the runs");
    };
    let report = run.end.as_ref().map(|end| &end.report).filter(|report| report.is_object());
    let wrote = |word: &str| report.is_none_or(|report| report[word].as_u64() != Some(0));
    idle(state).or_else(|| (!wrote("applied") && !wrote("failed")).then_some("that run wrote nothing"))
}

fn in_apply(state: &State) -> Option<&'static str> {
    (state.tab != Tab::Apply).then_some("only while applying (2)")
}

fn in_logs(state: &State) -> Option<&'static str> {
    (state.tab != Tab::Logs).then_some("only in the log (3)")
}

fn on_an_entry(state: &State) -> Option<&'static str> {
    in_logs(state).or_else(|| state.logs.current().is_none().then_some("there is no entry"))
}

fn on_a_page(state: &State) -> Option<&'static str> {
    let page = match state.tab {
        Tab::Logs => state.logs.current().is_some_and(|line| line.page.is_some()),
        Tab::Review => state.reviewing.page().is_some(),
        Tab::Apply | Tab::Runs => false,
    };
    (!page).then_some("this is about no page")
}

fn in_review_or_logs(state: &State) -> Option<&'static str> {
    if state.tab == Tab::Logs { None } else { in_review(state) }
}

fn idle(state: &State) -> Option<&'static str> {
    match state.phase {
        Phase::Applying => Some("changes are being applied"),
        Phase::Reading => Some("both sides are being read"),
        Phase::Ready | Phase::Failed { .. } => None,
    }
}

const fn row(
    name: &'static str,
    keys: &'static [&'static str],
    command: Command,
    section: Section,
    label: &'static str,
    off: Off,
) -> Row {
    Row { name, keys, command, section, label, off }
}

const fn sort(name: &'static str, keys: &'static [&'static str], by: By, reverse: bool, label: &'static str) -> Row {
    row(name, keys, Command::Sort { by, reverse }, Section::View, label, in_review)
}

/// The table. Earlier rows come first in the footer.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row("approve", &["space"], Command::Approve, Section::Decide, "approve, move on", on_changes),
    row("skip", &["s"], Command::Skip, Section::Decide, "skip, for this run", on_changes),
    row("flag", &["!"], Command::Flag, Section::Decide, "flag, with a note", on_changes),
    row("resolve", &["c", "w"], Command::Resolve, Section::Decide, "resolve, choose a way", with_ways),
    row("undo", &["u"], Command::Undo, Section::Decide, "undo", in_review),
    row("apply", &["P"], Command::Apply, Section::Act, "apply", to_apply),
    row("retry", &["r"], Command::Retry, Section::Act, "retry what failed", to_retry),
    row("undo_run", &["U"], Command::UndoRun, Section::Act, "undo the run", on_a_run),
    row("search", &["/"], Command::Search, Section::Find, "search", in_review_or_logs),
    row("filter", &["f"], Command::Filter, Section::Find, "filter", in_review_or_logs),
    row("timeline", &["T"], Command::Timeline, Section::Find, "all about this page, in the log", on_a_page),
    row("log_level", &["L"], Command::Level, Section::Find, "level, in the log", in_logs),
    row("log_run", &["@"], Command::OfRun, Section::Find, "this run alone, in the log", on_an_entry),
    row("log_follow", &["F"], Command::Follow, Section::View, "follow what is added, in the log", in_logs),
    row("log_change", &["X"], Command::ToChange, Section::Find, "to the change, from the log", on_an_entry),
    row("log_export", &["W"], Command::Export, Section::Act, "save what is shown, from the log", in_logs),
    row("approve_below", &["a"], Command::ApproveBelow, Section::Decide, "approve all below", on_changes),
    row("approve_shown", &["A"], Command::ApproveShown, Section::Decide, "approve all shown", in_review),
    row("edit", &["e"], Command::Edit, Section::Decide, "edit the value", on_a_field),
    row("alike", &["x"], Command::Alike, Section::Decide, "the same for all of its kind", resolved),
    row("release", &["B"], Command::Release, Section::Decide, "release the brake", braked),
    row("ignore", &["i"], Command::Ignore, Section::Decide, "ignore for good", on_changes),
    row("clear", &["backspace"], Command::Clear, Section::Decide, "clear the decision", on_changes),
    row("range", &["v"], Command::Range, Section::Decide, "select a range", in_review),
    row("extend_down", &["shift-down"], Command::ExtendDown, Section::Decide, "select downwards", in_review),
    row("extend_up", &["shift-up"], Command::ExtendUp, Section::Decide, "select upwards", in_review),
    row("mark", &["*"], Command::Mark, Section::Decide, "select all matches", in_review),
    row("redo", &["ctrl-r"], Command::Redo, Section::Decide, "redo", in_review),
    row("down", &["j", "down"], Command::Down, Section::Move, "down", on),
    row("up", &["k", "up"], Command::Up, Section::Move, "up", on),
    row("top", &["g g", "home"], Command::Top, Section::Move, "to the top", on),
    row("bottom", &["G", "end"], Command::Bottom, Section::Move, "to the bottom", on),
    row("half_page_down", &["ctrl-d"], Command::HalfPageDown, Section::Move, "half a page down", on),
    row("half_page_up", &["ctrl-u"], Command::HalfPageUp, Section::Move, "half a page up", on),
    row("page_down", &["ctrl-f", "pagedown"], Command::PageDown, Section::Move, "a page down", on),
    row("page_up", &["ctrl-b", "pageup"], Command::PageUp, Section::Move, "a page up", on),
    row("next_client", &["}"], Command::NextClient, Section::Move, "next client", in_review),
    row("previous_client", &["{"], Command::PreviousClient, Section::Move, "previous client", in_review),
    row("next_undecided", &["]"], Command::NextUndecided, Section::Move, "next undecided", in_review),
    row("previous_undecided", &["["], Command::PreviousUndecided, Section::Move, "previous undecided", in_review),
    row("next_conflict", &[")"], Command::NextConflict, Section::Move, "next conflict", in_review),
    row("previous_conflict", &["("], Command::PreviousConflict, Section::Move, "previous conflict", in_review),
    row("next_match", &["n"], Command::NextMatch, Section::Find, "next match", with_search),
    row("previous_match", &["N"], Command::PreviousMatch, Section::Find, "previous match", with_search),
    row("unfold", &["l", "right", "z o"], Command::Unfold, Section::View, "unfold, go in", in_review),
    row("fold", &["h", "left", "z c"], Command::Fold, Section::View, "fold, go out", in_review),
    row("toggle", &["enter", "z a"], Command::Toggle, Section::View, "open, fold or unfold", on),
    row("unfold_all", &["=", "z R"], Command::UnfoldAll, Section::View, "unfold all", in_review),
    row("fold_all", &["-", "z M"], Command::FoldAll, Section::View, "fold all", in_review),
    row("fold_to_clients", &["z 1"], Command::FoldToClients, Section::View, "clients only", in_review),
    row("fold_to_projects", &["z 2"], Command::FoldToProjects, Section::View, "down to projects", in_review),
    row("flat", &["t"], Command::Flat, Section::View, "tree or flat list", in_review),
    sort("sort_name", &[", n"], By::Name, false, "sort by name"),
    sort("sort_name_reverse", &[", N"], By::Name, true, "sort by name, reversed"),
    sort("sort_action", &[", o"], By::Action, false, "sort by action"),
    sort("sort_action_reverse", &[", O"], By::Action, true, "sort by action, reversed"),
    sort("sort_count", &[", c"], By::Count, false, "sort by count, most first"),
    sort("sort_count_reverse", &[", C"], By::Count, true, "sort by count, fewest first"),
    sort("sort_edited", &[", d"], By::Edited, false, "sort by date, latest first"),
    sort("sort_edited_reverse", &[", D"], By::Edited, true, "sort by date, oldest first"),
    row("detail", &["p"], Command::Detail, Section::View, "detail pane", in_review),
    row("focus", &["tab", "backtab"], Command::Focus, Section::View, "tree or detail", with_detail),
    row("zoom", &["+", "_"], Command::Zoom, Section::View, "zoom the pane", with_detail),
    row("detail_down", &["J"], Command::DetailDown, Section::View, "scroll the detail down", with_detail),
    row("detail_up", &["K"], Command::DetailUp, Section::View, "scroll the detail up", with_detail),
    row("review_tab", &["1"], Command::ReviewTab, Section::View, "review", on),
    row("apply_tab", &["2"], Command::ApplyTab, Section::View, "apply", on),
    row("logs_tab", &["3"], Command::LogsTab, Section::View, "log", on),
    row("runs_tab", &["4"], Command::RunsTab, Section::View, "runs", on),
    row("only_failures", &["E"], Command::OnlyFailures, Section::View, "failures only", in_apply),
    row("redraw", &["ctrl-l"], Command::Redraw, Section::View, "draw again", on),
    row("refetch", &["R"], Command::Refetch, Section::Act, "read both sides again", idle),
    row("copy", &["y"], Command::Copy, Section::Act, "copy…", on_subject),
    row("copy_url", &["Y"], Command::CopyUrl, Section::Act, "copy the page's address", on_subject),
    row("open_page", &["o"], Command::OpenPage, Section::Act, "open in Notion", on_subject),
    row("open_object", &["O"], Command::OpenObject, Section::Act, "open in Clockify", with_object),
    row("mouse", &[], Command::Mouse, Section::Act, "mouse on or off", on),
    row("palette", &[":"], Command::Palette, Section::Act, "all actions", on),
    row("help", &["?", "f1"], Command::Help, Section::Act, "help", on),
    row("suspend", &["ctrl-z"], Command::Suspend, Section::Act, "suspend", on),
    row("back", &["esc"], Command::Back, Section::Act, "back", on),
    row("leave", &["q"], Command::Leave, Section::Act, "back, leave", on),
    row("interrupt", &["ctrl-c"], Command::Interrupt, Section::Act, "stop", on),
];

/// The row of a command.
pub(crate) fn row_of(command: Command) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.command == command)
}

/// True while keys go to the fields of the change that is shown in detail.
pub(crate) fn in_fields(state: &State) -> bool {
    state.tab == Tab::Review && state.reviewing.detail.focused
}
