//! The figures of a period: its totals, its findings, then clients, projects and tasks; and all of the row under the
//! cursor.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph, Wrap},
};

use crate::{
    domain::{
        hours::{
            Severity,
            document::{Document, FindingDocument, NodeDocument, Totals},
        },
        model::{Kind, duration_words},
        text::Shown,
    },
    edge::clockify,
    engine::hours::Reckoned,
    face::{
        hours::{clock, period_of},
        tui::{
            command::Command,
            hits::{Hits, Target},
            keymap::Keymap,
            outside,
            pieces::{bar, choice, count},
            state::{State, timesheet::Item},
            theme::Theme,
        },
    },
};

/// Lines of the row under the cursor, with the line above them.
const DETAIL_LINES: u16 = 6;
/// Below this height the detail goes.
const DETAIL_FROM: u16 = 16;
/// Cells of a bar.
const BAR_CELLS: usize = 10;
/// Columns of a time.
const TIME_COLUMNS: usize = 9;

pub(super) fn draw(
    state: &State,
    keymap: &Keymap,
    reckoned: &Reckoned,
    frame: &mut Frame<'_>,
    area: Rect,
    hits: &mut Hits,
) {
    let head = heading(state, keymap, reckoned, usize::from(area.width));
    let lines = u16::try_from(head.len()).unwrap_or(u16::MAX).min(area.height / 2);
    let detail = if area.height >= DETAIL_FROM { DETAIL_LINES } else { 0 };
    let rows = [Constraint::Length(lines), Constraint::Min(1), Constraint::Length(detail)];
    let [top, list, bottom] = Layout::vertical(rows).areas(area);
    frame.render_widget(Paragraph::new(head), top);
    frame.render_widget(rows_of(state, &reckoned.document, list, hits), list);
    if detail > 0 {
        let block = Block::new().borders(Borders::TOP);
        let lines = detail_lines(state, keymap);
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), bottom);
    }
}

/// A time, or that there is none to tell.
fn told(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "not available".to_owned(), clock)
}

/// Calls that a report of the period takes.
fn cost(reckoned: &Reckoned) -> String {
    let parts = reckoned.period.parts(clockify::DAYS_MAX);
    count(parts.len(), "call", "calls")
}

/// What is left to approve and to invoice; that either is not available is said by itself.
fn not_yet(unapproved: Option<u64>, uninvoiced: Option<u64>) -> String {
    let each = [("not approved", unapproved), ("not invoiced", uninvoiced)].into_iter();
    each.filter_map(|(what, seconds)| Some(format!(", {what} {}", clock(seconds?)))).collect()
}

/// What the workspace makes of times in reports, where that is not what was tracked.
fn rounded(figures: Totals) -> Option<String> {
    let [all, billable] = figures.rounded()?;
    Some(format!("rounded {}, billable {}", clock(all), clock(billable)))
}

fn heading(state: &State, keymap: &Keymap, reckoned: &Reckoned, width: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let document = &reckoned.document;
    let Totals { tracked_s, billable_s, unapproved_s, uninvoiced_s, .. } = document.totals;
    let period = format!("  {}, {}", period_of(document), Shown::of(&document.timezone));
    let totals = format!("   tracked {}, billable {}", told(tracked_s), told(billable_s));
    let mut first = vec![Span::styled(period, Theme::bold()), Span::raw(totals)];
    first.push(Span::raw(not_yet(unapproved_s, uninvoiced_s)));
    let mut lines = vec![Line::from(first)];
    if let Some((rounded, rounding)) = rounded(document.totals).zip(document.rounding) {
        lines.push(Line::raw(format!("  {rounded}: in reports the workspace rounds each entry {rounding}")));
    }
    lines.push(second(state, reckoned));
    if !document.complete {
        let text = "  not everything was seen: these figures may lack time, or names";
        lines.push(Line::styled(text, theme.alert()));
    }
    lines.extend(reckoned.missing.iter().map(|what| Line::styled(format!("  not available: {what}"), theme.alert())));
    let dear = || {
        let text = format!("  {} reads a bar for each week: {}", keymap.first(Command::Days), cost(reckoned));
        Line::styled(text, theme.dim())
    };
    lines.push(state.hours.by_day.as_ref().map_or_else(dear, |by_day| weeks(state, document, by_day, width)));
    lines
}

/// Whether the month is sealed, what was found, and what it cost.
fn second(state: &State, reckoned: &Reckoned) -> Line<'static> {
    let theme = state.theme;
    let mut spans = vec![Span::raw("  ")];
    match &reckoned.sealed {
        Some(sealed) => {
            let (by, hash) = (Shown::of(&sealed.by).clipped(20), Shown::of(&sealed.hash).clipped(13));
            let text = format!("sealed {} by {by} as {hash}", sealed.sealed_at.strftime("%Y-%m-%d"));
            spans.push(Span::styled(text, theme.good()));
        }
        None if reckoned.period.is_month() => spans.push(Span::raw("not sealed")),
        None => {}
    }
    for (severity, style) in
        [(Severity::Error, theme.bad()), (Severity::Warning, theme.alert()), (Severity::Info, theme.dim())]
    {
        let found = state.hours.found(severity).count();
        if found > 0 {
            let (one, many) = match severity {
                Severity::Error => ("error", "errors"),
                Severity::Warning => ("warning", "warnings"),
                Severity::Info => ("to know about", "to know about"),
            };
            spans.push(Span::styled(format!("   {}", count(found, one, many)), style));
        }
    }
    let calls = count(usize::try_from(reckoned.document.calls).unwrap_or(usize::MAX), "call", "calls");
    spans.push(Span::styled(format!("   took {calls}"), theme.dim()));
    Line::from(spans)
}

/// The time of each week that begins on a Monday, or on the first day of the period.
fn by_week(document: &Document, by_day: &BTreeMap<Date, u64>) -> BTreeMap<Date, u64> {
    let mut weeks = BTreeMap::new();
    let mut day = document.from;
    while day <= document.to {
        let monday = day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).unwrap_or(day);
        *weeks.entry(monday.max(document.from)).or_default() += by_day.get(&day).copied().unwrap_or_default();
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    weeks
}

fn weeks(state: &State, document: &Document, by_day: &BTreeMap<Date, u64>, width: usize) -> Line<'static> {
    let weeks = by_week(document, by_day);
    let most = weeks.values().copied().max().unwrap_or_default().max(1);
    let levels: Vec<char> = state.theme.pick(" ▁▂▃▄▅▆▇█", " .:-=+*#@").chars().collect();
    let last = u64::try_from(levels.len() - 1).unwrap_or_default();
    let level = |seconds: u64| usize::try_from((seconds * last).div_ceil(most)).unwrap_or_default();
    let drawn: String = weeks.values().map(|seconds| levels[level(*seconds).min(levels.len() - 1)]).collect();
    let mut text = format!("  by week {drawn} ");
    for (day, seconds) in &weeks {
        let week = format!("  {} {}", day.strftime("%m-%d"), clock(*seconds));
        if text.chars().count() + week.len() > width {
            break;
        }
        text.push_str(&week);
    }
    let sum: u64 = weeks.values().sum();
    if document.totals.tracked_s.is_some_and(|tracked| tracked != sum) {
        let text = format!("  by week {drawn}  the days come to {}, as something has changed meanwhile", clock(sum));
        return Line::styled(text, state.theme.alert());
    }
    Line::raw(text)
}

/// Columns of a name with its indent, and whether there is room for what is planned.
fn columns(width: usize) -> (usize, bool) {
    let has_plan = width >= 70;
    let rest = 2 + 2 * (TIME_COLUMNS + 1) + if has_plan { BAR_CELLS + 28 } else { 0 };
    (width.saturating_sub(rest).clamp(12, 60), has_plan)
}

fn rows_of(state: &State, document: &Document, area: Rect, hits: &mut Hits) -> Paragraph<'static> {
    let hours = &state.hours;
    let room = usize::from(area.height).max(1);
    let from = hours.at.saturating_sub(room / 2).min(hours.items.len().saturating_sub(room));
    let width = usize::from(area.width);
    let mut drawn = Vec::new();
    for (y, (at, item)) in (area.y..).zip(hours.items.iter().enumerate().skip(from).take(room)) {
        if !matches!(item, Item::Columns) {
            hits.add(Rect { y, height: 1, ..area }, Target::Row(at));
        }
        let line = match item {
            Item::Finding(at) => document.findings.get(*at).map(|found| finding_line(state, found, width)),
            Item::Infos => Some(info_line(state)),
            Item::Columns => Some(column_line(state, width)),
            Item::Node(path) => hours.node(path).map(|node| node_line(state, node, path, width)),
        };
        let line = line.unwrap_or_default();
        drawn.push(if at == hours.at { choice(line.to_string(), true) } else { line });
    }
    Paragraph::new(drawn)
}

fn style_of(state: &State, severity: &str) -> Style {
    match severity {
        "error" => state.theme.bad(),
        "warning" => state.theme.alert(),
        _ => state.theme.dim(),
    }
}

fn finding_line(state: &State, found: &FindingDocument, width: usize) -> Line<'static> {
    let FindingDocument { severity, text, .. } = found;
    Line::from(vec![
        Span::styled(format!("  {severity:<8} "), style_of(state, severity)),
        Span::raw(text.clipped(width.saturating_sub(12)).to_string()),
    ])
}

/// The heading of what is only to know about.
fn info_line(state: &State) -> Line<'static> {
    let theme = state.theme;
    let fold = if state.hours.with_infos { theme.pick("▾", "v") } else { theme.pick("▸", ">") };
    let word = Severity::Info.word();
    let text = format!("{fold} {word:<8} {} to know about", state.hours.found(Severity::Info).count());
    Line::styled(text, theme.dim())
}

fn column_line(state: &State, width: usize) -> Line<'static> {
    let (name, has_plan) = columns(width);
    let planned = if has_plan { "  of what is planned, in all" } else { "" };
    let text = format!("  {:name$} {:>TIME_COLUMNS$} {:>TIME_COLUMNS$}{planned}", "", "tracked", "billable");
    Line::styled(text, state.theme.dim())
}

fn node_line(state: &State, node: &NodeDocument, path: &[usize], width: usize) -> Line<'static> {
    let theme = state.theme;
    let (columns, has_plan) = columns(width);
    let indent = 2 * (path.len() - 1);
    let fold = match (state.hours.has_rows_below(path), state.hours.is_folded(path)) {
        (false, _) => " ",
        (true, true) => theme.pick("▸", ">"),
        (true, false) => theme.pick("▾", "v"),
    };
    let name = node.name.clipped(columns.saturating_sub(indent));
    let pad = columns.saturating_sub(indent + name.width());
    let style = if node.kind() == Kind::Client { Theme::bold() } else { Style::new() };
    let time = |seconds: Option<u64>| seconds.map_or_else(|| "?".to_owned(), clock);
    let times = format!(
        "{:pad$} {:>TIME_COLUMNS$} {:>TIME_COLUMNS$}",
        "",
        time(node.figures.tracked_s),
        time(node.figures.billable_s)
    );
    let mut spans =
        vec![Span::raw(format!("{:indent$}{fold} ", "")), Span::styled(name.to_string(), style), Span::raw(times)];
    if has_plan {
        spans.extend(of_plan(state, node));
    }
    Line::from(spans)
}

/// How much of what is planned is used up, in all of its time.
fn of_plan(state: &State, node: &NodeDocument) -> Vec<Span<'static>> {
    let theme = state.theme;
    // Of what is planned of some of the things below, all of the time is no share.
    if let Some(planned) = node.planned_s.filter(|_| node.planned_is_sum) {
        return vec![Span::styled(format!("  {} planned below", clock(planned)), theme.dim())];
    }
    let (Some(planned), Some(total)) = (node.planned_s, node.total_s) else {
        let text = node.planned_s.map(|planned| format!("  of {}: not available", clock(planned)));
        return text.map(Span::raw).into_iter().collect();
    };
    let percent = total.saturating_mul(100) / planned.max(1);
    let style = match percent {
        _ if total > planned => theme.bad(),
        80.. => theme.alert(),
        _ => theme.good(),
    };
    let part = |seconds: u64| usize::try_from(seconds).unwrap_or(usize::MAX);
    let drawn = bar(state, part(total.min(planned)), part(planned.max(1)), BAR_CELLS);
    vec![
        Span::styled(format!("  {drawn} {percent:>3} %"), style),
        Span::raw(format!("  {} of {}", clock(total), clock(planned))),
    ]
}

/// Everything of the row under the cursor, with both links.
fn detail_lines(state: &State, keymap: &Keymap) -> Vec<Line<'static>> {
    let hours = &state.hours;
    let mut lines = Vec::new();
    if let Some(FindingDocument { id, code, severity, seconds, text, .. }) = hours.finding() {
        let amount = seconds.map(|seconds| format!(", {}", duration_words(seconds))).unwrap_or_default();
        let title = format!(" {severity}: {}{amount}   {}", Shown::of(&code.replace('_', " ")), Shown::of(id));
        lines.push(Line::styled(title, style_of(state, severity)));
        lines.push(Line::raw(format!(" {text}")));
    } else if let Some((node, _)) = hours.current() {
        lines.push(Line::styled(format!(" {} “{}”", node.kind(), node.name), Theme::bold()));
        let Totals { tracked_s, billable_s, unapproved_s, uninvoiced_s, .. } = node.figures;
        let rounded = rounded(node.figures).map(|rounded| format!("; {rounded}")).unwrap_or_default();
        let rest = not_yet(unapproved_s, uninvoiced_s) + &rounded;
        lines.push(Line::raw(format!(" tracked {}, billable {}{rest}", told(tracked_s), told(billable_s))));
    } else {
        return lines;
    }
    let link = |url: Option<String>, command: Command, nothing: &str| {
        url.map_or_else(|| nothing.to_owned(), |url| format!("{url} ({})", keymap.first(command)))
    };
    let page = link(outside::page_url(state), Command::OpenPage, "no page");
    let object = hours.object().map(|(_, object)| format!("{object}, ")).unwrap_or_default();
    let address = link(outside::object_url(state), Command::OpenObject, "nothing there");
    lines.push(Line::raw(format!(" Notion    {page}")));
    lines.push(Line::raw(format!(" Clockify  {object}{address}")));
    if let Some(reckoned) = hours.reckoned.as_ref().filter(|_| hours.current().is_some()) {
        let text = format!(" {} reads its entries: {}", keymap.first(Command::Entries), cost(reckoned));
        lines.push(Line::styled(text, state.theme.dim()));
    }
    lines
}
