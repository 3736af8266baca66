//! What is found again after something was lost: an answer, the state, a page's ID.

use jiff::SignedDuration;
use punchlist::sandbox::{Fault, FaultKind, NotionId, Service, World};
use serde_json::json;

use crate::support::{Rig, done};

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
    assert_eq!(
        (world.clients().len(), world.projects().len(), world.tasks().len()),
        (1, 1, 1),
        "nothing is created twice"
    );
    for (page, object) in
        [(client, world.clients()[0].id), (project, world.projects()[0].id), (task, world.tasks()[0].id)]
    {
        assert_eq!(world.claim(page), Some(object.to_string()));
    }
}

#[test]
fn with_the_state_lost_a_moment_after_a_create_its_object_is_waited_for() {
    for lag in 0..3 {
        let mut world = World::empty();
        world.add_client_page("Globex");
        let rig = Rig::new(world);
        rig.configure("rules.settle_seconds = 0\n");
        rig.settle();
        let page = rig.sandbox.world().add_client_page("Initech");
        {
            let mut knobs = rig.sandbox.knobs();
            (knobs.unique_names, knobs.clockify_lag) = (false, lag);
        }
        assert_eq!(rig.auto_approve().0, 0);
        std::fs::remove_dir_all(rig.home.path().join("state")).expect("removable");
        rig.sandbox.world().set_claim_text(page, "");

        assert_eq!(rig.auto_approve().0, 0, "lag {lag}");

        assert_eq!(rig.sandbox.world().clients().len(), 2, "lag {lag}");
    }
}

#[test]
fn a_create_that_is_not_seen_is_sent_again_once_when_it_is_old_enough() {
    for unique in [true, false] {
        let mut world = World::empty();
        world.add_client_page("Acme Corp");
        let rig = Rig::new(world);
        rig.configure("rules.settle_seconds = 0\n");
        {
            let mut knobs = rig.sandbox.knobs();
            knobs.unique_names = unique;
            let lost = Fault::new(FaultKind::Reset).service(Service::Clockify).on("POST", "/clients");
            knobs.faults.push(lost);
        }

        let (code, report) = rig.auto_approve();

        assert_eq!((code, &report["failed"]), (4, &json!(1)), "{report:#}");
        let looks = rig.sandbox.calls().iter().filter(|call| call.query.iter().any(|(name, _)| name == "name")).count();
        assert_eq!(looks, 3, "at once, and twice more");
        let (code, report) = rig.auto_approve();
        assert_eq!((code, &report["held"]), (2, &json!(1)), "a listing may lag behind: {report:#}");
        let plan = rig.run(&["plan"]).stdout;
        assert!(plan.contains("an earlier run may have created it, and nothing shows it yet"), "{plan}");
        rig.sandbox.world().advance(SignedDuration::from_mins(11));
        assert_eq!(rig.auto_approve().0, 0);
        assert_eq!(rig.sandbox.world().clients().len(), 1);
    }
}

#[test]
fn a_listing_that_lags_for_minutes_makes_no_duplicate_of_what_is_tried_again_at_once() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    let project = world.add_project_page("Website", client);
    world.add_task_page("Design", project);
    for (created, at) in [("client", "/clients"), ("project", "/projects"), ("task", "/tasks")] {
        let rig = Rig::new(world.clone());
        rig.configure("rules.settle_seconds = 0\nmapping.marker = false\n");
        {
            let mut knobs = rig.sandbox.knobs();
            (knobs.unique_names, knobs.clockify_lag) = (false, 24);
            knobs.faults.push(Fault::lost_reply().service(Service::Clockify).on("POST", at));
        }
        for _ in 0..5 {
            let (code, report) = rig.auto_approve();
            assert!(matches!(code, 2 | 4), "{created}: {code} {report:#}");
        }
        rig.sandbox.knobs().clockify_lag = 0;
        // Somebody looks until the listings show everything.
        for _ in 0..24 {
            rig.run(&["plan"]);
        }

        assert_eq!((rig.auto_approve().0, rig.auto_approve().0), (0, 0), "{created}");

        let world = rig.sandbox.world();
        assert_eq!((world.clients().len(), world.projects().len(), world.tasks().len()), (1, 1, 1), "{created}");
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

#[test]
fn a_damaged_state_is_rebuilt_from_what_both_services_hold() {
    let (rig, _) = noted();
    rig.settle();
    let database = rig.home.path().join("state/punchlist.sqlite3");
    std::fs::write(&database, "not a database").expect("writes");
    let refused = rig.run(&["--auto-approve"]);
    assert_eq!(refused.code, 6);
    assert!(refused.stderr.contains("backups"), "the latest copy is named: {}", refused.stderr);

    let ran = rig.run(&["doctor", "rebuild"]);

    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("3 links were found again") && ran.stdout.contains(".before-"), "{}", ran.stdout);
    assert!(rig.mutations().is_empty(), "nothing is written there");
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync");
}

#[test]
fn a_copy_of_the_state_from_before_a_run_leads_to_the_same_end() {
    let (rig, [client, ..]) = noted();
    rig.settle();
    rig.sandbox.world().add_project_page("Support", client);
    rig.settle();
    let state = rig.home.path().join("state");
    let mut copies: Vec<_> =
        std::fs::read_dir(state.join("backups")).expect("copies").map(|entry| entry.expect("one").path()).collect();
    copies.sort();
    assert_eq!(copies.len(), 2, "one for each run that wrote");

    for copy in copies {
        std::fs::copy(copy, state.join("punchlist.sqlite3")).expect("puts it back");
        rig.sandbox.clear_calls();
        let (code, _) = rig.auto_approve();
        assert_eq!((code, rig.sandbox.world().projects().len()), (0, 2));
        assert!(rig.mutations().is_empty());
    }
}

/// Tasks that are all done at once: more than the brake lets through.
fn braked() -> Rig {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Website", client);
    let tasks: Vec<NotionId> = (0..5).map(|number| world.add_task_page(&format!("Task {number}"), project)).collect();
    let rig = Rig::new(world);
    rig.settle();
    for task in tasks {
        rig.sandbox.world().set(task, "Status", "Done");
    }
    rig
}

#[test]
fn a_brake_is_released_for_the_very_plan_that_somebody_looked_at() {
    let rig = braked();
    assert_eq!(rig.run(&["plan", "--out", "plan.json", "--detailed-exitcode"]).code, 3);
    assert_eq!(rig.run(&["apply", "plan.json"]).code, 3, "the brake stays");
    assert_eq!(rig.run(&["apply", "plan.json", "--allow", "close=4"]).code, 3, "four are not five");
    assert!(rig.mutations().is_empty());

    let ran = rig.run(&["apply", "plan.json", "--allow", "close=5", "--json"]);

    assert_eq!((ran.code, &ran.json()["applied"]), (0, &json!(5)), "{}", ran.stdout);
}

#[test]
fn a_brake_is_not_released_for_another_plan() {
    let rig = braked();
    rig.run(&["plan", "--out", "plan.json"]);
    rig.sandbox.world().add_client_page("Initech");

    let ran = rig.run(&["apply", "plan.json", "--allow", "close=5"]);

    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("--allow holds for that plan alone"), "{}", ran.stderr);
    assert!(rig.mutations().is_empty());
    assert_eq!(rig.run(&["apply", "plan.json", "--allow", "everything=5"]).code, 64);
}

#[test]
fn a_service_that_asks_for_an_hour_is_left_alone_until_then() {
    let mut world = World::empty();
    for number in 0..3 {
        world.add_client_page(&format!("Client {number}"));
    }
    let rig = Rig::new(world);
    let wait = Fault::new(FaultKind::RetryAfter("3600".to_owned()))
        .service(Service::Clockify)
        .on("POST", "/clients")
        .nth(2)
        .times(u32::MAX);
    rig.sandbox.knobs().faults.push(wait);

    let (code, report) = rig.auto_approve();
    assert_eq!((code, &report["outcome"]), (75, &json!("out_of_budget")), "{report:#}");
    assert!(report["not_before"].is_string(), "{report:#}");

    rig.sandbox.knobs().faults.clear();
    rig.sandbox.clear_calls();
    let ran = rig.run(&["--auto-approve"]);
    assert_eq!(ran.code, 75, "{}", ran.stderr);
    assert_eq!(rig.call_counts().1, 0, "Clockify is not asked at all");

    // The hour passes.
    let mut store = done(punchlist::edge::store::Store::open(&rig.state(), jiff::Timestamp::now())).expect("opens");
    let over = json!({"clockify": jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1)});
    done(store.remember("not_before", &over)).expect("remembers");
    drop(store);
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.sandbox.world().clients().len(), 3, "all of them, once");
}
