//! Colours and symbols. By default the 16 colours of the terminal, so that the console follows the user's scheme. Every
//! colour has a word or a symbol beside it; the cursor is reversed and marked, so that it shows without colour too.

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

impl Theme {
    /// The colour of an ink. The dark and the light theme take theirs from the 256-colour cube, which every terminal of
    /// today has.
    fn ink(self, ink: Ink) -> Style {
        let sixteen = match ink {
            Ink::Create => Color::Blue,
            Ink::Link | Ink::Accent => Color::Cyan,
            Ink::Update | Ink::Alert => Color::Yellow,
            Ink::Close => Color::Red,
            Ink::Odd => Color::Magenta,
            Ink::Good => Color::Green,
        };
        match self.name {
            ThemeName::Terminal => Style::new().fg(sixteen),
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
                Ink::Link | Ink::Accent => 30,
                Ink::Update => 94,
                Ink::Alert => 130,
                Ink::Close => 124,
                Ink::Odd => 90,
                Ink::Good => 28,
            })),
            ThemeName::HighContrast => {
                let bright = match sixteen {
                    Color::Blue | Color::Cyan => Color::LightCyan,
                    Color::Yellow => Color::LightYellow,
                    Color::Red => Color::LightRed,
                    Color::Magenta => Color::LightMagenta,
                    _ => Color::LightGreen,
                };
                Style::new().fg(bright).add_modifier(Modifier::BOLD)
            }
            ThemeName::Mono => Style::new(),
        }
    }

    /// The style of an action.
    pub(crate) fn action(self, action: Action) -> Style {
        self.ink(match action.sort() {
            Sort::Opens => Ink::Create,
            Sort::Links => Ink::Link,
            Sort::Changes => Ink::Update,
            Sort::Closes => Ink::Close,
            Sort::Odd => Ink::Odd,
        })
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
        if self.name == ThemeName::HighContrast { Style::new() } else { Style::new().add_modifier(Modifier::DIM) }
    }

    pub(crate) fn bold() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What somebody must look at.
    pub(crate) fn alert(self) -> Style {
        self.ink(Ink::Alert).add_modifier(Modifier::BOLD)
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
        self.ink(Ink::Alert).add_modifier(Modifier::UNDERLINED)
    }

    /// What a word difference takes away.
    pub(crate) fn removed(self) -> Style {
        self.ink(Ink::Close)
    }

    /// What a word difference adds.
    pub(crate) fn added(self) -> Style {
        self.ink(Ink::Good)
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
