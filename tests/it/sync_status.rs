//! Pages that tell what waits for a person: written when that changes, and at no other time.

use punchlist::sandbox::{Fault, FaultKind, NotionId, Service, World};
use serde_json::{Value, json};

use crate::support::Rig;

const TELLING: &str = "mapping.clients.sync_status = \"Sync status\"\nmapping.clients.sync_note = \"Sync note\"\n";

/// Three clients that both sides agree on, in a database with a column for the word and one for the reasons.
fn telling() -> (Rig, [NotionId; 3]) {
    let mut world = World::empty();
    let pages = ["Globex", "Initech", "Hooli"].map(|name| world.add_client_page(name));
    let rig = Rig::new(world);
    rig.add_column("Clients", "Sync status", json!({"select": {}}));
    rig.add_column("Clients", "Sync note", json!({"rich_text": {}}));
    rig.add_column("Clients", "Synced", json!({"checkbox": {}}));
    rig.configure(TELLING);
    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["told"]), (0, &json!(0)), "where nothing waits there is nothing to tell");
    rig.sandbox.clear_calls();
    (rig, pages)
}

/// The word and the reasons in a page.
fn told(rig: &Rig, page: NotionId) -> (String, String) {
    let page = rig.sandbox.world().page(page).expect("a page");
    let text = |name: &str| page.properties[name].as_str().unwrap_or_default().to_owned();
    (text("Sync status"), text("Sync note"))
}

fn drift(rig: &Rig, from: &str, to: &str) {
    let mut world = rig.sandbox.world();
    let client = world.find_client(from).expect("a client");
    world.rename_object(client, to);
}

fn silent() -> (String, String) {
    (String::new(), String::new())
}

#[test]
fn a_page_tells_what_waits_until_nothing_does() {
    let (rig, [globex, initech, hooli]) = telling();
    drift(&rig, "Globex", "Globex Inc");
    rig.sandbox.world().set_title(initech, "Initech <new>");

    let (code, report) = rig.auto_approve();

    assert_eq!(
        (code, &report["told"], &report["applied"]),
        (2, &json!(2), &json!(0)),
        "telling is no change of the plan"
    );
    let (word, note) = told(&rig, globex);
    assert_eq!(word, "Needs review");
    assert!(note.starts_with("update name: ") && note.contains("Clockify"), "{note}");
    let (word, note) = told(&rig, initech);
    assert_eq!(word, "Held");
    assert!(note.contains("Clockify refuses '<' in names"), "{note}");
    assert_eq!(told(&rig, hooli), silent());

    rig.sandbox.clear_calls();
    assert_eq!(rig.auto_approve().0, 2);
    assert_eq!(rig.mutations().len(), 0, "what a page tells already is not written again");

    drift(&rig, "Globex Inc", "Globex");
    rig.sandbox.world().set_title(initech, "Initech");
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!((told(&rig, globex), told(&rig, initech)), (silent(), silent()));
    assert_eq!(rig.mutations().len(), 2);
    rig.sandbox.clear_calls();
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
    assert_eq!(rig.mutations().len(), 0);
}

#[test]
fn what_people_say_and_what_fails_is_told_too() {
    let (rig, [globex, initech, _]) = telling();
    drift(&rig, "Globex", "Globex Inc");
    let said = rig.plain("f ask Ana first\nq\n");
    assert!(said.contains("flagged: update client"), "{said}");
    rig.sandbox.world().set_title(initech, "Initech GmbH");
    rig.sandbox.knobs().faults.push(
        Fault::new(FaultKind::Status(400, json!({"message": "no"}).to_string()))
            .service(Service::Clockify)
            .on("PUT", "/clients"),
    );

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["failed"]), (1, &json!(1)));
    let (word, note) = told(&rig, globex);
    assert_eq!(word, "Flagged");
    assert!(note.contains("ask Ana first"), "{note}");
    let (word, note) = told(&rig, initech);
    assert_eq!(word, "Failed");
    assert!(note.starts_with("update name failed: "), "{note}");

    rig.sandbox.knobs().faults.clear();
    rig.auto_approve();
    assert_eq!(told(&rig, initech), silent());
}

#[test]
fn a_page_that_cannot_be_told_is_a_failure_with_its_name_and_is_told_by_the_next_run() {
    let (rig, [globex, ..]) = telling();
    drift(&rig, "Globex", "Globex Inc");
    rig.sandbox.knobs().faults.push(
        Fault::new(FaultKind::Status(400, json!({"message": "no"}).to_string()))
            .service(Service::Notion)
            .on("PATCH", "/pages"),
    );

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["told"], &report["pending"]), (1, &json!(0), &json!(1)));
    assert_eq!(report["failures"][0]["name"], "Globex");
    let run = report["run_id"].as_str().expect("an ID").to_owned();
    let logged = rig.run(&["logs", "show", &run]).stdout;
    assert!(logged.contains("sync_status"), "{logged}");
    rig.sandbox.knobs().faults.clear();
    assert_eq!(rig.auto_approve().1["told"], json!(1));
    assert_eq!(told(&rig, globex).0, "Needs review");
}

#[test]
fn a_lost_reply_is_looked_up_and_an_undo_leaves_alone_what_pages_tell() {
    let (rig, [globex, _, hooli]) = telling();
    drift(&rig, "Globex", "Globex Inc");
    rig.sandbox.world().set_title(hooli, "Hooli GmbH");
    rig.sandbox.knobs().faults.push(Fault::lost_reply().service(Service::Notion).on("PATCH", "/pages"));

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["told"], &report["applied"]), (2, &json!(1), &json!(1)));
    rig.sandbox.knobs().faults.clear();
    let undo = rig.run(&["undo", "--json"]).json();
    let lines: Vec<(&Value, &Value)> =
        undo["changes"].as_array().expect("changes").iter().map(|change| (&change["name"], &change["state"])).collect();
    assert_eq!(lines, [(&json!("Hooli GmbH"), &json!("ready"))]);
    assert_eq!(told(&rig, globex).0, "Needs review");
}

#[test]
fn a_property_that_cannot_tell_is_refused_at_the_start() {
    let (rig, _) = telling();
    for (more, parts) in [
        (
            "mapping.clients.sync_status = \"Synced\"\n",
            ["mapping.clients.sync_status", "checkbox", "select, rich_text"],
        ),
        ("mapping.clients.sync_note = \"Sync status\"\n", ["mapping.clients.sync_note", "select", "rich_text"]),
        ("mapping.clients.sync_note = \"Sync nope\"\n", ["mapping.clients.sync_note", "Sync nope", "Sync note"]),
    ] {
        rig.configure(more);
        let ran = rig.run(&["plan"]);
        assert_eq!(ran.code, 78, "{}", ran.stderr);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
        }
    }
}
