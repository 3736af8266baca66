//! Listings: whole, or not called complete.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use jiff::SignedDuration;
use punchlist::{
    domain::{model::Kind, rules::Mapping, text::Raw},
    edge::{http::Failure, notion::Error},
    sandbox::{Fault, FaultKind, Knobs, NotionId, World},
};

use super::{clients, fetch, ids, pages, queries, seen};
use crate::support::{Wire, page_id};

#[tokio::test]
async fn a_listing_costs_one_call_per_hundred_rows_and_shows_each_once() {
    let wire = Wire::new(World::empty(), Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let mut all = Vec::new();

    for (count, calls) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (250, 3)] {
        all.extend(clients(&mut wire.sandbox.world(), count - all.len()));
        wire.sandbox.clear_calls();
        let listed = fetch(&notion, Kind::Client, &source).await;

        let listing = listed.pages.complete().expect("complete");
        assert_eq!((seen(listing.rows()), wire.sandbox.calls().len()), (ids(&all), calls), "{count} rows");
    }
}

#[tokio::test]
async fn a_service_that_shows_fewer_rows_than_asked_is_read_to_the_end() {
    let mut world = World::empty();
    let all = clients(&mut world, 30);
    let wire = Wire::new(world, Knobs { page_size_cap: 7, ..Knobs::default() }).await;

    let pages = pages(&wire, Kind::Client, &Mapping::n8n()).await;

    assert_eq!((seen(&pages), wire.sandbox.calls().len()), (ids(&all), 5));
}

#[tokio::test]
async fn beyond_the_row_cap_the_listing_goes_on_from_the_last_minute() {
    for (cap, page_size) in [(40, 100), (40, 7), (41, 100), (130, 100), (129, 100)] {
        let mut world = World::empty();
        let mut all = Vec::new();
        for _ in 0..13 {
            all.extend(clients(&mut world, 10));
            world.advance(SignedDuration::from_mins(1));
        }
        let wire = Wire::new(world, Knobs { row_cap: cap, page_size_cap: page_size, ..Knobs::default() }).await;

        let pages = pages(&wire, Kind::Client, &Mapping::n8n()).await;

        assert_eq!(seen(&pages), ids(&all), "{cap} rows a query, {page_size} a page");
        let windows: BTreeSet<String> = queries(&wire).iter().map(|call| call.body["filter"].to_string()).collect();
        assert_eq!(windows.len() > 1, cap < 130, "{windows:?}");
    }
}

#[tokio::test]
async fn a_minute_with_more_rows_than_the_cap_is_told_and_never_complete() {
    let mut world = World::empty();
    clients(&mut world, 5);
    world.advance(SignedDuration::from_mins(5));
    clients(&mut world, 30);
    let wire = Wire::new(world, Knobs { row_cap: 20, ..Knobs::default() }).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;

    let listed = fetch(&notion, Kind::Client, &source).await;

    assert!(listed.pages.complete().is_none());
    assert!(listed.pages.incomplete_because().expect("a reason").contains("one minute"));
    assert_eq!(listed.pages.rows().len(), 25);
    assert_eq!(queries(&wire).len(), 2, "it does not go round in circles");
}

#[tokio::test]
async fn a_cursor_that_dies_on_the_way_restarts_the_listing() {
    let mut world = World::empty();
    let all = clients(&mut world, 250);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let died = AtomicBool::new(false);

    let expire = |_| {
        if !died.swap(true, Ordering::SeqCst) {
            wire.sandbox.world().expire_cursors();
        }
    };
    let listed = notion.fetch(Kind::Client, &source, &[], &expire).await.expect("readable");

    assert_eq!(seen(listed.pages.complete().expect("complete").rows()), ids(&all));
    assert_eq!(wire.statuses(), ["POST 200", "POST 400", "POST 200", "POST 200", "POST 200"]);
}

#[tokio::test]
async fn cursors_that_keep_dying_give_an_error_and_never_half_a_listing() {
    let mut world = World::empty();
    clients(&mut world, 250);
    let wire = Wire::new(world, Knobs { cursor_continuations: Some(1), ..Knobs::default() }).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;

    let error = notion.fetch(Kind::Client, &source, &[], &|_| {}).await.expect_err("no listing");

    assert!(error.to_string().contains("broke off twice"), "{error}");
    assert_eq!(wire.sandbox.calls().len(), 6);
}

#[tokio::test]
async fn what_people_do_while_we_read_costs_no_row() {
    let mut world = World::empty();
    let mut all = Vec::new();
    for _ in 0..25 {
        all.extend(clients(&mut world, 10));
        world.advance(SignedDuration::from_mins(1));
    }
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let (early, late) = (all[3], all[240]);
    let edited = AtomicBool::new(false);

    let meanwhile = |_| {
        if !edited.swap(true, Ordering::SeqCst) {
            let mut world = wire.sandbox.world();
            world.set_title(early, "Edited after it was read");
            world.set_title(late, "Edited before it was read");
            world.trash(all[5]);
            world.trash(all[230]);
            world.move_out(all[231]);
            world.add_client_page("New");
        }
    };
    let listed = notion.fetch(Kind::Client, &source, &[], &meanwhile).await.expect("readable");

    let listing = listed.pages.complete().expect("complete");
    let shown = seen(listing.rows());
    let stayed: Vec<NotionId> = all.iter().copied().filter(|page| *page != all[230] && *page != all[231]).collect();
    assert!(ids(&stayed).is_subset(&shown), "nothing that stayed is missing");
    assert_eq!(listing.get(page_id(late)).expect("there").title, Raw::from("Edited before it was read"));
    assert!(listing.rows().iter().any(|page| page.title == Raw::from("New")));
}

#[tokio::test]
async fn archived_and_trashed_rows_are_in_no_listing() {
    for archived_follows_trash in [false, true] {
        let mut world = World::empty();
        let all = clients(&mut world, 3);
        world.set_archived(all[0], true);
        world.trash(all[1]);
        let wire = Wire::new(world, Knobs { archived_follows_trash, ..Knobs::default() }).await;

        let pages = pages(&wire, Kind::Client, &Mapping::n8n()).await;

        assert_eq!(seen(&pages), ids(&all[2..]));
    }
}

#[tokio::test]
async fn an_answer_of_another_shape_is_no_empty_listing() {
    let mut world = World::empty();
    clients(&mut world, 3);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    for body in [
        "{}",
        r#"{"ok":true}"#,
        r#"{"object":"list","results":[]}"#,
        r#"{"results":null,"has_more":false}"#,
        "[]",
        "null",
        "",
    ] {
        let fault = Fault::new(FaultKind::Status(200, body.to_owned())).times(u32::MAX);
        wire.sandbox.knobs().faults = vec![fault];

        let listed = notion.fetch(Kind::Client, &source, &[], &|_| {}).await;

        let error = listed.expect_err(body);
        assert!(matches!(&error, Error::Failed { failure: Failure::Unknown { .. }, .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn only_documented_keys_are_sent() {
    let mut world = World::empty();
    let related = clients(&mut world, 130);
    let project = world.add_project_page("Website", None);
    world.set_relation(project, "Clients", &related);
    let wire = Wire::new(world, Knobs { row_cap: 90, ..Knobs::default() }).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let (_, projects) = wire.bound(Kind::Project, &Mapping::n8n()).await;

    fetch(&notion, Kind::Client, &source).await;
    fetch(&notion, Kind::Project, &projects).await;
    notion.page(Kind::Project, &projects, page_id(project)).await.expect("readable");
    notion.identity().await.expect("known");

    for call in wire.sandbox.calls() {
        let parameters: BTreeSet<&str> = call.query.iter().map(|(name, _)| name.as_str()).collect();
        let keys: BTreeSet<&str> = call.body.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let (allowed, allowed_keys): (&[&str], &[&str]) = if call.path.ends_with("/query") {
            (&["filter_properties"], &["sorts", "filter", "start_cursor", "page_size", "is_archived", "result_type"])
        } else if call.path.contains("/properties/") {
            (&["start_cursor", "page_size"], &[])
        } else {
            (&[], &[])
        };
        assert!(parameters.is_subset(&allowed.iter().copied().collect()), "{call:?}");
        assert!(keys.is_subset(&allowed_keys.iter().copied().collect()), "{call:?}");
        assert_eq!(call.status, 200, "{call:?}");
    }
}
