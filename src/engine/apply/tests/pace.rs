//! How fast an apply is where the services' budgets are the floor: time stands still but for what answers take.

use std::{cell::RefCell, collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::fake::Bench;
use crate::{
    domain::{diff::tests::world::World, rules::IdStrategy},
    edge::http::{Budget, Flights},
};

/// The way to a service: so many requests in any window, each answered after a while.
pub(super) struct Road {
    count: usize,
    window: Duration,
    takes: Duration,
    left: RefCell<VecDeque<Instant>>,
    flights: Flights,
}

impl Road {
    fn new(count: u32, window: Duration, takes: Duration) -> Self {
        let budget = if window == Duration::from_secs(1) {
            Budget { per_second: Some(count), ..Budget::default() }
        } else {
            Budget { per_minute: Some(count), ..Budget::default() }
        };
        let count = usize::try_from(count).expect("small");
        Self { count, window, takes, left: RefCell::default(), flights: Flights::new(budget) }
    }

    pub(super) async fn travel(&self) {
        let turn = {
            let mut left = self.left.borrow_mut();
            let first = left.len().checked_sub(self.count).map(|first| left[first] + self.window);
            let turn = first.unwrap_or_else(Instant::now).max(Instant::now());
            left.push_back(turn);
            turn
        };
        tokio::time::sleep_until(turn).await;
        tokio::time::sleep(self.takes).await;
        self.flights.answered(self.takes);
    }

    pub(super) fn most(&self) -> usize {
        self.flights.most()
    }
}

/// New tasks in projects that are there: nothing goes along with anything.
fn new_tasks(count: usize) -> World {
    let mut world = World::linked(&["Acme", "Acme/A", "Acme/B", "Acme/C"]);
    for number in 0..count {
        world.page(&format!("Acme/{}/{number}", ["A", "B", "C"][number % 3]));
    }
    world
}

/// Seconds that an apply takes.
fn seconds(world: &World, clockify: Road, notion: Road) -> f64 {
    let run = Bench { roads: Some([clockify, notion]), ..Bench::new(world) }.run();
    assert_eq!(run.world.changes(), "");
    run.took.as_secs_f64()
}

#[test]
fn creates_at_fifty_a_second_take_no_longer_than_that_though_each_takes_a_third_of_a_second() {
    let mut world = new_tasks(756);
    world.rules.id_strategy = IdStrategy::Local;
    let second = Duration::from_secs(1);
    let took = seconds(&world, Road::new(50, second, second * 3 / 10), Road::new(50, second, second));
    let floor = 756.0 / 50.0;
    assert!(took / floor <= 1.05, "{took} s, {} of the floor", took / floor);
}

#[test]
fn write_backs_at_six_hundred_a_minute_keep_up_with_creates_though_each_takes_a_second() {
    let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
    let took = seconds(&new_tasks(756), Road::new(50, second, second * 3 / 10), Road::new(600, minute, second));
    let floor = 756.0 / 10.0;
    assert!(took / floor <= 1.05, "{took} s, {} of the floor", took / floor);
}
