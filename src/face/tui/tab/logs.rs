//! The log: looked at for a page, a run or a change; an entry is opened, what is added is followed.

pub(crate) mod entries;

use super::{Parts, anywhere, hours::with_figures};
use crate::{
    domain::model::PageId,
    face::tui::{
        command::{Command, Tab},
        effect::{Effect, Page},
        message::Message,
        row::{Row, Section, on, row},
        state::{
            State,
            prompt::{self, Purpose},
            subject::Subject,
            window::Logs,
        },
    },
};

pub(super) const TAB: Parts = Parts {
    title: |_| "Logs".to_owned(),
    rows: ROWS,
    open: |state| {
        open(state, state.logs.filter.clone());
        None
    },
    act,
    go: |state, by| state.logs.go(by),
    put: |state, at| (state.logs.at, state.logs.follow) = (at, false),
    draw: entries::draw,
};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("timeline", &["T"], Command::Timeline, Section::Find, "all about this page, in the log", on_a_page),
    row("log_level", &["L"], Command::Level, Section::Find, "level, in the log", in_logs),
    row("log_run", &["@"], Command::OfRun, Section::Find, "this run alone, in the log", on_an_entry),
    row("log_follow", &["F"], Command::Follow, Section::View, "follow what is added, in the log", in_logs),
    row("log_change", &["X"], Command::ToChange, Section::Find, "to the change, from the log", on_an_entry),
    row("log_export", &["W"], Command::Export, Section::Act, "save what is shown, of log or hours", can_be_saved),
    row("logs_tab", &["3"], Command::Tab(Tab::Logs), Section::View, "log", on),
];

fn in_logs(state: &State) -> Option<Message> {
    (state.tab != Tab::Logs).then(|| Message::from("only in the log").see(Command::Tab(Tab::Logs)))
}

fn can_be_saved(state: &State) -> Option<Message> {
    if state.tab == Tab::Hours { with_figures(state) } else { in_logs(state) }
}

fn on_an_entry(state: &State) -> Option<Message> {
    in_logs(state).or_else(|| state.logs.current().is_none().then(|| "there is no entry".into()))
}

fn on_a_page(state: &State) -> Option<Message> {
    page(state).is_none().then(|| "this is about no page".into())
}

/// The page that is looked at, in the log or in the review.
fn page(state: &State) -> Option<PageId> {
    match state.tab {
        Tab::Logs => state.logs.current()?.page,
        Tab::Review => state.reviewing.page().map(|(_, page)| page),
        Tab::Hours => state.hours.page(),
        Tab::Apply | Tab::Runs => None,
    }
}

/// Opens the log on what a filter selects.
pub(crate) fn open(state: &mut State, filter: String) {
    (state.tab, state.logs.open) = (Tab::Logs, None);
    state.logs.filter_by(filter);
}

/// Opens the log on all that is about the page that is looked at.
pub(crate) fn open_timeline(state: &mut State) {
    if let Some(page) = page(state) {
        open(state, format!("about:{page}"));
    }
}

fn act(state: &mut State, command: Command) -> Option<Effect> {
    let logs = &mut state.logs;
    match command {
        Command::Follow => {
            logs.follow = !logs.follow;
            if logs.follow {
                logs.filter_by(logs.filter.clone());
            }
        }
        Command::Level => logs.filter_by(logs.next_level()),
        Command::OfRun => {
            if let Some(run) = logs.current().and_then(|line| line.run) {
                open(state, format!("run:{run}"));
            }
        }
        Command::ToChange => to_change(state),
        Command::Export => return Some(Effect::Look(Page::Export(Logs::meant(&logs.filter)))),
        Command::Search | Command::Filter => {
            let filter = logs.filter.clone();
            prompt::ask(state, Purpose::LogFilter, &filter);
        }
        Command::Toggle => logs.toggle(),
        Command::Back | Command::Leave if logs.open.is_some() => logs.open = None,
        Command::Back | Command::Leave if !logs.filter.is_empty() => logs.filter_by(String::new()),
        _ => return anywhere(state, command),
    }
    None
}

/// Goes to the change of the entry in the review.
fn to_change(state: &mut State) {
    let place =
        state.logs.current().and_then(|line| line.change.as_ref()).and_then(|change| state.reviewing.place(change));
    let node = place.and_then(|place| u32::try_from(place).ok());
    match node.and_then(|place| state.reviewing.tree.find(Subject::Change(place))) {
        Some(node) => {
            state.tab = Tab::Review;
            state.reviewing.go_to(node);
        }
        None => state.toast = "the plan at hand has no such change".into(),
    }
}
