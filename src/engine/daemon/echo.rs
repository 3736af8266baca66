//! The echo of our own writes: both services call for what we have just written ourselves. It looks like anybody's
//! change of the same row, and may be one, so it is not passed over: all of it together is one run a little later,
//! which finds nothing to do unless somebody has changed something. Who is told as its author says little: a personal
//! token writes as the person.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        journal::{Event, Outcome, What, Write},
        reach::Extent,
        trigger::Cause,
    },
    edge::store::{Entry, Selection, Toward},
    engine::{failure::RunError, state::State},
};

/// How long after a write what is called about its row may be its echo: Notion tells of a change within five minutes
/// (Notion docs, webhook delivery).
const ECHO_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// Rows that are remembered.
const ROWS_MAX: usize = 10_000;
/// The kinds of what is read of the log for it.
const KINDS: [&str; 2] = ["intent", "outcome"];

/// What was written lately, and what came back of it.
#[derive(Default)]
pub(super) struct Echoes {
    /// When each row was written, by its ID.
    written: BTreeMap<String, Timestamp>,
    waiting: Option<Waiting>,
}

/// The run that looks whether there was more to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    due: Timestamp,
    pub(super) extent: Extent,
    pub(super) causes: BTreeSet<Cause>,
}

impl Echoes {
    /// Takes up what a run writes.
    pub(super) fn hear(&mut self, what: &What, now: Timestamp) {
        match what {
            What::Intent { request, .. } => match request {
                // What it creates has no ID yet.
                // What it creates has no ID yet; of where time is filed nobody calls.
                Write::Create { .. } | Write::Refile { .. } => {}
                Write::Update { object, .. } => self.wrote(object.to_string(), now),
                Write::WriteBack { page, .. } => self.wrote(page.to_string(), now),
            },
            What::Outcome { outcome: Outcome::Done { object: Some(object) }, .. } => {
                self.wrote(object.to_string(), now);
            }
            _ => {}
        }
    }

    fn wrote(&mut self, row: String, now: Timestamp) {
        if self.written.len() >= ROWS_MAX {
            self.written.retain(|_, at| is_fresh(*at, now));
        }
        // Beyond that, each call asks for a run as any other does.
        if self.written.len() < ROWS_MAX {
            self.written.insert(row, now);
        }
    }

    /// Takes a call in that may be the echo of a write; false where it is about something else.
    pub(super) fn takes(&mut self, rows: &[String], cause: &Cause, extent: &Extent, now: Timestamp) -> bool {
        let written = rows.iter().filter_map(|row| self.written.get(row)).filter(|at| is_fresh(**at, now)).max();
        let Some(due) = written.and_then(|at| at.checked_add(ECHO_WITHIN).ok()) else { return false };
        let waiting = self.waiting.get_or_insert_with(Waiting::default);
        waiting.due = waiting.due.max(due);
        waiting.extent = std::mem::take(&mut waiting.extent).join(extent);
        waiting.causes.insert(cause.clone());
        true
    }

    /// What is due by now, or was before the clock was set back.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Waiting> {
        let is_due = |waiting: &mut Waiting| waiting.due <= now || waiting.due.duration_since(now) > ECHO_WITHIN;
        self.waiting.take_if(is_due)
    }

    /// When what waits is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting.as_ref().map(|waiting| waiting.due)
    }

    /// A run begins: it sees whatever was called about before, as far as it goes.
    pub(super) fn begins(&mut self, extent: &Extent) {
        self.waiting.take_if(|waiting| extent.covers(&waiting.extent));
    }

    /// How far the run goes that waits for the echo to end.
    pub(super) fn extent(&self) -> Extent {
        self.waiting.as_ref().map(|waiting| waiting.extent.clone()).unwrap_or_default()
    }
}

/// What was written to the services after an entry of the log, by whoever shares the state, and the entry that this goes
/// through. Nothing that is too old to come back is read.
pub(super) async fn written_since(state: &State, after: u64, now: Timestamp) -> Result<(Vec<Event>, u64), RunError> {
    let (last, _) = state.log_head().await?;
    // A log that was made anew begins again.
    let after = if after > last { 0 } else { after };
    let since = now.checked_sub(ECHO_WITHIN).ok();
    let selection = Selection { kinds: KINDS.into(), since, ..Selection::default() };
    let mut events = Vec::new();
    if after < last {
        let visit = async |entry: Entry| {
            events.extend(entry.event().ok());
            ControlFlow::Continue(())
        };
        state.visit_log(&selection, Toward::End(after + 1), visit).await?;
    }
    Ok((events, last))
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    age < ECHO_WITHIN && age >= SignedDuration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::ObjectId;

    const WEBSITE: &str = "64a9e1000000000000000001";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).expect("a time")
    }

    fn cause() -> Cause {
        Cause::Caller("events".to_owned())
    }

    /// The website was written at second 0 and again at second 10.
    fn written() -> Echoes {
        let mut echoes = Echoes::default();
        let object: Option<ObjectId> = Some(WEBSITE.parse().expect("an ID"));
        for second in [0, 10] {
            let what = What::Outcome { write: crate::domain::journal::WriteId(1), outcome: Outcome::Done { object } };
            echoes.hear(&what, at(second));
        }
        echoes
    }

    #[test]
    fn whatever_comes_back_of_writes_is_one_run_when_no_more_can_come() {
        let mut echoes = written();
        for second in [11, 70, 309] {
            assert!(echoes.takes(&[WEBSITE.to_owned()], &cause(), &Extent::PLAN, at(second)), "{second}");
            assert_eq!(echoes.due(at(second)), None, "{second}");
        }
        assert_eq!(echoes.extent(), Extent::PLAN, "it is owed");
        let due = echoes.due(at(310)).expect("due");
        assert_eq!((due.extent, due.causes), (Extent::PLAN, [cause()].into()));
        assert_eq!(echoes.due(at(1000)), None, "once");
        assert!(!echoes.takes(&[WEBSITE.to_owned()], &cause(), &Extent::PLAN, at(310)), "somebody else's by now");
    }

    #[test]
    fn what_was_not_written_is_no_echo_and_a_run_that_begins_sees_to_the_rest() {
        let mut echoes = written();
        for rows in [&[][..], &["64a9e1000000000000000002".to_owned()]] {
            assert!(!echoes.takes(rows, &cause(), &Extent::EVERYTHING, at(11)));
        }
        assert!(echoes.takes(&[WEBSITE.to_owned()], &cause(), &Extent::EVERYTHING, at(11)));
        echoes.begins(&Extent::PLAN);
        assert_eq!(echoes.extent(), Extent::EVERYTHING, "that one does not go as far");
        echoes.begins(&Extent::EVERYTHING);
        assert_eq!((echoes.extent(), echoes.due(at(1000))), (Extent::default(), None));
    }

    #[test]
    fn a_clock_that_was_set_back_puts_nothing_off() {
        let mut echoes = written();
        assert!(echoes.takes(&[WEBSITE.to_owned()], &cause(), &Extent::PLAN, at(11)));
        assert!(echoes.due(at(-100_000)).is_some());
    }
}
