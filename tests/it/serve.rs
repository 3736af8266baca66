//! The daemon: the real binary against the sandbox, called as the services call.

mod calls;
mod clock;
mod console;
mod daemon;
mod deliveries;
mod documents;
mod handshake;
mod hostile;
mod scope;
mod silence;
mod stream;
#[cfg(target_os = "linux")]
mod supervised;
mod week;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::Rig;

/// How long anything may take that a test waits for.
const DEADLINE: Duration = Duration::from_mins(1);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Everybody who calls in these tests; each secret is in the environment.
const CALLERS: &str = "webhook.listen = \"127.0.0.1:0\"\n\
    webhook.callers.billing = { kind = \"notion-button\", secret = \"env:BUTTON\" }\n\
    webhook.callers.hours = { kind = \"clockify\", secret = \"env:HOURS\" }\n\
    webhook.callers.events = { kind = \"notion-events\" }\n\
    webhook.callers.ci = { kind = \"bearer\", secret = \"env:CI\" }\n\
    webhook.callers.looks = { kind = \"bearer\", secret = \"env:LOOKS\", scope = \"plan\" }\n\
    webhook.callers.tried = { kind = \"notion-button\", secret = \"env:TRIED\", test = true }\n";
const SECRETS: [(&str, &str); 5] = [
    ("BUTTON", "button-s3cret-0123456789abcdef"),
    ("HOURS", "hours-s3cret-0123456789abcdef"),
    ("CI", "ci-s3cret-0123456789abcdef"),
    ("LOOKS", "looks-s3cret-0123456789abcdef"),
    ("TRIED", "tried-s3cret-0123456789abcdef"),
];

fn secret(name: &str) -> &'static str {
    SECRETS.iter().find(|(known, _)| *known == name).expect("known").1
}

/// A daemon that runs; killed when it is dropped.
struct Daemon {
    child: Child,
    base: String,
    said: Arc<Mutex<String>>,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Daemon {
    /// Starts one with the callers, and waits until it can be called.
    fn start(rig: &Rig, more: &str) -> Self {
        Self::start_with(rig, more, &[])
    }

    fn start_with(rig: &Rig, more: &str, variables: &[(&str, &str)]) -> Self {
        rig.configure(&format!("rules.settle_seconds = 0\n{CALLERS}{more}"));
        let mut command = rig.command();
        command.arg("serve").envs(SECRETS).envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let said: Arc<Mutex<String>> = Arc::default();
        let stderr = child.stderr.take().expect("piped");
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *heard.lock().expect("no panic") += &(line + "\n");
            }
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("a line");
        let base = line.split(' ').find(|word| word.starts_with("http")).map(str::to_owned);
        let base = base.unwrap_or_else(|| panic!("{line}: {}", said.lock().expect("no panic")));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
        let daemon = Self { child, base, said, runtime, client };
        daemon.until("it is ready", |daemon| (daemon.get("/readyz", "").0 == 200).then_some(()));
        daemon
    }

    fn said(&self) -> String {
        self.said.lock().expect("no panic").clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Calls with a secret as a program presents it, and returns status and body.
    fn call(&self, method: reqwest::Method, path: &str, secret: &str, body: Vec<u8>) -> (u16, String) {
        let request = self.client.request(method, self.url(path)).bearer_auth(secret).body(body);
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.text().await.expect("a body"))
        })
    }

    fn get(&self, path: &str, secret: &str) -> (u16, String) {
        self.call(reqwest::Method::GET, path, secret, Vec::new())
    }

    fn post(&self, path: &str, secret: &str, body: &str) -> (u16, String) {
        self.call(reqwest::Method::POST, path, secret, body.into())
    }

    /// Looks until something is there.
    #[track_caller]
    fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begun.elapsed() < DEADLINE, "waited in vain until {what}: {}", self.said());
            std::thread::sleep(LOOK);
        }
    }

    /// Asks for a run and waits for its end.
    #[track_caller]
    fn run(&self, secret: &str) -> Value {
        let (status, body) = self.post("/runs", secret, "");
        assert_eq!(status, 202, "{body}");
        let asked: Value = serde_json::from_str(&body).expect("JSON");
        self.ended(asked["run_id"].as_str().expect("a run"))
    }

    #[track_caller]
    fn ended(&self, run: &str) -> Value {
        self.until("the run has ended", |daemon| {
            let (status, body) = daemon.get(&format!("/runs/{run}"), secret("CI"));
            assert_eq!(status, 200, "{body}");
            let run: Value = serde_json::from_str(&body).expect("JSON");
            (run["state"] == "ended").then_some(run)
        })
    }

    /// A number of `/metrics`; zero where there is none.
    fn number(&self, line: &str) -> u64 {
        let (_, text) = self.get("/metrics", "");
        let value = text.lines().find_map(|known| known.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or_default()
    }

    /// Sends a signal, and waits for the end.
    fn end_by(mut self, signal: rustix::process::Signal) -> (i32, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it lives");
        let status = self.child.wait().expect("it ends");
        (status.code().unwrap_or(-1), self.said())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What started each run that the log lists, the latest first; what the daemon itself tells there is none.
fn triggers(rig: &Rig) -> Vec<String> {
    let ran = rig.run(&["logs", "list", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let runs = ran.json()["runs"].as_array().expect("runs").clone();
    runs.iter()
        .filter_map(|run| run["trigger"].as_str().map(str::to_owned))
        .filter(|trigger| trigger != "serve")
        .collect()
}

/// All files below a directory.
fn left(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        if entry.path().is_dir() {
            found.extend(left(&entry.path()));
        } else {
            found.push((entry.path().display().to_string(), std::fs::read(entry.path()).expect("reads")));
        }
    }
    found
}

fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    drop(from.read_to_end(&mut bytes));
    bytes
}
