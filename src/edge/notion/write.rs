//! The body of a PATCH of a page, and whether its answer holds what was written.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{cell, property::Property, schema::Bound};
use crate::domain::{
    model::{Field, ObjectId, Page, Value},
    rules::{Holds, Unit},
    text::canonical,
};

/// The properties of a PATCH.
#[expect(clippy::option_option, reason = "leave alone, clear, set: as in `journal::Write`")]
pub(super) fn changes(
    bound: &Bound,
    claim: Option<Option<ObjectId>>,
    fields: &BTreeMap<Field, Value>,
) -> Result<Map<String, Json>, String> {
    let mut properties = Map::new();
    if let Some(claim) = claim {
        let property =
            bound.id.as_ref().ok_or("the Clockify ID is kept in the registry alone (id_strategy is local)")?;
        let value = claim.map_or(Value::Empty, |id| Value::text(id.as_str()));
        properties.insert(property.name.exact().to_owned(), written(property, &value)?);
    }
    for (&field, value) in fields {
        let (property, content) = match field {
            Field::Name => (&bound.title, written(&bound.title, value)?),
            Field::State => {
                let (property, is) = bound.closed.as_ref().ok_or("no property says that a page is closed")?;
                (property, written(property, &state(property, is, value)?)?)
            }
            Field::SyncStatus | Field::SyncNote => {
                let mapped = bound.sync_status.iter().find(|(of, _)| *of == field);
                let (_, property) = mapped.ok_or_else(|| format!("{field} is not mapped"))?;
                (property, written(property, value)?)
            }
            _ => {
                let mapped = bound.fields.iter().find(|(mapped, ..)| *mapped == field);
                let (_, property, mapped) = mapped.ok_or_else(|| format!("{field} cannot be written to the page"))?;
                let word = mapped.word(value).map(Value::text);
                (property, named(property, cell::write(property, word.as_ref().unwrap_or(value), mapped.unit))?)
            }
        };
        properties.insert(property.name.exact().to_owned(), content);
    }
    Ok(properties)
}

/// The JSON that sets the property, or why it cannot be set, with its name.
fn written(property: &Property, value: &Value) -> Result<Json, String> {
    named(property, cell::write(property, value, Unit::default()))
}

fn named(property: &Property, written: Result<Json, String>) -> Result<Json, String> {
    written.map_err(|why| format!("\"{}\" cannot be written: {why}", property.name.shown()))
}

/// Open or closed in the property's own words. An emptied status falls back to its default option (Notion docs, page
/// properties).
fn state(property: &Property, is: &Holds, value: &Value) -> Result<Value, String> {
    match (value, is) {
        (Value::Closed(closed), Holds::Checked(closes)) => Ok(Value::Closed(closed == closes)),
        (Value::Closed(false), Holds::OneOf(_) | Holds::InGroups { .. }) => Ok(Value::Empty),
        (Value::Closed(true), Holds::OneOf(closing) | Holds::InGroups { options: closing, .. }) => {
            let known = |option: &&String| property.options.iter().any(|known| known.exact() == option.as_str());
            let option = closing.iter().find(known).ok_or("none of the options that mean closed exists")?;
            Ok(Value::text(option))
        }
        _ => Err(format!("the state cannot be {}", value.to_raw().shown())),
    }
}

/// What was written and is not there.
#[expect(clippy::option_option, reason = "leave alone, clear, set: as in `journal::Write`")]
pub(super) fn unwritten(
    page: &Page,
    claim: Option<Option<ObjectId>>,
    fields: &BTreeMap<Field, Value>,
) -> Option<&'static str> {
    if claim.is_some_and(|claim| !page.claim.is(claim)) {
        return Some("Clockify ID");
    }
    let now = |field: Field| if field.is_sync_status() { page.sync_status.get(field) } else { page.values.get(field) };
    let same = |field: Field, wanted: &Value| match (field, wanted) {
        (Field::Name, Value::Text(name)) => page.title.canonical() == name.canonical(),
        (Field::Name, _) => page.title.is_blank(),
        (Field::State, wanted) => Some(wanted) == page.standing.closed().map(Value::Closed).as_ref(),
        (field, Value::Text(wanted)) => {
            matches!(now(field), Some(Value::Text(now)) if canonical(now.exact()) == canonical(wanted.exact()))
        }
        // An unticked checkbox is what an emptied one becomes.
        (field, Value::Empty) => {
            matches!(now(field), Some(Value::Empty | Value::Flag(false)))
        }
        (field, wanted) => now(field) == Some(wanted),
    };
    fields.iter().find(|(field, wanted)| !same(**field, wanted)).map(|(field, _)| field.word())
}
