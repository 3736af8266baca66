//! `punchlist doctor`: whatever is wrong is found, all of it at once and in a fixed order, by few calls and without a
//! write; what is well is told as that.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use punchlist::{
    domain::checkup::CheckCode,
    edge::notion::API_VERSION,
    sandbox::{Capabilities, Fault, FaultKind, Knobs, PersonalMe, Service, World},
};
use serde_json::{Value, json};
use strum::VariantArray as _;

use crate::support::{Ran, Rig};

/// What the Free plan of a workspace as young as the sandbox's allows.
const PER_HOUR: &str = "clockify.requests_per_hour = 30\n";
/// Calls of a check-up of a thousand pages, the reading of all of them included.
const CALLS_MAX: usize = 20;

/// A check-up as scripts see it.
struct Doctor(Ran, Value);

impl Doctor {
    #[track_caller]
    fn of(rig: &Rig, arguments: &[&str]) -> Self {
        let ran = rig.run(&[&["doctor", "--json"], arguments].concat());
        let document = ran.json();
        assert_eq!(document["format"], "punchlist/doctor/1");
        assert_eq!(ran.code, i32::from(document["verdict"] == "fail"), "{}", ran.stdout);
        Self(ran, document)
    }

    fn checks(&self) -> &[Value] {
        self.1["checks"].as_array().expect("checks")
    }

    /// The checks that ended so, as `code: text`.
    fn ended(&self, verdict: &str) -> Vec<String> {
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        let ended = self.checks().iter().filter(|check| check["verdict"] == verdict);
        ended.map(|check| format!("{}: {}", word(&check["code"]), word(&check["text"]))).collect()
    }

    /// What is not well.
    fn ill(&self) -> Vec<String> {
        ["fail", "warn", "skip"].into_iter().flat_map(|verdict| self.ended(verdict)).collect()
    }

    /// The codes of the checks that ended so, each once, in their order.
    fn codes(&self, verdict: &str) -> Vec<String> {
        let mut codes: Vec<String> =
            self.ended(verdict).iter().map(|told| told.split(':').next().expect("a code").to_owned()).collect();
        codes.dedup();
        codes
    }

    /// The one check of that code and verdict whose text has this in it.
    #[track_caller]
    fn finds(&self, code: &str, verdict: &str, text: &str) -> &Value {
        let fits = |check: &&Value| {
            check["code"] == code
                && check["verdict"] == verdict
                && check["text"].as_str().unwrap_or_default().contains(text)
        };
        let found: Vec<&Value> = self.checks().iter().filter(fits).collect();
        assert_eq!(found.len(), 1, "{code} {verdict} {text:?}: {:#?}", self.ill());
        assert_ne!(found[0]["mend"].as_str().unwrap_or_default(), "", "{:#?}", found[0]);
        found[0]
    }
}

/// So many pages in all, none of which is in Clockify yet.
fn agency(clients: usize, projects: usize, tasks: usize) -> World {
    let mut world = World::empty();
    for client in 0..clients {
        let page = world.add_client_page(&format!("Client no {client:03}"));
        for project in (client..projects).step_by(clients) {
            let below = world.add_project_page(&format!("Project no {project:03}"), page);
            for task in (project..tasks).step_by(projects) {
                world.add_task_page(&format!("Task no {task:04}"), below);
            }
        }
    }
    world
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

/// Somebody changes a database in Notion.
fn change_source(rig: &Rig, source: &str, body: &Value) {
    let id = rig.sandbox.world().data_source(source).expect("there");
    let (url, token) = (rig.sandbox.notion_url(), rig.sandbox.world().notion_token.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let request = reqwest::Client::new().patch(format!("{url}/v1/data_sources/{id}")).json(body);
        let answer = request.header("Notion-Version", API_VERSION).bearer_auth(token).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    });
    rig.sandbox.clear_calls();
}

#[test]
fn a_healthy_workspace_of_a_thousand_pages_is_well_and_costs_few_calls() {
    let rig = Rig::new(agency(40, 160, 800));
    rig.sandbox.world().use_real_time();
    rig.configure(PER_HOUR);

    let doctor = Doctor::of(&rig, &[]);

    assert_eq!(doctor.1["verdict"], "ok");
    assert_eq!(doctor.ill(), [""; 0]);
    let (notion, clockify) = rig.call_counts();
    assert!(notion + clockify < CALLS_MAX, "{notion} and {clockify}: {:#?}", rig.sandbox.calls());
    assert!(rig.mutations().iter().all(|call| call.status == 400), "a write took effect: {:?}", rig.mutations());
    assert!(!rig.home.path().join("state").exists(), "looking makes no state");
    let data = doctor.ended("ok").into_iter().find(|told| told.starts_with("data:")).expect("it was read");
    assert!(data.contains("1000 pages and 0 objects"), "{data}");

    let text = rig.run(&["doctor"]);
    assert_eq!(text.code, 0);
    assert!(text.stdout.lines().all(|line| line.chars().count() <= 80), "{}", text.stdout);
    assert_eq!(text.stdout.lines().count(), doctor.checks().len() + 2, "{}", text.stdout);
    assert!(text.stdout.ends_with(&format!("All is well: {} ok.\n", doctor.checks().len())), "{}", text.stdout);
}

#[test]
fn a_workspace_that_is_mirrored_is_well_and_the_check_up_is_in_the_log() {
    let rig = Rig::of_one_project();
    rig.sandbox.world().use_real_time();
    rig.configure(PER_HOUR);
    rig.settle();
    let before = rig.run(&["logs", "list"]).stdout;
    let doctor = Doctor::of(&rig, &[]);
    assert_eq!(doctor.ill(), [""; 0]);
    assert!(doctor.ended("ok").iter().any(|told| told.contains("with 2 links")), "{:?}", doctor.1);
    assert_eq!(rig.plan_lines(), [""; 0]);
    // What it asked for counts towards the budget of the hour, and its secrets were read.
    let log = rig.run(&["logs", "export", "--format", "jsonl"]).stdout;
    assert!(log.lines().any(|line| line.contains("\"doctor\"")), "{before}\n{log}");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
}

#[test]
fn the_order_is_fixed_and_no_check_is_missing() {
    let all: Vec<&str> = CheckCode::VARIANTS.iter().map(|code| code.word()).collect();
    let rig = Rig::of_one_project();
    let broken = Rig::of_one_project();
    broken.write_configuration("notion.token = \"env:NOBODY\"\n");
    for rig in [&rig, &broken] {
        let doctor = Doctor::of(rig, &[]);
        let mut codes: Vec<&str> =
            doctor.checks().iter().map(|check| check["code"].as_str().expect("a word")).collect();
        codes.dedup();
        assert_eq!(codes, all);
        assert_eq!(Doctor::of(rig, &[]).ended("fail"), doctor.ended("fail"));
    }
}

#[test]
fn everything_that_is_wrong_with_a_configuration_is_found_at_once() {
    let rig = Rig::of_one_project();
    let source = rig.sandbox.world().data_source("Tasks").expect("there").to_string();
    let text = rig.reach().replace(&source, "").replace("notion.tasks.data_source = \"\"\n", "");
    rig.write_configuration(&format!("{text}rules.on_drfit = \"review\"\nnotify.command = [\"no-such-program\"]\n"));
    let ran = rig.command().args(["doctor", "--json"]).env_remove("CLOCKIFY_API_KEY").output().expect("it runs");
    let ran = Ran::of(ran);
    let doctor = Doctor(Ran { code: ran.code, stdout: ran.stdout.clone(), stderr: String::new() }, ran.json());
    let at = |line: usize| format!("{}:{line}", rig.configuration().display());
    assert_eq!(doctor.finds("keys", "fail", "unknown key `rules.on_drfit`")["place"], at(7));
    doctor.finds("keys", "fail", "`notion.tasks.data_source` is missing");
    assert_eq!(doctor.finds("programs", "warn", "`no-such-program`")["place"], at(8));
    assert_eq!(doctor.finds("clockify_token", "fail", "CLOCKIFY_API_KEY is not set")["place"], "CLOCKIFY_API_KEY");
    // What does not depend on it was looked at all the same.
    assert_eq!(doctor.codes("ok").iter().filter(|code| code.starts_with("notion")).count(), 3, "{:?}", doctor.1);
    assert!(doctor.codes("skip").contains(&"clockify_identity".to_owned()));
    assert!(doctor.codes("skip").contains(&"data".to_owned()));

    rig.write_configuration("this is no configuration\n");
    let doctor = Doctor::of(&rig, &[]);
    assert_eq!(doctor.finds("configuration", "fail", "this is not TOML")["place"], at(1));
    assert_eq!(doctor.codes("fail"), ["configuration"]);
    let why = "not looked at, since the check “configuration” failed";
    assert!(doctor.ended("skip").iter().all(|told| told.ends_with(why)), "{:?}", doctor.ended("skip"));
}

#[test]
fn databases_that_are_not_what_is_meant_are_found() {
    let rig = Rig::of_one_project();
    let ids = |rig: &Rig| {
        ["Clients", "Projects", "Tasks"].map(|name| rig.sandbox.world().data_source(name).expect("there").to_string())
    };
    let [clients, projects, tasks] = ids(&rig);

    // Two are exchanged.
    rig.write_configuration(&rig.reach().replace(&clients, "X").replace(&tasks, &clients).replace('X', &tasks));
    let doctor = Doctor::of(&rig, &[]);
    let swapped = doctor.finds("databases", "fail", "“Tasks”, which fits the tasks and not the clients");
    assert_eq!(swapped["mend"], "exchange notion.clients.data_source and notion.tasks.data_source");
    assert_eq!(swapped["place"], format!("{}:3", rig.configuration().display()));
    doctor.finds("databases", "fail", "“Clients”, which fits the clients and not the tasks");

    // A page instead of a database.
    let page = rig.sandbox.world().find_page("Clients", "Acme Corp").expect("there").to_string();
    rig.write_configuration(&rig.reach().replace(&clients, &page));
    Doctor::of(&rig, &[]).finds("databases", "fail", "is a page and not a database");

    // One in the trash.
    rig.configure("");
    change_source(&rig, "Projects", &json!({"in_trash": true}));
    let doctor = Doctor::of(&rig, &[]);
    doctor.finds("databases", "fail", "notion.projects.data_source is “Projects”, which is in the trash");
    change_source(&rig, "Projects", &json!({"in_trash": false}));

    // One that is not shared.
    rig.sandbox.knobs().unshared.insert(projects);
    Doctor::of(&rig, &[]).finds("databases", "fail", "Notion shows neither a data source nor a database");
}

#[test]
fn last_years_copy_and_relations_that_lead_elsewhere_are_found() {
    let rig = Rig::of_one_project();
    let (old, new) = {
        let mut world = rig.sandbox.world();
        world.advance(SignedDuration::from_hours(24 * 365));
        world.copy_template(" 2027");
        ["Clients", "Clients 2027"].map(|name| world.data_source(name).expect("there").to_string()).into()
    };

    let doctor = Doctor::of(&rig, &[]);
    let copy = doctor.finds("copies", "warn", "“Clients 2027”");
    assert!(copy["mend"].as_str().expect("a mend").contains(&new), "{copy}");
    assert_eq!(copy["place"], format!("{}:3", rig.configuration().display()));

    rig.write_configuration(&rig.reach().replace(&old, &new));
    let doctor = Doctor::of(&rig, &[]);
    let relation = doctor.finds("relations", "fail", "\"Clients\" points to another data source");
    assert_eq!(relation["place"], format!("{}:4", rig.configuration().display()));
    let copies: Vec<String> = doctor.ended("warn").into_iter().filter(|told| told.starts_with("copies")).collect();
    assert_eq!(copies.len(), 2, "of clients an older one is no news: {copies:?}");
}

#[test]
fn properties_that_do_not_fit_are_found_each_by_itself() {
    let rig = Rig::of_one_project();
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        world.rename_property("Clients", "Archive", "Closed?");
        world.rename_option("Projects", "Status", "Done", "Finished");
    }
    change_source(&rig, "Tasks", &json!({"properties": {"Clockify Task ID": null}}));
    let doctor = Doctor::of(&rig, &[]);
    doctor.finds("properties", "fail", "it seems to be called \"Closed?\" now");
    doctor.finds("properties", "fail", "no option \"Done\" in \"Status\"; its options are");
    doctor.finds("properties", "fail", "no property \"Clockify Task ID\"");
    assert_eq!(doctor.codes("fail"), ["properties"]);
}

#[test]
fn whose_key_it_is_and_what_it_may_do_is_told() {
    let rig = Rig::of_one_project();
    rig.settle();
    rig.configure(PER_HOUR);
    rig.sandbox.knobs().member_key = true;
    let doctor = Doctor::of(&rig, &[]);
    doctor.finds("clockify_rights", "fail", "a plain member's key");
    rig.sandbox.knobs().member_key = false;

    // Notion lets it read and not write.
    let may = Capabilities { update: false, ..Capabilities::default() };
    rig.sandbox.world().limit("ntn_sandbox", may);
    Doctor::of(&rig, &[]).finds("notion_rights", "fail", "notion.token may not write pages");
    rig.sandbox.world().limit("ntn_sandbox", Capabilities::default());

    for (token, code, text) in [
        ("NOTION_TOKEN", "notion_identity", "notion.token is not accepted by Notion"),
        ("CLOCKIFY_API_KEY", "clockify_identity", "clockify.token is not accepted"),
    ] {
        let ran =
            Ran::of(rig.command().args(["doctor", "--json"]).env(token, "no_such_secret").output().expect("runs"));
        assert_eq!(ran.code, 1);
        let doctor = Doctor(Ran::of(rig.command().arg("--version").output().expect("runs")), ran.json());
        doctor.finds(code, "fail", text);
        assert!(!ran.stdout.contains("no_such_secret") && !ran.stdout.contains("ntn_sandbox"), "{}", ran.stdout);
    }

    // Another workspace than the one that the state belongs to.
    let other = Rig::new(World::agency());
    rig.write_configuration(&other.reach());
    let doctor = Doctor::of(&rig, &[]);
    let other = doctor.finds("clockify_identity", "fail", "but this state belongs to");
    assert!(other["mend"].as_str().expect("a mend").contains("another --state-dir"), "{other}");
}

/// Whatever `GET /v1/users/me` shows of a person's own token: no source says which form it has.
#[test]
fn a_persons_own_token_is_as_good_as_a_connections() {
    for (shows, without_workspace) in [
        (PersonalMe::BotOfPerson, false),
        (PersonalMe::BotOfPersonId, true),
        (PersonalMe::BotOfWorkspace, false),
        (PersonalMe::Person, true),
    ] {
        let rig = Rig::of_one_project();
        rig.configure(PER_HOUR);
        rig.sandbox.world().use_real_time();
        rig.sandbox.world().add_personal_token("Mara Lindqvist", "ntn_personal");
        {
            let mut knobs = rig.sandbox.knobs();
            (knobs.personal_me, knobs.personal_without_workspace) = (shows, without_workspace);
        }
        let mut command = rig.command();
        let ran =
            Ran::of(command.args(["doctor", "--json"]).env("NOTION_TOKEN", "ntn_personal").output().expect("runs"));
        let document = ran.json();
        let doctor = Doctor(ran, document);
        assert_eq!(doctor.ill(), [""; 0], "{shows:?}");
    }
}

#[test]
fn the_budget_and_a_wrong_clock_are_told() {
    let rig = Rig::of_one_project();
    let doctor = Doctor::of(&rig, &[]);
    doctor.finds("budget", "warn", "30 requests an hour, and clockify.requests_per_hour is not set");
    rig.configure("clockify.requests_per_hour = 3000\n");
    let set = Doctor::of(&rig, &[]);
    let set = set.finds("budget", "warn", "clockify.requests_per_hour is 3000");
    assert_eq!(set["place"], format!("{}:8", rig.configuration().display()));

    // The sandbox's clock stands at some time in November 2026, and this machine's does not.
    rig.configure(PER_HOUR);
    Doctor::of(&rig, &[]).finds("clock", "warn", "of Notion's and");
    rig.sandbox.world().use_real_time();
    assert_eq!(Doctor::of(&rig, &[]).ill(), [""; 0]);
}

#[test]
fn what_the_rows_show_is_told_with_examples() {
    let rig = Rig::of_one_project();
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        let first = world.find_page("Clients", "Acme Corp").expect("there");
        let claim = world.claim(first).expect("linked");
        let copy = world.add_client_page("Acme Corp (1)");
        world.set_text(copy, "Clockify Client ID", &claim);
        let gone = world.unused_clockify_id();
        let lost = world.add_client_page("Globex");
        world.set_claim(lost, gone);
        world.add_project_page("Bad <name>", first);
        let website = world.find_page("Projects", "Website").expect("there");
        world.add_task_page("Design", website);
        world.add_task_page("design", website);
        world.add_client("Somebody else's");
        let kai = world.person("Kai Freelance").expect("there");
        let task = world.find_page("Tasks", "Design").expect("there");
        world.set(task, "Assignee", json!([kai]));
    }
    rig.configure(&format!("{PER_HOUR}mapping.tasks.fields.assignees = \"Assignee\"\n"));
    let doctor = Doctor::of(&rig, &[]);
    let copy = doctor.finds("copied_ids", "warn", "“Acme Corp (1)”");
    assert_eq!(copy["place"].as_str().map(str::len), Some(36), "the page's ID");
    doctor.finds("unknown_ids", "warn", "“Globex”");
    doctor.finds("names", "warn", "“Bad <name>”: Clockify refuses '<' in names");
    doctor.finds("near_twins", "warn", "names that can be mistaken for others: 2 ");
    doctor.finds("people", "warn", "kai@elsewhere.example");
    doctor.finds("unmanaged", "warn", "“Somebody else's”");
    assert_eq!(doctor.0.code, 0, "a run goes on with all of these");
    assert_eq!(rig.mutations().iter().filter(|call| call.status < 400).count(), 0);
}

#[test]
fn a_state_that_others_can_read_is_found_and_closed_and_then_well() {
    let rig = Rig::of_one_project();
    rig.sandbox.world().use_real_time();
    rig.settle();
    rig.configure(PER_HOUR);
    let state = rig.home.path().join("state");
    let secret = rig.home.path().join("notion-token");
    fs::write(&secret, "ntn_sandbox").expect("written");
    set_mode(&secret, 0o644);
    set_mode(&state, 0o755);
    set_mode(&state.join("punchlist.sqlite3"), 0o644);
    let text = rig.reach().replace("env:NOTION_TOKEN", &format!("file:{}", secret.display()));
    rig.write_configuration(&format!("{text}{PER_HOUR}"));

    let doctor = Doctor::of(&rig, &[]);
    doctor.finds("permissions", "warn", "(0755)");
    doctor.finds("permissions", "warn", "punchlist.sqlite3 (0644)");
    doctor.finds("notion_token", "fail", "others than its owner may read or write");
    assert_eq!(
        [mode(&state), mode(&state.join("punchlist.sqlite3")), mode(&secret)],
        [0o755, 0o644, 0o644],
        "looking mends nothing"
    );

    let fixed = Doctor::of(&rig, &["--fix"]);
    assert_eq!(fixed.1["verdict"], "ok", "{:#?}", fixed.ill());
    let mended = |doctor: &Doctor| doctor.1["mended"].as_array().expect("a list").len();
    // The secret, the directory and the database, with the log that SQLite has written beside it since; and the note that
    // the run before has left in the lock.
    assert_eq!(mended(&fixed), 6, "{:#?}", fixed.1["mended"]);
    assert_eq!([mode(&state), mode(&state.join("punchlist.sqlite3")), mode(&secret)], [0o700, 0o600, 0o600]);
    let again = Doctor::of(&rig, &["--fix"]);
    assert_eq!((mended(&again), &again.1["verdict"]), (0, &json!("ok")), "{:#?}", again.ill());
    assert_eq!(rig.mutations().iter().filter(|call| call.status < 400).count(), 0, "nothing is written to a service");
}

#[test]
fn what_the_log_is_found_by_is_made_anew_where_it_is_gone() {
    let rig = Rig::of_one_project();
    rig.settle();
    rig.configure(PER_HOUR);
    let found = || {
        let run = rig.run(&["logs", "--grep", "AUTO-APPROVE, version"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout
    };
    let before = found();
    assert!(before.contains("run started by"), "{before}");
    let state = rusqlite::Connection::open(rig.home.path().join("state/punchlist.sqlite3")).expect("opens");
    state.execute_batch("DROP TABLE words").expect("drops");
    assert_eq!(found(), before, "it is found by looking through everything");

    let fixed = Doctor::of(&rig, &["--fix"]);
    assert!(fixed.1["mended"].to_string().contains("made anew what the log is found by"), "{}", fixed.1["mended"]);
    let filters: i64 = state.query_row("SELECT count(*) FROM words", [], |row| row.get(0)).expect("it is there");
    assert!(filters > 0);
    assert!(found().starts_with(&before), "and so it is by the index");
    let again = Doctor::of(&rig, &["--fix"]);
    assert!(!again.1["mended"].to_string().contains("found by"), "{}", again.1["mended"]);
}

#[test]
fn a_state_that_is_damaged_held_or_in_doubt_is_told() {
    let rig = Rig::of_one_project();
    rig.settle();
    rig.configure(PER_HOUR);
    let state = rig.home.path().join("state");
    let lock = fs::OpenOptions::new().read(true).write(true).open(state.join("lock")).expect("there");
    lock.lock().expect("free");
    let doctor = Doctor::of(&rig, &["--fix"]);
    doctor.finds("lock", "warn", "another run holds it (“auto-approve”");
    assert_eq!(doctor.1["mended"], json!([]), "whoever holds it keeps the note");
    drop(lock);

    let checkpoints = state.join("checkpoints.jsonl");
    let text = fs::read_to_string(&checkpoints).expect("there");
    fs::write(&checkpoints, text.replace("\"n\":", "\"n\":9")).expect("written");
    let doctor = Doctor::of(&rig, &[]);
    doctor.finds("log", "fail", "the log is not what its last checkpoint has seen");

    fs::write(state.join("punchlist.sqlite3"), "no database").expect("written");
    let doctor = Doctor::of(&rig, &[]);
    doctor.finds("state", "fail", "is damaged");
    assert!(
        doctor.ended("skip").contains(&"data: not looked at, since the check “state” failed".to_owned()),
        "{:?}",
        doctor.1
    );
    assert!(doctor.codes("ok").contains(&"clockify_identity".to_owned()), "the services are asked all the same");
}

#[test]
fn services_that_cannot_be_reached_fail_soon_and_the_rest_is_skipped() {
    let rig = Rig::of_one_project();
    let text = rig.reach();
    let text = text
        .replace(&rig.sandbox.notion_url(), "http://127.0.0.1:1")
        .replace(&rig.sandbox.clockify_url(), "http://127.0.0.1:1/api");
    rig.write_configuration(&text);
    let began = Instant::now();
    let doctor = Doctor::of(&rig, &[]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(doctor.codes("fail"), ["notion_reached", "clockify_reached"]);
    let reached = doctor.finds("notion_reached", "fail", "Connection refused");
    assert_eq!(reached["place"], format!("{}:2", rig.configuration().display()));
    for code in ["clock", "notion_identity", "databases", "budget", "data", "unmanaged"] {
        assert!(doctor.codes("skip").contains(&code.to_owned()), "{code}: {:?}", doctor.1);
    }
    assert!(doctor.codes("ok").contains(&"state".to_owned()));
}

/// Nobody mends one thing to hear of the next: what keeps a run from beginning comes at once, whatever it is about.
#[test]
fn a_run_that_cannot_begin_says_all_that_is_wrong() {
    let rig = Rig::of_one_project();
    rig.settle();
    let [clients, tasks] =
        ["Clients", "Tasks"].map(|name| rig.sandbox.world().data_source(name).expect("there").to_string());
    let swapped = rig.reach().replace(&clients, "X").replace(&tasks, &clients).replace('X', &tasks);
    let told = |text: &str, code: i32, texts: &[&str]| {
        rig.write_configuration(text);
        let ran = rig.run(&["--auto-approve"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        for text in texts {
            assert!(ran.stderr.contains(text), "{text:?} is not in {}", ran.stderr);
        }
    };
    let both = ["CLOCKIFY_KEY is not set", "“Tasks”, which fits the tasks", "“Clients”, which fits the clients"];
    told(&swapped.replace("CLOCKIFY_API_KEY", "CLOCKIFY_KEY"), 78, &both);
    let missing = ["`clockify.token` is missing", "“Tasks”, which fits the tasks", "“Clients”, which fits the clients"];
    told(&swapped.replace("clockify.token", "# clockify.token"), 78, &missing);
    fs::write(rig.home.path().join("state/punchlist.sqlite3"), "no database").expect("written");
    let reach = rig.reach();
    told(&reach.replace("CLOCKIFY_API_KEY", "CLOCKIFY_KEY"), 7, &["is damaged", "CLOCKIFY_KEY is not set"]);
    told(&reach.replace("clockify.token", "# clockify.token"), 78, &["is damaged", "`clockify.token` is missing"]);
}

/// What a run ends with is what the check-up finds, in the same words and with the same way to mend it.
#[test]
fn no_fault_of_a_run_is_without_its_check() {
    let rig = Rig::of_one_project();
    rig.settle();
    let [clients, tasks] =
        ["Clients", "Tasks"].map(|name| rig.sandbox.world().data_source(name).expect("there").to_string());
    let page = rig.sandbox.world().find_page("Clients", "Acme Corp").expect("there").to_string();
    let swap = |text: &str| text.replace(&clients, "X").replace(&tasks, &clients).replace('X', &tasks);
    let reach = rig.reach();
    let html =
        || FaultKind::Answer { status: 404, headers: Vec::new(), body: "<html><title>Not here</title></html>".into() };
    let cases: [(&str, String, Knobs, i32); 9] = [
        ("nothing to read with", reach.replace("env:NOTION_TOKEN", "env:NOBODY"), Knobs::default(), 7),
        (
            "two secrets",
            reach.replace("env:NOTION_TOKEN", "env:NOBODY").replace("env:CLOCKIFY_API_KEY", "env:NOTHING"),
            Knobs::default(),
            7,
        ),
        ("no URL of ours", format!("{reach}clockify.workspace = \"elsewhere\"\n"), Knobs::default(), 7),
        (
            "a missing key and two databases that are exchanged",
            swap(&reach).replace("clockify.token", "# clockify.token"),
            Knobs::default(),
            78,
        ),
        ("a page", reach.replace(&clients, &page), Knobs::default(), 78),
        ("no such property", format!("{reach}mapping.clients.fields.note = \"Nowhere\"\n"), Knobs::default(), 78),
        (
            "a secret and a page",
            reach.replace("env:CLOCKIFY_API_KEY", "env:NOTHING").replace(&clients, &page),
            Knobs::default(),
            78,
        ),
        ("an unknown key", format!("{reach}rules.on_drfit = \"review\"\n"), Knobs::default(), 78),
        (
            "somebody else answers",
            reach.clone(),
            Knobs::default().with_fault(Fault::new(html()).service(Service::Notion).times(999)),
            1,
        ),
    ];
    for (name, text, knobs, code) in cases {
        rig.write_configuration(&text);
        *rig.sandbox.knobs() = knobs.clone();
        let run = rig.run(&["plan"]);
        *rig.sandbox.knobs() = knobs;
        let doctor = Doctor::of(&rig, &[]);
        assert_eq!(run.code, code, "{name}: {}", run.stderr);
        let failed: Vec<&Value> = doctor.checks().iter().filter(|check| check["verdict"] == "fail").collect();
        let told = |key: &str| failed.iter().filter_map(|check| check[key].as_str()).collect::<Vec<_>>().join("\n");
        let (texts, mends) = (told("text"), told("mend"));
        for line in run.stderr.lines().filter(|line| !line.contains("things are wrong")) {
            let line = line.trim().trim_start_matches("error: ");
            let place = format!("{}:", rig.home.path().display());
            match line.strip_prefix("hint: ") {
                // Where it was set is the check's place; and a check says in its own words how to set up.
                Some(hint) if [" is set in ", "--demo", "punchlist init"].iter().any(|said| hint.contains(said)) => {}
                Some(hint) => assert!(mends.contains(hint), "{name}: {hint:?} is not in {mends}"),
                None => {
                    // A problem of the configuration begins with its place.
                    let line = line
                        .strip_prefix(&place)
                        .or_else(|| line.strip_prefix(rig.configuration().to_str().expect("UTF-8")));
                    let line = line
                        .map_or(line.unwrap_or_default(), |rest| rest.split_once(": ").map_or(rest, |(_, rest)| rest));
                    assert!(texts.contains(line), "{name}: {line:?} is not in {texts}\n{}", run.stderr);
                }
            }
        }
    }
}
