//! Where everything is on the screen; the same for drawing and for keeping the cursor in the window.

use ratatui::layout::{Constraint, Layout, Rect};

/// From this width the detail stands beside the tree.
pub(crate) const WIDE: u16 = 110;
/// Below this width, or below this height, there is one pane at a time.
const SINGLE: (u16, u16) = (60, 15);

/// Which panes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panes {
    Both,
    Tree,
    Detail,
}

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

/// True where there is room for one pane only.
pub(crate) fn is_single((width, height): (u16, u16)) -> bool {
    width < SINGLE.0 || height < SINGLE.1
}

/// Divides the screen.
pub(crate) fn layout((width, height): (u16, u16), panes: Panes) -> Places {
    let area = Rect::new(0, 0, width, height);
    let line = Constraint::Length(1);
    let [header, tabs, body, footer, toast] = Layout::vertical([line, line, Constraint::Min(0), line, line]).areas(area);
    let halves = |first| [Constraint::Percentage(first), Constraint::Percentage(100 - first)];
    let (tree, detail) = match panes {
        Panes::Tree => (body, Rect::ZERO),
        Panes::Detail => (Rect::ZERO, body),
        Panes::Both if width >= WIDE => {
            let [tree, detail] = Layout::horizontal(halves(56)).areas(body);
            (tree, detail)
        }
        Panes::Both => {
            let [tree, detail] = Layout::vertical(halves(60)).areas(body);
            (tree, detail)
        }
    };
    Places { header, tabs, body, tree, detail, footer, toast }
}
