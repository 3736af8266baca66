//! Everything that needs more than one room: the real binary against the sandbox over HTTP, with a real state in a real
//! directory.

#![expect(clippy::disallowed_methods, reason = "tests may reach for whatever they need")]

mod architecture;
mod bad_input;
#[cfg(unix)]
mod beside;
#[cfg(unix)]
mod canary;
mod causes;
mod clockify;
mod codes;
mod command_line;
mod crash;
#[cfg(unix)]
mod damage;
mod decisions;
#[cfg(unix)]
mod doctor;
mod edited;
mod errors;
mod formats;
mod four_eyes;
#[cfg(unix)]
mod hostile;
mod hours;
#[cfg(unix)]
mod init;
mod logs;
mod main_job;
mod manual;
#[cfg(unix)]
mod meanwhile;
#[cfg(unix)]
mod notify;
mod notion;
mod outage;
#[cfg(unix)]
mod pages;
mod pending;
mod personal;
mod plain;
#[cfg(unix)]
mod plan_files;
mod possible;
#[cfg(all(unix, feature = "postgres"))]
mod postgres;
#[cfg(unix)]
mod profiles;
mod recovery;
mod refile;
mod rules;
#[cfg(unix)]
mod secrets;
#[cfg(unix)]
mod serve;
mod settled;
mod simulate;
mod support;
mod sync_status;
#[cfg(unix)]
mod tally;
#[cfg(unix)]
mod terminal;
mod together;
mod undo;
mod unknown;
#[cfg(target_os = "linux")]
mod unreachable;
mod untouched;
