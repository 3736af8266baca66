//! The terminal and the loop: one message at a time, drawn when nothing more is waiting.

use std::{
    io::{self, IsTerminal},
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use futures_util::{Stream, StreamExt};
use ratatui::{
    Terminal,
    backend::{Backend, CrosstermBackend},
    layout::Rect,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    desk::{self, Desk},
    history::{History, Page},
    keymap::Keymap,
    keys::Action,
    state::{Phase, State},
    theme::Theme,
    update::{Effect, Msg, News, Pointing, update},
    view::{Hits, view},
    worker::{self, Order},
};
use crate::{
    domain::journal::RunId,
    edge::{
        config::{ConsoleSettings, ThemeName},
        failpoint,
    },
    face::{
        failure::{Code, Failure},
        setup::{Global, Setup, When},
        stop::{self, Stop},
    },
};

/// How often the spinner turns while something goes on.
const TICK: Duration = Duration::from_millis(250);
/// How often the age of the plan is looked at while nothing goes on.
const IDLE_TICK: Duration = Duration::from_secs(20);
/// Two clicks within this time on the same thing are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// True where the console can be shown.
pub(crate) fn can_show() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Opens the console, and returns what the program ends with.
pub(crate) async fn open(global: &Global, setup: Setup, undoes: Option<RunId>) -> Result<u8, Failure> {
    let settings = setup.installation.settings.console.clone();
    let keymap = Keymap::new(&settings.keys).map_err(|problems| Failure::new(Code::Configuration, problems.join("\n  ")))?;
    let history = History::of(setup.installation.directory.clone(), setup.installation.checkpoints());
    let stop = stop::listening_on_a_terminal(desk::leave)?;
    let (news_sender, mut news) = unbounded_channel();
    let (orders, orders_receiver) = unbounded_channel();
    let theme = theme(global, &settings);
    // NO_COLOR is ours to honour: left to crossterm it would take the cursor's reverse video along (crossterm #1069).
    crossterm::style::force_color_output(true);
    let mut desk = desk::Terminal {
        mouse: settings.mouse && !global.no_mouse,
        copy_command: settings.copy_command,
        open_command: settings.open_command,
    };
    desk::leave_on_panic();
    desk.enter()?;
    let shown = async {
        let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let size = terminal.size()?;
        let mut state = State::new((size.width, size.height), theme, desk.now());
        (state.keymap, state.who, state.mouse) = (Arc::new(keymap), setup.installation.by.clone(), desk.mouse);
        state.undoes.clone_from(&undoes);
        let worker = worker::start(setup, global.lock_patience(), stop.clone(), news_sender.clone(), orders_receiver, undoes)?;
        let door = Door { orders: &orders, history: Some((history, news_sender)) };
        let state = run(&mut terminal, EventStream::new(), &mut news, door, &stop, &mut desk, state).await?;
        Ok::<_, io::Error>((state, worker))
    };
    let shown = shown.await;
    desk::leave();
    let (state, worker) = shown.map_err(|error| Failure::new(Code::Error, format!("the terminal failed: {error}")))?;
    drop(orders);
    if state.phase == Phase::Applying {
        // Asked twice to stop: what is in flight is in the journal, and is looked up first by the next run.
        return Ok(stop.signalled().map_or(Code::Interrupted as u8, |signal| 128 + signal));
    }
    // Whatever it still reads is for nobody.
    stop.ask();
    drop(worker.join());
    Ok(ended(&state, &stop, global.demo))
}

/// What the program ends with, and its last words.
fn ended(state: &State, stop: &Stop, demo: bool) -> u8 {
    let last_words = match (&state.phase, &state.report, state.tally.decided()) {
        (Phase::Failed { text, .. }, _, _) => text.clone(),
        (_, Some(report), _) => format!("run {}: {}", report.run_id, report.outcome.words()),
        (_, None, 0) => String::new(),
        (_, None, decided) => {
            let kept = if demo { "decided; the demo keeps nothing" } else { "decided and kept" };
            format!("{decided} of {} changes {kept}; nothing was applied", state.tally.changes)
        }
    };
    if !last_words.is_empty() {
        drop(io::Write::write_all(&mut io::stderr(), format!("{last_words}\n").as_bytes()));
    }
    match (stop.signalled(), &state.phase, &state.report) {
        (Some(signal), ..) => 128 + signal,
        (None, Phase::Failed { code, .. }, _) => *code,
        (None, _, Some(report)) => report.outcome.exit_code(),
        (None, _, None) => 0,
    }
}

/// Flag before configuration, configuration before `NO_COLOR`, `NO_COLOR` before what the terminal can do.
fn theme(global: &Global, settings: &ConsoleSettings) -> Theme {
    let dress = global.dress();
    let named = settings.theme.unwrap_or(if dress.colour { ThemeName::Terminal } else { ThemeName::Mono });
    let name = match global.color {
        When::Never => ThemeName::Mono,
        When::Always if settings.theme.is_none() => ThemeName::Terminal,
        When::Always | When::Auto => named,
    };
    Theme { name, unicode: settings.unicode.unwrap_or(dress.unicode) }
}

/// Where the loop sends what takes time.
pub(super) struct Door<'a> {
    pub(super) orders: &'a UnboundedSender<Order>,
    /// Where past runs are, and who is told of them; a film has none.
    pub(super) history: Option<(History, UnboundedSender<News>)>,
}

impl Door<'_> {
    /// Sends an order; false when nobody is there to take it.
    fn send(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }

    fn look_back(&self, page: Page) -> bool {
        if let Some((history, news)) = &self.history {
            history.look_back(page, news.clone());
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
    stop: &Stop,
    desk: &mut impl Desk,
    mut state: State,
) -> Result<State, B::Error> {
    let mut hits = Hits::default();
    let mut last_click: Option<(Instant, (u16, u16))> = None;
    let mut gone = false;
    loop {
        if !gone && let Err(error) = terminal.draw(|frame| hits = view(&state, frame)) {
            if state.phase != Phase::Applying {
                return Err(error);
            }
            gone = true;
        }
        // Without a terminal nothing can be decided any more, but what is in flight is waited for.
        if gone && state.phase != Phase::Applying {
            return Ok(state);
        }
        if gone {
            stop.ask();
        }
        let busy = matches!(state.phase, Phase::Reading | Phase::Applying);
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
            () = tokio::time::sleep(if busy { TICK } else { IDLE_TICK }) => Msg::Tick(desk.now()),
        };
        state.now = desk.now();
        let mut effect = update(&mut state, msg);
        // Everything that waits is taken in before the next frame.
        while effect.is_none() {
            let Ok(item) = news.try_recv() else { break };
            effect = update(&mut state, Msg::News(item));
        }
        let Some(effect) = effect else { continue };
        let heard = match effect {
            Effect::Quit | Effect::Abort => return Ok(state),
            Effect::Stop => {
                stop.ask();
                true
            }
            Effect::Read => door.send(Order::Read),
            Effect::Undo(run) => door.send(Order::Undo(run)),
            Effect::Apply(approved) => door.send(Order::Apply(approved)),
            Effect::Keep(said) => door.send(Order::Keep(said)),
            Effect::Release(allowance) => door.send(Order::Release(allowance)),
            Effect::Match(query) => door.send(Order::Match(query)),
            Effect::Runs => door.look_back(Page::Runs),
            Effect::Log(question) => door.look_back(Page::Log(question)),
            Effect::Export(filter) => door.look_back(Page::Export(filter)),
            Effect::Redraw => {
                failpoint::reach("console");
                redraw(terminal)?
            }
            outside => {
                reach_out(outside, desk, &mut state);
                redraw(terminal)?
            }
        };
        if !heard {
            "the worker has ended; leave with q and start again".clone_into(&mut state.toast);
        }
    }
}

/// Draws everything again. `clear` would ask the terminal where its cursor is, and the answer would be taken for a key (ratatui #2640).
fn redraw<B: Backend>(terminal: &mut Terminal<B>) -> Result<bool, B::Error> {
    let size = terminal.size()?;
    terminal.resize(Rect::new(0, 0, size.width, size.height))?;
    Ok(true)
}

/// What touches the surroundings, and what came of it for the line at the bottom.
fn reach_out(effect: Effect, desk: &mut impl Desk, state: &mut State) {
    match effect {
        Effect::Copy(copied) => {
            state.toast = match desk.copy(&copied.text) {
                Ok(how) => format!("copied the {} {how}", copied.label),
                Err(error) => format!("could not copy: {error}"),
            };
        }
        Effect::Open(url) => {
            state.toast = match desk.open(&url) {
                Ok(()) => format!("opening {url}; if nothing comes, {} copies it", state.keymap.first(Action::CopyUrl)),
                Err(error) => format!("could not open {url}: {error}"),
            };
        }
        Effect::Mouse(on) => {
            if let Err(error) = desk.mouse(on) {
                state.toast = format!("the mouse stays as it is: {error}");
            }
        }
        Effect::Suspend => {
            if let Err(error) = desk.suspend() {
                state.toast = format!("could not suspend: {error}");
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
