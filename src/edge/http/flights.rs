//! How many writes are on their way to a service at once: as many as keep its pace busy (pace × time to an answer), and
//! fewer when it turns requests away or gets slower from being asked more.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::pace::Budget;

/// On their way at once to any service, whatever its pace.
const FEWEST: usize = 6;
/// The most that are ever on their way: a run that is cut off looks so many up.
const MOST: usize = 48;
/// So that the pace is kept when an answer takes longer than usual.
const HEADROOM: f64 = 1.25;
/// An answer that takes so many times as long as the quickest ones waits in a queue of the service: more would only wait
/// longer.
const QUEUED_FROM: u32 = 4;
/// How slowly the quickest answers are forgotten: their time grows by this share with each that takes longer.
const FORGETS: u32 = 1024;
/// The share of the last answer in what is usual.
const RECENT: u32 = 8;

/// How many writes may be on their way to a service.
#[derive(Debug)]
pub(crate) struct Flights {
    /// Requests in a second, where there is a budget.
    pace: Option<f64>,
    heard: Mutex<Heard>,
}

/// What answers to writes have shown.
#[derive(Debug)]
struct Heard {
    /// How long answers take: usually, and at the quickest.
    times: Option<(Duration, Duration)>,
    /// The most that it takes at once, as far as it has turned any away.
    takes: f64,
    /// When that was halved last: what left before and is turned away as well says nothing new.
    halved: Option<Instant>,
}

impl Flights {
    /// Before anything was heard from a service with this budget.
    pub(crate) fn new(budget: Budget) -> Self {
        let paces = [(budget.per_second, 1.0), (budget.per_minute, 60.0), (budget.per_hour, 3600.0)];
        let paces = paces.into_iter().filter_map(|(count, seconds)| Some(f64::from(count?) / seconds));
        let heard = Heard { times: None, takes: MOST as f64, halved: None };
        Self { pace: paces.reduce(f64::min), heard: Mutex::new(heard) }
    }

    /// Notes how long a write took to be answered.
    pub(crate) fn answered(&self, took: Duration) {
        let mut heard = self.lock();
        heard.takes = (heard.takes + 1.0 / heard.takes).min(MOST as f64);
        heard.times = Some(heard.times.map_or((took, took), |(usual, quickest)| {
            let slower = quickest + quickest / FORGETS;
            ((usual * (RECENT - 1) + took) / RECENT, slower.min(took))
        }));
    }

    /// Notes that a request that left then was turned away since there were too many.
    pub(crate) fn turned_away(&self, left: Instant) {
        let mut heard = self.lock();
        if heard.halved.is_none_or(|halved| left > halved) {
            heard.takes = (heard.takes / 2.0).max(1.0);
            heard.halved = Some(Instant::now());
        }
    }

    /// How many may be on their way now.
    pub(crate) fn most(&self) -> usize {
        let heard = self.lock();
        let busy = self
            .pace
            .zip(heard.times)
            .map_or(0.0, |(pace, (usual, quickest))| pace * usual.min(quickest * QUEUED_FROM).as_secs_f64() * HEADROOM);
        let whole = |count: f64| (0..MOST).find(|&whole| whole as f64 >= count).unwrap_or(MOST);
        whole(busy).max(FEWEST).min(whole(heard.takes.floor()))
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flights() -> Flights {
        Flights::new(Budget { per_second: Some(50), ..Budget::default() })
    }

    fn after(flights: &Flights, times: usize, took: u64) -> usize {
        for _ in 0..times {
            flights.answered(Duration::from_millis(took));
        }
        flights.most()
    }

    #[test]
    fn the_pace_is_kept_busy_and_no_more() {
        assert_eq!(flights().most(), 6, "before anything was heard");
        assert_eq!(after(&flights(), 1, 300), 19, "50 a second for 0.3 s, and a quarter more");
        assert_eq!(after(&flights(), 20, 10), 6);
        assert_eq!(after(&flights(), 20, 5_000), 48);
        let slow = Flights::new(Budget { per_second: Some(50), per_hour: Some(30), ..Budget::default() });
        assert_eq!(after(&slow, 20, 5_000), 6, "the narrowest budget counts");
        assert_eq!(after(&Flights::new(Budget::default()), 20, 5_000), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_turned_away_sends_half_as_many_and_then_one_more_at_a_time() {
        let later = || tokio::time::advance(Duration::from_millis(1));
        let flights = flights();
        assert_eq!(after(&flights, 20, 5_000), 48);
        let left = Instant::now();
        later().await;
        for _ in 0..9 {
            flights.turned_away(left);
        }
        assert_eq!(flights.most(), 24, "nine that were on their way together are one refusal");
        assert!((25..=26).contains(&after(&flights, 30, 5_000)), "{}", flights.most());
        for _ in 0..10 {
            later().await;
            flights.turned_away(Instant::now());
        }
        assert_eq!(flights.most(), 1);
    }

    #[test]
    fn a_service_that_slows_down_is_not_asked_for_ever_more() {
        let flights = flights();
        assert_eq!(after(&flights, 20, 100), 7);
        assert_eq!(after(&flights, 10, 10_000), 26, "as if each took four times as long, however long it takes");
    }
}
