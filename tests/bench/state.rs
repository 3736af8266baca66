//! What a state costs, in a directory and on a `PostgreSQL` server of this machine: an intent with its outcome, and the
//! first page of a log with a million entries. `cargo bench --bench state`; it fails where that page takes too long.

#![expect(clippy::print_stdout, reason = "it says what it measured")]

#[cfg(unix)]
#[path = "../it/support/postgres.rs"]
#[allow(
    dead_code,
    clippy::disallowed_methods,
    reason = "some of it is for tests, which may reach for whatever they need"
)]
mod postgres;

use std::{collections::BTreeMap, time::Instant};

use jiff::Timestamp;
use punchlist::{
    domain::{
        journal::{Event, Outcome, Was, What, Write, WriteId},
        model::{Kind, PageId},
    },
    edge::store::{Holder, Place, Store},
};
use tokio::runtime::Runtime;

const INTENTS: u32 = 500;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let home = tempfile::TempDir::new().expect("a directory");
    let directory = Place::from(&home.path().join("state"));
    runtime.block_on(intents("in a directory", &directory));
    #[cfg(unix)]
    on_a_server::measure(&runtime);
}

/// Appends intents and their outcomes, one after the other.
async fn intents(title: &str, place: &Place) {
    let mut store = Store::open(place, Timestamp::UNIX_EPOCH).await.expect("opens");
    store.lock(Holder::here("ana", "bench", Timestamp::UNIX_EPOCH)).await.expect("free");
    let run = "bench".parse().expect("a run");
    let mut took = Vec::new();
    for number in 1..=INTENTS {
        let request = Write::WriteBack {
            page: PageId::from_number(number.into()),
            kind: Kind::Task,
            claim: None,
            fields: BTreeMap::new(),
        };
        let was = Box::new(Was { name: "Design".into(), ..Was::default() });
        let intent = What::Intent { write: WriteId(number), changes: Vec::new(), request, was, trace: Box::default() };
        let outcome = What::Outcome { write: WriteId(number), outcome: Outcome::Done { object: None } };
        let begun = Instant::now();
        for what in [intent, outcome] {
            store.append(&Event { run, at: Timestamp::UNIX_EPOCH, what }).await.expect("appends");
        }
        took.push(begun.elapsed());
    }
    store.release().await.expect("releases");
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    println!("an intent and its outcome {title}: p50 {:.2?}, p99 {:.2?}", at(50), at(99));
}

#[cfg(unix)]
mod on_a_server {
    use std::{
        ops::ControlFlow,
        time::{Duration, Instant},
    };

    use punchlist::edge::store::{Address, Entry, Place, Selection, Store, Toward};
    use tokio::runtime::Runtime;

    use super::postgres;

    const ENTRIES: u64 = 1_000_000;
    /// As many as the console asks for at once.
    const PAGE: usize = 300;
    /// What the first page may take.
    const PAGE_MAX: Duration = Duration::from_millis(200);

    /// The same on a server of its own, and the log there.
    pub(crate) fn measure(runtime: &Runtime) {
        let Some(server) = postgres::Server::start() else { return };
        // As it would be in earnest.
        server.set("fsync = on\nfull_page_writes = on\n");
        server.restart();
        let address = server.address();
        let schema = address.split_once("schema=").expect("it names one").1.to_owned();
        let place = Place::Server(Address::parse(&address.into()).expect("an address"));
        runtime.block_on(super::intents("on a server", &place));
        let many = "INSERT INTO event SELECT n + g, run_id, at_ms + g, kind, level, page_id, clockify_id, change_id, body, hash
            FROM event, generate_series(1, 1000000) g WHERE n = (SELECT max(n) FROM event)";
        server.sql(&format!("SET search_path TO {schema}; {many}; ANALYZE event"));
        runtime.block_on(first_page(&place));
    }

    /// What the console asks for when the log is opened: the last entries, each with what it is about, and the bounds.
    async fn first_page(place: &Place) {
        let mut slowest = Duration::ZERO;
        for _ in 0..5 {
            let begun = Instant::now();
            let store = Store::open_read_only(place).await.expect("opens");
            let mut seen = 0;
            let visit = async |entry: Entry| {
                let event = entry.event().expect("one of ours");
                store.log_context(&event).await.expect("reads");
                seen += 1;
                if seen == PAGE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            store.visit_log(&Selection::default(), Toward::Beginning(u64::MAX), visit).await.expect("reads");
            let (first, last) = store.log_bounds().await.expect("reads").expect("entries");
            assert!(seen == PAGE && last - first >= ENTRIES, "{seen} of {first} to {last}");
            slowest = slowest.max(begun.elapsed());
        }
        println!("the first {PAGE} of {ENTRIES} entries on a server: {slowest:.2?} (at most {PAGE_MAX:.2?})");
        assert!(slowest < PAGE_MAX, "the log takes too long to open");
    }
}
