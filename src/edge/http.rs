//! HTTP to one service: deadlines, pacing within its budget, retries by one table, and failures that say whether a
//! write may have happened. What a request means is not known here.
//!
//! ```text
//! Request ─ admit (pace) ─ attempt ─ classify (outcome) ─┬─ Answer
//!     ▲                                                  ├─ Failure
//!     └──────────── backoff or pause ────────────────────┘
//! ```

mod flights;
mod outcome;
mod pace;
mod request;
mod setup;
mod trouble;

use std::{
    error::Error as _,
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Client, Method, Response, StatusCode,
    header::{HeaderMap, LOCATION},
    redirect,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value as Json;
use tokio::time::Instant;
use url::Url;

use super::{
    holding::Holding,
    scrub::{self, scrub},
};
use crate::domain::{model::Service, text::Shown};
use outcome::{Happened, Kind, Treatment, backoff, classify, retry_after};
use pace::{Held, Pacer};
use setup::{check_url, headers};
use trouble::Trouble;

pub(crate) use flights::Flights;
pub use outcome::Failure;
pub(in crate::edge) use outcome::{Repeat, shown};
pub use pace::{Budget, Limits};
pub(in crate::edge) use request::Request;
pub(in crate::edge) use setup::build;
pub use setup::{Auth, Options, SetupError, is_loopback};
pub use trouble::Proxy;

/// How old what was read of a thing may be when a write that is built on it leaves.
pub(in crate::edge) const FRESH: Duration = Duration::from_secs(5);
/// What is younger than this need not be read again for a write: it leaves the write time to wait for its turn.
pub(in crate::edge) const YOUNG: Duration = Duration::from_secs(3);
/// Attempts at one request, the first included.
const ATTEMPTS_MAX: u32 = 5;
/// A failed attempt is followed by another only so long after the first began: whoever needs longer to fail will not
/// mend by then.
const REPEATS_WITHIN: Duration = Duration::from_secs(9);
/// How long a service may keep asking to be left alone after it was, before it is taken at its word.
const PAUSES_WITHIN: Duration = Duration::from_secs(20);
/// Answers larger than this are read one at a time, in all of the process, so that several of them do not fill the
/// memory.
const LARGE: usize = 1 << 20;

/// Bytes that an answer may take once it is taken apart.
const ANSWER_WEIGHT_MAX: usize = 128 << 20;

/// How much longer than a write can take the right to it has to last.
const MARGIN: Duration = Duration::from_secs(2);

/// Held by whoever reads a large answer.
static READING_LARGE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Told about every attempt, as it ends.
pub type Sink = Arc<dyn Fn(Exchange) + Send + Sync>;

/// One attempt at a request, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// With whom.
    pub service: Service,
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// The status, or nothing when there was no answer.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// True where it could not have changed anything.
    pub only_reads: bool,
    /// How much of the budget of an hour is spent after it, and how much that is, where there is one.
    pub of_hour: Option<(usize, usize)>,
    /// How long all requests to the service pause after it, if it asked for that (429, 529).
    pub pause: Option<Duration>,
    /// What the service calls the request.
    pub request_id: Option<Shown>,
    /// What was sent and answered, scrubbed, where that is asked for.
    pub bodies: Option<(String, String)>,
}

/// A request that has to wait before it can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// For whom it is.
    pub service: Service,
    /// How long it waits.
    pub wait: Duration,
    /// The limit that it waits for, as so many in a second, a minute or an hour; nothing where the service asked for
    /// the wait.
    pub limit: Option<(usize, &'static str)>,
}

/// Is told of requests that have to wait.
pub type QueueWatch = Arc<dyn Fn(Queued) + Send + Sync>;
/// A wait from which on it is worth telling.
const NOTICEABLE: Duration = Duration::from_secs(1);

/// A client of one service. All requests to that service go through one of these, so that the budget is kept.
pub struct Http {
    client: Client,
    service: Service,
    base: String,
    pacer: Pacer,
    flights: Flights,
    trouble: Trouble,
    proxy: Option<Arc<Proxy>>,
    sink: Sink,
    queue: Option<QueueWatch>,
    calls: AtomicU64,
    /// The service's time by its last answer, and when that came.
    clock: Mutex<Option<(Timestamp, Instant)>>,
    patience: Duration,
    answer_timeout: Duration,
    backoff: Duration,
    body_max: usize,
    keep_bodies: bool,
    /// How long one attempt may take.
    attempt_max: Duration,
    /// The right that a write needs, where that does not last as long as this process.
    right: Mutex<Option<Holding>>,
}

impl fmt::Debug for Http {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Http").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Http {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`] for an insecure URL, a token that cannot be sent, or when TLS cannot be set up.
    pub fn new(options: Options) -> Result<Self, SetupError> {
        let service = options.service;
        let plain = check_url(service, &options.base_url)?;
        let headers = headers(&options)?;
        let builder = || {
            Client::builder()
                .user_agent(concat!("punchlist/", env!("CARGO_PKG_VERSION")))
                .default_headers(headers.clone())
                // reqwest would carry Clockify's X-Api-Key along to the host that a redirect names.
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .https_only(!plain)
                .connect_timeout(options.connect_timeout)
                .read_timeout(options.idle_timeout)
                .timeout(options.total_timeout)
        };
        let client = build(builder, plain)
            .map_err(|error| SetupError::Tls { service, error: shown(&chain(&error.without_url())) })?;
        let pacer = Pacer::new(options.budget, &options.earlier, options.learned);
        let trouble = Trouble::default();
        if let Some(pause) = options.pause {
            pacer.pause(pause);
            trouble.probe();
        }
        let proxy = options.proxy.filter(|_| !plain);
        let base = options.base_url.as_str().trim_end_matches('/');
        Ok(Self {
            client,
            service,
            base: base.strip_suffix("/v1").unwrap_or(base).to_owned(),
            pacer,
            flights: Flights::new(options.budget),
            trouble,
            proxy,
            queue: options.queue,
            sink: options.sink,
            calls: AtomicU64::new(0),
            clock: Mutex::default(),
            patience: options.patience,
            answer_timeout: options.answer_timeout,
            backoff: options.backoff,
            body_max: options.body_max,
            keep_bodies: options.keep_bodies,
            attempt_max: options.connect_timeout + options.answer_timeout,
            right: Mutex::default(),
        })
    }

    /// Requests that were sent so far, repeated ones counted again.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Lets a run begin as if nothing had gone wrong before: a client may outlive a run.
    pub fn begin(&self) {
        self.trouble.forget();
        self.proxy.iter().for_each(|proxy| proxy.forget());
    }

    /// True where the service takes only so many requests an hour, so that each is dear.
    pub fn is_hourly(&self) -> bool {
        self.pacer.is_hourly()
    }

    /// How many writes may be on their way at once, so that the service's pace is kept and no more waits there.
    pub fn flights_max(&self) -> usize {
        self.flights.most()
    }

    /// How many requests were made within the last hour, and how many there is room for, where that is limited.
    pub fn of_hour(&self) -> Option<(usize, usize)> {
        self.pacer.of_hour()
    }

    /// What there is room for in any minute, where that is limited.
    pub fn per_minute(&self) -> Option<usize> {
        self.pacer.per_minute()
    }

    /// The limits that the service has shown, where they are other than they were taken to be.
    pub fn learned(&self) -> Limits {
        self.pacer.learned()
    }

    /// How long until so many requests can be made one after the other, as far as the budget of an hour goes.
    pub fn wait_for(&self, count: usize) -> Duration {
        self.pacer.wait_for(count)
    }

    /// Refuses where the budget of the hour has no room for so many requests: what could only be begun costs nothing.
    pub(in crate::edge) fn room_for(&self, count: usize) -> Result<(), Failure> {
        let has_room = self.of_hour().is_none_or(|(spent, per_hour)| spent + count <= per_hour || spent == 0);
        if has_room { Ok(()) } else { Err(self.held_up(&Held { wait: self.wait_for(count), asked: false })) }
    }

    /// How long a request made now would wait for its turn.
    pub fn wait(&self) -> Duration {
        self.pacer.wait()
    }

    /// How long the service has asked to be left alone from now on.
    pub fn asked_to_wait(&self) -> Duration {
        self.pacer.asked()
    }

    /// The time by the service's own clock, as its last answer told it: whole seconds behind it at the most by one.
    pub fn server_time(&self) -> Option<Timestamp> {
        let (said, at) = (*self.clock.lock().unwrap_or_else(PoisonError::into_inner))?;
        said.checked_add(at.elapsed()).ok()
    }

    /// Bytes that one answer may have, unpacked.
    pub(in crate::edge) fn body_max(&self) -> usize {
        self.body_max
    }

    /// The host that is talked to, for messages.
    pub(in crate::edge) fn host(&self) -> &str {
        self.base.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(&self.base)
    }

    /// Sends a request, again if the table says so, until there is an answer of the wanted form. Repeats of all
    /// requests together go one at a time and are counted together; once there is no hope, nothing is sent.
    pub(in crate::edge) async fn send<T: DeserializeOwned + Send>(
        &self,
        request: &Request,
    ) -> Result<Answer<T>, Failure> {
        let mut taken = None;
        let mut take = |body: &[u8]| serde_json::from_slice(body).map(|body| taken = Some(body));
        let Answer { headers, bytes, .. } = Box::pin(self.send_until_taken(request, &mut take)).await?;
        match taken {
            Some(body) => Ok(Answer { body, headers, bytes }),
            None => unreachable!("an answer is one whose body was taken"),
        }
    }

    /// The same for any form: what takes an answer refuses one of another form. It is much code, so that there is
    /// only one of it.
    async fn send_until_taken(&self, request: &Request, take: &mut Take<'_>) -> Result<Answer<()>, Failure> {
        let began = Instant::now();
        let give_up = began + self.patience;
        let mut attempt = 1;
        // An attempt that may have been carried out is not forgotten because the next one cannot leave.
        let mut perhaps_done = None;
        let mut turn = None;
        let mut paused_since = None;
        loop {
            if turn.is_none() && self.trouble.is_probing() {
                turn = self.trouble.turn(give_up).await.filter(|_| self.trouble.is_probing());
            }
            self.tell_wait();
            let limit = request.not_after.map_or(give_up, |limit| limit.min(give_up));
            let slot = match self.pacer.admit(limit).await {
                Ok(slot) => slot,
                Err(wait) => {
                    // What has to wait since the service takes nothing is not read anew, again and again.
                    let outdated = Instant::now() + wait.wait <= give_up && self.trouble.repeats() == Some(0);
                    let held_up = || if outdated { Failure::Outdated } else { self.held_up(&wait) };
                    return Err(perhaps_done.unwrap_or_else(held_up));
                }
            };
            if let Some(over) = self.trouble.over() {
                return Err(perhaps_done.unwrap_or(over));
            }
            if request.repeat != Repeat::Read && !self.may_write().await {
                let error = "the right to run was lost, and another run may write by now".into();
                return Err(perhaps_done.unwrap_or(Failure::NotSent { error }));
            }
            let through_proxy = match &self.proxy {
                Some(proxy) => proxy.turn().await.map_err(|failure| perhaps_done.clone().unwrap_or(failure))?,
                None => None,
            };
            let miss = match self.attempt(request, take, attempt).await {
                Ok(answer) => {
                    self.pacer.answered(slot, &request.method);
                    return Ok(answer);
                }
                Err(miss) => miss,
            };
            drop(through_proxy);
            let verdict = classify(request.repeat, miss.happened);
            if let Treatment::Fail(kind) = verdict {
                return Err(miss.into_failure(self.service, kind));
            }
            if turn.is_none() {
                turn = self.trouble.turn(give_up).await;
            }
            let Some(repeats) = self.trouble.repeats().filter(|_| turn.is_some() && attempt < ATTEMPTS_MAX) else {
                return Err(self.given_up(verdict, miss, attempt));
            };
            let delay =
                miss.wait.unwrap_or_default().max(backoff(self.backoff, attempt.max(repeats + 1), self.calls()));
            match verdict {
                Treatment::Fail(_) => unreachable!("it is returned above"),
                // The pacer makes everybody wait, us too; and gives up where that would take too long.
                Treatment::Pause => {
                    let since = *paused_since.get_or_insert_with(Instant::now);
                    if attempt > 1 && Instant::now() + delay > since + PAUSES_WITHIN {
                        return Err(self.throttled(delay, &miss));
                    }
                }
                Treatment::Retry(kind) => {
                    if Instant::now() + delay > began + REPEATS_WITHIN.min(self.patience) {
                        return Err(miss.into_failure(self.service, kind));
                    }
                    if kind == Kind::Unknown && request.repeat != Repeat::Read {
                        perhaps_done = Some(miss.into_failure(self.service, kind));
                    }
                    tokio::time::sleep(delay).await;
                }
            }
            attempt += 1;
        }
    }

    /// Lets writes leave only while a right is held, and for longer than they can take: whoever gets the right next is not
    /// to meet one that is on its way.
    pub(crate) fn write_while(&self, right: Option<Holding>) {
        *self.right.lock().unwrap_or_else(PoisonError::into_inner) = right;
    }

    async fn may_write(&self) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match right {
            Some(right) => right.lasts(self.attempt_max + MARGIN).await,
            None => true,
        }
    }

    /// Tells of a wait that somebody would notice.
    fn tell_wait(&self) {
        if let Some(queue) = &self.queue {
            let (wait, limit) = self.pacer.outlook();
            if wait >= NOTICEABLE {
                queue(Queued { service: self.service, wait, limit });
            }
        }
    }

    /// The failure of a request that is not repeated any more.
    fn given_up(&self, verdict: Treatment, miss: Miss, attempt: u32) -> Failure {
        match verdict {
            Treatment::Pause => {
                let wait = miss.wait.unwrap_or_default().max(backoff(self.backoff, attempt, self.calls()));
                self.throttled(wait, &miss)
            }
            Treatment::Retry(kind) | Treatment::Fail(kind) => miss.into_failure(self.service, kind),
        }
    }

    async fn attempt(&self, request: &Request, take: &mut Take<'_>, attempt: u32) -> Result<Answer<()>, Miss> {
        let started = Instant::now();
        let mut seen = Seen::default();
        let result = self.exchange(request, take, &mut seen).await;
        self.note(&result, started, attempt);
        match &result {
            Err(miss) if matches!(miss.happened, Happened::Status(429 | 503 | 529)) => {
                self.flights.turned_away(started);
            }
            Ok(_) if request.method != Method::GET => self.flights.answered(started.elapsed()),
            _ => {}
        }
        if !matches!(&result, Err(Miss { happened: Happened::NotSent | Happened::Untrusted | Happened::NoWay, .. })) {
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
        let pause =
            result.as_ref().err().filter(|miss| classify(request.repeat, miss.happened) == Treatment::Pause).map(
                |miss| {
                    // A pause of nothing would be a hot loop.
                    miss.wait.unwrap_or_default().max(backoff(self.backoff, attempt, self.calls()))
                },
            );
        if let Some(pause) = pause {
            self.pacer.pause(pause);
            if matches!(result.as_ref().err().map(|miss| miss.happened), Some(Happened::Status(429))) {
                self.pacer.refused(pause, false);
            }
        }
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // A service may have given us a part of it.
        let path = scrub(&request.path);
        let (service, method, path) = (self.service, &request.method, path.as_ref());
        let (status, request_id) = (seen.status.unwrap_or_default(), seen.request_id.as_deref().unwrap_or_default());
        match &result {
            Ok(_) => tracing::info!(%service, %method, path, status, millis, attempt, request_id, "answered"),
            Err(miss) => {
                tracing::warn!(%service, %method, path, status, millis, attempt, request_id, error = miss.text.as_str(), "no answer");
            }
        }
        (self.sink)(Exchange {
            service: self.service,
            method: request.method.to_string(),
            path: path.to_owned(),
            status: seen.status,
            millis,
            attempt,
            only_reads: request.repeat == Repeat::Read,
            of_hour: self.of_hour(),
            pause,
            request_id: seen.request_id,
            bodies: self.keep_bodies.then(|| {
                let sent = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
                (scrub::body(sent.as_bytes()), scrub::body(&seen.body))
            }),
        });
        result
    }

    /// Notes what an attempt says about the service and the way to it.
    fn note(&self, result: &Result<Answer<()>, Miss>, began: Instant, attempt: u32) {
        let happened = result.as_ref().err().map(|miss| miss.happened);
        match happened {
            Some(Happened::NoWay) => {
                if let Some(miss) = result.as_ref().err() {
                    let failure = Failure::NotSent { error: miss.text.clone() };
                    self.trouble.end(&failure);
                    self.proxy.iter().for_each(|proxy| proxy.refused(&failure));
                }
                return;
            }
            Some(Happened::NotSent) => {}
            _ => self.proxy.iter().for_each(|proxy| proxy.lets_through()),
        }
        match result {
            Err(miss) => match miss.happened {
                Happened::Untrusted => self.trouble.end(&miss.clone().into_failure(self.service, Kind::Untrusted)),
                Happened::Status(401) => self.trouble.end(&miss.clone().into_failure(self.service, Kind::Rejected)),
                Happened::Status(408 | 409 | 429 | 500..)
                | Happened::NotSent
                | Happened::Silence
                | Happened::Unreadable => {
                    self.trouble.in_vain(began, attempt > 1, miss.timed_out, &miss.text);
                }
                Happened::NoWay | Happened::TooLarge | Happened::Status(_) => self.trouble.answered(),
            },
            Ok(_) => self.trouble.answered(),
        }
    }

    async fn exchange(&self, request: &Request, take: &mut Take<'_>, seen: &mut Seen) -> Result<Answer<()>, Miss> {
        let base = request.base.as_ref().unwrap_or(&self.base);
        let mut builder =
            self.client.request(request.method.clone(), format!("{base}{}{}", request.path, request.query));
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        if !request.is_listing {
            builder = builder.timeout(self.answer_timeout);
        }
        let response = builder.send().await.map_err(|error| self.unanswered(error))?;
        seen.status = Some(response.status().as_u16());
        seen.request_id = outcome::request_id(response.headers());
        if let Some(now) = outcome::date(response.headers()) {
            *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Instant::now()));
        }
        let (code, headers) = (response.status(), response.headers().clone());
        let mut reading_large = None;
        let body = self.read(response, &mut reading_large).await;
        if self.keep_bodies {
            seen.body = body.as_ref().cloned().unwrap_or_default();
        }
        if code.is_success() {
            let body = body?;
            if weight(&body) > ANSWER_WEIGHT_MAX {
                let error = format!("{} sent more values in one answer than can be kept in memory", self.service);
                return Err(Miss::new(Happened::TooLarge, error));
            }
            let bytes = body.len();
            take(&body).map_err(|error| {
                let what = if body.trim_ascii_start().starts_with(b"<") { words_of(&body) } else { None };
                let what = what.unwrap_or_else(|| format!("something that cannot be read: {error}"));
                Miss::new(Happened::Unreadable, format!("{} answered {code} with {what}", self.service))
            })?;
            return Ok(Answer { body: (), headers, bytes });
        }
        Err(Miss::refused(code, &headers, &body.unwrap_or_default()))
    }

    /// Reads the body of an answer. A large one makes the next large one wait until it was taken apart.
    async fn read(
        &self,
        mut response: Response,
        large: &mut Option<tokio::sync::MutexGuard<'static, ()>>,
    ) -> Result<Vec<u8>, Miss> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unanswered(error))? {
            if body.len() + chunk.len() > self.body_max {
                let error = format!("{} sent more than {} MiB in one answer", self.service, self.body_max >> 20);
                return Err(Miss::new(Happened::TooLarge, error));
            }
            if !self.trouble.take(chunk.len()) {
                let error = format!("{} sent more in this run than any run can need", self.service);
                let miss = Miss::new(Happened::TooLarge, error);
                self.trouble.end(&Failure::NotSent { error: miss.text.clone() });
                return Err(miss);
            }
            if large.is_none() && body.len() + chunk.len() > LARGE {
                *large = Some(READING_LARGE.lock().await);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn unanswered(&self, error: reqwest::Error) -> Miss {
        let error = error.without_url();
        let cause = chain(&error);
        let timed_out = error.is_timeout();
        if error.is_connect() && cause.contains("proxy auth") {
            return self.unproxied(&cause);
        }
        if error.is_connect() {
            // Whoever answers now is not the service; asking again would not make them so.
            let (happened, what) =
                if is_untrusted(&error) { (Happened::Untrusted, "no secure") } else { (Happened::NotSent, "no") };
            let (service, host) = (self.service, self.host());
            let key = format!("{}.base_url", service.to_string().to_lowercase());
            return Miss {
                timed_out,
                ..Miss::new(happened, format!("{what} connection to {service} at {key} ({host}): {cause}"))
            };
        }
        let (happened, what) = if error.is_builder() {
            (Happened::Untrusted, "the request could not be built")
        } else if timed_out {
            (Happened::Silence, "no answer in time")
        } else if error.is_decode() {
            (Happened::Unreadable, "the answer was damaged")
        } else {
            (Happened::Silence, "the connection ended before there was a whole answer")
        };
        Miss { timed_out, ..Miss::new(happened, format!("{what} from {} ({}): {cause}", self.service, self.host())) }
    }

    /// The proxy wants to know who we are. Asking again would be refused again, and may lock an account.
    fn unproxied(&self, cause: &str) -> Miss {
        let named = self.proxy.as_ref().map_or("the proxy", |proxy| proxy.variable());
        Miss::new(
            Happened::NoWay,
            format!("the proxy that {named} names lets nobody through without a password (407): {cause}"),
        )
    }

    /// The failure of a request whose turn does not come in time.
    fn held_up(&self, held: &Held) -> Failure {
        let (service, until) = (self.service, clock_time(held.wait));
        let (error, budget) = if held.asked {
            (format!("{service} asked to wait until {until}"), false)
        } else {
            (format!("the request budget of {service} is spent; there is room again at {until}"), true)
        };
        Failure::Throttled { wait: held.wait, error: error.into(), budget }
    }

    fn throttled(&self, wait: Duration, miss: &Miss) -> Failure {
        if miss.happened == Happened::Status(429) {
            self.pacer.refused(wait, true);
        }
        let error =
            format!("{} asked to wait until {}: {} ({})", self.service, clock_time(wait), miss.text, miss.status);
        Failure::Throttled { wait, error: error.into(), budget: false }
    }
}

/// What was seen of an answer, whatever became of it.
#[derive(Default)]
struct Seen {
    status: Option<u16>,
    request_id: Option<Shown>,
    body: Vec<u8>,
}

/// One attempt that gave no answer.
#[derive(Clone)]
struct Miss {
    happened: Happened,
    /// True where time ran out.
    timed_out: bool,
    status: u16,
    code: Option<Shown>,
    text: Shown,
    wait: Option<Duration>,
}

impl Miss {
    fn new(happened: Happened, text: impl AsRef<str>) -> Self {
        Self { happened, timed_out: false, status: 0, code: None, text: shown(text.as_ref()), wait: None }
    }

    fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let answer: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        let happened = match (status.as_u16(), answer.reason()) {
            // Notion docs, request limits: this one is not to be repeated.
            (429, Some("public_api_request_blocked")) => Happened::Status(403),
            (407, _) => Happened::NoWay,
            (status, _) => Happened::Status(status),
        };
        let message = if status.is_redirection() {
            let target = headers.get(LOCATION).map(|target| String::from_utf8_lossy(target.as_bytes()));
            let host = target
                .as_deref()
                .and_then(|target| Url::parse(target).ok())
                .and_then(|url| url.host_str().map(str::to_owned));
            format!("the answer is a redirect to {}, which is not followed", host.as_deref().unwrap_or("another place"))
        } else {
            match answer.message.as_deref().or(answer.error.as_deref()).map(str::trim) {
                None | Some("") => {
                    let reason = status.canonical_reason().unwrap_or("no reason given");
                    words_of(body).map_or_else(|| reason.to_owned(), |words| format!("{reason}, {words}"))
                }
                Some(message) => message.to_owned(),
            }
        };
        Self {
            happened,
            timed_out: false,
            status: status.as_u16(),
            code: answer.code(),
            text: shown(&message),
            wait: retry_after(headers).or_else(|| answer.retry_after()),
        }
    }

    fn into_failure(self, service: Service, kind: Kind) -> Failure {
        let Self { happened: _, timed_out: _, status, code, text, wait: _ } = self;
        match kind {
            Kind::NotSent => Failure::NotSent { error: text },
            Kind::Untrusted => Failure::Untrusted { error: text },
            Kind::Rejected => Failure::Rejected { service, status, code, message: text },
            Kind::TooLarge => Failure::TooLarge { error: text },
            Kind::Unknown if status == 0 => Failure::Unknown { error: text },
            Kind::Unknown => Failure::Unknown { error: format!("{service} answered {status}: {text}").into() },
        }
    }
}

/// What both services say with an error; every part may be missing.
#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: Json,
    #[serde(default)]
    message: Option<String>,
    /// What frameworks call it.
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    additional_data: Json,
}

impl ErrorBody {
    fn code(&self) -> Option<Shown> {
        match &self.code {
            Json::String(code) if !code.is_empty() => Some(shown(code)),
            Json::Number(code) => Some(code.to_string().into()),
            _ => None,
        }
    }

    fn reason(&self) -> Option<&str> {
        self.additional_data.get("rate_limit_reason")?.as_str()
    }

    fn retry_after(&self) -> Option<Duration> {
        let seconds = self.additional_data.get("retry_after")?;
        let seconds = seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok())?;
        Some(Duration::from_secs(seconds).min(outcome::RETRY_AFTER_MAX))
    }
}

/// What an answer that is no JSON says: the title of a page of HTML, or the text itself.
fn words_of(body: &[u8]) -> Option<String> {
    let text = str::from_utf8(body).ok()?.trim();
    if !text.starts_with('<') {
        return (!text.is_empty() && !text.starts_with(['{', '['])).then(|| text.to_owned());
    }
    let title =
        text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map(|(title, _)| title.trim());
    Some(title.map_or_else(|| "a page of HTML".to_owned(), |title| format!("a page of HTML, “{title}”")))
}

/// Takes the body of an answer apart.
type Take<'a> = dyn FnMut(&[u8]) -> serde_json::Result<()> + Send + 'a;

/// A good answer.
pub(in crate::edge) struct Answer<T> {
    pub(in crate::edge) body: T,
    pub(in crate::edge) headers: HeaderMap,
    /// Bytes of the body, unpacked.
    pub(in crate::edge) bytes: usize,
}

/// The most bytes that JSON takes once it is taken apart: a few brackets in a row become large structures.
fn weight(json: &[u8]) -> usize {
    // Without branches: every byte of every answer comes by here.
    let of = |byte: &u8| 1 + 399 * usize::from(*byte == b'{') + 63 * usize::from(matches!(byte, b',' | b'['));
    json.iter().map(of).sum()
}

/// The time of day after a wait, with the zone and its offset: `14:20 CET (UTC+01:00)`; with the date where that is
/// another day.
fn clock_time(wait: Duration) -> String {
    let now = jiff::Zoned::now();
    let Ok(until) = now.checked_add(wait) else { return "another day".to_owned() };
    // Whole minutes, and not too early.
    let until =
        until.round(jiff::ZonedRound::new().smallest(jiff::Unit::Minute).mode(jiff::RoundMode::Ceil)).unwrap_or(until);
    let day = if until.date() == now.date() { "" } else { "%Y-%m-%d " };
    until.strftime(&format!("{day}%H:%M %Z (UTC%:z)")).to_string()
}

/// True where the other side does not speak TLS as it must, or has no valid certificate. An alert may be about this one
/// moment.
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<rustls::Error>() {
            return !matches!(error, rustls::Error::AlertReceived(_));
        }
        let wrapped = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map_or_else(|| inner.source(), |wrapped| Some(wrapped));
    }
    false
}

/// An error with its causes: the outermost of a network error says little.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
