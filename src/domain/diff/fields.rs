//! The three-way comparison of single fields. In the common case, where all agree, nothing is allocated.

use super::{Candidate, Differ};
use crate::domain::{
    model::{Agreed, Base, Field, Object, Page, Relation, Value},
    pair::Match,
};

/// How a field's two values stand to each other and to the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Comparison {
    /// They are equal, and the base does not say so yet.
    Agreed,
    /// Only Notion moved.
    NotionChanged,
    /// Only Clockify moved.
    ClockifyChanged,
    /// Both moved.
    Conflict,
    /// There is no base.
    FirstSight,
    /// Notion's value was sent, and Clockify did not keep it; neither has moved since.
    NotKept,
}

/// A field about which there is something to say.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pub(super) field: Field,
    pub(super) wanted: Value,
    pub(super) current: Value,
    /// What Notion held when both were last verified.
    pub(super) base: Option<Value>,
    pub(super) comparison: Comparison,
}

/// Compares two values; nothing when they agree as the base says, or differ as the base says.
fn compare(field: Field, wanted: &Value, current: &Value, base: Option<&Agreed>) -> Option<Compared> {
    let comparison = comparison(wanted, current, base)?;
    let base = base.map(|base| base.notion().clone());
    Some(Compared { field, wanted: wanted.clone(), current: current.clone(), base, comparison })
}

/// The table at the top of `diff`.
pub(in crate::domain) fn comparison(wanted: &Value, current: &Value, base: Option<&Agreed>) -> Option<Comparison> {
    if wanted == current {
        let known = matches!(base, Some(Agreed::Same(value)) if value == wanted);
        return (!known).then_some(Comparison::Agreed);
    }
    let Some(base) = base else { return Some(Comparison::FirstSight) };
    let is_seen = matches!(base, Agreed::Seen(_));
    match (base.notion() == wanted, base.clockify() == current) {
        (true, true) => (is_seen && *wanted != Value::Empty).then_some(Comparison::NotKept),
        // What says nothing asks for nothing, whatever the other side does.
        (true, false) if is_seen && *wanted == Value::Empty => Some(Comparison::FirstSight),
        (false, true) => Some(Comparison::NotionChanged),
        (true, false) => Some(Comparison::ClockifyChanged),
        (false, false) => Some(Comparison::Conflict),
    }
}

/// Compares whether both are open, where both say it.
pub(super) fn state(page: &Page, object: &Object, base: Option<&Base>) -> Option<Compared> {
    let base = base.and_then(|base| base.get(Field::State));
    compare(Field::State, &Value::Closed(page.standing.closed()?), &Value::Closed(object.state()?), base)
}

/// What decides whether an object is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// The page.
    Own,
    /// The rule, which closes it along with what it stands below.
    Close,
    /// The rule, which opens it again.
    Open,
    /// The rule has done what it does, or there was nothing to do: it stays as it is.
    Leave,
}

/// What the rule that closes children along with their parents wants of the state, if it has a say.
pub(super) fn along(course: Course, base: Option<&Base>) -> Option<Compared> {
    let closes = match course {
        Course::Close => true,
        Course::Open => false,
        Course::Own | Course::Leave => return None,
    };
    let (wanted, current) = (Value::Closed(closes), Value::Closed(!closes));
    let base = base.and_then(|base| base.get(Field::State)).map(|agreed| agreed.notion().clone());
    Some(Compared { field: Field::State, wanted, current, base, comparison: Comparison::NotionChanged })
}

/// Compares the name and the mapped fields that both sides could be read for.
pub(super) fn others(page: &Page, object: &Object, base: Option<&Base>) -> Vec<Compared> {
    let of = |field| base.and_then(|base| base.get(field));
    let mut compared = Vec::new();
    let (wanted, current) = (page.title.canonical(), object.name.canonical());
    let known = matches!(of(Field::Name), Some(Agreed::Same(Value::Text(name))) if name.exact() == wanted.as_str());
    if wanted != current || !known {
        compared.extend(compare(Field::Name, &Value::name(&page.title), &Value::name(&object.name), of(Field::Name)));
    }
    compared.extend(mapped(page, object, base, |field| !field.is_tracked()));
    compared
}

/// Compares what the page shows of tracked time.
pub(super) fn tracked(page: &Page, object: &Object, base: Option<&Base>) -> Vec<Compared> {
    mapped(page, object, base, Field::is_tracked).collect()
}

fn mapped<'v>(
    page: &'v Page,
    object: &'v Object,
    base: Option<&'v Base>,
    is_meant: impl Fn(Field) -> bool + 'v,
) -> impl Iterator<Item = Compared> + 'v {
    page.values.iter().filter(move |(field, _)| is_meant(*field)).filter_map(move |(field, wanted)| {
        compare(field, wanted, object.values.get(field)?, base.and_then(|base| base.get(field)))
    })
}

impl<'a> Differ<'a> {
    /// Compares under which parent both stand. Several parents differ from everything, and the change is held; of one
    /// that is not seen, nothing can be said.
    pub(super) fn parent(&self, page: &Page, pair: Candidate<'a>, base: Option<&Base>) -> Option<Compared> {
        page.kind.parent()?;
        let base = base.and_then(|base| base.get(Field::Parent));
        let current = pair.object.parent.map_or(Value::Empty, Value::Object);
        if matches!(page.parent, Relation::Unknown(_)) {
            return None;
        }
        let Relation::One(parent) = &page.parent else {
            // Without a client on either side there is nothing to say; otherwise `hold_parent` says why this is held.
            let silent = pair.object.parent.is_none() && page.parent == Relation::None;
            return if silent {
                compare(Field::Parent, &Value::Empty, &current, base)
            } else {
                let base = base.map(|base| base.notion().clone());
                Some(Compared {
                    field: Field::Parent,
                    wanted: Value::Empty,
                    current,
                    base,
                    comparison: Comparison::NotionChanged,
                })
            };
        };
        let (above, found) = self.pairs.of(*parent)?;
        let known = pair.object.parent.and_then(|object| self.pairs.owner(object));
        if known == Some(*parent) {
            return compare(Field::Parent, &current, &current, base);
        }
        let wanted = match (found.certain(), found) {
            (Some(object), _) => Value::Object(object.id),
            (None, Match::Unseen { .. }) => return None,
            // The parent's object is still to be created or linked: it cannot be where the object stands now.
            (None, _) => Value::name(&above.title),
        };
        compare(Field::Parent, &wanted, &current, base)
    }
}
