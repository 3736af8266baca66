//! How a state on a server is opened: a connection that nobody listens in on, a server that takes writes, a schema that
//! is ours and of a version that we know.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Postgres,
    address::Address,
    connect::connect,
    lease::{self, Leased},
    no_right, quoted,
};
use crate::edge::store::{
    Fault, Place, StoreError, unusable,
    value::{Value, values},
};

/// The first version of the schema, which is that of the other database at that time.
const FIRST: i64 = 3;
/// Each entry takes the schema from one version to the next, the first from none. Entries are only ever added.
const MIGRATIONS: [&str; 1] = [include_str!("../../../../assets/schema-postgres.sql")];
/// The version that a schema has from now on.
const NEWEST: i64 = 3;
/// The oldest server that is tried.
const SERVER_MIN: i64 = 130_000;
/// How long to wait for another transaction to end: longer than one that was left in the middle lasts.
const TURN_WITHIN: Duration = Duration::from_mins(1);

/// What somebody opens a state for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge::store) enum Purpose {
    /// To write to it; what is missing is made.
    Write,
    /// To look at it.
    Read,
}

/// Opens the state; nothing where there is none and it is only looked for.
pub(in crate::edge::store) async fn open(address: &Address, purpose: Purpose) -> Result<Option<Postgres>, StoreError> {
    let place = Place::Server(address.clone());
    let database = connect(address).await.map_err(|unconnected| unconnected.explained(&place))?;
    match prepare(&database, purpose).await {
        Ok(true) => Ok(Some(database)),
        Ok(false) => Ok(None),
        Err(refusal) => Err(refusal.explained(&place)),
    }
}

/// Finds the schema ours and of a version that we know, or makes it so; false where there is none.
async fn prepare(database: &Postgres, purpose: Purpose) -> Result<bool, Refusal> {
    let server = number(database, "SELECT current_setting('server_version_num')::bigint", &[]).await?;
    if server < SERVER_MIN {
        return Err(Refusal::OldServer(server));
    }
    // Who stops in the middle of a transaction, with its machine perhaps, keeps others waiting no longer than a lease does.
    let left = format!("SET idle_in_transaction_session_timeout = {}", lease::lasts().as_millis());
    database.batch(&format!("{left}; SET lock_timeout = {}", TURN_WITHIN.as_millis())).await?;
    if purpose == Purpose::Read {
        database.batch("SET default_transaction_read_only = on").await?;
    }
    let reads_only = "SELECT CASE current_setting('transaction_read_only') WHEN 'on' THEN 1 ELSE 0 END::bigint";
    if purpose == Purpose::Write && number(database, reads_only, &[]).await? == 1 {
        return Err(Refusal::ReadOnly);
    }
    match (version(database).await?, purpose) {
        (Some(version), _) if version > NEWEST => Err(Refusal::Newer(version)),
        (Some(version), _) if version == NEWEST => Ok(true),
        (None, Purpose::Read) => Ok(false),
        (Some(version), Purpose::Read) => Err(Refusal::Older(version)),
        (_, Purpose::Write) => migrate(database).await.map(|()| true),
    }
}

/// The version of the schema; nothing where it is empty or missing.
async fn version(database: &Postgres) -> Result<Option<i64>, Refusal> {
    let schema = &values![&database.schema];
    if number(database, "SELECT count(*) FROM pg_tables WHERE schemaname = ?1", schema).await? == 0 {
        return Ok(None);
    }
    let usable = "SELECT CASE WHEN has_schema_privilege(?1, 'USAGE') THEN 1 ELSE 0 END::bigint";
    if number(database, usable, schema).await? == 0 {
        return Err(Refusal::NoRight);
    }
    let ours = "SELECT count(*) FROM pg_tables WHERE schemaname = ?1 AND tablename IN ('version', 'turn', 'event')";
    if number(database, ours, schema).await? != 3 {
        return Err(Refusal::NotOurs);
    }
    Ok(Some(number(database, "SELECT max(version) FROM version", &[]).await?))
}

/// Takes the schema to the newest version, in one transaction that others wait for.
async fn migrate(database: &Postgres) -> Result<(), Refusal> {
    database.batch("BEGIN").await?;
    let lock = "SELECT count(pg_advisory_xact_lock(hashtext('punchlist ' || ?1)::bigint))";
    number(database, lock, &values![&database.schema]).await?;
    let migrated = async {
        let from = version(database).await?;
        if from.is_some_and(|from| from >= NEWEST) {
            return Ok(());
        }
        let schema = quoted(&database.schema);
        if from.is_some() {
            // The run that is under way may be of the older version.
            database.batch("SELECT n FROM turn FOR UPDATE").await?;
            if let Some(lease) = lease::held(database, lease::RUN).await? {
                return Err(Refusal::Locked(lease));
            }
        } else {
            let known = "SELECT count(*) FROM pg_namespace WHERE nspname = ?1";
            if number(database, known, &values![&database.schema]).await? == 0 {
                database.batch(&format!("CREATE SCHEMA {schema}")).await?;
            }
        }
        for (to, sql) in (FIRST..=NEWEST).zip(MIGRATIONS).skip_while(|(to, _)| from.is_some_and(|from| *to <= from)) {
            database.batch(sql).await?;
            database.batch(&format!("DELETE FROM version; INSERT INTO version (version) VALUES ({to})")).await?;
        }
        Ok(())
    };
    match migrated.await {
        Ok(()) => Ok(database.batch("COMMIT").await?),
        Err(refusal) => {
            drop(database.batch("ROLLBACK").await);
            Err(refusal)
        }
    }
}

/// The only number of an answer; 0 where it has none.
async fn number(database: &Postgres, sql: &str, values: &[Value<'_>]) -> Result<i64, Refusal> {
    Ok(database.number(sql, values).await?.unwrap_or_default())
}

/// Gives a schema another name, so that the next state begins with an empty one.
pub(in crate::edge::store) async fn set_aside(address: &Address, now: Timestamp) -> Result<(), StoreError> {
    let place = Place::Server(address.clone());
    let database = connect(address).await.map_err(|unconnected| unconnected.explained(&place))?;
    let aside = format!("{:.40}.before-{}", database.schema, now.strftime("%Y%m%dT%H%M%SZ"));
    let sql = format!("ALTER SCHEMA {} RENAME TO {}", quoted(&database.schema), quoted(&aside));
    database.batch(&sql).await.map_err(|fault| fault.explained(&place))
}

/// Why a state on a server is not opened.
enum Refusal {
    OldServer(i64),
    ReadOnly,
    NoRight,
    NotOurs,
    Newer(i64),
    Older(i64),
    Locked(Leased),
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Refusal {
    fn explained(self, place: &Place) -> StoreError {
        let unusable = |because: String, hint: &str| unusable(place.clone(), because, hint);
        match self {
            Self::OldServer(version) => {
                unusable(format!("the server is PostgreSQL {}", version / 10_000), "use PostgreSQL 13 or later")
            }
            Self::ReadOnly => {
                unusable("it can only be read".to_owned(), "name the server that takes writes: a replica does not")
            }
            Self::NoRight => no_right(place, "it may not look into the schema"),
            Self::NotOurs => unusable(
                "the schema has tables of another program".to_owned(),
                "name another schema, with schema=NAME in what state.url refers to",
            ),
            Self::Newer(version) => unusable(
                format!("its schema is version {version}, and this program knows versions up to {NEWEST}"),
                "use the newer punchlist that wrote it",
            ),
            Self::Older(version) => unusable(
                format!("its schema is version {version}, and this program reads version {NEWEST}"),
                "run `punchlist plan` once, which brings it up to date",
            ),
            Self::Locked(held) => held.refused(place),
            Self::Fault(fault) => fault.explained(place),
        }
    }
}
