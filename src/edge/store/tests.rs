/// Tests of what a state does, wherever it is: each in a directory and on a server.
macro_rules! wherever {
    ($($name:ident),+ $(,)?) => {
        mod in_a_directory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::world()).await;
            })+
        }

        #[cfg(all(unix, feature = "postgres"))]
        mod on_a_server {
            $(#[tokio::test]
            async fn $name() {
                if let Some(world) = super::world_on_server() {
                    super::$name(world).await;
                }
            })+
        }
    };
}

#[cfg(all(unix, feature = "postgres"))]
mod actors;
mod damage;
#[cfg(all(unix, feature = "postgres"))]
mod lease;
mod log;
mod migrations;
mod pages;
#[cfg(all(unix, feature = "postgres"))]
#[path = "../../../tests/it/support/postgres.rs"]
#[allow(dead_code, reason = "some of it is for the tests of the whole program")]
mod server;
mod together;
mod words;

use std::{collections::BTreeMap, fs};

use super::{database::Row, *};
use crate::domain::{
    audit::{Checkpoint, Finding},
    journal::{Born, Event, Outcome, RunId, Trace, Was, What, Write, WriteId},
    model::{Agreed, Along, Away, Base, Field, Kind, Link, ObjectId, PageId, Sight, Value},
    pending::Waits,
    plan::{ChangeId, document::ChangeDocument},
    report::tests::report_with,
    review::{Decision, Remembered, Resolution, Said, SaidUpon},
    text::Raw,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// A place for a store; the store is opened by each test.
struct World {
    _root: tempfile::TempDir,
    directory: PathBuf,
    place: Place,
}

fn world() -> World {
    let root = tempfile::tempdir().expect("a directory");
    // On macOS temporary files are behind a link.
    let directory = files::real_path(root.path()).expect("it is there").join("state");
    World { place: (&directory).into(), directory, _root: root }
}

#[cfg(all(unix, feature = "postgres"))]
fn world_on_server() -> Option<World> {
    let address = Address::parse(&server::server()?.address().into()).expect("an address");
    Some(World { place: Place::Server(address), ..world() })
}

impl World {
    async fn open(&self) -> Store {
        self.try_open().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Opens the state and takes the lock.
    async fn try_open(&self) -> Result<Store, StoreError> {
        let mut store = Store::open(&self.place(), at(0)).await?;
        // A lease outlives its holder for a while, and a lock does not.
        #[cfg(feature = "postgres")]
        if let Some(left) = store.leased().await? {
            store.break_off(left.epoch).await?;
        }
        store.lock(Holder::here("ana", "review", at(0))).await?;
        Ok(store)
    }

    fn place(&self) -> Place {
        self.place.clone()
    }

    fn file(&self) -> PathBuf {
        self.directory.join(open::FILE)
    }

    /// Checks that the state is refused for this reason, both ways, and that no byte of it changes by that.
    async fn check_refused(&self, expected: &str) {
        let before = fs::read(self.file()).ok();
        let looked = Store::open_read_only(&self.place()).await;
        // Whoever only looks does not read all of the file first.
        let looked = Some(looked).filter(|looked| looked.is_err() || expected != "it is damaged");
        for opened in [Some(Store::open(&self.place(), at(0)).await), looked].into_iter().flatten() {
            match opened.err() {
                Some(StoreError::Unusable { because, hint, .. }) => {
                    assert!(because.contains(expected), "{because}");
                    assert!(!hint.is_empty());
                }
                Some(error) => panic!("{error}"),
                None => panic!("it was opened, and should be refused: {expected}"),
            }
        }
        assert!(fs::read(self.file()).ok() == before, "the file was touched");
    }
}

impl Store {
    /// The database itself, to do to it what this program never does.
    fn connection(&self) -> &Connection {
        let Database::Sqlite(connection) = &self.database else { panic!("it is on a server") };
        connection
    }

    /// Does something to the database, wherever it is, that this program never does.
    async fn tamper(&self, sql: &str) -> Result<u64, StoreError> {
        self.database.execute(sql, &[]).await.map_err(|fault| fault.explained(&self.place))
    }

    /// Takes away what keeps the journal from being changed.
    async fn let_events_be_changed(&self) {
        let on = if matches!(self.place, Place::Directory(_)) { "" } else { "ON event" };
        self.tamper(&format!("DROP TRIGGER event_is_never_changed {on}")).await.expect("drops");
    }
}

fn page(number: u128) -> PageId {
    PageId::from_number(number)
}

fn object(number: u32) -> ObjectId {
    format!("64a9e1{number:018x}").parse().expect("an id")
}

fn link(number: u32) -> Link {
    let mut base = Base::default();
    base.set(Field::Name, Agreed::Same(Value::Text(Raw::new(format!("Project № {number} \u{202e} e\u{301}\0")))));
    base.set(Field::Parent, Agreed::Same(Value::Object(object(number + 1))));
    base.set(Field::State, Agreed::apart(Value::Closed(true), Value::Closed(false)));
    Link {
        page: page(number.into()),
        kind: Kind::Project,
        object: object(number),
        sight: Sight::Expected,
        base,
        left: vec![object(number + 2)],
        along: Along::Closed,
        unwritten: (number % 2 == 1).then(|| Value::Object(object(number + 3)).into()),
    }
}

fn event(run: &str, what: What) -> Event {
    Event { run: run.parse().expect("a run"), at: at(7), what }
}

/// What somebody outside notes of the log as it is.
async fn checkpoint(store: &Store) -> Checkpoint {
    let (n, head) = store.log_head().await.expect("reads");
    Checkpoint { n, head, at: at(8), key: String::new(), signature: String::new() }
}

fn intent(run: &str, number: u32) -> Event {
    let request = Write::WriteBack {
        page: page(number.into()),
        kind: Kind::Task,
        claim: Some(Some(object(number))),
        fields: BTreeMap::new(),
    };
    let trace = Box::new(Trace { siblings: vec![object(9)], born: Some(Born::of(at(9))), ..Trace::default() });
    event(
        run,
        What::Intent {
            write: WriteId(number),
            changes: vec![ChangeId::from_number(0xc)],
            request,
            was: Box::new(Was { name: "Acme".into(), ..Was::default() }),
            trace,
        },
    )
}

fn outcome(run: &str, number: u32, outcome: Outcome) -> Event {
    event(run, What::Outcome { write: WriteId(number), outcome })
}

/// The links that have ended, by their tombstones.
async fn ended(store: &Store) -> Vec<(String, String)> {
    let sql = "SELECT page_id, clockify_id FROM tombstone ORDER BY n";
    let ended = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
    store.database.all(sql, &[], ended).await.expect("reads")
}

fn run_record(id: &str, second: i64) -> RunRecord {
    RunRecord {
        id: id.parse().expect("a run"),
        trigger: "plan".into(),
        by: "anna".into(),
        version: "0.1.0".into(),
        rules_hash: "r".into(),
        plan_hash: None,
        started: at(second),
        end: None,
    }
}

wherever! {
    links_survive_and_end_with_a_tombstone,
    an_object_has_one_page_even_when_two_trade_places,
    ten_thousand_links_make_the_round_trip,
    what_is_remembered_is_recalled_until_it_is_forgotten,
    what_a_crash_left_open_is_found_again,
    creates_that_were_looked_for_in_vain_are_remembered_until_the_page_has_an_object,
    what_cannot_follow_is_not_appended_nor_what_comes_with_it,
    an_event_is_found_by_what_it_is_about,
    the_journal_only_grows_and_tells_when_it_was_changed_all_the_same,
    runs_are_listed_from_the_last_and_show_what_a_crash_left,
    what_waits_keeps_its_time_and_goes_when_it_is_no_longer_true,
    verdicts_are_kept_until_they_say_nothing,
    a_verdict_ends_with_its_entry_in_the_log_and_an_undo_has_its_own,
    one_process_writes_and_others_may_look,
    nothing_is_written_to_a_service_without_the_lock_and_others_are_noticed,
}

async fn links_survive_and_end_with_a_tombstone(world: World) {
    let mut store = world.open().await;
    let lost = Link { sight: Sight::Away(Away::Lost, at(5)), ..link(2) };
    store.save_links(at(1), &[link(1), lost.clone(), link(3)]).await.expect("saves");
    let moved = Link { object: object(30), ..link(3) };
    store.save_links(at(2), std::slice::from_ref(&moved)).await.expect("saves");
    drop(store);

    let store = world.open().await;

    let registry = store.registry().await.expect("reads");
    assert_eq!(registry.iter().cloned().collect::<Vec<_>>(), [link(1), lost, moved]);
    assert_eq!(ended(&store).await, [(page(3).to_string(), object(3).to_string())]);
}

async fn an_object_has_one_page_even_when_two_trade_places(world: World) {
    let mut store = world.open().await;
    store.save_links(at(1), &[link(1), link(2)]).await.expect("saves");

    let traded = [Link { object: object(2), ..link(1) }, Link { object: object(1), ..link(2) }];
    store.save_links(at(2), &traded).await.expect("saves");

    assert_eq!(store.registry().await.expect("reads"), traded.into_iter().collect());
    let mut ended = ended(&store).await;
    ended.sort();
    assert_eq!(ended, [1, 2].map(|number| (page(number.into()).to_string(), object(number).to_string())));
}

async fn ten_thousand_links_make_the_round_trip(world: World) {
    let links: Vec<Link> = (0..10_000).map(link).collect();
    world.open().await.save_links(at(1), &links).await.expect("saves");
    world.open().await.save_links(at(2), &links).await.expect("saves again");

    let registry = world.open().await.registry().await.expect("reads");

    assert!(registry.iter().eq(&links));
    assert_eq!(ended(&world.open().await).await, []);
}

async fn what_is_remembered_is_recalled_until_it_is_forgotten(world: World) {
    let mut store = world.open().await;
    store.remember("identity", &(1, "Anna's workspace")).await.expect("remembers");
    store.remember("identity", &(2, "Ben's workspace")).await.expect("remembers");
    assert_eq!(store.recall("identity").await.expect("recalls"), Some((2, "Ben's workspace".to_owned())));
    assert!(matches!(store.recall::<bool>("identity").await, Err(StoreError::Unusable { .. })));
    store.forget("identity").await.expect("forgets");
    assert_eq!(store.recall::<(u8, String)>("identity").await.expect("recalls"), None);
}

async fn what_a_crash_left_open_is_found_again(world: World) {
    let done = Outcome::Done { object: Some(object(1)) };
    let unknown = Outcome::Unknown { error: "timeout".into() };
    let mut store = world.open().await;
    store.append_all(&[intent("a", 1), outcome("a", 1, done.clone())]).await.expect("appends");
    store.append_all(&[intent("b", 1), intent("b", 2), intent("b", 3)]).await.expect("appends");
    store.append_all(&[outcome("b", 1, done.clone()), outcome("b", 2, unknown)]).await.expect("appends");
    drop(store);

    let mut store = world.open().await;

    let open = store.open_writes().await.expect("reads");
    assert_eq!(open.iter().map(|open| (open.run.as_str(), open.write.0)).collect::<Vec<_>>(), [("b", 2), ("b", 3)]);
    assert_eq!(open[0].trace, Trace { siblings: vec![object(9)], born: Some(Born::of(at(9))), ..Trace::default() });
    store.append_all(&[outcome("b", 2, Outcome::Absent), outcome("b", 3, done)]).await.expect("settles");
    assert_eq!(store.open_writes().await.expect("reads"), []);
    assert_eq!(store.events(&"a".parse().expect("a run")).await.expect("reads").len(), 2);
    assert_eq!(store.events(&"b".parse().expect("a run")).await.expect("reads")[0], intent("b", 1));
}

async fn creates_that_were_looked_for_in_vain_are_remembered_until_the_page_has_an_object(world: World) {
    let mut store = world.open().await;
    let create = |run: &str, number: u32, second: i64| {
        let (page, name) = (page(number.into()), "Acme".into());
        let request = Write::Create {
            page,
            kind: Kind::Client,
            parent: None,
            name,
            marked: true,
            like: None,
            fields: BTreeMap::new(),
        };
        let trace = Box::new(Trace {
            siblings: vec![object(8), object(9)],
            born: Some(Born::of(at(second))),
            ..Trace::default()
        });
        event(
            run,
            What::Intent {
                write: WriteId(number),
                changes: vec![],
                request,
                was: Box::new(Was { name: "Acme".into(), ..Was::default() }),
                trace,
            },
        )
    };
    let absent = |run: &str, number| outcome(run, number, Outcome::Absent);
    let done = outcome("a", 3, Outcome::Done { object: Some(object(3)) });
    store
        .append_all(&[
            create("a", 1, 60),
            absent("a", 1),
            create("a", 2, 60),
            create("a", 3, 60),
            done,
            intent("a", 4),
            absent("a", 4),
        ])
        .await
        .expect("appends");
    store.append_all(&[create("b", 1, 600), absent("b", 1)]).await.expect("appends");

    let born = Born::of(at(600)).since(Born::of(at(60)));
    let trace = Trace { siblings: vec![object(8), object(9)], born: Some(born), ..Trace::default() };
    assert_eq!(
        store.unlinked_creates().await.expect("reads"),
        [(page(1), trace)].into(),
        "not what is open, done, or no create"
    );

    store.save_links(at(700), &[link(1)]).await.expect("saves");
    assert_eq!(store.unlinked_creates().await.expect("reads"), BTreeMap::new());
}

async fn what_cannot_follow_is_not_appended_nor_what_comes_with_it(world: World) {
    let mut store = world.open().await;
    let done = || Outcome::Done { object: None };
    store.append_all(&[intent("a", 1), outcome("a", 1, done())]).await.expect("appends");

    for wrong in [outcome("a", 1, done()), outcome("a", 2, done()), intent("a", 1)] {
        let error = store.append_all(&[intent("a", 5), wrong]).await.expect_err("illegal");
        assert!(error.to_string().contains("holds what punchlist does not write"), "{error}");
    }

    assert_eq!(store.events(&"a".parse().expect("a run")).await.expect("reads").len(), 2);
    assert_eq!(store.open_writes().await.expect("reads"), []);
}

async fn an_event_is_found_by_what_it_is_about(world: World) {
    type Columns = (String, Option<String>, Option<String>, Option<String>);

    let mut store = world.open().await;
    store
        .append_all(&[intent("a", 4), outcome("a", 4, Outcome::Done { object: Some(object(4)) })])
        .await
        .expect("appends");

    let sql = "SELECT kind, page_id, clockify_id, change_id FROM event ORDER BY n";
    let columns = |row: &Row<'_>| {
        let column = |column| Ok::<_, Fault>(row.text_if_any(column)?.map(str::to_owned));
        Ok((row.text(0)?.to_owned(), column(1)?, column(2)?, column(3)?))
    };
    let rows: Vec<Columns> = store.database.all(sql, &[], columns).await.expect("reads");

    let (page, object) = (Some(page(4).to_string()), Some(object(4).to_string()));
    let change = Some("000000000000000c".into());
    assert_eq!(rows, [("intent".into(), page.clone(), None, change), ("outcome".into(), page, object, None)]);
}

async fn the_journal_only_grows_and_tells_when_it_was_changed_all_the_same(world: World) {
    let mut store = world.open().await;
    store.append_all(&[intent("a", 1), intent("a", 2), intent("a", 3)]).await.expect("appends");
    let again = match world.place {
        Place::Directory(_) => "INSERT OR REPLACE INTO event SELECT * FROM event",
        #[cfg(feature = "postgres")]
        Place::Server(_) => "TRUNCATE event",
    };
    for sql in ["UPDATE event SET run_id = 'x'", "DELETE FROM event", again] {
        let error = store.tamper(sql).await.expect_err(sql).to_string();
        assert!(error.contains("the journal only grows"), "{error}");
    }
    let checkpoint = checkpoint(&store).await;
    let verdict = store.verify(std::slice::from_ref(&checkpoint)).await.expect("reads");
    assert_eq!((verdict.entries, verdict.findings, verdict.vouched), (3, vec![], 3));

    store.let_events_be_changed().await;
    store.tamper("UPDATE event SET body = replace(body, 'task', 'client') WHERE n = 2").await.expect("changes");

    assert_eq!(store.verify(&[checkpoint]).await.expect("reads").findings[0], Finding::Altered { n: 2 });
}

#[tokio::test]
async fn an_answer_gets_the_reserve_and_an_intent_does_not() {
    let world = world();
    let mut store = world.open().await;
    store.append(&intent("a", 1)).await.expect("appends");
    let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).expect("counts");
    // What the file may hold stands for what the disk does; the answer is small, so the limit is lifted along with the
    // reserve.
    store.connection().pragma_update(None, "max_page_count", pages).expect("limits");
    let long = |number| {
        let mut event = intent("a", number);
        let What::Intent { changes, .. } = &mut event.what else { panic!("an intent") };
        *changes = vec![ChangeId::from_number(0xc); 6_000];
        event
    };
    let reserve = world.directory.join("reserve");

    let refused = store.append(&long(2)).await.expect_err("full");

    assert!(refused.to_string().contains("the disk is full"), "{refused}");
    assert!(reserve.exists(), "what has not left can wait");
    let error = "x".repeat(100_000);
    assert!(store.append(&outcome("a", 1, Outcome::Unknown { error: error.into() })).await.is_err());
    assert!(!reserve.exists(), "for an answer it is given up");
    drop(store);
    world.open().await;
    assert_eq!(fs::metadata(reserve).expect("laid anew").len(), 1 << 20);
}

#[tokio::test]
async fn ten_copies_are_kept_and_each_is_whole() {
    let world = world();
    let mut store = world.open().await;
    store.save_links(at(1), &[link(1)]).await.expect("saves");
    let mut copies = Vec::new();
    for second in 0..12 {
        copies.push(store.back_up(&"a".parse().expect("a run"), at(second)).await.expect("copies").expect("a copy"));
    }
    drop(store);

    let kept = backups::backups(&world.file());
    assert_eq!(kept, copies.into_iter().skip(2).rev().collect::<Vec<_>>());
    fs::copy(&kept[0], world.file()).expect("puts back");
    assert_eq!(world.open().await.registry().await.expect("reads").len(), 1);
}

#[tokio::test]
async fn a_copy_holds_what_cannot_be_read_anew_and_the_end_of_the_log() {
    let world = world();
    let mut store = world.open().await;
    store.save_links(at(1), &[link(1)]).await.expect("saves");
    store.remember("watermarks", &"far").await.expect("keeps");
    store.remember("open_differences", &"many").await.expect("keeps");
    let sql = "INSERT INTO page (kind, page_id, body) VALUES ('client', zeroblob(16), '{}')";
    store.connection().execute(sql, []).expect("keeps");
    for run in 1..=4 {
        store.begin_run(&run_record(&run.to_string(), run)).await.expect("begins");
        let refused = || event(&run.to_string(), What::SecretRefused { error: "no".into() });
        store.append_all(&(0..2_000).map(|_| refused()).collect::<Vec<_>>()).await.expect("appends");
        let end = RunEnd { at: at(run), outcome: "planned".into(), report: None };
        store.end_run(&run.to_string().parse().expect("a run"), &end).await.expect("ends");
    }
    let copy = store.back_up(&"4".parse().expect("a run"), at(9)).await.expect("copies").expect("a copy");
    assert_eq!(store.log_bounds().await.expect("reads"), Some((1, 8_000)), "the state itself stays as it is");
    drop(store);
    fs::copy(copy, world.file()).expect("puts back");

    let store = world.open().await;

    assert_eq!(store.registry().await.expect("reads").len(), 1);
    assert_eq!(store.recall::<String>("open_differences").await.expect("reads"), None);
    assert_eq!(
        store.watermarks().await.expect("reads"),
        crate::domain::model::PerKind::default(),
        "the next run reads all pages"
    );
    let pages: i64 = store.connection().query_row("SELECT count(*) FROM page", [], |row| row.get(0)).expect("counts");
    assert_eq!(pages, 0);
    assert_eq!(store.log_bounds().await.expect("reads"), Some((2_001, 8_001)), "no run is cut in two");
    let runs: Vec<String> = store.runs(9).await.expect("reads").iter().map(|run| run.id.to_string()).collect();
    assert_eq!(runs, ["4", "3", "2"]);
    let findings = store.verify(&[]).await.expect("reads").findings;
    assert_eq!(findings, [crate::domain::audit::Finding::NoCheckpoint], "and it follows from what was left out");
}

async fn runs_are_listed_from_the_last_and_show_what_a_crash_left(world: World) {
    let mut store = world.open().await;
    let end = RunEnd { at: at(3), outcome: "applied".into(), report: Some(report_with(1, &serde_json::Value::Null)) };
    store.begin_run(&run_record("a", 1)).await.expect("begins");
    store
        .append(&event(
            "a",
            What::Planned {
                known: 0,
                plan_hash: "h".into(),
                changes: 1,
                complete: true,
                undoes: None,
                workspaces: Box::default(),
                clients: vec![],
            },
        ))
        .await
        .expect("appends");
    store.end_run(&"a".parse().expect("a run"), &end).await.expect("ends");
    store.begin_run(&run_record("b", 2)).await.expect("begins");
    drop(store);

    let mut store = world.open().await;

    let ended = RunRecord { plan_hash: Some("h".into()), end: Some(end.clone()), ..run_record("a", 1) };
    assert_eq!(store.runs(10).await.expect("reads"), [run_record("b", 2), ended]);
    assert_eq!(store.runs(1).await.expect("reads").len(), 1);
    assert!(matches!(store.end_run(&"a".parse().expect("a run"), &end).await, Err(StoreError::Unusable { .. })));
}

async fn what_waits_keeps_its_time_and_goes_when_it_is_no_longer_true(world: World) {
    let mut store = world.open().await;
    let change = serde_json::json!({
        "id": "0000000000000000", "kind": "client", "action": "close", "name": "Åsa & Söner\u{200b}", "path": [], "fields": [], "side": "clockify",
        "cause": "notion_changed", "confidence": 90, "reason": "", "state": "review", "alternatives": [], "requires": [],
    });
    let change: ChangeDocument = serde_json::from_value(change).expect("a change");
    let row = |id, second| PendingRow {
        change: ChangeDocument { id: ChangeId::from_number(id), ..change.clone() },
        waits: Waits::Review,
        reason: "confidence 90 % is below 100 %".into(),
        first_seen: at(second),
    };
    store.replace_pending(&[row(0xa, 1), row(0xb, 1)], true).await.expect("replaces");

    store.replace_pending(&[row(0xc, 2), row(0xa, 2)], true).await.expect("replaces");
    assert_eq!(store.pending().await.expect("reads"), [row(0xa, 1), row(0xc, 2)]);
    // A run that could not see everything cannot say that something is no longer true.
    store.replace_pending(&[row(0xb, 3), row(0xa, 3)], false).await.expect("replaces");
    assert_eq!(store.pending().await.expect("reads"), [row(0xa, 1), row(0xc, 2), row(0xb, 3)]);
    store.withdraw_pending(|waited| waited.id == ChangeId::from_number(0xb)).await.expect("withdraws");
    assert_eq!(store.pending().await.expect("reads"), [row(0xb, 3)]);
    store.replace_pending(&[], true).await.expect("replaces");
    assert_eq!(store.pending().await.expect("reads"), []);
}

async fn verdicts_are_kept_until_they_say_nothing(world: World) {
    let flagged = Resolution {
        decision: Some(Decision::Flag { note: "ask Anna\u{202e}".into() }),
        way: 1,
        ..Resolution::default()
    };
    let (a, b) = (ChangeId::from_number(0xa), ChangeId::from_number(0xb));
    let page = PageId::from_number(7);
    let said = |change, verdict: &Resolution| Said { change, page, what: "close".into(), verdict: verdict.clone() };
    let upon = |change, verdict: &Resolution| SaidUpon { said: said(change, verdict), seen: Resolution::default() };
    let remembered = |change| Remembered { said: said(change, &flagged), by: "ben".into(), at: at(1) };
    world.open().await.save_verdicts("ben", at(1), None, &[upon(a, &flagged), upon(b, &flagged)]).await.expect("saves");

    let mut store = world.open().await;
    assert_eq!(store.verdicts().await.expect("reads"), [remembered(a), remembered(b)]);
    let taken_back = SaidUpon { said: said(b, &Resolution::default()), seen: flagged.clone() };
    assert_eq!(store.save_verdicts("ben", at(2), None, &[taken_back]).await.expect("saves"), []);

    assert_eq!(store.verdicts().await.expect("reads"), [remembered(a)]);
}

async fn a_verdict_ends_with_its_entry_in_the_log_and_an_undo_has_its_own(world: World) {
    let mut store = world.open().await;
    let approve = Resolution { decision: Some(Decision::Approve), ..Resolution::default() };
    let said = |id| {
        let (change, page) = (ChangeId::from_number(id), PageId::from_number(7));
        Said { change, page, what: "close".into(), verdict: approve.clone() }
    };
    let undone = "r".parse().expect("a run");
    let upon = |id| SaidUpon { said: said(id), seen: Resolution::default() };
    store.save_verdicts("ben", at(1), None, &[upon(0xa), upon(0xb)]).await.expect("saves");
    store.save_verdicts("ben", at(1), Some(&undone), &[upon(0xc)]).await.expect("saves");
    let said_of = |ids: &[u64]| ids.iter().map(|id| said(*id)).collect::<Vec<_>>();
    let ids = |known: Vec<Remembered>| known.into_iter().map(|known| known.said).collect::<Vec<_>>();
    assert_eq!(ids(store.verdicts_on(None).await.expect("reads")), said_of(&[0xa, 0xb]));
    assert_eq!(ids(store.verdicts_on(Some(&undone)).await.expect("reads")), said_of(&[0xc]));

    let Said { change, page, what, .. } = said(0xa);
    store
        .append(&event("s", What::DecisionEnded { change, page, by: "ben".into(), what, because: "gone".into() }))
        .await
        .expect("appends");

    assert_eq!(ids(store.verdicts().await.expect("reads")), said_of(&[0xb, 0xc]));
}

async fn one_process_writes_and_others_may_look(world: World) {
    assert!(Store::open_read_only(&world.place()).await.expect("empty").registry().await.expect("reads").is_empty());
    let mut store = world.open().await;
    store.save_links(at(1), &[link(1)]).await.expect("saves");

    let met = async |store: &mut Store| match store.lock(Holder::here("ben", "auto-approve", at(1))).await {
        Err(StoreError::Locked { holder: Some(holder), .. }) => holder.to_string(),
        other => panic!("{other:?}"),
    };
    let mut other = Store::open(&world.place(), at(1)).await.expect("opens");
    let (pid, host) = (std::process::id(), crate::edge::machine::host());
    assert_eq!(
        met(&mut other).await,
        format!("“review” by ana, process {pid} on {host}, reading, since 1970-01-01T00:00:00Z")
    );
    store.tell_doing(Doing::Applying).await.expect("tells");
    assert!(met(&mut other).await.contains("applying, since"));
    store.release().await.expect("releases");
    other.lock(Holder::here("ben", "auto-approve", at(1))).await.expect("free");
    assert!(matches!(store.lock(Holder::here("ana", "review", at(2))).await, Err(StoreError::Locked { .. })));
    other.release().await.expect("releases");
    store.lock(Holder::here("ana", "review", at(2))).await.expect("free again");
    let mut view = Store::open_read_only(&world.place()).await.expect("opens");
    assert_eq!(view.registry().await.expect("reads").len(), 1);
    assert!(matches!(view.forget("x").await, Err(StoreError::Unusable { .. })));

    drop(store);
    world.open().await;
}

async fn nothing_is_written_to_a_service_without_the_lock_and_others_are_noticed(world: World) {
    let mut store = world.open().await;
    let mark = store.mark().await.expect("reads");
    store.remember("x", &1).await.expect("keeps");
    assert_eq!(store.mark().await.expect("reads"), mark, "what we write ourselves does not overtake us");
    store.release().await.expect("releases");

    let mut other = Store::open(&world.place(), at(1)).await.expect("opens");
    other.remember("y", &2).await.expect("what a person says is kept beside a run");

    other.lock(Holder::here("ben", "auto-approve", at(1))).await.expect("free");
    other.release().await.expect("releases");
    assert_ne!(store.mark().await.expect("reads"), mark);
    let error = other.append(&intent("r", 1)).await.expect_err("refused");
    assert!(error.to_string().contains("for the run that holds the lock"), "{error}");
    let mut copy = other.copy().await.expect("copies");
    assert_eq!(copy.recall::<u32>("y").await.expect("reads"), Some(2));
    copy.remember("y", &3).await.expect("keeps");
    assert_eq!(other.recall::<u32>("y").await.expect("reads"), Some(2), "the copy's is its own");
}

// Windows lets nobody move what is in use.
#[cfg(unix)]
#[tokio::test]
async fn a_state_that_was_set_aside_meanwhile_is_not_written_to() {
    let world = world();
    let mut store = world.open().await;
    store.release().await.expect("releases");
    Store::set_aside(&world.directory, Holder::here("ben", "doctor rebuild", at(1))).await.expect("moves");
    drop(world.open().await);

    let kept = store.remember("x", &1).await.expect_err("refused");
    let locked = store.lock(Holder::here("ana", "review", at(2))).await.expect_err("refused");

    for error in [kept, locked] {
        assert!(
            matches!(&error, StoreError::Unusable { because, .. } if because.contains("moved or replaced")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let world = world();
    world.open().await.connection().pragma_update(None, "user_version", 9).expect("sets");
    world.check_refused("its schema is version 9, and this program knows versions up to 4").await;
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_refused() {
    let world = world();
    world.open().await.save_links(at(1), &(0..1000).map(link).collect::<Vec<_>>()).await.expect("saves");
    let whole = fs::read(world.file()).expect("reads");
    let damage = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        fs::write(world.file(), bytes).expect("writes");
    };

    damage(&|bytes| bytes[..16].fill(b'x'));
    world.check_refused("it is damaged").await;
    damage(&|bytes| bytes.truncate(whole.len() / 2));
    world.check_refused("it is damaged").await;
    damage(&|bytes| bytes[4096 * 30..4096 * 31].fill(0));
    world.check_refused("it is damaged").await;
    damage(&Vec::clear);
    world.check_refused("it is empty or of another program").await;
    fs::remove_file(world.file()).expect("removes");
    rusqlite::Connection::open(world.file())
        .and_then(|other| other.execute_batch("CREATE TABLE t (x)"))
        .expect("creates");
    world.check_refused("it is empty or of another program").await;

    damage(&|_| ());
    assert_eq!(world.open().await.registry().await.expect("reads").len(), 1000);
}

#[tokio::test]
async fn a_log_without_its_database_is_not_taken_for_new() {
    let world = world();
    drop(world.open().await);
    fs::remove_file(world.file()).expect("removes");
    fs::write(world.directory.join("punchlist.sqlite3-wal"), "x").expect("writes");

    let error = Store::open(&world.place(), at(0)).await.err().expect("refused").to_string();

    assert!(error.contains("its write-ahead log is there, and it is not"), "{error}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("exists").permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets");
    }

    #[tokio::test]
    async fn the_state_is_for_us_alone() {
        let world = world();
        let mut store = world.open().await;
        store.save_links(at(1), &[link(1)]).await.expect("saves");

        assert_eq!(mode(&world.directory), 0o700);
        let mut names = Vec::new();
        for entry in fs::read_dir(&world.directory).expect("reads") {
            let path = entry.expect("an entry").path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            names.push(path.file_name().expect("a name").to_str().expect("UTF-8").to_owned());
        }
        names.sort();
        assert_eq!(names, ["lock", "punchlist.sqlite3", "punchlist.sqlite3-shm", "punchlist.sqlite3-wal", "reserve"]);
    }

    #[tokio::test]
    async fn what_was_left_open_is_closed_where_it_is_ours() {
        let world = world();
        fs::create_dir(&world.directory).expect("creates");
        set_mode(&world.directory, 0o775);
        drop(world.open().await);
        assert_eq!(mode(&world.directory), 0o700);

        set_mode(&world.directory, 0o755);
        set_mode(&world.file(), 0o644);
        drop(world.open().await);
        assert_eq!((mode(&world.directory), mode(&world.file())), (0o700, 0o600));
    }

    #[tokio::test]
    async fn a_directory_that_is_not_ours_alone_is_refused_as_it_is() {
        let world = world();
        fs::create_dir(&world.directory).expect("creates");
        fs::write(world.directory.join("diary.txt"), "x").expect("writes");
        set_mode(&world.directory, 0o755);

        let error = Store::open(&world.place(), at(0)).await.err().expect("refused").to_string();

        assert!(error.contains("others may look into this directory"), "{error}");
        assert_eq!(mode(&world.directory), 0o755);
    }

    #[tokio::test]
    async fn symbolic_links_are_refused() {
        let world = world();
        let real = world.directory.with_file_name("real");
        fs::create_dir(&real).expect("creates");
        symlink(&real, &world.directory).expect("links");
        world.check_refused("it is a symbolic link").await;

        fs::remove_file(&world.directory).expect("removes");
        drop(world.open().await);
        let elsewhere = real.join("elsewhere");
        fs::rename(world.file(), &elsewhere).expect("moves");
        symlink(&elsewhere, world.file()).expect("links");
        world.check_refused("it is not a regular file").await;

        fs::remove_file(world.directory.join("lock")).expect("removes");
        symlink(real.join("lock"), world.directory.join("lock")).expect("links");
        let error = Store::open(&world.place(), at(0)).await.err().expect("refused");
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_state_of_the_first_version_opens_and_its_pages_are_taken_to_have_had_their_ids() {
    let world = world();
    fs::create_dir(&world.directory).expect("creates");
    let old = rusqlite::Connection::open(world.file()).expect("creates");
    old.execute_batch(include_str!("../../../assets/schema.sql")).expect("the schema");
    old.pragma_update(None, "user_version", 1).expect("sets");
    let wanted = Link { along: Along::No, unwritten: None, ..link(1) };
    let Link { page, kind, object, sight, base, left, .. } = &wanted;
    let (sight, base, left) = (to_json(sight), to_json(base), to_json(left));
    let [sight, base, left] = [sight, base, left].map(Result::unwrap_or_default);
    let sql = "INSERT INTO link (page_id, kind, clockify_id, sight, base, left_ids, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)";
    old.execute(sql, (page.to_string(), kind.word(), object.as_str(), sight, base, left)).expect("inserts");
    drop(old);

    assert_eq!(world.open().await.registry().await.expect("reads").of_page(*page), Some(&wanted));
}
