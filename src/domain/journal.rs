//! What is written, what became of it, and what a run therefore still has to settle.
//!
//! Every write is journaled before it leaves ([`What::Intent`]) and after it answers ([`What::Outcome`]):
//!
//! ```text
//!            ┌── Done
//! Intended ──┼── Refused     the service said no; nothing changed
//!    │       ├── NotSent     nothing left this machine, or the service threw it back unread
//!    │       └── Unknown ──┬── Done      looked up: it happened
//!    └─(crash)─────┘       └── Absent    looked up: it did not
//! ```

mod event;
mod open;
mod trace;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    model::{Field, Kind, ObjectId, PageId, Refiling, Service, Value},
    text::{Raw, Shown},
};

pub use super::model::RunId;
pub use event::{Answered, Bodies, Difference, Event, Replaced, Totals, Was, What};
pub use open::{OpenDifferences, Unlogged};
pub use trace::{Born, LANDS_WITHIN, Trace};

/// Why an apply ended before its last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// It did not.
    No,
    /// Somebody asked it to stop.
    Interrupted,
    /// A service refused the credentials.
    Refused,
    /// The request budget is used up.
    OutOfBudget,
    /// So much failed of one cause that no more of its kind was tried.
    Halted,
}

/// The number of a write within its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WriteId(pub u32);

/// One request that changes a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "write")]
pub enum Write {
    /// Creates an object in Clockify.
    Create {
        /// The page that it mirrors.
        page: PageId,
        /// What to create.
        kind: Kind,
        /// The client of a project, the project of a task.
        parent: Option<ObjectId>,
        name: Raw,
        /// True when its note gets a link back to the page as its last line.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        marked: bool,
        /// The object that it takes the place of, since Clockify cannot move it: what the fields do not say is carried
        /// over from there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        like: Option<ObjectId>,
        /// Mapped fields that are to be set.
        fields: BTreeMap<Field, Value>,
    },
    /// Changes fields of an object, built on the object as last read so that nothing else changes.
    Update {
        /// The page that it mirrors.
        page: PageId,
        /// What it is.
        kind: Kind,
        object: ObjectId,
        /// The new values: name, parent (as [`Value::Object`]), state and mapped fields.
        fields: BTreeMap<Field, Value>,
    },
    /// Changes a page in Notion: its claim, its mapped fields, or both in one request.
    WriteBack {
        page: PageId,
        /// What it is.
        kind: Kind,
        /// The ID to write; `Some(None)` clears it, `None` leaves it alone.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "double_option")]
        claim: Option<Option<ObjectId>>,
        /// Values for mapped properties.
        fields: BTreeMap<Field, Value>,
    },
    /// Files time entries of one person elsewhere, and changes nothing else of them.
    Refile {
        /// The page whose object gets the first of them.
        page: PageId,
        /// What it is.
        kind: Kind,
        refiling: Refiling,
    },
}

/// `Some(None)` as `null` and `None` as absence.
mod double_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::option_option, clippy::ref_option, reason = "the shape that serde asks for")]
    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(serializer)
    }

    #[expect(clippy::option_option, reason = "the shape that serde asks for")]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }
}

impl Write {
    /// The service that the write goes to.
    pub fn service(&self) -> Service {
        match self {
            Self::Create { .. } | Self::Update { .. } | Self::Refile { .. } => Service::Clockify,
            Self::WriteBack { .. } => Service::Notion,
        }
    }

    /// The page that the write is for.
    pub fn page(&self) -> PageId {
        match self {
            Self::Create { page, .. }
            | Self::Update { page, .. }
            | Self::WriteBack { page, .. }
            | Self::Refile { page, .. } => *page,
        }
    }

    /// Gives a create the parent that was made by the write which it went along with.
    pub fn stands_under(&mut self, made: ObjectId) {
        if let Self::Create { parent, .. } = self {
            *parent = Some(made);
        }
    }

    /// What is written.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Create { kind, .. }
            | Self::Update { kind, .. }
            | Self::WriteBack { kind, .. }
            | Self::Refile { kind, .. } => *kind,
        }
    }
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It happened; the answer is the read-back.
    Done {
        /// The object that was created or changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<ObjectId>,
    },
    /// The service refused it; nothing changed.
    Refused {
        /// What the service said.
        error: Shown,
        /// What to do about it.
        hint: Shown,
    },
    /// It did not reach the service, or was thrown back unread, or together with what it went along with.
    NotSent {
        /// Why.
        error: Shown,
        /// What to do about it.
        hint: Shown,
    },
    /// Nobody knows whether it happened.
    Unknown {
        /// What went wrong.
        error: Shown,
    },
    /// It was looked up after an unknown outcome, and did not happen.
    Absent,
}

/// Where a write stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// On disk, perhaps sent: after a crash this is as good as unknown.
    Intended,
    /// It happened.
    Done,
    /// The service refused it.
    Refused,
    /// It did not leave.
    NotSent,
    /// Nobody knows yet.
    Unknown,
    /// It did not happen, as a look-up showed.
    Absent,
}

impl Status {
    /// The status after an outcome.
    ///
    /// # Errors
    /// [`Illegal`] where the journal cannot be what this program wrote.
    pub fn next(self, outcome: &Outcome) -> Result<Self, Illegal> {
        match (self, outcome) {
            (Self::Intended | Self::Unknown, Outcome::Done { .. }) => Ok(Self::Done),
            (Self::Intended, Outcome::Refused { .. }) => Ok(Self::Refused),
            (Self::Intended, Outcome::NotSent { .. }) => Ok(Self::NotSent),
            (Self::Intended | Self::Unknown, Outcome::Unknown { .. }) => Ok(Self::Unknown),
            (Self::Intended | Self::Unknown, Outcome::Absent) => Ok(Self::Absent),
            (status, _) => Err(Illegal { status }),
        }
    }

    /// True when a look-up must settle the write before anything else is written for its page.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::Unknown)
    }
}

/// A journal entry that cannot follow the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal has an outcome for a write that is already {status:?}")]
pub struct Illegal {
    /// Where the write stood.
    pub status: Status,
}

/// A write that a run left without a known outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The run that made it.
    pub run: RunId,
    /// Its number there.
    pub write: WriteId,
    /// When its intent was journaled.
    pub at: Timestamp,
    pub request: Write,
    /// What tells the object of a create from those of others.
    pub trace: Trace,
}

/// The creates among some intents, by page: what tells the object of any of them from those of others.
pub fn creates<'a>(intents: impl IntoIterator<Item = &'a Event>) -> BTreeMap<PageId, Trace> {
    let mut creates: BTreeMap<PageId, Trace> = BTreeMap::new();
    for event in intents {
        let What::Intent { request: Write::Create { page, .. }, trace, .. } = &event.what else { continue };
        let all = creates.entry(*page).or_insert_with(|| Trace::clone(trace));
        // What was known before the first of them cannot be from any.
        all.siblings.retain(|known| trace.siblings.contains(known));
        all.born = all.born.zip(trace.born).map(|(all, born)| all.since(born));
    }
    creates
}

/// Replays events and returns the writes whose outcome nobody knows: crash recovery is this function and a look-up. A
/// task that went along with its project has that for its parent, where what became of the project is known.
///
/// # Errors
/// [`Illegal`] where the journal cannot be what this program wrote.
pub fn open_writes<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Vec<Open>, Illegal> {
    let mut writes: BTreeMap<(&RunId, WriteId), (Status, Open)> = BTreeMap::new();
    let mut made: BTreeMap<(RunId, WriteId), ObjectId> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Intent { write, request, trace, .. } => {
                let open = Open {
                    run: event.run,
                    write: *write,
                    at: event.at,
                    request: request.clone(),
                    trace: Trace::clone(trace),
                };
                writes.insert((&event.run, *write), (Status::Intended, open));
            }
            What::Outcome { write, outcome } => {
                if let Some((status, _)) = writes.get_mut(&(&event.run, *write)) {
                    *status = status.next(outcome)?;
                }
                if let Outcome::Done { object: Some(object) } = outcome {
                    made.insert((event.run, *write), *object);
                }
            }
            _ => {}
        }
    }
    let mut open: Vec<Open> =
        writes.into_values().filter(|(status, _)| status.is_open()).map(|(_, open)| open).collect();
    for task in &mut open {
        if let Some(project) = task.trace.with.and_then(|with| made.get(&(task.run, with))) {
            task.request.stands_under(*project);
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: What) -> Event {
        Event { run: "r".parse().expect("a run"), at: Timestamp::UNIX_EPOCH, what }
    }

    fn intent(number: u32) -> Event {
        event(What::Intent {
            write: WriteId(number),
            changes: vec![],
            request: Write::WriteBack {
                page: PageId::from_number(1),
                kind: Kind::Client,
                claim: Some(None),
                fields: BTreeMap::new(),
            },
            was: Box::new(Was { name: "Acme".into(), ..Was::default() }),
            trace: Box::default(),
        })
    }

    fn outcome(number: u32, outcome: Outcome) -> Event {
        event(What::Outcome { write: WriteId(number), outcome })
    }

    #[test]
    fn what_has_no_known_outcome_is_open() {
        let lost = Outcome::Unknown { error: "timeout".into() };
        let events = [intent(1), intent(2), outcome(1, Outcome::Done { object: None }), intent(3), outcome(3, lost)];
        let open: Vec<u32> = open_writes(&events).expect("legal").iter().map(|open| open.write.0).collect();
        assert_eq!(open, [2, 3]);
    }

    #[test]
    fn a_second_outcome_is_illegal() {
        let done = Outcome::Done { object: None };
        let events = [intent(1), outcome(1, done.clone()), outcome(1, done)];
        assert_eq!(open_writes(&events), Err(Illegal { status: Status::Done }));
    }

    #[test]
    fn what_went_along_has_the_project_for_its_parent_once_that_is_known() {
        let create = |number, kind, with| {
            let (page, name) = (PageId::from_number(number), "Acme".into());
            let request =
                Write::Create { page, kind, parent: None, name, marked: false, like: None, fields: BTreeMap::new() };
            let trace = Box::new(Trace { with, ..Trace::default() });
            let write = WriteId(u32::try_from(number).expect("small"));
            event(What::Intent { write, changes: vec![], request, was: Box::default(), trace })
        };
        let project: ObjectId = "64a000000000000000000001".parse().expect("an id");
        let parents = |events: &[Event]| -> Vec<Option<ObjectId>> {
            let open = open_writes(events).expect("legal").into_iter();
            open.map(|open| if let Write::Create { parent, .. } = open.request { parent } else { None }).collect()
        };
        let mut events = vec![create(1, Kind::Project, None), create(2, Kind::Task, Some(WriteId(1)))];
        assert_eq!(parents(&events), [None, None]);
        events.push(outcome(1, Outcome::Done { object: Some(project) }));
        assert_eq!(parents(&events), [Some(project)]);
    }

    #[test]
    fn a_create_of_an_older_version_takes_nobodys_place() {
        let old = r#"{"write":"create","page":"00000000-0000-0000-0000-000000000001","kind":"task","parent":null,"name":"Draw","fields":{}}"#;
        let Write::Create { like, marked, .. } = serde_json::from_str(old).expect("reads") else { panic!("a create") };
        assert_eq!((like, marked), (None, false));
    }

    #[test]
    fn events_survive_their_format() {
        let before = intent(7);
        let text = serde_json::to_string(&before).expect("serialises");
        assert_eq!(serde_json::from_str::<Event>(&text).expect("reads"), before);
    }
}
