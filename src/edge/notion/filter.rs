//! What a query of a data source is to show.

use serde_json::{Value as Json, json};

use super::{property::Property, schema::Bound};
use crate::domain::rules::Holds;

/// A filter by which one of several lists of conditions holds whole, and others besides. Notion takes groups within a
/// group, and none within these (Notion docs, filter data source entries).
pub(super) fn any_of(alternatives: Vec<Vec<Json>>, besides: Vec<Json>) -> Option<Json> {
    let both = |mut conditions: Vec<Json>| {
        if conditions.len() == 1 { conditions.remove(0) } else { json!({"and": conditions}) }
    };
    let all = |conditions: Vec<Json>| both(conditions.into_iter().chain(besides.iter().cloned()).collect());
    let mut each: Vec<Json> = alternatives.into_iter().map(all).collect();
    match each.len() {
        0 => (!besides.is_empty()).then(|| both(besides)),
        1 => Some(each.remove(0)),
        _ => Some(json!({"or": each})),
    }
}

/// What shows all open pages: lists of conditions, of which one holds whole. Nothing where no filter does.
pub(super) fn open(bound: &Bound) -> Option<Vec<Vec<Json>>> {
    let (property, is) = bound.closed.as_ref().filter(|_| bound.only.is_none())?;
    let test = |kind: &str, operator: &str, operand: Json| json!({"property": property.name.exact(), kind: {operator: operand}});
    match (is, property.kind.as_str()) {
        (Holds::Checked(closes), "checkbox") => Some(vec![vec![test("checkbox", "equals", json!(!closes))]]),
        (Holds::OneOf(closing) | Holds::InGroups { options: closing, .. }, kind @ ("select" | "status")) => {
            let known = |option: &&String| property.options.iter().any(|known| known.exact() == option.as_str());
            let is_none: Vec<Json> =
                closing.iter().filter(known).map(|option| test(kind, "does_not_equal", json!(option))).collect();
            (!is_none.is_empty()).then(|| vec![is_none, vec![test(kind, "is_empty", json!(true))]])
        }
        _ => None,
    }
}

/// The filter that shows only the pages that are meant (Notion docs, filter data source entries).
pub(super) fn only(property: &Property, is: &Holds) -> Json {
    let test = |kind: &str, operator: &str, operand: Json| json!({"property": property.name.exact(), kind: {operator: operand}});
    match is {
        Holds::Checked(checked) => test("checkbox", "equals", json!(checked)),
        Holds::OneOf(options) | Holds::InGroups { options, .. } => {
            let operator = if property.kind == "multi_select" { "contains" } else { "equals" };
            let known = |option: &&String| property.options.iter().any(|known| known.exact() == option.as_str());
            json!({"or": options.iter().filter(known).map(|option| test(&property.kind, operator, json!(option))).collect::<Vec<_>>()})
        }
    }
}
