//! Progress on standard error: one line that is rewritten on a terminal, otherwise a heartbeat.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write, stderr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    domain::{
        journal::What,
        model::{Kind, Service},
    },
    edge::http::{Exchange, Queued},
    engine::session::{Progress, Watch},
};

/// How often somebody who is not a terminal is told that work goes on.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often the line on a terminal is rewritten at the most.
const REDRAW: Duration = Duration::from_millis(50);
/// Cells of the bar.
const BAR: usize = 20;

/// Shows how a run goes on.
#[derive(Clone)]
pub(super) struct ProgressLine(Arc<Mutex<Running>>);

struct Running {
    how: How,
    verbose: bool,
    started: Instant,
    last: Instant,
    rows: BTreeMap<(Service, Kind), usize>,
    read: Vec<Service>,
    /// True while another run holds the lock, so that nothing is read.
    awaits: bool,
    /// What is waited for.
    paused: Option<Queued>,
    approved: Option<usize>,
    applied: usize,
    failed: usize,
    on_screen: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Line,
    Heartbeat,
    Silent,
}

impl ProgressLine {
    /// Progress as standard error can show it; none when asked to be quiet.
    pub(super) fn new(quiet: bool, verbose: bool) -> Self {
        let how = match (quiet, stderr().is_terminal()) {
            (true, _) => How::Silent,
            (false, true) => How::Line,
            (false, false) => How::Heartbeat,
        };
        Self(Arc::new(Mutex::new(Running::new(how, verbose))))
    }

    /// What a session tells goes here.
    pub(super) fn watch(&self) -> Watch {
        let shown = Arc::clone(&self.0);
        Arc::new(move |told| lock(&shown).hear(told))
    }

    /// Keeps the heartbeat going while nothing happens. Needs a running runtime.
    pub(super) fn beat(&self) {
        let shown = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let Some(shown) = shown.upgrade() else { break };
                lock(&shown).show(true);
            }
        });
    }

    /// Clears the line, before anything else is printed.
    pub(super) fn clear(&self) {
        let mut shown = lock(&self.0);
        if std::mem::take(&mut shown.on_screen) {
            print(format_args!("\r\x1b[K"));
        }
        shown.how = How::Silent;
    }
}

fn lock(shown: &Mutex<Running>) -> std::sync::MutexGuard<'_, Running> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request that ended, as one line.
pub(super) fn exchange_line(exchange: &Exchange) -> String {
    let Exchange { service, method, path, status, millis, .. } = exchange;
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{service:<8} {method:<5} {path} {status} {millis} ms")
}

/// What a request waits for: `Notion's 180 a minute`.
pub(super) fn waited_for(service: Service, limit: Option<(usize, &'static str)>) -> String {
    match limit {
        Some((count, unit)) => {
            let article = if unit == "hour" { "an" } else { "a" };
            format!("waiting for {service}'s {count} {article} {unit}")
        }
        None => format!("{service} asked us to wait"),
    }
}

/// Progress that cannot be shown is no reason to stop.
fn print(text: std::fmt::Arguments<'_>) {
    let mut stderr = stderr().lock();
    drop(stderr.write_fmt(text).and_then(|()| stderr.flush()));
}

impl Running {
    fn new(how: How, verbose: bool) -> Self {
        let now = Instant::now();
        Self {
            how,
            verbose,
            started: now,
            last: now,
            rows: BTreeMap::new(),
            read: Vec::new(),
            awaits: false,
            paused: None,
            approved: None,
            applied: 0,
            failed: 0,
            on_screen: false,
        }
    }

    fn hear(&mut self, news: Progress) {
        let mut force = false;
        match news {
            Progress::Reading(service, kind, rows) => {
                self.rows.insert((service, kind), rows);
            }
            Progress::Read(service) => self.read.push(service),
            Progress::Queued(queued) => {
                self.paused = Some(queued);
                force = true;
            }
            Progress::Exchanged(exchange) => {
                self.paused = exchange.pause.map(|wait| Queued { service: exchange.service, wait, limit: None });
                force = self.paused.is_some();
                if self.verbose {
                    let clear = if std::mem::take(&mut self.on_screen) { "\r\x1b[K" } else { "" };
                    print(format_args!("{clear}{}\n", exchange_line(&exchange)));
                }
            }
            Progress::Applying(changes) => self.approved = Some(changes),
            Progress::Warned(text) => {
                let clear = if std::mem::take(&mut self.on_screen) { "\r\x1b[K" } else { "" };
                print(format_args!("{clear}warning: {text}\n"));
            }
            Progress::Awaits(awaits) => {
                self.awaits = awaits;
                // The warning has said it where nothing is rewritten.
                force = self.how == How::Line;
            }
            Progress::Happened(event) => match event.what {
                What::Applied { .. } => self.applied += 1,
                What::Failed { .. } => self.failed += 1,
                _ => return,
            },
        }
        self.show(force);
    }

    fn show(&mut self, force: bool) {
        let now = Instant::now();
        let wait = if self.how == How::Line { REDRAW } else { HEARTBEAT };
        if self.how == How::Silent || (!force && now.duration_since(self.last) < wait) {
            return;
        }
        self.last = now;
        let line = self.line();
        if self.how == How::Line {
            self.on_screen = true;
            print(format_args!("\r\x1b[K{line}"));
        } else {
            print(format_args!("{line} ({} s)\n", self.started.elapsed().as_secs()));
        }
    }

    fn line(&self) -> String {
        if self.awaits {
            return "waiting for another run".to_owned();
        }
        let paused = self.paused.map_or_else(String::new, |Queued { service, limit, wait }| {
            let comma = if limit.is_some() { "," } else { "" };
            format!(" · {}{comma} {} s", waited_for(service, limit), wait.as_secs().max(1))
        });
        if let Some(approved) = self.approved {
            let done = self.applied + self.failed;
            let filled = (done * BAR).checked_div(approved).unwrap_or(BAR).min(BAR);
            let failed = if self.failed > 0 { format!(" · {} failed", self.failed) } else { String::new() };
            return format!(
                "applying {}{} {done}/{approved}{failed}{paused}",
                "█".repeat(filled),
                "░".repeat(BAR - filled)
            );
        }
        let side = |service: Service| {
            let counts: Vec<String> = Kind::ALL
                .into_iter()
                .filter_map(|kind| self.rows.get(&(service, kind)).map(|rows| format!("{rows} {}", kind.plural())))
                .collect();
            let done = if self.read.contains(&service) { " ✓" } else { "" };
            format!("{service} {}{done}", if counts.is_empty() { "…".to_owned() } else { counts.join(", ") })
        };
        format!("reading {} · {}{paused}", side(Service::Notion), side(Service::Clockify))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_another_run_is_waited_for_nothing_is_said_to_be_read() {
        let mut running = Running::new(How::Silent, false);
        let nothing = running.line();
        running.hear(Progress::Awaits(true));
        assert_eq!(running.line(), "waiting for another run");
        running.hear(Progress::Awaits(false));
        assert_eq!(running.line(), nothing);
        running.hear(Progress::Reading(Service::Notion, Kind::Client, 20));
        assert_eq!(running.line(), "reading Notion 20 clients · Clockify …");
    }
}
