//! Notion pages, and what people do to them in the user interface.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cells::Cells;
use super::schema::PropertyKind;
use super::values::{id_texts, plain, plain_text, rich_text, unset};
use super::{ClockifyId, NotionId, World};

/// A page as it is kept. Times are exact here and floored to the minute on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) id: NotionId,
    pub(crate) parent: Parent,
    pub(crate) created: Timestamp,
    pub(crate) edited: Timestamp,
    pub(crate) created_by: NotionId,
    pub(crate) edited_by: NotionId,
    pub(crate) in_trash: bool,
    pub(crate) is_archived: bool,
    pub(crate) is_locked: bool,
    /// Not shared with the connection any more.
    pub(crate) hidden: bool,
    /// By property ID.
    pub(crate) values: Cells,
    /// The row's number within its data source, which `unique_id` shows.
    pub(crate) number: u64,
}

/// What a page is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    DataSource(NotionId),
    Page(NotionId),
    Workspace,
}

impl Page {
    pub(crate) fn new(id: NotionId, parent: Parent, now: Timestamp, author: NotionId) -> Self {
        Self {
            id,
            parent,
            created: now,
            edited: now,
            created_by: author,
            edited_by: author,
            in_trash: false,
            is_archived: false,
            is_locked: false,
            hidden: false,
            values: Cells::default(),
            number: 0,
        }
    }

    /// The title of any page; the ID of the title property is always `title` (Notion docs).
    pub(crate) fn title(&self) -> String {
        self.values.get("title").map(|title| plain_text(&title)).unwrap_or_default()
    }
}

/// A page in readable form.
#[derive(Clone, Debug, PartialEq)]
pub struct PageState {
    /// The page's ID.
    pub id: NotionId,
    /// The name of its data source; empty for a page outside databases.
    pub source: String,
    /// The text of all runs of its title.
    pub title: String,
    /// The properties by name, in plain form: names of options, IDs of related pages.
    pub properties: Map<String, Value>,
    pub in_trash: bool,
    /// Whether it is archived, which is a state apart from the trash.
    pub is_archived: bool,
    /// Whether the connection has lost access to it.
    pub hidden: bool,
    /// Whether the connection's bot edited it last.
    pub edited_by_bot: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last edited.
    pub edited: Timestamp,
}

/// Adding rows.
impl World {
    /// A new row of Clients, by a person.
    pub fn add_client_page(&mut self, name: &str) -> NotionId {
        self.add_row("Clients", name)
    }

    /// A new row of Projects that names its client.
    pub fn add_project_page(&mut self, name: &str, client: impl Into<Option<NotionId>>) -> NotionId {
        let page = self.add_row("Projects", name);
        if let Some(client) = client.into() {
            self.set_relation(page, "Clients", &[client]);
        }
        page
    }

    /// A new row of Tasks that names its project.
    pub fn add_task_page(&mut self, name: &str, project: impl Into<Option<NotionId>>) -> NotionId {
        let page = self.add_row("Tasks", name);
        if let Some(project) = project.into() {
            self.set_relation(page, "Projects", &[project]);
        }
        page
    }

    /// A new row of the data source with this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn add_row(&mut self, source: &str, title: &str) -> NotionId {
        let source = self.data_source(source).expect("the world has this data source");
        let author = self.notion.owner();
        let page = self.insert_page(Parent::DataSource(source), author);
        self.set_title(page, title);
        page
    }

    /// Puts an empty page into the world.
    pub(crate) fn insert_page(&mut self, parent: Parent, author: NotionId) -> NotionId {
        let id = self.new_notion_id();
        let now = self.tick();
        let mut page = Page::new(id, parent, now, author);
        if let Parent::DataSource(source) = parent
            && let Some(source) = self.notion.data_sources.get_mut(&source)
        {
            page.number = source.next_number;
            source.next_number += 1;
            for property in source.properties.iter().filter(|property| property.kind.writable()) {
                page.values.insert(&property.id, &unset(&property.kind));
            }
        }
        self.notion.pages.insert(id, page);
        id
    }
}

/// Editing rows. All of these panic when the page or the property does not exist: a test that asks for it is wrong.
impl World {
    /// Sets a property from its plain form: a string for texts, titles, selects and statuses, a boolean, a number, an
    /// array of IDs for relations and people; `null` clears.
    pub fn set(&mut self, page: NotionId, property: &str, value: impl Into<Value>) {
        let parent = self.page_mut(page).parent;
        let Parent::DataSource(source) = parent else {
            panic!("only rows of a data source have properties");
        };
        let (property, kept) = self.keep(source, property, &value.into());
        let author = self.notion.owner();
        self.write(page, vec![(property, kept)], author);
    }

    /// Renames a page.
    pub fn set_title(&mut self, page: NotionId, title: &str) {
        let author = self.notion.owner();
        self.write(page, vec![("title".to_owned(), rich_text(title))], author);
    }

    /// Sets a title of several runs, e.g. `json!([{"text": "Web", "bold": true}, {"text": "site"}])`.
    pub fn set_title_runs(&mut self, page: NotionId, runs: &Value) {
        let runs = runs.as_array().into_iter().flatten();
        let kept = runs.map(|marks| super::values::run(marks["text"].as_str().unwrap_or_default(), marks));
        let kept = kept.collect();
        let author = self.notion.owner();
        self.write(page, vec![("title".to_owned(), kept)], author);
    }

    /// Ticks or clears a check box.
    pub fn set_checkbox(&mut self, page: NotionId, property: &str, checked: bool) {
        self.set(page, property, checked);
    }

    /// Sets a status or select by the option's name.
    pub fn set_status(&mut self, page: NotionId, property: &str, option: &str) {
        self.set(page, property, option);
    }

    /// Sets a text.
    pub fn set_text(&mut self, page: NotionId, property: &str, text: &str) {
        self.set(page, property, text);
    }

    /// Replaces the related pages.
    pub fn set_relation(&mut self, page: NotionId, property: &str, related: &[NotionId]) {
        self.set(page, property, json!(related));
    }

    /// Writes the Clockify ID of an object into the page, as the last sync did.
    pub fn set_claim(&mut self, page: NotionId, object: ClockifyId) {
        self.set_claim_text(page, &object.to_string());
    }

    /// Writes any text into the property that holds the Clockify ID.
    pub fn set_claim_text(&mut self, page: NotionId, text: &str) {
        let property = self.claim_property(page).expect("the page has a property for the ID");
        self.set(page, &property, text);
    }

    /// The Clockify ID that the page says it has, if any.
    pub fn claim(&self, page: NotionId) -> Option<String> {
        let property = self.claim_property(page)?;
        let state = self.page(page)?;
        let text = state.properties.get(&property)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn claim_property(&self, page: NotionId) -> Option<String> {
        let source = self.notion.source_of(self.notion.pages.get(page)?)?;
        let names = source.properties.iter().map(|property| &property.name);
        names.into_iter().find(|name| name.starts_with("Clockify") && name.ends_with("ID")).cloned()
    }

    /// Moves a page to the trash.
    pub fn trash(&mut self, page: NotionId) {
        self.human_edit(page, |page| page.in_trash = true);
    }

    /// Takes a page out of the trash.
    pub fn restore(&mut self, page: NotionId) {
        self.human_edit(page, |page| page.in_trash = false);
    }

    /// Archives a page, or takes it back; not the same as the trash.
    pub fn set_archived(&mut self, page: NotionId, archived: bool) {
        self.human_edit(page, |page| page.is_archived = archived);
    }

    /// Moves a page out of its database: it still exists, and no listing shows it.
    pub fn move_out(&mut self, page: NotionId) {
        self.human_edit(page, |page| page.parent = Parent::Workspace);
    }

    /// Deletes a page for good: 404 from here on.
    pub fn delete_forever(&mut self, page: NotionId) {
        self.tick();
        self.notion.pages.remove(page).expect("the world has this page");
    }

    /// The connection loses access to a page: 404, as if it were deleted.
    pub fn hide(&mut self, page: NotionId) {
        self.page_mut(page).hidden = true;
    }

    /// The connection gets its access back.
    pub fn show(&mut self, page: NotionId) {
        self.page_mut(page).hidden = false;
    }

    /// Duplicates a page with all its properties, the Clockify ID among them.
    pub fn duplicate(&mut self, page: NotionId) -> NotionId {
        let (parent, values) = {
            let original = self.page_mut(page);
            let values = original.values.iter().map(|(property, value)| (property.to_owned(), value));
            (original.parent, values.collect())
        };
        let author = self.notion.owner();
        let copy = self.insert_page(parent, author);
        self.write(copy, values, author);
        copy
    }

    fn human_edit(&mut self, page: NotionId, edit: impl FnOnce(&mut Page)) {
        let now = self.tick();
        let author = self.notion.owner();
        let page = self.page_mut(page);
        edit(page);
        page.edited = now;
        page.edited_by = author;
    }

    fn page_mut(&mut self, page: NotionId) -> &mut Page {
        self.notion.pages.get_mut(page).expect("the world has this page")
    }

    /// Writes kept values, keeps the far side of two-way relations true, and stamps the page. Whether the far side's
    /// edit time moves is not documented; it does not here.
    pub(crate) fn write(&mut self, id: NotionId, values: Vec<(String, Value)>, author: NotionId) {
        let now = self.tick();
        for (property, value) in values {
            let before = self.notion.pages.get(id).and_then(|page| page.values.get(&property));
            self.mirror(id, &property, &before.unwrap_or_default(), &value);
            self.page_mut(id).values.insert(&property, &value);
        }
        let page = self.page_mut(id);
        page.edited = now;
        page.edited_by = author;
    }

    fn mirror(&mut self, id: NotionId, property: &str, before: &Value, after: &Value) {
        let page = self.notion.pages.get(id);
        let source = page.and_then(|page| self.notion.source_of(page));
        let kind = source.and_then(|source| source.property(property)).map(|property| &property.kind);
        let Some(PropertyKind::Relation(relation)) = kind else {
            return;
        };
        let Some(far_property) = relation.synced.clone() else {
            return;
        };
        let me = id.to_string();
        let related = |value: &Value| -> Vec<NotionId> { id_texts(value).filter_map(NotionId::parse).collect() };
        for far in related(before).into_iter().chain(related(after)) {
            let Some(far_page) = self.notion.pages.get_mut(far) else {
                continue;
            };
            let entry = far_page.values.get(&far_property).unwrap_or_default();
            let mut ids: Vec<String> = id_texts(&entry).filter(|far| **far != me).map(str::to_owned).collect();
            if related(after).contains(&far) {
                ids.push(me.clone());
            }
            far_page.values.insert(&far_property, &json!(ids));
        }
    }
}

/// Looking at rows.
impl World {
    /// A page in readable form; `None` once it is deleted for good.
    pub fn page(&self, id: NotionId) -> Option<PageState> {
        let page = self.notion.pages.get(id)?;
        let source = self.notion.source_of(page);
        let columns = source.map(|source| source.properties.as_slice()).unwrap_or_default();
        let stored = columns.iter().filter(|property| property.kind.writable());
        let properties = stored.map(|property| {
            let kept = page.values.get(&property.id).unwrap_or_else(|| unset(&property.kind));
            (property.name.clone(), plain(property, &kept))
        });
        Some(PageState {
            id,
            source: source.map(|source| source.name.clone()).unwrap_or_default(),
            title: page.title(),
            properties: properties.collect(),
            in_trash: page.in_trash,
            is_archived: page.is_archived,
            hidden: page.hidden,
            edited_by_bot: page.edited_by == self.notion.bot,
            created: page.created,
            edited: page.edited,
        })
    }

    /// The rows of a data source, also those in the trash, in the order of their creation.
    pub fn pages(&self, source: &str) -> Vec<PageState> {
        let Some(source) = self.data_source(source) else {
            return Vec::new();
        };
        let rows = self.notion.pages.values().filter(|page| page.parent == Parent::DataSource(source));
        let mut rows: Vec<&Page> = rows.collect();
        rows.sort_unstable_by_key(|page| page.number);
        rows.into_iter().filter_map(|page| self.page(page.id)).collect()
    }

    /// The oldest row of a data source with this title.
    pub fn find_page(&self, source: &str, title: &str) -> Option<NotionId> {
        self.pages(source).into_iter().find(|page| page.title == title).map(|page| page.id)
    }

    /// The whole Notion side in plain form, by page ID. Times are left out, so that two snapshots can be compared.
    pub fn notion_snapshot(&self) -> Value {
        let pages = self.notion.pages.values().filter_map(|page| self.page(page.id));
        let pages = pages.map(|page| {
            let snapshot = json!({
                "source": page.source, "title": page.title, "properties": page.properties,
                "in_trash": page.in_trash, "is_archived": page.is_archived, "hidden": page.hidden,
            });
            (page.id.to_string(), snapshot)
        });
        let sources = self.notion.data_sources.values().map(|source| {
            let columns = source.properties.iter().map(|column| {
                let options: Vec<&String> = column.kind.choices().iter().map(|choice| &choice.name).collect();
                (column.name.clone(), json!({"type": column.kind.name(), "options": options}))
            });
            (source.id.to_string(), json!({"name": source.name, "properties": columns.collect::<Map<_, _>>()}))
        });
        json!({
            "pages": pages.collect::<Map<_, _>>(),
            "data_sources": sources.collect::<Map<_, _>>(),
        })
    }
}
