//! What a run costs over two sides that agree: processor time, the most memory at any time, and calls, of the first run
//! that links everything and of full ones after it. `cargo bench --bench steady`; the number of tasks is 100,000, or what
//! `STEADY_TASKS` says; the binary this one's, or another that `STEADY_BINARY` names, for comparing.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it starts the binary, and says what it measured")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use punchlist::sandbox::{Call, Knobs, Sandbox, World};

/// Kernel ticks in a second, on every Linux that we know.
const TICKS: f64 = 100.0;

fn main() {
    let tasks = std::env::var("STEADY_TASKS").ok().and_then(|tasks| tasks.parse().ok()).unwrap_or(100_000);
    let begun = Instant::now();
    let world = agency(tasks);
    println!("{tasks} tasks, made in {:.1?}", begun.elapsed());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sandbox = runtime.block_on(Sandbox::start(world, Knobs::default(), address)).expect("a free port");
    let binary = std::env::var("STEADY_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_punchlist").to_owned());
    let home = tempfile::TempDir::new().expect("a directory");
    let configuration = configuration(&sandbox, &home);
    // A binary from before runs could read less than everything has no word for it.
    let help = Command::new(&binary).arg("--help").output().expect("the binary runs");
    let has_full = String::from_utf8_lossy(&help.stdout).contains("--full");
    for (name, full) in [("first", false), ("full", true), ("full", true)] {
        sandbox.clear_calls();
        let mut command = Command::new(&binary);
        command.args(["--auto-approve", "--config"]).arg(&configuration).env_clear().envs([
            ("HOME", home.path().to_str().expect("UTF-8")),
            ("NOTION_TOKEN", "ntn_sandbox"),
            ("CLOCKIFY_API_KEY", "sandbox"),
        ]);
        if full && has_full {
            command.arg("--full");
        }
        let (before, begun) = (processor(), Instant::now());
        let (memory, code) = peak(&mut command);
        let (cost, took) = (processor() - before, begun.elapsed());
        let calls = sandbox.calls();
        let clockify = calls.iter().filter(|call| is_clockify(call)).count();
        println!(
            "{name} run: exit {code}, {cost:.2} s of processor in {took:.1?}, {memory} MiB, {} calls of Notion, {clockify} of Clockify",
            calls.len() - clockify
        );
        assert!(!full || code == 0, "both sides agree");
    }
}

fn is_clockify(call: &Call) -> bool {
    call.path.contains("/workspaces") || call.path.ends_with("/user")
}

/// An agency with 50 tasks in a project and 20 projects of a client, all of whose pages name their objects.
fn agency(tasks: usize) -> World {
    let mut world = World::empty();
    for client in 0..tasks.div_ceil(1000) {
        let name = format!("Client {client}");
        let (client_page, client) = (world.add_client_page(&name), world.add_client(&name));
        world.set_claim(client_page, client);
        for project in 0..20 {
            let name = format!("Project {project}");
            let (page, object) = (world.add_project_page(&name, client_page), world.add_project(&name, client));
            world.set_claim(page, object);
            for task in 0..50 {
                let name = format!("Task {task} of the project");
                let (page, object) = (world.add_task_page(&name, page), world.add_task(&name, object));
                world.set_claim(page, object);
            }
        }
    }
    world
}

fn configuration(sandbox: &Sandbox, home: &tempfile::TempDir) -> std::path::PathBuf {
    let source = |name| sandbox.world().data_source(name).expect("a data source").to_string();
    let text = format!(
        "notion.token = \"env:NOTION_TOKEN\"\nnotion.base_url = \"{}\"\nnotion.requests_per_minute = 100000\n\
         notion.clients.data_source = \"{}\"\nnotion.projects.data_source = \"{}\"\nnotion.tasks.data_source = \"{}\"\n\
         clockify.token = \"env:CLOCKIFY_API_KEY\"\nclockify.base_url = \"{}\"\nstate.dir = \"{}\"\n",
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

/// Processor time of all processes that this one has waited for, in seconds; zero where the platform does not say.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // The 16th and 17th fields of proc_pid_stat(5); the name is the second.
    let ticks = after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}

/// The most memory that a process had at any time, in MiB, and its exit code.
fn peak(command: &mut Command) -> (u64, i32) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("the binary runs");
    let mut most = 0;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        most = most.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024);
        if let Some(ended) = child.try_wait().expect("waits") {
            return (most, ended.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
