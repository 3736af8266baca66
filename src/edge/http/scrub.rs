//! Takes what is secret out of a body that somebody asked to keep, and cuts it where it is long.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

use super::Auth;

/// Bytes of a body that are kept.
const BODY_BYTES_MAX: usize = 8 * 1024;
/// Words in the names of what is never kept, whatever it holds.
const SECRET_NAMES: [&str; 7] = ["token", "secret", "password", "authorization", "api_key", "apikey", "credential"];
/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";

/// Knows what must not be kept.
pub(super) struct Scrub {
    secret: SecretString,
}

impl Scrub {
    /// Of the secret that requests are made with.
    pub(super) fn new(auth: &Auth) -> Self {
        Self { secret: auth.value.expose_secret().trim_start_matches("Bearer ").to_owned().into() }
    }

    /// A body as text that may be kept. What is not JSON may be anything, and only its size is kept.
    pub(super) fn text(&self, body: &[u8]) -> String {
        if body.is_empty() {
            return String::new();
        }
        let Ok(mut json) = serde_json::from_slice::<Json>(body) else {
            return format!("[{} bytes that are no JSON]", body.len());
        };
        self.clean(&mut json);
        let mut text = json.to_string();
        if text.len() > BODY_BYTES_MAX {
            let length = text.len();
            let end = (0..=BODY_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
            text.truncate(end);
            text.push_str("… [");
            text.push_str(&length.to_string());
            text.push_str(" bytes in all]");
        }
        text
    }

    fn clean(&self, json: &mut Json) {
        match json {
            Json::String(text) => self.clean_text(text),
            Json::Array(rows) => rows.iter_mut().for_each(|row| self.clean(row)),
            Json::Object(fields) => {
                let names: Vec<String> =
                    fields.keys().filter(|name| name.contains(self.secret.expose_secret())).cloned().collect();
                for name in names {
                    fields.remove(&name);
                }
                for (name, value) in fields.iter_mut() {
                    let name = name.to_lowercase();
                    if SECRET_NAMES.iter().any(|secret| name.contains(secret)) && (value.is_string() || value.is_object()) {
                        *value = REDACTED.into();
                    } else {
                        self.clean(value);
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// Takes the secret out of a text.
    pub(super) fn clean_text(&self, text: &mut String) {
        let secret = self.secret.expose_secret();
        if !secret.is_empty() && text.contains(secret) {
            *text = text.replace(secret, REDACTED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_kept_without_what_is_secret() {
        let scrub = Scrub::new(&Auth::bearer(&"hunter2hunter2".into()));
        for (body, kept) in [
            ("", ""),
            (r#"{"name":"Acme"}"#, r#"{"name":"Acme"}"#),
            (r#"{"note":"use hunter2hunter2 here"}"#, r#"{"note":"use [redacted] here"}"#),
            (
                r#"{"apiKey":"x","deep":[{"access_token":"y"}]}"#,
                r#"{"apiKey":"[redacted]","deep":[{"access_token":"[redacted]"}]}"#,
            ),
            (r#"{"hunter2hunter2":1,"n":2}"#, r#"{"n":2}"#),
            ("<html>hunter2hunter2</html>", "[27 bytes that are no JSON]"),
        ] {
            assert_eq!(scrub.text(body.as_bytes()), kept, "{body}");
        }
        let long = format!("{{\"name\":\"{}\"}}", "é".repeat(BODY_BYTES_MAX));
        let kept = scrub.text(long.as_bytes());
        assert!(kept.len() < BODY_BYTES_MAX + 40 && kept.ends_with("[16395 bytes in all]"), "{}", &kept[kept.len() - 40..]);
    }
}
