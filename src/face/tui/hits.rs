//! What was drawn where: what a click there means.

use ratatui::layout::Rect;

use super::command::Command;

/// What was drawn there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A row of what the tab lists.
    Row(usize),
    /// The arrow of a row of the review that folds.
    Fold(u32),
    /// The detail pane.
    Detail,
    /// A tab, or a hint of the footer.
    Command(Command),
    /// A line of what lies over the tab, from 0.
    Line(usize),
    Nothing,
}

/// What was drawn where; later entries lie over earlier ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits(Vec<(Rect, Target)>);

impl Hits {
    pub(crate) fn add(&mut self, area: Rect, target: Target) {
        self.0.push((area, target));
    }

    /// What was drawn at a place.
    pub(crate) fn at(&self, column: u16, row: u16) -> Target {
        let here = (column, row).into();
        self.0.iter().rev().find(|(area, _)| area.contains(here)).map_or(Target::Nothing, |(_, target)| *target)
    }
}
