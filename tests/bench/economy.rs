//! What punchlist costs: calls, processor time, memory, syncs of the disk and log, each beside what it may be, and how
//! it grows with ten times the tasks. `cargo bench --bench economy`.
//!
//! Processor time and memory are those of runs over 1,000, 10,000 and 100,000 tasks, or of those that `ECONOMY_TASKS`
//! names, in place of everything else: `ECONOMY_TASKS=1000000`. The binary is this one's, or another that
//! `ECONOMY_BINARY` names, for comparing.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it starts the binary, and says what it measured")]

mod agency;

use std::{
    fmt::Display,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use punchlist::{
    domain::{diff::diff, plan::Scope, rules::Rules},
    sandbox::{Knobs, Sandbox, Service, World},
};
use rusqlite::Connection;
use tempfile::TempDir;

/// Kernel ticks in a second, on every Linux that we know.
const TICKS: f64 = 100.0;
/// Counts the syncs of a program, where it is installed.
const STRACE: &str = "/usr/bin/strace";

fn main() {
    if let Ok(tasks) = std::env::var("ECONOMY_TASKS") {
        let tasks = tasks.split(',').map(|tasks| tasks.parse().expect("numbers of tasks, with commas between them"));
        return resources(tasks.collect());
    }
    calls();
    new_workspace();
    rename();
    resources(vec![1000, 10_000, 100_000]);
    plans();
}

fn say(what: &str, cost: impl Display, may_be: &str) {
    println!("{what:<58} {:<44} {may_be}", cost.to_string());
}

/// Calls of runs over two sides that agree.
fn calls() {
    for (clients, projects, tasks, may_be) in [(20, 100, 1000, "12 + 2"), (50, 500, 5000, "56 + 2")] {
        let office = Office::new(World::sized(clients, projects, tasks));
        office.settle();
        let size = format!("{clients} clients, {projects} projects, {tasks} tasks, in sync");
        let bytes = office.log_bytes();
        let run = office.run(&[]);
        say(&format!("{size}: calls"), run.calls(), "3 + 2");
        say(&format!("{size}: log"), format!("{} bytes", office.log_bytes() - bytes), "");
        say(&format!("{size}, --full: calls"), office.run(&["--full"]).calls(), may_be);
    }
}

/// The first run of a workspace in which nothing is in Clockify yet.
fn new_workspace() {
    let world = || {
        let mut world = World::empty();
        let clients: Vec<_> = (0..19).map(|number| world.add_client_page(&format!("Client {number}"))).collect();
        let projects = (0..83).map(|number| world.add_project_page(&format!("Project {number}"), clients[number % 19]));
        let projects: Vec<_> = projects.collect();
        for number in 0..654 {
            world.add_task_page(&format!("Task {number}"), projects[number % 83]);
        }
        world
    };
    let office = Office::new(world());
    let run = office.run(&[]);
    let mutations = office.sandbox.calls().iter().filter(|call| call.mutation).count();
    say("19 clients, 83 projects, 654 tasks, all new: calls", run.calls(), "");
    say("    of these writes", mutations, "");
    let syncs = if fs::exists(STRACE).unwrap_or_default() {
        Office::new(world()).syncs().to_string()
    } else {
        "not counted without strace".to_owned()
    };
    say("    syncs of the disk", syncs, "");
}

/// A client is renamed among many tasks.
fn rename() {
    let office = Office::new(agency::world(20_000));
    office.settle();
    {
        let mut world = office.sandbox.world();
        let client = world.pages("Clients")[0].id;
        world.set_title(client, "Renamed");
    }
    say("one client of 20,000 tasks renamed: calls", office.run(&[]).calls(), "at most 7");
}

/// Processor time and memory of full runs over two sides that agree, and how they grow from each number of tasks to the
/// next.
fn resources(sizes: Vec<usize>) {
    let mut before: Option<(usize, f64, u64)> = None;
    for tasks in sizes {
        let office = Office::new(agency::world(tasks));
        let first = office.run(&[]);
        let full = office.run(&["--full"]);
        let growth = before.map_or_else(String::new, |(fewer, cpu, memory)| {
            let times = tasks as f64 / fewer as f64;
            format!(
                "x {:.1} and x {:.1} for x {times:.0} tasks",
                full.processor / cpu,
                full.memory as f64 / memory as f64
            )
        });
        let may_be = if tasks == 100_000 { "2.5 s, 150 MiB" } else { "" };
        say(&format!("{tasks} tasks, first run"), first.resources(), "");
        say(&format!("{tasks} tasks, --full, in sync"), full.resources(), may_be);
        if !growth.is_empty() {
            say("    grown", growth, "linear");
        }
        before = Some((tasks, full.processor, full.memory));
    }
}

/// The plan alone, with both sides in memory.
fn plans() {
    let mut before = None;
    for tasks in [100_000, 1_000_000] {
        let (snapshots, registry) = agency::sides(tasks, usize::MAX);
        let rules = Rules::default();
        let begun = Instant::now();
        let plan = diff(&snapshots, &registry, &rules, Scope::default()).plan;
        let took = begun.elapsed();
        assert!(plan.changes.is_empty());
        let grown = before.map(|before: Duration| format!(", x {:.1}", took.as_secs_f64() / before.as_secs_f64()));
        let may_be = if tasks == 1_000_000 { "2 s" } else { "" };
        say(&format!("{tasks} tasks, plan in memory"), format!("{took:.2?}{}", grown.unwrap_or_default()), may_be);
        before = Some(took);
    }
}

/// A sandbox, and a home for the binary with the configuration that reaches it.
struct Office {
    sandbox: Sandbox,
    home: TempDir,
    _runtime: tokio::runtime::Runtime,
}

/// What a run has cost.
struct Cost {
    notion: usize,
    clockify: usize,
    /// Seconds.
    processor: f64,
    took: Duration,
    /// The most at any time, in MiB.
    memory: u64,
}

impl Cost {
    fn calls(&self) -> String {
        format!("{} + {}", self.notion, self.clockify)
    }

    fn resources(&self) -> String {
        let Self { processor, memory, took, .. } = self;
        format!("{processor:.2} s of processor, {memory} MiB ({took:.1?})")
    }
}

impl Office {
    fn new(world: World) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sandbox = runtime.block_on(Sandbox::start(world, Knobs::default(), address)).expect("a free port");
        let office = Self { sandbox, home: TempDir::new().expect("a directory"), _runtime: runtime };
        office.configure();
        office
    }

    fn configure(&self) {
        let source = |name| self.sandbox.world().data_source(name).expect("a data source").to_string();
        let text = format!(
            "notion.token = \"env:NOTION_TOKEN\"\nnotion.base_url = \"{}\"\nnotion.requests_per_minute = 100000\n\
             notion.clients.data_source = \"{}\"\nnotion.projects.data_source = \"{}\"\nnotion.tasks.data_source = \"{}\"\n\
             clockify.token = \"env:CLOCKIFY_API_KEY\"\nclockify.base_url = \"{}\"\nstate.dir = \"{}\"\n",
            self.sandbox.notion_url(),
            source("Clients"),
            source("Projects"),
            source("Tasks"),
            self.sandbox.clockify_url(),
            self.home.path().join("state").display(),
        );
        fs::write(self.configuration(), text).expect("writes");
    }

    fn configuration(&self) -> PathBuf {
        self.home.path().join("config.toml")
    }

    /// `--auto-approve`, by the binary or by a program that watches it.
    fn command(&self, watched_by: &[&str], more: &[&str]) -> Command {
        let binary = std::env::var("ECONOMY_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_punchlist").to_owned());
        let mut words = watched_by.iter().copied().chain([binary.as_str()]);
        let mut command = Command::new(words.next().expect("at least the binary"));
        command.args(words).args(["--auto-approve", "--config"]).arg(self.configuration()).args(more);
        command.env_clear().stdout(Stdio::null()).stderr(Stdio::null()).envs([
            ("HOME", self.home.path().to_str().expect("UTF-8")),
            ("NOTION_TOKEN", "ntn_sandbox"),
            ("CLOCKIFY_API_KEY", "sandbox"),
        ]);
        command
    }

    fn run(&self, more: &[&str]) -> Cost {
        self.sandbox.clear_calls();
        let (before, begun) = (processor(), Instant::now());
        let (memory, code) = peak(&mut self.command(&[], more));
        let (processor, took) = (processor() - before, begun.elapsed());
        assert_eq!(code, 0, "a run that ends well");
        let calls = self.sandbox.calls();
        let notion = calls.iter().filter(|call| call.service == Service::Notion).count();
        Cost { notion, clockify: calls.len() - notion, processor, took, memory }
    }

    /// Runs until a run has nothing to do but to read what was edited since.
    fn settle(&self) {
        for _ in 0..2 {
            self.run(&[]);
            self.sandbox.world().advance(SignedDuration::from_mins(5));
        }
    }

    /// Bytes of all entries of the log.
    fn log_bytes(&self) -> i64 {
        let state = Connection::open(self.home.path().join("state").join("punchlist.sqlite3")).expect("a state");
        state.query_row("SELECT coalesce(sum(length(body)), 0) FROM event", [], |row| row.get(0)).expect("a log")
    }

    /// How often a run has what it wrote put on the disk.
    fn syncs(&self) -> usize {
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
