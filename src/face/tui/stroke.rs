//! One stroke on the keyboard, as the key table spells it.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One stroke: a key, perhaps with control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stroke {
    code: KeyCode,
    control: bool,
}

impl Stroke {
    /// A key press as a stroke; shift is part of the character.
    pub(crate) fn of(event: KeyEvent) -> Self {
        Self { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// A character with control.
    pub(crate) fn control(character: char) -> Self {
        Self { code: KeyCode::Char(character), control: true }
    }

    /// Reads the spelling of the key table.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (control, name) = match text.strip_prefix("ctrl-") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let mut characters = name.chars();
        let code = match (name, characters.next(), characters.next()) {
            (_, Some(single), None) => KeyCode::Char(single),
            ("space", ..) => KeyCode::Char(' '),
            ("enter", ..) => KeyCode::Enter,
            ("esc", ..) => KeyCode::Esc,
            ("backspace", ..) => KeyCode::Backspace,
            ("up", ..) => KeyCode::Up,
            ("down", ..) => KeyCode::Down,
            ("left", ..) => KeyCode::Left,
            ("right", ..) => KeyCode::Right,
            ("home", ..) => KeyCode::Home,
            ("end", ..) => KeyCode::End,
            ("pageup", ..) => KeyCode::PageUp,
            ("pagedown", ..) => KeyCode::PageDown,
            ("f1", ..) => KeyCode::F(1),
            _ => return None,
        };
        Some(Self { code, control })
    }
}

impl fmt::Display for Stroke {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            formatter.write_str("^")?;
        }
        match self.code {
            KeyCode::Char(' ') => formatter.write_str("space"),
            KeyCode::Char(single) => write!(formatter, "{single}"),
            KeyCode::Backspace => formatter.write_str("bksp"),
            KeyCode::PageUp => formatter.write_str("pgup"),
            KeyCode::PageDown => formatter.write_str("pgdn"),
            other => formatter.write_str(&other.to_string().to_lowercase()),
        }
    }
}
