//! The audit log: the journal's events as entries of a chain, and what is needed to trust and to search it.
//!
//! ```text
//! entry n      body(n)   the event as JSON, with the format's version
//!              hash(n) = SHA-256( hash(n-1) ‖ body(n) )
//! checkpoint   n and hash(n), signed and kept elsewhere when a run ends
//! ```
//!
//! The chain shows what was changed, put in, taken out or put in another order. What a chain cannot show, that its end
//! was cut off or that all of it was made anew, the checkpoints do.

mod history;
mod labels;
mod line;
mod verify;

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use strum::{IntoStaticStr, VariantArray};

use super::{
    journal::{Event, Outcome, RunId, What},
    text::json_line,
};

pub use history::{Alteration, fields, history, verb};
pub use labels::{About, Labels, Refers, change_of, refers};
pub use line::{ended, everything, from_to, line_of, outcome_words, shown_value, told, when};
pub use verify::{Finding, Findings, StoredEntry, Verifier};

/// The version of the events' format. Later versions read this one.
pub const VERSION: u32 = 1;
/// The format's name and version, for exports and `--json`.
pub const FORMAT: &str = "punchlist/log/1";

/// A SHA-256, in hexadecimal for people and formats.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first entry follows from.
    pub const START: Self = Self([0; 32]);

    /// The hash of the entry that follows this one with a body.
    #[must_use]
    pub fn then(self, body: &str) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(body).finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The text is no SHA-256 in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no SHA-256: 64 hexadecimal digits are wanted")]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NotAHash);
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(NotAHash);
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(hash))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What was known of the log at a time, signed, and kept outside of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The number of the last entry.
    pub n: u64,
    /// Its hash.
    pub head: Hash,
    /// When.
    pub at: Timestamp,
    /// The public key that proves the signature, in hexadecimal.
    pub key: String,
    /// Ed25519 over [`Checkpoint::signed_text`], in hexadecimal.
    pub signature: String,
}

impl Checkpoint {
    /// What the signature is over.
    pub fn signed_text(n: u64, head: Hash, at: Timestamp) -> String {
        format!("punchlist/checkpoint/1\n{n}\n{head}\n{}\n", at.as_millisecond())
    }
}

/// How much an event matters, from the least.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Level {
    /// How it was done.
    Debug,
    /// What was done.
    Info,
    /// What went otherwise than wished.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// How much something matters that happened.
    pub fn of(what: &What) -> Self {
        match what {
            What::Exchange { status: Some(200..300), .. } | What::Exchanges { .. } | What::SecretRead { .. } => {
                Self::Debug
            }
            What::Failed { .. }
            | What::SecretRefused { .. }
            | What::Outcome { outcome: Outcome::Refused { .. } | Outcome::Unknown { .. }, .. } => Self::Error,
            What::Exchange { .. }
            | What::Fetched { incomplete: Some(_), .. }
            | What::Planned { complete: false, .. }
            | What::Braked { .. }
            | What::ForeignRun { .. }
            | What::LockBroken { .. }
            | What::StateMoved { .. }
            | What::DecisionOvertaken { .. }
            | What::Released { .. }
            | What::MonthReopened { .. }
            | What::Begun { .. }
            | What::NotStarted { .. }
            | What::Halted { .. }
            | What::Cut { .. }
            | What::Outcome { outcome: Outcome::NotSent { .. } | Outcome::Absent, .. } => Self::Warn,
            What::Called { answer, .. } if answer.is_refusal() => Self::Warn,
            What::RunStarted { .. }
            | What::ConfigurationChanged { .. }
            | What::SecretReplaced { .. }
            | What::Fetched { .. }
            | What::Planned { .. }
            | What::Difference(_)
            | What::DifferenceEnded { .. }
            | What::Decided { .. }
            | What::DecisionEnded { .. }
            | What::Approved { .. }
            | What::Intent { .. }
            | What::Outcome { .. }
            | What::Linked { .. }
            | What::Applied { .. }
            | What::Called { .. }
            | What::MonthSealed { .. }
            | What::RunEnded { .. } => Self::Info,
        }
    }
}

/// An event with the version of its format, as it is stored.
#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    #[serde(flatten)]
    event: &'a Event,
}

/// An event as the body of an entry. It is safe on a terminal, and exact.
///
/// # Errors
/// If the event cannot be written as JSON, which is a mistake in this program.
pub fn body(event: &Event) -> Result<String, serde_json::Error> {
    json_line(&Written { v: VERSION, event })
}

/// What all versions of the format have in common.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Envelope {
    /// The version of the format.
    pub v: u32,
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// The word for what happened.
    pub event: String,
}

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is of a later program.
    #[error("it is of version {0} of the format, and this program knows versions up to {VERSION}")]
    Later(u32),
    #[error("it cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
}

/// Reads the body of an entry.
///
/// # Errors
/// [`Unread`]
pub fn read(body: &str) -> Result<Event, Unread> {
    let Envelope { v, .. } = serde_json::from_str(body)?;
    if v > VERSION {
        return Err(Unread::Later(v));
    }
    Ok(serde_json::from_str(body)?)
}

#[cfg(test)]
mod tests;
