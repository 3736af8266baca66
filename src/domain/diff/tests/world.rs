//! A world in a few lines: rows are named by their path, `Acme/Website/Design`, whose depth says the kind and whose
//! beginning names the parent. Ids come from one counter.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use jiff::Timestamp;

use crate::domain::{
    diff::{Diff, diff},
    implied::imply,
    model::{
        Agreed, Along, Away, Base, Claim, Fetched, Field, Identified, Kind, Limits, Link, Nature, Object, ObjectId,
        Page, PageId, PerKind, Problem, Registry, Relation, Schedule, Sight, Snapshots, Standing, Timers, Unsettled,
        Value, Values, Walk,
    },
    plan::{Change, Plan, Proposal, Scope},
    review::{Approved, Review},
    rules::Rules,
};

/// Both services, the registry and the rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) pages: BTreeMap<String, Page>,
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) registry: Registry,
    pub(crate) rules: Rules,
    pub(crate) away: BTreeMap<PageId, Away>,
    pub(crate) unsettled: BTreeMap<PageId, Unsettled>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) limits: Limits,
    /// Kinds whose pages cannot be listed completely.
    pub(crate) partial_pages: BTreeSet<Kind>,
    /// Kinds whose objects cannot be listed completely.
    pub(crate) partial_objects: BTreeSet<Kind>,
    /// When Clockify was read.
    pub(crate) as_of: Option<Timestamp>,
    /// Young objects that Clockify denies by their ID.
    pub(crate) denied: BTreeSet<ObjectId>,
    /// Why the key may not see everything.
    pub(crate) hidden: Option<crate::domain::text::Shown>,
    /// Fields that cannot be emptied in Notion.
    pub(crate) never_empty: PerKind<BTreeSet<Field>>,
    /// The timers that run, where they were asked for.
    pub(crate) timers: Option<Timers>,
    counter: u32,
}

/// The number of an id that the next row gets.
pub(crate) fn object_id(number: u32) -> ObjectId {
    format!("{number:024x}").parse().expect("hexadecimal digits")
}

pub(crate) fn at(second: u32) -> Timestamp {
    Timestamp::from_second(i64::from(second)).expect("a time")
}

fn kind_of(path: &str) -> Kind {
    Kind::ALL[path.matches('/').count()]
}

fn parent_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

impl World {
    /// Pages that have their objects, verified to agree on everything.
    pub(crate) fn linked(paths: &[&str]) -> Self {
        let mut world = Self::default();
        for path in paths {
            world.link(path);
        }
        world
    }

    pub(crate) fn next(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    /// A new page, open, under the page that its path names.
    pub(crate) fn page(&mut self, path: &str) -> &mut Page {
        let number = self.next();
        let parent = parent_of(path)
            .and_then(|parent| self.pages.get(parent))
            .map_or(Relation::None, |page| Relation::One(page.id));
        let page = Page {
            id: PageId::from_number(number.into()),
            kind: kind_of(path),
            title: name_of(path).into(),
            claim: Claim::None,
            parent,
            standing: Standing::Open,
            created: at(number),
            edited: at(number),
            values: Values::default(),
            sync_status: Values::default(),
            schedule: Schedule::default(),
            item_of: Relation::None,
        };
        self.pages.insert(path.to_owned(), page);
        self.page_mut(path)
    }

    /// A new object, active, under the object that its path names.
    pub(crate) fn object(&mut self, path: &str) -> &mut Object {
        let number = self.next();
        let object = Object {
            id: object_id(number),
            kind: kind_of(path),
            name: name_of(path).into(),
            parent: parent_of(path).and_then(|parent| self.objects.get(parent)).map(|object| object.id),
            closed: false,
            marker: None,
            values: Values::default(),
            tracked_seconds: None,
            nature: Nature::default(),
        };
        self.objects.insert(path.to_owned(), object);
        self.object_mut(path)
    }

    /// A page with its object, verified to agree on everything.
    pub(crate) fn link(&mut self, path: &str) -> &mut Self {
        let object = self.object(path).clone();
        self.page(path).claim = Claim::Id(object.id);
        let mut base = Base::default();
        base.set(Field::Name, Agreed::Same(Value::Text(object.name.clone())));
        base.set(Field::State, Agreed::Same(Value::Closed(false)));
        if let Some(parent) = object.parent {
            base.set(Field::Parent, Agreed::Same(Value::Object(parent)));
        }
        let (page, kind) = (self.pages[path].id, object.kind);
        self.registry.insert(Link {
            page,
            kind,
            object: object.id,
            sight: Sight::Expected,
            base,
            left: Vec::new(),
            along: Along::No,
            unwritten: None,
        });
        self
    }

    /// Both sides and the base hold a value.
    pub(crate) fn agree(&mut self, path: &str, field: Field, value: &Value) {
        self.page_mut(path).values.set(field, value.clone());
        self.object_mut(path).values.set(field, value.clone());
        self.set_base(path, field, Agreed::Same(value.clone()));
    }

    pub(crate) fn set_base(&mut self, path: &str, field: Field, agreed: Agreed) {
        let mut link = self.registry.of_page(self.pages[path].id).expect("a link").clone();
        link.base.set(field, agreed);
        self.registry.insert(link);
    }

    pub(crate) fn base(&self, path: &str, field: Field) -> Option<Agreed> {
        self.registry.of_page(self.pages[path].id)?.base.get(field).cloned()
    }

    /// The registry is lost.
    pub(crate) fn forget(&mut self) -> &mut Self {
        self.registry = Registry::default();
        self
    }

    pub(crate) fn page_mut(&mut self, path: &str) -> &mut Page {
        self.pages.get_mut(path).expect("a page of that path")
    }

    pub(crate) fn object_mut(&mut self, path: &str) -> &mut Object {
        self.objects.get_mut(path).expect("an object of that path")
    }

    pub(crate) fn page_id(&self, path: &str) -> PageId {
        self.pages[path].id
    }

    pub(crate) fn object_id(&self, path: &str) -> ObjectId {
        self.objects[path].id
    }

    pub(crate) fn rename_page(&mut self, path: &str, name: &str) -> &mut Self {
        self.page_mut(path).title = name.into();
        self
    }

    pub(crate) fn rename_object(&mut self, path: &str, name: &str) -> &mut Self {
        self.object_mut(path).name = name.into();
        self
    }

    /// The page names another parent.
    pub(crate) fn move_page(&mut self, path: &str, parent: &str) -> &mut Self {
        self.page_mut(path).parent = Relation::One(self.page_id(parent));
        self
    }

    /// The object stands under another parent.
    pub(crate) fn move_object(&mut self, path: &str, parent: &str) -> &mut Self {
        self.object_mut(path).parent = Some(self.object_id(parent));
        self
    }

    pub(crate) fn close_page(&mut self, path: &str) -> &mut Self {
        self.page_mut(path).standing = Standing::Closed { because: "Status is Done".into() };
        self
    }

    /// The page is in the trash, and was fetched by its ID.
    pub(crate) fn trash_page(&mut self, path: &str) -> &mut Self {
        self.page_mut(path).standing = Standing::Trashed;
        self
    }

    pub(crate) fn snapshots(&self) -> Snapshots {
        fn walk<T: Identified>(rows: Vec<T>, partial: bool) -> Fetched<T> {
            let mut walk = Walk::default();
            walk.add(rows);
            if partial {
                walk.spoil("the walk was cut short");
            }
            walk.finish()
        }
        let pages = |kind| self.pages.values().filter(|page| page.kind == kind).cloned().collect();
        let objects = |kind| self.objects.values().filter(|object| object.kind == kind).cloned().collect();
        let mut snapshots = Snapshots {
            pages: PerKind::from_fn(|kind| walk(pages(kind), self.partial_pages.contains(&kind))),
            objects: PerKind::from_fn(|kind| walk(objects(kind), self.partial_objects.contains(&kind))),
            away: self.away.clone(),
            unsettled: self.unsettled.clone(),
            problems: self.problems.clone(),
            as_of: self.as_of,
            denied: self.denied.clone(),
            hidden: self.hidden.clone(),
            along: BTreeMap::new(),
            never_empty: self.never_empty.clone(),
            limits: self.limits.clone(),
            strangers: BTreeMap::new(),
            new_options: Vec::new(),
            stated_titles: BTreeMap::new(),
            timers: self.timers.clone(),
        };
        imply(&mut snapshots, &self.registry, &self.rules);
        snapshots
    }

    pub(crate) fn diff(&self) -> Diff {
        let mut snapshots = self.snapshots();
        if self.rules.close_children {
            snapshots.close_children(&self.registry);
        }
        diff(&snapshots, &self.registry, &self.rules, Scope::default())
    }

    pub(crate) fn plan(&self) -> Plan {
        self.diff().plan
    }

    /// The plan's changes, one a line.
    pub(crate) fn changes(&self) -> String {
        let plan = self.plan();
        plan.changes.iter().map(|change| self.line(&plan, change) + "\n").collect()
    }

    /// The plan's changes with the other ways to mend them.
    pub(crate) fn ways(&self) -> String {
        let plan = self.plan();
        let mut text = String::new();
        for change in &plan.changes {
            writeln!(text, "{}", self.line(&plan, change)).expect("memory");
            for way in &change.alternatives {
                writeln!(text, "  or {} {}", self.way(way), way.confidence).expect("memory");
            }
        }
        text
    }

    /// The changes that are held, with their reasons.
    pub(crate) fn holds(&self) -> String {
        let plan = self.plan();
        let held = plan.changes.iter().filter_map(|change| Some((change, change.hold.as_ref()?)));
        held.map(|(change, hold)| {
            format!(
                "{} {} {:?}: {:?}: {}\n",
                change.proposal.action,
                change.kind,
                change.name.exact(),
                hold.code,
                hold.text
            )
        })
        .collect()
    }

    /// The plan's notices, one a line.
    pub(crate) fn notices(&self) -> String {
        let line = |notice: &crate::domain::plan::Notice| {
            format!("{:?} {} {:?}: {}\n", notice.code, notice.kind, notice.name.exact(), notice.text)
        };
        self.plan().notices.iter().map(line).collect()
    }

    fn path_of(&self, object: ObjectId) -> String {
        let found = self.objects.iter().find(|(_, row)| row.id == object);
        found.map_or_else(|| object.to_string().trim_start_matches('0').to_owned(), |(path, _)| path.clone())
    }

    fn way(&self, way: &Proposal) -> String {
        let mut text = way.action.to_string();
        if way.side == crate::domain::model::Service::Notion && way.action == crate::domain::plan::Action::Update {
            text += " in Notion";
        }
        if let Some(object) = way.object {
            write!(text, " <{}>", self.path_of(object)).expect("memory");
        }
        for field in &way.fields {
            let (from, to) = (field.from.to_raw(), field.to.to_raw());
            write!(text, " {}: {:?} → {:?}", field.field, from.exact(), to.exact()).expect("memory");
        }
        text
    }

    fn line(&self, plan: &Plan, change: &Change) -> String {
        let by_id = plan.by_id();
        let mut text = format!("{} {:?} {} [", change.kind, change.name.exact(), self.way(&change.proposal));
        write!(text, "{} {} {}", word(&change.cause), change.proposal.confidence, word(&change.state)).expect("memory");
        if let Some(hold) = &change.hold {
            write!(text, " {:?}", hold.code).expect("memory");
        }
        text.push(']');
        for needed in change.requires.iter().filter_map(|id| by_id.get(id)) {
            write!(text, " after {} {:?}", needed.proposal.action, needed.name.exact()).expect("memory");
        }
        text
    }

    /// Takes over what the comparison verified, as a session does.
    pub(crate) fn save(&mut self, verified: Vec<Link>) {
        for link in verified {
            self.registry.insert(link);
        }
    }
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).expect("a word").as_str().expect("a word").to_owned()
}

/// Everything that may be approved.
pub(crate) fn approve_all(plan: &Plan) -> Approved {
    approve(plan, |_| true)
}

/// Only these.
pub(crate) fn approve(plan: &Plan, wanted: impl Fn(&Change) -> bool) -> Approved {
    let mut review = Review::new(plan, "tester");
    review.approve_all(wanted);
    review.approved()
}

/// The plan with another way chosen wherever one of this action is offered, as a person may do it.
pub(crate) fn choose(plan: &Plan, action: crate::domain::plan::Action, rules: &Rules) -> Plan {
    let mut plan = plan.clone();
    for change in &mut plan.changes {
        if let Some(way) = change.alternatives.iter().find(|way| way.action == action) {
            change.proposal = way.clone();
        }
    }
    plan.seal(rules)
}

/// What happens, by name.
pub(crate) type Case<'a> = (&'a str, &'a dyn Fn(&mut World));

/// A picture for each named case.
pub(crate) fn pictures(cases: &[Case<'_>], picture: fn(&World) -> String) -> String {
    let mut pictures = String::new();
    for (case, happens) in cases {
        let mut world = World::default();
        happens(&mut world);
        let picture = picture(&world);
        pictures += &format!("{case}:\n{}", if picture.is_empty() { "nothing\n" } else { &picture });
    }
    pictures
}
