//! A row of a data source, and what it says by the mapping.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    cell::{Cell, plain_text},
    schema::{Bound, Property},
};
use crate::domain::{
    model::{Claim, Page, PageId, Problem, Relation, Standing, Values},
    rules::{Holds, Mapped},
    text::{Display, Raw},
};

/// A row as Notion sends it. Unknown members are ignored, as Notion asks (Notion changelog, July 2026).
#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) id: PageId,
    #[serde(default)]
    pub(super) created_time: Option<Timestamp>,
    #[serde(default)]
    pub(super) last_edited_time: Option<Timestamp>,
    #[serde(default)]
    pub(super) in_trash: Option<bool>,
    #[serde(default)]
    pub(super) is_archived: Option<bool>,
    /// The name of `in_trash` before 2026-03-11.
    #[serde(default)]
    pub(super) archived: Option<bool>,
    #[serde(default)]
    pub(super) parent: Json,
    #[serde(default)]
    pub(super) properties: Option<HashMap<String, Json>>,
}

impl Row {
    /// How the two flags relate is not documented; either means that the page is not live.
    fn is_trashed(&self) -> bool {
        [self.in_trash, self.is_archived, self.archived].contains(&Some(true))
    }
}

/// A row that was read.
pub(super) struct Reading {
    pub(super) page: Page,
    /// False when the mapping says that the page is not meant.
    pub(super) meant: bool,
    pub(super) problems: Vec<Problem>,
    /// What shows that the schema is no longer the one that is remembered.
    pub(super) outdated: Option<String>,
    /// Why nobody can say whether the page is open.
    pub(super) unclear: Option<String>,
}

/// True unless the parent is known to be something else.
pub(super) fn is_in(parent: &Json, source: PageId) -> bool {
    match (parent["type"].as_str(), parent["data_source_id"].as_str()) {
        (_, Some(id)) => id.parse() == Ok(source),
        // Older versions of the API name the database alone.
        (None | Some("database_id"), None) => true,
        (Some(_), None) => false,
    }
}

/// Reads a row, as far as it can be read.
pub(super) fn read(bound: &Bound, row: &Row) -> Reading {
    let kind = bound.kind;
    let trashed = row.is_trashed();
    let mut outdated = None;
    let mut cell = |property: &Property| match row.properties.as_ref().and_then(|all| all.get(property.name.exact())) {
        Some(value) if value["type"].as_str() == Some(&property.kind) => Some(value),
        _ => {
            outdated.get_or_insert_with(|| {
                format!("a {kind} page has no property \"{}\" of the type {}", property.name.display(), property.kind)
            });
            None
        }
    };

    let claim = bound.id.as_ref().and_then(&mut cell).map_or(Claim::None, |value| match Cell::read(value) {
        Cell::Text(text) => Claim::read(&text),
        _ => Claim::None,
    });
    let related = bound.parent.as_ref().and_then(&mut cell).map(|value| &value["relation"]);
    let related: Vec<PageId> =
        related.and_then(Json::as_array).into_iter().flatten().filter_map(|page| page["id"].as_str()?.parse().ok()).collect();

    let mut problems = Vec::new();
    let mut problem = |property: &Property, why: &str| {
        problems.push(Problem { kind, page: Some(row.id), text: format!("\"{}\" was left out: {why}", property.name.display()) });
    };
    let mut values = Values::default();
    for (field, property, mapped) in &bound.fields {
        let Some(value) = cell(property) else {
            continue;
        };
        match Cell::read(value).value(*field, mapped) {
            Ok(value) => values.set(*field, value),
            Err(why) => problem(property, &why),
        }
    }

    let told = bound.told.iter().filter_map(|(field, property)| {
        let value = Cell::read(cell(property)?).value(*field, &Mapped::as_is(property.name.exact())).ok()?;
        Some((*field, value))
    });
    let told: Values = told.collect();

    let only = bound.only.as_ref().and_then(|(property, is)| Some((is, cell(property)?)));
    let meant = only.is_none_or(|(is, value)| is_meant(is, value));

    let mut unclear = None;
    let mut standing = Standing::Open;
    if let Some((property, is)) = &bound.closed
        && let Some(value) = cell(property)
    {
        match closed_because(property, is, Cell::read(value)) {
            Ok(because) => {
                standing = because.map_or(Standing::Open, |because| Standing::Closed { because });
            }
            Err(Unclear::Option(why)) => outdated = outdated.or(Some(why)),
            Err(Unclear::Value(why)) => {
                problem(property, &why);
                unclear = Some(why);
            }
        }
    }
    if trashed {
        standing = Standing::Trashed;
    }
    // The type finds the title, whatever it is called now.
    let mut properties = row.properties.iter().flat_map(HashMap::values);
    let title = properties.find(|value| value["type"] == "title").map(|value| plain_text(&value["title"])).unwrap_or_default();
    let page = Page {
        id: row.id,
        kind,
        title: title.into(),
        claim,
        parent: Relation::from(related),
        standing,
        created: row.created_time.unwrap_or_default(),
        edited: row.last_edited_time.unwrap_or_default(),
        values,
        told,
    };
    Reading { page, meant, problems, outdated, unclear }
}

/// True when a property says that its page is meant.
fn is_meant(is: &Holds, property: &Json) -> bool {
    match (is, property["type"].as_str().unwrap_or_default()) {
        (Holds::Checked(wanted), _) => property["checkbox"].as_bool() == Some(*wanted),
        (Holds::OneOf(wanted), "multi_select") => {
            let mut options = property["multi_select"].as_array().into_iter().flatten();
            options.any(|option| option["name"].as_str().is_some_and(|name| wanted.iter().any(|wanted| wanted == name)))
        }
        (Holds::OneOf(wanted), _) => matches!(Cell::read(property), Cell::Text(text) if wanted.contains(&text)),
    }
}

enum Unclear {
    /// An option that is not remembered.
    Option(String),
    /// Something that says neither open nor closed.
    Value(String),
}

/// Why a page is closed, if it is.
fn closed_because(property: &Property, is: &Holds, cell: Cell) -> Result<Option<Raw>, Unclear> {
    let name = property.name.exact();
    match (is, cell) {
        (_, Cell::Nothing) => Ok(None),
        (Holds::Checked(closes), Cell::Flag(checked)) => {
            let words = if checked { "is checked" } else { "is not checked" };
            Ok((checked == *closes).then(|| format!("{name} {words}").into()))
        }
        (Holds::OneOf(closing), Cell::Text(text)) => {
            let has_options = matches!(property.kind.as_str(), "select" | "status");
            if has_options && !property.options.iter().any(|option| option.exact() == text) {
                return Err(Unclear::Option(format!(
                    "\"{}\" has the new option \"{}\"",
                    property.name.display(),
                    Display::of(&text)
                )));
            }
            Ok(closing.contains(&text).then(|| format!("{name} is {text}").into()))
        }
        (_, Cell::Unreadable(why)) => Err(Unclear::Value(why)),
        (_, _) => Err(Unclear::Value("it says neither open nor closed".to_owned())),
    }
}
