//! With `--json` an error is a document, too: what, the code, what to do about it, and where.

use serde_json::{Value, json};

use crate::support::{Ran, Rig, done, punchlist};

/// The error that a command printed, which must have the exit code and be told to people as well.
#[track_caller]
fn error(ran: &Ran, code: i32) -> Value {
    assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
    let error = ran.json();
    let fields: Vec<&String> = error.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["code", "error", "format", "hints", "place"]);
    assert_eq!((&error["format"], &error["code"]), (&json!("punchlist/error/1"), &json!(code)));
    let first = error["error"].as_str().expect("a text").lines().next().expect("a line");
    assert!(ran.stderr.starts_with("error: ") || code == 64, "{}", ran.stderr);
    assert!(ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(first), "{first}: {}", ran.stderr);
    assert!(error["hints"].as_array().expect("a list").iter().all(Value::is_string), "{error}");
    error
}

/// The words of an error.
fn says(error: &Value) -> &str {
    error["error"].as_str().expect("a text")
}

#[test]
fn a_wrong_configuration_names_file_and_line_or_the_variable() {
    let rig = Rig::of_one_project();
    rig.configure("notion.requests_per_minit = 100\n");
    let file = format!("{}:8", rig.configuration().display());
    for verb in [&["plan"][..], &["--auto-approve"], &["pending"], &["logs", "list"], &["ignored"], &["explain", "x"]] {
        let ran = rig.run(&[&["--json"], verb].concat());
        let error = error(&ran, 78);
        assert_eq!(error["place"], json!(file), "{verb:?}");
        assert!(says(&error).contains("the nearest known key is `notion.requests_per_minute`"), "{error}");
    }

    rig.configure("");
    let mut command = rig.command();
    command.args(["plan", "--json"]).env("PUNCHLIST__RULES__THRESHOLDS__CREATE", "101");
    let told = error(&Ran::of(command.output().expect("runs")), 78);
    assert_eq!(told["place"], json!("PUNCHLIST__RULES__THRESHOLDS__CREATE"));

    rig.configure("rules.thresholds.create = 101\nclockify.requests_per_second = 0\n");
    let told = error(&rig.run(&["plan", "--json"]), 78);
    assert_eq!(says(&told).lines().count(), 3, "each problem on a line: {told}");
    let home = tempfile::TempDir::new().expect("a directory");
    let missing = Ran::of(punchlist(home.path()).args(["plan", "--json"]).output().expect("runs"));
    assert_eq!(error(&missing, 78)["place"], Value::Null, "nobody has set it anywhere");
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let rig = Rig::of_one_project();
    rig.write_configuration(&rig.reach().replace("env:NOTION_TOKEN", "env:NOT_SET_ANYWHERE"));
    let error = error(&rig.run(&["plan", "--json"]), 7);
    assert_eq!(error["place"], json!("NOT_SET_ANYWHERE"));
    assert!(error["hints"][0].as_str().expect("a hint").starts_with("set NOT_SET_ANYWHERE"), "{error}");
}

#[test]
fn a_refused_token_names_where_it_is_referred_to_and_not_itself() {
    let rig = Rig::of_one_project();
    let output = rig.command().args(["plan", "--json"]).env("NOTION_TOKEN", "ntn_wrong_all_over").output();
    let ran = Ran::of(output.expect("runs"));
    let error = error(&ran, 7);
    assert_eq!(error["place"], json!(format!("{}:1", rig.configuration().display())));
    assert!(!ran.stdout.contains("wrong_all_over"), "{error}");
}

#[test]
fn wrong_usage_is_told_wherever_the_flag_stands() {
    let home = tempfile::TempDir::new().expect("a directory");
    for (arguments, wrong, hint) in [
        (&["--json", "--no-such-flag"][..], "unexpected argument '--no-such-flag' found", "Usage: "),
        (&["plan", "--out", "--json"], "a value is required for '--out <FILE>'", "For more information"),
        (&["plam", "--json"], "unrecognized subcommand 'plam'", "tip: some similar subcommands exist: "),
        (&["apply", "--json"], "the following required arguments were not provided: <FILE>", "Usage: "),
        (&["--auto-approve", "--json", "plan"], "--auto-approve goes without a command", "run `punchlist"),
        (&["plan", "--demo", "--config", "x", "--json"], "the argument '--demo' cannot be used with", "Usage: "),
        (&["logs", "list", "--kind", "no\u{1b}[31mne", "--json", "--demo"], "there is no kind of entry", "there are"),
    ] {
        let ran = Ran::of(punchlist(home.path()).args(arguments).output().expect("runs"));
        assert_eq!(ran.code, 64, "{arguments:?}: {}", ran.stderr);
        let error = ran.json();
        assert_eq!((&error["code"], &error["place"]), (&json!(64), &Value::Null), "{arguments:?}");
        assert!(says(&error).contains(wrong), "{arguments:?}: {error}");
        let hints = error["hints"].as_array().expect("a list");
        assert!(hints.iter().any(|told| told.as_str().expect("a text").starts_with(hint)), "{arguments:?}: {error}");
        assert!(!ran.stdout.contains('\u{1b}'), "{arguments:?}: {}", ran.stdout);
    }
    let ran = Ran::of(punchlist(home.path()).args(["plan", "--help", "--json"]).output().expect("runs"));
    assert!(ran.code == 0 && ran.stdout.starts_with("Print what differs"), "help is no error: {}", ran.stdout);
    let ran = Ran::of(punchlist(home.path()).args(["--no-such-flag"]).output().expect("runs"));
    assert_eq!(ran.stdout, "", "without the flag nothing stands where scripts look");
}

#[test]
fn another_run_is_told_with_its_code() {
    let rig = Rig::of_one_project();
    rig.settle();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut lock = done(punchlist::edge::store::Store::open(&rig.state(), now)).expect("opens");
    done(lock.lock(punchlist::edge::store::Holder::here("ana", "review", now))).expect("free");
    done(lock.tell_doing(punchlist::edge::store::Doing::Applying)).expect("one that only reads would be waited for");
    let error = error(&rig.run(&["--auto-approve", "--json"]), 5);
    assert!(says(&error).contains("another run"), "{error}");
    drop(lock);
}

#[test]
fn what_is_unknown_is_an_error_of_its_own() {
    let rig = Rig::of_one_project();
    let told = error(&rig.run(&["explain", "no\u{202E}where", "--json"]), 1);
    assert!(says(&told).contains("no⟨U+202E⟩where"), "{told}");
    let told = error(&rig.run(&["undo", "nosuchrun", "--out", "x.json", "--json"]), 1);
    assert!(says(&told).contains("there is no run “nosuchrun”"), "{told}");
    error(&rig.run(&["apply", "no-such-file", "--json"]), 1);
    error(&rig.run(&["pending", "clear", "abc", "--json"]), 1);
    error(&rig.run(&["unlink", "0123456789abcdef0123456789abcdef", "--json"]), 1);
    std::fs::write(rig.home.path().join("state/punchlist.sqlite3"), "not a database at all, but long enough to look")
        .expect("writable");
    error(&rig.run(&["pending", "--json"]), 6);
}
