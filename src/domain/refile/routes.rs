//! Where entries do not belong, and where they evidently do: of the objects and links alone, before any entry is asked
//! for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{NAME_COLUMNS, Terrain};
use crate::domain::{
    hours::Demands,
    model::{Kind, Link, Object, ObjectId, Spot, Unsettled},
    plan::{Action, Plan, closes},
};

/// The page names the copy's original: only punchlist writes that.
const COPY: u8 = 90;
/// The page itself has moved on.
const LEFT: u8 = 95;
/// Name and parents agree.
const SAME_PLACE: u8 = 80;
/// The name alone agrees, and no other has it.
const SAME_NAME: u8 = 60;
/// There is nothing else to be meant.
const ONLY_TASK: u8 = 90;

/// Where entries belong that are somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub to: Spot,
    /// How sure that is, in whole percent.
    pub confidence: u8,
    /// Why, in a sentence.
    pub because: String,
}

/// The spots from which entries go elsewhere, were there any on them. A plan says what is about to be linked, closed or
/// moved: nothing goes from the first, nor to the others.
pub fn routes(plan: &Plan, terrain: Terrain<'_>, demands: Demands) -> BTreeMap<Spot, Route> {
    let Terrain { snapshots, rules, .. } = terrain;
    let sees_all = |kind: Kind| {
        let is_whole = snapshots.pages[kind].complete().is_some() && snapshots.objects[kind].complete().is_some();
        // A page that the mapping does not let in could have it.
        is_whole && rules.mapping[kind].only.is_none()
    };
    if !Kind::ALL.into_iter().all(sees_all) || snapshots.hidden.is_some() {
        return BTreeMap::new();
    }
    Finder::new(plan, terrain, demands).routes()
}

struct Finder<'a> {
    terrain: Terrain<'a>,
    demands: Demands,
    /// What is about to be linked, or may have been made by a run whose end nobody knows.
    spoken_for: BTreeSet<ObjectId>,
    /// What is about to be closed or moved.
    leaving: BTreeSet<ObjectId>,
    /// What entries can go to, by kind and name.
    linked: HashMap<(Kind, String), Vec<&'a Object>>,
    /// The open tasks of each project.
    open_tasks: HashMap<ObjectId, Vec<&'a Object>>,
    /// The links of pages that have left an object behind, by that.
    left: HashMap<ObjectId, &'a Link>,
}

impl<'a> Finder<'a> {
    fn new(plan: &Plan, terrain: Terrain<'a>, demands: Demands) -> Self {
        let Terrain { snapshots, registry, .. } = terrain;
        let mut spoken_for = BTreeSet::new();
        let mut leaving = BTreeSet::new();
        for change in &plan.changes {
            for way in std::iter::once(&change.proposal).chain(&change.alternatives) {
                spoken_for.extend(way.object.filter(|_| way.action == Action::Link));
            }
            let goes = closes(change.proposal.action, change.kind) || change.proposal.action == Action::Move;
            leaving.extend(change.proposal.object.filter(|_| goes));
        }
        for unsettled in snapshots.unsettled.values() {
            if let Unsettled::OneOf(objects) = unsettled {
                spoken_for.extend(objects);
            }
        }
        let mut finder = Self {
            terrain,
            demands,
            spoken_for,
            leaving,
            linked: HashMap::new(),
            open_tasks: HashMap::new(),
            left: registry.iter().flat_map(|link| link.left.iter().map(move |left| (*left, link))).collect(),
        };
        for task in snapshots.objects.tasks.rows().iter().filter(|task| task.is_open()) {
            finder.open_tasks.entry(task.parent.unwrap_or(task.id)).or_default().push(task);
        }
        for kind in [Kind::Project, Kind::Task] {
            for object in snapshots.objects[kind].rows() {
                if finder.takes_time(object) {
                    finder.linked.entry((kind, loose(object))).or_default().push(object);
                }
            }
        }
        finder
    }

    fn routes(&self) -> BTreeMap<Spot, Route> {
        let mut routes = BTreeMap::new();
        let objects = &self.terrain.snapshots.objects;
        for kind in [Kind::Project, Kind::Task] {
            for object in objects[kind].rows().iter().filter(|object| self.is_astray(object)) {
                let Some((target, confidence, because)) = self.meant(object) else { continue };
                let to = match kind {
                    Kind::Task => spot(target),
                    // Where every entry needs a task, there must be one that is meant.
                    _ if self.demands.task => match self.only_task(target) {
                        Some(task) => spot(task),
                        None => continue,
                    },
                    _ => spot(target),
                };
                routes.insert(spot(object), Route { to, confidence, because });
            }
        }
        if self.demands.task {
            for project in objects.projects.rows().iter().filter(|project| self.takes_time(project)) {
                let Some(task) = self.only_task(project) else { continue };
                let because = "every entry needs a task, and the project has no other open one".to_owned();
                routes.insert(spot(project), Route { to: spot(task), confidence: ONLY_TASK, because });
            }
        }
        routes
    }

    /// True for what a page links to that is open, is about to stay so, and stands under what is.
    fn takes_time(&self, object: &Object) -> bool {
        let Terrain { snapshots, registry, .. } = self.terrain;
        let page = registry.of_object(object.id).and_then(|link| snapshots.pages[object.kind].get(link.page));
        let is_meant = page.is_some_and(|page| page.standing.is_open() && !snapshots.closes(page));
        let above = self.above(object);
        let stands_open = above.is_none_or(|above| above.is_open() && !self.leaving.contains(&above.id));
        is_meant
            && stands_open
            && above.is_some() == object.parent.is_some()
            && object.is_open()
            && !self.leaving.contains(&object.id)
            && !snapshots.is_pattern(object)
    }

    /// True for what no page links to, nor is about to.
    fn is_astray(&self, object: &Object) -> bool {
        self.terrain.registry.of_object(object.id).is_none()
            && !self.spoken_for.contains(&object.id)
            && !self.terrain.snapshots.is_pattern(object)
    }

    /// The one object that entries on another can have been meant for.
    fn meant(&self, object: &Object) -> Option<(&'a Object, u8, String)> {
        let registry = self.terrain.registry;
        let kind = object.kind;
        let of = |link: &Link| {
            let target = self.terrain.snapshots.objects[kind].get(link.object).filter(|_| link.kind == kind)?;
            (target.id != object.id && self.takes_time(target)).then_some(target)
        };
        if let Some(link) = self.left.get(&object.id).filter(|_| !object.is_open()) {
            let target = of(link).filter(|target| loose(target) == loose(object))?;
            return Some((target, LEFT, "its page has moved on to that, and it is closed".to_owned()));
        }
        if let Some(target) = object.marker.and_then(|page| registry.of_page(page)).and_then(of) {
            return Some((target, COPY, "it is a copy: its note names the page of that".to_owned()));
        }
        let named = self.linked.get(&(kind, loose(object))).map_or(&[][..], Vec::as_slice);
        let names = self.names_above(object);
        let alike: Vec<&Object> = named.iter().copied().filter(|target| self.names_above(target) == names).collect();
        let closed = if object.is_closed() { "it is closed, and no page links to it" } else { "no page links to it" };
        match (alike.as_slice(), named) {
            ([target], _) => Some((target, SAME_PLACE, format!("{closed}, and to that {kind} of its name one does"))),
            ([], [target]) => {
                let above = |object: &Object| match self.above(object) {
                    Some(above) => format!("“{}”", above.name.shown().clipped(NAME_COLUMNS)),
                    None => "nothing".to_owned(),
                };
                let because = format!(
                    "{closed}, and of all {} of its name only to that one; that is of {}, this of {}",
                    kind.plural(),
                    above(target),
                    above(object),
                );
                Some((target, SAME_NAME, because))
            }
            _ => None,
        }
    }

    /// The open task of a project that has one, where time can be filed on it.
    fn only_task(&self, project: &Object) -> Option<&'a Object> {
        match self.open_tasks.get(&project.id).map(Vec::as_slice) {
            Some([task]) if self.takes_time(task) => Some(task),
            _ => None,
        }
    }

    fn above(&self, object: &Object) -> Option<&'a Object> {
        self.terrain.snapshots.objects[object.kind.parent()?].get(object.parent?)
    }

    /// What stands above it is called, nearest first.
    fn names_above(&self, object: &Object) -> Vec<String> {
        std::iter::successors(self.above(object), |object| self.above(object)).map(loose).collect()
    }
}

fn loose(object: &Object) -> String {
    object.name.canonical().loose()
}

/// Where time on an object is filed.
fn spot(object: &Object) -> Spot {
    match object.kind {
        Kind::Task => Spot { project: object.parent, task: Some(object.id) },
        Kind::Project | Kind::Client => Spot { project: Some(object.id), task: None },
    }
}
