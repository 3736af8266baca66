//! What can be seen of a daemon that is well or not: by `/readyz`, `/metrics` and `doctor`.

use jiff::{SignedDuration, Timestamp};
use punchlist::edge::store::Store;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Daemon, secret};
use crate::support::{Rig, done};

/// What a check-up says of one thing.
fn check(rig: &Rig, code: &str) -> (String, String) {
    let mut command = rig.command();
    let ran = command.args(["doctor", "--json"]).envs(super::SECRETS).output().expect("the binary runs");
    let said: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let check = said["checks"].as_array().expect("checks").iter().find(|check| check["code"] == code).expect("a check");
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("text"))
}

#[test]
fn the_age_of_the_tokens_and_the_last_success_are_told_and_outlive_a_restart() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    assert_eq!(daemon.number("punchlist_last_success_timestamp_seconds"), 0);
    daemon.run(secret("CI"));
    let success = daemon.number("punchlist_last_success_timestamp_seconds");
    assert!(success > 1_700_000_000);
    for key in ["notion.token", "clockify.token"] {
        let line = format!("punchlist_secret_age_seconds{{secret=\"{key}\"}} ");
        let (_, text) = daemon.get("/metrics", "");
        assert!(text.contains(&line) && !text.contains("secret=\"webhook"), "{text}");
    }
    let (verdict, text) = check(&rig, "schedule");
    assert_eq!(verdict, "ok", "{text}");
    assert!(text.starts_with("the daemon runs next: ") && text.contains("its last run that ended well: "), "{text}");
    daemon.end_by(Signal::TERM);
    let (verdict, text) = check(&rig, "schedule");
    assert_eq!(verdict, "warn", "{text}");
    assert!(text.starts_with("the daemon is not running; its last run that ended well: "), "{text}");

    let daemon = Daemon::start(&rig, "");

    assert_eq!(daemon.number("punchlist_last_success_timestamp_seconds"), success);
}

#[test]
fn a_sender_of_events_that_falls_silent_although_pages_change_is_told_of() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    daemon.run(secret("CI"));
    assert_eq!(daemon.get("/readyz", "").1, "ready\n");
    daemon.end_by(Signal::TERM);
    // As it is an hour after a run has found what no event had told of, the last of which came 30 hours ago.
    let now = Timestamp::now();
    let mut store = done(Store::open(&rig.state(), now)).expect("opens");
    let mut served: Value = done(store.recall("served")).expect("reads").expect("kept");
    served["heard"] = json!({ "events": now - SignedDuration::from_hours(30) });
    served["unheard"] = json!({ "events": now - SignedDuration::from_hours(1) });
    done(store.remember("served", &served)).expect("keeps");
    drop(store);

    let daemon = Daemon::start(&rig, "");

    daemon.until("that is told", |daemon| {
        let (status, text) = daemon.get("/readyz", "");
        (status == 200 && text == "ready, but no event for 30 h although pages changed\n").then_some(())
    });
    let (verdict, text) = check(&rig, "webhooks");
    assert_eq!((verdict.as_str(), text.as_str()), ("warn", "no event for 30 h from events although pages changed"));
}
