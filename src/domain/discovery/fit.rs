//! Which column of a table is what: the Clockify ID, the parent, what closes a row, and the fields that could be kept
//! true as well.

use std::collections::BTreeMap;

use super::{Column, Table, kind_in, words};
use crate::domain::{
    model::{Field, Kind},
    rules::{Condition, Holds, Mapped, Mapping, Unit},
    text::Raw,
};

/// What a status calls the group of what is over, as Notion names it and as people rename it.
const COMPLETE: [&str; 6] = ["complete", "completed", "done", "closed", "erledigt", "abgeschlossen"];
/// Options and checkboxes that say that something is over.
const OVER: [&str; 22] = [
    "done",
    "complete",
    "completed",
    "closed",
    "finished",
    "archive",
    "archived",
    "canceled",
    "cancelled",
    "obsolete",
    "inactive",
    "erledigt",
    "abgeschlossen",
    "fertig",
    "archiviert",
    "archiv",
    "storniert",
    "inaktiv",
    "terminé",
    "hecho",
    "completado",
    "fatto",
];
/// Checkboxes that say the opposite.
const UNDER_WAY: [&str; 5] = ["active", "open", "aktiv", "offen", "activo"];

/// How the columns of a table play the parts that mirroring needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The text column for the Clockify ID.
    pub id: Option<Raw>,
    /// The relation to the parent.
    pub parent: Option<Raw>,
    /// What closes a row.
    pub closed: Option<Condition>,
    /// Fields that could be kept true as well, with the columns that seem to hold them.
    pub fields: BTreeMap<Field, Mapped>,
}

impl Fit {
    /// True where the table is as the n8n template has it, so that its preset says it all.
    pub fn is_of_template(&self, kind: Kind) -> bool {
        let template = &Mapping::n8n()[kind];
        let is = |found: Option<&Raw>, wanted: Option<&str>| found.map(Raw::exact) == wanted;
        is(self.id.as_ref(), Some(&template.id))
            && is(self.parent.as_ref(), template.parent.as_deref())
            && self.closed == template.closed
    }
}

/// Finds the columns of a table of a kind, whose parents are in another one.
pub fn fit(kind: Kind, table: &Table, parents: Option<&Table>) -> Fit {
    let id = id(kind, table).map(|column| column.name.clone());
    let parent = kind.parent().and_then(|parent| relation(parent, table, parents?)).map(|column| column.name.clone());
    Fit { id, parent, closed: closed(kind, table), fields: fields(kind, table) }
}

/// The text column that is there for Clockify's ID.
pub(super) fn id(kind: Kind, table: &Table) -> Option<&Column> {
    let template = &Mapping::n8n()[kind].id;
    let rank = |column: &&Column| {
        let words = words(&column.name);
        let has = |word: &str| words.iter().any(|known| known == word);
        let of_kind = kind_in(&column.name).map(|(named, _)| named);
        match () {
            () if column.kind != "rich_text" || !has("clockify") => 0,
            () if column.name.exact() == template => 4,
            () if of_kind == Some(kind) => 3,
            // That of another kind is no place for ours.
            () if of_kind.is_some() => 0,
            () if has("id") => 2,
            () => 1,
        }
    };
    // Of equals the first, as they stand in the table.
    table.columns.iter().rev().max_by_key(rank).filter(|column| rank(column) > 0)
}

/// The relation to the parents: by its target, and of several that which is called so.
fn relation<'a>(parent: Kind, table: &'a Table, parents: &Table) -> Option<&'a Column> {
    let is_named = |column: &&Column| kind_in(&column.name).is_some_and(|(named, _)| named == parent);
    let mut pointing = table.columns.iter().filter(|column| column.target == Some(parents.id));
    pointing.clone().find(is_named).or_else(|| pointing.next())
}

/// What closes a row: of a client rather a checkbox, of projects and tasks rather a status.
pub(super) fn closed(kind: Kind, table: &Table) -> Option<Condition> {
    let template = Mapping::n8n()[kind].closed.clone();
    let found: Vec<(u8, Condition)> = table.columns.iter().filter_map(|column| closes(kind, column)).collect();
    let is_template = |condition: &&(u8, Condition)| Some(&condition.1) == template.as_ref();
    let best = found.iter().find(is_template).or_else(|| found.iter().rev().max_by_key(|(rank, _)| *rank));
    best.map(|(_, condition)| condition.clone())
}

/// How a column may close rows, and how likely that is meant.
fn closes(kind: Kind, column: &Column) -> Option<(u8, Condition)> {
    let property = column.name.exact().to_owned();
    let is_called = |known: &[&str]| words(&column.name).iter().any(|word| known.contains(&word.as_str()));
    let over = || -> Vec<&Raw> {
        let is_over = |option: &&Raw| words(option).iter().any(|word| OVER.contains(&word.as_str()));
        column.options.iter().filter(is_over).collect()
    };
    let of_status = if kind == Kind::Client { 3 } else { 6 };
    let (rank, is) = match column.kind.as_str() {
        "status" => {
            let named = |name: &Raw| words(name).iter().any(|word| COMPLETE.contains(&word.as_str()));
            let group = column.groups.iter().find(|(name, members)| named(name) && !members.is_empty());
            let is_status = u8::from(is_called(&["status", "state"]));
            let members = group.map_or_else(over, |(_, members)| members.iter().collect());
            (of_status + is_status, of_options(kind, &members, group.map(|(name, _)| name))?)
        }
        "checkbox" if is_called(&OVER) => (5, Holds::Checked(true)),
        "checkbox" if is_called(&UNDER_WAY) => (4, Holds::Checked(false)),
        "select" => (2, of_options(kind, &over(), None)?),
        _ => return None,
    };
    Some((rank, Condition { property, is }))
}

/// The options that close: those that the template names where there are no others, else the whole group.
fn of_options(kind: Kind, over: &[&Raw], group: Option<&Raw>) -> Option<Holds> {
    if over.is_empty() {
        return None;
    }
    let named: Vec<String> = over.iter().map(|option| option.exact().to_owned()).collect();
    if let Some(Holds::OneOf(template)) = Mapping::n8n()[kind].closed.clone().map(|closed| closed.is)
        && named.iter().all(|option| template.contains(option))
    {
        return Some(Holds::OneOf(template));
    }
    Some(match group {
        Some(group) => Holds::InGroups { groups: vec![group.exact().to_owned()], options: Vec::new() },
        None => Holds::OneOf(named),
    })
}

/// Columns for the fields that a kind can have.
fn fields(kind: Kind, table: &Table) -> BTreeMap<Field, Mapped> {
    let of_field = |field: Field| {
        let (types, names): (&[&str], &[&str]) = match field {
            Field::Email => (&["email", "rich_text"], &["email", "mail"]),
            Field::Address => (&["rich_text"], &["address", "adresse", "anschrift"]),
            Field::Note => (&["rich_text"], &["note", "notes", "notiz", "notizen", "comment", "comments"]),
            Field::Billable => (&["checkbox"], &["billable", "abrechenbar", "facturable"]),
            Field::Public => (&["checkbox"], &["public", "öffentlich"]),
            Field::Estimate => {
                (&["number"], &["estimate", "estimated", "estimation", "schätzung", "planned", "geplant", "budgeted"])
            }
            Field::Assignees => {
                (&["people"], &["assignee", "assignees", "assigned", "owner", "responsible", "zuständig", "person"])
            }
            _ => return None,
        };
        let fits = |column: &&Column| {
            let words = words(&column.name);
            types.contains(&column.kind.as_str()) && words.iter().any(|word| names.contains(&word.as_str()))
        };
        let column = table.columns.iter().find(fits)?;
        let unit = if field == Field::Estimate { unit(&column.name) } else { Unit::default() };
        Some((field, Mapped { unit, ..Mapped::as_is(column.name.exact()) }))
    };
    Field::mappable(kind).iter().copied().filter_map(of_field).collect()
}

/// What a number counts, by its column's name.
fn unit(name: &Raw) -> Unit {
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    match () {
        () if has(&["min", "minutes", "minuten"]) => Unit::Minutes,
        () if has(&["d", "days", "tage", "pt"]) => Unit::Days,
        () => Unit::Hours,
    }
}
