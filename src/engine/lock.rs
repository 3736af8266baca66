//! Who has the right to run, from outside any run.

use std::{fmt, time::Duration};

use super::{failure::RunError, run::Installation};
use crate::{
    domain::journal::What,
    edge::store::{self, Held, Holder, Place, Store},
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
