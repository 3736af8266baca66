//! What people do on both sides, and what somebody who knows the truth would decide in a review.

use std::collections::BTreeSet;

use punchlist::domain::{
    model::{Claim, Field, Kind, Object, ObjectId, Page, PageId, Relation, Standing, Value},
    plan::{Action, Cause, Plan, Proposal, State},
    review::{Approved, Decision, Review},
};

use super::{
    dice::Dice,
    machine::{Machine, linked},
    world::{World, standing},
};

/// Few names, so that they meet.
const NAMES: [&str; 7] = ["Aa", "aa", "Bb", "Cc", "Dd", "Ee", "Ff"];

impl World {
    /// A tree of new pages.
    pub(super) fn begin(&mut self) {
        for _ in 0..=self.dice.below(2) {
            let client = self.new_page(Kind::Client, Relation::None);
            for _ in 0..self.dice.below(3) {
                let project = self.new_page(Kind::Project, Relation::One(client));
                // Sometimes so many that a brake has something to hold.
                let tasks = if self.dice.percent(20) { 6 } else { self.dice.below(3) };
                for _ in 0..tasks {
                    self.new_page(Kind::Task, Relation::One(project));
                }
            }
        }
    }

    fn new_page(&mut self, kind: Kind, parent: Relation) -> PageId {
        let number = self.count();
        let title = if self.dice.percent(30) { self.a_name() } else { format!("{kind} {number}") };
        self.add_page(kind, &title, parent)
    }

    fn a_name(&mut self) -> String {
        self.dice.pick(&NAMES).expect("names").to_owned()
    }

    fn a_page(&mut self, wanted: impl Fn(&Page) -> bool) -> Option<PageId> {
        let pages: Vec<PageId> = self.pages.values().filter(|page| wanted(page)).map(|page| page.id).collect();
        self.dice.pick(&pages)
    }

    fn an_object(&mut self, wanted: impl Fn(&Object) -> bool) -> Option<ObjectId> {
        let objects: Vec<ObjectId> = self
            .objects
            .values()
            .filter(|object| wanted(object) && !self.is_unseen(object.id))
            .map(|object| object.id)
            .collect();
        self.dice.pick(&objects)
    }

    /// Somebody does something somewhere.
    pub(super) fn edit(&mut self) {
        self.tick();
        if self.dice.percent(65) { self.edit_notion() } else { self.edit_clockify() }
    }

    /// People do not wait until a run is over.
    pub(super) fn people_go_on(&mut self) {
        let busy = self.knobs.busy;
        if self.dice.percent(busy) {
            self.edit();
        }
    }

    fn edit_notion(&mut self) {
        let what = self.dice.below(16);
        let kind = Kind::ALL[self.dice.below(3)];
        let Some(page) = self.a_page(|_| true) else { return };
        let name = self.a_name();
        let above = self.a_page(|other| Some(other.kind) == kind.parent());
        let row = self.pages.get_mut(&page).expect("there");
        match what {
            0..=2 => row.title = name.as_str().into(),
            3 | 4 => row.standing = standing(true),
            5 => row.standing = standing(false),
            6 => row.standing = Standing::Trashed,
            7 | 8 => {
                let parent = row.kind.parent();
                if let Some(parent) = self.a_page(|other| Some(other.kind) == parent && other.kind != Kind::Task) {
                    self.pages.get_mut(&page).expect("there").parent = Relation::One(parent);
                }
            }
            9 => row.parent = Relation::None,
            10..=12 => {
                self.new_page(kind, above.map_or(Relation::None, Relation::One));
            }
            13 => {
                let (copy, id) = (row.clone(), PageId::from_number(self.count().into()));
                self.pages
                    .insert(id, Page { id, title: format!("{} (copy)", copy.title.exact()).as_str().into(), ..copy });
            }
            14 => row.claim = Claim::None,
            // Somebody clears up a whole column.
            _ => {
                self.pages
                    .values_mut()
                    .filter(|page| page.kind == kind)
                    .for_each(|page| page.standing = standing(true));
            }
        }
        self.log.push(format!("notion {what} {page} {name}"));
    }

    fn edit_clockify(&mut self) {
        let what = self.dice.below(7);
        let name = self.a_name();
        let kind = Kind::ALL[self.dice.below(3)];
        let above = self.an_object(|object| Some(object.kind) == kind.parent());
        let Some(object) = self.an_object(|_| true) else { return };
        let (row_kind, parent) = (self.objects[&object].kind, self.objects[&object].parent);
        let is_taken =
            |world: &Self, kind, parent, own| world.knobs.unique && world.holder(kind, parent, &name, own).is_some();
        match what {
            0 | 1 if !is_taken(self, row_kind, parent, Some(object)) => {
                self.objects.get_mut(&object).expect("there").name = name.as_str().into();
            }
            2 => {
                let row = self.objects.get_mut(&object).expect("there");
                row.closed = !row.closed;
                self.touched.insert(object);
            }
            3 | 4 if (kind == Kind::Client || above.is_some()) && !is_taken(self, kind, above, None) => {
                let id = self.new_object_id();
                let row = self.objects[&object].clone();
                let new =
                    Object { id, kind, name: name.as_str().into(), parent: above, closed: false, marker: None, ..row };
                self.objects.insert(id, new);
            }
            // A field that nobody mapped.
            6 => self.objects.get_mut(&object).expect("there").values.set(Field::Note, Value::text(&name)),
            5 => {
                if let Some(page) = self.a_page(|_| true) {
                    let was_hidden = self.hidden.remove(&page);
                    if !was_hidden {
                        self.hidden.insert(page);
                    }
                }
            }
            _ => {}
        }
        self.log.push(format!("clockify {what} {object} {name}"));
    }

    /// Approves what somebody would who looks at both services, and who sees which object is whose.
    pub(super) fn decide(&self, plan: &Plan, machine: &Machine) -> Approved {
        let mut review = Review::new(plan, "somebody who knows");
        let mut left = BTreeSet::new();
        for (at, change) in plan.changes.iter().enumerate() {
            // What only a lagging listing shows as gone is there.
            let is_there = |object: Option<ObjectId>| object.is_some_and(|object| self.objects.contains_key(&object));
            let held = change.state == State::Held;
            let vanished = change.cause == Cause::Vanished;
            let is_needed = change.requires.iter().any(|needed| left.contains(needed));
            if held || is_needed || (vanished && (is_there(change.claimed) || is_there(linked(machine, change.page)))) {
                left.insert(&change.id);
                continue;
            }
            let ours = |way: &Proposal| {
                let object = way.object.filter(|_| way.action == Action::Link);
                object.is_some_and(|object| {
                    self.made.iter().any(|made| made.page == change.page && made.object == object)
                })
            };
            if matches!(change.proposal.action, Action::Create | Action::Link) && !ours(&change.proposal) {
                if let Some(way) = change.alternatives.iter().position(ours) {
                    review.choose(at, way + 1);
                }
            } else if machine.number > 0
                && change.proposal.action == Action::WriteBack
                && !change.alternatives.is_empty()
            {
                review.choose(at, 1);
            }
            review.decide(&[at], Some(&Decision::Approve));
        }
        review.approved()
    }
}

/// What somebody does between two runs.
pub(super) fn busy(world: &mut World, dice: &mut Dice) {
    for _ in 0..dice.below(4) {
        world.edit();
    }
}
