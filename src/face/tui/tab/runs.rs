//! Past runs, and the daemon; the log shows the entries of a run.

mod daemon;

use jiff::tz::TimeZone;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{Parts, anywhere, logs, read_again};
use crate::{
    domain::{report::Report, text::Shown},
    edge::store::RunRecord,
    face::{
        text::outcome_words,
        tui::{
            columns::{Wish, fitted, share},
            command::{Command, Tab},
            effect::{Effect, Page},
            hits::{Hits, Target},
            keymap::Keymap,
            message::Message,
            pieces::{choice, count},
            row::{Row, Section, idle, on, row},
            state::{State, runs::wrote_nothing, stepped},
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

fn in_runs(state: &State) -> Option<Message> {
    (state.tab != Tab::Runs).then(|| Message::from("only on the runs").see(Command::Tab(Tab::Runs)))
}

fn on_a_run(state: &State) -> Option<Message> {
    let Some(run) = state.runs.current().filter(|_| state.tab == Tab::Runs) else {
        return Some("only on one of the runs".into());
    };
    idle(state).or_else(|| wrote_nothing(run).then(|| "that run wrote nothing".into()))
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

/// Lines at the end for what does not fit.
const UNFOLDED: usize = 2;
/// Cells of a line, from left to right.
const COLUMNS: usize = 6;
/// Columns between two cells, and in front of the first.
const GAP: usize = 2;

fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect, hits: &mut Hits) {
    let runs = &state.runs;
    let own = |run: &RunRecord| runs.own.as_ref() == Some(&run.id);
    let cut = runs.current().map(|run| line(run, &state.zone, own(run))).unwrap_or_default();
    let mut lines =
        runs.daemon.as_ref().map(|daemon| daemon::lines(daemon, state.now, area.width.into())).unwrap_or_default();
    let above = u16::try_from(lines.len()).unwrap_or_default();
    let room = usize::from(area.height).saturating_sub(lines.len() + 1 + UNFOLDED).max(1);
    let from = runs.at.saturating_sub(room - 1);
    let shown: Vec<[String; COLUMNS]> =
        runs.all.iter().skip(from).take(room).map(|run| line(run, &state.zone, own(run))).collect();
    let widths = widths(usize::from(area.width), shown.iter().chain([&heading()]));
    lines.push(Line::styled(spread(&heading(), widths), state.theme.dim()));
    for (y, (at, cells)) in (area.y + above + 1..).zip((from..).zip(&shown)) {
        hits.add(Rect { y, height: 1, ..area }, Target::Row(at));
        lines.push(choice(spread(cells, widths), at == runs.at));
    }
    if runs.all.is_empty() {
        lines.push(Line::styled("  no runs yet", state.theme.dim()));
    }
    if runs.left_out() > 0 && lines.len() < usize::from(area.height) {
        let left_out = count(runs.left_out(), "run that only looked is", "runs that only looked are");
        let key = keymap.first(Command::AllRuns);
        lines.push(Line::styled(format!("  {left_out} left out ({key})"), state.theme.dim()));
    }
    // What had to be cut of the run under the cursor is there to be read all the same.
    let is_cut = cut.iter().zip(widths).any(|(cell, width)| Span::raw(cell).width() > width);
    let [list, unfolded] = Layout::vertical([Constraint::Min(1), Constraint::Length(2)]).areas(area);
    frame.render_widget(Paragraph::new(lines), if is_cut { list } else { area });
    if is_cut {
        let cells: Vec<&str> = cut.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        let text = Paragraph::new(format!("  {}", cells.join(", "))).wrap(Wrap { trim: false });
        frame.render_widget(text, unfolded);
    }
}

/// How wide each cell is: when it began and how it ended come first, then what was done and by whom.
fn widths<'a>(width: usize, lines: impl Iterator<Item = &'a [String; COLUMNS]>) -> [usize; COLUMNS] {
    let mut most = [0; COLUMNS];
    for line in lines {
        for (most, cell) in most.iter_mut().zip(line) {
            *most = (*most).max(Span::raw(cell).width());
        }
    }
    let [started, what, who, changes, calls, outcome] = most;
    let wishes = [
        Wish::whole(started),
        Wish::at_least(16, outcome),
        Wish::at_least(8, what),
        Wish::at_least(12, changes),
        Wish::at_least(6, who),
        Wish::whole(calls),
    ];
    let [started, outcome, what, changes, who, calls] = share(width.saturating_sub(COLUMNS * GAP + 1), wishes);
    [started, what, who, changes, calls, outcome]
}

fn spread(cells: &[String; COLUMNS], widths: [usize; COLUMNS]) -> String {
    let gap = " ".repeat(GAP);
    let shown = cells.iter().zip(widths).filter(|(_, width)| *width > 0);
    let cells: Vec<String> = shown.map(|(cell, width)| fitted(cell, width)).collect();
    format!("{gap}{}", cells.join(&gap))
}

fn heading() -> [String; COLUMNS] {
    ["started", "what", "who", "changes", "calls", "outcome"].map(str::to_owned)
}

fn line(run: &RunRecord, zone: &TimeZone, own: bool) -> [String; COLUMNS] {
    let outcome = match &run.end {
        Some(end) => outcome_words(&end.outcome),
        None if own => "this console".to_owned(),
        None => "under way, or left by a crash".to_owned(),
    };
    let report = run.end.as_ref().and_then(|end| end.report.as_ref());
    let counts =
        |report: &Report| -> Vec<String> { report.counts().map(|(count, word)| format!("{count} {word}")).collect() };
    [
        run.started.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Shown::of(&run.trigger).to_string(),
        Shown::of(&run.by).to_string(),
        report.map(|report| counts(report).join(", ")).unwrap_or_default(),
        report.map(|report| format!("{} + {}", report.calls.notion, report.calls.clockify)).unwrap_or_default(),
        Shown::from(outcome).to_string(),
    ]
}
