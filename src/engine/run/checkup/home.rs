//! What is on this machine: the state, its disk, its lock and its log.

use std::collections::BTreeMap;

use super::{Gathered, Installation, fault::check_of};
use crate::{
    domain::{
        audit::Finding,
        checkup::{Check, CheckCode, bytes_words, disk},
        ending::End,
    },
    edge::{
        checkpoints::Checkpoints,
        store::{self, Held, Inspection, Place, Store},
    },
    engine::{failure::RunError, served::Seen, state::State},
};

/// Logs up to this many entries are followed from the first to the last, which takes a moment.
const FOLLOWED_MAX: u64 = 20_000;

impl Installation {
    /// Looks at the state from outside and from inside. Returns a copy of it, to try things on.
    pub(super) async fn look_home(&self, found: &mut Gathered) -> Option<Store> {
        let no_places = BTreeMap::new();
        let unusable =
            |found: &mut Gathered, error: RunError| found.add(check_of(CheckCode::State, &error, &no_places));
        let inspected = match self.place() {
            Place::Directory(directory) => match store::inspect(&directory) {
                Ok(inspected) => Some(inspected),
                Err(error) => {
                    unusable(found, error.into());
                    return None;
                }
            },
            #[cfg(feature = "postgres")]
            Place::Server(_) => None,
        };
        match &inspected {
            Some(inspected) => look_around(inspected, found),
            None => match self.lock().await {
                Ok(lock) => found.add(lock_of(lock.map(|lock| lock.to_string()))),
                Err(error) => {
                    unusable(found, error);
                    return None;
                }
            },
        }
        let (store, is_older) = match Store::open_copy(&self.place()).await {
            Ok(copied) => copied,
            Err(error) => {
                self.look_ahead(None, found);
                unusable(found, error.into());
                return None;
            }
        };
        let state = State(store);
        let daemon = state.daemon(&self.place()).await.ok().flatten();
        self.look_ahead(daemon.as_ref(), found);
        let State(store) = state;
        found.add(state_of(&store, inspected.as_ref(), is_older).await);
        match check_log(&store, &self.checkpoints()).await {
            Ok(check) => found.add(check),
            Err(error) => found.add(check_of(CheckCode::Log, &error, &no_places)),
        }
        Some(store)
    }

    /// What makes it run by itself.
    fn look_ahead(&self, daemon: Option<&Seen>, found: &mut Gathered) {
        let (settings, now) = (&self.settings, (self.clock)());
        let next = settings.schedule.schedule.next_after(now);
        let next = next.map_or_else(|| "never".to_owned(), |next| format!("{next:.0}"));
        found.add(schedule(daemon, &next));
        let callers = settings.webhook.callers.len();
        let silent = daemon.and_then(|daemon| daemon.served.silent(now).max_by_key(|(_, since)| *since));
        found.add(match (&settings.webhook.listen, silent) {
            (None, _) => Check::ok(CheckCode::Webhooks, "webhook.listen is not set: nobody can call"),
            (Some(_), Some((name, since))) => {
                let text = format!("no event for {} h from {name} although pages changed", since.as_hours());
                let mend = "look in Notion's portal, at your connection's Webhooks, whether the subscription is paused, and whether the \
                            proxy lets it through";
                Check::warn(CheckCode::Webhooks, text, mend)
            }
            (Some(address), None) => {
                let text = format!("{callers} callers, on {address}; `punchlist serve --check` tries them");
                Check::ok(CheckCode::Webhooks, text)
            }
        });
    }
}

/// What there is of a state, by a copy of it.
async fn state_of(store: &Store, inspected: Option<&Inspection>, is_older: bool) -> Check {
    let place = store.place();
    if is_older {
        let text = format!("{place} is of an older version");
        return Check::warn(CheckCode::State, text, "`punchlist doctor --fix` or the next run brings it up to date");
    }
    let links = store.registry().await.map(|registry| registry.len()).unwrap_or_default();
    Check::ok(
        CheckCode::State,
        match inspected {
            None => format!("{place} is there, with {links} links; copies of it are those of the server"),
            Some(Inspection { exists: false, directory, .. }) => {
                format!("there is none yet; the first run makes it in {}", directory.display())
            }
            Some(Inspection { bytes, copies, .. }) => {
                let copies = match *copies {
                    (0, _) => String::new(),
                    (1, bytes) => format!("; 1 copy of it, {}", bytes_words(bytes)),
                    (copies, bytes) => format!("; {copies} copies of it, {}", bytes_words(bytes)),
                };
                format!("{place} is whole, with {links} links, {}{copies}", bytes_words(*bytes))
            }
        },
    )
}

/// Whether a run holds the lock, and which.
fn lock_of(holder: Option<String>) -> Check {
    match holder {
        Some(holder) => {
            let mend = "wait until it has ended, or let runs wait for it: --lock-timeout SECONDS";
            Check::warn(CheckCode::Lock, format!("another run holds it ({holder})"), mend)
        }
        None => Check::ok(CheckCode::Lock, "nobody holds it"),
    }
}

/// Whether a daemon that there was is there, and how it does. `next` is when the next run would be.
fn schedule(daemon: Option<&Seen>, next: &str) -> Check {
    let Some(Seen { is_alive, served, .. }) = daemon else {
        return Check::ok(CheckCode::Schedule, format!("`punchlist serve` would run next: {next}"));
    };
    let well = served.last_success.map_or_else(
        || "none of its runs has ended well yet".to_owned(),
        |at| format!("its last run that ended well: {at:.0}"),
    );
    let failed = served.runs.first().and_then(|run| match &run.outcome {
        End::Without(because) => Some(because),
        End::Reported(_) => None,
    });
    match (is_alive, failed) {
        (false, _) => {
            let text = format!("the daemon is not running; {well}");
            Check::warn(
                CheckCode::Schedule,
                text,
                "start it: `punchlist serve`, or its service; it makes up for what it missed",
            )
        }
        (true, Some(because)) => {
            let text = format!("the daemon's last run failed: {because}; {well}; it runs next: {next}");
            Check::warn(CheckCode::Schedule, text, "`punchlist logs list` tells of its runs")
        }
        (true, None) => Check::ok(CheckCode::Schedule, format!("the daemon runs next: {next}; {well}")),
    }
}

/// Who can read the state, what its disk gives, and who holds the lock.
fn look_around(inspected: &Inspection, found: &mut Gathered) {
    let Inspection { directory, exists: _, exposed, network, free_bytes, bytes: _, copies: _, lock } = inspected;
    for (path, mode) in exposed {
        let bits = if path == directory { "700" } else { "600" };
        let text = format!("others may read or change {} ({mode:04o})", path.display());
        let mend = format!("`punchlist doctor --fix`, or: chmod {bits} '{}'", path.display());
        found.add(Check::warn(CheckCode::Permissions, text, mend).at(Some(path.display().to_string())));
    }
    if exposed.is_empty() {
        let whose = if cfg!(unix) { "is ours alone" } else { "is for those to read whom its access list names" };
        found.add(Check::ok(CheckCode::Permissions, format!("{} {whose}", directory.display())));
    }
    match lock {
        Held::Never(error) => found.add(Check::fail(CheckCode::Disk, error.to_string(), error.hint())),
        Held::No | Held::Left(_) | Held::By(_) => found.add(disk(*free_bytes, *network)),
    }
    match lock {
        Held::By(holder) => {
            let holder = holder.as_ref().map_or_else(|| "it did not say who it is".to_owned(), ToString::to_string);
            found.add(lock_of(Some(holder)));
        }
        Held::No | Held::Left(_) => found.add(lock_of(None)),
        Held::Never(_) => {}
    }
}

/// Whether the log is what the last checkpoint has seen.
async fn check_log(store: &Store, checkpoints: &Checkpoints) -> Result<Check, RunError> {
    let (entries, _) = store.log_head().await?;
    let is_short = entries <= FOLLOWED_MAX;
    let doubt: Option<Finding> = if is_short {
        let kept = checkpoints.read(None)?;
        let found = if entries == 0 && kept.checkpoints.is_empty() {
            Vec::new()
        } else {
            checkpoints.looked_for(store.verify(&kept.checkpoints).await?).findings
        };
        kept.findings.into_iter().chain(found).next()
    } else {
        match checkpoints.last()? {
            Some(Err(finding)) => Some(finding),
            Some(Ok(checkpoint)) => store.hold_against(&checkpoint).await?,
            None => None,
        }
    };
    Ok(match doubt {
        None => {
            let (kept, bytes) = store.log_size().await?;
            let size = bytes_words(bytes);
            let how =
                if is_short { "each following from the one before" } else { "up to what the last checkpoint has seen" };
            Check::ok(CheckCode::Log, format!("{kept} entries, {size}, {how}"))
        }
        Some(doubt) => Check::fail(
            CheckCode::Log,
            format!("the log is not what its last checkpoint has seen: {doubt}"),
            format!(
                "`punchlist logs verify` says more; where you have put an older copy of the state in place yourself, move {} away",
                checkpoints.file().map_or_else(String::new, |file| file.display().to_string())
            ),
        ),
    })
}

/// Mends what is safe to mend of the state; says what it did.
pub(super) async fn mend(installation: &Installation) -> Vec<String> {
    let mut mended = match installation.place() {
        Place::Directory(directory) => store::mend(&directory).unwrap_or_default(),
        #[cfg(feature = "postgres")]
        Place::Server(_) => Vec::new(),
    };
    if let Ok((_, true)) = Store::open_copy(&installation.place()).await
        && let Ok(store) = Store::open(&installation.place(), (installation.clock)()).await
    {
        mended.push(format!("brought {} up to date", store.place()));
    }
    let place = installation.place();
    if Store::exists(&place)
        && let Ok(mut store) = Store::open(&place, (installation.clock)()).await
        && matches!(store.mend_words().await, Ok(true))
    {
        mended.push("made anew what the log is found by".to_owned());
    }
    mended
}
