//! Standard input as lines, read on a thread of its own: a read that waits must not keep a signal from being heard.

use std::io::{self, BufRead, ErrorKind};

use tokio::sync::mpsc::{Receiver, channel};

/// Characters of a line that is taken; more is a paste that went astray.
pub(super) const LINE_CHARACTERS_MAX: usize = 1000;
/// Bytes that so many characters take at the most.
const LINE_BYTES_MAX: usize = LINE_CHARACTERS_MAX * 4;

/// A line that was typed, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    TooLong,
}

/// Lines of standard input, in order.
pub(super) struct Lines(Receiver<Line>);

impl Lines {
    /// Starts to read. The thread ends with the input, or with the program.
    pub(super) fn of_standard_input() -> io::Result<Self> {
        let (sender, receiver) = channel(1);
        std::thread::Builder::new().name("input".to_owned()).spawn(move || {
            let mut input = io::stdin().lock();
            // An input that cannot be read any more has ended, as far as a conversation is concerned.
            while let Ok(Some(line)) = read_line(&mut input) {
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self(receiver))
    }

    /// The next line; nothing once the input has ended.
    pub(super) async fn next(&mut self) -> Option<Line> {
        self.0.recv().await
    }
}

/// Reads to the end of a line, and keeps no more of it than is taken.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let (mut kept, mut length, mut ended) = (Vec::new(), 0, false);
    while !ended {
        let read = match input.fill_buf() {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read.is_empty() {
            if length == 0 {
                return Ok(None);
            }
            break;
        }
        let end = read.iter().position(|&byte| byte == b'\n');
        let part = &read[..end.unwrap_or(read.len())];
        kept.extend_from_slice(&part[..part.len().min(LINE_BYTES_MAX - kept.len())]);
        let used = part.len() + usize::from(end.is_some());
        length += used;
        ended = end.is_some();
        input.consume(used);
    }
    let text = String::from_utf8_lossy(&kept);
    let whole = length <= LINE_BYTES_MAX && text.chars().count() <= LINE_CHARACTERS_MAX;
    Ok(Some(if whole { Line::Text(text.into_owned()) } else { Line::TooLong }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_their_ends_and_long_ones_are_passed_over_whole() {
        let long = "x".repeat(100_000);
        let text = format!("a\n\n{long}\nb\r\n{}\nlast", "ö".repeat(LINE_CHARACTERS_MAX));
        let mut input = io::BufReader::with_capacity(7, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut input).expect("memory") {
            lines.push(line);
        }
        let text = |text: &str| Line::Text(text.to_owned());
        let full = "ö".repeat(LINE_CHARACTERS_MAX);
        assert_eq!(lines, [text("a"), text(""), Line::TooLong, text("b\r"), text(&full), text("last")]);
    }
}
