//! `punchlist doctor` on Clockify's webhooks: whether their calls arrive, by Clockify's own log of them.

use jiff::Timestamp;
use punchlist::sandbox::{ClockifyWebhook, Fault, FaultKind};
use serde_json::{Value, json};

use super::{CALLERS, Daemon, SECRETS, secret};
use crate::support::{Ran, Rig};

const STRANGE: &str = "another-t0ken-0123456789abcdef";

fn at(minute: u32) -> Timestamp {
    format!("2026-11-29T09:{minute:02}:00Z").parse().expect("a time")
}

/// The check of deliveries, with everything else that the check-up says left out.
fn check(rig: &Rig) -> Value {
    rig.sandbox.clear_calls();
    let ran = Ran::of(rig.command().args(["doctor", "--json"]).envs(SECRETS).output().expect("runs"));
    let refused: Vec<_> = rig.mutations().into_iter().filter(|call| call.status < 400).collect();
    assert!(refused.is_empty(), "a write took effect: {refused:?}");
    assert!(!ran.stdout.contains(STRANGE) && !ran.stderr.contains(STRANGE));
    let checks = ran.json()["checks"].as_array().expect("checks").clone();
    let mut found = checks.into_iter().filter(|check| check["code"] == "deliveries");
    let check = found.next().expect("the check");
    assert!(found.next().is_none());
    assert_eq!(
        check["mend"].is_null(),
        ["ok", "skip"].contains(&check["verdict"].as_str().expect("a word")),
        "{check}"
    );
    check
}

#[track_caller]
fn says(rig: &Rig, verdict: &str, text: &str) {
    let check = check(rig);
    let said = check["text"].as_str().expect("text");
    assert!(check["verdict"] == verdict && said.contains(text), "{check:#}");
}

#[test]
fn a_call_that_arrived_is_proved_end_to_end() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "logs.bodies = true\n");
    let url = daemon.url("/hooks/clockify/hours");
    let webhook = rig.sandbox.world().add_webhook(&url, "PROJECT_UPDATED", secret("HOURS"));
    rig.sandbox.world().add_webhook("https://elsewhere.example/hooks/clockify/hours-too", "NEW_TASK", STRANGE);
    says(&rig, "warn", "hours: Clockify has made no call yet");

    let sender = ClockifyWebhook::new(&url, secret("HOURS"));
    let status = daemon.runtime.block_on(sender.happen("PROJECT_UPDATED", &json!({})));
    for (minute, status) in [(30, Some(500)), (41, status), (35, None)] {
        rig.sandbox.world().note_delivery(webhook, at(minute), status);
    }

    says(&rig, "ok", "hours: Clockify last called at 2026-11-29T09:41:00Z, and was answered with 200");
    // The tokens of webhooks, which the listing shows, are in no log.
    for (name, bytes) in super::left(&rig.home.path().join("state")) {
        let has = |secret: &str| bytes.windows(14).any(|part| secret.as_bytes().windows(14).any(|piece| piece == part));
        assert!(!has(STRANGE) && !has(secret("HOURS")), "{name}");
    }
}

#[test]
fn calls_that_do_not_arrive_are_told_with_what_mends_it() {
    let rig = Rig::of_one_project();
    rig.configure("");
    says(&rig, "ok", "no caller is a webhook of Clockify");
    rig.configure(CALLERS);
    rig.sandbox.world().add_webhook("https://elsewhere.example/hooks/clockify/others", "NEW_TASK", STRANGE);
    says(&rig, "warn", "hours: no webhook of the workspace that clockify.token sees leads here");

    let url = "https://punchlist.example.com/hooks/clockify/hours";
    let webhook = rig.sandbox.world().add_webhook(url, "PROJECT_UPDATED", secret("HOURS"));
    for (minute, status, said) in [
        (1, Some(401), "09:01:00Z, and was refused (401)"),
        (2, Some(502), "09:02:00Z, and was answered with 502"),
        (3, None, "09:03:00Z, and nobody answered"),
        (4, Some(301), "was answered with 301"),
    ] {
        rig.sandbox.world().note_delivery(webhook, at(minute), status);
        says(&rig, "warn", said);
    }
    rig.sandbox.world().note_delivery(webhook, at(5), Some(200));
    says(&rig, "ok", "was answered with 200");

    // A second one, which has a secret of its own.
    let second = rig.sandbox.world().add_webhook(url, "NEW_TASK", STRANGE);
    says(&rig, "warn", "hours: of its 2 webhooks, 1 has another secret, so its calls are refused");
    rig.sandbox.world().disable_webhook(second);
    rig.sandbox.world().disable_webhook(webhook);
    says(&rig, "warn", "another secret");
}

#[test]
fn a_webhook_that_is_off_and_a_log_that_the_key_may_not_see_are_told() {
    let rig = Rig::of_one_project();
    rig.configure(CALLERS);
    let url = "https://punchlist.example.com/hooks/clockify/hours/";
    let webhook = rig.sandbox.world().add_webhook(url, "PROJECT_UPDATED", secret("HOURS"));
    rig.sandbox.world().note_delivery(webhook, at(1), Some(200));
    let denied = || FaultKind::Status(403, "{\"message\":\"Access Denied\",\"code\":501}".to_owned());
    for (method, path, said) in
        [("POST", "/logs", "hours: Clockify does not show its log"), ("GET", "/webhooks", "does not show the webhooks")]
    {
        rig.sandbox.knobs().faults.push(Fault::new(denied()).on(method, path).times(u32::MAX));
        says(&rig, "skip", said);
        rig.sandbox.knobs().faults.clear();
    }
    rig.sandbox.world().disable_webhook(webhook);
    says(&rig, "warn", "hours: its webhook is switched off");
}
