//! What keys do to the log: look at a page, a run or a change, open an entry, follow what is added.

pub(crate) mod entries;
pub(crate) mod window;

use self::window::Question;
use super::review::tree::Subject;
use crate::face::tui::{
    command::Command,
    overlay::prompt,
    state::{Purpose, State, Tab},
    update::Effect,
};

/// Opens the log on what a filter selects.
pub(crate) fn open(state: &mut State, filter: String) {
    state.tab = Tab::Logs;
    state.logs.open = None;
    state.logs.look(filter);
}

/// Does what a command asks for in the log; false where it means something else there.
pub(crate) fn acted(state: &mut State, command: Command) -> Option<Effect> {
    match command {
        Command::Follow => {
            state.logs.follow = !state.logs.follow;
            if state.logs.follow {
                let filter = state.logs.filter.clone();
                state.logs.look(filter);
            }
        }
        Command::Level => {
            let filter = state.logs.next_level();
            state.logs.look(filter);
        }
        Command::OfRun => {
            let run = state.logs.current().and_then(|line| line.run.clone());
            if let Some(run) = run {
                open(state, format!("run:{run}"));
            }
        }
        Command::Timeline => {
            let page = match state.tab {
                Tab::Logs => state.logs.current().and_then(|line| line.page),
                _ => state.reviewing.page().map(|(_, page)| page),
            };
            match page {
                Some(page) => open(state, format!("about:{page}")),
                None => "this is about no page".clone_into(&mut state.toast),
            }
        }
        Command::ToChange => to_change(state),
        Command::Export => return Some(Effect::Export(state.logs.filter.clone())),
        _ => {}
    }
    None
}

/// Asks for a filter.
pub(crate) fn ask(state: &mut State) {
    let filter = state.logs.filter.clone();
    prompt::ask(state, Purpose::LogFilter, &filter);
}

/// Shows everything of the entry, or hides it again.
pub(crate) fn toggle(state: &mut State) {
    state.logs.open = match state.logs.open {
        Some(_) => None,
        None => state.logs.current().map(|_| 0),
    };
}

/// Goes to the change of the entry in the review.
fn to_change(state: &mut State) {
    let place = state.logs.current().and_then(|line| line.change.clone()).and_then(|change| state.reviewing.place(&change));
    let node =
        place.and_then(|place| u32::try_from(place).ok()).and_then(|place| state.reviewing.tree.find(Subject::Change(place)));
    match node {
        Some(node) => {
            state.tab = Tab::Review;
            state.reviewing.go_to(node);
        }
        None => "the plan at hand has no such change".clone_into(&mut state.toast),
    }
}

/// What the window needs, while somebody looks at it.
pub(crate) fn wants(state: &mut State) -> Option<Question> {
    if state.tab == Tab::Logs { state.logs.wants() } else { None }
}
