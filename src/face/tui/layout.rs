//! Where everything is on the screen; the same for drawing and for keeping the cursor in the window.

use ratatui::layout::{Constraint, Layout, Rect};

/// From this width the detail stands beside the tree.
pub(crate) const WIDE: u16 = 110;

/// Where everything is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places {
    pub(crate) header: Rect,
    pub(crate) tabs: Rect,
    pub(crate) body: Rect,
    pub(crate) tree: Rect,
    pub(crate) detail: Rect,
    pub(crate) footer: Rect,
    pub(crate) toast: Rect,
}

/// Divides the screen.
pub(crate) fn layout((width, height): (u16, u16), with_detail: bool) -> Places {
    let area = Rect::new(0, 0, width, height);
    let line = Constraint::Length(1);
    let [header, tabs, body, footer, toast] = Layout::vertical([line, line, Constraint::Min(0), line, line]).areas(area);
    let halves = |first| [Constraint::Percentage(first), Constraint::Percentage(100 - first)];
    let (tree, detail) = match (with_detail, width >= WIDE, body.height >= 12) {
        (true, true, _) => {
            let [tree, detail] = Layout::horizontal(halves(56)).areas(body);
            (tree, detail)
        }
        (true, false, true) => {
            let [tree, detail] = Layout::vertical(halves(60)).areas(body);
            (tree, detail)
        }
        (true, false, false) | (false, _, _) => (body, Rect::ZERO),
    };
    Places { header, tabs, body, tree, detail, footer, toast }
}
