//! Secrets in the system's keyring: the Secret Service of the desktop or, where there is none, the keys that Linux holds
//! in memory; the Keychain of macOS; the Credential Manager of Windows. An entry belongs to `punchlist`, and its user is
//! the name in `keyring:NAME`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use keyring_core::{CredentialPersistence, CredentialStore, Entry, Error};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::{Fetched, Lasting, SecretProblem};
use crate::{domain::text::Shown, edge::environment::Environment};

/// Whose the entries are.
const SERVICE: &str = "punchlist";
/// How long a keyring may take where somebody can be asked to unlock it.
const TIMEOUT_WITH_DISPLAY: Duration = Duration::from_secs(30);
/// How long it may take elsewhere.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Columns of a keyring's own words that a message repeats.
const SHOWN_COLUMNS: usize = 160;

/// How a keyring is opened.
type Open = fn() -> keyring_core::Result<Arc<CredentialStore>>;

/// The keyrings of this system: what the first has counts, and the next is asked where the first does not answer.
#[cfg(target_os = "linux")]
const KEYRINGS: &[Open] =
    &[|| Ok(dbus_secret_service_keyring_store::Store::new()?), || Ok(linux_keyutils_keyring_store::Store::new()?)];
#[cfg(target_os = "macos")]
const KEYRINGS: &[Open] = &[|| Ok(apple_native_keyring_store::keychain::Store::new()?)];
#[cfg(windows)]
const KEYRINGS: &[Open] = &[|| Ok(windows_native_keyring_store::Store::new()?)];
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
const KEYRINGS: &[Open] = &[];

/// Reads the secret of an entry.
pub(super) async fn read(name: &str, environment: &Environment) -> Result<Fetched, SecretProblem> {
    let name = name.to_owned();
    aside(timeout(environment), move || read_from(KEYRINGS, &name)).await
}

/// Keeps a secret as an entry, in place of what it holds.
pub(super) async fn write(
    name: &str,
    secret: &SecretString,
    environment: &Environment,
) -> Result<Lasting, SecretProblem> {
    let (name, secret) = (name.to_owned(), secret.clone());
    aside(timeout(environment), move || write_to(KEYRINGS, &name, &secret)).await
}

fn timeout(environment: &Environment) -> Duration {
    let has_display =
        !cfg!(target_os = "linux") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| environment.get(name).is_some());
    if has_display { TIMEOUT_WITH_DISPLAY } else { TIMEOUT }
}

/// Does what may wait for a keyring, or for a person, without end.
async fn aside<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce() -> Result<T, SecretProblem> + Send + 'static,
) -> Result<T, SecretProblem> {
    /// A person is asked to unlock a keyring once, and not for two secrets at the same time.
    static TURN: Mutex<()> = Mutex::new(());
    let (sender, answer) = tokio::sync::oneshot::channel();
    let failed = |because: &str| SecretProblem::KeyringFailed(because.to_owned().into());
    // Not one of the runtime's own threads, which it would wait for before the program can end.
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || {
            let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody listens any more once the time is over.
            drop(sender.send(work()));
        })
        .map_err(|error| failed(&error.to_string()))?;
    match tokio::time::timeout(timeout, answer).await {
        Ok(answered) => answered.unwrap_or_else(|_| Err(failed("it broke off"))),
        Err(_) => Err(SecretProblem::KeyringTimedOut(timeout)),
    }
}

fn read_from(keyrings: &[Open], name: &str) -> Result<Fetched, SecretProblem> {
    let mut first = None;
    for open in keyrings {
        let read = open()
            .map_err(|error| missing(&error))
            .and_then(|keyring| entry(&keyring, name)?.get_secret().map_err(|error| problem(error, name)));
        match read {
            Ok(bytes) => return Ok(Zeroizing::new(bytes)),
            // What keeps the usual one from answering is told, rather than that the other has nothing.
            Err(problem) => first = first.or(Some(problem)),
        }
    }
    Err(first.unwrap_or(SecretProblem::NoKeyring))
}

fn write_to(keyrings: &[Open], name: &str, secret: &SecretString) -> Result<Lasting, SecretProblem> {
    let mut first = None;
    for (at, open) in keyrings.iter().enumerate() {
        let keyring = match open() {
            Ok(keyring) => keyring,
            Err(error) => {
                first = first.or(Some(missing(&error)));
                continue;
            }
        };
        let bytes = secret.expose_secret().as_bytes();
        entry(&keyring, name)?.set_secret(bytes).map_err(|error| problem(error, name))?;
        for open in &keyrings[at + 1..] {
            // What was put there while the first did not answer is out of date from now on.
            drop(open().and_then(|keyring| Entry::new_in_store(&keyring, SERVICE, name)?.delete_credential()));
        }
        return Ok(match keyring.persistence() {
            CredentialPersistence::UntilDelete | CredentialPersistence::Unspecified => Lasting::ForGood,
            _ => Lasting::UntilReboot,
        });
    }
    Err(first.unwrap_or(SecretProblem::NoKeyring))
}

fn entry(keyring: &Arc<CredentialStore>, name: &str) -> Result<Entry, SecretProblem> {
    Entry::new_in_store(keyring, SERVICE, name).map_err(|error| problem(error, name))
}

fn missing(error: &Error) -> SecretProblem {
    SecretProblem::KeyringMissing(words(error))
}

fn problem(error: Error, name: &str) -> SecretProblem {
    match error {
        Error::NoEntry => SecretProblem::NoEntry(super::named(name).to_owned()),
        Error::NoStorageAccess(_) => SecretProblem::KeyringLocked,
        Error::Ambiguous(entries) => {
            SecretProblem::KeyringFailed(format!("it has {} entries of this name", entries.len()).into())
        }
        // These hold the secret.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => SecretProblem::NotText,
        error => SecretProblem::KeyringFailed(words(&error)),
    }
}

/// What a keyring says.
fn words(error: &Error) -> Shown {
    let text = match error {
        Error::PlatformFailure(error) | Error::NoStorageAccess(error) => error.to_string(),
        error => error.to_string(),
    };
    Shown::of(&text).clipped(SHOWN_COLUMNS)
}

#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "keyrings may fail to open")]
mod tests {
    use std::{sync::LazyLock, time::Instant};

    use keyring_core::mock;

    use super::*;

    const CANARY: &str = "canary-0123456789";

    fn absent() -> keyring_core::Result<Arc<CredentialStore>> {
        Err(Error::PlatformFailure("no \u{1b}[31mbus".into()))
    }

    fn locked() -> keyring_core::Result<Arc<CredentialStore>> {
        static STORE: LazyLock<Arc<mock::Store>> = LazyLock::new(|| mock::Store::new().expect("a store"));
        let store: Arc<CredentialStore> = STORE.clone();
        let entry = Entry::new_in_store(&store, SERVICE, "locked")?;
        let mock: &mock::Cred = entry.as_any().downcast_ref().expect("a mock");
        mock.set_error(Error::NoStorageAccess("locked".into()));
        Ok(store)
    }

    fn lasting() -> keyring_core::Result<Arc<CredentialStore>> {
        static STORE: LazyLock<Arc<mock::Store>> = LazyLock::new(|| mock::Store::new().expect("a store"));
        Ok(STORE.clone())
    }

    fn passing() -> keyring_core::Result<Arc<CredentialStore>> {
        static STORE: LazyLock<Arc<mock::Store>> = LazyLock::new(|| mock::Store::new().expect("a store"));
        Ok(STORE.clone())
    }

    fn read(keyrings: &[Open], name: &str) -> Result<String, String> {
        let read = read_from(keyrings, name).map(|bytes| String::from_utf8(bytes.to_vec()).expect("UTF-8"));
        read.map_err(|problem| problem.to_string())
    }

    #[test]
    fn the_first_keyring_that_answers_has_it() {
        let secret = |text: &str| SecretString::from(text);
        write_to(&[absent, passing], "one", &secret("old")).expect("kept");
        assert_eq!(read(&[absent, passing], "one").expect("a secret"), "old");
        assert_eq!(read(&[lasting, passing], "one").expect("it is still there"), "old");
        write_to(&[lasting, passing], "one", &secret("new")).expect("kept");
        assert_eq!(read(&[lasting, passing], "one").expect("a secret"), "new");
        let error = read(&[absent, passing], "one").expect_err("what is out of date is gone");
        assert_eq!(error, "no keyring answers (no ⟨U+001B⟩[31mbus)");
    }

    #[test]
    fn why_there_is_none_is_told() {
        assert_eq!(
            read(&[lasting, passing], "none").expect_err("none"),
            "the keyring has no entry `none` of punchlist"
        );
        assert_eq!(read(&[], "none").expect_err("none"), "this build cannot use a keyring");
        assert_eq!(read(&[locked, passing], "locked").expect_err("locked"), "the keyring is locked");
        // What is locked is not gone: nothing is put beside it.
        let kept = write_to(&[locked, passing], "locked", &SecretString::from(CANARY));
        assert!(matches!(kept, Err(SecretProblem::KeyringLocked)));
        assert_eq!(read(&[passing], "locked").expect_err("none"), "the keyring has no entry `locked` of punchlist");
        let bad = problem(Error::BadEncoding(CANARY.into()), "one");
        assert!(!format!("{bad} {bad:?}").contains("canary"), "{bad:?}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_given_up() {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let began = Instant::now();
        let hanging = aside(Duration::from_millis(20), move || wait.recv().map_err(|_| SecretProblem::Empty));
        let error = hanging.await.expect_err("given up");
        assert!(matches!(error, SecretProblem::KeyringTimedOut(_)) && began.elapsed() < Duration::from_secs(20));
        drop(release);
    }
}
