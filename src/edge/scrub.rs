//! Takes what is secret out of texts, in whatever form it stands there.
//!
//! The process knows its secrets here and nowhere else: whatever a reference led to is learnt, and everybody who keeps
//! or says a text of somebody else scrubs it first and shortens it then. A text is read as whoever decodes it would
//! read it (URL-encoded, JSON-escaped, as an entity of HTML, as base64 or hexadecimal, also within each other); what
//! that shows of a secret is taken out where it stands.

use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    sync::{PoisonError, RwLock},
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;

/// Characters of a text that hold a piece of a secret from which on it is taken out: a piece of 14 characters of base64
/// shows 8 bytes of a secret for certain, in 11 of them.
const PIECE_CHARACTERS_MIN: usize = 11;
/// Bytes of a secret that such a piece shows at the least: where each is escaped, they are few.
const PIECE_BYTES_MIN: usize = 4;
/// A secret that is shorter than this is a word, and would take words out.
const SECRET_BYTES_MIN: usize = 8;
/// How many encodings within each other are read.
const DEPTH_MAX: usize = 3;
/// Bytes of a body that are kept.
const BODY_BYTES_MAX: usize = 8 * 1024;
/// Bytes of it that are looked at.
const BODY_BYTES_READ: usize = 4 * BODY_BYTES_MAX;
/// Words in the names of what is never kept, whatever it holds.
const SECRET_NAMES: [&str; 7] = ["token", "secret", "password", "authorization", "api_key", "apikey", "credential"];
/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";

/// The secrets of this process.
static KNOWN: RwLock<Vec<Known>> = RwLock::new(Vec::new());

/// A secret, and where in it each four bytes stand.
struct Known {
    secret: SecretString,
    places: HashMap<[u8; PIECE_BYTES_MIN], Vec<usize>>,
}

impl Known {
    fn new(secret: &str) -> Self {
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, part) in secret.as_bytes().windows(PIECE_BYTES_MIN).enumerate() {
            places.entry(part.try_into().unwrap_or_default()).or_default().push(at);
        }
        Self { secret: secret.into(), places }
    }

    /// How many bytes of the secret stand at the beginning of some bytes.
    fn stands_in(&self, bytes: &[u8]) -> usize {
        let Some(places) = bytes.first_chunk().and_then(|first| self.places.get(first)) else { return 0 };
        let secret = self.secret.expose_secret().as_bytes();
        let length = |at: &usize| secret[*at..].iter().zip(bytes).take_while(|(one, other)| one == other).count();
        places.iter().map(length).max().unwrap_or_default()
    }
}

/// Learns a secret, so that it is taken out of every text from now on. Of an address that is one, what follows the host
/// is secret, and the name and password before it; of a database's, the password alone.
pub fn learn(secret: &SecretString) {
    let text = secret.expose_secret();
    let parts = match text.split_once("://") {
        Some(("postgres" | "postgresql", address)) => {
            let user = address.rsplit_once('@').map_or("", |(user, _)| user);
            let given = address.split_once("password=").map_or("", |(_, given)| given);
            [user.split_once(':').map_or("", |(_, password)| password), given.split('&').next().unwrap_or_default()]
        }
        Some((_, address)) => {
            let end = address.find(['/', '?', '#']).unwrap_or(address.len());
            let (authority, rest) = address.split_at(end);
            [authority.rsplit_once('@').map_or("", |(user, _)| user), rest]
        }
        None => [text, ""],
    };
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for part in parts.into_iter().filter(|part| part.len() >= SECRET_BYTES_MIN) {
        if known.iter().all(|known| known.secret.expose_secret() != part) {
            known.push(Known::new(part));
        }
    }
}

/// A text without what is known to be secret.
pub fn scrub(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if known.is_empty() {
        return text.into();
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut reading = Some(Reading::of(text));
    for _ in 0..=DEPTH_MAX {
        let Some(read) = reading else { break };
        read.find(&known, &mut found);
        for digits in [BASE64, HEXADECIMAL] {
            read.in_digits(&digits, |decoded| decoded.find(&known, &mut found));
        }
        reading = read.unescaped();
    }
    if found.is_empty() {
        return text.into();
    }
    found.sort_by_key(|range| range.start);
    let (mut clean, mut from) = (String::with_capacity(text.len()), 0);
    for Range { start, end } in found {
        let (start, end) = (text.floor_char_boundary(start), text.ceil_char_boundary(end));
        if start > from || from == 0 {
            clean.push_str(&text[from..start]);
            clean.push_str(REDACTED);
        }
        from = from.max(end);
    }
    clean.push_str(&text[from..]);
    clean.into()
}

/// Bytes that a text stands for, each with its place there.
struct Reading {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Reading {
    fn of(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), places: (0..text.len()).map(|at| at..at + 1).collect() }
    }

    fn push(&mut self, byte: u8, place: Range<usize>) {
        self.bytes.push(byte);
        self.places.push(place);
    }

    /// Where the text shows enough of a secret.
    fn find(&self, known: &[Known], found: &mut Vec<Range<usize>>) {
        let mut at = 0;
        while at < self.bytes.len() {
            let longest = known
                .iter()
                .map(|known| (known.stands_in(&self.bytes[at..]), known.secret.expose_secret().len()))
                .max();
            let (length, whole) = longest.unwrap_or_default();
            let place = |length: usize| self.places[at].start..self.places[at + length - 1].end;
            if length >= PIECE_BYTES_MIN && (place(length).len() >= PIECE_CHARACTERS_MIN || length == whole) {
                found.push(place(length));
                at += length;
            } else {
                at += 1;
            }
        }
    }

    /// As it reads with its escapes taken for what they stand for; nothing where it has none.
    fn unescaped(&self) -> Option<Self> {
        let mut read = Self { bytes: Vec::new(), places: Vec::new() };
        let mut at = 0;
        while at < self.bytes.len() {
            let (length, stands_for) = escape(&self.bytes[at..]).unwrap_or((1, Escaped::Byte(self.bytes[at])));
            let place = self.places[at].start..self.places[at + length - 1].end;
            match stands_for {
                Escaped::Byte(byte) => read.push(byte, place),
                Escaped::Character(character) => {
                    character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| read.push(byte, place.clone()));
                }
            }
            at += length;
        }
        (read.bytes.len() < self.bytes.len()).then_some(read)
    }

    /// What its runs of such digits stand for, wherever in a run the first whole byte begins.
    fn in_digits(&self, digits: &Digits, mut check: impl FnMut(&Self)) {
        let mut at = 0;
        while at < self.bytes.len() {
            let run = self.bytes[at..].iter().take_while(|byte| (digits.value)(**byte).is_some()).count();
            if run >= PIECE_CHARACTERS_MIN {
                (0..digits.in_group).for_each(|skipped| check(&self.decoded(at + skipped..at + run, digits)));
            }
            at += run.max(1);
        }
    }

    fn decoded(&self, run: Range<usize>, digits: &Digits) -> Self {
        let mut read = Self { bytes: Vec::new(), places: Vec::new() };
        let (mut buffer, mut filled) = (0_u32, 0);
        let mut start = run.start;
        for at in run {
            if filled == 0 {
                start = at;
            }
            buffer = buffer << digits.bits | u32::from((digits.value)(self.bytes[at]).unwrap_or_default());
            filled += digits.bits;
            if filled >= 8 {
                filled -= 8;
                let byte = u8::try_from(buffer >> filled & 0xFF).unwrap_or_default();
                read.push(byte, self.places[start].start..self.places[at].end);
                start = at;
            }
        }
        read
    }
}

/// An encoding whose digits stand for so many bits each, and for whole bytes after each group of them.
struct Digits {
    value: fn(u8) -> Option<u8>,
    bits: u32,
    in_group: usize,
}

const BASE64: Digits = Digits { value: base64_digit, bits: 6, in_group: 4 };
const HEXADECIMAL: Digits = Digits { value: hexadecimal_digit, bits: 4, in_group: 2 };

enum Escaped {
    Byte(u8),
    Character(char),
}

/// The escape that some bytes begin with: how long it is, and what it stands for.
fn escape(bytes: &[u8]) -> Option<(usize, Escaped)> {
    let hexadecimal = |digits: &[u8]| {
        let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
        all.then(|| u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()).flatten()
    };
    let byte = |digits: Option<&[u8]>| {
        digits.and_then(hexadecimal).and_then(|code| u8::try_from(code).ok()).map(Escaped::Byte)
    };
    let (length, stands_for) = match bytes {
        [b'%', ..] => (3, byte(bytes.get(1..3))),
        [b'\\', b'x', ..] => (4, byte(bytes.get(2..4))),
        [b'\\', b'u', ..] => {
            let code = bytes.get(2..6).and_then(hexadecimal);
            (6, code.and_then(char::from_u32).map(Escaped::Character))
        }
        [b'\\', escaped @ (b'/' | b'\\' | b'"' | b'\''), ..] => (2, Some(Escaped::Byte(*escaped))),
        [b'&', rest @ ..] => {
            let length = rest.iter().take(8).position(|byte| *byte == b';')?;
            let code = match &rest[..length] {
                [b'#', b'x' | b'X', digits @ ..] => hexadecimal(digits),
                [b'#', digits @ ..] => str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
                b"amp" => Some(u32::from(b'&')),
                _ => None,
            };
            (length + 2, code.and_then(char::from_u32).map(Escaped::Character))
        }
        _ => return None,
    };
    stands_for.map(|stands_for| (length, stands_for))
}

fn base64_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

fn hexadecimal_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A body as text that may be kept, cut where it is long. What is not JSON may be anything, and only its size is kept.
pub(super) fn body(body: &[u8]) -> String {
    if body.is_empty() {
        return String::new();
    }
    let Ok(mut json) = serde_json::from_slice::<Json>(body) else {
        return format!("[{} bytes that are no JSON]", body.len());
    };
    redact_named(&mut json);
    let text = json.to_string();
    let mut kept = scrub(&text[..text.floor_char_boundary(BODY_BYTES_READ)]).into_owned();
    if text.len() > BODY_BYTES_MAX {
        kept.truncate(kept.floor_char_boundary(BODY_BYTES_MAX));
        kept.extend(["… [", &text.len().to_string(), " bytes in all]"]);
    }
    kept
}

/// Takes out what is secret by its name.
fn redact_named(json: &mut Json) {
    match json {
        Json::Array(rows) => rows.iter_mut().for_each(redact_named),
        Json::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let name = name.to_lowercase();
                if SECRET_NAMES.iter().any(|secret| name.contains(secret)) && (value.is_string() || value.is_object()) {
                    *value = REDACTED.into();
                } else {
                    redact_named(value);
                }
            }
        }
        Json::String(_) | Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
    };
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "ntn_5ecret/of+this~module?0123456789<>\"Zq";

    /// A secret in every form that one is met in, each with the name of the form.
    fn forms(secret: &str) -> Vec<(&'static str, String)> {
        let each = |write: fn(u8) -> String| secret.bytes().map(write).collect::<String>();
        let encoded = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        let mut forms = vec![
            ("raw", secret.to_owned()),
            ("URL-encoded", encoded.clone()),
            ("URL-encoded in lower case", encoded.replace("%2B", "%2b").replace("%2F", "%2f")),
            ("URL-encoded twice", encoded.replace('%', "%25")),
            ("all of it URL-encoded", each(|byte| format!("%{byte:02X}"))),
            ("JSON", serde_json::to_string(secret).expect("JSON")),
            ("JSON with slashes escaped", secret.replace('"', "\\\"").replace('/', "\\/")),
            ("JSON in JSON", serde_json::to_string(&serde_json::to_string(secret).expect("JSON")).expect("JSON")),
            ("JSON of ASCII escapes", each(|byte| format!("\\u{byte:04x}"))),
            ("entities", each(|byte| format!("&#{byte};"))),
            ("hexadecimal entities", each(|byte| format!("&#x{byte:X};"))),
            ("hexadecimal", each(|byte| format!("{byte:02x}"))),
            ("hexadecimal in capitals", each(|byte| format!("{byte:02X}"))),
        ];
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "z", "zy"] {
                let longer = format!("{before}{secret}{after}");
                forms.push(("base64", STANDARD.encode(&longer)));
                forms.push(("base64 without padding", STANDARD_NO_PAD.encode(&longer)));
                forms.push(("URL-safe base64", URL_SAFE.encode(&longer)));
                forms.push(("URL-safe base64 without padding", URL_SAFE_NO_PAD.encode(&longer)));
                let in_url = STANDARD.encode(&longer).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
                forms.push(("base64, URL-encoded", in_url));
                forms.push(("base64 with slashes escaped", STANDARD.encode(&longer).replace('/', "\\/")));
            }
        }
        forms
    }

    /// What a text has in common with a form of the secret: 14 characters of it.
    fn pieces<'t>(text: &'t str, form: &str) -> Vec<&'t str> {
        let starts = (0..text.len().saturating_sub(13))
            .filter(|&at| text.is_char_boundary(at) && text.is_char_boundary(at + 14));
        starts.map(|at| &text[at..at + 14]).filter(|piece| form.contains(piece)).collect()
    }

    #[test]
    fn no_piece_of_a_secret_is_left_in_whatever_form_it_stands() {
        learn(&SECRET.into());
        for (name, form) in forms(SECRET) {
            for text in [form.clone(), format!("before {form} after"), format!("x{form}"), format!("é{form}é")] {
                let clean = scrub(&text);
                assert!(clean.contains(REDACTED), "{name}: {clean}");
                let left: Vec<_> =
                    forms(SECRET).iter().flat_map(|(_, form)| pieces(&clean, form)).map(str::to_owned).collect();
                assert_eq!(left, [""; 0], "{name}: {clean}");
            }
            // A text may have been cut before it came here.
            for cut in [form.len() / 3, form.len() / 2, form.len() - 1] {
                for part in [&form[..cut], &form[cut..]] {
                    let clean = scrub(part);
                    let left: Vec<_> = forms(SECRET)
                        .iter()
                        .filter(|(form, _)| {
                            !form.contains("entities") && !form.contains("escapes") && !form.starts_with("all")
                        })
                        .flat_map(|(_, form)| pieces(&clean, form))
                        .map(str::to_owned)
                        .collect();
                    assert_eq!(left, [""; 0], "{name}, cut: {clean}");
                }
            }
        }
    }

    #[test]
    fn what_is_around_a_secret_stays() {
        learn(&SECRET.into());
        learn(&"https://user:pa55w0rd-0f-u5er@hooks.example.com/services/T0/B0/n0b0dy-kn0ws".into());
        learn(&"postgres://robot:dat4base-wr1ter@db.example/agency?schema=berlin&password=dat4base-re4der".into());
        learn(&"sh0rt-0ne".into());
        learn(&"word".into());
        for (text, clean) in [
            ("nothing of it", "nothing of it"),
            ("a word and a part: ntn_5ecret", "a word and a part: ntn_5ecret"),
            ("sh0rt-0n, but sh0rt-0ne", "sh0rt-0n, but [redacted]"),
            ("https://hooks.example.com is down", "https://hooks.example.com is down"),
            ("at /services/T0/B0/n0b0dy-kn0ws.", "at [redacted]."),
            ("user:pa55w0rd-0f-u5er@", "[redacted]@"),
            ("db.example/agency?schema=berlin", "db.example/agency?schema=berlin"),
            ("dat4base-wr1ter and dat4base-re4der", "[redacted] and [redacted]"),
            ("sh0rt-0nesh0rt-0ne", "[redacted]"),
            ("%zz \\u12 &#; &#9999999; %", "%zz \\u12 &#; &#9999999; %"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_scrubbed(text in "(\\PC|%|\\\\u|&#x?|[0-9a-f]{2}|;){0,60}", at in 0..40_usize) {
            learn(&SECRET.into());
            let with = format!("{text}{}{text}", &SECRET[at / 2..]);
            let clean = scrub(&with);
            prop_assert_eq!(pieces(&clean, SECRET), Vec::<&str>::new());
        }
    }

    #[test]
    fn a_body_is_kept_without_what_is_secret() {
        learn(&"hunter2hunter2".into());
        for (sent, kept) in [
            ("", ""),
            (r#"{"name":"Acme"}"#, r#"{"name":"Acme"}"#),
            (r#"{"note":"use hunter2hunter2 here"}"#, r#"{"note":"use [redacted] here"}"#),
            (r#"{"note":"\u0068unter2hunter2"}"#, r#"{"note":"[redacted]"}"#),
            (
                r#"{"apiKey":"x","deep":[{"access_token":"y"}]}"#,
                r#"{"apiKey":"[redacted]","deep":[{"access_token":"[redacted]"}]}"#,
            ),
            (r#"{"hunter2hunter2":1,"n":2}"#, r#"{"[redacted]":1,"n":2}"#),
            ("<html>hunter2hunter2</html>", "[27 bytes that are no JSON]"),
        ] {
            assert_eq!(body(sent.as_bytes()), kept, "{sent}");
        }
        let long = format!("{{\"name\":\"{}\"}}", "é".repeat(BODY_BYTES_MAX));
        let kept = body(long.as_bytes());
        assert!(
            kept.len() < BODY_BYTES_MAX + 40 && kept.ends_with("[16395 bytes in all]"),
            "{}",
            &kept[kept.len() - 40..]
        );
        // Wherever it is cut, the secret is taken out before: the first letters of one are no longer known as such.
        for before in BODY_BYTES_MAX - 30..BODY_BYTES_MAX {
            let kept = body(format!("{{\"name\":\"{}hunter2hunter2\"}}", "x".repeat(before)).as_bytes());
            assert!(!kept.contains("hu"), "{before}: {}", &kept[kept.len() - 60..]);
        }
    }
}
