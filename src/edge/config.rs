//! The configuration: defaults < file < environment < flags, read into validated [`Settings`].
//!
//! ```text
//! file ─────────┐
//! environment ──┼─ layers (key → value and where it was set) ─ reader ─ Settings
//! flags ────────┘                                                  └─── or every problem at once, each with its place
//! ```
//!
//! A key is known because something here reads it; there is no second list. `config.example.toml` documents every key.

pub mod edit;
pub mod first;
mod hours;
mod layers;
mod logs;
mod mapping;
mod notify;
mod read;
mod reader;
mod rules;
mod serve;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
};

use jiff::SignedDuration;
use strum::{IntoStaticStr, VariantArray};
use url::Url;

use super::{environment::Environment, origin::Origin, secrets::SecretReference};
use crate::domain::{
    hours::Zone,
    model::{Kind, PageId, PerKind},
    rules::Rules,
    text::Shown,
};
use layers::Layers;
use reader::Reader;

pub use hours::{HoursSettings, zone_named};
pub use logs::{DiagnosticLevel, DiagnosticSettings, LogSettings};
pub use notify::{EmailSettings, NotifySettings};
pub use read::NOTION_REQUESTS_PER_MINUTE;
pub use serve::{CallerKind, CallerSecret, CallerSettings, ScheduleSettings, WebhookSettings};

/// The prefix of environment variables that set keys: `PUNCHLIST__NOTION__TOKEN` sets `notion.token`.
const VARIABLE_PREFIX: &str = "PUNCHLIST__";
/// The keys that say how the console looks, and what its keys do.
const LOOKS: &str = "console.";
/// The environment variable that names the file.
const FILE_VARIABLE: &str = "PUNCHLIST_CONFIG";

/// Everything that can be configured, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The file that was read, or would be if it existed.
    pub file: Option<PathBuf>,
    /// What that is called where it is not the default one, e.g. `profile berlin`.
    pub configuration: Option<Shown>,
    pub profile: Option<Profile>,

    /// How to reach Notion.
    pub notion: NotionSettings,
    /// How to reach Clockify.
    pub clockify: ClockifySettings,
    /// What a plan depends on.
    pub rules: Rules,
    /// Where the state is kept, if not in the platform's place.
    pub state_dir: Option<PathBuf>,
    /// Who works there, where the system is not to say it.
    pub person: Option<String>,
    /// The address of the database that the state is in, if it is on a server.
    pub state_url: Option<SecretReference>,
    /// When the daemon runs.
    pub schedule: ScheduleSettings,
    /// Where the daemon listens, and to whom.
    pub webhook: WebhookSettings,
    /// How the console looks and what its keys do.
    pub console: ConsoleSettings,
    /// What counts in hours, and where its days are.
    pub hours: HoursSettings,
    /// What is logged, where its checkpoints are, and for how long it is kept.
    pub logs: LogSettings,
    /// Who is told after an unattended run.
    pub notify: NotifySettings,
    /// After how many days a secret is old, and a reminder is due; never without a number.
    pub rotate_after: Option<u32>,
    /// What was given, by key, as far as it may be kept: for telling what was changed since. Of a secret it is where
    /// that is, of a command its program and how many arguments it has.
    pub given: BTreeMap<String, String>,
    /// Where the keys were set that a service may refuse later: file and line, environment variable or flag.
    pub places: BTreeMap<String, Origin>,
}

/// How to reach Notion, as far as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotionSettings {
    /// Where the integration's token is.
    pub token: Option<SecretReference>,
    /// Where the API is; no slash at its end except that of an empty path.
    pub base_url: Url,
    /// The `Notion-Version` to ask for, a date.
    pub api_version: String,
    /// How many requests a minute may take.
    pub requests_per_minute: NonZeroU32,
    /// How long it is enough to read what was edited, before all pages are read again.
    pub full_pass_every: SignedDuration,
    /// The data source of each kind, or the database that holds it.
    pub data_sources: PerKind<Option<PageId>>,
}

/// How to reach Clockify, as far as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockifySettings {
    /// Where the API key is.
    pub token: Option<SecretReference>,
    /// The workspace; without it the token's active one.
    pub workspace: Option<String>,
    /// Where the API is; no slash at its end except that of an empty path.
    pub base_url: Url,
    /// Where the reports API is; no slash at its end except that of an empty path.
    pub reports_url: Url,
    /// How many requests a second may take.
    pub requests_per_second: NonZeroU32,
    /// How many requests an hour may take, where the plan limits them.
    pub requests_per_hour: Option<NonZeroU32>,
}

/// How the console looks and what its keys do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSettings {
    /// Its colours; without a word the terminal's, or none where `NO_COLOR` asks for that.
    pub theme: Option<ThemeName>,
    /// Whether symbols beyond ASCII are used; without a word the locale says.
    pub unicode: Option<bool>,
    /// Whether it listens to the mouse.
    pub mouse: bool,
    /// Whether the terminal is told how far the work is, for its tab or the task bar.
    pub progress: bool,
    /// Whether the review is a series of line prompts instead.
    pub plain: bool,
    /// The program that takes copied text on its standard input, with its arguments; without it the terminal is asked
    /// to.
    pub copy_command: Option<Vec<String>>,
    /// The program that opens an address, with its arguments; without it the platform's.
    pub open_command: Option<Vec<String>>,
    /// Programs that it runs about a row.
    pub commands: Vec<OwnCommand>,
    /// Filters of the review, by the names that they were saved under.
    pub filters: BTreeMap<String, String>,
    /// Keys by the name of their action. The console knows which there are.
    pub keys: BTreeMap<String, KeysSetting>,
}

/// A program of the user's that the console runs about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCommand {
    /// What it is called.
    pub name: String,
    /// Its key, a sequence of strokes separated by spaces.
    pub key: String,
    /// It is run without a shell.
    pub program: String,
    /// What it gets; `{page}` and the like stand for what the row has.
    pub args: Vec<String>,
    pub output: OutputPlace,
}

/// Where the console shows what a program has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum OutputPlace {
    /// Over the tab, to be scrolled.
    Pager,
    /// Its first line at the bottom.
    Toast,
}

/// The keys of one action, as they were set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysSetting {
    /// The keys, each a sequence of strokes separated by spaces; none takes the action's keys away.
    pub keys: Vec<String>,
    /// Where they were set.
    pub place: String,
}

/// The console's themes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum ThemeName {
    /// Text in the terminal's own colour, and symbols on the bright ones of its 16, which follow the user's scheme.
    Terminal,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// As [`ThemeName::Terminal`], in bold.
    HighContrast,
    /// No colour.
    Mono,
}

/// Both services with everything that reaching them takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub notion: NotionEndpoint,
    pub clockify: ClockifyEndpoint,
}

/// Notion with everything that reaching it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotionEndpoint {
    /// See [`NotionSettings::token`].
    pub token: SecretReference,
    /// See [`NotionSettings::base_url`].
    pub base_url: Url,
    /// See [`NotionSettings::api_version`].
    pub api_version: String,
    /// See [`NotionSettings::requests_per_minute`].
    pub requests_per_minute: NonZeroU32,
    /// See [`NotionSettings::data_sources`].
    pub data_sources: PerKind<PageId>,
}

/// Clockify with everything that reaching it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockifyEndpoint {
    /// See [`ClockifySettings::token`].
    pub token: SecretReference,
    /// See [`ClockifySettings::workspace`].
    pub workspace: Option<String>,
    /// See [`ClockifySettings::base_url`].
    pub base_url: Url,
    /// See [`ClockifySettings::reports_url`].
    pub reports_url: Url,
    /// See [`ClockifySettings::requests_per_second`].
    pub requests_per_second: NonZeroU32,
    /// See [`ClockifySettings::requests_per_hour`].
    pub requests_per_hour: Option<NonZeroU32>,
}

impl Settings {
    /// The keys that every configuration can have a secret behind.
    pub const SECRETS: [&str; 3] = ["notion.token", "clockify.token", "notify.webhook"];

    /// The references to secrets that are set.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        let callers = self.webhook.callers.values().filter_map(|caller| match &caller.secret {
            Some(CallerSecret::Reference(reference)) => Some(reference),
            Some(CallerSecret::Hashed(_)) | None => None,
        });
        [&self.notion.token, &self.clockify.token, &self.notify.webhook].into_iter().flatten().chain(callers)
    }

    /// Both services, with everything that must be configured to reach them.
    ///
    /// # Errors
    /// [`ConfigError`] that names every key that is missing, where it can be set and an example.
    pub fn require_endpoints(&self) -> Result<Endpoints, ConfigError> {
        let NotionSettings {
            token: notion_token,
            base_url: notion_url,
            api_version,
            requests_per_minute,
            full_pass_every: _,
            data_sources,
        } = &self.notion;
        let ClockifySettings {
            token: clockify_token,
            workspace,
            base_url,
            reports_url,
            requests_per_second,
            requests_per_hour,
        } = &self.clockify;
        let [clients, projects, tasks] = Kind::ALL.map(|kind| data_sources[kind]);
        let mut problems = Vec::new();
        for (one, other) in [(Kind::Client, Kind::Project), (Kind::Client, Kind::Task), (Kind::Project, Kind::Task)] {
            if data_sources[one].is_some() && data_sources[one] == data_sources[other] {
                let [one, other] = [one, other].map(|kind| format!("notion.{}.data_source", kind.plural()));
                let place = self.places.get(&other).cloned().unwrap_or_default();
                let text = format!("`{other}` is the same as `{one}`; each kind has a data source of its own");
                problems.push(Problem { place, text: text.into() });
            }
        }
        if let (Some(notion_token), Some(clockify_token), Some(clients), Some(projects), Some(tasks)) =
            (notion_token, clockify_token, clients, projects, tasks)
            && problems.is_empty()
        {
            return Ok(Endpoints {
                notion: NotionEndpoint {
                    token: notion_token.clone(),
                    base_url: notion_url.clone(),
                    api_version: api_version.clone(),
                    requests_per_minute: *requests_per_minute,
                    data_sources: PerKind { clients, projects, tasks },
                },
                clockify: ClockifyEndpoint {
                    token: clockify_token.clone(),
                    workspace: workspace.clone(),
                    base_url: base_url.clone(),
                    reports_url: reports_url.clone(),
                    requests_per_second: *requests_per_second,
                    requests_per_hour: *requests_per_hour,
                },
            });
        }
        let data_source = "https://www.notion.so/1f2c00000000400080000000000009a0";
        let required = [
            ("notion.token", notion_token.is_some(), "env:NOTION_TOKEN"),
            ("notion.clients.data_source", clients.is_some(), data_source),
            ("notion.projects.data_source", projects.is_some(), data_source),
            ("notion.tasks.data_source", tasks.is_some(), data_source),
            ("clockify.token", clockify_token.is_some(), "env:CLOCKIFY_API_KEY"),
        ];
        let missing = required.into_iter().filter(|(_, given, _)| !given);
        problems.extend(missing.map(|(key, _, example)| self.missing(key, example)));
        Err(ConfigError { problems })
    }

    /// Where the days are that time is billed by: `hours.timezone`, else `schedule.timezone`, else where this machine
    /// is, else UTC.
    pub fn billing_zone(&self) -> Zone {
        let scheduled = || self.schedule.timezone.as_deref().and_then(zone_named);
        self.hours.zone.clone().or_else(scheduled).unwrap_or_else(hours::here)
    }

    fn missing(&self, key: &str, example: &str) -> Problem {
        let place =
            self.file.as_ref().map_or_else(|| "the configuration".to_owned(), |file| file.display().to_string());
        let variable = format!("{VARIABLE_PREFIX}{}", key.to_uppercase().replace('.', "__"));
        let text =
            format!("`{key}` is missing; set it here, e.g. {key} = \"{example}\", or as {variable} in the environment");
        Problem { place: Origin::Elsewhere(place), text: text.into() }
    }
}

/// A value that a command-line flag gives to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The key, e.g. `state.dir`.
    pub key: String,
    /// The value, as typed.
    pub value: String,
    /// The flag, for error messages, e.g. `--state-dir`.
    pub place: String,
}

/// A configuration as far as it could be read, and what is wrong with it.
pub struct PartialConfig {
    pub settings: Settings,
    /// True where its file exists.
    pub has_file: bool,
    /// What is wrong with the file itself: nothing that stands in it is known then.
    pub of_file: Vec<Problem>,
    /// What is wrong with single keys.
    pub of_keys: Vec<Problem>,
}

/// The name of a configuration besides the default one, with a file and a state of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile(String);

impl Profile {
    /// Its place in a directory of which the default one is a part.
    pub fn below(&self, directory: &Path) -> PathBuf {
        directory.join("profiles").join(&self.0)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Profile {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
            return Err("a profile's name has letters, digits, -, _ and dots, and does not begin with a dot");
        }
        Ok(Self(name.to_owned()))
    }
}

/// The name of no file at all, also where there is no such device.
pub const NO_FILE: &str = "/dev/null";

/// Reads the configuration from its layers.
#[derive(Clone, Default)]
pub struct Loader {
    pub environment: Environment,
    /// The file that `--config` names.
    pub config_path: Option<PathBuf>,
    /// The profile that `--profile` names: a file in `profiles` beside the default one, with a state of its own.
    pub profile: Option<Profile>,
    /// A file of which only the looks are read, besides: the `[console]` of somebody who tries something out. Whatever
    /// else is in it, or wrong with it, does not matter.
    pub looks: Option<PathBuf>,
    /// What flags set, the last word.
    pub overrides: Vec<Override>,
}

impl Loader {
    /// Reads all layers. Whether what is needed to reach the services is there is asked later, by
    /// [`Settings::require_endpoints`].
    ///
    /// # Errors
    /// [`ConfigError`] with every problem that there is.
    pub fn load(&self) -> Result<Settings, ConfigError> {
        let PartialConfig { settings, has_file: _, of_file, of_keys } = self.load_leniently();
        let problems: Vec<Problem> = of_file.into_iter().chain(of_keys).collect();
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError { problems }) }
    }

    /// Reads all layers as far as they can be read: where something is wrong, a default stands in. To be looked at, and
    /// not to be run with.
    pub fn load_leniently(&self) -> PartialConfig {
        let (file, must_exist) = self.file();
        let mut layers = Layers::default();
        if let Some(file) = file.as_ref().filter(|file| *file != Path::new(NO_FILE)) {
            layers.add_file(file, must_exist);
        }
        if let Some(file) = &self.looks {
            let mut looks = Layers::default();
            looks.add_file(file, false);
            layers.given.extend(looks.given.into_iter().filter(|(key, _)| key.starts_with(LOOKS)));
        }
        self.read(layers, file)
    }

    /// Reads the environment and the flags alone, for what is done before there is a file.
    ///
    /// # Errors
    /// As for [`Loader::load`].
    pub fn load_without_file(&self) -> Result<Settings, ConfigError> {
        let PartialConfig { settings, of_keys, .. } = self.read(Layers::default(), None);
        if of_keys.is_empty() { Ok(settings) } else { Err(ConfigError { problems: of_keys }) }
    }

    fn read(&self, mut layers: Layers, file: Option<PathBuf>) -> PartialConfig {
        let of_file = std::mem::take(&mut layers.problems);
        layers.add_environment(&self.environment);
        layers.add_overrides(&self.overrides);
        let mut reader = Reader::new(layers, &self.environment);
        let has_file = file.as_ref().is_some_and(|file| file.exists());
        let settings = read::settings(&mut reader, file);
        let (given, of_keys) = reader.finish();
        let (profile, configuration) = (self.profile.clone(), self.configuration());
        let settings = Settings { configuration, profile, given, ..settings };
        PartialConfig { settings, has_file, of_file, of_keys }
    }

    /// What of this is about looks alone: the file, and the variables.
    pub fn looks(&self) -> (Option<PathBuf>, Environment) {
        let prefix = format!("{VARIABLE_PREFIX}{}", LOOKS.to_uppercase().replace('.', "__"));
        let variables = self.environment.iter().filter(|(name, _)| name.starts_with(&prefix));
        (self.place(), variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The file that is read, or would be.
    pub fn place(&self) -> Option<PathBuf> {
        self.file().0
    }

    /// What the configuration is called, where it is not the default one.
    fn configuration(&self) -> Option<Shown> {
        if let Some(profile) = &self.profile {
            return Some(format!("profile {profile}").into());
        }
        let (file, is_named) = self.file();
        // No file at all is none with a name.
        let file = file.filter(|file| is_named && file != Path::new(NO_FILE))?;
        Some(file.display().to_string().into())
    }

    /// The file, and whether somebody asked for it by name.
    fn file(&self) -> (Option<PathBuf>, bool) {
        if let Some(profile) = &self.profile {
            let below = |file: PathBuf| Some(profile.below(file.parent()?).with_added_extension("toml"));
            return (default_file().and_then(below), true);
        }
        let named = self.config_path.clone().or_else(|| {
            let path = self.environment.get(FILE_VARIABLE)?;
            Some(self.environment.expand_home(path).unwrap_or_else(|| PathBuf::from(path)))
        });
        let must_exist = named.is_some();
        (named.or_else(default_file), must_exist)
    }
}

/// The file that is read when none is named: `config.toml` in the platform's configuration directory.
pub fn default_file() -> Option<PathBuf> {
    let directories = directories::ProjectDirs::from("", "", "punchlist")?;
    Some(directories.config_dir().join("config.toml"))
}

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// What is wrong, one by one; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => write!(formatter, "{only}"),
            problems => {
                write!(formatter, "the configuration has {} problems", problems.len())?;
                problems.iter().try_for_each(|problem| write!(formatter, "\n  {problem}"))
            }
        }
    }
}

/// One thing that is wrong with the configuration. It never holds what may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub place: Origin,
    /// What is wrong, and what to do about it.
    pub text: Shown,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.text)
    }
}
