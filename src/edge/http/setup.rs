//! How to talk to a service: where it is, who asks, within which limits, and that no token ever travels in the clear.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Certificate, Client, ClientBuilder,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::{Budget, Limits, Proxy, QueueWatch, Sink, outcome::shown};
use crate::{
    domain::{model::Service, text::Shown},
    edge::scrub,
};

/// The header that says who asks. Its secret is known from then on, and taken out of every text.
pub struct Auth {
    pub(super) header: HeaderName,
    pub(super) value: SecretString,
}

impl Auth {
    /// `Authorization: Bearer …`, as Notion wants it.
    pub fn bearer(token: &SecretString) -> Self {
        scrub::learn(token);
        Self { header: AUTHORIZATION, value: format!("Bearer {}", token.expose_secret()).into() }
    }

    /// `X-Api-Key: …`, as Clockify wants it.
    pub fn api_key(key: &SecretString) -> Self {
        scrub::learn(key);
        Self { header: HeaderName::from_static("x-api-key"), value: key.clone() }
    }
}

/// How to talk to one service.
pub struct Options {
    pub service: Service,
    /// Where it is; a trailing slash or `/v1` is no matter.
    pub base_url: Url,
    /// Who asks.
    pub auth: Auth,
    /// Further headers for every request.
    pub headers: Vec<(&'static str, String)>,
    /// How many requests it takes.
    pub budget: Budget,
    /// The ages of requests that earlier runs made within the last hour: they count towards the budget.
    pub earlier: Vec<Duration>,
    /// What the service has shown of its limits in earlier runs.
    pub learned: Limits,
    /// How long the service had asked an earlier run to wait, as far as that is not over yet; nothing where it never
    /// did, or has answered since.
    pub pause: Option<Duration>,
    /// Told about every attempt.
    pub sink: Sink,
    /// Told about requests that have to wait.
    pub queue: Option<QueueWatch>,
    /// How long one request may wait for its turn, pauses and backoffs included.
    pub patience: Duration,
    pub connect_timeout: Duration,
    /// Between two bytes of an answer, and before its first.
    pub idle_timeout: Duration,
    /// For one attempt at anything but a listing.
    pub answer_timeout: Duration,
    /// For one attempt as a whole.
    pub total_timeout: Duration,
    /// The proxy that https goes through, as the environment names it.
    pub proxy: Option<Arc<Proxy>>,
    /// The wait after a first failed attempt; it doubles from there.
    pub backoff: Duration,
    /// Bytes of an answer, unpacked.
    pub body_max: usize,
    /// Whether what is sent and answered is told to the sink.
    pub keep_bodies: bool,
}

impl Options {
    /// Usual limits: a run in which a service is silent ends within half a minute. Notion gives up on a request after
    /// 60 s itself (Notion docs, status codes); a write that takes so long is looked up.
    pub fn new(service: Service, base_url: Url, auth: Auth, sink: Sink) -> Self {
        Self {
            service,
            base_url,
            auth,
            headers: Vec::new(),
            budget: Budget::default(),
            earlier: Vec::new(),
            learned: Limits::default(),
            pause: None,
            sink,
            queue: None,
            patience: Duration::from_secs(90),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(90),
            proxy: None,
            backoff: Duration::from_millis(500),
            body_max: 24 << 20,
            keep_bodies: false,
        }
    }
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Plain http to a host that is not this machine, or another scheme.
    #[error("the base_url of {service} is {url}, but only https is allowed (http only to this machine)")]
    Insecure {
        service: Service,
        /// What was configured.
        url: Shown,
    },
    /// A user name or password in the URL.
    #[error("the base_url of {service} holds a user name or password; put the token where secrets are kept")]
    UserInfo { service: Service },
    /// The token cannot be sent.
    #[error("the token for {service} is empty or has characters that no HTTP header can carry")]
    Token { service: Service },
    /// A header cannot be sent.
    #[error("{name}: {service} cannot be sent this value as a header")]
    Header {
        service: Service,
        /// The header.
        name: &'static str,
    },
    /// TLS cannot be set up.
    #[error("the secure connection to {service} cannot be set up: {error}")]
    Tls {
        service: Service,
        /// Why.
        error: Shown,
    },
}

/// Refuses what would send a token in the clear. True for plain http to this machine.
pub(super) fn check_url(service: Service, url: &Url) -> Result<bool, SetupError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SetupError::UserInfo { service });
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(false),
        "http" if is_loopback(url) => Ok(true),
        _ => Err(SetupError::Insecure { service, url: shown(url.as_str()) }),
    }
}

/// True for an address of this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

pub(super) fn headers(options: &Options) -> Result<HeaderMap, SetupError> {
    let service = options.service;
    let token = options.auth.value.expose_secret();
    let mut value = HeaderValue::from_str(token).map_err(|_| SetupError::Token { service })?;
    if token.trim_start_matches("Bearer").trim().is_empty() {
        return Err(SetupError::Token { service });
    }
    value.set_sensitive(true);
    let mut headers = HeaderMap::from_iter([(options.auth.header.clone(), value)]);
    for (name, value) in &options.headers {
        let value = HeaderValue::from_str(value).map_err(|_| SetupError::Header { service, name })?;
        headers.insert(*name, value);
    }
    Ok(headers)
}

/// A client that verifies certificates, by the platform's roots or else by our own; `plain` where none are needed.
pub(in crate::edge) fn build(builder: impl Fn() -> ClientBuilder, plain: bool) -> Result<Client, reqwest::Error> {
    if plain {
        // Certificates are not needed, and a slim container has none, which reqwest takes for an error (reqwest issue
        // 2988).
        return builder().tls_certs_only(Vec::<Certificate>::new()).no_proxy().build();
    }
    builder().build().or_else(|_| {
        let roots: Result<Vec<_>, _> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(|certificate| Certificate::from_der(certificate))
            .collect();
        builder().tls_certs_only(roots?).build()
    })
}
