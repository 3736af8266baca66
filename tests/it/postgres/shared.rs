//! A state that is moved, and who may do what with one.

use std::{fs::File, path::Path};

use punchlist::sandbox::World;

use super::{asked, rig};
use crate::support::{
    Ran, Rig,
    postgres::{ran, server},
};

fn world() -> World {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    world.add_project_page("Website", client);
    world
}

/// Runs the binary on a state in a directory.
fn in_directory(rig: &Rig, directory: &Path, words: &[&str]) -> Ran {
    let mut command = rig.command_with_state(directory);
    let address = rig.server.as_deref().expect("on a server");
    Ran::of(command.args(words).env("STATE_URL", address).output().expect("the binary runs"))
}

#[test]
fn a_state_is_moved_to_a_directory_and_back_with_all_that_it_holds() {
    let Some(rig) = rig(world()) else { return };
    assert_eq!(rig.auto_approve().0, 0);
    let directory = rig.home.path().join("moved");
    let named = directory.to_str().expect("UTF-8");
    let exported = |ran: Ran| {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let entries = ran.stdout.lines().filter(|line| line.contains("\"entry\":")).map(str::to_owned);
        entries.collect::<Vec<_>>()
    };
    let before = exported(rig.run(&["logs", "export", "--format", "jsonl"]));

    let moved = rig.run(&["state", "move", "--to", named]);

    assert_eq!(moved.code, 0, "{}", moved.stderr);
    assert!(moved.stdout.contains("2 links") && moved.stdout.contains("state.dir"), "{}", moved.stdout);
    for words in [vec!["plan"], vec!["--auto-approve"], vec!["pending"], vec!["logs", "list"]] {
        let refused = rig.run(&words);
        assert_eq!(refused.code, 6, "{words:?}");
        assert!(refused.stderr.contains(&format!("it was moved to {named}")), "{}", refused.stderr);
    }
    rig.write_configuration(&rig.reach());
    let here = |words: &[&str]| in_directory(&rig, &directory, words);
    let after = exported(here(&["logs", "export", "--format", "jsonl"]));
    assert!(after.starts_with(&before), "the log goes on as it was");
    assert_eq!(here(&["logs", "verify"]).code, 0);
    let writes = rig.mutations().len();
    assert_eq!(here(&["--auto-approve"]).code, 0);
    assert_eq!(rig.mutations().len(), writes, "it knows all that it knew");

    let back = here(&["state", "move", "--to", "env:STATE_URL"]);

    assert_eq!(back.code, 0, "{}", back.stderr);
    assert_eq!(here(&["plan"]).code, 6);
    rig.configure("");
    let (code, report) = rig.auto_approve();
    assert_eq!((code, report["outcome"].as_str()), (0, Some("in_sync")), "{report:#}");
    let aside = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE current_schema || '.before-%'";
    assert_eq!(asked(&rig, aside), "1", "what was moved away is set aside, and not deleted");
    assert_eq!(rig.run(&["state", "lock"]).stdout, "Nobody holds the lock.\n");
}

#[test]
fn a_state_is_not_moved_to_where_one_is_nor_to_an_address_on_the_command_line() {
    let Some(rig) = rig(world()) else { return };
    assert_eq!(rig.auto_approve().0, 0);
    let other = rig.home.path().join("other");
    rig.write_configuration(&rig.reach());
    assert_eq!(in_directory(&rig, &other, &["plan"]).code, 0);
    rig.configure("");
    let address = "postgres://guest:guest-s3cret@h/d";
    for (to, code, said) in [
        (other.to_str().expect("UTF-8"), 6, "there is a state already"),
        (address, 64, "seen by everybody"),
        ("", 64, "no place is named"),
        ("env:NOT_SET", 7, "NOT_SET"),
    ] {
        let refused = rig.run(&["state", "move", "--to", to]);
        assert_eq!(refused.code, code, "{to}: {}", refused.stderr);
        assert!(refused.stderr.contains(said), "{to}: {}", refused.stderr);
        assert_eq!(rig.run(&["pending"]).code, 0, "it is where it was");
    }
}

#[test]
fn each_role_has_the_rights_that_it_needs_and_no_more() {
    let Some(rig) = rig(world()) else { return };
    let server = server().expect("it runs");
    assert_eq!(rig.run(&["plan"]).code, 0, "the owner makes the tables");
    let own = rig.server.clone().expect("on a server");
    let (_, schema) = own.split_once("schema=").expect("it names one");
    let roles = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/postgres-roles.sql")).expect("there");
    let mut psql = server.program("psql");
    psql.args(["-Xq", "-U", "postgres", "-d", "postgres", "-v", &format!("schema={schema}"), "-f", "-", "-h"]);
    ran(psql.arg(server.data().parent().expect("it has one")).arg("-p").arg(server.port.to_string()).stdin(roles));
    for role in ["reader", "reviewer", "runner"] {
        server.sql(&format!("CREATE ROLE the_{role} LOGIN IN ROLE punchlist_{role}"));
    }
    let run_as = |role: &str, words: &[&str]| {
        let address = server.address_of(role, "postgres", &format!("schema={schema}"));
        Ran::of(rig.command().args(words).env("STATE_URL", address).output().expect("the binary runs"))
    };
    let code = |role: &str, words: &[&str]| run_as(role, words).code;

    assert_eq!((code("the_reader", &["pending"]), code("the_reader", &["logs", "list"])), (0, 0));
    assert_eq!(code("the_reader", &["plan"]), 7);
    assert_eq!(code("the_reviewer", &["plan"]), 0);
    assert_eq!(code("the_reviewer", &["--auto-approve"]), 7, "it can keep no intent");
    assert_eq!(rig.mutations().len(), 0, "and so nothing leaves");
    assert_eq!(code("the_runner", &["--auto-approve"]), 0);
    assert_eq!(rig.sandbox.world().projects().len(), 1);

    let who = "SELECT string_agg(DISTINCT by, ' ' ORDER BY by) FROM run";
    assert_eq!(asked(&rig, who), "postgres the_reviewer the_runner", "everybody is who the server lets in");
    let entries = asked(&rig, "SELECT count(*) FROM event");
    for (role, sql) in [
        ("the_runner", "UPDATE event SET body = 'x'"),
        ("the_runner", "DELETE FROM event WHERE n = (SELECT max(n) FROM event)"),
        ("the_reviewer", "DELETE FROM event"),
    ] {
        let tried = format!(
            "SET ROLE {role}; SET search_path TO {schema};
             DO $$ BEGIN {sql}; EXCEPTION WHEN OTHERS THEN RETURN; END $$;
             SELECT count(*) FROM event WHERE body <> 'x'"
        );
        assert_eq!(server.sql(&tried), entries, "{role}: {sql}");
    }
}
