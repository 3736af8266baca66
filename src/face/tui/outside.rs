//! What of a row can be taken elsewhere: texts to copy, addresses to open.

use super::{
    command::Tab,
    state::{State, subject::name},
};
use crate::domain::{
    plan::document::ChangeDocument,
    reference::object_address,
    text::{Shown, json},
};

/// A text to copy. It is safe to paste: names are as they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) label: &'static str,
    pub(crate) text: String,
}

const PAGE_URL: &str = "Notion address";

impl Copied {
    /// True for the page's address, which has a key of its own.
    pub(crate) fn is_url(&self) -> bool {
        self.label == PAGE_URL
    }
}

/// Everything of the row under the cursor that can be copied.
pub(crate) fn copies(state: &State) -> Vec<Copied> {
    let Some((plan, (_, page))) = state.reviewing.plan().zip(state.reviewing.page()) else { return Vec::new() };
    let mut copies = Vec::new();
    let mut add = |label, text: Option<String>| copies.extend(text.map(|text| Copied { label, text }));
    let name = state.reviewing.subject().map(|subject| name(plan, subject));
    add("name", name.map(|name| Shown::of(name.canonical().as_str()).to_string()));
    add("Notion page ID", page.in_notion().map(|page| page.to_string()));
    add(PAGE_URL, page_url(state));
    add("Clockify ID", state.reviewing.object().map(|(_, object)| object.to_string()));
    add("Clockify address", object_url(state));
    let change = state.reviewing.current_change().map(|at| &plan.changes[at]);
    add("change ID", change.map(|change| change.id.to_string()));
    add("change as JSON", change.and_then(|change| json(&ChangeDocument::one(plan, change)).ok()));
    copies
}

/// Where the page is in Notion. Its own addresses are of this form since June 2026 (changelog of the API, 2026-07-15).
pub(crate) fn page_url(state: &State) -> Option<String> {
    let page = if state.tab == Tab::Hours { state.hours.page() } else { state.reviewing.page().map(|(_, page)| page) };
    let page = page?.in_notion()?;
    Some(format!("https://app.notion.com/p/{}", page.to_string().replace('-', "")))
}

/// Where the object of the row is in Clockify's web application.
pub(crate) fn object_url(state: &State) -> Option<String> {
    let (kind, object) = if state.tab == Tab::Hours { state.hours.object() } else { state.reviewing.object() }?;
    Some(object_address(kind, object))
}
