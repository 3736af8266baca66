//! The review console, as Elm would have it: `update` changes the state, `view` reads it, `term` carries out what is outside.
//!
//! ```text
//! keys ─┐                                    ┌─ orders ─▸ worker (a thread of its own: state and services)
//! news ─┴─▸ Msg ─▸ update(&mut State) ─▸ Effect ─┤
//!                     │                      └─ terminal
//!                     └─▸ view(&State) ─▸ frame
//! ```

mod keys;
mod layout;
mod state;
mod stroke;
mod term;
mod theme;
mod tree;
mod update;
mod view;
mod worker;

#[cfg(test)]
mod tests;

pub(super) use term::open;
