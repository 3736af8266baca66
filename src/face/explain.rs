//! `punchlist explain`: what both sides say about one page or object, and which rules have decided.

use std::collections::BTreeMap;

use super::{
    failure::{Code, RunError},
    print::{page, say_json},
    setup::Global,
    text::put,
};
use crate::{
    domain::{
        explain::{Explained, Explanation, Ruling},
        plan::document::DecidedText,
        rules::Direction,
        text::Shown,
    },
    edge::origin::Origin,
};

/// Columns of a value in the table.
const VALUE_COLUMNS: usize = 28;

/// Prints an explanation. `places` says where keys of the configuration were set.
pub(super) fn print(
    explanation: &Explanation,
    places: &BTreeMap<String, Origin>,
    global: &Global,
) -> Result<(), RunError> {
    if !global.json {
        return page(&text(explanation, places), global);
    }
    let document = serde_json::json!({ "format": "punchlist/explain/1" });
    let mut document = document.as_object().cloned().unwrap_or_default();
    let body = serde_json::to_value(explanation).map_err(|error| RunError::new(Code::Error, error))?;
    document.extend(body.as_object().cloned().unwrap_or_default());
    say_json(&document)
}

fn text(explanation: &Explanation, places: &BTreeMap<String, Origin>) -> String {
    let Explanation { kind, name, page_id, page, clockify_id, object, evidence, fields, changes, notices } =
        explanation;
    let mut text = String::new();
    let kind = kind.map_or_else(|| "page".to_owned(), |kind| kind.to_string());
    put(&mut text, format_args!("{kind} “{}”\n", Shown::of(name).clipped(60)));
    let id = |id: Option<String>| id.map(|id| format!("{id}: ")).unwrap_or_default();
    put(&mut text, format_args!("  page      {}{page}\n", id(page_id.map(|page| page.to_string()))));
    put(&mut text, format_args!("  object    {}{object}\n", id(clockify_id.map(|object| object.to_string()))));
    put(&mut text, format_args!("  together  {evidence}\n"));
    if !fields.is_empty() {
        let row = |text: &mut String, cells: [&str; 5]| {
            let [field, notion, clockify, base, verdict] = cells;
            let cell = |value: &str| {
                let shown = Shown::of(value).clipped(VALUE_COLUMNS);
                format!("{shown}{}", " ".repeat(VALUE_COLUMNS.saturating_sub(shown.width())))
            };
            put(text, format_args!("  {field:<10}{} {} {} {verdict}\n", cell(notion), cell(clockify), cell(base)));
        };
        text.push('\n');
        row(&mut text, ["", "Notion", "Clockify", "last agreed", ""]);
        for field in fields {
            let base = field.base.as_deref().unwrap_or("never");
            let way = match field.direction {
                Direction::ToClockify => "",
                Direction::ToNotion => ", goes from Clockify to Notion",
            };
            let verdict = format!("{}{way}", field.verdict);
            row(&mut text, [field.field, &field.notion, &field.clockify, base, &verdict]);
        }
    }
    for Explained { change, rules } in changes {
        put(&mut text, format_args!("\n{} {} %: {}\n", change.action, change.confidence, change.reason));
        put(&mut text, format_args!("  evidence: {}\n", change.cause.evidence()));
        if let Some(DecidedText { decision, note, decided_by, approvals: _ }) = &change.decided {
            let note = note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            put(&mut text, format_args!("  decided: {decision}, by {decided_by}{note}\n"));
        }
        if let Some(words) = change.second_words() {
            put(&mut text, format_args!("  {words}\n"));
        }
        if let Some(hold) = &change.hold {
            put(&mut text, format_args!("  held: {}\n", hold.text));
        }
        for way in &change.alternatives {
            put(&mut text, format_args!("  or {} ({} %): {}\n", way.action, way.confidence, way.reason));
        }
        for Ruling { keys, value, says } in rules {
            put(&mut text, format_args!("  {}: {says}\n", set(keys, value, places)));
        }
        put(&mut text, format_args!("  ID {}\n", change.id));
    }
    if changes.is_empty() {
        text.push_str("\nNothing is proposed for it.\n");
    }
    for notice in notices {
        put(&mut text, format_args!("\nNotice: {notice}\n"));
    }
    text
}

/// `rules.on_drift = "review" (the defaults)`, with the key that has set it, or the one that would for everything.
fn set(keys: &[String], value: &str, places: &BTreeMap<String, Origin>) -> String {
    let place = |key: &&String| places.get(*key).filter(|place| **place != Origin::Defaults);
    let key = keys.iter().find(|key| place(key).is_some()).or(keys.last());
    let Some(key) = key else { return "policy".to_owned() };
    let place = place(&key).unwrap_or(&Origin::Defaults);
    format!("{key} = {value} ({place})")
}
