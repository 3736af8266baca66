//! What is kept in mind of secrets: since when each is the same, and whose it is. None of them can be had from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        journal::{Replaced, What},
        model::Service,
        plan::sha256,
        text::Raw,
    },
    edge::{
        clockify,
        config::Settings,
        secrets::{self, Readings, SecretReference},
        store::{Store, StoreError},
    },
};

/// Memory key: what is known of secrets.
const SECRETS: &str = "secrets";
/// Seconds of a day.
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// What is known of all secrets. None of them can be had from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    salt: String,
    pub(super) secrets: BTreeMap<String, Age>,
    pub(super) whose: BTreeMap<String, Whose>,
}

/// How long a secret is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Age {
    fingerprint: String,
    /// Since when, at the latest.
    pub since: Timestamp,
    /// How that is known: it was set or rotated then, or seen for the first time.
    pub how: Replaced,
}

/// Whom a service knows a secret as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// Nothing where the service does not say.
    pub workspace_id: Option<String>,
    pub workspace: String,
    /// A person, or a connection's own user.
    pub user_id: String,
    pub user: String,
}

/// What is kept in mind.
pub(super) async fn known(store: &Store) -> Result<Known, StoreError> {
    Ok(store.recall(SECRETS).await?.unwrap_or_default())
}

/// What tells whether both services are asked with the same tokens, under the same configuration, as before; nothing
/// where that cannot be told.
pub(super) async fn asked_by(store: &Store, given: &BTreeMap<String, String>) -> Result<Option<String>, StoreError> {
    let known = known(store).await?;
    let tokens = [Service::Notion, Service::Clockify].map(|service| known.secrets.get(key_of(service)));
    let [Some(notion), Some(clockify)] = tokens else { return Ok(None) };
    Ok(Some(sha256(&(&notion.fingerprint, &clockify.fingerprint, given))))
}

/// Since when the secrets of both services are the same, by their keys.
pub(super) async fn since(store: &Store) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let known = known(store).await?;
    let of_services = [Service::Notion, Service::Clockify].map(key_of);
    let ages = known.secrets.into_iter().filter(|(key, _)| of_services.contains(&key.as_str()));
    Ok(ages.map(|(key, age)| (key, age.since)).collect())
}

impl Age {
    /// For how many whole days.
    pub(super) fn days(&self, now: Timestamp) -> i64 {
        (now.duration_since(self.since).as_secs() / DAY_SECONDS).max(0)
    }
}

/// What to remind of: secrets that are old enough to be exchanged for new ones.
pub(super) async fn reminders(store: &Store, settings: &Settings, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let Some(after) = settings.rotate_after else { return Ok(Vec::new()) };
    let known = known(store).await?;
    let due = settings.secrets().filter_map(|reference| {
        let days = known.secrets.get(reference.key())?.days(now);
        let name = secrets::name_of(reference.key());
        (days >= after.into()).then(|| {
            format!(
                "{} is {days} days old; `punchlist secrets rotate {name}` exchanges it for a new one",
                reference.key()
            )
        })
    });
    Ok(due.collect())
}

/// Keeps in mind which secrets were read, and tells `readings` of those that are others than before.
pub(super) async fn notice(store: &mut Store, readings: &Readings, now: Timestamp) -> Result<(), StoreError> {
    for (reference, secret) in readings.take_seen() {
        if remember(store, &reference, &secret, Replaced::Found, now).await? {
            let (key, reference) = (reference.key().to_owned(), reference.to_string());
            readings.push(What::SecretReplaced { key, reference, how: Replaced::Found });
        }
    }
    Ok(())
}

/// Keeps in mind which secret it is; true where another one was known before.
pub(super) async fn remember(
    store: &mut Store,
    reference: &SecretReference,
    secret: &SecretString,
    how: Replaced,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut known = known(store).await?;
    if known.salt.is_empty() {
        // Without one, nothing is kept that could be tried out elsewhere.
        let Some(salt) = secrets::salt() else { return Ok(false) };
        known.salt = salt;
    }
    let fingerprint = secrets::fingerprint(secret, &known.salt);
    let before = known.secrets.get(reference.key());
    if how == Replaced::Found && before.is_some_and(|age| age.fingerprint == fingerprint) {
        return Ok(false);
    }
    let is_other = before.is_some();
    known.secrets.insert(reference.key().to_owned(), Age { fingerprint, since: now, how });
    if how != Replaced::Rotated && is_other {
        known.whose.remove(reference.key());
    }
    store.remember(SECRETS, &known).await?;
    Ok(is_other)
}

/// Keeps in mind whom a service knows a secret as.
pub(super) async fn belong(store: &mut Store, service: Service, whose: Whose) -> Result<(), StoreError> {
    let mut known = known(store).await?;
    if known.whose.get(key_of(service)) != Some(&whose) {
        known.whose.insert(key_of(service).to_owned(), whose);
        store.remember(SECRETS, &known).await?;
    }
    Ok(())
}

/// The key that refers to a service's secret.
pub(super) fn key_of(service: Service) -> &'static str {
    match service {
        Service::Notion => "notion.token",
        Service::Clockify => "clockify.token",
    }
}

/// Whom Clockify knows a key as.
pub(super) fn whose_in_clockify(identity: &clockify::Identity) -> Whose {
    let shown = |raw: &Raw| raw.shown().to_string();
    Whose {
        workspace_id: Some(identity.workspace_id.clone()),
        workspace: shown(&identity.workspace_name),
        user_id: identity.user_id.clone(),
        user: shown(&identity.user_name),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::edge::{
        config::{Loader, NO_FILE},
        environment::Environment,
    };

    #[tokio::test]
    async fn what_is_old_is_reminded_of_until_it_is_another_one() {
        let home = tempfile::tempdir().expect("a directory");
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().expect("a time");
        let mut store = Store::open(&(&home.path().join("state")).into(), now).await.expect("opens");
        let environment: Environment = [
            ("PUNCHLIST_CONFIG", NO_FILE),
            ("PUNCHLIST__NOTION__TOKEN", "env:T"),
            ("PUNCHLIST__SECRETS__ROTATE_AFTER", "90d"),
            ("T", "ntn_canary"),
        ]
        .into_iter()
        .collect();
        let settings = Loader { environment: environment.clone(), ..Loader::default() }.load().expect("settings");
        let reference = settings.notion.token.clone().expect("set");
        let later = |days: i64| now.checked_add(SignedDuration::from_hours(24 * days)).expect("a time");

        for (days, changed) in [(0, false), (89, false)] {
            let readings = Readings::default();
            secrets::resolve(&reference, &environment, &readings).await.expect("a secret");
            notice(&mut store, &readings, later(days)).await.expect("noticed");
            let told = readings.take();
            assert_eq!(told.iter().any(|what| matches!(what, What::SecretReplaced { .. })), changed, "{told:?}");
            assert_eq!(reminders(&store, &settings, later(days)).await.expect("read"), Vec::<String>::new());
        }
        let reminded = reminders(&store, &settings, later(90)).await.expect("read");
        let told = "notion.token is 90 days old; `punchlist secrets rotate notion` exchanges it for a new one";
        assert_eq!(reminded, [told]);

        let readings = Readings::default();
        let other = [("T", "ntn_other")].into_iter().collect();
        secrets::resolve(&reference, &other, &readings).await.expect("a secret");
        notice(&mut store, &readings, later(91)).await.expect("noticed");
        let (key, at) = ("notion.token".to_owned(), "env:T".to_owned());
        assert!(readings.take().contains(&What::SecretReplaced { key, reference: at, how: Replaced::Found }));
        assert_eq!(reminders(&store, &settings, later(91)).await.expect("read"), Vec::<String>::new());
    }
}
