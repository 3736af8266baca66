//! How the object of a create whose answer never came can be told from the objects of others.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Write, WriteId};
use crate::domain::model::{Field, Object, ObjectId, Value};

/// How long after its intent a request can still be carried out: it may wait for its turn, and then for its answer.
pub const LANDS_WITHIN: SignedDuration = SignedDuration::from_secs(180);
/// A `Date` header shows whole seconds, and so does an `ObjectId`.
const MARGIN: SignedDuration = SignedDuration::from_secs(2);

/// What was known before a write left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Objects of that name and kind under that parent that were known before a create.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<ObjectId>,
    /// When its object can have been born, by the service's own clock; nothing where the service never told the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<Born>,
    /// The object that the page had before a create: a task that moves leaves it behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<ObjectId>,
    /// The create that a task goes along with, in one request: what that makes is its project. Until it is known, the
    /// task's own write names no parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<WriteId>,
    /// What the other side holds of fields that are written to differ from it on purpose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub apart: BTreeMap<Field, Value>,
}

/// A span of the service's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Born {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
}

impl Born {
    /// The span for a request that leaves now, by the service's clock.
    pub fn of(now: Timestamp) -> Self {
        let until = now.saturating_add(LANDS_WITHIN + MARGIN).unwrap_or(now);
        Self { from: now.saturating_sub(MARGIN).unwrap_or(now), until }
    }

    /// When the last request left, by the service's clock.
    pub fn sent(self) -> Timestamp {
        self.until.saturating_sub(LANDS_WITHIN + MARGIN).unwrap_or(self.until)
    }

    /// The span from the beginning of one to the end of the other: a create that is sent again may find the object of
    /// the first.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { from: self.from.min(earlier.from), until: self.until.max(earlier.until) }
    }
}

impl Trace {
    /// True when the object was not known before, and was born while the write could be carried out. An id that does
    /// not tell when it was born excludes nothing.
    pub fn is_of_its_time(&self, object: ObjectId) -> bool {
        let Some(born) = self.born else { return !self.siblings.contains(&object) };
        let within = |second| (born.from.as_second()..=born.until.as_second()).contains(&second);
        !self.siblings.contains(&object) && object.created_second().is_none_or(within)
    }

    /// True when the object can be what a create made: it says so itself, or has the name, the parent and the time.
    pub fn fits(&self, write: &Write, object: &Object) -> bool {
        let Write::Create { page, kind, parent, name, marked, .. } = write else { return false };
        if object.kind != *kind {
            return false;
        }
        match object.marker {
            Some(marker) => marker == *page && !self.siblings.contains(&object.id),
            // What we mark carries the mark: this one is somebody else's.
            None if *marked => false,
            None => {
                object.parent == *parent
                    && object.name.canonical() == name.canonical()
                    && self.is_of_its_time(object.id)
            }
        }
    }

    /// True when the object can be what a create made and somebody has renamed since: all fits but its name.
    pub fn fits_but_for_the_name(&self, write: &Write, object: &Object) -> bool {
        let Write::Create { kind, parent, name, marked: false, .. } = write else { return false };
        self.born.is_some()
            && object.kind == *kind
            && object.parent == *parent
            && object.marker.is_none()
            && object.name.canonical() != name.canonical()
            && self.is_of_its_time(object.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{Kind, Nature, PageId, Values};

    const SENT: i64 = 1_779_660_516;

    fn id(second: i64, number: u32) -> ObjectId {
        format!("{second:08x}{number:016x}").parse().expect("an id")
    }

    fn create(kind: Kind, marked: bool) -> Write {
        let (page, name) = (PageId::from_number(1), "Acme".into());
        Write::Create { page, kind, parent: None, name, marked, like: None, fields: BTreeMap::new() }
    }

    fn object(id: ObjectId) -> Object {
        Object {
            id,
            kind: Kind::Task,
            name: "Acme".into(),
            parent: None,
            closed: false,
            marker: None,
            values: Values::default(),
            tracked_seconds: None,
            nature: Nature::default(),
        }
    }

    #[test]
    fn an_object_is_told_by_when_it_was_born_and_what_was_there_before() {
        let known = id(SENT, 7);
        let trace = Trace {
            siblings: vec![known],
            born: Some(Born::of(Timestamp::from_second(SENT).expect("a time"))),
            ..Trace::default()
        };
        for (born, fits) in [(SENT - 3, false), (SENT - 2, true), (SENT, true), (SENT + 182, true), (SENT + 183, false)]
        {
            assert_eq!(trace.fits(&create(Kind::Task, false), &object(id(born, 1))), fits, "{}", born - SENT);
        }
        assert!(!trace.fits(&create(Kind::Task, false), &object(known)));
        let named = "some-other-id".parse().expect("an id");
        assert!(trace.fits(&create(Kind::Task, false), &object(named)), "an id that tells no time excludes nothing");
        assert!(Trace::default().fits(&create(Kind::Task, false), &object(id(0, 1))));
    }

    #[test]
    fn a_mark_outweighs_the_name_and_what_should_have_one_and_has_none_is_not_ours() {
        let trace = Trace::default();
        let write = create(Kind::Client, true);
        let plain = Object { kind: Kind::Client, ..object(id(SENT, 1)) };
        let ours = Object { marker: Some(PageId::from_number(1)), name: "Renamed".into(), ..plain.clone() };
        let other = Object { marker: Some(PageId::from_number(2)), ..plain.clone() };
        assert_eq!([&plain, &ours, &other].map(|object| trace.fits(&write, object)), [false, true, false]);
    }

    #[test]
    fn what_was_renamed_meanwhile_is_doubtful_and_not_overlooked() {
        let trace = Trace { born: Some(Born::of(Timestamp::from_second(SENT).expect("a time"))), ..Trace::default() };
        let renamed = Object { name: "Umbrella".into(), ..object(id(SENT + 1, 1)) };
        let write = create(Kind::Task, false);
        assert!(!trace.fits(&write, &renamed) && trace.fits_but_for_the_name(&write, &renamed));
        assert!(!trace.fits_but_for_the_name(&write, &object(id(SENT + 1, 1))), "this one has the name");
        assert!(
            !Trace::default().fits_but_for_the_name(&write, &renamed),
            "without a time everything would be doubtful"
        );
    }
}
