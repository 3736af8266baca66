//! punchlist keeps Clockify true to Notion.
//!
//! THE MAP. A module may use those on its left; `sandbox` stands alone, and `face` may start it.
//!
//! ```text
//! domain  ←  edge  ←  engine  ←  face          sandbox
//! decides    touches  tells       meets         a world
//!                     the story
//! ```
//!
//! What always holds:
//!
//! - `domain` never does I/O, reads a clock or awaits. A diff is a function: same inputs, same plan, same order.
//! - Nothing is written that is not in an [`Approved`](domain::review::Approved). Nothing is ever deleted in Clockify.
//! - Every write has its intent on disk before it leaves. An unknown outcome is looked up, never retried blind.
//! - What an update rests on was read at most 5 seconds before it leaves; nobody's edit outside of what is written is
//!   lost.
//! - Unknown is never empty: what a service does not say opens, closes, creates, clears and agrees to nothing.
//! - Absence is concluded only from a [`Listing`](domain::model::Listing) that is complete, and a close only from
//!   positive evidence.
//! - A second run right after the first writes nothing.
//! - `sandbox` shares no type with `edge`, so that a mistake cannot hide in both.
//! - Secrets have no `Debug`, `Shown` or `Serialize`. Text from outside reaches a terminal or a log only as
//!   [`Shown`](domain::text::Shown).
//! - Every run comes in through [`engine::run`]. A face looks at the state, and never writes to it by itself.
//! - Every queue, page loop, body and retry has a limit.
//!
//! `tests/it/architecture.rs` holds the layers to this.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may reach for whatever they need"))]
#![cfg_attr(not(feature = "postgres"), allow(irrefutable_let_patterns, reason = "all states are in directories then"))]

#[cfg(not(any(unix, windows)))]
compile_error!("punchlist runs on Linux, macOS and other Unix systems, and on Windows: this target is none of these");

pub mod domain;
pub mod edge;
pub mod engine;
pub mod face;
pub mod sandbox;
