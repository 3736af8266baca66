//! What cannot be used is refused with its code, says why, and tells no password.

use std::fs;

use punchlist::sandbox::World;

use crate::support::{
    Ran, Rig,
    postgres::{Server, ran, server},
};

/// A password that must not be seen.
const PASSWORD: &str = "guest-s3cret";

/// Runs the binary on a state at an address, and checks that no password is told.
#[track_caller]
fn run_at(rig: &Rig, address: &str, words: &[&str]) -> Ran {
    let ran = Ran::of(rig.command().args(words).env("STATE_URL", address).output().expect("the binary runs"));
    for secret in [PASSWORD, "wr0ng-s3cret"] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{}{}", ran.stdout, ran.stderr);
    }
    ran
}

#[track_caller]
pub(super) fn check(rig: &Rig, address: &str, words: &[&str], code: i32, said: &str) {
    let ran = run_at(rig, address, words);
    assert_eq!(ran.code, code, "{address} {words:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
}

#[test]
fn whatever_cannot_be_used_is_refused_with_its_code() {
    let Some(server) = server() else { return };
    let rig = Rig::with_state(World::empty(), Some(server.address()));
    let own = rig.server.clone().expect("on a server");
    server.sql("CREATE SCHEMA foreign_one; CREATE TABLE foreign_one.event (n int)");
    server.sql("CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader; ALTER ROLE reader SET default_transaction_read_only = on");
    let every = [vec!["plan"], vec!["--auto-approve"], vec!["pending"], vec!["logs", "list"], vec!["state", "lock"]];
    let guest = |password: &str, query: &str| server.address_of(&format!("guest:{password}"), "postgres", query);
    for words in &every {
        for (address, code, said) in [
            (format!("mysql://guest:{PASSWORD}@h/d"), 78, "which begins with postgres://"),
            (format!("postgres://guest:{PASSWORD}@db.example/d?sslmode=disable"), 78, "sslmode=disable"),
            (format!("postgres://guest:{PASSWORD}@db.example/d?sslmode=prefer"), 78, "sslmode is"),
            (format!("postgres://guest:{PASSWORD}@%2Fnowhere/d"), 6, "cannot be reached"),
            (format!("postgres://guest:{PASSWORD}@127.0.0.1:1/d"), 6, "cannot be reached"),
            (guest("wr0ng-s3cret", ""), 7, "does not let us in"),
            (server.address_of("postgres", "nowhere", ""), 6, "there is no such database"),
            (server.address_of("postgres", "postgres", "schema=foreign_one"), 6, "tables of another program"),
        ] {
            check(&rig, &address, words, code, said);
        }
    }

    check(&rig, &guest(PASSWORD, "schema=not_there"), &["plan"], 7, "the role has no right to it");
    assert_eq!(rig.auto_approve().0, 0);
    let schema = own.split_once('?').expect("it has a schema").1;
    for words in &every {
        check(&rig, &guest(PASSWORD, schema), words, 7, "the role has no right to it");
    }
    for (words, code) in every.iter().zip([6, 6, 0, 0, 0]) {
        let said = if code == 0 { "" } else { "it can only be read" };
        check(&rig, &server.address_of("reader", "postgres", schema), words, code, said);
    }
    server.sql(&format!("UPDATE {}.version SET version = 9", schema.trim_start_matches("schema=")));
    for words in &every {
        check(&rig, &own, words, 6, "its schema is version 9");
    }

    rig.configure("state.dir = \"state\"\n");
    check(&rig, &own, &["plan"], 78, "both set");
    rig.configure("");
    check(&rig, &own, &["plan", "--state-dir", "state"], 78, "both set");
}

#[test]
fn a_role_that_may_only_look_can_look() {
    let Some(server) = server() else { return };
    let rig = Rig::with_state(World::empty(), Some(server.address()));
    assert_eq!(rig.auto_approve().0, 0);
    let schema = rig.server.as_deref().and_then(|address| address.split_once("schema=")).expect("it has one").1;
    server.sql(&format!(
        "CREATE ROLE auditor LOGIN; GRANT USAGE ON SCHEMA {schema} TO auditor; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO auditor"
    ));
    let auditor = server.address_of("auditor", "postgres", &format!("schema={schema}"));
    for (words, code) in
        [(vec!["state", "lock"], 0), (vec!["logs", "list"], 0), (vec!["pending"], 0), (vec!["--auto-approve"], 7)]
    {
        check(&rig, &auditor, &words, code, "");
    }
}

#[test]
fn a_server_is_known_by_its_certificate() {
    let Some(server) = Server::start() else { return };
    let made = |words: &str| ran(server.program("openssl").args(words.split(' ')));
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    made(&format!("req -x509 {key} -subj /CN=authority -days 2 -keyout authority.key -out authority.pem"));
    made(&format!(
        "req {key} -subj /CN=server -addext subjectAltName=DNS:localhost -keyout server.key -out server.csr"
    ));
    made(
        "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -copy_extensions copy -days 2 -out server.pem",
    );
    server.set("listen_addresses = '127.0.0.1'\n");
    server.restart();
    server.sql("GRANT CREATE ON DATABASE postgres TO guest");
    let rig = Rig::with_state(World::empty(), Some(String::new()));
    let at = |host: &str, query: &str| {
        format!("postgres://guest:{PASSWORD}@{host}:{}/postgres?schema=tls&{query}", server.port)
    };
    let authority = server.data().with_file_name("authority.pem");
    let trusting = format!("sslmode=verify-full&sslrootcert={}", authority.display());

    check(&rig, &at("localhost", &trusting), &["--auto-approve"], 6, "cannot be reached");
    server.set("ssl = on\nssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'\n");
    server.restart();

    check(&rig, &at("localhost", "sslmode=require"), &["--auto-approve"], 6, "cannot be reached");
    check(&rig, &at("127.0.0.1", &trusting), &["--auto-approve"], 6, "cannot be reached");
    let none = rig.home.path().join("none.pem");
    fs::write(&none, "").expect("writable");
    let wrong = format!("sslmode=require&sslrootcert={}", none.display());
    check(&rig, &at("localhost", &wrong), &["--auto-approve"], 6, "sslrootcert");
    check(&rig, &at("localhost", &trusting), &["--auto-approve"], 0, "");
    assert_eq!(server.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'tls' AND tablename = 'event'"), "1");
}
