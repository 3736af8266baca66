//! What others do in the same state while somebody reviews: it is listened for, and told when it has changed.

use std::{pin::Pin, time::Duration};

use tokio::time::Instant;

use super::{Telling, tell};
use crate::{
    domain::review::Remembered,
    edge::store::{Place, Stir},
    engine::session::Session,
    face::tui::news::News,
};

/// How long to go at least between two looks, however much is written.
const LEAST: Duration = Duration::from_millis(500);
/// How often to look at the least where nobody tells what is written.
const QUIET: Duration = Duration::from_secs(5);

/// Listens to a state.
pub(super) struct Others {
    /// Ends when something was written. It goes on over what else is waited for: what was heard is not lost.
    heard: Pin<Box<dyn Future<Output = Stir>>>,
    /// How long to go without looking.
    within: Duration,
    looked: Instant,
    due: Instant,
    told: Vec<Remembered>,
}

impl Others {
    /// Listens from now on, and looks at once: something may have been written before.
    pub(super) async fn listen(place: &Place) -> Self {
        let stir = Stir::listen(place).await;
        let now = Instant::now();
        Self { within: stir.look_within().max(QUIET), heard: next(stir), looked: now, due: now, told: Vec::new() }
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

    /// Looks, and tells what has changed. Returns what people say by now; nothing where that cannot be found out, which
    /// is said by what needs it.
    pub(super) async fn look(&mut self, session: &Session<'_>, news: &Telling) -> Option<Vec<Remembered>> {
        self.looked = Instant::now();
        self.due = self.looked + self.within;
        let standing = session.remembered().await.ok()?;
        if standing != self.told {
            self.told.clone_from(&standing);
            tell(news, News::Others(standing.clone()));
        }
        Some(standing)
    }
}

fn next(stir: Stir) -> Pin<Box<dyn Future<Output = Stir>>> {
    Box::pin(async move {
        stir.wait().await;
        stir
    })
}
