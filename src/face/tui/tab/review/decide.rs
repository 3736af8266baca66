//! Decisions: each becomes a step of the review that can be undone, and is kept at once.

use std::{collections::HashSet, sync::Arc};

use crate::{
    domain::{
        entry, four_eyes,
        model::Field,
        plan::{Plan, State as ChangeState},
        review::{Decision, Review},
        text::Shown,
    },
    face::tui::{
        command::Command,
        effect::{Effect, Order},
        message::Message,
        state::{
            State,
            overlay::show_ways,
            prompt::{self, Purpose},
            reviewing::Selection,
            subject::Subject,
        },
    },
};

/// Columns of a name in a sentence.
const NAME_COLUMNS: usize = 40;

/// Approves what is selected, or takes that back where all of it is approved already. A conflict has no default: its
/// ways are shown.
pub(crate) fn approve(state: &mut State) -> Option<Effect> {
    let (changes, hidden) = state.reviewing.selected_changes();
    let review = state.reviewing.review.as_ref()?;
    let decision = |&at: &usize| review.verdict(at).decision.as_ref();
    match changes.as_slice() {
        many if many.iter().any(|&at| review.wants_second(at)) => approve_too(state, many),
        [one] if review.has_own_approval(*one) => {
            let what = format!("“{}”", name(review.plan(), *one)).into();
            let again = four_eyes::again_words(&what);
            state.toast = Message::from(again.to_string()).and("; ").key(Command::Clear, " takes it back");
            None
        }
        many if many.iter().all(|at| decision(at) == Some(&Decision::Approve)) => and_move(state, None, "taken back"),
        [one]
            if review.plan().changes[*one].is_contested() && review.plan().changes[*one].state != ChangeState::Held =>
        {
            let node = state.reviewing.tree.find(Subject::Change(u32::try_from(*one).unwrap_or(u32::MAX)));
            if let Some(node) = node {
                state.reviewing.go_to(node);
            }
            show_ways(state);
            None
        }
        [_] => and_move(state, Some(&Decision::Approve), "approved"),
        many => {
            let many = many.to_vec();
            state.reviewing.selection = Selection::None;
            approve_many(state, &many, hidden)
        }
    }
}

/// Approves what somebody else has approved, and what goes with it.
fn approve_too(state: &mut State, changes: &[usize]) -> Option<Effect> {
    let selected = std::mem::take(&mut state.reviewing.selection) != Selection::None;
    let effect = approve_many(state, changes, 0);
    if !selected && state.reviewing.current_change().is_some() && effect.is_some() {
        state.reviewing.go_on();
    }
    effect
}

/// Approves the row and all below it that the filter lets through.
pub(crate) fn approve_below(state: &mut State) -> Option<Effect> {
    if state.reviewing.selection != Selection::None {
        return approve(state);
    }
    let (changes, hidden) = state.reviewing.tree.changes_below(state.reviewing.cursor);
    approve_many(state, &changes, hidden)
}

/// The changes that are shown.
fn shown(state: &State) -> Vec<usize> {
    let tree = &state.reviewing.tree;
    let shown = tree.visible.iter().filter(|node| tree.matches(**node));
    shown.filter_map(|&node| tree.change(node)).collect()
}

/// Every change that is shown, ready, and undecided.
pub(crate) fn ready(state: &State) -> Vec<usize> {
    let Some(review) = &state.reviewing.review else { return Vec::new() };
    shown(state).into_iter().filter(|&at| review.is_ready(at)).collect()
}

/// Approves every change that is shown, ready, and undecided.
pub(crate) fn approve_shown(state: &mut State) -> Option<Effect> {
    let (changes, ready) = (shown(state), ready(state));
    let hidden = state.reviewing.tally.changes - changes.len();
    let effect = decide(state, &ready, Some(&Decision::Approve), "approved", hidden);
    let review = state.reviewing.review.as_ref()?;
    let open = |at: &&usize| {
        review.plan().changes[**at].state == ChangeState::Review && review.verdict(**at).decision.is_none()
    };
    let open = changes.iter().filter(open).count();
    if open > 0 {
        let toast = std::mem::take(&mut state.toast);
        state.toast = toast.and(format!("; {open} for review: ")).key(Command::NextUndecided, " goes there");
    }
    effect
}

/// Approves what the change under the cursor, or else the last approval, waits for since it was decided otherwise.
pub(crate) fn approve_needed(state: &mut State) -> Option<Effect> {
    let changes = state.reviewing.waited_for();
    decide(state, &changes, Some(&Decision::Approve), "approved", 0)
}

/// True for what is approved along with others: what was decided otherwise stays so, a conflict is left to be resolved
/// by itself, and what is held cannot be approved.
pub(crate) fn is_approvable(review: &Review<Arc<Plan>>, at: usize) -> bool {
    let change = &review.plan().changes[at];
    let is_contested = change.is_contested() && review.verdict(at).decision.is_none();
    change.state != ChangeState::Held && review.is_open(at) && !is_contested
}

/// Approves many at once.
fn approve_many(state: &mut State, changes: &[usize], hidden: usize) -> Option<Effect> {
    let review = state.reviewing.review.as_ref()?;
    let is_otherwise = |at: &usize| review.verdict(*at).decision.as_ref().is_some_and(Decision::is_otherwise);
    let contested = |at: &usize| review.plan().changes[*at].is_contested() && review.verdict(*at).decision.is_none();
    let conflicts = changes.iter().filter(|at| contested(at)).count();
    let otherwise = changes.iter().filter(|at| is_otherwise(at)).count();
    let meant: Vec<usize> = changes.iter().copied().filter(|at| !is_otherwise(at) && !contested(at)).collect();
    let effect = decide(state, &meant, Some(&Decision::Approve), "approved", hidden);
    if otherwise > 0 && state.reviewing.in_the_way.is_empty() {
        say_also(state, format!("; {otherwise} decided otherwise"));
    }
    if conflicts > 0 {
        let toast = std::mem::take(&mut state.toast);
        state.toast = toast.and(format!("; {conflicts} in conflict, ")).key(Command::Resolve, " resolves");
    }
    effect
}

/// Decides about what is selected; after a row's own change, on to the next.
pub(crate) fn and_move(state: &mut State, decision: Option<&Decision>, word: &str) -> Option<Effect> {
    let (changes, hidden) = state.reviewing.selected_changes();
    let selected = std::mem::take(&mut state.reviewing.selection) != Selection::None;
    let effect = decide(state, &changes, decision, word, hidden);
    if !selected && state.reviewing.current_change().is_some() && effect.is_some() {
        state.reviewing.go_on();
    }
    effect
}

fn decide(
    state: &mut State,
    changes: &[usize],
    decision: Option<&Decision>,
    word: &str,
    hidden: usize,
) -> Option<Effect> {
    let review = state.reviewing.review.as_mut()?;
    let changed = review.decide(changes, decision);
    let effect = keep(state, &changed);
    let review = state.reviewing.review.as_ref()?;
    // Nothing that is not counted as waiting needs to be looked at one by one.
    let waiting = if state.reviewing.tally.waiting > 0 { review.waiting(&changed) } else { Vec::new() };
    state.reviewing.in_the_way = review.otherwise(&waiting);
    let plan = review.plan();
    let held = changes.iter().find_map(|&at| plan.changes[at].hold.as_ref());
    let mut asked = changes.to_vec();
    asked.sort_unstable();
    let along = changed.iter().filter(|at| asked.binary_search(at).is_err()).count();
    let done = changed.len() - waiting.len();
    state.toast = match (changed.as_slice(), review.waits_words(&waiting), held) {
        ([], _, Some(hold)) if decision == Some(&Decision::Approve) => format!("held: {}", hold.text).into(),
        ([], ..) => "nothing changed".into(),
        (_, Some(waits), _) => {
            let done = if done > 0 { format!("{done} {word}; ") } else { String::new() };
            Message::from(format!("{done}{waits}; ")).key(Command::ApproveNeeded, " approves it too")
        }
        ([one], None, _) if review.lacks_second(*one) => {
            undoable(format!("{word}: “{}”, which needs a second person", name(plan, *one)), "it")
        }
        ([one], None, _) => undoable(format!("{word}: “{}”", name(plan, *one)), "it"),
        (many, None, _) if many.iter().any(|&at| review.lacks_second(at)) => {
            let second = many.iter().filter(|&&at| review.lacks_second(at)).count();
            undoable(format!("{} {word}, {second} of them for a second person", many.len()), "them")
        }
        (many, None, _) if along > 0 => {
            undoable(format!("{} {word}, {along} of them since the others need them", many.len()), "them")
        }
        (many, None, _) => undoable(format!("{} {word}", many.len()), "them"),
    };
    if hidden > 0 {
        say_also(state, format!(" ({hidden} hidden by the filter or folds untouched)"));
    }
    effect
}

fn name(plan: &Plan, at: usize) -> String {
    plan.changes[at].name.shown().clipped(NAME_COLUMNS).to_string()
}

/// What was decided, and how to take it back.
fn undoable(said: String, what: &str) -> Message {
    Message::from(said).and("; ").key(Command::Undo, format!(" takes {what} back"))
}

/// Goes on with what was said.
fn say_also(state: &mut State, text: impl Into<Shown>) {
    state.toast = std::mem::take(&mut state.toast).and(text);
}

/// Counts anew what changed, and has it kept.
fn keep(state: &mut State, changed: &[usize]) -> Option<Effect> {
    state.reviewing.count();
    let review = state.reviewing.review.as_mut()?;
    if changed.is_empty() {
        return None;
    }
    let number = state.reviewing.together.hand_over(changed.iter().map(|&at| review.plan().changes[at].id));
    Some(Effect::Order(Order::Keep(review.unworded(changed), number)))
}

/// Takes a step back, or again.
pub(crate) fn step(state: &mut State, step: fn(&mut Review<Arc<Plan>>) -> Vec<usize>, word: &str) -> Option<Effect> {
    let changed = step(state.reviewing.review.as_mut()?);
    state.reviewing.in_the_way.clear();
    state.toast = match changed.len() {
        0 => "there is nothing left".into(),
        count => format!("{word}: {count}").into(),
    };
    keep(state, &changed)
}

/// Takes a way for some changes, and approves them so.
pub(crate) fn resolve(state: &mut State, changes: &[usize], way: usize) -> Option<Effect> {
    state.overlay = None;
    let review = state.reviewing.review.as_mut()?;
    let held = changes.iter().find_map(|&at| review.plan().changes[at].hold.as_ref().map(|hold| hold.text.clone()));
    let typed = changes.iter().any(|&at| review.verdict(at).way != way && !review.verdict(at).edited.is_empty());
    let changed = review.resolve(changes, way);
    state.toast = match (changed.as_slice(), held) {
        ([], Some(hold)) => format!("held: {hold}").into(),
        ([], None) => "it was resolved so already".into(),
        ([one], _) => undoable(format!("resolved: “{}”", name(review.plan(), *one)), "it"),
        (many, _) => undoable(format!("{} resolved the same way", many.len()), "them"),
    };
    if changed.is_empty() {
        return None;
    }
    if typed {
        say_also(state, "; the value that was typed is gone");
    }
    let effect = keep(state, &changed);
    if changes.len() == 1 {
        state.reviewing.go_on();
    }
    effect
}

/// Takes the way of the change under the cursor for all that ask the same.
pub(crate) fn alike(state: &mut State) -> Option<Effect> {
    let change = state.reviewing.current_change()?;
    let review = state.reviewing.review.as_ref()?;
    let (alike, way) = (review.alike(change), review.verdict(change).way);
    resolve_alike(state, alike, way)
}

/// Takes a way for all that ask the same, are shown, and that nobody has decided otherwise about.
pub(crate) fn resolve_alike(state: &mut State, mut alike: Vec<usize>, way: usize) -> Option<Effect> {
    if !state.reviewing.filter.text.is_empty() {
        let nodes = 0..u32::try_from(state.reviewing.tree.nodes.len()).unwrap_or(u32::MAX);
        let shown: HashSet<usize> = nodes
            .filter(|&node| state.reviewing.tree.passes(node))
            .filter_map(|node| state.reviewing.tree.change(node))
            .collect();
        alike.retain(|at| shown.contains(at));
    }
    resolve(state, &alike, way)
}

/// Selects every change that the search found, or else the filter.
pub(crate) fn mark(state: &mut State) {
    let found = if state.reviewing.search.text.is_empty() {
        state.reviewing.filter.found.as_ref()
    } else {
        state.reviewing.search.found.as_ref()
    };
    if found.is_some_and(|found| found.only_near) {
        state.toast = "no name has that in it; what comes near is not selected at once".into();
        return;
    }
    let Some(found) =
        found.filter(|_| !(state.reviewing.search.text.is_empty() && state.reviewing.filter.text.is_empty()))
    else {
        let first = Message::from("search").see(Command::Search).and(" or filter").see(Command::Filter).and(" first: ");
        state.toast = first.key(Command::Mark, " selects what matches");
        return;
    };
    let nodes = 0..u32::try_from(state.reviewing.tree.nodes.len()).unwrap_or(u32::MAX);
    let matching = nodes.filter(|&node| {
        state.reviewing.tree.passes(node) && found.contains(state.reviewing.tree.nodes[node as usize].subject)
    });
    let mut marked: Vec<usize> = matching.filter_map(|node| state.reviewing.tree.change(node)).collect();
    marked.sort_unstable();
    state.toast = Message::from(format!("{} selected; decide, or ", marked.len())).key(Command::Back, "");
    state.reviewing.selection = if marked.is_empty() { Selection::None } else { Selection::Marked(marked) };
}

/// Leaves the chosen field of an update alone, or takes it in again.
pub(crate) fn toggle_field(state: &mut State) -> Option<Effect> {
    let at = state.reviewing.current_change()?;
    let fields = state.reviewing.fields();
    let field = fields.get(state.reviewing.detail.field)?.field;
    let review = state.reviewing.review.as_mut()?;
    let changed = match review.toggle_field(at, field) {
        Ok(changed) => changed,
        Err(because) => {
            state.toast = because.into();
            return None;
        }
    };
    let word = if review.verdict(at).rejected.contains(&field) { "left alone" } else { "taken in again" };
    state.toast = undoable(format!("{field}: {word}"), "it");
    keep(state, &changed)
}

/// Asks for another value of the chosen field.
pub(crate) fn edit(state: &mut State) {
    let Some(change) = state.reviewing.current_change() else { return };
    let fields = state.reviewing.fields();
    let chosen = fields.get(state.reviewing.detail.field).filter(|field| entry::is_typable(field.field));
    let Some(field) = chosen.or_else(|| fields.iter().find(|field| entry::is_typable(field.field))) else { return };
    // What is shown for a line break or a hidden character must not be written in its place.
    let (field, value) = (field.field, field.to.to_raw());
    let shown = value.shown().to_string();
    let is_exact = shown == value.exact();
    prompt::ask(state, Purpose::Edit { change, field }, if is_exact { &shown } else { "" });
    if !is_exact {
        state.toast =
            "it has line breaks or hidden characters, which cannot be typed here: type it anew, or edit it in Notion"
                .into();
    }
}

/// Takes a typed value for a field, or says what it takes instead.
pub(crate) fn edited(state: &mut State, change: usize, field: Field, typed: &str) -> Result<Option<Effect>, String> {
    let Some(review) = state.reviewing.review.as_mut() else { return Ok(None) };
    let (plan, side) = (review.plan(), review.chosen(change).side);
    let value = entry::read(plan.changes[change].kind, side, field, typed, &plan.limits)?;
    // What is typed in a conflict resolves it.
    let resolves = review.plan().changes[change].is_contested();
    let changed = review.edit_field(change, field, &value, resolves);
    state.toast = if changed.is_empty() {
        "nothing changed".into()
    } else {
        let when = if resolves { "and approved" } else { "once it is approved" };
        undoable(format!("{field}: yours is written instead, {when}"), "it")
    };
    Ok(keep(state, &changed))
}
