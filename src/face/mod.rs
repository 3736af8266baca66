//! MEETS: the command line, what it prints, and what it connects. Nothing below it knows that there are people.

pub mod cli;
mod connect;
mod demo;
mod explain;
mod failure;
mod logs;
mod notify;
mod pending;
mod plain;
mod progress;
mod stop;
mod text;
pub mod tui;
mod unlink;
mod workplace;
