//! The link after a write: which object the page has, and what both sides then hold.

use std::collections::BTreeMap;

use crate::domain::{
    journal::{Trace, Write},
    model::{Agreed, Base, Claim, Field, Link, Object, ObjectId, Page, PageId, Sight, Snapshots, Value},
    text::Raw,
};

/// What an object holds of a field, in the form in which both sides are compared.
pub fn current(object: &Object, field: Field) -> Option<Value> {
    Some(match field {
        Field::Name => Value::name(&object.name),
        Field::Parent => object.parent.map_or(Value::Empty, Value::Object),
        Field::State => Value::Closed(object.closed),
        Field::Claim => Value::Object(object.id),
        _ => return object.values.get(field).cloned(),
    })
}

/// What a page holds of a field, in the form in which both sides are compared. A parent is not in the page but in the registry.
pub fn wanted(page: &Page, field: Field) -> Option<Value> {
    Some(match field {
        Field::Name => Value::name(&page.title),
        Field::State => Value::Closed(page.standing.is_closed()),
        Field::Claim => page.claim.value(),
        Field::Parent => return None,
        Field::SyncStatus | Field::SyncNote => return page.told.get(field).cloned(),
        _ => return page.values.get(field).cloned(),
    })
}

/// The link of a page with an object that is not its own yet: nothing is agreed on, and the ID is to be written over what the ID property
/// holds, unless it is there.
pub fn fresh(page: PageId, object: &Object, claim: &Claim) -> Link {
    let unwritten = (claim.id() != Some(object.id)).then(|| claim.value());
    let (kind, object, base) = (object.kind, object.id, Base::default());
    Link { page, kind, object, sight: Sight::Expected, base, left: Vec::new(), unwritten }
}

/// The link after an object was created for a page: what was sent on one side, what the service answered on the other.
pub fn created(page: PageId, object: &Object, claim: &Claim, name: &Raw, sent: &BTreeMap<Field, Value>) -> Link {
    let link = fresh(page, object, claim);
    let defaults = [Field::Parent, Field::State].into_iter().filter_map(|field| Some((field, current(object, field)?)));
    let name = (Field::Name, Value::name(name));
    let all: BTreeMap<Field, Value> = defaults.chain([name]).chain(sent.clone()).collect();
    verified(link, object, &all)
}

/// The link after a create was found to have happened, some time later: both sides held what was sent, and what the object holds
/// otherwise by now was edited since.
pub fn recovered(
    page: PageId,
    object: &Object,
    claim: &Claim,
    parent: Option<ObjectId>,
    name: &Raw,
    sent: &BTreeMap<Field, Value>,
) -> Link {
    let mut link = created(page, object, claim, name, sent);
    let parent = parent.map(|parent| (Field::Parent, Value::Object(parent)));
    let fixed = [(Field::Name, Value::name(name)), (Field::State, Value::Closed(false))];
    for (field, value) in fixed.into_iter().chain(parent).chain(sent.clone()) {
        link.base.set(field, Agreed::Same(value));
    }
    link
}

/// What a page leaves behind when it gets another object than the linked one: that one, if it is there, and what was left before.
pub fn leaving(before: &Link, snapshots: &Snapshots) -> Vec<ObjectId> {
    let here = snapshots.objects[before.kind].get(before.object).map(|object| object.id);
    before.left.iter().copied().chain(here).collect()
}

/// The link after fields were written into its object, or into its page: both halves of the base as they are now.
#[must_use]
pub fn verified(mut link: Link, object: &Object, wanted: &BTreeMap<Field, Value>) -> Link {
    for (&field, wanted) in wanted {
        if let Some(current) = current(object, field) {
            link.base.set(field, Agreed::on(wanted.clone(), current));
        }
    }
    link
}

/// The link after its page was written, if that changes anything: the ID in the page may differ from the link's on purpose.
pub fn written_back(
    link: &Link,
    object: Option<&Object>,
    claim: Option<Option<ObjectId>>,
    fields: &BTreeMap<Field, Value>,
) -> Option<Link> {
    let mut next = match object.filter(|_| !fields.is_empty()) {
        Some(object) => verified(link.clone(), object, fields),
        None => link.clone(),
    };
    next.unwritten = next.unwritten.filter(|_| claim.is_none());
    match claim {
        Some(Some(own)) if own == link.object => next.base.forget(Field::Claim),
        Some(claim) => {
            let (notion, clockify) = (claim.map_or(Value::Empty, Value::Object), Value::Object(link.object));
            next.base.set(Field::Claim, Agreed::on(notion, clockify));
        }
        None => {}
    }
    (next != *link).then_some(next)
}

/// The link after a write was found to have happened, some time later: what was to differ on purpose does. Nothing where that changes
/// nothing; what else was written is found to agree by the next comparison.
pub fn settled(link: &Link, request: &Write, trace: &Trace) -> Option<Link> {
    let mut next = link.clone();
    match request {
        Write::Update { object, fields, .. } if *object == link.object => {
            for (&field, sent) in fields {
                if let Some(wanted) = trace.apart.get(&field) {
                    next.base.set(field, Agreed::on(wanted.clone(), sent.clone()));
                }
            }
        }
        Write::Create { .. } | Write::Update { .. } => {}
        Write::WriteBack { claim, fields, .. } => {
            next = written_back(link, None, *claim, &BTreeMap::new()).unwrap_or(next);
            for (&field, sent) in fields {
                if let Some(current) = trace.apart.get(&field) {
                    next.base.set(field, Agreed::on(sent.clone(), current.clone()));
                }
            }
        }
    }
    (next != *link).then_some(next)
}
