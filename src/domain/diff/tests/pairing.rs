//! Which page is which object: each evidence, and each doubt.

use snapbox::{assert_data_eq, str};

use super::world::{Case, World, pictures};
use crate::domain::model::{Claim, Kind, Link, Standing, Value};

/// A picture for each named case.
fn table(cases: &[Case<'_>]) -> String {
    pictures(cases, World::ways)
}

/// The page claims the object.
fn claim(world: &mut World, page: &str, object: &str) {
    world.page_mut(page).claim = Claim::Id(world.object_id(object));
}

#[test]
fn by_registry_and_by_claim() {
    let picture = table(&[
        ("the registry knows", &|world| {
            world.link("Acme");
        }),
        ("the registry knows, and the page says nothing", &|world| {
            world.link("Acme").page_mut("Acme").claim = Claim::None;
        }),
        ("the page alone claims it", &|world| {
            world.link("Acme").forget();
        }),
        ("the page alone claims it, under the right parent", &|world| {
            world.link("Acme").link("Acme/Website").forget();
        }),
        ("the page claims it, under another parent", &|world| {
            world.link("Acme").link("Beta").link("Acme/Website").forget().move_page("Acme/Website", "Beta");
        }),
        ("the page claims it, and names no parent", &|world| {
            world.link("Acme").link("Acme/Website").forget().page_mut("Acme/Website").parent =
                crate::domain::model::Relation::None;
        }),
        ("the claim is garbled", &|world| {
            world.page("Acme").claim = Claim::read("see wiki");
        }),
        ("the claim is the ID of another kind", &|world| {
            world.link("Acme").page("Acme/Website");
            claim(world, "Acme/Website", "Acme");
        }),
        ("the claim is the ID of nothing", &|world| {
            world.page("Acme").claim = Claim::read("64a9e1000000000000000001");
        }),
        ("the claim is the ID of nothing, and the page is closed", &|world| {
            world.page("Acme").claim = Claim::read("64a9e1000000000000000001");
            world.close_page("Acme");
        }),
    ]);
    assert_data_eq!(
        picture,
        str![[r#"
the registry knows:
nothing
the registry knows, and the page says nothing:
client "Acme" write-back <Acme> [claim 100 ready]
the page alone claims it:
nothing
the page alone claims it, under the right parent:
nothing
the page claims it, under another parent:
project "Website" link <Acme/Website> [match 70 review]
  or create name: "" → "Website" 60
project "Website" move <Acme/Website> parent: "Acme" → "Beta" [first_sight 70 review] after link "Website"
  or accept <Acme/Website> parent: "Acme" → "Beta" 50
the page claims it, and names no parent:
project "Website" move <Acme/Website> parent: "Acme" → "" [notion_changed 95 held RelationRemoved]
the claim is garbled:
client "Acme" create name: "" → "Acme" [vanished 60 review]
  or clear-claim 60
the claim is the ID of another kind:
project "Website" clear-claim <Acme> [copied_id 95 review]
project "Website" create name: "" → "Website" [copied_id 95 review] after clear-claim "Website"
the claim is the ID of nothing:
client "Acme" create name: "" → "Acme" [vanished 60 review]
  or clear-claim <64a9e1000000000000000001> 60
the claim is the ID of nothing, and the page is closed:
nothing

"#]]
    );
}

/// The object's note names the page.
fn mark(world: &mut World, object: &str, page: &str) {
    world.object_mut(object).marker = Some(world.page_id(page));
}

#[test]
fn by_marker() {
    let picture = table(&[
        ("after the state was lost", &|world| {
            world.page("Acme").title = "Renamed in Notion".into();
            world.object("Acme");
            mark(world, "Acme", "Acme");
        }),
        ("the page is closed", &|world| {
            world.page("Acme");
            world.object("Acme");
            mark(world, "Acme", "Acme");
            world.close_page("Acme");
        }),
        ("the registry knows better", &|world| {
            world.link("Acme").page("Beta");
            mark(world, "Acme", "Beta");
        }),
        ("the claim knows better", &|world| {
            world.link("Acme").forget().object("Copy");
            mark(world, "Copy", "Acme");
        }),
        ("the claim leads nowhere", &|world| {
            world.page("Acme").claim = Claim::read("64a9e1000000000000000001");
            world.object("Acme Inc");
            mark(world, "Acme Inc", "Acme");
        }),
        ("the claim is copied from the page that the note names", &|world| {
            world.page("Original");
            world.page("Copy").created = super::world::at(0);
            world.object("Acme");
            claim(world, "Original", "Acme");
            claim(world, "Copy", "Acme");
            mark(world, "Acme", "Original");
        }),
        ("the page's own object is copied, note and all", &|world| {
            world.page("Acme");
            for name in ["Acme", "Acme (copy)"] {
                world.object(name);
                mark(world, name, "Acme");
            }
        }),
        ("it stands under another parent", &|world| {
            world.link("Acme").link("Beta").page("Acme/Website");
            world.object("Beta/Website");
            mark(world, "Beta/Website", "Acme/Website");
        }),
        ("of another kind", &|world| {
            world.link("Acme").page("Acme/Website");
            world.object("Website");
            mark(world, "Website", "Acme/Website");
        }),
    ]);
    assert_data_eq!(
        picture,
        str![[r#"
after the state was lost:
client "Renamed in Notion" update <Acme> name: "Acme" → "Renamed in Notion" [first_sight 90 review]
  or update in Notion <Acme> name: "Renamed in Notion" → "Acme" 50
  or accept <Acme> name: "Acme" → "Renamed in Notion" 50
client "Renamed in Notion" write-back <Acme> [claim 95 ready]
the page is closed:
client "Acme" write-back <Acme> [claim 95 ready]
client "Acme" close <Acme> state: "open" → "closed" [first_sight 90 review]
  or accept <Acme> state: "open" → "closed" 50
the registry knows better:
client "Beta" create name: "" → "Beta" [new 95 ready]
the claim knows better:
client "Copy" close <Copy> state: "open" → "closed" [twin 90 review]
the claim leads nowhere:
client "Acme" update <Acme Inc> name: "Acme Inc" → "Acme" [first_sight 90 review]
  or update in Notion <Acme Inc> name: "Acme" → "Acme Inc" 50
  or accept <Acme Inc> name: "Acme Inc" → "Acme" 50
client "Acme" write-back <Acme Inc> [claim 95 ready]
the claim is copied from the page that the note names:
client "Copy" clear-claim <Acme> [copied_id 95 review]
client "Copy" create name: "" → "Copy" [copied_id 95 review] after clear-claim "Copy"
client "Original" update <Acme> name: "Acme" → "Original" [first_sight 90 review]
  or update in Notion <Acme> name: "Original" → "Acme" 50
  or accept <Acme> name: "Acme" → "Original" 50
the page's own object is copied, note and all:
client "Acme" link <Acme> [match 70 review]
  or link <Acme (copy)> 70
  or create name: "" → "Acme" 60
it stands under another parent:
project "Website" link <Beta/Website> [match 70 review]
  or create name: "" → "Website" 60
project "Website" move <Beta/Website> parent: "Beta" → "Acme" [first_sight 70 review] after link "Website"
  or accept <Beta/Website> parent: "Beta" → "Acme" 50
of another kind:
project "Website" create name: "" → "Website" [new 95 ready]

"#]]
    );
}

#[test]
fn a_claim_that_is_believed_is_stored_without_a_change() {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    let before = world.registry.clone();
    world.forget();

    let difference = world.diff();

    assert!(difference.plan.changes.is_empty());
    world.save(difference.verified);
    assert_eq!(world.registry, before);
}

#[test]
fn by_name() {
    let picture = table(&[
        ("the same name", &|world| {
            world.object("Acme");
            world.page("Acme");
        }),
        ("the same but for spaces at its ends", &|world| {
            world.object("Acme").name = " Acme  ".into();
            world.page("Acme");
        }),
        ("composed otherwise", &|world| {
            world.object("E\u{301}cran");
            world.page("Écran");
        }),
        ("archived holder", &|world| {
            world.object("Acme").closed = true;
            world.page("Acme");
        }),
        ("several of the name", &|world| {
            world.object("Acme");
            world.object("Acme ").name = "Acme".into();
            world.page("Acme");
        }),
        ("but for case", &|world| {
            world.object("ACME");
            world.page("Acme");
        }),
        ("similar", &|world| {
            world.object("Acme Corporation");
            world.page("Acme Corporatoin");
        }),
        ("nothing like it", &|world| {
            world.object("Zeta");
            world.page("Acme");
        }),
        ("under another parent", &|world| {
            world.link("Acme").link("Beta").object("Acme/Website");
            world.page("Beta/Website");
        }),
        ("under the same parent", &|world| {
            world.link("Acme").object("Acme/Website");
            world.page("Acme/Website");
        }),
        ("linked to another page already", &|world| {
            world.link("Acme");
            world.page("Other").title = "Acme".into();
        }),
    ]);
    assert_data_eq!(
        picture,
        str![[r#"
the same name:
client "Acme" link <Acme> [match 90 ready]
  or create name: "" → "Acme" 60
the same but for spaces at its ends:
client "Acme" link <Acme> [match 90 ready]
  or create name: "" → "Acme" 60
composed otherwise:
client "Écran" link <Écran> [match 90 ready]
  or create name: "" → "Écran" 60
archived holder:
client "Acme" link <Acme> [match 70 review]
  or create name: "" → "Acme" 60
client "Acme" reopen <Acme> state: "closed" → "open" [first_sight 70 review] after link "Acme"
  or accept <Acme> state: "closed" → "open" 50
several of the name:
client "Acme" link <Acme> [match 70 review]
  or link <Acme > 70
  or create name: "" → "Acme" 60
but for case:
client "Acme" link <ACME> [match 80 review]
  or create name: "" → "Acme" 60
client "Acme" update <ACME> name: "ACME" → "Acme" [first_sight 80 review] after link "Acme"
  or update in Notion <ACME> name: "Acme" → "ACME" 50
  or accept <ACME> name: "ACME" → "Acme" 50
similar:
client "Acme Corporatoin" create name: "" → "Acme Corporatoin" [new 85 review]
  or link <Acme Corporation> 60
nothing like it:
client "Acme" create name: "" → "Acme" [new 95 ready]
under another parent:
project "Website" create name: "" → "Website" [new 95 ready]
under the same parent:
project "Website" link <Acme/Website> [match 90 ready]
  or create name: "" → "Website" 60
linked to another page already:
client "Acme" create name: "" → "Acme" [new 95 held NameTaken]

"#]]
    );
}

#[test]
fn a_tree_is_taken_over_whole() {
    let mut world = World::default();
    for path in ["Acme", "Acme/Website", "Acme/Website/Design"] {
        world.object(path);
    }
    for path in ["Acme", "Acme/Website", "Acme/Website/Design"] {
        world.page(path);
    }
    assert_data_eq!(
        world.changes(),
        str![[r#"
client "Acme" link <Acme> [match 90 ready]
project "Website" link <Acme/Website> [match 90 ready] after link "Acme"
task "Design" link <Acme/Website/Design> [match 90 ready] after link "Website"

"#]]
    );
}

#[test]
fn below_a_doubtful_parent_all_is_doubtful() {
    let mut world = World::default();
    for path in ["ACME", "ACME/Website"] {
        world.object(path);
    }
    for path in ["Acme", "Acme/Website"] {
        world.page(path);
    }
    assert_data_eq!(
        world.changes(),
        str![[r#"
client "Acme" link <ACME> [match 80 review]
client "Acme" update <ACME> name: "ACME" → "Acme" [first_sight 80 review] after link "Acme"
project "Website" link <ACME/Website> [match 90 review] after link "Acme"

"#]]
    );
}

#[test]
fn the_exact_name_goes_before_a_loose_one() {
    let mut world = World::default();
    world.page("Acme");
    world.page("ACME");
    world.object("ACME");
    assert_data_eq!(
        world.changes(),
        str![[r#"
client "Acme" create name: "" → "Acme" [new 85 review]
client "ACME" link <ACME> [match 90 ready]

"#]]
    );
}

#[test]
fn one_object_is_proposed_to_one_page() {
    let picture = table(&[
        ("two new pages", &|world| {
            world.page("Acme");
            world.page("acme");
            world.object("ACME");
        }),
        ("two pages whose objects vanished", &|world| {
            world.link("Acme").link("ACME").objects.clear();
            world.object("acme");
        }),
        ("a new page, and one whose object vanished", &|world| {
            world.link("Acme").objects.clear();
            world.page("ACME");
            world.object("acme");
        }),
    ]);
    assert_data_eq!(
        picture,
        str![[r#"
two new pages:
client "Acme" link <ACME> [match 80 review]
  or create name: "" → "Acme" 60
client "Acme" update <ACME> name: "ACME" → "Acme" [first_sight 80 review] after link "Acme"
  or update in Notion <ACME> name: "Acme" → "ACME" 50
  or accept <ACME> name: "ACME" → "Acme" 50
client "acme" create name: "" → "acme" [new 85 review]
  or link <ACME> 80
two pages whose objects vanished:
client "Acme" link <acme> [vanished 80 review]
  or create name: "" → "Acme" 60
  or clear-claim <1> 60
client "Acme" update <acme> name: "acme" → "Acme" [first_sight 80 review] after link "Acme"
  or update in Notion <acme> name: "Acme" → "acme" 50
  or accept <acme> name: "acme" → "Acme" 50
client "ACME" create name: "" → "ACME" [vanished 60 review]
  or clear-claim <3> 60
a new page, and one whose object vanished:
client "Acme" link <acme> [vanished 80 review]
  or create name: "" → "Acme" 60
  or clear-claim <1> 60
client "Acme" update <acme> name: "acme" → "Acme" [first_sight 80 review] after link "Acme"
  or update in Notion <acme> name: "Acme" → "acme" 50
  or accept <acme> name: "acme" → "Acme" 50
client "ACME" create name: "" → "ACME" [new 85 review]
  or link <acme> 80

"#]]
    );
}

#[test]
fn vanished() {
    let picture = table(&[
        ("nothing has the name", &|world| {
            world.link("Acme").objects.clear();
        }),
        ("another has the name", &|world| {
            world.link("Acme").objects.clear();
            world.object("Acme");
        }),
        ("another has a similar name", &|world| {
            world.link("Acme Corporation").objects.clear();
            world.object("Acme Corporatoin");
        }),
        ("the page is closed", &|world| {
            world.link("Acme").close_page("Acme").objects.clear();
        }),
        ("the listing is not complete", &|world| {
            world.link("Acme").objects.clear();
            world.partial_objects.insert(Kind::Client);
        }),
        ("the claim is garbled, and the listing is not complete", &|world| {
            world.page("Acme").claim = Claim::read("see wiki");
            world.partial_objects.insert(Kind::Client);
        }),
        ("with all that is below it", &|world| {
            world.link("Acme").link("Acme/Website").objects.clear();
        }),
        ("another has its name, and what is below it is there already", &|world| {
            world.link("Acme").link("Acme/Website").objects.remove("Acme");
            world.object("Acme");
            world.move_object("Acme/Website", "Acme");
        }),
    ]);
    assert_data_eq!(
        picture,
        str![[r#"
nothing has the name:
client "Acme" create name: "" → "Acme" [vanished 60 review]
  or clear-claim <1> 60
another has the name:
client "Acme" link <Acme> [vanished 80 review]
  or create name: "" → "Acme" 60
  or clear-claim <1> 60
another has a similar name:
client "Acme Corporation" create name: "" → "Acme Corporation" [vanished 60 review]
  or link <Acme Corporatoin> 60
  or clear-claim <1> 60
the page is closed:
nothing
the listing is not complete:
nothing
the claim is garbled, and the listing is not complete:
client "Acme" create name: "" → "Acme" [vanished 60 held Incomplete]
  or clear-claim 60
with all that is below it:
client "Acme" create name: "" → "Acme" [vanished 60 review]
  or clear-claim <1> 60
project "Website" create name: "" → "Website" [vanished 60 review] after create "Acme"
  or clear-claim <3> 60
another has its name, and what is below it is there already:
client "Acme" link <Acme> [vanished 80 review]
  or create name: "" → "Acme" 60
  or clear-claim <1> 60

"#]]
    );
}

#[test]
fn copied() {
    let picture = table(&[
        ("the registry's page owns", &|world| {
            world.link("Acme");
            let copy = world.page("Copy");
            copy.created = super::world::at(0);
            claim(world, "Copy", "Acme");
        }),
        ("without a registry the oldest owns", &|world| {
            world.link("Acme").page("Copy").created = super::world::at(0);
            claim(world, "Copy", "Acme");
            world.forget();
        }),
        ("created in the same minute, the lesser id owns", &|world| {
            world.page("Copy");
            world.link("Acme");
            world.page_mut("Copy").created = super::world::at(60);
            world.page_mut("Acme").created = super::world::at(60);
            claim(world, "Copy", "Acme");
            world.forget();
        }),
        ("the copy is closed", &|world| {
            world.link("Acme").page("Copy").standing = Standing::Closed { because: "done".into() };
            claim(world, "Copy", "Acme");
        }),
        ("the copy is in the trash", &|world| {
            world.link("Acme").page("Copy").standing = Standing::Trashed;
            claim(world, "Copy", "Acme");
        }),
        ("the copy has the same name", &|world| {
            world.link("Acme").page("Copy").title = "Acme".into();
            claim(world, "Copy", "Acme");
        }),
        ("the original is out of sight", &|world| {
            world.link("Acme").page("Copy");
            claim(world, "Copy", "Acme");
            world.pages.remove("Acme");
        }),
        ("with projects below it", &|world| {
            world.link("Acme").page("Copy");
            claim(world, "Copy", "Acme");
            world.page("Copy/Website");
        }),
    ]);
    assert_data_eq!(
        picture,
        str![[r#"
the registry's page owns:
client "Copy" clear-claim <Acme> [copied_id 95 review]
client "Copy" create name: "" → "Copy" [copied_id 95 review] after clear-claim "Copy"
without a registry the oldest owns:
client "Acme" clear-claim <Acme> [copied_id 95 review]
client "Acme" create name: "" → "Acme" [copied_id 95 review] after clear-claim "Acme" after update "Copy"
client "Copy" update <Acme> name: "Acme" → "Copy" [first_sight 90 review]
  or update in Notion <Acme> name: "Copy" → "Acme" 50
  or accept <Acme> name: "Acme" → "Copy" 50
created in the same minute, the lesser id owns:
client "Acme" clear-claim <Acme> [copied_id 95 review]
client "Acme" create name: "" → "Acme" [copied_id 95 review] after clear-claim "Acme" after update "Copy"
client "Copy" update <Acme> name: "Acme" → "Copy" [first_sight 90 review]
  or update in Notion <Acme> name: "Copy" → "Acme" 50
  or accept <Acme> name: "Acme" → "Copy" 50
the copy is closed:
client "Copy" clear-claim <Acme> [copied_id 95 review]
the copy is in the trash:
nothing
the copy has the same name:
client "Acme" clear-claim <Acme> [copied_id 95 review]
client "Acme" create name: "" → "Acme" [copied_id 95 held NameTaken] after clear-claim "Acme"
the original is out of sight:
client "Copy" clear-claim <Acme> [copied_id 95 review]
client "Copy" create name: "" → "Copy" [copied_id 95 review] after clear-claim "Copy"
with projects below it:
client "Copy" clear-claim <Acme> [copied_id 95 review]
client "Copy" create name: "" → "Copy" [copied_id 95 review] after clear-claim "Copy"
project "Website" create name: "" → "Website" [new 95 review] after create "Copy"

"#]]
    );
}

#[test]
fn with_local_ids_a_claim_is_nobodys_business() {
    let mut world = World::linked(&["Acme"]);
    world.page("Copy");
    claim(&mut world, "Copy", "Acme");
    world.rules.id_strategy = crate::domain::rules::IdStrategy::Local;
    // Fetching reads no claims then; whatever stands in the world, Notion is not written.
    let plan = world.plan();
    assert!(plan.changes.iter().all(|change| change.proposal.action != crate::domain::plan::Action::WriteBack));
}

#[test]
fn an_id_that_was_never_in_the_page_is_not_lost_and_completes_what_was_approved() {
    let mut world = World::linked(&["Acme", "Beta"]);
    world.rules.thresholds.of[crate::domain::plan::Action::WriteBack] = crate::domain::rules::Threshold::Never;
    let unwritten = |world: &mut World, over: Value| {
        let link = world.registry.of_page(world.page_id("Acme")).expect("a link").clone();
        world.registry.insert(Link { unwritten: Some(over.into()), ..link });
    };
    let reasons = |world: &World| -> Vec<String> {
        world.plan().changes.iter().map(|change| change.proposal.reason.to_string()).collect()
    };
    unwritten(&mut world, Value::Empty);
    world.page_mut("Acme").claim = Claim::None;
    assert_eq!(world.changes(), "client \"Acme\" write-back <Acme> [unfinished 100 ready]\n");
    assert_eq!(reasons(&world), ["created or linked, its ID not yet in the page"]);

    // Somebody has written another ID meanwhile: that is another question.
    let beta = world.object_id("Beta");
    world.page_mut("Acme").claim = Claim::Id(beta);
    assert_eq!(world.changes(), "client \"Acme\" write-back <Acme> [claim 70 review]\n");
    // But what it held when it got its object is what was to be replaced.
    unwritten(&mut world, Value::Object(beta));
    assert_eq!(world.changes(), "client \"Acme\" write-back <Acme> [unfinished 100 ready]\n");

    // Once it was seen there, it can be lost.
    claim(&mut world, "Acme", "Acme");
    let difference = world.diff();
    world.save(difference.verified);
    world.page_mut("Acme").claim = Claim::None;
    assert_eq!(world.changes(), "client \"Acme\" write-back <Acme> [claim 100 review]\n");
    assert_eq!(reasons(&world), ["the page has lost its Clockify ID"]);
}
