//! What each side takes: whatever is known to be impossible is said when the plan is made, and not found out by trying.
//!
//! | field | Clockify takes |
//! |---|---|
//! | name | 1 to 100 characters of a client, 2 to 250 of a project, 1 to 1000 of a task; none of `<`, `>` and what cannot be seen |
//! | e-mail | one address |
//! | address | 3000 characters |
//! | note | 3000 characters of a client, 16,384 of a project |
//! | colour | `#rrggbb` |
//! | estimate | up to 100,000 hours, where the plan has estimates, and the project's is not made of something else |
//! | assignees | people with an account in the workspace |
//!
//! Clockify does not document how it counts characters. Where it matters the larger count is taken, by which an emoji
//! is two.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    model::{Estimating, Field, Kind, Limits, Nature, Takes, Value},
    rules::{invalid_name, length, note_length_max},
    text::{Raw, Shown},
};

/// Hours that can be planned; more is a typing error.
pub const HOURS_MAX: u32 = 100_000;
/// Characters of a client's postal address (Clockify's `OpenAPI` document).
const ADDRESS_MAX: usize = 3000;
/// Characters of an e-mail address or phone number in a page (Notion docs, request limits).
const SHORT_MAX: usize = 200;
/// Characters of a web address in a page (Notion docs, request limits).
const LINK_MAX: usize = 2000;
/// Characters of a text in a page: as many runs as one array holds, of 2000 each (Notion docs, request limits).
const TEXT_MAX: usize = 100 * 2000;
/// Columns of a value in a sentence.
const COLUMNS: usize = 60;

/// Why Clockify would not take a value for the field of an object, if that is known.
pub fn in_clockify(kind: Kind, field: Field, value: &Value, nature: Nature, limits: &Limits) -> Option<Shown> {
    match (field, value) {
        (Field::Name, Value::Text(name)) => invalid_name(kind, name),
        (field, _) if field.is_tracked() => Some("Clockify works it out of what is tracked".into()),
        (Field::Estimate, _) if nature.estimate == Estimating::ByTasks => Some(
            "its estimate in Clockify is the sum of its tasks' estimates, and a number would put an end to that"
                .to_owned()
                .into(),
        ),
        (Field::Estimate, _) if nature.estimate == Estimating::ByBudget => Some(
            "in Clockify it has a budget in money in place of hours, and hours would put an end to that"
                .to_owned()
                .into(),
        ),
        (_, Value::Empty) => None,
        (Field::Estimate, Value::Seconds(seconds)) if *seconds > u64::from(HOURS_MAX) * 3600 => {
            Some(format!("{} is too long a time to plan", value.to_raw().shown()).into())
        }
        (Field::Estimate, _) => {
            let plan = limits.without_estimates.as_ref()?;
            Some(
                format!(
                    "Clockify did not take an estimate lately; the plan of the workspace, {}, may have none",
                    plan.shown()
                )
                .into(),
            )
        }
        (Field::Email, Value::Text(address)) if !is_address(address.exact()) => {
            Some(format!("“{}” is no e-mail address", address.shown().clipped(COLUMNS)).into())
        }
        (Field::Address, Value::Text(text)) => too_long("the address", text, ADDRESS_MAX),
        (Field::Note, Value::Text(text)) => too_long("the note", text, note_length_max(kind)?),
        (Field::Color, Value::Text(color)) if !is_color(color.exact()) => {
            Some(format!("“{}” is no colour of the form #rrggbb", color.shown().clipped(COLUMNS)).into())
        }
        (Field::Assignees, Value::People(people)) => {
            let accounts = limits.accounts.as_ref()?;
            let strangers =
                people.iter().filter(|person| !accounts.contains(*person) && !person.exact().starts_with(NAMELESS));
            let strangers: Vec<String> = strangers.map(|person| person.shown().clipped(COLUMNS).to_string()).collect();
            let verb = if strangers.len() == 1 { "has" } else { "have" };
            let strangers = Some(strangers.join(", ")).filter(|strangers| !strangers.is_empty())?;
            Some(format!(
                "{strangers} {verb} no account in the Clockify workspace that this key sees: invite them, or change it in Notion"
            ).into())
        }
        _ => None,
    }
}

/// Marks a user's id in the place of an e-mail address that is not known.
pub const NAMELESS: &str = "user:";

/// Why a page would not take a value for a mapped field, if that is known.
pub fn in_notion(field: Field, value: &Value, takes: &Takes, words: &BTreeMap<String, Value>) -> Option<Shown> {
    let word = words.iter().find(|(_, meant)| *meant == value).map(|(word, _)| Raw::from(word.as_str()));
    let text = match (&word, value) {
        (Some(word), _) | (None, Value::Text(word)) => Some(word),
        _ => None,
    };
    let says = text.map(|text| text.shown().clipped(COLUMNS));
    match (takes, value) {
        (Takes::Nothing, _) => Some("what the page shows of it is worked out by Notion, or for people to set".into()),
        // An option that stands for a state is found by the mapping of states.
        (_, Value::Empty | Value::Closed(_)) => None,
        (Takes::Text, _) => too_long("the text", &value.to_raw(), TEXT_MAX),
        (Takes::Short, Value::Text(text)) => too_long("the text", text, SHORT_MAX),
        (Takes::Day, Value::Text(day)) if day.exact().parse::<Date>().is_ok() => None,
        (Takes::Link, Value::Text(text)) => too_long("the text", text, LINK_MAX),
        // Which option says yes is for whoever writes it to find.
        (Takes::Number, Value::Seconds(_)) | (Takes::Checkbox | Takes::Select | Takes::Status(_), Value::Flag(_))
            if word.is_none() =>
        {
            None
        }
        (Takes::Select, _) if says.as_ref().is_some_and(|says| !says.contains(',')) => None,
        (Takes::Select, _) => {
            says.map(|says| format!("“{says}” has a comma, and an option in Notion cannot have one").into())
        }
        (Takes::Status(options), _) => match text {
            Some(text) if options.contains(text) => None,
            _ => Some(
                format!("the status in Notion has no option “{}”: add one there", says.unwrap_or_else(|| shown(value)))
                    .into(),
            ),
        },
        (Takes::Short | Takes::Link | Takes::Number | Takes::Day | Takes::Checkbox, _) => {
            Some(format!("the property in Notion that holds the {field} cannot hold “{}”", shown(value)).into())
        }
    }
}

fn shown(value: &Value) -> Shown {
    value.to_raw().shown().clipped(COLUMNS)
}

fn too_long(what: &str, text: &Raw, most: usize) -> Option<Shown> {
    let length = length(text.exact());
    (length > most).then(|| format!("{what} has {length} characters, and at most {most} are taken").into())
}

/// True for what has the form of an e-mail address.
pub fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}

/// True for `#rrggbb`.
pub fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::duration_words;

    fn clockify(kind: Kind, field: Field, value: &Value) -> Option<Shown> {
        let accounts = Some(["ada@example.com".into()].into());
        let limits = Limits { accounts, without_estimates: None, ..Limits::default() };
        in_clockify(kind, field, value, Nature::default(), &limits)
    }

    fn text(unit: &str, count: usize) -> Value {
        Value::Text(unit.repeat(count).into())
    }

    fn people(addresses: &[&str]) -> Value {
        Value::People(addresses.iter().copied().map(Raw::from).collect())
    }

    #[test]
    fn clockify_takes_what_is_within_its_limits_and_nothing_beyond() {
        use Field::{Address, Assignees, Color, Email, Estimate, Name, Note};
        use Kind::{Client, Project, Task};
        let hours = |hours: u64| Value::Seconds(hours * 3600);
        for (kind, field, taken, refused) in [
            (Client, Name, text("x", 100), text("x", 101)),
            (Client, Name, text("😀", 50), text("😀", 51)),
            (Project, Name, text("x", 2), text("x", 1)),
            (Task, Name, text("x", 1000), text("x", 1001)),
            (Client, Address, text("x", 3000), text("x", 3001)),
            (Client, Address, text("😀", 1500), text("😀", 1501)),
            (Client, Note, text("x", 3000), text("x", 3001)),
            (Project, Note, text("x", 16_384), text("x", 16_385)),
            (Client, Email, Value::text("a@b.ch"), Value::text("nobody")),
            (Client, Email, Value::Empty, Value::text("a@b.ch, c@d.ch")),
            (Project, Color, Value::text("#03a9f4"), Value::text("blue")),
            (Task, Estimate, hours(100_000), hours(100_001)),
            (
                Task,
                Assignees,
                people(&["ada@example.com", "user:64a000000000000000000001"]),
                people(&["eve@example.com"]),
            ),
        ] {
            assert_eq!(clockify(kind, field, &taken), None, "{kind} {field}");
            assert!(
                clockify(kind, field, &refused).is_some(),
                "{kind} {field}: {}",
                refused.to_raw().shown().clipped(20)
            );
        }
    }

    #[test]
    fn who_has_an_account_is_known_only_where_it_was_asked_for() {
        let unknown =
            in_clockify(Kind::Task, Field::Assignees, &people(&["eve@x.ch"]), Nature::default(), &Limits::default());
        assert_eq!(unknown, None);
    }

    #[test]
    fn an_estimate_that_is_made_of_something_else_takes_no_hours_and_is_not_cleared() {
        for estimate in [Estimating::ByTasks, Estimating::ByBudget] {
            for value in [Value::Seconds(3600), Value::Empty] {
                let nature = Nature { estimate, ..Nature::default() };
                assert!(in_clockify(Kind::Project, Field::Estimate, &value, nature, &Limits::default()).is_some());
            }
        }
        let limits = Limits { without_estimates: Some("FREE".into()), ..Limits::default() };
        let refused = |value| in_clockify(Kind::Task, Field::Estimate, &value, Nature::default(), &limits);
        assert!(refused(Value::Seconds(3600)).expect("a reason").contains("FREE"));
        assert_eq!(refused(Value::Empty), None, "there is nothing to refuse");
        assert_eq!(duration_words(u64::from(HOURS_MAX) * 3600), "100000 h");
    }

    #[test]
    fn a_page_takes_what_its_property_can_hold() {
        let status = Takes::Status(["Yes".into(), "No".into()].into());
        let (none, paid) = (BTreeMap::new(), [("Paid".to_owned(), Value::Flag(true))].into());
        let refused = |value: &Value, takes: &Takes, words| in_notion(Field::Note, value, takes, words).is_some();
        for (value, takes, expected) in [
            (text("x", 200_000), Takes::Text, false),
            (text("x", 200_001), Takes::Text, true),
            (text("x", 200), Takes::Short, false),
            (text("x", 201), Takes::Short, true),
            (text("x", 2001), Takes::Link, true),
            (Value::text("Vienna"), Takes::Select, false),
            (Value::text("Vienna, Graz"), Takes::Select, true),
            (Value::text("Yes"), status.clone(), false),
            (Value::text("Perhaps"), status.clone(), true),
            (Value::Flag(true), status.clone(), false),
            (Value::Flag(true), Takes::Checkbox, false),
            (Value::text("x"), Takes::Checkbox, true),
            (Value::Seconds(60), Takes::Number, false),
            (Value::text("x"), Takes::Number, true),
            (Value::Empty, Takes::Nothing, true),
            (Value::Empty, Takes::Number, false),
        ] {
            assert_eq!(
                refused(&value, &takes, &none),
                expected,
                "{:?} in {takes:?}",
                value.to_raw().shown().clipped(20)
            );
        }
        assert!(refused(&Value::Flag(true), &status, &paid), "the word that stands for it is no option");
        assert!(!refused(&Value::Flag(true), &Takes::Select, &paid));
    }
}
