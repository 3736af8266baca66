//! What a run leaves for a person: it waits, is approved and applied, or withdraws itself; what was ignored for good;
//! and why.

use punchlist::sandbox::{ClockifyId, NotionId, World};
use serde_json::{Value, json};

use crate::support::Rig;

/// Three clients that both sides agree on.
fn agreed() -> (Rig, [NotionId; 3]) {
    let mut world = World::empty();
    let pages = ["Globex", "Initech", "Hooli"].map(|name| world.add_client_page(name));
    let rig = Rig::new(world);
    assert_eq!(rig.auto_approve().0, 0);
    (rig, pages)
}

fn client(rig: &Rig, name: &str) -> ClockifyId {
    rig.sandbox.world().find_client(name).expect("a client")
}

/// Edited in Clockify alone, which is for review by default.
fn drift(rig: &Rig, from: &str, to: &str) {
    let client = client(rig, from);
    rig.sandbox.world().rename_object(client, to);
}

fn pending(rig: &Rig) -> Vec<Value> {
    let ran = rig.run(&["pending", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = ran.json();
    assert_eq!(document["format"], "punchlist/pending/1");
    document["changes"].as_array().expect("changes").clone()
}

fn id(change: &Value) -> String {
    change["id"].as_str().expect("an id").to_owned()
}

/// `Globex review` for each change that waits.
fn waiting(rig: &Rig) -> Vec<String> {
    let line = |change: &Value| {
        format!("{} {}", change["name"].as_str().unwrap_or_default(), change["waits"].as_str().unwrap_or_default())
    };
    pending(rig).iter().map(line).collect()
}

#[test]
fn what_a_run_leaves_waits_with_its_age_and_goes_when_it_is_no_longer_true() {
    let (rig, _) = agreed();
    assert_eq!(waiting(&rig), [""; 0]);
    drift(&rig, "Globex", "Globex Inc");
    assert_eq!(rig.auto_approve().0, 2);
    let first = pending(&rig)[0]["first_seen"].clone();

    drift(&rig, "Hooli", "Hooli Inc");
    assert_eq!(rig.auto_approve().0, 2);

    assert_eq!(waiting(&rig), ["Globex review", "Hooli review"], "the longest first");
    assert_eq!(pending(&rig)[0]["first_seen"], first, "it keeps its age");
    drift(&rig, "Globex Inc", "Globex");
    rig.plan();
    assert_eq!(waiting(&rig), ["Hooli review"], "to look is enough to see that it is no longer true");
    drift(&rig, "Hooli Inc", "Hooli");
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(rig.run(&["pending"]).stdout, "Nothing waits for a person.\n");
}

#[test]
fn what_is_approved_is_applied_by_the_next_run_or_at_once() {
    for apply in [&["--auto-approve"][..], &["apply", "--pending"]] {
        let (rig, [_, initech, _]) = agreed();
        drift(&rig, "Globex", "Globex Inc");
        drift(&rig, "Hooli", "Hooli Inc");
        assert_eq!(rig.auto_approve().0, 2);
        rig.sandbox.world().set_title(initech, "Initech GmbH");
        let globex = id(&pending(&rig)[0]);

        let ran = Ran::approve(&rig, &globex[..6]);

        assert!(ran.contains("approved: update client “Globex”"), "{ran}");
        assert_eq!(pending(&rig)[0]["approved"], json!(true));
        assert_eq!(pending(&rig)[0]["decided_by"], json!("ana"));
        assert_eq!(rig.run(apply).code, 2, "the other still waits");
        assert_eq!(waiting(&rig), ["Hooli review"]);
        let world = rig.sandbox.world();
        assert!(world.find_client("Globex").is_some() && world.find_client("Hooli Inc").is_some());
        let by_policy = world.find_client("Initech GmbH").is_some();
        assert_eq!(by_policy, apply == ["--auto-approve"], "only a run by policy makes what nobody approved");
    }
}

/// Running the binary as somebody.
struct Ran;

impl Ran {
    fn approve(rig: &Rig, id: &str) -> String {
        let ran = rig.command().env("USER", "ana").args(["pending", "approve", id]).output().expect("the binary runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).expect("UTF-8")
    }
}

#[test]
fn a_decision_can_be_taken_back_and_is_void_when_the_change_is_another() {
    let (rig, _) = agreed();
    drift(&rig, "Globex", "Globex Inc");
    rig.auto_approve();
    let globex = id(&pending(&rig)[0]);
    Ran::approve(&rig, &globex);
    assert_eq!(rig.run(&["pending", "clear", &globex]).code, 0);
    assert_eq!(rig.auto_approve().0, 2, "nothing is approved any more");

    Ran::approve(&rig, &globex);
    drift(&rig, "Globex Inc", "Globex Holding");
    assert_eq!(rig.auto_approve().0, 2, "it proposes something else by now");
    assert!(rig.sandbox.world().find_client("Globex Holding").is_some());
}

#[test]
fn whole_kinds_and_actions_are_approved_and_what_is_held_is_not() {
    let (rig, [globex, ..]) = agreed();
    drift(&rig, "Globex", "Globex Inc");
    rig.sandbox.world().set_title(globex, "<Globex>");
    drift(&rig, "Hooli", "Hooli Inc");
    rig.auto_approve();
    assert_eq!(waiting(&rig), ["<Globex> held", "Hooli review"]);

    let held = rig.run(&["pending", "approve", &id(&pending(&rig)[0])]);
    assert_eq!(held.code, 1);
    assert!(held.stderr.contains("cannot be approved now: Clockify refuses '<' in names"), "{}", held.stderr);
    assert_eq!(rig.run(&["pending", "approve", "--kind", "task"]).stdout, "Nothing waits that this names.\n");
    let all = rig.run(&["pending", "approve", "--action", "update"]).stdout;
    assert!(all.contains("approved: update client “Hooli”") && all.contains("1 are held"), "{all}");
    assert_eq!(rig.run(&["apply", "--pending"]).code, 2);
    assert_eq!(waiting(&rig), ["<Globex> held"]);
    for (arguments, code, part) in [
        (&["pending", "approve", "zzzz"][..], 1, "nothing that waits is zzzz"),
        (&["pending", "approve"], 64, ""),
        (&["pending", "approve", "--action", "destroy"], 64, "it is one of create, link, update"),
        (&["apply"], 64, "FILE"),
    ] {
        let ran = rig.run(arguments);
        assert!(ran.code == code && ran.stderr.contains(part), "{arguments:?}: {} {}", ran.code, ran.stderr);
    }
}

#[test]
fn what_is_approved_takes_along_what_it_needs() {
    let mut world = World::empty();
    let page = world.add_client_page("Globex");
    world.add_project_page("Website", page);
    world.add_client("GLOBEX");
    let rig = Rig::new(world);
    assert_eq!(rig.auto_approve().0, 2);
    let changes = pending(&rig);
    let website = changes.iter().find(|change| change["kind"] == "project").expect("the project waits for its client");

    Ran::approve(&rig, &id(website));
    rig.auto_approve();

    let world = rig.sandbox.world();
    assert_eq!(world.projects().len(), 1);
    assert_eq!(world.clients().len(), 1, "the client is linked and not created");
}

#[test]
fn what_was_skipped_is_not_approved_along_the_way() {
    let mut world = World::empty();
    let page = world.add_client_page("Globex");
    world.add_project_page("Website", page);
    world.add_client("GLOBEX");
    let rig = Rig::new(world);
    assert_eq!(rig.auto_approve().0, 2);
    rig.plain("g 1\ns\nq\n");
    let changes = pending(&rig);
    let of = |kind: &str| id(changes.iter().find(|change| change["kind"] == kind).expect(kind));

    let ran = Ran::approve(&rig, &of("project"));

    let key = format!("`punchlist pending approve {}` approves it too.", of("client"));
    assert_eq!(ran, format!("“Website” waits for “Globex”, which was skipped; {key}\n"));
    let all = rig.run(&["pending", "approve", "--all"]).stdout;
    assert!(all.contains("2 wait for “Globex”, which was skipped"), "{all}");
    assert!(!all.contains("approved: link"), "{all}");
    rig.auto_approve();
    assert!(rig.sandbox.world().projects().is_empty(), "the client's skip stands");

    assert!(Ran::approve(&rig, &of("client")).contains("approved: link client “Globex”"));
    Ran::approve(&rig, &of("project"));
    rig.auto_approve();
    assert_eq!(rig.sandbox.world().projects().len(), 1);
}

#[test]
fn what_is_ignored_for_good_waits_for_nobody_until_it_is_revoked() {
    let (rig, _) = agreed();
    drift(&rig, "Globex", "Globex Inc");
    assert_eq!(rig.run(&["--auto-approve"]).code, 2);
    // As in the console, line by line.
    let reviewed = rig.plain("i\nq\n");
    assert!(reviewed.contains("1 ignored for good"), "{reviewed}");

    assert_eq!(rig.auto_approve().0, 0, "in sync, as far as people care");
    assert_eq!(waiting(&rig), [""; 0]);
    let ignored = rig.run(&["ignored"]).stdout;
    assert!(
        ignored.starts_with("update client “Globex”: edited in Clockify since both agreed\n    ignored by "),
        "{ignored}"
    );
    let listed = rig.run(&["ignored", "--json"]).json();
    let known = id(&listed["changes"][0]);

    assert_eq!(rig.run(&["ignored", "revoke", "zz"]).code, 1);
    assert!(rig.run(&["ignored", "revoke", &known]).stdout.contains("asked about again: update client “Globex”"));

    assert_eq!(rig.run(&["ignored"]).stdout, "Nothing is ignored.\n");
    assert_eq!(rig.auto_approve().0, 2);
    assert_eq!(waiting(&rig), ["Globex review"]);
}

#[test]
fn it_is_explained_what_both_sides_say_and_which_rule_has_decided() {
    let (rig, [globex, initech, _]) = agreed();
    rig.configure("[rules.clients.fields.name]\non_drift = \"review\"\n");
    drift(&rig, "Globex", "Globex Inc");
    let object = client(&rig, "Globex Inc").to_string();
    let by_page = rig.run(&["explain", &globex.to_string()]);
    assert_eq!(by_page.code, 0, "{}", by_page.stderr);
    for part in [
        "client “Globex”\n",
        "together  linked before (100 %)",
        "name      Globex                       Globex Inc                   Globex                       edited in Clockify",
        "update 50 %: edited in Clockify since both agreed",
        "or update (50 %): take Clockify's value into Notion",
        "rules.clients.fields.name.on_drift = review (",
        "punchlist.toml:",
        "rules.thresholds.update = 95 (the defaults): 95 % or more is applied without a person; this is 50 %, so that it is for review",
    ] {
        assert!(by_page.stdout.contains(part), "{part}\n{}", by_page.stdout);
    }
    let change = id(&rig.plan()["changes"][0]);
    assert_eq!(rig.run(&["explain", &object]).stdout, by_page.stdout);
    assert_eq!(rig.run(&["explain", &change]).stdout, by_page.stdout);
    let as_json = rig.run(&["explain", &change, "--json"]).json();
    assert_eq!(
        (&as_json["format"], &as_json["changes"][0]["change"]["id"]),
        (&json!("punchlist/explain/1"), &json!(change))
    );
    // By its name, in any case, and by the address of its page.
    let name = by_page.stdout.split(['“', '”']).nth(1).expect("a name").to_uppercase();
    assert_eq!(rig.run(&["explain", &name]).stdout, by_page.stdout);
    let address = format!("https://www.notion.so/acme/{}?pvs=4", globex.to_string().replace('-', ""));
    assert_eq!(rig.run(&["explain", &address]).stdout, by_page.stdout);
    assert!(rig.run(&["explain", &initech.to_string()]).stdout.ends_with("\nNothing is proposed for it.\n"));
    let unknown = rig.run(&["explain", "nonsense"]);
    assert!(
        unknown.code == 1 && unknown.stderr.contains("no page, object or change is nonsense"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn a_name_decides_where_it_means_one_thing_and_otherwise_says_which() {
    let mut world = World::empty();
    for name in ["Acme", "Beta"] {
        let client = world.add_client_page(name);
        let project = world.add_project_page("Website", client);
        world.add_task_page(&format!("Design {name}"), project);
    }
    let rig = Rig::new(world);
    rig.configure("[rules.thresholds]\ncreate = 100\n");
    rig.auto_approve();
    let several = rig.run(&["pending", "approve", "website"]);
    assert_eq!(several.code, 1, "{}", several.stdout);
    assert!(several.stderr.contains("2 are called “website”"), "{}", several.stderr);
    assert_eq!(several.stderr.matches("create project “Website” (").count(), 2, "{}", several.stderr);
    assert!(several.stderr.contains("give the ID"), "{}", several.stderr);
    let one = rig.run(&["pending", "approve", "design acme"]);
    assert_eq!(one.code, 0, "{}", one.stderr);
    assert!(one.stdout.contains("Design Acme"), "{}", one.stdout);
    assert_eq!(rig.run(&["apply", "--pending"]).code, 2);
    let made: Vec<String> = rig.sandbox.world().tasks().iter().map(|task| task.name.clone()).collect();
    assert_eq!(made, ["Design Acme"]);
    let explained = rig.run(&["explain", "Website"]);
    assert!(explained.code == 1 && explained.stderr.contains("project “Acme › Website”"), "{}", explained.stderr);
}

#[test]
fn the_same_configuration_gives_the_same_plan_on_any_machine() {
    let hashes: Vec<Value> = [("C.UTF-8", "UTC", "/tmp"), ("de_DE.UTF-8", "Asia/Kathmandu", "/")]
        .map(|(locale, zone, directory)| {
            let rig = Rig::new(World::agency());
            let output = rig
                .command()
                .env("LANG", locale)
                .env("TZ", zone)
                .current_dir(directory)
                .args(["plan", "--json"])
                .output();
            let document: Value = serde_json::from_slice(&output.expect("the binary runs").stdout).expect("JSON");
            document["plan_hash"].clone()
        })
        .into();
    assert_eq!(hashes[0], hashes[1]);
    assert!(hashes[0].is_string());
}

#[test]
fn what_was_said_is_spent_when_it_is_done_and_a_skip_ends_with_its_run() {
    let (rig, _) = agreed();
    drift(&rig, "Globex", "Globex Inc");
    rig.auto_approve();
    Ran::approve(&rig, &id(&pending(&rig)[0]));
    assert_eq!(rig.auto_approve().0, 0);
    // Somebody makes the same edit again: that is another question.
    drift(&rig, "Globex", "Globex Inc");
    assert_eq!(rig.auto_approve().0, 2);
    assert!(rig.sandbox.world().find_client("Globex Inc").is_some(), "an approval is used once");
    assert_eq!(waiting(&rig), ["Globex review"]);

    // Skipped, while another change is made: asked again by the next review.
    drift(&rig, "Hooli", "Hooli Inc");
    rig.plain("s\na\nP\nyes\n");
    let again = rig.plain("q\n");
    assert!(!again.contains("1 skipped"), "{again}");
}

#[test]
fn what_waits_alike_stands_under_one_heading_with_every_id() {
    let mut world = World::empty();
    let client = world.add_client_page("Globex");
    let project = world.add_project_page("Shop", client);
    world.add_task_page("Report", project);
    let rig = Rig::new(world);
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        for number in 0..5 {
            world.add_task_page("Report", project);
            world.add_client(&format!("Nobody's {number}"));
        }
    }
    assert_eq!(rig.auto_approve().0, 2);

    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("0 ready, 0 for review, 5 held (5 name taken)."), "{plan}");
    let text = rig.run(&["pending"]).stdout;
    assert_eq!(text.matches("create task").count(), 1, "{text}");
    assert!(
        text.contains(
            "5 × create task, held: name taken; `punchlist explain ID` says more\n    Globex › Shop › Report  95 %"
        ),
        "{text}"
    );
    assert!(text.contains("  5 × unmanaged, clients:\n"), "{text}");
    let document = rig.run(&["pending", "--json"]).json();
    let all = ["changes", "notices"].into_iter().flat_map(|what| document[what].as_array().expect("a list").clone());
    assert!(all.map(|one| id(&one)).all(|id| text.contains(&id)), "{text}");
}

#[test]
fn what_only_does_something_says_so_in_a_document_too() {
    let (rig, [page, ..]) = agreed();
    drift(&rig, "Globex", "Globex Inc");
    assert_eq!(rig.auto_approve().0, 2);
    let id = id(&pending(&rig)[0]);
    let elsewhere = rig.home.path().join("elsewhere").display().to_string();
    let page = page.to_string();
    for (arguments, wanted) in [
        (&["pending", "approve", &id][..], "approved: "),
        (&["pending", "clear", &id], "not decided any more: "),
        (&["pending", "ignore", &id], "ignored: "),
        (&["ignored", "revoke", "--all"], "asked about again: "),
        (&["serve", "--check"], "The next runs, in "),
        (&["unlink", &page], "The client page "),
        (&["state", "move", "--to", &elsewhere], " links are in "),
    ] {
        let ran = rig.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        let document = ran.json();
        assert_eq!(document["format"], "punchlist/said/1", "{arguments:?}");
        let first = document["said"][0].as_str().unwrap_or_default();
        assert!(first.contains(wanted), "{arguments:?}: {document}");
    }
}
