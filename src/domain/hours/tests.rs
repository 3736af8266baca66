//! Laws of the tree and the findings, for any rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{Demands, Facts, Finding, Node, Period, Policy, Read, Slice, Tracked, Tree, Unavailable, Zone, findings};
use crate::domain::{
    diff::tests::world::{World, object_id},
    model::{ObjectId, Running},
    text::Raw,
};

const PATHS: [&str; 7] =
    ["Acme", "Acme/Website", "Acme/Website/Design", "Acme/Website/Build", "Acme/Logo", "Globex", "Globex/Site"];

/// A place among those paths by its number; the next ones are gone from every listing, and the last is nowhere.
fn place(world: &World, number: usize) -> [(Option<ObjectId>, Raw); 3] {
    let gone = |number: u32| (Some(object_id(number)), Raw::from(""));
    match PATHS.get(number) {
        Some(path) => {
            let mut above = path.match_indices('/').map(|(at, _)| &path[..at]).chain([*path]);
            std::array::from_fn(|_| {
                above.next().map(|path| (Some(world.object_id(path)), path.into())).unwrap_or_default()
            })
        }
        None if number < 9 => {
            [gone(900), gone(900 + u32::try_from(number).unwrap_or_default()), <(Option<ObjectId>, Raw)>::default()]
        }
        None => Default::default(),
    }
}

/// A row: its place, its seconds, and of which kinds of time it is.
type Drawn = (usize, u64, [bool; 3]);

fn reckoned(rows: &[Drawn], timers: &[usize]) -> (Tree, Vec<Finding>) {
    let mut world = World::linked(&PATHS);
    world.close_page("Acme/Logo");
    let snapshots = world.snapshots();
    let mut summaries: BTreeMap<Slice, Vec<Tracked>> =
        Slice::EACH.into_iter().map(|slice| (slice, Vec::new())).collect();
    for (number, seconds, is_of) in rows {
        let of = [true].into_iter().chain(is_of.iter().copied());
        for (slice, _) in Slice::EACH.into_iter().zip(of).filter(|(_, is_of)| *is_of) {
            let row = Tracked { place: place(&world, *number), seconds: *seconds };
            summaries.entry(slice).or_default().push(row);
        }
    }
    let running = timers.iter().enumerate().map(|(entry, number)| {
        let [_, project, task] = place(&world, *number).map(|(object, _)| object);
        Running { entry: entry.to_string(), project, task, start: "2026-10-05T08:00:00Z".parse().expect("a time") }
    });
    let facts = Facts { estimate: Some(3600), billable: Some(true) };
    let read = Read {
        snapshots: &snapshots,
        registry: &world.registry,
        summaries,
        running: running.collect(),
        facts: PATHS.iter().map(|path| (world.object_id(path), facts)).collect(),
        demands: Demands { project: true, task: true, rounding: None },
        unavailable: BTreeSet::<Unavailable>::new(),
        now: "2026-11-03T08:00:00Z".parse().expect("a time"),
    };
    let tree = Tree::of(&read);
    let zone = Zone { name: "UTC".to_owned(), rules: TimeZone::UTC };
    let found = findings(&read, &tree, Period::month("2026-10").expect("a month"), &zone, Policy::default());
    (tree, found)
}

fn adds_up(node: &Node) -> bool {
    let below = |of: fn(&Node) -> Option<u64>| node.children.iter().filter_map(of).sum::<u64>();
    let sums = [
        (node.figures.tracked, below(|child| child.figures.tracked)),
        (node.figures.billable, below(|child| child.figures.billable)),
    ];
    node.children.is_empty() || sums.into_iter().all(|(own, below)| own == Some(below))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn in_whatever_order_rows_come_the_same_is_told_in_the_same_order_and_all_of_it_counts(
        (rows, shuffled) in proptest::collection::vec((0_usize..11, 0_u64..200_000, any::<[bool; 3]>()), 0..12)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        timers in proptest::collection::vec(0_usize..11, 0..4),
    ) {
        let (tree, found) = reckoned(&rows, &timers);
        prop_assert_eq!(&(tree.clone(), found.clone()), &reckoned(&shuffled, &timers));

        let sum: u64 = rows.iter().map(|(_, seconds, _)| seconds).sum();
        prop_assert_eq!(tree.totals.tracked, Some(sum));
        prop_assert_eq!(tree.clients.iter().filter_map(|client| client.figures.tracked).sum::<u64>(), sum);
        tree.each(&mut |node| assert!(adds_up(node), "{node:?}"));
        let ids: BTreeSet<&str> = found.iter().map(|finding| finding.id.as_str()).collect();
        prop_assert_eq!(ids.len(), found.len(), "each has an ID of its own");
        prop_assert!(found.is_sorted_by_key(|finding| (finding.severity, finding.code)), "the gravest first");
    }
}
