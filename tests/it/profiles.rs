//! Configurations by name: each has a file and a state of its own, and everything says which one it is.

use std::{fs, process::Command};

use punchlist::sandbox::World;

use crate::{
    support::{Ran, Rig, default_places, punchlist},
    terminal::{SMALL, Terminal},
};

/// A rig whose configuration is the profile berlin.
fn rig() -> Rig {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    let rig = Rig::new(world);
    let profiles = default_places(rig.home.path()).0.join("profiles");
    fs::create_dir_all(&profiles).expect("a directory");
    fs::rename(rig.configuration(), profiles.join("berlin.toml")).expect("moves");
    rig
}

fn command(rig: &Rig, arguments: &[&str]) -> Command {
    let mut command = punchlist(rig.home.path());
    command.args(arguments);
    command
}

fn run(rig: &Rig, arguments: &[&str]) -> Ran {
    Ran::of(command(rig, arguments).output().expect("the binary runs"))
}

#[test]
fn a_profile_has_a_file_and_a_state_of_its_own_and_is_named() {
    let rig = rig();
    let plan = run(&rig, &["--profile", "berlin", "plan"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let first = plan.stdout.lines().next().unwrap_or_default().to_owned();
    assert_eq!(first, "Notion “Harbour Studio”, Clockify “Harbour Studio”, profile berlin");
    let states = default_places(rig.home.path()).1;
    assert!(states.join("profiles/berlin").exists(), "{}", states.display());
    assert!(!states.join("punchlist.sqlite3").exists());

    let report = run(&rig, &["--profile", "berlin", "--auto-approve", "--json"]);
    let workspaces = &report.json()["workspaces"];
    assert_eq!(
        (&workspaces["clockify"], &workspaces["configuration"]),
        (&"Harbour Studio".into(), &"profile berlin".into())
    );
    let shown = run(&rig, &["--profile", "berlin", "logs", "show", "last"]);
    assert!(shown.stdout.contains("Clockify “Harbour Studio”, profile berlin"), "{}", shown.stdout);

    // The default one knows nothing of it.
    let other = run(&rig, &["plan"]);
    assert!(other.code == 78 && !other.stderr.contains("berlin"), "{}: {}", other.code, other.stderr);
    let none = run(&rig, &["--profile", "paris", "plan"]);
    assert!(none.code == 78 && none.stderr.contains("profiles/paris.toml"), "{}: {}", none.code, none.stderr);
    for name in ["../berlin", "a/b", "", ".hidden", "ber lin"] {
        let refused = run(&rig, &["--profile", name, "plan"]);
        assert!(
            refused.code == 64 && refused.stderr.contains("profile"),
            "{name}: {}: {}",
            refused.code,
            refused.stderr
        );
    }
}

#[test]
fn the_console_says_where_it_writes_and_the_terminal_has_its_title_back() {
    let rig = rig();
    let mut terminal = Terminal::start(&command(&rig, &["--profile", "berlin"]), SMALL);
    terminal.shows_row(&["Acme Corp"]);
    terminal.shows_row(&["Harbou", "berlin", "0/1", "0 approved"]);
    terminal.keys("aP");
    terminal.shows("Apply to Notion “Harbour Studio”, Clockify “Harbour Studio”, profile berlin?");
    terminal.keys("\x1b");
    terminal.wait_for("no dialog", |screen| !screen.contents().contains("Apply to"));
    terminal.keys("q");
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    let said = String::from_utf8_lossy(&ended.bytes).into_owned();
    assert!(said.contains("\x1b]0;punchlist: profile berlin\x07"), "the title");
    assert_eq!((said.matches("\x1b[22;2t").count(), said.matches("\x1b[23;2t").count()), (1, 1));
}
