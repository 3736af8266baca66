//! Trouble on the line, and what of it can be seen.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use punchlist::{
    domain::model::{Field, Kind, Value},
    edge::{clockify::Error, http::Failure},
    sandbox::{Fault, FaultKind, Knobs, World},
};
use serde_json::json;

use super::{Agency, agency, assert_safe, closed, fetch, is_complete, troubles, with, workspace};
use crate::support::{Wire, object_id};

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_unknown_and_is_sent_once() {
    for what in troubles() {
        for executed in [true, false] {
            let wire = Wire::new(World::bare(), Knobs::default()).await;
            let clockify = with(&wire, |_| {});
            let workspace = workspace(&wire, &clockify).await;
            let fault = Fault::new(what.clone()).on("POST", "/clients");
            wire.sandbox.knobs().faults = vec![if executed { fault.after_execution() } else { fault }];

            let failure = clockify.create(&workspace, Kind::Client, None, &"Acme".into(), None, &BTreeMap::new()).await;

            assert!(matches!(failure, Err(Failure::Unknown { .. })), "{what:?}: {failure:?}");
            let posts = wire.sandbox.calls().iter().filter(|call| call.method == "POST").count();
            assert_eq!((posts, wire.sandbox.world().clients().len()), (1, usize::from(executed)), "{what:?}");
            let found = clockify.find(&workspace, Kind::Client, None, &"Acme".into()).await.expect("an answer");
            assert_eq!(found.len(), usize::from(executed), "it can be looked up");
        }
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_unknown_and_is_sent_once() {
    let Agency { world, client, project, task, .. } = agency();
    for what in troubles() {
        let wire = Wire::new(world.clone(), Knobs::default()).await;
        let clockify = with(&wire, |_| {});
        let workspace = workspace(&wire, &clockify).await;
        fetch(&clockify, &workspace).await;
        let hours = [(Field::Estimate, Value::Seconds(3600))].into();
        for (kind, object, method, fields) in [
            (Kind::Client, client, "PUT", closed(true)),
            (Kind::Project, project, "PUT", closed(true)),
            (Kind::Project, project, "PATCH", hours),
            (Kind::Task, task, "PUT", closed(true)),
        ] {
            wire.sandbox.clear_calls();
            wire.sandbox.knobs().faults = vec![Fault::new(what.clone()).on(method, "").after_execution()];

            let failure = clockify.update(&workspace, kind, object_id(object), &fields).await;

            assert!(matches!(failure, Err(Failure::Unknown { .. })), "{what:?}: {failure:?}");
            assert_eq!(wire.sandbox.calls().len(), 1, "{what:?}");
            let parent = (kind == Kind::Task).then(|| object_id(project));
            let now =
                clockify.read(&workspace, kind, object_id(object), parent).await.expect("an answer").expect("there");
            assert!(method == "PATCH" || now.closed, "it had happened, and can be read");
        }
    }
}

#[tokio::test]
async fn reading_gets_through_passing_trouble_and_ends_where_it_stays() {
    let Agency { world, .. } = agency();
    for what in troubles() {
        for (times, passes) in [(4, true), (u32::MAX, false)] {
            let wire = Wire::new(world.clone(), Knobs::default()).await;
            let clockify = with(&wire, |_| {});
            let workspace = workspace(&wire, &clockify).await;
            wire.sandbox.knobs().faults = vec![Fault::new(what.clone()).on("GET", "/projects").times(times)];

            let fetched = clockify.fetch(&workspace, &|_, _| {}).await;

            // What is too large is asked for in smaller pages, and at last without tasks.
            let most = if matches!(what, FaultKind::HugeBody(_)) { 6 } else { 5 };
            let asked = wire.sandbox.calls().iter().filter(|call| call.path.ends_with("/projects")).count();
            assert_eq!((fetched.is_ok(), asked), (passes, most), "{what:?} {times}");
            if let Err(error) = fetched {
                let expected =
                    matches!(&error, Error::Failed { failure: Failure::Unknown { .. } | Failure::TooLarge { .. }, .. });
                assert!(expected, "{error}");
                assert_safe(&error.to_string());
            }
        }
    }
}

#[tokio::test]
async fn refusals_are_believed_at_once() {
    let Agency { world, client, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    fetch(&clockify, &workspace).await;
    wire.sandbox.clear_calls();
    wire.sandbox.world().clockify_key = "rotated".to_owned();

    let created = clockify.create(&workspace, Kind::Client, None, &"New".into(), None, &BTreeMap::new()).await;
    let updated = clockify.update(&workspace, Kind::Client, object_id(client), &closed(true)).await;
    let identity = clockify.identity(None).await.expect_err("refused");

    assert!(created.expect_err("refused").is_refusal() && updated.expect_err("refused").is_refusal());
    assert!(identity.is_refusal() && identity.to_string().contains("Api key does not exist"), "{identity}");
    let statuses = wire.statuses();
    assert!(statuses.len() <= 4 && statuses.iter().all(|status| status.ends_with("401")), "{statuses:?}");
}

#[tokio::test]
async fn a_redirect_takes_the_key_nowhere() {
    let elsewhere = Wire::new(World::bare(), Knobs::default()).await;
    let target = format!("{}/v1/user", elsewhere.sandbox.clockify_url().replace("127.0.0.1", "localhost"));
    let Agency { world, client, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    fetch(&clockify, &workspace).await;
    wire.sandbox.clear_calls();
    wire.sandbox.knobs().faults = vec![Fault::new(FaultKind::Redirect(target)).times(u32::MAX)];

    let read = clockify.read(&workspace, Kind::Client, object_id(client), None).await.expect_err("a redirect");
    let created = clockify
        .create(&workspace, Kind::Client, None, &"New".into(), None, &BTreeMap::new())
        .await
        .expect_err("a redirect");
    let updated =
        clockify.update(&workspace, Kind::Client, object_id(client), &closed(true)).await.expect_err("a redirect");

    for failure in [read, created, updated] {
        assert!(failure.has_status(302) && failure.to_string().contains("redirect to localhost"), "{failure}");
    }
    assert!(elsewhere.sandbox.calls().is_empty());
    assert_eq!(wire.statuses(), ["GET 302", "POST 302", "PUT 302"]);
}

#[tokio::test]
async fn thirty_requests_an_hour_end_in_a_word_and_no_hot_loop() {
    for (configured, retry_after) in [(false, None), (false, Some("3600")), (true, None)] {
        let mut world = World::bare();
        for number in 0..60 {
            world.add_project(&format!("Project {number}"), None);
        }
        let knobs = Knobs {
            hydrated_tasks: false,
            clockify_per_hour: Some(30),
            clockify_retry_after: retry_after.map(str::to_owned),
            ..Knobs::default()
        };
        let wire = Wire::new(world, knobs).await;
        let clockify = with(&wire, |options| options.budget.per_hour = configured.then_some(30));
        let workspace = workspace(&wire, &clockify).await;

        let error = clockify.fetch(&workspace, &|_, _| {}).await.expect_err("60 projects need 64 requests");

        let Error::Budget { wait, .. } = error else { panic!("{error}") };
        let (good, thrown): (Vec<_>, Vec<_>) = wire.statuses().into_iter().partition(|status| status == "GET 200");
        assert_eq!(good.len(), 28, "all of it was used; two went to the identity");
        // Four listings are under way at once, and each asks five times at most.
        assert!(thrown.len() <= if configured || retry_after.is_some() { 4 } else { 20 }, "{thrown:?}");
        assert!(!configured || thrown.is_empty(), "who knows the budget does not overdraw it");
        assert!(wait >= Duration::from_secs(3500) || (!configured && retry_after.is_none()), "{wait:?}");
        let created = clockify.create(&workspace, Kind::Client, None, &"New".into(), None, &BTreeMap::new()).await;
        assert!(matches!(created, Err(Failure::Throttled { .. })), "nothing happened, and it is known: {created:?}");
    }
}

#[tokio::test]
async fn the_budget_of_a_second_is_never_overdrawn_and_all_of_it_is_used() {
    let mut world = World::bare();
    world.use_real_time();
    for number in 0..22 {
        world.add_project(&format!("Project {number}"), None);
    }
    let wire =
        Wire::new(world, Knobs { hydrated_tasks: false, clockify_per_second: Some(10), ..Knobs::default() }).await;
    let clockify = with(&wire, |options| options.budget.per_second = Some(10));

    let started = Instant::now();
    let workspace = workspace(&wire, &clockify).await;
    let snapshot = fetch(&clockify, &workspace).await;

    assert!(is_complete(&snapshot));
    assert_eq!(wire.sandbox.calls().len(), 24, "26 with the identity: three windows");
    assert!(wire.statuses().iter().all(|status| status == "GET 200"), "{:?}", wire.statuses());
    let took = started.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(4)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn hostile_names_are_shown_safely() {
    let hostile = "\u{1b}]52;c;Zm9v\u{7}\u{202e}evil\u{200b}\u{3164}\r\n";
    let mut world = World::bare();
    let client = world.add_client(hostile);
    let project = world.add_project(hostile, client);
    world.add_task(hostile, project);
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;

    for (kind, parent) in [(Kind::Client, None), (Kind::Project, Some(client)), (Kind::Task, Some(project))] {
        let taken =
            clockify.create(&workspace, kind, parent.map(object_id), &hostile.into(), None, &BTreeMap::new()).await;
        let failure = taken.expect_err("taken");
        assert!(failure.to_string().contains("⟨U+202E⟩evil"), "{failure}");
        assert_safe(&failure.to_string());
    }
    let odd = json!([{"id": hostile, "name": hostile, "archived": hostile, "duration": 5}]).to_string();
    for body in [
        odd.clone(),
        json!({"id": hostile, "name": 5}).to_string(),
        json!({"message": hostile, "code": hostile}).to_string(),
    ] {
        wire.sandbox.knobs().faults = vec![Fault::new(FaultKind::Status(200, body.clone())).times(u32::MAX)];
        let created = clockify.create(&workspace, Kind::Client, None, &"New".into(), None, &BTreeMap::new()).await;
        assert_safe(&created.expect_err("unreadable").to_string());
        let found = clockify.find(&workspace, Kind::Client, None, &"New".into()).await;
        assert_safe(&found.expect_err("unreadable").to_string());
        wire.sandbox.knobs().faults = vec![Fault::new(FaultKind::Status(400, body)).times(u32::MAX)];
        let created = clockify.create(&workspace, Kind::Client, None, &"New".into(), None, &BTreeMap::new()).await;
        assert_safe(&created.expect_err("refused").to_string());
    }
}

#[tokio::test]
async fn the_key_is_in_nothing_that_can_be_seen() {
    const CANARY: &str = "canary-key-7fd1";
    let mut visible = Vec::new();
    let others = [
        FaultKind::Status(401, String::new()),
        FaultKind::Redirect("http://127.0.0.1:1/".to_owned()),
        FaultKind::RetryAfter("3600".to_owned()),
    ];
    for what in troubles().into_iter().chain(others).map(Some).chain([None]) {
        let Agency { mut world, client, .. } = agency();
        world.clockify_key = CANARY.to_owned();
        let wire = Wire::new(world, Knobs::default()).await;
        let clockify = wire.clockify();
        let workspace = workspace(&wire, &clockify).await;
        wire.sandbox.knobs().faults = what.into_iter().map(|what| Fault::new(what).times(u32::MAX)).collect();
        for error in [clockify.fetch(&workspace, &|_, _| {}).await.err(), clockify.identity(None).await.err()]
            .into_iter()
            .flatten()
        {
            visible.extend([error.to_string(), error.hint(), format!("{error:?}")]);
        }
        let created = clockify.create(&workspace, Kind::Client, None, &"New".into(), None, &BTreeMap::new()).await;
        let updated = clockify.update(&workspace, Kind::Client, object_id(client), &closed(true)).await;
        let read = clockify.read(&workspace, Kind::Client, object_id(client), None).await;
        visible.extend([
            format!("{created:?}{updated:?}{read:?}"),
            format!("{clockify:?}"),
            format!("{:?}", wire.exchanges()),
        ]);
    }

    let leaks: Vec<&String> = visible.iter().filter(|text| text.contains(CANARY)).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    assert!(visible.len() > 60);
}
