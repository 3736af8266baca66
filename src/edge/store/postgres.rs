//! A connection to `PostgreSQL`, and how its dialect and its failures differ from those of `SQLite`.

pub(super) mod address;
pub(super) mod connect;
pub(super) mod lease;
pub(super) mod open;

use std::{
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::{mpsc, watch};
use tokio_postgres::{
    AsyncMessage, Client, Row,
    error::SqlState,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{Fault, Place, StoreError, value::Value};
use crate::edge::{
    failpoint::{self, shortened},
    scrub::scrub,
};

/// Statements of one sort that are on their way at once.
const AHEAD: usize = 64;
/// What to do about a state that is damaged.
pub(super) const HINT_DAMAGED: &str =
    "put a backup of the server in its place, or name another schema in what state.url refers to";
/// What to do where a server is not there.
pub(super) const HINT_AWAY: &str =
    "check the address, the server and the network; run again when it is there: what was under way is taken up";
/// How long a server may say nothing to what it was asked: longer than anybody waits there for their turn.
const ANSWERS_WITHIN: Duration = Duration::from_secs(90);
/// How long it takes at the most to take in an answer that is there.
const TAKES_IN_WITHIN: Duration = Duration::from_secs(1);
/// Begins a transaction that may write. There is one at a time, as with `SQLite`: it waits for its turn.
const BEGIN: &str = "BEGIN; SELECT n FROM turn FOR UPDATE";

/// A connection, on which one transaction at a time is under way.
pub(super) struct Postgres {
    client: Client,
    /// True once it has said nothing for too long: nothing is asked over it any more.
    is_silent: AtomicBool,
    /// True after a transaction that nobody waited for to its end: it is taken back before anything else.
    is_left: AtomicBool,
    /// The schema, and the channel on which others hear that something was written.
    pub(super) schema: String,
    /// What the server says by itself.
    said: Said,
    /// Changes when the connection ends.
    lives: Lives,
}

/// What a server says by itself.
pub(in crate::edge::store) type Said = mpsc::UnboundedReceiver<AsyncMessage>;
/// Whether a connection has ended.
type Lives = watch::Receiver<()>;

impl Postgres {
    fn new(client: Client, schema: String, (said, lives): (Said, Lives)) -> Self {
        let [is_silent, is_left] = [false; 2].map(AtomicBool::new);
        Self { client, is_silent, is_left, schema, said, lives }
    }

    /// Waits for an answer, but not for ever: a network that vanishes says nothing.
    async fn answered<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Fault> {
        if self.is_silent.load(Ordering::Relaxed) {
            return Err(Fault::Silent);
        }
        let mut answer = pin!(answer);
        let answered = match tokio::time::timeout(shortened(ANSWERS_WITHIN), &mut answer).await {
            Ok(answer) => Ok(answer),
            // Who stood still for that long has the answer, and has not taken it in yet.
            Err(_) => tokio::time::timeout(TAKES_IN_WITHIN, answer).await,
        };
        let Ok(answer) = answered else {
            self.is_silent.store(true, Ordering::Relaxed);
            return Err(Fault::Silent);
        };
        Ok(answer?)
    }

    /// Executes statements without values and answers.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Fault> {
        self.answered(self.client.batch_execute(sql)).await
    }

    pub(super) async fn stream<'a>(
        &'a self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<impl Stream<Item = Result<Row, Fault>> + use<'a>, Fault> {
        self.take_back().await?;
        let values = values.iter().map(|value| (value, value.kind()));
        let rows = Box::pin(self.answered(self.client.query_typed_raw(&dialect(sql), values)).await?);
        Ok(stream::try_unfold(rows, move |mut rows| async move {
            Ok(self.answered(rows.try_next()).await?.map(|row| (row, rows)))
        }))
    }

    pub(super) async fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        self.take_back().await?;
        let values: Vec<(&(dyn ToSql + Sync), Type)> =
            values.iter().map(|value| (value as &(dyn ToSql + Sync), value.kind())).collect();
        self.answered(self.client.execute_typed(&dialect(sql), &values)).await
    }

    /// The first number of an answer that has one.
    pub(super) async fn number(&self, sql: &str, values: &[Value<'_>]) -> Result<Option<i64>, Fault> {
        let mut rows = pin!(self.stream(sql, values).await?);
        Ok(rows.try_next().await?.map(|row| row.try_get(0)).transpose()?.flatten())
    }

    /// Executes one statement for many rows of values. They are on their way together, and need not wait for each
    /// other.
    pub(super) async fn execute_many<'v>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = impl AsRef<[Value<'v>]>>,
    ) -> Result<(), Fault> {
        let executed = stream::iter(rows).map(async |values| self.execute(sql, values.as_ref()).await).buffered(AHEAD);
        executed.try_for_each(async |_| Ok(())).await
    }

    /// Does all of the work, or nothing of it. Others hear of it.
    pub(super) async fn transact<T>(&self, work: impl AsyncFnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        self.take_back().await?;
        let left = Left(&self.is_left);
        self.batch(BEGIN).await?;
        let result = async {
            let result = work().await?;
            if failpoint::reach("commit") == failpoint::Point::DiskFull {
                return Err(Fault::Full);
            }
            Ok(result)
        }
        .await;
        if result.is_ok() {
            self.batch("COMMIT").await?;
            std::mem::forget(left);
            failpoint::reach("committed");
            // A server without such channels refuses it; those who listen look by themselves, too.
            drop(self.batch(&format!("NOTIFY {}", quoted(&self.schema))).await);
        } else {
            // At once: others wait for their turn.
            drop(left);
            drop(self.take_back().await);
        }
        result
    }

    /// Reads as if nobody wrote meanwhile.
    pub(super) async fn snapshot<T>(&self, work: impl AsyncFnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        self.take_back().await?;
        let left = Left(&self.is_left);
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let result = work().await;
        drop(left);
        self.take_back().await?;
        result
    }

    async fn take_back(&self) -> Result<(), Fault> {
        if self.is_left.swap(false, Ordering::Relaxed) {
            self.batch("ROLLBACK").await?;
        }
        Ok(())
    }
}

/// Says that a transaction was left, should it be dropped.
struct Left<'a>(&'a AtomicBool);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A statement in the words of `PostgreSQL`: its values are `$1` and not `?1`, and the hints to the planner of `SQLite`
/// mean nothing to it.
fn dialect(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut words = sql.split_inclusive(char::is_whitespace).peekable();
    while let Some(word) = words.next() {
        match word.trim_end() {
            "INDEXED" => drop(words.nth(1)),
            "NOT" if words.peek().is_some_and(|next| next.trim_end() == "INDEXED") => drop(words.next()),
            _ => text.push_str(&word.replace('?', "$").replace("+kind", "kind")),
        }
    }
    text
}

/// A name as it stands in a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Value<'_> {
    fn kind(&self) -> Type {
        match self {
            Self::Number(_) => Type::INT8,
            Self::Bytes(_) => Type::BYTEA,
            // What may be missing is always text.
            Self::Text(_) | Self::Null => Type::TEXT,
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Number(number) => number.to_sql(kind, out),
            Self::Text(text) => text.as_ref().to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// What went wrong with a server, and what to do about it.
pub(super) fn explained(error: &tokio_postgres::Error, place: &Place) -> StoreError {
    let said = error.as_db_error().map_or_else(|| causes(error), |said| said.message().to_owned());
    let said = scrub(&said).into_owned();
    let unusable =
        |because: String, hint: &str| StoreError::Unusable { place: place.to_string(), because, hint: hint.into() };
    let Some(code) = error.code() else {
        return unusable(format!("the server cannot be reached ({said})"), HINT_AWAY);
    };
    match code.code().get(..2).unwrap_or_default() {
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => no_right(place, &said),
        "28" => StoreError::Refused {
            place: place.to_string(),
            because: format!("the server does not let us in ({said})"),
            hint: "check the role and the password in what state.url refers to".to_owned(),
        },
        "3D" => unusable(format!("there is no such database ({said})"), "make it: createdb NAME"),
        _ if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
            unusable(format!("the server ended it ({said})"), "run again: what was under way is taken up")
        }
        "25" => {
            unusable(format!("it can only be read ({said})"), "name the server that takes writes: a replica does not")
        }
        "53" if *code == SqlState::DISK_FULL => unusable(
            "the disk of the server is full".to_owned(),
            "free some space there and run again; what was under way is taken up",
        ),
        "08" | "53" | "57" => {
            unusable(format!("the server ended it ({said})"), "run again: what was under way is taken up")
        }
        // E.g. a quota, a limit to the size of a file, or a disk that fails: the server knows more than it says.
        "58" | "XX" => unusable(
            format!("the server failed ({said})"),
            "look into its log, and at its disk; run again when it is well: what was under way is taken up",
        ),
        "40" | "55" => unusable(format!("others keep it busy ({said})"), "run again: what was under way is taken up"),
        // Statements that have worked a thousand times do not fit what is there: what is there has changed.
        "22" | "23" | "42" | "3F" | "P0" => {
            unusable(format!("it holds what punchlist does not write ({said})"), HINT_DAMAGED)
        }
        _ => StoreError::Bug { place: place.to_string(), because: said },
    }
}

/// The role may not do what is needed.
fn no_right(place: &Place, because: &str) -> StoreError {
    StoreError::Refused {
        place: place.to_string(),
        because: format!("the role has no right to it ({because})"),
        hint: "grant it: assets/postgres-roles.sql has the roles and what each needs".to_owned(),
    }
}

/// What an error says, with its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_told_in_the_words_of_postgresql() {
        let check = |sql, expected| assert_eq!(dialect(sql), expected);
        check("SELECT n FROM event INDEXED BY event_at WHERE at_ms < ?1", "SELECT n FROM event WHERE at_ms < $1");
        check(
            "SELECT n FROM event NOT INDEXED WHERE n <= ?1 AND +kind IN (?2)",
            "SELECT n FROM event WHERE n <= $1 AND kind IN ($2)",
        );
        check("DELETE FROM link\n  WHERE page_id NOT IN (?1)", "DELETE FROM link\n  WHERE page_id NOT IN ($1)");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
