//! What comes in every run can be settled by the command that its message names.

use punchlist::sandbox::{NotionId, World};
use serde_json::{Value, json};

use crate::support::Rig;

/// A linked client whose page Notion no longer shows.
fn lost() -> (Rig, NotionId) {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().hide(client);
    (rig, client)
}

fn notices(plan: &Value) -> Vec<String> {
    let notices = plan["notices"].as_array().expect("notices").iter();
    notices.map(|notice| notice["code"].as_str().expect("a code").to_owned()).collect()
}

/// The command in backquotes behind some words of a text.
fn command_in<'t>(text: &'t str, begins: &str) -> Vec<&'t str> {
    let command =
        text.split('`').find(|part| part.starts_with(begins)).unwrap_or_else(|| panic!("{begins:?} is not in {text}"));
    command.split(' ').skip(1).collect()
}

#[test]
fn a_notice_that_somebody_knows_of_is_said_no_more_until_that_is_revoked() {
    let (rig, _) = lost();
    let plan = rig.plan();
    assert_eq!(notices(&plan), ["lost_sight"]);
    let id = plan["notices"][0]["id"].as_str().expect("an ID").to_owned();
    let listed = rig.run(&["pending"]).stdout;
    assert!(listed.contains(&id) && listed.contains("pending ignore"), "{listed}");
    assert!(rig.run(&["plan"]).stdout.contains(&format!("[{id}]")));
    assert_eq!(rig.run(&["pending", "--json"]).json()["notices"][0]["id"], json!(id));

    let ran = rig.run(&["pending", "ignore", &id[..6]]);

    assert!(
        ran.code == 0 && ran.stdout.contains("ignored: client “Acme”: Notion no longer shows"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(notices(&rig.plan()), [""; 0]);
    assert_eq!(rig.run(&["pending", "--json"]).json()["notices"], json!([]));
    assert!(
        rig.run(&["ignored"]).stdout.contains("Notion no longer shows"),
        "it is listed where everything ignored is"
    );
    assert!(rig.run(&["logs", "list", "--kind", "decided"]).stdout.contains("ignore"), "and logged as a decision");
    assert_eq!(rig.run(&["ignored", "revoke", &id]).code, 0);
    assert_eq!(notices(&rig.plan()), ["lost_sight"]);
    let unknown = rig.run(&["pending", "ignore", "n0000"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("nothing that waits is n0000"), "{}", unknown.stderr);
}

#[test]
fn the_link_of_a_page_that_is_lost_is_ended_by_the_command_that_its_notice_names() {
    let (rig, page) = lost();
    let plan = rig.plan();
    let text = plan["notices"][0]["text"].as_str().expect("a text").to_owned();
    let command = command_in(&text, "punchlist unlink");
    assert_eq!(command, ["unlink", &page.to_string()]);

    let ran = rig.run(&command);

    assert!(ran.code == 0 && ran.stdout.contains("no longer linked"), "{}{}", ran.stdout, ran.stderr);
    assert!(!notices(&rig.plan()).contains(&"lost_sight".to_owned()));
    assert_eq!(rig.plan()["changes"], json!([]), "the object is left alone");
    assert!(
        rig.run(&["logs", "list", "--kind", "linked"]).stdout.contains("Acme") || !rig.run(&["logs"]).stdout.is_empty()
    );
    let again = rig.run(&command);
    assert!(
        again.code == 1 && again.stderr.contains("is linked") && again.stderr.contains("hint:"),
        "{}",
        again.stderr
    );
    let nonsense = rig.run(&["unlink", "Acme"]);
    assert!(nonsense.code == 64 && nonsense.stderr.contains("no ID or address of a page"), "{}", nonsense.stderr);
    // The page is shown again: nobody links the two unasked.
    rig.sandbox.world().show(page);
    assert_eq!(rig.plan_lines(), ["link client Acme [review]"]);
    let address = format!("https://www.notion.so/Acme-{}?pvs=4", page.to_string().replace('-', ""));
    assert_eq!(rig.run(&["unlink", &address]).code, 1, "an address names it too");
}

#[test]
fn a_recurring_task_says_whose_its_name_is_and_takes_the_task_over_or_is_asked_no_more() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    let project = world.add_project_page("Website", client);
    let old = world.add_task_page("Standup", project);
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().set_status(old, "Status", "Done");
    rig.settle();
    rig.sandbox.world().add_task_page("Standup", project);
    let hold = |rig: &Rig| {
        let plan = rig.plan();
        (
            plan["changes"][0]["id"].as_str().expect("one").to_owned(),
            plan["changes"][0]["hold"]["text"].as_str().map(str::to_owned),
        )
    };
    let (id, text) = hold(&rig);
    let text = text.expect("it is held");
    assert!(text.contains(&format!("that of the page {old}, which is closed")), "{text}");
    assert_eq!(rig.run(&["--auto-approve"]).code, 2);

    let ignore = command_in(&text, "punchlist pending ignore");
    assert_eq!(ignore, ["pending", "ignore", &id]);
    assert_eq!(rig.run(&ignore).code, 0);
    assert_eq!(rig.run(&["--auto-approve"]).code, 0, "nothing waits any more");
    assert_eq!(rig.run(&["ignored", "revoke", &id]).code, 0);

    assert_eq!(rig.run(&command_in(&text, "punchlist unlink")).code, 0);
    assert_eq!(rig.plan_lines(), ["link task Standup [review]", "reopen task Standup [review]"]);
    rig.auto_approve();
    assert_eq!(rig.run(&["pending", "approve", "--all"]).code, 0);
    assert_eq!(rig.run(&["apply", "--pending"]).code, 0);
    rig.auto_approve();
    let tasks = rig.sandbox.world().tasks();
    assert_eq!(tasks.len(), 1, "the same task");
    assert_eq!(rig.plan_lines(), ["clear_claim task Standup [review]"], "the old page still has the ID");
    assert_eq!(rig.run(&["pending", "approve", "--all"]).code, 0);
    assert_eq!(rig.run(&["apply", "--pending"]).code, 0);
    assert_eq!(rig.plan_lines(), [""; 0]);
}

#[test]
fn a_brake_names_the_flag_that_releases_it() {
    let mut world = World::empty();
    let pages: Vec<_> = (0..4).map(|number| world.add_client_page(&format!("Client {number}"))).collect();
    let rig = Rig::new(world);
    rig.settle();
    for page in pages {
        rig.sandbox.world().set_checkbox(page, "Archive", true);
    }
    let report = rig.run(&["--auto-approve"]);
    assert_eq!(report.code, 3);
    let apply = command_in(&report.stdout, "punchlist apply FILE");
    assert_eq!(apply, ["apply", "FILE", "--allow", "close=4"]);
    assert_eq!(rig.run(&["plan", "--out", "FILE"]).code, 0);
    assert_eq!(rig.run(&apply).code, 0);
    assert!(rig.sandbox.world().clients().iter().all(|client| client.archived));
}

#[test]
fn a_new_status_that_counts_as_open_is_said_once() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    let project = world.add_project_page("Website", client);
    world.set_status(project, "Status", "In progress");
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().rename_option("Projects", "Status", "In progress", "Doing");
    let ran = rig.run(&["plan"]);
    let text = "“Status” has the new option “Doing”, which counts as open; if it closes, add it to mapping.projects.closed.values";
    assert!(ran.code == 0 && ran.stdout.contains(text), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(notices(&rig.plan()), [""; 0]);
}

#[test]
fn many_notices_of_one_kind_are_one_with_a_count_and_json_has_all() {
    let mut world = World::empty();
    for number in 0..9 {
        world.add_client(&format!("Nobody's {number}"));
    }
    let rig = Rig::new(world);
    let text = rig.run(&["plan"]).stdout;
    assert_eq!(text.matches("no page links to it").count(), 3, "{text}");
    assert!(text.contains("and 6 more clients like it"), "{text}");
    assert_eq!(rig.plan()["notices"].as_array().expect("notices").len(), 9);
}
