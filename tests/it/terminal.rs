//! A terminal to run the real binary in: a pseudo-terminal with a keyboard, and an emulator that knows what a person
//! would see.
//!
//! ```text
//! keys ─▸ pseudo-terminal ─▸ punchlist ─▸ pseudo-terminal ─▸ a thread that reads ─▸ emulator ─▸ `wait_for`
//! ```
//!
//! Nothing sleeps for so long: a test says what it waits for, and fails at the deadline with the screen as it is then.

mod console;
mod hours;
mod init;
mod leaving;
mod looking;
mod prompts;
mod together;

use std::{
    io::{Read, Write},
    num::NonZeroU16,
    process::Command,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtyPair, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use vt100::{MouseProtocolMode, Parser, Screen};

use crate::support::Rig;

/// How long anything may take. Generous, since only what is stuck ever takes so long.
const DEADLINE: Duration = Duration::from_mins(1);
/// How often an end is looked for.
const POLL: Duration = Duration::from_millis(5);

/// Columns and rows, as people say them.
pub(crate) type Size = (u16, u16);
/// How the shell asks for a command.
const SHELL_PROMPT: &str = "shell>";
/// What most people have at least.
pub(crate) const SMALL: Size = (80, 24);
/// With the detail beside the tree.
pub(crate) const WIDE: Size = (120, 36);

/// What is typed for keys that print nothing.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\r";
    pub(crate) const CTRL_C: &str = "\u{3}";
    pub(crate) const CTRL_D: &str = "\u{4}";
    pub(crate) const CTRL_Z: &str = "\u{1a}";
}

/// A terminal with a program in it. The program ends with it.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    /// Kept open until the program has ended: what it did to the terminal is gone with the last that has it open.
    slave: Option<Box<dyn SlavePty + Send>>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    emulator: Parser,
    bytes: Vec<u8>,
    /// Bytes in which questions to the terminal were looked for already.
    answered: usize,
}

/// How a program left its terminal.
pub(crate) struct Ended {
    /// What it exited with; 1 where a signal ended it.
    pub(crate) code: u32,
    /// The signal that ended it, in words.
    pub(crate) signal: Option<String>,
    /// The terminal shows what is typed, and gives it away line by line, as a shell wants it.
    pub(crate) is_cooked: bool,
    /// What is on the screen.
    pub(crate) screen: Screen,
    /// Everything that it wrote.
    pub(crate) bytes: Vec<u8>,
}

impl Terminal {
    /// Starts the binary on a rig.
    pub(crate) fn punchlist(rig: &Rig, arguments: &[&str], size: Size) -> Self {
        Self::start(rig.command().args(arguments), size)
    }

    /// Starts a shell with job control in a rig's directory; `$punchlist` there is the binary on that rig.
    ///
    /// The binary as [`Terminal::punchlist`] starts it leads its session, and nobody could continue it: only under a
    /// shell can it be suspended.
    pub(crate) fn shell(rig: &Rig, size: Size) -> Self {
        let punchlist = rig.command();
        let words = std::iter::once(punchlist.get_program()).chain(punchlist.get_args());
        let words: Vec<&str> = words.map(|word| word.to_str().expect("UTF-8")).collect();
        let mut shell = Command::new("/bin/sh");
        shell.arg("-i").env_clear().current_dir(rig.home.path());
        shell.envs(punchlist.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("PS1", format!("{SHELL_PROMPT} ")).env("punchlist", words.join(" "));
        let mut terminal = Self::start(&shell, size);
        terminal.wait_for_shell();
        terminal
    }

    /// Waits until the shell asks for a command. What is typed sooner may go to a program that is about to end.
    #[track_caller]
    pub(crate) fn wait_for_shell(&mut self) {
        self.wait_for("the shell", |screen| {
            let at = usize::from(screen.cursor_position().0);
            !screen.alternate_screen() && rows(screen)[at].trim_end() == SHELL_PROMPT
        });
    }

    /// Starts a program with the environment, directory and arguments of a command, and nothing else.
    pub(crate) fn start(command: &Command, size: Size) -> Self {
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.env_clear();
        builder.env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            builder.env(name, value.expect("set, not removed"));
        }
        builder.cwd(command.get_current_dir().expect("a directory"));
        let PtyPair { master, slave } = native_pty_system().openpty(pty_size(size)).expect("a pseudo-terminal");
        let child = slave.spawn_command(builder).expect("it starts");
        let mut reader = master.try_clone_reader().expect("a reader");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // On Linux the end is an error: nobody has the other side open any more.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let (rows, columns) = emulated(size);
        Self {
            keyboard: master.take_writer().expect("a keyboard"),
            master,
            slave: Some(slave),
            child,
            output,
            emulator: Parser::new(rows, columns, 0),
            bytes: Vec::new(),
            answered: 0,
        }
    }

    /// Types. Lines end with [`key::ENTER`].
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).and_then(|()| self.keyboard.flush()).expect("a keyboard");
    }

    /// What is on the screen, as far as it was waited for.
    pub(crate) fn screen(&self) -> &Screen {
        self.emulator.screen()
    }

    /// Waits until the screen is as it should be, and fails with the screen as it is where that takes too long.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        let begun = Instant::now();
        while !is_so(self.screen()) {
            match self.output.recv_timeout(DEADLINE.saturating_sub(begun.elapsed())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{what} did not come; the screen is:\n{}", self.screen().contents())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended before {what}; the screen is:\n{}", self.screen().contents())
                }
            }
        }
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) {
        self.wait_for(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits until a row has all these texts.
    #[track_caller]
    pub(crate) fn shows_row(&mut self, texts: &[&str]) {
        self.wait_for(&format!("a row with {texts:?}"), |screen| {
            rows(screen).iter().any(|row| texts.iter().all(|text| row.contains(text)))
        });
    }

    /// Makes the window larger or smaller, which the program is told with a signal.
    pub(crate) fn resize(&mut self, size: Size) {
        let (rows, columns) = emulated(size);
        self.emulator.set_size(rows, columns);
        self.master.resize(pty_size(size)).expect("a pseudo-terminal");
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).expect("it runs");
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits for the program's end, and takes in everything that it still wrote.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            // A program whose terminal is full would wait for it to be read.
            self.take_what_is_there();
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(begun.elapsed() < DEADLINE, "it does not end; the screen is:\n{}", self.screen().contents());
            std::thread::sleep(POLL);
        };
        let is_cooked = self.is_cooked();
        drop(self.slave.take());
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.take(&bytes);
        }
        Ended {
            code: status.exit_code(),
            signal: status.signal().map(str::to_owned),
            is_cooked,
            screen: self.screen().clone(),
            bytes: std::mem::take(&mut self.bytes),
        }
    }

    /// True while the terminal echoes and edits lines, as it does outside of full-screen programs.
    pub(crate) fn is_cooked(&self) -> bool {
        let flags =
            self.master.get_termios().map(|settings| format!("{:?}", settings.local_flags)).expect("a terminal");
        let flags: Vec<&str> = flags.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        ["ECHO", "ICANON", "ISIG"].iter().all(|flag| flags.contains(flag))
    }

    fn take_what_is_there(&mut self) {
        while let Ok(bytes) = self.output.try_recv() {
            self.take(&bytes);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.emulator.process(bytes);
        self.bytes.extend_from_slice(bytes);
        self.answer();
    }

    /// Answers where the cursor is, as terminals do when they are asked.
    fn answer(&mut self) {
        const WHERE: &[u8] = b"\x1b[6n";
        while let Some(at) = self.bytes[self.answered..].windows(WHERE.len()).position(|bytes| bytes == WHERE) {
            self.answered += at + WHERE.len();
            let (row, column) = self.screen().cursor_position();
            self.keys(&format!("\x1b[{};{}R", row + 1, column + 1));
        }
        // The question may come in two pieces.
        self.answered = self.answered.max(self.bytes.len().saturating_sub(WHERE.len() - 1));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already where all went well.
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

impl Ended {
    /// Holds the terminal to what a shell expects of it: nothing that a full-screen program turns on is left on.
    #[track_caller]
    pub(crate) fn is_restored(&self) {
        let screen = &self.screen;
        assert!(!screen.alternate_screen(), "the alternate screen was not left");
        assert!(!screen.hide_cursor(), "the cursor was left hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste was left on");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None, "the mouse was left captured");
        assert!(self.is_cooked, "raw mode was left on");
    }
}

/// The rows of a screen, from the top.
pub(crate) fn rows(screen: &Screen) -> Vec<String> {
    screen.rows(0, screen.size().1.get()).collect()
}

fn emulated((columns, rows): Size) -> (NonZeroU16, NonZeroU16) {
    (NonZeroU16::new(rows).expect("a row"), NonZeroU16::new(columns).expect("a column"))
}

fn pty_size((columns, rows): Size) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}
