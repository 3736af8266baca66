//! From settings to clients: where the services are, who asks, within which limits.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    failure::RunError,
    session::{Exchanges, Progress, Watch},
};
use crate::{
    domain::{
        model::{PerKind, Service},
        plan::Pace,
        rules::Rules,
    },
    edge::{
        clockify::{Clockify, MappedFields},
        config::{Endpoints, Settings},
        environment::Environment,
        http::{Auth, Budget, Http, Options, Proxy, Sink},
        notion::Notion,
        secrets::{self, Readings},
    },
};

/// Both services, ready to be spoken to.
pub(super) struct Connection {
    pub(super) notion: Notion,
    pub(super) clockify: Clockify,
    pub(super) rules: Rules,
    pub(super) references: PerKind<String>,
    pub(super) workspace: Option<String>,
    pub(super) pace: Pace,
    pub(super) exchanges: Exchanges,
    /// The proxy that everything far away goes through, and how it fares.
    pub(super) proxy: Option<Arc<Proxy>>,
}

impl Connection {
    /// Resolves the secrets and makes the clients. Nothing is sent yet.
    ///
    /// `earlier` are the ages of requests that earlier runs made within the last hour: they count towards the budgets.
    /// `readings` is told what is to be logged of the secrets.
    pub(super) async fn new(
        settings: &Settings,
        environment: &Environment,
        clock: fn() -> Timestamp,
        earlier: &BTreeMap<Service, Vec<Duration>>,
        pauses: &BTreeMap<Service, Duration>,
        watch: &Watch,
        readings: &Readings,
    ) -> Result<Self, RunError> {
        let Endpoints { notion, clockify } = settings.require_endpoints()?;
        let tokens = tokio::join!(
            secrets::resolve(&notion.token, environment, readings),
            secrets::resolve(&clockify.token, environment, readings)
        );
        let (notion_token, clockify_key) = match tokens {
            (Ok(notion), Ok(clockify)) => (notion, clockify),
            (notion, clockify) => {
                return Err(RunError::several(notion.err().into_iter().chain(clockify.err()).map(RunError::from)));
            }
        };
        let exchanges = Exchanges::default();
        // The clients take it from there by themselves; this knows how it fares.
        let proxy = Proxy::of_environment(|name| environment.get(name).map(str::to_owned));
        let options = |service, base_url: &url::Url, auth| {
            let mut options = Options::new(service, base_url.clone(), auth, sink(&exchanges, clock, watch));
            options.earlier = earlier.get(&service).cloned().unwrap_or_default();
            options.pause = pauses.get(&service).copied();
            options.proxy.clone_from(&proxy);
            options.keep_bodies = settings.logs.bodies;
            options
        };
        let mut to_notion = options(Service::Notion, &notion.base_url, Auth::bearer(&notion_token));
        to_notion.headers = vec![("Notion-Version", notion.api_version.clone())];
        to_notion.budget = Budget { per_minute: Some(notion.requests_per_minute.get()), ..Budget::default() };
        let mut to_clockify = options(Service::Clockify, &clockify.base_url, Auth::api_key(&clockify_key));
        to_clockify.budget = Budget {
            per_second: Some(clockify.requests_per_second.get()),
            per_hour: clockify.requests_per_hour.map(std::num::NonZeroU32::get),
            ..Budget::default()
        };
        let rules = settings.rules.clone();
        Ok(Self {
            notion: Notion::new(Http::new(to_notion)?, rules.mapping.clone(), rules.id_strategy),
            clockify: Clockify::new(Http::new(to_clockify)?, MappedFields::of(&rules.mapping)),
            references: PerKind::from_fn(|kind| notion.data_sources[kind].to_string()),
            workspace: clockify.workspace.clone(),
            pace: Pace {
                notion_per_minute: notion.requests_per_minute.get(),
                clockify_per_second: clockify.requests_per_second.get(),
                clockify_per_hour: clockify.requests_per_hour.map(std::num::NonZeroU32::get),
            },
            rules,
            exchanges,
            proxy,
        })
    }
}

/// Passes requests that ended on to the journal and to whoever watches.
fn sink(exchanges: &Exchanges, clock: fn() -> Timestamp, watch: &Watch) -> Sink {
    let (exchanges, watch) = (exchanges.clone(), Arc::clone(watch));
    Arc::new(move |exchange| {
        exchanges.push(clock(), exchange.clone());
        watch(Progress::Exchanged(exchange));
    })
}
