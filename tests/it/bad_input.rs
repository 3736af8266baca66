//! Bad input: each case is told by name, with where it was set and what to do, has its exit code, and writes nothing.

use punchlist::sandbox::World;

use crate::support::{Rig, done, punchlist};

/// Runs `--auto-approve`, which must fail with a code and say all these things, and write nothing.
#[track_caller]
fn refuses(rig: &Rig, code: i32, says: &[&str]) {
    let ran = rig.run(&["--auto-approve"]);
    assert_eq!(ran.code, code, "{}", ran.stderr);
    for text in says {
        assert!(ran.stderr.contains(text), "it should say {text:?}:\n{}", ran.stderr);
    }
    assert!(rig.mutations().is_empty(), "nothing is written");
}

#[test]
fn without_a_configuration_it_says_what_is_needed() {
    let home = tempfile::TempDir::new().expect("a directory");
    let ran = crate::support::Ran::of(punchlist(home.path()).arg("plan").output().expect("runs"));
    assert_eq!(ran.code, 78);
    for key in ["notion.token", "notion.clients.data_source", "clockify.token"] {
        assert!(ran.stderr.contains(key), "{}", ran.stderr);
    }
}

#[test]
fn an_unknown_key_names_the_nearest_and_its_line() {
    let rig = Rig::of_one_project();
    rig.configure("notion.requests_per_minit = 100\n");
    refuses(&rig, 78, &["requests_per_minit", "requests_per_minute", "punchlist.toml:8"]);
}

#[test]
fn several_problems_are_told_at_once() {
    let rig = Rig::of_one_project();
    rig.configure("rules.thresholds.create = 101\nclockify.requests_per_second = 0\n");
    refuses(&rig, 78, &["rules.thresholds.create", "clockify.requests_per_second", "2 problems"]);
}

#[test]
fn a_bare_token_is_refused_and_not_repeated() {
    let rig = Rig::of_one_project();
    rig.write_configuration(&rig.reach().replace("env:NOTION_TOKEN", "ntn_1234567890abcdef"));
    let ran = rig.run(&["plan"]);
    assert_eq!(ran.code, 78);
    assert!(ran.stderr.contains("notion.token") && ran.stderr.contains("env:"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("1234567890"), "{}", ran.stderr);
}

#[test]
fn an_unreadable_secret_names_its_reference_and_key() {
    let rig = Rig::of_one_project();
    rig.write_configuration(&rig.reach().replace("env:NOTION_TOKEN", "env:NOT_SET_ANYWHERE"));
    refuses(&rig, 7, &["NOT_SET_ANYWHERE", "notion.token"]);
}

#[test]
fn a_refused_token_is_exit_seven() {
    let rig = Rig::of_one_project();
    let output = rig.command().arg("plan").env("NOTION_TOKEN", "ntn_wrong").output().expect("runs");
    let ran = crate::support::Ran::of(output);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert!(ran.stderr.contains("notion.token") && !ran.stderr.contains("ntn_wrong"), "{}", ran.stderr);
    let output = rig.command().arg("plan").env("CLOCKIFY_API_KEY", "wrong-key").output().expect("runs");
    let ran = crate::support::Ran::of(output);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert!(ran.stderr.contains("clockify.token") && !ran.stderr.contains("wrong-key"), "{}", ran.stderr);
}

#[test]
fn an_id_that_is_none_is_told_with_its_place() {
    let rig = Rig::of_one_project();
    let source = rig.sandbox.world().data_source("Tasks").expect("a source").to_string();
    rig.write_configuration(&rig.reach().replace(&source, "tasks, please"));
    refuses(&rig, 78, &["notion.tasks.data_source", "punchlist.toml:5"]);
}

#[test]
fn an_unshared_database_says_how_to_share_it() {
    let rig = Rig::of_one_project();
    rig.sandbox.knobs().unshared.insert("Projects".to_owned());
    refuses(&rig, 1, &["notion.projects.data_source", "Connections"]);
}

#[test]
fn a_database_that_is_unshared_later_closes_nothing() {
    let rig = Rig::of_one_project();
    rig.settle();
    rig.sandbox.knobs().unshared.insert("Projects".to_owned());
    refuses(&rig, 1, &["notion.projects.data_source"]);
}

#[test]
fn a_workspace_that_the_key_does_not_see_names_those_it_sees() {
    let rig = Rig::of_one_project();
    rig.configure("clockify.workspace = \"000000000000000000000000\"\n");
    refuses(&rig, 7, &["clockify.workspace", "the key sees only", "is set in", "punchlist.toml:8"]);
}

#[test]
fn a_renamed_property_is_recognised() {
    let rig = Rig::of_one_project();
    rig.settle();
    rig.sandbox.world().rename_property("Projects", "Status", "State");
    refuses(&rig, 78, &["mapping.projects.closed", "\"Status\"", "\"State\""]);
}

#[test]
fn a_property_of_the_wrong_type_names_the_usable_ones() {
    let rig = Rig::of_one_project();
    rig.configure("mapping.projects.id = \"Status\"\n");
    refuses(&rig, 78, &["mapping.projects.id", "status", "rich_text"]);
}

#[test]
fn a_closed_option_that_is_gone_does_not_open_everything() {
    let rig = Rig::of_one_project();
    let project = rig.sandbox.world().find_page("Projects", "Website").expect("a page");
    rig.sandbox.world().set(project, "Status", "Done");
    rig.settle();
    rig.sandbox.world().rename_option("Projects", "Status", "Done", "Finished");
    refuses(&rig, 78, &["mapping.projects.closed", "Done"]);
}

#[test]
fn a_database_with_several_sources_asks_which() {
    let rig = Rig::of_one_project();
    let (database, source) = {
        let mut world = rig.sandbox.world();
        let database = world.database("Clients").expect("a database");
        world.add_data_source(database, "Leads");
        (database.to_string(), world.data_source("Clients").expect("a source").to_string())
    };
    rig.write_configuration(&rig.reach().replace(&source, &database));
    refuses(&rig, 78, &["notion.clients.data_source", "Leads", "Clients"]);
}

#[test]
fn plain_http_to_another_host_is_refused() {
    let rig = Rig::of_one_project();
    let url = rig.sandbox.notion_url();
    rig.write_configuration(&rig.reach().replace(&url, "http://api.notion.com"));
    refuses(&rig, 78, &["notion.base_url", "https"]);
}

#[test]
fn another_workspace_than_before_is_refused() {
    let first = Rig::of_one_project();
    first.settle();
    let second = Rig::new(World::agency());
    first.write_configuration(&second.reach());
    refuses(&first, 7, &["this state belongs to"]);
}

#[test]
fn a_second_run_at_the_same_time_is_refused() {
    let rig = Rig::of_one_project();
    rig.settle();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut lock =
        done(punchlist::edge::store::Store::open(&(&rig.home.path().join("state")).into(), now)).expect("opens");
    done(lock.lock(punchlist::edge::store::Holder::here("ana", "review", now))).expect("free");
    refuses(&rig, 5, &["another run"]);
    drop(lock);
}

#[test]
fn a_damaged_state_is_refused_before_anything_is_sent() {
    let rig = Rig::of_one_project();
    rig.settle();
    std::fs::write(rig.home.path().join("state/punchlist.sqlite3"), "not a database at all, but long enough to look")
        .expect("writable");
    refuses(&rig, 6, &["punchlist.sqlite3"]);
    assert_eq!(rig.call_counts(), (0, 0));
}

#[test]
fn a_state_of_a_newer_version_is_refused_before_anything_is_sent() {
    let rig = Rig::of_one_project();
    rig.settle();
    let file = rig.home.path().join("state/punchlist.sqlite3");
    let mut bytes = std::fs::read(&file).expect("readable");
    // The user version in the header of the file.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&file, bytes).expect("writable");
    refuses(&rig, 6, &["its schema is version 99"]);
    assert_eq!(rig.call_counts(), (0, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_state_directory_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let rig = Rig::of_one_project();
    let mut command = punchlist(rig.home.path());
    command.arg("--config").arg(rig.configuration()).args(["--state-dir", "/proc/self/punchlist", "--auto-approve"]);
    let ran = crate::support::Ran::of(command.output().expect("runs"));
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert_eq!(rig.call_counts(), (0, 0));
}

#[test]
fn two_kinds_cannot_share_a_data_source() {
    let rig = Rig::of_one_project();
    let world = rig.sandbox.world();
    let (projects, tasks) = (world.data_source("Projects").expect("there"), world.data_source("Tasks").expect("there"));
    drop(world);
    rig.write_configuration(&rig.reach().replace(&tasks.to_string(), &projects.to_string()));
    refuses(&rig, 78, &["`notion.tasks.data_source` is the same as `notion.projects.data_source`", "punchlist.toml:5"]);
}
