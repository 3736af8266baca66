//! The journal as a log: found by what it is about, read from either end, followed through its chain, and cut off at
//! its beginning.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, types::Value as SqlValue};
use strum::VariantArray;

use super::{Fault, Store, StoreError, from_json, from_word, journal, transact};
use crate::domain::{
    audit::{self, Checkpoint, Finding, Findings, Hash, Labels, Level, StoredEntry, Verifier},
    ending::End,
    journal::{Event, RunId, What, Write},
    model::{Base, Field, Kind, ObjectId, PageId, Value},
    plan::ChangeId,
    report::replay,
    text::Raw,
};

/// Memory key: the differences that are logged and still open.
pub const OPEN_DIFFERENCES: &str = "open_differences";
/// Memory key: what was last logged of the listings.
pub const LISTED: &str = "listed";
/// Entries that are cut off in one go, so that no run takes long over it.
const CUT_MAX: i64 = 50_000;

/// Which entries are meant. What is left out is no matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those of a run.
    pub run: Option<RunId>,
    /// Those about one of these pages or objects.
    pub about: Option<Entity>,
    /// Those of these kinds, where there are any.
    pub kinds: BTreeSet<&'static str>,
    /// Those that matter as much as this, or more.
    pub level: Option<Level>,
    /// Those from this time on.
    pub since: Option<Timestamp>,
    /// Those before this time.
    pub until: Option<Timestamp>,
}

/// A page with its objects: one now, perhaps others before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entity {
    /// What it is, where the state still knows.
    pub kind: Option<Kind>,
    /// What it is called, or was.
    pub name: Raw,
    pub pages: BTreeSet<PageId>,
    pub objects: BTreeSet<ObjectId>,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub n: u64,
    /// The event as it is stored.
    pub body: String,
    pub hash: Hash,
    /// How much it matters.
    pub level: Level,
    /// The page that it is about.
    pub page: Option<PageId>,
    /// The object that it is about.
    pub object: Option<ObjectId>,
    /// The change that it is about.
    pub change: Option<ChangeId>,
}

impl Entry {
    /// Its event.
    ///
    /// # Errors
    /// [`audit::Unread`]
    pub fn event(&self) -> Result<Event, audit::Unread> {
        audit::read(&self.body)
    }
}

/// In which direction entries are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// From this one back to the first.
    Beginning(u64),
    /// From this one on to the last.
    End(u64),
}

impl Store {
    /// The numbers of the first and the last entry; nothing while there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_bounds(&self) -> Result<Option<(u64, u64)>, StoreError> {
        self.read(|connection| {
            let end = |order: &str| {
                let sql = format!("SELECT n FROM event ORDER BY n {order} LIMIT 1");
                connection.prepare_cached(&sql)?.query_row([], |row| row.get(0)).optional()
            };
            let (first, last): (Option<i64>, Option<i64>) = (end("ASC")?, end("DESC")?);
            Ok(first.zip(last).map(|(first, last)| (number(first), number(last))))
        })
    }

    /// The number and the hash of the last entry, for a checkpoint.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_head(&self) -> Result<(u64, Hash), StoreError> {
        self.read(|connection| journal::head(connection).map(|(n, hash)| (number(n), hash)))
    }

    /// The number and the hash that the first entry follows from.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_start(&self) -> Result<(u64, Hash), StoreError> {
        self.read(start)
    }

    /// The hash of the entry before a number, or what the log begins after; nothing where there is neither.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_hash_before(&self, n: u64) -> Result<Option<Hash>, StoreError> {
        self.read(|connection| {
            let before = bounded(n.saturating_sub(1));
            let sql = "SELECT hash FROM event WHERE n = ?1 UNION ALL SELECT hash FROM log_start WHERE n = ?1 LIMIT 1";
            Ok(connection.prepare_cached(sql)?.query_row([before], |row| row.get(0)).optional()?.map(Hash))
        })
    }

    /// Visits the selected entries one by one until the visitor has seen enough. Nothing is read beyond that.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn visit_log(
        &self,
        selection: &Selection,
        toward: Toward,
        mut visit: impl AsyncFnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let visited = async {
            let Some((sql, parameters)) = query(&self.connection, selection, toward)? else { return Ok(()) };
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
            while let Some(row) = rows.next()? {
                if visit(entry(row)?).await.is_break() {
                    break;
                }
            }
            Ok(())
        };
        visited.await.map_err(|fault: Fault| fault.explained(&self.file))
    }

    /// The entry with a number.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_entry(&self, n: u64) -> Result<Option<Entry>, StoreError> {
        let mut found = None;
        self.visit_log(&Selection::default(), Toward::End(n), async |entry| {
            found = Some(entry).filter(|entry| entry.n == n);
            ControlFlow::Break(())
        })
        .await?;
        Ok(found)
    }

    /// The event that says what an entry is about, where it does not say so itself: the difference behind a change, the
    /// intent behind an outcome.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_context(&self, event: &Event) -> Result<Option<Event>, StoreError> {
        self.read(|connection| {
            let run = event.run;
            let body: Option<String> = match audit::refers(&event.what) {
                audit::Refers::Itself(_) if !is_of_a_change(&event.what) => None,
                audit::Refers::Write(write, _) => {
                    let sql = "SELECT body FROM event WHERE n = (SELECT intent_n FROM write WHERE run_id = ?1 AND write_id = ?2)";
                    connection.prepare_cached(sql)?.query_row((run, write.0), |row| row.get(0)).optional()?
                }
                _ => {
                    let Some(change) = change_of(event) else { return Ok(None) };
                    let sql = "SELECT body FROM event INDEXED BY event_difference
                               WHERE kind = 'difference' AND change_id = ?1 ORDER BY run_id = ?2 DESC, n DESC LIMIT 1";
                    connection.prepare_cached(sql)?.query_row((change, run), |row| row.get(0)).optional()?
                }
            };
            // What cannot be read is told by verifying; here it is only left out.
            Ok(body.and_then(|body| audit::read(&body).ok()))
        })
    }

    /// A page or an object with all that belonged together with it, now or before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn entity(&self, page: Option<PageId>, object: Option<ObjectId>) -> Result<Entity, StoreError> {
        self.read(|connection| {
            let mut entity =
                Entity { pages: page.into_iter().collect(), objects: object.into_iter().collect(), ..Entity::default() };
            if let Some(object) = object {
                let sql =
                    "SELECT page_id FROM link WHERE clockify_id = ?1 UNION SELECT page_id FROM tombstone WHERE clockify_id = ?1
                           UNION SELECT page_id FROM event WHERE clockify_id = ?1 AND page_id IS NOT NULL";
                for page in words(connection, sql, &object.to_string())? {
                    entity.pages.insert(from_word(page)?);
                }
            }
            for page in entity.pages.clone() {
                let sql =
                    "SELECT clockify_id FROM link WHERE page_id = ?1 UNION SELECT clockify_id FROM tombstone WHERE page_id = ?1
                           UNION SELECT clockify_id FROM event WHERE page_id = ?1 AND clockify_id IS NOT NULL";
                for object in words(connection, sql, &page.to_string())? {
                    entity.objects.insert(from_word(object)?);
                }
                let sql =
                    "SELECT body FROM event WHERE page_id = ?1 AND +kind IN ('intent', 'difference') ORDER BY n DESC LIMIT 1";
                let body: Option<String> =
                    connection.prepare_cached(sql)?.query_row([page.to_string()], |row| row.get(0)).optional()?;
                if let Some((kind, name, _)) = body.and_then(|body| named(&audit::read(&body).ok()?)) {
                    (entity.kind, entity.name) = (Some(kind), name);
                }
            }
            Ok(entity)
        })
    }

    /// The pages that have a name, or were written under it, the exact name before those that only contain it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn entities_named(&self, name: &str) -> Result<Vec<Entity>, StoreError> {
        let wanted = Raw::from(name).canonical().loose();
        let (mut exact, mut close) = (BTreeSet::<PageId>::new(), BTreeSet::<PageId>::new());
        let mut hold = |page: PageId, raw: &Raw| {
            let loose = raw.canonical().loose();
            if loose == wanted {
                exact.insert(page);
            } else if loose.contains(&wanted) {
                close.insert(page);
            }
            !exact.is_empty() || !close.is_empty()
        };
        let mut found_any = false;
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT page_id, base FROM link")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let base: Base = from_json(&row.get::<_, String>(1)?)?;
                if let Some(Value::Text(text)) = base.get(Field::Name).map(crate::domain::model::Agreed::notion) {
                    found_any = hold(from_word(row.get(0)?)?, text);
                }
            }
            let sql = "SELECT body FROM event INDEXED BY event_kind WHERE kind = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(["intent"])?;
            while let Some(row) = rows.next()? {
                let Ok(event) = audit::read(&row.get::<_, String>(0)?) else { continue };
                let Some((_, name, page)) = named(&event) else { continue };
                found_any = hold(page, &name);
                let What::Intent { request: Write::Update { fields, .. }, was, .. } = &event.what else { continue };
                for value in [fields.get(&Field::Name), was.before.get(&Field::Name)].into_iter().flatten() {
                    if let Value::Text(text) = value {
                        found_any = hold(page, text);
                    }
                }
            }
            // What was never written may still have been found to differ, in every run: that is looked through last.
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([if found_any { "" } else { "difference" }])?;
            while let Some(row) = rows.next()? {
                let Ok(event) = audit::read(&row.get::<_, String>(0)?) else { continue };
                if let Some((_, name, page)) = named(&event) {
                    hold(page, &name);
                }
            }
            Ok(())
        })?;
        let found = if exact.is_empty() { close } else { exact };
        let mut entities = Vec::new();
        for page in found {
            entities.push(self.entity(Some(page), None).await?);
        }
        Ok(entities)
    }

    /// Follows the hash chain through the whole log, holds it against checkpoints, and the list of runs against it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verify(&self, checkpoints: &[Checkpoint]) -> Result<Findings, StoreError> {
        self.read(|connection| {
            let mut verifier = Verifier::new(start(connection)?, checkpoints.to_vec());
            let sql = "SELECT n, body, hash, level, page_id, clockify_id, change_id, run_id, at_ms, kind FROM event ORDER BY n";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let Entry { n, body, hash, level, page, object, change } = entry(row)?;
                let kind: String = row.get(9)?;
                // A word that is none of ours fits no event.
                let kind = What::WORDS.iter().copied().find(|word| *word == kind).unwrap_or_default();
                let run = row.get::<_, String>(7)?.parse().unwrap_or_default();
                let labels = Labels { run, at_ms: row.get(8)?, kind, level, page, object, change };
                verifier.follow(&StoredEntry { n, body: &body, hash, previous: None, labels: Some(labels) });
            }
            let mut verdict = verifier.finish();
            for run in runs_that_differ(connection)? {
                verdict.find(Finding::RunAltered { run });
            }
            Ok(verdict)
        })
    }

    /// Holds the log against one checkpoint, where that is looked at a moment: its entry, and that the log goes as far.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hold_against(&self, checkpoint: &Checkpoint) -> Result<Option<Finding>, StoreError> {
        let (n, seen) = (checkpoint.n, checkpoint.head);
        let (last, _) = self.log_head().await?;
        if last < n {
            return Ok(Some(Finding::CutShort { last, seen: n }));
        }
        let Some(hash) = self.log_hash_before(n + 1).await? else {
            // What was cut off on purpose is not there to be looked at.
            let (start, _) = self.log_start().await?;
            return Ok((start < n).then_some(Finding::Missing { from: n, to: n }));
        };
        if hash != seen {
            return Ok(Some(Finding::Restamped { after: 0, at: n }));
        }
        let entry = self.log_entry(n).await?;
        let follows = |entry: &Entry, before: Hash| before.then(&entry.body) == entry.hash;
        let is_altered =
            entry.zip(self.log_hash_before(n).await?).is_some_and(|(entry, before)| !follows(&entry, before));
        Ok(is_altered.then_some(Finding::Altered { n }))
    }

    /// Cuts off the oldest entries, those from before a time, as far as no open write needs them and no run is cut in
    /// two. What is left follows from what was cut off, and says so.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn cut_log(&mut self, before: Timestamp, run: &RunId, now: Timestamp) -> Result<Option<u64>, StoreError> {
        let is_due = self.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM event INDEXED BY event_at WHERE at_ms < ?1)";
            Ok(connection.query_row(sql, [before.as_millisecond()], |row| row.get::<_, bool>(0))?)
        })?;
        if !is_due {
            return Ok(None);
        }
        transact(&mut self.connection, |transaction| {
            let sql = "SELECT min(n) FROM event INDEXED BY event_at WHERE at_ms >= ?1";
            let recent: Option<i64> = transaction.query_row(sql, [before.as_millisecond()], |row| row.get(0))?;
            let Some(beginning) = Beginning::at(transaction, recent, CUT_MAX)? else { return Ok(None) };
            let through = beginning.through;
            transaction.execute("INSERT INTO log_start (n, hash) VALUES (?1, ?2)", (through, beginning.hash.0))?;
            transaction.execute("DELETE FROM event WHERE n <= ?1", [through])?;
            transaction.execute("DELETE FROM write WHERE intent_n <= ?1", [through])?;
            // What is logged once, as long as it stays so, is logged again.
            transaction.execute("DELETE FROM memory WHERE key IN (?1, ?2)", [OPEN_DIFFERENCES, LISTED])?;
            journal::append(transaction, journal::head(transaction)?, &beginning.told(run, now))?;
            Ok(Some(beginning.entries))
        })
        .map_err(|fault| fault.explained(&self.file))
    }

    /// How many entries the log has, and the bytes of what they say.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_size(&self) -> Result<(u64, u64), StoreError> {
        self.read(|connection| {
            let sql = "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM event";
            Ok(connection.query_row(sql, [], |row| Ok((number(row.get(0)?), number(row.get(1)?))))?)
        })
    }
}

/// Where a log is to begin that does not begin there yet.
pub(super) struct Beginning {
    /// The last entry that it is without.
    pub(super) through: i64,
    pub(super) hash: Hash,
    /// How many it is without.
    entries: u64,
}

impl Beginning {
    /// The last place at or before an entry where the log can begin, so that no open write needs what comes before and
    /// no run is cut in two; for no entry, the end of the log. It leaves out no more than so many entries; nothing
    /// where it leaves out none.
    pub(super) fn at(connection: &Connection, wanted: Option<i64>, max: i64) -> Result<Option<Self>, Fault> {
        let one = |sql: &str, value: i64| -> Result<Option<i64>, Fault> {
            Ok(connection.prepare_cached(sql)?.query_row([value], |row| row.get(0))?)
        };
        let first = one("SELECT min(n) FROM event WHERE n > ?1", 0)?.unwrap_or(i64::MAX);
        let needed = "SELECT min(intent_n) FROM write WHERE intent_n > ?1 AND (status IN ('intended', 'unknown')
                      OR status = 'absent' AND page_id NOT IN (SELECT page_id FROM link))";
        let needed = one(needed, 0)?;
        let (last, _) = journal::head(connection)?;
        let end = [wanted, needed, Some(last), first.checked_add(max)].into_iter().flatten().min().unwrap_or(first);
        // The run that the first entry to keep belongs to is kept whole.
        let whole = "SELECT min(n) FROM event WHERE run_id = (SELECT run_id FROM event WHERE n = ?1)";
        let end = one(whole, end)?.unwrap_or(end).min(end);
        if end <= first {
            return Ok(None);
        }
        let through = end - 1;
        let sql = "SELECT hash FROM event WHERE n = ?1";
        let hash = Hash(connection.query_row(sql, [through], |row| row.get(0))?);
        Ok(Some(Self { through, hash, entries: number(end - first) }))
    }

    /// What the log says of it.
    pub(super) fn told(&self, run: &RunId, now: Timestamp) -> Event {
        let Self { through, hash, entries } = self;
        let what = What::Cut { through: number(*through), hash: hash.to_string(), entries: *entries };
        Event { run: *run, at: now, what }
    }
}

/// The number and the hash that the first entry follows from.
fn start(connection: &Connection) -> Result<(u64, Hash), Fault> {
    let sql = "SELECT n, hash FROM log_start ORDER BY n DESC LIMIT 1";
    let start = connection.query_row(sql, [], |row| Ok((number(row.get(0)?), Hash(row.get(1)?)))).optional()?;
    Ok(start.unwrap_or((0, Hash::START)))
}

/// True where an event is about a change, and names the page itself.
fn is_of_a_change(what: &What) -> bool {
    matches!(what, What::Decided { .. } | What::DifferenceEnded { .. })
}

/// The change that an event is about.
fn change_of(event: &Event) -> Option<&ChangeId> {
    match &event.what {
        What::Decided { change, .. }
        | What::DecisionEnded { change, .. }
        | What::DifferenceEnded { change, .. }
        | What::Approved { change, .. }
        | What::Applied { change }
        | What::Failed { change, .. }
        | What::Begun { change, .. }
        | What::NotStarted { change, .. } => Some(change),
        _ => None,
    }
}

/// What the page of an event is called, and which it is.
fn named(event: &Event) -> Option<(Kind, Raw, PageId)> {
    match &event.what {
        What::Difference(difference) => Some((difference.kind, difference.name.clone(), difference.page)),
        What::Intent { request, was, .. } => Some((request.kind(), was.name.clone(), request.page())),
        _ => None,
    }
}

fn words(connection: &Connection, sql: &str, value: &str) -> Result<Vec<String>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let words = statement.query_map([value], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(words)
}

/// Numbers of entries are never negative.
fn number(n: i64) -> u64 {
    n.unsigned_abs()
}

fn entry(row: &SqlRow<'_>) -> Result<Entry, Fault> {
    let level: u8 = row.get(3)?;
    let word = |column: usize| row.get::<_, Option<String>>(column);
    Ok(Entry {
        n: number(row.get(0)?),
        body: row.get(1)?,
        hash: Hash(row.get(2)?),
        level: Level::VARIANTS.get(usize::from(level)).copied().unwrap_or(Level::Error),
        page: word(4)?.map(from_word).transpose()?,
        object: word(5)?.map(from_word).transpose()?,
        change: word(6)?.and_then(|word| word.parse().ok()),
    })
}

/// The statement for a selection. The way that finds the fewest rows is named, since the planner has no statistics;
/// nothing where there can be no entry.
fn query(
    connection: &Connection,
    selection: &Selection,
    toward: Toward,
) -> Result<Option<(String, Vec<SqlValue>)>, Fault> {
    let Selection { run, about, kinds, level, since, until } = selection;
    let (order, mut tests, mut parameters) = match toward {
        Toward::Beginning(n) => ("DESC", vec!["n <= ?".to_owned()], vec![bounded(n)]),
        Toward::End(n) => ("ASC", vec!["n >= ?".to_owned()], vec![bounded(n)]),
    };
    let grave = level.filter(|level| *level >= Level::Warn);
    let way = match (run, about, grave, kinds.len()) {
        (Some(_), ..) => "INDEXED BY event_run",
        (None, Some(_), ..) => "",
        (None, None, Some(_), _) => "INDEXED BY event_grave",
        (None, None, None, 1) => "INDEXED BY event_kind",
        _ => "NOT INDEXED",
    };
    let mut test = |text: String, values: Vec<SqlValue>| {
        tests.push(text);
        parameters.extend(values);
    };
    if let Some(run) = run {
        test("run_id = ?".into(), vec![run.to_string().into()]);
    }
    if let Some(Entity { pages, objects, .. }) = about {
        let marks = |count: usize| vec!["?"; count].join(", ");
        let values = pages.iter().map(ToString::to_string).chain(objects.iter().map(ToString::to_string));
        let text = format!("(page_id IN ({}) OR clockify_id IN ({}))", marks(pages.len()), marks(objects.len()));
        test(text, values.map(SqlValue::from).collect());
    }
    if grave.is_some() {
        test("level >= 2".into(), Vec::new());
    }
    if let Some(level) = level {
        test("level >= ?".into(), vec![i64::from(*level as u8).into()]);
    }
    if !kinds.is_empty() {
        let marks = vec!["?"; kinds.len()].join(", ");
        let plus = if kinds.len() == 1 { "" } else { "+" };
        test(format!("{plus}kind IN ({marks})"), kinds.iter().map(|kind| (*kind).to_owned().into()).collect());
    }
    // By the index of times it is known at once where they begin and end; a clock that was set back makes that only
    // wider.
    for (time, comparison, end, bound) in [(since, ">=", "min", ">="), (until, "<", "max", "<=")] {
        let Some(time) = time else { continue };
        let sql = format!("SELECT {end}(n) FROM event INDEXED BY event_at WHERE at_ms {comparison} ?1");
        let n: Option<i64> = connection.prepare_cached(&sql)?.query_row([time.as_millisecond()], |row| row.get(0))?;
        let Some(n) = n else { return Ok(None) };
        test(format!("n {bound} ?"), vec![n.into()]);
        test(format!("at_ms {comparison} ?"), vec![time.as_millisecond().into()]);
    }
    let tests = tests.join(" AND ");
    let columns = "n, body, hash, level, page_id, clockify_id, change_id";
    Ok(Some((format!("SELECT {columns} FROM event {way} WHERE {tests} ORDER BY n {order}"), parameters)))
}

fn bounded(n: u64) -> SqlValue {
    i64::try_from(n).unwrap_or(i64::MAX).into()
}

/// The runs of which the list says something else than their events.
fn runs_that_differ(connection: &Connection) -> Result<Vec<RunId>, Fault> {
    let start: i64 = connection.query_row("SELECT max(n) FROM log_start", [], |row| row.get(0))?;
    let mut started: HashMap<RunId, (String, String, String, String)> = HashMap::new();
    // How, and whether with a report.
    let mut ended: HashMap<RunId, (End, bool)> = HashMap::new();
    let mut statement = connection
        .prepare("SELECT body FROM event INDEXED BY event_kind WHERE kind IN ('run_started', 'run_ended')")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // What cannot be read has been told.
        let Ok(Event { run, at: _, what }) = audit::read(&row.get::<_, String>(0)?) else { continue };
        match what {
            What::RunStarted { trigger, by, version, rules, .. } => {
                started.insert(run, (trigger, by, version, rules));
            }
            What::RunEnded { outcome, totals } => {
                ended.insert(run, (outcome, totals.is_some()));
            }
            _ => {}
        }
    }
    let mut differ = Vec::new();
    for record in journal::runs(connection, usize::MAX)? {
        let told = (record.trigger, record.by, record.version, record.rules_hash);
        let is_ended = record.end.is_some();
        let (outcome, report) = record.end.map(|end| (end.outcome, end.report)).unzip();
        let report = report.flatten();
        let begins = started.remove(&record.id);
        let ends = ended.remove(&record.id);
        let same = match (&begins, &ends) {
            // A crash can come between an event and the list.
            (Some(begins), Some((ends, _))) => {
                *begins == told && outcome.as_ref().is_none_or(|outcome| outcome == ends)
            }
            (Some(begins), None) => *begins == told && !is_ended,
            // Its beginning was cut off, or it crashed before it began.
            (None, Some(_)) => false,
            (None, None) => !is_ended || start > 0,
        };
        let has_report = report.is_some() || is_ended && ends.is_some_and(|(_, has_totals)| has_totals);
        let replayed = if same && begins.is_some() && has_report {
            let sql = "SELECT body FROM event INDEXED BY event_run WHERE run_id = ?1 ORDER BY n";
            replay(&journal::bodies(connection, sql, [record.id])?)
        } else {
            report.clone()
        };
        let agrees = match (&replayed, &report) {
            (Some(replayed), Some(kept)) => replayed.agrees_with(kept),
            (replayed, kept) => replayed.is_none() && kept.is_none(),
        };
        if !same || !agrees {
            differ.push(record.id);
        }
    }
    // What has begun, and is not in the list.
    differ.extend(started.into_keys());
    Ok(differ)
}
