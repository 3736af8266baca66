//! What others do in the same state meanwhile, as far as the review knows.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::domain::{
    model::PageId,
    plan::ChangeId,
    reservation::Reservation,
    review::{Remembered, Resolution},
};

/// What others do in the same state meanwhile.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Together {
    /// How many times decisions were handed over to be kept.
    handed: u64,
    /// Decisions that are not kept yet, and at which time they were handed over.
    on_its_way: HashMap<ChangeId, u64>,
    /// What others decided against what was decided here, until it is decided about again.
    pub(crate) dissents: HashMap<ChangeId, Dissent>,
    /// That others are on clients.
    pub(crate) reserved: Vec<Reservation>,
    /// The clients that this console is on.
    pub(crate) own: BTreeSet<PageId>,
    /// Clients below which somebody goes on to decide although others are there.
    pub(crate) gone_on: BTreeSet<PageId>,
}

/// Two people decided differently about one change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dissent {
    /// What was decided here.
    pub(crate) mine: Resolution,
    /// What stands; nothing where that was taken back or carried out.
    pub(crate) stands: Option<Remembered>,
}

impl Together {
    /// That others are on a client.
    pub(crate) fn on(&self, client: PageId, now: Timestamp) -> impl Iterator<Item = &Reservation> {
        self.reserved.iter().filter(move |on| on.client == client && on.holds(now))
    }

    /// Decisions about changes are handed over to be kept. Returns which time that is.
    pub(crate) fn hand_over(&mut self, changes: impl Iterator<Item = ChangeId>) -> u64 {
        self.handed += 1;
        for change in changes {
            self.dissents.remove(&change);
            self.on_its_way.insert(change, self.handed);
        }
        self.handed
    }

    /// What was handed over at a time and before has arrived.
    pub(crate) fn arrived(&mut self, number: u64) {
        self.on_its_way.retain(|_, handed| *handed > number);
    }

    /// Nobody is there who could keep it.
    pub(crate) fn forget_what_is_on_its_way(&mut self) {
        self.on_its_way.clear();
    }

    /// The changes about which decisions are not kept yet.
    pub(crate) fn on_its_way(&self) -> impl Iterator<Item = &ChangeId> {
        self.on_its_way.keys()
    }

    /// True while a decision about it is not kept yet.
    pub(crate) fn is_on_its_way(&self, change: &ChangeId) -> bool {
        self.on_its_way.contains_key(change)
    }
}
