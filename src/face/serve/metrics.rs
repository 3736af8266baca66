//! The daemon's numbers in the text format of Prometheus. They name no page, no object and no person.

use jiff::{SignedDuration, Timestamp};

use crate::engine::daemon::{Hub, Numbers};

/// The type of the text (Prometheus docs, exposition formats).
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Days after which what waits is counted as older.
const AGES_DAYS: [i64; 4] = [1, 3, 7, 30];

/// All numbers.
pub(super) fn text(hub: &Hub) -> String {
    hub.numbers(told)
}

fn told(numbers: &Numbers, busy: [bool; 2], next: Option<Timestamp>, now: Timestamp) -> String {
    let mut page = Page::default();
    page.metric("runs_total", "counter", "Runs, by how they ended.");
    for (outcome, count) in &numbers.runs {
        page.line(&[("outcome", outcome)], count);
    }
    page.metric("changes_total", "counter", "Changes, by what they do and what became of them.");
    for ((action, outcome), count) in &numbers.changes {
        page.line(&[("action", action), ("outcome", outcome)], count);
    }
    page.metric("requests_total", "counter", "Requests made, by service.");
    for (service, count) in &numbers.requests {
        page.line(&[("service", &service.to_string().to_lowercase())], count);
    }
    page.metric("throttled_total", "counter", "Requests after which a service asked to wait.");
    for (service, count) in &numbers.throttled {
        page.line(&[("service", &service.to_string().to_lowercase())], count);
    }
    page.metric("calls_total", "counter", "Calls received, by how and what became of them.");
    for ((way, answer), count) in &numbers.called {
        page.line(&[("way", way), ("answer", answer)], count);
    }
    page.metric("secret_age_seconds", "gauge", "How long the token of a service is the same, at least.");
    for (key, since) in &numbers.secrets {
        page.line(&[("secret", key)], now.duration_since(*since).as_secs());
    }
    let older = |days: i64| {
        let is_older = |since: &&Timestamp| now.duration_since(**since) >= SignedDuration::from_hours(24 * days);
        numbers.pending.iter().filter(is_older).count()
    };
    page.metric("pending", "gauge", "Changes that wait.");
    page.line(&[], numbers.pending.len());
    page.metric("pending_older", "gauge", "Changes that have waited for so many days or longer.");
    for days in AGES_DAYS {
        page.line(&[("days", &days.to_string())], older(days));
    }
    page.metric("held", "gauge", "Changes that are held, by why.");
    for (code, count) in &numbers.held {
        page.line(&[("code", code)], count);
    }
    for (name, help, is_so) in
        [("running", "Whether a run is under way.", busy[0]), ("waiting", "Whether a run waits for its turn.", busy[1])]
    {
        page.metric(name, "gauge", help);
        page.line(&[], u8::from(is_so));
    }
    let seconds = [
        (
            "last_success_timestamp_seconds",
            "When a run last ended well.",
            numbers.last_success.map(Timestamp::as_second),
        ),
        ("next_run_timestamp_seconds", "When the next scheduled run is due.", next.map(Timestamp::as_second)),
        (
            "schedule_lag_seconds",
            "How late the last scheduled run was asked for.",
            numbers.lag.map(|lag| lag.as_secs()),
        ),
        (
            "clockify_budget_left",
            "Requests that Clockify takes within the hour.",
            numbers.clockify_left(now).map(i64::from),
        ),
    ];
    for (name, help, value) in seconds {
        if let Some(value) = value {
            page.metric(name, "gauge", help);
            page.line(&[], value);
        }
    }
    page.text
}

/// Lines, each under the last metric.
#[derive(Default)]
struct Page {
    text: String,
    metric: &'static str,
}

impl Page {
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.metric = name;
        self.text.extend(["# HELP punchlist_", name, " ", help, "\n# TYPE punchlist_", name, " ", kind, "\n"]);
    }

    fn line(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.text.extend(["punchlist_", self.metric, &labels, " ", &value.to_string(), "\n"]);
    }
}
