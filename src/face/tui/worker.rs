//! The thread that has the state and the services, so that the console never waits for them.

mod hours;
mod others;

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use self::{
    hours::{Timekeeper, refusal},
    others::Others,
};
use super::{
    effect::Order,
    news::News,
    state::{
        matching::Haystack,
        timesheet::{TimeNews, TimeOrder},
    },
};
use crate::{
    domain::{journal::RunId, plan::Plan, text::Shown},
    edge::{machine::STACK_BYTES, store::Place},
    engine::{
        hours::HoursQuery,
        run::{Beside, Runner},
        session::{Session, SessionError, Sides, Watch},
    },
    face::{
        failure::{Code, RunError},
        hours::wanted,
        setup::Setup,
        stop::Stop,
        text,
    },
};

type Clock = fn() -> Timestamp;
type Orders = UnboundedReceiver<Order>;
type Telling = UnboundedSender<News>;

/// What all that is done here rests on.
#[derive(Clone, Copy)]
struct Desk<'a> {
    clock: Clock,
    /// Where the state is.
    place: &'a Place,
    stop: &'a Stop,
    news: &'a Telling,
    /// How hours are counted.
    counting: &'a HoursQuery,
    /// Nothing is left in the state but that it ran.
    read_only: bool,
}

/// Starts the thread. It ends when the orders do.
pub(super) fn start(
    setup: Setup,
    patience: Duration,
    stop: Stop,
    news: Telling,
    orders: Orders,
    undoes: Option<RunId>,
    read_only: bool,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("worker".to_owned()).stack_size(STACK_BYTES).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let failed = match runtime {
            Ok(runtime) => runtime.block_on(work(setup, patience, stop, &news, orders, undoes, read_only)).err(),
            Err(error) => Some(RunError::from(error)),
        };
        if let Some(failure) = failed {
            tell(&news, failed_news(&failure));
        }
    })
}

/// A console that went away needs no news.
fn tell(news: &Telling, item: News) {
    drop(news.send(item));
}

fn failed_news(failure: &RunError) -> News {
    News::Failed { text: failure.lines(), code: failure.code.into() }
}

async fn work(
    setup: Setup,
    patience: Duration,
    stop: Stop,
    news: &Telling,
    mut orders: Orders,
    undoes: Option<RunId>,
    read_only: bool,
) -> Result<(), RunError> {
    let counting = wanted(&setup, None);
    let place = setup.installation.place();
    let clock = setup.installation.clock;
    let desk = Desk { clock, place: &place, stop: &stop, news, counting: &counting, read_only };
    let mut next = Next::Read(undoes);
    let telling = news.clone();
    let watch: Watch = Arc::new(move |progress| tell(&telling, News::Progress(progress)));
    loop {
        let opened = setup.installation.open("review", Beside::Refused, patience, stop.clone(), Arc::clone(&watch));
        let done = match opened.await {
            Ok(mut runner) => reviews(&mut runner, desk, &mut orders, next).await,
            Err(failure) => Err(failure),
        };
        let Err(failure) = done else { return Ok(()) };
        stop.forget();
        tell(news, failed_news(&failure));
        next = wait_for_read(&mut orders, news).await;
        if matches!(next, Next::Leave) {
            return Ok(());
        }
    }
}

/// One run after the other, until somebody leaves.
async fn reviews(runner: &mut Runner, desk: Desk<'_>, orders: &mut Orders, mut next: Next) -> Result<(), RunError> {
    loop {
        next = match next {
            Next::Read(undoes) => {
                let trigger = if undoes.is_some() { "undo" } else { "review" };
                let reviewing = async |session: &mut Session<'_>| {
                    session.undoes.clone_from(&undoes);
                    review(session, desk, orders).await
                };
                runner.run(trigger, reviewing).await?
            }
            Next::Time(order) => {
                let counting = async |session: &mut Session<'_>| count_hours(session, desk, orders, order).await;
                match runner.run("hours", counting).await {
                    Ok(next) => next,
                    Err(failure) => {
                        tell(desk.news, refused(refusal(&failure)));
                        wait_for_next(orders).await
                    }
                }
            }
            Next::Leave => return Ok(()),
        };
        desk.stop.forget();
        // Who has left may have asked for the stop that was just forgotten.
        if orders.is_closed() && orders.is_empty() {
            return Ok(());
        }
    }
}

/// What follows a run.
enum Next {
    /// Another one, perhaps the undo of a run.
    Read(Option<RunId>),
    /// One that only counts hours.
    Time(TimeOrder),
    Leave,
}

impl Next {
    /// What an order leads to where there is no plan; nothing for all orders that are about one.
    fn of(order: Order) -> Option<Self> {
        match order {
            Order::Read => Some(Self::Read(None)),
            Order::Undo(run) => Some(Self::Read(Some(run))),
            Order::Time(order) => Some(Self::Time(order)),
            _ => None,
        }
    }
}

async fn wait_for_next(orders: &mut Orders) -> Next {
    loop {
        let Some(order) = orders.recv().await else { return Next::Leave };
        if let Some(next) = Next::of(order) {
            return next;
        }
    }
}

/// Only reading again can follow a failure.
async fn wait_for_read(orders: &mut Orders, news: &Telling) -> Next {
    loop {
        match wait_for_next(orders).await {
            Next::Time(_) => tell(news, refused("both sides could not be read".into())),
            next => return next,
        }
    }
}

fn refused(because: Shown) -> News {
    News::Time(Box::new(TimeNews::Refused(because)))
}

/// A run that only counts hours, until something else is to be done: there is no plan at hand.
async fn count_hours(
    session: &mut Session<'_>,
    desk: Desk<'_>,
    orders: &mut Orders,
    order: TimeOrder,
) -> Result<Next, RunError> {
    let mut timekeeper = Timekeeper::new(desk);
    let mut next = Next::Time(order);
    while let Next::Time(order) = next {
        timekeeper.serve(session, None, order).await;
        session.let_others_run().await?;
        next = wait_for_next(orders).await;
    }
    session.close("told").await?;
    Ok(next)
}

/// One run: read both sides, then do as told until something is applied. While nothing is read or applied, others may
/// run.
async fn review(session: &mut Session<'_>, desk: Desk<'_>, orders: &mut Orders) -> Result<Next, RunError> {
    let Desk { clock, place, stop, news, counting: _, read_only } = desk;
    let started = Instant::now();
    let (sides, plan) = session.fetch_and_plan().await?;
    let mut plan = Arc::new(plan);
    // While somebody thinks, no run goes on.
    let (mut read_at, reading) = (clock(), started.elapsed());
    tell_plan(session, &plan, read_at, news).await?;
    if !read_only {
        session.leave_waiting(&plan).await?;
    }
    session.let_others_run().await?;
    let mut at_hand: Option<Sides> = Some(sides);
    let mut haystack = None;
    let mut timekeeper = Timekeeper::new(desk);
    let mut others = Others::listen(place, clock, news).await;
    loop {
        let order = tokio::select! {
            biased;
            order = orders.recv() => order,
            () = others.wait(), if at_hand.is_some() => {
                others.look(session).await;
                continue;
            }
        };
        let Some(order) = order else { break };
        match order {
            Order::Time(order) if at_hand.is_some() => timekeeper.serve(session, at_hand.as_ref(), order).await,
            Order::Read | Order::Undo(_) | Order::Time(_) => {
                if at_hand.is_some() {
                    session.close("reviewed").await?;
                }
                if let Some(next) = Next::of(order) {
                    return Ok(next);
                }
            }
            Order::Keep(unworded, number) => {
                let overtaken = session.keep(&unworded.said()).await?;
                tell(news, News::Kept { number, overtaken });
                if let Some(client) = unworded.client() {
                    others.be_on(session, &plan, client).await?;
                }
            }
            Order::Reserve(client, true) => others.be_on(session, &plan, client).await?,
            Order::Reserve(client, false) => others.leave(session, client).await?,
            Order::Release(allowances) => {
                let Some(sides) = &mut at_hand else { continue };
                if is_refused(session.take_turn().await, stop, news)? {
                    continue;
                }
                session.release(allowances).await?;
                plan = if session.is_overtaken(sides).await? {
                    let (fresh, plan) = session.fetch_and_plan().await?;
                    (*sides, read_at) = (fresh, clock());
                    Arc::new(plan)
                } else {
                    Arc::new(session.plan(sides).await?)
                };
                haystack = None;
                tell_plan(session, &plan, read_at, news).await?;
                session.let_others_run().await?;
            }
            Order::Match(query) => {
                let matches = haystack.get_or_insert_with(|| Haystack::new(&plan)).find(&query);
                tell(news, News::Matched { mode: query.mode, number: query.number, matches });
            }
            Order::Estimate(approved, number) => {
                if let Some(sides) = &at_hand {
                    tell(news, News::Estimated { number, estimate: session.estimate(&approved, sides) });
                }
            }
            Order::Apply(approved) => {
                if at_hand.is_none() || is_refused(session.take_turn().await, stop, news)? {
                    continue;
                }
                // What others have decided since is seen first.
                if others.look(session).await.is_some_and(|standing| approved.is_overruled(&standing)) {
                    session.let_others_run().await?;
                    tell(news, News::Refused(text::OVERRULED.into()));
                    continue;
                }
                let Some(sides) = at_hand.take() else { continue };
                let applying = Instant::now();
                let (applied, stopped) = session.apply(sides, plan.as_ref().clone(), approved).await?;
                let report = session.finish(&applied, stopped, (reading + applying.elapsed()).as_secs_f64()).await?;
                session.let_others_run().await?;
                tell(news, News::Applied(Box::new(report)));
            }
        }
    }
    if !read_only {
        session.give_up(None).await?;
    }
    if at_hand.is_some() {
        session.close("reviewed").await?;
    }
    Ok(Next::Leave)
}

/// True where another run holds the lock, or somebody did not want to wait for it any longer: that is said, and the
/// plan stays as it is.
fn is_refused(taken: Result<(), SessionError>, stop: &Stop, news: &Telling) -> Result<bool, RunError> {
    match taken.map_err(RunError::from) {
        Ok(()) => Ok(false),
        Err(failure) if matches!(failure.code, Code::Locked | Code::Interrupted) => {
            stop.forget();
            tell(news, News::Refused(failure.text().into()));
            Ok(true)
        }
        Err(failure) => Err(failure),
    }
}

async fn tell_plan(session: &Session<'_>, plan: &Arc<Plan>, at: Timestamp, news: &Telling) -> Result<(), RunError> {
    let remembered = session.remembered().await?;
    let waiting = session.waiting().await?.into_iter().map(|row| (row.change.id, row.first_seen)).collect();
    tell(news, News::Waiting(waiting));
    tell(news, News::Planned { plan: Arc::clone(plan), remembered, at });
    Ok(())
}
