//! Reading, writing and creating pages.

use serde_json::{Value, json};

use super::write::{Accepted, rich_text};
use super::{Call, Outcome, Refusal, list, path_id};
use crate::sandbox::ids::NotionId;
use crate::sandbox::world::Parent;
use crate::sandbox::world::schema::PropertyKind;
use crate::sandbox::world::sort::SortKey;

impl Call<'_> {
    pub(super) fn get_page(&mut self, id: &str) -> Outcome {
        let id = path_id("page_id", "page", id)?;
        self.show_page(id)
    }

    fn show_page(&self, id: NotionId) -> Outcome {
        let page = self.seen_page(id)?;
        let wanted = self.wanted(self.world.notion.source_of(page))?;
        Ok(self.render_page(page, wanted.as_deref()))
    }

    pub(super) fn update_page(&mut self, id: &str) -> Outcome {
        let id = path_id("page_id", "page", id)?;
        let body = self.body()?;
        self.refuse_archived(&body)?;
        let page = self.seen_page(id)?;
        let in_trash = flag(&body, "in_trash")?.or(flag(&body, "archived")?);
        let is_archived = flag(&body, "is_archived")?;
        let is_locked = flag(&body, "is_locked")?;
        if page.in_trash && in_trash.is_none() {
            return Err(Refusal::in_trash());
        }
        let source = self.world.notion.source_of(page);
        let wanted = self.wanted(source)?;
        let source_id = source.map(|source| source.id);
        let accepted = match (body.get("properties"), source) {
            (Some(properties), Some(source)) => self.accept(source, properties)?,
            (Some(properties), None) => title_of_plain_page(properties)?,
            (None, _) => Accepted::default(),
        };

        let author = self.access.actor.author();
        self.world.notion.pages.lag(id, self.knobs.notion_lag);
        let values = match source_id {
            Some(source) => self.create_options(source, accepted),
            None => accepted.values,
        };
        self.world.write(id, values, author);
        if let Some(page) = self.world.notion.pages.get_mut(id) {
            page.in_trash = in_trash.unwrap_or(page.in_trash);
            page.is_archived = is_archived.unwrap_or(page.is_archived);
            page.is_locked = is_locked.unwrap_or(page.is_locked);
        }
        let page = self.seen_page(id)?;
        Ok(self.render_page(page, wanted.as_deref()))
    }

    pub(super) fn create_page(&mut self) -> Outcome {
        let body = self.body()?;
        self.refuse_archived(&body)?;
        self.refuse_more_blocks()?;
        let parent = self.parent_of_new_page(&body["parent"])?;
        let empty = json!({});
        let properties = body.get("properties").unwrap_or(&empty);
        let accepted = match parent {
            Parent::DataSource(id) => {
                let source = self.seen_source(id)?;
                self.accept(source, properties)?
            }
            Parent::Page(_) | Parent::Workspace => title_of_plain_page(properties)?,
        };

        let author = self.access.actor.author();
        let id = self.world.insert_page(parent, author);
        let values = match parent {
            Parent::DataSource(source) => self.create_options(source, accepted),
            Parent::Page(_) | Parent::Workspace => accepted.values,
        };
        self.world.write(id, values, author);
        if parent == Parent::Workspace {
            self.world.keep_private(id);
        }
        // Who may not read is told no more than the ID (Notion client, partial pages).
        if self.access.can.read { self.show_page(id) } else { Ok(json!({"object": "page", "id": id})) }
    }

    /// Rows go to a data source; a database ID serves as long as the database has one data source only.
    fn parent_of_new_page(&self, parent: &Value) -> Result<Parent, Refusal> {
        if let Some(text) = parent["data_source_id"].as_str() {
            let id = path_id("parent.data_source_id", "database", text)?;
            return self.open_source(id).map(Parent::DataSource);
        }
        if let Some(text) = parent["database_id"].as_str() {
            let id = path_id("parent.database_id", "database", text)?;
            let database = self.world.notion.databases.get(&id);
            return match database.map(|database| database.data_sources.as_slice()) {
                Some([only]) => self.open_source(*only).map(Parent::DataSource),
                Some(_) => Err(Refusal::validation(
                    "Databases with multiple data sources are not supported in this API version.",
                )),
                None => Err(Refusal::not_found("database", id)),
            };
        }
        self.parent_outside(parent)?.ok_or_else(|| {
            Refusal::validation(
                "body failed validation: body.parent should have a data_source_id, database_id or page_id.",
            )
        })
    }

    /// The data source with this ID, if rows can be added to it.
    fn open_source(&self, id: NotionId) -> Result<NotionId, Refusal> {
        let source = self.seen_source(id)?;
        if self.source_in_trash(source) { Err(Refusal::in_trash()) } else { Ok(id) }
    }

    /// A page, or the workspace: the parents that a page and a database can have. The workspace is for tokens of a
    /// person only (Notion docs, create a page); in which words it is refused is not documented.
    pub(super) fn parent_outside(&self, parent: &Value) -> Result<Option<Parent>, Refusal> {
        if let Some(text) = parent["page_id"].as_str() {
            let page = self.seen_page(path_id("parent.page_id", "page", text)?)?;
            return if page.in_trash { Err(Refusal::in_trash()) } else { Ok(Some(Parent::Page(page.id))) };
        }
        match parent["workspace"].as_bool() {
            Some(true) if self.is_connection() => Err(Refusal::validation(
                "Provided \"parent\" is the workspace, but internal integrations aren't owned by a single user.",
            )),
            Some(true) => Ok(Some(Parent::Workspace)),
            _ => Ok(None),
        }
    }

    /// One property; lists are paginated, which is the only way past the first 25 related pages (Notion docs).
    pub(super) fn get_property(&mut self, page: &str, property: &str) -> Outcome {
        let id = path_id("page_id", "page", page)?;
        let (start_cursor, page_size) = self.paging_of_query()?;
        let page = self.seen_page(id)?;
        let source = self.world.notion.source_of(page);
        let source = source.ok_or_else(|| super::render::unknown_property(property))?;
        let found = source.property(property).ok_or_else(|| super::render::unknown_property(property))?;
        let kind = found.kind.name();
        let value = self.render_value(page, source, found);
        let item = |content: Value| json!({"object": "property_item", "type": kind, "id": found.id, kind: content});
        let paginated = matches!(
            found.kind,
            PropertyKind::Title | PropertyKind::RichText | PropertyKind::Relation(_) | PropertyKind::People
        );
        let Value::Array(contents) = value else {
            return Ok(item(value));
        };
        if !paginated {
            return Ok(item(Value::Array(contents)));
        }
        let rows = contents
            .into_iter()
            .enumerate()
            .map(|(index, content)| (vec![SortKey::Number { value: index as f64, descending: false }], item(content)));
        let rows = rows.collect();
        let property_id = found.id.clone();
        let bound_to = format!("property {id} {property_id}");
        let portion = self.portion(rows, start_cursor.as_deref(), page_size, bound_to, usize::MAX)?;
        let mut body = list(&portion, "property_item");
        body["property_item"] = json!({"id": property_id, "next_url": null, "type": kind, kind: {}});
        Ok(body)
    }
}

fn title_of_plain_page(properties: &Value) -> Result<Accepted, Refusal> {
    let mut accepted = Accepted::default();
    for (key, value) in properties.as_object().into_iter().flatten() {
        if key != "title" {
            return Err(Refusal::validation(format!("{key} is not a property that exists.")));
        }
        let content = if value.is_array() { value } else { &value["title"] };
        accepted.values.push(("title".to_owned(), rich_text(content, "body.properties.title.title")?));
    }
    Ok(accepted)
}

fn flag(body: &Value, key: &str) -> Result<Option<bool>, Refusal> {
    match body.get(key) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(Refusal::validation(format!(
            "body failed validation: body.{key} should be a boolean or `undefined`, instead was `{other}`."
        ))),
    }
}
