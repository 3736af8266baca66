//! Whether somebody writes to a state, without looking again and again: the kernel tells, where it can.

#[cfg(target_os = "linux")]
use std::path::Path;
use std::time::Duration;

#[cfg(target_os = "linux")]
use tokio::net::unix::pipe::Receiver;

use super::Place;
#[cfg(feature = "postgres")]
use super::postgres::{self, Said};

/// How long after the first of many writes it is told, so that they are told together.
#[cfg(any(target_os = "linux", feature = "postgres"))]
const TOGETHER: Duration = Duration::from_millis(200);
/// How often to look although nobody was heard: a directory may be put in another place, a clock be set.
#[cfg(target_os = "linux")]
const LOOK_WHILE_QUIET: Duration = Duration::from_mins(1);
/// How often to look although a server tells: it may tell nobody, or be cut off.
#[cfg(feature = "postgres")]
const LOOK_WHILE_TOLD: Duration = Duration::from_secs(5);
/// How often to look where nobody tells.
const LOOK: Duration = Duration::from_secs(1);

/// Hears what is written in the directory of a state, by whatever program.
pub struct Stir {
    #[cfg(target_os = "linux")]
    heard: Option<Receiver>,
    /// Who tells of what is written on a server.
    #[cfg(feature = "postgres")]
    told: Option<tokio::sync::Mutex<Said>>,
}

impl Stir {
    /// Listens from now on. Needs a running runtime.
    #[cfg_attr(not(any(target_os = "linux", feature = "postgres")), expect(unused_variables, reason = "nobody tells"))]
    pub async fn listen(place: &Place) -> Self {
        #[cfg(target_os = "linux")]
        let heard = if let Place::Directory(directory) = place { inotify(directory).ok() } else { None };
        #[cfg(feature = "postgres")]
        let told = if let Place::Server(address) = place { postgres::connect::listen(address).await } else { None };
        Self {
            #[cfg(target_os = "linux")]
            heard,
            #[cfg(feature = "postgres")]
            told: told.map(tokio::sync::Mutex::new),
        }
    }

    /// How long to go without looking at the state, at most.
    pub fn look_within(&self) -> Duration {
        #[cfg(target_os = "linux")]
        if self.heard.is_some() {
            return LOOK_WHILE_QUIET;
        }
        #[cfg(feature = "postgres")]
        if self.told.is_some() {
            return LOOK_WHILE_TOLD;
        }
        LOOK
    }

    /// Ends when something was written since this last ended; never where nobody tells.
    pub async fn wait(&self) {
        #[cfg(feature = "postgres")]
        if let Some(told) = &self.told {
            let mut told = told.lock().await;
            if told.recv().await.is_none() {
                // The connection was cut: whoever waits looks for itself from now on.
                return std::future::pending().await;
            }
            tokio::time::sleep(TOGETHER).await;
            while told.try_recv().is_ok() {}
            return;
        }
        #[cfg(target_os = "linux")]
        if let Some(heard) = &self.heard
            && heard.readable().await.is_ok()
        {
            tokio::time::sleep(TOGETHER).await;
            // What it was is no matter, and more of it than fits is told again.
            let mut events = [0; 4096];
            while heard.try_read(&mut events).is_ok_and(|bytes| bytes > 0) {}
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(target_os = "linux")]
fn inotify(directory: &Path) -> std::io::Result<Receiver> {
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    let heard = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let written = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::ONLYDIR;
    add_watch(&heard, directory, written)?;
    // It is read as a pipe is.
    Receiver::from_file_unchecked(heard.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::store::Store;

    #[tokio::test(start_paused = true)]
    async fn what_is_written_is_heard_once_and_looking_is_not() {
        let directory = tempfile::TempDir::new().expect("a directory");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let place = Place::from(directory.path());
        let mut store = Store::open(&place, now).await.expect("opens");
        store.remember("key", &0).await.expect("writes");
        let stir = Stir::listen(&place).await;
        let is_heard = async || tokio::time::timeout(Duration::from_secs(5), stir.wait()).await.is_ok();

        assert_eq!(store.recall("key").await.expect("reads"), Some(0));
        assert!(!is_heard().await, "looking changes nothing");
        let mut write = async |value: i32| store.remember("key", &value).await.expect("writes");
        let writes = async {
            write(1).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            write(2).await;
        };
        let (is_first, ()) = tokio::join!(is_heard(), writes);
        assert_eq!((is_first, is_heard().await), (cfg!(target_os = "linux"), false), "together, and once");
    }
}
