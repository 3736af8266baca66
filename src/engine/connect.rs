//! From settings to clients: where the services are, who asks, within which limits.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    failure::RunError,
    session::{Exchanges, Progress, Watch},
};
#[cfg(feature = "postgres")]
use crate::edge::store::Address;
use crate::{
    domain::{
        checkup::CheckCode,
        model::{PerKind, Service},
        plan::Pace,
        rules::Rules,
        text::Shown,
    },
    edge::{
        clockify::{Clockify, MappedFields},
        config::{ClockifySettings, ConfigError, Endpoints, NOTION_REQUESTS_PER_MINUTE, NotionSettings, Settings},
        environment::Environment,
        http::{Auth, Budget, Http, Limits, Options, Proxy, SetupError, Sink},
        notion::Notion,
        secrets::{self, Readings, SecretError, SecretReference},
    },
};

/// What Notion takes in a minute on its larger plans (Notion docs, request limits).
const NOTION_MOST_PER_MINUTE: u32 = 600;

/// Both services, ready to be spoken to.
pub(super) struct Connection {
    pub(super) notion: Notion,
    pub(super) clockify: Clockify,
    pub(super) rules: Rules,
    pub(super) references: PerKind<String>,
    pub(super) workspace: Option<String>,
    /// What the configuration is called, where it is not the default one.
    pub(super) configuration: Option<Shown>,
    pub(super) pace: Pace,
    pub(super) exchanges: Exchanges,
    /// The proxy that everything far away goes through, and how it fares.
    pub(super) proxy: Option<Arc<Proxy>>,
}

/// The clients of both services as far as they can be made.
pub(super) struct Clients {
    pub(super) notion: Option<Notion>,
    pub(super) clockify: Option<Clockify>,
    /// Why one could not be made; where its token is not configured, that is for the configuration to say.
    pub(super) faults: Vec<(CheckCode, RunError)>,
    pub(super) exchanges: Exchanges,
    proxy: Option<Arc<Proxy>>,
}

/// What earlier runs have left for the clients of this one.
#[derive(Default)]
pub(super) struct Earlier {
    /// The ages of requests that were made within the last hour: they count towards the budgets.
    pub(super) requests: BTreeMap<Service, Vec<Duration>>,
    /// How long the services want to be left alone.
    pub(super) pauses: BTreeMap<Service, Duration>,
    /// What they have shown of their limits.
    pub(super) learned: BTreeMap<Service, Limits>,
}

impl Clients {
    /// Resolves the secrets and makes the clients. Nothing is sent yet. `readings` is told what is to be logged of the
    /// secrets.
    pub(super) async fn new(
        settings: &Settings,
        environment: &Environment,
        clock: fn() -> Timestamp,
        earlier: &Earlier,
        watch: &Watch,
        readings: &Readings,
    ) -> Self {
        let resolved = async |token: &Option<SecretReference>| match token {
            Some(token) => Some(secrets::resolve(token, environment, readings).await),
            None => None,
        };
        let tokens = tokio::join!(resolved(&settings.notion.token), resolved(&settings.clockify.token));
        let exchanges = Exchanges::default();
        // The clients take it from there by themselves; this knows how it fares.
        let proxy = Proxy::of_environment(|name| environment.get(name).map(str::to_owned));
        let options = |service, base_url: &url::Url, auth| {
            let mut options = Options::new(service, base_url.clone(), auth, sink(&exchanges, clock, watch));
            let watch = Arc::clone(watch);
            options.queue = Some(Arc::new(move |queued| watch(Progress::Queued(queued))));
            options.earlier = earlier.requests.get(&service).cloned().unwrap_or_default();
            options.learned = earlier.learned.get(&service).copied().unwrap_or_default();
            options.pause = earlier.pauses.get(&service).copied();
            options.proxy.clone_from(&proxy);
            options.keep_bodies = settings.logs.bodies;
            options
        };
        let mut faults = Vec::new();
        let mut token = |code, resolved: Option<Result<_, SecretError>>| match resolved? {
            Ok(token) => Some(token),
            Err(error) => {
                faults.push((code, error.into()));
                None
            }
        };
        let notion_token = token(CheckCode::NotionToken, tokens.0);
        let clockify_key = token(CheckCode::ClockifyToken, tokens.1);
        let mut made = |code, made: Result<Http, SetupError>| match made {
            Ok(http) => Some(http),
            Err(error) => {
                faults.push((code, error.into()));
                None
            }
        };
        let rules = &settings.rules;
        let notion = notion_token.and_then(|token| {
            let to_notion = options(Service::Notion, &settings.notion.base_url, Auth::bearer(&token));
            let http = made(CheckCode::NotionReached, to_notion_with(&settings.notion, to_notion))?;
            Some(Notion::new(http, rules.mapping.clone(), rules.id_strategy))
        });
        let clockify = clockify_key.and_then(|key| {
            let to_clockify = options(Service::Clockify, &settings.clockify.base_url, Auth::api_key(&key));
            let http = made(CheckCode::ClockifyReached, to_clockify_with(&settings.clockify, to_clockify))?;
            Some(Clockify::new(http, MappedFields::of(&rules.mapping)).with_reports(&settings.clockify.reports_url))
        });
        Self { notion, clockify, faults, exchanges, proxy }
    }
}

impl Connection {
    /// Both services, where both clients could be made and everything that a run needs is configured.
    ///
    /// # Errors
    /// The clients as they were, and what is missing in the configuration.
    pub(super) fn of(settings: &Settings, clients: Clients) -> Result<Self, Box<(Clients, Option<ConfigError>)>> {
        let Endpoints { notion, clockify } = match settings.require_endpoints() {
            Ok(endpoints) => endpoints,
            Err(missing) => return Err(Box::new((clients, Some(missing)))),
        };
        match clients {
            Clients { notion: Some(of_notion), clockify: Some(of_clockify), faults: _, exchanges, proxy } => Ok(Self {
                notion: of_notion,
                clockify: of_clockify,
                references: PerKind::from_fn(|kind| notion.data_sources[kind].to_string()),
                workspace: clockify.workspace,
                configuration: settings.configuration.clone(),
                pace: Pace {
                    notion_per_minute: notion.requests_per_minute.get(),
                    clockify_per_second: clockify.requests_per_second.get(),
                    clockify_per_hour: clockify.requests_per_hour.map(NonZeroU32::get),
                    clockify_spent: 0,
                },
                rules: settings.rules.clone(),
                exchanges,
                proxy,
            }),
            clients => Err(Box::new((clients, None))),
        }
    }
}

/// What speaks to Notion, within its limits.
pub(super) fn to_notion_with(settings: &NotionSettings, options: Options) -> Result<Http, SetupError> {
    let headers = vec![("Notion-Version", settings.api_version.clone())];
    let per_minute = settings.requests_per_minute.get();
    let budget = Budget {
        per_minute: Some(per_minute),
        most_per_minute: (settings.requests_per_minute == NOTION_REQUESTS_PER_MINUTE).then_some(NOTION_MOST_PER_MINUTE),
        ..Budget::default()
    };
    Http::new(Options { headers, budget, ..options })
}

/// What speaks to Clockify, within its limits.
pub(super) fn to_clockify_with(settings: &ClockifySettings, options: Options) -> Result<Http, SetupError> {
    let budget = Budget {
        per_second: Some(settings.requests_per_second.get()),
        per_hour: settings.requests_per_hour.map(NonZeroU32::get),
        ..Budget::default()
    };
    Http::new(Options { budget, ..options })
}

/// Passes requests that ended on to the journal and to whoever watches.
pub(super) fn sink(exchanges: &Exchanges, clock: fn() -> Timestamp, watch: &Watch) -> Sink {
    let (exchanges, watch) = (exchanges.clone(), Arc::clone(watch));
    Arc::new(move |exchange| {
        exchanges.push(clock(), exchange.clone());
        watch(Progress::Exchanged(exchange));
    })
}

/// The server that the state is on, if it is on one.
#[cfg(feature = "postgres")]
pub(super) async fn server(settings: &Settings, environment: &Environment) -> Result<Option<Address>, RunError> {
    match &settings.state_url {
        Some(reference) => address(reference, environment).await.map(Some),
        None => Ok(None),
    }
}

/// The address of a database that a reference leads to.
#[cfg(feature = "postgres")]
pub(super) async fn address(reference: &SecretReference, environment: &Environment) -> Result<Address, RunError> {
    let secret = secrets::resolve(reference, environment, &Readings::default()).await?;
    Address::parse(&secret).map_err(|error| {
        let text = format!("{} refers to an address of no use: {error}", reference.key());
        RunError::new(super::failure::Code::Configuration, text).hint(format!("correct it in {reference}"))
    })
}
