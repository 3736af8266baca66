//! The tree: decision, symbol and name on the left, counts and the action's word on the right.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::{
    domain::{
        plan::{Plan, State as ChangeState},
        review::Decision,
        text::Display,
    },
    face::tui::{
        state::State,
        theme::Theme,
        tree::{Subject, name},
    },
};

pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(plan) = state.plan() else { return };
    let selected = state.anchor.map(|anchor| {
        let (from, to) = (state.tree.position(anchor), state.tree.position(state.cursor));
        from.min(to)..=from.max(to)
    });
    let shown = state.tree.visible.iter().enumerate().skip(state.offset).take(usize::from(area.height));
    let lines: Vec<Line<'static>> = shown
        .map(|(at, &node)| {
            let line = row(state, plan, node, usize::from(area.width));
            if node == state.cursor {
                line.style(Theme::cursor())
            } else if selected.as_ref().is_some_and(|selected| selected.contains(&at)) {
                line.style(Theme::selected())
            } else {
                line
            }
        })
        .collect();
    if lines.is_empty() {
        let text = if state.filter.is_empty() { "  In sync: nothing to do." } else { "  nothing passes the filter" };
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn row(state: &State, plan: &Plan, node: u32, width: usize) -> Line<'static> {
    let theme = state.theme;
    let branch = &state.tree.nodes[node as usize];
    let fold = match (state.tree.is_branch(node), branch.open) {
        (false, _) => " ",
        (true, true) => theme.pick("▾", "v"),
        (true, false) => theme.pick("▸", ">"),
    };
    let cursor = if node == state.cursor { theme.pick("▌", "|") } else { " " };
    let mut spans = vec![Span::raw(format!("{cursor}{}{fold} ", "  ".repeat(usize::from(branch.depth))))];
    let right = match branch.subject {
        Subject::Change(at) => {
            let (mark, word) = decision(state, at as usize);
            let action = state.review.as_ref().map(|review| review.chosen(at as usize).action);
            let action = action.unwrap_or(plan.changes[at as usize].proposal.action);
            spans.push(Span::raw(format!("{mark} ")));
            spans.push(Span::styled(format!("{} ", theme.symbol(action)), theme.action(action)));
            format!("{}{action}{word}", below(state, node))
        }
        Subject::Page(_) => {
            spans.push(Span::raw(format!("{}   ", tristate(state, node))));
            below(state, node)
        }
        Subject::Notices => plan.notices.len().to_string(),
        Subject::Notice(at) => {
            spans.push(Span::styled("i ", Theme::dim()));
            let code = serde_json::to_value(plan.notices[at as usize].code).ok();
            code.and_then(|code| code.as_str().map(|code| code.replace('_', " "))).unwrap_or_default()
        }
    };
    let used: usize = spans.iter().map(Span::width).sum();
    let right = Display::trusted(right).clipped(width / 2);
    let room = width.saturating_sub(used + right.width() + 2);
    let name = Display::of(name(plan, branch.subject).canonical().as_str());
    let badge = if name.has_hidden() { " [hidden]" } else { "" };
    let name = name.clipped(room.saturating_sub(badge.len()));
    let gap = room.saturating_sub(name.width() + badge.len()) + 1;
    spans.push(Span::raw(format!("{name}{badge}{}{right} ", " ".repeat(gap))));
    Line::from(spans)
}

/// The mark and the word of a change's decision.
fn decision(state: &State, at: usize) -> (&'static str, &'static str) {
    let theme = state.theme;
    let Some(review) = &state.review else { return (" ", "") };
    let change = &review.plan().changes[at];
    match &review.verdict(at).decision {
        Some(Decision::Approve) if review.blocked(at).is_some() => (theme.pick("✗", "n"), ", waits"),
        Some(Decision::Approve) => (theme.pick("✓", "y"), ", approved"),
        Some(Decision::Skip) => (theme.pick("»", "s"), ", skipped"),
        Some(Decision::Ignore) => (theme.pick("∅", "i"), ", ignored"),
        Some(Decision::Flag { .. }) => ("!", ", flagged"),
        None if change.state == ChangeState::Held => (theme.pick("■", "#"), ", held"),
        None if change.state == ChangeState::Review => ("?", ", review"),
        None => (theme.pick("·", "."), ""),
    }
}

/// How far a page's changes are approved.
fn tristate(state: &State, node: u32) -> &'static str {
    let theme = state.theme;
    let Some(review) = &state.review else { return " " };
    let (changes, _) = state.tree.changes_below(node);
    let approved = changes.iter().filter(|&&at| review.verdict(at).decision == Some(Decision::Approve)).count();
    match approved {
        0 => theme.pick("·", "."),
        some if some == changes.len() => theme.pick("✓", "y"),
        _ => theme.pick("◐", "*"),
    }
}

/// Decided and all changes below a branch.
fn below(state: &State, node: u32) -> String {
    let Some(review) = state.review.as_ref().filter(|_| state.tree.is_branch(node)) else { return String::new() };
    let (changes, _) = state.tree.changes_below(node);
    let decided = changes.iter().filter(|&&at| review.verdict(at).decision.is_some()).count();
    format!("{decided}/{}  ", changes.len())
}
