//! The database that the state is kept in, and the few ways in which it is asked. Statements are written once, for all
//! databases; where these differ, [`Database`] bridges it, or the place of the statement says so.

#[cfg(feature = "postgres")]
use futures_util::TryStreamExt;
use jiff::Timestamp;
use rusqlite::{
    Connection, Transaction, TransactionBehavior,
    types::{FromSqlError, ValueRef},
};
#[cfg(feature = "postgres")]
use tokio_postgres::types::Type;

#[cfg(feature = "postgres")]
use super::postgres::Postgres;
use super::{Fault, value::Value};
use crate::edge::failpoint::{self, Point};

/// A connection to the database. What asks a server is boxed, so that asking a file, which answers at once, takes no more
/// of the stack for it.
pub(super) enum Database {
    Sqlite(Connection),
    #[cfg(feature = "postgres")]
    Postgres(Box<Postgres>),
}

/// A row of an answer. Columns are counted from 0; one that holds something else than is asked for is a [`Fault`].
pub(super) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    #[cfg(feature = "postgres")]
    Postgres(&'a tokio_postgres::Row),
}

impl Database {
    /// Visits the rows of an answer.
    pub(super) async fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut visit: impl FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                while let Some(row) = rows.next()? {
                    visit(&Row::Sqlite(row))?;
                }
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let mut rows = Box::pin(Box::pin(database.stream(sql, values)).await?);
                while let Some(row) = rows.try_next().await? {
                    visit(&Row::Postgres(&row))?;
                }
                Ok(())
            }
        }
    }

    /// All rows of an answer, each as it is read.
    pub(super) async fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut all = Vec::new();
        self.each(sql, values, |row| {
            all.push(read(row)?);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// The first row of an answer that has one.
    pub(super) async fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                rows.next()?.map(|row| read(&Row::Sqlite(row))).transpose()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let mut rows = Box::pin(Box::pin(database.stream(sql, values)).await?);
                rows.try_next().await?.map(|row| read(&Row::Postgres(&row))).transpose()
            }
        }
    }

    /// The only row of an answer that always has one, such as a count.
    pub(super) async fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.first(sql, values, read).await?.ok_or_else(|| Fault::Stored("an answer is without a row".to_owned()))
    }

    /// Changes rows; returns how many.
    pub(super) async fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        match self {
            Self::Sqlite(connection) => {
                let changed = connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
                Ok(changed as u64)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => Box::pin(database.execute(sql, values)).await,
        }
    }

    /// Executes one statement for many rows of values, in their order.
    pub(super) async fn execute_many<'v>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = impl AsRef<[Value<'v>]>>,
    ) -> Result<(), Fault> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                for values in rows {
                    statement.execute(rusqlite::params_from_iter(values.as_ref()))?;
                }
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => Box::pin(database.execute_many(sql, rows)).await,
        }
    }

    /// Does all of the work, or nothing of it.
    pub(super) async fn transact<T>(&self, work: impl AsyncFnOnce(&Self) -> Result<T, Fault>) -> Result<T, Fault> {
        match self {
            Self::Sqlite(connection) => {
                // Dropped before it is committed, it takes all of it back.
                let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
                let result = work(self).await?;
                if failpoint::reach("commit") == Point::DiskFull {
                    return Err(Fault::Full);
                }
                transaction.commit()?;
                failpoint::reach("committed");
                Ok(result)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => Box::pin(database.transact(async || work(self).await)).await,
        }
    }

    /// Reads as if nobody wrote meanwhile.
    #[cfg(feature = "postgres")]
    pub(super) async fn snapshot<T>(&self, work: impl AsyncFnOnce(&Self) -> Result<T, Fault>) -> Result<T, Fault> {
        match self {
            Self::Sqlite(connection) => {
                let _transaction = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
                work(self).await
            }
            Self::Postgres(database) => Box::pin(database.snapshot(async || work(self).await)).await,
        }
    }
}

impl Row<'_> {
    pub(super) fn number(&self, column: usize) -> Result<i64, Fault> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(super) fn number_if_any(&self, column: usize) -> Result<Option<i64>, Fault> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(super) fn text(&self, column: usize) -> Result<&str, Fault> {
        match self {
            Self::Sqlite(row) => row.get_ref(column)?.as_str().map_err(|error| Fault::Stored(error.to_string())),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(super) fn text_if_any(&self, column: usize) -> Result<Option<&str>, Fault> {
        match self {
            Self::Sqlite(row) => {
                row.get_ref(column)?.as_str_or_null().map_err(|error| Fault::Stored(error.to_string()))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    pub(super) fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N], Fault> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => {
                let bytes = row.try_get::<_, &[u8]>(column)?.try_into();
                bytes.map_err(|_| Fault::Stored("bytes are more or fewer than they should be".to_owned()))
            }
        }
    }

    /// Whatever it is.
    pub(super) fn value(&self, column: usize) -> Result<Value<'static>, Fault> {
        let unreadable = |error: FromSqlError| Fault::Stored(error.to_string());
        match self {
            Self::Sqlite(row) => match row.get_ref(column)? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(number) => Ok(Value::Number(number)),
                ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec().into())),
                text => Ok(Value::Text(text.as_str().map_err(unreadable)?.to_owned().into())),
            },
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => match *row.columns()[column].type_() {
                Type::INT8 => Ok(row.try_get::<_, Option<i64>>(column)?.into()),
                Type::BYTEA => Ok(Value::Bytes(row.try_get::<_, Vec<u8>>(column)?.into())),
                _ => Ok(row.try_get::<_, Option<String>>(column)?.into()),
            },
        }
    }

    /// A time, which is stored in milliseconds.
    pub(super) fn time(&self, column: usize) -> Result<Timestamp, Fault> {
        let milliseconds = self.number(column)?;
        Timestamp::from_millisecond(milliseconds).map_err(|error| Fault::Stored(error.to_string()))
    }
}
