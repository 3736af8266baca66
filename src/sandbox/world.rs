//! The data of both services, the clock they share, and the edits that people make in the two user interfaces.
//!
//! ```text
//! World ─┬─ clock, counter           every ID and instant comes from here: same calls, same world
//!        ├─ notion    schema.rs       databases, data sources, properties   pages.rs  what people do to pages
//!        ├─ clockify  objects.rs      clients, projects, tasks, time, and what people do to them
//!        ├─ time.rs                 what is set about tracking time
//!        ├─ access.rs               who may see and do what: tokens.rs in Notion, workspaces.rs in Clockify
//!        ├─ template.rs, sample.rs  the agency, empty, sized or read from JSON
//!        └─ tables.rs               databases beside it
//! ```
//!
//! The HTTP side (`sandbox::notion`, `sandbox::clockify`) applies the services' rules and then edits the same data.

#![expect(clippy::disallowed_methods, reason = "its real clock")]

pub(crate) mod access;
mod cells;
mod members;
pub(crate) mod objects;
pub(crate) mod pages;
mod sample;
pub(crate) mod schema;
pub(crate) mod sort;
mod tables;
mod template;
pub(crate) mod time;
mod tokens;
pub(crate) mod values;
mod webhooks;
mod workspaces;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    CLOCKIFY_KEY, NOTION_TOKEN,
    ids::{ClockifyId, NotionId},
};
pub use access::{Capabilities, Role};
pub use objects::{Client, Project, Task, TimeEntry};
pub(crate) use objects::{ClockifyWorld, REGULAR};
pub use pages::PageState;
pub(crate) use pages::{Page, Parent};
pub use sample::{Remembered, SampleError};
pub(crate) use schema::NotionWorld;
pub(crate) use webhooks::Webhook;

/// When the deterministic clock starts: a Monday morning, 2026-11-23T09:00:00Z.
pub const START_SECOND: i64 = 1_795_424_400;

/// How far the deterministic clock moves at each request and each edit. Small, so that several edits share a minute, as
/// they do in life; Notion's times are floored to the minute.
pub const TICK: SignedDuration = SignedDuration::from_millis(25);

/// Where the world's time comes from.
#[derive(Clone, Copy, Debug)]
enum Clock {
    Ticking(Timestamp),
    Real,
}

/// Both services' data. Cheap to build, deterministic, and edited through the methods that people's actions have.
#[derive(Clone, Debug)]
pub struct World {
    clock: Clock,
    counter: u64,
    pub(crate) notion: NotionWorld,
    pub(crate) clockify: ClockifyWorld,
    /// The workspaces beside the one at home.
    notion_elsewhere: Vec<NotionWorld>,
    clockify_elsewhere: Vec<ClockifyWorld>,
    /// Further keys and their users.
    clockify_keys: BTreeMap<String, ClockifyId>,
    aliases: BTreeMap<String, Known>,
    remembered: Vec<Remembered>,
    /// The secret of the Notion connection that every world has; further tokens are added by name.
    pub notion_token: String,
    /// The key of the workspace's owner; further keys are added by name.
    pub clockify_key: String,
}

/// What an alias of the sample stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Page(NotionId),
    Object(ClockifyId),
}

impl World {
    /// Two workspaces with people and nothing else: one shared page in Notion, no databases, no rows.
    pub fn bare() -> Self {
        Self::bare_at(start())
    }

    fn bare_at(now: Timestamp) -> Self {
        let mut world = Self {
            clock: Clock::Ticking(now),
            counter: 0,
            notion: NotionWorld::default(),
            clockify: ClockifyWorld::default(),
            notion_elsewhere: Vec::new(),
            clockify_elsewhere: Vec::new(),
            clockify_keys: BTreeMap::new(),
            aliases: BTreeMap::new(),
            remembered: Vec::new(),
            notion_token: NOTION_TOKEN.to_owned(),
            clockify_key: CLOCKIFY_KEY.to_owned(),
        };
        world.populate();
        world
    }

    /// An agency without rows: the three databases of the n8n template, with the extra properties that real ones have.
    pub fn empty() -> Self {
        Self::empty_at(start())
    }

    fn empty_at(now: Timestamp) -> Self {
        let mut world = Self::bare_at(now);
        world.add_template();
        world
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        match self.clock {
            Clock::Ticking(now) => now,
            Clock::Real => Timestamp::now(),
        }
    }

    /// Lets the deterministic clock move on. The real clock needs no help.
    pub fn advance(&mut self, by: SignedDuration) {
        if let Clock::Ticking(now) = &mut self.clock {
            *now = now.saturating_add(by).unwrap_or(*now);
        }
    }

    /// Follows the computer's clock from here on, as a demonstration should.
    pub fn use_real_time(&mut self) {
        self.clock = Clock::Real;
    }

    pub(crate) fn tick(&mut self) -> Timestamp {
        self.advance(TICK);
        self.now()
    }

    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn new_notion_id(&mut self) -> NotionId {
        NotionId::from_counter(self.count())
    }

    pub(crate) fn new_clockify_id(&mut self) -> ClockifyId {
        let counter = self.count();
        ClockifyId::new(self.now(), counter)
    }

    /// An ID of the form that Clockify gives, which stands for nothing: as after a deletion.
    pub fn unused_clockify_id(&mut self) -> ClockifyId {
        self.new_clockify_id()
    }

    /// The page that the sample calls `alias`.
    pub fn page_alias(&self, alias: &str) -> Option<NotionId> {
        match self.aliases.get(&format!("page:{alias}")) {
            Some(Known::Page(id)) => Some(*id),
            _ => None,
        }
    }

    /// The object that the sample calls `alias`; also one that has been deleted.
    pub fn object_alias(&self, alias: &str) -> Option<ClockifyId> {
        match self.aliases.get(&format!("object:{alias}")) {
            Some(Known::Object(id)) => Some(*id),
            _ => None,
        }
    }

    /// The links as they were last verified, for the state that a demonstration starts with. The sandbox ignores them.
    pub fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }
}

fn start() -> Timestamp {
    Timestamp::from_second(START_SECOND).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Answers of lists that lag behind: a record as it was before a write, and how many lists still show it so.
#[derive(Clone, Debug)]
pub(crate) struct Stale<T> {
    before: Option<T>,
    lists: u32,
}

/// Records by ID, with what lists may still show of them.
#[derive(Clone, Debug)]
pub(crate) struct Table<K, T> {
    records: BTreeMap<K, T>,
    stale: BTreeMap<K, Stale<T>>,
    /// Counts what may have changed a record.
    version: u64,
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Self {
        Self { records: BTreeMap::new(), stale: BTreeMap::new(), version: 0 }
    }
}

impl<K: Ord + Copy, T: Clone> Table<K, T> {
    pub(crate) fn get(&self, id: K) -> Option<&T> {
        self.records.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: K) -> Option<&mut T> {
        self.version += 1;
        self.records.get_mut(&id)
    }

    pub(crate) fn insert(&mut self, id: K, record: T) {
        self.version += 1;
        self.records.insert(id, record);
    }

    pub(crate) fn remove(&mut self, id: K) -> Option<T> {
        self.version += 1;
        self.stale.remove(&id);
        self.records.remove(&id)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.records.values()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.version += 1;
        self.records.values_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Another number whenever a record may have changed; nothing while listings show something else than there is.
    pub(crate) fn version(&self) -> Option<u64> {
        self.stale.is_empty().then_some(self.version)
    }

    /// The next `lists` listings show the record as it is now (or not at all), whatever is written next.
    pub(crate) fn lag(&mut self, id: K, lists: u32) {
        if lists > 0 {
            let before = self.records.get(&id).cloned();
            self.stale.entry(id).or_insert(Stale { before, lists });
        }
    }

    /// Uses up one listing of every stale record that `concerned` takes, as if it had been shown.
    pub(crate) fn pass(&mut self, concerned: impl Fn(&T) -> bool) {
        let Self { records, stale, .. } = self;
        stale.retain(|id, stale| {
            let now = records.get(id).is_some_and(&concerned);
            stale.lists -= u32::from(now || stale.before.as_ref().is_some_and(&concerned));
            stale.lists > 0
        });
    }

    /// The records as a listing sees them; each call uses up one listing of every stale record that `concerned` takes.
    pub(crate) fn listing(&mut self, concerned: impl Fn(&T) -> bool) -> Vec<T> {
        let mut rows = Vec::new();
        for (id, record) in &self.records {
            match self.stale.get_mut(id) {
                Some(stale) if concerned(record) || stale.before.as_ref().is_some_and(&concerned) => {
                    stale.lists -= 1;
                    rows.extend(stale.before.clone().filter(&concerned));
                }
                _ if concerned(record) => rows.push(record.clone()),
                _ => {}
            }
        }
        self.stale.retain(|_, stale| stale.lists > 0);
        rows
    }
}
