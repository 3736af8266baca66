//! What the log is found by: of each stretch of it a filter (Bloom's) of the few letters in a row that its entries and
//! their lines hold. The filters only rule stretches out. What they leave is looked through as all of the log would be,
//! and so is what has no filter, has one that is damaged, or one of another program, which may tell lines otherwise.
//!
//! ```text
//! n    1 ───────── 118 │ 119 ───── 240 │ 241 ── 260 │ 261 …
//!      filter, full    │ filter, full  │ filter     │ not taken up yet: looked through
//! ```
//!
//! An entry's line also says what it is about, which stands in another entry. Of that the last one counts, so when one is
//! appended, those that were about the same change before get its words as well.

use std::sync::LazyLock;

use super::{
    Fault, Store, StoreError, context,
    database::{Database, Row},
    value::values,
};
use crate::domain::{
    audit::{self, told},
    journal::{Event, RunId, What},
};

/// Bits of a filter: two of them fit into one page of the database.
const FILTER_BITS: u32 = 15_872;
const FILTER_BYTES: usize = FILTER_BITS as usize / 8;
/// Bits of a filter for each gram.
const PROBES: u64 = 6;
/// Bits that are set in a filter that takes no more entries: with half of them, one in 64 grams seems to be there that is
/// not. In tests each entry has a filter of its own, so that all is ruled out that ever can be.
const FULL: u32 = if cfg!(test) { 1 } else { FILTER_BITS / 2 };
/// Older entries that are taken up beside those that are appended, so that no transaction takes long: some 40 ms.
const CAUGHT_UP: usize = 2000;

/// What tells whose filters these are: the words of lines, and what is a letter, may be others in another version.
static MAKER: LazyLock<String> = LazyLock::new(|| format!("{} {:?}", env!("CARGO_PKG_VERSION"), char::UNICODE_VERSION));

/// The filters, and what finds those that are about a change. All of it can be made anew from the log.
pub(super) const SCHEMA: &str = "CREATE TABLE words (
       first  INTEGER PRIMARY KEY, -- the first entry of the stretch
       last   INTEGER NOT NULL,
       maker  TEXT    NOT NULL,    -- the program whose filter it is
       sum    INTEGER NOT NULL,    -- of the rest, so that damage shows
       filter BLOB    NOT NULL
     ) STRICT;
     CREATE INDEX event_change ON event (change_id) WHERE change_id IS NOT NULL AND kind <> 'difference';";

/// The entries that may hold all of some texts, by number, in their order: from one to another, both inclusive.
pub(super) type Spans = Vec<(i64, i64)>;

/// All entries.
const ALL: (i64, i64) = (0, i64::MAX);

/// A stretch of the log with its filter.
struct Stretch {
    first: i64,
    last: i64,
    bits: Box<[u8; FILTER_BYTES]>,
}

impl Stretch {
    const COLUMNS: &str = "first, last, maker, sum, filter";

    fn beginning(n: i64) -> Self {
        Self { first: n, last: n, bits: Box::new([0; FILTER_BYTES]) }
    }

    /// The stretch in a row; nothing where it is damaged or of another program.
    fn read(row: &Row<'_>) -> Option<Self> {
        let (first, last, bits) = (row.number(0).ok()?, row.number(1).ok()?, row.bytes(4).ok()?);
        let is_sound = row.text(2).ok()? == MAKER.as_str() && row.number(3).ok()? == sum(first, last, &bits);
        is_sound.then(|| Self { first, last, bits: Box::new(bits) })
    }

    fn is_full(&self) -> bool {
        self.bits.iter().map(|byte| byte.count_ones()).sum::<u32>() >= FULL
    }

    fn add(&mut self, text: &str) {
        grams(text, |gram| {
            for bit in probes(gram) {
                self.bits[bit / 8] |= 1 << (bit % 8);
            }
        });
    }

    async fn save(&self, database: &Database) -> Result<(), Fault> {
        let Self { first, last, bits } = self;
        let sql = "INSERT INTO words (first, last, maker, sum, filter) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (first) DO UPDATE SET last = excluded.last, sum = excluded.sum, filter = excluded.filter";
        let sum = sum(*first, *last, bits.as_slice());
        database.execute(sql, &values![*first, *last, MAKER.as_str(), sum, bits.as_ref()]).await?;
        Ok(())
    }
}

/// A sum by which damage shows.
fn sum(first: i64, last: i64, bits: &[u8]) -> i64 {
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let (words, rest) = bits.as_chunks::<8>();
    let start = step(step(rest.len() as u64, first.cast_unsigned()), last.cast_unsigned());
    words.iter().fold(start, |sum, word| step(sum, u64::from_le_bytes(*word))).cast_signed()
}

/// A few characters in a row; those in front are missing where it is shorter.
type Gram = [char; 4];

/// The grams of a text, each as often as it is there: what contains the text has all of them. Signs and spaces are all
/// the same, and what is mostly these is left out; short ones are for short words, and for scripts that write a word
/// with two characters.
fn grams(text: &str, mut each: impl FnMut(Gram)) {
    let mut last: Gram = ['\0'; 4];
    for character in text.chars() {
        last.rotate_left(1);
        last[3] = if character.is_alphanumeric() { character } else { ' ' };
        let [_, b, c, d] = last;
        if last.iter().all(|character| *character != '\0') && last.iter().filter(|at| **at != ' ').count() >= 3 {
            each(last);
        }
        if [b, c, d].iter().all(|character| character.is_alphabetic()) {
            each(['\0', b, c, d]);
        }
        if [c, d].iter().all(|character| !character.is_ascii() && character.is_alphabetic()) {
            each(['\0', '\0', c, d]);
        }
    }
}

/// The bits of a gram.
fn probes([a, b, c, d]: Gram) -> impl Iterator<Item = usize> {
    let of = |character: char| u64::from(character);
    let mut hash = (of(a) | of(b) << 21 | of(c) << 42).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ of(d);
    for factor in [0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB_u64] {
        hash = (hash ^ hash >> 31).wrapping_mul(factor);
    }
    hash ^= hash >> 32;
    let step = hash >> 32 | 1;
    (0..PROBES).map(move |at| {
        let probe = hash.wrapping_add(at.wrapping_mul(step)) & 0xFFFF_FFFF;
        usize::try_from((probe * u64::from(FILTER_BITS)) >> 32).unwrap_or_default()
    })
}

/// Where entries can be that hold all of some texts. Where there is no index, or it cannot be read, that is anywhere.
pub(super) async fn spans(database: &Database, texts: &[String]) -> Spans {
    find(database, texts).await.unwrap_or_else(|_| vec![ALL])
}

async fn find(database: &Database, texts: &[String]) -> Result<Spans, Fault> {
    let mut wanted = Vec::new();
    for text in texts {
        grams(text, |gram| wanted.extend(probes(gram)));
    }
    if wanted.is_empty() || !has_index(database) {
        return Ok(vec![ALL]);
    }
    let mut spans = Spans::new();
    let mut span = |from: i64, to: i64| match spans.last_mut() {
        _ if from > to => {}
        Some((_, end)) if *end >= from - 1 => *end = to,
        _ => spans.push((from, to)),
    };
    let mut next = ALL.0;
    let each = |row: &Row<'_>| {
        let Some(Stretch { first, last, bits }) = Stretch::read(row) else { return Ok(()) };
        span(next, first - 1);
        if wanted.iter().all(|bit| bits[bit / 8] & 1 << (bit % 8) != 0) {
            span(first.max(next), last);
        }
        next = next.max(last + 1);
        Ok(())
    };
    database.each(&format!("SELECT {} FROM words ORDER BY first", Stretch::COLUMNS), &[], each).await?;
    span(next, ALL.1);
    Ok(spans)
}

/// True of a file, which has the index. A server looks through its log by itself.
fn has_index(database: &Database) -> bool {
    matches!(database, Database::Sqlite(_))
}

/// Takes up what was appended, so many entries, and some of what is older and not taken up yet; what was cut off goes.
/// Where the index cannot be written, it stays behind: the log is found without it.
pub(super) async fn keep_up(database: &Database, appended: usize) -> Result<(), Fault> {
    let is_undone = match database {
        Database::Sqlite(connection) => || connection.is_autocommit(),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => return Ok(()),
    };
    database.execute("SAVEPOINT words", &[]).await?;
    match extend(database, appended + CAUGHT_UP).await {
        Ok(_) => {}
        // The disk is full, or has failed: what was appended is not stored either.
        Err(fault) if fault.is_full() || is_undone() => return Err(fault),
        Err(_) => drop(database.execute("ROLLBACK TO words", &[]).await?),
    }
    database.execute("RELEASE words", &[]).await?;
    Ok(())
}

/// Takes up so many entries more, and returns how many there were.
async fn extend(database: &Database, max: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM words WHERE first <= ?1 AND last <= ?1";
    database.execute(sql, &values![start(database).await?]).await?;
    let (mut open, next) = end(database).await?;
    let sql = format!("SELECT n, body FROM event WHERE n >= ?1 ORDER BY n LIMIT {max}");
    let entries = database.all(&sql, &values![next], entry).await?;
    for (n, body) in &entries {
        let stretch = open.get_or_insert_with(|| Stretch::beginning(*n));
        stretch.last = *n;
        take_up(database, stretch, body).await?;
        if stretch.is_full() {
            stretch.save(database).await?;
            open = None;
        }
    }
    if let Some(stretch) = open.filter(|_| !entries.is_empty()) {
        stretch.save(database).await?;
    }
    Ok(entries.len())
}

fn entry(row: &Row<'_>) -> Result<(i64, String), Fault> {
    Ok((row.number(0)?, row.text(1)?.to_owned()))
}

/// The last stretch, where it takes more entries, and the first entry that is not taken up. What is there of another
/// program goes, and so does a last stretch that is damaged.
async fn end(database: &Database) -> Result<(Option<Stretch>, i64), Fault> {
    let sql = format!("SELECT {} FROM words ORDER BY first DESC LIMIT 1", Stretch::COLUMNS);
    let last = |row: &Row<'_>| Ok((row.number(0)?, row.text(2)? == MAKER.as_str(), Stretch::read(row)));
    match database.first(&sql, &[], last).await? {
        None => Ok((None, ALL.0)),
        Some((.., Some(stretch))) => {
            let next = stretch.last + 1;
            Ok((Some(stretch).filter(|stretch| !stretch.is_full()), next))
        }
        Some((first, is_ours, None)) => {
            let from = if is_ours { first } else { ALL.0 };
            database.execute("DELETE FROM words WHERE first >= ?1", &values![from]).await?;
            Ok((None, from))
        }
    }
}

/// Takes an entry up into a stretch.
async fn take_up(database: &Database, stretch: &mut Stretch, body: &str) -> Result<(), Fault> {
    stretch.add(&body.to_lowercase());
    let Ok(event) = audit::read(body) else {
        // How it is told follows from what this program cannot read of it: it is always looked at.
        stretch.bits.fill(0xFF);
        return Ok(());
    };
    stretch.add(&told(&event, None).to_lowercase());
    // What it is about in its own run, and what it is about once that has been cut off.
    let elsewhere = Event { run: RunId::default(), ..event.clone() };
    for run in [&event, &elsewhere] {
        if let Some(context) = context::of(database, run).await? {
            stretch.add(&told(&event, Some(&context)).to_lowercase());
        }
    }
    for (_, name) in context::names(&event) {
        stretch.add(&name.canonical().loose());
    }
    tell_former(database, stretch, &event).await
}

/// Those that were about the same change before a difference may be told by it from now on.
async fn tell_former(database: &Database, open: &mut Stretch, difference: &Event) -> Result<(), Fault> {
    let What::Difference(about) = &difference.what else { return Ok(()) };
    let sql = "SELECT n, body FROM event INDEXED BY event_change
               WHERE change_id = ?1 AND kind <> 'difference' AND n < ?2 ORDER BY n";
    for (n, body) in database.all(sql, &values![&about.change, open.last], entry).await? {
        let line = audit::line_of(&body, Some(difference)).1.to_lowercase();
        if n >= open.first {
            open.add(&line);
            continue;
        }
        let sql = format!("SELECT {} FROM words WHERE first <= ?1 ORDER BY first DESC LIMIT 1", Stretch::COLUMNS);
        let stretch = database.first(&sql, &values![n], |row| Ok(Stretch::read(row))).await?.flatten();
        if let Some(mut stretch) = stretch.filter(|stretch| n <= stretch.last) {
            stretch.add(&line);
            stretch.save(database).await?;
        }
    }
    Ok(())
}

impl Store {
    /// Makes what the log is found by anew where it is damaged, of another program, or not there; true where it was.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn mend_words(&mut self) -> Result<bool, StoreError> {
        if !has_index(&self.database) || is_whole(&self.database).await.unwrap_or_default() {
            return Ok(false);
        }
        self.write(async |database| {
            let drops = ["DROP TABLE IF EXISTS words", "DROP INDEX IF EXISTS event_change"];
            for sql in drops.into_iter().chain(SCHEMA.split_inclusive(';')) {
                database.execute(sql, &[]).await?;
            }
            Ok(())
        })
        .await?;
        while self.write(async |database| extend(database, CAUGHT_UP).await).await? == CAUGHT_UP {}
        Ok(true)
    }
}

/// The entry that the log begins after.
async fn start(database: &Database) -> Result<i64, Fault> {
    database.one("SELECT max(n) FROM log_start", &[], |row| row.number(0)).await
}

/// True where every entry has a sound filter.
async fn is_whole(database: &Database) -> Result<bool, Fault> {
    let last = database.one("SELECT max(n) FROM event", &[], |row| row.number_if_any(0)).await?;
    let mut covered = start(database).await?;
    let mut is_whole = true;
    let each = |row: &Row<'_>| {
        match Stretch::read(row) {
            Some(stretch) if stretch.first <= covered + 1 => covered = covered.max(stretch.last),
            _ => is_whole = false,
        }
        Ok(())
    };
    database.each(&format!("SELECT {} FROM words ORDER BY first", Stretch::COLUMNS), &[], each).await?;
    Ok(is_whole && last.is_none_or(|last| covered >= last))
}
