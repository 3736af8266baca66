//! What lies over the tab: help, the ways to mend a change, what can be copied, the confirmation; and the line at the bottom.

use std::collections::BTreeMap;

use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Position, Rect},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph, Wrap},
};

use super::{Hits, choice, count, difference};
use crate::{
    domain::{
        model::{Kind, Service, duration_words},
        plan::{Action as Deed, Change, FieldChange, Plan, closes, field_word},
        rules::Allowance,
        text::Display,
    },
    face::text,
    face::tui::{
        keymap::palette,
        keys::{Action, Section, TABLE},
        outside,
        state::{Popup, Prompt, Purpose, State},
        theme::Theme,
        update::Target,
    },
};

/// Lines of the palette.
const PALETTE_LINES: usize = 10;
/// Closes that the confirmation names.
const CLOSES_NAMED: usize = 200;

/// What lies over the tab: its title, its lines, and the first of them that can be chosen.
struct Sheet {
    title: String,
    lines: Vec<Line<'static>>,
    choices_from: Option<usize>,
    /// The line that must be seen, where not all fit.
    focus: usize,
    /// Lines at the end that go where there is no room for them.
    courtesy: usize,
    scroll: u16,
}

pub(super) fn draw(state: &State, frame: &mut Frame<'_>, body: Rect, bottom: Rect, hits: &mut Hits) {
    let sheet =
        |title: &str, lines| Sheet { title: title.to_owned(), lines, choices_from: None, focus: 0, courtesy: 0, scroll: 0 };
    let mut sheets = match &state.popup {
        Some(Popup::Help { scroll }) => {
            vec![Sheet { scroll: *scroll, ..sheet("Help: j k scroll, esc closes", help(state, body.width)) }]
        }
        Some(Popup::Resolve { change, line }) => resolve(state, *change, *line, body.width).into_iter().collect(),
        Some(Popup::Copy { line }) => {
            let copies = outside::copies(state).into_iter().enumerate();
            let lines = copies.map(|(at, copied)| {
                let text = Display::of(&copied.text).clipped(50);
                choice(format!(" {} {:<16} {text} ", at + 1, copied.label), at == *line)
            });
            vec![Sheet { choices_from: Some(0), focus: *line, ..sheet("Copy: a number, or enter", lines.collect()) }]
        }
        Some(Popup::Confirm) => {
            let scroll = state.prompt.as_ref().map_or(0, |prompt| u16::try_from(prompt.line).unwrap_or(u16::MAX));
            let title = state.plan().and_then(text::undo_of).map_or_else(|| "Apply?".to_owned(), |of| format!("Apply the {of}?"));
            vec![Sheet { scroll, ..sheet(&title, confirm(state)) }]
        }
        None => Vec::new(),
    };
    if let Some(prompt) = state.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Palette) {
        sheets.push(sheet("Actions: type to narrow, enter does it", actions(state, prompt)));
    }
    for sheet in sheets {
        over(frame, body, sheet, hits);
    }
    bottom_line(state, frame, bottom);
}

/// What is being typed, or what just happened.
fn bottom_line(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(prompt) = &state.prompt else {
        frame.render_widget(Line::raw(format!(" {}", state.toast)), area);
        return;
    };
    let label = match prompt.purpose {
        Purpose::Search => " search: ".to_owned(),
        Purpose::Filter => " filter: ".to_owned(),
        Purpose::LogFilter => " log: ".to_owned(),
        Purpose::Flag => " note: ".to_owned(),
        Purpose::Palette => " : ".to_owned(),
        Purpose::Confirm => format!(" type the number of closes, {}: ", state.tally.closes),
        Purpose::Release(Allowance { class, count }) => {
            format!(" {count} {} are withheld; type that number to let them through: ", class.plural())
        }
        Purpose::Edit { field, .. } => format!(" {field}: "),
    };
    // The end of a long line is where it is typed: what does not fit goes on the left.
    let (value, cursor) = (prompt.input.value(), prompt.input.cursor());
    let before = Display::of(&value.chars().take(cursor).collect::<String>());
    let behind = Display::of(&value.chars().skip(cursor).collect::<String>());
    let hint = match prompt.purpose {
        Purpose::Filter if value.is_empty() => "words of name, action, kind, state; or action:close is:undecided why:brake !word",
        Purpose::LogFilter if value.is_empty() => "words; or level:warn kind:intent run:last since:2d about:ID",
        Purpose::Confirm if value.is_empty() => "↓ ↑ scroll",
        _ => "",
    };
    let said = if prompt.refused.is_empty() { hint } else { &prompt.refused };
    let refused = if said.is_empty() { String::new() } else { format!("   {said}") };
    let room = usize::from(area.width).saturating_sub(label.len() + refused.chars().count() + 2);
    let hidden = before.width().saturating_sub(room);
    let mut shown = before.as_str();
    let mut cut = 0;
    while let Some(first) = shown.chars().next().filter(|_| cut < hidden) {
        cut += Span::raw(first.to_string()).width();
        shown = &shown[first.len_utf8()..];
    }
    let left = Span::styled(label, Theme::bold());
    let x = area.x + u16::try_from(left.width() + Span::raw(shown).width()).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    let spans =
        vec![left, Span::raw(shown.to_owned()), Span::raw(behind.to_string()), Span::styled(refused, state.theme.alert())];
    frame.render_widget(Line::from(spans), area);
    frame.set_cursor_position(Position::new(x, area.y));
}

/// Draws lines in a box in the middle.
fn over(frame: &mut Frame<'_>, body: Rect, sheet: Sheet, hits: &mut Hits) {
    let Sheet { title, mut lines, choices_from, focus, courtesy, scroll } = sheet;
    let widest = lines.iter().map(Line::width).max().unwrap_or_default().max(title.len() + 2);
    let width = u16::try_from(widest + 2).unwrap_or(u16::MAX).min(body.width);
    let inner = usize::from(width.saturating_sub(2).max(1));
    let rows_of = |line: &Line<'_>| line.width().div_ceil(inner).max(1);
    let room = usize::from(body.height.saturating_sub(2));
    if lines.iter().map(rows_of).sum::<usize>() > room {
        lines.truncate(lines.len() - courtesy);
    }
    let rows: usize = lines.iter().map(rows_of).sum();
    // Where not all fits, the line that matters is in the window.
    let above: usize = lines.iter().take(focus + 1).map(rows_of).sum();
    let scroll = scroll.max(u16::try_from(above.saturating_sub(room)).unwrap_or(u16::MAX));
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(body.height);
    let [area] = Layout::horizontal([Constraint::Length(width)]).flex(Flex::Center).areas(body);
    let [area] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    hits.add(area, Target::Nothing);
    if let Some(first) = choices_from {
        let mut y = i32::from(area.y) + 1 - i32::from(scroll);
        for (at, line) in lines.iter().enumerate() {
            let height = u16::try_from(rows_of(line)).unwrap_or(1);
            let (top, y_next) = (u16::try_from(y).ok(), y + i32::from(height));
            if let Some(y) = top.filter(|_| at >= first) {
                hits.add(Rect { y, height, ..area }.intersection(area), Target::Line(at - first));
            }
            y = y_next;
        }
    }
    let last = u16::try_from(rows).unwrap_or(u16::MAX).saturating_sub(height.saturating_sub(2));
    let more = if scroll < last { " more below " } else { "" };
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll.min(last), 0));
    frame.render_widget(text.block(Block::bordered().title(format!(" {title} ")).title_bottom(more)), area);
}

/// Every action with its keys, in as many columns as there is room for.
fn help(state: &State, width: u16) -> Vec<Line<'static>> {
    let theme = state.theme;
    let mut lines = Vec::new();
    let columns = if width >= 100 { 2 } else { 1 };
    for section in Section::ALL {
        lines.push(Line::styled(format!(" {}", section.word()), theme.accent()));
        let rows: Vec<Vec<Span<'static>>> = TABLE
            .iter()
            .filter(|row| row.section == section)
            .map(|row| {
                let keys = format!("  {:<14} ", state.keymap.all(row.action).join(" "));
                let off = (row.off)(state).map(|reason| format!(" ({reason})"));
                let style = if off.is_none() { ratatui::style::Style::new() } else { theme.dim() };
                // The reason is a courtesy: it goes where there is no room for it.
                let room = (usize::from(width) / columns).saturating_sub(keys.len() + row.label.len() + 3);
                let off = off.filter(|off| off.len() <= room).unwrap_or_default();
                vec![Span::styled(keys, style.patch(Theme::bold())), Span::styled(format!("{}{off}", row.label), style)]
            })
            .collect();
        for pair in rows.chunks(columns) {
            let mut spans = Vec::new();
            for cell in pair {
                let used: usize = cell.iter().map(Span::width).sum();
                spans.extend(cell.clone());
                spans.push(Span::raw(" ".repeat((usize::from(width) / columns).saturating_sub(used + 2))));
            }
            lines.push(Line::from(spans));
        }
    }
    lines.push(Line::styled(" SYMBOLS", theme.accent()));
    let pick = |unicode, ascii| theme.pick(unicode, ascii);
    for meanings in [
        format!("  + create  = link  ~ update  - close  {} reopen  {} move", pick("↺", "^"), pick("→", ">")),
        format!("  {} write-back  {} clear-claim  i notice", pick("←", "<"), pick("×", "x")),
        format!(
            "  {} approved  {} some of it  {} waits  {} skipped",
            pick("✓", "y"),
            pick("◐", "*"),
            pick("✗", "n"),
            pick("»", "s")
        ),
        format!("  {} ignored  ! flagged  {} conflict  ? for review  {} held", pick("∅", "i"), pick("⚠", "?"), pick("■", "#")),
    ] {
        lines.push(Line::raw(meanings));
    }
    lines.push(Line::styled(" The configuration can give every action other keys: [console] keys.", theme.dim()));
    lines
}

/// The ways to mend a change; for a contested field also what each side holds, and held when they last agreed.
fn resolve(state: &State, at: usize, chosen: Option<usize>, width: u16) -> Option<Sheet> {
    let (plan, review) = (state.plan()?, state.review.as_ref()?);
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
            Some(typed) => format!("yours: {}", Display::trusted(difference::shown(typed)).clipped(30)),
            None => text::way(change, way),
        };
        choice(format!(" {} {what:<14} {} %  {} ", number + 1, way.confidence, way.reason), Some(number) == chosen)
    }));
    let focus = choices_from + chosen.unwrap_or_default();
    let content = lines.len();
    lines.push(Line::default());
    let key = |action| state.keymap.first(action);
    let alike = review.alike(at).len();
    let mut hints = vec![format!("a number or enter takes a way and approves it; {} skips", key(Action::Skip))];
    if alike > 1 {
        hints.push(format!("{} takes it for all {alike} of the same kind", key(Action::Alike)));
    }
    if change.proposal.fields.iter().any(|field| crate::domain::entry::is_typable(field.field)) {
        hints.push(format!("{} types a value, {} flags it with a note", key(Action::Edit), key(Action::Flag)));
    }
    hints.push(format!("{} {} other conflicts, esc closes", key(Action::PreviousConflict), key(Action::NextConflict)));
    lines.extend(hints.into_iter().map(|hint| Line::styled(format!(" {hint} "), state.theme.dim())));
    let position = conflict_position(plan, at);
    let name = change.name.display().clipped(40);
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
    let shown = |value| Display::trusted(difference::shown(value)).clipped(width.saturating_sub(24).max(10)).to_string();
    let base = field.base.as_ref().map_or_else(|| "never seen to agree".to_owned(), shown);
    let row = |label: &str, value: String, moved: bool| {
        let mark = if moved { ", edited" } else { "" };
        let style = if moved { state.theme.alert() } else { state.theme.dim() };
        Line::from(vec![Span::raw(format!("   {label:<9} ")), Span::raw(value), Span::styled(mark, style), Span::raw(" ")])
    };
    let moved = |value| field.base.as_ref().is_some_and(|base| base != value);
    vec![
        Line::styled(format!(" {}", field_word(change.kind, field.field)), Theme::bold()),
        row("last", base, false),
        row("Notion", shown(notion), moved(notion)),
        row("Clockify", shown(clockify), moved(clockify)),
    ]
}

fn confirm(state: &State) -> Vec<Line<'static>> {
    let (tally, theme) = (state.tally, state.theme);
    let (Some(plan), Some(review)) = (state.plan(), &state.review) else { return Vec::new() };
    let approved: Vec<usize> = (0..plan.changes.len()).filter(|&at| review.is_approved(at)).collect();
    let mut counts: BTreeMap<(bool, Deed), BTreeMap<Kind, usize>> = BTreeMap::new();
    for &at in &approved {
        let action = review.action(at);
        *counts.entry((action == Deed::Close, action)).or_default().entry(plan.changes[at].kind).or_default() += 1;
    }
    let written = count(tally.approved, "approved change is", "approved changes are");
    let mut lines = vec![Line::styled(format!(" {written} written: "), Theme::bold())];
    if tally.closes > 0 {
        let closes = count(tally.closes, "of them closes", "of them close");
        let text = format!(" {closes} something: type that number, then enter. Esc goes back. ");
        lines.push(Line::styled(text, theme.alert()));
    } else {
        lines.push(Line::raw(" Enter applies, esc goes back. "));
    }
    lines.push(Line::default());
    for ((_, action), kinds) in &counts {
        let all: usize = kinds.values().sum();
        let kinds: Vec<String> = kinds.iter().map(|(kind, all)| count(*all, kind.word(), kind.plural())).collect();
        let text = format!("  {} {:<12} {all:>5}   {} ", theme.symbol(*action), action.word(), kinds.join(", "));
        lines.push(Line::styled(text, theme.action(*action)));
    }
    let left = tally.left_alone();
    if !left.is_empty() {
        lines.push(Line::styled(format!(" Left alone: {left}. "), theme.dim()));
    }
    let closes = approved.iter().filter(|&&at| closes(review.action(at), plan.changes[at].kind));
    let closes = closes.take(CLOSES_NAMED).map(|&at| close_line(&plan.changes[at], review.action(at)));
    lines.extend(closes);
    if tally.closes > CLOSES_NAMED {
        lines.push(Line::raw(format!("  and {} more ", tally.closes - CLOSES_NAMED)));
    }
    lines
}

fn close_line(change: &Change, action: Deed) -> Line<'static> {
    let tracked = change.tracked_seconds.filter(|&seconds| seconds > 0);
    let tracked = tracked.map(|seconds| format!(", {} tracked stay", duration_words(seconds))).unwrap_or_default();
    let where_it_was = if action == Deed::Move { " where it was" } else { "" };
    let name = Display::of(change.name.canonical().as_str()).clipped(40);
    Line::raw(format!("  closes {} “{name}”{where_it_was}{tracked} ", change.kind))
}

fn actions(state: &State, prompt: &Prompt) -> Vec<Line<'static>> {
    let found = palette(prompt.input.value());
    let line = prompt.line.min(found.len().saturating_sub(1));
    let shown = found.iter().enumerate().skip((line + 1).saturating_sub(PALETTE_LINES)).take(PALETTE_LINES);
    let mut lines: Vec<Line<'static>> = shown
        .map(|(at, row)| {
            let off = (row.off)(state).map(|reason| format!("  ({reason})")).unwrap_or_default();
            choice(format!(" {:<32} {}{off} ", row.label, state.keymap.all(row.action).join(" ")), at == line)
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::styled(" nothing fits ", state.theme.dim()));
    }
    lines
}
