//! Worlds without a server: determinism, and the sample.

use crate::sandbox::World;

#[test]
fn the_same_edits_make_the_same_world() {
    let (one, two) = (World::agency(), World::agency());
    assert_eq!(one.notion_snapshot(), two.notion_snapshot());
    assert_eq!(one.clockify_snapshot(), two.clockify_snapshot());
}

#[test]
fn a_duplicate_copies_the_claim() {
    let mut world = World::sized(1, 0, 0);
    let page = world.find_page("Clients", "Client 0001").unwrap();
    let copy = world.duplicate(page);
    assert_ne!(copy, page);
    assert_eq!(world.claim(copy), world.claim(page));
    assert_eq!(world.page(copy).unwrap().title, "Client 0001");
}

/// The sample could be what the services hold: no name twice in a namespace, none that Clockify would refuse, and a
/// memory that only knows pages and objects that are or were there.
#[test]
fn the_sample_agency_is_possible() {
    let world = World::agency();
    let mut taken = std::collections::BTreeSet::new();
    for client in world.clients() {
        assert!(taken.insert(format!("client {}", client.name)), "{}", client.name);
    }
    for project in world.projects() {
        assert!((2..=250).contains(&project.name.chars().count()), "{}", project.name);
        assert!(taken.insert(format!("project {:?} {}", project.client, project.name)), "{}", project.name);
    }
    for task in world.tasks() {
        assert!(taken.insert(format!("task {} {}", task.project, task.name)), "{}", task.name);
    }
    let mut linked = std::collections::BTreeSet::new();
    for link in world.remembered() {
        assert!(linked.insert(link.page.to_string()) && linked.insert(link.object.to_string()), "{link:?}");
        assert!(link.base.contains_key("name") && link.base.contains_key("closed"), "{link:?}");
        assert_eq!(link.kind != "client", link.base.contains_key("parent"), "{link:?}");
    }
    let page = |alias: &str| world.page(world.page_alias(alias).unwrap());
    assert_eq!(page("belmondo-long").unwrap().title.chars().count(), 300);
    assert!(page("vandelay").unwrap().in_trash && page("soylent").unwrap().hidden);
    assert!(page("wayne-gone").is_none());
    assert!(world.tracked_seconds(world.object_alias("shop-checkout").unwrap()) > 0);
    let sizes = ["Clients", "Projects", "Tasks"].map(|source| world.pages(source).len());
    assert_eq!((sizes, world.clients().len(), world.projects().len(), world.tasks().len()), ([14, 35, 61], 13, 27, 58));
}
