//! Asks the layers for one key after the other, and collects all that is wrong on the way.

use std::{collections::BTreeMap, num::NonZeroU32, ops::RangeInclusive, path::PathBuf};

use strum::VariantArray;
use url::{Host, Url};

use super::{
    Environment, Problem,
    layers::{Content, Given, IN_SINGLE_QUOTES, Layers},
};
use crate::{
    domain::{
        model::{Field, Kind, PageId},
        text::Shown,
    },
    edge::{
        origin::Origin,
        secrets::{SecretReference, named},
    },
};

/// Text of this many characters without a space may be a secret: Clockify's keys have 48, Notion's tokens 50. Ids have
/// at most 36.
const SECRET_CHARACTERS_MIN: usize = 40;
/// So does text of this many characters that mixes letters and digits, unless it is hexadecimal, as IDs are.
const MIXED_CHARACTERS_MIN: usize = 20;
/// Columns of an offending value that a message repeats.
const SHOWN_COLUMNS: usize = 60;

/// Hands out values by key. Every key that is asked for is thereby known.
pub(super) struct Reader<'a> {
    given: BTreeMap<String, Given>,
    known: BTreeMap<String, Option<Origin>>,
    kept: BTreeMap<String, String>,
    problems: Vec<Problem>,
    environment: &'a Environment,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: Layers, environment: &'a Environment) -> Self {
        Self {
            given: layers.given,
            known: BTreeMap::new(),
            kept: BTreeMap::new(),
            problems: layers.problems,
            environment,
        }
    }

    /// Takes the value of a key, all of which may be kept. `read` says what the key takes when it cannot read the
    /// value.
    pub(super) fn take<T>(&mut self, key: &str, read: impl FnOnce(&Content) -> Result<T, String>) -> Option<T> {
        self.take_in_part(key, read, |_, content| content.told())
    }

    /// Takes the value of a key; `keep` says what of it may stand in the log.
    pub(super) fn take_in_part<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Content) -> Result<T, String>,
        keep: impl FnOnce(&T, &Content) -> String,
    ) -> Option<T> {
        let given = self.given.remove(key);
        self.known.insert(key.to_owned(), given.as_ref().map(|given| given.origin.clone()));
        let Given { content, origin } = given?;
        match read(&content) {
            Ok(value) => {
                self.kept.insert(key.to_owned(), keep(&value, &content));
                Some(value)
            }
            Err(takes) => {
                self.problem(origin, format!("`{key}` is {}; it takes {takes}", shown(&content)));
                None
            }
        }
    }

    /// The environment that paths are looked up in.
    pub(super) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// True where a key was given a text of some kind.
    pub(super) fn is_text(&self, key: &str, is: impl FnOnce(&str) -> bool) -> bool {
        self.given.get(key).and_then(|given| given.content.text()).is_some_and(is)
    }

    /// Where a key was set that has been taken.
    pub(super) fn origin(&self, key: &str) -> Option<&Origin> {
        self.known.get(key).and_then(Option::as_ref)
    }

    /// Where a key that has been taken was set, of a table the first of its keys.
    pub(super) fn place(&self, key: &str) -> Origin {
        let below = format!("{key}.");
        let mut within = self.known.range(below.clone()..).take_while(|(known, _)| known.starts_with(&below));
        let origin = self.origin(key).or_else(|| within.find_map(|(_, origin)| origin.as_ref()));
        origin.cloned().unwrap_or_default()
    }

    pub(super) fn problem(&mut self, place: Origin, text: String) {
        self.problems.push(Problem { place, text: text.into() });
    }

    /// Text that is not blank.
    pub(super) fn text(&mut self, key: &str, takes: &str) -> Option<String> {
        self.take(key, |content| {
            content.text().filter(|text| !text.trim().is_empty()).map(str::to_owned).ok_or_else(|| takes.to_owned())
        })
    }

    /// One of some words.
    pub(super) fn choice<T: VariantArray + Copy + Into<&'static str>>(&mut self, key: &str) -> Option<T> {
        self.take(key, |content| {
            let chosen = content.text().and_then(|text| T::VARIANTS.iter().find(|choice| (**choice).into() == text));
            chosen.copied().ok_or_else(|| {
                let words: Vec<String> = T::VARIANTS.iter().map(|choice| format!("\"{}\"", (*choice).into())).collect();
                words.join(" or ")
            })
        })
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.take(key, |content| match content.typed() {
            Content::Flag(flag) => Ok(flag),
            _ => Err("true or false".into()),
        })
    }

    /// A whole number.
    pub(super) fn whole(&mut self, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        self.take(key, |content| {
            whole_of(content, &range).ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A program with its arguments; it is run without a shell. An argument may be a secret, so only their number is
    /// kept.
    pub(super) fn command(&mut self, key: &str, example: &str) -> Option<Vec<String>> {
        let read = |content: &Content| match content.typed() {
            Content::Texts(words) if words.first().is_some_and(|program| !program.is_empty()) => Ok(words),
            _ => Err(format!("a program and its arguments as a list, e.g. {example}")),
        };
        self.take_in_part(key, read, |words, _| match words.split_first() {
            Some((program, [])) => named(program).to_owned(),
            Some((program, [_])) => format!("{} with 1 argument", named(program)),
            Some((program, arguments)) => format!("{} with {} arguments", named(program), arguments.len()),
            None => String::new(),
        })
    }

    /// The keys below another that have been taken.
    pub(super) fn taken(&self, key: &str) -> impl Iterator<Item = &str> {
        let below = format!("{key}.");
        self.known.keys().filter(move |known| known.starts_with(&below)).map(String::as_str)
    }

    /// The keys that were given below another, which only somebody else can tell right from wrong.
    pub(super) fn below(&self, key: &str) -> Vec<String> {
        let below = format!("{key}.");
        self.given.keys().filter(|given| given.starts_with(&below)).cloned().collect()
    }

    /// A number of days, as in `90d`.
    pub(super) fn days(&mut self, key: &str) -> Option<u32> {
        self.take(key, |content| {
            let days = content.text().and_then(|text| text.strip_suffix('d')?.parse().ok());
            days.filter(|days| (1..=36_500).contains(days)).ok_or_else(|| "days, e.g. \"90d\"".to_owned())
        })
    }

    /// A rate: requests in some time.
    pub(super) fn rate(&mut self, key: &str) -> Option<NonZeroU32> {
        self.whole(key, 1..=1_000_000).and_then(NonZeroU32::new)
    }

    /// A directory. A relative one in the file is relative to the file; elsewhere, to the current directory.
    pub(super) fn directory(&mut self, key: &str) -> Option<PathBuf> {
        self.path(key, "the path of a directory")
    }

    /// A file, named as a directory is.
    pub(super) fn file(&mut self, key: &str) -> Option<PathBuf> {
        self.path(key, "the path of a file")
    }

    fn path(&mut self, key: &str, takes: &str) -> Option<PathBuf> {
        let environment = self.environment;
        let path = self.take(key, |content| {
            if content.text().is_some_and(|text| text.contains(char::is_control)) {
                return Err(format!("{takes}, and this one holds a control character: {IN_SINGLE_QUOTES}"));
            }
            let text = content.text().filter(|text| !text.is_empty());
            text.and_then(|text| environment.expand_home(text)).ok_or_else(|| takes.to_owned())
        })?;
        match self.origin(key) {
            Some(Origin::File { path: file, .. }) => {
                Some(file.parent().map_or_else(|| path.clone(), |directory| directory.join(&path)))
            }
            _ => Some(path),
        }
    }

    /// A reference to a secret. Whatever else is there is never repeated.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretReference> {
        let read = |content: &Content| match content.text() {
            Some(text) => Ok(text.to_owned()),
            None => Err("a reference to a secret in quotes, e.g. \"env:NOTION_TOKEN\"".into()),
        };
        let text = self.take_in_part(key, read, |_, _| String::new())?;
        let place = self.place(key);
        match SecretReference::parse(&text, key, place.clone()) {
            Ok(reference) => {
                self.kept.insert(key.to_owned(), reference.to_string());
                Some(reference)
            }
            Err(error) => {
                self.problem(place, format!("`{key}`: {error}; {}", error.hint()));
                None
            }
        }
    }

    /// The address of a service: https, or http to this machine, and one of the hosts that the token is meant for.
    pub(super) fn url(&mut self, key: &str, domain: &str) -> Option<Url> {
        self.take(key, |content| {
            let takes = format!("an https address on {domain}, or one on this machine, e.g. http://127.0.0.1:8080");
            content.text().and_then(|text| Url::parse(text).ok()).filter(|url| is_service(url, domain)).ok_or(takes)
        })
        .map(|mut url| {
            let path = url.path().trim_end_matches('/').to_owned();
            url.set_path(&path);
            url
        })
    }

    /// A Notion id, or the address of what has one.
    pub(super) fn notion_id(&mut self, key: &str) -> Option<PageId> {
        self.take(key, |content| {
            let takes = || {
                "the ID of a data source or database (32 hexadecimal digits), or its address copied from Notion"
                    .to_owned()
            };
            content.text().and_then(notion_id_in).ok_or_else(takes)
        })
    }

    /// Ends the reading: what nobody asked for is unknown. What of the values may be kept, by key; or all problems, as
    /// they were found.
    pub(super) fn finish(mut self) -> (BTreeMap<String, String>, Vec<Problem>) {
        for (key, Given { content, origin }) in std::mem::take(&mut self.given) {
            if let Some(text) = self.unknown(&key, &content) {
                self.problem(origin, text);
            }
        }
        (self.kept, self.problems)
    }

    fn unknown(&self, key: &str, content: &Content) -> Option<String> {
        let below = format!("{key}.");
        if let Some(known) = self.known.keys().find(|known| known.starts_with(&below)) {
            return (*content != Content::EmptyTable)
                .then(|| format!("`{key}` is {}; it takes keys, e.g. `{known}`", shown(content)));
        }
        if let Some(known) =
            self.known.keys().find(|known| key.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('.')))
            && !self
                .known
                .keys()
                .any(|other| other.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('.')))
        {
            return Some(format!("`{known}` takes a value and not keys such as `{}`", Shown::of(key)));
        }
        if key.split('.').any(may_be_secret) {
            return Some("an unknown key, which may be a secret and is not repeated here".to_owned());
        }
        let shown = Shown::of(key).clipped(SHOWN_COLUMNS);
        for kind in Kind::ALL {
            let field = key.strip_prefix(&format!("mapping.{}.fields.", kind.plural()));
            if let Some(field) = field.filter(|field| !field.contains('.')) {
                let allowed: Vec<&str> = Field::mappable(kind).iter().map(|field| field.word()).collect();
                let field = Shown::of(field).clipped(SHOWN_COLUMNS);
                return Some(format!("a {kind} has no field `{field}` to map; there are {}", allowed.join(", ")));
            }
        }
        let nearest = self.known.keys().max_by(|a, b| likeness(key, a).total_cmp(&likeness(key, b)))?;
        Some(format!("unknown key `{shown}`; the nearest known key is `{nearest}`"))
    }

    /// The keys that were asked for.
    #[cfg(test)]
    pub(super) fn known_keys(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }
}

/// How alike two keys are. Their last words count as much as the whole, so that a key in the wrong section is found.
fn likeness(a: &str, b: &str) -> f64 {
    fn last(key: &str) -> &str {
        key.rsplit_once('.').map_or(key, |(_, last)| last)
    }
    strsim::normalized_damerau_levenshtein(a, b) + strsim::normalized_damerau_levenshtein(last(a), last(b))
}

/// The whole number in a value, if it is in the range.
pub(super) fn whole_of(content: &Content, range: &RangeInclusive<u32>) -> Option<u32> {
    match content.typed() {
        Content::Whole(number) => u32::try_from(number).ok().filter(|number| range.contains(number)),
        _ => None,
    }
}

/// An offending value for a message: short, and not a secret.
fn shown(content: &Content) -> Shown {
    match content.typed() {
        Content::Text(text) if may_be_secret(&text) => "a text that may be a secret and is not repeated here".into(),
        Content::Text(text) => format!("\"{}\"", Shown::of(&text).clipped(SHOWN_COLUMNS)).into(),
        Content::Whole(number) => number.to_string().into(),
        Content::Flag(flag) => flag.to_string().into(),
        Content::Texts(_) => "a list".into(),
        Content::EmptyTable => "a table".into(),
        Content::Other(name) => name.into(),
        Content::Unquoted(_) => "a text".into(),
    }
}

fn may_be_secret(text: &str) -> bool {
    let has_credentials = text.contains("://") && text.contains('@');
    let is_reference = text.starts_with("command:");
    let is_opaque = text.len() >= SECRET_CHARACTERS_MIN && !text.contains("://") && !text.contains(char::is_whitespace);
    let is_mixed = text.len() >= MIXED_CHARACTERS_MIN
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_lowercase() && !byte.is_ascii_hexdigit());
    is_mixed || text.starts_with("ntn_") || text.starts_with("secret_") || has_credentials || is_reference || is_opaque
}

/// True for an address that a token may be sent to.
fn is_service(url: &Url, domain: &str) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_at_home = match url.host() {
        Some(Host::Domain(name)) => name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        _ => false,
    };
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    is_plain
        && match url.scheme() {
            "https" => is_at_home || is_loopback,
            "http" => is_loopback,
            _ => false,
        }
}

/// The id in `1f2c…`, `collection://1f2c…` or `https://www.notion.so/agency/Clients-1f2c…?v=…`.
fn notion_id_in(text: &str) -> Option<PageId> {
    // What follows names a view of it.
    let text = text.trim().split(['?', '#']).next()?;
    if let Ok(id) = text.parse() {
        return Some(id);
    }
    if let Some(id) = text.strip_prefix("collection://") {
        return id.parse().ok();
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let last = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    // The title before the id may itself end in hexadecimal digits, so the id is counted from the end.
    [36, 32].into_iter().find_map(|length| last.get(last.len().checked_sub(length)?..)?.parse().ok())
}
