//! A clock that somebody sets while the daemon runs: no run is lost by it, and none is made twice.

use std::{path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp};
use punchlist::{
    edge::store::Store,
    sandbox::{Fault, FaultKind, World},
};

use super::week::{Living, SOON, begin_time, clock, in_our_time, installation, set_clock};
use crate::support::{Rig, done};

const HOUR: Duration = Duration::from_hours(1);

/// What started each run, the first first, and on which day and hour of the clock.
fn ran(state: &Path) -> Vec<(String, String)> {
    let store = done(Store::open_read_only(&state.into())).expect("opens");
    let mut runs = done(store.runs(1000)).expect("reads");
    runs.sort_by_key(|run| run.started);
    runs.iter().map(|run| (run.trigger.clone(), run.started.strftime("%d %H").to_string())).collect()
}

fn scheduled(state: &Path) -> Vec<String> {
    ran(state).into_iter().filter(|(trigger, _)| trigger == "schedule").map(|(_, at)| at).collect()
}

fn rig() -> Rig {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    world.add_project_page("Website", client);
    Rig::new(world)
}

#[test]
fn a_clock_that_is_set_repeats_no_scheduled_run_and_leaves_none_out() {
    let rig = rig();
    in_our_time(|| async {
        begin_time();
        let installation = installation(&rig).await;
        let daemon = Living::start(&installation).await;
        // It is noon of the 23rd; a run is due each day at four.
        daemon.pass(17 * HOUR).await;
        assert_eq!(scheduled(&installation.directory), ["24 04"]);
        // Five becomes three: four comes a second time.
        set_clock(SignedDuration::from_hours(-2));
        daemon.pass(2 * HOUR).await;
        assert_eq!(scheduled(&installation.directory), ["24 04"], "it ran today");
        daemon.pass(24 * HOUR).await;
        assert_eq!(scheduled(&installation.directory), ["24 04", "25 04"]);
        // Five becomes six of the day after: what was left out is one run.
        set_clock(SignedDuration::from_hours(25));
        daemon.pass(HOUR).await;
        assert_eq!(scheduled(&installation.directory), ["24 04", "25 04", "26 06"]);
        // It was a mistake, and is set right: the day that comes has its run all the same.
        set_clock(SignedDuration::from_hours(-25));
        daemon.pass(24 * HOUR).await;
        assert_eq!(scheduled(&installation.directory), ["24 04", "25 04", "26 04", "26 06"]);
        daemon.kill().await;
    });
}

#[test]
fn what_is_to_be_tried_again_waits_for_no_time_that_was_set_back() {
    let rig = rig();
    in_our_time(|| async {
        begin_time();
        let installation = installation(&rig).await;
        let daemon = Living::start(&installation).await;
        rig.sandbox.knobs().faults.push(Fault::new(FaultKind::Status(503, "{}".to_owned())).times(u32::MAX));
        daemon.ask();
        daemon.rest().await;
        assert!(!ran(&installation.directory).is_empty(), "it has failed, and waits");
        rig.sandbox.knobs().faults.clear();
        set_clock(SignedDuration::from_hours(-72));
        let began: Timestamp = clock();

        daemon.pass(Duration::try_from(SOON).expect("soon")).await;

        assert!(clock().duration_since(began) < SignedDuration::from_hours(2), "no day had to pass");
        assert_eq!(rig.sandbox.world().projects().len(), 1, "{:?}", ran(&installation.directory));
        daemon.kill().await;
    });
}
