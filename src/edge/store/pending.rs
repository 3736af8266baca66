//! What waits for a person, and what people decided.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Row;

use super::{Fault, Store, StoreError, from_json, from_word, to_json, to_time, to_word};
use crate::domain::{
    journal::RunId,
    pending::Waits,
    plan::{ChangeId, document::ChangeDocument},
    review::{Remembered, Resolution, Said},
    text::Shown,
};

/// A change that a run left for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRow {
    /// The change, as in `plan/1`.
    pub change: ChangeDocument,
    pub waits: Waits,
    /// Why.
    pub reason: Shown,
    /// When a run first left it; exact to the millisecond. [`Store::replace_pending`] keeps the earliest.
    pub first_seen: Timestamp,
}

impl Store {
    /// Replaces all that waits. What has waited before keeps the time when it was first seen. What is not named any
    /// more is no longer true, and goes, if the run has `seen_all`; otherwise it stays.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn replace_pending(&mut self, rows: &[PendingRow], seen_all: bool) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached("SELECT change_id, first_seen FROM pending")?;
            let known =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<HashMap<String, i64>, _>>()?;
            if seen_all {
                transaction.execute("DELETE FROM pending", [])?;
            }
            let sql = "INSERT OR REPLACE INTO pending (change_id, place, waits, reason, body, first_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let mut statement = transaction.prepare_cached(sql)?;
            for (place, PendingRow { change, waits, reason, first_seen }) in rows.iter().enumerate() {
                let first_seen = known.get(&change.id.to_string()).copied().unwrap_or_else(|| first_seen.as_millisecond());
                statement.execute((change.id, i64::try_from(place).unwrap_or(i64::MAX), to_word(waits)?, &**reason, to_json(change)?, first_seen))?;
            }
            Ok(())
        })
    }

    /// Takes out what waits and is no longer true.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn withdraw_pending(&mut self, is_true: impl Fn(&ChangeDocument) -> bool) -> Result<(), StoreError> {
        let gone: Vec<ChangeId> =
            self.pending().await?.into_iter().filter(|row| !is_true(&row.change)).map(|row| row.change.id).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached("DELETE FROM pending WHERE change_id = ?1")?;
            gone.iter().try_for_each(|id| statement.execute([id]).map(drop))?;
            Ok(())
        })
    }

    /// All that waits, the longest first, and otherwise in the order of the plan.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending(&self) -> Result<Vec<PendingRow>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT waits, reason, body, first_seen FROM pending ORDER BY first_seen, place, change_id";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut pending = Vec::new();
            while let Some(row) = rows.next()? {
                pending.push(pending_row(row)?);
            }
            Ok(pending)
        })
    }

    /// Keeps what a person said about changes, of an ordinary plan or of one that undoes a run, all of it or nothing; a
    /// verdict that says nothing is forgotten. Journaling that one ended, that a write for its change happened or that
    /// the change was applied forgets it, too.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn save_verdicts(
        &mut self,
        by: &str,
        at: Timestamp,
        undoes: Option<&RunId>,
        said: &[Said],
    ) -> Result<(), StoreError> {
        self.write(|transaction| {
            for Said { change, page, what, verdict } in said {
                if *verdict == Resolution::default() {
                    transaction.prepare_cached("DELETE FROM verdict WHERE change_id = ?1")?.execute([change])?;
                    continue;
                }
                let sql =
                    "INSERT INTO verdict (change_id, page_id, what, body, by, at_ms, undoes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                           ON CONFLICT (change_id) DO UPDATE SET body = excluded.body, by = excluded.by, at_ms = excluded.at_ms";
                let row = (change, page.to_string(), what.as_str(), to_json(verdict)?, by, at.as_millisecond(), undoes);
                transaction.prepare_cached(sql)?.execute(row)?;
            }
            Ok(())
        })
    }

    /// What people said about changes, of this plan or earlier ones, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verdicts(&self) -> Result<Vec<Remembered>, StoreError> {
        self.remembered("", ())
    }

    /// What people said about changes of ordinary plans, or of those that undo a run, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verdicts_on(&self, undoes: Option<&RunId>) -> Result<Vec<Remembered>, StoreError> {
        self.remembered("WHERE undoes IS ?1", [undoes])
    }

    fn remembered(&self, filter: &str, parameters: impl rusqlite::Params) -> Result<Vec<Remembered>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT change_id, page_id, what, body, by, at_ms FROM verdict {filter} ORDER BY at_ms DESC, change_id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(parameters)?;
            let mut remembered = Vec::new();
            while let Some(row) = rows.next()? {
                let said = Said {
                    change: from_word(row.get(0)?)?,
                    page: from_word(row.get(1)?)?,
                    what: row.get::<_, String>(2)?.into(),
                    verdict: from_json(&row.get::<_, String>(3)?)?,
                };
                remembered.push(Remembered { said, by: row.get(4)?, at: to_time(row.get(5)?)? });
            }
            Ok(remembered)
        })
    }
}

fn pending_row(row: &Row<'_>) -> Result<PendingRow, Fault> {
    Ok(PendingRow {
        waits: from_word(row.get(0)?)?,
        reason: row.get::<_, String>(1)?.into(),
        change: from_json(&row.get::<_, String>(2)?)?,
        first_seen: to_time(row.get(3)?)?,
    })
}
