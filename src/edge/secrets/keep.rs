//! Puts secrets where references say that they are.

use secrecy::SecretString;

use super::{SecretError, SecretProblem, SecretReference, Source, file, keyring};
use crate::edge::environment::Environment;

/// How long a secret stays where it was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Until somebody takes it away.
    ForGood,
    /// Until this machine starts again: it is held in memory.
    UntilReboot,
}

/// Refuses a place that somebody else keeps: whoever sets a variable, systemd, a password manager.
///
/// # Errors
/// [`SecretError`], which says where to change it instead.
pub fn check_can_keep(reference: &SecretReference) -> Result<(), Box<SecretError>> {
    let instead = match &reference.source {
        Source::File(_) | Source::Keyring(_) => return Ok(()),
        Source::Variable(_) => {
            "whoever sets the variable sets its value: the unit, the container, the profile of the shell"
        }
        Source::Credential(_) => {
            "systemd loads it: change the file that LoadCredential= names, or make a new one with `systemd-creds encrypt`, \
             and start the unit again"
        }
        Source::Command(_) => "change it where the command reads it, e.g. in the password manager",
    };
    let problem = SecretProblem::ReadOnly(instead);
    Err(Box::new(SecretError { reference: reference.clone(), what: "kept", problem }))
}

/// Keeps a secret where a reference says that it is, in place of what is there.
///
/// # Errors
/// [`SecretError`] where it cannot be kept, or is kept by somebody else: by whoever sets a variable, by systemd, by a
/// password manager. What was there is there still.
pub async fn keep(
    reference: &SecretReference,
    secret: &SecretString,
    environment: &Environment,
) -> Result<Lasting, SecretError> {
    let kept = match &reference.source {
        Source::File(path) => match environment.expand_home(path) {
            Some(path) => file::write(&path, secret).map(|()| Lasting::ForGood),
            None => Err(SecretProblem::NoHome),
        },
        Source::Keyring(name) => keyring::write(name, secret, environment).await,
        Source::Variable(_) | Source::Credential(_) | Source::Command(_) => {
            return check_can_keep(reference).map(|()| Lasting::ForGood).map_err(|error| *error);
        }
    };
    kept.map_err(|problem| SecretError { reference: reference.clone(), what: "kept", problem })
}
