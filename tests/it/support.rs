//! The rig: a sandbox in this process, the real binary beside it, and a directory that holds its configuration and its state.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use punchlist::sandbox::{Call, Knobs, Sandbox, Service, World};
use serde_json::Value;
use tempfile::TempDir;

/// Starts a sandbox on a free port.
pub(crate) fn sandbox(world: World) -> Sandbox {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    runtime.block_on(Sandbox::start(world, Knobs::default(), listen)).expect("a free port")
}

/// The binary with a home of its own: nothing of the machine's environment reaches it.
pub(crate) fn punchlist(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_punchlist"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("NOTION_TOKEN", "ntn_sandbox")
        .env("CLOCKIFY_API_KEY", "sandbox")
        .current_dir(home);
    command
}

/// A sandbox and a directory to work on it from.
pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: TempDir,
}

impl Rig {
    /// A rig on a world, configured to reach it.
    pub(crate) fn new(world: World) -> Self {
        let rig = Self { sandbox: sandbox(world), home: TempDir::new().expect("a directory") };
        rig.configure("");
        rig
    }

    /// The configuration that reaches the sandbox.
    pub(crate) fn reach(&self) -> String {
        let world = self.sandbox.world();
        let source = |name| world.data_source(name).expect("a data source").to_string();
        format!(
            "notion.token = \"env:NOTION_TOKEN\"\nnotion.base_url = \"{}\"\n\
             notion.clients.data_source = \"{}\"\nnotion.projects.data_source = \"{}\"\nnotion.tasks.data_source = \"{}\"\n\
             clockify.token = \"env:CLOCKIFY_API_KEY\"\nclockify.base_url = \"{}\"\n",
            self.sandbox.notion_url(),
            source("Clients"),
            source("Projects"),
            source("Tasks"),
            self.sandbox.clockify_url(),
        )
    }

    /// Writes the configuration: what reaches the sandbox, and more.
    pub(crate) fn configure(&self, more: &str) {
        self.write_configuration(&format!("{}{more}", self.reach()));
    }

    pub(crate) fn write_configuration(&self, text: &str) {
        std::fs::write(self.configuration(), text).expect("writable");
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.home.path().join("punchlist.toml")
    }

    /// The binary on this rig.
    pub(crate) fn command(&self) -> Command {
        let mut command = punchlist(self.home.path());
        command.arg("--config").arg(self.configuration()).arg("--state-dir").arg(self.home.path().join("state"));
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command().args(arguments).output().expect("the binary runs"))
    }

    /// `plan --json`, which must succeed.
    pub(crate) fn plan(&self) -> Value {
        let ran = self.run(&["plan", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.json()
    }

    /// The plan in a few words a line: `create task Design [ready]`.
    pub(crate) fn plan_lines(&self) -> Vec<String> {
        let plan = self.plan();
        let changes = plan["changes"].as_array().expect("changes");
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = changes.iter().map(|change| {
            let hold = change["hold"]["code"].as_str().map(|code| format!(": {code}")).unwrap_or_default();
            let (action, kind, name) = (word(&change["action"]), word(&change["kind"]), word(&change["name"]));
            format!("{action} {kind} {name} [{}{hold}]", word(&change["state"]))
        });
        lines.collect()
    }

    /// `--auto-approve --json`, whatever its exit code.
    pub(crate) fn auto_approve(&self) -> (i32, Value) {
        let ran = self.run(&["--auto-approve", "--json"]);
        assert!(!ran.stdout.is_empty(), "exit {}: {}", ran.code, ran.stderr);
        (ran.code, ran.json())
    }

    /// Runs `--auto-approve` and then forgets the calls.
    pub(crate) fn settle(&self) {
        self.auto_approve();
        self.sandbox.clear_calls();
    }

    /// The calls that changed something, or tried to.
    pub(crate) fn mutations(&self) -> Vec<Call> {
        self.sandbox.calls().into_iter().filter(|call| call.mutation).collect()
    }

    /// How many calls each service got: Notion's, then Clockify's.
    pub(crate) fn call_counts(&self) -> (usize, usize) {
        let calls = self.sandbox.calls();
        let notion = calls.iter().filter(|call| call.service == Service::Notion).count();
        (notion, calls.len() - notion)
    }
}

/// How a run of the binary ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}
