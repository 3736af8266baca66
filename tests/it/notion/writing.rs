//! Writing to pages.

use std::collections::BTreeMap;

use punchlist::{
    domain::{
        model::{Field, Kind, Standing, Value},
        rules::Mapping,
        text::Raw,
    },
    edge::http::Failure,
    sandbox::{Fault, FaultKind, Knobs, World},
};
use serde_json::{Value as Json, json};

use super::{claim, mapped};
use crate::support::{Wire, page_id};

#[tokio::test]
async fn a_claim_and_several_fields_are_one_patch_and_nothing_else_changes() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    let page = world.add_project_page("Website", client);
    world.set(page, "Tags", json!(["Web"]));
    world.set(page, "Due", json!({"start": "2026-12-24"}));
    let wire = Wire::new(world, Knobs::default()).await;
    let fields = [(Field::Note, "Notes"), (Field::Billable, "Billable"), (Field::Estimate, "Estimate (h)")];
    let (notion, source) = wire.bound(Kind::Project, &mapped(Kind::Project, &fields)).await;
    let before = wire.sandbox.world().page(page).expect("a page").properties;
    let note = format!("\"quoted\"\n🚀{}", "long ".repeat(900));

    let wanted: BTreeMap<Field, Value> = [
        (Field::Name, Value::text("Web \"site\" 2")),
        (Field::State, Value::Closed(true)),
        (Field::Note, Value::text(&note)),
        (Field::Billable, Value::Flag(true)),
        (Field::Estimate, Value::Seconds(4711)),
    ]
    .into();
    let written = notion
        .write_back(Kind::Project, &source, page_id(page), Some(Some(claim())), &wanted, false)
        .await
        .expect("written");

    assert_eq!(written.claim.id(), Some(claim()));
    assert_eq!((written.title, written.standing.is_closed()), (Raw::from("Web \"site\" 2"), true));
    let mut expected = before;
    for (property, value) in [
        ("Name", json!("Web \"site\" 2")),
        ("Status", json!("Done")),
        ("Notes", json!(note.trim())),
        ("Billable", json!(true)),
        ("Estimate (h)", json!(4711.0 / 3600.0)),
        ("Clockify Project ID", json!(claim().as_str())),
    ] {
        expected.insert(property.to_owned(), value);
    }
    assert_eq!(wire.sandbox.world().page(page).expect("a page").properties, expected);
    assert_eq!(wire.statuses(), ["PATCH 200"]);
}

#[tokio::test]
async fn everything_that_was_written_can_be_cleared() {
    let mut world = World::empty();
    let page = world.add_client_page("Acme");
    world.set_claim_text(page, claim().as_str());
    world.set_checkbox(page, "Archive", true);
    world.set(page, "Email", "a@b.example");
    world.set_text(page, "Notes", "note");
    world.set(page, "Website", "https://acme.example");
    let wire = Wire::new(world, Knobs::default()).await;
    let fields = [(Field::Note, "Notes"), (Field::Email, "Email"), (Field::Address, "Website")];
    let (notion, source) = wire.bound(Kind::Client, &mapped(Kind::Client, &fields)).await;

    let wanted: BTreeMap<Field, Value> = [
        (Field::State, Value::Closed(false)),
        (Field::Note, Value::Empty),
        (Field::Email, Value::Empty),
        (Field::Address, Value::Empty),
    ]
    .into();
    notion.write_back(Kind::Client, &source, page_id(page), Some(None), &wanted, false).await.expect("written");

    let properties = wire.sandbox.world().page(page).expect("a page").properties;
    let now: Vec<&Json> =
        ["Clockify Client ID", "Archive", "Notes", "Email", "Website"].map(|name| &properties[name]).into();
    assert_eq!(now, [&json!(""), &json!(false), &json!(""), &json!(null), &json!(null)]);
    assert_eq!(wire.statuses(), ["PATCH 200"]);
}

#[tokio::test]
async fn a_reopened_page_takes_the_default_status() {
    let mut world = World::empty();
    let page = world.add_task_page("Design", None);
    world.set_status(page, "Status", "Done");
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Task, &Mapping::n8n()).await;

    let open = [(Field::State, Value::Closed(false))].into();
    let written = notion.write_back(Kind::Task, &source, page_id(page), None, &open, false).await.expect("written");

    assert_eq!(written.standing, Standing::Open);
    assert_eq!(wire.sandbox.world().page(page).expect("a page").properties["Status"], "Not started");
}

/// What comes of writing a field of a project page, with the edit that people made since the schema was read.
async fn refused(fields: &[(Field, &str)], meanwhile: fn(&mut World), wanted: (Field, Value)) -> (Vec<String>, String) {
    let mut world = World::empty();
    let page = world.add_project_page("Website", None);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Project, &mapped(Kind::Project, fields)).await;
    meanwhile(&mut wire.sandbox.world());
    let before = wire.sandbox.world().notion_snapshot();
    let failure = notion
        .write_back(Kind::Project, &source, page_id(page), None, &[wanted].into(), false)
        .await
        .expect_err("refused");
    assert!(matches!(failure, Failure::Rejected { .. }), "{failure}");
    assert_eq!(wire.sandbox.world().notion_snapshot(), before, "{failure}");
    (wire.statuses(), failure.to_string())
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_by_name() {
    let none: fn(&mut World) = |_| {};
    let long = "x".repeat(300_000);
    for (field, property, meanwhile, value, sent, named) in [
        (Field::Note, "Label", none, Value::text("x"), false, "\"Label\""),
        (Field::Note, "Tags", none, Value::text("x"), false, "\"Tags\""),
        (Field::Note, "Due", none, Value::text("x"), false, "\"Due\""),
        (Field::Note, "Notes", none, Value::text(&long), false, "\"Notes\""),
        (Field::Billable, "Notes", none, Value::Flag(true), false, "billable"),
        (
            Field::State,
            "",
            |world| world.rename_option("Projects", "Status", "Done", "Finished"),
            Value::Closed(true),
            true,
            "Done",
        ),
        (Field::Note, "Notes", |world| world.delete_property("Projects", "Notes"), Value::text("x"), true, "Notes"),
        (
            Field::Note,
            "Notes",
            |world| world.rename_property("Projects", "Notes", "Remarks"),
            Value::text("x"),
            true,
            "Notes",
        ),
    ] {
        let fields: Vec<_> =
            [(Field::Note, property)].into_iter().filter(|(_, property)| !property.is_empty()).collect();
        let (calls, error) = refused(&fields, meanwhile, (field, value)).await;
        assert_eq!(calls, if sent { vec!["PATCH 400"] } else { vec![] }, "{error}");
        assert!(error.contains(named) && error.len() < 300, "{error}");
    }
}

#[tokio::test]
async fn a_property_that_became_read_only_is_refused_by_notion_and_named() {
    let mut world = World::empty();
    let page = world.add_project_page("Website", None);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Project, &mapped(Kind::Project, &[(Field::Note, "Notes")])).await;
    wire.sandbox.world().delete_property("Projects", "Notes");
    wire.add_column("Projects", "Notes", json!({"formula": {"expression": "prop(\"Name\")"}})).await;

    let note = [(Field::Note, Value::text("x"))].into();
    let failure =
        notion.write_back(Kind::Project, &source, page_id(page), None, &note, false).await.expect_err("refused");

    assert!(failure.has_status(400) && failure.to_string().contains("Notes"), "{failure}");
}

#[tokio::test]
async fn a_page_in_the_trash_or_out_of_sight_takes_no_write() {
    let mut world = World::empty();
    let (trashed, hidden) = (world.add_client_page("Trashed"), world.add_client_page("Hidden"));
    world.trash(trashed);
    world.hide(hidden);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;

    for (page, status) in [(trashed, 400), (hidden, 404)] {
        let written =
            notion.write_back(Kind::Client, &source, page_id(page), Some(Some(claim())), &BTreeMap::new(), false).await;
        assert!(written.expect_err("refused").has_status(status));
    }
    assert_eq!(wire.statuses(), ["PATCH 400", "PATCH 404"], "nothing is tried again");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_written_again_and_holds() {
    for what in [
        FaultKind::Reset,
        FaultKind::TruncatedBody,
        FaultKind::HtmlBody,
        FaultKind::Status(503, String::new()),
        FaultKind::Status(409, String::new()),
    ] {
        let mut world = World::empty();
        let page = world.add_client_page("Acme");
        let wire = Wire::new(world, Knobs::default()).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        wire.sandbox.knobs().faults =
            vec![Fault::new(what.clone()).on("PATCH", "/v1/pages/").times(4).after_execution()];

        let written =
            notion.write_back(Kind::Client, &source, page_id(page), Some(Some(claim())), &BTreeMap::new(), false).await;

        assert!(written.is_ok(), "{what:?}: {written:?}");
        assert_eq!(wire.sandbox.world().claim(page).as_deref(), Some(claim().as_str()));
        assert_eq!(wire.sandbox.calls().len(), 5, "{what:?}");
    }
}

#[tokio::test]
async fn a_storm_of_conflicts_ends() {
    let mut world = World::empty();
    let page = world.add_client_page("Acme");
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let conflict = r#"{"object":"error","status":409,"code":"conflict_error","message":"Conflict occurred while saving. Please try again."}"#;
    wire.sandbox.knobs().faults =
        vec![Fault::new(FaultKind::Status(409, conflict.to_owned())).on("PATCH", "").times(u32::MAX)];

    let written =
        notion.write_back(Kind::Client, &source, page_id(page), Some(Some(claim())), &BTreeMap::new(), false).await;

    let failure = written.expect_err("a conflict");
    assert!(failure.has_status(409) && failure.to_string().contains("conflict_error"), "{failure}");
    assert_eq!(wire.sandbox.calls().len(), 5);
}
