//! What others do in the same state while somebody reviews: it is listened for, and told when it has changed.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Clock, Telling, tell};
use crate::{
    domain::{model::PageId, plan::Plan, reservation::Reservation, review::Remembered},
    edge::store::{Place, Stir},
    engine::session::{Session, SessionError},
    face::tui::news::News,
};

/// How long to go at least between two looks, however much is written.
const LEAST: Duration = Duration::from_millis(500);
/// How often to look at the least where nobody tells what is written.
const QUIET: Duration = Duration::from_secs(5);

/// Listens to a state.
pub(super) struct Others<'a> {
    clock: Clock,
    news: &'a Telling,
    /// Ends when something was written. It goes on over what else is waited for: what was heard is not lost.
    heard: Pin<Box<dyn Future<Output = Stir>>>,
    /// How long to go without looking.
    within: Duration,
    looked: Instant,
    due: Instant,
    told: (Vec<Remembered>, Vec<Reservation>),
    /// The clients that this console is on, and until when.
    own: BTreeMap<PageId, Timestamp>,
}

impl<'a> Others<'a> {
    /// Listens from now on, and looks at once: something may have been written before.
    pub(super) async fn listen(place: &Place, clock: Clock, news: &'a Telling) -> Self {
        let stir = Stir::listen(place).await;
        let (within, now) = (stir.look_within().max(QUIET), Instant::now());
        let (told, own) = Default::default();
        Self { clock, news, heard: next(stir), within, looked: now, due: now, told, own }
    }

    /// Ends when it is time to look.
    pub(super) async fn wait(&mut self) {
        loop {
            tokio::select! {
                stir = &mut self.heard => {
                    self.heard = next(stir);
                    self.due = self.due.min(self.looked + LEAST);
                }
                () = tokio::time::sleep_until(self.due) => return,
            }
        }
    }

    fn begin_to_look(&mut self) {
        self.looked = Instant::now();
        self.due = self.looked + self.within;
    }

    /// Looks, and tells what has changed. Returns what people say by now; nothing where that cannot be found out, which
    /// is said by what needs it.
    pub(super) async fn look(&mut self, session: &Session<'_>) -> Option<Vec<Remembered>> {
        self.begin_to_look();
        let standing = session.remembered().await.ok()?;
        let reserved = session.reservations().await.ok()?;
        if (&standing, &reserved) != (&self.told.0, &self.told.1) {
            self.told = (standing.clone(), reserved.clone());
            let (own, others): (Vec<_>, Vec<_>) = reserved.into_iter().partition(|on| session.is_own(on));
            self.own = own.into_iter().map(|on| (on.client, on.until)).collect();
            let own = self.own.keys().copied().collect();
            tell(self.news, News::Others { remembered: standing.clone(), reserved: others, own });
        }
        Some(standing)
    }

    /// Tells others that this console is on a client, if it was long ago that they were told.
    pub(super) async fn be_on(
        &mut self,
        session: &mut Session<'_>,
        plan: &Plan,
        client: PageId,
    ) -> Result<(), SessionError> {
        let Some(place) = plan.places.get(&client) else { return Ok(()) };
        let now = (self.clock)();
        let fresh = Reservation::LASTS - Reservation::RENEWED_AFTER;
        if self.own.get(&client).is_none_or(|until| until.duration_since(now) < fresh) {
            self.own.insert(client, session.reserve(client, place.name.clone()).await?);
        }
        Ok(())
    }

    /// Tells others that this console is not on a client any more.
    pub(super) async fn leave(&mut self, session: &mut Session<'_>, client: PageId) -> Result<(), SessionError> {
        self.own.remove(&client);
        session.give_up(Some(client)).await
    }
}

fn next(stir: Stir) -> Pin<Box<dyn Future<Output = Stir>>> {
    Box::pin(async move {
        stir.wait().await;
        stir
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::store::Store;

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_soon_after_something_was_written_and_otherwise_seldom() {
        let directory = tempfile::TempDir::new().expect("a directory");
        let place = Place::from(directory.path());
        let mut store = Store::open(&place, Timestamp::UNIX_EPOCH).await.expect("opens");
        store.remember("key", &0).await.expect("writes");
        let (news, _told) = tokio::sync::mpsc::unbounded_channel();
        let mut others = Others::listen(&place, || Timestamp::UNIX_EPOCH, &news).await;
        let wait = async |others: &mut Others<'_>| {
            let begun = Instant::now();
            others.wait().await;
            others.begin_to_look();
            begun.elapsed()
        };
        assert!(wait(&mut others).await < LEAST, "at once");
        for _ in 0..3 {
            store.recall::<i32>("key").await.expect("reads");
            assert!(wait(&mut others).await >= QUIET, "nothing is written");
        }
        if cfg!(target_os = "linux") {
            for value in 1..3 {
                store.remember("key", &value).await.expect("writes");
                // Whoever else is waited for has it first, and nothing that was heard is lost.
                let given_up = tokio::time::timeout(Duration::from_millis(100), others.wait()).await;
                assert!(given_up.is_err(), "what is written together is told together");
                let waited = wait(&mut others).await;
                assert!(waited < Duration::from_secs(1), "{waited:?}");
            }
        }
    }
}
