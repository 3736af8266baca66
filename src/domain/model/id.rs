//! The ids of both services, of runs and of changes.

use std::{cmp::Ordering, fmt, io::Write as _, str::FromStr};

use jiff::Timestamp;
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
pub struct PageId([u64; 2]);

impl PageId {
    /// A page id from its number.
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken by itself")]
    pub const fn from_number(number: u128) -> Self {
        // In halves it is put beside others without gaps.
        Self([(number >> 64) as u64, number as u64])
    }

    /// The number of the id.
    pub const fn number(self) -> u128 {
        (self.0[0] as u128) << 64 | self.0[1] as u128
    }

    /// What stands for the page that an object does not have, so that a change of it has a place among the others. It
    /// is made of the object's own id; nothing for an id of another form than Clockify's are known to have.
    pub fn stand_in(object: ObjectId) -> Option<Self> {
        let digits = Some(object.as_str()).filter(|text| text.len() == ObjectId::LENGTH_MAX)?;
        u128::from_str_radix(digits, 16).ok().map(|number| Self::from_number(STAND_IN << STAND_IN_SHIFT | number))
    }

    /// The id, unless it stands for a page that does not exist.
    pub fn in_notion(self) -> Option<Self> {
        (self.number() >> STAND_IN_SHIFT != STAND_IN).then_some(self)
    }
}

impl FromStr for PageId {
    type Err = InvalidId;

    /// Reads a UUID with or without dashes, in either case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.chars().filter(|&c| c != '-');
        let number = digits.clone().try_fold(0, |number: u128, c| Some(number << 4 | u128::from(c.to_digit(16)?)));
        let number = number.filter(|_| digits.count() == 32).map(Self::from_number);
        number.ok_or_else(|| InvalidId { text: text.to_owned(), wanted: "a Notion id (32 hexadecimal digits)" })
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low] = self.0;
        let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
        write!(formatter, "{first:08x}-{second:04x}-{third:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    }
}

/// A short word of letters, digits, `-` and `_`, kept where it stands; the empty one is no id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Word<const MAX: usize>([u8; MAX]);

/// By their bytes, eight at a time: a listing is searched for millions of ids.
impl<const MAX: usize> Ord for Word<MAX> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.eights().cmp(other.eights())
    }
}

impl<const MAX: usize> PartialOrd for Word<MAX> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const MAX: usize> Default for Word<MAX> {
    fn default() -> Self {
        Self([0; MAX])
    }
}

impl<const MAX: usize> Word<MAX> {
    fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&b| b == 0).unwrap_or(MAX);
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }

    fn eights(&self) -> impl Iterator<Item = u64> + '_ {
        const { assert!(MAX.is_multiple_of(8)) };
        self.0.as_chunks().0.iter().map(|eight| u64::from_be_bytes(*eight))
    }

    fn read(text: &str, wanted: &'static str) -> Result<Self, InvalidId> {
        let plausible = (1..=MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plausible {
            return Err(InvalidId { text: text.to_owned(), wanted });
        }
        let mut bytes = [0; MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }
}

/// The id of a Clockify client, project or task: opaque, in practice a `MongoDB` `ObjectId` of 24 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(Word<{ Self::LENGTH_MAX }>);

impl ObjectId {
    /// Bytes of the longest id that is accepted.
    pub const LENGTH_MAX: usize = 24;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
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
        Word::read(text, "a Clockify id (24 hexadecimal digits)").map(Self)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ObjectId({self})")
    }
}

/// The name of a run, sortable by time: `20261123T120000Z-0a1b`. Any short word is one; nothing has the empty one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Word<{ Self::LENGTH_MAX }>);

impl RunId {
    /// Bytes of the longest name that is accepted.
    const LENGTH_MAX: usize = 32;

    /// The name of a run that begins now.
    pub fn beginning(now: Timestamp) -> Self {
        let mut word = [0; Self::LENGTH_MAX];
        let (second, rest) = (now.strftime("%Y%m%dT%H%M%SZ"), now.subsec_nanosecond() / 20_000);
        // It fits in every year that a timestamp can have.
        write!(word.as_mut_slice(), "{second}-{rest:04x}").unwrap_or_default();
        Self(Word(word))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for RunId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Word::read(text, "the name of a run").map(Self)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RunId({self})")
    }
}

/// Names a change by its content: a change that proposes something else has another id, so that a decision cannot slip
/// onto it. Shown as 16 hexadecimal digits; that of a notice, which can be decided about too, as an `n` and 15.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(u128);

impl ChangeId {
    /// The first number of a notice.
    const NOTICE: u128 = 1 << 64;

    /// The id of a change from its number.
    pub const fn from_number(number: u64) -> Self {
        Self(number as u128)
    }

    /// The id of a notice, from the upper 60 bits of its number.
    pub const fn of_notice(number: u64) -> Self {
        Self(Self::NOTICE | (number >> 4) as u128)
    }

    /// True where its text begins so.
    pub fn begins_with(self, text: &str) -> bool {
        self.to_string().starts_with(text)
    }
}

impl FromStr for ChangeId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (digits, notice) = text.strip_prefix('n').map_or((text, 0), |digits| (digits, Self::NOTICE));
        let plausible = text.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(digits, 16).ok().filter(|_| plausible).map(|number| Self(notice | number));
        number.ok_or_else(|| InvalidId { text: text.to_owned(), wanted: "the ID of a change (16 hexadecimal digits)" })
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 ^ Self::NOTICE {
            notice if notice < Self::NOTICE => write!(formatter, "n{notice:015x}"),
            _ => write!(formatter, "{:016x}", self.0),
        }
    }
}

impl fmt::Debug for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ChangeId({self})")
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
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $id;
                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("an id")
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$id, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    )*};
}
serde_as_text!(PageId, ObjectId, RunId, ChangeId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_shown_and_nothing_else_is() {
        for text in ["0123456789abcdef", "ffffffffffffffff", "n123456789abcdef", "n000000000000000"] {
            assert_eq!(text.parse::<ChangeId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "n",
            "0123456789ABCDEF",
            "+123456789abcdef",
            "0123456789abcde",
            "nn23456789abcdef",
            "../../../../../etc",
        ] {
            assert!(text.parse::<ChangeId>().is_err(), "{text}");
        }
        assert!(ChangeId::from_number(u64::MAX) < ChangeId::of_notice(0), "in the order of their texts");
        for text in ["20261123T120000Z-0a1b", "m1-2", "r"] {
            assert_eq!(text.parse::<RunId>().map(|run| run.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "a b", "a\u{202e}", "'; --", &"r".repeat(33)] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
        let now = "2026-11-23T12:00:00.4Z".parse().expect("a time");
        assert_eq!(RunId::beginning(now).to_string(), "20261123T120000Z-4e20");
        assert!(RunId::beginning(Timestamp::MIN).to_string().contains("Z-"), "however long the year is");
    }
}
