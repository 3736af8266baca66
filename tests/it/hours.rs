//! Hours: figures equal what was tracked, for any days in any zone; findings, each with its sample; a month that is
//! sealed, and what is noticed when it changes.

mod days;
mod gone;
mod rounding;
mod samples;
mod shown;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use punchlist::sandbox::{ClockifyId, Fault, FaultKind, Knobs, Service, World};
use serde_json::{Value, json};

use crate::support::{Ran, Rig};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A linked client with a linked project and two linked tasks, on a paid plan, as of the end of November.
struct Office {
    rig: Rig,
    project: ClockifyId,
    tasks: [ClockifyId; 2],
}

impl Office {
    fn new() -> Self {
        let mut world = World::empty();
        world.set_plan("PREMIUM");
        world.set_project_defaults(true, true);
        let client = world.add_client("Acme");
        let project = world.add_project("Website", client);
        let tasks = ["Design", "Build"].map(|name| world.add_task(name, project));
        let client_page = world.add_client_page("Acme");
        world.set_claim(client_page, client);
        let project_page = world.add_project_page("Website", client_page);
        world.set_claim(project_page, project);
        for (task, name) in tasks.into_iter().zip(["Design", "Build"]) {
            let page = world.add_task_page(name, project_page);
            world.set_claim(page, task);
        }
        let rig = Rig::new(world);
        rig.configure("hours.timezone = \"Europe/Berlin\"\n");
        Self { rig, project, tasks }
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.rig.sandbox.world()
    }

    fn page(&self, source: &str, title: &str) -> punchlist::sandbox::NotionId {
        self.world().find_page(source, title).expect("a page")
    }

    fn run(&self, arguments: &str) -> Ran {
        self.rig.run(&arguments.split_whitespace().collect::<Vec<_>>())
    }

    fn hours(&self, arguments: &str) -> Value {
        let ran = self.run(&format!("hours --json {arguments}"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.json()
    }

    /// Codes with their seconds.
    fn findings(&self, month: &str) -> Vec<(String, String, Option<u64>)> {
        let document = self.hours(&format!("--month {month}"));
        let found = document["findings"].as_array().expect("findings").iter();
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        found.map(|found| (word(&found["severity"]), word(&found["code"]), found["seconds"].as_u64())).collect()
    }

    fn report_calls(&self) -> usize {
        self.rig.sandbox.calls().iter().filter(|call| call.service == Service::Reports).count()
    }
}

fn found(severity: &str, code: &str, seconds: u64) -> (String, String, Option<u64>) {
    (severity.to_owned(), code.to_owned(), Some(seconds))
}

#[test]
fn a_month_is_told_in_four_reports_and_one_call_for_timers() {
    let office = Office::new();
    {
        let mut world = office.world();
        world.track(office.tasks[0], at("2026-10-05T08:00:00Z"), hours(3));
        let approved = world.track(office.tasks[1], at("2026-10-06T08:00:00Z"), hours(2));
        world.edit_entry(approved, |entry| (entry.approved, entry.invoiced) = (true, true));
        let unbilled = world.track(office.project, at("2026-10-07T08:00:00Z"), hours(1));
        world.edit_entry(unbilled, |entry| entry.billable = false);
        world.track(office.project, at("2026-11-01T08:00:00Z"), hours(7));
        world.start_timer(office.tasks[0]);
    }
    office.rig.sandbox.clear_calls();

    let document = office.hours("--month 2026-10");

    assert_eq!(document["format"], "punchlist/hours/1");
    assert_eq!((&document["from"], &document["to"]), (&json!("2026-10-01"), &json!("2026-10-31")));
    assert_eq!((&document["timezone"], &document["complete"]), (&json!("Europe/Berlin"), &json!(true)));
    assert_eq!(document["unavailable"], json!([]));
    let totals = json!({"tracked_s": 21600, "billable_s": 18000, "unapproved_s": 14400, "uninvoiced_s": 14400});
    assert_eq!(document["totals"], totals);
    let client = &document["clients"][0];
    assert_eq!((&client["name"], &client["tracked_s"]), (&json!("Acme"), &json!(21600)));
    assert!(client["page_id"].is_string() && client["clockify_id"].is_string());
    let tasks = client["projects"][0]["tasks"].as_array().expect("tasks");
    let tasks: Vec<_> = tasks.iter().map(|task| (&task["name"], &task["clockify_id"], &task["tracked_s"])).collect();
    let [design, build] = office.tasks.map(|task| json!(task.to_string()));
    assert_eq!(
        tasks,
        [
            (&json!("Build"), &build, &json!(7200)),
            (&json!("Design"), &design, &json!(10800)),
            (&json!("(no task)"), &Value::Null, &json!(3600)),
        ]
    );
    assert_eq!(office.report_calls(), 4);
    let timers = office.rig.sandbox.calls().iter().filter(|call| call.path.ends_with("in-progress")).count();
    assert_eq!(timers, 1);
    assert_eq!(document["calls"], json!(office.rig.sandbox.calls().len()));
}

#[test]
fn an_entry_at_the_edge_of_a_month_is_of_the_day_on_which_it_begins_in_the_zone() {
    let office = Office::new();
    {
        let mut world = office.world();
        world.set_account_zone("America/New_York");
        // In Berlin: the last minute of September, October's first moment and its last minute, November's first moment.
        for start in ["2026-09-30T21:59:00Z", "2026-09-30T22:00:00Z", "2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z"] {
            world.track(office.project, at(start), hours(1));
        }
    }
    assert_eq!(office.hours("--month 2026-10")["totals"]["tracked_s"], 7200);
    assert_eq!(office.hours("--from 2026-09-30 --to 2026-09-30")["totals"]["tracked_s"], 3600);
    assert_eq!(office.hours("--from 2026-09-30 --to 2026-11-01")["totals"]["tracked_s"], 14400);
    office.rig.configure("hours.timezone = \"Asia/Kolkata\"\n");
    assert_eq!(office.hours("--month 2026-10")["totals"]["tracked_s"], 7200);
    assert_eq!(office.hours("--month 2026-11")["totals"]["tracked_s"], 7200);
    office.rig.configure("schedule.timezone = \"Europe/Berlin\"\n");
    assert_eq!(office.hours("--month 2026-10")["timezone"], "Europe/Berlin");
}

/// Numbers that look random and are the same in every run.
fn dice(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn figures_equal_the_sum_over_the_entries_for_any_days_in_any_zone() {
    let office = Office::new();
    let mut seed = 7;
    let mut entries: Vec<(Timestamp, i64, bool)> = Vec::new();
    {
        let mut world = office.world();
        let from = at("2026-02-20T00:00:00Z");
        for _ in 0..2000 {
            let start = from + SignedDuration::from_secs(dice(&mut seed).cast_signed() % (270 * 86_400));
            let seconds = dice(&mut seed).cast_signed() % (30 * 3600);
            let on = [office.project, office.tasks[0], office.tasks[1]]
                [usize::try_from(dice(&mut seed) % 3).expect("small")];
            let entry = world.track(on, start, SignedDuration::from_secs(seconds));
            let billable = dice(&mut seed).is_multiple_of(2);
            world.edit_entry(entry, |entry| entry.billable = billable);
            // Some run: they count nowhere.
            if dice(&mut seed).is_multiple_of(20) {
                world.edit_entry(entry, |entry| entry.end = None);
            } else {
                entries.push((start, seconds, billable));
            }
        }
    }
    for (zone, from, to) in [
        ("Europe/Berlin", "2026-03-01", "2026-03-31"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25"),
        ("America/St_Johns", "2026-03-08", "2026-04-20"),
        ("Asia/Kathmandu", "2026-05-01", "2026-05-31"),
        ("Asia/Kolkata", "2026-07-01", "2026-07-31"),
        ("Australia/Lord_Howe", "2026-04-05", "2026-10-04"),
        ("Pacific/Kiritimati", "2026-06-30", "2026-07-01"),
        ("UTC", "2026-02-20", "2026-11-20"),
    ] {
        office.rig.configure(&format!("hours.timezone = \"{zone}\"\n"));
        let document = office.hours(&format!("--from {from} --to {to}"));
        let rules = TimeZone::get(zone).expect("a zone");
        let (first, last): (Date, Date) = (from.parse().expect("a day"), to.parse().expect("a day"));
        let within = |start: &Timestamp| (first..=last).contains(&start.to_zoned(rules.clone()).date());
        let of = |all: bool| -> i64 {
            let meant = entries.iter().filter(|(start, _, billable)| within(start) && (all || *billable));
            meant.map(|(_, seconds, _)| seconds).sum()
        };
        assert_eq!(document["totals"]["tracked_s"], json!(of(true)), "{zone} {from} {to}");
        assert_eq!(document["totals"]["billable_s"], json!(of(false)), "{zone} {from} {to}");
        let below = document["clients"][0]["projects"][0]["tasks"].as_array().expect("tasks");
        let below: i64 = below.iter().map(|task| task["tracked_s"].as_i64().expect("seconds")).sum();
        assert_eq!(below, of(true), "all of it is on a task, or on none");
    }
}

#[test]
fn ten_thousand_entries_a_month_cost_four_reports_to_close() {
    let office = Office::new();
    {
        let mut world = office.world();
        for (task, number) in office.tasks.into_iter().cycle().zip(0..10_000) {
            let start = at("2026-10-01T06:00:00Z") + SignedDuration::from_secs(number * 250);
            let entry = world.track(task, start, SignedDuration::from_secs(120));
            world.edit_entry(entry, |entry| entry.approved = true);
        }
    }
    office.rig.sandbox.clear_calls();
    let ran = office.run("month close 2026-10 --json");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.json()["totals"]["tracked_s"], 1_200_000);
    assert_eq!(office.report_calls(), 4);
}

#[test]
fn every_finding_says_how_much_about_what_and_why() {
    let office = Office::new();
    let [design, build] = office.tasks;
    {
        let mut world = office.world();
        world.force(true, true);
        // 9 h of 10 planned, 5 h of 4.
        world.edit_task(design, |task| task.estimate = "PT10H".to_owned());
        world.edit_task(build, |task| task.estimate = "PT4H".to_owned());
        let approved = world.track(design, at("2026-10-05T08:00:00Z"), hours(9));
        world.edit_entry(approved, |entry| (entry.approved, entry.invoiced) = (true, true));
        let unbilled = world.track(build, at("2026-10-06T08:00:00Z"), hours(5));
        world.edit_entry(unbilled, |entry| entry.billable = false);
        world.track(office.project, at("2026-10-07T08:00:00Z"), hours(1));
        // Nobody planned this.
        let client = world.find_client("Acme").expect("a client");
        let side = world.add_project("Side job", client);
        world.track(side, at("2026-10-08T08:00:00Z"), hours(2));
        let loose = world.track(office.project, at("2026-10-09T08:00:00Z"), hours(3));
        world.edit_entry(loose, |entry| entry.project = None);
    }
    let h = 3600;
    let expected = [
        found("error", "over_budget", h),
        found("error", "without_project", 3 * h),
        found("error", "without_task", 2 * h),
        found("error", "without_task", h),
        found("error", "unapproved", 3 * h),
        found("error", "unapproved", 8 * h),
        found("warning", "near_budget", h),
        found("warning", "unlinked", 2 * h),
        found("warning", "billable_mismatch", 5 * h),
        found("info", "uninvoiced", 3 * h),
        found("info", "uninvoiced", 8 * h),
    ];
    assert_eq!(office.findings("2026-10"), expected);
}

#[test]
fn time_on_what_is_closed_is_found_and_so_is_a_timer_there() {
    let office = Office::new();
    let page = office.page("Projects", "Website");
    {
        let mut world = office.world();
        world.set_status(page, "Status", "Done");
        world.track(office.tasks[0], at("2026-11-20T08:00:00Z"), hours(2));
        world.start_timer(office.project);
    }
    // Closed on the 23rd, by the world's clock: whether that time came before cannot be told from a month.
    let november = office.findings("2026-11");
    assert!(november.contains(&found("info", "tracked_after_close", 7200)), "{november:?}");
    assert!(
        november.iter().any(|(severity, code, _)| (severity.as_str(), code.as_str()) == ("error", "closed_running"))
    );
    assert!(november.iter().any(|(_, code, _)| code == "not_over"));
    {
        let mut world = office.world();
        world.advance(hours(24 * 10));
        world.track(office.tasks[0], at("2026-12-02T08:00:00Z"), hours(1));
    }
    let december = office.findings("2026-12");
    assert!(december.contains(&found("error", "tracked_after_close", 3600)), "{december:?}");
}

#[test]
fn a_milestone_an_idle_project_and_a_budget_in_notion_are_told() {
    let office = Office::new();
    office.rig.add_column("Projects", "Due by", json!({"date": {}}));
    office.rig.add_column("Projects", "Budget", json!({"number": {}}));
    let page = office.page("Projects", "Website");
    office.world().set(page, "Due by", json!({"start": "2026-10-01", "end": "2026-10-30"}));
    office.world().set(page, "Budget", json!(0.5));
    office.rig.configure(
        "hours.timezone = \"Europe/Berlin\"\nmapping.projects.due = \"Due by\"\n\
         mapping.projects.planned = { property = \"Budget\", unit = \"days\" }\n",
    );
    let document = office.hours("--month 2026-10");
    let texts: Vec<_> = document["findings"].as_array().expect("findings").iter().map(|found| &found["text"]).collect();
    assert_eq!(
        texts,
        ["Website: due on 2026-10-30, and 2 of its tasks are open", "Website: open, and no time in 2026-10"]
    );
    assert_eq!(document["clients"][0]["projects"][0]["planned_s"], 14400, "half a day of eight hours");
    office.world().track(office.project, at("2026-09-07T08:00:00Z"), hours(5));
    assert!(office.findings("2026-09").contains(&found("error", "over_budget", 3600)));
}

#[test]
fn what_the_free_plan_does_not_give_is_named_and_the_rest_is_told() {
    let office = Office::new();
    {
        let mut world = office.world();
        world.set_plan("FREE");
        world.track(office.project, at("2026-10-05T08:00:00Z"), hours(2));
    }
    let document = office.hours("--from 2026-09-15 --to 2026-11-15");
    assert_eq!(document["unavailable"], json!(["approvals", "invoicing"]));
    let totals = json!({"tracked_s": 7200, "billable_s": 7200, "unapproved_s": null, "uninvoiced_s": null});
    assert_eq!(document["totals"], totals);
    assert_eq!(document["complete"], true);
    let text = office.run("hours --month 2026-10").stdout;
    assert!(text.contains("Not available: approvals") && text.contains("2:00"), "{text}");

    let refused = || Fault::new(FaultKind::Status(403, "{\"code\":501}".to_owned())).service(Service::Reports);
    *office.rig.sandbox.knobs() = Knobs::default().with_fault(refused().times(1000));
    let document = office.hours("--month 2026-10");
    assert_eq!((&document["complete"], &document["totals"]["tracked_s"]), (&json!(false), &Value::Null));
    assert_eq!(document["unavailable"], json!(["reports"]));
    let closed = office.run("month close 2026-10");
    assert_eq!(closed.code, 1, "{}", closed.stderr);

    *office.rig.sandbox.knobs() = Knobs { member_key: true, ..Knobs::default() };
    let document = office.hours("--month 2026-10");
    assert_eq!(document["complete"], false, "a plain member does not see what others have tracked");
    assert_eq!(document["unavailable"], json!(["others", "approvals", "invoicing"]));

    let broken = Fault::new(FaultKind::Status(500, String::new())).service(Service::Reports).times(1000);
    *office.rig.sandbox.knobs() = Knobs::default().with_fault(broken);
    let ran = office.run("hours --month 2026-10");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "never a part of a total");
}

#[test]
fn days_that_are_none_are_said() {
    let office = Office::new();
    for (arguments, code, words) in [
        ("hours --from 2026-10-02 --to 2026-10-01", 64, "is after"),
        ("hours --month 2026-13", 64, "a month is"),
        ("hours --month 2027-01", 64, "has not begun"),
        ("hours --from 2020-01-01 --to 2026-10-01", 64, "at the most"),
        ("hours --month 2026-10 --from 2026-10-01 --to 2026-10-02", 64, "cannot be used with"),
        ("hours --month 2026-10 --csv --json", 64, "one or the other"),
        ("month show 2026-10", 1, "is not sealed"),
        ("month verify 2026-10", 1, "is not sealed"),
        ("month reopen 2026-10", 1, "is not sealed"),
        ("month close 2026-10 --accept 0123456789ab", 1, "there is no finding"),
    ] {
        let ran = office.run(arguments);
        assert!(ran.code == code && ran.stderr.contains(words), "{arguments}: {} {}", ran.code, ran.stderr);
    }
}

#[test]
fn a_month_is_sealed_once_and_a_second_that_changes_is_named() {
    let office = Office::new();
    let entry = {
        let mut world = office.world();
        world.edit_task(office.tasks[0], |task| task.estimate = "PT1H".to_owned());
        world.track(office.tasks[0], at("2026-10-05T08:00:00Z"), hours(2))
    };
    let open = office.run("month close 2026-10 --json");
    assert_eq!(open.code, 2, "{}", open.stderr);
    let id = open.json()["open"][0]["id"].as_str().expect("an ID").to_owned();
    assert_eq!(office.run("month show 2026-10").code, 1, "nothing is sealed yet");

    let closed = office.run(&format!("month close 2026-10 --json --accept {} --note agreed", &id[..6]));
    assert_eq!(closed.code, 0, "{}", closed.stderr);
    let sealed = closed.json();
    assert_eq!((&sealed["format"], &sealed["month"]), (&json!("punchlist/month/1"), &json!("2026-10")));
    let accepted = &sealed["accepted"][0];
    assert_eq!((&accepted["finding"], &accepted["note"]), (&json!(id), &json!("agreed")));
    assert!(accepted["by"].is_string() && sealed["hash"].is_string());
    assert_eq!(office.run("month close 2026-10").code, 1, "it is sealed already");
    assert_eq!(office.run("month show 2026-10 --json").json(), sealed);
    assert_eq!(office.run("month verify 2026-10").code, 0);

    office.world().edit_entry(entry, |entry| entry.end = Some(entry.start + SignedDuration::from_secs(7201)));
    let verified = office.run("month verify 2026-10 --json");
    assert_eq!(verified.code, 2);
    let changes = verified.json()["changes"].as_array().expect("changes").clone();
    let task = changes.iter().find(|change| change["kind"] == "task" && change["figure"] == "tracked").expect("a task");
    assert_eq!((&task["name"], &task["was_s"], &task["is_s"]), (&json!("Design"), &json!(7200), &json!(7201)));
    assert_eq!(task["clockify_id"], json!(office.tasks[0].to_string()));
    assert!(task["page_id"].is_string());
    let found = office.findings("2026-10");
    assert!(found.iter().any(|(severity, code, seconds)| {
        (severity.as_str(), code.as_str(), *seconds) == ("error", "sealed_changed", Some(1))
    }));

    assert_eq!(office.run("month reopen 2026-10").code, 0);
    assert_eq!(office.run("month verify 2026-10").code, 1);
    assert_eq!(office.run("month close 2026-10 --accept all --note again").code, 0);
    assert_eq!(office.run("month verify 2026-10").code, 0);
    let log = office.run("logs list --kind month_sealed").stdout;
    assert_eq!(log.lines().filter(|line| line.contains("sealed the month 2026-10")).count(), 2, "{log}");
    assert_eq!(office.run("logs verify").code, 0);
}

#[test]
fn a_seal_that_somebody_changes_in_the_state_is_not_believed() {
    let office = Office::new();
    office.world().track(office.tasks[0], at("2026-10-05T08:00:00Z"), hours(2));
    assert_eq!(office.run("month close 2026-10").code, 0);
    let state = office.rig.home.path().join("state/punchlist.sqlite3");
    let connection = rusqlite::Connection::open(state).expect("the state");
    let altered = connection
        .execute("UPDATE memory SET value = replace(value, '7200', '7201') WHERE key = 'month:2026-10'", ())
        .expect("altered");
    assert_eq!(altered, 1);
    drop(connection);
    let shown = office.run("month show 2026-10");
    assert!(shown.code == 1 && shown.stderr.contains("not what was sealed"), "{}", shown.stderr);
}

#[test]
fn hours_come_as_text_csv_markdown_and_html() {
    let office = Office::new();
    {
        let mut world = office.world();
        let client = world.add_client("=cmd|'<b>' /c");
        let evil = world.add_project("<script>alert(1)</script>\u{202E}", client);
        world.track(evil, at("2026-10-05T08:00:00Z"), hours(2));
    }
    let csv = office.run("hours --month 2026-10 --csv").stdout;
    assert!(csv.starts_with("from,to,timezone,kind,client,"), "{csv}");
    assert!(csv.contains("\"'=cmd|'<b>' /c\""), "{csv}");
    let html = office.run("hours --month 2026-10 --html").stdout;
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>") && !html.contains('\u{202E}'), "{html}");
    let markdown = office.run("hours --month 2026-10 --md").stdout;
    assert!(markdown.contains("| **Total** | | | **2:00** |") && markdown.contains("\\<script\\>"), "{markdown}");
    let out = office.rig.home.path().join("hours.json");
    assert_eq!(office.run("hours --month 2026-10 --json --out hours.json").stdout, "");
    let written: Value = serde_json::from_str(&std::fs::read_to_string(out).expect("written")).expect("JSON");
    assert_eq!(written["totals"]["tracked_s"], 7200);
}

#[test]
fn the_same_month_is_told_the_same_twice() {
    let rig = Rig::new(World::agency());
    rig.configure("hours.timezone = \"Europe/Berlin\"\n");
    let told = || {
        let mut document = rig.run(&["hours", "--month", "2026-10", "--json"]).json();
        // The first run finds out where the rows are.
        document.as_object_mut().expect("an object").remove("calls");
        document
    };
    let first = told();
    assert_eq!(first, told());
    let ids: BTreeMap<&str, usize> =
        first["findings"].as_array().expect("findings").iter().fold(BTreeMap::new(), |mut ids, finding| {
            *ids.entry(finding["id"].as_str().expect("an ID")).or_default() += 1;
            ids
        });
    assert!(!ids.is_empty() && ids.values().all(|count| *count == 1), "{ids:?}");
    assert!(rig.mutations().is_empty(), "nothing was written");
}

#[test]
fn nothing_is_closed_while_a_timer_runs_and_the_timers_are_asked_for_only_then() {
    let office = Office::new();
    let timers = || office.rig.sandbox.calls().iter().filter(|call| call.path.ends_with("in-progress")).count();
    office.rig.auto_approve();
    assert_eq!(timers(), 0, "nothing is closed");
    let page = office.page("Projects", "Website");
    let timer = {
        let mut world = office.world();
        world.track(office.tasks[1], at("2026-11-20T08:00:00Z"), hours(2));
        world.set_status(page, "Status", "Done");
        world.start_timer(office.tasks[0])
    };

    assert_eq!(office.rig.plan_lines(), ["close project Website [held: timer_runs]"]);
    assert_eq!(timers(), 1);
    assert!(office.run("plan").stdout.contains("2 h tracked on it stay"));
    office.rig.auto_approve();
    assert!(office.rig.mutations().iter().all(|call| call.method != "PUT"), "{:?}", office.rig.mutations());

    *office.rig.sandbox.knobs() = Knobs::default()
        .with_fault(Fault::new(FaultKind::Status(400, "{}".to_owned())).on("GET", "in-progress").times(9));
    let plan = office.rig.plan();
    assert!(plan["changes"][0]["hold"]["text"].as_str().is_some_and(|text| text.contains("cannot be told")), "{plan}");
    *office.rig.sandbox.knobs() = Knobs::default()
        .with_fault(Fault::new(FaultKind::Status(403, "{\"code\":501}".to_owned())).on("GET", "in-progress").times(9));
    let ran = office.run("plan");
    assert!(ran.stderr.contains("refuses running timers to this key"), "{}", ran.stderr);

    *office.rig.sandbox.knobs() = Knobs::default();
    office.world().edit_entry(timer, |entry| entry.end = Some(entry.start));
    assert_eq!(office.rig.plan_lines(), ["close project Website [ready]"]);
    office.rig.auto_approve();
    assert!(office.world().projects()[0].archived);
}

#[test]
fn what_a_run_created_is_not_closed_by_its_undo_while_a_timer_runs_on_it() {
    let office = Office::new();
    let page = office.page("Projects", "Website");
    office.world().add_task_page("Test", page);
    office.rig.auto_approve();
    let task = office.world().tasks().into_iter().find(|task| task.name == "Test").expect("created").id;
    office.world().start_timer(task);
    let plan = office.run("undo --json").json();
    let codes: Vec<_> =
        plan["changes"].as_array().expect("changes").iter().map(|change| &change["hold"]["code"]).collect();
    assert!(codes.contains(&&json!("timer_runs")), "{plan}");
}

/// An office whose projects and tasks show tracked time in their pages.
fn showing() -> Office {
    let office = Office::new();
    let mut mapping = vec!["hours.timezone = \"Europe/Berlin\"\n".to_owned()];
    for source in ["Clients", "Projects", "Tasks"] {
        for (name, schema, key) in [
            ("Hours", json!({"number": {}}), "hours"),
            ("Last", json!({"date": {}}), "last_tracked"),
            ("Budget", json!({"select": {}}), "budget_state"),
            ("Report", json!({"url": {}}), "report"),
        ] {
            if (source, key) != ("Clients", "report") {
                office.rig.add_column(source, name, schema);
                mapping.push(format!("mapping.{}.{key} = \"{name}\"\n", source.to_lowercase()));
            }
        }
    }
    office.rig.configure(&mapping.concat());
    {
        let mut world = office.world();
        world.edit_task(office.tasks[0], |task| "PT4H".clone_into(&mut task.estimate));
        world.track(office.tasks[0], at("2026-11-20T23:30:00Z"), SignedDuration::from_secs(3 * 3600 + 1234));
        world.track(office.tasks[1], at("2026-08-03T08:00:00Z"), hours(1));
    }
    office
}

impl Office {
    /// What a page shows: hours, the last day, the budget.
    fn shown(&self, source: &str, title: &str) -> [Value; 3] {
        let page = self.page(source, title);
        let page = self.world().page(page).expect("a page");
        [&page.properties["Hours"], &page.properties["Last"]["start"], &page.properties["Budget"]].map(Value::clone)
    }

    fn patches(&self) -> usize {
        self.rig.mutations().iter().filter(|call| call.path.starts_with("/v1/pages/")).count()
    }
}

#[test]
fn pages_show_tracked_time_only_when_it_changes_and_in_one_request_each() {
    let office = showing();
    let (code, report) = office.rig.auto_approve();
    assert_eq!((code, &report["applied"]), (0, &json!(4)), "{report}");
    assert_eq!(office.patches(), 4, "one for each page: {:?}", office.rig.mutations());
    let ready = "Near budget";
    assert_eq!(
        office.shown("Tasks", "Design"),
        [json!(3.34), json!("2026-11-21"), json!(ready)],
        "by the day in Berlin"
    );
    assert_eq!(
        office.shown("Tasks", "Build"),
        [json!(1.0), Value::Null, Value::Null],
        "31 days are read, nothing is planned"
    );
    assert_eq!(office.shown("Projects", "Website"), [json!(4.34), json!("2026-11-21"), Value::Null]);
    assert_eq!(office.shown("Clients", "Acme"), [json!(4.34), json!("2026-11-21"), Value::Null]);
    let page = office.page("Tasks", "Design");
    let report = office.world().page(page).expect("a page").properties["Report"].clone();
    assert_eq!(report, json!(format!("https://app.clockify.me/projects/{}/edit", office.project)));

    office.rig.sandbox.clear_calls();
    let (_, report) = office.rig.auto_approve();
    assert_eq!((office.patches(), &report["applied"]), (0, &json!(0)), "nothing has changed");
    assert_eq!(office.report_calls(), 1, "for the last days alone");

    office.world().track(office.tasks[0], at("2026-11-22T08:00:00Z"), hours(1));
    office.rig.sandbox.clear_calls();
    office.rig.auto_approve();
    assert_eq!(office.patches(), 3, "the task and what it stands below");
    assert_eq!(office.shown("Tasks", "Design"), [json!(4.34), json!("2026-11-22"), json!("Over budget")]);
}

#[test]
fn what_somebody_wrote_where_tracked_time_is_shown_stays_until_a_person_says_otherwise() {
    let office = showing();
    let page = office.page("Tasks", "Build");
    office.world().set(page, "Hours", json!(7));
    office.rig.auto_approve();
    assert_eq!(office.shown("Tasks", "Build")[0], json!(7), "it was there before");
    let page = office.page("Tasks", "Design");
    office.world().set(page, "Hours", json!(99));
    office.world().track(office.tasks[0], at("2026-11-23T08:00:00Z"), hours(1));

    let (code, _) = office.rig.auto_approve();
    assert_eq!(code, 2, "a person is asked");
    assert_eq!(office.shown("Tasks", "Design"), [json!(99), json!("2026-11-23"), json!("Over budget")]);
    let plan = office.rig.plan();
    let change = plan["changes"].as_array().expect("changes").iter().find(|change| change["name"] == "Design");
    let change = change.expect("a change");
    assert_eq!((&change["state"], &change["fields"][0]["field"]), (&json!("review"), &json!("hours")), "{change}");
    let ways: Vec<_> = change["alternatives"].as_array().expect("ways").iter().map(|way| &way["action"]).collect();
    assert_eq!(ways, ["accept"], "Clockify is never written");

    let id = change["id"].as_str().expect("an ID");
    office.run(&format!("pending approve {id}"));
    office.run("apply --pending");
    assert_eq!(office.shown("Tasks", "Design")[0], json!(4.34));
}

#[test]
fn hours_are_undone_and_what_is_created_sends_none() {
    let office = showing();
    let page = office.page("Projects", "Website");
    let task = office.world().add_task_page("Test", page);
    office.world().set(task, "Hours", json!(3));
    let (code, report) = office.rig.auto_approve();
    assert_eq!((code, &report["applied"]), (0, &json!(5)), "{report}");
    assert_eq!(office.rig.plan()["changes"], json!([]), "what somebody wrote is left alone where nothing is tracked");
    office.run("undo --out undo.json");
    let undone = office.run("apply undo.json");
    assert_eq!(undone.code, 0, "{}{}", undone.stdout, undone.stderr);
    assert_eq!(office.shown("Tasks", "Build")[0], Value::Null);
    assert_eq!(office.rig.mutations().iter().filter(|call| call.path.contains("time-entries")).count(), 0);
}
