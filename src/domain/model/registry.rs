//! Which page is mirrored by which object, and what both last agreed on.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
};

use foldhash::fast::RandomState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Field, Kind, ObjectId, PageId, Value, value::with};

/// The last state of one field on which both sides were verified.
///
/// It is a pair and not one value, because the sides may differ on purpose: a drift that was accepted, or a value that
/// the service changed while storing it. Either side has changed when it differs from its own half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreed {
    /// Both sides held this.
    Same(Value),
    /// The sides held different values, and that was accepted.
    Apart(Box<Halves>),
    /// The sides held different values, and nobody has agreed to that: Notion's was empty, which asks for nothing, or
    /// it was sent and Clockify did not keep it.
    Seen(Box<Halves>),
}

/// What each side held. Few fields have two values, so that these have a place of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halves {
    pub notion: Value,
    pub clockify: Value,
}

impl Agreed {
    /// Both sides held different values, and that was accepted.
    pub fn apart(notion: Value, clockify: Value) -> Self {
        Self::Apart(Box::new(Halves { notion, clockify }))
    }

    /// Both sides held different values, and nobody has agreed to that.
    pub fn seen(notion: Value, clockify: Value) -> Self {
        Self::Seen(Box::new(Halves { notion, clockify }))
    }

    /// What both sides held.
    pub fn on(notion: Value, clockify: Value) -> Self {
        if notion == clockify { Self::Same(notion) } else { Self::apart(notion, clockify) }
    }

    /// What Notion held.
    pub fn notion(&self) -> &Value {
        match self {
            Self::Same(value) => value,
            Self::Apart(halves) | Self::Seen(halves) => &halves.notion,
        }
    }

    /// What Clockify held.
    pub fn clockify(&self) -> &Value {
        match self {
            Self::Same(value) => value,
            Self::Apart(halves) | Self::Seen(halves) => &halves.clockify,
        }
    }
}

/// Per field, the last verified agreement: the common ancestor of a three-way comparison. Few fields, so sorted ones in
/// no more room than they take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base(Box<[(Field, Agreed)]>);

impl Base {
    /// What was agreed on a field, if anything ever was.
    pub fn get(&self, field: Field) -> Option<&Agreed> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, agreed)| agreed)
    }

    /// Records an agreement.
    pub fn set(&mut self, field: Field, agreed: Agreed) {
        match self.0.binary_search_by_key(&field, |(known, _)| *known) {
            Ok(at) => self.0[at].1 = agreed,
            Err(at) => self.0 = with(std::mem::take(&mut self.0), at, (field, agreed)),
        }
    }

    /// Forgets what was agreed on a field.
    pub fn forget(&mut self, field: Field) {
        let fields = std::mem::take(&mut self.0).into_iter();
        self.0 = fields.filter(|(known, _)| *known != field).collect();
    }
}

/// An entry of the registry: which object a page is mirrored by, and what both last agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub page: PageId,
    /// What both are.
    pub kind: Kind,
    pub object: ObjectId,
    /// Whether the page is still looked for.
    pub sight: Sight,
    /// What both last agreed on.
    pub base: Base,
    /// Objects that the page left behind when it moved, as Clockify cannot move a task: to be closed, each until it is.
    pub left: Vec<ObjectId>,
    /// Whether its object is closed along with what it stands below.
    pub along: Along,
    /// What the ID property held when the page got its object, until that object's ID is seen in it or written into it;
    /// nothing from then on. A page that never had an ID has not lost it, and writing it completes what was approved.
    pub unwritten: Option<Box<Value>>,
}

/// How far the rule `close_children` has got with an object: it opens again what it closed itself, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// The rule has nothing to do with it.
    #[default]
    No,
    /// The rule wants it closed, and it is not yet.
    Closing,
    /// The rule has closed it. Who opens it below a closed parent means it.
    Closed,
}

/// Whether a linked page is still looked for when no listing shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// It is expected in the listing.
    #[default]
    Expected,
    /// It is in the trash and its object is closed: nothing to ask until a listing shows it again.
    Retired,
    /// It was asked for at this time, and is away; asking again soon would only cost a call.
    Away(Away, Timestamp),
    /// The link was undone: the two belong together no more, unless a person says so again. What they agreed on is kept
    /// for that.
    Parted,
}

/// Where a page is that no listing shows, as far as asking for it by its ID tells. Its object is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// It answers 404: deleted for good, or hidden from us.
    Lost,
    /// It exists, outside its data source.
    MovedOut,
    /// It exists, and the mapping says that it is not meant any more.
    NotMeant,
}

/// All links, by page. Each object is in at most one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    linked: Links,
    /// Links that were undone; no link to anybody who asks for one.
    parted: Links,
}

/// Links of which no two have a page or an object in common.
#[derive(Clone, Debug, Default)]
struct Links {
    by_page: BTreeSet<ByPage>,
    pages: HashMap<ObjectId, PageId, RandomState>,
}

/// A link in its place by its page, which a map would hold once more.
#[derive(Clone, Debug)]
struct ByPage(Link);

impl Borrow<PageId> for ByPage {
    fn borrow(&self) -> &PageId {
        &self.0.page
    }
}

impl Ord for ByPage {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.page.cmp(&other.0.page)
    }
}

impl PartialOrd for ByPage {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByPage {
    fn eq(&self, other: &Self) -> bool {
        self.0.page == other.0.page
    }
}

impl Eq for ByPage {}

impl Links {
    fn iter(&self) -> impl Iterator<Item = &Link> {
        self.by_page.iter().map(|ByPage(link)| link)
    }

    fn of_page(&self, page: PageId) -> Option<&Link> {
        self.by_page.get(&page).map(|ByPage(link)| link)
    }

    fn of_object(&self, object: ObjectId) -> Option<&Link> {
        self.pages.get(&object).and_then(|page| self.of_page(*page))
    }

    fn insert(&mut self, link: Link) {
        self.remove(link.page);
        if let Some(other) = self.pages.insert(link.object, link.page) {
            self.by_page.remove(&other);
        }
        self.by_page.insert(ByPage(link));
    }

    fn remove(&mut self, page: PageId) {
        if let Some(ByPage(link)) = self.by_page.take(&page) {
            self.pages.remove(&link.object);
        }
    }
}

impl PartialEq for Links {
    /// With all that each link holds.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter()) && self.pages == other.pages
    }
}

impl Eq for Links {}

impl Registry {
    /// The link of a page.
    pub fn of_page(&self, page: PageId) -> Option<&Link> {
        self.linked.of_page(page)
    }

    /// The link of an object.
    pub fn of_object(&self, object: ObjectId) -> Option<&Link> {
        self.linked.of_object(object)
    }

    /// The page that an object is linked to.
    pub fn page_of(&self, object: ObjectId) -> Option<PageId> {
        self.linked.pages.get(&object).copied()
    }

    /// The link that a page had until it was undone.
    pub fn parted(&self, page: PageId) -> Option<&Link> {
        self.parted.of_page(page)
    }

    /// All links, by page.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.linked.iter()
    }

    /// How many links there are.
    pub fn len(&self) -> usize {
        self.linked.by_page.len()
    }

    /// True when nothing is linked.
    pub fn is_empty(&self) -> bool {
        self.linked.by_page.is_empty() && self.parted.by_page.is_empty()
    }

    /// Adds or replaces the link of a page; a link that another page had to the same object ends.
    pub fn insert(&mut self, link: Link) {
        self.parted.remove(link.page);
        if let Some(other) = self.parted.of_object(link.object).map(|parted| parted.page) {
            self.parted.remove(other);
        }
        if link.sight == Sight::Parted {
            self.remove(link.page);
            self.parted.insert(link);
        } else {
            self.linked.insert(link);
        }
    }

    /// Adds or replaces links, as [`Registry::insert`] does one after the other.
    pub fn insert_all(&mut self, links: Vec<Link>) {
        if self.is_empty() && links.iter().all(|link| link.sight != Sight::Parted) {
            let pages: HashMap<ObjectId, PageId, RandomState> =
                links.iter().map(|link| (link.object, link.page)).collect();
            let distinct: HashSet<PageId, RandomState> = pages.values().copied().collect();
            if distinct.len() == links.len() {
                // All there are, which are many: a set that grows by them would take half as much room again.
                let by_page = links.into_iter().map(ByPage).collect();
                self.linked = Links { by_page, pages };
                return;
            }
        }
        for link in links {
            self.insert(link);
        }
    }

    /// Gives back the room that the links have taken beside what they need, where they came one by one.
    pub fn shrink(&mut self) {
        let mut grown = std::mem::take(&mut self.linked.by_page);
        // As the library makes one of two sorted ones, it is full; with none in the other, it would be the grown one.
        self.linked.by_page.extend(grown.pop_first());
        self.linked.by_page.append(&mut grown);
    }

    /// Ends the link of a page.
    pub fn remove(&mut self, page: PageId) {
        self.linked.remove(page);
    }
}

impl FromIterator<Link> for Registry {
    fn from_iter<I: IntoIterator<Item = Link>>(links: I) -> Self {
        let mut registry = Self::default();
        for link in links {
            registry.insert(link);
        }
        registry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(page: u128, object: &str, sight: Sight) -> Link {
        let (page, object) = (PageId::from_number(page), object.parse().expect("an id"));
        let (base, along) = (Base::default(), Along::No);
        Link { page, kind: Kind::Client, object, sight, base, left: Vec::new(), along, unwritten: None }
    }

    /// The pages that are linked and those that have parted, with their objects.
    fn all(registry: &Registry) -> [Vec<(u128, &str)>; 2] {
        let pages = 1..=3;
        let of = |page: u128, link: Option<&Link>| {
            let link = link?;
            Some((page, if link.object == "a".parse().expect("an id") { "a" } else { "b" }))
        };
        [
            pages.clone().filter_map(|page| of(page, registry.of_page(PageId::from_number(page)))).collect(),
            pages.filter_map(|page| of(page, registry.parted(PageId::from_number(page)))).collect(),
        ]
    }

    #[test]
    fn each_page_and_each_object_is_in_one_link_at_most_and_has_parted_from_one_at_most() {
        let (linked, parted) = (Sight::Expected, Sight::Parted);
        let after = |links: &[(u128, &str, Sight)]| -> Registry {
            links.iter().map(|(page, object, sight)| link(*page, object, *sight)).collect()
        };
        for (links, expected) in [
            (vec![(1, "a", linked), (2, "a", linked)], [vec![(2, "a")], vec![]]),
            (vec![(1, "a", linked), (1, "b", linked)], [vec![(1, "b")], vec![]]),
            (vec![(1, "a", linked), (2, "b", linked), (1, "b", linked)], [vec![(1, "b")], vec![]]),
            (vec![(1, "a", linked), (1, "a", parted)], [vec![], vec![(1, "a")]]),
            (vec![(1, "a", linked), (2, "a", parted)], [vec![(1, "a")], vec![(2, "a")]]),
            (vec![(1, "a", parted), (2, "a", linked)], [vec![(2, "a")], vec![]]),
            (vec![(1, "a", parted), (1, "b", linked)], [vec![(1, "b")], vec![]]),
            (vec![(1, "a", parted), (2, "a", parted)], [vec![], vec![(2, "a")]]),
            (vec![(1, "a", parted), (2, "b", parted), (3, "a", linked)], [vec![(3, "a")], vec![(2, "b")]]),
            (vec![(2, "b", linked), (1, "a", linked)], [vec![(1, "a"), (2, "b")], vec![]]),
        ] {
            let mut at_once = Registry::default();
            at_once.insert_all(links.iter().map(|(page, object, sight)| link(*page, object, *sight)).collect());
            let mut registry = after(&links);
            registry.shrink();
            assert_eq!((all(&registry), &at_once), (expected, &registry), "{links:?}");
            for link in registry.iter() {
                assert_eq!(registry.page_of(link.object), Some(link.page), "{links:?}");
            }
            assert_eq!(registry.linked.pages.len(), registry.len(), "{links:?}");
            assert_eq!(registry.parted.pages.len(), registry.parted.by_page.len(), "{links:?}");
        }
    }
}
