//! What pages mean beyond what they say, once both sides are read: who is assigned in place of people without an account.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    model::{Field, PageId, Reading, Snapshots, Value},
    rules::{Rules, Strangers},
    text::Raw,
};

/// Puts into the pages what the rules say in their place. To be done once, before anything is compared.
pub fn imply(snapshots: &mut Snapshots, rules: &Rules) {
    place_strangers(snapshots, &rules.mapping.tasks.strangers);
}

/// Replaces people without an account, or leaves them out. Without knowing everybody who has one, nobody is a stranger.
fn place_strangers(snapshots: &mut Snapshots, strangers: &Strangers) {
    let stand_in = match strangers {
        Strangers::Hold => return,
        Strangers::Leave => None,
        Strangers::StandIn(person) => Some(person.clone()),
    };
    let mut met: BTreeMap<Raw, BTreeSet<PageId>> = BTreeMap::new();
    let accounts = snapshots.limits.accounts.as_ref();
    snapshots.pages.tasks.update(|page| {
        let Some(Value::People(people)) = page.values.get(Field::Assignees) else { return };
        let Some(accounts) = accounts else {
            let because = "who has an account in the Clockify workspace could not be read completely".to_owned();
            return page.values.put(Field::Assignees, Reading::Unknown(because));
        };
        let (mut known, strangers): (BTreeSet<Raw>, BTreeSet<Raw>) =
            people.iter().cloned().partition(|person| accounts.contains(person));
        if strangers.is_empty() {
            return;
        }
        known.extend(stand_in.clone());
        page.values.set(Field::Assignees, if known.is_empty() { Value::Empty } else { Value::People(known) });
        if page.standing.is_open() {
            for person in strangers {
                met.entry(person).or_default().insert(page.id);
            }
        }
    });
    snapshots.strangers = met;
}
