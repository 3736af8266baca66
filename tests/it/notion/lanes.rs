//! Listings in lanes: each page once, whatever happens meanwhile, and one lane where a service does not do as asked.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use jiff::SignedDuration;
use punchlist::{
    domain::{
        lanes::{Seam, seams},
        model::{Kind, Page},
        rules::Mapping,
    },
    edge::notion::{Listed, Notion, Source},
    sandbox::{Knobs, NotionId, World},
};
use serde_json::json;

use super::{clients, fetch, ids, queries, seen};
use crate::support::Wire;

/// So many clients, ten of them in each minute.
fn world(minutes: usize) -> (World, Vec<NotionId>) {
    let (mut world, mut all) = (World::empty(), Vec::new());
    for _ in 0..minutes {
        all.extend(clients(&mut world, 10));
        world.advance(SignedDuration::from_mins(1));
    }
    (world, all)
}

/// Reads all pages in one lane, and returns where four would meet.
async fn read_before(notion: &Notion, source: &Source) -> Vec<Seam> {
    let listed = fetch(notion, Kind::Client, source).await;
    let found = seams(listed.pages.rows().iter().map(|page| page.created).collect(), 20);
    assert_eq!(found.len(), 3);
    found
}

fn complete(listed: &Listed) -> &[Page] {
    listed.pages.complete().unwrap_or_else(|| panic!("{:?}", listed.pages.incomplete_because())).rows()
}

/// The filters of the queries, each once.
fn filters(wire: &Wire) -> BTreeSet<String> {
    queries(wire).iter().map(|call| call.body["filter"].to_string()).collect()
}

#[tokio::test]
async fn lanes_show_each_page_once_and_cost_at_most_a_call_more_each() {
    for (row_cap, page_size_cap) in [(10_000, 100), (10_000, 7), (40, 100), (21, 7)] {
        let (world, all) = world(30);
        let wire = Wire::new(world, Knobs { row_cap, page_size_cap, ..Knobs::default() }).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        let seams = read_before(&notion, &source).await;
        let before = queries(&wire).len();
        wire.sandbox.clear_calls();

        let listed = notion.fetch(Kind::Client, &source, &seams, &|_| {}).await.expect("readable");

        assert_eq!(seen(complete(&listed)), ids(&all), "{row_cap} rows a query, {page_size_cap} a page");
        let calls = queries(&wire).len();
        assert!(row_cap < all.len() || calls <= before + seams.len() + 1, "{calls} calls in place of {before}");
        assert!(filters(&wire).len() > seams.len(), "{:?}", filters(&wire));
    }
}

#[tokio::test]
async fn what_people_do_while_lanes_are_read_costs_no_page_and_shows_none_twice() {
    for moment in 0..12 {
        let (world, all) = world(30);
        let wire = Wire::new(world, Knobs { page_size_cap: 25, ..Knobs::default() }).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        let seams = read_before(&notion, &source).await;
        let answers = AtomicUsize::new(0);

        let gone = [all[3], all[111], all[222], all[290]];
        let meanwhile = |_| {
            if answers.fetch_add(1, Ordering::SeqCst) == moment {
                let mut world = wire.sandbox.world();
                for (number, page) in all.iter().enumerate().filter(|(number, _)| number % 9 == 0) {
                    world.set_title(*page, &format!("Edited {number}"));
                }
                for page in gone {
                    world.trash(page);
                }
                world.add_client_page("New");
            }
        };
        let listed = notion.fetch(Kind::Client, &source, &seams, &meanwhile).await.expect("readable");

        let shown = seen(complete(&listed));
        let stayed: Vec<NotionId> = all.iter().copied().filter(|page| !gone.contains(page)).collect();
        assert!(ids(&stayed).is_subset(&shown), "edited after {moment} answers");
    }
}

#[tokio::test]
async fn a_service_that_ignores_filters_or_sorts_is_read_in_one_lane() {
    for (filters_ignored, sorts_ignored) in [(true, false), (false, true), (true, true)] {
        let (world, all) = world(30);
        let wire = Wire::new(world, Knobs::default()).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        let seams = read_before(&notion, &source).await;
        {
            let mut knobs = wire.sandbox.knobs();
            (knobs.filters_ignored, knobs.sorts_ignored) = (filters_ignored, sorts_ignored);
        }
        wire.sandbox.clear_calls();

        let listed = notion.fetch(Kind::Client, &source, &seams, &|_| {}).await.expect("readable");

        assert_eq!(seen(complete(&listed)), ids(&all), "{filters_ignored} {sorts_ignored}");
        let whole = queries(&wire).iter().filter(|call| call.body.get("filter").is_none()).count();
        assert_eq!(whole, 3, "all of it once more: {:?}", filters(&wire));
        assert!(queries(&wire).len() <= whole + seams.len() + 1, "each lane notices by its first rows");
    }
}

#[tokio::test]
async fn where_the_pages_at_a_seam_are_gone_one_lane_shows_that_nothing_is_left_out() {
    for at_seam in [70_usize, 69] {
        let (world, all) = world(28);
        let wire = Wire::new(world, Knobs::default()).await;
        let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        let seams = read_before(&notion, &source).await;
        let minute = at_seam / 10 * 10;
        for page in &all[minute..minute + 10] {
            wire.sandbox.world().trash(*page);
        }
        wire.sandbox.clear_calls();

        let listed = notion.fetch(Kind::Client, &source, &seams, &|_| {}).await.expect("readable");

        let stayed: Vec<NotionId> =
            all.iter().copied().filter(|page| !all[minute..minute + 10].contains(page)).collect();
        assert_eq!(seen(complete(&listed)), ids(&stayed));
        assert!(filters(&wire).contains("null"), "{:?}", filters(&wire));
    }
}

#[tokio::test]
async fn a_cursor_that_dies_in_a_lane_and_a_schema_that_has_changed_restart_the_lanes() {
    let (world, all) = world(30);
    let wire = Wire::new(world, Knobs { page_size_cap: 25, ..Knobs::default() }).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;
    let seams = read_before(&notion, &source).await;
    wire.sandbox.world().delete_property("Clients", "Website");
    wire.add_column("Clients", "Website", json!({"checkbox": {}})).await;
    let died = AtomicBool::new(false);
    let expire = |rows| {
        if rows > 100 && !died.swap(true, Ordering::SeqCst) {
            wire.sandbox.world().expire_cursors();
        }
    };

    let listed = notion.fetch(Kind::Client, &source, &seams, &expire).await.expect("readable");

    assert_eq!(seen(complete(&listed)), ids(&all));
    assert!(died.load(Ordering::SeqCst));
}
