//! A workspace that rounds in its reports: rounded sums beside those that were tracked, never in their place.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Office, at};

/// Three entries of eight minutes, one of them not billable, where reports round to the nearest quarter of an hour.
fn rounding(plan: &str) -> Office {
    let office = Office::new();
    {
        let mut world = office.world();
        world.set_plan(plan);
        world.round_reports("Round to nearest", 15);
        for (start, billable) in [("08", true), ("09", true), ("10", false)] {
            let start = at(&format!("2026-10-05T{start}:00:00Z"));
            let entry = world.track(office.tasks[0], start, SignedDuration::from_mins(8));
            world.edit_entry(entry, |entry| entry.billable = billable);
        }
    }
    office
}

#[test]
fn rounded_sums_stand_beside_what_was_tracked_and_cost_two_reports_more() {
    let office = rounding("PREMIUM");
    office.rig.sandbox.clear_calls();
    let document = office.hours("--month 2026-10");

    let totals = json!({
        "tracked_s": 1440, "billable_s": 960, "unapproved_s": 1440, "uninvoiced_s": 1440,
        "rounded_s": 2700, "rounded_billable_s": 1800,
    });
    assert_eq!(document["totals"], totals);
    let task = &document["clients"][0]["projects"][0]["tasks"][0];
    assert_eq!(
        (&task["tracked_s"], &task["rounded_s"], &task["rounded_billable_s"]),
        (&json!(1440), &json!(2700), &json!(1800))
    );
    assert_eq!(document["rounding"], json!({"minutes": 15, "way": "nearest"}));
    assert_eq!(office.report_calls(), 6);
    let found = document["findings"].as_array().expect("findings").iter();
    let amounts: Vec<_> =
        found.filter(|found| found["code"] == "billable_mismatch").map(|found| &found["seconds"]).collect();
    assert_eq!(amounts, [480], "findings rest on what was tracked");

    let text = office.run("hours --month 2026-10").stdout;
    let total = text.lines().find(|line| line.starts_with("Total")).expect("a total");
    assert_eq!(total.split_whitespace().collect::<Vec<_>>(), ["Total", "0:24", "0:16", "0:45", "0:30"]);
    assert!(text.contains("in reports the workspace rounds each entry to the nearest 15 min"), "{text}");
    let csv = office.run("hours --month 2026-10 --csv").stdout;
    assert!(csv.lines().next().is_some_and(|head| head.ends_with(",rounded_s,rounded_billable_s")), "{csv}");
    assert!(csv.lines().nth(1).is_some_and(|row| row.ends_with(",2700,1800")), "{csv}");
    let markdown = office.run("hours --month 2026-10 --md").stdout;
    assert!(markdown.contains("| **Total** | | | **0:24** | **0:16** | 0:45 | 0:30 | | |"), "{markdown}");
    let html = office.run("hours --month 2026-10 --html").stdout;
    assert!(html.contains("<td class=\"n\">0:45</td>") && html.contains("the workspace rounds"), "{html}");
}

#[test]
fn nothing_is_said_of_rounding_where_it_changes_nothing_or_nobody_rounds() {
    let half_an_hour = |office: &Office| {
        office.world().track(office.tasks[0], at("2026-10-05T08:00:00Z"), SignedDuration::from_mins(30));
    };
    let office = Office::new();
    half_an_hour(&office);
    let document = office.hours("--month 2026-10");
    assert_eq!((&document["rounding"], &document["totals"]["rounded_s"]), (&Value::Null, &Value::Null));
    assert_eq!(office.report_calls(), 4);

    let office = Office::new();
    half_an_hour(&office);
    office.world().round_reports("Round up to", 15);
    assert_eq!(office.hours("--month 2026-10")["totals"]["rounded_s"], 1800);
    let text = office.run("hours --month 2026-10").stdout;
    assert!(!text.to_lowercase().contains("round"), "{text}");
}

#[test]
fn a_month_is_sealed_as_tracked_and_says_so() {
    let office = rounding("PREMIUM");
    let closed = office.run("month close 2026-10");
    assert!(closed.code == 0 && closed.stdout.contains("sealed as tracked, to the second"), "{}", closed.stdout);
    let shown = office.run("month show 2026-10 --json").json();
    let totals = json!({"tracked_s": 1440, "billable_s": 960, "unapproved_s": 1440, "uninvoiced_s": 1440});
    assert_eq!((&shown["totals"], &shown["rounded"]), (&totals, &json!(false)));
    assert!(!shown["clients"].to_string().contains("rounded"), "{}", shown["clients"]);
    assert!(office.run("month show 2026-10").stdout.contains("without the rounding of the workspace"));

    office.world().round_reports("Round up to", 60);
    assert_eq!(office.run("month verify 2026-10").code, 0, "other rounding is no other time");
}

#[test]
fn rounded_sums_that_a_plan_refuses_are_named_and_the_rest_is_told() {
    let office = rounding("FREE");
    let document = office.hours("--month 2026-10");
    assert_eq!(document["unavailable"], json!(["approvals", "invoicing", "rounding"]));
    assert_eq!((&document["totals"]["tracked_s"], &document["totals"]["rounded_s"]), (&json!(1440), &Value::Null));
    assert_eq!(document["complete"], true);
}
