//! How a row's values are kept, and their plain form for tests, scripts and snapshots.
//!
//! | kind | kept | plain |
//! |---|---|---|
//! | title, `rich_text` | the API's array of runs | a string; written also as `[{"text": "…", "bold": true}]` |
//! | select, status | the option's ID | the option's name |
//! | `multi_select` | array of option IDs | array of names |
//! | relation, people | array of IDs | the same |
//! | others | the API's value | the same |

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    World,
    schema::{Property, PropertyKind},
};

/// Rich text of one plain run.
pub(crate) fn rich_text(text: &str) -> Value {
    if text.is_empty() { json!([]) } else { json!([run(text, &Value::Null)]) }
}

/// One run as the API shows it; `marks` may hold annotations such as `{"bold": true}` and a `link`.
pub(crate) fn run(text: &str, marks: &Value) -> Value {
    let link = marks.get("link").and_then(Value::as_str);
    let mark = |name: &str| marks.get(name).and_then(Value::as_bool).unwrap_or(false);
    json!({
        "type": "text",
        "text": {"content": text, "link": link.map(|url| json!({"url": url}))},
        "annotations": {
            "bold": mark("bold"), "italic": mark("italic"), "strikethrough": mark("strikethrough"),
            "underline": mark("underline"), "code": mark("code"),
            "color": marks.get("color").and_then(Value::as_str).unwrap_or("default"),
        },
        "plain_text": text,
        "href": link,
    })
}

/// The text of all runs.
pub(crate) fn plain_text(rich_text: &Value) -> String {
    let runs = rich_text.as_array().into_iter().flatten();
    runs.filter_map(|run| run["plain_text"].as_str()).collect()
}

/// The IDs in a relation or a list of people.
pub(crate) fn id_texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// An instant as Notion shows a page's times: floored to the minute (Notion changelog).
pub(crate) fn minute(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:00.000Z").to_string()
}

/// What a row has before anyone sets anything.
pub(crate) fn unset(kind: &PropertyKind) -> Value {
    match kind {
        PropertyKind::Title
        | PropertyKind::RichText
        | PropertyKind::MultiSelect(_)
        | PropertyKind::Relation(_)
        | PropertyKind::People
        | PropertyKind::Files => json!([]),
        PropertyKind::Checkbox => json!(false),
        PropertyKind::Status(choices) => default_status(choices),
        _ => Value::Null,
    }
}

/// A status is never empty: clearing it gives the default option, the first of the to-do group.
fn default_status(choices: &[super::schema::Choice]) -> Value {
    let todo = choices.iter().find(|choice| choice.group == "To-do").or(choices.first());
    todo.map_or(Value::Null, |choice| json!(choice.id))
}

/// The kept value in its plain form.
pub(crate) fn plain(property: &Property, kept: &Value) -> Value {
    let name_of = |id: &Value| {
        let choices = property.kind.choices();
        let choice = choices.iter().find(|choice| Some(choice.id.as_str()) == id.as_str());
        choice.map_or(Value::Null, |choice| json!(choice.name))
    };
    match &property.kind {
        PropertyKind::Title | PropertyKind::RichText => json!(plain_text(kept)),
        PropertyKind::Select(_) | PropertyKind::Status(_) => name_of(kept),
        PropertyKind::MultiSelect(_) => kept.as_array().into_iter().flatten().map(name_of).collect(),
        _ => kept.clone(),
    }
}

impl World {
    /// The plain value in the form that it is kept in; new options of selects and statuses are added, as people can.
    pub(crate) fn keep(&mut self, source: crate::sandbox::NotionId, property: &str, plain: &Value) -> (String, Value) {
        let found = self.notion.data_sources.get(&source).and_then(|source| source.property(property));
        let found = found.expect("the data source has this property").clone();
        let kept = match &found.kind {
            PropertyKind::Title | PropertyKind::RichText => match plain {
                Value::Array(runs) => {
                    runs.iter().map(|marks| run(marks["text"].as_str().unwrap_or_default(), marks)).collect()
                }
                _ => rich_text(plain.as_str().unwrap_or_default()),
            },
            PropertyKind::Select(_) | PropertyKind::Status(_) => match plain.as_str() {
                Some(name) => json!(self.choice(source, property, name)),
                None => unset(&found.kind),
            },
            PropertyKind::MultiSelect(_) => {
                let names: Vec<String> = id_texts(plain).map(str::to_owned).collect();
                names.iter().map(|name| json!(self.choice(source, property, name))).collect()
            }
            _ if plain.is_null() => unset(&found.kind),
            _ => plain.clone(),
        };
        (found.id, kept)
    }

    /// The ID of the option with this name, which is added if there is none.
    pub(crate) fn choice(&mut self, source: crate::sandbox::NotionId, property: &str, name: &str) -> String {
        let fresh = self.new_choice(name, "default", "To-do");
        let source = self.notion.data_sources.get_mut(&source);
        let property = source.and_then(|source| source.property_mut(property));
        let Some(choices) = property.and_then(|property| property.kind.choices_mut()) else {
            return fresh.id;
        };
        if let Some(known) = choices.iter().find(|choice| choice.name == name) {
            return known.id.clone();
        }
        choices.push(fresh.clone());
        fresh.id
    }
}
