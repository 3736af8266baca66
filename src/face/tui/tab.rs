//! The tabs: each with its state, its commands and its view.

pub(crate) mod apply;
pub(crate) mod logs;
pub(crate) mod review;
pub(crate) mod runs;
