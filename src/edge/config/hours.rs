//! The keys of `[hours]`: where the days are that time is billed by, and what counts as near.

use jiff::tz::TimeZone;

use super::reader::Reader;
use crate::domain::hours::{Policy, Zone};

/// What counts in hours, and where its days are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoursSettings {
    /// The billing zone, where one is set; see [`super::Settings::billing_zone`].
    pub zone: Option<Zone>,
    pub policy: Policy,
}

pub(super) fn hours(reader: &mut Reader<'_>) -> HoursSettings {
    let zone = reader.take("hours.timezone", |content| {
        content.text().and_then(zone_named).ok_or_else(|| "a time zone, e.g. \"Europe/Berlin\"".to_owned())
    });
    let near = reader.whole("hours.near_percent", 1..=100).and_then(|percent| u8::try_from(percent).ok());
    HoursSettings { zone, policy: near.map_or_else(Policy::default, |near_percent| Policy { near_percent }) }
}

/// The zone of an IANA name.
pub fn zone_named(name: &str) -> Option<Zone> {
    let rules = TimeZone::get(name).ok()?;
    Some(Zone { name: rules.iana_name()?.to_owned(), rules })
}

/// Where this machine is, as far as that has a name.
pub(super) fn here() -> Zone {
    let rules = TimeZone::system();
    match rules.iana_name().map(str::to_owned) {
        Some(name) => Zone { name, rules },
        None => Zone { name: "UTC".to_owned(), rules: TimeZone::UTC },
    }
}
