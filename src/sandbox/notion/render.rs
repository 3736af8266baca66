//! A page as the API shows it.

use serde_json::{Map, Value, json};

use super::{Call, Refusal, Version};
use crate::sandbox::ids::NotionId;
use crate::sandbox::world::access::Actor;
use crate::sandbox::world::schema::{Choice, DataSource, NotionUser, NotionUserKind, Property, PropertyKind};
use crate::sandbox::world::values::{id_texts, minute, plain_text, unset};
use crate::sandbox::world::{Page, Parent};

/// People that a row shows; the rest is left out without a word (Notion docs, page object).
const PEOPLE_INLINE_CAP: usize = 25;

/// A user where only its ID is told.
pub(super) fn partial_user(id: NotionId) -> Value {
    json!({"object": "user", "id": id})
}

impl Call<'_> {
    /// The whole page object, with all properties or only the wanted ones.
    pub(super) fn render_page(&self, page: &Page, only: Option<&[String]>) -> Value {
        let notion = &self.world.notion;
        let source = notion.source_of(page);
        let mut parent = render_parent(page.parent);
        if let Some(source) = source {
            parent["database_id"] = json!(source.database);
        }
        let mut properties = Map::new();
        if let Some(source) = source {
            let wanted = |property: &&Property| only.is_none_or(|only| only.contains(&property.id));
            for property in source.properties.iter().filter(wanted) {
                let value = self.render_property(page, source, property);
                properties.insert(property.name.clone(), value);
            }
        } else {
            let title = page.values.get("title").unwrap_or(json!([]));
            let title = json!({"id": "title", "type": "title", "title": title});
            properties.insert("title".to_owned(), title);
        }
        let mut body = json!({
            "object": "page", "id": page.id,
            "created_time": minute(page.created), "last_edited_time": minute(page.edited),
            "created_by": partial_user(page.created_by), "last_edited_by": partial_user(page.edited_by),
            "cover": null, "icon": null, "parent": parent,
            "in_trash": page.in_trash, "is_archived": self.archived(page), "is_locked": page.is_locked,
            "properties": properties,
            "url": format!("https://app.notion.com/p/{}", page.id.to_string().replace('-', "")),
            "public_url": null,
        });
        if self.version == Version::V2025_09_03 {
            body["archived"] = json!(page.in_trash);
        }
        body
    }

    /// The relation of the two flags is not settled by the sources; a knob decides.
    pub(super) fn archived(&self, page: &Page) -> bool {
        page.is_archived || (self.knobs.archived_follows_trash && page.in_trash)
    }

    fn render_property(&self, page: &Page, source: &DataSource, property: &Property) -> Value {
        let mut value = json!({"id": property.id, "type": property.kind.name()});
        let mut content = self.render_value(page, source, property);
        if matches!(property.kind, PropertyKind::Relation(_)) {
            let related = content.as_array().map_or(0, Vec::len);
            let cap = self.knobs.relation_inline_cap;
            value["has_more"] = json!(related > cap);
            if let Value::Array(related) = &mut content {
                related.truncate(cap);
            }
        }
        if let (PropertyKind::People, Value::Array(people)) = (&property.kind, &mut content) {
            people.truncate(PEOPLE_INLINE_CAP);
        }
        value[property.kind.name()] = content;
        value
    }

    /// The content under the type's key, in full length.
    pub(super) fn render_value(&self, page: &Page, source: &DataSource, property: &Property) -> Value {
        let kept = page.values.get(&property.id).unwrap_or_else(|| unset(&property.kind));
        match &property.kind {
            PropertyKind::Select(choices) | PropertyKind::Status(choices) => render_choice(choices, &kept),
            PropertyKind::MultiSelect(choices) => kept
                .as_array()
                .into_iter()
                .flatten()
                .map(|id| render_choice(choices, id))
                .filter(|choice| !choice.is_null())
                .collect(),
            PropertyKind::Relation(relation) => {
                let target = self.world.notion.data_sources.get(&relation.data_source);
                let readable = target.is_some_and(|target| self.shared(target));
                if !readable && self.knobs.relation_empty_when_unshared {
                    return json!([]);
                }
                let exists =
                    |id: &&str| NotionId::parse(id).is_some_and(|id| self.world.notion.pages.get(id).is_some());
                id_texts(&kept).filter(exists).map(|id| json!({"id": id})).collect()
            }
            PropertyKind::People => {
                let users = &self.world.notion.users;
                let known = id_texts(&kept).filter_map(|id| users.iter().find(|user| user.id.to_string() == id));
                known.map(|user| self.render_user(user)).collect()
            }
            PropertyKind::Formula { .. } | PropertyKind::Rollup { .. } if self.knobs.computed_unsupported => {
                json!({"type": "unsupported", "unsupported": {}})
            }
            PropertyKind::Formula { expression } => self.formula(page, source, expression),
            PropertyKind::Rollup { relation, target, function } => {
                self.rollup(page, source, relation, target, function)
            }
            PropertyKind::UniqueId { prefix } => json!({"prefix": prefix, "number": page.number}),
            PropertyKind::CreatedTime => json!(minute(page.created)),
            PropertyKind::LastEditedTime => json!(minute(page.edited)),
            PropertyKind::CreatedBy => partial_user(page.created_by),
            PropertyKind::LastEditedBy => partial_user(page.edited_by),
            _ => kept,
        }
    }

    /// Of the formula language only `prop("X")` is emulated: another property, as a value of the formula's own types.
    fn formula(&self, page: &Page, source: &DataSource, expression: &str) -> Value {
        let name = expression.strip_prefix("prop(\"").and_then(|rest| rest.strip_suffix("\")"));
        let Some(property) = name.and_then(|name| source.property(name)) else {
            return json!({"type": "string", "string": null});
        };
        // A formula of a computed property might not end.
        if !property.kind.writable() {
            return json!({"type": "unsupported", "unsupported": {}});
        }
        let value = self.render_value(page, source, property);
        match &property.kind {
            PropertyKind::Checkbox => json!({"type": "boolean", "boolean": value}),
            PropertyKind::Number { .. } => json!({"type": "number", "number": value}),
            PropertyKind::Date => json!({"type": "date", "date": value}),
            PropertyKind::Select(_) | PropertyKind::Status(_) => json!({"type": "string", "string": value["name"]}),
            PropertyKind::Url | PropertyKind::Email | PropertyKind::PhoneNumber => {
                json!({"type": "string", "string": value})
            }
            _ => json!({"type": "string", "string": plain_text(&value)}),
        }
    }

    /// `count`, `sum`, and for any other function the related values themselves.
    fn rollup(&self, page: &Page, source: &DataSource, relation: &str, target: &str, function: &str) -> Value {
        let related = source.property(relation).map(|property| self.render_value(page, source, property));
        let related = related.unwrap_or_default();
        let ids = related.as_array().into_iter().flatten().filter_map(|item| item["id"].as_str());
        let pages = ids.filter_map(NotionId::parse).filter_map(|id| self.world.notion.pages.get(id));
        if function == "count" {
            return json!({"type": "number", "number": pages.count(), "function": function});
        }
        if function == "sum" {
            let numbers = pages.filter_map(|far| {
                let far_source = self.world.notion.source_of(far)?;
                self.render_value(far, far_source, far_source.property(target)?).as_f64()
            });
            return json!({"type": "number", "number": numbers.sum::<f64>(), "function": function});
        }
        let values = pages.filter_map(|far| {
            let far_source = self.world.notion.source_of(far)?;
            let property = far_source.property(target)?;
            let mut value = json!({"type": property.kind.name()});
            // A rollup of a rollup would not end; Notion refuses it too.
            if !matches!(property.kind, PropertyKind::Rollup { .. }) {
                value[property.kind.name()] = self.render_value(far, far_source, property);
            }
            Some(value)
        });
        json!({"type": "array", "array": values.collect::<Vec<_>>(), "function": function})
    }

    /// A user; the address is a capability of its own (Notion docs, capabilities).
    pub(super) fn render_user(&self, user: &NotionUser) -> Value {
        let mut value = json!({"object": "user", "id": user.id, "name": user.name, "avatar_url": null});
        match &user.kind {
            NotionUserKind::Person { email } => {
                value["type"] = json!("person");
                value["person"] = if self.knobs.people_without_email {
                    json!({})
                } else {
                    json!({"email": email, "email_verified": true})
                };
            }
            NotionUserKind::Bot if self.access.actor == Actor::Connection(user.id) => {
                return self.render_bot(user.id, &user.name, &json!({"type": "workspace", "workspace": true}));
            }
            // Of other bots nothing is told (recorded answer).
            NotionUserKind::Bot => {
                value["type"] = json!("bot");
                value["bot"] = json!({});
            }
        }
        value
    }

    /// The token's own bot; what it may do is not told.
    pub(super) fn render_bot(&self, id: NotionId, name: &str, owner: &Value) -> Value {
        json!({
            "object": "user", "id": id, "name": name, "avatar_url": null, "type": "bot",
            "bot": {
                "owner": owner,
                "workspace_id": self.world.notion.workspace_id,
                "workspace_name": self.world.notion.workspace_name,
                "workspace_limits": {"max_file_upload_size_in_bytes": 5_242_880},
            },
        })
    }

    /// The IDs of the properties that `filter_properties` asks for, by ID or name.
    pub(super) fn wanted(&self, source: Option<&DataSource>) -> Result<Option<Vec<String>>, Refusal> {
        let keys: Vec<&str> = self.request.parameters("filter_properties").collect();
        let (Some(source), false) = (source, keys.is_empty()) else {
            return Ok(None);
        };
        let find = |key: &&str| {
            let property = source.property(key).map(|property| property.id.clone());
            property.ok_or_else(|| unknown_property(key))
        };
        keys.iter().map(find).collect::<Result<_, _>>().map(Some)
    }
}

/// What a page or a database is in.
pub(super) fn render_parent(parent: Parent) -> Value {
    match parent {
        Parent::DataSource(id) => json!({"type": "data_source_id", "data_source_id": id}),
        Parent::Page(id) => json!({"type": "page_id", "page_id": id}),
        Parent::Workspace => json!({"type": "workspace", "workspace": true}),
    }
}

/// A property that a filter, a sort or a path names, and that is not there.
pub(super) fn unknown_property(key: &str) -> Refusal {
    Refusal::validation(format!("Could not find property with name or id: {key}"))
}

fn render_choice(choices: &[Choice], id: &Value) -> Value {
    let choice = choices.iter().find(|choice| Some(choice.id.as_str()) == id.as_str());
    choice.map_or(Value::Null, |choice| json!({"id": choice.id, "name": choice.name, "color": choice.color}))
}
