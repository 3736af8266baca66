//! States of former schemas: each is brought up to date, and what it held is there.

use rusqlite::Connection;

use super::*;

/// The tables that hold something, and the columns of each.
fn tables(connection: &Connection) -> Vec<(String, Vec<String>)> {
    let named = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("reads");
        rows.collect::<Result<_, _>>().expect("reads")
    };
    let tables = named("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    let columns = |table: &str| named(&format!("SELECT '\"' || name || '\"' FROM pragma_table_info('{table}')"));
    tables.into_iter().map(|table| (table.clone(), columns(&table))).collect()
}

/// A state as a version of the program left it that knew so many entries of the list of migrations, with what a present
/// one holds as far as that could hold it.
fn former(world: &World, present: &Path, version: usize) {
    fs::create_dir_all(&world.directory).expect("creates");
    let former = Connection::open(world.file()).expect("creates");
    for sql in &open::MIGRATIONS[..version] {
        former.execute_batch(sql).expect("migrates");
    }
    former.pragma_update(None, "user_version", i64::try_from(version).expect("small")).expect("sets");
    former.execute("ATTACH ?1 AS present", [present.to_str().expect("UTF-8")]).expect("attaches");
    for (table, columns) in tables(&former) {
        let columns = columns.join(", ");
        let sql = format!("INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM present.{table}");
        // Where the log begins is there already, and is not to be touched.
        if table != "log_start" {
            former.execute(&sql, []).unwrap_or_else(|error| panic!("{table}: {error}"));
        }
    }
    former.execute_batch("DETACH present").expect("detaches");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&world.directory, fs::Permissions::from_mode(0o700)).expect("sets");
        fs::set_permissions(world.file(), fs::Permissions::from_mode(0o600)).expect("sets");
    }
}

#[tokio::test]
async fn a_state_of_each_former_schema_is_brought_up_to_date_with_all_that_it_holds() {
    let present = world();
    let links: Vec<Link> = (0..4).map(link).collect();
    let run: RunId = "r".parse().expect("a run");
    let (events, head) = {
        let mut store = present.open().await;
        store.save_links(at(1), &links).await.expect("saves");
        store.remember("x", &42).await.expect("keeps");
        store.append(&intent("r", 1)).await.expect("appends");
        store.append(&outcome("r", 1, Outcome::Unknown { error: "timeout".into() })).await.expect("appends");
        (store.events(&run).await.expect("reads"), store.log_head().await.expect("reads"))
    };
    assert_eq!(events.len(), 2);

    for version in 1..=open::VERSION {
        let world = world();
        former(&world, &present.file(), version);

        let (copy, is_older) = Store::open_copy(&world.place()).await.expect("opens");
        assert_eq!(is_older, version < open::VERSION, "{version}");
        assert_eq!(copy.registry().await.expect("reads").len(), links.len(), "{version}: also to look at");
        drop(copy);

        let store = world.open().await;
        let now: i64 = store.connection().pragma_query_value(None, "user_version", |row| row.get(0)).expect("reads");
        assert_eq!(usize::try_from(now), Ok(open::VERSION));
        let registry = store.registry().await.expect("reads");
        for link in &links {
            // The first schema knew nothing of these; pages of then are taken to have had their ID.
            let expected = match version {
                1 => Link { along: Along::No, unwritten: None, ..link.clone() },
                _ => link.clone(),
            };
            assert_eq!(registry.of_page(link.page), Some(&expected), "{version}");
        }
        assert_eq!(store.recall::<u32>("x").await.expect("reads"), Some(42), "{version}");
        assert_eq!(store.events(&run).await.expect("reads"), events, "{version}");
        assert_eq!(store.log_head().await.expect("reads"), head, "{version}: the log is as it was written");
        assert_eq!(tables(store.connection()), tables(present.open().await.connection()), "{version}");
    }
}
