//! What the worker tells.

use crate::{
    domain::{journal::What, report::Report, review::Tally},
    engine::session::Progress,
    face::tui::{
        command::Tab,
        effect::Effect,
        news::News,
        overlay::own,
        state::{
            Phase, State,
            applying::{Applying, Wait},
        },
        tab::{
            self,
            review::{planned, together},
        },
    },
};

pub(super) fn on_news(state: &mut State, news: News) -> Option<Effect> {
    match news {
        News::Progress(progress) => progressed(state, progress),
        News::Waiting(waiting) => state.reviewing.waiting = waiting,
        News::Planned { plan, remembered, at } => return planned::planned(state, plan, remembered, at),
        News::Kept { number, overtaken } => together::kept(state, number, overtaken),
        News::Others { remembered, reserved, own } => {
            (state.reviewing.together.reserved, state.reviewing.together.own) = (reserved, own);
            together::heard(state, remembered);
        }
        News::Failed { text, code } => {
            state.reviewing.retrying = None;
            state.reviewing.together.forget_what_is_on_its_way();
            // Nobody is there any more to keep a decision or to apply one: the failure takes the plan's place, until it
            // is read again.
            state.reviewing.leave_plan();
            // What an apply brought about stays in sight where only what is left could not be read.
            if !state.reading.of_rest {
                (state.tab, state.overlay, state.prompt) = (Tab::Review, None, None);
            }
            state.applying.in_flight.clear();
            state.applying.ended.get_or_insert(state.now);
            state.phase = Phase::Failed { text, code };
        }
        News::Refused(text) => {
            (state.phase, state.tab, state.toast) = (Phase::Ready, Tab::Review, text.into());
            state.applying = Applying::default();
        }
        News::Estimated { number, estimate } if number == state.reviewing.estimates => {
            if state.phase == Phase::Applying {
                state.applying.hourly = estimate.hourly;
            } else {
                state.reviewing.estimate = Some(estimate);
            }
        }
        News::Estimated { .. } => {}
        News::Applied(report) => return Some(applied(state, *report)),
        News::Matched { mode, number, matches } => planned::matched(state, mode, number, matches),
        News::Runs(runs, daemon) => {
            state.runs.take(runs);
            state.runs.daemon = daemon;
        }
        News::Time(news) => state.hours.take(*news),
        News::Log(answer) => state.logs.answered(*answer),
        News::NoLog { number, because } => state.logs.refused(number, because),
        News::Ran(ran) => own::ended(state, ran),
        News::Said(text) => state.toast = text.into(),
    }
    None
}

fn applied(state: &mut State, report: Report) -> Effect {
    state.applying.ended = Some(state.now);
    (state.applying.scroll, state.applying.follows) = (0, false);
    state.applying.in_flight.clear();
    state.applied = Some((report.run_id, report.outcome));
    // Of an undo that is done with nothing is left to see, but for what it means to both sides.
    let undoes = state.reviewing.undoes.filter(|_| report.applied < state.reviewing.tally.changes);
    state.applying.report = Some(report);
    state.reviewing.tally = Tally::default();
    tab::read_sides(state, undoes, true)
}

fn progressed(state: &mut State, progress: Progress) {
    match progress {
        Progress::Reading(service, kind, rows) => {
            state.reading.rows.insert((service, kind), rows);
        }
        Progress::Read(service) => {
            state.reading.read.insert(service);
        }
        Progress::Queued(queued) => {
            let until = state.now + queued.wait;
            state.applying.wait(Wait { service: queued.service, until, limit: queued.limit }, state.now);
        }
        Progress::Exchanged(exchange) => {
            if state.phase == Phase::Reading {
                *state.reading.calls.entry(exchange.service).or_default() += 1;
                state.reading.of_hour = exchange.of_hour.or(state.reading.of_hour);
            }
            if let Some(pause) = exchange.pause {
                let seconds = pause.as_secs().max(1);
                let (times, all) = state.applying.throttled;
                state.applying.throttled = (times + 1, all + seconds);
                state.toast = format!("{} asked us to wait {seconds} s", exchange.service).into();
            }
        }
        Progress::Applying(_) | Progress::Awaits(_) => {}
        Progress::Warned(text) => state.toast = text.into(),
        Progress::Happened(event) => {
            state.logs.grew();
            if matches!(event.what, What::RunStarted { .. }) {
                state.runs.own = Some(event.run);
            }
            state.now = state.now.max(event.at);
            if state.phase == Phase::Applying {
                state.applying.happened(&event);
            }
        }
    }
}
