//! Where the state is, who has the right to run there, and moving it elsewhere.

use std::{fmt, time::Duration};

#[cfg(feature = "postgres")]
use super::connect::address;
use super::{
    failure::{Code, RunError},
    run::Installation,
};
#[cfg(feature = "postgres")]
use crate::edge::secrets::SecretReference;
use crate::{
    domain::journal::What,
    edge::{
        checkpoints::Checkpoints,
        config::LogSettings,
        store::{self, Held, Holder, Place, Store, Transferred},
    },
};

/// A lock that somebody holds.
#[derive(Debug)]
pub struct HeldLock {
    /// Who, if that is known.
    pub holder: Option<Box<Holder>>,
    /// On a server: the how manieth this is to hold it, and for how much longer unless it is renewed.
    pub lease: Option<(i64, Duration)>,
}

impl fmt::Display for HeldLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => holder.fmt(formatter)?,
            None => formatter.write_str("somebody who did not say who it is")?,
        }
        if let Some((epoch, left)) = self.lease {
            write!(formatter, "; epoch {epoch}, for another {} s unless it is renewed", left.as_secs())?;
        }
        Ok(())
    }
}

impl Installation {
    /// Where the state is.
    pub fn place(&self) -> Place {
        #[cfg(feature = "postgres")]
        if let Some(server) = &self.server {
            return Place::Server(server.clone());
        }
        Place::Directory(self.directory.clone())
    }

    /// Moves the state to another place: a directory, the address of a database, or a reference to one. What is
    /// configured names the former place until somebody changes it, where every command says so.
    ///
    /// # Errors
    /// Where it is not moved; it is where it was then.
    pub async fn move_state(&self, to: &str) -> Result<(Place, Transferred), RunError> {
        let to = self.place_of(to).await?;
        let holder = Holder::here(&self.by, "state move", (self.clock)());
        let mut store = Store::open(&self.place(), holder.since).await?;
        store.lock(holder.clone()).await?;
        let moves = What::StateMoved { to: to.to_string(), from: self.place().to_string(), by: self.by.clone() };
        self.log_by_itself(&mut store, "state move", [moves], "told", &[]).await?;
        let moved = store.move_to(&to, holder).await?;
        if let Place::Directory(directory) = &to {
            // So that its log is vouched for from the beginning.
            let LogSettings { checkpoints, key, .. } = &self.settings.logs;
            let file = checkpoints.clone().unwrap_or_else(|| Checkpoints::beside(directory));
            let (n, head) = Store::open_read_only(&to).await?.log_head().await?;
            Checkpoints::of(directory, Some(file), key.clone()).keep(n, head, (self.clock)())?;
        }
        Ok((to, moved))
    }

    /// The place that somebody names.
    async fn place_of(&self, text: &str) -> Result<Place, RunError> {
        #[cfg(feature = "postgres")]
        if let Ok(reference) = SecretReference::parse(text, "--to", "--to") {
            return Ok(Place::Server(address(&reference, &self.environment).await?));
        }
        if text.contains("://") {
            let failure =
                RunError::new(Code::Usage, "an address on the command line is seen by everybody on this machine");
            return Err(failure.hint("name a reference to it: --to env:NAME or --to file:PATH"));
        }
        if text.trim().is_empty() {
            return Err(
                RunError::new(Code::Usage, "no place is named").hint("--to DIR, or --to env:NAME for a database")
            );
        }
        let directory = std::path::absolute(text).map_err(|error| RunError::new(Code::Usage, error))?;
        Ok(Place::Directory(directory))
    }

    /// Who has the right to run; nothing while nobody has.
    ///
    /// # Errors
    /// Where the state cannot be looked at.
    pub async fn lock(&self) -> Result<Option<HeldLock>, RunError> {
        match self.place() {
            Place::Directory(directory) => Ok(match store::inspect(&directory)?.lock {
                Held::By(holder) => Some(HeldLock { holder, lease: None }),
                Held::No | Held::Left(_) | Held::Never(_) => None,
            }),
            #[cfg(feature = "postgres")]
            place @ Place::Server(_) => {
                let leased = Store::open_read_only(&place).await?.leased().await?;
                Ok(leased.map(|leased| HeldLock { holder: leased.holder, lease: Some((leased.epoch, leased.left)) }))
            }
        }
    }

    /// Takes the right to run from whoever has it at an epoch; false where nobody has it at that one. In a directory the
    /// kernel has done so already when its holder ended.
    ///
    /// # Errors
    /// Where the state cannot be used.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a server alone counts epochs"))]
    pub async fn break_lock(&self, epoch: i64) -> Result<bool, RunError> {
        match self.place() {
            Place::Directory(_) => Ok(false),
            #[cfg(feature = "postgres")]
            place @ Place::Server(_) => {
                let mut store = Store::open(&place, (self.clock)()).await?;
                let held = store.leased().await?.filter(|leased| leased.epoch == epoch);
                let Some(held) = held else { return Ok(false) };
                let broken = store.break_off(epoch).await?;
                if broken {
                    let holder = held.holder.map(|holder| holder.to_string()).unwrap_or_default();
                    let what = What::LockBroken { epoch, holder, by: self.by.clone() };
                    self.log_by_itself(&mut store, "state unlock", [what], "told", &[]).await?;
                }
                Ok(broken)
            }
        }
    }
}
