//! What goes wrong, as a person is told it: what, what to do next, and an exit code.

use std::fmt;

use super::session::SessionError;
pub use crate::domain::code::Code;
use crate::edge::{
    checkpoints::CheckpointsError, clockify, config::ConfigError, http::SetupError, notion, scrub::scrub,
    secrets::SecretError, store::StoreError,
};

/// A failure for people. Its texts are safe to show, and hold nothing that is known to be secret.
#[derive(Debug)]
pub struct RunError {
    pub code: Code,
    /// What went wrong.
    pub error: String,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl RunError {
    /// One without a hint.
    pub fn new(code: Code, error: impl fmt::Display) -> Self {
        Self { code, error: scrub(&error.to_string()).into_owned(), hints: Vec::new() }
    }

    /// Several at once, in their order; the code is that of the gravest.
    pub fn several(failures: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = failures.into_iter().collect();
        if all.len() == 1 {
            return all.remove(0);
        }
        let code = all.iter().map(|failure| failure.code).min_by_key(|code| code.rank()).unwrap_or(Code::Error);
        let error =
            all.iter().fold(format!("{} things are wrong", all.len()), |text, failure| text + "\n  " + &failure.error);
        let mut hints: Vec<String> = Vec::new();
        for hint in all.into_iter().flat_map(|failure| failure.hints) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        Self { code, error, hints }
    }

    /// The same with a hint more; nothing is none.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !hint.is_empty() {
            self.hints.push(scrub(&hint).into_owned());
        }
        self
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.error)?;
        self.hints.iter().try_for_each(|hint| write!(formatter, "\n hint: {hint}"))
    }
}

impl From<ConfigError> for RunError {
    fn from(error: ConfigError) -> Self {
        Self::new(Code::Configuration, error)
    }
}

impl From<SecretError> for RunError {
    fn from(error: SecretError) -> Self {
        Self::new(Code::Refused, &error).hint(error.hint())
    }
}

impl From<SetupError> for RunError {
    fn from(error: SetupError) -> Self {
        Self::new(Code::Error, error)
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Locked { .. } => Code::Locked,
            StoreError::Unusable { .. } => Code::StateUnusable,
            StoreError::Bug { .. } => Code::Error,
        };
        Self::new(code, &error).hint(error.hint())
    }
}

impl From<CheckpointsError> for RunError {
    fn from(error: CheckpointsError) -> Self {
        Self::new(Code::Error, &error).hint(error.hint())
    }
}

impl From<SessionError> for RunError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Notion(ref notion @ notion::Error::Budget { .. }) => {
                Self::new(Code::OutOfBudget, notion).hint(notion.hint())
            }
            SessionError::Notion(ref notion) if notion.is_refusal() => {
                Self::new(Code::Refused, notion).hint(notion.hint())
            }
            SessionError::Notion(ref notion) if notion.is_misconfiguration() => {
                Self::new(Code::Configuration, notion).hint(notion.hint())
            }
            SessionError::Notion(notion) => Self::new(Code::Error, &notion).hint(notion.hint()),
            SessionError::Clockify(ref clockify @ clockify::Error::Budget { .. }) => {
                Self::new(Code::OutOfBudget, clockify).hint(clockify.hint())
            }
            SessionError::Clockify(ref clockify) if clockify.is_refusal() => {
                Self::new(Code::Refused, clockify).hint(clockify.hint())
            }
            SessionError::Clockify(clockify) => Self::new(Code::Error, &clockify).hint(clockify.hint()),
            SessionError::Stopped(while_at) => Self::new(Code::Interrupted, while_at),
            SessionError::Several(errors) => Self::several(errors.into_iter().map(Self::from)),
            SessionError::OtherIdentity { .. } => Self::new(Code::Refused, &error)
                .hint("use the credentials of that workspace, or another --state-dir for this one"),
        }
    }
}

impl From<std::io::Error> for RunError {
    fn from(error: std::io::Error) -> Self {
        Self::new(Code::Error, error)
    }
}
