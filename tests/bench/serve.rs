//! How the daemon bears being called: 100,000 button presses over 64 connections, with a run under way and one that
//! waits all the time. `cargo bench --bench serve`; it says how long an answer takes, and how much memory and how many
//! open files the daemon has before and after.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it starts a daemon, and says what it measured")]

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use punchlist::sandbox::{Knobs, Sandbox, World};

const CALLS: usize = 100_000;
const CONNECTIONS: usize = 64;
const SECRET: &str = "bench-s3cret-0123456789abcdef";
/// What 99 of 100 answers may take.
const P99_MAX: Duration = Duration::from_millis(100);
/// What the daemon may gain in memory, in KiB.
const GROWTH_KIB_MAX: u64 = 16 * 1024;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (home, sandbox) = (tempfile::TempDir::new().expect("a directory"), runtime.block_on(sandbox()));
    sandbox.knobs().latency = Duration::from_millis(500);
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_punchlist"))
        .args(["serve", "--config"])
        .arg(configuration(&sandbox, &home))
        .env_clear()
        .envs([
            ("HOME", home.path().to_str().expect("UTF-8")),
            ("NOTION_TOKEN", "ntn_sandbox"),
            ("CLOCKIFY_API_KEY", "sandbox"),
            ("BUTTON", SECRET),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let base = line.split(' ').find(|word| word.starts_with("http")).expect("an address").to_owned();
    // A first wave, so that what is only allocated once is.
    runtime.block_on(wave(&base, CALLS / 100));
    let before = costs(daemon.id());

    let begun = Instant::now();
    let mut took = runtime.block_on(wave(&base, CALLS));
    let seconds = begun.elapsed().as_secs_f64();

    let after = costs(daemon.id());
    daemon.kill().expect("it lives");
    daemon.wait().expect("it ends");
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    let (p50, p99, max) = (at(50), at(99), at(100));
    println!("{CALLS} calls in {seconds:.1} s: p50 {p50:.2?}, p99 {p99:.2?}, longest {max:.2?}");
    println!("memory {} → {} KiB, open files {} → {}", before.0, after.0, before.1, after.1);
    assert!(p99 < P99_MAX, "an answer takes too long");
    assert!(after.0 < before.0 + GROWTH_KIB_MAX, "it grows with what it is told");
    assert!(after.1 <= before.1 + CONNECTIONS, "it keeps files open");
}

async fn sandbox() -> Sandbox {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    world.add_project_page("Website", client);
    Sandbox::start(world, Knobs::default(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a free port")
}

fn configuration(sandbox: &Sandbox, home: &tempfile::TempDir) -> std::path::PathBuf {
    let source = |name| sandbox.world().data_source(name).expect("a data source").to_string();
    let text = format!(
        "notion.token = \"env:NOTION_TOKEN\"\nnotion.base_url = \"{}\"\nnotion.clients.data_source = \"{}\"\n\
         notion.projects.data_source = \"{}\"\nnotion.tasks.data_source = \"{}\"\nclockify.token = \"env:CLOCKIFY_API_KEY\"\n\
         clockify.base_url = \"{}\"\nstate.dir = \"{}\"\nwebhook.listen = \"127.0.0.1:0\"\n\
         webhook.callers.billing = {{ kind = \"notion-button\", secret = \"env:BUTTON\" }}\n",
        sandbox.notion_url(),
        source("Clients"),
        source("Projects"),
        source("Tasks"),
        sandbox.clockify_url(),
        home.path().join("state").display(),
    );
    let file = home.path().join("config.toml");
    std::fs::write(&file, text).expect("writes");
    file
}

/// Presses the button so often, and says how long each answer took.
async fn wave(base: &str, calls: usize) -> Vec<Duration> {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("{base}/hooks/notion/button/billing");
    let body =
        r#"{"source":{"type":"automation"},"data":{"object":"page","id":"1f2c0000-0000-4000-8000-0000000009a0"}}"#;
    let lanes = (0..CONNECTIONS).map(|_| async {
        let mut took = Vec::with_capacity(calls / CONNECTIONS);
        for _ in 0..calls / CONNECTIONS {
            let begun = Instant::now();
            let answer = client.post(&url).bearer_auth(SECRET).body(body).send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
            drop(answer.bytes().await.expect("a body"));
            took.push(begun.elapsed());
        }
        took
    });
    join_all(lanes).await.concat()
}

/// The memory of a process in KiB, and how many files it has open; zero where the platform does not say.
fn costs(pid: u32) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    (memory.unwrap_or_default(), files)
}
