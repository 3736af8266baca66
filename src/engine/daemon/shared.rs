//! What the daemon and who sits at the same machine say to each other, through the state that they share.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{ending::End, reach::Extent},
    edge::store::{Store, is_served},
    engine::{failure::RunError, state::State},
};

/// Memory key: what the daemon has done, and is going to do.
pub(super) const SERVED: &str = "served";
/// Memory key: who wants the daemon to run now.
pub(super) const WISH: &str = "run now";

/// What the state keeps of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Served {
    /// When a scheduled run was last due, less the jitter.
    pub last_due: Option<Timestamp>,
    /// When the next one is.
    pub next: Option<Timestamp>,
    /// How far the runs go that were asked for and have not ended.
    pub owed: Extent,
    /// What has started the run that is under way.
    pub running: Option<String>,
    /// What has asked for the run that waits for its turn.
    pub waiting: Option<String>,
    /// When a run is made again that failed.
    pub retry: Option<Timestamp>,
    /// The last runs, the latest first.
    pub runs: Vec<ServedRun>,
}

/// A run of the daemon, as the state keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedRun {
    pub run: String,
    /// What started it.
    pub trigger: String,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub outcome: End,
}

/// Somebody who wants a run now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) by: String,
    pub(super) at: Timestamp,
}

/// The daemon of a state, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// False where it has ended, or was killed.
    pub is_alive: bool,
    pub served: Served,
    /// Changes that wait for a person.
    pub pending: usize,
}

impl State {
    /// The daemon of the state; nothing where there never was one.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub async fn daemon(&self, directory: &Path) -> Result<Option<Seen>, RunError> {
        let Some(served) = self.recall(SERVED).await? else { return Ok(None) };
        Ok(Some(Seen { is_alive: is_served(directory), served, pending: self.pending().await?.len() }))
    }
}

/// Asks the daemon of a state for a run at once, in somebody's name.
///
/// # Errors
/// Where the state cannot be used.
pub async fn ask_for_run(directory: &Path, by: &str, now: Timestamp) -> Result<(), RunError> {
    let mut store = Store::open(directory, now).await?;
    Ok(store.remember(WISH, &Wish { by: by.to_owned(), at: now }).await?)
}
