//! What is kept of pages.

use std::borrow::Cow;

use super::*;
use crate::{
    domain::{
        model::{Claim, Page, PerKind, Relation, Schedule, Standing, Values},
        watermark::KeptPage,
    },
    edge::store::{Others, PagesRead},
};

fn titled(number: u128, title: &str) -> Page {
    Page {
        id: page(number),
        kind: Kind::Task,
        title: title.into(),
        claim: Claim::None,
        parent: Relation::None,
        item_of: Relation::None,
        standing: Standing::Open,
        created: at(0),
        edited: at(0),
        values: Values::default(),
        sync_status: Values::default(),
        schedule: Schedule::default(),
    }
}

async fn keep(store: &mut Store, tasks: &[Page], others: Others<'_>) {
    let tasks = tasks.iter().map(|page| KeptPage { page: Cow::Borrowed(page), problems: Cow::default() });
    let nothing = || PagesRead { watermark: None, pages: Box::new(std::iter::empty()), others: Others::KeptBut(&[]) };
    let tasks = PagesRead { watermark: None, pages: Box::new(tasks), others };
    store.keep_pages(PerKind { clients: nothing(), projects: nothing(), tasks }).await.expect("kept");
}

async fn kept(store: &Store) -> Vec<Page> {
    let kept = store.kept_pages(Kind::Task).await.expect("read");
    kept.into_iter().map(|kept| kept.page.into_owned()).collect()
}

wherever! {
    after_a_full_pass_what_was_read_is_kept_and_nothing_else,
    what_was_edited_is_kept_beside_what_was_not,
}

async fn after_a_full_pass_what_was_read_is_kept_and_nothing_else(world: World) {
    let last = u128::MAX;
    let mut store = world.open().await;
    // As many as are compared at once, more and fewer; the first and the last ID, and gaps in between.
    let numbers = |count: u128, step: u128| (0..count).map(move |number| number * step);
    let all: Vec<Page> = numbers(2500, 1 << 100).chain([last]).map(|number| titled(number, "as before")).collect();
    let exactly: Vec<Page> = numbers(1000, 3 << 100).map(|number| titled(number, "as before")).collect();
    let renamed: Vec<Page> = exactly.iter().map(|page| Page { title: "renamed".into(), ..page.clone() }).collect();
    let between: Vec<Page> = numbers(1001, 5 << 100).map(|number| titled(number + 1, "new")).collect();
    for read in [&all, &exactly, &renamed, &between, &all, &Vec::new(), &between] {
        keep(&mut store, read, Others::Forgotten).await;
        assert!(kept(&store).await == *read, "{} pages were read", read.len());
    }
}

async fn what_was_edited_is_kept_beside_what_was_not(world: World) {
    let mut store = world.open().await;
    keep(&mut store, &[titled(1, "one"), titled(2, "two"), titled(3, "three")], Others::Forgotten).await;

    keep(&mut store, &[titled(2, "other"), titled(4, "new")], Others::KeptBut(&[page(3), page(9)])).await;

    assert_eq!(kept(&store).await, [titled(1, "one"), titled(2, "other"), titled(4, "new")]);
    let one = store.kept_page(Kind::Task, page(2)).await.expect("read").map(|kept| kept.page.into_owned());
    assert_eq!(one, Some(titled(2, "other")));
    assert!(store.kept_page(Kind::Client, page(2)).await.expect("read").is_none(), "of another kind");
}
