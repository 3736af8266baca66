//! What punchlist costs: calls, processor time, memory, syncs of the disk, log and time, each beside what it may be, and
//! how it grows with ten times the tasks. `cargo bench --bench economy` measures all of it; `-- hourly pace` these parts
//! alone, of those that [`PARTS`] lists.
//!
//! Processor time and memory are those of runs over 1,000, 10,000 and 100,000 tasks, or of those that `ECONOMY_TASKS`
//! names, in place of everything else: `ECONOMY_TASKS=1000000`. The binary is this one's, or another that
//! `ECONOMY_BINARY` names, for comparing.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it starts the binary, and says what it measured")]
#![allow(unreachable_pub, reason = "nobody else sees it")]

mod agency;
mod hourly;
mod office;
mod pace;
#[path = "../it/support/template.rs"]
mod template;

use std::{
    fmt::Display,
    fs,
    time::{Duration, Instant},
};

use punchlist::{
    domain::{diff::diff, plan::Scope, rules::Rules},
    sandbox::World,
};

use self::office::{Office, STRACE};

/// What can be measured by itself.
const PARTS: [(&str, fn()); 7] = [
    ("calls", calls),
    ("new", new_workspace),
    ("rename", rename),
    ("hourly", hourly::measure),
    ("pace", pace::measure),
    ("resources", || resources(vec![1000, 10_000, 100_000])),
    ("plans", plans),
];

fn main() {
    if let Ok(tasks) = std::env::var("ECONOMY_TASKS") {
        let tasks = tasks.split(',').map(|tasks| tasks.parse().expect("numbers of tasks, with commas between them"));
        return resources(tasks.collect());
    }
    // cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for word in &wanted {
        assert!(PARTS.iter().any(|(part, _)| part == word), "no part is called {word}");
    }
    for (part, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|word| word == part) {
            measure();
        }
    }
}

fn say(what: &str, cost: impl Display, may_be: &str) {
    println!("{what:<58} {:<44} {may_be}", cost.to_string());
}

/// Calls of runs over two sides that agree.
fn calls() {
    for (clients, projects, tasks, may_be) in [(20, 100, 1000, "12 + 2"), (50, 500, 5000, "56 + 2")] {
        let office = Office::new(World::sized(clients, projects, tasks));
        office.settle();
        let template = template::calls(&office.sandbox.world());
        let size = format!("{clients} clients, {projects} projects, {tasks} tasks, in sync");
        let bytes = office.log_bytes();
        let run = office.run(&[]);
        say(&format!("{size}: calls"), run.calls(), "3 + 2");
        say(&format!("{size}: log"), format!("{} bytes", office.log_bytes() - bytes), "");
        say(&format!("{size}, --full: calls"), office.run(&["--full"]).calls(), may_be);
        say("    the n8n template by its nodes: calls", format!("at least {template}"), "assets/docs/comparison.md");
    }
}

/// The first run of a workspace in which nothing is in Clockify yet.
fn new_workspace() {
    let office = Office::new(agency::unborn());
    let run = office.run(&[]);
    let mutations = office.sandbox.calls().iter().filter(|call| call.mutation).count();
    say("19 clients, 83 projects, 654 tasks, all new: calls", run.calls(), "");
    say("    of these writes", mutations, "");
    let syncs = if fs::exists(STRACE).unwrap_or_default() {
        Office::new(agency::unborn()).syncs().to_string()
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
