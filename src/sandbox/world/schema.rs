//! The Notion side's containers: databases, their data sources, and the properties that rows have.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Page, Parent, Table, World, access::Access};
use crate::sandbox::ids::{NotionId, scatter};

/// Pages with their places, in order.
pub(crate) type Order = Arc<[(Vec<super::sort::SortKey>, NotionId)]>;

/// Everything in the Notion workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct NotionWorld {
    pub(crate) workspace_id: NotionId,
    pub(crate) workspace_name: String,
    /// The bot of the connection that every world has.
    pub(crate) bot: NotionId,
    /// What that connection may do.
    pub(crate) connection: Access,
    /// Further tokens by their secrets.
    pub(crate) tokens: BTreeMap<String, Access>,
    pub(crate) users: Vec<NotionUser>,
    pub(crate) root: Option<NotionId>,
    pub(crate) databases: BTreeMap<NotionId, Database>,
    pub(crate) data_sources: BTreeMap<NotionId, DataSource>,
    pub(crate) pages: Table<NotionId, Page>,
    /// Where a listing goes on, by the opaque cursor that was handed out.
    pub(crate) cursors: BTreeMap<String, Cursor>,
    /// Pages of a data source in an order, by both, and the version of the pages that it is of.
    pub(crate) orders: BTreeMap<String, (u64, Order)>,
}

impl Default for NotionId {
    fn default() -> Self {
        Self::from_counter(0)
    }
}

impl NotionWorld {
    /// Who edits when a person edits: the first human.
    pub(crate) fn owner(&self) -> NotionId {
        self.users.iter().find(|user| user.kind != NotionUserKind::Bot).map_or(self.bot, |user| user.id)
    }

    pub(crate) fn source_of(&self, page: &Page) -> Option<&DataSource> {
        match page.parent {
            Parent::DataSource(id) => self.data_sources.get(&id),
            Parent::Page(_) | Parent::Workspace => None,
        }
    }
}

/// A place in a listing. Bound to the request that it came from.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// The request without its cursor; another one may not use it.
    pub(crate) bound_to: String,
    /// The last row that was handed out; the next page starts after its place in the order.
    pub(crate) after: Vec<super::sort::SortKey>,
    /// Rows handed out so far.
    pub(crate) yielded: usize,
    /// How often this listing has been continued.
    pub(crate) continuations: u32,
}

/// A person or a bot.
#[derive(Clone, Debug)]
pub(crate) struct NotionUser {
    pub(crate) id: NotionId,
    pub(crate) name: String,
    pub(crate) kind: NotionUserKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotionUserKind {
    Person { email: String },
    Bot,
}

/// A database: since version 2025-09-03 only a container of data sources.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) id: NotionId,
    pub(crate) title: String,
    /// A page, or the workspace itself.
    pub(crate) parent: Parent,
    pub(crate) data_sources: Vec<NotionId>,
    pub(crate) created: Timestamp,
    pub(crate) in_trash: bool,
}

/// A data source: a table with a schema.
#[derive(Clone, Debug)]
pub(crate) struct DataSource {
    pub(crate) id: NotionId,
    pub(crate) database: NotionId,
    pub(crate) name: String,
    pub(crate) properties: Vec<Property>,
    pub(crate) created: Timestamp,
    pub(crate) next_number: u64,
    pub(crate) in_trash: bool,
}

impl DataSource {
    /// The property with this name or this ID, as it is or URL-encoded (Notion docs: keys may be either).
    pub(crate) fn property(&self, key: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.is(key))
    }

    pub(crate) fn property_mut(&mut self, key: &str) -> Option<&mut Property> {
        self.properties.iter_mut().find(|property| property.is(key))
    }
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    /// URL-encoded, as the API shows it.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: PropertyKind,
}

impl Property {
    pub(crate) fn is(&self, key: &str) -> bool {
        self.name == key
            || self.id == key
            || percent_decode_str(&self.id).decode_utf8().is_ok_and(|decoded| decoded == key)
    }
}

/// The type of a column, with what its schema configures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PropertyKind {
    Title,
    RichText,
    Number { format: String },
    Checkbox,
    Select(Vec<Choice>),
    Status(Vec<Choice>),
    MultiSelect(Vec<Choice>),
    Relation(Relation),
    People,
    Date,
    Url,
    Email,
    PhoneNumber,
    Files,
    Formula { expression: String },
    Rollup { relation: String, target: String, function: String },
    UniqueId { prefix: Option<String> },
    CreatedTime,
    LastEditedTime,
    CreatedBy,
    LastEditedBy,
}

impl PropertyKind {
    /// The type of this name, where its schema configures nothing.
    pub(crate) fn without_settings(name: &str) -> Option<Self> {
        let plain = [
            Self::Title,
            Self::RichText,
            Self::Checkbox,
            Self::People,
            Self::Date,
            Self::Url,
            Self::Email,
            Self::PhoneNumber,
            Self::Files,
            Self::CreatedTime,
            Self::LastEditedTime,
            Self::CreatedBy,
            Self::LastEditedBy,
        ];
        plain.into_iter().find(|kind| kind.name() == name)
    }

    /// The type's name on the wire, which is also the key of its value.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::RichText => "rich_text",
            Self::Number { .. } => "number",
            Self::Checkbox => "checkbox",
            Self::Select(_) => "select",
            Self::Status(_) => "status",
            Self::MultiSelect(_) => "multi_select",
            Self::Relation(_) => "relation",
            Self::People => "people",
            Self::Date => "date",
            Self::Url => "url",
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
            Self::Files => "files",
            Self::Formula { .. } => "formula",
            Self::Rollup { .. } => "rollup",
            Self::UniqueId { .. } => "unique_id",
            Self::CreatedTime => "created_time",
            Self::LastEditedTime => "last_edited_time",
            Self::CreatedBy => "created_by",
            Self::LastEditedBy => "last_edited_by",
        }
    }

    /// Whether a page write may set it (Notion docs, page property values).
    pub(crate) fn writable(&self) -> bool {
        !matches!(
            self,
            Self::Formula { .. }
                | Self::Rollup { .. }
                | Self::UniqueId { .. }
                | Self::CreatedTime
                | Self::LastEditedTime
                | Self::CreatedBy
                | Self::LastEditedBy
        )
    }

    pub(crate) fn choices(&self) -> &[Choice] {
        match self {
            Self::Select(choices) | Self::Status(choices) | Self::MultiSelect(choices) => choices,
            _ => &[],
        }
    }

    pub(crate) fn choices_mut(&mut self) -> Option<&mut Vec<Choice>> {
        match self {
            Self::Select(choices) | Self::Status(choices) | Self::MultiSelect(choices) => Some(choices),
            _ => None,
        }
    }
}

/// An option of a select, multi-select or status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) color: String,
    /// Status options belong to a group.
    pub(crate) group: String,
}

/// Where a relation leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) data_source: NotionId,
    /// The property on the far side that mirrors this one, by ID, if the relation is two-way.
    pub(crate) synced: Option<String>,
}

/// Everything but letters, digits and what Notion leaves alone in property IDs.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

impl World {
    pub(crate) fn new_property_id(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz:;@=?|{}[]`_";
        let mut bits = scatter(self.count());
        let mut raw = String::new();
        for _ in 0..4 {
            let index = usize::try_from(bits % LETTERS.len() as u64).unwrap_or(0);
            raw.push(char::from(LETTERS[index]));
            bits /= LETTERS.len() as u64;
        }
        utf8_percent_encode(&raw, ENCODED).to_string()
    }

    pub(crate) fn new_choice(&mut self, name: &str, color: &str, group: &str) -> Choice {
        Choice {
            id: self.new_notion_id().to_string(),
            name: name.to_owned(),
            color: color.to_owned(),
            group: group.to_owned(),
        }
    }

    /// Adds a column at the end and returns its ID.
    pub(crate) fn add_property(&mut self, source: NotionId, name: &str, kind: PropertyKind) -> String {
        let id = if kind == PropertyKind::Title { "title".to_owned() } else { self.new_property_id() };
        if let Some(source) = self.notion.data_sources.get_mut(&source) {
            source.properties.push(Property { id: id.clone(), name: name.to_owned(), kind });
        }
        id
    }

    /// A new database in `parent` with one data source of the same name, which has no columns yet.
    pub(crate) fn add_database(&mut self, title: &str, parent: Parent) -> (NotionId, NotionId) {
        let id = self.new_notion_id();
        let created = self.tick();
        let database =
            Database { id, title: title.to_owned(), parent, data_sources: Vec::new(), created, in_trash: false };
        self.notion.databases.insert(id, database);
        (id, self.add_data_source(id, title))
    }

    /// Another data source in a database (people do it in the user interface; the API has `POST /v1/data_sources`).
    pub fn add_data_source(&mut self, database: NotionId, name: &str) -> NotionId {
        let id = self.new_notion_id();
        let created = self.tick();
        let source = DataSource {
            id,
            database,
            name: name.to_owned(),
            properties: Vec::new(),
            created,
            next_number: 1,
            in_trash: false,
        };
        self.notion.data_sources.insert(id, source);
        if let Some(database) = self.notion.databases.get_mut(&database) {
            database.data_sources.push(id);
        }
        id
    }

    /// A database that only shows the rows of another one: it has no data source of its own.
    pub fn add_linked_database(&mut self, title: &str) -> NotionId {
        let id = self.new_notion_id();
        let created = self.tick();
        let parent = self.notion.root.map_or(Parent::Workspace, Parent::Page);
        let database =
            Database { id, title: title.to_owned(), parent, data_sources: Vec::new(), created, in_trash: false };
        self.notion.databases.insert(id, database);
        id
    }

    /// The ID of the data source with this name.
    pub fn data_source(&self, name: &str) -> Option<NotionId> {
        self.notion.data_sources.values().find(|source| source.name == name).map(|source| source.id)
    }

    /// The ID of the database that holds the data source with this name.
    pub fn database(&self, name: &str) -> Option<NotionId> {
        let source = self.notion.data_sources.values().find(|source| source.name == name)?;
        Some(source.database)
    }

    /// The shared page that the databases are in.
    pub fn root_page(&self) -> Option<NotionId> {
        self.notion.root
    }

    /// Renames a column; its ID stays.
    pub fn rename_property(&mut self, source: &str, from: &str, to: &str) {
        if let Some(property) = self.source_mut(source).property_mut(from) {
            to.clone_into(&mut property.name);
        }
    }

    /// Deletes a column, and with it the rows' values.
    pub fn delete_property(&mut self, source: &str, name: &str) {
        self.source_mut(source).properties.retain(|property| property.name != name);
    }

    /// Renames an option of a select or status; rows that have it show the new name.
    pub fn rename_option(&mut self, source: &str, property: &str, from: &str, to: &str) {
        let choices = self.source_mut(source).property_mut(property);
        let choices = choices.and_then(|property| property.kind.choices_mut());
        for choice in choices.into_iter().flatten().filter(|choice| choice.name == from) {
            to.clone_into(&mut choice.name);
        }
    }

    /// Puts an option of a status into another group; one that is not there yet is added.
    pub fn group_option(&mut self, source: &str, property: &str, option: &str, group: &str) {
        let added = self.new_choice(option, "default", group);
        let choices = self.source_mut(source).property_mut(property);
        let Some(choices) = choices.and_then(|property| property.kind.choices_mut()) else { return };
        match choices.iter_mut().find(|choice| choice.name == option) {
            Some(choice) => group.clone_into(&mut choice.group),
            None => choices.push(added),
        }
    }

    /// Invalidates every cursor that was handed out, as the end of a session does.
    pub fn expire_cursors(&mut self) {
        self.notion.cursors.clear();
    }

    fn source_mut(&mut self, name: &str) -> &mut DataSource {
        let source = self.notion.data_sources.values_mut().find(|source| source.name == name);
        source.expect("the world has this data source")
    }
}
