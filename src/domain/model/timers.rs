//! Timers that run, and what they run on.

use jiff::Timestamp;

use super::{Kind, Object, ObjectId, Snapshots};
use crate::domain::text::Shown;

/// A timer that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The ID of its entry.
    pub entry: String,
    pub project: Option<ObjectId>,
    pub task: Option<ObjectId>,
    pub start: Timestamp,
}

/// What Clockify says of the timers that run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timers {
    /// All that it shows to the key.
    Running(Vec<Running>),
    /// They could not be read: why.
    Unknown(Shown),
}

impl Snapshots {
    /// When the oldest timer was started that runs on something or below it.
    pub fn runs_since(&self, object: &Object) -> Option<Timestamp> {
        let Some(Timers::Running(running)) = &self.timers else { return None };
        let client = |project| self.objects.projects.get(project).and_then(|project| project.parent);
        let is_on = |timer: &&Running| match object.kind {
            Kind::Client => timer.project.and_then(client) == Some(object.id),
            Kind::Project => timer.project == Some(object.id),
            Kind::Task => timer.task == Some(object.id),
        };
        running.iter().filter(is_on).map(|timer| timer.start).min()
    }

    /// Seconds that were tracked on something and below it in all of its time, as far as its rows say so.
    pub fn tracked_on(&self, object: &Object) -> Option<u64> {
        if object.kind != Kind::Client || object.tracked_seconds.is_some() {
            return object.tracked_seconds;
        }
        let projects = self.objects.projects.rows().iter().filter(|project| project.parent == Some(object.id));
        projects.map(|project| project.tracked_seconds).sum()
    }
}
