//! What a service that does not answer costs: repeats go one at a time and come to an end, and when there is no hope
//! nothing more is sent.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Failure;

/// Repeats that may be in vain one after the other, whatever they repeat.
const REPEATS_MAX: u32 = 4;
/// Attempts that may be in vain one after the other before nothing more is sent.
const VAIN_MAX: u32 = 16;
/// How long a service may keep silent, whatever is asked, before nothing more is sent.
const SILENCE_MAX: Duration = Duration::from_secs(18);
/// Bytes that a service may send in one run, unpacked: several times a million rows.
const BYTES_MAX: u64 = 4 << 30;

/// How a service has answered since the run began.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    state: Mutex<State>,
    /// Held by whoever repeats a request: the others wait and see.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Attempts in a row that were in vain.
    vain: u32,
    /// Repeats among them.
    repeats: u32,
    /// Since when nothing that was asked has been answered.
    silent_since: Option<Instant>,
    bytes: u64,
    /// True where one request is to show whether the service answers again.
    probing: bool,
    /// Why nothing more is sent.
    over: Option<Failure>,
}

impl Trouble {
    /// Begins anew: what went wrong before is forgotten.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        *state = State { probing: state.probing, ..State::default() };
    }

    /// Lets the first request go alone: an earlier run was asked to wait.
    pub(super) fn probe(&self) {
        self.lock().probing = true;
    }

    /// True while nobody knows whether the service answers again.
    pub(super) fn is_probing(&self) -> bool {
        self.lock().probing
    }

    /// Why nothing more is sent, once there is no hope.
    pub(super) fn over(&self) -> Option<Failure> {
        self.lock().over.clone()
    }

    /// Notes that nothing more is to be sent; the first reason stays.
    pub(super) fn end(&self, because: &Failure) {
        self.lock().over.get_or_insert_with(|| because.clone());
    }

    /// Notes a proper answer, be it a refusal.
    pub(super) fn answered(&self) {
        let mut state = self.lock();
        (state.vain, state.repeats, state.silent_since, state.probing) = (0, 0, None, false);
    }

    /// Notes an attempt in vain that began then; `in_silence` where time ran out.
    pub(super) fn in_vain(&self, began: Instant, is_repeat: bool, in_silence: bool, because: &str) {
        let mut state = self.lock();
        state.vain += 1;
        state.repeats += u32::from(is_repeat);
        if in_silence {
            let since = *state.silent_since.get_or_insert(began);
            if since.elapsed() >= SILENCE_MAX {
                let error = format!("{because}; nothing more is asked in this run");
                state.over.get_or_insert(Failure::NotSent { error: error.into() });
            }
        }
        if state.vain >= VAIN_MAX {
            let error =
                format!("{because}; {VAIN_MAX} attempts in a row were in vain, and nothing more is asked in this run");
            state.over.get_or_insert(Failure::NotSent { error: error.into() });
        }
    }

    /// Counts bytes of answers. False when there are more than any run can need.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_add(bytes as u64);
        state.bytes <= BYTES_MAX
    }

    /// Repeats in a row that were in vain so far; nothing when there were too many to go on.
    pub(super) fn repeats(&self) -> Option<u32> {
        Some(self.lock().repeats).filter(|repeats| *repeats < REPEATS_MAX)
    }

    /// Waits for the turn to repeat a request; nothing when it does not come in time.
    pub(super) async fn turn(&self, give_up: Instant) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        tokio::time::timeout_at(give_up, self.turn.lock()).await.ok()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The proxy that services are reached through. Until it has let one request through, they go one at a time, and when
/// it asks who we are, nothing more is sent through it: accounts are locked by repeated refusals.
#[derive(Debug)]
pub struct Proxy {
    /// The variable that names it.
    variable: String,
    first: tokio::sync::Mutex<()>,
    standing: Mutex<Standing>,
}

#[derive(Clone, Debug, Default)]
enum Standing {
    #[default]
    Untried,
    LetsThrough,
    Refused(Failure),
}

impl Proxy {
    /// The proxy that the environment names for https, as a client takes it from there.
    pub fn of_environment(value: impl Fn(&str) -> Option<String>) -> Option<Arc<Self>> {
        let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        let variable = names.into_iter().find(|name| value(name).is_some_and(|value| !value.trim().is_empty()))?;
        Some(Arc::new(Self {
            variable: variable.to_owned(),
            first: tokio::sync::Mutex::default(),
            standing: Mutex::default(),
        }))
    }

    /// The variable that names it.
    pub(super) fn variable(&self) -> &str {
        &self.variable
    }

    /// Waits for the turn to try it, as long as nobody knows whether it lets anything through.
    ///
    /// # Errors
    /// The refusal, once there was one.
    pub(in crate::edge) async fn turn(&self) -> Result<Option<tokio::sync::MutexGuard<'_, ()>>, Failure> {
        match self.standing() {
            Standing::LetsThrough => return Ok(None),
            Standing::Refused(failure) => return Err(failure),
            Standing::Untried => {}
        }
        let turn = self.first.lock().await;
        match self.standing() {
            Standing::LetsThrough => Ok(None),
            Standing::Refused(failure) => Err(failure),
            Standing::Untried => Ok(Some(turn)),
        }
    }

    /// Notes that a request came through.
    pub(super) fn lets_through(&self) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing::LetsThrough;
    }

    /// Notes that it wants to know who we are.
    pub(super) fn refused(&self, failure: &Failure) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing::Refused(failure.clone());
    }

    /// Tries it anew in another run.
    pub(super) fn forget(&self) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing::Untried;
    }

    fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
