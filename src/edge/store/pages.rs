//! Pages as they were last read, and how far that has come: what the next run need not ask for again. All of it can be
//! read anew.

use std::collections::BTreeMap;

use super::{
    Fault, Store, StoreError,
    database::{Database, Row},
    from_json, remember, to_json,
    value::{Value, values},
};
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
        let sql = "SELECT body FROM page WHERE kind = ?1 ORDER BY page_id";
        let page = |row: &Row<'_>| Ok(from_json(row.text(0)?).ok());
        let pages = self.read(async |database| database.all(sql, &values![kind.word()], page).await).await?;
        Ok(pages.into_iter().flatten().collect())
    }

    /// One page as it was last read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn kept_page(&self, kind: Kind, page: PageId) -> Result<Option<KeptPage<'static>>, StoreError> {
        let sql = "SELECT body FROM page WHERE kind = ?1 AND page_id = ?2";
        let (id, kept) = (key(page), |row: &Row<'_>| Ok(from_json(row.text(0)?).ok()));
        let kept = self.read(async |database| database.first(sql, &values![kind.word(), &id], kept).await).await?;
        Ok(kept.flatten())
    }

    /// Keeps what reading has shown of each kind. What is as before is not written again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn keep_pages(&mut self, read: PerKind<PagesRead<'_>>) -> Result<(), StoreError> {
        self.write(async |database| {
            let watermarks = PerKind::from_fn(|kind| read[kind].watermark.clone());
            let PerKind { clients, projects, tasks } = read;
            for (kind, read) in Kind::ALL.into_iter().zip([clients, projects, tasks]) {
                keep(database, kind, read).await?;
            }
            remember(database, WATERMARKS, &watermarks).await
        })
        .await
    }

    /// Lets the next run read all pages.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn forget_watermarks(&mut self) -> Result<(), StoreError> {
        self.forget(WATERMARKS).await
    }
}

async fn keep(database: &Database, kind: Kind, read: PagesRead<'_>) -> Result<(), Fault> {
    let PagesRead { watermark: _, mut pages, others } = read;
    let insert = "INSERT INTO page (kind, page_id, body) VALUES (?1, ?2, ?3)
                  ON CONFLICT (kind, page_id) DO UPDATE SET body = excluded.body WHERE page.body <> excluded.body";
    let delete = "DELETE FROM page WHERE kind = ?1 AND page_id = ?2";
    if let Others::KeptBut(gone) = others {
        let kept = pages.map(|kept| Ok((key(kept.page.id), to_json(&kept)?)));
        let kept = kept.collect::<Result<Vec<_>, Fault>>()?;
        database.execute_many(insert, kept.iter().map(|(id, body)| values![kind.word(), id, body])).await?;
        let gone: Vec<_> = gone.iter().map(|id| key(*id)).collect();
        return database.execute_many(delete, gone.iter().map(|id| values![kind.word(), id])).await;
    }
    let select = "SELECT page_id, body FROM page WHERE kind = ?1 AND page_id > ?2 AND page_id <= ?3";
    let (mut after, mut is_last) = (None, false);
    while !is_last {
        let some: Vec<KeptPage<'_>> = pages.by_ref().take(AT_ONCE).collect();
        is_last = some.len() < AT_ONCE;
        let to = some.last().filter(|_| !is_last).map_or(PageId::from_number(u128::MAX), |last| last.page.id);
        let to = key(to);
        let from = Value::Bytes(after.as_ref().map_or(&[][..], <[u8; 16]>::as_slice).into());
        let known = |row: &Row<'_>| Ok((row.bytes(0)?, row.text(1)?.to_owned()));
        let known = database.all(select, &[kind.word().into(), from, (&to).into()], known).await?;
        let mut known: BTreeMap<[u8; 16], String> = known.into_iter().collect();
        let mut fresh = Vec::new();
        for kept in some {
            let (id, body) = (key(kept.page.id), to_json(&kept)?);
            if known.remove(&id).is_none_or(|known| known != body) {
                fresh.push((id, body));
            }
        }
        database.execute_many(insert, fresh.iter().map(|(id, body)| values![kind.word(), id, body])).await?;
        database.execute_many(delete, known.keys().map(|id| values![kind.word(), id])).await?;
        after = Some(to);
    }
    Ok(())
}

/// What a page is kept by; in the order of IDs.
fn key(page: PageId) -> [u8; 16] {
    page.number().to_be_bytes()
}
