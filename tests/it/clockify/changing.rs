//! Changing what is planned, and nothing else.

use std::collections::BTreeMap;

use punchlist::{
    domain::model::{Field, Kind, Value},
    edge::http::Failure as Refused,
    sandbox::Knobs,
};
use serde_json::{Value as Json, json};

use super::{Agency, POSITIONS, agency, changes, closed, fetch, people, workspace};
use crate::support::{Wire, object_id};

#[tokio::test]
async fn an_update_changes_what_is_planned_and_nothing_else() {
    let Agency { world, client, other_client, project, bare_project, task, bare_task } = agency();
    let aiko = world.member("Aiko Tanaka").expect("known");
    let text = Value::text;
    let (c, p, t) = (format!("clients/{client}"), format!("projects/{project}"), format!("tasks/{task}"));
    let (bp, bt) = (format!("projects/{bare_project}"), format!("tasks/{bare_task}"));
    let estimate = |path: &str, seconds: Json, active: bool| {
        let mut changes = vec![(format!("{path}/time_estimate/estimate"), seconds)];
        if !active {
            changes.push((format!("{path}/time_estimate/active"), json!(false)));
        }
        changes
    };
    let one = |path: &str, key: &str, value: Json| vec![(format!("{path}/{key}"), value)];
    let cases = [
        (Kind::Client, client, Field::Name, text("Acme \"2\""), one(&c, "name", json!("Acme \"2\""))),
        (Kind::Client, client, Field::State, Value::Closed(true), one(&c, "archived", json!(true))),
        (Kind::Client, client, Field::Email, text("new@acme.example"), one(&c, "email", json!("new@acme.example"))),
        (Kind::Client, client, Field::Email, Value::Empty, one(&c, "email", json!(null))),
        (Kind::Client, client, Field::Address, text("Street 2"), one(&c, "address", json!("Street 2"))),
        (Kind::Client, client, Field::Address, Value::Empty, one(&c, "address", json!(""))),
        (Kind::Client, client, Field::Note, text("a \"b\"\nc"), one(&c, "note", json!("a \"b\"\nc"))),
        (Kind::Client, client, Field::Note, Value::Empty, one(&c, "note", json!(""))),
        (Kind::Project, project, Field::Name, text("Web 🚀"), one(&p, "name", json!("Web 🚀"))),
        (Kind::Project, project, Field::State, Value::Closed(true), one(&p, "archived", json!(true))),
        (
            Kind::Project,
            project,
            Field::Parent,
            Value::Object(object_id(other_client)),
            one(&p, "client", json!(other_client)),
        ),
        (Kind::Project, project, Field::Parent, Value::Empty, one(&p, "client", json!(null))),
        (
            Kind::Project,
            bare_project,
            Field::Parent,
            Value::Object(object_id(client)),
            one(&bp, "client", json!(client)),
        ),
        (Kind::Project, bare_project, Field::Name, text("Bare 2"), one(&bp, "name", json!("Bare 2"))),
        (Kind::Project, project, Field::Billable, Value::Flag(false), one(&p, "billable", json!(false))),
        (Kind::Project, project, Field::Public, Value::Flag(false), one(&p, "public", json!(false))),
        (Kind::Project, project, Field::Color, text("#337ea9"), one(&p, "color", json!("#337ea9"))),
        (Kind::Project, project, Field::Color, Value::Empty, vec![]),
        (Kind::Project, project, Field::Billable, Value::Empty, vec![]),
        (Kind::Project, project, Field::Note, text("x\n\ty"), one(&p, "note", json!("x\n\ty"))),
        (Kind::Project, project, Field::Note, Value::Empty, one(&p, "note", json!(""))),
        (Kind::Project, project, Field::Estimate, Value::Seconds(5400), estimate(&p, json!("PT1H30M"), true)),
        (Kind::Project, project, Field::Estimate, Value::Empty, estimate(&p, json!("PT0S"), false)),
        (Kind::Task, task, Field::Name, text("Design"), vec![]),
        (Kind::Task, task, Field::Name, text("Draw"), one(&t, "name", json!("Draw"))),
        (Kind::Task, task, Field::State, Value::Closed(true), one(&t, "done", json!(true))),
        (Kind::Task, task, Field::Billable, Value::Flag(false), one(&t, "billable", json!(false))),
        (Kind::Task, task, Field::Estimate, Value::Seconds(7200), one(&t, "estimate", json!("PT2H"))),
        (Kind::Task, task, Field::Estimate, Value::Empty, one(&t, "estimate", json!("PT0S"))),
        (Kind::Task, task, Field::Assignees, people(&["aiko@harbour.example"]), one(&t, "assignee_ids", json!([aiko]))),
        (Kind::Task, task, Field::Assignees, Value::Empty, one(&t, "assignee_ids", json!([]))),
        (Kind::Task, bare_task, Field::State, Value::Closed(true), one(&bt, "done", json!(true))),
    ];
    for (position, turn) in POSITIONS {
        let mut knobs = Knobs::default();
        turn(&mut knobs);
        let wire = Wire::new(world.clone(), knobs).await;
        for (kind, object, field, value, expected) in &cases {
            *wire.sandbox.world() = world.clone();
            let clockify = wire.clockify();
            let workspace = workspace(&wire, &clockify).await;
            let before = wire.sandbox.world().clockify_snapshot();
            fetch(&clockify, &workspace).await;
            wire.sandbox.clear_calls();

            let now = clockify.update(&workspace, *kind, object_id(*object), &[(*field, value.clone())].into()).await;

            let what = format!("{field} of a {kind} to {value:?}, {position}");
            let now = now.unwrap_or_else(|failure| panic!("{what}: {failure}"));
            let after = wire.sandbox.world().clockify_snapshot();
            assert_eq!(changes(&before, &after), expected.iter().cloned().collect(), "{what}");
            assert_eq!(now, *fetch(&clockify, &workspace).await[*kind].get(now.id).expect("there"), "{what}");
            let is_estimate = (*kind, *field) == (Kind::Project, Field::Estimate);
            let sent = wire.sandbox.calls().into_iter().filter(|call| call.mutation).map(|call| call.method);
            assert_eq!(sent.collect::<Vec<_>>(), [if is_estimate { "PATCH" } else { "PUT" }], "{what}");
        }
    }
}

#[tokio::test]
async fn nothing_is_changed_that_was_not_read_a_moment_before() {
    let Agency { world, client, project, task, .. } = agency();
    for hydrated_tasks in [true, false] {
        let wire = Wire::new(world.clone(), Knobs { hydrated_tasks, ..Knobs::default() }).await;
        for (kind, object, path) in [
            (Kind::Client, client, format!("clients/{client}/archived")),
            (Kind::Project, project, format!("projects/{project}/archived")),
            (Kind::Task, task, format!("tasks/{task}/done")),
        ] {
            let clockify = wire.clockify();
            let workspace = workspace(&wire, &clockify).await;
            let unread = clockify.update(&workspace, kind, object_id(object), &closed(true)).await;
            assert_eq!(unread.expect_err("never read"), Refused::Outdated);
            fetch(&clockify, &workspace).await;
            for state in [true, false] {
                let before = wire.sandbox.world().clockify_snapshot();
                let now = clockify.update(&workspace, kind, object_id(object), &closed(state)).await.expect("changed");
                assert_eq!(now.closed, state);
                let changed = changes(&before, &wire.sandbox.world().clockify_snapshot());
                assert_eq!(changed, [(path.clone(), json!(state))].into());
            }
        }
    }
}

#[tokio::test]
async fn an_address_that_is_shown_as_blank_is_not_sent_as_one() {
    let Agency { mut world, client, .. } = agency();
    world.edit_client(client, |client| client.email = Some(String::new()));
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    clockify.observe(&workspace, Kind::Client, &[object_id(client)]).await;

    let now = clockify.update(&workspace, Kind::Client, object_id(client), &closed(true)).await.expect("closed");

    assert_eq!((now.closed, now.values.get(Field::Email)), (true, Some(&Value::Empty)));
    let odd = [(Field::Email, Value::text("nobody"))].into();
    let failure = clockify.update(&workspace, Kind::Client, object_id(client), &odd).await.expect_err("no address");
    assert!(failure.to_string().contains("[email]"), "{failure}");
}

#[tokio::test]
async fn an_estimate_goes_its_own_way_and_a_refused_one_takes_nothing_with_it() {
    let Agency { world, project, task, bare_task, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    fetch(&clockify, &workspace).await;
    wire.sandbox.clear_calls();
    let both: BTreeMap<Field, Value> =
        [(Field::Estimate, Value::Seconds(60)), (Field::Note, Value::text("new"))].into();

    clockify.update(&workspace, Kind::Project, object_id(project), &both).await.expect("changed");
    assert_eq!(wire.statuses(), ["PUT 200", "PATCH 200"]);
    assert!(wire.sandbox.calls()[1].path.ends_with("/estimate") && wire.sandbox.calls()[0].body["estimate"].is_null());

    wire.sandbox.knobs().estimates_refused = true;
    let before = wire.sandbox.world().clockify_snapshot();
    for (kind, object) in [(Kind::Project, project), (Kind::Task, task)] {
        let seconds = [(Field::Estimate, Value::Seconds(3600))].into();
        let failure = clockify.update(&workspace, kind, object_id(object), &seconds).await.expect_err("refused");
        assert!(failure.has_status(403), "{failure}");
    }
    assert_eq!(wire.sandbox.world().clockify_snapshot(), before);
    assert_eq!(wire.sandbox.calls().len(), 4, "a refusal is believed at once");
    let renamed = [(Field::Name, Value::text("Bare 2"))].into();
    let unhindered = clockify.update(&workspace, Kind::Task, object_id(bare_task), &renamed).await;
    assert!(unhindered.is_ok(), "a task without an estimate is not held up by the plan: {unhindered:?}");
}

#[tokio::test]
async fn a_task_is_never_moved_and_nothing_unplanned_is_sent() {
    let Agency { world, project, bare_project, task, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    fetch(&clockify, &workspace).await;
    wire.sandbox.clear_calls();

    let elsewhere = [(Field::Parent, Value::Object(object_id(bare_project)))].into();
    let moved = clockify.update(&workspace, Kind::Task, object_id(task), &elsewhere).await.expect_err("impossible");
    let nothing = clockify.update(&workspace, Kind::Project, object_id(project), &BTreeMap::new()).await;

    assert!(moved.has_status(0) && moved.to_string().contains("cannot move a task"), "{moved}");
    assert!(nothing.expect_err("nothing").has_status(0));
    assert!(wire.sandbox.calls().is_empty());
}
