//! Canaries: secrets go through everything that services, helpers, references and people can do to them, and no piece
//! of one is found in whatever is left behind or was said.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use punchlist::sandbox::{Fault, FaultKind, Service, World};
use serde_json::json;

use crate::{
    support::Rig,
    terminal::{Terminal, WIDE, key},
};

const NOTION: &str = "ntn_c4nary/0f+notion0123456789abcdef";
const CLOCKIFY: &str = "c4naryY2xvY2tpZnktY2FuYXJ5MDEyMzQ1Njc4OQ";
const WEBHOOK_PATH: &str = "/services/T0c4nary/B0/we8h00k-0123456789abcdef";
/// So many characters of a secret, or of one of its forms, are a piece of it.
const PIECE: usize = 14;

/// A secret in the forms that services and libraries repeat one in.
fn forms(secret: &str) -> Vec<String> {
    let encoded = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    let shifted = ["", "k", "ke", "key"].map(|before| format!("{before}{secret}"));
    let base64 = shifted.iter().flat_map(|text| [STANDARD.encode(text), URL_SAFE.encode(text)]);
    let escaped = secret.replace('/', "\\/");
    let unicode: Vec<String> = secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    base64.chain([secret.to_owned(), encoded, escaped, unicode.concat()]).collect()
}

/// Every piece of every form of the secrets.
fn pieces() -> HashSet<Vec<u8>> {
    pieces_of(&[NOTION, CLOCKIFY, WEBHOOK_PATH])
}

/// Every piece of every form of these.
pub(crate) fn pieces_of(secrets: &[&str]) -> HashSet<Vec<u8>> {
    let forms = secrets.iter().flat_map(|secret| forms(secret));
    forms.flat_map(|form| form.as_bytes().windows(PIECE).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
}

#[track_caller]
pub(crate) fn check(pieces: &HashSet<Vec<u8>>, what: &str, bytes: &[u8]) {
    let here = bytes.windows(PIECE).position(|part| pieces.contains(part));
    let around = here
        .map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(80)..(at + PIECE).min(bytes.len())]).into_owned());
    assert_eq!(around, None, "{what} holds a piece of a secret");
}

pub(crate) fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        if entry.path().is_dir() { walk(&entry.path(), files) } else { files.push(entry.path()) }
    }
}

/// All files below a directory, but for the configuration: it is the one place that may name a program with a secret.
fn check_artefacts(pieces: &HashSet<Vec<u8>>, rig: &Rig) -> usize {
    let mut files = Vec::new();
    walk(rig.home.path(), &mut files);
    files.retain(|path| *path != rig.configuration() && !path.ends_with("helper"));
    for path in &files {
        check(pieces, &path.display().to_string(), &fs::read(path).expect("reads"));
    }
    files.len()
}

fn rig() -> Rig {
    let mut world = World::empty();
    let client = world.add_client_page("Acme");
    world.add_project_page("Website", client);
    (world.notion_token, world.clockify_key) = (NOTION.into(), CLOCKIFY.into());
    let rig = Rig::new(world);
    let reach = rig.reach().replace("env:CLOCKIFY_API_KEY", &format!("command:[\\\"echo\\\", \\\"{CLOCKIFY}\\\"]"));
    rig.write_configuration(&format!(
        "{reach}logs.bodies = true\ndiagnostics.level = \"trace\"\nrules.settle_seconds = 0\nnotify.webhook = \"env:HOOK\"\n\
         notify.command = [\"false\"]\n"
    ));
    rig
}

fn command(rig: &Rig) -> std::process::Command {
    let mut command = rig.command();
    command.env("NOTION_TOKEN", NOTION).env("HOOK", format!("http://127.0.0.1:1{WEBHOOK_PATH}"));
    command
}

/// What a service can say with a secret in it.
fn answers(secret: &str) -> Vec<FaultKind> {
    let mut answers = Vec::new();
    let answer = |status, headers: &[(&str, &str)], body: String| FaultKind::Answer {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body,
    };
    // The message is cut at four hundred columns and at sixteen hundred characters; the body at 8 KiB.
    let cuts = [0, 390, 180, 1580];
    for (form, before) in
        forms(secret).into_iter().zip(cuts.into_iter().cycle()).chain(cuts.map(|cut| (secret.to_owned(), cut)))
    {
        let message = format!("{} key {form} is not known", "x".repeat(before));
        answers.push(answer(400, &[], json!({ "message": message, "code": form }).to_string()));
    }
    for (status, body) in [
        (401, json!({ "message": format!("{}{secret}", "y".repeat(8170)) }).to_string()),
        (404, format!("<html><head><title>{secret}</title></head><body>{secret}</body></html>")),
        (201, format!("<html>{secret}</html>")),
        (201, json!({ "id": secret, "name": "Acme" }).to_string()),
    ] {
        let headers = [
            ("x-request-id", secret),
            ("cf-ray", secret),
            ("x-notion-request-id", secret),
            ("content-type", "text/html"),
        ];
        answers.push(answer(status, &headers, body));
    }
    for location in [
        format!("https://{}.example.com/", secret.replace(['/', '+'], "")),
        format!("https://example.com/?key={secret}"),
        format!("/{secret}"),
        secret.to_owned(),
    ] {
        answers.push(answer(302, &[("location", &location)], String::new()));
    }
    answers
}

#[test]
fn whatever_a_service_says_no_piece_of_a_secret_is_left() {
    let pieces = pieces();
    let rig = rig();
    for (service, secret) in [(Service::Clockify, CLOCKIFY), (Service::Notion, NOTION)] {
        for answer in answers(secret) {
            let path = if service == Service::Clockify { "/clients" } else { "/v1/users/me" };
            let method = if service == Service::Clockify { "POST" } else { "GET" };
            rig.sandbox.knobs().faults = vec![Fault::new(answer.clone()).service(service).on(method, path)];
            let output = command(&rig).args(["--auto-approve", "--json", "-vvv"]).output().expect("runs");
            check(&pieces, &format!("standard output after {answer:?}"), &output.stdout);
            check(&pieces, &format!("standard error after {answer:?}"), &output.stderr);
        }
    }
    rig.sandbox.knobs().faults.clear();
    for arguments in [
        &["logs", "list", "--run", "last", "-v"][..],
        &["logs", "export", "--out", "copy.jsonl"],
        &["logs", "export", "--format", "csv"],
        &["pending", "--json"],
        &["plan", "--out", "plan.json"],
    ] {
        let output = command(&rig).args(arguments).output().expect("runs");
        check(&pieces, &format!("{arguments:?}"), &[output.stdout, output.stderr].concat());
    }
    let panicked =
        command(&rig).args(["plan", "-vvv"]).env("PUNCHLIST_FAILPOINT", "commit:2:panic").output().expect("runs");
    check(&pieces, "a panic", &[panicked.stdout, panicked.stderr].concat());
    assert!(check_artefacts(&pieces, &rig) > 3, "there are artefacts");
    let log = fs::read_to_string(rig.home.path().join("copy.jsonl")).expect("a copy");
    assert!(log.contains("[redacted]"), "what was said is kept, without the secret");
}

#[test]
fn wrong_references_and_helpers_that_fail_tell_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let pieces = pieces();
    let rig = rig();
    let helper = rig.home.path().join("helper");
    fs::write(&helper, format!("#!/bin/sh\necho {CLOCKIFY} >&2\necho {CLOCKIFY}; exit 3\n")).expect("writes");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).expect("sets");
    let reach = rig.reach();
    for reference in [
        CLOCKIFY.to_owned(),
        format!("env:{CLOCKIFY}"),
        format!("env:{NOTION}"),
        format!("keyring:{CLOCKIFY}"),
        format!("credential:{CLOCKIFY}"),
        format!("clockify:{CLOCKIFY}"),
        format!("command:[\\\"{}\\\", \\\"{CLOCKIFY}\\\"]", helper.display()),
        format!("command:[\\\"no-such-helper\\\", \\\"--token={CLOCKIFY}\\\"]"),
        format!("command:[\\\"sh\\\", \\\"-c\\\", \\\"echo {CLOCKIFY} >&2; sleep 0; exit 1\\\"]"),
    ] {
        rig.write_configuration(&reach.replace("env:CLOCKIFY_API_KEY", &reference));
        for arguments in [&["--auto-approve", "-vvv"][..], &["plan", "--json"]] {
            let output = command(&rig).args(arguments).output().expect("runs");
            assert!(!output.status.success(), "{reference}");
            check(&pieces, &format!("with {reference}"), &[output.stdout, output.stderr].concat());
        }
    }
    for (from, to) in [
        ("notion.clients.data_source = \"", format!("notion.clients.data_source = \"{CLOCKIFY}")),
        ("clockify.base_url = \"", format!("clockify.base_url = \"{NOTION}")),
        ("clockify.token", format!("clockify.{CLOCKIFY}")),
        ("\"env:CLOCKIFY_API_KEY\"", CLOCKIFY.to_owned()),
        ("\"env:CLOCKIFY_API_KEY\"", format!("\"{CLOCKIFY}")),
    ] {
        rig.write_configuration(&reach.replacen(from, &to, 1));
        let output = command(&rig).args(["plan"]).output().expect("runs");
        assert!(!output.status.success(), "{to}");
        check(&pieces, &format!("with {to}"), &[output.stdout, output.stderr].concat());
    }
    check_artefacts(&pieces, &rig);
}

/// Letters of a word that are a piece of it.
const PIECE_OF_A_WORD: usize = 8;

/// A word of 20 letters, no piece of which stands anywhere else; one for each of the first 26 numbers.
fn word(number: u8) -> String {
    char::from(b'a' + number).to_string().repeat(20)
}

/// A configuration in which every string that can be any is a word of its own; those that are secret or arguments, and
/// the others.
fn of_words(rig: &Rig, first: u8) -> (String, Vec<String>, Vec<String>) {
    let words: Vec<String> = (first..first + 13).map(word).collect();
    let secret = |token: &str, word: &str| format!("'command:[\"sh\", \"-c\", \"echo {token} #{word}\", \"{word}\"]'");
    let reach = rig.reach().replace("\"env:NOTION_TOKEN\"", &secret("ntn_sandbox", &words[0]));
    let reach = reach.replace("\"env:CLOCKIFY_API_KEY\"", &secret("sandbox", &words[1]));
    let [webhook, command, mail] = [&words[2], &words[3], &words[4]];
    let text = format!(
        "{reach}diagnostics.level = \"trace\"\nnotify.webhook = {}\nnotify.command = [\"{}\", \"{command}\", \"--x={}\"]\n\
         notify.email = {{ to = [\"{}@example.com\"], command = [\"sh\", \"-c\", \"exit 1 #{mail}\"] }}\n\
         console.copy_command = [\"{}\", \"{}\"]\nconsole.open_command = [\"{}\", \"{}\"]\n",
        secret("http://127.0.0.1:1/", webhook),
        words[8],
        words[5],
        words[9],
        words[10],
        words[6],
        words[11],
        words[7]
    );
    let (arguments, others) = words.split_at(8);
    (text, arguments.to_vec(), others[..4].to_vec())
}

#[test]
fn of_a_configuration_the_log_keeps_neither_secrets_nor_arguments() {
    let mut world = World::empty();
    world.add_client_page("Acme");
    let rig = Rig::new(world);
    let (before, secret, told) = of_words(&rig, 0);
    let (after, more_secret, more_told) = of_words(&rig, 13);
    let (secret, told) = ([secret, more_secret].concat(), [told, more_told].concat());
    let pieces: HashSet<Vec<u8>> = secret.iter().map(|word| word.as_bytes()[..PIECE_OF_A_WORD].to_vec()).collect();
    let found = |bytes: &[u8]| bytes.windows(PIECE_OF_A_WORD).any(|part| pieces.contains(part));
    rig.sandbox.knobs().faults =
        vec![Fault::new(FaultKind::Status(400, String::new())).on("POST", "/clients").times(9)];
    for text in [&before, &after, &after.replace("notify", "notifyy"), &after.replace("http:", "htp:")] {
        rig.write_configuration(text);
        for arguments in [&["--auto-approve", "-vvv"][..], &["plan", "--json", "-vvv"], &["logs", "export"]] {
            let ran = rig.run(arguments);
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!found(all.as_bytes()), "{arguments:?}: {all}");
        }
    }
    let mut files = Vec::new();
    walk(rig.home.path(), &mut files);
    files.retain(|path| *path != rig.configuration());
    for path in &files {
        assert!(!found(&fs::read(path).expect("reads")), "{}", path.display());
    }
    assert!(files.iter().any(|path| path.to_string_lossy().contains("diagnostics")), "{files:?}");
    rig.write_configuration(&after);
    let log = rig.run(&["logs", "export"]).stdout;
    for word in told {
        assert!(log.contains(&word), "what is no secret is told: {word}");
    }
    for key in ["notion.token", "clockify.token", "notify.webhook"] {
        assert!(log.contains(&format!("\"key\":\"{key}\",\"reference\":\"command:[")), "it was read: {key}");
    }
}

#[test]
fn a_helper_gets_no_token_but_the_one_that_it_fetches() {
    use std::os::unix::fs::PermissionsExt;
    let rig = rig();
    let helper = rig.home.path().join("helper");
    fs::write(&helper, format!("#!/bin/sh\nenv >>{}\necho {CLOCKIFY}\n", rig.home.path().join("given").display()))
        .expect("writes");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).expect("sets");
    let reach = rig.reach().replace("env:CLOCKIFY_API_KEY", &format!("command:[\\\"{}\\\"]", helper.display()));
    rig.write_configuration(&format!("{reach}notify.command = [\"{}\"]\nbrakes.close.count = 0\n", helper.display()));
    rig.sandbox.knobs().faults = vec![Fault::new(FaultKind::Status(400, String::new())).on("POST", "/clients")];

    command(&rig).arg("--auto-approve").output().expect("runs");

    let given = fs::read_to_string(rig.home.path().join("given")).expect("it was run");
    assert_eq!(given.matches("HOME=").count(), 2, "for the secret, and to tell: {given}");
    assert!(!given.contains("TOKEN") && !given.contains("HOOK") && !given.contains("c4nary"), "{given}");
}

#[test]
fn the_screen_shows_no_piece_of_a_secret() {
    let pieces = pieces();
    let rig = rig();
    let message = json!({ "message": format!("the key {CLOCKIFY} is not known; nor {}", STANDARD.encode(CLOCKIFY)) });
    rig.sandbox.knobs().faults =
        vec![Fault::new(FaultKind::Status(400, message.to_string())).on("POST", "/clients").times(9)];
    let mut terminal = Terminal::start(command(&rig).args(["-vvv"]), WIDE);
    terminal.shows_row(&["Acme", "create"]);
    terminal.keys(" ");
    terminal.shows_row(&["Acme", "approved"]);
    terminal.keys("P");
    terminal.shows("Apply to Notion");
    terminal.keys(key::ENTER);
    terminal.shows("[redacted]");
    terminal.shows("some changes failed");
    let screen = terminal.screen().contents();
    check(&pieces, "the screen", screen.replace('\n', "").as_bytes());
    terminal.keys("qq");
    check(&pieces, "what went to the terminal", &terminal.end().bytes);
    check_artefacts(&pieces, &rig);
}
