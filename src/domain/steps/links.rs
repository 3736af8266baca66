//! The link after a write: which object the page has, and what both sides then hold.

use std::collections::BTreeMap;

use crate::domain::{
    journal::{Trace, Write},
    model::{Agreed, Along, Base, Claim, Field, Link, Object, ObjectId, Page, PageId, Sight, Snapshots, Value},
};

/// What an object holds of a field, in the form in which both sides are compared.
pub fn current(object: &Object, field: Field) -> Option<Value> {
    Some(match field {
        Field::Name => Value::name(&object.name),
        Field::Parent => object.parent.map_or(Value::Empty, Value::Object),
        Field::State => Value::Closed(object.state()?),
        Field::Claim => Value::Object(object.id),
        _ => return object.values.get(field).cloned(),
    })
}

/// What a page holds of a field, in the form in which both sides are compared. A parent is not in the page but in the
/// registry.
pub fn wanted(page: &Page, field: Field) -> Option<Value> {
    Some(match field {
        Field::Name => Value::name(&page.title),
        Field::State => Value::Closed(page.standing.closed()?),
        Field::Claim => return page.claim.value(),
        Field::Parent => return None,
        Field::SyncStatus | Field::SyncNote => return page.sync_status.get(field).cloned(),
        _ => return page.values.get(field).cloned(),
    })
}

/// The link of a page with an object that is not its own yet: nothing is agreed on, and the ID is to be written over
/// what the ID property holds, unless it is there.
pub fn fresh(page: PageId, object: &Object, claim: &Claim) -> Link {
    let unwritten = claim.value().filter(|_| claim.id() != Some(object.id)).map(Box::new);
    let (kind, object, base) = (object.kind, object.id, Base::default());
    Link { page, kind, object, sight: Sight::Expected, base, left: Vec::new(), along: Along::No, unwritten }
}

/// What a create sends, its name, its parent and that it is open among it; nothing of other writes.
pub fn sent_at_birth(write: &Write) -> BTreeMap<Field, Value> {
    let Write::Create { parent, name, fields, .. } = write else { return BTreeMap::new() };
    let parent = parent.map_or(Value::Empty, Value::Object);
    let fixed = [(Field::Name, Value::name(name)), (Field::Parent, parent), (Field::State, Value::Closed(false))];
    fixed.into_iter().chain(fields.clone()).collect()
}

/// The link after values were sent to its object, as the answer shows that, and the fields that the service did not
/// keep. What Notion holds is what was sent, but where both sides are to differ on purpose, `apart`; the object was as
/// `before`, if it was there.
pub fn answered(
    mut link: Link,
    object: &Object,
    sent: &BTreeMap<Field, Value>,
    apart: &BTreeMap<Field, Value>,
    before: Option<&Object>,
) -> (Link, Vec<Field>) {
    let mut lost = Vec::new();
    for (&field, sent) in sent {
        if field == Field::State {
            link.along = along(link.along, object.state());
        }
        let old = before.and_then(|before| current(before, field));
        let Some(now) = current(object, field) else {
            lost.extend(before.map(|_| field));
            continue;
        };
        let notion = apart.get(&field).unwrap_or(sent).clone();
        if is_kept(field, sent, old.as_ref(), &now) {
            link.base.set(field, Agreed::on(notion, now));
        } else {
            link.base.set(field, Agreed::seen(notion, now));
            lost.push(field);
        }
    }
    (link, lost)
}

/// True where an answer shows what was sent, or what the service made of a text. What still shows the old value was not
/// taken.
fn is_kept(field: Field, sent: &Value, old: Option<&Value>, now: &Value) -> bool {
    let is_text = matches!(field, Field::Name | Field::Email | Field::Address | Field::Note);
    let is_made_of_it = is_text && matches!((sent, now), (Value::Text(_), Value::Text(_))) && old != Some(now);
    now == sent || is_made_of_it
}

/// The link after a create was found to have happened, some time later: both sides held its name, its parent and that
/// it is open, and what differs of that by now was edited since. Of other values nobody knows whether they were edited,
/// or not kept.
pub fn recovered(page: PageId, object: &Object, claim: &Claim, write: &Write, apart: &BTreeMap<Field, Value>) -> Link {
    let mut link = fresh(page, object, claim);
    for (field, sent) in sent_at_birth(write) {
        let notion = apart.get(&field).unwrap_or(&sent).clone();
        let is_fixed = matches!(field, Field::Name | Field::Parent | Field::State);
        let agreed = match current(object, field) {
            Some(now) if !is_fixed && now != sent => Agreed::seen(notion, now),
            None if !is_fixed => continue,
            _ => Agreed::on(notion, sent),
        };
        link.base.set(field, agreed);
    }
    link
}

/// What a page leaves behind when it gets another object than the linked one: that one, unless it is gone, and what was
/// left before.
pub fn leaving(before: &Link, snapshots: &Snapshots) -> Vec<ObjectId> {
    let here = (!snapshots.is_gone(before.kind, before.object)).then_some(before.object);
    before.left.iter().copied().chain(here).collect()
}

/// The link after fields were written into its object, or into its page: both halves of the base as they are now.
#[must_use]
pub fn verified(mut link: Link, object: &Object, wanted: &BTreeMap<Field, Value>) -> Link {
    for (&field, wanted) in wanted {
        if let Some(current) = current(object, field) {
            link.base.set(field, Agreed::on(wanted.clone(), current));
        }
        if field == Field::State {
            link.along = along(link.along, object.state());
        }
    }
    link
}

/// How far the rule `close_children` has got once the state was written. What is closed although the rule had done so
/// before was closed by somebody else; what is opened meanwhile stays the rule's until its parent opens.
fn along(before: Along, closed: Option<bool>) -> Along {
    match (before, closed) {
        (Along::Closing, Some(true)) => Along::Closed,
        (Along::Closed, Some(true)) => Along::No,
        (before, _) => before,
    }
}

/// The link after its page was written, if that changes anything: the ID in the page may differ from the link's on
/// purpose, and so may values from what the object holds, `apart`.
pub fn written_back(
    link: &Link,
    claim: Option<Option<ObjectId>>,
    fields: &BTreeMap<Field, Value>,
    apart: &BTreeMap<Field, Value>,
) -> Option<Link> {
    let mut next = link.clone();
    for (&field, sent) in fields.iter().filter(|(field, _)| !field.is_sync_status()) {
        next.base.set(field, Agreed::on(sent.clone(), apart.get(&field).unwrap_or(sent).clone()));
    }
    match claim {
        Some(Some(own)) if own == link.object => {
            next.base.forget(Field::Claim);
            next.unwritten = None;
        }
        Some(claim) => stays_out(&mut next, claim.map_or(Value::Empty, Value::Object)),
        None => {}
    }
    (next != *link).then_some(next)
}

/// Notes that the page's ID property holds something else than the link's ID on purpose.
pub fn stays_out(link: &mut Link, claim: Value) {
    link.base.set(Field::Claim, Agreed::on(claim, Value::Object(link.object)));
    link.unwritten = None;
}

/// The link after a write was found to have happened, some time later: what was to differ on purpose does. Nothing
/// where that changes nothing; what else was written is found to agree by the next comparison.
pub fn settled(link: &Link, request: &Write, trace: &Trace) -> Option<Link> {
    let mut next = link.clone();
    match request {
        Write::Update { object, fields, .. } if *object == link.object => {
            for (&field, sent) in fields {
                if let Some(wanted) = trace.apart.get(&field) {
                    next.base.set(field, Agreed::on(wanted.clone(), sent.clone()));
                }
                if let (Field::State, Value::Closed(closed)) = (field, sent) {
                    next.along = along(next.along, Some(*closed));
                }
            }
            if let Some(claim) = trace.apart.get(&Field::Claim) {
                stays_out(&mut next, claim.clone());
            }
        }
        Write::Create { .. } | Write::Update { .. } | Write::Refile { .. } => {}
        Write::WriteBack { claim, fields, .. } => {
            let differing: BTreeMap<Field, Value> = fields
                .iter()
                .filter(|(field, _)| trace.apart.contains_key(field))
                .map(|(f, v)| (*f, v.clone()))
                .collect();
            return written_back(link, *claim, &differing, &trace.apart);
        }
    }
    (next != *link).then_some(next)
}
