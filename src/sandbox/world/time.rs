//! What people set about tracked time: the account's zone, what the workspace wants of an entry, what is locked.

use jiff::{Timestamp, tz::TimeZone};

use super::{ClockifyId, TimeEntry, World};

/// Where the account is unless somebody says otherwise.
const ACCOUNT_ZONE: &str = "Europe/Berlin";

/// What is set about tracking time, in the workspace and in the account of the key's user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracking {
    account_zone: Option<String>,
    pub(crate) force_projects: bool,
    pub(crate) force_tasks: bool,
    /// Entries that start before are locked.
    locked_before: Option<Timestamp>,
    /// How reports round each entry, where they do: the step in minutes, and the way in Clockify's words.
    pub(crate) rounding: Option<(i64, String)>,
}

impl Tracking {
    /// The IANA name of the account's zone.
    pub(crate) fn zone_name(&self) -> &str {
        self.account_zone.as_deref().unwrap_or(ACCOUNT_ZONE)
    }

    /// The account's zone.
    pub(crate) fn zone(&self) -> TimeZone {
        TimeZone::get(self.zone_name()).unwrap_or(TimeZone::UTC)
    }

    /// What reports make of some seconds when they are asked to round.
    pub(crate) fn rounded(&self, seconds: i64) -> i64 {
        let Some((minutes, way)) = &self.rounding else { return seconds };
        let step = minutes * 60;
        let up = match way.as_str() {
            "Round up to" => step - 1,
            "Round to nearest" => step / 2,
            _ => 0,
        };
        (seconds + up) / step * step
    }

    /// True where nobody may change an entry any more.
    pub(crate) fn locks(&self, entry: &TimeEntry) -> bool {
        entry.approved || self.locked_before.is_some_and(|before| entry.start < before)
    }
}

impl World {
    /// The zone of the key's user, by its IANA name.
    pub fn set_account_zone(&mut self, zone: &str) {
        self.clockify.tracking.account_zone = Some(zone.to_owned());
    }

    /// Whether every entry has to have a project, and a task.
    pub fn force(&mut self, projects: bool, tasks: bool) {
        self.clockify.tracking.force_projects = projects;
        self.clockify.tracking.force_tasks = tasks;
    }

    /// Reports round each entry from now on, by a way of `Round up to`, `Round down to` or `Round to nearest`.
    pub fn round_reports(&mut self, way: &str, minutes: i64) {
        self.clockify.tracking.rounding = Some((minutes, way.to_owned()));
    }

    /// Nobody changes what was tracked before, from now on.
    pub fn lock_time_before(&mut self, before: Timestamp) {
        self.clockify.tracking.locked_before = Some(before);
    }

    /// Edits an entry.
    ///
    /// # Panics
    /// If there is no such entry.
    pub fn edit_entry(&mut self, id: ClockifyId, edit: impl FnOnce(&mut TimeEntry)) {
        self.tick();
        edit(self.clockify.entries.get_mut(id).expect("the world has this entry"));
    }
}
