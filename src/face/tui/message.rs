//! What the console says. A message may name keys; which ones they are is said by the keymap, where it is drawn.

use super::{command::Command, keymap::Keymap};
use crate::domain::text::Shown;

/// A line of text and keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Shown),
    /// The key of a command.
    Key(Command),
}

impl Message {
    /// Goes on with a text.
    pub(crate) fn and(mut self, text: impl Into<Shown>) -> Self {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// Goes on with the key of a command, and a text.
    pub(crate) fn key(mut self, command: Command, text: impl Into<Shown>) -> Self {
        self.0.push(Part::Key(command));
        self.and(text)
    }

    /// Goes on with the key of a command in brackets.
    pub(crate) fn see(self, command: Command) -> Self {
        self.and(" (").key(command, ")")
    }

    /// As it is shown.
    pub(crate) fn spelled(&self, keymap: &Keymap) -> String {
        let spelled = |part: &Part| match part {
            Part::Text(text) => text.to_string(),
            Part::Key(command) => keymap.first(*command),
        };
        self.0.iter().map(spelled).collect()
    }
}

impl From<&'static str> for Message {
    fn from(text: &'static str) -> Self {
        Self::default().and(text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::default().and(text)
    }
}

impl From<Shown> for Message {
    fn from(text: Shown) -> Self {
        Self::default().and(text)
    }
}
