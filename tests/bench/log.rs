//! How long it takes to find something in the log, beside how long that may take, and how it grows with ten times the
//! entries; and what the index of its words weighs. `cargo bench --bench log`.
//!
//! The logs have 10,000, 100,000 and 1,000,000 entries, or as many as `LOG_ENTRIES` names: `LOG_ENTRIES=10000000`.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it starts the binary, and says what it measured")]

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use punchlist::{
    domain::{
        journal::{Difference, Event, Outcome, Was, What, Write, WriteId},
        model::{Agreed, Along, Base, Field, Kind, Link, ObjectId, PageId, Service, Sight, Value},
        plan::{Action, ChangeId, FieldChange, State},
    },
    edge::store::{Holder, Store},
};
use rusqlite::Connection;
use tempfile::TempDir;

/// Pages that the log is about.
const PAGES: u64 = 20_000;
/// Entries that are appended in one transaction.
const BATCH: usize = 5_000;

fn main() {
    let sizes = std::env::var("LOG_ENTRIES").unwrap_or_else(|_| "10000,100000,1000000".to_owned());
    let mut before: Option<BTreeMap<&str, Duration>> = None;
    for entries in
        sizes.split(',').map(|entries| entries.parse().expect("numbers of entries, with commas between them"))
    {
        let home = TempDir::new().expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let begun = Instant::now();
        runtime.block_on(fill(home.path(), entries));
        weigh(home.path(), entries, begun.elapsed());
        runtime.block_on(mend(home.path(), entries));
        let mut took = BTreeMap::new();
        for (what, words) in [
            ("--grep, a name", ["--grep", "qualified tern 17 of"]),
            ("--grep, an ID", ["--grep", &object(17).to_string()]),
            ("--grep, an ID in one entry of 800", ["--grep", &object(PAGES + 17).to_string()]),
            ("--grep, a rare word", ["--grep", "intimidated"]),
            ("--grep, three letters", ["--grep", "zyx"]),
            ("--grep, what is not there", ["--grep", "no such words"]),
            ("--about, a name", ["--about", "Qualified Tern 17 of the office"]),
            ("--grep, two letters: all is looked through", ["--grep", "qx"]),
        ] {
            let (lines, time) = find(home.path(), &words);
            let grown = before.as_ref().and_then(|before| before.get(what));
            let grown = grown
                .map_or_else(String::new, |before| format!(", x {:.1}", time.as_secs_f64() / before.as_secs_f64()));
            let may_be = if entries == 1_000_000 && !what.contains(" all ") && !what.contains("one entry of") {
                "100 ms"
            } else {
                ""
            };
            let cost = format!("{} ms{grown} ({lines} lines)", time.as_millis());
            println!("{:<58} {cost:<44} {may_be}", format!("{entries} entries, {what}"));
            took.insert(what, time);
        }
        before = Some(took);
    }
}

/// What the index weighs beside the entries.
fn weigh(state: &Path, entries: usize, took: Duration) {
    let connection = Connection::open(state.join("punchlist.sqlite3")).expect("a state");
    let one = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).expect("reads") };
    let bodies = one("SELECT sum(octet_length(body)) FROM event");
    let filters = one("SELECT sum(octet_length(filter)) FROM words");
    let pages = one("PRAGMA page_count") * 4096;
    let of_one = |bytes: i64| bytes as f64 / entries as f64;
    println!(
        "{:<58} {:.0} bytes, beside {:.0} of what it says, {:.0} in the file; {:.1} µs to append",
        format!("{entries} entries, the index of one"),
        of_one(filters),
        of_one(bodies),
        of_one(pages),
        took.as_secs_f64() * 1e6 / entries as f64
    );
}

/// How long it takes to make the index anew.
async fn mend(state: &Path, entries: usize) {
    let mut store = Store::open(&state.into(), Timestamp::UNIX_EPOCH).await.expect("opens");
    let connection = Connection::open(state.join("punchlist.sqlite3")).expect("a state");
    connection.execute("DELETE FROM words", []).expect("deletes");
    let begun = Instant::now();
    assert!(store.mend_words().await.expect("mends"));
    println!("{:<58} {:.1?}", format!("{entries} entries, the index made anew"), begun.elapsed());
}

/// The lines that the binary finds, and the shortest of three times that it took.
fn find(state: &Path, words: &[&str]) -> (usize, Duration) {
    let once = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_punchlist"));
        command.args(["logs", "list", "--state-dir"]).arg(state).args(words).env_clear();
        let begun = Instant::now();
        let output = command.output().expect("the binary runs");
        let took = begun.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8_lossy(&output.stdout).lines().count(), took)
    };
    (0..3).map(|_| once()).min_by_key(|(_, took)| *took).expect("three")
}

/// A number that looks like none of its neighbours.
fn mixed(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

fn page(number: u64) -> PageId {
    PageId::from_number(u128::from(mixed(number)) << 64 | u128::from(mixed(number + PAGES)))
}

fn object(number: u64) -> ObjectId {
    format!("64a9{:020x}", u128::from(mixed(number)) << 16).parse().expect("an ID")
}

/// What a page is called.
fn name(number: u64) -> String {
    const OF: [&str; 8] = ["Quiet", "Rapid", "Sunny", "Tidy", "Upper", "Vivid", "Warm", "Zesty"];
    const WHAT: [&str; 16] = [
        "Website",
        "Support",
        "Audit",
        "Campaign",
        "Design",
        "Editing",
        "Filming",
        "Graphics",
        "Hosting",
        "Invoices",
        "Journal",
        "Kickoff",
        "Launch",
        "Meeting",
        "Newsletter",
        "Offers",
    ];
    let mixed = mixed(number);
    let (of, what) = (OF[(mixed % 8) as usize], WHAT[(mixed / 8 % 16) as usize]);
    if number == 17 {
        "Qualified Tern 17 of the office".to_owned()
    } else {
        format!("{of} {what} {number} für Büro {}", number % 50)
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A state whose log has so many entries: of runs that find nothing, and of one in three that writes two pages.
async fn fill(state: &Path, entries: usize) {
    let mut store = Store::open(&state.into(), Timestamp::UNIX_EPOCH).await.expect("opens");
    store.lock(Holder::here("bench", "log", Timestamp::UNIX_EPOCH)).await.expect("locks");
    let link = |number| {
        let mut base = Base::default();
        base.set(Field::Name, Agreed::Same(text(&name(number))));
        let (page, object) = (page(number), object(number));
        Link {
            page,
            kind: Kind::Task,
            object,
            sight: Sight::Expected,
            base,
            left: vec![],
            along: Along::No,
            unwritten: None,
        }
    };
    store.save_links(Timestamp::UNIX_EPOCH, &(0..PAGES).map(link).collect::<Vec<_>>()).await.expect("saves");
    let (mut batch, mut left) = (Vec::new(), entries);
    for number in 0.. {
        batch.extend(run(number));
        if batch.len() >= BATCH.min(left) {
            batch.truncate(left);
            left -= batch.len();
            store.append_all(&batch).await.expect("appends");
            batch.clear();
        }
        if left == 0 {
            break;
        }
    }
}

/// All that a run logs.
fn run(number: u64) -> Vec<Event> {
    let at = Timestamp::from_second(1_760_000_000 + i64::try_from(number * 300).expect("small")).expect("a time");
    let id = format!("{}-{:04x}", at.strftime("%Y%m%dT%H%M%SZ"), mixed(number) & 0xFFFF).parse().expect("a run");
    let fetched = |service, kind| What::Fetched {
        service,
        kind,
        rows: (mixed(number) % 9) as usize,
        incomplete: None,
        edited: None,
        full_because: None,
    };
    let mut what = vec![
        What::RunStarted {
            trigger: "daemon".into(),
            by: "punchlist".into(),
            account: "punchlist".into(),
            host: "office".into(),
            version: "0.1.0".into(),
            rules: "8f14e45fceea167a".into(),
            config: "c9f0f895fb98ab91".into(),
        },
        fetched(Service::Notion, Kind::Client),
        fetched(Service::Notion, Kind::Project),
        fetched(Service::Notion, Kind::Task),
        What::Exchanges { service: Service::Notion, calls: 3, millis: mixed(number) % 2000 },
        What::Planned {
            plan_hash: format!("{:016x}", mixed(number)).repeat(4),
            changes: 0,
            known: 0,
            complete: true,
            undoes: None,
            workspaces: Box::default(),
            clients: vec![],
        },
    ];
    for write in 0..(if number.is_multiple_of(3) { 2 } else { 0 }) {
        what.extend(rename(number, write));
    }
    what.push(What::RunEnded { outcome: "in_sync".into(), totals: None });
    what.into_iter().map(|what| Event { run: id, at, what }).collect()
}

/// All that is logged of a page's new name.
fn rename(run: u64, write: u32) -> Vec<What> {
    // The page that is looked for is renamed once.
    let of = if run == 3 && write == 1 { 17 } else { 18 + mixed(run * 2 + u64::from(write)) % (PAGES - 18) };
    let (page, object, change) = (page(of), object(of), ChangeId::from_number(mixed(run * 7 + u64::from(write))));
    let (from, to) = (format!("{}, draft", name(of)), name(of));
    let fields = BTreeMap::from([(Field::Name, text(&to))]);
    let before = BTreeMap::from([(Field::Name, text(&from))]);
    let reason = if of == 17 { "somebody was intimidated" } else { "only Notion changed" };
    vec![
        What::Difference(Box::new(Difference {
            change,
            kind: Kind::Task,
            page,
            name: to.as_str().into(),
            path: Vec::new(),
            object: Some(object),
            action: Action::Update,
            side: Service::Clockify,
            fields: vec![FieldChange::new(Field::Name, text(&from), text(&to))],
            confidence: 100,
            reason: reason.into(),
            state: State::Ready,
            hold: None,
        })),
        What::Approved { change, by: "policy".into(), action: None, also: Vec::new() },
        What::Intent {
            write: WriteId(write),
            changes: vec![change],
            request: Write::Update { page, kind: Kind::Task, object, fields },
            was: Box::new(Was { before, name: to.as_str().into() }),
            trace: Box::default(),
        },
        What::Exchange {
            service: Service::Clockify,
            method: "PUT".into(),
            path: format!(
                "/api/v1/workspaces/{}/projects/{}/tasks/{object}",
                self::object(0),
                self::object(PAGES + of % 50)
            ),
            status: Some(200),
            millis: mixed(run) % 900,
            attempt: 1,
            request_id: None,
            bodies: None,
        },
        What::Outcome { write: WriteId(write), outcome: Outcome::Done { object: Some(object) } },
        What::Applied { change },
    ]
}
