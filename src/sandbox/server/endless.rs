//! Listings that never end.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::sandbox::wire::{Answer, Body, Request};

/// What was numbered so far: rows and cursors.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Asks for the first page, whichever was asked for.
pub(super) fn first_page(request: &mut Request) {
    if let Body::Json(Value::Object(body)) = &mut request.body {
        body.remove("start_cursor");
    }
    request.query.retain(|(name, _)| name != "page" && name != "start_cursor");
}

/// A page of the same rows, or of new ones with names that are so much longer, after which there are more.
pub(super) fn page(mut answer: Answer, longer: Option<usize>) -> Answer {
    answer.headers.retain(|(name, _)| *name != "last-page");
    answer.headers.push(("last-page", "false".to_owned()));
    let Some(body) = answer.body.as_mut() else { return answer };
    let rows = if body.is_array() { body.as_array_mut() } else { body["results"].as_array_mut() };
    if let (Some(rows), Some(longer)) = (rows, longer) {
        for row in rows {
            renew(row, longer);
        }
    }
    if body["results"].is_array() {
        body["has_more"] = json!(true);
        body["next_cursor"] = json!(format!("cursor-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    }
    answer
}

fn renew(row: &mut Value, longer: usize) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("Row {number}{}", "x".repeat(longer));
    if row["object"] == "page" {
        row["id"] = json!(format!("00000000-0000-4000-8000-{number:012x}"));
        let properties = row["properties"].as_object_mut().into_iter().flat_map(|properties| properties.values_mut());
        for property in properties.filter(|property| property["type"] == "title") {
            property["title"] = json!([{"type": "text", "text": {"content": name}, "plain_text": name}]);
        }
    } else {
        row["id"] = json!(format!("{number:024x}"));
        row["name"] = json!(name);
    }
}
