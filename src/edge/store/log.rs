//! The journal as a log: found by what it is about, read from either end, followed through its chain, and cut off at
//! its beginning.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
};

use jiff::Timestamp;
use strum::VariantArray;

use super::{
    Fault, Store, StoreError, context,
    database::{Database, Row},
    from_json, from_word, journal,
    value::{Value as Given, values},
    words,
};
use crate::domain::{
    audit::{self, Checkpoint, Finding, Findings, Hash, Labels, Level, StoredEntry, Verifier},
    ending::End,
    journal::{Event, RunId, What},
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
/// Entries that are read at once: few at first, since whoever looks has mostly seen enough soon.
const PORTION_FIRST: usize = 64;
const PORTION_MAX: usize = 4096;

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
    /// Those that may hold each of these: in lower case for what their lines and bodies contain, or a name in its loose
    /// form. Some may not, so whoever gets them looks.
    pub holding: Vec<String>,
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
        self.read(async |database| {
            let first = database.first("SELECT n FROM event ORDER BY n LIMIT 1", &[], |row| row.number(0)).await?;
            let last = database.first("SELECT n FROM event ORDER BY n DESC LIMIT 1", &[], |row| row.number(0)).await?;
            Ok(first.zip(last).map(|(first, last)| (number(first), number(last))))
        })
        .await
    }

    /// The number and the hash of the last entry, for a checkpoint.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_head(&self) -> Result<(u64, Hash), StoreError> {
        self.read(async |database| journal::head(database).await.map(|(n, hash)| (number(n), hash))).await
    }

    /// The number and the hash that the first entry follows from.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_start(&self) -> Result<(u64, Hash), StoreError> {
        self.read(async |database| journal::start(database).await.map(|(n, hash)| (number(n), hash))).await
    }

    /// The hash of the entry before a number, or what the log begins after; nothing where there is neither.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_hash_before(&self, n: u64) -> Result<Option<Hash>, StoreError> {
        let sql = "SELECT hash FROM event WHERE n = ?1 UNION ALL SELECT hash FROM log_start WHERE n = ?1 LIMIT 1";
        let before = signed(n.saturating_sub(1));
        self.read(async |database| database.first(sql, &values![before], |row| Ok(Hash(row.bytes(0)?))).await).await
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
        let mut portion = PORTION_FIRST;
        for (mut from, mut to) in self.read(async |database| spans(database, selection, toward).await).await? {
            loop {
                let (sql, values) = query(selection, toward, (from, to));
                let sql = format!("{sql} LIMIT {portion}");
                let entries = self.read(async |database| database.all(&sql, &values, entry).await).await?;
                let is_last = entries.len() < portion;
                for entry in entries {
                    match toward {
                        Toward::Beginning(_) => to = signed(entry.n) - 1,
                        Toward::End(_) => from = signed(entry.n) + 1,
                    }
                    if visit(entry).await.is_break() {
                        return Ok(());
                    }
                }
                if is_last {
                    break;
                }
                portion = (portion * 4).min(PORTION_MAX);
            }
        }
        Ok(())
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
        self.read(async |database| context::of(database, event).await).await
    }

    /// A page or an object with all that belonged together with it, now or before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn entity(&self, page: Option<PageId>, object: Option<ObjectId>) -> Result<Entity, StoreError> {
        self.read(async |database| {
            let mut entity =
                Entity { pages: page.into_iter().collect(), objects: object.into_iter().collect(), ..Entity::default() };
            if let Some(object) = object {
                let sql =
                    "SELECT page_id FROM link WHERE clockify_id = ?1 UNION SELECT page_id FROM tombstone WHERE clockify_id = ?1
                           UNION SELECT page_id FROM event WHERE clockify_id = ?1 AND page_id IS NOT NULL";
                let pages: Vec<PageId> = database.all(sql, &values![object.as_str()], |row| from_word(row.text(0)?)).await?;
                entity.pages.extend(pages);
            }
            for page in entity.pages.clone() {
                let sql =
                    "SELECT clockify_id FROM link WHERE page_id = ?1 UNION SELECT clockify_id FROM tombstone WHERE page_id = ?1
                           UNION SELECT clockify_id FROM event WHERE page_id = ?1 AND clockify_id IS NOT NULL";
                let objects: Vec<ObjectId> = database.all(sql, &values![page], |row| from_word(row.text(0)?)).await?;
                entity.objects.extend(objects);
                let sql =
                    "SELECT body FROM event WHERE page_id = ?1 AND +kind IN ('intent', 'difference') ORDER BY n DESC LIMIT 1";
                let name = |row: &Row<'_>| Ok(audit::read(row.text(0)?).ok().and_then(|event| context::named(&event)));
                if let Some((kind, name, _)) = database.first(sql, &values![page], name).await?.flatten() {
                    (entity.kind, entity.name) = (Some(kind), name);
                }
            }
            Ok(entity)
        })
        .await
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
        self.read(async |database| {
            let each = |row: &Row<'_>| {
                let base = row.text(1)?;
                if lacks(base, &wanted) {
                    return Ok(());
                }
                let base: Base = from_json(base)?;
                if let Some(Value::Text(text)) = base.get(Field::Name).map(crate::domain::model::Agreed::notion) {
                    found_any = hold(from_word(row.text(0)?)?, text);
                }
                Ok(())
            };
            database.each("SELECT page_id, base FROM link", &[], each).await
        })
        .await?;
        // What was never written may still have been found to differ, in every run: that is looked through last.
        for kind in ["intent", "difference"] {
            if kind == "difference" && found_any {
                break;
            }
            let selection = Selection { kinds: [kind].into(), holding: vec![wanted.clone()], ..Selection::default() };
            self.visit_log(&selection, Toward::End(0), async |entry| {
                if let Ok(event) = entry.event() {
                    for (page, name) in context::names(&event) {
                        found_any = hold(page, name);
                    }
                }
                ControlFlow::Continue(())
            })
            .await?;
        }
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
        self.read(async |database| {
            let (n, hash) = journal::start(database).await?;
            let mut verifier = Verifier::new((number(n), hash), checkpoints.to_vec());
            let sql = "SELECT n, body, hash, level, page_id, clockify_id, change_id, run_id, at_ms, kind FROM event ORDER BY n";
            let follow = |row: &Row<'_>| {
                let Entry { n, body, hash, level, page, object, change } = entry(row)?;
                let kind = row.text(9)?;
                // A word that is none of ours fits no event.
                let kind = What::WORDS.iter().copied().find(|word| *word == kind).unwrap_or_default();
                let run = row.text(7)?.parse().unwrap_or_default();
                let labels = Labels { run, at_ms: row.number(8)?, kind, level, page, object, change };
                verifier.follow(&StoredEntry { n, body: &body, hash, previous: None, labels: Some(labels) });
                Ok(())
            };
            database.each(sql, &[], follow).await?;
            let mut verdict = verifier.finish();
            for run in runs_that_differ(database).await? {
                verdict.find(Finding::RunAltered { run });
            }
            Ok(verdict)
        })
        .await
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
        let sql = "SELECT n FROM event INDEXED BY event_at WHERE at_ms < ?1 LIMIT 1";
        let due = self.read(async |database| database.first(sql, &values![before], |row| row.number(0)).await).await?;
        if due.is_none() {
            return Ok(None);
        }
        self.write(async |database| {
            let sql = "SELECT min(n) FROM event INDEXED BY event_at WHERE at_ms >= ?1";
            let recent = database.one(sql, &values![before], |row| row.number_if_any(0)).await?;
            let Some(beginning) = Beginning::at(database, recent, CUT_MAX).await? else { return Ok(None) };
            let (through, hash) = (beginning.through, &beginning.hash.0);
            database.execute("INSERT INTO log_start (n, hash) VALUES (?1, ?2)", &values![through, hash]).await?;
            database.execute("DELETE FROM event WHERE n <= ?1", &values![through]).await?;
            database.execute("DELETE FROM write WHERE intent_n <= ?1", &values![through]).await?;
            // What is logged once, as long as it stays so, is logged again.
            database.execute("DELETE FROM memory WHERE key IN (?1, ?2)", &values![OPEN_DIFFERENCES, LISTED]).await?;
            journal::append(database, &[beginning.told(run, now)]).await?;
            words::keep_up(database, 1).await?;
            Ok(Some(beginning.entries))
        })
        .await
    }

    /// How many entries the log has, and the bytes of what they say.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn log_size(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM event";
        let size = |row: &Row<'_>| Ok((number(row.number(0)?), number(row.number(1)?)));
        self.read(async |database| database.one(sql, &[], size).await).await
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
    pub(super) async fn at(database: &Database, wanted: Option<i64>, max: i64) -> Result<Option<Self>, Fault> {
        let one = async |sql: &str, value: i64| database.one(sql, &values![value], |row| row.number_if_any(0)).await;
        let first = one("SELECT min(n) FROM event WHERE n > ?1", 0).await?.unwrap_or(i64::MAX);
        let needed = "SELECT min(intent_n) FROM write WHERE intent_n > ?1 AND (status IN ('intended', 'unknown')
                      OR status = 'absent' AND page_id NOT IN (SELECT page_id FROM link))";
        let needed = one(needed, 0).await?;
        let (last, _) = journal::head(database).await?;
        let end = [wanted, needed, Some(last), first.checked_add(max)].into_iter().flatten().min().unwrap_or(first);
        // The run that the first entry to keep belongs to is kept whole.
        let whole = "SELECT min(n) FROM event WHERE run_id = (SELECT run_id FROM event WHERE n = ?1)";
        let end = one(whole, end).await?.unwrap_or(end).min(end);
        if end <= first {
            return Ok(None);
        }
        let through = end - 1;
        let sql = "SELECT hash FROM event WHERE n = ?1";
        let hash = database.one(sql, &values![through], |row| Ok(Hash(row.bytes(0)?))).await?;
        Ok(Some(Self { through, hash, entries: number(end - first) }))
    }

    /// What the log says of it.
    pub(super) fn told(&self, run: &RunId, now: Timestamp) -> Event {
        let Self { through, hash, entries } = self;
        let what = What::Cut { through: number(*through), hash: hash.to_string(), entries: *entries };
        Event { run: *run, at: now, what }
    }
}

/// Numbers of entries are never negative.
fn number(n: i64) -> u64 {
    n.unsigned_abs()
}

fn entry(row: &Row<'_>) -> Result<Entry, Fault> {
    let level = usize::try_from(row.number(3)?).ok().and_then(|level| Level::VARIANTS.get(level));
    Ok(Entry {
        n: number(row.number(0)?),
        body: row.text(1)?.to_owned(),
        hash: Hash(row.bytes(2)?),
        level: level.copied().unwrap_or(Level::Error),
        page: row.text_if_any(4)?.map(from_word).transpose()?,
        object: row.text_if_any(5)?.map(from_word).transpose()?,
        change: row.text_if_any(6)?.and_then(|word| word.parse().ok()),
    })
}

/// Where the selected entries are, by number, in the order in which they are visited: from one to another, both
/// inclusive.
async fn spans(database: &Database, selection: &Selection, toward: Toward) -> Result<Vec<(i64, i64)>, Fault> {
    let Selection { run, about, since, until, holding, .. } = selection;
    let (mut first, mut last) = match toward {
        Toward::Beginning(n) => (0, signed(n)),
        Toward::End(n) => (signed(n), i64::MAX),
    };
    // By the index of times it is known at once where they begin and end; a clock that was set back makes that only
    // wider.
    for (time, comparison, end) in [(since, ">=", "min"), (until, "<", "max")] {
        let Some(time) = *time else { continue };
        let sql = format!("SELECT {end}(n) FROM event INDEXED BY event_at WHERE at_ms {comparison} ?1");
        let n = database.one(&sql, &values![time], |row| row.number_if_any(0)).await?;
        let Some(n) = n else { return Ok(Vec::new()) };
        if end == "min" { first = first.max(n) } else { last = last.min(n) }
    }
    // What is of a run, or about a page, is found by that.
    let mut spans = if holding.is_empty() || run.is_some() || about.is_some() {
        vec![(first, last)]
    } else {
        words::spans(database, holding).await
    };
    spans.retain_mut(|(from, to)| {
        (*from, *to) = (first.max(*from), last.min(*to));
        from <= to
    });
    if matches!(toward, Toward::Beginning(_)) {
        spans.reverse();
    }
    Ok(spans)
}

/// The statement for the selected entries from one to another. The way that finds the fewest rows is named, since the
/// planner has no statistics.
fn query(selection: &Selection, toward: Toward, (from, to): (i64, i64)) -> (String, Vec<Given<'static>>) {
    let Selection { run, about, kinds, level, since, until, holding: _ } = selection;
    let mut given = Vec::new();
    // Holds a value for the statement, and says what stands for it there.
    let mut mark = |value: Given<'static>| {
        given.push(value);
        format!("?{}", given.len())
    };
    let order = match toward {
        Toward::Beginning(_) => "DESC",
        Toward::End(_) => "ASC",
    };
    // A page or an object has few entries, which its labels find.
    let plus = if about.is_some() { "+" } else { "" };
    let mut tests = vec![format!("{plus}n >= {} AND {plus}n <= {}", mark(from.into()), mark(to.into()))];
    let grave = level.filter(|level| *level >= Level::Warn);
    let way = match (run, about, grave, kinds.len()) {
        (Some(_), ..) => "INDEXED BY event_run",
        (None, Some(_), ..) => "",
        (None, None, Some(_), _) => "INDEXED BY event_grave",
        (None, None, None, 1) => "INDEXED BY event_kind",
        _ => "NOT INDEXED",
    };
    if let Some(run) = run {
        tests.push(format!("run_id = {}", mark(run.to_string().into())));
    }
    if let Some(Entity { pages, objects, .. }) = about {
        let pages: Vec<String> = pages.iter().map(|page| mark((*page).into())).collect();
        let objects: Vec<String> = objects.iter().map(|object| mark(object.to_string().into())).collect();
        let any_of = |column: &str, marks: &[String]| {
            Some(format!("{column} IN ({})", marks.join(", "))).filter(|_| !marks.is_empty())
        };
        let any = [any_of("page_id", &pages), any_of("clockify_id", &objects)];
        let any: Vec<String> = any.into_iter().flatten().collect();
        tests.push(if any.is_empty() { "false".to_owned() } else { format!("({})", any.join(" OR ")) });
    }
    if grave.is_some() {
        tests.push("level >= 2".to_owned());
    }
    if let Some(level) = level {
        tests.push(format!("level >= {}", mark(u32::from(*level as u8).into())));
    }
    if !kinds.is_empty() {
        let marks: Vec<String> = kinds.iter().map(|kind| mark((*kind).into())).collect();
        let plus = if kinds.len() == 1 { "" } else { "+" };
        tests.push(format!("{plus}kind IN ({})", marks.join(", ")));
    }
    for (time, comparison) in [(since, ">="), (until, "<")] {
        if let Some(time) = *time {
            tests.push(format!("at_ms {comparison} {}", mark(time.into())));
        }
    }
    let tests = tests.join(" AND ");
    let columns = "n, body, hash, level, page_id, clockify_id, change_id";
    (format!("SELECT {columns} FROM event {way} WHERE {tests} ORDER BY n {order}"), given)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// True where a base, as it is stored, surely has no name that contains another in its loose form: names in printable
/// ASCII without an escape differ from that by case and spaces alone.
fn lacks(base: &str, wanted: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\';
    if !base.bytes().all(is_plain) {
        return false;
    }
    let letters = base.chars().filter(|letter| *letter != ' ').map(|letter| letter.to_ascii_lowercase());
    !letters.collect::<String>().contains(wanted)
}

/// The runs of which the list says something else than their events.
async fn runs_that_differ(database: &Database) -> Result<Vec<RunId>, Fault> {
    let (start, _) = journal::start(database).await?;
    let mut started: HashMap<RunId, (String, String, String, String)> = HashMap::new();
    // How, and whether with a report.
    let mut ended: HashMap<RunId, (End, bool)> = HashMap::new();
    let sql = "SELECT body FROM event INDEXED BY event_kind WHERE kind IN ('run_started', 'run_ended')";
    let each = |row: &Row<'_>| {
        // What cannot be read has been told.
        let Ok(Event { run, at: _, what }) = audit::read(row.text(0)?) else { return Ok(()) };
        match what {
            What::RunStarted { trigger, by, version, rules, .. } => {
                started.insert(run, (trigger, by, version, rules));
            }
            What::RunEnded { outcome, totals } => {
                ended.insert(run, (outcome, totals.is_some()));
            }
            _ => {}
        }
        Ok(())
    };
    database.each(sql, &[], each).await?;
    let mut differ = Vec::new();
    for record in journal::runs(database, usize::MAX).await? {
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
            replay(&journal::bodies(database, sql, &values![&record.id]).await?)
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
