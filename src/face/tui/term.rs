//! The terminal and the loop: one message at a time, drawn when nothing more is waiting.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use crossterm::{
    event::{DisableBracketedPaste, EnableBracketedPaste, Event, EventStream, KeyEventKind},
    execute,
};
use futures_util::{Stream, StreamExt};
use ratatui::{Terminal, backend::Backend, layout::Rect};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    state::{Phase, State},
    theme::Theme,
    update::{Effect, Msg, News, update},
    view::view,
    worker::{self, Order},
};
use crate::face::{
    failure::{Code, Failure},
    stop::Stop,
    workplace::Global,
};

/// How often the spinner turns while something goes on.
const TICK: Duration = Duration::from_millis(250);

/// True where the console can be shown.
fn can_show() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Opens the console, where there is a terminal for it; returns nothing where there is none.
pub(crate) async fn open(global: &Global) -> Result<Option<u8>, Failure> {
    if global.json || global.no_input || !can_show() {
        return Ok(None);
    }
    let stop = Stop::listening()?;
    let (news_sender, mut news) = unbounded_channel();
    let (orders, orders_receiver) = unbounded_channel();
    let worker = worker::start(global.clone(), stop.clone(), news_sender, orders_receiver)?;
    let dress = global.dress();
    // NO_COLOR is ours to honour: left to crossterm it would take the cursor's reverse video along (crossterm #1069).
    crossterm::style::force_color_output(true);
    let mut terminal = ratatui::try_init()?;
    let shown = execute!(io::stdout(), EnableBracketedPaste);
    let size = terminal.size()?;
    let state = State::new((size.width, size.height), Theme { colour: dress.colour, unicode: dress.unicode });
    let ended = run(&mut terminal, EventStream::new(), &mut news, &orders, &stop, state).await;
    let hidden = execute!(io::stdout(), DisableBracketedPaste);
    ratatui::restore();
    shown.and(hidden)?;
    drop(orders);
    let state = ended.map_err(|error| Failure::new(Code::Error, format!("the terminal failed: {error}")))?;
    if let Phase::Failed(text) = &state.phase {
        drop(io::Write::write_all(&mut io::stderr(), format!("{text}\n").as_bytes()));
        return Ok(Some(Code::Error as u8));
    }
    if worker.join().is_err() {
        return Err(
            Failure::new(Code::Error, "the worker ended unexpectedly").hint("run again: what it began is looked up first")
        );
    }
    Ok(Some(state.report.map_or(0, |report| report.outcome.exit_code())))
}

/// The loop, over any terminal and any input, so that tests drive the real one.
pub(super) async fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    mut input: impl Stream<Item = io::Result<Event>> + Unpin,
    news: &mut UnboundedReceiver<News>,
    orders: &UnboundedSender<Order>,
    stop: &Stop,
    mut state: State,
) -> Result<State, B::Error> {
    loop {
        terminal.draw(|frame| view(&state, frame))?;
        let busy = matches!(state.phase, Phase::Reading | Phase::Applying);
        // News first: a key is meant for what is on the screen by then.
        let msg = tokio::select! {
            biased;
            item = news.recv() => match item {
                Some(item) => Msg::News(item),
                None if matches!(state.phase, Phase::Failed(_)) => { news.close(); Msg::Tick },
                None => return Ok(state),
            },
            event = input.next() => match event {
                Some(Ok(event)) => match message(event) {
                    Some(msg) => msg,
                    None => continue,
                },
                // A terminal that went away: what was decided is kept already.
                Some(Err(_)) | None => return Ok(state),
            },
            () = stop.signal(), if state.phase != Phase::Applying => return Ok(state),
            () = tokio::time::sleep(TICK), if busy => Msg::Tick,
        };
        let mut effect = update(&mut state, msg);
        // Everything that waits is taken in before the next frame.
        while effect.is_none() {
            let Ok(item) = news.try_recv() else { break };
            effect = update(&mut state, Msg::News(item));
        }
        let sent = match effect {
            None => Ok(()),
            Some(Effect::Quit | Effect::Abort) => return Ok(state),
            Some(Effect::Redraw) => {
                // `clear` would ask the terminal where its cursor is, and the answer would be taken for a key (ratatui #2640).
                let size = terminal.size()?;
                terminal.resize(Rect::new(0, 0, size.width, size.height))?;
                Ok(())
            }
            Some(Effect::Stop) => {
                stop.ask();
                Ok(())
            }
            Some(Effect::Read) => orders.send(Order::Read),
            Some(Effect::Apply(approved)) => orders.send(Order::Apply(approved)),
            Some(Effect::Keep(verdicts)) => orders.send(Order::Keep(verdicts)),
            Some(Effect::Runs) => orders.send(Order::Runs),
            Some(Effect::Events(run)) => orders.send(Order::Events(run)),
        };
        if sent.is_err() {
            "the worker has ended; leave with q and start again".clone_into(&mut state.toast);
        }
    }
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resized(width, height)),
        Event::Key(_) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost => None,
    }
}
