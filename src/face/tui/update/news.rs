//! What the worker tells.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{Effect, ask_to_apply, look_for};
use crate::{
    domain::{
        journal::What,
        model::PageId,
        plan::{Action, ChangeId, Plan, State as ChangeState},
        report::Report,
        review::{Decision, Remembered, Review},
    },
    edge::store::RunRecord,
    engine::session::Progress,
    face::tui::{
        state::{Phase, State, Tab},
        tab::{
            apply::applying::Applying,
            logs::window::Answer,
            review::{
                matching::{Matches, Wanted},
                moves,
                reviewing::Looked,
            },
        },
    },
};

/// What the worker tells.
pub(crate) enum News {
    Told(Progress),
    /// Since when changes wait that runs have left for a person.
    Waiting(HashMap<ChangeId, Timestamp>),
    Planned {
        plan: Arc<Plan>,
        /// What was said earlier, of this plan's changes and of others.
        remembered: Vec<Remembered>,
        at: Timestamp,
    },
    /// Reading failed; safe to show.
    Failed {
        text: String,
        code: u8,
    },
    /// Another run holds the lock, so that nothing was done; safe to show.
    Refused(String),
    Applied(Box<Report>),
    Matched {
        wanted: Wanted,
        number: u64,
        matches: Matches,
    },
    Runs(Vec<RunRecord>),
    /// What the log answers.
    Log(Box<Answer>),
    /// The log has no answer; safe to show.
    NoLog {
        number: u64,
        because: String,
    },
    /// What came of something outside, for the line at the bottom; safe to show.
    Said(String),
}

pub(super) fn on_news(state: &mut State, news: News) -> Option<Effect> {
    match news {
        News::Told(progress) => told(state, progress),
        News::Waiting(waiting) => state.reviewing.waiting = waiting,
        News::Planned { plan, remembered, at } => return planned(state, plan, remembered, at),
        News::Failed { text, code } => {
            state.reviewing.retrying = None;
            // Nobody is there any more to keep a decision or to apply one: the failure takes the plan's place, until it is read again.
            state.reviewing.leave_plan();
            (state.tab, state.popup, state.prompt) = (Tab::Review, None, None);
            state.applying.in_flight = 0;
            state.applying.ended.get_or_insert(state.now);
            state.phase = Phase::Failed { text, code };
        }
        News::Refused(text) => {
            (state.phase, state.tab, state.toast) = (Phase::Ready, Tab::Review, text);
            state.applying = Applying::default();
        }
        News::Applied(report) => return applied(state, *report),
        News::Matched { wanted, number, matches } => matched(state, wanted, number, matches),
        News::Runs(runs) => {
            state.runs.at = state.runs.at.min(runs.len().saturating_sub(1));
            state.runs.all = runs;
        }
        News::Log(answer) => state.logs.answered(*answer),
        News::NoLog { number, because } => state.logs.refused(number, because),
        News::Said(text) => state.toast = text,
    }
    None
}

fn planned(state: &mut State, plan: Arc<Plan>, remembered: Vec<Remembered>, at: Timestamp) -> Option<Effect> {
    let before = state.reviewing.leave_plan();
    state.reviewing.needed_by = needed_by(&plan);
    state.reviewing.undoes.clone_from(&plan.scope.undoes);
    let mut review = Review::new(plan, state.reviewing.who.clone());
    review.recall(remembered.iter().map(|known| (known.said.clone(), known.by.clone())));
    // What was decided while this plan was made is on its way to the state.
    if let Some(before) = before {
        let all: Vec<usize> = (0..before.plan().changes.len()).collect();
        review.recall(all.iter().zip(before.said(&all)).map(|(&at, said)| (said, before.by(at).to_owned())));
    }
    state.reviewing.earlier = HashMap::new();
    for known in remembered {
        state.reviewing.earlier.entry(known.said.page).or_default().push(known);
    }
    state.reviewing.review = Some(review);
    state.phase = Phase::Ready;
    (state.reviewing.planned_at, state.now) = (Some(at), at);
    state.reviewing.search = Looked::default();
    state.reviewing.filter.found = None;
    state.reviewing.arrange();
    let page = |node: &u32| state.reviewing.tree.page(*node, state.reviewing.plan());
    let left_at = state
        .reviewing
        .left_at
        .and_then(|left_at| state.reviewing.tree.visible.iter().find(|node| page(node) == Some(left_at)).copied());
    state.reviewing.cursor = left_at.unwrap_or(state.reviewing.cursor);
    if let Some(pages) = state.reviewing.retrying.take() {
        finish_what_was_approved(state, &pages);
        if state.reviewing.tally.approved > 0 {
            ask_to_apply(state);
        } else {
            "nothing that was approved is left to do".clone_into(&mut state.toast);
        }
    }
    (!state.reviewing.filter.text.is_empty()).then(|| look_for(state, Wanted::Filter))
}

/// Approves what a stopped run left of changes that were approved: the IDs that did not get into their pages any more.
fn finish_what_was_approved(state: &mut State, pages: &HashSet<PageId>) {
    let Some(review) = &mut state.reviewing.review else { return };
    let changes = review.plan().changes.iter().enumerate();
    let rest = changes.filter(|(_, change)| {
        change.proposal.action == Action::WriteBack && change.state == ChangeState::Ready && pages.contains(&change.page)
    });
    let rest: Vec<usize> = rest.map(|(at, _)| at).filter(|&at| review.verdict(at).decision.is_none()).collect();
    review.decide(&rest, Some(&Decision::Approve));
    state.reviewing.count();
}

/// How many changes each change is required by, directly.
fn needed_by(plan: &Plan) -> HashMap<usize, usize> {
    let required: HashSet<&ChangeId> = plan.changes.iter().flat_map(|change| &change.requires).collect();
    let index: HashMap<&ChangeId, usize> =
        plan.changes.iter().enumerate().map(|(at, change)| (&change.id, at)).filter(|(id, _)| required.contains(id)).collect();
    let mut needed_by: HashMap<usize, usize> = HashMap::new();
    for id in plan.changes.iter().flat_map(|change| &change.requires) {
        if let Some(&at) = index.get(id) {
            *needed_by.entry(at).or_default() += 1;
        }
    }
    needed_by
}

fn applied(state: &mut State, report: Report) -> Option<Effect> {
    state.phase = Phase::Ready;
    state.applying.ended = Some(state.now);
    state.toast.clear();
    (state.applying.scroll, state.applying.follows, state.applying.in_flight) = (0, false, 0);
    state.applying.report = Some(report);
    state.reviewing.leave_plan();
    None
}

fn matched(state: &mut State, wanted: Wanted, number: u64, matches: Matches) {
    // An answer to what was asked earlier is no news. A search and a filter are never typed at the same time.
    if number != state.reviewing.asked {
        return;
    }
    match wanted {
        Wanted::Search => {
            let empty = state.reviewing.search.text.is_empty() || matches.count() == 0;
            state.toast = if empty && !state.reviewing.search.text.is_empty() { "no match".to_owned() } else { String::new() };
            state.reviewing.search.found = Some(matches);
            let from = state.prompt.as_ref().map_or(state.reviewing.cursor, |prompt| prompt.from);
            if empty {
                state.reviewing.go_to(from);
            } else {
                moves::go_to_match(state, from);
            }
        }
        Wanted::Filter => {
            state.reviewing.filter.found = Some(matches);
            let found = if state.reviewing.filter.text.is_empty() { None } else { state.reviewing.filter.found.as_ref() };
            state.reviewing.tree.filter(found);
            state.reviewing.stay_visible();
        }
    }
}

fn told(state: &mut State, progress: Progress) {
    match progress {
        Progress::Reading(service, kind, rows) => {
            state.reading.rows.insert((service, kind), rows);
        }
        Progress::Read(service) => {
            state.reading.read.insert(service);
        }
        Progress::Exchanged(exchange) => {
            if let Some(pause) = exchange.pause {
                let seconds = pause.as_secs().max(1);
                let (times, all) = state.applying.throttled;
                state.applying.throttled = (times + 1, all + seconds);
                state.toast = format!("{} asked us to wait {seconds} s", exchange.service);
            }
        }
        Progress::Applying(_) => {}
        Progress::Warned(text) => state.toast = text,
        Progress::Happened(event) => {
            state.logs.grew();
            if matches!(event.what, What::RunStarted { .. }) {
                state.runs.own = Some(event.run.clone());
            }
            state.now = state.now.max(event.at);
            if state.phase == Phase::Applying {
                state.applying.happened(&event);
            }
        }
    }
}
