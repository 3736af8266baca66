//! What pages show of tracked time: the last day of it.

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
