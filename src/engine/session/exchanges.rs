//! Requests that ended, on their way into the journal.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::{
    domain::{
        journal::{Bodies, Event, RunId, What},
        model::Service,
    },
    edge::http::Exchange,
};

/// Requests that ended, with the time. The clients' sinks fill it, the session empties it into the journal.
#[derive(Clone, Default)]
pub(in crate::engine) struct Exchanges(Arc<Mutex<Vec<(Timestamp, Exchange)>>>);

impl Exchanges {
    /// Adds one.
    pub(in crate::engine) fn push(&self, at: Timestamp, exchange: Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((at, exchange));
    }

    pub(in crate::engine) fn take(&self) -> Vec<(Timestamp, Exchange)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Requests as the journal keeps them: each by itself, but for those that only read and went well, of which it keeps
/// how many they were.
pub(in crate::engine) fn exchange_events(run: &RunId, exchanges: Vec<(Timestamp, Exchange)>) -> Vec<Event> {
    let (plain, others): (Vec<_>, Vec<_>) = exchanges.into_iter().partition(|(_, exchange)| is_plain(exchange));
    let sum = |service| {
        let of = || plain.iter().filter(move |(_, exchange)| exchange.service == service);
        // The last of them, so that none of them leaves an hourly budget before its time.
        let at = of().map(|(at, _)| *at).max()?;
        let millis = of().map(|(_, exchange)| exchange.millis).sum();
        Some(Event { run: *run, at, what: What::Exchanges { service, calls: of().count() as u64, millis } })
    };
    let sums = [Service::Notion, Service::Clockify].into_iter().filter_map(sum);
    let single = others.into_iter().map(|(at, exchange)| {
        let Exchange { service, method, path, status, millis, attempt, pause: _, request_id, bodies, .. } = exchange;
        let bodies = bodies.map(|(sent, answered)| Box::new(Bodies { sent, answered }));
        let what = What::Exchange { service, method, path, status, millis, attempt, request_id, bodies };
        Event { run: *run, at, what }
    });
    sums.chain(single).collect()
}

/// True where nothing can be asked later of a request but that it was made.
fn is_plain(exchange: &Exchange) -> bool {
    let Exchange { status, attempt, bodies, only_reads, .. } = exchange;
    *only_reads && *attempt == 1 && bodies.is_none() && matches!(status, Some(200..300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_only_read_are_counted_and_the_others_kept() {
        let exchange = |service, status, only_reads| Exchange {
            service,
            method: "GET".to_owned(),
            path: "/v1/x".to_owned(),
            status: Some(status),
            millis: 20,
            attempt: 1,
            only_reads,
            of_hour: None,
            pause: None,
            request_id: None,
            bodies: None,
        };
        let at = |second| Timestamp::from_second(second).expect("a time");
        let exchanges = vec![
            (at(1), exchange(Service::Notion, 200, true)),
            (at(2), exchange(Service::Clockify, 200, true)),
            (at(3), exchange(Service::Notion, 200, true)),
            (at(4), exchange(Service::Clockify, 200, false)),
            (at(5), exchange(Service::Notion, 404, true)),
        ];
        let run: RunId = "r".parse().expect("a run");

        let events = exchange_events(&run, exchanges);

        let words: Vec<(i64, &str)> = events.iter().map(|event| (event.at.as_second(), event.what.word())).collect();
        assert_eq!(words, [(3, "exchanges"), (2, "exchanges"), (4, "exchange"), (5, "exchange")]);
        let sum = What::Exchanges { service: Service::Notion, calls: 2, millis: 40 };
        assert_eq!(events[0].what, sum);
    }
}
