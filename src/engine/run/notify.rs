//! After an unattended run: tells whoever is to be told, if there is something new to tell.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Installation, Runner};
use crate::{
    domain::{
        notify::{Affair, Aftermath, Message},
        report::Report,
        text::Shown,
    },
    edge::{
        config::NotifySettings,
        http::Proxy,
        notify::{command, mail, post},
        secrets::{self, Readings},
        store::Store,
    },
    engine::{
        failure::{Code, RunError},
        session::{Progress, Watch},
    },
};

/// Waiting changes that a command gets; what it is told counts all of them.
const WAITING_MAX: usize = 500;
/// Memory key: what was last said on each way of notifying.
const TOLD: &str = "told";

/// Memory key: how many runs in a row found the lock taken.
const REFUSED: &str = "refused";
/// So many of them in a row are told of: one may meet a person who is just applying.
const REFUSED_TOLD: u32 = 2;

/// Tells of a run and how it ended. What goes wrong in it is said, and changes nothing.
pub(super) async fn tell(runner: &mut Runner, ended: &Result<Report, RunError>) {
    let Runner { installation, turn, store, connection, doubt, .. } = runner;
    let (doubt, proxy) = (doubt.as_ref().map(|doubt| Shown::from(doubt.to_string())), connection.proxy.as_deref());
    if let Err(failure) = send(installation, &turn.watch, Some(store), ended, doubt.as_ref(), proxy).await {
        warn(&turn.watch, &failure.text());
    }
}

/// Tells of an unattended run that could not begin: at once, but for one that found the lock taken; those are counted,
/// and told of when they come one after the other.
pub(super) async fn tell_of_start(installation: &Installation, watch: &Watch, failure: Option<&RunError>) {
    if let Err(failure) = start_failed(installation, watch, failure).await {
        warn(watch, &failure.text());
    }
}

async fn start_failed(installation: &Installation, watch: &Watch, failure: Option<&RunError>) -> Result<(), RunError> {
    let ended = |RunError { code, error, each, hints, place: _ }: &RunError, before: &str| {
        let failure = RunError::new(*code, format!("{before}{error}")).each(each);
        Err(hints.iter().fold(failure, |failure, hint| failure.hint(hint.as_str())))
    };
    match failure {
        None => {
            let mut store = installation.open_state().await?.0;
            if store.recall::<u32>(REFUSED).await?.is_some() {
                store.forget(REFUSED).await?;
            }
            Ok(())
        }
        Some(locked) if locked.code == Code::Locked => {
            let mut store = installation.open_state().await?.0;
            let refused = store.recall(REFUSED).await?.unwrap_or(0_u32).saturating_add(1);
            store.remember(REFUSED, &refused).await?;
            if refused < REFUSED_TOLD {
                return Ok(());
            }
            let before = format!("{refused} runs in a row could not begin: ");
            send(installation, watch, Some(&mut store), &ended(locked, &before), None, None).await
        }
        Some(stopped) if stopped.code == Code::Interrupted => Ok(()),
        // Where the state cannot be opened, it is not known what was told before, and every such run is told of.
        Some(failure) => {
            let mut state = installation.open_state().await.ok();
            let store = state.as_mut().map(|state| &mut state.0);
            send(installation, watch, store, &ended(failure, ""), None, None).await
        }
    }
}

async fn send(
    installation: &Installation,
    watch: &Watch,
    mut store: Option<&mut Store>,
    ended: &Result<Report, RunError>,
    doubt: Option<&Shown>,
    proxy: Option<&Proxy>,
) -> Result<(), RunError> {
    let Installation { settings, environment, .. } = installation;
    let workspace = settings.clockify.workspace.as_deref().unwrap_or_default();
    let settings = &settings.notify;
    if *settings == NotifySettings::default() {
        return Ok(());
    }
    let pending = match &store {
        Some(store) => store.pending().await?,
        None => Vec::new(),
    };
    let mut waits: Vec<_> = pending.into_iter().map(|row| (row.waits, row.change, row.reason)).collect();
    if let Ok(report) = ended {
        // What this very run could not do is told once, by its report.
        waits.retain(|(_, change, _)| !report.names(change.id));
    }
    let (affair, message) = match ended {
        Ok(report) => {
            let aftermath = Aftermath { report, waits: &waits, doubt };
            (Affair::of(&aftermath), Message::of(&aftermath))
        }
        Err(failure) => {
            (Affair::of_failure(failure.code), Message::of_failure(workspace, &failure.text(), &failure.hints))
        }
    };
    let before = match &store {
        Some(store) => store.recall(TOLD).await?,
        None => None,
    };
    let mut sent: BTreeMap<String, Affair> = before.unwrap_or_default();
    let is_new = |way: &str| affair.is_news_after(sent.get(way));
    let readings = Readings::default();
    let by_webhook = async {
        let reference = settings.webhook.as_ref().filter(|_| is_new("webhook"))?;
        Some(match secrets::resolve(reference, environment, &readings).await {
            Ok(address) => post(&address, &message, proxy).await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("{error}; {}", error.hint())),
        })
    };
    let by_mail = async {
        let email = settings.email.as_ref().filter(|_| is_new("email"))?;
        Some(mail(email, &message, environment).await.map_err(|error| error.to_string()))
    };
    let by_command = async {
        let words = settings.command.as_ref().filter(|_| is_new("command"))?;
        let report = ended.as_ref().ok();
        let waits: Vec<_> = waits.iter().map(|(_, change, _)| change).take(WAITING_MAX).collect();
        let (title, text) = (&message.title, message.text());
        let format = "punchlist/notification/1";
        let document = json!({ "format": format, "title": title, "text": text, "report": report, "pending": waits });
        Some(command(words, document.to_string().as_bytes(), environment).await.map_err(|error| error.to_string()))
    };
    let (webhook, email, command) = tokio::join!(by_webhook, by_mail, by_command);
    if let Some(store) = &mut store {
        installation.log_readings(store, "notify", &readings).await?;
    }
    let mut changed = false;
    for (way, outcome) in [("webhook", webhook), ("email", email), ("command", command)] {
        match outcome {
            // What could not be told is tried again after the next run.
            Some(Err(error)) => warn(watch, &format!("nobody was told by notify.{way}: {error}")),
            Some(Ok(())) => changed |= sent.insert(way.to_owned(), affair.clone()).as_ref() != Some(&affair),
            None => {}
        }
    }
    match store {
        Some(store) if changed => Ok(store.remember(TOLD, &sent).await?),
        _ => Ok(()),
    }
}

fn warn(watch: &Watch, text: &str) {
    tracing::warn!(error = text, "nobody was told");
    watch(Progress::Warned(text.into()));
}
