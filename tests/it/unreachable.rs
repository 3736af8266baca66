//! A service that cannot be reached: the true cause is named, with the place where its address was set, and nothing is
//! repeated that cannot mend.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use punchlist::sandbox::World;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::support::{Ran, Rig};

/// No run takes longer.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A certificate beside this file. All have one key and none an issuer; `local` and `expired` are for `localhost`.
fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/unreachable").join(name).with_extension("pem")
}

/// Somebody on this machine who speaks TLS, and counts who comes.
struct Host {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Host {
    fn new(name: &str) -> Self {
        let chain = vec![CertificateDer::from_pem_file(certificate(name)).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(certificate("key")).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("they fit");
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
                let mut stream = StreamOwned::new(connection, stream.expect("somebody"));
                drop(stream.read(&mut [0; 4096]));
                drop(stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
            }
        });
        Self { port, asked }
    }
}

/// Runs `plan` where one base URL was replaced by another, and somebody's certificate is the one that is trusted. It
/// must say all these things, in this order. Returns how many attempts were in vain.
#[track_caller]
fn says(rig: &Rig, (from, to): (&str, &str), trusted: Option<&str>, texts: &[&str]) -> usize {
    rig.write_configuration(&rig.reach().replace(from, to));
    let mut command = rig.command();
    command.args(["plan", "-v"]);
    if let Some(name) = trusted {
        command.env("SSL_CERT_FILE", certificate(name));
    }
    let began = Instant::now();
    let Ran { code, stderr, .. } = Ran::of(command.output().expect("it runs"));
    assert!(began.elapsed() < ENDS_WITHIN, "{:?}: {stderr}", began.elapsed());
    assert_eq!(code, 1, "{stderr}");
    let mut rest = &stderr[stderr.find("error: ").expect("an error")..];
    for text in texts {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text:?} should come in\n{stderr}"));
        rest = &rest[at..];
    }
    stderr.matches("no answer").count()
}

/// Requests that are on their way before the first of them has failed: who we are, and three data sources.
const FIRST_REQUESTS: usize = 4;
/// Repeats of what may mend.
const REPEATS_MAX: usize = 4;

#[test]
fn a_certificate_that_proves_nothing_is_named_and_asked_for_once() {
    let rig = Rig::new(World::empty());
    let place = format!("notion.base_url is set in {}:2", rig.configuration().display());
    let unproved = [
        ("local", None, "UnknownIssuer"),
        ("expired", Some("expired"), "certificate expired"),
        ("elsewhere", Some("elsewhere"), "certificate not valid for name \"localhost\""),
    ];
    for (name, trusted, cause) in unproved {
        let host = Host::new(name);
        let to = format!("https://localhost:{}", host.port);
        let what = format!("no secure connection to Notion at notion.base_url (localhost:{})", host.port);
        let hint = "let this machine trust its certificate";
        says(&rig, (&rig.sandbox.notion_url(), &to), trusted, &[&what, cause, hint, &place]);
        let asked = host.asked.load(Ordering::SeqCst);
        assert!((1..=FIRST_REQUESTS).contains(&asked), "{name}: {asked}");
    }
    assert_eq!(rig.call_counts().0, 0);

    // What proves to be the service is talked to.
    let host = Host::new("local");
    rig.write_configuration(
        &rig.reach().replace(&rig.sandbox.notion_url(), &format!("https://localhost:{}", host.port)),
    );
    let ran = rig.command().arg("plan").env("SSL_CERT_FILE", certificate("local")).output().expect("it runs");
    assert_eq!(Ran::of(ran).code, 7, "the host refuses every token");
}

#[test]
fn a_host_that_speaks_no_tls_is_asked_once() {
    let rig = Rig::new(World::empty());
    let (from, place) =
        (rig.sandbox.clockify_url(), format!("clockify.base_url is set in {}:7", rig.configuration().display()));
    let to = from.replace("http:", "https:");
    let in_vain = says(&rig, (&from, &to), None, &["no secure connection to Clockify at clockify.base_url", &place]);
    assert!((1..=2).contains(&in_vain), "workspaces and user: {in_vain}");
    assert_eq!(rig.call_counts().1, 0);
}

#[test]
fn a_host_that_cannot_be_or_does_not_listen_is_named_and_tried_a_little() {
    let rig = Rig::new(World::empty());
    let name = format!("{}.clockify.me", "a".repeat(64));
    for (to, host, cause) in [
        (format!("https://{name}/api"), name.as_str(), "invalid dns name"),
        ("http://127.0.0.1:1/api".to_owned(), "127.0.0.1:1", "Connection refused"),
    ] {
        let what = format!("no connection to Clockify at clockify.base_url ({host})");
        let place = format!("clockify.base_url is set in {}:7", rig.configuration().display());
        let hint = "check the network, the proxy and the base_url";
        let in_vain = says(&rig, (&rig.sandbox.clockify_url(), &to), None, &[&what, cause, hint, &place]);
        assert!((2..=2 + REPEATS_MAX).contains(&in_vain), "{host}: {in_vain}");
    }
}

#[test]
fn a_name_that_does_not_resolve_is_tried_a_little() {
    let rig = Rig::new(World::empty());
    let text = rig.reach();
    let far: Vec<&str> = text.lines().filter(|line| !line.contains("base_url")).collect();
    rig.write_configuration(&far.join("\n"));
    // All that is far away goes through this one: nothing leaves this machine but the question for its address.
    let mut command = rig.command();
    command.args(["plan", "-v"]).env("HTTPS_PROXY", "http://punchlist.invalid:3128");
    let began = Instant::now();
    let Ran { code, stderr, .. } = Ran::of(command.output().expect("it runs"));
    assert!(began.elapsed() < ENDS_WITHIN, "{:?}: {stderr}", began.elapsed());
    assert_eq!(code, 1, "{stderr}");
    let causes = [
        "no connection to Notion at notion.base_url (api.notion.com)",
        "no connection to Clockify at clockify.base_url (api.clockify.me)",
        "lookup address information",
        "hint: check the network, the proxy",
    ];
    for cause in causes {
        assert!(stderr.contains(cause), "{cause}: {stderr}");
    }
    let in_vain = stderr.matches("no answer").count();
    assert!(in_vain <= FIRST_REQUESTS + 2 + 2 * REPEATS_MAX, "{in_vain}: {stderr}");
}
