//! The keys of `[mapping]`: which Notion properties hold what.

use std::collections::BTreeMap;

use super::{layers::Content, reader::Reader, rules::refuse_with_local_ids};
use crate::domain::{
    entry,
    model::{Field, Kind, Limits, PerKind, Service, Value},
    rules::{Condition, Holds, IdStrategy, Mapped, Mapping, Unit},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Preset {
    N8n,
    None,
}

pub(super) fn mapping(reader: &mut Reader<'_>) -> (PerKind<Mapping>, IdStrategy) {
    let preset = reader.choice("mapping.preset", &[("n8n", Preset::N8n), ("none", Preset::None)]).unwrap_or(Preset::N8n);
    let id_strategy = reader
        .choice("mapping.id_strategy", &[("property", IdStrategy::Property), ("local", IdStrategy::Local)])
        .unwrap_or_default();
    let mut mapping = match preset {
        Preset::N8n => Mapping::n8n(),
        Preset::None => PerKind::default(),
    };
    for kind in Kind::ALL {
        map_kind(reader, kind, id_strategy, &mut mapping[kind]);
    }
    (mapping, id_strategy)
}

/// Lays what is configured for a kind over its preset.
fn map_kind(reader: &mut Reader<'_>, kind: Kind, id_strategy: IdStrategy, mapping: &mut Mapping) {
    let section = format!("mapping.{}", kind.plural());
    let id = format!("{section}.id");
    match property(reader, &id) {
        Some(name) => mapping.id = name,
        None if mapping.id.is_empty() && id_strategy == IdStrategy::Property => require(reader, &id, "Clockify ID"),
        None => {}
    }
    if let Some(parent) = kind.parent() {
        let key = format!("{section}.{parent}");
        match property(reader, &key) {
            Some(name) => mapping.parent = Some(name),
            None if mapping.parent.is_none() => require(reader, &key, parent.word()),
            None => {}
        }
    }
    mapping.closed = condition(reader, &format!("{section}.closed"), mapping.closed.take());
    mapping.only = condition(reader, &format!("{section}.only"), mapping.only.take());
    for &field in Field::mappable(kind) {
        if let Some(mapped) = mapped(reader, kind, field, &format!("{section}.fields.{field}")) {
            mapping.fields.insert(field, mapped);
        }
    }
    for field in [Field::SyncStatus, Field::SyncNote] {
        let key = format!("{section}.{field}");
        if let Some(name) = property(reader, &key) {
            refuse_with_local_ids(reader, &key, &name, id_strategy);
            if let Some(other) = other_use(kind, mapping, &name) {
                let place = reader.place(&key);
                reader.problem(
                    place,
                    format!("`{key}` is \"{name}\", which `{section}.{other}` names too; give it a property of its own"),
                );
            }
            mapping.told.insert(field, name);
        }
    }
}

/// What a property is mapped as already, so that nothing is written over it.
fn other_use(kind: Kind, mapping: &Mapping, name: &str) -> Option<String> {
    let condition = |condition: &Option<Condition>| condition.as_ref().is_some_and(|condition| condition.property == name);
    let fixed = [
        (mapping.id == name, "id"),
        (mapping.parent.as_deref() == Some(name), kind.parent().map_or("parent", Kind::word)),
        (condition(&mapping.closed), "closed"),
        (condition(&mapping.only), "only"),
    ];
    let fixed = fixed.into_iter().find_map(|(is_it, key)| is_it.then(|| key.to_owned()));
    let field = || mapping.fields.iter().find(|(_, mapped)| mapped.property == name).map(|(field, _)| format!("fields.{field}"));
    let told = || mapping.told.iter().find(|(_, told)| *told == name).map(|(field, _)| field.to_string());
    fixed.or_else(field).or_else(told)
}

/// The property of a field: its name alone, or a table of its name and how it is to be understood.
fn mapped(reader: &mut Reader<'_>, kind: Kind, field: Field, key: &str) -> Option<Mapped> {
    let name = property(reader, key);
    let property_key = format!("{key}.property");
    let property = property(reader, &property_key).or(name);
    let unit = if field == Field::Estimate {
        reader.choice(&format!("{key}.unit"), &[("hours", Unit::Hours), ("minutes", Unit::Minutes), ("days", Unit::Days)])
    } else {
        None
    };
    let mut values = BTreeMap::new();
    let values_key = format!("{key}.values");
    for word_key in reader.below(&values_key) {
        let value = reader.take(&word_key, |content| meant(kind, field, content));
        if let (Some(value), Some(word)) = (value, word_key.strip_prefix(&format!("{values_key}."))) {
            values.insert(word.to_owned(), value);
        }
    }
    if property.is_none() && (unit.is_some() || !values.is_empty()) && reader.origin(&property_key).is_none() {
        let place = reader.place(key);
        reader.problem(place, format!("`{key}` also needs `property`, the name of a Notion property"));
    }
    Some(Mapped { property: property?, unit: unit.unwrap_or_default(), values })
}

/// What a word in Notion stands for.
fn meant(kind: Kind, field: Field, content: &Content) -> Result<Value, String> {
    let text = match content.typed() {
        Content::Text(text) => text,
        Content::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
        Content::Whole(number) => number.to_string(),
        _ => return Err(format!("the {field} that the word stands for, in quotes")),
    };
    entry::read(kind, Service::Clockify, field, &text, &Limits::default())
        .map_err(|why| why.trim_start_matches("it takes ").to_owned())
}

fn property(reader: &mut Reader<'_>, key: &str) -> Option<String> {
    reader.text(key, "the name of a Notion property")
}

/// Says that a property must be named that no preset names; silent when it was named wrong, which has been said.
fn require(reader: &mut Reader<'_>, key: &str, example: &str) {
    if reader.origin(key).is_none() {
        let place = reader.place("mapping.preset");
        reader.problem(place, format!("without a preset `{key}` must be set, e.g. {key} = \"{example}\""));
    }
}

/// What a property must hold: a checkbox is ticked or not, a status or select has one of some options.
fn condition(reader: &mut Reader<'_>, key: &str, preset: Option<Condition>) -> Option<Condition> {
    let (property_key, checked_key, values_key) = (format!("{key}.property"), format!("{key}.checked"), format!("{key}.values"));
    let property = property(reader, &property_key);
    let checked = reader.take(&checked_key, |content| match content.typed() {
        Content::Flag(checked) => Ok(Holds::Checked(checked)),
        _ => Err("true or false, for a checkbox; a status or select takes `values` instead".into()),
    });
    let values = reader.take(&values_key, |content| match content.typed() {
        Content::Texts(texts) if !texts.is_empty() => Ok(Holds::OneOf(texts)),
        _ => Err("a list of options, e.g. [\"Done\", \"Obsolete\"]".into()),
    });
    if checked.is_some() && values.is_some() {
        let place = reader.place(&values_key);
        reader.problem(
            place,
            format!("`{key}` has both `checked` and `values`; a checkbox has the one, a status or select the other"),
        );
    }
    let (preset_property, preset_is) = preset.map(|Condition { property, is }| (property, is)).unzip();
    match (property.or(preset_property), checked.or(values).or(preset_is)) {
        (Some(property), Some(is)) => Some(Condition { property, is }),
        (None, None) => None,
        (property, _) => {
            let keys = [&property_key, &checked_key, &values_key];
            let (wanted, missing) = match property {
                Some(_) => ("`checked` or `values`", [&checked_key, &values_key]),
                None => ("`property`", [&property_key, &property_key]),
            };
            // What was given but is wrong has been said already.
            if missing.into_iter().all(|key| reader.origin(key).is_none()) {
                let place = keys.into_iter().find_map(|key| reader.origin(key)).map_or_else(String::new, ToString::to_string);
                reader.problem(place, format!("`{key}` also needs {wanted}"));
            }
            None
        }
    }
}
