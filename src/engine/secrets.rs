//! Secrets over time: how old they are, whose they are, and one put in the place of another.
//!
//! ```text
//! new value ─ asked of the service: same workspace, same person, no fewer rights ─▸ kept ─ read back ─▸ logged
//!                      └── refused: nothing has changed                            └── put back where it is not what was kept
//! ```
//!
//! A crash at any point leaves the old secret or the new one, and both work until a person revokes the old one.

use secrecy::{ExposeSecret, SecretString};

pub use super::ages::{Age, Whose};
use super::{
    ages::{belong, key_of, known, notice, remember, whose_in_clockify},
    connect::{sink, to_clockify_with, to_notion_with},
    failure::{Code, RunError},
    run::Installation,
    session::{Exchanges, IDENTITIES, Identities, SessionError, exchange_events},
};
use crate::{
    domain::{
        journal::{Replaced, RunId, What},
        model::{Kind, Service},
    },
    edge::{
        clockify::{Clockify, MappedFields},
        config::{Endpoints, Settings, edit},
        failpoint,
        http::{Auth, Options, Proxy},
        notion::{self, Notion},
        origin::Origin,
        secrets::{self, Lasting, Readings, SecretReference},
        store::Store,
    },
};

/// One secret, as it is at the moment.
pub struct SecretStatus {
    pub reference: SecretReference,
    /// Why it cannot be had, if it cannot.
    pub error: Option<RunError>,
    pub age: Option<Age>,
    pub whose: Option<Whose>,
    /// For how many whole days it is the same.
    pub days: Option<i64>,
    /// True where it is old enough to be exchanged for a new one.
    pub is_due: bool,
}

/// How a new secret was kept.
#[derive(Clone, Debug)]
pub struct NewSecret {
    pub reference: SecretReference,
    pub lasting: Lasting,
    /// Where the old one still is, where the new one is kept elsewhere.
    pub former: Option<SecretReference>,
    /// Whom the service knows it as, where it was asked.
    pub whose: Option<Whose>,
}

/// The secret that a name stands for: its key, and the reference to it where it is set.
///
/// # Errors
/// [`Code::Usage`] for a name that stands for none.
pub fn named<'a>(settings: &'a Settings, name: &str) -> Result<(&'a str, Option<&'a SecretReference>), RunError> {
    let fits = |key: &str| secrets::name_of(key) == name || key == name;
    if let Some(reference) = settings.secrets().find(|reference| fits(reference.key())) {
        return Ok((reference.key(), Some(reference)));
    }
    let unset = Settings::SECRETS.into_iter().find(|key| fits(key));
    unset.map(|key| (key, None)).ok_or_else(|| {
        let set = settings.secrets().map(SecretReference::key).filter(|key| !Settings::SECRETS.contains(key));
        let names: Vec<&str> = Settings::SECRETS.into_iter().chain(set).map(secrets::name_of).collect();
        RunError::new(Code::Usage, "there is no secret of that name").hint(format!("there are {}", names.join(", ")))
    })
}

/// How all secrets are that are configured; each is read, which is logged.
///
/// # Errors
/// Where the state cannot be used.
pub async fn status(installation: &Installation) -> Result<Vec<SecretStatus>, RunError> {
    let (readings, now) = (Readings::default(), (installation.clock)());
    let mut store = installation.open_state().await?.0;
    let mut all = Vec::new();
    for reference in installation.settings.secrets() {
        let read = secrets::resolve(reference, &installation.environment, &readings).await;
        all.push((reference.clone(), read.err().map(RunError::from)));
    }
    notice(&mut store, &readings, now).await?;
    installation.log_by_itself(&mut store, "secrets status", readings.take(), "told", &[]).await?;
    let known = known(&store).await?;
    let told = all.into_iter().map(|(reference, error)| {
        let age = known.secrets.get(reference.key()).cloned();
        let days = age.as_ref().map(|age| age.days(now));
        let is_due = days.zip(installation.settings.rotate_after).is_some_and(|(days, after)| days >= after.into());
        SecretStatus { error, days, is_due, whose: known.whose.get(reference.key()).cloned(), age, reference }
    });
    Ok(told.collect())
}

/// Where a new secret is to be kept: where the configuration says, or elsewhere, which is written into it then.
///
/// # Errors
/// [`Code::Usage`] where that is no place that anything can be kept in.
pub fn place(settings: &Settings, name: &str, to: Option<&str>) -> Result<SecretReference, RunError> {
    let (key, configured) = named(settings, name)?;
    let usage = |error: String| RunError::new(Code::Usage, error);
    let reference = match (to, configured) {
        (None, Some(configured)) => configured.clone(),
        (None, None) => {
            let name = secrets::name_of(key);
            return Err(usage(format!("{key} is not configured, so it is not known where to keep it"))
                .hint(format!("say where: --to keyring:{name} or --to file:~/.config/punchlist/{name}.secret")));
        }
        (Some(to), configured) => {
            if let Some(Origin::Variable(_) | Origin::Elsewhere(_)) = configured.map(SecretReference::place) {
                return Err(usage(format!("{key} is not set in the configuration file, so --to has no effect there"))
                    .hint("change it where it is set, or take it away there"));
            }
            let example = "e.g. --to keyring:notion or --to file:~/.secrets/notion";
            let reference =
                SecretReference::parse(to, key, "--to").map_err(|error| usage(error.to_string()).hint(example))?;
            secrets::check_can_keep(&reference)
                .map_err(|error| RunError { code: Code::Usage, ..RunError::from(*error) })?;
            reference
        }
    };
    secrets::check_can_keep(&reference).map_err(|error| RunError { code: Code::Usage, ..RunError::from(*error) })?;
    Ok(reference)
}

/// Keeps a secret, unseen by its service.
///
/// # Errors
/// Where it cannot be kept, or the configuration cannot be changed.
pub async fn set(
    installation: &Installation,
    name: &str,
    reference: SecretReference,
    secret: &SecretString,
) -> Result<NewSecret, RunError> {
    let (_, configured) = named(&installation.settings, name)?;
    let mut store = installation.open_state().await?.0;
    let lasting = secrets::keep(&reference, secret, &installation.environment).await?;
    failpoint::reach("secret_kept");
    prove(installation, &reference, secret).await?;
    let former = configured.filter(|former| former.in_full() != reference.in_full()).cloned();
    if former.is_some() || configured.is_none() {
        let file = installation.settings.file.as_ref().ok_or_else(|| {
            RunError::new(Code::Configuration, "there is no configuration file to write into")
                .hint("name one: --config FILE")
        })?;
        edit::set(file, &[(reference.key(), &reference.in_full())])
            .map_err(|error| RunError::new(Code::Configuration, error))?;
    }
    let now = (installation.clock)();
    remember(&mut store, &reference, secret, Replaced::Set, now).await?;
    let (key, shown) = (reference.key().to_owned(), reference.to_string());
    let told = What::SecretReplaced { key, reference: shown, how: Replaced::Set };
    installation.log_by_itself(&mut store, "secrets set", [told], "set", &[]).await?;
    Ok(NewSecret { reference, lasting, former, whose: None })
}

/// Exchanges a secret for a new one that its service knows as the same person's, in the same workspace, with no fewer
/// rights. `others_may` lets another person's in.
///
/// # Errors
/// [`Code::Refused`] where the service says otherwise; the old one is still in its place then.
pub async fn rotate(
    installation: &Installation,
    reference: SecretReference,
    secret: &SecretString,
    others_may: bool,
) -> Result<NewSecret, RunError> {
    let mut store = installation.open_state().await?.0;
    let readings = Readings::default();
    let exchanges = Exchanges::default();
    let asked = Asked { installation, exchanges: exchanges.clone() };
    let rotated = async {
        let old = secrets::resolve(&reference, &installation.environment, &readings).await.ok();
        if old.as_ref().is_some_and(|old| old.expose_secret() == secret.expose_secret()) {
            return Err(RunError::new(Code::Usage, "this is the secret that is in use already"));
        }
        let compared = asked.compare(&store, &reference, old.as_ref(), secret, others_may).await;
        let whose = compared.map_err(|failure| failure.hint("nothing has changed: the old one is in use"))?;
        failpoint::reach("secret_verified");
        let lasting = secrets::keep(&reference, secret, &installation.environment).await?;
        failpoint::reach("secret_kept");
        if let Err(failure) = prove(installation, &reference, secret).await {
            if let Some(old) = &old {
                secrets::keep(&reference, old, &installation.environment).await?;
            }
            return Err(failure.hint("the old one is in its place again"));
        }
        let now = (installation.clock)();
        remember(&mut store, &reference, secret, Replaced::Rotated, now).await?;
        if let (Some(service), Some(whose)) = (service_of(&reference), &whose) {
            belong(&mut store, service, whose.clone()).await?;
        }
        let (key, shown) = (reference.key().to_owned(), reference.to_string());
        readings.push(What::SecretReplaced { key, reference: shown, how: Replaced::Rotated });
        Ok(NewSecret { reference, lasting, former: None, whose })
    }
    .await;
    let requests = exchange_events(&RunId::beginning((installation.clock)()), exchanges.take());
    let told = requests.into_iter().map(|event| event.what).chain(readings.take());
    let outcome = match &rotated {
        Ok(_) => "rotated".to_owned(),
        Err(failure) => failure.text(),
    };
    installation.log_by_itself(&mut store, "secrets rotate", told, &outcome, &[]).await?;
    rotated
}

/// Reads a secret back from where it was kept.
async fn prove(
    installation: &Installation,
    reference: &SecretReference,
    secret: &SecretString,
) -> Result<(), RunError> {
    let read = secrets::resolve(reference, &installation.environment, &Readings::default()).await?;
    if read.expose_secret() == secret.expose_secret() {
        return Ok(());
    }
    Err(RunError::new(Code::Error, format!("{reference} does not hold what was just kept there")))
}

fn service_of(reference: &SecretReference) -> Option<Service> {
    [Service::Notion, Service::Clockify].into_iter().find(|service| key_of(*service) == reference.key())
}

/// Asks the services whom they know secrets as.
struct Asked<'a> {
    installation: &'a Installation,
    exchanges: Exchanges,
}

/// What a service says of a secret.
struct KnownAs {
    whose: Whose,
    /// True where it may do everything in the workspace, as far as that can be told.
    is_admin: bool,
}

impl Asked<'_> {
    /// Whom the service knows a new secret as, where that is the same as before.
    async fn compare(
        &self,
        store: &Store,
        reference: &SecretReference,
        old: Option<&SecretString>,
        new: &SecretString,
        others_may: bool,
    ) -> Result<Option<Whose>, RunError> {
        let Some(service) = service_of(reference) else {
            return Err(RunError::new(Code::Usage, format!("nobody can be asked about {}", reference.key())).hint(
                format!("`punchlist secrets set {}` puts it in place unseen", secrets::name_of(reference.key())),
            ));
        };
        let told = self.ask(service, new).await?;
        // One that was revoked already says nothing; then what was kept of it counts.
        let before = match old {
            Some(old) => self.ask(service, old).await.ok(),
            None => None,
        };
        let known = known(store).await?;
        let was_admin = before.as_ref().is_none_or(|told| told.is_admin);
        let before = before.map(|told| told.whose).or_else(|| known.whose.get(reference.key()).cloned());
        let refused = |error: String| RunError::new(Code::Refused, error);
        let pinned: Option<Identities> = store.recall(IDENTITIES).await?;
        let pinned = pinned.and_then(|pinned| match service {
            Service::Notion => pinned.notion,
            Service::Clockify => Some(pinned.clockify),
        });
        if pinned.is_some() && told.whose.workspace_id.is_some() && pinned != told.whose.workspace_id {
            let workspace = &told.whose.workspace;
            return Err(refused(format!(
                "the new secret is of the {service} workspace “{workspace}”, and the state is not"
            ))
            .hint("for another workspace use another --state-dir"));
        }
        if let Some(before) = &before {
            // A personal token of Notion may not say; then that it reads the rows says enough.
            let both = before.workspace_id.as_ref().zip(told.whose.workspace_id.as_ref());
            if both.is_some_and(|(before, now)| before != now) {
                return Err(refused(format!(
                    "the new secret is of the {service} workspace “{}”, and the old one of “{}”",
                    told.whose.workspace, before.workspace
                ))
                .hint("for another workspace use another --state-dir"));
            }
            if !others_may && before.user_id != told.whose.user_id {
                return Err(refused(format!(
                    "the new secret is “{}” to {service}, and the old one “{}”",
                    told.whose.user, before.user
                ))
                .hint("if that is meant: --other-identity"));
            }
        }
        if was_admin && before.is_some() && !told.is_admin {
            return Err(refused(format!(
                "the new secret is that of a plain member of “{}”, who sees less",
                told.whose.workspace
            )));
        }
        Ok(Some(told.whose))
    }

    async fn ask(&self, service: Service, secret: &SecretString) -> Result<KnownAs, RunError> {
        let Installation { settings, environment, clock, .. } = self.installation;
        let Endpoints { notion, clockify } = settings.require_endpoints()?;
        let options = |base_url: &url::Url, auth| {
            let watch: super::session::Watch = std::sync::Arc::new(|_| {});
            let mut options = Options::new(service, base_url.clone(), auth, sink(&self.exchanges, *clock, &watch));
            options.proxy = Proxy::of_environment(|name| environment.get(name).map(str::to_owned));
            options
        };
        match service {
            Service::Notion => {
                let options = options(&settings.notion.base_url, Auth::bearer(secret));
                let http = to_notion_with(&settings.notion, options)?;
                let client = Notion::new(http, settings.rules.mapping.clone(), settings.rules.id_strategy);
                let identity = client.identity().await.map_err(SessionError::from)?;
                for kind in Kind::ALL {
                    let source = &notion.data_sources[kind].to_string();
                    client.resolve(kind, source).await.map_err(|error| {
                        let sees_less = matches!(error, notion::Error::NotFound { .. });
                        let failure = RunError::from(SessionError::from(error));
                        if sees_less { RunError { code: Code::Refused, ..failure } } else { failure }
                    })?;
                }
                let [user, workspace] = [&identity.name, &identity.workspace_name].map(|name| name.shown().to_string());
                let whose = Whose { workspace_id: identity.workspace_id, workspace, user_id: user.clone(), user };
                Ok(KnownAs { whose, is_admin: true })
            }
            Service::Clockify => {
                let options = options(&settings.clockify.base_url, Auth::api_key(secret));
                let http = to_clockify_with(&settings.clockify, options)?;
                let client = Clockify::new(http, MappedFields::of(&settings.rules.mapping));
                let identity = client.identity(clockify.workspace.as_deref()).await.map_err(SessionError::from)?;
                // A question that is not answered tells nothing against it.
                let is_admin = client.is_admin(&identity.workspace_id).await.unwrap_or(true);
                Ok(KnownAs { whose: whose_in_clockify(&identity), is_admin })
            }
        }
    }
}
