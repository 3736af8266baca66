//! Keeps within a service's request budget: no request leaves before there is room for it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::Method;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The service counts requests when they arrive. One is taken to arrive so much later than others do, unless its answer
/// shows that it was quicker.
const LATE_MAX: Duration = Duration::from_millis(50);
/// What no answer shows: that the quickest one was not as quick as can be.
const LATE_MIN: Duration = Duration::from_millis(2);
/// The quickest of fewer answers, since one was quicker than all before, shows nothing: the first ones of a connection
/// are slow, all of them.
const ANSWERS_MIN: usize = 20;
/// A window of a minute or an hour is longer by this: who counts in those may count by a clock of seconds.
const STRETCH: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
/// A pause longer than this is for the budget of an hour.
const PAUSE_OF_A_MINUTE_MAX: Duration = Duration::from_mins(2);
/// A refusal after fewer requests within the window says nothing about the budget.
const SHOWN_BY_MIN: usize = 20;

/// How many requests a service takes. Any pace is fine within a window: Notion's budget is for 60 s (Notion docs,
/// request limits); Clockify's is for one second on paid plans and for one hour on new free workspaces (Clockify help,
/// API limitations).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// In any one second.
    pub per_second: Option<u32>,
    /// In any minute.
    pub per_minute: Option<u32>,
    /// What it may turn out to take in any minute, where that is to be found out.
    pub most_per_minute: Option<u32>,
    /// In any hour.
    pub per_hour: Option<u32>,
}

/// Limits as a service has shown them, where they are other than they were taken to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// In any minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<usize>,
    /// In any hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<usize>,
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
                let most = self.most_per_minute.filter(|_| unit == "minute").map_or(count, |most| most as usize);
                Some(Limit {
                    count,
                    taken_for: count,
                    most: most.max(count),
                    shown: false,
                    window: stretched(window),
                    unit,
                })
            })
            .collect()
    }
}

fn stretched(window: Duration) -> Duration {
    if window < MINUTE { window } else { window + STRETCH }
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    count: usize,
    /// What it was taken to be, before the service has shown another one.
    taken_for: usize,
    /// What it may turn out to be; no more than it is once a larger one was refused.
    most: usize,
    /// True once a refusal has shown it.
    shown: bool,
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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    limits: Vec<Limit>,
    /// When requests of the last hour were refused, oldest first: they count among those that were sent.
    refused: VecDeque<Instant>,
    /// When a whole budget of a minute will have been used, if no refusal comes until then.
    used_up: Option<Instant>,
    /// When requests are taken to have arrived, or to arrive, at the latest; oldest first.
    slots: VecDeque<Instant>,
    /// The last slot that was handed out.
    last: Option<Instant>,
    /// The least time that a request has taken from its slot to its answer, and how many have been answered since.
    quickest: HashMap<Method, (Duration, usize)>,
    paused_until: Option<Instant>,
}

impl Pacer {
    /// A pacer that knows of requests made earlier, by their age, and of limits that were learned then.
    pub(super) fn new(budget: Budget, earlier: &[Duration], learned: Limits) -> Self {
        let now = Instant::now();
        let mut slots: Vec<Instant> = earlier.iter().filter_map(|&age| now.checked_sub(age)).collect();
        slots.sort_unstable();
        let mut limits = budget.limits();
        if let (Some(limit), Some(count)) = (of_minute(&mut limits), learned.per_minute) {
            limit.count = count.min(limit.most);
            if count <= limit.taken_for {
                (limit.most, limit.shown) = (limit.count, true);
            }
        }
        let mut state = State { limits, slots: slots.into(), ..State::default() };
        if let Some(count) = learned.per_hour {
            state.lower_hour(count);
        }
        Self { state: Mutex::new(state) }
    }

    /// Learns from a refusal (429) that asks for a pause, or from one that repeating has not ended: where fewer requests
    /// were taken within an hour than there was thought to be room for, that is what there is room for; and of a minute
    /// there is no more room than is documented.
    pub(super) fn refused(&self, pause: Duration, for_good: bool) {
        let now = Instant::now();
        let mut state = self.lock();
        state.used_up = None;
        if !for_good {
            state.refused.retain(|at| *at + HOUR > now);
            state.refused.push_back(now);
        }
        let has_minute = of_minute(&mut state.limits).is_some();
        // What is counted in seconds has room again by the time that it was asked for repeatedly.
        let window = if pause > PAUSE_OF_A_MINUTE_MAX || for_good && !has_minute { HOUR } else { MINUTE };
        let refused = state.refused.iter().filter(|at| **at + window > now).count();
        let made = state.made_within(window, now).saturating_sub(refused);
        if made < SHOWN_BY_MIN {
            return;
        }
        if window == HOUR {
            state.lower_hour(made);
        } else if let Some(limit) = of_minute(&mut state.limits).filter(|limit| limit.count > limit.taken_for) {
            // Less than it is documented to be is none: a refusal then is over with the pause that it asks for.
            limit.count = limit.taken_for;
            (limit.most, limit.shown) = (limit.count, true);
        }
    }

    /// The limits as far as they are other than they were taken to be.
    pub(super) fn learned(&self) -> Limits {
        let state = self.lock();
        let learned = |unit| {
            let limit = state.limits.iter().find(|limit| limit.unit == unit)?;
            (limit.shown || limit.count != limit.taken_for).then_some(limit.count)
        };
        Limits { per_minute: learned("minute"), per_hour: learned("hour") }
    }

    /// What there is room for in any minute, where that is limited.
    pub(super) fn per_minute(&self) -> Option<usize> {
        self.lock().limits.iter().find(|limit| limit.unit == "minute").map(|limit| limit.count)
    }

    /// How many requests were made within the last hour, and how many there is room for, where that is limited.
    pub(super) fn of_hour(&self) -> Option<(usize, usize)> {
        let state = self.lock();
        let limit = state.limits.iter().find(|limit| limit.unit == "hour")?;
        Some((state.made_within(limit.window, Instant::now()), limit.count))
    }

    /// How long until so many requests can be made one after the other, as far as the budget of an hour goes.
    pub(super) fn wait_for(&self, count: usize) -> Duration {
        let now = Instant::now();
        let state = self.lock();
        let hour = state.limits.iter().find(|limit| limit.unit == "hour");
        let room = hour.and_then(|limit| {
            let oldest = (state.slots.len() + count.clamp(1, limit.count)).checked_sub(limit.count + 1)?;
            Some(*state.slots.get(oldest)? + limit.window)
        });
        room.into_iter().fold(state.earliest(now), Instant::max).saturating_duration_since(now)
    }

    /// Waits until a request may be sent, and counts it. Tells its slot.
    ///
    /// # Errors
    /// How long the wait would be, and why, when it would last beyond `give_up`.
    pub(super) async fn admit(&self, give_up: Instant) -> Result<Instant, Held> {
        loop {
            let slot = self.reserve(give_up)?;
            tokio::time::sleep_until(slot).await;
            if self.still_stands(slot) {
                return Ok(slot);
            }
        }
    }

    /// Learns from an answer how late its request can have arrived: by no more than the answer took longer than the
    /// quickest one to the same method. Only windows of a second are so short that it matters.
    pub(super) fn answered(&self, slot: Instant, method: &Method) {
        let took = slot.elapsed();
        let mut state = self.lock();
        if state.limits.iter().all(|limit| limit.window >= MINUTE) {
            return;
        }
        let before = state.quickest.get(method).copied();
        let (quickest, answers) = match before {
            Some((quickest, answers)) if took + LATE_MIN >= quickest => (quickest.min(took), answers + 1),
            // Those before have been later than they seemed.
            _ => (took, 0),
        };
        state.quickest.insert(method.clone(), (quickest, answers));
        let late = took.saturating_sub(quickest) + LATE_MIN;
        if answers >= ANSWERS_MIN && late < LATE_MAX && state.take_back(slot) {
            let arrived = slot + late;
            let at = state.slots.partition_point(|other| *other <= arrived);
            state.slots.insert(at, arrived);
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
        self.lock().limits.iter().any(|limit| limit.window >= HOUR)
    }

    /// How long a request made now would wait.
    pub(super) fn wait(&self) -> Duration {
        let now = Instant::now();
        self.lock().earliest(now).saturating_duration_since(now)
    }

    /// How long a request made now would wait, and for which limit, as so many in some time; for none where the service
    /// asked for it.
    pub(super) fn outlook(&self) -> (Duration, Option<(usize, &'static str)>) {
        let now = Instant::now();
        let state = self.lock();
        let slot = state.earliest(now);
        let asked = state.paused_until.is_some_and(|until| until > now && until >= slot);
        let binding = state.limits.iter().filter(|_| !asked).max_by_key(|limit| state.room(limit));
        (slot.saturating_duration_since(now), binding.map(|limit| (limit.count, limit.unit)))
    }

    /// How long the service has asked to be left alone from now on.
    pub(super) fn asked(&self) -> Duration {
        self.lock().paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn reserve(&self, give_up: Instant) -> Result<Instant, Held> {
        let now = Instant::now();
        let mut state = self.lock();
        let longest = state.limits.iter().map(|limit| limit.window).max().unwrap_or_default();
        while state.slots.front().is_some_and(|&slot| slot + longest <= now) {
            state.slots.pop_front();
        }
        state.grow(now);
        let slot = state.earliest(now);
        if slot > give_up {
            let asked = state.paused_until.is_some_and(|until| until > now && until >= slot);
            return Err(Held { wait: slot.saturating_duration_since(now), asked });
        }
        if !state.limits.is_empty() {
            state.slots.push_back(slot + LATE_MAX);
            state.last = Some(slot);
        }
        Ok(slot)
    }

    /// False when a pause began while the slot was waited for; the slot is then given back.
    fn still_stands(&self, slot: Instant) -> bool {
        let mut state = self.lock();
        let paused = state.paused_until.is_some_and(|until| until > Instant::now());
        if paused {
            state.take_back(slot);
        }
        !paused
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When a limit has room again, where it has none.
    fn room(&self, limit: &Limit) -> Option<Instant> {
        let oldest_that_counts = self.slots.len().checked_sub(limit.count)?;
        Some(*self.slots.get(oldest_that_counts)? + limit.window)
    }

    fn earliest(&self, now: Instant) -> Instant {
        let room = self.limits.iter().filter_map(|limit| self.room(limit));
        // Not before the last slot that was handed out, so that they stay sorted.
        room.chain(self.paused_until).chain(self.last).fold(now, Instant::max)
    }

    /// Takes a request out that was handed this slot, and has not been heard of since; false if there is none.
    fn take_back(&mut self, slot: Instant) -> bool {
        let at = self.slots.binary_search(&(slot + LATE_MAX));
        at.is_ok_and(|at| self.slots.remove(at).is_some())
    }

    fn made_within(&self, window: Duration, now: Instant) -> usize {
        self.slots.iter().rev().take_while(|slot| **slot + window > now).count()
    }

    /// Takes the budget of an hour to be no more than this, whether or not there was thought to be one.
    fn lower_hour(&mut self, count: usize) {
        match self.limits.iter_mut().find(|limit| limit.unit == "hour") {
            Some(limit) => limit.count = limit.count.min(count),
            None => self.limits.push(Limit {
                count,
                taken_for: usize::MAX,
                most: count,
                shown: true,
                window: stretched(HOUR),
                unit: "hour",
            }),
        }
    }

    /// Takes a budget of a minute to be half as large again, once all of it was used and nothing was refused.
    fn grow(&mut self, now: Instant) {
        let Some(limit) = self.limits.iter().find(|limit| limit.unit == "minute").copied() else { return };
        if limit.count >= limit.most {
            return;
        }
        match self.used_up {
            Some(at) if at <= now => {
                self.used_up = None;
                if let Some(limit) = of_minute(&mut self.limits) {
                    limit.count = (limit.count + limit.count / 2).min(limit.most);
                }
            }
            Some(_) => {}
            None => self.used_up = self.room(&limit).filter(|room| *room > now),
        }
    }
}

fn of_minute(limits: &mut [Limit]) -> Option<&mut Limit> {
    limits.iter_mut().find(|limit| limit.unit == "minute")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let times = send_times(&Pacer::new(budget, &[], Limits::default()), count * 3 + 1).await;

            for (first, after) in times.iter().zip(&times[count..]) {
                assert!(after.saturating_sub(*first) >= window, "{budget:?}");
            }
            assert_eq!(times[count - 1], Duration::ZERO, "a burst uses the whole budget: {budget:?}");
            assert!(times[count * 3] <= window.mul_f64(3.2), "{budget:?} took {:?}", times[count * 3]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_answered_as_fast_as_ever_has_arrived_in_time_and_who_is_not_may_be_late() {
        let pacer = Pacer::new(Budget { per_second: Some(1), ..Budget::default() }, &[], Limits::default());
        let mut gaps = Vec::new();
        let mut before: Option<Instant> = None;
        let many = |took| vec![("POST", took); ANSWERS_MIN];
        let some = vec![("POST", 300), ("POST", 320), ("POST", 900), ("PUT", 700), ("POST", 290), ("POST", 290)];
        for (method, took) in [many(300), some, many(290), vec![("POST", 290)]].concat() {
            let slot = pacer.admit(far()).await.expect("patient");
            gaps.extend(before.map(|before| (slot - before).as_millis()));
            before = Some(slot);
            tokio::time::advance(Duration::from_millis(took)).await;
            pacer.answered(slot, &method.parse().expect("a method"));
        }
        let (few, rest) = gaps.split_at(ANSWERS_MIN);
        assert!(few.iter().all(|gap| *gap == 1050), "few answers show nothing: {few:?}");
        // 300 and 320, then one that is late, the first of its method, and one that is quicker than all before.
        let (known, rest) = rest.split_at(5);
        assert_eq!(known, [1002, 1022, 1050, 1050, 1050]);
        assert_eq!(rest.iter().filter(|gap| **gap == 1050).count(), ANSWERS_MIN - 1, "{rest:?}");
        assert_eq!(rest.last(), Some(&1002), "there are many again");
    }

    /// Milliseconds up to a limit, out of a seed.
    fn dice(seed: &mut u64, limit: u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % (limit + 1)
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_arrivals_than_there_is_room_for_however_late_requests_are() {
        const ROOM: usize = 50;
        for (run, late_max) in [0, 1, 10, 40, 45].into_iter().enumerate() {
            let budget = Budget { per_second: Some(50), ..Budget::default() };
            let pacer = Pacer::new(budget, &[], Limits::default());
            let (arrivals, under_way) = (Mutex::new(Vec::new()), tokio::sync::Semaphore::new(19));
            let begun = Instant::now();
            let send = |number: u64| {
                let (pacer, arrivals, under_way) = (&pacer, &arrivals, &under_way);
                async move {
                    let _turn = under_way.acquire().await.expect("open");
                    let mut seed = number * 977 + run as u64;
                    let slot = pacer.admit(far()).await.expect("patient");
                    tokio::time::sleep(Duration::from_millis(20 + dice(&mut seed, late_max))).await;
                    arrivals.lock().expect("no panic").push(Instant::now());
                    tokio::time::sleep(Duration::from_millis(280)).await;
                    pacer.answered(slot, &Method::POST);
                    assert!(pacer.lock().slots.iter().is_sorted());
                }
            };
            futures_util::future::join_all((0..1000).map(send)).await;
            let mut arrivals = arrivals.into_inner().expect("no panic");
            arrivals.sort_unstable();
            let crowded = arrivals.windows(ROOM + 1).find(|window| window[ROOM] - window[0] < Duration::from_secs(1));
            assert_eq!(crowded, None, "up to {late_max} ms late");
            let took = begun.elapsed().as_secs_f64() / 20.0;
            assert!(took < 1.03 + late_max as f64 / 1000.0, "{took} of what it takes at least, {late_max} ms late");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn several_limits_hold_together() {
        let budget = Budget { per_second: Some(2), per_hour: Some(5), ..Budget::default() };
        let times = send_times(&Pacer::new(budget, &[], Limits::default()), 6).await;
        assert!(times[2] >= Duration::from_secs(1) && times[4] >= Duration::from_secs(2));
        assert!(times[5] >= MINUTE * 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_patience_is_refused_and_costs_nothing() {
        let pacer = Pacer::new(Budget { per_hour: Some(1), ..Budget::default() }, &[MINUTE * 20], Limits::default());
        let wait = pacer.admit(Instant::now() + MINUTE).await.expect_err("impatient");
        assert_eq!(wait, Held { wait: MINUTE * 40 + STRETCH, asked: false });
        assert_eq!(pacer.wait(), wait.wait);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_is_said() {
        let budget = Budget { per_second: Some(2), per_minute: Some(3), ..Budget::default() };
        let pacer = Pacer::new(budget, &[], Limits::default());
        assert_eq!(pacer.outlook().0, Duration::ZERO);
        for _ in 0..2 {
            pacer.admit(far()).await.expect("room");
        }
        assert_eq!(pacer.outlook(), (Duration::from_millis(1050), Some((2, "second"))));
        pacer.admit(far()).await.expect("patient");
        assert_eq!(pacer.outlook(), (MINUTE, Some((3, "minute"))));
        pacer.pause(MINUTE * 2);
        assert_eq!(pacer.outlook(), (MINUTE * 2, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_back_those_who_already_wait() {
        let pacer = Pacer::new(Budget { per_second: Some(1), ..Budget::default() }, &[], Limits::default());
        pacer.admit(far()).await.expect("first");
        let start = Instant::now();
        let (waited, ()) = tokio::join!(pacer.admit(far()), async { pacer.pause(MINUTE) });
        waited.expect("patient");
        assert_eq!(start.elapsed(), MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_refusal_shows_the_budget() {
        let pacer = Pacer::new(Budget { per_hour: Some(60), ..Budget::default() }, &[], Limits::default());
        for _ in 0..31 {
            pacer.admit(far()).await.expect("room");
        }
        pacer.refused(Duration::from_secs(30), false);
        assert_eq!(pacer.learned(), Limits::default(), "a short pause is not for an hour");
        pacer.refused(MINUTE * 50, false);
        assert_eq!(pacer.learned(), Limits { per_minute: None, per_hour: Some(29) });
        assert_eq!(pacer.of_hour(), Some((31, 29)));
        let again = Pacer::new(Budget { per_hour: Some(60), ..Budget::default() }, &[], pacer.learned());
        assert_eq!(again.of_hour(), Some((0, 29)), "the next run knows it");
        let unlimited = Pacer::new(Budget { per_second: Some(50), ..Budget::default() }, &[], Limits::default());
        for _ in 0..31 {
            unlimited.admit(far()).await.expect("room");
        }
        unlimited.refused(Duration::from_secs(1), false);
        assert!(!unlimited.is_hourly(), "it may be the budget of a second");
        unlimited.refused(Duration::from_secs(1), true);
        assert!(unlimited.is_hourly(), "it has one that nobody knew of");
    }

    #[tokio::test(start_paused = true)]
    async fn a_larger_budget_is_found_out_and_given_up_again() {
        let budget = Budget { per_minute: Some(180), most_per_minute: Some(600), ..Budget::default() };
        let pacer = Pacer::new(budget, &[], Limits::default());
        let times = send_times(&pacer, 180).await;
        assert_eq!(times[179], Duration::ZERO);
        assert_eq!(pacer.per_minute(), Some(180), "that all of it was used is no reason yet");
        send_times(&pacer, 1).await;
        send_times(&pacer, 1).await;
        assert_eq!(pacer.per_minute(), Some(270), "a minute has passed without a refusal");
        pacer.refused(Duration::from_secs(20), false);
        assert_eq!(pacer.per_minute(), Some(270), "two requests within the minute show nothing");
        send_times(&pacer, 200).await;
        pacer.refused(Duration::from_secs(20), false);
        assert_eq!(pacer.per_minute(), Some(180));
        send_times(&pacer, 600).await;
        assert_eq!(pacer.per_minute(), Some(180), "it is not tried again");
        assert_eq!(pacer.learned(), Limits { per_minute: Some(180), per_hour: None });
        let again = Pacer::new(budget, &[], pacer.learned());
        send_times(&again, 600).await;
        assert_eq!(again.per_minute(), Some(180), "nor by the next run");

        let larger = Pacer::new(budget, &[], Limits::default());
        send_times(&larger, 4000).await;
        assert_eq!(larger.per_minute(), Some(600), "and no further");
        assert_eq!(larger.learned(), Limits { per_minute: Some(600), per_hour: None });
        assert_eq!(Pacer::new(budget, &[], larger.learned()).per_minute(), Some(600));
    }

    #[tokio::test(start_paused = true)]
    async fn room_for_several_is_waited_for() {
        let ages = [MINUTE * 50, MINUTE * 40, MINUTE * 30];
        let pacer = Pacer::new(Budget { per_hour: Some(4), ..Budget::default() }, &ages, Limits::default());
        let minutes = [1, 2, 3, 4, 9].map(|count| pacer.wait_for(count).as_secs() / 60);
        assert_eq!(minutes, [0, 10, 20, 30, 30]);
    }
}
