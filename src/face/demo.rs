//! The embedded sandbox: the sample agency to try things on, and `punchlist sandbox` for scripts.

#![expect(clippy::disallowed_methods, reason = "the sample begins now")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::Args;
use jiff::Timestamp;
use tempfile::TempDir;

use super::failure::{Code, RunError};
use crate::{
    domain::model::{Agreed, Along, Base, Field, Kind, Link, PageId, Sight, Value},
    edge::{
        config::{Loader, NO_FILE, Override},
        environment::Environment,
    },
    engine::state::State,
    sandbox::{CLOCKIFY_KEY, Knobs, NOTION_TOKEN, NotionId, PERSONAL_TOKEN, Sandbox, World},
};

/// The sample agency, served on loopback, with a state of its own that goes when this is dropped.
pub(super) struct Demo {
    sandbox: Sandbox,
    state: TempDir,
    /// Where the person's own looks are, and the variables that set them.
    looks: (Option<PathBuf>, Environment),
}

impl Demo {
    /// Starts the sandbox and fills the state with what punchlist remembers of the agency.
    pub(super) async fn start(now: Timestamp) -> Result<Self, RunError> {
        let mut world = World::agency_at(now);
        world.use_real_time();
        let links = remembered(&world)?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sandbox = Sandbox::start(world, Knobs::default(), listen).await?;
        let state = TempDir::with_prefix("punchlist-demo-")?;
        State::begin_with(state.path(), now, &links).await?;
        Ok(Self { sandbox, state, looks: <(Option<PathBuf>, Environment)>::default() })
    }

    /// The same with the looks of the person's own console.
    pub(super) fn looking_like(self, own: &Loader) -> Self {
        Self { looks: own.looks(), ..self }
    }

    /// Where the settings for the sandbox come from. Of the real file and environment only the looks are read.
    pub(super) fn loader(&self) -> Loader {
        let (looks, variables) = &self.looks;
        let environment =
            [("NOTION_TOKEN", NOTION_TOKEN), ("CLOCKIFY_API_KEY", CLOCKIFY_KEY), ("PUNCHLIST_CONFIG", NO_FILE)];
        let environment = environment.into_iter().chain(variables.iter());
        let keys = endpoints(&self.sandbox, "env:NOTION_TOKEN", "env:CLOCKIFY_API_KEY").into_iter();
        let state = ("state.dir", self.state.path().to_string_lossy().into_owned());
        let due = ("mapping.projects.due", "Due".to_owned());
        let overrides = keys.chain([state, due]).map(|(key, value)| Override {
            key: key.to_owned(),
            value,
            place: "--demo".to_owned(),
        });
        Loader {
            environment: environment.collect(),
            config_path: None,
            profile: None,
            looks: looks.clone(),
            overrides: overrides.collect(),
        }
    }
}

/// The keys that point punchlist at a sandbox.
fn endpoints(sandbox: &Sandbox, notion_token: &str, clockify_token: &str) -> Vec<(&'static str, String)> {
    let world = sandbox.world();
    let source = |kind: Kind| {
        let name = match kind {
            Kind::Client => "Clients",
            Kind::Project => "Projects",
            Kind::Task => "Tasks",
        };
        world.data_source(name).as_ref().map(NotionId::to_string).unwrap_or_default()
    };
    vec![
        ("notion.token", notion_token.to_owned()),
        ("notion.base_url", sandbox.notion_url()),
        ("notion.clients.data_source", source(Kind::Client)),
        ("notion.projects.data_source", source(Kind::Project)),
        ("notion.tasks.data_source", source(Kind::Task)),
        ("clockify.token", clockify_token.to_owned()),
        ("clockify.base_url", sandbox.clockify_url()),
        ("clockify.reports_url", sandbox.reports_url()),
    ]
}

/// What punchlist verified of the sample on its last run there.
fn remembered(world: &World) -> Result<Vec<Link>, RunError> {
    let unreadable = |what: &dyn std::fmt::Display| {
        RunError::new(Code::Error, format!("the sample agency has an unreadable link: {what}"))
    };
    let links = world.remembered().iter().map(|known| {
        let kind =
            Kind::ALL.into_iter().find(|kind| kind.word() == known.kind).ok_or_else(|| unreadable(&known.kind))?;
        let page: PageId = known.page.to_string().parse().map_err(|error| unreadable(&error))?;
        let object = known.object.to_string().parse().map_err(|error| unreadable(&error))?;
        let mut base = Base::default();
        for (field, value) in &known.base {
            let (field, value) = match field.as_str() {
                "name" => (Field::Name, Value::text(value.as_str().unwrap_or_default())),
                "closed" => (Field::State, Value::Closed(value.as_bool().unwrap_or_default())),
                "parent" => match value.as_str() {
                    Some(parent) => (Field::Parent, Value::Object(parent.parse().map_err(|error| unreadable(&error))?)),
                    None => (Field::Parent, Value::Empty),
                },
                other => return Err(unreadable(&other)),
            };
            base.set(field, Agreed::Same(value));
        }
        Ok(Link {
            page,
            kind,
            object,
            sight: Sight::Expected,
            base,
            left: Vec::new(),
            along: Along::No,
            unwritten: None,
        })
    });
    links.collect()
}

/// What `punchlist sandbox` serves.
#[derive(Args)]
pub(super) struct Serving {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4040")]
    listen: SocketAddr,
    /// Start with an agency that has no rows, instead of the sample
    #[arg(long)]
    empty: bool,
    /// Start with no databases at all, only a shared page: as before a set-up
    #[arg(long, conflicts_with = "empty")]
    bare: bool,
    /// Configure a personal token of Notion, which acts as a person and needs no sharing
    #[arg(long)]
    personal: bool,
    /// The Clockify key. Sandboxes with different keys stand for regions, which do not share keys
    #[arg(long, value_name = "KEY", default_value = CLOCKIFY_KEY)]
    clockify_key: String,
}

impl Serving {
    /// What can be done with the configuration that is printed.
    pub(super) fn next_step(&self) -> &'static str {
        if self.bare {
            return "There are no databases yet, so this is not all that punchlist needs.";
        }
        "Save this as sandbox.toml, then in another terminal:\n\
         #   punchlist --config sandbox.toml --state-dir sandbox-state plan"
    }
}

/// Serves a world until somebody stops it.
pub(super) async fn serve(serving: &Serving) -> Result<Sandbox, RunError> {
    let listen = serving.listen;
    if !listen.ip().is_loopback() {
        return Err(RunError::new(Code::Usage, format!("the sandbox listens on loopback only, and {listen} is not"))
            .hint("use 127.0.0.1:PORT or [::1]:PORT"));
    }
    let mut world = match serving {
        Serving { bare: true, .. } => World::bare(),
        Serving { empty: true, .. } => World::empty(),
        _ => World::agency_at(Timestamp::now()),
    };
    world.clockify_key.clone_from(&serving.clockify_key);
    world.add_personal_token("Mara Lindqvist", PERSONAL_TOKEN);
    world.use_real_time();
    let sandbox = Sandbox::start(world, Knobs::default(), listen).await;
    sandbox.map_err(|error| {
        RunError::new(Code::Error, format!("could not listen on {listen}: {error}"))
            .hint("choose another port with --listen")
    })
}

/// The configuration with which punchlist works on a sandbox, as far as there are databases.
pub(super) fn configuration(sandbox: &Sandbox, serving: &Serving) -> String {
    // Windows has no such program, but a shell that does it.
    let program: &[&str] = if cfg!(windows) { &["cmd", "/c", "echo"] } else { &["echo"] };
    let echo = |secret: &str| format!("command:{}", serde_json::json!([program, &[secret]].concat()));
    let token = if serving.personal { PERSONAL_TOKEN } else { NOTION_TOKEN };
    let keys = endpoints(sandbox, &echo(token), &echo(&serving.clockify_key)).into_iter();
    let keys = keys.filter(|(_, value)| !value.is_empty());
    let lines: Vec<String> = keys.map(|(key, value)| format!("{key} = {}", toml::Value::String(value))).collect();
    lines.join("\n") + "\n"
}
