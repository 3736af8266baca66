//! The two services' identifiers. Both are `Copy`, so that a test can pass a page around like a number.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A Notion UUID: of a page, a database, a data source, a user or an option.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotionId(u128);

impl NotionId {
    /// The ID that belongs to a counter value: scattered, so that the order of IDs says nothing about age, and shaped
    /// as a version 4 UUID.
    pub(crate) fn from_counter(counter: u64) -> Self {
        let high = u128::from(scatter(counter));
        let low = u128::from(scatter(counter ^ 0x5EED_5EED_5EED_5EED));
        let version_cleared = ((high << 64) | low) & !(0xF << 76) & !(0x3 << 62);
        Self(version_cleared | (0x4 << 76) | (0x2 << 62))
    }

    /// Reads an ID as the API does: dashes are optional, upper case is not accepted (live probe, third party).
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        let lower_hex = |character: char| character.is_ascii_digit() || ('a'..='f').contains(&character);
        if digits.len() != 32 || !digits.chars().all(lower_hex) {
            return None;
        }
        u128::from_str_radix(&digits, 16).ok().map(Self)
    }
}

impl fmt::Display for NotionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        write!(
            formatter,
            "{}-{}-{}-{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..]
        )
    }
}

impl fmt::Debug for NotionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A Clockify ID: a Mongo `ObjectId`, whose first eight hex digits are the second of its creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockifyId([u8; 12]);

impl ClockifyId {
    /// The ID of an object born at `created`; `counter` keeps objects of one second apart.
    pub(crate) fn new(created: Timestamp, counter: u64) -> Self {
        let second = u32::try_from(created.as_second().max(0)).unwrap_or(u32::MAX);
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&second.to_be_bytes());
        bytes[4..9].copy_from_slice(&[0x5a, 0x4d, 0xb0, 0x0c, 0x51]);
        bytes[9..].copy_from_slice(&counter.to_be_bytes()[5..]);
        Self(bytes)
    }

    /// Reads 24 hex digits; anything else is no ID.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 24 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 12];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ClockifyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ClockifyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Both kinds travel as text.
macro_rules! serde_as_text {
    ($id:ty) => {
        impl Serialize for $id {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an ID")))
            }
        }
    };
}
serde_as_text!(NotionId);
serde_as_text!(ClockifyId);

/// The finalizer of splitmix64: neighbours go far apart, and no two inputs meet.
pub(crate) fn scatter(counter: u64) -> u64 {
    let mut mixed = counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
