//! A secret that somebody types or pipes in: it is shown nowhere, and never an argument.

use std::io::{IsTerminal, Read, stdin};

use secrecy::{SecretString, zeroize::Zeroizing};

use super::{
    failure::{Code, RunError},
    stop,
    talk::{Hidden, Talk},
};
use crate::edge::secrets::{self, SECRET_BYTES_MAX};

/// What is said where somebody asks for a stop.
const STOPPED: &str = "stopped; nothing has changed";

/// Takes a secret: from the terminal without showing it, or all of standard input.
pub(super) async fn secret(prompt: &str, no_input: bool) -> Result<SecretString, RunError> {
    let bytes = if stdin().is_terminal() {
        if no_input {
            return Err(RunError::new(Code::Usage, "with --no-input the secret comes on standard input")
                .hint("e.g. `op read op://Work/Notion/token | punchlist secrets set notion`"));
        }
        typed(prompt).await?
    } else {
        piped().await?
    };
    secrets::checked(&bytes)
        .map_err(|problem| RunError::new(Code::Usage, format!("what was given cannot be used: {problem}")))
}

async fn typed(prompt: &str) -> Result<Zeroizing<Vec<u8>>, RunError> {
    let mut talk = Talk::new(stop::listening_on_a_terminal(Hidden::end)?, STOPPED)?;
    Ok(Zeroizing::new(talk.ask_hidden(prompt).await?.unwrap_or_default().into_bytes()))
}

async fn piped() -> Result<Zeroizing<Vec<u8>>, RunError> {
    let (sender, read) = tokio::sync::oneshot::channel();
    let stop = stop::listening()?;
    // A thread of its own: a read that waits must not keep a signal from being heard, nor the program from ending.
    std::thread::Builder::new().name("input".to_owned()).spawn(move || {
        let mut bytes = buffer();
        let read = stdin().lock().take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody listens any more once somebody has asked to stop.
        drop(sender.send(read));
    })?;
    tokio::select! {
        read = read => Ok(read.map_err(|_| RunError::new(Code::Error, "standard input cannot be read"))??),
        () = stop.wait() => Err(RunError::new(Code::Interrupted, STOPPED)),
    }
}

/// A buffer that need not grow, since growing leaves copies behind that nothing wipes.
fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(usize::try_from(SECRET_BYTES_MAX).unwrap_or(usize::MAX) + 64))
}
