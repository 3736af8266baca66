//! What pages tell their readers in Notion of what waits for a person: a word, and why.
//!
//! It is another plan through the same door. A page that tells it already is not written again, and one about which
//! nothing waits tells nothing, so that the cost grows with what waits and not with what there is.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    journal::Difference,
    model::{Field, Kind, Page, PageId, Service, Snapshots, Standing, Value},
    pending::{Waiting, Waits},
    plan::{Action, Cause, Change, FieldChange, Place, Plan, Proposal, State, change_id, field_word},
    rules::Rules,
    text::{Shown, canonical},
};

/// Lines of reasons in a page.
const LINES_MAX: usize = 10;
/// Columns of a line.
const LINE_COLUMNS: usize = 300;

/// How a page stands, the least urgent first; the most urgent names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Skipped,
    Review,
    Flagged,
    Held,
    Failed,
}

impl Word {
    fn of(waits: Waits) -> Self {
        match waits {
            Waits::Skipped => Self::Skipped,
            Waits::Review => Self::Review,
            Waits::Flagged => Self::Flagged,
            Waits::Held => Self::Held,
            Waits::Failed => Self::Failed,
        }
    }

    /// The option or text in the page. Options may have no comma (Notion docs, page property values).
    fn text(self) -> &'static str {
        match self {
            Self::Skipped => "Skipped",
            Self::Review => "Needs review",
            Self::Flagged => "Flagged",
            Self::Held => "Held",
            Self::Failed => "Failed",
        }
    }
}

/// What a page is to tell.
#[derive(Default)]
struct Tale {
    word: Option<Word>,
    lines: BTreeSet<String>,
}

impl Tale {
    fn add(&mut self, word: Word, line: &str) {
        self.word = self.word.max(Some(word));
        self.lines.insert(Shown::of(line).clipped(LINE_COLUMNS).to_string());
    }

    fn value(&self, field: Field) -> Value {
        if field == Field::SyncStatus {
            return self.word.map_or(Value::Empty, |word| Value::text(word.text()));
        }
        let more = self.lines.len().saturating_sub(LINES_MAX);
        let more = (more > 0).then(|| format!("and {more} more"));
        let lines: Vec<String> = self.lines.iter().take(LINES_MAX).cloned().chain(more).collect();
        Value::text(&lines.join("\n"))
    }
}

/// What pages have to be told after a run: what waits of its plan. Pages that cannot be written, and those of a plan
/// that may lack some, stay as they are.
pub fn status_plan(plan: &Plan, waiting: &[Waiting<'_>], snapshots: &Snapshots, rules: &Rules) -> Plan {
    let mut tales: BTreeMap<PageId, Tale> = BTreeMap::new();
    for Waiting { change, waits, reason } in waiting {
        let failed = if *waits == Waits::Failed { " failed" } else { "" };
        let line = format!("{}{failed}: {reason}", doing(change));
        tales.entry(change.page).or_default().add(Word::of(*waits), &line);
    }
    let mut telling = Plan { complete: true, scope: plan.scope.clone(), ..Plan::default() };
    for kind in Kind::ALL {
        for page in snapshots.pages[kind]
            .rows()
            .iter()
            .filter(|page| page.standing != Standing::Trashed && plan.is_about(page.id))
        {
            let silent = Tale::default();
            let tale = tales.get(&page.id).unwrap_or(&silent);
            let fields = differing(page, rules.mapping[kind].sync_status.keys().copied(), tale);
            if !fields.is_empty() {
                let place = Place { kind, name: page.title.clone(), parent: None, edited: page.edited };
                telling.places.insert(page.id, place);
                telling.changes.push(change(page, fields));
            }
        }
    }
    telling.seal(rules)
}

/// What a change does; of an update, to which fields.
fn doing(change: &Change) -> String {
    let Proposal { action, fields, .. } = &change.proposal;
    if *action != Action::Update {
        return action.to_string();
    }
    let fields: Vec<&str> = fields.iter().map(|field| field_word(change.kind, field.field)).collect();
    format!("{action} {}", fields.join(", "))
}

/// The fields in which a page tells something else. A note that differs by spaces alone is the same: Notion may store
/// it so.
fn differing(page: &Page, fields: impl Iterator<Item = Field>, tale: &Tale) -> Vec<FieldChange> {
    let differs = |field: Field| {
        // What could not be read cannot be compared.
        let (now, wanted) = (page.sync_status.get(field)?.clone(), tale.value(field));
        let same = canonical(now.to_raw().exact()) == canonical(wanted.to_raw().exact());
        (!same).then(|| FieldChange::new(field, now, wanted))
    };
    fields.filter_map(differs).collect()
}

fn change(page: &Page, fields: Vec<FieldChange>) -> Change {
    let proposal = Proposal {
        action: Action::Update,
        side: Service::Notion,
        object: None,
        fields,
        confidence: 100,
        reason: "what waits for a person is told in the page".to_owned().into(),
    };
    Change {
        id: change_id(page.kind, page.id, None, Cause::SyncStatus, &proposal, &[]),
        kind: page.kind,
        page: page.id,
        name: page.title.clone(),
        parent: None,
        claimed: page.claim.id(),
        cause: Cause::SyncStatus,
        proposal,
        alternatives: Vec::new(),
        hold: None,
        state: State::Ready,
        requires: Vec::new(),
        tracked_seconds: None,
        refiling: None,
    }
}

/// True for a change that only tells in a page what waits.
pub fn is_sync_status(difference: &Difference) -> bool {
    difference.side == Service::Notion
        && !difference.fields.is_empty()
        && difference.fields.iter().all(|field| field.field.is_sync_status())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_names_the_page_and_many_reasons_are_cut() {
        let mut tale = Tale::default();
        tale.add(Word::Held, "create: it names no client");
        for number in 10..22 {
            tale.add(Word::Review, &format!("update {number}: {}", "long ".repeat(100)));
        }
        tale.add(Word::Review, "create: it names no client");

        assert_eq!(tale.value(Field::SyncStatus), Value::text("Held"));
        let note = tale.value(Field::SyncNote).to_raw();
        let lines: Vec<&str> = note.exact().lines().collect();
        assert_eq!((lines.len(), lines[0], lines[10]), (11, "create: it names no client", "and 3 more"));
        assert!(lines.iter().all(|line| line.chars().count() <= LINE_COLUMNS), "{lines:?}");
    }
}
