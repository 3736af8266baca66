//! What waits for a person, and what people decided.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Row;

use super::{Fault, Store, StoreError, from_json, from_word, to_json, to_time, to_word};
use crate::domain::{
    model::Kind,
    plan::ChangeId,
    review::{Remembered, Said, Verdict},
    text::Raw,
};

/// A change that a headless run left for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRow {
    /// The change.
    pub change_id: ChangeId,
    /// What it changes.
    pub kind: Kind,
    /// What it does, e.g. `close`.
    pub action: String,
    /// The name of what it changes.
    pub name: Raw,
    /// Where it stands, as in `pending/1`.
    pub state: String,
    /// Why it waits.
    pub reason: String,
    /// The change whole, as in `plan/1`.
    pub body: serde_json::Value,
    /// When a run first left it; exact to the millisecond. [`Store::replace_pending`] keeps the earliest.
    pub first_seen: Timestamp,
}

impl Store {
    /// Replaces all that waits. What has waited before keeps the time when it was first seen; what is not named any more is no longer
    /// true, and goes.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn replace_pending(&mut self, rows: &[PendingRow]) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached("SELECT change_id, first_seen FROM pending")?;
            let known =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<HashMap<String, i64>, _>>()?;
            transaction.execute("DELETE FROM pending", [])?;
            let sql = "INSERT INTO pending (change_id, kind, action, name, state, reason, body, first_seen)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let mut statement = transaction.prepare_cached(sql)?;
            for PendingRow { change_id, kind, action, name, state, reason, body, first_seen } in rows {
                let change_id = to_word(change_id)?;
                let first_seen = known.get(&change_id).copied().unwrap_or_else(|| first_seen.as_millisecond());
                statement.execute((change_id, kind.word(), action, name.exact(), state, reason, to_json(body)?, first_seen))?;
            }
            Ok(())
        })
    }

    /// All that waits, the longest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn pending(&self) -> Result<Vec<PendingRow>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT change_id, kind, action, name, state, reason, body, first_seen FROM pending
                       ORDER BY first_seen, change_id";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut pending = Vec::new();
            while let Some(row) = rows.next()? {
                pending.push(pending_row(row)?);
            }
            Ok(pending)
        })
    }

    /// Keeps what a person said about changes, all of it or nothing; a verdict that says nothing is forgotten.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn save_verdicts(&mut self, by: &str, at: Timestamp, said: &[Said]) -> Result<(), StoreError> {
        self.write(|transaction| {
            for Said { change, page, verdict } in said {
                let change = to_word(change)?;
                if *verdict == Verdict::default() {
                    transaction.prepare_cached("DELETE FROM verdict WHERE change_id = ?1")?.execute([change])?;
                    continue;
                }
                let sql = "INSERT INTO verdict (change_id, page_id, body, by, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                           ON CONFLICT (change_id) DO UPDATE SET body = excluded.body, by = excluded.by, at_ms = excluded.at_ms";
                let row = (change, page.to_string(), to_json(verdict)?, by, at.as_millisecond());
                transaction.prepare_cached(sql)?.execute(row)?;
            }
            Ok(())
        })
    }

    /// What people said about changes, of this plan or earlier ones, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn verdicts(&self) -> Result<Vec<Remembered>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT change_id, page_id, body, by, at_ms FROM verdict ORDER BY at_ms DESC, change_id";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut remembered = Vec::new();
            while let Some(row) = rows.next()? {
                let said = Said {
                    change: from_word(row.get(0)?)?,
                    page: from_word(row.get(1)?)?,
                    verdict: from_json(&row.get::<_, String>(2)?)?,
                };
                remembered.push(Remembered { said, by: row.get(3)?, at: to_time(row.get(4)?)? });
            }
            Ok(remembered)
        })
    }
}

fn pending_row(row: &Row<'_>) -> Result<PendingRow, Fault> {
    Ok(PendingRow {
        change_id: from_word(row.get(0)?)?,
        kind: from_word(row.get(1)?)?,
        action: row.get(2)?,
        name: Raw::from(row.get::<_, String>(3)?),
        state: row.get(4)?,
        reason: row.get(5)?,
        body: from_json(&row.get::<_, String>(6)?)?,
        first_seen: to_time(row.get(7)?)?,
    })
}
