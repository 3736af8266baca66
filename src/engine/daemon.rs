//! The daemon: keeps the schedule, takes what callers ask for, and runs one run after the other through
//! [the door](super::run).
//!
//! ```text
//! schedule ─┐
//! callers ──┼─ mark as due ─▸ at most one run waits ─▸ one is under way ─▸ report, numbers, state
//! resume ───┘
//! ```
//!
//! The state keeps when a run was last due and whether one is owed, so that whatever ends the daemon, the next start
//! makes up for what is missing, once.

mod echo;
mod handshake;
mod hub;
mod numbers;
mod promise;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use self::{
    echo::written_since,
    handshake::{Armed, armed},
    promise::PROMISED,
};
use super::{
    ages::since,
    failure::{Code, RunError},
    run::{Installation, Unattended},
    served::{SERVED, Served, ServedRun, WISH, Wish},
    session::{Progress, Watch},
    state::State,
    stop::Stop,
};
use crate::{
    domain::{
        ending::{End, Ending},
        journal::RunId,
        reach::{Extent, Reach},
        report::Report,
        schedule::Due,
        trigger::{Cause, Ticket, is_passing, retry_after},
    },
    edge::{
        secrets::Readings,
        store::{Holder, Presence, RunEnd, Stir},
    },
};

pub use handshake::Arming;
pub use hub::{Ended, Hub, RunStage};
pub use numbers::Numbers;

/// How often the clock and what others have kept in the state are looked at during a run, or while the state cannot be
/// used.
const TICK: Duration = Duration::from_secs(1);
/// How long a run waits for its turn before it is said that it does not get it; then it waits again.
const PATIENCE: Duration = Duration::from_hours(1);
/// How long calls wait to be told where no run follows on them.
const UNTOLD_MAX: SignedDuration = SignedDuration::from_mins(10);
/// How often it is looked whether there is more of the log to pass on, and how soon after that went wrong.
const PASS_ON_EVERY: SignedDuration = SignedDuration::from_secs(5);
const PASS_ON_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// Runs that the state keeps for whoever looks.
const RUNS_KEPT: usize = 20;
/// Runs among which one is looked for by its name.
const RUNS_SEARCHED: usize = 500;
/// What asks for the lock.
const FACE: &str = "serve";

/// The daemon.
pub struct Daemon {
    installation: Installation,
    hub: Arc<Hub>,
    state: State,
    served: Served,
    kept: Served,
    /// How much later than the schedule says each run is due.
    put_off: SignedDuration,
    failures: u32,
    retry_at: Option<Timestamp>,
    failed_at: Timestamp,
    /// How far the runs went that failed, and are tried again.
    retried: Extent,
    /// When to look again whether there is more of the log to pass on, and what went wrong the last time.
    pass_on_at: Option<Timestamp>,
    /// True where there may be more of it.
    has_to_pass_on: bool,
    not_passed_on: Vec<String>,
    /// The entry of the log up to which it is known what was written to the services.
    heard_through: u64,
    /// Why the state could not be used the last time.
    trouble: Option<String>,
    stop: Stop,
    /// Is told a line whenever something has changed.
    told: Box<dyn Fn(&str)>,
    /// What others write to the state.
    stir: Stir,
    /// Shows others that it is there.
    presence: Presence,
}

impl Daemon {
    /// Opens the state, and finds out what an earlier daemon or run has left. `readings` is what was read of the
    /// callers' secrets.
    ///
    /// # Errors
    /// Where the state cannot be used.
    pub async fn new(
        installation: Installation,
        hub: Arc<Hub>,
        put_off: Duration,
        readings: &Readings,
        stop: Stop,
        told: Box<dyn Fn(&str)>,
    ) -> Result<Self, RunError> {
        let mut state = installation.open_state().await?;
        let now = (installation.clock)();
        let presence = Presence::begin(&installation.place(), &Holder::here(&installation.by, FACE, now)).await?;
        let stir = Stir::listen(&installation.place()).await;
        installation.log_readings(&mut state.0, FACE, readings).await?;
        let kept: Served = state.recall(SERVED).await?.unwrap_or_default();
        let promised: Extent = state.recall(PROMISED).await?.unwrap_or_default();
        let owed = kept.owed.clone().join(&promised);
        let served = Served { last_due: kept.last_due.or(Some(now)), owed, running: None, ..kept.clone() };
        let put_off = SignedDuration::try_from(put_off).unwrap_or_default();
        hub.count(|numbers| {
            numbers.clockify_per_hour = installation.settings.clockify.requests_per_hour.map(std::num::NonZeroU32::get);
        });
        let daemon = Self {
            installation,
            hub,
            state,
            served,
            kept,
            put_off,
            failures: 0,
            retry_at: None,
            failed_at: now,
            retried: Extent::default(),
            pass_on_at: None,
            has_to_pass_on: false,
            not_passed_on: Vec::new(),
            heard_through: 0,
            trouble: None,
            stop,
            told,
            stir,
            presence,
        };
        daemon.look_at_state().await?;
        daemon.hub.promised().await.extent = promised;
        daemon.hub.count(|numbers| numbers.last_success = daemon.served.last_success);
        if !daemon.served.owed.is_nothing() {
            daemon.hub.ask(Cause::Resume, &daemon.served.owed);
        } else if is_unfinished(&daemon.state).await? {
            daemon.hub.ask(Cause::Resume, &daemon.extent());
        }
        Ok(daemon)
    }

    /// Counts what waits, and takes up how old secrets are.
    async fn look_at_state(&self) -> Result<(), RunError> {
        let (rows, secrets) = (self.state.pending().await?, since(&self.state).await?);
        self.hub.count(|numbers| {
            numbers.waits(&rows);
            numbers.secrets = secrets;
        });
        Ok(())
    }

    /// How far a run goes that nobody has asked for.
    fn extent(&self) -> Extent {
        self.installation.settings.schedule.mode.into()
    }

    /// Runs whatever is due until somebody asks to stop.
    ///
    /// # Errors
    /// Where the state could not be used at the end.
    pub async fn serve(mut self) -> Result<(), RunError> {
        self.hub.set_ready(true);
        loop {
            self.check_clock(&Extent::default()).await;
            if self.stop.asked() {
                break;
            }
            if let Some(ticket) = self.hub.begin() {
                self.run(ticket).await;
                continue;
            }
            tokio::select! {
                () = self.stop.wait() => {}
                () = self.hub.asked.notified() => {}
                () = self.stir.wait() => {}
                () = tokio::time::sleep(self.quiet_for()) => {}
            }
        }
        self.tell_calls().await?;
        self.pass_on_at = None;
        self.pass_on_log((self.installation.clock)()).await?;
        Ok(self.presence.end().await?)
    }

    /// How long there is nothing to do unless somebody wants something.
    fn quiet_for(&self) -> Duration {
        if self.trouble.is_some() {
            return TICK;
        }
        let passed_on = self.pass_on_at.filter(|_| self.has_to_pass_on);
        let told = self.hub.oldest_call().and_then(|since| since.checked_add(UNTOLD_MAX).ok());
        let times = [self.served.next, self.retry_at, self.hub.echo_due(), passed_on, told];
        until_first(times, (self.installation.clock)(), self.stir.look_within())
    }

    /// Looks at the clock and the state.
    async fn check_clock(&mut self, running: &Extent) {
        let ticked = self.tick(running).await;
        self.bear(ticked).await;
    }

    /// Lives on where the state cannot be used, e.g. since the disk is full or it was set aside: that is said, and it is
    /// opened again.
    async fn bear(&mut self, done: Result<(), RunError>) {
        match done {
            Ok(()) if self.trouble.take().is_some() => {
                (self.told)("the state can be used again");
                self.hub.set_ready(true);
            }
            Ok(()) => {}
            Err(failure) => {
                self.hub.set_ready(false);
                let text = failure.text();
                if self.trouble.as_ref() != Some(&text) {
                    (self.told)(&text);
                    self.trouble = Some(text);
                }
                if let Ok(state) = self.installation.open_state().await {
                    (self.state, self.kept) = (state, Served::default());
                    self.stir = Stir::listen(&self.installation.place()).await;
                }
            }
        }
    }

    /// Looks at the clock and the state, marks what is due, and keeps what has changed.
    async fn tick(&mut self, running: &Extent) -> Result<(), RunError> {
        let now = (self.installation.clock)();
        if self.presence.is_lost() {
            let holder = Holder::here(&self.installation.by, FACE, now);
            self.presence = Presence::begin(&self.installation.place(), &holder).await?;
        }
        let schedule = &self.installation.settings.schedule.schedule;
        let shifted = now.checked_sub(self.put_off).unwrap_or(now);
        let last = schedule.since(shifted, self.served.last_due.unwrap_or(shifted));
        self.served.last_due = Some(last);
        let due = schedule.due(shifted, last);
        if let Due::Since(since) = due {
            self.hub.count(|numbers| numbers.lag = Some(shifted.duration_since(since)));
            self.served.last_due = Some(shifted);
            self.hub.ask(Cause::Schedule, &self.extent());
        }
        let next = match due {
            Due::At(next) => Some(next),
            Due::Since(_) => schedule.next_after(shifted),
            Due::Never => None,
        };
        let next = next.and_then(|next| next.checked_add(self.put_off).ok());
        if next != self.served.next {
            self.hub.set_next(next);
            self.served.next = next;
        }
        let written = written_since(&self.state, self.heard_through, now).await;
        self.hub.sort(written.as_ref().map_or(&[], |(written, _)| written));
        (_, self.heard_through) = written?;
        self.hub.ask_for_echo();
        // A clock that was set back puts nothing off.
        if self.retry_at.is_some_and(|at| at <= now || now < self.failed_at) {
            self.retry_at = None;
            self.hub.ask(Cause::Retry, &self.retried);
        }
        self.shake_hands(now).await?;
        let wish: Option<Wish> = self.state.recall(WISH).await?;
        if let Some(wish) = &wish {
            self.hub.ask(Cause::Person(wish.by.clone()), &self.extent());
        }
        self.served.waiting = self.hub.waiting_for();
        self.served.retry = self.retry_at;
        self.served.listen(&self.hub.heard(), false, now);
        self.hub.set_silent(self.served.silent(now).map(|(_, since)| since).max());
        self.keep(running).await?;
        if wish.is_some() {
            self.state.0.forget(WISH).await?;
        }
        if !running.is_nothing() || self.hub.has_waiting() {
            return Ok(());
        }
        if self.hub.oldest_call().is_some_and(|since| now.duration_since(since) >= UNTOLD_MAX) {
            self.tell_calls().await?;
        }
        self.pass_on_log(now).await
    }

    /// Notes whose token has come, and looks whose is awaited.
    async fn shake_hands(&mut self, now: Timestamp) -> Result<(), RunError> {
        for name in self.hub.take_came() {
            self.state.0.remember(&armed(&name), &Armed { until: now, has_come: true }).await?;
            (self.told)(&format!("the token of {name} has come; `punchlist serve --arm {name}` shows it once"));
        }
        let mut awaited = BTreeMap::new();
        for name in self.installation.settings.webhook.callers.keys() {
            if let Some(Armed { until, has_come: false }) = self.state.recall(&armed(name)).await? {
                awaited.insert(name.clone(), until);
            }
        }
        self.hub.arm(awaited);
        Ok(())
    }

    /// Keeps how the daemon is. A run that goes that far is owed besides what is asked for.
    async fn keep(&mut self, besides: &Extent) -> Result<(), RunError> {
        let hub = Arc::clone(&self.hub);
        let mut promised = hub.promised().await;
        self.served.owed = self.owed(besides);
        if self.served != self.kept {
            self.state.0.remember(SERVED, &self.served).await?;
            self.kept = self.served.clone();
        }
        if !promised.extent.is_nothing() {
            self.state.0.forget(PROMISED).await?;
            promised.extent = Extent::default();
        }
        Ok(())
    }

    /// Passes on what other programs have logged since; what goes wrong is said once, and tried again in a while.
    async fn pass_on_log(&mut self, now: Timestamp) -> Result<(), RunError> {
        if self.installation.settings.logs.stream.is_empty() {
            return Ok(());
        }
        self.has_to_pass_on = true;
        if self.pass_on_at.is_some_and(|at| now < at && at.duration_since(now) <= PASS_ON_AGAIN) {
            return Ok(());
        }
        let failures = self.installation.pass_on_log(&mut self.state.0).await?;
        self.has_to_pass_on = !failures.is_empty();
        let wait = if failures.is_empty() { PASS_ON_EVERY } else { PASS_ON_AGAIN };
        self.pass_on_at = now.checked_add(wait).ok();
        if failures != self.not_passed_on {
            for failure in &failures {
                (self.told)(failure);
            }
            self.not_passed_on = failures;
        }
        Ok(())
    }

    async fn tell_calls(&mut self) -> Result<(), RunError> {
        let calls = self.hub.take_calls();
        if calls.is_empty() {
            return Ok(());
        }
        self.installation.log_by_itself(&mut self.state.0, FACE, calls, "told", &[]).await
    }

    /// One run, while the clock and the callers go on.
    async fn run(&mut self, ticket: Ticket) {
        let trigger = ticket.trigger();
        (self.told)(&format!("run {} begins: {trigger}", ticket.run));
        let job = Unattended {
            face: FACE,
            trigger: trigger.clone(),
            run: Some(ticket.run),
            applied: ticket.extent.applied.clone(),
            before: self.hub.take_calls(),
        };
        // Whatever ends the daemon from here on, the run is made up for as far as it was meant to go.
        (self.served.running, self.served.waiting) = (Some(trigger.clone()), self.hub.waiting_for());
        let kept = self.keep(&ticket.extent).await;
        self.bear(kept).await;
        let installation = Installation { reach: ticket.extent.planned.clone(), ..self.installation.clone() };
        let (stop, watch) = (self.stop.clone(), self.watch());
        let mut running =
            std::pin::pin!(installation.run_unattended(job, PATIENCE, stop, watch, std::time::Instant::now()));
        let ended = loop {
            tokio::select! {
                ended = &mut running => break ended,
                () = tokio::time::sleep(TICK) => self.check_clock(&ticket.extent).await,
            }
        };
        let kept = self.ended(&ticket, &trigger, &ended).await;
        self.bear(kept).await;
        let (report, error) = match ended {
            Ok(report) => (Some(report), None),
            Err(failure) => (None, Some(failure.text().into())),
        };
        self.hub.end(ticket.run, Ended { report, error });
    }

    /// How far the runs go that are still to be made, besides what is under way.
    fn owed(&self, besides: &Extent) -> Extent {
        let retried = if self.retry_at.is_some() { self.retried.clone() } else { Extent::default() };
        retried.join(besides).join(&self.hub.waiting()).join(&self.hub.echo())
    }

    /// Counts what a run tells, and passes on what it warns of.
    fn watch(&self) -> Watch {
        let (hub, clock) = (Arc::clone(&self.hub), self.installation.clock);
        Arc::new(move |told| {
            if let Progress::Warned(text) = &told {
                tracing::warn!(text = text.as_str(), "warned");
            }
            hub.hear(&told, clock());
        })
    }

    /// What follows from how a run ended.
    async fn ended(
        &mut self,
        ticket: &Ticket,
        trigger: &str,
        ended: &Result<Report, RunError>,
    ) -> Result<(), RunError> {
        let now = (self.installation.clock)();
        let (outcome, is_passing, not_before) = match ended {
            Ok(report) => (End::Reported(report.outcome), is_passing(report.outcome), report.not_before),
            Err(failure) => {
                // A disk that is full may have room again.
                let is_passing = matches!(failure.code, Code::Error | Code::OutOfBudget | Code::StateUnusable);
                (End::Without(failure.error.clone()), is_passing, None)
            }
        };
        let is_locked = ended.as_ref().is_err_and(|failure| failure.code == Code::Locked);
        let is_stopped = self.stop.asked() && (is_passing || ended.is_err());
        let owed = if is_stopped { ticket.extent.clone() } else { Extent::default() };
        if is_locked && !self.stop.asked() {
            self.hub.ask(Cause::Retry, &ticket.extent);
        } else if is_passing {
            self.failures += 1;
            self.failed_at = now;
            self.retried = std::mem::take(&mut self.retried).join(&ticket.extent);
            let wait = SignedDuration::try_from(retry_after(self.failures)).unwrap_or_default();
            self.retry_at = now.checked_add(wait).ok().max(not_before);
        } else if ticket.extent.covers(&self.retried) {
            // What failed before has been made up for, unless this was for others.
            (self.failures, self.retry_at, self.retried) = (0, None, Extent::default());
        }
        let label = ended.as_ref().map_or_else(|_| "error".to_owned(), |report| word(report.outcome));
        let mut has_found = false;
        self.hub.count(|numbers| {
            *numbers.runs.entry(label).or_default() += 1;
            let is_of_everything = ticket.extent.planned == Reach::Everybody;
            if is_of_everything && ended.as_ref().is_ok_and(|report| !is_failure(report.outcome)) {
                numbers.last_success = Some(now);
            }
            self.served.last_success = numbers.last_success;
            has_found = numbers.has_found;
        });
        self.served.listen(&self.hub.heard(), has_found, now);
        let cannot_run =
            |failure: &RunError| matches!(failure.code, Code::Refused | Code::StateUnusable | Code::Configuration);
        self.hub.set_ready(!ended.as_ref().is_err_and(cannot_run));
        let words = match &outcome {
            End::Reported(ending) => ending.words(),
            End::Without(error) => error,
        };
        (self.told)(&format!("run {} ended: {words}", ticket.run));
        let run = ServedRun { run: ticket.run.to_string(), trigger: trigger.to_owned(), at: now, outcome };
        self.served.runs.insert(0, run);
        self.served.runs.truncate(RUNS_KEPT);
        (self.served.running, self.served.retry) = (None, self.retry_at);
        self.keep(&owed).await?;
        self.look_at_state().await
    }
}

impl Installation {
    /// What became of a run of before, as a state knows it.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub async fn progress_of(&self, state: &State, run: RunId) -> Result<Option<RunStage>, RunError> {
        let known = state.runs(RUNS_SEARCHED).await?.into_iter().find(|known| known.id == run);
        Ok(known.map(|known| match known.end {
            None => {
                let error = "it was cut off, or is another program's; the next run takes up what is left";
                RunStage::Ended(Box::new(Ended { report: None, error: Some(error.into()) }))
            }
            Some(RunEnd { outcome: End::Without(error), report: None, .. }) => {
                RunStage::Ended(Box::new(Ended { report: None, error: Some(error) }))
            }
            Some(RunEnd { report, .. }) => RunStage::Ended(Box::new(Ended { report, error: None })),
        }))
    }
}

/// How long it is until the first of the times, which may be past; no longer than `at_most`.
fn until_first(times: impl IntoIterator<Item = Option<Timestamp>>, now: Timestamp, at_most: Duration) -> Duration {
    let first = times.into_iter().flatten().min();
    // What is past by then is nothing to wait for.
    first.map_or(at_most, |first| Duration::try_from(first.duration_since(now)).unwrap_or_default().min(at_most))
}

fn word(ending: Ending) -> String {
    serde_json::to_value(ending).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// True where a run did not do what it was there for.
fn is_failure(ending: Ending) -> bool {
    is_passing(ending) || matches!(ending, Ending::Unknown | Ending::Failed | Ending::Refused)
}

/// True where an earlier run has left something half done: a write without an outcome, or itself without an end.
async fn is_unfinished(state: &State) -> Result<bool, RunError> {
    if !state.open_writes().await?.is_empty() {
        return Ok(true);
    }
    let runs = state.runs(RUNS_KEPT).await?;
    // The last one that came to an end with a report has taken up whatever was left before it.
    let last = runs.iter().find(|run| run.end.as_ref().is_none_or(|end| matches!(end.outcome, End::Reported(_))));
    Ok(last.is_some_and(|run| match &run.end {
        None => true,
        Some(end) => end.outcome == End::Reported(Ending::Interrupted),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_quiet_until_the_first_thing_to_do_and_looks_up_now_and_then() {
        let at = |second| Some(Timestamp::from_second(second).expect("a time"));
        let now = at(1000).expect("a time");
        let quiet =
            |times: &[Option<Timestamp>]| until_first(times.iter().copied(), now, Duration::from_mins(1)).as_secs();
        assert_eq!([quiet(&[]), quiet(&[None, at(1100)]), quiet(&[at(1020), None, at(1007)])], [60, 60, 7]);
        assert_eq!([quiet(&[at(1000)]), quiet(&[at(10), at(1020)])], [0, 0], "what is past is done at once");
    }
}
