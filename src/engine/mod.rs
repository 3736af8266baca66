//! TELLS THE STORY: what happens in which order. It decides nothing and touches nothing itself.

pub mod apply;
pub mod failure;
mod fetch;
pub mod services;
pub mod session;
pub mod stop;
