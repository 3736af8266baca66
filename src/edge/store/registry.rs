//! The registry: links, and the tombstones of those that have ended.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{Fault, Store, StoreError, from_json, to_json};
use crate::domain::model::{Kind, Link, Registry};

impl Store {
    /// All links.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn registry(&self) -> Result<Registry, StoreError> {
        self.read(|connection| {
            let sql =
                "SELECT page_id, kind, clockify_id, sight, base, left_ids, along, unwritten FROM link ORDER BY page_id";
            let mut statement = connection.prepare_cached(sql)?;
            let links = statement.query_and_then([], |row| {
                let text =
                    |column: usize| row.get_ref(column)?.as_str().map_err(|error| Fault::Stored(error.to_string()));
                Ok(Link {
                    page: id(text(0)?)?,
                    kind: kind(text(1)?)?,
                    object: id(text(2)?)?,
                    sight: from_json(text(3)?)?,
                    base: from_json(text(4)?)?,
                    left: from_json(text(5)?)?,
                    along: from_json(text(6)?)?,
                    unwritten: from_json(text(7)?)?,
                })
            })?;
            links.collect::<Result<_, Fault>>()
        })
    }

    /// Adds or replaces links, all of them or none. Like [`Registry::insert`], it ends a link that another page had to
    /// the same object.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn save_links(&mut self, at: Timestamp, links: &[Link]) -> Result<(), StoreError> {
        self.write(|transaction| links.iter().try_for_each(|link| save(transaction, at, link)))
    }
}

pub(super) fn save(transaction: &Transaction<'_>, at: Timestamp, link: &Link) -> Result<(), Fault> {
    let Link { page, kind, object, sight, base, left, along, unwritten } = link;
    let (page, object, at) = (page.to_string(), object.as_str(), at.as_millisecond());
    let sql = "INSERT INTO tombstone (page_id, kind, clockify_id, ended_at, why)
               SELECT page_id, kind, clockify_id, ?3,
                      CASE page_id WHEN ?1 THEN 'the page was linked to another object' ELSE 'another page was linked to the object' END
               FROM link WHERE (page_id = ?1) <> (clockify_id = ?2) AND (page_id = ?1 OR clockify_id = ?2)";
    transaction.prepare_cached(sql)?.execute((&page, object, at))?;
    transaction
        .prepare_cached("DELETE FROM link WHERE clockify_id = ?2 AND page_id <> ?1")?
        .execute((&page, object))?;
    let sql = "INSERT INTO link (page_id, kind, clockify_id, sight, base, left_ids, along, unwritten, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
               ON CONFLICT (page_id) DO UPDATE SET kind = excluded.kind, clockify_id = excluded.clockify_id, sight = excluded.sight,
               base = excluded.base, left_ids = excluded.left_ids, along = excluded.along, unwritten = excluded.unwritten,
               updated_at = excluded.updated_at";
    let (sight, base, left, along, unwritten) =
        (to_json(sight)?, to_json(base)?, to_json(left)?, to_json(along)?, to_json(unwritten)?);
    transaction.prepare_cached(sql)?.execute((&page, kind.word(), object, sight, base, left, along, unwritten, at))?;
    Ok(())
}

fn id<T: std::str::FromStr<Err: ToString>>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|error: T::Err| Fault::Stored(error.to_string()))
}

fn kind(word: &str) -> Result<Kind, Fault> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.word() == word)
        .ok_or_else(|| Fault::Stored(format!("there is no kind {word:?}")))
}
