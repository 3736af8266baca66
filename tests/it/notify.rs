//! Who is told after an unattended run: by a real listener and real commands, and only when something has changed.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Output,
    sync::{Arc, Mutex},
};

use punchlist::sandbox::{Fault, FaultKind, NotionId, Service, World};
use serde_json::{Value, json};

use crate::support::{Ran, Rig};

const PATH: &str = "/services/T000/B000/s3cret-of-the-webhook";

/// A webhook that answers everything with one status, and keeps what it got.
struct Hook {
    port: u16,
    got: Arc<Mutex<Vec<String>>>,
}

impl Hook {
    fn new(answer: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let got: Arc<Mutex<Vec<String>>> = Arc::default();
        let keeps = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
                loop {
                    let read = stream.read(&mut buffer).expect("bytes");
                    request.extend_from_slice(&buffer[..read]);
                    if read == 0 || is_whole(&request) {
                        break;
                    }
                }
                keeps.lock().expect("no panic").push(String::from_utf8(request).expect("UTF-8"));
                stream.write_all(answer.as_bytes()).expect("written");
            }
        });
        Self { port, got }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// What was posted since the last time, as Slack would show it.
    fn told(&self) -> Vec<String> {
        let got = std::mem::take(&mut *self.got.lock().expect("no panic"));
        let text = |request: String| {
            let (head, body) = request.split_once("\r\n\r\n").expect("a body");
            assert!(head.starts_with(&format!("POST {PATH} ")), "{head}");
            let body: Value = serde_json::from_str(body).expect("JSON");
            body["text"].as_str().expect("a text").to_owned()
        };
        got.into_iter().map(text).collect()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().expect("a number"));
    body.len() >= length
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// A world in sync, and who is told of it.
struct Bench {
    rig: Rig,
    globex: NotionId,
    hook: Hook,
}

fn bench(answer: &'static str, more: &str) -> Bench {
    let mut world = World::empty();
    let globex = world.add_client_page("Globex");
    world.add_client_page("Initech");
    let rig = Rig::new(world);
    rig.configure(&format!("notify.webhook = \"env:SLACK_WEBHOOK\"\n{more}"));
    let bench = Bench { rig, globex, hook: Hook::new(answer) };
    assert_eq!(bench.run().code, 0);
    assert_eq!(bench.hook.told(), [""; 0], "that all is well is no news");
    bench
}

impl Bench {
    fn output(&self) -> Output {
        let mut command = self.rig.command();
        command.arg("--auto-approve").env("SLACK_WEBHOOK", self.hook.address()).output().expect("runs")
    }

    fn run(&self) -> Ran {
        let ran = Ran::of(self.output());
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("s3cret"), "the address is a secret: {}", ran.stderr);
        ran
    }

    fn script(&self, text: &str) -> PathBuf {
        let path = self.rig.home.path().join("tell");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("permitted");
        path
    }

    fn rename(&self, name: &str) {
        let mut world = self.rig.sandbox.world();
        let client = world.clients().into_iter().find(|client| client.name.starts_with('G')).expect("Globex").id;
        world.rename_object(client, name);
    }
}

#[test]
fn people_are_told_of_what_is_new_and_never_twice_and_once_that_all_is_well() {
    let bench = bench(OK, "");

    bench.rename("Globex <!channel>");
    assert_eq!(bench.run().code, 2);
    let told = bench.hook.told();
    let [text] = told.as_slice() else { panic!("{told:?}") };
    assert!(text.starts_with("*punchlist, workspace ") && text.contains("changes wait"), "{text}");
    assert!(text.contains("review: update client “Globex”") && text.contains("next: `punchlist pending`"), "{text}");
    assert!(!text.contains("<!"), "a name is no markup: {text}");

    assert_eq!(bench.run().code, 2);
    assert_eq!(bench.hook.told(), [""; 0], "the same affair again");

    let initech = bench.rig.sandbox.world().find_client("Initech").expect("a client");
    bench.rig.sandbox.world().rename_object(initech, "Initrode");
    bench.run();
    assert_eq!(bench.hook.told().len(), 1, "something new waits");

    bench.rig.sandbox.world().rename_object(initech, "Initech");
    bench.rename("Globex");
    assert_eq!(bench.run().code, 0);
    let told = bench.hook.told();
    assert!(told.len() == 1 && told[0].contains("in sync again"), "{told:?}");
    assert_eq!(bench.run().code, 0);
    bench.rig.sandbox.world().set_title(bench.globex, "Globex Corporation");
    assert_eq!(bench.run().code, 0, "applied by policy");
    assert_eq!(bench.hook.told(), [""; 0], "nothing waits");
}

#[test]
fn a_run_that_fails_is_told_once_with_its_reason() {
    let bench = bench(OK, "");
    let refusal = FaultKind::Status(401, json!({"message": "no"}).to_string());
    let refusal = Fault::new(refusal).service(Service::Clockify).times(100);
    bench.rig.sandbox.knobs().faults.push(refusal);

    for told in [1, 0] {
        let ran = bench.run();
        assert_eq!(ran.code, 7, "{}", ran.stderr);
        let texts = bench.hook.told();
        assert_eq!(texts.len(), told);
        assert!(texts.iter().all(|text| text.contains("the run failed") && text.contains("hint: ")), "{texts:?}");
    }
}

#[test]
fn a_run_that_cannot_begin_is_told_with_its_reason() {
    let bench = bench(OK, "");
    let begins = |bench: &Bench, says: &str| {
        let texts = bench.hook.told();
        let [text] = texts.as_slice() else { panic!("{texts:?}") };
        assert!(text.contains("the run failed") && text.contains(says) && text.contains("hint: "), "{text}");
    };
    let reach = bench.rig.reach();
    let hook = "notify.webhook = \"env:SLACK_WEBHOOK\"\n";
    bench.rig.write_configuration(&format!("{}{hook}", reach.replace("env:NOTION_TOKEN", "env:NOT_SET_ANYWHERE")));
    assert_eq!(bench.run().code, 7);
    begins(&bench, "NOT_SET_ANYWHERE");
    assert_eq!(bench.run().code, 7);
    assert_eq!(bench.hook.told(), [""; 0], "the same reason again");
    assert_eq!(bench.rig.run(&["plan"]).code, 7);
    assert_eq!(bench.hook.told(), [""; 0], "somebody is there");

    bench.rig.write_configuration(&format!("{reach}{hook}mapping.tasks.id = \"None\"\n"));
    assert_eq!(bench.run().code, 78);
    begins(&bench, "mapping.tasks.id");

    bench.rig.write_configuration(&format!("{reach}{hook}"));
    assert_eq!(bench.run().code, 0);
    let texts = bench.hook.told();
    assert!(texts.len() == 1 && texts[0].contains("in sync again"), "{texts:?}");

    let database = bench.rig.home.path().join("state/punchlist.sqlite3");
    fs::write(database, "not a database at all, but long enough to look").expect("writable");
    for _ in 0..2 {
        assert_eq!(bench.run().code, 6);
        // Nothing can be remembered in such a state.
        begins(&bench, "punchlist doctor rebuild");
    }
}

#[test]
fn what_cannot_be_told_is_said_changes_nothing_and_is_tried_again() {
    for (answer, says) in [
        (
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "the webhook answered with status 500",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "status 302",
        ),
        ("", "the webhook could not be reached"),
    ] {
        let bench = bench(answer, "");
        bench.rename("Globex GmbH");
        for _ in 0..2 {
            let ran = bench.run();
            assert_eq!(ran.code, 2, "the run has its own exit code: {}", ran.stderr);
            assert!(
                ran.stderr.contains("warning: nobody was told by notify.webhook") && ran.stderr.contains(says),
                "{}",
                ran.stderr
            );
            assert_eq!(bench.hook.told().len(), 1, "{says}");
        }
    }
}

#[test]
fn mail_goes_to_its_command_with_safe_headers() {
    let bench = bench(OK, "");
    let mail = bench.rig.home.path().join("mail");
    let script = bench.script(&format!("cat > {}", mail.display()));
    bench.rig.configure(&format!(
        "notify.email.to = [\"anna@example.com\", \"ops@example.com\"]\nnotify.email.command = [\"{}\", \"-t\"]\n",
        script.display()
    ));
    bench.rename("Globex\u{202E} GmbH");

    let ran = bench.run();

    assert_eq!((ran.code, ran.stderr.contains("warning")), (2, false), "{}", ran.stderr);
    let mail = fs::read_to_string(mail).expect("a mail");
    let (head, body) = mail.split_once("\n\n").expect("a body");
    assert!(head.starts_with("To: anna@example.com,\n ops@example.com\nSubject: =?utf-8?B?"), "{head}");
    assert!(head.contains("\nAuto-Submitted: auto-generated\n") && body.is_ascii(), "{mail}");
}

#[test]
fn a_command_gets_the_report_and_no_secret() {
    let bench = bench(OK, "");
    let (out, environment) = (bench.rig.home.path().join("out"), bench.rig.home.path().join("environment"));
    let script = bench.script(&format!("cat > {}\nenv > {}", out.display(), environment.display()));
    bench.rig.configure(&format!("notify.command = [\"{}\"]\n", script.display()));
    bench.rename("Globex GmbH");

    assert_eq!(bench.run().code, 2);

    let told: Value = serde_json::from_str(&fs::read_to_string(&out).expect("told")).expect("JSON");
    assert_eq!(told["format"], json!("punchlist/notification/1"));
    assert_eq!(told["report"]["outcome"], json!("pending"));
    assert_eq!(told["pending"][0]["name"], json!("Globex"));
    assert!(told["text"].as_str().is_some_and(|text| text.contains("review: update client “Globex”")), "{told}");
    let environment = fs::read_to_string(environment).expect("told");
    assert!(!environment.contains("ntn_sandbox") && !environment.contains("s3cret"), "{environment}");

    bench.script("cat > /dev/null; exit 3");
    bench.rename("Globex AG");
    let ran = bench.run();
    assert!(
        ran.code == 2 && ran.stderr.contains("nobody was told by notify.command: the command failed"),
        "{}",
        ran.stderr
    );
}

#[test]
fn who_is_told_is_checked_when_the_configuration_is_read() {
    let rig = Rig::new(World::empty());
    for (key, says) in [
        ("notify.email.to = [\"anna@example.com\\nBcc: all@example.com\"]", "addresses as a list"),
        ("notify.email.to = \"anna\"", "addresses as a list"),
        ("notify.webhook = \"https://hooks.slack.com/services/T0/B0/x\"", "not a reference to a secret"),
        ("notify.mail = true", "unknown key `notify.mail`"),
    ] {
        rig.configure(&format!("{key}\n"));
        let ran = rig.run(&["plan"]);
        assert!(ran.code == 78 && ran.stderr.contains(says), "{key}: {}", ran.stderr);
        assert!(!ran.stderr.contains("/T0/B0/"), "{}", ran.stderr);
    }
}
