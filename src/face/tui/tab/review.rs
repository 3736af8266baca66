//! The review: what is proposed, and what is decided about it.

pub(crate) mod decide;
pub(crate) mod detail;
pub(crate) mod difference;
pub(crate) mod matching;
pub(crate) mod moves;
pub(crate) mod outside;
pub(crate) mod reviewing;
pub(crate) mod rows;
pub(crate) mod tree;
