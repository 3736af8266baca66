//! Ctrl-C and SIGTERM: the first asks for a stop between writes, the second ends the program at once. Both can be recovered from.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

use super::failure::Code;

/// Whether somebody asked the run to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    asked: Arc<AtomicBool>,
    /// The one who asked was a signal, and what it asks for is not only the work at hand.
    signalled: Arc<AtomicBool>,
    told: Arc<Notify>,
}

impl Stop {
    /// Listens for signals from now on. Needs a running runtime.
    pub(super) fn listening() -> std::io::Result<Self> {
        let stop = Self::default();
        let mut signals = Signals::new()?;
        let listener = stop.clone();
        tokio::spawn(async move {
            signals.next().await;
            listener.signalled.store(true, Ordering::Relaxed);
            listener.ask();
            signals.next().await;
            std::process::exit(Code::Interrupted as i32);
        });
        Ok(stop)
    }

    /// Asks for a stop, as a signal would.
    pub(super) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.told.notify_waiters();
    }

    /// Forgets that somebody asked, before something new begins; a signal is not forgotten.
    pub(super) fn forget(&self) {
        self.asked.store(self.signalled.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Ends when a signal asks.
    pub(super) async fn signal(&self) {
        while !self.signalled.load(Ordering::Relaxed) {
            self.told.notified().await;
        }
    }

    /// True once somebody asked.
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Ends when somebody asks.
    pub(super) async fn wait(&self) {
        let told = self.told.notified();
        if !self.asked() {
            told.await;
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a handler the second request ends the program by itself.
        drop(tokio::signal::ctrl_c().await);
    }
}
