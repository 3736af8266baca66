//! When time is of a window, what is told of it, and who may change it.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Rig, rig};
use crate::sandbox::{ClockifyId, Knobs, World};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A project with an hour that begins at each of these instants.
async fn tracked(starts: &[&str]) -> (Rig, ClockifyId, Vec<ClockifyId>) {
    let mut world = World::empty();
    world.set_plan("PREMIUM");
    let client = world.add_client("Acme");
    let project = world.add_project("Website", client);
    let hour = SignedDuration::from_hours(1);
    let entries = starts.iter().map(|start| world.track(project, at(start), hour)).collect();
    (rig(world, Knobs::default()).await, project, entries)
}

fn october(more: &Value) -> Value {
    let mut body = json!({
        "dateRangeStart": "2026-10-01T00:00:00", "dateRangeEnd": "2026-10-31T23:59:59.999",
        "summaryFilter": {"groups": ["DATE"]},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_window_is_a_wall_clock_in_a_zone() {
    // In Berlin: the last minute of September, the first of October, the last of it, the first of November.
    let starts = ["2026-09-30T21:59:00Z", "2026-09-30T22:00:00Z", "2026-10-31T22:59:00Z", "2026-10-31T23:00:00Z"];
    let (rig, ..) = tracked(&starts).await;
    let days = async |body: Value| {
        let (_, summary) = rig.report("summary", body).await;
        let rows = summary["groupOne"].as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    assert_eq!(days(october(&json!({"timeZone": "Europe/Berlin"}))).await, ["2026-10-01", "2026-10-31"]);
    assert_eq!(days(october(&json!({}))).await, ["2026-10-01", "2026-10-31"], "the account's zone");
    rig.world().set_account_zone("Asia/Kolkata");
    assert_eq!(days(october(&json!({"timeZone": "UTC"}))).await, ["2026-10-31"]);
    // The same instants with an offset: their wall clock in UTC is read in the zone.
    let offset = json!({
        "timeZone": "Europe/Berlin", "dateRangeStart": "2026-10-01T00:00:00Z", "dateRangeEnd": "2026-10-31T23:59:59.999Z",
    });
    assert_eq!(days(october(&offset)).await, ["2026-10-01", "2026-10-31"]);
    assert_eq!(rig.report("summary", october(&json!({"timeZone": "Middle/Earth"}))).await.0, 400);

    // A user's list knows the account's zone alone.
    let owner = rig.world().entries()[0].user;
    let list = async || {
        let path = format!("/user/{owner}/time-entries?start=2026-10-01T00:00:00Z&end=2026-10-31T23:59:59Z");
        rig.clockify(Method::GET, &path, Value::Null).await.1[0]["timeInterval"]["start"].clone()
    };
    assert_eq!(list().await, "2026-09-30T22:00:00Z", "five and a half hours ahead: October ends sooner");
    rig.world().set_account_zone("Europe/Berlin");
    assert_eq!(list().await, "2026-10-31T22:59:00Z");
}

#[tokio::test]
async fn the_free_plan_shows_a_month_of_civil_days_and_no_states() {
    let (rig, ..) = tracked(&["2026-10-05T08:00:00Z"]).await;
    rig.world().set_plan("FREE");
    let berlin = json!({"timeZone": "Europe/Berlin"});
    assert_eq!(rig.report("summary", october(&berlin)).await.0, 200, "745 hours, and 31 days");
    let next_month = json!({"timeZone": "Europe/Berlin", "dateRangeEnd": "2026-11-01T00:00:00"});
    assert_eq!(rig.report("summary", october(&next_month)).await.0, 400);
    for state in [json!({"approvalState": "UNAPPROVED"}), json!({"invoicingState": "UNINVOICED"})] {
        assert_eq!(rig.report("summary", october(&state)).await.0, 403);
    }
    assert_eq!(rig.report("summary", october(&json!({"approvalState": "ALL"}))).await.0, 200);
}

#[tokio::test]
async fn a_report_tells_approved_invoiced_and_billable_time_apart() {
    let starts = ["2026-10-05T08:00:00Z", "2026-10-06T08:00:00Z", "2026-10-07T08:00:00Z"];
    let (rig, _, entries) = tracked(&starts).await;
    {
        let mut world = rig.world();
        world.edit_entry(entries[0], |entry| (entry.approved, entry.billable) = (true, true));
        world.edit_entry(entries[1], |entry| entry.invoiced = true);
    }
    let hours = async |more: Value| {
        let (_, summary) = rig.report("summary", october(&more)).await;
        summary["totals"][0]["totalTime"].as_i64().unwrap() / 3600
    };
    assert_eq!(hours(json!({})).await, 3);
    assert_eq!(hours(json!({"approvalState": "UNAPPROVED"})).await, 2);
    assert_eq!(hours(json!({"invoicingState": "UNINVOICED"})).await, 2);
    assert_eq!(hours(json!({"billable": true})).await, 1);
    rig.world().edit_entry(entries[0], |entry| entry.end = None);
    assert_eq!(hours(json!({})).await, 2, "a running timer counts in no report");
    let (_, running) = rig.clockify(Method::GET, "/time-entries/status/in-progress", Value::Null).await;
    assert_eq!(running.as_array().unwrap().len(), 1);

    rig.sandbox.knobs().member_key = true;
    let other = rig.world().member("Aiko Tanaka").unwrap();
    rig.world().edit_entry(entries[1], |entry| entry.user = other);
    assert_eq!(hours(json!({})).await, 1, "a plain member sees its own time");
}

#[tokio::test]
async fn several_entries_of_a_user_move_at_once_and_locked_ones_never() {
    let starts = ["2026-10-05T08:00:00Z", "2026-10-06T08:00:00Z"];
    let (rig, project, entries) = tracked(&starts).await;
    let (task, owner) = {
        let mut world = rig.world();
        (world.add_task("Design", project), world.entries()[0].user)
    };
    let path = format!("/user/{owner}/time-entries");
    let body = |entry: usize| {
        let (id, start) = (entries[entry], starts[entry]);
        let end = (at(start) + SignedDuration::from_hours(1)).to_string();
        json!({"id": id, "start": start, "end": end, "projectId": project, "taskId": task})
    };

    let (status, rows) = rig.clockify(Method::PUT, &path, json!([body(0), body(1)])).await;
    assert_eq!((status.as_u16(), rows.as_array().unwrap().len()), (200, 2));
    assert_eq!(rig.world().tracked_seconds(task), 7200);

    rig.world().edit_entry(entries[1], |entry| entry.approved = true);
    let mut moved = [body(0), body(1)];
    moved[0]["taskId"] = Value::Null;
    let (status, refusal) = rig.clockify(Method::PUT, &path, json!(moved)).await;
    assert_eq!((status.as_u16(), &refusal["code"]), (403, &json!(1003)));
    assert_eq!(rig.world().tracked_seconds(task), 7200, "all of them, or none");
    rig.world().lock_time_before(at("2026-10-06T00:00:00Z"));
    let one = format!("/time-entries/{}", entries[0]);
    assert_eq!(rig.clockify(Method::PUT, &one, body(0)).await.0, 403);
    assert_eq!(rig.clockify(Method::DELETE, &one, Value::Null).await.0, 403);
}
