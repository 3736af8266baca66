//! Time that is filed elsewhere: only where that is asked for, by a person's word, one request for each person, with
//! nothing else of an entry changed; what must stay is held; what was cut off is done once; and all of it can be undone.

use std::process::Stdio;

use jiff::{SignedDuration, Timestamp};
use punchlist::sandbox::{ClockifyId, Fault, FaultKind, Service, TimeEntry, World};
use serde_json::{Value, json};

use crate::support::{Ran, Rig};

const REVIEW: &str = "hours.timezone = \"Europe/Berlin\"\nrules.hours.refile = \"review\"\n";
/// Without a person.
const FREELY: &str =
    "hours.timezone = \"Europe/Berlin\"\nrules.hours.refile = \"review\"\nrules.thresholds.refile = 60\n";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A linked client with a linked project and task, and beside it a task of the same name that no page links to, with
/// five entries of two people on it.
struct Office {
    rig: Rig,
    task: ClockifyId,
    astray: ClockifyId,
    entries: Vec<ClockifyId>,
}

/// A world with a task that has a page, and beside it one of nearly the same name that has none.
pub(crate) fn with_one_astray() -> (World, [ClockifyId; 2]) {
    let mut world = World::empty();
    world.set_plan("PREMIUM");
    let client = world.add_client("Acme");
    let project = world.add_project("Website", client);
    let [task, astray] = ["Design", "DESIGN"].map(|name| world.add_task(name, project));
    let client_page = world.add_client_page("Acme");
    world.set_claim(client_page, client);
    let project_page = world.add_project_page("Website", client_page);
    world.set_claim(project_page, project);
    let page = world.add_task_page("Design", project_page);
    world.set_claim(page, task);
    (world, [task, astray])
}

impl Office {
    fn new(configuration: &str) -> Self {
        let (mut world, [task, astray]) = with_one_astray();
        world.invite("Mia Berg", "mia@example.com");
        let mia = world.member("Mia Berg").expect("just invited");
        let starts = ["2026-10-05", "2026-10-06", "2026-11-02", "2026-11-03", "2026-11-04"];
        let entries = starts.into_iter().enumerate().map(|(number, day)| {
            let length = SignedDuration::from_mins(50 + i64::try_from(number).expect("few"));
            let entry = world.track(astray, at(&format!("{day}T08:00:07Z")), length);
            world.edit_entry(entry, |entry| {
                entry.user = if number < 3 { mia } else { entry.user };
                entry.description = format!("  Wireframes “{number}”\n& more ");
                entry.billable = number % 2 == 0;
                entry.tags = vec!["64c777ddd3fcab07cfbb210a".to_owned(); number];
                entry.custom_fields = vec![
                    json!({"customFieldId": "44a687e29ae1f428e7ebe305", "value": number, "sourceType": "WORKSPACE"}),
                ];
                if number == 1 { "BREAK" } else { "REGULAR" }.clone_into(&mut entry.kind);
            });
            entry
        });
        let entries = entries.collect();
        let rig = Rig::new(world);
        rig.configure(configuration);
        Self { rig, task, astray, entries }
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.rig.sandbox.world()
    }

    fn run(&self, arguments: &str) -> Ran {
        self.rig.run(&arguments.split(' ').collect::<Vec<_>>())
    }

    /// All of every entry.
    fn entries(&self) -> Vec<TimeEntry> {
        self.world().entries()
    }

    /// How many entries are on a task.
    fn on(&self, task: ClockifyId) -> usize {
        self.entries().iter().filter(|entry| entry.task == Some(task)).count()
    }

    fn calls(&self, service: Service, method: &str, path: &str) -> usize {
        let calls = self.rig.sandbox.calls();
        let alike = |call: &&punchlist::sandbox::Call| {
            call.service == service && call.method == method && call.path.contains(path)
        };
        calls.iter().filter(alike).count()
    }

    fn bulk_edits(&self) -> usize {
        self.calls(Service::Clockify, "PUT", "/time-entries")
    }

    fn undo(&self) -> Value {
        let file = self.rig.home.path().join("undo.json");
        let file = file.to_str().expect("UTF-8");
        let planned = self.rig.run(&["undo", "--out", file, "--json"]);
        assert_eq!(planned.code, 0, "{}", planned.stderr);
        self.rig.run(&["apply", file, "--json"]);
        planned.json()
    }
}

#[test]
fn without_the_rule_nothing_is_asked_for() {
    let office = Office::new("");
    let lines = office.rig.plan_lines();
    assert!(!lines.iter().any(|line| line.contains("refile")), "{lines:?}");
    assert_eq!(office.calls(Service::Reports, "POST", ""), 0);
}

#[test]
fn a_person_decides_and_each_person_s_time_goes_in_one_request_with_nothing_else_changed() {
    let office = Office::new(REVIEW);
    let before = office.entries();

    let plan = office.run("plan");
    assert!(
        plan.stdout.contains("2 h 33 min of Mia Berg (3 entries) from “Website › DESIGN” to “Website › Design”"),
        "{}",
        plan.stdout
    );
    // Two months, each with those that are invoiced.
    assert_eq!(office.calls(Service::Reports, "POST", "/detailed"), 4);
    let json = office.rig.plan();
    assert_eq!((&json["summary"]["refile"], &json["summary"]["review"]), (&json!(2), &json!(2)));
    assert_eq!(json["changes"][0]["refiling"]["entries"].as_object().map(serde_json::Map::len), Some(3));
    let explained = office.run(&format!("explain {}", json["changes"][0]["id"].as_str().expect("an ID"))).stdout;
    assert!(explained.contains("rules.hours.refile"), "{explained}");

    assert_eq!(office.rig.auto_approve().0, 2, "it waits for a person");
    assert_eq!((office.entries(), office.bulk_edits()), (before.clone(), 0));

    assert_eq!(office.run("pending approve --all").code, 0);
    let applied = office.run("apply --pending --json");
    assert_eq!((applied.code, &applied.json()["applied"]), (0, &json!(2)), "{}", applied.stdout);
    let expected: Vec<TimeEntry> =
        before.into_iter().map(|entry| TimeEntry { task: Some(office.task), ..entry }).collect();
    assert_eq!(office.entries(), expected);
    assert_eq!(office.bulk_edits(), 2, "one for each person");

    assert!(office.rig.plan_lines().is_empty());
    let shown = office.run("logs list --kind intent");
    assert!(shown.stdout.contains("refile"), "{}", shown.stdout);
}

#[test]
fn an_undo_puts_every_entry_back_byte_for_byte_and_it_is_not_filed_again_unasked() {
    let office = Office::new(REVIEW);
    office.rig.auto_approve();
    let before = office.entries();
    office.run("pending approve --all");
    office.run("apply --pending");
    assert_eq!(office.on(office.task), 5);

    let planned = office.undo();

    assert_eq!(planned["summary"]["refile"], json!(2), "{planned:#}");
    assert_eq!(serde_json::to_vec(&office.entries()).ok(), serde_json::to_vec(&before).ok());
    assert_eq!(office.rig.auto_approve().0, 2, "a person is asked again");
    assert_eq!(office.entries(), before);
}

#[test]
fn an_undo_leaves_what_somebody_has_moved_or_locked_since_and_puts_the_rest_back() {
    let office = Office::new(FREELY);
    assert_eq!(office.rig.auto_approve().0, 0);
    let [moved, locked] = [office.entries[0], office.entries[3]];
    {
        let mut world = office.world();
        world.edit_entry(moved, |entry| entry.task = None);
        world.edit_entry(locked, |entry| entry.approved = true);
        world.edit_entry(office.entries[1], |entry| "since".clone_into(&mut entry.description));
    }

    let planned = office.undo();

    let holds: Vec<&str> = planned["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|change| change["hold"]["code"].as_str())
        .collect();
    assert_eq!(holds.len(), 2, "{planned:#}");
    assert!(holds.contains(&"moved_since") && holds.contains(&"time_locked"), "{holds:?}");
    assert_eq!(office.on(office.astray), 3);
    let entries = office.entries();
    let of = |id| entries.iter().find(|entry| entry.id == id).expect("an entry");
    assert_eq!((of(moved).task, of(locked).task), (None, Some(office.task)));
    assert_eq!(of(office.entries[1]).description, "since", "what else was edited stays");
}

#[test]
fn what_is_locked_approved_invoiced_or_sealed_is_held_and_the_rest_goes() {
    let office = Office::new(FREELY);
    assert_eq!(office.run("month close 2026-10 --accept all --note fine").code, 0);
    {
        let mut world = office.world();
        world.edit_entry(office.entries[2], |entry| entry.approved = true);
        world.edit_entry(office.entries[3], |entry| entry.invoiced = true);
    }
    let lines = office.rig.plan_lines();
    let held = |code: &str| lines.contains(&format!("refile task Design [held: {code}]"));
    assert!(["month_sealed", "time_approved", "time_invoiced"].into_iter().all(held), "{lines:?}");

    assert_eq!(office.rig.auto_approve().1["applied"], json!(1));
    let gone: Vec<ClockifyId> =
        office.entries().iter().filter(|entry| entry.task == Some(office.task)).map(|entry| entry.id).collect();
    assert_eq!(gone, [office.entries[4]]);

    office.world().lock_time_before(at("2026-11-30T00:00:00Z"));
    office.world().edit_entry(office.entries[4], |entry| entry.task = Some(office.astray));
    assert!(office.rig.plan_lines().contains(&"refile task Design [held: time_locked]".to_owned()));
}

#[test]
fn an_entry_that_somebody_changes_before_it_is_written_is_left_to_the_next_run() {
    let office = Office::new(FREELY);
    let edit = json!({"verb": "set_entry", "entry": office.entries[0].to_string(), "seconds": 60});
    let fault = Fault::new(FaultKind::Meanwhile(edit)).service(Service::Clockify).on("GET", "/time-entries/");
    office.rig.sandbox.knobs().faults.push(fault);

    let (code, report) = office.rig.auto_approve();

    assert_eq!((code, &report["applied"], &report["skipped"]), (4, &json!(1), &json!(1)), "{report:#}");
    let because = report["not_started"][0]["because"].as_str().expect("a reason");
    assert!(because.starts_with("1 of 3 entries"), "{because}");
    assert_eq!((office.on(office.task), office.on(office.astray)), (2, 3));
    assert_eq!(office.rig.auto_approve().0, 0);
    assert_eq!(office.on(office.task), 5);
}

#[test]
fn many_entries_are_read_by_a_listing_and_sent_as_they_are() {
    let office = Office::new(FREELY);
    {
        let mut world = office.world();
        for hour in 0..9 {
            world.track(office.astray, at(&format!("2026-11-10T1{hour}:00:00Z")), SignedDuration::from_mins(20));
        }
    }
    let before = office.entries();
    assert_eq!(office.rig.auto_approve().1["applied"], json!(2));
    let expected: Vec<TimeEntry> =
        before.into_iter().map(|entry| TimeEntry { task: Some(office.task), ..entry }).collect();
    assert_eq!(office.entries(), expected);
    // Three of one person by themselves, eleven of another in a listing.
    assert_eq!(office.calls(Service::Clockify, "GET", "/time-entries/"), 3);
    assert_eq!(office.calls(Service::Clockify, "GET", "/time-entries"), 4);

    office.undo();
    assert_eq!(office.on(office.astray), 14);
}

#[test]
fn a_run_that_is_cut_off_between_intent_and_outcome_has_filed_it_once() {
    for executed in [true, false] {
        let office = Office::new(FREELY);
        let fault = Fault::new(FaultKind::Stall).service(Service::Clockify).on("PUT", "/time-entries");
        office.rig.sandbox.knobs().faults = vec![if executed { fault.after_execution() } else { fault }];
        let mut command = office.rig.command();
        let mut child =
            command.arg("--auto-approve").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        while office.bulk_edits() < 1 {
            assert!(child.try_wait().expect("it is ours").is_none(), "it has ended");
            std::thread::yield_now();
        }
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        office.rig.sandbox.knobs().faults.clear();
        office.rig.sandbox.clear_calls();

        assert_eq!(office.rig.auto_approve().0, 0);

        assert_eq!(office.on(office.task), 5, "carried out: {executed}");
        assert!(office.bulk_edits() <= 2, "nothing is sent twice");
        assert!(office.rig.plan_lines().is_empty());
        if executed {
            // What the first run had sent was found to have happened: its undo knows of it.
            let runs = office.run("logs list --kind outcome");
            assert!(!runs.stdout.contains("unknown"), "{}", runs.stdout);
        }
    }
}

#[test]
fn an_answer_that_is_lost_is_looked_up_and_nothing_is_sent_twice() {
    for (fault, edits) in [(Fault::new(FaultKind::Reset).after_execution(), 2), (Fault::new(FaultKind::Reset), 2)] {
        let office = Office::new(FREELY);
        office.rig.sandbox.knobs().faults.push(fault.service(Service::Clockify).on("PUT", "/time-entries"));
        office.rig.auto_approve();
        assert_eq!(office.bulk_edits(), edits, "of two people");
        office.rig.auto_approve();
        assert_eq!(office.on(office.task), 5);
    }
}
