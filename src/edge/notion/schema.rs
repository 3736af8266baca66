//! Which data source holds a kind, and whether its properties fit the mapping.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Error, Misfit, Notion, cell::text_of, failed, property::Property};
use crate::{
    domain::{
        model::{self as domain, Field, Kind, PageId, Value},
        reference,
        rules::{Condition, Holds, IdStrategy, Mapped, Mapping},
        text::{Raw, Shown},
    },
    edge::http::{Answer, Failure, Request},
};

/// Similarity from which a property's name is offered as the one that was meant.
const SIMILAR: f64 = 0.7;

/// A data source as its schema was last read. It is remembered between runs, so that a run with nothing new costs only
/// the query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its id.
    pub data_source: PageId,
    pub title: Raw,
    /// What the configuration said; when that says something else now, resolve again.
    pub reference: String,
    /// Its properties, by name.
    pub properties: Vec<Property>,
}

impl Source {
    /// The property of this name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name.exact() == name)
    }
}

/// What a property is mapped as.
#[derive(Clone, Copy)]
enum Role<'a> {
    Id,
    Parent,
    /// What a page is an item of.
    ItemOf,
    Closed(&'a Holds),
    Only(&'a Holds),
    Field(Field, &'a Mapped),
    SyncStatus(Field),
    Planned(&'a Mapped),
    Due,
}

impl Role<'_> {
    /// The configuration key that maps it.
    fn key(self, kind: Kind) -> String {
        let key = match self {
            Self::Id => "id".to_owned(),
            Self::Parent => kind.parent().map_or("parent", Kind::word).to_owned(),
            Self::ItemOf => format!("{}_from", kind.parent().map_or("parent", Kind::word)),
            Self::Closed(_) => "closed".to_owned(),
            Self::Only(_) => "only".to_owned(),
            Self::Field(field, _) if field.is_tracked() => field.to_string(),
            Self::Field(field, _) => format!("fields.{field}"),
            Self::SyncStatus(field) => field.to_string(),
            Self::Planned(_) => "planned".to_owned(),
            Self::Due => "due".to_owned(),
        };
        format!("mapping.{}.{key}", kind.plural())
    }

    /// The types that can play the role.
    fn usable(self) -> &'static [&'static str] {
        match self {
            Self::Parent | Self::ItemOf => &["relation"],
            Self::Closed(Holds::Checked(_)) => &["checkbox", "formula", "rollup"],
            Self::Closed(Holds::OneOf(_)) => &["status", "select", "formula", "rollup"],
            Self::Closed(Holds::InGroups { .. }) | Self::Only(Holds::InGroups { .. }) => &["status"],
            // What a query can be narrowed to.
            Self::Only(Holds::Checked(_)) => &["checkbox"],
            Self::Only(Holds::OneOf(_)) => &["select", "status", "multi_select"],
            // A status is never empty, and has no other options than people gave it (Notion docs, page properties).
            Self::SyncStatus(Field::SyncStatus) => &["select", "rich_text"],
            Self::Id | Self::SyncStatus(_) => &["rich_text"],
            Self::Field(Field::Billable | Field::Public, _) => &["checkbox", "select", "status", "formula", "rollup"],
            Self::Planned(mapped) => Role::Field(Field::Estimate, mapped).usable(),
            Self::Due => &["date", "formula", "rollup"],
            Self::Field(Field::Hours, _) => &["number"],
            Self::Field(Field::LastTracked, _) => &["date"],
            Self::Field(Field::BudgetState, _) => &["select"],
            Self::Field(Field::Report, _) => &["url"],
            Self::Field(Field::Estimate, mapped) if mapped.values.is_empty() => &["number", "formula", "rollup"],
            Self::Field(Field::Estimate, _) => &["number", "select", "status", "formula", "rollup"],
            Self::Field(Field::Assignees, mapped) if mapped.values.is_empty() => {
                &["people", "created_by", "last_edited_by", "rollup"]
            }
            Self::Field(Field::Assignees, _) => {
                &["people", "created_by", "last_edited_by", "select", "status", "multi_select", "formula", "rollup"]
            }
            Self::Field(..) => &[
                "rich_text",
                "email",
                "url",
                "phone_number",
                "select",
                "status",
                "multi_select",
                "title",
                "number",
                "date",
                "unique_id",
                "formula",
                "rollup",
                "created_time",
            ],
        }
    }
}

/// A mapping bound to the properties of a data source: every property exists, and its type can be used.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) kind: Kind,
    pub(super) title: Property,
    pub(super) id: Option<Property>,
    pub(super) parent: Option<Property>,
    pub(super) item_of: Option<Property>,
    pub(super) closed: Option<(Property, Holds)>,
    pub(super) only: Option<(Property, Holds)>,
    pub(super) fields: Vec<(Field, Property, Mapped)>,
    /// What no property says, since it is the same for every page.
    pub(super) fixed: BTreeMap<Field, Value>,
    pub(super) sync_status: Vec<(Field, Property)>,
    pub(super) planned: Option<(Property, Mapped)>,
    pub(super) due: Option<Property>,
}

impl Bound {
    /// Binds, and explains all that does not fit; what was known before tells a renamed property from a missing one.
    pub(super) fn new(
        kind: Kind,
        mapping: &Mapping,
        strategy: IdStrategy,
        source: &Source,
        before: Option<&Source>,
    ) -> Result<Self, Vec<Misfit>> {
        let mut misfits = Vec::new();
        let find = |role: Role<'_>, name: &str| fitting(kind, role, name, source, before);
        let title = source.properties.iter().find(|property| property.kind == "title").cloned();
        // With the registry alone, the property is neither read nor written, and need not exist.
        let by_property = Some(mapping.id.as_str()).filter(|_| strategy == IdStrategy::Property);
        let id = by_property.and_then(|name| noted(find(Role::Id, name), &mut misfits));
        let parent = mapping.parent.as_deref().and_then(|name| noted(find(Role::Parent, name), &mut misfits));
        let item_of = mapping.parent_from.as_deref().and_then(|name| {
            noted(find(Role::ItemOf, name).and_then(|property| to_itself(kind, property, source)), &mut misfits)
        });
        let when = |condition: &Condition, role: for<'r> fn(&'r Holds) -> Role<'r>| {
            let Condition { property, is } = condition;
            let property = find(role(is), property)?;
            check_options(kind, role(is), is, &property, source, before)?;
            let is = with_members(kind, role(is), is, &property, source)?;
            Ok((property, is))
        };
        let closed =
            mapping.closed.as_ref().and_then(|closed| noted(when(closed, |is| Role::Closed(is)), &mut misfits));
        let only = mapping.only.as_ref().and_then(|only| noted(when(only, |is| Role::Only(is)), &mut misfits));
        let fields = mapping.fields.iter().filter_map(|(&field, mapped)| {
            Some((field, noted(find(Role::Field(field, mapped), &mapped.property), &mut misfits)?, mapped.clone()))
        });
        let fields = fields.collect();
        let sync_status = mapping
            .sync_status
            .iter()
            .filter_map(|(&field, name)| Some((field, noted(find(Role::SyncStatus(field), name), &mut misfits)?)));
        let sync_status = sync_status.collect();
        let planned = mapping.planned.as_ref().and_then(|mapped| {
            Some((noted(find(Role::Planned(mapped), &mapped.property), &mut misfits)?, mapped.clone()))
        });
        let due = mapping.due.as_deref().and_then(|name| noted(find(Role::Due, name), &mut misfits));
        if !misfits.is_empty() {
            return Err(misfits);
        }
        let title =
            title.unwrap_or_else(|| Property { id: "title".into(), kind: "title".into(), ..Property::default() });
        let fixed = mapping.fixed.clone();
        Ok(Self { kind, title, id, parent, item_of, closed, only, fields, fixed, sync_status, planned, due })
    }

    /// What can be written into the properties of the fields that both sides can hold.
    pub(super) fn takes(&self) -> BTreeMap<Field, domain::Property> {
        let named = |property: &Property, words| domain::Property { takes: property.takes(), words };
        let state = self.closed.iter().map(|(property, _)| (Field::State, named(property, BTreeMap::new())));
        let fields =
            self.fields.iter().map(|(field, property, mapped)| (*field, named(property, mapped.values.clone())));
        state.chain(fields).chain([(Field::Name, named(&self.title, BTreeMap::new()))]).collect()
    }

    /// True where options mean something by the groups that they are in, which rows do not show: somebody may have
    /// moved one to another group since the schema was read.
    pub(super) fn rests_on_groups(&self) -> bool {
        self.closed.iter().chain(&self.only).any(|(_, is)| matches!(is, Holds::InGroups { .. }))
    }

    /// The mapped properties besides the title.
    pub(super) fn mapped(&self) -> impl Iterator<Item = &Property> {
        let conditions = self.closed.iter().chain(&self.only).map(|(property, _)| property);
        let sync_status = self.sync_status.iter().map(|(_, property)| property);
        self.id
            .iter()
            .chain(&self.parent)
            .chain(&self.item_of)
            .chain(conditions)
            .chain(self.fields.iter().map(|(_, property, _)| property))
            .chain(sync_status)
            .chain(self.planned.iter().map(|(property, _)| property))
            .chain(&self.due)
    }

    /// The ids that a query is narrowed to, each once.
    pub(super) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> =
            std::iter::once(&self.title).chain(self.mapped()).map(|property| property.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// What was found; what does not fit is noted with the rest of it.
fn noted<T>(found: Result<T, Misfit>, misfits: &mut Vec<Misfit>) -> Option<T> {
    found.map_err(|misfit| misfits.push(misfit)).ok()
}

fn fitting(
    kind: Kind,
    role: Role<'_>,
    name: &str,
    source: &Source,
    before: Option<&Source>,
) -> Result<Property, Misfit> {
    let key = role.key(kind);
    let title = titled(kind, source);
    let Some(property) = source.property(name) else {
        return Err(missing(key, &title, role, name, source, before));
    };
    if role.usable().contains(&property.kind.as_str()) {
        return Ok(property.clone());
    }
    Err(Misfit {
        key,
        text: format!("{title} has \"{}\" as a property of the type {}", Shown::of(name), Shown::of(&property.kind)),
        hint: format!("a property for this must be of one of the types {}", role.usable().join(", ")),
    })
}

/// A relation from a data source to itself.
fn to_itself(kind: Kind, property: Property, source: &Source) -> Result<Property, Misfit> {
    if property.relation_target.is_none_or(|target| target == source.data_source) {
        return Ok(property);
    }
    let key = Role::ItemOf.key(kind);
    Err(Misfit {
        text: format!(
            "{} has \"{}\" as a relation to another data source",
            titled(kind, source),
            property.name.shown()
        ),
        hint: format!("set {key} to a relation from {} to {}, as \"Parent item\" is", kind.plural(), kind.plural()),
        key,
    })
}

fn missing(key: String, title: &str, role: Role<'_>, name: &str, source: &Source, before: Option<&Source>) -> Misfit {
    let shown = Shown::of(name);
    let renamed = before.and_then(|before| {
        let id = &before.property(name)?.id;
        source.properties.iter().find(|property| property.id == *id)
    });
    if let Some(renamed) = renamed {
        let now = renamed.name.shown();
        return Misfit {
            text: format!(
                "{title} has no property \"{shown}\"; it seems to be called \"{now}\" now (same property id)"
            ),
            hint: format!("set {key} to \"{now}\", or rename the property back"),
            key,
        };
    }
    let likeness =
        |property: &&Property| strsim::jaro_winkler(&property.name.exact().to_lowercase(), &name.to_lowercase());
    let nearest = source
        .properties
        .iter()
        .filter(|property| role.usable().contains(&property.kind.as_str()))
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|property| likeness(property) >= SIMILAR);
    let hint = match nearest {
        Some(nearest) => format!("did you mean \"{}\"? set {key} to the property's exact name", nearest.name.shown()),
        None => {
            format!("add a property of the type {} to it, or set {key} to the property that is meant", role.usable()[0])
        }
    };
    Misfit { key, text: format!("{title} has no property \"{shown}\""), hint }
}

/// An option that closes pages and no longer exists would make every page look open; one that says which pages are
/// meant would hide them all.
fn check_options(
    kind: Kind,
    role: Role<'_>,
    is: &Holds,
    property: &Property,
    source: &Source,
    before: Option<&Source>,
) -> Result<(), Misfit> {
    let (Holds::OneOf(wanted) | Holds::InGroups { options: wanted, .. }, "select" | "status" | "multi_select") =
        (is, property.kind.as_str())
    else {
        return Ok(());
    };
    let exists = |property: &Property, option: &str| property.options.iter().any(|known| known.exact() == option);
    let known_before = before.and_then(|before| before.property(property.name.exact()));
    let gone = wanted
        .iter()
        .find(|option| !exists(property, option) && known_before.is_some_and(|before| exists(before, option)));
    let gone = match gone {
        Some(gone) => gone,
        None if wanted.iter().any(|option| exists(property, option)) => return Ok(()),
        None => match wanted.first() {
            Some(first) => first,
            None => return Ok(()),
        },
    };
    let key = role.key(kind);
    let (meaning, otherwise) = meaning(role);
    Err(Misfit {
        text: format!(
            "{} has no option \"{}\" in \"{}\"; its options are {}",
            titled(kind, source),
            Shown::of(gone),
            property.name.shown(),
            listed(property.options.iter())
        ),
        hint: format!("set {key} to the options that {meaning}; until then nothing is planned, since {otherwise}"),
        key,
    })
}

/// The condition with the options that its groups have now.
fn with_members(kind: Kind, role: Role<'_>, is: &Holds, property: &Property, source: &Source) -> Result<Holds, Misfit> {
    let Holds::InGroups { groups, options } = is else { return Ok(is.clone()) };
    let mut options = options.clone();
    for group in groups {
        let Some((_, members)) = property.groups.iter().find(|(name, _)| name.exact() == group) else {
            let key = format!("{}.groups", role.key(kind));
            let (meaning, otherwise) = meaning(role);
            return Err(Misfit {
                text: format!(
                    "{} has no group \"{}\" in \"{}\"; its groups are {}",
                    titled(kind, source),
                    Shown::of(group),
                    property.name.shown(),
                    listed(property.groups.iter().map(|(name, _)| name))
                ),
                hint: format!(
                    "set {key} to the groups that {meaning}; until then nothing is planned, since {otherwise}"
                ),
                key,
            });
        };
        options.extend(members.iter().map(|member| member.exact().to_owned()));
    }
    Ok(Holds::InGroups { groups: groups.clone(), options })
}

/// What the options of a role say, and what would be without them.
fn meaning(role: Role<'_>) -> (&'static str, &'static str) {
    match role {
        Role::Only(_) => ("say which pages are meant", "no page would be"),
        _ => ("mean closed", "every page would look open"),
    }
}

/// Names in quotes.
fn listed<'a>(names: impl Iterator<Item = &'a Raw>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{}\"", name.shown())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn titled(kind: Kind, source: &Source) -> String {
    if source.title.is_blank() {
        format!("the data source of {}", kind.plural())
    } else {
        source.title.shown().to_string()
    }
}

impl Notion {
    /// Finds the data source that a reference means, reads its schema and checks the mapping against it. The reference
    /// is the id or URL of a data source or a database. Up to three calls.
    ///
    /// # Errors
    /// [`Error`], which names the configuration key and what to do.
    pub async fn resolve(&self, kind: Kind, reference: &str) -> Result<Source, Error> {
        let source = self.find_source(kind, reference).await?;
        match self.bind(kind, &source, None) {
            Ok(_) => Ok(source),
            Err(error) => {
                let fits = |other: &Kind| *other != kind && self.bind(*other, &source, None).is_ok();
                let title = source.title.shown().clipped(60);
                Err(Kind::ALL.into_iter().find(fits).map_or(error, |other| Error::Swapped { kind, other, title }))
            }
        }
    }

    /// The data source that a reference means, whatever its columns are. Up to three calls.
    ///
    /// # Errors
    /// [`Error`], which names the configuration key of the kind.
    pub async fn find_source(&self, kind: Kind, reference: &str) -> Result<Source, Error> {
        let id = reference::page(reference)
            .ok_or_else(|| Error::BadReference { kind, text: Shown::of(reference.trim()) })?;
        // A URL is that of a database; an id can be either.
        let source = if reference.contains('/') {
            match self.database(kind, id).await? {
                Some(id) => self.data_source(kind, id, reference).await?,
                None => self.data_source(kind, id, reference).await?,
            }
        } else {
            match self.data_source(kind, id, reference).await? {
                Some(source) => Some(source),
                None => match self.database(kind, id).await? {
                    Some(id) => self.data_source(kind, id, reference).await?,
                    None => None,
                },
            }
        };
        match source {
            Some(source) => Ok(source),
            None => Err(self.not_found(kind, id).await),
        }
    }

    /// What an id is of that is neither a data source's nor a database's: perhaps somebody has copied the link of a
    /// page. One call.
    async fn not_found(&self, kind: Kind, id: PageId) -> Error {
        let page: Result<Answer<Json>, Failure> =
            self.http.send(&Request::get(&["v1", "pages", &id.to_string()])).await;
        let Ok(Answer { body, .. }) = page else { return Error::NotFound { kind, id } };
        let within =
            ["data_source_id", "database_id"].into_iter().find_map(|key| body["parent"][key].as_str()?.parse().ok());
        Error::IsPage { kind, id, within }
    }

    /// Checks the mapping against a schema that was remembered, and where it does not fit that, against the schema as
    /// it is now. One call at the most.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn check(&self, kind: Kind, remembered: &Source) -> Result<(), Error> {
        match self.bind(kind, remembered, None) {
            Ok(_) => Ok(()),
            Err(_) => self.refreshed(kind, remembered).await.map(drop),
        }
    }

    /// Reads the schema of a data source that was remembered, and checks the mapping against it. One call.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn reread(&self, kind: Kind, remembered: &Source) -> Result<Source, Error> {
        Ok(self.refreshed(kind, remembered).await?.into_source())
    }

    /// The mapping bound to a source.
    pub(super) fn bind(&self, kind: Kind, source: &Source, before: Option<&Source>) -> Result<Bound, Error> {
        Bound::new(kind, &self.mapping[kind], self.id_strategy, source, before).map_err(|misfits| match before {
            None => Error::Mapping(misfits),
            Some(_) => Error::SchemaChanged(misfits),
        })
    }

    /// Reads a schema; nothing where there is no such data source for us.
    pub(super) async fn data_source(&self, kind: Kind, id: PageId, reference: &str) -> Result<Option<Source>, Error> {
        let answer = self.http.send(&Request::get(&["v1", "data_sources", &id.to_string()])).await;
        let answer: Answer<Json> = match answer {
            Ok(answer) => answer,
            Err(failure) if is_absence(&failure) => return Ok(None),
            Err(failure) => {
                return Err(failed(format!("the data source of {}", kind.plural()), failure));
            }
        };
        let source = read_source(id, reference, &answer.body);
        if is_in_trash(&answer.body) {
            return Err(Error::Trashed { kind, title: source.title.shown().clipped(60) });
        }
        Ok(Some(source))
    }

    /// The one data source of a database; nothing where there is no such database for us.
    async fn database(&self, kind: Kind, id: PageId) -> Result<Option<PageId>, Error> {
        let answer = self.http.send(&Request::get(&["v1", "databases", &id.to_string()])).await;
        let answer: Answer<Json> = match answer {
            Ok(answer) => answer,
            // Notion says so of a linked view, and of a database whose sources are not shared.
            Err(Failure::Rejected { status: 400, message, .. })
                if message.contains("does not contain any data sources") =>
            {
                return Err(Error::NoSource { kind, id });
            }
            Err(failure) if is_absence(&failure) => return Ok(None),
            Err(failure) => {
                return Err(failed(format!("the database of {}", kind.plural()), failure));
            }
        };
        let sources: Vec<(Raw, PageId)> = answer.body["data_sources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|source| {
                Some((source["name"].as_str().unwrap_or_default().into(), source["id"].as_str()?.parse().ok()?))
            })
            .collect();
        match sources.as_slice() {
            [] => Err(Error::NoSource { kind, id }),
            [(_, source)] => Ok(Some(*source)),
            several => Err(Error::SeveralSources {
                kind,
                sources: several
                    .iter()
                    .map(|(name, id)| format!("{} ({id})", name.shown()))
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }
}

/// 404; or 400 for an id that Notion does not take for one.
fn is_absence(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected { status: 400 | 404, .. }) && !failure.is_elsewhere()
}

/// True for a database or data source that somebody has put in the trash.
pub(super) fn is_in_trash(body: &Json) -> bool {
    ["in_trash", "archived"].into_iter().any(|key| body[key] == true)
}

pub(super) fn read_source(id: PageId, reference: &str, body: &Json) -> Source {
    let mut properties: Vec<Property> = body["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, property)| {
            let kind = property["type"].as_str().unwrap_or_default();
            let details = &property[kind];
            let options = || details["options"].as_array().into_iter().flatten();
            let member = |id: &Json| options().find(|option| option["id"] == *id)?["name"].as_str().map(Raw::from);
            let groups = details["groups"].as_array().into_iter().flatten().filter_map(|group| {
                let members = group["option_ids"].as_array().into_iter().flatten().filter_map(member);
                Some((group["name"].as_str()?.into(), members.collect()))
            });
            Property {
                name: property["name"].as_str().unwrap_or(name).into(),
                id: property["id"].as_str().unwrap_or_default().to_owned(),
                kind: kind.to_owned(),
                options: options().filter_map(|option| option["name"].as_str().map(Raw::from)).collect(),
                groups: groups.collect(),
                relation_target: details["data_source_id"].as_str().and_then(|id| id.parse().ok()),
            }
        })
        .collect();
    properties.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let id = body["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(id);
    Source { data_source: id, title: text_of(&body["title"]).into(), reference: reference.to_owned(), properties }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "1f2c0000-0000-4000-8000-0000000009a0";

    fn source(properties: &Json) -> Source {
        let body =
            json!({"object": "data_source", "id": ID, "title": [{"plain_text": "Projects"}], "properties": properties});
        read_source(PageId::from_number(1), ID, &body)
    }

    fn template() -> Json {
        json!({
            "Name": {"id": "title", "name": "Name", "type": "title", "title": {}},
            "Status": {"id": "S%3At", "name": "Status", "type": "status",
                       "status": {"options": [{"id": "1", "name": "Open"}, {"id": "2", "name": "Done"}, {"id": "3", "name": "Obsolete"}], "groups": []}},
            "Clients": {"id": "rel", "name": "Clients", "type": "relation", "relation": {"data_source_id": ID, "type": "single_property", "single_property": {}}},
            "Clockify Project ID": {"id": "cid", "name": "Clockify Project ID", "type": "rich_text", "rich_text": {}},
        })
    }

    fn bind(now: &Json, before: Option<&Json>) -> Result<Bound, Misfit> {
        let before = before.map(source);
        let bound =
            Bound::new(Kind::Project, &Mapping::n8n().projects, IdStrategy::Property, &source(now), before.as_ref());
        bound.map_err(|mut misfits| misfits.remove(0))
    }

    #[test]
    fn the_template_fits() {
        let bound = bind(&template(), None).expect("fits");
        assert_eq!(bound.ids(), ["S%3At", "cid", "rel", "title"]);
        let mut without_id = template();
        without_id.as_object_mut().expect("an object").remove("Clockify Project ID");
        assert_eq!(bind(&without_id, None).expect_err("no id").key, "mapping.projects.id");
        let local = Bound::new(Kind::Project, &Mapping::n8n().projects, IdStrategy::Local, &source(&without_id), None);
        assert!(local.is_ok());
    }

    #[test]
    fn all_that_does_not_fit_is_told_at_once() {
        let mut schema = template();
        schema["Status"]["type"] = json!("checkbox");
        schema.as_object_mut().expect("an object").remove("Clients");
        let mut mapping = Mapping::n8n().projects;
        mapping.fields.insert(Field::Note, Mapped::as_is("Note"));
        let misfits =
            Bound::new(Kind::Project, &mapping, IdStrategy::Property, &source(&schema), None).expect_err("three");
        let keys: Vec<&str> = misfits.iter().map(|misfit| misfit.key.as_str()).collect();
        assert_eq!(keys, ["mapping.projects.client", "mapping.projects.closed", "mapping.projects.fields.note"]);
    }

    #[test]
    fn a_renamed_property_is_recognised_by_its_id() {
        let mut renamed = template();
        let mut status = renamed["Status"].take();
        status["name"] = json!("State");
        renamed.as_object_mut().expect("an object").remove("Status");
        renamed["State"] = status;
        let misfit = bind(&renamed, Some(&template())).expect_err("renamed");
        assert_eq!(
            misfit.text,
            "Projects has no property \"Status\"; it seems to be called \"State\" now (same property id)"
        );
        assert_eq!(misfit.key, "mapping.projects.closed");
        // Without a memory, likeness has to do.
        assert!(bind(&renamed, None).expect_err("renamed").hint.contains("did you mean \"State\""));
    }

    #[test]
    fn a_wrong_type_names_the_usable_ones() {
        let mut retyped = template();
        retyped["Status"] = json!({"id": "S%3At", "name": "Status", "type": "checkbox", "checkbox": {}});
        let misfit = bind(&retyped, None).expect_err("retyped");
        assert!(misfit.text.contains("of the type checkbox"), "{}", misfit.text);
        assert!(misfit.hint.contains("status, select"), "{}", misfit.hint);
    }

    #[test]
    fn the_relation_to_the_parent_item_stays_in_its_data_source() {
        let bind = |target: &str| {
            let mut schema = template();
            schema["Parent item"] =
                json!({"id": "up", "name": "Parent item", "type": "relation", "relation": {"data_source_id": target}});
            let mapping = Mapping { parent_from: Some("Parent item".to_owned()), ..Mapping::n8n().projects };
            let bound = Bound::new(Kind::Project, &mapping, IdStrategy::Property, &source(&schema), None);
            bound.map_err(|mut misfits| misfits.remove(0))
        };
        assert!(bind(ID).expect("fits").ids().contains(&"up"));
        let misfit = bind("1f2c0000-0000-4000-8000-0000000009a9").expect_err("elsewhere");
        assert_eq!(misfit.text, "Projects has \"Parent item\" as a relation to another data source");
        assert_eq!(misfit.key, "mapping.projects.client_from");
    }

    #[test]
    fn groups_stand_for_the_options_that_they_have() {
        let bind = |groups: &[&str], options: &[&str]| -> Result<Vec<String>, Misfit> {
            let mut schema = template();
            schema["Status"]["status"]["groups"] = json!([
                {"id": "a", "name": "To-do", "option_ids": ["1"]}, {"id": "b", "name": "In progress", "option_ids": []},
                {"id": "c", "name": "Complete", "option_ids": ["3", "2", "gone"]},
            ]);
            let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            let mut mapping = Mapping::n8n().projects;
            let is = Holds::InGroups { groups: owned(groups), options: owned(options) };
            mapping.closed = Some(Condition { property: "Status".into(), is });
            let bound = Bound::new(Kind::Project, &mapping, IdStrategy::Property, &source(&schema), None);
            let bound = bound.map_err(|mut misfits| misfits.remove(0))?;
            match bound.closed {
                Some((_, Holds::InGroups { options, .. })) => Ok(options),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(bind(&["Complete"], &[]), Ok(vec!["Obsolete".to_owned(), "Done".to_owned()]));
        assert_eq!(bind(&["In progress"], &["Done"]), Ok(vec!["Done".to_owned()]));
        let misfit = bind(&["Completed"], &[]).expect_err("no such group");
        assert_eq!(misfit.key, "mapping.projects.closed.groups");
        let groups = "its groups are \"To-do\", \"In progress\", \"Complete\"";
        assert_eq!(misfit.text, format!("Projects has no group \"Completed\" in \"Status\"; {groups}"));
        assert!(bind(&["Complete"], &["Gone"]).expect_err("no such option").text.contains("no option \"Gone\""));
    }

    #[test]
    fn a_closing_option_that_vanished_is_an_error_and_a_new_one_is_not() {
        let mut renamed = template();
        renamed["Status"]["status"]["options"][1]["name"] = json!("Finished");
        let misfit = bind(&renamed, Some(&template())).expect_err("vanished");
        assert!(misfit.text.contains("no option \"Done\" in \"Status\""), "{}", misfit.text);
        // At first sight one of them is enough: not everybody uses both.
        assert!(bind(&renamed, None).is_ok());
        let mut more = template();
        more["Status"]["status"]["options"].as_array_mut().expect("options").push(json!({"name": "Blocked"}));
        assert!(bind(&more, Some(&template())).is_ok());
    }
}
