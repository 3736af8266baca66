//! What holds of every world: random trees with random edits on both sides.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

use super::world::{World, at};
use crate::domain::{
    diff::diff,
    model::{Away, Claim, Field, Kind, ObjectId, PageId, Relation, Sight, Standing, Value, Walk},
    pair::{Match, pair},
    plan::{Action, Change, Scope, State},
    rules::{Brake, IdStrategy, OnConflict, OnDrift},
};

/// Few names, so that they meet: exactly, but for case or spaces, by normal form; and one that Clockify refuses.
const NAMES: [&str; 10] = ["Aa", "aa", " Aa ", "Bb", "B b", "Cc", "Écran", "E\u{301}cran", "<b>", "Dd"];

/// What happens, to which rows, with which name or value.
pub(crate) type Edit = (u8, u8, u8, u8);

pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    vec(any::<Edit>(), 0..10)
}

/// The same cases each time, so that nobody's work is stopped by chance. `PROPTEST_CASES=20000` goes hunting for
/// others.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let hunting = config.cases != 256;
    if hunting { config } else { ProptestConfig { cases: count, rng_seed: RngSeed::Fixed(1), ..config } }
}

/// A tree that both sides agree on.
pub(crate) fn tree() -> World {
    let mut world = World::default();
    for client in ["A", "B", "C"] {
        world.link(client);
        for project in ["P1", "P2"] {
            let project = format!("{client}/{project}");
            world.link(&project).agree(&project, Field::Note, &Value::text("note"));
            for task in ["T1", "T2"] {
                world.link(&format!("{project}/{task}"));
            }
        }
    }
    // Brakes are tested by themselves; here they would hide what is looked for.
    let off = Brake { count: 1000, percent: 0 };
    (world.rules.brakes.close, world.rules.brakes.rename, world.rules.brakes.move_) = (off, off, off);
    world
}

/// The world after some edits.
pub(crate) fn edited(edits: &[Edit]) -> World {
    let mut world = tree();
    for edit in edits {
        happen(&mut world, *edit);
    }
    world
}

pub(crate) fn happen(world: &mut World, (what, one, other, name): Edit) {
    if world.pages.is_empty() || world.objects.is_empty() {
        return;
    }
    let page = nth(&world.pages, one);
    let object = nth(&world.objects, one);
    let text = NAMES[usize::from(name) % NAMES.len()];
    match what % 25 {
        0..=2 => world.page_mut(&page).title = text.into(),
        3 | 4 => world.object_mut(&object).name = text.into(),
        5 => drop_in(&mut world.page_mut(&page).standing, Standing::Closed { because: "done".into() }),
        6 => drop_in(&mut world.page_mut(&page).standing, Standing::Open),
        7 => drop_in(&mut world.page_mut(&page).standing, Standing::Trashed),
        8 => world.object_mut(&object).closed = !name.is_multiple_of(3),
        9 | 10 => {
            let above = parents(world, world.pages[&page].kind);
            if let Some(parent) = above.get(usize::from(other) % above.len().max(1)) {
                world.page_mut(&page).parent = Relation::One(*parent);
            }
        }
        11 => {
            let kind = world.objects[&object].kind.parent();
            let above: Vec<ObjectId> =
                world.objects.values().filter(|row| Some(row.kind) == kind).map(|row| row.id).collect();
            if let Some(parent) = above.get(usize::from(other) % above.len().max(1)) {
                world.object_mut(&object).parent = Some(*parent);
            }
        }
        12 => world.page_mut(&page).parent = Relation::None,
        13 | 14 => {
            let kind = Kind::ALL[usize::from(other) % 3];
            let above = parents(world, kind);
            let parent = above.get(usize::from(one) % above.len().max(1)).copied();
            let path = new_path(world, kind);
            let page = world.page(&path);
            page.title = text.into();
            page.parent = parent.map_or(Relation::None, Relation::One);
        }
        15 | 16 => {
            let kind = Kind::ALL[usize::from(other) % 3];
            let above: Vec<ObjectId> =
                world.objects.values().filter(|row| Some(row.kind) == kind.parent()).map(|row| row.id).collect();
            let parent = above.get(usize::from(one) % above.len().max(1)).copied();
            let path = new_path(world, kind);
            let object = world.object(&path);
            object.name = text.into();
            object.parent = parent;
        }
        17 => {
            // Clockify deletes what is below along with it.
            let id = world.objects[&object].id;
            let below: Vec<ObjectId> =
                world.objects.values().filter(|row| row.parent == Some(id)).map(|row| row.id).collect();
            world.objects.retain(|_, row| {
                row.id != id && !below.contains(&row.id) && !row.parent.is_some_and(|p| below.contains(&p))
            });
        }
        18 => {
            let lost = world.pages.remove(&page).map(|page| page.id);
            world.away.extend(lost.map(|page| (page, Away::Lost)));
        }
        19 => {
            let claim = world.objects[&nth(&world.objects, other)].id;
            world.page_mut(&page).claim = Claim::Id(claim);
        }
        20 => world.page_mut(&page).claim = if name % 2 == 0 { Claim::None } else { Claim::read("see the wiki") },
        21 => {
            let id = world.pages[&page].id;
            world.registry.remove(id);
        }
        22 => world.object_mut(&object).marker = Some(world.pages[&nth(&world.pages, other)].id),
        23 => world.page_mut(&page).values.set(Field::Note, Value::text(text)),
        _ => world.object_mut(&object).values.set(Field::Note, Value::text(text)),
    }
}

fn drop_in<T>(place: &mut T, value: T) {
    *place = value;
}

fn parents(world: &World, kind: Kind) -> Vec<PageId> {
    world.pages.values().filter(|page| Some(page.kind) == kind.parent()).map(|page| page.id).collect()
}

fn nth<T>(rows: &BTreeMap<String, T>, at: u8) -> String {
    rows.keys().nth(usize::from(at) % rows.len()).expect("there are rows").clone()
}

fn new_path(world: &mut World, kind: Kind) -> String {
    let depth = Kind::ALL.iter().position(|known| *known == kind).expect("a kind");
    format!("new{}{}", world.next(), "/x".repeat(depth))
}

/// Rules that differ in whatever a world may be compared under.
pub(crate) fn rule(world: &mut World, choice: u8) {
    let drift = [OnDrift::Review, OnDrift::Restore, OnDrift::Accept][usize::from(choice % 3)];
    let conflict = [OnConflict::Review, OnConflict::Notion, OnConflict::Clockify][usize::from(choice / 3 % 3)];
    for kind in Kind::ALL {
        world.rules.precedence[kind].all.on_drift = drift;
        world.rules.precedence[kind].all.on_conflict = conflict;
    }
}

/// True when the page of a change is closed or in the trash.
fn is_closed(world: &World, change: &Change) -> bool {
    world.pages.values().any(|page| page.id == change.page && page.standing.is_closed())
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_order_of_rows_is_irrelevant(edits in edits(), seed in any::<u64>()) {
        let world = edited(&edits);
        let ordered = world.snapshots();
        let mut shuffled = ordered.clone();
        for kind in Kind::ALL {
            let shuffle = |at: usize| (at as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut pages: Vec<_> = ordered.pages[kind].rows().iter().cloned().enumerate().collect();
            pages.sort_by_key(|(at, _)| shuffle(*at));
            let mut walk = Walk::default();
            walk.add(pages.into_iter().map(|(_, row)| row));
            shuffled.pages[kind] = walk.finish();
            let mut objects: Vec<_> = ordered.objects[kind].rows().iter().cloned().enumerate().collect();
            objects.sort_by_key(|(at, _)| shuffle(*at));
            let mut walk = Walk::default();
            walk.add(objects.into_iter().map(|(_, row)| row));
            shuffled.objects[kind] = walk.finish();
        }

        let plan = diff(&shuffled, &world.registry, &world.rules, Scope::default()).plan;

        prop_assert_eq!(plan, world.plan());
    }

    #[test]
    fn equal_sides_with_a_whole_base_need_nothing(names in vec("[\\PC]{2,30}", 1..8)) {
        let mut world = World::default();
        for (at, name) in names.iter().enumerate() {
            let name = name.replace('/', "-");
            let path = format!("{at} {name}");
            world.link(&path).link(&format!("{path}/{name}.")).link(&format!("{path}/{name}./{name}"));
            let canonical = |name: &str| Value::Text(crate::domain::text::canonical(name).into_raw());
            let whole = [(path.clone(), path.clone()), (format!("{path}/{name}."), format!("{name}.")), (format!("{path}/{name}./{name}"), name)];
            for (path, name) in whole {
                world.set_base(&path, Field::Name, crate::domain::model::Agreed::Same(canonical(&name)));
            }
        }

        let difference = world.diff();

        prop_assert_eq!(difference.plan.changes.len(), 0);
        prop_assert_eq!(difference.verified.len(), 0);
    }

    #[test]
    fn an_object_has_one_owner_at_the_most(edits in edits(), forget in any::<bool>(), claims in vec(any::<(u8, u8, u8)>(), 0..20), marks in vec(any::<(u8, u8)>(), 0..10)) {
        let mut world = edited(&edits);
        if forget {
            world.forget();
        }
        for (page, object, minute) in claims {
            let (page, object) = (nth(&world.pages, page), nth(&world.objects, object));
            let id = world.objects[&object].id;
            world.page_mut(&page).claim = Claim::Id(id);
            world.page_mut(&page).created = at(u32::from(minute % 3) * 60);
        }
        for (page, object) in marks {
            let (page, object) = (nth(&world.pages, page), nth(&world.objects, object));
            world.object_mut(&object).marker = Some(world.pages[&page].id);
        }

        let snapshots = world.snapshots();
        let pairs = pair(&snapshots, &world.registry);
        let plan = world.plan();

        let mut owners: BTreeMap<ObjectId, PageId> = BTreeMap::new();
        let linked = Kind::ALL.into_iter().flat_map(|kind| &pairs.matches[kind]).filter_map(|(page, found)| Some((found.proposed()?.id, page.id)));
        let proposed = plan.changes.iter().filter(|change| change.proposal.action == Action::Link).filter_map(|change| Some((change.proposal.object?, change.page)));
        for (object, page) in linked.chain(proposed) {
            let owner = *owners.entry(object).or_insert(page);
            prop_assert_eq!(owner, page, "{} has two", object);
            if let Some(link) = world.registry.of_object(object) {
                prop_assert_eq!(link.page, page, "the registry's page owns");
            }
        }
        for (page, found) in Kind::ALL.into_iter().flat_map(|kind| &pairs.matches[kind]) {
            if let Match::Copied { owner, .. } = found {
                prop_assert_ne!(*owner, page.id);
            }
        }
    }

    #[test]
    fn nothing_is_closed_but_for_a_closed_page(edits in edits(), choice in any::<u8>(), partial in any::<(u8, bool)>()) {
        let mut world = edited(&edits);
        rule(&mut world, choice);
        if partial.1 {
            world.partial_pages.insert(Kind::ALL[usize::from(partial.0) % 3]);
        }
        for change in world.plan().changes.iter().filter(|change| change.proposal.action == Action::Close) {
            prop_assert!(is_closed(&world, change));
            prop_assert!(change.state == State::Held || !world.partial_pages.contains(&change.kind));
        }
    }

    #[test]
    fn from_what_is_not_listed_nothing_is_concluded(edits in edits(), choice in any::<u8>(), kind in 0..3_usize, hidden in vec(any::<u8>(), 0..6)) {
        let mut world = edited(&edits);
        rule(&mut world, choice);
        let kind = Kind::ALL[kind];
        world.partial_objects.insert(kind);
        for at in hidden {
            let path = nth(&world.objects, at);
            if world.objects.len() > 1 && world.objects[&path].kind == kind {
                world.objects.remove(&path);
            }
        }
        let difference = world.diff();
        for change in difference.plan.changes.iter().filter(|change| change.kind == kind) {
            prop_assert!(change.proposal.action != Action::Create || change.state == State::Held, "it may exist unseen");
        }
        for link in difference.verified.iter().filter(|link| link.kind == kind && link.sight == Sight::Retired) {
            prop_assert!(world.objects.values().any(|row| row.id == link.object), "nobody stops looking for what is not seen");
        }
    }

    #[test]
    fn with_local_ids_notion_is_never_written(edits in edits(), choice in any::<u8>()) {
        let mut world = edited(&edits);
        rule(&mut world, choice);
        world.rules.id_strategy = IdStrategy::Local;
        // Fetching does not read claims then.
        for page in world.pages.values_mut() {
            page.claim = Claim::None;
        }
        let plan = world.plan();
        let approved = super::world::approve_all(&plan);
        for step in crate::domain::steps::steps(&approved, &world.snapshots(), &world.rules) {
            prop_assert_ne!(step.act.service(), Some(crate::domain::model::Service::Notion));
        }
    }

    #[test]
    fn change_ids_are_unique_and_requirements_are_in_the_plan(edits in edits(), choice in any::<u8>()) {
        let mut world = edited(&edits);
        rule(&mut world, choice);
        let plan = world.plan();
        let by_id = plan.by_id();
        prop_assert_eq!(by_id.len(), plan.changes.len());
        for change in &plan.changes {
            for needed in &change.requires {
                let needed = by_id.get(needed);
                prop_assert!(needed.is_some());
                prop_assert!(needed.is_some_and(|needed| needed.state <= change.state), "not surer than what it needs");
            }
            prop_assert_eq!(change.hold.is_some(), change.state == State::Held);
        }
    }
}
