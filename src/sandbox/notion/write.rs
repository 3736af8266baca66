//! The properties of a request as values to keep: what is accepted, and in which words the rest is refused.

use serde_json::{Value, json};

use super::{Call, Refusal};
use crate::sandbox::ids::NotionId;
use crate::sandbox::world::schema::{DataSource, Property, PropertyKind};
use crate::sandbox::world::values::{run, unset};

/// Elements in any array of a request (Notion docs, request limits).
const ARRAY_MAX: usize = 100;
/// UTF-16 units in one run of rich text (Notion docs, request limits).
const RUN_MAX: usize = 2000;
/// Characters of an address or a telephone number (Notion docs, request limits).
const SHORT_TEXT_MAX: usize = 200;
/// Characters of a URL (Notion docs, request limits).
const URL_MAX: usize = 2000;

/// Values ready to be written, and the options that have to be created for them.
#[derive(Default)]
pub(super) struct Accepted {
    pub(super) values: Vec<(String, Value)>,
    /// Property ID, name of the new option, and whether it is one of several.
    new_options: Vec<(String, String)>,
}

impl Call<'_> {
    /// Checks all properties before any is written: a request is carried out whole or not at all.
    pub(super) fn accept(&self, source: &DataSource, properties: &Value) -> Result<Accepted, Refusal> {
        let mut accepted = Accepted::default();
        let Some(properties) = properties.as_object() else {
            return Err(Refusal::validation("body failed validation: body.properties should be an object."));
        };
        for (key, value) in properties {
            let property = source
                .property(key)
                .ok_or_else(|| Refusal::validation(format!("{key} is not a property that exists.")))?;
            if !property.kind.writable() {
                return Err(read_only(key, property.kind.name()));
            }
            let kept = self.accept_value(property, key, value, &mut accepted.new_options)?;
            accepted.values.push((property.id.clone(), kept));
        }
        Ok(accepted)
    }

    /// Creates the new options of selects, and returns the values with the IDs filled in.
    pub(super) fn create_options(&mut self, source: NotionId, accepted: Accepted) -> Vec<(String, Value)> {
        let mut values = accepted.values;
        for (property, name) in accepted.new_options {
            let id = self.world.choice(source, &property, &name);
            let placeholder = placeholder(&name);
            for (_, value) in values.iter_mut().filter(|(key, _)| *key == property) {
                match value {
                    Value::Array(items) => {
                        for item in items.iter_mut().filter(|item| **item == placeholder) {
                            *item = json!(id);
                        }
                    }
                    single if *single == placeholder => *single = json!(id),
                    _ => {}
                }
            }
        }
        values
    }

    fn accept_value(
        &self,
        property: &Property,
        key: &str,
        value: &Value,
        new_options: &mut Vec<(String, String)>,
    ) -> Result<Value, Refusal> {
        let kind = &property.kind;
        let wrong_type = || Refusal::validation(format!("{key} is expected to be {}.", kind.name()));
        let content = value.get(kind.name()).ok_or_else(wrong_type)?;
        let path = format!("body.properties.{key}.{}", kind.name());
        match kind {
            PropertyKind::Title | PropertyKind::RichText => rich_text(content, &path),
            PropertyKind::Checkbox if content.is_boolean() => Ok(content.clone()),
            PropertyKind::Number { .. } if content.is_number() || content.is_null() => Ok(content.clone()),
            PropertyKind::Url => short_text(content, &path, URL_MAX),
            PropertyKind::Email | PropertyKind::PhoneNumber => short_text(content, &path, SHORT_TEXT_MAX),
            PropertyKind::Date => date(content, &path),
            PropertyKind::Select(_) | PropertyKind::Status(_) if content.is_null() => Ok(unset(kind)),
            PropertyKind::Select(_) | PropertyKind::Status(_) => option(property, content, &path, new_options),
            PropertyKind::MultiSelect(_) => {
                let items = array(content, &path)?.iter();
                items.map(|item| option(property, item, &path, new_options)).collect()
            }
            PropertyKind::Relation(relation) => {
                let ids = ids(content, &path)?;
                ids.into_iter().map(|id| self.related(id, relation.data_source).map(|()| json!(id))).collect()
            }
            PropertyKind::People => {
                let ids = ids(content, &path)?;
                ids.into_iter().map(|id| self.known_user(id).map(|()| json!(id))).collect()
            }
            PropertyKind::Files => array(content, &path).map(|files| json!(files)),
            _ => Err(should_be(&path, kind.name(), content)),
        }
    }

    fn related(&self, id: NotionId, source: NotionId) -> Result<(), Refusal> {
        let page = self.seen_page(id)?;
        if page.parent == super::Parent::DataSource(source) {
            Ok(())
        } else {
            Err(Refusal::validation(format!("Page with ID {id} is not in the related data source {source}.")))
        }
    }

    fn known_user(&self, id: NotionId) -> Result<(), Refusal> {
        if self.world.notion.users.iter().any(|user| user.id == id) {
            Ok(())
        } else {
            Err(Refusal::not_found("user", id))
        }
    }
}

/// Recorded wording: "body failed validation. Fix one: …".
fn read_only(key: &str, kind: &str) -> Refusal {
    Refusal::validation(format!(
        "body failed validation. Fix one:\nbody.properties.{key}.title should be defined, instead was \
         `undefined`.\nbody.properties.{key}.{kind} should be not present: it is computed and cannot be written."
    ))
}

fn should_be(path: &str, what: &str, content: &Value) -> Refusal {
    Refusal::validation(format!("body failed validation: {path} should be a {what}, instead was `{content}`."))
}

fn array<'a>(content: &'a Value, path: &str) -> Result<&'a Vec<Value>, Refusal> {
    let items = content.as_array().ok_or_else(|| should_be(path, "array", content))?;
    if items.len() > ARRAY_MAX {
        return Err(Refusal::validation(format!(
            "body failed validation: {path}.length should be ≤ `{ARRAY_MAX}`, instead was `{}`.",
            items.len()
        )));
    }
    Ok(items)
}

fn ids(content: &Value, path: &str) -> Result<Vec<NotionId>, Refusal> {
    let id = |(index, item): (usize, &Value)| {
        let text = item["id"].as_str().unwrap_or_default();
        NotionId::parse(text).ok_or_else(|| {
            Refusal::validation(format!(
                "body failed validation: {path}[{index}].id should be a valid uuid, instead was `\"{text}\"`."
            ))
        })
    };
    array(content, path)?.iter().enumerate().map(id).collect()
}

/// Text runs and equations; mentions are not emulated and say so.
pub(super) fn rich_text(content: &Value, path: &str) -> Result<Value, Refusal> {
    let accept = |(index, item): (usize, &Value)| {
        let text = item["text"]["content"].as_str().or_else(|| item["equation"]["expression"].as_str());
        let Some(text) = text else {
            return Err(Refusal::validation(format!(
                "body failed validation: {path}[{index}].text should be defined, instead was `undefined`."
            )));
        };
        let units = text.encode_utf16().count();
        if units > RUN_MAX {
            return Err(Refusal::validation(format!(
                "body failed validation: {path}[{index}].text.content.length should be ≤ `{RUN_MAX}`, instead was \
                 `{units}`."
            )));
        }
        let mut marks = item.get("annotations").filter(|marks| marks.is_object()).cloned().unwrap_or(json!({}));
        marks["link"] = item["text"]["link"]["url"].clone();
        Ok(run(text, &marks))
    };
    array(content, path)?.iter().enumerate().filter(|(_, item)| item["text"]["content"] != "").map(accept).collect()
}

fn short_text(content: &Value, path: &str, max: usize) -> Result<Value, Refusal> {
    match content {
        Value::Null => Ok(Value::Null),
        Value::String(text) if text.encode_utf16().count() > max => Err(Refusal::validation(format!(
            "body failed validation: {path}.length should be ≤ `{max}`, instead was `{}`.",
            text.encode_utf16().count()
        ))),
        Value::String(text) => Ok(json!(text)),
        _ => Err(should_be(path, "string", content)),
    }
}

fn date(content: &Value, path: &str) -> Result<Value, Refusal> {
    if content.is_null() {
        return Ok(Value::Null);
    }
    let start = content["start"].as_str().ok_or_else(|| should_be(path, "date", content))?;
    let readable = start.parse::<jiff::Timestamp>().is_ok() || start.parse::<jiff::civil::DateTime>().is_ok();
    if !readable && start.parse::<jiff::civil::Date>().is_err() {
        return Err(should_be(&format!("{path}.start"), "valid ISO 8601 date string", &content["start"]));
    }
    Ok(json!({"start": start, "end": content.get("end"), "time_zone": content.get("time_zone")}))
}

/// Stands in for the ID of an option until it is created.
fn placeholder(name: &str) -> Value {
    json!(format!("new option {name}"))
}

/// An option by ID or name. A status must exist; a select is created, unless its name has a comma (Notion docs).
fn option(
    property: &Property,
    content: &Value,
    path: &str,
    new_options: &mut Vec<(String, String)>,
) -> Result<Value, Refusal> {
    let choices = property.kind.choices();
    let (id, name) = (content["id"].as_str(), content["name"].as_str());
    let known = choices.iter().find(|choice| {
        id.is_some_and(|id| id == choice.id) || (id.is_none() && name.is_some_and(|name| name == choice.name))
    });
    if let Some(choice) = known {
        return Ok(json!(choice.id));
    }
    match (&property.kind, name) {
        (_, None) => Err(should_be(path, "option with a name or an id", content)),
        (PropertyKind::Status(_), Some(name)) => {
            Err(Refusal::validation(format!("Invalid status option. Status option \"{name}\" does not exist\".")))
        }
        (_, Some(name)) if name.contains(',') => {
            Err(Refusal::validation(format!("Invalid select option, commas not allowed: {name}")))
        }
        (_, Some(name)) => {
            new_options.push((property.id.clone(), name.to_owned()));
            Ok(placeholder(name))
        }
    }
}
