//! `punchlist init` by flags: from nothing to the first plan, or a clear refusal and no trace.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use punchlist::sandbox::{Capabilities, Fault, FaultKind, Service, World};
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use crate::support::{Ran, Rig, default_places, punchlist, sandbox};

/// A rig without a configuration.
pub(crate) fn rig(world: World) -> Rig {
    Rig { sandbox: sandbox(world), home: TempDir::new().expect("a directory"), server: None }
}

pub(crate) fn small() -> World {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    let project = world.add_project_page("Website", client);
    world.add_task_page("Design", project);
    world
}

/// Where the configuration is made.
pub(crate) fn made(rig: &Rig) -> PathBuf {
    default_places(rig.home.path()).0.join("config.toml")
}

/// `init` on a rig, which is reached by the environment alone.
pub(crate) fn init(rig: &Rig, arguments: &[&str]) -> Command {
    let mut command = punchlist(rig.home.path());
    command
        .env("PUNCHLIST__NOTION__BASE_URL", rig.sandbox.notion_url())
        .env("PUNCHLIST_REGIONS", rig.sandbox.clockify_url())
        .arg("init")
        .args(arguments);
    command
}

fn run(command: &mut Command) -> Ran {
    Ran::of(command.output().expect("the binary runs"))
}

/// Refused with a code, and nothing is left behind.
#[track_caller]
fn refuses(rig: &Rig, command: &mut Command, code: i32, says: &[&str]) {
    let ran = run(command);
    assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
    for text in says {
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
    let left: Vec<_> = std::fs::read_dir(rig.home.path()).expect("a home").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn yes_leads_from_two_variables_to_the_first_plan() {
    let mut world = small();
    world.crowd(30, 10);
    world.copy_template(" (copy)");
    let rig = rig(world);
    let ran = run(&mut init(&rig, &["--yes"]));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("+ Acme Corp") && ran.stdout.contains("create client"), "{}", ran.stdout);
    assert!(ran.stdout.contains("punchlist --auto-approve"), "{}", ran.stdout);
    let (notion, clockify) = rig.call_counts();
    assert!(notion + clockify <= 20, "{notion} and {clockify}");
    assert!(rig.mutations().iter().all(|call| call.path.ends_with("/query") || call.path.ends_with("/search")));

    // It is all there, for its owner alone, and works by itself.
    let metadata = std::fs::metadata(made(&rig)).expect("made");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(made(&rig)).expect("UTF-8");
    assert!(text.contains("token = \"env:NOTION_TOKEN\"") && text.contains("preset = \"n8n\""), "{text}");
    assert!(text.contains("requests_per_hour = 30"), "the plan is a free one: {text}");
    assert!(text.lines().filter(|line| line.contains(" = ")).all(|line| line.len() < 160), "{text}");
    let plan = run(punchlist(rig.home.path()).args(["plan", "--json"]));
    assert_eq!((plan.code, &plan.json()["summary"]["create"]), (0, &3.into()), "{}", plan.stderr);

    // A second set-up keeps it.
    rig.sandbox.clear_calls();
    let again = run(&mut init(&rig, &["--yes"]));
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("kept as it is") && again.stdout.contains("punchlist plan"), "{}", again.stdout);
    assert_eq!(std::fs::read_to_string(made(&rig)).expect("UTF-8"), text);
    assert_eq!(rig.call_counts(), (0, 0));
}

#[test]
fn json_is_the_plan_and_nothing_else() {
    let rig = rig(small());
    let ran = run(&mut init(&rig, &["--yes", "--json"]));
    assert_eq!((ran.code, &ran.json()["format"]), (0, &"punchlist/plan/1".into()), "{}", ran.stderr);
}

#[test]
fn columns_of_other_names_are_mapped_and_the_id_is_added() {
    let mut world = World::bare();
    world.add_table("CRM clients", &[("Name", "title"), ("Archived", "checkbox"), ("E-mail", "email")]);
    world.add_table("Projekte", &[("Name", "title"), ("Kunde", "relation:CRM clients"), ("Phase", "status")]);
    world.add_table("Aufgaben", &[("Name", "title"), ("Projekt", "relation:Projekte"), ("Erledigt", "checkbox")]);
    let client = world.add_row("CRM clients", "Acme");
    let project = world.add_row("Projekte", "Website");
    world.set_relation(project, "Kunde", &[client]);
    let rig = rig(world);
    let ran = run(&mut init(&rig, &["--yes"]));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let (notion, clockify) = rig.call_counts();
    assert!(notion + clockify <= 20, "{notion} and {clockify}");
    let text = std::fs::read_to_string(made(&rig)).expect("made");
    for line in [
        "preset = \"none\"",
        "id = \"Clockify Client ID\"",
        "client = \"Kunde\"",
        "closed = { property = \"Archived\", checked = true }",
        "closed = { property = \"Erledigt\", checked = true }",
        "closed = { property = \"Phase\", values = [\"Done\", \"Obsolete\"] }",
        "#fields.email = \"E-mail\"",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}: {text}");
    }
    let applied = run(punchlist(rig.home.path()).args(["--auto-approve", "--json"]));
    assert_eq!((applied.code, &applied.json()["applied"]), (0, &2.into()), "{}", applied.stderr);
}

#[test]
fn databases_are_made_from_the_template_once() {
    let rig = rig(World::bare());
    let page = rig.sandbox.world().root_page().expect("a page").to_string();
    // The answer to the second database is lost: the next set-up finds what is there.
    rig.sandbox.knobs().faults = vec![Fault::lost_reply().service(Service::Notion).on("POST", "/v1/databases").nth(2)];
    let arguments = ["--yes", "--create-under", page.as_str()];
    let broken = run(&mut init(&rig, &arguments));
    assert_eq!(broken.code, 1, "{}\n{}", broken.stdout, broken.stderr);
    assert!(!made(&rig).exists());
    rig.sandbox.knobs().faults.clear();
    let ran = run(&mut init(&rig, &arguments));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Clients is there already") && ran.stdout.contains("Tasks made"), "{}", ran.stdout);
    let made: Vec<_> = rig.mutations().into_iter().filter(|call| call.path.ends_with("/v1/databases")).collect();
    assert_eq!(made.len(), 3, "{made:?}");
}

#[test]
fn a_template_comes_with_examples_and_few_calls() {
    let rig = rig(World::bare());
    let page = rig.sandbox.world().root_page().expect("a page").to_string();
    let ran = run(&mut init(&rig, &["--yes", "--create-under", &page]));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let (notion, clockify) = rig.call_counts();
    assert!(notion + clockify <= 30, "{notion} and {clockify}");
    let plan = run(punchlist(rig.home.path()).args(["--auto-approve", "--json"]));
    assert_eq!((plan.code, &plan.json()["applied"]), (0, &4.into()), "{}", plan.stderr);
}

#[test]
fn a_workspace_of_a_thousand_pages_takes_fewer_than_twenty_calls() {
    let rig = rig(World::sized(20, 80, 900));
    let ran = run(&mut init(&rig, &["--yes"]));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let (notion, clockify) = rig.call_counts();
    assert!(notion + clockify < 20, "{notion} and {clockify}");
}

#[test]
fn the_region_is_the_first_that_accepts_the_key() {
    let (elsewhere, here) = (rig(World::bare()), rig(small()));
    elsewhere.sandbox.world().clockify_key = "another".to_owned();
    let regions = format!("http://192.0.2.1/api,{},{}", elsewhere.sandbox.clockify_url(), here.sandbox.clockify_url());
    let ran = run(init(&here, &["--yes"]).env("PUNCHLIST_REGIONS", &regions));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    // An address of another machine is never asked.
    assert_eq!(elsewhere.call_counts(), (0, 1));
    let text = std::fs::read_to_string(made(&here)).expect("made");
    assert!(text.contains(&format!("base_url = \"{}\"", here.sandbox.clockify_url())), "{text}");
    assert!(text.contains(&format!("reports_url = \"{}\"", here.sandbox.reports_url())), "{text}");

    // Where it is configured, no region is asked.
    let there = rig(small());
    let configured = there.sandbox.clockify_url();
    let ran = run(init(&there, &["--yes"])
        .env("PUNCHLIST_REGIONS", &regions)
        .env("PUNCHLIST__CLOCKIFY__BASE_URL", configured));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(elsewhere.call_counts(), (0, 1));
}

#[test]
fn what_is_wrong_is_told_and_leaves_no_trace() {
    let rig = rig(small());
    let on = |arguments: &[&str]| init(&rig, arguments);
    refuses(&rig, on(&["--yes"]).env("NOTION_TOKEN", "ntn_wrong"), 7, &["notion.token is not accepted"]);
    refuses(&rig, on(&["--yes"]).env("CLOCKIFY_API_KEY", "wrong"), 7, &["no region of Clockify accepts the key"]);
    refuses(&rig, &mut on(&["--yes", "--notion-token", "env:NOWHERE"]), 7, &["NOWHERE is not set"]);
    refuses(&rig, on(&["--yes"]).env_remove("NOTION_TOKEN"), 1, &["--notion-token env:NOTION_API_TOKEN"]);
    refuses(
        &rig,
        &mut on(&["--yes", "--workspace", "Another"]),
        7,
        &["clockify.workspace is Another", "Harbour Studio"],
    );
    refuses(&rig, &mut on(&["--yes", "--clients", "1f2c00000000400080000000000009a0"]), 1, &["neither a data source"]);
    refuses(&rig, &mut on(&["--yes", "--clients", "x"]), 78, &["--clients"]);
    refuses(&rig, &mut on(&["--no-input"]), 64, &["punchlist init --yes"]);
    refuses(&rig, on(&[]).stdin(std::process::Stdio::null()), 4, &["no configuration was written"]);
    let pasted = "ntn_c4nary0123456789abcdef";
    let ran = run(&mut on(&["--yes", "--notion-token", pasted]));
    assert_eq!(ran.code, 78, "{}", ran.stderr);
    assert!(!ran.stderr.contains("c4nary"), "{}", ran.stderr);
}

#[test]
fn what_the_token_does_not_see_or_may_not_make_is_told() {
    let mut world = small();
    world.add_connection("narrow", "ntn_narrow");
    let rig = rig(world);
    let narrow = || {
        let mut command = init(&rig, &["--yes"]);
        command.env("NOTION_TOKEN", "ntn_narrow");
        command
    };
    refuses(&rig, &mut narrow(), 1, &["••• → Connections", "--create-under PAGE"]);

    let databases = ["Clients", "Projects", "Tasks"].map(|name| rig.sandbox.world().data_source(name).expect("there"));
    for id in databases {
        rig.sandbox.world().share("ntn_narrow", id);
    }
    rig.sandbox.world().delete_property("Clients", "Clockify Client ID");
    let can = Capabilities { update: false, ..Capabilities::default() };
    rig.sandbox.world().limit("ntn_narrow", can);
    refuses(&rig, &mut narrow(), 7, &["may not make columns of Clients", "capabilities"]);
    rig.sandbox.world().limit("ntn_narrow", Capabilities::default());
    assert_eq!(run(&mut narrow()).code, 0);
}

#[test]
fn two_that_are_alike_are_asked_about_and_flags_decide() {
    let mut world = small();
    world.copy_template(" Berlin");
    let rig = rig(world);
    refuses(&rig, &mut init(&rig, &["--yes"]), 1, &["--clients ID|URL", "Clients Berlin", "Tasks Berlin"]);
    let clients = rig.sandbox.world().data_source("Clients Berlin").expect("there").to_string();
    let ran = run(&mut init(&rig, &["--yes", "--clients", &clients]));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let text = std::fs::read_to_string(made(&rig)).expect("made");
    assert!(text.contains("# The tasks: Tasks Berlin."), "what belongs to it comes along: {text}");
}

#[test]
fn a_plain_member_s_key_is_warned_of() {
    let rig = rig(small());
    rig.sandbox.knobs().member_key = true;
    let ran = run(&mut init(&rig, &["--yes"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("plain member"), "{}", ran.stdout);
}

#[test]
fn a_place_that_cannot_be_used_is_told_before_anything_is_asked() {
    let rig = rig(small());
    let file = rig.home.path().join("c.toml");
    let at = |path: &std::path::Path| init(&rig, &["--yes", "--config", path.to_str().expect("UTF-8")]);
    refuses(&rig, &mut at(rig.home.path()), 78, &["is a directory"]);
    // Somebody else is at it.
    let held = std::fs::File::open(rig.home.path()).expect("opens");
    flock(&held, FlockOperation::NonBlockingLockExclusive).expect("free");
    refuses(&rig, &mut at(&file), 78, &["another `punchlist init` is at work"]);
    drop(held);
    assert_eq!(rig.call_counts(), (0, 0));
    // What only an attempt shows.
    refuses(&rig, &mut at("/proc/punchlist.toml".as_ref()), 78, &["cannot be written"]);
    assert_eq!(run(&mut at(&file)).code, 0);
    assert!(file.exists());
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let rig = rig(small());
    let init = init(&rig, &["--yes"]);
    // No file may grow at all, and who tries is told so instead of being ended.
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"")
        .arg(init.get_program())
        .args(init.get_args());
    command.env_clear().envs(init.get_envs().filter_map(|(name, value)| Some((name, value?))));
    refuses(&rig, &mut command, 78, &["config.toml cannot be written"]);
    assert_eq!(run(&mut self::init(&rig, &["--yes"])).code, 0);
}

#[test]
fn an_outage_is_no_refusal() {
    let rig = rig(small());
    rig.sandbox.knobs().faults =
        vec![Fault::new(FaultKind::Status(500, String::new())).on("GET", "/v1/user").times(u32::MAX)];
    let ran = run(&mut init(&rig, &["--yes"]));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(!made(&rig).exists());
}
