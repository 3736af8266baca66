//! What is said with every command, and the settings that follow from it.

#![expect(clippy::disallowed_methods, reason = "here it is said which clock is handed down")]

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{
    demo::Demo,
    failure::RunError,
    text::{Styling, for_shell},
};
use crate::{
    domain::reach::Reach,
    edge::{
        config::{Loader, Override, PartialConfig, Profile},
        environment::Environment,
        machine,
    },
    engine::run::Installation,
};

/// What can be said with every command.
#[derive(Args, Clone)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Work on an embedded sandbox: a sample agency and a throw-away state
    #[arg(long, global = true, conflicts_with_all = ["config", "state_dir"])]
    pub(super) demo: bool,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The configuration of this name, profiles/NAME.toml beside the default one, with a state of its own
    #[arg(long, global = true, value_name = "NAME", conflicts_with_all = ["config", "demo"])]
    pub(super) profile: Option<Profile>,
    /// The directory of the state
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
    /// While another run holds the lock, wait up to so many seconds for it
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(super) lock_timeout: u32,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Never ask anything
    #[arg(long, global = true)]
    pub(super) no_input: bool,
    /// Do not show what is longer than the terminal through $PAGER
    #[arg(long, global = true)]
    pub(super) no_pager: bool,
    /// In the console, do not listen to the mouse
    #[arg(long, global = true)]
    pub(super) no_mouse: bool,
    /// Only look: nothing can be approved, decided or applied
    #[arg(long, global = true)]
    pub(super) read_only: bool,
    /// Review as line prompts, without redrawing: for screen readers
    #[arg(long, global = true)]
    pub(super) plain: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
    /// Say more: every request, on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Try at once, whatever wait a service has asked an earlier run for
    #[arg(long, global = true)]
    pub(super) now: bool,
    /// Read all pages, however few were edited since the last run
    #[arg(long, global = true)]
    pub(super) full: bool,
    /// Say less: no progress
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

impl Global {
    /// How long another run is waited for.
    pub(super) fn lock_patience(&self) -> Duration {
        Duration::from_secs(self.lock_timeout.into())
    }

    /// How to ask for the same things again: the program, and what was said with it.
    pub(super) fn command(&self) -> String {
        let files = [("--config", &self.config), ("--state-dir", &self.state_dir)];
        let files =
            files.into_iter().filter_map(|(flag, path)| Some((flag, for_shell(&path.as_ref()?.display().to_string()))));
        let profile = self.profile.iter().map(|profile| ("--profile", profile.to_string()));
        let said = files.chain(profile).flat_map(|(flag, value)| [flag.to_owned(), value]);
        let demo = self.demo.then(|| "--demo".to_owned());
        let words: Vec<String> = std::iter::once("punchlist".to_owned()).chain(demo).chain(said).collect();
        words.join(" ")
    }

    /// Flag before `NO_COLOR`, `NO_COLOR` before what the terminal can do; symbols as the locale says.
    pub(super) fn styling(&self) -> Styling {
        let environment = Environment::of_process();
        let colour = match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => is_capable(&environment) && environment.get("NO_COLOR").is_none_or(str::is_empty),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
        let unicode = !locale.is_some_and(|locale| {
            let locale = locale.to_lowercase();
            !locale.contains("utf-8") && !locale.contains("utf8")
        }) && environment.get("TERM") != Some("linux");
        Styling { colour, unicode }
    }
}

/// True where standard output is a terminal that takes more than plain lines. Consoles of Windows have no `TERM`, and take
/// sequences once they were asked.
pub(super) fn is_capable(environment: &Environment) -> bool {
    #[cfg(windows)]
    if !crossterm::ansi_support::supports_ansi() {
        return false;
    }
    std::io::stdout().is_terminal() && environment.get("TERM").map_or(cfg!(windows), |term| term != "dumb")
}

/// What is worked on. With `--demo` also the sandbox, which goes when this is dropped.
pub(super) struct Setup {
    pub(super) installation: Installation,
    _demo: Option<Demo>,
}

impl Setup {
    /// Reads the settings. Nothing is opened yet; what is missing to reach the services is said before the state is
    /// touched.
    pub(super) async fn load(global: &Global) -> Result<Self, RunError> {
        if global.demo {
            let mut setup = Self::on(demo(global).await?).await?;
            setup.installation.full = global.full;
            return Ok(setup);
        }
        Ok(Self::of(Installation { now: global.now, full: global.full, ..reaching(&loader(global)).await? }))
    }

    /// The settings of a sandbox.
    pub(super) async fn on(demo: Demo) -> Result<Self, RunError> {
        Ok(Self { installation: reaching(&demo.loader()).await?, _demo: Some(demo) })
    }

    /// Reads the settings for what only looks at the state: nothing that reaches the services is asked for.
    pub(super) async fn to_look_back(global: &Global) -> Result<Self, RunError> {
        if global.demo {
            return Self::load(global).await;
        }
        let loader = loader(global);
        Ok(Self::of(Installation::new(loader.load()?, loader.environment, who(), Timestamp::now).await?))
    }

    /// Reads the settings as far as they can be read, to look at them.
    pub(super) async fn load_leniently(global: &Global) -> Result<(Self, PartialConfig), RunError> {
        let demo = if global.demo { Some(demo(global).await?) } else { None };
        let loader = demo.as_ref().map_or_else(|| loader(global), Demo::loader);
        let looked = loader.load_leniently();
        let installation =
            Installation::new(looked.settings.clone(), loader.environment, who(), Timestamp::now).await?;
        Ok((
            Self { installation: Installation { now: global.now, full: global.full, ..installation }, _demo: demo },
            looked,
        ))
    }

    /// The same for some clients alone, by their names or IDs; for everybody where none is named.
    pub(super) fn only(mut self, clients: Vec<String>) -> Self {
        if !clients.is_empty() {
            self.installation.reach = Reach::Clients(clients.into_iter().collect());
        }
        self
    }

    fn of(installation: Installation) -> Self {
        Self { installation, _demo: None }
    }
}

async fn demo(global: &Global) -> Result<Demo, RunError> {
    Ok(Demo::start(Timestamp::now()).await?.looking_like(&loader(global)))
}

async fn reaching(loader: &Loader) -> Result<Installation, RunError> {
    let settings = loader.load()?;
    let missing = settings.require_endpoints().err();
    let installation = Installation::new(settings, loader.environment.clone(), who(), Timestamp::now).await?;
    let Some(missing) = missing else { return Ok(installation) };
    let failure = installation.unconfigured(missing).await;
    Err(failure
        .hint("to set up by a few questions: punchlist init")
        .hint("to look around first, without any account: punchlist --demo"))
}

pub(super) fn loader(global: &Global) -> Loader {
    let directory = global.state_dir.as_ref().map(|directory| Override {
        key: "state.dir".to_owned(),
        value: std::path::absolute(directory).unwrap_or_else(|_| directory.clone()).to_string_lossy().into_owned(),
        place: "--state-dir".to_owned(),
    });
    Loader {
        environment: Environment::of_process(),
        config_path: global.config.clone(),
        profile: global.profile.clone(),
        looks: None,
        overrides: directory.into_iter().collect(),
    }
}

/// Who runs this, for the audit trail.
pub(super) fn who() -> String {
    machine::person(&Environment::of_process())
}
