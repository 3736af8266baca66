//! Past runs, and the daemon; the log shows the entries of a run.

mod daemon;

use jiff::tz::TimeZone;
use ratatui::{Frame, layout::Rect, text::Line, widgets::Paragraph};

use super::{Parts, anywhere, logs, read_again};
use crate::{
    domain::text::Shown,
    edge::store::RunRecord,
    face::{
        text::outcome_words,
        tui::{
            command::{Command, Tab},
            effect::{Effect, Page},
            hits::{Hits, Target},
            keymap::Keymap,
            message::Message,
            pieces::{choice, count},
            row::{Row, Section, idle, on, row},
            state::{State, runs::wrote, stepped},
        },
    },
};

pub(super) const TAB: Parts = Parts {
    title: |_| "Runs".to_owned(),
    rows: ROWS,
    open: |_| Some(Effect::Look(Page::Runs)),
    act,
    go: |state, by| state.runs.at = stepped(state.runs.at, by, state.runs.all.len()),
    put: |state, at| state.runs.at = at,
    draw,
};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("undo_run", &["U"], Command::UndoRun, Section::Act, "undo the run", on_a_run),
    row("run_now", &["S"], Command::RunNow, Section::Act, "have the daemon run now", on_a_daemon),
    row("all_runs", &["H"], Command::AllRuns, Section::View, "also runs that only looked", in_runs),
    row("runs_tab", &["4"], Command::Tab(Tab::Runs), Section::View, "runs", on),
];

/// How those end that only looked.
const LOOKED: [&str; 4] = ["reviewed", "planned", "told", "explained"];

fn outcome(run: &RunRecord) -> String {
    run.end.as_ref().map(|end| outcome_words(&end.outcome)).unwrap_or_default()
}

fn in_runs(state: &State) -> Option<Message> {
    (state.tab != Tab::Runs).then(|| Message::from("only on the runs").see(Command::Tab(Tab::Runs)))
}

fn on_a_run(state: &State) -> Option<Message> {
    let Some(run) = state.runs.current().filter(|_| state.tab == Tab::Runs) else {
        return Some("only on one of the runs".into());
    };
    // One that has no end may have written before it was cut off; one that ended otherwise than as planned, too.
    let told = run.end.as_ref().is_some_and(|end| end.report.is_some());
    let looked = run.end.is_some() && LOOKED.contains(&outcome(run).as_str());
    idle(state).or_else(|| ((told || looked) && !wrote(run)).then(|| "that run wrote nothing".into()))
}

fn on_a_daemon(state: &State) -> Option<Message> {
    if state.tab != Tab::Runs {
        return Some("only on the tab of the runs".into());
    }
    let is_alive = state.runs.daemon.as_ref().is_some_and(|daemon| daemon.is_alive);
    (!is_alive).then(|| "no daemon is running on this state: `punchlist serve` is one".into())
}

fn act(state: &mut State, command: Command) -> Option<Effect> {
    match command {
        Command::RunNow => Some(Effect::Look(Page::RunNow(state.reviewing.who.clone()))),
        Command::UndoRun => {
            let run = state.runs.current()?.id;
            Some(read_again(state, Some(run)))
        }
        Command::AllRuns => {
            state.runs.toggle_looking();
            None
        }
        Command::Toggle => {
            let run = state.runs.current()?.id;
            logs::open(state, format!("run:{run}"));
            None
        }
        _ => anywhere(state, command),
    }
}

fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect, hits: &mut Hits) {
    let room = usize::from(area.height).saturating_sub(2).max(1);
    let runs = &state.runs;
    let dim = |text: String| Line::styled(text, state.theme.dim());
    let wide = usize::from(area.width) >= 100;
    let mut lines =
        runs.daemon.as_ref().map(|daemon| daemon::lines(daemon, state.now, area.width.into())).unwrap_or_default();
    let above = u16::try_from(lines.len()).unwrap_or_default();
    let room = room.saturating_sub(lines.len()).max(1);
    lines.push(dim(heading(wide)));
    let from = runs.at.saturating_sub(room - 1);
    for (y, (at, run)) in (area.y + above + 1..).zip(runs.all.iter().enumerate().skip(from).take(room)) {
        hits.add(Rect { y, height: 1, ..area }, Target::Row(at));
        let own = runs.own.as_ref() == Some(&run.id);
        lines.push(choice(line(run, &state.zone, own, wide), at == runs.at));
    }
    if runs.all.is_empty() {
        lines.push(dim("  no runs yet".to_owned()));
    }
    if runs.left_out() > 0 && lines.len() < usize::from(area.height) {
        let left_out = count(runs.left_out(), "run that only looked is", "runs that only looked are");
        lines.push(dim(format!("  {left_out} left out ({})", keymap.first(Command::AllRuns))));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn heading(wide: bool) -> String {
    let counts = if wide { format!("{:<36} {:<14}", "changes", "calls") } else { String::new() };
    format!("  {:<19}  {:<13} {:<10} {counts}{}", "started", "what", "who", "outcome")
}

fn line(run: &RunRecord, zone: &TimeZone, own: bool, wide: bool) -> String {
    let outcome = match &run.end {
        Some(end) => outcome_words(&end.outcome),
        None if own => "this console".to_owned(),
        None => "under way, or left by a crash".to_owned(),
    };
    let outcome = Shown::from(outcome).clipped(if wide { 60 } else { 30 });
    let started = run.started.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let report = run.end.as_ref().and_then(|end| end.report.as_ref());
    let counts = match (report, wide) {
        (_, false) => String::new(),
        (None, true) => format!("{:<36} {:<14}", "", ""),
        (Some(report), true) => {
            let changes: Vec<String> = report.counts().map(|(count, word)| format!("{count} {word}")).collect();
            let calls = format!("{} + {}", report.calls.notion, report.calls.clockify);
            format!("{:<36} {calls:<14}", Shown::from(changes.join(", ")).clipped(36))
        }
    };
    let by = Shown::of(&run.by).clipped(10);
    format!("  {started}  {:<13} {by:<10} {counts}{outcome}", Shown::of(&run.trigger).clipped(13))
}
