//! The state as it is handed out: everybody may look at it. What is kept in it goes through
//! [`Installation`](super::run::Installation) or a run, which log it.

use std::{ops::Deref, path::Path};

use jiff::Timestamp;

use super::failure::RunError;
use crate::{
    domain::model::Link,
    edge::store::{Place, Store},
};

/// The state of an installation, to look at.
pub struct State(pub(super) Store);

impl State {
    /// The state in a place, to look at and nothing else; an empty one where there is none yet. It takes no lock.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub async fn read_only(place: &Place) -> Result<Self, RunError> {
        Ok(Self(Store::open_read_only(place).await?))
    }

    /// Makes a state that knows some links already, e.g. one to try things on.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub async fn begin_with(directory: &Path, now: Timestamp, links: &[Link]) -> Result<(), RunError> {
        Ok(Store::open(&directory.into(), now).await?.save_links(now, links).await?)
    }
}

impl Deref for State {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.0
    }
}
