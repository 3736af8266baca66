//! What waits for a person, and what people decided.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use super::{Fault, Store, StoreError, from_json, from_word, to_json, to_time, to_word};
use crate::domain::{model::Kind, plan::ChangeId, text::Raw};

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

/// What a person decided about a pending change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// The change.
    pub change_id: ChangeId,
    /// `approve`, `skip` or `flag`.
    pub verb: String,
    /// A remark, perhaps empty.
    pub note: String,
    /// Who decided.
    pub by: String,
    /// When; exact to the millisecond.
    pub at: Timestamp,
}

impl Store {
    /// Replaces all that waits. What has waited before keeps the time when it was first seen; what is not named any more is no longer
    /// true, and goes, with what was decided about it.
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
            transaction.execute("DELETE FROM decision WHERE change_id NOT IN (SELECT change_id FROM pending)", [])?;
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

    /// Records what a person decided about a pending change, in place of what was decided before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn decide(&mut self, decision: &DecisionRow) -> Result<(), StoreError> {
        let DecisionRow { change_id, verb, note, by, at } = decision;
        self.write(|transaction| {
            let sql = "INSERT INTO decision (change_id, verb, note, by, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (change_id) DO UPDATE
                       SET verb = excluded.verb, note = excluded.note, by = excluded.by, at_ms = excluded.at_ms";
            transaction.execute(sql, (to_word(change_id)?, verb, note, by, at.as_millisecond()))?;
            Ok(())
        })
    }

    /// What a person decided about a pending change.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn decision(&self, change_id: &ChangeId) -> Result<Option<DecisionRow>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT verb, note, by, at_ms FROM decision WHERE change_id = ?1")?;
            let found =
                statement.query_row([to_word(change_id)?], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            let Some((verb, note, by, at)) = found.optional()? else { return Ok(None) };
            Ok(Some(DecisionRow { change_id: change_id.clone(), verb, note, by, at: to_time(at)? }))
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
