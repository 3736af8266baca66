//! MEETS: the command line, what it prints, and what it connects. Nothing below it knows that there are people.

mod cell;
pub mod cli;
mod demo;
mod doctor;
mod explain;
mod failure;
mod help;
mod hours;
mod init;
mod logs;
mod manual;
mod month;
mod pending;
mod plain;
mod print;
mod progress;
mod secrets;
mod serve;
mod setup;
mod state;
mod stop;
mod talk;
mod tell;
mod text;
pub mod tui;
mod typed;
mod unlink;
