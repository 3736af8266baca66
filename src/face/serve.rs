//! `punchlist serve`: the daemon with its door to the network. Calls are answered by a thread of their own, so that no
//! run, however large, keeps a caller waiting.

mod door;
mod http;
mod metrics;

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;
use tokio::sync::Notify;

use super::{
    failure::{Code, RunError},
    print::{say, tell_done},
    stop,
};
use crate::{
    domain::text::Shown,
    edge::{
        scrub::scrub,
        secrets::{Readings, SecretReference},
        supervisor::{self, Sign},
    },
    engine::{
        callers::Callers,
        daemon::{Arming, Daemon, Hub},
        run::Installation,
    },
};

/// Times that `--check` names.
const NEXT_TIMES: usize = 3;
/// How long the thread that runs may be busy with one thing before it counts as hung.
const HUNG_AFTER: Duration = Duration::from_mins(10);
/// How often it is looked whether a handshake has come.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Serves until somebody stops it. `put_off` is how much later than the schedule says each run is due.
pub(super) async fn serve(installation: Installation, put_off: Duration) -> Result<u8, RunError> {
    let readings = Readings::default();
    let (callers, listener) = prepare(&installation, &readings).await?;
    let hub = Arc::new(Hub::new(callers, installation.clock));
    let stop = stop::listening_until(0)?;
    let told = Box::new(|line: &str| {
        tell(line);
        supervisor::tell(Sign::Status(line));
    });
    let daemon = Daemon::new(installation.clone(), Arc::clone(&hub), put_off, &readings, stop, told).await?;
    let door = if let Some(listener) = listener {
        let address = listener.local_addr()?;
        let door = Door::open(listener, http::Desk { hub, installation: Arc::new(installation) })?;
        say(&format!("Serving at http://{address} until Ctrl-C.\n"))?;
        if !address.ip().is_loopback() {
            tell("this speaks plain HTTP beyond this machine: put a proxy with TLS in front of it");
        }
        Some(door)
    } else {
        say("Keeping the schedule until Ctrl-C; webhook.listen is not set, so nobody can call.\n")?;
        None
    };
    stay_watched();
    supervisor::tell(Sign::Ready);
    let served = daemon.serve().await;
    supervisor::tell(Sign::Stopping);
    drop(door);
    served.map(|()| 0)
}

/// What serving takes: the callers' secrets, and the address.
async fn prepare(installation: &Installation, readings: &Readings) -> Result<(Callers, Option<TcpListener>), RunError> {
    let Installation { settings, environment, directory, .. } = installation;
    let callers = Callers::resolve(&settings.webhook.callers, environment, directory, readings).await?;
    let listener = settings.webhook.listen.map(listen).transpose()?;
    Ok((callers, listener))
}

fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    let bound = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    bound.map_err(|error| {
        RunError::new(Code::Error, format!("could not listen on {address}: {error}"))
            .hint("another program may do so already; choose another address with webhook.listen")
    })
}

/// Proves that it could serve, and says when it would run.
pub(super) async fn check(installation: &Installation, as_json: bool) -> Result<u8, RunError> {
    let readings = Readings::default();
    let (_, listener) = prepare(installation, &readings).await?;
    let settings = &installation.settings;
    let schedule = &settings.schedule.schedule;
    let zone = schedule.zone();
    let now = (installation.clock)();
    let next = std::iter::successors(schedule.next_after(now), |at| schedule.next_after(*at)).take(NEXT_TIMES);
    let times: Vec<String> =
        next.map(|at| at.to_zoned(zone.clone()).strftime("  %a %Y-%m-%d %H:%M:%S %:z").to_string()).collect();
    let times = times.join("\n");
    let zone = zone.iana_name().unwrap_or("the machine's zone");
    let listening = listener.map_or_else(
        || "webhook.listen is not set: nobody can call.\n".to_owned(),
        |listener| listener.local_addr().map_or_else(|_| String::new(), |at| format!("It can listen on {at}.\n")),
    );
    let callers = settings.webhook.callers.iter().map(|(name, caller)| format!("  {name} ({})", caller.kind.word()));
    let callers = callers.collect::<Vec<_>>().join("\n");
    let callers =
        if callers.is_empty() { "Nobody may call.\n".to_owned() } else { format!("Who may call:\n{callers}\n") };
    tell_done(&format!("The next runs, in {zone}:\n{times}\n{listening}{callers}"), as_json)?;
    Ok(0)
}

/// Arms the daemon for the handshake of a sender of events. On a terminal it is awaited, and its token shown.
pub(super) async fn arm(installation: &Installation, name: &str) -> Result<u8, RunError> {
    let until = match installation.arm(name).await? {
        Arming::Came(place) => return show_token(installation, name, &place).await,
        Arming::Until(until) => until,
    };
    let listen = "the daemon, as the proxy in front of it calls it";
    say(&format!(
        "Until {until:.0} the daemon accepts a token for {name}. Now create the subscription in Notion (your connection, \
         Webhooks) with the address of {listen}, and /hooks/notion/events/{name}.\n"
    ))?;
    if !stdout().is_terminal() {
        say(&format!("When it has come, `punchlist serve --arm {name}` shows it once.\n"))?;
        return Ok(0);
    }
    let stop = stop::listening()?;
    while (installation.clock)() < until {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = stop.wait() => return Ok(Code::Interrupted as u8),
        }
        if installation.has_come(name).await?
            && let Arming::Came(place) = installation.arm(name).await?
        {
            return show_token(installation, name, &place).await;
        }
    }
    Err(RunError::new(Code::Error, "no token came").hint("is a daemon running, and can Notion reach it?"))
}

/// Shows a token to the person who has to paste it into Notion, and to nobody else.
async fn show_token(installation: &Installation, name: &str, place: &SecretReference) -> Result<u8, RunError> {
    let token = installation.kept_token(place).await?;
    // Not as other texts are said, which are without what is known to be secret.
    let mut stdout = stdout().lock();
    writeln!(stdout, "The token of {name} has come, and is kept. Paste it in Notion, under Verify:")?;
    writeln!(stdout, "{}", token.expose_secret())?;
    Ok(0)
}

/// Says a line to whoever looks after the daemon. Where nobody can read it, nothing else changes.
fn tell(line: &str) {
    let lines: Vec<String> = scrub(line).lines().map(|line| Shown::of(line).to_string()).collect();
    drop(writeln!(stderr(), "{}", lines.join("\n")));
    tracing::info!(said = lines.join("; "), "serve");
}

/// Tells the supervisor that this lives, as long as the thread that runs does. Needs a running runtime.
fn stay_watched() {
    let Some(within) = supervisor::watchdog() else { return };
    let (started, beaten) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let beats = Arc::clone(&beaten);
    tokio::spawn(async move {
        loop {
            beats.store(started.elapsed().as_secs(), Ordering::Relaxed);
            tokio::time::sleep(within / 3).await;
        }
    });
    std::thread::spawn(move || {
        loop {
            let silent = started.elapsed().as_secs().saturating_sub(beaten.load(Ordering::Relaxed));
            if silent < HUNG_AFTER.as_secs() {
                supervisor::tell(Sign::Alive);
            }
            std::thread::sleep(within / 3);
        }
    });
}

/// The thread that answers calls; it ends when this is dropped.
struct Door {
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    fn open(listener: TcpListener, desk: http::Desk) -> std::io::Result<Self> {
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("calls".to_owned()).spawn(move || {
            runtime.block_on(async {
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    door::serve(listener, http::router(desk), stopped).await;
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been told by then.
            drop(thread.join());
        }
    }
}
