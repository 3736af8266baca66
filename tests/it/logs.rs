//! The log, asked through the real binary: who changed what, copies, proofs, and that nothing secret is in any of it.

use std::{fs, path::Path};

use punchlist::{
    domain::journal::{Event, What},
    sandbox::{Fault, FaultKind, NotionId, World},
};
use serde_json::json;

use crate::support::{Ran, Rig, done};

/// A state with a client and a project, in sync; then the project is renamed, and that is applied.
fn renamed() -> (Rig, NotionId) {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    let project = world.add_project_page("Website", client);
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().set_title(project, "Website relaunch");
    let (code, report) = rig.auto_approve();
    assert_eq!(code, 0, "{report}");
    (rig, project)
}

/// Runs a command as somebody with a name.
fn as_mara(rig: &Rig, arguments: &[&str]) -> Ran {
    Ran::of(rig.command().env("USER", "mara").args(arguments).output().expect("runs"))
}

#[test]
fn who_changed_a_name_when_why_and_from_what_to_what() {
    let (rig, project) = renamed();
    let page = project.to_string();
    for about in ["website relaunch", "Website", &page, &format!("https://app.notion.com/p/{}", page.replace('-', ""))]
    {
        let ran = as_mara(&rig, &["logs", "--about", about]);
        assert_eq!(ran.code, 0, "{about}: {}", ran.stderr);
        for told in [
            "update project “Website relaunch”",
            "what   name “Website” → “Website relaunch”",
            "who    approved by policy, in auto-approve started by ",
            "why    ",
            "how    done (",
        ] {
            assert!(ran.stdout.contains(told), "{told:?} is not in\n{}", ran.stdout);
        }
    }
    let document = as_mara(&rig, &["logs", "list", "--about", "Website", "--json"]).json();
    let changed = document["changed"].as_array().expect("what was changed").last().expect("one").clone();
    assert_eq!((&document["format"], &changed["action"]), (&json!("punchlist/log/1"), &json!("update")));
    assert_eq!(changed["fields"][0]["from"], json!({"text": "Website"}));
    let missing = as_mara(&rig, &["logs", "--about", "nobody"]);
    assert_eq!(missing.code, 64, "{}", missing.stdout);
    assert!(missing.stderr.contains("the log knows nothing named"));
}

#[test]
fn runs_are_listed_and_shown_and_their_entries_filtered() {
    let (rig, _) = renamed();
    let listed = as_mara(&rig, &["logs"]).stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains("auto-approve") && listed.contains("applied, 1 applied"), "{listed}");
    let shown = as_mara(&rig, &["logs", "show", "last"]).stdout;
    assert!(shown.contains("run started by") && shown.contains("run ended: applied"), "{shown}");
    let intents = as_mara(&rig, &["logs", "list", "--run", "last", "--kind", "intent"]).stdout;
    assert_eq!(intents.lines().count(), 1, "{intents}");
    let grepped = as_mara(&rig, &["logs", "list", "--grep", "RELAUNCH", "--kind", "difference,outcome"]).stdout;
    assert_eq!(grepped.lines().count(), 2, "an outcome is found by what it is about: {grepped}");
    assert!(as_mara(&rig, &["logs", "list", "--since", "2d", "--until", "1d"]).stdout.contains("no runs"));
    assert!(as_mara(&rig, &["logs", "list", "--level", "warn"]).stdout.contains("No entry"));
    assert!(as_mara(&rig, &["logs", "list", "--run", "last", "-v"]).stdout.contains("account "));
    for (wrong, told) in [
        (["--kind", "gossip"], "there is no kind of entry"),
        (["--since", "soon"], "is no time"),
        (["--run", "1999"], "there is no run"),
    ] {
        let ran = as_mara(&rig, &["logs", "list", wrong[0], wrong[1]]);
        assert_eq!(ran.code, 64);
        assert!(ran.stderr.contains(told) && ran.stderr.contains("hint:"), "{}", ran.stderr);
    }
}

#[test]
fn a_run_is_replayed_to_the_report_that_was_printed() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    for name in ["One", "Two", "Three", "Four", "Five"] {
        world.add_project_page(name, client);
    }
    let rig = Rig::new(world);
    let refused = Fault::new(FaultKind::Status(403, json!({"message": "Access Denied", "code": 501}).to_string()));
    rig.sandbox.knobs().faults.push(refused.on("POST", "/projects").nth(1));
    for _ in 0..3 {
        let (_, printed) = rig.auto_approve();
        let store = done(punchlist::edge::store::Store::open_read_only(&rig.state())).expect("opens");
        let run = &done(store.runs(1)).expect("runs")[0];
        let replayed =
            punchlist::domain::report::replay(&done(store.events(&run.id)).expect("events")).expect("a report");
        assert_eq!(serde_json::to_value(replayed).expect("JSON"), printed);
    }
}

#[test]
fn a_log_is_proved_whole_and_what_was_done_to_it_is_said() {
    let (rig, _) = renamed();
    let verified = rig.run(&["logs", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(verified.stdout.contains("is as it was written") && verified.stdout.contains("; 0 entries came after"));
    let checkpoints = rig.home.path().join("state/checkpoints.jsonl");
    let kept = fs::read_to_string(&checkpoints).expect("checkpoints");
    assert_eq!(kept.lines().count(), 2, "one for each run");

    let told = |mischief: &str| {
        let file = rig.home.path().join("state/punchlist.sqlite3");
        let before = fs::read(&file).expect("reads");
        let database = rusqlite::Connection::open(&file).expect("opens");
        let drop_triggers = "DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_deleted;";
        database
            .execute_batch(&format!("{drop_triggers}{mischief}; PRAGMA wal_checkpoint(TRUNCATE)"))
            .expect("changes");
        drop(database);
        let ran = rig.run(&["logs", "verify", "--json"]);
        fs::write(&file, before).expect("writes");
        assert_eq!(ran.code, 1, "{mischief}: {}", ran.stdout);
        ran.json()["findings"].to_string()
    };
    let changed = told("UPDATE event SET body = replace(body, 'relaunch', 'launch') WHERE kind = 'intent'");
    assert!(changed.contains("does not follow from the one before"), "{changed}");
    assert!(told("DELETE FROM event WHERE n = 5").contains("entry 5 is not there"));
    assert!(told("DELETE FROM event WHERE n > 12").contains("its end was cut off"));
    assert!(told("UPDATE run SET by = 'nobody'").contains("the list of runs says something else"));
    assert_eq!(rig.run(&["logs", "verify"]).code, 0, "it is as it was again");

    fs::remove_file(&checkpoints).expect("removes");
    assert!(rig.run(&["logs", "verify"]).stdout.contains("there is no checkpoint"));
}

#[test]
fn a_copy_is_proved_without_the_state_and_never_written_over_something() {
    let (rig, _) = renamed();
    let (all, some) = (rig.home.path().join("all.jsonl"), rig.home.path().join("some.jsonl"));
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let export = |more: &[&str], out: &Path| rig.run(&[&["logs", "export", "--out", &path(out)], more].concat());
    assert_eq!(export(&[], &all).code, 0);
    assert_eq!(export(&["--kind", "intent,run_ended"], &some).code, 0);
    let again = export(&[], &all);
    assert!(again.code == 1 && again.stderr.contains("there is a file already"), "{}", again.stderr);
    assert_eq!(export(&["--force"], &all).code, 0);
    fs::rename(rig.home.path().join("state"), rig.home.path().join("elsewhere")).expect("moves");

    for copy in [&all, &some] {
        let ran = rig.run(&["logs", "verify", &path(copy)]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let text = fs::read_to_string(copy).expect("reads");
        let lines: Vec<&str> = text.lines().collect();
        let without = |at: usize| {
            let mut left = lines.clone();
            left.remove(at);
            left.join("\n") + "\n"
        };
        let mut swapped = lines.clone();
        swapped.swap(1, 2);
        let changes: [String; 5] = [
            text.replacen("Website", "Webseite", 1),
            without(1),
            without(lines.len() - 1),
            swapped.join("\n") + "\n",
            format!("{text}{}\n", lines[1]),
        ];
        for changed in changes {
            assert_ne!(changed, text);
            fs::write(copy, changed).expect("writes");
            let ran = rig.run(&["logs", "verify", &path(copy)]);
            assert_eq!(ran.code, 1, "{}", ran.stdout);
        }
        fs::write(copy, text).expect("writes");
    }
    let other = rig.run(&["logs", "verify", &path(&all), "--public-key", &"ab".repeat(32)]);
    assert_eq!(other.code, 1, "signed by somebody else than was noted");
    let nonsense = rig.run(&["logs", "verify", &path(&rig.configuration())]);
    assert!(nonsense.code == 1 && nonsense.stderr.contains("cannot be verified"));
}

#[test]
fn spreadsheets_and_terminals_get_nothing_that_acts() {
    let mut world = World::empty();
    let evil = "=HYPERLINK(\"http://evil\")";
    world.add_client_page(evil);
    world.add_client_page("Ac\u{202E}me\n\u{1B}[31m");
    world.add_client_page(&"x".repeat(1 << 20));
    let rig = Rig::new(world);
    rig.auto_approve();
    for arguments in [
        &["logs", "export", "--format", "csv"][..],
        &["logs", "export"],
        &["logs", "list", "--level", "debug"],
        &["logs", "list", "--run", "last", "-v"],
        &["logs", "list", "--run", "last", "--json"],
    ] {
        let ran = rig.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stdout.chars().any(|c| c == '\u{202E}' || c == '\u{1B}'), "{arguments:?}");
    }
    let csv = rig.run(&["logs", "export", "--format", "csv"]).stdout;
    assert!(csv.lines().all(|line| !line.contains(",\"=") && !line.contains(",=")), "no cell begins a formula");
    let exact = rig.run(&["logs", "export"]).stdout;
    let line = exact.lines().find(|line| line.contains("HYPERLINK")).expect("it is there");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["entry"]["name"], json!(evil));
}

#[cfg(target_os = "linux")]
#[test]
fn a_copy_onto_a_full_disk_is_said_and_nothing_is_left() {
    let (rig, _) = renamed();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let output = rig
        .command()
        .args(["logs", "export"])
        .stdout(full)
        .stderr(std::process::Stdio::piped())
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not write to standard output"));
    let nowhere = rig.run(&["logs", "export", "--out", "missing/copy.jsonl"]);
    assert!(nowhere.code == 1 && nowhere.stderr.contains("hint:"), "{}", nowhere.stderr);
}

#[test]
fn a_changed_configuration_a_read_secret_and_a_refused_one_are_logged() {
    let (rig, _) = renamed();
    rig.configure("brakes.close.count = 7\n");
    rig.run(&["plan"]);
    let changed = rig.run(&["logs", "list", "--kind", "configuration_changed"]).stdout;
    assert!(changed.contains("configuration: brakes.close.count (not set) → 7"), "{changed}");
    assert!(rig.run(&["logs", "list", "--kind", "secret_read"]).stdout.contains("notion.token from env:NOTION_TOKEN"));
    let refused = rig.command().env_remove("NOTION_TOKEN").arg("plan").output().expect("runs");
    assert_eq!(refused.status.code(), Some(7));
    let told = rig.run(&["logs", "list", "--level", "error"]).stdout;
    assert!(told.contains("secret refused") && told.contains("NOTION_TOKEN is not set"), "{told}");
}

#[test]
fn old_entries_go_when_their_time_has_come_and_the_rest_is_proved() {
    let (rig, _) = renamed();
    rig.configure("logs.keep_days = 1\n");
    rig.run(&["plan"]);
    assert!(rig.run(&["logs", "list", "--kind", "cut"]).stdout.contains("No entry"), "nothing is a day old");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);

    let rig = Rig::new(World::empty());
    rig.configure("logs.keep_days = 1\n");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let what = What::SecretRefused { error: "of long ago".into() };
    let mut store = done(punchlist::edge::store::Store::open(&rig.state(), now)).expect("opens");
    done(store.append(&Event { run: "old".parse().expect("a run"), at: now, what })).expect("appends");
    drop(store);

    rig.run(&["plan"]);

    assert!(rig.run(&["logs", "list", "--kind", "secret_refused"]).stdout.contains("No entry"));
    let cut = rig.run(&["logs", "list", "--kind", "cut"]).stdout;
    assert!(cut.contains("1 entries"), "{cut}");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0, "the checkpoint is of what is left");
}

/// All that lies below a directory.
fn artefacts(directory: &Path, found: &mut Vec<(std::path::PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        if entry.path().is_dir() {
            artefacts(&entry.path(), found);
        } else {
            found.push((entry.path(), fs::read(entry.path()).expect("reads")));
        }
    }
}

#[test]
fn a_canary_is_found_in_no_artefact_whatever_happens() {
    let (notion, clockify) = ("ntn_canary0123456789abcdef", "canaryY2xvY2tpZnktY2FuYXJ5");
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    world.add_project_page("Website", client);
    (world.notion_token, world.clockify_key) = (notion.into(), clockify.into());
    let rig = Rig::new(world);
    let reach = rig.reach().replace("env:CLOCKIFY_API_KEY", &format!("command:[\\\"echo\\\", \\\"{clockify}\\\"]"));
    // A program's arguments may be the secret itself; the configuration is the only place that may have it then.
    rig.write_configuration(&format!(
        "{reach}logs.bodies = true\ndiagnostics.level = \"trace\"\nrules.settle_seconds = 0\n"
    ));
    let mut said: Vec<Vec<u8>> = Vec::new();
    let mut run = |arguments: &[&str], failpoint: Option<&str>| {
        let mut command = rig.command();
        command.env("NOTION_TOKEN", notion).args(arguments).args(["-vvv"]);
        if let Some(failpoint) = failpoint {
            command.env("PUNCHLIST_FAILPOINT", failpoint);
        }
        let output = command.output().expect("runs");
        said.extend([output.stdout, output.stderr]);
    };
    let faults = [
        FaultKind::Status(401, json!({"message": format!("bad token {clockify}")}).to_string()),
        FaultKind::Status(500, "<html>".into()),
        FaultKind::Reset,
        FaultKind::TruncatedBody,
        FaultKind::HtmlBody,
        FaultKind::Redirect("http://127.0.0.1:1/".into()),
    ];
    for fault in faults {
        rig.sandbox.knobs().faults = vec![Fault::new(fault).on("POST", "/clients")];
        run(&["--auto-approve", "--json"], None);
    }
    rig.sandbox.knobs().faults.clear();
    run(&["plan", "--out", "plan.json"], None);
    run(&["plan"], Some("commit:2:panic"));
    run(&["--auto-approve"], None);
    for arguments in [
        &["logs", "list", "--run", "last"][..],
        &["logs", "export", "--out", "copy.jsonl"],
        &["logs", "export", "--format", "csv"],
    ] {
        run(arguments, None);
    }
    let mut found = Vec::new();
    artefacts(rig.home.path(), &mut found);
    found.retain(|(path, _)| *path != rig.configuration());
    assert!(found.iter().any(|(path, _)| path.to_string_lossy().contains("diagnostics")), "there is a diagnostic log");
    assert!(found.iter().any(|(_, bytes)| bytes.windows(8).any(|part| part == b"answered")), "bodies are kept");
    let said = said.into_iter().map(|bytes| ("what was said".into(), bytes));
    for (path, bytes) in found.into_iter().chain(said) {
        for canary in [notion, clockify] {
            let here = bytes.windows(canary.len()).position(|part| part == canary.as_bytes());
            let around = here.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(80)..at]).into_owned());
            assert_eq!(around, None, "{} holds a secret", path.display());
        }
    }
}

#[test]
fn what_was_never_written_is_found_by_its_name_too() {
    let mut world = World::empty();
    world.add_client_page("<Held>");
    let rig = Rig::new(world);
    assert_eq!(rig.auto_approve().0, 2);

    let ran = rig.run(&["logs", "--about", "<Held>"]);

    assert!(ran.code == 0 && ran.stdout.starts_with("client “<Held>”"), "{} {}", ran.stdout, ran.stderr);
}

/// Bytes of what the log says of the last run.
fn logged(rig: &Rig) -> i64 {
    let file = rusqlite::Connection::open(rig.home.path().join("state/punchlist.sqlite3")).expect("opens");
    let sql = "SELECT sum(octet_length(body)) FROM event
               WHERE run_id = (SELECT run_id FROM run ORDER BY started_at DESC, run_id DESC LIMIT 1)";
    file.query_row(sql, [], |row| row.get(0)).expect("counts")
}

#[test]
fn a_steady_run_logs_little_and_what_ends_is_logged() {
    let mut world = World::empty();
    for number in 0..150 {
        world.add_client_page(&format!("<{number}> of a client whose name Clockify does not take"));
    }
    let gone = world.add_client_page("<Gone>");
    let rig = Rig::new(world);
    assert_eq!(rig.auto_approve().0, 2);
    let kinds = |kind: &str| rig.run(&["logs", "list", "--run", "last", "--kind", kind]).stdout;
    assert_eq!(kinds("difference").matches("found create client").count(), 151);

    rig.auto_approve();
    rig.auto_approve();

    let planned = kinds("planned");
    assert!(planned.contains("planned 151 changes, 151 of them as logged before"), "{planned}");
    assert!(kinds("difference").contains("No entry"));
    let bytes = logged(&rig);
    assert!(bytes < 2_000, "{bytes} bytes");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0, "the report follows from what is logged");

    rig.sandbox.world().set_title(gone, "Globex");
    assert_eq!(rig.auto_approve().0, 2);
    let ended = kinds("difference_ended");
    assert!(ended.contains("no longer found: create client “<Gone>”"), "{ended}");
    let applied = kinds("applied");
    assert!(applied.contains("Globex"), "{applied}");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
}

#[test]
fn what_was_found_by_an_earlier_run_is_told_in_the_run_that_mends_it() {
    let rig = Rig::of_one_project();
    rig.plan();
    rig.plan();

    assert_eq!(rig.auto_approve().0, 0);

    let run = rig.run(&["logs", "list", "--run", "last"]).stdout;
    assert!(run.contains("2 of them as logged before"), "{run}");
    let told = run.find("found create client").expect("the difference is told");
    assert!(told < run.find("approved by policy").expect("it is approved"), "{run}");
    assert!(run.contains("applied: create project “Website”"), "{run}");
    let why = rig.run(&["logs", "--about", "Website"]).stdout;
    assert!(why.contains("why    "), "{why}");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);
}
