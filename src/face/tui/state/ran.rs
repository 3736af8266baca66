//! What a program of the user's has said.

use crate::{domain::text::Shown, edge::config::OutputPlace};

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) name: String,
    pub(crate) output: OutputPlace,
    /// What it said, line by line.
    pub(crate) lines: Vec<Shown>,
    /// How it ended, where that is not well.
    pub(crate) failed: Option<Shown>,
}
