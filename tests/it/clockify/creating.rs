//! Creating objects and finding them.

use std::collections::BTreeMap;

use punchlist::{
    domain::{
        model::{Field, Kind, Value},
        text::Raw,
    },
    edge::http::Failure,
    sandbox::{ClockifyId, Knobs, World},
};
use serde_json::json;

use super::{Agency, agency, fetch, people, workspace};
use crate::support::{Wire, object_id};

#[tokio::test]
async fn what_is_created_has_every_mapped_field() {
    let Agency { world, client, project, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    let mara = wire.sandbox.world().member("Mara Lindqvist").expect("known");
    let note = "Scope:\n\t\"all\" of it — 🚀\n\nnotion:0000";

    for (kind, parent, field, value, key, expected) in [
        (Kind::Client, None, Field::Email, Value::text("x@y.example"), "email", json!("x@y.example")),
        (Kind::Client, None, Field::Address, Value::text("a\nb"), "address", json!("a\nb")),
        (Kind::Client, None, Field::Note, Value::text(note), "note", json!(note)),
        (Kind::Client, None, Field::Note, Value::Empty, "note", json!(null)),
        (Kind::Project, Some(client), Field::Billable, Value::Flag(true), "billable", json!(true)),
        (Kind::Project, None, Field::Public, Value::Flag(true), "public", json!(true)),
        (Kind::Project, None, Field::Color, Value::text("#03a9f4"), "color", json!("#03a9f4")),
        (Kind::Project, Some(client), Field::Note, Value::text(note), "note", json!(note)),
        (Kind::Project, None, Field::Estimate, Value::Seconds(5400), "time_estimate/estimate", json!("PT1H30M")),
        (Kind::Task, Some(project), Field::Assignees, people(&["mara@harbour.example"]), "assignee_ids", json!([mara])),
        (Kind::Task, Some(project), Field::Estimate, Value::Seconds(60), "estimate", json!("PT1M")),
        (Kind::Task, Some(project), Field::Billable, Value::Flag(false), "billable", json!(false)),
    ] {
        wire.sandbox.clear_calls();
        let name = Raw::from(format!("New {kind} {field} {expected}").replace(['\n', '\t'], " "));
        let fields = [(field, value.clone())].into();
        let created = clockify.create(&workspace, kind, parent.map(object_id), &name, None, &fields).await;

        let created = created.unwrap_or_else(|failure| panic!("{field} of a {kind}: {failure}"));
        let snapshot = wire.sandbox.world().clockify_snapshot();
        let row = &snapshot[kind.plural()][created.id.as_str()];
        assert_eq!((row["name"].as_str(), created.closed), (Some(name.exact()), false));
        assert_eq!(row.pointer(&format!("/{key}")), Some(&expected), "{field} of a {kind}");
        assert_eq!(created.values.get(field), Some(&value), "the answer says so: {field} of a {kind}");
        assert_eq!((created.parent, created.name.exact()), (parent.map(object_id), name.exact()));
        let posts = wire.sandbox.calls().iter().filter(|call| call.method == "POST").count();
        assert_eq!(posts, 1);
    }
}

#[tokio::test]
async fn what_no_field_says_is_left_to_the_workspace() {
    for preset in [true, false] {
        let mut world = World::bare();
        world.set_project_defaults(preset, preset);
        let wire = Wire::new(world, Knobs::default()).await;
        let clockify = wire.clockify();
        let workspace = workspace(&wire, &clockify).await;

        let created = clockify
            .create(&workspace, Kind::Project, None, &"Website".into(), None, &BTreeMap::new())
            .await
            .expect("created");

        assert_eq!(created.values.get(Field::Billable), Some(&Value::Flag(preset)));
        assert_eq!(created.values.get(Field::Public), Some(&Value::Flag(preset)));
    }
}

#[tokio::test]
async fn names_of_every_kind_survive_and_are_found_again() {
    let Agency { world, client, project, .. } = agency();
    // What we send has the form that a server would trim it to.
    let wire = Wire::new(world, Knobs { names_trimmed: true, names_nfc: true, ..Knobs::default() }).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    let long = |count: usize| format!("{}é", "n".repeat(count - 1));
    for name in [
        "\"Quoted\" & 'more'".to_owned(),
        "50 % + 1 = x?y#z/ü;{}\\".to_owned(),
        "👩‍👧 Family 🚀".to_owned(),
        "Проект №5".to_owned(),
        "a,b".to_owned(),
        "true".to_owned(),
    ] {
        for (kind, parent) in
            [(Kind::Client, None), (Kind::Project, Some(client)), (Kind::Project, None), (Kind::Task, Some(project))]
        {
            let (parent, name) = (parent.map(object_id), Raw::from(name.as_str()));
            let created =
                clockify.create(&workspace, kind, parent, &name, None, &BTreeMap::new()).await.expect("created");
            let found = clockify.find(&workspace, kind, parent, &name).await.expect("an answer");
            assert_eq!(found, [created], "{kind} {}", name.exact());
        }
    }
    for (kind, parent, longest) in
        [(Kind::Client, None, 100), (Kind::Project, None, 250), (Kind::Task, Some(project), 1000)]
    {
        let fits = Raw::from(long(longest));
        clockify.create(&workspace, kind, parent.map(object_id), &fits, None, &BTreeMap::new()).await.expect("created");
        let too_long = Raw::from(long(longest + 1));
        let failure = clockify
            .create(&workspace, kind, parent.map(object_id), &too_long, None, &BTreeMap::new())
            .await
            .expect_err("refused");
        assert!(failure.has_status(400) && failure.to_string().contains(&longest.to_string()), "{failure}");
    }
}

#[tokio::test]
async fn finding_looks_under_the_parent_and_sees_archived_ones() {
    let Agency { mut world, client, other_client, project, task, .. } = agency();
    let other = world.add_project("Website", other_client);
    let longer = world.add_project("Website relaunch", client);
    world.add_client("Acme International");
    for object in [client, project, task] {
        world.close_object(object);
    }
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    let find = async |kind, parent: Option<ClockifyId>, name: &str| {
        let found = clockify.find(&workspace, kind, parent.map(object_id), &name.into()).await.expect("an answer");
        found.into_iter().map(|object| (object.id, object.closed)).collect::<Vec<_>>()
    };

    assert_eq!(find(Kind::Client, None, "Acme").await, [(object_id(client), true)]);
    assert_eq!(find(Kind::Project, Some(client), "Website").await, [(object_id(project), true)]);
    assert_eq!(find(Kind::Project, Some(other_client), "Website").await, [(object_id(other), false)]);
    assert_eq!(find(Kind::Project, None, "Website").await, []);
    assert_eq!(find(Kind::Project, Some(client), "Website relaunch").await, [(object_id(longer), false)]);
    assert_eq!(find(Kind::Task, Some(project), "Design").await, [(object_id(task), true)]);
    assert_eq!(find(Kind::Task, Some(project), "Desig").await, []);
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_nothing_else_is_tried() {
    let Agency { world, client, project, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    fetch(&clockify, &workspace).await;
    let before = wire.sandbox.world().clockify_snapshot();

    for (kind, parent, name) in
        [(Kind::Client, None, "Acme"), (Kind::Project, Some(client), "Website"), (Kind::Task, Some(project), "Design")]
    {
        wire.sandbox.clear_calls();
        let failure =
            clockify.create(&workspace, kind, parent.map(object_id), &name.into(), None, &BTreeMap::new()).await;
        let Err(Failure::Rejected { status: 400, code: Some(code), message, .. }) = failure else {
            panic!("{failure:?}")
        };
        assert!(code.as_str() == "501" && message.contains("already exists"), "{message}");
        assert_eq!(wire.statuses(), ["POST 400"]);
    }
    assert_eq!(wire.sandbox.world().clockify_snapshot(), before);
}

#[tokio::test]
async fn somebody_unknown_is_named_before_anything_is_sent() {
    let Agency { world, project, task, .. } = agency();
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    fetch(&clockify, &workspace).await;
    wire.sandbox.clear_calls();
    let fields = [(Field::Assignees, people(&["mara@harbour.example", "kai@elsewhere.example"]))].into();

    let created = clockify.create(&workspace, Kind::Task, Some(object_id(project)), &"New".into(), None, &fields).await;
    let updated = clockify.update(&workspace, Kind::Task, object_id(task), &fields).await;

    for failure in [created.expect_err("unknown"), updated.expect_err("unknown")] {
        assert!(failure.has_status(0) && failure.to_string().contains("kai@elsewhere.example"), "{failure}");
    }
    assert!(wire.sandbox.calls().is_empty());
}

#[tokio::test]
async fn what_was_deleted_or_never_was_is_shown_by_nobody() {
    let Agency { mut world, client, project, task, bare_project, bare_task, .. } = agency();
    let never = world.unused_clockify_id();
    world.delete_object(task);
    world.delete_object(client);
    let wire = Wire::new(world, Knobs::default()).await;
    let clockify = wire.clockify();
    let workspace = workspace(&wire, &clockify).await;
    let read = async |kind, object, parent: Option<ClockifyId>| {
        clockify.read(&workspace, kind, object_id(object), parent.map(object_id)).await.expect("an answer")
    };

    assert_eq!(read(Kind::Client, client, None).await, None);
    assert_eq!(read(Kind::Client, never, None).await, None);
    assert_eq!(read(Kind::Client, project, None).await, None, "the id of another kind");
    assert_eq!(read(Kind::Project, never, None).await, None);
    assert_eq!(read(Kind::Task, task, Some(project)).await, None);
    assert_eq!(read(Kind::Task, bare_task, Some(project)).await, None, "the task of another project");
    assert_eq!(read(Kind::Project, project, None).await.expect("there").parent, None, "its client is gone");
    assert_eq!(read(Kind::Task, bare_task, Some(bare_project)).await.expect("there").id, object_id(bare_task));
    let gone = clockify.observe(&workspace, Kind::Client, &[object_id(client)]).await;
    assert_eq!(gone, [(object_id(client), Ok(None))]);
}
