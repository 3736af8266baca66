//! What a filter can say: shown where nothing is typed yet, and where a word means nothing.

use ratatui::text::{Line, Span};
use strum::VariantArray;

use super::Sheet;
use crate::{
    domain::text::Shown,
    face::tui::{
        state::{State, filter::About, prompt::Prompt},
        theme::Theme,
    },
};

/// Columns of the words in a line.
const WORDS_COLUMNS: usize = 60;
/// Columns of a saved filter.
const SAVED_COLUMNS: usize = 50;

pub(super) fn sheet(state: &State, prompt: &Prompt) -> Option<Sheet> {
    if !prompt.input.value().is_empty() && prompt.refused.is_empty() {
        return None;
    }
    let mut lines = vec![Line::raw(" a part of a name, or \"two words\"; !word turns a word round ")];
    for about in About::VARIANTS {
        let values = about.values();
        let values = if values.is_empty() { vec!["a part of the client's name"] } else { values };
        for (at, text) in wrapped(&values).into_iter().enumerate() {
            let word = if at == 0 { format!(" {}:", about.word()) } else { String::new() };
            lines.push(Line::from(vec![
                Span::styled(format!("{word:<9}"), Theme::bold()),
                Span::raw(format!("{text} ")),
            ]));
        }
    }
    for (name, filter) in &state.reviewing.saved {
        let name = format!(" @{name:<12} ");
        let filter = Shown::of(filter).clipped(SAVED_COLUMNS);
        lines.push(Line::from(vec![Span::styled(name, state.theme.accent()), Span::raw(format!("{filter} "))]));
    }
    Some(Sheet { title: "Filter".to_owned(), lines, ..Sheet::default() })
}

/// Words in as many lines as they need.
fn wrapped(words: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WORDS_COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push((*word).to_owned()),
        }
    }
    lines
}
