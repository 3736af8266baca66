//! Checkpoints of the log: signed when a run ends, and kept in a file outside of the database.
//!
//! The key is made on first use, and is the owner's alone. Whoever can write the state *and* has the key can make a log
//! anew; so a log can be trusted as far as one of the two is kept where they cannot reach, or somebody else keeps a
//! checkpoint.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use jiff::Timestamp;

use super::files;
use crate::domain::audit::{Checkpoint, Finding, Findings, Hash};

/// The names of the files, where no others are configured.
pub(super) const CHECKPOINTS: &str = "checkpoints.jsonl";
pub(super) const KEY: &str = "checkpoint.key";
/// Bytes of a key that are read: a PKCS #8 document of this kind has 83.
const KEY_BYTES_MAX: u64 = 4096;
/// Bytes of checkpoints in which the last one is looked for.
const LAST_BYTES: u64 = 4096;
/// Bytes of checkpoints that are read: some 400 each.
const CHECKPOINTS_BYTES_MAX: u64 = 256 << 20;

/// Keeps the checkpoints of one log.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    /// Nothing where none are kept.
    checkpoints: Option<PathBuf>,
    key: PathBuf,
}

/// Checkpoints cannot be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}: {because}", path.display())]
pub struct CheckpointsError {
    what: &'static str,
    path: PathBuf,
    because: String,
    hint: &'static str,
}

impl CheckpointsError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

/// What there is of checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Those whose signature holds.
    pub checkpoints: Vec<Checkpoint>,
    /// What is wrong with the others.
    pub findings: Vec<Finding>,
    /// The key that is trusted, in hexadecimal; nothing where there is none yet.
    pub key: Option<String>,
}

impl Checkpoints {
    /// Checkpoints in a file, or none, signed with a key: one in the directory where no other is named.
    pub fn of(directory: &Path, checkpoints: Option<PathBuf>, key: Option<PathBuf>) -> Self {
        Self { checkpoints, key: key.unwrap_or_else(|| directory.join(KEY)) }
    }

    /// The file of checkpoints in the directory of a state.
    pub fn beside(directory: &Path) -> PathBuf {
        directory.join(CHECKPOINTS)
    }

    /// The file of checkpoints, for people.
    pub fn file(&self) -> Option<&Path> {
        self.checkpoints.as_deref()
    }

    /// What was found in a log, but for the want of checkpoints where none are kept: its chain is what can be followed
    /// then.
    pub fn looked_for(&self, mut found: Findings) -> Findings {
        if self.checkpoints.is_none() {
            found.findings.retain(|finding| *finding != Finding::NoCheckpoint);
        }
        found
    }

    /// Signs what is known of the log, and keeps it, where checkpoints are kept.
    ///
    /// # Errors
    /// [`CheckpointsError`]: the log goes on all the same, and the next checkpoint vouches for all before it.
    pub fn keep(&self, n: u64, head: Hash, at: Timestamp) -> Result<Option<Checkpoint>, CheckpointsError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(None) };
        let pair = self.key_pair()?;
        let signature = pair.sign(Checkpoint::signed_text(n, head, at).as_bytes());
        let checkpoint =
            Checkpoint { n, head, at, key: hex(pair.public_key().as_ref()), signature: hex(signature.as_ref()) };
        let failed = |error: io::Error| self.failed("cannot write the checkpoint to", checkpoints, &error);
        let mut line = serde_json::to_string(&checkpoint).map_err(|error| failed(error.into()))?;
        line.push('\n');
        if let Some(directory) = checkpoints.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            files::create_private_directory(directory).map_err(failed)?;
        }
        let mut file = files::private_options().append(true).create(true).open(checkpoints).map_err(failed)?;
        // One write for the whole line: where it fails half way, the next line begins with what is left of it, and is
        // told as garbled.
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)?;
        Ok(Some(checkpoint))
    }

    /// Signs anything else that leaves the state, such as a saved plan or a copy of the log; returns key and signature
    /// in hexadecimal.
    ///
    /// # Errors
    /// [`CheckpointsError`] where there is no key and none can be made.
    pub fn sign(&self, text: &str) -> Result<(String, String), CheckpointsError> {
        let pair = self.key_pair()?;
        Ok((hex(pair.public_key().as_ref()), hex(pair.sign(text.as_bytes()).as_ref())))
    }

    /// The public key in hexadecimal; nothing where there is none yet.
    ///
    /// # Errors
    /// [`CheckpointsError`]
    pub fn public_key(&self) -> Result<Option<String>, CheckpointsError> {
        Ok(self.existing_key()?.map(|pair| hex(pair.public_key().as_ref())))
    }

    /// All checkpoints, sorted into those that hold and what is wrong with the others. `trusted` is the key that
    /// somebody has noted; without it, it is the one beside the state.
    ///
    /// # Errors
    /// [`CheckpointsError`]
    pub fn read(&self, trusted: Option<&str>) -> Result<Kept, CheckpointsError> {
        let key = match trusted {
            Some(key) => Some(key.to_owned()),
            None => self.public_key()?,
        };
        let mut kept = Kept { key, ..Kept::default() };
        let Some(checkpoints) = &self.checkpoints else { return Ok(kept) };
        let file = match File::open(checkpoints) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(kept),
            Err(error) => return Err(self.failed("cannot read the checkpoints in", checkpoints, &error)),
        };
        let mut text = String::new();
        let read = file.take(CHECKPOINTS_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| self.failed("cannot read the checkpoints in", checkpoints, &error))?;
        for (line, text) in (1..).zip(text.lines()) {
            match serde_json::from_str::<Checkpoint>(text) {
                Ok(checkpoint) => kept.add(checkpoint),
                Err(_) => kept.findings.push(Finding::Garbled { line }),
            }
        }
        Ok(kept)
    }

    /// The last checkpoint, or what is wrong with it; nothing where there is none. A line that was cut short is none.
    ///
    /// # Errors
    /// [`CheckpointsError`]
    pub fn last(&self) -> Result<Option<Result<Checkpoint, Finding>>, CheckpointsError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(None) };
        let failed = |error: io::Error| self.failed("cannot read the checkpoints in", checkpoints, &error);
        let mut file = match File::open(checkpoints) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let start = file.metadata().map_err(failed)?.len().saturating_sub(LAST_BYTES);
        file.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut bytes = Vec::new();
        files::read_up_to(&file, LAST_BYTES, &mut bytes).map_err(failed)?;
        let text = String::from_utf8_lossy(&bytes);
        let Some(last) = text.lines().rev().find_map(|line| serde_json::from_str::<Checkpoint>(line).ok()) else {
            return Ok(None);
        };
        let mut kept = Kept { key: self.public_key()?, ..Kept::default() };
        kept.add(last);
        Ok(kept.checkpoints.pop().map(Ok).or_else(|| kept.findings.pop().map(Err)))
    }

    /// Moves the checkpoints along with a state that was set aside, so that they do not speak against the next one.
    ///
    /// # Errors
    /// [`CheckpointsError`]
    pub fn set_aside(&self, now: Timestamp) -> Result<(), CheckpointsError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(()) };
        let mut aside = checkpoints.as_os_str().to_owned();
        aside.push(format!(".before-{}", now.strftime("%Y%m%dT%H%M%SZ")));
        match fs::rename(checkpoints, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("cannot set aside the checkpoints in", checkpoints, &error))
            }
            _ => Ok(()),
        }
    }

    fn key_pair(&self) -> Result<Ed25519KeyPair, CheckpointsError> {
        if let Some(pair) = self.existing_key()? {
            return Ok(pair);
        }
        let failed = |error: io::Error| self.failed("cannot make the key", &self.key, &error);
        let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new())
            .map_err(|_| failed(io::Error::other("this machine gives no random numbers")))?;
        let directory =
            self.key.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
        files::create_private_directory(directory).map_err(failed)?;
        // Under another name first, so that a key that was cut short is never taken for one.
        let mut fresh = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        fresh.write_all(document.as_ref()).and_then(|()| fresh.as_file().sync_all()).map_err(failed)?;
        fresh.persist_noclobber(&self.key).map_err(|error| failed(error.error))?;
        self.existing_key()?.ok_or_else(|| failed(io::Error::other("it vanished")))
    }

    fn existing_key(&self) -> Result<Option<Ed25519KeyPair>, CheckpointsError> {
        let failed = |error: io::Error| self.failed("cannot use the key", &self.key, &error);
        let file = match files::private_options().read(true).open(&self.key) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() || !files::is_ours(&metadata) || files::is_open_to_others(&metadata) {
            return Err(CheckpointsError {
                what: "cannot use the key",
                path: self.key.clone(),
                because: "it must be a file that belongs to you and that nobody else may read".to_owned(),
                hint: "take the permissions away from others (chmod 600); if others could read it, move it away, and a new one is made",
            });
        }
        let mut document = Vec::new();
        files::read_up_to(&file, KEY_BYTES_MAX, &mut document).map_err(failed)?;
        let pair =
            Ed25519KeyPair::from_pkcs8(&document).map_err(|_| failed(io::Error::other("it is no Ed25519 key")))?;
        Ok(Some(pair))
    }

    #[expect(clippy::unused_self, reason = "it reads as the sentence that it makes")]
    fn failed(&self, what: &'static str, path: &Path, error: &io::Error) -> CheckpointsError {
        let hint = "check the path, its permissions and the space on its disk; logs.checkpoints and logs.key name other places";
        CheckpointsError { what, path: path.to_owned(), because: error.to_string(), hint }
    }
}

impl Kept {
    /// Takes a checkpoint in, or what is wrong with it. Without a key that is trusted, the first one's is.
    pub fn add(&mut self, checkpoint: Checkpoint) {
        let n = checkpoint.n;
        let trusted = self.key.get_or_insert_with(|| checkpoint.key.clone());
        if *trusted != checkpoint.key {
            return self.findings.push(Finding::OtherKey { n });
        }
        let text = Checkpoint::signed_text(n, checkpoint.head, checkpoint.at);
        if is_signed(&text, &checkpoint.key, &checkpoint.signature) {
            self.checkpoints.push(checkpoint);
        } else {
            self.findings.push(Finding::Forged { n });
        }
    }
}

/// True where a signature over a text was made with a key; both in hexadecimal.
pub fn is_signed(text: &str, key: &str, signature: &str) -> bool {
    let (Some(key), Some(signature)) = (unhex(key), unhex(signature)) else { return false };
    UnparsedPublicKey::new(&ED25519, key).verify(text.as_bytes(), &signature).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_directory(directory: &Path) -> Checkpoints {
        Checkpoints::of(directory, Some(Checkpoints::beside(directory)), None)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_checkpoint_holds_until_somebody_changes_it() {
        let home = tempfile::TempDir::new().expect("a directory");
        let checkpoints = in_directory(home.path());
        assert_eq!(checkpoints.read(None).expect("reads"), Kept::default());
        let one = checkpoints.keep(7, Hash([7; 32]), at(1)).expect("keeps").expect("one");
        let two = checkpoints.keep(9, Hash([9; 32]), at(2)).expect("keeps").expect("one");

        let kept = checkpoints.read(None).expect("reads");

        assert_eq!((kept.checkpoints, kept.findings), (vec![one.clone(), two], vec![]));
        let text = fs::read_to_string(Checkpoints::beside(home.path())).expect("reads");
        for (changed, finding) in [
            (text.replacen("\"n\":7", "\"n\":8", 1), Finding::Forged { n: 8 }),
            (text.replacen(&one.head.to_string(), &Hash([1; 32]).to_string(), 1), Finding::Forged { n: 7 }),
            (text.replacen(&one.key, &"ab".repeat(32), 1), Finding::OtherKey { n: 7 }),
            (text.replacen("{\"n\":7", "{\"n\"", 1), Finding::Garbled { line: 1 }),
        ] {
            fs::write(Checkpoints::beside(home.path()), changed).expect("writes");
            assert_eq!(checkpoints.read(None).expect("reads").findings, [finding]);
        }
        fs::write(Checkpoints::beside(home.path()), text).expect("writes");
        assert_eq!(
            checkpoints.read(Some(&"ab".repeat(32))).expect("reads").findings.len(),
            2,
            "of another key than the noted one"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::TempDir::new().expect("a directory");
        let checkpoints = in_directory(home.path());
        checkpoints.keep(1, Hash::START, at(1)).expect("keeps");
        let mode = |name: &str| fs::metadata(home.path().join(name)).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(KEY), mode(CHECKPOINTS)), (0o600, 0o600));

        fs::set_permissions(home.path().join(KEY), fs::Permissions::from_mode(0o644)).expect("sets");

        let error = checkpoints.keep(2, Hash::START, at(2)).expect_err("refused");
        assert!(error.to_string().contains("nobody else may read"), "{error}");
    }
}
