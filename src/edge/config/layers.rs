//! What was given, by key, and where: the file, the environment and the flags laid over each other, before anybody asks
//! what it means.

use std::{collections::BTreeMap, fs::File, io, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Environment, Override, Problem, VARIABLE_PREFIX};
use crate::edge::{files, origin::Origin};

/// What to do about a path of Windows, whose backslashes mean something else to TOML.
pub(super) const IN_SINGLE_QUOTES: &str =
    r"in double quotes a backslash begins an escape: write a path in single quotes, e.g. 'C:\Users\me'";
/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// All values, by their whole key (`notion.clients.data_source`), and what was wrong with the layers themselves.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) given: BTreeMap<String, Given>,
    pub(super) problems: Vec<Problem>,
}

/// A value and where it was set.
pub(super) struct Given {
    pub(super) content: Content,
    pub(super) origin: Origin,
}

/// A value, as far as its own spelling tells what it is. Tables are not values: their keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    Whole(i64),
    Flag(bool),
    Texts(Vec<String>),
    EmptyTable,
    /// A type that no key takes: its name, for the message.
    Other(&'static str),
    /// From the environment or a flag, where nothing is quoted: what it is depends on who asks.
    Unquoted(String),
}

impl Content {
    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Other("a number out of range"), Self::Whole),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Array(rows) => rows
                .iter()
                .map(|row| row.get_ref().as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map_or(Self::Other("a list of other things than text"), Self::Texts),
            DeValue::Table(_) => Self::EmptyTable,
            DeValue::Float(_) => Self::Other("a fraction"),
            DeValue::Datetime(_) => Self::Other("a date"),
        }
    }

    /// The text, where text is wanted.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Unquoted(text) => Some(text),
            _ => None,
        }
    }

    /// The value by its type, where something else than text may be wanted.
    pub(super) fn typed(&self) -> Self {
        match self {
            Self::Unquoted(text) => {
                DeValue::parse(text).map_or_else(|_| Self::Text(text.clone()), |value| Self::of(value.get_ref()))
            }
            known => known.clone(),
        }
    }

    /// All of it, as text for people.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Text(text) | Self::Unquoted(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Texts(texts) => format!("{texts:?}"),
            Self::EmptyTable => "{}".to_owned(),
            Self::Other(name) => (*name).to_owned(),
        }
    }
}

impl Layers {
    /// Adds a file. One that is absent is as good as empty, unless somebody named it.
    pub(super) fn add_file(&mut self, path: &Path, must_exist: bool) {
        let text = match read_file(path) {
            Ok(text) => text,
            Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound && !must_exist => return,
            Err(unread) => return self.problem(Origin::Elsewhere(path.display().to_string()), unread.to_string()),
        };
        let origin = |offset: usize| Origin::File { path: path.to_owned(), line: line_of(&text, offset) };
        let (table, errors) = DeTable::parse_recoverable(&text);
        if errors.is_empty() {
            return self.add_table("", table.get_ref(), &origin);
        }
        // What the parser made of the rest is a guess, and would only add problems that are none.
        for error in errors {
            // Only the message: the error's own display repeats the line, which may hold a secret.
            let at = error.span().map_or(0, |span| span.start);
            let hint = if has_backslash(&text, at) { format!("; {IN_SINGLE_QUOTES}") } else { String::new() };
            self.problem(origin(at), format!("this is not TOML: {}{hint}", error.message()));
        }
    }

    /// Adds the variables whose names begin with the prefix. Empty ones count as unset, as shells treat them.
    pub(super) fn add_environment(&mut self, environment: &Environment) {
        for (name, value) in environment.iter() {
            let prefix = name.get(..VARIABLE_PREFIX.len());
            if prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(VARIABLE_PREFIX)) && !value.is_empty() {
                let key = name[VARIABLE_PREFIX.len()..].to_lowercase().replace("__", ".");
                self.add_unquoted(&key, value, Origin::Variable(name.to_owned()));
            }
        }
    }

    /// Adds what flags set.
    pub(super) fn add_overrides(&mut self, overrides: &[Override]) {
        for Override { key, value, place } in overrides {
            self.add_unquoted(key, value, Origin::Elsewhere(place.clone()));
        }
    }

    fn add_unquoted(&mut self, key: &str, value: &str, origin: Origin) {
        match DeValue::parse(value).as_ref().map(Spanned::get_ref) {
            // A whole table takes the place of all that lower layers said about it.
            Ok(DeValue::Table(table)) => {
                let below = format!("{key}.");
                self.given.retain(|known, _| !known.starts_with(&below));
                self.add_table(&below, table, &|_| origin.clone());
            }
            _ => {
                self.given.insert(key.to_owned(), Given { content: Content::Unquoted(value.to_owned()), origin });
            }
        }
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => self.add_table(&format!("{key}."), inner, origin),
                value => {
                    let given = Given { content: Content::of(value), origin: origin(name.span().start) };
                    self.given.insert(key, given);
                }
            }
        }
    }

    fn problem(&mut self, place: Origin, text: String) {
        self.problems.push(Problem { place, text: text.into() });
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

/// True where the line of a place has a backslash in double quotes.
fn has_backslash(text: &str, at: usize) -> bool {
    let line = text.lines().nth(line_of(text, at) - 1).unwrap_or_default();
    line.split_once('"').is_some_and(|(_, rest)| rest.contains('\\'))
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("failed to read the configuration: {0}; check the path and its permissions")]
    Io(#[from] io::Error),
    #[error("others may write this file, and it can name commands to run; take that away: chmod go-w")]
    Writable,
    #[error("this file belongs to another user, and it can name commands to run; use a copy of your own")]
    Foreign,
    #[error("this file is larger than {FILE_BYTES_MAX} bytes; is it a configuration?")]
    TooLarge,
    #[error("this file is not UTF-8 text; is it a configuration?")]
    NotText,
}

/// The text of a file that nobody else can have written.
pub(super) fn read_file(path: &Path) -> Result<String, Unread> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    // Only what is stored can be tampered with later: /dev/null and pipes are as trustworthy as who named them.
    if metadata.is_file() {
        if files::is_writable_by_others(&metadata) {
            return Err(Unread::Writable);
        }
        if !files::is_ours(&metadata) {
            return Err(Unread::Foreign);
        }
    }
    let mut bytes = Vec::new();
    files::read_up_to(&file, FILE_BYTES_MAX, &mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Unread::TooLarge);
    }
    String::from_utf8(bytes).map_err(|_| Unread::NotText)
}
