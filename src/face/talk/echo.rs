//! A terminal that does not show what is typed.

#[cfg(windows)]
use crossterm_winapi::{ConsoleMode, Handle};
#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal shows again what is typed when this is dropped.
pub(in crate::face) struct Hidden {
    #[cfg(unix)]
    before: Termios,
    #[cfg(windows)]
    console: ConsoleMode,
    #[cfg(windows)]
    before: u32,
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

#[cfg(windows)]
impl Hidden {
    /// `ENABLE_ECHO_INPUT` of a console's mode.
    const ECHO: u32 = 0x4;

    /// Hides what is typed; nothing where standard input is no console.
    pub(super) fn on_terminal() -> Option<Self> {
        let console = ConsoleMode::from(Handle::input_handle().ok()?);
        let before = console.mode().ok()?;
        console.set_mode(before & !Self::ECHO).ok()?;
        Some(Self { console, before })
    }

    /// Shows what is typed, for a program that ends at once.
    pub(in crate::face) fn end() {
        let Ok(console) = Handle::input_handle().map(ConsoleMode::from) else { return };
        if let Ok(mode) = console.mode() {
            // There is nothing else to do about it, and nobody to tell.
            let _shown = console.set_mode(mode | Self::ECHO).is_ok();
        }
    }
}

#[cfg(windows)]
impl Drop for Hidden {
    fn drop(&mut self) {
        let _shown = self.console.set_mode(self.before).is_ok();
    }
}
