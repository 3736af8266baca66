//! What the worker tells of a plan: that there is one, and what was found in it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{moves, search};
use crate::{
    domain::{
        model::PageId,
        plan::{Action, ChangeId, Plan, State as ChangeState},
        review::{Decision, Remembered, Review},
    },
    face::tui::{
        command::{Command, Tab},
        effect::{Effect, Order},
        message::Message,
        state::{
            Phase, State,
            matching::{Matches, SearchMode},
            overlay::ask_to_apply,
            reviewing::{Reviewing, Search},
        },
        tab,
    },
};

/// Takes a plan in, with what was said earlier, of its changes and of others.
pub(crate) fn planned(
    state: &mut State,
    plan: Arc<Plan>,
    remembered: Vec<Remembered>,
    at: Timestamp,
) -> Option<Effect> {
    let reviewing = &mut state.reviewing;
    let before = reviewing.leave_plan();
    reviewing.undoes.clone_from(&plan.scope.undoes);
    reviewing.summary = plan.summary();
    let mut review = Review::new(plan, reviewing.who.clone());
    review.recall(remembered.iter().cloned().map(Remembered::recalled));
    // What was decided while this plan was made is on its way to the state.
    if let Some(mut before) = before {
        let changes: Vec<usize> = reviewing.together.on_its_way().filter_map(|change| before.place(change)).collect();
        let said = before.unworded(&changes).said();
        review.recall(said.into_iter().map(|upon| (upon.said, reviewing.who.clone())));
    }
    reviewing.remember(remembered);
    reviewing.needed_by = needed_by(&review);
    reviewing.review = Some(review);
    state.phase = Phase::Ready;
    (reviewing.planned_at, state.now) = (Some(at), at);
    reviewing.search = Search::default();
    reviewing.filter.found = None;
    reviewing.arrange();
    let page = |node: &u32| reviewing.tree.page(*node, reviewing.plan());
    let left_at = reviewing.left_at;
    let left_at =
        left_at.and_then(|left_at| reviewing.tree.visible.iter().find(|node| page(node) == Some(left_at)).copied());
    reviewing.cursor = left_at.unwrap_or(reviewing.cursor);
    if std::mem::take(&mut state.reading.of_rest) {
        come_back(state);
    }
    let asked = state.reviewing.retrying.take().and_then(|pages| ask_again(state, &pages));
    if state.reviewing.filter.text.is_empty() { asked } else { Some(search(state, SearchMode::Filter)) }
}

/// Back from the results of an apply to what is left, unless something failed or somebody has gone elsewhere; says what
/// came of it.
fn come_back(state: &mut State) {
    let Some(report) = &state.applying.report else { return };
    let failed = report.failed + report.skipped > 0;
    if !failed && state.tab == Tab::Apply && state.overlay.is_none() && state.prompt.is_none() {
        state.tab = Tab::Review;
    }
    let (tab, which) = if state.tab == Tab::Apply { (Tab::Review, "the list") } else { (Tab::Apply, "the results") };
    let not = if failed { format!(", {} not", report.failed + report.skipped) } else { String::new() };
    let said = format!("{} applied{not}; {} left; ", report.applied, state.reviewing.tally.changes);
    let cost = format!(" has {which}; reading again took {}", state.reading.cost());
    state.toast = Message::from(said).key(Command::Tab(tab), cost);
}

/// Puts what was approved and not finished before the person again, as soon as there is a plan.
pub(crate) fn retry(state: &mut State) -> Option<Effect> {
    let pages = state.applying.pages.clone();
    if state.reviewing.review.is_some() {
        return ask_again(state, &pages);
    }
    state.reviewing.retrying = Some(pages);
    (state.phase != Phase::Reading).then(|| tab::read_again(state, state.reviewing.undoes))
}

/// Asks whether what is approved is to be applied. Under an hourly budget the worker is asked what that would cost.
pub(super) fn ask(state: &mut State) -> Option<Effect> {
    ask_to_apply(state);
    state.reviewing.estimates += 1;
    let review = state.reviewing.review.as_ref().filter(|_| state.reading.of_hour.is_some())?;
    Some(Effect::Order(Order::Estimate(review.approved(), state.reviewing.estimates)))
}

fn ask_again(state: &mut State, pages: &HashSet<PageId>) -> Option<Effect> {
    state.tab = Tab::Review;
    finish_what_was_approved(&mut state.reviewing, pages);
    if state.reviewing.tally.approved > 0 {
        return ask(state);
    }
    state.toast = "nothing that was approved is left to do".into();
    None
}

/// Approves what a stopped run left of changes that were approved: the IDs that did not get into their pages any more.
fn finish_what_was_approved(reviewing: &mut Reviewing, pages: &HashSet<PageId>) {
    let Some(review) = &mut reviewing.review else { return };
    let changes = review.plan().changes.iter().enumerate();
    let rest = changes.filter(|(_, change)| {
        change.proposal.action == Action::WriteBack
            && change.state == ChangeState::Ready
            && pages.contains(&change.page)
    });
    let rest: Vec<usize> = rest.map(|(at, _)| at).filter(|&at| review.verdict(at).decision.is_none()).collect();
    review.decide(&rest, Some(&Decision::Approve));
    reviewing.count();
}

/// How many changes each change is required by, directly.
fn needed_by(review: &Review<Arc<Plan>>) -> HashMap<usize, usize> {
    let mut needed_by: HashMap<usize, usize> = HashMap::new();
    let required = review.plan().changes.iter().flat_map(|change| &change.requires);
    // What stands beside each other needs the same.
    let mut last: Option<(&ChangeId, usize)> = None;
    for id in required {
        let known = last.filter(|(known, _)| *known == id).map(|(_, at)| at);
        let Some(at) = known.or_else(|| review.place(id)) else { continue };
        last = Some((id, at));
        *needed_by.entry(at).or_default() += 1;
    }
    needed_by
}

/// Takes in what was found.
pub(crate) fn matched(state: &mut State, mode: SearchMode, number: u64, matches: Matches) {
    // An answer to what was asked earlier is no news. A search and a filter are never typed at the same time.
    if number != state.reviewing.asked {
        return;
    }
    match mode {
        SearchMode::Search => {
            let empty = state.reviewing.search.text.is_empty() || matches.count() == 0;
            state.toast =
                if empty && !state.reviewing.search.text.is_empty() { "no match".into() } else { Message::default() };
            state.reviewing.search.found = Some(matches);
            let from = state.prompt.as_ref().map_or(state.reviewing.cursor, |prompt| prompt.from);
            if empty {
                state.reviewing.go_to(from);
            } else {
                moves::go_to_match(state, from);
            }
        }
        SearchMode::Filter => {
            state.reviewing.filter.found = Some(matches);
            let found =
                if state.reviewing.filter.text.is_empty() { None } else { state.reviewing.filter.found.as_ref() };
            state.reviewing.tree.filter(found);
            state.reviewing.stay_visible();
        }
    }
}
