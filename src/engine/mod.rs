//! TELLS THE STORY: what happens in which order. It decides nothing and touches nothing itself.
//!
//! [`run`] is the door; [`pending`], [`saved`] and [`state`] are what else is asked for there.

pub mod apply;
mod connect;
pub mod failure;
pub mod hours;
pub mod pending;
pub mod run;
pub mod saved;
pub mod services;
pub mod session;
pub mod state;
pub mod stop;
