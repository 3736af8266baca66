//! Which page is mirrored by which object, and what both last agreed on.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Field, Kind, ObjectId, PageId, Value};

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
    Apart {
        /// Notion's half.
        notion: Value,
        /// Clockify's half.
        clockify: Value,
    },
    /// The sides held different values, and nobody has agreed to that: Notion's was empty, which asks for nothing, or
    /// it was sent and Clockify did not keep it.
    Seen {
        /// What Notion held.
        notion: Value,
        /// What Clockify held.
        clockify: Value,
    },
}

impl Agreed {
    /// What both sides held.
    pub fn on(notion: Value, clockify: Value) -> Self {
        if notion == clockify { Self::Same(notion) } else { Self::Apart { notion, clockify } }
    }

    /// What Notion held.
    pub fn notion(&self) -> &Value {
        match self {
            Self::Same(value) | Self::Apart { notion: value, .. } | Self::Seen { notion: value, .. } => value,
        }
    }

    /// What Clockify held.
    pub fn clockify(&self) -> &Value {
        match self {
            Self::Same(value) | Self::Apart { clockify: value, .. } | Self::Seen { clockify: value, .. } => value,
        }
    }
}

/// Per field, the last verified agreement: the common ancestor of a three-way comparison. Few fields, so a sorted
/// vector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base(Vec<(Field, Agreed)>);

impl Base {
    /// What was agreed on a field, if anything ever was.
    pub fn get(&self, field: Field) -> Option<&Agreed> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, agreed)| agreed)
    }

    /// Records an agreement.
    pub fn set(&mut self, field: Field, agreed: Agreed) {
        match self.0.binary_search_by_key(&field, |(known, _)| *known) {
            Ok(at) => self.0[at].1 = agreed,
            Err(at) => self.0.insert(at, (field, agreed)),
        }
    }

    /// Forgets what was agreed on a field.
    pub fn forget(&mut self, field: Field) {
        self.0.retain(|(known, _)| *known != field);
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
    pub unwritten: Option<Value>,
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
    links: BTreeMap<PageId, Link>,
    pages: HashMap<ObjectId, PageId, RandomState>,
    /// Links that were undone, by page; no link to anybody who asks for one.
    parted: BTreeMap<PageId, Link>,
}

impl Registry {
    /// The link of a page.
    pub fn of_page(&self, page: PageId) -> Option<&Link> {
        self.links.get(&page)
    }

    /// The link of an object.
    pub fn of_object(&self, object: ObjectId) -> Option<&Link> {
        self.pages.get(&object).and_then(|page| self.links.get(page))
    }

    /// The page that an object is linked to.
    pub fn page_of(&self, object: ObjectId) -> Option<PageId> {
        self.pages.get(&object).copied()
    }

    /// The link that a page had until it was undone.
    pub fn parted(&self, page: PageId) -> Option<&Link> {
        self.parted.get(&page)
    }

    /// All links, by page.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// How many links there are.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// True when nothing is linked.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.parted.is_empty()
    }

    /// Adds or replaces the link of a page; a link that another page had to the same object ends.
    pub fn insert(&mut self, link: Link) {
        self.parted.retain(|page, parted| *page != link.page && parted.object != link.object);
        if link.sight == Sight::Parted {
            self.remove(link.page);
            self.parted.insert(link.page, link);
            return;
        }
        if let Some(before) = self.links.get(&link.page) {
            self.pages.remove(&before.object);
        }
        if let Some(other) = self.pages.insert(link.object, link.page).filter(|other| *other != link.page) {
            self.links.remove(&other);
        }
        self.links.insert(link.page, link);
    }

    /// Ends the link of a page.
    pub fn remove(&mut self, page: PageId) {
        if let Some(link) = self.links.remove(&page) {
            self.pages.remove(&link.object);
        }
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
