//! A plan of some clients alone: what belongs to others is neither proposed nor told of.
//!
//! It is cut out of the plan of everything, since what is absent, taken or held is only known of the whole.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ChangeId, Hold, HoldCode, Notice, Plan};
use crate::domain::{
    model::{Kind, ObjectId, Page, PageId, Registry, Service, Snapshots},
    rules::{Class, Rules},
    text::Shown,
};

/// How a plan of everything is kept in a file.
pub(in crate::domain) const KEEP_PLAN: &str = "punchlist plan --out FILE";

/// The part of everything that a plan is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// What the clients are called.
    pub clients: Vec<Shown>,
    /// Their pages, those of their projects and of the tasks of these, and what stands for objects without a page.
    pub pages: BTreeSet<PageId>,
    /// What brakes withhold of everything: so many have to be let through for those that the plan is about.
    pub withheld: BTreeMap<(Class, Kind), usize>,
}

/// What belongs to some clients on both sides.
struct Belongings<'a> {
    snapshots: &'a Snapshots,
    registry: &'a Registry,
    clients: &'a BTreeSet<PageId>,
    /// The clients' objects, also those that they are about to be linked with.
    objects: BTreeSet<ObjectId>,
}

impl Belongings<'_> {
    /// The client that an object stands under in Clockify, or is; nothing where it stands under none, or is not seen.
    fn client_of(&self, kind: Kind, object: ObjectId) -> Option<ObjectId> {
        match kind.parent() {
            None => Some(object),
            Some(above) => self.client_of(above, self.snapshots.objects[kind].get(object)?.parent?),
        }
    }

    /// True where writing an object would write into what another client has in Clockify.
    fn is_foreign(&self, kind: Kind, object: ObjectId) -> bool {
        self.client_of(kind, object).is_some_and(|client| !self.objects.contains(&client))
    }

    /// True where a page belongs to the clients by what it says, or where it says nothing, by where its object stands,
    /// and nothing of it stands with another client.
    fn has(&self, page: &Page) -> bool {
        let object = self.registry.of_page(page.id).map(|link| link.object);
        if object.is_some_and(|object| self.is_foreign(page.kind, object)) {
            return false;
        }
        let Some(above) = page.kind.parent() else { return self.clients.contains(&page.id) };
        match page.parent.one() {
            Some(parent) => self.snapshots.pages[above].get(parent).is_some_and(|parent| self.has(parent)),
            None => object.is_some_and(|object| self.client_of(page.kind, object).is_some()),
        }
    }

    /// All of their pages.
    fn pages(&self) -> BTreeSet<PageId> {
        let pages = Kind::ALL.into_iter().flat_map(|kind| self.snapshots.pages[kind].rows());
        let pages = pages.filter(|page| self.has(page)).map(|page| page.id);
        let objects = Kind::ALL.into_iter().flat_map(|kind| self.snapshots.objects[kind].rows());
        let objects = objects.filter(|object| {
            self.client_of(object.kind, object.id).is_some_and(|client| self.objects.contains(&client))
        });
        pages.chain(objects.filter_map(|object| PageId::stand_in(object.id))).collect()
    }

    fn takes(&self, pages: &BTreeSet<PageId>, change: &Change) -> bool {
        let written = change.proposal.object.filter(|_| change.proposal.side == Service::Clockify);
        let refiled = change.refiling.iter().flat_map(|refiling| refiling.entries.values());
        let mut left = refiled.filter_map(|entry| entry.from.project);
        pages.contains(&change.page)
            && !written.is_some_and(|object| self.is_foreign(change.kind, object))
            && !left.any(|project| self.is_foreign(Kind::Project, project))
    }
}

impl Plan {
    /// The plan of some clients, by their pages, and of whatever belongs to them. A change that needs one of another
    /// client is held, and a change that would write into what another client has in Clockify is left out: it belongs
    /// to both. A brake counts everything all the same: whatever is cut into parts is not let through part by part.
    #[must_use]
    pub fn narrowed(
        mut self,
        clients: &BTreeSet<PageId>,
        snapshots: &Snapshots,
        registry: &Registry,
        rules: &Rules,
    ) -> Self {
        let linked = clients.iter().filter_map(|page| registry.of_page(*page)).map(|link| link.object);
        let proposed = self.changes.iter().filter(|change| clients.contains(&change.page));
        let objects = linked.chain(proposed.filter_map(|change| change.proposal.object)).collect();
        let theirs = Belongings { snapshots, registry, clients, objects };
        let pages = theirs.pages();
        let withheld = self.withheld();
        self.changes.retain(|change| theirs.takes(&pages, change));
        let is_about_them = |notice: &Notice| match (notice.page, notice.object) {
            (None, None) => true,
            (page, object) => {
                page.into_iter().chain(object.and_then(PageId::stand_in)).all(|page| pages.contains(&page))
            }
        };
        self.notices.retain(is_about_them);
        let kept: BTreeSet<ChangeId> = self.changes.iter().map(|change| change.id).collect();
        for change in self.changes.iter_mut().filter(|change| change.hold.is_none()) {
            if change.requires.iter().any(|required| !kept.contains(required)) {
                let text = "something that it needs belongs to another client, and is not for this run".into();
                change.hold = Some(Hold { code: HoldCode::ParentHeld, text });
            }
        }
        self.places.retain(|page, _| pages.contains(page));
        let name = |page: &PageId| snapshots.pages.clients.get(*page).map(|page| page.title.shown());
        let named: Vec<Shown> = clients.iter().filter_map(name).collect();
        self.say_what_brakes_count(&withheld, clients, &named);
        self.scope.clients.clone_from(clients);
        self.within = Some(Within { clients: named, pages, withheld });
        self.seal(rules)
    }

    /// Says of what a brake withholds in a part that it is not alone, and how that part is let through.
    fn say_what_brakes_count(
        &mut self,
        withheld: &BTreeMap<(Class, Kind), usize>,
        clients: &BTreeSet<PageId>,
        named: &[Shown],
    ) {
        let within = self.withheld();
        let clients: String =
            clients.iter().flat_map(|client| ["--client ".to_owned(), client.to_string(), " ".to_owned()]).collect();
        let keep = KEEP_PLAN.replace("--out", &format!("{clients}--out"));
        for change in &mut self.changes {
            let Some(class) = change.brake_class().map(|class| (class, change.kind)) else { continue };
            let Some(hold) = change.hold.as_mut().filter(|hold| hold.code == HoldCode::Brake) else { continue };
            let (few, all) = (within[&class], withheld[&class]);
            let mut text = hold.text.to_string().replace(KEEP_PLAN, &keep);
            if few < all {
                let belong = if few == 1 { "belongs" } else { "belong" };
                let named = client_names(named);
                text = format!("{text}; it counts all clients: {few} of these {all} {belong} to {named}");
            }
            hold.text = text.into();
        }
    }

    /// The names of the clients that it is about, as they stand in a sentence: `“Acme” and “Globex”`; nothing where it
    /// is about everything.
    pub fn of_whom(&self) -> Option<String> {
        self.within.as_ref().map(|within| client_names(&within.clients))
    }

    /// True where the plan cannot say what is true about a page: something of it cannot be told, or the plan is not
    /// about it.
    pub fn is_silent_about(&self, page: PageId) -> bool {
        self.unclear.contains(&page) || !self.is_about(page)
    }

    /// True where the plan is about a page.
    pub fn is_about(&self, page: PageId) -> bool {
        self.within.as_ref().is_none_or(|within| within.pages.contains(&page))
    }
}

/// Names of clients as they stand in a sentence.
pub fn client_names(clients: &[Shown]) -> String {
    let named: Vec<String> = clients.iter().map(|name| format!("“{}”", name.clipped(60))).collect();
    match named.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => named.concat(),
    }
}
