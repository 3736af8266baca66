//! The thread that has the state and the services, so that the console never waits for them.

use std::{sync::Arc, thread::JoinHandle, time::Instant};

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::update::News;
use crate::{
    domain::{
        journal::RunId,
        model::Service,
        plan::ChangeId,
        review::{Approved, Verdict},
    },
    engine::session::{Session, Sides, Watch},
    face::{
        failure::Failure,
        stop::Stop,
        workplace::{Global, Workplace, look},
    },
};

/// Runs that are listed.
const RUNS_MAX: usize = 500;

/// What the console asks for.
#[derive(Debug)]
pub(super) enum Order {
    /// Read both sides again.
    Read,
    Apply(Approved),
    /// Keep decisions in the state.
    Keep(Vec<(ChangeId, Verdict)>),
    Runs,
    Events(RunId),
}

type Orders = UnboundedReceiver<Order>;
type Telling = UnboundedSender<News>;

/// Starts the thread. It ends when the orders do.
pub(super) fn start(global: Global, stop: Stop, news: Telling, orders: Orders) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let failed = match runtime {
            Ok(runtime) => runtime.block_on(work(&global, stop, &news, orders)).err(),
            Err(error) => Some(Failure::from(error)),
        };
        if let Some(failure) = failed {
            tell(&news, News::Failed(failure.to_string()));
        }
    })
}

/// A console that went away needs no news.
fn tell(news: &Telling, item: News) {
    drop(news.send(item));
}

async fn work(global: &Global, stop: Stop, news: &Telling, mut orders: Orders) -> Result<(), Failure> {
    let telling = news.clone();
    let watch: Watch = Arc::new(move |progress| tell(&telling, News::Told(progress)));
    let mut workplace = Workplace::open(global, stop, watch).await?;
    loop {
        let run = workplace.in_session("review", async |session, stop, _| review(session, stop, news, &mut orders).await).await;
        match run {
            Ok(Next::Leave) => return Ok(()),
            Ok(Next::Read) => {}
            Err(failure) => {
                workplace.stop.forget();
                tell(news, News::Failed(failure.to_string()));
                if !wait_for_read(&mut orders).await {
                    return Ok(());
                }
            }
        }
        workplace.stop.forget();
    }
}

/// What follows a run.
enum Next {
    Read,
    Leave,
}

/// Only reading again can follow a failure.
async fn wait_for_read(orders: &mut Orders) -> bool {
    while let Some(order) = orders.recv().await {
        if matches!(order, Order::Read) {
            return true;
        }
    }
    false
}

/// One run: read both sides, then do as told until something is applied.
async fn review(session: &mut Session<'_>, stop: &Stop, news: &Telling, orders: &mut Orders) -> Result<Next, Failure> {
    let started = Instant::now();
    let (sides, plan) = look(session, stop).await?;
    let plan = Arc::new(plan);
    tell(news, News::Planned { plan: Arc::clone(&plan), verdicts: session.store.verdicts()? });
    let mut at_hand: Option<Sides> = Some(sides);
    while let Some(order) = orders.recv().await {
        match order {
            Order::Read => {
                if at_hand.is_some() {
                    session.close("reviewed")?;
                }
                return Ok(Next::Read);
            }
            Order::Keep(verdicts) => session.store.save_verdicts("person", Timestamp::now(), &verdicts)?,
            Order::Apply(approved) => {
                let Some(sides) = at_hand.take() else { continue };
                let (applied, stopped) = session.apply(sides, plan.as_ref().clone(), approved).await?;
                let report = session.finish(&applied, stopped, started.elapsed().as_secs_f64())?;
                tell(news, News::Applied(Box::new(report)));
            }
            Order::Runs => tell(news, News::Runs(session.store.runs(RUNS_MAX)?)),
            Order::Events(run) => {
                let events = session.store.events(&run)?;
                tell(news, News::Events(events.iter().map(line).collect()));
            }
        }
    }
    if at_hand.is_some() {
        session.close("reviewed")?;
    }
    Ok(Next::Leave)
}

/// An event as one line. Texts in events are safe to show, or names, which are made so.
fn line(event: &crate::domain::journal::Event) -> String {
    use crate::domain::{
        journal::{What, Write},
        text::Display,
    };
    let what = match &event.what {
        What::RunStarted { trigger, by, version, .. } => format!("run started by {by}: {trigger}, version {version}"),
        What::Fetched { service, kind, rows, incomplete } => {
            let incomplete = incomplete.as_ref().map(|because| format!(" (incomplete: {because})")).unwrap_or_default();
            format!("read {rows} {} from {service}{incomplete}", kind.plural())
        }
        What::Planned { plan_hash, changes } => {
            format!("planned {changes} changes, plan {}", &plan_hash[..plan_hash.len().min(12)])
        }
        What::Difference { change, summary, .. } => format!("found {change} {summary}"),
        What::Approved { change, by } => format!("approved {change} by {by}"),
        What::Intent { write, request, .. } => {
            let request = match request {
                Write::Create { kind, name, .. } => format!("create {kind} “{}”", name.display()),
                Write::Update { kind, object, .. } => format!("update {kind} {object}"),
                Write::WriteBack { kind, page, .. } => format!("write {kind} page {page}"),
            };
            format!("write {}: {request}", write.0)
        }
        What::Outcome { write, outcome } => {
            let outcome = serde_json::to_value(outcome).unwrap_or_default();
            format!("write {}: {}", write.0, Display::of(outcome["outcome"].as_str().unwrap_or_default()))
        }
        What::Applied { change } => format!("applied {change}"),
        What::Failed { change, error, hint } => format!("failed {change}: {error} ({hint})"),
        What::NotStarted { change, because } => format!("not started {change}: {because}"),
        What::Exchange { service, method, path, status, millis, attempt } => {
            let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let service = match service {
                Service::Notion => "Notion",
                Service::Clockify => "Clockify",
            };
            format!("{service} {method} {} {status} {millis} ms, attempt {attempt}", Display::of(path))
        }
        What::RunEnded { outcome } => format!("run ended: {}", Display::of(outcome)),
    };
    format!("{}  {what}", event.at.strftime("%H:%M:%S"))
}
