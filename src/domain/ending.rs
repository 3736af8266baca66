//! How runs end.

use serde::{Deserialize, Serialize, de::IntoDeserializer};

use super::{code::Code, text::Shown};

/// How a run ended. The gravest cause names it, as its code ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// There was nothing to do.
    InSync,
    /// Everything was applied.
    Applied,
    /// Something waits, for a person or for a run that is asked for it.
    Pending,
    /// A brake held something.
    Braked,
    /// The request budget is used up; the next run goes on.
    OutOfBudget,
    /// Stopped, or partly applied; the next run goes on.
    Interrupted,
    /// A write has an unknown outcome that nothing could settle.
    Unknown,
    /// A source could not be read completely, so that nobody can say that both sides agree.
    Incomplete,
    /// A service refused a change; running again would end the same.
    Failed,
    /// The credentials were refused.
    Refused,
}

impl Ending {
    /// What the program ends with.
    pub fn code(self) -> Code {
        match self {
            Self::InSync | Self::Applied => Code::Done,
            Self::Failed | Self::Incomplete => Code::Error,
            Self::Pending => Code::Waiting,
            Self::Braked => Code::Braked,
            Self::Interrupted => Code::Interrupted,
            Self::Refused => Code::Refused,
            Self::Unknown => Code::Unknown,
            Self::OutOfBudget => Code::OutOfBudget,
        }
    }

    /// The outcome in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Applied => "applied",
            Self::Pending => "changes wait",
            Self::Braked => "a brake held changes",
            Self::OutOfBudget => "a service takes no more requests for now; run again later",
            Self::Interrupted => "not everything was applied; run again to go on",
            Self::Unknown => "the outcome of a write is unknown and needs a person",
            Self::Incomplete => "not everything could be read",
            Self::Failed => "some changes failed",
            Self::Refused => "the credentials were refused",
        }
    }
}

/// How a run ended, as the log and the list of runs have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum End {
    /// With a report.
    Reported(Ending),
    /// Without one: what it did instead, e.g. `planned`, or why it failed.
    Without(Shown),
}

impl From<&str> for End {
    fn from(outcome: &str) -> Self {
        let ending: Result<Ending, serde::de::value::Error> = Ending::deserialize(outcome.into_deserializer());
        ending.map_or_else(|_| Self::Without(outcome.into()), Self::Reported)
    }
}
