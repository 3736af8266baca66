//! A sandbox, and the binary on it, whose runs are measured.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use punchlist::sandbox::{Knobs, Sandbox, Service, World};
use rusqlite::Connection;
use tempfile::TempDir;

/// Kernel ticks in a second, on every Linux that we know.
const TICKS: f64 = 100.0;
/// Counts the syncs of a program, where it is installed.
pub const STRACE: &str = "/usr/bin/strace";

/// A sandbox, and a home for the binary with the configuration that reaches it.
pub struct Office {
    pub sandbox: Sandbox,
    home: TempDir,
    runtime: tokio::runtime::Runtime,
}

/// What a run has cost.
pub struct Cost {
    pub notion: usize,
    pub clockify: usize,
    /// Seconds.
    pub processor: f64,
    pub took: Duration,
    /// The most at any time, in MiB.
    pub memory: u64,
}

impl Cost {
    pub fn calls(&self) -> String {
        format!("{} + {}", self.notion, self.clockify)
    }

    pub fn resources(&self) -> String {
        let Self { processor, memory, took, .. } = self;
        format!("{processor:.2} s of processor, {memory} MiB ({took:.1?})")
    }
}

impl Office {
    pub fn new(world: World) -> Self {
        Self::with(world, Knobs::default(), "notion.requests_per_minute = 100000\n")
    }

    /// With services of a kind, and more in the configuration.
    pub fn with(world: World, knobs: Knobs, more: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sandbox = runtime.block_on(Sandbox::start(world, knobs, address)).expect("a free port");
        let office = Self { sandbox, home: TempDir::new().expect("a directory"), runtime };
        office.configure(more);
        office
    }

    fn configure(&self, more: &str) {
        let source = |name| self.sandbox.world().data_source(name).expect("a data source").to_string();
        let text = format!(
            "notion.token = \"env:NOTION_TOKEN\"\nnotion.base_url = \"{}\"\n\
             notion.clients.data_source = \"{}\"\nnotion.projects.data_source = \"{}\"\nnotion.tasks.data_source = \"{}\"\n\
             clockify.token = \"env:CLOCKIFY_API_KEY\"\nclockify.base_url = \"{}\"\nstate.dir = \"{}\"\n{more}",
            self.sandbox.notion_url(),
            source("Clients"),
            source("Projects"),
            source("Tasks"),
            self.sandbox.clockify_url(),
            self.home.path().join("state").display(),
        );
        fs::write(self.configuration(), text).expect("writes");
    }

    pub fn configuration(&self) -> PathBuf {
        self.home.path().join("config.toml")
    }

    /// What a run says on its standard error.
    fn said(&self) -> PathBuf {
        self.home.path().join("said")
    }

    /// `--auto-approve`, by the binary or by a program that watches it.
    fn command(&self, watched_by: &[&str], more: &[&str]) -> Command {
        let binary = std::env::var("ECONOMY_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_punchlist").to_owned());
        let mut words = watched_by.iter().copied().chain([binary.as_str()]);
        let mut command = Command::new(words.next().expect("at least the binary"));
        command.args(words).args(["--auto-approve", "--config"]).arg(self.configuration()).args(more);
        let said = File::create(self.said()).expect("writes");
        command.env_clear().stdout(Stdio::null()).stderr(said).envs([
            ("HOME", self.home.path().to_str().expect("UTF-8")),
            ("NOTION_TOKEN", "ntn_sandbox"),
            ("CLOCKIFY_API_KEY", "sandbox"),
        ]);
        command
    }

    /// Waits for what is done in this process.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn run(&self, more: &[&str]) -> Cost {
        self.sandbox.clear_calls();
        let (before, begun) = (processor(), Instant::now());
        let (memory, code) = peak(&mut self.command(&[], more));
        let (processor, took) = (processor() - before, begun.elapsed());
        assert_eq!(code, 0, "a run that ends well: {}", fs::read_to_string(self.said()).unwrap_or_default());
        let calls = self.sandbox.calls();
        let notion = calls.iter().filter(|call| call.service == Service::Notion).count();
        Cost { notion, clockify: calls.len() - notion, processor, took, memory }
    }

    /// Runs until a run has nothing to do but to read what was edited since.
    pub fn settle(&self) {
        for _ in 0..2 {
            self.run(&[]);
            self.sandbox.world().advance(SignedDuration::from_mins(5));
        }
    }

    /// Bytes of all entries of the log.
    pub fn log_bytes(&self) -> i64 {
        self.state().query_row("SELECT coalesce(sum(length(body)), 0) FROM event", [], |row| row.get(0)).expect("a log")
    }

    /// How long all writes took together, from when the first of them was noted until the last was answered.
    pub fn writing(&self) -> Duration {
        let times = "SELECT max(at_ms) - min(at_ms) FROM event WHERE kind IN ('intent', 'outcome')";
        let millis: i64 = self.state().query_row(times, [], |row| row.get(0)).expect("writes in the log");
        Duration::from_millis(millis.unsigned_abs())
    }

    fn state(&self) -> Connection {
        Connection::open(self.home.path().join("state").join("punchlist.sqlite3")).expect("a state")
    }

    /// How often a run has what it wrote put on the disk.
    pub fn syncs(&self) -> usize {
        let counts = self.home.path().join("syncs");
        let watched_by = [STRACE, "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o"];
        let counts_name = counts.to_str().expect("UTF-8");
        let watched_by: Vec<&str> = watched_by.into_iter().chain([counts_name]).collect();
        assert!(self.command(&watched_by, &[]).status().expect("strace runs").success());
        let lines = fs::read_to_string(counts).expect("what strace wrote");
        lines.lines().filter(|line| line.contains("sync(")).count()
    }
}

/// Processor time of all processes that this one has waited for, in seconds; zero where the platform does not say.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // The 16th and 17th fields of proc_pid_stat(5); the name is the second.
    let ticks = after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}

/// The most memory that a process had at any time, in MiB, and its exit code.
fn peak(command: &mut Command) -> (u64, i32) {
    let mut child = command.spawn().expect("the binary runs");
    let mut most = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        // The kernel keeps the most by itself; before the program has begun, that is our own.
        most = line.trim().trim_end_matches(" kB").parse::<u64>().map_or(most, |kib| kib / 1024);
        if let Some(ended) = child.try_wait().expect("waits") {
            return (most, ended.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
