//! Copies of the log: written whole or not at all, and verified without the state.
//!
//! ```text
//! {"format":"punchlist/log/1", "after": …}    which entries, and what they follow from
//! {"n":1, "prev":…, "hash":…, "entry":{…}}    one a line, each exactly as it is stored
//! {"checkpoint":{…}}                          all that there are
//! {"seal":{…}}                                SHA-256 of all lines above, signed
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "a copy is a file that somebody names, and its seal tells when it was made"
)]

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    ops::ControlFlow,
    path::Path,
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{FORMAT, Form, line};
use crate::{
    domain::{
        audit::{Checkpoint, Envelope, Finding, Findings, Hash, StoredEntry, Verifier},
        text::{Shown, json_line},
    },
    edge::{
        checkpoints::{Checkpoints, Kept, is_signed},
        store::{Entry, Selection, Toward},
    },
    engine::state::State,
    face::{
        cell::cell,
        failure::{Code, RunError},
    },
};

/// Bytes of a line that are read: an event is never nearly as long.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What is copied, and how.
pub(crate) struct ExportRequest {
    pub(crate) selection: Selection,
    /// What lines must contain, in lower case.
    pub(crate) grep: Option<String>,
    pub(crate) format: Form,
}

/// Copies entries to a file or to standard output.
pub(crate) async fn export(
    store: &State,
    checkpoints: &Checkpoints,
    wanted: &ExportRequest,
    out: Option<&Path>,
    force: bool,
) -> Result<(), RunError> {
    let Some(out) = out else {
        let mut stdout = BufWriter::new(io::stdout().lock());
        return match write(store, checkpoints, wanted, &mut stdout).await {
            Err(Stop::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(Stop::Io(error)) => {
                Err(RunError::new(Code::Error, format!("could not write to standard output: {error}")))
            }
            Err(Stop::Failure(failure)) => Err(failure),
            Ok(()) => Ok(()),
        };
    };
    let failed = |error: io::Error| {
        RunError::new(Code::Error, format!("could not save the copy to {}: {error}", out.display()))
            .hint("nothing was left there; check the path, its permissions and the space on its disk")
    };
    if !force && out.symlink_metadata().is_ok() {
        return Err(RunError::new(Code::Error, format!("there is a file already: {}", out.display()))
            .hint("choose another name, or replace it with --force"));
    }
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Under another name first: it appears whole or not at all, for its owner only.
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    let written = write(store, checkpoints, wanted, &mut BufWriter::new(file.as_file_mut())).await;
    written.map_err(|stop| match stop {
        Stop::Io(error) => failed(error),
        Stop::Failure(failure) => failure,
    })?;
    file.as_file().sync_all().map_err(failed)?;
    let kept = if force { file.persist(out) } else { file.persist_noclobber(out) };
    kept.map_err(|error| failed(error.error))?;
    Ok(())
}

enum Stop {
    Io(io::Error),
    Failure(RunError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<RunError> for Stop {
    fn from(failure: RunError) -> Self {
        Self::Failure(failure)
    }
}

async fn write(
    store: &State,
    checkpoints: &Checkpoints,
    wanted: &ExportRequest,
    to: &mut impl Write,
) -> Result<(), Stop> {
    match wanted.format {
        Form::Jsonl => write_jsonl(store, checkpoints, wanted, to).await?,
        Form::Csv => write_csv(store, wanted, to).await?,
    }
    Ok(to.flush()?)
}

/// Visits what is wanted, with the hash before each entry.
async fn each(
    store: &State,
    wanted: &ExportRequest,
    mut visit: impl AsyncFnMut(&Entry, Hash) -> io::Result<()>,
) -> Result<(), Stop> {
    let ExportRequest { selection, grep, .. } = wanted;
    let mut failed = Ok(());
    let mut last: Option<(u64, Hash)> = None;
    store
        .visit_log(selection, Toward::End(0), async |entry| {
            let has = |text: &str| grep.as_deref().is_none_or(|grep| text.to_lowercase().contains(grep));
            let fits = has(&entry.body) || has(&line(store, &entry).await.1);
            let before = match last {
                Some((n, hash)) if n + 1 == entry.n => Some(hash),
                _ => store.log_hash_before(entry.n).await.ok().flatten(),
            };
            last = Some((entry.n, entry.hash));
            if fits {
                failed = visit(&entry, before.unwrap_or(Hash::START)).await;
            }
            if failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await
        .map_err(RunError::from)?;
    Ok(failed?)
}

async fn write_jsonl(
    store: &State,
    checkpoints: &Checkpoints,
    wanted: &ExportRequest,
    to: &mut impl Write,
) -> Result<(), Stop> {
    let mut hashed = Sha256::new();
    let mut put = |text: String| {
        hashed.update(&text);
        hashed.update("\n");
        writeln!(to, "{text}")
    };
    let whole = wanted.selection == Selection::default() && wanted.grep.is_none();
    let (after, hash) = store.log_start().await.map_err(RunError::from)?;
    let header = serde_json::json!({ "format": FORMAT, "whole": whole, "after": after, "hash": hash });
    put(header.to_string())?;
    let mut entries = 0_u64;
    each(store, wanted, async |Entry { n, body, hash, .. }, before| {
        entries += 1;
        put(format!("{{\"n\":{n},\"prev\":\"{before}\",\"hash\":\"{hash}\",\"entry\":{body}}}"))
    })
    .await?;
    for checkpoint in checkpoints.read(None).map_err(RunError::from)?.checkpoints {
        put(json_line(&serde_json::json!({ "checkpoint": checkpoint })).map_err(io::Error::from)?)?;
    }
    let (digest, at) = (Hash(hashed.finalize().into()), Timestamp::now());
    let (key, signature) = checkpoints.sign(&sealed(entries, digest, at)).map_err(RunError::from)?;
    let seal = serde_json::json!({ "seal": { "entries": entries, "sha256": digest, "at": at, "key": key, "signature": signature } });
    Ok(writeln!(to, "{seal}")?)
}

/// What a seal's signature is over.
fn sealed(entries: u64, digest: Hash, at: Timestamp) -> String {
    format!("punchlist/copy/1\n{entries}\n{digest}\n{}\n", at.as_millisecond())
}

async fn write_csv(store: &State, wanted: &ExportRequest, to: &mut impl Write) -> Result<(), Stop> {
    let row = |cells: &[String]| cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    let names = ["n", "at", "level", "run", "kind", "page_id", "clockify_id", "change_id", "text", "hash"];
    write!(to, "{}\r\n", row(&names.map(str::to_owned)))?;
    each(store, wanted, async |entry, _| {
        let (at, text) = line(store, entry).await;
        let envelope: Option<Envelope> = serde_json::from_str(&entry.body).ok();
        let (run, kind) = envelope.map(|envelope| (envelope.run.to_string(), envelope.event)).unwrap_or_default();
        let word = |word: Option<String>| word.unwrap_or_default();
        let cells = [
            entry.n.to_string(),
            at.to_string(),
            entry.level.word().to_owned(),
            run,
            kind,
            word(entry.page.map(|page| page.to_string())),
            word(entry.object.map(|object| object.to_string())),
            word(entry.change.as_ref().map(ToString::to_string)),
            text,
            entry.hash.to_string(),
        ];
        write!(to, "{}\r\n", row(&cells))
    })
    .await
}

/// What verifying a copy has shown, and the key that signed it.
pub(super) struct Verified {
    pub(super) verdict: Findings,
    pub(super) key: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    format: String,
    whole: bool,
    after: u64,
    hash: Hash,
}

#[derive(Deserialize)]
struct Copied<'a> {
    n: u64,
    prev: Hash,
    hash: Hash,
    #[serde(borrow)]
    entry: &'a RawValue,
}

#[derive(Deserialize)]
struct Sealed {
    entries: u64,
    sha256: Hash,
    at: Timestamp,
    key: String,
    signature: String,
}

/// Any line but the first.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Checkpoint { checkpoint: Checkpoint },
    Seal { seal: Sealed },
}

/// Verifies a copy. `trusted` is the key that somebody has noted, or that is on this machine.
pub(super) fn verify(file: &Path, trusted: Option<String>) -> Result<Verified, RunError> {
    let unusable = |because: &dyn std::fmt::Display| {
        RunError::new(Code::Error, format!("the copy {} cannot be verified: {because}", file.display()))
            .hint("give a file that `punchlist logs export --format jsonl` made")
    };
    // Twice: checkpoints stand behind what they vouch for.
    let mut kept = Kept { key: trusted, ..Kept::default() };
    let mut lines = Lines::open(file).map_err(|error| unusable(&error))?;
    while let Some(text) = lines.next().map_err(|error| unusable(&error))? {
        if let Ok(Line::Checkpoint { checkpoint }) = serde_json::from_str(text) {
            kept.add(checkpoint);
        }
    }
    let mut lines = Lines::open(file).map_err(|error| unusable(&error))?;
    let header = lines.next().map_err(|error| unusable(&error))?.unwrap_or_default().to_owned();
    let header: Header = serde_json::from_str(&header).map_err(|_| unusable(&"it does not begin as one does"))?;
    if header.format != FORMAT {
        return Err(unusable(&format!("its format is {}, and this program reads {FORMAT}", Shown::of(&header.format))));
    }
    let mut verifier = if header.whole {
        Verifier::new((header.after, header.hash), kept.checkpoints.clone())
    } else {
        Verifier::of_selection(kept.checkpoints.clone())
    };
    let (mut entries, mut seal, mut found, mut before) = (0, None, Vec::new(), lines.digest());
    while let Some(text) = lines.next().map_err(|error| unusable(&error))? {
        if seal.is_some() {
            found.push(Finding::CopyAltered);
        }
        if let Ok(Copied { n, prev, hash, entry }) = serde_json::from_str(text) {
            entries += 1;
            verifier.follow(&StoredEntry { n, body: entry.get(), hash, previous: Some(prev), labels: None });
        } else {
            match serde_json::from_str(text) {
                Ok(Line::Checkpoint { .. }) => {}
                Ok(Line::Seal { seal: told }) => seal = Some((told, before)),
                Err(_) => found.push(Finding::CopyAltered),
            }
        }
        before = lines.digest();
    }
    let mut verdict = verifier.finish();
    let Kept { findings, key, .. } = kept;
    findings.into_iter().chain(found).for_each(|finding| verdict.find(finding));
    match &seal {
        None => verdict.find(Finding::CopyCutShort),
        Some((Sealed { entries: told, sha256, at, key: signer, signature }, digest)) => {
            let holds =
                *told == entries && sha256 == digest && is_signed(&sealed(*told, *sha256, *at), signer, signature);
            if !holds || key.as_ref().is_some_and(|key| key != signer) {
                verdict.find(Finding::CopyAltered);
            }
        }
    }
    let key = key.or(seal.map(|(seal, _)| seal.key));
    Ok(Verified { verdict, key })
}

/// The lines of a file, one in memory at a time, with the SHA-256 of those that were read.
struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
    hashed: Sha256,
}

impl Lines {
    fn open(file: &Path) -> io::Result<Self> {
        Ok(Self { reader: BufReader::new(File::open(file)?), line: Vec::new(), hashed: Sha256::new() })
    }

    fn next(&mut self) -> io::Result<Option<&str>> {
        self.line.clear();
        let mut limited = io::Read::take(&mut self.reader, LINE_BYTES_MAX);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.hashed.update(&self.line);
        let text = std::str::from_utf8(&self.line).map_err(|_| io::Error::other("it is not UTF-8 text"))?;
        Ok(Some(text.trim_end_matches('\n')))
    }

    fn digest(&self) -> Hash {
        Hash(self.hashed.clone().finalize().into())
    }
}
