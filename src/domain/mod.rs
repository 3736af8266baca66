//! DECIDES: pure functions of values. Nothing here does I/O, reads a clock, draws a random number or awaits.
//!
//! ```text
//! Snapshots ─ pair ─ Pairs ─ diff ─ Plan ─ review ─ Approved ─ (engine applies) ─ events ─ report
//! ```

pub mod audit;
mod dated;
pub mod diff;
pub mod entry;
pub mod explain;
pub mod implied;
pub mod journal;
pub mod model;
pub mod notify;
pub mod pair;
pub mod pending;
pub mod plan;
pub mod possible;
pub mod report;
pub mod review;
pub mod rules;
pub mod steps;
pub mod text;
pub mod told;
pub mod undo;
