//! The state itself: who has the right to run.

use clap::Subcommand;

use super::{
    failure::{Code, RunError},
    print::say,
};
use crate::engine::run::Installation;

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
}

pub(super) async fn state(installation: &Installation, act: &Act) -> Result<(), RunError> {
    match act {
        Act::Lock => {
            let holder = installation.lock().await?;
            say(&holder.map_or_else(|| "Nobody holds the lock.\n".to_owned(), |holder| format!("{holder}\n")))
        }
        Act::Unlock { epoch } => {
            if installation.break_lock(*epoch).await? {
                return say("The lock is free. The next run takes up what was under way.\n");
            }
            let failure = RunError::new(Code::Error, format!("nobody holds the lock at epoch {epoch}"));
            Err(failure.hint("`punchlist state lock` says who holds it"))
        }
    }
}
