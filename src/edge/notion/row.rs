//! A row of a data source, and what it says by the mapping.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    cell::{Cell, plain_text},
    node::Node,
    property::Property,
    schema::Bound,
};
use crate::domain::{
    model::{Claim, Field, Page, PageId, Problem, Reading, Relation, Schedule, Standing, Value, Values},
    rules::{Holds, Mapped},
    text::{Raw, Shown},
};

/// The members of a row that are looked at, before anything is made of them. Unknown members are ignored, as Notion
/// asks (Notion changelog, July 2026).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RowParts<'a> {
    #[serde(borrow)]
    object: Node<'a>,
    request_status: Node<'a>,
    id: Node<'a>,
    created_time: Node<'a>,
    last_edited_time: Node<'a>,
    in_trash: Node<'a>,
    is_archived: Node<'a>,
    archived: Node<'a>,
    parent: Node<'a>,
    properties: Node<'a>,
}

impl RowParts<'_> {
    /// False for a data source, which a wiki lists among its pages.
    pub(super) fn is_page(&self) -> bool {
        self.object.as_str().is_none_or(|object| object == "page")
    }

    /// What it says of the query that it came with.
    pub(super) fn request_status(&self) -> &Node<'_> {
        &self.request_status
    }
}

/// A row that was read.
pub(super) struct PageRow<'a> {
    pub(super) id: PageId,
    pub(super) created_time: Option<Timestamp>,
    pub(super) last_edited_time: Option<Timestamp>,
    in_trash: Option<bool>,
    is_archived: Option<bool>,
    /// The name of `in_trash` before 2026-03-11.
    archived: Option<bool>,
    pub(super) parent: Node<'a>,
    /// Those of the mapping, by their names; nothing where Notion does not show them.
    pub(super) properties: Option<Node<'a>>,
}

/// A row that has not the form of one.
pub(super) struct Formless;

impl<'a> TryFrom<RowParts<'a>> for PageRow<'a> {
    type Error = Formless;

    fn try_from(parts: RowParts<'a>) -> Result<Self, Formless> {
        let time = |time: &Node<'_>| match time {
            Node::Null => Ok(None),
            Node::Text(text) => text.parse().map(Some).map_err(|_| Formless),
            _ => Err(Formless),
        };
        let flag = |flag: &Node<'_>| if flag.is_null() { Ok(None) } else { flag.as_bool().map(Some).ok_or(Formless) };
        Ok(Self {
            id: parts.id.as_str().and_then(|id| id.parse().ok()).ok_or(Formless)?,
            created_time: time(&parts.created_time)?,
            last_edited_time: time(&parts.last_edited_time)?,
            in_trash: flag(&parts.in_trash)?,
            is_archived: flag(&parts.is_archived)?,
            archived: flag(&parts.archived)?,
            parent: parts.parent,
            properties: match parts.properties {
                Node::Null => None,
                properties @ Node::Members(_) => Some(properties),
                _ => return Err(Formless),
            },
        })
    }
}

/// A row that outlives the answer that it came in.
impl<'de> Deserialize<'de> for PageRow<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row = PageRow::try_from(RowParts::deserialize(deserializer)?);
        let row = row.map_err(|Formless| D::Error::custom("it has not the form of a page"))?;
        Ok(Self { parent: row.parent.into_owned(), properties: row.properties.map(Node::into_owned), ..row })
    }
}

impl PageRow<'_> {
    /// How the two flags relate is not documented; either means that the page is not live.
    fn is_trashed(&self) -> bool {
        [self.in_trash, self.is_archived, self.archived].contains(&Some(true))
    }
}

/// What a row says.
pub(super) struct RowReading {
    pub(super) page: Page,
    /// False when the mapping says that the page is not meant.
    pub(super) meant: bool,
    pub(super) problems: Vec<Problem>,
    /// What shows that the schema is no longer the one that is remembered.
    pub(super) outdated: Option<String>,
}

/// True unless the parent is known to be something else.
pub(super) fn is_in(parent: &Node<'_>, source: PageId) -> bool {
    match (parent["type"].as_str(), parent["data_source_id"].as_str()) {
        (_, Some(id)) => id.parse() == Ok(source),
        // Older versions of the API name the database alone.
        (None | Some("database_id"), None) => true,
        (Some(_), None) => false,
    }
}

/// Reads a row, as far as it can be read.
pub(super) fn read(bound: &Bound, row: &PageRow<'_>) -> RowReading {
    let kind = bound.kind;
    let trashed = row.is_trashed();
    let mut outdated = None;
    let mut cell = |property: &Property| match row.properties.as_ref().and_then(|all| all.get(property.name.exact())) {
        Some(value) if value["type"].is(&property.kind) => Some(value),
        _ => {
            outdated.get_or_insert_with(|| {
                format!("a {kind} page has no property \"{}\" of the type {}", property.name.shown(), property.kind)
            });
            None
        }
    };

    let claim = bound.id.as_ref().map_or(Claim::None, |property| match cell(property).map(Cell::read) {
        None => Claim::Unknown(not_sent(property)),
        Some(Cell::Unknown(because)) => Claim::Unknown(said_of(property, &because)),
        Some(Cell::Text(text)) => Claim::read(&text),
        Some(_) => Claim::None,
    });
    let mut relation = |property: &Option<Property>| {
        property.as_ref().map_or(Relation::None, |property| match cell(property) {
            None => Relation::Unknown(not_sent(property)),
            Some(value) => related(value).unwrap_or_else(|because| Relation::Unknown(said_of(property, because))),
        })
    };
    let (parent, item_of) = (relation(&bound.parent), relation(&bound.item_of));

    let mut problems = Vec::new();
    let mut problem = |property: &Property, why: &str| {
        problems.push(Problem {
            kind,
            page: Some(row.id),
            text: format!("\"{}\" was left out: {why}", property.name.shown()).into(),
        });
    };
    let mut values = Values::default();
    for (field, property, mapped) in &bound.fields {
        let reading = match cell(property) {
            None => Ok(Reading::Unknown(not_sent(property))),
            Some(value) => Cell::read(value).reading(*field, mapped),
        };
        match reading {
            Ok(Reading::Unknown(because)) => values.put(*field, Reading::Unknown(said_of(property, &because))),
            Ok(known @ Reading::Known(_)) => values.put(*field, known),
            Err(why) => problem(property, &why),
        }
    }

    for (field, value) in &bound.fixed {
        values.set(*field, value.clone());
    }

    let mut sync_status = Values::default();
    for (field, property) in &bound.sync_status {
        let reading =
            cell(property).map(|value| Cell::read(value).reading(*field, &Mapped::as_is(property.name.exact())));
        if let Some(Ok(reading)) = reading {
            sync_status.put(*field, reading);
        }
    }

    // What is planned is only looked at: what cannot be read of it is not there.
    let mut schedule = Schedule::default();
    if let Some((property, mapped)) = &bound.planned
        && let Some(Ok(Reading::Known(Value::Seconds(seconds)))) =
            cell(property).map(|value| Cell::read(value).reading(Field::Estimate, mapped))
    {
        schedule.planned = Some(seconds);
    }
    schedule.due = bound.due.as_ref().and_then(&mut cell).and_then(last_day);

    // What is not said about whether a page is meant, open or called anything leaves it as it is known.
    let mut unclear = None;
    let meant = bound.only.as_ref().is_none_or(|(property, is)| {
        let meant = cell(property).and_then(|value| is_meant(is, value));
        if meant.is_none() {
            unclear = Some(said_of(property, "it does not say whether the page is one of those that are mirrored"));
        }
        meant != Some(false)
    });

    let mut standing = Standing::Open;
    let closed = bound.closed.as_ref().map(|(property, is)| match cell(property) {
        None => Err(Unclear::Value(not_sent(property))),
        Some(value) => closed_because(property, is, Cell::read(value)),
    });
    match closed {
        None => {}
        Some(Ok(because)) => standing = because.map_or(Standing::Open, |because| Standing::Closed { because }),
        Some(Err(Unclear::Option(why))) => {
            outdated.get_or_insert_with(|| why.to_string());
            unclear.get_or_insert(why);
        }
        Some(Err(Unclear::Value(why))) => drop(unclear.get_or_insert(why)),
    }
    // The type finds the title, whatever it is called now.
    let mut properties = row.properties.iter().flat_map(Node::members);
    let title = properties.find(|(_, value)| value["type"].is("title")).and_then(|(_, value)| value["title"].as_list());
    if title.is_none() {
        unclear.get_or_insert_with(|| "Notion does not send its title".into());
    }
    if let Some(because) = unclear {
        standing = Standing::Unknown { because };
    }
    if trashed {
        standing = Standing::Trashed;
    }
    let page = Page {
        id: row.id,
        kind,
        title: title.map(plain_text).unwrap_or_default().into(),
        claim,
        parent,
        item_of,
        standing,
        created: row.created_time.unwrap_or_default(),
        edited: row.last_edited_time.unwrap_or_default(),
        values,
        sync_status,
        schedule,
    };
    RowReading { page, meant, problems, outdated }
}

/// The last day that a date, or what comes to one, names.
fn last_day(property: &Node<'_>) -> Option<Date> {
    let value = match property["type"].as_str()? {
        kind @ ("formula" | "rollup") => &property[kind]["date"],
        kind => &property[kind],
    };
    let text = value["end"].as_str().or_else(|| value["start"].as_str())?;
    text.get(..10)?.parse().ok()
}

/// What a property that is not in the row leaves open.
fn not_sent(property: &Property) -> Shown {
    said_of(property, "Notion does not send it with the page")
}

fn said_of(property: &Property, because: &str) -> Shown {
    format!("\"{}\": {because}", property.name.shown()).into()
}

/// The pages that a relation names, or why it cannot be told.
fn related(property: &Node<'_>) -> Result<Relation, &'static str> {
    let pages = property["relation"].as_list().ok_or("Notion does not give its value")?;
    if property["has_more"].as_bool() == Some(true) {
        return Err("Notion shows only some of the pages that it names");
    }
    let ids = pages.iter().map(|page| page["id"].as_str().and_then(|id| id.parse().ok()));
    let ids: Option<Vec<PageId>> = ids.collect();
    ids.map(Relation::from).ok_or("Notion names a page that has no ID")
}

/// Whether a property says that its page is meant, if it says so.
fn is_meant(is: &Holds, property: &Node<'_>) -> Option<bool> {
    match (is, property["type"].as_str().unwrap_or_default()) {
        (Holds::Checked(wanted), _) => property["checkbox"].as_bool().map(|checked| checked == *wanted),
        (Holds::OneOf(wanted) | Holds::InGroups { options: wanted, .. }, "multi_select") => {
            let options = property["multi_select"].as_list()?.iter().map(|option| option["name"].as_str());
            let options: Option<Vec<&str>> = options.collect();
            options.map(|options| options.into_iter().any(|name| wanted.iter().any(|wanted| wanted == name)))
        }
        (Holds::OneOf(wanted) | Holds::InGroups { options: wanted, .. }, _) => match Cell::read(property) {
            Cell::Text(text) => Some(wanted.contains(&text)),
            Cell::Nothing => Some(false),
            _ => None,
        },
    }
}

enum Unclear {
    /// An option that is not remembered.
    Option(Shown),
    /// Something that says neither open nor closed.
    Value(Shown),
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
        (Holds::OneOf(closing) | Holds::InGroups { options: closing, .. }, Cell::Text(text)) => {
            let has_options = matches!(property.kind.as_str(), "select" | "status");
            if has_options && !property.options.iter().any(|option| option.exact() == text) {
                return Err(Unclear::Option(Shown::from(format!(
                    "\"{}\" has the new option \"{}\"",
                    property.name.shown(),
                    Shown::of(&text)
                ))));
            }
            let is_in_no_group =
                || !property.groups.iter().any(|(_, members)| members.iter().any(|member| member.exact() == text));
            if matches!(is, Holds::InGroups { .. }) && !closing.contains(&text) && is_in_no_group() {
                let why = format!("Notion does not say in which group the option \"{}\" is", Shown::of(&text));
                return Err(Unclear::Value(said_of(property, &why)));
            }
            Ok(closing.contains(&text).then(|| format!("{name} is {text}").into()))
        }
        (_, Cell::Unreadable(why) | Cell::Unknown(why)) => Err(Unclear::Value(said_of(property, &why))),
        (_, _) => Err(Unclear::Value(said_of(property, "it says neither open nor closed"))),
    }
}
