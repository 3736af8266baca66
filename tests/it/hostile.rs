//! What somebody hides in texts to act on a terminal, or on its reader, stands raw in nothing that is printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use punchlist::{domain::plan::sha256, edge::checkpoints::Checkpoints, sandbox::World};
use serde_json::{Value, json};

use crate::support::{Ran, Rig};

/// Colours and a clipboard write, in seven bits and in eight; text that runs backwards or cannot be seen; line ends.
const HOSTILE: &str = "x\u{1b}[31m\u{1b}]52;c;aGk=\u{7}\u{9b}31m\u{9d}52;c;aGk=\u{9c}\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{2028}\u{85}\ry";

/// No character of it that nobody sees is printed, in whatever place.
#[track_caller]
fn is_tame(ran: &Ran, what: &str) {
    for printed in [&ran.stdout, &ran.stderr] {
        // CSV ends its lines so.
        let raw = printed.replace("\r\n", "\n").chars().find(|c| HOSTILE.contains(*c) && !c.is_ascii_graphic());
        assert_eq!(raw, None, "{what}: {printed:?}");
    }
}

/// Where the texts of a document stand, one place for each name: of a list, the first row that has it.
fn places(json: &Value, pointer: &str, name: &str, found: &mut BTreeMap<String, String>) {
    match json {
        Value::String(_) => drop(found.entry(name.to_owned()).or_insert_with(|| pointer.to_owned())),
        Value::Array(rows) => {
            for (at, row) in rows.iter().enumerate() {
                places(row, &format!("{pointer}/{at}"), &format!("{name}[]"), found);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                places(value, &format!("{pointer}/{key}"), &format!("{name}.{key}"), found);
            }
        }
        _ => {}
    }
}

/// Seals and signs a plan as its planner does.
fn seal(plan: &mut Value, rig: &Rig) {
    let mut rest = plan.clone();
    let fields = rest.as_object_mut().expect("an object");
    fields.remove("seal");
    fields.remove("signature");
    plan["seal"] = json!(sha256(&rest));
    let text = format!("punchlist/plan/1\n{}\n", plan["seal"].as_str().expect("a seal"));
    let (key, value) = Checkpoints::of(&rig.home.path().join("state"), None, None).sign(&text).expect("signs");
    plan["signature"] = json!({"key": key, "value": value});
}

/// A plan that was saved, of which nothing holds any more, so that applying it says what was planned.
fn outdated() -> (Rig, Value) {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    world.add_project_page("Website", client);
    let rig = Rig::new(world);
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        world.set_title(client, "Acme Ltd");
        for name in ["Initech", "Globex", "Globex"] {
            world.add_client_page(name);
        }
        let object = world.add_client("Hooli");
        world.add_client_page("HOOLI");
        world.add_project("Loose", object);
    }
    assert_eq!(rig.run(&["plan", "--out", "plan.json"]).code, 0);
    let saved = fs::read_to_string(rig.home.path().join("plan.json")).expect("saved");
    {
        let mut world = rig.sandbox.world();
        for page in world.pages("Clients") {
            world.set_title(page.id, &format!("{} AG", page.title));
        }
    }
    (rig, serde_json::from_str(&saved).expect("JSON"))
}

#[test]
fn whatever_text_of_a_saved_plan_is_hostile_nothing_of_it_is_printed_raw() {
    let (rig, saved) = outdated();
    let mut found = BTreeMap::new();
    places(&saved, "", "", &mut found);
    let file = rig.home.path().join("plan.json");
    let mut shown = BTreeSet::new();
    for (name, pointer) in &found {
        let mut plan = saved.clone();
        *plan.pointer_mut(pointer).expect("there") = json!(HOSTILE);
        if !name.starts_with(".seal") && !name.starts_with(".signature") {
            seal(&mut plan, &rig);
            *plan.pointer_mut(pointer).expect("there") = json!(HOSTILE);
        }
        fs::write(&file, plan.to_string()).expect("writes");
        let ran = rig.run(&["apply", "plan.json"]);
        is_tame(&ran, name);
        if ran.stdout.contains("⟨U+001B⟩[31m") || ran.stderr.contains("⟨U+001B⟩[31m") {
            shown.insert(name.as_str());
            is_tame(&rig.run(&["apply", "plan.json", "--json"]), name);
        }
    }
    let told =
        [".changes[].name", ".changes[].fields[].from", ".changes[].fields[].to", ".changes[].reason", ".format"];
    for name in told {
        assert!(shown.contains(name), "{name} is printed, made safe: {shown:?}");
    }
    assert!(rig.mutations().is_empty());
    for arguments in [&["logs", "list", "--kind", "not_started", "-v"][..], &["logs", "export", "--format", "csv"]] {
        let ran = rig.run(arguments);
        is_tame(&ran, &format!("{arguments:?}"));
        assert!(ran.stdout.contains("U+001B"), "{arguments:?} tells of it");
    }
}
