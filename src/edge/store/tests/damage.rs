//! Damage is called damage, wherever it is.

use super::*;

fn not_sent() -> Outcome {
    Outcome::NotSent { error: "no route".into(), hint: "look".into() }
}

/// A change that waits.
fn pending_row() -> PendingRow {
    let change = serde_json::json!({
        "id": "000000000000000a", "kind": "client", "action": "close", "name": "Acme", "path": [], "fields": [], "side": "clockify",
        "cause": "notion_changed", "confidence": 90, "reason": "", "state": "review", "alternatives": [], "requires": [],
    });
    let change = serde_json::from_value(change).expect("a change");
    PendingRow { change, waits: Waits::Review, reason: "90 %".into(), first_seen: at(1) }
}

/// Looks at everything in a state and writes a little of everything, as a run does.
async fn use_all(world: &World, row: &PendingRow) -> Result<(), StoreError> {
    let looked = match Store::open_read_only(&world.place()).await {
        // It says what to do about that, and that says the rest.
        Err(older) if older.hint().contains("run `punchlist plan` once") => {
            drop(Store::open(&world.place(), at(0)).await?);
            return Err(older);
        }
        looked => looked?,
    };
    looked.verdicts().await?;
    let mut store = world.try_open().await?;
    let links: Vec<Link> = store.registry().await?.iter().cloned().collect();
    store.pending().await?;
    store.verdicts().await?;
    store.open_writes().await?;
    store.unlinked_creates().await?;
    for run in store.runs(50).await? {
        store.events(&run.id).await?;
    }
    store.recall::<String>("x").await?;
    store.verify(&[]).await?;
    store.last_run_that_wrote().await?;
    store.begin_run(&run_record("new", 9)).await?;
    store.append_all(&[intent("new", 1), outcome("new", 1, not_sent())]).await?;
    store.save_links(at(9), &links).await?;
    store.replace_pending(std::slice::from_ref(row), false).await?;
    store.save_verdicts("ben", at(9), None, &[]).await?;
    store.remember("x", &"y").await?;
    store.cut_log(at(3), &"new".parse().expect("a run"), at(9)).await?;
    store.back_up(&"new".parse().expect("a run"), at(9)).await?;
    let end = RunEnd { at: at(9), outcome: "applied".into(), report: None };
    store.end_run(&"new".parse().expect("a run"), &end).await
}

#[tokio::test]
async fn whatever_bit_is_wrong_a_state_works_or_is_called_damaged_with_the_way_out() {
    let world = world();
    let row = pending_row();
    {
        let mut store = world.open().await;
        store.save_links(at(1), &(0..20).map(link).collect::<Vec<_>>()).await.expect("saves");
        store.save_links(at(2), &[Link { object: object(30), ..link(3) }]).await.expect("saves");
        store.begin_run(&run_record("r", 1)).await.expect("begins");
        let events = [intent("r", 1), outcome("r", 1, not_sent()), intent("r", 2)];
        store.append_all(&events).await.expect("appends");
        store.remember("x", &"y").await.expect("keeps");
        store.replace_pending(std::slice::from_ref(&row), true).await.expect("keeps");
    }
    let whole = fs::read(world.file()).expect("reads");
    use_all(&world, &row).await.expect("it is whole");
    let beside = ["punchlist.sqlite3-wal", "punchlist.sqlite3-shm"].map(|name| world.directory.join(name));
    let (mut damaged, mut step) = (0, 0);
    // All of the header and of the beginning of each page, and every so often a byte of the rest, each time another
    // bit.
    for place in (0..whole.len()).filter(|place| *place < 100 || place % 4096 < 12 || place % 397 == 0) {
        step += 1;
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (step % 8);
        drop(fs::remove_dir_all(world.directory.join("backups")));
        for path in &beside {
            drop(fs::remove_file(path));
        }
        fs::write(world.file(), bytes).expect("writes");

        match use_all(&world, &row).await {
            Ok(()) => {}
            Err(StoreError::Unusable { because, hint, .. }) => {
                assert!(hint.contains("`punchlist doctor rebuild`"), "byte {place}: {because}: {hint}");
                damaged += 1;
            }
            Err(error) => panic!("byte {place}: {error}"),
        }
    }
    assert!(damaged > 100, "{damaged} of {step}");
}

#[tokio::test]
async fn a_column_that_is_called_otherwise_is_damage() {
    let world = world();
    world.open().await.save_links(at(1), &[link(1)]).await.expect("saves");
    let mut bytes = fs::read(world.file()).expect("reads");
    // Also in what an earlier version of the schema has left in the file.
    let places: Vec<usize> = (0..bytes.len() - 8).filter(|&place| &bytes[place..place + 8] == b"left_ids").collect();
    assert!(!places.is_empty(), "it is in the schema");
    for place in places {
        bytes[place] ^= 1;
    }
    fs::write(world.file(), bytes).expect("writes");

    let error = use_all(&world, &pending_row()).await.expect_err("refused");

    assert!(matches!(&error, StoreError::Unusable { hint, .. } if hint.contains("doctor rebuild")), "{error}");
}
