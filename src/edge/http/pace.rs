//! Keeps within a service's request budget: no request leaves before there is room for it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A window is stretched by this share of itself, at most [`STRETCH_MAX`]: requests arrive in an order and at a
/// distance that we do not control, and the service counts arrivals.
const STRETCH_DIVISOR: u32 = 20;
const STRETCH_MAX: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

/// How many requests a service takes. Any pace is fine within a window: Notion's budget is for 60 s (Notion docs,
/// request limits); Clockify's is for one second on paid plans and for one hour on new free workspaces (Clockify help,
/// API limitations).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// In any one second.
    pub per_second: Option<u32>,
    /// In any minute.
    pub per_minute: Option<u32>,
    /// In any hour.
    pub per_hour: Option<u32>,
}

impl Budget {
    fn limits(self) -> Vec<Limit> {
        [(self.per_second, 1), (self.per_minute, 60), (self.per_hour, 3600)]
            .into_iter()
            .filter_map(|(count, seconds)| {
                let window = Duration::from_secs(seconds);
                let allows = count?;
                let count = usize::try_from(allows).unwrap_or(usize::MAX).max(1);
                let unit = match seconds {
                    1 => "second",
                    60 => "minute",
                    _ => "hour",
                };
                Some(Limit { count, window: window + (window / STRETCH_DIVISOR).min(STRETCH_MAX), unit })
            })
            .collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    count: usize,
    window: Duration,
    /// What the window is called.
    unit: &'static str,
}

/// Why a request may not be sent in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// How long until it may.
    pub(super) wait: Duration,
    /// True where the service asked for it; else the budget is spent.
    pub(super) asked: bool,
}

/// Hands out times to send at, first come first served.
#[derive(Debug)]
pub(super) struct Pacer {
    limits: Vec<Limit>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When requests were, or are going to be, sent; oldest first.
    slots: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

impl Pacer {
    /// A pacer that knows of requests made earlier, by their age.
    pub(super) fn new(budget: Budget, earlier: &[Duration]) -> Self {
        let now = Instant::now();
        let mut slots: Vec<Instant> = earlier.iter().filter_map(|&age| now.checked_sub(age)).collect();
        slots.sort_unstable();
        Self { limits: budget.limits(), state: Mutex::new(State { slots: slots.into(), paused_until: None }) }
    }

    /// Waits until a request may be sent, and counts it.
    ///
    /// # Errors
    /// How long the wait would be, and why, when it would last beyond `give_up`.
    pub(super) async fn admit(&self, give_up: Instant) -> Result<(), Held> {
        loop {
            let slot = self.reserve(give_up)?;
            tokio::time::sleep_until(slot).await;
            if self.still_stands(slot) {
                return Ok(());
            }
        }
    }

    /// Lets nothing through for a while; a longer pause that is already under way stays.
    pub(super) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        state.paused_until = Some(state.paused_until.map_or(until, |before| before.max(until)));
    }

    /// True where an hour is the window of one of the limits.
    pub(super) fn is_hourly(&self) -> bool {
        self.limits.iter().any(|limit| limit.window >= HOUR)
    }

    /// How long a request made now would wait.
    pub(super) fn wait(&self) -> Duration {
        let now = Instant::now();
        self.earliest(&self.lock(), now).saturating_duration_since(now)
    }

    /// How long a request made now would wait, and for which limit, as so many in some time; for none where the service
    /// asked for it.
    pub(super) fn outlook(&self) -> (Duration, Option<(usize, &'static str)>) {
        let now = Instant::now();
        let state = self.lock();
        let slot = self.earliest(&state, now);
        let asked = state.paused_until.is_some_and(|until| until > now && until >= slot);
        let binding = self.limits.iter().filter(|_| !asked).max_by_key(|limit| Self::room(limit, &state));
        (slot.saturating_duration_since(now), binding.map(|limit| (limit.count, limit.unit)))
    }

    /// When a limit has room again, where it has none.
    fn room(limit: &Limit, state: &State) -> Option<Instant> {
        let oldest_that_counts = state.slots.len().checked_sub(limit.count)?;
        Some(*state.slots.get(oldest_that_counts)? + limit.window)
    }

    /// How long the service has asked to be left alone from now on.
    pub(super) fn asked(&self) -> Duration {
        self.lock().paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn reserve(&self, give_up: Instant) -> Result<Instant, Held> {
        let now = Instant::now();
        let mut state = self.lock();
        let longest = self.limits.iter().map(|limit| limit.window).max().unwrap_or_default();
        while state.slots.front().is_some_and(|&slot| slot + longest <= now) {
            state.slots.pop_front();
        }
        let slot = self.earliest(&state, now);
        if slot > give_up {
            let asked = state.paused_until.is_some_and(|until| until > now && until >= slot);
            return Err(Held { wait: slot.saturating_duration_since(now), asked });
        }
        if !self.limits.is_empty() {
            state.slots.push_back(slot);
        }
        Ok(slot)
    }

    fn earliest(&self, state: &State, now: Instant) -> Instant {
        let room = self.limits.iter().filter_map(|limit| Self::room(limit, state));
        // Not before the last slot that was handed out, so that the log stays sorted.
        room.chain(state.paused_until).chain(state.slots.back().copied()).fold(now, Instant::max)
    }

    /// False when a pause began while the slot was waited for; the slot is then given back.
    fn still_stands(&self, slot: Instant) -> bool {
        let mut state = self.lock();
        let paused = state.paused_until.is_some_and(|until| until > Instant::now());
        if paused && let Ok(at) = state.slots.binary_search(&slot) {
            state.slots.remove(at);
        }
        !paused
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn far() -> Instant {
        Instant::now() + Duration::from_hours(24)
    }

    async fn send_times(pacer: &Pacer, count: usize) -> Vec<Duration> {
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..count {
            pacer.admit(far()).await.expect("patient");
            times.push(start.elapsed());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_budget_and_every_window_holds_all_of_it() {
        for (budget, count, window) in [
            (Budget { per_second: Some(50), ..Budget::default() }, 50, Duration::from_secs(1)),
            (Budget { per_minute: Some(180), ..Budget::default() }, 180, MINUTE),
            (Budget { per_hour: Some(30), ..Budget::default() }, 30, MINUTE * 60),
        ] {
            let times = send_times(&Pacer::new(budget, &[]), count * 3 + 1).await;

            for (first, after) in times.iter().zip(&times[count..]) {
                assert!(after.saturating_sub(*first) >= window, "{budget:?}");
            }
            assert_eq!(times[count - 1], Duration::ZERO, "a burst uses the whole budget: {budget:?}");
            assert!(times[count * 3] <= window.mul_f64(3.2), "{budget:?} took {:?}", times[count * 3]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn several_limits_hold_together() {
        let budget = Budget { per_second: Some(2), per_minute: None, per_hour: Some(5) };
        let times = send_times(&Pacer::new(budget, &[]), 6).await;
        assert!(times[2] >= Duration::from_secs(1) && times[4] >= Duration::from_secs(2));
        assert!(times[5] >= MINUTE * 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_patience_is_refused_and_costs_nothing() {
        let pacer = Pacer::new(Budget { per_hour: Some(1), ..Budget::default() }, &[MINUTE * 20]);
        let wait = pacer.admit(Instant::now() + MINUTE).await.expect_err("impatient");
        assert_eq!(wait, Held { wait: MINUTE * 40 + STRETCH_MAX, asked: false });
        assert_eq!(pacer.wait(), wait.wait);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_is_said() {
        let budget = Budget { per_second: Some(2), per_minute: Some(3), per_hour: None };
        let pacer = Pacer::new(budget, &[]);
        assert_eq!(pacer.outlook().0, Duration::ZERO);
        for _ in 0..2 {
            pacer.admit(far()).await.expect("room");
        }
        assert_eq!(pacer.outlook(), (Duration::from_millis(1050), Some((2, "second"))));
        pacer.admit(far()).await.expect("patient");
        assert_eq!(pacer.outlook(), (Duration::from_millis(59_950), Some((3, "minute"))));
        pacer.pause(MINUTE * 2);
        assert_eq!(pacer.outlook(), (MINUTE * 2, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_back_those_who_already_wait() {
        let pacer = Pacer::new(Budget { per_second: Some(1), ..Budget::default() }, &[]);
        pacer.admit(far()).await.expect("first");
        let start = Instant::now();
        let (waited, ()) = tokio::join!(pacer.admit(far()), async { pacer.pause(MINUTE) });
        waited.expect("patient");
        assert_eq!(start.elapsed(), MINUTE);
    }
}
