//! Where everything is on the screen; the same for drawing and for keeping the cursor in the window.

use ratatui::layout::{Constraint, Layout, Rect};

/// From this width there is room for two things beside each other.
pub(crate) const WIDE: u16 = 110;
/// Below this width, or below this height, there is one pane at a time.
const SINGLE: (u16, u16) = (60, 15);

/// Below this there is no room for anything.
const SMALLEST: (u16, u16) = (40, 10);

/// True where the console can only say that it has no room.
pub(crate) fn is_too_small((width, height): (u16, u16)) -> bool {
    width < SMALLEST.0 || height < SMALLEST.1
}

/// Where everything is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places {
    pub(crate) header: Rect,
    pub(crate) tabs: Rect,
    pub(crate) body: Rect,
    pub(crate) footer: Rect,
    pub(crate) toast: Rect,
}

/// True where there is room for one pane only.
pub(crate) fn is_single((width, height): (u16, u16)) -> bool {
    width < SINGLE.0 || height < SINGLE.1
}

/// Divides the screen.
pub(crate) fn layout((width, height): (u16, u16)) -> Places {
    let line = Constraint::Length(1);
    let lines = Layout::vertical([line, line, Constraint::Min(0), line, line]);
    let [header, tabs, body, footer, toast] = lines.areas(Rect::new(0, 0, width, height));
    Places { header, tabs, body, footer, toast }
}
