//! The undo of a run through the real binary: a plan like any other, that puts back what is still as the run left it.

use std::{io::Write, path::PathBuf, process::Stdio};

use punchlist::sandbox::World;
use serde_json::{Value, json};

use crate::support::{Ran, Rig};

/// A world with something of every sort to do, and its rig.
struct Bench {
    rig: Rig,
}

fn bench() -> Bench {
    let mut world = World::empty();
    let globex = world.add_client_page("Globex");
    let initech = world.add_client_page("Initech");
    let website = world.add_project_page("Website", globex);
    let shop = world.add_project_page("Shop", globex);
    let design = world.add_task_page("Design", website);
    let cart = world.add_task_page("Cart", shop);
    let rig = Rig::new(world);
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        world.set_title(website, "Relaunch");
        world.set_relation(shop, "Clients", &[initech]);
        world.set_status(design, "Status", "Done");
        world.set_relation(cart, "Projects", &[website]);
        let acme = world.add_client_page("Acme Corp");
        world.add_project_page("Intranet", acme);
    }
    Bench { rig }
}

/// What people see of both services: names, where things stand, whether they are closed, and the IDs in the pages.
fn seen(rig: &Rig) -> Vec<String> {
    let world = rig.sandbox.world();
    let clients = world.clients().into_iter().map(|row| format!("client {} {} {}", row.id, row.name, row.archived));
    let projects = world.projects().into_iter();
    let projects = projects.map(|row| format!("project {} {} {:?} {}", row.id, row.name, row.client, row.archived));
    let tasks =
        world.tasks().into_iter().map(|row| format!("task {} {} {} {}", row.id, row.name, row.project, row.done));
    let sources = ["Clients", "Projects", "Tasks"].into_iter().flat_map(|source| world.pages(source));
    let pages = sources.map(|page| format!("page {} {:?}", page.title, world.claim(page.id)));
    let mut all: Vec<String> = clients.chain(projects).chain(tasks).chain(pages).collect();
    all.sort();
    all
}

impl Bench {
    fn file(&self) -> PathBuf {
        self.rig.home.path().join("undo.json")
    }

    /// Approves everything that a plan to move needs a person for.
    fn run(&self) -> String {
        // Moving a task is for a person: say that it is not.
        self.rig.configure("rules.thresholds.move = 80\n");
        let (code, report) = self.rig.auto_approve();
        assert_eq!((code, &report["failed"]), (0, &json!(0)), "{report}");
        report["run_id"].as_str().expect("a run").to_owned()
    }

    /// Plans the undo of a run, or of the last one, and applies what is ready of it.
    fn undo(&self, run: Option<&str>) -> (Value, Value) {
        let file = self.file();
        let file = file.to_str().expect("UTF-8");
        let mut arguments = vec!["undo"];
        arguments.extend(run);
        arguments.extend(["--out", file, "--json"]);
        let planned = self.rig.run(&arguments);
        assert_eq!(planned.code, 0, "{}", planned.stderr);
        let applied = self.rig.run(&["apply", file, "--json"]);
        assert!(!applied.stdout.is_empty(), "{}", applied.stderr);
        (planned.json(), applied.json())
    }
}

fn lines(plan: &Value) -> Vec<String> {
    let changes = plan["changes"].as_array().expect("changes").iter();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    changes
        .map(|change| {
            format!(
                "{} {} {} [{}]",
                word(&change["action"]),
                word(&change["kind"]),
                word(&change["name"]),
                word(&change["state"])
            )
        })
        .collect()
}

#[test]
fn a_run_its_undo_and_the_undo_of_that() {
    let bench = bench();
    let rig = &bench.rig;
    let before = seen(rig);
    let run = bench.run();
    let after = seen(rig);

    let (plan, report) = bench.undo(None);

    assert_eq!(plan["scope"]["undoes"], json!(run), "the last run that wrote something");
    assert_eq!(
        (&report["failed"], &report["skipped"], &report["outcome"]),
        (&json!(0), &json!(0), &json!("applied")),
        "{report}"
    );
    let now = seen(rig);
    let left: Vec<&String> = now.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(left.len(), 3, "all is as it was, and what was created is closed: {left:#?}");
    assert!(left.iter().all(|line| line.ends_with("true")), "{left:#?}");

    rig.sandbox.clear_calls();
    let (code, ordinary) = rig.auto_approve();
    assert_eq!(
        (code, &ordinary["outcome"]),
        (0, &json!("in_sync")),
        "what was undone is not done again: {:?}",
        rig.plan_lines()
    );
    assert!(rig.mutations().is_empty());
    assert_eq!(lines(&rig.run(&["undo", &run, "--json"]).json()), [""; 0], "nothing of it is left to undo");
    assert!(rig.run(&["undo", &run]).stdout.contains("Nothing of it is left to undo."));

    let (_, again) = bench.undo(None);

    assert_eq!((&again["failed"], &again["skipped"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!(seen(rig), after, "as the run had left it");
    assert_eq!(rig.auto_approve().1["outcome"], json!("in_sync"));
}

#[test]
fn what_people_have_moved_since_stays_and_is_told() {
    let bench = bench();
    let rig = &bench.rig;
    let run = bench.run();
    {
        let mut world = rig.sandbox.world();
        let globex = world.find_client("Globex").expect("a client");
        let website = world.find_project("Relaunch", Some(globex)).expect("a project");
        world.rename_object(website, "Ours");
        let acme = world.find_client("Acme Corp").expect("a client");
        world.add_project("Theirs", acme);
    }

    let (plan, report) = bench.undo(Some(&run[..run.len() - 1]));

    let holds: Vec<&str> = plan["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|change| change["hold"]["text"].as_str())
        .collect();
    assert!(holds.contains(&"it has moved since: now it is “Ours”, and the run left “Relaunch”"), "{holds:#?}");
    assert!(holds.iter().any(|text| text.starts_with("there are 1 open projects below it by now")), "{holds:#?}");
    assert_eq!(report["failed"], json!(0), "{report}");
    let world = rig.sandbox.world();
    assert!(world.projects().iter().any(|project| project.name == "Ours"));
    assert!(world.find_client("Acme Corp").is_some_and(|acme| !world.client(acme).expect("there").archived));
    assert!(world.find_project("Shop", world.find_client("Globex")).is_some(), "what has not moved is put back");
}

#[test]
fn an_undo_that_closes_much_is_braked_until_somebody_lets_it_through() {
    let mut world = World::empty();
    for number in 0..5 {
        world.add_client_page(&format!("Client {number}"));
    }
    let bench = Bench { rig: Rig::new(world) };
    bench.rig.settle();

    let (plan, report) = bench.undo(None);

    assert_eq!(plan["summary"]["held"], json!(10), "five closes, and their five IDs: {:?}", lines(&plan));
    assert_eq!(report["applied"], json!(0));
    let file = bench.file();
    let ran = bench.rig.run(&["apply", file.to_str().expect("UTF-8"), "--allow", "close=5", "--json"]);
    assert_eq!(ran.json()["applied"], json!(10), "{}{}", ran.stdout, ran.stderr);
    assert!(bench.rig.sandbox.world().clients().iter().all(|client| client.archived));
}

#[test]
fn an_undo_that_was_killed_at_any_commit_is_taken_up() {
    let model = bench();
    model.run();
    model.undo(None);
    let end = seen(&model.rig).len();
    let titles = |rig: &Rig| -> Vec<String> {
        // Ids differ from world to world; what they name does not.
        let strip = |line: &String| {
            line.split(' ').filter(|word| word.len() < 20 && !word.contains("Some")).collect::<Vec<_>>().join(" ")
        };
        let mut lines: Vec<String> = seen(rig).iter().map(strip).collect();
        lines.sort();
        lines
    };
    let wanted = titles(&model.rig);
    let mut killed = 0;
    for commit in (1..200).step_by(2) {
        let bench = bench();
        let run = bench.run();
        let file = bench.file();
        let file = file.to_str().expect("UTF-8");
        assert_eq!(bench.rig.run(&["undo", &run, "--out", file]).code, 0);
        let ran = bench.rig.run_at(&format!("committed:{commit}:abort"), &["apply", file]);
        if ran.code == 0 {
            break;
        }
        killed += 1;
        let (_, report) = bench.undo(Some(&run));
        assert_eq!(report["failed"], json!(0), "killed at commit {commit}: {report}");
        assert_eq!(titles(&bench.rig), wanted, "killed at commit {commit}");
        let (_, ordinary) = bench.rig.auto_approve();
        assert_eq!(ordinary["applied"], json!(0), "killed at commit {commit}: {:?}", bench.rig.plan_lines());
    }
    assert!(killed > 5 && end > 0, "{killed} kills");
}

#[test]
fn a_run_that_is_not_there_is_said_so() {
    let rig = Rig::new(World::empty());
    let ran = rig.run(&["undo"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no run has written anything yet"), "{}", ran.stderr);
    let ran = rig.run(&["undo", "1999\u{1b}[31m"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("there is no run “1999⟨U+001B⟩[31m”"), "{}", ran.stderr);
    rig.settle();
    rig.settle();
    let ran = rig.run(&["undo", "20"]);
    assert!(ran.stderr.contains("several runs begin with “20”"), "{}", ran.stderr);
}

#[test]
fn an_undo_is_reviewed_in_line_prompts_too() {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    let rig = Rig::new(world);
    rig.settle();
    let mut command = rig.command();
    command.args(["undo", "--plain"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    child.stdin.take().expect("piped").write_all(b"A\nP\n1\n").expect("written");
    let ran = Ran::of(child.wait_with_output().expect("ends"));

    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("This is the undo of run "), "{}", ran.stdout);
    assert!(rig.sandbox.world().clients()[0].archived);
}
