//! The apply: how it goes on, and what came of it.

pub(crate) mod progress;

use super::{Parts, anywhere};
use crate::face::tui::{
    command::{Command, Tab},
    effect::Effect,
    message::Message,
    row::{Row, Section, on, row},
    state::{Phase, State},
};

pub(super) const TAB: Parts = Parts {
    title: |_| "Apply".to_owned(),
    rows: ROWS,
    open: |_| None,
    act,
    go: |state, by| state.applying.go(by),
    put: |_, _| {},
    draw: progress::draw,
};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("retry", &["r"], Command::Retry, Section::Act, "retry what failed", to_retry),
    row("apply_tab", &["2"], Command::Tab(Tab::Apply), Section::View, "apply", on),
    row("only_failures", &["E"], Command::OnlyFailures, Section::View, "failures only", in_apply),
];

fn to_retry(state: &State) -> Option<Message> {
    match &state.applying.report {
        _ if state.phase == Phase::Applying => Some("changes are being applied".into()),
        Some(report) if report.failed + report.skipped > 0 => None,
        Some(_) | None => Some("nothing has failed".into()),
    }
}

fn in_apply(state: &State) -> Option<Message> {
    (state.tab != Tab::Apply).then(|| Message::from("only while applying").see(Command::Tab(Tab::Apply)))
}

fn act(state: &mut State, command: Command) -> Option<Effect> {
    match command {
        Command::OnlyFailures => state.applying.only_failures = !state.applying.only_failures,
        Command::Toggle => {}
        _ => return anywhere(state, command),
    }
    None
}
