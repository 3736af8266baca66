//! Both services in memory: what they hold, what their listings show of it, and what they make of a write.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use punchlist::{
    domain::{
        journal::{Trace, Write},
        model::{
            Claim, Field, Kind, Nature, Object, ObjectId, Page, PageId, Reading, Relation, Schedule, Standing, Value,
            Values,
        },
    },
    engine::apply::{About, WriteFailure, Written},
};

use super::dice::Dice;

/// What no source settles, and how much goes wrong.
#[derive(Clone, Debug)]
pub(super) struct Knobs {
    /// A name is taken once under one parent.
    pub(super) unique: bool,
    /// That many listings still show what was before a write.
    pub(super) lag: u32,
    /// For so many seconds all listings do.
    pub(super) lag_seconds: i64,
    /// Of a hundred moments of an apply, in how many somebody edits something.
    pub(super) busy: usize,
    /// Of a hundred rows, of how many a listing cannot say something.
    pub(super) unknown: usize,
    /// Of a hundred requests, how many go wrong.
    pub(super) trouble: usize,
}

/// An object that was created for a page.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) page: PageId,
    pub(super) object: ObjectId,
}

/// What a listing still shows instead of the truth.
#[derive(Clone, Debug)]
struct Before<T> {
    row: Option<T>,
    /// How often.
    lists: u32,
    /// Until when, whatever the count.
    until: i64,
}

type Stale<K, T> = BTreeMap<K, Before<T>>;

/// Both services.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) knobs: Knobs,
    /// By the clock of both services, in seconds.
    pub(super) now: i64,
    counter: u64,
    pub(super) pages: BTreeMap<PageId, Page>,
    /// Pages that answer 404.
    pub(super) hidden: BTreeSet<PageId>,
    pub(super) objects: BTreeMap<ObjectId, Object>,
    stale_pages: Stale<PageId, Page>,
    stale_objects: Stale<ObjectId, Object>,
    pub(super) made: Vec<Made>,
    /// Objects that people have opened or closed by hand: how many are open is their business.
    pub(super) touched: BTreeSet<ObjectId>,
    /// Everything that happened, one line each: equal for equal seeds.
    pub(super) log: Vec<String>,
    /// Promises that were broken.
    pub(super) broken: Vec<String>,
}

impl World {
    pub(super) fn new(dice: Dice, knobs: Knobs) -> Self {
        Self {
            dice,
            knobs,
            now: 1_790_000_000,
            counter: 0,
            pages: BTreeMap::new(),
            hidden: BTreeSet::new(),
            objects: BTreeMap::new(),
            stale_pages: BTreeMap::new(),
            stale_objects: BTreeMap::new(),
            made: Vec::new(),
            touched: BTreeSet::new(),
            log: Vec::new(),
            broken: Vec::new(),
        }
    }

    pub(super) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_second(self.now).expect("a time")
    }

    /// An id as Clockify makes them: when, and which.
    pub(super) fn new_object_id(&mut self) -> ObjectId {
        let number = self.count();
        format!("{:08x}{number:016x}", self.now).parse().expect("an id")
    }

    /// A little time passes.
    pub(super) fn tick(&mut self) {
        self.now += i64::try_from(self.dice.below(3)).expect("small");
    }

    /// So much time passes that every listing shows the truth.
    pub(super) fn settle(&mut self) {
        self.now += 3600;
        self.stale_pages.clear();
        self.stale_objects.clear();
    }

    /// The pages of a kind as a listing shows them: not those in the trash, nor hidden ones.
    pub(super) fn list_pages(&mut self, kind: Kind) -> Vec<Page> {
        let rows = listing(&self.pages, &mut self.stale_pages, self.now, |page: &Page| page.kind == kind);
        let mut rows: Vec<Page> = rows
            .into_iter()
            .filter(|page| page.standing != Standing::Trashed && !self.hidden.contains(&page.id))
            .collect();
        for page in &mut rows {
            if self.dice.percent(self.knobs.unknown) {
                let because = "the service does not say".into();
                match self.dice.below(3) {
                    0 => page.standing = Standing::Unknown { because },
                    1 if kind != Kind::Client => page.parent = Relation::Unknown(because),
                    _ => page.claim = Claim::Unknown(because),
                }
                self.log
                    .push(format!("unknown of {}: {:?} {:?} {:?}", page.id, page.standing, page.parent, page.claim));
            }
        }
        rows
    }

    /// The objects that a listing shows.
    pub(super) fn list_objects(&mut self, concerns: impl Fn(&Object) -> bool) -> Vec<Object> {
        let mut rows = listing(&self.objects, &mut self.stale_objects, self.now, concerns);
        for object in &mut rows {
            if self.dice.percent(self.knobs.unknown) {
                object.values.put(Field::State, Reading::Unknown("the service does not say".into()));
                self.log.push(format!("unknown of {}: whether it is open", object.id));
            }
        }
        rows
    }

    /// True when no listing shows the object yet: people cannot have seen it either.
    pub(super) fn is_unseen(&self, object: ObjectId) -> bool {
        self.stale_objects.get(&object).is_some_and(|before| before.row.is_none())
    }

    /// A page by its id.
    pub(super) fn page(&self, page: PageId) -> Option<&Page> {
        self.pages.get(&page).filter(|page| !self.hidden.contains(&page.id))
    }

    /// What a listing by name shows of what a create would have made.
    pub(super) fn find(&mut self, write: &Write, trace: &Trace) -> Vec<Object> {
        let Write::Create { kind, parent, name, .. } = write else { return Vec::new() };
        let mut found = self.list_objects(|object| object.kind == *kind && object.parent == *parent);
        found.retain(|object| object.name.canonical() == name.canonical() && trace.fits(write, object));
        found
    }

    /// The object of some kind with that name under that parent, besides one.
    pub(super) fn holder(
        &self,
        kind: Kind,
        parent: Option<ObjectId>,
        name: &str,
        besides: Option<ObjectId>,
    ) -> Option<ObjectId> {
        let same = |object: &&Object| {
            object.kind == kind && object.parent == parent && Some(object.id) != besides && object.name.exact() == name
        };
        self.objects.values().find(same).map(|object| object.id)
    }

    /// Carries a write out, and what goes along with it: all of it or nothing.
    pub(super) fn execute_all(
        &mut self,
        write: &Write,
        along: &[Write],
        built_on: Option<&Object>,
    ) -> Result<Written, WriteFailure> {
        let written = self.execute(write, built_on)?;
        for task in along {
            let mut task = task.clone();
            task.stands_under(written.object.as_ref().expect("a project").id);
            self.execute(&task, None).expect("nothing is in a new project");
        }
        Ok(written)
    }

    /// Carries a write out. One that changes an object replaces the whole of it by what it was built on.
    pub(super) fn execute(&mut self, write: &Write, built_on: Option<&Object>) -> Result<Written, WriteFailure> {
        self.tick();
        match write {
            Write::Create { page, kind, parent, name, marked, fields, .. } => {
                self.must_be_there(*parent)?;
                self.must_be_free(*kind, *parent, name.exact(), None)?;
                let object = Object {
                    id: self.new_object_id(),
                    kind: *kind,
                    name: name.clone(),
                    parent: *parent,
                    closed: false,
                    marker: marked.then_some(*page),
                    values: fields.clone().into_iter().collect(),
                    tracked_seconds: None,
                    nature: Nature::default(),
                };
                self.made.push(Made { page: *page, object: object.id });
                self.remember_object(object.id, None);
                self.objects.insert(object.id, object.clone());
                Ok(Written { object: Some(object), page: None })
            }
            Write::Update { object, fields, .. } => {
                let Some(before) = self.objects.get(object).cloned() else {
                    return Err(refused("there is no such object"));
                };
                let mut after = built_on.unwrap_or(&before).clone();
                // What was not said when it was read is no part of what is written.
                after.values = after.values.iter().map(|(field, value)| (field, value.clone())).collect();
                for (field, value) in fields {
                    set(&mut after, *field, value);
                }
                self.must_be_there(after.parent)?;
                self.must_be_free(after.kind, after.parent, after.name.exact(), Some(after.id))?;
                self.remember_object(*object, Some(before));
                self.objects.insert(*object, after.clone());
                Ok(Written { object: Some(after), page: None })
            }
            Write::Refile { .. } => unreachable!("nobody tracks time here"),
            Write::WriteBack { page, claim, fields, .. } => {
                let Some(before) = self.page(*page).cloned() else { return Err(refused("there is no such page")) };
                if before.standing == Standing::Trashed {
                    return Err(refused("a page in the trash cannot be written"));
                }
                let mut after = before.clone();
                if let Some(claim) = claim {
                    after.claim = claim.map_or(Claim::None, Claim::Id);
                }
                for (field, value) in fields {
                    match (field, value) {
                        (Field::Name, Value::Text(name)) => after.title = name.clone(),
                        (Field::State, Value::Closed(closed)) => after.standing = standing(*closed),
                        _ => after.values.set(*field, value.clone()),
                    }
                }
                if self.knobs.lag > 0 || self.knobs.lag_seconds > 0 {
                    let before = self.before(Some(before));
                    self.stale_pages.entry(*page).or_insert(before);
                }
                self.pages.insert(*page, after.clone());
                Ok(Written { object: None, page: Some(after) })
            }
        }
    }

    fn remember_object(&mut self, object: ObjectId, before: Option<Object>) {
        if self.knobs.lag > 0 || self.knobs.lag_seconds > 0 {
            let before = self.before(before);
            self.stale_objects.entry(object).or_insert(before);
        }
    }

    fn before<T>(&self, row: Option<T>) -> Before<T> {
        Before { row, lists: self.knobs.lag, until: self.now + self.knobs.lag_seconds }
    }

    fn must_be_there(&self, parent: Option<ObjectId>) -> Result<(), WriteFailure> {
        let there = parent.is_none_or(|parent| self.objects.contains_key(&parent));
        if there { Ok(()) } else { Err(refused("its parent is not there")) }
    }

    fn must_be_free(
        &self,
        kind: Kind,
        parent: Option<ObjectId>,
        name: &str,
        own: Option<ObjectId>,
    ) -> Result<(), WriteFailure> {
        let changes = own
            .and_then(|own| self.objects.get(&own))
            .is_none_or(|before| before.name.exact() != name || before.parent != parent);
        let taken = self.knobs.unique && changes && self.holder(kind, parent, name, own).is_some();
        let (error, hint) = ("a name that exists already".into(), "".into());
        match (taken, own) {
            (false, _) => Ok(()),
            (true, None) => Err(WriteFailure::PerhapsTaken { error, hint }),
            (true, Some(_)) => Err(WriteFailure::Refused { error, hint, about: About::Row }),
        }
    }

    /// Somebody writes a page.
    pub(super) fn add_page(&mut self, kind: Kind, title: &str, parent: punchlist::domain::model::Relation) -> PageId {
        let id = PageId::from_number(self.count().into());
        let page = Page {
            id,
            kind,
            title: title.into(),
            claim: Claim::None,
            parent,
            standing: Standing::Open,
            created: self.time(),
            edited: self.time(),
            values: Values::default(),
            sync_status: Values::default(),
            schedule: Schedule::default(),
            item_of: punchlist::domain::model::Relation::None,
        };
        self.pages.insert(id, page);
        id
    }
}

pub(super) fn standing(closed: bool) -> Standing {
    if closed { Standing::Closed { because: "Status is Done".into() } } else { Standing::Open }
}

pub(super) fn refused(error: &str) -> WriteFailure {
    WriteFailure::Refused { error: error.into(), hint: "".into(), about: About::Row }
}

fn set(object: &mut Object, field: Field, value: &Value) {
    match (field, value) {
        (Field::Name, Value::Text(name)) => object.name = name.clone(),
        (Field::Parent, Value::Object(parent)) => object.parent = Some(*parent),
        (Field::State, Value::Closed(closed)) => object.closed = *closed,
        _ => object.values.set(field, value.clone()),
    }
}

/// The rows as a listing shows them; each stale one that is concerned is used up once.
fn listing<K: Ord + Copy, T: Clone>(
    truth: &BTreeMap<K, T>,
    stale: &mut Stale<K, T>,
    now: i64,
    concerns: impl Fn(&T) -> bool,
) -> Vec<T> {
    stale.retain(|_, before| before.lists > 0 || before.until > now);
    let mut rows = Vec::new();
    for (id, row) in truth {
        match stale.get_mut(id) {
            Some(before) if concerns(row) || before.row.as_ref().is_some_and(&concerns) => {
                before.lists = before.lists.saturating_sub(1);
                rows.extend(before.row.clone().filter(&concerns));
            }
            _ if concerns(row) => rows.push(row.clone()),
            _ => {}
        }
    }
    stale.retain(|_, before| before.lists > 0 || before.until > now);
    rows
}
