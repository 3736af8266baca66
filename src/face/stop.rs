//! Ctrl-C, SIGTERM and, in the console, SIGHUP (on Windows Ctrl-Break, and that the window is closed or the machine shut
//! down, which leave some seconds): the first asks for a stop between writes, the second ends the program at once, and
//! so does half a minute without an end. All can be recovered from.

use std::time::{Duration, Instant};

use super::failure::Code;

pub(super) use crate::engine::stop::Stop;

/// From the first signal to the end, whatever hangs.
const ENDS_WITHIN: Duration = Duration::from_secs(28);

/// What comes so soon after the first signal is the same request: `timeout` signals the program and then its group.
const SAME_WITHIN: Duration = Duration::from_millis(250);

/// Listens for signals from now on. Needs a running runtime.
pub(super) fn listening() -> std::io::Result<Stop> {
    listening_until(Code::Interrupted as i32)
}

/// The same for a program that is to end with another code where it has to end at once.
pub(super) fn listening_until(code: i32) -> std::io::Result<Stop> {
    Ok(to(Signals::new(false)?, || {}, code))
}

/// The same for a program that has taken its terminal over: it also stops tidily when the terminal goes away, and
/// `leave` gives the terminal back where the program ends at once.
pub(super) fn listening_on_a_terminal(leave: fn()) -> std::io::Result<Stop> {
    Ok(to(Signals::new(true)?, leave, Code::Interrupted as i32))
}

fn to(mut signals: Signals, leave: fn(), code: i32) -> Stop {
    let stop = Stop::default();
    let listener = stop.clone();
    tokio::spawn(async move {
        listener.ask_by(signals.next().await);
        let leave_now = move || {
            leave();
            std::process::exit(code);
        };
        // A thread of its own: what hangs may be the runtime itself.
        std::thread::spawn(move || {
            std::thread::sleep(ENDS_WITHIN);
            leave_now();
        });
        let asked = Instant::now();
        while asked.elapsed() < SAME_WITHIN {
            signals.next().await;
        }
        leave_now();
    });
    stop
}

/// The numbers of the signals, as POSIX has them; what a shell reports is 128 and more.
#[cfg(unix)]
const HANGUP: u8 = 1;
const INTERRUPT: u8 = 2;
const TERMINATE: u8 = 15;

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Left alone where nobody owns a terminal: `nohup` has a say there.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new(with_hangup: bool) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if with_hangup { Some(signal(SignalKind::hangup())?) } else { None },
        })
    }

    async fn next(&mut self) -> u8 {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
            _ = hangup => HANGUP,
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    interrupt_too: tokio::signal::windows::CtrlBreak,
    /// Windows ends the program some seconds after it has told either.
    closed: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new(_: bool) -> std::io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            interrupt_too: ctrl_break()?,
            closed: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.interrupt_too.recv() => INTERRUPT,
            _ = self.closed.recv() => TERMINATE,
            _ = self.shutdown.recv() => TERMINATE,
        }
    }
}
