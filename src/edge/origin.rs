//! Where a setting was set, for people and for programs.

use std::{fmt, path::PathBuf};

use crate::domain::text::Shown;

/// Where a setting was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is as it is by itself.
    #[default]
    Defaults,
    File {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Variable(String),
    /// Somewhere that has neither a line nor a name: a flag, a file as a whole.
    Elsewhere(String),
}

impl Origin {
    /// What a program can go to: `FILE:LINE`, or the name of a variable.
    pub fn exact(&self) -> Option<Shown> {
        match self {
            Self::Defaults | Self::Elsewhere(_) => None,
            Self::File { .. } => Some(self.to_string().into()),
            Self::Variable(name) => Some(Shown::of(name)),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => formatter.write_str("the defaults"),
            Self::File { path, line } => write!(formatter, "{}:{line}", Shown::from(path.display().to_string())),
            Self::Variable(name) => write!(formatter, "environment variable {}", Shown::of(name)),
            Self::Elsewhere(place) => write!(formatter, "{}", Shown::of(place)),
        }
    }
}

impl From<&str> for Origin {
    fn from(place: &str) -> Self {
        Self::Elsewhere(place.to_owned())
    }
}
