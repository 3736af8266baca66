//! TELLS THE STORY: what happens in which order. It decides nothing and touches nothing itself.
//!
//! [`run`] is the door; [`pending`], [`saved`], [`secrets`], [`set_up`] and [`state`] are what else is asked for there.

mod ages;
pub mod apply;
pub mod callers;
mod connect;
pub mod daemon;
pub mod failure;
pub mod hours;
pub mod pending;
pub mod place;
mod refile;
pub mod run;
pub mod saved;
pub mod secrets;
pub mod served;
pub mod services;
pub mod session;
pub mod set_up;
pub mod state;
pub mod stop;
mod stream;
