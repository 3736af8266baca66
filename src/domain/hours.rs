//! Tracked time against what is planned: figures, what is wrong with them, a month that is sealed.
//!
//! ```text
//! Period ─ summaries, both sides (read) ─ tree ─ Tree ─ findings ─ Findings ─ document: hours/1 ─ month: month/1
//! ```
//!
//! One rule decides which day an entry is of: the civil day, in the billing zone, on which it begins. An entry that
//! lasts beyond midnight is of its first day alone, as Clockify's reports are believed to have it. A timer that runs is
//! in no figure.

mod days;
pub mod document;
mod findings;
pub mod month;
mod pages;
mod read;
#[cfg(test)]
mod tests;
mod tree;

pub use days::{Period, Zone, month_name};
pub use findings::{Code, Finding, Policy, Severity, findings};
pub use pages::{LastDays, state_tracked};
pub use read::{Booking, Branch, Demands, Facts, Read, Rounding, RoundingWay, Slice, Tracked, Unavailable};
pub use tree::{Figures, Node, Tree};
