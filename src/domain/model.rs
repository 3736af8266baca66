//! The values that everything else speaks in: kinds, ids, pages, objects, fields and listings.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    ops::{Index, IndexMut},
    str::FromStr,
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::text::Raw;

/// What a page or an object is. The order is the hierarchy: clients hold projects, projects hold tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A client.
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
        match self {
            Self::Client => "client",
            Self::Project => "project",
            Self::Task => "task",
        }
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

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

/// One value for each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerKind<T> {
    /// For clients.
    pub clients: T,
    /// For projects.
    pub projects: T,
    /// For tasks.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Where work is planned.
    Notion,
    /// Where time is tracked.
    Clockify,
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Notion => "Notion",
            Self::Clockify => "Clockify",
        })
    }
}

/// The text is not an id of the wanted form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}")]
pub struct InvalidId {
    text: String,
    wanted: &'static str,
}

/// The id of a Notion page, database or data source: a UUID, shown dashed and in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId(u128);

impl PageId {
    /// A page id from its number.
    pub const fn from_number(number: u128) -> Self {
        Self(number)
    }
}

impl FromStr for PageId {
    type Err = InvalidId;

    /// Reads a UUID with or without dashes, in either case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId { text: text.to_owned(), wanted: "a Notion id (32 hexadecimal digits)" };
        let digits: String = text.chars().filter(|&c| c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        u128::from_str_radix(&digits, 16).map(Self).map_err(|_| invalid())
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(formatter, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// The id of a Clockify client, project or task: opaque, in practice a `MongoDB` `ObjectId` of 24 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; Self::LENGTH_MAX]);

impl ObjectId {
    /// Bytes of the longest id that is accepted.
    pub const LENGTH_MAX: usize = 24;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|&b| b == 0).unwrap_or(Self::LENGTH_MAX);
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }

    /// The second in which the object was created, by the server's clock: the first four bytes of an `ObjectId`.
    pub fn created_second(&self) -> Option<i64> {
        let text = self.as_str();
        (text.len() == Self::LENGTH_MAX).then(|| i64::from_str_radix(&text[..8], 16).ok()).flatten()
    }
}

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plausible = (1..=Self::LENGTH_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plausible {
            return Err(InvalidId { text: text.to_owned(), wanted: "a Clockify id (24 hexadecimal digits)" });
        }
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ObjectId({})", self.as_str())
    }
}

macro_rules! serde_as_text {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(PageId, ObjectId);

/// A property of a client, project or task that both sides can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The name; always mapped.
    Name,
    /// The client of a project or the project of a task; always mapped.
    Parent,
    /// Open or closed; always mapped.
    State,
    /// A client's e-mail address.
    Email,
    /// A client's postal address.
    Address,
    /// A client's or project's note.
    Note,
    /// Whether time on it is billable.
    Billable,
    /// Whether everybody in the workspace sees the project.
    Public,
    /// A project's colour, `#rrggbb`.
    Color,
    /// Planned time.
    Estimate,
    /// The people that a task is assigned to, by e-mail address.
    Assignees,
}

impl Field {
    /// The fields of a kind that a mapping may name, besides name, parent and state.
    pub fn mappable(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Client => &[Self::Email, Self::Address, Self::Note],
            Kind::Project => &[Self::Billable, Self::Public, Self::Color, Self::Note, Self::Estimate],
            Kind::Task => &[Self::Assignees, Self::Estimate, Self::Billable],
        }
    }

    /// Whether Clockify's value can be written into a page: relations and people are for Notion's users to set.
    pub fn is_writable_in_notion(self) -> bool {
        !matches!(self, Self::Parent | Self::Assignees)
    }

    /// The word for the field, in configuration, plans and on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Parent => "parent",
            Self::State => "state",
            Self::Email => "email",
            Self::Address => "address",
            Self::Note => "note",
            Self::Billable => "billable",
            Self::Public => "public",
            Self::Color => "color",
            Self::Estimate => "estimate",
            Self::Assignees => "assignees",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

/// What a field holds, in the one form in which both services' values can be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing: an empty property, an unset field.
    #[default]
    Empty,
    /// Text, a name in its canonical form.
    Text(Raw),
    /// Yes or no.
    Flag(bool),
    /// A duration in seconds.
    Seconds(u64),
    /// People by e-mail address, in lower case.
    People(BTreeSet<Raw>),
    /// Closed (true) or open (false).
    Closed(bool),
    /// An object, as the parent of another.
    Object(ObjectId),
}

impl Value {
    /// Text, or [`Value::Empty`] when blank.
    pub fn text(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() { Self::Empty } else { Self::Text(Raw::new(trimmed)) }
    }

    /// A name in the form in which it is compared and sent, or [`Value::Empty`] when blank.
    pub fn name(name: &Raw) -> Self {
        let name = name.canonical();
        if name.as_str().is_empty() { Self::Empty } else { Self::Text(name.into_raw()) }
    }

    /// The value as people read it; not yet safe to print.
    pub fn to_raw(&self) -> Raw {
        match self {
            Self::Empty => Raw::default(),
            Self::Text(text) => text.clone(),
            Self::Flag(true) => "yes".into(),
            Self::Flag(false) => "no".into(),
            Self::Seconds(seconds) => duration_words(*seconds).into(),
            Self::People(people) => people.iter().map(Raw::exact).collect::<Vec<_>>().join(", ").into(),
            Self::Closed(true) => "closed".into(),
            Self::Closed(false) => "open".into(),
            Self::Object(id) => id.as_str().into(),
        }
    }
}

/// A duration as people write it: `1 h 30 min`.
pub fn duration_words(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts: Vec<String> = [(hours, "h"), (minutes, "min"), (rest, "s")]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() { "0 h".to_owned() } else { parts.join(" ") }
}

/// The mapped fields of a page or an object, besides name, parent and state. Few, so a sorted vector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(Vec<(Field, Value)>);

impl Values {
    /// The value of a field, or nothing where it is not mapped or could not be read. That is not [`Value::Empty`].
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, value)| value)
    }

    /// Sets a field.
    pub fn set(&mut self, field: Field, value: Value) {
        match self.0.binary_search_by_key(&field, |(known, _)| *known) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (field, value)),
        }
    }

    /// The fields with their values, in the order of [`Field`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.0.iter().map(|(field, value)| (*field, value))
    }
}

impl FromIterator<(Field, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(pairs: I) -> Self {
        let mut values = Self::default();
        for (field, value) in pairs {
            values.set(field, value);
        }
        values
    }
}

/// The Clockify ID that a page says it has. It is believed only when the registry or the evidence agrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// The property is empty.
    #[default]
    None,
    /// Something that can be an ID.
    Id(ObjectId),
    /// Text that cannot be an ID.
    Garbled(Raw),
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

    /// The claimed ID.
    pub fn id(&self) -> Option<ObjectId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::None | Self::Garbled(_) => None,
        }
    }
}

/// What the relation to the parent says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Relation {
    /// Nothing is related, or the kind has no parent.
    #[default]
    None,
    /// One page.
    One(PageId),
    /// Several pages; Clockify can hold only one parent.
    Several(Vec<PageId>),
}

impl From<Vec<PageId>> for Relation {
    fn from(mut pages: Vec<PageId>) -> Self {
        pages.sort_unstable();
        pages.dedup();
        match pages.as_slice() {
            [] => Self::None,
            [page] => Self::One(*page),
            _ => Self::Several(pages),
        }
    }
}

/// Whether a page wants its object to be open.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl Standing {
    /// True unless the page is open.
    pub fn is_closed(&self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// A Notion row: a client, project or task that somebody wants mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its id.
    pub id: PageId,
    /// What it is, by the data source that it is in.
    pub kind: Kind,
    /// The whole title, of all its rich-text runs.
    pub title: Raw,
    /// The Clockify ID written in it.
    pub claim: Claim,
    /// The page of its client or project.
    pub parent: Relation,
    /// Whether it is open.
    pub standing: Standing,
    /// When it was created; Notion floors it to the minute.
    pub created: Timestamp,
    /// When it was last edited; Notion floors it to the minute.
    pub edited: Timestamp,
    /// Mapped fields besides name, parent and state.
    pub values: Values,
}

/// A Clockify client, project or task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: Raw,
    /// Its client or project.
    pub parent: Option<ObjectId>,
    /// Archived (clients, projects) or DONE (tasks).
    pub closed: bool,
    /// Mapped fields besides name, parent and state.
    pub values: Values,
    /// Time tracked on it, in seconds, where the service says so.
    pub tracked_seconds: Option<u64>,
}

/// Rows that can be found by their id.
pub trait Identified {
    /// The id's type.
    type Id: Copy + Ord;
    /// The row's id.
    fn id(&self) -> Self::Id;
}

impl Identified for Page {
    type Id = PageId;
    fn id(&self) -> PageId {
        self.id
    }
}

impl Identified for Object {
    type Id = ObjectId;
    fn id(&self) -> ObjectId {
        self.id
    }
}

/// Marks a [`Listing`] that is known to show everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complete(());

/// Marks a [`Listing`] that may lack rows, and says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// For people, e.g. `the query stopped at 10,000 rows`.
    pub because: String,
}

/// Rows of one kind, sorted by id. Absence can be asked of `Listing<T, Complete>` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T, C = Complete> {
    rows: Vec<T>,
    completeness: C,
}

impl<T: Identified, C> Listing<T, C> {
    /// The rows, sorted by id.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The row with this id.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        self.rows.binary_search_by_key(&id, Identified::id).ok().map(|at| &self.rows[at])
    }
}

impl<T: Identified> Listing<T, Complete> {
    /// True when there is no such row: the one way to conclude that something is absent.
    pub fn lacks(&self, id: T::Id) -> bool {
        self.get(id).is_none()
    }
}

/// What a walk through a service's pages of rows ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched<T> {
    /// Everything there is.
    Complete(Listing<T, Complete>),
    /// Perhaps not everything.
    Partial(Listing<T, Partial>),
}

impl<T: Identified> Fetched<T> {
    /// The rows, sorted by id.
    pub fn rows(&self) -> &[T] {
        match self {
            Self::Complete(listing) => listing.rows(),
            Self::Partial(listing) => listing.rows(),
        }
    }

    /// The row with this id.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        match self {
            Self::Complete(listing) => listing.get(id),
            Self::Partial(listing) => listing.get(id),
        }
    }

    /// The listing, if it is known to be complete.
    pub fn complete(&self) -> Option<&Listing<T, Complete>> {
        match self {
            Self::Complete(listing) => Some(listing),
            Self::Partial(_) => None,
        }
    }

    /// Why the listing may lack rows.
    pub fn incomplete_because(&self) -> Option<&str> {
        match self {
            Self::Complete(_) => None,
            Self::Partial(listing) => Some(&listing.completeness.because),
        }
    }

    /// The same rows with more of them, e.g. pages that were fetched one by one; completeness stays as it was.
    #[must_use]
    pub fn with(self, more: impl IntoIterator<Item = T>) -> Self {
        fn merge<T: Identified, C>(mut listing: Listing<T, C>, more: impl IntoIterator<Item = T>) -> Listing<T, C> {
            listing.rows.extend(more);
            listing.rows.sort_by_key(Identified::id);
            listing.rows.dedup_by_key(|row| row.id());
            listing
        }
        match self {
            Self::Complete(listing) => Self::Complete(merge(listing, more)),
            Self::Partial(listing) => Self::Partial(merge(listing, more)),
        }
    }
}

impl<T: Identified> Default for Fetched<T> {
    fn default() -> Self {
        Walk::default().finish()
    }
}

/// Collects the pages of one listing and judges whether it is whole.
#[derive(Debug)]
pub struct Walk<T> {
    rows: Vec<T>,
    spoiled: Option<String>,
}

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), spoiled: None }
    }
}

impl<T: Identified> Walk<T> {
    /// Adds the rows of one page. A row that came before, as when rows moved while we read, is kept once.
    pub fn add(&mut self, rows: impl IntoIterator<Item = T>) {
        self.rows.extend(rows);
    }

    /// Rows so far, repeated ones counted again.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Says that rows may be missing, and why; the first reason stays.
    pub fn spoil(&mut self, because: impl Into<String>) {
        self.spoiled.get_or_insert_with(|| because.into());
    }

    /// Ends the walk. Call it only where the service said that there are no more pages; otherwise [`Walk::spoil`] it first.
    pub fn finish(mut self) -> Fetched<T> {
        self.rows.sort_by_key(Identified::id);
        self.rows.dedup_by_key(|row| row.id());
        match self.spoiled {
            None => Fetched::Complete(Listing { rows: self.rows, completeness: Complete(()) }),
            Some(because) => Fetched::Partial(Listing { rows: self.rows, completeness: Partial { because } }),
        }
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
    /// Pages that are in the registry, that no listing shows and that answer 404: deleted for good, or hidden from us.
    pub lost: BTreeSet<PageId>,
    /// Pages that are in the registry and exist, but were moved out of their data source.
    pub moved_out: BTreeSet<PageId>,
    /// Pages for which an earlier run may have created an object: nobody knows, and a look-up could not tell.
    pub unsettled: BTreeSet<PageId>,
    /// Things to say that fetching noticed.
    pub problems: Vec<Problem>,
}

/// The last state of one field on which both sides were verified.
///
/// It is a pair and not one value, because the sides may differ on purpose: a drift that was accepted, or a value that the
/// service changed while storing it. Either side has changed when it differs from its own half.
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
}

impl Agreed {
    /// What both sides held.
    pub fn on(notion: Value, clockify: Value) -> Self {
        if notion == clockify { Self::Same(notion) } else { Self::Apart { notion, clockify } }
    }

    /// What Notion held.
    pub fn notion(&self) -> &Value {
        match self {
            Self::Same(value) | Self::Apart { notion: value, .. } => value,
        }
    }

    /// What Clockify held.
    pub fn clockify(&self) -> &Value {
        match self {
            Self::Same(value) | Self::Apart { clockify: value, .. } => value,
        }
    }
}

/// Per field, the last verified agreement: the common ancestor of a three-way comparison. Few fields, so a sorted vector.
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
}

/// An entry of the registry: which object a page is mirrored by, and what both last agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The page.
    pub page: PageId,
    /// What both are.
    pub kind: Kind,
    /// The object.
    pub object: ObjectId,
    /// Whether the page is still looked for.
    pub sight: Sight,
    /// What both last agreed on.
    pub base: Base,
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
    /// It answered 404 at this time; asking again soon would only cost a call.
    LostAt(Timestamp),
}

/// All links, by page. Each object is in at most one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    links: BTreeMap<PageId, Link>,
    pages: HashMap<ObjectId, PageId>,
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
        self.links.is_empty()
    }

    /// Adds or replaces the link of a page; a link that another page had to the same object ends.
    pub fn insert(&mut self, link: Link) {
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

/// Something that fetching noticed: it stops nothing, and becomes a notice of the plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The kind concerned.
    pub kind: Kind,
    /// The page concerned, if it is one page.
    pub page: Option<PageId>,
    /// What was noticed, for people; text from outside in it must already be [`super::text::Display`].
    pub text: String,
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

    #[test]
    fn a_spoiled_walk_is_never_complete() {
        let mut walk = Walk::<Object>::default();
        walk.spoil("the query stopped at 10,000 rows");
        walk.spoil("another reason");
        let fetched = walk.finish();
        assert!(fetched.complete().is_none());
        assert_eq!(fetched.incomplete_because(), Some("the query stopped at 10,000 rows"));
    }
}
