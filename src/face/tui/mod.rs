//! The review console, as Elm would have it: `update` changes the state, `view` reads it, `term` carries out what is
//! outside.
//!
//! ```text
//! keys ──┐                                     ┌─ orders ─▸ worker (a thread of its own: state and services)
//! mouse ─┼─▸ Msg ─▸ update(&mut State) ─▸ Effect ─┤
//! news ──┘                │                    └─ surroundings (clock, clipboard, browser, shell)
//!                         └─▸ view(&State) ─▸ frame, and what was drawn where
//! ```
//!
//! Each uses only what is before it: `command`, `keymap` and `message`; the `state`; what speaks of it, as `row`,
//! `hits`, `pieces`, `outside`, `effect` and `news` do; the `tab`s; the `overlay`s over them; then `update`, `view`,
//! `worker` and `history`; and `term`.

mod columns;
mod command;
mod effect;
mod film;
mod history;
mod hits;
mod keymap;
mod layout;
mod message;
mod news;
mod outside;
mod overlay;
mod own;
mod pieces;
mod row;
mod state;
mod stroke;
mod surroundings;
mod tab;
mod term;
mod theme;
mod update;
mod view;
mod worker;

#[cfg(test)]
mod tests;

pub use film::Film;
pub(super) use surroundings::can_show;
pub(super) use term::open;
