//! Who is on which client. Each process keeps its own, so that nobody takes another's place.

use jiff::Timestamp;

use super::{Fault, Store, StoreError, database::Database, forget, from_json, remember, value::values};
use crate::domain::{model::PageId, reservation::Reservation};

/// Memory key: that a process of a machine is on a client.
fn reservation_key(Reservation { client, host, process, .. }: &Reservation) -> String {
    format!("reserved:{client}:{process}@{host}")
}

impl Store {
    /// Keeps that somebody is on a client, and forgets what ended by itself.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn reserve(&mut self, reservation: &Reservation, now: Timestamp) -> Result<(), StoreError> {
        self.write(async |database| {
            for over in all(database).await?.iter().filter(|known| !known.holds(now)) {
                forget(database, &reservation_key(over)).await?;
            }
            remember(database, &reservation_key(reservation), reservation).await
        })
        .await
    }

    /// A process of a machine is not on a client any more, or on none at all.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn give_up(&mut self, client: Option<PageId>, host: &str, process: u32) -> Result<(), StoreError> {
        let is_meant = |known: &Reservation| {
            (known.host.as_str(), known.process) == (host, process)
                && client.is_none_or(|client| known.client == client)
        };
        let known = self.read(async |database| all(database).await).await?;
        let over: Vec<String> = known.iter().filter(|known| is_meant(known)).map(reservation_key).collect();
        if over.is_empty() {
            return Ok(());
        }
        let sql = "DELETE FROM memory WHERE key = ?1";
        self.write(async |database| database.execute_many(sql, over.iter().map(|key| values![key])).await).await
    }

    /// Who is on which client now.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn reservations(&self, now: Timestamp) -> Result<Vec<Reservation>, StoreError> {
        let known = self.read(async |database| all(database).await).await?;
        Ok(known.into_iter().filter(|known| known.holds(now)).collect())
    }
}

async fn all(database: &Database) -> Result<Vec<Reservation>, Fault> {
    let sql = "SELECT value FROM memory WHERE key LIKE 'reserved:%' ORDER BY key";
    database.all(sql, &[], |row| from_json(row.text(0)?)).await
}
