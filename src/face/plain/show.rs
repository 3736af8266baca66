//! Changes, lists and counts as lines that can be read aloud: nothing rests on columns, colour or a place on the
//! screen.

use std::{collections::BTreeMap, ops::Deref};

use crate::{
    domain::{
        model::{Field, Kind, Value, duration_words},
        plan::{Action, Change, FieldChange, Plan, Proposal, State, field_word},
        review::{Approved, Decision, Review, Tally},
        text::Shown,
    },
    face::text::{self, Styling, put},
};

/// Columns of a name; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 200;
/// Columns of a value; longer ones are cut in the middle.
const VALUE_COLUMNS: usize = 1000;
/// Changes that are listed at once.
const LIST_MAX: usize = 100;

/// What a plan comes to, in sentences.
pub(super) fn totals(plan: &Plan) -> String {
    let summary = plan.summary();
    let mut sentences = Vec::new();
    sentences.extend(text::undo_of(plan).map(|of| format!("This is the {of}.")));
    if plan.changes.is_empty() {
        sentences.push(text::nothing_to_do(plan));
    } else {
        let all = plan.changes.len();
        let ready = all - summary.review - summary.held;
        let changes = if all == 1 { "change" } else { "changes" };
        sentences.push(format!("The plan has {all} {changes}: {}.", text::counts(&summary).join(", ")));
        sentences.push(format!("{ready} ready, {} for review, {} held.", summary.review, summary.held));
        if !plan.complete {
            sentences.push("Not everything could be read.".to_owned());
        }
    }
    sentences.join(" ") + "\n"
}

/// `create task “Design”`.
pub(super) fn named(action: Action, change: &Change) -> String {
    let name = Shown::of(change.name.canonical().as_str());
    let badge = if name.has_hidden() { " [hidden characters]" } else { "" };
    format!("{action} {} “{}”{badge}", change.kind, name.clipped(NAME_COLUMNS))
}

/// `create task “Design” in Acme Corp › Website relaunch`.
fn placed(plan: &Plan, change: &Change, action: Action, styling: Styling) -> String {
    let path: Vec<String> =
        plan.path(change.page).iter().map(|name| name.shown().clipped(NAME_COLUMNS).to_string()).collect();
    let inside = if path.is_empty() { "" } else { " in " };
    format!("{}{inside}{}", named(action, change), path.join(if styling.unicode { " › " } else { " > " }))
}

fn state(change: &Change) -> &'static str {
    match change.state {
        State::Ready => "ready",
        State::Review => "for review",
        State::Held => "held",
    }
}

pub(super) fn decision(decision: Option<&Decision>) -> &'static str {
    decision.map_or("undecided", Decision::word)
}

/// How a change that was decided otherwise is approved.
pub(super) fn approves_too(at: usize) -> String {
    format!("g {} and then a approves it too", at + 1)
}

/// Everything about one change: what, where, which fields, why, and what else could be done.
pub(super) fn change(review: &Review<impl Deref<Target = Plan>>, at: usize, styling: Styling) -> String {
    let (plan, verdict, chosen) = (review.plan(), review.verdict(at), review.chosen(at));
    let (change, all) = (&plan.changes[at], plan.changes.len());
    let decided = verdict.decision.as_ref().map(|made| format!(", {}", decision(Some(made)))).unwrap_or_default();
    let what = placed(plan, change, chosen.action, styling);
    let mut lines = vec![format!("[{}/{all}] {what}, {} %, {}{decided}", at + 1, chosen.confidence, state(change))];
    for field in chosen.fields.iter().filter(|field| !repeats_name(&chosen, change, field)) {
        lines.push(text::from_to(change.kind, field, VALUE_COLUMNS, styling));
    }
    if !verdict.rejected.is_empty() {
        let fields: Vec<&str> = verdict.rejected.iter().map(|&field| field_word(change.kind, field)).collect();
        lines.push(format!("left as they are: {}", fields.join(", ")));
    }
    lines.push(format!("why: {}", chosen.reason));
    lines.extend(review.second_words(at).map(|words| words.to_string()));
    if let Some(hold) = &change.hold {
        lines.push(format!("held: {}", hold.text));
    }
    if let Some(seconds) = change.tracked_seconds.filter(|&seconds| seconds > 0) {
        lines.push(format!("{} tracked on it stay", duration_words(seconds)));
    }
    if let Some(Decision::Flag { note }) = &verdict.decision {
        lines.push(format!("note: {}", if note.is_empty() { "none".to_owned() } else { Shown::of(note).to_string() }));
    }
    lines.extend(needs(review, at));
    lines.extend(ways(change, verdict.way));
    let mut text = lines.remove(0);
    for line in lines {
        text += "\n  ";
        text += &line;
    }
    text + "\n"
}

/// True for the name of something new: the line above has it already.
fn repeats_name(chosen: &Proposal, change: &Change, field: &FieldChange) -> bool {
    chosen.action == Action::Create && field.field == Field::Name && field.to == Value::name(&change.name)
}

/// What a change rests on and does not have yet.
fn needs(review: &Review<impl Deref<Target = Plan>>, at: usize) -> Vec<String> {
    let change = &review.plan().changes[at];
    if change.state == State::Held {
        return Vec::new();
    }
    if review.verdict(at).decision == Some(Decision::Approve) {
        let blocking = review.blocked(at);
        let waits = |needed: &Change| format!("waits for: {}", named(needed.proposal.action, needed));
        return blocking.map(waits).into_iter().collect();
    }
    let places = change.requires.iter().filter_map(|id| review.place(id));
    let missing = places.filter(|&needed| review.verdict(needed).decision != Some(Decision::Approve));
    missing
        .map(|needed| {
            let what = named(review.chosen(needed).action, &review.plan().changes[needed]);
            let made = review.verdict(needed).decision.as_ref();
            let along = match made {
                Some(made) if made.is_otherwise() => approves_too(needed),
                _ => "approving this one approves that one too".to_owned(),
            };
            format!("needs: {what}, {}; {along}", decision(made))
        })
        .collect()
}

/// The ways that can be chosen besides the one at hand.
fn ways(change: &Change, chosen: usize) -> Vec<String> {
    let ways =
        std::iter::once(&change.proposal).chain(&change.alternatives).enumerate().filter(|(at, _)| *at != chosen);
    let mut lines: Vec<String> = ways
        .map(|(at, way)| format!("{at}) {}, {} %: {}", text::way(change, way), way.confidence, way.reason))
        .collect();
    if !lines.is_empty() {
        lines.insert(0, "other ways:".to_owned());
    }
    lines
}

/// Changes with what is decided, from a number on, a line each.
pub(super) fn list(review: &Review<impl Deref<Target = Plan>>, from: usize, styling: Styling) -> String {
    let (plan, first) = (review.plan(), from.max(1) - 1);
    let mut text = String::new();
    for (at, change) in plan.changes.iter().enumerate().skip(first).take(LIST_MAX) {
        let what = placed(plan, change, review.chosen(at).action, styling);
        let decided = decision(review.verdict(at).decision.as_ref());
        put(&mut text, format_args!("{}. {what}: {}, {decided}\n", at + 1, state(change)));
    }
    let left = plan.changes.len().saturating_sub(first + LIST_MAX);
    if left > 0 {
        put(&mut text, format_args!("{left} more follow: l {} lists them.\n", first + LIST_MAX + 1));
    } else if text.is_empty() {
        text += "there is no change with such a number\n";
    }
    text
}

/// Notices, a line each.
pub(super) fn notices(plan: &Plan) -> String {
    if plan.notices.is_empty() {
        return "there are no notices\n".to_owned();
    }
    text::notice_lines(plan).join("\n") + "\n"
}

/// What is about to be applied, and what is left alone.
pub(super) fn confirmation(approved: &Approved, tally: Tally) -> String {
    let mut counts: BTreeMap<Action, BTreeMap<Kind, usize>> = BTreeMap::new();
    for change in approved.changes() {
        *counts.entry(change.proposal.action).or_default().entry(change.kind).or_default() += 1;
    }
    let all = approved.changes().len();
    let changes = if all == 1 { "change is" } else { "changes are" };
    let mut text = format!("{all} approved {changes} about to be applied to Clockify and Notion:\n");
    for (action, kinds) in counts {
        let words = |(kind, count): (&Kind, &usize)| {
            format!("{count} {}", if *count == 1 { kind.word() } else { kind.plural() })
        };
        let kinds_words: Vec<String> = kinds.iter().map(words).collect();
        put(&mut text, format_args!("  {} {action}: {}\n", kinds.values().sum::<usize>(), kinds_words.join(", ")));
    }
    let left = tally.left_alone();
    if !left.is_empty() {
        put(&mut text, format_args!("Left alone: {left}.\n"));
    }
    text
}
