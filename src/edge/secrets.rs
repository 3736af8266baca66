//! Where secrets come from. The configuration holds a [`SecretReference`]; [`resolve`] fetches what it refers to, at
//! the last moment.
//!
//! What is localized here: every source of secrets, its limits, and error messages that never hold a part of a secret.

mod file;
mod keep;
#[cfg(feature = "keyring")]
mod keyring;

use std::{
    fmt, io,
    path::{Component, Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use super::{environment::Environment, origin::Origin, scrub};
use crate::domain::{journal::What, text::Shown};
use file::Exposure;

pub use keep::{Lasting, check_can_keep, keep};

/// The longest secret, in bytes; also what is read of a helper's output.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// Bytes from which on a name may be a secret.
const PERHAPS_SECRET_FROM: usize = 14;
/// How Notion's tokens begin, now and formerly (Notion docs, authentication).
const NOTION_PREFIXES: [&str; 2] = ["ntn_", "secret_"];
/// Characters of a name from which on it is a key, unless it is all in capitals: Clockify's have 48.
const KEY_CHARACTERS_MIN: usize = 40;
/// What stands for such a name.
const LEFT_OUT: &str = "…";
/// How long a helper command may take, e.g. while somebody unlocks a password manager.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);

/// The names of the sources, each with an example.
const SOURCES: [(&str, &str); 5] = [
    ("env", "env:NOTION_TOKEN"),
    ("keyring", "keyring:notion"),
    ("file", "file:~/.secrets/notion"),
    ("credential", "credential:notion"),
    ("command", r#"command:["op", "read", "op://Work/Notion/token"]"#),
];

/// Says where a secret is. It can be shown and stored: of a command it shows the program alone, since an argument may
/// be the secret itself, and a name that looks like a secret is left out.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretReference {
    source: Source,
    key: String,
    place: Origin,
}

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Variable(String),
    Keyring(String),
    File(String),
    Credential(String),
    Command(Vec<String>),
}

impl SecretReference {
    /// Reads a reference such as `env:NOTION_TOKEN`, to which a key was set at a place, e.g. `notion.token` at
    /// `config.toml:3`.
    ///
    /// # Errors
    /// [`NotAReference`] when it is none. It never repeats the text, which may be a secret that was put there by
    /// mistake.
    pub fn parse(text: &str, key: &str, place: impl Into<Origin>) -> Result<Self, NotAReference> {
        let (scheme, rest) = text.split_once(':').ok_or(NotAReference::NoScheme)?;
        let source = match scheme {
            "env" if is_token(rest) => return Err(NotAReference::IsToken),
            "env" if is_variable(rest) => Source::Variable(rest.to_owned()),
            "env" => return Err(NotAReference::Malformed("`env:` is followed by the name of a variable")),
            "keyring" if !rest.is_empty() => Source::Keyring(rest.to_owned()),
            "keyring" => return Err(NotAReference::Malformed("`keyring:` is followed by the name of an entry")),
            "file" if rest.starts_with("~/") || Path::new(rest).is_absolute() => Source::File(rest.to_owned()),
            "file" => {
                return Err(NotAReference::Malformed(
                    "`file:` is followed by an absolute path or one that starts with `~/`",
                ));
            }
            "credential" if is_plain_name(rest) => Source::Credential(rest.to_owned()),
            "credential" => {
                return Err(NotAReference::Malformed("`credential:` is followed by a name without path separators"));
            }
            "command" => Source::Command(parse_command(rest)?),
            _ => {
                let nearest =
                    SOURCES.iter().map(|(name, _)| *name).find(|name| strsim::osa_distance(name, scheme) <= 2);
                return Err(NotAReference::UnknownScheme { nearest });
            }
        };
        Ok(Self { source, key: key.to_owned(), place: place.into() })
    }

    /// A reference to a file.
    pub fn to_file(path: &Path, key: &str, place: impl Into<Origin>) -> Self {
        Self { source: Source::File(path.to_string_lossy().into_owned()), key: key.to_owned(), place: place.into() }
    }

    /// True where [`keep()`] can put a secret, and nobody else has a say in it.
    pub fn is_ours_to_keep(&self) -> bool {
        matches!(self.source, Source::File(_) | Source::Keyring(_))
    }

    /// The key that it was set to.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The kind of its source, as it is written.
    pub fn source(&self) -> &'static str {
        match &self.source {
            Source::Variable(_) => "env",
            Source::Keyring(_) => "keyring",
            Source::File(_) => "file",
            Source::Credential(_) => "credential",
            Source::Command(_) => "command",
        }
    }
}

/// The name that commands know a secret by, of the key that refers to it: `notion` of `notion.token`, `ci` of
/// `webhook.callers.ci.secret`.
pub fn name_of(key: &str) -> &str {
    let caller = key.strip_prefix("webhook.callers.").and_then(|rest| rest.strip_suffix(".secret"));
    caller.or(key.strip_suffix(".token")).unwrap_or(key)
}

impl SecretReference {
    /// All of it, as a configuration has it. An argument of a command may be a secret: this is for that file alone.
    pub fn in_full(&self) -> String {
        match &self.source {
            Source::Variable(name) => format!("env:{name}"),
            Source::Keyring(name) => format!("keyring:{name}"),
            Source::File(path) => format!("file:{path}"),
            Source::Credential(name) => format!("credential:{name}"),
            Source::Command(words) => format!("command:{}", toml::Value::from(words.clone())),
        }
    }
}

/// What tells whether a secret is still the same, without telling anything else of it.
pub fn fingerprint(secret: &SecretString, salt: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update([0]).chain_update(secret.expose_secret()).finalize();
    STANDARD.encode(digest)
}

/// What makes the fingerprints of one state good for nothing elsewhere.
/// Nothing where this machine gives no random numbers.
pub fn salt() -> Option<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(STANDARD.encode(bytes))
}

fn parse_command(text: &str) -> Result<Vec<String>, NotAReference> {
    let words =
        text.parse::<toml::Value>().ok().and_then(|value| value.try_into::<Vec<String>>().ok()).unwrap_or_default();
    let program = words.first().map_or("", String::as_str);
    if program.is_empty() {
        let wanted = r#"`command:` is followed by the program and its arguments as an array, e.g. command:["op", "read", "op://Work/Notion/token"]"#;
        return Err(NotAReference::Malformed(wanted));
    }
    if program.contains(std::path::is_separator) && !Path::new(program).is_absolute() {
        return Err(NotAReference::Malformed(
            "the program in `command:` is an absolute path, or a name to look up in PATH",
        ));
    }
    Ok(words)
}

fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name)
}

impl fmt::Display for SecretReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Variable(name) => write!(formatter, "env:{}", named(name)),
            Source::Keyring(name) => write!(formatter, "keyring:{}", named(name)),
            Source::File(path) => write!(formatter, "file:{path}"),
            Source::Credential(name) => write!(formatter, "credential:{}", named(name)),
            Source::Command(words) => {
                let program = named(words.first().map_or("", String::as_str));
                write!(formatter, "command:[{program:?}{}]", if words.len() > 1 { ", …" } else { "" })
            }
        }
    }
}

impl fmt::Debug for SecretReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self} (`{}` at {})", self.key, self.place)
    }
}

impl SecretReference {
    /// The file that it stands in, where it stands in one of ours.
    fn file(&self, environment: &Environment) -> Option<PathBuf> {
        match &self.source {
            Source::File(path) => environment.expand_home(path),
            Source::Variable(_) | Source::Keyring(_) | Source::Credential(_) | Source::Command(_) => None,
        }
    }

    /// When it was last written, where it stands in a file.
    pub fn written(&self, environment: &Environment) -> Option<Timestamp> {
        file::written(&self.file(environment)?)
    }

    /// Where the key was set that it was read from.
    pub fn place(&self) -> &Origin {
        &self.place
    }

    /// Takes the permissions on its file from others. Says so; nothing where there is nothing to mend, or it is not
    /// ours.
    pub fn close(&self, environment: &Environment) -> Option<String> {
        file::close(&self.file(environment)?)
    }
}

/// Refuses what cannot be the secret of a key, as when two are mixed up.
///
/// # Errors
/// What is expected, in words; nothing of the secret.
pub fn check_form(key: &str, secret: &SecretString) -> Result<(), &'static str> {
    let text = secret.expose_secret();
    let is_notions = NOTION_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    match key {
        "notion.token" if !is_notions => Err("this is no token of Notion: they begin with `ntn_` or `secret_`"),
        "clockify.token" if is_notions => Err("this is a token of Notion, and not a key of Clockify"),
        "notify.webhook" if !text.starts_with("https://") => Err("the address of a webhook begins with https://"),
        _ => Ok(()),
    }
}

/// A name as variables have one.
fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// True for what is a token and not the name of one: it begins as Notion's do, or is as long and as mixed as Clockify's
/// keys.
fn is_token(text: &str) -> bool {
    let has_lowercase = text.contains(|c: char| c.is_ascii_lowercase());
    NOTION_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        || (text.len() >= KEY_CHARACTERS_MIN && has_lowercase)
        || (is_perhaps_secret(text) && !text.contains('_'))
}

/// A name as it may be shown: one that looks like a secret was put there by mistake.
pub fn named(name: &str) -> &str {
    if is_perhaps_secret(name) { LEFT_OUT } else { name }
}

/// True for what has the looks of a secret: a mix of small letters and digits that is no path and has no spaces.
pub(super) fn is_perhaps_secret(text: &str) -> bool {
    let has = |what: fn(char) -> bool| text.contains(what);
    text.len() >= PERHAPS_SECRET_FROM
        && has(|c| c.is_ascii_lowercase())
        && has(|c| c.is_ascii_digit())
        && !has(|c| c.is_whitespace() || c == std::path::MAIN_SEPARATOR)
}

/// The text is not a reference to a secret. The message never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReference {
    /// There is no `scheme:`, as in a secret that was pasted into the configuration.
    #[error("this is not a reference to a secret but perhaps a secret itself; it is not repeated here")]
    NoScheme,
    /// A token stands where the name of a variable is to stand.
    #[error(
        "`env:` is followed by the name of a variable, and this is perhaps the secret itself; it is not repeated here"
    )]
    IsToken,
    /// The scheme is none of ours.
    #[error("this is not a reference to a secret; {}", nearest.map_or_else(
        || "it starts with none of env:, keyring:, file:, credential:, command:".to_owned(), |name| format!("did you mean `{name}:`?")))]
    UnknownScheme {
        /// A scheme that is spelled nearly so.
        nearest: Option<&'static str>,
    },
    /// The scheme is right and the rest is not.
    #[error("this reference is not complete: {0}")]
    Malformed(&'static str),
}

impl NotAReference {
    /// What to do about it.
    pub fn hint(self) -> String {
        // What this build cannot read is no advice.
        let can_read = |name: &str| name != "keyring" || cfg!(feature = "keyring");
        let examples: Vec<&str> =
            SOURCES.iter().filter(|(name, _)| can_read(name)).map(|(_, example)| *example).collect();
        format!("name where the secret is, e.g. {}", examples.join(" or "))
    }
}

/// A secret could not be had. The message names the reference and where it was set, and holds no part of the secret.
#[derive(Debug, thiserror::Error)]
#[error("the secret `{reference}` (set as `{}` at {}) cannot be {what}: {problem}", reference.key, reference.place)]
pub struct SecretError {
    reference: SecretReference,
    /// What was to be done with it.
    what: &'static str,
    problem: SecretProblem,
}

impl SecretError {
    fn used(reference: &SecretReference, problem: SecretProblem) -> Self {
        Self { reference: reference.clone(), what: "used", problem }
    }

    /// True where there is none at its place.
    pub fn is_absent(&self) -> bool {
        match &self.problem {
            SecretProblem::Unreadable { source, .. } => source.kind() == io::ErrorKind::NotFound,
            problem => matches!(problem, SecretProblem::NoEntry(_)),
        }
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &SecretProblem {
        &self.problem
    }

    /// Where that is to be mended: the variable that is not set, or where the secret is referred to.
    pub fn place(&self) -> Option<Shown> {
        match &self.problem {
            SecretProblem::VariableNotSet(name) if name != LEFT_OUT => Some(Shown::of(name)),
            _ => self.reference.place.exact(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        let name = name_of(&self.reference.key);
        match &self.problem {
            SecretProblem::VariableNotSet(name) if name == LEFT_OUT => {
                "`env:` is followed by the name of a variable, and not by the secret; it is not repeated here".into()
            }
            SecretProblem::VariableNotSet(name) => format!("set {name}, or name another source in the configuration"),
            SecretProblem::NoKeyring => "use env:, file:, credential: or command: instead".into(),
            SecretProblem::KeyringMissing(_) => format!(
                "start one, e.g. gnome-keyring, KWallet or KeePassXC; on a server keep it in a file instead: \
                 `punchlist secrets set {name} --to file:~/.config/punchlist/{name}.secret`"
            ),
            SecretProblem::KeyringLocked => {
                "unlock it, e.g. by logging in to the desktop, and run again; where nobody can, use another source".into()
            }
            SecretProblem::KeyringTimedOut(_) => {
                "if it asks to be unlocked, do that and run again; where nobody can, use another source".into()
            }
            SecretProblem::NoEntry(_) => format!("`punchlist secrets set {name}` puts it there"),
            SecretProblem::KeyringFailed(_) => "check the keyring with its own program, or use another source".into(),
            SecretProblem::NoHome => "set HOME, or give an absolute path".into(),
            SecretProblem::NoCredentials => {
                "credential: works in a systemd unit with LoadCredential=; use another source here".into()
            }
            SecretProblem::Unreadable { .. } | SecretProblem::NotAFile(_) => "check that the path names a readable file".into(),
            SecretProblem::Exposed(path) => {
                format!("take the permissions away from others: chmod 600 '{}'", path.display())
            }
            SecretProblem::Foreign(path) => {
                format!("make it yours: sudo chown -h \"$(id -un)\" '{}'", path.display())
            }
            SecretProblem::Replaceable(path) => {
                format!("take that permission away from others: chmod go-w '{}'", path.display())
            }
            SecretProblem::Link(_) => "name the file that it leads to".into(),
            SecretProblem::Unwritable { .. } => "check that the path names a file in a directory that you may write".into(),
            SecretProblem::ReadOnly(instead) => (*instead).to_owned(),
            SecretProblem::HelperMissing(_) => "install the program, or give its absolute path".into(),
            SecretProblem::HelperUnusable { .. } | SecretProblem::HelperFailed(_) => {
                "run the command by hand to see what it says; its messages are not shown here, since they may hold the secret"
                    .into()
            }
            SecretProblem::HelperTimedOut(_) => {
                "the command must answer without asking anything; unlock the password manager first".into()
            }
            SecretProblem::Quoted => {
                "take the quotation marks away where the secret is kept: what reads an environment file may not take them for its own".into()
            }
            SecretProblem::Empty | SecretProblem::TooLong | SecretProblem::NotText | SecretProblem::Blanks => {
                "the source must hold the token and nothing else".into()
            }
        }
    }
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretProblem {
    /// `env:` names a variable that is not set, or empty.
    #[error("the environment variable {0} is not set")]
    VariableNotSet(String),
    /// `keyring:` is not built in.
    #[error("this build cannot use a keyring")]
    NoKeyring,
    /// There is no keyring, or nothing of it answers.
    #[error("no keyring answers ({0})")]
    KeyringMissing(Shown),
    /// The keyring is there, and nobody has unlocked it.
    #[error("the keyring is locked")]
    KeyringLocked,
    /// The keyring does not answer, perhaps since somebody is asked to unlock it.
    #[error("the keyring did not answer within {} seconds", .0.as_secs())]
    KeyringTimedOut(Duration),
    /// The keyring has nothing of that name.
    #[error("the keyring has no entry `{0}` of punchlist")]
    NoEntry(String),
    /// The keyring refuses.
    #[error("the keyring failed: {0}")]
    KeyringFailed(Shown),
    /// The path starts with `~/` and nobody knows where that is.
    #[error("there is no home directory to put for `~`")]
    NoHome,
    /// `credential:` outside of a systemd unit that loads credentials.
    #[error("CREDENTIALS_DIRECTORY is not set")]
    NoCredentials,
    /// The file cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path is a directory, a device, a pipe.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Others may read or write the file.
    #[error("others than its owner may read or write {}", .0.display())]
    Exposed(PathBuf),
    /// The file, or a link on the way to it, belongs to somebody else.
    #[error("{} belongs to another user", .0.display())]
    Foreign(PathBuf),
    /// Others may put another file in its place.
    #[error("others may write the directory {}, and put another file in its place", .0.display())]
    Replaceable(PathBuf),
    /// A secret is not written through a link.
    #[error("{} is a symbolic link, and is not replaced", .0.display())]
    Link(PathBuf),
    /// The file cannot be written.
    #[error("failed to write {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else keeps it, and it can only be read.
    #[error("punchlist can only read what is kept there")]
    ReadOnly(&'static str),
    /// No such program.
    #[error("there is no program `{0}` in PATH")]
    HelperMissing(String),
    /// The program could not be started or read from.
    #[error("failed to run the command: {source}")]
    HelperUnusable {
        /// Why.
        source: io::Error,
    },
    /// The program ended with an error.
    #[error("the command failed ({0})")]
    HelperFailed(ExitStatus),
    /// The program did not end in time.
    #[error("the command did not answer within {} seconds", .0.as_secs())]
    HelperTimedOut(Duration),
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// There is more than a token can be.
    #[error("it is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    /// It is not UTF-8.
    #[error("it is not text")]
    NotText,
    /// It stands in quotation marks, as in a file that a shell was meant to read.
    #[error("it stands in quotation marks, which no token has")]
    Quoted,
    /// It has spaces or control characters inside: a whole file or a sentence, not a token.
    #[error("it has spaces, line ends or control characters inside, which no token has")]
    Blanks,
}

/// What is to be logged of secrets that were fetched, or could not be.
#[derive(Default)]
pub struct Readings {
    told: Mutex<Vec<What>>,
    seen: Mutex<Vec<(SecretReference, SecretString)>>,
}

impl Readings {
    /// What has come together so far; it is the caller's to log.
    pub fn take(&self) -> Vec<What> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The secrets that were fetched so far, with what referred to them.
    pub fn take_seen(&self) -> Vec<(SecretReference, SecretString)> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds something to it.
    pub fn push(&self, what: What) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }
}

/// Fetches the secret that a reference names, and says so to `readings`. From then on it is known, and taken out of
/// every text.
///
/// # Errors
/// [`SecretError`] when the source does not answer, is open to others, or holds something that cannot be a token.
pub async fn resolve(
    reference: &SecretReference,
    environment: &Environment,
    readings: &Readings,
) -> Result<SecretString, SecretError> {
    let fetched = match &reference.source {
        Source::Variable(name) => from_variable(name, environment),
        Source::Keyring(name) => keyring::read(name, environment).await,
        Source::File(path) => match environment.expand_home(path) {
            Some(path) => file::read(&path, Exposure::Refused),
            None => Err(SecretProblem::NoHome),
        },
        Source::Credential(name) => match environment.get("CREDENTIALS_DIRECTORY") {
            Some(directory) => file::read(&Path::new(directory).join(name), Exposure::LeftToSystemd),
            None => Err(SecretProblem::NoCredentials),
        },
        Source::Command(words) => from_command(words, environment).await,
    };
    match fetched.and_then(|bytes| checked(&bytes)) {
        Ok(secret) => {
            let mut seen = readings.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push((reference.clone(), secret.clone()));
            drop(seen);
            readings.push(What::SecretRead { key: reference.key.clone(), reference: reference.to_string() });
            Ok(secret)
        }
        Err(problem) => {
            let error = SecretError::used(reference, problem);
            readings.push(What::SecretRefused { error: scrub::scrub(&error.to_string()).into_owned().into() });
            Err(error)
        }
    }
}

/// Bytes that are wiped when they are dropped.
type Fetched = Zeroizing<Vec<u8>>;

/// A buffer that need not grow, since growing leaves copies behind that nothing wipes.
fn buffer() -> Fetched {
    Zeroizing::new(Vec::with_capacity(usize::try_from(SECRET_BYTES_MAX).unwrap_or(usize::MAX) + 64))
}

fn from_variable(name: &str, environment: &Environment) -> Result<Fetched, SecretProblem> {
    let value = environment.get(name).ok_or_else(|| SecretProblem::VariableNotSet(named(name).to_owned()))?;
    Ok(Zeroizing::new(value.as_bytes().to_vec()))
}

async fn from_command(words: &[String], environment: &Environment) -> Result<Fetched, SecretProblem> {
    let unusable = |source| SecretProblem::HelperUnusable { source };
    let (program, arguments) = words.split_first().ok_or(SecretProblem::Empty)?;
    let program =
        environment.program(program).ok_or_else(|| SecretProblem::HelperMissing(named(program).to_owned()))?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.for_secrets())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(unusable)?;
    let mut output =
        child.stdout.take().ok_or_else(|| unusable(io::ErrorKind::BrokenPipe.into()))?.take(SECRET_BYTES_MAX + 1);
    let conversation = async {
        let mut bytes = buffer();
        output.read_to_end(&mut bytes).await?;
        // With the pipe closed, a helper that has more to say ends instead of waiting for us.
        drop(output);
        Ok((bytes, child.wait().await?))
    };
    let (bytes, status) = tokio::time::timeout(HELPER_TIMEOUT, conversation)
        .await
        .map_err(|_| SecretProblem::HelperTimedOut(HELPER_TIMEOUT))?
        .map_err(unusable)?;
    // A helper that we cut short ends by SIGPIPE; that it said too much is the better explanation.
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(SecretProblem::TooLong);
    }
    if status.success() { Ok(bytes) } else { Err(SecretProblem::HelperFailed(status)) }
}

/// A secret as somebody gives it, without the line end behind it. From then on it is known, and taken out of every text.
///
/// # Errors
/// [`SecretProblem`] for what cannot be a token.
pub fn checked(bytes: &[u8]) -> Result<SecretString, SecretProblem> {
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(SecretProblem::TooLong);
    }
    let secret = std::str::from_utf8(bytes).map_err(|_| SecretProblem::NotText)?.trim();
    if secret.is_empty() {
        return Err(SecretProblem::Empty);
    }
    if secret.starts_with(['"', '\'', '“', '‘']) || secret.ends_with(['"', '\'', '”', '’']) {
        return Err(SecretProblem::Quoted);
    }
    if secret.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(SecretProblem::Blanks);
    }
    let secret = SecretString::from(secret);
    scrub::learn(&secret);
    Ok(secret)
}

/// What stands in where no keyring is built in.
#[cfg(not(feature = "keyring"))]
mod keyring {
    use super::{Environment, Fetched, Lasting, SecretProblem, SecretString};

    pub(super) async fn read(_: &str, _: &Environment) -> Result<Fetched, SecretProblem> {
        Err(SecretProblem::NoKeyring)
    }

    pub(super) async fn write(_: &str, _: &SecretString, _: &Environment) -> Result<Lasting, SecretProblem> {
        Err(SecretProblem::NoKeyring)
    }
}

#[cfg(test)]
mod tests;
