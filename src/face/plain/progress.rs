//! How reading and applying go on, as lines that are printed once and stay.

use std::{
    collections::{BTreeMap, HashMap},
    io::{Write, stderr, stdout},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::show;
use crate::{
    domain::{
        journal::What,
        model::{Kind, Service},
        plan::ChangeId,
        review::Approved,
    },
    engine::session::{Progress, Watch},
    face::progress::{exchange_line, waited_for},
};

/// How long it may be silent while something goes on.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Parts of an apply that are told of.
const PARTS: usize = 10;

/// Says how a run goes on.
#[derive(Clone)]
pub(super) struct PrintedProgress(Arc<Mutex<Heard>>);

struct Heard {
    quiet: bool,
    verbose: bool,
    last: Instant,
    rows: BTreeMap<(Service, Kind), usize>,
    /// What is being applied, in words.
    names: HashMap<ChangeId, String>,
    approved: usize,
    done: usize,
    failed: usize,
}

impl PrintedProgress {
    pub(super) fn new(quiet: bool, verbose: bool) -> Self {
        Self(Arc::new(Mutex::new(Heard {
            quiet,
            verbose,
            last: Instant::now(),
            rows: BTreeMap::new(),
            names: HashMap::new(),
            approved: 0,
            done: 0,
            failed: 0,
        })))
    }

    /// What a session tells goes here.
    pub(super) fn watch(&self) -> Watch {
        let heard = Arc::clone(&self.0);
        Arc::new(move |told| heard.lock().unwrap_or_else(PoisonError::into_inner).hear(told))
    }

    /// What is about to be applied, so that failures can be told by name.
    pub(super) fn about_to_apply(&self, approved: &Approved) {
        let named = approved.changes().iter().map(|change| (change.id, show::named(change.proposal.action, change)));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).names = named.collect();
    }
}

/// Progress that cannot be told is no reason to stop.
fn say(mut to: impl Write, line: &str) {
    drop(writeln!(to, "{line}").and_then(|()| to.flush()));
}

impl Heard {
    fn hear(&mut self, news: Progress) {
        match news {
            Progress::Reading(service, kind, rows) => {
                self.rows.insert((service, kind), rows);
                if self.last.elapsed() > SILENCE_MAX {
                    self.tell(&format!("reading {service}: {} so far", self.rows_of(service)));
                }
            }
            Progress::Read(service) => {
                self.tell(&format!("read {service}: {}", self.rows_of(service)));
                self.rows.retain(|(known, _), _| *known != service);
            }
            Progress::Queued(queued) => {
                if queued.limit.is_some() && queued.wait >= SILENCE_MAX {
                    let waits = waited_for(queued.service, queued.limit);
                    self.tell(&format!("{waits}, {} s", queued.wait.as_secs()));
                }
            }
            Progress::Exchanged(exchange) => {
                if self.verbose {
                    say(stderr().lock(), &exchange_line(&exchange));
                }
                if let Some(pause) = exchange.pause {
                    self.tell(&format!("{} asked us to wait {} s", exchange.service, pause.as_secs().max(1)));
                }
            }
            Progress::Warned(text) => say(stderr().lock(), &format!("warning: {text}")),
            // Said along with the warning.
            Progress::Awaits(_) => {}
            Progress::Applying(approved) => {
                (self.approved, self.done, self.failed) = (approved, 0, 0);
            }
            Progress::Happened(event) => match event.what {
                What::Applied { .. } => self.done(),
                // Refused as stale before anything begins; the report, made of the fresh plan, no longer knows its
                // name.
                What::NotStarted { change, because } if self.approved == 0 => {
                    say(stdout().lock(), &format!("not going to {}: {because}", self.name(&change)));
                }
                What::Failed { change, error, hint } => {
                    self.failed += 1;
                    let name = self.name(&change);
                    // Failures are said even to those who asked for quiet.
                    say(stdout().lock(), &format!("failed to {name}: {error}\n  hint: {hint}"));
                    self.done();
                }
                _ => {}
            },
        }
    }

    fn name(&self, change: &ChangeId) -> String {
        self.names.get(change).cloned().unwrap_or_else(|| change.to_string())
    }

    fn rows_of(&self, service: Service) -> String {
        let counts = Kind::ALL.into_iter().filter_map(|kind| {
            let rows = *self.rows.get(&(service, kind))?;
            Some(format!("{rows} {}", if rows == 1 { kind.word() } else { kind.plural() }))
        });
        let counts: Vec<String> = counts.collect();
        if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
    }

    /// One change of those being applied is through, well or badly. What was not started is not done, and the report
    /// lists it.
    fn done(&mut self) {
        let part = |done: usize| (done * PARTS).checked_div(self.approved).unwrap_or_default();
        let reached = part(self.done + 1) > part(self.done);
        self.done += 1;
        if reached || self.last.elapsed() > SILENCE_MAX {
            let percent = (self.done * 100).checked_div(self.approved).unwrap_or(100);
            let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
            self.tell(&format!("{} of {} done, {percent} %{failed}", self.done, self.approved));
        }
    }

    fn tell(&mut self, line: &str) {
        self.last = Instant::now();
        if !self.quiet {
            say(stdout().lock(), line);
        }
    }
}
