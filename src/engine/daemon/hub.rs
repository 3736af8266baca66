//! What the daemon's two threads share: the one that answers calls marks work as due here, the one that runs takes it.
//!
//! Nothing here waits, and everything has a limit: whatever is called how often, it stays as small.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::sync::Notify;

use super::{
    echo::{Echoes, Waiting},
    numbers::Numbers,
    promise::Promised,
};
use crate::{
    domain::{
        journal::{Answered, Event, RunId, What},
        model::PageId,
        reach::Extent,
        report::Report,
        text::Shown,
        trigger::{Cause, Queue, Ticket},
    },
    edge::config::CallerKind,
    engine::{
        callers::{Caller, Callers},
        session::Progress,
    },
};

/// Runs that have ended and are still known by their name.
const ENDED_MAX: usize = 256;
/// Events that were seen already: a service sends one again within a day.
const SEEN_MAX: usize = 4096;
/// Calls that are told one by one, each with its page; beyond, they are counted together.
const CALLS_MAX: usize = 256;

/// What the daemon's threads share.
pub struct Hub {
    /// Who may call.
    pub callers: Callers,
    clock: fn() -> Timestamp,
    inner: Mutex<Inner>,
    /// What stands in the state of what callers were promised.
    pub(super) promised: Arc<tokio::sync::Mutex<Promised>>,
    /// Wakes the thread that runs.
    pub(super) asked: Notify,
}

#[derive(Default)]
struct Inner {
    queue: Queue,
    ended: VecDeque<(RunId, Ended)>,
    calls: BTreeMap<Alike, (u64, Timestamp)>,
    seen: Seen,
    armed: BTreeMap<String, Timestamp>,
    /// Whose token came in a handshake, and is not yet noted in the state.
    came: BTreeSet<String>,
    numbers: Numbers,
    echoes: Echoes,
    /// Calls about rows of which it is not known yet who wrote them.
    unsorted: Vec<Called>,
    /// When each sender of Notion's events was last heard of, if it was.
    heard: BTreeMap<String, Option<Timestamp>>,
    /// For how long a sender has been silent although pages changed.
    silent: Option<SignedDuration>,
    next: Option<Timestamp>,
    is_ready: bool,
}

/// What a service has called about, in a caller's name.
struct Called {
    rows: Vec<String>,
    cause: Cause,
    extent: Extent,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its report, where it has one.
    pub report: Option<Report>,
    /// Why it has none.
    pub error: Option<Shown>,
}

/// What becomes of a run that was asked for.
#[derive(Clone, Debug)]
pub enum RunStage {
    Waiting,
    Running,
    Ended(Box<Ended>),
}

/// Calls that are told together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    caller: Option<String>,
    way: &'static str,
    answer: Answered,
    page: Option<PageId>,
}

/// The last events that came, by their ids.
#[derive(Default)]
struct Seen {
    ids: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// True where this one came before; it has from now on.
    fn has(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return true;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        false
    }
}

impl Hub {
    /// A hub that nobody has called yet.
    pub fn new(callers: Callers, clock: fn() -> Timestamp) -> Self {
        let heard = callers.of_kind(CallerKind::NotionEvents).map(|name| (name.to_owned(), None)).collect();
        let inner = Mutex::new(Inner { heard, ..Inner::default() });
        Self { callers, clock, inner, promised: Arc::default(), asked: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A caller asks for a run; says which one it gets.
    pub fn ask_for(&self, caller: &Caller) -> RunId {
        self.ask(Cause::Caller(caller.name.clone()), &caller.extent)
    }

    /// A service calls about rows, by their IDs, in the name of a caller. What may be the echo of our own writes asks
    /// for a run when all of it has come.
    pub fn hear_of(&self, caller: &Caller, rows: &[String]) {
        let (cause, extent) = (Cause::Caller(caller.name.clone()), caller.extent.clone());
        let mut inner = self.lock();
        if inner.unsorted.len() < CALLS_MAX {
            inner.unsorted.push(Called { rows: rows.to_vec(), cause, extent });
            drop(inner);
            self.asked.notify_one();
        } else {
            drop(inner);
            self.ask(cause, &extent);
        }
    }

    /// Takes up what was written to the services, by whoever shares the state, and asks for the runs that were called
    /// for meanwhile: at once, or when the echo of it has ended.
    pub(super) fn sort(&self, written: &[Event]) {
        let now = (self.clock)();
        let mut inner = self.lock();
        for event in written {
            inner.echoes.hear(&event.what, event.at);
        }
        let unsorted = std::mem::take(&mut inner.unsorted);
        let mut others = Vec::new();
        for call in unsorted {
            if !inner.echoes.takes(&call.rows, &call.cause, &call.extent, now) {
                others.push(call);
            }
        }
        drop(inner);
        for Called { cause, extent, .. } in others {
            self.ask(cause, &extent);
        }
    }

    /// Asks for the run that is due after the echo of our own writes.
    pub(super) fn ask_for_echo(&self) {
        let due = self.lock().echoes.due((self.clock)());
        if let Some(Waiting { extent, causes, .. }) = due {
            for cause in causes {
                self.ask(cause, &extent);
            }
        }
    }

    /// How far the runs go that wait for that echo to end, or for being told from it.
    pub(super) fn echo(&self) -> Extent {
        let inner = self.lock();
        inner.unsorted.iter().fold(inner.echoes.extent(), |extent, call| extent.join(&call.extent))
    }

    /// When that run is due.
    pub(super) fn echo_due(&self) -> Option<Timestamp> {
        self.lock().echoes.next()
    }

    /// Takes up what a run tells.
    pub(super) fn hear(&self, told: &Progress, now: Timestamp) {
        self.lock().numbers.hear(told, now);
    }

    /// Asks for a run; says which one it gets.
    pub(super) fn ask(&self, cause: Cause, extent: &Extent) -> RunId {
        let now = (self.clock)();
        let run = self.lock().queue.ask(cause, extent, || RunId::beginning(now));
        self.asked.notify_one();
        run
    }

    /// Notes a call, for the log and the numbers.
    pub fn note(&self, caller: Option<&Caller>, way: &'static str, answer: Answered, page: Option<PageId>) {
        let now = (self.clock)();
        let mut inner = self.lock();
        inner.numbers.called(way, answer);
        if let Some(sender) = caller.filter(|caller| caller.kind == CallerKind::NotionEvents) {
            inner.heard.insert(sender.name.clone(), Some(now));
        }
        let mut alike = Alike { caller: caller.map(|caller| caller.name.clone()), way, answer, page };
        if inner.calls.len() >= CALLS_MAX && !inner.calls.contains_key(&alike) {
            alike.page = None;
        }
        inner.calls.entry(alike).or_insert((0, now)).0 += 1;
    }

    /// True where an event came before; it has from now on.
    pub fn has_seen(&self, event: &str) -> bool {
        self.lock().seen.has(event)
    }

    /// True while somebody has armed the daemon for the handshake of a sender of events.
    pub fn is_armed(&self, name: &str) -> bool {
        let now = (self.clock)();
        self.lock().armed.get(name).is_some_and(|until| now < *until)
    }

    /// Takes the token over that a handshake has brought. It is one's own once: what comes after it is none.
    pub fn shake_hands(&self, name: &str, token: &SecretString) {
        self.callers.take_over(name, token);
        let mut inner = self.lock();
        inner.armed.remove(name);
        inner.came.insert(name.to_owned());
        drop(inner);
        self.asked.notify_one();
    }

    /// What becomes of a run; nothing where none is known by that name.
    pub fn progress(&self, run: RunId) -> Option<RunStage> {
        let inner = self.lock();
        if inner.queue.running() == Some(run) {
            return Some(RunStage::Running);
        }
        if inner.queue.waiting().is_some_and(|ticket| ticket.run == run) {
            return Some(RunStage::Waiting);
        }
        inner.ended.iter().find(|(ended, _)| *ended == run).map(|(_, ended)| RunStage::Ended(Box::new(ended.clone())))
    }

    /// True as soon as it can run, and as long as nothing is known to keep it from that.
    pub fn is_ready(&self) -> bool {
        self.lock().is_ready
    }

    pub(super) fn set_ready(&self, is_ready: bool) {
        self.lock().is_ready = is_ready;
    }

    /// When each sender of Notion's events was last heard of, if it was.
    pub(super) fn heard(&self) -> BTreeMap<String, Option<Timestamp>> {
        self.lock().heard.clone()
    }

    /// For how long a sender of events has been silent although pages changed, if one has.
    pub fn silent(&self) -> Option<SignedDuration> {
        self.lock().silent
    }

    pub(super) fn set_silent(&self, silent: Option<SignedDuration>) {
        self.lock().silent = silent;
    }

    /// The numbers, and what they are told with: whether a run is under way, whether one waits, when the next is due.
    pub fn numbers<T>(&self, tell: impl FnOnce(&Numbers, [bool; 2], Option<Timestamp>, Timestamp) -> T) -> T {
        let now = (self.clock)();
        let inner = self.lock();
        let busy = [inner.queue.running().is_some(), inner.queue.waiting().is_some()];
        tell(&inner.numbers, busy, inner.next, now)
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut Numbers)) {
        count(&mut self.lock().numbers);
    }

    pub(super) fn set_next(&self, next: Option<Timestamp>) {
        self.lock().next = next;
    }

    /// The run that is to begin now.
    pub(super) fn begin(&self) -> Option<Ticket> {
        let mut inner = self.lock();
        let ticket = inner.queue.begin()?;
        inner.echoes.begins(&ticket.extent);
        Some(ticket)
    }

    /// True where a run waits for its turn.
    pub(super) fn has_waiting(&self) -> bool {
        self.lock().queue.waiting().is_some()
    }

    /// How far the run goes that waits for its turn.
    pub(super) fn waiting(&self) -> Extent {
        self.lock().queue.waiting().map(|ticket| ticket.extent.clone()).unwrap_or_default()
    }

    /// What has asked for it, in words.
    pub(super) fn waiting_for(&self) -> Option<String> {
        self.lock().queue.waiting().map(Ticket::trigger)
    }

    pub(super) fn end(&self, run: RunId, ended: Ended) {
        let mut inner = self.lock();
        inner.queue.end();
        inner.ended.push_front((run, ended));
        inner.ended.truncate(ENDED_MAX);
    }

    /// Until when handshakes are awaited, by name.
    pub(super) fn arm(&self, armed: BTreeMap<String, Timestamp>) {
        self.lock().armed = armed;
    }

    /// Whose token came since this was asked last.
    pub(super) fn take_came(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.lock().came)
    }

    /// The calls that were not yet told.
    pub(super) fn take_calls(&self) -> Vec<What> {
        let calls = std::mem::take(&mut self.lock().calls);
        let called = |(alike, (calls, since))| {
            let Alike { caller, way, answer, page } = alike;
            What::Called { caller, way: way.to_owned(), answer, calls, since, page }
        };
        calls.into_iter().map(called).collect()
    }

    /// Since when a call waits to be told, if one does.
    pub(super) fn oldest_call(&self) -> Option<Timestamp> {
        self.lock().calls.values().map(|(_, since)| *since).min()
    }
}
