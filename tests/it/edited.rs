//! Runs that nobody watches read what was edited since the last one, and all pages once a day or where that leaves doubt.

use jiff::SignedDuration;
use punchlist::sandbox::{Call, NotionId, World};
use serde_json::{Value, json};

use crate::support::Rig;

/// Pages that are linked, some minutes ago.
fn settled(clients: usize, projects: usize, tasks: usize) -> Rig {
    let rig = Rig::new(World::sized(clients, projects, tasks));
    rig.settle();
    later(&rig, 5);
    // What the first run has written itself comes back once.
    rig.auto_approve();
    later(&rig, 5);
    rig.sandbox.clear_calls();
    rig
}

fn later(rig: &Rig, minutes: i64) {
    rig.sandbox.world().advance(SignedDuration::from_mins(minutes));
}

fn client_of(rig: &Rig) -> NotionId {
    rig.sandbox.world().pages("Clients")[0].id
}

fn queries(rig: &Rig) -> usize {
    rig.sandbox.calls().iter().filter(|call| call.path.ends_with("/query")).count()
}

fn warnings(report: &Value) -> String {
    report["warnings"].as_array().into_iter().flatten().map(|text| text.as_str().expect("a text")).collect()
}

/// A run that has to read all 310 pages of 20 clients, 40 projects and 250 tasks: 1 + 1 + 3 queries.
fn is_full(rig: &Rig) -> bool {
    match queries(rig) {
        3 => false,
        5.. => true,
        other => panic!("{other} queries"),
    }
}

#[test]
fn an_unchanged_workspace_costs_three_and_two_calls_whatever_its_size() {
    for (clients, projects, tasks) in [(1, 1, 1), (20, 100, 1000)] {
        let rig = settled(clients, projects, tasks);
        let (code, report) = rig.auto_approve();
        assert_eq!((code, &report["outcome"]), (0, &json!("in_sync")));
        assert_eq!(rig.call_counts(), (3, 2), "{clients} {projects} {tasks}");
        assert_eq!(report["calls"], json!({"notion": 3, "clockify": 2}));
        assert!(rig.mutations().is_empty());
        rig.sandbox.clear_calls();
        let of_all = rig.run(&["--auto-approve", "--full"]);
        assert_eq!(of_all.code, 0, "{}", of_all.stderr);
        let each = [clients, projects, tasks].map(|pages: usize| pages.div_ceil(100)).iter().sum();
        assert_eq!(rig.call_counts(), (each, 2), "all of it, and nobody asks who we are");
    }
}

#[test]
fn one_rename_among_many_costs_one_write_more() {
    let rig = settled(20, 100, 1000);
    let client = client_of(&rig);
    rig.sandbox.world().set_title(client, "Renamed");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(1)), "{report}");
    let (notion, clockify) = rig.call_counts();
    assert!(notion <= 3 && clockify <= 4, "{notion} + {clockify}");
    assert!(rig.sandbox.world().clients().iter().any(|client| client.name == "Renamed"));
}

#[test]
fn what_is_new_closed_or_no_longer_meant_is_seen_by_its_edit() {
    let rig = settled(2, 4, 8);
    let (new, done) = {
        let mut world = rig.sandbox.world();
        let project = world.pages("Projects")[0].id;
        let done = world.pages("Tasks")[0].id;
        world.set(done, "Status", "Done");
        (world.add_task_page("Brand new", project), done)
    };

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(2)), "{report}");
    let claim = rig.sandbox.world().claim(new).expect("linked");
    assert!(rig.sandbox.world().tasks().iter().any(|task| task.id.to_string() == claim));
    let done = rig.sandbox.world().claim(done).expect("linked");
    assert!(rig.sandbox.world().tasks().iter().any(|task| task.id.to_string() == done && task.done));
}

#[test]
fn what_no_edit_shows_waits_for_a_full_pass() {
    for arguments in [&["--auto-approve", "--json"][..], &["--auto-approve", "--json", "--full"]] {
        let rig = settled(1, 1, 2);
        let task = rig.sandbox.world().pages("Tasks")[0].id;
        rig.sandbox.world().trash(task);

        let report = rig.run(arguments).json();

        let expected = i32::from(arguments.contains(&"--full"));
        assert_eq!(report["applied"], json!(expected), "{arguments:?}: {report}");
        assert_eq!(warnings(&report), "", "neither is odd");
    }
}

/// Lets it be days since all pages were read.
fn days_go_by(rig: &Rig) {
    let state = rusqlite::Connection::open(rig.home.path().join("state/punchlist.sqlite3")).expect("opens");
    for kind in ["clients", "projects", "tasks"] {
        let sql = "UPDATE memory SET value = json_replace(value, '$.' || ?1 || '.full', '2026-01-01T00:00:00Z')
                   WHERE key = 'watermarks'";
        assert_eq!(state.execute(sql, [kind]).expect("changes"), 1);
    }
}

#[test]
fn once_a_day_all_open_pages_are_read_and_not_all_history() {
    let mut world = World::sized(1, 1, 5);
    let (project, open) = (world.pages("Projects")[0].id, world.pages("Tasks")[0].id);
    for number in 0..300 {
        let done = world.add_task_page(&format!("Done {number}"), project);
        world.set(done, "Status", "Done");
    }
    let rig = Rig::new(world);
    rig.settle();
    later(&rig, 5);
    rig.auto_approve();
    later(&rig, 5);
    days_go_by(&rig);
    rig.sandbox.world().trash(open);
    rig.sandbox.clear_calls();

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (0, &json!(1)), "the trash shows: {report}");
    assert_eq!(queries(&rig), 3, "the 300 tasks that are done are not listed again");
    assert_eq!(warnings(&report), "");
    later(&rig, 5);
    rig.sandbox.clear_calls();
    assert_eq!(rig.auto_approve().1["outcome"], json!("in_sync"));
    assert_eq!(rig.call_counts(), (3, 2), "and that was it for the day");
}

#[test]
fn what_was_edited_lately_and_is_not_shown_any_more_is_asked_for_at_once() {
    let rig = settled(1, 1, 2);
    let task = {
        let mut world = rig.sandbox.world();
        let task = world.pages("Tasks")[0].id;
        world.set_title(task, "Renamed");
        task
    };
    assert_eq!(rig.auto_approve().1["applied"], json!(1));
    rig.sandbox.world().trash(task);

    let (_, report) = rig.auto_approve();

    assert_eq!(report["applied"], json!(1), "its edit would be shown if it were there: {report}");
    assert!(rig.sandbox.world().tasks().iter().any(|task| task.done && task.name == "Renamed"));
}

#[test]
fn what_leaves_doubt_is_followed_by_a_full_pass_and_said() {
    type Odd = (&'static str, fn(&Rig), &'static str);
    let odd: [Odd; 5] = [
        ("filter", |rig| rig.sandbox.knobs().filters_ignored = true, "were not edited since"),
        ("no time", |rig| rig.sandbox.knobs().notion_without_date = true, "does not say for certain"),
        ("clock", |rig| rig.sandbox.knobs().notion_date_ahead_s = -100_000, "a clock was set back"),
        ("mapping", |rig| rig.configure("mapping.clients.fields.note = \"Name\"\n"), "the mapping or the properties"),
        (
            "lost row",
            |rig| {
                let state = rusqlite::Connection::open(rig.home.path().join("state/punchlist.sqlite3")).expect("opens");
                let sql = "DELETE FROM page WHERE page_id = (SELECT min(page_id) FROM page WHERE kind = 'task')";
                assert_eq!(state.execute(sql, []).expect("deletes"), 1);
            },
            "are not all",
        ),
    ];
    for (name, happens, said) in odd {
        let rig = settled(20, 40, 250);
        happens(&rig);
        let report = rig.run(&["--auto-approve", "--json"]).json();
        assert!(warnings(&report).contains(said), "{name}: {report}");
        // Another mapping of clients is no reason to read all tasks.
        assert_eq!(is_full(&rig), name != "mapping", "{name}: {:#?}", rig.sandbox.calls());
    }
}

#[test]
fn a_page_below_one_that_was_not_seen_yet_lets_those_above_be_read_whole() {
    let mut world = World::sized(1, 2, 2);
    let away = world.pages("Projects")[0].id;
    world.hide(away);
    world.advance(SignedDuration::from_mins(10));
    let rig = Rig::new(world);
    rig.settle();
    later(&rig, 5);
    {
        let mut world = rig.sandbox.world();
        // No edit shows that it is shared again.
        world.show(away);
        world.add_task_page("Brand new", away);
    }

    let (_, report) = rig.auto_approve();

    assert!(warnings(&report).contains("all projects were read"), "{report}");
    assert!(rig.sandbox.world().tasks().iter().any(|task| task.name == "Brand new"), "{report}");
}

#[test]
fn rows_in_another_order_than_asked_for_are_followed_by_a_full_pass() {
    let rig = settled(1, 1, 150);
    let tasks: Vec<NotionId> = rig.sandbox.world().pages("Tasks").iter().map(|page| page.id).collect();
    let later_ones = {
        let mut world = rig.sandbox.world();
        let project = world.pages("Projects")[0].id;
        (0..120)
            .map(|_| {
                world.advance(SignedDuration::from_mins(1));
                world.add_task_page("New", project)
            })
            .count()
    };
    assert_eq!((tasks.len(), later_ones), (150, 120));
    rig.sandbox.knobs().sorts_ignored = true;
    let report = rig.run(&["--auto-approve", "--json"]).json();
    assert!(warnings(&report).contains("in another order"), "{report}");
}

#[test]
fn what_was_approved_on_a_page_of_before_is_not_written_where_that_went_to_the_trash() {
    let rig = settled(1, 1, 3);
    // Somebody renames in Clockify: the page's word is to be restored, and a person has approved it.
    let (task, object) = {
        let world = rig.sandbox.world();
        (world.pages("Tasks")[0].id, world.tasks()[0].id)
    };
    rig.sandbox.world().rename_object(object, "Renamed by hand");
    assert_eq!(rig.auto_approve().0, 2, "it waits");
    assert_eq!(rig.run(&["pending", "approve", "--all"]).code, 0);
    let of_page = {
        let world = rig.sandbox.world();
        let claimed = |page: &NotionId| world.claim(*page) == Some(object.to_string());
        world.pages("Tasks").iter().map(|page| page.id).find(claimed).unwrap_or(task)
    };
    rig.sandbox.world().trash(of_page);
    later(&rig, 5);
    rig.sandbox.clear_calls();

    let ran = rig.run(&["apply", "--pending", "--json"]);

    let renamed = |call: &Call| call.body["name"].as_str().is_some_and(|name| name != "Renamed by hand");
    assert!(!rig.mutations().iter().any(renamed), "{}", ran.stdout);
    assert!(rig.sandbox.world().tasks().iter().any(|task| task.name == "Renamed by hand"));
}

#[test]
fn lanes_are_remembered_through_runs_that_read_only_edits() {
    let rig = settled(3, 10, 300);
    let state = || rusqlite::Connection::open(rig.home.path().join("state/punchlist.sqlite3")).expect("opens");
    let watermarks = || -> Value {
        let text: String = (state())
            .query_row("SELECT value FROM memory WHERE key = 'watermarks'", [], |row| row.get(0))
            .expect("kept");
        serde_json::from_str(&text).expect("JSON")
    };
    let mut known = watermarks();
    assert!(known["tasks"].get("seams").is_none(), "so few pages are read in one lane");
    let created = rig.sandbox.world().pages("Tasks")[150].created.as_second() / 60 * 60;
    let time = |second| jiff::Timestamp::from_second(second).expect("a time").to_string();
    // As a data source of ten thousand pages would have them.
    known["tasks"]["seams"] = json!([{"newest_before": time(created - 60), "from": time(created)}]);
    state().execute("UPDATE memory SET value = ?1 WHERE key = 'watermarks'", [known.to_string()]).expect("kept");

    let (code, _) = rig.auto_approve();
    assert_eq!((code, &watermarks()["tasks"]["seams"]), (0, &known["tasks"]["seams"]), "edits move no lane");
    rig.sandbox.clear_calls();
    let ran = rig.run(&["--auto-approve", "--full", "--json"]);

    assert_eq!((ran.code, &ran.json()["outcome"]), (0, &json!("in_sync")), "{}", ran.stderr);
    let filters: Vec<Value> = rig.sandbox.calls().iter().map(|call| call.body["filter"].clone()).collect();
    let has = |operator: &str| filters.iter().any(|filter| filter["created_time"].get(operator).is_some());
    assert!(has("before") && has("on_or_after"), "{filters:?}");
    assert!(rig.mutations().is_empty());
}
