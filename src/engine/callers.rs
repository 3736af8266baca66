//! Who may call the daemon, and whether it is them: nothing of a call is believed before that.
//!
//! A secret that is only compared is kept as its SHA-256. Whoever calls under a name that nobody has is held against
//! something all the same, so that neither the answer nor its time tells which names there are.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{PoisonError, RwLock},
};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::failure::RunError;
use crate::{
    domain::{audit::Hash, reach::Extent},
    edge::{
        config::{CallerKind, CallerSecret, CallerSettings},
        environment::Environment,
        secrets::{self, Readings, SecretReference},
    },
};

/// How a signature of Notion's begins (Notion docs, webhooks: `X-Notion-Signature`).
const SIGNED: &str = "sha256=";

/// Everybody who may call, by name.
pub struct Callers {
    known: BTreeMap<String, Caller>,
    /// What calls under unknown names are held against.
    decoy: Caller,
}

/// Somebody who may call.
pub struct Caller {
    pub name: String,
    pub kind: CallerKind,
    /// How far a run may go that they ask for.
    pub extent: Extent,
    /// Their calls are told and answered, and ask for nothing.
    pub test: bool,
    proof: RwLock<Proof>,
}

/// What a caller is held against.
enum Proof {
    Hash([u8; 32]),
    Key(Box<hmac::Key>),
    /// Notion has not said its token yet.
    Awaited,
}

impl Callers {
    /// Fetches what all of them are held against. `state` is the directory where the tokens are that came in a
    /// handshake.
    ///
    /// # Errors
    /// Every secret that cannot be had.
    pub async fn resolve(
        settings: &BTreeMap<String, CallerSettings>,
        environment: &Environment,
        state: &Path,
        readings: &Readings,
    ) -> Result<Self, RunError> {
        let (mut known, mut failures) = (BTreeMap::new(), Vec::new());
        for (name, caller) in settings {
            match proof(name, caller, environment, state, readings).await {
                Ok(proof) => {
                    let CallerSettings { kind, ref extent, test, secret: _ } = *caller;
                    let (name, extent) = (name.clone(), extent.clone());
                    let caller = Caller { name: name.clone(), kind, extent, test, proof: RwLock::new(proof) };
                    known.insert(name, caller);
                }
                Err(failure) => failures.push(failure),
            }
        }
        if !failures.is_empty() {
            return Err(RunError::several(failures));
        }
        let mut hash = [0; 32];
        aws_lc_rs::rand::fill(&mut hash).map_err(|_| std::io::Error::other("this machine gives no random numbers"))?;
        let proof = RwLock::new(Proof::Hash(hash));
        let (name, extent) = (String::new(), Extent::default());
        let decoy = Caller { name, kind: CallerKind::Bearer, extent, test: false, proof };
        Ok(Self { known, decoy })
    }

    /// The names of those of a kind.
    pub fn of_kind(&self, kind: CallerKind) -> impl Iterator<Item = &str> {
        self.known.values().filter(move |caller| caller.kind == kind).map(|caller| caller.name.as_str())
    }

    /// The caller of a kind and name, whether or not it is them.
    pub fn named(&self, kind: CallerKind, name: &str) -> Option<&Caller> {
        self.known.get(name).filter(|caller| caller.kind == kind)
    }

    /// The caller of a kind and name, if what was presented is their secret.
    pub fn with_secret(&self, kind: CallerKind, name: &str, presented: &[u8]) -> Option<&Caller> {
        let caller = self.named(kind, name);
        let is_them = caller.unwrap_or(&self.decoy).has_secret(&Sha256::digest(presented).into());
        caller.filter(|_| is_them)
    }

    /// The program whose secret was presented.
    pub fn with_bearer(&self, presented: &[u8]) -> Option<&Caller> {
        let hash = Sha256::digest(presented).into();
        let programs = self.known.values().filter(|caller| caller.kind == CallerKind::Bearer);
        // All of them are looked at, whoever it is.
        programs
            .chain([&self.decoy])
            .fold(None, |found, caller| if caller.has_secret(&hash) { Some(caller) } else { found })
    }

    /// The sender of events of that name, if a body was signed with their token.
    pub fn with_signature(&self, name: &str, signature: &[u8], body: &[u8]) -> Option<&Caller> {
        let caller = self.named(CallerKind::NotionEvents, name);
        let is_them = caller.unwrap_or(&self.decoy).has_signed(signature, body);
        caller.filter(|_| is_them)
    }

    /// Takes over the token that a sender of events has said in a handshake.
    pub fn take_over(&self, name: &str, token: &SecretString) {
        if let Some(caller) = self.named(CallerKind::NotionEvents, name) {
            *caller.proof.write().unwrap_or_else(PoisonError::into_inner) = key(token);
        }
    }
}

impl Caller {
    fn has_secret(&self, presented: &[u8; 32]) -> bool {
        match &*self.proof.read().unwrap_or_else(PoisonError::into_inner) {
            Proof::Hash(hash) => verify_slices_are_equal(hash, presented).is_ok(),
            Proof::Key(_) | Proof::Awaited => false,
        }
    }

    fn has_signed(&self, signature: &[u8], body: &[u8]) -> bool {
        let tag = tag(signature);
        let verified = |key: &hmac::Key| hmac::verify(key, body, &tag.unwrap_or_default()).is_ok();
        match &*self.proof.read().unwrap_or_else(PoisonError::into_inner) {
            Proof::Key(key) => verified(key) && tag.is_some(),
            // As much work, for nothing.
            Proof::Hash(_) | Proof::Awaited => {
                verified(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]));
                false
            }
        }
    }
}

/// The 32 bytes in `sha256=0a1b…`, in small letters as Notion writes them.
fn tag(signature: &[u8]) -> Option<[u8; 32]> {
    let text = str::from_utf8(signature).ok()?.strip_prefix(SIGNED)?;
    if text.contains(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    text.parse::<Hash>().ok().map(|hash| hash.0)
}

fn key(token: &SecretString) -> Proof {
    Proof::Key(Box::new(hmac::Key::new(hmac::HMAC_SHA256, token.expose_secret().as_bytes())))
}

async fn proof(
    name: &str,
    caller: &CallerSettings,
    environment: &Environment,
    state: &Path,
    readings: &Readings,
) -> Result<Proof, RunError> {
    let reference = match &caller.secret {
        Some(CallerSecret::Hashed(hash)) => return Ok(Proof::Hash(hash.0)),
        Some(CallerSecret::Reference(reference)) => reference.clone(),
        None => kept_token(name, state),
    };
    if caller.kind != CallerKind::NotionEvents {
        let secret = secrets::resolve(&reference, environment, readings).await?;
        return Ok(Proof::Hash(Sha256::digest(secret.expose_secret()).into()));
    }
    if reference.is_ours_to_keep()
        && let Err(error) = secrets::resolve(&reference, environment, &Readings::default()).await
        && error.is_absent()
    {
        // Notion has still to say it.
        return Ok(Proof::Awaited);
    }
    Ok(key(&secrets::resolve(&reference, environment, readings).await?))
}

/// Where the token of a sender of events is kept whose configuration does not name a place.
fn kept_token(name: &str, state: &Path) -> SecretReference {
    let file = state.join(format!("webhook-{name}.token"));
    SecretReference::to_file(&file, &format!("webhook.callers.{name}.secret"), "the state directory")
}

/// Where to keep the token of a sender of events when it comes.
pub(super) fn place_of_token(name: &str, caller: &CallerSettings, state: &Path) -> Option<SecretReference> {
    match &caller.secret {
        Some(CallerSecret::Reference(reference)) => Some(reference.clone()).filter(SecretReference::is_ours_to_keep),
        Some(CallerSecret::Hashed(_)) => None,
        None => Some(kept_token(name, state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::config::Loader;

    /// A button, a program, another one, and a sender of events, each with its name and `-secret` as its secret.
    async fn callers() -> Callers {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let kinds = [
            ("button", "notion-button"),
            ("ci", "bearer"),
            ("cron", "bearer"),
            ("events", "notion-events"),
            ("hours", "clockify"),
        ];
        let lines = kinds.map(|(name, kind)| {
            format!("webhook.callers.{name} = {{ kind = \"{kind}\", secret = \"env:{}\" }}\n", name.to_uppercase())
        });
        std::fs::write(file.path(), lines.concat()).expect("writes");
        let environment: Environment =
            kinds.iter().map(|(name, _)| (name.to_uppercase(), format!("{name}-secret"))).collect();
        let loader =
            Loader { config_path: Some(file.path().to_owned()), environment: environment.clone(), ..Loader::default() };
        let settings = loader.load().expect("valid").webhook.callers;
        Callers::resolve(&settings, &environment, Path::new("/nowhere"), &Readings::default()).await.expect("secrets")
    }

    fn signature(token: &str, body: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes()), body);
        format!("{SIGNED}{}", Hash(tag.as_ref().try_into().expect("32 bytes")))
    }

    #[tokio::test]
    async fn only_the_right_secret_of_the_right_kind_and_name_is_accepted() {
        let callers = callers().await;
        let name = |caller: Option<&Caller>| caller.map(|caller| caller.name.clone());
        assert_eq!(
            name(callers.with_secret(CallerKind::NotionButton, "button", b"button-secret")),
            Some("button".into())
        );
        assert_eq!(name(callers.with_secret(CallerKind::Clockify, "hours", b"hours-secret")), Some("hours".into()));
        assert_eq!(name(callers.with_bearer(b"ci-secret")), Some("ci".into()));
        assert_eq!(name(callers.with_bearer(b"cron-secret")), Some("cron".into()));
        for (kind, as_name, presented) in [
            (CallerKind::NotionButton, "button", "ci-secret"),
            (CallerKind::NotionButton, "button", ""),
            (CallerKind::NotionButton, "button", "button-secret "),
            (CallerKind::NotionButton, "button", "Button-secret"),
            (CallerKind::NotionButton, "hours", "hours-secret"),
            (CallerKind::Clockify, "button", "button-secret"),
            (CallerKind::NotionButton, "nobody", "button-secret"),
            (CallerKind::NotionEvents, "events", "events-secret"),
        ] {
            assert_eq!(name(callers.with_secret(kind, as_name, presented.as_bytes())), None, "{as_name} {presented}");
        }
        for presented in ["", "button-secret", "events-secret", "ci-secre", "ci-secret\0"] {
            assert_eq!(name(callers.with_bearer(presented.as_bytes())), None, "{presented:?}");
        }
    }

    #[tokio::test]
    async fn a_signature_holds_for_that_body_and_token_alone_in_each_bit() {
        let body = br#"{"id":"1","type":"page.created"}"#;
        let known = signature("events-secret", body);
        let callers = callers().await;
        assert!(callers.with_signature("events", known.as_bytes(), body).is_some());
        for bit in 0..known.len() * 8 {
            let mut flipped = known.as_bytes().to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(callers.with_signature("events", &flipped, body).is_none(), "bit {bit} of the signature");
        }
        for bit in 0..body.len() * 8 {
            let mut flipped = body.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(callers.with_signature("events", known.as_bytes(), &flipped).is_none(), "bit {bit} of the body");
        }
        for wrong in ["", "sha256=", &known[..known.len() - 1], &format!("{known}0"), &signature("other", body)] {
            assert!(callers.with_signature("events", wrong.as_bytes(), body).is_none(), "{wrong}");
        }
        for name in ["button", "nobody", ""] {
            assert!(callers.with_signature(name, known.as_bytes(), body).is_none(), "{name}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_the_hmac_of_the_standard() {
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), expected);
    }
}
