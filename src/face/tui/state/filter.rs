//! What is typed to narrow the rows of the review, and what it means: words that a name must contain, and words such as
//! `is:undecided` about a row. A word that means nothing is refused: with a row too many on the screen, "approve all
//! that is shown" would approve too much.

use std::collections::BTreeMap;

use strum::VariantArray;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::domain::{
    action::Action,
    model::Kind,
    plan::{HoldCode, NoticeCode},
    text::Shown,
};

/// What can be said of a row besides its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub(crate) enum About {
    /// What was decided, or how it stands.
    Is,
    Kind,
    Action,
    /// Why nobody can approve it, or what a notice is about.
    Hold,
    /// Whether it may go ahead.
    State,
    /// A part of the name of the client that it belongs to.
    Client,
}

/// How a change stands that nobody can approve, that needs a person, and so on.
const STATES: [&str; 4] = ["ready", "review", "held", "notice"];
/// What can be decided about a change, and what it can be besides.
const DECIDED: [&str; 6] = ["undecided", "approved", "skipped", "flagged", "ignored", "conflict"];

impl About {
    /// How it is spelled, without the colon.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::Kind => "kind",
            Self::Action => "action",
            Self::Hold => "hold",
            Self::State => "state",
            Self::Client => "client",
        }
    }

    fn of(word: &str) -> Option<Self> {
        // What `hold:` was called first.
        let word = if word == "why" { "hold" } else { word };
        Self::VARIANTS.iter().copied().find(|about| about.word() == word)
    }

    /// All that can stand after the colon; nothing where any text can.
    pub(crate) fn values(self) -> Vec<&'static str> {
        match self {
            Self::Is => DECIDED.into_iter().chain(STATES).collect(),
            Self::Kind => Kind::ALL.into_iter().map(Kind::word).collect(),
            Self::Action => Action::proposed().map(Action::word).collect(),
            Self::Hold => {
                let notices = NoticeCode::VARIANTS.iter().map(|code| code.word());
                let holds = HoldCode::VARIANTS.iter().map(|code| code.word());
                let mut all: Vec<_> = holds.chain(notices).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
            Self::State => STATES.to_vec(),
            Self::Client => Vec::new(),
        }
    }
}

/// One thing that a row must have, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) not: bool,
    /// Nothing for a part of the name.
    pub(crate) about: Option<About>,
    /// In the form that names are compared in; of a word about the row, its beginning.
    pub(crate) word: String,
}

/// Why something that was typed is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unparsed {
    /// Safe to show.
    pub(crate) text: Shown,
    /// What the word is about, where that much is clear.
    pub(crate) about: Option<About>,
}

/// Reads a filter. `"two words"` are one part of a name, whatever they contain; `@name` stands for a filter that was
/// saved under that name; `!` turns a word round.
///
/// # Errors
/// [`Unparsed`] for the first word that means nothing.
pub(crate) fn parsed(text: &str, saved: &BTreeMap<String, String>) -> Result<Vec<Term>, Unparsed> {
    let mut terms = Vec::new();
    for word in words(text) {
        match word.bare.strip_prefix('@').filter(|_| !word.quoted) {
            Some(name) => {
                let unknown = || {
                    let known: Vec<_> = saved.keys().map(|name| format!("@{name}")).collect();
                    let known = if known.is_empty() { "none is saved".to_owned() } else { known.join(" ") };
                    let name = Shown::of(name).clipped(30);
                    Unparsed { text: format!("no filter is saved as @{name}: {known}").into(), about: None }
                };
                let meant = saved.get(name).ok_or_else(unknown)?;
                for word in words(meant) {
                    terms.push(term(&word)?);
                }
            }
            None => terms.push(term(&word)?),
        }
    }
    Ok(terms)
}

/// A filter in which saved ones stand by themselves instead of by their names.
pub(crate) fn expanded(text: &str, saved: &BTreeMap<String, String>) -> String {
    let meant = |word: &str| word.strip_prefix('@').and_then(|name| saved.get(name)).cloned();
    // A filter without a name in it stays as it was typed.
    let words: Vec<String> =
        text.trim().split(' ').map(|word| meant(word).unwrap_or_else(|| word.to_owned())).collect();
    words.join(" ")
}

/// A word as it was typed.
struct Typed {
    not: bool,
    bare: String,
    /// A quotation mark stands before any colon: all of it is text.
    quoted: bool,
}

/// Words between spaces, or within quotation marks.
fn words(text: &str) -> Vec<Typed> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (not, from) = match rest.strip_prefix('!') {
            Some(after) if !after.is_empty() && !after.starts_with(char::is_whitespace) => (true, after),
            _ => (false, rest),
        };
        let (mut bare, mut quoted, mut inside) = (String::new(), false, false);
        let mut end = from.len();
        for (at, c) in from.char_indices() {
            if c == '"' {
                quoted |= !bare.contains(':');
                inside = !inside;
            } else if c.is_whitespace() && !inside {
                end = at;
                break;
            } else {
                bare.push(c);
            }
        }
        all.push(Typed { not, bare, quoted });
        rest = from[end..].trim_start();
    }
    all
}

fn term(typed: &Typed) -> Result<Term, Unparsed> {
    let Typed { not, bare, quoted } = typed;
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic());
    let Some((about, value)) = bare.split_once(':').filter(|(about, _)| !quoted && is_word(about)) else {
        return Ok(Term { not: *not, about: None, word: folded(bare) });
    };
    let Some(about) = About::of(&about.to_ascii_lowercase()) else {
        let known: Vec<String> = About::VARIANTS.iter().map(|about| format!("{}:", about.word())).collect();
        let text = format!("there is no {}: but {}", Shown::of(about).clipped(20), known.join(" "));
        return Err(Unparsed { text: text.into(), about: None });
    };
    let word = folded(value);
    let values = about.values();
    if word.is_empty() || !values.is_empty() && !values.iter().any(|known| known.starts_with(&word)) {
        let known = if values.is_empty() { "a part of the client's name".to_owned() } else { values.join(" ") };
        let said = if word.is_empty() { format!("{}: ", about.word()) } else { format!("{}: knows ", about.word()) };
        return Err(Unparsed { text: format!("{said}{known}").into(), about: Some(about) });
    }
    Ok(Term { not: *not, about: Some(about), word })
}

/// The form in which names are compared: without case and accents.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// True where a filter can be saved under a name, and said with `@` in front of it.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 30 && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> BTreeMap<String, String> {
        [("mine".to_owned(), "is:undecided client:\"acme corp\"".to_owned())].into()
    }

    fn terms(text: &str) -> Vec<(bool, Option<About>, String)> {
        let terms = parsed(text, &saved()).expect(text);
        terms.into_iter().map(|term| (term.not, term.about, term.word)).collect()
    }

    #[test]
    fn words_are_text_or_about_the_row() {
        let owned = |not, about, word: &str| (not, about, word.to_owned());
        assert_eq!(terms("Écran  !is:und"), [owned(false, None, "ecran"), owned(true, Some(About::Is), "und")]);
        assert_eq!(terms("why:brake"), terms("hold:brake"));
        assert_eq!(terms("KIND:Task"), [owned(false, Some(About::Kind), "task")]);
        assert_eq!(terms("\"close: it\""), [owned(false, None, "close: it")]);
        assert_eq!(terms("client:\"acme corp\""), [owned(false, Some(About::Client), "acme corp")]);
        assert_eq!(terms("10:30 !"), [owned(false, None, "10:30"), owned(false, None, "!")]);
        assert_eq!(terms("@mine"), terms("is:undecided client:\"acme corp\""));
        assert_eq!(terms("\"@mine\""), [owned(false, None, "@mine")]);
        assert!(terms("  ").is_empty());
        assert_eq!(terms("\"open end"), [owned(false, None, "open end")]);
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_is_known() {
        for (text, said) in [
            ("is:aproved", "is: knows undecided approved skipped"),
            ("is:", "is: undecided approved skipped"),
            ("acme kin:task", "there is no kin: but is: kind: action: hold: state: client:"),
            ("!kind:tusk", "kind: knows client project task"),
            ("client:", "client: a part of the client's name"),
            ("@yours", "no filter is saved as @yours: @mine"),
            ("is:\u{202e}", "is: knows"),
        ] {
            let refused = parsed(text, &saved()).expect_err(text);
            assert!(refused.text.starts_with(said), "{text}: {}", refused.text);
        }
    }

    #[test]
    fn every_value_that_is_known_is_taken() {
        for about in About::VARIANTS {
            for value in about.values() {
                let text = format!("{}:{value}", about.word());
                assert!(parsed(&text, &BTreeMap::new()).is_ok(), "{text}");
            }
        }
    }
}
