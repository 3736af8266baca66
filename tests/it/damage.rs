//! A state that is damaged, cut short or led elsewhere is called that, and nothing is written to a service because of
//! it.

use std::{fs, path::PathBuf};

use punchlist::sandbox::World;

use crate::support::Rig;

/// Some of everything, in sync.
fn rig() -> Rig {
    let mut world = World::empty();
    for name in ["Acme", "Globex"] {
        let client = world.add_client_page(name);
        let project = world.add_project_page(&format!("{name} website"), client);
        world.add_task_page("Design", project);
    }
    let rig = Rig::new(world);
    rig.settle();
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
    rig
}

fn state(rig: &Rig) -> PathBuf {
    rig.home.path().join("state")
}

#[test]
fn whatever_bit_of_the_state_is_wrong_nothing_is_written_because_of_it() {
    let rig = rig();
    let file = state(&rig).join("punchlist.sqlite3");
    let whole = fs::read(&file).expect("reads");
    rig.sandbox.clear_calls();
    let (mut damaged, count) = (0, 40);
    for number in 0..count {
        // Everywhere in the file, at no fixed place of a page.
        let place = number * whole.len() / count + number * 97 % 4096;
        let mut bytes = whole.clone();
        let Some(byte) = bytes.get_mut(place) else { continue };
        *byte ^= 1 << (number % 8);
        for beside in ["punchlist.sqlite3-wal", "punchlist.sqlite3-shm"] {
            drop(fs::remove_file(state(&rig).join(beside)));
        }
        fs::write(&file, bytes).expect("writes");

        let ran = rig.run(&["--auto-approve"]);

        assert!([0, 2, 3, 6].contains(&ran.code), "byte {place}, exit {}: {}", ran.code, ran.stderr);
        assert!(ran.code != 6 || ran.stderr.contains("`punchlist doctor rebuild`"), "byte {place}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("bug"), "byte {place}: {}", ran.stderr);
        damaged += usize::from(ran.code == 6);
    }
    assert!(damaged > 0 && rig.mutations().is_empty(), "{damaged} damaged, {:?}", rig.mutations());
    fs::write(&file, "no database").expect("writes");
    assert_eq!(rig.run(&["doctor", "rebuild"]).code, 0, "the way out leads out");
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn a_log_that_is_not_what_its_checkpoint_has_seen_is_said_at_every_start_and_told() {
    let rig = rig();
    let told = rig.home.path().join("told");
    rig.configure(&format!("notify.command = [\"/bin/sh\", \"-c\", \"cat >> {}; echo >> {0}\"]\n", told.display()));
    let file = state(&rig).join("punchlist.sqlite3");
    let (whole, checkpoints) = (fs::read(&file).expect("reads"), state(&rig).join("checkpoints.jsonl"));
    let kept = fs::read(&checkpoints).expect("kept");
    rig.auto_approve();
    assert!(!told.exists(), "all is well");

    // Somebody puts an older copy of the state in place: its log ends before the last checkpoint.
    fs::write(&file, &whole).expect("writes");
    assert!(rig.run(&["plan"]).stderr.contains("its end was cut off"));
    for words in [&["plan"][..], &["--auto-approve"], &["--auto-approve"], &["plan"]] {
        let ran = rig.run(words);
        for said in ["that a checkpoint has seen", "`punchlist logs verify`", "checkpoints.jsonl away"] {
            assert!(ran.stderr.contains(said), "{words:?} should say {said:?}: {}", ran.stderr);
        }
    }
    let text = fs::read_to_string(&told).expect("told");
    assert_eq!(text.lines().count(), 1, "once: {text}");
    assert!(text.contains("the log is in doubt") && text.contains("that a checkpoint has seen"), "{text}");

    // Entries that were made anew.
    fs::write(&file, &whole).expect("writes");
    fs::write(&checkpoints, &kept).expect("writes");
    assert!(rig.run(&["plan"]).stderr.is_empty());
    fs::write(&file, &whole).expect("writes");
    fs::write(&checkpoints, &kept).expect("writes");
    let database = rusqlite::Connection::open(&file).expect("opens");
    let tamper = "DROP TRIGGER event_is_never_changed; UPDATE event SET body = replace(body, 'in_sync', 'pending')
                  WHERE n = (SELECT max(n) FROM event); PRAGMA wal_checkpoint(TRUNCATE)";
    database.execute_batch(tamper).expect("changes");
    drop(database);
    assert!(rig.run(&["plan"]).stderr.contains("does not follow from the one before it"));

    fs::rename(&checkpoints, rig.home.path().join("away")).expect("moves");
    assert!(rig.run(&["plan"]).stderr.is_empty(), "a person has settled it");
    assert!(checkpoints.exists());
}

#[cfg(unix)]
#[test]
fn nothing_beside_the_database_may_lead_out_of_the_state() {
    use std::os::unix::fs::symlink;
    let rig = rig();
    rig.configure("diagnostics.level = \"trace\"\n");
    let elsewhere = rig.home.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("creates");
    fs::write(elsewhere.join("old.sqlite3"), "somebody's").expect("writes");
    rig.sandbox.clear_calls();
    for name in ["diagnostics", "backups", "lock", "reserve", "checkpoints.jsonl", "checkpoint.key"] {
        let (path, aside) = (state(&rig).join(name), rig.home.path().join("aside"));
        let was_there = fs::rename(&path, &aside).is_ok();
        symlink(&elsewhere, &path).expect("links");

        for words in [&["--auto-approve"][..], &["plan"], &["logs", "list"], &["pending"]] {
            let ran = rig.run(words);
            assert_eq!(ran.code, 6, "{name}, {words:?}: {}", ran.stderr);
            let says = ran.stderr.contains(name)
                && ran.stderr.contains("it is a symbolic link, and may lead out of the state");
            assert!(says, "{name}, {words:?}: {}", ran.stderr);
        }
        fs::remove_file(&path).expect("removes");
        if was_there {
            fs::rename(&aside, &path).expect("moves back");
        }
    }
    assert_eq!(rig.call_counts(), (0, 0));
    let names: Vec<_> = fs::read_dir(&elsewhere).expect("reads").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["old.sqlite3"], "nothing was made or taken away there");
    assert_eq!(rig.auto_approve().0, 0);
}
