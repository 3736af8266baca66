//! What a write rests on is read again shortly before it leaves, and compared with what was planned: nobody's edit is
//! overwritten unseen.

use std::collections::BTreeMap;

use super::{Applying, Journal, Target, WriteFailure};
use crate::domain::{
    journal::Write,
    model::{Entry, Field, Kind, Object, ObjectId, Page, PageId, Refiled, Refiling, Service, Value},
    plan::field_word,
    steps,
    text::{Raw, Shown},
};

/// Columns of a value in a sentence; longer ones are cut in the middle.
const VALUE_COLUMNS: usize = 60;

/// What a write rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The object that is changed.
    Object(Kind, ObjectId),
    /// The page whose fields are changed.
    Page(Kind, PageId),
    /// The names that are taken where something is created: of one kind, under one parent.
    Names(Kind, Option<ObjectId>),
    /// The time entries that go elsewhere.
    Entries(Box<Refiling>),
}

impl Subject {
    /// What a change rests on; nothing for an ID that goes into an empty property, and for what only punchlist
    /// writes.
    pub(super) fn of(write: &Write, page: Option<&Page>) -> Option<Self> {
        match write {
            Write::Create { .. } => None,
            Write::Refile { refiling, .. } => Some(Self::Entries(Box::new(refiling.clone()))),
            Write::Update { kind, object, .. } => Some(Self::Object(*kind, *object)),
            Write::WriteBack { page: id, kind, claim, fields } => {
                let over_another_id = claim.is_some() && page.is_some_and(|page| !page.claim.is(None));
                let over_fields = fields.keys().any(|field| !field.is_sync_status());
                (over_another_id || over_fields).then_some(Self::Page(*kind, *id))
            }
        }
    }

    /// The service that it is read from.
    pub fn service(&self) -> Service {
        match self {
            Self::Object(..) | Self::Names(..) | Self::Entries(_) => Service::Clockify,
            Self::Page(..) => Service::Notion,
        }
    }
}

/// What was seen of something that was read again.
#[derive(Clone, Debug)]
pub enum Observed {
    Object(Box<Object>),
    Page(Box<Page>),
    /// What is there of one kind under one parent.
    Names(Vec<Object>),
    /// Those of the time entries that are there.
    Entries(Vec<Entry>),
    /// The service does not show it any more.
    Gone,
}

/// What was read again, each with what was seen of it or why it could not be read.
pub type Readings = Vec<(Subject, Result<Observed, WriteFailure>)>;

/// What a reading means for a write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// It is as planned, in all that is written.
    Firm,
    /// It is not: why nothing is written.
    Moved(Shown),
}

impl<J: Journal> Applying<'_, '_, J> {
    /// Compares what was just seen with what was planned on: the fields that are written, and whether it is open.
    pub(super) fn ground(&self, write: &Write, observed: &Observed) -> Ground {
        let (then, now, wanted): (_, _, BTreeMap<Field, Value>) = match (write, observed) {
            (Write::Update { kind, object, fields, .. }, Observed::Object(now)) => {
                let Some(then) = self.object_left(*kind, *object) else { return Ground::Firm };
                let values = |object: &Object| with_state(fields, |field| steps::current(object, field));
                (values(then), values(now), fields.clone())
            }
            // What takes another one's place rests on that, and on where it stands.
            (Write::Create { kind, like: Some(like), fields, .. }, Observed::Object(now)) => {
                let Some(then) = self.object_left(*kind, *like) else { return Ground::Firm };
                let stands = |object: &Object| {
                    let mut values = with_state(fields, |field| steps::current(object, field));
                    values.extend(steps::current(object, Field::Parent).map(|parent| (Field::Parent, parent)));
                    values
                };
                (stands(then), stands(now), fields.clone())
            }
            (Write::WriteBack { page, kind, claim, fields }, Observed::Page(now)) => {
                let Some(then) = self.page_left(*kind, *page) else { return Ground::Firm };
                let claims = claim.map(|claim| (Field::Claim, claim.map_or(Value::Empty, Value::Object)));
                let fields: BTreeMap<Field, Value> = fields.clone().into_iter().chain(claims).collect();
                let values = |page: &Page| with_state(&fields, |field| steps::wanted(page, field));
                let mut before = values(then);
                if let (Some(title), Some(name)) = (self.stated_title(*page), before.get_mut(&Field::Name)) {
                    *name = Value::name(title);
                }
                (before, values(now), fields)
            }
            (Write::Create { page, kind, parent, name, .. }, Observed::Names(there)) => {
                return self.room_for(*page, *kind, *parent, name, there);
            }
            (Write::Refile { refiling, .. }, Observed::Entries(there)) => {
                return ground_of_entries(refiling, there);
            }
            _ => return Ground::Moved("it is not there any more, as far as the service shows".to_owned().into()),
        };
        let moved: Vec<String> = then
            .iter()
            .filter(|(field, then)| now.get(field) != Some(*then))
            // Somebody has done by hand what is about to be done: writing it changes nothing.
            .filter(|(field, _)| wanted.get(field).is_none_or(|wanted| now.get(field) != Some(wanted)))
            .map(|(field, then)| {
                let word = field_word(write.kind(), *field);
                let now = now
                    .get(field)
                    .map_or_else(|| "not known".to_owned(), |value| self.words(write.kind(), *field, value));
                format!("{word} was {} when it was planned, and is {now} now", self.words(write.kind(), *field, then))
            })
            .collect();
        if moved.is_empty() {
            Ground::Firm
        } else {
            Ground::Moved(format!("it has moved: {}", moved.join("; ")).into())
        }
    }

    /// Whether nobody has created meanwhile what is about to be created.
    fn room_for(&self, page: PageId, kind: Kind, parent: Option<ObjectId>, name: &Raw, there: &[Object]) -> Ground {
        let is_same = |object: &Object| object.parent == parent && object.name.canonical() == name.canonical();
        let is_new = |object: &Object| self.object_left(kind, object.id).is_none();
        match there.iter().find(|object| is_new(object) && (object.marker == Some(page) || is_same(object))) {
            Some(object) => Ground::Moved(
                format!("somebody else has created it meanwhile ({}): run again, and it is found", object.id).into(),
            ),
            None => Ground::Firm,
        }
    }

    /// Looks once more where things were created, for what somebody else has created in the same moment.
    pub(super) async fn find_twins<T: Target>(&mut self, target: &T) -> Result<(), J::Error> {
        let mut open: Vec<Subject> = self.created.keys().cloned().collect();
        while let Some(&Subject::Names(first, _)) = open.first() {
            let is_alike = |subject: &Subject| matches!(subject, Subject::Names(kind, _) if *kind == first);
            let alike: Vec<Subject> = open.extract_if(.., |subject| is_alike(subject)).collect();
            for (subject, reading) in target.read(&alike).await {
                // What cannot be seen now, the next plan shows.
                let (Ok(Observed::Names(there)), Some(created)) = (reading, self.created.remove(&subject)) else {
                    continue;
                };
                for (step, own) in created {
                    let Some(ours) = self.own_objects.get(&own) else { continue };
                    let is_twin = |object: &&Object| {
                        object.id != own
                            && self.object(object.kind, object.id).is_none()
                            && object.parent == ours.parent
                            && object.name.canonical() == ours.name.canonical()
                    };
                    let twins: Vec<ObjectId> = there.iter().filter(is_twin).map(|object| object.id).collect();
                    if !twins.is_empty() {
                        self.tell_of_twins(step, &twins).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A value as people read it; a parent by its name.
    fn words(&self, kind: Kind, field: Field, value: &Value) -> String {
        let named = match (field, value, kind.parent()) {
            (Field::Parent, Value::Object(id), Some(above)) => {
                self.object_left(above, *id).map(|object| object.name.clone())
            }
            _ => None,
        };
        let raw = named.unwrap_or_else(|| value.to_raw());
        if *value == Value::Empty {
            "empty".to_owned()
        } else {
            format!("“{}”", raw.shown().clipped(VALUE_COLUMNS))
        }
    }
}

/// Whether all entries are where they were and as long as they were when it was planned. What else somebody has
/// changed of one is carried over, and one that somebody has put where it belongs stays there.
fn ground_of_entries(refiling: &Refiling, there: &[Entry]) -> Ground {
    let is_firm = |id: &ObjectId, planned: &Refiled| {
        let entry = there.iter().find(|entry| entry.id == *id && entry.user == refiling.user && !entry.is_locked);
        entry.is_some_and(|entry| {
            entry.seconds == Some(planned.seconds) && [planned.from, planned.to].contains(&entry.at)
        })
    };
    let moved = refiling.entries.iter().filter(|(id, planned)| !is_firm(id, planned)).count();
    if moved == 0 {
        return Ground::Firm;
    }
    let text = format!(
        "{moved} of {} were moved, changed, locked or deleted since it was planned: run again for the others",
        refiling.count()
    );
    Ground::Moved(text.into())
}

/// The values of the fields that are written, and whether it is open.
fn with_state(fields: &BTreeMap<Field, Value>, value: impl Fn(Field) -> Option<Value>) -> BTreeMap<Field, Value> {
    let fields = fields.keys().copied().chain([Field::State]);
    fields.filter_map(|field| Some((field, value(field)?))).collect()
}
