//! The entries on a client, a project or a task.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::{
    domain::{hours::Booking, text::Raw},
    face::{
        hours::clock,
        tui::{
            command::Command,
            hits::{Hits, Target},
            keymap::Keymap,
            pieces::{choice, count},
            state::{State, timesheet::Drilled},
            theme::Theme,
        },
    },
};

/// Columns of who has tracked an entry.
const WHO_COLUMNS: usize = 18;

pub(super) fn draw(
    state: &State,
    keymap: &Keymap,
    drilled: &Drilled,
    frame: &mut Frame<'_>,
    area: Rect,
    hits: &mut Hits,
) {
    let [head, list] = Layout::vertical([Constraint::Length(2), Constraint::Min(1)]).areas(area);
    frame.render_widget(Paragraph::new(heading(state, keymap, drilled)), head);
    let all = &drilled.entries.latest_first;
    let room = usize::from(list.height).max(1);
    let from = drilled.at.saturating_sub(room / 2).min(all.len().saturating_sub(room));
    let mut drawn = Vec::new();
    for (y, (at, booking)) in (list.y..).zip(all.iter().enumerate().skip(from).take(room)) {
        hits.add(Rect { y, height: 1, ..list }, Target::Row(at));
        drawn.push(choice(line(booking), at == drilled.at));
    }
    frame.render_widget(Paragraph::new(drawn), list);
}

fn heading(state: &State, keymap: &Keymap, drilled: &Drilled) -> Vec<Line<'static>> {
    let Drilled { on, tracked, entries, at: _ } = drilled;
    let sum: u64 = entries.latest_first.iter().map(|booking| booking.seconds).sum();
    let number = count(entries.latest_first.len(), "entry", "entries");
    let back = keymap.first(Command::Back);
    let first = vec![
        Span::styled(format!("  {on}"), Theme::bold()),
        Span::raw(format!("   {number}, {} in all", clock(sum))),
        Span::styled(format!("   {back} goes back"), state.theme.dim()),
    ];
    let second = match tracked {
        _ if !entries.are_all => "  there are more: these are the latest".to_owned(),
        Some(tracked) if *tracked != sum => {
            format!("  the figures say {}: something has changed meanwhile", clock(*tracked))
        }
        _ => String::new(),
    };
    vec![Line::from(first), Line::styled(second, state.theme.alert())]
}

fn line(booking: &Booking) -> String {
    let Booking { begins, seconds, is_billable, who, what, .. } = booking;
    let shown = |text: &Raw, columns| {
        let text = text.shown().clipped(columns);
        let pad = columns.saturating_sub(text.width());
        format!("{text}{:pad$}", "")
    };
    let billable = if *is_billable { "billable" } else { "" };
    let (when, time) = (begins.strftime("%Y-%m-%d %H:%M"), clock(*seconds));
    format!("  {when}  {time:>8}  {billable:<8}  {}  {}", shown(who, WHO_COLUMNS), what.shown())
}
