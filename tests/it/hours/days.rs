//! Days that are not over, not begun or too many for the plan; entries that begin in the future.

use punchlist::sandbox::{Fault, FaultKind, Knobs, Service};
use serde_json::{Value, json};

use super::{Office, at, hours};

/// Reports are refused so often.
fn refused(office: &Office, status: u16, times: u32) {
    let body = json!({"message": "Date range is too long for this plan", "code": 501}).to_string();
    let fault = Fault::new(FaultKind::Status(status, body)).service(Service::Reports).times(times);
    *office.rig.sandbox.knobs() = Knobs::default().with_fault(fault);
}

#[test]
fn days_that_a_plan_refuses_at_once_are_asked_for_in_halves() {
    let office = Office::new();
    for day in ["01", "16", "17", "31"] {
        office.world().track(office.tasks[0], at(&format!("2026-10-{day}T12:00:00Z")), hours(1));
    }
    for status in [400, 403] {
        refused(&office, status, 1);
        office.rig.sandbox.clear_calls();
        let document = office.hours("--month 2026-10");
        assert_eq!((&document["totals"]["tracked_s"], &document["complete"]), (&json!(14400), &json!(true)));
        assert_eq!(document["unavailable"], json!([]));
        assert_eq!(office.report_calls(), 1 + 4 * 2, "a day at the seam is in one half alone");
    }
}

#[test]
fn days_that_a_plan_refuses_altogether_are_named_and_nothing_is_told_as_if_it_were_whole() {
    let office = Office::new();
    office.world().track(office.tasks[0], at("2026-10-05T12:00:00Z"), hours(1));
    assert_eq!(office.run("month close 2026-10").code, 0);
    for status in [400, 402, 403] {
        refused(&office, status, 1000);
        let ran = office.run("hours --month 2026-10 --json");
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let document = ran.json();
        assert_eq!(document["unavailable"], json!(["reports"]), "{status}");
        assert_eq!((&document["complete"], &document["totals"]["tracked_s"]), (&json!(false), &Value::Null));
        assert_eq!(document["findings"], json!([]), "nothing is concluded from what is not seen");
        assert!(ran.stderr.contains("Date range is too long for this plan"), "{}", ran.stderr);
        let verified = office.run("month verify 2026-10");
        assert!(verified.code == 1 && verified.stderr.contains("cannot be told"), "{}", verified.stderr);
    }
    // The second half alone is refused: no part is told as the whole.
    *office.rig.sandbox.knobs() = Knobs::default();
    let fault = Fault::new(FaultKind::Status(403, "{}".to_owned())).service(Service::Reports).nth(2).times(1000);
    *office.rig.sandbox.knobs() = Knobs::default().with_fault(fault);
    let document = office.hours("--from 2026-09-01 --to 2026-10-31");
    assert_eq!((&document["complete"], &document["totals"]["tracked_s"]), (&json!(false), &Value::Null));
}

#[test]
fn what_begins_in_the_future_counts_on_its_own_days_and_a_month_that_is_not_over_says_so() {
    let office = Office::new();
    {
        // By Clockify's clock it is the 23rd of November, whatever this machine's says.
        let mut world = office.world();
        for start in ["2026-11-20T08:00:00Z", "2026-11-29T08:00:00Z", "2026-12-01T08:00:00Z"] {
            world.track(office.tasks[0], at(start), hours(1));
        }
    }
    let document = office.hours("");
    assert_eq!((&document["from"], &document["totals"]["tracked_s"]), (&json!("2026-11-01"), &json!(7200)));
    let codes: Vec<_> = document["findings"].as_array().expect("findings").iter().map(|found| &found["code"]).collect();
    assert!(codes.contains(&&json!("not_over")), "{codes:?}");
    assert_eq!(office.hours("--from 2026-11-20 --to 2026-12-31")["totals"]["tracked_s"], 10800);
    for arguments in ["hours --month 2026-12", "hours --from 2026-12-01 --to 2026-12-31", "month close 2026-12"] {
        let ran = office.run(arguments);
        assert!(ran.code == 64 && ran.stderr.contains("has not begun"), "{arguments}: {} {}", ran.code, ran.stderr);
    }
    office.world().advance(hours(24 * 14));
    assert_eq!(office.hours("--month 2026-12")["totals"]["tracked_s"], 3600);
}

#[test]
fn an_entry_of_more_than_a_day_is_of_its_first_day_alone() {
    let office = Office::new();
    office.world().track(office.tasks[0], at("2026-10-31T20:00:00Z"), hours(75));
    assert_eq!(office.hours("--month 2026-10")["totals"]["tracked_s"], 270_000);
    assert_eq!(office.hours("--from 2026-11-01 --to 2026-11-05")["totals"]["tracked_s"], 0);
    assert!(office.run("hours --month 2026-10").stdout.contains("75:00"));
}
