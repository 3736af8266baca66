//! Events of the journal: a line each, or everything there is to know of one.

use jiff::Timestamp;

use super::{Envelope, fields, read, verb};
use crate::domain::{
    ending::End,
    journal::{Difference, Event, Outcome, Replaced, What, Write},
    model::{Field, Kind, Service, Value, duration_words},
    plan::{client_names, field_word},
    review::{Decision, Resolution},
    text::Shown,
};

/// Columns of a name on a line.
const NAME_COLUMNS: usize = 40;
/// Characters of a text that are shown.
const CHARACTERS_MAX: usize = 4000;
/// Columns of a value on a line.
const VALUE_COLUMNS: usize = 40;

/// When something happened, to the second.
pub fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What happened, on one line. The context is the event that says what this one is about, where it does not say so
/// itself.
pub fn told(event: &Event, context: Option<&Event>) -> String {
    let about = context.map(|context| format!(": {}", subject(context))).unwrap_or_default();
    match &event.what {
        What::RunStarted { trigger, by, host, version, .. } => {
            let host = if host.is_empty() { String::new() } else { format!(" on {}", shown(host)) };
            format!("run started by {}{host}: {}, version {}", shown(by), shown(trigger), shown(version))
        }
        What::ConfigurationChanged { key, from, to } => {
            let value = |value: &Option<String>| value.as_deref().map_or_else(|| "(not set)".to_owned(), shown);
            format!("configuration: {} {} → {}", shown(key), value(from), value(to))
        }
        What::StateMoved { from, to, by } => {
            format!("{} moved the state from {} to {}", shown(by), shown(from), shown(to))
        }
        What::LockBroken { epoch, holder, by } => {
            format!("{} took the right to run, at epoch {epoch}, from {}", shown(by), shown(holder))
        }
        What::SecretRead { key, reference } => format!("secret read: {} from {}", shown(key), shown(reference)),
        What::SecretReplaced { key, reference, how } => {
            let how = match how {
                Replaced::Found => "found to be another one",
                Replaced::Set => "set",
                Replaced::Rotated => "rotated",
            };
            format!("secret {how}: {} in {}", shown(key), shown(reference))
        }
        What::SecretRefused { error } => format!("secret refused: {}", shown(error)),
        What::Fetched { service, kind, rows, incomplete, edited, full_because } => {
            let incomplete = incomplete.as_ref().map(|because| format!(" (incomplete: {because})"));
            let edited = edited.map(|edited| format!(", of which {edited} were edited since the last run"));
            let all = full_because.as_ref().map(|because| format!(", all of them: {because}"));
            let how: String = [incomplete, edited, all].into_iter().flatten().collect();
            format!("read {rows} {} from {service}{how}", kind.plural())
        }
        What::Planned { plan_hash, changes, known, complete, undoes, workspaces: _, clients } => {
            let short: String = plan_hash.chars().take(12).collect();
            let incomplete = if *complete { "" } else { ", of listings that may lack rows" };
            let undoes = undoes.as_ref().map(|run| format!(" to undo run {run}")).unwrap_or_default();
            let of = if clients.is_empty() { String::new() } else { format!(" of {} alone", client_names(clients)) };
            let known = if *known == 0 { String::new() } else { format!(", {known} of them as logged before") };
            format!("planned {changes} changes{known}{of}{undoes}, plan {}{incomplete}", shown(&short))
        }
        What::Difference(difference) => {
            let hold =
                difference.hold.as_ref().map(|hold| format!("; held: {}", shown(&hold.text))).unwrap_or_default();
            format!("found {}: {}{hold}", proposed(difference), shown(&difference.reason))
        }
        What::DifferenceEnded { change, .. } => {
            let change = if about.is_empty() { format!(": {change}") } else { about };
            format!("no longer found{change}")
        }
        What::Braked { class, kind, changes, because } => {
            format!("brake withholds {changes} {} of {}: {}", class.plural(), kind.plural(), shown(because))
        }
        What::ForeignRun { text, .. } => shown(text),
        What::Released { class, count, by } => {
            format!("brake released by {} for {count} {}", shown(by), class.plural())
        }
        What::Decided { by, verdict, change, .. } => {
            let change = if about.is_empty() { format!(" {change}") } else { about };
            let others = verdict.approvals.iter().filter(|approval| approval.by != *by);
            let others: Vec<String> = others.map(|approval| shown(&approval.by)).collect();
            let after = if others.is_empty() { String::new() } else { format!(", after {}", others.join(" and ")) };
            format!("{} by {}{after}{change}", decided(verdict), shown(by))
        }
        What::DecisionOvertaken { by, verdict, change, stands_by, .. } => {
            let change = if about.is_empty() { format!(" {change}") } else { about };
            let stands = stands_by.as_ref().map_or_else(
                || "what they saw was taken back or carried out meanwhile".to_owned(),
                |other| format!("{} had decided otherwise meanwhile", shown(other)),
            );
            format!("not kept: {} by {}{change}: {stands}", decided(verdict), shown(by))
        }
        What::DecisionEnded { by, what, because, .. } => {
            format!("what {} had decided is over: {}: {}", shown(by), shown(what), shown(because))
        }
        What::Approved { change, by, action: _, also } => {
            let names: Vec<String> = also.iter().chain([by]).map(|name| shown(name)).collect();
            let change = if about.is_empty() { format!(" {change}") } else { about };
            format!("approved by {}{change}", names.join(" and "))
        }
        What::Intent { write, request, was, trace, .. } => {
            let with = trace.with.map_or(String::new(), |with| format!(", along with write {}", with.0));
            let name = was.name.shown().clipped(NAME_COLUMNS);
            format!("write {}: {}{with}", write.0, written(request, name.as_str(), &was.before))
        }
        What::Outcome { write, outcome } => format!("write {} {}{about}", write.0, ended(outcome)),
        What::Linked { page, kind, object, former } => match (object, former) {
            (Some(object), Some(former)) => {
                format!("linked {kind} page {page} with {object}, and no longer with {former}")
            }
            (Some(object), None) => format!("linked {kind} page {page} with {object}"),
            (None, former) => {
                let former = former.map(|former| former.to_string()).unwrap_or_default();
                format!("parted {kind} page {page} from {former}")
            }
        },
        What::Applied { change } if about.is_empty() => format!("applied {change}"),
        What::Applied { .. } => format!("applied{about}"),
        What::Failed { change, error, hint } => {
            let change = if about.is_empty() { format!(" {change}") } else { about };
            format!("failed{change}: {} ({})", shown(error), shown(hint))
        }
        What::Begun { change, because } | What::NotStarted { change, because } => {
            let change = if about.is_empty() { format!(" {change}") } else { about };
            let word = if matches!(event.what, What::Begun { .. }) { "begun" } else { "not started" };
            format!("{word}{change}: {}", shown(because))
        }
        What::Halted { what, because, left } => {
            format!("stopped {}, which leaves {left} undone: {}", shown(what), shown(because))
        }
        What::Exchange { service, method, path, status, millis, attempt, .. } => {
            let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            format!("{service} {} {} {status} {millis} ms, attempt {attempt}", shown(method), shown(path))
        }
        What::Exchanges { service, calls, millis } => {
            format!("{service} answered {calls} requests that only read, {millis} ms altogether")
        }
        What::Cut { through, entries, .. } => format!("the {entries} entries up to {through} were cut off the log"),
        What::Called { caller, way, answer, calls, .. } => {
            let caller = caller.as_deref().map_or_else(|| "somebody unknown".to_owned(), shown);
            let times = if *calls == 1 { String::new() } else { format!(" {calls} times") };
            format!("{caller} called{times} ({}): {}", shown(way), answer.word().replace('_', " "))
        }
        What::MonthSealed { month, by, sealed, .. } => {
            let tracked = duration_words(sealed.totals.tracked_s.unwrap_or_default());
            format!("{} sealed the month {} with {tracked} tracked", shown(by), shown(month))
        }
        What::MonthReopened { month, by, .. } => format!("{} opened the month {} again", shown(by), shown(month)),
        What::RunEnded { outcome, .. } => format!("run ended: {}", outcome_words(outcome)),
    }
}

/// The words for how a run ended.
pub fn outcome_words(outcome: &End) -> String {
    match outcome {
        End::Reported(ending) => ending.words().to_owned(),
        End::Without(because) => shown(because),
    }
}

/// Everything of an entry, as `name  value` pairs.
pub fn everything(body: &str) -> Vec<(Shown, Shown)> {
    let mut pairs = Vec::new();
    match serde_json::from_str(body) {
        Ok(json) => flatten("", &json, &mut pairs),
        Err(error) => pairs.push(("unreadable".into(), error.to_string().into())),
    }
    pairs
}

fn flatten(name: &str, json: &serde_json::Value, pairs: &mut Vec<(Shown, Shown)>) {
    use serde_json::Value as Json;
    let below = |key: &str| if name.is_empty() { shown(key) } else { format!("{name}.{}", shown(key)) };
    match json {
        Json::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| flatten(&below(key), value, pairs));
        }
        Json::Array(rows) if rows.iter().any(|row| row.is_object() || row.is_array()) => {
            for (number, row) in (1..).zip(rows) {
                flatten(&below(&number.to_string()), row, pairs);
            }
        }
        Json::String(text) => pairs.push((name.into(), text.as_str().into())),
        json => pairs.push((name.into(), json.to_string().into())),
    }
}

/// What a context is about.
fn subject(context: &Event) -> String {
    match &context.what {
        What::Difference(difference) => proposed(difference),
        What::Intent { request, was, .. } => {
            written(request, was.name.shown().clipped(NAME_COLUMNS).as_str(), &was.before)
        }
        _ => told(context, None),
    }
}

/// What a difference proposes: `update project “Acme”, name “Acme” → “Acme Corp”`.
fn proposed(difference: &Difference) -> String {
    let Difference { kind, name, action, fields, .. } = difference;
    let name = name.shown();
    let head = format!("{action} {kind} “{}”", name.clipped(NAME_COLUMNS));
    let fields = fields.iter().map(|field| from_to(*kind, field.field, &field.from, &field.to));
    listed(std::iter::once(head).chain(fields))
}

/// What a write does, on one line.
fn written(request: &Write, name: &str, before: &std::collections::BTreeMap<Field, Value>) -> String {
    let kind = request.kind();
    let name = match request {
        // A create may be under another name than the page's.
        Write::Create { name, .. } => name.shown().clipped(NAME_COLUMNS).to_string(),
        Write::Update { .. } | Write::WriteBack { .. } | Write::Refile { .. } => name.to_owned(),
    };
    let place = if request.service() == Service::Notion { " page" } else { "" };
    let head = format!("{} {kind}{place} “{name}”", verb(request));
    let fields = fields(request, before).into_iter().map(|(field, from, to)| from_to(kind, field, &from, &to));
    let claim = match request {
        Write::WriteBack { claim: Some(Some(object)), .. } => Some(format!("ID {object}")),
        Write::WriteBack { claim: Some(None), .. } => Some("ID cleared".to_owned()),
        Write::Refile { refiling, .. } => {
            Some(format!("{} in {}", duration_words(refiling.seconds()), refiling.count()))
        }
        _ => None,
    };
    listed(std::iter::once(head).chain(fields).chain(claim))
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A field from what to what.
pub fn from_to(kind: Kind, field: Field, from: &Value, to: &Value) -> String {
    let value = |value: &Value| shown_value(value, VALUE_COLUMNS);
    format!("{} {} → {}", field_word(kind, field), value(from), value(to))
}

/// A value, cut to so many columns.
pub fn shown_value(value: &Value, columns: usize) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        Value::Text(name) => format!("“{}”", name.shown().clipped(columns)),
        value => value.to_raw().shown().clipped(columns).to_string(),
    }
}

/// How a write ended, as it goes on after its number.
pub fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { object: None } => "done".to_owned(),
        Outcome::Done { object: Some(object) } => format!("done ({object})"),
        Outcome::Refused { error, hint } => format!("refused: {} ({})", shown(error), shown(hint)),
        Outcome::NotSent { error, .. } => format!("not sent: {}", shown(error)),
        Outcome::Unknown { error } => format!("with unknown outcome: {}", shown(error)),
        Outcome::Absent => "did not happen, as a look-up showed".to_owned(),
    }
}

/// What was decided, in words.
fn decided(verdict: &Resolution) -> String {
    let words = match &verdict.decision {
        Some(Decision::Approve) => "chosen".to_owned(),
        Some(Decision::Skip) => "skipped".to_owned(),
        Some(Decision::Ignore) => "ignored for good".to_owned(),
        Some(Decision::Flag { note }) => format!("flagged “{}”", shown(note)),
        None => "decision taken back".to_owned(),
    };
    let way = (verdict.way > 0).then(|| format!("way {}", verdict.way + 1));
    let rejected = verdict.rejected.iter().map(|field| format!("without {field}"));
    let edited = verdict.edited.iter().map(|(field, value)| format!("{field} {}", shown_value(value, VALUE_COLUMNS)));
    listed(std::iter::once(words).chain(way).chain(rejected).chain(edited))
}

/// Text that an event holds, once more made safe: the log may have been written by somebody else. What is very long is
/// cut, since looking at millions of characters takes seconds.
fn shown(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS_MAX) {
        None => Shown::of(text).to_string(),
        Some((end, _)) => format!("{}… ({} bytes in all)", Shown::of(&text[..end]), text.len()),
    }
}

/// A body of any version on one line: what cannot be read is shown as it is.
pub fn line_of(body: &str, context: Option<&Event>) -> (Timestamp, String) {
    match read(body) {
        Ok(event) => (event.at, told(&event, context)),
        Err(unread) => {
            let at = serde_json::from_str::<Envelope>(body).map_or(Timestamp::UNIX_EPOCH, |envelope| envelope.at);
            (at, format!("{unread}: {}", Shown::of(body).clipped(200)))
        }
    }
}
