//! Every notice and every hold that there is: produced by the sample agency, and explained in its page.

use std::collections::BTreeSet;

use punchlist::sandbox::{Fault, FaultKind, Service, World};
use serde_json::Value;

use crate::support::Rig;

/// Codes that an undo alone gives; `undo.rs` and the undo's own tests produce them.
const OF_AN_UNDO: [&str; 2] = ["moved_since", "unrecorded"];

/// The codes in a plan: those of holds, and those of notices.
fn codes(plan: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let holds = plan["changes"].as_array().expect("changes").iter().filter_map(|change| word(&change["hold"]["code"]));
    let notices = plan["notices"].as_array().expect("notices").iter().filter_map(|notice| word(&notice["code"]));
    (holds.collect(), notices.collect())
}

/// What the page's table explains under a heading.
fn explained(heading: &str) -> BTreeSet<String> {
    let page = include_str!("../../assets/docs/changes.md");
    let table = page.split_once(&format!("| {heading} |")).expect("a table").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| row.split('`').nth(1).map(str::to_owned)).collect()
}

#[test]
fn every_code_is_produced_by_the_sample_agency_and_explained() {
    let rig = Rig::new(World::agency());
    let more = "mapping.clients.only = { property = \"Archive\", checked = false }\nmapping.projects.fields.color = \"Status\"\n\
                mapping.tasks.fields.assignees = { property = \"Assignee\", unknown = \"leave\" }\n";
    let (mut holds, mut notices) = codes(&rig.plan());
    rig.auto_approve();
    let mut look = |rig: &Rig| {
        let (more_holds, more_notices) = codes(&rig.plan());
        holds.extend(more_holds);
        notices.extend(more_notices);
    };

    // A client that was linked is closed, and closed ones are no longer meant.
    let page = {
        let mut world = rig.sandbox.world();
        let page = world
            .pages("Clients")
            .into_iter()
            .find(|page| page.title == "Northwind Traders")
            .expect("in the sample")
            .id;
        world.set_checkbox(page, "Archive", true);
        // Somebody without an account is at work on something.
        let kai = world.person("Kai Freelance").expect("in the sample");
        let is_worked_on = |page: &punchlist::sandbox::PageState| page.properties["Status"] == "In progress";
        let task = world.pages("Tasks").into_iter().find(is_worked_on).expect("in the sample").id;
        world.set(task, "Assignee", serde_json::json!([kai]));
        page
    };
    rig.configure(more);
    look(&rig);
    rig.sandbox.world().set_checkbox(page, "Archive", false);
    rig.configure("");

    // A linked project becomes a template, and a client is to have a note that is too long.
    {
        let mut world = rig.sandbox.world();
        let linked =
            world.pages("Projects").into_iter().find(|page| world.claim(page.id).is_some()).expect("a linked one").id;
        let claim = world.claim(linked);
        let of_page = |project: &punchlist::sandbox::Project| Some(project.id.to_string()) == claim;
        let made = world.projects().into_iter().find(of_page).expect("a project").id;
        world.edit_project(made, |project| project.template = true);
        world.set_title(linked, "A pattern by now");
        world.set_text(page, "Notes", &"x".repeat(3001));
    }
    rig.configure("mapping.clients.fields.note = \"Notes\"\n");
    look(&rig);
    rig.configure("");

    // A status that nobody knew.
    {
        let mut world = rig.sandbox.world();
        world.rename_option("Tasks", "Status", "In progress", "Doing");
    }
    look(&rig);
    rig.sandbox.world().rename_option("Tasks", "Status", "Doing", "In progress");

    // Linked pages that are hidden, or put elsewhere.
    {
        let mut world = rig.sandbox.world();
        let linked: Vec<_> =
            world.pages("Tasks").into_iter().map(|page| page.id).filter(|page| world.claim(*page).is_some()).collect();
        world.hide(linked[0]);
        world.move_out(linked[1]);
    }
    look(&rig);

    // Everything is closed at once: a brake, and what stands above waits for what is below.
    {
        let mut world = rig.sandbox.world();
        for source in ["Projects", "Tasks"] {
            for page in world.pages(source) {
                world.set_status(page.id, "Status", "Done");
            }
        }
    }
    look(&rig);

    // A project is closed by itself, and people come without their addresses.
    {
        let mut world = rig.sandbox.world();
        for source in ["Projects", "Tasks"] {
            for page in world.pages(source) {
                world.set_status(page.id, "Status", "In progress");
            }
        }
    }
    rig.auto_approve();
    {
        let mut world = rig.sandbox.world();
        let linked: Vec<_> = world.tasks().into_iter().map(|task| task.project).collect();
        for page in world.pages("Projects") {
            let is_ordinary = page.title != "A pattern by now";
            if is_ordinary
                && world.claim(page.id).is_some_and(|claim| linked.iter().any(|project| project.to_string() == claim))
            {
                world.set_status(page.id, "Status", "Done");
                break;
            }
        }
    }
    rig.configure("mapping.tasks.fields.assignees = \"Assignee\"\n");
    rig.sandbox.knobs().people_without_email = true;
    rig.auto_approve();
    look(&rig);
    rig.sandbox.knobs().people_without_email = false;
    rig.configure("");

    // One project's tasks that cannot be listed, and clients that are all gone at once.
    let project = rig.sandbox.world().projects()[0].id;
    let failing =
        Fault::new(FaultKind::Status(500, String::new())).on("GET", &format!("/projects/{project}/tasks")).times(1000);
    {
        let mut knobs = rig.sandbox.knobs();
        (knobs.hydrated_tasks, knobs.faults) = (false, vec![failing]);
    }
    look(&rig);
    {
        let mut knobs = rig.sandbox.knobs();
        (knobs.hydrated_tasks, knobs.faults) = (true, Vec::new());
    }
    let clients: Vec<_> = rig.sandbox.world().pages("Clients").into_iter().map(|page| page.id).collect();
    for page in &clients {
        rig.sandbox.world().trash(*page);
    }
    look(&rig);
    for page in &clients {
        rig.sandbox.world().restore(*page);
    }

    // Clockify wins a conflict about what is for Notion's users to set.
    rig.configure("rules.projects.on_conflict = \"clockify\"\nrules.projects.on_drift = \"restore\"\n");
    {
        let mut world = rig.sandbox.world();
        let (one, other) = (world.add_client("One Ltd"), world.add_client("Other Ltd"));
        let pages = ["First Ltd", "Second Ltd"].map(|name| world.add_client_page(name));
        world.set_claim(pages[0], one);
        world.set_claim(pages[1], other);
        let third = world.add_client("Third Ltd");
        let project = world.add_project("Contested", one);
        let project_page = world.add_project_page("Contested", pages[0]);
        world.set_claim(project_page, project);
        drop(world);
        rig.auto_approve();
        let mut world = rig.sandbox.world();
        world.set_relation(project_page, "Clients", &[pages[1]]);
        world.move_project(project, third);
    }
    look(&rig);

    // A create that nobody answers, and that cannot be looked up: the listing is the first to be read, the look-up the
    // second.
    rig.sandbox.world().add_client_page("Lost Ltd");
    let blind = || {
        Fault::new(FaultKind::Status(500, String::new()))
            .service(Service::Clockify)
            .on("GET", "/clients")
            .nth(2)
            .times(1000)
    };
    let lost = Fault::new(FaultKind::Reset).service(Service::Clockify).on("POST", "/clients").times(1000);
    rig.sandbox.knobs().faults.extend([lost, blind()]);
    rig.auto_approve();
    rig.sandbox.knobs().faults = vec![blind()];
    look(&rig);

    // Another machine, with a state of its own, is first to mirror a new page.
    rig.sandbox.knobs().faults.clear();
    rig.sandbox.world().add_client_page("Elsewhere Ltd");
    let mut elsewhere = rig.command_with_state(&rig.home.path().join("another-state"));
    elsewhere.args(["--auto-approve"]).output().expect("runs");
    look(&rig);

    // A timer runs on what is closed.
    {
        let mut world = rig.sandbox.world();
        let page = world.find_page("Projects", "Contested").expect("added above");
        let project =
            world.claim(page).and_then(|claim| punchlist::sandbox::ClockifyId::parse(&claim)).expect("linked");
        world.set_status(page, "Status", "Done");
        world.start_timer(project);
    }
    look(&rig);

    assert_eq!(holds.difference(&explained("hold")).collect::<Vec<_>>(), [""; 0], "not explained");
    assert_eq!(notices.difference(&explained("notice")).collect::<Vec<_>>(), [""; 0], "not explained");
    let produced: BTreeSet<String> = holds.iter().cloned().chain(OF_AN_UNDO.map(str::to_owned)).collect();
    assert_eq!(explained("hold").difference(&produced).collect::<Vec<_>>(), [""; 0], "not produced");
    assert_eq!(explained("notice").difference(&notices).collect::<Vec<_>>(), [""; 0], "not produced");
}
