//! The state itself: who has the right to run, and where it is.

use clap::Subcommand;
use serde_json::json;

use super::{
    failure::{Code, RunError},
    print::{say, say_json, tell_done},
};
use crate::{
    edge::store::{Place, Transferred},
    engine::{place::HeldLock, run::Installation},
};

/// What is to be done with the state.
#[derive(Subcommand)]
pub(super) enum Act {
    /// Say who has the right to run, and until when
    Lock,
    /// Take the right to run from a process that is known to be dead, at once
    Unlock {
        /// Which, as `punchlist state lock` tells it: nobody who took it since loses it
        #[arg(long, value_name = "N")]
        epoch: i64,
    },
    /// Move the state to another place, and mark it as moved here
    ///
    /// From a directory to a database that several machines share, or back. Counts, the log from entry to entry and the
    /// links are compared before it is marked; nothing is deleted.
    Move {
        /// A directory, or a reference to the address of a database, e.g. env:STATE
        #[arg(long, value_name = "DIR|REFERENCE")]
        to: String,
    },
}

pub(super) async fn state(installation: &Installation, act: &Act, as_json: bool) -> Result<(), RunError> {
    match act {
        Act::Lock if as_json => {
            let lock = installation.lock().await?;
            let document = lock.map(|HeldLock { holder, lease }| {
                let (epoch, seconds_left) = lease.map(|(epoch, left)| (epoch, left.as_secs())).unzip();
                json!({ "holder": holder, "epoch": epoch, "seconds_left": seconds_left })
            });
            say_json(&json!({ "format": "punchlist/lock/1", "held": document }))
        }
        Act::Lock => {
            let holder = installation.lock().await?;
            say(&holder.map_or_else(|| "Nobody holds the lock.\n".to_owned(), |holder| format!("{holder}\n")))
        }
        Act::Move { to } => {
            let (place, Transferred { entries, links }) = installation.move_state(to).await?;
            let key = if matches!(place, Place::Directory(_)) { "state.dir" } else { "state.url" };
            let told = format!(
                "{entries} entries of the log and {links} links are in {place} now. Set {key} to it; here nothing runs any more.\n"
            );
            tell_done(&told, as_json)
        }
        Act::Unlock { epoch } => {
            if installation.break_lock(*epoch).await? {
                return tell_done("The lock is free. The next run takes up what was under way.\n", as_json);
            }
            let failure = RunError::new(Code::Error, format!("nobody holds the lock at epoch {epoch}"));
            Err(failure.hint("`punchlist state lock` says who holds it"))
        }
    }
}
