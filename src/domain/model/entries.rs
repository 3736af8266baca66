//! Time entries, as far as it matters where they are filed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ObjectId;

/// Where time is filed: on a task of a project, or on the project alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Spot {
    pub project: Option<ObjectId>,
    pub task: Option<ObjectId>,
}

impl Spot {
    /// The client, project or task that time there is on.
    pub fn object(self) -> Option<ObjectId> {
        self.task.or(self.project)
    }
}

/// An entry that goes from one spot to another. Nothing else of it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Refiled {
    pub from: Spot,
    pub to: Spot,
    /// How long it is: what somebody has approved.
    pub seconds: u64,
}

/// Entries of one person that go elsewhere, by their IDs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Refiling {
    pub user: ObjectId,
    pub entries: BTreeMap<ObjectId, Refiled>,
}

impl Refiling {
    /// How much time goes elsewhere.
    pub fn seconds(&self) -> u64 {
        self.entries.values().map(|entry| entry.seconds).sum()
    }

    /// How many they are, in words.
    pub fn count(&self) -> String {
        match self.entries.len() {
            1 => "1 entry".to_owned(),
            entries => format!("{entries} entries"),
        }
    }

    /// What takes it back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let back = |(id, &Refiled { from, to, seconds }): (&ObjectId, &Refiled)| {
            (*id, Refiled { from: to, to: from, seconds })
        };
        Self { user: self.user, entries: self.entries.iter().map(back).collect() }
    }
}

/// An entry as Clockify shows it by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: ObjectId,
    pub user: ObjectId,
    pub at: Spot,
    pub begins: Timestamp,
    /// How long it is; nothing while its timer runs.
    pub seconds: Option<u64>,
    /// True where nobody may change it, or it is time off, which is no work on anything.
    pub is_locked: bool,
}
