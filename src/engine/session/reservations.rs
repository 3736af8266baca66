//! Who is on which client, while a run of theirs goes on.

use jiff::Timestamp;

use super::{Session, SessionError};
use crate::{
    domain::{model::PageId, reservation::Reservation, text::Raw},
    edge::machine,
};

impl Session<'_> {
    /// Who is on which client now.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn reservations(&self) -> Result<Vec<Reservation>, SessionError> {
        Ok(self.store.reservations((self.turn.clock)()).await?)
    }

    /// True for one of this process.
    pub fn is_own(&self, on: &Reservation) -> bool {
        (on.process, on.host.as_str()) == (std::process::id(), machine::host().as_str())
    }

    /// Says that whoever asked for this run is on a client, until they decide nothing below it for a while. Returns
    /// until when.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn reserve(&mut self, client: PageId, name: Raw) -> Result<Timestamp, SessionError> {
        let now = (self.turn.clock)();
        let until = now.saturating_add(Reservation::LASTS).unwrap_or(now);
        let (by, host, process) = (self.turn.by.clone(), machine::host(), std::process::id());
        self.store.reserve(&Reservation { client, name, by, host, process, until }, now).await?;
        Ok(until)
    }

    /// Says that they are not on a client any more, or on none at all.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn give_up(&mut self, client: Option<PageId>) -> Result<(), SessionError> {
        Ok(self.store.give_up(client, &machine::host(), std::process::id()).await?)
    }
}
