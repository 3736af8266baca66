//! The keys of notifications: who is told after an unattended run, and how.

use super::{layers::Content, reader::Reader};
use crate::edge::secrets::SecretReference;

/// Who is told after an unattended run, and how. Nobody is, unless it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifySettings {
    /// Where the address of a Slack-compatible webhook is; whoever knows it can post there, so it is a secret.
    pub webhook: Option<SecretReference>,
    /// Who gets mail.
    pub email: Option<EmailSettings>,
    /// The program that takes a notification as JSON on its standard input, with its arguments.
    pub command: Option<Vec<String>>,
}

/// Who gets mail, and who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSettings {
    /// The addresses; at least one.
    pub to: Vec<String>,
    /// The address that it comes from; without it the one that the mail program knows.
    pub from: Option<String>,
    /// The program that takes a message with its headers on its standard input, with its arguments.
    pub command: Vec<String>,
}

pub(super) fn notify(reader: &mut Reader<'_>) -> NotifySettings {
    let takes = "addresses as a list, e.g. [\"anna@example.com\"]";
    let to = reader.take("notify.email.to", |content| match content.typed() {
        Content::Texts(to) if !to.is_empty() && to.iter().all(|to| is_address(to)) => Ok(to),
        _ => Err(takes.to_owned()),
    });
    let from = reader.take("notify.email.from", |content| {
        let from = content.text().filter(|from| is_address(from));
        from.map(str::to_owned).ok_or_else(|| "an address, e.g. \"punchlist@example.com\"".to_owned())
    });
    let command = reader.command("notify.email.command", "[\"sendmail\", \"-t\"]");
    let command = command.unwrap_or_else(|| ["sendmail", "-t"].map(str::to_owned).to_vec());
    NotifySettings {
        webhook: reader.secret("notify.webhook"),
        email: to.map(|to| EmailSettings { to, from, command }),
        command: reader.command("notify.command", "[\"notify-send\"]"),
    }
}

/// True for an address that stands in a header as itself: nothing in it can end the line, begin a comment or add a
/// recipient.
fn is_address(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let parts = text.split_once('@');
    let is_dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
    parts.is_some_and(|(local, domain)| {
        text.len() <= 254 && [local, domain].into_iter().all(|part| part.chars().all(is_plain) && is_dotted(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_say_more_than_itself() {
        for good in ["anna@example.com", "ops+punchlist@mail.example.co.uk", "root@localhost"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "anna",
            "@example.com",
            "anna@",
            "a@b@c",
            "anna@example.com, bob@example.com",
            "anna@example.com\nBcc: all@example.com",
            "anna@example.com\r\n",
            "Anna <anna@example.com>",
            "anna@exam ple.com",
            "änna@example.com",
            "-oQ/tmp@x (y)",
            "a..b@example.com",
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }
}
