//! The hours: a period's findings and figures, its days and entries on demand, and the close of a month.

pub(crate) mod entries;
pub(crate) mod figures;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::Line,
    widgets::{Paragraph, Wrap},
};

use super::{Parts, anywhere};
use crate::face::tui::{
    command::{Command, Tab},
    effect::{Effect, Order},
    hits::Hits,
    keymap::Keymap,
    message::Message,
    outside,
    pieces::spinner,
    row::{Row, Section, idle, on, row},
    state::{
        Phase, State,
        overlay::ask_to_close,
        prompt::{self, Purpose},
        timesheet::{Item, TimeOrder},
    },
};

/// Lines for why something is not there.
const WRONG_LINES: u16 = 2;

pub(super) const TAB: Parts = Parts {
    title: |_| "Hours".to_owned(),
    rows: ROWS,
    open: |state| {
        let is_new = state.hours.reckoned.is_none() && state.hours.asked.is_none();
        is_new.then(|| figures_of(state, false))
    },
    act,
    go: |state, by| state.hours.go(by),
    put: |state, at| state.hours.put(at),
    draw,
};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("previous_month", &["<"], Command::PreviousMonth, Section::Find, "month before, of the hours", at_rest),
    row("next_month", &[">"], Command::NextMonth, Section::Find, "month after, of the hours", at_rest),
    row("period", &["m"], Command::Period, Section::Find, "month or days, of the hours", at_rest),
    row("entries", &["d"], Command::Entries, Section::View, "entries, of the hours", on_a_node),
    row("days", &["D"], Command::Days, Section::View, "weeks, of the hours", without_days),
    row("close_month", &["C"], Command::CloseMonth, Section::Act, "close the month, of the hours", on_an_open_month),
    row("hours_tab", &["5"], Command::Tab(Tab::Hours), Section::View, "hours", on),
];

fn in_hours(state: &State) -> Option<Message> {
    (state.tab != Tab::Hours).then(|| Message::from("only in the hours").see(Command::Tab(Tab::Hours)))
}

/// Off while something is read: it may be dear, and is waited for.
fn at_rest(state: &State) -> Option<Message> {
    in_hours(state).or_else(|| state.hours.asked.as_ref().map(|asked| format!("{}: wait for it", asked.words()).into()))
}

/// Off where there are no figures.
pub(super) fn with_figures(state: &State) -> Option<Message> {
    in_hours(state).or_else(|| state.hours.reckoned.is_none().then(|| "there are no figures yet".into()))
}

fn on_a_node(state: &State) -> Option<Message> {
    at_rest(state)
        .or_else(|| with_figures(state))
        .or_else(|| state.hours.drilled.is_some().then(|| "entries are shown already".into()))
        .or_else(|| state.hours.current().is_none().then(|| "only on a client, a project or a task".into()))
}

fn without_days(state: &State) -> Option<Message> {
    at_rest(state)
        .or_else(|| with_figures(state))
        .or_else(|| state.hours.by_day.is_some().then(|| "the weeks are shown already".into()))
}

fn on_an_open_month(state: &State) -> Option<Message> {
    at_rest(state).or_else(|| with_figures(state)).or_else(|| idle(state)).or_else(|| {
        let reckoned = state.hours.reckoned.as_ref()?;
        match &reckoned.sealed {
            _ if !reckoned.period.is_month() => Some("only a whole month is closed".into()),
            Some(sealed) => Some(format!("{} is sealed already, since {}", reckoned.period, sealed.sealed_at).into()),
            None => None,
        }
    })
}

fn ask(order: TimeOrder) -> Effect {
    Effect::Order(Order::Time(order))
}

fn figures_of(state: &mut State, anew: bool) -> Effect {
    let period = state.hours.period;
    ask(state.hours.ask_for(period, anew))
}

fn act(state: &mut State, command: Command) -> Option<Effect> {
    let hours = &mut state.hours;
    match command {
        Command::PreviousMonth | Command::NextMonth => {
            let month = match (hours.period, command) {
                (Some(period), Command::PreviousMonth) => Some(period.previous_month()),
                (Some(period), _) => Some(period.next_month()),
                (None, _) => None,
            };
            return Some(ask(hours.ask_for(month, false)));
        }
        Command::Period => {
            let period = hours.period.map(|period| period.to_string().replace(" to ", "..")).unwrap_or_default();
            prompt::ask(state, Purpose::Period, &period);
        }
        Command::Toggle => {
            let is_leaf =
                hours.drilled.is_none() && !hours.toggle_fold() && matches!(hours.item(), Some(Item::Node(_)));
            if is_leaf && on_a_node(state).is_none() {
                return entries(state);
            }
        }
        Command::Entries => return entries(state),
        Command::Days => {
            let period = hours.reckoned.as_ref()?.period;
            return Some(ask(hours.ask(TimeOrder::Days(period))));
        }
        Command::CloseMonth => ask_to_close(state),
        Command::Export => prompt::ask(state, Purpose::HoursFile, "csv"),
        Command::Unfold => hours.unfold(),
        Command::Fold => hours.fold(),
        Command::UnfoldAll => hours.fold_from(usize::MAX),
        Command::FoldAll | Command::FoldToClients => hours.fold_from(1),
        Command::FoldToProjects => hours.fold_from(2),
        Command::OpenPage => return outside::page_url(state).map(Effect::Open),
        Command::OpenObject => return outside::object_url(state).map(Effect::Open),
        Command::Refetch if hours.asked.is_none() && matches!(state.phase, Phase::Ready) => {
            return Some(figures_of(state, true));
        }
        Command::Back | Command::Leave if hours.drilled.is_some() => hours.drilled = None,
        _ => return anywhere(state, command),
    }
    None
}

/// Asks for the entries on what is under the cursor.
fn entries(state: &mut State) -> Option<Effect> {
    let period = state.hours.reckoned.as_ref()?.period;
    let (_, branch) = state.hours.current()?;
    Some(ask(state.hours.ask(TimeOrder::Entries { period, branch })))
}

fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect, hits: &mut Hits) {
    let hours = &state.hours;
    let asked = u16::from(hours.asked.is_some());
    let wrong = if hours.wrong.is_empty() { 0 } else { WRONG_LINES };
    let [doing, because, rest] =
        Layout::vertical([Constraint::Length(asked), Constraint::Length(wrong), Constraint::Min(0)]).areas(area);
    if let Some(asked) = &hours.asked {
        let when = match state.phase {
            Phase::Reading => ", as soon as both sides are read",
            Phase::Applying => ", as soon as changes are applied",
            Phase::Ready | Phase::Failed { .. } => "",
        };
        let stops = keymap.first(Command::Interrupt);
        frame.render_widget(Line::raw(format!("  {} {}{when}; {stops} stops", spinner(state), asked.words())), doing);
    }
    let text = Line::styled(format!("  {}", hours.wrong), state.theme.alert());
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), because);
    match (&hours.reckoned, &hours.drilled) {
        (Some(_), Some(drilled)) => entries::draw(state, keymap, drilled, frame, rest, hits),
        (Some(reckoned), None) => figures::draw(state, keymap, reckoned, frame, rest, hits),
        (None, _) => {}
    }
}
