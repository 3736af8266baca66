//! Tasks of one name in one project, told apart by the day on which their pages were created: recurring tasks, of which
//! Clockify takes one name once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    model::{Claim, Kind, ObjectId, Page, PageId, Registry, Snapshots},
    text::Raw,
};

/// Gives every open task a name of its own in its project, where another page's task has that name or an older page
/// wants it. What a task is called already, it stays.
pub(super) fn tell_apart(snapshots: &mut Snapshots, registry: &Registry) {
    let mut names = choose(snapshots, registry);
    let mut stated = BTreeMap::new();
    snapshots.pages.tasks.update(|page| {
        if let Some(name) = names.remove(&page.id) {
            stated.insert(page.id, std::mem::replace(&mut page.title, name));
        }
    });
    snapshots.stated_titles = stated;
}

/// The pages that are to be called otherwise than they say, and how.
fn choose(snapshots: &Snapshots, registry: &Registry) -> BTreeMap<PageId, Raw> {
    let own = own_objects(snapshots, registry, Kind::Task);
    let projects = own_objects(snapshots, registry, Kind::Project);
    let mut chosen: BTreeMap<PageId, Raw> = BTreeMap::new();
    let mut taken: HashSet<(Place, Raw)> = HashSet::new();
    let mut waiting = Vec::new();
    for page in snapshots.pages.tasks.rows() {
        let Some(project) = page.parent.one() else { continue };
        let place = projects.get(&project).map_or(Place::Page(project), |object| Place::Object(*object));
        let object = own.get(&page.id).and_then(|object| snapshots.objects.tasks.get(*object));
        let name = object.map(|object| object.name.canonical().into_raw());
        let name = name.filter(|name| names(page).iter().any(|may_be| may_be.canonical() == name.canonical()));
        let stands = object.and_then(|object| object.parent).map(Place::Object);
        if let (Some(name), Some(stands)) = (&name, stands) {
            taken.insert((stands, name.clone()));
        }
        match name {
            Some(name) if stands == Some(place) => {
                chosen.insert(page.id, name);
            }
            name if page.standing.is_open() => waiting.push((object.is_none(), page, place, name)),
            _ => {}
        }
    }
    // Who has a task goes before who is new, and among them the older one.
    waiting.sort_unstable_by_key(|(is_new, page, ..)| (*is_new, page.created, page.id));
    for (_, page, place, name) in waiting {
        let may_be = name.into_iter().chain(names(page).map(|name| name.canonical().into_raw()));
        if let Some(name) = may_be.into_iter().find(|name| taken.insert((place, name.clone()))) {
            chosen.insert(page.id, name);
        }
    }
    let is_stated = |page: PageId, name: &Raw| {
        snapshots.pages.tasks.get(page).is_some_and(|page| page.title.canonical() == name.canonical())
    };
    chosen.retain(|page, name| !is_stated(*page, name));
    chosen
}

/// Where names are unique: below a project's object, or the page of one that has none yet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Object(ObjectId),
    Page(PageId),
}

/// What a page may be called: as it says, with its day, with the minute; the later where others have the earlier.
fn names(page: &Page) -> [Raw; 3] {
    let title = page.title.canonical();
    let with = |time: &str| Raw::from(format!("{} ({})", title.as_str(), page.created.strftime(time)));
    [page.title.clone(), with("%Y-%m-%d"), with("%Y-%m-%d %H:%M UTC")]
}

/// The object of each page that is seen: by its link, or by its claim where nobody else has the object. Of several the
/// oldest page has it.
fn own_objects(snapshots: &Snapshots, registry: &Registry, kind: Kind) -> HashMap<PageId, ObjectId> {
    let mut pages: Vec<&Page> = snapshots.pages[kind].rows().iter().collect();
    pages.sort_unstable_by_key(|page| (registry.of_page(page.id).is_none(), page.created, page.id));
    let mut owners: HashMap<ObjectId, PageId> = HashMap::new();
    let mut own = HashMap::new();
    for page in pages {
        let object = match (registry.of_page(page.id), &page.claim) {
            (Some(link), _) => link.object,
            (None, Claim::Id(claimed)) if registry.of_object(*claimed).is_none() => *claimed,
            (None, _) => continue,
        };
        if *owners.entry(object).or_insert(page.id) == page.id {
            own.insert(page.id, object);
        }
    }
    own
}
