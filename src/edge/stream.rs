//! Where the log is passed on to as it grows: a file, the system's log, an address.
//!
//! What is localized here: how lines go to each of them, with its deadlines and limits. Which lines, and that none is
//! left out, is somebody else's to know: a line counts as sent when this says so, and may then arrive twice.

use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use reqwest::{Client, header::CONTENT_TYPE, redirect};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    environment::Environment,
    files,
    http::{build, is_loopback},
};

/// How long an address has to take some lines.
const DEADLINE: Duration = Duration::from_secs(10);
/// Where the system's logs listen.
const SYSLOG: &str = "/dev/log";
const JOURNAL: &str = "/run/systemd/journal/socket";
/// Facility `user`, severity `informational` (RFC 5424, 6.2.1).
const SYSLOG_PRIORITY: u8 = 14;

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To the end of a file.
    File(PathBuf),
    /// To a socket that speaks syslog.
    Syslog(PathBuf),
    /// To systemd's journal.
    Journal,
    /// Posted to an address, as JSON lines.
    Address(Url),
}

/// What destinations look like, for people.
pub const EXAMPLES: &str = "\"file:PATH\", \"syslog\", \"journald\" or an https address";

impl Destination {
    /// Reads one.
    pub fn parse(text: &str, environment: &Environment) -> Option<Self> {
        match text {
            "syslog" => return Some(Self::Syslog(PathBuf::from(SYSLOG))),
            "journald" => return Some(Self::Journal),
            _ => {}
        }
        let path = |path: &str| environment.expand_home(path).filter(|path| path.is_absolute());
        if let Some(file) = text.strip_prefix("file:") {
            return path(file).map(Self::File);
        }
        if let Some(socket) = text.strip_prefix("syslog:") {
            return path(socket).map(Self::Syslog);
        }
        let url = Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        is_safe.then_some(Self::Address(url))
    }

    /// Sends some lines, all of them or not certainly any.
    ///
    /// # Errors
    /// Why they may not have arrived.
    pub async fn send(&self, lines: &[String], token: Option<&SecretString>) -> Result<(), String> {
        match self {
            Self::File(path) => append(path, lines).map_err(|error| error.to_string()),
            Self::Syslog(path) => {
                let tagged = |line: &str| format!("<{SYSLOG_PRIORITY}>punchlist[{}]: {line}", std::process::id());
                datagrams(path, lines, tagged).map_err(|error| error.to_string())
            }
            Self::Journal => {
                let fields = |line: &str| format!("PRIORITY=6\nSYSLOG_IDENTIFIER=punchlist\nMESSAGE={line}\n");
                datagrams(&PathBuf::from(JOURNAL), lines, fields).map_err(|error| error.to_string())
            }
            Self::Address(url) => post(url, lines, token).await,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Syslog(path) => write!(formatter, "syslog:{}", path.display()),
            Self::Journal => formatter.write_str("journald"),
            Self::Address(url) => write!(formatter, "{}", url.origin().ascii_serialization()),
        }
    }
}

fn append(path: &std::path::Path, lines: &[String]) -> io::Result<()> {
    let mut file = files::private_options().append(true).create(true).open(path)?;
    let mut text = lines.join("\n");
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

#[cfg(unix)]
fn datagrams(path: &std::path::Path, lines: &[String], framed: impl Fn(&str) -> String) -> io::Result<()> {
    /// Bytes of a line that a datagram holds for certain; of a longer one only its size is sent.
    const DATAGRAM_BYTES_MAX: usize = 64 * 1024;
    let socket = std::os::unix::net::UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(DEADLINE))?;
    for line in lines {
        let size = format!("{{\"bytes\":{},\"text\":\"an entry that is too large for this socket\"}}", line.len());
        let line = if line.len() > DATAGRAM_BYTES_MAX { &size } else { line };
        socket.send(framed(line).as_bytes())?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn datagrams(_: &std::path::Path, _: &[String], _: impl Fn(&str) -> String) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

async fn post(url: &Url, lines: &[String], token: Option<&SecretString>) -> Result<(), String> {
    let builder = || Client::builder().redirect(redirect::Policy::none()).timeout(DEADLINE).user_agent("punchlist");
    let unreachable = |error: reqwest::Error| {
        if error.is_timeout() {
            format!("no answer within {} s", DEADLINE.as_secs())
        } else {
            "it cannot be reached".to_owned()
        }
    };
    let client = build(builder, is_loopback(url)).map_err(unreachable)?;
    let mut request =
        client.post(url.clone()).header(CONTENT_TYPE, "application/x-ndjson").body(lines.join("\n") + "\n");
    if let Some(token) = token {
        request = request.bearer_auth(token.expose_secret());
    }
    let status = request.send().await.map_err(unreachable)?.status();
    if status.is_success() { Ok(()) } else { Err(format!("it answered with status {}", status.as_u16())) }
}
