//! The journal, which is also the audit log, and the runs that it is made of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::{
    Fault, Store, StoreError, from_json, from_word, month::month_key, registry, to_json, to_time, to_word, transact,
};
use crate::domain::{
    audit::{self, About, Hash, Labels, Refers},
    ending::End,
    journal::{self, Event, Open, Outcome, RunId, Status, Trace, What, WriteId},
    model::{Link, PageId},
    plan::ChangeId,
    report::Report,
};

/// A run, from its beginning to its end. Times are exact to the millisecond.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// Its name.
    pub id: RunId,
    /// What started it, e.g. `auto-approve`.
    pub trigger: String,
    /// The person or account that ran it.
    pub by: String,
    /// The program's version.
    pub version: String,
    /// SHA-256 of the rules.
    pub rules_hash: String,
    /// The seal of its plan; journaling [`What::Planned`] sets it.
    pub plan_hash: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// How it ended. A run without an end is under way, or was left by a crash: who holds the lock knows which.
    pub end: Option<RunEnd>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// When.
    pub at: Timestamp,
    pub outcome: End,
    /// What it printed. One that is stored and cannot be read is none: verifying the log tells of it.
    pub report: Option<Report>,
}

impl Store {
    /// Appends an event.
    ///
    /// # Errors
    /// [`StoreError`]: the event is not stored, and nothing that depends on it may be sent. [`StoreError::Unusable`]
    /// for an outcome without an intent, or a second one; [`StoreError::Bug`] for a write without the lock.
    pub async fn append(&mut self, event: &Event) -> Result<(), StoreError> {
        self.append_all(std::slice::from_ref(event)).await
    }

    /// Appends events, all of them or none.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub async fn append_all(&mut self, events: &[Event]) -> Result<(), StoreError> {
        self.record(Timestamp::UNIX_EPOCH, events, &[]).await
    }

    /// Appends events, and saves the links that follow from them as of `at`: all of it or nothing. Where the disk is
    /// full, an answer that has come gets the reserve; what has still to leave does not.
    ///
    /// # Errors
    /// As for [`Store::append`].
    pub async fn record(&mut self, at: Timestamp, events: &[Event], links: &[Link]) -> Result<(), StoreError> {
        if self.lock.is_none() {
            self.stay_in_place()?;
        }
        let (mut answers, mut intents) = (false, false);
        for event in events {
            answers |= matches!(event.what, What::Outcome { .. });
            intents |= matches!(event.what, What::Intent { .. });
        }
        if (answers || intents) && self.lock.is_none() {
            return Err(Fault::Bug("a write is for the run that holds the lock".to_owned()).explained(&self.file));
        }
        match self.record_once(at, events, links) {
            Err(fault) if fault.is_full() && answers && !intents && self.give_up_reserve() => {
                self.record_once(at, events, links)
            }
            result => result,
        }
        .map_err(|fault| fault.explained(&self.file))
    }

    fn record_once(&mut self, at: Timestamp, events: &[Event], links: &[Link]) -> Result<(), Fault> {
        transact(&mut self.connection, |transaction| {
            if !events.is_empty() {
                events.iter().try_fold(head(transaction)?, |head, event| append(transaction, head, event))?;
            }
            links.iter().try_for_each(|link| registry::save(transaction, at, link))
        })
    }

    /// The events of a run, in their order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn events(&self, run: &RunId) -> Result<Vec<Event>, StoreError> {
        self.read(|connection| bodies(connection, "SELECT body FROM event WHERE run_id = ?1 ORDER BY n", [run]))
    }

    /// The writes, of all runs, whose outcome nobody knows.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open_writes(&self) -> Result<Vec<Open>, StoreError> {
        self.read(|connection| {
            // Only runs with open writes are replayed: few, and mostly none.
            let sql = "SELECT body FROM event WHERE +kind IN ('intent', 'outcome')
                       AND run_id IN (SELECT run_id FROM write WHERE status IN ('intended', 'unknown')) ORDER BY n";
            let open = journal::open_writes(&bodies(connection, sql, [])?)?;
            let sql = "SELECT count(*) FROM write WHERE status IN ('intended', 'unknown')";
            let counted: u32 = connection.query_row(sql, [], |row| row.get(0))?;
            if u32::try_from(open.len()) == Ok(counted) {
                Ok(open)
            } else {
                Err(Fault::Stored(format!("the journal has {} open writes and its index {counted}", open.len())))
            }
        })
    }

    /// The creates whose object was looked for in vain, by page, as far as the pages have no object yet.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn unlinked_creates(&self) -> Result<BTreeMap<PageId, Trace>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT body FROM event WHERE +kind = 'intent' AND page_id IN
                       (SELECT page_id FROM write WHERE status = 'absent'
                        EXCEPT SELECT page_id FROM link WHERE sight <> '\"parted\"') ORDER BY n";
            Ok(journal::creates(&bodies(connection, sql, [])?))
        })
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn begin_run(&mut self, run: &RunRecord) -> Result<(), StoreError> {
        let RunRecord { id, trigger, by, version, rules_hash, plan_hash, started, end } = run;
        self.write(|transaction| {
            let sql = "INSERT INTO run (run_id, \"trigger\", by, version, rules_hash, plan_hash, started_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            transaction.execute(sql, (id, trigger, by, version, rules_hash, plan_hash, started.as_millisecond()))?;
            end.as_ref().map_or(Ok(()), |end| end_run(transaction, id, end))
        })
    }

    /// Records that a run has ended, and how.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when there is no such run or it has ended before.
    pub async fn end_run(&mut self, run: &RunId, end: &RunEnd) -> Result<(), StoreError> {
        self.write(|transaction| end_run(transaction, run, end))
    }

    /// The last runs, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.read(|connection| runs(connection, limit))
    }
}

/// The number and the hash of the last entry, or of the one that the log begins after.
pub(super) fn head(connection: &Connection) -> Result<(i64, Hash), Fault> {
    let last = |sql| {
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([], |row| Ok((row.get(0)?, Hash(row.get(1)?)))).optional()
    };
    match last("SELECT n, hash FROM event ORDER BY n DESC LIMIT 1")? {
        Some(head) => Ok(head),
        None => Ok(last("SELECT n, hash FROM log_start ORDER BY n DESC LIMIT 1")?.unwrap_or((0, Hash::START))),
    }
}

/// Which run somebody means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// This one.
    One(RunId),
    /// None.
    Nothing,
    /// Several begin so.
    Several,
}

impl Store {
    /// The run of this name, or the only one whose name begins so.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn run_named(&self, name: &str) -> Result<Meant, StoreError> {
        self.read(|connection| {
            let sql =
                "SELECT run_id FROM run WHERE substr(run_id, 1, length(?1)) = ?1 ORDER BY run_id <> ?1, run_id LIMIT 2";
            let mut statement = connection.prepare_cached(sql)?;
            let runs: Vec<String> = statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(match runs.as_slice() {
                [] => Meant::Nothing,
                [run, ..] if run == name => Meant::One(from_word(run.clone())?),
                [run] => Meant::One(from_word(run.clone())?),
                _ => Meant::Several,
            })
        })
    }

    /// The latest run that wrote something.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_run_that_wrote(&self) -> Result<Option<RunId>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT run_id FROM run
                       WHERE EXISTS (SELECT 1 FROM write WHERE write.run_id = run.run_id AND status = 'done')
                          OR EXISTS (SELECT 1 FROM event WHERE event.run_id = run.run_id AND kind = 'linked')
                       ORDER BY started_at DESC, run_id DESC LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            let run: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
            run.map(from_word).transpose()
        })
    }
}

/// Appends one event and moves what follows from it; returns the new head of the chain.
pub(super) fn append(transaction: &Transaction<'_>, head: (i64, Hash), event: &Event) -> Result<(i64, Hash), Fault> {
    let (n, run) = (head.0 + 1, event.run);
    match &event.what {
        What::Intent { write, request, .. } => {
            let sql = "INSERT INTO write (run_id, write_id, intent_n, page_id, status) VALUES (?1, ?2, ?3, ?4, ?5)";
            let status = to_word(&Status::Intended)?;
            transaction.prepare_cached(sql)?.execute((run, write.0, n, request.page().to_string(), status))?;
        }
        What::Outcome { write, outcome } => move_write(transaction, run, *write, outcome)?,
        What::Planned { plan_hash, .. } => {
            transaction.prepare_cached("UPDATE run SET plan_hash = ?2 WHERE run_id = ?1")?.execute((run, plan_hash))?;
        }
        What::DecisionEnded { change, .. } => forget_verdict(transaction, change)?,
        What::Applied { change } => {
            forget_verdict(transaction, change)?;
            transaction.prepare_cached("DELETE FROM pending WHERE change_id = ?1")?.execute([change])?;
        }
        What::MonthSealed { month, sealed, .. } => {
            let sql = "INSERT INTO memory (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            transaction.prepare_cached(sql)?.execute((month_key(month), to_json(sealed)?))?;
        }
        What::MonthReopened { month, .. } => {
            transaction.prepare_cached("DELETE FROM memory WHERE key = ?1")?.execute([month_key(month)])?;
        }
        _ => {}
    }
    let body = audit::body(event).map_err(|error| Fault::Bug(format!("an event cannot be stored: {error}")))?;
    let Labels { run, at_ms, kind, level, page, object, change } = Labels::of(event, about(transaction, event)?);
    let hash = head.1.then(&body);
    let sql = "INSERT INTO event (n, run_id, at_ms, kind, level, page_id, clockify_id, change_id, body, hash)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let (page, object) = (page.map(|page| page.to_string()), object.map(|object| object.to_string()));
    transaction.prepare_cached(sql)?.execute((n, run, at_ms, kind, level as u8, page, object, change, body, hash.0))?;
    Ok((n, hash))
}

/// The page and the object that an event is about.
fn about(transaction: &Transaction<'_>, event: &Event) -> Result<About, Fault> {
    let run = event.run;
    match audit::refers(&event.what) {
        Refers::Itself(about) => Ok(about),
        Refers::Write(write, object) => {
            let sql = "SELECT page_id FROM write WHERE run_id = ?1 AND write_id = ?2";
            let page: Option<String> =
                transaction.prepare_cached(sql)?.query_row((run, write.0), |row| row.get(0)).optional()?;
            Ok(About { page: page.map(from_word).transpose()?, object })
        }
        Refers::Change(change) => {
            let sql = "SELECT page_id, clockify_id FROM event INDEXED BY event_difference
                       WHERE kind = 'difference' AND change_id = ?2 AND run_id = ?1 ORDER BY n DESC LIMIT 1";
            let mut statement = transaction.prepare_cached(sql)?;
            let found = statement.query_row((run, change), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let (page, object): (Option<String>, Option<String>) = found.unwrap_or_default();
            Ok(About { page: page.map(from_word).transpose()?, object: object.map(from_word).transpose()? })
        }
    }
}

fn move_write(transaction: &Transaction<'_>, run: RunId, write: WriteId, outcome: &Outcome) -> Result<(), Fault> {
    let sql = "SELECT status FROM write WHERE run_id = ?1 AND write_id = ?2";
    let status: Option<String> =
        transaction.prepare_cached(sql)?.query_row((run, write.0), |row| row.get(0)).optional()?;
    let status =
        status.ok_or_else(|| Fault::Stored(format!("write {} of run {run} has an outcome and no intent", write.0)))?;
    let status = from_word::<Status>(status)?.next(outcome)?;
    let sql = "UPDATE write SET status = ?3 WHERE run_id = ?1 AND write_id = ?2";
    transaction.prepare_cached(sql)?.execute((run, write.0, to_word(&status)?))?;
    if status == Status::Done {
        spend(transaction, run, write)?;
    }
    Ok(())
}

/// What was said about a change is spent with the first write for it that happened: what is left of it then is planned
/// as that, and the same difference, should it come again, is asked about again.
fn spend(transaction: &Transaction<'_>, run: RunId, write: WriteId) -> Result<(), Fault> {
    let sql = "SELECT body FROM event WHERE n = (SELECT intent_n FROM write WHERE run_id = ?1 AND write_id = ?2)";
    for intent in bodies(transaction, sql, (run, write.0))? {
        if let What::Intent { changes, .. } = &intent.what {
            changes.iter().try_for_each(|change| forget_verdict(transaction, change))?;
        }
    }
    Ok(())
}

fn forget_verdict(transaction: &Transaction<'_>, change: &ChangeId) -> Result<(), Fault> {
    transaction.prepare_cached("DELETE FROM verdict WHERE change_id = ?1")?.execute([change])?;
    Ok(())
}

pub(super) fn bodies(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Event>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(audit::read(&row.get::<_, String>(0)?).map_err(|unread| Fault::Stored(unread.to_string()))?);
    }
    Ok(events)
}

fn end_run(transaction: &Transaction<'_>, run: &RunId, end: &RunEnd) -> Result<(), Fault> {
    let RunEnd { at, outcome, report } = end;
    let sql = "UPDATE run SET ended_at = ?2, outcome = ?3, report = ?4 WHERE run_id = ?1 AND ended_at IS NULL";
    match transaction.execute(sql, (run, at.as_millisecond(), to_word(outcome)?, to_json(report)?))? {
        1 => Ok(()),
        _ => Err(Fault::Stored(format!("run {run} never began, or has ended before"))),
    }
}

pub(super) fn runs(connection: &Connection, limit: usize) -> Result<Vec<RunRecord>, Fault> {
    let sql =
        "SELECT run_id, \"trigger\", by, version, rules_hash, plan_hash, started_at, ended_at, outcome, report FROM run
               ORDER BY started_at DESC, run_id DESC LIMIT ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(run_record(row)?);
    }
    Ok(runs)
}

fn run_record(row: &Row<'_>) -> Result<RunRecord, Fault> {
    let ended: Option<i64> = row.get(7)?;
    let end = match ended {
        None => None,
        Some(at) => Some(RunEnd {
            at: to_time(at)?,
            outcome: End::from(row.get::<_, String>(8)?.as_str()),
            report: from_json(&row.get::<_, String>(9)?).unwrap_or_default(),
        }),
    };
    Ok(RunRecord {
        id: from_word(row.get(0)?)?,
        trigger: row.get(1)?,
        by: row.get(2)?,
        version: row.get(3)?,
        rules_hash: row.get(4)?,
        plan_hash: row.get(5)?,
        started: to_time(row.get(6)?)?,
        end,
    })
}
