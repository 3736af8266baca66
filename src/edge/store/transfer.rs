//! A state from one database in another: all of its rows, whatever they mean.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(feature = "postgres")]
use super::postgres;
use super::{
    Fault, Holder, Place, Store, StoreError,
    database::{Database, Row},
    unusable,
};
use crate::domain::text::Shown;

/// A table: its columns, the first of which are its key.
struct Table {
    name: &'static str,
    key: usize,
    columns: &'static [&'static str],
}

/// The tables, in an order in which they can be filled. What belongs to one database alone, such as who has the right to
/// run, stays there; pages as they were last read are read anew.
const TABLES: [Table; 9] = [
    Table { name: "log_start", key: 1, columns: &["n", "hash"] },
    Table {
        name: "event",
        key: 1,
        columns: &["n", "run_id", "at_ms", "kind", "level", "page_id", "clockify_id", "change_id", "body", "hash"],
    },
    Table { name: "write", key: 2, columns: &["run_id", "write_id", "intent_n", "page_id", "status"] },
    Table {
        name: "run",
        key: 1,
        columns: &[
            "run_id",
            "\"trigger\"",
            "by",
            "version",
            "rules_hash",
            "plan_hash",
            "started_at",
            "ended_at",
            "outcome",
            "report",
        ],
    },
    Table {
        name: "link",
        key: 1,
        columns: &["page_id", "kind", "clockify_id", "sight", "base", "left_ids", "updated_at", "along", "unwritten"],
    },
    Table { name: "tombstone", key: 1, columns: &["n", "page_id", "kind", "clockify_id", "ended_at", "why"] },
    Table { name: "memory", key: 1, columns: &["key", "value"] },
    Table { name: "pending", key: 1, columns: &["change_id", "place", "waits", "reason", "body", "first_seen"] },
    Table { name: "verdict", key: 1, columns: &["change_id", "page_id", "what", "body", "by", "at_ms", "undoes"] },
];
/// Rows that are moved at once.
const AT_ONCE: usize = 1000;

/// Memory key: where the state was moved to.
const MOVED: &str = "moved";

/// Where a state is now that was moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Moved {
    to: String,
    by: String,
    at: Timestamp,
}

/// What was moved.
#[derive(Clone, Copy, Debug)]
pub struct Transferred {
    pub entries: u64,
    pub links: usize,
}

impl Store {
    /// Refuses a state that was moved: what is there now is elsewhere.
    pub(super) async fn refuse_moved(self) -> Result<Self, StoreError> {
        let Some(Moved { to, by, at }) = self.recall(MOVED).await? else { return Ok(self) };
        let by = Shown::of(&by);
        let because = format!("it was moved to {} by {by}, {at:.0}", Shown::of(&to));
        let hint = "name that place in the configuration, as state.url or state.dir; `punchlist state move` moves it back from there";
        Err(unusable(self.place().clone(), because, hint))
    }

    /// Moves all of the state to a place where there is none, or one that was moved away itself, and marks it as moved.
    /// This process has the right to run here.
    ///
    /// # Errors
    /// [`StoreError`]: it is where it was. What is in the other place then is not in use, and is not overwritten.
    pub async fn move_to(&mut self, to: &Place, holder: Holder) -> Result<Transferred, StoreError> {
        let (by, at) = (holder.by.clone(), holder.since);
        make_room(to, &holder).await?;
        let mut there = Self::open(to, at).await?;
        there.lock(holder).await?;
        if there.log_head().await?.0 > 0 || !there.registry().await?.is_empty() {
            let hint = "name an empty directory, or another schema";
            return Err(unusable(to.clone(), "there is a state already", hint));
        }
        let target = &there.database;
        self.write(async |from| target.transact(async |target| all(from, target).await).await).await?;
        let moved = self.compare(&there).await?;
        self.remember(MOVED, &Moved { to: to.to_string(), by, at }).await?;
        there.release().await?;
        self.release().await?;
        Ok(moved)
    }

    /// Refuses a copy that is not the same: its rows, its links, and its log from entry to entry.
    async fn compare(&self, copy: &Self) -> Result<Transferred, StoreError> {
        let differs = |what: &str| Err(StoreError::bug(&copy.place, format!("its {what} are not those of the state")));
        for Table { name, .. } in TABLES {
            let sql = format!("SELECT count(*) FROM {name}");
            let count = async |store: &Self| {
                store.read(async |database| database.one(&sql, &[], |row| row.number(0)).await).await
            };
            if count(self).await? != count(copy).await? {
                return differs(name);
            }
        }
        let (entries, _) = self.log_size().await?;
        if copy.verify(&[]).await? != self.verify(&[]).await? {
            return differs("entries");
        }
        let links = self.registry().await?;
        if copy.registry().await? != links {
            return differs("links");
        }
        Ok(Transferred { entries, links: links.len() })
    }
}

/// Sets aside what is in a place, where that was moved away.
async fn make_room(to: &Place, holder: &Holder) -> Result<(), StoreError> {
    let there = Store::look_at(to).await?;
    if there.recall::<Moved>(MOVED).await?.is_none() {
        return Ok(());
    }
    drop(there);
    match to {
        Place::Directory(directory) => Store::set_aside(directory, holder.clone()).await.map(drop),
        #[cfg(feature = "postgres")]
        Place::Server(address) => postgres::open::set_aside(address, holder.since).await,
    }
}

/// Copies all rows into another database, which has none yet. Nothing may be written to either meanwhile.
pub(super) async fn all(from: &Database, to: &Database) -> Result<(), Fault> {
    for table in TABLES {
        copy(from, to, &table).await?;
    }
    Ok(())
}

async fn copy(from: &Database, to: &Database, table: &Table) -> Result<(), Fault> {
    let Table { name, key, columns } = table;
    let marks = |count| (1..=count).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
    let (list, keys) = (columns.join(", "), columns[..*key].join(", "));
    let insert = format!("INSERT INTO {name} ({list}) VALUES ({}) ON CONFLICT DO NOTHING", marks(columns.len()));
    let first = format!("SELECT {list} FROM {name} ORDER BY {keys} LIMIT {AT_ONCE}");
    let next = format!("SELECT {list} FROM {name} WHERE ({keys}) > ({}) ORDER BY {keys} LIMIT {AT_ONCE}", marks(*key));
    let row = |row: &Row<'_>| (0..columns.len()).map(|column| row.value(column)).collect::<Result<Vec<_>, Fault>>();
    let mut rows = from.all(&first, &[], row).await?;
    while let Some(last) = rows.last() {
        let (after, is_last) = (last[..*key].to_vec(), rows.len() < AT_ONCE);
        to.execute_many(&insert, rows).await?;
        if is_last {
            break;
        }
        rows = from.all(&next, &after, row).await?;
    }
    Ok(())
}
