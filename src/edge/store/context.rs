//! What an entry of the log is about, and what that is called.

use super::{
    Fault,
    database::{Database, Row},
    value::values,
};
use crate::domain::{
    audit,
    journal::{Event, What, Write},
    model::{Field, Kind, PageId, Value},
    text::Raw,
};

/// The event that says what another is about, where that does not say so itself: the difference behind a change, the
/// intent behind an outcome.
pub(super) async fn of(database: &Database, event: &Event) -> Result<Option<Event>, Fault> {
    let run = &event.run;
    // What cannot be read is told by verifying; here it is only left out.
    let read = |row: &Row<'_>| Ok(audit::read(row.text(0)?).ok());
    let context = match audit::refers(&event.what) {
        audit::Refers::Itself(_) if !is_of_a_change(&event.what) => None,
        audit::Refers::Write(write, _) => {
            let sql =
                "SELECT body FROM event WHERE n = (SELECT intent_n FROM write WHERE run_id = ?1 AND write_id = ?2)";
            database.first(sql, &values![run, write.0], read).await?
        }
        _ => {
            let Some(change) = audit::change_of(&event.what) else { return Ok(None) };
            let sql = "SELECT body FROM event INDEXED BY event_difference
                       WHERE kind = 'difference' AND change_id = ?1 ORDER BY run_id = ?2 DESC, n DESC LIMIT 1";
            database.first(sql, &values![change, run], read).await?
        }
    };
    Ok(context.flatten())
}

/// True where an event is about a change, and names the page itself.
fn is_of_a_change(what: &What) -> bool {
    matches!(what, What::Decided { .. } | What::DecisionOvertaken { .. } | What::DifferenceEnded { .. })
}

/// What the page of an event is called, and which it is.
pub(super) fn named(event: &Event) -> Option<(Kind, Raw, PageId)> {
    match &event.what {
        What::Difference(difference) => Some((difference.kind, difference.name.clone(), difference.page)),
        What::Intent { request, was, .. } => Some((request.kind(), was.name.clone(), request.page())),
        _ => None,
    }
}

/// What an event says that a page is called, or was, or is to be.
pub(super) fn names(event: &Event) -> Vec<(PageId, &Raw)> {
    match &event.what {
        What::Difference(difference) => vec![(difference.page, &difference.name)],
        What::Intent { request, was, .. } => {
            let fields = if let Write::Update { fields, .. } = request { fields.get(&Field::Name) } else { None };
            let before = was.before.get(&Field::Name).filter(|_| matches!(request, Write::Update { .. }));
            let texts = [fields, before].into_iter().flatten().filter_map(|value| match value {
                Value::Text(text) => Some(text),
                _ => None,
            });
            std::iter::once(&was.name).chain(texts).map(|name| (request.page(), name)).collect()
        }
        _ => Vec::new(),
    }
}
