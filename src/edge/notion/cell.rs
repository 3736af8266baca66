//! What a property of a row holds: from Notion's JSON to a [`Value`], and back.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::{Number, Value as Json, json};

use super::{node::Node, property::Property};
use crate::{
    domain::{
        model::{Field, Reading, Value},
        rules::{Mapped, Unit},
        text::{Raw, Shown},
    },
    edge::http::shown,
};

/// UTF-16 units that one rich-text run holds (Notion docs, request limits).
const RUN_UNITS_MAX: usize = 2000;
/// Runs in one property (Notion docs, request limits).
const RUNS_MAX: usize = 100;

/// Notion's colour words as the colours that its light theme shows.
const COLORS: [(&str, &str); 10] = [
    ("default", "#37352f"),
    ("gray", "#787774"),
    ("brown", "#9f6b53"),
    ("orange", "#d9730d"),
    ("yellow", "#cb912f"),
    ("green", "#448361"),
    ("blue", "#337ea9"),
    ("purple", "#9065b0"),
    ("pink", "#c14c8a"),
    ("red", "#d44c47"),
];
/// The types whose values are read, so that one without its value is not given and not of no use.
const KNOWN: [&str; 23] = [
    "title",
    "rich_text",
    "email",
    "url",
    "phone_number",
    "string",
    "created_time",
    "last_edited_time",
    "select",
    "status",
    "date",
    "multi_select",
    "number",
    "checkbox",
    "boolean",
    "people",
    "created_by",
    "last_edited_by",
    "unique_id",
    "formula",
    "rollup",
    "array",
    "unsupported",
];
const YES: [&str; 4] = ["yes", "true", "billable", "public"];
const NO: [&str; 6] = ["no", "false", "non-billable", "not billable", "private", "nonbillable"];

/// The text of rich text in an answer of another kind than a row.
pub(super) fn text_of(runs: &Json) -> String {
    plain_text(Node::from(runs).as_list().unwrap_or_default())
}

/// What a property holds, whatever its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Nothing,
    Text(String),
    Flag(bool),
    Number(f64),
    People {
        /// In lower case.
        emails: BTreeSet<String>,
        /// People whose address is not shown.
        unknown: usize,
    },
    /// A type that holds nothing we can use.
    Unreadable(String),
    /// Notion cannot or will not say what it holds.
    Unknown(String),
}

/// Why Notion gives no value, where it says no more than that.
const NOT_GIVEN: &str = "Notion does not give its value";

impl Cell {
    /// Reads a property value, an element of a rollup, or the value of a formula: all say their type and have a member
    /// of that name.
    pub(super) fn read(property: &Node<'_>) -> Self {
        let not_given = || Self::Unknown(NOT_GIVEN.to_owned());
        let Some((kind, value)) = property["type"].as_str().and_then(|kind| Some((kind, property.get(kind)?))) else {
            let kind = property["type"].as_str().filter(|kind| !KNOWN.contains(kind));
            return kind.map_or_else(not_given, unusable);
        };
        // An empty property is null, or a list of nothing; what has another form than its type is no value.
        let texts = |value: Option<&Node<'_>>| match value {
            None | Some(Node::Null) => Self::Nothing,
            Some(Node::Text(said)) => text(said),
            Some(_) => not_given(),
        };
        let within = |member: &str| match value {
            Node::Null => Self::Nothing,
            value => value.get(member).and_then(Node::as_str).map_or_else(not_given, text),
        };
        let each = |read: &dyn Fn(&Node<'_>) -> Self| match value.as_list() {
            Some(items) => merge(items.iter().map(read).collect()),
            None => not_given(),
        };
        match kind {
            "title" | "rich_text" => value.as_list().map_or_else(not_given, |runs| text(&plain_text(runs))),
            "email" | "url" | "phone_number" | "string" | "created_time" | "last_edited_time" => texts(Some(value)),
            "select" | "status" => within("name"),
            "date" => within("start"),
            "multi_select" => each(&|option| texts(option.get("name"))),
            "number" => match value {
                Node::Null => Self::Nothing,
                value => value.as_number().and_then(Number::as_f64).map_or_else(not_given, Self::Number),
            },
            "checkbox" | "boolean" => value.as_bool().map_or_else(not_given, Self::Flag),
            "people" => value.as_list().map_or_else(not_given, |users| people(users)),
            "created_by" | "last_edited_by" => people(std::slice::from_ref(value)),
            "unique_id" => unique_id(value),
            "formula" | "rollup" => Self::read(value),
            "array" => each(&Self::read),
            // Since August 2026 Notion says so of what it does not compute for the API (Notion changelog); a rollup can
            // be too large.
            "unsupported" | "incomplete" => Self::Unknown(format!("Notion says that its value is {kind}")),
            other => unusable(other),
        }
    }

    /// What is read of a field, or why what it says cannot be used.
    pub(super) fn reading(self, field: Field, mapped: &Mapped) -> Result<Reading, String> {
        match self {
            Self::Unknown(because) => Ok(Reading::Unknown(because.into())),
            Self::People { unknown: 1.., .. } => Ok(Reading::Unknown(
                "the e-mail address of one of its people is not shown; the connection needs the capability to read user information \
                 with e-mail addresses, and bots and guests may have none"
                    .into(),
            )),
            cell => cell.value(field, mapped).map(Reading::Known),
        }
    }

    fn value(self, field: Field, mapped: &Mapped) -> Result<Value, String> {
        if let Self::Unreadable(why) | Self::Unknown(why) = self {
            return Err(why);
        }
        if let Self::Text(word) = &self
            && let Some(meant) = mapped.values.get(word.trim())
        {
            return Ok(meant.clone());
        }
        match field {
            Field::Billable | Field::Public => self.flag(),
            Field::Estimate | Field::Hours => self.time(mapped.unit),
            Field::LastTracked => self.day(),
            Field::Assignees => self.people(mapped),
            Field::Color => self.color(),
            Field::Name
            | Field::Parent
            | Field::State
            | Field::Claim
            | Field::Email
            | Field::Address
            | Field::Note
            | Field::SyncStatus
            | Field::SyncNote
            | Field::BudgetState
            | Field::Report => self.text(),
        }
    }

    fn text(self) -> Result<Value, String> {
        match self {
            Self::Nothing => Ok(Value::Empty),
            Self::Text(text) => Ok(Value::text(&text)),
            Self::Number(number) => Ok(Value::text(&number.to_string())),
            Self::Flag(flag) => Ok(Value::text(if flag { "yes" } else { "no" })),
            Self::People { emails, .. } => Ok(Value::text(&emails.into_iter().collect::<Vec<_>>().join(", "))),
            Self::Unreadable(why) | Self::Unknown(why) => Err(why),
        }
    }

    fn flag(self) -> Result<Value, String> {
        match self {
            Self::Nothing => Ok(Value::Empty),
            Self::Flag(flag) => Ok(Value::Flag(flag)),
            Self::Text(text) => {
                flag_word(&text).map(Value::Flag).ok_or_else(|| format!("{} is neither yes nor no", quoted(&text)))
            }
            _ => Err("it is neither yes nor no".to_owned()),
        }
    }

    /// The day of a date, whatever its time.
    fn day(self) -> Result<Value, String> {
        match self {
            Self::Text(text) => Ok(Value::text(text.get(..10).unwrap_or(&text))),
            other => other.text(),
        }
    }

    /// None and nothing planned are the same.
    fn time(self, unit: Unit) -> Result<Value, String> {
        match self {
            Self::Nothing => Ok(Value::Empty),
            Self::Number(number) if (0.0..=1e7).contains(&number) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
                let seconds = (number * f64::from(unit.seconds())).round() as u64;
                Ok(if seconds == 0 { Value::Empty } else { Value::Seconds(seconds) })
            }
            Self::Number(number) => Err(format!("{number} is no number of {}", unit.plural())),
            Self::Text(text) => Err(format!("{} is not a number of {}", quoted(&text), unit.plural())),
            _ => Err(format!("it is not a number of {}", unit.plural())),
        }
    }

    /// People by their addresses, or by what the mapping has in place of those: an address in Clockify that is another
    /// one, or a word.
    fn people(self, mapped: &Mapped) -> Result<Value, String> {
        let meant = |word: &str| match mapped.values.get(word) {
            Some(Value::People(people)) => Some(people.clone()),
            _ => None,
        };
        match self {
            Self::Nothing => Ok(Value::Empty),
            Self::Text(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                let people = words.map(|word| meant(word).ok_or_else(|| format!("{} stands for nobody", quoted(word))));
                let people: Vec<BTreeSet<Raw>> = people.collect::<Result<_, _>>()?;
                Ok(Value::People(people.into_iter().flatten().collect()))
            }
            Self::People { emails, .. } if emails.is_empty() => Ok(Value::Empty),
            Self::People { emails, .. } => {
                let people = emails.into_iter().map(|email| meant(&email).unwrap_or_else(|| [Raw::from(email)].into()));
                Ok(Value::People(people.flatten().collect()))
            }
            _ => Err("it does not hold people".to_owned()),
        }
    }

    fn color(self) -> Result<Value, String> {
        let Self::Text(text) = self else {
            return if self == Self::Nothing { Ok(Value::Empty) } else { Err("it is not a colour".to_owned()) };
        };
        let word = text.trim().to_lowercase();
        if let Some((_, hex)) = COLORS.iter().find(|(name, _)| *name == word) {
            return Ok(Value::text(hex));
        }
        match word.strip_prefix('#') {
            Some(digits) if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Value::text(&word))
            }
            _ => Err(format!("{} is no colour: write #rrggbb or one of Notion's colour words", quoted(&text))),
        }
    }
}

fn unusable(kind: &str) -> Cell {
    Cell::Unreadable(format!("a property of the type {} holds nothing that can be used here", shown(kind)))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", Shown::of(text.trim()).clipped(60))
}

fn text(text: &str) -> Cell {
    if text.trim().is_empty() { Cell::Nothing } else { Cell::Text(text.to_owned()) }
}

/// The text of all runs; people see them as one.
pub(super) fn plain_text(runs: &[Node<'_>]) -> String {
    runs.iter().filter_map(|run| run["plain_text"].as_str().or_else(|| run["text"]["content"].as_str())).collect()
}

fn unique_id(value: &Node<'_>) -> Cell {
    match (
        value["prefix"].as_str().filter(|prefix| !prefix.is_empty()),
        value["number"].as_number().and_then(Number::as_i64),
    ) {
        (_, None) => Cell::Nothing,
        (None, Some(number)) => Cell::Text(number.to_string()),
        (Some(prefix), Some(number)) => Cell::Text(format!("{prefix}-{number}")),
    }
}

fn people(users: &[Node<'_>]) -> Cell {
    let mut emails = BTreeSet::new();
    let mut unknown = 0;
    for user in users.iter().filter(|user| !user.is_null()) {
        match user["person"]["email"].as_str().map(str::trim) {
            None | Some("") => unknown += 1,
            Some(email) => {
                emails.insert(email.to_lowercase());
            }
        }
    }
    Cell::People { emails, unknown }
}

/// What several values come to: all flags, the sum of numbers, everybody, or the texts in a row.
fn merge(cells: Vec<Cell>) -> Cell {
    if let Some(unknown) = cells.iter().find(|cell| matches!(cell, Cell::Unknown(_))) {
        return unknown.clone();
    }
    let mut cells = cells.into_iter().filter(|cell| *cell != Cell::Nothing);
    let Some(first) = cells.next() else {
        return Cell::Nothing;
    };
    cells.fold(first, |sum, cell| match (sum, cell) {
        (Cell::Flag(a), Cell::Flag(b)) => Cell::Flag(a && b),
        (Cell::Number(a), Cell::Number(b)) => Cell::Number(a + b),
        (Cell::People { mut emails, unknown }, Cell::People { emails: more, unknown: further }) => {
            emails.extend(more);
            Cell::People { emails, unknown: unknown + further }
        }
        (Cell::Text(a), Cell::Text(b)) => Cell::Text(format!("{a}, {b}")),
        _ => Cell::Unreadable("its values are of different types".to_owned()),
    })
}

fn flag_word(text: &str) -> Option<bool> {
    let word = text.trim().to_lowercase();
    if YES.contains(&word.as_str()) { Some(true) } else { NO.contains(&word.as_str()).then_some(false) }
}

/// The JSON that sets a property to a value, or why it cannot be set.
pub(super) fn write(property: &Property, value: &Value, unit: Unit) -> Result<Json, String> {
    let kind = property.kind.as_str();
    let content = match (kind, value) {
        ("title" | "rich_text", Value::Empty) => json!([]),
        ("title" | "rich_text", _) => Json::Array(runs(value.to_raw().exact())?),
        ("checkbox", Value::Flag(flag) | Value::Closed(flag)) => json!(flag),
        ("checkbox", Value::Empty) => json!(false),
        ("email" | "url" | "phone_number" | "select" | "status" | "number" | "date", Value::Empty) => Json::Null,
        ("date", Value::Text(day)) if day.exact().parse::<Date>().is_ok() => json!({"start": day.exact()}),
        ("email" | "url" | "phone_number", Value::Text(text)) => json!(text.exact()),
        ("number", Value::Seconds(seconds)) => json!(*seconds as f64 / f64::from(unit.seconds())),
        ("select" | "status", Value::Flag(flag)) => json!({"name": flag_option(property, *flag)}),
        ("select" | "status", Value::Text(text)) => json!({"name": text.exact()}),
        _ => {
            let value = value.to_raw().shown().clipped(60);
            return Err(format!("a property of the type {} cannot be set to {value}", shown(kind)));
        }
    };
    Ok(json!({ kind: content }))
}

/// The option that says yes or no in this property's own words.
fn flag_option(property: &Property, flag: bool) -> &str {
    let own = property.options.iter().map(Raw::exact).find(|option| flag_word(option) == Some(flag));
    own.unwrap_or(if flag { "Yes" } else { "No" })
}

/// Text in as many runs as it takes.
fn runs(text: &str) -> Result<Vec<Json>, String> {
    let mut runs = vec![String::new()];
    let mut units = 0;
    for c in text.chars() {
        units += c.len_utf16();
        if units > RUN_UNITS_MAX {
            runs.push(String::new());
            units = c.len_utf16();
        }
        if let Some(run) = runs.last_mut() {
            run.push(c);
        }
    }
    if runs.len() > RUNS_MAX {
        return Err("the text is too long for Notion".to_owned());
    }
    Ok(runs.into_iter().map(|run| json!({"text": {"content": run}})).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(field: Field, property: &Json) -> Result<Value, String> {
        match Cell::read(&Node::from(property)).reading(field, &Mapped::as_is("p"))? {
            Reading::Known(value) => Ok(value),
            Reading::Unknown(because) => panic!("unknown: {because}"),
        }
    }

    #[test]
    fn every_usable_type_is_read() {
        let text = |text: &str| Ok(Value::text(text));
        let run = |text: &str| json!({"type": "text", "text": {"content": text}, "plain_text": text});
        for (field, property, expected) in [
            (Field::Note, json!({"type": "rich_text", "rich_text": [run("a"), run(" b")]}), text("a b")),
            (Field::Note, json!({"type": "rich_text", "rich_text": []}), Ok(Value::Empty)),
            (Field::Email, json!({"type": "email", "email": null}), Ok(Value::Empty)),
            (Field::Email, json!({"type": "email", "email": "a@b.c"}), text("a@b.c")),
            (Field::Address, json!({"type": "phone_number", "phone_number": "1"}), text("1")),
            (
                Field::Note,
                json!({"type": "select", "select": {"id": "x", "name": "High", "color": "red"}}),
                text("High"),
            ),
            (Field::Note, json!({"type": "formula", "formula": {"type": "string", "string": "f"}}), text("f")),
            (Field::Note, json!({"type": "formula", "formula": {"type": "string", "string": null}}), Ok(Value::Empty)),
            (Field::Note, json!({"type": "rollup", "rollup": {"type": "array", "array": []}}), Ok(Value::Empty)),
            (Field::Note, json!({"type": "unique_id", "unique_id": {"prefix": "TASK", "number": 42}}), text("TASK-42")),
            (Field::Note, json!({"type": "unique_id", "unique_id": {"prefix": null, "number": 42}}), text("42")),
            (
                Field::Note,
                json!({"type": "date", "date": {"start": "2026-09-15", "end": null, "time_zone": null}}),
                text("2026-09-15"),
            ),
            (
                Field::Note,
                json!({"type": "rollup", "rollup": {"type": "array", "array": [{"type": "title", "title": [run("x")]}], "function": "show_original"}}),
                text("x"),
            ),
            (Field::Billable, json!({"type": "checkbox", "checkbox": true}), Ok(Value::Flag(true))),
            (Field::Billable, json!({"type": "status", "status": {"name": "Not billable"}}), Ok(Value::Flag(false))),
            (
                Field::Public,
                json!({"type": "formula", "formula": {"type": "boolean", "boolean": false}}),
                Ok(Value::Flag(false)),
            ),
            (Field::Estimate, json!({"type": "number", "number": 1.5}), Ok(Value::Seconds(5400))),
            (Field::Estimate, json!({"type": "number", "number": 0}), Ok(Value::Empty)),
            (
                Field::Estimate,
                json!({"type": "rollup", "rollup": {"type": "number", "number": 2, "function": "sum"}}),
                Ok(Value::Seconds(7200)),
            ),
            (Field::Color, json!({"type": "select", "select": {"name": "Blue"}}), text("#337ea9")),
            (Field::Color, json!({"type": "rich_text", "rich_text": [run("#03A9F4")]}), text("#03a9f4")),
            (
                Field::Assignees,
                json!({"type": "people", "people": [{"object": "user", "id": "u", "type": "person", "person": {"email": "Ada@Example.com"}}]}),
                Ok(Value::People([Raw::from("ada@example.com")].into())),
            ),
        ] {
            assert_eq!(value(field, &property), expected, "{property}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (field, property, part) in [
            (Field::Billable, json!({"type": "select", "select": {"name": "Maybe"}}), "\"Maybe\" is neither"),
            (Field::Estimate, json!({"type": "number", "number": -1}), "no number of hours"),
            (Field::Color, json!({"type": "rich_text", "rich_text": [{"plain_text": "mauve"}]}), "#rrggbb"),
            (Field::Note, json!({"type": "files", "files": []}), "type files"),
            (Field::Note, json!({"type": "hologram"}), "type hologram"),
        ] {
            let why = value(field, &property).expect_err(part);
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn what_notion_does_not_say_is_unknown_and_not_empty() {
        let unsupported = json!({"type": "unsupported", "unsupported": {}});
        let array = |items: Json| json!({"type": "rollup", "rollup": {"type": "array", "array": items}});
        let person =
            |email: Option<&str>| json!({"object": "user", "person": email.map(|email| json!({"email": email}))});
        for property in [
            json!({"type": "formula", "formula": unsupported}),
            json!({"type": "rollup", "rollup": unsupported}),
            array(json!([{"type": "number", "number": 1}, {"type": "formula", "formula": unsupported}])),
            array(json!([array(json!([unsupported]))])),
            json!({"type": "rollup", "rollup": {"type": "incomplete", "incomplete": {}}}),
            json!({"type": "formula", "formula": null}),
            json!({"type": "rollup", "rollup": {}}),
            json!({"type": "formula", "formula": {"type": "boolean", "boolean": null}}),
            json!({"type": "checkbox", "checkbox": null}),
            json!({"type": "number", "number": "three"}),
            json!({"type": "number"}),
            json!({"type": "select", "select": {"id": "x"}}),
            json!({"type": "select"}),
            json!({"type": "multi_select", "multi_select": null}),
            json!({"type": "rich_text", "rich_text": null}),
            json!({"type": "people", "people": null}),
            json!({"type": "people", "people": [person(Some("ada@example.com")), person(None)]}),
            array(
                json!([{"type": "people", "people": [person(Some("ada@example.com"))]}, {"type": "people", "people": [person(None)]}]),
            ),
            json!(null),
        ] {
            for field in [Field::Note, Field::Billable, Field::Estimate, Field::Assignees, Field::Color] {
                let reading = Cell::read(&Node::from(&property)).reading(field, &Mapped::as_is("p"));
                assert!(matches!(reading, Ok(Reading::Unknown(_))), "{field} of {property}: {reading:?}");
            }
        }
        let hidden = Cell::read(&Node::from(&json!({"type": "people", "people": [person(None)]})))
            .reading(Field::Assignees, &Mapped::as_is("p"));
        assert!(matches!(hidden, Ok(Reading::Unknown(because)) if because.contains("capability")));
    }

    #[test]
    fn long_text_is_split_between_characters() {
        let text = format!("{}😀{}", "a".repeat(1999), "b".repeat(10));
        let runs = runs(&text).expect("fits");
        let contents: Vec<&str> = runs.iter().filter_map(|run| run["text"]["content"].as_str()).collect();
        assert_eq!(contents.len(), 2);
        assert_eq!(contents.concat(), text);
        assert!(contents.iter().all(|run| run.encode_utf16().count() <= RUN_UNITS_MAX));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (kind, field, value) in [
            ("rich_text", Field::Note, Value::text("note")),
            ("rich_text", Field::Note, Value::Empty),
            ("number", Field::Estimate, Value::Seconds(4711)),
            ("checkbox", Field::Billable, Value::Flag(true)),
            ("select", Field::Billable, Value::Flag(false)),
            ("email", Field::Email, Value::text("a@b.c")),
            ("url", Field::Note, Value::Empty),
        ] {
            let property = Property { kind: kind.into(), options: vec!["no".into()], ..Property::default() };
            let mut written = write(&property, &value, Unit::Hours).expect("writable");
            written["type"] = json!(kind);
            assert_eq!(self::value(field, &written), Ok(value), "{written}");
        }
        let people = Property { kind: "people".into(), ..Property::default() };
        assert!(write(&people, &Value::text("x"), Unit::Hours).is_err());
    }
}
