use std::sync::Mutex;

use reqwest::Method;
use serde_json::json;

use super::*;
use crate::edge::stub::{Reply, Stub};

const TOKEN: &str = "canary-token";

fn options(url: &Url, seen: &Arc<Mutex<Vec<Exchange>>>) -> Options {
    let seen = Arc::clone(seen);
    let sink: Sink = Arc::new(move |exchange| seen.lock().expect("no panic").push(exchange));
    let mut options = Options::new(Service::Clockify, url.clone(), Auth::api_key(&TOKEN.into()), sink);
    options.backoff = Duration::from_millis(2);
    options
}

fn http(url: &Url) -> Http {
    Http::new(options(url, &Arc::default())).expect("a client")
}

fn read() -> Request {
    Request::get(&["v1", "things"]).query("q", "secret & more")
}

fn write() -> Request {
    Request::new(Method::POST, &["v1", "things"], Some(json!({"a": 1})), Repeat::Never)
}

#[test]
fn only_safe_urls_are_accepted() {
    for (url, accepted) in [
        ("https://api.clockify.me/api", true),
        ("http://127.0.0.1:8080", true),
        ("http://127.9.9.9", true),
        ("http://[::1]:8080/api/", true),
        ("http://localhost:1", true),
        ("http://api.clockify.me/api", false),
        ("http://10.0.0.1", false),
        ("http://localhost.example.com", false),
        ("https://user:pass@api.clockify.me", false),
        ("file:///etc/passwd", false),
        ("ftp://127.0.0.1", false),
    ] {
        let result = Http::new(options(&url.parse().expect("a URL"), &Arc::default()));
        assert_eq!(result.is_ok(), accepted, "{url}");
    }
    let mut broken = options(&"https://api.clockify.me".parse().expect("a URL"), &Arc::default());
    broken.auth = Auth::bearer(&"two\nlines".into());
    assert!(matches!(Http::new(broken), Err(SetupError::Token { .. })));
}

#[test]
fn a_base_url_may_end_in_a_slash_or_version() {
    for url in ["https://x.me/api", "https://x.me/api/", "https://x.me/api/v1", "https://x.me/api/v1/"] {
        assert_eq!(http(&url.parse().expect("a URL")).base, "https://x.me/api");
    }
}

#[tokio::test]
async fn what_would_leave_too_late_is_not_sent_and_says_why() {
    let stub = Stub::start(|_, _| Reply::json(200, &json!([1]))).await;
    let mut options = options(&stub.url, &Arc::default());
    options.budget = Budget { per_minute: Some(1), ..Budget::default() };
    let http = Http::new(options).expect("a client");
    let _: Answer<Vec<u8>> = http.send(&read()).await.expect("within the budget");
    let late = http.send::<Vec<u8>>(&write().not_after(Instant::now() + Duration::from_secs(5))).await;
    assert_eq!(late.err(), Some(Failure::Outdated));
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn reads_are_repeated_and_everything_is_reported_without_secrets() {
    let stub = Stub::start(|_, before| match before {
        0 => Reply::json(500, &json!({"message": "oops"})),
        1 => Reply { status: 200, body: "<html>".into(), ..Reply::default() },
        2 => Reply { status: 200, body: "[1, 2".into(), ..Reply::default() },
        _ => Reply::json(200, &json!([1, 2])),
    })
    .await;
    let seen: Arc<Mutex<Vec<Exchange>>> = Arc::default();
    let http = Http::new(options(&stub.url, &seen)).expect("a client");

    let answer: Answer<Vec<u8>> = http.send(&read()).await.expect("the fourth answer");

    assert_eq!(answer.body, [1, 2]);
    assert_eq!(http.calls(), 4);
    assert_eq!(stub.asked()[0].query, "q=secret%20%26%20more");
    assert_eq!(stub.asked()[0].headers["x-api-key"], TOKEN);
    let seen = seen.lock().expect("no panic");
    assert_eq!(
        seen.iter().map(|exchange| (exchange.attempt, exchange.status)).collect::<Vec<_>>(),
        [(1, Some(500)), (2, Some(200)), (3, Some(200)), (4, Some(200))]
    );
    assert!(seen.iter().all(|exchange| exchange.path == "/v1/things"));
    assert!(!format!("{seen:?} {http:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_write_that_may_have_happened_is_not_repeated() {
    for reply in [
        Reply::json(503, &json!({"message": "The change was saved"})),
        Reply { status: 201, body: "{\"id\": ".into(), ..Reply::default() },
    ] {
        let stub = Stub::start(move |_, _| reply.clone()).await;
        let failure = http(&stub.url).send::<Json>(&write()).await.err().expect("no answer");
        assert!(matches!(failure, Failure::Unknown { .. }), "{failure:?}");
        assert_eq!(stub.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_write_that_was_thrown_back_is_repeated() {
    let stub = Stub::start(|_, before| match before {
        0 => Reply { status: 429, headers: vec![("Retry-After", "0".into())], body: String::new() },
        1 => Reply::json(529, &json!({"code": "service_overload"})),
        _ => Reply::json(201, &json!({"id": "x"})),
    })
    .await;
    let seen: Arc<Mutex<Vec<Exchange>>> = Arc::default();
    let http = Http::new(options(&stub.url, &seen)).expect("a client");

    http.send::<Json>(&write()).await.expect("the third answer");

    assert_eq!(stub.asked().len(), 3);
    let pauses: Vec<bool> = seen.lock().expect("no panic").iter().map(|exchange| exchange.pause.is_some()).collect();
    assert_eq!(pauses, [true, true, false]);
}

#[tokio::test]
async fn a_pause_longer_than_patience_ends_the_request_and_stays_for_the_next() {
    let stub =
        Stub::start(|_, _| Reply { status: 429, headers: vec![("Retry-After", "3600".into())], body: String::new() })
            .await;
    let http = http(&stub.url);
    for _ in 0..2 {
        let failure = http.send::<Json>(&read()).await.err().expect("no answer");
        assert!(matches!(failure, Failure::Throttled { wait, .. } if wait > Duration::from_secs(3500)), "{failure:?}");
    }
    assert_eq!(stub.asked().len(), 1, "nothing is sent during a pause");
}

#[tokio::test]
async fn rejections_carry_status_code_and_a_safe_message() {
    let stub = Stub::start(|_, _| Reply::json(400, &json!({"message": "Client \u{1b}[31m exists", "code": 501}))).await;
    let failure = http(&stub.url).send::<Json>(&write()).await.err().expect("refused");
    let Failure::Rejected { status, code, message, .. } = failure else { panic!("{failure:?}") };
    assert_eq!((status, code.as_deref(), message.as_str()), (400, Some("501"), "Client ⟨U+001B⟩[31m exists"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Stub::start(|_, _| Reply::json(200, &json!({}))).await;
    let location = format!("{}stolen", target.url);
    let stub = Stub::start(move |_, _| Reply {
        status: 302,
        headers: vec![("Location", location.clone())],
        body: String::new(),
    })
    .await;

    let failure = http(&stub.url).send::<Json>(&read()).await.err().expect("refused");

    assert!(failure.to_string().contains("redirect to 127.0.0.1"), "{failure}");
    assert!(target.asked().is_empty());
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound")).parse().expect("a URL");
    drop(listener);
    let http = http(&url);
    let failure = http.send::<Json>(&write()).await.err().expect("no answer");
    assert!(matches!(failure, Failure::NotSent { .. }), "{failure:?}");
    assert_eq!(http.calls(), 0);
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_too_late_is_not_waited_for() {
    let stub =
        Stub::start(|_, _| Reply { status: 200, body: format!("\"{}\"", "x".repeat(5000)), ..Reply::default() }).await;
    let mut options = options(&stub.url, &Arc::default());
    options.body_max = 1000;
    let failure = Http::new(options).expect("a client").send::<Json>(&write()).await.err().expect("too long");
    assert!(failure.to_string().contains("MiB"), "{failure}");

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url: Url = format!("http://{}", silent.local_addr().expect("bound")).parse().expect("a URL");
    let mut options = self::options(&url, &Arc::default());
    options.total_timeout = Duration::from_millis(50);
    let http = Http::new(options).expect("a client");
    let failure = http.send::<Json>(&write()).await.err().expect("too late");
    assert!(matches!(failure, Failure::Unknown { .. }), "{failure:?}");
    assert_eq!(http.calls(), 1);
}

#[tokio::test]
async fn an_answer_of_many_small_values_is_as_large_as_they_are_taken_apart() {
    let many = format!("[{}{{}}]", "{},".repeat(1_000_000));
    let stub = Stub::start(move |_, _| Reply { status: 200, body: many.clone(), ..Reply::default() }).await;
    let failure = http(&stub.url).send::<Json>(&read()).await.err().expect("too large");
    assert!(matches!(failure, Failure::TooLarge { .. }), "{failure:?}");
    assert_eq!(stub.asked().len(), 1, "it would be as large again");
}

#[test]
fn more_than_any_run_can_need_is_not_taken() {
    let trouble = Trouble::default();
    assert!(trouble.take(1 << 31) && trouble.take(1 << 31));
    assert!(!trouble.take(1));
}

#[tokio::test]
async fn repeats_of_all_requests_together_come_to_an_end() {
    let stub = Stub::start(|_, _| Reply::json(503, &json!({"message": "not now"}))).await;
    let http = http(&stub.url);
    let reads = (0..6).map(|_| async { http.send::<Json>(&read()).await.err().expect("no answer") });
    let failures = futures_util::future::join_all(reads).await;
    assert!(failures.iter().all(|failure| matches!(failure, Failure::Unknown { .. })), "{failures:?}");
    assert_eq!(stub.asked().len(), 6 + 4);
    for _ in 0..20 {
        http.send::<Json>(&read()).await.err().expect("no answer");
    }
    assert_eq!(stub.asked().len(), 16, "then there is no hope in this run");
    http.begin();
    http.send::<Json>(&read()).await.err().expect("no answer");
    assert_eq!(stub.asked().len(), 16 + 5, "but in the next");
}
