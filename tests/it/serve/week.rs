//! Days of a daemon in an hour's steps: people change pages and press buttons, services fail for hours, the
//! daemon is killed and comes back. What was asked for is done soon after all is well again, and in the end both sides
//! are in sync.
//!
//! The daemon's time is ours: it passes when we say so. Two take some seconds; `PUNCHLIST_DAYS=7` lives through
//! a week.

use std::{cell::Cell, future::Future, path::Path, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use punchlist::{
    domain::{ending::End, reach::Extent, trigger::is_passing},
    edge::{config::Loader, environment::Environment, secrets::Readings, store::Store},
    engine::{
        callers::Callers,
        daemon::{Daemon, Hub},
        run::Installation,
        stop::Stop,
    },
    sandbox::{Fault, FaultKind, World},
};
use tokio::time::Instant;

use crate::support::{Rig, done};

/// How long after all is well something that was asked for may take: the longest wait after failures, and the run.
pub(super) const SOON: SignedDuration = SignedDuration::from_mins(75);
/// A step of time while something is under way, in the daemon's time and in ours.
const STEP: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(1));

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    static LOOKS: Cell<i64> = const { Cell::new(0) };
    static SET: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
}

/// The daemon's clock. Nobody sees the same time twice: runs are named by it.
pub(super) fn clock() -> Timestamp {
    let passed = BEGAN.get().map(|began| began.elapsed()).unwrap_or_default();
    LOOKS.set(LOOKS.get() + 1);
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
    let passed = SignedDuration::try_from(passed).expect("a week") + SET.get();
    noon + passed + SignedDuration::from_micros(20 * LOOKS.get())
}

/// It is noon.
pub(super) fn begin_time() {
    BEGAN.set(Some(Instant::now()));
    SET.set(SignedDuration::ZERO);
}

/// Somebody sets the clock by so much.
pub(super) fn set_clock(by: SignedDuration) {
    SET.set(SET.get() + by);
}

/// A throw of dice that is the same in every run of the test.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

pub(super) async fn installation(rig: &Rig) -> Installation {
    rig.configure(
        // The sandbox has a clock of its own, by which nothing gets older.
        "rules.settle_seconds = 0\nrules.unsettled_minutes = 0\nschedule.cron = \"0 4 * * *\"\nschedule.timezone = \"Etc/UTC\"\n\
         webhook.callers.ci = { kind = \"bearer\", secret = \"env:CI\" }\n",
    );
    let environment: Environment =
        [("NOTION_TOKEN", "ntn_sandbox"), ("CLOCKIFY_API_KEY", "sandbox"), ("CI", "ci-s3cret")].into_iter().collect();
    let loader =
        Loader { environment: environment.clone(), config_path: Some(rig.configuration()), ..Loader::default() };
    let settings = loader.load().expect("settings");
    let mut installation = Installation::new(settings, environment, "robot".into(), clock).await.expect("a place");
    installation.directory = rig.home.path().join("state");
    installation
}

/// The daemon as it runs until it is killed, which dropping it is.
pub(super) struct Living {
    hub: Arc<Hub>,
    serving: tokio::task::JoinHandle<()>,
}

impl Living {
    pub(super) async fn start(installation: &Installation) -> Self {
        let readings = Readings::default();
        let Installation { settings, environment, directory, .. } = installation;
        let callers = Callers::resolve(&settings.webhook.callers, environment, directory, &readings).await;
        let hub = Arc::new(Hub::new(callers.expect("secrets"), clock));
        let (installation, stop, told) = (installation.clone(), Stop::default(), Box::new(|_: &str| {}));
        let daemon = Daemon::new(installation, Arc::clone(&hub), Duration::ZERO, &readings, stop, told).await;
        let daemon = daemon.unwrap_or_else(|failure| panic!("{failure}"));
        let serving = tokio::task::spawn_local(async move { drop(daemon.serve().await) });
        Self { hub, serving }
    }

    pub(super) fn ask(&self) {
        self.hub.ask_for(self.hub.callers.with_bearer(b"ci-s3cret").expect("a caller"));
    }

    fn is_busy(&self) -> bool {
        self.hub.numbers(|_, [running, waiting], _, _| running || waiting)
    }

    /// Lets as much time pass as it takes until nothing is under way.
    pub(super) async fn rest(&self) {
        while self.is_busy() {
            self.step().await;
        }
    }

    async fn step(&self) {
        if self.is_busy() {
            tokio::time::advance(STEP.0).await;
            std::thread::sleep(STEP.1);
        } else {
            tokio::time::advance(Duration::from_mins(5)).await;
        }
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass: quickly while nothing is under way.
    pub(super) async fn pass(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.step().await;
        }
    }

    pub(super) async fn kill(self) {
        self.serving.abort();
        drop(self.serving.await);
    }
}

/// How the last runs ended, for people.
fn ended(state: &Path) -> Vec<String> {
    let store = done(Store::open_read_only(&state.into())).expect("opens");
    let runs = done(store.runs(12)).expect("reads").into_iter();
    runs.map(|run| format!("{} {}: {:?}", run.started, run.trigger, run.end.map(|end| (end.at, end.outcome)))).collect()
}

/// When runs began that came to an end which running again would not better.
fn made(state: &Path) -> Vec<Timestamp> {
    let store = done(Store::open_read_only(&state.into())).expect("opens");
    let runs = done(store.runs(1000)).expect("reads").into_iter();
    let is_made = |end: &End| matches!(end, End::Reported(ending) if !is_passing(*ending));
    runs.filter(|run| run.end.as_ref().is_some_and(|end| is_made(&end.outcome))).map(|run| run.started).collect()
}

async fn live_through(rig: &Rig, days: usize, dice: &mut Dice) {
    begin_time();
    let installation = installation(rig).await;
    let mut daemon = Some(Living::start(&installation).await);
    let (mut asked, mut trouble): (Vec<Timestamp>, Option<u64>) = (Vec::new(), None);
    let mut recovered = clock();
    for hour in 0..24 * u64::try_from(days).expect("few") {
        let change = dice.throw(4);
        {
            let mut world = rig.sandbox.world();
            let client = world.pages("Clients")[usize::try_from(dice.throw(2)).expect("small")].id;
            match change {
                0 => drop(world.add_project_page(&format!("Project {hour}"), client)),
                1 => world.set_title(client, &format!("Client {hour}")),
                _ => {}
            }
        }
        if let (Some(daemon), true) = (&daemon, dice.throw(6) == 0) {
            daemon.ask();
            asked.push(clock());
        }
        if trouble.is_some_and(|until| hour >= until) {
            rig.sandbox.knobs().faults.clear();
            (trouble, recovered) = (None, clock());
        } else if trouble.is_none() && dice.throw(16) == 0 {
            let what = match dice.throw(4) {
                0 => FaultKind::Status(503, "{}".to_owned()),
                1 => FaultKind::Reset,
                2 => FaultKind::TruncatedBody,
                _ => FaultKind::RetryAfter("7".to_owned()),
            };
            rig.sandbox.knobs().faults.push(Fault::new(what).nth(3).times(u32::MAX));
            trouble = Some(hour + 1 + dice.throw(5));
        }
        let mut rest = Duration::from_hours(1);
        match (daemon.take(), dice.throw(8)) {
            (Some(living), 0) => {
                // In the middle of what was just asked for.
                living.ask();
                asked.push(clock());
                let lived = STEP.0 * u32::try_from(1 + dice.throw(4)).expect("small");
                living.pass(lived).await;
                living.kill().await;
                rest -= lived;
            }
            (None, 0..6) => {
                (daemon, recovered) = (Some(Living::start(&installation).await), clock());
            }
            (living, _) => daemon = living,
        }
        match &daemon {
            Some(daemon) => daemon.pass(rest).await,
            None => tokio::time::advance(rest).await,
        }
        if daemon.is_some() && trouble.is_none() && clock().duration_since(recovered) > SOON {
            let ran = made(&installation.directory);
            let late = asked.iter().find(|at| clock().duration_since(**at) > SOON && !ran.iter().any(|ran| ran >= *at));
            assert_eq!(late, None, "asked for, and never made, by hour {hour}: {:#?}", ended(&installation.directory));
        }
    }
    rig.sandbox.knobs().faults.clear();
    let daemon = match daemon {
        Some(daemon) => daemon,
        None => Living::start(&installation).await,
    };
    daemon.pass(Duration::from_hours(24)).await;
    assert!(!daemon.is_busy());
    assert!(asked.len() > 3 * days, "{}", asked.len());
    let state = punchlist::engine::state::State::read_only(&installation.place()).await.expect("opens");
    let seen = state.daemon(&installation.place()).await.expect("reads").expect("a daemon");
    assert_eq!(seen.served.owed, Extent::default());
    daemon.kill().await;
}

/// Something in a runtime whose time is ours, with a stack as deep as that of a program, where tests have less.
pub(super) fn in_our_time<F: Future<Output = ()>>(live: impl FnOnce() -> F + Send) {
    let living = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(8 << 20);
        thread.spawn_scoped(scope, || run_in_our_time(live())).expect("a thread").join()
    });
    living.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn run_in_our_time(live: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    // Time does not pass by itself while something blocks.
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || is_over.recv());
    runtime.block_on(tokio::task::LocalSet::new().run_until(live));
    drop(over);
}

#[test]
fn days_with_faults_end_in_sync_and_nothing_that_was_asked_for_is_lost() {
    let mut world = World::empty();
    for name in ["Acme", "Globex"] {
        let client = world.add_client_page(name);
        world.add_project_page("Website", client);
    }
    let rig = Rig::new(world);
    let days = std::env::var("PUNCHLIST_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(2);
    in_our_time(|| async { live_through(&rig, days, &mut Dice(16)).await });

    let plan = rig.run(&["plan", "--json", "--now"]).json();
    assert_eq!(plan["changes"], serde_json::json!([]), "{plan:#}");
    let world = rig.sandbox.world();
    assert_eq!(world.projects().len(), world.pages("Projects").len(), "each once");
    assert_eq!(world.clients().len(), 2);
}
