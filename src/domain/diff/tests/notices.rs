//! What is said without a change.

use snapbox::{assert_data_eq, str};

use super::world::World;
use crate::domain::{
    model::{Away, Claim, Kind, Problem},
    rules::Unmanaged,
};

#[test]
fn each_notice() {
    let mut pictures = String::new();
    for (case, happens) in [
        (
            "lost sight",
            &(|world: &mut World| {
                let page = world.link("Acme").page_id("Acme");
                world.pages.clear();
                world.away.insert(page, Away::Lost);
            }) as &dyn Fn(&mut World),
        ),
        ("moved out", &|world| {
            let page = world.link("Acme").page_id("Acme");
            world.pages.clear();
            world.away.insert(page, Away::MovedOut);
        }),
        ("not meant any more", &|world| {
            let page = world.link("Acme").page_id("Acme");
            world.pages.clear();
            world.away.insert(page, Away::NotMeant);
        }),
        ("out of the listing, and not asked for yet", &|world| {
            world.link("Acme").pages.clear();
        }),
        ("copied ID", &|world| {
            world.link("Acme").page("Copy");
            world.page_mut("Copy").claim = Claim::Id(world.object_id("Acme"));
        }),
        ("unmanaged", &|world| {
            for path in ["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Shop", "Old"] {
                world.object(path);
            }
            world.object_mut("Old").closed = true;
        }),
        ("unmanaged below a linked one", &|world| {
            world.link("Acme").object("Acme/Website");
        }),
        ("unmanaged is ignored", &|world| {
            world.object("Acme");
            world.rules.unmanaged = Unmanaged::Ignore;
        }),
        ("unmanaged cannot be said of an incomplete listing", &|world| {
            world.object("Acme");
            world.partial_pages.insert(Kind::Project);
        }),
        ("near twins", &|world| {
            world.link("Acme").link("ACME").link("Other").page("ac me");
        }),
        ("near twins under other parents are none", &|world| {
            world.link("Acme").link("Beta").link("Acme/Website").link("Beta/website");
        }),
        ("twins", &|world| {
            let twin = world.link("Acme").object("twin");
            twin.name = "Acme".into();
            world.rules.unmanaged = Unmanaged::Ignore;
        }),
        ("made by another punchlist", &|world| {
            world.link("Acme");
            for path in ["Beta", "Acme/Site"] {
                let page = world.page(path).id;
                let object = world.object(path);
                object.marker = Some(page);
                let claim = Claim::Id(object.id);
                world.page_mut(path).claim = claim;
            }
        }),
        ("made by another punchlist, before this one was set up", &|world| {
            let page = world.page("Acme").id;
            let object = world.object("Acme");
            object.marker = Some(page);
            let claim = Claim::Id(object.id);
            world.page_mut("Acme").claim = claim;
        }),
        ("made, and its ID not written yet", &|world| {
            let page = world.link("Acme").page("Beta").id;
            world.object("Beta").marker = Some(page);
        }),
        ("incomplete", &|world| {
            world.partial_pages.insert(Kind::Client);
            world.partial_objects.insert(Kind::Task);
        }),
        ("unreadable", &|world| {
            let page = world.link("Acme").page_id("Acme");
            world.problems.push(Problem { kind: Kind::Client, page: Some(page), text: "the note is too long".into() });
        }),
    ] {
        let mut world = World::default();
        happens(&mut world);
        let (changes, notices) = (world.plan().changes.len(), world.notices());
        pictures += &format!("{case}: changes: {changes}\n{notices}");
    }
    assert_data_eq!(
        pictures,
        str![[r#"
lost sight: changes: 0
LostSight client "Acme": Notion no longer shows this page: deleted for good, or hidden from the connection; its object is left alone; share the page again, or end the link with `punchlist unlink 00000000-0000-0000-0000-000000000002`
moved out: changes: 0
MovedOut client "Acme": the page was moved out of its data source; its object is left alone; move it back, or end the link with `punchlist unlink 00000000-0000-0000-0000-000000000002`
not meant any more: changes: 0
NotMeant client "Acme": the page no longer is one of those that are mirrored; its object is left alone; `punchlist unlink 00000000-0000-0000-0000-000000000002` ends the link
out of the listing, and not asked for yet: changes: 0
copied ID: changes: 2
CopiedId client "Copy": has the Clockify ID of the page 00000000-0000-0000-0000-000000000002, as a duplicated page does; the original keeps the link
unmanaged: changes: 0
Unmanaged client "Acme": no page links to it or to 3 below it; they are left alone
unmanaged below a linked one: changes: 0
Unmanaged project "Website": no page links to it; it is left alone
unmanaged is ignored: changes: 0
unmanaged cannot be said of an incomplete listing: changes: 0
Incomplete project "": Notion's projects could not be listed completely: the walk was cut short
near twins: changes: 1
NearTwin client "ACME": beside “Acme” and “ac me”: the names differ only by case, spaces or what looks the same
NearTwin client "Acme": beside “ACME” and “ac me”: the names differ only by case, spaces or what looks the same
NearTwin client "ac me": beside “ACME” and “Acme”: the names differ only by case, spaces or what looks the same
near twins under other parents are none: changes: 0
twins: changes: 0
NearTwin client "Acme": no page links to it, and 000000000000000000000001, which has a page, has the same name: archive or delete one of them
made by another punchlist: changes: 0
ForeignRun client "Beta": another punchlist, with a state of its own, has created it and 1 more in this workspace: let one machine write, or start them apart (--jitter)
made by another punchlist, before this one was set up: changes: 0
made, and its ID not written yet: changes: 1
incomplete: changes: 0
Incomplete client "": Notion's clients could not be listed completely: the walk was cut short
Incomplete task "": Clockify's tasks could not be listed completely: the walk was cut short
unreadable: changes: 0
Unreadable client "Acme": the note is too long

"#]]
    );
}
