//! How long an apply takes beside what the services' limits make of it: the number of calls to the service that takes
//! longest, over its rate. That leaves out what no rate is behind: that reading takes one answer after the other before
//! the first write, that the last answer is waited for, and that a whole budget may be spent at once to begin with.

use std::time::Duration;

use punchlist::sandbox::{Knobs, Service};

use super::{agency, office::Office, say};

/// New tasks, each of them created by itself.
const TASKS: usize = 756;

pub fn measure() {
    let second = Duration::from_secs(1);
    let clockify = Knobs { clockify_per_second: Some(50), latency: second * 3 / 10, ..Knobs::default() };
    let alone = "mapping.id_strategy = \"local\"\n";
    wall_over_floor("50 a second, 0.3 s an answer", clockify, alone, (Service::Clockify, 50.0));
    let notion =
        Knobs { notion_per_minute: Some(600), clockify_per_second: Some(50), latency: second, ..Knobs::default() };
    let wide = "notion.requests_per_minute = 600\n";
    wall_over_floor("600 a minute, 1 s an answer", notion, wide, (Service::Notion, 10.0));
}

/// How long the run and its writes take, over the least that they can at so many calls a second.
fn wall_over_floor(limit: &str, knobs: Knobs, more: &str, (service, rate): (Service, f64)) {
    let mut world = agency::new_tasks(TASKS);
    world.use_real_time();
    let office = Office::with(world, knobs, more);
    let run = office.run(&[]);
    let calls = office.sandbox.calls().into_iter().filter(|call| call.service == service);
    let (writes, reads): (Vec<_>, Vec<_>) = calls.partition(|call| call.mutation);
    let refused = writes.iter().chain(&reads).filter(|call| call.status == 429).count();
    let of = |took: Duration, calls: usize| {
        let floor = calls as f64 / rate;
        format!("{:.1} s of {floor:.1}, x {:.2}", took.as_secs_f64(), took.as_secs_f64() / floor)
    };
    let what = format!("{TASKS} creates, {service:?} at {limit}");
    let whole = of(run.took, writes.len() + reads.len());
    say(&format!("{what}: run"), format!("{whole} ({refused} refused)"), "");
    say("    its writes, to the last answer", of(office.writing(), writes.len()), "x 1.05");
}
