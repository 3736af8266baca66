//! The apply: how it goes on, and what came of it.

pub(crate) mod applying;
pub(crate) mod progress;
