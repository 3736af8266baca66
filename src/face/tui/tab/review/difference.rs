//! From one value to another. In long texts only the words that differ are set apart, in brackets as well as in colour.

use ratatui::text::{Line, Span};
use similar::{Algorithm, DiffTag, capture_diff_slices, diff_ratio};
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    domain::{model::Value, plan::FieldChange, text::Shown},
    face::tui::theme::Theme,
};

/// From this length on, in columns, words are compared.
const LONG: usize = 24;
/// A word difference that keeps less than this of both texts says nothing.
const ALIKE_MIN: f32 = 0.3;
/// Columns of a value that are shown.
const COLUMNS_MAX: usize = 600;

/// A value as it is shown.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        Value::Text(text) => format!("“{}”", text.shown().clipped(COLUMNS_MAX)),
        value => value.to_raw().shown().clipped(COLUMNS_MAX).to_string(),
    }
}

/// A field as a line: its word, and from what to what.
pub(crate) fn line(theme: Theme, word: &str, field: &FieldChange) -> Line<'static> {
    let mut spans = vec![Span::raw(format!("{word}: "))];
    match (&field.from, &field.to) {
        (Value::Empty, to) => spans.push(Span::styled(shown(to), theme.added())),
        (Value::Text(from), Value::Text(to)) => {
            let (from, to) = (from.shown().clipped(COLUMNS_MAX), to.shown().clipped(COLUMNS_MAX));
            spans.extend(words(theme, &from, &to).unwrap_or_else(|| plain(theme, &field.from, &field.to)));
        }
        (from, to) => spans.extend(plain(theme, from, to)),
    }
    Line::from(spans)
}

fn plain(theme: Theme, from: &Value, to: &Value) -> Vec<Span<'static>> {
    vec![
        Span::styled(shown(from), theme.removed()),
        Span::raw(theme.pick(" → ", " -> ")),
        Span::styled(shown(to), theme.added()),
    ]
}

/// The words that both texts share, and those that they do not; nothing where that would not help.
fn words(theme: Theme, from: &Shown, to: &Shown) -> Option<Vec<Span<'static>>> {
    if from.width().max(to.width()) < LONG {
        return None;
    }
    let (before, after): (Vec<&str>, Vec<&str>) =
        (from.as_str().split_word_bounds().collect(), to.as_str().split_word_bounds().collect());
    let steps = capture_diff_slices(Algorithm::Myers, &before, &after);
    if diff_ratio(&steps, before.len(), after.len()) < ALIKE_MIN {
        return None;
    }
    let spans = steps.iter().flat_map(|step| {
        let (tag, removed, added) = step.as_tag_tuple();
        let (removed, added) = (before[removed].concat(), after[added].concat());
        let removed_span = || Span::styled(format!("[-{removed}-]"), theme.removed());
        let added_span = || Span::styled(format!("{{+{added}+}}"), theme.added());
        match tag {
            DiffTag::Equal => vec![Span::raw(added)],
            DiffTag::Delete => vec![removed_span()],
            DiffTag::Insert => vec![added_span()],
            DiffTag::Replace => vec![removed_span(), added_span()],
        }
    });
    Some([Span::raw("“")].into_iter().chain(spans).chain([Span::raw("”")]).collect())
}
