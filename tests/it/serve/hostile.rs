//! Whoever calls without proof learns nothing, and brings nothing down.

use std::{
    collections::HashSet,
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{Daemon, SECRETS, left, read_all, secret};
use crate::support::Rig;

#[test]
fn nobody_is_told_which_names_there_are() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    let calls = [
        ("/hooks/notion/button/billing", "wrong"),
        ("/hooks/notion/button/nobody", "wrong"),
        ("/hooks/notion/button/billing", ""),
        ("/hooks/notion/button/nobody", ""),
        ("/hooks/notion/button/hours", secret("HOURS")),
        ("/hooks/notion/button/%00%2f..", "wrong"),
        ("/hooks/notion/events/events", secret("CI")),
        ("/hooks/notion/events/nobody", secret("CI")),
        ("/hooks/clockify/hours", secret("HOURS")),
        ("/hooks/clockify/nobody", "wrong"),
        ("/runs", "wrong"),
        ("/runs", secret("BUTTON")),
        ("/runs", ""),
    ];
    let answers: HashSet<(u16, String)> =
        calls.iter().map(|(path, secret)| daemon.post(path, secret, "{\"data\":{\"id\":\"x\"}}")).collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.iter().next().map(|(status, _)| *status), Some(401));
    let large = "x".repeat(2 << 20);
    for path in ["/hooks/notion/button/billing", "/hooks/notion/button/nobody", "/hooks/notion/events/events", "/runs"]
    {
        assert_eq!(status_of(&daemon, path, "wrong", &large), 413, "{path}");
    }
    for (method, path, status) in [
        (reqwest::Method::GET, "/hooks/notion/button/billing", 405),
        (reqwest::Method::PUT, "/runs", 405),
        (reqwest::Method::DELETE, "/metrics", 405),
        (reqwest::Method::GET, "/", 404),
        (reqwest::Method::GET, "/hooks", 404),
    ] {
        assert_eq!(daemon.call(method.clone(), path, secret("CI"), vec![]).0, status, "{method} {path}");
    }
    assert_eq!(rig.sandbox.calls().len(), 0, "nobody got a run");
    assert_eq!(daemon.number("punchlist_calls_total{way=\"notion-button\",answer=\"too_large\"}"), 2);
}

/// A call whose body the daemon may not read to its end.
fn status_of(daemon: &Daemon, path: &str, secret: &str, body: &str) -> u16 {
    let mut stream = connect(daemon);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("written");
    // It may hang up before all is written.
    drop(stream.write_all(body.as_bytes()));
    status(&read_all(stream))
}

fn connect(daemon: &Daemon) -> TcpStream {
    let address = daemon.base.trim_start_matches("http://");
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("sets");
    stream
}

fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
}

#[test]
fn who_is_known_is_answered_whatever_they_say() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    let large = "x".repeat(2 << 20);
    for body in ["", "{", "null", "\u{0}\u{0}", "{\"data\":[]}", "{\"data\":{\"id\":\"../../etc\"}}", large.as_str()] {
        assert_eq!(daemon.post("/hooks/notion/button/billing", secret("BUTTON"), body).0, 200, "{} bytes", body.len());
        assert_eq!(daemon.post("/runs", secret("CI"), body).0, 202, "{} bytes", body.len());
    }
    let deep = "[".repeat(500_000);
    assert_eq!(daemon.post("/hooks/notion/button/billing", secret("BUTTON"), &deep).0, 200);
    daemon.run(secret("CI"));
    assert_eq!(rig.sandbox.world().projects().len(), 1);
}

#[test]
fn slow_and_broken_callers_hold_nobody_up() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    let begun = Instant::now();
    // Heads that never end, bodies that never come, and what is no HTTP at all.
    let mut slow: Vec<TcpStream> = (0..300).map(|_| connect(&daemon)).collect();
    for (n, stream) in slow.iter_mut().enumerate() {
        let said: &[u8] = match n % 3 {
            0 => b"POST /runs HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            1 => b"POST /hooks/notion/events/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
            _ => b"\x16\x03\x01\x00\xa5\x01\x00",
        };
        stream.write_all(said).expect("written");
    }
    let (status_now, _) = daemon.get("/healthz", "");
    assert_eq!(status_now, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(daemon.run(secret("CI"))["report"]["outcome"], "applied");
    // Each is let go of in time.
    for stream in slow {
        let answer = read_all(stream);
        assert!([0, 400, 401, 408].contains(&status(&answer)), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let head = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(100_000));
    let mut stream = connect(&daemon);
    drop(stream.write_all(head.as_bytes()));
    assert!([0, 431].contains(&status(&read_all(stream))));
    assert_eq!(daemon.get("/healthz", "").0, 200, "and it lives");
}

#[test]
fn a_caller_that_is_tried_out_is_told_about_and_gets_nothing() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    let url = daemon.url("/hooks/notion/button/tried");
    let call = |name: &'static str, value: &'static str| {
        let request = daemon.client.post(&url).header(name, value).header("User-Agent", "notion-ish/1");
        daemon.runtime.block_on(async { request.send().await.expect("an answer").status().as_u16() })
    };
    assert_eq!(call("X-Punchlist-Secret", secret("TRIED")), 200);
    assert_eq!(call("X-Secret-Misspelt", "button-0123456789abcdef"), 200);

    let said = daemon
        .until("both are told", |daemon| Some(daemon.said()).filter(|said| said.matches("tried called").count() == 2));
    assert!(said.contains("its secret is right") && said.contains("its secret is missing or wrong"), "{said}");
    assert!(said.contains("user-agent: notion-ish/1") && said.contains("x-secret-misspelt: (23 characters)"), "{said}");
    assert!(!said.contains("0123456789abcdef"), "{said}");
    assert_eq!(rig.sandbox.calls().len(), 0);
}

#[test]
fn no_secret_stands_in_anything_that_is_left() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "diagnostics.level = \"trace\"\nlogs.bodies = true\n");
    for (_, secret) in SECRETS {
        for path in ["/hooks/notion/button/billing", "/hooks/notion/button/tried", "/hooks/clockify/hours", "/runs"] {
            daemon.post(path, secret, &format!("{{\"data\":{{\"id\":\"{secret}\"}},\"token\":\"{secret}\"}}"));
            daemon.get(&format!("/runs/{secret}"), secret);
        }
    }
    daemon.run(secret("CI"));
    let (code, said) = daemon.end_by(rustix::process::Signal::TERM);
    assert_eq!(code, 0);
    let mut texts = left(&rig.home.path().join("state"));
    texts.push(("standard error".to_owned(), said.into_bytes()));
    assert!(texts.len() > 3);
    for (name, text) in texts {
        for (of, secret) in SECRETS {
            let piece = secret.as_bytes().windows(14).find(|piece| text.windows(14).any(|part| part == *piece));
            assert_eq!(piece.map(String::from_utf8_lossy), None, "{of} in {name}");
        }
    }
}
