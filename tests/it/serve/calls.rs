//! Who proves who they are gets what they asked for, however often they ask.

use std::{collections::BTreeSet, time::Duration};

use punchlist::sandbox::{Button, ClockifyWebhook, Subscription, World};
use serde_json::{Value, json};

use super::{Daemon, secret, triggers};
use crate::support::Rig;

#[test]
fn a_button_in_notion_brings_clockify_in_sync() {
    let rig = Rig::of_one_project();
    let page = rig.sandbox.world().pages("Projects")[0].id;
    let daemon = Daemon::start(&rig, "");
    let mut button =
        Button::new(&daemon.url("/hooks/notion/button/billing"), &[("X-Punchlist-Secret", secret("BUTTON"))]);

    assert_eq!(daemon.runtime.block_on(button.press(page)), Some(200));

    daemon.until("the project is there", |_| (rig.sandbox.world().projects().len() == 1).then_some(()));
    daemon.until("the run has ended", |daemon| (daemon.number("punchlist_running") == 0).then_some(()));
    assert_eq!(daemon.number("punchlist_changes_total{action=\"create\",outcome=\"applied\"}"), 2);
    assert_eq!(triggers(&rig)[0], "webhook billing");
    // The page that it was pressed on is found in the log, with who pressed it.
    let about = rig.run(&["logs", "list", "--about", &page.to_string(), "--kind", "called", "--json"]).json();
    let event = &about["entries"][0]["entry"];
    assert_eq!(
        (&event["caller"], &event["answer"], &event["calls"]),
        (&json!("billing"), &json!("accepted"), &json!(1)),
        "{about:#}"
    );
    rig.sandbox.clear_calls();
    assert_eq!(daemon.runtime.block_on(button.press(page)), Some(200), "and again");
    assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "in_sync");
    assert_eq!(rig.mutations().len(), 0, "a second run writes nothing");
}

#[test]
fn clockify_is_heard_however_it_wraps_what_it_says() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    let webhook = ClockifyWebhook::new(&daemon.url("/hooks/clockify/hours"), secret("HOURS"));
    for entity in [
        json!({ "id": "64a9e1000000000000000001", "name": "Website" }),
        json!({ "event": "PROJECT_UPDATED", "payload": { "id": "64a9e1000000000000000001" } }),
        json!(null),
        json!([[[]]]),
    ] {
        assert_eq!(daemon.runtime.block_on(webhook.happen("PROJECT_UPDATED", &entity)), Some(200), "{entity}");
    }
    daemon.until("the project is there", |_| (rig.sandbox.world().projects().len() == 1).then_some(()));
    let stranger = ClockifyWebhook::new(&daemon.url("/hooks/clockify/hours"), secret("CI"));
    assert_eq!(daemon.runtime.block_on(stranger.happen("PROJECT_UPDATED", &json!({}))), Some(401));
}

#[test]
fn a_program_asks_for_a_run_and_follows_it_to_its_report() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");

    let run = daemon.run(secret("CI"));

    assert_eq!(run["report"]["format"], "punchlist/report/1");
    assert_eq!((&run["report"]["run_id"], &run["report"]["applied"]), (&run["run_id"], &json!(2)));
    let (status, _) = daemon.get("/runs/20200101T000000Z-0000", secret("CI"));
    assert_eq!(status, 404);
    assert_eq!(daemon.get(&format!("/runs/{}", run["run_id"].as_str().expect("a run")), "").0, 401);
    // It is known after a restart, too.
    drop(daemon);
    let again = Daemon::start(&rig, "");
    assert_eq!(again.ended(run["run_id"].as_str().expect("a run")), run);
}

#[test]
fn who_may_only_have_plans_made_gets_no_more_than_one() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");

    let run = daemon.run(secret("LOOKS"));

    assert_eq!((&run["report"]["outcome"], &run["report"]["pending"]), (&json!("pending"), &json!(2)), "{run:#}");
    assert_eq!(rig.mutations().len(), 0);
    let pending = rig.run(&["pending", "--json"]).json();
    let rows = pending["changes"].as_array().expect("changes");
    let waits: Vec<&str> = rows.iter().filter_map(|row| row["action"].as_str()).collect();
    assert_eq!(waits, ["create", "create"], "{pending:#}");
    assert_eq!(daemon.number("punchlist_pending"), 2);
    assert_eq!(daemon.run(secret("CI"))["report"]["applied"], 2);
    assert_eq!(daemon.number("punchlist_pending"), 0);
}

#[test]
fn a_thousand_calls_at_once_are_one_run_under_way_and_one_that_waits() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    rig.sandbox.knobs().latency = Duration::from_secs(1);
    daemon.runtime.block_on(async {
        let url = daemon.url("/runs");
        let calls = (0..1000).map(|_| {
            let request = daemon.client.post(&url).bearer_auth(secret("CI"));
            async move {
                let answer = request.send().await.expect("an answer");
                assert_eq!(answer.status(), 202);
                answer.json::<Value>().await.expect("JSON")["run_id"].as_str().expect("a run").to_owned()
            }
        });
        let runs: BTreeSet<String> = futures_util::future::join_all(calls).await.into_iter().collect();
        assert!(runs.len() <= 2, "{runs:?}");
    });
    rig.sandbox.knobs().latency = Duration::ZERO;
    let last = daemon.run(secret("CI"));
    assert_eq!(last["report"]["outcome"], "in_sync");
    let runs = triggers(&rig).iter().filter(|trigger| *trigger == "webhook ci").count();
    assert!(runs <= 3, "one under way, one that waited, and this one: {runs}");
    let ran = rig.run(&["logs", "export", "--format", "jsonl", "--kind", "called"]);
    let counted: u64 = ran
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["entry"]["calls"].as_u64())
        .sum();
    assert!(counted >= 1000, "every call is told, together: {counted}");
}

#[test]
fn a_busy_daemon_answers_at_once_and_waits_its_turn() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    for n in 0..20 {
        world.add_project_page(&format!("Project {n}"), client);
    }
    let rig = Rig::new(world);
    let daemon = Daemon::start(&rig, "");
    rig.sandbox.knobs().latency = Duration::from_millis(100);
    // Somebody else applies meanwhile.
    let mut other = rig
        .command()
        .arg("--auto-approve")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("runs");
    daemon.until("the other one applies", |_| (!rig.mutations().is_empty()).then_some(()));

    let begun = std::time::Instant::now();
    let (status, body) = daemon.post("/runs", secret("CI"), "");

    assert_eq!(status, 202, "{body}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    rig.sandbox.knobs().latency = Duration::ZERO;
    assert!(other.wait().expect("it ends").success());
    let run: Value = serde_json::from_str(&body).expect("JSON");
    let ended = daemon.ended(run["run_id"].as_str().expect("a run"));
    assert_eq!(ended["report"]["outcome"], "in_sync", "{ended:#}");
    assert_eq!(rig.sandbox.world().projects().len(), 20, "nothing is there twice");
}

#[test]
fn what_both_services_call_about_our_own_writes_is_one_run_at_the_most_and_others_are_not_kept_waiting() {
    let rig = Rig::of_one_project();
    let more =
        "schedule.cron = \"0 0 29 2 *\"\nwebhook.callers.own = { kind = \"notion-events\", secret = \"env:OWN\" }\n";
    let daemon = Daemon::start_with(&rig, more, &[("OWN", "own-s3cret-0123456789abcdef")]);
    let mut pages = Subscription::new(&daemon.url("/hooks/notion/events/own"), "own-s3cret-0123456789abcdef");
    pages.verify("own-s3cret-0123456789abcdef");
    let objects = ClockifyWebhook::new(&daemon.url("/hooks/clockify/hours"), secret("HOURS"));
    let ended =
        |daemon: &Daemon, outcome: &str| daemon.number(&format!("punchlist_runs_total{{outcome=\"{outcome}\"}}"));
    assert_eq!(daemon.run(secret("CI"))["report"]["applied"], 2);

    let written: Vec<_> = ["Clients", "Projects"].map(|name| rig.sandbox.world().pages(name)[0].id).into();
    let project = rig.sandbox.world().projects()[0].id.to_string();
    for _ in 0..3 {
        for page in &written {
            assert_eq!(daemon.runtime.block_on(pages.happen("page.properties_updated", *page)), Some(200));
        }
        let event = json!({ "id": project, "name": "Website" });
        assert_eq!(daemon.runtime.block_on(objects.happen("PROJECT_UPDATED", &event)), Some(200));
    }
    assert_eq!(daemon.number("punchlist_waiting") + daemon.number("punchlist_running"), 0);
    assert_eq!((ended(&daemon, "applied"), ended(&daemon, "in_sync")), (1, 0), "none of it has run at once");

    // It is owed all the same: somebody may have changed the same rows meanwhile.
    rig.sandbox.clear_calls();
    assert_eq!(daemon.end_by(rustix::process::Signal::TERM).0, 0);
    let daemon = Daemon::start_with(&rig, more, &[("OWN", "own-s3cret-0123456789abcdef")]);
    daemon.until("it was made up for", |daemon| (ended(daemon, "in_sync") == 1).then_some(()));
    assert_eq!(rig.mutations().len(), 0, "and writes nothing");

    let other = json!({ "event": "PROJECT_UPDATED", "payload": { "id": "64a9e10000000000000000ff" } });
    let objects = ClockifyWebhook::new(&daemon.url("/hooks/clockify/hours"), secret("HOURS"));
    assert_eq!(daemon.runtime.block_on(objects.happen("PROJECT_UPDATED", &other)), Some(200));
    daemon.until("what others do is seen at once", |daemon| (ended(daemon, "in_sync") == 2).then_some(()));
}

#[test]
fn what_is_called_about_the_writes_of_others_on_the_same_state_is_an_echo_too() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "schedule.cron = \"0 0 29 2 *\"\n");
    let objects = ClockifyWebhook::new(&daemon.url("/hooks/clockify/hours"), secret("HOURS"));
    assert_eq!(rig.run(&["--auto-approve"]).code, 0);
    let project = rig.sandbox.world().projects()[0].id.to_string();
    let event = json!({ "id": project, "name": "Website" });

    for _ in 0..20 {
        assert_eq!(daemon.runtime.block_on(objects.happen("PROJECT_UPDATED", &event)), Some(200));
    }
    assert_eq!(daemon.end_by(rustix::process::Signal::TERM).0, 0);

    assert_eq!(triggers(&rig), ["auto-approve"], "none of it has run at once");
    rig.sandbox.clear_calls();
    let daemon = Daemon::start(&rig, "schedule.cron = \"0 0 29 2 *\"\n");
    daemon
        .until("it is owed", |daemon| (daemon.number("punchlist_runs_total{outcome=\"in_sync\"}") == 1).then_some(()));
    assert_eq!(rig.mutations().len(), 0, "and writes nothing");
}
