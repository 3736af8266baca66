//! Secrets: put in place, exchanged for new ones, how old they are and whose, and what the log says of them.

use std::{collections::BTreeMap, ops::ControlFlow};

use clap::Subcommand;
use serde_json::json;

use super::{
    failure::{Code, RunError},
    print::{say, say_json},
    setup::Global,
    text::{line_of, put, when},
    typed,
};
use crate::{
    domain::{
        journal::{Event, Replaced, RunId, What},
        text::Shown,
    },
    edge::{
        secrets::{Lasting, check_form, name_of},
        store::{Selection, Toward},
    },
    engine::{
        run::Installation,
        secrets::{self, NewSecret, SecretStatus},
    },
};

/// The format's name and version.
const FORMAT: &str = "punchlist/secrets/1";
/// The entries of the log that are about secrets.
const KINDS: [&str; 3] = ["secret_read", "secret_refused", "secret_replaced"];

/// What to do about secrets.
#[derive(Subcommand)]
pub(super) enum Act {
    /// Put a secret where the configuration says that it is; it is typed unseen, or comes on standard input
    Set {
        /// Which: notion, clockify
        name: String,
        /// Keep it there from now on, and write that into the configuration: `keyring:NAME` or `file:PATH`
        #[arg(long, value_name = "PLACE")]
        to: Option<String>,
    },
    /// Say of each secret where it is, whether it can be had, how old it is and whose
    Status {
        /// Which; without it all
        name: Option<String>,
    },
    /// Exchange a secret for a new one, once its service knows that as the same person's with no fewer rights
    Rotate {
        /// Which: notion, clockify
        name: String,
        /// Let the new one be another person's or connection's, of the same workspace
        #[arg(long)]
        other_identity: bool,
    },
    /// Show when secrets were read, set and exchanged, by whom and from where
    Log {
        /// Which; without it all
        name: Option<String>,
    },
}

/// Does what is asked of secrets.
pub(super) async fn act(global: &Global, installation: &Installation, act: Act) -> Result<u8, RunError> {
    match act {
        Act::Set { name, to } => {
            let reference = secrets::place(&installation.settings, &name, to.as_deref())?;
            let secret = take(global, reference.key()).await?;
            let kept = secrets::set(installation, &name, reference, &secret).await?;
            tell_kept(global, &kept, "set")
        }
        Act::Rotate { name, other_identity } => {
            let reference = secrets::place(&installation.settings, &name, None)?;
            let secret = take(global, reference.key()).await?;
            let kept = secrets::rotate(installation, reference, &secret, other_identity).await?;
            tell_kept(global, &kept, "rotated")
        }
        Act::Status { name } => {
            let key = name.map(|name| secrets::named(&installation.settings, &name)).transpose()?.map(|(key, _)| key);
            let mut all = secrets::status(installation).await?;
            all.retain(|status| key.is_none_or(|key| status.reference.key() == key));
            status(global, &all)
        }
        Act::Log { name } => log(global, installation, name.as_deref()).await,
    }
}

async fn take(global: &Global, key: &str) -> Result<secrecy::SecretString, RunError> {
    let secret = typed::secret(&format!("New value of {key} (it is not shown): "), global.no_input).await?;
    check_form(key, &secret).map_err(|error| RunError::new(Code::Usage, error))?;
    Ok(secret)
}

fn tell_kept(global: &Global, kept: &NewSecret, how: &str) -> Result<u8, RunError> {
    let NewSecret { reference, lasting, former, whose } = kept;
    let key = reference.key();
    if global.json {
        let reference = reference.to_string();
        let lasting = if *lasting == Lasting::ForGood { "for_good" } else { "until_reboot" };
        say_json(&json!({ "format": FORMAT, "done": how, "key": key, "reference": reference, "lasting": lasting }))?;
        return Ok(Code::Done.into());
    }
    let mut text = format!("{key} is {how}: it is kept in {reference}");
    if let Some(whose) = whose {
        put(
            &mut text,
            format_args!(", and is “{}” of the workspace “{}”", Shown::of(&whose.user), Shown::of(&whose.workspace)),
        );
    }
    text += ".\n";
    if *lasting == Lasting::UntilReboot {
        text += "There is no Secret Service here, so the kernel holds it in its memory: it is lost when this machine starts again.\n";
    }
    if let Some(former) = former {
        put(
            &mut text,
            format_args!("The configuration names that place from now on. What is still in {former} can be removed.\n"),
        );
    }
    text += match (how, key) {
        ("rotated", "notion.token") => {
            "The old one still works: end it where the connection is managed, https://www.notion.so/profile/integrations.\n"
        }
        ("rotated", "clockify.token") => {
            "The old one still works unless making the new one has ended it: https://app.clockify.me/manage-api-keys.\n"
        }
        _ => "",
    };
    say(&text)?;
    Ok(Code::Done.into())
}

fn status(global: &Global, all: &[SecretStatus]) -> Result<u8, RunError> {
    if global.json {
        let all: Vec<_> = all.iter().map(status_json).collect();
        say_json(&json!({ "format": FORMAT, "secrets": all }))?;
    } else if all.is_empty() {
        say("No secrets are configured.\n")?;
    }
    for one in all.iter().filter(|_| !global.json) {
        say(&status_text(one))?;
    }
    let is_missing = all.iter().any(|status| status.error.is_some());
    Ok(if is_missing { Code::Refused } else { Code::Done }.into())
}

fn status_json(status: &SecretStatus) -> serde_json::Value {
    let SecretStatus { reference, error, age, whose, days, is_due } = status;
    json!({
        "name": name_of(reference.key()), "key": reference.key(), "source": reference.source(),
        "reference": reference.to_string(), "place": reference.place().exact(), "readable": error.is_none(),
        "error": error.as_ref().map(RunError::text), "hints": error.as_ref().map(|error| &error.hints),
        "since": age.as_ref().map(|age| age.since), "since_how": age.as_ref().map(|age| age.how), "days": days,
        "rotation_due": is_due, "identity": whose,
    })
}

fn status_text(status: &SecretStatus) -> String {
    let SecretStatus { reference, error, age, whose, days, is_due } = status;
    let mut text = format!("{}  {reference}, set in {}\n", reference.key(), reference.place());
    match error {
        Some(error) => {
            put(&mut text, format_args!("  cannot be had: {}\n", error.text()));
            text.extend(error.hints.iter().map(|hint| format!("  hint: {hint}\n")));
        }
        None => text += "  can be read\n",
    }
    if let (Some(age), Some(days)) = (age, days) {
        let how = match age.how {
            Replaced::Found => "first seen",
            Replaced::Set => "set",
            Replaced::Rotated => "rotated",
        };
        let ago = match days {
            0 => "today".to_owned(),
            1 => "yesterday".to_owned(),
            days => format!("{days} days ago"),
        };
        put(&mut text, format_args!("  {how} {ago} ({})\n", when(age.since)));
    }
    if let Some(whose) = whose {
        put(
            &mut text,
            format_args!("  of {} in the workspace “{}”\n", Shown::of(&whose.user), Shown::of(&whose.workspace)),
        );
    }
    if *is_due {
        put(
            &mut text,
            format_args!("  old: `punchlist secrets rotate {}` exchanges it for a new one\n", name_of(reference.key())),
        );
    }
    text
}

/// The entries of the log about secrets, each with who was at work where.
async fn log(global: &Global, installation: &Installation, name: Option<&str>) -> Result<u8, RunError> {
    let key = name.map(|name| secrets::named(&installation.settings, name)).transpose()?.map(|(key, _)| key);
    let store = installation.read_state().await?;
    let mut beginnings: BTreeMap<RunId, String> = BTreeMap::new();
    let mut entries: Vec<(Event, String)> = Vec::new();
    let kinds = KINDS.into_iter().chain(["run_started"]).collect();
    store
        .visit_log(&Selection { kinds, ..Selection::default() }, Toward::End(0), async |entry| {
            if let Ok(event) = entry.event() {
                match &event.what {
                    What::RunStarted { by, account, host, trigger, .. } => {
                        let account = if account == by { String::new() } else { format!(" ({account})") };
                        beginnings.insert(event.run, format!("{by}{account} on {host}, {trigger}"));
                    }
                    what if is_about(what, key) => entries.push((event, entry.body)),
                    _ => {}
                }
            }
            ControlFlow::Continue(())
        })
        .await?;
    let by = |event: &Event| Shown::of(beginnings.get(&event.run).map_or("somebody", String::as_str)).to_string();
    if global.json {
        let entries: Vec<_> = entries.iter().map(|(event, _)| json!({ "by": by(event), "entry": event })).collect();
        say_json(&json!({ "format": FORMAT, "log": entries }))?;
    } else if entries.is_empty() {
        say("The log says nothing of secrets.\n")?;
    }
    for (event, body) in entries.iter().filter(|_| !global.json) {
        say(&format!("{}  {}: {}\n", when(event.at), by(event), line_of(body, None).1))?;
    }
    Ok(Code::Done.into())
}

fn is_about(what: &What, key: Option<&str>) -> bool {
    match (what, key) {
        (_, None) => true,
        (What::SecretRead { key: of, .. } | What::SecretReplaced { key: of, .. }, Some(key)) => of == key,
        (What::SecretRefused { error }, Some(key)) => error.contains(&format!("`{key}`")),
        _ => false,
    }
}
