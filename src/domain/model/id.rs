//! The ids of both services, and of runs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The text is not an id of the wanted form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}")]
pub struct InvalidId {
    text: String,
    wanted: &'static str,
}

/// How the ids begin that stand for pages which do not exist, where Notion's are random.
const STAND_IN: u128 = 0x504e_4348;
/// The bits of a Clockify id.
const STAND_IN_SHIFT: u32 = 96;

/// The id of a Notion page, database or data source: a UUID, shown dashed and in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId(u128);

impl PageId {
    /// A page id from its number.
    pub const fn from_number(number: u128) -> Self {
        Self(number)
    }

    /// What stands for the page that an object does not have, so that a change of it has a place among the others. It
    /// is made of the object's own id; nothing for an id of another form than Clockify's are known to have.
    pub fn stand_in(object: ObjectId) -> Option<Self> {
        let digits = Some(object.as_str()).filter(|text| text.len() == ObjectId::LENGTH_MAX)?;
        u128::from_str_radix(digits, 16).ok().map(|number| Self(STAND_IN << STAND_IN_SHIFT | number))
    }

    /// The id, unless it stands for a page that does not exist.
    pub fn in_notion(self) -> Option<Self> {
        (self.0 >> STAND_IN_SHIFT != STAND_IN).then_some(self)
    }
}

impl FromStr for PageId {
    type Err = InvalidId;

    /// Reads a UUID with or without dashes, in either case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId { text: text.to_owned(), wanted: "a Notion id (32 hexadecimal digits)" };
        let digits: String = text.chars().filter(|&c| c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        u128::from_str_radix(&digits, 16).map(Self).map_err(|_| invalid())
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(formatter, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// The id of a Clockify client, project or task: opaque, in practice a `MongoDB` `ObjectId` of 24 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; Self::LENGTH_MAX]);

impl ObjectId {
    /// Bytes of the longest id that is accepted.
    pub const LENGTH_MAX: usize = 24;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&b| b == 0).unwrap_or(Self::LENGTH_MAX);
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }

    /// The second in which the object was created, by the server's clock: the first four bytes of an `ObjectId`.
    pub fn created_second(&self) -> Option<i64> {
        let text = self.as_str();
        (text.len() == Self::LENGTH_MAX).then(|| i64::from_str_radix(&text[..8], 16).ok()).flatten()
    }
}

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plausible = (1..=Self::LENGTH_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plausible {
            return Err(InvalidId { text: text.to_owned(), wanted: "a Clockify id (24 hexadecimal digits)" });
        }
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ObjectId({})", self.as_str())
    }
}

macro_rules! serde_as_text {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(PageId, ObjectId);

/// The name of a run: sortable by time.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}
