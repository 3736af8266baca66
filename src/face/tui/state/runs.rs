//! The runs that the console lists.

use crate::{domain::journal::RunId, edge::store::RunRecord, engine::served::Seen};

/// The runs that are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Runs {
    pub(crate) all: Vec<RunRecord>,
    pub(crate) at: usize,
    /// The daemon of the state, where there is one.
    pub(crate) daemon: Option<Box<Seen>>,
    /// The run of this console.
    pub(crate) own: Option<RunId>,
}

impl Runs {
    /// The run under the cursor.
    pub(crate) fn current(&self) -> Option<&RunRecord> {
        self.all.get(self.at)
    }
}
