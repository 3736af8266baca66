//! What each message does to the console. Pure: it changes the state, and names at most one effect for the loop to carry out.

use std::sync::Arc;

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::{Input, backend::crossterm::EventHandler};

use super::{
    keys::{self, Action, Meaning, palette},
    state::{Applying, Phase, Popup, Prompt, Purpose, State, Tab},
    stroke::Stroke,
    tree::{Subject, Tree, name},
};
use crate::{
    domain::{
        journal::{RunId, What},
        plan::{ChangeId, Plan},
        report::Report,
        review::{Approved, Decision, Review, Verdict},
        text::Display,
    },
    edge::store::RunRecord,
    engine::session::Progress,
};

/// Lines of an apply that are kept on screen.
const LINES_MAX: usize = 200;
/// Characters of a prompt that are taken; more is a paste that went astray.
const PROMPT_MAX: usize = 200;

/// What the worker tells.
pub(crate) enum News {
    Told(Progress),
    Planned {
        plan: Arc<Plan>,
        verdicts: Vec<(ChangeId, Verdict)>,
    },
    /// Reading failed; safe to show.
    Failed(String),
    Applied(Box<Report>),
    Runs(Vec<RunRecord>),
    Events(Vec<String>),
}

/// What happens to the console.
pub(crate) enum Msg {
    Key(KeyEvent),
    Paste(String),
    Resized(u16, u16),
    News(News),
    Tick,
}

/// What the loop has to do outside.
#[derive(Debug)]
pub(crate) enum Effect {
    Quit,
    Read,
    /// Stop reading, or stop applying between writes.
    Stop,
    /// Leave at once, in the middle of an apply.
    Abort,
    Apply(Approved),
    Keep(Vec<(ChangeId, Verdict)>),
    Runs,
    Events(RunId),
    Redraw,
}

/// Takes a message in.
pub(crate) fn update(state: &mut State, msg: Msg) -> Option<Effect> {
    let effect = match msg {
        Msg::Key(key) => on_key(state, key),
        Msg::Paste(text) => {
            paste(state, &text);
            None
        }
        Msg::Resized(width, height) => {
            state.size = (width, height);
            None
        }
        Msg::News(news) => on_news(state, news),
        Msg::Tick => {
            state.ticks = state.ticks.wrapping_add(1);
            None
        }
    };
    keep_in_window(state);
    effect
}

fn on_key(state: &mut State, key: KeyEvent) -> Option<Effect> {
    if state.prompt.is_some() {
        return on_prompt_key(state, key);
    }
    state.strokes.push(Stroke::of(key));
    match keys::meaning(&state.strokes) {
        Meaning::Begun => None,
        Meaning::Nothing => {
            state.strokes.clear();
            None
        }
        Meaning::Action(action) => {
            state.strokes.clear();
            act(state, action)
        }
    }
}

/// Does what an action asks for, or says why it is off.
pub(crate) fn act(state: &mut State, action: Action) -> Option<Effect> {
    if let Some(popup) = state.popup.clone() {
        return in_popup(state, &popup, action);
    }
    if let Some(reason) = keys::row_of(action).and_then(|row| (row.off)(state)) {
        state.toast = reason.to_owned();
        return None;
    }
    state.toast.clear();
    match action {
        Action::Down => go(state, 1),
        Action::Up => go(state, -1),
        Action::Top => go(state, isize::MIN),
        Action::Bottom => go(state, isize::MAX),
        Action::HalfPageDown => go(state, page(state) / 2),
        Action::HalfPageUp => go(state, -(page(state) / 2)),
        Action::PageDown => go(state, page(state)),
        Action::PageUp => go(state, -page(state)),
        Action::Unfold => unfold(state),
        Action::Fold => fold(state),
        Action::Toggle => return toggle(state),
        Action::UnfoldAll => state.tree.fold(|_, _| Some(true)),
        Action::FoldAll | Action::FoldToClients => fold_below(state, 0),
        Action::FoldToProjects => fold_below(state, 1),
        Action::NextClient => seek(state, true, |state, node| state.tree.nodes[node as usize].depth == 0),
        Action::PreviousClient => seek(state, false, |state, node| state.tree.nodes[node as usize].depth == 0),
        Action::NextUndecided => seek(state, true, is_undecided),
        Action::PreviousUndecided => seek(state, false, is_undecided),
        Action::NextConflict => seek(state, true, is_conflict),
        Action::PreviousConflict => seek(state, false, is_conflict),
        Action::NextMatch => seek(state, true, is_match),
        Action::PreviousMatch => seek(state, false, is_match),
        Action::Approve => return approve(state),
        Action::ApproveBelow => {
            let (changes, hidden) = state.tree.changes_below(state.cursor);
            return decide(state, &changes, Some(&Decision::Approve), "approved", hidden);
        }
        Action::ApproveShown => {
            let rows = state.tree.visible.iter().filter_map(|&node| match state.tree.nodes[node as usize].subject {
                Subject::Change(at) => Some(at as usize),
                _ => None,
            });
            let changes: Vec<usize> = rows.collect();
            let hidden = state.tally.changes - changes.len();
            return decide(state, &changes, Some(&Decision::Approve), "approved", hidden);
        }
        Action::Skip => return decide_and_move(state, Some(&Decision::Skip), "skipped"),
        Action::Ignore => return decide_and_move(state, Some(&Decision::Ignore), "ignored for good"),
        Action::Clear => return decide_and_move(state, None, "cleared"),
        Action::Flag => ask(state, Purpose::Flag, ""),
        Action::Ways => {
            if let Some(change) = state.current_change() {
                let line = state.review.as_ref().map_or(0, |review| review.verdict(change).way);
                state.popup = Some(Popup::Ways { change, line });
            }
        }
        Action::Range => state.anchor = if state.anchor.is_some() { None } else { Some(state.cursor) },
        Action::Undo => return undo(state, Review::undo, "undone"),
        Action::Redo => return undo(state, Review::redo, "done again"),
        Action::Search => ask(state, Purpose::Search, ""),
        Action::Filter => {
            let filter = state.filter.clone();
            ask(state, Purpose::Filter, &filter);
        }
        Action::Apply if state.tally.closes > 0 => {
            state.popup = Some(Popup::Confirm);
            ask(state, Purpose::Confirm, "");
        }
        Action::Apply => state.popup = Some(Popup::Confirm),
        Action::Refetch => {
            state.phase = Phase::Reading;
            state.rows.clear();
            state.read.clear();
            return Some(Effect::Read);
        }
        Action::ReviewTab => state.tab = Tab::Review,
        Action::ApplyTab => state.tab = Tab::Apply,
        Action::RunsTab => {
            state.tab = Tab::Runs;
            state.events = None;
            return Some(Effect::Runs);
        }
        Action::Detail => state.detail = !state.detail,
        Action::Palette => ask(state, Purpose::Palette, ""),
        Action::Help => state.popup = Some(Popup::Help { scroll: 0 }),
        Action::Redraw => return Some(Effect::Redraw),
        Action::Back => return back(state),
        Action::Interrupt => return Some(interrupt(state)),
    }
    None
}

fn in_popup(state: &mut State, popup: &Popup, action: Action) -> Option<Effect> {
    match (popup, action) {
        (_, Action::Interrupt) => return Some(interrupt(state)),
        (Popup::Help { scroll }, Action::Down) => state.popup = Some(Popup::Help { scroll: scroll.saturating_add(1) }),
        (Popup::Help { scroll }, Action::Up) => state.popup = Some(Popup::Help { scroll: scroll.saturating_sub(1) }),
        (Popup::Ways { change, line }, Action::Down | Action::Up) => {
            let last = state.plan().map_or(0, |plan| plan.changes[*change].alternatives.len());
            let line = if action == Action::Down { (line + 1).min(last) } else { line.saturating_sub(1) };
            state.popup = Some(Popup::Ways { change: *change, line });
        }
        (Popup::Ways { change, line }, Action::Toggle | Action::Approve) => {
            state.popup = None;
            let review = state.review.as_mut()?;
            let changed = review.choose(*change, *line);
            state.count();
            "another way chosen; u takes it back".clone_into(&mut state.toast);
            return Some(Effect::Keep(state.verdicts(&changed)));
        }
        (Popup::Confirm, Action::Toggle) => return apply(state),
        (_, Action::Back | Action::Help) => state.popup = None,
        _ => {}
    }
    None
}

fn apply(state: &mut State) -> Option<Effect> {
    state.popup = None;
    let approved = state.review.as_ref()?.approved();
    state.applying = Applying { approved: approved.changes().len(), ..Applying::default() };
    state.phase = Phase::Applying;
    state.tab = Tab::Apply;
    state.report = None;
    Some(Effect::Apply(approved))
}

fn page(state: &State) -> isize {
    isize::try_from(state.tree_height()).unwrap_or(1).max(1)
}

/// Moves by so many rows, in whatever is shown.
fn go(state: &mut State, by: isize) {
    let moved = |from: usize, length: usize| from.saturating_add_signed(by).min(length.saturating_sub(1));
    match state.tab {
        Tab::Review => {
            let at = moved(state.tree.position(state.cursor), state.tree.visible.len());
            if let Some(&node) = state.tree.visible.get(at) {
                state.cursor = node;
            }
        }
        Tab::Apply => state.scroll = moved(state.scroll, state.applying.lines.len()),
        Tab::Runs => match &state.events {
            Some(events) => state.scroll = moved(state.scroll, events.len()),
            None => state.run = moved(state.run, state.runs.len()),
        },
    }
}

/// Goes to the next shown row that passes a test, round and round.
fn seek(state: &mut State, forward: bool, test: impl Fn(&State, u32) -> bool) {
    let length = state.tree.visible.len();
    let at = state.tree.position(state.cursor);
    let found = (1..=length)
        .map(|step| if forward { (at + step) % length } else { (at + length - step % length) % length })
        .map(|at| state.tree.visible[at])
        .find(|&node| test(state, node));
    match found {
        Some(node) => state.cursor = node,
        None => "there is none".clone_into(&mut state.toast),
    }
}

fn change_at(state: &State, node: u32) -> Option<usize> {
    match state.tree.nodes[node as usize].subject {
        Subject::Change(at) => Some(at as usize),
        _ => None,
    }
}

fn is_undecided(state: &State, node: u32) -> bool {
    let undecided = |at| state.review.as_ref().is_some_and(|review| review.verdict(at).decision.is_none());
    change_at(state, node).is_some_and(undecided)
}

fn is_conflict(state: &State, node: u32) -> bool {
    change_at(state, node).is_some_and(|at| state.is_conflict(at))
}

fn is_match(state: &State, node: u32) -> bool {
    let Some(plan) = state.plan() else { return false };
    let name = name(plan, state.tree.nodes[node as usize].subject);
    !state.search.is_empty() && name.canonical().loose().contains(&crate::domain::text::canonical(&state.search).loose())
}

fn unfold(state: &mut State) {
    let node = state.cursor as usize;
    let Some(row) = state.tree.nodes.get(node) else { return };
    if !row.open {
        set_open(state, true);
    } else if state.tree.is_branch(state.cursor) {
        go(state, 1);
    }
}

fn fold(state: &mut State) {
    let Some(row) = state.tree.nodes.get(state.cursor as usize) else { return };
    if row.open && state.tree.is_branch(state.cursor) {
        set_open(state, false);
    } else if let Some(parent) = row.parent {
        state.cursor = parent;
    }
}

fn set_open(state: &mut State, open: bool) {
    state.tree.nodes[state.cursor as usize].open = open;
    state.tree.refresh();
}

fn toggle(state: &mut State) -> Option<Effect> {
    match state.tab {
        Tab::Review => {
            if let Some(row) = state.tree.nodes.get(state.cursor as usize) {
                let open = !row.open;
                set_open(state, open);
            }
            None
        }
        Tab::Runs if state.events.is_none() => {
            state.scroll = 0;
            state.runs.get(state.run).map(|run| Effect::Events(run.id.clone()))
        }
        Tab::Runs | Tab::Apply => None,
    }
}

fn fold_below(state: &mut State, depth: u8) {
    state.tree.fold(|_, node| Some(node.depth < depth));
    state.cursor = state.tree.visible.get(state.tree.position(state.cursor)).copied().unwrap_or_default();
}

/// Approves what is selected, or takes that back where all of it is approved already.
fn approve(state: &mut State) -> Option<Effect> {
    let changes = state.selected_changes();
    let review = state.review.as_ref()?;
    let all = changes.iter().all(|&at| review.verdict(at).decision == Some(Decision::Approve));
    if all { decide_and_move(state, None, "taken back") } else { decide_and_move(state, Some(&Decision::Approve), "approved") }
}

fn decide_and_move(state: &mut State, decision: Option<&Decision>, word: &str) -> Option<Effect> {
    let changes = state.selected_changes();
    let moves_on = state.anchor.take().is_none() && changes.len() == 1;
    let effect = decide(state, &changes, decision, word, 0);
    if moves_on && effect.is_some() {
        go(state, 1);
    }
    effect
}

fn decide(state: &mut State, changes: &[usize], decision: Option<&Decision>, word: &str, hidden: usize) -> Option<Effect> {
    let review = state.review.as_mut()?;
    let changed = review.decide(changes, decision);
    let plan = review.plan();
    let held = changes.iter().find_map(|&at| plan.changes[at].hold.as_ref());
    state.toast = match (changed.as_slice(), held) {
        ([], Some(hold)) if decision == Some(&Decision::Approve) => format!("held: {}", hold.text),
        ([], _) => "nothing changed".to_owned(),
        ([one], _) => format!("{word}: “{}”; u takes it back", plan.changes[*one].name.display().clipped(40)),
        (many, _) => format!("{} {word}; u takes them back", many.len()),
    };
    if hidden > 0 {
        state.toast = format!("{} ({hidden} hidden by the filter or folds untouched)", state.toast);
    }
    state.count();
    (!changed.is_empty()).then(|| Effect::Keep(state.verdicts(&changed)))
}

fn undo(state: &mut State, step: fn(&mut Review<Arc<Plan>>) -> Vec<usize>, word: &str) -> Option<Effect> {
    let changed = step(state.review.as_mut()?);
    state.toast = match changed.len() {
        0 => "there is nothing left".to_owned(),
        count => format!("{word}: {count}"),
    };
    state.count();
    (!changed.is_empty()).then(|| Effect::Keep(state.verdicts(&changed)))
}

fn ask(state: &mut State, purpose: Purpose, text: &str) {
    state.prompt = Some(Prompt { purpose, input: Input::new(text.to_owned()), line: 0 });
}

fn paste(state: &mut State, text: &str) {
    let Some(prompt) = &mut state.prompt else { return };
    // Shown as one line, and no line break in it counts as Enter.
    let line = Display::of(&text.split_whitespace().collect::<Vec<_>>().join(" ")).to_string();
    let value: String = format!("{}{line}", prompt.input.value()).chars().take(PROMPT_MAX).collect();
    prompt.input = Input::new(value);
    typed(state);
}

fn on_prompt_key(state: &mut State, key: KeyEvent) -> Option<Effect> {
    let prompt = state.prompt.as_mut()?;
    match key.code {
        KeyCode::Esc => {
            let purpose = prompt.purpose;
            state.prompt = None;
            state.popup = None;
            if purpose == Purpose::Filter {
                state.filter.clear();
                refilter(state);
            }
        }
        KeyCode::Char('c') if Stroke::of(key) == Stroke::control('c') => {
            state.prompt = None;
            state.popup = None;
        }
        KeyCode::Enter => return entered(state),
        KeyCode::Down => prompt.line += 1,
        KeyCode::Up => prompt.line = prompt.line.saturating_sub(1),
        _ if prompt.input.value().chars().count() < PROMPT_MAX || !matches!(key.code, KeyCode::Char(_)) => {
            prompt.input.handle_event(&Event::Key(key));
            prompt.line = 0;
            typed(state);
        }
        _ => {}
    }
    None
}

/// Follows what is typed.
fn typed(state: &mut State) {
    let Some(prompt) = &state.prompt else { return };
    let value = prompt.input.value().to_owned();
    match prompt.purpose {
        Purpose::Filter => {
            state.filter = value;
            refilter(state);
        }
        Purpose::Search => {
            state.search = value;
            if !is_match(state, state.cursor) {
                seek(state, true, is_match);
            }
        }
        Purpose::Flag | Purpose::Palette | Purpose::Confirm => {}
    }
}

fn entered(state: &mut State) -> Option<Effect> {
    let Prompt { purpose, input, line } = state.prompt.take()?;
    match purpose {
        Purpose::Search | Purpose::Filter => None,
        Purpose::Flag => {
            let note = input.value().trim().to_owned();
            decide_and_move(state, Some(&Decision::Flag { note }), "flagged")
        }
        Purpose::Palette => {
            let action = palette(input.value()).get(line).map(|row| row.action);
            action.and_then(|action| act(state, action))
        }
        Purpose::Confirm if input.value().trim() == state.tally.closes.to_string() => apply(state),
        Purpose::Confirm => {
            state.toast = format!("type the number of closes, {}, to apply; nothing was applied", state.tally.closes);
            state.popup = None;
            None
        }
    }
}

/// Shows only rows whose words fit the filter: name, kind, action, state.
fn refilter(state: &mut State) {
    let Some(review) = &state.review else { return };
    let plan = review.plan();
    if state.filter.trim().is_empty() {
        state.tree.filter(None);
    } else {
        let mut matcher = nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT);
        let pattern = nucleo_matcher::pattern::Pattern::parse(
            &state.filter,
            nucleo_matcher::pattern::CaseMatching::Ignore,
            nucleo_matcher::pattern::Normalization::Smart,
        );
        let mut buffer = Vec::new();
        let matching: Vec<bool> = state
            .tree
            .nodes
            .iter()
            .map(|node| {
                let text = match node.subject {
                    Subject::Change(at) => {
                        let change = &plan.changes[at as usize];
                        let held = if change.hold.is_some() { "held" } else { "" };
                        format!("{} {} {} {held}", change.name.display(), change.proposal.action, change.kind)
                    }
                    subject => name(plan, subject).display().to_string(),
                };
                pattern.score(nucleo_matcher::Utf32Str::new(&text, &mut buffer), &mut matcher).is_some()
            })
            .collect();
        state.tree.filter(Some(&matching));
    }
    let at = state.tree.position(state.cursor);
    state.cursor = state.tree.visible.get(at).or_else(|| state.tree.visible.last()).copied().unwrap_or_default();
}

/// Leaves what is on top: a range, a filter, a tab, and in the end the console.
fn back(state: &mut State) -> Option<Effect> {
    if state.anchor.take().is_some() {
        return None;
    }
    if state.events.take().is_some() {
        state.scroll = 0;
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
        _ if !state.filter.is_empty() => {
            state.filter.clear();
            refilter(state);
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
        Phase::Ready | Phase::Failed(_) => Effect::Quit,
    }
}

fn on_news(state: &mut State, news: News) -> Option<Effect> {
    match news {
        News::Told(progress) => {
            told(state, progress);
            None
        }
        News::Planned { plan, verdicts } => {
            state.tree = Tree::new(&plan);
            let mut review = Review::new(plan, "person");
            review.recall(verdicts);
            state.review = Some(review);
            state.phase = Phase::Ready;
            state.cursor = 0;
            state.offset = 0;
            state.anchor = None;
            refilter(state);
            state.count();
            None
        }
        News::Failed(text) => {
            state.phase = Phase::Failed(text);
            None
        }
        News::Applied(report) => {
            state.phase = Phase::Ready;
            state.report = Some(*report);
            state.review = None;
            state.tree = Tree::default();
            "applied; R reads both sides again".clone_into(&mut state.toast);
            None
        }
        News::Runs(runs) => {
            state.run = state.run.min(runs.len().saturating_sub(1));
            state.runs = runs;
            None
        }
        News::Events(events) => {
            state.events = Some(events);
            None
        }
    }
}

fn told(state: &mut State, progress: Progress) {
    match progress {
        Progress::Reading(service, kind, rows) => {
            state.rows.insert((service, kind), rows);
        }
        Progress::Read(service) => {
            state.read.insert(service);
        }
        Progress::Exchanged(exchange) => {
            if let Some(pause) = exchange.pause {
                state.toast = format!("{} asked us to wait {} s", exchange.service, pause.as_secs().max(1));
            }
        }
        Progress::Applying(_) => {}
        Progress::Happened(event) => {
            let line = match &event.what {
                What::Applied { change } => {
                    state.applying.applied += 1;
                    Some(("applied", change, String::new()))
                }
                What::Failed { change, error, hint } => {
                    state.applying.failed += 1;
                    Some(("failed", change, format!(": {error} ({hint})")))
                }
                What::NotStarted { change, because } => Some(("not started", change, format!(": {because}"))),
                _ => None,
            };
            if let Some((word, id, rest)) = line {
                let change = state.review.as_ref().and_then(|review| review.find(id));
                let what = change.map_or_else(
                    || id.to_string(),
                    |change| format!("{} {} “{}”", change.proposal.action, change.kind, change.name.display().clipped(40)),
                );
                state.applying.lines.push(format!("{word:<11} {what}{rest}"));
                let over = state.applying.lines.len().saturating_sub(LINES_MAX);
                state.applying.lines.drain(..over);
                state.scroll = state.applying.lines.len().saturating_sub(1);
            }
        }
    }
}

/// Scrolls so that the cursor is drawn.
fn keep_in_window(state: &mut State) {
    let height = state.tree_height().max(1);
    let at = state.tree.position(state.cursor);
    let last = state.tree.visible.len().saturating_sub(height);
    state.offset = state.offset.clamp(at.saturating_sub(height - 1), at).min(last);
}
