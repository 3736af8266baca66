//! Databases, data sources and their schemas.

use serde_json::{Map, Value, json};

use super::render::{partial_user, render_parent};
use super::{Call, Outcome, Refusal, path_id};
use crate::sandbox::ids::NotionId;
use crate::sandbox::world::Parent;
use crate::sandbox::world::schema::{Choice, DataSource, Database, Property, PropertyKind, Relation};
use crate::sandbox::world::values::{minute, plain_text, rich_text, unset};

/// Reading containers.
impl Call<'_> {
    /// The data source with this ID. A database's ID is not one, and is not found (recorded answer).
    pub(super) fn seen_source(&self, id: NotionId) -> Result<&DataSource, Refusal> {
        let source = self.world.notion.data_sources.get(&id).filter(|source| self.shared(source));
        source.ok_or_else(|| Refusal::not_found("database", id))
    }

    /// Whether a data source is in the trash. Whether one says so when its database was put there is not documented; a
    /// knob decides.
    pub(super) fn source_in_trash(&self, source: &DataSource) -> bool {
        source.in_trash || (self.knobs.trash_reaches_sources && self.database_in_trash(source))
    }

    pub(super) fn database_in_trash(&self, source: &DataSource) -> bool {
        self.world.notion.databases.get(&source.database).is_some_and(|database| database.in_trash)
    }

    pub(super) fn get_data_source(&self, id: &str) -> Outcome {
        let id = path_id("data_source_id", "database", id)?;
        self.seen_source(id).map(|source| self.render_source(source))
    }

    pub(super) fn get_database(&self, id: &str) -> Outcome {
        let id = path_id("database_id", "database", id)?;
        let database = self.seen_database(id)?;
        if database.data_sources.is_empty() {
            // A linked database (reported by many).
            return Err(Refusal::validation(format!(
                "Database with ID {id} does not contain any data sources accessible by this API bot."
            )));
        }
        Ok(self.render_database(database))
    }

    fn seen_database(&self, id: NotionId) -> Result<&Database, Refusal> {
        let notion = &self.world.notion;
        let database = notion.databases.get(&id).ok_or_else(|| self.no_such("database", id))?;
        let mut sources = database.data_sources.iter().filter_map(|id| notion.data_sources.get(id));
        // Rights are per database, so one source that is not shared hides it (Notion docs, upgrade FAQ).
        if !notion.shows(&self.access, id) || sources.any(|source| !self.shared(source)) {
            return Err(Refusal::not_found("database", id));
        }
        Ok(database)
    }

    fn render_database(&self, database: &Database) -> Value {
        let sources = database.data_sources.iter().filter_map(|id| self.world.notion.data_sources.get(id));
        let sources: Vec<Value> = sources.map(|source| json!({"id": source.id, "name": source.name})).collect();
        let created = database.created.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        json!({
            "object": "database", "id": database.id, "title": rich_text(&database.title), "description": [],
            "parent": render_parent(database.parent),
            "is_inline": false, "in_trash": database.in_trash, "is_locked": false,
            "created_time": created, "last_edited_time": created,
            "data_sources": sources, "icon": null, "cover": null,
            "url": format!("https://app.notion.com/p/{}", database.id.to_string().replace('-', "")),
            "public_url": null,
        })
    }

    pub(super) fn render_source(&self, source: &DataSource) -> Value {
        let notion = &self.world.notion;
        let parent = notion.databases.get(&source.database).map(|database| render_parent(database.parent));
        let properties = source.properties.iter();
        let properties: Map<String, Value> =
            properties.map(|property| (property.name.clone(), self.render_column(source, property))).collect();
        json!({
            "object": "data_source", "id": source.id, "title": rich_text(&source.name), "description": [],
            "parent": {"type": "database_id", "database_id": source.database},
            "database_parent": parent,
            "is_inline": false, "in_trash": self.source_in_trash(source),
            "created_time": minute(source.created), "last_edited_time": minute(source.created),
            "created_by": partial_user(notion.owner()), "last_edited_by": partial_user(notion.owner()),
            "properties": properties, "icon": null, "cover": null,
            "url": format!("https://app.notion.com/p/{}", source.database.to_string().replace('-', "")),
            "public_url": null,
        })
    }

    fn render_column(&self, source: &DataSource, property: &Property) -> Value {
        let options = |choices: &[Choice]| -> Vec<Value> {
            let option = |choice: &Choice| json!({"id": choice.id, "name": choice.name, "color": choice.color, "description": null});
            choices.iter().map(option).collect()
        };
        let config = match &property.kind {
            PropertyKind::Number { format } => json!({"format": format}),
            PropertyKind::Select(choices) | PropertyKind::MultiSelect(choices) => {
                json!({"options": options(choices)})
            }
            PropertyKind::Status(choices) => {
                let groups = ["To-do", "In progress", "Complete"].map(|group| {
                    let members = choices.iter().filter(|choice| choice.group == group);
                    let members: Vec<&String> = members.map(|choice| &choice.id).collect();
                    json!({"id": format!("group-{group}"), "name": group, "color": "gray", "option_ids": members})
                });
                json!({"options": options(choices), "groups": groups})
            }
            PropertyKind::Relation(relation) => self.render_relation(relation),
            PropertyKind::Formula { expression } => json!({"expression": expression}),
            PropertyKind::Rollup { relation, target, function } => json!({
                "relation_property_name": relation,
                "relation_property_id": source.property(relation).map(|property| &property.id),
                "rollup_property_name": target, "rollup_property_id": null, "function": function,
            }),
            PropertyKind::UniqueId { prefix } => json!({"prefix": prefix}),
            _ => json!({}),
        };
        let kind = property.kind.name();
        json!({"id": property.id, "name": property.name, "description": null, "type": kind, kind: config})
    }

    fn render_relation(&self, relation: &Relation) -> Value {
        let target = self.world.notion.data_sources.get(&relation.data_source);
        let mut config = json!({
            "database_id": target.map(|target| target.database), "data_source_id": relation.data_source,
        });
        match &relation.synced {
            None => {
                config["type"] = json!("single_property");
                config["single_property"] = json!({});
            }
            Some(id) => {
                let far = target.and_then(|target| target.property(id));
                config["type"] = json!("dual_property");
                config["dual_property"] = json!({
                    "synced_property_name": far.map(|far| &far.name), "synced_property_id": id,
                });
            }
        }
        config
    }
}

/// Writing containers.
impl Call<'_> {
    /// Creates a database and its first data source. Unknown keys of the body are ignored, an old-style `properties`
    /// among them: the database then has only `Name` (live probe, third party).
    pub(super) fn create_database(&mut self) -> Outcome {
        let body = self.body()?;
        self.refuse_archived(&body)?;
        self.refuse_more_blocks()?;
        let parent = self.parent_outside(&body["parent"])?.ok_or_else(|| {
            Refusal::validation(
                "body failed validation: body.parent.page_id should be defined, instead was `undefined`.",
            )
        })?;
        let columns = self.read_columns(&body["initial_data_source"]["properties"])?;
        let title = title_text(&body["title"]);
        let (database, source) = self.world.add_database(&title, parent);
        self.add_columns(source, columns);
        if parent == Parent::Workspace {
            self.world.keep_private(database);
        }
        self.seen_database(database).map(|database| self.render_database(database))
    }

    pub(super) fn update_database(&mut self, id: &str) -> Outcome {
        let id = path_id("database_id", "database", id)?;
        let body = self.body()?;
        self.refuse_archived(&body)?;
        if self.seen_database(id)?.in_trash && body["in_trash"].is_null() {
            return Err(Refusal::in_trash());
        }
        if let Some(database) = self.world.notion.databases.get_mut(&id) {
            if let Some(title) = body.get("title") {
                database.title = title_text(title);
            }
            database.in_trash = body["in_trash"].as_bool().unwrap_or(database.in_trash);
        }
        self.seen_database(id).map(|database| self.render_database(database))
    }

    pub(super) fn create_data_source(&mut self) -> Outcome {
        let body = self.body()?;
        let Some(database) = body["parent"]["database_id"].as_str() else {
            return Err(Refusal::validation(
                "body failed validation: body.parent.database_id should be defined, instead was `undefined`.",
            ));
        };
        let database = path_id("parent.database_id", "database", database)?;
        if self.seen_database(database)?.in_trash {
            return Err(Refusal::in_trash());
        }
        let columns = self.read_columns(&body["properties"])?;
        let source = self.world.add_data_source(database, &title_text(&body["title"]));
        self.add_columns(source, columns);
        self.seen_source(source).map(|source| self.render_source(source))
    }

    /// Adds, renames (`{"old": {"name": "new"}}`), deletes (`{"x": null}`) columns and replaces options.
    pub(super) fn update_data_source(&mut self, id: &str) -> Outcome {
        let id = path_id("data_source_id", "database", id)?;
        let body = self.body()?;
        self.refuse_archived(&body)?;
        let source = self.seen_source(id)?.clone();
        if self.source_in_trash(&source) && body["in_trash"].is_null() {
            return Err(Refusal::in_trash());
        }
        let mut added = Map::new();
        let mut changed = Vec::new();
        for (key, change) in body["properties"].as_object().into_iter().flatten() {
            match source.property(key) {
                Some(property) => changed.push((property.id.clone(), change.clone())),
                None if change.is_null() => {
                    return Err(Refusal::validation(format!("{key} is not a property that exists.")));
                }
                None => {
                    added.insert(key.clone(), change.clone());
                }
            }
        }
        let columns = added.into_iter().map(|(name, config)| self.read_column(&name, &config));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        if columns.iter().any(|(_, kind)| *kind == PropertyKind::Title) {
            return Err(Refusal::validation("Exactly one property has to be the title."));
        }
        if changed.iter().any(|(id, change)| id == "title" && change.is_null()) {
            return Err(Refusal::validation("Title property cannot be deleted."));
        }
        let changed = changed
            .into_iter()
            .map(|(property, change)| self.new_kind(&source, &property, &change).map(|kind| (property, change, kind)));
        let changed = changed.collect::<Result<Vec<_>, _>>()?;
        self.add_columns(id, columns);
        for (property, change, kind) in changed {
            self.change_column(id, &property, &change);
            if let Some(kind) = kind {
                self.convert_column(id, &property, kind);
            }
        }
        if let Some(source) = self.world.notion.data_sources.get_mut(&id) {
            if let Some(title) = body.get("title") {
                source.name = title_text(title);
            }
            source.in_trash = body["in_trash"].as_bool().unwrap_or(source.in_trash);
        }
        self.seen_source(id).map(|source| self.render_source(source))
    }

    /// The other type that a change gives a column, if it does. That of the title stays (Notion docs, update property).
    fn new_kind(
        &mut self,
        source: &DataSource,
        property: &str,
        change: &Value,
    ) -> Result<Option<PropertyKind>, Refusal> {
        let before = source.property(property).map(|property| property.kind.name());
        if change.is_null() || type_key(change).is_none_or(|after| Some(after) == before) {
            return Ok(None);
        }
        let (_, kind) = self.read_column(property, change)?;
        if property == "title" || kind == PropertyKind::Title {
            return Err(Refusal::validation("The type of the title property cannot change."));
        }
        Ok(Some(kind))
    }

    /// What becomes of the values is not documented; here they are gone, the harsher reading.
    fn convert_column(&mut self, source: NotionId, property: &str, kind: PropertyKind) {
        let blank = unset(&kind);
        for page in self.world.notion.pages.values_mut().filter(|page| page.parent == Parent::DataSource(source)) {
            page.values.insert(property, &blank);
        }
        let column = self.world.notion.data_sources.get_mut(&source);
        if let Some(column) = column.and_then(|source| source.property_mut(property)) {
            column.kind = kind;
        }
    }

    fn change_column(&mut self, source: NotionId, property: &str, change: &Value) {
        let options = change.get("select").or(change.get("multi_select")).or(change.get("status"));
        let options = options.and_then(|config| config["options"].as_array()).cloned();
        let fresh: Vec<Choice> = options.iter().flatten().map(|option| self.read_choice(option, "To-do")).collect();
        let Some(source) = self.world.notion.data_sources.get_mut(&source) else {
            return;
        };
        if change.is_null() {
            source.properties.retain(|column| column.id != property);
            return;
        }
        let Some(column) = source.property_mut(property) else {
            return;
        };
        if let Some(name) = change["name"].as_str() {
            name.clone_into(&mut column.name);
        }
        if let (true, Some(choices)) = (options.is_some(), column.kind.choices_mut()) {
            // Options are a replacement; those that stay keep their ID, colour and group.
            let kept = |fresh: Choice| {
                let known = choices.iter().find(|known| known.name == fresh.name || known.id == fresh.id);
                known.cloned().unwrap_or(fresh)
            };
            *choices = fresh.into_iter().map(kept).collect();
        }
    }

    fn read_columns(&mut self, properties: &Value) -> Result<Vec<(String, PropertyKind)>, Refusal> {
        let columns = properties.as_object().into_iter().flatten();
        let mut columns: Vec<(String, PropertyKind)> =
            columns.map(|(name, config)| self.read_column(name, config)).collect::<Result<_, _>>()?;
        match columns.iter().filter(|(_, kind)| *kind == PropertyKind::Title).count() {
            0 => columns.insert(0, ("Name".to_owned(), PropertyKind::Title)),
            1 => {}
            _ => {
                return Err(Refusal::validation("Exactly one property has to be the title."));
            }
        }
        Ok(columns)
    }

    fn read_column(&mut self, name: &str, config: &Value) -> Result<(String, PropertyKind), Refusal> {
        let Some((kind, config)) = type_key(config).map(|key| (key, &config[key])) else {
            return Err(Refusal::validation(format!(
                "body failed validation: body.properties.{name} should have a type."
            )));
        };
        if let Some(kind) = PropertyKind::without_settings(kind) {
            return Ok((name.to_owned(), kind));
        }
        let text = |key: &str| config[key].as_str().map(str::to_owned);
        let kind = match kind {
            "number" => PropertyKind::Number { format: text("format").unwrap_or("number".to_owned()) },
            "select" => PropertyKind::Select(self.read_choices(config)),
            "multi_select" => PropertyKind::MultiSelect(self.read_choices(config)),
            "status" if config["options"].is_array() => PropertyKind::Status(self.read_choices(config)),
            "status" => PropertyKind::Status(self.default_statuses()),
            "relation" => PropertyKind::Relation(self.read_relation(config)?),
            "formula" => PropertyKind::Formula { expression: text("expression").unwrap_or_default() },
            "rollup" => PropertyKind::Rollup {
                relation: text("relation_property_name").unwrap_or_default(),
                target: text("rollup_property_name").unwrap_or_default(),
                function: text("function").unwrap_or_default(),
            },
            "unique_id" => PropertyKind::UniqueId { prefix: text("prefix") },
            other => {
                return Err(Refusal::validation(format!(
                    "body failed validation: body.properties.{name}.{other} is not a property type."
                )));
            }
        };
        Ok((name.to_owned(), kind))
    }

    /// What `status: {}` gives (Notion docs, property object).
    fn default_statuses(&mut self) -> Vec<Choice> {
        let mut statuses = self.world.statuses();
        statuses.retain(|choice| choice.name != "Obsolete");
        statuses
    }

    fn read_choices(&mut self, config: &Value) -> Vec<Choice> {
        let options = config["options"].as_array().into_iter().flatten();
        options.map(|option| self.read_choice(option, "To-do")).collect()
    }

    fn read_choice(&mut self, option: &Value, group: &str) -> Choice {
        let text = |key: &str, otherwise: &str| option[key].as_str().unwrap_or(otherwise).to_owned();
        let (name, color, group) = (text("name", ""), text("color", "default"), text("group", group));
        let mut choice = self.world.new_choice(&name, &color, &group);
        choice.id = text("id", &choice.id);
        choice
    }

    /// A two-way relation is created one-way here; the far property is added once this one has an ID.
    fn read_relation(&self, config: &Value) -> Result<Relation, Refusal> {
        let target = config["data_source_id"].as_str().unwrap_or_default();
        let target = path_id("relation.data_source_id", "database", target)?;
        self.seen_source(target)?;
        let synced = config
            .get("dual_property")
            .map(|dual| dual["synced_property_name"].as_str().unwrap_or("Related").to_owned());
        Ok(Relation { data_source: target, synced })
    }

    /// Adds columns to a data source, the far sides of two-way relations, and unset values to rows that exist.
    fn add_columns(&mut self, source: NotionId, columns: Vec<(String, PropertyKind)>) {
        for (name, mut kind) in columns {
            let mut far = None;
            if let PropertyKind::Relation(relation) = &mut kind {
                far = relation.synced.take().map(|far_name| (relation.data_source, far_name));
            }
            let blank = unset(&kind);
            let id = self.world.add_property(source, &name, kind);
            for page in self.world.notion.pages.values_mut() {
                if page.parent == Parent::DataSource(source) && page.values.get(&id).is_none() {
                    page.values.insert(&id, &blank);
                }
            }
            let Some((target, far_name)) = far else {
                continue;
            };
            let back = Relation { data_source: source, synced: Some(id.clone()) };
            let far_id = self.world.add_property(target, &far_name, PropertyKind::Relation(back));
            let source = self.world.notion.data_sources.get_mut(&source);
            if let Some(property) = source.and_then(|source| source.property_mut(&id)) {
                property.kind = PropertyKind::Relation(Relation { data_source: target, synced: Some(far_id) });
            }
        }
    }
}

/// The key that tells a column's type, and under which its configuration is.
fn type_key(config: &Value) -> Option<&str> {
    let mut keys = config.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    keys.find(|key| !["type", "name", "description"].contains(key))
}

fn title_text(title: &Value) -> String {
    let runs = title.as_array().into_iter().flatten();
    let text = |run: &Value| run["text"]["content"].as_str().map(str::to_owned);
    let written: String = runs.filter_map(text).collect();
    if written.is_empty() { plain_text(title) } else { written }
}
