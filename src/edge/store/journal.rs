//! The journal, which is also the audit log, and the runs that it is made of.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Fault, Store, StoreError,
    database::{Database, Row},
    forget, from_json, from_word,
    month::month_key,
    registry, remember, to_json, to_word,
    value::{Value, values},
    words,
};
use crate::domain::{
    audit::{self, About, Hash, Labels, Refers},
    ending::End,
    journal::{self, Event, Open, Outcome, RunId, Status, Trace, What, WriteId},
    model::{Link, ObjectId, PageId},
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
        self.stay_in_place()?;
        let (mut answers, mut intents) = (false, false);
        for event in events {
            answers |= matches!(event.what, What::Outcome { .. });
            intents |= matches!(event.what, What::Intent { .. });
        }
        if (answers || intents) && !self.is_locked() {
            return Err(Fault::Bug("a write is for the run that holds the lock".to_owned()).explained(&self.place));
        }
        match self.record_once(at, events, links).await {
            Err(fault) if fault.is_full() && answers && !intents && self.give_up_reserve() => {
                self.record_once(at, events, links).await
            }
            result => result,
        }
        .map_err(|fault| fault.explained(&self.place))
    }

    async fn record_once(&mut self, at: Timestamp, events: &[Event], links: &[Link]) -> Result<(), Fault> {
        let recording = async |database: &Database| {
            if !events.is_empty() {
                append(database, events).await?;
                words::keep_up(database, events.len()).await?;
            }
            registry::save(database, at, links).await
        };
        self.transact(recording).await
    }

    /// The events of a run, in their order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn events(&self, run: &RunId) -> Result<Vec<Event>, StoreError> {
        let sql = "SELECT body FROM event WHERE run_id = ?1 ORDER BY n";
        self.read(async |database| bodies(database, sql, &values![run]).await).await
    }

    /// The writes, of all runs, whose outcome nobody knows.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open_writes(&self) -> Result<Vec<Open>, StoreError> {
        self.read(async |database| {
            // Only runs with open writes are replayed: few, and mostly none.
            let sql = "SELECT body FROM event WHERE +kind IN ('intent', 'outcome')
                       AND run_id IN (SELECT run_id FROM write WHERE status IN ('intended', 'unknown')) ORDER BY n";
            let open = journal::open_writes(&bodies(database, sql, &[]).await?)?;
            let sql = "SELECT count(*) FROM write WHERE status IN ('intended', 'unknown')";
            let counted = database.one(sql, &[], |row| row.number(0)).await?;
            if i64::try_from(open.len()) == Ok(counted) {
                Ok(open)
            } else {
                Err(Fault::Stored(format!("the journal has {} open writes and its index {counted}", open.len())))
            }
        })
        .await
    }

    /// The creates whose object was looked for in vain, by page, as far as the pages have no object yet.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn unlinked_creates(&self) -> Result<BTreeMap<PageId, Trace>, StoreError> {
        let sql = "SELECT body FROM event WHERE +kind = 'intent' AND page_id IN
                   (SELECT page_id FROM write WHERE status = 'absent'
                    EXCEPT SELECT page_id FROM link WHERE sight <> '\"parted\"') ORDER BY n";
        self.read(async |database| Ok(journal::creates(&bodies(database, sql, &[]).await?))).await
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn begin_run(&mut self, run: &RunRecord) -> Result<(), StoreError> {
        let RunRecord { id, trigger, by, version, rules_hash, plan_hash, started, end } = run;
        self.write(async |database| {
            let sql = "INSERT INTO run (run_id, \"trigger\", by, version, rules_hash, plan_hash, started_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let values = values![id, trigger, by, version, rules_hash, plan_hash.as_deref(), *started];
            database.execute(sql, &values).await?;
            match end {
                Some(end) => end_run(database, id, end).await,
                None => Ok(()),
            }
        })
        .await
    }

    /// Records that a run has ended, and how.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when there is no such run or it has ended before.
    pub async fn end_run(&mut self, run: &RunId, end: &RunEnd) -> Result<(), StoreError> {
        self.write(async |database| end_run(database, run, end).await).await
    }

    /// The last runs, the latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        self.read(async |database| runs(database, limit).await).await
    }
}

/// The number and the hash of the last entry, or of the one that the log begins after.
pub(super) async fn head(database: &Database) -> Result<(i64, Hash), Fault> {
    let entry = |row: &Row<'_>| Ok((row.number(0)?, Hash(row.bytes(1)?)));
    let sql = "SELECT n, hash FROM event ORDER BY n DESC LIMIT 1";
    match database.first(sql, &[], entry).await? {
        Some(head) => Ok(head),
        None => start(database).await,
    }
}

/// The number and the hash of the entry that the log begins after.
pub(super) async fn start(database: &Database) -> Result<(i64, Hash), Fault> {
    let sql = "SELECT n, hash FROM log_start ORDER BY n DESC LIMIT 1";
    let start = database.first(sql, &[], |row| Ok((row.number(0)?, Hash(row.bytes(1)?)))).await?;
    Ok(start.unwrap_or((0, Hash::START)))
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
        let sql =
            "SELECT run_id FROM run WHERE substr(run_id, 1, length(?1)) = ?1 ORDER BY run_id <> ?1, run_id LIMIT 2";
        let run = |row: &Row<'_>| from_word::<RunId>(row.text(0)?);
        let runs = self.read(async |database| database.all(sql, &values![name], run).await).await?;
        Ok(match runs.as_slice() {
            [] => Meant::Nothing,
            [run] => Meant::One(*run),
            [run, ..] if run.as_str() == name => Meant::One(*run),
            _ => Meant::Several,
        })
    }

    /// The latest run that wrote something.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_run_that_wrote(&self) -> Result<Option<RunId>, StoreError> {
        let sql = "SELECT run_id FROM run
                   WHERE EXISTS (SELECT 1 FROM write WHERE write.run_id = run.run_id AND status = 'done')
                      OR EXISTS (SELECT 1 FROM event WHERE event.run_id = run.run_id AND kind = 'linked')
                   ORDER BY started_at DESC, run_id DESC LIMIT 1";
        self.read(async |database| database.first(sql, &[], |row| from_word(row.text(0)?)).await).await
    }
}

/// Appends events, and moves what follows from them.
pub(super) async fn append(database: &Database, events: &[Event]) -> Result<(), Fault> {
    let (mut n, mut hash) = head(database).await?;
    for event in events {
        n += 1;
        follow(database, n, event).await?;
        let body = audit::body(event).map_err(|error| Fault::Bug(format!("an event cannot be stored: {error}")))?;
        hash = hash.then(&body);
        let about = about(database, event).await?;
        let Labels { run, at_ms, kind, level, page, object, change } = Labels::of(event, about);
        let sql = "INSERT INTO event (n, run_id, at_ms, kind, level, page_id, clockify_id, change_id, body, hash)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let (level, object) = (u32::from(level as u8), object.as_ref().map(ObjectId::as_str));
        let values = values![n, &run, at_ms, kind, level, page, object, change.as_ref(), &body, &hash.0];
        database.execute(sql, &values).await?;
    }
    Ok(())
}

/// Moves what follows from an event that is appended under a number.
async fn follow(database: &Database, n: i64, event: &Event) -> Result<(), Fault> {
    let run = &event.run;
    match &event.what {
        What::Intent { write, request, .. } => {
            let sql = "INSERT INTO write (run_id, write_id, intent_n, page_id, status) VALUES (?1, ?2, ?3, ?4, ?5)";
            let status = to_word(&Status::Intended)?;
            database.execute(sql, &values![run, write.0, n, request.page(), status]).await?;
        }
        What::Outcome { write, outcome } => move_write(database, run, *write, outcome).await?,
        What::Planned { plan_hash, .. } => {
            database.execute("UPDATE run SET plan_hash = ?2 WHERE run_id = ?1", &values![run, plan_hash]).await?;
        }
        What::DecisionEnded { change, .. } => forget_verdict(database, change).await?,
        What::Applied { change } => {
            forget_verdict(database, change).await?;
            database.execute("DELETE FROM pending WHERE change_id = ?1", &values![change]).await?;
        }
        What::MonthSealed { month, sealed, .. } => remember(database, &month_key(month), sealed).await?,
        What::MonthReopened { month, .. } => forget(database, &month_key(month)).await?,
        _ => {}
    }
    Ok(())
}

/// The page and the object that an event is about.
async fn about(database: &Database, event: &Event) -> Result<About, Fault> {
    let run = &event.run;
    match audit::refers(&event.what) {
        Refers::Itself(about) => Ok(about),
        Refers::Write(write, object) => {
            let sql = "SELECT page_id FROM write WHERE run_id = ?1 AND write_id = ?2";
            let page = database.first(sql, &values![run, write.0], |row| from_word(row.text(0)?)).await?;
            Ok(About { page, object })
        }
        Refers::Change(change) => {
            let sql = "SELECT page_id, clockify_id FROM event INDEXED BY event_difference
                       WHERE kind = 'difference' AND change_id = ?2 AND run_id = ?1 ORDER BY n DESC LIMIT 1";
            let about = |row: &Row<'_>| {
                Ok(About {
                    page: row.text_if_any(0)?.map(from_word).transpose()?,
                    object: row.text_if_any(1)?.map(from_word).transpose()?,
                })
            };
            Ok(database.first(sql, &values![run, change], about).await?.unwrap_or_default())
        }
    }
}

async fn move_write(database: &Database, run: &RunId, write: WriteId, outcome: &Outcome) -> Result<(), Fault> {
    let sql = "SELECT status FROM write WHERE run_id = ?1 AND write_id = ?2";
    let status = database.first(sql, &values![run, write.0], |row| from_word::<Status>(row.text(0)?)).await?;
    let status =
        status.ok_or_else(|| Fault::Stored(format!("write {} of run {run} has an outcome and no intent", write.0)))?;
    let status = status.next(outcome)?;
    let sql = "UPDATE write SET status = ?3 WHERE run_id = ?1 AND write_id = ?2";
    database.execute(sql, &values![run, write.0, to_word(&status)?]).await?;
    if status == Status::Done { spend(database, run, write).await } else { Ok(()) }
}

/// What was said about a change is spent with the first write for it that happened: what is left of it then is planned
/// as that, and the same difference, should it come again, is asked about again.
async fn spend(database: &Database, run: &RunId, write: WriteId) -> Result<(), Fault> {
    let sql = "SELECT body FROM event WHERE n = (SELECT intent_n FROM write WHERE run_id = ?1 AND write_id = ?2)";
    for intent in bodies(database, sql, &values![run, write.0]).await? {
        if let What::Intent { changes, .. } = &intent.what {
            for change in changes {
                forget_verdict(database, change).await?;
            }
        }
    }
    Ok(())
}

async fn forget_verdict(database: &Database, change: &ChangeId) -> Result<(), Fault> {
    database.execute("DELETE FROM verdict WHERE change_id = ?1", &values![change]).await?;
    Ok(())
}

pub(super) async fn bodies(database: &Database, sql: &str, values: &[Value<'_>]) -> Result<Vec<Event>, Fault> {
    let event = |row: &Row<'_>| audit::read(row.text(0)?).map_err(|unread| Fault::Stored(unread.to_string()));
    database.all(sql, values, event).await
}

async fn end_run(database: &Database, run: &RunId, end: &RunEnd) -> Result<(), Fault> {
    let RunEnd { at, outcome, report } = end;
    let sql = "UPDATE run SET ended_at = ?2, outcome = ?3, report = ?4 WHERE run_id = ?1 AND ended_at IS NULL";
    match database.execute(sql, &values![run, *at, to_word(outcome)?, to_json(report)?]).await? {
        1 => Ok(()),
        _ => Err(Fault::Stored(format!("run {run} never began, or has ended before"))),
    }
}

pub(super) async fn runs(database: &Database, limit: usize) -> Result<Vec<RunRecord>, Fault> {
    let sql =
        "SELECT run_id, \"trigger\", by, version, rules_hash, plan_hash, started_at, ended_at, outcome, report FROM run
         ORDER BY started_at DESC, run_id DESC LIMIT ?1";
    database.all(sql, &values![i64::try_from(limit).unwrap_or(i64::MAX)], run_record).await
}

fn run_record(row: &Row<'_>) -> Result<RunRecord, Fault> {
    let end = match row.number_if_any(7)? {
        None => None,
        Some(_) => Some(RunEnd {
            at: row.time(7)?,
            outcome: End::from(row.text(8)?),
            report: from_json(row.text(9)?).unwrap_or_default(),
        }),
    };
    Ok(RunRecord {
        id: from_word(row.text(0)?)?,
        trigger: row.text(1)?.to_owned(),
        by: row.text(2)?.to_owned(),
        version: row.text(3)?.to_owned(),
        rules_hash: row.text(4)?.to_owned(),
        plan_hash: row.text_if_any(5)?.map(str::to_owned),
        started: row.time(6)?,
        end,
    })
}
