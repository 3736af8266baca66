//! Apply what is approved? Where something is closed, its number is typed; otherwise Enter is enough.

use std::collections::BTreeMap;

use ratatui::text::Line;

use super::Sheet;
use crate::{
    domain::{
        model::{Kind, duration_words},
        plan::{Action, Change, Plan, closes},
        text::Shown,
    },
    face::{
        text,
        tui::{
            command::{Command, Tab},
            effect::{Effect, Order},
            keymap::Keymap,
            pieces::count,
            state::{Phase, Reading, State, applying::Applying},
            theme::Theme,
        },
    },
};

/// Columns of the name of a workspace.
const WORKSPACE_COLUMNS: usize = 20;
/// Closes that are named.
const CLOSES_NAMED: usize = 200;

/// Has what is approved applied.
pub(super) fn apply(state: &mut State) -> Option<Effect> {
    state.overlay = None;
    let approved = state.reviewing.review.as_ref()?.approved();
    state.applying = Applying::new(&approved, state.now);
    state.applying.hourly = state.reviewing.estimate.take().and_then(|cost| cost.hourly);
    let reading = Reading { of_hour: state.reading.of_hour, ..Reading::default() };
    (state.phase, state.tab, state.reading) = (Phase::Applying, Tab::Apply, reading);
    Some(Effect::Order(Order::Apply(approved)))
}

pub(super) fn sheet(state: &State, keymap: &Keymap) -> Sheet {
    let scroll = state.prompt.as_ref().map_or(0, |prompt| u16::try_from(prompt.line).unwrap_or(u16::MAX));
    let plan = state.reviewing.plan();
    let undo = plan.and_then(text::undo_of).map(|of| format!(" the {of}")).unwrap_or_default();
    let to = plan.filter(|plan| !plan.workspaces.is_unknown());
    let to = to.map(|plan| format!(" to {}", plan.workspaces.words(WORKSPACE_COLUMNS))).unwrap_or_default();
    let title = format!("Apply{undo}{to}?");
    Sheet { title, lines: lines(state, keymap), scroll, ..Sheet::default() }
}

fn lines(state: &State, keymap: &Keymap) -> Vec<Line<'static>> {
    let (tally, theme) = (state.reviewing.tally, state.theme);
    let (Some(plan), Some(review)) = (state.reviewing.plan(), &state.reviewing.review) else { return Vec::new() };
    let approved: Vec<usize> = (0..plan.changes.len()).filter(|&at| review.is_approved(at)).collect();
    let mut counts: BTreeMap<(bool, Action), BTreeMap<Kind, usize>> = BTreeMap::new();
    for &at in &approved {
        let action = review.action(at);
        *counts.entry((action == Action::Close, action)).or_default().entry(plan.changes[at].kind).or_default() += 1;
    }
    let written = count(tally.approved, "approved change is", "approved changes are");
    let mut lines = vec![Line::styled(format!(" {written} written: "), Theme::bold())];
    if tally.closes > 0 {
        let closes = count(tally.closes, "of them closes", "of them close");
        let text = format!(" {closes} something: type that number, then enter. Esc goes back. ");
        lines.push(Line::styled(text, theme.alert()));
    } else {
        let (apply, back) = (keymap.first(Command::Toggle), keymap.first(Command::Back));
        lines.push(Line::raw(format!(" {apply} applies, {back} goes back. ")));
    }
    lines.push(Line::default());
    for ((_, action), kinds) in &counts {
        let all: usize = kinds.values().sum();
        let kinds: Vec<String> = kinds.iter().map(|(kind, all)| count(*all, kind.word(), kind.plural())).collect();
        let text = format!("  {} {:<12} {all:>5}   {} ", theme.symbol(*action), action.word(), kinds.join(", "));
        lines.push(Line::styled(text, theme.action(*action)));
    }
    if let Some((spent, of)) = state.reading.of_hour {
        let dated = state.reviewing.estimate.and_then(|cost| text::dated_calls(&cost, state.now, &state.zone));
        lines.extend(dated.map(|dated| Line::raw(format!(" {dated}. "))));
        lines.push(Line::styled(format!(" {} ", text::spent_of(spent, of)), theme.dim()));
    }
    let left = tally.left_alone();
    if !left.is_empty() {
        lines.push(Line::styled(format!(" Left alone: {left}. "), theme.dim()));
    }
    let closes = approved.iter().filter(|&&at| closes(review.action(at), plan.changes[at].kind));
    let closes = closes.take(CLOSES_NAMED).map(|&at| close_line(plan, &plan.changes[at], review.action(at)));
    lines.extend(closes);
    if tally.closes > CLOSES_NAMED {
        lines.push(Line::raw(format!("  and {} more ", tally.closes - CLOSES_NAMED)));
    }
    lines
}

fn close_line(plan: &Plan, change: &Change, action: Action) -> Line<'static> {
    let tracked = change.tracked_seconds.filter(|&seconds| seconds > 0);
    let tracked = tracked.map(|seconds| format!(", {} tracked stay", duration_words(seconds))).unwrap_or_default();
    let where_it_was = if action == Action::Move { " where it was" } else { "" };
    let above = plan.path(change.page).into_iter().map(|name| name.shown().clipped(24).to_string());
    let name = Shown::of(change.name.canonical().as_str()).clipped(40).to_string();
    let name = above.chain([name]).collect::<Vec<_>>().join(" › ");
    Line::raw(format!("  closes {} “{name}”{where_it_was}{tracked} ", change.kind))
}
