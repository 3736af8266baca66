//! Text from outside, in three forms that cannot be mistaken for each other.
//!
//! - [`Raw`] is what a service holds: it is stored and sent, and cannot be printed.
//! - [`Canonical`] is what names are matched by: NFC, trimmed, runs of white space collapsed.
//! - [`Shown`] is what people see: everything invisible or active is shown as a visible escape.

mod json;

use std::{borrow::Cow, cmp::Ordering, fmt, ops::Deref};

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, Emoji, GeneralCategory, PrependedConcatenationMark},
};
use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub use json::{SafeJson, json, json_line, safe_json, write_json};

/// Combining marks kept on one character; more are a rendering attack ("zalgo"), and are shown as a count.
const COMBINING_MARKS_MAX: usize = 8;
/// Braille without a dot: it looks like a space, and Unicode does not call it one.
const BLANK: char = '\u{2800}';

/// Text as a service holds it. It has no `fmt::Display`: show it with [`Raw::shown`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(Box<str>);

impl Raw {
    /// Wraps text from outside.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The exact text, for storing, sending and comparing; never for showing.
    pub fn exact(&self) -> &str {
        &self.0
    }

    /// The form that names are matched by.
    pub fn canonical(&self) -> Canonical<'_> {
        canonical(&self.0)
    }

    /// The form that is safe to show.
    pub fn shown(&self) -> Shown {
        Shown::of(&self.0)
    }

    /// True when there is nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Raw {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// A name in the form that matching uses: NFC, trimmed, runs of white space collapsed to one space.
///
/// Clockify's own browser extension trims and collapses names before it compares or creates, so this is also what we
/// send.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical<'a>(Cow<'a, str>);

impl<'a> Canonical<'a> {
    /// The text of this form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, borrowed from the original where nothing had to change.
    pub fn into_cow(self) -> Cow<'a, str> {
        self.0
    }

    /// The same, owning its text.
    pub fn into_raw(self) -> Raw {
        Raw(self.0.into_owned().into())
    }

    /// The form in which names that people take for the same are equal: they differ only by case, by spaces, by
    /// characters that cannot be seen, or by other ways to write the same characters (`NFKC`).
    pub fn loose(&self) -> String {
        if self.0.is_ascii() { self.folded_ascii().collect() } else { self.loose_chars().nfc().collect() }
    }

    /// A hash of [`Canonical::loose`], for finding the few names that may be equal without making a million strings.
    pub fn loose_hash(&self) -> u64 {
        // FNV-1a: equal names have equal hashes on every machine, and nothing rests on unequal names having unequal
        // ones.
        let step = |hash: u64, c: char| (hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3);
        let start = 0xcbf2_9ce4_8422_2325;
        if self.0.is_ascii() { self.folded_ascii().fold(start, step) } else { self.loose_chars().fold(start, step) }
    }

    /// What [`fold`] makes of ASCII.
    fn folded_ascii(&self) -> impl Iterator<Item = char> + '_ {
        self.seen_chars().map(|c| c.to_ascii_lowercase())
    }

    /// Decomposed, so that a letter is folded apart from its marks.
    fn loose_chars(&self) -> impl Iterator<Item = char> + '_ {
        // What is decomposed can be a space, too.
        self.seen_chars().nfkd().filter(|c| !c.is_whitespace()).flat_map(fold)
    }

    fn seen_chars(&self) -> impl Iterator<Item = char> + '_ {
        let is_seen = |c: &char| !c.is_whitespace() && *c != BLANK && matches!(invisible(*c), Invisible::No);
        self.0.chars().filter(is_seen)
    }
}

/// Folds case as Unicode does it, nearly: `ß` is `ss`, and both small sigmas are one.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// See [`Canonical`].
pub fn canonical(text: &str) -> Canonical<'_> {
    if text.is_ascii() && is_collapsed(text) {
        return Canonical(Cow::Borrowed(text));
    }
    let composed: Cow<'_, str> = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    };
    if is_collapsed(&composed) {
        return Canonical(composed);
    }
    let mut collapsed = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    Canonical(Cow::Owned(collapsed))
}

/// True when the text has no white space but single spaces between words.
fn is_collapsed(text: &str) -> bool {
    let mut after_space = true;
    for c in text.chars() {
        if c == ' ' {
            if after_space {
                return false;
            }
            after_space = true;
        } else if c.is_whitespace() {
            return false;
        } else {
            after_space = false;
        }
    }
    text.is_empty() || !after_space
}

/// The first character that must not be sent as part of a name: a control or one that changes how its neighbours are
/// shown.
///
/// Joiners are let through where they hold an emoji or a script together, and what says how an emoji is drawn.
pub fn forbidden_in_name(text: &str) -> Option<char> {
    text.graphemes(true).find_map(|grapheme| hidden(grapheme).find_map(|(c, is_hidden)| is_hidden.then_some(c)))
}

/// Text that is safe to print: on a terminal, in a log, in a table.
///
/// Nothing makes one but what sanitises: whoever reads it from a file gets what is safe to show, whatever stands there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Shown {
    text: Box<str>,
    hidden: bool,
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        if is_plain(&text) { Self { text: text.into(), hidden: false } } else { Self::of(&text) }
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<Shown> for String {
    fn from(shown: Shown) -> Self {
        shown.text.into()
    }
}

impl From<Shown> for Cow<'_, str> {
    fn from(shown: Shown) -> Self {
        Self::Owned(shown.text.into())
    }
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Shown {}

impl PartialOrd for Shown {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Shown {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

/// True for text in which nothing can hide: printable ASCII.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

impl Shown {
    /// Makes any text safe to show: nothing is dropped, what is invisible is spelled out as `⟨U+202E⟩`.
    pub fn of(text: &str) -> Self {
        if is_plain(text) {
            return Self { text: text.into(), hidden: false };
        }
        let mut escaped = Escaped { text: String::with_capacity(text.len()), hidden: false };
        for grapheme in text.graphemes(true) {
            escaped.push(grapheme);
        }
        Self { text: escaped.text.into(), hidden: escaped.hidden }
    }

    /// The text, as safe as the type says.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True when the original held characters that a reader could not have seen.
    pub fn has_hidden(&self) -> bool {
        self.hidden
    }

    /// Columns that the text takes on a terminal.
    pub fn width(&self) -> usize {
        self.text.width()
    }

    /// The text cut in the middle to fit, so that the telling end of a long name stays visible.
    #[must_use]
    pub fn clipped(&self, columns: usize) -> Self {
        if self.width() <= columns {
            return self.clone();
        }
        let room = columns.saturating_sub(1);
        let tail_room = room / 3;
        let head = take_columns(self.text.graphemes(true), room - tail_room);
        let tail: Vec<&str> = take_columns(self.text.graphemes(true).rev(), tail_room);
        let mut text = head.concat();
        if columns > 0 {
            text.push('…');
        }
        text.extend(tail.into_iter().rev());
        Self { text: text.into(), hidden: self.hidden }
    }
}

/// Text on its way to being safe to show.
struct Escaped {
    text: String,
    hidden: bool,
}

impl Escaped {
    fn push(&mut self, grapheme: &str) {
        let mut marks = 0;
        for (c, is_hidden) in hidden(grapheme) {
            if is_hidden {
                self.push_escape(c);
                continue;
            }
            if unicode_normalization::char::is_combining_mark(c) {
                marks += 1;
                if marks > COMBINING_MARKS_MAX {
                    continue;
                }
            }
            self.text.push(c);
        }
        if marks > COMBINING_MARKS_MAX {
            use fmt::Write;
            self.hidden = true;
            // Writing to a string cannot fail.
            write!(self.text, "⟨+{} marks⟩", marks - COMBINING_MARKS_MAX).unwrap_or_default();
        }
    }

    fn push_escape(&mut self, c: char) {
        use fmt::Write;
        match c {
            '\n' => self.text.push('⏎'),
            '\t' => self.text.push('⇥'),
            _ => {
                self.hidden = true;
                // Writing to a string cannot fail.
                write!(self.text, "⟨U+{:04X}⟩", u32::from(c)).unwrap_or_default();
            }
        }
    }
}

fn take_columns<'a>(graphemes: impl Iterator<Item = &'a str>, columns: usize) -> Vec<&'a str> {
    let mut left = columns;
    graphemes
        .take_while(|grapheme| {
            let width = grapheme.width();
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect()
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

enum Invisible {
    No,
    /// ZWJ or ZWNJ: meaningful inside an emoji or a joined script, invisible elsewhere.
    Joiner,
    /// Says whether the emoji before it is drawn in colour; invisible elsewhere.
    EmojiStyle,
    Yes,
}

/// Sorts out what would act on, or hide in, the text around it (Trojan Source, CVE-2021-42574, and its relatives), by
/// what Unicode says of each character. Signs that begin a number in some scripts are of the same category, and can be
/// seen.
fn invisible(c: char) -> Invisible {
    let category = || CodePointMapData::<GeneralCategory>::new().get(c);
    match c {
        ' '..='~' => Invisible::No,
        '\u{200C}' | '\u{200D}' => Invisible::Joiner,
        '\u{FE0E}' | '\u{FE0F}' => Invisible::EmojiStyle,
        _ if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) => Invisible::Yes,
        _ if CodePointSetData::new::<PrependedConcatenationMark>().contains(c) => Invisible::No,
        _ => match category() {
            GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => Invisible::Yes,
            _ => Invisible::No,
        },
    }
}

/// True for what nobody sees where it stands by itself, and what acts on the text around it, beyond ASCII's controls.
pub fn is_hidden(c: char) -> bool {
    c == '\u{7F}' || !c.is_ascii() && !matches!(invisible(c), Invisible::No)
}

/// The characters of a grapheme, each with whether a reader could not see it.
fn hidden(grapheme: &str) -> impl Iterator<Item = (char, bool)> {
    // A joiner belongs after what is not ASCII: an emoji sequence, an Indic or Arabic cluster.
    let first = grapheme.chars().next();
    let joins = first.is_some_and(|first| !first.is_ascii() && matches!(invisible(first), Invisible::No));
    let mut before = None;
    grapheme.chars().map(move |c| {
        let is_hidden = match invisible(c) {
            Invisible::No => false,
            Invisible::Joiner => !joins,
            Invisible::EmojiStyle => !before.is_some_and(|before| CodePointSetData::new::<Emoji>().contains(before)),
            Invisible::Yes => true,
        };
        before = Some(c);
        (c, is_hidden)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_composes_trims_and_collapses() {
        assert_eq!(canonical("  Écran \t d'accueil ").as_str(), "Écran d'accueil");
        assert_eq!(canonical("E\u{301}cran").as_str(), "Écran");
        assert_eq!(canonical(" ").as_str(), "");
        assert!(matches!(canonical("plain name").0, Cow::Borrowed(_)));
    }

    #[test]
    fn names_that_people_take_for_the_same_are_loosely_equal() {
        for (kind, plain, alike) in [
            ("case", "Acme", "ACME"),
            ("spaces", "Ac me", "Acme"),
            ("a space that does not break", "Ac me", "Ac\u{A0}me"),
            ("a thin space", "Ac me", "Ac\u{2009}me"),
            ("an ideographic space", "Ac me", "Ac\u{3000}me"),
            ("blank braille", "Ac me", "Ac\u{2800}me"),
            ("a Hangul filler", "Acme", "Acme\u{3164}"),
            ("a zero-width space", "Acme", "Ac\u{200B}me"),
            ("a joiner", "Acme", "Ac\u{200D}me"),
            ("a word joiner", "Acme", "Ac\u{2060}me"),
            ("a byte order mark", "Acme", "\u{FEFF}Acme"),
            ("a soft hyphen", "Acme", "Ac\u{AD}me"),
            ("a grapheme joiner", "Acme", "Ac\u{34F}me"),
            ("direction marks", "Acme", "\u{200E}Ac\u{202E}me\u{2069}"),
            ("a control character", "Acme", "Ac\u{7}me"),
            ("an annotation", "Acme", "Ac\u{FFF9}me"),
            ("a variation selector", "❤ Acme", "❤\u{FE0F} Acme"),
            ("a supplementary variation selector", "葛飾", "葛\u{E0100}飾"),
            ("a tag", "Acme", "Acme\u{E0041}"),
            ("a musical control", "Acme", "Ac\u{1D173}me"),
            ("full width", "Acme 2", "Ａｃｍｅ　２"),
            ("a ligature", "office", "o\u{FB03}ce"),
            ("a superscript", "m2", "m²"),
            ("a combined letter", "Écran", "e\u{301}CRAN"),
            ("letters that fold into two", "Straße", "STRASSE"),
            ("a final letter", "ΟΔΟΣ", "οδος"),
            ("a letter with marks", "\u{390}", "\u{3AA}\u{301}"),
            ("Hangul", "한글", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}"),
        ] {
            let (plain, alike) = (canonical(plain), canonical(alike));
            assert_eq!(plain.loose(), alike.loose(), "{kind}");
            assert_eq!(plain.loose_hash(), alike.loose_hash(), "{kind}");
        }
        for (one, other) in [("Acme", "Acne"), ("Acme", "Acmé"), ("Acme 1", "Acme 2"), ("Акме", "Acme"), ("a-b", "ab")]
        {
            assert_ne!(canonical(one).loose(), canonical(other).loose());
        }
        assert_eq!(canonical("Ac\u{AD}me").as_str(), "Ac\u{AD}me", "what is sent stays as it is");
    }

    #[test]
    fn display_spells_out_what_cannot_be_seen() {
        assert_eq!(Shown::of("a\u{202E}b").as_str(), "a⟨U+202E⟩b");
        assert_eq!(Shown::of("a\u{200D}b").as_str(), "a⟨U+200D⟩b");
        assert_eq!(Shown::of("👩\u{200D}👧").as_str(), "👩\u{200D}👧");
        assert_eq!(Shown::of("\u{1B}[31m").as_str(), "⟨U+001B⟩[31m");
        assert!(Shown::of("x\u{FEFF}").has_hidden());
        assert!(!Shown::of("顧客株式会社").has_hidden());
    }

    #[test]
    fn names_with_hidden_characters_are_refused_but_emoji_are_not() {
        assert_eq!(forbidden_in_name("Beta\u{200B}"), Some('\u{200B}'));
        assert_eq!(forbidden_in_name("👨\u{200D}👩\u{200D}👧 Family"), None);
        assert_eq!(forbidden_in_name("שלום בע\"מ"), None);
    }

    #[test]
    fn no_character_of_unicode_is_shown_that_nobody_sees_and_none_of_those_is_sent_in_a_name() {
        let ranges = [
            // Controls, separators of lines and paragraphs, annotations, and what joins Egyptian signs.
            ('\0', '\u{1F}'),
            ('\u{7F}', '\u{9F}'),
            ('\u{2028}', '\u{2029}'),
            ('\u{FFF9}', '\u{FFFB}'),
            ('\u{13430}', '\u{1343F}'),
            // Default_Ignorable_Code_Point, as DerivedCoreProperties.txt of Unicode 17 lists it.
            ('\u{AD}', '\u{AD}'),
            ('\u{34F}', '\u{34F}'),
            ('\u{61C}', '\u{61C}'),
            ('\u{115F}', '\u{1160}'),
            ('\u{17B4}', '\u{17B5}'),
            ('\u{180B}', '\u{180F}'),
            ('\u{200B}', '\u{200F}'),
            ('\u{202A}', '\u{202E}'),
            ('\u{2060}', '\u{206F}'),
            ('\u{3164}', '\u{3164}'),
            ('\u{FE00}', '\u{FE0F}'),
            ('\u{FEFF}', '\u{FEFF}'),
            ('\u{FFA0}', '\u{FFA0}'),
            ('\u{FFF0}', '\u{FFF8}'),
            ('\u{1BCA0}', '\u{1BCA3}'),
            ('\u{1D173}', '\u{1D17A}'),
            ('\u{E0000}', '\u{E0FFF}'),
        ];
        for c in '\0'..=char::MAX {
            let is_hidden = ranges.iter().any(|(from, to)| (*from..=*to).contains(&c));
            let text = format!("a{c}b");
            assert_eq!(forbidden_in_name(&text), is_hidden.then_some(c), "U+{:04X}", u32::from(c));
            assert_eq!(Shown::of(&text).as_str().contains(c), !is_hidden, "U+{:04X}", u32::from(c));
            if is_hidden && c != '\n' {
                assert!(!json(&text).expect("strings serialise").contains(c), "U+{:04X} in JSON", u32::from(c));
            }
        }
    }

    #[test]
    fn an_emoji_may_say_how_it_is_drawn_and_nothing_else_may() {
        for whole in ["❤\u{FE0F} Acme", "1\u{FE0F}\u{20E3} Acme", "☎\u{FE0E}"] {
            assert_eq!((forbidden_in_name(whole), Shown::of(whole).as_str()), (None, whole));
        }
        for odd in ["Acme\u{FE0F}", "Ac\u{FE00}me", "葛\u{E0100}飾", "Ac\u{1BCA0}me", "Ac\u{1D173}me"] {
            assert!(forbidden_in_name(odd).is_some() && Shown::of(odd).has_hidden(), "{odd:?}");
        }
        assert_eq!(Shown::of("\u{600}12").as_str(), "\u{600}12", "a sign before a number can be seen");
    }

    #[test]
    fn clipping_keeps_both_ends_and_counts_columns() {
        let clipped = Shown::of("Website relaunch 2026").clipped(10);
        assert_eq!(clipped.as_str(), "Websit…026");
        assert_eq!(Shown::of("顧客株式会社").clipped(7).width(), 7);
        assert_eq!(Shown::of("abc").clipped(0).as_str(), "");
    }

    #[test]
    fn json_is_exact_and_shows_nothing_active() {
        let text = "a\u{202E}b\u{9B}c\u{E0041}👩\u{200D}👧";
        let written = json(&text).expect("strings serialise");
        assert!(written.chars().all(|c| matches!(invisible(c), Invisible::No)), "{written}");
        assert_eq!(serde_json::from_str::<String>(&written).expect("valid"), text);
    }
}
