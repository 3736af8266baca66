//! Lists the pages of a data source, and judges whether the listing is whole.
//!
//! A listing walks through pages of 100 rows, oldest first, since edits cannot move a row in that order. Notion ends a
//! query at 10,000 rows; the walk then goes on in another window that begins where the last one ended (Notion docs,
//! query large data sources).

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json, value::RawValue};
use tokio::time::Instant;

use super::{
    Error, Notion, failed,
    filter::{any_of, only, open},
    lock,
    row::{PageRow, RowParts, read},
    schema::{Bound, Source},
};
use crate::{
    domain::{
        lanes::{Lane, Seam, lanes},
        model::{Fetched, Kind, Page, PageId, Problem, Walk, Weight},
        plan::sha256,
        rules::Holds,
        text::Raw,
        watermark::{Edits, WhyFull},
    },
    edge::http::{Answer, Failure, Repeat, Request},
};

/// Rows asked for at once; the most that Notion gives (Notion docs, pagination).
const PAGE_SIZE: usize = 100;
/// Pages of rows in one listing: two million rows, eight times what a data source is reported to hold, and what is shown
/// again where a query begins in the minute that the one before ended in.
const PAGES_MAX: usize = 25_000;
/// Rows that one query gives before it ends (Notion docs, query large data sources).
const QUERY_ROWS_MAX: usize = 10_000;
/// Pages that this takes, where each may hold fewer than were asked for.
const QUERY_PAGES_MAX: usize = 400;
/// Pages in a row without a row that was not shown before.
const PAGES_WITHOUT_NEW_MAX: usize = 2;
/// The form in which pages are kept; another one, and all are read again.
const ROW_FORMAT: u32 = 1;
/// Bytes of one row; a hundred times what a row with long texts has.
const ROW_BYTES_MAX: usize = 1 << 20;

/// Requests that it takes to list so many pages.
pub fn calls_for(pages: usize) -> usize {
    pages.div_ceil(PAGE_SIZE).max(1)
}

/// What a listing gave.
#[derive(Clone, Debug)]
pub struct Listed {
    pub pages: Fetched<Page>,
    /// What was noticed on the way.
    pub problems: Vec<Problem>,
    /// Options that are new in the property that closes pages, where the source was read again, and that count as open.
    pub new_options: Vec<Problem>,
    /// The source as it is now, where it was read again: to be remembered instead.
    pub refreshed: Option<Source>,
    /// Notion's time before it was asked, where it says so.
    pub began: Option<Timestamp>,
}

/// One page of rows or values. These and whether there are more must be said: what somebody else on the line answers is
/// no empty listing.
#[derive(Deserialize)]
pub(super) struct Rows {
    pub(super) results: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
    pub(super) has_more: bool,
    #[serde(default)]
    request_status: Json,
}

/// Which pages a walk asks for.
#[derive(Clone, Copy)]
enum Asked {
    /// Those in a lane.
    All(Lane),
    /// Those that were edited at this time or later, whether they are meant or not.
    EditedSince(Timestamp),
    /// The same, and all that are open.
    OpenOrEditedSince(Timestamp),
}

/// The pages that all walks of a listing have found.
#[derive(Default)]
struct Pile {
    walk: Walk<Page>,
    weight: Weight,
}

/// What a walk has shown besides the pages.
#[derive(Default)]
struct Shelf {
    problems: Vec<Problem>,
    /// Pages that are not meant, of those that were edited.
    not_meant: Vec<PageId>,
    /// Notion's time before it was asked.
    began: Option<Timestamp>,
}

/// How a walk ended.
enum Ended {
    Listed(Shelf),
    /// What Notion shows is not what it was asked for.
    Odd(WhyFull),
    /// The schema was read again and asks for another query.
    OtherSchema,
    /// The cursor died.
    LostCursor(Failure),
}

/// Why a walk in a lane stopped.
enum Stopped<'a> {
    Failed(Error),
    /// How it ended, and by what schema.
    Ended(Ended, Box<Schema<'a>>),
}

/// The schema that a walk reads by: the remembered one, until rows show that it is outdated.
#[derive(Clone)]
pub(super) struct Schema<'a> {
    source: Cow<'a, Source>,
    bound: Bound,
}

impl Schema<'_> {
    pub(super) fn into_source(self) -> Source {
        self.source.into_owned()
    }
}

impl Notion {
    /// Lists the pages of a data source, in lanes beside each other that meet at these seams. One call per 100 rows, and
    /// at most one more for each lane; one more when the remembered schema turns out to be
    /// outdated, or the mapping names groups of options; and one for each page that relates to more than 25 others.
    ///
    /// # Errors
    /// [`Error`]; above all [`Error::SchemaChanged`] where the mapping no longer fits. A listing that cannot be called
    /// complete is none, but a [`Fetched::Partial`] with the reason.
    pub async fn fetch(
        &self,
        kind: Kind,
        source: &Source,
        seams: &[Seam],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Listed, Error> {
        let mut schema = match self.bind(kind, source, None) {
            Ok(bound) if !bound.rests_on_groups() => Schema { source: Cow::Borrowed(source), bound },
            // The mapping may name what was added since.
            Ok(_) | Err(_) => self.refreshed(kind, source).await?,
        };
        let (mut lost_cursor, mut lanes, asked_at) = (false, lanes(seams), Instant::now());
        loop {
            let pile = Mutex::default();
            let ended = match lanes.as_slice() {
                [lane] => self.walk(kind, &mut schema, Asked::All(*lane), &pile, progress).await?,
                lanes => self.walk_lanes(kind, &mut schema, lanes, &pile, progress).await?,
            };
            match ended {
                Ended::Listed(Shelf { problems, began, .. }) => {
                    let pages = taken(pile).walk.finish();
                    let calls = calls_for(pages.rows().len());
                    lock(&self.listed)[kind] = super::Walked { began: Some(asked_at), calls: Some(calls) };
                    let refreshed = matches!(schema.source, Cow::Owned(_)).then(|| schema.source.into_owned());
                    let new_options =
                        refreshed.as_ref().map_or_else(Vec::new, |now| self.new_options(kind, source, now));
                    return Ok(Listed { pages, problems, new_options, refreshed, began });
                }
                // A service that shows other pages than a lane has may as well hide some that it has.
                Ended::Odd(_) if lanes.len() > 1 => lanes = vec![Lane::default()],
                Ended::Odd(_) => unreachable!("nothing that all pages can show is odd"),
                // Both happen once: a schema that was read again is not read a third time.
                Ended::OtherSchema => {}
                Ended::LostCursor(failure) if lost_cursor => {
                    return Err(failed(format!("the {}, whose listing broke off twice", kind.plural()), failure));
                }
                Ended::LostCursor(_) => lost_cursor = true,
            }
        }
    }

    /// Lists the pages that were edited at a time or later, by Notion's clock, and with that all open ones where that is
    /// asked for; `kept` pages are known besides. One call per 100 rows.
    ///
    /// # Errors
    /// [`Error`], where all pages could not be read either. Why all pages are to be read instead, where what Notion
    /// shows leaves doubt whether it is all that was edited.
    pub async fn fetch_edited(
        &self,
        kind: Kind,
        source: &Source,
        since: Timestamp,
        with_open: bool,
        kept: usize,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Result<Edits, WhyFull>, Error> {
        let mut schema = match self.bind(kind, source, None) {
            Ok(bound) => Schema { source: Cow::Borrowed(source), bound },
            Err(_) => return Ok(Err(WhyFull::ReadOtherwise)),
        };
        let asked = if with_open { Asked::OpenOrEditedSince(since) } else { Asked::EditedSince(since) };
        if with_open && open(&schema.bound).is_none() {
            return Ok(Err(WhyFull::Due));
        }
        let (pile, asked_at) = (Mutex::default(), Instant::now());
        let shelf = match self.walk(kind, &mut schema, asked, &pile, progress).await {
            Ok(Ended::Listed(shelf)) => shelf,
            Ok(Ended::Odd(why)) => return Ok(Err(why)),
            Ok(Ended::OtherSchema) => return Ok(Err(WhyFull::ReadOtherwise)),
            Ok(Ended::LostCursor(_)) => return Ok(Err(WhyFull::NotAnswered)),
            Err(Error::Failed { failure, .. }) if failure.has_status(400) => return Ok(Err(WhyFull::NotAnswered)),
            Err(error) => return Err(error),
        };
        if matches!(schema.source, Cow::Owned(_)) {
            return Ok(Err(WhyFull::ReadOtherwise));
        }
        let Shelf { problems, not_meant, began } = shelf;
        let Fetched::Complete(pages) = taken(pile).walk.finish() else { return Ok(Err(WhyFull::NotAnswered)) };
        let Some(began) = began else { return Ok(Err(WhyFull::NotAnswered)) };
        if began < since {
            return Ok(Err(WhyFull::ClockBack));
        }
        let pages = pages.into_rows();
        let mut read = lock(&self.read);
        read.extend(pages.iter().map(|page| (page.id, asked_at)));
        drop(read);
        lock(&self.listed)[kind] = super::Walked { began: None, calls: Some(calls_for(kept)) };
        Ok(Ok(Edits { since, with_open, pages, not_meant, problems, began }))
    }

    /// What pages of a kind are read by, as a hash: pages that were kept by another one are to be read again.
    pub fn read_by(&self, kind: Kind, source: &Source) -> String {
        sha256(&(ROW_FORMAT, source.data_source, &source.properties, &self.mapping[kind], self.id_strategy))
    }

    /// What is to be said of options that the property which closes pages has now and did not have before.
    fn new_options(&self, kind: Kind, before: &Source, now: &Source) -> Vec<Problem> {
        let closed = self.mapping[kind].closed.as_ref();
        let Some((name, closing)) = closed.and_then(|closed| match &closed.is {
            Holds::OneOf(closing) => Some((closed.property.as_str(), closing)),
            // By its group an option says itself whether it closes.
            Holds::Checked(_) | Holds::InGroups { .. } => None,
        }) else {
            return Vec::new();
        };
        let Some((before, now)) = before.property(name).zip(now.property(name)) else { return Vec::new() };
        let is_new =
            |option: &&Raw| !before.options.contains(option) && !closing.iter().any(|closes| closes == option.exact());
        let problem = |option: &Raw| Problem {
            kind,
            page: None,
            text: format!(
                "“{}” has the new option “{}”, which counts as open; if it closes, add it to mapping.{}.closed.values",
                now.name.shown(),
                option.shown().clipped(60),
                kind.plural()
            )
            .into(),
        };
        now.options.iter().filter(is_new).map(problem).collect()
    }

    pub(super) async fn refreshed(&self, kind: Kind, before: &Source) -> Result<Schema<'static>, Error> {
        let now = self.data_source(kind, before.data_source, &before.reference).await?;
        let now = now.ok_or(Error::NotFound { kind, id: before.data_source })?;
        let bound = self.bind(kind, &now, Some(before))?;
        Ok(Schema { source: Cow::Owned(now), bound })
    }

    /// Reads the schema again. True when the query has to be another one.
    async fn refresh(&self, kind: Kind, schema: &mut Schema<'_>, because: &str) -> Result<bool, Error> {
        if matches!(schema.source, Cow::Owned(_)) {
            return Err(Error::Inconsistent { kind, because: because.to_owned() });
        }
        let fresh = self.refreshed(kind, &schema.source).await?;
        let other = fresh.bound.ids() != schema.bound.ids();
        *schema = fresh;
        Ok(other)
    }

    /// Walks through all lanes at once, as long as each of them shows what it has.
    async fn walk_lanes<'a>(
        &self,
        kind: Kind,
        schema: &mut Schema<'a>,
        lanes: &[Lane],
        pile: &Mutex<Pile>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Ended, Error> {
        let walks = lanes.iter().map(|lane| {
            let mut schema: Schema<'a> = schema.clone();
            async move {
                match self.walk(kind, &mut schema, Asked::All(*lane), pile, progress).await {
                    Ok(Ended::Listed(shelf)) => Ok((shelf, schema)),
                    Ok(ended) => Err(Stopped::Ended(ended, schema.into())),
                    Err(error) => Err(Stopped::Failed(error)),
                }
            }
        });
        let walked = match try_join_all(walks).await {
            Ok(walked) => walked,
            Err(Stopped::Failed(error)) => return Err(error),
            Err(Stopped::Ended(ended, read_by)) => {
                *schema = *read_by;
                return Ok(ended);
            }
        };
        let mut all = Shelf::default();
        for (Shelf { problems, not_meant, began }, read_by) in walked {
            all.problems.extend(problems);
            all.not_meant.extend(not_meant);
            all.began = all.began.into_iter().chain(began).min();
            if matches!(read_by.source, Cow::Owned(_)) {
                *schema = read_by;
            }
        }
        Ok(Ended::Listed(all))
    }

    async fn walk(
        &self,
        kind: Kind,
        schema: &mut Schema<'_>,
        asked: Asked,
        pile: &Mutex<Pile>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Ended, Error> {
        let asked_at = Instant::now();
        let lane = if let Asked::All(lane) = asked { lane } else { Lane::default() };
        let spoil = |because: String| lock(pile).walk.spoil(because);
        let mut shelf = Shelf::default();
        let Shelf { problems, not_meant, .. } = &mut shelf;
        let mut seen: HashSet<PageId> = HashSet::new();
        let mut cursors: HashSet<String> = HashSet::new();
        let mut window: Option<Timestamp> = lane.start.map(|seam| seam.from);
        let mut seen_before_window = 0;
        let mut cursor: Option<String> = None;
        let mut oldest: Option<Timestamp> = None;
        let mut newest: Option<Timestamp> = None;
        let (mut in_query, mut pages_in_query, mut without_new) = (0, 0, 0);
        let mut began = None;
        let wrong = |failure| failed(kind.plural().to_owned(), failure);

        for _ in 0..PAGES_MAX {
            let rows = match self.query(schema, asked, (window, lane.end), cursor.as_deref()).await {
                Ok(rows) => rows,
                Err(failure) if failure.has_status(404) && !failure.is_elsewhere() => {
                    return Err(Error::NotFound { kind, id: schema.source.data_source });
                }
                Err(failure) if failure.has_status(400) && cursor.is_some() => {
                    return Ok(Ended::LostCursor(failure));
                }
                Err(failure) if failure.has_status(400) && matches!(schema.source, Cow::Borrowed(_)) => {
                    self.refresh(kind, schema, "").await?;
                    return Ok(Ended::OtherSchema);
                }
                Err(failure) => return Err(wrong(failure)),
            };
            if began.is_none() {
                began = self.http.server_time().and_then(|now| now.checked_sub(asked_at.elapsed()).ok());
            }
            let mut incomplete = is_incomplete(&rows.request_status);
            let known = seen.len();
            (in_query, pages_in_query) = (in_query + rows.results.len(), pages_in_query + 1);
            for raw in rows.results {
                if raw.get().len() > ROW_BYTES_MAX {
                    spoil(format!("a row has {} MiB, and is not read", raw.get().len() >> 20));
                    continue;
                }
                let Ok(parts) = serde_json::from_str::<RowParts<'_>>(raw.get()) else {
                    spoil("a row cannot be read".to_owned());
                    continue;
                };
                if !parts.is_page() {
                    continue;
                }
                incomplete |= parts.request_status()["type"].is("incomplete");
                let Ok(mut row) = PageRow::try_from(parts) else {
                    spoil("a row cannot be read".to_owned());
                    continue;
                };
                if row.properties.is_none() || row.created_time.is_none() {
                    spoil(format!("Notion shows only the id of page {}", row.id));
                    continue;
                }
                let is_older = |since| row.last_edited_time.is_none_or(|edited| edited < since);
                if matches!(asked, Asked::EditedSince(since) if is_older(since)) {
                    return Ok(Ended::Odd(WhyFull::FilterIgnored));
                }
                if row.created_time.is_some_and(|created| !lane.holds(created)) {
                    return Ok(Ended::Odd(WhyFull::FilterIgnored));
                }
                let is_all = matches!(asked, Asked::All(lane) if lane == Lane::default());
                if !is_all && row.created_time < newest {
                    return Ok(Ended::Odd(WhyFull::OrderIgnored));
                }
                oldest = oldest.or(row.created_time);
                newest = newest.max(row.created_time);
                if !seen.insert(row.id) {
                    continue;
                }
                self.complete(&schema.bound, &mut row).await.map_err(wrong)?;
                let mut reading = read(&schema.bound, &row);
                // What a row does not say by the schema as it is now, it does not say.
                if let (Some(because), Cow::Borrowed(_)) = (reading.outdated.take(), &schema.source) {
                    if self.refresh(kind, schema, &because).await? {
                        return Ok(Ended::OtherSchema);
                    }
                    self.complete(&schema.bound, &mut row).await.map_err(wrong)?;
                    reading = read(&schema.bound, &row);
                }
                if !reading.meant {
                    not_meant.push(row.id);
                    continue;
                }
                problems.append(&mut reading.problems);
                let mut pile = lock(pile);
                if let Err(error) = pile.weight.add(reading.page.text()) {
                    return Err(wrong(Failure::TooLarge { error: error.into() }));
                }
                pile.walk.add([reading.page]);
            }
            progress(lock(pile).walk.len());

            let next = rows.next_cursor.filter(|_| rows.has_more);
            if rows.has_more && next.is_none() {
                spoil("Notion says that there are more rows, but not where".to_owned());
                return Ok(Ended::Listed(Shelf { began, ..shelf }));
            }
            if let Some(next) = next {
                if !cursors.insert(next.clone()) {
                    spoil("the listing came back to where it had been".to_owned());
                    return Ok(Ended::Listed(Shelf { began, ..shelf }));
                }
                without_new = if seen.len() == known { without_new + 1 } else { 0 };
                if without_new >= PAGES_WITHOUT_NEW_MAX {
                    spoil("the listing goes on without showing anything new".to_owned());
                    return Ok(Ended::Listed(Shelf { began, ..shelf }));
                }
                if in_query > QUERY_ROWS_MAX || pages_in_query >= QUERY_PAGES_MAX {
                    spoil("Notion shows more rows than one query has, and does not come to an end".to_owned());
                    return Ok(Ended::Listed(Shelf { began, ..shelf }));
                }
                cursor = Some(next);
                continue;
            }
            if !incomplete && !lane.is_filled(oldest, newest) {
                return Ok(Ended::Odd(WhyFull::NotAnswered));
            }
            if !incomplete {
                return Ok(Ended::Listed(Shelf { began, ..shelf }));
            }
            if seen.len() == seen_before_window || newest <= window {
                spoil("Notion stops a query at 10,000 rows, and that many were created in one minute".to_owned());
                return Ok(Ended::Listed(Shelf { began, ..shelf }));
            }
            (window, cursor, seen_before_window) = (newest, None, seen.len());
            (in_query, pages_in_query, without_new) = (0, 0, 0);
        }
        spoil(format!("the listing has more than {PAGES_MAX} pages"));
        Ok(Ended::Listed(Shelf { began, ..shelf }))
    }

    async fn query(
        &self,
        schema: &Schema<'_>,
        asked: Asked,
        (from, end): (Option<Timestamp>, Option<Seam>),
        cursor: Option<&str>,
    ) -> Result<Rows, Failure> {
        let mut body =
            json!({"page_size": PAGE_SIZE, "sorts": [{"timestamp": "created_time", "direction": "ascending"}]});
        let created = |condition: Json| json!({"timestamp": "created_time", "created_time": condition});
        let from = from.map(|from| created(json!({"on_or_after": from})));
        let until = end.map(|seam| created(json!({"before": seam.from})));
        let edited = |since| json!({"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": since}});
        // One of these is to hold: each is a list of what holds together.
        let alternatives: Vec<Vec<Json>> = match asked {
            Asked::All(_) => schema.bound.only.iter().map(|(property, is)| vec![only(property, is)]).collect(),
            // One that is not meant any more is to be seen, too.
            Asked::EditedSince(since) => vec![vec![edited(since)]],
            Asked::OpenOrEditedSince(since) => {
                open(&schema.bound).into_iter().flatten().chain([vec![edited(since)]]).collect()
            }
        };
        if let Some(filter) = any_of(alternatives, from.into_iter().chain(until).collect()) {
            body["filter"] = filter;
        }
        if let Some(cursor) = cursor {
            body["start_cursor"] = json!(cursor);
        }
        let path = ["v1", "data_sources", &schema.source.data_source.to_string(), "query"];
        let mut request = Request::new(Method::POST, &path, Some(body), Repeat::Read).listing();
        for id in schema.bound.ids() {
            // Ids come URL-encoded, and are not to be encoded twice (Notion docs, property object).
            request = request.encoded_query("filter_properties", id);
        }
        let Answer { body, .. } = self.http.send(&request).await?;
        Ok(body)
    }
}

/// What is on a pile that nobody adds to any more.
fn taken(pile: Mutex<Pile>) -> Pile {
    pile.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Notion docs, query large data sources: to be tested for this word alone.
fn is_incomplete(status: &Json) -> bool {
    status["type"] == "incomplete"
}
