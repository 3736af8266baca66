//! What changes cost that are approved, or would be.

use std::collections::BTreeMap;

use super::{Act, Step, along, steps};
use crate::domain::{
    model::{Field, Kind, Service, Snapshots},
    plan::{Estimate, Pace},
    review::Approved,
    rules::Rules,
};

/// Tasks that went along with their projects and are shown by one listing.
const TASKS_PER_LISTING: usize = 100;

/// What applying them would cost.
pub fn estimate(approved: &Approved, snapshots: &Snapshots, rules: &Rules, pace: &Pace) -> Estimate {
    let steps = steps(approved, snapshots, rules);
    let along = along(&steps);
    let tasks: usize = along.values().map(Vec::len).sum();
    let count = |service| steps.iter().filter(|step| step.act.service() == Some(service)).count();
    let estimates =
        steps.iter().filter(|step| matches!(&step.act, Act::Update { fields, .. } if costs_two(step.kind, fields)));
    let reads = |service| readings(&steps, service, snapshots, pace);
    // What goes along costs nothing but the listings that show it.
    let clockify = count(Service::Clockify) - tasks + tasks.div_ceil(TASKS_PER_LISTING);
    let clockify = clockify + estimates.count() + reads(Service::Clockify);
    Estimate::of(count(Service::Notion) + reads(Service::Notion), clockify, pace)
}

/// What is read again before it is written.
fn readings(steps: &[Step], service: Service, snapshots: &Snapshots, pace: &Pace) -> usize {
    let hourly = service == Service::Clockify && pace.clockify_per_hour.is_some();
    let rests_on_reading = |step: &&Step| match &step.act {
        Act::Update { .. } | Act::Create { like: Some(_), .. } | Act::Refile(_) => service == Service::Clockify,
        Act::WriteBack { fields, .. } => {
            service == Service::Notion && fields.keys().any(|field| !field.is_sync_status())
        }
        Act::Create { .. } | Act::Adopt(_) | Act::Restore(_) | Act::Unlink(_) | Act::Accept => false,
    };
    let of_kind = |kind| {
        let writes = steps.iter().filter(|step| step.kind == kind).filter(rests_on_reading).count();
        let rows = if service == Service::Notion { snapshots.pages[kind].rows().len().div_ceil(100) } else { 1 };
        Estimate::readings(writes, rows, hourly)
    };
    Kind::ALL.into_iter().map(of_kind).sum()
}

/// A project's estimate has a request of its own.
fn costs_two<V>(kind: Kind, fields: &BTreeMap<Field, V>) -> bool {
    kind == Kind::Project && fields.contains_key(&Field::Estimate) && fields.len() > 1
}
