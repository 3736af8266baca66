//! What waits for a person, and what people decided.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{
    Fault, Store, StoreError,
    database::Row,
    from_json, from_word, to_json, to_word,
    value::{Value, values},
};
use crate::domain::{
    journal::RunId,
    pending::Waits,
    plan::{ChangeId, document::ChangeDocument},
    review::{Meeting, Overtaken, Remembered, Resolution, Said, SaidUpon},
    text::Shown,
};

/// What people said about changes.
const REMEMBERED: &str = "SELECT change_id, page_id, what, body, by, at_ms FROM verdict";

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
        self.write(async |database| {
            let known = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.number(1)?));
            let known = database.all("SELECT change_id, first_seen FROM pending", &[], known).await?;
            let known: HashMap<String, i64> = known.into_iter().collect();
            if seen_all {
                database.execute("DELETE FROM pending", &[]).await?;
            }
            let sql = "INSERT INTO pending (change_id, place, waits, reason, body, first_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                       ON CONFLICT (change_id) DO UPDATE SET place = excluded.place, waits = excluded.waits, reason = excluded.reason,
                       body = excluded.body, first_seen = excluded.first_seen";
            let mut left = Vec::with_capacity(rows.len());
            for (place, PendingRow { change, waits, reason, first_seen }) in (0_i64..).zip(rows) {
                let id = change.id.to_string();
                let first_seen = known.get(&id).copied().unwrap_or_else(|| first_seen.as_millisecond());
                left.push((id, place, to_word(waits)?, &**reason, to_json(change)?, first_seen));
            }
            let left = left.iter().map(|(id, place, waits, reason, body, first_seen)| {
                values![id, *place, waits, *reason, body, *first_seen]
            });
            database.execute_many(sql, left).await
        })
        .await
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
        let sql = "DELETE FROM pending WHERE change_id = ?1";
        self.write(async |database| database.execute_many(sql, gone.iter().map(|id| values![id])).await).await
    }

    /// All that waits, the longest first, and otherwise in the order of the plan.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending(&self) -> Result<Vec<PendingRow>, StoreError> {
        let sql = "SELECT waits, reason, body, first_seen FROM pending ORDER BY first_seen, place, change_id";
        self.read(async |database| database.all(sql, &[], pending_row).await).await
    }

    /// Keeps what a person said about changes, of an ordinary plan or of one that undoes a run, but for what somebody
    /// else has overtaken since that person looked: returned is what was not kept. A verdict that says nothing is
    /// forgotten. Journaling that one ended, that a write for its change happened or that the change was applied forgets
    /// it, too.
    ///
    /// # Errors
    /// [`StoreError`]: nothing is kept then.
    pub async fn save_verdicts(
        &mut self,
        by: &str,
        at: Timestamp,
        undoes: Option<&RunId>,
        said: &[SaidUpon],
    ) -> Result<Vec<Overtaken>, StoreError> {
        let ids = || said.iter().map(|upon| upon.said.change.to_string());
        let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(Vec::new()) };
        self.write(async |database| {
            // One statement for one and for many: what lies between is looked at for nothing, but is little.
            let sql = format!("{REMEMBERED} WHERE change_id BETWEEN ?1 AND ?2");
            let standing = database.all(&sql, &values![&first, &last], remembered).await?;
            let mut standing: BTreeMap<ChangeId, Remembered> =
                standing.into_iter().map(|known| (known.said.change, known)).collect();
            let (nothing, mut overtaken) = (Resolution::default(), Vec::new());
            for upon in said {
                let stands = standing.get(&upon.said.change).map_or(&nothing, |known| &known.said.verdict);
                // Approvals of others stand, whatever was seen of them.
                let Said { change, page, what, verdict } = &upon.said.clone().kept_by(by, at, &standing);
                match upon.meets(stands) {
                    Meeting::Same if verdict.approvals == stands.approvals => continue,
                    Meeting::Stands | Meeting::Same => {}
                    Meeting::Overtaken => {
                        overtaken.push(Overtaken { said: upon.said.clone(), stands: standing.remove(change) });
                        continue;
                    }
                }
                if *verdict == nothing {
                    database.execute("DELETE FROM verdict WHERE change_id = ?1", &values![change]).await?;
                    continue;
                }
                let sql =
                    "INSERT INTO verdict (change_id, page_id, what, body, by, at_ms, undoes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                           ON CONFLICT (change_id) DO UPDATE SET body = excluded.body, by = excluded.by, at_ms = excluded.at_ms";
                let values = values![change, *page, what.as_str(), to_json(verdict)?, by, at, undoes];
                database.execute(sql, &values).await?;
            }
            Ok(overtaken)
        })
        .await
    }

    /// What people said about changes, of this plan or earlier ones, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verdicts(&self) -> Result<Vec<Remembered>, StoreError> {
        self.remembered("", &[]).await
    }

    /// What people said about changes of ordinary plans, or of those that undo a run, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verdicts_on(&self, undoes: Option<&RunId>) -> Result<Vec<Remembered>, StoreError> {
        self.remembered("WHERE undoes IS NOT DISTINCT FROM ?1", &values![undoes]).await
    }

    async fn remembered(&self, filter: &str, values: &[Value<'_>]) -> Result<Vec<Remembered>, StoreError> {
        let sql = format!("{REMEMBERED} {filter} ORDER BY at_ms DESC, change_id");
        self.read(async |database| database.all(&sql, values, remembered).await).await
    }
}

fn remembered(row: &Row<'_>) -> Result<Remembered, Fault> {
    let said = Said {
        change: from_word(row.text(0)?)?,
        page: from_word(row.text(1)?)?,
        what: row.text(2)?.into(),
        verdict: from_json(row.text(3)?)?,
    };
    Ok(Remembered { said, by: row.text(4)?.to_owned(), at: row.time(5)? })
}

fn pending_row(row: &Row<'_>) -> Result<PendingRow, Fault> {
    Ok(PendingRow {
        waits: from_word(row.text(0)?)?,
        reason: row.text(1)?.into(),
        change: from_json(row.text(2)?)?,
        first_seen: row.time(3)?,
    })
}
