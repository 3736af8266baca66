use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;

use super::{Misfiled, Terrain, refiled, routes};
use crate::domain::{
    diff::tests::world::{World, object_id},
    hours::{Booking, Demands, Period},
    model::{Kind, ObjectId, Spot},
    plan::{Action, Change, HoldCode, Plan, State},
    rules::Refile,
};

const FREELY: Demands = Demands { project: false, task: false, rounding: None };
const WITH_TASK: Demands = Demands { project: true, task: true, rounding: None };

/// Two linked clients, the first with two linked projects with tasks.
fn world() -> World {
    let mut world = World::linked(&[
        "Acme",
        "Acme/Website",
        "Acme/Website/Design",
        "Acme/Website/Build",
        "Acme/Shop",
        "Acme/Shop/Cart",
        "Globex",
        "Globex/Portal",
    ]);
    world.rules.refile = Refile::Review;
    world
}

/// Where entries go, by the paths of objects: `from → to (percent)`.
fn found(world: &World, demands: Demands) -> Vec<String> {
    let snapshots = world.snapshots();
    let terrain = Terrain { snapshots: &snapshots, registry: &world.registry, rules: &world.rules };
    let path = |spot: Spot| {
        let found = world.objects.iter().find(|(_, object)| Some(object.id) == spot.object());
        found.map(|(path, _)| path.clone()).expect("an object")
    };
    let mut found: Vec<String> = routes(&world.plan(), terrain, demands)
        .into_iter()
        .map(|(from, route)| format!("{} → {} ({} %)", path(from), path(route.to), route.confidence))
        .collect();
    found.sort();
    found
}

#[test]
fn what_is_as_it_should_be_leads_nowhere() {
    assert!(found(&world(), FREELY).is_empty());
}

#[test]
fn an_object_without_a_page_leads_to_the_linked_one_of_its_name_under_the_same_parents() {
    let mut world = world();
    world.object("Acme/WEBSITE");
    world.object("Acme/WEBSITE/design");
    // Nothing else is called so.
    world.object("Acme/WEBSITE/Proofs");
    assert_eq!(
        found(&world, FREELY),
        ["Acme/WEBSITE → Acme/Website (80 %)", "Acme/WEBSITE/design → Acme/Website/Design (80 %)"]
    );
}

#[test]
fn beside_its_parents_the_only_one_of_its_name_is_less_sure_and_one_of_two_is_not_guessed() {
    let mut world = world();
    world.object("Initech");
    world.object("Initech/Shop");
    assert_eq!(found(&world, FREELY), ["Initech/Shop → Acme/Shop (60 %)"]);

    world.link("Globex/Shop");
    assert!(found(&world, FREELY).is_empty(), "two are called so");
    // Under the same parents it is one again.
    world.object("Globex/shop");
    assert_eq!(found(&world, FREELY), ["Globex/shop → Globex/Shop (80 %)"]);
}

#[test]
fn a_task_that_its_page_has_left_leads_to_the_pages_task() {
    let mut world = world();
    world.object("Acme/Shop/Design").closed = true;
    let left = world.object_id("Acme/Shop/Design");
    let mut link = world.registry.of_object(world.object_id("Acme/Website/Design")).expect("a link").clone();
    link.left = vec![left];
    world.registry.insert(link);
    // Another one of that name would make the name alone mean nothing.
    world.link("Globex/Portal/Design");
    assert_eq!(found(&world, FREELY), ["Acme/Shop/Design → Acme/Website/Design (95 %)"]);

    world.rename_page("Acme/Website/Design", "Screens").rename_object("Acme/Website/Design", "Screens");
    assert!(found(&world, FREELY).is_empty(), "it is called otherwise by now");
}

#[test]
fn a_copy_leads_to_what_its_note_names() {
    let mut world = world();
    let page = world.page_id("Acme/Shop");
    world.object("Globex/Shop (copy)").marker = Some(page);
    assert_eq!(found(&world, FREELY), ["Globex/Shop (copy) → Acme/Shop (90 %)"]);
}

#[test]
fn where_every_entry_needs_a_task_the_only_open_one_is_meant() {
    let mut world = world();
    assert_eq!(found(&world, WITH_TASK), ["Acme/Shop → Acme/Shop/Cart (90 %)"], "the website has two");
    world.object("Acme/Shop/Somebody's own");
    assert!(found(&world, WITH_TASK).is_empty(), "two are open");
    world.object_mut("Acme/Shop/Somebody's own").closed = true;

    // So it is beyond a project without a page.
    world.object("Acme/SHOP");
    world.object("Acme/website");
    assert_eq!(found(&world, WITH_TASK), ["Acme/SHOP → Acme/Shop/Cart (80 %)", "Acme/Shop → Acme/Shop/Cart (90 %)"]);
}

#[test]
fn nothing_leads_to_what_is_closed_or_about_to_be_nor_from_what_is_about_to_be_linked() {
    let mut astray = world();
    astray.object("Acme/SHOP");
    assert_eq!(found(&astray, FREELY).len(), 1);

    let mut closed = astray.clone();
    closed.close_page("Acme/Shop");
    assert!(found(&closed, FREELY).is_empty());
    let mut closed = astray.clone();
    closed.object_mut("Acme/Shop").closed = true;
    assert!(found(&closed, FREELY).is_empty());
    let mut moved = astray.clone();
    moved.move_page("Acme/Shop", "Globex");
    assert!(found(&moved, FREELY).is_empty());

    let mut wanted = astray.clone();
    wanted.page("Acme/SHOP");
    assert!(wanted.changes().contains("link"), "{}", wanted.changes());
    assert!(found(&wanted, FREELY).is_empty());

    for kind in Kind::ALL {
        let mut partial = astray.clone();
        partial.partial_pages.insert(kind);
        assert!(found(&partial, FREELY).is_empty(), "a page that is not shown could have it");
    }
}

fn booking(number: u32, who: u32, on: Spot) -> Booking {
    Booking {
        begins: date(2026, 10, 5).at(8, 0, 0, 0),
        seconds: 3600,
        is_billable: true,
        who: ["Mia", "Bo"][who as usize].into(),
        what: "words".into(),
        place: [None, on.project, on.task],
        id: Some(object_id(1000 + number)),
        user: Some(object_id(2000 + who)),
        is_locked: false,
        is_approved: false,
    }
}

fn plan(world: &World, bookings: &[Booking], invoiced: &[ObjectId], sealed: &[Period]) -> Plan {
    let snapshots = world.snapshots();
    let terrain = Terrain { snapshots: &snapshots, registry: &world.registry, rules: &world.rules };
    let plan = world.plan();
    let routes = routes(&plan, terrain, FREELY);
    let invoiced: BTreeSet<ObjectId> = invoiced.iter().copied().collect();
    refiled(plan, terrain, &Misfiled { routes: &routes, bookings, invoiced: &invoiced, sealed })
}

fn refiles(plan: &Plan) -> Vec<&Change> {
    plan.changes.iter().filter(|change| change.proposal.action == Action::Refile).collect()
}

fn astray() -> (World, Spot) {
    let mut world = world();
    let project = world.object("Acme/SHOP").id;
    (world, Spot { project: Some(project), task: None })
}

#[test]
fn entries_of_one_person_are_one_change_for_review_which_says_what_goes_where_and_why() {
    let (world, from) = astray();
    let bookings = [booking(1, 0, from), booking(2, 0, from), booking(3, 1, from), booking(4, 0, Spot::default())];
    let plan = plan(&world, &bookings, &[], &[]);
    let changes = refiles(&plan);
    let [mia, bo] = changes[..] else { panic!("{changes:#?}") };
    assert_eq!((mia.page, mia.kind, mia.state), (world.page_id("Acme/Shop"), Kind::Project, State::Review));
    assert_eq!(mia.proposal.object, Some(world.object_id("Acme/Shop")));
    let words: BTreeMap<&str, usize> = changes
        .iter()
        .map(|change| (change.proposal.reason.as_str(), change.refiling.as_ref().expect("entries").entries.len()))
        .collect();
    let because = "no page links to it, and to that project of its name one does";
    assert_eq!(
        words,
        BTreeMap::from([
            (format!("1 h of Bo (1 entry) from “SHOP” to “Shop”: {because}").as_str(), 1),
            (format!("2 h of Mia (2 entries) from “SHOP” to “Shop”: {because}").as_str(), 2),
        ])
    );
    assert_ne!(mia.id, bo.id);
    assert_eq!(plan.path(mia.page), [&"Acme".into()], "it stands in the tree");
}

#[test]
fn what_it_is_to_do_is_in_its_id() {
    let (world, from) = astray();
    let of = |bookings: &[Booking]| refiles(&plan(&world, bookings, &[], &[]))[0].id;
    let one = of(&[booking(1, 0, from)]);
    assert_eq!(one, of(&[booking(1, 0, from)]));
    assert_ne!(one, of(&[booking(2, 0, from)]), "another entry");
    assert_ne!(one, of(&[Booking { seconds: 1, ..booking(1, 0, from) }]), "another length");
}

#[test]
fn what_must_stay_is_held_by_itself_with_the_reason_and_the_others_go() {
    let (world, from) = astray();
    let [locked, approved] = [(2, false), (3, true)].map(|(number, is_approved)| Booking {
        is_locked: true,
        is_approved,
        ..booking(number, 0, from)
    });
    let early = Booking { begins: date(2026, 9, 30).at(23, 0, 0, 0), ..booking(5, 0, from) };
    let bookings = [booking(1, 0, from), locked, approved, booking(4, 0, from), early];
    let september = Period::month("2026-09").expect("a month");
    let plan = plan(&world, &bookings, &[object_id(1004)], &[september]);
    let mut states: Vec<_> =
        refiles(&plan).iter().map(|change| (change.state, change.hold.as_ref().map(|hold| hold.code))).collect();
    states.sort();
    assert_eq!(
        states,
        [
            (State::Review, None),
            (State::Held, Some(HoldCode::TimeLocked)),
            (State::Held, Some(HoldCode::TimeApproved)),
            (State::Held, Some(HoldCode::TimeInvoiced)),
            (State::Held, Some(HoldCode::MonthSealed)),
        ]
    );
}
