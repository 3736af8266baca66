//! Pages as they were last read, and how far that has come: what the next run need not ask for again. All of it can be
//! read anew.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction};

use super::{Fault, Store, StoreError, from_json, to_json};
use crate::domain::{
    model::{Kind, PageId, PerKind},
    watermark::{KeptPage, Watermark},
};

/// Memory key: how far reading has come with each kind.
pub(super) const WATERMARKS: &str = "watermarks";
/// Pages that are compared at once with what is kept of them.
const AT_ONCE: usize = 1000;

/// What reading the pages of one kind has shown.
pub struct PagesRead<'a> {
    /// How far it has come; nothing where the next run is to read all pages.
    pub watermark: Option<Watermark>,
    /// The pages that were read, by ID.
    pub pages: Box<dyn Iterator<Item = KeptPage<'a>> + 'a>,
    pub others: Others<'a>,
}

/// What becomes of the other pages of a kind that are kept.
pub enum Others<'a> {
    /// They are not there any more.
    Forgotten,
    /// They are as they were, but for these, which are not meant any more.
    KeptBut(&'a [PageId]),
}

impl Store {
    /// How far reading has come with each kind.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn watermarks(&self) -> Result<PerKind<Option<Watermark>>, StoreError> {
        Ok(self.recall(WATERMARKS).await?.unwrap_or_default())
    }

    /// The pages of one kind as they were last read. One that cannot be understood is left out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn kept_pages(&self, kind: Kind) -> Result<Vec<KeptPage<'static>>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT body FROM page WHERE kind = ?1 ORDER BY page_id")?;
            let mut rows = statement.query([kind.word()])?;
            let mut pages = Vec::new();
            while let Some(row) = rows.next()? {
                let body = row.get_ref(0)?.as_str().map_err(|error| Fault::Stored(error.to_string()))?;
                pages.extend(from_json(body).ok());
            }
            Ok(pages)
        })
    }

    /// One page as it was last read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn kept_page(&self, kind: Kind, page: PageId) -> Result<Option<KeptPage<'static>>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT body FROM page WHERE kind = ?1 AND page_id = ?2")?;
            let body: Option<String> = statement.query_row((kind.word(), key(page)), |row| row.get(0)).optional()?;
            Ok(body.and_then(|body| from_json(&body).ok()))
        })
    }

    /// Keeps what reading has shown of each kind. What is as before is not written again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn keep_pages(&mut self, read: PerKind<PagesRead<'_>>) -> Result<(), StoreError> {
        self.write(|transaction| {
            let watermarks = PerKind::from_fn(|kind| read[kind].watermark.clone());
            let PerKind { clients, projects, tasks } = read;
            for (kind, read) in Kind::ALL.into_iter().zip([clients, projects, tasks]) {
                keep(transaction, kind, read)?;
            }
            let sql = "INSERT INTO memory (key, value) VALUES (?1, ?2)
                       ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            transaction.prepare_cached(sql)?.execute((WATERMARKS, to_json(&watermarks)?))?;
            Ok(())
        })
    }

    /// Lets the next run read all pages.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn forget_watermarks(&mut self) -> Result<(), StoreError> {
        self.forget(WATERMARKS).await
    }
}

fn keep(transaction: &Transaction<'_>, kind: Kind, read: PagesRead<'_>) -> Result<(), Fault> {
    let PagesRead { watermark: _, mut pages, others } = read;
    let sql = "INSERT INTO page (kind, page_id, body) VALUES (?1, ?2, ?3)
               ON CONFLICT (kind, page_id) DO UPDATE SET body = excluded.body WHERE body <> excluded.body";
    let mut insert = transaction.prepare_cached(sql)?;
    let mut delete = transaction.prepare_cached("DELETE FROM page WHERE kind = ?1 AND page_id = ?2")?;
    if let Others::KeptBut(gone) = others {
        for kept in pages {
            insert.execute((kind.word(), key(kept.page.id), to_json(&kept)?))?;
        }
        for id in gone {
            delete.execute((kind.word(), key(*id)))?;
        }
        return Ok(());
    }
    let sql = "SELECT page_id, body FROM page WHERE kind = ?1 AND page_id > ?2 AND page_id <= ?3";
    let mut select = transaction.prepare_cached(sql)?;
    let (mut after, mut is_last) = (Vec::new(), false);
    while !is_last {
        let some: Vec<KeptPage<'_>> = pages.by_ref().take(AT_ONCE).collect();
        is_last = some.len() < AT_ONCE;
        let to = some.last().filter(|_| !is_last).map_or(PageId::from_number(u128::MAX), |last| last.page.id);
        let known = select.query_map((kind.word(), &after, key(to)), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut known: BTreeMap<Vec<u8>, String> = known.collect::<Result<_, _>>()?;
        for kept in some {
            let (id, body) = (key(kept.page.id), to_json(&kept)?);
            if known.remove(id.as_slice()).is_none_or(|known| known != body) {
                insert.execute((kind.word(), id, body))?;
            }
        }
        for id in known.into_keys() {
            delete.execute((kind.word(), id))?;
        }
        after = key(to).to_vec();
    }
    Ok(())
}

/// What a page is kept by; in the order of IDs.
fn key(page: PageId) -> [u8; 16] {
    page.number().to_be_bytes()
}
