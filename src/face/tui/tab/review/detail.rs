//! What there is to know about the row under the cursor.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph, Wrap},
};

use super::{difference, rows, together};
use crate::{
    domain::{
        model::{Kind, PageId, duration_words},
        plan::{Action, Change, Plan, Proposal, field_word},
        review::{Decision, Remembered},
        text::Shown,
    },
    face::{
        text,
        tui::{
            command::Command,
            keymap::Keymap,
            outside,
            pieces::{count, under_cursor},
            state::{State, subject::Subject},
            theme::Theme,
        },
    },
};

/// Earlier decisions that are shown.
const EARLIER_MAX: usize = 5;

pub(crate) fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect) {
    let Some(plan) = state.reviewing.plan() else { return };
    let heading =
        |kind: Kind, name: &Shown| vec![Line::styled(format!("{kind} {name}"), Theme::bold()), Line::default()];
    let mut lines = match state.reviewing.subject() {
        Some(Subject::Change(at)) => change(state, keymap, plan, at as usize),
        Some(Subject::Notice(at)) => {
            let notice = &plan.notices[at as usize];
            let mut lines = heading(notice.kind, &notice.name.shown());
            lines.push(Line::raw(notice.text.clone()));
            lines.extend([Line::default(), Line::raw("a notice: nothing is written for it")]);
            lines.push(Line::raw(format!("known and settled: punchlist pending ignore {}", notice.id())));
            lines
        }
        Some(Subject::Page(page)) => {
            let place = &plan.places[&page];
            let mut lines = heading(place.kind, &place.name.shown());
            let counts = state.reviewing.counts.get(state.reviewing.cursor as usize).copied().unwrap_or_default();
            lines.push(Line::raw(format!(
                "{} below, {} decided, {} approved; a decision here is about all that the filter shows",
                count(counts.changes as usize, "change", "changes"),
                counts.decided,
                counts.approved
            )));
            lines
        }
        Some(Subject::Notices { .. }) => vec![Line::raw("things to know that change nothing")],
        None => Vec::new(),
    };
    if let Some(on) = together::client(state).and_then(|client| together::on_it(state, client)) {
        lines.insert(0, Line::styled(on, state.theme.alert()));
    }
    if state.reviewing.page().is_some() {
        lines.extend(links(state, keymap));
    }
    let borders = match (area.x > 0, area.y > 2) {
        (true, _) => Borders::LEFT,
        (false, true) => Borders::TOP,
        (false, false) => Borders::NONE,
    };
    let style = if state.reviewing.detail.focused { state.theme.accent() } else { state.theme.dim() };
    let last = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(1);
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((state.reviewing.detail.scroll.min(last), 0));
    frame.render_widget(text.block(Block::new().borders(borders).border_style(style)), area);
}

fn change(state: &State, keymap: &Keymap, plan: &Plan, at: usize) -> Vec<Line<'static>> {
    let Some(review) = &state.reviewing.review else { return Vec::new() };
    let (theme, change) = (state.theme, &plan.changes[at]);
    let (chosen, verdict) = (review.chosen_with_rejected(at), review.verdict(at));
    let (mark, word) = rows::decision(state, at);
    let word = if word.is_empty() { "undecided" } else { word.trim_start_matches(", ") };
    let second = review.second_words(at).map(|words| Line::styled(words.to_string(), theme.alert()));
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} {}", chosen.action, change.kind), theme.action(chosen.action)),
        Span::raw(format!("   {} %   {mark} {word}{}", chosen.confidence, together::by(state, at).unwrap_or_default())),
    ])];
    lines.extend(second);
    if let Some(dissent) = state.reviewing.together.dissents.get(&change.id) {
        lines.push(Line::styled(together::against_line(dissent, &state.reviewing.who), theme.alert()));
    }
    if let Some(hold) = &change.hold {
        let key = keymap.first(Command::Release);
        let release = plan.release(at).map(|_| format!(" ({key} releases it)")).unwrap_or_default();
        lines.push(Line::styled(format!("held: {}{release}", hold.text), theme.alert()));
        let is_alike = |change: &&Change| change.hold.as_ref().is_some_and(|other| other.code == hold.code);
        let alike = plan.changes.iter().filter(is_alike).count();
        if alike > 1 {
            let key = keymap.first(Command::Filter);
            let word = hold.code.word();
            lines.push(Line::styled(
                format!("{alike} are held like it: {key}, then why:{word}, lists them"),
                theme.dim(),
            ));
        }
    }
    let path = plan.path(change.page).into_iter().chain([&change.name]);
    let path: Vec<String> = path.map(|name| name.shown().to_string()).collect();
    lines.push(Line::styled(path.join(theme.pick(" › ", " > ")), Theme::bold()));
    lines.push(Line::default());
    lines.extend(fields(state, change, &chosen, at));
    lines.push(Line::raw(chosen.reason.clone()));
    if let Some(blocking) = review.blocked(at).filter(|_| verdict.decision == Some(Decision::Approve)) {
        let decision = review.place(&blocking.id).and_then(|at| review.verdict(at).decision.as_ref());
        let key = keymap.first(Command::ApproveNeeded);
        let otherwise = decision.filter(|decision| decision.is_otherwise());
        let otherwise = otherwise.map(|decision| format!(", which was {} ({key} approves it too)", decision.word()));
        let text = format!("waits for “{}”{}", blocking.name.shown(), otherwise.unwrap_or_default());
        lines.push(Line::styled(text, theme.alert()));
    }
    if let Some(Decision::Flag { note }) = &verdict.decision {
        lines.push(Line::raw(format!("flagged: {}", Shown::of(note))));
    }
    lines.extend(section(theme, "Effects", effects(state, change, &chosen, at)));
    let key = keymap.first(Command::Resolve);
    let ways = std::iter::once(&change.proposal).chain(&change.alternatives).enumerate();
    let others = ways.filter(|(way, _)| *way != verdict.way);
    let others = others.map(|(number, way)| {
        format!("{}  {} {} %: {}", number + 1, text::way(change, way), way.confidence, way.reason)
    });
    lines.extend(section(theme, &format!("Other ways ({key})"), others.collect()));
    lines.extend(section(theme, "Earlier", earlier(state, change.page, change)));
    lines.extend(section(theme, "Why", vec![change.cause.evidence().to_owned()]));
    lines
}

fn section(theme: Theme, title: &str, lines: Vec<String>) -> Vec<Line<'static>> {
    if lines.is_empty() {
        return Vec::new();
    }
    let heading = [Line::default(), Line::styled(title.to_owned(), theme.dim())];
    heading.into_iter().chain(lines.into_iter().map(|line| Line::raw(format!("  {line}")))).collect()
}

/// The fields of the change, with the one that keys go to.
fn fields(state: &State, change: &Change, chosen: &Proposal, at: usize) -> Vec<Line<'static>> {
    let (theme, Some(review)) = (state.theme, &state.reviewing.review) else { return Vec::new() };
    let verdict = review.verdict(at);
    let many = chosen.fields.len() > 1;
    let in_fields = super::in_fields(state);
    let lines = chosen.fields.iter().enumerate().map(|(number, field)| {
        let rejected = verdict.rejected.contains(&field.field);
        let mut line = difference::line(theme, field_word(change.kind, field.field), field);
        if many {
            let mark = if rejected { theme.pick("✗ ", "n ") } else { theme.pick("✓ ", "y ") };
            line.spans.insert(0, Span::raw(mark));
        }
        if rejected {
            line.spans.push(Span::raw(", left alone"));
        }
        if verdict.edited.contains_key(&field.field) {
            line.spans.push(Span::styled(", as you typed it", theme.alert()));
        }
        if in_fields && number == state.reviewing.detail.field { under_cursor(&line) } else { line }
    });
    lines.collect()
}

/// What approving it brings about.
fn effects(state: &State, change: &Change, chosen: &Proposal, at: usize) -> Vec<String> {
    use crate::domain::model::Service;
    let Some(review) = &state.reviewing.review else { return Vec::new() };
    let kind = change.kind;
    let mut effects = vec![match (chosen.action, chosen.side, kind) {
        (Action::Create, ..) => "1 request creates it in Clockify, and its ID goes into the page".to_owned(),
        (Action::Link, ..) => "nothing changes in Clockify; its ID goes into the page".to_owned(),
        (Action::WriteBack, ..) => "1 request writes the Clockify ID into the page".to_owned(),
        (Action::ClearClaim, ..) => "1 request empties the ID in the page".to_owned(),
        (Action::Accept, ..) => "nothing is written; the difference is not shown again".to_owned(),
        (Action::Update, Service::Notion, _) => "1 request changes the page in Notion".to_owned(),
        (Action::Move, _, Kind::Task) => {
            "a new task is created, the old one is set done, and the page gets the new ID".to_owned()
        }
        (Action::Refile, ..) => {
            "1 request for each person files the time here; its length and all else stay as they are".to_owned()
        }
        (Action::Close, _, Kind::Task) => "1 request sets it done; it can be reopened".to_owned(),
        (Action::Close, ..) => "1 request archives it; it can be reopened".to_owned(),
        (Action::Reopen | Action::Move | Action::Update, ..) => {
            "1 request changes it in Clockify, and nothing else of it".to_owned()
        }
    }];
    if let Some(seconds) = change.tracked_seconds.filter(|&seconds| seconds > 0) {
        effects.push(format!("{} tracked on it stay", duration_words(seconds)));
    }
    for needed in change.requires.iter().filter_map(|id| review.find(id)) {
        let name = needed.name.shown().clipped(40);
        effects.push(format!("takes along: {} {} “{name}”", needed.proposal.action, needed.kind));
    }
    if let Some(&resting) = state.reviewing.needed_by.get(&at) {
        effects.push(count(resting, "change has to wait for it", "changes have to wait for it"));
    }
    effects
}

/// What was said earlier about this page's changes.
fn earlier(state: &State, page: PageId, change: &Change) -> Vec<String> {
    let left = state
        .reviewing
        .waiting
        .get(&change.id)
        .map(|since| format!("{} left for a person by a run", since.strftime("%Y-%m-%d")));
    let Some(known) = state.reviewing.earlier.get(&page) else { return left.into_iter().collect() };
    let line = |Remembered { said, by, at }: &Remembered| {
        let what = match &said.verdict.decision {
            Some(Decision::Approve) => "approved".to_owned(),
            Some(Decision::Skip) => "skipped".to_owned(),
            Some(Decision::Ignore) => "ignored for good".to_owned(),
            Some(Decision::Flag { note }) => format!("flagged: {}", Shown::of(note)),
            None => "edited".to_owned(),
        };
        // A decision about another change of the page, or about an earlier variant of this one, no longer counts.
        let void = if said.change == change.id { "" } else { "; it was about something else, and is void" };
        format!("{} {what} by {}{void}", at.strftime("%Y-%m-%d"), Shown::of(by))
    };
    let planned = |known: &&Remembered| {
        // What stands in the plan as a row of its own is shown there.
        known.said.change == change.id || state.reviewing.place(&known.said.change).is_none()
    };
    left.into_iter().chain(known.iter().filter(planned).take(EARLIER_MAX).map(line)).collect()
}

/// Both sides' addresses, with the keys that open them.
fn links(state: &State, keymap: &Keymap) -> Vec<Line<'static>> {
    let dim = |text: String| Line::styled(text, state.theme.dim());
    let mut lines = vec![Line::default()];
    if let Some(page) = state.reviewing.page().and_then(|(_, page)| page.in_notion()) {
        let edited = state.reviewing.plan().and_then(|plan| plan.places.get(&page)).map(|place| place.edited);
        let edited = edited.map(|edited| format!(", edited {}", edited.strftime("%Y-%m-%d %H:%M"))).unwrap_or_default();
        lines.push(dim(format!("Notion   {page} ({}){edited}", keymap.first(Command::OpenPage))));
    }
    if outside::object_url(state).is_some()
        && let Some((_, object)) = state.reviewing.object()
    {
        lines.push(dim(format!("Clockify {object} ({})", keymap.first(Command::OpenObject))));
    }
    if let Some(change) =
        state.reviewing.current_change().and_then(|at| state.reviewing.plan().map(|plan| &plan.changes[at]))
    {
        lines.push(dim(format!("change   {}", change.id)));
    }
    lines
}
