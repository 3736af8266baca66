//! What a service cannot or will not say is not empty, and what is not seen is not gone.

use proptest::prelude::*;

use super::{
    laws::{cases, edited, edits, rule},
    world::{Case, World, at, object_id, pictures},
};
use crate::domain::{
    diff::tests::world::approve_all,
    model::{Agreed, Away, Claim, Field, Kind, ObjectId, Reading, Relation, Sight, Standing, Value},
    plan::{Action, NoticeCode, State},
    rules::{Condition, Holds, OnDrift, Unmanaged, WithoutClient},
    text::Shown,
};

fn because() -> Shown {
    "nobody says it".into()
}

fn unknown() -> Reading {
    Reading::Unknown(because())
}

fn picture(world: &World) -> String {
    format!("{}{}", world.changes(), world.notices())
}

#[test]
fn a_page_of_which_nobody_knows_whether_it_is_open_waits_and_all_else_goes_on() {
    let cases: [Case<'_>; 6] = [
        ("linked, and its object was closed", &|world| {
            world.link("Acme").object_mut("Acme").closed = true;
            world.rename_page("Acme", "Acme Ltd").page_mut("Acme").standing = Standing::Unknown { because: because() };
        }),
        ("linked, and its object is gone", &|world| {
            world.link("Acme").page_mut("Acme").standing = Standing::Unknown { because: because() };
            world.objects.remove("Acme");
        }),
        ("new, and there is an object of its name", &|world| {
            world.object("Acme");
            world.page("Acme").standing = Standing::Unknown { because: because() };
            world.page("Beta");
        }),
        ("it names a copied ID", &|world| {
            let claim = Claim::Id(world.link("Acme").object_id("Acme"));
            world.page("Copy").claim = claim;
            world.page_mut("Copy").standing = Standing::Unknown { because: because() };
        }),
        ("a new project below it", &|world| {
            world.link("Acme").page("Acme/Website");
            world.page_mut("Acme").standing = Standing::Unknown { because: because() };
        }),
        ("a project below it that was closed by hand", &|world| {
            world.link("Acme").link("Acme/Website").object_mut("Acme/Website").closed = true;
            world.page_mut("Acme").standing = Standing::Unknown { because: because() };
        }),
    ];
    snapbox::assert_data_eq!(
        pictures(&cases, picture),
        snapbox::str![[r#"
linked, and its object was closed:
Unknown client "Acme Ltd": whether it is open cannot be told, so it stays as it is: nobody says it
linked, and its object is gone:
Unknown client "Acme": whether it is open cannot be told, so it stays as it is: nobody says it
new, and there is an object of its name:
client "Beta" create name: "" → "Beta" [new 95 ready]
Unmanaged client "Acme": no page links to it; it is left alone
Unknown client "Acme": whether it is open cannot be told, so it stays as it is: nobody says it
it names a copied ID:
CopiedId client "Copy": has the Clockify ID of the page 00000000-0000-0000-0000-000000000002, as a duplicated page does; the original keeps the link
Unknown client "Copy": whether it is open cannot be told, so it stays as it is: nobody says it
a new project below it:
project "Website" create name: "" → "Website" [new 95 held ParentUnknown]
Unknown client "Acme": whether it is open cannot be told, so it stays as it is: nobody says it
a project below it that was closed by hand:
project "Website" reopen <Acme/Website> state: "closed" → "open" [drift 50 held ParentUnknown]
Unknown client "Acme": whether it is open cannot be told, so it stays as it is: nobody says it

"#]]
    );
}

#[test]
fn a_parent_that_is_not_seen_is_not_no_parent() {
    let cases: [Case<'_>; 6] = [
        ("the relation cannot be told", &|world| {
            world.link("Acme").link("Acme/Website").page_mut("Acme/Website").parent = Relation::Unknown(because());
        }),
        ("the relation of what has lost its client in Clockify, too", &|world| {
            world.link("Acme").link("Acme/Website").object_mut("Acme/Website").parent = None;
            world.page_mut("Acme/Website").parent = Relation::Unknown(because());
        }),
        ("the page above is out of sight", &|world| {
            world.link("Acme").link("Acme/Website");
            let id = world.page_id("Acme");
            world.pages.remove("Acme");
            world.away.insert(id, Away::Lost);
        }),
        ("the page above is out of sight, and Clockify has no client any more", &|world| {
            world.link("Acme").link("Acme/Website").object_mut("Acme/Website").parent = None;
            let id = world.page_id("Acme");
            world.pages.remove("Acme");
            world.away.insert(id, Away::Lost);
        }),
        ("a new project whose relation cannot be told", &|world| {
            world.page("Website").parent = Relation::Unknown(because());
            world.page_mut("Website").kind = Kind::Project;
        }),
        ("a client whose object is too young to be listed", &|world| {
            world.link("Acme").link("Acme/Website").link("Beta").move_page("Acme/Website", "Beta");
            world.objects.remove("Beta");
            world.as_of = Some(at(0));
        }),
    ];
    snapbox::assert_data_eq!(
        pictures(&cases, picture),
        snapbox::str![[r#"
the relation cannot be told:
Unknown project "Website": its client cannot be told, and stays as it is: nobody says it
the relation of what has lost its client in Clockify, too:
Unknown project "Website": its client cannot be told, and stays as it is: nobody says it
the page above is out of sight:
LostSight client "Acme": Notion no longer shows this page: deleted for good, or hidden from the connection; its object is left alone; share the page again, or end the link with `punchlist unlink 00000000-0000-0000-0000-000000000002`
the page above is out of sight, and Clockify has no client any more:
LostSight client "Acme": Notion no longer shows this page: deleted for good, or hidden from the connection; its object is left alone; share the page again, or end the link with `punchlist unlink 00000000-0000-0000-0000-000000000002`
Unknown project "Website": its client cannot be told, and stays as it is: the page names a client that punchlist does not see
a new project whose relation cannot be told:
project "Website" create name: "" → "Website" [new 95 held ParentUnknown]
a client whose object is too young to be listed:
Unknown client "Beta": its object is not seen, and not taken for gone: it was created a moment ago, and Clockify may not list it yet
Unknown project "Website": its client cannot be told, and stays as it is: it was created a moment ago, and Clockify may not list it yet

"#]]
    );
}

#[test]
fn a_removed_client_is_never_agreed_on_while_the_page_above_is_not_seen() {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    world.rules.without_client = WithoutClient::Mirror;
    world.object_mut("Acme/Website").parent = None;
    world.page_mut("Acme/Website").parent = Relation::Unknown(because());
    let before = world.base("Acme/Website", Field::Parent);

    let difference = world.diff();
    world.save(difference.verified);

    assert_eq!(world.base("Acme/Website", Field::Parent), before);
    // Seen again, it is the drift that it was.
    let acme = world.page_id("Acme");
    world.page_mut("Acme/Website").parent = Relation::One(acme);
    let plan = world.plan();
    assert_eq!((plan.changes.len(), plan.changes[0].state), (1, State::Review), "{}", world.changes());
}

#[test]
fn an_object_that_may_not_be_listed_yet_or_is_hidden_is_not_gone() {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    let gone = world.object_id("Acme/Website");
    world.objects.remove("Acme/Website");
    world.page("Acme/Shop").claim = Claim::Id(object_id(77));
    assert_eq!(world.changes().matches("[vanished").count(), 2, "{}", world.changes());

    world.hidden = Some("the key sees little".into());
    assert_eq!(world.changes(), "");
    let notices = world.notices();
    assert_eq!(
        notices.matches("its object is not seen, and not taken for gone: the key sees little").count(),
        2,
        "{notices}"
    );
    assert!(notices.contains("so nothing is taken for gone"), "{notices}");

    world.hidden = None;
    world.as_of = Some(at(599));
    assert_eq!(world.changes(), "", "it is young");
    world.denied = [gone, object_id(77)].into();
    assert_eq!(world.changes().matches("[vanished").count(), 2, "Clockify denies it by its ID, too");
    world.denied.clear();
    world.as_of = Some(at(700));
    assert_eq!(world.changes().matches("[vanished").count(), 2, "it is old enough");
}

#[test]
fn what_a_page_left_behind_is_kept_in_mind_while_it_may_not_be_listed_yet() {
    let mut world = World::linked(&["Acme", "Acme/Site", "Acme/Site/Task"]);
    let page = world.page_id("Acme/Site/Task");
    let link = world.registry.of_page(page).expect("linked").clone();
    world.registry.insert(crate::domain::model::Link { left: vec![object_id(77)], ..link });
    let forgets = |world: &World| world.diff().verified.iter().any(|link| link.page == page && link.left.is_empty());
    world.as_of = Some(at(599));
    assert!(!forgets(&world), "it is young");
    world.as_of = Some(at(700));
    assert!(forgets(&world), "it is gone");
}

#[test]
fn a_closed_page_is_looked_for_as_long_as_its_object_may_be_there() {
    let mut world = World::linked(&["Acme", "Beta"]);
    world.close_page("Acme").objects.clear();
    assert_eq!(world.diff().verified.len(), 0, "Clockify shows nothing at all, which proves nothing");
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Shop"]);
    world.close_page("Acme/Website").objects.remove("Acme/Website");
    world.hidden = Some(because());
    assert_eq!(world.diff().verified.len(), 0);
    world.hidden = None;
    assert_eq!(world.diff().verified[0].sight, Sight::Retired);
}

#[test]
fn clockify_that_shows_nothing_at_all_any_more_is_not_believed() {
    let mut world = World::linked(&["Acme", "Beta"]);
    world.page("Gamma");
    world.objects.clear();
    let holds = world.holds();
    assert_eq!(
        holds.matches("Incomplete: Clockify shows no clients at all any more, and 2 were linked").count(),
        3,
        "{holds}"
    );

    let mut world = World::linked(&["Acme"]);
    world.page("Gamma");
    world.objects.clear();
    assert_eq!(world.holds(), "", "a single one may well have been deleted");
}

#[test]
fn what_a_field_leaves_open_stays_as_it_is_and_is_left_out_of_a_create() {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Website/Design"]);
    let people = Value::People(["ada@example.com".into()].into());
    world.agree("Acme/Website/Design", Field::Assignees, &people);
    world.page_mut("Acme/Website/Design").values.put(Field::Assignees, unknown());
    world.page("Acme/Website/New").values.put(Field::Assignees, unknown());
    assert_eq!(world.changes(), "task \"New\" create name: \"\" → \"New\" [new 95 ready]\n");
    let said = world.notices().lines().filter(|line| line.starts_with("Unknown")).count();
    assert_eq!(said, 2, "{}", world.notices());
}

#[test]
fn the_same_is_said_of_many_pages_at_once() {
    let mut world = World::default();
    for name in ["A1", "B2", "C3", "D4", "E5", "F6"] {
        world.link(name).page_mut(name).values.put(Field::Email, unknown());
    }
    assert_eq!(
        world.notices(),
        "Unknown client \"\": 6 of them (“A1”, “B2”, “C3”, …): its email cannot be told, and stays as it is: nobody says it\n"
    );
}

#[test]
fn what_a_page_that_is_not_let_in_could_name_is_not_closed() {
    let mut world = World::linked(&["Acme"]);
    world.rules.unmanaged = Unmanaged::Close;
    world.object("Beta");
    let marked = crate::domain::model::PageId::from_number(4711);
    world.object("Gamma").marker = Some(marked);
    assert_eq!(world.changes().matches(" close <").count(), 2, "{}", world.changes());

    world.rules.mapping.clients.only = Some(Condition { property: "Mirror".into(), is: Holds::Checked(true) });
    assert_eq!(world.changes(), "");
    assert_eq!(
        world.notices(),
        "Unmanaged client \"Beta\": no page links to it; it is left alone; a page that is not among those that are mirrored may name it\n"
    );
}

#[test]
fn an_accepted_drift_of_what_is_not_known_is_no_agreement() {
    let mut world = World::linked(&["Acme"]);
    world.rules.precedence.clients.all.on_drift = OnDrift::Accept;
    world.agree("Acme", Field::Email, &Value::text("old"));
    world.object_mut("Acme").values.set(Field::Email, Value::text("new"));
    world.page_mut("Acme").values.put(Field::Email, unknown());
    let difference = world.diff();
    world.save(difference.verified);
    assert_eq!(world.base("Acme", Field::Email), Some(Agreed::Same(Value::text("old"))));
}

/// Makes something of a row unknown.
fn hide(world: &mut World, (what, at): (u8, u8)) {
    let pages: Vec<String> = world.pages.keys().cloned().collect();
    let objects: Vec<String> = world.objects.keys().cloned().collect();
    let (Some(page), Some(object)) =
        (pages.get(usize::from(at) % pages.len().max(1)), objects.get(usize::from(at) % objects.len().max(1)))
    else {
        return;
    };
    match what % 6 {
        0 => world.page_mut(page).standing = Standing::Unknown { because: because() },
        1 => world.page_mut(page).parent = Relation::Unknown(because()),
        2 => world.page_mut(page).claim = Claim::Unknown(because()),
        3 => world.page_mut(page).values.put(Field::Note, unknown()),
        4 => world.object_mut(object).values.put(Field::State, unknown()),
        _ => world.object_mut(object).values.put(Field::Note, unknown()),
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_unknown_opens_closes_creates_clears_and_agrees_to_nothing(
        edits in edits(), choice in any::<u8>(), hidden in proptest::collection::vec(any::<(u8, u8)>(), 1..6), along in any::<bool>(), forget in any::<bool>()
    ) {
        let mut world = edited(&edits);
        rule(&mut world, choice);
        world.rules.close_children = along;
        world.rules.without_client = if choice % 2 == 0 { WithoutClient::Mirror } else { WithoutClient::Hold };
        if forget {
            world.forget();
        }
        for hide_what in hidden {
            hide(&mut world, hide_what);
        }
        let difference = world.diff();
        let page = |id| world.pages.values().find(|page| page.id == id);
        let object = |id: ObjectId| world.objects.values().find(|row| row.id == id);
        for change in &difference.plan.changes {
            let Some(page) = page(change.page) else { continue };
            prop_assert!(!matches!(page.standing, Standing::Unknown { .. }), "the page waits\n{}", world.changes());
            let acts = change.proposal.action;
            let from_relation = matches!(page.parent, Relation::Unknown(_)) && change.hold.is_none();
            prop_assert!(!(from_relation && matches!(acts, Action::Create | Action::Move)), "\n{}", world.changes());
            if matches!(page.claim, Claim::Unknown(_)) {
                prop_assert!(!matches!(acts, Action::WriteBack | Action::ClearClaim));
                prop_assert!(acts != Action::Create || world.registry.of_page(page.id).is_some(), "it may have one\n{}", world.changes());
            }
            for field in &change.proposal.fields {
                prop_assert!(page.values.unknown_because(field.field).is_none(), "\n{}", world.changes());
            }
            let known = change.proposal.object.and_then(object).is_none_or(|object| object.state().is_some());
            prop_assert!(known || !matches!(acts, Action::Close | Action::Reopen), "\n{}", world.changes());
        }
        for link in &difference.verified {
            let before = world.registry.of_page(link.page);
            let (Some(page), Some(object)) = (page(link.page), object(link.object)) else { continue };
            prop_assert!(!matches!(page.standing, Standing::Unknown { .. }), "the page waits");
            for field in [Field::Note, Field::State, Field::Parent] {
                let known = crate::domain::steps::current(object, field).is_some()
                    && page.values.unknown_because(field).is_none()
                    && !(field == Field::Parent && matches!(page.parent, Relation::Unknown(_)));
                let kept = before.and_then(|before| before.base.get(field));
                prop_assert!(known || link.base.get(field) == kept, "{} moved", field);
            }
        }
        for notice in &difference.plan.notices {
            prop_assert!(notice.code != NoticeCode::Unknown || !notice.text.is_empty());
        }
        // What it becomes can be carried out without a word on what is unknown.
        let steps = crate::domain::steps::steps(&approve_all(&difference.plan), &world.snapshots(), &world.rules);
        for step in steps {
            if let crate::domain::steps::Act::Update { fields, .. } | crate::domain::steps::Act::Create { fields, .. } = &step.act {
                let page = page(step.page);
                let hidden = |field: &Field| page.is_some_and(|page| page.values.unknown_because(*field).is_some());
                prop_assert!(!fields.keys().any(hidden));
            }
        }
    }
}
