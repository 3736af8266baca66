//! The review: what is proposed, and what is decided about it.

pub(crate) mod decide;
pub(crate) mod detail;
pub(crate) mod difference;
pub(crate) mod moves;
pub(crate) mod planned;
pub(crate) mod rows;
pub(crate) mod together;

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{Parts, anywhere, hours::with_figures};
use crate::{
    domain::{
        entry,
        plan::{Plan, State as ChangeState},
        review::{Decision, Review},
        text::Shown,
    },
    face::tui::{
        command::{By, Command, Tab},
        effect::{Effect, Order},
        hits::{Hits, Target},
        keymap::Keymap,
        message::Message,
        outside::{self, Copied},
        pieces::{reading, report_lines},
        row::{Row, Section, on, row},
        state::{
            Phase, State,
            matching::SearchMode,
            overlay::{Overlay, ask_to_release, show_ways},
            prompt::{self, Purpose},
            reviewing::{Search, Selection},
            subject::Subject,
            tree::Arrangement,
        },
    },
};

pub(super) const TAB: Parts = Parts {
    title,
    rows: ROWS,
    open: |_| None,
    act,
    go: |state, by| state.reviewing.go(by),
    put: |state, at| {
        state.reviewing.go_to(u32::try_from(at).unwrap_or(u32::MAX));
        state.reviewing.detail.focused = false;
    },
    draw,
};

const fn sort(name: &'static str, keys: &'static [&'static str], by: By, reverse: bool, label: &'static str) -> Row {
    row(name, keys, Command::Sort { by, reverse }, Section::View, label, in_review)
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("approve", &["space"], Command::Approve, Section::Decide, "approve, move on", on_changes),
    row("skip", &["s"], Command::Skip, Section::Decide, "skip, for this run", on_changes),
    row("flag", &["!"], Command::Flag, Section::Decide, "flag, with a note", on_changes),
    row("resolve", &["c", "w"], Command::Resolve, Section::Decide, "resolve, choose a way", with_ways),
    row("undo", &["u"], Command::Undo, Section::Decide, "undo", in_review),
    row("apply", &["P"], Command::Apply, Section::Act, "apply", to_apply),
    row("search", &["/"], Command::Search, Section::Find, "search", in_review_or_logs),
    row("filter", &["f"], Command::Filter, Section::Find, "filter", in_review_or_logs),
    row("save_filter", &["M"], Command::SaveFilter, Section::Find, "save the filter under a name", with_filter),
    row("approve_below", &["a"], Command::ApproveBelow, Section::Decide, "approve all below", on_changes),
    row("approve_shown", &["A"], Command::ApproveShown, Section::Decide, "approve all that is ready", in_review),
    row("approve_needed", &["&"], Command::ApproveNeeded, Section::Decide, "approve what it waits for", with_waiting),
    row("edit", &["e"], Command::Edit, Section::Decide, "edit the value", on_a_field),
    row("alike", &["x"], Command::Alike, Section::Decide, "the same for all of its kind", resolved),
    row("release", &["B"], Command::Release, Section::Decide, "release the brake", braked),
    row("ignore", &["i"], Command::Ignore, Section::Decide, "ignore for good", on_changes),
    row("clear", &["backspace"], Command::Clear, Section::Decide, "clear the decision", on_changes),
    row("reserve", &["b"], Command::Reserve, Section::Decide, "tell others: I am on this client", below_a_client),
    row("range", &["v"], Command::Range, Section::Decide, "select a range", in_review),
    row("extend_down", &["shift-down"], Command::ExtendDown, Section::Decide, "select downwards", in_review),
    row("extend_up", &["shift-up"], Command::ExtendUp, Section::Decide, "select upwards", in_review),
    row("mark", &["*"], Command::Mark, Section::Decide, "select all matches", in_review),
    row("redo", &["ctrl-r"], Command::Redo, Section::Decide, "redo", in_review),
    row("client", &[], Command::ToClient, Section::Find, "to a client, by name", in_review),
    row("next_client", &["}"], Command::NextClient, Section::Move, "next client", in_review),
    row("previous_client", &["{"], Command::PreviousClient, Section::Move, "previous client", in_review),
    row("next_undecided", &["]"], Command::NextUndecided, Section::Move, "next undecided", in_review),
    row("previous_undecided", &["["], Command::PreviousUndecided, Section::Move, "previous undecided", in_review),
    row("next_conflict", &[")"], Command::NextConflict, Section::Move, "next conflict", in_review),
    row("previous_conflict", &["("], Command::PreviousConflict, Section::Move, "previous conflict", in_review),
    row("next_match", &["n"], Command::NextMatch, Section::Find, "next match", with_search),
    row("previous_match", &["N"], Command::PreviousMatch, Section::Find, "previous match", with_search),
    row("unfold", &["l", "right", "z o"], Command::Unfold, Section::View, "unfold, go in", in_a_tree),
    row("fold", &["h", "left", "z c"], Command::Fold, Section::View, "fold, go out", in_a_tree),
    row("unfold_all", &["=", "z R"], Command::UnfoldAll, Section::View, "unfold all", in_a_tree),
    row("fold_all", &["-", "z M"], Command::FoldAll, Section::View, "fold all", in_a_tree),
    row("fold_to_clients", &["z 1"], Command::FoldToClients, Section::View, "clients only", in_a_tree),
    row("fold_to_projects", &["z 2"], Command::FoldToProjects, Section::View, "down to projects", in_a_tree),
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
    row("review_tab", &["1"], Command::Tab(Tab::Review), Section::View, "review", on),
    row("copy", &["y"], Command::Copy, Section::Act, "copy…", on_subject),
    row("copy_url", &["Y"], Command::CopyUrl, Section::Act, "copy the page's address", on_subject),
    row("open_page", &["o"], Command::OpenPage, Section::Act, "open in Notion", with_page),
    row("open_object", &["O"], Command::OpenObject, Section::Act, "open in Clockify", with_object),
];

fn in_review(state: &State) -> Option<Message> {
    match state.phase {
        Phase::Applying => Some("changes are being applied".into()),
        _ if state.tab != Tab::Review => Some(Message::from("only in the review").see(Command::Tab(Tab::Review))),
        _ if state.reviewing.review.is_some() => None,
        Phase::Failed { .. } => Some(Message::from("read both sides again first").see(Command::Refetch)),
        Phase::Reading | Phase::Ready => Some("there is no plan yet".into()),
    }
}

fn on_changes(state: &State) -> Option<Message> {
    in_review(state).or_else(|| (!state.reviewing.has_changes()).then(|| "this row has no changes".into()))
}

fn on_a_change(state: &State) -> Option<Message> {
    in_review(state)
        .or_else(|| state.reviewing.current_change().is_none().then(|| "this row is no single change".into()))
}

fn with_waiting(state: &State) -> Option<Message> {
    in_review(state).or_else(|| {
        state.reviewing.waited_for().is_empty().then(|| "nothing that is approved waits for another decision".into())
    })
}

fn with_ways(state: &State) -> Option<Message> {
    on_a_change(state).or_else(|| {
        let at = state.reviewing.current_change()?;
        let alone = state.reviewing.plan()?.changes[at].alternatives.is_empty();
        alone.then(|| "this change has no alternatives".into())
    })
}

fn resolved(state: &State) -> Option<Message> {
    with_ways(state).or_else(|| {
        let at = state.reviewing.current_change()?;
        let approved = state.reviewing.review.as_ref()?.verdict(at).decision == Some(Decision::Approve);
        (!approved).then(|| "resolve it first: then the same is done for all of its kind".into())
    })
}

fn braked(state: &State) -> Option<Message> {
    // An undo may need several of them, and they are released together.
    if state.reviewing.undoes.is_some() {
        let withheld = |plan: &Plan| !plan.withheld().is_empty();
        let none = !state.reviewing.plan().is_some_and(withheld);
        return in_review(state).or_else(|| none.then(|| "no brake withholds anything".into()));
    }
    on_a_change(state).or_else(|| {
        let released = state.reviewing.current_change().and_then(|at| state.reviewing.plan()?.release(at));
        released.is_none().then(|| "no brake withholds this change".into())
    })
}

fn on_an_open_change(state: &State) -> Option<Message> {
    on_a_change(state).or_else(|| {
        let at = state.reviewing.current_change()?;
        (state.reviewing.plan()?.changes[at].state == ChangeState::Held).then(|| "this change is held".into())
    })
}

fn on_a_field(state: &State) -> Option<Message> {
    on_an_open_change(state).or_else(|| {
        let fields = state.reviewing.fields();
        let typable = fields.iter().any(|field| entry::is_typable(field.field));
        (!typable).then(|| "nothing in this change can be typed".into())
    })
}

fn in_a_tree(state: &State) -> Option<Message> {
    if state.tab == Tab::Hours { with_figures(state) } else { in_review(state) }
}

fn with_object(state: &State) -> Option<Message> {
    if state.tab == Tab::Hours {
        return with_figures(state)
            .or_else(|| state.hours.object().is_none().then(|| "this row is nothing in Clockify".into()));
    }
    on_subject(state).or_else(|| state.reviewing.object().is_none().then(|| "it is not in Clockify yet".into()))
}

fn with_page(state: &State) -> Option<Message> {
    if state.tab == Tab::Hours {
        return with_figures(state).or_else(|| state.hours.page().is_none().then(|| "this row has no page".into()));
    }
    on_subject(state)
}

fn on_subject(state: &State) -> Option<Message> {
    in_review(state).or_else(|| state.reviewing.page().is_none().then(|| "this row is no page".into()))
}

fn below_a_client(state: &State) -> Option<Message> {
    in_review(state).or_else(|| together::client(state).is_none().then(|| "this row stands below no client".into()))
}

fn with_search(state: &State) -> Option<Message> {
    in_review(state).or_else(|| {
        state.reviewing.search.text.is_empty().then(|| Message::from("nothing is searched for").see(Command::Search))
    })
}

fn with_filter(state: &State) -> Option<Message> {
    in_review(state).or_else(|| {
        state.reviewing.filter.text.is_empty().then(|| Message::from("nothing is filtered").see(Command::Filter))
    })
}

fn with_detail(state: &State) -> Option<Message> {
    in_review(state).or_else(|| {
        (!state.reviewing.detail.is_there()).then(|| Message::from("the detail is hidden").see(Command::Detail))
    })
}

fn to_apply(state: &State) -> Option<Message> {
    in_review(state).or_else(|| (state.reviewing.tally.approved == 0).then(|| "nothing is approved".into()))
}

fn in_review_or_logs(state: &State) -> Option<Message> {
    if state.tab == Tab::Logs { None } else { in_review(state) }
}

/// True while keys go to the fields of the change that is shown in detail.
pub(crate) fn in_fields(state: &State) -> bool {
    state.tab == Tab::Review && state.reviewing.detail.focused
}

fn act(state: &mut State, command: Command) -> Option<Effect> {
    if together::is_asked_first(state, command) {
        state.overlay = Some(Overlay::GoOn { command });
        return None;
    }
    let reviewing = &mut state.reviewing;
    let in_fields = reviewing.detail.focused;
    match command {
        Command::Down | Command::Up if in_fields => reviewing.choose_field(command == Command::Down),
        Command::Approve if in_fields => return decide::toggle_field(state),
        Command::Toggle if in_fields && reviewing.fields().len() > 1 => return decide::toggle_field(state),
        Command::Toggle | Command::Back | Command::Leave if in_fields => reviewing.detail.leave(),
        Command::Toggle => toggle(state),
        Command::Back | Command::Leave => return back(state, command),
        Command::Approve => return decide::approve(state),
        Command::ApproveBelow => return decide::approve_below(state),
        Command::ApproveShown => return decide::approve_shown(state),
        Command::ApproveNeeded => return decide::approve_needed(state),
        Command::Skip => return decide::and_move(state, Some(&Decision::Skip), "skipped"),
        Command::Ignore => return decide::and_move(state, Some(&Decision::Ignore), "ignored for good"),
        Command::Clear => return decide::and_move(state, None, "cleared"),
        Command::Alike => return decide::alike(state),
        Command::Undo => return decide::step(state, Review::undo, "undone"),
        Command::Redo => return decide::step(state, Review::redo, "done again"),
        Command::Flag => prompt::ask(state, Purpose::Flag, ""),
        Command::Edit => decide::edit(state),
        Command::Resolve => show_ways(state),
        Command::Release if reviewing.undoes.is_some() => ask_to_release(state),
        Command::Release => {
            if let Some(allowance) = reviewing.current_change().and_then(|at| reviewing.plan()?.release(at)) {
                prompt::ask(state, Purpose::Release(allowance), "");
            }
        }
        Command::Reserve => return together::reserve(state),
        Command::Range => {
            reviewing.selection = match reviewing.selection {
                Selection::Range(_) => Selection::None,
                Selection::None | Selection::Marked(_) => Selection::Range(reviewing.cursor),
            }
        }
        Command::Mark => decide::mark(state),
        Command::Search => prompt::ask(state, Purpose::Search, ""),
        Command::Filter => {
            let filter = reviewing.filter.text.clone();
            prompt::ask(state, Purpose::Filter, &filter);
        }
        Command::SaveFilter => prompt::ask(state, Purpose::SaveFilter, ""),
        Command::ToClient => prompt::ask(state, Purpose::Client, ""),
        Command::Apply => return planned::ask(state),
        Command::Focus => reviewing.detail.focused = !reviewing.detail.focused,
        Command::Zoom => reviewing.detail.zoomed = !reviewing.detail.zoomed,
        Command::Detail => {
            reviewing.detail.shown = !reviewing.detail.shown;
            reviewing.detail.leave();
        }
        Command::DetailDown => reviewing.detail.scroll(3),
        Command::DetailUp => reviewing.detail.scroll(-3),
        Command::Copy => state.overlay = Some(Overlay::Copy { line: 0 }),
        Command::CopyUrl => return outside::copies(state).into_iter().find(Copied::is_url).map(Effect::Copy),
        Command::OpenPage => return outside::page_url(state).map(Effect::Open),
        Command::OpenObject => return outside::object_url(state).map(Effect::Open),
        _ if moves::moved(state, command) => {}
        _ => return anywhere(state, command),
    }
    None
}

/// What a decision would be about on a row that is no change itself, or that waits for a second person, in the words of
/// the footer.
pub(crate) fn on_below(state: &State, command: Command) -> Option<String> {
    let reviewing = &state.reviewing;
    let review = reviewing.review.as_ref()?;
    let own = reviewing.current_change().filter(|_| state.tab == Tab::Review && command == Command::Approve);
    if own.is_some_and(|at| review.wants_second(at)) && reviewing.selection == Selection::None {
        return Some("approve, as the second".to_owned());
    }
    let is_group = matches!(reviewing.subject(), Some(Subject::Page(_)));
    if state.tab != Tab::Review || reviewing.selection != Selection::None || !is_group {
        return None;
    }
    let (below, _) = reviewing.selected_changes();
    let counted = |is_meant: &dyn Fn(usize) -> bool| below.iter().filter(|&&at| is_meant(at)).count();
    let approved = counted(&|at| review.verdict(at).decision == Some(Decision::Approve) && !review.wants_second(at));
    let (word, count) = match command {
        Command::Approve if approved == below.len() => ("take back", approved),
        Command::Approve => ("approve", counted(&|at| decide::is_approvable(review, at))),
        Command::Skip => ("skip", below.len()),
        Command::Flag => ("flag", below.len()),
        _ => return None,
    };
    // What is held is no row that a decision could be about.
    Some(if count == 0 { format!("nothing to {word} below") } else { format!("{word} {count} below") })
}

/// Folds or unfolds a row, or goes to its detail.
fn toggle(state: &mut State) {
    let reviewing = &mut state.reviewing;
    if reviewing.tree.nodes.is_empty() {
        return;
    }
    if reviewing.tree.is_branch(reviewing.cursor) {
        reviewing.toggle_fold();
    } else {
        (reviewing.detail.shown, reviewing.detail.focused) = (true, true);
    }
}

/// Leaves what is on top: a selection, a pane, a filter, a search, and in the end the console.
fn back(state: &mut State, command: Command) -> Option<Effect> {
    let reviewing = &mut state.reviewing;
    if std::mem::take(&mut reviewing.selection) != Selection::None {
        return None;
    }
    if state.phase == Phase::Applying {
        return anywhere(state, command);
    }
    if reviewing.detail.zoomed {
        reviewing.detail.zoomed = false;
    } else if !reviewing.filter.text.is_empty() {
        reviewing.filter.text.clear();
        return Some(search(state, SearchMode::Filter));
    } else if !reviewing.search.text.is_empty() {
        reviewing.search = Search::default();
    } else if command == Command::Back {
        state.toast = Message::default().key(Command::Leave, " leaves");
    } else {
        return Some(Effect::Quit);
    }
    None
}

/// Asks the plan what matches.
pub(crate) fn search(state: &mut State, mode: SearchMode) -> Effect {
    Effect::Order(Order::Match(state.reviewing.query(mode)))
}

/// A review, or that of an undo, which is never to be mistaken for another.
fn title(state: &State) -> String {
    match &state.reviewing.undoes {
        None => "Review".to_owned(),
        Some(run) => format!("Undo of run {}", Shown::of(run.as_str()).clipped(if state.size.0 < 60 { 8 } else { 24 })),
    }
}

/// How the rows are filtered, arranged and selected, and where one is: at the end of the line, if there is room.
pub(crate) fn status(state: &State, width: usize) -> Vec<Span<'static>> {
    let (theme, reviewing) = (state.theme, &state.reviewing);
    let mut spans = Vec::new();
    if !reviewing.filter.text.is_empty() {
        spans.push(Span::styled(
            format!("   filter: {}", Shown::of(&reviewing.filter.text).clipped(30)),
            theme.accent(),
        ));
    }
    let arrangement = reviewing.arrangement;
    if arrangement != Arrangement::default() {
        let flat = if arrangement.flat { "flat, " } else { "" };
        let reverse = if arrangement.reverse { " reversed" } else { "" };
        spans.push(Span::styled(format!("   {flat}by {}{reverse}", arrangement.by.word()), theme.dim()));
    }
    if reviewing.detail.focused {
        spans.push(Span::styled("   in the detail", theme.alert()));
    }
    match &reviewing.selection {
        Selection::None => {}
        Selection::Range(_) => spans.push(Span::styled("   selecting a range", theme.alert())),
        Selection::Marked(marked) => spans.push(Span::styled(format!("   {} selected", marked.len()), theme.alert())),
    }
    let (at, all) = (reviewing.tree.position(reviewing.cursor) + 1, reviewing.tree.visible.len());
    let position = format!("   {}/{all}", at.min(all));
    let used: usize = spans.iter().map(Span::width).sum();
    if reviewing.review.is_some() && used + position.len() < width {
        spans.push(Span::styled(position, theme.dim()));
    }
    spans
}

fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect, hits: &mut Hits) {
    if state.reviewing.review.is_none() {
        frame.render_widget(waiting(state, keymap), area);
        return;
    }
    let (tree, detail) = state.reviewing.detail.areas(state.size);
    if tree.height > 0 {
        rows::draw(state, keymap, frame, tree, hits);
    }
    if detail.height > 0 {
        hits.add(detail, Target::Detail);
        detail::draw(state, keymap, frame, detail);
    }
}

/// What is shown of the review while there is none.
fn waiting(state: &State, keymap: &Keymap) -> Paragraph<'static> {
    let mut lines = vec![Line::default()];
    let dim = |text: String| Line::styled(text, state.theme.dim());
    let keys = |words: &[(Command, &str)]| {
        let hints: Vec<String> =
            words.iter().map(|(command, word)| format!("{} {word}", keymap.first(*command))).collect();
        dim(format!("  {}", hints.join(", ")))
    };
    match &state.phase {
        Phase::Failed { text, .. } => {
            lines.extend(text.iter().map(|line| Line::raw(format!("  {line}"))));
            lines.extend([
                Line::default(),
                keys(&[(Command::Refetch, "reads both sides again"), (Command::Leave, "leaves")]),
            ]);
        }
        Phase::Reading | Phase::Ready | Phase::Applying => {
            if let Some(report) = &state.applying.report {
                lines.extend(report_lines(state, keymap, report));
                lines.push(Line::default());
            }
            lines.extend(reading(state));
            let words: &[_] = if state.reading.of_rest {
                &[(Command::Interrupt, "leaves"), (Command::Tab(Tab::Apply), "has the results")]
            } else {
                &[(Command::Interrupt, "stops reading")]
            };
            lines.extend([Line::default(), keys(words)]);
        }
    }
    Paragraph::new(lines).wrap(Wrap { trim: false })
}
