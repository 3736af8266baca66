//! What the console reaches for outside: the clock, the clipboard, a browser, the mouse, the shell that it was started
//! from.

#![expect(clippy::disallowed_methods, reason = "it is what the terminal has around it")]

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute,
    style::Print,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode},
};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::{
    news::News,
    own::{self, Job},
};
use crate::{
    edge::{config::edit, environment::Environment},
    face::setup::is_capable,
};

/// Bytes that terminals take in one OSC 52 sequence; many have a limit near 100,000 (xterm's).
const OSC_52_BYTES_MAX: usize = 74_994;

/// True where the console can be shown.
pub(crate) fn can_show() -> bool {
    io::stdin().is_terminal() && is_capable(&Environment::of_process())
}

/// How far the work is, as terminals know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gauge {
    #[default]
    Nothing,
    /// Nobody knows how long it takes.
    Busy,
    /// In percent.
    Done(u8),
    /// In percent, and something has failed.
    Failing(u8),
}

/// True while a terminal shows how far the work is.
static GAUGED: AtomicBool = AtomicBool::new(false);

impl Gauge {
    /// As terminals are told (`ConEmu`'s sequence, which Windows Terminal, Ghostty, `WezTerm`, iTerm2 and others took over).
    fn sequence(self) -> String {
        let (what, percent) = match self {
            Self::Nothing => (0, 0),
            Self::Busy => (3, 0),
            Self::Done(percent) => (1, percent),
            Self::Failing(percent) => (2, percent),
        };
        format!("\x1b]9;4;{what};{percent}\x07")
    }
}

/// Writes what the terminal is told, and does not mind where it cannot be.
fn write(sequence: &str) {
    let mut stdout = io::stdout().lock();
    drop(stdout.write_all(sequence.as_bytes()).and_then(|()| stdout.flush()));
}

/// True where a terminal may be told how far the work is. iTerm2 took it for a notification before it said otherwise.
pub(super) fn takes_progress(environment: &Environment) -> bool {
    let is = |name| environment.get(name);
    is("NO_COLOR").is_none_or(str::is_empty)
        && is("TERM") != Some("dumb")
        && (is("TERM_PROGRAM") != Some("iTerm.app") || is("TERM_FEATURES").is_some_and(|has| has.contains('P')))
}

/// The surroundings. Tests have their own.
pub(super) trait Surroundings {
    /// The time.
    fn now(&self) -> Timestamp;
    /// Copies a text, and says where to.
    fn copy(&mut self, text: &str) -> Result<&'static str, String>;
    /// Opens an address.
    fn open(&mut self, url: &str) -> Result<(), String>;
    /// Keeps a filter under a name, and says where.
    fn save_filter(&mut self, name: &str, text: &str) -> Result<String, String>;
    /// Starts a program of the user's; what came of it is news.
    fn start(&mut self, job: Job);
    /// Tells the terminal how far the work is, for its tab or the task bar.
    fn progress(&mut self, gauge: Gauge);
    /// Listens to the mouse, or leaves it to the terminal.
    fn mouse(&mut self, on: bool) -> io::Result<()>;
    /// Gives the terminal back to the shell until the shell gives it again.
    fn suspend(&mut self) -> io::Result<()>;
}

/// The real terminal, and programs as they are configured.
pub(super) struct Terminal {
    pub(super) mouse: bool,
    /// The configuration file, where there can be one.
    pub(super) configuration: Option<PathBuf>,
    /// Who is told what came of a program.
    pub(super) news: UnboundedSender<News>,
    /// Whether it is told how far the work is.
    pub(super) progress: bool,
    pub(super) copy_command: Option<Vec<String>>,
    pub(super) open_command: Option<Vec<String>>,
    /// What the terminal is called meanwhile; nothing to leave its title alone.
    pub(super) title: Option<String>,
}

/// Whether the terminal keeps a title of its own for later.
static HAS_TITLE: AtomicBool = AtomicBool::new(false);
/// Has the terminal keep its title, and take it back (xterm, control sequences).
const KEEP_TITLE: &str = "\x1b[22;2t";
const TAKE_TITLE: &str = "\x1b[23;2t";

impl Terminal {
    /// Takes the terminal over. Dropping the guard, leaving a panic and [`leave`] give it back.
    pub(super) fn enter(&self) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        if let Some(title) = &self.title {
            HAS_TITLE.store(true, Ordering::Relaxed);
            execute!(io::stdout(), Print(KEEP_TITLE), SetTitle(title))?;
        }
        if self.mouse { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) }
    }
}

/// Gives the terminal back as it was. What cannot be undone any more, e.g. since the terminal is gone, is no reason to
/// stop.
pub(super) fn leave() {
    if HAS_TITLE.swap(false, Ordering::Relaxed) {
        drop(execute!(io::stdout(), Print(TAKE_TITLE)));
    }
    if GAUGED.swap(false, Ordering::Relaxed) {
        write(&Gauge::Nothing.sequence());
    }
    // By itself: where the mouse was never taken, Windows has nothing to give back, and says so.
    drop(execute!(io::stdout(), DisableMouseCapture));
    drop(execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show));
    drop(disable_raw_mode());
}

/// Gives the terminal back before a panic is told on it. To be called after every other hook was installed.
pub(super) fn leave_on_panic() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        leave();
        told(panic);
    }));
}

impl Surroundings for Terminal {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn copy(&mut self, text: &str) -> Result<&'static str, String> {
        if let Some((program, arguments)) = self.copy_command.as_ref().and_then(|words| words.split_first()) {
            return pipe(program, arguments, text).map(|()| "with the configured command");
        }
        // Within tmux its own buffer is the way that always works; it passes the text on to the terminal where it may
        // (-w).
        if std::env::var_os("TMUX").is_some()
            && pipe("tmux", &["load-buffer", "-w", "-"].map(str::to_owned), text).is_ok()
        {
            return Ok("to tmux and the clipboard");
        }
        let has = |variable| std::env::var_os(variable).is_some();
        for (there, program, arguments) in [
            (has("WAYLAND_DISPLAY"), "wl-copy", &[][..]),
            (has("DISPLAY"), "xclip", &["-selection", "clipboard"]),
            (cfg!(target_os = "macos"), "pbcopy", &[]),
            (cfg!(windows), "clip.exe", &[]),
        ] {
            let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            if there && pipe(program, &arguments, text).is_ok() {
                return Ok("to the clipboard");
            }
        }
        if text.len() > OSC_52_BYTES_MAX {
            return Err("it is too long for the terminal; set console.copy_command".to_owned());
        }
        let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
        let mut stdout = io::stdout().lock();
        stdout.write_all(sequence.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| error.to_string())?;
        Ok("through the terminal; if it stays empty, set console.copy_command")
    }

    fn open(&mut self, url: &str) -> Result<(), String> {
        let mut command = match self.open_command.as_ref().and_then(|words| words.split_first()) {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(url);
                command
            }
            None => open::commands(url).into_iter().next().ok_or("this platform has no way to open an address")?,
        };
        // The browser must not write over the screen, nor read its keys.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        bare(&mut command);
        let mut child = command.spawn().map_err(|error| format!("{error}; set console.open_command"))?;
        std::thread::spawn(move || drop(child.wait()));
        Ok(())
    }

    fn save_filter(&mut self, name: &str, text: &str) -> Result<String, String> {
        let file = self.configuration.as_ref().ok_or("there is no configuration file")?;
        edit::set(file, &[(&format!("console.filters.{name}"), text)]).map_err(|error| error.to_string())?;
        Ok(format!("in {}", file.display()))
    }

    fn start(&mut self, job: Job) {
        let news = self.news.clone();
        std::thread::spawn(move || drop(news.send(News::Ran(own::run(job)))));
    }

    fn progress(&mut self, gauge: Gauge) {
        let was = GAUGED.swap(self.progress && gauge != Gauge::Nothing, Ordering::Relaxed);
        if self.progress && (was || gauge != Gauge::Nothing) {
            write(&gauge.sequence());
        }
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
    }

    fn suspend(&mut self) -> io::Result<()> {
        leave();
        // SIGSTOP and not SIGTSTP: a process group without a shell ignores the latter, and the keys would be gone.
        #[cfg(unix)]
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        self.enter()
    }
}

/// Gives a program what it needs of our environment, and no token of ours.
fn bare(command: &mut Command) {
    command.env_clear().envs(Environment::of_process().for_helpers());
}

/// Gives a program a text on its standard input, without a shell.
fn pipe(program: &str, arguments: &[String], text: &str) -> Result<(), String> {
    let failed = |error: io::Error| format!("{program}: {error}");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    bare(&mut command);
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_of_progress_unless_something_speaks_against_it() {
        let takes = |variables: &[(&str, &str)]| takes_progress(&variables.iter().copied().collect());
        for fine in [
            &[("TERM", "xterm-256color")][..],
            &[("TERM", "xterm"), ("NO_COLOR", "")],
            &[("TERM_PROGRAM", "iTerm.app"), ("TERM_FEATURES", "T3P")],
            &[],
        ] {
            assert!(takes(fine), "{fine:?}");
        }
        for not in [
            &[("TERM", "xterm"), ("NO_COLOR", "1")][..],
            &[("TERM", "dumb")],
            &[("TERM_PROGRAM", "iTerm.app")],
            &[("TERM_PROGRAM", "iTerm.app"), ("TERM_FEATURES", "T3")],
        ] {
            assert!(!takes(not), "{not:?}");
        }
    }
}
