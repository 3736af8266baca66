//! With a personal access token everything is written in a person's name, and Notion may not say which workspace it is
//! of. What is our own is known from the journal, so that nothing depends on either.

use punchlist::sandbox::{PersonalMe, World};

use crate::support::{Ran, Rig};

const TOKEN: &str = "ntn_personal";
const ALL: [PersonalMe; 4] =
    [PersonalMe::BotOfPerson, PersonalMe::BotOfPersonId, PersonalMe::BotOfWorkspace, PersonalMe::Person];

fn rig() -> Rig {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    let project = world.add_project_page("Website", client);
    world.add_task_page("Design", project);
    world.add_personal_token("Mara Lindqvist", TOKEN);
    Rig::new(world)
}

fn run(rig: &Rig, token: &str, arguments: &[&str]) -> Ran {
    Ran::of(rig.command().args(arguments).env("NOTION_TOKEN", token).output().expect("the binary runs"))
}

#[test]
fn a_person_s_token_mirrors_as_a_connection_s_does_and_its_own_writes_are_no_news() {
    for me in ALL {
        let rig = rig();
        (rig.sandbox.knobs().personal_me, rig.sandbox.knobs().personal_without_workspace) = (me, true);
        let first = run(&rig, TOKEN, &["--auto-approve", "--json"]);
        assert_eq!((first.code, &first.json()["applied"]), (0, &3.into()), "{me:?}: {}", first.stderr);
        let page = rig.sandbox.world().find_page("Clients", "Acme Corp").expect("a page");
        let world = rig.sandbox.world();
        assert!(world.claim(page).is_some() && !world.page(page).expect("there").edited_by_bot, "{me:?}");
        drop(world);

        rig.sandbox.clear_calls();
        let second = run(&rig, TOKEN, &["--auto-approve", "--json"]);
        assert_eq!(second.code, 0, "{me:?}: {}", second.stderr);
        assert!(rig.mutations().iter().all(|call| call.path.ends_with("/query")), "{me:?}: {:?}", rig.mutations());

        // An edit by that very person is one all the same.
        rig.sandbox.world().set_title(page, "Acme Corporation");
        let edited = run(&rig, TOKEN, &["plan", "--json"]).json();
        assert_eq!(edited["summary"]["update"], 1, "{me:?}: {edited}");
    }
}

#[test]
fn a_workspace_that_is_not_told_is_not_taken_for_another_one() {
    let rig = rig();
    rig.sandbox.knobs().personal_without_workspace = true;
    assert_eq!(run(&rig, TOKEN, &["plan"]).code, 0);
    // What a connection tells is kept, and a token that tells nothing does not undo that.
    for token in ["ntn_sandbox", TOKEN] {
        let ran = run(&rig, token, &["plan"]);
        assert_eq!(ran.code, 0, "{token}: {}", ran.stderr);
    }
    let saved = rig.home.path().join("saved.json");
    let path = saved.to_str().expect("UTF-8");
    assert_eq!(run(&rig, "ntn_sandbox", &["plan", "--out", path]).code, 0);
    assert_eq!(run(&rig, TOKEN, &["apply", path]).code, 0);

    let elsewhere = Rig::new(World::agency());
    rig.write_configuration(&elsewhere.reach());
    let other = rig.run(&["plan"]);
    assert_eq!(other.code, 7, "{}", other.stderr);
    assert!(other.stderr.contains("this state belongs to"), "{}", other.stderr);
}
