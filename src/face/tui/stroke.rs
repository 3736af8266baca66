//! One stroke on the keyboard, as the key table and the configuration spell it.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One stroke: a key, perhaps with control, alt or shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct Stroke {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMED: [(&str, KeyCode); 16] = [
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Stroke {
    /// A key press as a stroke. Shift is part of a character, and of no other stroke than those that name it.
    pub(crate) fn of(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        if matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code: event.code, modifiers }
    }

    /// A character with control.
    pub(crate) fn control(character: char) -> Self {
        Self { code: KeyCode::Char(character), modifiers: KeyModifiers::CONTROL }
    }

    /// Reads a spelling such as `x`, `ctrl-r`, `shift-up` or `pagedown`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut name = text;
        for (prefix, modifier) in
            [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)]
        {
            if let Some(rest) = name.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
                modifiers |= modifier;
                name = rest;
            }
        }
        let mut characters = name.chars();
        let single = characters.next().filter(|_| characters.next().is_none()).map(KeyCode::Char);
        let named = || NAMED.iter().find(|(word, _)| *word == name).map(|(_, code)| *code);
        let function =
            || name.strip_prefix('f')?.parse().ok().filter(|number| (1..=12).contains(number)).map(KeyCode::F);
        let code = single.or_else(named).or_else(function)?;
        // Terminals send these as other keys.
        if modifiers == KeyModifiers::CONTROL && matches!(code, KeyCode::Char('i' | 'm' | '[')) {
            return None;
        }
        // A shifted character is another character, which the spelling can name.
        let shifted = matches!(code, KeyCode::Char(_) | KeyCode::BackTab) && modifiers.contains(KeyModifiers::SHIFT);
        (!shifted).then_some(Self { code, modifiers })
    }

    /// Reads a sequence: strokes separated by spaces.
    pub(crate) fn sequence(text: &str) -> Option<Vec<Self>> {
        let strokes: Vec<Self> = text.split(' ').map(Self::parse).collect::<Option<_>>()?;
        Some(strokes).filter(|strokes| !strokes.is_empty())
    }

    /// The key event that it stands for.
    pub(crate) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl fmt::Display for Stroke {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, sign) in
            [(KeyModifiers::CONTROL, "^"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.modifiers.contains(modifier) {
                formatter.write_str(sign)?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => formatter.write_str("space"),
            KeyCode::Char(single) => write!(formatter, "{single}"),
            KeyCode::Backspace => formatter.write_str("bksp"),
            KeyCode::PageUp => formatter.write_str("pgup"),
            KeyCode::PageDown => formatter.write_str("pgdn"),
            KeyCode::BackTab => formatter.write_str("shift-tab"),
            other => formatter.write_str(&other.to_string().to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_means_its_event() {
        for text in
            ["a", "A", "!", " ", "-", "ctrl-r", "ctrl--", "alt-x", "shift-up", "f1", "f12", "space", "tab", "backtab"]
        {
            let stroke = Stroke::parse(text).expect(text);
            assert_eq!(Stroke::of(stroke.event()), stroke, "{text}");
        }
        for text in ["", "ctrl-", "shift-a", "f0", "f13", "hyper-x", "pgdn"] {
            assert_eq!(Stroke::parse(text), None, "{text}");
        }
    }

    #[test]
    fn shift_is_part_of_a_character() {
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Some(Stroke::of(shifted)), Stroke::parse("G"));
    }
}
