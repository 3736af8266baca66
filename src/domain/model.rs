//! The values that everything else speaks in: kinds, ids, pages, objects, fields and listings.

mod along;
mod entries;
mod id;
mod listing;
mod registry;
mod schedule;
mod timers;
mod value;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Index, IndexMut},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::text::{Raw, Shown};

pub use entries::{Entry, Refiled, Refiling, Spot};
pub use id::{ChangeId, InvalidId, ObjectId, PageId, RunId};
pub use listing::{Complete, Fetched, Identified, Listing, Partial, Walk, Weight};
pub use registry::{Agreed, Along, Away, Base, Halves, Link, Registry, Sight};
pub use schedule::Schedule;
pub use timers::{Running, Timers};
pub use value::{Field, Reading, Value, Values, duration_words};

/// What a page or an object is. The order is the hierarchy: clients hold projects, projects hold tasks.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    Client,
    /// A project; it belongs to a client.
    Project,
    /// A task; it belongs to a project.
    Task,
}

impl Kind {
    /// Parents first.
    pub const ALL: [Self; 3] = [Self::Client, Self::Project, Self::Task];

    /// The kind that holds this one.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::Client => None,
            Self::Project => Some(Self::Client),
            Self::Task => Some(Self::Project),
        }
    }

    /// `client`, `project` or `task`.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// `clients`, `projects` or `tasks`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Client => "clients",
            Self::Project => "projects",
            Self::Task => "tasks",
        }
    }
}

/// One value for each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerKind<T> {
    pub clients: T,
    pub projects: T,
    pub tasks: T,
}

impl<T> PerKind<T> {
    /// Makes one value for each kind.
    pub fn from_fn(mut make: impl FnMut(Kind) -> T) -> Self {
        Self { clients: make(Kind::Client), projects: make(Kind::Project), tasks: make(Kind::Task) }
    }

    /// The values with their kinds, parents first.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &T)> {
        Kind::ALL.into_iter().map(|kind| (kind, &self[kind]))
    }
}

impl<T> Index<Kind> for PerKind<T> {
    type Output = T;
    fn index(&self, kind: Kind) -> &T {
        match kind {
            Kind::Client => &self.clients,
            Kind::Project => &self.projects,
            Kind::Task => &self.tasks,
        }
    }
}

impl<T> IndexMut<Kind> for PerKind<T> {
    fn index_mut(&mut self, kind: Kind) -> &mut T {
        match kind {
            Kind::Client => &mut self.clients,
            Kind::Project => &mut self.projects,
            Kind::Task => &mut self.tasks,
        }
    }
}

/// One of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Where work is planned.
    Notion,
    /// Where time is tracked.
    Clockify,
}

/// The Clockify ID that a page says it has. It is believed only when the registry or the evidence agrees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The property is empty.
    #[default]
    None,
    /// Something that can be an ID.
    Id(ObjectId),
    /// Text that cannot be an ID.
    Garbled(Raw),
    /// Notion did not say it: why.
    Unknown(Shown),
}

impl Claim {
    /// Reads the ID property.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::None;
        }
        text.parse().map_or_else(|_| Self::Garbled(text.into()), Self::Id)
    }

    /// What the ID property holds, in the form in which both sides are compared, if that is known.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::None => Some(Value::Empty),
            Self::Id(id) => Some(Value::Object(*id)),
            Self::Garbled(text) => Some(Value::Text(text.clone())),
            Self::Unknown(_) => None,
        }
    }

    /// True when the property is known to hold this ID, or to be empty.
    pub fn is(&self, wanted: Option<ObjectId>) -> bool {
        self.value() == Some(wanted.map_or(Value::Empty, Value::Object))
    }

    /// The claimed ID.
    pub fn id(&self) -> Option<ObjectId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::None | Self::Garbled(_) | Self::Unknown(_) => None,
        }
    }
}

/// What the relation to the parent says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Nothing is related, or the kind has no parent.
    #[default]
    None,
    /// One page.
    One(PageId),
    /// Several pages; Clockify can hold only one parent.
    Several(Box<[PageId]>),
    /// Notion did not say it: why.
    Unknown(Shown),
}

impl Relation {
    /// The one page, if there is one.
    pub fn one(&self) -> Option<PageId> {
        match self {
            Self::One(page) => Some(*page),
            Self::None | Self::Several(_) | Self::Unknown(_) => None,
        }
    }
}

impl From<Vec<PageId>> for Relation {
    fn from(mut pages: Vec<PageId>) -> Self {
        pages.sort_unstable();
        pages.dedup();
        match pages.as_slice() {
            [] => Self::None,
            [page] => Self::One(*page),
            _ => Self::Several(pages.into()),
        }
    }
}

/// Whether a page wants its object to be open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Open: the object should be active.
    Open,
    /// Closed by its mapped property, which is named with its value.
    Closed {
        /// For people: `Status is Done`.
        because: Raw,
    },
    /// In the trash or archived, seen by fetching the page by its ID.
    Trashed,
    /// Notion did not say it, or not whether the page is meant at all. The page waits, whatever else it says.
    Unknown {
        /// Why.
        because: Shown,
    },
}

impl Standing {
    /// Closed (true) or open (false), if that is known.
    pub fn closed(&self) -> Option<bool> {
        match self {
            Self::Open => Some(false),
            Self::Closed { .. } | Self::Trashed => Some(true),
            Self::Unknown { .. } => None,
        }
    }

    /// True when the page is known to be closed.
    pub fn is_closed(&self) -> bool {
        self.closed() == Some(true)
    }

    /// True when the page is known to be open.
    pub fn is_open(&self) -> bool {
        self.closed() == Some(false)
    }
}

/// A Notion row: a client, project or task that somebody wants mirrored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub id: PageId,
    /// What it is, by the data source that it is in.
    pub kind: Kind,
    /// The whole title, of all its rich-text runs.
    pub title: Raw,
    /// The Clockify ID written in it.
    pub claim: Claim,
    /// The page of its client or project: the one that it names, or that the page above it names by [`Page::item_of`].
    pub parent: Relation,
    /// The page of the same kind that it is an item of, where it takes its parent from that one.
    pub item_of: Relation,
    /// Whether it is open.
    pub standing: Standing,
    /// When it was created; Notion floors it to the minute.
    pub created: Timestamp,
    /// When it was last edited; Notion floors it to the minute.
    pub edited: Timestamp,
    /// Mapped fields besides name, parent and state.
    pub values: Values,
    /// What the page tells of what waits for a person: the fields that [`Field::is_sync_status`].
    pub sync_status: Values,
    /// What it plans besides what it mirrors.
    pub schedule: Schedule,
}

/// A Clockify client, project or task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    pub name: Raw,
    /// Its client or project.
    pub parent: Option<ObjectId>,
    /// Archived (clients, projects) or DONE (tasks). Where Clockify does not say it, `values` holds [`Field::State`] as
    /// unknown, and neither [`Object::is_open`] nor [`Object::is_closed`].
    pub closed: bool,
    /// The page that its note names as the one it mirrors: written by punchlist into what it creates, and perhaps
    /// copied since.
    pub marker: Option<PageId>,
    /// Mapped fields besides name, parent and state.
    pub values: Values,
    /// Time tracked on it, in seconds, where the service says so.
    pub tracked_seconds: Option<u64>,
    /// What sets it apart from an ordinary one.
    pub nature: Nature,
}

/// What sets an object apart from an ordinary one, so that not everything can be done to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nature {
    /// A pattern for new projects: nobody tracks time on it, and it is nobody's project.
    pub template: bool,
    /// What the project's estimate is made of.
    pub estimate: Estimating,
}

/// What the estimate of a project is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Estimating {
    /// Hours that somebody sets for the whole, or nothing so far.
    #[default]
    ByHours,
    /// The sum of its tasks' estimates.
    ByTasks,
    /// Money in place of hours.
    ByBudget,
}

impl Object {
    /// Closed (true) or open (false), if that is known.
    pub fn state(&self) -> Option<bool> {
        self.values.unknown_because(Field::State).is_none().then_some(self.closed)
    }

    /// True when the object is known to be active.
    pub fn is_open(&self) -> bool {
        self.state() == Some(false)
    }

    /// True when the object is known to be archived or done.
    pub fn is_closed(&self) -> bool {
        self.state() == Some(true)
    }
}

/// All that one side showed.
pub type Snapshot<T> = PerKind<Fetched<T>>;

/// Both sides as they were seen, at about the same time, and what fetching noticed on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// What people plan.
    pub pages: Snapshot<Page>,
    /// What time is tracked on.
    pub objects: Snapshot<Object>,
    /// Pages that are in the registry and that no listing shows, and where they are.
    pub away: BTreeMap<PageId, Away>,
    /// Pages for which an earlier run may have created an object: nobody knows yet.
    pub unsettled: BTreeMap<PageId, Unsettled>,
    /// Things to say that fetching noticed.
    pub problems: Vec<Problem>,
    /// Options that a property which closes pages has since this run, and that count as open: said once.
    pub new_options: Vec<Problem>,
    /// When Clockify was read, by its own clock, which ids are born by.
    pub as_of: Option<Timestamp>,
    /// Objects that were born so short a time ago that a listing may not show them yet, and that Clockify denies by
    /// their ID, too.
    pub denied: BTreeSet<ObjectId>,
    /// Why objects may exist that the key does not see: what is not listed then proves nothing.
    pub hidden: Option<Shown>,
    /// Open pages that the rule `close_children` closes along with what they stand below, and why. It is no word of the
    /// page's own.
    pub along: BTreeMap<PageId, Raw>,
    /// Fields whose property in Notion cannot be emptied, as a status falls back to its default option.
    pub never_empty: PerKind<BTreeSet<Field>>,
    /// What is known of what both sides take.
    pub limits: Limits,
    /// What tasks' pages say they are called, where the rule `same_name` has them called otherwise. It is no word of a
    /// page's own.
    pub stated_titles: BTreeMap<PageId, Raw>,
    /// People without an account who were left out or replaced, by the rule, and the open pages that name them.
    pub strangers: BTreeMap<Raw, BTreeSet<PageId>>,
    /// The timers that run; nothing where nobody has asked for them.
    pub timers: Option<Timers>,
}

/// Why nobody knows whether a create was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// Any of these objects could be what it made: a person must say which.
    OneOf(Vec<ObjectId>),
    /// Looking it up failed.
    Unseen,
    /// Nothing shows it, but a listing may lag behind so far: until this time it is not created again.
    Until(Timestamp),
}

/// What is known of what both sides take, besides what always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The e-mail addresses of everybody with an account in the Clockify workspace; none where that was not asked for.
    pub accounts: Option<BTreeSet<Raw>>,
    /// The Clockify plan, where it is one that has no estimates.
    pub without_estimates: Option<Raw>,
    /// The mapped properties of Notion.
    pub properties: PerKind<BTreeMap<Field, Property>>,
}

/// A property of Notion that holds a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub takes: Takes,
    /// The words that stand for values in it.
    pub words: BTreeMap<String, Value>,
}

/// What a property of Notion takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Text of any kind.
    Text,
    /// An e-mail address or a phone number.
    Short,
    /// A web address.
    Link,
    Number,
    /// A day.
    Day,
    /// A tick.
    Checkbox,
    /// An option of a select; a new one comes into being when it is written.
    Select,
    /// One of these options of a status, to which only people can add.
    Status(BTreeSet<Raw>),
    /// Nothing: what it shows is worked out, or is people's to set.
    Nothing,
}

/// How long after its birth an object may be missing from a listing that lags behind.
const YOUNG: SignedDuration = SignedDuration::from_mins(10);

impl Snapshots {
    /// True when an object is gone: a listing that shows everything lacks it, and nothing else explains that.
    pub fn is_gone(&self, kind: Kind, object: ObjectId) -> bool {
        self.doubt_absence(kind, object).is_none() && self.objects[kind].get(object).is_none()
    }

    /// Why it proves nothing that an object is not listed, if that is so.
    pub fn doubt_absence(&self, kind: Kind, object: ObjectId) -> Option<Shown> {
        if let Some(because) = self.objects[kind].incomplete_because() {
            return Some(because.clone());
        }
        if self.is_young(object) && !self.denied.contains(&object) {
            return Some("it was created a moment ago, and Clockify may not list it yet".into());
        }
        // Everybody sees the clients.
        self.hidden.clone().filter(|_| kind != Kind::Client)
    }

    /// True when the page is closed, by its own word or along with what it stands below.
    pub fn closes(&self, page: &Page) -> bool {
        page.standing.is_closed() || self.along.contains_key(&page.id)
    }

    /// True when the object was born so short a time before Clockify was read that a listing may not show it yet.
    pub fn is_young(&self, object: ObjectId) -> bool {
        let born = object.created_second().and_then(|second| Timestamp::from_second(second).ok());
        born.zip(self.as_of).is_some_and(|(born, now)| now.duration_since(born) < YOUNG)
    }

    /// True for a template for projects, and for a task in one: nobody's work, and so never linked by name, never
    /// closed, never missed.
    pub fn is_pattern(&self, object: &Object) -> bool {
        let project =
            object.parent.filter(|_| object.kind == Kind::Task).and_then(|project| self.objects.projects.get(project));
        object.nature.template || project.is_some_and(|project| project.nature.template)
    }

    /// True when objects name pages as only punchlist does, and the registry knows nothing at all: the state was lost,
    /// perhaps a moment after something was created that a listing does not show yet.
    pub fn are_forgotten(&self, registry: &Registry) -> bool {
        let named = |kind: Kind| self.objects[kind].rows().iter().filter_map(|object| object.marker);
        registry.is_empty()
            && Kind::ALL.into_iter().any(|kind| named(kind).any(|page| self.pages[kind].get(page).is_some()))
    }
}

/// Something that fetching noticed: it stops nothing, and becomes a notice of the plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The kind concerned.
    pub kind: Kind,
    /// The page concerned, if it is one page.
    pub page: Option<PageId>,
    /// What was noticed.
    pub text: Shown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_every_usual_spelling() {
        let dashed = "1f2c0000-0000-4000-8000-0000000009a0";
        assert_eq!(dashed.parse::<PageId>().expect("dashed").to_string(), dashed);
        assert_eq!("1F2C00000000400080000000000009A0".parse::<PageId>().expect("plain").to_string(), dashed);
        assert!("1f2c".parse::<PageId>().is_err());
        assert_eq!(Claim::read(" 64a9e1000000000000000001 ").id().expect("id").as_str(), "64a9e1000000000000000001");
        assert!(matches!(Claim::read("see wiki page"), Claim::Garbled(_)));
        assert_eq!("6a1376e40000000000000000".parse::<ObjectId>().expect("id").created_second(), Some(1_779_660_516));
    }

    proptest::proptest! {
        #[test]
        fn ids_are_in_the_order_of_their_text(one in "[a-cA-C0-2_-]{1,24}", two in "[a-cA-C0-2_-]{1,24}", cut in 1..24_usize) {
            let near = &one[..cut.min(one.len())];
            for other in [two.as_str(), near] {
                let id = |text: &str| text.parse::<ObjectId>().expect("an id");
                proptest::prop_assert_eq!(id(&one).cmp(&id(other)), one.as_str().cmp(other));
            }
        }
    }

    #[test]
    fn a_spoiled_walk_is_never_complete() {
        let mut walk = Walk::<Object>::default();
        walk.spoil("the query stopped at 10,000 rows");
        walk.spoil("another reason");
        let fetched = walk.finish();
        assert!(fetched.complete().is_none());
        assert_eq!(fetched.incomplete_because(), Some(&"the query stopped at 10,000 rows".into()));
    }
}
