//! Secrets set, exchanged and told of, by the real binary.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use punchlist::sandbox::World;

use crate::{
    canary::{check, pieces_of, walk},
    support::{Ran, Rig},
    terminal::{Terminal, WIDE, key},
};

/// The key that the world begins with, and another one of the same person.
const OLD: &str = "b2xkLWNsb2NraWZ5LWtleS0wMTIzNDU2Nzg5YWJjZGVm";
const NEW: &str = "bmV3LWNsb2NraWZ5LWtleS1mZWRjYmE5ODc2NTQzMjEw";
/// A key of somebody else.
const THEIRS: &str = "dGhlaXJzLWNsb2NraWZ5LWtleS0wYTFiMmMzZDRlNWY2";
/// A token of Notion that comes later.
const TOKEN: &str = "ntn_new0123456789abcdefghijklmnopqrstuvwxyz";

/// A rig whose Clockify key is in a file, with a comment beside the reference.
fn rig() -> Rig {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    world.add_project_page("Website", client);
    OLD.clone_into(&mut world.clockify_key);
    let owner = world.member("Mara Lindqvist").expect("the owner of the key");
    world.add_clockify_key(NEW, owner);
    let other = world.member("Jonas Weber").expect("a member");
    world.add_clockify_key(THEIRS, other);
    let rig = Rig::new(world);
    let reach = rig.reach().replace("\"env:CLOCKIFY_API_KEY\"", "\"file:~/kept/clockify\" # where it is");
    rig.write_configuration(&format!("# ours\n{reach}"));
    assert_eq!(given(&rig, &["secrets", "set", "clockify"], OLD).code, 0);
    rig
}

fn kept(rig: &Rig) -> PathBuf {
    rig.home.path().join("kept/clockify")
}

fn holds(path: &Path) -> String {
    fs::read_to_string(path).expect("it is there")
}

/// Runs a command with this on its standard input.
fn given(rig: &Rig, arguments: &[&str], input: &str) -> Ran {
    fed(rig.command().args(arguments), input)
}

fn fed(command: &mut Command, input: &str) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    // What is refused before anything is read closes the pipe.
    drop(child.stdin.take().expect("piped").write_all(format!("{input}\n").as_bytes()));
    Ran::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn a_secret_is_kept_where_it_is_to_be_and_the_configuration_says_so() {
    let rig = rig();
    let ran = given(&rig, &["secrets", "set", "notion", "--to", "file:~/new/notion"], TOKEN);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let file = rig.home.path().join("new/notion");
    assert_eq!(holds(&file), TOKEN);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&rig.home.path().join("new"))), (0o600, 0o700));
    let text = holds(&rig.configuration());
    assert!(text.starts_with("# ours\nnotion.token = \"file:~/new/notion\"\n"), "{text}");
    assert!(text.contains("clockify.token = \"file:~/kept/clockify\" # where it is\n"), "{text}");
    // It is the one that is used from now on.
    assert_eq!(rig.run(&["plan"]).code, 7);
    TOKEN.clone_into(&mut rig.sandbox.world().notion_token);
    rig.plan();
}

#[test]
fn a_terminal_shows_nothing_of_what_is_typed() {
    let rig = rig();
    let mut terminal = Terminal::start(rig.command().args(["secrets", "set", "clockify"]), WIDE);
    terminal.shows("New value of clockify.token (it is not shown):");
    terminal.keys(&format!("x{}{NEW}yz\u{7f}\u{7f}{}", "\u{15}", key::ENTER));
    let ended = terminal.end();
    assert_eq!(ended.code, 0, "{}", ended.screen.contents());
    assert!(ended.is_cooked, "what is typed is shown again");
    check(&pieces_of(&[NEW, OLD]), "the terminal", &ended.bytes);
    assert_eq!(holds(&kept(&rig)), NEW);

    let mut terminal = Terminal::start(rig.command().args(["secrets", "set", "clockify"]), WIDE);
    terminal.shows("New value of clockify.token");
    terminal.keys(&format!("{OLD}{}", key::CTRL_C));
    let ended = terminal.end();
    assert_eq!((ended.code, ended.is_cooked), (4, true));
    assert_eq!(holds(&kept(&rig)), NEW, "nothing has changed");
}

#[test]
fn what_cannot_be_kept_is_refused_with_where_to_change_it() {
    let rig = rig();
    let configuration = holds(&rig.configuration());
    for (arguments, input, told) in [
        (&["set", "notion"][..], TOKEN, "whoever sets the variable sets its value"),
        (&["rotate", "notion"], TOKEN, "whoever sets the variable sets its value"),
        (&["set", "clockify", "--to", "env:X"], NEW, "whoever sets the variable sets its value"),
        (&["set", "clockify", "--to", "credential:x"], NEW, "LoadCredential="),
        (&["set", "clockify", "--to", NEW], NEW, "not a reference to a secret"),
        (&["set", "clockify"], TOKEN, "this is a token of Notion"),
        (&["set", "clockify"], "two words", "which no token has"),
        (&["set", "clockify"], "", "it is empty"),
        (&["set", "notify.webhook"], "https://hooks.example.com/x", "--to keyring:notify.webhook"),
        (&["set", "stripe"], NEW, "there are notion, clockify, notify.webhook"),
        (&["rotate", "clockify"], OLD, "in use already"),
        (&["set", "clockify", NEW], NEW, "unexpected argument"),
    ] {
        let all = [&["secrets"], arguments].concat();
        let ran = given(&rig, &all, input);
        assert_eq!(ran.code, 64, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{arguments:?}: {}", ran.stderr);
        if told != "unexpected argument" {
            check(&pieces_of(&[NEW, OLD, TOKEN]), "what was said", [ran.stdout, ran.stderr].concat().as_bytes());
        }
    }
    assert_eq!(holds(&kept(&rig)), OLD);
    assert_eq!(holds(&rig.configuration()), configuration);
}

#[test]
fn a_secret_is_exchanged_for_one_that_is_as_good() {
    let rig = rig();
    rig.settle();
    let ran = given(&rig, &["secrets", "rotate", "clockify"], NEW);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("Mara Lindqvist") && ran.stdout.contains("manage-api-keys"), "{}", ran.stdout);
    assert_eq!(holds(&kept(&rig)), NEW);
    assert!(rig.mutations().is_empty());
    NEW.clone_into(&mut rig.sandbox.world().clockify_key);
    rig.plan();
}

#[test]
fn what_is_not_as_good_changes_nothing() {
    let rig = rig();
    rig.settle();
    let refused = |input: &str, arguments: &[&str], told: &str| {
        let ran = given(&rig, &[&["secrets", "rotate", "clockify"], arguments].concat(), input);
        assert_eq!(ran.code, 7, "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
        assert_eq!(holds(&kept(&rig)), OLD);
    };
    refused("bm9ib2R5LWtub3dzLXRoaXMta2V5LTAxMjM0NTY3ODlhYg", &[], "");
    refused(THEIRS, &[], "--other-identity");
    refused(THEIRS, &["--other-identity"], "who sees less");
    // One that is revoked already says nothing of itself: what was seen of it counts.
    "revoked".clone_into(&mut rig.sandbox.world().clockify_key);
    refused(THEIRS, &[], "--other-identity");
    let log = rig.run(&["secrets", "log"]).stdout;
    assert!(log.contains("secret set: clockify.token in file:~/kept/clockify") && !log.contains("rotated:"), "{log}");
    let ran = given(&rig, &["secrets", "rotate", "clockify"], NEW);
    assert_eq!((ran.code, holds(&kept(&rig)).as_str()), (0, NEW), "{}", ran.stderr);
}

#[test]
fn a_token_of_notion_must_read_the_same_rows() {
    let rig = rig();
    rig.write_configuration(&holds(&rig.configuration()).replace("env:NOTION_TOKEN", "file:~/kept/notion"));
    let first = rig.sandbox.world().notion_token.clone();
    assert_eq!(given(&rig, &["secrets", "set", "notion"], &first).code, 0);
    rig.settle();
    rig.sandbox.world().add_connection("Somebody else", TOKEN);
    let blind = given(&rig, &["secrets", "rotate", "notion", "--other-identity"], TOKEN);
    assert!(blind.code == 7 && blind.stderr.contains("share the database"), "{}: {}", blind.code, blind.stderr);
    let sources = ["Clients", "Projects", "Tasks"].map(|name| rig.sandbox.world().data_source(name).expect("there"));
    for source in sources {
        rig.sandbox.world().share(TOKEN, source);
    }
    let other = given(&rig, &["secrets", "rotate", "notion"], TOKEN);
    assert_eq!(other.code, 7, "{}", other.stderr);
    assert!(other.stderr.contains("Somebody else") && other.stderr.contains("--other-identity"), "{}", other.stderr);
    assert_eq!(holds(&rig.home.path().join("kept/notion")), first);
    let meant = given(&rig, &["secrets", "rotate", "notion", "--other-identity"], TOKEN);
    assert_eq!(meant.code, 0, "{}", meant.stderr);
    assert!(meant.stdout.contains("profile/integrations"), "{}", meant.stdout);
    rig.plan();
}

#[test]
fn whenever_it_is_killed_one_of_both_is_there_and_works() {
    let rig = rig();
    rig.settle();
    for (point, left) in [("secret_verified", OLD), ("secret_kept", NEW)] {
        let mut command = rig.command();
        command.args(["secrets", "rotate", "clockify"]).env("PUNCHLIST_FAILPOINT", format!("{point}:1:abort"));
        assert_eq!(fed(&mut command, NEW).code, -1, "{point}: it was killed");
        assert_eq!(holds(&kept(&rig)), left, "{point}");
        rig.plan();
        let left: Vec<_> = fs::read_dir(kept(&rig).parent().expect("a directory")).expect("reads").collect();
        assert_eq!(left.len(), 1, "{point}: nothing else holds a secret");
    }
    let log = rig.run(&["secrets", "log", "clockify"]).stdout;
    assert!(log.contains("found to be another one: clockify.token"), "{log}");
}

#[test]
fn how_old_secrets_are_and_whose_is_told() {
    let rig = rig();
    rig.configure("");
    let reach = rig.reach().replace("\"env:CLOCKIFY_API_KEY\"", "\"file:~/kept/clockify\"");
    rig.write_configuration(&format!("{reach}notify.webhook = \"env:NO_SUCH_HOOK\"\nsecrets.rotate_after = \"90d\"\n"));
    rig.settle();
    let ran = rig.run(&["secrets", "status", "--json"]);
    assert_eq!(ran.code, 7, "one of them cannot be had");
    let document = ran.json();
    assert_eq!(document["format"], "punchlist/secrets/1");
    let [notion, clockify, hook] = [0, 1, 2].map(|at| &document["secrets"][at]);
    assert_eq!((&notion["source"], &notion["since_how"]), (&"env".into(), &"found".into()));
    assert_eq!((&clockify["readable"], &clockify["since_how"]), (&true.into(), &"set".into()));
    assert_eq!((&clockify["days"], &clockify["rotation_due"]), (&0.into(), &false.into()));
    assert_eq!(clockify["identity"]["user"], "Mara Lindqvist");
    assert_eq!((&hook["readable"], &hook["days"]), (&false.into(), &serde_json::Value::Null));
    let told = rig.run(&["secrets", "status", "clockify"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stdout.contains("set today") && told.stdout.contains("of Mara Lindqvist"), "{}", told.stdout);
}

#[test]
fn the_log_says_who_set_and_read_what_and_nothing_holds_a_secret() {
    let rig = rig();
    rig.write_configuration(&format!(
        "{}diagnostics.level = \"trace\"\nlogs.bodies = true\n",
        holds(&rig.configuration())
    ));
    rig.settle();
    given(&rig, &["secrets", "rotate", "clockify", "-vvv"], NEW);
    let told = rig.run(&["secrets", "log"]).stdout;
    for line in ["secrets set: secret set: clockify.token in file:~/kept/clockify", "secrets rotate: secret rotated:"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let json = rig.run(&["secrets", "log", "clockify", "--json"]).json();
    let entries = json["log"].as_array().expect("entries");
    assert!(entries.iter().all(|entry| entry["entry"]["key"] == "clockify.token"), "{json}");
    assert_eq!(entries.iter().filter(|entry| entry["entry"]["how"] == "rotated").count(), 1, "{json}");
    assert_eq!(rig.run(&["logs", "verify"]).code, 0);

    let pieces = pieces_of(&[OLD, NEW]);
    for arguments in [&["secrets", "status", "--json"][..], &["secrets", "log", "--json"], &["logs", "export"]] {
        let ran = rig.run(arguments);
        check(&pieces, &format!("{arguments:?}"), [ran.stdout, ran.stderr].concat().as_bytes());
    }
    let mut files = Vec::new();
    walk(rig.home.path(), &mut files);
    files.retain(|path| *path != kept(&rig));
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        check(&pieces, &file.display().to_string(), &fs::read(&file).expect("reads"));
    }
}

#[cfg(all(target_os = "linux", feature = "keyring"))]
#[test]
fn without_a_secret_service_a_keyring_is_the_kernels_or_told_within_seconds() {
    use std::time::{Duration, Instant};
    let rig = rig();
    let name = format!("punchlist-test-{}", std::process::id());
    let reference = format!("keyring:{name}");
    rig.write_configuration(&rig.reach().replace("env:CLOCKIFY_API_KEY", &reference));
    let began = Instant::now();
    let none = rig.run(&["plan"]);
    assert_eq!(none.code, 7, "{}", none.stderr);
    assert!(none.stderr.contains("no keyring answers (") && none.stderr.contains("--to file:"), "{}", none.stderr);

    let ran = given(&rig, &["secrets", "set", "clockify"], OLD);
    if ran.code == 0 {
        assert!(ran.stdout.contains("it is lost when this machine starts again"), "{}", ran.stdout);
        rig.plan();
        let store: std::sync::Arc<keyring_core::CredentialStore> =
            linux_keyutils_keyring_store::Store::new().expect("the kernel's");
        let entry = keyring_core::Entry::new_in_store(&store, "punchlist", &name).expect("an entry");
        entry.delete_credential().expect("it was there");
    } else {
        // A kernel that lends no keys, as in some containers.
        assert_eq!(ran.code, 7, "{}", ran.stderr);
        assert!(ran.stderr.contains("the keyring"), "{}", ran.stderr);
    }
    assert!(began.elapsed() < Duration::from_mins(1));
}
