//! Let through what brakes withhold in the undo of a run? An undo may need several of them, and all are listed; the
//! number of what they withhold is typed.

use std::collections::BTreeMap;

use ratatui::text::Line;

use super::Sheet;
use crate::{
    domain::rules::Allowance,
    face::tui::{
        effect::{Effect, Order},
        pieces::count,
        state::State,
        theme::Theme,
    },
};

/// How many changes brakes withhold in all.
pub(super) fn withheld(state: &State) -> usize {
    state.reviewing.plan().map_or(0, |plan| plan.withheld().values().sum())
}

/// Has all of them let through.
pub(super) fn release(state: &mut State) -> Option<Effect> {
    state.overlay = None;
    // What is let through of a class is so of each kind.
    let mut classes = BTreeMap::new();
    for ((class, _), withheld) in state.reviewing.plan()?.withheld() {
        let most: &mut usize = classes.entry(class).or_default();
        *most = withheld.max(*most);
    }
    let allowances = classes.into_iter().map(|(class, count)| Allowance { class, count });
    Some(Effect::Order(Order::Release(allowances.collect())))
}

pub(super) fn sheet(state: &State) -> Sheet {
    let all = count(withheld(state), "change is", "changes are");
    let mut lines = vec![
        Line::styled(format!(" {all} withheld: type that number, then enter. Esc goes back. "), state.theme.alert()),
        Line::default(),
    ];
    let withheld = state.reviewing.plan().map(crate::domain::plan::Plan::withheld).unwrap_or_default();
    lines.extend(withheld.into_iter().map(|((class, kind), count)| {
        Line::styled(format!("  {count:>5} {} of {} ", class.plural(), kind.plural()), Theme::bold())
    }));
    Sheet { title: "Release the brakes of this undo?".to_owned(), lines, ..Sheet::default() }
}
