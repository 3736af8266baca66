//! What a row says, whatever its columns are.

use punchlist::{
    domain::{
        model::{Away, Field, Kind, Relation, Standing, Value},
        rules::{Condition, Holds, Mapped, Mapping, Unit},
        text::Raw,
    },
    edge::{
        http::Failure,
        notion::{Error, Seen},
    },
    sandbox::{Fault, FaultKind, Knobs, NotionId, Sandbox, World},
};
use serde_json::{Value as Json, json};

use super::{clients, fetch, mapped, pages};
use crate::support::{Wire, page_id, title};

#[tokio::test]
async fn a_relation_of_any_length_is_read_whole() {
    for (count, calls) in [(0, 1), (1, 1), (25, 1), (26, 2), (100, 2), (101, 3), (230, 4)] {
        let mut world = World::empty();
        let related = clients(&mut world, count);
        let project = world.add_project_page("Website", None);
        world.set_relation(project, "Clients", &related);
        let wire = Wire::new(world, Knobs::default()).await;

        let pages = pages(&wire, Kind::Project, &Mapping::n8n()).await;

        let related: Vec<_> = related.into_iter().map(page_id).collect();
        assert_eq!(pages[0].parent, Relation::from(related), "{count}");
        assert_eq!(wire.sandbox.calls().len(), calls, "{count}");
    }
}

#[tokio::test]
async fn references_that_cannot_be_read_are_no_missing_references() {
    let mut world = World::empty();
    let related = clients(&mut world, 30);
    let project = world.add_project_page("Website", None);
    world.set_relation(project, "Clients", &related);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Project, &Mapping::n8n()).await;
    for body in ["{}", r#"{"results":[],"has_more":true,"next_cursor":null}"#] {
        wire.sandbox.knobs().faults =
            vec![Fault::new(FaultKind::Status(200, body.to_owned())).on("GET", "/properties/").times(u32::MAX)];

        let listed = notion.fetch(Kind::Project, &source, &[], &|_| {}).await;

        assert!(matches!(listed, Err(Error::Failed { failure: Failure::Unknown { .. }, .. })), "{listed:?}");
    }
}

#[tokio::test]
async fn a_title_is_all_of_its_runs() {
    let mut world = World::empty();
    let page = world.add_client_page("");
    world.set_title_runs(
        page,
        &json!([{"text": "Web", "bold": true}, {"text": "site “"}, {"text": "relaunch", "link": "https://x.example"}, {"text": "” 🚀"}]),
    );
    let wire = Wire::new(world, Knobs::default()).await;

    let pages = pages(&wire, Kind::Client, &Mapping::n8n()).await;

    assert_eq!(pages[0].title, Raw::from("Website “relaunch” 🚀"));
}

#[tokio::test]
async fn people_are_read_by_address_and_all_of_them() {
    let mut world = World::empty();
    for number in 0..30 {
        world.add_person(&format!("Person {number}"), &format!("Person{number}@Example.com"), false);
    }
    let everybody: Vec<NotionId> =
        (0..30).map(|number| world.person(&format!("Person {number}")).expect("known")).collect();
    let nobody = world.add_task_page("Nobody", None);
    let many = world.add_task_page("Many", None);
    world.set(many, "Assignee", json!(everybody));
    let wire = Wire::new(world, Knobs::default()).await;

    let pages = pages(&wire, Kind::Task, &mapped(Kind::Task, &[(Field::Assignees, "Assignee")])).await;

    let of =
        |id| pages.iter().find(|page| page.id == page_id(id)).expect("there").values.get(Field::Assignees).cloned();
    let expected = (0..30).map(|number| Raw::from(format!("person{number}@example.com"))).collect();
    assert_eq!(of(many), Some(Value::People(expected)));
    assert_eq!(of(nobody), Some(Value::Empty));
}

#[tokio::test]
async fn people_without_addresses_are_a_problem_and_not_nobody() {
    let mut world = World::empty();
    let task = world.add_task_page("Design", None);
    let mara = world.person("Mara Lindqvist").expect("known");
    world.set(task, "Assignee", json!([mara]));
    let wire = Wire::new(world, Knobs { people_without_email: true, ..Knobs::default() }).await;
    let (notion, source) = wire.bound(Kind::Task, &mapped(Kind::Task, &[(Field::Assignees, "Assignee")])).await;

    let listed = fetch(&notion, Kind::Task, &source).await;

    let listing = listed.pages.complete().expect("complete: what is not known is left out");
    assert_eq!(listing.rows()[0].values.get(Field::Assignees), None);
    let because = listing.rows()[0].values.unknown_because(Field::Assignees).expect("unknown");
    assert!(because.contains("capability"), "{because}");
}

/// Adds a column, sets it on a page of the kind, and reads it as the field.
async fn read_as(kind: Kind, field: Field, config: Json, plain: Json) -> Option<Value> {
    let mut world = World::empty();
    let page = world.add_row(title(kind), "Page");
    let wire = Wire::new(world, Knobs::default()).await;
    wire.add_column(title(kind), "Column", config).await;
    if !plain.is_null() {
        wire.sandbox.world().set(page, "Column", plain);
    }
    let (notion, source) = wire.bound(kind, &mapped(kind, &[(field, "Column")])).await;
    let listed = fetch(&notion, kind, &source).await;
    assert_eq!(listed.pages.complete().expect("complete").rows().len(), 1);
    listed.pages.rows()[0].values.get(field).cloned()
}

#[tokio::test]
async fn every_usable_type_becomes_the_value_that_it_means() {
    let options = json!({"options": [{"name": "Yes"}, {"name": "No"}, {"name": "Blue"}, {"name": "High"}]});
    let text = |text: &str| Some(Value::text(text));
    let (client, project) = (Kind::Client, Kind::Project);
    for (kind, field, config, plain, expected) in [
        (client, Field::Note, json!({"rich_text": {}}), json!("  a\nb "), text("a\nb")),
        (client, Field::Note, json!({"rich_text": {}}), json!(null), Some(Value::Empty)),
        (client, Field::Email, json!({"email": {}}), json!("ap@acme.example"), text("ap@acme.example")),
        (client, Field::Email, json!({"email": {}}), json!(null), Some(Value::Empty)),
        (client, Field::Address, json!({"phone_number": {}}), json!("+49 30 1"), text("+49 30 1")),
        (client, Field::Address, json!({"url": {}}), json!("https://acme.example"), text("https://acme.example")),
        (client, Field::Note, json!({"select": options}), json!("High"), text("High")),
        (client, Field::Note, json!({"select": options}), json!(null), Some(Value::Empty)),
        (client, Field::Note, json!({"status": options}), json!("High"), text("High")),
        (client, Field::Note, json!({"multi_select": options}), json!(["High", "Blue"]), text("High, Blue")),
        (client, Field::Note, json!({"multi_select": options}), json!(null), Some(Value::Empty)),
        (client, Field::Note, json!({"number": {}}), json!(1.5), text("1.5")),
        (client, Field::Note, json!({"date": {}}), json!({"start": "2026-09-15"}), text("2026-09-15")),
        (client, Field::Note, json!({"unique_id": {"prefix": "CL"}}), json!(null), text("CL-1")),
        (client, Field::Note, json!({"unique_id": {}}), json!(null), text("1")),
        (client, Field::Note, json!({"formula": {"expression": "prop(\"Name\")"}}), json!(null), text("Page")),
        (client, Field::Note, json!({"formula": {"expression": "prop(\"Created\")"}}), json!(null), None),
        (project, Field::Billable, json!({"checkbox": {}}), json!(true), Some(Value::Flag(true))),
        (project, Field::Billable, json!({"checkbox": {}}), json!(null), Some(Value::Flag(false))),
        (project, Field::Public, json!({"select": options}), json!("Yes"), Some(Value::Flag(true))),
        (project, Field::Public, json!({"status": options}), json!("No"), Some(Value::Flag(false))),
        (project, Field::Public, json!({"select": options}), json!("High"), None),
        (
            project,
            Field::Billable,
            json!({"formula": {"expression": "prop(\"Billable\")"}}),
            json!(null),
            Some(Value::Flag(false)),
        ),
        (project, Field::Estimate, json!({"number": {}}), json!(1.25), Some(Value::Seconds(4500))),
        (project, Field::Estimate, json!({"number": {}}), json!(-1), None),
        (
            project,
            Field::Estimate,
            json!({"formula": {"expression": "prop(\"Estimate (h)\")"}}),
            json!(null),
            Some(Value::Empty),
        ),
        (project, Field::Color, json!({"select": options}), json!("Blue"), text("#337ea9")),
        (project, Field::Color, json!({"rich_text": {}}), json!("#03A9F4"), text("#03a9f4")),
        (
            project,
            Field::Note,
            json!({"date": {}}),
            json!({"start": "2026-09-15T08:00:00.000Z"}),
            text("2026-09-15T08:00:00.000Z"),
        ),
        (Kind::Task, Field::Assignees, json!({"people": {}}), json!([]), Some(Value::Empty)),
    ] {
        let note = format!("{field} of {config} with {plain}");
        assert_eq!(read_as(kind, field, config, plain).await, expected, "{note}");
    }
}

#[tokio::test]
async fn formulas_and_rollups_are_read_by_what_they_hold() {
    let mut world = World::empty();
    let project = world.add_project_page("Website", None);
    world.set_checkbox(project, "Billable", true);
    world.set(project, "Estimate (h)", 2);
    let task = world.add_task_page("Design", project);
    world.set(task, "Estimate (h)", 1.5);
    let wire = Wire::new(world, Knobs::default()).await;
    let rollup = |target: &str, function: &str| json!({"rollup": {"relation_property_name": "Projects", "rollup_property_name": target, "function": function}});
    wire.add_column("Tasks", "Formula", json!({"formula": {"expression": "prop(\"Estimate (h)\")"}})).await;
    wire.add_column("Tasks", "Billed", rollup("Billable", "show_original")).await;
    wire.add_column("Tasks", "Budget", rollup("Estimate (h)", "sum")).await;

    for (field, property, expected) in [
        (Field::Estimate, "Formula", Value::Seconds(5400)),
        (Field::Estimate, "Budget", Value::Seconds(7200)),
        (Field::Billable, "Billed", Value::Flag(true)),
    ] {
        let pages = pages(&wire, Kind::Task, &mapped(Kind::Task, &[(field, property)])).await;
        assert_eq!(pages[0].values.get(field), Some(&expected), "{property}");
    }
}

#[tokio::test]
async fn a_page_is_closed_by_whatever_property_says_so() {
    let one_of = |options: &[&str]| Holds::OneOf(options.iter().map(|&option| option.to_owned()).collect());
    let options = json!({"options": [{"name": "Open"}, {"name": "Over"}]});
    for (config, is, open, closed, because) in [
        (json!({"checkbox": {}}), Holds::Checked(true), json!(false), json!(true), "Column is checked"),
        (json!({"select": options}), one_of(&["Over"]), json!("Open"), json!("Over"), "Column is Over"),
        (json!({"select": options}), one_of(&["Over"]), json!(null), json!("Over"), "Column is Over"),
        (json!({"status": options}), one_of(&["Over"]), json!("Open"), json!("Over"), "Column is Over"),
        (
            json!({"formula": {"expression": "prop(\"Archive\")"}}),
            Holds::Checked(true),
            json!(false),
            json!(true),
            "Column is checked",
        ),
        (
            json!({"formula": {"expression": "prop(\"Website\")"}}),
            one_of(&["Over"]),
            json!("Open"),
            json!("Over"),
            "Column is Over",
        ),
    ] {
        let mut world = World::empty();
        let pair = clients(&mut world, 2);
        let wire = Wire::new(world, Knobs::default()).await;
        let formula = config["formula"]["expression"].as_str().map(|text| text[6..text.len() - 2].to_owned());
        wire.add_column("Clients", "Column", config).await;
        {
            let mut world = wire.sandbox.world();
            let property = formula.as_deref().unwrap_or("Column");
            world.set(pair[0], property, open);
            world.set(pair[1], property, closed);
        }
        let mut mapping = Mapping::n8n();
        mapping.clients.closed = Some(Condition { property: "Column".into(), is });

        let pages = pages(&wire, Kind::Client, &mapping).await;

        let standing = |id| pages.iter().find(|page| page.id == page_id(id)).expect("there").standing.clone();
        assert_eq!(standing(pair[0]), Standing::Open, "{because}");
        assert_eq!(standing(pair[1]), Standing::Closed { because: because.into() });
    }
}

type Edit = fn(&Sandbox, NotionId);

#[tokio::test]
async fn one_page_is_seen_where_it_is_and_only_by_its_id_in_the_trash() {
    let mut world = World::empty();
    let page = world.add_client_page("Acme");
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let look = async || match notion.page(Kind::Client, &source, page_id(page)).await.expect("an answer") {
        Seen::Page(page) if page.standing == Standing::Trashed => "trashed",
        Seen::Page(_) => "open",
        Seen::Away(Away::MovedOut) => "moved out",
        Seen::Away(Away::Lost) => "not found",
        Seen::Away(Away::NotMeant) => "not meant",
    };

    for (edit, expected) in [
        ((|_, _| {}) as Edit, "open"),
        (|sandbox, page| sandbox.world().trash(page), "trashed"),
        (|sandbox, page| sandbox.world().restore(page), "open"),
        (|sandbox, page| sandbox.world().set_archived(page, true), "trashed"),
        (|sandbox, page| sandbox.world().set_archived(page, false), "open"),
        (|sandbox, page| sandbox.world().hide(page), "not found"),
        (|sandbox, page| sandbox.world().show(page), "open"),
        (|sandbox, _| sandbox.knobs().unshared.extend(["Clients".to_owned()]), "not found"),
        (|sandbox, _| sandbox.knobs().unshared.clear(), "open"),
        (|sandbox, page| sandbox.world().move_out(page), "moved out"),
        (|sandbox, page| sandbox.world().delete_forever(page), "not found"),
    ] {
        edit(&wire.sandbox, page);
        wire.sandbox.clear_calls();
        assert_eq!(look().await, expected);
        assert_eq!(wire.sandbox.calls().len(), 1);
    }
}

#[tokio::test]
async fn only_pages_that_are_meant_are_listed_and_the_others_are_not_even_sent() {
    let options = json!({"options": [{"name": "Studio"}, {"name": "Support"}, {"name": "Other"}]});
    let one_of = |options: &[&str]| Holds::OneOf(options.iter().map(|&option| option.to_owned()).collect());
    for (config, is, meant, other) in [
        (json!({"checkbox": {}}), Holds::Checked(true), json!(true), json!(false)),
        (json!({"checkbox": {}}), Holds::Checked(false), json!(false), json!(true)),
        (json!({"select": options}), one_of(&["Studio", "Support"]), json!("Support"), json!("Other")),
        (json!({"status": options}), one_of(&["Support", "Gone"]), json!("Support"), json!("Other")),
        (json!({"multi_select": options}), one_of(&["Studio"]), json!(["Other", "Studio"]), json!(["Other"])),
    ] {
        let mut world = World::empty();
        let pair = clients(&mut world, 2);
        let wire = Wire::new(world, Knobs::default()).await;
        wire.add_column("Clients", "Team", config.clone()).await;
        {
            let mut world = wire.sandbox.world();
            world.set(pair[0], "Team", meant);
            world.set(pair[1], "Team", other.clone());
        }
        let mut mapping = Mapping::n8n();
        mapping.clients.only = Some(Condition { property: "Team".into(), is });
        wire.sandbox.clear_calls();

        let (notion, source) = wire.bound(Kind::Client, &mapping).await;
        let listed = fetch(&notion, Kind::Client, &source).await;

        let rows = listed.pages.complete().expect("complete").rows();
        assert_eq!(rows.iter().map(|page| page.id).collect::<Vec<_>>(), [page_id(pair[0])], "{config}");
        let seen = async |page| notion.page(Kind::Client, &source, page_id(page)).await.expect("an answer");
        assert!(matches!(seen(pair[0]).await, Seen::Page(_)));
        assert_eq!(seen(pair[1]).await, Seen::Away(Away::NotMeant), "{config}");
        wire.sandbox.world().set(pair[0], "Team", other);
        assert!(fetch(&notion, Kind::Client, &source).await.pages.complete().expect("complete").rows().is_empty());
    }
}

#[tokio::test]
async fn what_says_which_pages_are_meant_must_exist_and_be_of_a_type_that_can_be_asked_for() {
    let wire = Wire::new(World::empty(), Knobs::default()).await;
    for (property, is, part) in [
        ("Nowhere", Holds::Checked(true), "has no property \"Nowhere\""),
        ("Clockify Client ID", Holds::Checked(true), "as a property of the type rich_text"),
        ("Archive", Holds::OneOf(vec!["Yes".into()]), "as a property of the type checkbox"),
    ] {
        let mut mapping = Mapping::n8n();
        mapping.clients.only = Some(Condition { property: property.into(), is });
        let notion = wire.notion(&mapping);
        let reference = wire.sandbox.world().data_source("Clients").expect("there").to_string();

        let error = notion.resolve(Kind::Client, &reference).await.expect_err("a misfit");

        assert!(error.to_string().contains("mapping.clients.only") && error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn words_stand_for_values_both_ways() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    let page = world.add_project_page("Website", client);
    let wire = Wire::new(world, Knobs::default()).await;
    let options = json!({"options": [{"name": "Internal"}, {"name": "Client work"}, {"name": "Small"}, {"name": "Large"}, {"name": "yes"}]});
    wire.add_column("Projects", "Type", json!({"select": options})).await;
    wire.add_column("Projects", "Size", json!({"select": options})).await;
    wire.add_column("Projects", "Days", json!({"number": {}})).await;
    wire.add_column("Projects", "Area", json!({"select": options})).await;
    let words = |property: &str, words: &[(&str, Value)]| Mapped {
        values: words.iter().map(|(word, value)| ((*word).to_owned(), value.clone())).collect(),
        ..Mapped::as_is(property)
    };
    let mut mapping = Mapping::n8n();
    let types = [("Internal", Value::Flag(false)), ("Client work", Value::Flag(true))];
    mapping.projects.fields.insert(Field::Billable, words("Type", &types));
    mapping.projects.fields.insert(Field::Color, words("Area", &[("Small", Value::text("#00ff00"))]));
    mapping.projects.fields.insert(
        Field::Estimate,
        words("Size", &[("Small", Value::Seconds(14_400)), ("Large", Value::Seconds(144_000))]),
    );
    {
        let mut world = wire.sandbox.world();
        world.set(page, "Type", json!("Internal"));
        world.set(page, "Size", json!("Large"));
        world.set(page, "Area", json!("Small"));
    }

    let read = pages(&wire, Kind::Project, &mapping).await;
    let value = |field| read[0].values.get(field).cloned();
    assert_eq!(value(Field::Billable), Some(Value::Flag(false)));
    assert_eq!(value(Field::Color), Some(Value::text("#00ff00")));
    assert_eq!(value(Field::Estimate), Some(Value::Seconds(144_000)));

    let (notion, source) = wire.bound(Kind::Project, &mapping).await;
    let written = [(Field::Billable, Value::Flag(true)), (Field::Estimate, Value::Seconds(14_400))].into();
    notion.write_back(Kind::Project, &source, page_id(page), None, &written, false).await.expect("written");
    let shown = wire.sandbox.world().page(page).expect("there").properties;
    assert_eq!((shown["Type"].as_str(), shown["Size"].as_str()), (Some("Client work"), Some("Small")));
    // No word stands for this time.
    let odd = [(Field::Estimate, Value::Seconds(60))].into();
    let failure =
        notion.write_back(Kind::Project, &source, page_id(page), None, &odd, false).await.expect_err("no word");
    assert!(failure.to_string().contains("\"Size\" cannot be written"), "{failure}");

    mapping.projects.fields.insert(Field::Estimate, Mapped { unit: Unit::Days, ..Mapped::as_is("Days") });
    wire.sandbox.world().set(page, "Days", json!(1.5));
    let read = pages(&wire, Kind::Project, &mapping).await;
    assert_eq!(read[0].values.get(Field::Estimate), Some(&Value::Seconds(12 * 3600)));
    let (notion, source) = wire.bound(Kind::Project, &mapping).await;
    let written = [(Field::Estimate, Value::Seconds(4 * 3600))].into();
    notion.write_back(Kind::Project, &source, page_id(page), None, &written, false).await.expect("written");
    assert_eq!(wire.sandbox.world().page(page).expect("there").properties["Days"], json!(0.5));
}
