//! Whether a daemon serves a state: it holds a lock of the kernel's, which is let go when it ends, even by a kill.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

#[cfg(feature = "postgres")]
use super::{
    Address, Fault,
    postgres::{
        self, Postgres,
        lease::{self, Lease},
        open::Purpose,
    },
};
use super::{Holder, Place, StoreError, failed, lock::unlockable, unusable};
use crate::edge::files;
#[cfg(feature = "postgres")]
use crate::edge::holding::Holding;

/// The file whose lock it is.
pub(super) const PRESENCE: &str = "serving";
/// Who only looks whether a daemon is there holds the lock for a moment: so often is it tried again, and how soon.
const TRIES: usize = 50;
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// That a daemon serves a state, for as long as this lives.
pub struct Presence(Sign);

/// How others see it.
enum Sign {
    Lock {
        _file: File,
    },
    #[cfg(feature = "postgres")]
    Lease {
        lease: Box<Lease>,
        database: Box<Postgres>,
        place: Place,
    },
}

impl Presence {
    /// Begins to serve a state that there is.
    ///
    /// # Errors
    /// Where another daemon does, the disk gives no locks, or the server cannot be used.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a server alone is told of the holder"))]
    pub async fn begin(place: &Place, holder: &Holder) -> Result<Self, StoreError> {
        match place {
            Place::Directory(directory) => Self::in_directory(directory),
            #[cfg(feature = "postgres")]
            Place::Server(address) => Box::pin(Self::on_server(place, address, holder)).await,
        }
    }

    /// True where others do not see it any more: the server was away for longer than a lease lasts.
    pub fn is_lost(&self) -> bool {
        match &self.0 {
            Sign::Lock { .. } => false,
            #[cfg(feature = "postgres")]
            Sign::Lease { lease, .. } => !lease.is_held(),
        }
    }

    /// Ends it, for another to begin.
    ///
    /// # Errors
    /// Where the server cannot be used: another has to wait.
    pub async fn end(self) -> Result<(), StoreError> {
        match self.0 {
            Sign::Lock { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Sign::Lease { lease, database, place } => {
                lease.release(&database).await.map_err(|fault| fault.explained(&place))
            }
        }
    }

    /// Waits for as long as a lease lasts whose holder was killed: the service that starts this again is not to fail.
    #[cfg(feature = "postgres")]
    async fn on_server(place: &Place, address: &Address, holder: &Holder) -> Result<Self, StoreError> {
        let explained = |fault: Fault| fault.explained(place);
        let Some(database) = postgres::open::open(address, Purpose::Write).await? else {
            return Err(StoreError::bug(place, "it was made and is not there"));
        };
        let mut tries = lease::lasts().as_secs() + 1;
        loop {
            match Lease::take(&database, address, lease::SERVE, holder, &Holding::default()).await.map_err(explained)? {
                Ok(lease) => {
                    return Ok(Self(Sign::Lease {
                        lease: Box::new(lease),
                        database: Box::new(database),
                        place: place.clone(),
                    }));
                }
                Err(_) if tries > 0 => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(held) => {
                    let who = held.holder.map_or_else(String::new, |holder| format!(" ({holder})"));
                    let because = format!("another daemon serves it{who}");
                    return Err(unusable(
                        place.clone(),
                        because,
                        "end that one first, or give this one another schema",
                    ));
                }
            }
            tries -= 1;
        }
    }

    fn in_directory(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(PRESENCE);
        let opened = files::private_options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(failed(&path))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self(Sign::Lock { _file: file })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_AGAIN),
                Err(TryLockError::Error(error)) => return Err(unlockable(&path, &error)),
            }
        }
        Err(unusable(&path, "another daemon serves it", "end that one first, or give this one another --state-dir"))
    }
}

/// True while a daemon serves a state.
///
/// # Errors
/// Where the server cannot be used.
pub async fn is_served(place: &Place) -> Result<bool, StoreError> {
    match place {
        Place::Directory(directory) => {
            let file = File::open(directory.join(PRESENCE));
            Ok(file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))))
        }
        #[cfg(feature = "postgres")]
        Place::Server(address) => {
            let Some(database) = Box::pin(postgres::open::open(address, Purpose::Read)).await? else {
                return Ok(false);
            };
            let held = lease::held(&database, lease::SERVE).await.map_err(|fault| fault.explained(place))?;
            Ok(held.is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_daemon_serves_a_state_and_others_see_that_until_it_ends() {
        let directory = tempfile::TempDir::new().expect("a directory");
        let place = Place::from(directory.path());
        let is_served = async || is_served(&place).await.expect("looks");
        let holder = Holder::here("robot", "serve", jiff::Timestamp::UNIX_EPOCH);
        let begin = async || Presence::begin(&place, &holder).await;
        assert!(!is_served().await);
        let serving = begin().await.expect("nobody else does");
        assert!(is_served().await && is_served().await);
        assert!(begin().await.is_err_and(|error| error.to_string().contains("another daemon")));
        serving.end().await.expect("ends");
        assert!(!is_served().await);
        assert!(begin().await.is_ok());
    }
}
