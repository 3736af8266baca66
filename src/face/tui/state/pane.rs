//! The pane of the detail.

use ratatui::layout::{Constraint, Direction, Layout, Rect};

use crate::face::tui::layout::{WIDE, is_single, layout};

/// The pane of the detail, and where the person is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pane {
    pub(crate) shown: bool,
    /// Keys go to it, and not to the tree.
    pub(crate) focused: bool,
    /// There is one pane at a time, however much room there is.
    pub(crate) zoomed: bool,
    /// The chosen field of the change.
    pub(crate) field: usize,
    pub(crate) scroll: u16,
}

impl Default for Pane {
    fn default() -> Self {
        Self { shown: true, focused: false, zoomed: false, field: 0, scroll: 0 }
    }
}

impl Pane {
    /// Where the tree is, and where the detail; what is not shown has no room.
    pub(crate) fn areas(&self, size: (u16, u16)) -> (Rect, Rect) {
        let body = layout(size).body;
        match (self.zoomed || is_single(size), self.focused) {
            (true, true) => (Rect::ZERO, body),
            (false, _) if self.is_there() => {
                let (direction, tree) =
                    if size.0 >= WIDE { (Direction::Horizontal, 56) } else { (Direction::Vertical, 60) };
                let parts = [Constraint::Percentage(tree), Constraint::Percentage(100 - tree)];
                let [tree, detail] = Layout::new(direction, parts).areas(body);
                (tree, detail)
            }
            _ => (body, Rect::ZERO),
        }
    }

    /// True when there is a detail to go to.
    pub(crate) fn is_there(&self) -> bool {
        self.shown || self.focused
    }

    /// Back to the tree.
    pub(crate) fn leave(&mut self) {
        (self.focused, self.zoomed) = (false, false);
    }

    /// Scrolls by so many lines.
    pub(crate) fn scroll(&mut self, by: i16) {
        self.scroll = self.scroll.saturating_add_signed(by);
    }
}
