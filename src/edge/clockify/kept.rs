//! Objects as last read, for the bodies of PUTs.

use tokio::time::Instant;

use super::row::{self, ObjectRow};
use crate::domain::model::Kind;

/// An object as last read. There are as many as a workspace has, and few are ever written: so it is kept as JSON, which
/// takes a third of the memory, without its ID and what no write needs.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    kind: Kind,
    row: Box<[u8]>,
    /// When it was asked for; nothing where that is too long ago to be built on.
    pub(super) read: Option<Instant>,
}

impl Kept {
    pub(super) fn new(row: &ObjectRow, read: Option<Instant>) -> Self {
        let (kind, json) = match row {
            ObjectRow::Client(row) => (Kind::Client, serde_json::to_vec(row)),
            ObjectRow::Project(row) => (Kind::Project, serde_json::to_vec(row)),
            ObjectRow::Task(row) => (Kind::Task, serde_json::to_vec(row)),
        };
        // A row that came as JSON can be written as such.
        Self { kind, row: json.unwrap_or_default().into(), read }
    }

    /// The row.
    pub(super) fn row(&self) -> Option<ObjectRow> {
        row::row(self.kind, &self.row).ok()
    }
}
