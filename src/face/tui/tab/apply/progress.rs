//! How an apply goes on, and what came of it.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use crate::{
    domain::model::Kind,
    face::tui::{
        command::{Command, Tab},
        hits::Hits,
        keymap::Keymap,
        pieces::{bar, reading, report_lines},
        state::{
            Phase, State,
            applying::{Line as Told, Mark, Stage},
        },
        theme::Theme,
    },
    face::{progress::waited_for, text},
};

/// Cells of the whole bar, and of one stage's.
const BAR: usize = 30;
const STAGE_BAR: usize = 10;

pub(super) fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect, _: &mut Hits) {
    frame.render_widget(story(state, keymap, area), area);
}

fn story(state: &State, keymap: &Keymap, area: Rect) -> Paragraph<'static> {
    let applying = &state.applying;
    if applying.total.all == 0 && state.applying.report.is_none() {
        let text = format!(
            "  nothing was applied yet: approve changes ({}), then {}",
            keymap.first(Command::Tab(Tab::Review)),
            keymap.first(Command::Apply)
        );
        return Paragraph::new(vec![Line::default(), Line::styled(text, state.theme.dim())]);
    }
    let mut lines = total(state);
    // Approved long ago: both sides are read again before anything is written.
    if state.phase == Phase::Applying && !state.reading.rows.is_empty() && applying.lines.is_empty() {
        lines.push(Line::styled(
            "  the plan is no longer fresh: reading both sides again before anything is written",
            state.theme.dim(),
        ));
        lines.extend(reading(state));
    }
    if state.reading.of_rest && state.phase == Phase::Reading {
        let text = format!("  reading what is left, {} so far", state.reading.cost());
        lines.extend([Line::styled(text, state.theme.dim()), Line::default()]);
    }
    if let (Phase::Failed { text, .. }, true) = (&state.phase, state.reading.of_rest) {
        lines.push(Line::raw("  what is left could not be read"));
        lines.extend(text.iter().map(|line| Line::styled(format!("  {line}"), state.theme.alert())));
        lines.push(Line::raw(format!("  {} reads both sides again", keymap.first(Command::Refetch))));
        lines.push(Line::default());
    }
    lines.extend(stages(state, usize::from(area.width)));
    lines.push(Line::default());
    if let Some(report) = &state.applying.report {
        lines.extend(report_lines(state, keymap, report));
        lines.push(Line::default());
        lines.extend(applying.shown().map(|line| told(state, line)));
        let last = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let scroll = u16::try_from(applying.scroll).unwrap_or(u16::MAX).min(last);
        return Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll, 0));
    }
    let room = usize::from(area.height).saturating_sub(lines.len());
    let shown: Vec<_> = applying.shown().collect();
    let end = (applying.scroll + 1).max(room).min(shown.len());
    lines.extend(shown[end.saturating_sub(room)..end].iter().map(|line| told(state, line)));
    Paragraph::new(lines)
}

/// One thing that happened.
fn told(state: &State, line: &Told) -> Line<'static> {
    let (mark, style, word) = match line.mark {
        Mark::Applied => (state.theme.pick("✓", "ok"), state.theme.good(), ""),
        Mark::Failed => (state.theme.pick("✗", "!!"), state.theme.bad(), "failed: "),
        Mark::Begun => (state.theme.pick("◐", "~~"), state.theme.alert(), "begun: "),
        Mark::NotStarted => (state.theme.pick("·", ".."), state.theme.alert(), "not started: "),
    };
    let time = line.at.strftime("%H:%M:%S");
    Line::from(vec![Span::styled(format!("  {mark} "), style), Span::raw(format!("{time}  {word}{}", line.text))])
}

fn total(state: &State) -> Vec<Line<'static>> {
    let applying = &state.applying;
    let Stage { all, applied: _, failed, not_started } = applying.total;
    let done = applying.total.done();
    let word = match (&state.phase, applying.stopping) {
        (Phase::Applying, true) => "stopping",
        (Phase::Applying, false) => "applying",
        _ => "ended",
    };
    let percent = (done * 100).checked_div(all).unwrap_or(100);
    let mut spans = vec![
        Span::styled(format!("  {word} "), Theme::bold()),
        Span::raw(format!("{} {done}/{all}  {percent} %", bar(state, done, all, BAR))),
    ];
    if failed > 0 {
        spans.push(Span::styled(format!("   {failed} failed"), state.theme.bad()));
    }
    if not_started > 0 {
        spans.push(Span::styled(format!("   {not_started} not started"), state.theme.alert()));
    }
    let mut facts = vec![format!("elapsed {}", clock(applying.seconds(state.now)))];
    if let (Phase::Applying, Some((rate, left))) = (&state.phase, applying.rate(state.now)) {
        facts.push(format!("{rate:.1} a second"));
        facts.push(format!("about {} left", clock(left)));
    }
    if applying.on_their_way(state.now) > 0 {
        facts.push(format!("{} in flight", applying.on_their_way(state.now)));
    }
    facts.extend(waiting(state));
    if let (Phase::Applying, Some(hourly)) = (&state.phase, &applying.hourly) {
        facts.extend(text::done_at(hourly, state.now, &state.zone));
    }
    if let (times @ 1.., seconds) = applying.throttled {
        facts.push(format!("asked to wait {times} times, {seconds} s in all"));
    }
    vec![
        Line::default(),
        Line::from(spans),
        Line::styled(format!("  {}", facts.join(", ")), state.theme.dim()),
        Line::default(),
    ]
}

/// What is waited for, and how long.
fn waiting(state: &State) -> impl Iterator<Item = String> {
    let now = state.now;
    state.applying.waits(now).into_iter().map(move |turn| {
        // A part of a second is one to wait.
        let left = turn.until.duration_since(now).as_millis().max(0).unsigned_abs().div_ceil(1000);
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        format!("{}, {}", waited_for(turn.service, turn.limit), clock(left))
    })
}

/// One line for each kind, and one for closes, which come last.
fn stages(state: &State, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut current = None;
    for (&(closes, kind, action), stage) in &state.applying.stages {
        let title = if closes { "closes" } else { Kind::plural(kind) };
        let done = stage.done();
        let failed = if stage.failed > 0 { format!(" {} failed", stage.failed) } else { String::new() };
        let of = if closes { format!(" {}", kind.plural()) } else { String::new() };
        let text = format!(
            " {} {}{of} {} {done}/{}{failed}  ",
            state.theme.symbol(action),
            action.word(),
            bar(state, done, stage.all, STAGE_BAR),
            stage.all
        );
        let span = Span::styled(text, state.theme.action(action));
        let fits = |line: &&mut Line<'_>| current == Some(title) && line.width() + span.width() <= width;
        if let Some(line) = lines.last_mut().filter(fits) {
            line.spans.push(span);
        } else {
            let label = if current == Some(title) { "" } else { title };
            lines.push(Line::from(vec![Span::raw(format!("  {label:<9}")), span]));
        }
        current = Some(title);
    }
    lines
}

fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
