//! Tells people who are not there: by a Slack-compatible webhook, by mail, by any command.
//!
//! What is localized here: how a message looks on each way, its deadlines and limits, and error messages that hold no
//! address of a webhook.

use std::{io, process::ExitStatus, process::Stdio, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, header::CONTENT_TYPE, redirect};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::{
    config::EmailSettings,
    environment::Environment,
    http::{Proxy, build, is_loopback},
    scrub::scrub,
};
use crate::domain::notify::Message;

/// How long one way may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// Bytes of an encoded word, before its encoding, that keep it below the 75 characters of RFC 2047.
const ENCODED_WORD_BYTES: usize = 42;

/// Why nobody was told. It holds no part of a secret.
#[derive(Debug, thiserror::Error)]
pub enum Untold {
    /// The webhook's address is none.
    #[error("the secret is not the address of a webhook: https, or http to this machine")]
    NoAddress,
    /// The webhook could not be reached.
    #[error("the webhook could not be reached: {0}")]
    Unreachable(String),
    /// The webhook said no.
    #[error("the webhook answered with status {0}")]
    Refused(u16),
    /// There is no such program.
    #[error("there is no program `{0}` in PATH")]
    NoProgram(String),
    /// The program could not be run.
    #[error("the command could not be run: {0}")]
    Unusable(#[from] io::Error),
    /// The program failed.
    #[error("the command failed ({0})")]
    Failed(ExitStatus),
    /// It took too long.
    #[error("it took longer than {} seconds", DEADLINE.as_secs())]
    TimedOut,
}

/// Posts a message to a Slack-compatible webhook, unless the proxy on the way has refused the run's other requests.
/// Redirects are not followed: the address is a secret.
///
/// # Errors
/// [`Untold`]
pub async fn post(address: &SecretString, message: &Message, proxy: Option<&Proxy>) -> Result<(), Untold> {
    let url = Url::parse(address.expose_secret()).map_err(|_| Untold::NoAddress)?;
    let plain = match url.scheme() {
        "https" => is_loopback(&url),
        "http" if is_loopback(&url) => true,
        _ => return Err(Untold::NoAddress),
    };
    if let Some(proxy) = proxy.filter(|_| !plain) {
        drop(proxy.turn().await.map_err(|failure| Untold::Unreachable(failure.to_string()))?);
    }
    let unreachable = |error: reqwest::Error| Untold::Unreachable(reason(error));
    let builder = || Client::builder().redirect(redirect::Policy::none()).timeout(DEADLINE).user_agent("punchlist");
    let client = build(builder, plain).map_err(unreachable)?;
    let body = serde_json::json!({ "text": slack(message) }).to_string();
    let answer =
        client.post(url).header(CONTENT_TYPE, "application/json").body(body).send().await.map_err(unreachable)?;
    // What it answers besides is not read.
    if answer.status().is_success() { Ok(()) } else { Err(Untold::Refused(answer.status().as_u16())) }
}

/// The innermost reason, without the address.
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} seconds", DEADLINE.as_secs());
    }
    let error = error.without_url();
    let mut reason: &dyn std::error::Error = &error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    crate::domain::text::Shown::of(&scrub(&reason.to_string())).clipped(160).to_string()
}

/// Slack reads `<`, `>` and `&` as its own markup: a name is none (api.slack.com, formatting text for app surfaces).
fn slack(message: &Message) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("*{}*\n{}", escaped(&message.title), escaped(&message.below()))
}

/// Sends a message as mail.
///
/// # Errors
/// [`Untold`]
pub async fn mail(settings: &EmailSettings, message: &Message, environment: &Environment) -> Result<(), Untold> {
    command(&settings.command, compose(settings, message).as_bytes(), environment).await
}

/// The message with its headers. Addresses are checked where they are configured, and the rest is encoded: nothing in a
/// name can add one.
fn compose(settings: &EmailSettings, message: &Message) -> String {
    let from = settings.from.as_ref().map(|from| format!("From: {from}\n")).unwrap_or_default();
    format!(
        "{from}To: {}\nSubject: {}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{}\n",
        settings.to.join(",\n "),
        encoded_words(&message.title),
        folded(&STANDARD.encode(message.text()))
    )
}

/// Text in a header, as the encoded words of RFC 2047.
fn encoded_words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.floor_char_boundary(ENCODED_WORD_BYTES);
        words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(&rest[..end])));
        rest = &rest[end..];
    }
    words.join("\n ")
}

/// Base64 in lines of 76.
fn folded(encoded: &str) -> String {
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).filter_map(|line| str::from_utf8(line).ok()).collect();
    lines.join("\n")
}

/// Runs a command with something on its standard input. It is run without a shell, and what it says goes nowhere.
///
/// # Errors
/// [`Untold`]
pub async fn command(words: &[String], input: &[u8], environment: &Environment) -> Result<(), Untold> {
    let (program, arguments) = words.split_first().ok_or_else(|| Untold::NoProgram(String::new()))?;
    let program = environment.program(program).ok_or_else(|| Untold::NoProgram(program.clone()))?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.for_helpers())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take();
    let conversation = async {
        if let Some(stdin) = &mut stdin {
            match stdin.write_all(input).await {
                // A command that does not read to the end says by its status whether that was well.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        drop(stdin);
        child.wait().await
    };
    let status = tokio::time::timeout(DEADLINE, conversation).await.map_err(|_| Untold::TimedOut)??;
    if status.success() { Ok(()) } else { Err(Untold::Failed(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str) -> Message {
        Message { title: title.into(), lines: vec!["<!channel> & “Acme”".into()] }
    }

    #[test]
    fn nothing_in_a_message_adds_a_header() {
        let settings =
            EmailSettings { to: vec!["a@example.com".into(), "b@example.com".into()], from: None, command: vec![] };
        let title = format!("punchlist: {}\r\nBcc: all@example.com", "Zażółć gęślą jaźń ".repeat(5));
        let mail = compose(&settings, &message(&title));
        let (headers, body) = mail.split_once("\n\n").expect("headers and a body");
        let names: Vec<&str> =
            headers.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(':').next()).collect();
        let ours = ["To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
        assert_eq!(names, ours, "{headers}");
        assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 78 + "Subject: ".len()), "{mail}");
        let decoded = STANDARD.decode(body.replace('\n', "")).expect("base64");
        assert!(String::from_utf8(decoded).expect("UTF-8").contains("“Acme”"));
        let words: Vec<&str> = headers.split_whitespace().filter_map(|word| word.strip_prefix("=?utf-8?B?")).collect();
        let subject: Vec<u8> =
            words.iter().flat_map(|word| STANDARD.decode(word.trim_end_matches("?=")).expect("base64")).collect();
        let subject = String::from_utf8(subject).expect("whole characters");
        assert_eq!(subject, title.replace('\r', "⟨U+000D⟩").replace('\n', "⏎"));
    }

    #[test]
    fn a_name_is_no_markup() {
        assert!(slack(&message("x")).contains("&lt;!channel&gt; &amp; “Acme”"));
    }

    #[tokio::test]
    async fn only_what_is_safe_is_an_address_and_no_error_repeats_it() {
        for address in ["http://example.com/T0/s3cret", "ftp://127.0.0.1/s3cret", "s3cret", "https://"] {
            let error = post(&SecretString::from(address), &message("x"), None).await.expect_err(address);
            assert!(matches!(error, Untold::NoAddress), "{address}: {error}");
            assert!(!error.to_string().contains("s3cret"));
        }
        let error = post(&SecretString::from("http://127.0.0.1:1/s3cret"), &message("x"), None)
            .await
            .expect_err("nobody listens");
        assert!(matches!(error, Untold::Unreachable(_)) && !error.to_string().contains("s3cret"), "{error}");
    }
}
