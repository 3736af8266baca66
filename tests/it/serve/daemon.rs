//! When the daemon runs by itself, how it begins and how it ends.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{DEADLINE, Daemon, SECRETS, secret, triggers};
use crate::support::Rig;

/// Every second: no test waits for a morning.
const EVERY_SECOND: &str = "schedule.cron = \"* * * * * *\"\n";
/// Never while a test runs, as good as.
const LEAP_DAY: &str = "schedule.cron = \"0 0 29 2 *\"\n";

#[test]
fn the_schedule_fires_and_nobody_has_to_call() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, EVERY_SECOND);
    daemon.until("the project is there", |_| (rig.sandbox.world().projects().len() == 1).then_some(()));
    daemon.until("it ran again", |daemon| {
        (daemon.number("punchlist_runs_total{outcome=\"in_sync\"}") >= 2).then_some(())
    });
    assert!(triggers(&rig).iter().all(|trigger| trigger == "schedule"), "{:?}", triggers(&rig));
    assert!(daemon.number("punchlist_next_run_timestamp_seconds") > 1_700_000_000);
}

#[test]
fn in_mode_plan_every_change_waits_for_a_person() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, &format!("{EVERY_SECOND}schedule.mode = \"plan\"\n"));
    daemon.until("it has planned", |daemon| (daemon.number("punchlist_pending") == 2).then_some(()));
    assert_eq!(rig.mutations().len(), 0);
    assert_eq!(daemon.end_by(Signal::TERM).0, 0);

    assert_eq!(rig.run(&["pending", "approve", "--all"]).code, 0);
    assert_eq!(rig.run(&["apply", "--pending"]).code, 0);

    assert_eq!(rig.sandbox.world().projects().len(), 1);
}

#[test]
fn what_was_missed_while_nothing_ran_is_made_up_for_once() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, EVERY_SECOND);
    daemon.run(secret("CI"));
    assert_eq!(daemon.end_by(Signal::TERM).0, 0);
    let before = triggers(&rig).len();
    // Many times pass, and then there is one more.
    std::thread::sleep(Duration::from_millis(2500));

    let daemon = Daemon::start(&rig, "schedule.cron = \"*/2 * * * * *\"\n");
    daemon.until("it ran", |daemon| (daemon.number("punchlist_runs_total{outcome=\"in_sync\"}") >= 1).then_some(()));
    let made_up = triggers(&rig).len() - before;
    assert!(made_up <= 2, "{made_up} runs in the first moment");
}

#[test]
fn killed_in_the_middle_of_a_run_the_next_start_takes_it_up_without_a_call() {
    for commit in [9, 14, 18, 22] {
        let rig = Rig::of_one_project();
        let mut daemon =
            Daemon::start_with(&rig, LEAP_DAY, &[("PUNCHLIST_FAILPOINT", &format!("commit:{commit}:abort"))]);
        assert_eq!(daemon.post("/runs", secret("CI"), "").0, 202);
        daemon.child.wait().expect("it dies");
        drop(daemon);
        let left = rig.sandbox.world().projects().len();

        let daemon = Daemon::start(&rig, LEAP_DAY);

        daemon.until("it is taken up", |daemon| {
            let ran = ["applied", "in_sync"]
                .map(|outcome| daemon.number(&format!("punchlist_runs_total{{outcome=\"{outcome}\"}}")));
            (ran.iter().sum::<u64>() == 1).then_some(())
        });
        assert_eq!(triggers(&rig)[0], "resume", "killed at commit {commit}, {left} projects left");
        assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "in_sync");
        let world = rig.sandbox.world();
        assert_eq!((world.clients().len(), world.projects().len()), (1, 1), "killed at commit {commit}");
    }
}

#[test]
fn a_signal_ends_it_between_writes_and_the_next_start_goes_on() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, LEAP_DAY);
    assert_eq!(daemon.end_by(Signal::TERM).0, 0, "idle");

    let daemon = Daemon::start(&rig, LEAP_DAY);
    rig.sandbox.knobs().latency = Duration::from_millis(300);
    assert_eq!(daemon.post("/runs", secret("CI"), "").0, 202);
    daemon.until("it writes", |_| (!rig.mutations().is_empty()).then_some(()));
    let begun = Instant::now();
    let (code, said) = daemon.end_by(Signal::INT);
    assert_eq!(code, 0, "{said}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    rig.sandbox.knobs().latency = Duration::ZERO;

    let daemon = Daemon::start(&rig, LEAP_DAY);
    daemon.until("it goes on", |_| (rig.sandbox.world().projects().len() == 1).then_some(()));
    assert!(begun.elapsed() < DEADLINE);
    daemon.until("it is taken up", |_| (triggers(&rig)[0] == "resume").then_some(()));
    daemon.until("it ended", |daemon| (daemon.number("punchlist_running") == 0).then_some(()));
    // Once taken up, it is not taken up again.
    assert_eq!(daemon.end_by(Signal::TERM).0, 0);
    let daemon = Daemon::start(&rig, LEAP_DAY);
    assert_eq!(daemon.number("punchlist_running") + daemon.number("punchlist_waiting"), 0);
}

#[test]
fn what_was_asked_for_and_had_not_begun_to_write_is_still_owed_after_a_stop_or_a_kill() {
    for signal in [Signal::TERM, Signal::KILL] {
        let rig = Rig::of_one_project();
        let daemon = Daemon::start(&rig, LEAP_DAY);
        rig.sandbox.knobs().latency = Duration::from_millis(500);
        assert_eq!(daemon.post("/runs", secret("CI"), "").0, 202);
        daemon.until("it reads", |_| (!rig.sandbox.calls().is_empty()).then_some(()));
        assert_eq!(daemon.post("/hooks/notion/button/billing", secret("BUTTON"), "").0, 200);
        daemon.end_by(signal);
        assert_eq!(rig.mutations().len(), 0, "it was only reading");
        rig.sandbox.knobs().latency = Duration::ZERO;

        let daemon = Daemon::start(&rig, LEAP_DAY);

        daemon.until("it is made up for", |_| (rig.sandbox.world().projects().len() == 1).then_some(()));
    }
}

#[test]
fn what_was_answered_is_not_lost_by_a_kill_at_once() {
    for (path, header, name) in [
        ("/runs", "Authorization", "CI"),
        ("/hooks/notion/button/billing", "X-Punchlist-Secret", "BUTTON"),
        ("/hooks/clockify/hours", "Clockify-Signature", "HOURS"),
    ] {
        let rig = Rig::of_one_project();
        // It dies when its second answer is about to leave: before the thread that runs has looked around.
        let mut daemon = Daemon::start_with(&rig, LEAP_DAY, &[("PUNCHLIST_FAILPOINT", "answering:2:abort")]);
        rig.sandbox.knobs().latency = Duration::from_millis(500);
        assert_eq!(daemon.post("/runs", secret("LOOKS"), "").0, 202);
        daemon.until("it is busy with less", |_| (!rig.sandbox.calls().is_empty()).then_some(()));
        let presented = if path == "/runs" { format!("Bearer {}", secret(name)) } else { secret(name).to_owned() };
        let call = daemon.client.post(daemon.url(path)).header(header, presented);
        assert!(daemon.runtime.block_on(call.send()).is_err(), "{path}");
        daemon.child.wait().expect("it dies");
        drop(daemon);
        assert_eq!(rig.mutations().len(), 0);
        rig.sandbox.knobs().latency = Duration::ZERO;

        let daemon = Daemon::start(&rig, LEAP_DAY);

        daemon.until("it is made up for", |_| (rig.sandbox.world().projects().len() == 1).then_some(()));
    }
}

#[test]
fn a_state_that_is_set_aside_is_none_that_the_daemon_dies_of() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, LEAP_DAY);
    assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "applied");

    let rebuilt = rig.run(&["doctor", "rebuild"]);

    assert_eq!(rebuilt.code, 0, "{}", rebuilt.stderr);
    assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "in_sync");
    daemon.until("it is ready again", |daemon| (daemon.get("/readyz", "").0 == 200).then_some(()));
    assert_eq!(daemon.end_by(Signal::TERM).0, 0);
    assert_eq!(rig.sandbox.world().projects().len(), 1);
}

#[test]
fn an_outage_is_waited_out() {
    use punchlist::sandbox::{Fault, FaultKind, Service};
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, LEAP_DAY);
    rig.sandbox
        .knobs()
        .faults
        .push(Fault::new(FaultKind::Status(401, "{}".to_owned())).service(Service::Clockify).times(u32::MAX));
    let run = daemon.run(secret("CI"));
    assert!(
        run["report"].is_null() && run["error"].as_str().is_some_and(|error| error.contains("Clockify")),
        "{run:#}"
    );
    assert_eq!(daemon.get("/readyz", "").0, 503, "it cannot run");
    assert_eq!(daemon.get("/healthz", "").0, 200);
    rig.sandbox.knobs().faults.clear();
    assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "applied");
    assert_eq!(daemon.get("/readyz", "").0, 200);
}

#[test]
fn what_cannot_serve_says_so_at_once() {
    let rig = Rig::of_one_project();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    for (more, code, because) in [
        ("schedule.cron = \"0 0 30 2 *\"\n".to_owned(), 78, "names a day that there is"),
        ("schedule.cron = \"often\"\n".to_owned(), 78, "a cron expression"),
        ("schedule.timezone = \"Mars/Olympus\"\n".to_owned(), 78, "a time zone"),
        ("webhook.listen = \"8787\"\n".to_owned(), 78, "an address and port"),
        ("webhook.callers.a = { kind = \"bearer\", secret = \"env:UNSET\" }\n".to_owned(), 7, "UNSET"),
        (format!("webhook.listen = \"{address}\"\n"), 1, "could not listen on"),
    ] {
        rig.configure(&more);
        for arguments in [&["serve"][..], &["serve", "--check"]] {
            let ran = rig.run(arguments);
            assert_eq!(ran.code, code, "{more}{}", ran.stderr);
            assert!(ran.stderr.contains(because), "{more}{}", ran.stderr);
        }
    }
}

#[test]
fn a_configuration_is_proved_without_serving() {
    let rig = Rig::of_one_project();
    rig.configure(&format!(
        "{}schedule.cron = \"30 4 * * *\"\nschedule.timezone = \"Australia/Lord_Howe\"\n",
        super::CALLERS
    ));
    let mut command = rig.command();
    let ran = crate::support::Ran::of(command.args(["serve", "--check"]).envs(SECRETS).output().expect("runs"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.matches("04:30:00 +1").count(), 3, "{}", ran.stdout);
    for said in
        ["Australia/Lord_Howe", "It can listen on 127.0.0.1:", "billing (notion-button)", "events (notion-events)"]
    {
        assert!(ran.stdout.contains(said), "{said}: {}", ran.stdout);
    }
    assert!(!rig.home.path().join("state").exists(), "and nothing is touched");
}
