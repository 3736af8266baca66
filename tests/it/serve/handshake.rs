//! Event subscriptions of Notion: their token is taken once, when somebody awaits it, and signs everything from then on.

use std::os::unix::fs::PermissionsExt;

use punchlist::sandbox::Subscription;
use serde_json::Value;

use super::{Daemon, secret};
use crate::support::Rig;

const TOKEN: &str = "secret_events-t0ken-0123456789abcdef";

#[test]
fn a_token_is_taken_when_armed_shown_once_and_signs_from_then_on() {
    let rig = Rig::of_one_project();
    let page = rig.sandbox.world().pages("Projects")[0].id;
    let daemon = Daemon::start(&rig, "");
    let mut subscription = Subscription::new(&daemon.url("/hooks/notion/events/events"), TOKEN);
    assert_eq!(daemon.runtime.block_on(subscription.shake_hands()), Some(401), "nobody awaits it");

    let armed = rig.run(&["serve", "--arm", "events"]);
    assert_eq!(armed.code, 0, "{}", armed.stderr);
    daemon.until("it is taken", |daemon| {
        (daemon.runtime.block_on(subscription.shake_hands()) == Some(200)).then_some(())
    });
    let other = Subscription::new(&daemon.url("/hooks/notion/events/events"), "secret_somebody-elses-t0ken");
    assert_eq!(daemon.runtime.block_on(other.shake_hands()), Some(401), "one token, once");

    daemon.until("it is noted", |daemon| daemon.said().contains("has come").then_some(()));
    let shown = rig.run(&["serve", "--arm", "events"]);
    let typed = shown.stdout.lines().last().unwrap_or_default().to_owned();
    subscription.verify(&typed);
    assert!(subscription.verified, "{}", shown.stdout);
    let file = rig.home.path().join("state/webhook-events.token");
    assert_eq!(std::fs::metadata(&file).expect("kept").permissions().mode() & 0o777, 0o600);
    assert!(!daemon.said().contains(&TOKEN[..14]), "{}", daemon.said());

    assert_eq!(daemon.runtime.block_on(subscription.happen("page.properties_updated", page)), Some(200));
    daemon.until("the project is there", |_| (rig.sandbox.world().projects().len() == 1).then_some(()));

    // After a restart it is the same.
    drop(daemon);
    let daemon = Daemon::start(&rig, "");
    let mut again = Subscription::new(&daemon.url("/hooks/notion/events/events"), TOKEN);
    again.verified = true;
    assert_eq!(daemon.runtime.block_on(again.happen("page.created", page)), Some(200));
    let rearmed = rig.run(&["serve", "--arm", "events"]);
    assert!(rearmed.stdout.contains("Until ") && !rearmed.stdout.contains(TOKEN), "shown once: {}", rearmed.stdout);
}

#[test]
fn an_event_counts_once_and_only_where_it_is_about_pages() {
    let rig = Rig::of_one_project();
    let page = rig.sandbox.world().pages("Projects")[0].id;
    std::fs::create_dir(rig.home.path().join("secrets")).expect("a directory");
    let file = rig.home.path().join("secrets/events");
    std::fs::write(&file, TOKEN).expect("writes");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("sets");
    let daemon = Daemon::start(
        &rig,
        &format!("webhook.callers.kept = {{ kind = \"notion-events\", secret = \"file:{}\" }}\n", file.display()),
    );
    let mut subscription = Subscription::new(&daemon.url("/hooks/notion/events/kept"), TOKEN);
    subscription.verified = true;
    daemon.run(secret("CI"));
    let runs = || daemon.number("punchlist_runs_total{outcome=\"in_sync\"}");
    let unneeded = || daemon.number("punchlist_calls_total{way=\"notion-events\",answer=\"unneeded\"}");

    assert_eq!(daemon.runtime.block_on(subscription.happen("page.created", page)), Some(200));
    daemon.until("it ran", |_| (runs() == 1).then_some(()));
    let body = subscription.body("page.created", page);
    for _ in 0..50 {
        assert_eq!(daemon.runtime.block_on(subscription.send(&body)), Some(200), "sent again");
    }
    assert_eq!((runs(), unneeded()), (1, 50));
    for what in ["comment.created", "view.updated", "file_upload.completed", "made.up", ""] {
        assert_eq!(daemon.runtime.block_on(subscription.happen(what, page)), Some(200), "{what}");
    }
    for body in ["", "null", "[]", "{\"type\":7}", "not JSON", "{\"type\":\"comment.x\",\"id\":{}}"] {
        assert_eq!(daemon.runtime.block_on(subscription.send(body)), Some(200), "{body}");
    }
    assert_eq!(unneeded(), 61);
    // A schema that is none of ours is nobody's business; one of ours is, whatever the event names it by.
    let source = rig.sandbox.world().data_source("Projects").expect("a data source");
    let other = "64a9e100-0000-4000-8000-000000000001";
    let schema = |what: &str, id: &str, parent: &str| {
        let event = serde_json::json!({
            "id": format!("{what} {id}"), "type": what, "entity": { "id": id, "type": "data_source" },
            "data": { "parent": { "id": parent, "type": "database" }, "updated_properties": [] },
        });
        assert_eq!(daemon.runtime.block_on(subscription.send(&event.to_string())), Some(200), "{what}");
    };
    schema("data_source.schema_updated", other, other);
    schema("database.deleted", other, "");
    assert_eq!((runs(), unneeded()), (1, 63));
    schema("data_source.schema_updated", &source.to_string(), other);
    daemon.until("it ran", |_| (runs() == 2).then_some(()));
    schema("data_source.deleted", other, &source.to_string());
    daemon.until("it ran", |_| (runs() == 3).then_some(()));

    // Each bit of the signature and of the body counts.
    let signature = subscription.signature(&body);
    let url = daemon.url("/hooks/notion/events/kept");
    let status = |signature: Vec<u8>, body: Vec<u8>| {
        let header = reqwest::header::HeaderValue::from_bytes(&signature).ok()?;
        let request = daemon.client.post(&url).header("X-Notion-Signature", header).body(body);
        Some(daemon.runtime.block_on(async { request.send().await.expect("an answer").status().as_u16() }))
    };
    let flipped = |bytes: &[u8], bit: usize| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for bit in 0..signature.len() * 8 {
        let status = status(flipped(signature.as_bytes(), bit), body.clone().into_bytes());
        assert!(status.is_none_or(|status| status == 401), "bit {bit} of the signature");
    }
    for bit in (0..body.len() * 8).step_by(7) {
        assert_eq!(
            status(signature.clone().into_bytes(), flipped(body.as_bytes(), bit)),
            Some(401),
            "bit {bit} of the body"
        );
    }
    assert_eq!(runs(), 3, "and none of it asked for a run");
    let (status, text) = daemon.get("/metrics", "");
    assert_eq!(status, 200);
    assert!(!text.contains("Website") && !text.contains("Acme"), "{text}");
    let verified: Value = rig.run(&["logs", "verify", "--json"]).json();
    assert_eq!(verified["findings"], serde_json::json!([]), "{verified:#}");
}

#[test]
fn only_a_sender_of_events_with_a_place_for_its_token_can_be_armed() {
    let rig = Rig::of_one_project();
    rig.configure("webhook.callers.a = { kind = \"notion-events\", secret = \"env:A\" }\nwebhook.callers.b = { kind = \"bearer\", secret = \"env:B\" }\n");
    for (name, because) in [("a", "could not be kept"), ("b", "notion-events"), ("c", "notion-events")] {
        let ran = rig.run(&["serve", "--arm", name]);
        assert_eq!(ran.code, 78, "{}", ran.stderr);
        assert!(ran.stderr.contains(because), "{}", ran.stderr);
    }
}
