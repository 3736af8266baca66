//! What goes wrong, as a person is told it: what, what to do next, and an exit code.

use std::fmt;

use super::session::SessionError;
pub use crate::domain::code::Code;
use crate::{
    domain::text::Shown,
    edge::{
        checkpoints::CheckpointsError, clockify, config::ConfigError, http::SetupError, notion, scrub::scrub,
        secrets::SecretError, store::StoreError,
    },
};

/// A failure for people. Its texts hold nothing that is known to be secret.
#[derive(Clone, Debug)]
pub struct RunError {
    pub code: Code,
    /// What went wrong.
    pub error: Shown,
    /// Each of them, where several things did.
    pub each: Vec<Shown>,
    /// What to do about it.
    pub hints: Vec<Shown>,
    /// Where that was configured, if a program can go there: `FILE:LINE`, or the name of a variable.
    pub place: Option<Shown>,
}

impl RunError {
    /// One without a hint.
    pub fn new(code: Code, error: impl fmt::Display) -> Self {
        Self { code, error: shown(&error.to_string()), each: Vec::new(), hints: Vec::new(), place: None }
    }

    /// A name that means several things, which are told.
    pub fn ambiguous(name: &str, told: &[Shown], count: usize) -> Self {
        let told = Self::new(Code::Error, format!("{count} are called “{}”", Shown::of(name))).each(told);
        told.hint("give the ID of the one that is meant")
    }

    /// Several at once, in their order; the code is that of the gravest.
    pub fn several(failures: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Self> = failures.into_iter().collect();
        if all.len() == 1 {
            return all.remove(0);
        }
        let code = all.iter().map(|failure| failure.code).min_by_key(|code| code.rank()).unwrap_or(Code::Error);
        let mut several = Self::new(code, format_args!("{} things are wrong", all.len()));
        for Self { code: _, error, each, hints, place } in all {
            several.each.push(error);
            several.each.extend(each);
            for hint in hints {
                if !several.hints.contains(&hint) {
                    several.hints.push(hint);
                }
            }
            several.place = several.place.or(place);
        }
        several
    }

    /// The same with each of several things that went wrong.
    #[must_use]
    pub fn each(mut self, each: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        self.each.extend(each.into_iter().map(|one| shown(&one.to_string())));
        self
    }

    /// The same with a hint more; nothing is none.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !hint.is_empty() {
            self.hints.push(shown(&hint));
        }
        self
    }

    /// The same at a place, unless it has one.
    #[must_use]
    pub fn at(mut self, place: Option<Shown>) -> Self {
        self.place = self.place.or(place);
        self
    }

    /// All that went wrong and what to do about it, line by line.
    pub fn lines(&self) -> Vec<Shown> {
        self.to_string().lines().map(Shown::from).collect()
    }

    /// All that went wrong, each on a line of its own.
    pub fn text(&self) -> String {
        self.each.iter().fold(self.error.to_string(), |text, one| text + "\n  " + one)
    }
}

fn shown(text: &str) -> Shown {
    Shown::from(scrub(text).into_owned())
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.text())?;
        self.hints.iter().try_for_each(|hint| write!(formatter, "\n hint: {hint}"))
    }
}

impl From<ConfigError> for RunError {
    fn from(error: ConfigError) -> Self {
        let problems = error.problems();
        let place = problems.iter().find_map(|problem| problem.place.exact());
        match problems {
            [only] => Self::new(Code::Configuration, only),
            problems => {
                let error = format_args!("the configuration has {} problems", problems.len());
                Self::new(Code::Configuration, error).each(problems)
            }
        }
        .at(place)
    }
}

impl From<SecretError> for RunError {
    fn from(error: SecretError) -> Self {
        Self::new(Code::Refused, &error).hint(error.hint()).at(error.place())
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
            StoreError::Refused { .. } => Code::Refused,
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
            SessionError::NoClient(ref missing) => Self::new(Code::Usage, missing)
                .hint("the ID stands in the address of its page, and stays when the client is renamed"),
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
