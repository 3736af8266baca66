//! Trouble on the line, and what of it can be seen.

use std::{collections::BTreeMap, time::Duration};

use punchlist::{
    domain::{
        model::{Kind, Service as Of},
        rules::{IdStrategy, Mapping},
        text::Raw,
    },
    edge::{
        http::{Failure, Http},
        notion::{Error, Listed, Notion},
    },
    sandbox::{Fault, FaultKind, Knobs, Service, World},
};

use super::{claim, clients, fetch};
use crate::support::{Wire, page_id};

/// Three clients, read with this fault on the way.
async fn read_through(faults: Vec<Fault>) -> (Wire, Result<Listed, Error>) {
    let mut world = World::empty();
    clients(&mut world, 3);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    wire.sandbox.knobs().faults = faults;
    let listed = notion.fetch(Kind::Client, &source, &[], &|_| {}).await;
    (wire, listed)
}

fn queries_fail(what: FaultKind) -> Fault {
    Fault::new(what).service(Service::Notion).on("POST", "/query")
}

#[tokio::test]
async fn reading_gets_through_every_passing_trouble() {
    for (what, when) in [
        (FaultKind::Status(500, String::new()), 4),
        (FaultKind::Status(502, "<html>bad gateway</html>".to_owned()), 4),
        (
            FaultKind::Status(
                503,
                r#"{"code":"service_unavailable","additional_data":{"retry_guidance":["x"]}}"#.to_owned(),
            ),
            4,
        ),
        (FaultKind::Status(504, String::new()), 1),
        (FaultKind::Status(529, r#"{"code":"service_overload","message":"busy"}"#.to_owned()), 1),
        (FaultKind::Status(409, String::new()), 1),
        (FaultKind::TruncatedBody, 4),
        (FaultKind::HtmlBody, 4),
        (FaultKind::Reset, 4),
        (FaultKind::RetryAfter("0".to_owned()), 1),
        (FaultKind::RetryAfter("0".to_owned()), 4),
        (FaultKind::RetryAfter("soon".to_owned()), 1),
        (FaultKind::RetryAfter("Mon, 23 Nov 2026 08:00:00 GMT".to_owned()), 1),
    ] {
        let (wire, listed) = read_through(vec![queries_fail(what.clone()).times(when)]).await;

        let listed = listed.unwrap_or_else(|error| panic!("{what:?}: {error}"));
        assert_eq!(listed.pages.complete().expect("complete").rows().len(), 3);
        assert_eq!(wire.sandbox.calls().len(), usize::try_from(when).expect("few") + 1, "{what:?}");
    }
}

#[tokio::test]
async fn reading_ends_in_an_error_when_trouble_stays() {
    for what in [
        FaultKind::Status(500, String::new()),
        FaultKind::Status(503, String::new()),
        FaultKind::TruncatedBody,
        FaultKind::HtmlBody,
        FaultKind::Reset,
        FaultKind::HugeBody(1000),
    ] {
        let (wire, listed) = read_through(vec![queries_fail(what.clone()).times(u32::MAX)]).await;

        let error = listed.expect_err("no listing");
        assert!(matches!(&error, Error::Failed { failure: Failure::Unknown { .. }, .. }), "{what:?}: {error}");
        assert_eq!(wire.sandbox.calls().len(), 5, "{what:?}");
        assert!(error.to_string().chars().count() < 600, "{error}");
    }
}

#[tokio::test]
async fn the_time_that_notion_asks_for_is_waited_for() {
    for retry_after in ["1", "Mon, 23 Nov 2026 09:01:00 GMT"] {
        let mut world = World::empty();
        world.add_client_page("Acme");
        let until_then = "2026-11-23T09:00:59Z".parse::<jiff::Timestamp>().expect("a time").duration_since(world.now());
        world.advance(until_then);
        let wire = Wire::new(world, Knobs::default()).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        wire.sandbox.knobs().faults = vec![queries_fail(FaultKind::RetryAfter(retry_after.to_owned()))];

        let started = std::time::Instant::now();
        fetch(&notion, Kind::Client, &source).await;

        let waited = started.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(4)).contains(&waited), "{retry_after}: {waited:?}");
        assert_eq!(wire.statuses(), ["POST 429", "POST 200"]);
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_told_instead() {
    for (retry_after, seconds) in [("3600", 3600), ("1000000000", 3600), ("99999999999999999999999", 3600)] {
        let (wire, listed) =
            read_through(vec![queries_fail(FaultKind::RetryAfter(retry_after.to_owned())).times(u32::MAX)]).await;

        let Err(Error::Budget { wait, .. }) = listed else { panic!("{retry_after}: no listing, and no other error") };
        assert!((wait.as_secs_f64() - f64::from(seconds)).abs() < 2.0, "{wait:?}");
        assert_eq!(wire.sandbox.calls().len(), 1, "nobody asks again");
    }
}

#[tokio::test]
async fn a_bare_429_that_stays_ends_soon() {
    let blocked = r#"{"code":"rate_limited","additional_data":{"rate_limit_reason":"public_api_request_blocked"}}"#;
    let (wire, listed) = read_through(vec![queries_fail(FaultKind::Status(429, String::new())).times(u32::MAX)]).await;
    let (blocked_wire, blocked) =
        read_through(vec![queries_fail(FaultKind::Status(429, blocked.to_owned())).times(u32::MAX)]).await;

    assert!(matches!(listed, Err(Error::Budget { .. })));
    assert_eq!(wire.sandbox.calls().len(), 5);
    assert!(
        matches!(blocked, Err(Error::Failed { failure: Failure::Rejected { status: 429, .. }, .. })),
        "{blocked:?}"
    );
    assert_eq!(blocked_wire.sandbox.calls().len(), 1, "Notion says that this one must not be repeated");
}

#[tokio::test]
async fn a_budget_that_is_known_is_never_overdrawn() {
    let mut world = World::empty();
    world.use_real_time();
    clients(&mut world, 30);
    let wire = Wire::new(world, Knobs { page_size_cap: 10, notion_per_minute: Some(4), ..Knobs::default() }).await;
    let mut options = wire.options(Of::Notion);
    options.budget.per_minute = Some(4);
    options.patience = Duration::from_millis(100);
    let notion = Notion::new(Http::new(options).expect("a client"), Mapping::n8n(), IdStrategy::Property);
    let reference = wire.sandbox.world().data_source("Clients").expect("a source").to_string();
    let source = notion.resolve(Kind::Client, &reference).await.expect("it fits");

    let first = fetch(&notion, Kind::Client, &source).await;
    let second = notion.fetch(Kind::Client, &source, &[], &|_| {}).await;

    assert!(first.pages.complete().is_some());
    assert!(matches!(second, Err(Error::Budget { .. })), "{second:?}");
    assert_eq!(wire.statuses(), ["GET 200", "POST 200", "POST 200", "POST 200"], "all of it is used, and no more");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_where_it_led() {
    let elsewhere = Wire::new(World::empty(), Knobs::default()).await;
    let target = format!("{}/v1/stolen", elsewhere.sandbox.notion_url().replace("127.0.0.1", "localhost"));
    for method in ["POST", "PATCH"] {
        let mut world = World::empty();
        let page = world.add_client_page("Acme");
        let wire = Wire::new(world, Knobs::default()).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        wire.sandbox.knobs().faults =
            vec![Fault::new(FaultKind::Redirect(target.clone())).on(method, "").times(u32::MAX)];

        let error = if method == "POST" {
            notion.fetch(Kind::Client, &source, &[], &|_| {}).await.expect_err("no listing").to_string()
        } else {
            let nothing = BTreeMap::new();
            let write = notion.write_back(Kind::Client, &source, page_id(page), Some(None), &nothing, false);
            write.await.expect_err("no write").to_string()
        };

        assert!(error.contains("redirect to localhost, which is not followed"), "{error}");
        assert!(elsewhere.sandbox.calls().is_empty());
        assert_eq!(wire.sandbox.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_body_without_end_is_read_to_the_limit_and_no_further() {
    let mut world = World::empty();
    world.add_client_page("Acme");
    let wire = Wire::new(world, Knobs::default()).await;
    let (_, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let mut options = wire.options(Of::Notion);
    options.body_max = 1 << 20;
    let notion = Notion::new(Http::new(options).expect("a client"), Mapping::n8n(), IdStrategy::Property);
    wire.sandbox.knobs().faults = vec![queries_fail(FaultKind::HugeBody(1 << 40)).times(u32::MAX)];

    let error = notion.fetch(Kind::Client, &source, &[], &|_| {}).await.expect_err("no listing");

    assert!(error.to_string().contains("more than 1 MiB"), "{error}");
}

#[tokio::test]
async fn silence_is_not_waited_out() {
    let mut world = World::empty();
    world.add_client_page("Acme");
    let wire = Wire::new(world, Knobs::default()).await;
    let (_, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let mut options = wire.options(Of::Notion);
    options.idle_timeout = Duration::from_millis(50);
    let notion = Notion::new(Http::new(options).expect("a client"), Mapping::n8n(), IdStrategy::Property);
    wire.sandbox.knobs().faults = vec![queries_fail(FaultKind::Stall).times(2)];

    let listed = fetch(&notion, Kind::Client, &source).await;

    assert_eq!(listed.pages.complete().expect("complete").rows().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_believed_at_once() {
    let mut world = World::empty();
    let page = world.add_client_page("Acme");
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    wire.sandbox.world().notion_token = "ntn_rotated".to_owned();

    let listed = notion.fetch(Kind::Client, &source, &[], &|_| {}).await.expect_err("refused");
    let written = notion.write_back(Kind::Client, &source, page_id(page), Some(None), &BTreeMap::new(), false).await;
    let identity = notion.identity().await.expect_err("refused");

    assert!(listed.is_refusal() && identity.is_refusal());
    assert!(listed.to_string().contains("API token is invalid."), "{listed}");
    assert!(written.expect_err("refused").is_refusal());
    assert_eq!(wire.statuses(), ["POST 401"], "nothing else is asked");
    notion.http().begin();
    assert!(notion.identity().await.expect_err("refused").is_refusal());
    assert_eq!(wire.statuses(), ["POST 401", "GET 401"], "but in another run");

    let restricted =
        r#"{"object":"error","status":403,"code":"restricted_resource","message":"Insufficient permissions."}"#;
    let (wire, listed) =
        read_through(vec![queries_fail(FaultKind::Status(403, restricted.to_owned())).times(u32::MAX)]).await;
    assert!(listed.expect_err("refused").is_refusal());
    assert_eq!(wire.sandbox.calls().len(), 1);
}

#[tokio::test]
async fn who_asks_is_known() {
    let wire = Wire::new(World::empty(), Knobs::default()).await;
    let notion = wire.notion(&Mapping::n8n());

    let identity = notion.identity().await.expect("known");

    assert_eq!(identity.workspace_name, Raw::from("Harbour Studio"));
    assert!(identity.workspace_id.is_some() && !identity.is_person);

    wire.sandbox.knobs().faults = vec![Fault::new(FaultKind::Status(200, "{}".to_owned())).times(u32::MAX)];
    let nobody = notion.identity().await.expect_err("an answer that names nobody");
    assert!(matches!(nobody, Error::Failed { failure: Failure::Unknown { .. }, .. }), "{nobody}");
}

#[tokio::test]
async fn the_token_is_in_nothing_that_can_be_seen() {
    const CANARY: &str = "ntn_canary_7fd1";
    let mut visible = Vec::new();
    for what in [
        None,
        Some(FaultKind::Status(500, format!("{{\"message\":\"{}\"}}", "trouble"))),
        Some(FaultKind::Status(401, String::new())),
        Some(FaultKind::Reset),
        Some(FaultKind::TruncatedBody),
        Some(FaultKind::HtmlBody),
        Some(FaultKind::Redirect("http://127.0.0.1:1/".to_owned())),
        Some(FaultKind::RetryAfter("3600".to_owned())),
    ] {
        let mut world = World::empty();
        let page = world.add_client_page("Acme");
        world.notion_token = CANARY.to_owned();
        let wire = Wire::new(world, Knobs::default()).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        if let Some(what) = what {
            wire.sandbox.knobs().faults = vec![Fault::new(what).times(u32::MAX)];
        }
        for error in [
            notion.fetch(Kind::Client, &source, &[], &|_| {}).await.err(),
            notion.identity().await.err(),
            notion.page(Kind::Client, &source, page_id(page)).await.err(),
        ]
        .into_iter()
        .flatten()
        {
            visible.extend([error.to_string(), error.hint(), format!("{error:?}")]);
        }
        let written =
            notion.write_back(Kind::Client, &source, page_id(page), Some(Some(claim())), &BTreeMap::new(), false).await;
        visible.extend([
            format!("{written:?}"),
            format!("{notion:?}"),
            format!("{source:?}"),
            format!("{:?}", wire.exchanges()),
        ]);
    }

    let leaks: Vec<&String> = visible.iter().filter(|text| text.contains(CANARY)).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    assert!(visible.len() > 40);
}
