//! What pages show of tracked time, where the configuration has properties for it: Clockify's side of those fields,
//! compared with the pages like any other.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{findings::Policy, read::Facts, tree::Sides};
use crate::domain::{
    model::{Field, Kind, Object, ObjectId, Page, PerKind, Registry, Snapshots, Value},
    reference::object_address,
    rules::Mapping,
};

/// Seconds of a hundredth of an hour, which pages show.
const HUNDREDTH: u64 = 36;

/// The last day on which time was tracked on each object, as far as it is known.
pub type LastDays = BTreeMap<ObjectId, Date>;

/// Puts into the objects what pages are to show of the time that is tracked on them, as far as that is known. To be done
/// once, before anything is compared.
pub fn state_tracked(
    snapshots: &mut Snapshots,
    registry: &Registry,
    mapping: &PerKind<Mapping>,
    facts: &BTreeMap<ObjectId, Facts>,
    policy: Policy,
    last: &LastDays,
) {
    let mut values: BTreeMap<ObjectId, Vec<(Field, Value)>> = BTreeMap::new();
    let sides = Sides::new(snapshots, registry, facts);
    for kind in Kind::ALL {
        let fields: Vec<Field> = mapping[kind].fields.keys().copied().filter(|field| field.is_tracked()).collect();
        // What a client comes to is known where all of its projects are.
        let is_whole = kind != Kind::Client || snapshots.objects.projects.complete().is_some();
        for object in snapshots.objects[kind].rows().iter().filter(|_| is_whole && !fields.is_empty()) {
            let Some(tracked) = snapshots.tracked_on(object) else { continue };
            let value = |field: &Field| {
                let value = match field {
                    // What has just been created has nothing to show, and no run writes it at once again.
                    _ if tracked == 0 => Value::Empty,
                    Field::Hours => hours(tracked),
                    Field::LastTracked => {
                        let day = *last.get(&object.id)?;
                        let later =
                            sides.pages.get(&object.id).and_then(|page| shown_day(page)).filter(|shown| *shown > day);
                        // An entry that was deleted, or that this key may not see, takes no day back.
                        later.is_none().then(|| Value::text(&day.to_string()))?
                    }
                    Field::BudgetState => {
                        sides.budget(object.id).map_or(Value::Empty, |planned| budget(tracked, planned, policy))
                    }
                    Field::Report => report(object)?,
                    _ => return None,
                };
                Some((*field, value))
            };
            values.insert(object.id, fields.iter().filter_map(value).collect());
        }
    }
    drop(sides);
    for kind in Kind::ALL {
        snapshots.objects[kind].update(|object| {
            for (field, value) in values.remove(&object.id).unwrap_or_default() {
                object.values.set(field, value);
            }
        });
    }
}

/// The day that a page shows.
fn shown_day(page: &Page) -> Option<Date> {
    match page.values.get(Field::LastTracked)? {
        Value::Text(day) => day.exact().parse().ok(),
        _ => None,
    }
}

/// A time to the hundredth of an hour; none is nothing.
fn hours(seconds: u64) -> Value {
    match seconds.saturating_add(HUNDREDTH / 2) / HUNDREDTH {
        0 => Value::Empty,
        hundredths => Value::Seconds(hundredths * HUNDREDTH),
    }
}

/// How what is tracked stands to what is planned. Options may have no comma (Notion docs, page property values).
fn budget(tracked: u64, planned: u64, policy: Policy) -> Value {
    Value::text(if tracked > planned {
        "Over budget"
    } else if policy.is_near(tracked, planned) {
        "Near budget"
    } else {
        "Within budget"
    })
}

/// Where Clockify shows the figures of a project, or of the one that a task is of.
fn report(object: &Object) -> Option<Value> {
    let project = match object.kind {
        Kind::Client => return None,
        Kind::Project => object.id,
        Kind::Task => object.parent?,
    };
    Some(Value::text(&object_address(Kind::Project, project)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Raw;

    #[test]
    fn a_page_shows_hundredths_of_an_hour_and_no_zero() {
        for (seconds, shown) in [(0, None), (17, None), (18, Some(36)), (3600, Some(3600)), (11_999, Some(11_988))] {
            assert_eq!(hours(seconds), shown.map_or(Value::Empty, Value::Seconds), "{seconds}");
        }
    }

    #[test]
    fn a_budget_is_near_from_its_share_on_and_over_when_more_is_tracked() {
        let words = [0, 79, 80, 100, 101].map(|tracked| budget(tracked, 100, Policy::default()).to_raw());
        assert_eq!(
            words.each_ref().map(Raw::exact),
            ["Within budget", "Within budget", "Near budget", "Near budget", "Over budget"]
        );
    }
}
