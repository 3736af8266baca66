//! What happens in a run, in the one form in which it is stored, shown, replayed and counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{Outcome, RunId, Stopped, Trace, Write, WriteId};
use crate::domain::{
    ending::End,
    hours::month::Sealed,
    model::{Field, Kind, ObjectId, PageId, Service, Value},
    plan::{Action, Calls, Change, ChangeId, FieldChange, Hold, Hourly, Plan, State, Workspaces},
    review::Resolution,
    rules::Class,
    text::{Raw, Shown},
    watermark::WhyFull,
};

/// Something that happened in a run. Stored, shown, replayed and counted from the same value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub run: RunId,
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// How a secret came to be another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replaced {
    /// It was found to be another one than before: somebody has changed it elsewhere.
    Found,
    /// Somebody has set it here.
    Set,
    /// Somebody has set it here, and the service knows it as good as the one before.
    Rotated,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantNames)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum What {
    /// A run began.
    RunStarted {
        /// What started it, e.g. `plan`, `auto-approve`, `apply`.
        trigger: String,
        /// The person or account that ran it.
        by: String,
        /// The account that the process belongs to, which no environment variable can change.
        #[serde(default)]
        account: String,
        /// The machine.
        #[serde(default)]
        host: String,
        /// The program's version.
        version: String,
        /// SHA-256 of the rules.
        rules: String,
        /// SHA-256 of everything that was configured.
        #[serde(default)]
        config: String,
    },
    /// A key of the configuration has another value than in the run before.
    ConfigurationChanged {
        key: String,
        /// What it was; nothing where it was not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// What it is; nothing where it is not set any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// The state was about to be moved to another place.
    StateMoved {
        from: String,
        to: String,
        /// Who moved it.
        by: String,
    },
    /// Somebody took the right to run from a process that had it on a server.
    LockBroken {
        /// Which it was, counted by who has held it.
        epoch: i64,
        /// Who had it, as they described themselves.
        holder: String,
        /// Who took it.
        by: String,
    },
    /// A secret was fetched from where the configuration says it is.
    SecretRead {
        /// The key that refers to it.
        key: String,
        /// The reference, without anything that may itself be secret.
        reference: String,
    },
    /// A secret could not be had.
    SecretRefused {
        /// Why.
        error: Shown,
    },
    /// Where a key refers to, another secret is kept than before, or a key refers to another place.
    SecretReplaced {
        /// The key that refers to it.
        key: String,
        /// The reference, without anything that may itself be secret.
        reference: String,
        /// How it came about.
        how: Replaced,
    },
    /// One listing was read.
    Fetched {
        /// From where.
        service: Service,
        /// What.
        kind: Kind,
        /// How many rows.
        rows: usize,
        /// Why it may lack rows, if it may.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incomplete: Option<Shown>,
        /// How many of them were edited, where only those were asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edited: Option<usize>,
        /// Why all were asked for, where only those that were edited were wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_because: Option<WhyFull>,
    },
    /// A plan was made.
    Planned {
        /// Its seal.
        plan_hash: String,
        /// How many changes it proposes.
        changes: usize,
        /// How many of them were logged before, just as they are.
        #[serde(default, skip_serializing_if = "is_none")]
        known: usize,
        /// True when every listing was complete.
        #[serde(default = "yes")]
        complete: bool,
        /// The run that it takes back, where it is the undo of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<RunId>,
        /// Between which workspaces it is.
        #[serde(default, skip_serializing_if = "Workspaces::is_unknown")]
        workspaces: Box<Workspaces>,
        /// What the clients are called that it is about, where that is not everybody.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        clients: Vec<Shown>,
    },
    /// A difference was found: it is new, not what it was, or about to be mended. What is as it was logged before is
    /// not logged again.
    Difference(Box<Difference>),
    /// A difference that was found before is no longer there.
    DifferenceEnded {
        /// The change that would have mended it.
        change: ChangeId,
        page: PageId,
    },
    /// A brake withholds changes of a class.
    Braked {
        class: Class,
        /// Of what.
        kind: Kind,
        /// How many changes.
        changes: usize,
        /// Why.
        because: Shown,
    },
    /// A brake was released for this run.
    Released {
        class: Class,
        /// Up to how many changes.
        count: usize,
        /// By whom.
        by: String,
    },
    /// Another punchlist, with a state of its own, was seen to write to the same workspace.
    ForeignRun {
        /// The first page that it has served.
        page: PageId,
        /// The object that it has created for it.
        object: ObjectId,
        /// What was seen.
        text: Shown,
    },
    /// Something was decided about a change, or taken back.
    Decided {
        change: ChangeId,
        page: PageId,
        /// By whom.
        by: String,
        /// The decision with its note, the way that was chosen, the fields that were left out or typed.
        verdict: Resolution,
    },
    /// What a person decided about a change is not kept, since another had decided otherwise after they looked.
    DecisionOvertaken {
        change: ChangeId,
        page: PageId,
        /// By whom.
        by: String,
        /// What they had decided.
        verdict: Box<Resolution>,
        /// Whose decision stands; nothing where that was taken back or carried out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stands_by: Option<String>,
    },
    /// What was decided about a change is over, since a complete plan no longer has that change: the same difference,
    /// should it come again, is asked about again.
    DecisionEnded {
        change: ChangeId,
        page: PageId,
        /// Who had decided.
        by: String,
        /// The change in words.
        what: Shown,
        /// Why it is over.
        because: Shown,
    },
    /// A change was approved, and is now carried out.
    Approved {
        change: ChangeId,
        /// By whom or what.
        by: String,
        /// What it does, in the way that was chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
        /// Who had approved it before, where it took two persons.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
    },
    /// A write is about to leave.
    Intent {
        /// Its number in the run.
        write: WriteId,
        /// The changes that it carries out.
        changes: Vec<ChangeId>,
        request: Write,
        /// What it changes, as it was.
        #[serde(flatten)]
        was: Box<Was>,
        /// What tells a new object from those of others.
        #[serde(flatten)]
        trace: Box<Trace>,
    },
    /// A write was answered, or looked up.
    Outcome {
        /// Its number in the run.
        write: WriteId,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// A page was linked with an object that was there, or parted from one. Nothing was sent for it.
    Linked {
        page: PageId,
        /// What both are.
        kind: Kind,
        /// The object that the page has now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<ObjectId>,
        /// The object that it had before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        former: Option<ObjectId>,
    },
    /// A change was carried out whole.
    Applied { change: ChangeId },
    /// A change was begun, and failed.
    Failed {
        change: ChangeId,
        /// Why.
        error: Shown,
        /// What to do about it.
        hint: Shown,
    },
    /// A change was carried out in part, and nothing of it failed: the next run goes on with it.
    Begun {
        change: ChangeId,
        /// What was done, and why the rest was not.
        because: Shown,
    },
    /// A change was not carried out, since something it rests on was not, or has moved.
    NotStarted {
        change: ChangeId,
        /// Why.
        because: Shown,
    },
    /// A kind of write failed so often that no more of it is tried in this run.
    Halted {
        /// What is not done any more, e.g. `creating projects in Clockify`.
        what: Shown,
        /// The cause.
        because: Shown,
        /// How many writes are therefore not started.
        left: usize,
    },
    /// A request was made.
    Exchange {
        service: Service,
        method: String,
        /// The path without host, query and secrets.
        path: String,
        /// The status, or nothing when there was no answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// How long it took, in milliseconds.
        millis: u64,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// What the service calls the request, for asking its support.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<Shown>,
        /// What was sent and answered, where that is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bodies: Option<Box<Bodies>>,
    },
    /// Requests that only read were answered at the first attempt, one after the other or side by side.
    Exchanges {
        service: Service,
        calls: u64,
        /// How long they took, each for itself and added up, in milliseconds.
        millis: u64,
    },
    /// The oldest entries of the log were cut off, since they are not to be kept any longer.
    Cut {
        /// The number of the last one.
        through: u64,
        /// Its hash, in hexadecimal.
        hash: String,
        /// How many there were.
        entries: u64,
    },
    /// Somebody called the daemon, once or many times alike.
    Called {
        /// Who, as the configuration calls them; nothing where nobody has that name there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<String>,
        /// How, e.g. `notion-button`.
        way: String,
        answer: Answered,
        /// How often.
        calls: u64,
        /// When the first of them came.
        since: Timestamp,
        /// The page that they say they are about. Nothing is decided by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<PageId>,
    },
    /// A month was sealed.
    MonthSealed {
        /// `2026-10`.
        month: String,
        /// Its hash.
        hash: String,
        by: String,
        /// All of it.
        sealed: Box<Sealed>,
    },
    /// A sealed month was opened again, to be sealed anew.
    MonthReopened {
        /// `2026-10`.
        month: String,
        /// The hash that it had.
        hash: String,
        by: String,
    },
    RunEnded {
        /// How.
        outcome: End,
        /// What the report says besides what the events tell; none where there is no report.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        totals: Option<Totals>,
    },
}

fn yes() -> bool {
    true
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// It asked for a run, and gets one.
    Accepted,
    /// It is true, and nothing follows from it.
    Unneeded,
    /// The caller is being tried out.
    Tested,
    /// It brought the token that somebody had armed the daemon for.
    Handshake,
    /// It did not prove who it is.
    Refused,
    /// It did not prove who it is, and said too much.
    TooLarge,
}

impl Answered {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unneeded => "unneeded",
            Self::Tested => "tested",
            Self::Handshake => "handshake",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
        }
    }

    /// True for who did not prove who they are.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::TooLarge)
    }
}

/// What a write changes, as it was before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Was {
    /// What the fields that are set held, on the side that is written, for the log and for an undo; the Clockify ID of
    /// a page among them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<Field, Value>,
    /// What the page is called.
    pub name: Raw,
}

/// A difference, and what would mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The change that would mend it.
    pub change: ChangeId,
    /// What it concerns.
    pub kind: Kind,
    pub page: PageId,
    /// What the page is called.
    pub name: Raw,
    /// The names above it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Raw>,
    /// The object, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectId>,
    /// What is proposed.
    pub action: Action,
    /// Which side would be written.
    pub side: Service,
    /// The fields that would be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// How sure that is, in whole percent.
    pub confidence: u8,
    /// Why.
    pub reason: Shown,
    /// Whether it may go ahead.
    pub state: State,
    /// What holds it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

impl Difference {
    /// What the log keeps of a change that a plan proposes.
    pub fn of(plan: &Plan, change: &Change) -> Self {
        let proposal = &change.proposal;
        Self {
            change: change.id,
            kind: change.kind,
            page: change.page,
            name: change.name.clone(),
            path: plan.path(change.page).into_iter().cloned().collect(),
            object: proposal.object,
            action: proposal.action,
            side: proposal.side,
            fields: proposal
                .fields
                .iter()
                .map(|field| FieldChange { base: None, half: None, ..field.clone() })
                .collect(),
            confidence: proposal.confidence,
            reason: proposal.reason.clone(),
            state: change.state,
            hold: change.hold.clone(),
        }
    }
}

/// What went over the wire in one exchange, cut where it is long, and without anything secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bodies {
    /// What was sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sent: String,
    /// What was answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answered: String,
}

/// What a report says besides what the events tell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Why the run ended before its last step.
    pub stopped: Stopped,
    /// Writes, of this run or earlier ones, whose outcome nobody knows.
    pub unsettled: usize,
    /// Requests made.
    pub calls: Calls,
    /// How long it took.
    pub seconds: f64,
    /// When it is worth running again, where a service asked to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Changes that wait for a person.
    pub pending: usize,
    /// Of these, those that one person has approved, and that need a second one.
    #[serde(default, skip_serializing_if = "is_none")]
    pub second_person: usize,
    /// Changes that are held.
    pub held: usize,
    /// Changes that need no person, and that the run was not asked for.
    #[serde(default, skip_serializing_if = "is_none")]
    pub ready: usize,
    /// What Clockify takes in an hour, where that is limited, and what is left for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hourly: Option<Hourly>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

// Seconds are a measurement, and never `NaN`.
impl Eq for Totals {}

impl What {
    /// All the words for kinds of events.
    pub const WORDS: &'static [&'static str] = Self::VARIANTS;

    /// What the format calls it.
    pub fn word(&self) -> &'static str {
        self.into()
    }
}
