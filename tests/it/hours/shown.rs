//! What pages show of tracked time: the last day of it, and what `explain` says of its direction.

use serde_json::{Value, json};

use super::{Office, at, hours, showing};

fn last_of_design(office: &Office) -> Value {
    office.shown("Tasks", "Design")[1].clone()
}

#[test]
fn a_last_day_never_goes_back_and_without_time_in_31_days_nothing_is_written() {
    let office = showing();
    office.rig.auto_approve();
    let entry = office.world().track(office.tasks[0], at("2026-11-22T08:00:00Z"), hours(1));
    office.rig.auto_approve();
    assert_eq!(last_of_design(&office), "2026-11-22");

    office.world().edit_entry(entry, |entry| {
        (entry.start, entry.end) = (at("2026-11-10T08:00:00Z"), Some(at("2026-11-10T09:00:00Z")));
    });
    office.rig.sandbox.clear_calls();
    let (code, _) = office.rig.auto_approve();
    assert_eq!((code, office.patches()), (0, 0), "the day that was seen stays");
    assert_eq!(last_of_design(&office), "2026-11-22");

    office.world().advance(hours(24 * 60));
    let (code, _) = office.rig.auto_approve();
    assert_eq!((code, office.patches()), (0, 0), "what is older is not looked for, and not taken for nothing");
    assert_eq!(last_of_design(&office), "2026-11-22");

    office.world().track(office.tasks[0], at("2027-01-20T08:00:00Z"), hours(1));
    office.rig.auto_approve();
    assert_eq!(last_of_design(&office), "2027-01-20");
}

#[test]
fn a_later_day_that_somebody_wrote_is_left_alone() {
    let office = showing();
    let page = office.page("Tasks", "Design");
    office.world().set(page, "Last", json!({"start": "2027-03-01"}));
    office.rig.auto_approve();
    assert_eq!(last_of_design(&office), "2027-03-01");
    assert_eq!(office.rig.plan()["changes"], json!([]));
}

#[test]
fn explain_knows_which_way_tracked_time_goes_and_which_key_decides() {
    let office = showing();
    let page = office.page("Tasks", "Design").to_string();
    let explain = || office.run(&format!("explain {page} --json")).json();
    let direction = |explained: &Value, field: &str| {
        let mut fields = explained["fields"].as_array().expect("fields").iter();
        fields.find(|known| known["field"] == field).map(|known| known["direction"].clone())
    };
    let keys = |explained: &Value| {
        let rules = explained["changes"][0]["rules"].as_array().expect("rules").iter();
        rules.flat_map(|rule| rule["keys"].as_array().expect("keys")).cloned().collect::<Vec<_>>()
    };

    let first = explain();
    assert_eq!(direction(&first, "hours"), Some(json!("to_notion")));
    assert_eq!(direction(&first, "name"), Some(json!("to_clockify")));
    assert_eq!(keys(&first), ["mapping.tasks.hours", "rules.thresholds.update"]);
    let text = office.run(&format!("explain {page}")).stdout;
    assert!(text.contains("never seen to agree, goes from Clockify to Notion"), "{text}");
    assert!(text.contains("mapping.tasks.hours = Hours (") && !text.contains("direction"), "{text}");

    office.rig.auto_approve();
    let page_id = office.page("Tasks", "Design");
    office.world().set(page_id, "Hours", json!(99));
    let edited = explain();
    assert!(keys(&edited).contains(&json!("mapping.tasks.hours")), "{edited}");
    assert!(
        !edited["changes"][0]["rules"].to_string().contains("on_conflict"),
        "no rule lets Notion win here: {edited}"
    );
    office.world().set(page_id, "Hours", json!(3.34));
    office.world().track(office.tasks[0], at("2026-11-22T08:00:00Z"), hours(1));
    let fields = explain()["fields"].clone();
    let fields = fields.as_array().expect("fields");
    let verdict = fields.iter().find(|known| known["field"] == "hours").map(|known| &known["verdict"]);
    assert_eq!(verdict, Some(&json!("tracked since")));
}
