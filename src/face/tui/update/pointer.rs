//! The mouse: what was drawn somewhere is what a click there means.

use crate::face::tui::{
    command::Command,
    effect::Effect,
    hits::Target,
    overlay,
    state::{State, overlay::Overlay},
};

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointing {
    Click,
    DoubleClick,
    WheelUp,
    WheelDown,
}

/// Rows that the wheel moves.
const WHEEL: isize = 3;

pub(super) fn point(state: &mut State, pointing: Pointing, target: Target) -> Option<Effect> {
    match pointing {
        Pointing::WheelUp => wheel(state, target, -WHEEL),
        Pointing::WheelDown => wheel(state, target, WHEEL),
        Pointing::Click | Pointing::DoubleClick => return click(state, pointing == Pointing::DoubleClick, target),
    }
    None
}

fn wheel(state: &mut State, target: Target, by: isize) {
    // What is being typed is about the row under the cursor.
    if let Some(prompt) = &mut state.prompt {
        if state.overlay == Some(Overlay::Help) {
            prompt.line = prompt.line.saturating_add_signed(by);
        }
        return;
    }
    match (&mut state.overlay, target) {
        (Some(_), _) => {}
        (None, Target::Detail) => {
            state.reviewing.detail.scroll(i16::try_from(by).unwrap_or_default());
        }
        (None, _) => (state.tab.parts().go)(state, by),
    }
}

fn click(state: &mut State, double: bool, target: Target) -> Option<Effect> {
    if let (Some(overlay), Target::Line(line)) = (state.overlay, target) {
        return overlay::choose(state, overlay, line + 1);
    }
    // What is typed or lies over the tab comes first: a click beside it closes nothing and decides nothing.
    if state.overlay.is_some() || state.prompt.is_some() {
        return None;
    }
    match target {
        Target::Row(at) => {
            (state.tab.parts().put)(state, at);
            if double { overlay::act(state, Command::Toggle) } else { None }
        }
        Target::Fold(node) => {
            state.reviewing.go_to(node);
            state.reviewing.toggle_fold();
            None
        }
        Target::Detail => {
            state.reviewing.detail.focused = true;
            None
        }
        Target::Command(command) => overlay::act(state, command),
        Target::Line(_) | Target::Nothing => None,
    }
}
