//! The state as a frame. Reads, and changes nothing; draws only what is in the window, and says what it drew where.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    command::{Command, Tab},
    hits::{Hits, Target},
    keymap::Keymap,
    layout::{WIDE, layout},
    overlay,
    pieces::{bar, spinner},
    row::{Row, Section},
    state::{Phase, State},
    tab::{TABLE, review},
    theme::Theme,
};
use crate::domain::model::Service;

/// Below this the console says that it has no room.
const SMALLEST: (u16, u16) = (40, 10);
/// Hints in the footer at the most.
const HINTS_MAX: usize = 7;

/// Draws the state.
pub(crate) fn view(state: &State, keymap: &Keymap, frame: &mut Frame<'_>) -> Hits {
    let area = frame.area();
    let mut hits = Hits::default();
    // The terminal may have another size than the state knows of: the message about that is on its way.
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 || (area.width, area.height) != state.size {
        frame.render_widget(Paragraph::new(format!("too small; {} leaves", keymap.first(Command::Leave))), area);
        return hits;
    }
    let places = layout(state.size);
    frame.render_widget(header(state), places.header);
    frame.render_widget(tabs(state, keymap, places.tabs, &mut hits), places.tabs);
    (state.tab.parts().draw)(state, keymap, frame, places.body, &mut hits);
    frame.render_widget(footer(state, keymap, places.footer, &mut hits), places.footer);
    overlay::draw(state, keymap, frame, [places.body, places.toast], &mut hits);
    plainly(state, frame);
    hits
}

fn header(state: &State) -> Line<'static> {
    let theme = state.theme;
    let mut spans = vec![Span::styled(" punchlist", theme.accent())];
    for service in [Service::Notion, Service::Clockify] {
        let mark = match (&state.phase, state.reviewing.plan().is_some() || state.reading.read.contains(&service)) {
            (_, true) => theme.pick("✓", "ok"),
            (Phase::Reading, false) => spinner(state),
            (_, false) => "-",
        };
        let short = if state.size.0 < 60 { &service.to_string()[..1] } else { &service.to_string() };
        spans.push(Span::raw(format!("  {short} {mark}")));
    }
    if let Some(plan) = state.reviewing.plan() {
        let tally = state.reviewing.tally;
        if state.size.0 >= WIDE {
            spans.push(Span::raw(format!("   plan {}", &plan.hash[..plan.hash.len().min(8)])));
            if let Some(at) = state.reviewing.planned_at {
                spans.push(Span::styled(format!(", {}", age(state.now.duration_since(at).as_secs())), theme.dim()));
            }
        }
        // What is held cannot be approved, and does not count as work that is left.
        let all = tally.changes - tally.held;
        let bar = bar(state, tally.decided(), all, 10);
        spans.push(Span::raw(format!("   decided {}/{all} {bar}", tally.decided())));
        spans.push(Span::styled(format!("  {} approved", tally.approved), theme.good()));
    }
    Line::from(spans)
}

fn age(seconds: i64) -> String {
    match seconds {
        ..60 => "just now".to_owned(),
        60..3600 => format!("{} min old", seconds / 60),
        _ => format!("{} h old", seconds / 3600),
    }
}

fn tabs(state: &State, keymap: &Keymap, area: Rect, hits: &mut Hits) -> Line<'static> {
    let theme = state.theme;
    let mut spans = Vec::new();
    let mut x = area.x;
    for tab in Tab::ALL {
        let key = keymap.all(Command::Tab(tab)).into_iter().next().map(|key| format!("{key} ")).unwrap_or_default();
        let word = (tab.parts().title)(state);
        let text = if tab == state.tab { format!(" [{key}{word}]") } else { format!("  {key}{word} ") };
        let width = u16::try_from(Span::raw(&text).width()).unwrap_or_default();
        hits.add(Rect { x, width, ..area }.intersection(area), Target::Command(Command::Tab(tab)));
        x += width;
        spans.push(Span::styled(text, if tab == state.tab { Theme::bold() } else { theme.dim() }));
    }
    if state.tab == Tab::Review {
        let used: usize = spans.iter().map(Span::width).sum();
        spans.extend(review::status(state, usize::from(area.width).saturating_sub(used)));
    }
    Line::from(spans)
}

/// Hints for what can be done now, as many as fit; help is always the last.
fn footer(state: &State, keymap: &Keymap, area: Rect, hits: &mut Hits) -> Line<'static> {
    let theme = state.theme;
    let mut spans = Vec::new();
    let mut x = area.x;
    let help = format!(" {}", keymap.first(Command::Help));
    let reserved = u16::try_from(help.len() + " help ".len()).unwrap_or_default();
    let mut hint = |spans: &mut Vec<Span<'static>>, key: String, label: String, command| {
        let width = u16::try_from(Span::raw(&key).width() + Span::raw(&label).width()).unwrap_or(u16::MAX);
        let fits = command == Command::Help || x.saturating_add(width).saturating_add(reserved) <= area.right();
        if fits {
            hits.add(Rect { x, width, ..area }.intersection(area), Target::Command(command));
            spans.extend([Span::styled(key, theme.accent()), Span::raw(label)]);
            x = x.saturating_add(width);
        }
        fits
    };
    let fields: &[(Command, &str)] = &[
        (Command::Approve, "take or leave the field"),
        (Command::Edit, "edit the value"),
        (Command::Focus, "back to the tree"),
        (Command::Undo, "undo"),
    ];
    let short = |label: &'static str| label.split(',').next().unwrap_or(label);
    // How to move is known; what can be done here is not.
    let (moves, acts): (Vec<&Row>, Vec<&Row>) =
        TABLE.iter().filter(|row| (row.off)(state).is_none()).partition(|row| row.section == Section::Move);
    let rows = acts.into_iter().chain(moves).map(|row| (row.command, short(row.label)));
    let wanted: Vec<(Command, &str)> =
        if review::in_fields(state) { fields.to_vec() } else { rows.take(HINTS_MAX).collect() };
    for (command, label) in wanted {
        let Some(key) = keymap.all(command).into_iter().next() else { continue };
        if !hint(&mut spans, format!(" {key}"), format!(" {label} "), command) {
            break;
        }
    }
    hint(&mut spans, help, " help ".to_owned(), Command::Help);
    Line::from(spans)
}

/// Takes out of the frame what terminals disagree on, and, where only ASCII is wanted, everything of ours that is not.
fn plainly(state: &State, frame: &mut Frame<'_>) {
    let ascii = |symbol: &str| match symbol {
        "─" => Some("-"),
        "│" => Some("|"),
        "┌" | "┐" | "└" | "┘" => Some("+"),
        "“" | "”" => Some("\""),
        "…" => Some("~"),
        "⟨" => Some("<"),
        "⟩" => Some(">"),
        "⏎" | "⇥" => Some(" "),
        "↓" => Some("v"),
        "↑" => Some("^"),
        _ => None,
    };
    for cell in &mut frame.buffer_mut().content {
        // Whether a variation selector makes a symbol wider is what they disagree on (ratatui #75).
        if cell.symbol().contains('\u{FE0F}') {
            let symbol = cell.symbol().replace('\u{FE0F}', "");
            cell.set_symbol(&symbol);
        }
        if let Some(plain) = ascii(cell.symbol()).filter(|_| !state.theme.unicode) {
            cell.set_symbol(plain);
        }
    }
}
