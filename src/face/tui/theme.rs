//! Colours and symbols. By default those of the terminal, so that the console follows the user's scheme. Every colour
//! has a word or a symbol beside it; the cursor is reversed and marked, so that it shows without colour too.
//!
//! Of the terminal's own 16 colours none can be read on every background as text: the schemes of today spell them from
//! navy to lemon, on black and on white. By default text therefore has the terminal's own colour, and a symbol is black on
//! a bright colour, which can be read in all of them. Faint text is left out, too: some terminals halve its colour.

use ratatui::style::{Color, Modifier, Style};

use crate::{
    domain::action::{Action, Sort},
    edge::config::ThemeName,
};

/// How the console is dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    pub(crate) name: ThemeName,
    /// With symbols beyond ASCII.
    pub(crate) unicode: bool,
}

/// What is coloured.
#[derive(Clone, Copy)]
enum Ink {
    Create,
    Link,
    Update,
    Close,
    Odd,
    Good,
    Alert,
    Accent,
}

impl Ink {
    fn of(action: Action) -> Self {
        match action.sort() {
            Sort::Opens => Self::Create,
            Sort::Links => Self::Link,
            Sort::Changes => Self::Update,
            Sort::Closes => Self::Close,
            Sort::Odd => Self::Odd,
        }
    }
}

impl Theme {
    /// Text in an ink. The dark and the light theme take theirs from the 256-colour cube, which every terminal of today
    /// has.
    fn ink(self, ink: Ink) -> Style {
        match self.name {
            ThemeName::Terminal | ThemeName::Mono => Style::new(),
            ThemeName::HighContrast => Style::new().add_modifier(Modifier::BOLD),
            ThemeName::Dark => Style::new().fg(Color::Indexed(match ink {
                Ink::Create => 75,
                Ink::Link | Ink::Accent => 80,
                Ink::Update => 221,
                Ink::Alert => 215,
                Ink::Close => 210,
                Ink::Odd => 183,
                Ink::Good => 114,
            })),
            ThemeName::Light => Style::new().fg(Color::Indexed(match ink {
                Ink::Create => 25,
                Ink::Link | Ink::Accent => 23,
                Ink::Update => 94,
                Ink::Alert => 130,
                Ink::Close => 124,
                Ink::Odd => 90,
                Ink::Good => 28,
            })),
        }
    }

    /// A symbol in an ink.
    fn chip(self, ink: Ink) -> Style {
        let on = |colour| Style::new().fg(Color::Black).bg(colour);
        match (self.name, ink) {
            (ThemeName::Dark | ThemeName::Light | ThemeName::Mono, _) => self.ink(ink),
            (_, Ink::Create | Ink::Link | Ink::Accent) => on(Color::LightCyan),
            (_, Ink::Update | Ink::Alert) => on(Color::LightYellow),
            (_, Ink::Good) => on(Color::LightGreen),
            (_, Ink::Close | Ink::Odd) => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// The style of what is said of an action.
    pub(crate) fn action(self, action: Action) -> Style {
        self.ink(Ink::of(action))
    }

    /// The style of an action's symbol.
    pub(crate) fn sign(self, action: Action) -> Style {
        self.chip(Ink::of(action))
    }

    /// The symbol of an action.
    pub(crate) fn symbol(self, action: Action) -> &'static str {
        action.symbol(self.unicode)
    }

    /// One of two spellings of a symbol.
    pub(crate) fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// What matters less.
    pub(crate) fn dim(self) -> Style {
        match self.name {
            ThemeName::Dark => Style::new().fg(Color::Indexed(248)),
            ThemeName::Light => Style::new().fg(Color::Indexed(240)),
            ThemeName::Terminal | ThemeName::HighContrast | ThemeName::Mono => Style::new(),
        }
    }

    pub(crate) fn bold() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What somebody must look at.
    pub(crate) fn alert(self) -> Style {
        self.ink(Ink::Alert).add_modifier(Modifier::BOLD)
    }

    /// The mark of what somebody must look at.
    pub(crate) fn alert_mark(self) -> Style {
        self.chip(Ink::Alert).add_modifier(Modifier::BOLD)
    }

    /// The mark of what was approved.
    pub(crate) fn good_mark(self) -> Style {
        self.chip(Ink::Good)
    }

    /// What went wrong.
    pub(crate) fn bad(self) -> Style {
        self.ink(Ink::Close).add_modifier(Modifier::BOLD)
    }

    /// What went well, or was approved.
    pub(crate) fn good(self) -> Style {
        self.ink(Ink::Good)
    }

    /// Keys and headings.
    pub(crate) fn accent(self) -> Style {
        self.ink(Ink::Accent).add_modifier(Modifier::BOLD)
    }

    /// The part of a name that a search found.
    pub(crate) fn found(self) -> Style {
        self.chip(Ink::Alert).add_modifier(Modifier::UNDERLINED)
    }

    /// What a word difference takes away.
    pub(crate) fn removed(self) -> Style {
        self.ink(Ink::Close)
    }

    /// What a word difference adds.
    pub(crate) fn added(self) -> Style {
        self.ink(Ink::Good).add_modifier(Modifier::BOLD)
    }

    /// The row under the cursor: reversed, so that it shows without colour too.
    pub(crate) fn cursor() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Rows that are selected.
    pub(crate) fn selected() -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }
}

#[cfg(test)]
mod tests;
