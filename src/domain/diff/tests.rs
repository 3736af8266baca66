//! The planner as tables: a world, the one thing that happens, the picture.

#![expect(
    clippy::needless_raw_string_hashes,
    clippy::format_push_string,
    clippy::format_collect,
    clippy::unicode_not_nfc,
    reason = "snapbox writes the pictures; a few strings in tests may be made twice"
)]

mod fields;
mod holds;
pub(crate) mod laws;
mod mapped;
mod narrow;
mod notices;
mod pairing;
mod possible;
mod rules;
mod table;
mod unknown;
pub(crate) mod world;
