//! What there is to say of the daemon: when it runs next, what waits, and how its last run ended.

use jiff::{SignedDuration, Timestamp};
use ratatui::text::Line;

use crate::{
    domain::{ending::End, model::duration_words, text::Shown},
    engine::served::{Seen, Served, ServedRun},
    face::text::{outcome_words, when},
};

/// Columns of what started a run.
const TRIGGER_COLUMNS: usize = 40;

/// Lines above the runs, so many columns wide.
pub(super) fn lines(daemon: &Seen, now: Timestamp, columns: usize) -> Vec<Line<'static>> {
    let Seen { is_alive, served, pending } = daemon;
    let first = if *is_alive { at_it(served) } else { "the daemon is not running".to_owned() };
    let next = served.next.map(|next| next_run(next, now, *is_alive)).into_iter().chain(waiting(*pending));
    let next = next.collect::<Vec<_>>().join(" · ");
    let said = [Some(first), Some(next).filter(|next| !next.is_empty()), served.runs.first().map(last)];
    let line = |text: String| Line::raw(format!("  {}", Shown::of(&text).clipped(columns.saturating_sub(2))));
    said.into_iter().flatten().map(line).chain([Line::raw("")]).collect()
}

fn trigger(words: &str) -> Shown {
    Shown::of(words).clipped(TRIGGER_COLUMNS)
}

/// What it is at.
fn at_it(Served { running, waiting, retry, .. }: &Served) -> String {
    let now = match running {
        Some(words) => format!("the daemon runs: {}", trigger(words)),
        None => "the daemon waits".to_owned(),
    };
    let then = waiting.as_ref().map(|words| format!("then: {}", trigger(words)));
    let again = retry.map(|at| format!("tries again at {}", when(at)));
    [Some(now), then, again].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn next_run(next: Timestamp, now: Timestamp, is_alive: bool) -> String {
    let until = next.duration_since(now);
    match (is_alive, until > SignedDuration::ZERO) {
        (true, true) => {
            let seconds = u64::try_from(until.as_secs()).unwrap_or_default();
            let seconds = if seconds > 60 { seconds / 60 * 60 } else { seconds };
            format!("next run {}, in {}", when(next), duration_words(seconds))
        }
        (true, false) => "next run now".to_owned(),
        (false, true) => format!("it was to run next at {}", when(next)),
        (false, false) => format!("it has missed its run of {}, and makes up for it when it starts", when(next)),
    }
}

fn waiting(pending: usize) -> Option<String> {
    match pending {
        0 => None,
        1 => Some("1 change waits for a person".to_owned()),
        changes => Some(format!("{changes} changes wait for a person")),
    }
}

/// How its last run ended, or why there was none.
fn last(ServedRun { trigger: words, at, outcome, .. }: &ServedRun) -> String {
    let (at, words) = (when(*at), trigger(words));
    match outcome {
        End::Reported(_) => format!("its last run: {at}, {words}: {}", outcome_words(outcome)),
        End::Without(because) => format!("it did not run: {at}, {words}: {because}"),
    }
}
