//! What callers were promised with the answer that they got: it is kept in the state before they get it, so that no
//! kill between the answer and the run loses it.
//!
//! The thread that answers keeps it by itself, however busy the one that runs is; that one takes it over with all that
//! is owed. Of many calls, only one that promises more than was promised before it costs a write.

use tokio::sync::MutexGuard;

use super::Hub;
use crate::{
    domain::reach::Extent,
    engine::{failure::RunError, run::Installation, state::State},
};

/// Memory key: how far the runs go that callers were promised, besides what the daemon has noted as owed.
pub(super) const PROMISED: &str = "promised";

/// What the state holds under [`PROMISED`].
#[derive(Default)]
pub(super) struct Promised {
    pub(super) extent: Extent,
    /// Where it is kept; opening it takes longer than keeping something in it.
    state: Option<State>,
}

impl Hub {
    /// Keeps in the state that a run is owed that goes as far as that, unless that stands there. It was asked for
    /// before.
    ///
    /// # Errors
    /// Where it cannot be kept: the run follows all the same, unless the daemon is killed before.
    pub async fn promise(&self, extent: &Extent, installation: &Installation) -> Result<(), RunError> {
        let mut promised = self.promised.clone().lock_owned().await;
        if promised.extent.covers(extent) {
            return Ok(());
        }
        let (extent, installation) = (promised.extent.clone().join(extent), installation.clone());
        let runtime = tokio::runtime::Handle::current();
        // A disk that takes its time keeps nobody waiting who is promised nothing.
        let keeping = tokio::task::spawn_blocking(move || {
            runtime.block_on(async {
                let mut state = match promised.state.take() {
                    Some(state) => state,
                    None => installation.open_state().await?,
                };
                state.0.remember(PROMISED, &extent).await?;
                (promised.extent, promised.state) = (extent, Some(state));
                Ok(())
            })
        });
        keeping.await.map_err(|_| std::io::Error::other("what was promised was not kept"))?
    }

    /// Nothing is promised while this is held: what was asked for before can be noted as owed.
    pub(super) async fn promised(&self) -> MutexGuard<'_, Promised> {
        self.promised.lock().await
    }
}
