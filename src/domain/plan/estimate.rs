//! What applying costs, in requests and time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What applying some changes costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Requests to Notion.
    pub notion_calls: usize,
    /// Requests to Clockify.
    pub clockify_calls: usize,
    /// How long they take at the known limits, both services side by side.
    pub seconds: u64,
    /// What Clockify takes in an hour, where that is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hourly: Option<Hourly>,
}

/// A budget of so many requests an hour, and what is left to do within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hourly {
    pub per_hour: u32,
    /// Requests of the last hour, which count towards it.
    pub spent: u32,
    /// Requests that are left to be made.
    pub left: u32,
    /// When the last of them is made, where they take more than what is left of this hour; not later, as long as
    /// something runs whenever there is room again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// Requests to Clockify that each run makes before it writes.
pub const READING_CALLS: u32 = 2;

impl Hourly {
    /// How many whole hours pass before the last request leaves: none where what is left of this one is enough. Each
    /// run after that reads before it writes.
    pub fn hours(self) -> u64 {
        let Self { per_hour, spent, left, .. } = self;
        let later = left.saturating_sub(per_hour.saturating_sub(spent));
        u64::from(later.div_ceil(per_hour.saturating_sub(READING_CALLS).max(1)))
    }

    /// The same with the time at which it is done, seen from now.
    #[must_use]
    pub fn dated(self, now: Timestamp) -> Self {
        let hours = i64::try_from(self.hours()).ok().filter(|hours| *hours > 0);
        let until = hours.and_then(|hours| now.checked_add(SignedDuration::from_hours(hours)).ok());
        Self { done_at: until, ..self }
    }
}

/// Requests per service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    pub notion: u64,
    pub clockify: u64,
}

/// The known limits of both services, in requests per hour and per minute, for estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Notion's budget per minute.
    pub notion_per_minute: u32,
    /// Clockify's budget per second.
    pub clockify_per_second: u32,
    /// Clockify's budget per hour, where the plan has one.
    pub clockify_per_hour: Option<u32>,
    /// How much of it is spent.
    pub clockify_spent: u32,
}

/// Writes answered in a second while no limit is near, for estimates: as a service does that takes three quarters of a
/// second for each, and has few on their way.
const WRITES_PER_SECOND: u64 = 8;

/// Things that are read each by itself before they are written; more are listed where that costs less.
const READ_EACH_MAX: usize = 6;
/// Writes that leave within the seconds for which one listing may be built on, at [`WRITES_PER_SECOND`].
const WRITES_PER_LISTING: usize = 40;

impl Estimate {
    /// Requests that reading so many things of one kind again costs before they are written, where a listing of the
    /// kind takes some. What was just read costs nothing; this is what it costs after a while.
    pub fn readings(writes: usize, listing: usize, hourly: bool) -> usize {
        let listed = writes.div_ceil(WRITES_PER_LISTING) * listing.max(1);
        if writes <= READ_EACH_MAX && !hourly { writes } else { writes.min(listed) }
    }

    /// What this many requests cost at a pace. Budgets can be spent at once, so the first window is free.
    pub fn of(notion_calls: usize, clockify_calls: usize, pace: &Pace) -> Self {
        let windows =
            |calls: usize, per: u32, seconds: u64| (calls.saturating_sub(1) as u64 / u64::from(per.max(1))) * seconds;
        let notion = windows(notion_calls, pace.notion_per_minute, 60);
        let left = u32::try_from(clockify_calls).unwrap_or(u32::MAX);
        let spent = pace.clockify_spent;
        let hourly = pace.clockify_per_hour.map(|per_hour| Hourly { per_hour, spent, left, done_at: None });
        let clockify = windows(clockify_calls, pace.clockify_per_second, 1)
            .max(hourly.map_or(0, |hourly| hourly.hours().saturating_mul(3600)));
        let typical = (notion_calls.max(clockify_calls) as u64).div_ceil(WRITES_PER_SECOND);
        Self { notion_calls, clockify_calls, seconds: notion.max(clockify).max(typical), hourly }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_is_dated_by_what_is_left_of_each_hour() {
        let hourly = |left, spent| Hourly { per_hour: 30, spent, left, done_at: None };
        assert_eq!([(0, 0), (30, 0), (10, 20), (0, 99)].map(|(left, spent)| hourly(left, spent).hours()), [0; 4]);
        // Of each hour that comes, two requests read.
        assert_eq!([(11, 20), (38, 20), (39, 20)].map(|(left, spent)| hourly(left, spent).hours()), [1, 1, 2]);
        assert_eq!(hourly(412, 5).hours(), 14);
        assert_eq!(Hourly { per_hour: 1, spent: 0, left: 3, done_at: None }.hours(), 2, "it never stands still");
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(hourly(30, 0).dated(now).done_at, None);
        assert_eq!(hourly(31, 0).dated(now).done_at, Timestamp::from_second(3600).ok());
    }
}
