//! Time whose people, projects or names are gone: it stays in every total, and says what it can.

use punchlist::sandbox::{Fault, FaultKind, Knobs, Service};
use serde_json::{Value, json};

use super::{Office, at, hours};

/// Every report answers this.
fn always(office: &Office, answer: &Value) {
    let answer = FaultKind::Answer { status: 200, headers: Vec::new(), body: answer.to_string() };
    let fault = Fault::new(answer).service(Service::Reports).times(1000);
    *office.rig.sandbox.knobs() = Knobs::default().with_fault(fault);
}

#[test]
fn what_somebody_tracked_before_they_left_stays_in_all_figures() {
    let office = Office::new();
    {
        let mut world = office.world();
        let aiko = world.member("Aiko Tanaka").expect("a member");
        for (task, day) in office.tasks.into_iter().zip(["05", "06"]) {
            let entry = world.track(task, at(&format!("2026-10-{day}T08:00:00Z")), hours(3));
            world.edit_entry(entry, |entry| entry.user = aiko);
        }
    }
    let before = office.hours("--month 2026-10");
    assert_eq!(office.run("month close 2026-10").code, 0);
    office.world().dismiss("Aiko Tanaka");
    let after = office.hours("--month 2026-10");
    assert_eq!((&after["totals"], &after["clients"]), (&before["totals"], &before["clients"]));
    assert_eq!(after["totals"]["tracked_s"], 21600);
    assert_eq!(office.run("month verify 2026-10").code, 0, "who left takes nothing along");
}

#[test]
fn time_on_what_was_deleted_stays_in_the_total_and_a_sealed_month_names_where_it_went() {
    let office = Office::new();
    {
        let mut world = office.world();
        let client = world.find_client("Acme").expect("a client");
        let side = world.add_project("Side job", client);
        world.track(side, at("2026-10-05T08:00:00Z"), hours(2));
        world.track(office.tasks[0], at("2026-10-06T08:00:00Z"), hours(1));
    }
    assert_eq!(office.run("month close 2026-10").code, 0);
    {
        let mut world = office.world();
        let client = world.find_client("Acme");
        let side = world.find_project("Side job", client).expect("a project");
        world.delete_object(side);
        world.delete_object(office.tasks[0]);
    }
    let document = office.hours("--month 2026-10");
    assert_eq!(document["totals"]["tracked_s"], 10800);
    let clients = document["clients"].as_array().expect("clients");
    let loose = clients.iter().find(|client| client["clockify_id"].is_null()).expect("time without a client");
    assert_eq!((&loose["name"], &loose["tracked_s"]), (&json!("(no client)"), &json!(7200)));
    let acme = clients.iter().find(|client| client["name"] == "Acme").expect("a client");
    let task = &acme["projects"][0]["tasks"][0];
    assert_eq!(
        (&task["name"], &task["clockify_id"], &task["tracked_s"]),
        (&json!("(no task)"), &Value::Null, &json!(3600))
    );
    let verified = office.run("month verify 2026-10");
    assert!(verified.code == 2 && verified.stdout.contains("project Side job: tracked 2 h"), "{}", verified.stdout);
}

#[test]
fn rows_of_what_no_listing_shows_keep_their_ids_and_lose_no_time() {
    let office = Office::new();
    let id = |last: u32| format!("64a9e100000000000000{last:04x}");
    let task = json!({"_id": id(3), "name": null, "duration": 1000});
    // Of the two hours on it, Clockify names a task for 1000 s alone.
    let project = json!({"_id": id(2), "name": "", "duration": 7200, "children": [task]});
    let client = json!({"_id": id(1), "name": "Long gone", "duration": 7200, "children": [project]});
    let loose = json!({"_id": "", "name": null, "duration": 60, "children": []});
    always(&office, &json!({"totals": [{"totalTime": 7260}], "groupOne": [client, loose]}));

    let document = office.hours("--month 2026-10");
    assert_eq!(document["totals"]["tracked_s"], 7260);
    let gone = &document["clients"][0];
    assert_eq!(
        (&gone["name"], &gone["clockify_id"], &gone["page_id"]),
        (&json!("Long gone"), &json!(id(1)), &Value::Null)
    );
    let project = &gone["projects"][0];
    assert_eq!(project["name"], "(project that Clockify does not name)");
    let tasks = project["tasks"].as_array().expect("tasks").iter();
    let tasks: Vec<_> = tasks.map(|task| (task["clockify_id"].clone(), task["tracked_s"].clone())).collect();
    assert_eq!(tasks, [(json!(id(3)), json!(1000)), (Value::Null, json!(6200))]);
    let found = document["findings"].as_array().expect("findings");
    let unlinked: Vec<_> =
        found.iter().filter(|found| found["code"] == "unlinked").map(|found| &found["seconds"]).collect();
    assert_eq!(unlinked, [7200], "once, by what stands highest");

    // What is below comes to more than what stands above it.
    let mut odd = json!({"groupOne": [{"_id": id(1), "name": "Acme", "duration": 60, "children": []}]});
    odd["groupOne"][0]["children"] = json!([{"_id": id(2), "name": "Website", "duration": 61}]);
    always(&office, &odd);
    let ran = office.run("hours --month 2026-10");
    assert!(ran.code == 1 && ran.stdout.is_empty() && ran.stderr.contains("cannot be used"), "{}", ran.stderr);
}

#[test]
fn amounts_in_several_currencies_are_in_no_figure() {
    let office = Office::new();
    let amounts = |euros: u32, dollars: u32| json!([{"type": "EARNED", "value": euros, "currency": "EUR"}, {"type": "EARNED", "value": dollars, "currency": "USD"}]);
    let row = |last: u32, name: &str, seconds: u32| {
        json!({"_id": format!("64a9e100000000000000{last:04x}"), "name": name, "duration": seconds, "amount": 987_654,
            "amounts": amounts(987_654, 123_456), "children": []})
    };
    let totals = json!([{"totalTime": 7200, "totalAmount": 1_111_110, "amounts": amounts(987_654, 123_456)}]);
    always(&office, &json!({"totals": totals, "groupOne": [row(1, "Acme", 3600), row(2, "Globex", 3600)]}));
    let document = office.run("hours --month 2026-10 --json");
    assert_eq!(document.json()["totals"]["billable_s"], 7200, "time, whatever it is worth");
    for form in ["--json", "--csv", "--md", "--html", ""] {
        let told = office.run(&format!("hours --month 2026-10 {form}")).stdout;
        for word in ["987", "123456", "123,456", "1111110", "EUR", "USD", "€", "$"] {
            let is_id = |line: &str| line.contains("id");
            assert!(
                !told.lines().filter(|line| !is_id(line)).any(|line| line.contains(word)),
                "{form}: {word}: {told}"
            );
        }
    }
}
