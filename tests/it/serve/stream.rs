//! The log is passed on whole: what a destination has missed comes from the log itself when it listens again.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    sync::{Arc, Mutex},
};

use rustix::process::Signal;
use serde_json::Value;

use super::{Daemon, left, secret};
use crate::support::Rig;

/// The numbers of the entries in a text of JSON lines.
fn numbers(text: &str) -> Vec<u64> {
    let line = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(|text| line(text)["n"].as_u64().expect("a number")).collect()
}

/// How many entries the log has, each with its hash.
fn logged(rig: &Rig) -> Vec<(u64, Value)> {
    let export = rig.run(&["logs", "export", "--format", "jsonl"]).stdout;
    let lines = export.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| Some((line["n"].as_u64()?, line["hash"].clone()))).collect()
}

fn whole(upto: u64) -> Vec<u64> {
    (1..=upto).collect()
}

#[test]
fn a_file_gets_every_entry_in_order_and_catches_up_after_it_was_away() {
    let rig = Rig::of_one_project();
    let directory = rig.home.path().join("elsewhere");
    fs::create_dir(&directory).expect("a directory");
    let file = directory.join("punchlist.jsonl");
    rig.configure(&format!("rules.settle_seconds = 0\nlogs.stream = [\"file:{}\"]\n", file.display()));

    rig.auto_approve();

    let text = fs::read_to_string(&file).expect("written");
    let log = logged(&rig);
    assert_eq!(numbers(&text), whole(log.len() as u64));
    let hashes: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["hash"].clone()).collect();
    assert_eq!(hashes, log.into_iter().map(|(_, hash)| hash).collect::<Vec<_>>());
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);

    // The place goes away, and comes back.
    fs::rename(&directory, rig.home.path().join("aside")).expect("moves");
    let ran = rig.run(&["--auto-approve"]);
    assert_eq!(ran.code, 0, "a run is none the worse for it: {}", ran.stderr);
    assert!(ran.stderr.contains("the log was not passed on to file:"), "{}", ran.stderr);
    fs::rename(rig.home.path().join("aside"), &directory).expect("moves");
    rig.auto_approve();
    assert_eq!(numbers(&fs::read_to_string(&file).expect("written")), whole(logged(&rig).len() as u64));
}

/// What was posted: heads and bodies.
type Posted = Arc<Mutex<Vec<(String, String)>>>;

/// Takes what is posted, and refuses the first few.
fn collector(refuses: usize) -> (String, Posted) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}/ingest?key=c0llector-k3y-0123456789", listener.local_addr().expect("an address"));
    let got = Posted::default();
    let keeps = Arc::clone(&got);
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let mut stream = stream.expect("a connection");
            let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
            let (head, body) = loop {
                let read = stream.read(&mut buffer).expect("bytes");
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
                if body.len() >= length.expect("a length") {
                    break (head.to_owned(), body.to_owned());
                }
            };
            let status = if n < refuses { "503 Service Unavailable" } else { "200 OK" };
            if n >= refuses {
                keeps.lock().expect("no panic").push((head, body));
            }
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).expect("written");
        }
    });
    (address, got)
}

#[test]
fn an_address_and_the_system_log_get_every_entry_from_the_daemon_with_a_token() {
    let rig = Rig::of_one_project();
    let (address, got) = collector(1);
    let socket = rig.home.path().join("log.socket");
    let syslog = UnixDatagram::bind(&socket).expect("binds");
    syslog.set_nonblocking(true).expect("sets");
    let daemon = Daemon::start_with(
        &rig,
        &format!(
            "logs.stream = [\"{address}\", \"syslog:{}\"]\nlogs.stream_token = \"env:COLLECTOR\"\n",
            socket.display()
        ),
        &[("COLLECTOR", "c0llector-t0ken-0123456789")],
    );
    daemon.run(secret("CI"));
    daemon.run(secret("CI"));
    let (code, said) = daemon.end_by(Signal::TERM);
    assert_eq!(code, 0, "{said}");

    let posted = got.lock().expect("no panic").clone();
    let all: String = posted.iter().map(|(_, body)| body.as_str()).collect();
    let mut seen = numbers(&all);
    seen.dedup();
    assert_eq!(seen, whole(logged(&rig).len() as u64), "all of them, in order");
    assert!(posted.iter().all(|(head, _)| head.contains("Bearer c0llector-t0ken-0123456789")), "{posted:?}");
    let mut datagrams = Vec::new();
    let mut buffer = vec![0; 100_000];
    while let Ok(length) = syslog.recv(&mut buffer) {
        datagrams.push(String::from_utf8(buffer[..length].to_vec()).expect("UTF-8"));
    }
    assert!(!datagrams.is_empty() && datagrams[0].starts_with("<14>punchlist["), "{datagrams:?}");
    let lines: Vec<&str> = datagrams.iter().filter_map(|text| Some(text.split_once(": ")?.1)).collect();
    assert_eq!(numbers(&lines.join("\n"))[..5], whole(5));
    // Neither what the address holds nor the token is found in what is left.
    for (name, text) in left(&rig.home.path().join("state")) {
        for secret in ["c0llector-t0ken-0123456789", "c0llector-k3y-0123456789"] {
            let found = text.windows(14).any(|part| secret.as_bytes().windows(14).any(|piece| piece == part));
            assert!(!found, "{secret} in {name}");
        }
    }
    assert!(!said.contains("c0llector"), "{said}");
}
