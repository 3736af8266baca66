//! What is read of Clockify for a period, besides both sides themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use crate::domain::{
    model::{Kind, ObjectId, Registry, Running, Snapshots},
    text::Raw,
};

/// A kind of time that a summary is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slice {
    /// All of it.
    All,
    Billable,
    /// Not approved.
    Unapproved,
    /// Not marked as invoiced.
    Uninvoiced,
    /// All of it, each entry as the workspace rounds it.
    Rounded,
    /// What is billable, each entry as the workspace rounds it.
    RoundedBillable,
}

impl Slice {
    /// Those of every workspace: as many calls as a month costs.
    pub const EACH: [Self; 4] = [Self::All, Self::Billable, Self::Unapproved, Self::Uninvoiced];
    /// Those of a workspace that rounds in its reports, besides.
    pub const ROUNDED: [Self; 2] = [Self::Rounded, Self::RoundedBillable];
}

/// A row of a summary: the time on one task, or on a project or a client without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// The client, the project and the task, as far as there are any, each with what the report calls it.
    pub place: [(Option<ObjectId>, Raw); 3],
    pub seconds: u64,
}

/// A client, a project or a task, or the time under one that has no such thing below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Which of the three it is.
    pub kind: Kind,
    /// The client, the project and the task, as far as it has them.
    pub place: [Option<ObjectId>; 3],
}

impl Branch {
    /// The nearest thing that entries can be asked for by: itself, else what it stands below.
    pub fn asked_by(&self) -> Option<(Kind, ObjectId)> {
        let upward = Kind::ALL.into_iter().zip(self.place).take(self.kind as usize + 1).rev();
        upward.into_iter().find_map(|(kind, object)| Some((kind, object?)))
    }

    /// True for an entry at a place that it holds.
    pub fn holds(&self, place: [Option<ObjectId>; 3]) -> bool {
        let to = self.kind as usize + 1;
        self.place[..to] == place[..to]
    }
}

/// An entry that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// When it begins, by the clocks of the zone that was asked for.
    pub begins: DateTime,
    pub seconds: u64,
    pub is_billable: bool,
    /// Who has tracked it, as far as Clockify says so.
    pub who: Raw,
    /// What its tracker says of it.
    pub what: Raw,
    /// The client, the project and the task, as far as there are any.
    pub place: [Option<ObjectId>; 3],
    pub id: Option<ObjectId>,
    /// Whose it is.
    pub user: Option<ObjectId>,
    /// True where nobody may change it.
    pub is_locked: bool,
    /// True where it is approved, or waits for that.
    pub is_approved: bool,
}

/// What the workspace wants of every entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demands {
    pub project: bool,
    pub task: bool,
    /// How it counts each one in reports, where not to the second.
    pub rounding: Option<Rounding>,
}

/// How a workspace rounds each entry in reports; what is kept of the entry stays as it is. What it does not say is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounding {
    /// The step.
    pub minutes: Option<u32>,
    pub way: Option<RoundingWay>,
}

/// Where an entry goes that lies between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoundingWay {
    Up,
    Down,
    Nearest,
}

impl fmt::Display for Rounding {
    /// `up to 15 min`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Some(RoundingWay::Up) => "up to",
            Some(RoundingWay::Down) => "down to",
            Some(RoundingWay::Nearest) => "to the nearest",
            None => "to",
        };
        match self.minutes {
            Some(minutes) => write!(formatter, "{way} {minutes} min"),
            None => formatter.write_str("as the workspace does"),
        }
    }
}

/// What an object says of itself that no mapping asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The time that is planned in Clockify.
    pub estimate: Option<u64>,
    pub billable: Option<bool>,
}

/// What nobody can tell, since the plan or the rights of the key do not give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unavailable {
    /// Reports as a whole.
    Reports,
    /// What other people have tracked.
    Others,
    Approvals,
    Invoicing,
    Estimates,
    /// Timers that run.
    Timers,
    /// What reports make of entries, where the workspace rounds.
    Rounding,
}

impl Unavailable {
    /// What the format calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reports => "reports",
            Self::Others => "others",
            Self::Approvals => "approvals",
            Self::Invoicing => "invoicing",
            Self::Estimates => "estimates",
            Self::Timers => "timers",
            Self::Rounding => "rounding",
        }
    }

    /// The word in a sentence, with the reason.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reports => "reports: Clockify refuses them to this key or plan",
            Self::Others => "the time of others: the key is that of a plain member",
            Self::Approvals => "approvals: the plan does not have them, or the key may not see them",
            Self::Invoicing => "invoicing: the plan does not have it, or the key may not see it",
            Self::Estimates => "estimates: the plan does not have them",
            Self::Timers => "running timers: Clockify refuses them to this key",
            Self::Rounding => "rounded sums: the workspace rounds, and Clockify refuses them to this key or plan",
        }
    }
}

/// All that figures and findings rest on.
pub struct Read<'a> {
    /// Both sides.
    pub snapshots: &'a Snapshots,
    /// The links.
    pub registry: &'a Registry,
    /// The rows of each summary that was given.
    pub summaries: BTreeMap<Slice, Vec<Tracked>>,
    /// The timers that run.
    pub running: Vec<Running>,
    /// What objects say of themselves.
    pub facts: BTreeMap<ObjectId, Facts>,
    pub demands: Demands,
    pub unavailable: BTreeSet<Unavailable>,
    /// The time, by Clockify's clock.
    pub now: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_a_task_or_a_project_is_asked_for_by_what_it_stands_below() {
        let id = |text: &str| text.parse::<ObjectId>().ok();
        let [client, project, task] =
            ["64a9e10000000000000000b1", "64a9e10000000000000000c1", "64a9e10000000000000000d1"].map(id);
        let whole = [client, project, task];
        for (kind, place, asked_by, holds) in [
            (Kind::Client, [client, None, None], client.map(|id| (Kind::Client, id)), [true, true, false]),
            (Kind::Task, whole, task.map(|id| (Kind::Task, id)), [true, false, false]),
            (Kind::Task, [client, project, None], project.map(|id| (Kind::Project, id)), [false, true, false]),
            (Kind::Project, [client, None, None], client.map(|id| (Kind::Client, id)), [false, false, false]),
            (Kind::Client, [None; 3], None, [false, false, true]),
        ] {
            let branch = Branch { kind, place };
            assert_eq!(branch.asked_by(), asked_by, "{branch:?}");
            let held = [whole, [client, project, None], [None; 3]].map(|place| branch.holds(place));
            assert_eq!(held, holds, "{branch:?}");
        }
    }
}
