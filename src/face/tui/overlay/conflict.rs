//! The ways to mend a change: one of them is chosen, for this change or for all that ask the same.

use ratatui::text::{Line, Span};

use super::Sheet;
use crate::{
    domain::{
        entry,
        model::Service,
        plan::{Change, FieldChange, Plan, field_word},
        text::Shown,
    },
    face::{
        text,
        tui::{
            command::Command,
            effect::Effect,
            keymap::Keymap,
            message::Message,
            pieces::choice,
            state::{
                State,
                overlay::{Overlay, show_ways},
            },
            tab::{
                self,
                review::{decide, difference, moves},
            },
            theme::Theme,
        },
    },
};

pub(super) fn act(state: &mut State, change: usize, line: Option<usize>, command: Command) -> Option<Effect> {
    match (command, line) {
        (Command::Down | Command::Up, _) => {
            let last = state.reviewing.plan().map_or(0, |plan| plan.changes[change].alternatives.len());
            let line = match (line, command == Command::Down) {
                (Some(line), true) => (line + 1).min(last),
                (Some(line), false) => line.saturating_sub(1),
                (None, true) => 0,
                (None, false) => last,
            };
            state.overlay = Some(Overlay::Conflict { change, line: Some(line) });
        }
        (Command::Toggle | Command::Approve | Command::Alike, None) => {
            let choose = Message::from("a conflict has no default: choose a way by its number, or with ");
            state.toast = choose.key(Command::Down, " and ").key(Command::Up, "");
        }
        (Command::Toggle | Command::Approve, Some(line)) => return decide::resolve(state, &[change], line),
        (Command::Alike, Some(line)) => {
            let alike = state.reviewing.review.as_ref()?.alike(change);
            return decide::resolve_alike(state, alike, line);
        }
        (Command::NextConflict | Command::NextUndecided, _) => go_on(state, Command::NextConflict),
        (Command::PreviousConflict | Command::PreviousUndecided, _) => go_on(state, Command::PreviousConflict),
        (Command::Skip | Command::Flag | Command::Edit | Command::Clear | Command::Undo, _) => {
            state.overlay = None;
            return tab::act(state, command);
        }
        _ => {}
    }
    None
}

/// Goes to another conflict.
fn go_on(state: &mut State, command: Command) {
    state.overlay = None;
    moves::moved(state, command);
    show_ways(state);
}

pub(super) fn choose(state: &mut State, change: usize, number: usize) -> Option<Effect> {
    let ways = state.reviewing.plan()?.changes[change].alternatives.len() + 1;
    if number <= ways { decide::resolve(state, &[change], number - 1) } else { None }
}

/// The ways to mend a change; for a contested field also what each side holds, and held when they last agreed.
pub(super) fn sheet(state: &State, keymap: &Keymap, at: usize, chosen: Option<usize>, width: u16) -> Option<Sheet> {
    let (plan, review) = (state.reviewing.plan()?, state.reviewing.review.as_ref()?);
    let change = plan.changes.get(at)?;
    let mut lines = Vec::new();
    if change.is_contested() || change.proposal.fields.iter().any(|field| field.base.is_some()) {
        let both = change.proposal.side == Service::Clockify;
        for field in &change.proposal.fields {
            lines.extend(sides(state, change, field, both, usize::from(width)));
        }
        lines.push(Line::default());
    }
    let choices_from = lines.len();
    let verdict = review.verdict(at);
    let ways = std::iter::once(&change.proposal).chain(&change.alternatives).enumerate();
    lines.extend(ways.map(|(number, way)| {
        // A typed value is written the way that it was typed for.
        let typed = verdict.edited.values().next().filter(|_| number == verdict.way);
        let what = match typed {
            Some(typed) => format!("yours: {}", Shown::from(difference::shown(typed)).clipped(30)),
            None => text::way(change, way),
        };
        choice(format!(" {} {what:<14} {} %  {} ", number + 1, way.confidence, way.reason), Some(number) == chosen)
    }));
    let focus = choices_from + chosen.unwrap_or_default();
    let content = lines.len();
    lines.push(Line::default());
    let key = |command| keymap.first(command);
    let alike = review.alike(at).len();
    let mut hints =
        vec![format!("a number or {} takes a way and approves it; {} skips", key(Command::Toggle), key(Command::Skip))];
    if alike > 1 {
        hints.push(format!("{} takes it for all {alike} of the same kind", key(Command::Alike)));
    }
    if change.proposal.fields.iter().any(|field| entry::is_typable(field.field)) {
        hints.push(format!("{} types a value, {} flags it with a note", key(Command::Edit), key(Command::Flag)));
    }
    hints.push(format!(
        "{} {} other conflicts, {} closes",
        key(Command::PreviousConflict),
        key(Command::NextConflict),
        key(Command::Back)
    ));
    lines.extend(hints.into_iter().map(|hint| Line::styled(format!(" {hint} "), state.theme.dim())));
    let position = conflict_position(plan, at);
    let name = change.name.shown().clipped(40);
    let courtesy = lines.len() - content;
    let title = format!("Resolve{position}: {} “{name}”", change.kind);
    Some(Sheet { title, lines, choices_from: Some(choices_from), focus, courtesy, scroll: 0 })
}

/// Which of the conflicts it is: ` 2/4`.
fn conflict_position(plan: &Plan, at: usize) -> String {
    if !plan.changes[at].is_contested() {
        return String::new();
    }
    let contested: Vec<usize> = (0..plan.changes.len()).filter(|&other| plan.changes[other].is_contested()).collect();
    let number = contested.iter().position(|&other| other == at).map_or(0, |number| number + 1);
    format!(" {number}/{}", contested.len())
}

/// What a field was when both agreed, and what each side holds now.
fn sides(state: &State, change: &Change, field: &FieldChange, to_clockify: bool, width: usize) -> Vec<Line<'static>> {
    let (notion, clockify) = if to_clockify { (&field.to, &field.from) } else { (&field.from, &field.to) };
    let shown = |value| Shown::from(difference::shown(value)).clipped(width.saturating_sub(24).max(10)).to_string();
    let base = field.base.as_ref().map_or_else(|| "never seen to agree".to_owned(), shown);
    let row = |label: &str, value: String, moved: bool| {
        let mark = if moved { ", edited" } else { "" };
        let style = if moved { state.theme.alert() } else { state.theme.dim() };
        Line::from(vec![
            Span::raw(format!("   {label:<9} ")),
            Span::raw(value),
            Span::styled(mark, style),
            Span::raw(" "),
        ])
    };
    let moved = |value| field.base.as_ref().is_some_and(|base| base != value);
    vec![
        Line::styled(format!(" {}", field_word(change.kind, field.field)), Theme::bold()),
        row("last", base, false),
        row("Notion", shown(notion), moved(notion)),
        row("Clockify", shown(clockify), moved(clockify)),
    ]
}
