//! Who and what there is: users, and search.

use serde_json::{Value, json};

use super::render::partial_user;
use super::{Call, Outcome, Portion, Refusal, list, page_size, path_id};
use crate::sandbox::ids::NotionId;
use crate::sandbox::knobs::PersonalMe;
use crate::sandbox::world::access::Actor;
use crate::sandbox::world::{sort::SortKey, values::minute};

/// Users.
impl Call<'_> {
    /// The bot of a connection. What a personal access token is shown is unproved, hence the knobs.
    pub(super) fn me(&self) -> Value {
        let notion = &self.world.notion;
        let user = |id: NotionId| {
            let user = notion.users.iter().find(|user| user.id == id);
            user.map_or_else(|| partial_user(id), |user| self.render_user(user))
        };
        let (person, bot) = match self.access.actor {
            Actor::Connection(bot) => return user(bot),
            Actor::Person { person, bot } => (person, bot),
        };
        let owner = match self.knobs.personal_me {
            PersonalMe::Person => return user(person),
            PersonalMe::BotOfPerson => json!({"type": "user", "user": user(person)}),
            PersonalMe::BotOfPersonId => json!({"type": "user", "user": partial_user(person)}),
            PersonalMe::BotOfWorkspace => json!({"type": "workspace", "workspace": true}),
        };
        let mut me = self.render_bot(bot, "Personal access token", &owner);
        if let (true, Some(me)) = (self.knobs.personal_without_workspace, me["bot"].as_object_mut()) {
            me.remove("workspace_id");
        }
        me
    }

    pub(super) fn list_users(&mut self) -> Outcome {
        self.refuse_users()?;
        let (start_cursor, page_size) = self.paging_of_query()?;
        let users = self.world.notion.users.iter().enumerate();
        let rows = users.map(|(index, user)| (place(index), self.render_user(user))).collect();
        let portion = self.portion(rows, start_cursor.as_deref(), page_size, "users".to_owned(), usize::MAX)?;
        Ok(list(&portion, "user"))
    }

    pub(super) fn get_user(&self, id: &str) -> Outcome {
        self.refuse_users()?;
        let id = path_id("user_id", "user", id)?;
        let user = self.world.notion.users.iter().find(|user| user.id == id);
        user.map(|user| self.render_user(user)).ok_or_else(|| Refusal::not_found("user", id))
    }

    fn refuse_users(&self) -> Result<(), Refusal> {
        if self.knobs.users_refused {
            return Err(Refusal::restricted());
        }
        Ok(())
    }
}

/// The body and its parts hold what is documented and nothing else (Notion `OpenAPI` document).
fn refuse_odd_search(body: &Value) -> Result<(), Refusal> {
    let parts: [(&str, &Value, &[&str]); 3] = [
        ("body", body, &["query", "filter", "sort", "start_cursor", "page_size"]),
        ("body.filter", &body["filter"], &["property", "value", "in_trash"]),
        ("body.sort", &body["sort"], &["property", "timestamp", "direction"]),
    ];
    for (path, part, known) in parts {
        let keys = part.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        if let Some(odd) = keys.into_iter().find(|key| !known.contains(key)) {
            return Err(Refusal::validation(format!(
                "body failed validation: {path}.{odd} should be not present, instead was `{}`.",
                part[odd]
            )));
        }
    }
    let expected = |path: &str, value: &str, found: &Value| {
        Refusal::validation(format!(
            "body failed validation: body.{path} should be `\"{value}\"`, instead was `{found}`."
        ))
    };
    let (filter, sort) = (&body["filter"], &body["sort"]);
    match (filter.get("value"), &filter["property"]) {
        (Some(_), property) if property != "object" => return Err(expected("filter.property", "object", property)),
        _ => {}
    }
    match (sort.get("property"), sort.get("timestamp")) {
        (Some(property), _) if property != "relevance" => Err(expected("sort.property", "relevance", property)),
        (None, Some(timestamp)) if timestamp != "last_edited_time" => {
            Err(expected("sort.timestamp", "last_edited_time", timestamp))
        }
        _ => Ok(()),
    }
}

fn place(index: usize) -> Vec<SortKey> {
    vec![SortKey::Number { value: index as f64, descending: false }]
}

/// Search.
impl Call<'_> {
    /// Finds pages and data sources by title. The real index is delayed and not exhaustive; a knob blinds this one.
    pub(super) fn search(&mut self) -> Outcome {
        let body = self.body()?;
        refuse_odd_search(&body)?;
        let filter = &body["filter"];
        let wanted = match filter["value"].as_str() {
            None => None,
            Some(value @ ("page" | "data_source")) => Some(value.to_owned()),
            Some(value) => {
                return Err(Refusal::validation(format!(
                    "body failed validation: body.filter.value should be `\"page\"` or `\"data_source\"`, instead was \
                     `\"{value}\"`."
                )));
            }
        };
        let in_trash = filter["in_trash"].as_bool().unwrap_or(false);
        let size = body.get("page_size").map(page_size).transpose()?;
        let text = body["query"].as_str().unwrap_or_default().to_lowercase();
        let descending = body["sort"]["direction"].as_str() != Some("ascending");

        let mut found = Vec::new();
        let wants = |kind: &str| wanted.as_deref().is_none_or(|wanted| wanted == kind);
        if wants("data_source") && !self.knobs.search_blind {
            let sources = self.world.notion.data_sources.values();
            let sources = sources.filter(|source| {
                let in_trash_now = source.in_trash || self.database_in_trash(source);
                self.shared(source) && in_trash_now == in_trash
            });
            for source in sources.filter(|source| source.name.to_lowercase().contains(&text)) {
                found.push((minute(source.created), source.id, self.render_source(source)));
            }
        }
        if wants("page") && !self.knobs.search_blind {
            let pages = self.world.notion.pages.values();
            let pages = pages.filter(|page| self.visible(page) && page.in_trash == in_trash);
            for page in pages.filter(|page| page.title().to_lowercase().contains(&text)) {
                found.push((minute(page.edited), page.id, self.render_page(page, None)));
            }
        }
        let rows = found.into_iter().map(|(edited, id, row)| {
            let place = vec![
                SortKey::Text { value: edited, descending },
                SortKey::Text { value: id.to_string(), descending: false },
            ];
            (place, row)
        });
        let rows = rows.collect();
        let bound_to = format!("search {text} {filter} {}", body["sort"]);
        let cursor = body["start_cursor"].as_str();
        let portion: Portion<Value> = self.portion(rows, cursor, size, bound_to, self.knobs.row_cap)?;
        Ok(list(&portion, "page_or_data_source"))
    }
}
