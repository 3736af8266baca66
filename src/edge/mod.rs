//! TOUCHES: one outside system per room, its wire structs private to it. Nothing here decides what should be written.

#![expect(clippy::disallowed_methods, reason = "clocks, the environment and files are what it touches")]

pub mod checkpoints;
pub mod clockify;
pub mod config;
pub mod diagnostics;
pub mod environment;
pub(crate) mod failpoint;
mod files;
pub mod holding;
pub mod http;
pub mod machine;
pub mod notify;
pub mod notion;
pub mod origin;
pub mod saved;
pub mod scrub;
pub mod secrets;
pub mod store;
pub mod stream;
pub mod supervisor;

#[cfg(test)]
mod stub;
