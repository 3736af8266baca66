//! What is found again after something was lost: an answer, the state, a page's ID.

use punchlist::sandbox::{Failure, Fault, NotionId, Service, World};
use serde_json::json;

use crate::support::Rig;

/// Mapped notes, and no waiting between two looks.
const NOTES: &str =
    "mapping.clients.fields.note = \"Notes\"\nmapping.projects.fields.note = \"Notes\"\nrules.settle_seconds = 0\n";

/// A client, a project and a task whose notes say something.
fn noted() -> (Rig, [NotionId; 3]) {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let task = world.add_task_page("Design", project);
    world.set_text(client, "Notes", "pays \"net 30\"");
    let rig = Rig::new(world);
    rig.configure(NOTES);
    (rig, [client, project, task])
}

fn marker(page: NotionId) -> String {
    format!("punchlist: https://www.notion.so/{}", page.to_string().replace('-', ""))
}

/// The notes of the client and the project.
fn notes(rig: &Rig) -> [String; 2] {
    let world = rig.sandbox.world();
    [world.clients()[0].note.clone().unwrap_or_default(), world.projects()[0].note.clone()]
}

#[test]
fn what_is_created_leads_back_to_its_page_and_the_mapped_note_stays_the_peoples() {
    let (rig, [client, project, _]) = noted();

    assert_eq!(rig.auto_approve().0, 0);

    assert_eq!(notes(&rig), [format!("pays \"net 30\"\n{}", marker(client)), marker(project)]);
    assert_eq!(rig.plan()["changes"], json!([]), "the marker is no difference");

    rig.sandbox.world().set_text(client, "Notes", "pays at once");
    rig.sandbox.world().set_text(project, "Notes", "kick-off in May");
    assert_eq!(rig.auto_approve().0, 0);
    let both = [format!("pays at once\n{}", marker(client)), format!("kick-off in May\n{}", marker(project))];
    assert_eq!(notes(&rig), both, "it survives a mapped note");
    assert_eq!(rig.plan()["changes"], json!([]));
}

#[test]
fn notes_of_others_get_no_marker_and_none_is_written_where_none_is_wanted() {
    let mut world = World::empty();
    world.add_client_page("Globex");
    world.add_client_page("Initech");
    let ours = world.add_client("Globex");
    world.edit_client(ours, |client| client.note = Some("by hand".to_owned()));
    let rig = Rig::new(world);
    rig.configure("mapping.marker = false\n");

    assert_eq!(rig.auto_approve().0, 0);

    let notes: Vec<Option<String>> = rig.sandbox.world().clients().into_iter().map(|client| client.note).collect();
    assert_eq!(notes, [Some("by hand".to_owned()), None]);
}

#[test]
fn with_the_state_and_the_ids_lost_what_was_renamed_is_found_by_its_marker() {
    let (rig, [client, project, task]) = noted();
    rig.settle();
    std::fs::remove_dir_all(rig.home.path().join("state")).expect("removable");
    {
        let mut world = rig.sandbox.world();
        for page in [client, project, task] {
            world.set_claim_text(page, "");
        }
        world.set_title(client, "Globex Corporation");
        world.set_title(project, "Website 2027");
    }

    let (code, report) = rig.auto_approve();

    assert_eq!(code, 2, "the names differ for a reason that nobody remembers: {report:#}");
    let world = rig.sandbox.world();
    assert_eq!((world.clients().len(), world.projects().len(), world.tasks().len()), (1, 1, 1), "nothing is created twice");
    for (page, object) in [(client, world.clients()[0].id), (project, world.projects()[0].id), (task, world.tasks()[0].id)] {
        assert_eq!(world.claim(page), Some(object.to_string()));
    }
}

#[test]
fn a_create_that_is_not_seen_is_sent_again_once_by_the_next_run() {
    for unique in [true, false] {
        let mut world = World::empty();
        world.add_client_page("Acme Corp");
        let rig = Rig::new(world);
        rig.configure("rules.settle_seconds = 0\n");
        {
            let mut knobs = rig.sandbox.knobs();
            knobs.unique_names = unique;
            let lost = Fault::new(Failure::Reset).service(Service::Clockify).on("POST", "/clients");
            knobs.faults.push(lost);
        }

        let (code, report) = rig.auto_approve();

        assert_eq!((code, &report["failed"]), (4, &json!(1)), "{report:#}");
        let looks = rig.sandbox.calls().iter().filter(|call| call.query.iter().any(|(name, _)| name == "name")).count();
        assert_eq!(looks, 3, "at once, and twice more");
        assert_eq!(rig.auto_approve().0, 0);
        assert_eq!(rig.sandbox.world().clients().len(), 1);
    }
}

#[test]
fn a_listing_that_lags_makes_no_duplicate() {
    for lag in 0..3 {
        let mut world = World::empty();
        world.add_client_page("Acme Corp");
        let rig = Rig::new(world);
        rig.configure("rules.settle_seconds = 0\n");
        {
            let mut knobs = rig.sandbox.knobs();
            (knobs.unique_names, knobs.clockify_lag) = (false, lag);
            knobs.faults.push(Fault::lost_reply().service(Service::Clockify).on("POST", "/clients"));
        }

        assert_eq!(rig.auto_approve().0, 0, "lag {lag}");

        assert_eq!(rig.sandbox.world().clients().len(), 1, "lag {lag}");
    }
}
