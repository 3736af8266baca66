//! What lies over the tab: what commands do in it and how it looks; and the line at the bottom.

pub(crate) mod brakes;
pub(crate) mod chord;
pub(crate) mod close;
pub(crate) mod confirm;
pub(crate) mod conflict;
pub(crate) mod copy;
pub(crate) mod filters;
pub(crate) mod go_on;
pub(crate) mod help;
pub(crate) mod own;
pub(crate) mod palette;
pub(crate) mod prompt;

use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Rect},
    text::Line,
    widgets::{Block, Clear, Paragraph, Wrap},
};

use super::{
    command::Command,
    effect::Effect,
    hits::{Hits, Target},
    keymap::Keymap,
    state::{State, overlay::Overlay, prompt::Purpose},
    tab::{self, interrupt},
};

/// What lies over the tab, as it is drawn: its title, its lines, and the first of them that can be chosen.
#[derive(Default)]
struct Sheet {
    title: String,
    lines: Vec<Line<'static>>,
    choices_from: Option<usize>,
    /// The line that must be seen, where not all fit.
    focus: usize,
    /// Lines at the end that go where there is no room for them.
    courtesy: usize,
    scroll: u16,
}

/// Does what a command asks for: in what lies over the tab, or else in the tab.
pub(crate) fn act(state: &mut State, command: Command) -> Option<Effect> {
    match state.overlay {
        Some(overlay) => act_over(state, overlay, command),
        None => tab::act(state, command),
    }
}

fn act_over(state: &mut State, overlay: Overlay, command: Command) -> Option<Effect> {
    match (command, overlay) {
        (Command::Interrupt, _) => return Some(interrupt(state)),
        (Command::Suspend, _) => return Some(Effect::Suspend),
        (Command::Back | Command::Leave | Command::Help, _) => state.overlay = None,
        (_, Overlay::Conflict { change, line }) => return conflict::act(state, change, line, command),
        (_, Overlay::Output { scroll }) => own::act(state, scroll, command),
        (_, Overlay::Copy { line }) => return copy::act(state, line, command),
        (Command::Toggle, Overlay::Confirm) => return confirm::apply(state),
        (Command::Toggle, Overlay::GoOn { command }) => return go_on::go_on(state, command),
        (_, Overlay::Help | Overlay::Brakes | Overlay::Confirm | Overlay::CloseMonth | Overlay::GoOn { .. }) => {}
    }
    None
}

/// Takes the line with this number, from 1, of what lies over the tab.
pub(crate) fn choose(state: &mut State, overlay: Overlay, number: usize) -> Option<Effect> {
    match overlay {
        Overlay::Conflict { change, .. } => conflict::choose(state, change, number),
        Overlay::Copy { .. } => copy::choose(state, number),
        Overlay::Help
        | Overlay::Output { .. }
        | Overlay::Brakes
        | Overlay::Confirm
        | Overlay::CloseMonth
        | Overlay::GoOn { .. } => None,
    }
}

/// Draws what lies over the tab, and the line at the bottom.
pub(crate) fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, [body, bottom]: [Rect; 2], hits: &mut Hits) {
    let sheet = match state.overlay {
        Some(Overlay::Help) => Some(help::sheet(state, keymap, body.width)),
        Some(Overlay::Conflict { change, line }) => conflict::sheet(state, keymap, change, line, body.width),
        Some(Overlay::Copy { line }) => Some(copy::sheet(state, keymap, line)),
        Some(Overlay::Confirm) => Some(confirm::sheet(state, keymap)),
        Some(Overlay::Output { scroll }) => Some(own::sheet(state, keymap, scroll)),
        Some(Overlay::Brakes) => Some(brakes::sheet(state)),
        Some(Overlay::CloseMonth) => Some(close::sheet(state)),
        Some(Overlay::GoOn { command }) => Some(go_on::sheet(state, keymap, command)),
        None => None,
    };
    let typed = state.prompt.as_ref().and_then(|prompt| match prompt.purpose {
        Purpose::Palette => Some(palette::sheet(state, keymap, prompt)),
        Purpose::Filter => filters::sheet(state, prompt),
        _ => None,
    });
    let begun = (!state.strokes.is_empty()).then(|| chord::sheet(state, keymap));
    for sheet in sheet.into_iter().chain(typed).chain(begun) {
        over(frame, body, sheet, hits);
    }
    prompt::draw(state, keymap, frame, bottom);
}

/// Draws lines in a box in the middle.
fn over(frame: &mut Frame<'_>, body: Rect, sheet: Sheet, hits: &mut Hits) {
    let Sheet { title, mut lines, choices_from, focus, courtesy, scroll } = sheet;
    let widest = lines.iter().map(Line::width).max().unwrap_or_default().max(title.len() + 2);
    let width = u16::try_from(widest + 2).unwrap_or(u16::MAX).min(body.width);
    let inner = usize::from(width.saturating_sub(2).max(1));
    let rows_of = |line: &Line<'_>| line.width().div_ceil(inner).max(1);
    let room = usize::from(body.height.saturating_sub(2));
    if lines.iter().map(rows_of).sum::<usize>() > room {
        lines.truncate(lines.len() - courtesy);
    }
    let rows: usize = lines.iter().map(rows_of).sum();
    // Where not all fits, the line that matters is in the window.
    let above: usize = lines.iter().take(focus + 1).map(rows_of).sum();
    let scroll = scroll.max(u16::try_from(above.saturating_sub(room)).unwrap_or(u16::MAX));
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX).min(body.height);
    let [area] = Layout::horizontal([Constraint::Length(width)]).flex(Flex::Center).areas(body);
    let [area] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    hits.add(area, Target::Nothing);
    if let Some(first) = choices_from {
        let mut y = i32::from(area.y) + 1 - i32::from(scroll);
        for (at, line) in lines.iter().enumerate() {
            let height = u16::try_from(rows_of(line)).unwrap_or(1);
            let (top, y_next) = (u16::try_from(y).ok(), y + i32::from(height));
            if let Some(y) = top.filter(|_| at >= first) {
                hits.add(Rect { y, height, ..area }.intersection(area), Target::Line(at - first));
            }
            y = y_next;
        }
    }
    let last = u16::try_from(rows).unwrap_or(u16::MAX).saturating_sub(height.saturating_sub(2));
    let more = if scroll < last { " more below " } else { "" };
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll.min(last), 0));
    frame.render_widget(text.block(Block::bordered().title(format!(" {title} ")).title_bottom(more)), area);
}
