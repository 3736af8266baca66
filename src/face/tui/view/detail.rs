//! What there is to know about the row under the cursor.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph, Wrap},
};

use crate::{
    domain::{
        model::{Value, duration_words},
        plan::{Plan, field_word},
        review::Decision,
        text::Display,
    },
    face::tui::{state::State, theme::Theme, tree::Subject},
};

pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(plan) = state.plan() else { return };
    let heading = |text: String| vec![Line::styled(text, Theme::bold()), Line::default()];
    let lines = match state.subject() {
        Some(Subject::Change(at)) => change(state, plan, at as usize),
        Some(Subject::Notice(at)) => {
            let notice = &plan.notices[at as usize];
            let mut lines = heading(format!("{} {}", notice.kind, notice.name.display()));
            lines.push(Line::raw(notice.text.clone()));
            lines
        }
        Some(Subject::Page(page)) => {
            let place = &plan.places[&page];
            let mut lines = heading(format!("{} {}", place.kind, place.name.display()));
            lines.push(Line::raw("decisions here are about everything below that is shown"));
            lines
        }
        Some(Subject::Notices) => vec![Line::raw("things to know that change nothing")],
        None => Vec::new(),
    };
    let borders = if area.x > 0 { Borders::LEFT } else { Borders::TOP };
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(Block::new().borders(borders)), area);
}

fn change(state: &State, plan: &Plan, at: usize) -> Vec<Line<'static>> {
    let Some(review) = &state.review else { return Vec::new() };
    let (theme, change) = (state.theme, &plan.changes[at]);
    let (chosen, verdict) = (review.chosen(at), review.verdict(at));
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} {}", chosen.action, change.kind), theme.action(chosen.action)),
        Span::raw(format!("   {} %", chosen.confidence)),
    ])];
    let path = plan.path(change.page).into_iter().chain([&change.name]);
    let path: Vec<String> = path.map(|name| name.display().to_string()).collect();
    lines.push(Line::styled(path.join(theme.pick(" › ", " > ")), Theme::bold()));
    lines.push(Line::default());
    for field in &chosen.fields {
        let (from, to) = (shown(&field.from), shown(&field.to));
        lines.push(Line::raw(format!("{}: {from} {} {to}", field_word(change.kind, field.field), theme.pick("→", "->"))));
    }
    lines.push(Line::raw(chosen.reason.clone()));
    if let Some(hold) = &change.hold {
        lines.push(Line::styled(format!("held: {}", hold.text), theme.alert()));
    }
    if let Some(blocking) = review.blocked(at).filter(|_| verdict.decision == Some(Decision::Approve)) {
        lines.push(Line::styled(format!("waits for “{}”", blocking.name.display()), theme.alert()));
    }
    if let Some(Decision::Flag { note }) = &verdict.decision {
        lines.push(Line::raw(format!("flagged: {}", Display::of(note))));
    }
    if let Some(seconds) = change.tracked_seconds.filter(|&seconds| seconds > 0) {
        lines.push(Line::raw(format!("{} tracked on it stay", duration_words(seconds))));
    }
    for needed in change.requires.iter().filter_map(|id| review.find(id)) {
        let (action, kind) = (needed.proposal.action, needed.kind);
        lines.push(Line::raw(format!("needs: {action} {kind} “{}”", needed.name.display().clipped(40))));
    }
    if !change.alternatives.is_empty() {
        lines.extend([Line::default(), Line::styled("other ways (w)", Theme::dim())]);
        for way in &change.alternatives {
            lines.push(Line::raw(format!("  {} {} %: {}", way.action, way.confidence, way.reason)));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled(format!("Notion   {}", change.page), Theme::dim()));
    if let Some(object) = chosen.object {
        lines.push(Line::styled(format!("Clockify {object}"), Theme::dim()));
    }
    lines.push(Line::styled(format!("change   {}", change.id), Theme::dim()));
    lines
}

fn shown(value: &Value) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        Value::Text(text) => format!("“{}”", text.display()),
        value => value.to_raw().display().to_string(),
    }
}
