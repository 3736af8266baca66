//! Other people, and other machines, do not wait until a run is over: what they do meanwhile stays, or is said.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use punchlist::sandbox::{ClockifyId, Fault, FaultKind, NotionId, Service, World};
use serde_json::{Value, json};

use crate::support::{Ran, Rig};

/// A client, a project and a task, in sync, with the pages renamed since.
struct Renamed {
    rig: Rig,
    pages: [NotionId; 3],
    objects: [ClockifyId; 3],
}

/// The listing in which each of the three is read first.
const LISTINGS: [&str; 3] = ["/clients", "/projects", "/projects"];

fn renamed() -> Renamed {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let task = world.add_task_page("Design", project);
    let rig = Rig::new(world);
    rig.settle();
    let pages = [client, project, task];
    let objects = {
        let mut world = rig.sandbox.world();
        for (page, name) in pages.into_iter().zip(["Globex Corp", "Web site", "Design it"]) {
            world.set_title(page, name);
        }
        [world.clients()[0].id, world.projects()[0].id, world.tasks()[0].id]
    };
    Renamed { rig, pages, objects }
}

/// Somebody does something right after a listing was read.
fn after_listing(rig: &Rig, listing: &str, edit: Value) {
    let fault = Fault::new(FaultKind::Meanwhile(edit)).service(Service::Clockify).on("GET", listing).after_execution();
    rig.sandbox.knobs().faults.push(fault);
}

/// A run whose listings are too old to build on by the time it writes.
fn aged(rig: &Rig) -> (i32, Value) {
    let ran = rig.run_at("fetched:1:old", &["--auto-approve", "--json"]);
    (ran.code, ran.json())
}

fn reads(rig: &Rig, path: &str) -> usize {
    rig.sandbox.calls().iter().filter(|call| call.method == "GET" && call.path.contains(path)).count()
}

#[test]
fn what_was_read_a_moment_ago_costs_no_further_call() {
    let Renamed { rig, .. } = renamed();
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.call_counts(), (3, 5), "the reading, and three writes");
}

#[test]
fn an_edit_of_a_field_that_is_not_written_is_carried_over() {
    let edits: [&[(&str, Value)]; 3] = [
        &[
            ("note", json!("call first")),
            ("email", json!("billing@globex.example")),
            ("address", json!("Main Street 1")),
        ],
        &[
            ("note", json!("call first")),
            ("color", json!("#ff5722")),
            ("billable", json!(true)),
            ("public", json!(true)),
        ],
        &[("billable", json!(true))],
    ];
    for (at, edits) in edits.into_iter().enumerate() {
        let Renamed { rig, objects, .. } = renamed();
        let edits: Vec<Value> = edits
            .iter()
            .map(|(field, value)| json!({"verb": "set_field", "object": objects[at], "field": field, "value": value}))
            .collect();
        after_listing(&rig, LISTINGS[at], json!(edits));

        let (code, report) = aged(&rig);

        assert_eq!((code, &report["applied"]), (0, &json!(3)), "{report:#}");
        let snapshot = rig.sandbox.world().clockify_snapshot();
        for edit in edits {
            let (field, value) = (edit["field"].as_str().expect("a name"), &edit["value"]);
            let path = format!("/{}/{}", ["clients", "projects", "tasks"][at], objects[at]);
            assert_eq!(snapshot.pointer(&path).expect("there")[field], *value, "{field}: {snapshot:#}");
        }
    }
}

#[test]
fn an_edit_of_a_field_that_is_written_stops_the_change_and_is_said() {
    for at in 0..3 {
        let Renamed { rig, objects, .. } = renamed();
        let edit = json!({"verb": "rename_object", "object": objects[at], "name": "Their own name"});
        after_listing(&rig, LISTINGS[at], edit);

        let (code, report) = aged(&rig);

        assert_eq!((code, &report["applied"], &report["skipped"]), (4, &json!(2), &json!(1)), "{report:#}");
        let because = report["not_started"][0]["because"].as_str().expect("a reason");
        assert!(
            because.starts_with("it has moved: name was “") && because.ends_with("is “Their own name” now"),
            "{because}"
        );
        let snapshot = rig.sandbox.world().clockify_snapshot().to_string();
        assert!(snapshot.contains("Their own name"), "{snapshot}");
        let plan = rig.plan_lines();
        assert!(
            plan.iter().any(|line| line.ends_with("[review]")),
            "both have changed it, so a person says who is right: {plan:?}"
        );
    }
}

#[test]
fn what_somebody_archives_meanwhile_stays_archived() {
    for at in 0..3 {
        let Renamed { rig, objects, .. } = renamed();
        after_listing(&rig, LISTINGS[at], json!({"verb": "close_object", "object": objects[at]}));

        let (code, report) = aged(&rig);

        assert_eq!((code, &report["skipped"]), (4, &json!(1)), "{report:#}");
        let because = report["not_started"][0]["because"].as_str().expect("a reason");
        assert!(because.contains("state was “open” when it was planned, and is “closed” now"), "{because}");
    }
}

#[test]
fn few_are_read_each_by_itself_and_many_by_a_listing() {
    for (count, each, listings) in [(6, 6, 1), (20, 0, 2)] {
        let mut world = World::empty();
        let pages: Vec<NotionId> =
            (0..count).map(|number| world.add_client_page(&format!("Client {number:02}"))).collect();
        let rig = Rig::new(world);
        rig.configure("brakes.rename.count = 100\n");
        rig.settle();
        for page in pages {
            let title = rig.sandbox.world().page(page).expect("there").title.clone();
            rig.sandbox.world().set_title(page, &format!("{title} renamed"));
        }

        let (code, report) = aged(&rig);

        assert_eq!((code, &report["applied"]), (0, &json!(count)), "{report:#}");
        let all = reads(&rig, "/clients");
        assert_eq!((reads(&rig, "/clients/"), all - reads(&rig, "/clients/")), (each, listings), "of {count}");
    }
}

#[test]
fn under_an_hourly_budget_one_listing_serves_all() {
    let Renamed { rig, pages, .. } = renamed();
    {
        let mut world = rig.sandbox.world();
        let second = world.add_client("Initech");
        let page = world.add_client_page("Initech");
        world.set_claim(page, second);
    }
    rig.configure("clockify.requests_per_hour = 30\n");
    rig.auto_approve();
    rig.sandbox.clear_calls();
    {
        let mut world = rig.sandbox.world();
        let other = world.pages("Clients").into_iter().find(|page| page.title == "Initech").expect("there").id;
        world.set_title(pages[0], "Globex AG");
        world.set_title(other, "Initech AG");
    }

    let (code, report) = aged(&rig);

    assert_eq!((code, &report["applied"]), (0, &json!(2)), "{report:#}");
    assert_eq!((reads(&rig, "/clients/"), reads(&rig, "/clients")), (0, 2));
}

#[test]
fn a_page_is_read_again_before_its_fields_are_written() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let rig = Rig::new(world);
    rig.configure("rules.clients.fields.name.direction = \"to_notion\"\nrules.thresholds.update = 90\n");
    rig.settle();
    let object = rig.sandbox.world().clients()[0].id;
    rig.sandbox.world().rename_object(object, "Globex AG");
    let edit = json!({"verb": "set_title", "page": client, "title": "Their own title"});
    let source = rig.sandbox.world().data_source("Clients").expect("a data source");
    let fault = Fault::new(FaultKind::Meanwhile(edit)).service(Service::Notion);
    rig.sandbox.knobs().faults.push(fault.on("POST", &format!("{source}/query")).after_execution());

    let (code, report) = aged(&rig);

    assert_eq!((code, &report["skipped"]), (4, &json!(1)), "{report:#}");
    assert_eq!(rig.sandbox.world().page(client).expect("there").title, "Their own title");
}

/// Starts an unattended run, and asks it to stop when it has said something: as `timeout` does, with a signal to the
/// program and another one to its group.
fn stopped_at(rig: &Rig, word: &str) -> (Duration, Ran) {
    let mut command = rig.command();
    command.args(["--auto-approve", "--json", "-v"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    assert!(lines.any(|line| line.expect("UTF-8").contains(word)), "it never said {word}");
    let asked = Instant::now();
    let twice = format!("kill -TERM {0}; sleep 0.02; kill -TERM {0}", child.id());
    assert!(Command::new("sh").args(["-c", &twice]).status().expect("a shell").success());
    lines.for_each(drop);
    (asked.elapsed(), Ran::of(child.wait_with_output().expect("ends")))
}

#[test]
fn a_stop_ends_within_half_a_minute_whatever_hangs_and_what_was_created_gets_its_id() {
    let mut world = World::empty();
    let [hangs, created] = ["Acme", "Globex"].map(|name| world.add_client_page(name));
    let rig = Rig::new(world);
    // The first create is carried out and never answered; the second one is answered.
    let stall = Fault::new(FaultKind::Stall).service(Service::Clockify).on("POST", "/clients").after_execution();
    rig.sandbox.knobs().faults.push(stall);

    let (took, ran) = stopped_at(&rig, "201");

    assert!(took < Duration::from_secs(28), "{took:?}");
    let report = ran.json();
    assert_eq!((ran.code, &report["outcome"]), (4, &json!("interrupted")), "{report:#}");
    assert_eq!((&report["applied"], &report["failed"]), (&json!(2), &json!(0)), "what hung is looked up: {report:#}");
    let claims = [hangs, created].map(|page| rig.sandbox.world().claim(page));
    assert_eq!(claims.iter().flatten().count(), 2, "{claims:?}");

    assert_eq!(rig.sandbox.world().clients().len(), 2);
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn a_stop_while_reading_ends_at_once() {
    let rig = Rig::new(World::agency());
    rig.sandbox
        .knobs()
        .faults
        .push(Fault::new(FaultKind::Stall).service(Service::Clockify).on("GET", "/projects").times(u32::MAX));
    let (took, ran) = stopped_at(&rig, "GET");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
}

#[test]
fn what_another_machine_creates_right_before_is_not_created_again() {
    for (at, listing) in ["/clients", "/projects", "/tasks"].into_iter().enumerate() {
        let Renamed { rig, pages: [client, project, _], objects } = renamed();
        rig.auto_approve();
        {
            let mut world = rig.sandbox.world();
            match at {
                0 => drop(world.add_client_page("Initech")),
                1 => drop(world.add_project_page("Initech", client)),
                _ => drop(world.add_task_page("Initech", project)),
            }
        }
        rig.sandbox.knobs().unique_names = false;
        let edit = match at {
            0 => json!({"verb": "add_client", "name": "Initech"}),
            1 => json!({"verb": "add_project", "name": "Initech", "client": objects[0]}),
            _ => json!({"verb": "add_task", "name": "Initech", "project": objects[1]}),
        };
        let fault = Fault::new(FaultKind::Meanwhile(edit)).service(Service::Clockify);
        rig.sandbox.knobs().faults.push(fault.on("GET", if at == 2 { "/projects" } else { listing }).after_execution());

        let (code, report) = aged(&rig);

        assert_eq!((code, &report["skipped"]), (4, &json!(1)), "{listing}: {report:#}");
        let because = report["not_started"][0]["because"].as_str().expect("a reason");
        assert!(because.starts_with("somebody else has created it meanwhile"), "{because}");
        assert_eq!(rig.auto_approve().0, 0, "{listing}: it is found");
        let count = rig.sandbox.world().clockify_snapshot().to_string().matches("Initech").count();
        assert_eq!(count, 1, "{listing}");
    }
}

#[test]
fn what_another_machine_creates_in_the_same_moment_is_told_and_proposed_to_be_closed() {
    let mut world = World::empty();
    let page = world.add_client_page("Initech");
    let rig = Rig::new(world);
    rig.sandbox.knobs().unique_names = false;
    let note = format!("punchlist: https://www.notion.so/{}", page.to_string().replace('-', ""));
    let edits = json!([
        {"verb": "add_client", "name": "Initech"},
        {"verb": "set_field", "object": "Initech", "field": "note", "value": note},
    ]);
    let fault = Fault::new(FaultKind::Meanwhile(edits)).service(Service::Clockify).on("POST", "/clients");
    rig.sandbox.knobs().faults.push(fault);

    let (code, report) = rig.auto_approve();

    assert_eq!(code, 4, "{report:#}");
    let error = report["failures"][0]["error"].as_str().expect("an error");
    assert!(error.contains("it is there twice"), "{error}");
    assert_eq!(rig.plan_lines(), ["close client Initech [review]"]);
    assert_eq!(rig.auto_approve().0, 2, "a person decides which of them stays");
    rig.run(&["pending", "approve", "--all"]);
    assert_eq!(rig.run(&["apply", "--pending"]).code, 0);
    let world = rig.sandbox.world();
    let open: Vec<String> =
        world.clients().into_iter().filter(|client| !client.archived).map(|client| client.id.to_string()).collect();
    assert_eq!(open, [world.claim(page).expect("linked")]);
}

#[test]
fn a_name_that_another_machine_takes_in_the_same_moment_is_found_at_once() {
    let mut world = World::empty();
    let page = world.add_client_page("Initech");
    let rig = Rig::new(world);
    let note = format!("punchlist: https://www.notion.so/{}", page.to_string().replace('-', ""));
    let edits = json!([
        {"verb": "add_client", "name": "Initech"},
        {"verb": "set_field", "object": "Initech", "field": "note", "value": note},
    ]);
    rig.sandbox
        .knobs()
        .faults
        .push(Fault::new(FaultKind::Meanwhile(edits)).service(Service::Clockify).on("POST", "/clients"));

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(1)), "{report:#}");
    let world = rig.sandbox.world();
    assert_eq!(world.clients().len(), 1);
    assert_eq!(world.claim(page), Some(world.clients()[0].id.to_string()));
}

#[test]
fn a_punchlist_with_a_state_of_its_own_in_the_same_workspace_is_said() {
    let rig = Rig::new(World::empty());
    rig.sandbox.world().add_client_page("Acme");
    rig.auto_approve();
    let mirrored_elsewhere = |name: &str| {
        rig.sandbox.world().add_client_page(name);
        let mut elsewhere = rig.command_with_state(&rig.home.path().join("another-state"));
        assert_eq!(Ran::of(elsewhere.arg("--auto-approve").output().expect("runs")).code, 0);
    };

    mirrored_elsewhere("Beta");
    let ran = rig.run(&["--auto-approve"]);
    let warning =
        "warning: client “Beta”: another punchlist, with a state of its own, has created it in this workspace";
    assert!(ran.stdout.contains(warning), "{}", ran.stdout);
    let log = rig.run(&["logs", "list", "--about", "Beta"]).stdout;
    assert!(log.contains("another punchlist, with a state of its own, has created it"), "{log}");

    mirrored_elsewhere("Gamma");
    let said = || {
        let notices = rig.plan()["notices"].as_array().expect("notices").clone();
        notices
            .into_iter()
            .filter(|notice| notice["code"] == "foreign_run")
            .map(|notice| notice["name"].clone())
            .collect()
    };
    let (first, again): (Vec<Value>, Vec<Value>) = (said(), said());
    assert_eq!((first, again), (vec![json!("Gamma")], vec![]), "its work is known by then");
}

#[test]
fn a_run_can_be_told_to_start_late_by_chance() {
    let rig = Rig::new(World::empty());
    assert_eq!(rig.run(&["--auto-approve", "--jitter", "0"]).code, 0);
    assert_eq!(rig.run(&["--jitter", "5"]).code, 64, "it goes with --auto-approve alone");
    assert_eq!(rig.run(&["--auto-approve", "--jitter", "soon"]).code, 64);
}
