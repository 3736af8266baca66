//! Rules beside the three-way table: what stands below a closed page, projects without a client, objects without a page.

use snapbox::{assert_data_eq, str};

use super::world::{World, pictures};
use crate::domain::{
    model::{Agreed, Field, Kind, PageId, Relation, Sight, Value},
    rules::{Direction, FieldRule, Unmanaged, WithoutClient},
};

fn tree() -> World {
    World::linked(&["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Shop", "Beta"])
}

#[test]
fn what_stands_below_a_closed_page_is_closed_along_with_it() {
    let picture = pictures(
        &[
            ("left alone by default", &|world| {
                *world = tree();
                world.close_page("Acme");
            }),
            ("closed along", &|world| {
                *world = tree();
                world.rules.close_children = true;
                world.close_page("Acme");
            }),
            ("below one in the trash", &|world| {
                *world = tree();
                world.rules.close_children = true;
                world.trash_page("Acme/Website");
            }),
            ("a new page below a closed one", &|world| {
                *world = tree();
                world.rules.close_children = true;
                world.close_page("Beta").object_mut("Beta").closed = true;
                world.set_base("Beta", Field::State, Agreed::Same(Value::Closed(true)));
                world.page("Beta/New");
            }),
        ],
        World::changes,
    );
    assert_data_eq!(
        picture,
        str![[r#"
left alone by default:
client "Acme" close <Acme> state: "open" → "closed" [notion_changed 100 ready]
closed along:
client "Acme" close <Acme> state: "open" → "closed" [notion_changed 100 ready]
project "Shop" close <Acme/Shop> state: "open" → "closed" [notion_changed 100 ready]
project "Website" close <Acme/Website> state: "open" → "closed" [notion_changed 100 ready]
task "Design" close <Acme/Website/Design> state: "open" → "closed" [notion_changed 100 ready]
below one in the trash:
project "Website" close <Acme/Website> state: "open" → "closed" [notion_changed 100 ready]
task "Design" close <Acme/Website/Design> state: "open" → "closed" [notion_changed 100 ready]
a new page below a closed one:
nothing

"#]]
    );
}

#[test]
fn what_was_closed_along_is_opened_along() {
    let mut world = tree();
    world.rules.close_children = true;
    for path in ["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Shop"] {
        world.object_mut(path).closed = true;
        world.set_base(path, Field::State, Agreed::Same(Value::Closed(true)));
    }

    assert_data_eq!(
        world.changes(),
        str![[r#"
client "Acme" reopen <Acme> state: "closed" → "open" [notion_changed 100 ready]
project "Shop" reopen <Acme/Shop> state: "closed" → "open" [notion_changed 100 ready] after reopen "Acme"
project "Website" reopen <Acme/Website> state: "closed" → "open" [notion_changed 100 ready] after reopen "Acme"
task "Design" reopen <Acme/Website/Design> state: "closed" → "open" [notion_changed 100 ready] after reopen "Website"

"#]]
    );

    // The page above is in the trash, and is not asked for any more: what stands below it stays closed.
    for path in ["Acme/Website", "Acme/Website/Design", "Acme/Shop"] {
        world.set_base(path, Field::State, Agreed::Same(Value::Closed(true)));
    }
    let mut link = world.registry.of_page(world.page_id("Acme")).expect("a link").clone();
    link.sight = Sight::Retired;
    world.registry.insert(link);
    world.pages.remove("Acme");
    assert_eq!(world.changes(), "");
}

#[test]
fn a_project_without_a_client_is_held_or_mirrored() {
    let picture = pictures(
        &[
            ("never had one, held", &|world| {
                world.link("Acme").page("Acme/Internal").parent = Relation::None;
            }),
            ("never had one, mirrored", &|world| {
                world.rules.without_client = WithoutClient::Mirror;
                world.link("Acme").page("Acme/Internal").parent = Relation::None;
            }),
            ("beside one of its name that has no page", &|world| {
                world.rules.without_client = WithoutClient::Mirror;
                world.link("Acme").object("Internal").kind = Kind::Project;
                world.page("Acme/Internal").parent = Relation::None;
            }),
            ("two of one name", &|world| {
                world.rules.without_client = WithoutClient::Mirror;
                world.link("Acme").link("Beta");
                world.page("Acme/Internal").parent = Relation::None;
                world.page("Beta/Internal").parent = Relation::None;
            }),
            ("a task below it", &|world| {
                world.rules.without_client = WithoutClient::Mirror;
                world.link("Acme").page("Acme/Internal").parent = Relation::None;
                world.page("Acme/Internal/Mail");
            }),
            ("lost it, held", &|world| {
                *world = tree();
                world.page_mut("Acme/Shop").parent = Relation::None;
            }),
            ("lost it, for a person to say", &|world| {
                *world = tree();
                world.rules.without_client = WithoutClient::Mirror;
                world.page_mut("Acme/Shop").parent = Relation::None;
            }),
            ("a task without a project is held all the same", &|world| {
                *world = tree();
                world.rules.without_client = WithoutClient::Mirror;
                world.page("Acme/Website/Loose").parent = Relation::None;
            }),
        ],
        World::changes,
    );
    assert_data_eq!(
        picture,
        str![[r#"
never had one, held:
project "Internal" create name: "" → "Internal" [new 95 held NoParent]
never had one, mirrored:
project "Internal" create name: "" → "Internal" [new 95 ready]
beside one of its name that has no page:
project "Internal" link <Internal> [match 90 ready]
two of one name:
project "Internal" create name: "" → "Internal" [new 95 held NameTaken]
project "Internal" create name: "" → "Internal" [new 95 held NameTaken]
a task below it:
project "Internal" create name: "" → "Internal" [new 95 ready]
task "Mail" create name: "" → "Mail" [new 95 ready] after create "Internal"
lost it, held:
project "Shop" move <Acme/Shop> parent: "Acme" → "" [notion_changed 100 held RelationRemoved]
lost it, for a person to say:
project "Shop" move <Acme/Shop> parent: "Acme" → "" [notion_changed 50 review]
a task without a project is held all the same:
task "Loose" create name: "" → "Loose" [new 95 held NoParent]

"#]]
    );
}

#[test]
fn objects_that_no_page_links_to_are_for_a_person_to_close() {
    let unmanaged = |world: &mut World| {
        world.rules.unmanaged = Unmanaged::Close;
        world.link("Acme").link("Acme/Website");
        for path in
            ["Acme/Website/Own", "Acme/Old", "Acme/Old/Task", "Other", "Other/Project", "Other/Project/Task", "Gone", "Half"]
        {
            world.object(path);
        }
        world.object_mut("Gone").closed = true;
        // What stands above something that has a page stays.
        world.link("Half/Linked").page_mut("Half/Linked").parent = Relation::None;
    };
    let picture = pictures(&[("close", &unmanaged)], |world| world.changes() + &world.notices());
    assert_data_eq!(
        picture,
        str![[r#"
close:
project "Old" close <Acme/Old> state: "open" → "closed" [unmanaged 50 review]
task "Own" close <Acme/Website/Own> state: "open" → "closed" [unmanaged 50 review]
project "Linked" move <Half/Linked> parent: "Half" → "" [notion_changed 100 held RelationRemoved]
client "Other" close <Other> state: "open" → "closed" [unmanaged 50 review]
project "Project" close <Other/Project> state: "open" → "closed" [unmanaged 50 review]
Unmanaged client "Half": no page links to it; it is left alone

"#]]
    );

    let mut world = World::default();
    unmanaged(&mut world);
    world.partial_pages.insert(Kind::Task);
    assert!(!world.changes().contains("unmanaged"), "a page that is not shown could have it");
}

#[test]
fn what_stands_in_for_a_page_is_known_by_its_object() {
    let world = World::linked(&["Acme"]);
    let (page, object) = (world.page_id("Acme"), world.object_id("Acme"));
    let stand_in = PageId::stand_in(object).expect("an id of Clockify's form");
    assert_eq!((stand_in.in_notion(), page.in_notion()), (None, Some(page)));
    assert_eq!(PageId::stand_in("short".parse().expect("an id")), None);
}

#[test]
fn many_states_that_go_to_notion_are_braked_too() {
    let names = ["A", "B", "C", "D", "E"];
    let mut world = World::linked(&names);
    world
        .rules
        .precedence
        .clients
        .fields
        .insert(Field::State, FieldRule { direction: Direction::ToNotion, ..FieldRule::default() });
    for name in names {
        world.object_mut(name).closed = true;
    }

    assert_data_eq!(
        world.holds(),
        str![[r#"
update client "A": Brake: 5 closes of clients at once, and the brake is at 3; B in the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "B": Brake: 5 closes of clients at once, and the brake is at 3; B in the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "C": Brake: 5 closes of clients at once, and the brake is at 3; B in the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "D": Brake: 5 closes of clients at once, and the brake is at 3; B in the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "E": Brake: 5 closes of clients at once, and the brake is at 3; B in the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`

"#]]
    );
}
