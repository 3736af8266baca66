//! What waits for a person, and what people decided.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Row;

use super::{Fault, Store, StoreError, from_json, from_word, to_json, to_time, to_word};
use crate::domain::{model::Kind, plan::ChangeId, review::Verdict, text::Raw};

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
    pub fn save_verdicts(&mut self, by: &str, at: Timestamp, verdicts: &[(ChangeId, Verdict)]) -> Result<(), StoreError> {
        self.write(|transaction| {
            for (id, verdict) in verdicts {
                let id = to_word(id)?;
                if *verdict == Verdict::default() {
                    transaction.prepare_cached("DELETE FROM verdict WHERE change_id = ?1")?.execute([id])?;
                    continue;
                }
                let sql = "INSERT INTO verdict (change_id, body, by, at_ms) VALUES (?1, ?2, ?3, ?4)
                           ON CONFLICT (change_id) DO UPDATE SET body = excluded.body, by = excluded.by, at_ms = excluded.at_ms";
                transaction.prepare_cached(sql)?.execute((id, to_json(verdict)?, by, at.as_millisecond()))?;
            }
            Ok(())
        })
    }

    /// What people said about changes, of this plan or earlier ones.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn verdicts(&self) -> Result<Vec<(ChangeId, Verdict)>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT change_id, body FROM verdict ORDER BY change_id")?;
            let mut rows = statement.query([])?;
            let mut verdicts = Vec::new();
            while let Some(row) = rows.next()? {
                verdicts.push((from_word(row.get(0)?)?, from_json(&row.get::<_, String>(1)?)?));
            }
            Ok(verdicts)
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
