//! What the command line promises: formats, exit codes, saved plans, the demonstration, the sandbox.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use punchlist::{domain::journal::What, sandbox::World};
use serde_json::json;

use crate::support::{Ran, Rig, done, punchlist};

fn acme() -> Rig {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    world.add_project_page("Website", client);
    Rig::new(world)
}

#[test]
fn usage_errors_are_exit_64() {
    let home = tempfile::TempDir::new().expect("a directory");
    for arguments in [&["--no-such-flag"][..], &["plan", "--out"], &["frobnicate"], &["--demo", "--config", "x"]] {
        let ran = Ran::of(punchlist(home.path()).args(arguments).output().expect("runs"));
        assert_eq!(ran.code, 64, "{arguments:?}");
    }
    assert_eq!(Ran::of(punchlist(home.path()).arg("--help").output().expect("runs")).code, 0);
}

#[test]
fn a_plan_is_the_same_twice_and_writes_nothing() {
    let rig = acme();
    let (first, second) = (rig.plan(), rig.plan());
    assert_eq!(first["plan_hash"], second["plan_hash"]);
    assert_eq!(first["changes"], second["changes"]);
    assert!(rig.mutations().is_empty());
    assert_eq!(first["format"], "punchlist/plan/1");
    assert_eq!(first["summary"]["create"], json!(2));
    assert_eq!(first["estimate"]["notion_calls"], json!(2));
    assert_eq!(first["changes"][1]["parent_id"], first["changes"][0]["id"]);
}

#[test]
fn bare_punchlist_prints_the_plan_when_nobody_is_there() {
    let rig = acme();
    let ran = rig.run(&[]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("Acme Corp") && ran.stdout.contains("Plan: 2 create"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "no escapes where nobody can see colours");
}

#[test]
fn detailed_exit_codes_tell_changes_and_brakes() {
    let rig = acme();
    assert_eq!(rig.run(&["plan", "--detailed-exitcode"]).code, 2);
    rig.settle();
    assert_eq!(rig.run(&["plan", "--detailed-exitcode"]).code, 0);
}

#[test]
fn a_brake_withholds_its_class_and_lets_the_rest_go_on() {
    let mut world = World::empty();
    let pages: Vec<_> = (0..5).map(|number| world.add_client_page(&format!("Client {number}"))).collect();
    let rig = Rig::new(world);
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        for &page in &pages[..4] {
            world.set_checkbox(page, "Archive", true);
        }
        world.add_client_page("Newcomer");
    }

    let (code, report) = rig.auto_approve();

    assert_eq!(
        (code, &report["outcome"], &report["applied"], &report["held"]),
        (3, &json!("braked"), &json!(1), &json!(4))
    );
    assert_eq!(rig.run(&["plan", "--detailed-exitcode"]).code, 3);
}

#[test]
fn a_saved_plan_applies_what_still_holds_and_refuses_the_rest() {
    let rig = acme();
    let file = rig.home.path().join("plan.json");
    let file = file.to_str().expect("UTF-8");
    assert_eq!(rig.run(&["plan", "--out", file]).code, 0);
    {
        let mut world = rig.sandbox.world();
        let project = world.find_page("Projects", "Website").expect("a page");
        world.set_title(project, "Website 2027");
    }

    let ran = rig.run(&["apply", file, "--json"]);

    let report = ran.json();
    assert_eq!((&report["applied"], &report["skipped"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(ran.code, 4, "partly applied");
    assert!(rig.sandbox.world().find_client("Acme Corp").is_some());
    let because = report["not_started"][0]["because"].as_str().expect("a reason");
    assert!(
        because.contains("planned for “Website” was to create") && because.contains("now it is to create"),
        "{because}"
    );
    let again = rig.run(&["apply", file, "--json"]).json();
    assert_eq!(again["applied"], json!(0), "a second time there is nothing left of it");
    rig.settle();
    let ran = rig.run(&["apply", file, "--json"]);
    assert_eq!((ran.code, &ran.json()["outcome"]), (0, &json!("in_sync")), "what was planned is so already");
}

#[test]
fn a_saved_plan_that_was_changed_is_refused() {
    let rig = acme();
    let file = rig.home.path().join("plan.json");
    rig.run(&["plan", "--out", file.to_str().expect("UTF-8")]);
    let text = std::fs::read_to_string(&file).expect("saved");
    rig.sandbox.clear_calls();

    for (from, to) in [("Acme Corp", "Evil Corp"), ("\"confidence\": 95", "\"confidence\": 96"), ("plan/1", "plan/9")] {
        assert!(text.contains(from));
        std::fs::write(&file, text.replacen(from, to, 1)).expect("writable");
        let ran = rig.run(&["apply", file.to_str().expect("UTF-8")]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains("cannot be used"), "{}", ran.stderr);
    }
    assert_eq!(rig.call_counts(), (0, 0));
}

#[cfg(unix)]
#[test]
fn plans_and_state_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let rig = acme();
    let file = rig.home.path().join("plan.json");
    rig.run(&["plan", "--out", file.to_str().expect("UTF-8")]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let state = rig.home.path().join("state");
    assert_eq!((mode(&file), mode(&state), mode(&state.join("punchlist.sqlite3"))), (0o600, 0o700, 0o600));
}

#[test]
fn the_demonstration_needs_nothing_and_applies_something() {
    let home = tempfile::TempDir::new().expect("a directory");
    let ran = Ran::of(punchlist(home.path()).args(["--demo", "--auto-approve", "--json"]).output().expect("runs"));
    let report = ran.json();
    assert_eq!((ran.code, &report["failed"]), (2, &json!(0)), "{report}");
    assert!(report["applied"].as_u64().expect("a number") > 20);
    let left: Vec<_> = std::fs::read_dir(home.path()).expect("a directory").collect();
    assert!(left.is_empty(), "it leaves nothing behind");
}

#[test]
fn the_sample_shows_every_action_and_every_notice_that_it_can() {
    let home = tempfile::TempDir::new().expect("a directory");
    let plan = Ran::of(punchlist(home.path()).args(["--demo", "plan", "--json"]).output().expect("runs")).json();
    for action in ["create", "link", "update", "close", "reopen", "move", "write_back", "clear_claim", "review", "held"]
    {
        assert!(plan["summary"][action].as_u64() > Some(0), "{action}");
    }
    let notices = plan["notices"].as_array().expect("notices");
    for code in ["lost_sight", "moved_out", "copied_id", "unmanaged", "near_twin"] {
        assert!(notices.iter().any(|notice| notice["code"] == code), "{code}");
    }
    let changes = plan["changes"].as_array().expect("changes");
    for cause in ["new", "notion_changed", "drift", "conflict", "match", "vanished", "claim", "copied_id"] {
        assert!(changes.iter().any(|change| change["cause"] == cause), "{cause}");
    }
}

#[test]
fn nothing_hidden_reaches_the_terminal() {
    let home = tempfile::TempDir::new().expect("a directory");
    for arguments in [&["--demo"][..], &["--demo", "--json"], &["--demo", "--auto-approve"]] {
        let ran = Ran::of(punchlist(home.path()).args(arguments).output().expect("runs"));
        for text in [&ran.stdout, &ran.stderr] {
            let hidden = text.chars().find(|&c| {
                c.is_control() && c != '\n' || matches!(c, '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
            });
            assert_eq!(hidden, None, "{arguments:?}");
        }
    }
}

/// A running `punchlist sandbox`, which ends with its test.
struct Served(Child);

impl Served {
    /// Serves on a free port, and hands over the configuration that is printed.
    fn start(home: &Path, arguments: &[&str]) -> (Self, String) {
        let mut command = punchlist(home);
        command.args(["sandbox", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
        let mut served = Self(command.spawn().expect("starts"));
        let mut text = String::new();
        for line in BufReader::new(served.0.stdout.take().expect("piped")).lines() {
            text += &(line.expect("UTF-8") + "\n");
            if text.contains("reports_url") {
                break;
            }
        }
        (served, text)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_sandbox_serves_and_prints_the_configuration_to_use_it() {
    // The shell of Windows says quotation marks otherwise.
    let key = if cfg!(windows) { "of-euc1-only" } else { "of-\"euc1\"-only" };
    for kind in [&["--empty"][..], &["--empty", "--personal", "--clockify-key", key]] {
        let home = tempfile::TempDir::new().expect("a directory");
        let (_served, text) = Served::start(home.path(), kind);
        let file = home.path().join("sandbox.toml");
        std::fs::write(&file, &text).expect("writable");

        let mut command = punchlist(home.path());
        command.arg("--config").arg(&file).args(["--state-dir", "state", "plan", "--json"]);
        let ran = Ran::of(command.output().expect("runs"));

        assert_eq!(ran.code, 0, "{kind:?}: {}", ran.stderr);
        assert_eq!(ran.json()["changes"], json!([]));
        assert_eq!(text.contains("ntn_personal"), kind.contains(&"--personal"));
    }
}

#[test]
fn a_bare_sandbox_has_no_databases_to_configure() {
    let home = tempfile::TempDir::new().expect("a directory");
    let (_served, text) = Served::start(home.path(), &["--bare"]);
    assert!(text.contains("There are no databases yet") && text.contains("notion.base_url = "), "{text}");
    assert!(!text.contains("data_source"), "{text}");
}

#[test]
fn every_exchange_and_write_is_in_the_journal_without_secrets() {
    let rig = acme();
    rig.auto_approve();
    let store = done(punchlist::edge::store::Store::open_read_only(&rig.state())).expect("opens");
    let run = &done(store.runs(1)).expect("runs")[0];
    let events = done(store.events(&run.id)).expect("events");
    let text = serde_json::to_string(&events).expect("JSON");
    let count = |word: &str| text.matches(&format!("\"event\":\"{word}\"")).count();
    assert_eq!((count("intent"), count("outcome"), count("applied")), (4, 4, 2));
    let exchanges = events.iter().map(|event| match event.what {
        What::Exchange { .. } => 1,
        What::Exchanges { calls, .. } => usize::try_from(calls).expect("few"),
        _ => 0,
    });
    assert_eq!(exchanges.sum::<usize>(), rig.sandbox.calls().len());
    let writes = rig.sandbox.calls().into_iter().filter(|call| call.mutation).count();
    assert!(count("exchange") >= writes, "what writes is kept by itself");
    let secrets = ["ntn_sandbox", "\"sandbox\""];
    assert!(secrets.iter().all(|secret| !text.contains(secret)));
}

#[test]
fn the_version_says_the_commit_where_it_is_known() {
    let home = tempfile::TempDir::new().expect("a directory");
    let ran = Ran::of(punchlist(home.path()).arg("--version").output().expect("runs"));
    // Whoever packages it says which commit it is.
    let commit = option_env!("PUNCHLIST_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    assert_eq!(ran.stdout, format!("punchlist {}{commit}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_readme_shows_what_the_demonstration_prints() {
    let home = tempfile::TempDir::new().expect("a directory");
    let printed = Ran::of(punchlist(home.path()).arg("--demo").output().expect("runs")).stdout;
    // The IDs of changes are others each time.
    let is_id = |word: &str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let without_id = |line: &'static str| match line.rsplit_once("  ") {
        Some((rest, id)) if is_id(id) => rest.trim_end(),
        _ => line.trim_end(),
    };
    let printed: Vec<&str> = printed.leak().lines().map(without_id).collect();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("a README");
    let picture = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a picture");
    for line in picture.lines() {
        assert!(printed.contains(&line.trim_end()), "the demonstration does not print {line:?}");
    }
}

#[test]
fn read_only_goes_with_nothing_that_writes() {
    let rig = Rig::new(World::agency());
    for arguments in [&["--auto-approve"][..], &["apply", "plan.json"], &["apply", "--pending"], &["unlink", "x"]] {
        let run = rig.run(&[&["--read-only"], arguments].concat());
        assert_eq!(run.code, 64, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains("--read-only"), "{}", run.stderr);
    }
    assert_eq!(rig.run(&["--read-only", "plan"]).code, 0);
    assert!(rig.mutations().is_empty());
}
