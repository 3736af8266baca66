//! The tree: decision, symbol and name on the left, counts and the action's word on the right.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::together;
use crate::{
    domain::{
        four_eyes,
        model::Field,
        plan::{Action, FieldChange, Plan, State as ChangeState, field_word},
        review::Decision,
        text::Shown,
    },
    face::{
        text::{self, nothing_to_do},
        tui::{
            columns::{Wish, share},
            command::Command,
            hits::{Hits, Target},
            keymap::Keymap,
            pieces::under_cursor,
            state::{
                State,
                reviewing::Selection,
                subject::{Subject, name},
            },
            theme::Theme,
        },
    },
};

/// Columns of the word at the end, and the width from which it has a column of its own.
const WORD_COLUMNS: usize = 18;
const ALIGNED_FROM: usize = 60;
/// Columns below which a name, a word or a value says nothing.
const NAME_LEAST: usize = 12;
const WORD_LEAST: usize = 8;
const VALUE_LEAST: usize = 6;
/// Columns of a person's name.
const PERSON_COLUMNS: usize = 12;
/// Columns between a name and its change.
const GAP: usize = 2;
/// Columns of a value in a row.
const VALUE_COLUMNS: usize = 40;
/// Columns in front of a row's indentation.
const MARGIN: u16 = 1;

pub(crate) fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect, hits: &mut Hits) {
    let reviewing = &state.reviewing;
    let Some(plan) = reviewing.plan() else { return };
    let window = reviewing.tree.visible.iter().enumerate().skip(reviewing.offset).take(usize::from(area.height));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (y, (at, &node)) in (area.y..).zip(window) {
        let row = Rect { y, height: 1, ..area };
        hits.add(row, Target::Row(node as usize));
        if reviewing.tree.is_branch(node) {
            let x = area.x + MARGIN + 2 * u16::from(reviewing.tree.nodes[node as usize].depth);
            hits.add(Rect { x, width: 2, ..row }.intersection(row), Target::Fold(node));
        }
        let line = line(state, plan, node, usize::from(area.width));
        lines.push(if node == reviewing.cursor {
            under_cursor(&line)
        } else if is_selected(state, at, node) {
            line.style(Theme::selected())
        } else {
            line
        });
        // A screen reader, or a magnifier, follows the terminal's own cursor.
        if node == reviewing.cursor && !reviewing.detail.focused && state.prompt.is_none() && state.overlay.is_none() {
            frame.set_cursor_position(Position::new(area.x, y));
        }
    }
    if lines.is_empty() {
        let text = if reviewing.filter.text.is_empty() {
            format!("  {}", nothing_to_do(plan))
        } else {
            format!("  nothing passes the filter; {} shows everything", keymap.first(Command::Back))
        };
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn is_selected(state: &State, at: usize, node: u32) -> bool {
    match &state.reviewing.selection {
        Selection::None => false,
        Selection::Range(anchor) => {
            let (from, to) =
                (state.reviewing.tree.position(*anchor), state.reviewing.tree.position(state.reviewing.cursor));
            (from.min(to)..=from.max(to)).contains(&at)
        }
        Selection::Marked(marked) => {
            state.reviewing.tree.change(node).is_some_and(|change| marked.binary_search(&change).is_ok())
        }
    }
}

fn line(state: &State, plan: &Plan, node: u32, width: usize) -> Line<'static> {
    let theme = state.theme;
    let branch = &state.reviewing.tree.nodes[node as usize];
    let fold = match (state.reviewing.tree.is_branch(node), branch.open) {
        (false, _) => " ",
        (true, true) => theme.pick("▾", "v"),
        (true, false) => theme.pick("▸", ">"),
    };
    let cursor = if node == state.reviewing.cursor { theme.pick("▌", "|") } else { " " };
    let mut spans = vec![Span::raw(format!("{cursor}{}{fold} ", "  ".repeat(usize::from(branch.depth))))];
    let (counts, word) = match branch.subject {
        Subject::Change(at) => {
            let at = at as usize;
            let (mark, word) = decision(state, at);
            let by = together::by(state, at).unwrap_or_default();
            let action =
                state.reviewing.review.as_ref().map_or(plan.changes[at].proposal.action, |review| review.action(at));
            spans.extend([Span::styled(mark, mark_style(state, at)), Span::raw(" ")]);
            spans.extend([Span::styled(theme.symbol(action), theme.sign(action)), Span::raw(" ")]);
            (below(state, node), Span::styled(format!("{action}{word}{by}"), theme.action(action)))
        }
        Subject::Page(_) => {
            spans.push(Span::raw(format!("{}   ", tristate(state, node))));
            (below(state, node), Span::default())
        }
        Subject::Notices { count, .. } => (Vec::new(), Span::raw(count.to_string())),
        Subject::Notice(at) => {
            spans.push(Span::styled("i ", theme.dim()));
            let code = plan.notices[at as usize].code.word().replace('_', " ");
            (Vec::new(), Span::styled(code, theme.dim()))
        }
    };
    let used: usize = spans.iter().map(Span::width).sum();
    let name = Shown::of(full_name(state, plan, node).as_str());
    let hidden = if name.has_hidden() { " [hidden]" } else { "" };
    let on_it = on_it(state, plan, branch.subject);
    let badge_width = hidden.len() + Span::raw(&on_it).width();
    let of_counts: usize = counts.iter().map(Span::width).sum();
    let aligned = if width >= ALIGNED_FROM { WORD_COLUMNS } else { 0 };
    // A space before the word, and one behind it: no text touches a border.
    let room = width.saturating_sub(used + 2);
    let wishes = [
        Wish::at_least(WORD_LEAST, word.width()),
        Wish::at_least(NAME_LEAST, name.width() + badge_width),
        Wish::whole(of_counts),
    ];
    let [for_word, for_name, for_counts] = share(room, wishes);
    let name = name.clipped(for_name.saturating_sub(badge_width));
    let rest = room - name.width().min(for_name) - badge_width.min(for_name) - for_word - for_counts;
    // The counts stand below each other as long as nothing has to be cut for that.
    let padding = aligned.saturating_sub(for_word).min(rest);
    let rest = rest - padding;
    let change = value_change(state, plan, node, rest.saturating_sub(GAP)).unwrap_or_default();
    let gap = rest.saturating_sub(Span::raw(&change).width());
    spans.extend(highlighted(state, node, &name));
    spans.push(Span::raw(hidden));
    spans.push(Span::styled(on_it, theme.accent()));
    spans.push(Span::styled(change, theme.dim()));
    spans.push(Span::raw(" ".repeat(gap + 1)));
    spans.extend(if for_counts > 0 { counts } else { Vec::new() });
    let text = Shown::from(word.content.into_owned()).clipped(for_word);
    spans.push(Span::styled(format!("{}{text}", " ".repeat(padding)), word.style));
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// `, ana is on it`, on the row of a client.
fn on_it(state: &State, plan: &Plan, subject: Subject) -> String {
    let page = match subject {
        Subject::Page(page) => page,
        Subject::Change(at) => plan.changes[at as usize].page,
        Subject::Notices { .. } | Subject::Notice(_) => return String::new(),
    };
    let is_client = plan.client_of(page) == Some(page);
    let on = is_client.then(|| together::on_it(state, page)).flatten();
    on.map(|on| format!(", {on}")).unwrap_or_default()
}

/// The first field of a change from → to, in front of it two columns, and how many more there are: `  “Acme” → “Beta”
/// +2`. Nothing where there is no room for it, or nothing to be said that the name and the word do not say.
fn value_change(state: &State, plan: &Plan, node: u32, room: usize) -> Option<String> {
    let row = &state.reviewing.tree.nodes[node as usize];
    let Subject::Change(at) = row.subject else { return None };
    let (kind, page) = (plan.changes[at as usize].kind, plan.changes[at as usize].page);
    let chosen = state.reviewing.review.as_ref()?.chosen(at as usize);
    let of_state = |field: &FieldChange| field.field == Field::State;
    let said = matches!(chosen.action, Action::Create | Action::Close | Action::Reopen);
    let field = chosen.fields.first().filter(|field| !said && !of_state(field))?;
    let more = chosen.fields.len() - 1;
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    // A row that is named by its fields, and the name of what has just been named, need no word.
    let above = row.parent.map(|parent| state.reviewing.tree.nodes[parent as usize].subject);
    let named = field.field == Field::Name || above == Some(Subject::Page(page));
    let word = if named { String::new() } else { format!("{}: ", field_word(kind, field.field)) };
    let arrow = state.theme.pick(" → ", " > ");
    for word in [word.as_str(), ""] {
        let fixed = Span::raw(format!("{word}{arrow}{more}")).width();
        let values = room.saturating_sub(fixed);
        let full = |value| text::shown_value(value, VALUE_COLUMNS);
        // Each has half of the room, and what the other does not need.
        let [of_from, of_to] = [&field.from, &field.to].map(|value| Span::raw(full(value)).width());
        let from = of_from.min((values / 2).max(values.saturating_sub(of_to)));
        let to = of_to.min(values - from);
        if from < VALUE_LEAST.min(of_from) || to < VALUE_LEAST.min(of_to) {
            continue;
        }
        let cut = |value, columns: usize| text::shown_value(value, columns.saturating_sub(2).min(VALUE_COLUMNS));
        let shown = |value, columns| fits(full(value), cut(value, columns), columns);
        if let (Some(from), Some(to)) = (shown(&field.from, from), shown(&field.to, to)) {
            return Some(format!("  {word}{from}{arrow}{to}{more}"));
        }
    }
    None
}

/// The full text where it fits, or else the one that was cut.
fn fits(full: String, cut: String, columns: usize) -> Option<String> {
    [full, cut].into_iter().find(|text| columns > 0 && Span::raw(text).width() <= columns)
}

/// The name of a row; in a flat list with the names above it. Several changes of one page are told apart by their
/// fields.
fn full_name(state: &State, plan: &Plan, node: u32) -> String {
    let row = &state.reviewing.tree.nodes[node as usize];
    let own = name(plan, row.subject).canonical().into_cow().into_owned();
    let above = row.parent.map(|parent| state.reviewing.tree.nodes[parent as usize].subject);
    match row.subject {
        Subject::Change(at) if above == Some(Subject::Page(plan.changes[at as usize].page)) => {
            let change = &plan.changes[at as usize];
            let fields: Vec<&str> =
                change.proposal.fields.iter().map(|field| field_word(change.kind, field.field)).collect();
            if fields.is_empty() || change.proposal.action == Action::Create { own } else { fields.join(", ") }
        }
        Subject::Change(at) if state.reviewing.arrangement.flat => {
            let path = plan.path(plan.changes[at as usize].page);
            let names = path.iter().map(|name| name.canonical().into_cow().into_owned()).chain([own]);
            names.collect::<Vec<_>>().join(state.theme.pick(" › ", " > "))
        }
        _ => own,
    }
}

/// The name with the part that the search is about.
fn highlighted(state: &State, node: u32, name: &Shown) -> Vec<Span<'static>> {
    let text = name.as_str();
    let found = state
        .reviewing
        .search
        .found
        .as_ref()
        .filter(|found| found.contains(state.reviewing.tree.nodes[node as usize].subject));
    let wanted = state.reviewing.search.text.trim().to_lowercase();
    let lower = text.to_lowercase();
    // Where lower case has other lengths, places would not fit; the row is marked whole then.
    let at = lower.find(&wanted).filter(|_| lower.len() == text.len());
    match (found, at) {
        (None, _) => vec![Span::raw(text.to_owned())],
        (Some(_), Some(at)) if text.is_char_boundary(at) && text.is_char_boundary(at + wanted.len()) => vec![
            Span::raw(text[..at].to_owned()),
            Span::styled(text[at..at + wanted.len()].to_owned(), state.theme.found()),
            Span::raw(text[at + wanted.len()..].to_owned()),
        ],
        (Some(_), _) => vec![Span::styled(text.to_owned(), state.theme.found())],
    }
}

/// The mark and the word of a change's decision.
pub(crate) fn decision(state: &State, at: usize) -> (&'static str, String) {
    let theme = state.theme;
    let Some(review) = &state.reviewing.review else { return (" ", String::new()) };
    let change = &review.plan().changes[at];
    if review.lacks_second(at) {
        let names: String = four_eyes::names(&review.verdict(at).approvals).collect();
        let by = Shown::from(names.as_str()).clipped(PERSON_COLUMNS);
        return (theme.pick("◐", "*"), format!(", by {by}, needs a second"));
    }
    let (mark, word) = match &review.verdict(at).decision {
        Some(Decision::Approve) if review.blocked(at).is_some() => (theme.pick("✗", "n"), ", waits"),
        Some(Decision::Approve) => (theme.pick("✓", "y"), ", approved"),
        Some(Decision::Skip) => (theme.pick("»", "s"), ", skipped"),
        Some(Decision::Ignore) => (theme.pick("∅", "i"), ", ignored"),
        Some(Decision::Flag { .. }) => ("!", ", flagged"),
        None if change.state == ChangeState::Held => (theme.pick("■", "#"), ", held"),
        None if change.is_contested() => (theme.pick("⚠", "?"), ", conflict"),
        None if change.state == ChangeState::Review => ("?", ", review"),
        None => (theme.pick("·", "."), ""),
    };
    (mark, word.to_owned())
}

fn mark_style(state: &State, at: usize) -> Style {
    let Some(review) = &state.reviewing.review else { return Style::new() };
    match &review.verdict(at).decision {
        Some(Decision::Approve) if review.blocked(at).is_none() && !review.lacks_second(at) => state.theme.good_mark(),
        Some(Decision::Skip | Decision::Ignore) => state.theme.dim(),
        None if review.plan().changes[at].state == ChangeState::Ready => Style::new(),
        Some(Decision::Flag { .. } | Decision::Approve) | None => state.theme.alert_mark(),
    }
}

/// How far a page's changes are approved.
fn tristate(state: &State, node: u32) -> &'static str {
    let theme = state.theme;
    let counts = state.reviewing.counts.get(node as usize).copied().unwrap_or_default();
    match counts.approved {
        0 => theme.pick("·", "."),
        some if some == counts.changes => theme.pick("✓", "y"),
        _ => theme.pick("◐", "*"),
    }
}

/// What there is at and below a branch, and how much of it is decided.
fn below(state: &State, node: u32) -> Vec<Span<'static>> {
    if !state.reviewing.tree.is_branch(node) {
        return Vec::new();
    }
    let theme = state.theme;
    let counts = state.reviewing.counts.get(node as usize).copied().unwrap_or_default();
    let mut spans = Vec::new();
    let contested = theme.pick("⚠", "?");
    for (count, symbol, style) in [
        (counts.creates, "+", theme.action(Action::Create)),
        (counts.updates, "~", theme.action(Action::Update)),
        (counts.closes, "-", theme.action(Action::Close)),
        (counts.contested, contested, theme.alert()),
    ] {
        if count > 0 {
            spans.push(Span::styled(format!("{symbol}{count} "), style));
        }
    }
    spans.push(Span::raw(format!(" {:>5}  ", format!("{}/{}", counts.decided, counts.changes))));
    spans
}
