//! Windows of reports and of lists of time entries. Their edges are wall clocks, which are read in a zone: one that
//! comes with an offset is that of UTC at that instant, and read again all the same (live probe, third party, August
//! 2026; the `OpenAPI` document agrees).

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde_json::Value;

use super::Refusal;

/// Days that one report may span on the Free plan (Clockify docs). How more is refused is not documented.
const FREE_DAYS_MAX: i32 = 31;

/// What lies between two wall clocks, both included.
pub(super) struct Window {
    pub(super) zone: TimeZone,
    start: DateTime,
    end: DateTime,
}

impl Window {
    /// The window of a report: read in the body's `timeZone`, or in the account's where there is none.
    pub(super) fn of_report(body: &Value, account: TimeZone) -> Result<Self, Refusal> {
        let zone = match body["timeZone"].as_str() {
            None => account,
            Some(name) => TimeZone::get(name).map_err(|_| invalid("timeZone"))?,
        };
        let edge = |key: &str| wall_clock(body[key].as_str().unwrap_or_default()).ok_or_else(|| invalid(key));
        let (start, end) = (edge("dateRangeStart")?, edge("dateRangeEnd")?);
        if end < start {
            return Err(invalid("dateRangeEnd"));
        }
        Ok(Self { zone, start, end })
    }

    /// Refuses what the Free plan does not show: more civil days than 31, a first moment of another one included.
    pub(super) fn fits_plan(&self, plan: &str) -> Result<(), Refusal> {
        let (start, end) = (self.start.date(), self.end.date());
        let days = start.until(end).map_or(i32::MAX, |span| span.get_days()) + 1;
        if plan == "FREE" && days > FREE_DAYS_MAX {
            return Err(Refusal::rule("Date range cannot be longer than 31 days on the Free plan"));
        }
        Ok(())
    }

    /// True for what begins in it. Whether what lasts beyond midnight belongs to its first day alone is not documented;
    /// it is believed.
    pub(super) fn holds(&self, start: Timestamp) -> bool {
        (self.start..=self.end).contains(&start.to_zoned(self.zone.clone()).datetime())
    }

    /// The day on which something begins.
    pub(super) fn day(&self, start: Timestamp) -> Date {
        start.to_zoned(self.zone.clone()).date()
    }
}

/// The wall clock that a text shows, in UTC where it carries an offset.
pub(super) fn wall_clock(text: &str) -> Option<DateTime> {
    let instant = text.parse::<Timestamp>().ok().map(|instant| instant.to_zoned(TimeZone::UTC).datetime());
    instant.or_else(|| text.parse().ok())
}

/// The instant at which clocks in a zone show that.
pub(super) fn read_in(zone: &TimeZone, text: &str) -> Option<Timestamp> {
    wall_clock(text)?.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

fn invalid(key: &str) -> Refusal {
    Refusal::rule(format!("You entered invalid value for field: [{key}]"))
}
