//! The registry: links, and the tombstones of those that have ended.

use jiff::Timestamp;

use super::{
    Fault, Store, StoreError,
    database::{Database, Row},
    from_json, to_json,
    value::values,
};
use crate::domain::model::{Kind, Link, Registry};

impl Store {
    /// All links.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn registry(&self) -> Result<Registry, StoreError> {
        let sql =
            "SELECT page_id, kind, clockify_id, sight, base, left_ids, along, unwritten FROM link ORDER BY page_id";
        let read = async |database: &Database| {
            let mut registry = Registry::default();
            let insert = |row: &Row<'_>| {
                registry.insert(Link {
                    page: id(row.text(0)?)?,
                    kind: kind(row.text(1)?)?,
                    object: id(row.text(2)?)?,
                    sight: from_json(row.text(3)?)?,
                    base: from_json(row.text(4)?)?,
                    left: from_json(row.text(5)?)?,
                    along: from_json(row.text(6)?)?,
                    unwritten: from_json(row.text(7)?)?,
                });
                Ok(())
            };
            database.each(sql, &[], insert).await?;
            registry.shrink();
            Ok(registry)
        };
        self.read(read).await
    }

    /// Adds or replaces links, all of them or none. Like [`Registry::insert`], it ends a link that another page had to
    /// the same object.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn save_links(&mut self, at: Timestamp, links: &[Link]) -> Result<(), StoreError> {
        self.write(async |database| save(database, at, links).await).await
    }
}

pub(super) async fn save(database: &Database, at: Timestamp, links: &[Link]) -> Result<(), Fault> {
    for link in links {
        let Link { page, kind, object, sight, base, left, along, unwritten } = link;
        let object = object.as_str();
        let sql = "INSERT INTO tombstone (page_id, kind, clockify_id, ended_at, why)
                   SELECT page_id, kind, clockify_id, ?3,
                          CASE page_id WHEN ?1 THEN 'the page was linked to another object' ELSE 'another page was linked to the object' END
                   FROM link WHERE (page_id = ?1) <> (clockify_id = ?2) AND (page_id = ?1 OR clockify_id = ?2)";
        database.execute(sql, &values![*page, object, at]).await?;
        let sql = "DELETE FROM link WHERE clockify_id = ?2 AND page_id <> ?1";
        database.execute(sql, &values![*page, object]).await?;
        let sql = "INSERT INTO link (page_id, kind, clockify_id, sight, base, left_ids, along, unwritten, updated_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                   ON CONFLICT (page_id) DO UPDATE SET kind = excluded.kind, clockify_id = excluded.clockify_id, sight = excluded.sight,
                   base = excluded.base, left_ids = excluded.left_ids, along = excluded.along, unwritten = excluded.unwritten,
                   updated_at = excluded.updated_at";
        let (sight, base, left) = (to_json(sight)?, to_json(base)?, to_json(left)?);
        let (along, unwritten) = (to_json(along)?, to_json(unwritten)?);
        let values = values![*page, kind.word(), object, sight, base, left, along, unwritten, at];
        database.execute(sql, &values).await?;
    }
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
