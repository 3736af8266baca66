//! The right to run on a server: for one at a time, and for as long as it is renewed.

use super::*;

/// A store on the server that has not taken the lock.
async fn beside(world: &World) -> Store {
    Store::open(&world.place(), at(0)).await.expect("opens")
}

fn holder(by: &str) -> Holder {
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
    assert!(!holding.is_held() && !holding.lasts(std::time::Duration::from_millis(1)).await, "nothing leaves any more");
    assert_eq!(other.registry().await.expect("reads").len(), 1);
    assert_eq!(other.log_bounds().await.expect("reads"), None);
    assert!(matches!(stale.lock(holder("ana")).await, Err(StoreError::Locked { .. })));
    other.release().await.expect("releases");
    stale.lock(holder("ana")).await.expect("free");
    stale.append(&intent("a", 1)).await.expect("appends");
    assert_eq!(stale.leased().await.expect("reads").map(|leased| leased.epoch), Some(held.epoch + 2));
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
    database.client.batch_execute("SET idle_in_transaction_session_timeout = 50").await.expect("sets");
    database.client.batch_execute("BEGIN; SELECT n FROM turn FOR UPDATE").await.expect("begins");

    beside(&world).await.remember("x", &1).await.expect("waits until the server ends the other one");

    assert!(database.client.batch_execute("COMMIT").await.is_err());
}
