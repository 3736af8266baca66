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
    layout::{WIDE, is_too_small, layout},
    overlay,
    pieces::{bar, spinner},
    row::{Row, Section},
    state::{Phase, State},
    tab::{TABLE, review},
    theme::Theme,
};
use crate::domain::{
    model::Service,
    plan::{Action, Workspaces},
    text::Shown,
};

/// Hints in the footer at the most.
const HINTS_MAX: usize = 7;

/// Draws the state.
pub(crate) fn view(state: &State, keymap: &Keymap, frame: &mut Frame<'_>) -> Hits {
    let area = frame.area();
    let mut hits = Hits::default();
    // The terminal may have another size than the state knows of: the message about that is on its way.
    if is_too_small((area.width, area.height)) || (area.width, area.height) != state.size {
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

/// Between which workspaces the plan is, how old it is as far as there is room, and how far the review has come.
fn header(state: &State) -> Line<'static> {
    let (theme, plan) = (state.theme, state.reviewing.plan());
    let mut spans = vec![Span::styled(" punchlist", theme.accent())];
    if state.read_only {
        spans.push(Span::styled("  READ ONLY", theme.alert()));
    }
    let Workspaces { notion, clockify, configuration } = plan.map(|plan| plan.workspaces.clone()).unwrap_or_default();
    let (columns, is_one) = (if state.size.0 >= WIDE { 24 } else { 10 }, notion == clockify);
    for (service, name) in [(Service::Notion, &notion), (Service::Clockify, &clockify)] {
        let mark = match (&state.phase, plan.is_some() || state.reading.read.contains(&service)) {
            (_, true) => theme.pick("✓", "ok"),
            (Phase::Reading, false) => spinner(state),
            (_, false) => "-",
        };
        let short = if state.size.0 < 60 { &service.to_string()[..1] } else { &service.to_string() };
        spans.push(Span::raw(format!("  {short} {mark}")));
        let is_said_below = is_one && service == Service::Notion;
        if !name.is_empty() && !is_said_below {
            spans.push(Span::styled(format!(" {}", name.clipped(columns)), Theme::bold()));
        }
    }
    let is_wide = state.size.0 >= WIDE;
    spans.extend(configuration.map(|name| {
        let short = name.strip_prefix("profile ").filter(|_| !is_wide).map_or(name.clone(), Shown::from);
        Span::styled(format!("  {}", short.clipped(columns)), theme.alert())
    }));
    let Some(plan) = plan else { return Line::from(spans) };
    let tally = state.reviewing.tally;
    let all = tally.changes;
    let (word, columns) = if is_wide { ("decided ", 10) } else { ("", 6) };
    let bar = format!(" {}", bar(state, tally.decided(), all, columns));
    let second = |words: &str| match tally.second {
        0 => Span::default(),
        second => Span::styled(format!("  {second}{words}"), theme.alert()),
    };
    let decided = |bar: &str, words: &str| {
        [
            Span::raw(format!("   {word}{}/{all}{bar}", tally.decided())),
            Span::styled(format!("  {} approved", tally.approved), theme.good()),
            second(words),
        ]
    };
    let forms = [(bar.as_str(), " for a second person"), (&bar, " for a second"), ("", " for a second")];
    let used = |more: &[Span<'_>]| spans.iter().chain(more).map(Span::width).sum::<usize>();
    let fits = |more: &[Span<'_>]| used(more) <= usize::from(state.size.0);
    let mut decided_forms = forms.iter().map(|(bar, words)| decided(bar, words));
    let decided = decided_forms.find(|form| fits(form)).unwrap_or_else(|| decided("", theme.pick(" ◐", " *")));
    let age = state.reviewing.planned_at.map(|at| age(state.now.duration_since(at).as_secs()));
    let hash = &plan.hash[..plan.hash.len().min(8)];
    let made = [
        Span::raw(format!("   plan {hash}")),
        Span::styled(age.map(|age| format!(", {age}")).unwrap_or_default(), theme.dim()),
    ];
    if used(&decided) + made.iter().map(Span::width).sum::<usize>() <= usize::from(state.size.0) {
        spans.extend(made);
    }
    spans.extend(decided);
    Line::from(spans)
}

/// What the plan comes to by action, as far as there is room, and what can be done with it.
fn totals(state: &State, room: usize) -> Option<Span<'static>> {
    let summary = state.reviewing.summary;
    let all = state.reviewing.plan().filter(|plan| !plan.changes.is_empty())?.changes.len();
    let (ready, review, held) = (all - summary.review - summary.held, summary.review, summary.held);
    let states = [(ready, " ready", " ready"), (review, " review", "?"), (held, " held", "!")];
    let states = states.into_iter().filter(|(count, ..)| *count > 0);
    let (words, short): (Vec<String>, Vec<String>) =
        states.map(|(count, word, sign)| (format!("{count}{word}"), format!("{count}{sign}"))).unzip();
    let (words, short) = (words.join(", "), short.join(" "));
    let actions = Action::counted().map(|action| (summary.of[action], action)).filter(|(count, _)| *count > 0);
    let actions: Vec<String> =
        actions.map(|(count, action)| format!("{}{count}", state.theme.symbol(action))).collect();
    let forms = [format!("{}  {words} ", actions.join(" ")), format!("{words} "), format!("{short} ")].map(Shown::from);
    let text = forms.into_iter().find(|text| text.width() + 2 <= room)?;
    Some(Span::styled(format!("{}{text}", " ".repeat(room - text.width())), state.theme.dim()))
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
    let used = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    if state.tab == Tab::Review {
        let room = usize::from(area.width).saturating_sub(used(&spans));
        spans.extend(review::status(state, room));
    }
    let room = usize::from(area.width).saturating_sub(used(&spans));
    spans.extend(totals(state, room));
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
    let (moves, acts): (Vec<&Row>, Vec<&Row>) = TABLE
        .iter()
        .filter(|row| !(state.read_only && row.command.writes()) && (row.off)(state).is_none())
        .partition(|row| row.section == Section::Move);
    let rows = acts.into_iter().chain(moves).map(|row| (row.command, short(row.label)));
    let mut wanted: Vec<(Command, &str)> =
        if review::in_fields(state) && !state.read_only { fields.to_vec() } else { rows.take(HINTS_MAX).collect() };
    if state.phase == Phase::Applying {
        let label = if state.applying.stopping { "leave at once" } else { "stop" };
        wanted.insert(0, (Command::Interrupt, label));
    }
    if state.tab == Tab::Review && state.reviewing.undoes.is_some() && state.phase == Phase::Ready {
        wanted.insert(wanted.len().min(3), (Command::Refetch, "back to the review"));
    }
    for (command, label) in wanted {
        let Some(key) = keymap.all(command).into_iter().next() else { continue };
        let label = review::on_below(state, command).unwrap_or_else(|| label.to_owned());
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
