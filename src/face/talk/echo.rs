//! A terminal that does not show what is typed.

#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal shows again what is typed when this is dropped.
pub(in crate::face) struct Hidden {
    #[cfg(unix)]
    before: Termios,
}

#[cfg(unix)]
impl Hidden {
    /// Hides what is typed; nothing where standard input is no terminal.
    pub(super) fn on_terminal() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut hiding = before.clone();
        hiding.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &hiding).ok()?;
        Some(Self { before })
    }

    /// Shows what is typed, for a program that ends at once.
    pub(in crate::face) fn end() {
        if let Ok(mut shown) = tcgetattr(std::io::stdin()) {
            shown.local_modes.insert(LocalModes::ECHO);
            // There is nothing else to do about it, and nobody to tell.
            let _shown = tcsetattr(std::io::stdin(), OptionalActions::Now, &shown).is_ok();
        }
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        let _shown = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before).is_ok();
    }
}

#[cfg(not(unix))]
impl Hidden {
    pub(super) fn on_terminal() -> Option<Self> {
        None
    }

    pub(in crate::face) fn end() {}
}
