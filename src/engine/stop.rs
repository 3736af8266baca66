//! What asks a run to stop, and who asked.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use tokio::sync::Notify;

/// Whether somebody asked the run to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    /// The signal that asked, if one did: what it asks for is not only the work at hand.
    signal: Arc<AtomicU8>,
    wakers: Arc<Notify>,
}

impl Stop {
    /// Asks for a stop, as a signal would.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.wakers.notify_waiters();
    }

    /// Asks for a stop since the process got the signal of that number.
    pub fn ask_by(&self, signal: u8) {
        self.signal.store(signal, Ordering::Relaxed);
        self.ask();
    }

    /// Forgets that somebody asked, before something new begins; a signal is not forgotten.
    pub fn forget(&self) {
        self.asked.store(self.signalled().is_some(), Ordering::Relaxed);
    }

    /// The number of the signal that asked, if one did.
    pub fn signalled(&self) -> Option<u8> {
        Some(self.signal.load(Ordering::Relaxed)).filter(|&signal| signal > 0)
    }

    /// Ends when a signal asks.
    pub async fn signal(&self) {
        while self.signalled().is_none() {
            self.wakers.notified().await;
        }
    }

    /// True once somebody asked.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Ends when somebody asks.
    pub async fn wait(&self) {
        let signalled = self.wakers.notified();
        if !self.asked() {
            signalled.await;
        }
    }
}
