//! The rig: a sandbox in this process, the real binary beside it, and a directory that holds its configuration and its
//! state.

#[cfg(all(unix, feature = "postgres"))]
pub(crate) mod network;
#[cfg(all(unix, feature = "postgres"))]
pub(crate) mod postgres;
#[cfg(all(target_os = "linux", feature = "postgres"))]
pub(crate) mod preload;
#[cfg(unix)]
pub(crate) mod template;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use futures_util::FutureExt;
use punchlist::{
    domain::{
        model::{self, Field, Kind, PerKind},
        rules::{IdStrategy, Mapping},
    },
    edge::{
        clockify::{Clockify, MappedFields},
        http::{Auth, Exchange, Http, Options},
        notion::{API_VERSION, Notion, Source},
        store::Place,
    },
    sandbox::{Call, ClockifyId, Knobs, NotionId, Sandbox, Service, World},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a state on this disk answers, which it does at once.
pub(crate) fn done<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("at once")
}

/// What a state answers, wherever it is.
pub(crate) fn answered<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    RUNTIME.get_or_init(|| runtime().expect("a runtime")).block_on(work)
}

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
        .env("PATH", if cfg!(windows) { r"C:\Windows\System32" } else { "/usr/bin:/bin" })
        .env("LANG", "C.UTF-8")
        .env("PAGER", "cat")
        .env("NOTION_TOKEN", "ntn_sandbox")
        .env("CLOCKIFY_API_KEY", "sandbox")
        .current_dir(home);
    // No program of Windows reaches a network without the one, nor finds a place for its temporary files without the other.
    #[cfg(windows)]
    command.envs(["SYSTEMROOT", "TEMP"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// Where the platform keeps the configurations of a home, and where its states.
#[cfg(unix)]
pub(crate) fn default_places(home: &Path) -> (PathBuf, PathBuf) {
    if cfg!(target_os = "macos") {
        let place = home.join("Library/Application Support/punchlist");
        return (place.clone(), place);
    }
    (home.join(".config/punchlist"), home.join(".local/state/punchlist"))
}

/// A sandbox and a directory to work on it from.
pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: TempDir,
    /// The address of its state, where that is on a server.
    pub(crate) server: Option<String>,
}

impl Rig {
    /// A rig on a world, configured to reach it.
    pub(crate) fn new(world: World) -> Self {
        Self::with_state(world, None)
    }

    /// A rig with its state in its home, or on a server.
    pub(crate) fn with_state(world: World, server: Option<String>) -> Self {
        let rig = Self { sandbox: sandbox(world), home: TempDir::new().expect("a directory"), server };
        rig.configure("");
        rig
    }

    /// Where its state is.
    pub(crate) fn state(&self) -> Place {
        #[cfg(feature = "postgres")]
        if let Some(address) = &self.server {
            return Place::Server(
                punchlist::edge::store::Address::parse(&address.as_str().into()).expect("an address"),
            );
        }
        (&self.home.path().join("state")).into()
    }

    /// A client with a project, in Notion alone.
    pub(crate) fn of_one_project() -> Self {
        let mut world = World::empty();
        let client = world.add_client_page("Acme Corp");
        world.add_project_page("Website", client);
        Self::new(world)
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

    /// Somebody adds a column to a database.
    pub(crate) fn add_column(&self, source: &str, name: &str, config: Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(add_column(&self.sandbox, source, name, config));
    }

    /// Writes the configuration: what reaches the sandbox, and more.
    pub(crate) fn configure(&self, more: &str) {
        let state = if self.server.is_some() { "state.url = \"env:STATE_URL\"\n" } else { "" };
        self.write_configuration(&format!("{}{state}{more}", self.reach()));
    }

    pub(crate) fn write_configuration(&self, text: &str) {
        std::fs::write(self.configuration(), text).expect("writable");
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.home.path().join("punchlist.toml")
    }

    /// The binary on this rig.
    pub(crate) fn command(&self) -> Command {
        if let Some(address) = &self.server {
            let mut command = punchlist(self.home.path());
            command.arg("--config").arg(self.configuration()).env("STATE_URL", address);
            return command;
        }
        self.command_with_state(&self.home.path().join("state"))
    }

    /// The binary on this rig, as on another machine.
    pub(crate) fn command_with_state(&self, state: &Path) -> Command {
        let mut command = punchlist(self.home.path());
        command.arg("--config").arg(self.configuration()).arg("--state-dir").arg(state);
        command
    }

    /// Who holds the lock of a state on a server, as it is told, and at which epoch.
    pub(crate) fn lock_holder(&self) -> Option<(i64, String)> {
        let said = self.run(&["state", "lock"]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        let (_, rest) = said.stdout.split_once("; epoch ")?;
        Some((rest.split_once(',')?.0.parse().expect("a number"), said.stdout.clone()))
    }

    /// Takes the lock of a state on a server from a process that was killed, as a person does who knows that it is dead.
    pub(crate) fn unlock(&self) {
        if let Some((epoch, _)) = self.server.as_ref().and_then(|_| self.lock_holder()) {
            let ran = self.run(&["state", "unlock", "--epoch", &epoch.to_string()]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command().args(arguments).output().expect("the binary runs"))
    }

    /// Runs the binary with a failpoint, to its end or to its death.
    pub(crate) fn run_at(&self, failpoint: &str, arguments: &[&str]) -> Ran {
        Ran::of(self.command().args(arguments).env("PUNCHLIST_FAILPOINT", failpoint).output().expect("the binary runs"))
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

    /// Reviews by line prompts with this typed, and returns what was said.
    pub(crate) fn plain(&self, typed: &str) -> String {
        use std::io::Write as _;
        let mut command = self.command();
        command.arg("--plain").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        child.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("typed");
        String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("UTF-8")
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

/// A sandbox with the clients of both services in this process: what goes over the wire can be held against what it
/// meant.
pub(crate) struct Wire {
    pub(crate) sandbox: Sandbox,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Wire {
    pub(crate) async fn new(world: World, knobs: Knobs) -> Self {
        let sandbox = Sandbox::start(world, knobs, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
        Self { sandbox: sandbox.expect("a free port"), exchanges: Arc::default() }
    }

    /// How the application talks to a service, but for waits that no test should sit through.
    pub(crate) fn options(&self, service: model::Service) -> Options {
        let (url, auth) = {
            let world = self.sandbox.world();
            match service {
                model::Service::Notion => {
                    (self.sandbox.notion_url(), Auth::bearer(&world.notion_token.as_str().into()))
                }
                model::Service::Clockify => {
                    (self.sandbox.clockify_url(), Auth::api_key(&world.clockify_key.as_str().into()))
                }
            }
        };
        let exchanges = Arc::clone(&self.exchanges);
        let sink = Arc::new(move |exchange| exchanges.lock().expect("no panic").push(exchange));
        let mut options = Options::new(service, url.parse().expect("a URL"), auth, sink);
        if service == model::Service::Notion {
            options.headers.push(("Notion-Version", API_VERSION.to_owned()));
        }
        options.backoff = Duration::from_millis(1);
        options.idle_timeout = Duration::from_secs(5);
        options
    }

    pub(crate) fn notion(&self, mapping: &PerKind<Mapping>) -> Notion {
        let http = Http::new(self.options(model::Service::Notion)).expect("a client");
        Notion::new(http, mapping.clone(), IdStrategy::Property)
    }

    /// A client that reads every field there is.
    pub(crate) fn clockify(&self) -> Clockify {
        let wanted = MappedFields(PerKind::from_fn(|kind| Field::mappable(kind).iter().copied().collect()));
        Clockify::new(Http::new(self.options(model::Service::Clockify)).expect("a client"), wanted)
    }

    /// A client of Notion with the data source of a kind, whose resolution is forgotten.
    pub(crate) async fn bound(&self, kind: Kind, mapping: &PerKind<Mapping>) -> (Notion, Source) {
        let notion = self.notion(mapping);
        let reference = self.sandbox.world().data_source(title(kind)).expect("a data source").to_string();
        let source = notion.resolve(kind, &reference).await.expect("it fits");
        self.sandbox.clear_calls();
        (notion, source)
    }

    /// Somebody adds a column to a database.
    pub(crate) async fn add_column(&self, source: &str, name: &str, config: Value) {
        add_column(&self.sandbox, source, name, config).await;
    }

    /// Method and status of every call so far: `GET 200`.
    pub(crate) fn statuses(&self) -> Vec<String> {
        self.sandbox.calls().iter().map(|call| format!("{} {}", call.method, call.status)).collect()
    }

    /// What the clients reported of their requests.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().expect("no panic").clone()
    }
}

/// Somebody adds a column to a database.
async fn add_column(sandbox: &Sandbox, source: &str, name: &str, config: Value) {
    let (url, id) = (sandbox.notion_url(), sandbox.world().data_source(source).expect("a data source"));
    let request =
        reqwest::Client::new().patch(format!("{url}/v1/data_sources/{id}")).header("Notion-Version", API_VERSION);
    let token = sandbox.world().notion_token.clone();
    let answer =
        request.bearer_auth(token).json(&json!({"properties": {name: config}})).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
}

/// The database of a kind.
pub(crate) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Client => "Clients",
        Kind::Project => "Projects",
        Kind::Task => "Tasks",
    }
}

/// A page's id as the client knows it.
pub(crate) fn page_id(id: NotionId) -> model::PageId {
    id.to_string().parse().expect("an id")
}

/// An object's id as the client knows it.
pub(crate) fn object_id(id: ClockifyId) -> model::ObjectId {
    id.to_string().parse().expect("an id")
}
