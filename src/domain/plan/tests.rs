//! The seal: the same plan has the same hash, and a saved one that was touched is refused.

use jiff::Timestamp;

use super::{
    Calls, Estimate, Pace, Plan,
    document::{ChangeDocument, Cost, DecidedText, DecidedTexts, Document, FORMAT, NoticeDocument, Refused, Saved},
};
use crate::domain::{diff::tests::world::World, model::Field, model::Value, text::Shown};

/// A plan with a bit of everything.
fn plan() -> Plan {
    let mut world = World::linked(&["Acme", "Beta", "Acme/Website", "Acme/Website/Design"]);
    world.agree("Acme/Website", Field::Note, &Value::text("old"));
    world
        .rename_object("Acme/Website", "Shop")
        .page_mut("Acme/Website")
        .values
        .set(Field::Note, Value::text("“new”\u{202E}"));
    world.close_page("Acme/Website/Design").page("<b>");
    world.page("ACME");
    world.object("Unmanaged");
    world.plan()
}

fn document(plan: &Plan) -> Document<'_> {
    static UNDECIDED: DecidedTexts = DecidedTexts::new();
    decided(plan, &UNDECIDED)
}

fn decided<'p>(plan: &'p Plan, decided: &'p DecidedTexts) -> Document<'p> {
    let estimate = Estimate { notion_calls: 3, clockify_calls: 2, seconds: 1, hourly: None };
    let created_at = Timestamp::from_second(1_790_000_000).expect("a time");
    Document::of(plan, decided, Cost { created_at, calls: Calls { notion: 3, clockify: 2 }, estimate })
}

fn saved() -> String {
    crate::domain::text::json(&document(&plan())).expect("it serialises")
}

#[test]
fn what_was_decided_is_sealed_but_no_part_of_what_was_planned() {
    let plan = plan();
    let text =
        DecidedText { decision: "flag".into(), note: Some("why?".into()), decided_by: "Ana".into(), approvals: vec![] };
    let decided_texts = DecidedTexts::from([(plan.changes[0].id, text.clone())]);
    let told = crate::domain::text::json(&decided(&plan, &decided_texts)).expect("it serialises");

    let saved = Saved::read(&told).expect("its seal holds");

    assert_eq!(saved.plan_hash, plan.hash);
    assert_eq!(saved.changes[0].decided, Some(text));
    assert!(saved.changes[1..].iter().all(|change| change.decided.is_none()));
    assert_eq!(Saved::read(&told.replace("why?", "fine")), Err(Refused::Tampered));
}

#[test]
fn the_same_plan_has_the_same_hash() {
    assert_eq!(plan().hash, plan().hash);
    assert_eq!(plan().hash.len(), 64);
}

#[test]
fn any_difference_has_another_hash() {
    let mut world = World::linked(&["Acme"]);
    world.rename_page("Acme", "Acme Inc");
    let mut hashes = vec![world.plan().hash];
    world.rules.brakes.rename.count += 1;
    hashes.push(world.plan().hash);
    world.rename_page("Acme", "Acme Ltd");
    hashes.push(world.plan().hash);
    world.object("Unmanaged");
    hashes.push(world.plan().hash);
    world.partial_objects.insert(crate::domain::model::Kind::Task);
    hashes.push(world.plan().hash);
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

#[test]
fn a_saved_plan_is_read_back_as_it_was() {
    let plan = plan();
    let before = document(&plan);

    let read = Saved::read(&saved()).expect("untouched");

    assert_eq!((read.plan_hash, &read.seal, read.scope), (plan.hash.clone(), &before.seal, plan.scope.clone()));
    assert_eq!(read.changes, ChangeDocument::all(&plan).collect::<Vec<_>>());
    assert!(!saved().contains('\u{202E}'), "nothing in it acts on a terminal");
}

#[test]
fn a_touched_plan_is_refused() {
    let saved = saved();
    let mut touched = 0;
    for (at, byte) in saved.bytes().enumerate() {
        // Letters and digits are in names of keys, strings and numbers; all of them count.
        if !byte.is_ascii_alphanumeric() {
            continue;
        }
        let other = match byte {
            b'9' | b'z' | b'Z' => byte - 1,
            _ => byte + 1,
        };
        let mut bytes = saved.clone().into_bytes();
        bytes[at] = other;
        let text = String::from_utf8(bytes).expect("ASCII for ASCII");
        assert!(Saved::read(&text).is_err(), "at {at}");
        touched += 1;
    }
    assert!(touched > 1000);
}

#[test]
fn a_plan_whose_change_was_left_out_is_refused() {
    let mut value: serde_json::Value = serde_json::from_str(&saved()).expect("JSON");
    value["changes"].as_array_mut().expect("changes").remove(0);
    assert_eq!(Saved::read(&value.to_string()), Err(Refused::Tampered));
}

#[test]
fn what_a_newer_version_adds_is_sealed_and_passed_over() {
    let mut value: serde_json::Value = serde_json::from_str(&saved()).expect("JSON");
    value["changes"][0]["colour"] = "green".into();
    assert_eq!(Saved::read(&value.to_string()), Err(Refused::Tampered));
    value.as_object_mut().expect("an object").remove("seal");
    value["seal"] = crate::domain::plan::sha256(&{
        let mut sealed = value.clone();
        sealed.as_object_mut().expect("an object").remove("seal");
        sealed
    })
    .into();
    assert!(Saved::read(&value.to_string()).is_ok());
}

#[test]
fn layout_is_no_content() {
    let value: serde_json::Value = serde_json::from_str(&saved()).expect("JSON");
    assert!(Saved::read(&value.to_string()).is_ok());
}

#[test]
fn another_format_is_refused() {
    let newer = saved().replace(FORMAT, "punchlist/plan/2");
    assert_eq!(Saved::read(&newer), Err(Refused::Format(Shown::of("punchlist/plan/2"))));
    assert!(matches!(Saved::read("{}"), Err(Refused::NotAPlan(_))));
    assert!(matches!(Saved::read("no JSON"), Err(Refused::NotJson(_))));
    assert_eq!(Saved::read(" \n"), Err(Refused::Empty));
    let cut = saved();
    let cut = &cut[..cut.len() / 2];
    assert_eq!(Saved::read(cut), Err(Refused::CutOff { line: cut.lines().count() }));
    let hostile = Saved::read(&saved().replace(FORMAT, "punchlist/plan/\\u001b[2J")).expect_err("no format");
    assert!(!hostile.to_string().contains('\u{1b}'), "{hostile}");
}

#[test]
fn an_estimate_spends_the_first_budget_at_once() {
    let free = Pace { notion_per_minute: 180, clockify_per_second: 10, clockify_per_hour: Some(30), clockify_spent: 0 };
    assert_eq!(Estimate::of(0, 0, &free).seconds, 0);
    assert_eq!(Estimate::of(0, 30, &free).seconds, 4);
    assert_eq!(Estimate::of(0, 31, &free).seconds, 3600);
    assert_eq!(Estimate::of(181, 0, &free).seconds, 60);
}

#[test]
fn what_is_read_from_a_file_is_safe_to_show_whatever_stands_there() {
    let escapes = "\u{1b}]0;owned\u{7}\u{202e}";
    let mut value: serde_json::Value = serde_json::from_str(&saved()).expect("JSON");
    for change in value["changes"].as_array_mut().expect("changes") {
        change["reason"] = escapes.into();
        change["hold"] = serde_json::json!({ "code": "brake", "text": escapes });
    }
    for notice in value["notices"].as_array_mut().expect("notices") {
        notice["text"] = escapes.into();
    }
    let changes: Vec<ChangeDocument> = serde_json::from_value(value["changes"].clone()).expect("changes");
    let notices: Vec<NoticeDocument> = serde_json::from_value(value["notices"].clone()).expect("notices");
    let mut shown: Vec<String> = notices.iter().map(|notice| notice.text.to_string()).collect();
    for ChangeDocument { reason, hold, .. } in changes {
        shown.extend([reason.to_string(), hold.expect("a hold").text.to_string()]);
    }
    assert!(!shown.is_empty());
    assert!(shown.iter().all(|text| text == "⟨U+001B⟩]0;owned⟨U+0007⟩⟨U+202E⟩"), "{shown:?}");
}

#[test]
fn thresholds_are_hashed_as_they_have_always_been() {
    let json = serde_json::to_string(&crate::domain::rules::Thresholds::default()).expect("JSON");
    assert_eq!(
        json,
        r#"{"create":{"at":90},"link":{"at":90},"update":{"at":95},"write_back":{"at":95},"reopen":{"at":95},"close":{"at":100},"move_":{"at":100},"clear_claim":"never","recreate":"never"}"#
    );
}
