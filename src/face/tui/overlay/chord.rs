//! What can follow the keys that begin a sequence.

use ratatui::text::{Line, Span};

use super::Sheet;
use crate::{
    domain::text::Shown,
    face::tui::{command::Command, keymap::Keymap, state::State, tab::row_of, theme::Theme},
};

pub(super) fn sheet(state: &State, keymap: &Keymap) -> Sheet {
    let begun: String = state.strokes.iter().map(ToString::to_string).collect();
    let following = keymap.following(&state.strokes);
    let lines = following.into_iter().filter_map(|(keys, command)| {
        if let Command::Own(at) = command {
            let name = Shown::of(&state.own.get(at)?.name).clipped(30);
            return Some(Line::from(vec![
                Span::styled(format!(" {keys:<6} "), Theme::bold()),
                Span::raw(format!("{name} ")),
            ]));
        }
        let row = row_of(command)?;
        let off = (row.off)(state).map(|reason| format!("  ({})", reason.spelled(keymap)));
        let style = if off.is_none() { Theme::bold() } else { state.theme.dim() };
        let label = format!("{}{} ", row.label, off.unwrap_or_default());
        Some(Line::from(vec![Span::styled(format!(" {keys:<6} "), style), Span::raw(label)]))
    });
    Sheet { title: format!("{begun} …"), lines: lines.collect(), ..Sheet::default() }
}
