//! How long a plan takes once both sides are in memory: pair + diff + seal, over 10k, 100k and 1M synced tasks, and
//! with every hundredth task renamed. `cargo bench --bench plan`; time per task should not grow with the number of
//! tasks.

mod agency;

use divan::Bencher;
use punchlist::domain::{diff::diff, plan::Scope, rules::Rules};

const TASKS: [usize; 3] = [10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// In sync: the plan is empty.
#[divan::bench(args = TASKS, sample_count = 5, sample_size = 1)]
fn synced(bencher: Bencher<'_, '_>, tasks: usize) {
    let (snapshots, registry) = agency::sides(tasks, usize::MAX);
    let rules = Rules::default();
    bencher.bench_local(|| {
        let difference = diff(&snapshots, &registry, &rules, Scope::default());
        assert!(difference.plan.changes.is_empty() && difference.verified.is_empty());
        difference
    });
}

/// Every hundredth task has another name in Notion: the plan has that many updates, which the brake lets through.
#[divan::bench(args = TASKS, sample_count = 5, sample_size = 1)]
fn one_in_a_hundred_renamed(bencher: Bencher<'_, '_>, tasks: usize) {
    let (snapshots, registry) = agency::sides(tasks, 100);
    let rules = Rules::default();
    bencher.bench_local(|| {
        let difference = diff(&snapshots, &registry, &rules, Scope::default());
        assert_eq!(difference.plan.changes.len(), tasks / 100);
        difference
    });
}
