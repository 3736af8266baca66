//! Runs take turns: one at a time holds the lock of the state.

use std::time::Duration;

use jiff::Timestamp;

use super::{Progress, Session, SessionError, Watch};
use crate::{
    edge::store::{Doing, Holder, Store, StoreError},
    engine::stop::Stop,
};

/// How often it is looked whether another run has ended.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// What only reads while it holds the lock, and lets it go as soon as it has read: what writes waits for that, and does
/// not fail.
const READ_ONLY: [&str; 4] = ["plan", "explain", "hours", "month verify"];
/// What reads, lets the lock go, and takes it again to write.
const REVIEW: &str = "review";
/// How long it waits at the least.
const READING_PATIENCE: Duration = Duration::from_mins(2);

/// Who asks for runs, how long they wait for others, and who is told meanwhile.
pub(in crate::engine) struct Turn {
    /// What starts them, e.g. `review`.
    pub(in crate::engine) trigger: &'static str,
    /// The person.
    pub(in crate::engine) by: String,
    /// How long another run is waited for.
    pub(in crate::engine) patience: Duration,
    /// The time.
    pub(in crate::engine) clock: fn() -> Timestamp,
    /// Whether somebody asks to stop: no new write may start then.
    pub(in crate::engine) stop: Stop,
    /// Is told about progress.
    pub(in crate::engine) watch: Watch,
}

impl Turn {
    /// Takes the lock, and waits for it as long as asked to.
    pub(in crate::engine) async fn take(&self, store: &mut Store) -> Result<(), SessionError> {
        let begun = tokio::time::Instant::now();
        let mut is_said = false;
        loop {
            let (locked, patience) = match store.lock(Holder::here(&self.by, self.trigger, (self.clock)())).await {
                Err(locked) if begun.elapsed() < self.patience_with(&locked) => {
                    (locked.to_string(), self.patience_with(&locked))
                }
                taken => {
                    taken?;
                    if is_said {
                        (self.watch)(Progress::Awaits(false));
                    }
                    return Ok(());
                }
            };
            if !std::mem::replace(&mut is_said, true) {
                self.warn(format!("{locked}; waiting up to {} s for it", patience.as_secs()));
                (self.watch)(Progress::Awaits(true));
            }
            tokio::select! {
                () = tokio::time::sleep(LOCK_POLL) => {}
                () = self.stop.wait() => return Err(SessionError::Stopped("stopped while waiting for another run")),
            }
        }
    }

    /// How long the one is waited for that holds the lock; not at all where it is something else that went wrong.
    fn patience_with(&self, error: &StoreError) -> Duration {
        let StoreError::Locked { holder, .. } = error else { return Duration::ZERO };
        // A review lets the lock go once it has read, before anybody decides.
        let reads = |holder: &Holder| holder.trigger == REVIEW && holder.doing == Doing::Reading;
        let only_reads =
            holder.as_ref().is_some_and(|holder| READ_ONLY.contains(&holder.trigger.as_str()) || reads(holder));
        if only_reads && !READ_ONLY.contains(&self.trigger) {
            self.patience.max(READING_PATIENCE)
        } else {
            self.patience
        }
    }

    /// Tells that something went wrong beside the run.
    pub(in crate::engine) fn warn(&self, text: String) {
        (self.watch)(Progress::Warned(text.into()));
    }
}

impl Session<'_> {
    /// Lets the lock go while somebody thinks, so that others may run.
    ///
    /// # Errors
    /// [`SessionError::Store`]: they have to wait for it to run out.
    pub async fn let_others_run(&mut self) -> Result<(), SessionError> {
        Ok(self.store.release().await?)
    }

    /// Takes the lock again, and waits for it as long as was asked for.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where another run holds it; [`SessionError::Stopped`] where somebody does not want to
    /// wait any longer.
    pub async fn take_turn(&mut self) -> Result<(), SessionError> {
        self.turn.take(self.store).await
    }
}
