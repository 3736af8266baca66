//! The disk of a server fills up in the middle of an apply. The server is a real one, whose files may not grow beyond a
//! limit.

use super::*;
use crate::support::preload::{PRELOAD, preload};

/// Bytes of a page of the server's.
const PAGE: u64 = 8192;
/// Bytes that a file may grow to: as many as one of the server's own log has from the beginning.
const LIMIT: u64 = 16 << 20;

/// Lets the table of the journal grow by so many pages, as if much had been deleted from it that is not tidied up yet.
fn fill_but_for(server: &Server, database: &str, pages: u64) {
    let size = || {
        let size = server.sql_in(database, "SELECT pg_relation_size('punchlist.event')");
        size.parse::<u64>().expect("a number")
    };
    let left = LIMIT / PAGE - pages;
    while size() / PAGE < left {
        // Four rows fill a page.
        let rows = 4 * (left - size() / PAGE);
        let sql = format!(
            "BEGIN;
             INSERT INTO punchlist.event (n, run_id, at_ms, kind, level, body, hash)
             SELECT -n, '', 0, '', 0, repeat('x', 1900), '' FROM generate_series(1, {rows}) AS n;
             ROLLBACK"
        );
        server.sql_in(database, &sql);
    }
    assert_eq!(size() / PAGE, left);
}

/// Lets the disk be full so many pages of the journal after a run began; returns how many writes it has made.
fn full_after(server: &'static Server, scene: &Scene, end: &Value, pages: u64, said: &[&str]) -> usize {
    let rig = scene.rig();
    let database = database_of(&rig);
    fill_but_for(server, &database, pages);
    server.limit_files(Some(LIMIT));
    let ended = rig.run(&["--auto-approve"]);
    server.limit_files(None);
    let crash = format!("full after {pages} pages: {}", ended.stderr);
    assert_eq!(ended.code, 6, "{crash}");
    for words in said {
        assert!(ended.stderr.contains(words), "{crash}: {words}");
    }
    let (sent, intents) = (rig.mutations().len(), intents_of_last_run(server, &database));
    assert!(sent <= intents, "{crash}: {sent} writes left and {intents} were in the journal");
    assert_eq!(finish(&rig, &crash), *end, "{crash}");
    sent
}

fn fills_up(server: &'static Server, said: &[&str]) {
    server.set("autovacuum = off\n");
    let scene = scene_on(server);
    let end = scene.end();
    let sent: Vec<usize> = (0..5).map(|pages| full_after(server, &scene, &end, pages, said)).collect();
    assert!(sent.contains(&0) && sent.iter().any(|sent| *sent > 0), "before and amid its writes: {sent:?}");
}

#[test]
fn on_a_disk_of_the_server_that_fills_up_nothing_leaves_without_its_intent_and_the_next_run_goes_on() {
    let Some(server) = own_server() else { return };
    server.restart_with(&[(PRELOAD, &preload(server.directory()))]);
    fills_up(server, &["the disk of the server is full", "free some space there and run again"]);
}

#[test]
fn at_a_limit_to_the_files_of_the_server_that_is_said_and_the_next_run_goes_on() {
    let Some(server) = own_server() else { return };
    fills_up(
        server,
        &["the server failed (could not extend file", "File too large", "look into its log, and at its disk"],
    );
}

#[test]
fn a_server_that_can_write_no_log_of_its_own_ends_and_the_next_run_goes_on() {
    let Some(server) = own_server() else { return };
    let scene = scene_on(server);
    let end = scene.end();
    for kilobytes in [8, 24, 64] {
        let rig = scene.rig();
        let database = database_of(&rig);
        // In the middle of a file of its log, beyond where all its other files end.
        server.sql("SELECT pg_switch_wal(); SELECT pg_logical_emit_message(false, 'x', repeat('x', 8 << 20))");
        let at: u64 = server
            .sql("SELECT file_offset FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())")
            .parse()
            .expect("a number");
        server.limit_files(Some(at + (kilobytes << 10)));
        let ended = rig.run(&["--auto-approve"]);
        server.limit_files(None);
        server.restart();
        let crash = format!("its log is full after {kilobytes} KiB: {}", ended.stderr);
        assert_eq!(ended.code, 6, "{crash}");
        assert!(ended.stderr.contains("what was under way is taken up"), "{crash}");
        let (sent, intents) = (rig.mutations().len(), intents_of_last_run(server, &database));
        assert!(sent <= intents, "{crash}: {sent} writes left and {intents} were in the journal");
        assert_eq!(finish(&rig, &crash), end, "{crash}");
    }
}
