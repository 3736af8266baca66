//! The keys of `[mapping]`: which Notion properties hold what.

use std::collections::BTreeMap;

use strum::{IntoStaticStr, VariantArray};

use super::{layers::Content, reader::Reader};
use crate::domain::{
    entry,
    model::{Field, Kind, Limits, PerKind, Service, Value},
    possible::is_address,
    rules::{Condition, Holds, IdStrategy, Mapped, Mapping, Strangers},
};

#[derive(Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
enum Preset {
    N8n,
    None,
}

pub(super) fn mapping(reader: &mut Reader<'_>) -> (PerKind<Mapping>, IdStrategy) {
    let preset = reader.choice("mapping.preset").unwrap_or(Preset::N8n);
    let id_strategy = reader.choice("mapping.id_strategy").unwrap_or_default();
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
    if kind == Kind::Task {
        mapping.parent_from = property(reader, &format!("{section}.project_from"));
    }
    mapping.closed = condition(reader, &format!("{section}.closed"), mapping.closed.take());
    mapping.only = condition(reader, &format!("{section}.only"), mapping.only.take());
    if kind == Kind::Task {
        mapping.strangers = strangers(reader, &format!("{section}.fields.{}.unknown", Field::Assignees));
    }
    for &field in Field::mappable(kind) {
        match mapped(reader, kind, field, &format!("{section}.fields.{field}")) {
            Some(Meant::Mapped(mapped)) => drop(mapping.fields.insert(field, mapped)),
            Some(Meant::Fixed(value)) => drop(mapping.fixed.insert(field, value)),
            None => {}
        }
    }
    for field in [Field::SyncStatus, Field::SyncNote] {
        if let Some(name) = property_of_its_own(reader, kind, id_strategy, mapping, field) {
            mapping.sync_status.insert(field, name);
        }
    }
    let planned = format!("{section}.planned");
    if let Some(Meant::Mapped(mapped)) = mapped(reader, kind, Field::Estimate, &planned) {
        mapping.planned = Some(mapped);
    }
    mapping.due = property(reader, &format!("{section}.due"));
    for &field in Field::tracked(kind) {
        if let Some(name) = property_of_its_own(reader, kind, id_strategy, mapping, field) {
            mapping.fields.insert(field, Mapped::as_is(&name));
        }
    }
}

/// A property that only punchlist writes.
fn property_of_its_own(
    reader: &mut Reader<'_>,
    kind: Kind,
    id_strategy: IdStrategy,
    mapping: &Mapping,
    field: Field,
) -> Option<String> {
    let section = format!("mapping.{}", kind.plural());
    let key = format!("{section}.{field}");
    let name = property(reader, &key)?;
    refuse_with_local_ids(reader, &key, &name, id_strategy);
    if let Some(other) = other_use(kind, mapping, &name) {
        let place = reader.place(&key);
        reader.problem(
            place,
            format!("`{key}` is \"{name}\", which `{section}.{other}` names too; give it a property of its own"),
        );
    }
    Some(name)
}

/// What a property is mapped as already, so that nothing is written over it.
fn other_use(kind: Kind, mapping: &Mapping, name: &str) -> Option<String> {
    let condition =
        |condition: &Option<Condition>| condition.as_ref().is_some_and(|condition| condition.property == name);
    let fixed = [
        (mapping.id == name, "id"),
        (mapping.parent.as_deref() == Some(name), kind.parent().map_or("parent", Kind::word)),
        (mapping.parent_from.as_deref() == Some(name), "project_from"),
        (condition(&mapping.closed), "closed"),
        (condition(&mapping.only), "only"),
        (mapping.planned.as_ref().is_some_and(|planned| planned.property == name), "planned"),
        (mapping.due.as_deref() == Some(name), "due"),
    ];
    let fixed = fixed.into_iter().find_map(|(is_it, key)| is_it.then(|| key.to_owned()));
    let field = || {
        let (field, _) = mapping.fields.iter().find(|(_, mapped)| mapped.property == name)?;
        Some(if field.is_tracked() { field.to_string() } else { format!("fields.{field}") })
    };
    let status =
        || mapping.sync_status.iter().find(|(_, property)| *property == name).map(|(field, _)| field.to_string());
    fixed.or_else(field).or_else(status)
}

/// Where what a field is to hold comes from.
enum Meant {
    /// A property of each page.
    Mapped(Mapped),
    /// The configuration itself, for every page.
    Fixed(Value),
}

/// The property of a field: its name alone, or a table of its name and how it is to be understood. A flag can be fixed
/// in place of that.
fn mapped(reader: &mut Reader<'_>, kind: Kind, field: Field, key: &str) -> Option<Meant> {
    let is_flag = matches!(field, Field::Billable | Field::Public);
    let said = reader.take(key, |content| match (content.typed(), content.text()) {
        (Content::Flag(flag), _) if is_flag => Ok(Meant::Fixed(Value::Flag(flag))),
        (_, Some(text)) if !text.trim().is_empty() => Ok(Meant::Mapped(Mapped::as_is(text))),
        _ if is_flag => Err("the name of a Notion property, or true or false for every page".to_owned()),
        _ => Err("the name of a Notion property".to_owned()),
    });
    let (name, fixed) = match said {
        Some(Meant::Mapped(mapped)) => (Some(mapped.property), None),
        Some(Meant::Fixed(value)) => (None, Some(value)),
        None => (None, None),
    };
    let property_key = format!("{key}.property");
    let property = property(reader, &property_key).or(name);
    let unit = if field == Field::Estimate { reader.choice(&format!("{key}.unit")) } else { None };
    let mut values = BTreeMap::new();
    let values_key = format!("{key}.values");
    for word_key in reader.below(&values_key) {
        let value = reader.take(&word_key, |content| meant(kind, field, content));
        if let (Some(value), Some(word)) = (value, word_key.strip_prefix(&format!("{values_key}."))) {
            values.insert(word.to_owned(), value);
        }
    }
    if let Some(value) = fixed {
        if property.is_some() || !values.is_empty() {
            let place = reader.place(key);
            reader.problem(
                place,
                format!("`{key}` is the same for every page, and is read from a property, too; leave one out"),
            );
        }
        return Some(Meant::Fixed(value));
    }
    let more = unit.is_some() || !values.is_empty() || reader.origin(&format!("{key}.unknown")).is_some();
    if property.is_none() && more && reader.origin(&property_key).is_none() {
        let place = reader.place(key);
        reader.problem(place, format!("`{key}` also needs `property`, the name of a Notion property"));
    }
    Some(Meant::Mapped(Mapped { property: property?, unit: unit.unwrap_or_default(), values }))
}

/// What becomes of people without an account.
fn strangers(reader: &mut Reader<'_>, key: &str) -> Strangers {
    let strangers = reader.take(key, |content| match content.text() {
        Some("hold") => Ok(Strangers::Hold),
        Some("leave") => Ok(Strangers::Leave),
        Some(address) if is_address(address) => Ok(Strangers::StandIn(address.to_lowercase().into())),
        _ => Err("\"hold\" or \"leave\", or the e-mail address of somebody who stands in".to_owned()),
    });
    strangers.unwrap_or_default()
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

/// What a property must hold: a checkbox is ticked or not, a status or select has one of some options, or a status one
/// of a group.
fn condition(reader: &mut Reader<'_>, key: &str, preset: Option<Condition>) -> Option<Condition> {
    let [property_key, checked_key, values_key, groups_key] =
        ["property", "checked", "values", "groups"].map(|name| format!("{key}.{name}"));
    let property = property(reader, &property_key);
    let checked = reader.take(&checked_key, |content| match content.typed() {
        Content::Flag(checked) => Ok(Holds::Checked(checked)),
        _ => Err("true or false, for a checkbox; a status or select takes `values` instead".into()),
    });
    let values = reader.take(&values_key, |content| match content.typed() {
        Content::Texts(texts) if !texts.is_empty() => Ok(texts),
        _ => Err("a list of options, e.g. [\"Done\", \"Obsolete\"]".into()),
    });
    let groups = reader.take(&groups_key, |content| match content.typed() {
        Content::Texts(texts) if !texts.is_empty() => Ok(texts),
        _ => Err("a list of groups of a status, e.g. [\"Complete\"]".into()),
    });
    for (name, other_key, given) in
        [("values", &values_key, values.is_some()), ("groups", &groups_key, groups.is_some())]
    {
        if checked.is_some() && given {
            let place = reader.place(other_key);
            reader.problem(
                place,
                format!(
                    "`{key}` has both `checked` and `{name}`; a checkbox has the one, a status or select the other"
                ),
            );
        }
    }
    let options = match (groups, values) {
        (Some(groups), options) => Some(Holds::InGroups { groups, options: options.unwrap_or_default() }),
        (None, options) => options.map(Holds::OneOf),
    };
    let (preset_property, preset_is) = preset.map(|Condition { property, is }| (property, is)).unzip();
    match (property.or(preset_property), checked.or(options).or(preset_is)) {
        (Some(property), Some(is)) => Some(Condition { property, is }),
        (None, None) => None,
        (property, _) => {
            let keys = [&property_key, &checked_key, &values_key, &groups_key];
            let (wanted, missing) = match property {
                Some(_) => ("`checked`, `values` or `groups`", &keys[1..]),
                None => ("`property`", &keys[..1]),
            };
            // What was given but is wrong has been said already.
            if missing.iter().all(|key| reader.origin(key).is_none()) {
                let place = keys.into_iter().find_map(|key| reader.origin(key)).cloned().unwrap_or_default();
                reader.problem(place, format!("`{key}` also needs {wanted}"));
            }
            None
        }
    }
}

/// With local IDs Notion is never written, which contradicts a rule that writes it.
pub(super) fn refuse_with_local_ids(reader: &mut Reader<'_>, key: &str, word: &str, id_strategy: IdStrategy) {
    if id_strategy == IdStrategy::Local {
        let text = format!(
            "`{key}` is \"{word}\", but `mapping.id_strategy` is \"local\", with which Notion is never written; change one of them"
        );
        reader.problem(reader.place(key), text);
    }
}
