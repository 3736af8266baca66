//! Fields, and what they hold in the one form in which both services' values can be compared.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{Kind, ObjectId};
use crate::domain::text::{Raw, Shown};

/// A property of a client, project or task that both sides can hold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Field {
    /// The name; always mapped.
    Name,
    /// The client of a project or the project of a task; always mapped.
    Parent,
    /// Open or closed; always mapped.
    State,
    /// A client's e-mail address.
    Email,
    /// A client's postal address.
    Address,
    /// A client's or project's note.
    Note,
    /// Whether time on it is billable.
    Billable,
    /// Whether everybody in the workspace sees the project.
    Public,
    /// A project's colour, `#rrggbb`.
    Color,
    /// Planned time.
    Estimate,
    /// The people that a task is assigned to, by e-mail address.
    Assignees,
    /// The Clockify ID that a page shows; never mapped.
    Claim,
    /// A word in the page about what waits for a person; only Notion has it, and only punchlist writes it.
    SyncStatus,
    /// The reasons for that word.
    SyncNote,
    /// Time tracked on it, to the hundredth of an hour. This and what follows only Clockify says, and only pages show.
    Hours,
    /// The last day on which time was tracked.
    LastTracked,
    /// How what is tracked stands to what is planned, in a word.
    BudgetState,
    /// The address at which Clockify shows its figures.
    Report,
}

impl Field {
    /// The fields of a kind that a mapping may name, besides name, parent and state.
    pub fn mappable(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Client => &[Self::Email, Self::Address, Self::Note],
            Kind::Project => &[Self::Billable, Self::Public, Self::Color, Self::Note, Self::Estimate],
            Kind::Task => &[Self::Assignees, Self::Estimate, Self::Billable],
        }
    }

    /// The fields of a kind that a page can show of tracked time.
    pub fn tracked(kind: Kind) -> &'static [Self] {
        match kind {
            // Clockify has no address for the figures of a client alone.
            Kind::Client => &[Self::Hours, Self::LastTracked, Self::BudgetState],
            Kind::Project | Kind::Task => &[Self::Hours, Self::LastTracked, Self::BudgetState, Self::Report],
        }
    }

    /// True for what pages show of tracked time: it goes from Clockify to Notion alone.
    pub fn is_tracked(self) -> bool {
        matches!(self, Self::Hours | Self::LastTracked | Self::BudgetState | Self::Report)
    }

    /// True for what pages tell of punchlist's own work: it is no part of what both sides agree on.
    pub fn is_sync_status(self) -> bool {
        matches!(self, Self::SyncStatus | Self::SyncNote)
    }

    /// Whether Clockify's value can be written into a page: relations and people are for Notion's users to set.
    pub fn is_writable_in_notion(self) -> bool {
        !matches!(self, Self::Parent | Self::Assignees | Self::Claim | Self::SyncStatus | Self::SyncNote)
    }

    /// Whether a page that says nothing asks Clockify to hold nothing. A flag is yes or no, and every project has a
    /// colour: there, nothing is no instruction, since no write could carry it out. An empty name is one, which is
    /// held.
    pub fn is_instruction_when_empty(self) -> bool {
        match self {
            Self::Name | Self::Parent | Self::Email | Self::Address | Self::Note | Self::Estimate | Self::Assignees => {
                true
            }
            Self::Billable
            | Self::Public
            | Self::Color
            | Self::State
            | Self::Claim
            | Self::SyncStatus
            | Self::SyncNote
            | Self::Hours
            | Self::LastTracked
            | Self::BudgetState
            | Self::Report => false,
        }
    }

    /// The word for the field, in configuration, plans and on screen.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// What a field holds, in the one form in which both services' values can be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing: an empty property, an unset field.
    #[default]
    Empty,
    /// Text, a name in its canonical form.
    Text(Raw),
    /// Yes or no.
    Flag(bool),
    /// A duration in seconds.
    Seconds(u64),
    /// People by e-mail address, in lower case.
    People(BTreeSet<Raw>),
    /// Closed (true) or open (false).
    Closed(bool),
    /// An object, as the parent of another.
    Object(ObjectId),
}

impl Value {
    /// Text, or [`Value::Empty`] when blank.
    pub fn text(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() { Self::Empty } else { Self::Text(Raw::new(trimmed)) }
    }

    /// A name in the form in which it is compared and sent, or [`Value::Empty`] when blank.
    pub fn name(name: &Raw) -> Self {
        let name = name.canonical();
        if name.as_str().is_empty() { Self::Empty } else { Self::Text(name.into_raw()) }
    }

    /// The value as people read it; not yet safe to print.
    pub fn to_raw(&self) -> Raw {
        match self {
            Self::Empty => Raw::default(),
            Self::Text(text) => text.clone(),
            Self::Flag(true) => "yes".into(),
            Self::Flag(false) => "no".into(),
            Self::Seconds(seconds) => duration_words(*seconds).into(),
            Self::People(people) => people.iter().map(Raw::exact).collect::<Vec<_>>().join(", ").into(),
            Self::Closed(true) => "closed".into(),
            Self::Closed(false) => "open".into(),
            Self::Object(id) => id.as_str().into(),
        }
    }
}

/// A duration as people write it: `1 h 30 min`.
pub fn duration_words(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts: Vec<String> = [(hours, "h"), (minutes, "min"), (rest, "s")]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() { "0 h".to_owned() } else { parts.join(" ") }
}

/// What was read of a field. A value that a service cannot or will not give is none, and least of all [`Value::Empty`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// The service said it.
    Known(Value),
    /// The service did not say it: why.
    Unknown(Shown),
}

/// The same with one more at this place.
pub(super) fn with<T>(all: Box<[T]>, at: usize, more: T) -> Box<[T]> {
    let mut all = all.into_vec();
    all.reserve_exact(1);
    all.insert(at, more);
    all.into()
}

/// The mapped fields of a page or an object, besides name, parent and state. Few, so sorted ones in no more room than
/// they take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(Box<[(Field, Reading)]>);

impl Values {
    /// The value of a field, or nothing where it is not mapped or not known. That is not [`Value::Empty`].
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.iter().find(|(known, _)| *known == field).map(|(_, value)| value)
    }

    /// Why a field is not known; nothing where it is known, or not mapped.
    pub fn unknown_because(&self, field: Field) -> Option<&Shown> {
        self.unknown().find(|(unknown, _)| *unknown == field).map(|(_, because)| because)
    }

    /// Sets a field.
    pub fn set(&mut self, field: Field, value: Value) {
        self.put(field, Reading::Known(value));
    }

    /// Keeps what was read of a field.
    pub fn put(&mut self, field: Field, reading: Reading) {
        match self.0.binary_search_by_key(&field, |(known, _)| *known) {
            Ok(at) => self.0[at].1 = reading,
            Err(at) => self.0 = with(std::mem::take(&mut self.0), at, (field, reading)),
        }
    }

    /// The fields that are known with their values, in the order of [`Field`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.0.iter().filter_map(|(field, reading)| match reading {
            Reading::Known(value) => Some((*field, value)),
            Reading::Unknown(_) => None,
        })
    }

    /// Bytes of text in all the values that are known.
    pub fn text(&self) -> usize {
        self.iter().map(|(_, value)| value.to_raw().exact().len()).sum()
    }

    /// The fields that are not known, with the reasons, in the order of [`Field`].
    pub fn unknown(&self) -> impl Iterator<Item = (Field, &Shown)> {
        self.0.iter().filter_map(|(field, reading)| match reading {
            Reading::Known(_) => None,
            Reading::Unknown(because) => Some((*field, because)),
        })
    }
}

impl FromIterator<(Field, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(pairs: I) -> Self {
        let mut values = Self::default();
        for (field, value) in pairs {
            values.set(field, value);
        }
        values
    }
}
