//! A conversation by lines: what is said is said once, in order, and stays; it works over pipes, over ssh and for screen
//! readers.

mod echo;
mod input;

use std::io::{self, IsTerminal, Write};

use super::{
    failure::{Code, RunError},
    stop::Stop,
};
use input::{LINE_CHARACTERS_MAX, Line, Lines};

pub(super) use echo::Hidden;

/// Both directions of the conversation.
pub(super) struct Talk {
    lines: Lines,
    stop: Stop,
    /// What is said where somebody asks for a stop.
    stopped: &'static str,
    /// The terminal shows what is typed, and ends the prompt's line with it.
    is_echoed: bool,
    /// Somebody still reads what is said.
    is_heard: bool,
}

impl Talk {
    /// A conversation over standard input and output; `stopped` is said where somebody asks for a stop meanwhile.
    pub(super) fn new(stop: Stop, stopped: &'static str) -> io::Result<Self> {
        let lines = Lines::of_standard_input()?;
        Ok(Self { lines, stop, stopped, is_echoed: io::stdin().is_terminal(), is_heard: true })
    }

    /// Waits until somebody asks for a stop.
    pub(super) async fn stopped(&self) {
        self.stop.wait().await;
    }

    /// Says something. Nothing is lost when nobody hears it: the next question ends the conversation.
    pub(super) fn say(&mut self, text: &str) -> Result<(), RunError> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.is_heard = false,
            Err(error) => {
                return Err(RunError::new(Code::Error, format!("could not write to standard output: {error}")));
            }
            Ok(()) => {}
        }
        Ok(())
    }

    /// Asks until there is a line that can be taken; nothing when the input has ended or nobody hears.
    pub(super) async fn ask(&mut self, prompt: &str) -> Result<Option<String>, RunError> {
        loop {
            self.say(prompt)?;
            if !self.is_heard {
                return Ok(None);
            }
            let line = tokio::select! {
                biased;
                () = self.stop.wait() => None,
                line = self.lines.next() => Some(line),
            };
            if !self.is_echoed || !matches!(line, Some(Some(_))) {
                self.say("\n")?;
            }
            match line {
                None => return Err(RunError::new(Code::Interrupted, self.stopped)),
                Some(None) => return Ok(None),
                Some(Some(Line::Text(text))) => return Ok(Some(text)),
                Some(Some(Line::TooLong)) => {
                    self.say(&format!(
                        "that line is longer than {LINE_CHARACTERS_MAX} characters; nothing was done\n"
                    ))?;
                }
            }
        }
    }

    /// Asks for what nobody is to see: the terminal does not show what is typed.
    pub(super) async fn ask_hidden(&mut self, prompt: &str) -> Result<Option<String>, RunError> {
        let hidden = Hidden::on_terminal();
        let was_echoed = self.is_echoed;
        self.is_echoed = was_echoed && hidden.is_none();
        let answer = self.ask(prompt).await;
        self.is_echoed = was_echoed;
        answer
    }
}
