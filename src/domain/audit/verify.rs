//! Whether a log is what it was when it was written, and if not, where.

use std::{collections::HashMap, fmt};

use super::{About, Checkpoint, Hash, Labels, Refers, read, refers};
use crate::domain::{
    journal::{RunId, What, WriteId},
    model::PageId,
    plan::ChangeId,
};

/// Findings that are told one by one; of more only the number is.
const FINDINGS_MAX: usize = 100;

/// One entry as it was found.
#[derive(Clone, Debug)]
pub struct StoredEntry<'a> {
    /// Its number.
    pub n: u64,
    /// The event.
    pub body: &'a str,
    pub hash: Hash,
    /// The hash before it, where it is told: in a copy, which may leave entries out.
    pub previous: Option<Hash>,
    /// What it is filed under, where it is filed: in the state.
    pub labels: Option<Labels>,
}

/// Something that is not as it was when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The entry does not follow from the one before it.
    Altered {
        /// Its number.
        n: u64,
    },
    /// Entries are not there.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// An entry stands after one that it came before, or twice.
    Disordered {
        /// Its number.
        n: u64,
        /// The number of the one that it stands after.
        after: u64,
    },
    /// An entry is filed under something else than it is about, so that a search would miss it.
    Mislabelled {
        /// Its number.
        n: u64,
    },
    /// The body is no event.
    Unreadable {
        /// Its number.
        n: u64,
        /// Why.
        because: String,
    },
    /// The log ends before a checkpoint.
    CutShort {
        /// The number of its last entry.
        last: u64,
        /// What a checkpoint has seen.
        seen: u64,
    },
    /// Entries were made anew: at a checkpoint the log is another one.
    Restamped {
        /// The last entry that agrees with a checkpoint; 0 where none does.
        after: u64,
        /// The entry at which they differ.
        at: u64,
    },
    /// A checkpoint's signature does not hold.
    Forged {
        /// The entry that it is about.
        n: u64,
    },
    /// A checkpoint was signed with another key than the one that is trusted.
    OtherKey {
        /// The entry that it is about.
        n: u64,
    },
    /// A line of the checkpoints cannot be read.
    Garbled {
        /// Its number, from 1.
        line: usize,
    },
    /// There are entries, and nothing outside of the log vouches for them.
    NoCheckpoint,
    /// What the list of runs says of a run is not what its events say.
    RunAltered { run: RunId },
    /// Old entries are gone, and no entry says that they were cut off.
    Unannounced {
        /// The last of them.
        through: u64,
    },
    /// The copy was changed since it was made.
    CopyAltered,
    /// The copy does not end as one does.
    CopyCutShort,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { n } => {
                write!(
                    formatter,
                    "entry {n} does not follow from the one before it: it was changed, or one was put in or taken out"
                )
            }
            Self::Missing { from, to } if from == to => write!(formatter, "entry {from} is not there"),
            Self::Missing { from, to } => write!(formatter, "entries {from} to {to} are not there"),
            Self::Disordered { n, after } => write!(formatter, "entry {n} stands after entry {after}"),
            Self::Mislabelled { n } => {
                write!(
                    formatter,
                    "entry {n} is filed under something else than it is about, so that a search may miss it"
                )
            }
            Self::Unreadable { n, because } => write!(formatter, "entry {n}: {because}"),
            Self::CutShort { last, seen } => {
                write!(
                    formatter,
                    "the log ends at entry {last}, and a checkpoint has seen entry {seen}: its end was cut off"
                )
            }
            Self::Restamped { after, at } => write!(
                formatter,
                "entry {at} is not the one that a checkpoint has seen: something after entry {after} was made anew"
            ),
            Self::Forged { n } => write!(formatter, "the signature of the checkpoint at entry {n} does not hold"),
            Self::OtherKey { n } => write!(formatter, "the checkpoint at entry {n} was signed with another key"),
            Self::Garbled { line } => write!(formatter, "line {line} of the checkpoints cannot be read"),
            Self::NoCheckpoint => formatter
                .write_str("there is no checkpoint: whether the end was cut off or all was made anew cannot be seen"),
            Self::RunAltered { run } => {
                write!(formatter, "the list of runs says something else of run {run} than its events")
            }
            Self::Unannounced { through } => {
                write!(formatter, "the entries up to {through} are gone, and no entry says that they were cut off")
            }
            Self::CopyAltered => formatter.write_str("the copy was changed since it was made: its seal does not hold"),
            Self::CopyCutShort => formatter.write_str("the copy has no seal at its end: it was cut short"),
        }
    }
}

/// What following the chain has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Entries that were followed.
    pub entries: u64,
    /// The number of the first, where there is one.
    pub first: Option<u64>,
    /// The number of the last, where there is one.
    pub last: Option<u64>,
    /// The hash of the last.
    pub head: Hash,
    /// Checkpoints that agree with the log.
    pub agreeing: usize,
    /// The last entry that a checkpoint vouches for; 0 where none does.
    pub vouched: u64,
    /// Entries that were left out on purpose, so that nobody can say what they were; of a copy.
    pub left_out: u64,
    /// What is not as it was, the first of it; the last words are how many more there are.
    pub findings: Vec<Finding>,
    /// Findings that are not among them.
    pub more: usize,
}

impl Findings {
    /// True when nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// Adds something that was found elsewhere.
    pub fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

/// Follows a chain, entry by entry.
#[derive(Debug)]
pub struct Verifier {
    verdict: Findings,
    /// The entry that the log begins after, and its hash.
    start: (u64, Hash),
    last: u64,
    head: Hash,
    checkpoints: Vec<Checkpoint>,
    /// Checkpoints before this one are done with.
    next: usize,
    /// True where entries may have been left out on purpose.
    selected: bool,
    writes: HashMap<RunId, HashMap<WriteId, PageId>>,
    changes: HashMap<RunId, HashMap<ChangeId, About>>,
    cuts: Vec<(u64, Hash)>,
}

impl Verifier {
    /// Follows a log that begins after an entry: 0 and [`Hash::START`], or where it was cut off.
    pub fn new(start: (u64, Hash), checkpoints: Vec<Checkpoint>) -> Self {
        let mut checkpoints = checkpoints;
        checkpoints.sort_unstable_by_key(|checkpoint| checkpoint.n);
        let (last, head) = start;
        let verdict = Findings {
            entries: 0,
            first: None,
            last: None,
            head,
            agreeing: 0,
            vouched: 0,
            left_out: 0,
            findings: Vec::new(),
            more: 0,
        };
        let mut verifier = Self {
            verdict,
            start,
            last,
            head,
            checkpoints,
            next: 0,
            selected: false,
            writes: HashMap::new(),
            changes: HashMap::new(),
            cuts: Vec::new(),
        };
        verifier.compare(last, head);
        verifier
    }

    /// Follows a copy that may leave entries out.
    pub fn of_selection(checkpoints: Vec<Checkpoint>) -> Self {
        Self { selected: true, ..Self::new((0, Hash::START), checkpoints) }
    }

    /// Follows one more entry.
    pub fn follow(&mut self, row: &StoredEntry<'_>) {
        let StoredEntry { n, body, hash, previous, labels } = row;
        let (n, hash) = (*n, *hash);
        if n <= self.last {
            self.verdict.entries += 1;
            return self.verdict.find(Finding::Disordered { n, after: self.last });
        }
        if n > self.last + 1 {
            if self.selected {
                self.verdict.left_out += n - self.last - 1;
            } else {
                self.verdict.find(Finding::Missing { from: self.last + 1, to: n - 1 });
            }
        }
        let adjoins = n == self.last + 1;
        // Behind a gap only what the copy tells of the hash before can be followed.
        let before = if adjoins && (!self.selected || self.last > 0 || n == 1) { Some(self.head) } else { *previous };
        let follows =
            before.is_none_or(|before| before.then(body) == hash) && previous.is_none_or(|told| Some(told) == before);
        if !follows {
            self.verdict.find(Finding::Altered { n });
        }
        (self.last, self.head) = (n, hash);
        self.verdict.entries += 1;
        self.verdict.first.get_or_insert(n);
        self.compare(n, hash);
        self.read(n, body, labels.as_ref());
    }

    /// Holds an entry against the checkpoints that have seen it.
    fn compare(&mut self, n: u64, hash: Hash) {
        while let Some(checkpoint) = self.checkpoints.get(self.next).filter(|checkpoint| checkpoint.n <= n) {
            // One that is about an entry which is not here has nothing to be held against.
            if checkpoint.n == n && checkpoint.head == hash {
                self.verdict.agreeing += 1;
                self.verdict.vouched = n;
            } else if checkpoint.n == n {
                let after = self.verdict.vouched;
                self.verdict.find(Finding::Restamped { after, at: n });
            }
            self.next += 1;
        }
    }

    fn read(&mut self, n: u64, body: &str, labels: Option<&Labels>) {
        let event = match read(body) {
            Ok(event) => event,
            Err(unread) => return self.verdict.find(Finding::Unreadable { n, because: unread.to_string() }),
        };
        if let What::Cut { through, hash, .. } = &event.what {
            self.cuts.extend(hash.parse().ok().map(|hash| (*through, hash)));
        }
        let Some(labels) = labels else { return };
        let about = match refers(&event.what) {
            Refers::Itself(about) => Some(about),
            // Where what it refers to was cut off, nobody can tell.
            Refers::Write(write, object) => {
                let page = self.writes.get(&event.run).and_then(|writes| writes.get(&write));
                page.map(|page| About { page: Some(*page), object })
            }
            Refers::Change(change) => self.changes.get(&event.run).and_then(|changes| changes.get(change)).copied(),
        };
        match &event.what {
            What::Intent { write, request, .. } => {
                self.writes.entry(event.run).or_default().insert(*write, request.page());
            }
            What::Difference(difference) => {
                let about = About { page: Some(difference.page), object: difference.object };
                self.changes.entry(event.run).or_default().insert(difference.change, about);
            }
            // A run that has ended refers to its changes no more.
            What::RunEnded { .. } => {
                self.changes.remove(&event.run);
            }
            _ => {}
        }
        let expected = Labels::of(&event, about.unwrap_or(About { page: labels.page, object: labels.object }));
        if expected != *labels {
            self.verdict.find(Finding::Mislabelled { n });
        }
    }

    /// What it comes to.
    pub fn finish(mut self) -> Findings {
        let last = self.last;
        self.verdict.head = self.head;
        self.verdict.last = self.verdict.first.map(|_| last);
        let (begins_after, hash) = self.start;
        if begins_after > 0 && !self.selected && !self.cuts.contains(&(begins_after, hash)) {
            self.verdict.find(Finding::Unannounced { through: begins_after });
        }
        if let Some(seen) = self.checkpoints.get(self.next..).and_then(<[_]>::last).filter(|_| !self.selected) {
            self.verdict.find(Finding::CutShort { last, seen: seen.n });
        }
        if self.verdict.entries > 0 && self.checkpoints.is_empty() {
            self.verdict.find(Finding::NoCheckpoint);
        }
        self.verdict
    }
}
