//! The first run of a workspace whose plan takes thirty calls an hour, in runs of an hour each.
//!
//! The runs are made in this process, since their clock is ours: an hour passes for both sides when we say so. The
//! budget of each hour is kept by the program, from its log, and enforced by the sandbox, which refuses the thirty-first.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use punchlist::{
    domain::{code::Code, reach::Reach, report::Report},
    edge::{config::Loader, environment::Environment},
    engine::{
        run::{Installation, Unattended},
        stop::Stop,
    },
    sandbox::{Knobs, Service},
};

use super::{agency, office::Office, say};

const PER_HOUR: u32 = 30;
/// In which both sides are to agree.
const RUNS_MAX: usize = 5;

/// Hours that have passed.
static HOURS: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(HOURS.load(Ordering::Relaxed))
}

pub fn measure() {
    let knobs = Knobs { clockify_per_hour: Some(PER_HOUR), ..Knobs::default() };
    let budget = format!("notion.requests_per_minute = 100000\nclockify.requests_per_hour = {PER_HOUR}\n");
    let office = Office::with(agency::unborn(), knobs, &budget);
    let mut calls = Vec::new();
    let (mut refused, mut agree) = (0, false);
    while !agree && calls.len() <= 2 * RUNS_MAX {
        office.sandbox.clear_calls();
        let report = office.block_on(run(&office));
        agree = report.outcome.code() == Code::Done;
        let of_clockify: Vec<_> =
            office.sandbox.calls().into_iter().filter(|call| call.service == Service::Clockify).collect();
        refused += of_clockify.iter().filter(|call| call.status == 429).count();
        calls.push(of_clockify.len().to_string());
        HOURS.fetch_add(1, Ordering::Relaxed);
        office.sandbox.world().advance(SignedDuration::from_hours(1));
    }
    let world = office.sandbox.world();
    let made = (world.clients().len(), world.projects().len(), world.tasks().len());
    assert!(agree && made == (19, 83, 654), "all is there in the end: {made:?}");
    let runs = format!("{} ({} calls to Clockify, {refused} refused)", calls.len(), calls.join(" + "));
    say("all new, 30 Clockify calls an hour: runs, an hour each", runs, "at most 5");
}

/// `--auto-approve`, in this process.
async fn run(office: &Office) -> Report {
    let environment: Environment =
        [("NOTION_TOKEN", "ntn_sandbox"), ("CLOCKIFY_API_KEY", "sandbox")].into_iter().collect();
    let loader =
        Loader { environment: environment.clone(), config_path: Some(office.configuration()), ..Loader::default() };
    let settings = loader.load().expect("settings");
    let installation = Installation::new(settings, environment, "bench".into(), clock).await.expect("a place");
    let job = Unattended {
        face: "auto-approve",
        trigger: "auto-approve".to_owned(),
        run: None,
        applied: Reach::Everybody,
        before: Vec::new(),
    };
    let ended =
        installation.run_unattended(job, Duration::ZERO, Stop::default(), Arc::new(|_| {}), Instant::now()).await;
    ended.unwrap_or_else(|failure| panic!("{}", failure.text()))
}
