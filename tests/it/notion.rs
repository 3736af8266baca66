//! The client of Notion and the emulated Notion, which were written apart: here they meet, under every quirk that the
//! reference names.

mod cells;
mod lanes;
mod line;
mod listing;
mod references;
mod writing;

use std::collections::BTreeSet;

use punchlist::{
    domain::{
        model::{Field, Kind, ObjectId, Page, PerKind},
        rules::{Mapped, Mapping},
    },
    edge::notion::{Listed, Notion, Source},
    sandbox::{Call, NotionId, World},
};

use crate::support::Wire;

/// The n8n preset with more fields of one kind.
fn mapped(kind: Kind, fields: &[(Field, &str)]) -> PerKind<Mapping> {
    let mut mapping = Mapping::n8n();
    mapping[kind].fields = fields.iter().map(|&(field, property)| (field, Mapped::as_is(property))).collect();
    mapping
}

async fn fetch(notion: &Notion, kind: Kind, source: &Source) -> Listed {
    notion.fetch(kind, source, &[], &|_| {}).await.unwrap_or_else(|error| panic!("{error}"))
}

/// All pages of a kind by one reading, which must be complete.
async fn pages(wire: &Wire, kind: Kind, mapping: &PerKind<Mapping>) -> Vec<Page> {
    let (notion, source) = wire.bound(kind, mapping).await;
    let listed = fetch(&notion, kind, &source).await;
    listed.pages.complete().unwrap_or_else(|| panic!("{:?}", listed.pages.incomplete_because())).rows().to_vec()
}

fn ids(pages: &[NotionId]) -> BTreeSet<String> {
    pages.iter().map(ToString::to_string).collect()
}

fn seen(pages: &[Page]) -> BTreeSet<String> {
    let seen: BTreeSet<String> = pages.iter().map(|page| page.id.to_string()).collect();
    assert_eq!(seen.len(), pages.len(), "each row once");
    seen
}

fn clients(world: &mut World, count: usize) -> Vec<NotionId> {
    (0..count).map(|number| world.add_client_page(&format!("Client {number}"))).collect()
}

fn queries(wire: &Wire) -> Vec<Call> {
    wire.sandbox.calls().into_iter().filter(|call| call.path.ends_with("/query")).collect()
}

/// Some object's id.
fn claim() -> ObjectId {
    "64b000000000000000000001".parse().expect("an id")
}
