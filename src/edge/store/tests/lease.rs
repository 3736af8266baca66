//! The right to run on a server: for one at a time, and for as long as it is renewed.

use std::time::{Duration, Instant};

use super::{
    super::postgres::lease::{self, Lease, RUN, SERVE},
    *,
};

/// A store on the server that has not taken the lock.
pub(super) async fn beside(world: &World) -> Store {
    Store::open(&world.place(), at(0)).await.expect("opens")
}

pub(super) fn holder(by: &str) -> Holder {
    Holder::here(by, "review", at(0))
}

#[tokio::test]
async fn who_has_lost_the_right_to_run_writes_nothing_and_may_take_it_again() {
    let Some(world) = world_on_server() else { return };
    let mut stale = world.open().await;
    stale.save_links(at(1), &[link(1)]).await.expect("saves");
    let holding = stale.holding().expect("a lease");
    let held = stale.leased().await.expect("reads").expect("held");
    assert_eq!(held.holder.map(|holder| holder.by), Some("ana".into()));
    let mut other = beside(&world).await;
    assert!(!other.break_off(held.epoch + 1).await.expect("asks"), "of another epoch");
    assert!(other.break_off(held.epoch).await.expect("asks"));
    assert!(!other.break_off(held.epoch).await.expect("asks"), "it is nobody's now");
    other.lock(holder("ben")).await.expect("free");
    assert!(holding.is_held(), "the stale one does not know yet");

    let lost = [
        stale.append(&intent("a", 1)).await,
        stale.save_links(at(2), &[link(2)]).await,
        stale.remember("x", &1).await,
        stale.begin_run(&run_record("a", 1)).await,
    ];

    for lost in lost {
        let error = lost.expect_err("refused").to_string();
        assert!(error.contains("away for longer than its right to run lasts"), "{error}");
    }
    assert!(!holding.is_held() && !holding.lasts(Duration::from_millis(1)).await, "nothing leaves any more");
    let begun = Instant::now();
    other.remember("y", &1).await.expect("keeps");
    other.remember("y", &2).await.expect("keeps");
    assert!(begun.elapsed() < Duration::from_secs(10), "what was refused keeps nobody waiting");
    assert_eq!(other.registry().await.expect("reads").len(), 1);
    assert_eq!(other.log_bounds().await.expect("reads"), None);
    assert!(matches!(stale.lock(holder("ana")).await, Err(StoreError::Locked { .. })));
    other.release().await.expect("releases");
    stale.lock(holder("ana")).await.expect("free");
    stale.append(&intent("a", 1)).await.expect("appends");
    assert_eq!(stale.leased().await.expect("reads").map(|leased| leased.epoch), Some(held.epoch + 2));
}

#[tokio::test]
async fn who_can_journal_nothing_any_more_has_lost_the_right_at_once() {
    let Some(world) = world_on_server() else { return };
    let store = world.open().await;
    let holding = store.holding().expect("a lease");
    assert!(holding.is_held());
    let own = "SELECT pg_backend_pid()::bigint";
    let own = store.database.one(own, &[], |row| row.number(0)).await.expect("reads");

    beside(&world).await.tamper(&format!("SELECT pg_terminate_backend({own})")).await.expect("ends it");

    let lasts = tokio::time::timeout(Duration::from_secs(10), holding.lasts(Duration::from_hours(1))).await;
    assert_eq!(lasts, Ok(false), "its lease would last longer, and whoever renews it has a connection of its own");
}

#[tokio::test]
async fn who_serves_does_so_on_where_a_connection_is_cut_over_which_nothing_is_journaled() {
    let Some(world) = world_on_server() else { return };
    let (store, Place::Server(address)) = (beside(&world).await, world.place()) else { panic!("it is on a server") };
    let taken = Lease::take(server_of(&store), &address, SERVE, &holder("robot"), &Holding::default()).await;
    let lease = taken.expect("asks").unwrap_or_else(|held| panic!("{held:?}"));
    let own = "SELECT pg_backend_pid()::bigint";
    let own = store.database.one(own, &[], |row| row.number(0)).await.expect("reads");

    beside(&world).await.tamper(&format!("SELECT pg_terminate_backend({own})")).await.expect("ends it");

    while server_of(&store).batch("SELECT 1").await.is_ok() {}
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(lease.is_held(), "it is renewed over another connection");
}

#[tokio::test]
async fn an_epoch_that_comes_again_on_an_older_copy_of_the_server_is_not_the_same() {
    let Some(world) = world_on_server() else { return };
    let mut stale = world.open().await;
    let epoch = stale.leased().await.expect("reads").expect("held").epoch;
    stale.tamper("UPDATE lease SET epoch = epoch - 1, expires_at = 0").await.expect("forgets that it was taken");
    let mut other = beside(&world).await;
    other.lock(holder("ben")).await.expect("free");
    assert_eq!(other.leased().await.expect("reads").map(|leased| leased.epoch), Some(epoch));

    let renewed = lease::renew(server_of(&stale), RUN, epoch, &to_json(&holder("ana")).expect("JSON")).await;
    assert!(!renewed.expect("asks"), "it is another one's");
    assert!(stale.append(&intent("a", 1)).await.is_err());
    stale.release().await.expect("asks");
    other.tell_doing(Doing::Applying).await.expect("tells");
    other.append(&intent("b", 1)).await.expect("it has the right still");
    let renewed = lease::renew(server_of(&other), RUN, epoch, &to_json(&holder("ben")).expect("JSON")).await;
    assert!(renewed.expect("asks"), "whatever it is at");
}

#[tokio::test]
async fn who_was_left_in_the_middle_of_a_transaction_does_not_keep_others_waiting_for_ever() {
    let Some(world) = world_on_server() else { return };
    let store = world.open().await;
    let Database::Postgres(database) = &store.database else { panic!("it is on a server") };
    let setting = async |name: &str| {
        let sql = format!("SELECT setting FROM pg_settings WHERE name = '{name}'");
        store.database.one(&sql, &[], |row| Ok(row.text(0)?.to_owned())).await.expect("reads")
    };
    assert_eq!(setting("idle_in_transaction_session_timeout").await, "30000", "as long as a lease");
    assert_eq!(setting("lock_timeout").await, "60000");
    database.batch("SET idle_in_transaction_session_timeout = 50").await.expect("sets");
    database.batch("BEGIN; SELECT n FROM turn FOR UPDATE").await.expect("begins");

    beside(&world).await.remember("x", &1).await.expect("waits until the server ends the other one");

    assert!(database.batch("COMMIT").await.is_err());
}

/// Numbers that look random, the same for the same seed.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, end: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % end).expect("small")
    }
}

/// Who would have the right to run by rights: which store, at which epoch, and whether it is still good.
#[derive(Debug, Default)]
struct Rightful {
    epoch: i64,
    /// The epoch at which each store believes to hold it.
    believed: [Option<i64>; 3],
    is_good: bool,
}

impl Rightful {
    fn holds(&self, store: usize) -> bool {
        self.is_good && self.believed[store] == Some(self.epoch)
    }
}

pub(super) fn server_of(store: &Store) -> &postgres::Postgres {
    let Database::Postgres(database) = &store.database else { panic!("it is on a server") };
    database
}

/// One thing that happens to three processes and a server, against what should become of it.
async fn step(stores: &mut [Store; 3], right: &mut Rightful, chance: &mut Chance, run: &str) {
    let (at, what) = (chance.below(3), chance.below(8));
    let (store, case) = (&mut stores[at], format!("{at} {what} of {run}: {right:?}"));
    match what {
        // Its own clock says that it is lost, once it was told so; then it asks for it anew.
        0..=1 => {
            let believes = right.believed[at].is_some() && store.holding().is_some_and(|holding| holding.is_held());
            let taken = store.lock(holder("ana")).await;
            if !believes {
                assert_eq!(taken.is_ok(), !right.is_good, "takes: {case}");
                if taken.is_ok() {
                    right.epoch += 1;
                    (right.believed[at], right.is_good) = (Some(right.epoch), true);
                }
            }
        }
        2..=4 => {
            let appended = store.append(&event(run, What::SecretRefused { error: "no".into() })).await;
            // Who never took it writes as a person does, beside a run.
            let may = right.believed[at].is_none() || right.holds(at);
            assert_eq!(appended.is_ok(), may, "appends: {case}");
        }
        5 => {
            if let Some(epoch) = right.believed[at] {
                let renewed = lease::renew(server_of(store), RUN, epoch, &to_json(&holder("ana")).expect("JSON"))
                    .await
                    .expect("asks");
                assert_eq!(renewed, right.holds(at), "renews: {case}");
            }
        }
        6 => {
            store.release().await.expect("releases");
            right.is_good &= !right.holds(at);
            right.believed[at] = None;
        }
        // The time of the server goes on.
        _ => {
            store.tamper("UPDATE lease SET expires_at = expires_at - 30000").await.expect("changes");
            right.is_good = false;
        }
    }
    assert_eq!(lease::epoch(server_of(&stores[0]), RUN).await.expect("reads"), right.epoch, "{case}");
}

/// As many histories as there is time for, or `PUNCHLIST_LEASES` of them.
#[tokio::test]
async fn whoever_takes_renews_and_loses_it_only_the_last_to_take_it_writes() {
    const STEPS: usize = 10;
    let Some(world) = world_on_server() else { return };
    let wanted: Option<u32> = std::env::var("PUNCHLIST_LEASES").ok().and_then(|wanted| wanted.parse().ok());
    let mut stores = [beside(&world).await, beside(&world).await, beside(&world).await];
    let (mut right, mut histories, begun) = (Rightful::default(), 0_u32, Instant::now());
    while wanted.map_or(begun.elapsed() < Duration::from_secs(3), |wanted| histories < wanted) {
        let mut chance = Chance(histories.into());
        for _ in 0..STEPS {
            step(&mut stores, &mut right, &mut chance, &format!("h{histories}")).await;
        }
        histories += 1;
    }
    assert!(histories > 10, "{histories} histories in {:?}", begun.elapsed());
}

/// Four at once, each over a connection of its own, while somebody breaks it off again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_race_for_it_write_one_after_the_other() {
    const ROUNDS: usize = 40;
    let Some(world) = world_on_server() else { return };
    drop(beside(&world).await);
    let racer = async |number: u64| {
        let (mut store, mut chance) = (beside(&world).await, Chance(number));
        let (mut taken, mut rounds) = (0, 0..ROUNDS);
        while rounds.next().is_some() || taken == 0 {
            if store.lock(holder("ana")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            taken += 1;
            let held = store.leased().await.expect("reads").map_or(0, |leased| leased.epoch);
            for _ in 0..chance.below(4) {
                let run = format!("{held}x{number}");
                if store.append(&event(&run, What::SecretRefused { error: "no".into() })).await.is_err() {
                    break;
                }
            }
            if chance.below(3) == 0 {
                store.release().await.expect("releases");
            }
        }
        store.release().await.expect("releases");
        taken
    };
    let breaker = async {
        let mut store = beside(&world).await;
        for _ in 0..ROUNDS {
            if let Some(leased) = store.leased().await.expect("reads") {
                store.break_off(leased.epoch).await.expect("asks");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let (one, two, three, four, ()) = tokio::join!(racer(1), racer(2), racer(3), racer(4), breaker);
    assert!(one + two + three + four > ROUNDS, "{one} {two} {three} {four}");

    let store = beside(&world).await;
    let run = |row: &Row<'_>| Ok(row.text(0)?.to_owned());
    let runs = store.database.all("SELECT run_id FROM event ORDER BY n", &[], run).await.expect("reads");
    let epochs: Vec<i64> = runs.iter().map(|run| run.split('x').next().expect("one").parse().expect("one")).collect();
    assert!(!epochs.is_empty() && epochs.is_sorted(), "{epochs:?}");
    let mut writers: BTreeMap<i64, &str> = BTreeMap::new();
    for (epoch, run) in epochs.iter().zip(&runs) {
        assert_eq!(writers.entry(*epoch).or_insert(run), run, "one writes at an epoch");
    }
}
