//! The right to do what only one may do at a time, where many machines share a state: for a while, by the clock of the
//! server, and renewed as long as its holder is there. Each that takes it has a higher epoch than all before, and what
//! is written to the journal is held against it: a holder who was away for too long writes nothing.

use std::{pin::pin, time::Duration};

use futures_util::TryStreamExt;
use tokio::task::JoinHandle;

use super::{Postgres, address::Address, connect::connect};
use crate::edge::{
    failpoint::shortened,
    holding::{Holding, since_boot},
    store::{Fault, Holder, Place, StoreError, to_json, value::values},
};

/// The right to run.
pub(in crate::edge::store) const RUN: &str = "run";
/// The right to serve.
pub(in crate::edge::store) const SERVE: &str = "serve";
/// How long a lease lasts that is not renewed.
const LASTS: Duration = Duration::from_secs(30);
/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// The clock of the server, in milliseconds since 1970.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Which lease, by its name, its epoch and who took it when. An older copy of the server may take the place of one that
/// is lost, and then an epoch comes again.
const OURS: &str = "name = ?1 AND epoch = ?2 AND holder::jsonb - 'doing' = ?3::jsonb - 'doing'";

/// A lease, for as long as this lives and the server is told.
pub(in crate::edge::store) struct Lease {
    name: &'static str,
    epoch: i64,
    /// Who took it, as the server was told.
    holder: String,
    holding: Holding,
    /// Who renews it; it ends with this.
    keeper: JoinHandle<()>,
}

impl Lease {
    /// Takes a lease that nobody holds, or whose holder has not renewed it; else says who holds it.
    pub(in crate::edge::store) async fn take(
        database: &Postgres,
        address: &Address,
        name: &'static str,
        holder: &Holder,
        holding: &Holding,
    ) -> Result<Result<Self, Leased>, Fault> {
        let asked = since_boot();
        let sql = &format!(
            "INSERT INTO lease (name, epoch, holder, expires_at) VALUES (?1, 1, ?2, {NOW} + ?3)
             ON CONFLICT (name) DO UPDATE SET epoch = lease.epoch + 1, holder = excluded.holder, expires_at = excluded.expires_at
             WHERE lease.expires_at <= {NOW} RETURNING epoch"
        );
        let text = to_json(holder)?;
        let taken = database
            .transact(async || database.number(sql, &values![name, &text, milliseconds(lasts())]).await)
            .await?;
        let Some(epoch) = taken else {
            return match held(database, name).await? {
                Some(held) => Ok(Err(held)),
                // It was let go right now.
                None => Box::pin(Self::take(database, address, name, holder, holding)).await,
            };
        };
        let holding = holding.clone();
        holding.set(asked + lasts());
        let (kept, mut lives) = (holding.clone(), database.lives.clone());
        let renewing = keep(address.clone(), name, epoch, text.clone(), holding.clone());
        let keeper = tokio::spawn(async move {
            tokio::select! {
                // What cannot be journaled any more does not leave.
                _ = lives.changed(), if name == RUN => kept.set(Duration::ZERO),
                () = renewing => {}
            }
        });
        Ok(Ok(Self { name, epoch, holder: text, holding, keeper }))
    }

    /// Refuses what only the holder may do, in a transaction: somebody else may have taken it meanwhile.
    pub(in crate::edge::store) async fn guard(&self, database: &Postgres) -> Result<(), Fault> {
        let sql = &format!("SELECT epoch FROM lease WHERE {OURS} AND expires_at > {NOW}");
        if database.number(sql, &values![self.name, self.epoch, &self.holder]).await?.is_some() {
            return Ok(());
        }
        self.holding.set(Duration::ZERO);
        Err(Fault::Lost)
    }

    /// Says something else about its holder.
    pub(in crate::edge::store) async fn tell(&self, database: &Postgres, holder: &Holder) -> Result<(), Fault> {
        let sql = &format!("UPDATE lease SET holder = ?4 WHERE {OURS}");
        database.execute(sql, &values![self.name, self.epoch, &self.holder, to_json(holder)?]).await?;
        Ok(())
    }

    /// True while it is held, as far as this process knows.
    pub(in crate::edge::store) fn is_held(&self) -> bool {
        self.holding.is_held()
    }

    /// Leaves it to run out.
    #[cfg(all(test, unix))]
    pub(in crate::edge::store) fn renew_no_more(&self) {
        self.keeper.abort();
    }

    /// Lets it go, for others to take.
    pub(in crate::edge::store) async fn release(self, database: &Postgres) -> Result<(), Fault> {
        self.keeper.abort();
        self.holding.set(Duration::ZERO);
        let sql = &format!("UPDATE lease SET expires_at = 0 WHERE {OURS}");
        database.transact(async || database.execute(sql, &values![self.name, self.epoch, &self.holder]).await).await?;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Who holds a lease that has not run out.
#[derive(Clone, Debug)]
pub struct Leased {
    pub epoch: i64,
    pub holder: Option<Box<Holder>>,
    /// How long it lasts, unless it is renewed.
    pub left: Duration,
}

impl Leased {
    /// Somebody else is told who holds it.
    pub(in crate::edge::store) fn refused(self, place: &Place) -> StoreError {
        StoreError::Locked { lock: format!("{place} at epoch {}", self.epoch), holder: self.holder }
    }
}

/// Who holds a lease, if anybody does.
pub(in crate::edge::store) async fn held(database: &Postgres, name: &str) -> Result<Option<Leased>, Fault> {
    let sql = &format!("SELECT epoch, holder, expires_at - {NOW} FROM lease WHERE name = ?1 AND expires_at > {NOW}");
    let mut rows = pin!(database.stream(sql, &values![name]).await?);
    let Some(row) = rows.try_next().await? else { return Ok(None) };
    let holder: &str = row.try_get(1)?;
    Ok(Some(Leased {
        epoch: row.try_get(0)?,
        // Who holds it is a courtesy: that it is held is what matters.
        holder: serde_json::from_str(holder).ok().map(Box::new),
        left: Duration::from_millis(row.try_get::<_, i64>(2)?.max(0).unsigned_abs()),
    }))
}

/// Lets a lease go that somebody else holds, by its epoch; false where that is not the one that holds.
pub(in crate::edge::store) async fn break_off(database: &Postgres, name: &str, epoch: i64) -> Result<bool, Fault> {
    let sql = &format!("UPDATE lease SET expires_at = 0 WHERE name = ?1 AND epoch = ?2 AND expires_at > {NOW}");
    database.transact(async || Ok(database.execute(sql, &values![name, epoch]).await? == 1)).await
}

/// The epoch of the last holder; 0 where there never was one.
pub(in crate::edge::store) async fn epoch(database: &Postgres, name: &str) -> Result<i64, Fault> {
    let sql = "SELECT epoch FROM lease WHERE name = ?1";
    Ok(database.number(sql, &values![name]).await?.unwrap_or_default())
}

/// Renews a lease over a connection of its own, until it is lost.
async fn keep(address: Address, name: &'static str, epoch: i64, holder: String, holding: Holding) {
    let mut connected = None;
    loop {
        tokio::time::sleep(shortened(RENEWED_EVERY)).await;
        if !holding.is_held() {
            return;
        }
        let asked = since_boot();
        let renewed = async {
            let database = match connected.take() {
                Some(database) => database,
                None => connect(&address).await.ok()?,
            };
            let renewed = renew(&database, name, epoch, &holder).await.ok()?;
            connected = Some(database);
            Some(renewed)
        };
        match tokio::time::timeout(shortened(RENEWED_EVERY), renewed).await {
            Ok(Some(false)) => return holding.set(Duration::ZERO),
            Ok(Some(true)) => holding.set(asked + lasts()),
            // It lasts as long as it was renewed; perhaps the server is there again by then.
            Ok(None) | Err(_) => {}
        }
    }
}

/// Renews a lease that has not run out; false where it has, or somebody else holds it.
pub(in crate::edge::store) async fn renew(
    database: &Postgres,
    name: &str,
    epoch: i64,
    holder: &str,
) -> Result<bool, Fault> {
    let sql = &format!("UPDATE lease SET expires_at = {NOW} + ?4 WHERE {OURS} AND expires_at > {NOW}");
    Ok(database.execute(sql, &values![name, epoch, holder, milliseconds(lasts())]).await? == 1)
}

/// How long a lease lasts that is not renewed.
pub(in crate::edge::store) fn lasts() -> Duration {
    shortened(LASTS)
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
