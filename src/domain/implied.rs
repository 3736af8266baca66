//! What pages mean beyond what they say, once both sides are read: who is assigned in place of people without an
//! account, the project of an item that stands below another one, and how tasks of one name are told apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    dated,
    model::{Fetched, Field, Kind, Page, PageId, Reading, Registry, Relation, Snapshots, Value},
    rules::{Rules, SameName, Strangers},
    text::Raw,
};

/// Items above one another; more are surely not meant.
const ITEMS_MAX: usize = 100;

/// Puts into the pages what the rules say in their place. To be done once, before anything is compared.
pub fn imply(snapshots: &mut Snapshots, registry: &Registry, rules: &Rules) {
    place_strangers(snapshots, &rules.mapping.tasks.strangers);
    for kind in Kind::ALL {
        inherit_parents(&mut snapshots.pages[kind]);
    }
    match rules.same_name {
        SameName::Hold => {}
        SameName::AddDate => dated::tell_apart(snapshots, registry),
    }
}

/// Gives each page that names no parent the one of the page that it is an item of, or of the nearest above that names
/// one.
fn inherit_parents(pages: &mut Fetched<Page>) {
    let inherited = pages.rows().iter().filter_map(|page| Some((page.id, parent_above(pages, page)?)));
    let mut inherited: BTreeMap<PageId, Relation> = inherited.collect();
    pages.update(|page| {
        if let Some(parent) = inherited.remove(&page.id) {
            page.parent = parent;
        }
    });
}

/// The parent that a page has from the items above it; nothing where it has its own, or where none of them names one.
fn parent_above(pages: &Fetched<Page>, page: &Page) -> Option<Relation> {
    let above = page.kind.parent().filter(|_| page.parent == Relation::None)?;
    let unknown = |because: String| Some(Relation::Unknown(because.into()));
    let (mut at, mut seen) = (page, BTreeSet::from([page.id]));
    loop {
        let next = match &at.item_of {
            Relation::None => return None,
            Relation::One(next) => *next,
            Relation::Several(items) => {
                return unknown(format!("{} names {} parent items", whose(page, at), items.len()));
            }
            Relation::Unknown(because) => return Some(Relation::Unknown(because.clone())),
        };
        if !seen.insert(next) {
            return unknown("the parent items above it go round in a circle".to_owned());
        }
        if seen.len() > ITEMS_MAX {
            return unknown(format!("there are more than {ITEMS_MAX} parent items above it"));
        }
        let Some(next) = pages.get(next) else {
            return unknown(format!("{} names a parent item that punchlist does not see", whose(page, at)));
        };
        match &next.parent {
            Relation::None => at = next,
            Relation::One(parent) => return Some(Relation::One(*parent)),
            Relation::Several(parents) => {
                return unknown(format!("{} names {} {}", whose(page, next), parents.len(), above.plural()));
            }
            Relation::Unknown(because) => return unknown(format!("{}: {because}", whose(page, next))),
        }
    }
}

/// The page itself, or one above it by its name.
fn whose(page: &Page, at: &Page) -> String {
    if page.id == at.id { "it".to_owned() } else { format!("its parent item “{}”", at.title.shown().clipped(40)) }
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
            let because = "who has an account in the Clockify workspace could not be read completely".into();
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
