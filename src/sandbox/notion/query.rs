//! Querying a data source: what is listed, in which order, and how a listing ends.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::filter::Filter;
use super::render::unknown_property;
use super::{Call, Outcome, PAGE_SIZE_MAX, Refusal, compare, list, page_size, path_id};
use crate::sandbox::ids::NotionId;
use crate::sandbox::world::schema::{DataSource, Order, Property, PropertyKind};
use crate::sandbox::world::sort::SortKey;
use crate::sandbox::world::values::{minute, plain, plain_text, unset};
use crate::sandbox::world::{Page, Parent};

/// The keys that the body may have (Notion docs: nothing else; `in_trash` is refused).
const BODY_KEYS: [&str; 6] = ["sorts", "filter", "start_cursor", "page_size", "is_archived", "result_type"];

/// One criterion of the order.
struct Sort {
    by: By,
    descending: bool,
}

enum By {
    Created,
    Edited,
    Property(Property),
}

impl Call<'_> {
    pub(super) fn query(&mut self, id: &str) -> Outcome {
        let id = path_id("data_source_id", "database", id)?;
        let body = self.body()?;
        if let Some(key) =
            body.as_object().into_iter().flat_map(|body| body.keys()).find(|key| !BODY_KEYS.contains(&key.as_str()))
        {
            return Err(Refusal::validation(format!(
                "body failed validation: body.{key} should be not present, instead was `{}`.",
                body[key]
            )));
        }
        let source = self.seen_source(id)?.clone();
        let wanted = self.wanted(Some(&source))?;
        let filter = body.get("filter").map(|filter| Filter::read(filter, &source)).transpose()?;
        let sorts = body["sorts"].as_array().into_iter().flatten();
        let mut sorts: Vec<Sort> = sorts.map(|sort| read_sort(sort, &source)).collect::<Result<_, _>>()?;
        if self.knobs.sorts_ignored {
            sorts = vec![Sort { by: By::Created, descending: true }];
        }
        let archived = match body.get("is_archived") {
            None => false,
            Some(Value::Bool(archived)) => *archived,
            Some(other) => {
                return Err(Refusal::validation(format!(
                    "body failed validation: body.is_archived should be a boolean or `undefined`, instead was `{other}`."
                )));
            }
        };
        let size = body.get("page_size").map(page_size).transpose()?;
        let bound_to = bound_to(&source, &body, self.request.parameters("filter_properties"));
        let start_cursor = match body.get("start_cursor") {
            None => None,
            Some(Value::String(cursor)) => Some(cursor.as_str()),
            Some(_) => return Err(Refusal::validation("The start_cursor provided is invalid")),
        };

        let after = match start_cursor {
            None => None,
            Some(text) => Some(self.resume(text, &bound_to)?.after),
        };
        let (follows, now) = (self.knobs.archived_follows_trash, self.world.now());
        let is_row = |call: &Self, page: &Page| {
            let selected = call.archived(page) == archived;
            let live = !page.in_trash || (follows && archived);
            let is_asked = filter.as_ref().filter(|_| !call.knobs.filters_ignored);
            let matches = || is_asked.is_none_or(|filter| filter.matches(page, now));
            selected && live && call.visible(page) && matches()
        };
        let parent = Parent::DataSource(source.id);
        let is_by_time = sorts.iter().all(|sort| matches!(sort.by, By::Created | By::Edited));
        let settled = self.world.notion.pages.version().filter(|_| is_by_time);
        let rows: Vec<(Vec<SortKey>, Page)> = if let Some(version) = settled {
            // What is in no page of this listing need not be looked at: a portion is a hundred rows of perhaps a million.
            let order = self.order(
                version,
                parent,
                &sorts,
                format!("{} {} {}", source.id, body["sorts"], self.knobs.sorts_ignored),
            );
            let passed = |(key, _): &(Vec<SortKey>, _)| {
                after.as_ref().is_some_and(|after| compare(key, after) != Ordering::Greater)
            };
            let oldest_first = matches!(sorts.first(), Some(Sort { by: By::Created, descending: false }));
            let is_asked = filter.as_ref().filter(|_| oldest_first && !self.knobs.filters_ignored);
            let from = is_asked.and_then(Filter::created_from).map(|value| SortKey::Text { value, descending: false });
            let is_earlier = |(key, _): &(Vec<SortKey>, _)| {
                from.as_ref().zip(key.first()).is_some_and(|(from, key)| key.compare(from) == Ordering::Less)
            };
            let begin = order.partition_point(passed).max(order.partition_point(is_earlier));
            let left = order[begin..].iter();
            let rows = left.filter_map(|(key, id)| {
                let page = self.world.notion.pages.get(*id).filter(|page| is_row(self, page))?;
                Some((key.clone(), page.clone()))
            });
            rows.take(PAGE_SIZE_MAX + 1).collect()
        } else {
            let pages = self.world.notion.pages.listing(|page| page.parent == parent);
            pages.into_iter().filter(|page| is_row(self, page)).map(|page| (place(&sorts, &page), page)).collect()
        };
        let portion = self.portion(rows, start_cursor, size, bound_to, self.knobs.row_cap)?;
        let rendered = portion.rows.iter().map(|page| self.render_page(page, wanted.as_deref())).collect();
        let portion = super::Portion { rows: rendered, next_cursor: portion.next_cursor, capped: portion.capped };
        Ok(list(&portion, "page_or_data_source"))
    }
}

impl Call<'_> {
    /// All pages of a data source in an order by time, kept until a page changes.
    fn order(&mut self, version: u64, parent: Parent, sorts: &[Sort], name: String) -> Order {
        if let Some((of, order)) = self.world.notion.orders.get(&name)
            && *of == version
        {
            return Arc::clone(order);
        }
        let pages = self.world.notion.pages.values().filter(|page| page.parent == parent);
        let mut order: Vec<(Vec<SortKey>, NotionId)> = pages.map(|page| (place(sorts, page), page.id)).collect();
        order.sort_by(|one, two| compare(&one.0, &two.0));
        let order: Order = order.into();
        self.world.notion.orders.insert(name, (version, Arc::clone(&order)));
        order
    }
}

/// A row's place by all criteria, and then by its ID.
fn place(sorts: &[Sort], page: &Page) -> Vec<SortKey> {
    let id = SortKey::Text { value: page.id.to_string(), descending: false };
    sorts.iter().map(|sort| sort_key(sort, page)).chain([id]).collect()
}

/// A cursor belongs to the request it came from: same source, filter, order and properties.
fn bound_to<'a>(source: &DataSource, body: &Value, properties: impl Iterator<Item = &'a str>) -> String {
    let properties: Vec<&str> = properties.collect();
    format!("query {} {} {} {} {}", source.id, body["filter"], body["sorts"], body["is_archived"], properties.join(","))
}

fn read_sort(sort: &Value, source: &DataSource) -> Result<Sort, Refusal> {
    let descending = match sort["direction"].as_str() {
        Some("ascending") => false,
        Some("descending") => true,
        _ => {
            return Err(Refusal::validation(format!(
                "body failed validation: body.sorts[0].direction should be `\"ascending\"` or `\"descending\"`, instead \
                 was `{}`.",
                sort["direction"]
            )));
        }
    };
    let by = match (sort["timestamp"].as_str(), sort["property"].as_str()) {
        (Some("created_time"), None) => By::Created,
        (Some("last_edited_time"), None) => By::Edited,
        (None, Some(key)) => {
            let property = source.property(key).ok_or_else(|| unknown_property(key))?;
            match property.kind {
                PropertyKind::CreatedTime => By::Created,
                PropertyKind::LastEditedTime => By::Edited,
                _ => By::Property(property.clone()),
            }
        }
        _ => {
            return Err(Refusal::validation(
                "body failed validation: body.sorts[0] should have a property or a timestamp.",
            ));
        }
    };
    Ok(Sort { by, descending })
}

/// A row's place by one criterion. Options sort in the order of the schema, check boxes as 0 and 1.
fn sort_key(sort: &Sort, page: &Page) -> SortKey {
    let descending = sort.descending;
    let text = |value: String| {
        if value.is_empty() { SortKey::Empty } else { SortKey::Text { value, descending } }
    };
    let property = match &sort.by {
        By::Created => return text(minute(page.created)),
        By::Edited => return text(minute(page.edited)),
        By::Property(property) => property,
    };
    let kept = page.values.get(&property.id).unwrap_or_else(|| unset(&property.kind));
    match &property.kind {
        PropertyKind::Title | PropertyKind::RichText => text(plain_text(&kept).to_lowercase()),
        PropertyKind::Select(choices) | PropertyKind::Status(choices) => {
            let place = choices.iter().position(|choice| Some(choice.id.as_str()) == kept.as_str());
            place.map_or(SortKey::Empty, |place| SortKey::Number { value: place as f64, descending })
        }
        PropertyKind::UniqueId { .. } => SortKey::Number { value: page.number as f64, descending },
        PropertyKind::Date => text(kept["start"].as_str().unwrap_or_default().to_owned()),
        _ => match plain(property, &kept) {
            Value::Bool(value) => SortKey::Number { value: f64::from(u8::from(value)), descending },
            Value::Number(value) => SortKey::Number { value: value.as_f64().unwrap_or_default(), descending },
            Value::String(value) => text(value),
            _ => SortKey::Empty,
        },
    }
}
