//! When a scheduled run is due: a function of the time, of when one was last due, of a cron expression and its zone.
//!
//! ```text
//! last due ── next ──▸ not yet reached: wait until then
//!                  └─▸ reached, or passed many times over: due once, now
//! ```
//!
//! The clock may be wrong, then or now. Of two scheduled runs, the second comes at least half a period after the first
//! and at most one and a half, whatever the clock does in between.

use croner::{
    Cron,
    parser::{CronParser, Year},
};
use jiff::{Timestamp, tz::TimeZone};

/// How often one second is added where a zone repeats an hour, before a schedule is given up.
const STEPS_MAX: u8 = 3;

/// When to run: a cron expression of five fields, or six with seconds, in a time zone.
///
/// What falls into an hour that a zone skips comes right after it, and what falls into one that it repeats comes once,
/// unless it comes every hour anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSchedule {
    /// It is no cron expression.
    #[error("a cron expression of five fields, e.g. \"0 4 * * *\"")]
    Malformed,
    /// It names a day that there never is.
    #[error("a cron expression that names a day that there is")]
    Never,
}

/// Whether a run is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is, and has been since then.
    Since(Timestamp),
    /// It will be then.
    At(Timestamp),
    /// There is no other time that the calendar can hold.
    Never,
}

impl Schedule {
    /// Reads a cron expression.
    ///
    /// # Errors
    /// [`NoSchedule`] where it is none, or never fires.
    pub fn new(cron: &str, zone: TimeZone) -> Result<Self, NoSchedule> {
        let parser = CronParser::builder().year(Year::Disallowed).build();
        let cron = parser.parse(cron).map_err(|_| NoSchedule::Malformed)?;
        let schedule = Self { cron, zone };
        // Without years it fires at any time or never.
        schedule.next_after(Timestamp::UNIX_EPOCH).ok_or(NoSchedule::Never)?;
        Ok(schedule)
    }

    /// Every day at four in the morning.
    pub fn daily(zone: TimeZone) -> Self {
        Self::new("0 4 * * *", zone).expect("our own expression fires")
    }

    /// The first time after another at which it fires.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        (0..STEPS_MAX).find_map(|step| {
            let from = at.checked_add(jiff::SignedDuration::from_secs(step.into())).ok()?.to_zoned(self.zone.clone());
            let next = self.cron.find_next_occurrence(&from, false).ok()?.timestamp();
            (next > at).then_some(next)
        })
    }

    /// The time zone that it goes by.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Since when to look for the next run, where the last one was due at a time: since now, where that lies further
    /// ahead than half a period, as the clock has been set back since, or was wrong then. Keep it: when that time comes,
    /// nobody can tell any more.
    pub fn since(&self, now: Timestamp, last: Timestamp) -> Timestamp {
        let period = self.next_after(last).map(|next| next.duration_since(last));
        if period.is_some_and(|period| last.duration_since(now) > period / 2) { now } else { last }
    }

    /// Whether a run is due now, where the last one was due at a time. However many were missed, one is due.
    pub fn due(&self, now: Timestamp, last: Timestamp) -> Due {
        match self.next_after(self.since(now, last)) {
            None => Due::Never,
            Some(next) if next <= now => Due::Since(next),
            Some(next) => Due::At(next),
        }
    }
}

#[cfg(test)]
mod tests;
