//! Rules beside the three-way table: what stands below a closed page, projects without a client, objects without a
//! page.

use snapbox::{assert_data_eq, str};

use super::world::{World, pictures};
use crate::domain::{
    model::{Agreed, Away, Field, Kind, PageId, Relation, Sight, Value},
    rules::{Direction, FieldRule, SameName, Unmanaged, WithoutClient},
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
        for path in [
            "Acme/Website/Own",
            "Acme/Old",
            "Acme/Old/Task",
            "Other",
            "Other/Project",
            "Other/Project/Task",
            "Gone",
            "Half",
        ] {
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
update client "A": Brake: 5 closes of clients at once, and the brake is at 3; the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "B": Brake: 5 closes of clients at once, and the brake is at 3; the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "C": Brake: 5 closes of clients at once, and the brake is at 3; the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "D": Brake: 5 closes of clients at once, and the brake is at 3; the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`
update client "E": Brake: 5 closes of clients at once, and the brake is at 3; the console releases it, or `punchlist plan --out FILE` and `punchlist apply FILE --allow close=5`

"#]]
    );
}

/// Four pages of one recurring task, of which the first has its task; created on the days and in the minutes that are
/// given.
fn recurring(world: &mut World, others: &[(&str, &str)]) {
    *world = tree();
    world.rules.same_name = SameName::AddDate;
    for (path, created) in others {
        world.page(path).created = created.parse().expect("a time");
        world.rename_page(path, "Design").move_page(path, "Acme/Website");
    }
}

#[test]
fn recurring_tasks_are_told_apart_by_their_days() {
    let second = ("Acme/Website/2", "2026-03-02T09:00:00Z");
    let picture = pictures(
        &[
            ("held without the rule", &|world| {
                recurring(world, &[second]);
                world.rules.same_name = SameName::Hold;
            }),
            ("two more, on one day, and one a week later", &|world| {
                let (third, fourth) =
                    (("Acme/Website/3", "2026-03-02T09:05:00Z"), ("Acme/Website/4", "2026-03-09T09:00:00Z"));
                recurring(world, &[fourth, second, third]);
            }),
            ("the first is done, and its page closed", &|world| {
                recurring(world, &[second]);
                world.close_page("Acme/Website/Design").object_mut("Acme/Website/Design").closed = true;
                world.set_base("Acme/Website/Design", Field::State, Agreed::Same(Value::Closed(true)));
            }),
            ("known by the IDs in the pages alone", &|world| {
                recurring(world, &[second]);
                world.forget();
            }),
            ("a copy that brought the ID along", &|world| {
                recurring(world, &[second]);
                world.page_mut("Acme/Website/2").claim = world.pages["Acme/Website/Design"].claim.clone();
            }),
            ("below a project that is still to be created", &|world| {
                recurring(world, &[]);
                world.page("Acme/New");
                world.page("Acme/New/1").created = "2026-03-02T09:00:00Z".parse().expect("a time");
                world.page("Acme/New/2").created = "2026-03-09T09:00:00Z".parse().expect("a time");
                world.rename_page("Acme/New/1", "Design").rename_page("Acme/New/2", "Design");
            }),
            ("renamed to a name that another has", &|world| {
                recurring(world, &[]);
                world.link("Acme/Website/Text").page_mut("Acme/Website/Text").created =
                    "2026-03-02T09:00:00Z".parse().expect("a time");
                world.rename_page("Acme/Website/Text", "Design");
            }),
            ("a name that is given up in the same plan is free", &|world| {
                recurring(world, &[second]);
                world.rename_page("Acme/Website/Design", "Redesign");
            }),
            ("the page of who has the name is out of sight", &|world| {
                recurring(world, &[second]);
                let page = world.page_id("Acme/Website/Design");
                world.pages.remove("Acme/Website/Design");
                world.away.insert(page, Away::Lost);
            }),
            ("a free task of that name is linked, by the older page", &|world| {
                let third = ("Acme/Website/3", "2026-03-09T09:00:00Z");
                recurring(world, &[second, third]);
                world.registry.remove(world.page_id("Acme/Website/Design"));
                world.pages.remove("Acme/Website/Design");
            }),
        ],
        World::changes,
    );
    assert_data_eq!(
        picture,
        str![[r#"
held without the rule:
task "Design" create name: "" → "Design" [new 95 held NameTaken]
two more, on one day, and one a week later:
task "Design (2026-03-02)" create name: "" → "Design (2026-03-02)" [new 95 ready]
task "Design (2026-03-02 09:05 UTC)" create name: "" → "Design (2026-03-02 09:05 UTC)" [new 95 ready]
task "Design (2026-03-09)" create name: "" → "Design (2026-03-09)" [new 95 ready]
the first is done, and its page closed:
task "Design (2026-03-02)" create name: "" → "Design (2026-03-02)" [new 95 ready]
known by the IDs in the pages alone:
task "Design (2026-03-02)" create name: "" → "Design (2026-03-02)" [new 95 ready]
a copy that brought the ID along:
task "Design (2026-03-02)" clear-claim <Acme/Website/Design> [copied_id 95 review]
task "Design (2026-03-02)" create name: "" → "Design (2026-03-02)" [copied_id 95 review] after clear-claim "Design (2026-03-02)"
below a project that is still to be created:
project "New" create name: "" → "New" [new 95 ready]
task "Design" create name: "" → "Design" [new 95 ready] after create "New"
task "Design (2026-03-09)" create name: "" → "Design (2026-03-09)" [new 95 ready] after create "New"
renamed to a name that another has:
task "Design (2026-03-02)" update <Acme/Website/Text> name: "Text" → "Design (2026-03-02)" [notion_changed 100 ready]
a name that is given up in the same plan is free:
task "Design" create name: "" → "Design" [new 95 ready] after update "Redesign"
task "Redesign" update <Acme/Website/Design> name: "Design" → "Redesign" [notion_changed 100 ready]
the page of who has the name is out of sight:
task "Design" create name: "" → "Design" [new 95 held Brake]
a free task of that name is linked, by the older page:
task "Design" link <Acme/Website/Design> [match 90 ready]
task "Design (2026-03-09)" create name: "" → "Design (2026-03-09)" [new 95 ready]

"#]]
    );
}

#[test]
fn what_is_called_by_its_day_stays_so() {
    let mut world = World::default();
    recurring(&mut world, &[("Acme/Website/2", "2026-03-02T09:00:00Z")]);
    world.link("Acme/Website/3");
    let dated = "Design (2026-03-09)";
    world.page_mut("Acme/Website/3").created = "2026-03-09T09:00:00Z".parse().expect("a time");
    world.rename_page("Acme/Website/3", "Design").rename_object("Acme/Website/3", dated);
    world.set_base("Acme/Website/3", Field::Name, Agreed::Same(Value::Text(dated.into())));
    let nothing_of_it = |world: &World| !world.changes().contains("2026-03-09");
    assert!(nothing_of_it(&world), "{}", world.changes());

    // Who had the name is gone, on both sides; a name that changes by itself would be worse than one with a day.
    world.registry.remove(world.page_id("Acme/Website/Design"));
    world.pages.remove("Acme/Website/Design");
    world.objects.remove("Acme/Website/Design");
    assert!(nothing_of_it(&world), "{}", world.changes());
    assert_eq!(world.pages["Acme/Website/3"].title.exact(), "Design", "the page itself stays as it is");
}
