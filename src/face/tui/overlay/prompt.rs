//! The line at the bottom: what is being typed, or what just happened.

use crossterm::event::{Event, KeyCode, KeyEvent};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
};
use tui_input::{Input, backend::crossterm::EventHandler};

use super::{brakes, close, confirm, help::PAGE, palette};
use crate::{
    domain::{hours::Period, review::Decision, rules::Allowance, text::Shown},
    face::{
        hours::FileType,
        tui::{
            command::Command,
            effect::{Effect, Order, Page},
            keymap::{Keymap, Meaning},
            state::{
                State, filter,
                matching::SearchMode,
                prompt::{Prompt, Purpose},
                reviewing::Search,
            },
            stroke::Stroke,
            tab::review::{decide, moves, search},
            theme::Theme,
        },
    },
};

/// Characters that are taken; more is a paste that went astray. Clockify's longest name has 1000.
const LENGTH_MAX: usize = 1000;

/// Takes pasted text in as one line: no line break in it counts as Enter, and nothing in it acts.
pub(crate) fn paste(state: &mut State, text: &str) -> Option<Effect> {
    let prompt = state.prompt.as_mut()?;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A value is taken as it is, and refused with its hidden characters; it is made safe where it is drawn.
    let line = if matches!(prompt.purpose, Purpose::Edit { .. }) { line } else { Shown::of(&line).to_string() };
    let (value, at) = (prompt.input.value(), prompt.input.cursor());
    let before: String = value.chars().take(at).collect();
    let behind: String = value.chars().skip(at).collect();
    let value: String = format!("{before}{line}{behind}").chars().take(LENGTH_MAX).collect();
    let cursor = (at + line.chars().count()).min(value.chars().count());
    prompt.input = Input::new(value).with_cursor(cursor);
    typed(state)
}

pub(crate) fn on_key(state: &mut State, keymap: &Keymap, key: KeyEvent) -> Option<Effect> {
    let prompt = state.prompt.as_mut()?;
    match key.code {
        KeyCode::Esc => return left(state),
        KeyCode::Char('c') if Stroke::of(key) == Stroke::control('c') => return left(state),
        KeyCode::Enter => return answer(state, keymap),
        // Where nothing is typed yet, what closes everything else closes the help, too.
        _ if prompt.purpose == Purpose::Help
            && prompt.input.value().is_empty()
            && matches!(
                keymap.meaning(&[Stroke::of(key)]),
                Meaning::Command(Command::Help | Command::Leave | Command::Back)
            ) =>
        {
            return left(state);
        }
        _ if keymap.meaning(&[Stroke::of(key)]) == Meaning::Command(Command::Suspend) => return Some(Effect::Suspend),
        // Where a number is asked for, nothing else is taken.
        KeyCode::Char(c)
            if matches!(prompt.purpose, Purpose::Confirm | Purpose::Release(_) | Purpose::ReleaseAll)
                && !c.is_ascii_digit() => {}
        KeyCode::PageDown => prompt.line += PAGE,
        KeyCode::PageUp => prompt.line = prompt.line.saturating_sub(PAGE),
        KeyCode::Down => prompt.line += 1,
        KeyCode::Up => prompt.line = prompt.line.saturating_sub(1),
        _ if prompt.input.value().chars().count() < LENGTH_MAX || !matches!(key.code, KeyCode::Char(_)) => {
            prompt.input.handle_event(&Event::Key(key));
            prompt.line = 0;
            prompt.refused = Shown::default();
            return typed(state);
        }
        _ => {}
    }
    None
}

/// Forgets what was being typed, pressed or asked.
pub(crate) fn give_up(state: &mut State) -> Option<Effect> {
    state.strokes.clear();
    state.overlay = None;
    left(state)
}

/// Gives up: a filter or a search that was being typed goes, too.
fn left(state: &mut State) -> Option<Effect> {
    let Prompt { purpose, from, .. } = state.prompt.take()?;
    state.overlay = None;
    match purpose {
        Purpose::Filter => {
            state.reviewing.filter.text.clear();
            Some(search(state, SearchMode::Filter))
        }
        Purpose::Search => {
            state.reviewing.search = Search::default();
            state.reviewing.go_to(from);
            None
        }
        _ => None,
    }
}

/// Follows what is typed.
fn typed(state: &mut State) -> Option<Effect> {
    let prompt = state.prompt.as_ref()?;
    let value = prompt.input.value().to_owned();
    match prompt.purpose {
        // While a word means nothing, what the words before it leave stays on the screen.
        Purpose::Filter => match filter::parsed(&value, &state.reviewing.saved) {
            Ok(_) => {
                state.reviewing.filter.text = value;
                Some(search(state, SearchMode::Filter))
            }
            Err(unparsed) => {
                state.prompt.as_mut()?.refused = unparsed.text;
                None
            }
        },
        Purpose::Search => {
            state.reviewing.search.text = value;
            Some(search(state, SearchMode::Search))
        }
        _ => None,
    }
}

/// Takes what was typed.
pub(super) fn answer(state: &mut State, keymap: &Keymap) -> Option<Effect> {
    let prompt = state.prompt.take()?;
    let value = prompt.input.value().trim().to_owned();
    match prompt.purpose {
        // It was followed while it was typed, but for what the palette was given in one piece.
        Purpose::Search => (state.reviewing.search.text != value).then(|| {
            state.reviewing.search.text = value;
            search(state, SearchMode::Search)
        }),
        Purpose::Filter => match filter::parsed(&value, &state.reviewing.saved) {
            Ok(_) if state.reviewing.filter.text.trim() == value => None,
            Ok(_) => {
                state.reviewing.filter.text = value;
                Some(search(state, SearchMode::Filter))
            }
            Err(unparsed) => refuse(state, prompt, unparsed.text),
        },
        Purpose::SaveFilter if !filter::is_name(&value) => {
            refuse(state, prompt, "up to 30 letters, digits, - and _ make a name")
        }
        Purpose::SaveFilter => {
            let text = filter::expanded(&state.reviewing.filter.text, &state.reviewing.saved);
            state.reviewing.saved.insert(value.clone(), text.clone());
            Some(Effect::SaveFilter { name: value, text })
        }
        Purpose::Client => {
            if moves::to_client(state, &value) {
                None
            } else {
                refuse(state, prompt, "no client has that in its name")
            }
        }
        Purpose::Help => {
            state.overlay = None;
            None
        }
        Purpose::LogFilter => {
            state.logs.filter_by(value);
            None
        }
        Purpose::Period => match Period::of_words(&value) {
            Ok(period) => Some(Effect::Order(Order::Time(state.hours.ask_for(Some(period), false)))),
            Err(refused) => refuse(state, prompt, refused),
        },
        Purpose::HoursFile => match FileType::ALL.into_iter().find(|one| one.ending() == value) {
            Some(as_what) => {
                let document = state.hours.reckoned.as_ref()?.document.clone();
                Some(Effect::Look(Page::SaveHours(Box::new(document), as_what)))
            }
            None => refuse(state, prompt, "csv, md, html or json"),
        },
        Purpose::CloseMonth => match close::close(state, value) {
            Ok(effect) => effect,
            Err(refused) => refuse(state, prompt, refused),
        },
        Purpose::Flag => decide::and_move(state, Some(&Decision::Flag { note: value }), "flagged"),
        Purpose::Palette => {
            let effect = palette::chosen(state, keymap, &value, prompt.line);
            let is_answered = palette::is_answered(&value) && state.prompt.is_some();
            if is_answered { answer(state, keymap) } else { effect }
        }
        Purpose::Confirm if value == state.reviewing.tally.closes.to_string() => confirm::apply(state),
        Purpose::Confirm => {
            let refused = format!("type {} to close, or esc", state.reviewing.tally.closes);
            state.prompt = Some(Prompt { input: Input::default(), refused: refused.into(), ..prompt });
            None
        }
        Purpose::Release(allowance) if value == allowance.count.to_string() => {
            Some(Effect::Order(Order::Release(vec![allowance])))
        }
        Purpose::ReleaseAll if value == brakes::withheld(state).to_string() => brakes::release(state),
        Purpose::ReleaseAll => {
            let refused = format!("type {} to let them through, or esc", brakes::withheld(state));
            state.prompt = Some(Prompt { input: Input::default(), refused: refused.into(), ..prompt });
            None
        }
        Purpose::Release(allowance) => {
            let refused = format!("type {} to let them through, or esc", allowance.count);
            state.prompt = Some(Prompt { input: Input::default(), refused: refused.into(), ..prompt });
            None
        }
        Purpose::Edit { change, field } => match decide::edited(state, change, field, &value) {
            Ok(effect) => effect,
            Err(refused) => refuse(state, prompt, refused),
        },
    }
}

/// Asks again, and says why what was typed is not taken.
fn refuse(state: &mut State, prompt: Prompt, refused: impl Into<Shown>) -> Option<Effect> {
    state.prompt = Some(Prompt { refused: refused.into(), ..prompt });
    None
}

/// What is being typed, or what just happened.
pub(super) fn draw(state: &State, keymap: &Keymap, frame: &mut Frame<'_>, area: Rect) {
    let Some(prompt) = &state.prompt else {
        // What is cut says so, and the key at its end stays.
        let toast = Shown::from(state.toast.spelled(keymap)).clipped(usize::from(area.width).saturating_sub(1));
        frame.render_widget(Line::raw(format!(" {toast}")), area);
        return;
    };
    let label = match prompt.purpose {
        Purpose::Search => " search: ".to_owned(),
        Purpose::Filter => " filter: ".to_owned(),
        Purpose::LogFilter => " log: ".to_owned(),
        Purpose::Flag | Purpose::CloseMonth => " note: ".to_owned(),
        Purpose::Period => " month or days: ".to_owned(),
        Purpose::HoursFile => " save as csv, md, html or json: ".to_owned(),
        Purpose::Palette => " : ".to_owned(),
        Purpose::Help => " help about: ".to_owned(),
        Purpose::SaveFilter => " save the filter as: ".to_owned(),
        Purpose::Client => " client: ".to_owned(),
        Purpose::Confirm => format!(" type the number of closes, {}: ", state.reviewing.tally.closes),
        Purpose::Release(Allowance { class, count }) => {
            format!(" {count} {} are withheld; type that number to let them through: ", class.plural())
        }
        Purpose::ReleaseAll => " type the number of what is withheld: ".to_owned(),
        Purpose::Edit { field, .. } => format!(" {field}: "),
    };
    // The end of a long line is where it is typed: what does not fit goes on the left.
    let (value, cursor) = (prompt.input.value(), prompt.input.cursor());
    let before = Shown::of(&value.chars().take(cursor).collect::<String>());
    let behind = Shown::of(&value.chars().skip(cursor).collect::<String>());
    let hint = match prompt.purpose {
        Purpose::Filter if value.is_empty() => "parts of a name; or is: kind: action: hold: state: client: !not",
        Purpose::SaveFilter if value.is_empty() => "a name; f then takes @NAME",
        Purpose::LogFilter if value.is_empty() => "words; or level:warn kind:intent run:last since:2d about:ID",
        Purpose::Period => "e.g. 2026-10, or 2026-10-05..2026-10-11",
        Purpose::CloseMonth if value.is_empty() => "why what is found may stand; ↓ ↑ scroll",
        Purpose::Confirm if value.is_empty() => "↓ ↑ scroll",
        _ => "",
    };
    let said = if prompt.refused.is_empty() { hint } else { &prompt.refused };
    // What is typed keeps a part of the line, however much there is to say about it.
    let typed = value.chars().count().min(usize::from(area.width) / 3);
    let room = usize::from(area.width).saturating_sub(label.len() + typed + 3);
    let mut refused: String = if said.is_empty() { String::new() } else { format!("   {said}") };
    if refused.chars().count() > room {
        refused = refused.chars().take(room.saturating_sub(1)).chain(['…']).collect();
    }
    let room = usize::from(area.width).saturating_sub(label.len() + refused.chars().count() + 2);
    let hidden = before.width().saturating_sub(room);
    let mut shown = before.as_str();
    let mut cut = 0;
    while let Some(first) = shown.chars().next().filter(|_| cut < hidden) {
        cut += Span::raw(first.to_string()).width();
        shown = &shown[first.len_utf8()..];
    }
    let left = Span::styled(label, Theme::bold());
    let x = area.x
        + u16::try_from(left.width() + Span::raw(shown).width()).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    let spans = vec![
        left,
        Span::raw(shown.to_owned()),
        Span::raw(behind.to_string()),
        Span::styled(refused, state.theme.alert()),
    ];
    frame.render_widget(Line::from(spans), area);
    frame.set_cursor_position(Position::new(x, area.y));
}
