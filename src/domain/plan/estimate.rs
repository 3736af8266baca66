//! What applying costs, in requests and time.

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
        let clockify = windows(clockify_calls, pace.clockify_per_second, 1)
            .max(pace.clockify_per_hour.map_or(0, |per| windows(clockify_calls, per, 3600)));
        let typical = (notion_calls.max(clockify_calls) as u64).div_ceil(WRITES_PER_SECOND);
        Self { notion_calls, clockify_calls, seconds: notion.max(clockify).max(typical) }
    }
}
