//! A state from one database in another: all of its rows, whatever they mean.

use super::{
    Fault,
    database::{Database, Row},
};

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
