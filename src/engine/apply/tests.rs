//! Apply against both services in memory.

#![expect(
    clippy::needless_raw_string_hashes,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "snapbox writes the pictures; a few strings in tests may be made twice"
)]

mod along;
mod fake;
mod implied;
mod laws;
mod nothing;
mod pace;
mod reading;
mod resolver;
mod story;
mod together;
mod undo;
