//! The one key table: dispatch, footer, help, palette, the configuration's keymap and the README's table are made from it, so they cannot
//! disagree.

use super::{
    state::{Focus, Phase, State, Tab},
    tab::review::tree::By,
};
use crate::domain::{entry, plan::State as ChangeState, review::Decision};

/// Everything that a key or the palette can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
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

/// Which part of the help an action is listed in.
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

/// Why an action is off now, if it is.
type Off = fn(&State) -> Option<&'static str>;

/// One row of the table.
pub(crate) struct Row {
    /// What the configuration calls the action.
    pub(crate) name: &'static str,
    /// Its keys, unless the configuration gives it others: each a sequence of strokes separated by spaces.
    pub(crate) keys: &'static [&'static str],
    pub(crate) action: Action,
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
        _ if state.report.is_some() && state.review.is_none() => Some("read both sides again first (R)"),
        _ if state.review.is_none() => Some("there is no plan yet"),
        _ => None,
    }
}

fn on_changes(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| (!state.has_changes()).then_some("this row has no changes"))
}

fn on_a_change(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| state.current_change().is_none().then_some("this row is no single change"))
}

fn with_ways(state: &State) -> Option<&'static str> {
    on_a_change(state).or_else(|| {
        let at = state.current_change()?;
        let alone = state.plan()?.changes[at].alternatives.is_empty();
        alone.then_some("this change has no alternatives")
    })
}

fn resolved(state: &State) -> Option<&'static str> {
    with_ways(state).or_else(|| {
        let at = state.current_change()?;
        let approved = state.review.as_ref()?.verdict(at).decision == Some(Decision::Approve);
        (!approved).then_some("resolve it first: then the same is done for all of its kind")
    })
}

fn braked(state: &State) -> Option<&'static str> {
    on_a_change(state).or_else(|| {
        let released = state.current_change().and_then(|at| state.plan()?.release(at));
        released.is_none().then_some("no brake withholds this change")
    })
}

fn on_an_open_change(state: &State) -> Option<&'static str> {
    on_a_change(state).or_else(|| {
        let at = state.current_change()?;
        (state.plan()?.changes[at].state == ChangeState::Held).then_some("this change is held")
    })
}

fn on_a_field(state: &State) -> Option<&'static str> {
    on_an_open_change(state).or_else(|| {
        let fields = state.fields();
        let typable = fields.iter().any(|field| entry::is_typable(field.field));
        (!typable).then_some("nothing in this change can be typed")
    })
}

fn with_object(state: &State) -> Option<&'static str> {
    on_subject(state).or_else(|| state.object().is_none().then_some("it is not in Clockify yet"))
}

fn on_subject(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| state.page().is_none().then_some("this row is no page"))
}

fn with_search(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| state.search.text.is_empty().then_some("nothing is searched for (/)"))
}

fn with_detail(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| (!state.has_detail()).then_some("the detail is hidden (p)"))
}

fn to_apply(state: &State) -> Option<&'static str> {
    in_review(state).or_else(|| (state.tally.approved == 0).then_some("nothing is approved"))
}

fn to_retry(state: &State) -> Option<&'static str> {
    match &state.report {
        _ if state.phase == Phase::Applying => Some("changes are being applied"),
        Some(report) if report.failed + report.skipped > 0 => None,
        Some(_) | None => Some("nothing has failed"),
    }
}

fn on_a_run(state: &State) -> Option<&'static str> {
    let Some(run) = state.runs.all.get(state.runs.at).filter(|_| state.tab == Tab::Runs) else {
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
        Tab::Review => state.page().is_some(),
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
    action: Action,
    section: Section,
    label: &'static str,
    off: Off,
) -> Row {
    Row { name, keys, action, section, label, off }
}

const fn sort(name: &'static str, keys: &'static [&'static str], by: By, reverse: bool, label: &'static str) -> Row {
    row(name, keys, Action::Sort { by, reverse }, Section::View, label, in_review)
}

/// The table. Earlier rows come first in the footer.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row("approve", &["space"], Action::Approve, Section::Decide, "approve, move on", on_changes),
    row("skip", &["s"], Action::Skip, Section::Decide, "skip, for this run", on_changes),
    row("flag", &["!"], Action::Flag, Section::Decide, "flag, with a note", on_changes),
    row("resolve", &["c", "w"], Action::Resolve, Section::Decide, "resolve, choose a way", with_ways),
    row("undo", &["u"], Action::Undo, Section::Decide, "undo", in_review),
    row("apply", &["P"], Action::Apply, Section::Act, "apply", to_apply),
    row("retry", &["r"], Action::Retry, Section::Act, "retry what failed", to_retry),
    row("undo_run", &["U"], Action::UndoRun, Section::Act, "undo the run", on_a_run),
    row("search", &["/"], Action::Search, Section::Find, "search", in_review_or_logs),
    row("filter", &["f"], Action::Filter, Section::Find, "filter", in_review_or_logs),
    row("timeline", &["T"], Action::Timeline, Section::Find, "all about this page, in the log", on_a_page),
    row("log_level", &["L"], Action::Level, Section::Find, "level, in the log", in_logs),
    row("log_run", &["@"], Action::OfRun, Section::Find, "this run alone, in the log", on_an_entry),
    row("log_follow", &["F"], Action::Follow, Section::View, "follow what is added, in the log", in_logs),
    row("log_change", &["X"], Action::ToChange, Section::Find, "to the change, from the log", on_an_entry),
    row("log_export", &["W"], Action::Export, Section::Act, "save what is shown, from the log", in_logs),
    row("approve_below", &["a"], Action::ApproveBelow, Section::Decide, "approve all below", on_changes),
    row("approve_shown", &["A"], Action::ApproveShown, Section::Decide, "approve all shown", in_review),
    row("edit", &["e"], Action::Edit, Section::Decide, "edit the value", on_a_field),
    row("alike", &["x"], Action::Alike, Section::Decide, "the same for all of its kind", resolved),
    row("release", &["B"], Action::Release, Section::Decide, "release the brake", braked),
    row("ignore", &["i"], Action::Ignore, Section::Decide, "ignore for good", on_changes),
    row("clear", &["backspace"], Action::Clear, Section::Decide, "clear the decision", on_changes),
    row("range", &["v"], Action::Range, Section::Decide, "select a range", in_review),
    row("extend_down", &["shift-down"], Action::ExtendDown, Section::Decide, "select downwards", in_review),
    row("extend_up", &["shift-up"], Action::ExtendUp, Section::Decide, "select upwards", in_review),
    row("mark", &["*"], Action::Mark, Section::Decide, "select all matches", in_review),
    row("redo", &["ctrl-r"], Action::Redo, Section::Decide, "redo", in_review),
    row("down", &["j", "down"], Action::Down, Section::Move, "down", on),
    row("up", &["k", "up"], Action::Up, Section::Move, "up", on),
    row("top", &["g g", "home"], Action::Top, Section::Move, "to the top", on),
    row("bottom", &["G", "end"], Action::Bottom, Section::Move, "to the bottom", on),
    row("half_page_down", &["ctrl-d"], Action::HalfPageDown, Section::Move, "half a page down", on),
    row("half_page_up", &["ctrl-u"], Action::HalfPageUp, Section::Move, "half a page up", on),
    row("page_down", &["ctrl-f", "pagedown"], Action::PageDown, Section::Move, "a page down", on),
    row("page_up", &["ctrl-b", "pageup"], Action::PageUp, Section::Move, "a page up", on),
    row("next_client", &["}"], Action::NextClient, Section::Move, "next client", in_review),
    row("previous_client", &["{"], Action::PreviousClient, Section::Move, "previous client", in_review),
    row("next_undecided", &["]"], Action::NextUndecided, Section::Move, "next undecided", in_review),
    row("previous_undecided", &["["], Action::PreviousUndecided, Section::Move, "previous undecided", in_review),
    row("next_conflict", &[")"], Action::NextConflict, Section::Move, "next conflict", in_review),
    row("previous_conflict", &["("], Action::PreviousConflict, Section::Move, "previous conflict", in_review),
    row("next_match", &["n"], Action::NextMatch, Section::Find, "next match", with_search),
    row("previous_match", &["N"], Action::PreviousMatch, Section::Find, "previous match", with_search),
    row("unfold", &["l", "right", "z o"], Action::Unfold, Section::View, "unfold, go in", in_review),
    row("fold", &["h", "left", "z c"], Action::Fold, Section::View, "fold, go out", in_review),
    row("toggle", &["enter", "z a"], Action::Toggle, Section::View, "open, fold or unfold", on),
    row("unfold_all", &["=", "z R"], Action::UnfoldAll, Section::View, "unfold all", in_review),
    row("fold_all", &["-", "z M"], Action::FoldAll, Section::View, "fold all", in_review),
    row("fold_to_clients", &["z 1"], Action::FoldToClients, Section::View, "clients only", in_review),
    row("fold_to_projects", &["z 2"], Action::FoldToProjects, Section::View, "down to projects", in_review),
    row("flat", &["t"], Action::Flat, Section::View, "tree or flat list", in_review),
    sort("sort_name", &[", n"], By::Name, false, "sort by name"),
    sort("sort_name_reverse", &[", N"], By::Name, true, "sort by name, reversed"),
    sort("sort_action", &[", o"], By::Action, false, "sort by action"),
    sort("sort_action_reverse", &[", O"], By::Action, true, "sort by action, reversed"),
    sort("sort_count", &[", c"], By::Count, false, "sort by count, most first"),
    sort("sort_count_reverse", &[", C"], By::Count, true, "sort by count, fewest first"),
    sort("sort_edited", &[", d"], By::Edited, false, "sort by date, latest first"),
    sort("sort_edited_reverse", &[", D"], By::Edited, true, "sort by date, oldest first"),
    row("detail", &["p"], Action::Detail, Section::View, "detail pane", in_review),
    row("focus", &["tab", "backtab"], Action::Focus, Section::View, "tree or detail", with_detail),
    row("zoom", &["+", "_"], Action::Zoom, Section::View, "zoom the pane", with_detail),
    row("detail_down", &["J"], Action::DetailDown, Section::View, "scroll the detail down", with_detail),
    row("detail_up", &["K"], Action::DetailUp, Section::View, "scroll the detail up", with_detail),
    row("review_tab", &["1"], Action::ReviewTab, Section::View, "review", on),
    row("apply_tab", &["2"], Action::ApplyTab, Section::View, "apply", on),
    row("logs_tab", &["3"], Action::LogsTab, Section::View, "log", on),
    row("runs_tab", &["4"], Action::RunsTab, Section::View, "runs", on),
    row("only_failures", &["E"], Action::OnlyFailures, Section::View, "failures only", in_apply),
    row("redraw", &["ctrl-l"], Action::Redraw, Section::View, "draw again", on),
    row("refetch", &["R"], Action::Refetch, Section::Act, "read both sides again", idle),
    row("copy", &["y"], Action::Copy, Section::Act, "copy…", on_subject),
    row("copy_url", &["Y"], Action::CopyUrl, Section::Act, "copy the page's address", on_subject),
    row("open_page", &["o"], Action::OpenPage, Section::Act, "open in Notion", on_subject),
    row("open_object", &["O"], Action::OpenObject, Section::Act, "open in Clockify", with_object),
    row("mouse", &[], Action::Mouse, Section::Act, "mouse on or off", on),
    row("palette", &[":"], Action::Palette, Section::Act, "all actions", on),
    row("help", &["?", "f1"], Action::Help, Section::Act, "help", on),
    row("suspend", &["ctrl-z"], Action::Suspend, Section::Act, "suspend", on),
    row("back", &["esc"], Action::Back, Section::Act, "back", on),
    row("leave", &["q"], Action::Leave, Section::Act, "back, leave", on),
    row("interrupt", &["ctrl-c"], Action::Interrupt, Section::Act, "stop", on),
];

/// The row of an action.
pub(crate) fn row_of(action: Action) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.action == action)
}

/// True while keys go to the fields of the change that is shown in detail.
pub(crate) fn in_fields(state: &State) -> bool {
    state.tab == Tab::Review && state.focus == Focus::Detail
}
