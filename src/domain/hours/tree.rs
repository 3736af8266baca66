//! The tree of figures: clients, their projects, their tasks, each with what was tracked and what is planned.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::read::{Facts, Read, Slice};
use crate::domain::{
    model::{Field, Kind, Object, ObjectId, Page, PageId, Registry, Snapshots, Value},
    text::{Raw, Shown},
};

/// Seconds of the period; none where a summary was not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub tracked: Option<u64>,
    pub billable: Option<u64>,
    pub unapproved: Option<u64>,
    pub uninvoiced: Option<u64>,
    /// All of it as the workspace rounds each entry; none where it does not.
    pub rounded: Option<u64>,
    /// What is billable of that.
    pub rounded_billable: Option<u64>,
}

impl Figures {
    /// Zeros for what is given, and nothing for the rest.
    fn none_of(read: &Read<'_>) -> Self {
        let mut figures = Self::default();
        for slice in read.summaries.keys() {
            *figures.slice(*slice) = Some(0);
        }
        figures
    }

    fn slice(&mut self, slice: Slice) -> &mut Option<u64> {
        match slice {
            Slice::All => &mut self.tracked,
            Slice::Billable => &mut self.billable,
            Slice::Unapproved => &mut self.unapproved,
            Slice::Uninvoiced => &mut self.uninvoiced,
            Slice::Rounded => &mut self.rounded,
            Slice::RoundedBillable => &mut self.rounded_billable,
        }
    }

    fn add(&mut self, slice: Slice, seconds: u64) {
        let sum = self.slice(slice);
        *sum = Some(sum.unwrap_or_default().saturating_add(seconds));
    }
}

/// A client, project or task, or the time that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    /// The object; none for time that has no such one.
    pub object: Option<ObjectId>,
    /// Its page, where one is linked or claims it.
    pub page: Option<PageId>,
    pub name: Shown,
    pub figures: Figures,
    /// Planned for all of its time.
    pub planned: Option<u64>,
    /// True where that is planned of itself, and is not what the things below it come to.
    pub is_budget: bool,
    /// Tracked in all of its time, as far as Clockify says so.
    pub total: Option<u64>,
    /// What stands below, by name.
    pub children: Vec<Self>,
}

impl Node {
    /// It and all below it, parents first.
    pub fn each<'n>(&'n self, visit: &mut dyn FnMut(&'n Self)) {
        visit(self);
        self.children.iter().for_each(|child| child.each(visit));
    }
}

/// All figures of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    pub totals: Figures,
    /// By name; time without a client comes last.
    pub clients: Vec<Node>,
}

/// Where time is: a client, a project and a task, as far as there are any.
type Place = [Option<ObjectId>; 3];

impl Tree {
    /// Adds up what was read, and lays it beside what is planned.
    pub fn of(read: &Read<'_>) -> Self {
        let mut names: HashMap<ObjectId, Raw> = HashMap::new();
        let mut leaves: BTreeMap<Place, Figures> = BTreeMap::new();
        let mut totals = Figures::none_of(read);
        for (slice, rows) in &read.summaries {
            for row in rows {
                let place = row.place.each_ref().map(|(object, _)| *object);
                leaves.entry(place).or_insert_with(|| Figures::none_of(read)).add(*slice, row.seconds);
                totals.add(*slice, row.seconds);
                for (object, name) in &row.place {
                    if let Some(object) = object.filter(|_| !name.is_blank()) {
                        names.entry(object).or_insert_with(|| name.clone());
                    }
                }
            }
        }
        let sides = Sides::of(read);
        for place in sides.planned_and_open() {
            leaves.entry(place).or_insert_with(|| Figures::none_of(read));
        }
        let clients = grouped(&leaves.into_iter().collect::<Vec<_>>(), Kind::Client, &sides, &names, read);
        Self { totals, clients }
    }

    /// All nodes, parents first.
    pub fn each<'t>(&'t self, visit: &mut dyn FnMut(&'t Node)) {
        self.clients.iter().for_each(|client| client.each(visit));
    }
}

fn grouped(
    leaves: &[(Place, Figures)],
    kind: Kind,
    sides: &Sides<'_>,
    names: &HashMap<ObjectId, Raw>,
    read: &Read<'_>,
) -> Vec<Node> {
    let level = kind as usize;
    let mut groups: BTreeMap<Option<ObjectId>, Vec<(Place, Figures)>> = BTreeMap::new();
    for leaf in leaves {
        groups.entry(leaf.0[level]).or_default().push(*leaf);
    }
    let below = Kind::ALL.get(level + 1).copied();
    let nodes = groups.into_iter().map(|(object, leaves)| {
        let mut figures = Figures::none_of(read);
        for (_, mut leaf) in leaves.iter().copied() {
            for slice in read.summaries.keys() {
                figures.add(*slice, leaf.slice(*slice).unwrap_or_default());
            }
        }
        let mut children = below.map_or_else(Vec::new, |below| grouped(&leaves, below, sides, names, read));
        children.retain(|child| child.object.is_some() || child.figures != Figures::none_of(read));
        let known = object.and_then(|object| sides.objects.get(&object).copied());
        let name = known.map(|known| &known.name).or_else(|| names.get(&object?));
        let nameless = || match object {
            Some(_) => format!("({kind} that Clockify does not name)"),
            None => format!("(no {kind})"),
        };
        Node {
            kind,
            object,
            page: object.and_then(|object| sides.pages.get(&object)).map(|page| page.id),
            name: name.map_or_else(|| Shown::of(&nameless()), Raw::shown),
            figures,
            planned: object.and_then(|object| sides.planned.get(&object).copied()),
            is_budget: object.is_some_and(|object| sides.budgets.contains(&object)),
            total: known.and_then(|known| read.snapshots.tracked_on(known)),
            children,
        }
    });
    let mut nodes: Vec<Node> = nodes.collect();
    nodes.sort_by(|a, b| (a.object.is_none(), &a.name, a.object).cmp(&(b.object.is_none(), &b.name, b.object)));
    nodes
}

/// Both sides, for being looked up.
pub(super) struct Sides<'a> {
    pub(super) objects: HashMap<ObjectId, &'a Object>,
    pub(super) pages: HashMap<ObjectId, &'a Page>,
    planned: HashMap<ObjectId, u64>,
    /// Those of which it is planned of themselves.
    budgets: HashSet<ObjectId>,
}

impl<'a> Sides<'a> {
    pub(super) fn of(read: &Read<'a>) -> Self {
        Self::new(read.snapshots, read.registry, &read.facts)
    }

    pub(super) fn new(snapshots: &'a Snapshots, registry: &Registry, facts: &BTreeMap<ObjectId, Facts>) -> Self {
        let all = Kind::ALL.into_iter().flat_map(|kind| snapshots.objects[kind].rows());
        let objects: HashMap<ObjectId, &Object> = all.map(|object| (object.id, object)).collect();
        let mut pages: HashMap<ObjectId, &Page> = HashMap::new();
        for page in Kind::ALL.into_iter().flat_map(|kind| snapshots.pages[kind].rows()) {
            let linked = registry.of_page(page.id).map(|link| link.object);
            // A page that has no link yet is taken at its word, unless another one is linked.
            let object = linked.or_else(|| page.claim.id().filter(|id| registry.of_object(*id).is_none()));
            if let Some(object) = object {
                pages.entry(object).or_insert(page);
            }
        }
        let mut sides = Self { objects, pages, planned: HashMap::new(), budgets: HashSet::new() };
        sides.plan(snapshots, facts);
        sides
    }

    /// What is planned for it of itself.
    pub(super) fn budget(&self, object: ObjectId) -> Option<u64> {
        self.planned.get(&object).copied().filter(|_| self.budgets.contains(&object))
    }

    /// What is planned of each object: what its page says, else what Clockify's estimate says, else what the things
    /// below it come to.
    fn plan(&mut self, snapshots: &Snapshots, facts: &BTreeMap<ObjectId, Facts>) {
        for kind in [Kind::Task, Kind::Project, Kind::Client] {
            let mut below: HashMap<ObjectId, u64> = HashMap::new();
            for (object, planned) in &self.planned {
                let known = self.objects.get(object).filter(|object| object.kind.parent() == Some(kind));
                if let Some(parent) = known.and_then(|object| object.parent) {
                    let sum = below.entry(parent).or_default();
                    *sum = sum.saturating_add(*planned);
                }
            }
            for object in snapshots.objects[kind].rows() {
                let of_page = self.pages.get(&object.id).and_then(|page| {
                    page.schedule.planned.or(match page.values.get(Field::Estimate) {
                        Some(Value::Seconds(seconds)) => Some(*seconds),
                        _ => None,
                    })
                });
                let estimate = || facts.get(&object.id).and_then(|facts| facts.estimate);
                let own = of_page.or_else(estimate).filter(|seconds| *seconds > 0);
                if own.is_some() {
                    self.budgets.insert(object.id);
                }
                if let Some(planned) = own.or_else(|| below.get(&object.id).copied()) {
                    self.planned.insert(object.id, planned);
                }
            }
        }
    }

    /// Where something is planned that is open.
    fn planned_and_open(&self) -> BTreeSet<Place> {
        let open = self.objects.values().filter(|object| self.planned.contains_key(&object.id) && object.is_open());
        open.map(|object| self.place(object)).collect()
    }

    fn place(&self, object: &Object) -> Place {
        let above = object.parent.and_then(|parent| self.objects.get(&parent)).and_then(|object| object.parent);
        match object.kind {
            Kind::Client => [Some(object.id), None, None],
            Kind::Project => [object.parent, Some(object.id), None],
            Kind::Task => [above, object.parent, Some(object.id)],
        }
    }
}
