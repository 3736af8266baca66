//! The values that statements are given, alike for all databases.

use std::borrow::Cow;

use jiff::Timestamp;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use crate::domain::{journal::RunId, model::PageId, plan::ChangeId};

/// What stands in a statement for `?1`, `?2` and so on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Number(i64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Number(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Number(at.as_millisecond())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a RunId> for Value<'a> {
    fn from(run: &'a RunId) -> Self {
        run.as_str().into()
    }
}

impl From<&ChangeId> for Value<'_> {
    fn from(change: &ChangeId) -> Self {
        change.to_string().into()
    }
}

impl From<PageId> for Value<'_> {
    fn from(page: PageId) -> Self {
        page.to_string().into()
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes.as_slice().into())
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What stands in a statement for `?1`, `?2` and so on.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::edge::store::value::Value::from($value)),*] };
}
pub(super) use values;
