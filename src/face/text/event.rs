//! Events of the journal, a line each.

use crate::domain::{
    journal::{Event, What, Write},
    model::Service,
    text::Display,
};

/// An event as one line, without its date. Texts in events are safe to show, or names, which are made so.
pub(crate) fn event(event: &Event) -> String {
    let what = match &event.what {
        What::RunStarted { trigger, by, version, .. } => format!("run started by {by}: {trigger}, version {version}"),
        What::Fetched { service, kind, rows, incomplete } => {
            let incomplete = incomplete.as_ref().map(|because| format!(" (incomplete: {because})")).unwrap_or_default();
            format!("read {rows} {} from {service}{incomplete}", kind.plural())
        }
        What::Planned { plan_hash, changes, undoes } => {
            let undoes = undoes.as_ref().map(|run| format!(" to undo run {}", Display::of(&run.0))).unwrap_or_default();
            format!("planned {changes} changes{undoes}, plan {}", &plan_hash[..plan_hash.len().min(12)])
        }
        What::Difference { change, summary, .. } => format!("found {change} {summary}"),
        What::Approved { change, by } => format!("approved {change} by {by}"),
        What::Intent { write, request, .. } => {
            let request = match request {
                Write::Create { kind, name, .. } => format!("create {kind} “{}”", name.display()),
                Write::Update { kind, object, .. } => format!("update {kind} {object}"),
                Write::WriteBack { kind, page, .. } => format!("write {kind} page {page}"),
            };
            format!("write {}: {request}", write.0)
        }
        What::Outcome { write, outcome } => {
            let outcome = serde_json::to_value(outcome).unwrap_or_default();
            format!("write {}: {}", write.0, Display::of(outcome["outcome"].as_str().unwrap_or_default()))
        }
        What::Linked { page, kind, object, former } => match (object, former) {
            (Some(object), Some(former)) => format!("linked {kind} page {page} with {object}, and no longer with {former}"),
            (Some(object), None) => format!("linked {kind} page {page} with {object}"),
            (None, former) => {
                let former = former.map(|former| former.to_string()).unwrap_or_default();
                format!("parted {kind} page {page} from {former}")
            }
        },
        What::Applied { change } => format!("applied {change}"),
        What::Failed { change, error, hint } => format!("failed {change}: {error} ({hint})"),
        What::NotStarted { change, because } => format!("not started {change}: {because}"),
        What::Exchange { service, method, path, status, millis, attempt } => {
            let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let service = match service {
                Service::Notion => "Notion",
                Service::Clockify => "Clockify",
            };
            format!("{service} {method} {} {status} {millis} ms, attempt {attempt}", Display::of(path))
        }
        What::RunEnded { outcome } => format!("run ended: {}", Display::of(outcome)),
    };
    format!("{}  {what}", event.at.strftime("%H:%M:%S"))
}
