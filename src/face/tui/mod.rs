//! The review console, as Elm would have it: `update` changes the state, `view` reads it, `term` carries out what is outside.
//!
//! ```text
//! keys ──┐                                     ┌─ orders ─▸ worker (a thread of its own: state and services)
//! mouse ─┼─▸ Msg ─▸ update(&mut State) ─▸ Effect ─┤
//! news ──┘                │                    └─ surroundings (clock, clipboard, browser, shell)
//!                         └─▸ view(&State) ─▸ frame, and what was drawn where
//! ```

mod command;
mod film;
mod history;
mod keymap;
mod layout;
mod message;
mod overlay;
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
pub(super) use term::{can_show, open};
