//! The runs that the console lists.

use crate::{domain::journal::RunId, edge::store::RunRecord};

/// The runs that are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Runs {
    pub(crate) all: Vec<RunRecord>,
    pub(crate) at: usize,
    /// The run of this console.
    pub(crate) own: Option<RunId>,
}

impl Runs {
    /// The run under the cursor.
    pub(crate) fn current(&self) -> Option<&RunRecord> {
        self.all.get(self.at)
    }
}
