//! The terminal and the loop: one message at a time, drawn when nothing more is waiting.

use std::{
    collections::BTreeMap,
    io,
    time::{Duration, Instant},
};

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use futures_util::{Stream, StreamExt};
use jiff::tz::TimeZone;
use ratatui::{
    Terminal,
    backend::{Backend, CrosstermBackend},
    layout::Rect,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    command::{Command, Tab},
    effect::{Effect, Order, Page},
    history::History,
    hits::Hits,
    keymap::Keymap,
    message::Message,
    news::News,
    own,
    state::{Phase, State, applying::Stage, filter},
    surroundings::{self, Gauge, Surroundings, takes_progress},
    theme::Theme,
    update::{Msg, Pointing, update},
    view::view,
    worker,
};
use crate::{
    domain::{journal::RunId, text::Shown},
    edge::{
        config::{ConsoleSettings, ThemeName},
        environment::Environment,
        failpoint,
    },
    face::{
        failure::{Code, RunError},
        setup::{Global, Setup, When},
        stop::{self, Stop},
        text::overtaken_line,
    },
};

/// How often the spinner turns while something goes on.
const TICK: Duration = Duration::from_millis(250);
/// How often the age of the plan is looked at while nothing goes on.
const IDLE_TICK: Duration = Duration::from_secs(20);
/// How often the daemon is looked at while it is on the screen.
const WATCH_TICK: Duration = Duration::from_secs(1);
/// Two clicks within this time on the same thing are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// Opens the console, and returns what the program ends with.
pub(crate) async fn open(global: &Global, setup: Setup, undoes: Option<RunId>) -> Result<u8, RunError> {
    let settings = setup.installation.settings.console.clone();
    let keymap = Keymap::default().configured(&settings.keys);
    let keymap = keymap.and_then(|keymap| keymap.with_own(&settings.commands));
    let keymap = keymap.and_then(|keymap| saved_filters_parse(&settings).map(|()| keymap)).map_err(|problems| {
        let mut problems = problems.into_iter();
        RunError::new(Code::Configuration, problems.next().unwrap_or_default()).each(problems)
    })?;
    let installation = &setup.installation;
    let history = History::of(installation.place(), installation.checkpoints(), installation.clock);
    let stop = stop::listening_on_a_terminal(surroundings::leave)?;
    let (news_sender, mut news) = unbounded_channel();
    let (orders, orders_receiver) = unbounded_channel();
    let theme = theme(global, &settings);
    // NO_COLOR is ours to honour: left to crossterm it would take the cursor's reverse video along (crossterm #1069).
    crossterm::style::force_color_output(true);
    let mut surroundings = surroundings::Terminal {
        mouse: settings.mouse && !global.no_mouse,
        news: news_sender.clone(),
        progress: settings.progress && takes_progress(&Environment::of_process()),
        configuration: setup.installation.settings.file.clone().filter(|_| !global.demo),
        copy_command: settings.copy_command,
        open_command: settings.open_command,
        title: installation.settings.configuration.as_ref().map(|name| format!("punchlist: {name}")),
    };
    surroundings::leave_on_panic();
    surroundings.enter()?;
    let shown = async {
        let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let size = terminal.size()?;
        let mut state = State::new((size.width, size.height), theme, surroundings.now());
        (state.reviewing.who, state.mouse) = (setup.installation.by.clone(), surroundings.mouse);
        state.reviewing.undoes.clone_from(&undoes);
        state.read_only = global.read_only;
        state.own = settings.commands;
        (state.reviewing.saved, state.zone) = (settings.filters, TimeZone::system());
        let worker = worker::start(
            setup,
            global.lock_patience(),
            stop.clone(),
            news_sender.clone(),
            orders_receiver,
            undoes,
            global.read_only,
        )?;
        let door = Door { orders: &orders, history: Some((history, news_sender)), stop: &stop };
        let state = run(&mut terminal, EventStream::new(), &mut news, door, &keymap, &mut surroundings, state).await?;
        Ok::<_, io::Error>((state, worker))
    };
    let shown = shown.await;
    surroundings::leave();
    let (state, worker) = shown.map_err(|error| RunError::new(Code::Error, format!("the terminal failed: {error}")))?;
    drop(orders);
    if state.phase == Phase::Applying {
        // Asked twice to stop: what is in flight is in the journal, and is looked up first by the next run.
        return Ok(stop.signalled().map_or(Code::Interrupted.into(), |signal| 128 + signal));
    }
    // Whatever it still reads is for nobody.
    stop.ask();
    drop(worker.join());
    tell_overtaken(&mut news);
    Ok(ended(&state, &stop, global.demo))
}

/// Tells what was not kept of the last decisions, which nobody has seen any more.
fn tell_overtaken(news: &mut UnboundedReceiver<News>) {
    while let Ok(item) = news.try_recv() {
        let News::Kept { overtaken, .. } = item else { continue };
        for lost in overtaken {
            drop(io::Write::write_all(&mut io::stderr(), format!("{}\n", overtaken_line(&lost)).as_bytes()));
        }
    }
}

/// Holds saved filters and arguments to what can be typed.
fn saved_filters_parse(settings: &ConsoleSettings) -> Result<(), Vec<String>> {
    let wrong = |(name, text): (&String, &String)| {
        let refused = if filter::is_name(name) {
            filter::parsed(text, &BTreeMap::new()).err()?.text
        } else {
            "its name may have up to 30 letters, digits, - and _".into()
        };
        Some(format!("`console.filters.{}`: {refused}", Shown::of(name).clipped(30)))
    };
    let words = settings.commands.iter().filter_map(own::unknown_word);
    let wrong: Vec<_> = settings.filters.iter().filter_map(wrong).chain(words).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// What a console says when it has gone: what came of the last run that applied something, and what was decided since.
pub(super) fn last_words(state: &State, demo: bool) -> String {
    let run = state.applied.as_ref().map(|(run, outcome)| format!("run {run}: {}", outcome.words()));
    let decided = state.reviewing.tally.decided();
    let of_plan = (decided > 0).then(|| {
        let kept = if demo { "decided; the demo keeps nothing" } else { "decided and kept" };
        format!("{decided} of {} changes {kept}; nothing of them was applied", state.reviewing.tally.changes)
    });
    let failure = if let Phase::Failed { text, .. } = &state.phase { Some(text.clone()) } else { None };
    let rest = failure.or_else(|| Some(vec![of_plan?.into()])).unwrap_or_default();
    let lines = run.into_iter().chain(rest.into_iter().map(String::from));
    lines.collect::<Vec<_>>().join("\n")
}

/// What the program ends with, and its last words.
fn ended(state: &State, stop: &Stop, demo: bool) -> u8 {
    let last_words = last_words(state, demo);
    if !last_words.is_empty() {
        drop(io::Write::write_all(&mut io::stderr(), format!("{last_words}\n").as_bytes()));
    }
    match (stop.signalled(), &state.phase, &state.applied) {
        (Some(signal), ..) => 128 + signal,
        (None, Phase::Failed { code, .. }, _) => *code,
        (None, _, Some((_, outcome))) => outcome.code().into(),
        (None, _, None) => Code::Done.into(),
    }
}

/// Flag before configuration, configuration before `NO_COLOR`, `NO_COLOR` before what the terminal can do.
fn theme(global: &Global, settings: &ConsoleSettings) -> Theme {
    let styling = global.styling();
    let named = settings.theme.unwrap_or(if styling.colour { ThemeName::Terminal } else { ThemeName::Mono });
    let name = match global.color {
        When::Never => ThemeName::Mono,
        When::Always if settings.theme.is_none() => ThemeName::Terminal,
        When::Always | When::Auto => named,
    };
    Theme { name, unicode: settings.unicode.unwrap_or(styling.unicode) }
}

/// Where the loop sends what takes time.
pub(super) struct Door<'a> {
    pub(super) orders: &'a UnboundedSender<Order>,
    /// Where past runs are, and who is told of them; a film has none.
    pub(super) history: Option<(History, UnboundedSender<News>)>,
    pub(super) stop: &'a Stop,
}

impl Door<'_> {
    /// Sends an order; false when nobody is there to take it.
    fn send(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }

    fn read_history(&self, page: Page) -> bool {
        if let Some((history, news)) = &self.history {
            history.read_history(page, news.clone());
        }
        true
    }
}

/// The loop, over any terminal, any input and any surroundings, so that tests drive the real one.
pub(super) async fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    mut input: impl Stream<Item = io::Result<Event>> + Unpin,
    news: &mut UnboundedReceiver<News>,
    door: Door<'_>,
    keymap: &Keymap,
    surroundings: &mut impl Surroundings,
    mut state: State,
) -> Result<State, B::Error> {
    let stop = door.stop;
    let mut hits = Hits::default();
    let mut last_click: Option<(Instant, (u16, u16))> = None;
    let mut gone = false;
    let mut gauged = Gauge::default();
    loop {
        if !gone && let Err(error) = terminal.draw(|frame| hits = view(&state, keymap, frame)) {
            if state.phase != Phase::Applying {
                return Err(error);
            }
            gone = true;
        }
        let gauge = gauge(&state);
        if !gone && std::mem::replace(&mut gauged, gauge) != gauge {
            surroundings.progress(gauge);
        }
        // Without a terminal nothing can be decided any more, but what is in flight is waited for.
        if gone && state.phase != Phase::Applying {
            return Ok(state);
        }
        if gone {
            stop.ask();
        }
        let tick = match (state.is_busy(), &state.runs.daemon) {
            (true, _) => TICK,
            (false, Some(daemon)) if state.tab == Tab::Runs && daemon.is_alive => WATCH_TICK,
            (false, _) => IDLE_TICK,
        };
        // News first: a key is meant for what is on the screen by then.
        let msg = tokio::select! {
            biased;
            item = news.recv() => match item {
                Some(item) => Msg::News(item),
                None => return Ok(state),
            },
            event = input.next(), if !gone => {
                let Some(Ok(event)) = event else {
                    // A terminal that went away: what was decided is kept already.
                    gone = true;
                    continue;
                };
                let Some(msg) = message(event, &hits, &mut last_click) else { continue };
                msg
            }
            () = stop.signal(), if state.phase != Phase::Applying => return Ok(state),
            () = tokio::time::sleep(tick) => Msg::Tick(surroundings.now()),
        };
        state.now = surroundings.now();
        let mut effect = update(&mut state, keymap, msg);
        // Everything that waits is taken in before the next frame.
        while effect.is_none() {
            let Ok(item) = news.try_recv() else { break };
            effect = update(&mut state, keymap, Msg::News(item));
        }
        let Some(effect) = effect else { continue };
        // What is left after an apply is read for somebody who is there.
        if gone && state.phase != Phase::Applying {
            return Ok(state);
        }
        let heard = match effect {
            Effect::Quit => return Ok(state),
            Effect::Stop => {
                stop.ask();
                true
            }
            // Nothing that is off leads here; what did would be stopped all the same.
            Effect::Order(order) if state.read_only && order.writes() => true,
            Effect::Order(order) => door.send(order),
            Effect::Look(page) => door.read_history(page),
            Effect::Start(job) => {
                surroundings.start(job);
                true
            }
            Effect::Redraw => {
                failpoint::reach("console");
                redraw(terminal)?
            }
            outside => {
                reach_out(outside, surroundings, &mut state);
                redraw(terminal)?
            }
        };
        if !heard {
            let ended = Message::from("the worker has ended; leave with ");
            state.toast = ended.key(Command::Leave, " and start again");
        }
    }
}

/// How far the work is.
fn gauge(state: &State) -> Gauge {
    match state.phase {
        Phase::Reading => Gauge::Busy,
        Phase::Applying => {
            let Stage { all, failed, .. } = state.applying.total;
            let percent = (state.applying.total.done() * 100).checked_div(all).unwrap_or_default().min(100);
            let percent = u8::try_from(percent).unwrap_or(100);
            if failed > 0 { Gauge::Failing(percent) } else { Gauge::Done(percent) }
        }
        Phase::Ready | Phase::Failed { .. } => Gauge::Nothing,
    }
}

/// Draws everything again. `clear` would ask the terminal where its cursor is, and the answer would be taken for a key
/// (ratatui #2640).
fn redraw<B: Backend>(terminal: &mut Terminal<B>) -> Result<bool, B::Error> {
    let size = terminal.size()?;
    terminal.resize(Rect::new(0, 0, size.width, size.height))?;
    Ok(true)
}

/// What touches the surroundings, and what came of it for the line at the bottom.
fn reach_out(effect: Effect, surroundings: &mut impl Surroundings, state: &mut State) {
    match effect {
        Effect::Copy(copied) => {
            state.toast = match surroundings.copy(&copied.text) {
                Ok(how) => format!("copied the {} {how}", copied.label),
                Err(error) => format!("could not copy: {error}"),
            }
            .into();
        }
        Effect::SaveFilter { name, text } => {
            state.toast = match surroundings.save_filter(&name, &text) {
                Ok(to) => format!("saved as @{name} {to}"),
                Err(error) => format!("@{name} is kept until you leave: {error}"),
            }
            .into();
        }
        Effect::Open(url) => {
            let said = match surroundings.open(&url) {
                Ok(()) => format!("opening {url}; if nothing comes, "),
                Err(error) => format!("could not open {url}: {error}; "),
            };
            state.toast = Message::from(said).key(Command::CopyUrl, " copies it");
        }
        Effect::Mouse(on) => {
            if let Err(error) = surroundings.mouse(on) {
                state.toast = format!("the mouse stays as it is: {error}").into();
            }
        }
        Effect::Suspend => {
            if let Err(error) = surroundings.suspend() {
                state.toast = format!("could not suspend: {error}").into();
            }
        }
        _ => {}
    }
}

fn message(event: Event, hits: &Hits, last_click: &mut Option<(Instant, (u16, u16))>) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resized(width, height)),
        Event::Mouse(MouseEvent { kind, column, row, .. }) => {
            let pointing = match kind {
                MouseEventKind::Down(MouseButton::Left) => {
                    let now = Instant::now();
                    let double = last_click
                        .take()
                        .is_some_and(|(at, place)| place == (column, row) && now.duration_since(at) < DOUBLE_CLICK);
                    if !double {
                        *last_click = Some((now, (column, row)));
                    }
                    if double { Pointing::DoubleClick } else { Pointing::Click }
                }
                MouseEventKind::ScrollUp => Pointing::WheelUp,
                MouseEventKind::ScrollDown => Pointing::WheelDown,
                _ => return None,
            };
            Some(Msg::Pointer(pointing, hits.at(column, row)))
        }
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}
