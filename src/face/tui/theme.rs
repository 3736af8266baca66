//! Colours and symbols. The 16 colours of the terminal, so that the console follows the user's scheme; every colour has a word beside it.

use ratatui::style::{Color, Modifier, Style};

use crate::{domain::plan::Action, face::text::symbol};

/// How the console is dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    /// With colour.
    pub(crate) colour: bool,
    /// With symbols beyond ASCII.
    pub(crate) unicode: bool,
}

impl Theme {
    fn ink(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// The style of an action.
    pub(crate) fn action(self, action: Action) -> Style {
        self.ink(match action {
            Action::Create | Action::Reopen => Color::Blue,
            Action::Link | Action::WriteBack => Color::Cyan,
            Action::Update | Action::Move => Color::Yellow,
            Action::Close => Color::Red,
            Action::ClearClaim | Action::Accept => Color::Magenta,
        })
    }

    /// The symbol of an action.
    pub(crate) fn symbol(self, action: Action) -> &'static str {
        symbol(action, self.unicode)
    }

    /// One of two spellings of a symbol.
    pub(crate) fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    pub(crate) fn dim() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(crate) fn bold() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(crate) fn alert(self) -> Style {
        self.ink(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// The row under the cursor: reversed, so that it shows without colour too.
    pub(crate) fn cursor() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(crate) fn selected() -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }
}
